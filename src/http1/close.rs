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
mod tests {
    use super::super::testing::{Lines, headers};
    use super::*;

    /// Each reason has a text of its own, so that a log identifies it.
    #[test]
    fn reasons_have_different_texts() {
        use CloseReason::*;
        let messages = [
            PeerSaidClose,
            WeSaidClose,
            Http10,
            FramingDoubt,
            CloseDelimited,
            LeftoverBytes,
            BodyUnread,
            RequestIncomplete,
            Upgraded,
            EarlyEof,
            ProtocolError,
            Io,
            Expired,
            PeerLimit,
            EarlyCloser,
            PoolFull,
            NotAlive,
        ]
        .map(|reason| reason.to_string());
        let different: std::collections::BTreeSet<_> = messages.iter().collect();
        assert_eq!(different.len(), messages.len(), "{messages:?}");
        assert!(messages.iter().all(|message| !message.is_empty() && !message.contains('\n')));
    }

    #[test]
    fn keep_alive_by_version_and_connection_fields() {
        use CloseReason::{Http10, PeerSaidClose};
        let cases: [(Version, Lines, Result<(), CloseReason>); 13] = [
            (Version::HTTP_11, &[], Ok(())),
            (Version::HTTP_11, &[("connection", "close")], Err(PeerSaidClose)),
            (Version::HTTP_11, &[("connection", "Close")], Err(PeerSaidClose)),
            (Version::HTTP_11, &[("connection", "foo ,\tclose")], Err(PeerSaidClose)),
            (Version::HTTP_11, &[("connection", "closed, x-close")], Ok(())),
            (Version::HTTP_11, &[("connection", "\"close\"")], Ok(())),
            (Version::HTTP_11, &[("proxy-connection", "close")], Ok(())),
            (
                Version::HTTP_11,
                &[("connection", "close"), ("connection", "keep-alive")],
                Err(PeerSaidClose),
            ),
            (Version::HTTP_10, &[], Err(Http10)),
            (Version::HTTP_10, &[("connection", "Keep-Alive")], Ok(())),
            (Version::HTTP_10, &[("connection", "keep-alive, close")], Err(PeerSaidClose)),
            (Version::HTTP_10, &[("proxy-connection", "keep-alive")], Err(Http10)),
            (Version::HTTP_09, &[], Err(Http10)),
        ];
        for (version, fields, outcome) in cases {
            assert_eq!(keep_alive(version, &headers(fields)), outcome, "{version:?} {fields:?}");
        }
    }
}

#[cfg(test)]
mod lifetime_tests {
    use proptest::prelude::*;

    use super::super::testing::headers;
    use super::*;

    fn said_by(value: &str) -> (Option<u64>, Option<u64>) {
        let (timeout, requests) = said(&headers(&[("keep-alive", value)]));
        (timeout.map(|timeout| timeout.as_secs()), requests)
    }

    #[test]
    fn parameters_of_the_field() {
        let rows = [
            ("timeout=5", (Some(5), None)),
            ("timeout=5, max=100", (Some(5), Some(100))),
            ("max=99,timeout=15", (Some(15), Some(99))),
            ("Timeout = 5 ;\tMAX= 7", (Some(5), Some(7))),
            ("timeout=\"5\", max=\"2\"", (Some(5), Some(2))),
            ("timeout=5, timeout=3", (Some(3), None)),
            ("max=0", (None, Some(0))),
            ("timeout=0", (Some(0), None)),
            ("timeout=5s", (Some(5), None)),
            ("timeout=1.9", (Some(1), None)),
            ("timeout=9223372036854775807", (Some(u64::MAX / 2), None)),
            // Invalid, and so ignored.
            ("", (None, None)),
            ("300", (None, None)),
            ("timeout", (None, None)),
            ("timeout=", (None, None)),
            ("timeout=-1", (None, None)),
            ("timeout=+5", (None, None)),
            ("timeout=99999999999999999999999", (None, None)),
            ("xtimeout=5, timeoutx=5", (None, None)),
            ("timeout=\u{ff15}", (None, None)),
        ];
        for (value, expected) in rows {
            assert_eq!(said_by(value), expected, "{value:?}");
        }
        let two = headers(&[("Keep-Alive", "timeout=9"), ("keep-alive", "timeout=4, max=3")]);
        assert_eq!(said(&two), (Some(Duration::from_secs(4)), Some(3)));
    }

    #[test]
    fn a_connection_is_given_up_before_the_peer_closes_it() {
        let now = Instant::now();
        let rows = [
            ("timeout=1", Some(500)),
            ("timeout=2", Some(1000)),
            ("timeout=5", Some(4000)),
            ("timeout=60, max=1", Some(59_000)),
            ("timeout=0", Some(0)),
            ("max=0", Some(0)),
            ("timeout=60, max=0", Some(0)),
            ("max=5", None),
            ("timeout=9223372036854775807", None),
        ];
        for (value, expected) in rows {
            let mut lifetime = Lifetime::default();
            lifetime.answered(&headers(&[("keep-alive", value)]), now);
            let left = lifetime.until().map(|until| until.duration_since(now).as_millis());
            assert_eq!(left, expected, "{value}");
        }
    }

    #[test]
    fn requests_are_counted_and_the_timeout_restarts() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let mut lifetime = Lifetime::default();
        let mut answered = |value: &str, at: u32| {
            lifetime.answered(&headers(&[("keep-alive", value)]), start + second * at);
            let until = lifetime.until().map(|until| until.duration_since(start).as_secs());
            (lifetime.requests, until)
        };
        assert_eq!(answered("timeout=5, max=4", 0), (Some(4), Some(4)));
        assert_eq!(answered("timeout=5, max=3", 2), (Some(3), Some(6)), "as Apache counts");
        assert_eq!(
            answered("timeout=5, max=4", 3),
            (Some(2), Some(7)),
            "the number never increases"
        );
        assert_eq!(answered("", 9), (Some(1), Some(13)), "said once");
        assert_eq!(answered("timeout=5, max=100", 10), (Some(0), Some(10)), "this was the last");
    }

    proptest! {
        /// Any value: no panic, and never later than the smallest number of seconds.
        #[test]
        fn any_value(value in "[ -~]{0,40}", seconds in 0..1_u64 << 40) {
            let now = Instant::now();
            let mut lifetime = Lifetime::default();
            lifetime.answered(&headers(&[("keep-alive", &*value)]), now);
            let timeout = format!("timeout={seconds}");
            let both = [("keep-alive", &*value), ("keep-alive", &*timeout)];
            lifetime.answered(&headers(&both), now);
            if let Some(end) = now.checked_add(Duration::from_secs(seconds)) {
                prop_assert!(lifetime.until().is_some_and(|until| until <= end));
            }
        }
    }
}
