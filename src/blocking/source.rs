//! What the bytes of a request's body come from.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

use crate::body::{self, Unrewindable};

/// A reader of the caller's.
pub struct Source(Reader);

enum Reader {
    Once(Box<dyn Read + Send>),
    Seekable(Box<dyn ReadSeek + Send>, Start),
}

trait ReadSeek: Read + Seek {}

impl<R: Read + Seek> ReadSeek for R {}

/// Where the first read of a reader began.
enum Start {
    /// There was none yet.
    Unread,
    At(u64),
    /// The next read is to begin there again.
    BackTo(u64),
    Unknown(io::ErrorKind),
}

impl Source {
    pub(crate) fn new<R: Read + Send + 'static>(reader: R) -> Self {
        Self(Reader::Once(Box::new(reader)))
    }

    /// Of a reader that is read again where it has to be.
    pub(crate) fn rewindable<R: Read + Seek + Send + 'static>(reader: R) -> Self {
        Self(Reader::Seekable(Box::new(reader), Start::Unread))
    }

    /// Reads once; 0 is the end.
    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Reader::Once(reader) => read(reader, into),
            Reader::Seekable(reader, start) => {
                start.seek(reader)?;
                read(reader, into)
            }
        }
    }
}

impl body::Source for Source {
    fn may_rewind(&self) -> Result<(), Unrewindable> {
        match &self.0 {
            Reader::Once(_) => Err(Unrewindable::Stream),
            Reader::Seekable(_, Start::Unknown(reason)) => Err(Unrewindable::Unseekable(*reason)),
            Reader::Seekable(..) => Ok(()),
        }
    }

    fn rewind(&mut self) {
        if let Reader::Seekable(_, start) = &mut self.0 {
            if let Start::At(position) = *start {
                *start = Start::BackTo(position);
            }
        }
    }
}

impl Start {
    /// Goes back if that is asked for; notes where the first read begins.
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

/// It said where it stood, and does not go there.
fn not_sent_again(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("its reader cannot seek to be sent again: {error}"))
}

fn read(reader: &mut dyn Read, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Anyone can implement `Read`; what was never written must not be sent.
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
