//! Ending a call from another thread.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Ends calls from another thread, at once and in every phase.
///
/// Give a clone to [`RequestBuilder::cancel_token`](crate::request::RequestBuilder::cancel_token)
/// and keep the other. After [`cancel`](Self::cancel) the call fails with
/// [`Kind::Cancelled`](crate::error::Kind::Cancelled) wherever it is: in the queue for a connection,
/// looking up, connecting, in a handshake, sending, waiting, reading the body or before a retry. Its
/// connection is closed. What had come by then may still be read. What cannot be interrupted is a reader of yours that gives the request's
/// body, and a look-up that the system does on a thread of its own, which is left behind.
///
/// One token may belong to many calls; cancelled once, it stays so, and ends those that begin later
/// at their start.
///
/// ```
/// use leanhttp::{CancelToken, Client};
///
/// let token = CancelToken::new();
/// let request = Client::new().get("http://192.0.2.1/").cancel_token(&token);
/// token.cancel(); // from wherever
/// assert!(request.send().unwrap_err().is_cancelled());
/// ```
#[derive(Clone, Default)]
pub struct CancelToken(Arc<State>);

#[derive(Default)]
struct State {
    is_cancelled: AtomicBool,
    hooks: Mutex<Hooks>,
}

/// What is to be done.
type Hook = Box<dyn Fn() + Send>;

#[derive(Default)]
struct Hooks {
    slots: Vec<Option<Hook>>,
    /// Which of them are empty.
    free: Vec<usize>,
}

impl CancelToken {
    /// A token that is not cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the calls that have this token.
    pub fn cancel(&self) {
        self.0.is_cancelled.store(true, Ordering::SeqCst);
        for hook in self.0.hooks().slots.iter().flatten() {
            hook();
        }
    }

    /// Whether it was.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled.load(Ordering::SeqCst)
    }

    /// Has something done when the token is cancelled, or now if it is: to wake up what waits. It
    /// must be quick and must not use the token.
    pub(crate) fn on_cancel(&self, hook: Hook) -> Watch {
        let mut hooks = self.0.hooks();
        if self.is_cancelled() {
            hook();
        }
        Watch { token: self.clone(), slot: hooks.put(hook) }
    }
}

/// As long as this lives, the token does what it was asked to do. When it is gone that is over and
/// not under way.
#[derive(Debug)]
pub(crate) struct Watch {
    token: CancelToken,
    slot: usize,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.token.0.hooks().take(self.slot);
    }
}

impl Hooks {
    fn put(&mut self, hook: Hook) -> usize {
        let slot = self.free.pop().unwrap_or(self.slots.len());
        match self.slots.get_mut(slot) {
            Some(empty) => *empty = Some(hook),
            None => self.slots.push(Some(hook)),
        }
        slot
    }

    fn take(&mut self, slot: usize) -> Option<Hook> {
        self.free.push(slot);
        self.slots.get_mut(slot)?.take()
    }
}

impl State {
    fn hooks(&self) -> MutexGuard<'_, Hooks> {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken").field("is_cancelled", &self.is_cancelled()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[test]
    fn hooks_run_once_each_and_only_while_they_are_watched() {
        let token = CancelToken::new();
        let count = Arc::new(AtomicUsize::new(0));
        let hook = || -> Hook {
            let count = Arc::clone(&count);
            Box::new(move || {
                count.fetch_add(1, Ordering::SeqCst);
            })
        };
        let first = token.on_cancel(hook());
        drop(token.on_cancel(hook()));
        let other = token.clone();
        std::thread::spawn(move || other.cancel()).join().unwrap();
        assert_eq!(count.load(Ordering::SeqCst), 1, "the dropped one is forgotten");
        drop(first);
        let late = token.on_cancel(hook());
        assert_eq!(count.load(Ordering::SeqCst), 2, "it was cancelled already");
        drop(late);
        assert!(token.is_cancelled() && token.0.hooks().slots.iter().all(Option::is_none));
        assert_eq!(format!("{token:?}"), "CancelToken { is_cancelled: true }");
    }

    /// One token may belong to any number of calls, one after the other.
    #[test]
    fn slots_are_used_again() {
        let token = CancelToken::new();
        let mut watches: Vec<_> = (0..3).map(|_| token.on_cancel(Box::new(|| ()))).collect();
        for _ in 0..100 {
            drop(watches.remove(1));
            watches.push(token.on_cancel(Box::new(|| ())));
        }
        let slots: std::collections::BTreeSet<_> = watches.iter().map(|watch| watch.slot).collect();
        assert_eq!((slots.len(), token.0.hooks().slots.len()), (3, 3), "each has its own");
    }
}
