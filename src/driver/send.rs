//! Sending a request: hop by hop, until there is a response to deliver.

use std::sync::Arc;

use http::StatusCode;

use super::Reader;
use super::connection::Connection;
use super::lease::Lease;
use super::system::{Desk, System};
use crate::base::erased_box::Apart;
use crate::call::{Call, Failure, Next, When};
use crate::client::request::Request;
use crate::client::response::{Head, Response};
use crate::client::{Client, Shared};
use crate::driver::checkout;
use crate::driver::runtime::Front;
use crate::error::{Error, Result};
use crate::http1::head::ResponseHead;
use crate::policy::deadline::budget::{Budget, Stage};

impl<F: Front> Client<F> {
    /// Sends a request and waits for the head of its response.
    pub(crate) async fn send(&self, request: Box<Request<F>>) -> Result<Response<Reader<F>>> {
        let shared = self.shared();
        let mut call = Call::new(&shared.config, request, shared.system.now());
        call.begin()?;
        match hops(shared, &mut call).await {
            Ok(Answer { head, connection, refusal }) => {
                let status = head.status;
                let response = deliver(shared, call, head, connection);
                match refusal {
                    None => response,
                    Some(error) => Err(refuse(error.about(status), response)),
                }
            }
            Err(error) => Err(error.timed(call.budget.into_timings())),
        }
    }
}

/// The last response of a call.
struct Answer<F: Front> {
    head: Box<ResponseHead>,
    connection: Apart<Connection<F>>,
    /// Why the call does not go where it leads.
    refusal: Option<Error>,
}

/// Hop by hop, to the head of the response that is the call's.
async fn hops<F: Front>(shared: &Arc<Shared<F>>, call: &mut Call<'_, F>) -> Result<Answer<F>> {
    loop {
        let when = match attempt(shared, call).await {
            Ok((connection, head)) => {
                let when = match call.answered(&head, &shared.system) {
                    Ok(Next::Deliver) => return Ok(Answer { head, connection, refusal: None }),
                    Ok(Next::Again(when)) => when,
                    Err(error) => {
                        return Ok(Answer { head, connection, refusal: Some(error) });
                    }
                };
                let lease = Lease::new(connection, shared, call.budget.of_body());
                lease.skip_body().await;
                when
            }
            Err(failure) => {
                call.budget.enter(Stage::Other, || shared.system.now()); // what failed is over
                call.failed(failure, &shared.system)?
            }
        };
        wait(&shared.system, &call.budget, when).await;
        call.budget.next_hop(shared.system.now());
    }
}

/// Sends the current hop once. A connection that brought no answer is closed by then.
async fn attempt<F: Front>(
    shared: &Arc<Shared<F>>,
    call: &mut Call<'_, F>,
) -> Result<(Apart<Connection<F>>, Box<ResponseHead>), Failure> {
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

/// Waits until it is time, or until the call is not wanted any more, which the next attempt finds out.
async fn wait<S: System>(system: &S, budget: &Budget, when: When) {
    if let When::At(at) = when {
        let left = at.saturating_duration_since(system.now());
        let nothing = Arc::new(Desk::<(), S::Event>::default());
        nothing.wait(Some(left), budget).await;
    }
}

/// The error of a redirect that is not followed, with the response that it came in: status, fields and
/// body, if that can be read at all.
#[cold]
fn refuse<F: Front>(error: Error, response: Result<Response<Reader<F>>>) -> Error {
    let Ok(response) = response else { return error };
    let timings = response.head.timings.clone();
    error.timed(timings).keeping(Box::new(response))
}

fn deliver<F: Front>(
    shared: &Arc<Shared<F>>,
    mut call: Call<'_, F>,
    head: Box<ResponseHead>,
    mut connection: Apart<Connection<F>>,
) -> Result<Response<Reader<F>>> {
    let open = &mut *connection;
    let (addresses, tls) = (Arc::clone(open.addresses()), open.tls_info());
    let is_empty = open.body_left() == Some(0);
    let request = open.is_sending().then(|| call.take_body());
    let decoder = if is_empty { Ok(None) } else { call.decoder(&head) };
    let extension = call.config().tls.extension();
    let (url, budget, timings) = call.into_parts();
    let lease = Lease::new(connection, shared, budget);
    let decoder = decoder?;
    let mut head = Head::new(head, url, Some(addresses));
    head.timings = timings;
    head.describe_tls(tls, extension);
    if decoder.is_some() {
        head.forget_coding();
    }
    let mut body = Reader::new(lease, request, decoder);
    if is_empty && head.received.status != StatusCode::SWITCHING_PROTOCOLS {
        body.end(); // nobody reads what is not there
    }
    Ok(Response { head, body })
}
