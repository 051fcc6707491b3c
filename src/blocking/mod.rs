//! The blocking client: plain calls, no async runtime.
//!
//! ```no_run
//! let client = leanhttp::blocking::Client::new();
//! let text = client.get("https://example.org/").send()?.text()?;
//! # Ok::<(), leanhttp::Error>(())
//! ```
//!
//! Everything at the root of the crate is also here, as in `leanhttp::tokio`:
//!
//! ```no_run
//! use leanhttp::blocking as reqwest;
//! use reqwest::{Client, StatusCode, header, redirect};
//! # use reqwest::{Body, CancelToken, EgressPolicy, Error, IntoUrl, Limits, Method, NoProxy, Proxy, Request};
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
//! The only threads that this client starts, up to 64, look up host names, because the system has
//! no way to end a lookup in time; they end when there is nothing left to look up. An IP address or
//! a [`resolve`](ClientBuilder::resolve) entry needs none.

mod client;
#[cfg(feature = "multipart")]
pub mod multipart;
mod response;
mod runtime;
mod source;
mod upgraded;

use std::fs::File;
use std::io::{Read, Seek};

use self::source::Source;
use crate::body::SourceLength;

pub use self::runtime::Blocking;
pub use crate::shared::*;

/// Sends requests and waits for their responses.
pub type Client = crate::client::Client<Blocking>;
/// Sets up a [`Client`].
pub type ClientBuilder = crate::client::ClientBuilder<Blocking>;
/// A complete request that is not yet sent.
pub type Request = crate::client::request::Request<Blocking>;
/// Builds a request step by step.
pub type RequestBuilder = crate::client::request::RequestBuilder<Blocking>;
/// A response, whose body is read as it arrives.
pub type Response = crate::client::response::Response<ResponseBody>;
/// The body of a response, while it is read.
pub type ResponseBody = crate::driver::ResponseBody<Blocking>;
/// A connection that was upgraded to another protocol.
pub type Upgraded = crate::client::response::Upgraded<Blocking>;
/// The body of a request.
pub type Body = crate::body::Body<Source>;

/// Sends one GET request with a client of its own.
///
/// ```no_run
/// let text = leanhttp::get("https://example.org/")?.text()?;
/// # Ok::<(), leanhttp::Error>(())
/// ```
///
/// # Errors
///
/// As for [`RequestBuilder::send`].
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
    /// Creates a body of unknown length, which is sent in chunks as the reader returns them. It can
    /// be sent once; see [`rewindable`](Self::rewindable).
    ///
    /// While the reader blocks, the client does not notice what the server sends: see [the
    /// guide](crate#requests-and-responses-at-the-same-time).
    pub fn new<R: Read + Send + 'static>(reader: R) -> Self {
        Self::from_source(Source::new(reader), SourceLength::Unknown)
    }

    /// Creates a body of the reader's next `len` bytes. The reader is not read beyond them, so that
    /// a part of a file can be sent.
    ///
    /// If the reader ends earlier, the call fails ([`Kind::Body`](crate::error::Kind::Body)), and
    /// the connection is closed before the server can take the request as complete.
    ///
    /// ```
    /// use std::io::Cursor;
    ///
    /// use leanhttp::blocking::Body;
    ///
    /// let body = Body::sized(Cursor::new("only the first nine bytes"), 9);
    /// let request = leanhttp::Client::new().put("http://example.org/").body(body).build()?;
    /// assert!(request.body().is_some());
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn sized<R: Read + Send + 'static>(reader: R, len: u64) -> Self {
        Self::from_source(Source::new(reader), SourceLength::Exactly(len))
    }

    /// Creates a body as [`new`](Self::new) does, from a reader that can seek. If the request has
    /// to be sent again, for a 307 or 308, a stale connection, a Digest challenge or a retry, the
    /// body is read again from its first position. If seeking fails, the body can be sent once, and
    /// the error of a call that needed it again says so.
    ///
    /// ```no_run
    /// use std::io::Cursor;
    /// use leanhttp::blocking::{Body, Client};
    ///
    /// let body = Body::rewindable(Cursor::new("the content"));
    /// Client::new().put("https://example.org/a").body(body).send()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn rewindable<R: Read + Seek + Send + 'static>(reader: R) -> Self {
        Self::from_source(Source::rewindable(reader), SourceLength::Unknown)
    }

    /// Creates a body as [`sized`](Self::sized) does, from a reader that can seek, beginning at its
    /// current position; see [`rewindable`](Self::rewindable). A `File` converts by [`From`], with
    /// its length.
    ///
    /// ```no_run
    /// use std::io::Cursor;
    /// use leanhttp::blocking::{Body, Client};
    ///
    /// let content = "the content";
    /// let body = Body::rewindable_sized(Cursor::new(content), content.len() as u64);
    /// Client::new().put("https://example.org/a").body(body).send()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn rewindable_sized<R: Read + Seek + Send + 'static>(reader: R, len: u64) -> Self {
        Self::from_source(Source::rewindable(reader), SourceLength::Exactly(len))
    }
}

/// Sends the rest of the file, with its current length: if it shrinks while it is sent, that is an
/// error; data appended later is not sent. A file without a length, such as a pipe, is sent in
/// chunks. Files in Linux' `/proc` report a length of 0, which is an error: send them with
/// [`Body::new`]. A request that is sent again reads the file [again](Body::rewindable).
impl From<File> for Body {
    fn from(file: File) -> Self {
        let length = rest_of(&file);
        Self::from_source(Source::rewindable(file), length)
    }
}

/// Returns the number of bytes from the file's position to its end, if it has a length.
fn rest_of(mut file: &File) -> SourceLength {
    let length = file.metadata().ok().filter(|metadata| metadata.is_file()).map(|m| m.len());
    match (length, std::io::Seek::stream_position(&mut file)) {
        (Some(length), Ok(position)) => SourceLength::of_file(length.saturating_sub(position)),
        _ => SourceLength::Unknown,
    }
}
