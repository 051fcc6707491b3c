//! Responses: the head with its fields and the facts about the call, the body in one piece (bytes, text, JSON),
//! and conversions from and to the responses of the crate `http`.

// A `Response<B>` is a `Head` and a body. What only reads the head is here for any `B`; what
// reads the body waits, so the public methods stand in `blocking/mod.rs` and `tokio/response.rs` over
// the futures here. The body itself, `ResponseBody`, is in
// `driver/response_body.rs`.
//
// Fields that describe the content or name a next step (`Link`, `Content-Disposition`, `Retry-After`) are
// parsed in `fields/`; each has its method here.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Extensions, HeaderMap, StatusCode, Version, header};
#[cfg(feature = "json")]
use serde::de::DeserializeOwned;

use crate::base::timings::Timings;
use crate::body::Body;
use crate::coding::charset;
#[cfg(feature = "json")]
use crate::coding::json;
use crate::config::InformationalObserver;
#[cfg(feature = "cookies")]
use crate::cookie::Cookie;
use crate::driver::runtime::Runtime;
use crate::driver::{Addresses, ResponseBody};
use crate::error::{Error, Kind, Phase, Result};
#[cfg(feature = "export")]
use crate::extra::sent::SentRequest;
use crate::fields::link::RawLink;
use crate::fields::{date, disposition, link};
use crate::http1::head::ResponseHead;
use crate::http1::header_section::HeaderSection;
use crate::policy::redirect::Hop;
use crate::transport::tls::TlsInfo;
use crate::url::Url;

pub use super::upgraded::Upgraded;

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
    /// The request of the last hop; `None` for a hand-made response.
    #[cfg(feature = "export")]
    pub(crate) sent: Option<Arc<SentRequest>>,
}

/// The redirects that led to a response, among its extensions: most responses have none.
#[derive(Clone)]
pub(crate) struct History(pub(crate) Vec<Hop>);

impl Head {
    pub(crate) fn new(
        received: Box<ResponseHead>,
        url: Url,
        addresses: Option<Arc<Addresses>>,
    ) -> Self {
        Self {
            received,
            url,
            addresses,
            timings: None,
            tls: None,
            extensions: Extensions::new(),
            #[cfg(feature = "export")]
            sent: None,
        }
    }

    /// Returns an error that knows the URL of this response, and its request.
    pub(crate) fn about(&self, error: Error) -> Error {
        let error = error.for_url(&self.url);
        #[cfg(feature = "export")]
        let error = error.after_sending(self.sent.clone().map(|sent| sent as _));
        error
    }

    pub(crate) fn addresses(&self) -> Addresses {
        self.addresses.as_deref().copied().unwrap_or_default()
    }
}

impl<B> Response<B> {
    /// Returns the status code.
    pub fn status(&self) -> StatusCode {
        self.head.received.status
    }

    /// Returns the reason phrase of the status line as the server sent it (RFC 9112 §4), such as `Not Found`;
    /// empty if it sent none. Its meaning is not defined: decide by the [`status`](Self::status).
    pub fn reason(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(reason(self.raw_head()))
    }

    /// Returns the fields. Names compare in any case.
    ///
    /// If the body was decoded (gzip and the like), `Content-Encoding` and `Content-Length` are removed, because
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

    /// Returns the request of this response as a command of curl for a POSIX shell, as
    /// [`RequestBuilder::to_curl`](crate::client::request::RequestBuilder::to_curl) does, with its secrets replaced by
    /// `REDACTED`: after redirects, the last request. `None` for a response that was never received.
    ///
    /// A body over 1 MiB is not shown.
    ///
    /// ```no_run
    /// let response = leanhttp::get("https://example.org/")?;
    /// if response.status().is_server_error() {
    ///     eprintln!("try this: {}", response.to_curl().unwrap_or_default());
    /// }
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    #[cfg(feature = "export")]
    #[cfg_attr(docsrs, doc(cfg(feature = "export")))]
    pub fn to_curl(&self) -> Option<String> {
        self.head.sent.as_ref().map(|sent| sent.to_curl(false))
    }

    /// Returns the request as [`to_curl`](Self::to_curl) does, with all of its secrets.
    #[cfg(feature = "export")]
    #[cfg_attr(docsrs, doc(cfg(feature = "export")))]
    pub fn to_curl_with_secrets(&self) -> Option<String> {
        self.head.sent.as_ref().map(|sent| sent.to_curl(true))
    }

    /// Returns the redirects that led here, in their order; empty if there were none. The URL of the last one and
    /// [`url`](Self::url) are different requests.
    ///
    /// ```no_run
    /// let response = leanhttp::get("http://example.org/")?;
    /// for hop in response.history() {
    ///     println!("{} {}", hop.status(), hop.url());
    /// }
    /// println!("{} {}", response.status(), response.url());
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn history(&self) -> &[Hop] {
        self.head.extensions.get::<History>().map_or(&[], |history| &history.0)
    }

    /// Returns the time from `send` until the head of this response was received, over all redirects and retries;
    /// zero for a response that was not received. [`timings`](Self::timings) has its parts.
    pub fn elapsed(&self) -> Duration {
        self.timings().map(Timings::total).unwrap_or_default()
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

    /// Returns information about the TLS connection to the server; `None` for `http`.
    ///
    /// ```no_run
    /// let response = leanhttp::get("https://example.org/")?;
    /// if let Some(tls) = response.tls() {
    ///     println!("{:?} {:?}", tls.version(), tls.cipher_suite());
    /// }
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    #[cfg(feature = "tls")]
    pub fn tls(&self) -> Option<&TlsInfo> {
        self.head.tls.as_ref()
    }

    /// Returns the cookies that this response sets, as they were sent; malformed ones are skipped.
    #[cfg(feature = "cookies")]
    pub fn cookies(&self) -> impl Iterator<Item = Cookie<'_>> {
        self.headers().get_all(header::SET_COOKIE).iter().filter_map(Cookie::parse)
    }

    /// Returns the target of the first link of this relation, such as `next`, resolved against the URL of the
    /// response; `None` if there is none that is an HTTP URL. Links of other resources (`anchor`) do not count.
    ///
    /// The server chooses the target, which may be another origin. Credentials that you set on each request are
    /// sent there; those of a client with a [`base_url`](crate::client::ClientBuilder::base_url) are not.
    ///
    /// ```no_run
    /// let client = leanhttp::Client::new();
    /// let mut next = Some(leanhttp::Url::parse("https://example.org/items?page=1")?);
    /// while let Some(url) = next {
    ///     let page = client.get(url).send()?.error_for_status()?;
    ///     next = page.link("next");
    ///     println!("{}", page.text()?);
    /// }
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn link(&self, rel: &str) -> Option<Url> {
        let is_own = |link: &&Link| link.has_rel(rel) && link.parameter("anchor").is_none();
        self.links().iter().filter(is_own).find_map(Link::url)
    }

    /// Returns the links of the response: all `Link` fields, in their order (RFC 8288). Malformed
    /// links are skipped.
    ///
    /// ```no_run
    /// # let response = leanhttp::get("https://example.org/items")?;
    /// let next = response.links().into_iter().find(|link| link.has_rel("next"));
    /// let next_page = next.as_ref().and_then(|link| link.url());
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn links(&self) -> Vec<Link> {
        let lines = self.head.received.headers.map().get_all(header::LINK).into_iter();
        let raw = lines.flat_map(|line| link::parse(line.as_bytes()));
        let base = Arc::new(self.head.url.clone());
        raw.map(|raw| Link { base: Arc::clone(&base), raw }).collect()
    }

    /// Returns the server's name for the content (`Content-Disposition`, RFC 6266), made safe for
    /// use as a file name on every system, or `None` if there is none or nothing safe is left.
    ///
    /// It is one component and never a path: for `../../etc/passwd` it is `passwd`. It does not
    /// start with a dot. Control characters, characters that change the text direction and those
    /// that Windows reserves become underscores, and a Windows device name (`nul.txt`) is prefixed
    /// with an underscore.
    ///
    /// A server may still choose the name of an existing file, or an extension that makes the file
    /// executable.
    ///
    /// ```no_run
    /// # let response = leanhttp::get("https://example.org/report")?;
    /// let name = response.file_name().unwrap_or_else(|| "download".to_owned());
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn file_name(&self) -> Option<String> {
        let value = self.head.received.headers.map().get(header::CONTENT_DISPOSITION)?;
        disposition::safe_file_name(&disposition::parse(value.as_bytes())?.file_name?)
    }

    /// Returns the time that the server asks to wait before the next request (`Retry-After`, RFC
    /// 9110 §10.2.3), with statuses such as 429 and 503, or `None` if the field is missing or
    /// malformed.
    ///
    /// If the field is a date, the result depends on `now`, and is zero if the date has passed. It
    /// may be years: limit the wait.
    ///
    /// ```no_run
    /// use std::time::{Duration, SystemTime};
    ///
    /// # let response = leanhttp::get("https://example.org/busy")?;
    /// if let Some(wait) = response.retry_after(SystemTime::now()) {
    ///     std::thread::sleep(wait.min(Duration::from_secs(60)));
    /// }
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn retry_after(&self, now: SystemTime) -> Option<Duration> {
        date::retry_after(
            self.head.received.headers.map().get(header::RETRY_AFTER)?.as_bytes(),
            now,
        )
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

    pub(crate) fn status_error(&self) -> Error {
        let ResponseHead { status, headers, .. } = &*self.head.received;
        self.head.about(Error::from_status(*status, reason(headers.raw())))
    }
}

/// Returns the callback for interim responses, which are heads for the machines.
pub(crate) fn observer_of(
    observer: impl Fn(Response<()>) + Send + Sync + 'static,
) -> InformationalObserver {
    InformationalObserver(Arc::new(move |url, head| {
        observer(Response { head: Head::new(head, url.clone(), None), body: () });
    }))
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

impl<F: Runtime> Response<ResponseBody<F>> {
    /// Returns the trailer fields of a chunked body (RFC 9110 §6.5) once it was read to its end, or
    /// `None` if it has none. They are never merged into the head.
    pub fn trailers(&self) -> Option<&HeaderMap> {
        self.body.trailers()
    }

    /// Reads the next decoded bytes; 0 means the end.
    pub(crate) async fn next_bytes(&mut self, into: &mut [u8]) -> Result<usize> {
        self.body.next_bytes(into).await.map_err(|error| self.head.about(error))
    }

    pub(crate) async fn collect(&mut self) -> Result<Vec<u8>> {
        self.body.collect().await.map_err(|error| self.head.about(error))
    }

    pub(crate) async fn collect_text(mut self, default_encoding: &str) -> Result<String> {
        let body = self.collect().await?;
        let content_type = self.head.received.headers.first(&header::CONTENT_TYPE);
        Ok(charset::decode(body, content_type, default_encoding))
    }

    #[cfg(feature = "json")]
    pub(crate) async fn collect_json<T: DeserializeOwned>(mut self) -> Result<T> {
        let body = self.collect().await?;
        let content_type = self.head.received.headers.first(&header::CONTENT_TYPE);
        parse_json(&body, content_type).map_err(|error| error.for_url(&self.head.url))
    }

    /// Returns the error for a failure of the caller's writer.
    pub(crate) fn writer_error(&self, error: io::Error) -> Error {
        let error = Error::new(Kind::Io, Phase::Body)
            .detail("writing the body to the caller's writer")
            .cause(error);
        error.for_url(&self.head.url)
    }
}

/// Parses a body. JSON is UTF-8 (RFC 8259 §8.1); a body that is not valid JSON in UTF-8 is decoded
/// like a text, by its byte order mark and the charset of `Content-Type`, and parsed again.
#[cfg(feature = "json")]
fn parse_json<T: DeserializeOwned>(body: &[u8], content_type: Option<&[u8]>) -> Result<T> {
    let error = match json::parse(body) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    match charset::recoded(body, content_type) {
        Some(text) => json::parse(text.as_bytes()),
        None => Err(error),
    }
}

/// Converts a response to an `http::Response`. Its body is read as before: it implements
/// `std::io::Read`, or on the async client `AsyncRead` and, with the feature `tower`,
/// `http_body::Body`.
///
/// The [`Url`] of the response and its [`Timings`] are among its extensions.
///
/// ```no_run
/// use leanhttp::{Url, blocking::ResponseBody};
///
/// let response: http::Response<ResponseBody> = leanhttp::get("https://example.org/")?.into();
/// let url = response.extensions().get::<Url>();
/// let text = std::io::read_to_string(response.into_body());
/// # Ok::<(), leanhttp::Error>(())
/// ```
impl<F: Runtime> From<Response<ResponseBody<F>>> for http::Response<ResponseBody<F>> {
    fn from(response: Response<ResponseBody<F>>) -> Self {
        let Response { mut head, body } = response;
        let mut converted = Self::new(body.of_url(head.url.clone()));
        *converted.status_mut() = head.received.status;
        *converted.version_mut() = head.received.version;
        *converted.headers_mut() = std::mem::take(head.received.headers.map_mut());
        *converted.extensions_mut() = head.extensions;
        converted.extensions_mut().insert(head.url);
        if let Some(timings) = head.timings {
            converted.extensions_mut().insert(*timings);
        }
        converted
    }
}

/// Converts an `http::Response` that was never received, for tests of code that takes a response.
///
/// Its URL and its timings are taken from the extensions; without a URL it is
/// `http://no.url.invalid/`. The body is not decoded, and no limit applies.
///
/// ```
/// use leanhttp::blocking::Response;
///
/// let made = http::Response::builder().status(404).header("x-reason", "gone").body("no such user")?;
/// let response = Response::from(made);
/// assert_eq!(response.headers()["x-reason"], "gone");
/// assert_eq!(response.text()?, "no such user");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl<F: Runtime, T: Into<Body<F::Source>>> From<http::Response<T>> for Response<ResponseBody<F>> {
    fn from(made: http::Response<T>) -> Self {
        let (mut parts, body) = made.into_parts();
        let reason = parts.status.canonical_reason().unwrap_or_default();
        let status_line = format!("{:?} {} {reason}", parts.version, parts.status.as_str());
        let headers = HeaderSection::written(&status_line, parts.headers);
        let received = ResponseHead { version: parts.version, status: parts.status, headers };
        let url = parts.extensions.remove().unwrap_or_else(Url::nowhere);
        let mut head = Head::new(Box::new(received), url, None);
        head.timings = parts.extensions.remove::<Timings>().map(Box::new);
        head.extensions = parts.extensions;
        Self { head, body: ResponseBody::made(body.into()) }
    }
}

/// Adds a URL to an `http::Response` that is being built, for a [`Response`] made of it.
///
/// ```
/// use leanhttp::blocking::Response;
/// use leanhttp::{ResponseBuilderExt, Url};
///
/// let url = Url::parse("http://example.org/a")?;
/// let made = http::Response::builder().status(204).url(url.clone()).body("")?;
/// assert_eq!(*Response::from(made).url(), url);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ResponseBuilderExt {
    /// Sets the URL that [`Response::url`] returns.
    #[must_use]
    fn url(self, url: Url) -> Self;
}

impl ResponseBuilderExt for http::response::Builder {
    fn url(self, url: Url) -> Self {
        self.extension(url)
    }
}

/// A link from a response to another resource (RFC 8288).
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    /// The base URL, shared by all links and joined on demand: many links times a long URL would
    /// use much memory.
    base: Arc<Url>,
    raw: RawLink,
}

impl Link {
    /// Returns the target, resolved against the URL of the response, or `None` if it is not an HTTP
    /// URL.
    pub fn url(&self) -> Option<Url> {
        self.base.join(&self.raw.target).ok().filter(|url| url.http_scheme().is_ok())
    }

    /// Returns the target as the server sent it.
    pub fn target(&self) -> &str {
        &self.raw.target
    }

    /// Returns whether this is one of its relations, such as `next` or `preload`, ignoring case.
    ///
    /// With the parameter `anchor` it is a relation of that resource and not of the response.
    pub fn has_rel(&self, rel: &str) -> bool {
        let rels = self.parameter("rel").unwrap_or_default();
        rels.split_ascii_whitespace().any(|own| own.eq_ignore_ascii_case(rel))
    }

    /// Returns the first parameter of this name, given in lower case. A parameter whose name ends
    /// in a star, such as `title*`, is decoded (RFC 8187).
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters().find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// Returns all parameters in their order, with names in lower case.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.raw.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("url", &self.url())
            .field("parameters", &self.raw.parameters)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
