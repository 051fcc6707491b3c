//! `multipart/form-data`: fields and files in one body (RFC 7578, and the WHATWG HTML standard for
//! what browsers write and servers expect).
//!
//! ```
//! use leanhttp::multipart::{Form, Part};
//!
//! let notes = Part::bytes(b"a,b\n1,2\n".as_slice()).file_name("notes.csv");
//! let form = Form::new().text("author", "Zoë").part("notes", notes);
//! let request = leanhttp::Client::new().post("http://example.org/").multipart(form).build()?;
//! # Ok::<(), leanhttp::Error>(())
//! ```
//!
//! The parts are streamed in their order and no file is ever held in memory. When the length of
//! every part is known, and that of bytes, texts and files is, the request has a `Content-Length`;
//! with a reader of unknown length it is sent in chunks. A form of bytes, texts and files can be
//! sent again when a redirect or a stale connection asks for it.
//!
//! # What is written
//!
//! Names and file names are UTF-8 between quotes, in which `"`, CR and LF become `%22`, `%0D` and
//! `%0A`, and nothing else is changed: so nobody's file name can add a header field or a part.
//! Values are sent as they are given; a browser would make every line end in a text CR LF first.
//!
//! A part with a file name has a `Content-Type`: the one that was given, or one by the extension
//! of its name (a small table: text, common images, archives and documents), or
//! `application/octet-stream`. Other parts have the type that was given, or none, which means
//! `text/plain` (RFC 7578 §4.4).

pub(crate) mod boundary;
mod disposition;
pub(crate) mod form;
mod media_type;
pub(crate) mod part;

#[cfg(test)]
mod tests;

#[cfg(feature = "blocking")]
pub use crate::blocking::multipart::{Form, Part};
