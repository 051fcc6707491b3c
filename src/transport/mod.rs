//! The byte machines of one connection, stacked: the talk with a proxy and TLS under HTTP/1.1.

#[cfg(feature = "tls")]
pub(crate) mod tls_version;

pub(crate) mod connect;
#[cfg(all(test, feature = "ring"))]
#[path = "../../tests/support/constant.rs"]
#[allow(
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    reason = "a module of the tests, which may panic"
)]
pub(crate) mod constant;
pub(crate) mod layers;
pub(crate) mod session;
pub(crate) mod socks;
#[cfg_attr(not(feature = "tls"), path = "../off/tls.rs")]
pub(crate) mod tls;
#[cfg(feature = "tls")]
pub(crate) mod tls_info;
pub(crate) mod tunnel;
#[cfg(feature = "tls")]
mod unbuffered;
