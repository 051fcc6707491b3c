//! Redirects (RFC 9110 §15.4): the target, the method and the fields of the next request, and the
//! limit.
//!
//! ```text
//! response ─▶ target: is it a redirect, and where to? ─▶ Policy::redirect: follow, stop, or fail
//!                                                          └▶ changed_method ─▶ describes_body: dropped fields
//!                                                          └▶ Policy::strips: fields that stay behind
//! ```
//!
//! `call/outcome.rs` puts these together. A target is refused if parsers could disagree about it: two
//! different `Location` fields, a user name in the URL, a scheme other than `http` and `https`. A
//! response that only looks like a redirect, without `Location` or with 300, 304, 305 or 306, is an
//! ordinary response.
//!
//! | status | POST becomes | other methods | body |
//! | --- | --- | --- | --- |
//! | 301, 302 | GET | stay | dropped with the method, else sent again |
//! | 303 | GET | GET, except HEAD | dropped |
//! | 307, 308 | POST | stay | sent again |
//!
//! RFC 9110 allows the first row for compatibility, and every browser does it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::header::{self, HeaderName, HeaderValue};
use http::{Method, StatusCode};

use crate::error::{Cause, Error, Kind, Phase};
use crate::http1::header_section::Fields;
use crate::policy::auth;
use crate::url::{Url, shown};

/// The default limit on redirects, the same as in Go, reqwest and ureq.
const DEFAULT_LIMIT: usize = 10;

/// The policy for redirects; the default follows up to 10 of them.
///
/// 301, 302 and 303 turn a POST into a GET without body (303 any method except HEAD); 307 and 308
/// send the same request again, which requires a body made of bytes. Only `http` and `https`
/// targets are followed, and no target with a user name.
///
/// # Fields not sent to another origin
///
/// An origin is scheme, host and port. Fields with credentials are sent only to the origin that the
/// request names, and are not restored on a later hop:
///
/// | | |
/// | --- | --- |
/// | always | `Authorization`, `Proxy-Authorization`, cookies that the caller set, the client's certificate, values marked sensitive (`HeaderValue::set_sensitive`) |
/// | a name that contains one of the words | `assertion`, `auth`, `bearer`, `cert`, `credential(s)`, `creds`, `crumb`, `dpop`, `hmac`, `jwt`, `key`, `oauth`, `otp`, `pass`, `passcode`, `passphrase`, `passwd`, `pwd`, `saml`, `sign`, `signature`, `sso`, `totp`, `webauth` |
/// | a word that begins with | `authentic…`, `authoriz…`, `cookie…`, `csrf…`, `xsrf…` |
/// | a word that ends with | `…accesskey`, `…apikey`, `…authkey`, `…password`, `…secret`, `…secretkey`, `…session`, `…sessionid`, `…token` |
/// | except for these names | `Idempotency-Key`, `Cache-Key`, `Surrogate-Key`, `Partition-Key`, `Routing-Key`, `Sort-Key`, `Shard-Key`, `Sec-WebSocket-Key` |
///
/// Words end at `-`, `_` and `.`, so `X-Api-Key`, `X-Vault-Token` and `X-CSRF-Token` are included.
/// [`allow_cross_origin`](Self::allow_cross_origin) and
/// [`strip_cross_origin`](Self::strip_cross_origin) change the list. `Referer` (of the caller, or by
/// [`referer`](crate::client::ClientBuilder::referer)) and `Upgrade` have their own rules: the URL of an `https` page is not sent over plain `http`, and no protocol
/// upgrade is offered.
///
/// ```
/// use leanhttp::redirect::Policy;
///
/// let client = leanhttp::Client::builder().redirect(Policy::limited(3)).build()?;
/// let stay = leanhttp::Client::builder().redirect(Policy::none()).build()?;
/// # Ok::<(), leanhttp::Error>(())
/// ```
#[derive(Clone)]
pub struct Policy {
    rule: RedirectRule,
    /// Fields sent to other origins although their names look like credentials.
    allowed: Vec<HeaderName>,
    /// Fields not sent to other origins, whatever their names look like.
    stripped: Vec<HeaderName>,
}

#[derive(Clone)]
enum RedirectRule {
    None,
    Limited(usize),
    Custom(Arc<dyn Fn(Attempt<'_>) -> Action + Send + Sync>),
}

/// A redirect about to be followed, for [`Policy::custom`].
#[derive(Debug)]
pub struct Attempt<'a> {
    status: StatusCode,
    url: &'a Url,
    previous: &'a [Url],
}

/// A request of a call that was answered with a redirect, which was followed; see
/// [`Response::history`](crate::client::response::Response::history).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    url: Url,
    status: StatusCode,
}

impl Hop {
    pub(crate) fn new(url: Url, status: StatusCode) -> Self {
        Self { url, status }
    }

    /// Returns the URL of the request.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the status of the redirect response, such as 302.
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

/// The decision about a redirect, returned by [`Policy::custom`].
#[derive(Debug)]
pub struct Action {
    pub(crate) choice: RedirectChoice,
}

#[derive(Debug)]
pub(crate) enum RedirectChoice {
    Follow,
    Stop,
    Error(Cause),
}

impl Policy {
    /// Returns a policy that follows no redirect: the 3xx is the response.
    pub fn none() -> Self {
        Self::by(RedirectRule::None)
    }

    /// Returns a policy that follows up to `max` redirects; one more is an error.
    pub fn limited(max: usize) -> Self {
        Self::by(RedirectRule::Limited(max))
    }

    /// Returns a policy that calls `policy` for each redirect.
    ///
    /// ```
    /// use leanhttp::redirect::Policy;
    ///
    /// let same_host = Policy::custom(|attempt| {
    ///     let stays = attempt.previous().last().map(|url| url.host_str()) == Some(attempt.url().host_str());
    ///     match stays {
    ///         _ if attempt.previous().len() > 5 => attempt.error("too many redirects"),
    ///         true => attempt.follow(),
    ///         false => attempt.stop(),
    ///     }
    /// });
    /// # let _ = same_host;
    /// ```
    pub fn custom<T>(policy: T) -> Self
    where
        T: Fn(Attempt<'_>) -> Action + Send + Sync + 'static,
    {
        Self::by(RedirectRule::Custom(Arc::new(policy)))
    }

    fn by(rule: RedirectRule) -> Self {
        Self { rule, allowed: Vec::new(), stripped: Vec::new() }
    }

    /// Sends fields of these names to other origins too, although they look like credentials by their
    /// names: see [above](Self#fields-not-sent-to-another-origin). None by default.
    ///
    /// `Authorization`, `Cookie`, `Proxy-Authorization` and values marked sensitive are still not
    /// sent to other origins.
    ///
    /// ```
    /// use leanhttp::header::HeaderName;
    /// use leanhttp::redirect::Policy;
    ///
    /// let page = HeaderName::from_static("x-page-token");
    /// let client = leanhttp::Client::builder()
    ///     .redirect(Policy::default().allow_cross_origin([page]))
    ///     .build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    #[must_use]
    pub fn allow_cross_origin(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.allowed.extend(names);
        self
    }

    /// Does not send fields of these names to other origins. By default only [those
    /// above](Self#fields-not-sent-to-another-origin) are withheld. This takes precedence over
    /// [`allow_cross_origin`](Self::allow_cross_origin).
    ///
    /// ```
    /// use leanhttp::header::HeaderName;
    /// use leanhttp::redirect::Policy;
    ///
    /// let tenant = HeaderName::from_static("x-tenant");
    /// let client = leanhttp::Client::builder()
    ///     .redirect(Policy::default().strip_cross_origin([tenant]))
    ///     .build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    #[must_use]
    pub fn strip_cross_origin(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.stripped.extend(names);
        self
    }

    /// Returns whether a field is withheld from another origin.
    pub(crate) fn strips(&self, name: &HeaderName, value: &HeaderValue) -> bool {
        auth::stays_with_origin(name, value)
            || self.stripped.contains(name)
            || (auth::is_credential(name) && !self.allowed.contains(name))
    }

    pub(crate) fn is_none(&self) -> bool {
        matches!(self.rule, RedirectRule::None)
    }

    /// Returns the decision of this policy, so that a custom policy can build on another one. The
    /// field names that it allows or strips have an effect only if it is the client's policy.
    pub fn redirect(&self, attempt: Attempt<'_>) -> Action {
        match &self.rule {
            RedirectRule::None => attempt.stop(),
            RedirectRule::Limited(max) if attempt.previous.len() > *max => {
                attempt.error(format!("more than {max} redirects (redirect policy)"))
            }
            RedirectRule::Limited(_) => attempt.follow(),
            RedirectRule::Custom(policy) => policy(attempt),
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::limited(DEFAULT_LIMIT)
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rule {
            RedirectRule::None => f.write_str("Policy::none"),
            RedirectRule::Limited(max) => write!(f, "Policy::limited({max})"),
            RedirectRule::Custom(_) => f.write_str("Policy::custom"),
        }
    }
}

impl<'a> Attempt<'a> {
    pub(crate) fn new(status: StatusCode, url: &'a Url, previous: &'a [Url]) -> Self {
        Self { status, url, previous }
    }

    /// Returns the status of the redirect response.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the target of the redirect.
    pub fn url(&self) -> &Url {
        self.url
    }

    /// Returns every URL requested so far, in order.
    pub fn previous(&self) -> &[Url] {
        self.previous
    }

    /// Follows the redirect.
    pub fn follow(self) -> Action {
        Action { choice: RedirectChoice::Follow }
    }

    /// Does not follow the redirect: it is the response.
    pub fn stop(self) -> Action {
        Action { choice: RedirectChoice::Stop }
    }

    /// Fails the call with this cause.
    pub fn error<E: Into<Box<dyn std::error::Error + Send + Sync>>>(self, error: E) -> Action {
        Action { choice: RedirectChoice::Error(error.into()) }
    }
}

/// Returns the target of a redirect, or `None` if the response is not a redirect.
///
/// Only 301, 302, 303, 307 and 308 are followed, as in other clients; 300, 304, 305 and 306 are
/// ordinary responses, and so is a redirect without `Location`.
pub(crate) fn target(
    status: StatusCode,
    headers: &impl Fields,
    current: &Url,
) -> Result<Option<Url>, Error> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = location(headers)? else { return Ok(None) };
    let target = current.join(&location).and_then(|url| url.http_scheme().map(|_| url));
    let mut url =
        target.map_err(|error| refused(current, shown("Location", &location)).cause(error))?;
    // URL parsers disagree about such authorities, so a confusing one is refused.
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused(current, "the target holds a user name"));
    }
    // RFC 9110 §10.2.2: a target without a fragment inherits that of the current URL.
    if url.fragment().is_none() {
        url.set_fragment(current.fragment());
    }
    Ok(Some(url))
}

/// Returns the method of the next hop, which then has no body; `None` keeps method and body.
pub(crate) fn changed_method(status: StatusCode, method: &Method) -> Option<Method> {
    match status.as_u16() {
        301 | 302 if method == Method::POST => Some(Method::GET),
        303 if method != Method::HEAD && method != Method::GET => Some(Method::GET),
        _ => None,
    }
}

/// Returns the `Referer` of the request that a redirect leads to (RFC 9110 §10.1.3): the URL that redirected,
/// without user name, password and fragment. `None` from a secure URL to one that is not.
pub(crate) fn referer(from: &Url, to: &Url) -> Option<HeaderValue> {
    if from.scheme() == "https" && to.scheme() != "https" {
        return None;
    }
    let mut url = from.clone();
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    url.set_fragment(None);
    HeaderValue::from_str(url.as_str()).ok()
}

/// Returns whether a field describes a body; such fields are dropped with the body (RFC 9110
/// §15.4).
pub(crate) fn describes_body(name: &HeaderName) -> bool {
    const EXACT: [HeaderName; 4] =
        [header::TRANSFER_ENCODING, header::TRAILER, header::EXPECT, header::LAST_MODIFIED];
    name.as_str().starts_with("content-") || name.as_str() == "digest" || EXACT.contains(name)
}

pub(crate) fn refused(current: &Url, detail: impl Into<Cow<'static, str>>) -> Error {
    Error::new(Kind::Redirect, Phase::Redirect).detail(detail).for_url(current)
}

/// Returns the only Location. Two different ones are an attack or a mistake, and refused.
fn location(headers: &impl Fields) -> Result<Option<String>, Error> {
    let mut values = headers.lines(&header::LOCATION);
    let Some(first) = values.next() else { return Ok(None) };
    if values.any(|other| other != first) {
        let error = Error::new(Kind::Redirect, Phase::Redirect);
        return Err(error.detail("two different Location fields"));
    }
    // Keeps UTF-8, which the URL parser encodes; other bytes are percent-encoded here.
    let location = match std::str::from_utf8(first) {
        Ok(text) => text.to_owned(),
        Err(_) => percent_encoding::percent_encode(first, percent_encoding::CONTROLS).to_string(),
    };
    Ok(Some(location).filter(|location| !location.is_empty()))
}

#[cfg(test)]
mod tests;
