//! What the tests of this layer share.

use http::{HeaderMap, HeaderName, HeaderValue};

/// The field lines of a message.
pub(crate) type Lines = &'static [(&'static str, &'static str)];

/// The map of these field lines; names and values must be valid.
pub(crate) fn headers(fields: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        map.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    map
}
