//! The trait of streamed body sources.

use std::fmt;
use std::io;

/// The source of a streamed request body. The runtime reads it.
pub trait Source: Send + 'static {
    /// Returns whether the source can be read again from the position of its first read; not by default.
    ///
    /// # Errors
    ///
    /// The reason why it cannot.
    fn may_rewind(&self) -> Result<(), Unrewindable> {
        Err(Unrewindable::Stream)
    }

    /// Makes the next read start at the position of the first one. If the source cannot seek there, that
    /// read fails.
    fn rewind(&mut self) {}
}

/// The reason why a body cannot be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unrewindable {
    /// The source cannot seek.
    Stream,
    /// The source failed to report its position, for this reason.
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
