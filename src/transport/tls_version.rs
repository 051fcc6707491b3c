//! Versions of TLS, and which of them to offer.
//!
//! rustls implements 1.2 and 1.3. The older ones are constants all the same: a program that sets
//! `min_tls_version` to 1.0, as it would with other clients, means "no lower bound", and gets one.
//! A range that contains neither 1.2 nor 1.3 offers nothing, which building the client reports as
//! an error (`tests/tls.rs`, `mistakes_are_told_when_the_client_is_built`).
//!
//! [`within`] lists 1.3 first. The server chooses among what is offered, so a version that must not
//! be used is not offered.

use rustls::version::{TLS12, TLS13};
use rustls::{ProtocolVersion, SupportedProtocolVersion};

/// A version of TLS.
///
/// Versions 1.2 and 1.3 are supported; the older ones (RFC 8996) exist only to be named as a minimum.
///
/// ```
/// use leanhttp::tls::Version;
/// assert!(Version::TLS_1_2 < Version::TLS_1_3);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(Number);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Number {
    Tls10,
    Tls11,
    Tls12,
    Tls13,
}

impl Version {
    /// TLS 1.0 (RFC 2246), which is not supported.
    pub const TLS_1_0: Self = Self(Number::Tls10);
    /// TLS 1.1 (RFC 4346), which is not supported.
    pub const TLS_1_1: Self = Self(Number::Tls11);
    /// TLS 1.2 (RFC 5246).
    pub const TLS_1_2: Self = Self(Number::Tls12);
    /// TLS 1.3 (RFC 8446).
    pub const TLS_1_3: Self = Self(Number::Tls13);

    pub(crate) fn of(version: ProtocolVersion) -> Option<Self> {
        match version {
            ProtocolVersion::TLSv1_2 => Some(Self::TLS_1_2),
            ProtocolVersion::TLSv1_3 => Some(Self::TLS_1_3),
            _ => None,
        }
    }
}

/// Returns the versions to offer, within these bounds.
pub(crate) fn within(
    min: Option<Version>,
    max: Option<Version>,
) -> Vec<&'static SupportedProtocolVersion> {
    [(Version::TLS_1_3, &TLS13), (Version::TLS_1_2, &TLS12)]
        .into_iter()
        .filter(|(version, _)| min.is_none_or(|min| min <= *version))
        .filter(|(version, _)| max.is_none_or(|max| *version <= max))
        .map(|(_, supported)| supported)
        .collect()
}
