//! The durations of the phases of a call.

// For maintainers: a phase lasts from the end of the last one until the driver calls `lap`. The
// budget (`policy/deadline.rs`) owns the value, because it is where the driver says what happens,
// and passes the time in. It exists only if the client records timings.

use std::fmt;
use std::time::{Duration, Instant};

/// The time that a call took, until the head of its response was received or it failed, by attempt and
/// phase.
///
/// [`Response::timings`](crate::client::response::Response::timings) and
/// [`Error::timings`](crate::error::Error::timings) return it. A hop is one attempt to send a request:
/// each redirect, each answer to an authentication challenge and each retry adds one.
///
/// ```no_run
/// let response = leanhttp::get("https://example.org/")?;
/// if let Some(timings) = response.timings() {
///     for hop in timings.attempts() {
///         println!("connected in {:?}, answered in {:?}", hop.connect(), hop.first_byte());
///     }
///     println!("{:?} in all", timings.total());
/// }
/// # Ok::<(), leanhttp::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Timings {
    started: Instant,
    /// The end of the last completed phase.
    last: Instant,
    previous: Vec<Attempt>,
    current: Attempt,
}

/// The durations of one attempt. A phase that did not take place has none: a reused connection needs
/// no lookup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attempt {
    /// The time from the start of the call to that of the attempt.
    start: Duration,
    queue: Option<Duration>,
    resolve: Option<Duration>,
    connect: Option<Duration>,
    handshake: Option<Duration>,
    request: Option<Duration>,
    first_byte: Option<Duration>,
}

/// A phase of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lap {
    Queue,
    Resolve,
    Connect,
    Handshake,
    Request,
    FirstByte,
}

impl Timings {
    pub(crate) fn start(now: Instant) -> Self {
        Self { started: now, last: now, previous: Vec::new(), current: Attempt::default() }
    }

    /// Ends a phase. It began when the one before ended.
    pub(crate) fn lap(&mut self, lap: Lap, now: Instant) {
        let time = now.saturating_duration_since(self.last);
        let sum = self.current.time(lap);
        *sum = Some(sum.unwrap_or_default().saturating_add(time));
        self.last = now;
    }

    /// Begins the next attempt.
    pub(crate) fn next_hop(&mut self, now: Instant) {
        let start = now.saturating_duration_since(self.started);
        self.previous
            .push(std::mem::replace(&mut self.current, Attempt { start, ..Attempt::default() }));
        self.last = now;
    }

    /// Returns the end of the last completed phase.
    pub(crate) fn last(&self) -> Instant {
        self.last
    }

    /// Returns the last attempt.
    #[cfg(feature = "har")]
    pub(crate) fn current(&self) -> Attempt {
        self.current
    }

    /// Returns the attempts in order, at least one.
    pub fn attempts(&self) -> impl Iterator<Item = &Attempt> {
        self.previous.iter().chain([&self.current])
    }

    /// Returns the time from `send` to the end of the last phase. It includes the time between phases:
    /// work of the client, draining bodies, delays before a retry.
    pub fn total(&self) -> Duration {
        self.last.saturating_duration_since(self.started)
    }
}

/// Shows the phases as a waterfall that fits a terminal: a line for each, with its time in milliseconds and its
/// place in the call.
///
/// ```text
/// attempt 1
///   resolve         2.104 ms |###                                     |
///   connect        11.870 ms |   ################                     |
///   request         0.062 ms |                   #                    |
///   first byte     15.221 ms |                   #####################|
/// total            29.257 ms
/// ```
impl fmt::Display for Timings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (attempt, number) in self.attempts().zip(1..) {
            writeln!(f, "attempt {number}")?;
            let mut start = attempt.start;
            for (name, time) in attempt.phases() {
                let bar = bar(start, time, self.total());
                writeln!(f, "  {name:<10} {:>10.3} ms |{bar}|", millis(time))?;
                start = start.saturating_add(time);
            }
        }
        write!(f, "total {:>17.3} ms", millis(self.total()))
    }
}

/// The number of columns of a waterfall's bars.
const COLUMNS: usize = 40;

/// Returns the bar of a phase: at least one column, so that none is missed.
fn bar(start: Duration, time: Duration, total: Duration) -> String {
    let column = |at: Duration| {
        let share = at.as_secs_f64() / total.as_secs_f64().max(f64::MIN_POSITIVE);
        // In range: a share is at most 1, and no number is 0 here.
        ((share * COLUMNS as f64).round() as usize).min(COLUMNS)
    };
    let first = column(start).min(COLUMNS - 1);
    let length = column(start.saturating_add(time)).saturating_sub(first).max(1);
    format!("{:first$}{:#<length$}{:rest$}", "", "", "", rest = COLUMNS - first - length)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

impl Attempt {
    /// Returns the time from the start of the call to that of this attempt.
    pub fn start(&self) -> Duration {
        self.start
    }

    /// Returns the phases that took place, in their order.
    fn phases(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        let phases = [
            ("queue", self.queue),
            ("resolve", self.resolve),
            ("connect", self.connect),
            ("handshake", self.handshake),
            ("request", self.request),
            ("first byte", self.first_byte),
        ];
        phases.into_iter().filter_map(|(name, time)| Some((name, time?)))
    }

    /// Returns the time in the queue for a connection, where the number of connections is limited.
    pub fn queue(&self) -> Option<Duration> {
        self.queue
    }

    /// Returns the time of the name lookup, for the origin or the proxy; zero if the host is an IP
    /// address. `None` if a connection was reused.
    pub fn resolve(&self) -> Option<Duration> {
        self.resolve
    }

    /// Returns the time of connecting. `None` if a connection was reused.
    pub fn connect(&self) -> Option<Duration> {
        self.connect
    }

    /// Returns the time of the TLS handshake and of opening a tunnel through a proxy.
    pub fn handshake(&self) -> Option<Duration> {
        self.handshake
    }

    /// Returns the time of sending the request: from the connection being ready until the system has
    /// taken the last byte. Over TLS this includes the client's last handshake flight, which is sent with it.
    pub fn request(&self) -> Option<Duration> {
        self.request
    }

    /// Returns the time of waiting for the response, from then until its head was received.
    pub fn first_byte(&self) -> Option<Duration> {
        self.first_byte
    }

    fn time(&mut self, lap: Lap) -> &mut Option<Duration> {
        match lap {
            Lap::Queue => &mut self.queue,
            Lap::Resolve => &mut self.resolve,
            Lap::Connect => &mut self.connect,
            Lap::Handshake => &mut self.handshake,
            Lap::Request => &mut self.request,
            Lap::FirstByte => &mut self.first_byte,
        }
    }
}

#[cfg(test)]
mod tests;
