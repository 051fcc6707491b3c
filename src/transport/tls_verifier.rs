//! Custom certificate verifiers, for settings that rustls' own verifier does not support: names that
//! may differ, certificates that are trusted themselves, pinned public keys, no verification.
//!
//! ```text
//! Adjusted ─▶ rustls' verifier, that of the platform, or TrustAnyone ─▶ names ─▶ Pins
//! Rooted   ─▶ rustls' path validation, for roots that may be the server's own certificate
//! ```
//!
//! Pins and unverified certificates need the public key of any certificate, also of those that
//! rustls does not parse: the part of DER (X.690) for it is at the end of this file.
//!
//! # Which verifier a configuration gets
//!
//! `config/tls/mod.rs` chooses; most programs get rustls' own verifier and nothing of this file
//! runs.
//!
//! | setting | verifier |
//! | --- | --- |
//! | none, or only roots that are authorities | rustls' own |
//! | `add_root_certificate` with a certificate that may be the server's own | `Rooted` |
//! | `tls_platform_verifier` | the platform's, wrapped in `Adjusted` if needed |
//! | pins, or any name accepted | `Adjusted` around one of the above |
//! | certificates not verified | `TrustAnyone`, wrapped in `Adjusted` for pins |
//!
//! # Why names can be skipped safely
//!
//! `Adjusted` ignores an error about the name after the inner verifier has run. That is sound only
//! because rustls checks the name last: an error about it means that path, validity and usage have
//! passed. Any other error stands (`tests/tls.rs`, `invalid_certificates_need_danger`).
//!
//! # Why the proof of possession stays
//!
//! Even [`TrustAnyone`] verifies the signature of the handshake. It accepts any certificate, but
//! the peer must have its key: otherwise a certificate copied from another server would be accepted
//! along with a pin on it (`danger_still_requires_proof_of_the_key` and
//! `pinned_keys_are_required` in `tests/tls.rs`). Keys that no cryptography provider can verify are accepted
//! only where no pin relies on them (`tests/odd_certificates.rs`, `danger_accept_invalid_certs_accepts_unusual_certificates` and
//! `a_pinned_key_must_be_of_a_supported_algorithm`).
//!
//! # What a pin is compared with
//!
//! The pin is the SHA-256 of the `SubjectPublicKeyInfo` of the server's own certificate, as in
//! curl, not of a certificate further up the chain: the owner of any other certificate under the
//! same authority could present that chain (`a_pin_of_the_authority_does_not_match`). rustls'
//! parser refuses certificates that a pin can still identify, so `public_key_info_of_any` walks the
//! DER itself:
//!
//! ```text
//! Certificate  ::= SEQUENCE {
//!   tbsCertificate SEQUENCE {
//!     [0] version OPTIONAL, serialNumber INTEGER, signature SEQUENCE,
//!     issuer SEQUENCE, validity SEQUENCE, subject SEQUENCE,
//!     subjectPublicKeyInfo SEQUENCE { algorithm SEQUENCE, subjectPublicKey BIT STRING },
//!     ... }
//!   ... }
//! ```
//!
//! The walk checks each length against the bytes that are there, so arbitrary bytes give `None`,
//! never a panic (`arbitrary_bytes_never_panic`, `a_truncated_certificate_is_refused`), and it
//! agrees with rustls where rustls parses (`the_key_is_the_same_as_in_rustls`).
//!
//! # The order of the checks
//!
//! ```text
//! Adjusted::verify_server_cert
//!   inner.verify_server_cert     path to a root, validity, revocation, usage, and last the name
//!   or_trusted_itself            a CA certificate that is trusted itself: only the path is excused
//!   accepts_any_name             an error about the name, and no other, is dropped
//!   Pins::check                  also for a certificate that nothing else was checked of
//! verify_tls12_signature, verify_tls13_signature
//!                                the peer has the key: after all of the above, and never skipped
//! ```
//!
//! A pin is checked even if certificates are not verified: a program that pins a key and accepts
//! any certificate trusts the key alone, which is a sound setting.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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

use crate::error;

/// Wraps a verifier: changes its result for names and for certificates that are trusted themselves,
/// and then checks the pins.
#[derive(Debug)]
pub(crate) struct Adjusted {
    pub(crate) inner: Arc<dyn ServerCertVerifier>,
    pub(crate) trusted: Vec<CertificateDer<'static>>,
    pub(crate) accepts_any_name: bool,
    pub(crate) pins: Option<Pins>,
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
            Err(error) if self.accepts_any_name && is_about_the_name(&error) => {}
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
pub(crate) struct Pins {
    pins: Vec<SpkiSha256>,
    sha256: &'static dyn Hash,
}

impl Pins {
    /// Returns `None` if the provider has no SHA-256.
    pub(crate) fn new(pins: &[SpkiSha256], provider: &CryptoProvider) -> Option<Self> {
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
        Err(_) => public_key_info_of_any(certificate).map(<[u8]>::to_vec),
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
pub(crate) struct Rooted {
    pub(crate) roots: RootCertStore,
    pub(crate) trusted: Vec<CertificateDer<'static>>,
    pub(crate) provider: Arc<CryptoProvider>,
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

/// The verifier that accepts any certificate, including malformed ones
/// and those of old versions. The peer proves possession of the certificate's key.
///
/// Cryptography providers do not support every kind of key: ring supports neither RSA with fewer
/// than 2048 bits nor P-521. Since any peer could use a certificate of its own, accepting such a
/// key without proof loses nothing; with pinned keys it would, so there it is refused.
#[derive(Debug)]
pub(crate) struct TrustAnyone {
    pub(crate) provider: Arc<CryptoProvider>,
    /// True if there are pins, which require proof of possession of the key.
    pub(crate) has_pins: bool,
}

impl TrustAnyone {
    fn verify(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let info = public_key_info(certificate);
        let key = info.as_deref().and_then(PublicKey::of);
        let algorithms = &self.provider.signature_verification_algorithms;
        let is_usable = |key: &PublicKey<'_>| {
            let mut all = algorithms.all.iter();
            let is_known = all.any(|known| known.public_key_alg_id().as_ref() == key.algorithm);
            is_known && !key.is_rsa_of_unusual_size()
        };
        // A kind of key that the provider does not know, or an RSA key of a size it refuses: there
        // is nothing to verify with, and only pins make that an error.
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

/// The SHA-256 of a public key in the form of a certificate's `SubjectPublicKeyInfo` (RFC 5280
/// §4.1).
///
/// Its text format is that of `curl --pinnedpubkey`: `sha256//` and 44 characters of base64. The
/// prefix is optional.
///
/// ```
/// use leanhttp::tls::SpkiSha256;
///
/// let pin: SpkiSha256 = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".parse()?;
/// assert_eq!(pin, SpkiSha256::from([0; 32]));
/// # Ok::<(), leanhttp::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpkiSha256([u8; 32]);

impl From<[u8; 32]> for SpkiSha256 {
    fn from(hash: [u8; 32]) -> Self {
        Self(hash)
    }
}

/// # Errors
///
/// Returns an error if the text is not base64 of 32 bytes.
impl FromStr for SpkiSha256 {
    type Err = error::Error;

    fn from_str(text: &str) -> error::Result<Self> {
        let base64 = text.strip_prefix("sha256//").unwrap_or(text);
        let hash = STANDARD.decode(base64).ok().and_then(|hash| hash.try_into().ok());
        hash.map(Self)
            .ok_or_else(|| error::Error::builder("a pinned key is sha256// and base64 of 32 bytes"))
    }
}

impl fmt::Display for SpkiSha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256//{}", STANDARD.encode(self.0))
    }
}

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;
/// `[0]`, constructed: the version of a certificate.
const VERSION: u8 = 0xa0;

/// `rsaEncryption` (RFC 8017), without parameters.
const RSA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// Returns the complete `SubjectPublicKeyInfo` of a certificate (RFC 5280 §4.1).
fn public_key_info_of_any(certificate: &[u8]) -> Option<&[u8]> {
    let certificate = Element::of(certificate, SEQUENCE)?;
    let mut fields = Element::of(certificate.contents, SEQUENCE)?.contents;
    if let Some(version) = Element::of(fields, VERSION) {
        fields = version.rest;
    }
    // Serial number, signature algorithm, issuer, validity, subject.
    for tag in [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE] {
        fields = Element::of(fields, tag)?.rest;
    }
    Some(Element::of(fields, SEQUENCE)?.whole)
}

/// A public key in the form that rustls' algorithms take.
struct PublicKey<'a> {
    /// The contents of its `AlgorithmIdentifier`.
    algorithm: &'a [u8],
    bits: &'a [u8],
}

impl<'a> PublicKey<'a> {
    /// Parses a `SubjectPublicKeyInfo`.
    fn of(info: &'a [u8]) -> Option<Self> {
        let info = Element::of(info, SEQUENCE)?;
        let algorithm = Element::of(info.contents, SEQUENCE)?;
        let key = Element::of(algorithm.rest, BIT_STRING)?;
        let bits = key.contents.strip_prefix(&[0])?; // whole bytes
        Some(Self { algorithm: algorithm.contents, bits })
    }

    /// Returns whether it is an RSA key of a size that rustls' providers do not support: they
    /// support 2048 to 8192 bits.
    fn is_rsa_of_unusual_size(&self) -> bool {
        let modulus = || {
            let key = Element::of(self.bits, SEQUENCE)?;
            let modulus = Element::of(key.contents, INTEGER)?.contents;
            Some(modulus.strip_prefix(&[0]).unwrap_or(modulus))
        };
        self.algorithm.starts_with(RSA)
            && !modulus().is_some_and(|modulus| (256..=1024).contains(&modulus.len()))
    }
}

/// A value with its tag and length, and what follows it.
struct Element<'a> {
    whole: &'a [u8],
    contents: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Element<'a> {
    /// Parses the element with the given tag that `bytes` begin with.
    fn of(bytes: &'a [u8], tag: u8) -> Option<Self> {
        let after_tag = bytes.strip_prefix(&[tag])?;
        let (first, after) = after_tag.split_first()?;
        let (length, after) = match usize::from(*first) {
            short @ 0..=0x7f => (short, after),
            // Certificates in TLS are smaller than 16 MiB.
            long @ 0x81..=0x83 => {
                let (length, after) = after.split_at_checked(long - 0x80)?;
                let add = |sum: usize, byte: &u8| sum << 8 | usize::from(*byte);
                (length.iter().fold(0, add), after)
            }
            _ => return None,
        };
        let (contents, rest) = after.split_at_checked(length)?;
        let (whole, _) = bytes.split_at_checked(bytes.len() - rest.len())?;
        Some(Self { whole, contents, rest })
    }
}

#[cfg(test)]
mod tests;
