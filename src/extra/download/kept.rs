//! The facts about a part that is kept for a later run, as a text beside it.
//!
//! ```text
//! leanhttp download 1
//! request 3b1f…            SHA-256 of method and URL: no URL and no token lies on the disk
//! total 20                 if it is known
//! if-range "abc"           if there is a validator
//! ```
//!
//! A text that is not exactly of this form makes the part worthless: the download begins at zero.

use http::HeaderValue;
use sha2::{Digest as _, Sha256};

use super::hashes::hex;
use crate::base::text::decimal;
use crate::url::Url;

/// The first line. Another version of the format gets another number.
const TITLE: &[u8] = b"leanhttp download 1";

/// The longest text that is read.
pub(crate) const MAX_TEXT: u64 = 64 * 1024;

/// The facts about a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    /// See [`key`].
    pub(crate) key: String,
    pub(crate) total: Option<u64>,
    pub(crate) if_range: Option<HeaderValue>,
}

/// Returns what identifies the request of a download: a part of another URL is not used.
pub(crate) fn key(url: &Url) -> String {
    let mut url = url.clone();
    url.set_fragment(None);
    hex(&Sha256::digest(format!("GET {}", url.as_str())))
}

impl Facts {
    pub(crate) fn to_text(&self) -> Vec<u8> {
        let mut text = [TITLE, b"\nrequest ", self.key.as_bytes(), b"\n"].concat();
        if let Some(total) = self.total {
            text.extend_from_slice(format!("total {total}\n").as_bytes());
        }
        if let Some(if_range) = &self.if_range {
            text.extend([b"if-range ", if_range.as_bytes(), b"\n"].concat());
        }
        text
    }

    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let mut lines = text.strip_suffix(b"\n")?.split(|byte| *byte == b'\n');
        lines.next().filter(|title| *title == TITLE)?;
        let key = String::from_utf8(lines.next()?.strip_prefix(b"request ")?.to_vec()).ok()?;
        let mut facts = Self { key, total: None, if_range: None };
        for line in lines {
            if let Some(total) = line.strip_prefix(b"total ") {
                facts.total = Some(decimal(total)?);
            } else {
                let value = line.strip_prefix(b"if-range ")?;
                facts.if_range = Some(HeaderValue::from_bytes(value).ok()?);
            }
        }
        Some(facts)
    }
}
