//! Compressed blocks of zstd (RFC 8878 §3.1.1.3): literals, and sequences that place them and repeat what
//! was decoded before.
//!
//! ```text
//!   block = literals section               sequences section
//!           header [tree] streams          count modes [tables] bits
//!              │                              │
//!              ▼                              ▼
//!           literals ──── taken by ────▶ (literals, match length, offset) ... ─▶ window
//! ```
//!
//! Tables last until another one replaces them, and no longer than the frame.

use super::entropy::{Bits, Fse, Huffman};
use super::{MALFORMED, Result, Window, number};

/// The state that a compressed block passes to the next one of its frame.
#[derive(Debug, Default)]
pub(super) struct Tables {
    huffman: Option<Huffman>,
    literal_lengths: Option<Fse>,
    offsets: Option<Fse>,
    match_lengths: Option<Fse>,
    recent: RecentOffsets,
    /// Memory for the literals of a block.
    literals: Vec<u8>,
}

impl Tables {
    /// Begins a frame.
    pub(super) fn reset(&mut self) {
        (self.huffman, self.recent) = (None, RecentOffsets::default());
        (self.literal_lengths, self.offsets, self.match_lengths) = (None, None, None);
    }

    /// Decodes a block to the end of the window.
    pub(super) fn decode(&mut self, block: &[u8], window: &mut Window) -> Result<()> {
        let mut literals = std::mem::take(&mut self.literals);
        literals.clear();
        let outcome = match self.read_literals(block, &mut literals, window.max_block()) {
            Ok(sequences) => self.read_sequences(sequences, &literals, window),
            Err(detail) => Err(detail),
        };
        self.literals = literals;
        outcome
    }

    /// Reads the literals section (RFC 8878 §3.1.1.3.1). Returns what follows it.
    fn read_literals<'b>(
        &mut self,
        block: &'b [u8],
        literals: &mut Vec<u8>,
        max_size: usize,
    ) -> Result<&'b [u8]> {
        let first = *block.first().ok_or(MALFORMED)?;
        let (kind, format) = (first & 3, first >> 2 & 3);
        if kind < 2 {
            let (length, shift) = match format {
                1 => (2, 4),
                3 => (3, 4),
                _ => (1, 3),
            };
            let (header, rest) = block.split_at_checked(length).ok_or(MALFORMED)?;
            let size = number(header) as usize >> shift;
            if size > max_size {
                return Err(MALFORMED);
            }
            let is_raw = kind == 0;
            let (data, rest) =
                rest.split_at_checked(if is_raw { size } else { 1 }).ok_or(MALFORMED)?;
            if is_raw {
                literals.extend_from_slice(data);
            } else {
                literals.resize(size, number(data) as u8);
            }
            return Ok(rest);
        }
        let (length, size_bits) = match format {
            0 | 1 => (3, 10),
            2 => (4, 14),
            _ => (5, 18),
        };
        let (header, rest) = block.split_at_checked(length).ok_or(MALFORMED)?;
        let (sizes, mask) = (number(header) >> 4, (1 << size_bits) - 1);
        let (size, coded) = ((sizes & mask) as usize, (sizes >> size_bits & mask) as usize);
        let (mut coded, rest) = rest.split_at_checked(coded).ok_or(MALFORMED)?;
        if size > max_size {
            return Err(MALFORMED);
        }
        if kind == 2 {
            let (table, length) = Huffman::read(coded)?;
            coded = coded.split_at_checked(length).ok_or(MALFORMED)?.1;
            self.huffman = Some(table);
        }
        let table = self.huffman.as_ref().ok_or(MALFORMED)?;
        literals.resize(size, 0);
        if format == 0 {
            table.decode(coded, literals)?;
        } else {
            decode_four_streams(table, coded, literals)?;
        }
        Ok(rest)
    }

    /// Reads the sequences section (RFC 8878 §3.1.1.3.2), and executes the sequences.
    fn read_sequences(
        &mut self,
        section: &[u8],
        literals: &[u8],
        window: &mut Window,
    ) -> Result<()> {
        let (count, rest) = match section {
            [0, rest @ ..] => (0, rest),
            [255, low, high, rest @ ..] => {
                (usize::from(*low) + (usize::from(*high) << 8) + 0x7f00, rest)
            }
            [high @ 128..=254, low, rest @ ..] => {
                (((usize::from(*high) - 128) << 8) + usize::from(*low), rest)
            }
            [count @ 1..=127, rest @ ..] => (usize::from(*count), rest),
            _ => return Err(MALFORMED),
        };
        if count == 0 {
            window.bytes.extend_from_slice(literals);
            return if rest.is_empty() { Ok(()) } else { Err(MALFORMED) };
        }
        let (modes, mut rest) = rest.split_first().ok_or(MALFORMED)?;
        if modes & 3 != 0 {
            return Err(MALFORMED); // reserved
        }
        LITERAL_LENGTHS.read(modes >> 6, &mut self.literal_lengths, &mut rest)?;
        OFFSETS.read(modes >> 4 & 3, &mut self.offsets, &mut rest)?;
        MATCH_LENGTHS.read(modes >> 2 & 3, &mut self.match_lengths, &mut rest)?;
        self.execute(count, rest, literals, window)
    }

    /// Decodes `count` sequences and executes each (RFC 8878 §3.1.1.4).
    fn execute(
        &mut self,
        count: usize,
        sequences: &[u8],
        mut literals: &[u8],
        window: &mut Window,
    ) -> Result<()> {
        let (Some(lengths), Some(offsets), Some(matches)) =
            (&self.literal_lengths, &self.offsets, &self.match_lengths)
        else {
            return Err(MALFORMED);
        };
        let mut bits = Bits::new(sequences)?;
        let mut length = lengths.start(&mut bits);
        let mut offset = offsets.start(&mut bits);
        let mut matched = matches.start(&mut bits);
        let mut room = window.max_block();
        for left in (0..count).rev() {
            bits.load();
            let offset_bits = u32::from(offset.symbol());
            let offset_value = (1 << offset_bits) + bits.read(offset_bits) as usize;
            let match_length = coded_number(MATCH_LENGTH_CODES, matched.symbol(), &mut bits)?;
            bits.load();
            let literal_length = coded_number(LITERAL_LENGTH_CODES, length.symbol(), &mut bits)?;
            if left > 0 {
                length.advance(&mut bits);
                matched.advance(&mut bits);
                offset.advance(&mut bits);
            }
            room = room.checked_sub(literal_length + match_length).ok_or(MALFORMED)?;
            let (own, others) = literals.split_at_checked(literal_length).ok_or(MALFORMED)?;
            window.bytes.extend_from_slice(own);
            literals = others;
            window.copy(self.recent.resolve(offset_value, literal_length == 0)?, match_length)?;
        }
        if !bits.is_at_end() || literals.len() > room {
            return Err(MALFORMED);
        }
        window.bytes.extend_from_slice(literals);
        Ok(())
    }
}

/// Decodes literals in four streams, after a table with the sizes of the first three.
fn decode_four_streams(table: &Huffman, coded: &[u8], literals: &mut [u8]) -> Result<()> {
    let (sizes, mut coded) = coded.split_at_checked(6).ok_or(MALFORMED)?;
    let quarter = literals.len().div_ceil(4);
    let mut literals = literals;
    for size in sizes.chunks(2) {
        let (stream, rest) = coded.split_at_checked(number(size) as usize).ok_or(MALFORMED)?;
        let (own, others) = literals.split_at_mut_checked(quarter).ok_or(MALFORMED)?;
        table.decode(stream, own)?;
        (coded, literals) = (rest, others);
    }
    table.decode(coded, literals)
}

/// The last three offsets, which have short codes (RFC 8878 §3.1.1.5).
#[derive(Debug)]
struct RecentOffsets([usize; 3]);

impl Default for RecentOffsets {
    fn default() -> Self {
        Self([1, 4, 8])
    }
}

impl RecentOffsets {
    /// Returns the offset that `value` is the code of. Without literals before the match, the codes mean
    /// other offsets than with them.
    #[inline]
    fn resolve(&mut self, value: usize, is_without_literals: bool) -> Result<usize> {
        let [first, second, third] = self.0;
        let shifted = if is_without_literals { value + 1 } else { value };
        let offset = match (value, shifted) {
            (1..=3, 1) => return Ok(first),
            (1..=3, 2) => {
                self.0 = [second, first, third];
                return Ok(second);
            }
            (1..=3, 3) => third,
            (1..=3, _) => first - 1,
            _ => value.saturating_sub(3),
        };
        if offset == 0 {
            return Err(MALFORMED);
        }
        self.0 = [offset, first, second];
        Ok(offset)
    }
}

/// One of the three codes of sequences.
struct SequenceCode {
    max_log: usize,
    max_symbol: u8,
    default_log: u32,
    default_shares: &'static [i16],
}

impl SequenceCode {
    /// Makes `table` the one that the mode says (RFC 8878 §3.1.1.3.2.1), which may be the first part of
    /// `rest`.
    fn read(&self, mode: u8, table: &mut Option<Fse>, rest: &mut &[u8]) -> Result<()> {
        match mode {
            0 => *table = Some(Fse::new(self.default_log, self.default_shares)?),
            1 => {
                let (symbol, others) = rest.split_first().ok_or(MALFORMED)?;
                if *symbol > self.max_symbol {
                    return Err(MALFORMED);
                }
                (*table, *rest) = (Some(Fse::of_one(*symbol)), others);
            }
            2 => {
                let (own, length) = Fse::read(rest, self.max_log, self.max_symbol)?;
                *rest = rest.split_at_checked(length).ok_or(MALFORMED)?.1;
                *table = Some(own);
            }
            _ if table.is_none() => return Err(MALFORMED),
            _ => {} // the table of the block before
        }
        Ok(())
    }
}

/// Reads a length: a code stands for a number, to which bits are added (RFC 8878 §3.1.1.3.2.1.1).
#[inline]
fn coded_number(codes: &[(u32, u8)], code: u8, bits: &mut Bits<'_>) -> Result<usize> {
    let (base, more) = *codes.get(usize::from(code)).ok_or(MALFORMED)?;
    Ok(base as usize + bits.read(u32::from(more)) as usize)
}

const LITERAL_LENGTHS: SequenceCode = SequenceCode {
    max_log: 9,
    max_symbol: 35,
    default_log: 6,
    default_shares: &[
        4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1,
        1, 1, -1, -1, -1, -1,
    ],
};

/// The code is the number of bits of the offset.
const OFFSETS: SequenceCode = SequenceCode {
    max_log: 8,
    max_symbol: 31,
    default_log: 5,
    default_shares: &[
        1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1,
    ],
};

const MATCH_LENGTHS: SequenceCode = SequenceCode {
    max_log: 9,
    max_symbol: 52,
    default_log: 6,
    default_shares: &[
        1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
    ],
};

/// For each code its smallest length, and the number of bits to add.
const LITERAL_LENGTH_CODES: &[(u32, u8)] = &[
    (0, 0),
    (1, 0),
    (2, 0),
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 0),
    (12, 0),
    (13, 0),
    (14, 0),
    (15, 0),
    (16, 1),
    (18, 1),
    (20, 1),
    (22, 1),
    (24, 2),
    (28, 2),
    (32, 3),
    (40, 3),
    (48, 4),
    (64, 6),
    (128, 7),
    (256, 8),
    (512, 9),
    (1024, 10),
    (2048, 11),
    (4096, 12),
    (8192, 13),
    (16_384, 14),
    (32_768, 15),
    (65_536, 16),
];

const MATCH_LENGTH_CODES: &[(u32, u8)] = &[
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 0),
    (12, 0),
    (13, 0),
    (14, 0),
    (15, 0),
    (16, 0),
    (17, 0),
    (18, 0),
    (19, 0),
    (20, 0),
    (21, 0),
    (22, 0),
    (23, 0),
    (24, 0),
    (25, 0),
    (26, 0),
    (27, 0),
    (28, 0),
    (29, 0),
    (30, 0),
    (31, 0),
    (32, 0),
    (33, 0),
    (34, 0),
    (35, 1),
    (37, 1),
    (39, 1),
    (41, 1),
    (43, 2),
    (47, 2),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 5),
    (131, 7),
    (259, 8),
    (515, 9),
    (1027, 10),
    (2051, 11),
    (4099, 12),
    (8195, 13),
    (16_387, 14),
    (32_771, 15),
    (65_539, 16),
];
