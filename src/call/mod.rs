//! A call: the request as the caller meant it, over all its hops, until the final response's head.
//!
//! ```text
//! new ──▶ hop: route, head, body ──▶ answered ──▶ Deliver
//!          ▲                            │
//!          ├─────── Now ◀───────────────┤ a redirect that is followed
//!          ├─────── Now ◀────── failed ─┤ a stale connection, and sending again is safe
//!          └─────── At ◀─────── failed ─┘ the caller's policy is to try once more
//! ```
//!
//! It decides and does nothing; the driver makes the connection that the [`Route`] asks for and
//! carries the bytes.

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
use crate::http1::field_lines::has_member;
use crate::policy::deadline::budget::Budget;
use crate::policy::proxy::server::Hop;
use crate::policy::retry::{Attempt, Origin, Payment, Policy, Replay};
use crate::policy::route::{Identity, Route, Security};
use crate::url::Url;

pub(crate) use outcome::{Failure, Next, When};
pub(crate) use request::RequestParts;

/// The state of a call between its hops.
pub(crate) struct Call<'c, S: Source> {
    config: &'c Config,
    /// What the current hop asks for; its body is that of the current attempt, which the driver
    /// reads.
    request: Box<RequestParts<S>>,
    outgoing: Outgoing,
    /// The same body for another attempt, if it can be had again.
    replay: Option<Body<S>>,
    trust: Trust,
    proxy: Option<Box<Proxied>>,
    codings: Codings,
    digest: Option<digest::Authentication>,
    expectation: Expectation,
    previous: Vec<Url>,
    resends: Resends,
    /// Where the connection of the current attempt came from.
    connection: Origin,
    retry: Option<Arc<Policy>>,
    /// How often a hop was tried again as the policy says, over all hops.
    retries: u32,
    /// Whether the last of them could be paid for.
    payment: Payment,
    pub(crate) budget: Budget,
}

/// The proxy of the current hop.
struct Proxied {
    hop: Arc<Hop>,
    /// What the caller has for it.
    login: Option<HeaderValue>,
}

/// Whether the current hop leads to the origin that the caller named. Once it has not, it never
/// does again: a foreign origin must not be able to send credentials anywhere, not even home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    Origin,
    Foreign,
}

/// Whether this hop may still be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resends {
    OneLeft,
    Used,
}

impl<'c, S: Source> Call<'c, S> {
    /// Starts the clock.
    pub(crate) fn new(config: &'c Config, mut request: Box<RequestParts<S>>, now: Instant) -> Self {
        let timeouts = match &request.timeouts {
            Some(own) => Arc::new(own.over(&config.timeouts)),
            None => Arc::clone(&config.timeouts),
        };
        Self {
            config,
            outgoing: Outgoing::None,
            replay: None,
            trust: Trust::Origin,
            proxy: None,
            codings: request.codings.unwrap_or(config.codings),
            expectation: Expectation::None,
            previous: Vec::new(),
            resends: Resends::OneLeft,
            connection: Origin::Fresh,
            retry: request.retry.take().or_else(|| config.retry.policy.clone()),
            retries: 0,
            payment: Payment::Made,
            budget: Budget::start(timeouts, now).until(request.cancel.take()),
            digest: None,
            request,
        }
    }

    /// Checks the request as a whole, and settles the first hop.
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

    pub(crate) fn proxy(&self) -> Option<&Arc<Hop>> {
        self.proxy.as_ref().map(|proxied| &proxied.hop)
    }

    pub(crate) fn route(&self) -> Route {
        Route::of(&self.request.url, self.proxy(), self.identity())
    }

    /// Whether the client's certificate may be shown where the current hop leads. Where there is none,
    /// connections need not be told apart.
    pub(crate) fn identity(&self) -> Identity {
        let could_be_shown =
            || Security::of(&self.request.url) == Security::Tls && self.config.tls.has_identity();
        match self.trust {
            Trust::Foreign if could_be_shown() => Identity::Withheld,
            _ => Identity::Shown,
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

    /// What is left of the body after the attempt.
    pub(crate) fn give_back(&mut self, body: Body<S>) {
        self.request.body = Some(body);
    }

    /// Whether the body waits for `100 Continue`. HTTP/1.0 does not know that.
    pub(crate) fn expectation(&self) -> Expectation {
        if self.has_body() && self.request.version == Version::HTTP_11 {
            self.expectation
        } else {
            Expectation::None
        }
    }

    /// The current attempt begins, on a connection from there.
    pub(crate) fn begin_on(&mut self, connection: Origin) {
        self.connection = connection;
    }

    /// Whether nothing secret goes into the request (RFC 9110 §9.3.8).
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

    /// Whether the body can be had for another attempt.
    fn may_be_sent_again(&self) -> Result<(), Unrewindable> {
        if !self.has_body() || self.replay.is_some() {
            return Ok(());
        }
        match &self.request.body {
            Some(body) => body.may_be_sent_again(),
            None => Err(Unrewindable::Stream),
        }
    }

    fn attempt(&self, failure: &Failure) -> Attempt<'_> {
        Attempt {
            method: &self.request.method,
            loss: failure.loss,
            connection: failure.connection,
            sent: failure.sent,
            answered: failure.answered,
            body: self.replays(),
        }
    }

    /// Whether the request, as it is sent, says that the connection is closed after it.
    pub(crate) fn says_close(&self) -> bool {
        let (own, defaults) = (&self.request.headers, &self.config.defaults);
        let by_default = has_member(defaults, &header::CONNECTION, "close");
        has_member(own, &header::CONNECTION, "close")
            || (by_default && !own.contains_key(header::CONNECTION))
    }

    /// The URL that was requested last, the deadlines of the body, and where the time went.
    pub(crate) fn into_parts(self) -> (Url, Budget, Option<Box<Timings>>) {
        let (budget, timings) = self.budget.into_body();
        (self.request.url, budget, timings)
    }
}

/// What can be found wrong before anything is sent; moves the user of the URL to where it belongs.
fn prepare<S: Source>(config: &Config, request: &mut RequestParts<S>) -> Result<Outgoing> {
    request.take_userinfo(config.netrc.as_ref())?; // `build` has done so, if the request was built
    let outgoing = request.validate()?;
    if !is_allowed(config, &request.url) {
        return Err(Error::builder(HTTPS_ONLY));
    }
    Ok(outgoing)
}

/// Takes what is for the proxy out of the request: it goes to no origin.
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
