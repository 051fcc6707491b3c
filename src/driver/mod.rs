//! The driver: carries out what the machines ask for, hop by hop, on pooled or new connections. It
//! is written once for all runtimes:
//!
//! ```text
//! send ──▶ checkout ──▶ connect               a connection: an idle one, or a new one
//!   │        │
//!   │        └── waits in the queue if the limit is reached
//!   ├────▶ connection ──▶ socket              sends the request and reads the head; the budget limits each wait
//!   └────▶ response_body                      the body; then the connection returns to the pool
//!            └─────▶ upgraded                 after a 101: the connection itself, which is not pooled
//! ```
//!
//! A [`Runtime`] supplies sockets, a clock and a way to wait. If it blocks, as
//! [`blocking`](crate::blocking) does, no future here is ever pending, and [`run`](runtime::run) is
//! a plain call.
//!
//! Read [`runtime`] and [`send()`] first, then follow the diagram.
//!
//! # One attempt
//!
//! The steps between the call's "send this hop" and its "here is a head", by file:
//!
//! | step | file | decided by |
//! | --- | --- | --- |
//! | an idle connection, a permit or a place in the queue | `checkout` | `pool/` |
//! | addresses, their order, the egress check | `connect` | `policy/happy_eyeballs.rs`, `policy/egress.rs` |
//! | the layers of the route | `connect`, at its end | `policy/route.rs`, `config/tls` |
//! | write, fill, read, wait | `connection` | `transport/pipe.rs`, `http1/exchange.rs` |
//! | how long each wait may take | `socket` | `policy/deadline.rs` |
//! | what a failure means | `failure`, then `call/outcome.rs` | `policy/retry.rs` |
//! | the body, and the end of the connection's use | `response_body` | `http1/close.rs`, `pool/` |
//! | the end of an idle connection, if a task is to see to it | `reaper` | `pool/` |
//!
//! The right column shows what this folder is for: it decides nothing that can be decided without
//! waiting. A rule about HTTP, a limit or a policy does not belong here, and a test of one needs no
//! driver.
//!
//! # Two kinds of runtime, one code
//!
//! The functions here are `async`, because that is the only form that both kinds can run. Under
//! `blocking` a read waits inside `poll`, so each future is ready at its first poll, and `run`
//! polls it once on the stack: no executor, no allocation, no thread. Under `tokio` the same future
//! is pending until the socket is ready. Alternatives that were not taken: a second copy of the
//! loop for threads drifts apart from the first, as bugs are fixed in one; a blocking API that
//! starts a runtime in the background, as reqwest's does, makes a program that needs one request
//! carry an executor.
//!
//! The price is two rules for the code of this folder:
//!
//! - A future may be dropped at each `await` (`tests/tokio/futures.rs`,
//!   `may_be_dropped_at_every_await`). State that must survive is in the connection, the budget or
//!   the body, never in a local variable; a permit, a place in the queue and a lease give
//!   themselves back in `Drop`.
//! - No lock is held over an `await`, a call of foreign code, or the close of a socket
//!   (`tests/callbacks.rs`, `tests/tokio/wakers.rs`).
//!
//! # What must always hold
//!
//! | | guarded by |
//! | --- | --- |
//! | no call outlives its deadline, whichever wait it is in | simulation; `tests/deadlines.rs`, `tests/hostile_time.rs` |
//! | a cancelled call ends soon in each phase | `tests/cancel.rs` |
//! | no connection, permit or waiter is lost, however a call ends | simulation, `tests/pool_limits.rs` (`a_permit_is_never_lost`) |
//! | a connection that is not known to be clean is not pooled | simulation; `tests/pool.rs`, `tests/hostile_connections.rs` |
//! | neither direction starves the other | `tests/duplex.rs`, `tests/tokio/pending_uploads.rs` |
//! | an answer that has arrived beats the error that followed it | `tests/dying_connections.rs`, `tests/duplex.rs` |
//!
//! # A GET on an idle connection, step by step
//!
//! The shortest path through this folder, on the blocking API. The three system calls are marked:
//!
//! ```text
//! attempt
//!   checkout::connection
//!     check_url               the egress policy, if there is one
//!     check_out               lock: expire; take the connection that was used last; give it buffers
//!     is_alive                peek: nothing to read, so the peer has not closed it           (1)
//!   Connection::send
//!     start                   the head is written into the exchange's output
//!     run
//!       Step::Write           Socket::write, within the write timeout                        (2)
//!       Step::Read            Socket::read, within the limit on the first byte               (3)
//!       Step::Head            the head is parsed, and usually the body has arrived with it
//!   heed_keep_alive           a `Keep-Alive` field shortens the life of the connection
//! Call::answered              Deliver
//! ResponseBody::collect
//!   Lease::read               copies the body out of the exchange's input
//!   Lease::trailers           the last byte was the last of the body: the lease ends
//! Lease::end                  nothing to drain; lock: give the buffers back, put the connection
//! ```
//!
//! # An upload that is refused
//!
//! A large body from a file, and a server that answers 413 after the first piece and then closes:
//!
//! ```text
//! Step::Fill      120 KiB of the file go into the output, behind the head
//! Step::Write     the peer takes it
//! Step::Fill      before the source is read again, the input is looked at: bytes are there
//!   read          HTTP/1.1 413 ...
//! Step::Head      the exchange abandons the rest of the request; the head is delivered
//! Call::answered  Deliver
//! Lease           the body of the 413 is read; the connection is closed: RequestIncomplete
//! ```
//!
//! Had the server closed with a reset, the next write would have failed. The failure is kept,
//! reading continues, and the 413 is still found in the socket.
//!
//! # The loop of `send`
//!
//! ```text
//!         ┌────────────────────── wait until the time of the next attempt ◀───────────┐
//!         ▼                                                                           │
//!      attempt ──▶ checkout::connection ──▶ Connection::send ──▶ a head ──▶ Call::answered ──▶ Deliver
//!                          │                       │                             └──▶ Again: skip the body
//!                          └──── failure ──────────┴──▶ Call::failed ──▶ an error, or the next attempt
//! ```
//!
//! The loop has no rules of its own. `call/outcome.rs` decides what follows from a head or a
//! failure; this file keeps the order: the connection of a response that is not delivered is
//! drained and pooled before the next attempt, which can then use it; the time of a wait counts
//! against the deadline; a cancellation during a wait is noticed by the next attempt, which fails
//! before it takes a connection.
//!
//! A redirect that is refused is not an error without a response: its head and its connection are
//! kept ([`Answer::refusal`]), so that the caller can read what the server said (`tests/ends.rs`,
//! `have_the_response_in_the_error`).
//!
//! # Attempts and hops
//!
//! A hop is one request of the call, to one URL; an attempt is one try of it on one connection:
//!
//! ```text
//! hop 1   attempt 1   a pooled connection, stale       failed  ─▶ Now
//!         attempt 2   a new connection, 302            answered ─▶ Again(Now), the body is skipped
//! hop 2   attempt 3   503, and the policy retries      answered ─▶ Again(At), waits
//!         attempt 4   200                              answered ─▶ Deliver
//! ```
//!
//! Each attempt begins with full limits for its connection and stages; the total timeout and the
//! cancel token belong to the call. Timings record each attempt.
//!
//! A connection that brought a failure is dropped when `attempt` returns, with the reason that the
//! failure gave it. If it was stale, [`learn`](checkout::learn) tells the pool that its peer closes
//! early.

#[cfg(any(feature = "tokio", feature = "runtime"))]
pub(crate) mod async_runtime;
mod checkout;
pub(crate) mod connect;
mod connection;
pub(crate) mod failure;
#[cfg(any(feature = "tokio", feature = "runtime"))]
mod pieces;
#[cfg(feature = "tokio")]
mod reaper;
mod response_body;
pub(crate) mod runtime;
mod socket;
mod upgraded;

use self::runtime::{Oneshot, Runtime};
use crate::base::buffer::ErasedBox;
#[cfg(feature = "sse")]
use crate::base::cancel::CancelToken;
use crate::call::trace::within;
use crate::call::{Call, Failure, Verdict, When};
use crate::error::{Error, Result};
use crate::http1::head::ResponseHead;
use crate::policy::deadline::{Budget, Stage};
use std::sync::Arc;
#[cfg(feature = "sse")]
use std::time::Duration;

pub(crate) use checkout::Shared;
pub(crate) use connection::Connection;
pub(crate) use response_body::Lease;
pub use response_body::ResponseBody;
pub(crate) use socket::Addresses;

/// The last response of a call.
pub(crate) struct Answer<F: Runtime> {
    pub(crate) head: Box<ResponseHead>,
    pub(crate) connection: ErasedBox<Connection<F>>,
    /// The reason why its redirect is not followed, if it is an error.
    pub(crate) refusal: Option<Error>,
}

/// Sends a call hop by hop and returns its final response.
pub(crate) async fn send<F: Runtime>(
    shared: &Arc<Shared<F>>,
    call: &mut Call<'_, F::Source>,
) -> Result<Answer<F>> {
    loop {
        let span = call.trace_attempt();
        let when = match within(&span, attempt(shared, call)).await {
            Ok((connection, head)) => {
                let when = match call.answered(&head, &shared.runtime) {
                    Ok(Verdict::Deliver) => return Ok(Answer { head, connection, refusal: None }),
                    Ok(Verdict::Again(when)) => when,
                    Err(error) => {
                        return Ok(Answer { head, connection, refusal: Some(error) });
                    }
                };
                let lease = Lease::new(connection, shared, call.budget.of_body(), None);
                lease.skip_body().await;
                when
            }
            Err(failure) => {
                call.budget.enter(Stage::Other, &|| shared.runtime.now()); // the failed stage is over
                call.failed(failure, &shared.runtime)?
            }
        };
        wait(&shared.runtime, &call.budget, when).await;
        call.next_hop(shared.runtime.now());
    }
}

/// Sends the current hop once. A connection that got no response is closed on return.
async fn attempt<F: Runtime>(
    shared: &Arc<Shared<F>>,
    call: &mut Call<'_, F::Source>,
) -> Result<(ErasedBox<Connection<F>>, Box<ResponseHead>), Failure> {
    call.begin_recording(&shared.runtime);
    let connection = checkout::connection(shared, call).await;
    let connection = connection.map_err(Failure::unconnected);
    let mut connection = connection.inspect_err(|failure| {
        call.record_failure(&failure.error);
        call.report.attempt_failed(&failure.error);
    })?;
    match connection.send(call).await {
        Ok(head) => {
            connection.heed_keep_alive(&head);
            let Addresses { remote, local } = **connection.addresses();
            call.record_head(&head, remote, local);
            call.report.attempt_answered(&head, remote);
            Ok((connection, head))
        }
        Err(failure) => {
            call.record_failure(&failure.error);
            call.report.attempt_failed(&failure.error);
            if failure.is_stale_connection() {
                checkout::learn(shared, &connection);
            }
            Err(failure)
        }
    }
}

/// Waits for that long, or until the token is canceled.
#[cfg(feature = "sse")]
pub(crate) async fn pause<F: Runtime>(runtime: &F, cancel: Option<CancelToken>, time: Duration) {
    let budget = Budget::unlimited(runtime.now()).until(cancel);
    let nothing = Arc::new(Oneshot::<(), F::Event>::default());
    nothing.wait(runtime, Some(time), &budget).await;
}

/// Waits for the time of the next attempt, or until the call is canceled, which the next attempt
/// notices.
async fn wait<F: Runtime>(runtime: &F, budget: &Budget, when: When) {
    if let When::At(at) = when {
        let left = at.saturating_duration_since(runtime.now());
        let nothing = Arc::new(Oneshot::<(), F::Event>::default());
        nothing.wait(runtime, Some(left), budget).await;
    }
}
