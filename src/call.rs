//! A call: the request as the caller meant it, over all its hops, until the final response's head.
//!
//! ```text
//! new ──▶ hop: route, head, body ──▶ answered ──▶ Deliver
//!          ▲                            │
//!          ├────────── Again ◀──────────┤ a redirect that is followed
//!          └────────── Again ◀── failed ┘ a stale connection, and sending again is safe
//! ```
//!
//! It decides and does nothing; the driver makes the connection that the [`Route`] asks for and
//! carries the bytes.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode, Version};

use crate::body::Body;
use crate::coding::{self, Codings};
use crate::config::{Config, Schemes};
use crate::digest;
use crate::error::{Error, Result};
use crate::front::Front;
use crate::policy::budget::Budget;
use crate::policy::credentials::{self, Asked, stays_with_origin};
use crate::policy::hop::{Hop, Protocol};
use crate::policy::redirect::{self, Attempt, Choice};
use crate::policy::retry::{self, Answered, Replay, Sent};
use crate::policy::route::{self, Route, Security};
use crate::proto::buffer::Buffer;
use crate::proto::exchange::{Expectation, Outgoing};
use crate::proto::fields::has_member;
use crate::proto::head::{HeadWriter, ResponseHead};
use crate::proto::spelling::Spelling;
use crate::request::Request;
use crate::url::{Url, Userinfo};

/// The state of a call between its hops.
pub(crate) struct Call<'c, F: Front> {
    config: &'c Config,
    method: Method,
    url: Url,
    headers: HeaderMap,
    version: Version,
    outgoing: Outgoing,
    /// The body of the current attempt; the driver reads it.
    body: Option<Body<F>>,
    /// The same body for another attempt, if it can be had again.
    replay: Option<Body<F>>,
    trust: Trust,
    proxy: Option<Box<Proxied>>,
    codings: Codings,
    digest: Option<digest::Authentication>,
    expectation: Expectation,
    names: Vec<Box<str>>,
    /// What the caller wants in the request line of the first hop.
    target: Option<Box<str>>,
    previous: Vec<Url>,
    resends: Resends,
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

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// This is the response.
    Deliver,
    /// There is another hop: read away the rest of this response if that is cheap.
    Again,
}

/// An attempt that brought no response.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) loss: Loss,
    pub(crate) connection: retry::Origin,
    pub(crate) sent: Sent,
    pub(crate) answered: Answered,
}

/// Whether the connection itself was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    Connection,
    /// A deadline, a broken rule, a body that could not be produced: another connection is no help.
    Other,
}

impl<'c, F: Front> Call<'c, F> {
    /// Checks the request as a whole, and starts the clock.
    pub(crate) fn new(config: &'c Config, mut request: Request<F>, now: Instant) -> Result<Self> {
        let outgoing =
            prepare(config, &mut request).map_err(|error| error.for_url(&request.url))?;
        let proxy = proxied(config, &mut request)?;
        let mut call = Self {
            config,
            outgoing,
            replay: request.body.as_ref().and_then(Body::try_clone),
            body: request.body,
            trust: Trust::Origin,
            proxy,
            codings: request.codings.unwrap_or(config.codings),
            expectation: request.expectation.unwrap_or(config.expectation),
            names: request.names,
            target: request.target,
            previous: Vec::new(),
            resends: Resends::OneLeft,
            budget: Budget::start(request.timeouts.over(config.timeouts), now),
            method: request.method,
            url: request.url,
            headers: request.headers,
            version: request.version,
            digest: None,
        };
        if !call.has(&header::AUTHORIZATION) {
            call.digest = config.digest.begin(request.digest);
            call.look_up_login()?;
        }
        call.authenticate();
        Ok(call)
    }

    // The current hop.

    pub(crate) fn config(&self) -> &'c Config {
        self.config
    }

    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn proxy(&self) -> Option<&Arc<Hop>> {
        self.proxy.as_ref().map(|proxied| &proxied.hop)
    }

    pub(crate) fn route(&self) -> Route {
        Route::of(&self.url, self.proxy())
    }

    pub(crate) fn outgoing(&self) -> Outgoing {
        self.outgoing
    }

    pub(crate) fn take_body(&mut self) -> Body<F> {
        self.body.take().unwrap_or_default()
    }

    /// What is left of the body after the attempt.
    pub(crate) fn give_back(&mut self, body: Body<F>) {
        self.body = Some(body);
    }

    /// Whether the body waits for `100 Continue`. HTTP/1.0 does not know that.
    pub(crate) fn expectation(&self) -> Expectation {
        if self.has_body() && self.version == Version::HTTP_11 {
            self.expectation
        } else {
            Expectation::None
        }
    }

    /// Whether the request says that the connection is closed after it.
    pub(crate) fn says_close(&self) -> bool {
        [&self.headers, &self.config.default_headers]
            .iter()
            .any(|headers| has_member(headers, &header::CONNECTION, "close"))
    }

    /// The head: what the caller gave, then what the client adds where the caller gave nothing.
    pub(crate) fn write_head(&self, out: &mut Buffer) {
        let spelling = Spelling { case: self.config.case, names: &self.names };
        if spelling.is_usual() {
            return self.write_usual_head(out);
        }
        let mut usual = Buffer::default();
        self.write_usual_head(&mut usual);
        out.push(&spelling.apply(usual.data()));
    }

    fn write_usual_head(&self, out: &mut Buffer) {
        let mut head = HeadWriter::start(out, &self.method, &self.target(), self.version);
        match self.headers.get(header::HOST) {
            Some(host) => head.field(&header::HOST, host),
            None => head.host(self.url.host_header()),
        }
        for (name, value) in self.config.default_headers.iter().filter(|(n, v)| self.takes(n, v)) {
            head.field(name, value);
        }
        for (name, value) in self.headers.iter().filter(|(name, _)| *name != header::HOST) {
            head.field(name, value);
        }
        self.write_accept_encoding(&mut head);
        self.write_credentials(&mut head);
        self.write_cookies(&mut head);
        if let Some(proxied) = &self.proxy {
            self.write_proxy_fields(&mut head, proxied);
        }
        if self.expectation() == Expectation::Continue {
            head.field(&header::EXPECT, &HeaderValue::from_static("100-continue"));
        }
        match self.outgoing {
            Outgoing::None => {}
            Outgoing::Length(length) => head.content_length(length),
            Outgoing::Chunked => {
                let chunked = HeaderValue::from_static("chunked");
                head.field(&header::TRANSFER_ENCODING, &chunked);
            }
        }
        head.end();
    }

    /// A proxy that forwards is told the whole URL (RFC 9112 §3.2.2), and `*` as one without a path
    /// (§3.2.4). A target of the caller that is no path is sent as it is: behind our host it could
    /// name another one.
    fn target(&self) -> Cow<'_, str> {
        let target = self.target.as_deref().unwrap_or(self.url.request_target());
        if self.proxy.as_ref().is_none_or(|proxied| !route::forwards(&proxied.hop, &self.url)) {
            return Cow::Borrowed(target);
        }
        let path = match target {
            "*" => "",
            path if path.starts_with('/') => path,
            whole => return Cow::Borrowed(whole),
        };
        Cow::Owned(format!("{}://{}{path}", self.url.scheme(), self.url.host_header()))
    }

    /// What is for the proxy, if that is who reads this request.
    fn write_proxy_fields(&self, head: &mut HeadWriter<'_>, proxied: &Proxied) {
        let Protocol::Http { fields, .. } = &proxied.hop.protocol else { return };
        if !route::forwards(&proxied.hop, &self.url) {
            return;
        }
        if let Some(login) = &proxied.login {
            head.field(&header::PROXY_AUTHORIZATION, login);
        }
        let is_said = |name: &HeaderName| match *name {
            header::PROXY_AUTHORIZATION => proxied.login.is_some(),
            _ => self.has(name),
        };
        for (name, value) in fields.iter().filter(|(name, _)| !is_said(name)) {
            head.field(name, value);
        }
    }

    /// Whether a default field of the client goes into this request.
    fn takes(&self, name: &HeaderName, value: &HeaderValue) -> bool {
        const OURS: [HeaderName; 3] =
            [header::HOST, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];
        let allowed = self.trust == Trust::Origin || !stays_behind(name, value, &self.url);
        allowed && !self.headers.contains_key(name) && !OURS.contains(name)
    }

    fn has(&self, name: &HeaderName) -> bool {
        let default = self.config.default_headers.get(name);
        self.headers.contains_key(name) || default.is_some_and(|value| self.takes(name, value))
    }

    /// A part of a coded body cannot be decoded, so a range is asked for as it is.
    fn write_accept_encoding(&self, head: &mut HeadWriter<'_>) {
        let Some(codings) = self.codings.accept_encoding() else { return };
        if !self.has(&header::RANGE) && !self.has(&header::ACCEPT_ENCODING) {
            head.field(&header::ACCEPT_ENCODING, &HeaderValue::from_static(codings));
        }
    }

    fn write_credentials(&self, head: &mut HeadWriter<'_>) {
        if self.trust == Trust::Foreign || self.has(&header::AUTHORIZATION) {
            return;
        }
        let credentials = match &self.digest {
            Some(digest) => digest.answer(),
            None => self.config.credentials.as_ref(),
        };
        if let Some(credentials) = credentials {
            head.field(&header::AUTHORIZATION, credentials);
        }
    }

    fn write_cookies(&self, head: &mut HeadWriter<'_>) {
        let Some(cookies) = &self.config.cookies else { return };
        if self.has(&header::COOKIE) {
            return;
        }
        if let Some(value) = cookies.0.cookies(&self.url) {
            head.field(&header::COOKIE, &value);
        }
    }

    // What came of it.

    /// Takes note of a response's head and says whether it is the final one.
    pub(crate) fn answered(&mut self, head: &ResponseHead) -> Result<Next> {
        self.store_cookies(&head.headers);
        if head.status == StatusCode::EXPECTATION_FAILED && self.forget_expectation() {
            return Ok(Next::Again);
        }
        if head.status == StatusCode::UNAUTHORIZED && self.answers_challenge(&head.headers) {
            return Ok(Next::Again);
        }
        if self.config.redirect.is_none() {
            return Ok(Next::Deliver); // whatever the target is
        }
        let target = redirect::target(head.status, &head.headers, &self.url);
        let Some(target) = target.map_err(|error| error.for_url(&self.url))? else {
            return Ok(Next::Deliver);
        };
        self.previous.push(self.url.clone());
        let attempt = Attempt::new(head.status, &target, &self.previous);
        match self.config.redirect.redirect(attempt).choice {
            Choice::Follow => self.follow(head.status, target),
            Choice::Stop => Ok(Next::Deliver),
            Choice::Error(cause) => {
                let detail = format!("to {}", target.redacted());
                Err(redirect::refused(&self.url, detail).cause(cause))
            }
        }
    }

    /// Says whether the attempt may be repeated on a fresh connection, or why the call fails.
    pub(crate) fn failed(&mut self, failure: Failure) -> Result<()> {
        let attempt = retry::Attempt {
            method: &self.method,
            connection: failure.connection,
            sent: failure.sent,
            answered: failure.answered,
            body: self.replays(),
        };
        let stale = failure.loss == Loss::Connection && self.resends == Resends::OneLeft;
        if !stale || !retry::may_send_again(attempt) {
            return Err(failure.error.for_url(&self.url));
        }
        self.resends = Resends::Used;
        self.rewind();
        Ok(())
    }

    /// Whether this hop is on its second attempt, after a stale connection.
    pub(crate) fn is_resent(&self) -> bool {
        self.resends == Resends::Used
    }

    /// Prepares the next hop.
    fn follow(&mut self, status: StatusCode, target: Url) -> Result<Next> {
        if !is_allowed(self.config, &target) {
            let detail = format!("to {}: {HTTPS_ONLY}", target.redacted());
            return Err(redirect::refused(&self.url, detail));
        }
        match redirect::changed_method(status, &self.method) {
            Some(method) => self.drop_body(method),
            None if self.replays() == Replay::Impossible => {
                let detail = "the body is a reader and cannot be sent again";
                return Err(redirect::refused(&self.url, detail));
            }
            None => {}
        }
        if target.origin() != self.url.origin() {
            self.leave_origin(&target);
        }
        if let Some(digest) = &mut self.digest {
            digest.move_on();
        }
        self.go_by(self.config.proxy_for(&target)?);
        self.url = target;
        self.target = None;
        self.resends = Resends::OneLeft;
        self.rewind();
        Ok(Next::Again)
    }

    /// RFC 9110 §10.1.1: after 417 the request is sent again without its expectation, if it had one
    /// and the body can still be sent.
    fn forget_expectation(&mut self) -> bool {
        let expected = self.expectation() == Expectation::Continue;
        if !expected || self.replays() == Replay::Impossible {
            return false;
        }
        self.expectation = Expectation::None;
        self.rewind();
        true
    }

    /// Whether a 401 is answered with what it asks for (RFC 7616 §3.3).
    fn answers_challenge(&mut self, headers: &HeaderMap) -> bool {
        if self.digest.is_none() || self.replays() == Replay::Impossible {
            return false;
        }
        self.restore_body();
        let target = self.target.as_deref().unwrap_or(self.url.request_target());
        let asked = asked(&self.method, target, self.body.as_ref());
        let again = match &mut self.digest {
            Some(digest) => digest.challenged(&self.url, headers, asked),
            None => false,
        };
        if again {
            self.resends = Resends::OneLeft;
            self.authenticate();
        }
        again
    }

    /// A netrc file is asked where the program says nothing.
    fn look_up_login(&mut self) -> Result<()> {
        if self.digest.is_some() || self.config.credentials.is_some() {
            return Ok(());
        }
        let Some(netrc) = &self.config.netrc else { return Ok(()) };
        let basic = netrc.authorization(&self.url).map_err(|error| error.for_url(&self.url))?;
        self.headers.extend(basic.map(|basic| (header::AUTHORIZATION, basic)));
        Ok(())
    }

    /// Digest credentials are of use for one attempt.
    fn authenticate(&mut self) {
        if let Some(digest) = &mut self.digest {
            let target = self.target.as_deref().unwrap_or(self.url.request_target());
            let asked = asked(&self.method, target, self.body.as_ref());
            digest.prepare(&self.url, asked);
        }
    }

    fn has_body(&self) -> bool {
        !matches!(self.outgoing, Outgoing::None | Outgoing::Length(0))
    }

    fn replays(&self) -> Replay {
        let is_whole = self.body.as_ref().is_some_and(Body::is_whole);
        if self.has_body() && self.replay.is_none() && !is_whole {
            Replay::Impossible
        } else {
            Replay::Possible
        }
    }

    /// Makes everything ready for another attempt.
    fn rewind(&mut self) {
        self.restore_body();
        self.authenticate();
    }

    /// Makes the body whole again.
    fn restore_body(&mut self) {
        if let Some(replay) = &self.replay {
            self.body = replay.try_clone();
        }
    }

    fn drop_body(&mut self, method: Method) {
        self.method = method;
        self.outgoing = Outgoing::None;
        self.body = None;
        self.replay = None;
        remove(&mut self.headers, |name, _| redirect::describes_body(name));
    }

    fn leave_origin(&mut self, target: &Url) {
        self.trust = Trust::Foreign;
        self.digest = None;
        remove(&mut self.headers, |name, value| {
            *name == header::HOST || stays_behind(name, value, target)
        });
    }

    /// The login that the caller gave is for the proxy of the first hop.
    fn go_by(&mut self, proxy: Option<Arc<Hop>>) {
        if self.proxy() != proxy.as_ref() {
            self.proxy = proxy.map(|hop| Box::new(Proxied { hop, login: None }));
        }
    }

    fn store_cookies(&self, headers: &HeaderMap) {
        let Some(cookies) = &self.config.cookies else { return };
        if headers.contains_key(header::SET_COOKIE) {
            cookies.0.set_cookies(&mut headers.get_all(header::SET_COOKIE).iter(), &self.url);
        }
    }

    /// How the body of the final response is decoded, if it is.
    pub(crate) fn decoder(&self, head: &ResponseHead) -> Result<Option<coding::Decoder>> {
        // A part of a coded body cannot be decoded (RFC 9110 §15.3.7).
        if head.status == StatusCode::PARTIAL_CONTENT {
            return Ok(None);
        }
        let plan = coding::plan(&head.headers, self.codings, &self.config.limits);
        plan.map_err(|error| error.into_error().for_url(&self.url))
    }

    /// The URL that was requested last.
    pub(crate) fn into_url(self) -> Url {
        self.url
    }
}

/// What can be found wrong before anything is sent; moves the user of the URL to where it belongs.
fn prepare<F: Front>(config: &Config, request: &mut Request<F>) -> Result<Outgoing> {
    let outgoing = request.seal()?;
    if !is_allowed(config, &request.url) {
        return Err(Error::builder(HTTPS_ONLY));
    }
    if let Some(Userinfo { username, password }) = request.url.take_userinfo() {
        let of_file = || config.netrc.as_ref()?.password_of(&request.url, &username);
        let password = password.or_else(of_file);
        let basic = credentials::basic(&username, &password.unwrap_or_default())?;
        request.default_header(header::AUTHORIZATION, basic)?;
    }
    Ok(outgoing)
}

/// Takes what is for the proxy out of the request: it goes to no origin.
fn proxied<F: Front>(config: &Config, request: &mut Request<F>) -> Result<Option<Box<Proxied>>> {
    let login = request.headers.remove(header::PROXY_AUTHORIZATION);
    let Some(hop) = config.proxy_for(&request.url)? else { return Ok(None) };
    let login = login.or_else(|| config.proxy_login.clone());
    Ok(Some(Box::new(Proxied { hop, login })))
}

fn asked<'a, F: Front>(
    method: &'a Method,
    target: &'a str,
    body: Option<&'a Body<F>>,
) -> Asked<'a> {
    let body = body.map_or(Some(&[][..]), Body::as_bytes);
    Asked { method, target, body }
}

/// Whether a field is not for `target`, which is another origin.
fn stays_behind(name: &HeaderName, value: &HeaderValue, target: &Url) -> bool {
    if *name != header::REFERER {
        return stays_with_origin(name, value);
    }
    // RFC 9110 §10.1.3: a secure page is not told in the clear, and user and fragment are not told.
    let is_secure = value.as_bytes().get(..6).is_some_and(|s| s.eq_ignore_ascii_case(b"https:"));
    let in_the_clear = is_secure && Security::of(target) == Security::Plain;
    in_the_clear || value.as_bytes().iter().any(|byte| matches!(byte, b'@' | b'#'))
}

/// Removes the names of which one line is `unwanted`.
fn remove(headers: &mut HeaderMap, unwanted: impl Fn(&HeaderName, &HeaderValue) -> bool) {
    let names: Vec<_> = headers
        .iter()
        .filter(|(name, value)| unwanted(name, value))
        .map(|(name, _)| name.clone())
        .collect();
    for name in names {
        headers.remove(name);
    }
}

/// See [`ClientBuilder::https_only`](crate::config::ClientBuilder::https_only).
fn is_allowed(config: &Config, url: &Url) -> bool {
    config.schemes == Schemes::HttpAndHttps || Security::of(url) == Security::Tls
}

const HTTPS_ONLY: &str = "only https is allowed";
