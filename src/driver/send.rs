//! Sending a request: hop by hop, until there is a response to deliver.

use super::lease::Lease;
use super::reader::Reader;
use super::system::System;
use super::turn;
use crate::call::{Call, Next};
use crate::client::Client;
use crate::error::Result;
use crate::front::Front;
use crate::proto::head::ResponseHead;
use crate::request::Request;
use crate::response::{Head, Response};

impl<F: Front> Client<F> {
    /// Sends a request and waits for the head of its response.
    pub(crate) async fn send(&self, request: Box<Request<F>>) -> Result<Response<Reader<F>>> {
        let shared = self.shared();
        let mut call = Call::new(&shared.config, request, shared.system.now())?;
        loop {
            let connection = turn::connection(shared, &mut call).await;
            let mut connection = connection.map_err(|error| error.for_url(call.url()))?;
            let head = match connection.send(&mut call).await {
                Ok(head) => head,
                Err(failure) => {
                    call.failed(failure)?;
                    continue;
                }
            };
            let next = call.answered(&head);
            let lease = Lease::new(connection, shared, call.budget.clone());
            match next? {
                Next::Again => lease.skip_body().await,
                Next::Deliver => return deliver(call, *head, lease),
            }
        }
    }
}

fn deliver<F: Front>(
    call: Call<'_, F>,
    head: ResponseHead,
    mut lease: Lease<F>,
) -> Result<Response<Reader<F>>> {
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
