//! Forms of fields and files: [the guide](crate::multipart), and the methods that take files and
//! readers.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::{Blocking, Body, Source};
use crate::body::SourceLength;
use crate::body::multipart::{length_of, unreadable};
use crate::driver::runtime::read_body;
use crate::driver::runtime::run;
use crate::error::Result;

/// A `multipart/form-data` body.
pub type Form = crate::body::multipart::Form<super::Source>;
/// A field or file of a [`Form`].
pub type Part = crate::body::multipart::Part<super::Source>;

impl Part {
    /// Creates a part from a reader, up to its end. Its length is not known, so the request is sent
    /// in chunks.
    pub fn reader<R: Read + Send + 'static>(value: R) -> Self {
        Self::from_source(Source::new(value), SourceLength::Unknown)
    }

    /// Creates a part from a reader's next `length` bytes; it is not read beyond them. If the
    /// reader ends earlier, the call fails ([`Kind::Body`](crate::error::Kind::Body)) before the
    /// server can take the request as complete.
    ///
    /// ```
    /// use leanhttp::multipart::Part;
    ///
    /// let part = Part::reader_with_length(std::io::Cursor::new("only the first nine"), 9);
    /// ```
    pub fn reader_with_length<R: Read + Send + 'static>(value: R, length: u64) -> Self {
        Self::from_source(Source::new(value), SourceLength::Exactly(length))
    }

    /// Creates a part from a file, with the file's name and the type of its extension.
    ///
    /// The file is opened immediately and read when the request is sent, up to its current length:
    /// if it shrinks until then, that is an error. A request that is sent again reads it again.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened, or is a directory; the error names the path.
    ///
    /// ```
    /// use leanhttp::multipart::Part;
    ///
    /// let error = Part::file("no/such/file").unwrap_err();
    /// assert!(error.is_builder() && error.to_string().starts_with("no/such/file: "));
    /// assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::NotFound);
    /// ```
    pub fn file<T: AsRef<Path>>(path: T) -> Result<Self> {
        let path = path.as_ref();
        let (file, length) = open(path).map_err(|error| unreadable(path, error))?;
        Ok(Self::of_file(path, Source::rewindable(file), length))
    }
}

fn open(path: &Path) -> io::Result<(File, SourceLength)> {
    let file = File::open(path)?;
    let length = length_of(&file.metadata()?)?;
    Ok((file, length))
}

impl Form {
    /// Adds a file; see [`Part::file`].
    ///
    /// ```no_run
    /// use leanhttp::multipart::Form;
    ///
    /// let form = Form::new().text("title", "My cat").file("photo", "cat.jpg")?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the file cannot be opened, or is a directory; the error names the path.
    pub fn file<T, U>(self, name: T, path: U) -> Result<Self>
    where
        T: Into<std::borrow::Cow<'static, str>>,
        U: AsRef<Path>,
    {
        Ok(self.part(name, Part::file(path)?))
    }

    /// Returns a reader of the form's bytes, as they are sent.
    ///
    /// Each error that would make a request with this form fail makes reading fail.
    pub fn into_reader(self) -> impl Read {
        let body = match self.into_body() {
            Ok((_, body)) => body,
            Err(error) => Body::new(Refused(error.to_string())),
        };
        BodyReader(body)
    }
}

/// Reads a body for the caller in the way that the driver does.
struct BodyReader(Body);

impl Read for BodyReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        run(|| read_body::<Blocking>(&mut self.0, into))
    }
}

/// A reader for a form that cannot be sent; each read fails.
struct Refused(String);

impl Read for Refused {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other(self.0.clone()))
    }
}

#[cfg(test)]
mod tests;
