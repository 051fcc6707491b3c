//! Text on the wire that needs no HTTP: numbers, percent-encoding, a search, and excerpts of it for error messages.
//!
//! - [`decimal`] and its parts parse numbers digit by digit, so that `+5`, `0x5` or `5_0` are no numbers, and
//!   none is too large for any reader.
//! - [`Table`] percent-encodes one component of a URL (WHATWG URL §1.3). It states for every byte whether it is
//!   copied, encoded, or ends the component, so that a parser finds the end of a component and writes it in one
//!   pass, one run of unchanged bytes at a time. [`percent_decode`] is the reverse.
//! - [`find_any`] finds a line end, 64 bytes at a time: every byte of every head and line is searched.
//! - [`Excerpt`] shows the beginning of what a peer sent, escaped and bounded.
//!
//! Three rules for text from outside, which each function here keeps:
//!
//! | rule | why | test |
//! | --- | --- | --- |
//! | a number is digits and nothing else, and fits a file offset | `+5`, `0x5`, `5_0` and 2^64 are read differently by different programs | `decimal_takes_digits_only` |
//! | a byte is encoded unless a table says otherwise | a byte that was forgotten is harmless then | the tests of `url/` and `form/` |
//! | an excerpt is escaped and short | a log line must stay one line, whatever a peer sends | the tests of `Excerpt` |
//!
//! ```text
//! decimal(b"0123")        123: leading zeros are digits
//! decimal(b"")            none, like b"+1", b"1 ", b"1_0", b"18446744073709551616"
//! percent_decode(b"a%2Fb%zz")   a/b%zz: an invalid escape stays
//! ```

use std::borrow::Cow;
use std::fmt;

/// The maximum length of a body: the largest file offset and signed 64-bit integer, so that every
/// reader can represent it (RFC 9110 §8.6: anticipate large numbers, prevent conversion errors).
pub(crate) const MAX_LENGTH: u64 = i64::MAX as u64;

/// Splits `input` before the first byte for which `is_end` is true; without one the second part is empty.
pub(crate) fn split_before(input: &str, is_end: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = input.bytes().position(is_end);
    end.and_then(|end| input.split_at_checked(end)).unwrap_or((input, ""))
}

/// Parses `1*DIGIT` up to [`MAX_LENGTH`].
pub(crate) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0, |number, byte| push_digit(number, digit(*byte, 10)?, 10))
}

/// Returns the value of one digit, in upper or lower case.
pub(crate) fn digit(byte: u8, radix: u32) -> Option<u32> {
    char::from(byte).to_digit(radix)
}

/// Appends one digit to `number`; `None` beyond [`MAX_LENGTH`].
pub(crate) fn push_digit(number: u64, digit: u32, radix: u32) -> Option<u64> {
    let number = number.checked_mul(radix.into())?.checked_add(digit.into())?;
    (number <= MAX_LENGTH).then_some(number)
}

/// Returns the position of the first byte that is one of `wanted`.
///
/// Strides without such a byte are skipped, then words. Both are arrays, because a compiler turns comparisons of
/// a fixed number of bytes into a few instructions, unlike a loop that may end at each byte. `memchr` would do it
/// with `unsafe` inside and one more crate.
#[inline]
pub(crate) fn find_any<const N: usize>(wanted: [u8; N], text: &[u8]) -> Option<usize> {
    let mut rest = text;
    while let Some((stride, behind)) = rest.split_first_chunk() {
        if has_any(wanted, stride) {
            break;
        }
        rest = behind;
    }
    while let Some((word, behind)) = rest.split_first_chunk() {
        if let Some(at) = find_in_word(wanted, word) {
            return Some(text.len() - rest.len() + at);
        }
        rest = behind;
    }
    let at = rest.iter().position(|byte| wanted.contains(byte))?;
    Some(text.len() - rest.len() + at)
}

#[inline]
fn has_any<const N: usize>(wanted: [u8; N], stride: &[u8; 64]) -> bool {
    let is_wanted = |byte| wanted.iter().fold(false, |is, one| is | (one == byte));
    stride.iter().fold(false, |has, byte| has | is_wanted(byte))
}

/// Searches eight bytes at once. After XOR with a wanted byte, a match is a zero byte, and the classic search for
/// those sets the highest bit of the first one. Higher bits are not significant.
#[inline]
fn find_in_word<const N: usize>(wanted: [u8; N], word: &[u8; 8]) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHS: u64 = u64::from_le_bytes([0x80; 8]);
    let word = u64::from_le_bytes(*word);
    let marks = wanted.iter().fold(0, |marks, byte| {
        let zeros = word ^ u64::from_le_bytes([*byte; 8]);
        marks | (zeros.wrapping_sub(ONES) & !zeros & HIGHS)
    });
    (marks != 0).then_some(marks.trailing_zeros() as usize / 8)
}

/// The rule for each byte of one component of a URL: copy, encode, or stop.
///
/// Bytes that are not ASCII are always encoded, so a copied run ends on a character boundary.
#[derive(Clone, Copy)]
pub(crate) struct Table([Class; 256]);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Copy,
    Encode,
    Stop,
}

/// The *C0 control percent-encode set*: controls and everything above `~`.
pub(crate) const C0_CONTROL: Table = Table([Class::Copy; 256]).with_controls();

impl Table {
    /// Returns this table with `bytes` encoded too.
    pub(crate) const fn encoding(self, bytes: &[u8]) -> Self {
        self.with(bytes, Class::Encode)
    }

    /// Returns this table with `bytes` ending the component.
    pub(crate) const fn stopping(self, bytes: &[u8]) -> Self {
        self.with(bytes, Class::Stop)
    }

    /// Appends `input` up to its first stop byte, encoded. Returns the rest of the input, which is
    /// empty or starts with the stop byte.
    pub(crate) fn push<'a>(&self, out: &mut String, mut input: &'a str) -> &'a str {
        loop {
            let (plain, rest) = self.split(input);
            out.push_str(plain);
            let mut chars = rest.chars();
            let Some(first) = chars.next() else { return rest };
            if u8::try_from(first).is_ok_and(|byte| self.class(byte) == Class::Stop) {
                return rest;
            }
            for &byte in first.encode_utf8(&mut [0; 4]).as_bytes() {
                out.push_str(percent_encoding::percent_encode_byte(byte));
            }
            input = chars.as_str();
        }
    }

    /// Splits `input` after the longest prefix that is copied unchanged.
    pub(crate) fn split<'a>(&self, input: &'a str) -> (&'a str, &'a str) {
        let run = input.bytes().position(|byte| self.class(byte) != Class::Copy);
        run.and_then(|run| input.split_at_checked(run)).unwrap_or((input, ""))
    }

    #[inline]
    fn class(&self, byte: u8) -> Class {
        let Self(classes) = self;
        classes.get(usize::from(byte)).copied().unwrap_or(Class::Encode)
    }

    #[allow(
        clippy::indexing_slicing,
        reason = "runs only at compile time, and every byte is a valid index"
    )]
    const fn with(mut self, mut bytes: &[u8], class: Class) -> Self {
        while let [byte, rest @ ..] = bytes {
            self.0[*byte as usize] = class;
            bytes = rest;
        }
        self
    }

    const fn with_controls(mut self) -> Self {
        let mut byte = 0;
        while byte < u8::MAX {
            if byte < b' ' || byte > b'~' {
                self = self.encoding(&[byte]);
            }
            byte += 1;
        }
        self.encoding(&[u8::MAX])
    }
}

/// Replaces each `%` with two hexadecimal digits by the byte; any other `%` stays as it is.
pub(crate) fn percent_decode(input: &[u8]) -> Cow<'_, [u8]> {
    percent_encoding::percent_decode(input).into()
}

const MAX_EXCERPT: usize = 32;

/// The first bytes of a text from a peer, escaped and bounded: safe to print and to log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Excerpt(Box<str>);

impl Excerpt {
    /// Shows at most 32 bytes of `bytes`, and `…` if there are more.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self::bounded(bytes, MAX_EXCERPT)
    }

    /// Shows at most `at_most` bytes.
    pub(crate) fn bounded(bytes: &[u8], at_most: usize) -> Self {
        let (shown, more) = match bytes.split_at_checked(at_most) {
            Some((shown, [_, ..])) => (shown, "…"),
            _ => (bytes, ""),
        };
        Self(format!("\"{}\"{more}", shown.escape_ascii()).into())
    }

    /// Shows the first line of `lines` up to its colon: the name of a field without its value.
    pub(crate) fn field_name(lines: &[u8]) -> Self {
        let ends_name = |byte: &u8| matches!(byte, b':' | b'\r' | b'\n');
        Self::new(lines.split(ends_name).next().unwrap_or_default())
    }

    /// Returns whether it starts like a TLS alert, a TLS server's answer to a plain request (RFC 8446
    /// §5.1).
    pub(crate) fn is_tls_alert(&self) -> bool {
        self.0.starts_with(r#""\x15"#)
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
