//! The verifier of the operating system.

use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls_platform_verifier::Verifier;

use super::TlsSettings;

impl TlsSettings {
    pub(crate) fn use_platform_verifier(&mut self) {
        self.changed_judgement().judge = Some(verifier);
    }
}

#[cfg(not(target_os = "android"))]
fn verifier(
    provider: Arc<CryptoProvider>,
    extra_roots: Vec<CertificateDer<'static>>,
) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    Ok(Arc::new(Verifier::new_with_extra_roots(extra_roots, provider)?))
}

/// Ignoring the added certificates would be safe, but hard to diagnose: it is an error instead.
#[cfg(target_os = "android")]
fn verifier(
    provider: Arc<CryptoProvider>,
    extra_roots: Vec<CertificateDer<'static>>,
) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    if !extra_roots.is_empty() {
        return Err(rustls::Error::General(
            "Android does not support additional certificates".into(),
        ));
    }
    Ok(Arc::new(Verifier::new(provider)?))
}
