//! The public result of a TLS handshake.
//!
//! It is a copy of what rustls knows, made once per connection when the first response asks for it,
//! and shared by all responses of that connection. It holds no rustls type in its interface, so a
//! new version of rustls does not change it: certificates are DER bytes, the version is
//! [`Version`], the cipher suite is its IANA name.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{CommonState, HandshakeKind};

use super::tls_version::Version;

/// Information about a TLS connection: the server's certificates and the negotiated parameters.
///
/// ```no_run
/// let response = leanhttp::get("https://example.org/")?;
/// let tls = response.tls().ok_or("not https")?;
/// println!("{:?} {:?}", tls.version(), tls.cipher_suite());
/// println!("{} bytes of certificate", tls.peer_certificate().unwrap_or_default().len());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct TlsInfo {
    /// Shared by all responses of a connection.
    handshake: Arc<Handshake>,
}

/// The root certificates that a client trusts, by their source; returned by [`TlsInfo::roots`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RootSource {
    /// The file of `SSL_CERT_FILE` and the folders of `SSL_CERT_DIR`.
    Environment,
    /// The operating system, whose verifier decides.
    Platform,
    /// The Mozilla roots in the crate `webpki-roots`.
    Bundled,
    /// The program, which trusts no others.
    Program,
    /// A configuration of rustls that the program made.
    Preconfigured,
    /// None: certificates are not verified.
    Unverified,
}

impl RootSource {
    /// Returns the sentence about the roots in the error of a certificate.
    pub(super) fn note(self) -> Option<&'static str> {
        Some(match self {
            Self::Environment => "the trusted roots are those of SSL_CERT_FILE and SSL_CERT_DIR",
            Self::Platform => "the trusted roots are those of the operating system",
            Self::Bundled => "the trusted roots are the bundled ones of Mozilla",
            Self::Program => "the trusted roots are only those that the program added",
            Self::Preconfigured => "the trusted roots are those of the rustls configuration",
            Self::Unverified => return None,
        })
    }
}

struct Handshake {
    certificates: Vec<CertificateDer<'static>>,
    version: Option<Version>,
    cipher_suite: Option<String>,
    resumed: bool,
    roots: RootSource,
}

impl TlsInfo {
    /// Copies what rustls knows after the handshake. A resumed session has the certificates of the
    /// first one.
    pub(super) fn of(connection: &CommonState, roots: RootSource) -> Self {
        let suite = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
        let handshake = Handshake {
            certificates: connection.peer_certificates().unwrap_or_default().to_vec(),
            version: connection.protocol_version().and_then(Version::of),
            cipher_suite: suite.map(registered),
            resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
            roots,
        };
        Self { handshake: Arc::new(handshake) }
    }

    /// Returns the server's own certificate, in DER.
    pub fn peer_certificate(&self) -> Option<&[u8]> {
        self.peer_certificates().next()
    }

    /// Returns the certificates that the server sent, in DER: its own, then those of the chain to a root,
    /// in the order received. For a resumed session, those of the original handshake.
    pub fn peer_certificates(&self) -> impl Iterator<Item = &[u8]> {
        self.handshake.certificates.iter().map(|certificate| certificate.as_ref())
    }

    /// Returns the version of TLS.
    pub fn version(&self) -> Option<Version> {
        self.handshake.version
    }

    /// Returns the cipher suite by its IANA name, such as `TLS_AES_128_GCM_SHA256`.
    pub fn cipher_suite(&self) -> Option<&str> {
        self.handshake.cipher_suite.as_deref()
    }

    /// Returns where the root certificates are from that the client trusts, beside those that the program added.
    pub fn roots(&self) -> RootSource {
        self.handshake.roots
    }

    /// Returns whether the handshake resumed an earlier session, without certificates.
    pub fn is_resumed(&self) -> bool {
        self.handshake.resumed
    }
}

/// rustls writes `TLS13_` where the registry has `TLS_` (RFC 8446 §B.4).
fn registered(suite: &str) -> String {
    suite.strip_prefix("TLS13_").map_or_else(|| suite.to_owned(), |rest| format!("TLS_{rest}"))
}

impl fmt::Debug for TlsInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsInfo")
            .field("certificates", &self.handshake.certificates.len())
            .field("version", &self.handshake.version)
            .field("cipher_suite", &self.handshake.cipher_suite)
            .field("resumed", &self.handshake.resumed)
            .field("roots", &self.handshake.roots)
            .finish()
    }
}
