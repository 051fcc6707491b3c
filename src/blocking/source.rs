//! The sources of a request body's bytes.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

use crate::body::{self, Unrewindable};

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
