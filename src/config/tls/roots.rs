//! The root certificates of a client: the choice among those of the environment, of the operating system and of
//! this crate, and its result.
//!
//! ```text
//! tls_certs_only ──────────────────────────────────────────────▶ Program
//! Roots::Auto ─▶ SSL_CERT_FILE or SSL_CERT_DIR is set ─────────▶ Environment, or the error of what they name
//!             ─▶ the feature `platform-verifier` is on ────────▶ Platform, if it has roots and allows the settings
//!             ─▶ otherwise ────────────────────────────────────▶ Bundled
//! ```
//!
//! The choice is made when the configuration of rustls is built: at the first request over TLS, or by `build` if
//! the program has changed a TLS setting. A variable that names something unusable is an error and never ignored:
//! its owner wants other roots than the default ones. The result stands in [`TlsInfo`](super::TlsInfo) and in the
//! error of a certificate whose issuer is not known.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;

use super::certificate::{self, Certificate};
use super::{TlsSettings, Verifier};
use crate::transport::tls::TlsError;
use crate::transport::tls_info::RootSource;

/// The root certificates that a client trusts, beside those that the program adds; see
/// [`tls_roots`](crate::client::ClientBuilder::tls_roots).
///
/// ```
/// use leanhttp::tls::Roots;
///
/// // Neither the environment nor the operating system decides who is trusted.
/// let client = leanhttp::Client::builder().tls_roots(Roots::Bundled).build()?;
/// # Ok::<(), leanhttp::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Roots {
    /// Those of [`Environment`](Self::Environment) if one of its variables is set, else those of the
    /// [`Platform`](Self::Platform) if the feature `platform-verifier` is on, else the
    /// [`Bundled`](Self::Bundled) ones.
    ///
    /// The platform is passed over if it has no roots, as in a minimal container, if it is Android, where the
    /// program has to initialize its verifier, and beside settings that its verifier does not support: revocation
    /// lists and `danger_accept_invalid_hostnames`.
    #[default]
    Auto,
    /// Those of the file that `SSL_CERT_FILE` names and of the folders that `SSL_CERT_DIR` names, as for OpenSSL
    /// and Go, and no others. It is an error if neither is set.
    Environment,
    /// The verifier of the operating system, with the feature `platform-verifier`; without it an error of `build`.
    Platform,
    /// The Mozilla roots in the crate `webpki-roots`, as of the day of its release.
    Bundled,
}

/// The roots that the settings result in.
#[derive(Debug)]
pub(super) struct Trusted {
    pub(super) source: RootSource,
    of_environment: Vec<Certificate>,
    /// The verifier of the operating system, which has its roots and the added ones.
    pub(super) platform: Option<Arc<dyn ServerCertVerifier>>,
}

impl Trusted {
    fn by(source: RootSource) -> Self {
        Self { source, of_environment: Vec::new(), platform: None }
    }

    fn by_platform(verifier: Arc<dyn ServerCertVerifier>) -> Self {
        Self { platform: Some(verifier), ..Self::by(RootSource::Platform) }
    }

    /// Returns those that the environment names; `None` if it names none.
    fn by_environment() -> Result<Option<Self>, TlsError> {
        let found = certificate::certificates_of_environment(|name| std::env::var_os(name));
        let found = found.map_err(|error| TlsError::from(error.to_string()))?;
        Ok(found.map(|roots| Self { of_environment: roots, ..Self::by(RootSource::Environment) }))
    }
}

impl TlsSettings {
    /// Decides on the roots, by the diagram above.
    pub(super) fn trusted(&self, provider: &Arc<CryptoProvider>) -> Result<Trusted, TlsError> {
        if self.judgement.as_ref().is_some_and(|judgement| judgement.accepts_any_certificate) {
            return Ok(Trusted::by(RootSource::Unverified));
        }
        if let Some(source) = self.only_added {
            return Ok(Trusted::by(source));
        }
        match self.roots {
            Roots::Bundled => Ok(Trusted::by(RootSource::Bundled)),
            Roots::Platform => self.platform(provider).map(Trusted::by_platform),
            Roots::Environment => Trusted::by_environment()?.ok_or(NO_VARIABLE.into()),
            Roots::Auto => {
                let platform = || self.usable_platform(provider).map(Trusted::by_platform);
                let found = Trusted::by_environment()?.or_else(platform);
                Ok(found.unwrap_or_else(|| Trusted::by(RootSource::Bundled)))
            }
        }
    }

    /// Returns the verifier of the operating system, if it can be used without a decision of the program.
    fn usable_platform(
        &self,
        provider: &Arc<CryptoProvider>,
    ) -> Option<Arc<dyn ServerCertVerifier>> {
        if cfg!(any(not(feature = "platform-verifier"), target_os = "android")) {
            return None;
        }
        // With added roots it would not notice that the system has none.
        if !self.added_roots.is_empty() {
            platform_verifier(Arc::clone(provider), Vec::new()).ok()?;
        }
        self.platform(provider).ok()
    }

    /// Returns the verifier of the operating system with the added roots.
    fn platform(&self, provider: &Arc<CryptoProvider>) -> Verifier {
        let judgement = self.judgement.as_ref();
        if judgement.is_some_and(|judgement| !judgement.revoked.is_empty()) {
            return Err(NO_LISTS.into());
        }
        if judgement.is_some_and(|judgement| judgement.accepts_any_name) {
            return Err(NO_NAMES.into());
        }
        platform_verifier(Arc::clone(provider), self.added_certificates())
    }

    /// Returns the added certificates.
    pub(super) fn added_certificates(&self) -> Vec<CertificateDer<'static>> {
        self.added_roots.iter().flat_map(|roots| roots.ders.clone()).collect()
    }

    /// Returns the roots for rustls' own verifier.
    pub(super) fn store(&self, trusted: &Trusted) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        if trusted.source == RootSource::Bundled {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        let added = trusted.of_environment.iter().chain(&self.added_roots);
        for der in added.flat_map(|roots| &roots.ders) {
            roots.add(der.clone())?;
        }
        if roots.is_empty() {
            return Err("no root trust anchors were provided".into());
        }
        Ok(roots)
    }
}

const NO_VARIABLE: &str = "Roots::Environment: neither SSL_CERT_FILE nor SSL_CERT_DIR is set";
const NO_LISTS: &str = "the operating system's verifier takes no revocation lists";
const NO_NAMES: &str = "the operating system's verifier always looks at the name";

/// Returns the verifier of the operating system, which also trusts these certificates.
#[cfg(all(feature = "platform-verifier", not(target_os = "android")))]
fn platform_verifier(
    provider: Arc<CryptoProvider>,
    extra_roots: Vec<CertificateDer<'static>>,
) -> Verifier {
    Ok(Arc::new(rustls_platform_verifier::Verifier::new_with_extra_roots(extra_roots, provider)?))
}

/// Ignoring the added certificates would be safe, but hard to diagnose: it is an error instead.
#[cfg(all(feature = "platform-verifier", target_os = "android"))]
fn platform_verifier(
    provider: Arc<CryptoProvider>,
    extra_roots: Vec<CertificateDer<'static>>,
) -> Verifier {
    if !extra_roots.is_empty() {
        return Err("Android does not support additional certificates".into());
    }
    Ok(Arc::new(rustls_platform_verifier::Verifier::new(provider)?))
}

#[cfg(not(feature = "platform-verifier"))]
fn platform_verifier(_: Arc<CryptoProvider>, _: Vec<CertificateDer<'static>>) -> Verifier {
    Err("Roots::Platform: needs the feature `platform-verifier` of leanhttp".into())
}
