//! Parses `Repr-Digest` and `Content-Digest` (RFC 9530): hashes of a whole file, and of one message.
//!
//! ```text
//! Repr-Digest: sha-256=:QIAMTceSWqPOK9RQ8LRu/gVtv19Kg4RFVaQ1ZLaAqK4=:, md5=:...:
//! ```
//!
//! Only SHA-256 and SHA-512 are read. RFC 9530 §5 calls the others insecure, and a check that an attacker can
//! satisfy is worth nothing.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderName;

use crate::http1::header_section::{Fields, members};

/// The name of the field with the hashes of the whole file, whatever part of it a message holds.
pub(crate) const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// The name of the field with the hashes of the bytes in this message.
pub(crate) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// The hashes that a field names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct NamedDigests {
    pub(crate) sha256: Option<[u8; 32]>,
    pub(crate) sha512: Option<[u8; 64]>,
}

impl NamedDigests {
    /// Returns the hashes of a field; `None` if it names none that is checked.
    pub(crate) fn of(headers: &impl Fields, field: &HeaderName) -> Option<Self> {
        let mut digests = Self::default();
        for member in members(headers, field) {
            if let Some(value) = hash(member, b"sha-256") {
                digests.sha256 = Some(value);
            } else if let Some(value) = hash(member, b"sha-512") {
                digests.sha512 = Some(value);
            }
        }
        (digests != Self::default()).then_some(digests)
    }
}

/// Parses `name=:base64:`, perhaps with parameters behind (RFC 9651 §3.2, §3.3.5).
fn hash<const LENGTH: usize>(member: &[u8], name: &[u8]) -> Option<[u8; LENGTH]> {
    let value = member.strip_prefix(name)?.strip_prefix(b"=:")?;
    let text = value.split(|byte| *byte == b':').next()?;
    let is_closed = matches!(value.get(text.len()..), Some([b':'] | [b':', b';', ..]));
    let bytes = BASE64_STANDARD.decode(text).ok().filter(|_| is_closed)?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests;
