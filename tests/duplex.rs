//! Both halves of an exchange move at the same time (RFC 9112 §9.5): servers that respond before or
//! while they read. Cases that only the async API can show are in `tokio/pending_uploads.rs`.
#![cfg(all(feature = "blocking", feature = "tls", feature = "gzip"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

use leanhttp::blocking::{Body, Client};
use leanhttp::error::{Kind, Phase};
use leanhttp::{Certificate, Proxy, Url};
use rustls::ServerConfig;

use support::pki::{Clients, Leaf, Pki};
use support::proxy::Proxy as Tunnels;
use support::script::{Script, Step, send};
use support::stream::{Stream, read_head};

/// More than the socket buffers of both sides hold, so that a peer that does not read blocks the
/// other.
const LARGE: u64 = 48 << 20;

/// Too large to hold in memory for an echo.
const ECHO: u64 = 256 << 20;

/// The bytes of a body, computed as they are read.
struct Bytes {
    at: u64,
    end: u64,
}

fn bytes(length: u64) -> Bytes {
    Bytes { at: 0, end: length }
}

impl Read for Bytes {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        static PATTERN: LazyLock<Vec<u8>> =
            LazyLock::new(|| (0..251).cycle().take(1 << 17).collect());
        let pattern = &PATTERN[(self.at % 251) as usize..];
        let count = (self.end - self.at).min(into.len().min(pattern.len()) as u64) as usize;
        into[..count].copy_from_slice(&pattern[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

/// Asserts that `reader` returns exactly these bytes.
fn assert_is(mut reader: impl Read, mut expected: Bytes) {
    let (mut came, mut wanted) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let count = reader.read(&mut came).unwrap();
        expected.read_exact(&mut wanted[..count]).unwrap();
        assert!(came[..count] == wanted[..count], "other bytes before {}", expected.at);
        if count == 0 {
            assert_eq!(expected.at, expected.end);
            return;
        }
    }
}

/// Starts a server for one connection, which plays `act`; returns its address and the result of
/// `act`.
fn serve<T: Send + 'static>(
    tls: Option<Arc<ServerConfig>>,
    act: impl FnOnce(&mut Stream) -> io::Result<T> + Send + 'static,
) -> (String, Receiver<io::Result<T>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = match tls {
        Some(_) => format!("https://localhost:{port}/"),
        None => format!("http://127.0.0.1:{port}/"),
    };
    let (told, outcome) = mpsc::channel();
    thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let mut stream = Stream::new(socket, tls).unwrap();
        let outcome = act(&mut stream);
        let is_well = outcome.is_ok();
        let _ = told.send(outcome);
        if is_well {
            stream.linger();
        }
    });
    (url, outcome)
}

/// Responds with the head, and then with the bytes of the request's body as they arrive, chunk
/// lines included.
fn echo(stream: &mut Stream) -> io::Result<()> {
    let head = read_head(stream)?.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: Option<u64> = length.map(|length| length.parse().unwrap());
    let framing = match length {
        Some(length) => format!("content-length: {length}"),
        None => "transfer-encoding: chunked".to_owned(),
    };
    write!(stream, "HTTP/1.1 200 OK\r\n{framing}\r\n\r\n")?;
    stream.flush()?;
    let (mut memory, mut left, mut last) = (vec![0; 64 * 1024], length, [0; 5]);
    loop {
        let count = stream.read(&mut memory)?;
        stream.write_all(&memory[..count])?;
        stream.flush()?;
        left = left.map(|left| left - count as u64);
        let tail = &memory[count.saturating_sub(5)..count];
        last.rotate_left(tail.len());
        last[5 - tail.len()..].copy_from_slice(tail);
        let is_done = if length.is_some() { left == Some(0) } else { last == *b"0\r\n\r\n" };
        if is_done || count == 0 {
            return Ok(());
        }
    }
}

/// Fails the test if the two halves deadlock.
const PATIENCE: Duration = Duration::from_secs(60);

fn client() -> Client {
    Client::builder().no_proxy().timeout(PATIENCE).build().unwrap()
}

fn trusting(pki: &Pki) -> Client {
    let certificate = Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
    let client = Client::builder().no_proxy().timeout(PATIENCE);
    client.tls_certs_only([certificate]).build().unwrap()
}

#[test]
fn s15_an_echo_of_known_length() {
    let (url, _server) = serve(None, echo);
    let response = client().post(url).body(Body::sized(bytes(ECHO), ECHO)).send().unwrap();
    assert_is(response, bytes(ECHO));
}

#[test]
fn s15_an_echo_in_chunks() {
    let (url, _server) = serve(None, echo);
    let response = client().post(url).body(Body::new(bytes(ECHO))).send().unwrap();
    assert_is(response, bytes(ECHO));
}

#[test]
fn s15_an_echo_of_bytes_read_as_a_whole() {
    let (url, _server) = serve(None, echo);
    let mut all = Vec::new();
    bytes(LARGE).read_to_end(&mut all).unwrap();
    let response = client().post(url).body(all.clone()).send().unwrap();
    assert!(response.bytes().unwrap() == all);
}

#[test]
fn s15_an_echo_over_tls() {
    let pki = Pki::new();
    let (url, _server) = serve(Some(pki.server_config(Leaf::Good)), echo);
    let request = trusting(&pki).post(url).body(Body::new(bytes(LARGE / 4)));
    assert_is(request.send().unwrap(), bytes(LARGE / 4));
}

/// Both halves used the connection to its end, so it can be reused.
#[test]
fn the_connection_of_an_echo_is_used_again() {
    let (url, _server) = serve(None, |stream| (0..3).try_for_each(|_| echo(stream)));
    let client = client();
    for length in [300_000, 1_000_000, 3] {
        let response = client.post(&*url).body(Body::new(bytes(length))).send().unwrap();
        assert_is(response, bytes(length));
    }
    assert_eq!(client.pool_stats().idle, 1);
}

/// Responds, and then reads a body of `LARGE` bytes to its end.
fn answer_first(response: &'static str) -> impl FnOnce(&mut Stream) -> io::Result<u64> {
    move |stream| {
        read_head(stream)?;
        stream.read_exact(&mut [0; 1000])?;
        stream.write_all(response.as_bytes())?;
        stream.flush()?;
        io::copy(&mut stream.take(LARGE - 1000), &mut io::sink())
    }
}

/// Reading such a response to its end sends the request to its end.
#[test]
fn reading_an_early_success_sends_the_rest_of_the_request() {
    let response = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    let (url, server) = serve(None, answer_first(response));
    let response = client().post(url).body(Body::sized(bytes(LARGE), LARGE)).send().unwrap();
    assert!(server.try_recv().is_err(), "there is more than the buffers hold");
    assert_eq!(response.text().unwrap(), "ok");
    assert_eq!(server.recv().unwrap().unwrap(), LARGE - 1000);
}

#[test]
fn reading_an_early_success_without_a_body_sends_the_rest_of_the_request() {
    let response = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let (url, server) = serve(None, answer_first(response));
    let client = client();
    let mut response = client.post(url).body(Body::sized(bytes(LARGE), LARGE)).send().unwrap();
    assert_eq!(response.read(&mut [0; 10]).unwrap(), 0);
    assert_eq!(server.recv().unwrap().unwrap(), LARGE - 1000);
    drop(response);
    assert_eq!(client.pool_stats().idle, 1);
}

/// The server sees that the request is incomplete.
#[test]
fn dropping_an_early_response_aborts_the_request() {
    let response = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    let (url, server) = serve(None, answer_first(response));
    let client = client();
    let response = client.post(url).body(Body::sized(bytes(LARGE), LARGE)).send().unwrap();
    drop(response);
    assert_eq!(client.pool_stats().open, 0);
    let read = server.recv().unwrap();
    assert!(read.is_err() || read.as_ref().is_ok_and(|read| *read < LARGE - 1000), "{read:?}");
}

/// A source that returns a little at a time, for as long as a test runs.
struct Slow;

impl Read for Slow {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        thread::sleep(Duration::from_millis(5));
        into[0] = b'x';
        Ok(1)
    }
}

/// Responds 100 ms after the request's first bytes have arrived: an immediate response could be
/// seen by chance.
fn late(
    response: &'static str,
    end: fn(&mut Stream),
) -> impl FnOnce(&mut Stream) -> io::Result<()> {
    move |stream| {
        read_head(stream)?;
        stream.read_exact(&mut [0])?;
        thread::sleep(Duration::from_millis(100));
        stream.write_all(response.as_bytes())?;
        stream.flush()?;
        end(stream);
        Ok(())
    }
}

fn nothing(_: &mut Stream) {}

fn reset(stream: &mut Stream) {
    let socket = socket2::SockRef::from(stream.tcp());
    socket.set_linger(Some(Duration::ZERO)).unwrap();
    socket.shutdown(std::net::Shutdown::Both).unwrap();
}

#[test]
fn s14_a_response_is_seen_between_the_chunks_of_an_endless_source() {
    let rows = [
        ("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n", 401),
        ("HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", 413),
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200),
        ("HTTP/1.1 307 Moved\r\nlocation: /\r\ncontent-length: 0\r\n\r\n", 0),
    ];
    for (response, status) in rows {
        let (url, _server) = serve(None, late(response, nothing));
        match client().post(url).body(Body::new(Slow)).send() {
            Ok(response) => assert_eq!(response.status(), status),
            // The body of a redirect cannot be sent again.
            Err(error) => assert_eq!((error.kind(), status), (Kind::Redirect, 0), "{error}"),
        }
    }
}

#[test]
fn s14_an_end_is_seen_between_the_chunks_of_an_endless_source() {
    for end in [Stream::cut, Stream::end] {
        let (url, _server) = serve(None, late("", end));
        let error = client().post(url).body(Body::new(Slow)).send().unwrap_err();
        assert_eq!(error.kind(), Kind::Io, "{error}");
    }
}

#[test]
fn s14_a_response_before_a_reset_is_seen() {
    let response = "HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\n\r\n";
    let (url, _server) = serve(None, late(response, reset));
    let response = client().post(url).body(Body::new(Slow)).send().unwrap();
    assert_eq!(response.status(), 413);
}

/// A source that makes the server respond while it is read for the second time, and then fails.
struct Fails {
    is_read: mpsc::Sender<()>,
    is_answered: Receiver<()>,
    has_begun: bool,
}

impl Read for Fails {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if std::mem::replace(&mut self.has_begun, true) {
            let _ = self.is_read.send(());
            let _ = self.is_answered.recv();
            thread::sleep(Duration::from_millis(20)); // from the server's write to the client's socket
            return Err(io::Error::other("the source fails"));
        }
        into[0] = b'x';
        Ok(1)
    }
}

/// Returns so many bytes, and then fails.
struct FailsAfter(u64);

impl Read for FailsAfter {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.0.min(into.len() as u64) as usize;
        self.0 -= count as u64;
        into[..count].fill(b'x');
        if count == 0 { Err(io::Error::other("the source fails")) } else { Ok(count) }
    }
}

/// A success that arrived before the end of the request says nothing about a later failure.
#[test]
fn a_source_that_fails_after_an_early_success_fails_the_response() {
    let responses = [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ];
    for response in responses {
        let bodies = [
            Body::new(FailsAfter(LARGE - 1)),
            Body::sized(FailsAfter(LARGE - 1), LARGE),
            Body::sized(bytes(LARGE - 1), LARGE),
        ];
        for body in bodies {
            let (url, server) = serve(None, answer_first(response));
            let client = client();
            let response = client.post(url).body(body).send().unwrap();
            let error = response.bytes().unwrap_err();
            assert_eq!(error.kind(), Kind::Body, "{error}");
            assert_eq!(client.pool_stats().open, 0);
            drop(server);
        }
    }
}

/// A refusal of the server explains more than the error of the source; a success does not answer a
/// body that failed.
#[test]
fn a_refusal_precedes_the_error_of_the_source() {
    for status in [403, 200] {
        let (told, is_answered) = mpsc::channel();
        let (is_read, may_answer) = mpsc::channel();
        let (url, _server) = serve(None, move |stream| {
            read_head(stream)?;
            stream.read_exact(&mut [0])?;
            let _ = may_answer.recv();
            write!(stream, "HTTP/1.1 {status} Status\r\ncontent-length: 0\r\n\r\n")?;
            let _ = told.send(());
            Ok(())
        });
        let body = Body::new(Fails { is_read, is_answered, has_begun: false });
        match client().post(url).body(body).send() {
            Ok(response) => assert_eq!((response.status().as_u16(), status), (403, 403)),
            Err(error) => {
                assert_eq!((error.kind(), error.phase(), status), (Kind::Body, Phase::Send, 200));
            }
        }
    }
}

/// The total timeout ends a call, but data that has already arrived is not lost.
#[test]
fn a_refusal_precedes_the_total_timeout() {
    struct Sleeps;
    impl Read for Sleeps {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            thread::sleep(Duration::from_millis(700));
            Ok(0)
        }
    }
    let server = Script::serve(vec![vec![
        Step::ExpectHead,
        send("HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\n\r\n"),
        Step::Silent,
    ]]);
    let client = Client::builder().no_proxy().timeout(Duration::from_millis(500)).build().unwrap();
    let response = client.post(server.url("/")).body(Body::new(Sleeps)).send().unwrap();
    assert_eq!(response.status(), 413);
}

/// The handshake of TLS 1.3 is over for the client before the server has checked its certificate,
/// so the alert arrives while the body is being written.
#[test]
fn s16_an_alert_precedes_the_error_of_the_write() {
    let pki = Pki::new();
    let config = pki.server_config_for(Leaf::Good, rustls::ALL_VERSIONS, Clients::Certified);
    for attempt in 0..20 {
        let (url, _server) =
            serve(Some(Arc::clone(&config)), |stream| stream.read(&mut [0; 1]).map(|_| ()));
        let retries = leanhttp::retry::Policy::new().max_attempts(3);
        let certificate = Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
        let client = Client::builder().no_proxy().tls_certs_only([certificate]).retry(retries);
        let client = client.build().unwrap();
        let error = client.put(url).body(vec![b'x'; 5 << 20]).send().unwrap_err();
        assert_eq!(error.kind(), Kind::Tls, "attempt {attempt}: {error}");
        assert!(!error.to_string().contains("retry"), "{error}");
    }
}

const EARLY: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const UNSOLICITED: &str = "the server sent data before the request";

/// RFC 9112 §9.2: bytes that arrive before the request is sent are not a response to it, on any
/// connection. Here they arrive with the end of the handshake.
#[test]
fn s09_a_response_before_the_request_is_an_error_over_tls() {
    let pki = Pki::new();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        for tunnel in ["", "http", "https", "socks4a", "socks5h"] {
            let config = pki.server_config_for(Leaf::Good, &[version], Clients::Anyone);
            let mut config = Arc::unwrap_or_clone(config);
            config.send_half_rtt_data = true;
            let (url, _server) = serve(Some(Arc::new(config)), move |stream| {
                let Stream::Tls(tls) = stream else { panic!("it is TLS") };
                tls.conn.writer().write_all(EARLY.as_bytes())?;
                read_head(stream)
            });
            let port = Url::parse(&url).unwrap().port().unwrap();
            let origin = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let proxy = match tunnel {
                "" => None,
                "http" => Some(Tunnels::http(origin)),
                "https" => Some(Tunnels::https(origin, pki.server_config(Leaf::Good))),
                _ => Some(Tunnels::socks(origin)),
            };
            let by = proxy.iter().map(|proxy| Proxy::all(proxy.url(tunnel)).unwrap());
            let certificate = Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
            let client = Client::builder().no_proxy().tls_certs_only([certificate]);
            let client = by.fold(client, |client, by| client.proxy(by)).build().unwrap();
            let error = client.get(url).send().unwrap_err();
            assert!(error.to_string().contains(UNSOLICITED), "{version:?} {tunnel}: {error}");
        }
    }
}

#[test]
fn s09_a_response_before_the_request_is_an_error_through_socks() {
    let (url, _server) = serve(None, |stream| {
        stream.read_exact(&mut [0; 3])?;
        stream.write_all(&[5, 0])?;
        stream.read_exact(&mut [0; 10])?;
        stream.write_all(&[&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0], EARLY.as_bytes()].concat())?;
        read_head(stream)
    });
    let proxy = Proxy::all(url.replace("http:", "socks5:")).unwrap();
    let client = Client::builder().no_proxy().proxy(proxy).build().unwrap();
    let error = client.get("http://192.0.2.1/").send().unwrap_err();
    assert!(error.to_string().contains(UNSOLICITED), "{error}");
}
