//! Something that happens once, and that a task waits for.

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ::tokio::time::timeout;

use crate::driver::system;

/// A flag that a task sleeps on.
#[derive(Debug, Default)]
pub struct Event(Mutex<Flag>);

#[derive(Debug, Default)]
struct Flag {
    is_set: bool,
    waiter: Option<Waker>,
}

impl Event {
    fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let mut flag = self.lock();
        if flag.is_set {
            return Poll::Ready(());
        }
        flag.waiter = Some(cx.waker().clone());
        Poll::Pending
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
            waiter.wake();
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
