//! Chunk lines: the size of a chunk and its extensions (RFC 9112 §7.1).

use super::error::ProtocolError;
use crate::base::number::{digit, push_digit};

/// The size line of a chunk, byte by byte (RFC 9112 §7.1, §7.1.1). One value serves all chunks of
/// a body.
///
/// ```text
/// chunk-size *( SP / HTAB ) [ ";" *( any byte but CR and LF ) ] CRLF
/// chunk-size = 1*HEXDIG
/// ```
///
/// That is more than the grammar allows, in two places where every reader comes to the same size: blanks
/// behind the size, which old servers pad it with, and anything in an extension, because a recipient
/// ignores those that it does not know (§7.1.1). What readers disagree about, and messages have been
/// smuggled with, is refused: a bare LF or CR, blanks before or between digits, a sign, `0x`.
#[derive(Debug)]
pub(super) struct ChunkLine {
    state: State,
    /// Of the digits so far.
    size: u64,
    /// What all lines so far have cost beyond significant digits and CRLF,
    /// blanks included.
    extension_bytes: usize,
    /// How large `extension_bytes` may become.
    limit: usize,
}

impl ChunkLine {
    pub(super) fn new(limit: usize) -> Self {
        Self { state: State::Start, size: 0, extension_bytes: 0, limit }
    }

    /// Reads up to the end of the line. Returns how many bytes that took, and the size once the
    /// line is complete.
    pub(super) fn read(&mut self, input: &[u8]) -> Result<(usize, Option<u64>), ProtocolError> {
        for (at, byte) in input.iter().enumerate() {
            if let Some(size) = self.push(*byte)? {
                return Ok((at + 1, Some(size)));
            }
        }
        Ok((input.len(), None))
    }

    /// Takes one byte; returns the size when the line ends with it.
    fn push(&mut self, byte: u8) -> Result<Option<u64>, ProtocolError> {
        self.state = self.state.next(byte).ok_or_else(|| self.state.error(byte))?;
        match self.state {
            State::Size => self.push_digit(byte)?,
            State::Cr => {}
            State::Start => return Ok(Some(std::mem::take(&mut self.size))),
            _ => self.count_extension_byte()?,
        }
        Ok(None)
    }

    fn push_digit(&mut self, byte: u8) -> Result<(), ProtocolError> {
        let digit = digit(byte, 16).unwrap_or_default();
        self.size = push_digit(self.size, digit, 16).ok_or(ProtocolError::ChunkTooLarge)?;
        // Zeros in front are valid without end, so they are counted like extensions.
        if self.size == 0 { self.count_extension_byte() } else { Ok(()) }
    }

    fn count_extension_byte(&mut self) -> Result<(), ProtocolError> {
        self.extension_bytes += 1;
        if self.extension_bytes > self.limit {
            return Err(ProtocolError::ChunkExtensionsTooLarge(self.limit));
        }
        Ok(())
    }
}

/// Where in the line we are: named for what has just been read.
#[derive(Debug, Clone, Copy)]
enum State {
    Start,
    Size,
    /// Blanks behind the size.
    Blank,
    Extension,
    Cr,
}

impl State {
    fn next(self, byte: u8) -> Option<Self> {
        use State::*;
        Some(match (self, byte) {
            (Start | Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => Size,
            (Size | Blank, b' ' | b'\t') => Blank,
            (Size | Blank, b';') => Extension,
            (Size | Blank | Extension, b'\r') => Cr,
            (Extension, byte) if byte != b'\n' => Extension,
            (Cr, b'\n') => Start,
            _ => return None,
        })
    }

    /// What is wrong when `byte` cannot come next.
    fn error(self, byte: u8) -> ProtocolError {
        match self {
            Self::Start | Self::Size | Self::Blank => ProtocolError::InvalidChunkSize(byte),
            Self::Cr => ProtocolError::InvalidChunkLineEnd(byte),
            Self::Extension => ProtocolError::InvalidChunkExtension(byte),
        }
    }
}
