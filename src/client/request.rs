//! Requests: the [`Request`] as data, the [`RequestBuilder`] that makes one step by step, and the values that
//! can be its URL ([`IntoUrl`]), for all runtimes.

// Both are a client-independent `RequestParts` (`call/mod.rs`) behind one pointer. The builder holds
// it together with its client, or the first error: an invalid value is reported by `build` or `send`, and
// nothing is sent. What needs the whole request is checked when the call begins (`call/head.rs`).
// Sending is in `client/mod.rs`, and in the `mod.rs` of each runtime.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderName, HeaderValue, TRAILER};
use http::{Method, Version};
#[cfg(feature = "json")]
use serde::Serialize;

use crate::base::cancel::CancelToken;
use crate::base::text::Excerpt;
#[cfg(feature = "multipart")]
use crate::body::multipart::Form;
use crate::body::{Body, Presence};
#[cfg(feature = "export")]
use crate::call::Call;
use crate::call::{Overrides, RequestParts, UNLIMITED};
use crate::client::response::{Response, observer_of};
use crate::client::{Client, Standard};
use crate::config::replace_headers;
use crate::driver::runtime::Runtime;
use crate::error::{Error, Result};
use crate::fields::is_tchar;
use crate::fields::singleton;
use crate::form::{self, ToPairs};
use crate::http1::exchange::Expectation;
use crate::policy::auth;
#[cfg(feature = "digest")]
use crate::policy::auth::digest::DigestLogin;
use crate::policy::deadline::Pace;
use crate::policy::{redirect, retry};
use crate::url::{ParseError, Url, may_hold_userinfo, shown};

/// A complete request that is not yet sent.
///
/// If its body is bytes, or if it has none, `try_into` converts it from `blocking::Request` to
/// `tokio::Request` and back. So do the bodies themselves.
///
/// ```
/// use leanhttp::{Method, Url, blocking::Request};
///
/// let mut request = Request::new(Method::PUT, Url::parse("http://example.org/a")?);
/// *request.body_mut() = Some("text".into());
/// assert_eq!(request.method(), Method::PUT);
/// # Ok::<(), leanhttp::url::ParseError>(())
/// ```
pub struct Request<F: Runtime> {
    pub(crate) parts: Box<RequestParts<F::Source>>,
}

impl<F: Runtime> Request<F> {
    /// Returns the request for another runtime. Fails if its body is read from a source.
    #[cfg(all(feature = "blocking", feature = "tokio"))]
    pub(crate) fn for_runtime<G: Runtime>(mut self) -> Result<Request<G>> {
        let body = self.parts.body.take().map(Body::for_runtime).transpose()?;
        Ok(Request { parts: Box::new(self.parts.with_body(body)) })
    }

    /// Creates a request without fields and body.
    ///
    /// ```
    /// use leanhttp::{Method, Url, blocking::Request};
    ///
    /// let request = Request::new(Method::GET, Url::parse("http://example.org/")?);
    /// assert!(request.headers().is_empty() && request.body().is_none());
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn new(method: Method, url: Url) -> Self {
        Self { parts: Box::new(RequestParts::new(method, url)) }
    }

    /// Returns the method.
    pub fn method(&self) -> &Method {
        &self.parts.method
    }

    /// Returns the method for modification.
    pub fn method_mut(&mut self) -> &mut Method {
        &mut self.parts.method
    }

    /// Returns the URL.
    pub fn url(&self) -> &Url {
        &self.parts.url
    }

    /// Returns the URL for modification.
    pub fn url_mut(&mut self) -> &mut Url {
        &mut self.parts.url
    }

    /// Returns the fields of the request; those of the client are added when it is sent.
    pub fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// Returns the fields for modification.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.parts.headers
    }

    /// Returns the body.
    pub fn body(&self) -> Option<&Body<F::Source>> {
        self.parts.body.as_ref()
    }

    /// Returns the body for modification.
    pub fn body_mut(&mut self) -> &mut Option<Body<F::Source>> {
        &mut self.parts.body
    }

    /// Returns the HTTP version; 1.1 by default.
    pub fn version(&self) -> Version {
        self.parts.version
    }

    /// Returns the HTTP version for modification; 1.0 and 1.1 can be sent.
    pub fn version_mut(&mut self) -> &mut Version {
        &mut self.parts.version
    }

    /// Returns the total timeout of this request, if it has one of its own.
    pub fn timeout(&self) -> Option<&Duration> {
        self.parts.overrides.as_ref()?.total.as_ref()
    }

    /// Returns the total timeout of this request for modification.
    pub fn timeout_mut(&mut self) -> &mut Option<Duration> {
        &mut self.parts.overrides.get_or_insert_default().total
    }

    /// Returns a copy, or `None` if the body is a reader.
    pub fn try_clone(&self) -> Option<Self> {
        Some(Self { parts: Box::new(self.parts.try_clone()?) })
    }
}

impl<F: Runtime> fmt::Debug for Request<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.fmt(f)
    }
}

/// Converts an `http::Request`, whose URI has to be absolute. Such a request always has a body; an
/// empty one becomes no body.
impl<F: Runtime, T: Into<Body<F::Source>>> TryFrom<http::Request<T>> for Request<F> {
    type Error = Error;

    fn try_from(request: http::Request<T>) -> Result<Self> {
        let (parts, body) = request.into_parts();
        let mut converted = Self::new(parts.method, parts.uri.to_string().into_url()?);
        converted.parts.headers = parts.headers;
        converted.parts.version = parts.version;
        let has_trailers = |body: &Body<F::Source>| match body.presence_of_trailers() {
            Presence::Yes => true,
            Presence::Perhaps => converted.parts.headers.contains_key(TRAILER),
            Presence::No => false,
        };
        let is_any = |body: &Body<F::Source>| body.length() != Some(0) || has_trailers(body);
        let body = Some(body.into()).filter(is_any);
        converted.parts.body = body;
        Ok(converted)
    }
}

/// Converts a request to an `http::Request`, whose body is empty if the request has none.
///
/// It has the method, the URL without its fragment, the version, the fields and the body. What only this
/// crate knows is left out: timeouts, policies, the cancel token, Digest credentials, the spelling of fields
/// and another request target. The fields of the client are not added.
///
/// # Errors
///
/// If the crate `http` refuses the URL.
///
/// ```
/// let request = leanhttp::Client::new().put("http://example.org/a?b#c").body("text").build()?;
/// let request = http::Request::try_from(request)?;
/// assert_eq!(*request.uri(), "http://example.org/a?b");
/// assert_eq!(request.body().as_bytes(), Some(&b"text"[..]));
/// # Ok::<(), leanhttp::Error>(())
/// ```
impl<F: Runtime> TryFrom<Request<F>> for http::Request<Body<F::Source>> {
    type Error = Error;

    fn try_from(request: Request<F>) -> Result<Self> {
        let RequestParts { method, url, headers, body, version, .. } = *request.parts;
        let url = url.into_url()?;
        let mut converted = Self::new(body.unwrap_or_default());
        *converted.uri_mut() = http::Uri::try_from(url.as_str())
            .map_err(|error| Error::builder("URL").cause(error).for_url(&url))?;
        *converted.method_mut() = method;
        *converted.headers_mut() = headers;
        *converted.version_mut() = version;
        Ok(converted)
    }
}

/// Builds a request step by step. An invalid value is reported by [`build`](RequestBuilder::build)
/// or `send`, and nothing is sent. With the feature `json` there is a method `json` too.
#[must_use]
pub struct RequestBuilder<F: Runtime, D = Standard> {
    client: Client<F, D>,
    request: Result<Parts<F>>,
}

/// The request under construction.
type Parts<F> = Box<RequestParts<<F as Runtime>::Source>>;

impl<F: Runtime, D> RequestBuilder<F, D> {
    pub(crate) fn new<U: IntoUrl>(client: Client<F, D>, method: Method, url: U) -> Self {
        let url = url.into_url_at(client.shared().config.base.as_deref());
        Self { client, request: url.map(|url| Box::new(RequestParts::new(method, url))) }
    }

    /// Returns a builder that continues with a built request.
    ///
    /// ```
    /// use leanhttp::{Client, Method, RequestBuilder, Url, blocking::Request};
    ///
    /// let saved = Request::new(Method::GET, Url::parse("http://example.org/")?);
    /// let request = RequestBuilder::from_parts(Client::new(), saved).bearer_auth("t0ken").build()?;
    /// assert!(request.headers().contains_key("authorization"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_parts(client: Client<F, D>, request: Request<F>) -> Self {
        Self { client, request: Ok(request.parts) }
    }

    /// Returns the request. The user name and password of its URL become its `Authorization`,
    /// unless it has one already, so that nothing that shows the URL reveals them.
    ///
    /// # Errors
    ///
    /// The error of the first invalid value.
    pub fn build(self) -> Result<Request<F>> {
        self.build_split().1
    }

    /// Returns the client and the request.
    pub fn build_split(self) -> (Client<F, D>, Result<Request<F>>) {
        let (client, request) = self.finish();
        (client, request.map(|parts| Request { parts }))
    }

    /// Returns the request as a command of curl for a POSIX shell, which sends the same: with the fields of the
    /// client, its credentials and cookies. Secrets are replaced by `REDACTED`: credentials, cookies, values that
    /// are marked sensitive, and query parameters whose names say so. A body that is read from a source is not
    /// shown.
    ///
    /// ```
    /// # fn main() -> leanhttp::Result<()> {
    /// let client = leanhttp::Client::new();
    /// let request = client.post("http://example.org/").bearer_auth("s3cret").body("it's text");
    /// let command = request.to_curl()?;
    /// assert!(command.contains("--header 'Authorization: Bearer REDACTED'"));
    /// assert!(command.ends_with("--data-raw 'it'\\''s text' http://example.org/"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the request is invalid.
    #[cfg(feature = "export")]
    pub fn to_curl(&self) -> Result<String> {
        self.as_curl(false)
    }

    /// Returns the request as a command of curl, as [`to_curl`](Self::to_curl) does, with all of its secrets.
    ///
    /// # Errors
    ///
    /// If the request is invalid.
    #[cfg(feature = "export")]
    pub fn to_curl_with_secrets(&self) -> Result<String> {
        self.as_curl(true)
    }

    #[cfg(feature = "export")]
    fn as_curl(&self, with_secrets: bool) -> Result<String> {
        let request = match &self.request {
            Ok(request) => request,
            Err(error) => return Err(Error::builder(error.to_string())),
        };
        let copy = request.try_clone();
        let is_shown = copy.is_some();
        let copy = Self {
            client: self.client.clone(),
            request: Ok(Box::new(copy.unwrap_or_else(|| request.with_body(None)))),
        };
        let (client, request) = copy.finish();
        let shared = client.shared();
        let mut call = Call::new(&shared.config, &shared.calls, request?, shared.runtime.now());
        call.begin()?;
        call.as_curl(is_shown, with_secrets)
    }

    /// Returns the client and the checked request, like [`build_split`](Self::build_split).
    pub(crate) fn finish(mut self) -> (Client<F, D>, Result<Parts<F>>) {
        if let Ok(request) = &mut self.request {
            let taken = request.take_userinfo(self.client.shared().config.netrc.as_ref());
            let completed = taken.and_then(|()| request.complete_type());
            if !request.headers.is_empty() {
                auth::mark_sensitive(&mut request.headers);
            }
            if let Err(error) = completed {
                self.request = Err(error.for_url(&request.url));
            }
        }
        (self.client, self.request)
    }

    /// Has no effect, as in reqwest, where it is for browsers.
    pub fn fetch_mode_no_cors(self) -> Self {
        self
    }

    /// Returns a copy, or `None` if the body is a reader or a value was invalid.
    pub fn try_clone(&self) -> Option<Self> {
        let request = self.request.as_ref().ok()?.try_clone()?;
        Some(Self { client: self.client.clone(), request: Ok(Box::new(request)) })
    }

    /// Adds a field. It is added to fields of the same name if the field may have several values,
    /// as `Accept` and unknown fields may; otherwise it replaces them, whether they were set before
    /// or by a method such as [`form`](Self::form) or [`bearer_auth`](Self::bearer_auth). `Cookie`
    /// fields are joined.
    ///
    /// This differs from reqwest, which then sends `Content-Type`, `Authorization`, `Host` and the
    /// like twice, which no server has to accept (RFC 9110 §5.3).
    ///
    /// ```
    /// let request = leanhttp::Client::new()
    ///     .post("http://example.org/")
    ///     .form(&[("a", "1")])
    ///     .header("Content-Type", "application/x-own")
    ///     .header("X-Tag", "one")
    ///     .header("X-Tag", "two")
    ///     .build()?;
    /// assert_eq!(request.headers()["content-type"], "application/x-own");
    /// assert_eq!(request.headers().get_all("x-tag").iter().count(), 2);
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    ///
    /// CR, LF, NUL and other control characters are refused in names and values (RFC 9110 §5.5).
    /// Values of `Authorization`, `Cookie` and `Proxy-Authorization` are marked sensitive by
    /// [`build`](Self::build).
    pub fn header<K, V>(self, key: K, value: V) -> Self
    where
        HeaderName: TryFrom<K>,
        <HeaderName as TryFrom<K>>::Error: Into<http::Error>,
        HeaderValue: TryFrom<V>,
        <HeaderValue as TryFrom<V>>::Error: Into<http::Error>,
    {
        self.and(|request| {
            let name =
                HeaderName::try_from(key).map_err(|error| Error::invalid_field("header", error))?;
            let value = HeaderValue::try_from(value)
                .map_err(|error| Error::invalid_field(format!("header {name}"), error))?;
            singleton::add(&mut request.headers, name, value)
        })
    }

    /// Adds a field as [`header`](Self::header) does, with its name in exactly this spelling.
    ///
    /// Such fields are sent in the order in which they were added, after `Host` and before all
    /// others; `Host`, `User-Agent`, `Content-Length` and the like can be placed among them. Names
    /// are case-insensitive (RFC 9110 §5.1), but not for every server.
    ///
    /// ```
    /// let request = leanhttp::Client::new()
    ///     .get("http://example.org/")
    ///     .raw_header("SOAPAction", "\"\"")
    ///     .raw_header("x-APIKey", "k")
    ///     .build()?;
    /// assert_eq!(request.headers()["soapaction"], "\"\"");
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn raw_header<V>(self, name: &str, value: V) -> Self
    where
        HeaderValue: TryFrom<V>,
        <HeaderValue as TryFrom<V>>::Error: Into<http::Error>,
    {
        self.and(|_| check_name(name)).header(name, value).and(|request| {
            // Spellings of replaced lines are dropped; lines of that name that were added without a
            // spelling stay in front.
            let mut unspelt = request.headers.get_all(name).iter().count().saturating_sub(1);
            request.names.retain(|spelt| {
                if !spelt.eq_ignore_ascii_case(name) {
                    return true;
                }
                let has_line = unspelt > 0;
                unspelt -= usize::from(has_line);
                has_line
            });
            let usual = std::iter::repeat_n(name.to_ascii_lowercase(), unspelt);
            request.names.extend(usual.map(String::into_boxed_str));
            request.names.push(name.into());
            Ok(())
        })
    }

    /// Adds fields; they replace fields of the same name. If there are several values for a field
    /// that may occur only once, the last one is used.
    pub fn headers(self, headers: HeaderMap) -> Self {
        self.and(|request| replace_headers(&mut request.headers, headers))
    }

    /// Sets Basic credentials (RFC 7617); they stay with the origin of the URL.
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
            let value = auth::basic(username.to_string().as_bytes(), password.as_bytes())?;
            request.set_header(header::AUTHORIZATION, value)
        })
    }

    /// Sets a bearer token (RFC 6750); it stays with the origin of the URL.
    pub fn bearer_auth<T: fmt::Display>(self, token: T) -> Self {
        self.and(|request| {
            let value = auth::bearer(&token.to_string())?;
            request.set_header(header::AUTHORIZATION, value)
        })
    }

    /// Sets Digest credentials (RFC 7616): a 401 that asks for them is answered, with MD5, SHA-256 or
    /// SHA-512-256, the strongest that the server offers. They stay with the origin of the URL.
    ///
    /// The first request to an origin is sent twice, so its body has to be replayable; later ones
    /// reuse the server's nonce. If the server refuses the password, its 401 is returned. If the request
    /// has an `Authorization` field, these credentials are not used. A user name with a colon or with
    /// control characters is an error.
    ///
    /// ```no_run
    /// let response = leanhttp::Client::new()
    ///     .get("https://example.org/dir/index.html")
    ///     .digest_auth("Mufasa", "Circle of Life")
    ///     .send()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    #[cfg(feature = "digest")]
    pub fn digest_auth<U, P>(self, username: U, password: P) -> Self
    where
        U: fmt::Display,
        P: fmt::Display,
    {
        self.and(|request| {
            request.digest = Some(DigestLogin::new(username, password)?);
            Ok(())
        })
    }

    /// Adds parameters to the query of the URL, encoded as [`form::encode`]
    /// does; the existing query is kept.
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

    /// Sets the body to a form (`application/x-www-form-urlencoded`), and its `Content-Type` unless
    /// it is set.
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
            request.set_body(body.into());
            request.default_header(header::CONTENT_TYPE, form)
        })
    }

    /// Sets the body.
    pub fn body<T: Into<Body<F::Source>>>(self, body: T) -> Self {
        self.and(|request| {
            request.set_body(body.into());
            Ok(())
        })
    }

    /// Sets a callback for the progress of sending the body, of any kind: it is told how many bytes of it were handed
    /// to the connection, and how many there are if that is known.
    ///
    /// It is called with 0 when sending begins, and then after each piece of at most 120 KiB. If the body is sent
    /// again, after a redirect, a lost connection or a retry, it begins again at 0. What is handed over may still wait
    /// in buffers of the system: the response tells that all has arrived.
    ///
    /// The callback runs with no lock held, and the request waits for it. A panic in it ends the request, and leaves
    /// the client usable.
    ///
    /// ```no_run
    /// let request = leanhttp::Client::new().put("https://example.org/a.iso").body(vec![0; 1 << 20]);
    /// let request = request.on_upload_progress(|sent, total| match total {
    ///     Some(total) => println!("{sent} of {total} bytes"),
    ///     None => println!("{sent} bytes"),
    /// });
    /// request.send()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn on_upload_progress<P>(self, observer: P) -> Self
    where
        P: Fn(u64, Option<u64>) + Send + Sync + 'static,
    {
        self.and(|request| {
            request.upload_observer = Some(Arc::new(observer));
            Ok(())
        })
    }

    /// Sets the body to `json` as JSON, and `Content-Type` to `application/json` unless it is set.
    #[cfg(feature = "json")]
    pub fn json<T: Serialize + ?Sized>(self, json: &T) -> Self {
        self.and(|request| {
            let body = serde_json::to_vec(json).map_err(|error| {
                Error::builder("the value cannot be serialized as JSON").cause(error)
            })?;
            let json = HeaderValue::from_static("application/json");
            request.set_body(body.into());
            request.default_header(header::CONTENT_TYPE, json)
        })
    }

    /// Sets the body to a form of fields and files, which is streamed. Its `Content-Type`, which names
    /// the boundary, replaces any other. If another multipart type is set afterwards, the boundary is
    /// added to it.
    ///
    /// ```no_run
    /// use leanhttp::multipart::Form;
    ///
    /// let form = Form::new().text("title", "My cat").file("photo", "cat.jpg")?;
    /// leanhttp::Client::new().post("https://example.org/upload").multipart(form).send()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "multipart")]
    pub fn multipart(self, multipart: Form<F::Source>) -> Self {
        self.and(|request| {
            let (content_type, body) = multipart.into_body()?;
            request.set_body(body);
            request.form_type = Some(Box::new(content_type.clone()));
            request.set_header(header::CONTENT_TYPE, content_type)
        })
    }

    /// Sets the request target, which replaces the URL's path and query in the request line and is
    /// sent exactly as given: a path whose dot segments or encoding must not be changed, or `*` for
    /// OPTIONS (RFC 9112 §3.2).
    ///
    /// It does not change where the request is sent, and cookies follow the URL. A redirect uses
    /// its own URL as the target.
    ///
    /// ```
    /// let request = leanhttp::Client::new()
    ///     .get("http://example.org/")
    ///     .request_target("/a/../b?{raw}")
    ///     .build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If it is empty or has a byte that is not visible ASCII. If the request is sent through an
    /// HTTP proxy without TLS, also if it is not a path, `*` or an absolute URL of the same host:
    /// the proxy routes by the target alone, so another host would receive what is meant for this
    /// one.
    pub fn request_target(self, target: &str) -> Self {
        self.and(|request| {
            if target.is_empty() || !target.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(Error::builder("request target: only visible ASCII can be sent"));
            }
            request.target = Some(target.into());
            Ok(())
        })
    }

    /// Sets the HTTP version; 1.1 by default.
    pub fn version(self, version: Version) -> Self {
        self.and(|request| {
            request.version = version;
            Ok(())
        })
    }

    /// Sets the total timeout of this request; `None` means no limit, whatever the client's is, and the default
    /// limit on the wait for a response to begin holds again. See
    /// [`ClientBuilder::timeout`](crate::client::ClientBuilder::timeout).
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let client = leanhttp::Client::builder().timeout(Duration::from_secs(10)).build()?;
    /// let patient = client.get("http://example.org/report").timeout(None);
    /// let hasty = client.get("http://example.org/").timeout(Duration::from_secs(1));
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn timeout(self, timeout: impl Into<Option<Duration>>) -> Self {
        let limit = timeout.into().unwrap_or(UNLIMITED);
        self.with_timeouts(|timeouts| timeouts.total = Some(limit))
    }

    /// Sets the connect timeout of this request; `None` means no limit.
    pub fn connect_timeout(self, timeout: impl Into<Option<Duration>>) -> Self {
        let limit = timeout.into().unwrap_or(UNLIMITED);
        self.with_timeouts(|timeouts| timeouts.connect = Some(limit))
    }

    /// Sets the read timeout of this request; `None` means no limit.
    pub fn read_timeout(self, timeout: impl Into<Option<Duration>>) -> Self {
        let limit = timeout.into().unwrap_or(UNLIMITED);
        self.with_timeouts(|timeouts| timeouts.read = Some(limit))
    }

    /// Sets the write timeout of this request; `None` means no limit.
    pub fn write_timeout(self, timeout: impl Into<Option<Duration>>) -> Self {
        let limit = timeout.into().unwrap_or(UNLIMITED);
        self.with_timeouts(|timeouts| timeouts.write = Some(limit))
    }

    /// Sets the first byte timeout of this request; `None` means no limit. See
    /// [`ClientBuilder::first_byte_timeout`](crate::client::ClientBuilder::first_byte_timeout).
    pub fn first_byte_timeout(self, timeout: impl Into<Option<Duration>>) -> Self {
        let limit = timeout.into().unwrap_or(UNLIMITED);
        self.with_timeouts(|timeouts| timeouts.first_byte = Some(limit))
    }

    /// Sets the minimum throughput of this request; see
    /// [`ClientBuilder::min_throughput`](crate::client::ClientBuilder::min_throughput).
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// let request = leanhttp::Client::new().get("https://example.org/large");
    /// let response = request.min_throughput(10_000, Duration::from_secs(30)).send()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn min_throughput(self, bytes_per_second: u64, over: Duration) -> Self {
        self.with_timeouts(|timeouts| timeouts.pace = Some(Pace { bytes_per_second, over }))
    }

    /// Sets the policy by which this request is retried, instead of the client's.
    ///
    /// ```no_run
    /// use leanhttp::{Client, Method, retry::Policy};
    ///
    /// let client = Client::builder().retry(Policy::new()).build()?;
    /// let order = client.post("https://example.org/orders").header("Idempotency-Key", "\"8e03\"");
    /// order.retry(Policy::new().retry_method(Method::POST)).send()?;
    /// client.get("https://example.org/").retry(Policy::none()).send()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn retry(self, policy: retry::Policy) -> Self {
        self.and(|request| {
            request.retry = Some(Arc::new(policy));
            Ok(())
        })
    }

    /// Sets the redirect policy of this request, instead of the client's.
    ///
    /// ```no_run
    /// use leanhttp::{Client, redirect::Policy};
    ///
    /// let response = Client::new().get("https://example.org/old").redirect(Policy::none()).send()?;
    /// println!("{} {:?}", response.status(), response.headers().get("location"));
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn redirect(self, policy: redirect::Policy) -> Self {
        self.and(|request| {
            request.overrides.get_or_insert_default().redirect = Some(policy);
            Ok(())
        })
    }

    /// Sets a callback for the interim responses (1xx) of this request, instead of the client's; see
    /// [`ClientBuilder::on_informational`](crate::client::ClientBuilder::on_informational).
    ///
    /// ```no_run
    /// let request = leanhttp::Client::new().get("https://example.org/");
    /// let request = request.on_informational(|response| println!("{:?}", response.headers()));
    /// request.send()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn on_informational<O>(self, observer: O) -> Self
    where
        O: Fn(Response<()>) + Send + Sync + 'static,
    {
        self.and(|request| {
            request.overrides.get_or_insert_default().on_informational =
                Some(observer_of(observer));
            Ok(())
        })
    }

    /// Lets another thread cancel the request at any point.
    ///
    /// ```no_run
    /// use std::{thread, time::Duration};
    /// use leanhttp::{CancelToken, Client};
    ///
    /// let token = CancelToken::new();
    /// let other = token.clone();
    /// thread::spawn(move || {
    ///     thread::sleep(Duration::from_secs(1)); // or until the user presses a button
    ///     other.cancel();
    /// });
    /// let outcome = Client::new().get("https://example.org/large").cancel_token(&token).send();
    /// ```
    pub fn cancel_token(self, token: &CancelToken) -> Self {
        self.and(|request| {
            request.cancel = Some(token.clone());
            Ok(())
        })
    }

    /// Sets whether gzip is asked for and decoded, for this request.
    pub fn gzip(self, enable: bool) -> Self {
        self.switch_coding("gzip", enable)
    }

    /// Sets whether deflate is asked for and decoded, for this request.
    pub fn deflate(self, enable: bool) -> Self {
        self.switch_coding("deflate", enable)
    }

    /// Sets whether brotli is asked for and decoded, for this request.
    pub fn brotli(self, enable: bool) -> Self {
        self.switch_coding("br", enable)
    }

    /// Sets whether zstd is asked for and decoded, for this request.
    pub fn zstd(self, enable: bool) -> Self {
        self.switch_coding("zstd", enable)
    }

    /// Sends `Expect: 100-continue` (RFC 9110 §10.1.1): the body waits for the server's `100
    /// Continue`, or for one second, so that a request that the server refuses costs no body. A
    /// field `Expect: 100-continue` means the same.
    ///
    /// If the server answers 417, the request is sent again without the expectation. It is off by
    /// default: it costs a round trip, and a second if the server does not support it.
    pub fn expect_continue(self, enable: bool) -> Self {
        self.and(|request| {
            let expectation = if enable { Expectation::Continue } else { Expectation::None };
            request.expectation = Some(expectation);
            Ok(())
        })
    }

    fn switch_coding(self, name: &str, enable: bool) -> Self {
        let of_client = self.client.shared().config.codings;
        self.and(|request| request.codings.get_or_insert(of_client).switch(name, enable))
    }

    fn with_timeouts(self, set: impl FnOnce(&mut Overrides)) -> Self {
        self.and(|request| {
            set(request.overrides.get_or_insert_default());
            Ok(())
        })
    }

    /// Applies one more step, unless an earlier one failed.
    pub(crate) fn and(
        mut self,
        step: impl FnOnce(&mut RequestParts<F::Source>) -> Result<()>,
    ) -> Self {
        self.request = self.request.and_then(|mut request| match step(&mut request) {
            Ok(()) => Ok(request),
            Err(error) => Err(error.for_url(&request.url)),
        });
        self
    }
}

/// Returns an error that shows the first invalid character of a header name, if there is one.
fn check_name(name: &str) -> Result<()> {
    let is_allowed = |c: char| u8::try_from(c).is_ok_and(is_tchar);
    let Some(wrong) = name.chars().find(|c| !is_allowed(*c)) else { return Ok(()) };
    let name = Excerpt::new(name.as_bytes());
    Err(Error::builder(format!("header {name}: {wrong:?} is not allowed in a header name")))
}

impl<F: Runtime, D> fmt::Debug for RequestBuilder<F, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.request {
            Ok(request) => request.fmt(f),
            Err(error) => error.fmt(f),
        }
    }
}

/// A value that can be used as the URL of a request: a [`Url`], text, and with the feature `url`
/// the `Url` of the crate `url`. Sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used as a URL of leanhttp",
    note = "with the feature `url` of leanhttp, the `Url` of the crate `url` can be used"
)]
pub trait IntoUrl: sealed::Sealed {
    #[doc(hidden)]
    fn into_url(self) -> Result<Url>;

    /// Returns the URL, resolved against the base if it is text.
    #[doc(hidden)]
    fn into_url_at(self, _base: Option<&Url>) -> Result<Url>
    where
        Self: Sized,
    {
        self.into_url()
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for crate::url::Url {}
    impl Sealed for &crate::url::Url {}
    impl Sealed for &str {}
    impl Sealed for &String {}
    impl Sealed for String {}
    #[cfg(feature = "url")]
    impl Sealed for whatwg_url::Url {}
}

/// Accepts `http` and `https` URLs only, as all of these do.
impl IntoUrl for Url {
    fn into_url(self) -> Result<Url> {
        match self.http_scheme() {
            Ok(_) => Ok(self),
            Err(cause) => Err(Error::builder("URL").cause(cause).for_url(&self)),
        }
    }
}

impl IntoUrl for &Url {
    fn into_url(self) -> Result<Url> {
        self.clone().into_url()
    }
}

impl IntoUrl for &str {
    fn into_url(self) -> Result<Url> {
        self.into_url_at(None)
    }

    fn into_url_at(self, base: Option<&Url>) -> Result<Url> {
        let url = base.map_or_else(|| Url::parse(self), |base| base.join(self));
        let url = url.and_then(|url| url.http_scheme().map(|_| url));
        url.map_err(|cause| {
            let error = Error::builder(shown("URL", self));
            let error = match (&cause, host_and_port(self)) {
                (ParseError::UnsupportedScheme(_), Some(host_and_port)) => {
                    error.note(format!("did you mean `http://{host_and_port}`?"))
                }
                _ => error,
            };
            error.cause(cause)
        })
    }
}

/// Returns the start of a URL such as `localhost:8080/x`, whose host the URL Standard parses as a
/// scheme, but nothing that may contain a password.
fn host_and_port(text: &str) -> Option<&str> {
    let authority = text.trim().split(['/', '?', '#']).next()?;
    let (host, port) = authority.split_once(':')?;
    port.parse::<u16>().ok()?;
    let is_plain = host.len() < 80 && host.bytes().all(|byte| byte.is_ascii_graphic());
    Some(authority).filter(|_| is_plain && !may_hold_userinfo(text))
}

impl IntoUrl for &String {
    fn into_url(self) -> Result<Url> {
        self.as_str().into_url()
    }

    fn into_url_at(self, base: Option<&Url>) -> Result<Url> {
        self.as_str().into_url_at(base)
    }
}

impl IntoUrl for String {
    fn into_url(self) -> Result<Url> {
        self.as_str().into_url()
    }

    fn into_url_at(self, base: Option<&Url>) -> Result<Url> {
        self.as_str().into_url_at(base)
    }
}

/// Accepts the URL type that programs written for reqwest pass.
#[cfg(feature = "url")]
impl IntoUrl for whatwg_url::Url {
    fn into_url(self) -> Result<Url> {
        self.as_str().into_url()
    }
}
