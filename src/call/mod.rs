//! A call: the caller's request, over all its hops, until the head of the final response.
//!
//! ```text
//! new ──▶ hop: route, head, body ──▶ answered ──▶ Deliver
//!          ▲                            │
//!          ├─────── Now ◀───────────────┤ a challenge is answered, a redirect is followed
//!          ├─────── Now ◀────── failed ─┤ a stale connection, and resending is safe
//!          └─────── At ◀─────── failed ─┘ the caller's policy allows a retry
//! ```
//!
//! This code only decides, by the rules in `policy/`. The driver makes the connection that the
//! [`Route`] asks for, moves the bytes, and reports each attempt to [`Call::answered`] or
//! [`Call::failed`].
//!
//! Read this file first: [`Call`] and its life, then [`RequestParts`], the request as the caller built
//! it. `head` validates the request and writes the head of each hop (RFC 9112 §3, §6); `outcome`
//! decides what follows from an attempt: cookies, challenges, redirects, retries. `log` and `shown` are
//! about what a person sees of a call, without its secrets.
//!
//! # What a hop changes
//!
//! The call owns the caller's request and changes it as redirects require. What it needs of the
//! original is kept apart: a copy of the body for another attempt (`replay`), and whether the call has
//! left its origin (`is_foreign`), after which nothing of the caller's credentials is sent again, not
//! even to the first origin.
//!
//! | event | method | body | credentials, sensitive fields | may resend | retries counted |
//! | --- | --- | --- | --- | --- | --- |
//! | redirect, same origin | by status | by status | stay | again | no |
//! | redirect, another origin | by status | by status | dropped, for good | again | no |
//! | stale connection, 408 on an idle one | same | same | same | used up | no |
//! | challenge, 417 | same | same | answered | again after a challenge | no |
//! | retry by policy | same | same | same | after a response again, after a failure used up | yes |
//!
//! # What must always hold
//!
//! A request that is not idempotent is not sent twice once any of it may have arrived; no attempt
//! begins at or after the deadline; attempts are limited in number, by time and by the budget of the
//! host. `t09_retries_stay_within_limits_for_any_outcomes` checks this for random outcomes, the
//! simulation for whole clients. What the calls of a client share is in [`SharedState`]; each lock is
//! held for one decision, and never over foreign code.
//!
//! # One call, hop by hop
//!
//! A POST with a form, a redirect to another host, and a connection that turns out to be stale:
//!
//! ```text
//! begin       validate the request, choose the proxy, take credentials from URL and netrc
//! hop 1       POST https://a.example/login     with the form, the client's login, cookies of a.example
//!   answered  303, Location: https://b.example/home
//!             store cookies; follow: GET, no body, its fields dropped; another origin: is_foreign
//! hop 2       GET https://b.example/home       no login, no sensitive field; cookies of b.example
//!   failed    the pooled connection was closed before a byte of the response
//!             GET is idempotent, may_resend: again, immediately, on a new connection
//!   answered  200: Deliver
//! into_parts  the last URL, the budget for the body, the timings
//! ```
//!
//! # Data that the calls of a client share
//!
//! | state | lock | bound |
//! | --- | --- | --- |
//! | retry budgets of hosts ([`Ledger`]) | one decision | a maximum of hosts; the smallest debt is dropped |
//! | Digest nonces ([`Nonces`]) | one answer | a maximum of origins |
//! | default field lines | written once | the client's default fields |
//! | cookies | the store's own | the store's own |
//!
//! Cookies are behind a trait that the program may implement, so no lock of this crate is held
//! while a store is called (`tests/callbacks.rs`).
//!
//! # Why a call owns its request
//!
//! The driver lends the body out for an attempt ([`Call::take_body`], [`Call::give_back`]);
//! everything else is read from the call. The request could be rebuilt from the original for each
//! hop instead, but a redirect drops fields for good: a chain that returns to the first origin must
//! not get them back (`tests/hostile_redirects.rs`, `r02_secrets_are_not_restored_on_the_way_back`). Changing the
//! one request makes that the only possible outcome.
//!
//! # Which questions are answered where
//!
//! | question | place |
//! | --- | --- |
//! | is this request valid, and how is its body framed? | `head`: `RequestParts::validate` |
//! | what stands in the head of this hop? | `head`: `Call::write_head` |
//! | through which proxy, with which login? | [`Call::begin`], `outcome`: `follow` |
//! | may the client certificate be shown? | [`Call::identity`] |
//! | which connection fits? | [`Call::route`], and [`Route::leads_to`] |
//! | how long may this take? | the budget, by `policy::deadline` |
//! | what follows from this response, or this failure? | `outcome`: `answered`, `failed` |
//! | which decoder does the body need? | `outcome`: `decoder` |
//! | what does a log line or `Debug` show? | `log`, `shown` |
//!
//! # What the driver sees of a call
//!
//! | at | the driver asks | and reports |
//! | --- | --- | --- |
//! | checkout | `url`, `proxy`, `identity`, `is_resent` | time spent in the queue, to the budget |
//! | connect | `route`, `config` | the phases of connecting, to the budget |
//! | start of an attempt | `outgoing`, `expectation`, `offer`, `says_close`, `body_may_stall`, `write_head` | `begin_attempt` |
//! | body | `take_body` | `give_back` |
//! | the end of an attempt | | `answered`, or `failed` |
//! | the end of the call | `decoder`, `into_parts` | |
//!
//! The call never asks back: it has no reference to a connection or a runtime, and the time comes
//! in as an argument. So `call/outcome/tests.rs` plays whole calls with a table of responses and
//! failures.
//!
//! # Timeouts of one request
//!
//! A request can change or remove each limit of its client ([`Overrides`]). Unset ones are the
//! client's. A limit of `Duration::MAX` ([`UNLIMITED`]) means "none"
//! (`a_request_changes_or_removes_each_limit_of_its_client`).

#[cfg(feature = "log")]
pub(crate) mod log;
#[cfg(not(feature = "log"))]
pub(crate) use crate::off::log;

mod head;
mod outcome;
#[cfg(feature = "har")]
mod recording;
#[cfg(feature = "export")]
mod sent;
mod shown;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode, Version};

use crate::base::cancel::CancelToken;
use crate::base::timings::Timings;
#[cfg(feature = "multipart")]
use crate::body::multipart;
use crate::body::{Body, Source, Unrewindable, UploadObserver};
use crate::coding::Codings;
#[cfg(feature = "middleware")]
use crate::config::attempt::AttemptHead;
use crate::config::{Config, InformationalObserver};
use crate::error::{Error, Result};
use crate::extra::har::recording::Recording;
use crate::http1::exchange::{Expectation, Outgoing};
use crate::http1::head::ResponseHead;
use crate::http1::header_section::HeaderSection;
use crate::http1::header_section::has_member;
use crate::policy::auth::digest::{Authentication, DigestLogin, Nonces};
use crate::policy::auth::netrc::Netrc;
use crate::policy::auth::{self, Asked};
use crate::policy::deadline::{Budget, Pace, Timeouts};
use crate::policy::proxy::ProxyServer;
use crate::policy::redirect::{self, Hop};
use crate::policy::retry::{self, FailedAttempt, Ledger};
use crate::policy::route::{IdentityUse, Route};
use crate::url::Scheme;
use crate::url::Url;
use crate::url::userinfo::Userinfo;

use head::DefaultLines;
pub(crate) use outcome::{Failure, Verdict, When};

/// The state of a call between its hops.
pub(crate) struct Call<'c, S: Source> {
    config: &'c Config,
    shared: &'c SharedState,
    /// The request of the current hop. Its body is the one of the current attempt; the driver reads
    /// it.
    request: Box<RequestParts<S>>,
    outgoing: Outgoing,
    /// A copy of the body for another attempt, if the body can be cloned.
    replay: Option<Body<S>>,
    /// A hop has left the caller's origin. The call stays foreign then: a foreign origin must not be
    /// able to send credentials anywhere, not even back to the caller's origin.
    is_foreign: bool,
    /// The credentials of the client are not sent: the call is foreign, or began outside of the origin of
    /// [`ClientBuilder::base_url`](crate::client::ClientBuilder::base_url).
    withholds: bool,
    proxy: Option<Box<Proxied>>,
    codings: Codings,
    digest: Option<Authentication>,
    expectation: Expectation,
    /// The hops before the current one, if there are any.
    previous: Option<Box<PreviousHops>>,
    /// The hop may still be sent again immediately, after a stale connection.
    may_resend: bool,
    /// The fields of the current attempt, if the program's hook has seen them.
    #[cfg(feature = "middleware")]
    fields: Option<HeaderMap>,
    /// The head of the current attempt as it was written; empty before.
    #[cfg(feature = "export")]
    head: Vec<u8>,
    /// The entry of the current attempt in the recorder of the client.
    recording: Option<Recording>,
    /// The connection of the current attempt is from the pool.
    is_pooled: bool,
    /// The number of retries that the policy made, over all hops.
    retries: u32,
    /// The retry budget of the host could not pay for another retry.
    is_budget_used_up: bool,
    pub(crate) budget: Budget,
}

/// The hops before the current one.
#[derive(Default)]
struct PreviousHops {
    /// The URLs that were answered with a redirect, also with one that is not followed.
    urls: Vec<Url>,
    /// The statuses of the redirects that were followed, in the order of `urls`.
    followed: Vec<StatusCode>,
}

/// The proxy of the current hop.
struct Proxied {
    hop: Arc<ProxyServer>,
    /// The credentials for the proxy that the caller set on the request.
    login: Option<HeaderValue>,
}

/// The state that the calls of a client share, besides cookies and connections. No lock is held over
/// foreign code, so a panic elsewhere cannot leave it inconsistent.
#[derive(Debug, Default)]
pub(crate) struct SharedState {
    ledger: Mutex<Ledger>,
    nonces: Mutex<Nonces>,
    /// The field lines that nearly every request has, serialized once.
    default_lines: OnceLock<DefaultLines>,
}

impl SharedState {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn nonces(&self) -> MutexGuard<'_, Nonces> {
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'c, S: Source> Call<'c, S> {
    /// Creates a call and starts its clock.
    pub(crate) fn new(
        config: &'c Config,
        shared: &'c SharedState,
        mut request: Box<RequestParts<S>>,
        now: Instant,
    ) -> Self {
        let timeouts = request.timeouts(config);
        Self {
            config,
            shared,
            outgoing: Outgoing::None,
            replay: None,
            is_foreign: false,
            withholds: false,
            proxy: None,
            codings: request.codings.unwrap_or(config.codings),
            expectation: Expectation::None,
            previous: None,
            may_resend: true,
            #[cfg(feature = "middleware")]
            fields: None,
            #[cfg(feature = "export")]
            head: Vec::new(),
            recording: None,
            is_pooled: false,
            retries: 0,
            is_budget_used_up: false,
            budget: Budget::start(timeouts, now).until(request.cancel.take()),
            digest: None,
            request,
        }
    }

    /// Validates the request as a whole and prepares the first hop.
    ///
    /// The order matters. The user of the URL becomes a credential before anything shows the URL.
    /// The login for the proxy is taken out of the fields before the head of any hop is written.
    /// The copy of the body is made before the driver can read from it. Digest comes last, because
    /// it signs method, target and body.
    pub(crate) fn begin(&mut self) -> Result<()> {
        let outgoing = self.prepare();
        self.outgoing = outgoing.map_err(|error| error.for_url(&self.request.url))?;
        self.expectation = self.request.expectation.unwrap_or(self.config.expectation);
        let is_outside = |base: &Url| base.origin() != self.request.url.origin();
        self.withholds = self.config.base.as_deref().is_some_and(is_outside);
        // The login for the proxy must not reach an origin.
        let login = self.request.headers.remove(header::PROXY_AUTHORIZATION);
        if let Some(hop) = self.config.proxy_for(&self.request.url)? {
            let login = login.or_else(|| self.config.proxy_login.clone());
            self.proxy = Some(Box::new(Proxied { hop, login }));
        }
        self.check_target()?;
        let observer = self.request.upload_observer.take();
        if let (Some(observer), Some(body)) = (observer, &mut self.request.body) {
            body.observe(observer);
        }
        self.replay = self.request.body.as_ref().and_then(Body::try_clone);
        if !self.is_trace() && !self.has(&header::AUTHORIZATION) {
            let of_client = self.config.digest.as_ref().filter(|_| !self.withholds);
            let login = self.request.digest.take().or_else(|| of_client.cloned());
            self.digest = login.map(Authentication::new);
            self.look_up_login()?;
        }
        self.authenticate();
        Ok(())
    }

    /// Runs the checks that need no connection, and moves the user of the URL into the credentials.
    fn prepare(&mut self) -> Result<Outgoing> {
        // `build` has done so, if the request was built.
        self.request.take_userinfo(self.config.netrc.as_ref())?;
        let outgoing = self.request.validate()?;
        self.request.url.http_scheme().map_err(|error| Error::builder("URL").cause(error))?;
        if !self.is_allowed(&self.request.url) {
            let url = self.request.url.redacted();
            return Err(Error::builder(format!("URL \"{url}\": {HTTPS_ONLY}")));
        }
        Ok(outgoing)
    }

    /// See [`ClientBuilder::https_only`](crate::client::ClientBuilder::https_only).
    fn is_allowed(&self, url: &Url) -> bool {
        !self.config.https_only || url.http_scheme() == Ok(Scheme::Https)
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

    pub(crate) fn take_recording(&mut self) -> Option<Recording> {
        self.recording.take()
    }

    /// Returns whether the client certificate may be sent on the current hop. A client without one
    /// gets `Shown`, because its connections need not be kept apart.
    pub(crate) fn identity(&self) -> IdentityUse {
        let could_be_shown = || {
            self.request.url.http_scheme() == Ok(Scheme::Https) && self.config.tls.has_identity()
        };
        if self.withholds && could_be_shown() { IdentityUse::Withheld } else { IdentityUse::Shown }
    }

    /// Begins the next attempt: the next phase of the timings.
    pub(crate) fn next_hop(&mut self, now: Instant) {
        self.budget.next_hop(now);
        #[cfg(feature = "export")]
        self.head.clear();
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

    /// Begins an attempt on a connection that is from the pool, or else new.
    pub(crate) fn begin_attempt(&mut self, is_pooled: bool) -> Result<()> {
        self.is_pooled = is_pooled;
        #[cfg(feature = "middleware")]
        if let Some(hook) = &self.config.on_attempt {
            self.fields = None;
            let fields = self.final_fields();
            let RequestParts { method, url, body, .. } = &*self.request;
            let body = body.as_ref().map_or(Some(&[][..]), Body::as_bytes);
            let fields = AttemptHead::new((method, url), body, fields).run(hook);
            self.fields = Some(fields.map_err(|cause| Error::middleware(cause).for_url(url))?);
        }
        Ok(())
    }

    /// Returns the fields that the program's hook has decided on.
    #[cfg(feature = "export")]
    fn hooked_fields(&self) -> Option<&HeaderMap> {
        #[cfg(feature = "middleware")]
        return self.fields.as_ref();
        #[cfg(not(feature = "middleware"))]
        None
    }

    /// Returns the body, if it is in memory in one piece; empty if there is none.
    #[cfg(feature = "har")]
    pub(crate) fn body_bytes(&self) -> Option<&[u8]> {
        self.request.body.as_ref().map_or(Some(&[][..]), Body::as_bytes)
    }

    /// Returns whether the request is a TRACE, which must not contain secrets (RFC 9110 §9.3.8).
    fn is_trace(&self) -> bool {
        self.request.method == Method::TRACE
    }

    fn has_body(&self) -> bool {
        !matches!(self.outgoing, Outgoing::None | Outgoing::Length(0))
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

    /// Returns the retry policy of the request, or else that of the client, if it is for the current hop.
    fn retry_policy(&self) -> Option<&Arc<retry::Policy>> {
        let policy = self.request.retry.as_ref().or(self.config.retry.as_ref())?;
        policy.covers(&self.request.url).then_some(policy)
    }

    /// Returns the facts about a failed attempt by which [`policy::retry`](crate::policy::retry)
    /// decides.
    fn attempt(&self, failure: &Failure) -> FailedAttempt<'_> {
        FailedAttempt {
            method: &self.request.method,
            lost_connection: failure.lost_connection,
            is_pooled: failure.is_pooled,
            has_sent: failure.has_sent,
            has_heard: failure.has_heard,
            can_replay: self.may_be_sent_again().is_ok(),
        }
    }

    /// Returns whether the request is sent with `Connection: close`.
    pub(crate) fn says_close(&self) -> bool {
        let (own, defaults) = (&self.request.headers, &self.config.defaults);
        let by_default = has_member(defaults, &header::CONNECTION, "close");
        has_member(own, &header::CONNECTION, "close")
            || (by_default && !own.contains_key(header::CONNECTION))
    }

    /// Returns the redirect policy of the request, or else that of the client.
    fn redirect_policy(&self) -> &redirect::Policy {
        let own = self.request.overrides.as_ref().and_then(|own| own.redirect.as_ref());
        own.unwrap_or(&self.config.redirect)
    }

    /// Returns the callback for interim responses of the request, or else that of the client.
    pub(crate) fn observer(&self) -> Option<&InformationalObserver> {
        let own = self.request.overrides.as_ref().and_then(|own| own.on_informational.as_ref());
        own.or(self.config.on_informational.as_ref())
    }

    /// Passes an interim response to the program. No lock is held here.
    pub(crate) fn observe(&self, head: Box<ResponseHead>) {
        if let Some(observer) = self.observer() {
            (observer.0)(&self.request.url, head);
        }
    }

    /// Takes the hops before the current one.
    pub(crate) fn take_history(&mut self) -> Option<Vec<Hop>> {
        let PreviousHops { urls, followed } = *self.previous.take()?;
        Some(urls.into_iter().zip(followed).map(|(url, status)| Hop::new(url, status)).collect())
    }

    /// Returns the URL of the last request, the deadlines of the body and the timings.
    pub(crate) fn into_parts(self) -> (Url, Budget, Option<Box<Timings>>) {
        let (budget, timings) = self.budget.into_body();
        (self.request.url, budget, timings)
    }
}

const HTTPS_ONLY: &str = "only https is allowed, because the client has `https_only`";

/// Credentials that are not set on the request itself: from a netrc file, or as answers to Digest
/// challenges (RFC 7616).
impl<S: Source> Call<'_, S> {
    /// Returns the credentials of the client for the current hop.
    fn client_credentials(&self) -> Option<&HeaderValue> {
        self.config.credentials.as_ref().filter(|_| !self.withholds)
    }

    /// Takes the login from the netrc file unless the program set credentials.
    fn look_up_login(&mut self) -> Result<()> {
        if self.digest.is_some() || self.client_credentials().is_some() {
            return Ok(());
        }
        let Some(netrc) = &self.config.netrc else { return Ok(()) };
        let login = netrc.authorization(&self.request.url);
        let added = login.and_then(|basic| match basic {
            Some(basic) => self.request.set_header(header::AUTHORIZATION, basic),
            None => Ok(()),
        });
        added.map_err(|error| error.for_url(&self.request.url))
    }

    /// Prepares the Digest credentials of the next attempt; they are valid for one attempt only.
    fn authenticate(&mut self) {
        if let Some(digest) = &mut self.digest {
            let (nonces, request) = (&mut self.shared.nonces(), &self.request);
            digest.prepare(nonces, &request.url, request.asked());
        }
    }

    /// Returns whether a 401 is answered with the credentials that it asks for (RFC 7616 §3.3).
    ///
    /// The body is restored first, although the answer may turn out to be impossible: `auth-int`
    /// hashes it.
    fn answers_challenge(&mut self, headers: &HeaderSection) -> bool {
        if self.digest.is_none() || self.may_be_sent_again().is_err() {
            return false;
        }
        self.restore_body();
        let again = self.digest.as_mut().is_some_and(|digest| {
            let (nonces, request) = (&mut self.shared.nonces(), &self.request);
            digest.challenged(nonces, &request.url, headers.map(), request.asked())
        });
        if again {
            self.may_resend = true;
            self.authenticate();
        }
        again
    }
}

/// The request that the caller built, before the client adds anything.
pub(crate) struct RequestParts<S: Source> {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Body<S>>,
    pub(crate) version: Version,
    pub(crate) overrides: Option<Box<Overrides>>,
    pub(crate) cancel: Option<CancelToken>,
    pub(crate) codings: Option<Codings>,
    pub(crate) digest: Option<DigestLogin>,
    pub(crate) expectation: Option<Expectation>,
    pub(crate) retry: Option<Arc<retry::Policy>>,
    /// The spelling of field names, in the order of the lines.
    pub(crate) names: Vec<Box<str>>,
    /// The request target, if it replaces the URL's path and query.
    pub(crate) target: Option<Box<str>>,
    /// The media type of a form body, with its boundary.
    pub(crate) form_type: Option<Box<HeaderValue>>,
    pub(crate) upload_observer: Option<UploadObserver>,
}

impl<S: Source> RequestParts<S> {
    /// Returns the timeouts of a call of this request.
    pub(crate) fn timeouts(&self, config: &Config) -> Arc<Timeouts> {
        match &self.overrides {
            Some(own) => Arc::new(own.over(&config.timeouts)),
            None => Arc::clone(&config.timeouts),
        }
    }
}

/// The settings of a single request that few have. Unset ones are taken from the client.
#[derive(Debug, Clone, Default)]
pub(crate) struct Overrides {
    pub(crate) total: Option<Duration>,
    pub(crate) connect: Option<Duration>,
    pub(crate) first_byte: Option<Duration>,
    pub(crate) read: Option<Duration>,
    pub(crate) write: Option<Duration>,
    pub(crate) pace: Option<Pace>,
    pub(crate) redirect: Option<redirect::Policy>,
    pub(crate) on_informational: Option<InformationalObserver>,
}

/// A timeout of a request that takes away the limit of the client.
pub(crate) const UNLIMITED: Duration = Duration::MAX;

impl Overrides {
    /// Returns the timeouts of a call: those of the request where it has any, else those of the
    /// client. A limit of [`UNLIMITED`] takes the client's away. The read and the first byte
    /// timeout have their own setters, because both also decide how long the response may be
    /// silent.
    pub(crate) fn over(&self, client: &Timeouts) -> Timeouts {
        let limit = |own: Option<Duration>, client| match own {
            None => client,
            own => own.filter(|limit| *limit < UNLIMITED),
        };
        let mut timeouts = Timeouts { pace: self.pace.or(client.pace), ..*client };
        timeouts.is_total_of_request = self.total.is_some();
        if timeouts.is_total_of_request {
            timeouts.set_total(limit(self.total, None)); // first: it may replace other limits
        }
        timeouts.connect = limit(self.connect, timeouts.connect);
        timeouts.write = limit(self.write, timeouts.write);
        if self.read.is_some() {
            timeouts.set_read(limit(self.read, None));
        }
        if self.first_byte.is_some() {
            timeouts.set_first_byte(limit(self.first_byte, None));
        }
        timeouts
    }
}

impl<S: Source> RequestParts<S> {
    /// Creates a request without fields and body.
    pub(crate) fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: None,
            version: Version::HTTP_11,
            overrides: None,
            cancel: None,
            codings: None,
            digest: None,
            expectation: None,
            retry: None,
            names: Vec::new(),
            target: None,
            form_type: None,
            upload_observer: None,
        }
    }

    /// Moves the user name and password out of the URL, so that nothing that shows the URL reveals
    /// them, and uses them as credentials unless the request has others.
    #[inline]
    pub(crate) fn take_userinfo(&mut self, netrc: Option<&Netrc>) -> Result<()> {
        if !self.url.has_userinfo() {
            return Ok(()); // the common case
        }
        self.authorize_by_url(netrc)
    }

    #[cold]
    fn authorize_by_url(&mut self, netrc: Option<&Netrc>) -> Result<()> {
        let Some(Userinfo { username, password }) = self.url.take_userinfo() else { return Ok(()) };
        // A URL with a user and no password may get the password from the netrc file, for that user
        // only.
        let of_file = || netrc?.password_of(&self.url, &username);
        let password = password.or_else(of_file).unwrap_or_default();
        let basic = auth::basic(&username, &password)?;
        self.default_header(header::AUTHORIZATION, basic)
    }

    /// Sets the body and clears the form type.
    pub(crate) fn set_body(&mut self, body: Body<S>) {
        self.body = Some(body);
        self.form_type = None;
    }

    /// Adds the form's boundary to the caller's `Content-Type`: without it a server cannot parse
    /// the form (RFC 2046 §5.1.1).
    #[cfg(feature = "multipart")]
    pub(crate) fn complete_type(&mut self) -> Result<()> {
        let Some(own) = self.form_type.as_deref() else { return Ok(()) };
        let Some(given) = self.headers.get(header::CONTENT_TYPE) else { return Ok(()) };
        match multipart::completed(given, own)? {
            Some(completed) => self.set_header(header::CONTENT_TYPE, completed),
            None => Ok(()),
        }
    }

    #[cfg(not(feature = "multipart"))]
    pub(crate) fn complete_type(&mut self) -> Result<()> {
        Ok(())
    }

    /// Returns the request target: the caller's, or else path and query of the URL.
    fn target(&self) -> &str {
        self.target.as_deref().unwrap_or(self.url.request_target())
    }

    /// Returns what Digest credentials depend on.
    fn asked(&self) -> Asked<'_> {
        let body = self.body.as_ref().map_or(Some(&[][..]), Body::as_bytes);
        Asked { method: &self.method, target: self.target(), body }
    }

    /// Sets a field and replaces others of its name.
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

    /// Returns a copy, or `None` if the body can be read only once.
    pub(crate) fn try_clone(&self) -> Option<Self> {
        let body = match &self.body {
            Some(body) => Some(body.try_clone()?),
            None => None,
        };
        Some(self.with_body(body))
    }

    /// Returns a copy with another body, which may be for another runtime.
    pub(crate) fn with_body<T: Source>(&self, body: Option<Body<T>>) -> RequestParts<T> {
        RequestParts {
            method: self.method.clone(),
            url: self.url.clone(),
            headers: self.headers.clone(),
            body,
            version: self.version,
            overrides: self.overrides.clone(),
            cancel: self.cancel.clone(),
            codings: self.codings,
            digest: self.digest.clone(),
            expectation: self.expectation,
            retry: self.retry.clone(),
            names: self.names.clone(),
            target: self.target.clone(),
            form_type: self.form_type.clone(),
            upload_observer: self.upload_observer.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
