//! Writes request heads (RFC 9112 §3), and gives their names the spelling and order that the caller asked for.
//! Neither matters in HTTP (RFC 9110 §5.1, §5.3), but both matter to some servers.
//!
//! ```text
//! GET /path?query HTTP/1.1        request line: method, target, version
//! host: example.org               first, so that a server can route before it reads on (RFC 9110 §7.2)
//! accept: */*                     fields, in lower case as in HTTP/2
//!                                 the blank line
//! ```
//!
//! [`HeadWriter`] writes this form, and nearly every request is sent as it is written. A program
//! that talks to a server with expectations of its own can ask for title case, or for exact names
//! and their order; then [`Spelling::apply`] rewrites the finished head once. So the usual request
//! pays nothing for it, and the rewrite cannot add or lose a field
//! (`names_are_spelled_and_lines_are_placed`).
//!
//! No check for line breaks stands here: `HeaderName`, `HeaderValue`, `Method` and a parsed URL
//! cannot hold one. `tests/hostile_input.rs` (`i01` to `i04`) tries each argument of the API.
//!
//! The order that a caller asks for holds for the lines that it names; `Host` comes first unless it
//! is one of them, and all others follow in the usual order.

use http::header::{HeaderName, HeaderValue};
use http::{Method, Version};

use crate::base::buffer::Buffer;

/// Writes a request head into a buffer. The argument types rule out CR, LF and NUL.
pub(crate) struct HeadWriter<'a> {
    out: &'a mut Buffer,
}

impl<'a> HeadWriter<'a> {
    /// Writes the request line. `target` comes from a parsed URL: printable ASCII without spaces.
    pub(crate) fn start(
        out: &'a mut Buffer,
        method: &Method,
        target: &str,
        version: Version,
    ) -> Self {
        let version: &[u8] =
            if version == Version::HTTP_10 { b" HTTP/1.0\r\n" } else { b" HTTP/1.1\r\n" };
        out.push_all([method.as_str().as_bytes(), b" ", target.as_bytes(), version]);
        Self { out }
    }

    /// Continues a head at the end of `out`.
    pub(crate) fn go_on(out: &'a mut Buffer) -> Self {
        Self { out }
    }

    /// Appends lines that were written before.
    pub(crate) fn lines(&mut self, lines: &[u8]) {
        self.out.push(lines);
    }

    /// Writes `Host` with the authority of a parsed URL: a host and a port.
    pub(crate) fn host(&mut self, authority: &str) {
        self.line(&http::header::HOST, authority.as_bytes());
    }

    /// Writes the blank line.
    pub(crate) fn end(self) {
        self.out.push(b"\r\n");
    }

    fn line(&mut self, name: &HeaderName, value: &[u8]) {
        self.out.push_all([name.as_str().as_bytes(), b": ", value, b"\r\n"]);
    }
}

/// Receives the fields of a head in the order of its lines.
pub(crate) trait FieldSink {
    fn field(&mut self, name: &HeaderName, value: &HeaderValue);

    fn content_length(&mut self, length: u64);
}

impl FieldSink for HeadWriter<'_> {
    fn field(&mut self, name: &HeaderName, value: &HeaderValue) {
        self.line(name, value.as_bytes());
    }

    fn content_length(&mut self, length: u64) {
        self.line(&http::header::CONTENT_LENGTH, length.to_string().as_bytes());
    }
}

/// The fields as a map; more than a map can hold are left out.
#[cfg(any(feature = "middleware", feature = "export"))]
impl FieldSink for http::HeaderMap {
    fn field(&mut self, name: &HeaderName, value: &HeaderValue) {
        let _ = self.try_append(name, value.clone());
    }

    fn content_length(&mut self, length: u64) {
        self.field(&http::header::CONTENT_LENGTH, &length.into());
    }
}

/// The case of names that the caller has not spelled explicitly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Case {
    /// `content-length`, as in HTTP/2 and HTTP/3.
    #[default]
    Lower,
    /// `Content-Length`.
    Title,
}

/// The spelling and order that the caller asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spelling<'a> {
    pub(crate) case: Case,
    /// Names as the caller spelled them, one for each field line, in the order of the lines.
    pub(crate) names: &'a [Box<str>],
}

impl Spelling<'_> {
    /// Returns whether a head can be sent as it was written.
    pub(crate) fn is_usual(self) -> bool {
        self.case == Case::Lower && self.names.is_empty()
    }

    /// Returns the head as requested: Host first unless the caller placed it, then the placed lines, then
    /// the others. `head` must be written by this crate: lines end with CRLF, names are in lower case,
    /// and Host is the first field, so that a server can route immediately (RFC 9110 §7.2).
    pub(crate) fn apply(self, head: &[u8]) -> Vec<u8> {
        let mut lines = head.split_inclusive(|byte| *byte == b'\n');
        let mut spelt = lines.next().unwrap_or_default().to_vec();
        let mut fields: Vec<_> = lines.map(Field::of).collect();
        let placed = self.take_placed(&mut fields);
        let mut others = fields.into_iter().peekable();
        if let Some(host) = others.next_if(|field| field.name == b"host") {
            self.case.write(&host, &mut spelt);
        }
        spelt.extend(placed);
        others.for_each(|field| self.case.write(&field, &mut spelt));
        spelt
    }

    /// Removes and returns the placed lines. Names are compared in the same way as in `raw_header`.
    fn take_placed(self, fields: &mut Vec<Field<'_>>) -> Vec<u8> {
        let mut placed = Vec::new();
        for name in self.names.iter().map(|name| name.as_bytes()) {
            let at = fields.iter().position(|field| field.name.eq_ignore_ascii_case(name));
            // `None` if a redirect removed the line.
            if let Some(at) = at {
                placed.extend_from_slice(name);
                placed.extend_from_slice(fields.remove(at).rest);
            }
        }
        placed
    }
}

impl Case {
    fn write(self, field: &Field<'_>, out: &mut Vec<u8>) {
        let mut start = true;
        for byte in field.name {
            out.push(if start && self == Self::Title { byte.to_ascii_uppercase() } else { *byte });
            start = *byte == b'-';
        }
        out.extend_from_slice(field.rest);
    }
}

/// A field line.
struct Field<'h> {
    name: &'h [u8],
    /// The text from the colon to the end of the line; the whole text of the blank line.
    rest: &'h [u8],
}

impl<'h> Field<'h> {
    fn of(line: &'h [u8]) -> Self {
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(0);
        let (name, rest) = line.split_at_checked(colon).unwrap_or_default();
        Self { name, rest }
    }
}

#[cfg(test)]
mod tests;
