//! The TLS layer: whatever the peer sends, the client does not panic, makes progress with each
//! byte, keeps no more than its bounds allow, and returns the same result for every split. Valid
//! records are delivered, and an end without `close_notify` is not an orderly one.
//!
//! After the line of sizes, the first letter selects the kind of the rest: `p` are replies to the
//! `ClientHello`; `2` and `3` are actions of a TLS 1.2 or 1.3 server after the handshake, byte by
//! byte: see [`Act`].
#![no_main]

use std::sync::{Arc, LazyLock};

use leanhttp::fuzzing::tls::{Received, Tls};
use leanhttp_fuzz::constant;
use leanhttp_fuzz::sealed::{self, Sealer, TICKET};
use leanhttp_fuzz::{Sizes, sizes};
use libfuzzer_sys::fuzz_target;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ContentType, ServerConfig};

/// The most bytes without data, in a handshake and after it.
const MOST_IN_HANDSHAKE: usize = 1536 * 1024;
const MOST_ASIDE: usize = 256 * 1024;

/// A part of a record, and the bytes that were read with the first excess byte.
const SLACK: usize = 19 * 1024 + 68 * 1024;

static CLIENT: LazyLock<Arc<ClientConfig>> = LazyLock::new(constant::client);
static SERVERS: LazyLock<[ServerConfig; 2]> =
    LazyLock::new(|| [&TLS12, &TLS13].map(constant::server));

fuzz_target!(|input: &[u8]| {
    let (sizes, rest) = sizes(input);
    let [kind, rest @ ..] = rest else { return };
    match kind {
        b'p' => answer_in_the_clear(rest, sizes),
        b'2' => serve(&SERVERS[0], rest, sizes),
        b'3' => serve(&SERVERS[1], rest, sizes),
        _ => {}
    }
});

fn answer_in_the_clear(bytes: &[u8], sizes: Sizes<'_>) {
    let run = |sizes| {
        let mut tls = Tls::new(Arc::clone(&CLIENT)).unwrap();
        let mut received = Received::default();
        tls.receive(bytes, sizes, &mut received);
        assert!(tls.pending() <= MOST_IN_HANDSHAKE + SLACK);
        assert!(tls.is_handshaking() && !tls.is_at_rest());
        assert!(received.plain.is_empty() && !received.is_closed);
        assert_eq!(tls.encrypt(b"request").unwrap_or(0), 0);
        tls.farewell();
        received
    };
    assert_eq!(run(sizes), run(Sizes::WHOLE));
}

/// The actions of the server so far, and the expected result.
struct Act {
    sealer: Sealer,
    bytes: Vec<u8>,
    twin: Twin,
}

/// The result that a client which counts records must report for valid ones.
#[derive(Default)]
struct Twin {
    plain: Vec<u8>,
    is_closed: bool,
    /// True if the client must report a limit error.
    is_too_much: bool,
    aside: usize,
    /// True if the result of the rest is unknown.
    is_in_doubt: bool,
    /// True if the end may have been announced by an invalid record.
    may_be_closed: bool,
    /// The data that was sent, in valid or invalid records.
    sent: Vec<u8>,
    empty: usize,
    updates: usize,
}

impl Twin {
    fn goes_on(&self) -> bool {
        !self.is_in_doubt && !self.is_closed && !self.is_too_much
    }

    fn data(&mut self, data: &[u8]) {
        self.sent.extend_from_slice(data);
        if self.goes_on() {
            self.plain.extend_from_slice(data);
            self.aside = self.aside.saturating_sub(data.len());
            (self.empty, self.updates) = (0, 0);
        }
    }

    fn beside(&mut self, record: &[u8]) {
        if self.goes_on() {
            self.aside += record.len();
            self.is_too_much = self.aside > MOST_ASIDE;
        }
    }

    fn doubt(&mut self) {
        self.is_in_doubt |= self.goes_on();
    }
}

impl Act {
    fn data(&mut self, data: &[u8], padded: usize) {
        self.bytes.extend(if self.sealer.is_tls13() {
            self.sealer.seal_padded(sealed::DATA, data, padded)
        } else {
            self.sealer.seal(sealed::DATA, data)
        });
        self.twin.data(data);
    }

    /// A whole message, in records of this size.
    fn message(&mut self, message: &[u8], size: usize) {
        if !self.sealer.is_tls13() {
            self.twin.doubt();
        }
        for piece in message.chunks(size.max(1)) {
            let record = self.sealer.seal(sealed::HANDSHAKE, piece);
            self.twin.beside(&record);
            self.bytes.extend(record);
            self.twin.empty = 0;
        }
    }

    fn update(&mut self, message: &[u8], size: usize) {
        self.message(message, size);
        self.sealer.update_keys();
        if message == sealed::KEY_UPDATE_REQUEST {
            self.twin.updates += 1;
        }
        if self.twin.updates > 32 {
            self.twin.doubt();
        }
    }

    fn empty(&mut self) {
        let record = self.sealer.seal(sealed::DATA, b"");
        self.twin.empty += 1;
        if self.twin.empty > 32 {
            self.twin.doubt();
        }
        self.twin.beside(&record);
        self.bytes.extend(record);
    }

    fn close(&mut self) {
        self.twin.may_be_closed = true;
        let record = self.sealer.seal(sealed::ALERT, sealed::CLOSE_NOTIFY);
        // At the limit, the result depends on this record alone, which ends the count.
        if self.twin.aside + record.len() > MOST_ASIDE {
            self.twin.doubt();
        }
        self.twin.is_closed |= self.twin.goes_on();
        self.bytes.extend(record);
    }

    /// A record of any content.
    fn any(&mut self, typ: u8, payload: &[u8]) {
        self.twin.doubt();
        self.twin.may_be_closed |= typ == 21;
        if typ == 23 {
            self.twin.sent.extend_from_slice(payload);
        }
        let typ = ContentType::from(typ);
        self.bytes.extend(self.sealer.seal(typ, payload));
    }

    fn raw(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.twin.doubt();
            self.twin.may_be_closed = true;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Runs and consumes the next bytes.
    fn next(&mut self, script: &mut &[u8]) {
        let what = byte(script);
        let size = usize::from(byte(script));
        match what {
            b'd' => self.data(&vec![b'd'; size.max(1)], 0),
            b'D' => self.data(&vec![b'D'; size * 64 + 1], 0),
            b'p' => self.data(&vec![b'p'; size.max(1)], size * 64),
            b'P' => self.data(b"P", 16_385),
            b't' => self.message(TICKET, size),
            b'T' => self.message(&sealed::ticket(20 + size * 250), 1000),
            b'n' => (0..size % 32).for_each(|_| self.message(&sealed::ticket(16_000), 16_000)),
            b'k' => self.update(sealed::KEY_UPDATE, size),
            b'K' => self.update(sealed::KEY_UPDATE_REQUEST, size),
            b'e' => self.empty(),
            b'c' => self.close(),
            b'h' => self.any(22, take(script, size)),
            b'a' => self.any(21, take(script, size)),
            b'x' => self.any(byte(script), take(script, size)),
            b'r' => self.raw(take(script, size)),
            b'm' => {
                let (typ, payload) = (byte(script), take(script, size));
                self.raw(&[&[typ, 3, 3, 0, payload.len() as u8][..], payload].concat());
            }
            b's' => self.cut(size),
            _ => {}
        }
    }

    /// Corrupts the last bytes.
    fn cut(&mut self, size: usize) {
        if size > 0 && !self.bytes.is_empty() {
            self.bytes.truncate(self.bytes.len().saturating_sub(size));
            // Earlier data may have been delivered, or not.
            self.twin.plain.clear();
            self.twin.is_in_doubt = true;
        }
    }
}

fn byte(script: &mut &[u8]) -> u8 {
    take(script, 1).first().copied().unwrap_or(0)
}

fn take<'a>(script: &mut &'a [u8], size: usize) -> &'a [u8] {
    let (taken, rest) = script.split_at(size.min(script.len()));
    *script = rest;
    taken
}

fn serve(config: &ServerConfig, mut script: &[u8], sizes: Sizes<'_>) {
    let (tls, sealer) = shake_hands(config);
    let mut act = Act { sealer, bytes: Vec::new(), twin: Twin::default() };
    let mut acts = 0;
    while !script.is_empty() && acts < 200 && act.bytes.len() < 512 << 10 {
        act.next(&mut script);
        acts += 1;
    }
    let cut = receive(tls, &act, sizes, false);
    // The keys are the same each time.
    assert_eq!(cut, receive(shake_hands(config).0, &act, Sizes::WHOLE, false));
    receive(shake_hands(config).0, &act, sizes, true);
    let (twin, (received, _)) = (act.twin, cut);
    if !twin.is_in_doubt {
        assert_eq!(received.plain, twin.plain);
        assert_eq!(received.is_closed, twin.is_closed);
        let too_much = twin.is_too_much.then_some("too many messages of TLS without any data");
        assert_eq!(received.failure.as_deref(), too_much);
    }
}

fn receive(mut tls: Tls, act: &Act, mut sizes: Sizes<'_>, idles: bool) -> (Received, Vec<u8>) {
    let mut received = Received::default();
    let mut rest = &act.bytes[..];
    while !rest.is_empty() && received.failure.is_none() {
        let size = if idles { sizes.next().unwrap_or(1) } else { rest.len() };
        let (piece, behind) = rest.split_at(size.min(rest.len()));
        tls.receive(piece, if idles { Sizes::WHOLE } else { sizes }, &mut received);
        rest = behind;
        if idles {
            let pending = tls.pending();
            tls.idle();
            assert_eq!(tls.pending(), pending);
        }
        assert!(tls.pending() <= MOST_ASIDE + SLACK, "{} bytes are kept", tls.pending());
    }
    assert!(
        act.twin.sent.starts_with(&received.plain)
            && received
                .plain
                .starts_with(&act.twin.plain[..received.plain.len().min(act.twin.plain.len())])
    );
    assert!(!received.is_closed || act.twin.may_be_closed, "an end that was not announced");
    assert!(received.failure.is_none() || !tls.is_at_rest());
    if received.failure.is_none() {
        assert_eq!(tls.encrypt(b"request"), Some(7));
    }
    let output = tls.take_output();
    assert!(output.len() < 4096, "{} bytes to be written", output.len());
    let last = tls.farewell();
    (received, [output, last].concat())
}

fn shake_hands(config: &ServerConfig) -> (Tls, Sealer) {
    let (mut server, secrets) = sealed::connection(config);
    let mut tls = Tls::new(Arc::clone(&CLIENT)).unwrap();
    let mut received = Received::default();
    loop {
        let said = tls.take_output();
        if said.is_empty() {
            break;
        }
        let mut rest = &said[..];
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            server.process_new_packets().unwrap();
        }
        let mut flight = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut flight).unwrap();
        }
        tls.receive(&flight, Sizes::WHOLE, &mut received);
    }
    assert!(received == Received::default() && tls.is_at_rest());
    (tls, sealed::take_over(server, &secrets).0)
}
