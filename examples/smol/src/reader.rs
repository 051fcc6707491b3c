//! Readers of futures-io as the bodies of requests.

use std::fmt;
use std::io::{self, SeekFrom};
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, ready};

use futures_io::{AsyncRead, AsyncSeek};
use leanhttp::runtime::{Source, Unrewindable};

use super::Body;

/// A reader as the body of a request.
///
/// The mutex is never locked: it makes a request `Sync`, although its reader may not be.
pub struct Reader(Mutex<Kind>);

enum Kind {
    Once(Pin<Box<dyn AsyncRead + Send>>),
    Seekable(Pin<Box<dyn AsyncReadSeek + Send>>, Start),
}

/// The position of the first read.
enum Start {
    Unread,
    At(u64),
    /// The next read is there again.
    BackTo(u64),
    /// The reader cannot seek.
    Unknown(io::ErrorKind),
}

trait AsyncReadSeek: AsyncRead + AsyncSeek {}

impl<R: AsyncRead + AsyncSeek> AsyncReadSeek for R {}

impl Reader {
    /// Returns a body that is read when it is sent: of this length, or in chunks if it is not known.
    pub fn body(reader: impl AsyncRead + Send + 'static, length: Option<u64>) -> Body {
        Body::streamed(Self(Mutex::new(Kind::Once(Box::pin(reader)))), length)
    }

    /// Returns such a body of a reader that can seek. It can be sent again from its current position: for a redirect, a
    /// stale connection or a retry.
    pub fn rewindable(
        reader: impl AsyncRead + AsyncSeek + Send + 'static,
        length: Option<u64>,
    ) -> Body {
        Body::streamed(Self(Mutex::new(Kind::Seekable(Box::pin(reader), Start::Unread))), length)
    }

    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let Ok(kind) = self.0.get_mut() else {
            return Poll::Ready(Err(io::Error::other("the reader has panicked")));
        };
        match kind {
            Kind::Once(reader) => reader.as_mut().poll_read(cx, into),
            Kind::Seekable(reader, start) => {
                match *start {
                    Start::At(_) | Start::Unknown(_) => {}
                    Start::Unread => {
                        let position = ready!(reader.as_mut().poll_seek(cx, SeekFrom::Current(0)));
                        *start =
                            position.map_or_else(|error| Start::Unknown(error.kind()), Start::At);
                    }
                    Start::BackTo(position) => {
                        let back = ready!(reader.as_mut().poll_seek(cx, SeekFrom::Start(position)));
                        back.map_err(|error| {
                            io::Error::new(error.kind(), format!("it cannot seek: {error}"))
                        })?;
                        *start = Start::At(position);
                    }
                }
                reader.as_mut().poll_read(cx, into)
            }
        }
    }
}

impl Source for Reader {
    fn may_rewind(&self) -> Result<(), Unrewindable> {
        match self.0.try_lock().as_deref() {
            Ok(Kind::Seekable(_, Start::Unknown(reason))) => Err(Unrewindable::Unseekable(*reason)),
            Ok(Kind::Seekable(..)) => Ok(()),
            _ => Err(Unrewindable::Stream),
        }
    }

    fn rewind(&mut self) {
        if let Ok(Kind::Seekable(_, start)) = self.0.get_mut() {
            if let Start::At(position) = *start {
                *start = Start::BackTo(position);
            }
        }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}
