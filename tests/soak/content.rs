//! Bodies that both sides know: ranges of one pseudo-random table.

use std::io::{self, Read, Write};
use std::sync::OnceLock;

use super::dice::Dice;

/// A prime, so that no buffer size divides it: a piece that is lost, doubled or out of order is
/// noticed.
const PERIOD: usize = 65_521;

fn table() -> &'static [u8] {
    static TABLE: OnceLock<Vec<u8>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut dice = Dice::new(1, 1);
        let period: Vec<u8> = (0..PERIOD).map(|_| dice.next() as u8).collect();
        period.repeat(2)
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    pub start: usize,
    pub length: usize,
}

impl Content {
    pub fn any(dice: &mut Dice, most: u64) -> Content {
        Content { start: dice.below(PERIOD as u64) as usize, length: dice.size(most) as usize }
    }

    pub fn reader(self) -> Source {
        Source { content: self, at: 0 }
    }

    pub fn checker(self) -> Checker {
        Checker { content: self, at: 0 }
    }

    pub fn bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.length);
        self.reader().read_to_end(&mut bytes).unwrap();
        bytes
    }

    /// At most `most` bytes from `at` on.
    fn piece(self, at: usize, most: usize) -> &'static [u8] {
        let start = (self.start + at) % PERIOD;
        let count = most.min(self.length - at).min(PERIOD);
        &table()[start..start + count]
    }
}

pub struct Source {
    content: Content,
    at: usize,
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let piece = self.content.piece(self.at, into.len());
        into[..piece.len()].copy_from_slice(piece);
        self.at += piece.len();
        Ok(piece.len())
    }
}

/// Consumes the bytes of a body as long as they are correct.
pub struct Checker {
    content: Content,
    at: usize,
}

impl Checker {
    pub fn finish(self) -> io::Result<()> {
        if self.at == self.content.length {
            return Ok(());
        }
        Err(io::Error::other(format!("{} bytes of {:?}", self.at, self.content)))
    }
}

impl Write for Checker {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = self.content.piece(self.at, bytes.len());
        if bytes.is_empty() {
            return Ok(0);
        }
        if piece.is_empty() || piece != &bytes[..piece.len()] {
            let wrong = format!("wrong bytes from {} on of {:?}", self.at, self.content);
            return Err(io::Error::other(wrong));
        }
        self.at += piece.len();
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
