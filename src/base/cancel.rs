//! Cancels a call from another thread.
//!
//! A token is a flag and a list of hooks. A call registers a hook for each wait and removes it
//! afterwards, so the list holds what is waiting now; the flag is for calls that begin later and
//! for checks between waits.
//!
//! | hook | for | runs |
//! | --- | --- | --- |
//! | `Interrupt` | a read or write that blocks in the system | under the lock: never after its `Watch` is gone |
//! | `Wake` | a task, or a thread that waits for an event | without the lock: it may do anything |
//!
//! The lock matters for `Interrupt`: it shuts a socket down, and a socket that was given back to
//! the pool in the meantime must not be hit. Slots of removed hooks are used again, so a token that
//! serves a million calls does not grow (`slots_are_used_again`).

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Cancels calls from another thread, immediately and in every phase.
///
/// Give a clone to [`RequestBuilder::cancel_token`](crate::client::request::RequestBuilder::cancel_token)
/// and keep the other. After [`cancel`](Self::cancel) the call fails with
/// [`Kind::Cancelled`](crate::error::Kind::Cancelled) in any phase: in the queue for a connection,
/// during the name lookup, connecting, the handshake, sending, waiting, reading the body or the delay
/// before a retry. Its connection is closed. Bytes that were received before can still be read.
/// Two things cannot be interrupted: a reader of yours that supplies the request body, and a name
/// lookup that the system runs on a thread of its own, which is abandoned.
///
/// One token may belong to many calls. It stays cancelled, so a call that begins later fails
/// immediately.
///
/// ```
/// use leanhttp::{CancelToken, Client};
///
/// let token = CancelToken::new();
/// let request = Client::new().get("http://192.0.2.1/").cancel_token(&token);
/// token.cancel(); // usually from another thread
/// assert!(request.send().unwrap_err().is_cancelled());
/// ```
#[derive(Clone, Default)]
pub struct CancelToken(Arc<CancelState>);

#[derive(Default)]
struct CancelState {
    is_cancelled: AtomicBool,
    hooks: Mutex<Hooks>,
}

/// An action that runs when a token is cancelled.
pub(crate) enum Hook {
    /// Interrupts a system operation of the call. It calls no foreign code, so it runs under the lock:
    /// once its [`Watch`] is dropped, it is not running and never runs again.
    Interrupt(Box<dyn Fn() + Send>),
    /// Wakes a waiting task. A waker may do anything, so it runs without the lock, and may still run
    /// after its [`Watch`] is dropped.
    Wake(Arc<dyn Fn() + Send + Sync>),
}

#[derive(Default)]
struct Hooks {
    slots: Vec<Option<Hook>>,
    /// The indexes of the empty slots.
    free: Vec<usize>,
}

impl CancelToken {
    /// Creates a token that is not cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels the calls that have this token.
    ///
    /// No lock is held while the wakers of waiting tasks are called: they may drop the future of a
    /// call, or cancel again.
    pub fn cancel(&self) {
        self.0.is_cancelled.store(true, Ordering::SeqCst);
        let wakes: Vec<_> = self.0.hooks().slots.iter().flatten().filter_map(Hook::run).collect();
        wakes.iter().for_each(|wake| wake());
    }

    /// Returns whether [`cancel`](Self::cancel) was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled.load(Ordering::SeqCst)
    }

    /// Registers `hook` to run when the token is cancelled, or runs it now if it already is.
    pub(crate) fn on_cancel(&self, hook: Hook) -> Watch {
        let (slot, wake) = {
            let mut hooks = self.0.hooks();
            let wake = if self.is_cancelled() { hook.run() } else { None };
            (hooks.put(hook), wake)
        };
        let watch = Watch { token: self.clone(), slot };
        if let Some(wake) = wake {
            wake();
        }
        watch
    }
}

impl Hook {
    /// Runs an interrupt, which is allowed under the lock; returns a wake, which is not.
    fn run(&self) -> Option<Arc<dyn Fn() + Send + Sync>> {
        match self {
            Self::Interrupt(interrupt) => {
                interrupt();
                None
            }
            Self::Wake(wake) => Some(Arc::clone(wake)),
        }
    }
}

/// Keeps a hook registered; dropping it removes the hook.
#[derive(Debug)]
pub(crate) struct Watch {
    token: CancelToken,
    slot: usize,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let hook = self.token.0.hooks().take(self.slot);
        drop(hook); // outside the lock: it may own the last reference to a waker
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

impl CancelState {
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
mod tests;
