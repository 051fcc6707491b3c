//! The cookie store of a client.

use std::sync::Arc;

use super::ClientBuilder;
use crate::cookie::{CookieStore, Cookies};
use crate::driver::runtime::Runtime;

impl<F: Runtime> ClientBuilder<F> {
    /// Keeps cookies in this store, which may be shared with other clients.
    pub fn cookie_provider<C: CookieStore + 'static>(mut self, cookie_store: Arc<C>) -> Self {
        self.config.cookies = Some(Cookies(cookie_store));
        self
    }
}
