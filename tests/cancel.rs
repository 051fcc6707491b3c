//! Cancellation from another thread, in every phase: the call ends immediately with a `Canceled`
//! error. It is cancelled once its peer has seen that it is there. The only assertion about time is a
//! generous bound: a call that would wait forever ends within 5 s.
#![cfg(all(feature = "blocking", feature = "tls", feature = "gzip"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::io::{self, Read};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use leanhttp::blocking::{Body, Client, ClientBuilder, RequestBuilder, Response};
use leanhttp::client::PoolStats;
use leanhttp::error::{Kind, Phase};
use leanhttp::{CancelToken, Certificate, Error};

use support::httpbin::Httpbin;
use support::net::{Silent, Unreachable};
use support::pki::{Leaf, Pki};
use support::script::{Script, Step, answer, drip, ok, send};

const GENEROUS: Duration = Duration::from_secs(5);

/// A client without timeouts.
fn client() -> ClientBuilder {
    Client::builder().connect_timeout(None).read_timeout(None).write_timeout(None)
}

fn read(response: Response) -> leanhttp::Result<()> {
    response.bytes().map(drop)
}

/// The time from what a peer sees to the client's wait.
const MOMENT: Duration = Duration::from_millis(50);

/// Asserts that the call waits until it is canceled, and ends then. It is canceled once `seen` has returned.
#[track_caller]
fn assert_ends(
    request: RequestBuilder,
    phase: Phase,
    seen: impl FnOnce() + Send + 'static,
) -> Error {
    let (token, start) = (CancelToken::new(), Instant::now());
    let other = token.clone();
    let cancel = thread::spawn(move || {
        seen();
        thread::sleep(MOMENT);
        other.cancel();
        Instant::now()
    });
    let error = request.cancel_token(&token).send().and_then(read).unwrap_err();
    let end = Instant::now();
    let cancelled = cancel.join().unwrap();
    assert!(start < cancelled && end < cancelled + GENEROUS, "{:?}", end - start);
    assert_eq!((error.kind(), error.phase()), (Kind::Cancelled, phase), "{error}");
    assert!(error.is_cancelled() && !error.is_timeout());
    assert!(error.to_string().ends_with("the call was cancelled"), "{error}");
    error
}

#[test]
fn a_call_is_cancelled_before_it_begins() {
    let server = Httpbin::start();
    let token = CancelToken::new();
    token.cancel();
    let error = Client::new().get(server.url("/get")).cancel_token(&token).send().unwrap_err();
    assert!(error.is_cancelled(), "{error}");
    assert_eq!(server.connections_opened(), 0);
}

/// An idle connection is not affected and serves the next request.
#[test]
fn a_cancelled_call_takes_no_idle_connection() {
    let server = Httpbin::start();
    let (client, token) = (Client::new(), CancelToken::new());
    read(client.get(server.url("/get")).send().unwrap()).unwrap();
    token.cancel();
    assert!(client.get(server.url("/get")).cancel_token(&token).send().unwrap_err().is_cancelled());
    assert_eq!(client.pool_stats().idle, 1);
    read(client.get(server.url("/get")).send().unwrap()).unwrap();
    assert_eq!(server.connections_opened(), 1);
}

#[test]
fn a_dns_lookup_is_cancelled() {
    let (asked, is_asked) = mpsc::channel();
    let asked = Mutex::new(asked);
    let never = move |_: &str| {
        asked.lock().unwrap().send(()).unwrap();
        thread::sleep(GENEROUS);
        Ok(Vec::new())
    };
    let client = client().dns_resolver(leanhttp::dns::from_fn(never)).build().unwrap();
    assert_ends(client.get("http://h.test/"), Phase::Resolve, move || is_asked.recv().unwrap());
}

/// Waits for a state of the pool: nobody else sees a connection that is not there yet.
fn until(client: &Client, is_so: fn(&PoolStats) -> bool) -> impl FnOnce() + Send + 'static {
    let client = client.clone();
    move || {
        while !is_so(&client.pool_stats()) {
            thread::yield_now();
        }
    }
}

#[test]
fn a_connect_is_cancelled() {
    let peers = [Unreachable::start(), Unreachable::start()];
    let addresses = peers.each_ref().map(Unreachable::addr);
    for addresses in [&addresses[..1], &addresses[..]] {
        let client = client().resolve_to_addrs("h.test", addresses).build().unwrap();
        assert_ends(
            client.get("http://h.test/"),
            Phase::Connect,
            until(&client, |stats| stats.open == 1),
        );
    }
}

#[test]
fn a_wait_for_a_connection_is_cancelled() {
    let server = Script::serve(vec![vec![Step::Silent]]);
    let client = client().pool_max_open_per_host(1).build().unwrap();
    let (first, url) = (CancelToken::new(), server.url("/"));
    let busy = {
        let request = client.get(&*url).cancel_token(&first);
        thread::spawn(move || request.send().map(drop))
    };
    while client.pool_stats().open == 0 {
        thread::yield_now();
    }
    assert_ends(client.get(&*url), Phase::Queue, until(&client, |stats| stats.waiting == 1));
    assert_eq!(client.pool_stats().waiting, 0, "the call has left the queue");
    first.cancel();
    assert!(busy.join().unwrap().unwrap_err().is_cancelled());
    assert_eq!(client.pool_stats().open, 0);
}

/// Plain servers and TLS servers that stop responding at this moment.
#[test]
fn an_exchange_is_cancelled_at_every_stage() {
    type Ask = fn(&Client, &str) -> RequestBuilder;
    let get: Ask = |client, url| client.get(url);
    let upload: Ask = |client, url| client.post(url).body(vec![b'x'; 16 << 20]);
    let chunks: Ask =
        |client, url| client.post(url).body(Body::new(io::repeat(b'x').take(16 << 20)));
    let expect: Ask = |client, url| client.post(url).expect_continue(true).body("x");
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nx";
    let until_close = "HTTP/1.1 200 OK\r\n\r\nx";
    let stops = |bytes: &str| vec![Step::ExpectRequest, send(bytes), Step::Silent];
    let rows = [
        (get, vec![Step::ExpectRequest, Step::Silent], Phase::Head),
        (expect, vec![Step::ExpectHead, Step::Silent], Phase::Send),
        (upload, vec![Step::ExpectHead, Step::StopReading], Phase::Send),
        (chunks, vec![Step::ExpectHead, Step::StopReading], Phase::Send),
        (get, stops("HTTP/1.1 200 OK\r\n"), Phase::Head),
        (get, stops("HTTP/1.1 102 Processing\r\n\r\n"), Phase::Head),
        (get, stops(head), Phase::Body),
        (get, stops(chunked), Phase::Body),
        // A connection that the client has closed itself does not end the body.
        (get, stops(until_close), Phase::Body),
        (
            get,
            [vec![Step::ExpectRequest], drip(format!("HTTP/1.1 200 OK\r\nx: {:99}", "x"), 30)]
                .concat(),
            Phase::Head,
        ),
    ];
    let pki = Pki::new();
    let root = Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
    for (ask, steps, phase) in rows {
        // The request, and the beginning of the response if there is one.
        let seen = (steps.len() - 1).min(2);
        let plain = Script::serve(vec![steps.clone()]);
        let watch = plain.watch();
        let request = ask(&client().build().unwrap(), &plain.url("/"));
        assert_ends(request, phase, move || watch.await_steps(0, seen));
        let tls = Script::serve_tls(vec![steps], pki.server_config(Leaf::Good));
        let client = client().tls_certs_only([root.clone()]).build().unwrap();
        let watch = tls.watch();
        assert_ends(ask(&client, &tls.url("/")), phase, move || watch.await_steps(0, seen));
        assert_eq!((client.pool_stats().idle, client.pool_stats().open), (0, 0));
    }
}

#[test]
fn a_tls_handshake_is_cancelled() {
    let silent = Silent::start();
    let client = client().build().unwrap();
    let url = format!("https://{}/", silent.addr());
    assert_ends(client.get(url), Phase::Handshake, silent.is_spoken_to());
    let proxied = leanhttp::Proxy::all(format!("socks5h://{}", silent.addr())).unwrap();
    let client = self::client().proxy(proxied).build().unwrap();
    assert_ends(client.get("http://h.test/"), Phase::Proxy, silent.is_spoken_to());
}

/// The request is not sent again, as it would be if the server had closed the connection.
#[test]
fn a_cancelled_request_on_a_pooled_connection_is_not_retried() {
    let first = [answer(ok("one")), vec![Step::ExpectRequest, Step::Silent]].concat();
    let server = Script::serve(vec![first, answer(ok("again"))]);
    let client = client().build().unwrap();
    assert_eq!(client.get(server.url("/")).send().unwrap().text().unwrap(), "one");
    let watch = server.watch();
    assert_ends(client.get(server.url("/")), Phase::Head, move || watch.await_steps(0, 3));
    assert_eq!(client.get(server.url("/")).send().unwrap().text().unwrap(), "again");
}

/// A token that is canceled after its call is over does not end another call.
#[test]
fn cancelling_after_the_call_affects_no_other_call() {
    let server = Httpbin::start();
    let client = Client::new();
    let token = CancelToken::new();
    let response = client.get(server.url("/get")).cancel_token(&token).send().unwrap();
    response.bytes().unwrap();
    token.cancel();
    assert_eq!(client.pool_stats().idle, 1);
    assert_eq!(client.get(server.url("/get")).send().unwrap().status(), 200);
    assert_eq!(server.connections_opened(), 1, "the connection is reusable");
}

/// One token ends many calls.
#[test]
fn one_token_cancels_many_calls() {
    let silent = Silent::start();
    let url = format!("http://{}/", silent.addr());
    let (token, client) = (CancelToken::new(), client().build().unwrap());
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let request = client.get(&*url).cancel_token(&token);
            thread::spawn(move || request.send().map(drop).unwrap_err())
        })
        .collect();
    while client.pool_stats().open < 8 {
        thread::yield_now();
    }
    token.cancel();
    assert!(calls.into_iter().all(|call| call.join().unwrap().is_cancelled()));
    assert_eq!(client.pool_stats().open, 0);
}
