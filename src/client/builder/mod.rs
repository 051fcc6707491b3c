//! The builder of a client. This file has the settings that concern every request; the others have
//! a file for each subject:
//!
//! - [`timeouts`], [`pool`], [`limits`]: time limits, connections, sizes
//! - [`connect`], [`proxy`], [`tls`]: the way to the server
//! - [`redirect`], [`retry`]: further requests of a call
//! - [`auth`], [`digest`], [`cookies`], [`cookie_jar`]: credentials and cookies
//! - [`compat`]: names of reqwest
//!
//! The settings themselves are data, in [`crate::config`].

mod auth;
mod compat;
mod connect;
#[cfg(feature = "cookies")]
mod cookie_jar;
mod cookies;
#[cfg(feature = "digest")]
mod digest;
mod limits;
#[cfg(feature = "platform-verifier")]
mod platform_verifier;
mod pool;
mod proxy;
mod redirect;
mod retry;
mod timeouts;
#[cfg(feature = "tls")]
mod tls;

use std::fmt;
use std::marker::PhantomData;

use http::header::{self, HeaderMap, HeaderValue};

use crate::client::Client;
use crate::config::{Config, replace_headers};
use crate::driver::runtime::Runtime;
use crate::error::{Error, Result};
use crate::http1::exchange::Expectation;
use crate::http1::request_head::Case;

/// Builds a [`Client`].
///
/// Every setting has a safe default that rarely needs a change. An invalid setting is an error of
/// [`build`](ClientBuilder::build).
///
/// ```
/// use std::time::Duration;
///
/// let client = leanhttp::Client::builder()
///     .user_agent("weather-station/2.1")
///     .timeout(Duration::from_secs(20))
///     .build()?;
/// # Ok::<(), leanhttp::Error>(())
/// ```
#[must_use]
pub struct ClientBuilder<F: Runtime> {
    pub(crate) config: Box<Config>,
    /// The first invalid setting.
    error: Option<Error>,
    runtime: PhantomData<fn() -> F>,
}

impl<F: Runtime> ClientBuilder<F> {
    /// Returns a builder with the default settings.
    pub fn new() -> Self {
        Self { config: Box::default(), error: None, runtime: PhantomData }
    }

    /// Returns the client.
    ///
    /// # Errors
    ///
    /// The error of the first setting that was invalid.
    pub fn build(self) -> Result<Client<F>> {
        self.build_in(F::default())
    }

    /// Returns a client on the given system: that of the runtime, or a simulated one.
    pub(crate) fn build_in(self, runtime: F) -> Result<Client<F>> {
        if let Some(error) = self.error {
            return Err(error);
        }
        self.config.tls.check()?;
        self.config.dialling.check()?;
        Ok(Client::in_world(self.config, runtime))
    }

    /// Sets the `User-Agent` field; `leanhttp/` and the version by default. An empty one is not sent. It
    /// is also sent to a proxy that is asked for a tunnel.
    pub fn user_agent<V>(mut self, value: V) -> Self
    where
        V: TryInto<HeaderValue>,
        V::Error: Into<http::Error>,
    {
        let value = value.try_into();
        let value = value.map_err(|error| Error::invalid_field("invalid User-Agent", error));
        let fields = &mut self.config.default_headers;
        let set = value.and_then(|value| match value.is_empty() {
            true => Ok(fields.remove(header::USER_AGENT)),
            false => fields.try_insert(header::USER_AGENT, value).map_err(Error::too_many_fields),
        });
        self.checked(set, |_, _| {})
    }

    /// Sets fields for every request that has no field of that name itself. They replace earlier
    /// defaults of the same name; `Accept: */*` is one from the start.
    ///
    /// `Host`, `Content-Length` and `Transfer-Encoding` are ignored: they belong to one request.
    ///
    /// `Authorization`, `Cookie` and every value marked sensitive stay with the origin that a
    /// request names: they are not sent to the target of a redirect.
    pub fn default_headers(mut self, headers: HeaderMap) -> Self {
        let replaced = replace_headers(&mut self.config.default_headers, headers);
        self.checked(replaced, |_, ()| {})
    }

    /// Asks for gzip and decodes it; on by default, with the feature `gzip`. When it is off, bodies are
    /// delivered as they were sent.
    ///
    /// `gzip(true)` without the feature is an error of [`build`](Self::build).
    pub fn gzip(mut self, enable: bool) -> Self {
        let switched = self.config.codings.switch("gzip", enable);
        self.checked(switched, |_, ()| {})
    }

    /// Asks for deflate and decodes it; on by default, with the feature `deflate`. When it is off,
    /// bodies are delivered as they were sent.
    ///
    /// `deflate(true)` without the feature is an error of [`build`](Self::build).
    pub fn deflate(mut self, enable: bool) -> Self {
        let switched = self.config.codings.switch("deflate", enable);
        self.checked(switched, |_, ()| {})
    }

    /// Lets bodies wait for the server's `100 Continue`, for all requests; see
    /// [`RequestBuilder::expect_continue`](crate::client::request::RequestBuilder::expect_continue).
    pub fn expect_continue(mut self, enable: bool) -> Self {
        self.config.expectation = if enable { Expectation::Continue } else { Expectation::None };
        self
    }

    /// Writes field names as `Content-Length` instead of `content-length`, for servers that do not
    /// treat them as the same (RFC 9110 §5.1). For single names see
    /// [`raw_header`](crate::client::request::RequestBuilder::raw_header).
    pub fn http1_title_case_headers(mut self) -> Self {
        self.config.case = Case::Title;
        self
    }

    /// Applies a valid value, or keeps the first error.
    fn checked<T>(mut self, value: Result<T>, apply: impl FnOnce(&mut Config, T)) -> Self {
        match value {
            Ok(value) => apply(&mut self.config, value),
            Err(error) => drop(self.error.get_or_insert(error)),
        }
        self
    }
}

impl<F: Runtime> Default for ClientBuilder<F> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F: Runtime> fmt::Debug for ClientBuilder<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("timeouts", &self.config.timeouts)
            .field("pool", &self.config.pool)
            .field("redirect", &self.config.redirect)
            .finish_non_exhaustive()
    }
}
