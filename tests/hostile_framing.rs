//! Hostile responses: heads, framing, chunks. Each test has the id of its row in `tests/HOSTILE.md`
//! (H01–H25).
#![cfg(all(feature = "blocking", feature = "tls"))]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use leanhttp::cookie::CookieStore;
use leanhttp::error::Kind;
use leanhttp::header::HeaderValue;
use leanhttp::{Body, Client, Error, Method, Response, Result, Url};

use support::endless::Endless;
use support::pki::{Leaf, Pki};
use support::script::{Gate, Script, Step, Watch, answer, send};

const OK: &str = "HTTP/1.1 200 OK\r\n";

/// Returns the client's error, after at most `at_most` bytes beyond the socket buffers of a
/// loopback connection.
fn stops_the_client(server: &Endless, at_most: u64) -> Error {
    const BUFFERS: u64 = 8 * 1024 * 1024;
    let error = whole(&patient(), &server.url()).unwrap_err();
    let sent = server.sent();
    assert!(sent < at_most + BUFFERS, "{sent} bytes before {error}");
    error
}

fn patient() -> Client {
    Client::builder().timeout(Duration::from_secs(60)).build().unwrap()
}

/// The whole response: its head and body.
fn whole(client: &Client, url: &str) -> Result<(Response, Vec<u8>)> {
    let mut response = client.get(url).send()?;
    let mut body = Vec::new();
    response.copy_to(&mut body)?;
    Ok((response, body))
}

/// One response, and the connection is closed after it.
fn once(response: impl AsRef<[u8]>) -> Result<(Response, Vec<u8>)> {
    let peer = Script::serve(vec![vec![Step::ExpectRequest, send(response), Step::Close]]);
    whole(&patient(), &peer.url("/"))
}

#[track_caller]
fn assert_refused(responses: &[String], kind: Kind, reason: &str) {
    for response in responses {
        let error = once(response).map(|(_, body)| body).unwrap_err();
        let line = error.to_string();
        assert_eq!(error.kind(), kind, "{response:?}: {line}");
        assert!(line.contains(reason), "{response:?}: {line}");
    }
}

#[test]
fn h01_endless_header_lines_are_a_limit_error() {
    let field = format!("X-Filler: {}\r\n", "x".repeat(1000));
    let error = stops_the_client(&Endless::start(OK, &field), 64 * 1024);
    assert_eq!(error.kind(), Kind::Limit);
    assert!(error.to_string().contains("response head larger than 65536 bytes"), "{error}");
}

#[test]
fn h02_an_endless_header_line_is_a_limit_error() {
    let error = stops_the_client(&Endless::start(format!("{OK}X-Filler: "), "x"), 64 * 1024);
    assert!(error.to_string().contains("response head larger than 65536 bytes"), "{error}");
}

#[test]
fn h03_a_hundred_thousand_tiny_fields_are_a_limit_error() {
    let error = stops_the_client(&Endless::start(OK, "a:\r\n"), 64 * 1024);
    assert_eq!(error.kind(), Kind::Limit);
    let fields = format!("{OK}{}\r\n", "a:\r\n".repeat(129));
    assert_refused(&[fields], Kind::Limit, "more than 128 header fields");
}

#[test]
fn h04_endless_interim_responses_are_a_limit_error() {
    let error = stops_the_client(&Endless::start("", "HTTP/1.1 100 Continue\r\n\r\n"), 64 * 1024);
    assert_eq!(error.kind(), Kind::Limit);
    assert!(error.to_string().contains("more than 16 interim"), "{error}");
}

#[test]
fn h05_an_unrequested_101_is_an_error() {
    let switch = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n";
    let then = format!("{switch}{OK}Content-Length: 2\r\n\r\nok");
    assert_refused(&[switch.to_owned(), then], Kind::Protocol, "101 Switching Protocols");
}

#[test]
fn h06_endless_chunk_extensions_are_a_limit_error() {
    let head = format!("{OK}Transfer-Encoding: chunked\r\n\r\n");
    let chunk = format!("1;{}\r\nx\r\n", "e".repeat(100));
    let error = stops_the_client(&Endless::start(&head, &chunk), 1024 * 1024);
    assert_eq!(error.kind(), Kind::Limit);
    assert!(error.to_string().contains("more than 16384 bytes of chunk extensions"), "{error}");
    let error = stops_the_client(&Endless::start(format!("{head}1;"), "e"), 64 * 1024);
    assert_eq!(error.kind(), Kind::Limit);
}

#[test]
fn h07_an_endless_trailer_section_is_a_limit_error() {
    let head = format!("{OK}Transfer-Encoding: chunked\r\n\r\n0\r\n");
    let error = stops_the_client(&Endless::start(&head, "X-Trailer: 1\r\n"), 64 * 1024);
    assert_eq!(error.kind(), Kind::Limit);
    let error = stops_the_client(&Endless::start(format!("{head}X: "), "x"), 64 * 1024);
    assert!(error.to_string().contains("trailers larger than 16384 bytes"), "{error}");
}

#[test]
fn h08_chunk_sizes_that_overflow_are_errors() {
    let sizes = ["ffffffffffffffff", "10000000000000000", "fffffffffffffffe", "8000000000000000"];
    let responses = sizes.map(|size| format!("{OK}Transfer-Encoding: chunked\r\n\r\n{size}\r\nx"));
    assert_refused(&responses, Kind::Protocol, "chunk size larger than 2^63-1");
}

#[test]
fn h09_content_lengths_that_overflow_are_errors() {
    let long = "9".repeat(100);
    let lengths = ["9223372036854775808", "18446744073709551616", &long];
    let responses = lengths.map(|length| format!("{OK}Content-Length: {length}\r\n\r\nx"));
    assert_refused(&responses, Kind::Protocol, "invalid Content-Length");
}

/// CVE-2025-13836: nothing is allocated on the strength of a Content-Length.
#[test]
fn h10_a_huge_content_length_allocates_nothing() {
    let response = format!("{OK}Content-Length: 9223372036854775807\r\n\r\nfew");
    let line = "9223372036854775804 bytes of the body missing";
    assert_refused(std::slice::from_ref(&response), Kind::Truncated, line);

    let peer = Script::serve(vec![vec![Step::ExpectRequest, send(&response), Step::Close]]);
    let error = patient().get(peer.url("/")).send().unwrap().bytes().unwrap_err();
    assert_eq!(error.kind(), Kind::Limit, "{error}");
}

#[test]
fn h11_content_lengths_that_are_not_numbers_are_errors() {
    let lengths = ["+5", "-5", "0x5", "5 5", "", "5.0", "\"5\""];
    let responses = lengths.map(|length| format!("{OK}Content-Length: {length}\r\n\r\nhello"));
    assert_refused(&responses, Kind::Protocol, "invalid Content-Length");
}

#[test]
fn h12_two_different_content_lengths_are_an_error() {
    let one = format!("{OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!");
    let list = format!("{OK}Content-Length: 5, 6\r\n\r\nhello!");
    assert_refused(&[one, list], Kind::Protocol, "Content-Length values differ");
}

/// The chunked coding wins, and the connection is not used again (RFC 9112 §6.3).
#[test]
fn h13_chunked_wins_over_content_length() {
    let fields = [
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 3",
    ];
    for fields in fields {
        let response = format!("{OK}{fields}\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
        let peer = Script::serve(vec![answer(response)]);
        let client = patient();
        let (response, body) = whole(&client, &peer.url("/")).unwrap();
        assert_eq!((body.as_slice(), response.content_length()), (&b"hello"[..], None));
        drop(response);
        assert_eq!(client.pool_stats().idle, 0);
    }
}

#[test]
fn h14_other_transfer_encodings_are_errors() {
    let body = "5\r\nhello\r\n0\r\n\r\n";
    let fields = [
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: identity\r\nContent-Length: 15",
        "Transfer-Encoding: identity, chunked",
        "Transfer-Encoding:",
        "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding: chunked;q=1",
        "Transfer-Encoding: \x0bchunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding: ",
    ];
    let responses = fields.map(|field| format!("{OK}{field}\r\n\r\n{body}"));
    assert_refused(&responses, Kind::Protocol, "");
    let old = format!("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
    assert_refused(&[old], Kind::Protocol, "Transfer-Encoding in an HTTP/1.0 response");
}

#[test]
fn h15_a_bare_lf_in_a_chunk_line_is_an_error() {
    let bodies = ["5\nhello\r\n0\r\n\r\n", "5;a=b\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\n\r\n"];
    let responses = bodies.map(|body| format!("{OK}Transfer-Encoding: chunked\r\n\r\n{body}"));
    assert_refused(&responses, Kind::Protocol, "");
}

#[test]
fn h16_chunk_data_must_end_with_crlf() {
    let bodies = ["5\r\nhello0\r\n\r\n", "5\r\nhelloXX0\r\n\r\n", "5\r\nhello\n0\r\n\r\n"];
    let responses = bodies.map(|body| format!("{OK}Transfer-Encoding: chunked\r\n\r\n{body}"));
    assert_refused(&responses, Kind::Protocol, "after a chunk");
}

#[test]
fn h17_controls_in_names_and_values_are_errors() {
    let fields = ["X-A: a\0b", "X-A: a\rb", "X-A: a\x01b", "X-A: a\x7fb", "X\0A: b", "X\x7fA: b"];
    let responses = fields.map(|field| format!("{OK}{field}\r\nContent-Length: 0\r\n\r\n"));
    assert_refused(&responses, Kind::Protocol, "invalid header field");
}

#[test]
fn h18_folded_lines_are_errors() {
    let fields = ["X-A: b\r\n c", "Content-Length: 1\r\n 0", "Transfer-Encoding: x\r\n\tchunked"];
    let responses = fields.map(|field| format!("{OK}{field}\r\n\r\n0123456789"));
    assert_refused(&responses, Kind::Protocol, "invalid header field");
}

#[test]
fn h19_malformed_field_lines_are_errors() {
    let fields = ["X-A : b", ": b", "no colon", "X A: b", "(X): b"];
    let responses = fields.map(|field| format!("{OK}{field}\r\nContent-Length: 0\r\n\r\n"));
    assert_refused(&responses, Kind::Protocol, "invalid header field");
}

/// RFC 9112 §8: a response that is cut after any byte is not complete.
#[test]
fn h20_a_response_that_ends_early_is_an_error() {
    let sized = format!("{OK}Content-Length: 5\r\n\r\nhello");
    let chunked = format!("{OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    for whole in [sized, chunked] {
        for end in 1..whole.len() {
            let error = once(&whole[..end]).map(|(_, body)| body).unwrap_err();
            assert_eq!(error.kind(), Kind::Truncated, "{:?}: {error}", &whole[..end]);
        }
        assert_eq!(once(&whole).unwrap().1, b"hello");
    }
    assert_refused(&[String::new()], Kind::Io, "connection closed before a response");
}

#[test]
fn h21_tls_without_close_notify_is_a_truncation() {
    let pki = Pki::new();
    let ca = leanhttp::Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
    let client = Client::builder().add_root_certificate(ca).build().unwrap();
    let get = |body: &str, end: Step| {
        let steps = vec![Step::ExpectRequest, send(format!("{OK}{body}")), end];
        let peer = Script::serve_tls(vec![steps], pki.server_config(Leaf::Good));
        whole(&client, &peer.url("/")).map(|(_, body)| body)
    };
    let error = get("\r\nuntil the end", Step::Cut).unwrap_err();
    assert_eq!(error.kind(), Kind::Truncated);
    assert!(error.to_string().contains("cut without close_notify"), "{error}");
    assert_eq!(get("\r\nuntil the end", Step::Close).unwrap(), b"until the end");
    assert_eq!(get("Content-Length: 2\r\n\r\nok", Step::Cut).unwrap(), b"ok");
    assert!(get("Content-Length: 3\r\n\r\nok", Step::Cut).is_err());
}

#[test]
fn h22_other_protocols_are_errors() {
    let banners = [
        "SSH-2.0-OpenSSH_9.6\r\n",
        "220 mail.example ESMTP\r\n",
        "\x15\x03\x01\0\x02\x02\x16",
        "<html><body>old</body></html>",
        "ICY 200 OK\r\n\r\n",
        " HTTP/1.1 200 OK\r\n\r\n",
    ];
    assert_refused(&banners.map(str::to_owned), Kind::Protocol, "invalid status line");
    let versions = ["HTTP/0.9 200 OK\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/3 200\r\n\r\n"];
    assert_refused(&versions.map(str::to_owned), Kind::Protocol, "unsupported HTTP version");
}

#[test]
fn h23_a_forbidden_body_is_not_read() {
    let cases = [
        (Method::GET, "HTTP/1.1 204 No Content\r\n\r\nevil"),
        (Method::GET, "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil"),
        (Method::HEAD, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"),
    ];
    for (method, response) in cases {
        let peer = Script::serve(vec![answer(response)]);
        let client = patient();
        let body = client.request(method, peer.url("/")).send().unwrap().bytes().unwrap();
        assert!(body.is_empty(), "{response:?}");
        assert_eq!(client.pool_stats().idle, 0, "{response:?}");
    }
}

/// Response queue poisoning: data behind a response is never the response to the next request.
#[test]
fn h24_a_second_response_is_discarded() {
    let good = format!("{OK}Content-Length: 4\r\n\r\ngood");
    let evil = format!("{OK}Content-Length: 4\r\n\r\nevil");
    let at_once = vec![Step::ExpectRequest, send(format!("{good}{evil}"))];
    let gate = Gate::default();
    let later = vec![Step::ExpectRequest, send(&good), Step::Wait(gate.clone()), send(&evil)];
    for (first, gate) in [(at_once, Gate::default()), (later, gate)] {
        let steps = first.len();
        let peer = Script::serve(vec![first, answer(&good)]);
        let client = patient();
        assert_eq!(whole(&client, &peer.url("/")).unwrap().1, b"good");
        gate.open();
        peer.await_steps(0, steps);
        assert_eq!(whole(&client, &peer.url("/")).unwrap().1, b"good");
        assert_eq!(peer.accepted(), 2);
    }
}

/// A cookie store that lets the server send between the connection and the request.
struct Slow {
    gate: Gate,
    watch: Watch,
    steps: usize,
}

impl CookieStore for Slow {
    fn set_cookies(&self, _: &mut dyn Iterator<Item = &HeaderValue>, _: &Url) {}

    fn cookies(&self, url: &Url) -> Option<HeaderValue> {
        if url.path() == "/early" {
            self.gate.open();
            self.watch.await_steps(0, self.steps);
            thread::sleep(Duration::from_millis(100)); // for the thread of a runtime to hear of it
        }
        None
    }
}

/// Slow code of the caller gives a server time to send first: on a new connection, and on a reused
/// one after the liveness check.
#[test]
fn h24_a_response_before_the_request_is_an_error() {
    let good = format!("{OK}Content-Length: 4\r\n\r\ngood");
    let evil = send(format!("{OK}Content-Length: 4\r\n\r\nevil"));
    let at_once = vec![evil.clone()];
    let gate = Gate::default();
    let when_idle = vec![Step::ExpectRequest, send(&good), Step::Wait(gate.clone()), evil];
    for (script, gate, before) in [(at_once, Gate::default(), 0), (when_idle, gate, 1)] {
        let steps = script.len();
        let peer = Script::serve(vec![script]);
        let slow = Slow { gate, watch: peer.watch(), steps };
        let client = Client::builder().timeout(Duration::from_secs(60));
        let client = client.cookie_provider(Arc::new(slow)).build().unwrap();
        for _ in 0..before {
            assert_eq!(whole(&client, &peer.url("/")).unwrap().1, b"good");
        }
        let request = client.put(peer.url("/early")).body(Body::sized(std::io::empty(), 1));
        let error = request.send().unwrap_err();
        assert_eq!(error.kind(), Kind::Protocol);
        assert!(error.to_string().ends_with("the server sent data before the request"), "{error}");
        peer.join();
        assert_eq!(peer.received_text(0).matches("PUT").count(), 0, "nothing was sent");
    }
}

#[test]
fn h25_garbage_after_an_empty_response_is_not_drained() {
    let endless = Endless::start(format!("{OK}Content-Length: 0\r\n\r\n"), "garbage");
    let client = patient();
    let url = endless.url();
    for _ in 0..3 {
        let (response, body) = whole(&client, &url).unwrap();
        drop(response);
        assert!(body.is_empty());
        // Lets some of the garbage arrive, so that the liveness check has something to see.
        thread::sleep(Duration::from_millis(50));
    }
    drop(client);
    let sent = endless.sent();
    assert!(sent < 16 * 1024 * 1024, "not drained without bound: {sent}");
}
