//! Machines beside the protocol, each behind a feature except lines: downloads that finish ([`download`]), bodies
//! as lines and as events ([`streams`]), what a request is as a command of curl ([`curl`]), and calls as HAR files,
//! written and replayed ([`har`]).
//!
//! Each is a function or a value, without a socket, a clock or a thread; its methods for users stand in
//! `client/`.

#[cfg(feature = "export")]
pub(crate) mod curl;
#[cfg(feature = "download")]
pub(crate) mod download;
#[cfg(feature = "har")]
pub(crate) mod har;
#[cfg(not(feature = "har"))]
pub(crate) use crate::off::har;
#[cfg(any(feature = "export", feature = "log"))]
pub(crate) mod redact;
#[cfg(feature = "export")]
pub(crate) mod sent;
pub(crate) mod streams;
