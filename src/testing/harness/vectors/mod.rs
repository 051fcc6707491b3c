//! Conformance vectors for machines that are not public; see `tests/conformance.rs`.
//!
//! A vector is a JSON object with an input and what any implementation should make of it. The files
//! are shared with the conformance tests of the public API; here are those whose result no caller
//! sees: the parts of a challenge, the answer of Digest, a media type with its parameters, the
//! rules of `no_proxy`, the bytes after CONNECT. Each test converts the result of the machine into
//! the shape of the expectation, so that a difference is printed as two JSON values.

#[cfg(feature = "digest")]
mod authentication;
#[cfg(feature = "download")]
mod download;
mod fields;
#[cfg(all(feature = "har", feature = "charset"))]
mod har;
#[cfg(feature = "charset")]
mod media_type;
mod netrc;
mod no_proxy;
#[cfg(all(feature = "sse", feature = "json", feature = "blocking"))]
mod streams;
mod tunnels;

#[path = "../../../../tests/conformance/support.rs"]
#[allow(dead_code, reason = "not all of it is needed without some features")]
mod support;

#[cfg(all(feature = "har", feature = "charset"))]
#[path = "../../../../tests/support/har_format.rs"]
mod har_format;

use serde_json::Value;

/// Converts each character of a text to a byte; returns `None` if one is beyond U+00FF.
fn bytes(text: &Value) -> Option<Vec<u8>> {
    text.as_str().unwrap().chars().map(|c| u8::try_from(c).ok()).collect()
}

/// Returns the parameters as an object; the first value of a repeated name is used.
fn object(parameters: &[(String, String)]) -> Value {
    let pairs = parameters.iter().rev().cloned();
    Value::Object(pairs.map(|(name, value)| (name, value.into())).collect())
}
