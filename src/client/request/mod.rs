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

use std::fmt;
use std::time::Duration;

use http::header::{HeaderMap, TRAILER};
use http::{Method, Version};

use crate::body::{Body, Presence};
use crate::call::RequestParts;
use crate::driver::runtime::Front;
use crate::error::{Error, Result};
use crate::url::Url;

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
    pub(crate) parts: Box<RequestParts<F::Source>>,
}

impl<F: Front> Request<F> {
    /// A request without fields and body.
    pub fn new(method: Method, url: Url) -> Self {
        Self { parts: Box::new(RequestParts::new(method, url)) }
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.parts.method
    }

    /// The method, to be changed.
    pub fn method_mut(&mut self) -> &mut Method {
        &mut self.parts.method
    }

    /// The URL.
    pub fn url(&self) -> &Url {
        &self.parts.url
    }

    /// The URL, to be changed.
    pub fn url_mut(&mut self) -> &mut Url {
        &mut self.parts.url
    }

    /// The fields that the caller gave; those of the client are added when it is sent.
    pub fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The fields, to be changed.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.parts.headers
    }

    /// The body.
    pub fn body(&self) -> Option<&Body<F::Source>> {
        self.parts.body.as_ref()
    }

    /// The body, to be changed.
    pub fn body_mut(&mut self) -> &mut Option<Body<F::Source>> {
        &mut self.parts.body
    }

    /// The HTTP version; 1.1 by default.
    pub fn version(&self) -> Version {
        self.parts.version
    }

    /// The HTTP version, to be changed; 1.0 and 1.1 can be sent.
    pub fn version_mut(&mut self) -> &mut Version {
        &mut self.parts.version
    }

    /// The total timeout of this request, if it has one of its own.
    pub fn timeout(&self) -> Option<&Duration> {
        self.parts.timeouts.as_ref()?.total.as_ref()
    }

    /// The total timeout of this request, to be changed.
    pub fn timeout_mut(&mut self) -> &mut Option<Duration> {
        &mut self.parts.timeouts.get_or_insert_default().total
    }

    /// A copy, unless the body is a reader.
    pub fn try_clone(&self) -> Option<Self> {
        Some(Self { parts: Box::new(self.parts.try_clone()?) })
    }
}

impl<F: Front> fmt::Debug for Request<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.fmt(f)
    }
}

/// Converts `http::Request`; its URI has to be absolute. Its body is there even where none is meant:
/// an empty one is none.
impl<F: Front, T: Into<Body<F::Source>>> TryFrom<http::Request<T>> for Request<F> {
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
