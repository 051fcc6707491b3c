//! Slow servers: rows T of `tests/HOSTILE.md`. T03 is in `proxy.rs`, `socks.rs` and below, T08 and
//! T09 in `retries.rs`, T04 with real networks in `real/network.rs`.
//!
//! The only assertions about time are generous bounds.
#![cfg(all(feature = "blocking", feature = "tls", feature = "gzip"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::io::Read;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use leanhttp::blocking::{Body, Client, ClientBuilder};
use leanhttp::error::{Kind, Phase};
use leanhttp::{Error, Result};
use rustls::crypto::ring;
use rustls::version::TLS13;

use support::net::{Silent, Unreachable};
use support::pki::{Clients, Leaf, Pki};
use support::script::{Script, Step, answer, drip, ok, pause, send};
use support::trusting;

const SECOND: Duration = Duration::from_secs(1);
const GENEROUS: Duration = Duration::from_secs(10);

fn client() -> ClientBuilder {
    Client::builder().no_proxy()
}

/// Asserts that the call ends with this error, and in time.
#[track_caller]
fn assert_late<T>(phase: Phase, told: &str, call: impl FnOnce() -> Result<T>) -> Error {
    let start = Instant::now();
    let Err(error) = call() else { panic!("the call did not fail") };
    assert!(start.elapsed() < GENEROUS, "{:?}", start.elapsed());
    assert_eq!((error.kind(), error.phase()), (Kind::Timeout, phase), "{error}");
    assert!(error.to_string().ends_with(told), "{error}");
    error
}

/// Each byte resets the read timeout, and no other.
#[test]
fn t01_a_dripped_head_ends_with_the_total_timeout() {
    let head = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(100));
    let server = Script::serve(vec![[vec![Step::ExpectRequest], drip(&head, 100)].concat()]);
    let impatient = client().read_timeout(SECOND / 2).timeout(SECOND).build().unwrap();
    let told = "not done within 1s (total timeout)";
    assert_late(Phase::Head, told, || impatient.get(server.url("/")).send());
    // The first byte arrives in time, and no other limit is set: a slow response is complete.
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let server = Script::serve(vec![[vec![Step::ExpectRequest], drip(head, 40)].concat()]);
    let client = client().first_byte_timeout(SECOND).build().unwrap();
    assert_eq!(client.get(server.url("/")).send().unwrap().status(), 200);
}

#[test]
fn t02_a_dripped_body_ends_with_the_total_timeout() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n";
    let steps = || [vec![Step::ExpectRequest, send(head)], drip([b'x'; 100], 100)].concat();
    let server = Script::serve(vec![steps(), steps()]);
    let get = |client: ClientBuilder| client.build().unwrap().get(server.url("/")).send()?.bytes();
    assert_late(
        Phase::Body,
        "not done within 1s (total timeout)",
        || get(client().timeout(SECOND)),
    );
    let told = "less than 50 bytes a second for 1s (minimum throughput)";
    assert_late(Phase::Body, told, || get(client().min_throughput(50, SECOND)));
}

/// A server that accepts TCP connections, but sends no TLS.
#[test]
fn t03_a_silent_handshake_ends_with_the_connect_timeout() {
    let silent = Silent::start();
    let url = format!("https://{}/", silent.addr());
    let told = "no connection within 1s (connect timeout)";
    let client = client().connect_timeout(SECOND).build().unwrap();
    assert_late(Phase::Handshake, told, || client.get(url).send());
}

#[test]
fn t04_a_late_dns_answer_is_a_timeout() {
    let late = |_: &str| {
        thread::sleep(3 * SECOND);
        Ok(vec![([127, 0, 0, 1], 9).into()])
    };
    let client = client()
        .dns_resolver(leanhttp::dns::from_fn(late))
        .connect_timeout(SECOND)
        .build()
        .unwrap();
    let told = "no connection within 1s (connect timeout)";
    assert_late(Phase::Resolve, told, || client.get("http://h.test/").send());
}

/// One limit covers all addresses, and the error names each.
#[test]
fn t04_one_limit_covers_many_silent_addresses() {
    let holes: Vec<_> = (0..8).map(|_| Unreachable::start()).collect();
    let addresses: Vec<_> = holes.iter().map(Unreachable::addr).collect();
    let client = client().resolve_to_addrs("h.test", &addresses).connect_timeout(SECOND);
    let told = "no connection within 1s (connect timeout)";
    let client = client.build().unwrap();
    let error = assert_late(Phase::Connect, told, || client.get("http://h.test/").send());
    let tried = addresses.iter().filter(|at| error.to_string().contains(&at.to_string())).count();
    assert_eq!(tried, 8, "they share the second: {error}");
}

/// RFC 8305: the delay before the second address is shorter than any limit.
#[test]
fn t04_a_short_limit_reaches_the_addresses_behind_a_silent_one() {
    for (holes, limit) in [(1, 240), (1, 100), (3, 240), (3, 2000)] {
        let server = Script::serve(vec![[vec![Step::ExpectRequest], vec![send(ok("x"))]].concat()]);
        let swallow: Vec<_> = (0..holes).map(|_| Unreachable::start()).collect();
        let addresses = swallow.iter().map(Unreachable::addr).chain([server.addr()]);
        let addresses: Vec<_> = addresses.collect();
        let builder = client().resolve_to_addrs("h.test", &addresses);
        let client = builder.connect_timeout(Duration::from_millis(limit)).build().unwrap();
        let text = client.get("http://h.test/").send().and_then(|response| response.text());
        assert_eq!(text.unwrap_or_else(|error| panic!("{holes} in {limit} ms: {error}")), "x");
    }
}

/// Each hop is within the limit, all of them together are not.
#[test]
fn t05_one_deadline_covers_a_chain_of_hops() {
    let moved = "HTTP/1.1 302 Found\r\nlocation: /next\r\ncontent-length: 0\r\n\r\n";
    let hop = vec![Step::ExpectRequest, pause(400), send(moved)];
    let server = Script::serve(vec![vec![hop; 3].concat()]);
    let client = client().read_timeout(SECOND).timeout(SECOND).build().unwrap();
    let told = "not done within 1s (total timeout)";
    assert_late(Phase::Head, told, || client.get(server.url("/")).send());
}

/// RFC 9110 §10.1.1: the body does not wait forever for a server that ignores the expectation.
#[test]
fn t06_a_missing_100_does_not_hold_the_body() {
    let server = Script::serve(vec![vec![Step::ExpectRequest, send(ok("thanks"))]]);
    let request = client().build().unwrap().put(server.url("/")).expect_continue(true);
    let start = Instant::now();
    assert_eq!(request.body("the body").send().unwrap().text().unwrap(), "thanks");
    assert!(start.elapsed() < GENEROUS);
    server.join();
    assert!(server.received_text(0).ends_with("\r\n\r\nthe body"));
}

/// RFC 9112 §9.5: a response that arrives meanwhile is not lost.
#[test]
fn t07_a_server_that_stops_reading_ends_with_the_write_timeout() {
    const LENGTH: u64 = 32 << 20;
    let upload = |server: &Script| {
        let client = client().write_timeout(SECOND).build().unwrap();
        client.post(server.url("/")).body(Body::sized(std::io::repeat(b'x').take(LENGTH), LENGTH))
    };
    let silent = Script::serve(vec![vec![Step::ExpectHead, Step::StopReading]]);
    let told = "no byte could be sent for 1s (write timeout)";
    assert_late(Phase::Send, told, || upload(&silent).send());
    let full = "HTTP/1.1 507 Insufficient Storage\r\ncontent-length: 4\r\n\r\nfull";
    let told = vec![Step::ExpectHead, pause(100), send(full), Step::StopReading];
    let server = Script::serve(vec![told]);
    let response = upload(&server).send().unwrap();
    assert_eq!((response.status().as_u16(), response.text().unwrap()), (507, "full".to_owned()));
}

/// The server's data arrived in time while the only thread was busy, here with verifying the
/// certificate: a limit on the server is not reported then, one on the call is.
#[test]
fn a_timeout_is_reported_only_if_no_data_has_arrived() {
    let pki = Pki::new();
    type Set = fn(ClientBuilder) -> ClientBuilder;
    const LIMIT: Duration = Duration::from_millis(300);
    let (connect, handshake, total): (Set, Set, Set) =
        (|b| b.connect_timeout(LIMIT), |b| b.handshake_timeout(LIMIT), |b| b.timeout(LIMIT));
    // In TLS 1.3 the client sends the last message of the handshake, and does not wait afterwards.
    let config = pki.server_config_for(Leaf::Good, &[&TLS13], Clients::Anyone);
    for set in [connect, handshake] {
        let server = Script::serve_tls(vec![answer(ok("x"))], Arc::clone(&config));
        let client = set(client()).use_preconfigured_tls(slow_verifier()).build().unwrap();
        let text = client.get(server.url("/")).send().and_then(|response| response.text());
        assert_eq!(text.unwrap(), "x");
    }
    let server = Script::serve_tls(vec![vec![Step::Silent]], config);
    let client = total(client()).use_preconfigured_tls(slow_verifier()).build().unwrap();
    let told = "not done within 300ms (total timeout)";
    assert_late(Phase::Send, told, || client.get(server.url("/")).send());
}

/// A certificate verifier that takes time.
fn slow_verifier() -> rustls::ClientConfig {
    let provider = Arc::new(ring::default_provider());
    trusting::client(provider, || thread::sleep(Duration::from_millis(700)))
}

/// A jump of the wall clock moves no deadline, because no code that measures time uses it. (A test
/// cannot set the clock itself.)
#[test]
fn t10_deadlines_ignore_the_wall_clock() {
    let sources = [
        include_str!("../src/policy/deadline.rs"),
        include_str!("../src/policy/route.rs"),
        include_str!("../src/policy/happy_eyeballs.rs"),
        include_str!("../src/http1/close.rs"),
        include_str!("../src/pool/mod.rs"),
        include_str!("../src/pool/permits.rs"),
        include_str!("../src/base/timings.rs"),
        include_str!("../src/driver/socket.rs"),
        include_str!("../src/driver/mod.rs"),
        include_str!("../src/driver/connection.rs"),
        include_str!("../src/driver/response_body.rs"),
        include_str!("../src/driver/checkout.rs"),
        include_str!("../src/driver/connect.rs"),
        include_str!("../src/blocking/runtime.rs"),
    ];
    for source in sources {
        assert!(!source.contains("SystemTime"), "{source}");
    }
}
