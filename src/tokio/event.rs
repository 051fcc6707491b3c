//! A one-shot event that a task waits for.

use std::future::poll_fn;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ::tokio::time::timeout;

use crate::driver::system;

/// A flag that one task waits for.
#[derive(Debug, Default)]
pub struct Event(Mutex<Flag>);

#[derive(Debug, Default)]
struct Flag {
    is_set: bool,
    waiter: Option<Waker>,
}

impl Event {
    /// Polls the flag. Cloning, dropping and waking a waker runs foreign code, so none of it
    /// happens under the lock.
    fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        {
            let flag = self.lock();
            if flag.is_set {
                return Poll::Ready(());
            }
            if flag.waiter.as_ref().is_some_and(|waiter| waiter.will_wake(cx.waker())) {
                return Poll::Pending;
            }
        }
        let waiter = cx.waker().clone();
        let (old, poll) = {
            let mut flag = self.lock();
            match flag.is_set {
                true => (Some(waiter), Poll::Ready(())),
                false => (flag.waiter.replace(waiter), Poll::Pending),
            }
        };
        drop(old);
        poll
    }

    fn lock(&self) -> MutexGuard<'_, Flag> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl system::Event for Event {
    fn set(&self) {
        let waiter = {
            let mut flag = self.lock();
            flag.is_set = true;
            flag.waiter.take()
        };
        if let Some(waiter) = waiter {
            // Events are set where permits are released and connections closed, perhaps while a
            // panic unwinds. A panic of the waker is caught here after the panic hook has reported
            // it.
            drop(panic::catch_unwind(AssertUnwindSafe(|| waiter.wake())));
        }
    }

    async fn wait(&self, at_most: Option<Duration>) {
        let set = poll_fn(|cx| self.poll(cx));
        match at_most {
            Some(limit) => drop(timeout(limit, set).await),
            None => set.await,
        }
    }
}
