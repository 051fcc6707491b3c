//! What is told of a call while it runs and when it is done: its line in the log (feature `log`).
//!
//! A call is done when its body was read to its end, when its response is dropped, when it fails, or when
//! the future that sends it is dropped. A [`Report`] begins with the call, moves into the body of the
//! response, and is told there how each read ends. It holds nothing unless somebody listens, so a read costs
//! one comparison with a null pointer; without the feature it is an empty type (`off`).

use std::time::Instant;

use http::{Method, StatusCode};

use super::log::CallLine;
use crate::base::timings::Timings;
use crate::error::{Error, Result};
use crate::url::Url;

/// Reads the clock of the call's runtime, when the call is done.
pub(crate) type ReportClock = Box<dyn Fn() -> Instant + Send + Sync>;

/// The report of one call. Dropping it reports that the call was dropped.
#[derive(Default)]
pub(crate) struct Report(Option<Box<CallLine>>);

/// A hop that was answered.
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
        if !CallLine::is_wanted() {
            return Self(None);
        }
        Self(Some(Box::new(CallLine::new(method, url, started, clock()))))
    }

    /// Reports the head of the final response.
    pub(crate) fn answered(&mut self, answered: &ReportedAnswer<'_>) {
        if let Some(line) = &mut self.0 {
            line.answered(answered);
        }
    }

    /// Reports a read of the body, of which 0 bytes are the end.
    pub(crate) fn read(&mut self, read: &Result<usize>) {
        let Some(line) = &mut self.0 else { return };
        match read {
            Ok(0) => self.end(),
            Ok(count) => line.read(*count),
            Err(error) => self.failed(error),
        }
    }

    /// Reports that the body has ended.
    pub(crate) fn end(&mut self) {
        if let Some(line) = self.0.take() {
            line.end();
        }
    }

    /// Reports the failure of a call that has a response, or of a part of it.
    pub(crate) fn failed(&mut self, error: &Error) {
        if let Some(line) = self.0.take() {
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
        if let Some(line) = &mut self.0 {
            line.moved(method, url, timings);
        }
        self.failed(error);
    }
}
