//! The redirect policy of a client, and its restriction to `https`.

use super::ClientBuilder;
use crate::driver::runtime::Runtime;
use crate::policy::redirect::Policy;

impl<F: Runtime> ClientBuilder<F> {
    /// Sets the redirect policy; up to 10 redirects are followed by default.
    pub fn redirect(mut self, policy: Policy) -> Self {
        self.config.redirect = policy;
        self
    }

    /// Refuses every `http` URL, also as the target of a redirect; off by default.
    pub fn https_only(mut self, enabled: bool) -> Self {
        self.config.https_only = enabled;
        self
    }
}
