//! What the fronts differ in: where body bytes come from, and what world the driver acts in.

use std::time::Duration;
use std::{fmt, io};

use crate::driver::system::System;

/// A way of driving the client: `blocking` or `tokio`.
///
/// Sealed: it only names the types that [`Client`](crate::client::Client),
/// [`Request`](crate::client::request::Request) and [`Body`](crate::body::Body) are generic over.
pub trait Front: sealed::Sealed + fmt::Debug + Sized + Send + Sync + 'static {
    /// Where the bytes of a streamed request body come from.
    type Source: Send + 'static;
    /// Sockets, a clock, and a way to wait.
    type System: System;

    /// How long the first byte of a response is waited for unless the caller sets a limit.
    const FIRST_BYTE: Option<Duration> = Some(Duration::from_secs(30));

    /// Reads a source once; 0 is its end.
    fn read(
        source: &mut Self::Source,
        into: &mut [u8],
    ) -> impl Future<Output = io::Result<usize>> + Send;

    /// Whether the source can be read again from where its first read began.
    ///
    /// # Errors
    ///
    /// Why it cannot.
    fn may_rewind(_: &Self::Source) -> Result<(), Unrewindable> {
        Err(Unrewindable::Stream)
    }

    /// The next read goes back to where the first one began; that it cannot, is an error of that read.
    fn rewind(_: &mut Self::Source) {}
}

/// Why what was read cannot be read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unrewindable {
    /// It only goes forward.
    Stream,
    /// It does not say where it stands, for that reason.
    Unseekable(io::ErrorKind),
}

impl fmt::Display for Unrewindable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream => f.write_str("the body is a reader and cannot be sent again"),
            Self::Unseekable(reason) => {
                write!(f, "the body cannot be sent again: its reader cannot seek ({reason})")
            }
        }
    }
}

pub(crate) mod sealed {
    pub trait Sealed {}
}
