//! Logs the client's decisions through the crate `log`: a line for each decision, at the level
//! `debug` and for the target `leanhttp`. Lines contain no field, no query, no user and no
//! password.

use std::fmt;
use std::net::SocketAddr;
use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

use http::StatusCode;
use log::LevelFilter;

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
