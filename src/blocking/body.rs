//! Request bodies from readers and files, and the [`Source`] that the driver reads them from.
//!
//! A source that can seek remembers the position of its first read, so that the body can be sent again:
//! [`Start`] seeks back there before the first read after a rewind. Nothing is read before the driver asks.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::{Blocking, Body};
use crate::body::{self, SourceLength, Unrewindable};
use crate::driver::runtime::buffer;
use crate::driver::runtime::run;
use crate::error::Result;

impl Body {
    /// Creates a body of unknown length, which is sent in chunks as the reader returns them. It can
    /// be sent once; see [`rewindable`](Self::rewindable).
    ///
    /// While the reader blocks, the client does not notice what the server sends: see [the
    /// guide](crate#requests-and-responses-at-the-same-time).
    pub fn new<R: Read + Send + 'static>(reader: R) -> Self {
        Self::from_source(Source::new(reader), SourceLength::Unknown)
    }

    /// Creates a body of the reader's next `len` bytes. The reader is not read beyond them, so that
    /// a part of a file can be sent.
    ///
    /// If the reader ends earlier, the call fails ([`Kind::Body`](crate::error::Kind::Body)), and
    /// the connection is closed before the server can take the request as complete.
    ///
    /// ```
    /// use std::io::Cursor;
    ///
    /// use leanhttp::blocking::Body;
    ///
    /// let body = Body::sized(Cursor::new("only the first nine bytes"), 9);
    /// let request = leanhttp::Client::new().put("http://example.org/").body(body).build()?;
    /// assert!(request.body().is_some());
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn sized<R: Read + Send + 'static>(reader: R, len: u64) -> Self {
        Self::from_source(Source::new(reader), SourceLength::Exactly(len))
    }

    /// Creates a body as [`new`](Self::new) does, from a reader that can seek. If the request has
    /// to be sent again, for a 307 or 308, a stale connection, a Digest challenge or a retry, the
    /// body is read again from its first position. If seeking fails, the body can be sent once, and
    /// the error of a call that needed it again says so.
    ///
    /// ```no_run
    /// use std::io::Cursor;
    /// use leanhttp::blocking::{Body, Client};
    ///
    /// let body = Body::rewindable(Cursor::new("the content"));
    /// Client::new().put("https://example.org/a").body(body).send()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn rewindable<R: Read + Seek + Send + 'static>(reader: R) -> Self {
        Self::from_source(Source::rewindable(reader), SourceLength::Unknown)
    }

    /// Creates a body as [`sized`](Self::sized) does, from a reader that can seek, beginning at its
    /// current position; see [`rewindable`](Self::rewindable). A `File` converts by [`From`], with
    /// its length.
    ///
    /// ```no_run
    /// use std::io::Cursor;
    /// use leanhttp::blocking::{Body, Client};
    ///
    /// let content = "the content";
    /// let body = Body::rewindable_sized(Cursor::new(content), content.len() as u64);
    /// Client::new().put("https://example.org/a").body(body).send()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn rewindable_sized<R: Read + Seek + Send + 'static>(reader: R, len: u64) -> Self {
        Self::from_source(Source::rewindable(reader), SourceLength::Exactly(len))
    }
}

impl Body {
    /// Reads the whole body into memory, where it stays, and returns it. A body that was made from bytes
    /// is returned as it is.
    ///
    /// # Errors
    ///
    /// If a reader fails, or does not have the announced length.
    ///
    /// ```
    /// use leanhttp::blocking::Body;
    ///
    /// let mut body = Body::new(&b"streamed"[..]);
    /// assert_eq!(body.buffer()?, b"streamed");
    /// assert_eq!(body.as_bytes(), Some(&b"streamed"[..]));
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn buffer(&mut self) -> Result<&[u8]> {
        run(|| buffer::<Blocking>(self))
    }
}

/// Sends the rest of the file, with its current length: if it shrinks while it is sent, that is an
/// error; data appended later is not sent. A file without a length, such as a pipe, is sent in
/// chunks. Files in Linux' `/proc` report a length of 0, which is an error: send them with
/// [`Body::new`]. A request that is sent again reads the file [again](Body::rewindable).
impl From<File> for Body {
    fn from(file: File) -> Self {
        let length = rest_of(&file);
        Self::from_source(Source::rewindable(file), length)
    }
}

/// Returns the number of bytes from the file's position to its end, if it has a length.
fn rest_of(mut file: &File) -> SourceLength {
    let length = file.metadata().ok().filter(|metadata| metadata.is_file()).map(|m| m.len());
    match (length, file.stream_position()) {
        (Some(length), Ok(position)) => SourceLength::of_file(length.saturating_sub(position)),
        _ => SourceLength::Unknown,
    }
}

/// A reader that the caller supplied.
pub struct Source(SourceReader);

enum SourceReader {
    Once(Box<dyn Read + Send>),
    Seekable(Box<dyn ReadSeek + Send>, Start),
}

trait ReadSeek: Read + Seek {}

impl<R: Read + Seek> ReadSeek for R {}

/// The position of a reader's first read.
enum Start {
    /// Nothing was read yet.
    Unread,
    At(u64),
    /// The next read begins there again.
    BackTo(u64),
    Unknown(io::ErrorKind),
}

impl Source {
    pub(crate) fn new<R: Read + Send + 'static>(reader: R) -> Self {
        Self(SourceReader::Once(Box::new(reader)))
    }

    /// Creates the source of a reader that can be read again.
    pub(crate) fn rewindable<R: Read + Seek + Send + 'static>(reader: R) -> Self {
        Self(SourceReader::Seekable(Box::new(reader), Start::Unread))
    }

    /// Reads once; 0 means the end.
    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            SourceReader::Once(reader) => read(reader, into),
            SourceReader::Seekable(reader, start) => {
                start.seek(reader)?;
                read(reader, into)
            }
        }
    }
}

impl body::Source for Source {
    fn may_rewind(&self) -> Result<(), Unrewindable> {
        match &self.0 {
            SourceReader::Once(_) => Err(Unrewindable::Stream),
            SourceReader::Seekable(_, Start::Unknown(reason)) => {
                Err(Unrewindable::Unseekable(*reason))
            }
            SourceReader::Seekable(..) => Ok(()),
        }
    }

    fn rewind(&mut self) {
        if let SourceReader::Seekable(_, start) = &mut self.0 {
            if let Start::At(position) = *start {
                *start = Start::BackTo(position);
            }
        }
    }
}

impl Start {
    /// Records the position of the first read, or seeks back to it after a rewind.
    fn seek(&mut self, reader: &mut dyn ReadSeek) -> io::Result<()> {
        match *self {
            Self::At(_) | Self::Unknown(_) => {}
            Self::Unread => *self = reader.stream_position().map_or_else(Self::unknown, Self::At),
            Self::BackTo(position) => {
                reader.seek(SeekFrom::Start(position)).map_err(not_sent_again)?;
                *self = Self::At(position);
            }
        }
        Ok(())
    }

    fn unknown(error: io::Error) -> Self {
        Self::Unknown(error.kind())
    }
}

/// Returns the error for a reader that reported its position but cannot seek to it.
fn not_sent_again(error: io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("the reader cannot seek back to send the body again: {error}"),
    )
}

fn read(reader: &mut dyn Read, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // `Read` is safe to implement wrongly; bytes that were never written must not be sent.
            Ok(count) if count > into.len() => {
                return Err(io::Error::other("a reader claimed more bytes than it had room for"));
            }
            read => return read,
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").finish_non_exhaustive()
    }
}
