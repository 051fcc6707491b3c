//! The types of rustls 0.23 in the public API: they are here and nowhere else.
//!
//! A later version of rustls gets a module of its own beside this one, with its own conversions to
//! [`Preconfigured`], so programs that do not name this module do not notice the change.
//!
//! ```
//! use leanhttp::Client;
//! use leanhttp::tls::rustls_0_23::ClientConfig;
//!
//! fn client(config: ClientConfig) -> leanhttp::Result<Client> {
//!     Client::builder().use_preconfigured_tls(config).build()
//! }
//! ```

use std::sync::Arc;

#[doc(no_inline)]
pub use rustls::ClientConfig;

use super::Preconfigured;

impl From<ClientConfig> for Preconfigured {
    fn from(config: ClientConfig) -> Self {
        Self(Arc::new(config))
    }
}

impl From<Arc<ClientConfig>> for Preconfigured {
    fn from(config: Arc<ClientConfig>) -> Self {
        Self(config)
    }
}
