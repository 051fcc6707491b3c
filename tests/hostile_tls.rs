//! TLS peers that send invalid records, or too many valid ones: before the handshake is done, when
//! an attacker on the path can send them, and after it. Each test has the ids of its rows in
//! `tests/HOSTILE.md` (S01–S05).
//!
//! The client never panics or waits forever, keeps little in memory, and can send its next request.
//! A response that was complete before is delivered.
#![cfg(all(feature = "blocking", feature = "tls", feature = "gzip", feature = "cookies"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers may stop a test as tests do"
)]

mod support;

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use allocation_counter::measure;
use leanhttp::blocking::{Client, ClientBuilder, Response};
use leanhttp::error::Kind;
use leanhttp::{Certificate, Proxy};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::version::{TLS12, TLS13};
use rustls::{ContentType, ServerConfig, ServerConnection, SupportedCipherSuite};

use support::pki::{Clients, Leaf, Pki};
use support::proxy::Proxy as Tunnels;
use support::script::{Script, Step, expect, send};
use support::sealed::{
    ALERT, CLOSE_NOTIFY, DATA, HANDSHAKE, KEY_UPDATE, KEY_UPDATE_REQUEST, Opener, Sealer, TICKET,
    connection, split_record, take_over, ticket,
};
use support::stream::read_head;

const MB: u64 = 1024 * 1024;

fn trusting(pki: &Pki) -> ClientBuilder {
    let root = Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
    Client::builder().tls_certs_only([root]).timeout(Duration::from_secs(60))
}

/// A plaintext record.
fn clear(typ: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    [&[typ, 3, 3][..], &length, payload].concat()
}

/// Responses to a `ClientHello` that an attacker on the path can send.
fn flights() -> Vec<(&'static str, Vec<u8>)> {
    let part = || clear(22, &[2]);
    let behind_part = |typ, payload: &[u8]| [part(), clear(typ, payload)].concat();
    vec![
        ("a message of 16 MiB begins", clear(22, &[2, 255, 255, 255])),
        ("a message of 64 KiB and a byte begins", clear(22, &[2, 1, 0, 0])),
        ("the largest message begins", clear(22, &[2, 0, 255, 255])),
        ("part of a header", part()),
        ("part of a header, an alert", behind_part(21, &[2, 40])),
        ("part of a header, a warning", behind_part(21, &[1, 90])),
        ("part of a header, close_notify", behind_part(21, CLOSE_NOTIFY)),
        ("part of a header, data", behind_part(23, b"hello")),
        ("part of a header, data without any", behind_part(23, b"")),
        ("part of a header, ChangeCipherSpec", behind_part(20, &[1])),
        ("part of a header, an empty record", behind_part(22, &[])),
        ("part of a header, an unknown type", behind_part(99, &[1])),
        ("part of a header, the rest of one too long", behind_part(22, &[255, 255, 255])),
        ("part of a header, the rest of a message that is none", behind_part(22, &[0, 0, 1, 7])),
        (
            "part of a header, a record that is too long",
            [part(), vec![22, 3, 3, 255, 255]].concat(),
        ),
        ("part of a header, HTTP", [part(), b"HTTP/1.1 400 Bad\r\n\r\n".to_vec()].concat()),
        ("a message that is none, part of the next", clear(22, &[2, 0, 0, 2, 3, 3, 2])),
        ("a request for a handshake", clear(22, &[0, 0, 0, 0])),
        ("a request for a handshake, part of a header", clear(22, &[0, 0, 0, 0, 2])),
        ("a ticket", clear(22, TICKET)),
        ("half a ticket", clear(22, &TICKET[..9])),
        ("half a ticket, an alert", [clear(22, &TICKET[..9]), clear(21, &[2, 40])].concat()),
        ("an alert", clear(21, &[2, 40])),
        ("half an alert", clear(21, &[2])),
        ("two alerts in a record", clear(21, &[1, 90, 2, 40])),
        ("close_notify", clear(21, CLOSE_NOTIFY)),
        ("HTTP", b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n".to_vec()),
        ("a header alone", vec![22, 3, 3, 0, 9]),
        ("another protocol's version", vec![22, 9, 9, 0, 1, 0]),
        ("nothing", Vec::new()),
    ]
}

/// Before the handshake is done: typed errors, on connections to the origin, to a proxy, and to the
/// origin through a proxy.
#[test]
fn s01_s02_hostile_replies_to_a_client_hello_are_errors() {
    let pki = Pki::new();
    for (name, flight) in flights() {
        for (end, end_is_reset) in [(Step::Close, false), (Step::Reset, true)] {
            // The connection is established when it is reset: a ClientHello has arrived (RFC 8446
            // §5.1).
            let hello = expect([22, 3, 1]);
            let steps = vec![hello, send(&flight), end.clone()];
            let peer = || Script::serve(vec![steps.clone()]);
            let localhost = |addr: SocketAddr| format!("https://localhost:{}", addr.port());
            let [origin, proxy, behind] = [peer(), peer(), peer()];
            let tunnels = Tunnels::https(behind.addr(), pki.server_config(Leaf::Good));
            let rows = [
                ("the origin", localhost(origin.addr()), None),
                ("a proxy", "http://h.test/".to_owned(), Some(localhost(proxy.addr()))),
                ("behind a proxy", localhost(behind.addr()), Some(tunnels.url("https"))),
            ];
            for (whose, url, proxy) in rows {
                let mut client = trusting(&pki);
                if let Some(proxy) = proxy {
                    client = client.proxy(Proxy::all(proxy).unwrap());
                }
                let error = client.build().unwrap().get(url).send().unwrap_err();
                // A reset discards data that was not read.
                let is_reset = end_is_reset && error.kind() == Kind::Io;
                let is_typed = error.kind() == Kind::Tls || is_reset;
                assert!(is_typed, "{whose}: {name}: {:?}: {error}", error.kind());
            }
        }
    }
}

/// The position of a flight within a response of two bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Before,
    InHead,
    InBody,
    Behind,
    BehindTheEnd,
}

const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

type Flight = fn(&mut Sealer) -> Vec<u8>;

/// Records that the origin can send after the handshake, and whether they are valid.
fn flights_afterwards() -> Vec<(&'static str, Flight)> {
    fn part_and(sealer: &mut Sealer, typ: ContentType, payload: &[u8]) -> Vec<u8> {
        [sealer.seal(HANDSHAKE, &[4, 0]), sealer.seal(typ, payload)].concat()
    }
    vec![
        ("half a record", |s| s.seal(HANDSHAKE, TICKET)[..20].to_vec()),
        ("a header of a record", |s| s.seal(HANDSHAKE, TICKET)[..5].to_vec()),
        ("a byte of a message", |s| s.seal(HANDSHAKE, &TICKET[..1])),
        ("half a header of a message", |s| s.seal(HANDSHAKE, &TICKET[..2])),
        ("half a ticket", |s| s.seal(HANDSHAKE, &TICKET[..9])),
        ("a ticket and a byte of the next", |s| s.seal(HANDSHAKE, &[TICKET, &[4]].concat())),
        ("half a message, an alert", |s| part_and(s, ALERT, &[2, 40])),
        ("half a message, close_notify", |s| part_and(s, ALERT, CLOSE_NOTIFY)),
        ("half a message, data", |s| part_and(s, DATA, b"x")),
        ("half a message, no data", |s| part_and(s, DATA, b"")),
        ("half a message, none of the rest", |s| part_and(s, HANDSHAKE, b"")),
        ("half a message, another one's end", |s| part_and(s, HANDSHAKE, &[0, 1, 7])),
        ("half a message, ChangeCipherSpec", |s| {
            [s.seal(HANDSHAKE, &[4]), clear(20, &[1])].concat()
        }),
        ("half a message, an alert in the clear", |s| {
            [s.seal(HANDSHAKE, &[4]), clear(21, &[2, 40])].concat()
        }),
        ("half a message, garbage", |s| [s.seal(HANDSHAKE, &[4]), clear(23, &[7; 40])].concat()),
        ("a message of 16 MiB begins", |s| s.seal(HANDSHAKE, &[4, 255, 255, 255])),
        ("a message of 64 KiB begins", |s| s.seal(HANDSHAKE, &[4, 0, 255, 255])),
        ("a message that is none", |s| s.seal(HANDSHAKE, &[4, 0, 0, 1, 7])),
        ("a message that is none, part of the next", |s| s.seal(HANDSHAKE, &[4, 0, 0, 1, 7, 4])),
        ("an unknown message", |s| s.seal(HANDSHAKE, &[77, 0, 0, 0])),
        ("a ServerHello", |s| s.seal(HANDSHAKE, &[2, 0, 0, 0])),
        ("a request for a handshake", |s| s.seal(HANDSHAKE, &[0, 0, 0, 0])),
        ("half a change of keys", |s| s.seal(HANDSHAKE, &KEY_UPDATE[..3])),
        ("a change of keys, in records", |s| s.seal_in_pieces(HANDSHAKE, KEY_UPDATE, 1)),
        ("a change of keys, the old ones", |s| {
            [s.seal(HANDSHAKE, KEY_UPDATE), s.seal(DATA, b"x")].concat()
        }),
        ("a change of keys and a byte", |s| s.seal(HANDSHAKE, &[KEY_UPDATE, &[4]].concat())),
        ("40 requests to change keys", |s| {
            let mut update = || {
                let record = s.seal(HANDSHAKE, KEY_UPDATE_REQUEST);
                s.update_keys();
                record
            };
            (0..40).flat_map(|_| update()).collect()
        }),
        ("an empty part of a message", |s| s.seal(HANDSHAKE, b"")),
        ("40 empty records", |s| s.seal(DATA, b"").into_iter().chain(empty(s, 39)).collect()),
        ("a record of padding", |s| s.seal(ContentType::Unknown(0), &[0; 40])),
        ("an unknown record", |s| s.seal(ContentType::Unknown(99), b"x")),
        ("garbage", |_| clear(23, &[7; 40])),
        ("an empty record that is no data", |_| clear(22, b"")),
        ("a record that is too long", |_| vec![23, 3, 3, 255, 255]),
        ("HTTP", |_| b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        ("an alert", |s| s.seal(ALERT, &[2, 40])),
        ("a warning", |s| s.seal(ALERT, &[1, 90])),
        ("half an alert", |s| s.seal(ALERT, &[2])),
        ("an alert in the clear", |_| clear(21, &[2, 40])),
        ("close_notify", |s| s.seal(ALERT, CLOSE_NOTIFY)),
        ("close_notify, and on", |s| {
            [s.seal(ALERT, CLOSE_NOTIFY), s.seal(HANDSHAKE, &[4]), s.seal(DATA, b"x")].concat()
        }),
        ("close_notify, garbage", |s| [s.seal(ALERT, CLOSE_NOTIFY), vec![7; 99]].concat()),
        ("close_notify twice", |s| [CLOSE_NOTIFY; 2].map(|c| s.seal(ALERT, c)).concat()),
        ("ChangeCipherSpec", |_| clear(20, &[1])),
        ("nothing", |_| Vec::new()),
    ]
}

fn empty(sealer: &mut Sealer, count: usize) -> Vec<u8> {
    (0..count).flat_map(|_| sealer.seal(DATA, b"")).collect()
}

/// The next step of a client or a response that such a flight has reached: dropped or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    AskAgain,
    Drop,
    DropInAPanic,
}

/// A complete response is delivered, whatever follows it and however it is split; any other is an
/// error. The client uses another connection afterwards.
#[test]
fn s03_hostile_records_after_the_handshake_spare_complete_responses() {
    let pki = Pki::new();
    for version in [&TLS12, &TLS13] {
        let config = pki.server_config_for(Leaf::Good, &[version], Clients::Anyone);
        let places =
            [Place::Before, Place::InHead, Place::InBody, Place::Behind, Place::BehindTheEnd];
        let thens = [Then::AskAgain, Then::Drop, Then::DropInAPanic];
        for (name, flight) in flights_afterwards() {
            for (place, then) in places.iter().flat_map(|place| thens.map(|then| (*place, then))) {
                let server = Taken::start(&config, move |taken| {
                    let bytes = with_flight(&mut taken.sealer, place, flight);
                    taken.write(&bytes)
                });
                let client = trusting(&pki).build().unwrap();
                let case = format!("{version:?}: {name}: {place:?}: {then:?}");
                receive_flight(&client, &server, place, then, &case);
            }
        }
    }
}

fn with_flight(sealer: &mut Sealer, place: Place, flight: Flight) -> Vec<u8> {
    let (before, behind) = RESPONSE.split_at(match place {
        Place::Before => 0,
        Place::InHead => 10,
        Place::InBody => RESPONSE.len() - 1,
        Place::Behind | Place::BehindTheEnd => RESPONSE.len(),
    });
    let mut bytes = if before.is_empty() { Vec::new() } else { sealer.seal(DATA, before) };
    if place == Place::BehindTheEnd {
        bytes.extend(sealer.seal(ALERT, CLOSE_NOTIFY));
    }
    bytes.extend(flight(sealer));
    if !behind.is_empty() {
        bytes.extend(sealer.seal(DATA, behind));
    }
    bytes
}

fn receive_flight(client: &Client, server: &Taken, place: Place, then: Then, case: &str) {
    let send = || client.get(server.url()).send();
    let is_complete = matches!(place, Place::Behind | Place::BehindTheEnd);
    let response = match send() {
        Ok(response) => response,
        Err(error) => {
            assert!(!is_complete && is_told(&error), "{case}: {:?}: {error}", error.kind());
            return;
        }
    };
    match then {
        Then::AskAgain => {
            match response.text() {
                Ok(text) => assert_eq!(text, "ok", "{case}"),
                Err(error) => assert!(!is_complete && is_told(&error), "{case}: {error}"),
            }
            assert_eq!(send().unwrap().text().unwrap(), "ok", "{case}");
        }
        Then::Drop => drop(response),
        Then::DropInAPanic => {
            let unwinding = catch_unwind(AssertUnwindSafe(move || {
                let _dropped_on_the_way = response;
                std::panic::resume_unwind(Box::new("on purpose"));
            }));
            assert!(unwinding.is_err());
        }
    }
}

fn is_told(error: &leanhttp::Error) -> bool {
    matches!(error.kind(), Kind::Tls | Kind::Io | Kind::Protocol | Kind::Truncated)
}

/// A connection within a record or a message cannot begin another exchange.
#[test]
fn s03_a_connection_within_a_record_is_not_pooled() {
    let pki = Pki::new();
    let config = pki.server_config_for(Leaf::Good, &[&TLS13], Clients::Anyone);
    let rows: [(&str, Flight, usize); 6] = [
        ("nothing", |_| Vec::new(), 1),
        ("a ticket", |s| s.seal(HANDSHAKE, TICKET), 1),
        ("a ticket in records of a byte", |s| s.seal_in_pieces(HANDSHAKE, TICKET, 1), 1),
        ("half a record", |s| s.seal(HANDSHAKE, TICKET)[..20].to_vec(), 2),
        ("half a message", |s| s.seal(HANDSHAKE, &TICKET[..9]), 2),
        ("a ticket and a byte", |s| s.seal(HANDSHAKE, &[TICKET, &[4]].concat()), 2),
    ];
    for (name, flight, connections) in rows {
        let server = Taken::start(&config, move |taken| {
            let bytes = with_flight(&mut taken.sealer, Place::Behind, flight);
            taken.write(&bytes)?;
            while let Ok(()) = taken.read_request() {
                let answer = taken.sealer.seal(DATA, RESPONSE);
                taken.write(&answer)?;
            }
            Ok(())
        });
        let client = trusting(&pki).build().unwrap();
        for _ in 0..2 {
            assert_eq!(client.get(server.url()).send().unwrap().text().unwrap(), "ok", "{name}");
        }
        assert_eq!(server.accepted(), connections, "{name}");
    }
}

/// Returns the next records of an endless flight.
type Flood = fn(&mut Sealer, usize) -> Vec<u8>;

/// An endless message is ended by its size, wherever it stands, long before the deadline.
#[test]
fn s04_endless_messages_without_data_are_an_error() {
    let pki = Pki::new();
    let config = pki.server_config_for(Leaf::Good, &[&TLS13], Clients::Anyone);
    let rows: [(&str, Flood); 8] = [
        ("tickets", |s, _| s.seal(HANDSHAKE, TICKET)),
        ("large tickets", |s, _| s.seal_in_pieces(HANDSHAKE, &ticket(60_000), 16_000)),
        ("tickets, padded", |s, _| s.seal_padded(HANDSHAKE, TICKET, 16_000)),
        ("records that end within messages", |s, turn| {
            let stream = TICKET.repeat(40);
            s.seal(HANDSHAKE, &stream[turn * 7 % TICKET.len()..][..TICKET.len() * 10 + 7])
        }),
        ("one message, byte by byte", |s, turn| {
            s.seal(HANDSHAKE, &[[4, 0, 255, 255], [0; 4]][usize::from(turn > 0)][..1])
        }),
        ("one message in small records", |s, turn| match turn {
            0 => s.seal(HANDSHAKE, &[4, 0, 255, 255]),
            _ => s.seal(HANDSHAKE, &[0]),
        }),
        ("changes of keys", |s, _| {
            let record = s.seal(HANDSHAKE, KEY_UPDATE);
            s.update_keys();
            record
        }),
        ("empty parts of messages", |s, turn| {
            s.seal(HANDSHAKE, if turn % 30 == 0 { TICKET } else { b"" })
        }),
    ];
    for start in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"] {
        for (name, flood) in rows {
            let server = Taken::start(&config, move |taken| {
                if !start.is_empty() {
                    let start = taken.sealer.seal(DATA, start.as_bytes());
                    taken.write(&start)?;
                }
                for turn in 0.. {
                    let bytes = flood(&mut taken.sealer, turn);
                    taken.write(&bytes)?;
                }
                Ok(())
            });
            let client = trusting(&pki).body_limit(1000).build().unwrap();
            let mut outcome = None;
            let began = Instant::now();
            let allocated = measure(|| {
                outcome = Some(client.get(server.url()).send().and_then(Response::bytes));
            });
            let case = format!("{name} behind {start:?}");
            let error = outcome.unwrap().unwrap_err();
            assert_eq!(error.kind(), Kind::Tls, "{case}: {error}");
            assert!(allocated.bytes_max < 2 * MB, "{case}: {allocated:?}");
            assert!(began.elapsed() < Duration::from_secs(30), "{case}");
            // The socket buffers are included.
            assert!(server.sent() < 24 * MB, "{case}: {} bytes", server.sent());
        }
    }
}

/// Records with data do not count against the limit, and do not extend the deadline.
#[test]
fn s04_endless_records_end_with_the_deadline() {
    let rows: [(&str, Flight); 3] = [
        ("a byte, padded", |s| s.seal_padded(DATA, b"x", 16_000)),
        ("data", |s| s.seal(DATA, &[b'x'; 16_000])),
        ("a ticket beside data", |s| {
            [s.seal(DATA, &[b'x'; 8000]), s.seal(HANDSHAKE, &ticket(4000))].concat()
        }),
    ];
    let pki = Pki::new();
    let config = pki.server_config_for(Leaf::Good, &[&TLS13], Clients::Anyone);
    for (name, flight) in rows {
        let server = Taken::start(&config, move |taken| {
            let head = taken.sealer.seal(DATA, b"HTTP/1.1 200 OK\r\n\r\n");
            taken.write(&head)?;
            loop {
                let bytes = flight(&mut taken.sealer);
                taken.write(&bytes)?;
            }
        });
        let client = trusting(&pki).timeout(Duration::from_secs(1)).build().unwrap();
        let began = Instant::now();
        let mut outcome = None;
        let allocated = measure(|| {
            let read = |mut response: Response| response.copy_to(&mut io::sink());
            outcome = Some(client.get(server.url()).send().and_then(read));
        });
        let error = outcome.unwrap().unwrap_err();
        assert!(error.is_timeout(), "{name}: {error}");
        assert!(began.elapsed() < Duration::from_secs(10), "{name}");
        assert!(allocated.bytes_max < MB, "{name}: {allocated:?}");
    }
}

/// RFC 8446 §5.4: padding is allowed; so are occasional tickets and key updates.
#[test]
fn s05_honest_records_are_delivered() {
    const ROWS: [(&str, usize, usize, usize, Flight); 7] = [
        ("plain", 5000, 20, 0, |_| Vec::new()),
        ("padded to 512", 5000, 20, 512, |_| Vec::new()),
        ("padded to 16,384", 100, 1000, 16_384, |_| Vec::new()),
        ("one byte, padded to 16,384", 1000, 1, 16_384, |_| Vec::new()),
        ("keys change", 5000, 20, 64, |s| {
            let record = s.seal(HANDSHAKE, KEY_UPDATE);
            s.update_keys();
            record
        }),
        ("keys change by request", 5000, 20, 64, |s| {
            let record = s.seal(HANDSHAKE, KEY_UPDATE_REQUEST);
            s.update_keys();
            record
        }),
        ("tickets between large records", 500, 16_000, 0, |s| s.seal(HANDSHAKE, &ticket(4000))),
    ];
    let pki = Pki::new();
    let config = pki.server_config_for(Leaf::Good, &[&TLS13], Clients::Anyone);
    for (name, count, size, padded, between) in ROWS {
        let server = Taken::start(&config, move |taken| {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", count * size);
            let mut bytes = taken.sealer.seal(DATA, head.as_bytes());
            for _ in 0..count {
                bytes.extend(taken.sealer.seal_padded(DATA, &vec![b'e'; size], padded));
                bytes.extend(between(&mut taken.sealer));
            }
            taken.write(&bytes)
        });
        let client = trusting(&pki).build().unwrap();
        let mut outcome = None;
        let allocated = measure(|| {
            let mut response = client.get(server.url()).send().unwrap();
            let (mut read, mut piece) = (0, [0; 4096]);
            while let Ok(count @ 1..) = response.read(&mut piece) {
                read += count;
            }
            outcome = Some(read);
        });
        assert_eq!(outcome, Some(count * size), "{name}");
        assert!(allocated.bytes_max < MB, "{name}: {allocated:?}");
    }
}

/// RFC 8446 §5.1: a handshake may arrive in records of one byte, and a certificate may be large.
#[test]
fn s04_a_handshake_in_records_of_one_byte_is_accepted() {
    for (size, passes) in [(1000, true), (60_000, true), (66_000, false)] {
        let (config, pem) = with_large_chain(size);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
        let server = thread::spawn(move || {
            let stream = listener.accept().unwrap().0;
            shake_hands_byte_by_byte(stream, &config)
        });
        let root = Certificate::from_pem(pem.as_bytes()).unwrap();
        let client = Client::builder().tls_certs_only([root]);
        let client = client.danger_accept_invalid_certs(true).build().unwrap();
        let mut outcome = None;
        let allocated =
            measure(|| outcome = Some(client.get(&url).send().and_then(Response::text)));
        let outcome = outcome.unwrap();
        match passes {
            true => assert_eq!(outcome.unwrap(), "ok", "{size}"),
            false => assert_eq!(outcome.unwrap_err().kind(), Kind::Tls, "{size}"),
        }
        assert!(allocated.bytes_max < 4 * MB, "{size}: {allocated:?}");
        drop(client);
        let _ = server.join().unwrap();
    }
}

/// A chain of certificates of that size, and its leaf.
fn with_large_chain(size: usize) -> (ServerConfig, String) {
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let config =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                // The second certificate is not read.
                vec![certificate.der().clone(), vec![0; size].into()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .unwrap();
    (config, certificate.pem())
}

/// The server's flight, decrypted and encrypted again in records of one byte.
fn shake_hands_byte_by_byte(mut stream: TcpStream, config: &ServerConfig) -> io::Result<()> {
    let (mut server, secrets) = connection(config);
    let mut flight = Vec::new();
    while flight.is_empty() {
        server.read_tls(&mut stream)?;
        server.process_new_packets().map_err(io::Error::other)?;
        while server.wants_write() {
            server.write_tls(&mut flight)?;
        }
    }
    let Some(SupportedCipherSuite::Tls13(suite)) = server.negotiated_cipher_suite() else {
        unreachable!()
    };
    let secret = secrets.get("SERVER_HANDSHAKE_TRAFFIC_SECRET");
    let mut opener = Opener::from_secret(suite, &secret);
    let mut sealer = Sealer::from_secret(suite, secret);
    let mut small = Vec::new();
    let mut rest = &flight[..];
    while let Some((record, behind)) = split_record(rest) {
        match record[0] {
            22 => record[5..].iter().for_each(|byte| small.extend(clear(22, &[*byte]))),
            23 => {
                let (typ, plain) = opener.open(record).unwrap();
                small.extend(sealer.seal_in_pieces(typ, &plain, 1));
            }
            _ => small.extend(record),
        }
        rest = behind;
    }
    stream.write_all(&small)?;
    let mut stream = rustls::Stream::new(&mut server, &mut stream);
    read_head(&mut stream)?;
    stream.write_all(RESPONSE)?;
    let _ = stream.read(&mut [0]);
    Ok(())
}

/// A server that hands its first connection to the test after a request; other connections get
/// responses.
struct Taken {
    addr: SocketAddr,
    accepted: Arc<AtomicU64>,
    sent: Arc<AtomicU64>,
}

/// The server's side of that connection.
struct TakenConnection {
    stream: TcpStream,
    sealer: Sealer,
    opener: Opener,
    sent: Arc<AtomicU64>,
}

impl Taken {
    fn start(
        config: &ServerConfig,
        act: impl FnOnce(&mut TakenConnection) -> io::Result<()> + Send + 'static,
    ) -> Taken {
        let config = config.clone();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let [accepted, sent] = [(); 2].map(|()| Arc::new(AtomicU64::new(0)));
        let (counter, sizes) = (Arc::clone(&accepted), Arc::clone(&sent));
        thread::spawn(move || -> io::Result<()> {
            let mut act = Some(act);
            loop {
                let (mut stream, _) = listener.accept()?;
                stream.set_nodelay(true)?;
                counter.fetch_add(1, Ordering::SeqCst);
                let (mut server, secrets) = connection(&config);
                if read_head(&mut rustls::Stream::new(&mut server, &mut stream)).is_err() {
                    continue;
                }
                if let Some(act) = act.take() {
                    let (sealer, opener) = take_over(server, &secrets);
                    let sent = Arc::clone(&sizes);
                    let mut taken = TakenConnection { stream, sealer, opener, sent };
                    thread::spawn(move || {
                        let _ = act(&mut taken);
                        taken.end();
                    });
                } else {
                    respond(&mut server, &mut stream)?;
                }
            }
        });
        Taken { addr, accepted, sent }
    }

    fn url(&self) -> String {
        format!("https://localhost:{}/", self.addr.port())
    }

    fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst) as usize
    }

    fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }
}

fn respond(server: &mut ServerConnection, stream: &mut TcpStream) -> io::Result<()> {
    server.writer().write_all(RESPONSE)?;
    server.send_close_notify();
    while server.wants_write() {
        server.write_tls(stream)?;
    }
    Ok(())
}

impl TakenConnection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.chunks(64 * 1024) {
            self.stream.write_all(piece)?;
            self.sent.fetch_add(piece.len() as u64, Ordering::SeqCst);
        }
        Ok(())
    }

    /// Reads, and returns an error if the client ends the connection.
    fn read_request(&mut self) -> io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut header = [0; 5];
            self.stream.read_exact(&mut header)?;
            let mut record = vec![0; 5 + usize::from(u16::from_be_bytes([header[3], header[4]]))];
            record[..5].copy_from_slice(&header);
            self.stream.read_exact(&mut record[5..])?;
            match self.opener.open(&record) {
                Some((DATA, plain)) => head.extend(plain),
                _ => return Err(io::ErrorKind::ConnectionAborted.into()),
            }
        }
        Ok(())
    }

    /// Sends no more, and reads until the client ends the connection.
    fn end(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
        let _ = io::copy(&mut self.stream, &mut io::sink());
    }
}
