//! The events of one response.

use std::fmt;
use std::time::Duration;

use http::{StatusCode, header};

use super::response::Response;
use crate::driver::ResponseBody;
use crate::driver::runtime::Runtime;
use crate::error::{Error, Result};
use crate::extra::streams::reconnect::{is_event_stream, wrong_type};
use crate::extra::streams::sse::{Event, Parser};

impl<F: Runtime> Response<ResponseBody<F>> {
    /// Returns the events of a `text/event-stream` body (WHATWG HTML §9.2), as they arrive. When the stream
    /// ends, nothing is sent again: [`event_source`](crate::client::Client::event_source) reconnects.
    ///
    /// On the blocking client this is an `Iterator`, on the async one it has `next().await` and is a `Stream`
    /// with the feature `stream`.
    ///
    /// ```no_run
    /// let client = leanhttp::Client::new();
    /// let request = client.post("https://example.org/v1/completions").body("{\"stream\": true}");
    /// for event in request.send()?.events()? {
    ///     let event = event?;
    ///     if event.data() == "[DONE]" {
    ///         break;
    ///     }
    ///     println!("{}", event.data());
    /// }
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    ///
    /// # Timeouts
    ///
    /// The read timeout, 30 s unless set, limits the silence between two pieces of the stream. Some services
    /// pause longer: [`idle_timeout`](Events::idle_timeout) changes it. A total timeout that is set on the
    /// request ends the stream; that of the client does not count any more.
    ///
    /// # Errors
    ///
    /// If the status is 400 or more, or the content type is not `text/event-stream`. The error contains the
    /// response, as with [`error_for_status`](Self::error_for_status): a service often explains in the body.
    ///
    /// An event is an error if the body is cut short or fails in another way, or if the event is larger than
    /// [`max_event_bytes`](Events::max_event_bytes); there are no events after it.
    #[cfg_attr(docsrs, doc(cfg(feature = "sse")))]
    pub fn events(self) -> Result<Events<F>> {
        let response = self.error_for_status()?;
        let content_type = response.head.received.headers.first(&header::CONTENT_TYPE);
        if !is_event_stream(content_type) {
            return Err(response.not_events());
        }
        Ok(response.events_unchecked())
    }

    /// Returns the events of the body, whatever the status and the content type are: for servers that send an
    /// event stream by another name. See [`events`](Self::events).
    #[cfg_attr(docsrs, doc(cfg(feature = "sse")))]
    pub fn events_unchecked(mut self) -> Events<F> {
        self.last_as_long_as_it_streams();
        Events { response: Some(Box::new(self)), parser: Parser::new() }
    }

    /// Removes the client's total timeout.
    pub(super) fn last_as_long_as_it_streams(&mut self) {
        if let Some(budget) = self.body.budget_mut() {
            budget.outlive_total();
        }
    }

    /// Sets the longest silence in the rest of the body.
    pub(super) fn set_idle_timeout(&mut self, limit: Option<Duration>) {
        if let Some(budget) = self.body.budget_mut() {
            budget.timeouts_mut().read = limit;
        }
    }

    /// Returns the error for a response that is no event stream.
    #[cold]
    pub(super) fn not_events(self) -> Error {
        let error = wrong_type(self.head.received.headers.first(&header::CONTENT_TYPE));
        let error = error.about(self.status()).for_url(self.url());
        error.keeping(Box::new(self))
    }

    /// Returns the error for a status with which no event stream begins.
    #[cold]
    pub(super) fn not_open(self) -> Error {
        let error = self.status_error();
        let error = match self.status() {
            status if status.is_client_error() || status.is_server_error() => error,
            _ => error.note(format!("an event stream begins with {}", StatusCode::OK)),
        };
        error.keeping(Box::new(self))
    }
}

/// The events of one response; see [`Response::events`].
#[cfg_attr(docsrs, doc(cfg(feature = "sse")))]
#[must_use]
pub struct Events<F: Runtime> {
    /// `None` after the end of the body, or an error.
    response: Option<Box<Response<ResponseBody<F>>>>,
    parser: Parser,
}

impl<F: Runtime> Events<F> {
    /// Sets the limit on the data of an event, and on one line, in bytes. Default: 8 MiB.
    pub fn max_event_bytes(mut self, limit: usize) -> Self {
        self.parser.set_max_event_bytes(limit);
        self
    }

    /// Sets the longest silence between two pieces of the stream; `None` means no limit. Default: the
    /// [read timeout](crate::client::ClientBuilder::read_timeout) of the request or the client.
    pub fn idle_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        if let Some(response) = &mut self.response {
            response.set_idle_timeout(limit.into());
        }
        self
    }

    /// Returns the last event ID so far; empty if there is none.
    pub fn last_event_id(&self) -> &str {
        self.parser.last_event_id()
    }

    /// Returns the time before a reconnect that the stream has asked for, with a `retry` field.
    pub fn retry(&self) -> Option<Duration> {
        self.parser.retry()
    }

    /// Reads the next event; `None` at the end.
    pub(crate) async fn next_event(&mut self) -> Option<Result<Event>> {
        loop {
            let response = self.response.as_mut()?;
            match read_event(response, &mut self.parser).await {
                Ok(Reading::Event(event)) => return Some(Ok(event)),
                Ok(Reading::More) => {}
                Ok(Reading::End) => self.response = None,
                Err(error) => {
                    self.response = None;
                    return Some(Err(error));
                }
            }
        }
    }
}

/// The result of a step of reading.
pub(super) enum Reading {
    Event(Event),
    /// Bytes were read.
    More,
    End,
}

/// Returns the next event, or else reads once. Nothing is lost if the future is dropped.
pub(super) async fn read_event<F: Runtime>(
    response: &mut Response<ResponseBody<F>>,
    parser: &mut Parser,
) -> Result<Reading> {
    match parser.next_event() {
        Ok(Some(event)) => return Ok(Reading::Event(event)),
        Ok(None) => {}
        Err(error) => return Err(error.for_url(response.url())),
    }
    match response.next_bytes(parser.space()).await {
        Ok(0) => Ok(Reading::End),
        Ok(count) => {
            parser.filled(count);
            Ok(Reading::More)
        }
        Err(error) => Err(error.in_line(parser.line_number() + 1)),
    }
}

/// Shows no content.
impl<F: Runtime> fmt::Debug for Events<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("response", &self.response)
            .field("parser", &self.parser)
            .finish()
    }
}
