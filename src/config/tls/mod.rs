//! TLS settings: trust, client certificates, protocol; and the TLS information of a response.
//!
//! The default trusts the Mozilla root certificates in the crate `webpki-roots`, supports TLS 1.3
//! and 1.2, and verifies names and validity periods.
//! [`ClientBuilder`](crate::client::ClientBuilder) has methods to change this:
//!
//! | setting | |
//! | --- | --- |
//! | `add_root_certificate`, `tls_certs_merge` | more root certificates |
//! | `tls_certs_only` | other root certificates |
//! | `tls_certs_from_env` | those of `SSL_CERT_FILE` and `SSL_CERT_DIR` |
//! | `tls_platform_verifier` | the operating system's verifier (feature `platform-verifier`) |
//! | `add_crl`, `tls_crls_only` | revoked certificates |
//! | `tls_pin_spki_sha256` | public keys, one of which the server must have |
//! | `identity` | the client certificate |
//! | `tls_version_min`, `tls_version_max`, `tls_sni` | the protocol |
//! | `tls_sslkeylogfile`, `tls_info` | diagnostics |
//! | `danger_accept_invalid_certs`, `danger_accept_invalid_hostnames` | no verification |
//! | `use_preconfigured_tls` | a whole configuration of rustls, see [`rustls_0_23`] |
//!
//! ```
//! use leanhttp::Client;
//! use leanhttp::tls::Version;
//!
//! let client = Client::builder().https_only(true).tls_version_min(Version::TLS_1_3).build()?;
//! # Ok::<(), leanhttp::Error>(())
//! ```
//!
//! Sessions are resumed within one client: it keeps the tickets of 32 hosts, and drops those of the
//! oldest host for a new one. A resumed session is not verified again. Therefore clients, whose
//! settings may differ, share no sessions, and a client's settings cannot change.
//!
//! The cryptography provider is the one that the program has installed for the whole process, or
//! else AWS-LC (feature `aws-lc-rs`), or else ring (feature `ring`, a default).

// Reading order: `settings` (from settings to a rustls configuration), `verification` and
// `verifier` (custom verification). The others hold one setting or file format each.
mod certificate;
mod der;
mod environment;
mod identity;
mod pem;
mod pin;
#[cfg(feature = "platform-verifier")]
mod platform;
mod provider;
pub mod rustls_0_23;
mod setters;
mod settings;
mod verification;
mod verifier;

use std::fmt;
use std::sync::Arc;

pub use self::certificate::{Certificate, CertificateRevocationList};
pub use self::identity::Identity;
pub use self::pin::SpkiSha256;
pub(crate) use self::settings::{Extension, TlsSettings};
pub use crate::transport::tls_info::TlsInfo;
pub use crate::transport::tls_version::Version;

/// A whole TLS configuration, for
/// [`use_preconfigured_tls`](crate::client::ClientBuilder::use_preconfigured_tls): made [from one of
/// rustls](rustls_0_23).
#[derive(Clone)]
pub struct Preconfigured(pub(crate) Arc<rustls::ClientConfig>);

/// Shows nothing of the configuration, which may hold keys.
impl fmt::Debug for Preconfigured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Preconfigured").finish_non_exhaustive()
    }
}
