//! Shows the heads on the wire as lines of the log, and bodies as numbers of bytes: at the level `trace`, for the
//! target `leanhttp::wire`, and only where
//! [`connection_verbose`](crate::client::ClientBuilder::connection_verbose) is set.
//!
//! ```text
//! #3 is a connection to https://a.example:443
//! #3 > POST /login?next=/home HTTP/1.1
//! #3 > host: a.example
//! #3 > authorization: Basic REDACTED
//! #3 > 20 bytes of the body
//! #3 < HTTP/1.1 200 OK
//! #3 < set-cookie: session=REDACTED; path=/
//! #3 < 512 bytes of the body
//! ```
//!
//! The number counts the connections of the process, so that the lines of concurrent calls can be told apart.
//! Lines are those of HTTP, within TLS and within a tunnel. What is a secret is decided by
//! [`extra::redact`](crate::extra::redact), as for commands of curl: credentials and cookies in fields, passwords
//! and credentials in URLs, values that the program has marked as sensitive. The bytes of a body are counted
//! where they are read or written, before decoding and without the chunked coding. Trailers, the handshakes of proxies and
//! what follows a `101 Switching Protocols` are not shown.

use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderValue;
use log::{Level, LevelFilter};

use super::log::{guarded, one_line, route_text};
use crate::extra::redact;
use crate::http1::head::ResponseHead;
use crate::policy::route::Route;

const WIRE: &str = "leanhttp::wire";

/// The lines of one connection, with its number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WireLog(u64);

impl WireLog {
    /// Begins the lines of a new connection, if the client shows them.
    pub(crate) fn open(is_verbose: bool, route: &Route) -> Option<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let wire = is_verbose.then(|| Self(NEXT.fetch_add(1, Ordering::Relaxed)))?;
        wire.tell(|| vec![format!("is a connection to {}", route_text(route))]);
        Some(wire)
    }

    /// Shows the head of a request. `marked` are the values that the program has marked as sensitive.
    pub(crate) fn sent_head<'a>(&self, head: &[u8], marked: impl Iterator<Item = &'a HeaderValue>) {
        self.tell(|| directed('>', redact::head(head, &marked.collect::<Vec<_>>())));
    }

    /// Shows the head of a response, also of an interim one.
    pub(crate) fn received_head(&self, head: &ResponseHead) {
        self.tell(|| directed('<', redact::head(head.headers.raw(), &[])));
    }

    pub(crate) fn sent(&self, count: usize) {
        self.tell(|| directed('>', vec![format!("{count} bytes of the body")]));
    }

    pub(crate) fn received(&self, count: usize) {
        self.tell(|| directed('<', vec![format!("{count} bytes of the body")]));
    }

    fn tell(&self, lines: impl FnOnce() -> Vec<String>) {
        let is_wanted = log::max_level() >= LevelFilter::Trace
            && guarded(|| log::log_enabled!(target: WIRE, Level::Trace)).unwrap_or(false);
        if is_wanted {
            for line in lines() {
                let line = one_line(&line);
                guarded(|| log::trace!(target: WIRE, "#{} {line}", self.0));
            }
        }
    }
}

fn directed(direction: char, lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|line| format!("{direction} {line}")).collect()
}
