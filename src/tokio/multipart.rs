//! Forms of fields and files: [the guide](crate::multipart), and what reads readers.

use ::tokio::io::AsyncRead;

use super::Tokio;
use crate::body::SourceLength;

/// A `multipart/form-data` body.
pub type Form = crate::multipart::form::Form<Tokio>;
/// A field or file of a [`Form`].
pub type Part = crate::multipart::part::Part<Tokio>;

impl Part {
    /// What a reader gives until it ends. Its length is not known, so the request is sent in
    /// chunks.
    pub fn reader<R: AsyncRead + Send + 'static>(value: R) -> Self {
        Self::from_source(Box::pin(value), SourceLength::Unknown)
    }

    /// What a reader gives, `length` bytes. A reader that gives fewer or more is an error
    /// ([`Kind::Body`](crate::error::Kind::Body)) before the server can take the request for
    /// complete.
    ///
    /// It is how a file is sent: opened by tokio, with the length that its metadata say.
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
        Self::from_source(Box::pin(value), SourceLength::Exactly(length))
    }
}
