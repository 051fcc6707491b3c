//! Requests and their builder, for all runtimes. All of the caller's input is checked here, before
//! any byte of the request is sent.

mod builder;
#[cfg(feature = "digest")]
mod digest;
mod into_url;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "multipart")]
mod multipart;
mod retry;

use std::fmt;
use std::time::Duration;

use http::header::{HeaderMap, TRAILER};
use http::{Method, Version};

use crate::body::{Body, Presence};
use crate::call::RequestParts;
use crate::driver::runtime::Runtime;
use crate::error::{Error, Result};
use crate::url::Url;

pub use builder::RequestBuilder;
pub use into_url::IntoUrl;

/// A complete request that is not yet sent.
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
        self.parts.timeouts.as_ref()?.total.as_ref()
    }

    /// Returns the total timeout of this request for modification.
    pub fn timeout_mut(&mut self) -> &mut Option<Duration> {
        &mut self.parts.timeouts.get_or_insert_default().total
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
