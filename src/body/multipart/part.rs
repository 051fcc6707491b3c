//! One part of a form: its content and its header fields.

use std::borrow::Cow;
use std::fmt;
use std::fs::Metadata;
use std::io;
use std::path::Path;

use http::header::{self, HeaderMap, HeaderValue};

use super::disposition::NameEncoding;
use super::media_type;
use crate::base::text::Excerpt;
use crate::body::Source;
use crate::body::{Body, SourceLength};
use crate::error::{Error, Result};
use crate::fields::is_tchar;

/// A field or file of a [`Form`](crate::body::multipart::form::Form), without its name.
///
/// ```
/// use leanhttp::multipart::{Form, Part};
///
/// let photo = Part::bytes(vec![0xff, 0xd8]).file_name("me.jpg"); // sent as image/jpeg
/// let data = Part::text("{}").mime_str("application/json")?;
/// let form = Form::new().part("photo", photo).part("data", data);
/// # Ok::<(), leanhttp::Error>(())
/// ```
pub struct Part<S: Source> {
    pub(super) content: Body<S>,
    content_type: Option<HeaderValue>,
    file_name: Option<Cow<'static, str>>,
    headers: HeaderMap,
}

impl<S: Source> Part<S> {
    /// Creates a part from a text, sent as UTF-8.
    pub fn text<T: Into<Cow<'static, str>>>(value: T) -> Self {
        Self::new(match value.into() {
            Cow::Borrowed(text) => text.into(),
            Cow::Owned(text) => text.into(),
        })
    }

    /// Creates a part from bytes.
    pub fn bytes<T: Into<Cow<'static, [u8]>>>(value: T) -> Self {
        Self::new(match value.into() {
            Cow::Borrowed(bytes) => bytes.into(),
            Cow::Owned(bytes) => bytes.into(),
        })
    }

    /// Creates a part from a body, for instance a rewindable one. If its length is unknown, the form is
    /// sent in chunks.
    ///
    /// ```
    /// use std::io::Cursor;
    /// use leanhttp::blocking::{Body, multipart::Part};
    ///
    /// let part = Part::body(Body::rewindable(Cursor::new("a reader"))).file_name("today.log");
    /// ```
    pub fn body<T: Into<Body<S>>>(content: T) -> Self {
        Self::new(content.into())
    }

    /// Creates a part from a source that the runtime reads.
    pub(crate) fn from_source(source: S, length: SourceLength) -> Self {
        Self::new(Body::from_source(source, length))
    }

    /// Creates a part from an open file, with the file name of `path`.
    pub(crate) fn of_file(path: &Path, source: S, length: SourceLength) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self::from_source(source, length).file_name(name)
    }

    pub(crate) fn new(content: Body<S>) -> Self {
        Self { content, content_type: None, file_name: None, headers: HeaderMap::new() }
    }

    /// Sets the part's `Content-Type`. By default a part with a file name gets one by its extension.
    ///
    /// # Errors
    ///
    /// Returns a [builder error](Error::is_builder) if `mime` does not start with `type/subtype`, both
    /// tokens (RFC 9110 §8.3.1), or its parameters contain a control character or are not ASCII.
    ///
    /// ```
    /// use leanhttp::blocking::multipart::Part;
    ///
    /// assert!(Part::text("a;b").mime_str("text/csv; charset=utf-8").is_ok());
    /// assert!(Part::text("a;b").mime_str("csv").is_err());
    /// ```
    pub fn mime_str(mut self, mime: &str) -> Result<Self> {
        let essence = essence(mime);
        if !is_media_type(essence) {
            let given = Excerpt::new(essence.as_bytes());
            let line = format!("invalid media type of a part, expected type/subtype: {given}");
            return Err(Error::builder(line));
        }
        let value = HeaderValue::from_str(mime).ok().filter(|value| value.to_str().is_ok());
        let invalid = || {
            Error::builder(
                "the parameters of a media type hold a control character or are not ASCII",
            )
        };
        self.content_type = Some(value.ok_or_else(invalid)?);
        Ok(self)
    }

    /// Sets the file name of the part, which is sent unchanged. It should not contain directories
    /// (RFC 7578 §4.2), but they are not removed.
    pub fn file_name<T: Into<Cow<'static, str>>>(mut self, filename: T) -> Self {
        self.file_name = Some(filename.into());
        self
    }

    /// Sets the header fields of the part, replacing those set before.
    ///
    /// A `Content-Type` is used only if [`mime_str`](Self::mime_str) has not set one. A
    /// `Content-Disposition` causes an error when the request is built, because it is made from the
    /// part's name and file name.
    pub fn headers(mut self, headers: HeaderMap) -> Self {
        self.headers = headers;
        self
    }

    /// Writes the delimiter line and the header fields.
    pub(super) fn write_head(
        &self,
        name: &str,
        names: NameEncoding,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        if self.headers.contains_key(header::CONTENT_DISPOSITION) {
            return Err(Error::builder("Content-Disposition among the headers of a part"));
        }
        let disposition = names.disposition(name, self.file_name.as_deref());
        write_field(out, "Content-Disposition", disposition.as_bytes());
        if let Some(content_type) = self.content_type() {
            write_field(out, "Content-Type", content_type);
        }
        for (name, value) in self.headers.iter().filter(|(n, _)| **n != header::CONTENT_TYPE) {
            write_field(out, name.as_str(), value.as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        Ok(())
    }

    fn content_type(&self) -> Option<&[u8]> {
        let given = self.content_type.as_ref().or_else(|| self.headers.get(header::CONTENT_TYPE));
        let by_name = || self.file_name.as_deref().map(|name| media_type::of_file(name).as_bytes());
        given.map(HeaderValue::as_bytes).or_else(by_name)
    }
}

fn write_field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    for piece in [name.as_bytes(), b": ", value, b"\r\n"] {
        out.extend_from_slice(piece);
    }
}

/// Returns the media type without its parameters, which may be a secret of the caller.
fn essence(mime: &str) -> &str {
    mime.split(';').next().unwrap_or_default().trim_end_matches([' ', '\t'])
}

/// Returns whether the text is `type/subtype`.
fn is_media_type(essence: &str) -> bool {
    let is_token = |part: &str| !part.is_empty() && part.bytes().all(is_tchar);
    essence.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}

/// Shows the length of the content, never its bytes.
impl<S: Source> fmt::Debug for Part<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("length", &self.content.length())
            .field("file_name", &self.file_name)
            .finish_non_exhaustive()
    }
}

/// Returns the length of a file that was just opened. Fails for a directory, which some systems open but
/// cannot read; a special file such as a pipe has no known length.
pub(crate) fn length_of(metadata: &Metadata) -> io::Result<SourceLength> {
    match (metadata.is_dir(), metadata.is_file()) {
        (true, _) => Err(io::ErrorKind::IsADirectory.into()),
        (_, true) => Ok(SourceLength::of_file(metadata.len())),
        _ => Ok(SourceLength::Unknown),
    }
}

/// Returns the error with the path in its text.
pub(crate) fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
