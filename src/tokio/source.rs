//! The sources of a request body's bytes.

use std::fmt;
use std::io::{self, SeekFrom};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use ::tokio::io::{AsyncRead, AsyncSeek, ReadBuf};

use crate::body::{self, Unrewindable};

/// A reader that the caller supplied.
///
/// The mutex is never contended: reading needs exclusive access. It makes a request `Sync` even if its
/// reader is not, so that a task may hold a `&Request` across an await.
pub struct Source(Mutex<SourceReader>);

enum SourceReader {
    Once(Pin<Box<dyn AsyncRead + Send>>),
    Seekable(Pin<Box<dyn AsyncReadSeek + Send>>, Start, Seek),
    /// A separate variant, because a file can be asked for its length.
    #[cfg(feature = "stream")]
    File(Box<::tokio::fs::File>, Start, Seek),
}

trait AsyncReadSeek: AsyncRead + AsyncSeek {}

impl<R: AsyncRead + AsyncSeek> AsyncReadSeek for R {}

/// The position of a reader's first read.
#[derive(Clone, Copy)]
enum Start {
    /// Nothing was read yet.
    Unread,
    At(u64),
    /// The next read begins there again.
    BackTo(u64),
    Unknown(io::ErrorKind),
}

/// The state of a seek.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seek {
    Idle,
    Started,
}

impl Source {
    pub(crate) fn new<R: AsyncRead + Send + 'static>(reader: R) -> Self {
        Self(Mutex::new(SourceReader::Once(Box::pin(reader))))
    }

    /// Creates the source of a reader that can be read again.
    pub(crate) fn rewindable<R: AsyncRead + AsyncSeek + Send + 'static>(reader: R) -> Self {
        Self(Mutex::new(SourceReader::Seekable(Box::pin(reader), Start::Unread, Seek::Idle)))
    }

    #[cfg(feature = "stream")]
    pub(super) fn of_file(file: ::tokio::fs::File) -> Self {
        Self(Mutex::new(SourceReader::File(Box::new(file), Start::Unread, Seek::Idle)))
    }

    #[cfg(feature = "stream")]
    pub(super) fn file(&mut self) -> Option<&mut ::tokio::fs::File> {
        match self.0.get_mut().unwrap_or_else(PoisonError::into_inner) {
            SourceReader::File(file, ..) => Some(file),
            SourceReader::Once(_) | SourceReader::Seekable(..) => None,
        }
    }

    /// Reads once; 0 means the end.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match self.0.get_mut().unwrap_or_else(PoisonError::into_inner) {
            SourceReader::Once(reader) => poll_read(reader.as_mut(), cx, into),
            SourceReader::Seekable(reader, start, seek) => {
                ready!(poll_start(reader.as_mut(), start, seek, cx))?;
                poll_read(reader.as_mut(), cx, into)
            }
            #[cfg(feature = "stream")]
            SourceReader::File(file, start, seek) => {
                let mut file = Pin::new(&mut **file);
                ready!(poll_start(file.as_mut(), start, seek, cx))?;
                poll_read(file, cx, into)
            }
        }
    }
}

impl body::Source for Source {
    fn may_rewind(&self) -> Result<(), Unrewindable> {
        // The mutex is never contended, so this fails only if a panic poisoned it.
        let Ok(reader) = self.0.try_lock() else { return Err(Unrewindable::Stream) };
        let start = match &*reader {
            SourceReader::Once(_) => return Err(Unrewindable::Stream),
            SourceReader::Seekable(_, start, _) => start,
            #[cfg(feature = "stream")]
            SourceReader::File(_, start, _) => start,
        };
        match start {
            Start::Unknown(reason) => Err(Unrewindable::Unseekable(*reason)),
            _ => Ok(()),
        }
    }

    fn rewind(&mut self) {
        let reader = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        let start = match reader {
            SourceReader::Once(_) => return,
            SourceReader::Seekable(_, start, _) => start,
            #[cfg(feature = "stream")]
            SourceReader::File(_, start, _) => start,
        };
        if let Start::At(position) = *start {
            *start = Start::BackTo(position);
        }
    }
}

/// Records the position of the first read, or seeks back to it after a rewind.
fn poll_start(
    reader: Pin<&mut (dyn AsyncReadSeek + Send)>,
    start: &mut Start,
    seek: &mut Seek,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    match *start {
        Start::At(_) | Start::Unknown(_) => {}
        Start::Unread => {
            let position = ready!(poll_seek(reader, SeekFrom::Current(0), seek, cx));
            *start = position.map_or_else(|error| Start::Unknown(error.kind()), Start::At);
        }
        Start::BackTo(position) => {
            let back = ready!(poll_seek(reader, SeekFrom::Start(position), seek, cx));
            back.map_err(not_sent_again)?;
            *start = Start::At(position);
        }
    }
    Poll::Ready(Ok(()))
}

/// Returns the error for a reader that reported its position but cannot seek to it.
fn not_sent_again(error: io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("the reader cannot seek back to send the body again: {error}"),
    )
}

/// Seeks. A pending read or seek is completed first, as [`AsyncSeek::start_seek`] requires.
fn poll_seek(
    mut reader: Pin<&mut (dyn AsyncReadSeek + Send)>,
    to: SeekFrom,
    seek: &mut Seek,
    cx: &mut Context<'_>,
) -> Poll<io::Result<u64>> {
    if *seek == Seek::Idle {
        ready!(reader.as_mut().poll_complete(cx))?;
        reader.as_mut().start_seek(to)?;
        *seek = Seek::Started;
    }
    let position = ready!(reader.as_mut().poll_complete(cx));
    *seek = Seek::Idle;
    Poll::Ready(position)
}

fn poll_read<R: AsyncRead + ?Sized>(
    reader: Pin<&mut R>,
    cx: &mut Context<'_>,
    into: &mut [u8],
) -> Poll<io::Result<usize>> {
    let mut buffer = ReadBuf::new(into);
    let read = reader.poll_read(cx, &mut buffer);
    ready!(uninterrupted(read, cx))?;
    Poll::Ready(Ok(buffer.filled().len()))
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").finish_non_exhaustive()
    }
}

/// Retries an interrupted operation, as the standard library does, but lets other tasks run first,
/// because it may be interrupted without end.
pub(super) fn uninterrupted<T>(
    result: Poll<io::Result<T>>,
    cx: &Context<'_>,
) -> Poll<io::Result<T>> {
    match result {
        Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
        result => result,
    }
}
