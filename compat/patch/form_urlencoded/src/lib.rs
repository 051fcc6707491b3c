//! The forms of leanhttp under the names of the crate `form_urlencoded` 1.2.
//!
//! The crate `url` edits queries by the [`Serializer`] of this crate, and serde_urlencoded writes to one. Where
//! leanhttp takes the place of `url` by `[patch.crates-io]`, this package takes that of `form_urlencoded`.

#[doc(no_inline)]
pub use leanhttp::form::{AppendTarget as Target, Parse, Serializer, parse};

use percent_encoding::percent_encode_byte;

/// Returns the pieces of the encoded text.
pub fn byte_serialize(input: &[u8]) -> ByteSerialize<'_> {
    ByteSerialize { rest: input }
}

/// An iterator over the pieces of an encoded text; returned by [`byte_serialize`].
#[derive(Debug, Clone)]
pub struct ByteSerialize<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for ByteSerialize<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let is_unchanged = |byte: &u8| byte.is_ascii_alphanumeric() || b"*-._".contains(byte);
        let length = self.rest.iter().take_while(|byte| is_unchanged(byte)).count();
        let (piece, rest) = self.rest.split_at(length.max(1).min(self.rest.len()));
        self.rest = rest;
        match piece {
            [] => None,
            [b' '] => Some("+"),
            [byte] if !is_unchanged(byte) => Some(percent_encode_byte(*byte)),
            unchanged => std::str::from_utf8(unchanged).ok(),
        }
    }
}
