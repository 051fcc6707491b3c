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
pub struct Source(Mutex<Inner>);

enum Inner {
    Reader(Pin<Box<dyn AsyncRead + Send>>),
    /// Known as what it is, because it can be asked how long it is.
    #[cfg(feature = "stream")]
    File(Box<::tokio::fs::File>),
}

impl Source {
    pub(crate) fn new<R: AsyncRead + Send + 'static>(reader: R) -> Self {
        Self(Mutex::new(Inner::Reader(Box::pin(reader))))
    }

    #[cfg(feature = "stream")]
    pub(super) fn of_file(file: ::tokio::fs::File) -> Self {
        Self(Mutex::new(Inner::File(Box::new(file))))
    }

    #[cfg(feature = "stream")]
    pub(super) fn file(&mut self) -> Option<&mut ::tokio::fs::File> {
        match self.0.get_mut().unwrap_or_else(PoisonError::into_inner) {
            Inner::File(file) => Some(file),
            Inner::Reader(_) => None,
        }
    }

    /// Reads once; 0 is the end.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let reader = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = ReadBuf::new(into);
        ready!(match reader {
            Inner::Reader(reader) => reader.as_mut().poll_read(cx, &mut buffer),
            #[cfg(feature = "stream")]
            Inner::File(file) => Pin::new(file).poll_read(cx, &mut buffer),
        })?;
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").finish_non_exhaustive()
    }
}
