//! Implements the traits of other crates for the async client: streams, bodies and services.

mod pieces;
#[cfg(feature = "tower")]
mod service;
#[cfg(feature = "stream")]
mod stream;

#[cfg(feature = "tower")]
pub use service::ResponseFuture;
#[cfg(feature = "stream")]
pub use stream::BytesStream;
