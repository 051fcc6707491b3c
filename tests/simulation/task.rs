//! A caller: makes its calls one after another, and reports the results to the checks.

use std::io;
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderValue};
use http::{HeaderName, Method};

use super::check::{Given, request_body};
use super::clock::sleep;
use super::plan::{BodyPlan, CallPlan, Reading, Secret, TaskPlan};
use super::world::{Happening, Simulated, note, with};
use crate::base::cancel::CancelToken;
use crate::body::{self, Unrewindable};
use crate::body::{Body, SourceLength};
use crate::client::Client;
use crate::client::request::Request;
use crate::client::response::Response;
use crate::client::send;
use crate::driver::ResponseBody;
use crate::error::{Error, Result};

/// All calls of a task.
pub(super) async fn run(client: Client<Simulated>, plan: TaskPlan) {
    for call in plan.calls {
        sleep(call.pause).await;
        let number = call.number;
        begin(&call);
        let outcome = perform(&client, call).await;
        with(|world| {
            match &outcome {
                Ok(()) => note!(world, "call {number}: done"),
                Err(error) => note!(world, "call {number}: {error}"),
            }
            if let (Err(error), true) = (outcome, world.plan.is_calm()) {
                world.violated(format!("call {number} fails without a fault: {error}"));
            }
        });
    }
}

fn begin(plan: &CallPlan) {
    with(|world| {
        note!(world, "call {}: {} {} {plan:?}", plan.number, plan.method, plan.site.authority());
        let now = world.agenda.now();
        let call = &mut world.ledger.calls[plan.number];
        call.deadline = plan.limits.total.map(|total| now + total);
        if let Some(task) = world.ledger.task() {
            task.begin(plan.number);
        }
    });
}

async fn perform(client: &Client<Simulated>, plan: CallPlan) -> Result<()> {
    let request = request(client, &plan)?;
    let began = with(|world| world.agenda.now());
    let response = send(client, request.parts).await;
    with(|world| {
        world.check_deadline(began);
        let heard = match &response {
            Ok(response) => serial(response).and_then(|serial| world.head_came(serial)),
            Err(error) => world.loss_came(plan.number, error),
        };
        world.check_prompt(heard);
    });
    let response = match response {
        Ok(response) => response,
        Err(error) => return Err(refused(error, &plan).await),
    };
    if plan.body.is_bad() {
        with(|world| {
            note!(world, "call {}: answered before its body was known to be bad", plan.number)
        });
    }
    receive(response, &plan).await
}

/// A redirect that is not followed is a response like any other, which the error contains.
async fn refused(error: Error, plan: &CallPlan) -> Error {
    let line = error.to_string();
    match Response::try_from(error) {
        Ok(response) => {
            let _ = receive(response, plan).await; // however it ends, it is checked
            Error::builder(line)
        }
        Err(error) => error,
    }
}

/// Reads as much as the plan wants, and checks it, whether reading fails or not.
async fn receive(response: Response<ResponseBody<Simulated>>, plan: &CallPlan) -> Result<()> {
    let mut given = Given {
        call: plan.number,
        serial: serial(&response).unwrap_or(usize::MAX),
        status: response.status().as_u16(),
        body: Vec::new(),
        is_complete: false,
    };
    let mut body = response.body;
    let outcome = read(&mut body, plan.reading, &mut given).await;
    if outcome.is_err() && body.next_bytes(&mut [0]).await.is_ok() {
        with(|world| world.violated("a broken body continues"));
    }
    with(|world| {
        if let Err(rule) = world.check_response(&given) {
            world.violated(format!("call {}: {rule}", plan.number));
        }
    });
    outcome
}

/// The number that the server gave it.
fn serial(response: &Response<ResponseBody<Simulated>>) -> Option<usize> {
    response.headers().get("x-serial")?.to_str().ok()?.parse().ok()
}

async fn read(
    body: &mut ResponseBody<Simulated>,
    reading: Reading,
    given: &mut Given,
) -> Result<()> {
    let (piece, most) = match reading {
        Reading::Whole => {
            let began = with(|world| world.agenda.now());
            given.body = body.collect().await?;
            given.is_complete = true;
            with(|world| world.check_deadline(began));
            return Ok(());
        }
        Reading::Pieces(size) => (size, usize::MAX),
        Reading::Part(size) => (size, size),
        Reading::Nothing => return Ok(()),
    };
    while given.body.len() < most {
        let mut memory = vec![0; piece.max(given.body.len() / 20)];
        let began = with(|world| world.agenda.now());
        let read = body.next_bytes(&mut memory).await;
        with(|world| world.check_deadline(began));
        match read? {
            0 => {
                given.is_complete = true;
                break;
            }
            count => given.body.extend_from_slice(&memory[..count]),
        }
        sleep(with(|world| world.seed.ms(0..=10) * world.seed.pick(&[0, 0, 1]))).await;
    }
    Ok(())
}

fn request(client: &Client<Simulated>, plan: &CallPlan) -> Result<Request<Simulated>> {
    let secret = plan.secret_text();
    let user = match plan.secret {
        Some(Secret::Url) => format!("user:{secret}@"),
        _ => String::new(),
    };
    let (scheme, authority) = (plan.site.scheme(), plan.site.authority());
    let url = format!("{scheme}://{user}{authority}/d0/h{}", plan.number);
    let method: Method = plan.method.parse().map_err(|_| Error::builder("no method"))?;
    let limits = plan.limits;
    let mut builder = client
        .request(method, url)
        .headers(headers(plan.secret, &secret))
        .expect_continue(plan.expects)
        .connect_timeout(limits.connect)
        .read_timeout(limits.read)
        .write_timeout(limits.write);
    if let Some(first_byte) = limits.first_byte {
        builder = builder.first_byte_timeout(first_byte);
    }
    if let Some(delay) = plan.cancelled_after {
        let token = CancelToken::new();
        builder = builder.cancel_token(&token);
        with(|world| world.schedule(delay, Happening::Cancel(token, plan.number)));
    }
    if let Some(total) = limits.total {
        builder = builder.timeout(total);
    }
    if let Some(body) = body(plan) {
        builder = builder.body(body);
    }
    builder.build()
}

fn headers(kind: Option<Secret>, secret: &str) -> HeaderMap {
    let (name, value) = match kind {
        None | Some(Secret::Url) => return HeaderMap::new(),
        Some(Secret::Bearer) => (header::AUTHORIZATION, format!("Bearer {secret}")),
        Some(Secret::Cookie) => (header::COOKIE, format!("own={secret}")),
        Some(Secret::Sensitive) => (HeaderName::from_static("x-key"), secret.to_owned()),
    };
    let mut value = HeaderValue::from_str(&value).unwrap();
    value.set_sensitive(kind == Some(Secret::Sensitive));
    HeaderMap::from_iter([(name, value)])
}

fn body(plan: &CallPlan) -> Option<Body<Source>> {
    let (length, has, end) = match plan.body {
        BodyPlan::None => return None,
        BodyPlan::Bytes(length) => return Some(request_body(plan.number, length).into()),
        BodyPlan::Sized(length) => {
            (SourceLength::Exactly(length as u64), length, SourceEnd::Orderly)
        }
        BodyPlan::Longer(length) => {
            (SourceLength::Exactly(length as u64), length + 1, SourceEnd::Orderly)
        }
        BodyPlan::Unsized(length) => (SourceLength::Unknown, length, SourceEnd::Orderly),
        BodyPlan::Failing(length) => (SourceLength::Unknown, length, SourceEnd::Error),
        BodyPlan::Stalling(length) => (SourceLength::Unknown, length, SourceEnd::Never),
        BodyPlan::Lying { announced, has } => {
            (SourceLength::Exactly(announced as u64), has, SourceEnd::Orderly)
        }
    };
    let data = request_body(plan.number, has);
    let source = Source { data, at: 0, end, can_rewind: plan.number % 2 == 0 };
    Some(Body::from_source(source, length))
}

/// The body of a request, which may be slow.
pub(super) struct Source {
    data: Vec<u8>,
    /// Number of bytes that were delivered.
    at: usize,
    end: SourceEnd,
    can_rewind: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SourceEnd {
    Orderly,
    Error,
    /// The source is pending.
    Never,
}

impl Source {
    pub(super) async fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let (pause, most) = with(|world| {
            let pause = world.seed.ms(0..=20) * world.seed.pick(&[0, 0, 1, 1, 10, 50]);
            (pause, world.seed.pick(&[1, 100, 10_000]).max((self.data.len() - self.at) / 20))
        });
        if pause > Duration::ZERO {
            sleep(pause).await;
        }
        let rest = &self.data[self.at..];
        match self.end {
            _ if !rest.is_empty() => {}
            SourceEnd::Orderly => {}
            SourceEnd::Error => return Err(io::Error::other("the source fails")),
            SourceEnd::Never => return std::future::pending().await,
        }
        let count = rest.len().min(into.len()).min(most);
        into[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

impl body::Source for Source {
    fn may_rewind(&self) -> Result<(), Unrewindable> {
        if self.can_rewind { Ok(()) } else { Err(Unrewindable::Stream) }
    }

    fn rewind(&mut self) {
        self.at = 0;
    }
}
