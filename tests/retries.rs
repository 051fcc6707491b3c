//! Requests that are sent again, because of a retry policy or a stale connection, and those that
//! must not be (RFC 9110 §9.2.2, §10.2.3, §15.5.9).
#![cfg(all(feature = "blocking", feature = "tls", feature = "gzip"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use leanhttp::blocking::{Body, Client, RequestBuilder, Response};
use leanhttp::error::Kind;
use leanhttp::retry::{Policy, Reason};
use leanhttp::{CancelToken, Certificate, EgressPolicy, Method, Proxy, Result, StatusCode};

use support::net::refused;
use support::pki::{Leaf, Pki};
use support::script::{Connection, Script, Step, answer, moved, ok, send};

const GENEROUS: Duration = Duration::from_secs(5);

/// The record of an observer: the number of the attempt, and the reason.
type Told = Arc<Mutex<Vec<(u32, Reason)>>>;

/// A policy with minimal waits, and the record of its observer.
fn quick() -> (Policy, Told) {
    let told = Told::default();
    let heard = Arc::clone(&told);
    let policy = Policy::new()
        .backoff(Duration::from_millis(2), Duration::from_millis(5))
        .on_retry(move |retry| heard.lock().unwrap().push((retry.attempt(), retry.reason())));
    (policy, told)
}

fn client(policy: Policy) -> Client {
    Client::builder().retry(policy).build().unwrap()
}

fn text(response: Result<Response>) -> String {
    response.unwrap().text().unwrap()
}

/// Any request, and a response without a body.
fn status(line: &str, fields: &str) -> [Step; 2] {
    let head = format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\n{fields}\r\n");
    [Step::ExpectRequest, send(head)]
}

fn busy(fields: &str) -> [Step; 2] {
    status("503 Service Unavailable", fields)
}

const BUSY: Reason = Reason::Status(StatusCode::SERVICE_UNAVAILABLE);
const LOST: Reason = Reason::Failure(Kind::Io);

#[test]
fn a_503_is_retried_on_the_same_connection() {
    let steps = [&busy("")[..], &busy(""), &answer(ok("at last"))].concat();
    let server = Script::serve(vec![steps]);
    let (policy, told) = quick();
    let put = client(policy).put(server.url("/")).body("all of it");
    assert_eq!(text(put.send()), "at last");
    assert_eq!(*told.lock().unwrap(), [(2, BUSY), (3, BUSY)]);
    server.join();
    assert_eq!(server.received_text(0).matches("\r\n\r\nall of it").count(), 3);
}

#[test]
fn the_last_response_is_delivered_unchanged() {
    let end = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 5\r\n\r\nsorry";
    let server = Script::serve(vec![[&busy("")[..], &busy(""), &answer(end)].concat()]);
    let (policy, told) = quick();
    let response = client(policy).get(server.url("/")).send().unwrap();
    assert_eq!((response.status().as_u16(), told.lock().unwrap().len()), (503, 2));
    assert_eq!(response.text().unwrap(), "sorry");
}

#[test]
fn without_a_policy_nothing_is_retried() {
    let (policy, told) = quick();
    type Switch = fn(RequestBuilder) -> RequestBuilder;
    let clients: [(Client, Switch); 2] =
        [(Client::new(), |get| get), (client(policy), |get| get.retry(Policy::none()))];
    for (client, switch) in clients {
        let server = Script::serve(vec![busy("").to_vec()]);
        assert_eq!(switch(client.get(server.url("/"))).send().unwrap().status(), 503);
        let error = switch(client.get(format!("http://{}/", refused()))).send().unwrap_err();
        assert!(error.is_connect() && !error.to_string().contains("retr"), "{error}");
        assert!(told.lock().unwrap().is_empty());
    }
}

/// The connection is fresh, so it is not a stale one.
fn lost(end: Step) -> Connection {
    vec![Step::ExpectRequest, end]
}

#[test]
fn t09_a_lost_connection_costs_an_attempt() {
    for end in [Step::Close, Step::Reset] {
        let server = Script::serve(vec![lost(end.clone()), lost(end), answer(ok("at last"))]);
        let (policy, told) = quick();
        assert_eq!(text(client(policy).get(server.url("/")).send()), "at last");
        assert_eq!(*told.lock().unwrap(), [(2, LOST), (3, LOST)]);
    }
}

#[test]
fn t09_the_attempts_are_limited_and_the_error_counts_them() {
    let server = Script::serve(vec![lost(Step::Close), lost(Step::Close), lost(Step::Reset)]);
    let (policy, told) = quick();
    let error = client(policy).get(server.url("/")).send().unwrap_err();
    assert!(error.to_string().ends_with("; after 2 retries"), "{error}");
    assert_eq!((error.kind(), told.lock().unwrap().len()), (Kind::Io, 2));
    server.join();
    assert_eq!(server.accepted(), 3);
}

/// RFC 9110 §9.2.2: the request may have been carried out. And a reader cannot be read twice.
#[test]
fn t09_a_request_that_may_have_been_carried_out_is_not_retried() {
    type Ask = fn(&Client, &str) -> RequestBuilder;
    let asks: [(&str, Ask); 4] = [
        ("POST", |client, url| client.post(url).body("body")),
        ("POST without body", |client, url| client.post(url)),
        ("PATCH", |client, url| client.patch(url).body("body")),
        ("PUT of a reader", |client, url| client.put(url).body(Body::new(&b"body"[..]))),
    ];
    for (what, ask) in asks {
        for script in [lost(Step::Close), lost(Step::Reset), busy("").to_vec()] {
            let server = Script::serve(vec![script]);
            let (policy, told) = quick();
            match ask(&client(policy), &server.url("/")).send() {
                Ok(response) => assert_eq!(response.status(), 503, "{what}"),
                Err(error) => assert_eq!(error.kind(), Kind::Io, "{what}"),
            }
            assert!(told.lock().unwrap().is_empty(), "{what}");
            server.join();
            assert_eq!(server.accepted(), 1, "{what}");
        }
    }
}

#[test]
fn retry_method_allows_another_method() {
    let server = Script::serve(vec![lost(Step::Reset), answer(ok("once, in effect"))]);
    let (policy, told) = quick();
    let client = client(policy.retry_method(Method::POST));
    assert_eq!(text(client.post(server.url("/")).body("body").send()), "once, in effect");
    assert_eq!(*told.lock().unwrap(), [(2, LOST)]);
    server.join();
    assert!(server.received_text(1).ends_with("\r\n\r\nbody"));
}

/// As long as nothing was sent, any method may be tried again: even a reader is still complete.
#[test]
fn a_post_that_was_not_sent_is_retried() {
    // An address that no other test uses, without a listener.
    let addr = TcpListener::bind((Ipv4Addr::new(127, 0, 9, 9), 0)).unwrap().local_addr().unwrap();
    let server = Mutex::new(None);
    let policy = Policy::new().backoff(Duration::ZERO, Duration::ZERO).on_retry(move |retry| {
        assert_eq!(retry.reason(), Reason::Failure(Kind::Connect));
        *server.lock().unwrap() = Some(Script::serve_at(addr, vec![answer(ok("taken"))]));
    });
    let post = client(policy).post(format!("http://{addr}/")).body(Body::new(&b"whole"[..]));
    assert_eq!(text(post.send()), "taken");
}

/// A server that fails in the handshake has not received a request.
#[test]
fn a_broken_handshake_is_retried() {
    for end in [Step::Cut, Step::Reset] {
        let pki = Pki::new();
        let config = pki.server_config(Leaf::Good);
        let server = Script::serve_tls(vec![vec![end], answer(ok("secret"))], config);
        let (policy, told) = quick();
        let ca = Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
        let client = Client::builder().retry(policy).tls_certs_only([ca]).build().unwrap();
        assert_eq!(text(client.post(server.url("/")).body("body").send()), "secret");
        assert_eq!(told.lock().unwrap().len(), 1);
    }
}

/// A server that the proxy cannot reach has not received one either.
#[test]
fn a_proxy_that_cannot_reach_the_origin_is_retried() {
    for (line, attempts) in [("502 Bad Gateway", 3), ("403 Forbidden", 1)] {
        let server = Script::serve(vec![status(line, "").to_vec(); attempts]);
        let proxy = Proxy::all(server.url("")).unwrap();
        let builder = Client::builder().retry(quick().0).proxy(proxy);
        let error = builder.build().unwrap().post("https://a.example/").send().unwrap_err();
        assert_eq!(error.kind(), Kind::Proxy, "{error}");
        assert_eq!(error.to_string().ends_with("; after 2 retries"), attempts == 3, "{error}");
    }
}

/// A certificate, a protocol error, a policy of the client: the next attempt would fail too.
#[test]
fn permanent_errors_are_not_retried() {
    let (policy, told) = quick();
    let pki = Pki::new();
    let server = Script::serve_tls(vec![vec![]], pki.server_config(Leaf::Good));
    let stranger = Certificate::from_pem(pki.other_ca_pem().as_bytes()).unwrap();
    let builder = Client::builder().retry(policy.clone()).tls_certs_only([stranger]);
    let error = builder.build().unwrap().get(server.url("/")).send().unwrap_err();
    assert_eq!(error.kind(), Kind::Tls, "{error}");
    drop(server);

    for (bytes, kind) in [("SSH-2.0-x\r\n", Kind::Protocol), ("HTTP/1.1 200", Kind::Truncated)] {
        let server = Script::serve(vec![vec![Step::ExpectRequest, send(bytes), Step::Close]]);
        let error = client(policy.clone()).get(server.url("/")).send().unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }

    let walled =
        Client::builder().retry(policy).egress(EgressPolicy::public_only()).build().unwrap();
    let error = walled.get(format!("http://{}/", refused())).send().unwrap_err();
    assert_eq!(error.kind(), Kind::Egress, "{error}");
    assert_eq!(*told.lock().unwrap(), []);
}

/// A body that the caller has begun to read is not requested again.
#[test]
fn a_truncated_body_is_not_requested_again() {
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf";
    let server = Script::serve(vec![vec![Step::ExpectRequest, send(cut), Step::Close]]);
    let (policy, told) = quick();
    let error = client(policy).get(server.url("/")).send().unwrap().text().unwrap_err();
    assert_eq!((error.kind(), told.lock().unwrap().len()), (Kind::Truncated, 0));
}

#[test]
fn a_silent_server_is_retried() {
    let silent = vec![Step::ExpectRequest, Step::Silent];
    let server = Script::serve(vec![silent, answer(ok("awake"))]);
    let (policy, told) = quick();
    let client = Client::builder().retry(policy).read_timeout(Duration::from_millis(100));
    assert_eq!(text(client.build().unwrap().get(server.url("/")).send()), "awake");
    assert_eq!(*told.lock().unwrap(), [(2, Reason::Failure(Kind::Timeout))]);
}

/// RFC 9110 §10.2.3, by the real clock: a time in the past needs no wait, and a distant one is not
/// waited for.
#[test]
fn t08_retry_after_sets_the_wait() {
    let endless = "Fri, 31 Dec 9999 23:59:59 GMT";
    for (value, again, at_least) in [
        ("0", true, 0),
        ("1", true, 1),
        ("Sat, 01 Jan 2000 00:00:00 GMT", true, 0),
        ("99999999999999999999", false, 0),
        ("later", true, 0),
        ("61", false, 0),
        ("9223372036854775807", false, 0),
        (endless, false, 0),
    ] {
        let first = busy(&format!("retry-after: {value}\r\n"));
        let then = if again { answer(ok("")) } else { Vec::new() };
        let server = Script::serve(vec![[&first[..], &then].concat()]);
        let (policy, told) = quick();
        let start = Instant::now();
        let response = client(policy).get(server.url("/")).send().unwrap();
        assert_eq!(response.status() == 200, again, "{value}");
        assert_eq!(told.lock().unwrap().len(), usize::from(again), "{value}");
        let took = start.elapsed();
        assert!(took >= Duration::from_secs(at_least) && took < GENEROUS, "{value}: {took:?}");
    }
}

/// A wait that would exceed the deadline does not begin: the response is returned immediately.
#[test]
fn t08_no_wait_exceeds_the_deadline() {
    let server = Script::serve(vec![busy("retry-after: 30\r\n").to_vec()]);
    let (policy, told) = quick();
    let client = Client::builder().retry(policy).timeout(Duration::from_secs(20)).build().unwrap();
    let start = Instant::now();
    assert_eq!(client.get(server.url("/")).send().unwrap().status(), 503);
    assert!(start.elapsed() < GENEROUS);
    assert!(told.lock().unwrap().is_empty());
}

#[test]
fn a_call_that_is_cancelled_does_not_wait_for_its_retry() {
    let server = Script::serve(vec![busy("retry-after: 30\r\n").to_vec()]);
    let token = CancelToken::new();
    let other = token.clone();
    let policy = Policy::new().on_retry(move |_| {
        let other = other.clone();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            other.cancel();
        });
    });
    let start = Instant::now();
    let error = client(policy).get(server.url("/")).cancel_token(&token).send().unwrap_err();
    assert!(error.is_cancelled(), "{error}");
    assert!(start.elapsed() < GENEROUS, "{:?}", start.elapsed());
}

#[test]
fn t09_a_dead_server_ends_within_the_deadline() {
    let patient = Policy::new()
        .max_attempts(u32::MAX)
        .budget(u32::MAX)
        .backoff(Duration::from_millis(20), Duration::from_millis(50));
    let timeout = Duration::from_millis(400);
    let client = Client::builder().retry(patient).timeout(timeout).build().unwrap();
    let start = Instant::now();
    let error = client.post(format!("http://{}/", refused())).send().unwrap_err();
    assert!(error.is_connect() && error.to_string().contains("; after "), "{error}");
    assert!(start.elapsed() < GENEROUS, "{:?}", start.elapsed());
}

/// A dead server gets few retries, however many calls there are.
#[test]
fn t09_retries_are_shared_by_all_calls_of_a_client() {
    let (policy, told) = quick();
    let client = client(policy.budget(4));
    let (dead, other) = (refused(), refused());
    for _ in 0..10 {
        assert!(client.get(format!("http://{dead}/")).send().is_err());
    }
    assert_eq!(told.lock().unwrap().len(), 4);
    assert!(client.clone().get(format!("http://{dead}/")).send().is_err());
    assert_eq!(told.lock().unwrap().len(), 4, "a clone is the same client");
    assert!(client.get(format!("http://{other}/")).send().is_err());
    assert_eq!(told.lock().unwrap().len(), 6, "another host has its own");
}

#[test]
fn redirects_share_the_attempts_of_a_call() {
    let second = [&busy("")[..], &busy("")].concat();
    let first = [&busy("")[..], &moved(307, "/next")].concat();
    let server = Script::serve(vec![first, second]);
    let (policy, told) = quick();
    let response = client(policy).get(server.url("/")).send().unwrap();
    assert_eq!((response.status().as_u16(), response.url().path()), (503, "/next"));
    assert_eq!(*told.lock().unwrap(), [(2, BUSY), (3, BUSY)]);
}

/// RFC 9110 §15.5.9: a server may announce with a 408 that it closes an idle connection.
mod timed_out {
    use super::*;

    fn stale(fields: &str) -> Connection {
        [&answer(ok("first"))[..], &status("408 Request Timeout", fields)].concat()
    }

    #[test]
    fn a_408_on_an_idle_connection_is_retried() {
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE] {
            let server = Script::serve(vec![stale("connection: close\r\n"), answer(ok(""))]);
            let client = Client::new();
            assert_eq!(text(client.get(server.url("/")).send()), "first");
            let response = client.request(method.clone(), server.url("/")).body("body").send();
            assert_eq!(response.unwrap().status(), 200, "{method}");
            server.join();
            assert!(server.received_text(1).ends_with("\r\n\r\nbody"), "{method}");
        }
    }

    /// On a new connection the 408 is about the request; a POST may have been carried out; and a
    /// server that keeps the connection open has not closed it as idle.
    #[test]
    fn another_408_is_the_response() {
        let cases = [
            (Method::GET, [status("408 Request Timeout", "connection: close\r\n")].concat()),
            (Method::POST, stale("connection: close\r\n")),
            (Method::GET, stale("")),
        ];
        for (method, script) in cases {
            let is_reused = script.len() > 2;
            let server = Script::serve(vec![script]);
            let client = Client::new();
            if is_reused {
                assert_eq!(text(client.get(server.url("/")).send()), "first");
            }
            let response = client.request(method.clone(), server.url("/")).send().unwrap();
            assert_eq!(response.status(), 408, "{method}");
        }
    }
}

/// RFC 9110 §9.2.2: the error says why the request was not sent again, with and without a policy.
#[test]
fn t09_a_lost_post_says_why_it_was_not_sent_again() {
    for builder in [Client::builder(), Client::builder().retry(quick().0)] {
        let stale = [&answer(ok("first"))[..], &[Step::ExpectRequest, Step::Close]].concat();
        let server = Script::serve(vec![stale]);
        let client = builder.build().unwrap();
        assert_eq!(text(client.get(server.url("/")).send()), "first");
        let error = client.post(server.url("/")).body("body").send().unwrap_err();
        let expected = format!(
            "reading the response head for {}: connection closed before a response; \
             POST was not sent again, because it may have been carried out",
            server.url("/")
        );
        assert_eq!(error.to_string(), expected);
    }
}
