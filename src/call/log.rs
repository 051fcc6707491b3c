//! Logs calls, and the client's decisions, through the crate `log`, at the level `debug`. Lines contain no
//! field, no query, no user and no password.
//!
//! # One line for each call
//!
//! It is logged when the call is done, for the target `leanhttp::call`:
//!
//! | line | when |
//! | --- | --- |
//! | `GET http://a.example/x: 200 OK, 5120 bytes in 15.2ms, new connection` | the body was read to its end |
//! | `GET ...: 200 OK, dropped after 512 bytes in 15.2ms, reused connection` | the response was dropped before |
//! | `GET ...: 200 OK, failed after 512 bytes in 30.0s, new connection: Timeout: ...` | reading the body failed |
//! | `GET ...: failed in 176.8µs: Connect: 127.0.0.1:9: Connection refused (os error 111)` | there is no response |
//! | `GET ...: dropped in 1.2s` | the future of the call was dropped before there was one |
//!
//! Bytes are those that the program read, after decoding. The time is that of the whole call, from `send` to
//! its end. The number of attempts follows if there was more than one: redirects, retries, answers to
//! challenges. A failure has its [`Kind`](crate::error::Kind), and its cause as far as that can hold no secret:
//! see [`SafeCause`].
//!
//! # One line for each decision
//!
//! For the target `leanhttp`, whenever a person would ask about it because a request behaves unexpectedly:
//!
//! | line | when |
//! | --- | --- |
//! | `https://example.org:443: connected to 192.0.2.1:443` | a connection was opened |
//! | `...: reusing a connection` | an idle one is used |
//! | `...: closing a connection: REASON` | with the text of its [`CloseReason`] |
//! | `http://a.example/x: redirected (302) to http://b.example/y` | a redirect is followed |
//! | `...: sent again: ...` | after a stale connection |
//! | `...: trying again in 200ms: REASON` | by the retry policy |
//!
//! So `leanhttp::call=debug` switches on the calls alone, and `leanhttp=debug` everything. URLs are shown
//! without user, query and fragment, since those carry secrets (`tests/log.rs`,
//! `each_decision_is_logged_without_secrets`, `the_line_of_a_failed_call_shows_no_secret`). A logger may use the
//! client itself, and may panic (`tests/log_foreign.rs`, `s11_a_logger_may_use_the_client_and_may_panic`): no
//! lock is held here.
//!
//! The lines of one GET that is redirected, on an empty pool, and of the next one:
//!
//! ```text
//! http://a.example:80: connected to 192.0.2.1:80
//! http://a.example/old: redirected (302 Found) to http://a.example/new
//! http://a.example:80: reusing a connection
//! GET http://a.example/new: 200 OK, 120 bytes in 15.2ms, reused connection, 2 attempts
//! http://a.example:80: reusing a connection            the next GET
//! GET http://a.example/: 200 OK, 80 bytes in 8.1ms, reused connection
//! http://a.example:80: closing a connection: the peer said Connection: close
//! ```
//!
//! Without the feature `log` these functions are empty (`off`), and with it a line costs one
//! comparison of the level unless a logger wants it: its text is formatted only then.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use log::{Level, LevelFilter};

use super::report::{ReportClock, ReportedAnswer};
use super::shown::Page;
use crate::base::timings::Timings;
use crate::body::BodyError;
use crate::coding::CodingError;
use crate::error::{Error, Kind, Phase};
use crate::http1::close::CloseReason;
use crate::http1::error::ProtocolError;
use crate::policy::deadline::Expired;
use crate::policy::egress::Denied;
use crate::policy::retry;
use crate::policy::route::{Route, Target};
use crate::transport::connect::ConnectError;
use crate::transport::pipe::PipeError;
use crate::transport::tunnel::TunnelError;
use crate::url::Scheme;
use crate::url::Url;

const DECISIONS: &str = "leanhttp";
const CALLS: &str = "leanhttp::call";

/// The line of a call, which is logged when the call is done, or else when this is dropped.
pub(crate) struct CallLine {
    method: Method,
    url: Url,
    started: Instant,
    clock: ReportClock,
    attempts: usize,
    /// The status of the response, and whether its connection was reused; `None` before.
    answer: Option<(StatusCode, bool)>,
    /// The bytes that the program has read.
    bytes: u64,
    is_logged: bool,
}

impl CallLine {
    /// Begins the line of a call, if a logger wants it.
    pub(super) fn begin(
        method: &Method,
        url: &Url,
        started: Instant,
        clock: impl FnOnce() -> ReportClock,
    ) -> Option<Self> {
        let is_wanted = log::max_level() >= LevelFilter::Debug
            && guarded(|| log::log_enabled!(target: CALLS, Level::Debug)).unwrap_or(false);
        is_wanted.then(|| Self {
            method: method.clone(),
            url: url.clone(),
            started,
            clock: clock(),
            attempts: 1,
            answer: None,
            bytes: 0,
            is_logged: false,
        })
    }

    /// Sets the request of the last hop.
    pub(super) fn moved(&mut self, method: &Method, url: &Url, timings: Option<&Timings>) {
        self.method.clone_from(method);
        self.url.clone_from(url);
        self.attempts = timings.map_or(1, |timings| timings.attempts().count());
    }

    pub(super) fn answered(&mut self, answered: &ReportedAnswer<'_>) {
        self.moved(answered.method, answered.url, answered.timings);
        self.answer = Some((answered.status, answered.is_reused));
    }

    pub(super) fn read(&mut self, count: usize) {
        self.bytes = self.bytes.saturating_add(count as u64);
    }

    pub(super) fn end(mut self) {
        self.log("", None);
    }

    pub(super) fn failed(mut self, error: &Error) {
        self.log("failed", Some(error));
    }

    fn log(&mut self, end: &str, error: Option<&Error>) {
        self.is_logged = true;
        let time = (self.clock)().saturating_duration_since(self.started);
        tell(CALLS, format_args!("{}", DoneCall { call: self, end, time, error }));
    }
}

impl Drop for CallLine {
    fn drop(&mut self) {
        if !self.is_logged {
            self.log("dropped", None);
        }
    }
}

/// Displays a call that is done. `end` is empty if its body was read to its end.
struct DoneCall<'a> {
    call: &'a CallLine,
    end: &'a str,
    time: Duration,
    error: Option<&'a Error>,
}

impl fmt::Display for DoneCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, end, time, error } = self;
        let CallLine { method, url, attempts, answer, bytes, .. } = call;
        write!(f, "{method} {}: ", Page(url))?;
        match answer {
            None => f.write_str(end)?,
            Some((status, _)) => {
                let end = if end.is_empty() { "" } else { &format!("{end} after ") };
                let s = if *bytes == 1 { "" } else { "s" };
                write!(f, "{status}, {end}{bytes} byte{s}")?;
            }
        }
        write!(f, " in {time:.1?}")?;
        match answer {
            Some((_, true)) => f.write_str(", reused connection")?,
            Some((_, false)) => f.write_str(", new connection")?,
            None => {}
        }
        if *attempts > 1 {
            write!(f, ", {attempts} attempts")?;
        }
        error.map_or(Ok(()), |error| write!(f, ": {:?}{}", error.kind(), SafeCause(error)))
    }
}

/// Displays the reason of a failure as far as it can hold no secret: no query, no field value, no text of
/// the program or of a peer.
///
/// | part of the error | shown |
/// | --- | --- |
/// | the host or the address | if there is no connection yet |
/// | the detail | if it is fixed text, a limit, or the list of addresses that failed, which has only their causes |
/// | a limit that ran out, the egress policy, a content coding, the length of a body | yes: numbers and fixed text |
/// | an error of the operating system | yes |
/// | another `io::Error`, such as that of a reader of the program | its kind; of a lookup the text, unless that may have a URL |
/// | a violation of the protocol | without the excerpt of what the peer sent |
/// | an error of TLS | its text, unless that may have a URL |
/// | a refusal by a proxy | the status or the code, not the proxy's text |
/// | anything else: middleware, a redirect policy | no: the kind says it alone |
struct SafeCause<'a>(&'a Error);

impl fmt::Display for SafeCause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (error, phase) = (self.0, self.0.phase());
        let (peer, detail) = error.peer_and_detail();
        let unconnected = matches!(
            phase,
            Phase::Resolve | Phase::Queue | Phase::Connect | Phase::Proxy | Phase::Handshake
        );
        if let Some(peer) = peer.filter(|_| unconnected) {
            write!(f, ": {peer}")?;
        }
        let is_safe = match detail {
            Cow::Borrowed(_) => true,
            Cow::Owned(_) => phase == Phase::Connect || error.kind() == Kind::Limit,
        };
        if is_safe && !detail.is_empty() {
            write!(f, ": {detail}")?;
        }
        let cause = error.get_ref().and_then(|cause| shown_cause(cause, phase));
        cause.map_or(Ok(()), |cause| write!(f, ": {}", one_line(&cause)))
    }
}

/// Returns the text of a cause, see [`SafeCause`].
fn shown_cause(cause: &(dyn StdError + 'static), phase: Phase) -> Option<String> {
    if let Some(error) = cause.downcast_ref::<io::Error>() {
        return Some(io_text(error, phase));
    }
    if let Some(error) = cause.downcast_ref::<PipeError>() {
        return pipe_text(error);
    }
    let is_safe = cause.is::<Expired>()
        || cause.is::<Denied>()
        || cause.is::<CodingError>()
        || cause.is::<BodyError>();
    is_safe.then(|| cause.to_string())
}

fn io_text(error: &io::Error, phase: Phase) -> String {
    let Some(inner) = error.get_ref() else { return error.to_string() };
    match inner.downcast_ref::<PipeError>() {
        Some(error) => pipe_text(error),
        // The resolver knows nothing of the request but its host.
        None if phase == Phase::Resolve => Some(error.to_string()).filter(|text| !has_url(text)),
        None => None,
    }
    .unwrap_or_else(|| error.kind().to_string())
}

fn pipe_text(error: &PipeError) -> Option<String> {
    match error {
        PipeError::Protocol(error)
        | PipeError::Tunnel(TunnelError::Connect(ConnectError::Protocol(error))) => {
            Some(without_excerpt(error))
        }
        PipeError::Tunnel(TunnelError::Connect(ConnectError::Refused(refusal))) => {
            Some(format!("the proxy answered {}", refusal.status))
        }
        PipeError::Tls(_) => Some(error.to_string()).filter(|text| !has_url(text)),
        PipeError::Tunnel(TunnelError::Socks(_)) | PipeError::ClosedInHandshake => {
            Some(error.to_string())
        }
    }
}

/// Returns the text of a violation without what the peer sent.
fn without_excerpt(error: &ProtocolError) -> String {
    let text = match error {
        ProtocolError::InvalidStatusLine(_) => "invalid status line",
        ProtocolError::UnsupportedVersion(_) => "unsupported HTTP version",
        ProtocolError::InvalidStatus(_) => "invalid status code",
        ProtocolError::InvalidField(_) => "invalid header field",
        ProtocolError::InvalidTrailer(_) => "invalid trailer field",
        ProtocolError::InvalidContentLength(_) => "invalid Content-Length",
        ProtocolError::UnsupportedTransferCoding(_) => "unsupported transfer coding",
        other => return other.to_string(),
    };
    text.to_owned()
}

/// Returns whether a text may have a URL with a password or a query.
fn has_url(text: &str) -> bool {
    text.contains("//") || text.contains(['?', '@'])
}

/// Passes a line to the program's logger.
fn tell(target: &str, line: fmt::Arguments<'_>) {
    if log::max_level() >= LevelFilter::Debug {
        guarded(|| log::debug!(target: target, "{line}"));
    }
}

/// Calls the program's logger. Connections are also closed while a panic unwinds, where a second panic
/// would abort the process, so a panic of the logger is caught here after the panic hook has reported it.
pub(super) fn guarded<T>(logger: impl FnOnce() -> T) -> Option<T> {
    panic::catch_unwind(AssertUnwindSafe(logger)).ok()
}

pub(crate) fn connected(route: &Route, peer: Option<SocketAddr>) {
    match peer {
        Some(peer) => tell(DECISIONS, format_args!("{}: connected to {peer}", Way(route))),
        None => tell(DECISIONS, format_args!("{}: connected to a Unix socket", Way(route))),
    }
}

pub(crate) fn reused(route: &Route) {
    tell(DECISIONS, format_args!("{}: reusing a connection", Way(route)));
}

pub(crate) fn closed(route: &Route, reason: CloseReason) {
    tell(DECISIONS, format_args!("{}: closing a connection: {reason}", Way(route)));
}

pub(crate) fn redirected(status: StatusCode, from: &Url, to: &Url) {
    tell(DECISIONS, format_args!("{}: redirected ({status}) to {}", Page(from), Page(to)));
}

pub(crate) fn sent_again(url: &Url, why: &str) {
    tell(DECISIONS, format_args!("{}: sent again: {why}", Page(url)));
}

pub(crate) fn retried(url: &Url, reason: retry::Reason, delay: Duration) {
    tell(DECISIONS, format_args!("{}: trying again in {delay:?}: {reason}", Page(url)));
}

/// Returns a text from another crate or a peer as one line.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

pub(super) fn route_text(route: &Route) -> String {
    Way(route).to_string()
}

/// Displays the route of a connection.
struct Way<'a>(&'a Route);

impl fmt::Display for Way<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Route::Direct(target) => DisplayOrigin(target).fmt(f),
            Route::Forward(hop) => write!(f, "http via {hop}"),
            Route::Tunnel(hop, target) => write!(f, "{} via {hop}", DisplayOrigin(target)),
        }
    }
}

struct DisplayOrigin<'a>(&'a Target);

impl fmt::Display for DisplayOrigin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.0.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        write!(f, "{scheme}://{}", self.0.authority())
    }
}
