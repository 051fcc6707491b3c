use super::error::ProtocolError;
use super::fields::is_tchar;
use super::number::{digit, push_digit};

/// The size line of a chunk, byte by byte (RFC 9112 §7.1, §7.1.1). One value serves all chunks of
/// a body.
///
/// ```text
/// chunk-size *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] ) CRLF
/// chunk-size = 1*HEXDIG    chunk-ext-name = token    chunk-ext-val = token / quoted-string
/// ```
///
/// Nothing that the grammar does not allow is let pass: every tolerance here (a bare LF, a space
/// before the size) has been a way to smuggle a message past someone who read it otherwise.
#[derive(Debug)]
pub(super) struct ChunkLine {
    state: State,
    /// Of the digits so far.
    size: u64,
    /// What all lines so far have cost beyond significant digits and CRLF.
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
    /// Whitespace that only a `;` may follow.
    SpaceBeforeSemicolon,
    Semicolon,
    Name,
    /// Whitespace that only a `=` or a `;` may follow.
    SpaceAfterName,
    Equals,
    Value,
    Quoted,
    Backslash,
    QuotedEnd,
    Cr,
}

impl State {
    fn next(self, byte: u8) -> Option<Self> {
        use State::*;
        Some(match (self, byte) {
            (Start | Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => Size,

            (Size | SpaceBeforeSemicolon, b';') => Semicolon,
            (Name | SpaceAfterName | Value | QuotedEnd, b';') => Semicolon,
            (Semicolon, b' ' | b'\t') => Semicolon,

            (Semicolon | Name, _) if is_tchar(byte) => Name,
            (Name | SpaceAfterName, b'=') => Equals,
            (Equals, b' ' | b'\t') => Equals,

            (Equals | Value, _) if is_tchar(byte) => Value,
            (Equals, b'"') => Quoted,
            (Quoted, b'"') => QuotedEnd,
            (Quoted, b'\\') => Backslash,
            (Quoted | Backslash, b'\t' | b' '..=b'~' | 0x80..) => Quoted,

            (Name | SpaceAfterName, b' ' | b'\t') => SpaceAfterName,
            (Size | SpaceBeforeSemicolon | Value | QuotedEnd, b' ' | b'\t') => SpaceBeforeSemicolon,

            (Size | Name | Value | QuotedEnd, b'\r') => Cr,
            (Cr, b'\n') => Start,
            _ => return None,
        })
    }

    /// What is wrong when `byte` cannot come next.
    fn error(self, byte: u8) -> ProtocolError {
        match self {
            Self::Start | Self::Size => ProtocolError::InvalidChunkSize(byte),
            Self::Cr => ProtocolError::InvalidChunkLineEnd(byte),
            _ => ProtocolError::InvalidChunkExtension(byte),
        }
    }
}
