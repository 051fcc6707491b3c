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
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::error::Kind;

    /// A file that is deleted at the end of the test.
    struct Temporary(PathBuf);

    impl Temporary {
        fn new(name: &str, content: &[u8]) -> Self {
            let path = std::env::temp_dir().join(format!("{}-{name}", std::process::id()));
            std::fs::write(&path, content).unwrap();
            Self(path)
        }
    }

    impl Drop for Temporary {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    fn read(form: Form, step: usize) -> io::Result<String> {
        let mut reader = form.into_reader();
        let (mut bytes, mut piece) = (Vec::new(), vec![0; step]);
        loop {
            match reader.read(&mut piece)? {
                0 => return Ok(String::from_utf8(bytes).unwrap()),
                count => bytes.extend_from_slice(&piece[..count]),
            }
        }
    }

    fn form() -> Form {
        Form::new().with_boundary("BOUND").unwrap()
    }

    #[test]
    fn a_file_has_its_name_its_type_and_its_length() {
        let file = Temporary::new("a-file.txt", b"some text");
        let form = form().file("f", &file.0).unwrap();
        let name = file.0.file_name().unwrap().to_str().unwrap();
        let head = format!("form-data; name=\"f\"; filename=\"{name}\"");
        let expected = format!(
            "--BOUND\r\nContent-Disposition: {head}\r\nContent-Type: text/plain\r\n\r\n\
             some text\r\n--BOUND--\r\n"
        );
        assert_eq!(read(form, 64).unwrap(), expected);
    }

    #[test]
    fn a_file_that_shrinks_is_an_error() {
        let file = Temporary::new("shrinks", b"some text");
        let form = form().file("f", &file.0).unwrap();
        std::fs::write(&file.0, b"some").unwrap();
        let error = read(form, 64).unwrap_err();
        assert_eq!(error.to_string(), "the body ended 5 bytes before its announced length");
    }

    #[test]
    fn a_file_that_grows_is_sent_as_it_was() {
        let file = Temporary::new("grows", b"some text");
        let form = form().file("f", &file.0).unwrap();
        std::fs::write(&file.0, b"some text and more").unwrap();
        assert!(read(form, 64).unwrap().contains("\r\n\r\nsome text\r\n--BOUND--\r\n"));
    }

    /// Files in `/proc` report a length of 0 and are not empty.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_reports_no_length_but_has_content_is_an_error() {
        let error = read(form().file("f", "/proc/self/status").unwrap(), 64).unwrap_err();
        assert_eq!(error.to_string(), "the body is longer than its announced length");
        let empty = Temporary::new("empty", b"");
        assert!(read(form().file("f", &empty.0).unwrap(), 64).is_ok());
    }

    #[test]
    fn a_path_that_is_not_a_file_fails_immediately() {
        let missing = std::env::temp_dir().join("no such file");
        let table = [
            (missing, io::ErrorKind::NotFound),
            (std::env::temp_dir(), io::ErrorKind::IsADirectory),
        ];
        for (path, kind) in table {
            let error = form().file("f", &path).unwrap_err();
            assert!(error.to_string().starts_with(&format!("{}: ", path.display())), "{error}");
            assert_eq!(io::Error::from(error).kind(), kind);
        }
    }

    #[test]
    fn the_reader_returns_the_same_bytes_for_any_buffer_size() {
        let made = || {
            let unsized_part = Part::reader(&b"of unknown length"[..]);
            let sized = Part::reader_with_length(std::io::repeat(b'x').take(20_000), 20_000);
            form().text("t", "text").part("u", unsized_part).part("s", sized)
        };
        let whole = read(made(), 1 << 16).unwrap();
        assert!(whole.len() > 20_000 && whole.ends_with("--BOUND--\r\n"));
        for step in [1, 2, 7, 8191, 8192, 8193] {
            assert_eq!(read(made(), step).unwrap(), whole, "{step}");
        }
    }

    /// The count must not be trusted, or the form would end there as if it were complete.
    #[test]
    fn a_reader_that_claims_too_much_is_an_error() {
        struct Liar;
        impl Read for Liar {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                Ok(into.len() + 1)
            }
        }
        let error = read(form().part("n", Part::reader(Liar)), 64).unwrap_err();
        assert!(error.to_string().starts_with("a reader claimed more bytes"), "{error}");
    }

    #[test]
    fn a_form_that_cannot_be_sent_fails_when_read() {
        let mut headers = http::HeaderMap::new();
        headers.insert("content-disposition", http::HeaderValue::from_static("x"));
        let refused = || form().part("n", Part::text("x").headers(headers.clone()));
        let line = "Content-Disposition among the headers of a part";
        assert_eq!(read(refused(), 64).unwrap_err().to_string(), line);

        let request = super::super::Client::new().post("http://example.org/").multipart(refused());
        let error = request.build().unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Builder, line));
    }
}
