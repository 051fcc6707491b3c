//! The time that a connection is kept because of its peer: `Keep-Alive`, and peers that close
//! connections right after each response.
#![cfg(feature = "blocking")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use leanhttp::blocking::{Body, Client, ClientBuilder, Response};
use leanhttp::{Result, retry};

use support::script::{Script, Step, answer, ok, send};
use support::stream::read_head;

fn client() -> ClientBuilder {
    Client::builder().no_proxy()
}

fn response(version: &str, fields: &str) -> String {
    format!("{version} 200 OK\r\n{fields}content-length: 2\r\n\r\nok")
}

/// Number of connections for a GET with that response and, `pause` later, a POST.
fn connections(response: &str, pause: u64, set: fn(ClientBuilder) -> ClientBuilder) -> usize {
    // Both requests are played: the first connection ends if the second is made.
    let server = Either::start(response);
    let client = set(client()).build().unwrap();
    let url = format!("http://{}/", server.addr);
    assert_eq!(client.get(&url).send().unwrap().text().unwrap(), "ok");
    thread::sleep(Duration::from_millis(pause));
    assert_eq!(client.post(&url).body("x").send().unwrap().text().unwrap(), "ok");
    server.accepted.load(Ordering::SeqCst)
}

/// Sends the same response to every request on every connection.
struct Either {
    addr: SocketAddr,
    accepted: Arc<AtomicUsize>,
}

impl Either {
    fn start(response: &str) -> Either {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let (count, response) = (Arc::clone(&accepted), response.to_owned());
        thread::spawn(move || {
            while let Ok((mut socket, _)) = listener.accept() {
                count.fetch_add(1, Ordering::SeqCst);
                let response = response.clone();
                thread::spawn(move || {
                    while read_request(&mut socket).is_some() {
                        socket.write_all(response.as_bytes()).unwrap();
                    }
                });
            }
        });
        Either { addr, accepted }
    }
}

/// A request with a body of one byte, or without one.
fn read_request(socket: &mut TcpStream) -> Option<String> {
    let head = read_head(socket).ok()?;
    if head.contains("content-length: 1\r\n") {
        socket.read_exact(&mut [0]).ok()?;
    }
    Some(head)
}

#[test]
fn s20_the_keep_alive_field_is_followed() {
    let said = |value: &str| response("HTTP/1.1", &format!("keep-alive: {value}\r\n"));
    let old = |value: &str| {
        let fields = format!("Connection: Keep-Alive\r\nKeep-Alive: {value}\r\n");
        response("HTTP/1.0", &fields)
    };
    let as_it_is = |builder| builder;
    let rows = [
        (said("timeout=1"), 1200, 2),
        (said("timeout=1"), 600, 2), // half a second of margin
        (said("timeout=5, max=100"), 0, 1),
        (said("timeout=60"), 600, 1),
        (said("timeout=0"), 0, 2),
        (said("max=0"), 0, 2),
        (said("timeout=60, max=0"), 0, 2),
        (said("max=1"), 0, 1),
        (old("timeout=1, max=100"), 600, 2),
        (old("timeout=60"), 600, 1),
        (response("HTTP/1.1", "connection: keep-alive\r\n"), 600, 1),
        // A value that cannot be parsed is ignored.
        (said("timeout=-1"), 600, 1),
        (said("timeout=99999999999999999999"), 600, 1),
        (said("timeout"), 600, 1),
        (said("1"), 600, 1),
    ];
    thread::scope(|scope| {
        for (response, pause, expected) in &rows {
            scope.spawn(move || {
                let connections = connections(response, *pause, as_it_is);
                assert_eq!(connections, *expected, "{response:?} after {pause} ms");
            });
        }
        let short = |builder: ClientBuilder| builder.pool_idle_timeout(Duration::from_millis(100));
        let long = said("timeout=60");
        scope.spawn(move || {
            assert_eq!(
                connections(&long, 300, short),
                2,
                "never longer than the client's own timeout"
            )
        });
    });
}

/// A server's timer starts with its response, not when the program has read it.
#[test]
fn the_idle_time_starts_with_the_response() {
    let server = Either::start(&response("HTTP/1.1", "keep-alive: timeout=1\r\n"));
    let client = client().build().unwrap();
    let url = format!("http://{}/", server.addr);
    let held = client.get(&url).send().unwrap();
    thread::sleep(Duration::from_millis(700));
    assert_eq!(held.text().unwrap(), "ok");
    assert_eq!(client.pool_stats().idle, 0);
    assert_eq!(client.post(&url).body("x").send().unwrap().text().unwrap(), "ok");
    assert_eq!(server.accepted.load(Ordering::SeqCst), 2);
}

/// `max` is the number of further requests, whether the server counts it down or not.
#[test]
fn keep_alive_max_counts_the_requests() {
    let (old, new) = ("keep-alive: timeout=60, max=2\r\n", "keep-alive: max=1\r\n");
    let same = [old, old, old];
    let counted = [old, new, "keep-alive: max=0\r\n"];
    for heads in [same, counted] {
        let first: Vec<Step> =
            heads.iter().flat_map(|fields| answer(response("HTTP/1.1", fields))).collect();
        let server = Script::serve(vec![first, answer(ok("ok"))]);
        let client = client().build().unwrap();
        for _ in 0..4 {
            assert_eq!(client.get(server.url("/")).send().unwrap().text().unwrap(), "ok");
        }
        server.join();
        assert_eq!(server.accepted(), 2);
    }
}

/// A waiter does not get a connection that its peer is about to close.
#[test]
fn a_waiter_gets_no_expiring_connection() {
    let last = answer(response("HTTP/1.1", "keep-alive: max=0\r\n"));
    let server = Script::serve(vec![last.clone(), last]);
    let client = client().pool_max_open_per_host(1).build().unwrap();
    let held = client.get(server.url("/")).send().unwrap();
    thread::scope(|scope| {
        let second = scope.spawn(|| client.post(server.url("/")).body("x").send()?.text());
        while client.pool_stats().waiting == 0 {
            thread::yield_now();
        }
        held.text().unwrap();
        assert_eq!(second.join().unwrap().unwrap(), "ok");
    });
    server.join();
}

/// Responds to one request on each connection, promises to keep it open, and closes it as soon as
/// the next request begins to arrive: the worst case for peers that close after each response.
fn closes_unasked(requests: Arc<AtomicUsize>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        while let Ok((mut socket, _)) = listener.accept() {
            let requests = Arc::clone(&requests);
            thread::spawn(move || {
                if read_request(&mut socket).is_some() {
                    requests.fetch_add(1, Ordering::SeqCst);
                    socket.write_all(&ok("ok")).unwrap();
                    let _ = socket.read(&mut [0]);
                }
            });
        }
    });
    addr
}

fn text(response: Result<Response>) -> Result<String> {
    response?.text()
}

/// tinyproxy 1.11 does this. The first connection is lost; the client does not try a second.
#[test]
fn a_peer_that_closes_after_each_response_is_remembered() {
    let requests = Arc::new(AtomicUsize::new(0));
    let url = format!("http://{}/", closes_unasked(Arc::clone(&requests)));
    let client = client().build().unwrap();
    let failed: Vec<_> = (0..100)
        .filter_map(|_| text(client.post(&url).body("x").send()).err())
        .map(|error| error.to_string())
        .collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert!(failed.iter().all(|error| error.contains("POST was not sent again")), "{failed:?}");
    assert_eq!((requests.load(Ordering::SeqCst), client.pool_stats().idle), (99, 0));
    // Other routes are not affected.
    let other = Either::start(&response("HTTP/1.1", ""));
    let other_url = format!("http://{}/", other.addr);
    for _ in 0..3 {
        assert_eq!(text(client.post(&other_url).body("x").send()).unwrap(), "ok");
    }
    assert_eq!((other.accepted.load(Ordering::SeqCst), client.pool_stats().idle), (1, 1));
}

/// A peer whose end is noticed before the next request costs nothing, and is remembered too.
#[test]
fn a_peer_whose_close_is_noticed_is_remembered_too() {
    let closed = || [answer(ok("ok")), vec![Step::Close]].concat();
    let server = Script::serve(vec![closed(), answer(ok("ok")), answer(ok("ok"))]);
    let client = client().build().unwrap();
    let get = || text(client.get(server.url("/")).send()).unwrap();
    assert_eq!(get(), "ok");
    thread::sleep(Duration::from_millis(100)); // for the end to arrive
    assert_eq!((get(), client.pool_stats().idle), ("ok".to_owned(), 0));
    assert_eq!((get(), client.pool_stats().idle), ("ok".to_owned(), 0));
    server.join();
}

/// A connection that has served several requests, or was idle for long, is not evidence of that.
#[test]
fn a_connection_that_ends_later_is_not_an_early_close() {
    let often = [answer(ok("ok")), answer(ok("ok")), vec![Step::Close]].concat();
    let server = Script::serve(vec![often, answer(ok("ok"))]);
    let client = client().build().unwrap();
    let get = || text(client.get(server.url("/")).send()).unwrap();
    assert_eq!((get(), get()), ("ok".to_owned(), "ok".to_owned()));
    thread::sleep(Duration::from_millis(100));
    assert_eq!((get(), client.pool_stats().idle), ("ok".to_owned(), 1));
    server.join();

    let once = [answer(ok("ok")), vec![Step::Close]].concat();
    let server = Script::serve(vec![once, answer(ok("ok"))]);
    let get = || text(client.get(server.url("/")).send()).unwrap();
    client.close_idle_connections();
    assert_eq!(get(), "ok");
    thread::sleep(Duration::from_millis(1100));
    assert_eq!((get(), client.pool_stats().idle), ("ok".to_owned(), 1));
    server.join();
}

/// As curl does by default: any request that can be sent again, on a reused connection, if not one
/// byte was received.
#[test]
fn retry_on_reused_connection_sends_a_lost_request_again() {
    let bold = || retry::Policy::none().retry_on_reused_connection(true);
    let timid = || retry::Policy::none().retry_on_reused_connection(false);
    // The whole request is read: a reader that was not read could be sent again.
    let lost = || vec![Step::ExpectRequest, Step::Cut];
    let part = || vec![Step::ExpectRequest, send("HTTP/1.1 2"), Step::Cut];
    type Make = fn() -> Body;
    let bytes: Make = || Body::from("x");
    let read: Make = || Body::sized(std::io::Cursor::new(b"x"), 1);
    type Policy = fn() -> retry::Policy;
    let policies: [Policy; 2] = [bold, timid];
    let [bold, timid] = policies;
    let again: std::result::Result<(), &str> = Ok(());
    let rows = [
        ("POST", bytes, bold, lost(), again),
        ("PATCH", bytes, bold, lost(), again),
        ("POST", bytes, timid, lost(), Err("POST was not sent again")),
        ("POST", read, bold, lost(), Err("the body is a reader and cannot be sent again")),
        ("POST", bytes, bold, part(), Err("the response")),
        ("PUT", bytes, timid, lost(), again),
    ];
    for (at, (method, body, policy, end, expected)) in rows.into_iter().enumerate() {
        let mut connections = vec![[answer(ok("first")), end].concat()];
        connections.extend(expected.is_ok().then(|| answer(ok("again"))));
        let server = Script::serve(connections);
        let client = client().retry(policy()).build().unwrap();
        assert_eq!(text(client.get(server.url("/")).send()).unwrap(), "first");
        let request = client.request(method.parse().unwrap(), server.url("/")).body(body());
        match (text(request.send()), expected) {
            (Ok(text), Ok(())) => assert_eq!(text, "again", "row {at}"),
            (Err(error), Err(told)) => assert!(error.to_string().contains(told), "{at}: {error}"),
            (outcome, _) => panic!("row {at}: {outcome:?}"),
        }
    }
    // The loss of a fresh connection is different.
    let server = Script::serve(vec![lost()]);
    let client = client().retry(bold()).build().unwrap();
    client.post(server.url("/")).body("x").send().unwrap_err();
    // Once for each hop.
    let server = Script::serve(vec![[answer(ok("first")), lost()].concat(), lost()]);
    assert_eq!(text(client.get(server.url("/")).send()).unwrap(), "first");
    client.post(server.url("/")).body("x").send().unwrap_err();
    server.join();
}
