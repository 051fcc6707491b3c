//! Custom certificate verifiers.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::hash::{Hash, HashAlgorithm};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore,
    SignatureScheme, SupportedCipherSuite,
};

use super::der;
use super::pin::SpkiSha256;
use crate::config::tls::verification::Verification;

/// Wraps a verifier: changes its result for names and for certificates that are trusted themselves,
/// and then checks the pins.
#[derive(Debug)]
pub(super) struct Adjusted {
    pub(super) inner: Arc<dyn ServerCertVerifier>,
    pub(super) trusted: Vec<CertificateDer<'static>>,
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
        let verified = or_trusted_itself(verified, &self.trusted, end_entity, server_name);
        match verified {
            // rustls checks the name last, after all other checks have passed.
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

/// Public keys, one of which must be that of the server's own certificate, as in curl: the owner of
/// another certificate of the chain could issue more certificates.
pub(super) struct Pins {
    pins: Vec<SpkiSha256>,
    sha256: &'static dyn Hash,
}

impl Pins {
    /// Returns `None` if the provider has no SHA-256.
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
        let key = public_key_info(end_entity).ok_or(CertificateError::BadEncoding)?;
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

/// The server's key, which is not pinned.
#[derive(Debug)]
struct NotPinned(String);

impl fmt::Display for NotPinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the public key {} is not a pinned one", self.0)
    }
}

impl std::error::Error for NotPinned {}

/// Returns the `SubjectPublicKeyInfo` of a certificate, including certificates that rustls does not
/// support. Pins and signatures use the same one.
fn public_key_info(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    match ParsedCertificate::try_from(certificate) {
        Ok(parsed) => Some(parsed.subject_public_key_info().to_vec()),
        Err(_) => der::public_key_info(certificate).map(<[u8]>::to_vec),
    }
}

/// Accepts a CA certificate as a server's own if exactly this certificate is trusted. Usually a CA
/// certificate must not be used by a server (RFC 5280 §4.2.1.9), but `openssl req -x509` marks
/// self-signed certificates as CA, and trusting one explicitly means this use. Only the path
/// validation is skipped: rustls checks the validity period before this error, the name is checked
/// here, and the signature proves possession of the key.
fn or_trusted_itself(
    verified: Result<ServerCertVerified, Error>,
    trusted: &[CertificateDer<'static>],
    end_entity: &CertificateDer<'_>,
    server_name: &ServerName<'_>,
) -> Result<ServerCertVerified, Error> {
    match verified {
        Err(error) if is_authority(&error) && trusted.contains(end_entity) => {
            let parsed = ParsedCertificate::try_from(end_entity)?;
            verify_server_name(&parsed, server_name)?;
            Ok(ServerCertVerified::assertion())
        }
        verified => verified,
    }
}

/// rustls has no variant of its own for this error.
fn is_authority(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(OtherError(error))) = error else {
        return false;
    };
    error.to_string() == CA_USED_AS_END_ENTITY
}

pub(crate) const CA_USED_AS_END_ENTITY: &str = "CaUsedAsEndEntity";

/// rustls' default verifier, for roots one of which may be the server's own certificate.
#[derive(Debug)]
pub(super) struct Rooted {
    pub(super) roots: RootCertStore,
    pub(super) trusted: Vec<CertificateDer<'static>>,
    pub(super) provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Rooted {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        let (roots, chain) = (&self.roots, intermediates);
        verify_server_cert_signed_by_trust_anchor(&parsed, roots, chain, now, algorithms)
            .and_then(|()| verify_server_name(&parsed, server_name))
            .map(|()| ServerCertVerified::assertion())
            .or_else(|error| or_trusted_itself(Err(error), &self.trusted, end_entity, server_name))
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

/// The verifier of [`Verification::None`]: any certificate is accepted, including malformed ones
/// and those of old versions. The peer proves possession of the certificate's key.
///
/// Cryptography providers do not support every kind of key: ring supports neither RSA with fewer
/// than 2048 bits nor P-521. Since any peer could use a certificate of its own, accepting such a
/// key without proof loses nothing; with pinned keys it would, so there it is refused.
#[derive(Debug)]
pub(super) struct TrustAnyone {
    pub(super) provider: Arc<CryptoProvider>,
    /// True if there are pins, which require proof of possession of the key.
    pub(super) has_pins: bool,
}

impl TrustAnyone {
    fn verify(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let info = public_key_info(certificate);
        let key = info.as_deref().and_then(der::PublicKey::of);
        let algorithms = &self.provider.signature_verification_algorithms;
        let is_usable = |key: &der::PublicKey<'_>| {
            let mut all = algorithms.all.iter();
            let is_known = all.any(|known| known.public_key_alg_id().as_ref() == key.algorithm);
            is_known && !key.is_rsa_of_unusual_size()
        };
        let Some(key) = key.filter(is_usable) else {
            return if self.has_pins { Err(unverifiable()) } else { Ok(accepted()) };
        };
        let of_scheme = algorithms.mapping.iter().find(|(scheme, _)| *scheme == signature.scheme);
        let suitable = of_scheme.map_or(&[] as &[_], |(_, suitable)| *suitable);
        let verifies = suitable.iter().any(|algorithm| {
            algorithm.public_key_alg_id().as_ref() == key.algorithm
                && algorithm.verify_signature(key.bits, message, signature.signature()).is_ok()
        });
        if verifies { Ok(accepted()) } else { Err(CertificateError::BadSignature.into()) }
    }
}

/// Schemes of keys that rustls' providers do not support, or not all of them: P-521, Ed448, and RSA
/// keys restricted to PSS (RFC 8446 §4.2.3, `rsa_pss_pss_*`).
const FURTHER_SCHEMES: [SignatureScheme; 5] = [
    SignatureScheme::ECDSA_NISTP521_SHA512,
    SignatureScheme::ED448,
    SignatureScheme::Unknown(0x0809),
    SignatureScheme::Unknown(0x080a),
    SignatureScheme::Unknown(0x080b),
];

fn accepted() -> HandshakeSignatureValid {
    HandshakeSignatureValid::assertion()
}

fn unverifiable() -> Error {
    CertificateError::Other(OtherError(Arc::new(Unverifiable))).into()
}

/// A pinned key whose possession cannot be verified.
#[derive(Debug)]
struct Unverifiable;

impl fmt::Display for Unverifiable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the cryptography provider verifies no signature of this kind of key, and there are \
             pinned keys",
        )
    }
}

impl std::error::Error for Unverifiable {}

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
        self.verify(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        // A server whose key is of such a kind supports no other scheme, and would refuse the
        // handshake.
        let mut schemes = self.provider.signature_verification_algorithms.supported_schemes();
        for scheme in FURTHER_SCHEMES {
            if !schemes.contains(&scheme) && !self.has_pins {
                schemes.push(scheme);
            }
        }
        schemes
    }
}
