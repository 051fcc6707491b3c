//! An HTTP/1.1 client over raw sockets.
#![forbid(unsafe_code)]

mod coding;
#[cfg(feature = "cookies")]
pub mod cookie;
pub mod form;
#[cfg(feature = "cookies")]
mod jar;
mod percent;
mod proto;
pub mod url;
