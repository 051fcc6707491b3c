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
    let table =
        [(missing, io::ErrorKind::NotFound), (std::env::temp_dir(), io::ErrorKind::IsADirectory)];
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
