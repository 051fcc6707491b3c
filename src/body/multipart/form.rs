//! A form: named parts, and the request body that they make.

use std::borrow::Cow;
use std::fmt;

use http::header::HeaderValue;

use super::boundary::Boundary;
use super::disposition::NameEncoding;
use super::part::Part;
use crate::body::Source;
use crate::body::{Body, Presence, Segment};
use crate::error::{Error, Result};

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
        let mut body = Body::empty();
        let mut between = Vec::new();
        for (name, part) in self.parts {
            between.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
            part.write_head(&name, self.names, &mut between)?;
            check_content(&self.boundary, &part.content)?;
            body.push(Segment::Bytes(std::mem::take(&mut between).into()));
            body.append(part.content);
            between.extend_from_slice(b"\r\n");
        }
        between.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        body.push(Segment::Bytes(between.into()));
        Ok((self.boundary.content_type()?, body))
    }
}

/// Checks that the content does not contain the boundary (RFC 2046 §5.1.1). Readers cannot be searched.
fn check_content<S: Source>(boundary: &Boundary, content: &Body<S>) -> Result<()> {
    if content.presence_of_trailers() == Presence::Yes {
        return Err(Error::builder("a part of a form cannot have trailers"));
    }
    match content.known().any(|bytes| boundary.is_in(bytes)) {
        true => Err(Error::builder("a part of the form contains the boundary")),
        false => Ok(()),
    }
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
