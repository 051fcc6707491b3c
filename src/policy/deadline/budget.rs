//! The time limits of a call: deadlines, idle timeouts, and the minimum throughput of bodies. Pure
//! arithmetic on `now`.
//!
//! ```text
//! send ─ queue ─ resolve ─ connect ─ handshake ─ request ─ first byte ─ head ─ body ─ done
//!        └pool wait┘ resolve ┘         └handshake┘         └ first byte ┘
//!                └────────── connect ──────────┘
//!                                               every read and write: idle, throughput of bodies
//! └──────────────────────────────────────── total ─────────────────────────────────────┘
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::base::cancel::CancelToken;
use crate::base::timings::{Lap, Timings};
use crate::error::Kind;
use crate::policy::deadline::throughput::{Meter, Pace};

/// The time limits of the parts of a call; `None` means no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timeouts {
    /// The limit on the DNS lookup.
    pub(crate) resolve: Option<Duration>,
    /// The limit on DNS lookup, connecting, proxy and TLS handshake together, for each attempt at a
    /// hop.
    pub(crate) connect: Option<Duration>,
    /// The limit on waiting for a pool permit, where the connections of a host are limited; the
    /// same as `connect` if unset.
    pub(crate) pool_wait: Option<Option<Duration>>,
    /// The limit on the TLS or tunnel handshake on a new connection.
    pub(crate) handshake: Option<Duration>,
    /// The limit from the last byte of the request to the first byte of the response.
    pub(crate) first_byte: Option<Duration>,
    /// The limit between two received bytes.
    pub(crate) read: Option<Duration>,
    /// The limit on the wait for the response to begin.
    pub(crate) silence: Silence,
    /// The limit between two sent bytes.
    pub(crate) write: Option<Duration>,
    /// The minimum throughput of bodies.
    pub(crate) pace: Option<Pace>,
    /// The limit from `send` to the last byte of the body, including redirects and retries.
    pub(crate) total: Option<Duration>,
}

/// The limit on the wait between the last byte of a request and the response, besides the
/// deadlines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Nothing is set: the runtime's default, reported as a first byte timeout.
    Default(Option<Duration>),
    /// The caller set the first byte timeout, which is a deadline, and not the read timeout.
    FirstByte,
    /// The caller set the read timeout, which applies here too.
    Read,
}

impl Timeouts {
    pub(crate) fn set_read(&mut self, limit: Option<Duration>) {
        (self.read, self.silence) = (limit, Silence::Read);
    }

    pub(crate) fn set_first_byte(&mut self, limit: Option<Duration>) {
        self.first_byte = limit;
        if matches!(self.silence, Silence::Default(_)) {
            self.silence = Silence::FirstByte;
        }
    }

    /// Sets the runtime's default for the wait for a response to begin, unless the caller set a
    /// limit.
    pub(crate) fn default_silence(&mut self, limit: Option<Duration>) {
        if matches!(self.silence, Silence::Default(_)) {
            self.silence = Silence::Default(limit);
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            // Included in `connect`.
            resolve: None,
            // A handshake with three lost packets takes 7 s; a peer that takes longer rarely
            // answers.
            connect: Some(Duration::from_secs(10)),
            pool_wait: None,
            // Included in `connect`.
            handshake: None,
            // Included in the runtime's default.
            first_byte: None,
            // Long enough for a slow query, short enough that nothing hangs forever.
            read: Some(Duration::from_secs(30)),
            silence: Silence::Default(Some(Duration::from_secs(30))),
            write: Some(Duration::from_secs(30)),
            // Networks may be slow; only the caller knows what is too slow.
            pace: None,
            // A limit on the total would cut off large downloads, so the caller has to set it.
            total: None,
        }
    }
}

/// The reason why a call has run out of time: the deadline that passed and its length, or that the
/// call was canceled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expired {
    which: Which,
    length: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Resolve,
    PoolWait,
    Connect,
    Handshake,
    Continue,
    FirstByte,
    Read,
    Write,
    /// The minimum throughput in bytes per second.
    Pace(u64),
    Total,
    Cancelled,
}

/// The time for which a body waits for `100 Continue`, the same as in curl and Go.
const CONTINUE: Duration = Duration::from_secs(1);

/// The operation that is about to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Waiting for a pool permit.
    Queue,
    Resolve,
    Connect,
    /// Reading while the request's body waits for `100 Continue`.
    Continue,
    Read,
    /// Reading the source of the request's body. The source is the caller's, so only deadlines
    /// apply.
    Source,
    Write,
}

/// The stage of a connection. Each stage has a clock of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Any stage without a clock.
    Other,
    /// The TLS or tunnel handshake.
    Handshake,
    /// Sending the request.
    Request,
    /// The request is sent, and no byte of the response was received.
    FirstByte,
    /// An interim response was received, and no byte of the next response.
    Interim,
    /// Reading the response's body.
    Body,
}

/// The time for which an operation may wait, and the error if it takes longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// Never zero; `None` means no limit.
    pub(crate) at_most: Option<Duration>,
    /// The error if the wait times out.
    pub(crate) expired: Expired,
}

impl Wait {
    /// Limits the wait; also returns whether the new limit is the one that ends it.
    pub(crate) fn no_longer_than(self, limit: Option<Duration>) -> (Self, bool) {
        match (self.at_most, limit) {
            (Some(own), Some(limit)) if own <= limit => (self, false),
            (_, Some(limit)) => (Self { at_most: Some(limit), ..self }, true),
            (_, None) => (self, false),
        }
    }
}

/// The deadlines of one call.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    timeouts: Arc<Timeouts>,
    total: Option<Instant>,
    /// The end of `connect`; set while a connection is being made.
    connect: Option<Instant>,
    stage: Stage,
    /// The end of the current stage.
    stage_end: Option<Instant>,
    /// The number of last looks at the socket since the stage's deadline passed.
    looks: u8,
    /// The throughput meter; set in stages that have a minimum.
    meter: Option<Box<Meter>>,
    cancel: Option<CancelToken>,
    /// `None` if timings are not enabled.
    timings: Option<Box<Timings>>,
}

/// The most looks at a socket after a deadline. Data that was received in several records takes
/// more than one read, and a peer that sends endlessly must not defer the deadline.
const LOOKS: u8 = 8;

/// The duration of such a look: on most systems a zero timeout means forever, or is an error.
const LOOK: Duration = Duration::from_millis(1);

impl Budget {
    /// Starts the clock of the total limit.
    pub(crate) fn start(timeouts: impl Into<Arc<Timeouts>>, now: Instant) -> Self {
        let timeouts = timeouts.into();
        let total = timeouts.total.and_then(|total| now.checked_add(total));
        Self {
            timeouts,
            total,
            connect: None,
            stage: Stage::Other,
            stage_end: None,
            looks: 0,
            meter: None,
            cancel: None,
            timings: Some(Box::new(Timings::start(now))),
        }
    }

    /// Creates a budget without any limit.
    pub(crate) fn unlimited(now: Instant) -> Self {
        let none = Timeouts {
            resolve: None,
            connect: None,
            pool_wait: Some(None),
            handshake: None,
            first_byte: None,
            read: None,
            silence: Silence::Read,
            write: None,
            pace: None,
            total: None,
        };
        Self { timings: None, ..Self::start(none, now) }
    }

    /// Attaches a cancel token, whose cancellation ends the call.
    pub(crate) fn until(self, cancel: Option<CancelToken>) -> Self {
        Self { cancel, ..self }
    }

    pub(crate) fn cancel_token(&self) -> Option<&CancelToken> {
        self.cancel.as_ref()
    }

    /// Starts the connect clock, unless it is already running.
    pub(crate) fn start_connecting(&mut self, now: Instant) {
        let deadline = || self.timeouts.connect.and_then(|connect| now.checked_add(connect));
        self.connect = self.connect.or_else(deadline);
        self.looks = 0;
    }

    /// Begins another attempt: only the clock of the whole call continues.
    pub(crate) fn start_over(&mut self) {
        self.connect = None;
        self.stage = Stage::Other;
        self.stage_end = None;
        self.looks = 0;
        self.meter = None;
    }

    /// Begins a stage, unless it is the current one, and stops the clock of the previous stage. The
    /// end of the handshake stage also ends `connect`.
    ///
    /// Calls the clock only if the stage has a limit, or the previous stage was timed.
    pub(crate) fn enter(&mut self, stage: Stage, now: impl Fn() -> Instant) {
        if stage != self.stage {
            self.change(stage, &now);
        }
    }

    /// Not generic, so that it is compiled only once.
    fn change(&mut self, stage: Stage, now: &dyn Fn() -> Instant) {
        if stage != Stage::Handshake {
            self.connect = None;
        }
        self.looks = 0;
        let ended = std::mem::replace(&mut self.stage, stage).lap();
        let limit = self.stage_limit();
        let now = (ended.is_some() || limit.is_some()).then(now);
        if let (Some(lap), Some(now)) = (ended, now) {
            self.lap(lap, now);
        }
        self.stage_end = limit.zip(now).and_then(|(limit, now)| now.checked_add(limit));
        let has_pace = matches!(stage, Stage::Request | Stage::Body);
        let pace = self.timeouts.pace.filter(|_| has_pace);
        self.meter = pace.map(|pace| Box::new(Meter::start(pace)));
    }

    /// Records the end of a phase.
    pub(crate) fn lap(&mut self, lap: Lap, now: Instant) {
        if let Some(timings) = &mut self.timings {
            timings.lap(lap, now);
        }
    }

    /// Records the start of another hop.
    pub(crate) fn next_hop(&mut self, now: Instant) {
        if let Some(timings) = &mut self.timings {
            timings.next_hop(now);
        }
    }

    /// Returns the latest clock reading. Call it only if no wait happened since.
    pub(crate) fn recent(&self, now: impl FnOnce() -> Instant) -> Instant {
        self.timings.as_ref().map_or_else(now, |timings| timings.last())
    }

    pub(crate) fn into_timings(self) -> Option<Box<Timings>> {
        self.timings
    }

    /// Returns the same deadlines, but at most `limit` from now in total.
    pub(crate) fn shortened(&self, limit: Duration, now: Instant) -> Self {
        let end = now.checked_add(limit);
        let total = self.total.map_or(end, |total| end.map(|end| end.min(total)).or(Some(total)));
        Self { total, ..self.of_body() }
    }

    /// Returns the instant `delay` after `now`, if the call is not canceled and has not ended by
    /// then.
    pub(crate) fn after(&self, delay: Duration, now: Instant) -> Option<Instant> {
        self.check().ok()?;
        let at = now.checked_add(delay)?;
        self.total.is_none_or(|end| at < end).then_some(at)
    }

    /// Returns the deadlines of the response's body, whose time is not recorded, and the timings so
    /// far.
    pub(crate) fn into_body(mut self) -> (Self, Option<Box<Timings>>) {
        self.start_over();
        let timings = self.timings.take();
        (self, timings)
    }

    /// Returns the same deadlines for a body without timings.
    pub(crate) fn of_body(&self) -> Self {
        Self {
            timeouts: Arc::clone(&self.timeouts),
            total: self.total,
            connect: None,
            stage: self.stage,
            stage_end: None,
            looks: 0,
            meter: None,
            cancel: self.cancel.clone(),
            timings: None,
        }
    }

    /// Removes all deadlines; limits on single operations and the cancel token remain.
    pub(crate) fn without_deadlines(self) -> Self {
        let (stage, stage_end, meter) = (Stage::Other, None, None);
        Self { total: None, connect: None, stage, stage_end, meter, ..self }
    }

    /// Returns the limits on single operations, mutably.
    pub(crate) fn timeouts_mut(&mut self) -> &mut Timeouts {
        Arc::make_mut(&mut self.timeouts)
    }

    /// Returns how long `operation` may wait from now, or an error if no time is left.
    ///
    /// Calls the clock only if there is a deadline.
    pub(crate) fn wait(
        &self,
        operation: Operation,
        now: impl Fn() -> Instant,
    ) -> Result<Wait, Expired> {
        self.limits(operation, Duration::ZERO, &now)
    }

    /// The same for an operation that has already waited for `waited` and is tried again.
    pub(crate) fn wait_on(
        &self,
        operation: Operation,
        waited: Duration,
        now: impl Fn() -> Instant,
    ) -> Result<Wait, Expired> {
        self.limits(operation, waited, &now)
    }

    /// Allows one more try without a wait although a deadline has passed. A busy thread may notice
    /// late that data was received in time, so a limit on the peer is reported only if the socket
    /// has no data. The total timeout and a canceled token concern the caller and not the peer:
    /// they end the call in any case.
    pub(crate) fn look_once_more(
        &mut self,
        passed: Expired,
        now: impl FnOnce() -> Instant,
    ) -> Result<Wait, Expired> {
        if !passed.is_deadline_of_peer() || self.looks >= LOOKS {
            return Err(passed);
        }
        let left = self.total.map_or(LOOK, |total| total.saturating_duration_since(now()));
        if left.is_zero() {
            return Err(Expired::new(Which::Total, self.timeouts.total));
        }
        self.looks += 1;
        Ok(Wait { at_most: Some(left.min(LOOK)), expired: passed })
    }

    /// Not generic, so that it is compiled only once.
    fn limits(
        &self,
        operation: Operation,
        waited: Duration,
        now: &dyn Fn() -> Instant,
    ) -> Result<Wait, Expired> {
        self.check()?;
        let idle = self.idle(operation, waited);
        if idle.at_most.is_some_and(|at_most| at_most.is_zero()) {
            return Err(idle.expired); // for a socket, zero means forever or is an error
        }
        let Some((deadline, expired)) = self.deadline() else { return Ok(idle) };
        let left = deadline.saturating_duration_since(now());
        if left.is_zero() {
            return Err(expired);
        }
        Ok(idle.or_sooner(left, expired))
    }

    /// Returns an error if the call was canceled.
    pub(crate) fn check(&self) -> Result<(), Expired> {
        match &self.cancel {
            Some(cancel) if cancel.is_cancelled() => {
                Err(Expired { which: Which::Cancelled, length: Duration::ZERO })
            }
            _ => Ok(()),
        }
    }

    /// Returns an error if the call was canceled or its time is over, whatever the operation.
    pub(crate) fn check_time(&self, now: impl FnOnce() -> Instant) -> Result<(), Expired> {
        self.check()?;
        match self.deadline() {
            Some((end, expired)) if end <= now() => Err(expired),
            _ => Ok(()),
        }
    }

    /// Returns why a wait that would end with `expired` has failed: the call may have been canceled
    /// meanwhile.
    pub(crate) fn over(&self, expired: Expired) -> Expired {
        self.check().err().unwrap_or(expired)
    }

    /// Returns whether the throughput of such operations is measured.
    pub(crate) fn has_pace(&self, operation: Operation) -> bool {
        self.meter(operation).is_some()
    }

    /// Records that `bytes` were moved after waiting for `waited`.
    pub(crate) fn moved(&mut self, bytes: usize, waited: Duration) -> Result<(), Expired> {
        let Some(meter) = &mut self.meter else { return Ok(()) };
        meter.moved(bytes, waited).map_err(Expired::behind)
    }

    /// Returns the meter for such operations, if they move a body: only bodies have a minimum
    /// throughput, and the wait for `100 Continue` does not count.
    fn meter(&self, operation: Operation) -> Option<&Meter> {
        let is_of_body = matches!(
            (self.stage, operation),
            (Stage::Request, Operation::Write) | (Stage::Body, Operation::Read)
        );
        self.meter.as_deref().filter(|_| is_of_body)
    }

    /// Returns the remaining limit on this operation, ignoring deadlines.
    fn idle(&self, operation: Operation, waited: Duration) -> Wait {
        let (which, at_most) = match operation {
            Operation::Queue => {
                (Which::PoolWait, self.timeouts.pool_wait.unwrap_or(self.timeouts.connect))
            }
            Operation::Resolve => (Which::Resolve, self.timeouts.resolve),
            Operation::Connect => (Which::Connect, None),
            Operation::Continue => (Which::Continue, Some(CONTINUE)),
            Operation::Read if matches!(self.stage, Stage::FirstByte | Stage::Interim) => {
                match self.timeouts.silence {
                    Silence::Default(limit) => (Which::FirstByte, limit),
                    Silence::FirstByte => (Which::FirstByte, None),
                    Silence::Read => (Which::Read, self.timeouts.read),
                }
            }
            Operation::Read => (Which::Read, self.timeouts.read),
            Operation::Source => (Which::Total, None),
            Operation::Write => (Which::Write, self.timeouts.write),
        };
        let left = at_most.map(|at_most| at_most.saturating_sub(waited));
        let wait = Wait { at_most: left, expired: Expired::new(which, at_most) };
        match self.meter(operation) {
            Some(meter) => wait.or_sooner(meter.left(), Expired::behind(meter.pace())),
            None => wait,
        }
    }

    fn stage_limit(&self) -> Option<Duration> {
        match self.stage {
            Stage::Handshake => self.timeouts.handshake,
            Stage::FirstByte => self.timeouts.first_byte,
            Stage::Other | Stage::Request | Stage::Interim | Stage::Body => None,
        }
    }

    /// Returns the nearest deadline. If two end together, the one with the wider scope is returned.
    fn deadline(&self) -> Option<(Instant, Expired)> {
        self.total.or(self.connect).or(self.stage_end)?; // usually there is none
        self.nearest()
    }

    #[cold]
    fn nearest(&self) -> Option<(Instant, Expired)> {
        let stage = match self.stage {
            Stage::FirstByte => Which::FirstByte,
            _ => Which::Handshake,
        };
        let deadlines = [
            (self.total, Which::Total, self.timeouts.total),
            (self.connect, Which::Connect, self.timeouts.connect),
            (self.stage_end, stage, self.stage_limit()),
        ];
        let running = deadlines
            .into_iter()
            .filter_map(|(at, which, length)| at.map(|at| (at, Expired::new(which, length))));
        running.min_by_key(|(at, _)| *at)
    }
}

impl Stage {
    /// Returns the phase in the timings that this stage belongs to.
    fn lap(self) -> Option<Lap> {
        match self {
            Self::Handshake => Some(Lap::Handshake),
            Self::Request => Some(Lap::Request),
            Self::FirstByte => Some(Lap::FirstByte),
            Self::Other | Self::Interim | Self::Body => None,
        }
    }
}

impl Wait {
    /// Returns this wait, or one with `limit` if that ends earlier.
    fn or_sooner(self, limit: Duration, expired: Expired) -> Self {
        match self.at_most {
            Some(at_most) if at_most <= limit => self,
            _ => Self { at_most: Some(limit), expired },
        }
    }
}

impl Expired {
    fn new(which: Which, length: Option<Duration>) -> Self {
        Self { which, length: length.unwrap_or_default() }
    }

    fn behind(pace: Pace) -> Self {
        Self { which: Which::Pace(pace.bytes_per_second), length: pace.over }
    }

    /// Returns whether only the wait for `100 Continue` has ended, and not the call.
    pub(crate) fn is_patience(self) -> bool {
        self.which == Which::Continue
    }

    /// Returns whether a measuring interval of a body has ended; it may have been fast enough.
    pub(crate) fn is_pace(self) -> bool {
        matches!(self.which, Which::Pace(_))
    }

    /// Returns whether the limit concerned the peer, which may have responded in the meantime, and
    /// not the whole call.
    pub(crate) fn is_of_peer(self) -> bool {
        // A limit of zero leaves no time for the peer.
        !matches!(self.which, Which::Total | Which::Cancelled) && !self.length.is_zero()
    }

    /// Returns whether the limit is one that does not restart with each byte.
    fn is_deadline_of_peer(self) -> bool {
        let is_deadline =
            matches!(self.which, Which::Connect | Which::Handshake | Which::FirstByte);
        is_deadline && self.is_of_peer()
    }

    /// Returns the public error kind.
    pub(crate) fn kind(self) -> Kind {
        match self.which {
            Which::Cancelled => Kind::Cancelled,
            _ => Kind::Timeout,
        }
    }
}

impl fmt::Display for Expired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.length;
        match self.which {
            Which::Resolve => write!(f, "DNS lookup timed out after {length:?} (resolve timeout)"),
            Which::PoolWait => {
                write!(f, "no connection was free within {length:?} (pool wait timeout)")
            }
            Which::Connect => write!(f, "no connection within {length:?} (connect timeout)"),
            Which::Handshake => {
                write!(f, "handshake timed out after {length:?} (handshake timeout)")
            }
            Which::Continue => write!(f, "no 100 Continue for {length:?}"),
            Which::FirstByte => write!(f, "no answer within {length:?} (first byte timeout)"),
            Which::Read => write!(f, "no byte came for {length:?} (read timeout)"),
            Which::Write => write!(f, "no byte could be sent for {length:?} (write timeout)"),
            Which::Pace(pace) => {
                write!(f, "less than {pace} bytes a second for {length:?} (minimum throughput)")
            }
            Which::Total => write!(f, "not done within {length:?} (total timeout)"),
            Which::Cancelled => f.write_str("the call was cancelled"),
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
        let none = Timeouts { write: None, ..Timeouts::default() };
        let mut timeouts = Timeouts { connect: limit(connect), total: limit(total), ..none };
        timeouts.set_read(limit(read));
        timeouts
    }

    #[test]
    fn without_a_deadline_the_clock_is_not_called() {
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
            // If two end together, the one with the wider scope is reported, otherwise the earlier
            // one.
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

    /// Only the wait for `100 Continue` ends without an error: the body is sent then.
    #[test]
    fn the_wait_for_100_continue_is_a_separate_limit() {
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
    fn errors_name_the_expired_limit() {
        for (which, message) in [
            (Which::Resolve, "DNS lookup timed out after 1s (resolve timeout)"),
            (Which::PoolWait, "no connection was free within 1s (pool wait timeout)"),
            (Which::Handshake, "handshake timed out after 1s (handshake timeout)"),
            (Which::Continue, "no 100 Continue for 1s"),
            (Which::FirstByte, "no answer within 1s (first byte timeout)"),
            (Which::Write, "no byte could be sent for 1s (write timeout)"),
            (Which::Pace(9), "less than 9 bytes a second for 1s (minimum throughput)"),
            (Which::Cancelled, "the call was cancelled"),
        ] {
            let expired = Expired { which, length: SECOND };
            assert_eq!(expired.to_string(), message);
            assert_eq!(expired.kind() == Kind::Cancelled, which == Which::Cancelled);
        }
    }

    /// When the protocol was upgraded, only single operations are limited, whichever deadlines were
    /// running.
    #[test]
    fn no_deadline_outlives_the_call() {
        let start = Instant::now();
        let pace = Some(Pace { bytes_per_second: 9, over: SECOND });
        let limits = Timeouts { first_byte: Some(SECOND), pace, ..timeouts(1, 7, 1) };
        for stage in [Stage::Other, Stage::Handshake, Stage::FirstByte, Stage::Body] {
            let token = CancelToken::new();
            let mut budget = Budget::start(limits, start).until(Some(token.clone()));
            budget.start_connecting(start);
            budget.enter(stage, || start);
            let mut budget = budget.without_deadlines();
            let late = || start + 9 * SECOND;
            let wait = budget.wait(Operation::Read, late).unwrap();
            assert_eq!(wait.at_most, Some(7 * SECOND), "{stage:?}");
            budget.timeouts_mut().read = None;
            assert_eq!(budget.wait(Operation::Read, late).unwrap().at_most, None);
            assert!(!budget.has_pace(Operation::Read) && !budget.has_pace(Operation::Write));
            token.cancel();
            assert_eq!(budget.wait(Operation::Read, late).unwrap_err().kind(), Kind::Cancelled);
        }
    }

    /// Each stage has a clock of its own, which starts once and stops with the stage.
    #[test]
    fn stages_have_clocks() {
        let start = Instant::now();
        let limits = Timeouts {
            handshake: Some(2 * SECOND),
            first_byte: Some(3 * SECOND),
            ..timeouts(5, 9, 0)
        };
        let mut budget = Budget::start(limits, start);
        budget.start_connecting(start);
        let mut left = |stage, seconds: u32| {
            let now = start + SECOND * seconds;
            budget.enter(stage, || now);
            let wait = budget.wait(Operation::Read, || now);
            wait.map(|wait| (wait.at_most.unwrap().as_secs(), wait.expired.which))
                .map_err(|expired| expired.which)
        };
        for (stage, at, expected) in [
            (Stage::Handshake, 1, Ok((2, Which::Handshake))),
            (Stage::Handshake, 2, Ok((1, Which::Handshake))),
            (Stage::Handshake, 3, Err(Which::Handshake)),
            (Stage::Request, 4, Ok((9, Which::Read))),
            (Stage::Handshake, 6, Ok((2, Which::Handshake))),
            (Stage::Request, 7, Ok((9, Which::Read))),
            (Stage::FirstByte, 8, Ok((3, Which::FirstByte))),
            (Stage::FirstByte, 11, Err(Which::FirstByte)),
            (Stage::Other, 12, Ok((9, Which::Read))),
            (Stage::Body, 13, Ok((9, Which::Read))),
        ] {
            assert_eq!(left(stage, at), expected, "{stage:?} at {at}");
        }
    }

    /// The caller's limits apply independent of the order in which they are set; an unset limit is
    /// the runtime's default.
    #[test]
    fn the_wait_for_a_response_to_begin() {
        type Set = fn(&mut Timeouts);
        let read: Set = |timeouts| timeouts.set_read(Some(9 * SECOND));
        let no_read: Set = |timeouts| timeouts.set_read(None);
        let first: Set = |timeouts| timeouts.set_first_byte(Some(60 * SECOND));
        let no_first: Set = |timeouts| timeouts.set_first_byte(None);
        let (by_front, by_first, by_read) = (Which::FirstByte, Which::FirstByte, Which::Read);
        type Row<'a> = (&'a [Set], [Option<u64>; 3], Which);
        let rows: [Row<'_>; 9] = [
            // (settings, the wait with a default of 30 s and without one, in a body, the name)
            (&[], [Some(30), None, Some(30)], by_front),
            (&[read], [Some(9), Some(9), Some(9)], by_read),
            (&[no_read], [None, None, None], by_read),
            (&[first], [Some(60), Some(60), Some(30)], by_first),
            (&[no_first], [None, None, Some(30)], by_first),
            (&[first, read], [Some(9), Some(9), Some(9)], by_read),
            (&[read, first], [Some(9), Some(9), Some(9)], by_read),
            (&[first, no_read], [Some(60), Some(60), None], by_first),
            (&[no_read, no_first], [None, None, None], by_read),
        ];
        let now = Instant::now();
        for (at, (settings, [blocking, other, body], which)) in rows.into_iter().enumerate() {
            for (default, expected) in [(Some(30 * SECOND), blocking), (None, other)] {
                let mut timeouts = Timeouts { connect: None, ..Timeouts::default() };
                settings.iter().for_each(|set| set(&mut timeouts));
                timeouts.default_silence(default);
                let mut budget = Budget::start(timeouts, now);
                let mut wait = |stage| {
                    budget.enter(stage, || now);
                    let wait = budget.wait(Operation::Read, || now).unwrap();
                    (wait.at_most.map(|limit| limit.as_secs()), wait.expired.which)
                };
                assert_eq!(wait(Stage::FirstByte), (expected, which), "row {at}");
                assert_eq!(wait(Stage::Body), (body, Which::Read), "row {at}");
                assert_eq!(wait(Stage::Other), (body, Which::Read), "row {at}");
                // The first byte of an interim response meets that deadline.
                let interim = expected.filter(|seconds| *seconds != 60);
                assert_eq!(wait(Stage::Interim).0, interim, "row {at}");
            }
        }
    }

    /// The limit is the connect timeout or the caller's setting, and the wait does not use up the
    /// connect timeout.
    #[test]
    fn the_wait_for_a_free_connection() {
        let start = Instant::now();
        for (pool_wait, expected) in
            [(None, Some(3)), (Some(None), None), (Some(Some(7 * SECOND)), Some(7))]
        {
            let limits = Timeouts { pool_wait, ..timeouts(3, 1, 0) };
            let mut budget = Budget::start(limits, start);
            let wait = budget.wait(Operation::Queue, || start).unwrap();
            assert_eq!(wait.at_most.map(|limit| limit.as_secs()), expected);
            assert_eq!(wait.expired.which, Which::PoolWait);
            let later = start + 5 * SECOND;
            budget.start_connecting(later);
            assert_eq!(
                budget.wait(Operation::Connect, || later).unwrap().at_most,
                Some(3 * SECOND)
            );
        }
        let limits = Timeouts { pool_wait: Some(Some(7 * SECOND)), ..timeouts(3, 1, 4) };
        let wait = Budget::start(limits, start).wait(Operation::Queue, || start).unwrap();
        assert_eq!((wait.at_most, wait.expired.which), (Some(4 * SECOND), Which::Total));
    }

    /// After a deadline for the peer has passed, a limited number of looks without a wait is
    /// allowed; after the caller's deadline, none.
    #[test]
    fn a_last_look_finds_data_received_in_time() {
        let start = Instant::now();
        let limits = Timeouts { first_byte: Some(3 * SECOND), ..timeouts(2, 9, 6) };
        let mut budget = Budget::start(limits, start);
        let mut looks = |stage, at: u32| {
            let now = start + SECOND * at;
            budget.enter(stage, || start);
            (0..100)
                .take_while(|_| {
                    let passed = budget.wait(Operation::Read, || now).unwrap_err();
                    let wait = budget.look_once_more(passed, || now);
                    assert!(wait.is_ok_and(|wait| wait.at_most == Some(LOOK)) || wait.is_err());
                    wait.is_ok()
                })
                .count()
        };
        assert_eq!(looks(Stage::FirstByte, 4), usize::from(LOOKS));
        assert_eq!(looks(Stage::FirstByte, 4), 0, "a peer that sends without end");
        assert_eq!(looks(Stage::Other, 6), 0, "the total timeout");
        assert_eq!(looks(Stage::FirstByte, 7), 0, "both, and one of them is the total one");
        // A look does not outlast the total timeout.
        let limits = Timeouts { first_byte: Some(SECOND), ..timeouts(2, 9, 6) };
        let mut budget = Budget::start(limits, start);
        budget.enter(Stage::FirstByte, || start);
        let now = start + 6 * SECOND - LOOK / 4;
        let passed = budget.wait(Operation::Read, || now).unwrap_err();
        assert_eq!(budget.look_once_more(passed, || now).unwrap().at_most, Some(LOOK / 4));
        let token = CancelToken::new();
        let mut budget = Budget::start(timeouts(2, 9, 0), start).until(Some(token.clone()));
        budget.start_connecting(start);
        token.cancel();
        let cancelled = budget.wait(Operation::Connect, || start + 3 * SECOND).unwrap_err();
        assert!(budget.look_once_more(cancelled, || start).is_err());
    }

    /// Only a request body being sent and a response body being read have a minimum throughput: a
    /// server may take time in between, and during the wait for `100 Continue` the client sends
    /// nothing on purpose.
    #[test]
    fn bodies_have_a_minimum_throughput() {
        let now = Instant::now();
        let pace = Some(Pace { bytes_per_second: 10, over: 4 * SECOND });
        let mut budget = Budget::start(Timeouts { pace, ..timeouts(0, 9, 0) }, now);
        for (stage, operation, expected) in [
            (Stage::Handshake, Operation::Read, (9, Which::Read)),
            (Stage::Request, Operation::Read, (9, Which::Read)),
            (Stage::Request, Operation::Continue, (1, Which::Continue)),
            (Stage::Request, Operation::Write, (4, Which::Pace(10))),
            (Stage::FirstByte, Operation::Read, (9, Which::Read)),
            (Stage::Other, Operation::Read, (9, Which::Read)),
            (Stage::Body, Operation::Read, (4, Which::Pace(10))),
        ] {
            budget.enter(stage, || now);
            let wait = budget.wait(operation, || now).unwrap();
            assert_eq!((wait.at_most.unwrap().as_secs(), wait.expired.which), expected);
            assert_eq!(budget.has_pace(operation), wait.expired.is_pace(), "{stage:?}");
        }
        assert_eq!(budget.moved(5, SECOND), Ok(()));
        let wait = budget.wait(Operation::Read, || now).unwrap();
        assert_eq!(wait.at_most, Some(3 * SECOND), "the rest of the stretch");
        let behind = budget.moved(34, 3 * SECOND).unwrap_err();
        assert!(behind.is_pace());
    }

    /// An expired limit of one attempt must not end the next one.
    #[test]
    fn another_attempt_starts_with_full_limits() {
        let start = Instant::now();
        let late = start + 7 * SECOND;
        let limits = Timeouts { handshake: Some(2 * SECOND), ..timeouts(3, 5, 9) };
        let mut budget = Budget::start(limits, start);
        budget.start_connecting(start);
        budget.enter(Stage::Handshake, || start);
        assert!(budget.wait(Operation::Read, || late).is_err());
        budget.start_over();
        assert_eq!(budget.wait(Operation::Connect, || late).unwrap().at_most, Some(2 * SECOND));
        budget.start_connecting(late);
        budget.enter(Stage::Handshake, || late);
        let wait = budget.wait(Operation::Read, || late).unwrap();
        assert_eq!(wait.expired.which, Which::Total, "that clock runs on");
    }

    #[test]
    fn a_canceled_call_is_over() {
        let (token, now) = (CancelToken::new(), Instant::now());
        let budget = Budget::start(timeouts(0, 5, 9), now).until(Some(token.clone()));
        let wait = budget.wait(Operation::Read, || now).unwrap();
        assert_eq!(budget.over(wait.expired).which, Which::Read);
        token.cancel();
        assert_eq!(budget.wait(Operation::Read, || now).unwrap_err().which, Which::Cancelled);
        assert_eq!(budget.over(wait.expired).which, Which::Cancelled);
        assert!(budget.shortened(SECOND, now).check().is_err());
        assert_eq!(budget.after(Duration::ZERO, now), None);
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
    fn operations_that_do_not_wait_end_with_the_deadline_too() {
        let start = Instant::now();
        let budget = Budget::start(timeouts(0, 1, 2), start);
        assert_eq!(budget.check_time(|| start + SECOND), Ok(()));
        let expired = budget.check_time(|| start + 2 * SECOND).unwrap_err();
        assert_eq!(expired.to_string(), "not done within 2s (total timeout)");
        let budget = Budget::start(timeouts(0, 1, 0), start);
        assert_eq!(budget.check_time(|| panic!("asked the clock")), Ok(()));
    }

    #[test]
    fn a_limit_of_zero_expires_immediately() {
        let timeouts = Timeouts { read: Some(Duration::ZERO), ..Timeouts::default() };
        let budget = Budget::start(timeouts, Instant::now());
        let expired = budget.wait(Operation::Read, Instant::now).unwrap_err();
        assert_eq!(expired.to_string(), "no byte came for 0ns (read timeout)");
        assert!(budget.wait(Operation::Write, Instant::now).is_ok());
    }

    /// A retried operation has already waited.
    #[test]
    fn a_retried_operation_gets_no_extra_time() {
        let now = Instant::now();
        let budget = Budget::start(timeouts(0, 9, 30), now);
        for (waited, expected) in [(0, Some(9)), (4, Some(5)), (9, None), (10, None)] {
            let wait = budget.wait_on(Operation::Read, SECOND * waited, || now);
            let left = wait.map(|wait| wait.at_most.unwrap().as_secs());
            assert_eq!(left.ok(), expected, "{waited}");
        }
        let over = budget.wait_on(Operation::Read, 9 * SECOND, || now).unwrap_err();
        assert_eq!(over.to_string(), "no byte came for 9s (read timeout)");
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
        budget.enter(Stage::Request, || start);
        assert!(budget.wait(Operation::Read, || start + 4 * SECOND).is_ok());
    }

    #[test]
    fn nothing_starts_at_or_after_the_end_of_the_call() {
        let start = Instant::now();
        let bounded = Budget::start(timeouts(1, 1, 3), start);
        let endless = Budget::start(timeouts(1, 1, 0), start);
        for (delay, now, in_time) in [(0, 0, true), (2, 0, true), (3, 0, false), (0, 3, false)] {
            let (delay, now) = (SECOND * delay, start + SECOND * now);
            assert_eq!(bounded.after(delay, now), in_time.then_some(now + delay), "{delay:?}");
            assert_eq!(endless.after(delay, now), Some(now + delay));
        }
        assert_eq!(endless.after(Duration::MAX, start), None, "no clock counts so far");
    }

    #[test]
    fn a_limit_beyond_the_clock_is_no_limit() {
        let timeouts = Timeouts { total: Some(Duration::MAX), ..Timeouts::default() };
        let budget = Budget::start(timeouts, Instant::now());
        assert_eq!(budget.wait(Operation::Connect, Instant::now).unwrap().at_most, None);
    }
}
