//! Bodies in JSON: as text where that says all, else in base64; with their sizes, and whether they are whole.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::coding::charset;

/// The body of a response, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct HarContent {
    kept: Vec<u8>,
    /// The number of bytes read, decoded.
    size: u64,
    /// The number of bytes received.
    received: u64,
    /// A content coding was undone.
    is_decoded: bool,
    /// The head was delivered, so that the body could be read.
    has_begun: bool,
    end: ContentEnd,
}

/// The progress of reading a body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum ContentEnd {
    /// It is being read, or never was.
    #[default]
    Open,
    Whole,
    /// It was dropped before its end.
    Unread,
    Failed,
}

impl HarContent {
    pub(super) fn begin(&mut self, is_decoded: bool) {
        (self.has_begun, self.is_decoded) = (true, is_decoded);
    }

    /// Adds bytes, of which at most `most` are kept in all.
    pub(super) fn push(&mut self, bytes: &[u8], received: Option<u64>, most: usize) {
        let room = most.saturating_sub(self.kept.len()).min(bytes.len());
        self.kept.extend_from_slice(bytes.split_at(room).0);
        self.size = self.size.saturating_add(bytes.len() as u64);
        self.received = received.unwrap_or(self.size);
    }

    pub(super) fn end(&mut self, end: ContentEnd) {
        self.end = end;
    }

    /// Returns the number of bytes received; `None` if nobody could read the body.
    pub(super) fn received(&self) -> Option<u64> {
        self.has_begun.then_some(self.received)
    }

    /// Returns the `content` of a response. `is_coded`: whether it has a content coding.
    pub(super) fn to_json(
        &self,
        content_type: &str,
        is_coded: bool,
        records_bodies: bool,
    ) -> Value {
        let mut content = Map::new();
        content.insert("size".into(), self.size.into());
        content.insert("mimeType".into(), content_type.into());
        let is_whole = self.end == ContentEnd::Whole;
        if is_whole && self.is_decoded {
            let saved = i128::from(self.size) - i128::from(self.received);
            content.insert("compression".into(), i64::try_from(saved).unwrap_or(i64::MAX).into());
        }
        if is_coded {
            content.insert("_decoded".into(), self.is_decoded.into());
        }
        let is_cut = (self.kept.len() as u64) < self.size;
        if records_bodies && self.has_begun {
            insert_text(&mut content, &self.kept, Some(content_type), is_cut);
        }
        let comment = match self.end {
            ContentEnd::Whole if is_cut && records_bodies => {
                Some(format!("cut: {} of {} bytes are recorded", self.kept.len(), self.size))
            }
            ContentEnd::Whole => None,
            ContentEnd::Open if self.has_begun => Some("cut: it is being read".to_owned()),
            ContentEnd::Open => Some("it was not read".to_owned()),
            ContentEnd::Unread => Some("cut: it was not read to its end".to_owned()),
            ContentEnd::Failed => Some("cut: reading it failed".to_owned()),
        };
        if let Some(comment) = comment {
            content.insert("_truncated".into(), true.into());
            content.insert("comment".into(), comment.into());
        }
        Value::Object(content)
    }
}

/// Returns the `postData` of a request: the kept bytes of a body of that size. `None` stands for a body that was
/// read from a source.
pub(super) fn post_data(kept: Option<&[u8]>, size: Option<u64>, content_type: &str) -> Value {
    let mut data = Map::new();
    data.insert("mimeType".into(), content_type.into());
    match kept {
        None => {
            data.insert("comment".into(), "read from a source, and not recorded".into());
        }
        Some(kept) => {
            let is_cut = size.is_some_and(|size| (kept.len() as u64) < size);
            match utf8(kept, is_cut) {
                Some(text) => data.insert("text".into(), text.into()),
                None => {
                    data.insert("_encoding".into(), "base64".into());
                    data.insert("text".into(), STANDARD.encode(kept).into())
                }
            };
            if is_cut {
                let comment = format!("cut: {} bytes are recorded", kept.len());
                data.insert("_truncated".into(), true.into());
                data.insert("comment".into(), comment.into());
            }
        }
    }
    Value::Object(data)
}

/// Inserts bytes as text if they are UTF-8, or if the charset of the type decodes them without loss, and in base64
/// otherwise.
fn insert_text(
    content: &mut Map<String, Value>,
    bytes: &[u8],
    content_type: Option<&str>,
    is_cut: bool,
) {
    if let Some(text) = utf8(bytes, is_cut) {
        content.insert("text".into(), text.into());
        return;
    }
    match charset::decode_exactly(bytes, content_type.map(str::as_bytes)) {
        Some(text) => {
            content.insert("text".into(), text.into());
            content.insert("_base64".into(), STANDARD.encode(bytes).into()); // the text in its charset
        }
        None => {
            content.insert("encoding".into(), "base64".into());
            content.insert("text".into(), STANDARD.encode(bytes).into());
        }
    }
}

/// Returns bytes as text. A character at the end may be cut in two, if the text is.
fn utf8(bytes: &[u8], is_cut: bool) -> Option<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) if is_cut && error.error_len().is_none() => {
            std::str::from_utf8(bytes.split_at(error.valid_up_to()).0).ok()
        }
        Err(_) => None,
    }
}
