//! The cryptography provider of TLS.

#[cfg_attr(feature = "aws-lc-rs", path = "aws_lc_rs.rs")]
#[cfg_attr(all(feature = "ring", not(feature = "aws-lc-rs")), path = "ring.rs")]
#[cfg_attr(not(any(feature = "ring", feature = "aws-lc-rs")), path = "none.rs")]
mod choice;

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

/// Returns the provider that is installed for the whole process, or else the built-in one.
pub(super) fn find() -> Option<Arc<CryptoProvider>> {
    let installed = CryptoProvider::get_default().cloned();
    installed.or_else(|| choice::built_in().map(Arc::new))
}
