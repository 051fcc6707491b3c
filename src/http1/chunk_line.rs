//! Parses chunk lines: the size of a chunk and its extensions (RFC 9112 §7.1).

use super::error::ProtocolError;
use crate::base::text::{digit, push_digit};

/// Parses the size line of a chunk byte by byte (RFC 9112 §7.1, §7.1.1). One value is used for all
/// chunks of a body.
///
/// ```text
/// chunk-size *( SP / HTAB ) [ ";" *( any byte but CR and LF ) ] CRLF
/// chunk-size = 1*HEXDIG
/// ```
///
/// The grammar of the RFC is stricter. Two deviations are accepted, because they cannot make recipients
/// disagree about the size: blanks after the size, which old servers pad it with, and any bytes in an
/// extension, because a recipient ignores unknown extensions (§7.1.1). Everything on which recipients
/// disagree, and which has been used for smuggling, is an error: a bare LF or CR, blanks before or
/// between digits, a sign, `0x`.
#[derive(Debug)]
pub(super) struct ChunkLine {
    state: ChunkLineState,
    /// The value of the digits so far.
    size: u64,
    /// The bytes of all lines so far, except significant digits and CRLF; includes blanks.
    extension_bytes: usize,
    /// The maximum of `extension_bytes`.
    limit: usize,
}

impl ChunkLine {
    pub(super) fn new(limit: usize) -> Self {
        Self { state: ChunkLineState::Start, size: 0, extension_bytes: 0, limit }
    }

    /// Parses up to the end of the line. Returns the number of bytes consumed, and the size once the
    /// line is complete.
    pub(super) fn read(&mut self, input: &[u8]) -> Result<(usize, Option<u64>), ProtocolError> {
        for (at, byte) in input.iter().enumerate() {
            if let Some(size) = self.push(*byte)? {
                return Ok((at + 1, Some(size)));
            }
        }
        Ok((input.len(), None))
    }

    /// Parses one byte; returns the size when it ends the line.
    fn push(&mut self, byte: u8) -> Result<Option<u64>, ProtocolError> {
        self.state = self.state.next(byte).ok_or_else(|| self.state.error(byte))?;
        match self.state {
            ChunkLineState::Size => self.push_digit(byte)?,
            ChunkLineState::Cr => {}
            ChunkLineState::Start => return Ok(Some(std::mem::take(&mut self.size))),
            _ => self.count_extension_byte()?,
        }
        Ok(None)
    }

    fn push_digit(&mut self, byte: u8) -> Result<(), ProtocolError> {
        let digit = digit(byte, 16).unwrap_or_default();
        self.size = push_digit(self.size, digit, 16).ok_or(ProtocolError::ChunkTooLarge)?;
        // Leading zeros are valid in any number, so they count like extensions.
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

/// The position in the line, named after the element that was just read.
#[derive(Debug, Clone, Copy)]
enum ChunkLineState {
    Start,
    Size,
    /// Blanks after the size.
    Blank,
    Extension,
    Cr,
}

impl ChunkLineState {
    fn next(self, byte: u8) -> Option<Self> {
        use ChunkLineState::*;
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

    /// Returns the error for a `byte` that is invalid at this position.
    fn error(self, byte: u8) -> ProtocolError {
        match self {
            Self::Start | Self::Size | Self::Blank => ProtocolError::InvalidChunkSize(byte),
            Self::Cr => ProtocolError::InvalidChunkLineEnd(byte),
            Self::Extension => ProtocolError::InvalidChunkExtension(byte),
        }
    }
}
