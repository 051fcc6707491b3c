//! Where the bytes of a streamed body come from.

use std::{fmt, io};

/// The source of a streamed request body. Reading it is up to the runtime.
pub trait Source: Send + 'static {
    /// Returns whether the source can be read again from where its first read began; by default it cannot.
    ///
    /// # Errors
    ///
    /// The reason why it cannot.
    fn may_rewind(&self) -> Result<(), Unrewindable> {
        Err(Unrewindable::Stream)
    }

    /// Makes the next read begin where the first one began. A source that cannot go there fails that
    /// read.
    fn rewind(&mut self) {}
}

/// The reason why a body cannot be sent again.
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
