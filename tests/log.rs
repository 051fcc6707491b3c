//! The lines of the feature `log`: one for each call and one for each decision, and no secret in any.
#![cfg(all(feature = "blocking", feature = "log"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::io::{self, Read as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use leanhttp::blocking::{Client, ClientBuilder, Response};
use leanhttp::{Proxy, Result, dns, redirect, retry};
use log::{LevelFilter, Log, Metadata, Record};

use support::net;
use support::script::{Script, Step, answer, moved, ok, send};

struct Remembered(Mutex<Vec<String>>);

static LINES: Remembered = Remembered(Mutex::new(Vec::new()));

impl Log for Remembered {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("leanhttp")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let (level, target) = (record.level(), record.target());
            self.0.lock().unwrap().push(format!("{level} {target} {}", record.args()));
        }
    }

    fn flush(&self) {}
}

/// Sets the logger, which all tests share: one after the other.
fn logged() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = log::set_logger(&LINES);
    log::set_max_level(LevelFilter::Trace);
    lines();
    alone
}

const SWITCH: &str =
    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: s3cret\r\n\r\n";

/// Takes the lines that were logged since the last call, without times, which are any.
fn lines() -> Vec<String> {
    let untimed = |line: String| match line.split_once(" in ") {
        Some((start, rest)) => {
            let end = rest.find([',', ':']).map_or("", |at| rest.split_at(at).1);
            format!("{start} in …{end}")
        }
        None => line,
    };
    std::mem::take(&mut *LINES.0.lock().unwrap()).into_iter().map(untimed).collect()
}

/// Takes the lines of calls.
fn calls() -> Vec<String> {
    let of_call = |line: String| line.strip_prefix("DEBUG leanhttp::call ").map(str::to_owned);
    lines().into_iter().filter_map(of_call).collect()
}

#[test]
fn each_decision_is_logged_without_secrets() {
    let _alone = logged();
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

    let way = format!("DEBUG leanhttp http://{address}");
    let done = |end: &str| format!("DEBUG leanhttp::call GET http://{address}/from: {end}");
    let done_new = done("200 OK, 1 byte in …, new connection");
    assert_eq!(get(), "ok");
    let expected = [
        format!("{way}: connected to {address}"),
        format!("{way}/from: redirected (302 Found) to http://{address}/to"),
        format!("{way}: reusing a connection"),
        format!(
            "DEBUG leanhttp::call GET http://{address}/to: 200 OK, 2 bytes in …, reused connection, 2 attempts"
        ),
        format!("{way}: closing a connection: the peer said Connection: close"),
    ];
    assert_eq!(lines(), expected);

    assert_eq!(get(), "0");
    assert_eq!(lines(), [format!("{way}: connected to {address}"), done_new.clone()]);
    assert_eq!(get(), "1");
    let reused = done("200 OK, 1 byte in …, reused connection");
    assert_eq!(lines(), [format!("{way}: reusing a connection"), reused]);
    assert_eq!(get(), "2");
    let expected = [
        format!("{way}: reusing a connection"),
        format!("{way}: closing a connection: the peer closed the connection too early"),
        format!("{way}/from: sent again: the connection was closed before it answered"),
        format!("{way}: connected to {address}"),
        done("200 OK, 1 byte in …, new connection, 2 attempts"),
    ];
    assert_eq!(lines(), expected);

    let request = client.get(&*url).header("upgrade", "s3cret").header("connection", "upgrade");
    drop(request.send().unwrap().upgrade().unwrap());
    let expected = [
        format!("{way}: reusing a connection"),
        done("101 Switching Protocols, 0 bytes in …, reused connection"),
        format!("{way}: closing a connection: the connection no longer speaks HTTP"),
    ];
    assert_eq!(lines(), expected);

    assert_eq!(get(), "3");
    assert_eq!(lines(), [format!("{way}: connected to {address}"), done_new.clone()]);
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
    lines();
    let server = Script::serve(vec![vec![Step::ExpectRequest, send("HTTP/1.1 2"), Step::Close]]);
    let url = server.url("/p?q=s3cret").replace("http://", "http://user:s3cret@");
    client.delete(url).send().unwrap_err();
    let expected = format!(
        "DELETE {}: failed in …: Truncated: connection closed inside the response head",
        server.url("/p")
    );
    assert_eq!(calls(), [expected]);
}

fn client(change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
    change(Client::builder().no_proxy()).build().unwrap()
}

/// Serves these bytes, and lets the program do something with the response. Returns the line of the call.
fn line_of(response: &[u8], end: Step, then: impl FnOnce(Response)) -> String {
    let server = Script::serve(vec![vec![Step::ExpectRequest, send(response), end]]);
    let limited = |client: ClientBuilder| client.body_limit(20);
    then(client(limited).get(server.url("/x?q=s3cret")).send().unwrap());
    let mut calls = calls();
    let line = calls.pop().unwrap();
    assert!(calls.is_empty(), "one line for each call: {calls:?}");
    let start = format!("GET {}: ", server.url("/x"));
    line.strip_prefix(&*start).unwrap_or_else(|| panic!("{line}")).to_owned()
}

#[test]
fn a_call_has_one_line_when_its_body_has_ended() {
    let _alone = logged();
    let read = |response: Response| drop(response.text().unwrap());
    let whole = line_of(&ok("nine byte"), Step::Silent, read);
    assert_eq!(whole, "200 OK, 9 bytes in …, new connection");
    let chunked =
        b"HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    let whole = line_of(chunked, Step::Silent, read);
    assert_eq!(whole, "404 Not Found, 2 bytes in …, new connection");
    let empty = line_of(b"HTTP/1.1 204 No Content\r\n\r\n", Step::Silent, drop);
    assert_eq!(empty, "204 No Content, 0 bytes in …, new connection");
}

#[test]
fn a_call_has_one_line_when_its_response_is_dropped() {
    let _alone = logged();
    let unread = line_of(&ok("nine byte"), Step::Silent, drop);
    assert_eq!(unread, "200 OK, dropped after 0 bytes in …, new connection");
    let half = line_of(&ok("nine byte"), Step::Silent, |mut response| {
        response.read_exact(&mut [0; 5]).unwrap();
        assert_eq!(calls(), [""; 0], "the body has not ended");
    });
    assert_eq!(half, "200 OK, dropped after 5 bytes in …, new connection");
}

#[test]
fn a_call_that_fails_in_its_body_has_one_line() {
    let _alone = logged();
    let fails = |response: Response| drop(response.text().unwrap_err());
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc";
    let line = line_of(cut, Step::Close, |mut response| {
        let mut body = Vec::new();
        response.read_to_end(&mut body).unwrap_err();
        response.read_to_end(&mut body).unwrap_err(); // again, which is not told twice
    });
    let expected = "200 OK, failed after 3 bytes in …, new connection: \
                    Truncated: connection closed with 6 bytes of the body missing";
    assert_eq!(line, expected);
    let large = line_of(&ok("more than twenty bytes"), Step::Silent, fails);
    let expected = "200 OK, failed after 0 bytes in …, new connection: \
                    Limit: the body is larger than 20 bytes (body_limit)";
    assert_eq!(large, expected);
    let coded = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nabcd";
    let line = line_of(coded, Step::Silent, fails);
    assert!(line.contains(" bytes in …, new connection: Decode: invalid gzip data"), "{line}");
}

/// Returns the line of a call that has no response.
fn line_of_failure(url: &str, sent: Result<Response>) -> String {
    sent.map(drop).unwrap_err();
    let mut calls = calls();
    let line = calls.pop().unwrap();
    assert!(calls.is_empty(), "one line for each call: {calls:?}");
    line.replace(url, "URL")
}

#[test]
fn the_line_of_a_failed_call_has_the_cause() {
    let _alone = logged();
    let refused = net::refused();
    let url = format!("http://{refused}/");
    let line = line_of_failure(&url, client(|client| client).get(&*url).send());
    let expected =
        format!("GET URL: failed in …: Connect: {refused}: Connection refused (os error");
    assert!(line.starts_with(&expected), "{line}");

    let server = Script::serve(vec![vec![Step::ExpectRequest, Step::Silent]; 2]);
    let url = server.url("/");
    let limit = Duration::from_millis(100);
    let line = line_of_failure(&url, client(|client| client).get(&*url).timeout(limit).send());
    let total = "GET URL: failed in …: Timeout: timed out: not done within 100ms (total timeout)";
    assert_eq!(line, total);
    let waits = client(|client| client.first_byte_timeout(limit));
    let line = line_of_failure(&url, waits.get(&*url).send());
    let first =
        "GET URL: failed in …: Timeout: timed out: no answer within 100ms (first byte timeout)";
    assert_eq!(line, first);

    let busy = answer("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n");
    let ends = vec![Step::ExpectRequest, send("HTTP/1.1 nonsense\r\n\r\n"), Step::Silent];
    let server = Script::serve(vec![[busy, ends].concat()]);
    let moment = Duration::from_millis(1);
    let policy = retry::Policy::new().max_attempts(2).backoff(moment, moment);
    let url = server.url("/");
    let line = line_of_failure(&url, client(|client| client.retry(policy)).get(&*url).send());
    assert_eq!(line, "GET URL: failed in …, 2 attempts: Protocol: invalid status line");
}

/// Each of these failures has a secret somewhere: in its request, in its response, or in an error of the
/// program.
#[test]
fn the_line_of_a_failed_call_shows_no_secret() {
    let _alone = logged();
    let checked = |name: &str, expected: &str, sent: Result<Response>| {
        let told = sent.and_then(|response| response.text()).unwrap_err();
        let lines = lines();
        let call = lines.iter().find(|line| line.contains("leanhttp::call")).unwrap();
        assert!(call.ends_with(expected), "{name}: {call}, of {told}");
        assert!(!lines.iter().any(|line| line.contains("s3cret")), "{name}: {lines:?}");
    };
    let responses = [
        ("s3cret\r\n\r\n", ": Protocol: invalid status line"),
        ("HTTP/2.s3cret 200 OK\r\n\r\n", ": Protocol: unsupported HTTP version"),
        ("HTTP/1.1 200 OK\r\ncontent-length: s3cret\r\n\r\n", ": Protocol: invalid Content-Length"),
        ("HTTP/1.1 200 OK\r\ns3cret\r\n\r\n", ": Protocol: invalid header field"),
        ("HTTP/1.1 200 OK\r\nx\0: s3cret\r\n\r\n", ": Protocol: invalid header field"),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: s3cret\r\n\r\n",
            ": Protocol: unsupported transfer coding",
        ),
        ("HTTP/1.1 302 Found\r\nlocation: ://s3cret:x\r\n\r\n", ": Redirect"),
        ("HTTP/1.1 302 Found\r\nlocation: /?s3cret\r\n\r\n", ": Redirect"),
    ];
    let never = redirect::Policy::custom(|attempt| attempt.error("because of s3cret"));
    let plain = client(|client| client.redirect(never));
    for (response, expected) in responses {
        let server = Script::serve(vec![answer(response)]);
        let url = server.url("/p?q=s3cret#s3cret").replace("http://", "http://user:s3cret@");
        checked(response, expected, plain.get(url).header("authorization", "s3cret").send());
    }

    let failing = |_: &str| Err(io::Error::other("GET https://dns.example/?token=s3cret failed"));
    let lost = client(|client| client.dns_resolver(dns::from_fn(failing)));
    checked("resolver", ": Resolve: a.example: other error", lost.get("http://a.example/").send());

    let refusal = "HTTP/1.1 403 s3cret\r\ncontent-length: 6\r\n\r\ns3cret";
    let proxy = Script::serve(vec![answer(refusal)]);
    let proxy = proxy.url("").replace("http://", "http://user:s3cret@");
    let tunneled = client(|client| client.proxy(Proxy::all(proxy).unwrap()));
    let expected = ": Proxy: a.example:443: the proxy answered 403 Forbidden";
    checked("proxy", expected, tunneled.get("https://a.example/?s3cret").send());

    let server = Script::serve(vec![vec![Step::ExpectHead, Step::Silent]]);
    let body = leanhttp::Body::new(Failing);
    checked(
        "source",
        ": Body: request body: other error",
        plain.post(server.url("/")).body(body).send(),
    );
}

/// The source of a request body.
struct Failing;

impl io::Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("s3cret"))
    }
}

/// The targets of calls and of decisions can be filtered apart, as `RUST_LOG=leanhttp::call=debug` does.
#[test]
fn a_redirected_call_has_one_line() {
    let _alone = logged();
    let target = Script::serve(vec![answer(ok("1"))]);
    let server = Script::serve(vec![moved(303, &target.url("/to?s3cret"))]);
    let client = client(|client| client);
    assert_eq!(client.post(server.url("/from")).body("x").send().unwrap().text().unwrap(), "1");
    let url = target.url("/to");
    let expected = format!("GET {url}: 200 OK, 1 byte in …, new connection, 2 attempts");
    assert_eq!(calls(), [expected]);
}

/// Takes the lines of the wire, without the number of the connection.
fn wire() -> Vec<String> {
    let of_wire = |line: String| {
        let line = line.strip_prefix("TRACE leanhttp::wire #")?;
        line.split_once(' ').map(|(_, line)| line.to_owned())
    };
    std::mem::take(&mut *LINES.0.lock().unwrap()).into_iter().filter_map(of_wire).collect()
}

#[test]
fn the_wire_shows_heads_without_secrets_and_the_lengths_of_bodies() {
    let _alone = logged();
    let hints = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n";
    let found = "HTTP/1.1 200 Fine\r\nSet-Cookie: id=s3cret; Path=/\r\nx-api-key: s3cret\r\n\
                 location: /?token=s3cret\r\nx: a\tb\r\ncontent-length: 5\r\n\r\nhello";
    let served = answer([hints, found].concat());
    let server = Script::serve(vec![served]);
    let client = client(|client| client.connection_verbose(true));
    let mut marked = leanhttp::header::HeaderValue::from_static("s3cret");
    marked.set_sensitive(true);
    let request = client.post(server.url("/p?token=s3cret&x=1")).body("s3cret!");
    let request =
        request.bearer_auth("s3cret").header("cookie", "id=s3cret").header("x-own", marked);
    assert_eq!(request.send().unwrap().text().unwrap(), "hello");
    let lines = wire();
    assert!(!lines.iter().any(|line| line.contains("s3cret")), "{lines:#?}");
    let expected = [
        "> POST /p?token=REDACTED&x=1 HTTP/1.1",
        "> authorization: Bearer REDACTED",
        "> cookie: REDACTED",
        "> x-own: REDACTED",
        "> content-length: 7",
        "> 7 bytes of the body",
        "< HTTP/1.1 103 Early Hints",
        "< link: </a.css>",
        "< HTTP/1.1 200 Fine",
        "< Set-Cookie: id=REDACTED; Path=/",
        "< x-api-key: REDACTED",
        "< location: /?token=REDACTED",
        "< x: a b",
        "< content-length: 5",
        "< 5 bytes of the body",
    ];
    for line in expected {
        assert!(lines.iter().any(|found| found == line), "{line} of {lines:#?}");
    }
    assert!(lines[0].starts_with("is a connection to http://127.0.0.1:"), "{lines:#?}");
    assert_eq!(lines.last().unwrap(), "< 5 bytes of the body");
}

#[test]
fn the_wire_is_silent_unless_it_is_asked_for() {
    let _alone = logged();
    let ask = |is_verbose: bool, level| {
        log::set_max_level(level);
        let server = Script::serve(vec![answer(ok("1"))]);
        let client = client(|client| client.connection_verbose(is_verbose));
        client.get(server.url("/")).send().unwrap().text().unwrap();
        wire().len()
    };
    assert_eq!(ask(false, LevelFilter::Trace), 0);
    assert_eq!(ask(true, LevelFilter::Debug), 0);
    assert!(ask(true, LevelFilter::Trace) > 4);
}
