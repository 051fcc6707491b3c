//! A build without a provider.

use rustls::crypto::CryptoProvider;

pub(super) fn built_in() -> Option<CryptoProvider> {
    None
}
