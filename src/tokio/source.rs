//! What the bytes of a request's body come from.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use ::tokio::io::{AsyncRead, ReadBuf};

/// A reader of the caller's.
///
/// The lock is never taken: only who has the source for himself reads it. It makes a request `Sync`
/// whose reader is not, so that a task may hold a `&Request` while it waits for something.
pub struct Source(Mutex<Pin<Box<dyn AsyncRead + Send>>>);

impl Source {
    pub(crate) fn new<R: AsyncRead + Send + 'static>(reader: R) -> Self {
        Self(Mutex::new(Box::pin(reader)))
    }

    /// Reads once; 0 is the end.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let reader = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = ReadBuf::new(into);
        ready!(reader.as_mut().poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").finish_non_exhaustive()
    }
}
