//! Forms of fields and files: [the guide](crate::multipart), and what reads readers.

use ::tokio::io::AsyncRead;

use super::{Body, Source};
use crate::body::SourceLength;

/// A `multipart/form-data` body.
pub type Form = crate::body::multipart::form::Form<super::Source>;
/// A field or file of a [`Form`].
pub type Part = crate::body::multipart::part::Part<super::Source>;

impl Part {
    /// What a body is: of its length, if it knows one, and else in chunks.
    ///
    /// ```
    /// use leanhttp::tokio::{Body, multipart::Part};
    ///
    /// let log = Part::stream(Body::new(&b"a reader"[..])).file_name("today.log");
    /// ```
    pub fn stream<T: Into<Body>>(value: T) -> Self {
        Self::new(value.into())
    }

    /// What a body gives, `length` bytes; for one that is read, as
    /// [`reader_with_length`](Self::reader_with_length) has it. What is made of bytes has a length of
    /// its own.
    pub fn stream_with_length<T: Into<Body>>(value: T, length: u64) -> Self {
        let mut content = value.into();
        let _ = content.announce(length); // bytes do not take one
        Self::new(content)
    }

    /// What a reader gives until it ends. Its length is not known, so the request is sent in
    /// chunks.
    pub fn reader<R: AsyncRead + Send + 'static>(value: R) -> Self {
        Self::from_source(Source::new(value), SourceLength::Unknown)
    }

    /// The next `length` bytes that a reader gives: it is not read beyond them. A reader that gives fewer
    /// is an error ([`Kind::Body`](crate::error::Kind::Body)) before the server can take the request
    /// for complete.
    ///
    /// It is how a file is sent without the feature `stream`, which has `Part::file`: opened by tokio,
    /// with the length that its metadata say.
    ///
    /// ```no_run
    /// use leanhttp::tokio::multipart::{Form, Part};
    ///
    /// # async fn example(file: impl tokio::io::AsyncRead + Send + 'static, length: u64) {
    /// // let file = tokio::fs::File::open("photo.jpg").await?;
    /// // let length = file.metadata().await?.len();
    /// let photo = Part::reader_with_length(file, length).file_name("photo.jpg");
    /// let form = Form::new().text("note", "holiday").part("photo", photo);
    /// # }
    /// ```
    pub fn reader_with_length<R: AsyncRead + Send + 'static>(value: R, length: u64) -> Self {
        Self::from_source(Source::new(value), SourceLength::Exactly(length))
    }
}
