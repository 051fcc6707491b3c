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
mod tests {
    use http::HeaderValue;

    use super::*;

    const NOTHING: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    fn parsed(lines: &[&str]) -> Option<NamedDigests> {
        let line = |value: &&str| (REPR_DIGEST, HeaderValue::from_str(value).unwrap());
        NamedDigests::of(&lines.iter().map(line).collect::<Vec<_>>(), &REPR_DIGEST)
    }

    #[test]
    fn secure_hashes_are_read() {
        let first =
            |lines: &[&str]| parsed(lines).and_then(|digests| digests.sha256).map(|hash| hash[0]);
        for line in ["sha-256=:H:", "md5=:AAAA:, sha-256=:H:", "sha-256=:H:;q=1, unixsum=:AA==:"] {
            assert_eq!(first(&[&line.replace('H', NOTHING)]), Some(0xe3), "{line}");
        }
        assert_eq!(first(&["md5=:AAAA:", &format!("sha-256=:{NOTHING}:")]), Some(0xe3));
        let long = format!("sha-512=:{}==:", "A".repeat(86));
        assert_eq!(parsed(&[&long]).and_then(|digests| digests.sha512), Some([0; 64]));
    }

    #[test]
    fn other_and_malformed_hashes_are_ignored() {
        for line in [
            "",
            "md5=:AAAAAAAAAAAAAAAAAAAAAA==:",
            "sha-256=H",
            "sha-256=:H",
            "SHA-256=:H:",
            "sha-256=:H:x",
            "sha-256=:AAAA:",
            "sha-256=:!!!:",
            "sha-256",
            "sha-512=:H:",
        ] {
            assert_eq!(parsed(&[&line.replace('H', NOTHING)]), None, "{line}");
        }
    }
}
