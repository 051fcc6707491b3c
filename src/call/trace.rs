//! Spans of the crate `tracing` (feature `tracing`), by the OpenTelemetry conventions for HTTP clients.
//!
//! ```text
//! request                 a call, from `send` to the end of its body; kind internal
//!  ├─ attempt             one try of one hop; kind client, named by its method
//!  │   └─ connect         a new connection: lookup and addresses; kind internal
//!  └─ attempt             after a redirect, a retry, a challenge: with http.request.resend_count
//! ```
//!
//! The conventions ask for a client span for each attempt, and not for another one around them, so the outer
//! span is an internal one. All have the target `leanhttp` and the level `INFO`; `otel.name`, `otel.kind` and
//! `otel.status_code` are what the crate tracing-opentelemetry reads. URLs are shown without user, query and fragment, as in the log.
//!
//! A span is entered while a future is polled, and at no other time ([`within`]): a guard that lives across
//! an `await` would stay entered while the thread runs other tasks. The TLS handshake is part of the attempt,
//! with whose first bytes it is sent. While the program reads the body, no span is entered; those of
//! the request and of its last attempt close when the body has ended or is dropped.

use std::net::SocketAddr;

use http::{Method, StatusCode, Version};
use tracing::field::{Empty, display};
use tracing::instrument::{Instrument, Instrumented};
use tracing::{Level, Span, span};

use super::shown::Page;
use crate::error::Error;
use crate::http1::head::ResponseHead;
use crate::policy::route::Route;
use crate::url::Url;

const TARGET: &str = "leanhttp";

/// The spans of a call that are open.
pub(crate) struct CallSpans {
    request: Span,
    attempt: Span,
    /// The number of attempts so far.
    attempts: u32,
}

/// A span to run a future in.
pub(crate) struct Running(Span);

/// Enters the span at each poll of the future, and leaves it at the end of the poll.
pub(crate) fn within<T: Future>(running: &Running, future: T) -> Instrumented<T> {
    future.instrument(running.0.clone())
}

impl CallSpans {
    /// Opens the span of a call, if a subscriber wants it.
    pub(super) fn open(method: &Method, url: &Url) -> Option<Self> {
        let request = span!(
            target: TARGET,
            Level::INFO,
            "request",
            otel.kind = "internal",
            http.request.method = known(method),
            url.full = %Page(url),
            http.response.status_code = Empty,
            "error.type" = Empty,
            otel.status_code = Empty,
        );
        let is_wanted = !request.is_disabled();
        is_wanted.then(|| Self { request, attempt: Span::none(), attempts: 0 })
    }

    pub(super) fn request(&self) -> Running {
        Running(self.request.clone())
    }

    /// Opens the span of the next attempt, and closes that of the last one.
    pub(super) fn attempt(&mut self, method: &Method, url: &Url) -> Running {
        let resends = (self.attempts > 0).then_some(u64::from(self.attempts));
        self.attempts = self.attempts.saturating_add(1);
        let known = known(method);
        self.attempt = span!(
            target: TARGET,
            parent: &self.request,
            Level::INFO,
            "attempt",
            otel.name = if known == OTHER { "HTTP" } else { known },
            otel.kind = "client",
            http.request.method = known,
            http.request.method_original = (known == OTHER).then(|| method.as_str()),
            url.full = %Page(url),
            server.address = url.host_str().unwrap_or_default(),
            server.port = url.port_or_known_default().map(u64::from),
            http.request.resend_count = resends,
            http.response.status_code = Empty,
            network.protocol.version = Empty,
            network.peer.address = Empty,
            network.peer.port = Empty,
            "error.type" = Empty,
            otel.status_code = Empty,
        );
        Running(self.attempt.clone())
    }

    /// Opens the span of a new connection.
    pub(super) fn connect(&self, route: &Route) -> Running {
        let (host, port) = route.next_stop();
        Running(span!(
            target: TARGET,
            parent: &self.attempt,
            Level::INFO,
            "connect",
            otel.kind = "internal",
            server.address = host,
            server.port = u64::from(port),
            network.peer.address = Empty,
            network.peer.port = Empty,
            "error.type" = Empty,
            otel.status_code = Empty,
        ))
    }

    /// Records the response of the attempt. By the conventions a status of 400 or more is an error of a client
    /// span.
    pub(super) fn attempt_answered(&self, head: &ResponseHead, peer: Option<SocketAddr>) {
        let version = if head.version == Version::HTTP_10 { "1.0" } else { "1.1" };
        self.attempt.record("network.protocol.version", version);
        record_peer(&self.attempt, peer);
        record_status(&self.attempt, head.status);
    }

    /// Records that the attempt got no response.
    pub(super) fn attempt_failed(&mut self, error: &Error) {
        record_error(&self.attempt, error);
        self.attempt = Span::none(); // a retry may wait for long
    }

    /// Records the final response.
    pub(super) fn answered(&self, status: StatusCode) {
        record_status(&self.request, status);
    }

    /// Records that the call failed, or reading its body.
    pub(super) fn failed(&self, error: &Error) {
        record_error(&self.attempt, error);
        record_error(&self.request, error);
    }
}

impl Running {
    /// A span that is off.
    pub(super) fn none() -> Self {
        Self(Span::none())
    }

    /// Records whether there is a connection.
    pub(crate) fn connected(&self, peer: Result<Option<SocketAddr>, &Error>) {
        match peer {
            Ok(peer) => record_peer(&self.0, peer),
            Err(error) => record_error(&self.0, error),
        }
    }
}

const OTHER: &str = "_OTHER";

/// Returns the name of a method that the conventions know: those of RFC 9110 and PATCH.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::TRACE => "TRACE",
        Method::CONNECT => "CONNECT",
        _ => OTHER,
    }
}

fn record_peer(span: &Span, peer: Option<SocketAddr>) {
    let Some(peer) = peer else { return };
    span.record("network.peer.address", display(peer.ip()));
    span.record("network.peer.port", u64::from(peer.port()));
}

fn record_status(span: &Span, status: StatusCode) {
    span.record("http.response.status_code", u64::from(status.as_u16()));
    if status.is_client_error() || status.is_server_error() {
        span.record("error.type", status.as_str());
        span.record("otel.status_code", "ERROR");
    }
}

/// The class of an error is its kind. Its text may have the query of the URL.
fn record_error(span: &Span, error: &Error) {
    span.record("error.type", display(format_args!("{:?}", error.kind())));
    span.record("otel.status_code", "ERROR");
}
