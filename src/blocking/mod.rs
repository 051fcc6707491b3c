//! The blocking front: plain calls, no runtime.
//!
//! ```no_run
//! let client = leanhttp::blocking::Client::new();
//! let text = client.get("https://example.org/").send()?.text()?;
//! # Ok::<(), leanhttp::Error>(())
//! ```
//!
//! All that the root of the crate has stands here too, as in `leanhttp::tokio`:
//!
//! ```no_run
//! use leanhttp::blocking as reqwest;
//! use reqwest::{Client, StatusCode, header, redirect};
//! # use reqwest::{Body, CancelToken, Egress, Error, IntoUrl, Limits, Method, NoProxy, Proxy, Request};
//! # use reqwest::{RequestBuilder, Response, Result, Upgraded, Url, Version, cookie, dns, retry, tls};
//! # #[cfg(feature = "tls")]
//! # use reqwest::{Certificate, Identity};
//!
//! let client = Client::builder().redirect(redirect::Policy::none()).build()?;
//! let request = client.get("https://example.org/").header(header::ACCEPT, "text/html");
//! assert_eq!(request.send()?.status(), StatusCode::OK);
//! # Ok::<(), reqwest::Error>(())
//! ```
//!
//! The only threads that this front ever starts, up to 64 for a client, look up the names of hosts,
//! because the system offers no way to end a lookup in time; they end when nothing is left to look
//! up. An IP address or a [`resolve`](ClientBuilder::resolve) entry needs none.

mod client;
#[cfg(feature = "multipart")]
pub mod multipart;
mod race;
mod response;
mod source;
mod stream;
mod system;
mod upgraded;

use std::fs::File;
use std::io::{self, Read, Seek};

use self::source::Source;
use crate::body::SourceLength;
use crate::driver::runtime::{Front, sealed};

pub use crate::shared::*;

/// The blocking front, as a type parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocking;

impl sealed::Sealed for Blocking {}

impl Front for Blocking {
    type Source = Source;
    type System = system::System;

    async fn read(source: &mut Source, into: &mut [u8]) -> io::Result<usize> {
        source.read(into)
    }
}

/// Sends requests and waits for their responses.
pub type Client = crate::client::Client<Blocking>;
/// Sets up a [`Client`].
pub type ClientBuilder = crate::client::ClientBuilder<Blocking>;
/// A request, complete and not yet sent.
pub type Request = crate::client::request::Request<Blocking>;
/// Builds a request step by step.
pub type RequestBuilder = crate::client::request::RequestBuilder<Blocking>;
/// A response, whose body is read as it comes.
pub type Response = crate::client::response::Response<Reader>;
/// The body of a response, while it is read.
pub type Reader = crate::driver::Reader<Blocking>;
/// A connection that has gone over to another protocol.
pub type Upgraded = crate::client::response::Upgraded<Blocking>;
/// The body of a request.
pub type Body = crate::body::Body<Source>;

/// One GET request with a client of its own.
///
/// ```no_run
/// let text = leanhttp::get("https://example.org/")?.text()?;
/// # Ok::<(), leanhttp::Error>(())
/// ```
///
/// # Errors
///
/// As [`RequestBuilder::send`] fails.
pub fn get<T: IntoUrl>(url: T) -> Result<Response> {
    Client::new().get(url).send()
}

/// Begins a POST request with a client of its own: give it a body and send it.
///
/// ```no_run
/// let parameters = [("name1", "value1")];
/// let text = leanhttp::post("https://example.org/").form(&parameters).send()?.text()?;
/// # Ok::<(), leanhttp::Error>(())
/// ```
pub fn post<T: IntoUrl>(url: T) -> RequestBuilder {
    Client::new().post(url)
}

impl Body {
    /// A body of unknown length: sent in chunks, as the reader gives them. It can be sent once; see
    /// [`rewindable`](Self::rewindable).
    ///
    /// While the reader blocks, nothing is heard of the server: see
    /// [the guide](crate#requests-and-responses-at-the-same-time).
    pub fn new<R: Read + Send + 'static>(reader: R) -> Self {
        Self::from_source(Source::new(reader), SourceLength::Unknown)
    }

    /// A body of `len` bytes, the next that the reader gives: it is not read beyond them, so that a part of
    /// a file can be sent.
    ///
    /// A reader that gives fewer is an error ([`Kind::Body`](crate::error::Kind::Body)), with the
    /// connection closed before the server can take the request for complete.
    pub fn sized<R: Read + Send + 'static>(reader: R, len: u64) -> Self {
        Self::from_source(Source::new(reader), SourceLength::Exactly(len))
    }

    /// As [`new`](Self::new), of a reader that can seek: where the request has to be sent again, for a
    /// 307 or 308, a stale connection, a challenge of Digest or a retry, it is read again from where it
    /// stood at first. A reader that cannot seek after all can be sent once, and the error that comes of
    /// it says so.
    ///
    /// ```no_run
    /// use std::io::Cursor;
    /// use leanhttp::blocking::{Body, Client};
    ///
    /// let body = Body::rewindable(Cursor::new("what a reader gives"));
    /// Client::new().put("https://example.org/a").body(body).send()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn rewindable<R: Read + Seek + Send + 'static>(reader: R) -> Self {
        Self::from_source(Source::rewindable(reader), SourceLength::Unknown)
    }

    /// As [`sized`](Self::sized), of a reader that can seek, from where it stands on; see
    /// [`rewindable`](Self::rewindable). A `File` is one by [`From`], and its length is known.
    ///
    /// ```no_run
    /// use std::io::Cursor;
    /// use leanhttp::blocking::{Body, Client};
    ///
    /// let content = "what a reader gives";
    /// let body = Body::rewindable_sized(Cursor::new(content), content.len() as u64);
    /// Client::new().put("https://example.org/a").body(body).send()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn rewindable_sized<R: Read + Seek + Send + 'static>(reader: R, len: u64) -> Self {
        Self::from_source(Source::rewindable(reader), SourceLength::Exactly(len))
    }
}

/// The rest of the file, of the length that it has now: if it shrinks while it is sent, that is an
/// error; what is added to it is not sent. What has no length (a pipe) is sent in chunks. Those of
/// Linux' `/proc` say that they are empty, which is an error: [`Body::new`] sends them. A request that
/// has to be sent again reads it [again](Body::rewindable).
impl From<File> for Body {
    fn from(file: File) -> Self {
        let length = rest_of(&file);
        Self::from_source(Source::rewindable(file), length)
    }
}

/// How much of a file is left to read.
fn rest_of(mut file: &File) -> SourceLength {
    let length = file.metadata().ok().filter(|metadata| metadata.is_file()).map(|m| m.len());
    match (length, std::io::Seek::stream_position(&mut file)) {
        (Some(length), Ok(position)) => SourceLength::of_file(length.saturating_sub(position)),
        _ => SourceLength::Unknown,
    }
}
