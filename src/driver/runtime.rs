//! The runtimes that drive a client. [`Runtime`] names the types that differ between them: the source of
//! body bytes, and the system with its sockets and clock.

use std::fmt;
use std::io;
use std::time::Duration;

use super::system::System;
use crate::body::{Body, Feed, Source};
use crate::error::{Error, Result};

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

/// The size of the pieces in which a body is read into memory.
const PIECE: usize = 16 * 1024;

/// Reads the next bytes of a request's body; 0 means the end. A dropped future loses no bytes.
pub(crate) async fn read_body<F: Runtime>(
    body: &mut Body<F::Source>,
    into: &mut [u8],
) -> io::Result<usize> {
    loop {
        let copied = body.take_bytes(into);
        if copied > 0 {
            return Ok(copied);
        }
        let Feed::Read { source, into, .. } = body.feed(into) else { return Ok(0) };
        let count = F::read(source, into).await?;
        body.fed(count).map_err(io::Error::other)?;
        if count > 0 {
            return Ok(body.take_filled());
        }
    }
}

/// Reads all of a request's body into memory, where it stays.
pub(crate) async fn buffer<F: Runtime>(body: &mut Body<F::Source>) -> Result<&[u8]> {
    if body.as_bytes().is_none() {
        body.rewind().map_err(|reason| Error::builder(reason.to_string()))?;
        let (mut bytes, mut piece) = (Vec::new(), vec![0; PIECE]);
        loop {
            let count = read_body::<F>(body, &mut piece).await.map_err(Error::of_body)?;
            if count == 0 {
                break;
            }
            bytes.extend_from_slice(piece.split_at(count).0);
        }
        body.set_bytes(bytes.into());
    }
    Ok(body.as_bytes().unwrap_or_default())
}
