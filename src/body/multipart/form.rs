//! A form: named parts, and the body that they make.

use std::borrow::Cow;
use std::fmt;

use http::header::HeaderValue;

use super::boundary::Boundary;
use super::disposition::NameEncoding;
use super::part::Part;
use crate::body::Source;
use crate::body::{Body, Presence, Segment};
use crate::error::{Error, Result};

/// A `multipart/form-data` body; see [the module](crate::multipart) for what is written.
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
    /// A form without parts, and with a random boundary.
    ///
    /// If the system gives no randomness, building the request is an error.
    pub fn new() -> Self {
        Self { boundary: Boundary::random(), names: NameEncoding::Html, parts: Vec::new() }
    }

    /// Sets the boundary, for a request that has to be the same each time.
    ///
    /// Anyone who knows the boundary beforehand can fill a part so that it ends early and is
    /// followed by parts of their own. Texts and bytes that hold it are refused when the request
    /// is built, but files and readers are not searched: use it for tests, or when every value is
    /// yours.
    ///
    /// # Errors
    ///
    /// A [builder error](crate::Error::is_builder) unless it has 1 to 70 letters, digits and
    /// `'()+_,-./:=? `, and no space at its end (RFC 2046 §5.1.1).
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

    /// The boundary; empty if the system gave no randomness for one.
    pub fn boundary(&self) -> &str {
        self.boundary.as_str().unwrap_or_default()
    }

    /// Adds a field.
    pub fn text<T, U>(self, name: T, value: U) -> Self
    where
        T: Into<Cow<'static, str>>,
        U: Into<Cow<'static, str>>,
    {
        self.part(name, Part::text(value))
    }

    /// Adds a part.
    pub fn part<T: Into<Cow<'static, str>>>(mut self, name: T, part: Part<S>) -> Self {
        self.parts.push((name.into(), part));
        self
    }

    /// Writes names that are more than a path segment of a URL may hold percent-encoded, as
    /// `name*=utf-8''…`. Few servers read that, RFC 7578 §4.2 rules it out for file names, and
    /// those stay as they are.
    pub fn percent_encode_path_segment(self) -> Self {
        self.with_names(NameEncoding::PATH_SEGMENT)
    }

    /// Writes names that are more than the `attr-char` of RFC 5987 percent-encoded, as
    /// `name*=utf-8''…`; see
    /// [`percent_encode_path_segment`](Self::percent_encode_path_segment).
    pub fn percent_encode_attr_chars(self) -> Self {
        self.with_names(NameEncoding::ATTR_CHARS)
    }

    /// Writes names as UTF-8 between quotes: the default, and what browsers do.
    pub fn percent_encode_noop(self) -> Self {
        self.with_names(NameEncoding::Html)
    }

    fn with_names(mut self, names: NameEncoding) -> Self {
        self.names = names;
        self
    }

    /// The form as a body, and its type.
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

/// RFC 2046 §5.1.1: the boundary must not stand in a part. A reader cannot be searched.
fn check_content<S: Source>(boundary: &Boundary, content: &Body<S>) -> Result<()> {
    if content.presence_of_trailers() == Presence::Yes {
        return Err(Error::builder("a part of a form has no trailers"));
    }
    match content.known().any(|bytes| boundary.is_in(bytes)) {
        true => Err(Error::builder("the boundary of the form stands in a part")),
        false => Ok(()),
    }
}

impl<S: Source> Default for Form<S> {
    fn default() -> Self {
        Self::new()
    }
}

/// Names the parts and says how much there is, never what.
impl<S: Source> fmt::Debug for Form<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Form")
            .field("boundary", &self.boundary())
            .field("parts", &self.parts)
            .finish_non_exhaustive()
    }
}
