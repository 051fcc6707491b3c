//! Parses `Link` (RFC 8288 §3) by the algorithm of its appendix B.
//!
//! ```text
//! <https://example.org/page/3>; rel="next"; title*=UTF-8''Seite%203, </page/1>; rel=prev
//! └ target, not resolved yet    └ parameters                        └ the next link
//! ```
//!
//! The algorithm is the RFC's own: it never fails, and stops where a link does not begin with `<`.
//! Targets are resolved by the caller of this module, against the URL of the response, so that an
//! invalid one affects no other. A value of a name with a star that cannot be decoded is dropped,
//! not shown raw. Time is linear in the length of the field (`c06_links_do_not_copy_a_long_url` in
//! `tests/hostile_size.rs`).

use super::cursor::{Cursor, extended_value, lower, text};

/// A link as received, with an unresolved target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawLink {
    pub(crate) target: String,
    /// Names in lower case; the value of a name with a star is decoded.
    pub(crate) parameters: Vec<(String, String)>,
}

/// Parses the links of one field line, up to the first syntax error.
pub(crate) fn parse(value: &[u8]) -> impl Iterator<Item = RawLink> {
    let mut cursor = Cursor::new(value);
    std::iter::from_fn(move || link(&mut cursor))
}

fn link(cursor: &mut Cursor<'_>) -> Option<RawLink> {
    cursor.take_while(|byte| matches!(byte, b' ' | b'\t' | b','));
    if !cursor.eat(b'<') {
        return None;
    }
    let target = cursor.take_while(|byte| byte != b'>');
    if !cursor.eat(b'>') {
        return None;
    }
    let parameters = parameters(cursor);
    // Skips text between the last parameter and the comma, which has no meaning.
    cursor.take_while(|byte| byte != b',');
    Some(RawLink { target: text(target), parameters })
}

fn parameters(cursor: &mut Cursor<'_>) -> Vec<(String, String)> {
    let mut parameters = Vec::new();
    cursor.skip_whitespace();
    while cursor.eat(b';') {
        let parameter = cursor.parameter(Some(b','));
        let name = lower(parameter.name);
        let value = if name.ends_with('*') {
            extended_value(&parameter.value)
        } else {
            Some(text(&parameter.value))
        };
        parameters.extend(value.filter(|_| !name.is_empty()).map(|value| (name, value)));
    }
    parameters
}

#[cfg(test)]
mod tests;
