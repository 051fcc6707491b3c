//! Logs the client's decisions through the crate `log`: a line for each decision, at the level
//! `debug` and for the target `leanhttp`. Lines contain no field, no query, no user and no
//! password.
//!
//! One line for each decision that a person asks about when a request behaves unexpectedly:
//!
//! | line | when |
//! | --- | --- |
//! | `GET https://example.org/x: 200 OK in 15.2ms` | a call has its response; its body is not read yet |
//! | `GET https://example.org/x: failed in 30.0s: Timeout` | a call has none; with the [`Kind`] |
//! | `https://example.org:443: connected to 192.0.2.1:443` | a connection was opened |
//! | `...: reusing a connection` | an idle one is used |
//! | `...: closing a connection: REASON` | with the text of its [`CloseReason`] |
//! | `http://a.example/x: redirected (302) to http://b.example/y` | a redirect is followed |
//! | `...: sent again: ...` | after a stale connection |
//! | `...: trying again in 200ms: REASON` | by the retry policy |
//!
//! There is one level and one target, so that a program can switch the lines on without a list of
//! modules. URLs are shown without user, query and fragment, since those carry secrets
//! (`tests/log.rs`, `each_decision_is_logged_without_secrets`). A logger may use the client itself,
//! and may panic (`tests/log_foreign.rs`, `s11_a_logger_may_use_the_client_and_may_panic`): no lock
//! is held here.
//!
//! The lines of one GET that is redirected, on an empty pool, and of the next one:
//!
//! ```text
//! http://a.example:80: connected to 192.0.2.1:80
//! http://a.example/old: redirected (302 Found) to http://a.example/new
//! http://a.example:80: reusing a connection
//! GET http://a.example/new: 200 OK in 15.2ms
//! http://a.example:80: reusing a connection            the next GET
//! GET http://a.example/: 200 OK in 8.1ms
//! http://a.example:80: closing a connection: the peer said Connection: close
//! ```
//!
//! Without the feature `log` these functions are empty (`off`), and with it a line costs one
//! comparison of the level unless a logger wants it: its text is formatted only then.

use std::fmt;
use std::net::SocketAddr;
use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

use http::{Method, StatusCode};
use log::LevelFilter;

use crate::base::timings::Timings;
use crate::error::Kind;
use crate::http1::close::CloseReason;
use crate::policy::retry::Reason;
use crate::policy::route::{Route, Target};
use crate::url::Scheme;
use crate::url::Url;

const TARGET: &str = "leanhttp";

/// Passes a line to the program's logger. Connections are also closed while a panic unwinds, where
/// a second panic would abort the process, so a panic of the logger is caught here after the panic
/// hook has reported it.
fn tell(line: fmt::Arguments<'_>) {
    if log::max_level() >= LevelFilter::Debug {
        let tell = || log::debug!(target: TARGET, "{line}");
        drop(panic::catch_unwind(AssertUnwindSafe(tell)));
    }
}

pub(crate) fn answered(method: &Method, url: &Url, status: StatusCode, timings: Option<&Timings>) {
    tell(format_args!("{method} {}: {status} in {:.1?}", Page(url), total(timings)));
}

/// The text of the error is not shown: it has the query of the URL.
pub(crate) fn failed(method: &Method, url: &Url, kind: Kind, timings: Option<&Timings>) {
    tell(format_args!("{method} {}: failed in {:.1?}: {kind:?}", Page(url), total(timings)));
}

fn total(timings: Option<&Timings>) -> Duration {
    timings.map(Timings::total).unwrap_or_default()
}

pub(crate) fn connected(route: &Route, peer: Option<SocketAddr>) {
    match peer {
        Some(peer) => tell(format_args!("{}: connected to {peer}", Way(route))),
        None => tell(format_args!("{}: connected to a Unix socket", Way(route))),
    }
}

pub(crate) fn reused(route: &Route) {
    tell(format_args!("{}: reusing a connection", Way(route)));
}

pub(crate) fn closed(route: &Route, reason: CloseReason) {
    tell(format_args!("{}: closing a connection: {reason}", Way(route)));
}

pub(crate) fn redirected(status: StatusCode, from: &Url, to: &Url) {
    tell(format_args!("{}: redirected ({status}) to {}", Page(from), Page(to)));
}

pub(crate) fn sent_again(url: &Url, why: &str) {
    tell(format_args!("{}: sent again: {why}", Page(url)));
}

pub(crate) fn retried(url: &Url, reason: Reason, delay: Duration) {
    tell(format_args!("{}: trying again in {delay:?}: {reason}", Page(url)));
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

/// Displays a URL without the parts that may be secret.
struct Page<'a>(&'a Url);

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.0.scheme(), self.0.host_header(), self.0.path())
    }
}
