//! Verifiers that judge otherwise than rustls does by itself.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::hash::{Hash, HashAlgorithm};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
    SupportedCipherSuite,
};

use super::judgement::Verification;
use super::pin::SpkiSha256;

/// What another verifier says, without its word on names, and then the word of the pins.
#[derive(Debug)]
pub(super) struct Adjusted {
    pub(super) inner: Arc<dyn ServerCertVerifier>,
    pub(super) names: Verification,
    pub(super) pins: Option<Pins>,
}

impl ServerCertVerifier for Adjusted {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.inner.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verified {
            // rustls looks at the name when all else is in order.
            Err(error) if self.names == Verification::None && is_about_the_name(&error) => {}
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        if let Some(pins) = &self.pins {
            pins.check(end_entity)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.inner.root_hint_subjects()
    }
}

fn is_about_the_name(error: &Error) -> bool {
    use CertificateError::{NotValidForName, NotValidForNameContext};
    matches!(error, Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }))
}

/// Public keys, one of which must be that of the server's own certificate, as with curl: whoever
/// holds another certificate of the chain can issue more.
pub(super) struct Pins {
    pins: Vec<SpkiSha256>,
    sha256: &'static dyn Hash,
}

impl Pins {
    /// None, if the provider has no SHA-256.
    pub(super) fn new(pins: &[SpkiSha256], provider: &CryptoProvider) -> Option<Self> {
        let mut suites = provider.cipher_suites.iter();
        let sha256 = suites.find_map(|suite| {
            let common = match suite {
                SupportedCipherSuite::Tls12(suite) => &suite.common,
                SupportedCipherSuite::Tls13(suite) => &suite.common,
            };
            let hash = common.hash_provider;
            (hash.algorithm() == HashAlgorithm::SHA256).then_some(hash)
        })?;
        Some(Self { pins: pins.to_vec(), sha256 })
    }

    fn check(&self, end_entity: &CertificateDer<'_>) -> Result<(), Error> {
        let key = ParsedCertificate::try_from(end_entity)?.subject_public_key_info();
        let hash = self.sha256.hash(&key);
        let found = <[u8; 32]>::try_from(hash.as_ref()).map(SpkiSha256::from).ok();
        if found.is_some_and(|found| self.pins.contains(&found)) {
            return Ok(());
        }
        let found = found.map(|found| found.to_string()).unwrap_or_default();
        Err(CertificateError::Other(OtherError(Arc::new(NotPinned(found)))).into())
    }
}

impl fmt::Debug for Pins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pins").field(&self.pins).finish()
    }
}

/// The key that the server has.
#[derive(Debug)]
struct NotPinned(String);

impl fmt::Display for NotPinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the public key {} is not a pinned one", self.0)
    }
}

impl std::error::Error for NotPinned {}

/// The verifier of [`Verification::None`]: the peer proves that it has the key of its certificate,
/// but the certificate may be any.
#[derive(Debug)]
pub(super) struct TrustAnyone {
    pub(super) provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for TrustAnyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
