//! Conformance vectors for machines that are not public; see `tests/conformance.rs`.

#[cfg(feature = "digest")]
mod authentication;
mod fields;
#[cfg(feature = "charset")]
mod media_type;
mod netrc;
mod no_proxy;
mod tunnels;

#[path = "../../../tests/conformance/support.rs"]
#[allow(dead_code, reason = "not all of it is needed without some features")]
mod support;

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
