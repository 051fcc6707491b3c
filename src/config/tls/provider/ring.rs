//! The ring provider.

use rustls::crypto::{CryptoProvider, ring};

pub(super) fn built_in() -> Option<CryptoProvider> {
    Some(ring::default_provider())
}
