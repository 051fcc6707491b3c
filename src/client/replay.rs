//! Calls that are answered from a HAR file: [`Replay`] and [`Cassette`] as middleware.
//!
//! A call is played with the machine that decides over the network too (`call/`): it judges each recorded head, so
//! that redirects, cookies, challenges and retries are what they would be. Nothing is sent, and nothing waits.

use bytes::Bytes;

use crate::body::Body;
use crate::call::{Call, RequestParts, Verdict};
use crate::client::middleware::{Handling, Middleware, Next};
use crate::client::request::Request;
use crate::client::response::{Head, History, Response};
use crate::client::{Client, ResponseBody};
use crate::driver::runtime::Runtime;
use crate::error::{Error, Result};
use crate::extra::har::{Cassette, CassetteMode, Replay, Replayed, Wanted};
use crate::http1::head::ResponseHead;

impl<F: Runtime> Middleware<F> for Replay {
    fn handle<'a>(&'a self, request: Request<F>, next: Next<F>) -> Handling<'a, F> {
        Box::pin(async move {
            if self.is_strict() {
                return play(self, next.client(), request.parts)?.map_err(|Miss(error)| error);
            }
            let body = request.parts.body.as_ref().map_or(Some(&[][..]), Body::as_bytes);
            let (method, url) = (&request.parts.method, &request.parts.url);
            let again = request.try_clone();
            if !self.has(Wanted { method, url, body }) {
                return next.run(request).await;
            }
            match play(self, next.client(), request.parts)? {
                Ok(response) => Ok(response),
                // A redirect leads to what is not recorded: the network has the whole call.
                Err(Miss(error)) => match again {
                    Some(again) => next.run(again).await,
                    None => Err(error),
                },
            }
        })
    }
}

impl<F: Runtime> Middleware<F> for Cassette {
    fn handle<'a>(&'a self, request: Request<F>, next: Next<F>) -> Handling<'a, F> {
        match self.mode() {
            CassetteMode::Record(_) => Box::pin(async move { next.run(request).await }),
            CassetteMode::Replay(replay) => replay.handle(request, next),
        }
    }
}

/// A request of a call is not recorded.
struct Miss(Error);

/// Plays a call to its end.
fn play<F: Runtime>(
    replay: &Replay,
    client: &Client<F>,
    request: Box<RequestParts<F::Source>>,
) -> Result<Result<Response<ResponseBody<F>>, Miss>> {
    let shared = client.shared();
    let mut call = Call::new(&shared.config, &shared.calls, request, shared.runtime.now());
    call.begin()?;
    let mut taken = Vec::new();
    loop {
        let wanted = Wanted { method: call.method(), url: call.url(), body: call.body_bytes() };
        let Replayed { position, head, body } = match replay.take(wanted) {
            Ok(replayed) => replayed,
            Err(why) => {
                if !replay.is_strict() {
                    replay.put_back(&taken);
                }
                let error = Error::replay(why).after_sending(Some(call.sent()));
                return Ok(Err(Miss(error)));
            }
        };
        taken.push(position);
        let refusal = match call.answered(&head, &shared.runtime) {
            Ok(Verdict::Again(_)) => {
                call.next_hop(shared.runtime.now());
                continue;
            }
            Ok(Verdict::Deliver) => None,
            Err(error) => Some(error.about(head.status)),
        };
        // A body that is not recorded is an error, but for a redirect that is refused: nobody asked for it.
        let body = match (body, &refusal) {
            (Ok(body), _) => body,
            (Err(_), Some(_)) => Bytes::new(),
            (Err(why), None) => return Err(Error::replay(why).after_sending(Some(call.sent()))),
        };
        let response = made(call, head, body);
        return match refusal {
            None => Ok(Ok(response)),
            Some(error) => Err(response.head.about(error).keeping(Box::new(response))),
        };
    }
}

/// Makes the response of a call.
fn made<F: Runtime>(
    mut call: Call<'_, F::Source>,
    head: Box<ResponseHead>,
    body: Bytes,
) -> Response<ResponseBody<F>> {
    let (sent, history) = (call.sent(), call.take_history());
    let (url, _, timings) = call.into_parts();
    let mut head = Head::new(head, url, None);
    head.timings = timings;
    head.sent = Some(sent);
    if let Some(history) = history {
        head.extensions.insert(History(history));
    }
    Response { head, body: ResponseBody::made(body.into()) }
}
