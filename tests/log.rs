//! The lines of the feature `log`: one for each decision, and no secret in any.
#![cfg(all(feature = "blocking", feature = "log"))]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Mutex;
use std::time::Duration;

use leanhttp::blocking::Client;
use log::{LevelFilter, Log, Metadata, Record};

use support::script::{Script, Step, answer, ok, send};

struct Remembered(Mutex<Vec<String>>);

static LINES: Remembered = Remembered(Mutex::new(Vec::new()));

impl Log for Remembered {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "leanhttp"
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            self.0.lock().unwrap().push(format!("{} {}", record.level(), record.args()));
        }
    }

    fn flush(&self) {}
}

const SWITCH: &str =
    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: s3cret\r\n\r\n";

/// Takes the lines that were logged since the last call, without times, which are any.
fn lines() -> Vec<String> {
    let untimed = |line: String| match line.split_once(" in ") {
        Some((start, time)) => match time.split_once(": ") {
            Some((time, end)) if time.ends_with('s') => format!("{start} in …: {end}"),
            _ if time.ends_with('s') => format!("{start} in …"),
            _ => line,
        },
        None => line,
    };
    std::mem::take(&mut *LINES.0.lock().unwrap()).into_iter().map(untimed).collect()
}

/// One test, because all share the logger of the process.
#[test]
fn each_decision_is_logged_without_secrets() {
    log::set_logger(&LINES).unwrap();
    log::set_max_level(LevelFilter::Trace);
    let moved = "HTTP/1.1 302 Found\r\nlocation: /to?t=s3cret#s3cret\r\ncontent-length: 0\r\n\r\n";
    let closes = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";
    let first = [
        vec![Step::ExpectRequest, send(moved), Step::ExpectRequest, send(closes)],
        vec![Step::Close],
    ];
    // The second connection dies at its second reuse: at its first, the route would no longer be
    // pooled.
    let dies = [answer(ok("0")), answer(ok("1")), vec![Step::ExpectRequest, Step::Close]].concat();
    let last = [answer(ok("2")), answer(SWITCH)].concat();
    let server = Script::serve(vec![first.concat(), dies, last, answer(ok("3"))]);
    let address = server.url("").trim_start_matches("http://").trim_end_matches('/').to_owned();
    let url = format!("http://user:s3cret@{address}/from?q=s3cret");
    let client = Client::builder().no_proxy().build().unwrap();
    let get = || client.get(&*url).header("x", "s3cret").send().unwrap().text().unwrap();

    let way = format!("DEBUG http://{address}");
    let answered = |status: &str| format!("DEBUG GET http://{address}/from: {status} in …");
    assert_eq!(get(), "ok");
    let expected = [
        format!("{way}: connected to {address}"),
        format!("{way}/from: redirected (302 Found) to http://{address}/to"),
        format!("{way}: reusing a connection"),
        format!("DEBUG GET http://{address}/to: 200 OK in …"),
        format!("{way}: closing a connection: the peer said Connection: close"),
    ];
    assert_eq!(lines(), expected);

    assert_eq!(get(), "0");
    assert_eq!(lines(), [format!("{way}: connected to {address}"), answered("200 OK")]);
    assert_eq!(get(), "1");
    assert_eq!(lines(), [format!("{way}: reusing a connection"), answered("200 OK")]);
    assert_eq!(get(), "2");
    let expected = [
        format!("{way}: reusing a connection"),
        format!("{way}: closing a connection: the peer closed the connection too early"),
        format!("{way}/from: sent again: the connection was closed before it answered"),
        format!("{way}: connected to {address}"),
        answered("200 OK"),
    ];
    assert_eq!(lines(), expected);

    let request = client.get(&*url).header("upgrade", "s3cret").header("connection", "upgrade");
    drop(request.send().unwrap().upgrade().unwrap());
    let expected = [
        format!("{way}: reusing a connection"),
        answered("101 Switching Protocols"),
        format!("{way}: closing a connection: the connection no longer speaks HTTP"),
    ];
    assert_eq!(lines(), expected);

    assert_eq!(get(), "3");
    assert_eq!(lines(), [format!("{way}: connected to {address}"), answered("200 OK")]);
    drop(client);
    assert_eq!(lines(), [format!("{way}: closing a connection: evicted from the pool")]);

    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx";
    let broken = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n";
    let ends = [
        (cut, Step::Silent, "a timeout expired"),
        (cut, Step::Close, "the peer closed the connection too early"),
        (broken, Step::Silent, "the peer broke the protocol"),
    ];
    let client = Client::builder().no_proxy().read_timeout(Duration::from_millis(100));
    let client = client.build().unwrap();
    for (start, end, reason) in ends {
        let server = Script::serve(vec![vec![Step::ExpectRequest, send(start), end]]);
        client.get(server.url("/")).send().unwrap().text().unwrap_err();
        let last = lines().pop().unwrap();
        assert!(last.ends_with(&format!("closing a connection: {reason}")), "{last}");
    }
    let server = Script::serve(vec![vec![Step::ExpectRequest, send("HTTP/1.1 2"), Step::Close]]);
    let url = server.url("/p?q=s3cret").replace("http://", "http://user:s3cret@");
    client.delete(url).send().unwrap_err();
    let expected = format!("DEBUG DELETE {}: failed in …: Truncated", server.url("/p"));
    assert_eq!(lines().pop(), Some(expected));
}
