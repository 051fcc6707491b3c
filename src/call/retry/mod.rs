//! Decides whether the current hop is retried under the caller's retry policy.

use std::time::{Duration, Instant};

use http::header;

use super::{Call, Failure, Resends};
use crate::body::Source;
use crate::call::log;
use crate::error::Kind;
use crate::http1::head::ResponseHead;
use crate::policy::clock::Clock;
use crate::policy::retry::{Payment, Reason, Replay, Retry};

impl<S: Source> Call<'_, S> {
    /// Returns the time of the retry after this response, or `None` if it is final.
    pub(super) fn retry_response(
        &mut self,
        head: &ResponseHead,
        world: &impl Clock,
    ) -> Option<Instant> {
        let policy = self.retry.as_deref()?;
        if !policy.repeats_status(head.status) {
            self.config.retry.ledger().pay_back(&self.request.url);
            return None;
        }
        if !policy.repeats_method(&self.request.method) || self.replays() == Replay::Impossible {
            return None;
        }
        let field = head.headers.first(&header::RETRY_AFTER);
        let asked = field.and_then(|value| policy.asked(value, world.date()));
        let at = self.retry(Reason::Status(head.status), asked, world)?;
        // The connection worked, so a stale one later is a new event.
        self.resends = Resends::OneLeft;
        Some(at)
    }

    /// See [`Policy::retry_on_reused_connection`](crate::config::retry::Policy::retry_on_reused_connection).
    pub(super) fn repeats_on_reused_connection(&self) -> bool {
        self.retry.as_deref().is_some_and(|policy| policy.repeats_on_reused_connection())
    }

    /// Returns the time of the retry after this failure, or `None` if the failure is final.
    pub(super) fn retry_failure(
        &mut self,
        failure: &Failure,
        world: &impl Clock,
    ) -> Option<Instant> {
        let kind = failure.error.kind();
        let nobody_has_that_name =
            kind == Kind::Resolve && !self.request.url.host().is_resolvable();
        let policy = self.retry.as_deref()?;
        if nobody_has_that_name || !policy.repeats_failure(&failure.error, self.attempt(failure)) {
            return None;
        }
        let at = self.retry(Reason::Failure(kind), None, world)?;
        // The other idle connections may be broken too.
        self.resends = Resends::Used;
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
        let policy = self.retry.clone()?;
        if !policy.allows_more(self.retries) {
            return None;
        }
        let delay = policy.delay(self.retries + 1, asked, world.random())?;
        let at = self.budget.after(delay, world.now())?;
        let paid = self.config.retry.ledger().pay(&self.request.url, policy.retries_in_hand());
        if paid == Payment::Refused {
            self.payment = Payment::Refused;
            return None;
        }
        self.retries += 1;
        let (attempt, method, url) = (self.retries + 1, &self.request.method, &self.request.url);
        log::retried(url, reason, delay);
        policy.tell(Retry { attempt, method, url, reason, delay });
        self.rewind();
        Some(at)
    }
}

#[cfg(test)]
mod tests;
