//! A reusable timer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::tokio::time::{Instant, Sleep, sleep_until};

use crate::policy::deadline::{Expired, Wait};

/// A timer for consecutive waits.
///
/// Registering a timer with the runtime costs more than moving the bytes of a small read, so one
/// timer is reused: it is left at an earlier deadline, and moved to the current one only when it
/// fires.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    /// The deadline of the current wait, and the error after it.
    end: Option<(Instant, Expired)>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    /// Begins a wait, or continues one that was interrupted because its future was dropped.
    pub(super) fn set(&mut self, wait: Wait) {
        let end = wait.at_most.and_then(|limit| Instant::now().checked_add(limit));
        let end = end.map(|end| (end, wait.expired));
        self.end = end.map(|end| self.end.filter(|earlier| earlier.0 <= end.0).unwrap_or(end));
    }

    /// Ends the wait, after success or after the deadline.
    pub(super) fn clear(&mut self) {
        self.end = None;
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Expired> {
        let Some((end, expired)) = self.end else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(end)));
        if end < timer.deadline() {
            timer.as_mut().reset(end);
        }
        loop {
            ready!(timer.as_mut().poll(cx));
            if timer.deadline() >= end {
                return Poll::Ready(expired);
            }
            timer.as_mut().reset(end);
        }
    }
}
