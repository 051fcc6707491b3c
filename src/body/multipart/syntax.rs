//! The syntax of a form's bytes: the boundary between parts (RFC 2046 §5.1.1), the `Content-Disposition` of a part
//! with its name and file name (RFC 7578 §4.2), and the media type that a file name suggests.
//!
//! A name, a file name or a type that a program passes may come from a user. It must not end a
//! line, a quoted string or a part (`tests/hostile_input.rs`, `i05_names_of_parts_are_escaped`,
//! `i05_types_of_parts_are_validated`, `i06_boundaries_are_unpredictable`):
//!
//! ```text
//! name       a"b<LF>c            Content-Disposition: form-data; name="a%22b%0Ac"      as browsers do
//! extended   ü                   Content-Disposition: form-data; name*=utf-8''%C3%BC   on request
//! file name  ü"                  ...; filename="ü%22"                                   always as browsers do
//! ```
//!
//! Three escapes are all that browsers make, and servers expect no others: percent signs are not
//! escaped, so a name that contains `%22` itself is ambiguous, which is a property of the format.
//!
//! A boundary that the caller gives is checked against each part in memory, because it may be old;
//! a random one is younger than any content and need not be.
//!
//! | rule | checked | by |
//! | --- | --- | --- |
//! | 1 to 70 characters of RFC 2046, no space at the end | when a boundary is given | `a_given_boundary_is_checked_and_quoted_where_it_must` |
//! | quoted in `Content-Type` if it is no token | when the form becomes a body | the same test |
//! | not in a part that is in memory | when the form becomes a body | `a_value_that_holds_the_given_boundary_is_refused` |
//! | random boundaries are tokens of 32 characters | by their form | `a_random_boundary_is_a_token_of_128_bits_and_never_twice_the_same` |
//! | the caller's own multipart type has no other boundary | when the request is built | `tests/request_fields.rs`, `another_boundary_is_an_error` |

use http::HeaderValue;

use super::push_all;
use crate::base::text::{C0_CONTROL, Table, find_any};
use crate::error::{Error, Result};
use crate::fields::is_tchar;
use crate::fields::media_type::MediaType;

/// The text of the delimiter line, without the leading dashes.
#[derive(Debug)]
pub(super) enum Boundary {
    Random(Result<String, getrandom::Error>),
    Given(String),
}

impl Boundary {
    /// Creates a boundary of 128 random bits. The author of a part cannot guess it, and so cannot forge the
    /// end of the part.
    pub(super) fn random() -> Self {
        let mut bits = [0; 16];
        let filled = getrandom::getrandom(&mut bits);
        Self::Random(filled.map(|()| format!("{:032x}", u128::from_ne_bytes(bits))))
    }

    /// Checks a boundary set by the caller.
    pub(super) fn given(text: String) -> Result<Self> {
        let ends_well = text.bytes().last().is_some_and(|last| last != b' ');
        if !ends_well || text.len() > 70 || !text.bytes().all(is_bchar) {
            return Err(Error::builder("invalid boundary of a form"));
        }
        Ok(Self::Given(text))
    }

    pub(super) fn as_str(&self) -> Result<&str> {
        match self {
            Self::Random(Ok(text)) | Self::Given(text) => Ok(text),
            // The text of the error, because its type does not implement `std::error::Error`.
            Self::Random(Err(error)) => {
                Err(Error::builder("no randomness for the boundary").cause(error.to_string()))
            }
        }
    }

    /// Returns whether `content` contains the boundary. Always false for a random boundary, which is newer
    /// than the content.
    pub(super) fn is_in(&self, content: &[u8]) -> bool {
        let Self::Given(text) = self else { return false };
        let line = format!("--{text}");
        content.windows(line.len()).any(|window| window == line.as_bytes())
    }

    /// Returns the `Content-Type` of the form.
    pub(super) fn content_type(&self) -> Result<HeaderValue> {
        with_boundary(b"multipart/form-data", self.as_str()?)
    }
}

/// Adds the boundary to a multipart `Content-Type` of the caller that has none. `None` keeps the caller's
/// type; another boundary than the form's is an error.
pub(crate) fn completed(given: &HeaderValue, own: &HeaderValue) -> Result<Option<HeaderValue>> {
    if given == own {
        return Ok(None); // nearly always
    }
    let parse = |value: &HeaderValue| MediaType::parse(value.as_bytes());
    let (Some(named), Some(own)) = (parse(given), parse(own)) else { return Ok(None) };
    let boundary = own.parameter("boundary").unwrap_or_default();
    if !named.essence.starts_with("multipart/") {
        return Ok(None);
    }
    match named.parameter("boundary") {
        Some(named) if named == boundary => Ok(None),
        Some(_) => Err(Error::builder("Content-Type names another boundary than the form's")),
        None => with_boundary(given.as_bytes(), boundary).map(Some),
    }
}

fn with_boundary(mut media_type: &[u8], boundary: &str) -> Result<HeaderValue> {
    while let [rest @ .., b';' | b' ' | b'\t'] = media_type {
        media_type = rest;
    }
    let quote = if boundary.bytes().all(is_tchar) { "" } else { "\"" };
    let parameter = format!("; boundary={quote}{boundary}{quote}");
    HeaderValue::from_bytes(&[media_type, parameter.as_bytes()].concat())
        .map_err(|error| Error::builder("boundary of a form").cause(error))
}

fn is_bchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte)
}

/// The encoding of part names; file names are always encoded as [`Html`](Self::Html).
#[derive(Clone, Copy)]
pub(super) enum NameEncoding {
    /// Quoted, as in browsers.
    Html,
    /// Percent-encoded as the parameter `name*` if the name needs encoding (RFC 5987 §3.2), else
    /// quoted.
    Extended(&'static Table),
}

impl NameEncoding {
    /// Encodes every character that is not allowed in a path segment of a URL.
    pub(super) const PATH_SEGMENT: Self =
        Self::Extended(const { &C0_CONTROL.encoding(b" \"#%/<>?`{}") });
    /// Encodes every character that is not an `attr-char` (RFC 5987 §3.2.1).
    pub(super) const ATTR_CHARS: Self =
        Self::Extended(const { &C0_CONTROL.encoding(b" \"%'()*,/:;<=>?@[\\]{}") });

    /// Appends the value of the field.
    pub(super) fn push_disposition(self, out: &mut Vec<u8>, name: &str, file_name: Option<&str>) {
        out.extend_from_slice(b"form-data; ");
        match self.extended(name) {
            Some(encoded) => {
                out.extend_from_slice(b"name*=utf-8''");
                out.extend_from_slice(encoded.as_bytes());
            }
            None => push_quoted(out, b"name=\"", name),
        }
        if let Some(file_name) = file_name {
            push_quoted(out, b"; filename=\"", file_name);
        }
    }

    /// Returns the encoded name, if a character needed encoding.
    fn extended(self, name: &str) -> Option<String> {
        let Self::Extended(table) = self else { return None };
        let mut encoded = String::with_capacity(name.len());
        table.push(&mut encoded, name);
        (encoded != name).then_some(encoded)
    }
}

/// Appends a quoted parameter, which begins with `start`. A backslash is not escaped: servers disagree about its
/// meaning, and Windows file names contain it.
fn push_quoted(out: &mut Vec<u8>, start: &[u8], text: &str) {
    out.extend_from_slice(start);
    let mut rest = text.as_bytes();
    while let Some((plain, [byte, behind @ ..])) =
        find_any(*b"\"\r\n", rest).map(|at| rest.split_at(at))
    {
        out.extend_from_slice(plain);
        out.extend_from_slice(match byte {
            b'"' => b"%22",
            b'\r' => b"%0D",
            _ => b"%0A",
        });
        rest = behind;
    }
    push_all(out, [rest, b"\""]);
}

/// Guesses the media type of a file from its name. The table is small on purpose: servers that rely on the
/// type inspect the bytes, and callers can set it.
pub(super) fn media_type_of_file(name: &str) -> &'static str {
    let Some((_, extension)) = name.rsplit_once('.') else { return UNKNOWN_TYPE };
    BY_EXTENSION
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(extension))
        .map_or(UNKNOWN_TYPE, |(_, media_type)| media_type)
}

/// The media type of files with an unknown extension.
const UNKNOWN_TYPE: &str = "application/octet-stream";

const BY_EXTENSION: [(&str, &str); 19] = [
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("gif", "image/gif"),
    ("gz", "application/gzip"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain"),
    ("webp", "image/webp"),
    ("xml", "application/xml"),
    ("zip", "application/zip"),
];

#[cfg(test)]
mod tests;
