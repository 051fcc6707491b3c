//! Checks a connection out, and the state that all calls of a client share for it.
//!
//! ```text
//!                 an idle one that is alive ──────────────────────────────────▶ connection
//! connection() ─▶ a permit ──────────────────────────────────────▶ connect::open ──▲
//!                 a place in the queue ─▶ Grant: a permit ─────────────▲           │
//!                                         or a connection in use so far ───────────┘
//! ```
//!
//! A [`Permit`] is the right to have one more connection open. A connection keeps its permit until
//! it is closed, so the limit per host counts those that idle, too; without a limit permits are only
//! counted. Who releases a connection or a permit hands it to the first call in the queue of its
//! route.
//!
//! Invariant: the lock of [`Shared`] is held for a decision, never while foreign code
//! runs, a socket is closed or a waker is woken (`tests/callbacks.rs`, `tests/tokio/wakers.rs`); a
//! grant is never lost, however the call that waits for it ends (simulation: "nothing is left but
//! what idles"); a child of `fork` uses no connection, permit or place in the queue of its parent
//! (tests below).
//!
//! # Who waits for what
//!
//! ```text
//! no limit per host     permits are only counted, and no call ever waits here
//! limit reached         the call gets a ticket in the queue of its route, first in, first out
//! a response is read    its connection goes to the first waiter of the route, else to the pool
//! a connection closes   its permit goes to the first waiter of the route, else it is free
//! ```
//!
//! A connection that is handed over was clean a moment ago, but it is checked like an idle one: its
//! peer may have closed it meanwhile. If it is dead, the waiter keeps its permit and opens another,
//! so a dead connection costs no call its turn (`tests/pool_limits.rs`,
//! `a_waiter_keeps_its_turn_after_a_dead_connection`).
//!
//! # A grant is never lost
//!
//! A call can stop waiting in three ways: its time is over, it is cancelled, its future is dropped.
//! In each case a grant may be on its way, decided under the lock but not yet taken. Leaving the
//! queue tells which: if the ticket is still there, no grant was made; if not, [`QueuedCall::wait`]
//! takes the grant. A grant that is dropped unseen is a permit or a connection, whose `Drop` passes
//! it on.
//!
//! # After a fork
//!
//! Both processes have the same sockets. If the child used one, each process would read parts of
//! the other's responses. So the shared state knows its process: a call in the child that finds
//! another id starts with an empty pool, no permits and no queue. The id costs a system call, hence
//! the rule at [`SHORTEST_FORK`].
//!
//! # Alternatives, and what speaks against them
//!
//! - A thread or task that hands connections out: the embedding program would have it whether it
//!   wants one or not, and it does not survive a fork.
//! - A condition variable for all waiters: each release would wake all of them, in no order.
//!
//! # An example
//!
//! One connection per host is allowed, and three calls A, B and C begin in this order:
//!
//! ```text
//! A   hold ─▶ Permit                     connect, send
//! B   hold ─▶ Full, wait ─▶ ticket 0     waits
//! C   hold ─▶ Full, wait ─▶ ticket 1     waits
//! A   its response is read to the end    Lease::end: next ─▶ B, Grant::Connection
//! B   looks at the connection: dead      into_permit, and a new connection under the same permit
//! B   its response has no framing        the connection is closed; the permit is dropped:
//!                                        free ─▶ C, Grant::Permit
//! C   connects; its response ends        no call waits: the connection is pooled, and keeps the permit
//! ```
//!
//! If C had been cancelled while it waited, `leave` would have removed ticket 1, and the permit of
//! B would have been free.
//!
//! # Idle connections that are not used
//!
//! `check_out` takes a connection out of the pool and then may refuse it:
//!
//! | reason | because |
//! | --- | --- |
//! | `Expired`, `Aged`, `PeerLimit` | its time was over before this call |
//! | `Suspect` | another connection of this hop was stale, so this one may be, too |
//! | `Suspect` | it belongs to the parent process |
//! | `NotAlive` | its peer has closed it, or sent something |
//!
//! Each is closed with its reason and the next one is looked at, so a pool full of dead connections
//! is emptied by one call (`tests/dying_connections.rs`, `a_retry_uses_a_fresh_connection`).
//!
//! # What the lock protects
//!
//! | in [`Connections`] | read and changed by |
//! | --- | --- |
//! | `pool` | each checkout, each end of a lease |
//! | `shelf`, the free buffers | the same: a connection that wakes takes them, one that rests gives them |
//! | `permits`, with the queues | checkouts without an idle connection, and each close |
//! | `process` | compared at checkouts, changed after a fork |
//!
//! They are behind one lock because a decision needs several: no idle connection, so a permit; no
//! permit, so a place in the queue. With two locks a connection could become free between the
//! questions, and the call would wait although one idles.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::connect;
use super::connection::{Connection, close};
#[cfg(feature = "tokio")]
use super::runtime::Event;
use super::runtime::{Oneshot, Runtime};
use crate::base::buffer::{BufferPool, ErasedBox};
use crate::base::timings::Lap;
use crate::body::Source;
use crate::call::trace::within;
use crate::call::{Call, SharedState, log};
use crate::config::Config;
use crate::error::{Error, Phase, Result};
use crate::http1::close::CloseReason;
use crate::policy::deadline::{Expired, Operation};
use crate::policy::route::Route;
use crate::pool::permits::{Availability, Permits, RouteId, Ticket};
use crate::pool::{Closed, Pool};

/// Returns a connection to the call's current URL: the live idle one that was used last, or a new
/// one.
pub(super) async fn connection<F: Runtime>(
    shared: &Arc<Shared<F>>,
    call: &mut Call<'_, F::Source>,
) -> Result<ErasedBox<Connection<F>>> {
    connect::check_url(call)?;
    loop {
        // A call that is over must not use up an idle connection.
        let in_time = call.budget.check_time(|| shared.runtime.now());
        in_time.map_err(|expired| queue_error(call, expired))?;
        let permit = match check_out(shared, call) {
            Checkout::Idle(connection) => match check_alive(connection, call).await {
                Ok(connection) => return Ok(connection),
                Err(dead) => {
                    learn(shared, &dead);
                    dead.close(CloseReason::NotAlive);
                    continue;
                }
            },
            Checkout::Permit(permit) => Some(permit),
            Checkout::Queued(queued) => match queued.wait(call).await? {
                Grant::Permit(permit) => Some(permit),
                Grant::Connection(mut connection) => {
                    let outgoing = call.outgoing();
                    connection.wake(&mut shared.idle().shelf, outgoing, || Duration::ZERO);
                    match check_alive(connection, call).await {
                        Ok(connection) => return Ok(connection),
                        Err(dead) => {
                            learn(shared, &dead);
                            dead.into_permit() // the next connection reuses the permit
                        }
                    }
                }
            },
        };
        if let Some(permit) = permit {
            let span = call.trace_connect();
            let opened = within(&span, connect::open(&shared.runtime, call, permit)).await;
            span.connected(opened.as_ref().map(|connection| connection.addresses().remote));
            return opened;
        }
    }
}

enum Checkout<F: Runtime> {
    Idle(ErasedBox<Connection<F>>),
    Permit(Permit<F>),
    Queued(QueuedCall<F>),
}

/// A place in the queue. Dropping it leaves the queue.
///
/// Its `Drop` is what keeps the queue clean if the future of a call is dropped while it waits.
struct QueuedCall<F: Runtime> {
    shared: Arc<Shared<F>>,
    /// `None` once the grant was taken: then there is nothing to leave.
    ticket: Option<Ticket>,
    grants: Arc<Grants<F>>,
}

/// Handles a connection that was dead on reuse: if its peer closes each connection right after its
/// response, the route is not pooled for a while.
pub(super) fn learn<F: Runtime>(shared: &Shared<F>, dead: &Connection<F>) {
    if dead.was_closed_early() {
        shared.idle().pool.closed_early(&dead.route, shared.runtime.now());
    }
}

/// Returns the idle connection, or `Err` with it if it is dead.
async fn check_alive<F: Runtime>(
    mut connection: ErasedBox<Connection<F>>,
    call: &mut Call<'_, F::Source>,
) -> Result<ErasedBox<Connection<F>>, ErasedBox<Connection<F>>> {
    let looked_at = &mut *connection;
    if !looked_at.is_alive(&mut call.budget).await {
        return Err(connection);
    }
    log::reused(&looked_at.route);
    Ok(connection)
}

/// The lock is taken once. Everything that the decision removes from the pool is dropped after the
/// lock, because closing a connection writes to its socket and calls the logger.
fn check_out<F: Runtime>(shared: &Arc<Shared<F>>, call: &Call<'_, F::Source>) -> Checkout<F> {
    let now = call.budget.recent(|| shared.runtime.now());
    let mut idle = shared.idle();
    let mut closed = idle.pool.expire(now);
    let turn = loop {
        let taken = idle.pool.take(call.url(), call.proxy(), call.identity());
        let may_be_child = match &taken {
            Some((_, since)) => since.checked_add(SHORTEST_FORK).is_none_or(|fork| fork <= now),
            None => shared.config.pool.max_open_per_host.is_some(), // permits may be the parent's
        };
        if may_be_child && idle.process != shared.runtime.process() {
            let of_parent = begin_anew(&mut idle, shared);
            drop(idle);
            drop((taken, of_parent)); // outside the lock of the pool
            idle = shared.idle();
            continue;
        }
        match taken {
            // Another connection was stale, so this one may be. A response that was being read
            // during a fork is read by both processes.
            Some((connection, _)) if call.is_resent() || !connection.is_of(idle.process) => {
                closed.push(Closed { connection, reason: CloseReason::Suspect });
            }
            Some((mut connection, since)) => {
                let idled = || now.saturating_duration_since(since);
                connection.wake(&mut idle.shelf, call.outgoing(), idled);
                break Checkout::Idle(connection);
            }
            None => break place(&mut idle, shared, call),
        }
    };
    drop(idle);
    if !closed.is_empty() {
        close(closed); // outside the lock of the pool
    }
    turn
}

/// Shorter than any fork, which copies the page tables. The process id costs a system call, so it
/// is not read for a connection that became idle less than this ago: a program that sends one
/// request after another pays nothing, and any other program has spent more time already.
const SHORTEST_FORK: Duration = Duration::from_micros(10);

/// Clears the pool in a child of `fork`: the connections, permits and waiters belong to the parent.
/// If both processes wrote on one connection, each would get the other's responses.
#[cold]
fn begin_anew<F: Runtime>(
    idle: &mut Connections<F>,
    shared: &Shared<F>,
) -> (Vec<ErasedBox<Connection<F>>>, Permits<Waiter<F>>) {
    idle.process = shared.runtime.process();
    (idle.pool.clear(), idle.permits.replace())
}

/// Returns a permit for a new connection, or a place in the queue.
fn place<F: Runtime>(
    idle: &mut Connections<F>,
    shared: &Arc<Shared<F>>,
    call: &Call<'_, F::Source>,
) -> Checkout<F> {
    let leads_there = |route: &Route| route.leads_to(call.url(), call.proxy(), call.identity());
    match idle.permits.hold(leads_there, || call.route()) {
        Availability::Held(of) => Checkout::Permit(Permit::new(shared, of, idle.process)),
        Availability::Full(of) => {
            let grants = Arc::new(Grants::default());
            let ticket = idle.permits.wait(of, Waiter(Arc::clone(&grants)));
            let shared = Arc::clone(shared);
            Checkout::Queued(QueuedCall { shared, ticket: Some(ticket), grants })
        }
    }
}

impl<F: Runtime> QueuedCall<F> {
    /// Waits for a grant. The connect timeout does not run yet.
    async fn wait(mut self, call: &mut Call<'_, F::Source>) -> Result<Grant<F>> {
        let runtime = &self.shared.runtime;
        let expired = match call.budget.wait(Operation::Queue, || runtime.now()) {
            Err(expired) => expired,
            Ok(wait) => {
                let grant = self.grants.wait(runtime, wait.at_most, &call.budget).await;
                call.budget.lap(Lap::Queue, runtime.now());
                match grant {
                    Some(grant) => {
                        self.ticket = None;
                        return Ok(grant);
                    }
                    None => call.budget.over(wait.expired),
                }
            }
        };
        // If the queue has granted already, the grant is being handed over: take it, so that it is
        // not lost.
        // The lock of the pool decides between the two: either the ticket is removed here, or a grant was made.
        let grant = match self.leave() {
            None => self.grants.wait(runtime, None, &call.budget).await,
            Some(_) => None,
        };
        grant.ok_or_else(|| queue_error(call, expired))
    }

    /// Leaves the queue; returns `None` if it is too late, or if it has left already.
    fn leave(&self) -> Option<Waiter<F>> {
        let ticket = self.ticket?;
        self.shared.idle().permits.leave(ticket)
    }
}

impl<F: Runtime> Drop for QueuedCall<F> {
    fn drop(&mut self) {
        self.leave();
    }
}

fn queue_error<B: Source>(call: &Call<'_, B>, expired: Expired) -> Error {
    Error::new(expired.kind(), Phase::Queue).peer(call.route().authority()).cause(expired)
}

/// The state behind all clones of a client.
pub(crate) struct Shared<F: Runtime> {
    pub(crate) config: ErasedBox<Config>,
    pub(crate) runtime: F,
    pub(crate) calls: SharedState,
    idle: Mutex<Connections<F>>,
}

/// All that the lock of the pool protects: idle connections, free buffers, permits and their queues.
pub(crate) struct Connections<F: Runtime> {
    pub(crate) pool: Pool<ErasedBox<Connection<F>>>,
    pub(crate) shelf: BufferPool,
    pub(crate) permits: Permits<Waiter<F>>,
    /// The task that closes idle connections when they are due, while there is one.
    #[cfg(feature = "tokio")]
    pub(super) reaper: Option<ReaperTask<F::Event>>,
    /// The process that owns all of these.
    pub(crate) process: u32,
}

/// The pool's end of the task. Dropping it wakes the task, which ends if the client is gone.
#[cfg(feature = "tokio")]
#[derive(Debug)]
pub(super) struct ReaperTask<E: Event>(pub(super) Arc<E>);

#[cfg(feature = "tokio")]
impl<E: Event> Drop for ReaperTask<E> {
    fn drop(&mut self) {
        self.0.set();
    }
}

impl<F: Runtime> Shared<F> {
    pub(crate) fn new(config: ErasedBox<Config>, runtime: F) -> Self {
        let permits = Permits::new(config.pool.max_open_per_host);
        let process = runtime.process();
        let idle = Connections {
            pool: Pool::new(config.pool),
            shelf: BufferPool::default(),
            permits,
            #[cfg(feature = "tokio")]
            reaper: None,
            process,
        };
        Self { config, runtime, calls: SharedState::default(), idle: Mutex::new(idle) }
    }

    /// Locks the pool for a decision. The lock is never held over foreign code, so a panic
    /// elsewhere cannot leave the pool inconsistent.
    pub(crate) fn idle(&self) -> MutexGuard<'_, Connections<F>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: Runtime> fmt::Debug for Shared<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Outside the lock of the pool, because the formatter may use the client.
        let idle_connections = self.idle().pool.len();
        f.debug_struct("Client")
            .field("timeouts", &self.config.timeouts)
            .field("redirect", &self.config.redirect)
            .field("idle_connections", &idle_connections)
            .finish_non_exhaustive()
    }
}

/// The right to have one more connection open to a route. Dropping it passes it to the next waiter.
pub(crate) struct Permit<F: Runtime> {
    shared: Weak<Shared<F>>,
    /// The route, if the number of its connections is limited.
    of: Option<RouteId>,
    /// The process whose pool counts it.
    process: u32,
}

/// A grant from the queue.
pub(crate) enum Grant<F: Runtime> {
    /// A connection that another call has just released.
    Connection(ErasedBox<Connection<F>>),
    Permit(Permit<F>),
}

type Grants<F> = Oneshot<Grant<F>, <F as Runtime>::Event>;

/// The pool's end of a place in the queue.
pub(crate) struct Waiter<F: Runtime>(pub(super) Arc<Grants<F>>);

impl<F: Runtime> Waiter<F> {
    /// Hands the grant over. If the call is gone, the grant is dropped and passes to the next
    /// waiter.
    pub(super) fn grant(self, grant: Grant<F>) {
        self.0.put(grant);
    }
}

impl<F: Runtime> Permit<F> {
    /// Creates a permit that the pool has counted.
    pub(super) fn new(shared: &Arc<Shared<F>>, of: Option<RouteId>, process: u32) -> Self {
        Self { shared: Arc::downgrade(shared), of, process }
    }

    /// Returns the route under whose limit it is, for the pool of that process.
    pub(super) fn limited_route(&self, process: u32) -> Option<RouteId> {
        self.of.filter(|_| self.process == process)
    }

    pub(super) fn process(&self) -> u32 {
        self.process
    }
}

impl<F: Runtime> Drop for Permit<F> {
    fn drop(&mut self) {
        let Some(shared) = self.shared.upgrade() else { return };
        let next = {
            let mut idle = shared.idle();
            if idle.process != self.process {
                return; // counted by the parent process
            }
            idle.permits.free(self.of)
        };
        if let Some(next) = next {
            let (shared, process) = (Weak::clone(&self.shared), self.process);
            // The same permit for the next call: the count of the pool has not changed.
            let permit = Self { shared, of: self.of, process };
            next.grant(Grant::Permit(permit));
        }
    }
}

impl<F: Runtime> fmt::Debug for Permit<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permit").field(&self.of).finish()
    }
}

#[cfg(test)]
#[cfg(feature = "blocking")]
mod tests;
