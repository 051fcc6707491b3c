//! The end of a wait.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::tokio::time::{Instant, Sleep, sleep_until};

use crate::policy::deadline::budget::{Expired, Wait};

/// Tells when a wait is over.
///
/// To tell the runtime about each wait costs more than the wait's bytes, so one timer is used again
/// and again: it rings for an earlier wait now and then, and is set to the later one only then.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    /// When the wait that is under way has to be over, and what is told then.
    end: Option<(Instant, Expired)>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    /// A wait begins; or one that was broken off, because its future was dropped, goes on.
    pub(super) fn set(&mut self, wait: Wait) {
        let end = wait.at_most.and_then(|limit| Instant::now().checked_add(limit));
        let end = end.map(|end| (end, wait.expired));
        self.end = end.map(|end| self.end.filter(|earlier| earlier.0 <= end.0).unwrap_or(end));
    }

    /// The wait was not in vain, or it was long enough.
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
