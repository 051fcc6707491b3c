//! The decision after an attempt: deliver the response, follow a redirect, send again, or fail.
//!
//! [`Call::answered`] takes the head of a response and asks, in this order: is it a 417 for the
//! expectation, a challenge that can be answered, a 408 for an idle connection, a status that the retry
//! policy repeats, a redirect? [`Call::failed`] takes an attempt without a response: was the connection
//! stale, and may the request be repeated? Does the retry policy repeat such a failure? Otherwise the
//! error is final, with notes on why it was not sent again.
//!
//! # The order of the questions
//!
//! `answered` asks in the order of certainty. What is about this connection or this attempt comes
//! before what is about the resource:
//!
//! | question | if so | how often |
//! | --- | --- | --- |
//! | cookies in the head? | stored, whatever follows | each response |
//! | 417 to an expectation? | again, without it | once |
//! | 401 with a challenge that can be answered? | again, with the answer | twice at most, see `policy::auth::digest` |
//! | 408 on a connection that was idle? | again, on a new one | once a hop |
//! | a status of the retry policy? | again, after a delay | by attempts, deadline and budget |
//! | a redirect? | its target, or a refusal | by the redirect policy |
//! | otherwise | delivered | |
//!
//! `failed` asks whether the connection was stale and the request may be repeated; then the retry
//! policy.
//!
//! # When a request may be repeated
//!
//! The rules are in [`policy::retry`](crate::policy::retry); this file supplies the facts. A
//! request may be repeated if no byte of it can have been carried out, or if its method says that
//! repeating does no harm, and if its body can be produced again. A connection that is lost before
//! a byte of the response says nothing about whether the request arrived, so a POST on it is an
//! error, with a note that says why (`t09_the_error_says_that_a_post_may_have_been_carried_out`).
//!
//! # A redirect that is refused
//!
//! The response of a refused redirect is delivered beside the error (`Answer::refusal` in the
//! driver), so nothing here may have changed the request before all checks have passed:
//! [`Call::follow`] checks the scheme and the body first.
//!
//! # What leaving an origin does
//!
//! [`Call::leave_origin`] runs at each change of the origin, and what it takes away never comes
//! back:
//!
//! - Digest ends; Basic of the client and the URL are no longer sent (`is_foreign`).
//! - Fields with credentials, and those that the redirect policy strips, are removed from the
//!   request.
//! - A client certificate is withheld ([`Call::identity`]).
//! - Secret trailers are removed when they are sent, and `Trailer` is not announced any more.
//! - `Host` of the caller is removed: it named the first origin.
//!
//! `tests/hostile_redirects.rs` (`r01` to `r03`), `tests/hostile_credentials.rs` (`s12`, `s13`) and
//! `tests/redirects.rs` (`sensitive_trailers_stay_with_their_origin`) guard these lines.
//!
//! # What an error says beside its cause
//!
//! A call that gives up says why it did not try again, because that is the next question of a user:
//!
//! | note | when |
//! | --- | --- |
//! | `POST was not sent again, because it may have been carried out` | a stale connection, a method that is not idempotent |
//! | `the body is a reader and cannot be sent again` | a stale connection, a body that was read |
//! | `after 2 retries` | the policy made some |
//! | `not retried: the retry budget of the host is used up` | the budget could not pay for another |
//!
//! `the_error_names_the_number_of_retries` and
//! `t09_the_error_says_that_the_retry_budget_is_used_up` check the texts.
//!
//! # How a retry is decided
//!
//! ```text
//! retry_response: a status of the policy ── method idempotent or named ── body can be produced ─┐
//! retry_failure:  a failure that may pass ── nothing sent, or the same ── the same ─────────────┤
//!                                                                                               ▼
//! policy.allows_more ── Delays::before ── Budget::after ── Ledger::pay ──▶ log, on_retry, rewind
//!   attempts left?       a delay, or the   before the       the host's
//!                        server asks for   deadline?        budget
//!                        too long
//! ```
//!
//! Any "no" delivers the last response or returns the last error. A response that needs no retry
//! pays a tenth of one back to the host's budget, whether or not this call has retried.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};

use super::{Call, HTTPS_ONLY, Proxied, log};
use crate::body::Source;
use crate::coding;
use crate::error::{Error, Kind, Result};
use crate::fields::date;
use crate::http1::exchange::{Expectation, Outgoing};
use crate::http1::head::ResponseHead;
use crate::http1::header_section::Fields as _;
use crate::http1::header_section::HeaderSection;
use crate::policy::Clock;
use crate::policy::auth::is_secret;
use crate::policy::redirect::{self, RedirectChoice};
use crate::policy::retry::{self, Obstacle, Reason, Retry};
use crate::url::Url;

/// The decision after a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Delivers this response to the caller.
    Deliver,
    /// Sends another request; the rest of this response is drained if that is cheap.
    Again(When),
}

/// The time of the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Now,
    /// No earlier than this moment, which is before the deadline of the call.
    At(Instant),
}

/// An attempt without a response.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    /// See [`FailedAttempt`](crate::policy::retry::FailedAttempt) for this and the others.
    pub(crate) lost_connection: bool,
    pub(crate) is_pooled: bool,
    pub(crate) has_sent: bool,
    pub(crate) has_heard: bool,
}

impl Failure {
    /// Returns the failure of an attempt that got no connection.
    pub(crate) fn unconnected(error: Error) -> Self {
        Self { error, lost_connection: false, is_pooled: false, has_sent: false, has_heard: false }
    }

    /// Returns whether a connection from the pool was lost before any byte of the response arrived.
    pub(crate) fn is_stale_connection(&self) -> bool {
        self.lost_connection && self.is_pooled && !self.has_heard
    }
}

impl<S: Source> Call<'_, S> {
    /// Processes a response's head and decides whether it is the final one.
    pub(crate) fn answered(&mut self, head: &ResponseHead, world: &impl Clock) -> Result<Verdict> {
        self.store_cookies(&head.headers);
        if head.status == StatusCode::EXPECTATION_FAILED && self.forget_expectation() {
            return Ok(Verdict::Again(When::Now));
        }
        if head.status == StatusCode::UNAUTHORIZED && self.answers_challenge(&head.headers) {
            return Ok(Verdict::Again(When::Now));
        }
        if self.was_stale(head) {
            self.resend();
            return Ok(Verdict::Again(When::Now));
        }
        if let Some(at) = self.retry_response(head, world) {
            return Ok(Verdict::Again(When::At(at)));
        }
        if self.redirect_policy().is_none() {
            return Ok(Verdict::Deliver); // even if the target is invalid
        }
        let target = redirect::target(head.status, &head.headers, &self.request.url);
        let Some(target) = target.map_err(|error| error.for_url(&self.request.url))? else {
            return Ok(Verdict::Deliver);
        };
        let mut previous = self.previous.take().unwrap_or_default();
        previous.urls.push(self.request.url.clone());
        let attempt = redirect::Attempt::new(head.status, &target, &previous.urls);
        let choice = self.redirect_policy().redirect(attempt).choice;
        self.previous = Some(previous);
        match choice {
            RedirectChoice::Follow => self.follow(head.status, target),
            RedirectChoice::Stop => Ok(Verdict::Deliver),
            RedirectChoice::Error(cause) => {
                let detail = format!("to {}", target.redacted());
                Err(redirect::refused(&self.request.url, detail).cause(cause))
            }
        }
    }

    /// Returns the time of the next attempt, or the error of the call.
    pub(crate) fn failed(&mut self, failure: Failure, world: &impl Clock) -> Result<When> {
        let repeats_all =
            self.retry_policy().is_some_and(|policy| policy.repeats_on_reused_connection);
        let stale = match retry::may_send_again(self.attempt(&failure)) {
            Err(Obstacle::Method) if repeats_all => Ok(()),
            stale => stale,
        };
        if stale.is_ok() && self.may_resend {
            self.resend();
            return Ok(When::Now);
        }
        if let Some(at) = self.retry_failure(&failure, world) {
            return Ok(When::At(at));
        }
        Err(self.explained(failure.error, stale.err()))
    }

    /// Returns the error of the last attempt, with notes on why it was not sent again.
    fn explained(&self, error: Error, obstacle: Option<Obstacle>) -> Error {
        let method = &self.request.method;
        let error = match obstacle {
            Some(Obstacle::Method) => error
                .note(format!("{method} was not sent again, because it may have been carried out")),
            Some(Obstacle::Body) => match self.may_be_sent_again() {
                Err(reason) => error.note(reason.to_string()),
                Ok(()) => error,
            },
            Some(Obstacle::NotStale) | None => error,
        };
        let error = match self.retries {
            0 => error,
            1 => error.note("after 1 retry"),
            retries => error.note(format!("after {retries} retries")),
        };
        let error = if self.is_budget_used_up {
            error.note("not retried: the retry budget of the host is used up")
        } else {
            error
        };
        error.for_url(&self.request.url)
    }

    /// Returns whether this response only says that the connection was idle for too long (RFC 9110
    /// §15.5.9).
    fn was_stale(&self, head: &ResponseHead) -> bool {
        retry::is_timed_out(self.is_pooled, &self.request.method, head)
            && self.may_resend
            && self.may_be_sent_again().is_ok()
    }

    /// Sends the request again, on a new connection.
    fn resend(&mut self) {
        log::sent_again(&self.request.url, "the connection was closed before it answered");
        self.may_resend = false;
        self.rewind();
    }

    /// Returns whether a connection of this hop was lost, so that its idle connections are suspect.
    pub(crate) fn is_resent(&self) -> bool {
        !self.may_resend
    }

    /// Prepares the next hop.
    fn follow(&mut self, status: StatusCode, target: Url) -> Result<Verdict> {
        if !self.is_allowed(&target) {
            let detail = format!("to {}: {HTTPS_ONLY}", target.redacted());
            return Err(redirect::refused(&self.request.url, detail));
        }
        match (redirect::changed_method(status, &self.request.method), self.may_be_sent_again()) {
            (Some(method), _) => self.drop_body(method),
            (None, Err(reason)) => {
                return Err(redirect::refused(&self.request.url, reason.to_string()));
            }
            (None, Ok(())) => {}
        }
        if target.origin() != self.request.url.origin() {
            self.leave_origin(&target);
        }
        if self.config.sends_referer {
            match redirect::referer(&self.request.url, &target) {
                Some(referer) => self.request.set_header(header::REFERER, referer)?,
                None => drop(self.request.headers.remove(header::REFERER)),
            }
        }
        if let Some(digest) = &mut self.digest {
            digest.move_on();
        }
        // The login that the caller gave is only for the proxy of the first hop.
        let proxy = self.config.proxy_for(&target)?;
        if self.proxy() != proxy.as_ref() {
            self.proxy = proxy.map(|hop| Box::new(Proxied { hop, login: None }));
        }
        log::redirected(status, &self.request.url, &target);
        self.previous.get_or_insert_default().followed.push(status);
        self.request.url = target;
        self.request.target = None;
        self.may_resend = true;
        self.rewind();
        Ok(Verdict::Again(When::Now))
    }

    /// Prepares the resend after a 417, which is sent without the expectation (RFC 9110 §10.1.1).
    /// Returns false if the request had none or its body cannot be sent again.
    fn forget_expectation(&mut self) -> bool {
        let expected = self.expectation() == Expectation::Continue;
        if !expected || self.may_be_sent_again().is_err() {
            return false;
        }
        self.expectation = Expectation::None;
        self.rewind();
        true
    }

    /// Prepares everything for another attempt.
    ///
    /// Limits per attempt begin anew, and the deadline of the call does not. The Digest answer is
    /// computed again, because each use of a nonce is counted.
    fn rewind(&mut self) {
        self.budget.start_over();
        self.restore_body();
        self.authenticate();
    }

    /// Restores the body; the caller has checked that this is [possible](Self::may_be_sent_again).
    pub(super) fn restore_body(&mut self) {
        match (&self.replay, &mut self.request.body) {
            (Some(replay), body) => *body = replay.try_clone(),
            (None, Some(body)) => body.rewind().unwrap_or_default(),
            (None, None) => {}
        }
    }

    /// Continues without a body, as 303 demands: neither its copy nor the fields that describe it
    /// remain.
    fn drop_body(&mut self, method: Method) {
        self.request.method = method;
        self.outgoing = Outgoing::None;
        self.request.body = None;
        self.replay = None;
        remove(&mut self.request.headers, &|name, _| redirect::describes_body(name));
    }

    /// Takes everything away that was meant for the origin which the call is leaving.
    fn leave_origin(&mut self, target: &Url) {
        if !self.is_foreign {
            self.keep_trailers();
        }
        self.is_foreign = true;
        self.withholds = true;
        self.digest = None;
        let mut headers = std::mem::take(&mut self.request.headers);
        remove(&mut headers, &|name, value| {
            *name == header::HOST || self.stays_behind(name, value, target)
        });
        self.request.headers = headers;
    }

    /// Removes secret trailers when the call leaves its origin, together with the `Trailer` field,
    /// which is optional (RFC 9110 §6.6.2).
    fn keep_trailers(&mut self) {
        for body in self.replay.iter_mut().chain(&mut self.request.body) {
            body.strip_trailers(|fields| remove(fields, &is_secret));
        }
        self.request.headers.remove(header::TRAILER);
    }

    /// Stores the cookies of any response, also of one that is followed by another attempt: a login
    /// is usually a redirect with a cookie.
    fn store_cookies(&self, headers: &HeaderSection) {
        let Some(cookies) = &self.config.cookies else { return };
        if headers.has(&header::SET_COOKIE) {
            let values = headers.map().get_all(header::SET_COOKIE);
            cookies.0.set_cookies(&mut values.iter(), &self.request.url);
        }
    }

    /// Returns the decoder for the body of the final response, if the body is coded.
    pub(crate) fn decoder(&self, head: &ResponseHead) -> Result<Option<coding::Decoder>> {
        // A part of a coded body cannot be decoded (RFC 9110 §15.3.7).
        if head.status == StatusCode::PARTIAL_CONTENT {
            return Ok(None);
        }
        let plan = coding::plan(&head.headers, self.codings, &self.config.limits);
        plan.map_err(|error| error.into_error().for_url(&self.request.url))
    }
}

/// Retries under the caller's retry policy.
impl<S: Source> Call<'_, S> {
    /// Returns the time of the retry after this response, or `None` if it is final.
    fn retry_response(&mut self, head: &ResponseHead, world: &impl Clock) -> Option<Instant> {
        let (policy, url) = (self.retry_policy()?, &self.request.url);
        if !policy.wants_another(&self.request.method, url, head.status) {
            self.shared.ledger().pay_back(url, policy.earnings);
            return None;
        }
        if !policy.repeats_method(&self.request.method) || self.may_be_sent_again().is_err() {
            return None;
        }
        let field = head.headers.first(&header::RETRY_AFTER);
        let asked = field.and_then(|value| date::retry_after_at_least(value, world.date()));
        let at = self.retry(Reason::Status(head.status), asked, world)?;
        // The connection worked, so a stale one later is a new event.
        self.may_resend = true;
        Some(at)
    }

    /// Returns the time of the retry after this failure, or `None` if the failure is final.
    fn retry_failure(&mut self, failure: &Failure, world: &impl Clock) -> Option<Instant> {
        let kind = failure.error.kind();
        let nobody_has_that_name =
            kind == Kind::Resolve && !self.request.url.host().is_some_and(|it| it.is_resolvable());
        let policy = self.retry_policy()?;
        let (attempt, url) = (self.attempt(failure), &self.request.url);
        if nobody_has_that_name || !policy.repeats_failure(&failure.error, attempt, url) {
            return None;
        }
        let at = self.retry(Reason::Failure(kind), None, world)?;
        // The other idle connections may be broken too.
        self.may_resend = false;
        Some(at)
    }

    /// Prepares another attempt, unless the maximum number of attempts is reached, the wait would be too
    /// long, or the retry budget of the host is used up.
    fn retry(
        &mut self,
        reason: Reason,
        asked: Option<Duration>,
        world: &impl Clock,
    ) -> Option<Instant> {
        let policy = Arc::clone(self.retry_policy()?);
        if !policy.allows_more(self.retries) {
            return None;
        }
        let delay = policy.delays.before(self.retries + 1, asked, world.random())?;
        // The budget of the host is asked last: an attempt that cannot be made must not be paid
        // for.
        let at = self.budget.after(delay, world.now())?;
        if let Some(retries) = policy.retries_per_host {
            if !self.shared.ledger().pay(&self.request.url, retries) {
                self.is_budget_used_up = true;
                return None;
            }
        }
        self.retries += 1;
        let (attempt, method, url) = (self.retries + 1, &self.request.method, &self.request.url);
        log::retried(url, reason, delay);
        policy.tell(Retry { attempt, method, url, reason, delay });
        self.rewind();
        Some(at)
    }
}

/// Removes all lines of each name that has an `unwanted` line.
fn remove(headers: &mut HeaderMap, unwanted: &dyn Fn(&HeaderName, &HeaderValue) -> bool) {
    let mut names = Vec::new();
    for (name, value) in &*headers {
        if unwanted(name, value) {
            names.push(name.clone());
        }
    }
    for name in names {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests;
