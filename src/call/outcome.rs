//! What comes of an attempt, and what follows from it: the response, another hop, the same once more,
//! or an error.

use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};

use super::head::stays_behind;
use super::{Call, HTTPS_ONLY, Proxied, Resends, Trust, is_allowed};
use crate::coding;
use crate::error::{Error, Result};
use crate::events;
use crate::front::Front;
use crate::policy::hop::Hop;
use crate::policy::redirect::{self, Attempt, Choice};
use crate::policy::retry::{self, Answered, Replay, Sent};
use crate::proto::exchange::{Expectation, Outgoing};
use crate::proto::fields::Fields as _;
use crate::proto::head::ResponseHead;
use crate::proto::section::HeaderSection;
use crate::url::Url;

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

impl<F: Front> Call<'_, F> {
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
        let target = redirect::target(head.status, &head.headers, &self.request.url);
        let Some(target) = target.map_err(|error| error.for_url(&self.request.url))? else {
            return Ok(Next::Deliver);
        };
        self.previous.push(self.request.url.clone());
        let attempt = Attempt::new(head.status, &target, &self.previous);
        match self.config.redirect.redirect(attempt).choice {
            Choice::Follow => self.follow(head.status, target),
            Choice::Stop => Ok(Next::Deliver),
            Choice::Error(cause) => {
                let detail = format!("to {}", target.redacted());
                Err(redirect::refused(&self.request.url, detail).cause(cause))
            }
        }
    }

    /// Says whether the attempt may be repeated on a fresh connection, or why the call fails.
    pub(crate) fn failed(&mut self, failure: Failure) -> Result<()> {
        let attempt = retry::Attempt {
            method: &self.request.method,
            connection: failure.connection,
            sent: failure.sent,
            answered: failure.answered,
            body: self.replays(),
        };
        let stale = failure.loss == Loss::Connection && self.resends == Resends::OneLeft;
        if !stale || !retry::may_send_again(attempt) {
            return Err(failure.error.for_url(&self.request.url));
        }
        events::sent_again(&self.request.url, "the connection was closed before it answered");
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
            return Err(redirect::refused(&self.request.url, detail));
        }
        match redirect::changed_method(status, &self.request.method) {
            Some(method) => self.drop_body(method),
            None if self.replays() == Replay::Impossible => {
                let detail = "the body is a reader and cannot be sent again";
                return Err(redirect::refused(&self.request.url, detail));
            }
            None => {}
        }
        if target.origin() != self.request.url.origin() {
            self.leave_origin(&target);
        }
        if let Some(digest) = &mut self.digest {
            digest.move_on();
        }
        self.go_by(self.config.proxy_for(&target)?);
        events::redirected(status, &self.request.url, &target);
        self.request.url = target;
        self.request.target = None;
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

    /// Makes everything ready for another attempt.
    fn rewind(&mut self) {
        self.restore_body();
        self.authenticate();
    }

    /// Makes the body whole again.
    pub(super) fn restore_body(&mut self) {
        if let Some(replay) = &self.replay {
            self.request.body = replay.try_clone();
        }
    }

    fn drop_body(&mut self, method: Method) {
        self.request.method = method;
        self.outgoing = Outgoing::None;
        self.request.body = None;
        self.replay = None;
        remove(&mut self.request.headers, |name, _| redirect::describes_body(name));
    }

    fn leave_origin(&mut self, target: &Url) {
        self.trust = Trust::Foreign;
        self.digest = None;
        remove(&mut self.request.headers, |name, value| {
            *name == header::HOST || stays_behind(name, value, target)
        });
    }

    /// The login that the caller gave is for the proxy of the first hop.
    fn go_by(&mut self, proxy: Option<Arc<Hop>>) {
        if self.proxy() != proxy.as_ref() {
            self.proxy = proxy.map(|hop| Box::new(Proxied { hop, login: None }));
        }
    }

    fn store_cookies(&self, headers: &HeaderSection) {
        let Some(cookies) = &self.config.cookies else { return };
        if headers.has(&header::SET_COOKIE) {
            let values = headers.map().get_all(header::SET_COOKIE);
            cookies.0.set_cookies(&mut values.iter(), &self.request.url);
        }
    }

    /// How the body of the final response is decoded, if it is.
    pub(crate) fn decoder(&self, head: &ResponseHead) -> Result<Option<coding::Decoder>> {
        // A part of a coded body cannot be decoded (RFC 9110 §15.3.7).
        if head.status == StatusCode::PARTIAL_CONTENT {
            return Ok(None);
        }
        let plan = coding::plan(&head.headers, self.codings, &self.config.limits);
        plan.map_err(|error| error.into_error().for_url(&self.request.url))
    }
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
