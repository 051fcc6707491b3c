//! Connections: bytes in both directions, in pieces and with delays, and the client's end of them.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::task::Waker;
use std::time::Duration;

use http::Method;

use super::clock::until;
use super::framing::Close;
use super::origin::Server;
use super::plan::{Fault, Site};
use super::tls::{Meaning, Records, Side};
use super::world::{Happening, World, note, with};
use crate::driver::runtime::{self, Meanwhile, Pending, SocketError};
use crate::http1::close::CloseReason;
use crate::policy::deadline::Wait;
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
    /// Whether a record has arrived in part.
    is_within_record: bool,
    /// Whether `close_notify` of the origin has arrived.
    was_told_the_end: bool,
    /// Whether invalid records have arrived: no plaintext can follow.
    is_broken: bool,
    /// Whether such records are on their way.
    pub(super) is_spoiled: bool,
    /// Bytes that have arrived and that the client has not read.
    inbox: VecDeque<u8>,
    end: Option<End>,
    /// All plaintext that has arrived at the client.
    pub(super) log: Vec<u8>,
    /// The length of the log over time.
    came: Vec<(usize, Duration)>,
    /// The time at which it ended for the client.
    ended_at: Option<Duration>,
    /// Unsolicited bytes: their position, and the number of attempts before them.
    pub(super) strays: Vec<(usize, usize)>,
    /// Whether such bytes have arrived during a request: it is unknown what the client took them
    /// for.
    pub(super) is_poisoned: bool,
    pub(super) attempts: Vec<usize>,
    pub(super) is_open: bool,
    /// The reason why it is about to be closed.
    pub(super) reason: Option<CloseReason>,
    /// Number of bytes that the client has sent and the server has not read.
    held: usize,
    /// Packets for a server that has stopped reading.
    backlog: VecDeque<Packet>,
    window: usize,
    reader: Option<Waker>,
    writer: Option<Waker>,
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
    /// Reported once, as by real systems: later reads see an orderly end.
    ToldReset,
    /// Closed by the client itself.
    Shutdown,
}

impl End {
    fn told(self) -> Self {
        match self {
            Self::Reset => Self::ToldReset,
            end => end,
        }
    }
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
            inbox: VecDeque::new(),
            end: None,
            log: Vec::new(),
            came: Vec::new(),
            ended_at: None,
            strays: Vec::new(),
            is_poisoned: false,
            attempts: Vec::new(),
            is_open: true,
            reason: None,
            held: 0,
            backlog: VecDeque::new(),
            window,
            reader: None,
            writer: None,
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
        *last = (*last).max(self.now + delay);
        *last
    }

    pub(super) fn reach_client(&mut self, at: usize, packet: Packet) {
        let line = &mut self.lines[at];
        let is_over = !matches!(line.end, None | Some(End::Fin));
        if !line.is_open || is_over {
            return;
        }
        match packet {
            Packet::Bytes(bytes) => {
                note!(self, "line {at}: {} bytes come", bytes.len());
                line.plaintext_comes(&bytes, self.now);
                line.inbox.extend(bytes);
            }
            Packet::Records(Records { wire, plain, meaning }) => {
                note!(self, "line {at}: {} bytes of records come, {meaning:?}", wire.len());
                line.records_come(&plain, meaning, self.now);
                line.inbox.extend(wire);
            }
            Packet::End(end) => {
                note!(self, "line {at}: {end:?} comes");
                // Some systems discard unread data.
                if end == End::Reset && self.seed.one_in(2) {
                    line.inbox.clear();
                }
                self.end(at, end);
            }
        }
        if let Some(waker) = self.lines[at].reader.take() {
            waker.wake();
        }
    }

    /// Ends the direction.
    fn end(&mut self, at: usize, end: End) {
        let line = &mut self.lines[at];
        line.end = Some(end);
        line.ended_at.get_or_insert(self.now);
        for waker in [line.reader.take(), line.writer.take()].into_iter().flatten() {
            waker.wake();
        }
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
                line.held -= bytes.len();
                if let Some(waker) = line.writer.take() {
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

    fn read(&mut self, at: usize, into: &mut [u8], waker: &Waker) -> Option<io::Result<usize>> {
        if self.strikes(Fault::Interruption) && self.seed.one_in(3) {
            return Some(Err(ErrorKind::Interrupted.into()));
        }
        let whole = self.seed.one_in(2);
        let line = &mut self.lines[at];
        let most = line.inbox.len().min(into.len());
        let count = match (most, line.end) {
            (0, None) => {
                line.reader = Some(waker.clone());
                return None;
            }
            (0, Some(End::Reset)) => {
                line.end = Some(End::ToldReset);
                return Some(Err(ErrorKind::ConnectionReset.into()));
            }
            (0, Some(_)) => return Some(Ok(0)),
            (most, _) if whole => most,
            (most, _) => self.seed.within(1..=most),
        };
        let line = &mut self.lines[at];
        for (byte, permit) in line.inbox.drain(..count).zip(into) {
            *permit = byte;
        }
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
        let line = &mut self.lines[at];
        if !matches!(line.end, None | Some(End::Fin)) {
            line.end = line.end.map(End::told);
            return Some(Err(ErrorKind::BrokenPipe.into()));
        }
        let room = line.window - line.held;
        let count = match bytes.len().min(room) {
            0 => {
                line.writer = Some(waker.clone());
                return None;
            }
            most if whole => most,
            most => self.seed.within(1..=most),
        };
        note!(self, "line {at}: {count} of {} bytes leave", bytes.len());
        let line = &mut self.lines[at];
        line.held += count;
        if let (Some(attempt), false) = (line.attempts.last(), line.is_wrapped()) {
            self.ledger.attempts[*attempt].is_sent = true;
        }
        self.send_to_server(at, Packet::Bytes(bytes[..count].to_vec()));
        Some(Ok(count))
    }

    /// Lets a blocked writer notice data from the server, or its end.
    fn listen(&mut self, at: usize, waker: &Waker) -> Option<io::Result<usize>> {
        let line = &mut self.lines[at];
        if line.inbox.is_empty() && !line.has_ended() {
            line.reader = Some(waker.clone());
            return None;
        }
        Some(Ok(0))
    }

    /// Checks that this wait is within the limits of its call.
    fn check_wait(&mut self, at: usize, own: Duration, wait: Wait) {
        if self.lines[at].is_set_up() {
            if let Some(task) = self.ledger.task() {
                task.connecting = None;
            }
        } else {
            self.check_connecting(wait.at_most);
        }
        let Some(call) = self.ledger.call() else { return };
        let end = call.deadline.map_or(self.now + own, |end| end.min(self.now + own));
        if wait.at_most.is_none_or(|at_most| self.now + at_most > end) {
            self.violated(format!("line {at}: waits {:?}, until after {end:?}", wait.at_most));
        }
    }

    fn limit(&self, of: impl FnOnce(&super::plan::Limits) -> Duration) -> Duration {
        self.ledger.call().map_or(Duration::MAX / 2, |call| of(&call.plan.limits))
    }
}

/// Number of unread bytes after which a server stops writing.
const UNREAD: usize = 3000;

impl Line {
    /// Whether the server waits until the client has read.
    fn is_blocked(&self) -> bool {
        self.is_open && self.server.writes_first && self.inbox.len() > UNREAD
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

    /// Whether it carries bytes that do not belong to an exchange.
    pub(super) fn is_wrapped(&self) -> bool {
        self.server.is_tunnel() || !self.tls.is_empty()
    }

    /// Whether the client can send to the origin, or to the forwarding proxy.
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
        self.inbox.len()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Whether at least one record has arrived, and all are complete.
    pub(super) fn is_between_records(&self) -> bool {
        !self.is_within_record && !self.is_broken
    }

    /// Whether the client could know that nothing more arrives.
    pub(super) fn is_over(&self) -> bool {
        self.has_ended() || self.was_told_the_end
    }

    /// Under TLS only `close_notify` proves that this was all (RFC 8446 §6.1).
    pub(super) fn close(&self) -> Close {
        let is_orderly = match self.tls.is_empty() {
            true => self.end == Some(End::Fin),
            false => self.was_told_the_end,
        };
        if is_orderly { Close::Orderly } else { Close::Not }
    }
}

/// The client's end of a connection.
#[derive(Debug)]
pub(super) struct Stream {
    line: usize,
}

/// The wait for `100 Continue`.
const PATIENCE: Duration = Duration::from_secs(1);

impl Stream {
    pub(super) fn open(address: SocketAddr) -> Self {
        Self { line: with(|world| world.open(address)) }
    }
}

impl runtime::Stream for Stream {
    async fn read(&mut self, into: &mut [u8], wait: Wait) -> Result<usize, SocketError> {
        with(|world| {
            let expects = world.ledger.call().is_some_and(|call| call.plan.expects);
            let is_refused = world.lines[self.line].server.has_refused;
            let patience = if expects || is_refused { PATIENCE } else { Duration::ZERO };
            let own = world.limit(|limits| limits.read).max(patience);
            if world.lines[self.line].inbox.is_empty() {
                world.check_wait(self.line, own, wait);
            }
        });
        let read = until(wait.at_most, |world, waker| world.read(self.line, into, waker)).await;
        Ok(read.ok_or(wait.expired)??)
    }

    async fn write(
        &mut self,
        bytes: &[u8],
        meanwhile: Meanwhile,
        wait: Wait,
    ) -> Result<usize, SocketError> {
        with(|world| {
            let own = world.limit(|limits| limits.write);
            world.check_wait(self.line, own, wait);
        });
        let write = |world: &mut World, waker: &Waker| {
            let written = world.write(self.line, bytes, waker);
            match meanwhile {
                Meanwhile::Wait => written,
                Meanwhile::Listen | Meanwhile::Converse => {
                    written.or_else(|| world.listen(self.line, waker))
                }
            }
        };
        let written = until(wait.at_most, write).await;
        Ok(written.ok_or(wait.expired)??)
    }

    async fn input(&mut self, wait: Wait) -> Result<(), SocketError> {
        with(|world| world.check_source(wait.at_most));
        let heard = until(wait.at_most, |world, waker| world.listen(self.line, waker)).await;
        heard.map(drop).ok_or(wait.expired.into())
    }

    fn pending(&self) -> Pending {
        with(|world| {
            let line = &world.lines[self.line];
            match line.inbox.is_empty() {
                false => Pending::Bytes,
                true if line.has_ended() => Pending::End,
                true => Pending::Nothing,
            }
        })
    }

    fn say_farewell(&mut self, bytes: &[u8]) {
        with(|world| {
            let line = &mut world.lines[self.line];
            if !bytes.is_empty() && matches!(line.end, None | Some(End::Fin)) {
                line.held += bytes.len();
                world.send_to_server(self.line, Packet::Bytes(bytes.to_vec()));
            }
        });
    }

    /// Shuts the socket down from outside.
    fn interrupter(&self) -> impl Fn() + Send + 'static {
        let line = self.line;
        move || with(|world| world.end(line, End::Shutdown))
    }

    fn begin(&mut self, method: &Method, url: &Url) {
        with(|world| world.begin(self.line, method, url));
    }

    fn closing(&mut self, reason: CloseReason) {
        with(|world| world.closing(self.line, reason));
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        with(|world| {
            if world.lines[self.line].reason.is_none() {
                world.violated(format!("line {}: closed without a reason", self.line));
            }
            world.lines[self.line].is_open = false;
            world.send_to_server(self.line, Packet::End(End::Fin));
        });
    }
}
