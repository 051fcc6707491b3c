//! A call: the caller's request, over all its hops, until the head of the final response.
//!
//! ```text
//! new ──▶ hop: route, head, body ──▶ answered ──▶ Deliver
//!          ▲                            │
//!          ├─────── Now ◀───────────────┤ a redirect is followed
//!          ├─────── Now ◀────── failed ─┤ a stale connection, and resending is safe
//!          └─────── At ◀─────── failed ─┘ the caller's policy allows a retry
//! ```
//!
//! This code only decides. The driver makes the connection that the [`Route`] asks for and moves
//! the bytes.
//!
//! Read [`request`] first, then this file, `head` and `validate` (what is sent), `outcome` (what
//! follows from an attempt), `retry` and `auth`.

#[cfg_attr(not(feature = "log"), path = "../off/log.rs")]
pub(crate) mod log;

mod auth;
mod head;
mod outcome;
pub(crate) mod request;
mod retry;
mod shown;
mod validate;

use std::sync::Arc;
use std::time::Instant;

use http::header::{self, HeaderValue};
use http::{Method, Version};

use crate::base::timings::Timings;
use crate::body::{Body, Source, Unrewindable};
use crate::coding::Codings;
use crate::config::digest;
use crate::config::{Config, Schemes};
use crate::error::{Error, Result};
use crate::http1::exchange::{Expectation, Outgoing};
use crate::http1::header_section::has_member;
use crate::policy::deadline::budget::Budget;
use crate::policy::proxy::server::ProxyServer;
use crate::policy::retry::{ConnectionOrigin, FailedAttempt, Payment, Policy, Replay};
use crate::policy::route::{IdentityUse, Route, Security};
use crate::url::Url;

pub(crate) use outcome::{Failure, Next, When};
pub(crate) use request::RequestParts;

/// The state of a call between its hops.
pub(crate) struct Call<'c, S: Source> {
    config: &'c Config,
    /// The request of the current hop. Its body is the one of the current attempt; the driver reads
    /// it.
    request: Box<RequestParts<S>>,
    outgoing: Outgoing,
    /// A copy of the body for another attempt, if the body can be cloned.
    replay: Option<Body<S>>,
    trust: OriginTrust,
    proxy: Option<Box<Proxied>>,
    codings: Codings,
    digest: Option<digest::Authentication>,
    expectation: Expectation,
    previous: Vec<Url>,
    resends: Resends,
    /// Records that the current attempt's connection is new or from the pool.
    connection: ConnectionOrigin,
    retry: Option<Arc<Policy>>,
    /// The number of retries that the policy made, over all hops.
    retries: u32,
    /// The result of the last payment from the retry budget.
    payment: Payment,
    pub(crate) budget: Budget,
}

/// The proxy of the current hop.
struct Proxied {
    hop: Arc<ProxyServer>,
    /// The credentials for the proxy that the caller set on the request.
    login: Option<HeaderValue>,
}

/// The trust in the current hop's origin. Once a hop has left the caller's origin, the call stays
/// `Foreign`: a foreign origin must not be able to send credentials anywhere, not even back to the
/// caller's origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OriginTrust {
    Origin,
    Foreign,
}

/// Whether the hop may still be sent again immediately, after a stale connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resends {
    OneLeft,
    Used,
}

impl<'c, S: Source> Call<'c, S> {
    /// Creates a call and starts its clock.
    pub(crate) fn new(config: &'c Config, mut request: Box<RequestParts<S>>, now: Instant) -> Self {
        let timeouts = match &request.timeouts {
            Some(own) => Arc::new(own.over(&config.timeouts)),
            None => Arc::clone(&config.timeouts),
        };
        Self {
            config,
            outgoing: Outgoing::None,
            replay: None,
            trust: OriginTrust::Origin,
            proxy: None,
            codings: request.codings.unwrap_or(config.codings),
            expectation: Expectation::None,
            previous: Vec::new(),
            resends: Resends::OneLeft,
            connection: ConnectionOrigin::Fresh,
            retry: request.retry.take().or_else(|| config.retry.policy.clone()),
            retries: 0,
            payment: Payment::Made,
            budget: Budget::start(timeouts, now).until(request.cancel.take()),
            digest: None,
            request,
        }
    }

    /// Validates the request as a whole and prepares the first hop.
    pub(crate) fn begin(&mut self) -> Result<()> {
        let outgoing = prepare(self.config, &mut self.request);
        self.outgoing = outgoing.map_err(|error| error.for_url(&self.request.url))?;
        self.expectation = self.request.expectation.unwrap_or(self.config.expectation);
        self.proxy = proxied(self.config, &mut self.request)?;
        self.check_target()?;
        self.replay = self.request.body.as_ref().and_then(Body::try_clone);
        if !self.is_trace() && !self.has(&header::AUTHORIZATION) {
            self.digest = self.config.digest.begin(self.request.digest.take());
            self.look_up_login()?;
        }
        self.authenticate();
        Ok(())
    }

    // The current hop.

    pub(crate) fn config(&self) -> &'c Config {
        self.config
    }

    pub(crate) fn method(&self) -> &Method {
        &self.request.method
    }

    pub(crate) fn url(&self) -> &Url {
        &self.request.url
    }

    pub(crate) fn proxy(&self) -> Option<&Arc<ProxyServer>> {
        self.proxy.as_ref().map(|proxied| &proxied.hop)
    }

    pub(crate) fn route(&self) -> Route {
        Route::of(&self.request.url, self.proxy(), self.identity())
    }

    /// Returns whether the client certificate may be sent on the current hop. A client without one
    /// gets `Shown`, because its connections need not be kept apart.
    pub(crate) fn identity(&self) -> IdentityUse {
        let could_be_shown =
            || Security::of(&self.request.url) == Security::Tls && self.config.tls.has_identity();
        match self.trust {
            OriginTrust::Foreign if could_be_shown() => IdentityUse::Withheld,
            _ => IdentityUse::Shown,
        }
    }

    pub(crate) fn outgoing(&self) -> Outgoing {
        self.outgoing
    }

    /// See [`Body::may_stall`].
    pub(crate) fn body_may_stall(&self) -> bool {
        self.request.body.as_ref().is_some_and(Body::may_stall)
    }

    pub(crate) fn take_body(&mut self) -> Body<S> {
        self.request.body.take().unwrap_or_default()
    }

    /// Takes back the rest of the body after an attempt.
    pub(crate) fn give_back(&mut self, body: Body<S>) {
        self.request.body = Some(body);
    }

    /// Returns whether the body waits for `100 Continue`, which HTTP/1.0 does not have.
    pub(crate) fn expectation(&self) -> Expectation {
        if self.has_body() && self.request.version == Version::HTTP_11 {
            self.expectation
        } else {
            Expectation::None
        }
    }

    /// Begins the current attempt on a new connection or on one from the pool.
    pub(crate) fn begin_on(&mut self, connection: ConnectionOrigin) {
        self.connection = connection;
    }

    /// Returns whether the request is a TRACE, which must not contain secrets (RFC 9110 §9.3.8).
    fn is_trace(&self) -> bool {
        self.request.method == Method::TRACE
    }

    fn has_body(&self) -> bool {
        !matches!(self.outgoing, Outgoing::None | Outgoing::Length(0))
    }

    fn replays(&self) -> Replay {
        match self.may_be_sent_again() {
            Ok(()) => Replay::Possible,
            Err(_) => Replay::Impossible,
        }
    }

    /// Returns an error if the body cannot be produced for another attempt.
    fn may_be_sent_again(&self) -> Result<(), Unrewindable> {
        if !self.has_body() || self.replay.is_some() {
            return Ok(());
        }
        match &self.request.body {
            Some(body) => body.may_be_sent_again(),
            None => Err(Unrewindable::Stream),
        }
    }

    fn attempt(&self, failure: &Failure) -> FailedAttempt<'_> {
        FailedAttempt {
            method: &self.request.method,
            loss: failure.loss,
            connection: failure.connection,
            sent: failure.sent,
            answered: failure.answered,
            body: self.replays(),
        }
    }

    /// Returns whether the request is sent with `Connection: close`.
    pub(crate) fn says_close(&self) -> bool {
        let (own, defaults) = (&self.request.headers, &self.config.defaults);
        let by_default = has_member(defaults, &header::CONNECTION, "close");
        has_member(own, &header::CONNECTION, "close")
            || (by_default && !own.contains_key(header::CONNECTION))
    }

    /// Returns the URL of the last request, the deadlines of the body and the timings.
    pub(crate) fn into_parts(self) -> (Url, Budget, Option<Box<Timings>>) {
        let (budget, timings) = self.budget.into_body();
        (self.request.url, budget, timings)
    }
}

/// Runs the checks that need no connection, and moves the user of the URL into the credentials.
fn prepare<S: Source>(config: &Config, request: &mut RequestParts<S>) -> Result<Outgoing> {
    request.take_userinfo(config.netrc.as_ref())?; // `build` has done so, if the request was built
    let outgoing = request.validate()?;
    if !is_allowed(config, &request.url) {
        return Err(Error::builder(HTTPS_ONLY));
    }
    Ok(outgoing)
}

/// Moves `Proxy-Authorization` from the request to its proxy, because it must not reach an origin.
fn proxied<S: Source>(
    config: &Config,
    request: &mut RequestParts<S>,
) -> Result<Option<Box<Proxied>>> {
    let login = request.headers.remove(header::PROXY_AUTHORIZATION);
    let Some(hop) = config.proxy_for(&request.url)? else { return Ok(None) };
    let login = login.or_else(|| config.proxy_login.clone());
    Ok(Some(Box::new(Proxied { hop, login })))
}

/// See [`ClientBuilder::https_only`](crate::client::ClientBuilder::https_only).
fn is_allowed(config: &Config, url: &Url) -> bool {
    config.schemes == Schemes::HttpAndHttps || Security::of(url) == Security::Tls
}

const HTTPS_ONLY: &str = "only https is allowed";
