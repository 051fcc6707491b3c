//! Connections that end, break or trickle, and callers that abandon a response. Each test has the
//! id of its row in `tests/HOSTILE.md` (N01–N12).
//!
//! Elsewhere: N01 for each moment in `stale.rs`; N02 without TLS in `dying_connections.rs`; N03 and
//! N09 in `proxy.rs`; N04 in `socks.rs`; N05 and N06 in `tls.rs`; N07 in `dialling.rs` and in the
//! tests of the egress policy.
#![cfg(all(feature = "blocking", feature = "tls", feature = "gzip", feature = "cookies"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers may stop a test as tests do"
)]

mod support;

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use leanhttp::blocking::{Body, Client, ClientBuilder, RequestBuilder};
use leanhttp::cookie::CookieStore;
use leanhttp::error::Kind;
use leanhttp::header::HeaderValue;
use leanhttp::redirect::Policy;
use leanhttp::{Certificate, Error, NoProxy, Proxy, Url};
use socket2::{Domain, Socket, Type};

use support::pki::{Leaf, Pki};
use support::script::{Script, Step, answer, ok, send, send_split};
use support::stream::read_head;

fn text(request: RequestBuilder) -> Result<String, Error> {
    request.send()?.text()
}

fn trusting(pki: &Pki) -> ClientBuilder {
    Client::builder().tls_certs_only([Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap()])
}

/// The race in real time: the server closes an idle connection just about when it is used again,
/// and now and then closes it after it has read a request.
#[test]
fn n01_an_idle_connection_that_ends_during_reuse_is_replaced() {
    const ROUNDS: usize = 300;
    for method in [leanhttp::Method::GET, leanhttp::Method::POST] {
        let peer = Impatient::start();
        let client = Client::new();
        let ask = |n| text(client.request(method.clone(), format!("{}{n}", peer.url())));
        let outcomes: Vec<_> = (0..ROUNDS).map(ask).collect();
        let seen: Vec<_> = peer.seen.iter().map(|count| count.load(Ordering::SeqCst)).collect();
        let is_raced = outcomes.iter().any(Result::is_err) || seen.contains(&2);
        assert!(is_raced, "{method}: every connection lived long enough");
        for (n, (outcome, seen)) in outcomes.iter().zip(seen).enumerate() {
            match outcome {
                Ok(body) => assert_eq!(body, &n.to_string()),
                Err(error) => assert_eq!(error.kind(), Kind::Io, "{error}"),
            }
            let most = if method == leanhttp::Method::GET { 2 } else { 1 };
            assert!(seen <= most, "{method} {n} was seen {seen} times");
            assert!(outcome.is_ok() || method == leanhttp::Method::POST, "{n}: {outcome:?}");
        }
    }
}

/// Responds to a request, waits a moment for another one, and closes the connection on every third
/// of those.
struct Impatient {
    addr: SocketAddr,
    /// Number of times each request was read.
    seen: Arc<Vec<AtomicUsize>>,
}

impl Impatient {
    fn start() -> Impatient {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let addr = listener.local_addr().unwrap();
        let seen: Arc<Vec<_>> = Arc::new((0..1000).map(|_| AtomicUsize::new(0)).collect());
        let counts = Arc::clone(&seen);
        thread::spawn(move || {
            for (n, stream) in listener.incoming().flatten().enumerate() {
                let counts = Arc::clone(&counts);
                thread::spawn(move || Impatient::serve(stream, n, &counts));
            }
        });
        Impatient { addr, seen }
    }

    fn url(&self) -> String {
        format!("http://{}/", self.addr)
    }

    fn serve(mut stream: TcpStream, n: usize, seen: &[AtomicUsize]) -> io::Result<()> {
        stream.set_nodelay(true)?;
        for turn in 0.. {
            let target = read_target(&mut stream)?;
            let asked: usize = target.trim_start_matches('/').parse().unwrap();
            seen[asked].fetch_add(1, Ordering::SeqCst);
            if turn > 1 && (n + turn) % 3 == 0 {
                break;
            }
            stream.write_all(&ok(asked.to_string()))?;
            // A peer whose connections die at their first reuse gets no second request at all.
            let patience = match turn {
                0 => Duration::from_secs(10),
                _ => Duration::from_micros(20 + 5 * (n as u64 % 10).pow(3)),
            };
            stream.set_read_timeout(Some(patience))?;
            if stream.peek(&mut [0])? == 0 {
                break;
            }
            stream.set_read_timeout(None)?;
        }
        Ok(())
    }
}

/// The target of the next request, whose body is left unread.
fn read_target(stream: &mut TcpStream) -> io::Result<String> {
    let head = read_head(stream)?;
    Ok(head.split(' ').nth(1).unwrap_or_default().to_owned())
}

/// RFC 9112 §9.5, over TLS: a refusal in the middle of the upload, and then a reset.
#[test]
fn n02_an_early_refusal_survives_the_reset() {
    const UPLOAD: usize = 8 << 20;
    let pki = Pki::new();
    for status in ["400 Bad", "413 Content Too Large", "429 Slow Down", "503 Busy"] {
        let bodies = || {
            let reader = || io::repeat(b'x').take(UPLOAD as u64);
            [vec![b'x'; UPLOAD].into(), Body::new(reader()), Body::sized(reader(), UPLOAD as u64)]
        };
        for body in bodies() {
            let refusal = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\nno");
            let first = vec![Step::ExpectHead, send(refusal), Step::Reset];
            let config = pki.server_config(Leaf::Good);
            let server = Script::serve_tls(vec![first, answer(ok("next"))], config);
            let client = trusting(&pki).build().unwrap();
            let response = client.post(server.url("/")).body(body).send().unwrap();
            assert_eq!(response.status().as_str(), &status[..3]);
            assert_eq!(response.text().unwrap(), "no", "{status}");
            assert_eq!(text(client.get(server.url("/"))).unwrap(), "next");
            server.join();
            assert!(server.received(0).len() < UPLOAD);
        }
    }
}

/// A zone id (RFC 6874, obsoleted by RFC 9844) is not accepted in a URL, and its end matches no
/// suffix.
#[test]
fn n08_zone_ids_are_refused_and_match_nothing() {
    let client = Client::builder().no_proxy().build().unwrap();
    for host in ["[::1%25.example.com]", "[::1%25lo]", "[::1%lo]", "[fe80::1%25eth0]", "[::1%25]"] {
        let error = client.get(format!("http://{host}:9/")).send().unwrap_err();
        assert!(error.is_builder(), "{host}: {error}");
        let moved = format!("HTTP/1.1 302 No\r\nlocation: http://{host}/\r\n\r\n");
        let server = Script::serve(vec![[answer(moved), vec![Step::Close]].concat()]);
        let error = client.get(server.url("/")).send().unwrap_err();
        assert!(error.is_redirect(), "{host}: {error}");
    }
    for exceptions in
        ["[::1%25.example.com]", "::1%25.example.com", "::1%.example.com", "[::1%25lo]"]
    {
        let targets = ["http://a.example.com/", "http://example.com/", "http://[::1]:9/"];
        let proxy = Script::serve(vec![targets.map(|target| answer(ok(target))).concat()]);
        let proxied = Proxy::all(format!("http://{}", proxy.addr())).unwrap();
        let proxied = proxied.no_proxy(NoProxy::from_string(exceptions));
        let client = Client::builder().proxy(proxied).build().unwrap();
        for target in targets {
            assert_eq!(text(client.get(target)).unwrap(), target, "{exceptions}");
        }
    }
}

mod n10 {
    use super::*;

    /// A client with one connection, which would wait forever if that got lost.
    fn with_one_connection() -> ClientBuilder {
        Client::builder().pool_max_open_per_host(1).connect_timeout(Duration::from_secs(3))
    }

    fn assert_as_good_as_new(client: &Client, server: &Script, what: &str) {
        assert_eq!(text(client.get(server.url("/"))).unwrap(), "next", "{what}");
        let stats = client.pool_stats();
        assert_eq!((stats.open, stats.idle, stats.waiting), (1, 1, 0), "{what}");
    }

    /// The next response has no bytes of the unread half.
    #[test]
    fn n10_a_half_read_response_is_not_mixed_with_the_next() {
        let half = "HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n0123456789";
        type GiveUp = fn(leanhttp::Response);
        let ways: [(&str, GiveUp); 3] = [
            ("dropped", drop),
            ("dropped in a panic", |response| {
                let panics = AssertUnwindSafe(move || {
                    let _response = response;
                    panic!("on purpose");
                });
                assert!(catch_unwind(panics).is_err());
            }),
            ("dropped in another thread, which panics", |response| {
                let reader = thread::spawn(move || {
                    let mut response = response;
                    response.read_exact(&mut [0; 5]).unwrap();
                    panic!("on purpose");
                });
                assert!(reader.join().is_err());
            }),
        ];
        for (what, give_up) in ways {
            let first = [answer(half), vec![Step::ExpectEnd]].concat();
            let server = Script::serve(vec![first, answer(ok("next"))]);
            let client = with_one_connection().build().unwrap();
            give_up(client.get(server.url("/")).send().unwrap());
            assert_as_good_as_new(&client, &server, what);
        }
    }

    struct Panics(&'static str);

    impl Panics {
        fn at(&self, place: &str) {
            assert_ne!(self.0, place, "on purpose");
        }
    }

    impl CookieStore for Panics {
        fn set_cookies(&self, _: &mut dyn Iterator<Item = &HeaderValue>, url: &Url) {
            if url.path() == "/panic" {
                self.at("taking cookies");
            }
        }

        fn cookies(&self, url: &Url) -> Option<HeaderValue> {
            if url.path() == "/panic" {
                self.at("giving cookies");
            }
            None
        }
    }

    impl Read for Panics {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.at("reading the body");
            into.fill(b'x');
            Ok(into.len().min(1))
        }
    }

    impl Write for Panics {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.at("writing the body");
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The caller's code panics at each place where the client calls it: that costs one connection
    /// at most.
    #[test]
    fn n10_a_panic_of_the_caller_costs_one_connection() {
        let moved = "HTTP/1.1 302 Found\r\nlocation: /next\r\nset-cookie: a=b\r\n\
                     content-length: 4\r\n\r\nbody";
        let rows = [
            ("giving cookies", vec![Step::ExpectEnd]),
            ("taking cookies", [answer(moved), vec![Step::ExpectEnd]].concat()),
            ("judging a redirect", [answer(moved), vec![Step::ExpectEnd]].concat()),
            ("reading the body", vec![Step::Silent]),
            ("writing the body", [answer(ok("x".repeat(99))), answer(ok("next"))].concat()),
        ];
        for (place, steps) in rows {
            let is_reused = place == "writing the body"; // that response is there already
            let second = (!is_reused).then(|| answer(ok("next")));
            let server = Script::serve([Some(steps), second].into_iter().flatten().collect());
            let policy = Policy::custom(move |attempt| {
                Panics(place).at("judging a redirect");
                attempt.follow()
            });
            let client = with_one_connection().redirect(policy);
            let client = client.cookie_provider(Arc::new(Panics(place))).build().unwrap();
            let panics = AssertUnwindSafe(|| {
                let request = client.get(server.url("/panic"));
                let request = match place {
                    "reading the body" => request.body(Body::new(Panics(place))),
                    _ => request,
                };
                request.send()?.copy_to(&mut Panics(place))
            });
            assert!(catch_unwind(panics).is_err(), "{place}");
            assert_as_good_as_new(&client, &server, place);
        }
    }
}

/// Data before the connection broke counts if the response was complete.
#[test]
fn n11_a_complete_response_before_a_reset_counts() {
    const LENGTH: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    const BARE: &str = "HTTP/1.1 200 OK\r\n\r\n";
    const EMPTY: &str = "HTTP/1.1 204 No Content\r\n\r\n";
    type Row<'a> = (String, Result<&'a str, Kind>, Result<&'a str, Kind>);
    let rows: [Row<'_>; 9] = [
        (format!("{LENGTH}hello"), Ok("hello"), Ok("hello")),
        (format!("{LENGTH}hell"), Err(Kind::Io), Err(Kind::Truncated)),
        (format!("{CHUNKED}5\r\nhello\r\n0\r\n\r\n"), Ok("hello"), Ok("hello")),
        (format!("{CHUNKED}5\r\nhello\r\n0\r\n"), Err(Kind::Io), Err(Kind::Truncated)),
        (format!("{CHUNKED}5\r\nhello\r\n"), Err(Kind::Io), Err(Kind::Truncated)),
        (format!("{BARE}hello"), Err(Kind::Io), Ok("hello")),
        (EMPTY.to_owned(), Ok(""), Ok("")),
        ("HTTP/1.1 200 OK\r\n".to_owned(), Err(Kind::Io), Err(Kind::Truncated)),
        (String::new(), Err(Kind::Io), Err(Kind::Io)),
    ];
    for (response, reset, half_close) in rows {
        // A reset discards unsent data, so all is sent in one write before it.
        let all = response.len().max(1);
        let ends =
            [(Step::Reset, all, reset), (Step::Cut, all, half_close), (Step::Cut, 1, half_close)];
        for (end, size, expected) in ends {
            let steps = vec![Step::ExpectRequest, send_split(&response, size), end.clone()];
            let server = Script::serve(vec![steps, answer(ok("next"))]);
            let client = Client::new();
            let outcome = text(client.get(server.url("/")));
            let outcome = outcome.as_deref().map_err(|error| error.kind());
            assert_eq!(outcome, expected, "{response:?} {end:?}");
            assert_eq!(text(client.get(server.url("/"))).unwrap(), "next");
        }
    }
}

/// A peer with a small buffer, which reads so many bytes at a time and echoes them.
struct Sipping {
    addr: SocketAddr,
    peer: JoinHandle<io::Result<Vec<u8>>>,
}

impl Sipping {
    fn start(length: usize, sip: usize, pause: Duration) -> Sipping {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.set_recv_buffer_size(16 * 1024).unwrap();
        listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        listener.listen(1).unwrap();
        let listener = TcpListener::from(listener);
        let addr = listener.local_addr().unwrap();
        let peer = thread::spawn(move || {
            let (mut stream, _) = listener.accept()?;
            read_head(&mut stream)?;
            let mut body = Vec::new();
            let mut space = vec![0; sip];
            while body.len() < length {
                match stream.read(&mut space) {
                    Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                    Ok(count) => body.extend(&space[..count]),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
                thread::sleep(pause);
            }
            stream.write_all(&ok("thanks"))?;
            Ok(body)
        });
        Sipping { addr, peer }
    }

    fn url(&self) -> String {
        format!("http://{}/", self.addr)
    }

    fn finish(self) -> Vec<u8> {
        self.peer.join().unwrap().unwrap()
    }
}

/// Returns few bytes a read, as pipes do.
struct Trickle<R>(R, usize);

impl<R: Read> Read for Trickle<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let room = into.len().min(self.1);
        self.0.read(&mut into[..room])
    }
}

fn sample(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i % 251) as u8).collect()
}

mod n12 {
    use super::*;

    /// The outcome is the same for every split, in both directions. System calls that transfer one
    /// byte are simulated by the tests of the state machines and by the fuzzer.
    #[test]
    fn n12_the_outcome_is_the_same_for_every_split() {
        for (length, sip, give) in [(3000, 1, 1), (3000, 4096, 1), (600_000, 4096, 1000)] {
            let sample = sample(length);
            let reader = || Trickle(io::Cursor::new(sample.clone()), give);
            for body in [sample.clone().into(), Body::sized(reader(), length as u64)] {
                let peer = Sipping::start(length, sip, Duration::ZERO);
                let sent = text(Client::new().put(peer.url()).body(body));
                assert_eq!(sent.unwrap(), "thanks");
                assert!(peer.finish() == sample, "{length} bytes in sips of {sip}");
            }
            let server = Script::serve(vec![answer(ok("thanks"))]);
            let sent = text(Client::new().put(server.url("/")).body(Body::new(reader())));
            assert_eq!(sent.unwrap(), "thanks");
            server.join();
            assert!(unchunked(&server.received(0)) == sample, "chunks of {give} bytes");
        }
    }

    fn unchunked(request: &[u8]) -> Vec<u8> {
        let find = |bytes: &[u8], end: &[u8]| {
            bytes.windows(end.len()).position(|window| window == end).unwrap()
        };
        let mut rest = &request[find(request, b"\r\n\r\n") + 4..];
        let mut body = Vec::new();
        loop {
            let line = find(rest, b"\r\n");
            let size = std::str::from_utf8(&rest[..line]).unwrap();
            let size = usize::from_str_radix(size, 16).unwrap();
            if size == 0 {
                return body;
            }
            body.extend(&rest[line + 2..line + 2 + size]);
            rest = &rest[line + 2 + size + 2..];
        }
    }

    /// Linux interrupts a system call on a socket with a timeout when the process is stopped and
    /// continued (signal(7)); a child of this test is, all the time.
    #[cfg(target_os = "linux")]
    #[test]
    fn n12_interrupted_system_calls_are_retried() {
        use std::process::{Command, Stdio};

        let mut child = Command::new(std::env::current_exe().unwrap());
        let (_, module) = module_path!().split_once("::").unwrap();
        let name = format!("{module}::child_that_is_interrupted");
        let child = child.args(["--exact", &name, "--ignored"]);
        let mut child = child.arg("--nocapture").stdout(Stdio::piped()).spawn().unwrap();
        let id = child.id().to_string();
        let status = loop {
            for signal in ["-STOP", "-CONT"] {
                // Fails once the child has ended.
                let _ = Command::new("kill").args([signal, &id]).stderr(Stdio::null()).status();
            }
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            thread::sleep(Duration::from_millis(1));
        };
        let mut said = String::new();
        child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(status.success(), "{said}");
        assert!(said.contains("interruptions seen: "), "{said}");
        assert!(!said.contains("interruptions seen: 0"), "{said}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    #[ignore = "started by n12_interrupted_system_calls_are_retried"]
    fn child_that_is_interrupted() {
        let (witness, done) = Witness::start();
        let slowly = |body: &str| -> Vec<Step> {
            let pieces =
                ok(body).into_iter().flat_map(|byte| [send([byte]), support::script::pause(2)]);
            [vec![Step::ExpectRequest], pieces.collect()].concat()
        };
        let pki = Pki::new();
        let long = "0123456789".repeat(20);
        for server in [
            Script::serve(vec![slowly(&long)]),
            Script::serve_tls(vec![slowly(&long)], pki.server_config(Leaf::Good)),
        ] {
            let client = trusting(&pki).build().unwrap();
            assert_eq!(text(client.get(server.url("/"))).unwrap(), long);
        }
        let upload = sample(4 << 20);
        let peer = Sipping::start(upload.len(), 64 * 1024, Duration::from_millis(1));
        let sent = text(Client::new().put(peer.url()).body(upload.clone()));
        assert_eq!(sent.unwrap(), "thanks");
        assert!(peer.finish() == upload);
        drop(done);
        println!("interruptions seen: {}", witness.join().unwrap());
    }

    /// Waits on a socket as the client does, and counts the interruptions.
    struct Witness;

    impl Witness {
        fn start() -> (JoinHandle<usize>, TcpStream) {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let silent = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            let witness = thread::spawn(move || {
                let mut interruptions = 0;
                while let Err(error) = stream.read(&mut [0]) {
                    assert_eq!(error.kind(), io::ErrorKind::Interrupted);
                    interruptions += 1;
                }
                interruptions
            });
            (witness, silent)
        }
    }
}
