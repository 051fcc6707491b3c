//! Sending a request: hop by hop, each on a connection from the pool or on a fresh one.

use std::time::Instant;

use super::lease::Lease;
use super::{Blocking, Client, Reader, Request, RequestBuilder, Response, turn};
use crate::call::{Call, Next};
use crate::error::Result;
use crate::proto::head::ResponseHead;
use crate::response::Head;

impl Client {
    /// Sends a request and waits for the head of its response.
    ///
    /// # Errors
    ///
    /// As [`RequestBuilder::send`].
    pub fn execute(&self, request: Request) -> Result<Response> {
        let shared = self.shared();
        let mut call = Call::new(&shared.config, request, Instant::now())?;
        loop {
            let connection = turn::connection(shared, &mut call);
            let mut connection = connection.map_err(|error| error.for_url(call.url()))?;
            let head = match connection.send(&mut call) {
                Ok(head) => head,
                Err(failure) => {
                    call.failed(failure)?;
                    continue;
                }
            };
            let next = call.answered(&head);
            let lease = Lease::new(connection, shared, call.budget.clone());
            match next? {
                Next::Again => lease.skip_body(),
                Next::Deliver => return deliver(call, *head, lease),
            }
        }
    }
}

impl RequestBuilder {
    /// Sends the request and waits for the head of its response; the body is read as it comes.
    ///
    /// ```no_run
    /// let response = leanhttp::Client::new().get("https://example.org/").send()?;
    /// println!("{} {:?}", response.status(), response.headers());
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the request is invalid, no connection can be made, a deadline passes, the answer is not
    /// HTTP/1.1, or a redirect cannot be followed. A status of 400 or more is no error; see
    /// [`error_for_status`](crate::response::Response::error_for_status).
    pub fn send(self) -> Result<Response> {
        let (client, request) = self.build_split();
        client.execute(request?)
    }
}

fn deliver(call: Call<'_, Blocking>, head: ResponseHead, mut lease: Lease) -> Result<Response> {
    let decoder = match lease.body_left() {
        Some(0) => None,
        _ => call.decoder(&head)?,
    };
    let extension = call.config().tls.extension();
    let mut head = Head::new(head, call.into_url(), lease.peer());
    head.describe_tls(lease.tls_info(), extension);
    if decoder.is_some() {
        head.forget_coding();
    }
    Ok(Response { head, body: Reader::new(lease, decoder) })
}
