//! The time of a call: deadlines, patience, and the pace that bodies have to keep. Arithmetic on
//! `now`, nothing else.
//!
//! ```text
//! send ─ queue ─ resolve ─ connect ─ handshake ─ request ─ first byte ─ head ─ body ─ done
//!        └pool wait┘ resolve ┘         └handshake┘         └ first byte ┘
//!                └────────── connect ──────────┘
//!                                               every read and write: idle, pace of bodies
//! └──────────────────────────────────────── total ─────────────────────────────────────┘
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::base::cancel::CancelToken;
use crate::base::timings::{Lap, Timings};
use crate::error::Kind;
use crate::policy::deadline::throughput::{Meter, Pace};

/// How long each part of a call may take; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timeouts {
    /// Looking up the name.
    pub(crate) resolve: Option<Duration>,
    /// Looking up the name, connecting, the proxy and the TLS handshake together, for each attempt at a hop.
    pub(crate) connect: Option<Duration>,
    /// Waiting for a free connection, where a host may have only so many; as long as `connect` if nobody
    /// has set it.
    pub(crate) pool_wait: Option<Option<Duration>>,
    /// What is set up on a new connection: TLS, a tunnel through a proxy.
    pub(crate) handshake: Option<Duration>,
    /// From the last byte of the request to the first one of the response.
    pub(crate) first_byte: Option<Duration>,
    /// Between two bytes received.
    pub(crate) read: Option<Duration>,
    /// What ends the wait for the response to begin.
    pub(crate) silence: Silence,
    /// Between two bytes sent.
    pub(crate) write: Option<Duration>,
    /// What bodies must not fall behind.
    pub(crate) pace: Option<Pace>,
    /// From `send` to the last byte of the body, over redirects and everything else.
    pub(crate) total: Option<Duration>,
}

/// What ends the wait between the last byte of a request and the response, beside the deadlines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Nobody has set a limit: the default of the front, told as a first byte timeout.
    Default(Option<Duration>),
    /// The caller has set the first byte timeout, which is a deadline, and not the read timeout.
    FirstByte,
    /// The caller has set the read timeout, which counts here too.
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

    /// The front's default for the wait for a response to begin, unless the caller has set a limit.
    pub(crate) fn default_silence(&mut self, limit: Option<Duration>) {
        if matches!(self.silence, Silence::Default(_)) {
            self.silence = Silence::Default(limit);
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            // Part of the next one.
            resolve: None,
            // A handshake over three lost packets takes 7 s; who does not answer by then won't.
            connect: Some(Duration::from_secs(10)),
            pool_wait: None,
            // Part of the last one.
            handshake: None,
            // Part of the default of the front.
            first_byte: None,
            // Long enough for a slow query, short enough that nothing hangs for ever.
            read: Some(Duration::from_secs(30)),
            silence: Silence::Default(Some(Duration::from_secs(30))),
            write: Some(Duration::from_secs(30)),
            // Slow networks are slow; what is too slow is for the caller to say.
            pace: None,
            // A limit on the total would cut large downloads short; it has to be asked for.
            total: None,
        }
    }
}

/// Why the time of a call is over: a deadline passed, and how long it was; or nobody wants it any
/// more.
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
    /// At least so many bytes a second.
    Pace(u64),
    Total,
    Cancelled,
}

/// How long a body waits for `100 Continue`: curl and Go give a server as much.
const CONTINUE: Duration = Duration::from_secs(1);

/// What is about to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Waiting for a free connection.
    Queue,
    Resolve,
    Connect,
    /// Reading, while the request's body waits for `100 Continue`.
    Continue,
    Read,
    /// Reading the source of the request's body, which is the caller's: only deadlines count.
    Source,
    Write,
}

/// What a connection is busy with. Each stage has a clock of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing that is measured.
    Other,
    /// Setting up TLS or a tunnel.
    Handshake,
    /// Sending the request.
    Request,
    /// All is sent and nothing has come.
    FirstByte,
    /// An interim response came, and nothing of the one that follows it.
    Interim,
    /// Reading the response's body.
    Body,
}

/// How long an operation may wait, and what to say if that was not enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// Never zero; `None` waits for ever.
    pub(crate) at_most: Option<Duration>,
    /// Told when the wait was in vain.
    pub(crate) expired: Expired,
}

impl Wait {
    /// The same, but no longer than that; and whether that is what ends it.
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
pub struct Budget {
    timeouts: Arc<Timeouts>,
    total: Option<Instant>,
    /// Set while a connection is being made.
    connect: Option<Instant>,
    stage: Stage,
    /// When the stage has to be over.
    stage_end: Option<Instant>,
    /// How often the socket was looked at once more since the stage's deadline had passed.
    looks: u8,
    /// Set in the stages that have to keep a pace.
    meter: Option<Box<Meter>>,
    cancel: Option<CancelToken>,
    /// None where nobody asks for them.
    timings: Option<Box<Timings>>,
}

/// How often a socket is looked at after a deadline: what lies there is more than one read if it came in
/// several records, and a peer that sends without end must not hold the deadline off.
const LOOKS: u8 = 8;

/// How long such a look waits: to most systems no time at all is for ever, or an error.
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

    /// A budget without any limit.
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

    /// The same, until that token is cancelled.
    pub(crate) fn until(self, cancel: Option<CancelToken>) -> Self {
        Self { cancel, ..self }
    }

    pub(crate) fn cancel_token(&self) -> Option<&CancelToken> {
        self.cancel.as_ref()
    }

    /// Starts the clock for making a connection, unless it runs already.
    pub(crate) fn start_connecting(&mut self, now: Instant) {
        let deadline = || self.timeouts.connect.and_then(|connect| now.checked_add(connect));
        self.connect = self.connect.or_else(deadline);
        self.looks = 0;
    }

    /// Another attempt begins: only the clock of the whole call runs on.
    pub(crate) fn start_over(&mut self) {
        self.connect = None;
        self.stage = Stage::Other;
        self.stage_end = None;
        self.looks = 0;
        self.meter = None;
    }

    /// A stage begins, unless it has begun already; the clock of the one before stops. After the
    /// handshake the connection is made.
    ///
    /// The clock is asked only if the stage has a limit, or the one before was timed.
    pub(crate) fn enter(&mut self, stage: Stage, now: impl Fn() -> Instant) {
        if stage != self.stage {
            self.change(stage, &now);
        }
    }

    /// Stands once in a program, whatever clocks there are.
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

    /// A phase is over.
    pub(crate) fn lap(&mut self, lap: Lap, now: Instant) {
        if let Some(timings) = &mut self.timings {
            timings.lap(lap, now);
        }
    }

    /// Another hop begins.
    pub(crate) fn next_hop(&mut self, now: Instant) {
        if let Some(timings) = &mut self.timings {
            timings.next_hop(now);
        }
    }

    /// When the clock was asked last: no wait lies between then and now.
    pub(crate) fn recent(&self, now: impl FnOnce() -> Instant) -> Instant {
        self.timings.as_ref().map_or_else(now, |timings| timings.last())
    }

    pub(crate) fn into_timings(self) -> Option<Box<Timings>> {
        self.timings
    }

    /// The same deadlines, but no more than `limit` from now on in all.
    pub(crate) fn shortened(&self, limit: Duration, now: Instant) -> Self {
        let end = now.checked_add(limit);
        let total = self.total.map_or(end, |total| end.map(|end| end.min(total)).or(Some(total)));
        Self { total, ..self.of_body() }
    }

    /// The instant that long after `now`, if the call is wanted and may still go on then.
    pub(crate) fn after(&self, delay: Duration, now: Instant) -> Option<Instant> {
        self.check().ok()?;
        let at = now.checked_add(delay)?;
        self.total.is_none_or(|end| at < end).then_some(at)
    }

    /// The deadlines of the response's body, whose time is nobody's to tell, and what the rest took.
    pub(crate) fn into_body(mut self) -> (Self, Option<Box<Timings>>) {
        self.start_over();
        let timings = self.timings.take();
        (self, timings)
    }

    /// The same deadlines for a body that nobody hears of.
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

    /// Without an end, but for that of single operations, or when its token is cancelled.
    pub(crate) fn without_deadlines(self) -> Self {
        let (stage, stage_end, meter) = (Stage::Other, None, None);
        Self { total: None, connect: None, stage, stage_end, meter, ..self }
    }

    /// The limits of single operations, to be changed.
    pub(crate) fn timeouts_mut(&mut self) -> &mut Timeouts {
        Arc::make_mut(&mut self.timeouts)
    }

    /// How long `operation` may wait from now on; an error if no time is left.
    ///
    /// The clock is asked only if there is a deadline to compare it with.
    pub(crate) fn wait(
        &self,
        operation: Operation,
        now: impl Fn() -> Instant,
    ) -> Result<Wait, Expired> {
        self.limits(operation, Duration::ZERO, &now)
    }

    /// The same for an operation that has waited as long as that and is tried again.
    pub(crate) fn wait_on(
        &self,
        operation: Operation,
        waited: Duration,
        now: impl Fn() -> Instant,
    ) -> Result<Wait, Expired> {
        self.limits(operation, waited, &now)
    }

    /// One more try, without a wait, although a deadline has passed. A thread that was busy finds out
    /// late what has come in time; so a limit on the peer is told only if a look at the socket finds
    /// nothing. The total timeout and a cancelled token are about the caller and not about the peer:
    /// they end the call whatever lies there.
    pub(crate) fn look_once_more(
        &mut self,
        passed: Expired,
        now: impl FnOnce() -> Instant,
    ) -> Result<Wait, Expired> {
        if !passed.is_deadline_of_peer() || self.looks >= LOOKS {
            return Err(passed);
        }
        if self.total.is_some_and(|total| total <= now()) {
            return Err(Expired::new(Which::Total, self.timeouts.total));
        }
        self.looks += 1;
        Ok(Wait { at_most: Some(LOOK), expired: passed })
    }

    /// Stands once in a program, whatever clocks there are.
    fn limits(
        &self,
        operation: Operation,
        waited: Duration,
        now: &dyn Fn() -> Instant,
    ) -> Result<Wait, Expired> {
        self.check()?;
        let idle = self.idle(operation, waited);
        if idle.at_most.is_some_and(|at_most| at_most.is_zero()) {
            return Err(idle.expired); // to a socket, zero is for ever or an error
        }
        let Some((deadline, expired)) = self.deadline() else { return Ok(idle) };
        let left = deadline.saturating_duration_since(now());
        if left.is_zero() {
            return Err(expired);
        }
        Ok(idle.or_sooner(left, expired))
    }

    /// An error if the call is not wanted any more.
    pub(crate) fn check(&self) -> Result<(), Expired> {
        match &self.cancel {
            Some(cancel) if cancel.is_cancelled() => {
                Err(Expired { which: Which::Cancelled, length: Duration::ZERO })
            }
            _ => Ok(()),
        }
    }

    /// An error if the call is over, whatever it is about to do.
    pub(crate) fn check_time(&self, now: impl FnOnce() -> Instant) -> Result<(), Expired> {
        self.check()?;
        match self.deadline() {
            Some((end, expired)) if end <= now() => Err(expired),
            _ => Ok(()),
        }
    }

    /// Why a wait was in vain that was to end with `expired`.
    pub(crate) fn over(&self, expired: Expired) -> Expired {
        self.check().err().unwrap_or(expired)
    }

    /// Whether anybody counts how much such operations move in what time.
    pub(crate) fn has_pace(&self, operation: Operation) -> bool {
        self.meter(operation).is_some()
    }

    /// So many bytes were moved, after waiting for them as long as that.
    pub(crate) fn moved(&mut self, bytes: usize, waited: Duration) -> Result<(), Expired> {
        let Some(meter) = &mut self.meter else { return Ok(()) };
        meter.moved(bytes, waited).map_err(Expired::behind)
    }

    /// What counts the bytes of such operations, if they are those of a body: nothing else has to
    /// keep a pace, and least of all what the client waits for by itself.
    fn meter(&self, operation: Operation) -> Option<&Meter> {
        let is_of_body = matches!(
            (self.stage, operation),
            (Stage::Request, Operation::Write) | (Stage::Body, Operation::Read)
        );
        self.meter.as_deref().filter(|_| is_of_body)
    }

    /// What is left of the limit on this one operation, without regard to the deadlines.
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

    /// The nearest deadline. Of two that end together the one that covers more is told.
    fn deadline(&self) -> Option<(Instant, Expired)> {
        self.total.or(self.connect).or(self.stage_end)?; // nearly always there is none
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
    /// What it is called where its time is told.
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
    /// The same wait, or one that ends before it.
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

    /// Whether only the wait for `100 Continue` is over, and not the time of the call.
    pub(crate) fn is_patience(self) -> bool {
        self.which == Which::Continue
    }

    /// Whether a stretch of a body is over, which may have been fast enough.
    pub(crate) fn is_pace(self) -> bool {
        matches!(self.which, Which::Pace(_))
    }

    /// Whether it was a limit on what the peer does, which may have done it by now, and not the
    /// caller's word about the whole call.
    pub(crate) fn is_of_peer(self) -> bool {
        // A limit of no time at all leaves nobody any.
        !matches!(self.which, Which::Total | Which::Cancelled) && !self.length.is_zero()
    }

    /// Whether it was one that does not start afresh with each byte.
    fn is_deadline_of_peer(self) -> bool {
        let is_deadline =
            matches!(self.which, Which::Connect | Which::Handshake | Which::FirstByte);
        is_deadline && self.is_of_peer()
    }

    /// What is told of it.
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
            Which::Resolve => write!(f, "no address within {length:?} (resolve timeout)"),
            Which::PoolWait => {
                write!(f, "no connection was free within {length:?} (pool wait timeout)")
            }
            Which::Connect => write!(f, "no connection within {length:?} (connect timeout)"),
            Which::Handshake => write!(f, "not set up within {length:?} (handshake timeout)"),
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
            (Which::Resolve, "no address within 1s (resolve timeout)"),
            (Which::PoolWait, "no connection was free within 1s (pool wait timeout)"),
            (Which::Handshake, "not set up within 1s (handshake timeout)"),
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

    /// Whatever runs when another protocol begins, only single operations are limited then.
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

    /// What the caller sets means what it says, in whatever order it is set; what is not set is the
    /// front's default.
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
            // (settings, the wait on a front with 30 s and on one without, in a body, named)
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
                // With the first byte of an interim response, that deadline is kept.
                let interim = expected.filter(|seconds| *seconds != 60);
                assert_eq!(wait(Stage::Interim).0, interim, "row {at}");
            }
        }
    }

    /// As long as making a connection may take, or as long as the caller says, and it does not use up
    /// the time for the connection.
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

    /// Once a deadline for the peer has passed, there are looks without a wait, a few; once the caller's
    /// has passed, there is none.
    #[test]
    fn a_last_look_for_what_came_in_time() {
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
        let token = CancelToken::new();
        let mut budget = Budget::start(timeouts(2, 9, 0), start).until(Some(token.clone()));
        budget.start_connecting(start);
        token.cancel();
        let cancelled = budget.wait(Operation::Connect, || start + 3 * SECOND).unwrap_err();
        assert!(budget.look_once_more(cancelled, || start).is_err());
    }

    /// Only the request that is written and the body that is read have a pace to keep: a server may
    /// think in between, and who waits for `100 Continue` sends nothing because he does not want to.
    #[test]
    fn bodies_keep_a_pace() {
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

    /// What ran out in one attempt must not end the next before it begins.
    #[test]
    fn another_attempt_has_all_its_time() {
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
    fn what_is_not_wanted_any_more_is_over() {
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
    fn what_does_not_wait_ends_with_the_deadline_too() {
        let start = Instant::now();
        let budget = Budget::start(timeouts(0, 1, 2), start);
        assert_eq!(budget.check_time(|| start + SECOND), Ok(()));
        let expired = budget.check_time(|| start + 2 * SECOND).unwrap_err();
        assert_eq!(expired.to_string(), "not done within 2s (total timeout)");
        let budget = Budget::start(timeouts(0, 1, 0), start);
        assert_eq!(budget.check_time(|| panic!("asked the clock")), Ok(()));
    }

    #[test]
    fn no_time_at_all_is_over_at_once() {
        let timeouts = Timeouts { read: Some(Duration::ZERO), ..Timeouts::default() };
        let budget = Budget::start(timeouts, Instant::now());
        let expired = budget.wait(Operation::Read, Instant::now).unwrap_err();
        assert_eq!(expired.to_string(), "no byte came for 0ns (read timeout)");
        assert!(budget.wait(Operation::Write, Instant::now).is_ok());
    }

    /// Whatever is tried again has waited before.
    #[test]
    fn an_operation_that_is_tried_again_gets_no_more_time() {
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
    fn nothing_begins_at_the_end_of_the_call_or_later() {
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
