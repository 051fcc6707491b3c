//! Machines beside the protocol, each behind a feature except lines: what a request is as a command of curl
//! ([`curl`]), bodies as lines and as events ([`streams`]).
//!
//! Each is a function or a value, without a socket, a clock or a thread; its methods for users stand in
//! `client/`.

#[cfg(feature = "export")]
pub(crate) mod curl;
pub(crate) mod streams;
