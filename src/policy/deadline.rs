//! The time limits of a call: deadlines, idle timeouts, and the minimum throughput of bodies. Pure
//! arithmetic on `now`; nothing here reads a clock.
//!
//! ```text
//! send ─ queue ─ resolve ─ connect ─ handshake ─ request ─ first byte ─ head ─ body ─ done
//!        └pool wait┘ resolve ┘         └handshake┘         └ first byte ┘
//!                └────────── connect ──────────┘
//!                                               every read and write: idle, throughput of bodies
//! └──────────────────────────────────────── total ─────────────────────────────────────┘
//! ```
//!
//! [`Timeouts`] are the settings, [`Budget`] is the state of one call. Before each wait the driver asks
//! [`Budget::wait`] for the longest time, and gets it together with the error that is due afterwards.
//! There are three kinds of limits:
//!
//! - **Deadlines** are moments: total, connect, and that of the current [`Stage`]. The nearest one
//!   counts; of two that end together, the one with the wider scope.
//! - **Idle limits** begin anew with each [`Operation`].
//! - **Throughput** is measured by [`Meter`] over intervals. Only the time spent waiting for the peer
//!   counts: a caller that reads slowly, or a slow source of a request body, is not the peer's fault.
//!
//! A deadline that concerns the peer allows some last looks at the socket
//! ([`Budget::look_once_more`]), because a busy thread may notice late that data came in time. The
//! total timeout allows none.
//!
//! # Which limit ends a wait
//!
//! | operation | idle limit | deadlines that also count |
//! | --- | --- | --- |
//! | queue | the limit on the wait for a permit | total |
//! | resolve | the limit on the lookup | connect, total |
//! | connect | none of its own | connect, total |
//! | handshake | read, write | handshake, connect, total |
//! | read before the response | the runtime's default, if there is no total, or the read timeout | first byte, total |
//! | read of the body | read timeout, minimum throughput | total |
//! | write | write timeout, minimum throughput of the body | total |
//! | a source of the request's body | none: it is the caller's | total |
//! | 100 (Continue) | one second, then the body is sent | total |
//!
//! An error names the limit that ended the wait and its length, so that a user knows which setting
//! to change (`errors_name_the_expired_limit`, `the_shortest_limit_wins_and_names_itself`).
//!
//! # Stages
//!
//! [`Budget::enter`] changes the stage; each has at most one clock, which starts when it is
//! entered:
//!
//! ```text
//! Other ──▶ Handshake ──▶ Request ──▶ FirstByte ──▶ Interim ──▶ Other ──▶ Body
//!           new connections only                    between two heads
//! ```
//!
//! # Why arithmetic on `now`
//!
//! A limit that is a timer needs a thread or a runtime, and a test of it takes as long as the
//! limit. Here a test is a table of instants, the simulation moves its clock by hours, and the two
//! APIs cannot disagree about a limit. The clock is a closure, called only where a deadline exists
//! (`without_a_deadline_the_clock_is_not_called`).
//!
//! # What must hold
//!
//! - No wait outlasts the call (`no_deadline_outlives_the_call`,
//!   `nothing_starts_at_or_after_the_end_of_the_call`).
//! - Another attempt has its own limits, and the same end of the call
//!   (`another_attempt_starts_with_full_limits`).
//! - An interrupted wait has the time that is left (`a_retried_operation_gets_no_extra_time`).
//! - Extreme settings neither overflow nor divide by zero
//!   (`extremes_neither_overflow_nor_divide_by_zero`, `a_limit_beyond_the_clock_is_no_limit`).
//! - Wall-clock jumps change nothing: only `Instant` is used (`tests/hostile_time.rs`,
//!   `t10_deadlines_ignore_the_wall_clock`).

use std::fmt;
use std::io;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use crate::base::cancel::CancelToken;
#[cfg(feature = "har")]
use crate::base::timings::Attempt;
use crate::base::timings::{Lap, Timings};
use crate::error::Kind;

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
    /// True if `total` was set on the request, so that it holds for a stream of events too.
    pub(crate) is_total_of_request: bool,
    pub(crate) provisional: Provisional,
}

/// The limits that are defaults and end when a total timeout is set, even to none: see
/// [`Defaults::TIMEOUT_REPLACES_DEFAULTS`](crate::client::Defaults::TIMEOUT_REPLACES_DEFAULTS).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Provisional {
    connect: bool,
    silence: bool,
    write: bool,
}

impl Provisional {
    pub(crate) const ALL: Self = Self { connect: true, silence: true, write: true };
}

/// The limit on the wait between the last byte of a request and the response, besides the
/// deadlines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Neither is set: the runtime's default, reported as a first byte timeout, unless there is a total timeout.
    Default(Option<Duration>),
    /// The caller set the first byte timeout, which is a deadline, and not the read timeout.
    FirstByte,
    /// The caller set the read timeout, which applies here too.
    Read,
}

impl Timeouts {
    /// Sets the total, which replaces the provisional limits.
    pub(crate) fn set_total(&mut self, limit: Option<Duration>) {
        self.total = limit;
        let Provisional { connect, silence, write } = self.provisional;
        if connect {
            self.set_connect(None);
        }
        if silence {
            self.set_read(None);
        }
        if write {
            self.set_write(None);
        }
    }

    pub(crate) fn set_connect(&mut self, limit: Option<Duration>) {
        (self.connect, self.provisional.connect) = (limit, false);
    }

    pub(crate) fn set_read(&mut self, limit: Option<Duration>) {
        (self.read, self.silence) = (limit, Silence::Read);
        self.provisional.silence = false;
    }

    pub(crate) fn set_write(&mut self, limit: Option<Duration>) {
        (self.write, self.provisional.write) = (limit, false);
    }

    pub(crate) fn set_first_byte(&mut self, limit: Option<Duration>) {
        self.first_byte = limit;
        if matches!(self.silence, Silence::Default(_)) {
            self.silence = Silence::FirstByte;
        }
    }

    /// Returns the runtime's default for the wait for a response to begin, where it holds: nothing that the caller
    /// has set takes its place. A total timeout does, because it says how long the server may take. The default
    /// limits on silence within a response remain beside one: a download that stalls is resumed in time.
    pub(crate) fn default_first_byte(&self) -> Option<Duration> {
        match self.silence {
            Silence::Default(limit) if self.total.is_none() => limit,
            Silence::Default(_) | Silence::FirstByte | Silence::Read => None,
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
            is_total_of_request: false,
            provisional: Provisional::default(),
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
///
/// ```
/// # #[cfg(feature = "runtime")] {
/// use std::future::Future;
/// use leanhttp::runtime::{SocketError, Wait};
///
/// /// Awaits one of the two, the first one first.
/// async fn within<T>(
///     operation: impl Future<Output = T>,
///     wait: Wait,
///     sleep: impl AsyncFn(std::time::Duration),
/// ) -> Result<T, SocketError> {
///     let Some(limit) = wait.at_most() else { return Ok(operation.await) };
///     let (mut operation, mut sleep) = (std::pin::pin!(operation), std::pin::pin!(sleep(limit)));
///     std::future::poll_fn(|cx| match operation.as_mut().poll(cx) {
///         std::task::Poll::Ready(done) => std::task::Poll::Ready(Ok(done)),
///         std::task::Poll::Pending => sleep.as_mut().poll(cx).map(|()| Err(wait.expired().into())),
///     })
///     .await
/// }
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// Never zero; `None` means no limit.
    pub(crate) at_most: Option<Duration>,
    /// The error if the wait times out.
    pub(crate) expired: Expired,
}

impl Wait {
    /// Returns the longest time for the wait, which is never zero; `None` for no limit.
    #[cfg(feature = "runtime")]
    pub fn at_most(&self) -> Option<Duration> {
        self.at_most
    }

    /// Returns the error of a wait that has reached its limit.
    #[cfg(feature = "runtime")]
    pub fn expired(&self) -> Expired {
        self.expired
    }

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
        let timings = Some(Box::new(Timings::start(now)));
        Self { timings, ..Self::untimed(timeouts, now) }
    }

    /// Starts the clock of the total limit, without timings.
    pub(crate) fn untimed(timeouts: impl Into<Arc<Timeouts>>, now: Instant) -> Self {
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
            timings: None,
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
            is_total_of_request: false,
            provisional: Provisional::default(),
        };
        Self::untimed(none, now)
    }

    /// Attaches a cancel token, whose cancellation ends the call.
    pub(crate) fn until(self, cancel: Option<CancelToken>) -> Self {
        Self { cancel, ..self }
    }

    /// Ends with `outer` at the latest: at its total limit, and with its cancel token if there is none here.
    pub(crate) fn end_with(&mut self, outer: &Self) {
        if self.cancel.is_none() {
            self.cancel.clone_from(&outer.cancel);
        }
        if outer.total.is_some_and(|end| self.total.is_none_or(|own| end < own)) {
            self.total = outer.total;
            let own = Arc::make_mut(&mut self.timeouts);
            own.total = outer.timeouts.total;
            own.is_total_of_request = outer.timeouts.is_total_of_request;
        }
    }

    pub(crate) fn cancel_token(&self) -> Option<&CancelToken> {
        self.cancel.as_ref()
    }

    /// Starts the connect clock, unless it is already running.
    pub(crate) fn start_connecting(&mut self, now: Instant) {
        if self.connect.is_none() {
            self.connect = self.timeouts.connect.and_then(|connect| now.checked_add(connect));
        }
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
    #[inline]
    pub(crate) fn enter(&mut self, stage: Stage, now: &dyn Fn() -> Instant) {
        if stage != self.stage {
            self.change(stage, now);
        }
    }

    fn change(&mut self, stage: Stage, now: &dyn Fn() -> Instant) {
        if stage != Stage::Handshake {
            self.connect = None;
        }
        self.looks = 0;
        let ended = match std::mem::replace(&mut self.stage, stage) {
            Stage::Handshake => Some(Lap::Handshake),
            Stage::Request => Some(Lap::Request),
            Stage::FirstByte => Some(Lap::FirstByte),
            Stage::Other | Stage::Interim | Stage::Body => None,
        };
        let (_, limit) = self.stage_limit();
        self.stage_end = None;
        if ended.is_some() || limit.is_some() {
            let now = now();
            if let Some(lap) = ended {
                self.lap(lap, now);
            }
            self.stage_end = limit.and_then(|limit| now.checked_add(limit));
        }
        let Some(pace) = self.timeouts.pace else { return }; // usually there is none, and no meter
        let is_metered = matches!(stage, Stage::Request | Stage::Body);
        self.meter = is_metered.then(|| Box::new(Meter::start(pace)));
    }

    #[cfg(feature = "export")]
    pub(crate) fn timeouts(&self) -> &Timeouts {
        &self.timeouts
    }

    /// Records the end of a phase.
    pub(crate) fn lap(&mut self, lap: Lap, now: Instant) {
        if let Some(timings) = &mut self.timings {
            timings.lap(lap, now);
        }
    }

    /// Returns the timings of the current attempt.
    #[cfg(feature = "har")]
    pub(crate) fn current_attempt(&self) -> Attempt {
        self.timings.as_ref().map(|timings| timings.current()).unwrap_or_default()
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

    pub(crate) fn timings(&self) -> Option<&Timings> {
        self.timings.as_deref()
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

    /// Removes the total timeout unless it was set on the request: a stream of events lasts as long as it
    /// has events.
    #[cfg(feature = "sse")]
    pub(crate) fn outlive_total(&mut self) {
        if !self.timeouts.is_total_of_request {
            self.total = None;
        }
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
        self.wait_on(operation, Duration::ZERO, &now)
    }

    /// The same for an operation that has already waited for `waited` and is tried again.
    pub(crate) fn wait_on(
        &self,
        operation: Operation,
        waited: Duration,
        now: &dyn Fn() -> Instant,
    ) -> Result<Wait, Expired> {
        self.check()?;
        let (which, limit) = self.idle_limit(operation);
        let at_most = limit.map(|limit| limit.saturating_sub(waited));
        let mut wait = Wait { at_most, expired: Expired::new(which, limit) };
        if let Some(meter) = self.meter(operation) {
            wait = wait.or_sooner(meter.left(), Expired::behind(meter.pace));
        }
        if wait.at_most == Some(Duration::ZERO) {
            return Err(wait.expired); // for a socket, zero means forever or is an error
        }
        let Some((deadline, expired)) = self.deadline() else { return Ok(wait) };
        let left = deadline.saturating_duration_since(now());
        if left.is_zero() {
            return Err(expired);
        }
        Ok(wait.or_sooner(left, expired))
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

    /// Returns the limit on one operation, ignoring deadlines and throughput.
    fn idle_limit(&self, operation: Operation) -> (Which, Option<Duration>) {
        let timeouts = &*self.timeouts;
        match operation {
            Operation::Queue => (Which::PoolWait, timeouts.pool_wait.unwrap_or(timeouts.connect)),
            Operation::Resolve => (Which::Resolve, timeouts.resolve),
            Operation::Connect => (Which::Connect, None),
            Operation::Continue => (Which::Continue, Some(CONTINUE)),
            Operation::Read if matches!(self.stage, Stage::FirstByte | Stage::Interim) => {
                match timeouts.silence {
                    Silence::Default(_) => (Which::FirstByte, timeouts.default_first_byte()),
                    Silence::FirstByte => (Which::FirstByte, None),
                    Silence::Read => (Which::Read, timeouts.read),
                }
            }
            Operation::Read => (Which::Read, timeouts.read),
            Operation::Source => (Which::Total, None),
            Operation::Write => (Which::Write, timeouts.write),
        }
    }

    /// Returns the limit on the current stage.
    fn stage_limit(&self) -> (Which, Option<Duration>) {
        match self.stage {
            Stage::FirstByte => (Which::FirstByte, self.timeouts.first_byte),
            Stage::Handshake => (Which::Handshake, self.timeouts.handshake),
            Stage::Other | Stage::Request | Stage::Interim | Stage::Body => {
                (Which::Handshake, None)
            }
        }
    }

    /// Returns the nearest deadline. If two end together, the one with the wider scope is returned.
    pub(crate) fn deadline(&self) -> Option<(Instant, Expired)> {
        self.total.or(self.connect).or(self.stage_end)?; // usually there is none
        let (stage, stage_limit) = self.stage_limit();
        let mut nearest = None;
        for (end, which, length) in [
            (self.total, Which::Total, self.timeouts.total),
            (self.connect, Which::Connect, self.timeouts.connect),
            (self.stage_end, stage, stage_limit),
        ] {
            match (end, nearest) {
                (Some(end), Some((before, _))) if before <= end => {}
                (Some(end), _) => nearest = Some((end, Expired::new(which, length))),
                (None, _) => {}
            }
        }
        nearest
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
        // Programs that came from other clients look for the words "timed out".
        if !matches!(self.which, Which::Resolve | Which::Handshake | Which::Cancelled) {
            f.write_str("timed out: ")?;
        }
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

/// Programs that classify errors look for an `io::Error` of the kind `TimedOut` among the sources.
impl std::error::Error for Expired {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        static TIMED_OUT: LazyLock<io::Error> = LazyLock::new(|| io::ErrorKind::TimedOut.into());
        (self.kind() == Kind::Timeout).then(|| &*TIMED_OUT as _)
    }
}

/// A minimum of bytes per second, on average over an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    pub(crate) bytes_per_second: u64,
    pub(crate) over: Duration,
}

/// The bytes moved and the time waited in the current interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meter {
    pace: Pace,
    waited: Duration,
    bytes: u64,
}

impl Meter {
    pub(crate) fn start(pace: Pace) -> Self {
        let pace = Pace { over: pace.over.max(SHORTEST), ..pace };
        Self { pace, waited: Duration::ZERO, bytes: 0 }
    }

    /// Returns the remaining time of the current interval; zero once it was too slow.
    pub(crate) fn left(&self) -> Duration {
        self.pace.over.saturating_sub(self.waited)
    }

    /// Records that `bytes` were moved after waiting for `waited`. Returns an error if the interval
    /// is over and was too slow.
    pub(crate) fn moved(&mut self, bytes: usize, waited: Duration) -> Result<(), Pace> {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        self.waited = self.waited.saturating_add(waited);
        if self.waited < self.pace.over {
            return Ok(());
        }
        // Compares the two rates by multiplication, without a division.
        let moved = u128::from(self.bytes) * NANOS;
        let asked = u128::from(self.pace.bytes_per_second).saturating_mul(self.waited.as_nanos());
        if moved < asked {
            return Err(self.pace);
        }
        *self = Self::start(self.pace);
        Ok(())
    }
}

/// The shortest interval; not zero.
const SHORTEST: Duration = Duration::from_nanos(1);

const NANOS: u128 = 1_000_000_000;

#[cfg(test)]
mod tests;
