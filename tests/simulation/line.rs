//! Connections: bytes in both directions, in pieces and with delays, and what the sockets of the client see of
//! them ([`Sockets`]).

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::task::Waker;
use std::time::Duration;

use http::Method;

use super::framing::Close;
use super::origin::Server;
use super::plan::{Fault, Site};
use super::tls::{Meaning, Records, Side};
use super::world::{Happening, World, note};
use crate::driver::runtime::Pending;
use crate::http1::close::CloseReason;
use crate::testing::memory::agenda::EntryId;
use crate::testing::memory::wire::{Wire, WireEnd};
use crate::testing::memory::{Awaited, Sockets};
use crate::url::Url;

/// A connection.
pub(super) struct Line {
    pub(super) site: Site,
    /// Its destination: the address that it connects to, and the end of its tunnel.
    pub(super) stop: Option<(Site, Option<Site>)>,
    pub(super) server: Server,
    /// The server's TLS layers, the one next to the socket first; two for TLS in TLS.
    pub(super) tls: Vec<Side>,
    /// Number of TLS layers whose handshake is done.
    opened: usize,
    /// True if a record has arrived in part.
    is_within_record: bool,
    /// True if `close_notify` of the origin has arrived.
    was_told_the_end: bool,
    /// True if invalid records have arrived: no plaintext can follow.
    is_broken: bool,
    /// True if such records are on their way.
    pub(super) is_spoiled: bool,
    /// The client's end.
    wire: Wire,
    /// All plaintext that has arrived at the client.
    pub(super) log: Vec<u8>,
    /// The length of the log over time.
    came: Vec<(usize, Duration)>,
    /// The time at which it ended for the client.
    ended_at: Option<Duration>,
    /// Unsolicited bytes: their position, and the number of attempts before them.
    pub(super) strays: Vec<(usize, usize)>,
    /// True if such bytes have arrived during a request: it is unknown what the client took them
    /// for.
    pub(super) is_poisoned: bool,
    pub(super) attempts: Vec<usize>,
    pub(super) is_open: bool,
    /// The reason why it is about to be closed.
    pub(super) reason: Option<CloseReason>,
    /// Packets for a server that has stopped reading.
    backlog: VecDeque<Packet>,
    /// The times of the last arrivals: packets stay in order.
    arrivals: [Duration; 2],
}

/// A unit of data on its way.
#[derive(Debug)]
pub(super) enum Packet {
    Bytes(Vec<u8>),
    /// A packet to the client only.
    Records(Records),
    End(End),
}

/// The end of a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Fin,
    Reset,
}

impl World {
    fn open(&mut self, address: SocketAddr) -> usize {
        let site = Site::at(address.ip(), address.port());
        let narrow = self.plan.has(Fault::NarrowPipe);
        let window = if narrow { self.seed.pick(&[40, 700, 5000]) } else { 60_000 };
        let line = self.lines.len();
        note!(self, "line {line}: open to {}", site.authority());
        self.lines.push(Line {
            site,
            stop: None,
            server: Server::new(site, &self.plan),
            tls: Vec::new(),
            opened: 0,
            is_within_record: false,
            was_told_the_end: false,
            is_broken: false,
            is_spoiled: false,
            wire: Wire::new(window),
            log: Vec::new(),
            came: Vec::new(),
            ended_at: None,
            strays: Vec::new(),
            is_poisoned: false,
            attempts: Vec::new(),
            is_open: true,
            reason: None,
            backlog: VecDeque::new(),
            arrivals: [Duration::ZERO; 2],
        });
        if self.is_secure_at_once(site) {
            self.secure(line);
        }
        self.greet(line);
        line
    }

    /// Sends a packet to the client.
    pub(super) fn send_to_client(&mut self, line: usize, packet: Packet) {
        let at = self.arrival(line, 0);
        self.schedule_at(at, Happening::ToClient(line, packet));
    }

    fn send_to_server(&mut self, line: usize, packet: Packet) {
        let at = self.arrival(line, 1);
        self.schedule_at(at, Happening::ToServer(line, packet));
    }

    fn arrival(&mut self, line: usize, direction: usize) -> Duration {
        let delay = self.seed.ms(0..=8) * self.seed.pick(&[0, 1, 1, 4]);
        let last = &mut self.lines[line].arrivals[direction];
        *last = (*last).max(self.agenda.now() + delay);
        *last
    }

    pub(super) fn reach_client(&mut self, at: usize, packet: Packet) {
        let line = &mut self.lines[at];
        if !line.is_open || !line.wire.is_usable() {
            return;
        }
        match packet {
            Packet::Bytes(bytes) => {
                note!(self, "line {at}: {} bytes come", bytes.len());
                line.plaintext_comes(&bytes, self.agenda.now());
                line.wire.arrive(bytes);
            }
            Packet::Records(Records { wire, plain, meaning }) => {
                note!(self, "line {at}: {} bytes of records come, {meaning:?}", wire.len());
                line.records_come(&plain, meaning, self.agenda.now());
                line.wire.arrive(wire);
            }
            Packet::End(end) => {
                note!(self, "line {at}: {end:?} comes");
                // Some systems discard unread data.
                if end == End::Reset && self.seed.one_in(2) {
                    line.wire.discard();
                }
                let end = match end {
                    End::Fin => WireEnd::Fin,
                    End::Reset => WireEnd::Reset,
                };
                self.end(at, end);
            }
        }
        if let Some(waker) = self.lines[at].wire.take_reader() {
            waker.wake();
        }
    }

    /// Ends the direction.
    fn end(&mut self, at: usize, end: WireEnd) {
        let now = self.agenda.now();
        let line = &mut self.lines[at];
        line.ended_at.get_or_insert(now);
        line.wire.finish(end).for_each(Waker::wake);
    }

    pub(super) fn reach_server(&mut self, at: usize, packet: Packet) {
        self.lines[at].backlog.push_back(packet);
        self.let_server_read(at);
    }

    /// A server that responds while it reads waits until its response is read.
    pub(super) fn let_server_read(&mut self, at: usize) {
        while !self.lines[at].is_blocked() {
            let Some(packet) = self.lines[at].backlog.pop_front() else { return };
            self.server_reads(at, packet);
        }
    }

    fn server_reads(&mut self, at: usize, packet: Packet) {
        let line = &mut self.lines[at];
        match packet {
            Packet::Bytes(bytes) if line.server.is_closed => {
                note!(self, "line {at}: {} bytes discarded", bytes.len());
                self.send_to_client(at, Packet::End(End::Reset));
            }
            Packet::Bytes(_) if line.server.is_deaf => {}
            Packet::Bytes(bytes) => {
                if let Some(waker) = line.wire.accept(bytes.len()) {
                    waker.wake();
                }
                let plain = self.decrypt(at, bytes);
                if !plain.is_empty() {
                    self.hear(at, &plain);
                }
            }
            Packet::Records(_) => {}
            Packet::End(_) => {
                note!(self, "line {at}: the client is gone");
                line.server.is_closed = true;
            }
        }
    }

    /// Checks that this wait is within the limits of its call.
    fn check_wait(&mut self, at: usize, own: Duration, at_most: Option<Duration>) {
        if self.lines[at].is_set_up() {
            if let Some(task) = self.ledger.task() {
                task.connecting = None;
            }
        } else {
            self.check_connecting(at_most);
        }
        let Some(call) = self.ledger.call() else { return };
        let end =
            call.deadline.map_or(self.agenda.now() + own, |end| end.min(self.agenda.now() + own));
        if at_most.is_none_or(|at_most| self.agenda.now() + at_most > end) {
            self.violated(format!("line {at}: waits {at_most:?}, until after {end:?}"));
        }
    }

    fn limit(&self, of: impl FnOnce(&super::plan::Limits) -> Duration) -> Duration {
        self.ledger.call().map_or(Duration::MAX / 2, |call| of(&call.plan.limits))
    }
}

/// Number of unread bytes after which a server stops writing.
const UNREAD: usize = 3000;

impl Line {
    /// Returns whether the server waits until the client has read.
    fn is_blocked(&self) -> bool {
        self.is_open && self.server.writes_first && self.wire.unread() > UNREAD
    }

    fn plaintext_comes(&mut self, bytes: &[u8], now: Duration) {
        self.log.extend_from_slice(bytes);
        let here = self.log.len();
        self.came.push((here, now));
        let attempts = self.attempts.len();
        self.is_poisoned |=
            self.strays.iter().any(|(start, before)| *start < here && attempts > *before);
    }

    fn records_come(&mut self, plain: &[u8], meaning: Meaning, now: Duration) {
        if self.is_broken || self.was_told_the_end {
            return;
        }
        self.is_within_record = meaning == Meaning::Part;
        match meaning {
            Meaning::Part => {}
            Meaning::Whole if plain.is_empty() => {}
            Meaning::Whole => self.plaintext_comes(plain, now),
            Meaning::Opens => self.opened += 1,
            Meaning::Closes => self.was_told_the_end = true,
            Meaning::Breaks => self.is_broken = true,
        }
    }

    /// Delays everything that follows.
    pub(super) fn linger(&mut self, now: Duration, delay: Duration) {
        self.arrivals[0] = self.arrivals[0].max(now + delay);
    }

    /// Returns whether it carries bytes that do not belong to an exchange.
    pub(super) fn is_wrapped(&self) -> bool {
        self.server.is_tunnel() || !self.tls.is_empty()
    }

    /// Returns whether the client can send to the origin, or to the forwarding proxy.
    pub(super) fn is_set_up(&self) -> bool {
        self.server.is_set_up() && self.opened == self.tls.len()
    }

    /// The time at which so many bytes had arrived.
    pub(super) fn came_at(&self, length: usize) -> Option<Duration> {
        self.came.iter().find(|(come, _)| *come >= length).map(|(_, at)| *at)
    }

    pub(super) fn ended_at(&self) -> Option<Duration> {
        self.ended_at
    }

    pub(super) fn unread(&self) -> usize {
        self.wire.unread()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.wire.end().is_some()
    }

    /// Returns whether at least one record has arrived, and all are complete.
    pub(super) fn is_between_records(&self) -> bool {
        !self.is_within_record && !self.is_broken
    }

    /// Returns whether the client could know that nothing more arrives.
    pub(super) fn is_over(&self) -> bool {
        self.has_ended() || self.was_told_the_end
    }

    /// Under TLS only `close_notify` proves that this was all (RFC 8446 §6.1).
    pub(super) fn close(&self) -> Close {
        let is_orderly = match self.tls.is_empty() {
            true => matches!(self.wire.end(), Some(WireEnd::Fin)),
            false => self.was_told_the_end,
        };
        if is_orderly { Close::Orderly } else { Close::Not }
    }
}

/// The wait for `100 Continue`.
const PATIENCE: Duration = Duration::from_secs(1);

impl Sockets for World {
    /// The index of the attempt.
    type Dial = usize;

    fn now(&self) -> Duration {
        self.agenda.now()
    }

    fn wake_at(&mut self, at: Duration, waker: &Waker) -> EntryId {
        self.schedule_at(at, Happening::Wake(waker.clone()))
    }

    /// The plan of some runs wants it: a driver must not rely on the number of polls.
    fn stutters(&self) -> bool {
        self.plan.stutters
    }

    fn dialled(&mut self, dial: &usize, waker: &Waker) -> Option<Result<(), ErrorKind>> {
        self.outcome(*dial, waker)
    }

    fn open(&mut self, address: SocketAddr) -> usize {
        World::open(self, address)
    }

    fn read(&mut self, at: usize, into: &mut [u8], waker: &Waker) -> Option<io::Result<usize>> {
        if self.strikes(Fault::Interruption) && self.seed.one_in(3) {
            return Some(Err(ErrorKind::Interrupted.into()));
        }
        let whole = self.seed.one_in(2);
        let most = match self.lines[at].wire.available(into.len(), waker)? {
            Ok(0) => return Some(Ok(0)),
            Ok(most) => most,
            Err(error) => return Some(Err(error)),
        };
        let count = if whole { most } else { self.seed.within(1..=most) };
        let line = &mut self.lines[at];
        line.wire.read(count, into);
        if !line.backlog.is_empty() {
            self.schedule(Duration::ZERO, Happening::Unblocked(at));
        }
        Some(Ok(count))
    }

    fn write(&mut self, at: usize, bytes: &[u8], waker: &Waker) -> Option<io::Result<usize>> {
        if self.strikes(Fault::Interruption) && self.seed.one_in(3) {
            return Some(Err(ErrorKind::Interrupted.into()));
        }
        let whole = self.seed.one_in(2);
        let most = match self.lines[at].wire.room(bytes.len(), waker)? {
            Ok(most) => most,
            Err(error) => return Some(Err(error)),
        };
        let count = if whole { most } else { self.seed.within(1..=most) };
        note!(self, "line {at}: {count} of {} bytes leave", bytes.len());
        let line = &mut self.lines[at];
        line.wire.hold(count);
        if let (Some(attempt), false) = (line.attempts.last(), line.is_wrapped()) {
            self.ledger.attempts[*attempt].is_sent = true;
        }
        self.send_to_server(at, Packet::Bytes(bytes[..count].to_vec()));
        Some(Ok(count))
    }

    fn has_news(&mut self, at: usize, waker: &Waker) -> bool {
        self.lines[at].wire.has_news(waker)
    }

    fn pending(&self, at: usize) -> Pending {
        self.lines[at].wire.pending()
    }

    fn farewell(&mut self, at: usize, bytes: &[u8]) {
        let line = &mut self.lines[at];
        if !bytes.is_empty() && line.wire.is_usable() {
            line.wire.hold(bytes.len());
            self.send_to_server(at, Packet::Bytes(bytes.to_vec()));
        }
    }

    /// Shuts the socket down from outside.
    fn shut_down(&mut self, at: usize) {
        self.end(at, WireEnd::Shutdown);
    }

    fn begin(&mut self, at: usize, method: &Method, url: &Url) {
        World::begin(self, at, method, url);
    }

    fn closing(&mut self, at: usize, reason: CloseReason) {
        World::closing(self, at, reason);
    }

    fn close(&mut self, at: usize) {
        if self.lines[at].reason.is_none() {
            self.violated(format!("line {at}: closed without a reason"));
        }
        self.lines[at].is_open = false;
        self.send_to_server(at, Packet::End(End::Fin));
    }

    fn waits(&mut self, awaited: Awaited, at_most: Option<Duration>) {
        match awaited {
            Awaited::Connection => self.check_connecting(at_most),
            Awaited::Input => self.check_source(at_most),
            Awaited::Write(at) => {
                let own = self.limit(|limits| limits.write);
                self.check_wait(at, own, at_most);
            }
            Awaited::Read(at) if self.lines[at].unread() > 0 => {}
            Awaited::Read(at) => {
                let expects = self.ledger.call().is_some_and(|call| call.plan.expects);
                let is_refused = self.lines[at].server.has_refused;
                let patience = if expects || is_refused { PATIENCE } else { Duration::ZERO };
                let own = self.limit(|limits| limits.read).max(patience);
                self.check_wait(at, own, at_most);
            }
        }
    }
}
