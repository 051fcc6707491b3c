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

/// A text of which each character is a byte; none, if one is more than that.
fn bytes(text: &Value) -> Option<Vec<u8>> {
    text.as_str().unwrap().chars().map(|c| u8::try_from(c).ok()).collect()
}

/// Of a name that comes twice the first counts.
fn object(parameters: &[(String, String)]) -> Value {
    let pairs = parameters.iter().rev().cloned();
    Value::Object(pairs.map(|(name, value)| (name, value.into())).collect())
}
