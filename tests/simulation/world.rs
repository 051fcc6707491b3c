//! The world: a clock, scheduled events, connections, and names. Each thread has one.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::task::Waker;
use std::time::{Duration, Instant, SystemTime};

use super::clock::Event;
use super::ledger::{Connecting, Ledger};
use super::line::{Line, Packet};
use super::plan::{Fault, HOSTS, Plan, SECOND, Site, addresses};
use super::seed::Seed;
use super::task::Source;
use super::tls::Authority;
use crate::base::cancel::CancelToken;
use crate::config::SocketOptions;
use crate::config::dns::Resolver;
use crate::driver::runtime::sealed::Sealed;
use crate::driver::runtime::{Dial, Dialled, Found, Oneshot, Runtime};
use crate::testing::memory::agenda::{Agenda, EntryId};
use crate::testing::memory::{self, MemoryStream};

/// The time of one check of a socket after a limit has passed, and the number of checks: eight in
/// the handshake, and eight before it.
const LOOK: Duration = Duration::from_millis(1);
const LAST_LOOKS: u32 = 16;

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

/// The state of a run.
#[derive(Default)]
pub(super) struct World {
    pub(super) plan: Arc<Plan>,
    pub(super) seed: Seed,
    /// The clock, and what is going to happen.
    pub(super) agenda: Agenda<Happening>,
    pub(super) lines: Vec<Line>,
    dials: Vec<Handshake>,
    /// The authority of all TLS servers.
    pub(super) authority: Option<Authority>,
    pub(super) ledger: Ledger,
    /// The texts that only some peers may see.
    pub(super) secrets: Vec<(String, Owner)>,
    pub(super) violations: Vec<String>,
    /// The events so far, if they are recorded.
    pub(super) trace: Option<Vec<String>>,
}

/// The owner of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Client,
    Call(usize),
    Proxy,
}

/// A scheduled event.
pub(super) enum Happening {
    Wake(Waker),
    Found(Arc<Oneshot<Found, Event>>, Found),
    Dialled(usize, Result<(), io::ErrorKind>),
    ToServer(usize, Packet),
    /// The server may read again.
    Unblocked(usize),
    ToClient(usize, Packet),
    Cancel(CancelToken, usize),
    /// The server runs its next actions.
    Act(usize, usize),
}

/// An attempt to connect.
#[derive(Default)]
struct Handshake {
    outcome: Option<Result<(), io::ErrorKind>>,
    waker: Option<Waker>,
}

/// Reads or changes this thread's world.
pub(super) fn with<T>(act: impl FnOnce(&mut World) -> T) -> T {
    WORLD.with(|world| act(&mut world.borrow_mut()))
}

/// Records an event, if events are recorded.
macro_rules! note {
    ($world:expr, $($words:tt)*) => {
        if let Some(trace) = &mut $world.trace {
            trace.push(format!("{:>9.3} {}", $world.agenda.now().as_secs_f64(), format_args!($($words)*)));
        }
    };
}
pub(super) use note;

impl World {
    pub(super) fn new(plan: Plan, seed: Seed, trace: Option<Vec<String>>) -> Self {
        let ledger = Ledger::new(&plan);
        Self { plan: Arc::new(plan), seed, ledger, trace, ..Self::default() }
    }

    /// Decides whether this fault happens here.
    pub(super) fn strikes(&mut self, fault: Fault) -> bool {
        self.plan.has(fault) && self.seed.one_in(self.plan.rarity)
    }

    pub(super) fn violated(&mut self, rule: impl fmt::Display) {
        note!(self, "VIOLATED: {rule}");
        self.violations.push(rule.to_string());
    }

    pub(super) fn schedule(&mut self, delay: Duration, happening: Happening) {
        self.schedule_at(self.agenda.now() + delay, happening);
    }

    pub(super) fn schedule_at(&mut self, at: Duration, happening: Happening) -> EntryId {
        self.agenda.schedule(at, happening)
    }

    /// The time of the next event.
    pub(super) fn next_time(&self) -> Option<Duration> {
        self.agenda.next_time()
    }

    fn dialled(&mut self, number: usize, outcome: Result<(), io::ErrorKind>) {
        let dial = &mut self.dials[number];
        dial.outcome = Some(outcome);
        if let Some(waker) = dial.waker.take() {
            waker.wake();
        }
    }

    fn cancelled(&mut self, call: usize) {
        note!(self, "call {call} is cancelled");
        let call = &mut self.ledger.calls[call];
        call.cancelled = true;
        call.deadline = Some(
            call.deadline.map_or(self.agenda.now(), |deadline| deadline.min(self.agenda.now())),
        );
    }

    /// Begins to connect to an address.
    fn dial(&mut self, address: SocketAddr) -> usize {
        let number = self.dials.len();
        self.dials.push(Handshake::default());
        let site = Site::at(address.ip(), address.port());
        note!(self, "dial {number}: {address}, {}", site.authority());
        if self.plan.client.denied == Some(site.host) {
            self.violated(format!("{address} is dialed, which is denied"));
        }
        let slow =
            if self.strikes(Fault::SlowConnect) { self.seed.ms(1..=15_000) } else { SECOND / 100 };
        let delay = slow + self.seed.ms(0..=40);
        if !self.strikes(Fault::BlackHole) {
            let refused = self.strikes(Fault::Refusal);
            let outcome = if refused { Err(io::ErrorKind::ConnectionRefused) } else { Ok(()) };
            self.schedule(delay, Happening::Dialled(number, outcome));
        }
        number
    }

    /// The outcome of an attempt, if it has ended.
    pub(super) fn outcome(
        &mut self,
        dial: usize,
        waker: &Waker,
    ) -> Option<Result<(), io::ErrorKind>> {
        let dial = &mut self.dials[dial];
        dial.waker = Some(waker.clone());
        dial.outcome
    }

    /// Checks that a wait for a connection has exactly the limit that is allowed.
    pub(super) fn check_connecting(&mut self, at_most: Option<Duration>) {
        let now = self.agenda.now();
        let Some(call) = self.ledger.call() else { return };
        let (limit, deadline) = (call.plan.limits.connect, call.deadline);
        let Some(task) = self.ledger.task() else { return };
        let connecting = task.connecting.get_or_insert(Connecting { since: now, looks: 0 });
        let end = connecting.since + limit;
        // When a limit other than the total one has passed, the socket is checked once more. Each
        // check takes time, and no wait lies between them.
        let is_look = now >= end
            && at_most.is_some_and(|at_most| at_most <= LOOK)
            && connecting.looks < LAST_LOOKS;
        connecting.looks += u32::from(is_look);
        let end = end + LOOK * connecting.looks;
        let end = deadline.map_or(end, |deadline| deadline.min(end));
        if at_most.is_none_or(|at_most| now + at_most > end) {
            self.violated(format!("waits {at_most:?} for a connection, until after {end:?}"));
        }
    }

    /// The same for a wait for a free connection, which has a limit of its own: by default the same
    /// time. The connect timeout starts when dialing begins.
    pub(super) fn check_queueing(&mut self, at_most: Option<Duration>) {
        let Some(call) = self.ledger.call() else { return };
        let end = self.agenda.now() + call.plan.limits.connect;
        let end = call.deadline.map_or(end, |deadline| deadline.min(end));
        if let Some(task) = self.ledger.task() {
            task.connecting = None;
        }
        if at_most.is_none_or(|at_most| self.agenda.now() + at_most > end) {
            self.violated(format!("queues for {at_most:?}, until after {end:?}"));
        }
    }

    /// Checks that the wait for the caller's source is within the limit.
    pub(super) fn check_source(&mut self, at_most: Option<Duration>) {
        let Some(deadline) = self.ledger.call().and_then(|call| call.deadline) else { return };
        if at_most.is_none_or(|at_most| self.agenda.now() + at_most > deadline) {
            self.violated(format!("waits {at_most:?} for a source, until after {deadline:?}"));
        }
    }

    fn answer(&mut self, host: &str) -> Found {
        if self.strikes(Fault::NoName) {
            return self
                .seed
                .pick(&[0, 1])
                .eq(&0)
                .then(Vec::new)
                .ok_or(io::Error::other("no such name"));
        }
        let host = HOSTS.iter().position(|name| *name == host);
        let all = addresses(host.ok_or_else(|| io::Error::other("never heard of it"))?);
        let [v4, v6] = all.map(|ip: IpAddr| SocketAddr::new(ip, 0));
        Ok(self.seed.pick(&[vec![v4], vec![v6], vec![v4, v6], vec![v6, v4]]))
    }
}

/// Runs the next event.
pub(super) fn happen() {
    match with(|world| world.agenda.next()) {
        None => {}
        Some(Happening::Wake(waker)) => waker.wake(),
        Some(Happening::Found(desk, found)) => desk.put(found),
        Some(Happening::Dialled(dial, outcome)) => with(|world| world.dialled(dial, outcome)),
        Some(Happening::ToServer(line, packet)) => with(|world| world.reach_server(line, packet)),
        Some(Happening::Unblocked(line)) => with(|world| world.let_server_read(line)),
        Some(Happening::ToClient(line, packet)) => with(|world| world.reach_client(line, packet)),
        Some(Happening::Cancel(token, call)) => {
            with(|world| world.cancelled(call));
            token.cancel();
        }
        Some(Happening::Act(line, turn)) => with(|world| world.act(line, turn)),
    }
}

/// The runtime of the driver: this thread's world.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Simulated;

impl Sealed for Simulated {}

impl memory::World for Simulated {
    type State = World;

    fn with<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        with(act)
    }
}

impl Runtime for Simulated {
    type Source = Source;
    type Stream = MemoryStream<Simulated>;
    /// The index of the attempt.
    type Connecting = usize;
    type Event = Event;

    async fn read(source: &mut Source, into: &mut [u8]) -> io::Result<usize> {
        source.read(into).await
    }

    fn now(&self) -> Instant {
        static BEGINNING: OnceLock<Instant> = OnceLock::new();
        *BEGINNING.get_or_init(Instant::now) + with(|world| world.agenda.now())
    }

    fn date(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + with(|world| world.agenda.now())
    }

    /// Asked just before the wait for a retry.
    fn random(&self) -> u64 {
        with(|world| {
            world.ledger.pauses();
            world.seed.next()
        })
    }

    fn connect(&self, address: SocketAddr, _: &SocketOptions) -> io::Result<usize> {
        Ok(with(|world| world.dial(address)))
    }

    async fn any_of(
        &self,
        attempts: &mut Vec<Dial<usize>>,
        at_most: Option<Duration>,
        stop: Option<&Event>,
    ) -> Option<Dialled<MemoryStream<Simulated>>> {
        let is_stopped = |waker: &Waker| stop.is_some_and(|stop| stop.is_set(waker));
        memory::any_of(self, attempts, |dial| Some(dial), at_most, is_stopped).await
    }

    fn look_up(&self, host: String, _: Resolver, answer: Arc<Oneshot<Found, Event>>) {
        with(|world| {
            note!(world, "look up {host}");
            world.ledger.looks_up();
            if world.strikes(Fault::SilentResolver) {
                return;
            }
            let found = world.answer(&host);
            let delay = world.seed.ms(0..=30) * world.seed.pick(&[0, 1, 2]);
            world.schedule(delay, Happening::Found(answer, found));
        });
    }
}
