//! Parses media types as browsers do (WHATWG MIME Sniffing §4.4).
//!
//! ```text
//! text/html; charset=UTF-8; charset=x; boundary="a b"
//! └ essence  └ first counts └ ignored  └ quoted
//! ```
//!
//! Browsers and this client agree on what a `Content-Type` means, down to repeated and malformed
//! parameters, because the two answers decide how a body is decoded. A type that the algorithm
//! refuses is none, and the body is then decoded by default. The WHATWG algorithm has no bound on
//! parameters; `MAX_PARAMETERS` adds one, because finding repeats compares each with all before it
//! (`c06_repetitive_media_types_take_linear_memory` in `tests/hostile_size.rs`).

use super::cursor::{Cursor, is_tchar, latin1};

/// A type with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MediaType {
    /// `type/subtype` in lower case.
    pub(crate) essence: String,
    /// Names in lower case, each at most once.
    pub(crate) parameters: Vec<(String, String)>,
}

impl MediaType {
    /// Returns `None` if the value is not a media type. Invalid parameters are ignored.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(trim_end(value));
        cursor.take_while(is_whitespace);
        let kind = cursor.take_while(|byte| byte != b'/');
        cursor.eat(b'/');
        let subtype = trim_end(cursor.take_while(|byte| byte != b';'));
        if !is_token(kind) || !is_token(subtype) {
            return None;
        }
        let essence = latin1(&[kind, b"/", subtype].concat().to_ascii_lowercase());
        let mut media_type = Self { essence, parameters: Vec::new() };
        while cursor.eat(b';') {
            media_type.take_parameter(&mut cursor);
        }
        Some(media_type)
    }

    /// Returns the value of a parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    fn take_parameter(&mut self, cursor: &mut Cursor<'_>) {
        cursor.take_while(is_whitespace);
        let name = cursor.take_while(|byte| byte != b';' && byte != b'=');
        if !cursor.eat(b'=') {
            return;
        }
        let value = if cursor.eat(b'"') {
            Some(cursor.quoted())
        } else {
            let value = trim_end(cursor.take_while(|byte| byte != b';'));
            Some(value.to_vec()).filter(|value| !value.is_empty())
        };
        cursor.take_while(|byte| byte != b';');
        // *HTTP quoted-string token code points*.
        let is_quotable = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~' | 0x80..);
        let value = value.filter(|value| value.iter().all(is_quotable));
        let name = latin1(&name.to_ascii_lowercase());
        let is_new = is_token(name.as_bytes()) && self.parameter(&name).is_none();
        let is_room = self.parameters.len() < MAX_PARAMETERS;
        self.parameters
            .extend(value.filter(|_| is_new && is_room).map(|value| (name, latin1(&value))));
    }
}

fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| is_tchar(*byte))
}

/// *HTTP whitespace*.
fn is_whitespace(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | b' ')
}

fn trim_end(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., b'\t' | b'\n' | b'\r' | b' '] = bytes {
        bytes = rest;
    }
    bytes
}

/// A bound, because each name is compared with all names before it.
const MAX_PARAMETERS: usize = 64;

#[cfg(test)]
mod tests;
