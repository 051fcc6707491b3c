//! Forms of fields and files: [the guide](crate::multipart), and the methods that take readers and files.

#[cfg(feature = "stream")]
use std::borrow::Cow;
#[cfg(feature = "stream")]
use std::io;
#[cfg(feature = "stream")]
use std::path::Path;
#[cfg(feature = "stream")]
use std::pin::Pin;
#[cfg(feature = "stream")]
use std::task::{Context, Poll, ready};

#[cfg(feature = "stream")]
use ::tokio::fs::File;
use ::tokio::io::AsyncRead;
#[cfg(feature = "stream")]
use bytes::Bytes;
#[cfg(feature = "stream")]
use futures_core::Stream;

use super::{Body, Source};
use crate::body::SourceLength;
#[cfg(feature = "stream")]
use crate::body::multipart::{length_of, unreadable};
#[cfg(feature = "stream")]
use crate::error::Result;

/// A `multipart/form-data` body.
pub type Form = crate::body::multipart::Form<super::Source>;
/// A field or file of a [`Form`].
pub type Part = crate::body::multipart::Part<super::Source>;

impl Part {
    /// Creates a part from a body: with its length, if it is known, otherwise in chunks.
    ///
    /// ```
    /// use leanhttp::tokio::{Body, multipart::Part};
    ///
    /// let log = Part::stream(Body::new(&b"a reader"[..])).file_name("today.log");
    /// ```
    pub fn stream<T: Into<Body>>(value: T) -> Self {
        Self::new(value.into())
    }

    /// Creates a part from a body of `length` bytes; a body that is read works as in
    /// [`reader_with_length`](Self::reader_with_length). A body in memory keeps its own length.
    ///
    /// ```
    /// use leanhttp::tokio::multipart::Part;
    ///
    /// let part = Part::stream_with_length("nine byte", 9);
    /// ```
    pub fn stream_with_length<T: Into<Body>>(value: T, length: u64) -> Self {
        let mut content = value.into();
        let _ = content.announce(length); // an error for bytes, which have a length
        Self::new(content)
    }

    /// Creates a part from a reader, up to its end. Its length is not known, so the request is sent
    /// in chunks.
    pub fn reader<R: AsyncRead + Send + 'static>(value: R) -> Self {
        Self::from_source(Source::new(value), SourceLength::Unknown)
    }

    /// Creates a part from a reader's next `length` bytes; it is not read beyond them. If the
    /// reader ends earlier, the call fails ([`Kind::Body`](crate::error::Kind::Body)) before the
    /// server can take the request as complete.
    ///
    /// Use it to send a file without the feature `stream`, which has `Part::file`: open the file
    /// with tokio, and take the length from its metadata.
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
    ///
    /// ```
    /// use leanhttp::tokio::multipart::Part;
    ///
    /// let part = Part::reader_with_length(&b"only the first nine"[..], 9);
    /// ```
    pub fn reader_with_length<R: AsyncRead + Send + 'static>(value: R, length: u64) -> Self {
        Self::from_source(Source::new(value), SourceLength::Exactly(length))
    }
}

#[cfg(feature = "stream")]
impl Part {
    /// Creates a part from a file, with the file's name and the type of its extension.
    ///
    /// The file is opened immediately and read when the request is sent, up to its current
    /// length: if it shrinks until then, that is an error. A request that is sent again reads
    /// it again.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened, or is a directory; the error names the path.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use leanhttp::tokio::multipart::{Form, Part};
    ///
    /// let photo = Part::file("photo.raw").await?.mime_str("image/x-raw")?;
    /// let form = Form::new().part("photo", photo);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn file<T: AsRef<Path>>(path: T) -> Result<Self> {
        let path = path.as_ref();
        let (file, length) = open(path).await.map_err(|error| unreadable(path, error))?;
        Ok(Self::of_file(path, Source::rewindable(file), length))
    }
}

#[cfg(feature = "stream")]
async fn open(path: &Path) -> io::Result<(File, SourceLength)> {
    let file = File::open(path).await?;
    let length = length_of(&file.metadata().await?)?;
    Ok((file, length))
}

#[cfg(feature = "stream")]
impl Form {
    /// Adds a file; see [`Part::file`].
    ///
    /// ```no_run
    /// # async fn example() -> leanhttp::Result<()> {
    /// use leanhttp::tokio::multipart::Form;
    ///
    /// let form = Form::new().text("title", "My cat").file("photo", "cat.jpg").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the file cannot be opened, or is a directory; the error names the path.
    pub async fn file<T, U>(self, name: T, path: U) -> Result<Self>
    where
        T: Into<Cow<'static, str>>,
        U: AsRef<Path>,
    {
        Ok(self.part(name, Part::file(path).await?))
    }

    /// Returns the form's bytes, as they are sent, as a stream. It ends with the form, or after the first
    /// error.
    ///
    /// Each error that would make a request with this form fail is an error of the stream.
    ///
    /// ```
    /// use futures_core::Stream;
    /// use leanhttp::tokio::multipart::Form;
    ///
    /// let form = Form::new().text("title", "My cat");
    /// let media_type = format!("multipart/form-data; boundary={}", form.boundary());
    /// let body: Box<dyn Stream<Item = leanhttp::Result<bytes::Bytes>>> = Box::new(form.into_stream());
    /// ```
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes>> + Send + Sync + use<> {
        FormStream(Some(self.into_body().map(|(_, body)| body)))
    }
}

/// The pieces of a form; `None` after the end.
#[cfg(feature = "stream")]
struct FormStream(Option<Result<Body>>);

#[cfg(feature = "stream")]
impl Stream for FormStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        let piece = match self.0.take() {
            None => return Poll::Ready(None),
            Some(Err(error)) => return Poll::Ready(Some(Err(error))),
            Some(Ok(mut body)) => {
                let piece = body.poll_piece(cx);
                self.0 = Some(Ok(body));
                ready!(piece)
            }
        };
        if !matches!(piece, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(piece)
    }
}
