//! Conformance vectors for machines that are not public; see `tests/conformance.rs`.

mod fields;
#[cfg(feature = "charset")]
mod media_type;

#[path = "../../tests/conformance/support.rs"]
mod support;

use serde_json::Value;

/// A text of which each character is a byte; none, if one is more than that.
fn bytes(text: &Value) -> Option<Vec<u8>> {
    text.as_str().unwrap().chars().map(|c| u8::try_from(c).ok()).collect()
}
