//! The built-in cookie store of a client.

use std::sync::Arc;

use super::ClientBuilder;
use crate::cookie::{Cookies, Jar};
use crate::driver::runtime::Runtime;

impl<F: Runtime> ClientBuilder<F> {
    /// Keeps cookies in a new [`Jar`] that only this client uses, and sends them back; off by default.
    /// To read the jar or to share it, use [`cookie_provider`](Self::cookie_provider).
    pub fn cookie_store(mut self, enable: bool) -> Self {
        self.config.cookies = enable.then(|| Cookies(Arc::new(Jar::new())));
        self
    }
}
