//! The byte machines of one connection, stacked: the talk with a proxy and TLS under HTTP/1.1.

pub(crate) mod connect;
pub(crate) mod layers;
pub(crate) mod session;
pub(crate) mod socks;
#[cfg_attr(feature = "tls", path = "tls.rs")]
#[cfg_attr(not(feature = "tls"), path = "no_tls.rs")]
pub(crate) mod tls;
#[cfg(feature = "tls")]
pub(crate) mod tls_info;
pub(crate) mod tunnel;
#[cfg(feature = "tls")]
mod unbuffered;
