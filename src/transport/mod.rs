//! The layers between an exchange and its socket. They are state machines on bytes and perform no I/O:
//!
//! ```text
//!  Exchange      request and response (http1)
//!     │
//!  Tls           to the origin
//!     │
//!  Tunnel        CONNECT or SOCKS through a proxy
//!     │
//!  Tls           to the proxy
//!     │
//!  socket        (driver)
//! ```
//!
//! Read [`pipe`] first: the stack of these layers, through which the driver moves bytes. [`tls`] is one TLS
//! connection over [`unbuffered`], and [`tunnel`] the handshake with a proxy, implemented by [`connect`]
//! and [`socks`].

#[cfg(feature = "tls")]
pub(crate) mod tls_version;

pub(crate) mod connect;
#[cfg(all(test, feature = "ring"))]
#[path = "../../tests/support/constant.rs"]
#[allow(
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    reason = "a test module, which may panic"
)]
pub(crate) mod constant;
pub(crate) mod pipe;
pub(crate) mod socks;
#[cfg(feature = "tls")]
pub(crate) mod tls;
#[cfg(not(feature = "tls"))]
pub(crate) use crate::off::tls;
#[cfg(feature = "tls")]
pub(crate) mod tls_info;
#[cfg(feature = "tls")]
pub(crate) mod tls_verifier;
pub(crate) mod tunnel;
#[cfg(feature = "tls")]
mod unbuffered;
