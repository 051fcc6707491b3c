//! The reaper: a task that closes idle connections when they are due, for clients that ask for it.
//!
//! Without it the next call closes them, which is enough unless the client may not be used again for long: the
//! sockets stay open, and the peer holds its end.
//!
//! ```text
//!                   a connection that expires first
//! Lease::end ──▶ pool ──▶ call ──▶ no task: spawn it       run ──▶ close what is due
//!                              └─▶ a task: wake it          ▲        │ nothing idle: the task ends
//!                                                           └────────┘ sleep until the next is due
//! ```
//!
//! The task sleeps until the moment that the pool names, and holds only a [`Weak`] of the client's state: the
//! client may be dropped, which ends the task. There is one at a time, in the runtime in which it was started; if
//! that runtime ends first, the next connection that becomes idle starts another one, where it is. A child of `fork`
//! without that runtime has none; there the next call closes what is due, as without a reaper.
//!
//! [`Connections::reaper`](super::checkout::Connections) is set exactly as long as the task exists, and the pool
//! knows when it wakes ([`Pool::needs_reaper`](crate::pool::Pool::needs_reaper)): both change under the lock of
//! the pool, so no connection is overlooked that is put while the task ends.
//!
//! `tests/tokio/reaper.rs` guards all of this.

use std::mem;
use std::sync::{Arc, Weak};

use super::checkout::{ReaperTask, Shared};
use super::connection::close;
use super::runtime::{Event, Runtime};

/// Wakes the reaper of a client, or starts it.
#[cold]
pub(super) fn call<F: Runtime>(shared: &Arc<Shared<F>>) {
    let mut idle = shared.idle();
    if let Some(task) = &idle.reaper {
        let woken = Arc::clone(&task.0);
        drop(idle);
        return woken.set(); // outside the lock of the pool
    }
    idle.reaper = Some(ReaperTask(Arc::default()));
    drop(idle);
    let reaper = Reaper(Arc::downgrade(shared));
    shared.runtime.spawn(reaper.run());
}

/// The task. Dropping it before its end, as a runtime does that ends, makes room for another one.
struct Reaper<F: Runtime>(Weak<Shared<F>>);

impl<F: Runtime> Reaper<F> {
    async fn run(mut self) {
        while let Some(shared) = self.0.upgrade() {
            let now = shared.runtime.now();
            let woken = Arc::new(F::Event::default());
            let (closed, next, earlier) = {
                let mut idle = shared.idle();
                let (closed, next) = idle.pool.reap(now);
                let task = next.map(|_| ReaperTask(Arc::clone(&woken)));
                (closed, next, mem::replace(&mut idle.reaper, task))
            };
            drop(earlier);
            close(closed); // outside the lock of the pool
            let Some(next) = next else {
                self.0 = Weak::new(); // the pool knows already
                return;
            };
            let runtime = shared.runtime.clone();
            drop(shared); // the client may be dropped while this waits
            runtime.wait_for(&woken, Some(next.saturating_duration_since(now))).await;
        }
    }
}

impl<F: Runtime> Drop for Reaper<F> {
    fn drop(&mut self) {
        let Some(shared) = self.0.upgrade() else { return };
        let task = {
            let mut idle = shared.idle();
            idle.pool.reaper_is_gone();
            idle.reaper.take()
        };
        drop(task); // outside the lock of the pool
    }
}
