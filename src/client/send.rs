//! Sends a request and makes its response.

use std::sync::Arc;

use http::StatusCode;

use super::Client;
use super::response::{Head, Response};
use crate::call::{Call, RequestParts};
use crate::driver::runtime::Runtime;
use crate::driver::{self, Answer, Connection, Lease, ResponseBody, Shared};
use crate::error::{Error, Result};
use crate::http1::head::ResponseHead;

impl<F: Runtime> Client<F> {
    /// Sends a request and waits for the head of its response.
    pub(crate) async fn send(
        &self,
        request: Box<RequestParts<F::Source>>,
    ) -> Result<Response<ResponseBody<F>>> {
        let shared = self.shared();
        let mut call = Call::new(&shared.config, &shared.calls, request, shared.runtime.now());
        call.begin()?;
        match driver::send(shared, &mut call).await {
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

/// Returns the error for a redirect that is not followed. It contains the response: status, fields,
/// and the body if it can be decoded.
#[cold]
fn refuse<F: Runtime>(error: Error, response: Result<Response<ResponseBody<F>>>) -> Error {
    let Ok(response) = response else { return error };
    let timings = response.head.timings.clone();
    error.timed(timings).keeping(Box::new(response))
}

fn deliver<F: Runtime>(
    shared: &Arc<Shared<F>>,
    mut call: Call<'_, F::Source>,
    head: Box<ResponseHead>,
    mut connection: Box<Connection<F>>,
) -> Result<Response<ResponseBody<F>>> {
    let open = &mut *connection;
    let (addresses, tls) = (Arc::clone(open.addresses()), open.tls_info());
    let is_empty = open.body_left() == Some(0);
    let request = open.is_sending().then(|| call.take_body());
    let decoder = if is_empty { Ok(None) } else { call.decoder(&head) };
    let adds_info = call.config().tls.adds_info();
    let (url, budget, timings) = call.into_parts();
    let lease = Lease::new(connection, shared, budget, request);
    let decoder = decoder?;
    let mut head = Head::new(head, url, Some(addresses));
    head.timings = timings;
    head.describe_tls(tls, adds_info);
    if decoder.is_some() {
        head.forget_coding();
    }
    let mut body = ResponseBody::new(lease, decoder);
    if is_empty && head.received.status != StatusCode::SWITCHING_PROTOCOLS {
        body.end(); // the caller need not read an empty body
    }
    Ok(Response { head, body })
}
