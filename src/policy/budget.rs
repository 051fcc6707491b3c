//! The deadlines of a call: arithmetic on `now`, nothing else.

use std::fmt;
use std::time::{Duration, Instant};

/// How long each part of a call may take; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timeouts {
    /// Looking up the name, connecting and the TLS handshake together, once per hop.
    pub(crate) connect: Option<Duration>,
    /// Between two bytes received.
    pub(crate) read: Option<Duration>,
    /// Between two bytes sent.
    pub(crate) write: Option<Duration>,
    /// From `send` to the last byte of the body, over redirects and everything else.
    pub(crate) total: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            // A handshake over three lost packets takes 7 s; who does not answer by then won't.
            connect: Some(Duration::from_secs(10)),
            // Long enough for a slow query, short enough that nothing hangs for ever.
            read: Some(Duration::from_secs(30)),
            write: Some(Duration::from_secs(30)),
            // A limit on the total would cut large downloads short; it has to be asked for.
            total: None,
        }
    }
}

/// Which deadline passed, and how long it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expired {
    which: Which,
    length: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Connect,
    Continue,
    Read,
    Write,
    Total,
}

/// How long a body waits for `100 Continue`: curl and Go give a server as much.
const CONTINUE: Duration = Duration::from_secs(1);

/// What is about to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Connect,
    /// Reading, while the request's body waits for `100 Continue`.
    Continue,
    Read,
    Write,
}

/// How long an operation may wait, and what to say if that was not enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// Never zero; `None` waits for ever.
    pub(crate) at_most: Option<Duration>,
    /// Told when the wait was in vain.
    pub(crate) expired: Expired,
}

/// The deadlines of one call.
#[derive(Debug, Clone)]
pub struct Budget {
    timeouts: Timeouts,
    total: Option<Instant>,
    /// Set while a connection is being made.
    connect: Option<Instant>,
}

impl Budget {
    /// Starts the clock of the total limit.
    pub(crate) fn start(timeouts: Timeouts, now: Instant) -> Self {
        let total = timeouts.total.and_then(|total| now.checked_add(total));
        Self { timeouts, total, connect: None }
    }

    /// Starts the clock for making a connection, unless it runs already.
    pub(crate) fn start_connecting(&mut self, now: Instant) {
        let deadline = || self.timeouts.connect.and_then(|connect| now.checked_add(connect));
        self.connect = self.connect.or_else(deadline);
    }

    /// The connection is made: its clock stops.
    pub(crate) fn connected(&mut self) {
        self.connect = None;
    }

    /// The same deadlines, but no more than `limit` from now on in all.
    pub(crate) fn shortened(&self, limit: Duration, now: Instant) -> Self {
        let end = now.checked_add(limit);
        let total = self.total.map_or(end, |total| end.map(|end| end.min(total)).or(Some(total)));
        Self { total, ..self.clone() }
    }

    /// How long `operation` may wait from now on; an error if no time is left.
    ///
    /// The clock is asked only if there is a deadline to compare it with.
    pub(crate) fn wait(
        &self,
        operation: Operation,
        now: impl FnOnce() -> Instant,
    ) -> Result<Wait, Expired> {
        let idle = self.idle(operation);
        if idle.at_most.is_some_and(|at_most| at_most.is_zero()) {
            return Err(idle.expired); // to a socket, zero is for ever or an error
        }
        let Some((deadline, expired)) = self.deadline() else { return Ok(idle) };
        let left = deadline.saturating_duration_since(now());
        if left.is_zero() {
            return Err(expired);
        }
        match idle.at_most {
            Some(at_most) if at_most <= left => Ok(idle),
            _ => Ok(Wait { at_most: Some(left), expired }),
        }
    }

    /// The limit on this one operation, without regard to the deadlines.
    fn idle(&self, operation: Operation) -> Wait {
        let (which, at_most) = match operation {
            Operation::Connect => (Which::Connect, None),
            Operation::Continue => (Which::Continue, Some(CONTINUE)),
            Operation::Read => (Which::Read, self.timeouts.read),
            Operation::Write => (Which::Write, self.timeouts.write),
        };
        Wait { at_most, expired: Expired { which, length: at_most.unwrap_or_default() } }
    }

    /// The nearest deadline.
    fn deadline(&self) -> Option<(Instant, Expired)> {
        let expired =
            |which, length: Option<Duration>| Expired { which, length: length.unwrap_or_default() };
        let total = self.total.map(|at| (at, expired(Which::Total, self.timeouts.total)));
        let connect = self.connect.map(|at| (at, expired(Which::Connect, self.timeouts.connect)));
        match (total, connect) {
            (Some(total), Some(connect)) if connect.0 < total.0 => Some(connect),
            (total, connect) => total.or(connect),
        }
    }
}

impl Expired {
    /// Whether only the wait for `100 Continue` is over, and not the time of the call.
    pub(crate) fn is_patience(self) -> bool {
        self.which == Which::Continue
    }
}

impl fmt::Display for Expired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.length;
        match self.which {
            Which::Connect => write!(f, "no connection within {length:?} (connect timeout)"),
            Which::Continue => write!(f, "no 100 Continue for {length:?}"),
            Which::Read => write!(f, "no byte came for {length:?} (read timeout)"),
            Which::Write => write!(f, "no byte could be sent for {length:?} (write timeout)"),
            Which::Total => write!(f, "not done within {length:?} (total timeout)"),
        }
    }
}

impl std::error::Error for Expired {}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn timeouts(connect: u32, read: u32, total: u32) -> Timeouts {
        let limit = |seconds: u32| (seconds > 0).then(|| SECOND * seconds);
        Timeouts { connect: limit(connect), read: limit(read), write: None, total: limit(total) }
    }

    #[test]
    fn without_a_deadline_the_clock_is_not_asked() {
        let budget = Budget::start(Timeouts { total: None, ..Timeouts::default() }, Instant::now());
        let wait = budget.wait(Operation::Read, || panic!("asked the clock")).unwrap();
        assert_eq!(wait.at_most, Some(30 * SECOND));
    }

    /// (connect, read, total), elapsed since both clocks started, expected wait or message.
    #[test]
    fn the_shortest_limit_wins_and_names_itself() {
        let cases = [
            ((0, 5, 0), 0, Ok(Some(5)), "no byte came for 5s (read timeout)"),
            ((0, 0, 0), 0, Ok(None), "no byte came for 0ns (read timeout)"),
            ((0, 5, 10), 4, Ok(Some(5)), "no byte came for 5s (read timeout)"),
            ((0, 5, 10), 7, Ok(Some(3)), "not done within 10s (total timeout)"),
            ((0, 5, 10), 10, Err(()), "not done within 10s (total timeout)"),
            ((0, 5, 10), 99, Err(()), "not done within 10s (total timeout)"),
            ((3, 5, 10), 1, Ok(Some(2)), "no connection within 3s (connect timeout)"),
            ((3, 5, 2), 1, Ok(Some(1)), "not done within 2s (total timeout)"),
            ((3, 5, 0), 3, Err(()), "no connection within 3s (connect timeout)"),
            // Of two that end together the one that covers more is told, or else the shorter.
            ((3, 5, 3), 1, Ok(Some(2)), "not done within 3s (total timeout)"),
            ((0, 5, 10), 5, Ok(Some(5)), "no byte came for 5s (read timeout)"),
        ];
        for ((connect, read, total), elapsed, expected, message) in cases {
            let start = Instant::now();
            let mut budget = Budget::start(timeouts(connect, read, total), start);
            budget.start_connecting(start);
            let now = start + SECOND * elapsed;
            let (wait, expired) = match budget.wait(Operation::Read, || now) {
                Ok(wait) => (Ok(wait.at_most.map(|wait| wait.as_secs())), wait.expired),
                Err(expired) => (Err(()), expired),
            };
            assert_eq!(wait, expected, "{connect} {read} {total} after {elapsed}");
            assert_eq!(expired.to_string(), message);
        }
    }

    /// Only the wait for `100 Continue` ends without an error: then the body is sent.
    #[test]
    fn patience_is_a_limit_of_its_own() {
        let write = Some(2 * SECOND);
        let now = Instant::now();
        let budget = Budget::start(Timeouts { write, ..timeouts(3, 4, 9) }, now);
        for (operation, seconds, is_patience) in [
            (Operation::Continue, 1, true),
            (Operation::Write, 2, false),
            (Operation::Read, 4, false),
            (Operation::Connect, 9, false),
        ] {
            let wait = budget.wait(operation, || now).unwrap();
            assert_eq!(wait.at_most, Some(SECOND * seconds), "{operation:?}");
            assert_eq!(wait.expired.is_patience(), is_patience, "{operation:?}");
        }
    }

    #[test]
    fn what_expired_names_itself() {
        for (which, message) in [
            (Which::Continue, "no 100 Continue for 1s"),
            (Which::Write, "no byte could be sent for 1s (write timeout)"),
        ] {
            assert_eq!(Expired { which, length: SECOND }.to_string(), message);
        }
    }

    #[test]
    fn a_shortened_budget_ends_earlier_and_never_later() {
        let start = Instant::now();
        for (total, expected) in [(0, 2), (5, 2), (1, 1)] {
            let budget = Budget::start(timeouts(0, 9, total), start).shortened(2 * SECOND, start);
            let wait = budget.wait(Operation::Read, || start).unwrap();
            assert_eq!(wait.at_most, Some(SECOND * expected), "{total}");
        }
    }

    #[test]
    fn no_time_at_all_is_over_at_once() {
        let timeouts = Timeouts { read: Some(Duration::ZERO), ..Timeouts::default() };
        let budget = Budget::start(timeouts, Instant::now());
        let expired = budget.wait(Operation::Read, Instant::now).unwrap_err();
        assert_eq!(expired.to_string(), "no byte came for 0ns (read timeout)");
        assert!(budget.wait(Operation::Write, Instant::now).is_ok());
    }

    #[test]
    fn the_connect_clock_stops_when_connected() {
        let start = Instant::now();
        let mut budget = Budget::start(timeouts(3, 0, 0), start);
        budget.start_connecting(start);
        budget.start_connecting(start + 2 * SECOND);
        let left = budget.wait(Operation::Connect, || start + 2 * SECOND).unwrap().at_most;
        assert_eq!(left, Some(SECOND), "a clock that runs is not started anew");
        assert!(budget.wait(Operation::Connect, || start + 4 * SECOND).is_err());
        budget.connected();
        assert!(budget.wait(Operation::Read, || start + 4 * SECOND).is_ok());
    }

    #[test]
    fn a_limit_beyond_the_clock_is_no_limit() {
        let timeouts = Timeouts { total: Some(Duration::MAX), ..Timeouts::default() };
        let budget = Budget::start(timeouts, Instant::now());
        assert_eq!(budget.wait(Operation::Connect, Instant::now).unwrap().at_most, None);
    }
}
