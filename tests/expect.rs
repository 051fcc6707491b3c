//! `Expect: 100-continue` (RFC 9110 §10.1.1) over real sockets.

#![cfg(all(feature = "blocking", feature = "gzip"))]
#![allow(clippy::unwrap_used, reason = "helpers may stop a test as tests do")]

mod support;

use std::time::Duration;

use leanhttp::{Body, Client};
use support::script::{Script, Step, expect, send};

const HEAD: &str = "PUT /up HTTP/1.1\r\nhost: 127.0.0.1:PORT\r\nuser-agent: t\r\naccept: */*\r\n\
                    accept-encoding: gzip\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n";
const CREATED: &str = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";

fn client() -> Client {
    Client::builder().user_agent("t").no_deflate().no_brotli().no_zstd().build().unwrap()
}

/// The script does not know its port beforehand, so only the end of the head is compared.
fn head_then(steps: Vec<Step>) -> Vec<Step> {
    let mut connection = vec![Step::ExpectHead];
    connection.extend(steps);
    connection
}

#[test]
fn the_body_follows_the_100() {
    let peer = Script::serve(vec![head_then(vec![
        send("HTTP/1.1 100 Continue\r\n\r\n"),
        expect("hello"),
        send(CREATED),
    ])]);
    let request = client().put(peer.url("/up")).body("hello").expect_continue(true);
    assert_eq!(request.send().unwrap().status(), 201);
    peer.join();
    let port = peer.addr().port().to_string();
    let sent = String::from_utf8(peer.received(0)).unwrap();
    assert_eq!(sent, HEAD.replace("PORT", &port) + "hello");
}

#[test]
fn the_field_means_the_same_as_the_setting() {
    let peer = Script::serve(vec![head_then(vec![
        send("HTTP/1.1 100 Continue\r\n\r\n"),
        expect("hello"),
        send(CREATED),
    ])]);
    let request = client().put(peer.url("/up")).header("Expect", "100-Continue").body("hello");
    assert_eq!(request.send().unwrap().status(), 201);
    peer.join();
    let port = peer.addr().port().to_string();
    let sent = String::from_utf8(peer.received(0)).unwrap();
    assert_eq!(sent, HEAD.replace("PORT", &port) + "hello");
}

/// A 100 is not yet the response: the timeout for its first byte starts at the last byte of the
/// request.
#[test]
fn a_100_is_not_the_first_byte_of_the_response() {
    let go_on = send("HTTP/1.1 100 Continue\r\n\r\n");
    let peer = Script::serve(vec![
        head_then(vec![go_on.clone(), expect("hello"), Step::Silent]),
        head_then(vec![go_on, expect("hello"), Step::Pause(LIMIT), send(CREATED)]),
    ]);
    let put = || client().put(peer.url("/up")).body("hello").expect_continue(true);
    let error = put().first_byte_timeout(LIMIT).send().unwrap_err();
    assert!(error.to_string().ends_with("(first byte timeout)"), "{error}");
    let response = put().send().unwrap();
    let waited = response.timings().unwrap().attempts().next().unwrap().first_byte();
    assert!(waited.unwrap() > LIMIT / 2, "{waited:?}");
}

/// A 102 does not prolong the wait for the 100.
#[test]
fn a_slow_102_does_not_hold_the_body_back() {
    let slow = "HTTP/1.1".chars().flat_map(|c| [send(c.to_string()), Step::Pause(LIMIT)]);
    let rest = [expect("hello"), send(" 102 Processing\r\n\r\n"), send(CREATED)];
    let peer = Script::serve(vec![head_then(slow.chain(rest).collect())]);
    let request = client().put(peer.url("/up")).body("hello").expect_continue(true);
    let response = request.send().unwrap();
    let sending = response.timings().unwrap().attempts().next().unwrap().request().unwrap();
    let documented = Duration::from_secs(1);
    assert!((documented..2 * documented).contains(&sending), "{sending:?}");
}

const LIMIT: Duration = Duration::from_millis(400);

/// A server that ignores the expectation gets the body after a second.
#[test]
fn a_silent_server_gets_the_body() {
    let peer = Script::serve(vec![head_then(vec![expect("hello"), send(CREATED)])]);
    let client = Client::builder().expect_continue(true).build().unwrap();
    assert_eq!(client.put(peer.url("/up")).body("hello").send().unwrap().status(), 201);
    peer.join();
}

#[test]
fn a_refusal_saves_the_upload() {
    let peer = Script::serve(vec![head_then(vec![
        send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig"),
        Step::ExpectEnd,
    ])]);
    let client = client();
    let request = client.put(peer.url("/up")).body(Body::new(std::io::repeat(b'x')));
    let response = request.expect_continue(true).send().unwrap();
    assert_eq!(response.status(), 413);
    assert_eq!(response.text().unwrap(), "big");
    assert_eq!(client.pool_stats().idle, 0, "half a request is on that connection");
    drop(client);
    peer.join();
}

/// 417: the same request again, without the expectation; a reader that was not read is still
/// complete.
#[test]
fn after_a_417_the_request_is_sent_without() {
    let refused = "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n";
    let peer = Script::serve(vec![
        head_then(vec![send(refused), Step::ExpectEnd]),
        head_then(vec![expect("5\r\nhello\r\n0\r\n\r\n"), send(CREATED)]),
    ]);
    let request = client().put(peer.url("/up")).body(Body::new(&b"hello"[..]));
    assert_eq!(request.expect_continue(true).send().unwrap().status(), 201);
    peer.join();
    let again = String::from_utf8(peer.received(1)).unwrap();
    assert!(!again.contains("expect:"), "{again}");
}

#[test]
fn nothing_is_expected_of_a_request_without_body() {
    let peer = Script::serve(vec![head_then(vec![send(CREATED)])]);
    let client = Client::builder().expect_continue(true).build().unwrap();
    assert_eq!(client.get(peer.url("/")).send().unwrap().status(), 201);
    peer.join();
    assert!(!String::from_utf8(peer.received(0)).unwrap().contains("expect:"));
}
