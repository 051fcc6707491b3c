//! Sends a request: hop by hop, until there is a response to deliver.
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
//! `keep_their_response`).
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

use std::sync::Arc;

use super::checkout::{self, Shared};
use super::connection::Connection;
use super::lease::Lease;
use super::runtime::{Oneshot, Runtime};
use crate::call::{Call, Failure, Next, When};
use crate::error::{Error, Result};
use crate::http1::head::ResponseHead;
use crate::policy::deadline::{Budget, Stage};

/// The last response of a call.
pub(crate) struct Answer<F: Runtime> {
    pub(crate) head: Box<ResponseHead>,
    pub(crate) connection: Box<Connection<F>>,
    /// The reason why its redirect is not followed, if it is an error.
    pub(crate) refusal: Option<Error>,
}

/// Sends a call hop by hop and returns its final response.
pub(crate) async fn send<F: Runtime>(
    shared: &Arc<Shared<F>>,
    call: &mut Call<'_, F::Source>,
) -> Result<Answer<F>> {
    loop {
        let when = match attempt(shared, call).await {
            Ok((connection, head)) => {
                let when = match call.answered(&head, &shared.runtime) {
                    Ok(Next::Deliver) => return Ok(Answer { head, connection, refusal: None }),
                    Ok(Next::Again(when)) => when,
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
        call.budget.next_hop(shared.runtime.now());
    }
}

/// Sends the current hop once. A connection that got no response is closed on return.
async fn attempt<F: Runtime>(
    shared: &Arc<Shared<F>>,
    call: &mut Call<'_, F::Source>,
) -> Result<(Box<Connection<F>>, Box<ResponseHead>), Failure> {
    let connection = checkout::connection(shared, call).await;
    let mut connection = connection.map_err(Failure::unconnected)?;
    match connection.send(call).await {
        Ok(head) => {
            connection.heed_keep_alive(&head);
            Ok((connection, head))
        }
        Err(failure) => {
            if failure.is_stale_connection() {
                checkout::learn(shared, &connection);
            }
            Err(failure)
        }
    }
}

/// Waits for the time of the next attempt, or until the call is canceled, which the next attempt
/// notices.
async fn wait<F: Runtime>(runtime: &F, budget: &Budget, when: When) {
    if let When::At(at) = when {
        let left = at.saturating_duration_since(runtime.now());
        let nothing = Arc::new(Oneshot::<(), F::Event>::default());
        nothing.wait(Some(left), budget).await;
    }
}
