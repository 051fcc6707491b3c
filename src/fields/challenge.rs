//! Parses the challenges of `WWW-Authenticate` (RFC 9110 §11.6.1).
//!
//! ```text
//! Digest realm="a, b", nonce="x==", Negotiate abc==, Basic realm=c
//! └ scheme └ parameters             └ scheme and token68 └ scheme and a parameter
//! ```
//!
//! The grammar is ambiguous to a reader that looks only at commas: a comma separates parameters,
//! and challenges too. What follows decides: a name and `=` continue the parameters, any other
//! token is the next scheme. A `token68` looks like the beginning of a parameter (`abc=`), so it is
//! accepted only if a comma or the end comes after it.
//!
//! Reading stops at the first error, and the challenges before it count: a server with a broken
//! second challenge can still be answered. Values stay bytes, because Digest hashes them and sends
//! them back exactly as they came, in whatever encoding.
//! `challenges_are_parsed_up_to_the_first_error` and `long_values_take_one_pass` guard this,
//! `c06_repetitive_challenges_take_linear_memory` in `tests/hostile_size.rs` its cost.

use super::cursor::{Cursor, lower, text};

/// A request for authentication: a scheme and its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// In lower case.
    pub(crate) scheme: String,
    pub(crate) details: Details,
}

/// The part of a challenge after the scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Details {
    Token68(String),
    /// Names in lower case; may be empty. Values are kept byte for byte, since they are sent back or
    /// hashed.
    Parameters(Vec<(String, Vec<u8>)>),
}

impl Challenge {
    /// Returns the first parameter with this name.
    pub(crate) fn parameter(&self, name: &str) -> Option<&[u8]> {
        let Details::Parameters(parameters) = &self.details else { return None };
        parameters.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_slice())
    }
}

/// Parses the challenges of one field line, up to the first syntax error. A comma separates challenges
/// and also their parameters: a name followed by `=` is a parameter.
pub(crate) fn parse(value: &[u8]) -> impl Iterator<Item = Challenge> {
    let mut cursor = Cursor::new(value);
    std::iter::from_fn(move || challenge(&mut cursor))
}

fn challenge(cursor: &mut Cursor<'_>) -> Option<Challenge> {
    skip_commas(cursor);
    let scheme = lower(cursor.token());
    if scheme.is_empty() {
        return None;
    }
    let details = match (cursor.peek(), token68(cursor)) {
        (None | Some(b','), _) => Details::Parameters(Vec::new()),
        (Some(b' ' | b'\t'), Some(token)) => Details::Token68(token),
        (Some(b' ' | b'\t'), None) => Details::Parameters(parameters(cursor)?),
        _ => return None,
    };
    Some(Challenge { scheme, details })
}

/// Accepts it only before a comma or the end: otherwise `a` or `a=` could begin a parameter.
fn token68(cursor: &mut Cursor<'_>) -> Option<String> {
    let mut ahead = *cursor;
    ahead.skip_whitespace();
    let token = ahead.take_while(is_token68);
    let padding = ahead.take_while(|byte| byte == b'=');
    ahead.skip_whitespace();
    if token.is_empty() || !matches!(ahead.peek(), None | Some(b',')) {
        return None;
    }
    *cursor = ahead;
    Some(text(token) + &text(padding))
}

/// Returns `None` if a parameter is malformed.
fn parameters(cursor: &mut Cursor<'_>) -> Option<Vec<(String, Vec<u8>)>> {
    let mut parameters = Vec::new();
    loop {
        let mut ahead = *cursor;
        skip_commas(&mut ahead);
        let name = lower(ahead.token());
        ahead.skip_whitespace();
        if name.is_empty() || !ahead.eat(b'=') {
            break; // the next challenge, or the end
        }
        parameters.push((name, parameter_value(&mut ahead)?));
        *cursor = ahead;
    }
    cursor.skip_whitespace();
    matches!(cursor.peek(), None | Some(b',')).then_some(parameters)
}

/// Reads a token or a quoted string, up to the comma.
fn parameter_value(cursor: &mut Cursor<'_>) -> Option<Vec<u8>> {
    cursor.skip_whitespace();
    let value = if cursor.eat(b'"') { cursor.quoted() } else { cursor.token().to_vec() };
    cursor.skip_whitespace();
    matches!(cursor.peek(), None | Some(b',')).then_some(value)
}

fn skip_commas(cursor: &mut Cursor<'_>) {
    cursor.take_while(|byte| matches!(byte, b' ' | b'\t' | b','));
}

fn is_token68(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
}

#[cfg(test)]
mod tests;
