//! The report of a call while it runs and when it is done: its line in the log (feature `log`), and its spans
//! (feature `tracing`).
//!
//! A call is done when its body was read to its end, when its response is dropped, when it fails, or when
//! the future that sends it is dropped. A [`Report`] begins with the call, moves into the body of the
//! response, and is told there how each read ends. It holds nothing unless somebody listens, so a read costs
//! one comparison with a null pointer; without the features it is an empty type (`off`).

use std::net::SocketAddr;
use std::time::Instant;

use http::{Method, StatusCode};

use super::log::CallLine;
use super::trace::{CallSpans, Running};
use crate::base::timings::Timings;
use crate::error::{Error, Result};
use crate::http1::head::ResponseHead;
use crate::policy::route::Route;
use crate::url::Url;

/// Reads the clock of the call's runtime, when the call is done.
pub(crate) type ReportClock = Box<dyn Fn() -> Instant + Send + Sync>;

/// The report of one call. Dropping it reports that the call was dropped.
#[derive(Default)]
pub(crate) struct Report(Option<Box<OpenReport>>);

/// The line and the spans of a call; at least one of them is wanted.
struct OpenReport {
    line: Option<CallLine>,
    spans: Option<CallSpans>,
}

/// A hop that was answered.
#[cfg_attr(not(feature = "log"), allow(dead_code, reason = "a span needs the status alone"))]
pub(crate) struct ReportedAnswer<'a> {
    pub(crate) method: &'a Method,
    pub(crate) url: &'a Url,
    pub(crate) status: StatusCode,
    pub(crate) is_reused: bool,
    pub(crate) timings: Option<&'a Timings>,
}

impl Report {
    /// Begins the report of a call, if somebody listens.
    pub(crate) fn begin(
        method: &Method,
        url: &Url,
        started: Instant,
        clock: impl FnOnce() -> ReportClock,
    ) -> Self {
        let line = CallLine::begin(method, url, started, clock);
        let spans = CallSpans::open(method, url);
        let is_wanted = line.is_some() || spans.is_some();
        Self(is_wanted.then(|| Box::new(OpenReport { line, spans })))
    }

    /// Returns the span of the call.
    pub(crate) fn request(&self) -> Running {
        self.spans().map_or_else(Running::none, CallSpans::request)
    }

    /// Begins the span of the next attempt.
    pub(crate) fn attempt(&mut self, method: &Method, url: &Url) -> Running {
        let spans = self.0.as_mut().and_then(|open| open.spans.as_mut());
        spans.map_or_else(Running::none, |spans| spans.attempt(method, url))
    }

    /// Begins the span of a new connection.
    pub(crate) fn connect(&self, route: impl FnOnce() -> Route) -> Running {
        self.spans().map_or_else(Running::none, |spans| spans.connect(&route()))
    }

    /// Reports the head of a response, which need not be the final one.
    pub(crate) fn attempt_answered(&self, head: &ResponseHead, peer: Option<SocketAddr>) {
        if let Some(spans) = self.spans() {
            spans.attempt_answered(head, peer);
        }
    }

    /// Reports that an attempt got no response.
    pub(crate) fn attempt_failed(&mut self, error: &Error) {
        if let Some(spans) = self.0.as_mut().and_then(|open| open.spans.as_mut()) {
            spans.attempt_failed(error);
        }
    }

    fn spans(&self) -> Option<&CallSpans> {
        self.0.as_ref()?.spans.as_ref()
    }

    /// Reports the head of the final response.
    pub(crate) fn answered(&mut self, answered: &ReportedAnswer<'_>) {
        let Some(open) = &mut self.0 else { return };
        if let Some(line) = &mut open.line {
            line.answered(answered);
        }
        if let Some(spans) = &open.spans {
            spans.answered(answered.status);
        }
    }

    /// Reports a read of the body, of which 0 bytes are the end.
    pub(crate) fn read(&mut self, read: &Result<usize>) {
        let Some(open) = &mut self.0 else { return };
        match (read, &mut open.line) {
            (Ok(0), _) => self.end(),
            (Ok(count), Some(line)) => line.read(*count),
            (Ok(_), None) => {}
            (Err(error), _) => self.failed(error),
        }
    }

    /// Reports that the body has ended.
    pub(crate) fn end(&mut self) {
        let Some(OpenReport { line, .. }) = self.0.take().map(|open| *open) else { return };
        if let Some(line) = line {
            line.end();
        }
    }

    /// Reports the failure of a call that has a response, or of a part of it.
    pub(crate) fn failed(&mut self, error: &Error) {
        let Some(OpenReport { line, spans }) = self.0.take().map(|open| *open) else { return };
        if let Some(spans) = spans {
            spans.failed(error);
        }
        if let Some(line) = line {
            line.failed(error);
        }
    }

    /// Reports the failure of a call that has no response, at its last hop.
    pub(crate) fn unanswered(
        &mut self,
        method: &Method,
        url: &Url,
        timings: Option<&Timings>,
        error: &Error,
    ) {
        if let Some(line) = self.0.as_mut().and_then(|open| open.line.as_mut()) {
            line.moved(method, url, timings);
        }
        self.failed(error);
    }
}
