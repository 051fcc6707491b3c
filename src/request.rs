//! Requests, and how they are built: written once for both fronts. Every check of what the caller
//! gives is here, so that nothing is sent of a request that cannot be sent whole.

use std::fmt;
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Version};

use crate::body::Body;
use crate::client::Client;
use crate::config::{Decoding, replace_headers};
use crate::error::{Error, Result};
use crate::form::{self, ToPairs};
use crate::front::Front;
use crate::policy::budget::Timeouts;
use crate::policy::credentials;
use crate::proto::exchange::Outgoing;
use crate::proto::number;
use crate::url::{Url, shown};

/// A request, complete and not yet sent.
///
/// ```
/// use leanhttp::{Method, Url, blocking::Request};
///
/// let mut request = Request::new(Method::PUT, Url::parse("http://example.org/a")?);
/// *request.body_mut() = Some("text".into());
/// assert_eq!(request.method(), Method::PUT);
/// # Ok::<(), leanhttp::url::ParseError>(())
/// ```
pub struct Request<F: Front> {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Body<F>>,
    pub(crate) version: Version,
    pub(crate) timeouts: Overrides,
    pub(crate) decoding: Option<Decoding>,
}

/// The timeouts that a request has of its own; the others are the client's.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Overrides {
    pub(crate) total: Option<Duration>,
    pub(crate) connect: Option<Duration>,
    pub(crate) read: Option<Duration>,
    pub(crate) write: Option<Duration>,
}

impl Overrides {
    pub(crate) fn over(self, client: Timeouts) -> Timeouts {
        Timeouts {
            total: self.total.or(client.total),
            connect: self.connect.or(client.connect),
            read: self.read.or(client.read),
            write: self.write.or(client.write),
        }
    }
}

impl<F: Front> Request<F> {
    /// A request without fields and body.
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: None,
            version: Version::HTTP_11,
            timeouts: Overrides::default(),
            decoding: None,
        }
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The method, to be changed.
    pub fn method_mut(&mut self) -> &mut Method {
        &mut self.method
    }

    /// The URL.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The URL, to be changed.
    pub fn url_mut(&mut self) -> &mut Url {
        &mut self.url
    }

    /// The fields that the caller gave; those of the client are added when it is sent.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The fields, to be changed.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.headers
    }

    /// The body.
    pub fn body(&self) -> Option<&Body<F>> {
        self.body.as_ref()
    }

    /// The body, to be changed.
    pub fn body_mut(&mut self) -> &mut Option<Body<F>> {
        &mut self.body
    }

    /// The HTTP version; 1.1 by default.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The HTTP version, to be changed; 1.0 and 1.1 can be sent.
    pub fn version_mut(&mut self) -> &mut Version {
        &mut self.version
    }

    /// The total timeout of this request, if it has one of its own.
    pub fn timeout(&self) -> Option<&Duration> {
        self.timeouts.total.as_ref()
    }

    /// The total timeout of this request, to be changed.
    pub fn timeout_mut(&mut self) -> &mut Option<Duration> {
        &mut self.timeouts.total
    }

    /// A copy, unless the body is a reader.
    pub fn try_clone(&self) -> Option<Self> {
        let body = match &self.body {
            Some(body) => Some(body.try_clone()?),
            None => None,
        };
        Some(Self {
            method: self.method.clone(),
            url: self.url.clone(),
            headers: self.headers.clone(),
            body,
            version: self.version,
            timeouts: self.timeouts,
            decoding: self.decoding,
        })
    }

    /// The last check before anything is sent: framing fields of the caller either agree with the
    /// body or are refused (RFC 9112 §6.2, §6.3), and what remains of them is written by the client.
    pub(crate) fn seal(&mut self) -> Result<Outgoing> {
        if self.method == Method::CONNECT {
            return Err(Error::builder("CONNECT cannot be sent as a request"));
        }
        if self.version != Version::HTTP_11 && self.version != Version::HTTP_10 {
            return Err(Error::builder(format!("{:?} cannot be sent", self.version)));
        }
        if self.headers.get_all(header::HOST).iter().nth(1).is_some() {
            return Err(Error::builder("more than one Host field"));
        }
        let announced = self.announced_length()?;
        let chunked = self.asks_for_chunked()?;
        let outgoing = self.outgoing(announced, chunked)?;
        self.headers.remove(header::CONTENT_LENGTH);
        self.headers.remove(header::TRANSFER_ENCODING);
        Ok(outgoing)
    }

    fn outgoing(&mut self, announced: Option<u64>, chunked: Option<Chunked>) -> Result<Outgoing> {
        let Some(body) = &mut self.body else {
            return match (announced, chunked) {
                (None | Some(0), None) => Ok(self.without_body(announced)),
                _ => Err(Error::builder("a framing field announces a body and there is none")),
            };
        };
        if let (Some(length), None) = (announced, body.length()) {
            body.announce(length);
        }
        match (body.length(), announced, chunked) {
            (_, Some(_), Some(_)) => {
                Err(Error::builder("both Content-Length and Transfer-Encoding are set"))
            }
            (Some(length), Some(said), None) if said != length => Err(Error::builder(format!(
                "Content-Length is {said} but the body has {length} bytes"
            ))),
            (Some(length), _, None) => Ok(Outgoing::Length(length)),
            _ if self.version == Version::HTTP_10 => {
                Err(Error::builder("HTTP/1.0 cannot send a body of unknown length"))
            }
            _ => Ok(Outgoing::Chunked),
        }
    }

    /// RFC 9110 §8.6: where a body is usual its absence is said.
    fn without_body(&self, announced: Option<u64>) -> Outgoing {
        let usual = [Method::POST, Method::PUT, Method::PATCH].contains(&self.method);
        if usual || announced.is_some() { Outgoing::Length(0) } else { Outgoing::None }
    }

    fn announced_length(&self) -> Result<Option<u64>> {
        let mut values = self.headers.get_all(header::CONTENT_LENGTH).iter();
        let Some(value) = values.next() else { return Ok(None) };
        let invalid = || Error::builder("invalid Content-Length");
        if values.next().is_some() {
            return Err(Error::builder("more than one Content-Length field"));
        }
        number::decimal(value.as_bytes()).map(Some).ok_or_else(invalid)
    }

    fn asks_for_chunked(&self) -> Result<Option<Chunked>> {
        let mut values = self.headers.get_all(header::TRANSFER_ENCODING).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(one), None) if one.as_bytes().eq_ignore_ascii_case(b"chunked") => {
                Ok(Some(Chunked))
            }
            _ => Err(Error::builder("only `chunked` can be sent as Transfer-Encoding")),
        }
    }
}

/// The caller asked for the chunked coding.
struct Chunked;

impl<F: Front> fmt::Debug for Request<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("headers", &Names(&self.headers))
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

/// Shows the values of fields, but none that carries credentials by its name.
struct Names<'a>(&'a HeaderMap);

impl fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self.0 {
            match credentials::stays_with_origin(name, value) {
                true => map.entry(name, &"Sensitive"),
                false => map.entry(name, value),
            };
        }
        map.finish()
    }
}

/// Converts `http::Request`; its URI has to be absolute.
impl<F: Front, T: Into<Body<F>>> TryFrom<http::Request<T>> for Request<F> {
    type Error = Error;

    fn try_from(request: http::Request<T>) -> Result<Self> {
        let (parts, body) = request.into_parts();
        let mut converted = Self::new(parts.method, parts.uri.to_string().into_url()?);
        converted.headers = parts.headers;
        converted.version = parts.version;
        converted.body = Some(body.into());
        Ok(converted)
    }
}

/// Builds a request step by step; a mistake is told by [`build`](RequestBuilder::build) or `send`,
/// and nothing is sent.
#[must_use]
pub struct RequestBuilder<F: Front> {
    client: Client<F>,
    request: Result<Request<F>>,
}

impl<F: Front> RequestBuilder<F> {
    pub(crate) fn new<U: IntoUrl>(client: Client<F>, method: Method, url: U) -> Self {
        Self { client, request: url.into_url().map(|url| Request::new(method, url)) }
    }

    /// Continues with a request that was built already.
    pub fn from_parts(client: Client<F>, request: Request<F>) -> Self {
        Self { client, request: Ok(request) }
    }

    /// The request.
    ///
    /// # Errors
    ///
    /// The first mistake that was made in building it.
    pub fn build(self) -> Result<Request<F>> {
        self.request
    }

    /// The client and the request.
    pub fn build_split(self) -> (Client<F>, Result<Request<F>>) {
        (self.client, self.request)
    }

    /// A copy, unless the body is a reader or a mistake was made.
    pub fn try_clone(&self) -> Option<Self> {
        let request = self.request.as_ref().ok()?.try_clone()?;
        Some(Self::from_parts(self.client.clone(), request))
    }

    /// Adds a field; one of the same name stays beside it.
    ///
    /// CR, LF, NUL and other controls are refused in names and values (RFC 9110 §5.5).
    pub fn header<K, V>(self, key: K, value: V) -> Self
    where
        HeaderName: TryFrom<K>,
        <HeaderName as TryFrom<K>>::Error: Into<http::Error>,
        HeaderValue: TryFrom<V>,
        <HeaderValue as TryFrom<V>>::Error: Into<http::Error>,
    {
        self.and(|request| {
            let name = HeaderName::try_from(key)
                .map_err(|error| Error::builder("header").cause(error.into()))?;
            let value = HeaderValue::try_from(value)
                .map_err(|error| Error::builder(format!("header {name}")).cause(error.into()))?;
            request.headers.try_append(name, value).map_err(too_many_fields)?;
            Ok(())
        })
    }

    /// Adds fields; they take the place of fields of the same name.
    pub fn headers(self, headers: HeaderMap) -> Self {
        self.and(|request| {
            replace_headers(&mut request.headers, headers);
            Ok(())
        })
    }

    /// Basic credentials (RFC 7617); they stay with the origin of the URL.
    ///
    /// ```
    /// let request = leanhttp::Client::new()
    ///     .get("https://example.org/")
    ///     .basic_auth("Aladdin", Some("open sesame"))
    ///     .build()?;
    /// assert_eq!(request.headers()["authorization"], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn basic_auth<U, P>(self, username: U, password: Option<P>) -> Self
    where
        U: fmt::Display,
        P: fmt::Display,
    {
        self.and(|request| {
            let password = password.map(|password| password.to_string()).unwrap_or_default();
            let value = credentials::basic(username.to_string().as_bytes(), password.as_bytes())?;
            request.headers.insert(header::AUTHORIZATION, value);
            Ok(())
        })
    }

    /// A bearer token (RFC 6750); it stays with the origin of the URL.
    pub fn bearer_auth<T: fmt::Display>(self, token: T) -> Self {
        self.and(|request| {
            let value = credentials::bearer(&token.to_string())?;
            request.headers.insert(header::AUTHORIZATION, value);
            Ok(())
        })
    }

    /// Adds parameters to the query of the URL, encoded as
    /// [`form::encode`](crate::form::encode) does; what the URL has already stays.
    ///
    /// ```
    /// let request = leanhttp::Client::new()
    ///     .get("http://example.org/?a=1")
    ///     .query(&[("name1", "value 1"), ("name2", "ä")])
    ///     .build()?;
    /// assert_eq!(request.url().query(), Some("a=1&name1=value+1&name2=%C3%A4"));
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn query<T: ToPairs + ?Sized>(self, query: &T) -> Self {
        self.and(|request| {
            let added =
                form::encode(query).map_err(|error| Error::builder("query").cause(error))?;
            request.url.append_query(&added);
            Ok(())
        })
    }

    /// The body, and its type unless a `Content-Type` was given: a form
    /// (`application/x-www-form-urlencoded`).
    ///
    /// ```
    /// let request = leanhttp::Client::new()
    ///     .post("http://example.org/")
    ///     .form(&[("name", "value & more")])
    ///     .build()?;
    /// assert_eq!(request.body().and_then(|body| body.as_bytes()), Some(&b"name=value+%26+more"[..]));
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn form<T: ToPairs + ?Sized>(self, form: &T) -> Self {
        self.and(|request| {
            let body = form::encode(form).map_err(|error| Error::builder("form").cause(error))?;
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            request.headers.entry(header::CONTENT_TYPE).or_insert(form);
            request.body = Some(body.into());
            Ok(())
        })
    }

    /// The body.
    pub fn body<T: Into<Body<F>>>(self, body: T) -> Self {
        self.and(|request| {
            request.body = Some(body.into());
            Ok(())
        })
    }

    /// The HTTP version; 1.1 by default.
    pub fn version(self, version: Version) -> Self {
        self.and(|request| {
            request.version = version;
            Ok(())
        })
    }

    /// The total timeout of this request; see [`ClientBuilder::timeout`](crate::ClientBuilder).
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with_timeouts(|timeouts| timeouts.total = Some(timeout))
    }

    /// The connect timeout of this request.
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        self.with_timeouts(|timeouts| timeouts.connect = Some(timeout))
    }

    /// The read timeout of this request.
    pub fn read_timeout(self, timeout: Duration) -> Self {
        self.with_timeouts(|timeouts| timeouts.read = Some(timeout))
    }

    /// The write timeout of this request.
    pub fn write_timeout(self, timeout: Duration) -> Self {
        self.with_timeouts(|timeouts| timeouts.write = Some(timeout))
    }

    /// Whether gzip is asked for and decoded, for this request.
    pub fn gzip(self, enable: bool) -> Self {
        self.and(|request| {
            request.decoding = Some(if enable { Decoding::On } else { Decoding::Off });
            Ok(())
        })
    }

    fn with_timeouts(self, set: impl FnOnce(&mut Overrides)) -> Self {
        self.and(|request| {
            set(&mut request.timeouts);
            Ok(())
        })
    }

    /// One more step, unless an earlier one failed.
    pub(crate) fn and(mut self, step: impl FnOnce(&mut Request<F>) -> Result<()>) -> Self {
        self.request = self.request.and_then(|mut request| match step(&mut request) {
            Ok(()) => Ok(request),
            Err(error) => Err(error.for_url(&request.url)),
        });
        self
    }
}

fn too_many_fields(error: header::MaxSizeReached) -> Error {
    Error::builder("too many header fields").cause(error)
}

impl<F: Front> fmt::Debug for RequestBuilder<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.request {
            Ok(request) => request.fmt(f),
            Err(error) => error.fmt(f),
        }
    }
}

/// What can be used as the URL of a request. Sealed.
pub trait IntoUrl: sealed::Sealed {
    #[doc(hidden)]
    fn into_url(self) -> Result<Url>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for crate::url::Url {}
    impl Sealed for &crate::url::Url {}
    impl Sealed for &str {}
    impl Sealed for &String {}
    impl Sealed for String {}
}

impl IntoUrl for Url {
    fn into_url(self) -> Result<Url> {
        Ok(self)
    }
}

impl IntoUrl for &Url {
    fn into_url(self) -> Result<Url> {
        Ok(self.clone())
    }
}

impl IntoUrl for &str {
    fn into_url(self) -> Result<Url> {
        Url::parse(self).map_err(|error| Error::builder(shown("URL", self)).cause(error))
    }
}

impl IntoUrl for &String {
    fn into_url(self) -> Result<Url> {
        self.as_str().into_url()
    }
}

impl IntoUrl for String {
    fn into_url(self) -> Result<Url> {
        self.as_str().into_url()
    }
}
