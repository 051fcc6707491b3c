//! Machines beside the protocol, each behind a feature except lines: downloads that finish ([`download`]), bodies
//! as lines and as events ([`streams`]), and what a request is as a command of curl ([`curl`]).
//!
//! Each is a function or a value, without a socket, a clock or a thread; its methods for users stand in
//! `client/`.

#[cfg(feature = "export")]
pub(crate) mod curl;
#[cfg(feature = "download")]
pub(crate) mod download;
pub(crate) mod streams;
