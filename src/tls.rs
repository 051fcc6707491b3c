//! TLS settings of a client: whom it trusts.
//!
//! The default trusts the Mozilla root certificates that the crate `webpki-roots` carries, speaks
//! TLS 1.3 and 1.2, and verifies names and dates.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::RootCertStore;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};

use crate::config::ClientBuilder;
use crate::error::{Error, Result};
use crate::front::Front;
use crate::wire::tls::{Tls, TlsError};

/// A certificate to trust as a root.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pem = std::fs::read("company-ca.pem")?;
/// let ca = leanhttp::Certificate::from_pem(&pem)?;
/// let client = leanhttp::Client::builder().add_root_certificate(ca).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Certificate {
    der: CertificateDer<'static>,
}

impl Certificate {
    /// A certificate in DER (RFC 5280).
    ///
    /// # Errors
    ///
    /// If it cannot be a root certificate.
    pub fn from_der(der: &[u8]) -> Result<Self> {
        Self::checked(CertificateDer::from(der.to_vec()))
    }

    /// The first certificate of a PEM text (RFC 7468).
    ///
    /// # Errors
    ///
    /// If there is none, or it cannot be a root certificate.
    pub fn from_pem(pem: &[u8]) -> Result<Self> {
        let der = CertificateDer::from_pem_slice(pem)
            .map_err(|error| Error::builder("no certificate in the PEM text").cause(error))?;
        Self::checked(der)
    }

    /// Every certificate of a PEM text.
    ///
    /// # Errors
    ///
    /// If one of them is malformed.
    pub fn from_pem_bundle(pem: &[u8]) -> Result<Vec<Self>> {
        CertificateDer::pem_slice_iter(pem)
            .map(|der| {
                let malformed = |error| Error::builder("malformed PEM text").cause(error);
                Self::checked(der.map_err(malformed)?)
            })
            .collect()
    }

    /// Found out here and not at the first request.
    fn checked(der: CertificateDer<'static>) -> Result<Self> {
        RootCertStore::empty()
            .add(der.clone())
            .map_err(|error| Error::builder("invalid root certificate").cause(error))?;
        Ok(Self { der })
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("bytes", &self.der.len()).finish()
    }
}

/// Whom a client trusts, and the rustls configuration that comes of it at the first https request.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) extra_roots: Vec<Certificate>,
    pub(crate) bundled_roots: BundledRoots,
    pub(crate) verification: Verification,
    /// Replaces all of the above.
    pub(crate) whole: Option<Arc<ClientConfig>>,
    built: OnceLock<Result<Arc<ClientConfig>, rustls::Error>>,
    built_for_proxies: OnceLock<Result<Arc<ClientConfig>, rustls::Error>>,
}

/// Whether the roots of `webpki-roots` are trusted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum BundledRoots {
    #[default]
    Trusted,
    Ignored,
}

/// Whether certificates are verified at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Verification {
    #[default]
    Full,
    /// Anyone can be anyone.
    None,
}

impl Settings {
    /// The TLS stage of a new connection to `host`.
    pub(crate) fn stage(&self, host: &str) -> Result<Tls, TlsError> {
        Tls::new(self.config()?, host)
    }

    /// The TLS stage of a new connection to a proxy.
    pub(crate) fn proxy_stage(&self, host: &str) -> Result<Tls, TlsError> {
        let built = self.built_for_proxies.get_or_init(|| self.config().map(for_proxies));
        Tls::new(built.clone()?, host)
    }

    /// Made once, so that sessions are resumed and nothing is paid by who speaks plain HTTP only.
    fn config(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        if let Some(whole) = &self.whole {
            return Ok(Arc::clone(whole));
        }
        self.built.get_or_init(|| self.build().map(Arc::new)).clone()
    }

    fn build(&self) -> Result<ClientConfig, rustls::Error> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let mut config = match self.verification {
            Verification::Full => {
                builder.with_root_certificates(self.roots()?).with_no_client_auth()
            }
            Verification::None => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(TrustAnyone { provider }))
                .with_no_client_auth(),
        };
        // Says what we speak, so that a server of several protocols does not guess (RFC 7301).
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    fn roots(&self) -> Result<RootCertStore, rustls::Error> {
        let mut roots = RootCertStore::empty();
        if self.bundled_roots == BundledRoots::Trusted {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        for certificate in &self.extra_roots {
            roots.add(certificate.der.clone())?;
        }
        Ok(roots)
    }
}

/// What is meant for origins is kept from proxies: the client's certificate, and the tickets by
/// which a session is resumed (CVE-2021-22890, curl).
fn for_proxies(config: Arc<ClientConfig>) -> Arc<ClientConfig> {
    let mut config = Arc::unwrap_or_clone(config);
    config.resumption = Resumption::disabled();
    config.client_auth_cert_resolver = Arc::new(Nobody);
    Arc::new(config)
}

/// Has no certificate.
#[derive(Debug)]
struct Nobody;

impl ResolvesClientCert for Nobody {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

impl<F: Front> ClientBuilder<F> {
    /// Trusts this root certificate too.
    pub fn add_root_certificate(mut self, certificate: Certificate) -> Self {
        self.config.tls.extra_roots.push(certificate);
        self
    }

    /// Trusts these root certificates too.
    pub fn tls_certs_merge(mut self, certs: impl IntoIterator<Item = Certificate>) -> Self {
        self.config.tls.extra_roots.extend(certs);
        self
    }

    /// Trusts these root certificates and no others.
    pub fn tls_certs_only(mut self, certs: impl IntoIterator<Item = Certificate>) -> Self {
        self.config.tls.bundled_roots = BundledRoots::Ignored;
        self.config.tls.extra_roots = certs.into_iter().collect();
        self
    }

    /// Uses this configuration of rustls as it is: roots, client certificates, versions, all of it.
    /// The other TLS settings have no effect then.
    pub fn use_preconfigured_tls(mut self, tls: impl Into<Arc<ClientConfig>>) -> Self {
        self.config.tls.whole = Some(tls.into());
        self
    }

    /// Accepts any certificate of anyone, proxies included, so that anyone on the way can read and change
    /// everything. For tests only.
    pub fn danger_accept_invalid_certs(mut self, accept_invalid_certs: bool) -> Self {
        self.config.tls.verification =
            if accept_invalid_certs { Verification::None } else { Verification::Full };
        self
    }
}

/// The verifier of [`Verification::None`]: the peer proves that it has the key of its certificate,
/// but the certificate may be any.
#[derive(Debug)]
struct TrustAnyone {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for TrustAnyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
