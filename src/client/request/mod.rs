//! Requests, and how they are built: written once for both fronts. Every check of what the caller
//! gives is here, so that nothing is sent of a request that cannot be sent whole.

mod builder;
#[cfg(feature = "digest")]
mod digest;
mod into_url;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "multipart")]
mod multipart;
mod retry;
mod shown;
mod validate;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderName, HeaderValue, TRAILER};
use http::{Method, Version};

use crate::base::cancel::CancelToken;
use crate::body::{Body, Presence};
use crate::coding::Codings;
use crate::config::digest::Login;
use crate::driver::runtime::Front;
use crate::error::{Error, Result};
use crate::http1::exchange::Expectation;
#[cfg(feature = "multipart")]
use crate::multipart::boundary;
use crate::policy::auth::credentials;
use crate::policy::auth::netrc::Netrc;
use crate::policy::deadline::budget::Timeouts;
use crate::policy::deadline::throughput::Pace;
use crate::policy::retry::Policy;
use crate::url::{Url, Userinfo};

pub use builder::RequestBuilder;
pub use into_url::IntoUrl;

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
    pub(crate) timeouts: Option<Box<Overrides>>,
    pub(crate) cancel: Option<CancelToken>,
    pub(crate) codings: Option<Codings>,
    pub(crate) digest: Option<Login>,
    pub(crate) expectation: Option<Expectation>,
    pub(crate) retry: Option<Arc<Policy>>,
    /// Names of fields as they are to be spelt, in the order of the lines.
    pub(crate) names: Vec<Box<str>>,
    /// What stands in the request line instead of the URL's path and query.
    pub(crate) target: Option<Box<str>>,
    /// The type of a body that is a form, with its boundary.
    pub(crate) form_type: Option<Box<HeaderValue>>,
}

/// The timeouts that a request has of its own; the others are the client's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Overrides {
    pub(crate) total: Option<Duration>,
    pub(crate) connect: Option<Duration>,
    pub(crate) first_byte: Option<Duration>,
    pub(crate) read: Option<Duration>,
    pub(crate) write: Option<Duration>,
    pub(crate) pace: Option<Pace>,
}

impl Overrides {
    pub(crate) fn over(&self, client: &Timeouts) -> Timeouts {
        let mut timeouts = Timeouts {
            total: self.total.or(client.total),
            connect: self.connect.or(client.connect),
            write: self.write.or(client.write),
            pace: self.pace.or(client.pace),
            ..*client
        };
        if self.read.is_some() {
            timeouts.set_read(self.read);
        }
        if self.first_byte.is_some() {
            timeouts.set_first_byte(self.first_byte);
        }
        timeouts
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
            timeouts: None,
            cancel: None,
            codings: None,
            digest: None,
            expectation: None,
            retry: None,
            names: Vec::new(),
            target: None,
            form_type: None,
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
        self.timeouts.as_ref()?.total.as_ref()
    }

    /// The total timeout of this request, to be changed.
    pub fn timeout_mut(&mut self) -> &mut Option<Duration> {
        &mut self.timeouts.get_or_insert_default().total
    }

    /// Takes user name and password out of the URL, so that nothing that shows it shows them, and makes
    /// them the credentials of the request unless it has others.
    #[inline]
    pub(crate) fn take_userinfo(&mut self, netrc: Option<&Netrc>) -> Result<()> {
        if !self.url.has_userinfo() {
            return Ok(()); // as nearly always
        }
        self.authorize_by_url(netrc)
    }

    #[cold]
    fn authorize_by_url(&mut self, netrc: Option<&Netrc>) -> Result<()> {
        let Some(Userinfo { username, password }) = self.url.take_userinfo() else { return Ok(()) };
        let of_file = || netrc?.password_of(&self.url, &username);
        let password = password.or_else(of_file).unwrap_or_default();
        let basic = credentials::basic(&username, &password)?;
        self.default_header(header::AUTHORIZATION, basic)
    }

    /// Sets the body, which is no form unless that is said.
    pub(crate) fn set_body(&mut self, body: Body<F>) {
        self.body = Some(body);
        self.form_type = None;
    }

    /// Adds the boundary of a form to the type that the caller gave it: without, no server can read it
    /// (RFC 2046 §5.1.1).
    #[cfg(feature = "multipart")]
    pub(crate) fn complete_type(&mut self) -> Result<()> {
        let Some(own) = self.form_type.as_deref() else { return Ok(()) };
        let Some(given) = self.headers.get(header::CONTENT_TYPE) else { return Ok(()) };
        match boundary::completed(given, own)? {
            Some(completed) => self.set_header(header::CONTENT_TYPE, completed),
            None => Ok(()),
        }
    }

    #[cfg(not(feature = "multipart"))]
    pub(crate) fn complete_type(&mut self) -> Result<()> {
        Ok(())
    }

    /// Sets a field, in the place of others of its name.
    pub(crate) fn set_header(&mut self, name: HeaderName, value: HeaderValue) -> Result<()> {
        self.headers.try_insert(name, value).map_err(Error::too_many_fields)?;
        Ok(())
    }

    /// Sets a field unless the caller has set it.
    pub(crate) fn default_header(&mut self, name: HeaderName, value: HeaderValue) -> Result<()> {
        let entry = self.headers.try_entry(name).map_err(Error::too_many_fields)?;
        entry.or_try_insert(value).map_err(Error::too_many_fields)?;
        Ok(())
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
            timeouts: self.timeouts.clone(),
            cancel: self.cancel.clone(),
            codings: self.codings,
            digest: self.digest.clone(),
            expectation: self.expectation,
            retry: self.retry.clone(),
            names: self.names.clone(),
            target: self.target.clone(),
            form_type: self.form_type.clone(),
        })
    }
}

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

/// Shows the values of fields, but none whose name says that it carries credentials, and no user and
/// password of a URL in one.
struct Names<'a>(&'a HeaderMap);

impl fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self.0 {
            match credentials::is_secret(name, value) {
                true => map.entry(name, &"Sensitive"),
                false => match shown::hidden(value.as_bytes()) {
                    Some(hidden) => map.entry(name, &hidden),
                    None => map.entry(name, value),
                },
            };
        }
        map.finish()
    }
}

/// Converts `http::Request`; its URI has to be absolute. Its body is there even where none is meant:
/// an empty one is none.
impl<F: Front, T: Into<Body<F>>> TryFrom<http::Request<T>> for Request<F> {
    type Error = Error;

    fn try_from(request: http::Request<T>) -> Result<Self> {
        let (parts, body) = request.into_parts();
        let mut converted = Self::new(parts.method, parts.uri.to_string().into_url()?);
        converted.headers = parts.headers;
        converted.version = parts.version;
        let has_trailers = |body: &Body<F>| match body.presence_of_trailers() {
            Presence::Yes => true,
            Presence::Perhaps => converted.headers.contains_key(TRAILER),
            Presence::No => false,
        };
        let is_any = |body: &Body<F>| body.length() != Some(0) || has_trailers(body);
        let body = Some(body.into()).filter(is_any);
        converted.body = body;
        Ok(converted)
    }
}
