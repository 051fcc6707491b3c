//! Reconnecting of an event source (WHATWG HTML §9.2.3): which fields a request has, and what follows from a
//! response, a failure or the end of a stream.
//!
//! ```text
//!          ┌─────────────── Wait: the retry time, longer with each failure in a row ◀──────────┐
//!          ▼                                                                                   │
//! prepare: fields ──▶ request ──▶ answered ──▶ Read ──▶ events ──▶ ended, failed ──────────────┤
//!                        │           ├─▶ End: 204                     └─▶ GiveUp: not transient │
//!                        │           ├─▶ GiveUp: another status or type                        │
//!                        │           └─▶ a transient status, after the first stream ───────────┤
//!                        └──▶ failed: no connection, no response ──────────────────────────────┘
//! ```
//!
//! The time before a reconnect is what the stream has asked for with `retry`, at first that of the settings.
//! It doubles with each further failure in a row up to a maximum, and an opened stream resets it. A random part
//! is added and never subtracted, so no source comes back sooner than the server asks, and many sources that
//! lost the same server do not come back at the same moment.

use std::time::Duration;

use http::StatusCode;
use http::header::{ACCEPT, CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};

use crate::error::{Error, Kind, Phase, Result};
use crate::fields::media_type::MediaType;

/// The default time before a reconnect; browsers take three to five seconds.
const FIRST: Duration = Duration::from_secs(3);

/// The default maximum of the growing time.
const MAX: Duration = Duration::from_secs(30);

/// The time before a reconnect that `retry: 0` asks for. A server that sends it and ends each stream at once would
/// be asked again without a pause, forever. Any other time is taken as it is (WHATWG HTML, 9.2.6).
const FOR_ZERO: Duration = Duration::from_millis(500);

/// The default number of failures in a row: about four minutes with the other defaults.
const FAILURES: u32 = 10;

/// The default of the longest time that a server may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(600);

/// The statuses that depend on the moment and not on the request.
const STATUSES: [StatusCode; 6] = [
    StatusCode::REQUEST_TIMEOUT,
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::INTERNAL_SERVER_ERROR,
    StatusCode::BAD_GATEWAY,
    StatusCode::SERVICE_UNAVAILABLE,
    StatusCode::GATEWAY_TIMEOUT,
];

/// The longest last event ID that is sent. Servers usually accept 8 KiB for all fields together.
const LONGEST_ID: usize = 8 * 1024;

/// The random part of a wait is at most the wait divided by this.
const JITTER: u32 = 4;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

const EVENT_STREAM: &str = "text/event-stream";

/// The rules by which an event source reconnects: after which delay, and how often.
///
/// ```
/// use std::time::Duration;
/// use leanhttp::sse::Reconnect;
///
/// let patient = Reconnect::new().max(Duration::from_secs(300)).failures(None);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Reconnect {
    first: Duration,
    max: Duration,
    failures: Option<u32>,
    longest_asked: Duration,
    statuses: Vec<StatusCode>,
}

impl Reconnect {
    /// Returns the default settings: 3 s before a reconnect, twice as long after each failure in a row up to
    /// 30 s, and an error after ten failures in a row.
    pub fn new() -> Self {
        Self {
            first: FIRST,
            max: MAX,
            failures: Some(FAILURES),
            longest_asked: LONGEST_ASKED,
            statuses: STATUSES.to_vec(),
        }
    }

    /// Sets the time before a reconnect, until the stream asks for another one with a `retry` field.
    /// Default: 3 s. Up to a quarter is added at random.
    ///
    /// A `retry` of 0 counts as half a second, or as this time if that is shorter: a server cannot make a client
    /// reconnect in a loop without a pause.
    pub fn first(mut self, time: Duration) -> Self {
        self.first = time;
        self
    }

    /// Sets the maximum up to which the time doubles with each failure in a row. Default: 30 s. A longer time
    /// that the server asks for is kept.
    pub fn max(mut self, time: Duration) -> Self {
        self.max = time;
        self
    }

    /// Sets how many attempts in a row may fail; the error of one more ends the source. Default: 10. `None`
    /// means that the source never gives up for this reason.
    ///
    /// An attempt fails if no connection can be made, or if no response or one of the
    /// [`retry_statuses`](Self::retry_statuses) is received. An opened stream resets the number.
    pub fn failures(mut self, at_most: Option<u32>) -> Self {
        self.failures = at_most;
        self
    }

    /// Sets the longest time that a server may ask for. Default: 10 min. A longer `retry` is shortened to
    /// it; after a longer `Retry-After` (RFC 9110 §10.2.3) the source ends with the error of the status.
    pub fn max_retry_after(mut self, longest: Duration) -> Self {
        self.longest_asked = longest;
        self
    }

    /// Sets the statuses after which the source reconnects, if it had an open stream before; with any other
    /// status except 204 it ends with an error. Default: 408, 429, 500, 502, 503, 504.
    ///
    /// The first request fails with every status but 200, as the standard asks for: it is more likely wrong
    /// than early. An empty list has that effect for all requests.
    ///
    /// ```
    /// use leanhttp::sse::Reconnect;
    ///
    /// let as_in_browsers = Reconnect::new().failures(None).retry_statuses([]);
    /// ```
    pub fn retry_statuses<S: IntoIterator<Item = StatusCode>>(mut self, statuses: S) -> Self {
        self.statuses = statuses.into_iter().collect();
        self
    }
}

impl Default for Reconnect {
    fn default() -> Self {
        Self::new()
    }
}

/// The state of an event source over its connections.
#[derive(Debug)]
pub(crate) struct Subscription {
    settings: Reconnect,
    /// The time that the stream asks for.
    retry: Option<Duration>,
    /// A stream was opened before.
    was_open: bool,
    /// Failures in a row since the last opened stream.
    failures: u32,
    /// The same, with the end of an opened stream, which delays a reconnect but is no failure.
    losses: u32,
}

/// The next step of an event source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NextStep {
    /// Read events from the response.
    Read,
    /// Ask again after this time.
    Wait(Duration),
    /// End with an error.
    GiveUp(Refusal),
    /// End without an error.
    End,
}

/// The reason why an event source ends with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Status,
    ContentType,
    /// The error that was reported.
    Failure,
}

/// The facts about the head of a response.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered<'a> {
    pub(crate) status: StatusCode,
    pub(crate) content_type: Option<&'a [u8]>,
    pub(crate) retry_after: Option<Duration>,
}

impl Subscription {
    pub(crate) fn new(settings: Reconnect) -> Self {
        Self { settings, retry: None, was_open: false, failures: 0, losses: 0 }
    }

    /// Sets the fields of a request. `Accept` and `Cache-Control` are kept if the caller has set them.
    pub(crate) fn prepare(headers: &mut HeaderMap, last_event_id: &str) -> Result<()> {
        let fields = [(ACCEPT, EVENT_STREAM), (CACHE_CONTROL, "no-store")];
        for (name, value) in fields {
            let entry = headers.try_entry(name).map_err(Error::too_many_fields)?;
            entry.or_try_insert(HeaderValue::from_static(value)).map_err(Error::too_many_fields)?;
        }
        match id_field(last_event_id) {
            Some(value) => headers.try_insert(LAST_EVENT_ID, value).map(drop),
            None => {
                headers.remove(LAST_EVENT_ID);
                Ok(())
            }
        }
        .map_err(Error::too_many_fields)
    }

    /// Takes the last event ID out of fields that the caller has set.
    pub(crate) fn take_id(headers: &mut HeaderMap) -> Option<String> {
        let value = headers.remove(LAST_EVENT_ID)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    }

    /// Decides by the head of a response.
    pub(crate) fn answered(&mut self, head: Answered<'_>, random: u64) -> NextStep {
        match head.status {
            StatusCode::OK if is_event_stream(head.content_type) => {
                (self.was_open, self.failures, self.losses) = (true, 0, 0);
                NextStep::Read
            }
            StatusCode::OK => NextStep::GiveUp(Refusal::ContentType),
            StatusCode::NO_CONTENT => NextStep::End,
            status if self.was_open && self.settings.statuses.contains(&status) => {
                let asked = head.retry_after.unwrap_or_default();
                let is_bearable = asked <= self.settings.longest_asked;
                match self.fail() && is_bearable {
                    true => NextStep::Wait(self.wait(random).max(asked)),
                    false => NextStep::GiveUp(Refusal::Status),
                }
            }
            _ => NextStep::GiveUp(Refusal::Status),
        }
    }

    /// Decides by an attempt that brought no response.
    pub(crate) fn failed(&mut self, error: &Error, random: u64) -> NextStep {
        let is_transient = match error.kind() {
            Kind::Resolve | Kind::Connect | Kind::Timeout | Kind::Io | Kind::Truncated => true,
            Kind::Proxy => {
                error.status().is_some_and(|status| self.settings.statuses.contains(&status))
            }
            _ => false,
        };
        match is_transient && self.fail() {
            true => NextStep::Wait(self.wait(random)),
            false => NextStep::GiveUp(Refusal::Failure),
        }
    }

    /// Decides by the end of an opened stream, or the error that ended it. `retry` is what it asked for.
    pub(crate) fn ended(
        &mut self,
        error: Option<&Error>,
        retry: Option<Duration>,
        random: u64,
    ) -> NextStep {
        self.retry = retry.or(self.retry);
        let may_pass = error.is_none_or(|error| {
            let is_lost = matches!(error.kind(), Kind::Timeout | Kind::Io | Kind::Truncated);
            let is_garbled = matches!(error.kind(), Kind::Protocol | Kind::Tls);
            is_lost || (is_garbled && error.phase() == Phase::Body)
        });
        if !may_pass {
            return NextStep::GiveUp(Refusal::Failure);
        }
        self.losses = self.losses.saturating_add(1);
        NextStep::Wait(self.wait(random))
    }

    /// Counts a failure; returns whether another attempt is allowed.
    fn fail(&mut self) -> bool {
        self.failures = self.failures.saturating_add(1);
        self.losses = self.losses.saturating_add(1);
        self.settings.failures.is_none_or(|at_most| self.failures <= at_most)
    }

    /// Returns the time before the next attempt. `random` is a fraction of the range of `u64`.
    fn wait(&self, random: u64) -> Duration {
        let Reconnect { first, max, longest_asked, .. } = self.settings;
        let retry = match self.retry {
            None => first,
            Some(Duration::ZERO) => FOR_ZERO.min(first),
            Some(retry) => retry.min(longest_asked),
        };
        let factor = 1_u32.checked_shl(self.losses.saturating_sub(1)).unwrap_or(u32::MAX);
        let wait = retry.saturating_mul(factor).min(max.max(retry));
        let largest = u64::try_from((wait / JITTER).as_nanos()).unwrap_or(u64::MAX);
        let jitter = u128::from(largest) * u128::from(random) / u128::from(u64::MAX);
        wait.saturating_add(Duration::from_nanos(u64::try_from(jitter).unwrap_or(u64::MAX)))
    }
}

/// Returns the value of `Last-Event-ID`: UTF-8 as it is. `None` if there is no ID, or one that cannot be sent.
fn id_field(id: &str) -> Option<HeaderValue> {
    if id.is_empty() || id.len() > LONGEST_ID {
        return None;
    }
    HeaderValue::from_bytes(id.as_bytes()).ok()
}

/// Returns whether a `Content-Type` is that of an event stream. Its charset does not matter.
pub(crate) fn is_event_stream(content_type: Option<&[u8]>) -> bool {
    content_type.and_then(MediaType::parse).is_some_and(|found| found.essence == EVENT_STREAM)
}

/// Returns the error for a response that is no event stream.
pub(crate) fn wrong_type(content_type: Option<&[u8]>) -> Error {
    const SHOWN: usize = 64;
    let essence = content_type.and_then(MediaType::parse).map(|found| found.essence);
    let detail = match essence {
        Some(essence) => {
            let shown: String = essence.chars().take(SHOWN).collect();
            format!("content type is {shown}, not {EVENT_STREAM}")
        }
        None => format!("the response has no valid content type, expected {EVENT_STREAM}"),
    };
    Error::new(Kind::Decode, Phase::Decode).detail(detail)
}

#[cfg(test)]
mod tests;
