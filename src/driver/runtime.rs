//! What the fronts differ in: where body bytes come from, and what world the driver acts in.

use std::time::Duration;
use std::{fmt, io};

use super::system::System;
use crate::body::Source;

/// A way of driving the client: `blocking` or `tokio`.
///
/// Sealed: it only names the types that [`Client`](crate::client::Client),
/// [`Request`](crate::client::request::Request) and [`Body`](crate::body::Body) are generic over.
pub trait Front: sealed::Sealed + fmt::Debug + Sized + Send + Sync + 'static {
    /// Where the bytes of a streamed request body come from.
    type Source: Source;
    /// Sockets, a clock, and a way to wait.
    type System: System;

    /// How long the first byte of a response is waited for unless the caller sets a limit.
    const FIRST_BYTE: Option<Duration> = Some(Duration::from_secs(30));

    /// Reads a source once; 0 is its end.
    fn read(
        source: &mut Self::Source,
        into: &mut [u8],
    ) -> impl Future<Output = io::Result<usize>> + Send;
}

pub(crate) mod sealed {
    pub trait Sealed {}
}
