//! The verifier of the operating system.

use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls_platform_verifier::Verifier;

use crate::config::ClientBuilder;
use crate::driver::runtime::Front;

impl<F: Front> ClientBuilder<F> {
    /// Lets the operating system judge certificates, by whatever its administrator has set up:
    /// Windows and macOS by themselves, other systems by the root certificates they come with. The
    /// Mozilla roots do not count then, certificates that are added do.
    ///
    /// With the feature `platform-verifier`. Revocation lists cannot be added to it. On Android a
    /// certificate of one's own cannot either, and the program has to initialize the crate
    /// `rustls-platform-verifier` first.
    ///
    /// ```
    /// let client = leanhttp::Client::builder().tls_platform_verifier();
    /// # let _ = client;
    /// ```
    pub fn tls_platform_verifier(self) -> Self {
        self.judge(|judgement| judgement.judge = Some(verifier))
    }
}

#[cfg(not(target_os = "android"))]
fn verifier(
    provider: Arc<CryptoProvider>,
    extra_roots: Vec<CertificateDer<'static>>,
) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    Ok(Arc::new(Verifier::new_with_extra_roots(extra_roots, provider)?))
}

/// To trust fewer certificates than the program wants is safe, and would be a riddle.
#[cfg(target_os = "android")]
fn verifier(
    provider: Arc<CryptoProvider>,
    extra_roots: Vec<CertificateDer<'static>>,
) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    if !extra_roots.is_empty() {
        return Err(rustls::Error::General("Android takes no certificate beside its own".into()));
    }
    Ok(Arc::new(Verifier::new(provider)?))
}
