//! What the responses of both fronts share: everything but reading the body.

pub(crate) mod content;
#[cfg(feature = "cookies")]
mod cookies;
mod described;
mod foreign;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "tls")]
mod tls;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Extensions, HeaderMap, StatusCode, Version, header};

use crate::base::timings::Timings;
use crate::config::tls::Extension;
use crate::driver::Addresses;
use crate::error::{Error, Result};
use crate::http1::head::ResponseHead;
use crate::transport::tls::TlsInfo;
use crate::url::Url;

pub use super::upgraded::Upgraded;
pub use described::Link;

/// A response: its head, and its body `B`, which is read as it comes.
///
/// Read the body to its end, or the connection cannot be used again; dropping a response with much
/// of its body unread closes the connection. With the feature `json` there is a method `json` too.
pub struct Response<B> {
    pub(crate) head: Head,
    pub(crate) body: B,
}

/// What a response says before its body.
pub(crate) struct Head {
    pub(crate) received: Box<ResponseHead>,
    pub(crate) url: Url,
    /// Shared by all responses of a connection; none before there is one.
    addresses: Option<Arc<Addresses>>,
    /// None before the call has come to its end.
    pub(crate) timings: Option<Box<Timings>>,
    pub(crate) tls: Option<TlsInfo>,
    pub(crate) extensions: Extensions,
}

impl Head {
    pub(crate) fn new(
        received: Box<ResponseHead>,
        url: Url,
        addresses: Option<Arc<Addresses>>,
    ) -> Self {
        Self { received, url, addresses, timings: None, tls: None, extensions: Extensions::new() }
    }

    pub(crate) fn addresses(&self) -> Addresses {
        self.addresses.as_deref().copied().unwrap_or_default()
    }

    /// What is known of the TLS connection, if there is one.
    pub(crate) fn describe_tls(&mut self, info: Option<TlsInfo>, extension: Extension) {
        if let (Some(info), Extension::Present) = (&info, extension) {
            self.extensions.insert(info.clone());
        }
        self.tls = info;
    }

    /// The body is decoded: what these fields say is no longer true of it.
    pub(crate) fn forget_coding(&mut self) {
        self.received.headers.remove(&header::CONTENT_ENCODING);
        self.received.headers.remove(&header::CONTENT_LENGTH);
    }
}

impl<B> Response<B> {
    /// The status code.
    pub fn status(&self) -> StatusCode {
        self.head.received.status
    }

    /// The fields. Names compare in any case.
    ///
    /// When the body was decoded (gzip), `Content-Encoding` and `Content-Length` are gone, because
    /// they no longer describe it; [`raw_head`](Self::raw_head) still has them.
    pub fn headers(&self) -> &HeaderMap {
        self.head.received.headers.map()
    }

    /// The fields, to be changed.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        self.head.received.headers.map_mut()
    }

    /// The head as it came: status line and fields in their order and case, byte by byte.
    pub fn raw_head(&self) -> &Bytes {
        self.head.received.headers.raw()
    }

    /// The HTTP version that the server speaks.
    pub fn version(&self) -> Version {
        self.head.received.version
    }

    /// The URL of this response: after redirects, the last one. It keeps its fragment.
    pub fn url(&self) -> &Url {
        &self.head.url
    }

    /// The address that the response came from, a proxy's if there is one; none over a Unix domain
    /// socket.
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.head.addresses().remote
    }

    /// The address that the client's end of the connection had; none in the same cases.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.head.addresses().local
    }

    /// Where the time went until the head was there.
    pub fn timings(&self) -> Option<&Timings> {
        self.head.timings.as_deref()
    }

    /// What others attached to the response.
    pub fn extensions(&self) -> &Extensions {
        &self.head.extensions
    }

    /// What others attached to the response, to be changed.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.head.extensions
    }

    /// The number of bytes that the body will have, if the server said so and it is not decoded.
    /// For HEAD it is what GET would have.
    ///
    /// It is what the [fields](Self::headers) say, also where [`headers_mut`](Self::headers_mut) has
    /// changed them; how much is read of the body was settled when it came.
    pub fn content_length(&self) -> Option<u64> {
        self.head.received.headers.content_length()
    }

    /// The response if its status is no error (below 400), otherwise an error with that status.
    ///
    /// # Errors
    ///
    /// For a status of 400 or more; the line shows the server's reason phrase where it is not the usual
    /// one. The response stays in the error, so that its body can be read:
    /// `Response::try_from(error)` gives it back, and on the blocking front `error.into_response()`.
    /// An error of the other front holds no such response, and comes back as it is.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "tokio")] {
    /// use leanhttp::tokio::Response;
    ///
    /// let response = leanhttp::tokio::get("https://example.org/").await?;
    /// if let Err(error) = response.error_for_status() {
    ///     let explanation = Response::try_from(error)?.text().await?;
    /// }
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    pub fn error_for_status(self) -> Result<Self>
    where
        B: Send + Sync + 'static,
    {
        let status = self.head.received.status;
        if !is_error(status) {
            return Ok(self);
        }
        let error = self.status_error();
        Err(error.keeping(Box::new(self)))
    }

    /// The response if its status is no error, otherwise an error without the response.
    ///
    /// # Errors
    ///
    /// For a status of 400 or more.
    pub fn error_for_status_ref(&self) -> Result<&Self> {
        if !is_error(self.head.received.status) {
            return Ok(self);
        }
        Err(self.status_error())
    }

    fn status_error(&self) -> Error {
        let ResponseHead { status, headers, .. } = &*self.head.received;
        Error::from_status(*status, reason(headers.raw())).with_url(self.head.url.clone())
    }
}

/// The reason phrase (RFC 9112 §4): what stands behind version and status in the first line.
fn reason(raw_head: &[u8]) -> &[u8] {
    let line = raw_head.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    line.splitn(3, |byte| *byte == b' ').nth(2).unwrap_or_default().trim_ascii()
}

fn is_error(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

/// The response that `error_for_status` refused, that was no upgrade, or that was a redirect which was
/// not followed.
///
/// # Errors
///
/// The error itself, if there is no response in it.
impl<B: Send + Sync + 'static> TryFrom<Error> for Response<B> {
    type Error = Error;

    fn try_from(mut error: Error) -> Result<Self> {
        error.take_response().ok_or(error)
    }
}

impl<B> fmt::Debug for Response<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.head.received.status)
            .field("url", &self.head.url)
            .field("fields", &self.head.received.headers.len())
            .finish_non_exhaustive()
    }
}
