//! The runtimes that drive a client. [`Runtime`] names the types that differ between them: the source of
//! body bytes, and the system with its sockets and clock.

use std::fmt;
use std::io;
use std::time::Duration;

use super::system::System;
use crate::body::Source;

/// A runtime that drives the client: `blocking` or `tokio`.
///
/// Sealed: it only names the types that [`Client`](crate::client::Client),
/// [`Request`](crate::client::request::Request) and [`Body`](crate::body::Body) are generic over.
pub trait Runtime: sealed::Sealed + fmt::Debug + Sized + Send + Sync + 'static {
    /// The source of a streamed request body.
    type Source: Source;
    /// The sockets, the clock and the way to wait.
    type System: System;

    /// The default limit for the wait for the first byte of a response.
    const FIRST_BYTE: Option<Duration> = Some(Duration::from_secs(30));

    /// Reads a source once; 0 means the end.
    fn read(
        source: &mut Self::Source,
        into: &mut [u8],
    ) -> impl Future<Output = io::Result<usize>> + Send;
}

pub(crate) mod sealed {
    pub trait Sealed {}
}
