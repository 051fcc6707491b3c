//! The persistence of a connection (RFC 9112 §9.3): the reasons why it cannot be reused, and the time for
//! which the peer keeps it.
//!
//! The `Keep-Alive` field (`Keep-Alive: timeout=5, max=100`) was described by RFC 2068 §19.7.1.1 and by no
//! later RFC, but Apache, Node.js and many others send it. It can only shorten the time for which a
//! connection is kept.
//!
//! # Who decides that a connection ends
//!
//! | stage | asks | reasons |
//! | --- | --- | --- |
//! | head of the response | [`keep_alive`], `framing::response_framing` | what a message says, or leaves in doubt |
//! | end of the exchange | `Exchange::reusable` | a half-read response, a half-sent request, extra bytes |
//! | the layers | `Pipe::reusable`, `Pipe::receive_idle` | a partial TLS record, data on an idle connection |
//! | the pool | `Pool::may_keep`, `Pool::put`, `Pool::expire` | age, the peer's limit, no room |
//! | the next call | `Connection::is_alive` | closed, or bytes that were not asked for |
//!
//! The first reason that is known stays (`CloseReason` is stored with `get_or_insert`), because
//! later ones follow from it. The driver logs it when the connection is dropped, and the simulation
//! sees it through `Stream::closing`; `tests/pool.rs` has a test for each reason from a message
//! (`because_one_side_sent_close`, `because_the_framing_is_ambiguous`, `because_the_body_was_not_read`
//! ...).
//!
//! # The lifetime that a peer announces
//!
//! ```text
//! Keep-Alive: timeout=5, max=100     given up after 4 s idle, and after 100 more requests
//! Keep-Alive: timeout=1              given up after 500 ms: at most half of it is margin
//! ```
//!
//! A request that is sent just before the peer closes is lost, and one that is not idempotent
//! cannot be sent again. The margin makes this rare; `tests/keep_alive.rs`
//! (`s20_the_keep_alive_field_is_followed`, `keep_alive_max_counts_the_requests`) and the tests below check it.
//!
//! HTTP/1.0 closes by default and HTTP/1.1 keeps by default; one `close` wins over any
//! `keep-alive`:
//!
//! | version | `Connection` | kept |
//! | --- | --- | --- |
//! | 1.1 | none, `keep-alive`, anything else | yes |
//! | 1.1, 1.0 | `close` on any line | no |
//! | 1.0 | `keep-alive` | yes |
//! | 1.0 | none | no |

use std::fmt;
use std::time::{Duration, Instant};

use http::Version;
use http::header::{CONNECTION, HeaderName};

use super::header_section::{Fields, has_member, trim_ows};
use crate::base::text::decimal;

/// The reason why a connection is not reused. No connection is closed without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    // From a message.
    PeerSaidClose,
    WeSaidClose,
    /// HTTP/1.0 without `Connection: keep-alive`.
    Http10,

    // The next bytes on the connection are not certainly a response.
    FramingDoubt,
    CloseDelimited,
    LeftoverBytes,
    BodyUnread,
    RequestIncomplete,
    Upgraded,

    // The exchange failed.
    EarlyEof,
    ProtocolError,
    Io,
    TimeOver,
    /// The caller dropped the call.
    Abandoned,

    // The pool's reasons.
    Expired,
    Aged,
    /// The lifetime or number of requests in the peer's `Keep-Alive` field is reached.
    PeerLimit,
    /// The peer closes connections right after each response.
    EarlyCloser,
    PoolFull,
    NotAlive,
    /// Another connection on the same route was found dead.
    Suspect,
    /// The pool was cleared, or its last client was dropped.
    LetGo,
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PeerSaidClose => "the peer said Connection: close",
            Self::WeSaidClose => "the request said Connection: close",
            Self::Http10 => "HTTP/1.0 without keep-alive",
            Self::FramingDoubt => "the framing of the response is ambiguous",
            Self::CloseDelimited => "the body ends with the connection",
            Self::LeftoverBytes => "bytes came after the end of the response",
            Self::BodyUnread => "the body was not read to its end",
            Self::RequestIncomplete => "the request was not sent to its end",
            Self::Upgraded => "the connection no longer speaks HTTP",
            Self::EarlyEof => "the peer closed the connection too early",
            Self::ProtocolError => "the peer broke the protocol",
            Self::Io => "reading or writing failed",
            Self::TimeOver => "a timeout expired",
            Self::Abandoned => "the call was dropped",
            Self::Expired => "the connection idled too long",
            Self::Aged => "the connection reached its maximum age",
            Self::PeerLimit => "the limit in the peer's Keep-Alive field is reached",
            Self::EarlyCloser => "the peer closes connections right after each response",
            Self::PoolFull => "the pool is full",
            Self::Suspect => "the peer closed another connection on the same route",
            Self::LetGo => "evicted from the pool",
            Self::NotAlive => "the peer closed the idle connection or sent data on it",
        })
    }
}

/// Checks that the peer keeps the connection open after this response (RFC 9112 §9.3).
///
/// One `close` among all members of all `Connection` lines wins over any `keep-alive`.
pub(crate) fn keep_alive(version: Version, headers: &impl Fields) -> Result<(), CloseReason> {
    if has_member(headers, &CONNECTION, "close") {
        return Err(CloseReason::PeerSaidClose);
    }
    if version >= Version::HTTP_11 || has_member(headers, &CONNECTION, "keep-alive") {
        return Ok(());
    }
    Err(CloseReason::Http10)
}

/// The name of the field.
pub(crate) const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// The time by which the client gives a connection up before the peer closes it: a request needs time to
/// reach the peer, and the peer's timer started earlier. At most half of the peer's timeout.
const MARGIN: Duration = Duration::from_secs(1);

/// The time and number of further requests for which a peer keeps a connection, as far as known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lifetime {
    timeout: Option<Duration>,
    requests: Option<u64>,
    /// The instant at which the client gives the connection up.
    until: Option<Instant>,
}

impl Lifetime {
    /// Records the head of another response. A timeout restarts with each response, also if only an
    /// earlier one contained it; the number of allowed requests decreases with each.
    pub(crate) fn answered(&mut self, headers: &impl Fields, now: Instant) {
        self.requests = self.requests.map(|requests| requests.saturating_sub(1));
        let (timeout, requests) = said(headers);
        self.timeout = timeout.or(self.timeout);
        self.requests = requests.into_iter().chain(self.requests).min();
        self.until = match (self.requests, self.timeout) {
            (Some(0), _) => Some(now),
            (_, Some(timeout)) => now.checked_add(timeout - MARGIN.min(timeout / 2)),
            (_, None) => None,
        };
    }

    /// Returns the instant at which an idle connection is given up.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }
}

/// Returns the smallest `timeout` and the smallest `max` of all lines. Invalid parameters are ignored,
/// because the field can only shorten the lifetime.
fn said(headers: &impl Fields) -> (Option<Duration>, Option<u64>) {
    let (mut timeout, mut requests) = (None, None);
    let name = KEEP_ALIVE;
    let parameters = headers.lines(&name).flat_map(|line| line.split(is_separator));
    for parameter in parameters {
        let Some(at) = parameter.iter().position(|byte| *byte == b'=') else { continue };
        let (parameter, value) = parameter.split_at(at);
        let value = value.get(1..).map(trim_ows).unwrap_or_default();
        let value = value.strip_prefix(b"\"").unwrap_or(value);
        let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let Some(number) = value.get(..digits).and_then(decimal) else { continue };
        let smallest = match trim_ows(parameter) {
            name if name.eq_ignore_ascii_case(b"timeout") => &mut timeout,
            name if name.eq_ignore_ascii_case(b"max") => &mut requests,
            _ => continue,
        };
        *smallest = Some(smallest.map_or(number, |least: u64| least.min(number)));
    }
    (timeout.map(Duration::from_secs), requests)
}

/// Accepts a semicolon too, which is invalid but occurs in practice.
fn is_separator(byte: &u8) -> bool {
    matches!(byte, b',' | b';')
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod lifetime_tests;
