//! What a handshake came to.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{CommonState, HandshakeKind};

use super::tls_version::Version;

/// What is known of a TLS connection: who the server is, and how it is spoken to.
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

struct Handshake {
    certificates: Vec<CertificateDer<'static>>,
    version: Option<Version>,
    cipher_suite: Option<String>,
    resumed: bool,
}

impl TlsInfo {
    pub(super) fn of(connection: &CommonState) -> Self {
        let suite = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
        let handshake = Handshake {
            certificates: connection.peer_certificates().unwrap_or_default().to_vec(),
            version: connection.protocol_version().and_then(Version::of),
            cipher_suite: suite.map(registered),
            resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
        };
        Self { handshake: Arc::new(handshake) }
    }

    /// The server's own certificate, in DER.
    pub fn peer_certificate(&self) -> Option<&[u8]> {
        self.peer_certificates().next()
    }

    /// The certificates that the server has shown, in DER: its own, then those that lead to a root,
    /// as it sent them. Of a resumed session: those that were shown when it began.
    pub fn peer_certificates(&self) -> impl Iterator<Item = &[u8]> {
        self.handshake.certificates.iter().map(|certificate| certificate.as_ref())
    }

    /// The version of TLS.
    pub fn version(&self) -> Option<Version> {
        self.handshake.version
    }

    /// The cipher suite by its name in IANA's registry, such as `TLS_AES_128_GCM_SHA256`.
    pub fn cipher_suite(&self) -> Option<&str> {
        self.handshake.cipher_suite.as_deref()
    }

    /// Whether the connection took up the session of an earlier one, without certificates.
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
            .finish()
    }
}
