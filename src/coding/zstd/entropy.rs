//! The entropy coding of zstd (RFC 8878 §4): bits, FSE tables and Huffman tables.
//!
//! The distributions of FSE tables are read forward, with [`ForwardBits`]; everything that is coded with
//! tables is read backward, with [`Bits`]: the encoder wrote the last symbol first.
//!
//! A table has a fixed size, and an index into it is masked to that size. So the compiler removes the
//! checks, and no index is out of range, whatever the data says.

use super::{MALFORMED, Result};

/// Reads bits from the end of the data to its start.
#[derive(Debug)]
pub(super) struct Bits<'d> {
    /// The data that was not loaded.
    data: &'d [u8],
    /// The next bits, from the top.
    loaded: u64,
    /// The number of loaded bits; negative after a read past the start, which gave zeros.
    count: i32,
}

impl<'d> Bits<'d> {
    /// Begins below the highest bit that is set, which marks the end of the data.
    #[inline]
    pub(super) fn new(data: &'d [u8]) -> Result<Self> {
        match data.last() {
            None | Some(0) => Err(MALFORMED),
            Some(last) => {
                let mut bits = Self { data, loaded: 0, count: 0 };
                bits.load();
                bits.skip(last.leading_zeros() + 1);
                Ok(bits)
            }
        }
    }

    /// Loads at least 56 bits, or all that are left.
    #[inline]
    pub(super) fn load(&mut self) {
        if let Some((rest, last)) = self.data.split_last_chunk::<8>() {
            self.loaded |= u64::from_le_bytes(*last) >> self.count;
            let bytes = (63 - self.count) >> 3;
            self.count += bytes * 8;
            self.data = match self.data.split_at_checked(rest.len() + 8 - bytes as usize) {
                Some((rest, _)) => rest,
                None => rest,
            };
            return;
        }
        while let (Some((last, rest)), true) = (self.data.split_last(), self.count <= 56) {
            self.loaded |= u64::from(*last) << (56 - self.count);
            self.count += 8;
            self.data = rest;
        }
    }

    /// Returns the next bits, at most 56, without moving on.
    #[inline]
    fn peek(&self, count: u32) -> u64 {
        self.loaded >> 1 >> (63 - count)
    }

    #[inline]
    fn skip(&mut self, count: u32) {
        self.loaded <<= count;
        self.count -= count as i32;
    }

    /// Reads bits that were loaded, or zeros beyond the start of the data.
    #[inline]
    pub(super) fn read(&mut self, count: u32) -> u64 {
        let bits = self.peek(count);
        self.skip(count);
        bits
    }

    /// Returns whether more bits were read than there are.
    #[inline]
    fn is_overdrawn(&self) -> bool {
        self.count < 0
    }

    /// Returns whether exactly all bits were read.
    #[inline]
    pub(super) fn is_at_end(&self) -> bool {
        self.count == 0 && self.data.is_empty()
    }
}

/// Reads bits from the start of the data to its end, and zeros beyond it.
struct ForwardBits<'d> {
    data: &'d [u8],
    position: usize,
}

impl ForwardBits<'_> {
    /// Returns the next bits, at most 16, without moving on.
    fn peek(&self, count: usize) -> usize {
        let bytes = self.data.iter().skip(self.position / 8).take(4).enumerate();
        let bits = bytes.fold(0, |bits, (at, byte)| bits | usize::from(*byte) << (8 * at));
        bits >> (self.position % 8) & ((1 << count) - 1)
    }

    fn read(&mut self, count: usize) -> usize {
        let bits = self.peek(count);
        self.position += count;
        bits
    }
}

/// The largest FSE table.
const FSE_SIZE: usize = 512;

/// A table of Finite State Entropy.
#[derive(Debug)]
pub(super) struct Fse {
    /// The binary logarithm of the number of states.
    log: u32,
    states: [FseState; FSE_SIZE],
}

#[derive(Debug, Clone, Copy, Default)]
struct FseState {
    symbol: u8,
    /// The number of bits that are added to `next` for the next state.
    bits: u8,
    next: u16,
}

impl Fse {
    /// A table with one symbol, which takes no bits.
    pub(super) fn of_one(symbol: u8) -> Self {
        let states = [FseState { symbol, bits: 0, next: 0 }; FSE_SIZE];
        Self { log: 0, states }
    }

    /// Reads the distribution of the symbols (RFC 8878 §4.1.1). Returns the table and its coded length.
    pub(super) fn read(data: &[u8], max_log: usize, max_symbol: u8) -> Result<(Self, usize)> {
        let mut bits = ForwardBits { data, position: 0 };
        let log = bits.read(4) + 5;
        if log > max_log {
            return Err(MALFORMED);
        }
        let mut shares: Vec<i16> = Vec::new();
        let mut left = 1 << log;
        while left > 0 {
            // A value below `short` takes one bit less than the others.
            let size = usize::BITS as usize - (left + 1_usize).leading_zeros() as usize;
            let half = 1 << (size - 1);
            let short = 2 * half - 2 - left;
            let mut value = bits.peek(size);
            if value & (half - 1) < short {
                value &= half - 1;
                bits.position += size - 1;
            } else {
                bits.position += size;
                value -= if value >= half { short } else { 0 };
            }
            let share = value as i16 - 1;
            left = left.checked_sub(usize::from(share.unsigned_abs())).ok_or(MALFORMED)?;
            shares.push(share);
            if share == 0 {
                loop {
                    let zeros = bits.read(2);
                    shares.resize(shares.len() + zeros, 0);
                    if zeros < 3 || bits.position > 8 * data.len() {
                        break;
                    }
                }
            }
            if shares.len() > usize::from(max_symbol) + 1 {
                return Err(MALFORMED);
            }
        }
        let length = bits.position.div_ceil(8);
        if length > data.len() {
            return Err(MALFORMED);
        }
        Ok((Self::new(log as u32, &shares)?, length))
    }

    /// Builds the table of a distribution: the number of states of each symbol, or -1 for one state at the
    /// end of the table.
    pub(super) fn new(log: u32, shares: &[i16]) -> Result<Self> {
        let size = 1 << log;
        let mut table = Self { log, states: [FseState::default(); FSE_SIZE] };
        let states = table.states.get_mut(..size).ok_or(MALFORMED)?;
        let mut end = size;
        for (symbol, _) in shares.iter().enumerate().filter(|(_, share)| **share == -1) {
            end = end.checked_sub(1).ok_or(MALFORMED)?;
            states.get_mut(end).ok_or(MALFORMED)?.symbol = symbol as u8;
        }
        let (step, mut at) = ((size >> 1) + (size >> 3) + 3, 0);
        for (symbol, share) in shares.iter().enumerate() {
            for _ in 0..*share {
                states.get_mut(at).ok_or(MALFORMED)?.symbol = symbol as u8;
                at = (at + step) & (size - 1);
                while at >= end && end > 0 {
                    at = (at + step) & (size - 1);
                }
            }
        }
        let mut counts: Vec<u16> = shares.iter().map(|share| share.unsigned_abs()).collect();
        for state in states {
            let count = counts.get_mut(usize::from(state.symbol)).ok_or(MALFORMED)?;
            let bits = log.checked_sub(count.checked_ilog2().ok_or(MALFORMED)?).ok_or(MALFORMED)?;
            state.bits = bits as u8;
            state.next = (*count << bits).wrapping_sub(size as u16);
            *count += 1;
        }
        Ok(table)
    }

    /// Reads the first state.
    #[inline]
    pub(super) fn start(&self, bits: &mut Bits<'_>) -> FseCursor<'_> {
        FseCursor { table: self, state: bits.read(self.log) as usize }
    }
}

/// A position in a table.
pub(super) struct FseCursor<'t> {
    table: &'t Fse,
    state: usize,
}

impl FseCursor<'_> {
    #[inline]
    fn current(&self) -> FseState {
        let masked = self.state & (FSE_SIZE - 1);
        self.table.states.get(masked).copied().unwrap_or_default() // always there
    }

    #[inline]
    pub(super) fn symbol(&self) -> u8 {
        self.current().symbol
    }

    #[inline]
    pub(super) fn advance(&mut self, bits: &mut Bits<'_>) {
        let current = self.current();
        self.state = usize::from(current.next) + bits.read(u32::from(current.bits)) as usize;
    }
}

/// The longest Huffman code (RFC 8878 §4.2.1).
const MAX_CODE: u32 = 11;

const HUFFMAN_SIZE: usize = 1 << MAX_CODE;

/// A Huffman table: for each sequence of the next bits the symbol and the length of its code.
#[derive(Debug)]
pub(super) struct Huffman {
    /// The length of the longest code.
    log: u32,
    codes: [(u8, u8); HUFFMAN_SIZE],
}

impl Huffman {
    /// Reads a tree description (RFC 8878 §4.2.1). Returns the table and its coded length.
    pub(super) fn read(data: &[u8]) -> Result<(Self, usize)> {
        let (&header, rest) = data.split_first().ok_or(MALFORMED)?;
        let header = usize::from(header);
        let (weights, length) = if header >= 128 {
            let count = header - 127;
            let coded = rest.get(..count.div_ceil(2)).ok_or(MALFORMED)?;
            let mut weights: Vec<u8> = coded.iter().flat_map(|two| [two >> 4, two & 15]).collect();
            weights.truncate(count);
            (weights, coded.len())
        } else {
            (read_weights(rest.get(..header).ok_or(MALFORMED)?)?, header)
        };
        Ok((Self::new(weights)?, 1 + length))
    }

    /// Builds the table. The last weight is not sent: it makes the sum a power of two.
    fn new(mut weights: Vec<u8>) -> Result<Self> {
        if weights.iter().any(|weight| u32::from(*weight) > MAX_CODE) {
            return Err(MALFORMED);
        }
        let sum: u32 = weights.iter().filter(|weight| **weight > 0).map(|w| 1 << (w - 1)).sum();
        let log = sum.checked_ilog2().ok_or(MALFORMED)? + 1;
        let rest = (1 << log) - sum;
        if log > MAX_CODE || !rest.is_power_of_two() || weights.len() > 255 {
            return Err(MALFORMED);
        }
        weights.push(rest.ilog2() as u8 + 1);
        let mut table = Self { log, codes: [(0, 0); HUFFMAN_SIZE] };
        let mut codes = table.codes.iter_mut();
        for weight in 1..=log as u8 {
            let bits = log as u8 + 1 - weight;
            for (symbol, _) in weights.iter().enumerate().filter(|(_, own)| **own == weight) {
                let own = codes.by_ref().take(1 << (weight - 1));
                own.for_each(|code| *code = (symbol as u8, bits));
            }
        }
        Ok(table)
    }

    /// Decodes one stream, which must have exactly as many symbols as `output` has room for.
    pub(super) fn decode(&self, stream: &[u8], output: &mut [u8]) -> Result<()> {
        let mut bits = Bits::new(stream)?;
        for symbols in output.chunks_mut(5) {
            bits.load(); // enough for five codes
            for symbol in symbols {
                let next = bits.peek(self.log) as usize & (HUFFMAN_SIZE - 1);
                let (decoded, length) = self.codes.get(next).copied().unwrap_or_default(); // always there
                *symbol = decoded;
                bits.skip(u32::from(length));
            }
            if bits.is_overdrawn() {
                return Err(MALFORMED);
            }
        }
        if bits.is_at_end() { Ok(()) } else { Err(MALFORMED) }
    }
}

/// Reads weights that are coded with FSE, by two states in turn (RFC 8878 §4.2.1.2).
fn read_weights(data: &[u8]) -> Result<Vec<u8>> {
    let (table, length) = Fse::read(data, 6, MAX_CODE as u8 + 1)?;
    let mut bits = Bits::new(data.split_at_checked(length).ok_or(MALFORMED)?.1)?;
    let (mut current, mut other) = (table.start(&mut bits), table.start(&mut bits));
    let mut weights = Vec::new();
    loop {
        bits.load();
        weights.push(current.symbol());
        current.advance(&mut bits);
        if bits.is_overdrawn() {
            weights.push(other.symbol());
            return Ok(weights);
        }
        if weights.len() > 255 {
            return Err(MALFORMED);
        }
        std::mem::swap(&mut current, &mut other);
    }
}
