//! Shared by the targets: readers of inputs, and naive reference implementations.

pub mod chunked;
#[cfg(feature = "tls")]
#[path = "../../tests/support/constant.rs"]
pub mod constant;
pub mod cookies;
pub mod multipart;
pub mod network;
pub mod nothings;
pub mod request;
pub mod response;
pub mod script;
#[cfg(feature = "tls")]
#[path = "../../tests/support/sealed.rs"]
pub mod sealed;
pub mod shell;
pub mod streams;

use std::io::{self, Read};

/// Sizes chosen by the fuzzer, repeated: of the pieces in which bytes arrive, or of the slices in
/// which they are read.
#[derive(Debug, Clone, Copy)]
pub struct Sizes<'a> {
    controls: &'a [u8],
    next: usize,
}

/// Sizes that outlive the input.
pub type Cycle = std::iter::Cycle<std::vec::IntoIter<usize>>;

impl Sizes<'_> {
    /// The whole input in one piece, or nearly so.
    pub const WHOLE: Sizes<'static> = Sizes { controls: &[], next: 0 };

    /// The sizes, repeated.
    pub fn cycle(self) -> Cycle {
        let period = self.controls.len().max(1);
        self.take(period).collect::<Vec<_>>().into_iter().cycle()
    }
}

/// Reads sizes from the first line of an input. Each byte is one size: `1` to `9` mean themselves,
/// the characters after them go up to 128, and other bytes up to 8 KiB. So seeds can be written by
/// hand.
pub fn sizes(input: &[u8]) -> (Sizes<'_>, &[u8]) {
    let (controls, rest) = match input.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (&[][..], input),
    };
    (Sizes { controls, next: 0 }, rest)
}

impl Iterator for Sizes<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.controls.is_empty() {
            return Some(16 * 1024);
        }
        let control = self.controls[self.next % self.controls.len()];
        self.next += 1;
        Some(match control.wrapping_sub(b'1') {
            few @ ..128 => usize::from(few) + 1,
            many => usize::from(many - 127) * 64,
        })
    }
}

/// A peer that sends its bytes in pieces.
pub struct Pieces<'a> {
    pub rest: &'a [u8],
    pub sizes: Sizes<'a>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes.next().unwrap_or(1).min(into.len());
        self.rest.read(&mut into[..size])
    }
}

/// A source of a body that returns its bytes in pieces.
pub struct Slow {
    bytes: io::Cursor<Vec<u8>>,
    sizes: Cycle,
}

impl Slow {
    pub fn new(bytes: Vec<u8>, sizes: Sizes<'_>) -> Self {
        let sizes: Vec<_> = sizes.take(64).collect();
        Self { bytes: io::Cursor::new(bytes), sizes: sizes.into_iter().cycle() }
    }
}

impl Read for Slow {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes.next().unwrap_or(1).min(into.len());
        self.bytes.read(&mut into[..size])
    }
}

/// The whole output of a decoder.
#[derive(Debug, PartialEq, Eq)]
pub struct Decoded {
    pub bytes: Vec<u8>,
    /// The number of input bytes consumed; none after an error, whose position depends on the
    /// split.
    pub consumed: usize,
    pub error: Option<String>,
}

/// Feeds a decoder in pieces, with the output space of the next size each time, until it makes no
/// more progress.
pub fn decode(
    input: &[u8],
    mut sizes: Sizes<'_>,
    mut step: impl FnMut(&[u8], &mut [u8]) -> Result<(usize, usize), String>,
) -> Decoded {
    let mut decoded = Decoded { bytes: Vec::new(), consumed: 0, error: None };
    let mut come = 0;
    let mut memory = Vec::new();
    let mut size = || sizes.next().unwrap_or(1);
    while come < input.len() {
        come = input.len().min(come + size());
        loop {
            let visible = &input[decoded.consumed..come];
            memory.resize(size(), 0);
            let (consumed, produced) = match step(visible, &mut memory) {
                Ok((0, 0)) => break,
                Ok(progress) => progress,
                Err(error) => return Decoded { error: Some(error), consumed: 0, ..decoded },
            };
            assert!(consumed <= visible.len() && produced <= memory.len());
            decoded.consumed += consumed;
            decoded.bytes.extend_from_slice(&memory[..produced]);
        }
    }
    decoded
}

/// The texts of an input, which are separated by a byte that none of them contains.
pub fn texts(input: &[u8]) -> Vec<String> {
    input.split(|byte| *byte == 0xff).map(|text| String::from_utf8_lossy(text).into()).collect()
}

/// The first position of `word`. It compares byte by byte, because the fuzzer would record compared
/// slices as words worth trying.
pub fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    let is_here = |at: &usize| word.iter().zip(&text[*at..]).all(|(one, other)| one == other);
    (0..(text.len() + 1).saturating_sub(word.len())).find(is_here)
}

/// Repeats the text between NUL bytes until it has about 70 KB.
pub fn stretched(message: &[u8]) -> Vec<u8> {
    let pieces: Vec<_> = message.split(|byte| *byte == 0).collect();
    let length = pieces.iter().skip(1).step_by(2).map(|piece| piece.len()).sum::<usize>();
    let times = 70_000 / length.max(10);
    let stretch = |(at, piece): (usize, &&[u8])| piece.repeat(if at % 2 == 0 { 1 } else { times });
    pieces.iter().enumerate().flat_map(stretch).collect()
}
