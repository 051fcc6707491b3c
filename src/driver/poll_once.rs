//! Polls futures that have nothing to wait for.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Polls once; returns `None` if the future is pending.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

/// Returns the output of `future`, or `None` if `end` completes first.
pub(crate) async fn unless<T>(
    future: impl Future<Output = T>,
    end: impl Future<Output = ()>,
) -> Option<T> {
    let (mut future, mut end) = (pin!(future), pin!(end));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => end.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// Runs a future to completion where the runtime's operations block, so that the first poll is the
/// last.
#[cfg(any(feature = "blocking", test, fuzzing))]
#[inline]
pub(crate) fn run<T, F: Future<Output = T>>(make: impl FnOnce() -> F) -> T {
    // Created in place, because it is large and would be copied.
    let mut future = pin!(make());
    loop {
        if let Some(done) = ready(future.as_mut()) {
            return done;
        }
    }
}
