//! The driver: carries out what the machines ask for, hop by hop, on pooled or new connections. It
//! is written once for all runtimes:
//!
//! ```text
//! send ──▶ checkout ──▶ connect               a connection: an idle one, or a new one
//!   │        │
//!   │        └── waits in the queue if the limit is reached
//!   ├────▶ connection ──▶ socket              sends the request and reads the head; the budget limits each wait
//!   └────▶ lease ──▶ response_body            the body; then the connection returns to the pool
//!            └─────▶ upgraded                 after a 101: the connection itself, which is not pooled
//! ```
//!
//! A [`Runtime`](runtime::Runtime) supplies sockets, a clock and a way to wait. If it blocks, as
//! [`blocking`](crate::blocking) does, no future here is ever pending, and [`run`](runtime::run) is
//! a plain call.
//!
//! Read [`runtime`] and [`send()`] first, then follow the diagram.

mod checkout;
pub(crate) mod connect;
mod connection;
pub(crate) mod failure;
mod response_body;
pub(crate) mod runtime;
mod socket;
mod upgraded;

use self::runtime::{Oneshot, Runtime};
use crate::base::buffer::ErasedBox;
use crate::call::{Call, Failure, Next, When};
use crate::error::{Error, Result};
use crate::http1::head::ResponseHead;
use crate::policy::deadline::{Budget, Stage};
use std::sync::Arc;

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
) -> Result<(ErasedBox<Connection<F>>, Box<ResponseHead>), Failure> {
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
