//! The response of all runtimes, except for reading the body.

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
use crate::driver::Addresses;
use crate::error::{Error, Result};
use crate::http1::head::ResponseHead;
use crate::transport::tls::TlsInfo;
use crate::url::Url;

pub use super::upgraded::Upgraded;
pub use described::Link;

/// A response: its head, and its body `B`, which is read from the connection as it arrives.
///
/// Read the body to its end, or the connection cannot be reused; dropping a response with much of
/// its body unread closes the connection. With the feature `json` there is a method `json` too.
pub struct Response<B> {
    pub(crate) head: Head,
    pub(crate) body: B,
}

/// The part of a response before its body, and facts about its connection.
pub(crate) struct Head {
    pub(crate) received: Box<ResponseHead>,
    pub(crate) url: Url,
    /// The addresses, shared by all responses of a connection; `None` for a hand-made response.
    addresses: Option<Arc<Addresses>>,
    /// `None` until the call has ended.
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

    /// Sets the information about the TLS connection, if there is one.
    pub(crate) fn describe_tls(&mut self, info: Option<TlsInfo>, adds_info: bool) {
        if let (Some(info), true) = (&info, adds_info) {
            self.extensions.insert(info.clone());
        }
        self.tls = info;
    }

    /// Removes the fields that no longer describe a decoded body.
    pub(crate) fn forget_coding(&mut self) {
        self.received.headers.remove(&header::CONTENT_ENCODING);
        self.received.headers.remove(&header::CONTENT_LENGTH);
    }
}

impl<B> Response<B> {
    /// Returns the status code.
    pub fn status(&self) -> StatusCode {
        self.head.received.status
    }

    /// Returns the fields. Names compare in any case.
    ///
    /// If the body was decoded (gzip), `Content-Encoding` and `Content-Length` are removed, because
    /// they no longer describe it; [`raw_head`](Self::raw_head) still has them.
    pub fn headers(&self) -> &HeaderMap {
        self.head.received.headers.map()
    }

    /// Returns the fields for modification.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        self.head.received.headers.map_mut()
    }

    /// Returns the head as received: status line and fields in their order and case, byte by byte.
    pub fn raw_head(&self) -> &Bytes {
        self.head.received.headers.raw()
    }

    /// Returns the HTTP version of the server.
    pub fn version(&self) -> Version {
        self.head.received.version
    }

    /// Returns the URL of this response: after redirects, the last one. It keeps its fragment.
    pub fn url(&self) -> &Url {
        &self.head.url
    }

    /// Returns the address that the response was received from, which is the proxy's if there is
    /// one; `None` over a Unix domain socket.
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.head.addresses().remote
    }

    /// Returns the local address of the connection; `None` if [`remote_addr`](Self::remote_addr)
    /// is.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.head.addresses().local
    }

    /// Returns the timings of the call until the head arrived.
    pub fn timings(&self) -> Option<&Timings> {
        self.head.timings.as_deref()
    }

    /// Returns the extensions, such as those set by middleware.
    pub fn extensions(&self) -> &Extensions {
        &self.head.extensions
    }

    /// Returns the extensions for modification.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.head.extensions
    }

    /// Returns the number of bytes of the body, if the server announced it and the body is not
    /// decoded. For HEAD it is the length of the body that GET would return.
    ///
    /// It is taken from the [fields](Self::headers), even if [`headers_mut`](Self::headers_mut) has
    /// changed them; this has no effect on how much of the body is read.
    pub fn content_length(&self) -> Option<u64> {
        self.head.received.headers.content_length()
    }

    /// Returns the response if its status is below 400, otherwise an error with that status.
    ///
    /// # Errors
    ///
    /// For a status of 400 or more; the text shows the server's reason phrase if it is not the
    /// usual one. The error contains the response, so that its body can be read:
    /// `Response::try_from(error)` returns it, and on the blocking client `error.into_response()`.
    /// An error from the other client type is returned unchanged.
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

    /// Returns the response if its status is below 400, otherwise an error without the response.
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

/// Returns the reason phrase (RFC 9112 §4), which follows the version and the status in the first
/// line.
fn reason(raw_head: &[u8]) -> &[u8] {
    let line = raw_head.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    line.splitn(3, |byte| *byte == b' ').nth(2).unwrap_or_default().trim_ascii()
}

fn is_error(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

/// Takes the response out of an error: one that `error_for_status` refused, that was not an
/// upgrade, or that was a redirect which was not followed.
///
/// # Errors
///
/// The error itself, if it contains no response.
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
