//! Settings that need a custom verifier.

use std::fmt;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;

use super::certificate::CertificateRevocationList;
use super::pin::SpkiSha256;
use super::settings::{Peer, TlsSettings};
use super::verifier::{Adjusted, Pins, TrustAnyone};
use crate::transport::tls::TlsError;

/// The settings that rustls' default verifier does not support.
#[derive(Clone)]
pub(super) struct Judgement {
    /// Creates a verifier that replaces that of rustls.
    pub(super) judge: Option<MakeVerifier>,
    pub(super) revoked: Vec<CertificateRevocationList>,
    pub(super) pins: Vec<SpkiSha256>,
    pub(super) certificates: Verification,
    pub(super) names: Verification,
    /// Creates the verifier for these settings. Only this function pointer refers to the code, so
    /// that programs without such settings do not link it: revocation lists need much of it.
    make: fn(&Self, &TlsSettings, &Arc<CryptoProvider>, Peer) -> Verifier,
}

type Verifier = Result<Arc<dyn ServerCertVerifier>, TlsError>;

/// Creates a verifier that also trusts these certificates.
pub(super) type MakeVerifier = fn(
    Arc<CryptoProvider>,
    Vec<CertificateDer<'static>>,
) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error>;

/// The extent of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verification {
    Full,
    /// No verification: any peer is accepted.
    None,
}

impl Judgement {
    /// Returns the settings with full verification.
    pub(super) fn new() -> Self {
        Self {
            judge: None,
            revoked: Vec::new(),
            pins: Vec::new(),
            certificates: Verification::Full,
            names: Verification::Full,
            make: Self::make,
        }
    }

    pub(super) fn verifier(
        &self,
        settings: &TlsSettings,
        provider: &Arc<CryptoProvider>,
        peer: Peer,
    ) -> Verifier {
        (self.make)(self, settings, provider, peer)
    }

    fn make(&self, settings: &TlsSettings, provider: &Arc<CryptoProvider>, peer: Peer) -> Verifier {
        let pins = match (peer, self.pins.as_slice()) {
            // Pins are for origins: they add nothing for a proxy, which sees no more than any host
            // on the path.
            (Peer::Proxy, _) | (_, []) => None,
            (Peer::Origin | Peer::ForeignOrigin, pins) => {
                Some(Pins::new(pins, provider).ok_or(NO_SHA256)?)
            }
        };
        let inner = self.plain(settings, provider, pins.is_some())?;
        let trusted = settings.added_certificates();
        if pins.is_none() && self.names == Verification::Full && trusted.is_empty() {
            return Ok(inner);
        }
        Ok(Arc::new(Adjusted { inner, trusted, names: self.names, pins }))
    }

    /// Returns the verifier without changes to names and pins.
    fn plain(
        &self,
        settings: &TlsSettings,
        provider: &Arc<CryptoProvider>,
        has_pins: bool,
    ) -> Verifier {
        let provider = Arc::clone(provider);
        if self.certificates == Verification::None {
            return Ok(Arc::new(TrustAnyone { provider, has_pins }));
        }
        if let Some(make) = self.judge {
            return match (self.revoked.as_slice(), self.names) {
                ([], Verification::Full) => Ok(make(provider, settings.added_certificates())?),
                ([], Verification::None) => Err(NO_NAMES.into()),
                _ => Err(NO_LISTS.into()),
            };
        }
        let lists = self.revoked.iter().flat_map(|lists| lists.ders.clone());
        WebPkiServerVerifier::builder_with_provider(Arc::new(settings.roots()?), provider)
            .with_crls(lists)
            .build()
            .map(|verifier| verifier as Arc<dyn ServerCertVerifier>)
            .map_err(|error| error.to_string().into())
    }
}

impl fmt::Debug for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judgement")
            .field("certificates", &self.certificates)
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

const NO_SHA256: &str = "the cryptography provider has no SHA-256 for pinned keys";
const NO_LISTS: &str = "the operating system's verifier takes no revocation lists";
const NO_NAMES: &str = "the operating system's verifier always looks at the name";
