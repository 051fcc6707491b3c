//! Connection limits: the queue for connections, and the age of a connection.
#![cfg(feature = "blocking")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use leanhttp::error::{Kind, Phase};
use leanhttp::{Client, Response};

use support::httpbin::Httpbin;
use support::net;
use support::script::{Script, Step, answer, ok, pause, send};

fn at_most(connections: usize) -> Client {
    Client::builder().pool_max_open_per_host(connections).build().unwrap()
}

fn text(response: leanhttp::Result<Response>) -> String {
    response.unwrap().text().unwrap()
}

/// 64 threads on two connections: every request is served, and no third connection is made.
#[test]
fn threads_share_the_allowed_connections() {
    let server = Httpbin::start();
    let client = at_most(2);
    let start = Barrier::new(64);
    thread::scope(|scope| {
        for i in 0..64 {
            let (client, server, start) = (&client, &server, &start);
            scope.spawn(move || {
                start.wait();
                for _ in 0..10 {
                    let url = server.url(&format!("/anything?{i}"));
                    assert!(text(client.get(url).send()).contains(&format!("?{i}\"")));
                }
            });
        }
    });
    assert!(server.connections_opened() <= 2, "{}", server.connections_opened());
    let stats = client.pool_stats();
    assert_eq!((stats.open, stats.waiting), (stats.idle, 0));
    assert!(stats.open <= 2);
}

/// The connection is handed from waiter to waiter, in the order in which they came.
#[test]
fn waiters_are_served_in_order_of_arrival() {
    let connection: Vec<Step> = (0..6).flat_map(|_| answer(ok("x"))).collect();
    let server = Script::serve(vec![connection]);
    let client = at_most(1);
    let held = client.get(server.url("/first")).send().unwrap();
    thread::scope(|scope| {
        for i in 0..5 {
            let (client, url) = (&client, server.url(&format!("/{i}")));
            scope.spawn(move || text(client.get(url).send()));
            while client.pool_stats().waiting <= i {
                thread::yield_now();
            }
        }
        drop(held.text());
    });
    let received = server.received_text(0);
    let order: Vec<_> = received.lines().filter_map(|line| line.strip_prefix("GET /")).collect();
    let expected = ["first", "0", "1", "2", "3", "4"].map(|path| format!("{path} HTTP/1.1"));
    assert_eq!(order, expected);
}

/// A waiter that receives a connection which has died keeps its turn.
#[test]
fn a_waiter_keeps_its_turn_after_a_dead_connection() {
    // At its second reuse: a connection that dies at its first stops the pooling of the route.
    let dies = [answer(ok("x")), answer(ok("x")), vec![Step::Close]].concat();
    let lives = [answer(ok("x")), answer(ok("x"))].concat();
    let server = Script::serve(vec![dies, lives]);
    let client = at_most(1);
    text(client.get(server.url("/zeroth")).send());
    let mut held = client.get(server.url("/first")).send().unwrap();
    thread::scope(|scope| {
        for i in 0..2 {
            let (client, url) = (&client, server.url(&format!("/{i}")));
            scope.spawn(move || text(client.get(url).send()));
            while client.pool_stats().waiting <= i {
                thread::yield_now();
            }
        }
        thread::sleep(Duration::from_millis(100)); // for the end of the first connection to arrive
        assert_eq!(held.copy_to(&mut Vec::new()).unwrap(), 1);
    });
    assert_eq!(server.accepted(), 2);
    assert!(server.received_text(1).starts_with("GET /0 "), "{}", server.received_text(1));
}

/// A permit is released however its connection ends, and goes to the next waiter.
#[test]
fn a_permit_is_never_lost() {
    let ends: [(&str, Vec<Step>); 5] = [
        (
            "closed by the server",
            vec![Step::ExpectRequest, send("HTTP/1.0 200 OK\r\n\r\nx"), Step::Close],
        ),
        (
            "cut",
            vec![
                Step::ExpectRequest,
                send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx"),
                Step::Cut,
            ],
        ),
        ("reset", vec![Step::ExpectRequest, Step::Reset]),
        ("not HTTP", vec![Step::ExpectRequest, send("SSH-2.0\r\n"), Step::Close]),
        (
            "too large to drain",
            vec![
                Step::ExpectHead,
                send("HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n"),
                Step::Silent,
            ],
        ),
    ];
    for (what, end) in ends {
        let delayed = [vec![pause(30)], end].concat();
        let server = Script::serve(vec![delayed, answer(ok("next"))]);
        let client = at_most(1);
        thread::scope(|scope| {
            let first = scope.spawn(|| client.get(server.url("/")).send().map(drop));
            while client.pool_stats().open == 0 {
                thread::yield_now();
            }
            let second = scope.spawn(|| text(client.post(server.url("/")).body("x").send()));
            let _ = first.join().unwrap();
            assert_eq!(second.join().unwrap(), "next", "{what}");
        });
        let stats = client.pool_stats();
        assert_eq!((stats.open, stats.idle, stats.waiting), (1, 1, 0), "{what}");
    }
    let client = at_most(1);
    let refusing = net::refused();
    for _ in 0..3 {
        let error = client.get(format!("http://{refusing}/")).send().unwrap_err();
        assert_eq!(error.kind(), Kind::Connect);
    }
    assert_eq!(client.pool_stats().open, 0);
}

/// Waiting counts as connecting, and times out; a waiter that has given up is not served.
#[test]
fn the_wait_for_a_connection_times_out() {
    let server = Script::serve(vec![[answer(ok("first")), answer(ok("third"))].concat()]);
    let client = Client::builder().pool_max_open_per_host(1);
    let client = client.connect_timeout(Duration::from_millis(50)).build().unwrap();
    let held = client.get(server.url("/first")).send().unwrap();
    let error = client.get(server.url("/second")).send().unwrap_err();
    assert_eq!((error.kind(), error.phase()), (Kind::Timeout, Phase::Queue), "{error}");
    let (addr, url) = (server.addr(), server.url("/second"));
    let line = format!(
        "waiting for a connection to {addr} for {url}: timed out: no connection was free within 50ms (pool wait \
         timeout)"
    );
    assert_eq!(error.to_string(), line);
    assert!(error.is_timeout() && error.is_connect());
    assert_eq!(client.pool_stats().waiting, 0);
    assert_eq!(held.text().unwrap(), "first");
    assert_eq!(text(client.get(server.url("/third")).send()), "third");
}

/// The connect timeout starts when connecting begins; the wait before has a limit of its own.
#[test]
fn pool_wait_timeout_is_separate_from_connect_timeout() {
    let close = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: close\r\n\r\n1";
    let server = Script::serve(vec![answer(close), answer(ok("2"))]);
    let millis = Duration::from_millis;
    let client = Client::builder().pool_max_open_per_host(1).connect_timeout(millis(1000));
    let client = client.pool_wait_timeout(Duration::from_secs(10)).build().unwrap();
    let held = client.get(server.url("/")).send().unwrap();
    thread::scope(|scope| {
        let second = scope.spawn(|| text(client.get(server.url("/")).send()));
        while client.pool_stats().waiting == 0 {
            thread::yield_now();
        }
        thread::sleep(millis(1200));
        held.text().unwrap();
        assert_eq!(second.join().unwrap(), "2");
    });
    // The shorter of the two counts for each.
    let server = Script::serve(vec![answer(ok("held"))]);
    let client = Client::builder().pool_max_open_per_host(1).pool_wait_timeout(millis(50));
    let client = client.build().unwrap();
    let held = client.get(server.url("/")).send().unwrap();
    let error = client.get(server.url("/")).send().unwrap_err();
    assert_eq!((error.kind(), error.phase()), (Kind::Timeout, Phase::Queue), "{error}");
    assert!(error.to_string().ends_with("within 50ms (pool wait timeout)"), "{error}");
    let timed = client.get(server.url("/")).timeout(millis(20)).send().unwrap_err();
    assert!(timed.to_string().ends_with("not done within 20ms (total timeout)"), "{timed}");
    drop(held);
}

/// The limit is for each host: requests to other hosts do not wait.
#[test]
fn hosts_do_not_wait_for_each_other() {
    let (one, other) = (Script::serve(vec![answer(ok("1"))]), Script::serve(vec![answer(ok("2"))]));
    let client = at_most(1);
    let held = client.get(one.url("/")).send().unwrap();
    assert_eq!(text(client.get(other.url("/")).send()), "2");
    assert_eq!(held.text().unwrap(), "1");
}

#[test]
fn a_connection_is_closed_at_its_maximum_age() {
    let server = Httpbin::start();
    let client = Client::builder().pool_max_age(Duration::ZERO).build().unwrap();
    for _ in 0..3 {
        text(client.get(server.url("/get")).send());
    }
    assert_eq!((server.connections_opened(), client.pool_stats().open), (3, 0));
    let client = Client::builder().pool_max_age(Duration::from_secs(600)).build().unwrap();
    for _ in 0..3 {
        text(client.get(server.url("/get")).send());
    }
    assert_eq!((server.connections_opened(), client.pool_stats().open), (4, 1));
}

#[test]
fn idle_connections_are_closed_on_demand() {
    let server = Httpbin::start();
    let client = Client::new();
    let held = client.get(server.url("/get")).send().unwrap();
    text(client.get(server.url("/get")).send());
    let stats = client.pool_stats();
    assert_eq!((stats.open, stats.idle), (2, 1));
    client.close_idle_connections();
    let stats = client.pool_stats();
    assert_eq!((stats.open, stats.idle), (1, 0));
    held.text().unwrap();
    assert_eq!(client.pool_stats().idle, 1, "connections in use stay open");
}
