//! An event source: events over many responses, with reconnects.

// `extra/streams/reconnect.rs` decides; this file sends, reads and waits:
//
//   Asking ──hear──▶ Open ──read──▶ an event, or Asking again
//
// The state is in the source and not in a future, so the future of `next` may be dropped at any point: the wait
// and the call in progress are kept, and the next future continues them. A drop of the source ends the call and
// closes the connection.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, Method};

use super::events::{Reading, read_event};
use super::request::{IntoUrl, Request, RequestBuilder};
use super::response::Response;
use super::{Client, send};
use crate::call::RequestParts;
use crate::driver::runtime::Runtime;
use crate::driver::{ResponseBody, pause};
use crate::error::{Error, Result};
use crate::extra::streams::reconnect::{Answered, NextStep, Reconnect, Refusal, Subscription};
use crate::extra::streams::sse::{Event, Parser};
use crate::fields::date;

/// The default of the longest silence within a stream: servers send a comment every 15 s or so, and a source
/// that hangs on a dead connection must notice it.
const IDLE: Duration = Duration::from_secs(300);

/// Longer than any program runs. An instant that is too far away cannot be represented.
const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

impl<F: Runtime> Client<F> {
    /// Begins an event source (WHATWG HTML §9.2), which reads the events of a URL and reconnects when the
    /// connection is lost: from a URL, or from a request builder with fields, credentials and timeouts.
    ///
    /// ```no_run
    /// # let client = leanhttp::Client::new();
    /// let mut source = client.event_source("https://example.org/events").build()?;
    /// for event in &mut source {
    ///     let event = event?;
    ///     println!("{}: {}", event.name(), event.data());
    /// }
    /// println!("the server has ended the stream behind {:?}", source.last_event_id());
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "sse")))]
    pub fn event_source<S: IntoEventSource<F>>(&self, source: S) -> EventSourceBuilder<F> {
        EventSourceBuilder {
            client: self.clone(),
            request: source.into_request(),
            reconnect: Reconnect::new(),
            parser: Parser::new(),
            has_id: false,
            idle: None,
        }
    }
}

/// Values that an event source can be made of: those that are a URL for [`get`](Client::get), or a [`RequestBuilder`].
/// Sealed.
pub trait IntoEventSource<F: Runtime>: sealed::Sealed<F> {
    #[doc(hidden)]
    fn into_request(self) -> Result<Request<F>>;
}

mod sealed {
    pub trait Sealed<F> {}
    impl<F, U: super::IntoUrl> Sealed<F> for U {}
    impl<F: super::Runtime> Sealed<F> for super::RequestBuilder<F> {}
}

impl<F: Runtime, U: IntoUrl> IntoEventSource<F> for U {
    fn into_request(self) -> Result<Request<F>> {
        Ok(Request::new(Method::GET, self.into_url()?))
    }
}

impl<F: Runtime> IntoEventSource<F> for RequestBuilder<F> {
    fn into_request(self) -> Result<Request<F>> {
        self.build()
    }
}

/// Sets up an [`EventSource`].
#[cfg_attr(docsrs, doc(cfg(feature = "sse")))]
#[must_use]
pub struct EventSourceBuilder<F: Runtime> {
    client: Client<F>,
    request: Result<Request<F>>,
    reconnect: Reconnect,
    parser: Parser,
    has_id: bool,
    /// `None` if it is not set.
    idle: Option<Option<Duration>>,
}

impl<F: Runtime> EventSourceBuilder<F> {
    /// Sets the last event ID of an earlier run, which the first request sends as `Last-Event-ID`. An ID is
    /// sent in UTF-8. One with control characters, or of more than 8 KiB, cannot be sent: the server then sees
    /// a request without an ID.
    pub fn last_event_id(mut self, id: &str) -> Self {
        self.parser.set_last_event_id(id);
        self.has_id = true;
        self
    }

    /// Sets when and how often the source reconnects.
    pub fn reconnect(mut self, reconnect: Reconnect) -> Self {
        self.reconnect = reconnect;
        self
    }

    /// Sets the longest silence within a stream; the source then reconnects. `None` means no limit. Default:
    /// the read timeout of the request if it has its own, or else 5 min.
    pub fn idle_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.idle = Some(limit.into());
        self
    }

    /// Sets the limit on the data of an event, and on one line, in bytes. Default: 8 MiB.
    pub fn max_event_bytes(mut self, limit: usize) -> Self {
        self.parser.set_max_event_bytes(limit);
        self
    }

    /// Returns the event source. The first request is sent when its first event is asked for.
    ///
    /// Unless the request has them, `Accept: text/event-stream` and `Cache-Control: no-store` are added. A
    /// `Last-Event-ID` of the request is used like [`last_event_id`](Self::last_event_id).
    ///
    /// # Errors
    ///
    /// If the URL or the request is invalid, or if its body cannot be sent again: bytes can, readers and
    /// files cannot.
    pub fn build(mut self) -> Result<EventSource<F>> {
        let mut request = self.request?.parts;
        if request.try_clone().is_none() {
            let detail =
                "the body of an event source has to be bytes: each reconnect sends it again";
            return Err(Error::builder(detail).for_url(&request.url));
        }
        if let Some(id) = Subscription::take_id(&mut request.headers).filter(|_| !self.has_id) {
            self.parser.set_last_event_id(&id);
        }
        let own = request.overrides.as_ref().and_then(|timeouts| timeouts.read);
        let by_default = if own.is_some() { None } else { Some(Some(IDLE)) };
        let mut source = EventSource {
            client: self.client,
            request,
            parser: self.parser,
            subscription: Subscription::new(self.reconnect),
            idle: self.idle.or(by_default),
            state: State::Ended,
        };
        source.ask_after(Duration::ZERO)?;
        Ok(source)
    }
}

impl<F: Runtime> fmt::Debug for EventSourceBuilder<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSourceBuilder")
            .field("request", &self.request)
            .field("reconnect", &self.reconnect)
            .finish_non_exhaustive()
    }
}

/// The events of a URL over as many connections as it takes.
///
/// On the blocking client this is an `Iterator`, on the async one it has `next().await` and is a `Stream` with
/// the feature `stream`. Nothing happens between two calls of `next`: no thread and no task reads ahead.
///
/// A stream that ends, is cut off, or is silent for longer than the
/// [idle timeout](EventSourceBuilder::idle_timeout) is asked for again, behind the last event, and so is one
/// that cannot be reached; [`Reconnect`] says when and how often. The source ends:
///
/// - without an error when the server answers 204, which is how it tells a client to stop,
/// - with one error for another status than 200 or another type than `text/event-stream`, for a failure that
///   will not pass (a certificate, a limit, a canceled token), and after too many failures in a row.
///
/// Each connection starts at the URL of the source again, also after a redirect. A retry policy holds within
/// each attempt to connect. A total timeout ends a stream only if it is set on the request.
///
/// When a failure was in the way, no event is lost if the server keeps events and honors `Last-Event-ID`;
/// otherwise those between two connections are.
#[cfg_attr(docsrs, doc(cfg(feature = "sse")))]
#[must_use]
pub struct EventSource<F: Runtime> {
    client: Client<F>,
    request: Box<RequestParts<F::Source>>,
    parser: Parser,
    subscription: Subscription,
    /// `None` if the read timeout of the request is used.
    idle: Option<Option<Duration>>,
    state: State<F>,
}

enum State<F: Runtime> {
    /// A wait and then a call, in progress. The mutex is never locked: it makes the source `Sync`.
    Asking(Mutex<Asking<F>>),
    Open(Box<Response<ResponseBody<F>>>),
    Ended,
}

/// A call, which goes on in the next future if that of `next` is dropped. Its type has no name.
type Asking<F> = Pin<Box<dyn Future<Output = Result<Response<ResponseBody<F>>>> + Send>>;

impl<F: Runtime> EventSource<F> {
    /// Returns the last event ID so far, to be kept for
    /// [another run](EventSourceBuilder::last_event_id); empty if there is none.
    pub fn last_event_id(&self) -> &str {
        self.parser.last_event_id()
    }

    /// Returns whether a stream is open, so that the next event waits for the server and not for a connection.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// Reads the next event; `None` at the end.
    pub(crate) async fn next_event(&mut self) -> Option<Result<Event>> {
        loop {
            let step = match self.state {
                State::Asking(_) => self.hear().await,
                State::Open(_) => self.read().await,
                State::Ended => return None,
            };
            match step {
                Ok(None) => {}
                Ok(Some(event)) => return Some(Ok(event)),
                Err(error) => {
                    self.state = State::Ended;
                    return Some(Err(error));
                }
            }
        }
    }

    /// Leaves the current connection for a request that is due after this time.
    fn ask_after(&mut self, time: Duration) -> Result<()> {
        self.state = State::Ended;
        // `build` has checked that it can be copied.
        let Some(mut request) = self.request.try_clone() else { return Ok(()) };
        Subscription::prepare(&mut request.headers, self.parser.last_event_id())?;
        let client = self.client.clone();
        let asking = async move {
            if !time.is_zero() {
                let cancel = request.cancel.clone();
                pause(&client.shared().runtime, cancel, time.min(NEVER)).await;
            }
            send(&client, Box::new(request)).await
        };
        self.state = State::Asking(Mutex::new(Box::pin(asking)));
        Ok(())
    }

    /// Waits for the head of the response, or the failure of the call.
    async fn hear(&mut self) -> Result<Option<Event>> {
        let State::Asking(asking) = &mut self.state else { return Ok(None) };
        let answer = poll_fn(|cx| {
            let call = asking.get_mut().unwrap_or_else(PoisonError::into_inner);
            call.as_mut().poll(cx)
        });
        match answer.await {
            Ok(response) => self.open(response),
            Err(error) => {
                let next = self.subscription.failed(&error, self.random());
                self.follow(next, Some(error))
            }
        }
    }

    /// Judges the head of a response.
    fn open(&mut self, mut response: Response<ResponseBody<F>>) -> Result<Option<Event>> {
        let runtime = &self.client.shared().runtime;
        let headers: &HeaderMap = response.headers();
        let retry_after = headers.get(RETRY_AFTER).map(|value| value.as_bytes());
        let head = Answered {
            status: response.status(),
            content_type: headers.get(CONTENT_TYPE).map(|value| value.as_bytes()),
            retry_after: retry_after
                .and_then(|value| date::retry_after_at_least(value, Runtime::date(runtime))),
        };
        match self.subscription.answered(head, Runtime::random(runtime)) {
            NextStep::Read => {
                response.last_as_long_as_it_streams();
                if let Some(limit) = self.idle {
                    response.set_idle_timeout(limit);
                }
                self.state = State::Open(Box::new(response));
                Ok(None)
            }
            NextStep::GiveUp(Refusal::ContentType) => Err(response.not_events()),
            NextStep::GiveUp(_) => Err(response.not_open()),
            next => self.follow(next, None),
        }
    }

    /// Reads from the open stream.
    async fn read(&mut self) -> Result<Option<Event>> {
        let State::Open(response) = &mut self.state else { return Ok(None) };
        let error = match read_event(response, &mut self.parser).await {
            Ok(Reading::Event(event)) => return Ok(Some(event)),
            Ok(Reading::More) => return Ok(None),
            Ok(Reading::End) => None,
            Err(error) => Some(error),
        };
        self.parser.finish();
        let (retry, random) = (self.parser.retry(), self.random());
        let next = self.subscription.ended(error.as_ref(), retry, random);
        self.follow(next, error)
    }

    /// Leaves the current connection for the next step.
    fn follow(&mut self, next: NextStep, error: Option<Error>) -> Result<Option<Event>> {
        self.state = State::Ended;
        match (next, error) {
            (NextStep::Wait(time), _) => self.ask_after(time)?,
            (NextStep::GiveUp(_), Some(error)) => return Err(error),
            _ => {}
        }
        Ok(None)
    }

    fn random(&self) -> u64 {
        Runtime::random(&self.client.shared().runtime)
    }

    /// Returns the runtime of its client.
    #[cfg(any(feature = "tokio", feature = "runtime"))]
    pub(crate) fn runtime(&self) -> &F {
        &self.client.shared().runtime
    }
}

/// Shows no content.
impl<F: Runtime> fmt::Debug for EventSource<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Asking(_) => "asking",
            State::Open(_) => "open",
            State::Ended => "ended",
        };
        f.debug_struct("EventSource")
            .field("url", &self.request.url)
            .field("state", &state)
            .field("subscription", &self.subscription)
            .finish_non_exhaustive()
    }
}
