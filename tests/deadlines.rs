//! Deadlines: every wait has a limit, the error names it, and no call ends before its limit.
//!
//! The only assertion about time is a generous bound: a limit of 250 ms ends within 5 s.
#![cfg(all(feature = "blocking", feature = "tls", feature = "gzip"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::any::Any;
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use leanhttp::blocking::{Body, Client, ClientBuilder, RequestBuilder, Response};
use leanhttp::error::{Kind, Phase};
use leanhttp::tls::Roots;
use leanhttp::{Certificate, Error, Result};

use support::httpbin::Httpbin;
use support::net::{Silent, Unreachable};
use support::pki::{Leaf, Pki};
use support::script::{Connection, Script, Step, answer, drip, expect, ok, pause, send};

const LIMIT: Duration = Duration::from_millis(250);
const GENEROUS: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug)]
enum Limit {
    Resolve,
    Connect,
    Handshake,
    FirstByte,
    Read,
    Write,
    Throughput,
    Total,
}

impl Limit {
    fn message(self) -> &'static str {
        match self {
            Limit::Resolve => "DNS lookup timed out after 250ms (resolve timeout)",
            Limit::Connect => "no connection within 250ms (connect timeout)",
            Limit::Handshake => "handshake timed out after 250ms (handshake timeout)",
            Limit::FirstByte => "no answer within 250ms (first byte timeout)",
            Limit::Read => "no byte came for 250ms (read timeout)",
            Limit::Write => "no byte could be sent for 250ms (write timeout)",
            Limit::Throughput => "less than 1000 bytes a second for 250ms (minimum throughput)",
            Limit::Total => "not done within 250ms (total timeout)",
        }
    }

    fn of_client(self, client: ClientBuilder) -> ClientBuilder {
        match self {
            Limit::Resolve => client.resolve_timeout(LIMIT),
            Limit::Connect => client.connect_timeout(LIMIT),
            Limit::Handshake => client.handshake_timeout(LIMIT),
            Limit::FirstByte => client.first_byte_timeout(LIMIT),
            Limit::Read => client.read_timeout(LIMIT),
            Limit::Write => client.write_timeout(LIMIT),
            Limit::Throughput => client.min_throughput(1000, LIMIT),
            Limit::Total => client.timeout(LIMIT),
        }
    }

    fn of_request(self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Limit::Resolve | Limit::Handshake => unreachable!("it is the client's"),
            Limit::Connect => request.connect_timeout(LIMIT),
            Limit::FirstByte => request.first_byte_timeout(LIMIT),
            Limit::Read => request.read_timeout(LIMIT),
            Limit::Write => request.write_timeout(LIMIT),
            Limit::Throughput => request.min_throughput(1000, LIMIT),
            Limit::Total => request.timeout(LIMIT),
        }
    }
}

type Ask = fn(&Client, &str) -> RequestBuilder;
type Use = fn(Response) -> Result<()>;
/// A running peer and its URL.
type Peer = (Box<dyn Any>, String);

const GET: Ask = |client, url| client.get(url);
const BYTES: Use = |response| response.bytes().map(drop);

/// Each of the limits alone ends the call in this phase. A very busy machine may not reach the
/// phase before the total timeout: then the call is repeated.
#[track_caller]
fn assert_ends(limits: &[Limit], phase: Phase, peer: &dyn Fn() -> Peer, how: (Ask, Use)) {
    for limit in limits {
        // Certificates that the environment names take a busy debug build longer than the limit.
        let client = Client::builder().tls_roots(Roots::Bundled);
        let client = limit.of_client(client).build().unwrap();
        let attempt = || {
            let (_peer, url) = peer();
            end(*limit, how.0(&client, &url), how.1)
        };
        let too_slow = |error: &Error| matches!(limit, Limit::Total) && error.phase() != phase;
        let mut error = attempt();
        for _ in 0..9 {
            if too_slow(&error) {
                error = attempt();
            }
        }
        assert_timeout(&error, *limit, phase);
    }
}

/// `None` on a request removes the limit of the client.
#[test]
fn a_request_has_no_limit_where_its_client_has_one() {
    type Free = fn(RequestBuilder) -> RequestBuilder;
    let rows: [(Limit, Free); 3] = [
        (Limit::Total, |request| request.timeout(None)),
        (Limit::Read, |request| request.read_timeout(None)),
        (Limit::FirstByte, |request| request.first_byte_timeout(None)),
    ];
    for (limit, free) in rows {
        let silent = vec![Step::ExpectRequest, Step::Silent];
        let late = vec![Step::ExpectRequest, pause(600), send(ok("late"))];
        let server = Script::serve(vec![silent, late]);
        let client = limit.of_client(Client::builder()).build().unwrap();
        let get = || client.get(server.url("/"));
        assert!(get().send().unwrap_err().is_timeout(), "{limit:?}");
        let response = free(get()).send().and_then(|response| response.text());
        assert_eq!(response.unwrap(), "late", "{limit:?}");
    }
}

#[track_caller]
fn assert_one_ends(limit: Limit, phase: Phase, ask: RequestBuilder, consume: Use) {
    assert_timeout(&end(limit, ask, consume), limit, phase);
}

#[track_caller]
fn end(limit: Limit, ask: RequestBuilder, consume: Use) -> Error {
    let start = Instant::now();
    let error = ask.send().and_then(consume).unwrap_err();
    assert!(start.elapsed() < GENEROUS, "{limit:?}: {:?}", start.elapsed());
    error
}

#[track_caller]
fn assert_timeout(error: &Error, limit: Limit, phase: Phase) {
    assert_eq!((error.kind(), error.phase()), (Kind::Timeout, phase), "{limit:?} {error}");
    assert!(error.is_timeout());
    let line = error.to_string();
    assert!(line.ends_with(limit.message()) && line.contains("timed out"), "{limit:?} {error}");
    let mut source = std::error::Error::source(error);
    while let Some(error) = source.filter(|error| !error.is::<std::io::Error>()) {
        source = error.source();
    }
    let kind = source.and_then(|error| error.downcast_ref().map(std::io::Error::kind));
    assert_eq!(kind, Some(std::io::ErrorKind::TimedOut), "{limit:?} {error}");
}

/// A separate peer for each attempt, which plays these connections.
fn script(connections: Vec<Connection>) -> impl Fn() -> Peer {
    move || {
        let server = Script::serve(connections.clone());
        let url = server.url("/");
        (Box::new(server), url)
    }
}

/// The same peer, contacted over TLS.
fn not_tls(connections: Vec<Connection>) -> impl Fn() -> Peer {
    let start = script(connections);
    move || {
        let (server, url) = start();
        (server, url.replace("http:", "https:"))
    }
}

/// Any request, with a slow response: a byte every 30 ms.
fn drips(bytes: impl AsRef<[u8]>) -> Connection {
    [vec![Step::ExpectRequest], drip(bytes, 30)].concat()
}

/// A head without delay, then a slow body.
fn drips_after(head: &str, body: impl AsRef<[u8]>) -> Connection {
    let head = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n");
    [vec![Step::ExpectRequest, send(head)], drip(body, 30)].concat()
}

mod looking_up {

    use super::*;

    /// A DNS answer after the limit is discarded (T04).
    #[test]
    fn a_slow_lookup_times_out() {
        for limit in [Limit::Resolve, Limit::Connect, Limit::Total] {
            let slow = |_: &str| {
                thread::sleep(3 * LIMIT);
                Ok(vec![([127, 0, 0, 1], 9).into()])
            };
            let client =
                limit.of_client(Client::builder().dns_resolver(leanhttp::dns::from_fn(slow)));
            let client = client.build().unwrap();
            assert_one_ends(limit, Phase::Resolve, client.get("http://h.test/"), BYTES);
        }
    }
}

mod connecting {
    use super::*;

    #[test]
    fn to_a_silent_address_times_out() {
        let url = || {
            let peer = Unreachable::start();
            let url = format!("http://{}/", peer.addr());
            (Box::new(peer) as Box<dyn Any>, url)
        };
        let limits = [Limit::Connect, Limit::Total];
        assert_ends(&limits, Phase::Connect, &url, (GET, BYTES));
    }

    /// The limit is for all addresses together, and a silent one leaves time for the next.
    #[test]
    fn share_one_limit_over_all_addresses() {
        let (silent, server) = (Unreachable::start(), Httpbin::start());
        let to = |addresses: &[std::net::SocketAddr]| {
            let client = Client::builder().connect_timeout(Duration::from_millis(600));
            let client = client.resolve_to_addrs("h.test", addresses).build().unwrap();
            client.get("http://h.test/get").send()
        };
        assert_eq!(to(&[silent.addr(), server.addr()]).unwrap().status(), 200);
        let start = Instant::now();
        let error = to(&[silent.addr(), silent.addr(), silent.addr()]).unwrap_err();
        assert!(start.elapsed() < GENEROUS);
        assert_eq!((error.kind(), error.phase()), (Kind::Timeout, Phase::Connect));
        assert!(error.to_string().starts_with("connecting to 3 addresses for http://h.test/get: "));
    }

    /// RFC 8446 sets no limits on time: a handshake can be dripped as well as a body.
    #[test]
    fn handshakes_time_out() {
        let limits = [Limit::Connect, Limit::Handshake, Limit::Read, Limit::Total];
        let silent = not_tls(vec![vec![Step::Silent]]);
        assert_ends(&limits, Phase::Handshake, &silent, (GET, BYTES));
        let record = [&b"\x16\x03\x03\x40\x00\x02\0\x3f\xfc\x03\x03"[..], &[7; 50]].concat();
        let slow = not_tls(vec![[drip(record, 30), vec![Step::Silent]].concat()]);
        let limits = [Limit::Connect, Limit::Handshake, Limit::Total];
        assert_ends(&limits, Phase::Handshake, &slow, (GET, BYTES));
    }

    /// The connect timeout ends with the handshake and does not cover a slow response.
    #[test]
    fn the_connect_timeout_ends_with_the_handshake() {
        let pki = Pki::new();
        let ask = |server: Httpbin| {
            let root = Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
            let client = Client::builder().tls_certs_only([root]);
            let client = client.connect_timeout(Duration::from_millis(500)).build().unwrap();
            client.get(server.url("/delay/0.7")).send().unwrap();
            // The second request reuses the connection and makes no handshake.
            client.get(server.url("/delay/0.7")).send().unwrap();
            assert_eq!(server.connections_opened(), 1);
        };
        thread::scope(|scope| {
            scope.spawn(|| ask(Httpbin::start()));
            scope.spawn(|| ask(Httpbin::start_tls(&pki)));
        });
    }
}

mod heads {
    use super::*;

    #[test]
    fn that_never_come_time_out() {
        let url = || {
            let peer = Silent::start();
            let url = format!("http://{}/", peer.addr());
            (Box::new(peer) as Box<dyn Any>, url)
        };
        let limits = [Limit::FirstByte, Limit::Read, Limit::Total];
        assert_ends(&limits, Phase::Head, &url, (GET, BYTES));
        let reader: Ask = |client, url| client.post(url).body(Body::new(&b"small"[..]));
        assert_ends(&limits, Phase::Head, &url, (reader, BYTES));
    }

    /// A byte now and then resets the read timeout, but not the total timeout.
    #[test]
    fn that_drip_reach_the_total_timeout() {
        let url = script(vec![drips("HTTP/1.1 200 OK\r\nx: abcdefghijklmnopqrstuvwxyz\r\n")]);
        assert_ends(&[Limit::Total], Phase::Head, &url, (GET, BYTES));
        let interim = vec![[send("HTTP/1.1 102 Processing\r\n\r\n"), pause(30)]; 15].concat();
        let url = script(vec![[vec![Step::ExpectRequest], interim].concat()]);
        assert_ends(&[Limit::Total], Phase::Head, &url, (GET, BYTES));
    }

    /// One deadline for all hops, each of which is faster than a second.
    #[test]
    fn of_redirects_share_one_deadline() {
        let moved = "HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n";
        let hop = |response| [Step::ExpectRequest, pause(600), response];
        let server = Script::serve(vec![[hop(send(moved)), hop(send(ok("")))].concat()]);
        let client = Client::builder().timeout(Duration::from_secs(1)).build().unwrap();
        let error = client.get(server.url("/")).send().unwrap_err();
        assert_eq!((error.kind(), error.phase()), (Kind::Timeout, Phase::Head));
        assert!(error.to_string().ends_with("not done within 1s (total timeout)"), "{error}");
    }
}

mod bodies {
    use super::*;

    const READ: Use = |mut response| {
        let error = loop {
            match response.read(&mut [0; 7]) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        Err(*error.into_inner().unwrap().downcast::<Error>().unwrap())
    };
    const COPY: Use = |mut response| response.copy_to(&mut io::sink()).map(drop);
    const TEXT: Use = |response| response.text().map(drop);

    #[test]
    fn that_stall_time_out() {
        let limits = [Limit::Read, Limit::Throughput, Limit::Total];
        for framing in ["content-length: 9", "transfer-encoding: chunked", "x: until the end"] {
            let stalls = [drips_after(framing, "5"), vec![Step::Silent]].concat();
            let url = script(vec![stalls]);
            assert_ends(&limits, Phase::Body, &url, (GET, BYTES));
        }
    }

    #[test]
    fn that_drip_reach_the_total_timeout() {
        let chunks = "1\r\nx\r\n".repeat(10);
        let gzip = [&b"\x1f\x8b\x08\x08\0\0\0\0\0\xff"[..], &[b'n'; 50]].concat();
        let rows = [
            drips_after("content-length: 60", [b'x'; 60]),
            drips_after("transfer-encoding: chunked", chunks),
            drips_after("x: until the end", [b'x'; 60]),
            drips_after("content-length: 60\r\ncontent-encoding: gzip", gzip),
        ];
        let limits = [Limit::Throughput, Limit::Total];
        for steps in rows {
            assert_ends(&limits, Phase::Body, &script(vec![steps]), (GET, BYTES));
        }
        for consume in [READ, COPY, TEXT] {
            let steps = drips_after("content-length: 60", [b'x'; 60]);
            assert_ends(&limits, Phase::Body, &script(vec![steps]), (GET, consume));
        }
    }

    /// The same, one record at a time.
    #[test]
    fn that_drip_under_tls_reach_the_total_timeout() {
        let pki = Pki::new();
        let steps = drips_after("content-length: 90", [b'x'; 90]);
        let server = Script::serve_tls(vec![steps], pki.server_config(Leaf::Good));
        let root = Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
        // Enough for a handshake on a busy machine, and less than the body takes.
        let limit = Duration::from_secs(1);
        let client = Client::builder().tls_certs_only([root]).timeout(limit).build().unwrap();
        let start = Instant::now();
        let outcome = client.get(server.url("/")).send().and_then(Response::bytes);
        assert!(start.elapsed() < GENEROUS);
        let error = outcome.unwrap_err();
        assert!(error.is_timeout(), "{error}");
        assert!(error.to_string().ends_with("not done within 1s (total timeout)"), "{error}");
    }

    /// A body that arrives after the timeout is not an end of the response, and its connection is
    /// not used again.
    #[test]
    fn that_timed_out_stay_errors() {
        let stalls = [drips_after("content-length: 9", "x"), vec![Step::Silent]].concat();
        let server = Script::serve(vec![stalls, answer(ok("next"))]);
        let client = Client::new();
        let mut response = client.get(server.url("/")).read_timeout(LIMIT).send().unwrap();
        let error = response.copy_to(&mut io::sink()).unwrap_err();
        assert_timeout(&error, Limit::Read, Phase::Body);
        assert!(response.copy_to(&mut io::sink()).is_err());
        assert!(response.bytes().is_err());
        assert_eq!(client.get(server.url("/")).send().unwrap().text().unwrap(), "next");
    }
}

mod uploads {
    use super::*;

    const LENGTH: u64 = 16 << 20;

    #[test]
    fn to_a_peer_that_stops_reading_time_out() {
        let limits = [Limit::Write, Limit::Throughput, Limit::Total];
        let bytes: Ask = |client, url| client.post(url).body(vec![b'x'; LENGTH as usize]);
        let chunks: Ask =
            |client, url| client.post(url).body(Body::new(io::repeat(b'x').take(LENGTH)));
        for ask in [bytes, chunks] {
            let url = script(vec![vec![Step::ExpectHead, Step::StopReading]]);
            assert_ends(&limits, Phase::Send, &url, (ask, BYTES));
        }
        // An interim response in the meantime is not the response, and does not prolong the wait.
        let interim = vec![pause(100), send("HTTP/1.1 102 Processing\r\n\r\n"), Step::StopReading];
        let url = script(vec![[vec![Step::ExpectHead], interim].concat()]);
        assert_ends(&limits, Phase::Send, &url, (bytes, BYTES));
    }

    #[test]
    fn to_a_tls_peer_that_stops_reading_time_out() {
        let pki = Pki::new();
        for limit in [Limit::Write, Limit::Throughput, Limit::Total] {
            let steps = vec![Step::ExpectHead, Step::StopReading];
            let server = Script::serve_tls(vec![steps], pki.server_config(Leaf::Good));
            let root = Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
            let client = limit.of_client(Client::builder().tls_certs_only([root]));
            let body = Body::new(io::repeat(b'x').take(LENGTH));
            let start = Instant::now();
            let error =
                client.build().unwrap().post(server.url("/")).body(body).send().unwrap_err();
            assert!(start.elapsed() < GENEROUS);
            assert_timeout(&error, limit, Phase::Send);
        }
    }

    /// A server with a time limit for a head receives it, however slow the body's reader is.
    #[test]
    fn send_the_head_before_a_slow_reader() {
        struct Waits(mpsc::Receiver<()>);
        impl Read for Waits {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                match self.0.recv_timeout(GENEROUS) {
                    Ok(()) => into[0] = b'x',
                    Err(mpsc::RecvTimeoutError::Timeout) => return Err(io::ErrorKind::Other.into()),
                    Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(0),
                }
                Ok(1)
            }
        }
        type Make = fn(Waits) -> Body;
        let rows: [Make; 2] = [|reader| Body::new(reader), |reader| Body::sized(reader, 1)];
        for make in rows {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}/", listener.local_addr().unwrap());
            let (head_is_here, waits) = mpsc::channel();
            let server = thread::spawn(move || {
                let (mut peer, _) = listener.accept().unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    peer.read_exact(&mut byte).unwrap();
                    head.push(byte[0]);
                }
                head_is_here.send(()).unwrap();
                drop(head_is_here);
                peer.read_exact(&mut [0]).unwrap();
                peer.write_all(ok("thanks").as_ref()).unwrap();
            });
            let response = Client::new().post(url).body(make(Waits(waits))).send().unwrap();
            assert_eq!(response.text().unwrap(), "thanks");
            server.join().unwrap();
        }
    }

    /// The caller's own reader may be slow, but not slower than the total timeout.
    #[test]
    fn of_a_slow_reader_reach_the_total_timeout() {
        struct Slow;
        impl Read for Slow {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                thread::sleep(Duration::from_millis(30));
                into[0] = b'x';
                Ok(1)
            }
        }
        let chunked: Ask = |client, url| client.post(url).body(Body::new(Slow));
        // The first piece would be 64 KiB.
        let sized: Ask = |client, url| client.post(url).body(Body::sized(Slow, 1 << 20));
        for ask in [chunked, sized] {
            let url = script(vec![vec![Step::Silent]]);
            assert_ends(&[Limit::Total], Phase::Send, &url, (ask, BYTES));
        }
    }
}

/// A slow reader is not reported as a slow server, and a server may take time before it responds.
#[test]
fn the_callers_time_does_not_count_for_throughput() {
    let server = Script::serve(vec![vec![
        Step::ExpectRequest,
        pause(600),
        send("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n"),
        send([b'x'; 500]),
    ]]);
    let client = Client::builder().min_throughput(1000, Duration::from_millis(250));
    let mut response = client.build().unwrap().get(server.url("/")).send().unwrap();
    for _ in 0..5 {
        thread::sleep(Duration::from_millis(120));
        response.read_exact(&mut [0; 100]).unwrap();
    }
    assert_eq!(response.read(&mut [0]).unwrap(), 0);
}

/// The client itself decides to wait for `100 Continue`, and no byte is due meanwhile.
#[test]
fn waiting_for_100_does_not_count_for_throughput() {
    let server = Script::serve(vec![vec![
        Step::ExpectHead,
        pause(600),
        send("HTTP/1.1 100 Continue\r\n\r\n"),
        expect("body"),
        send(ok("x")),
    ]]);
    let client = Client::builder().min_throughput(1000, Duration::from_millis(250));
    let request = client.build().unwrap().post(server.url("/")).expect_continue(true);
    assert_eq!(request.body("body").send().unwrap().text().unwrap(), "x");
}

/// A period of sufficient throughput does not restart the read timeout.
#[test]
fn throughput_does_not_prolong_the_read_timeout() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n";
    let server = Script::serve(vec![vec![
        Step::ExpectRequest,
        send(head),
        pause(300),
        send([b'x'; 800]),
        Step::Silent,
    ]]);
    let client = Client::builder()
        .read_timeout(Duration::from_millis(1500))
        .min_throughput(1, Duration::from_millis(1000));
    let error = client.build().unwrap().get(server.url("/")).send().unwrap().text().unwrap_err();
    assert!(error.to_string().ends_with("(read timeout)"), "{error}");
}

/// A limit on waiting does not limit a transfer that makes progress.
#[test]
fn each_byte_resets_the_read_timeout() {
    let response = [&ok("x".repeat(40))[..]].concat();
    let slow = [vec![Step::ExpectRequest], drip(response, 20)].concat();
    let server = Script::serve(vec![slow]);
    let client = Client::builder().read_timeout(Duration::from_millis(600)).build().unwrap();
    let start = Instant::now();
    assert_eq!(client.get(server.url("/")).send().unwrap().text().unwrap(), "x".repeat(40));
    assert!(start.elapsed() > Duration::from_millis(600), "it took too little to show anything");
}

/// Every limit can be set for a single request.
#[test]
fn each_limit_can_be_set_for_one_request() {
    let (unreachable, silent) = (Unreachable::start(), Silent::start());
    let busy = Script::serve(vec![vec![Step::ExpectHead, Step::StopReading]; 2]);
    let url = |addr| format!("http://{addr}/");
    let upload: Ask = |client, url| client.post(url).body(vec![b'x'; 16 << 20]);
    let rows = [
        (Limit::Connect, Phase::Connect, url(unreachable.addr()), GET),
        (Limit::FirstByte, Phase::Head, url(silent.addr()), GET),
        (Limit::Read, Phase::Head, url(silent.addr()), GET),
        (Limit::Write, Phase::Send, busy.url("/"), upload),
        (Limit::Throughput, Phase::Send, busy.url("/"), upload),
        (Limit::Total, Phase::Head, url(silent.addr()), GET),
    ];
    for (limit, phase, url, ask) in rows {
        assert_one_ends(limit, phase, limit.of_request(ask(&Client::new(), &url)), BYTES);
    }
}

/// The request's own limit counts, even if it is the longer one.
#[test]
fn the_request_overrides_the_client() {
    let server = Httpbin::start();
    let client = Client::builder().timeout(LIMIT).read_timeout(LIMIT).build().unwrap();
    let ask = || client.get(server.url("/delay/0.5"));
    assert!(ask().send().unwrap_err().is_timeout());
    assert!(ask().timeout(GENEROUS).send().unwrap_err().is_timeout());
    assert!(ask().timeout(GENEROUS).read_timeout(GENEROUS).send().is_ok());
}

/// A timeout of zero does not mean "no timeout", as it does for a socket, and is not a system
/// error.
#[test]
fn a_timeout_of_zero_times_out() {
    for none in [Duration::ZERO, Duration::from_nanos(1)] {
        type Build = fn(ClientBuilder, Duration) -> ClientBuilder;
        let rows: [(Build, &str); 5] = [
            (|client, none| client.connect_timeout(none), "connect timeout"),
            (|client, none| client.first_byte_timeout(none), "first byte timeout"),
            (|client, none| client.read_timeout(none), "read timeout"),
            (|client, none| client.write_timeout(none), "write timeout"),
            (|client, none| client.timeout(none), "total timeout"),
        ];
        for (build, which) in rows {
            let peer = Silent::start();
            let client = build(Client::builder().timeout(LIMIT), none).build().unwrap();
            let start = Instant::now();
            let error = client.get(format!("http://{}/", peer.addr())).send().unwrap_err();
            assert!(start.elapsed() < GENEROUS);
            assert!(error.is_timeout(), "{which} {none:?}: {error}");
            // A nanosecond is enough for the system to accept a small request.
            if none.is_zero() {
                assert!(error.to_string().contains(which), "{which} {none:?}: {error}");
            }
        }
    }
}
