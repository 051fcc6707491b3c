//! The end of a wait.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ::tokio::time::{Instant, Sleep, sleep_until};

/// Tells when a wait is over.
///
/// To tell the runtime about each wait costs more than the wait's bytes, so one timer is used again
/// and again: it rings for an earlier wait now and then, and is set to the later one only then.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    /// When the wait that is under way has to be over.
    end: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    /// A wait begins; or one that was broken off, because its future was dropped, goes on.
    pub(super) fn set(&mut self, at_most: Option<Duration>) {
        let end = at_most.and_then(|limit| Instant::now().checked_add(limit));
        self.end = end.map(|end| self.end.map_or(end, |earlier| earlier.min(end)));
    }

    /// The wait was not in vain, or it was long enough.
    pub(super) fn clear(&mut self) {
        self.end = None;
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(end) = self.end else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(end)));
        if end < timer.deadline() {
            timer.as_mut().reset(end);
        }
        loop {
            ready!(timer.as_mut().poll(cx));
            if timer.deadline() >= end {
                return Poll::Ready(());
            }
            timer.as_mut().reset(end);
        }
    }
}
