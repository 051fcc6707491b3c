//! The proxies of a client.

use super::ClientBuilder;
use crate::config::proxy::Proxy;
use crate::driver::runtime::Runtime;

impl<F: Runtime> ClientBuilder<F> {
    /// Adds a proxy. The first one that covers a URL is used; the proxies of the environment are
    /// ignored. See [`proxy`](crate::config::proxy).
    pub fn proxy(self, proxy: Proxy) -> Self {
        self.checked(proxy.into_rule(), |config, rule| {
            config.proxies.get_or_insert_default().push(rule);
        })
    }

    /// Uses no proxy: neither those of the environment nor those that were set before.
    pub fn no_proxy(mut self) -> Self {
        self.config.proxies = Some(Default::default());
        self
    }
}
