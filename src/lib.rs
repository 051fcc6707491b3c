//! An HTTP/1.1 client over raw sockets.
#![forbid(unsafe_code)]

pub mod url;
pub mod form;
#[cfg(feature = "cookies")]
pub mod cookie;
mod coding;
mod proto;
mod wire;
pub mod front;
pub mod body;
