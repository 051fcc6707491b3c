//! A server: reads requests, and sends responses as the seed decides.

use std::collections::VecDeque;
use std::time::Duration;

use super::answer::{Answer, Wire};
use super::line::{End, Packet};
use super::plan::{BodyPlan, Fault, PROXY, Plan, SECOND, Site};
use super::proxy::Socks;
use super::request::{Head, Heard, Reader};
use super::world::{Happening, World, note};

/// The other end of a connection.
#[derive(Debug, Default)]
pub(super) struct Server {
    role: Role,
    reader: Reader,
    /// The next events.
    beats: VecDeque<Beat>,
    /// True if its next event is scheduled.
    is_acting: bool,
    /// Number of times its next events were replaced.
    turn: usize,
    /// Reads no more, and a sender learns it.
    pub(super) is_closed: bool,
    /// Reads no more, and a sender does not learn it.
    pub(super) is_deaf: bool,
    /// Has responded before the end of the request, and reads on while the client reads.
    pub(super) writes_first: bool,
    /// Number of bytes sent.
    sent: usize,
    /// Number of requests that have begun.
    heads: usize,
    current: Option<Current>,
    /// True if the origin behind the tunnel speaks TLS.
    is_secured: bool,
    /// True if it has refused the tunnel with an HTTP response.
    pub(super) has_refused: bool,
}

#[derive(Debug, Default)]
enum Role {
    /// No answer yet: the server is busy.
    #[default]
    None,
    Origin(Site),
    /// A proxy that forwards requests for any origin.
    Forward,
    /// A SOCKS proxy, before its tunnel is open.
    Socks(Socks),
    /// An HTTP proxy, before its tunnel is open.
    Connect,
    /// The origin at the other end of a tunnel.
    Behind(Site),
}

/// The request in progress.
#[derive(Debug)]
struct Current {
    attempt: usize,
    /// None once it was sent.
    answer: Option<Answer>,
}

/// A scheduled action.
#[derive(Debug)]
pub(super) enum Beat {
    Wait(Duration),
    Say(Vec<u8>),
    /// Switches to TLS.
    Secure,
    /// Ends its direction, and reads on.
    Fin,
    Close,
    Reset,
    /// Closes if no request has arrived meanwhile.
    IdleClose,
    IdleTalk,
}

impl World {
    /// A server may send first.
    pub(super) fn greet(&mut self, at: usize) {
        if self.strikes(Fault::IdleTalk) && self.seed.one_in(3) {
            self.serve(at, |server, world| {
                server.add([Beat::Wait(world.seed.ms(0..=20)), Beat::IdleTalk]);
            });
        }
    }

    /// Delivers bytes to a server.
    pub(super) fn hear(&mut self, at: usize, bytes: &[u8]) {
        self.serve(at, |server, world| server.hear(world, at, bytes));
    }

    /// Runs the next actions of a server.
    pub(super) fn act(&mut self, at: usize, turn: usize) {
        self.serve(at, |server, world| {
            if server.turn == turn {
                server.is_acting = false;
                server.act(world, at);
            }
        });
    }

    fn serve(&mut self, at: usize, act: impl FnOnce(&mut Server, &mut Self)) {
        let mut server = std::mem::take(&mut self.lines[at].server);
        act(&mut server, self);
        if !server.beats.is_empty() && !server.is_acting {
            server.is_acting = true;
            let delay = match server.beats.front() {
                Some(Beat::Wait(delay)) => *delay,
                _ => Duration::ZERO,
            };
            self.schedule(delay, Happening::Act(at, server.turn));
        }
        self.lines[at].server = server;
    }
}

impl Server {
    pub(super) fn new(site: Site, plan: &Plan) -> Self {
        let role = match &plan.client.proxy {
            Some(proxy) if site == PROXY && proxy.is_http() => Role::Forward,
            Some(proxy) if site == PROXY => Role::Socks(Socks::new(&proxy.password)),
            _ => Role::Origin(site),
        };
        Self { role, ..Self::default() }
    }

    pub(super) fn is_tunnel(&self) -> bool {
        matches!(self.role, Role::Socks(_) | Role::Connect | Role::Behind(_))
    }

    /// Begins a request for that origin: for origins with TLS the proxy has to open a tunnel.
    pub(super) fn begin(&mut self, site: Option<Site>) {
        if matches!(self.role, Role::Forward) && site.is_some_and(Site::is_secure) {
            self.role = Role::Connect;
        }
    }

    /// Returns whether the tunnel to the origin is open.
    pub(super) fn is_set_up(&self) -> bool {
        match self.role {
            Role::Socks(_) | Role::Connect => false,
            Role::Behind(site) => self.is_secured == site.is_secure(),
            _ => true,
        }
    }

    fn add(&mut self, beats: impl IntoIterator<Item = Beat>) {
        self.beats.extend(beats);
    }

    /// The position of the next byte among all that it sends.
    fn planned(&self) -> usize {
        let said = |beat: &Beat| if let Beat::Say(bytes) = beat { bytes.len() } else { 0 };
        self.sent + self.beats.iter().map(said).sum::<usize>()
    }

    fn act(&mut self, world: &mut World, at: usize) {
        if let Some(Beat::Wait(_)) = self.beats.front() {
            self.beats.pop_front();
        }
        while !matches!(self.beats.front(), None | Some(Beat::Wait(_))) {
            if let Some(beat) = self.beats.pop_front() {
                self.perform(world, at, beat);
            }
        }
    }

    fn perform(&mut self, world: &mut World, at: usize, beat: Beat) {
        match beat {
            _ if self.is_closed => {}
            Beat::Wait(_) => {}
            Beat::Say(bytes) => {
                self.sent += bytes.len();
                if !world.say(at, bytes) {
                    self.close(world, at, End::Fin);
                }
            }
            Beat::Secure => {
                world.secure(at);
                self.is_secured = true;
            }
            Beat::Fin => {
                world.say_goodbye(at);
                world.send_to_client(at, Packet::End(End::Fin));
            }
            Beat::Close => self.close(world, at, End::Fin),
            Beat::Reset => self.close(world, at, End::Reset),
            Beat::IdleClose if self.is_idle() => {
                let end = world.seed.pick(&[End::Fin, End::Fin, End::Reset]);
                self.close(world, at, end);
            }
            Beat::IdleTalk if self.is_idle() => {
                let talk = Wire::unasked(world, at, self.sent);
                world.lines[at].strays.push((self.sent, self.heads));
                note!(world, "line {at}: talks, unasked, {} bytes", talk.len());
                self.perform(world, at, Beat::Say(talk));
            }
            Beat::IdleClose | Beat::IdleTalk => {}
        }
    }

    fn close(&mut self, world: &mut World, at: usize, end: End) {
        note!(world, "line {at}: the server closes, {end:?}");
        self.is_closed = true;
        if end == End::Fin {
            world.say_goodbye(at);
        }
        world.send_to_client(at, Packet::End(end));
    }

    fn is_idle(&self) -> bool {
        self.current.is_none() && !self.reader.is_within()
    }

    fn hear(&mut self, world: &mut World, at: usize, bytes: &[u8]) {
        match &mut self.role {
            Role::Socks(socks) => {
                let mut words = socks.talk(world, bytes);
                if let Some(site) = socks.reached() {
                    self.role = Role::Behind(site);
                    words.extend(site.is_secure().then_some(Beat::Secure));
                }
                return self.add(words);
            }
            Role::Connect => return self.hear_connect(world, at, bytes),
            Role::Behind(site) if site.is_secure() && !self.is_secured => {
                self.is_deaf = true; // led on by an unsolicited response
                return;
            }
            _ => {}
        }
        self.reader.feed(bytes);
        if let Some(attempt) = world.lines[at].attempts.get(self.heads) {
            world.ledger.attempts[*attempt].is_sent = true;
        }
        loop {
            match self.reader.next() {
                Ok(None) => return,
                Ok(Some(Heard::Head(head))) => self.head_came(world, at, &head),
                Ok(Some(Heard::End(body))) => self.body_came(world, at, &body),
                Err(rule) => {
                    world.violated(format!("line {at}: no request: {rule}"));
                    self.is_deaf = true;
                    return;
                }
            }
        }
    }

    /// Handles a request before the tunnel is open (RFC 9110 §9.3.6).
    fn hear_connect(&mut self, world: &mut World, at: usize, bytes: &[u8]) {
        self.reader.feed(bytes);
        let head = match self.reader.next() {
            Ok(None) => return,
            Ok(Some(Heard::Head(head))) => head,
            other => return world.violated(format!("line {at}: no CONNECT: {other:?}")),
        };
        if !matches!(self.reader.next(), Ok(Some(Heard::End(_)))) || self.reader.is_within() {
            world.violated(format!("line {at}: a proxy receives more than CONNECT"));
        }
        note!(world, "line {at}: heard {} {}", head.method, head.target);
        let Some(attempt) = world.lines[at].attempts.last().copied() else {
            return world.violated(format!("line {at}: a tunnel without a request"));
        };
        if let Err(rule) = world.check_connect(attempt, &head) {
            world.violated(format!("line {at}: {rule}"));
        }
        match world.tunnel_of(&head) {
            Some(site) => {
                let (words, is_open) = super::proxy::answer_connect(world);
                self.add(words);
                self.has_refused = !is_open;
                if is_open {
                    self.role = Role::Behind(site);
                    self.add([Beat::Secure]);
                }
            }
            None => world.violated(format!("line {at}: a tunnel to {}", head.target)),
        }
    }

    fn head_came(&mut self, world: &mut World, at: usize, head: &Head) {
        self.stop_idling();
        let Some(attempt) = world.lines[at].attempts.get(self.heads).copied() else {
            return world.violated(format!("line {at}: a request that was not begun"));
        };
        self.heads += 1;
        note!(world, "line {at}: heard {} {}", head.method, head.target);
        let at_origin = match self.role {
            Role::Origin(site) | Role::Behind(site) => Some(site),
            _ => None,
        };
        if let Err(rule) = world.check_head(at_origin, attempt, head) {
            world.violated(format!("line {at}: {rule}"));
        }
        self.is_deaf = world.strikes(Fault::Deaf);
        let call = world.ledger.attempts[attempt].call;
        let is_endless = matches!(world.ledger.calls[call].plan.body, BodyPlan::Stalling(_));
        let answer = Answer::choose(world, attempt, head);
        self.current = Some(Current { attempt, answer: Some(answer) });
        if head.field("expect").is_some() {
            self.expected(world, at);
        } else if world.seed.one_in(if is_endless { 2 } else { 3 }) {
            self.writes_first = true;
            self.reply(world, at);
        }
    }

    /// The body waits for `100 Continue` (RFC 9110 §10.1.1).
    fn expected(&mut self, world: &mut World, at: usize) {
        let go_ahead = Beat::Say(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec());
        match world.seed.within(1..=7) {
            1 => {}
            2 => self.add([Beat::Wait(world.seed.ms(0..=2000)), go_ahead]),
            3 => {
                if let Some(current) = &mut self.current {
                    current.answer = Some(Answer::refuse_expectation(world));
                }
                self.reply(world, at);
            }
            4 => self.reply(world, at),
            _ => self.add([go_ahead]),
        }
    }

    fn body_came(&mut self, world: &mut World, at: usize, body: &[u8]) {
        if let Some(current) = &self.current {
            if let Err(rule) = world.check_body(current.attempt, body) {
                world.violated(format!("line {at}: {rule}"));
            }
        }
        self.reply(world, at);
        self.current = None;
        self.writes_first = false;
    }

    /// Sends the response, unless it was sent.
    fn reply(&mut self, world: &mut World, at: usize) {
        let Some(current) = &mut self.current else { return };
        let attempt = current.attempt;
        let Some(answer) = current.answer.take() else { return };
        if world.strikes(Fault::Stall) {
            return;
        }
        world.ledger.attempts[attempt].answered = Some(answer.status);
        let delay = world.seed.ms(0..=20) * world.seed.pick(&[0, 1, 1, 20]);
        let wire = answer.write(world, at, attempt, self.planned());
        if let Some(stray) = wire.stray_at {
            world.lines[at].strays.push((stray, self.heads));
        }
        note!(
            world,
            "line {at}: answers {}",
            String::from_utf8_lossy(&wire.bytes[..wire.bytes.len().min(400)]).escape_debug()
        );
        self.add([Beat::Wait(delay)]);
        let drips = world.strikes(Fault::Drip);
        self.add(pieces(world, wire.bytes, drips));
        self.add(wire.then);
        if !wire.is_cut {
            self.add(idly(world));
        }
    }

    /// The server was about to close, or to send.
    fn stop_idling(&mut self) {
        self.beats.clear();
        self.turn += 1;
        self.is_acting = false;
    }
}

/// Splits bytes into pieces, with or without delays.
fn pieces(world: &mut World, bytes: Vec<u8>, drips: bool) -> Vec<Beat> {
    let seed = &mut world.seed;
    let most = match bytes.len() {
        length if length > 2000 => length,
        length => seed.pick(&[1, 10, length.max(1), length.max(1)]),
    };
    let mut beats = Vec::new();
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let least = rest.len().min(most).min(1 + bytes.len() / 40);
        let (piece, more) = rest.split_at(seed.within(least..=rest.len().min(most)));
        let pause = match drips {
            true => seed.ms(0..=3000),
            false => seed.ms(0..=5) * seed.pick(&[0, 0, 1]),
        };
        beats.push(Beat::Wait(pause));
        beats.push(Beat::Say(piece.to_vec()));
        rest = more;
    }
    beats
}

/// The events of an idle connection.
fn idly(world: &mut World) -> Vec<Beat> {
    let mut beats = Vec::new();
    for (fault, beat) in [(Fault::IdleClose, Beat::IdleClose), (Fault::IdleTalk, Beat::IdleTalk)] {
        if world.strikes(fault) {
            beats.push(Beat::Wait(world.seed.ms(0..=60) * world.seed.pick(&[0, 1, 1, 50])));
            beats.push(beat);
        }
    }
    if world.seed.one_in(50) {
        beats.push(Beat::Wait(SECOND * 5));
    }
    beats
}
