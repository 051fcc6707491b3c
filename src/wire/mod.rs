//! The byte machines of one connection, stacked: TLS under HTTP/1.1.

pub(crate) mod session;
#[cfg_attr(feature = "tls", path = "tls.rs")]
#[cfg_attr(not(feature = "tls"), path = "no_tls.rs")]
pub(crate) mod tls;
