//! Encodes and parses `application/x-www-form-urlencoded`, the format of HTML forms and of most query
//! strings (WHATWG URL §5).
//!
//! ```
//! use leanhttp::form;
//!
//! let encoded = form::encode(&[("name", "Zoë"), ("note", "a b&c")])?;
//! assert_eq!(encoded, "name=Zo%C3%AB&note=a+b%26c");
//!
//! let pairs: Vec<_> = form::parse(encoded.as_bytes()).collect();
//! assert_eq!(pairs, [("name".into(), "Zoë".into()), ("note".into(), "a b&c".into())]);
//! # Ok::<(), form::Error>(())
//! ```

use std::borrow::Cow;
use std::fmt;

use crate::base::text::{C0_CONTROL, Table, percent_decode};

pub use self::serializer::{AppendTarget, Serializer};

// For maintainers.
//
// This file has the format itself: `encode` and `append_pair` write it, `parse` reads it. What can be encoded is
// `ToPairs`, which has two implementations, one of which is compiled in: `plain` without serde, for the types that
// programs pass most, and `serde` for everything that serde can serialize as pairs. Every type that `plain`
// accepts, `serde` accepts with the same result, so that the feature `json` breaks no program; `tests.rs` runs
// the same table on either. `serializer` appends pairs one by one. The queries of URLs are forms too, so `url/` stands above this folder: `Url`'s
// `query_pairs` and `query_pairs_mut` use it, and its differential tests compare both directions with the crate
// `url`.
//
// The rules of the format, and where they differ from percent-encoding elsewhere in a URL:
//
// | byte | written as | read as |
// | --- | --- | --- |
// | letters, digits, `*`, `-`, `.`, `_` | itself | itself |
// | space | `+` | from `+` and from `%20` |
// | `+` | `%2B` | from `%2B` only |
// | `~` | `%7E`, unlike in a path | itself |
// | any other | `%` and two digits, of its UTF-8 | percent-decoded, then UTF-8 with replacement |
//
// Writing is a table of what to encode (`ENCODED`), so that a run of unchanged bytes is copied as a
// whole. The space ends a run, because it is neither copied nor percent-encoded. Reading borrows
// what needs no decoding: `parse` makes a string only for a name or value with a `+`, a `%` or
// invalid UTF-8.
//
// Reading accepts everything, as WHATWG defines it, because a query string comes from outside and a
// parser that fails has no better answer. Writing can fail only for values that are no pairs, which
// `serde` finds when it meets them; `plain` cannot be given such a value, so there the error is
// never made.
//
// Invariants: `parsing_undoes_encoding`, for any pairs; `the_percent_encode_set` compares the
// table with the standard's definition byte by byte; `any_bytes_parse`, without a panic;
// `parsing_borrows_where_it_can`. `tests/conformance/form.rs` runs the vectors of other
// implementations, the fuzz target `form` the rest.
#[cfg(not(feature = "json"))]
mod plain;
#[cfg(feature = "json")]
mod serde;
mod serializer;

#[cfg(test)]
mod tests;

/// Writes `pairs` as `name=value`, joined by `&`.
///
/// Letters, digits and `*-._` stay, a space becomes `+`, every other byte of the UTF-8 text is
/// percent-encoded. See [`ToPairs`] for what can be passed.
///
/// # Errors
///
/// Only with the feature `json`, for a value that has no representation as pairs: a nested map, a
/// list as a value.
///
/// ```
/// use std::collections::BTreeMap;
/// use leanhttp::form;
///
/// assert_eq!(form::encode(&[("q", "rust http"), ("lang", "en")])?, "q=rust+http&lang=en");
/// assert_eq!(form::encode(&vec![("page".to_string(), 2)])?, "page=2");
/// assert_eq!(form::encode(&[("a", Some("1")), ("b", None)])?, "a=1");
/// assert_eq!(form::encode(&BTreeMap::from([("on", true)]))?, "on=true");
/// # Ok::<(), form::Error>(())
/// ```
pub fn encode<T: ToPairs + ?Sized>(pairs: &T) -> Result<String, Error> {
    let mut encoded = String::new();
    pairs.append_to(&mut encoded)?;
    Ok(encoded)
}

/// Parses the pairs of a form or a query string.
///
/// Every input is valid: empty parts between `&` are skipped, a part without `=` is a name with an
/// empty value, and invalid UTF-8 becomes U+FFFD.
///
/// ```
/// let pairs: Vec<_> = leanhttp::form::parse(b"a=1&&b&c=%E2%82%AC+x").collect();
/// assert_eq!(pairs, [("a", "1"), ("b", ""), ("c", "€ x")].map(|(n, v)| (n.into(), v.into())));
/// ```
pub fn parse(input: &[u8]) -> Parse<'_> {
    Parse { rest: input }
}

/// An iterator over the pairs of a form, created by [`parse`]. The pairs borrow from the input unless
/// they had to be decoded.
#[derive(Clone, Debug)]
pub struct Parse<'a> {
    rest: &'a [u8],
}

impl<'a> Parse<'a> {
    /// Returns the pairs as strings of their own.
    ///
    /// ```
    /// use std::collections::HashMap;
    ///
    /// let url = leanhttp::Url::parse("http://example.org/?a=1&b=x+y")?;
    /// let pairs: HashMap<String, String> = url.query_pairs().into_owned().collect();
    /// assert_eq!(pairs["b"], "x y");
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn into_owned(self) -> impl Iterator<Item = (String, String)> + use<'a> {
        self.map(|(name, value)| (name.into_owned(), value.into_owned()))
    }
}

impl<'a> Iterator for Parse<'a> {
    type Item = (Cow<'a, str>, Cow<'a, str>);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let (part, rest) = split_once(self.rest, b'&');
            self.rest = rest;
            if !part.is_empty() {
                let (name, value) = split_once(part, b'=');
                return Some((decode(name), decode(value)));
            }
        }
        None
    }
}

impl std::iter::FusedIterator for Parse<'_> {}

/// A collection of names and values: the argument of [`encode`] and of a request's `query` and `form`.
///
/// Without the feature `json` these are
///
/// - slices, arrays of up to 32 elements and `Vec`s of pairs `(name, value)`,
/// - `HashMap` and `BTreeMap`,
/// - references to those.
///
/// A name is text (`str`, `String`, `Cow<str>`, `char`), a number or a `bool`; a value may also be
/// an [`Option`], and the pair is left out when it is `None`. Floating-point numbers are written as
/// `{:?}` writes them.
///
/// With the feature `json` it is every type that implements `serde::Serialize` as a list of pairs, a
/// map or a struct, whose field names are the names. The types above give the same result then.
///
/// The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a collection of name=value pairs",
    note = "with the feature `json`, types that implement `serde::Serialize` are accepted"
)]
pub trait ToPairs: sealed::AppendPairs {}

impl<T: sealed::AppendPairs + ?Sized> ToPairs for T {}

pub(crate) mod sealed {
    /// The hidden half of [`AppendTarget`](super::AppendTarget).
    pub trait Append {
        /// The type that [`Serializer::finish`](super::Serializer::finish) returns.
        type Finished<'t>
        where
            Self: 't;

        fn clear(&mut self);
        /// Appends one or more pairs, or a name that may be empty, behind an `&` where one is needed.
        fn append(&mut self, encoded: &str);
        fn finish(&mut self) -> Self::Finished<'_>;
    }

    /// The hidden half of [`ToPairs`](super::ToPairs).
    pub trait AppendPairs {
        /// Appends every pair with [`append_pair`](super::append_pair).
        fn append_to(&self, out: &mut String) -> Result<(), super::Error>;
    }
}

/// A value that cannot be written as pairs; `Display` names the invalid part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<str>);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(reason) = self;
        write!(f, "cannot write as name=value pairs: {reason}")
    }
}

impl std::error::Error for Error {}

/// Appends one pair to the form in `out`.
pub(crate) fn append_pair(out: &mut String, name: &str, value: &str) {
    if !out.is_empty() {
        out.push('&');
    }
    append_encoded(out, name);
    out.push('=');
    append_encoded(out, value);
}

/// Encodes everything but letters, digits and `*-._`. The space ends a run, because it is written as
/// `+`.
static ENCODED: Table = C0_CONTROL.encoding(b"!\"#$%&'()+,/:;<=>?@[\\]^`{|}~").stopping(b" ");

/// Appends one name or value, encoded.
pub(crate) fn append_encoded(out: &mut String, text: &str) {
    let mut rest = ENCODED.push(out, text);
    while let Some(after) = rest.strip_prefix(' ') {
        out.push('+');
        rest = ENCODED.push(out, after);
    }
}

fn decode(input: &[u8]) -> Cow<'_, str> {
    let bytes = if input.contains(&b'+') {
        let spaced: Vec<u8> = input.iter().map(|&b| if b == b'+' { b' ' } else { b }).collect();
        Cow::Owned(percent_decode(&spaced).into_owned())
    } else {
        percent_decode(input)
    };
    match bytes {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => Cow::Owned(into_utf8_lossy(bytes)),
    }
}

fn into_utf8_lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|invalid| String::from_utf8_lossy(invalid.as_bytes()).into_owned())
}

/// Splits at the first `separator`; without one, the second part is empty.
fn split_once(input: &[u8], separator: u8) -> (&[u8], &[u8]) {
    let mut parts = input.splitn(2, |&byte| byte == separator);
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}
