//! Time on the async client: waits without a default limit, and data that a busy thread does not
//! lose.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use real::error::{Kind, Phase};
use real::tokio::Client;
use tokio::runtime::Builder;

use crate::support::stream::read_head;

/// Sends the pieces of a response, each when it is told to.
fn server(pieces: &'static [&'static str]) -> (SocketAddr, Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let (go, next) = mpsc::channel();
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        read_head(&mut socket).unwrap();
        for piece in pieces {
            if next.recv().is_err() {
                break;
            }
            socket.write_all(piece.as_bytes()).unwrap();
        }
        let _ = socket.read(&mut [0]);
    });
    (addr, go)
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// With a paused clock, every timer that is set fires as soon as nothing else can happen: so a
/// response that is late by the wall clock arrives only if none is set.
fn paused<T>(future: impl Future<Output = T>) -> T {
    Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(future)
}

fn client() -> real::tokio::ClientBuilder {
    Client::builder().no_proxy().connect_timeout(None)
}

fn later(go: Sender<()>, count: usize) {
    thread::spawn(move || {
        for _ in 0..count {
            thread::sleep(Duration::from_millis(100));
            let _ = go.send(());
        }
    });
}

/// Long polling, reports and language models: no limit on the first byte, not even between an
/// interim response and the final one.
#[test]
fn the_wait_for_a_response_has_no_default_limit() {
    const EARLY: &str = "HTTP/1.1 102 Processing\r\n\r\n";
    for pieces in [&[OK][..], &[EARLY, OK], &[EARLY, EARLY, OK]] {
        let (addr, go) = server(pieces);
        later(go, pieces.len());
        let client = client().build().unwrap();
        let text =
            paused(async { client.get(format!("http://{addr}/")).send().await?.text().await });
        assert_eq!(text.unwrap(), "ok", "{pieces:?}");
    }
}

/// Once the response has begun, 30 seconds of silence end it.
#[test]
fn a_silent_response_times_out() {
    for (pieces, phase) in [
        (&["HTTP/1.1 200 OK\r\ncontent-le"][..], Phase::Head),
        (&["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no"], Phase::Body),
    ] {
        let (addr, go) = server(pieces);
        later(go.clone(), pieces.len());
        let client = client().build().unwrap();
        let text =
            paused(async { client.get(format!("http://{addr}/")).send().await?.text().await });
        let error = text.unwrap_err();
        assert_eq!((error.kind(), error.phase()), (Kind::Timeout, phase), "{error}");
        assert!(error.to_string().ends_with("no byte came for 30s (read timeout)"), "{error}");
        drop(go);
    }
}

/// Limits that are set explicitly still hold.
#[test]
fn explicit_limits_apply_to_the_first_byte() {
    let limit = Duration::from_secs(60);
    for (set, told) in [
        (client().read_timeout(limit), "no byte came for 60s (read timeout)"),
        (client().first_byte_timeout(limit), "no answer within 60s (first byte timeout)"),
    ] {
        let (addr, go) = server(&[OK]);
        let client = set.build().unwrap();
        let sent = paused(client.get(format!("http://{addr}/")).send());
        let error = sent.unwrap_err();
        assert!(error.to_string().ends_with(told), "{error}");
        drop(go);
    }
}

/// The response arrived after 100 ms; the only thread was busy until 700 ms.
#[test]
fn a_busy_thread_loses_no_response() {
    let limit = Duration::from_millis(300);
    for (set, expected) in [
        (client().first_byte_timeout(limit), Ok("ok".to_owned())),
        (client().read_timeout(limit), Ok("ok".to_owned())),
        (client().timeout(limit), Err("not done within 300ms (total timeout)")),
    ] {
        let (addr, go) = server(&[OK]);
        let client = set.build().unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let request = client.get(format!("http://{addr}/"));
        let call = async { request.send().await?.text().await };
        let busy = async {
            tokio::time::sleep(Duration::from_millis(50)).await; // the request is sent
            later(go, 1);
            thread::sleep(Duration::from_millis(700));
        };
        let (outcome, ()) = runtime.block_on(async { tokio::join!(call, busy) });
        match (outcome, expected) {
            (Ok(text), Ok(expected)) => assert_eq!(text, expected),
            (Err(error), Err(told)) => assert!(error.to_string().ends_with(told), "{error}"),
            (outcome, expected) => panic!("{outcome:?}, not {expected:?}"),
        }
    }
}

/// The same for connections: both addresses were tried, and the second accepted in time.
#[test]
fn a_busy_thread_loses_no_connection() {
    let (addr, go) = server(&[OK]);
    go.send(()).unwrap();
    let hole = crate::support::net::Unreachable::start();
    let builder = client().resolve_to_addrs("h.test", &[hole.addr(), addr]);
    let client = builder.connect_timeout(Duration::from_millis(300)).build().unwrap();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let call = async { client.get("http://h.test/").send().await?.text().await };
    let busy = async {
        // The second attempt begins at 150 ms.
        tokio::time::sleep(Duration::from_millis(149)).await;
        tokio::task::yield_now().await;
        thread::sleep(Duration::from_millis(1));
        tokio::task::yield_now().await;
        thread::sleep(Duration::from_millis(500));
    };
    let (outcome, ()) = runtime.block_on(async { tokio::join!(call, busy) });
    // On a machine so slow that the second attempt had not begun, there is nothing to check.
    match outcome {
        Ok(text) => assert_eq!(text, "ok"),
        Err(error) => assert!(!error.to_string().contains(&addr.to_string()), "{error}"),
    }
}
