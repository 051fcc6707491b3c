//! The server's side of TLS: rustls, whose records are damaged on their way.
//!
//! Data of a server is encrypted when it is written. Its records travel together with the plaintext
//! that they stand for, which is what the checks count. The plaintext has arrived for the client
//! when the last byte of its record has.

use std::cell::RefCell;
use std::io::{Read as _, Write as _};
use std::mem;
use std::sync::{Arc, LazyLock};

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, GetRandomFailed, SecureRandom};
use rustls::server::ServerSessionMemoryCache;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, HandshakeKind, ProtocolVersion, ServerConfig, ServerConnection};

use super::line::{End, Packet};
use super::plan::{Fault, Plan, Site};
use super::seed::Seed;
use super::world::{World, note};
use crate::transport::constant;

/// The most plaintext in one record.
const RECORD: usize = 16_000;

/// The server's side of one TLS connection.
pub(super) struct Side {
    connection: ServerConnection,
    /// Data written before the handshake permits it.
    waiting: Vec<Vec<u8>>,
    /// True if the flight that completes the client's handshake was sent.
    has_opened: bool,
    said_goodbye: bool,
    is_dead: bool,
}

/// Records, or a part of them, and their meaning for the client.
#[derive(Debug)]
pub(super) struct Records {
    pub(super) wire: Vec<u8>,
    pub(super) plain: Vec<u8>,
    pub(super) meaning: Meaning,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Incomplete: the rest follows, or never arrives.
    Part,
    Whole,
    /// Completes the client's handshake.
    Opens,
    /// `close_notify` of the origin.
    Closes,
    /// Invalid: nothing can be read from here on.
    Breaks,
}

impl Side {
    fn new(config: &Arc<ServerConfig>) -> Self {
        Self {
            connection: ServerConnection::new(Arc::clone(config)).unwrap(),
            waiting: Vec::new(),
            has_opened: false,
            said_goodbye: false,
            is_dead: false,
        }
    }

    fn hear(&mut self, mut bytes: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let mut plain = Vec::new();
        while !bytes.is_empty() {
            if self.connection.read_tls(&mut bytes).unwrap() == 0 {
                break; // the client has sent `close_notify`
            }
            self.connection.process_new_packets()?;
            let _ = self.connection.reader().read_to_end(&mut plain); // there may be more later
        }
        Ok(plain)
    }

    /// The bytes that rustls wants to send.
    fn output(&mut self) -> Vec<u8> {
        let mut wire = Vec::new();
        while self.connection.wants_write() {
            self.connection.write_tls(&mut wire).unwrap();
        }
        wire
    }

    fn seal(&mut self, plain: &[u8]) -> Vec<u8> {
        self.connection.writer().write_all(plain).unwrap();
        self.output()
    }

    /// Returns whether this is the flight that completes the client's handshake.
    fn opens(&mut self) -> bool {
        let is_short =
            self.is_tls13() || self.connection.handshake_kind() == Some(HandshakeKind::Resumed);
        let opens = !self.has_opened && (is_short || !self.connection.is_handshaking());
        self.has_opened |= opens;
        opens
    }

    fn is_tls13(&self) -> bool {
        self.connection.protocol_version() == Some(ProtocolVersion::TLSv1_3)
    }

    /// A fatal alert, as after a record that was modified on its way to the server.
    fn alert(&mut self) -> Vec<u8> {
        self.is_dead = true;
        let _ = self.hear(b"\x17\x03\x03\0\x20it has thirty-two bytes in all!!");
        self.output()
    }
}

/// Encrypts with the outer TLS layers.
fn wrap(below: &mut [Side], wire: Vec<u8>) -> Vec<u8> {
    below.iter_mut().rev().fold(wire, |wire, side| side.seal(&wire))
}

impl World {
    /// Starts TLS on the connection, inside the layers that exist.
    pub(super) fn secure(&mut self, at: usize) {
        let version = self.seed.pick(&[0, 1, 1]);
        let config = &self.authority.get_or_insert_with(Authority::default).servers[version];
        let side = Side::new(config);
        self.lines[at].tls.push(side);
    }

    /// Returns whether the client can only send TLS records to the server.
    pub(super) fn is_secure_at_once(&self, site: Site) -> bool {
        site.is_secure() || (site == super::plan::PROXY && self.plan.client.has_secure_proxy())
    }

    /// Decrypts the bytes that arrive at a server.
    pub(super) fn decrypt(&mut self, at: usize, mut bytes: Vec<u8>) -> Vec<u8> {
        let mut layers = mem::take(&mut self.lines[at].tls);
        for depth in 0..layers.len() {
            let (below, rest) = layers.split_at_mut(depth);
            bytes = match rest[0].is_dead {
                true => Vec::new(),
                false => self.hear_records(at, below, &mut rest[0], &bytes),
            };
        }
        self.lines[at].tls = layers;
        bytes
    }

    fn hear_records(
        &mut self,
        at: usize,
        below: &mut [Side],
        side: &mut Side,
        bytes: &[u8],
    ) -> Vec<u8> {
        let heard = side.hear(bytes);
        let flight = side.output();
        if !flight.is_empty() {
            let meaning = if side.opens() { Meaning::Opens } else { Meaning::Whole };
            self.send_flight(at, below, side, flight, meaning);
        }
        match heard {
            Ok(plain) if side.connection.is_handshaking() => plain,
            Ok(plain) => {
                for said in mem::take(&mut side.waiting) {
                    self.send_plain(at, below, side, said);
                }
                plain
            }
            Err(error) => {
                note!(self, "line {at}: the server hears {error}");
                side.is_dead = true;
                let is_told = matches!(error, rustls::Error::AlertReceived(_));
                if !is_told && !self.lines[at].is_spoiled {
                    self.violated(format!("line {at}: invalid records: {error}"));
                }
                self.lines[at].server.is_closed = true;
                self.send_to_client(at, Packet::End(End::Fin));
                Vec::new()
            }
        }
    }

    /// Handshake and alert messages after the handshake.
    fn send_flight(
        &mut self,
        at: usize,
        below: &mut [Side],
        side: &mut Side,
        flight: Vec<u8>,
        meaning: Meaning,
    ) {
        if side.connection.is_handshaking() && self.strikes(Fault::Alert) {
            let handshake_failure = b"\x15\x03\x03\0\x02\x02\x28".to_vec();
            side.is_dead = true;
            self.lines[at].server.is_closed = true;
            self.send_records(at, wrap(below, handshake_failure), Vec::new(), Meaning::Breaks);
            return self.send_to_client(at, Packet::End(End::Fin));
        }
        let (flight, meaning) = self.mistreat(flight, meaning);
        self.send_records(at, wrap(below, flight), Vec::new(), meaning);
    }

    /// Writes data; returns whether the server can go on.
    pub(super) fn say(&mut self, at: usize, bytes: Vec<u8>) -> bool {
        let mut layers = mem::take(&mut self.lines[at].tls);
        let goes_on = match layers.split_last_mut() {
            None => {
                self.send_to_client(at, Packet::Bytes(bytes));
                true
            }
            Some((side, below)) => self.say_in_records(at, below, side, &bytes),
        };
        self.lines[at].tls = layers;
        goes_on
    }

    fn say_in_records(
        &mut self,
        at: usize,
        below: &mut [Side],
        side: &mut Side,
        bytes: &[u8],
    ) -> bool {
        for piece in bytes.chunks(RECORD) {
            if side.is_dead || side.said_goodbye {
                return true; // the connection is gone
            }
            if side.connection.is_handshaking() {
                side.waiting.push(piece.to_vec());
                continue;
            }
            if self.strikes(Fault::Alert) && self.seed.one_in(3) {
                note!(self, "line {at}: an alert");
                let alert = side.alert();
                self.send_records(at, wrap(below, alert), Vec::new(), Meaning::Breaks);
                return false;
            }
            self.send_plain(at, below, side, piece.to_vec());
            if side.is_tls13() && self.seed.one_in(12) {
                self.send_new_keys(at, below, side);
            }
        }
        true
    }

    fn send_plain(&mut self, at: usize, below: &mut [Side], side: &mut Side, plain: Vec<u8>) {
        let (wire, meaning) = self.mistreat(side.seal(&plain), Meaning::Whole);
        self.send_records(at, wrap(below, wire), plain, meaning);
    }

    /// A `KeyUpdate` (RFC 8446 §4.6.3), at any time.
    fn send_new_keys(&mut self, at: usize, below: &mut [Side], side: &mut Side) {
        note!(self, "line {at}: new keys");
        side.connection.refresh_traffic_keys().unwrap();
        let wire = wrap(below, side.output());
        if !self.seed.one_in(3) {
            return self.send_records(at, wire, Vec::new(), Meaning::Whole);
        }
        // All that follows waits for the rest.
        let (first, rest) = wire.split_at(self.seed.within(1..=wire.len() - 1));
        self.send_part(at, first.to_vec());
        self.lines[at]
            .linger(self.agenda.now(), self.seed.ms(0..=60) * self.seed.pick(&[0, 1, 1, 10]));
        self.send_records(at, rest.to_vec(), Vec::new(), Meaning::Whole);
    }

    /// Damages records on their way.
    fn mistreat(&mut self, mut wire: Vec<u8>, meaning: Meaning) -> (Vec<u8>, Meaning) {
        if !self.strikes(Fault::BadRecord) || !self.seed.one_in(3) {
            return (wire, meaning);
        }
        let header = 5;
        match self.seed.within(1..=4) {
            1 => wire.splice(..0, *b"HTTP/1.1 400 Bad Request\r\n\r\n").for_each(drop),
            2 => wire.splice(..0, *b"\x17\x03\x03\0\x14nobody encrypted it!").for_each(drop),
            _ => {
                // Modifies a byte of the first record; record lengths stay.
                let length = usize::from(u16::from_be_bytes([wire[3], wire[4]]));
                let place = self.seed.within(header..=header + length - 1);
                wire[place] ^= 1 << self.seed.within(0..=7);
            }
        }
        (wire, Meaning::Breaks)
    }

    /// Sends records, in random pieces.
    fn send_records(&mut self, at: usize, wire: Vec<u8>, plain: Vec<u8>, meaning: Meaning) {
        if meaning == Meaning::Breaks {
            note!(self, "line {at}: records are spoiled");
            self.lines[at].is_spoiled = true;
        }
        let mut rest = wire;
        while self.seed.one_in(4) && rest.len() > 1 {
            let behind = rest.split_off(self.seed.within(1..=rest.len() - 1));
            self.send_part(at, mem::replace(&mut rest, behind));
        }
        self.send_to_client(at, Packet::Records(Records { wire: rest, plain, meaning }));
    }

    fn send_part(&mut self, at: usize, wire: Vec<u8>) {
        let records = Records { wire, plain: Vec::new(), meaning: Meaning::Part };
        self.send_to_client(at, Packet::Records(records));
    }

    /// The bytes before the end under TLS: `close_notify`, unless the plan has a fault.
    pub(super) fn say_goodbye(&mut self, at: usize) {
        let mut layers = mem::take(&mut self.lines[at].tls);
        if let Some((side, below)) = layers.split_last_mut() {
            if !side.connection.is_handshaking() && !side.is_dead && !side.said_goodbye {
                self.end_tls(at, below, side);
            }
        }
        self.lines[at].tls = layers;
    }

    fn end_tls(&mut self, at: usize, below: &mut [Side], side: &mut Side) {
        side.said_goodbye = true;
        if self.strikes(Fault::NoGoodbye) {
            note!(self, "line {at}: no close_notify");
            if self.seed.one_in(2) {
                let mut wire = wrap(below, side.seal(b"it is never whole"));
                wire.truncate(self.seed.within(1..=wire.len() - 1));
                self.lines[at].is_spoiled = true;
                self.send_part(at, wire);
            }
        } else {
            side.connection.send_close_notify();
            let wire = wrap(below, side.output());
            self.send_records(at, wire, Vec::new(), Meaning::Closes);
        }
        if let Some((proxy, _)) = below.split_first_mut().filter(|_| self.seed.one_in(2)) {
            proxy.connection.send_close_notify();
            let wire = proxy.output();
            self.send_records(at, wire, Vec::new(), Meaning::Whole);
        }
    }
}

/// The certificate authority that servers and client of one run share.
pub(super) struct Authority {
    servers: [Arc<ServerConfig>; 2],
}

impl Default for Authority {
    fn default() -> Self {
        static BASES: LazyLock<[ServerConfig; 2]> = LazyLock::new(|| {
            [&TLS12, &TLS13].map(|version| constant::server_of(provider(), version))
        });
        let servers = BASES.each_ref().map(|base| {
            let mut config = base.clone();
            config.send_tls13_tickets = 2;
            config.session_storage = ServerSessionMemoryCache::new(32);
            Arc::new(config)
        });
        Self { servers }
    }
}

/// The TLS configuration of the client, which trusts all servers.
pub(super) fn client(plan: &Plan) -> Option<ClientConfig> {
    static BASE: LazyLock<ClientConfig> = LazyLock::new(|| constant::client_of(provider()));
    plan.is_secure.then(|| {
        let mut config = BASE.clone();
        config.resumption = Resumption::in_memory_sessions(8);
        config
    })
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider { secure_random: &Chance, ..(*constant::provider()).clone() })
}

thread_local! {
    static CHANCE: RefCell<Seed> = RefCell::default();
}

/// Begins a run: the random numbers of TLS follow from the seed too.
pub(super) fn begin(number: u64) {
    CHANCE.with(|chance| *chance.borrow_mut() = Seed::new(number));
}

#[derive(Debug)]
struct Chance;

impl SecureRandom for Chance {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        CHANCE.with(|chance| {
            let mut chance = chance.borrow_mut();
            bytes.iter_mut().for_each(|byte| *byte = chance.next().to_le_bytes()[0]);
        });
        Ok(())
    }
}
