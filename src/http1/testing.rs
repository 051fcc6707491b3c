//! Helpers for the tests of this folder.

use http::{HeaderMap, HeaderName, HeaderValue};

/// The field lines of a message.
pub(crate) type Lines = &'static [(&'static str, &'static str)];

/// Returns a map of these field lines; names and values must be valid.
pub(crate) fn headers(fields: &[(&str, &str)]) -> HeaderMap {
    lines(fields).into_iter().collect()
}

/// Returns these field lines as a list.
pub(crate) fn lines(fields: &[(&str, &str)]) -> Vec<(HeaderName, HeaderValue)> {
    let line = |(name, value): &(&str, &str)| {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        (name, HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    fields.iter().map(line).collect()
}
