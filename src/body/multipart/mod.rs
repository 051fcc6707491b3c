//! `multipart/form-data` bodies (RFC 7578): a [`Form`] of named [`Part`]s, which becomes a [`Body`].

// ```text
// --boundary
// Content-Disposition: form-data; name="photo"; filename="cat.jpg"     one part: Part::write_head
// Content-Type: image/jpeg
//
// (the content of the part, a Body of its own: bytes or a source)
// --boundary--                                                         Form::into_body
// ```
//
// No source is read when a form becomes a body. The lines between the contents are byte segments; a short
// content in memory is copied behind its lines, and any other is appended as it is. The form's length is known
// if all of its parts' are. `syntax` has the lines themselves: the boundary, names and file names, and the media
// types of files.
//
// A form with a short text and a file of unknown length, as segments of its body:
//
//   [bytes]   --b CRLF Content-Disposition: form-data; name="a" CRLF CRLF the text
//             CRLF --b CRLF Content-Disposition: ...; filename="f.bin" CRLF Content-Type: ... CRLF CRLF
//   [source]  the file
//   [bytes]   CRLF --b-- CRLF
//
// The line end after a content belongs to the next boundary (RFC 2046 §5.1.1), so an empty form is
// only `--b--`. Trailers of a part would have no place and are an error. A form of bytes can be
// sent again, one with a file too (it seeks), one with a reader only until it was read
// (`a_form_of_bytes_can_be_sent_again`). A form never holds more than its parts: a file of any size
// goes through the space of the driver (`a_gibibyte_goes_through_64_kib`), and an independent
// parser reads the result back (`an_independent_parser_reads_it_back`).
//
// A random boundary of 128 bits is newer than the content, so the author of a part cannot end it early.
// With a given boundary the parts in memory are searched for it.

mod syntax;

use std::borrow::Cow;
use std::fmt;
#[cfg(any(feature = "blocking", feature = "stream"))]
use std::fs::Metadata;
#[cfg(any(feature = "blocking", feature = "stream"))]
use std::io;
#[cfg(any(feature = "blocking", feature = "stream"))]
use std::path::Path;

use http::header::{self, HeaderMap, HeaderValue};

use self::syntax::{Boundary, NameEncoding, media_type_of_file};
use crate::base::text::Excerpt;
use crate::body::{Body, Presence, Segment, Source, SourceLength};
use crate::error::{Error, Result};
use crate::fields::is_tchar;

pub(crate) use self::syntax::completed;

/// A `multipart/form-data` body; [the module](crate::multipart) describes its encoding.
///
/// ```
/// use leanhttp::multipart::{Form, Part};
///
/// let form = Form::new()
///     .text("name", "value")
///     .part("upload", Part::bytes(vec![1, 2, 3]).file_name("three.bin"));
/// let request = leanhttp::Client::new().post("http://example.org/").multipart(form).build()?;
/// let content_type = request.headers()["content-type"].to_str().unwrap();
/// assert!(content_type.starts_with("multipart/form-data; boundary="));
/// # Ok::<(), leanhttp::Error>(())
/// ```
pub struct Form<S: Source> {
    boundary: Boundary,
    names: NameEncoding,
    parts: Vec<(Cow<'static, str>, Part<S>)>,
}

impl<S: Source> Form<S> {
    /// Creates a form without parts and with a random boundary.
    ///
    /// If the system has no random bytes, building the request fails.
    pub fn new() -> Self {
        Self { boundary: Boundary::random(), names: NameEncoding::Html, parts: Vec::new() }
    }

    /// Sets the boundary, for a request that must be reproducible.
    ///
    /// Anyone who knows the boundary in advance can end a part early and add parts of their own.
    /// Texts and bytes that contain it are an error when the request is built, but files and readers
    /// are not searched: use it only for tests, or if you control every value.
    ///
    /// # Errors
    ///
    /// Returns a [builder error](crate::Error::is_builder) unless `boundary` has 1 to 70 letters, digits
    /// and `'()+_,-./:=? `, and no space at its end (RFC 2046 §5.1.1).
    ///
    /// ```
    /// use std::io::Read;
    /// use leanhttp::blocking::multipart::Form;
    ///
    /// let mut body = String::new();
    /// let form = Form::new().with_boundary("limit")?.text("a", "1");
    /// form.into_reader().read_to_string(&mut body).unwrap();
    /// let part = "Content-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
    /// assert_eq!(body, format!("--limit\r\n{part}--limit--\r\n"));
    ///
    /// assert!(Form::new().with_boundary("a;b").is_err());
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn with_boundary<T: Into<String>>(mut self, boundary: T) -> Result<Self> {
        self.boundary = Boundary::given(boundary.into())?;
        Ok(self)
    }

    /// Returns the boundary; empty if the system had no random bytes for one.
    pub fn boundary(&self) -> &str {
        self.boundary.as_str().unwrap_or_default()
    }

    /// Adds a text field.
    ///
    /// ```
    /// let form = leanhttp::multipart::Form::new().text("author", "Zoë").text("lang", "en");
    /// ```
    pub fn text<T, U>(self, name: T, value: U) -> Self
    where
        T: Into<Cow<'static, str>>,
        U: Into<Cow<'static, str>>,
    {
        self.part(name, Part::text(value))
    }

    /// Adds a part.
    ///
    /// ```
    /// use leanhttp::multipart::{Form, Part};
    ///
    /// let notes = Part::text("a,b\n1,2\n").file_name("notes.csv");
    /// let form = Form::new().part("notes", notes);
    /// ```
    pub fn part<T: Into<Cow<'static, str>>>(mut self, name: T, part: Part<S>) -> Self {
        self.parts.push((name.into(), part));
        self
    }

    /// Percent-encodes names with characters that a path segment of a URL cannot have, as
    /// `name*=utf-8''…`. Few servers support that. File names are not encoded this way, because RFC 7578
    /// §4.2 forbids it.
    pub fn percent_encode_path_segment(self) -> Self {
        self.with_names(NameEncoding::PATH_SEGMENT)
    }

    /// Percent-encodes names with characters other than the `attr-char` of RFC 5987, as
    /// `name*=utf-8''…`; see
    /// [`percent_encode_path_segment`](Self::percent_encode_path_segment).
    pub fn percent_encode_attr_chars(self) -> Self {
        self.with_names(NameEncoding::ATTR_CHARS)
    }

    /// Writes names as UTF-8 between quotes, as browsers do. This is the default.
    pub fn percent_encode_noop(self) -> Self {
        self.with_names(NameEncoding::Html)
    }

    fn with_names(mut self, names: NameEncoding) -> Self {
        self.names = names;
        self
    }

    /// Returns the `Content-Type` and the body.
    pub(crate) fn into_body(self) -> Result<(HeaderValue, Body<S>)> {
        let boundary = self.boundary.as_str()?;
        let mut body = Body::default();
        let mut between = Vec::new();
        for (name, part) in self.parts {
            push_all(&mut between, [b"--", boundary.as_bytes(), b"\r\n"]);
            part.write_head(&name, self.names, &mut between)?;
            check_content(&self.boundary, &part.content)?;
            match part.content.as_bytes() {
                Some(short) if short.len() <= LONGEST_COPY => between.extend_from_slice(short),
                _ => {
                    body.push(Segment::Bytes(std::mem::take(&mut between).into()));
                    body.append(part.content);
                }
            }
            between.extend_from_slice(b"\r\n");
        }
        push_all(&mut between, [b"--", boundary.as_bytes(), b"--\r\n"]);
        body.push(Segment::Bytes(between.into()));
        Ok((self.boundary.content_type()?, body))
    }
}

/// The longest content that is copied when a form becomes a body: a segment of its own would cost more.
const LONGEST_COPY: usize = 1024;

/// Checks that the content does not contain the boundary (RFC 2046 §5.1.1). Readers cannot be searched.
fn check_content<S: Source>(boundary: &Boundary, content: &Body<S>) -> Result<()> {
    if content.presence_of_trailers() == Presence::Yes {
        return Err(Error::builder("a part of a form cannot have trailers"));
    }
    if content.known().any(|bytes| boundary.is_in(bytes)) {
        return Err(Error::builder("a part of the form contains the boundary"));
    }
    Ok(())
}

impl<S: Source> Default for Form<S> {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows the names and lengths of the parts, never their content.
impl<S: Source> fmt::Debug for Form<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Form")
            .field("boundary", &self.boundary())
            .field("parts", &self.parts)
            .finish_non_exhaustive()
    }
}

/// A field or file of a [`Form`], without its name.
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
    content: Body<S>,
    content_type: Option<HeaderValue>,
    file_name: Option<Cow<'static, str>>,
    /// In a box, because a part is moved often and rarely has any.
    headers: Option<Box<HeaderMap>>,
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
    #[cfg(any(feature = "blocking", feature = "stream"))]
    pub(crate) fn of_file(path: &Path, source: S, length: SourceLength) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self::from_source(source, length).file_name(name)
    }

    pub(crate) fn new(content: Body<S>) -> Self {
        Self { content, content_type: None, file_name: None, headers: None }
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
        self.headers = Some(Box::new(headers));
        self
    }

    /// Writes the delimiter line and the header fields.
    fn write_head(&self, name: &str, names: NameEncoding, out: &mut Vec<u8>) -> Result<()> {
        let headers = self.headers.as_deref();
        if headers.is_some_and(|headers| headers.contains_key(header::CONTENT_DISPOSITION)) {
            return Err(Error::builder("Content-Disposition among the headers of a part"));
        }
        out.extend_from_slice(b"Content-Disposition: ");
        names.push_disposition(out, name, self.file_name.as_deref());
        out.extend_from_slice(b"\r\n");
        if let Some(content_type) = self.content_type() {
            write_field(out, "Content-Type", content_type);
        }
        for (name, value) in headers.into_iter().flatten() {
            if name != header::CONTENT_TYPE {
                write_field(out, name.as_str(), value.as_bytes());
            }
        }
        out.extend_from_slice(b"\r\n");
        Ok(())
    }

    fn content_type(&self) -> Option<&[u8]> {
        let among_headers = || self.headers.as_deref()?.get(header::CONTENT_TYPE);
        let given = self.content_type.as_ref().or_else(among_headers);
        let by_name = || self.file_name.as_deref().map(|name| media_type_of_file(name).as_bytes());
        given.map(HeaderValue::as_bytes).or_else(by_name)
    }
}

fn write_field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    push_all(out, [name.as_bytes(), b": ", value, b"\r\n"]);
}

fn push_all<const N: usize>(out: &mut Vec<u8>, pieces: [&[u8]; N]) {
    out.reserve(pieces.iter().map(|piece| piece.len()).sum());
    for piece in pieces {
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
#[cfg(any(feature = "blocking", feature = "stream"))]
pub(crate) fn length_of(metadata: &Metadata) -> io::Result<SourceLength> {
    match (metadata.is_dir(), metadata.is_file()) {
        (true, _) => Err(io::ErrorKind::IsADirectory.into()),
        (_, true) => Ok(SourceLength::of_file(metadata.len())),
        _ => Ok(SourceLength::Unknown),
    }
}

/// Returns the error for a file that cannot be opened.
#[cfg(any(feature = "blocking", feature = "stream"))]
pub(crate) fn unreadable(path: &Path, error: io::Error) -> Error {
    Error::builder(path.display().to_string()).cause(error)
}

#[cfg(test)]
mod tests;
