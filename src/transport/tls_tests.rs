//! Tests of the TLS layer against servers whose records are made by hand.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test helpers may panic"
)]

use std::collections::BTreeSet;

use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, ServerConnection, SupportedProtocolVersion};

use super::*;
use crate::transport::constant::{self, client as client_config};
use sealed::{
    ALERT, CLOSE_NOTIFY, DATA, HANDSHAKE, KEY_UPDATE, KEY_UPDATE_REQUEST, Opener, Sealer, Secrets,
    TICKET, connection, split_record, take_over, ticket,
};

#[path = "../../tests/support/sealed.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a shared test module, which may panic and is only partly used here"
)]
mod sealed;

const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

fn new_client() -> Tls {
    Tls::new(client_config(), "localhost", RootSource::Preconfigured).unwrap()
}

/// The outcome of receiving some ciphertext.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    plain: Vec<u8>,
    is_closed: bool,
    failure: Option<String>,
    /// The bytes that the client has sent in reply.
    said: Vec<u8>,
}

/// Receives the ciphertext in pieces of these sizes, and the rest in one piece.
fn receive_in(tls: &mut Tls, bytes: &[u8], sizes: impl IntoIterator<Item = usize>) -> Outcome {
    let mut outcome = Outcome::default();
    let mut rest = bytes;
    let mut sizes = sizes.into_iter();
    while !rest.is_empty() && outcome.failure.is_none() {
        let size = sizes.next().unwrap_or(rest.len()).clamp(1, rest.len());
        let space = tls.read_space();
        assert!(!space.is_empty() && space.len() <= 68 * 1024, "{}", space.len());
        let (piece, behind) = rest.split_at(size.min(space.len()));
        space[..piece.len()].copy_from_slice(piece);
        tls.read(piece.len());
        rest = behind;
        loop {
            let before = outcome.plain.len();
            match tls.receive(|plain| outcome.plain.extend_from_slice(plain)) {
                Ok(received) => outcome.is_closed = received == Received::Closed,
                Err(error) => outcome.failure = Some(error.to_string()),
            }
            if outcome.plain.len() == before {
                break; // a failure is reported after the plaintext
            }
        }
        outcome.said.extend_from_slice(tls.output());
        tls.wrote(tls.output().len());
    }
    outcome
}

fn receive(tls: &mut Tls, bytes: &[u8]) -> Outcome {
    receive_in(tls, bytes, [])
}

/// A completed handshake, and the bytes that the server sent in it.
struct Shaken {
    tls: Tls,
    server: ServerConnection,
    secrets: Arc<Secrets>,
    flights: Vec<Vec<u8>>,
}

fn shake_hands(config: &ServerConfig) -> Shaken {
    let (mut server, secrets) = connection(config);
    let mut tls = new_client();
    let mut flights = Vec::new();
    assert_eq!(receive(&mut tls, &[]), Outcome::default());
    tls.receive(|_| {}).unwrap();
    let mut said = tls.output().to_vec();
    tls.wrote(tls.output().len());
    while !said.is_empty() {
        let mut rest = &said[..];
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            server.process_new_packets().unwrap();
        }
        let mut flight = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut flight).unwrap();
        }
        let outcome = receive(&mut tls, &flight);
        assert_eq!(outcome.failure, None);
        said = outcome.said;
        flights.push(flight);
    }
    assert!(!tls.is_handshaking() && !server.is_handshaking() && tls.is_at_rest());
    flights.retain(|flight| !flight.is_empty());
    Shaken { tls, server, secrets, flights }
}

fn open(version: &'static SupportedProtocolVersion) -> (Tls, Sealer, Opener) {
    let Shaken { tls, server, secrets, .. } = shake_hands(&constant::server(version));
    let (sealer, opener) = take_over(server, &secrets);
    (tls, sealer, opener)
}

/// An unencrypted record.
fn clear(typ: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    [&[typ, 3, 3][..], &length, payload].concat()
}

/// RFC 8446 §6.2, RFC 5246 §7.4.6. In TLS 1.2 a server also refuses with `handshake_failure`, which before its hello
/// means something else.
#[test]
fn alerts_about_a_missing_client_certificate_are_recognized() {
    const HANDSHAKE_FAILURE: u8 = 40;
    const BAD_CERTIFICATE: u8 = 42;
    const UNKNOWN_CA: u8 = 48;
    const REQUIRED: u8 = 116;
    let rows = [
        // (alert, before the hello, after it)
        (HANDSHAKE_FAILURE, None, Some("may require")),
        (BAD_CERTIFICATE, None, Some("requires")),
        (UNKNOWN_CA, None, None),
        (REQUIRED, Some("requires"), Some("requires")),
    ];
    for (alert, early, late) in rows {
        for (greets, expected) in [(false, early), (true, late)] {
            for offers in [false, true] {
                let mut config = client_config();
                if offers {
                    Arc::make_mut(&mut config).client_auth_cert_resolver =
                        Arc::new(SomeCertificate);
                }
                let mut tls = Tls::new(config, "localhost", RootSource::Preconfigured).unwrap();
                tls.receive(|_| {}).unwrap();
                if greets {
                    let flight = hello_to(tls.output());
                    assert_eq!(receive(&mut tls, &flight).failure, None);
                }
                let record = clear(ALERT.into(), &[2, alert]);
                tls.read_space()[..record.len()].copy_from_slice(&record);
                tls.read(record.len());
                let error = tls.receive(|_| {}).unwrap_err();
                let expected = expected.filter(|_| !offers);
                assert_eq!(error.certificate_demand(), expected, "{error} {greets} {offers}");
                assert!(error.to_string().starts_with("received fatal alert: "), "{error}");
            }
        }
    }
}

/// Returns the first flight of a server of TLS 1.2.
fn hello_to(mut client: &[u8]) -> Vec<u8> {
    let (mut server, _) = connection(&constant::server(&TLS12));
    server.read_tls(&mut client).unwrap();
    server.process_new_packets().unwrap();
    let mut flight = Vec::new();
    while server.wants_write() {
        server.write_tls(&mut flight).unwrap();
    }
    flight
}

#[derive(Debug)]
struct SomeCertificate;

impl rustls::client::ResolvesClientCert for SomeCertificate {
    fn resolve(
        &self,
        _: &[&[u8]],
        _: &[rustls::SignatureScheme],
    ) -> Option<Arc<rustls::sign::CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[test]
fn every_split_of_a_handshake_is_the_same_handshake() {
    for version in VERSIONS {
        let Shaken { flights, .. } = shake_hands(&constant::server(version));
        assert_eq!(flights.len(), if version == &TLS13 { 1 } else { 2 });
        let play = |sizes: &dyn Fn(usize) -> Vec<usize>| {
            let mut tls = new_client();
            tls.receive(|_| {}).unwrap();
            tls.wrote(tls.output().len());
            let mut outcomes = Vec::new();
            for (number, flight) in flights.iter().enumerate() {
                outcomes.push(receive_in(&mut tls, flight, sizes(number)));
            }
            assert!(!tls.is_handshaking() && tls.is_at_rest(), "{version:?}");
            outcomes
        };
        let whole = play(&|_| Vec::new());
        assert!(whole.iter().all(|outcome| outcome.failure.is_none()));
        assert_eq!(play(&|_| vec![1; 10_000]), whole);
        for (number, flight) in flights.iter().enumerate() {
            for at in 1..flight.len() {
                let sizes = |own| if own == number { vec![at] } else { Vec::new() };
                assert_eq!(play(&sizes), whole, "{version:?}: flight {number} at {at}");
            }
        }
    }
}

/// All states of rustls that a client can reach; `ReadEarlyData` is only for servers.
#[test]
fn every_state_of_rustls_is_reached() {
    fn note<'s>(
        seen: &'s mut BTreeSet<String>,
    ) -> impl FnMut(RustlsState<'_, '_>, &mut Buffer) + 's {
        |state, output| {
            seen.insert(format!("{state:?}"));
            let _ = take_turn(state, output, &mut |_| {}, b"");
        }
    }
    let config = constant::server(&TLS13);
    let (mut server, _) = connection(&config);
    let name = ServerName::try_from("localhost").unwrap();
    let mut input = Unbuffered::new(client_config(), name).unwrap();
    let (mut seen, mut output) = (BTreeSet::new(), Buffer::default());
    for turn in 0..20 {
        for _ in 0..10 {
            let (_, stepped) = input.step(|state| {
                note(&mut seen)(state, &mut output);
                Ok(())
            });
            stepped.unwrap();
        }
        if turn == 15 {
            let (_, stepped) = input.step(|state| match state {
                ConnectionState::WriteTraffic(mut traffic) => {
                    let count = traffic.queue_close_notify(output.space(64)).unwrap();
                    output.filled(count);
                    Ok(())
                }
                state => panic!("{state:?}"),
            });
            stepped.unwrap();
        }
        let mut rest = output.data();
        while server.read_tls(&mut rest).unwrap() > 0 {
            server.process_new_packets().unwrap();
        }
        output.clear();
        match turn {
            5 => std::io::Write::write_all(&mut server.writer(), b"data").unwrap(),
            10 => server.send_close_notify(),
            _ => {}
        }
        let mut flight = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut flight).unwrap();
        }
        input.push(&flight);
    }
    let expected = [
        "BlockedHandshake",
        "Closed",
        "EncodeTlsData",
        "PeerClosed",
        "ReadTraffic",
        "TransmitTlsData",
        "WriteTraffic",
    ];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), expected);
}

/// Any answer to the `ClientHello`: three records of any kind, split in any way.
#[test]
fn unencrypted_records_neither_panic_nor_depend_on_the_split() {
    let alphabet = [
        clear(22, &[2]),
        clear(22, &[2, 0, 0]),
        clear(22, &[2, 255, 255, 255]),
        clear(22, &[2, 0, 0, 2, 3, 3]),
        clear(22, &[0, 0, 0, 0]),
        clear(22, &[0, 0, 0, 0, 2]),
        clear(22, &[]),
        clear(20, &[1]),
        clear(20, &[]),
        clear(21, &[1, 90]),
        clear(21, &[2, 40]),
        clear(21, &[2]),
        clear(21, CLOSE_NOTIFY),
        clear(23, b"data"),
        clear(23, &[]),
        clear(99, &[1]),
        vec![22, 3, 3, 255, 255],
        vec![22, 3],
    ];
    let take = |bytes: &[u8], size| {
        let mut tls = new_client();
        tls.receive(|_| {}).unwrap();
        tls.wrote(tls.output().len());
        let outcome = receive_in(&mut tls, bytes, std::iter::repeat(size));
        assert!(tls.is_handshaking() && outcome.plain.is_empty() && !outcome.is_closed);
        tls.farewell(&[]);
        outcome
    };
    let records = || alphabet.iter();
    for first in records() {
        for second in records() {
            for third in records() {
                let bytes = [&first[..], second, third].concat();
                let whole = take(&bytes, bytes.len());
                for size in [1, 3, 7] {
                    assert_eq!(take(&bytes, size), whole, "{bytes:02x?} by {size}");
                }
            }
        }
    }
}

/// The same after the handshake: no reported result depends on the split.
#[test]
fn encrypted_records_neither_panic_nor_depend_on_the_split() {
    let alphabet: [(u8, &[u8]); 16] = [
        (23, b"data"),
        (23, b""),
        (22, TICKET),
        (22, &TICKET[..2]),
        (22, &TICKET[2..]),
        (22, b"\x04\xff\xff\xff"),
        (22, b"\x04\0\0\x01x"),
        (22, b""),
        (22, b"\0\0\0\0"),
        (22, KEY_UPDATE_REQUEST),
        (22, &KEY_UPDATE[..3]),
        (21, CLOSE_NOTIFY),
        (21, &[1, 90]),
        (21, &[2, 40]),
        (20, &[1]),
        (0, b"garbage"),
    ];
    for version in VERSIONS {
        let config = constant::server(version);
        for first in alphabet {
            for second in alphabet {
                let take = |sizes: &[usize]| {
                    let Shaken { mut tls, server, secrets, .. } = shake_hands(&config);
                    let (mut sealer, _) = take_over(server, &secrets);
                    let mut bytes = sealer.seal(DATA, b"before");
                    for (typ, payload) in [first, second, (23, b"behind")] {
                        match typ {
                            0 => bytes.extend(clear(23, payload)),
                            20 => bytes.extend(clear(20, payload)),
                            typ => bytes.extend(sealer.seal(typ.into(), payload)),
                        }
                        if payload == KEY_UPDATE_REQUEST {
                            sealer.update_keys();
                        }
                    }
                    let outcome = receive_in(&mut tls, &bytes, sizes.iter().copied().cycle());
                    tls.farewell(b"last words");
                    (outcome, tls.is_at_rest())
                };
                let whole = take(&[usize::MAX]);
                assert!(whole.0.plain.starts_with(b"before"));
                for sizes in [&[1][..], &[30, 1], &[7, 50]] {
                    assert_eq!(take(sizes), whole, "{version:?}: {first:?} {second:?} {sizes:?}");
                }
            }
        }
    }
}

/// Plaintext before a failure is delivered first, even if both were received together.
#[test]
fn plaintext_before_a_failure_is_delivered() {
    let (mut tls, mut sealer, mut opener) = open(&TLS13);
    let bytes = [sealer.seal(DATA, b"data"), clear(23, &[7; 40])].concat();
    tls.received(&bytes);
    let mut plain = Vec::new();
    assert_eq!(tls.receive(|data| plain.extend_from_slice(data)).unwrap(), Received::More);
    assert_eq!(plain, b"data");
    assert!(tls.has_failed() && !tls.is_at_rest());
    for _ in 0..3 {
        let error = tls.receive(|_| panic!("plaintext")).unwrap_err();
        assert_eq!(error.to_string(), "cannot decrypt peer's message");
        assert!(tls.encrypt(b"more").is_err());
    }
    let alert = opener.open(tls.farewell(&[])).unwrap();
    assert_eq!(alert, (ALERT, vec![2, 20]), "bad_record_mac");
}

/// Buffers are swapped while a connection is idle, but partly received bytes stay.
#[test]
fn a_fragment_survives_idling() {
    for cut in [1, 4, 10, TICKET.len() - 1] {
        let (mut tls, mut sealer, _) = open(&TLS13);
        let mut shelf = BufferPool::default();
        let mut other = Buffer::default();
        other.push(&[0xff; 16 * 1024]);
        other.rest(&mut shelf);
        assert_eq!(receive(&mut tls, &sealer.seal(DATA, b"one")).plain, b"one");
        receive(&mut tls, &sealer.seal(HANDSHAKE, &TICKET[..cut]));
        let half = sealer.seal(HANDSHAKE, &TICKET[cut..]);
        receive(&mut tls, &half[..9]);
        assert!(!tls.is_at_rest() && !tls.is_between_records());
        tls.rest(&mut shelf);
        tls.wake(&mut shelf);
        assert!(!tls.is_at_rest());
        let rest = [&half[9..], &sealer.seal(DATA, b"two")].concat();
        let outcome = receive(&mut tls, &rest);
        assert_eq!((&outcome.plain[..], outcome.failure), (&b"two"[..], None), "{cut}");
        assert!(tls.is_at_rest());
    }
}

/// After a truncated record, the peer would take any bytes for its rest.
#[test]
fn nothing_follows_a_record_that_was_cut() {
    for written in [0, 1, 9] {
        let (mut tls, mut sealer, _) = open(&TLS13);
        tls.encrypt(b"the request").unwrap();
        tls.wrote(written);
        tls.discard_output();
        assert_eq!(receive(&mut tls, &sealer.seal(DATA, b"response")).plain, b"response");
        let update = sealer.seal(HANDSHAKE, &[24, 0, 0, 1, 1]); // requests a key update from the client
        receive(&mut tls, &update);
        assert!(tls.output().is_empty(), "{written}");
        assert!(tls.farewell(&[]).is_empty(), "{written}");
    }
}

/// Unprocessed input does not prevent an orderly end of the connection.
#[test]
fn close_notify_is_sent_despite_unprocessed_input() {
    for waiting in [&b"data"[..], b""] {
        let (mut tls, mut sealer, mut opener) = open(&TLS13);
        let bytes = [sealer.seal(DATA, waiting), sealer.seal(HANDSHAKE, &TICKET[..3])].concat();
        tls.received(&bytes);
        assert_eq!(opener.open(tls.farewell(&[])), Some((ALERT, CLOSE_NOTIFY.to_vec())));
    }
}

/// The bounds are exact for any split, and nothing is kept beyond them.
#[test]
fn records_without_plaintext_are_bounded() {
    let pieces: [fn(&mut Sealer) -> Vec<u8>; 4] = [
        |s| s.seal(HANDSHAKE, TICKET),
        |s| s.seal_in_pieces(HANDSHAKE, TICKET, 1),
        |s| s.seal_padded(HANDSHAKE, TICKET, 9000),
        |s| s.seal_in_pieces(HANDSHAKE, &ticket(60_000), 1000),
    ];
    for piece in pieces {
        for size in [1000, 1 << 20] {
            let (mut tls, mut sealer, _) = open(&TLS13);
            let mut passed = 0;
            let failure = loop {
                let bytes = piece(&mut sealer);
                let outcome = receive_in(&mut tls, &bytes, std::iter::repeat(size));
                if let Some(failure) = outcome.failure {
                    assert!(passed + bytes.len() > MOST_ASIDE);
                    break failure;
                }
                passed += bytes.len();
                assert!(passed <= MOST_ASIDE);
            };
            assert_eq!(failure, "too many messages of TLS without any data");
            tls.received(&[0; 1000]);
            assert!(tls.input.pending() <= MOST_ASIDE + 70_000);
        }
    }
}

/// A single valid message, but with empty records between its bytes.
#[test]
fn a_handshake_is_bounded() {
    let (mut server, secrets) = connection(&constant::server(&TLS13));
    let mut tls = new_client();
    tls.receive(|_| {}).unwrap();
    server.read_tls(&mut tls.output()).unwrap();
    server.process_new_packets().unwrap();
    let mut flight = Vec::new();
    server.write_tls(&mut flight).unwrap();
    let (hello, _) = split_record(&flight).unwrap();
    assert_eq!(receive(&mut tls, hello).failure, None);
    let Some(rustls::SupportedCipherSuite::Tls13(suite)) = server.negotiated_cipher_suite() else {
        panic!("TLS 1.3");
    };
    let secret = secrets.get("SERVER_HANDSHAKE_TRAFFIC_SECRET");
    let mut sealer = Sealer::from_secret(suite, secret);
    let mut came = hello.len();
    let mut message = [8, 0, 255, 255].into_iter().chain(std::iter::repeat(0));
    let failure = loop {
        let mut bytes = sealer.seal(HANDSHAKE, &[message.next().unwrap()]);
        (0..20).for_each(|_| bytes.extend(sealer.seal(HANDSHAKE, b"")));
        came += bytes.len();
        if let Some(failure) = receive(&mut tls, &bytes).failure {
            break failure;
        }
        assert!(came <= MOST_IN_HANDSHAKE && tls.read_space().len() <= 68 * 1024);
    };
    assert_eq!(failure, "the handshake of TLS is too long");
    assert!(came > MOST_IN_HANDSHAKE && tls.is_handshaking());
}

/// Each byte of plaintext allows one byte of other records, and no more.
#[test]
fn plaintext_raises_the_bound_on_other_records() {
    let (mut tls, mut sealer, _) = open(&TLS13);
    let large = vec![b'x'; 16_000];
    for _ in 0..200 {
        let bytes = [sealer.seal(DATA, &large), sealer.seal(HANDSHAKE, &ticket(15_000))].concat();
        let outcome = receive(&mut tls, &bytes);
        assert_eq!((outcome.plain.len(), outcome.failure), (16_000, None));
    }
    let mut turns = 0;
    loop {
        let bytes = [sealer.seal(DATA, b"x"), sealer.seal(HANDSHAKE, &ticket(15_000))].concat();
        if receive(&mut tls, &bytes).failure.is_some() {
            break;
        }
        turns += 1;
    }
    assert!((15..20).contains(&turns), "{turns}");
}

/// One reply to several key updates is enough, and it is written with the next data.
#[test]
fn replies_to_key_updates_do_not_accumulate() {
    let (mut tls, mut sealer, mut opener) = open(&TLS13);
    for _ in 0..1000 {
        let update = sealer.seal(HANDSHAKE, KEY_UPDATE_REQUEST);
        sealer.update_keys();
        tls.received(&[update, sealer.seal(DATA, b"data")].concat());
        tls.receive(|_| {}).unwrap();
        assert!(tls.output().is_empty());
    }
    tls.encrypt(b"data").unwrap();
    let (record, rest) = split_record(tls.output()).unwrap();
    assert_eq!(opener.open(record), Some((HANDSHAKE, KEY_UPDATE.to_vec())));
    assert!(rest.len() < 100 && !rest.is_empty());
}

#[test]
fn nothing_is_kept_after_the_end() {
    for version in VERSIONS {
        let (mut tls, mut sealer, _) = open(version);
        let outcome = receive(&mut tls, &sealer.seal(ALERT, CLOSE_NOTIFY));
        assert!(outcome.is_closed && outcome.failure.is_none());
        for _ in 0..100 {
            let outcome = receive(&mut tls, &[0x17; 100_000]);
            assert!(outcome.is_closed && outcome.plain.is_empty() && outcome.failure.is_none());
            assert_eq!(tls.input.pending(), 0);
        }
        assert!(tls.encrypt(b"still allowed").unwrap() > 0);
        assert!(!tls.is_at_rest() && !tls.is_between_records());
    }
}

#[test]
fn names_of_certificates() {
    let cases = [
        ("a.example", "a.example"),
        ("a.example.", "a.example"),
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "::1"),
    ];
    for (host, expected) in cases {
        assert_eq!(server_name(host).unwrap().to_str(), expected);
    }
    assert!(server_name("under score!").unwrap_err().to_string().contains("under score!"));
}
