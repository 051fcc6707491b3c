//! Bad input of the caller, and nobody there to take it: a clear error in one line, nothing sent,
//! nothing lost.
#![cfg(all(feature = "blocking", feature = "tls", feature = "gzip"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use leanhttp::blocking::{Body, Client, RequestBuilder, Response};
use leanhttp::error::{Kind, Phase};
use leanhttp::header::{HeaderMap, HeaderValue};
use leanhttp::{Error, Method, Result, Version};

use support::httpbin::Httpbin;
use support::net::{self, Unreachable};
use support::pki::{Leaf, Pki};
use support::script::{Connection, Script, Step, answer, expect, ok, send};

/// The error's kind, phase and whole line; a line that ends in `…` may go on.
#[track_caller]
fn assert_told(error: &Error, kind: Kind, phase: Phase, line: &str) {
    let told = error.to_string();
    assert_eq!((error.kind(), error.phase()), (kind, phase), "{told}");
    match line.strip_suffix('…') {
        Some(start) => assert!(told.starts_with(start), "{told:?} instead of {line:?}"),
        None => assert_eq!(told, line),
    }
    assert!(!told.contains(['\r', '\n']), "more than a line: {told:?}");
}

mod request {
    use super::*;

    type Ask = fn(&Client, &str) -> Result<Response>;

    #[track_caller]
    fn assert_refused_unsent(rows: &[(Ask, &str)]) {
        let server = Script::serve(vec![]);
        let client = Client::new();
        for (ask, line) in rows {
            let error = ask(&client, &server.url("/")).unwrap_err();
            assert_told(&error, Kind::Builder, Phase::Build, line);
        }
        assert_eq!(server.accepted(), 0);
    }

    /// WHATWG URL §4.4, and RFC 9110 §4.2: only `http` and `https` with a host.
    #[test]
    fn what_is_no_http_url() {
        let scheme = "is not supported, only `http` and `https` are";
        let ipv4 = "the host ends in a number but is no valid IPv4 address";
        let ipv6 = "the host is in brackets but is no valid IPv6 address";
        let port = "the port is not a number from 0 to 65535";
        let relative = "relative URL without a base: did you mean `http://…` or `https://…`?";
        let rows = [
            ("", "the URL is empty".to_owned()),
            (" \t\r\n", "the URL is empty".to_owned()),
            ("/path", relative.to_owned()),
            ("//example.org/", relative.to_owned()),
            ("example.org", relative.to_owned()),
            ("?q", relative.to_owned()),
            ("localhost:8080", format!("the scheme `localhost` {scheme}")),
            ("ftp://example.org/", format!("the scheme `ftp` {scheme}")),
            ("file:///etc/passwd", format!("the scheme `file` {scheme}")),
            ("ws://example.org/", format!("the scheme `ws` {scheme}")),
            ("http://", "the URL has no host".to_owned()),
            ("http://:80/", "the URL has no host".to_owned()),
            ("http://h:65536/", port.to_owned()),
            ("http://h:99999999999999999999/", port.to_owned()),
            ("http://h:-1/", port.to_owned()),
            ("http://h:8o/", port.to_owned()),
            ("http://h:8 0/", port.to_owned()),
            ("http://256.1.1.1/", ipv4.to_owned()),
            ("http://1.2.3.4.5/", ipv4.to_owned()),
            ("http://[::1/", ipv6.to_owned()),
            ("http://[::1]x/", ipv6.to_owned()),
            ("http://[fe80::1%25eth0]/", ipv6.to_owned()),
            ("http://a b/", "the host has the forbidden character ' '".to_owned()),
            ("http://a%00b/", "the host has the forbidden character '\\0'".to_owned()),
            ("http://a%0d%0ab/", "the host has the forbidden character '\\r'".to_owned()),
        ];
        for (url, reason) in rows {
            let error = leanhttp::get(url).unwrap_err();
            assert_told(&error, Kind::Builder, Phase::Build, &format!("URL {url:?}: {reason}"));
        }
        let long = format!("http://h/{}", "a".repeat(70_000));
        let line = format!("URL {:?}: the URL is longer than 65534 bytes", &long[..80]);
        assert_told(&leanhttp::get(long).unwrap_err(), Kind::Builder, Phase::Build, &line);
    }

    /// RFC 9110 §4.2.4: what cannot be parsed may hold a password all the same.
    #[test]
    fn a_malformed_url_does_not_show_its_password() {
        for url in ["http://user:secret@h:99999/", "htp://user:secret@h/", "//user:secret@h/"] {
            let error = leanhttp::get(url).unwrap_err();
            assert!(error.is_builder());
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        }
    }

    /// Request splitting (CVE-2019-9740, CVE-2019-9947): controls in a URL are dropped or encoded.
    #[test]
    fn controls_in_a_url_are_never_raw_on_the_wire() {
        let rows = [
            ("/a\r\nX-Evil: 1", "/aX-Evil:%201"),
            ("/a b?c d#e f", "/a%20b?c%20d"),
            ("/?q=1 HTTP/1.1\r\nX-Evil: 1\r\n\r\n", "/?q=1%20HTTP/1.1X-Evil:%201"),
            ("/\u{0}\u{1}\u{7f}", "/%00%01%7F"),
            ("/%0d%0a", "/%0d%0a"),
            ("/\u{e4}", "/%C3%A4"),
        ];
        let server = Httpbin::start();
        let client = Client::new();
        for (path, target) in rows {
            client.get(server.url(path)).send().unwrap();
            assert_eq!(server.requests_seen().last().unwrap(), &format!("GET {target}"));
        }
        assert_eq!(server.requests_seen().len(), rows.len());
    }

    /// RFC 9110 §5.1, §5.5 and §9.1: no controls in names, values and methods. The value is not
    /// told: it may be a secret.
    #[test]
    fn names_and_values_that_break_out_of_their_line() {
        let bad_value = "header x-test: failed to parse header value";
        let bad_name = "header: invalid HTTP header name";
        assert_refused_unsent(&[
            (|c, url| c.get(url).header("x-test", "a\r\nX-Evil: 1").send(), bad_value),
            (|c, url| c.get(url).header("x-test", "a\nb").send(), bad_value),
            (|c, url| c.get(url).header("x-test", "a\rb").send(), bad_value),
            (|c, url| c.get(url).header("x-test", "a\0b").send(), bad_value),
            (|c, url| c.get(url).header("x-test", "\u{7f}").send(), bad_value),
            (|c, url| c.get(url).header("", "a").send(), bad_name),
            (|c, url| c.get(url).header("x test", "a").send(), bad_name),
            (|c, url| c.get(url).header("x-test:", "a").send(), bad_name),
            (|c, url| c.get(url).header("x\r\nX-Evil: 1\r\nx", "a").send(), bad_name),
            (|c, url| c.get(url).header("x-t\u{e4}st", "a").send(), bad_name),
            (
                |c, url| c.get(url).bearer_auth("a\r\nX-Evil: 1").send(),
                "invalid Authorization value: failed to parse header value",
            ),
        ]);
        for method in [&b"GET\r\nX-Evil: 1"[..], b"GET /", b"", b"G\0T", b"G\xc3\xa4T"] {
            assert!(Method::from_bytes(method).is_err());
        }
        let error = Client::builder().user_agent("a\r\nX-Evil: 1").build().unwrap_err();
        let line = "invalid User-Agent: failed to parse header value";
        assert_told(&error, Kind::Builder, Phase::Build, line);
    }

    /// RFC 7617 §2: no colon in a user name and no controls at all, wherever they come from.
    #[test]
    fn credentials_that_cannot_be_written() {
        let colon = "a user name for Basic authentication cannot hold a colon";
        let control = "credentials for Basic authentication cannot hold controls";
        assert_refused_unsent(&[
            (|c, url| c.get(url).basic_auth("a:b", Some("c")).send(), colon),
            (|c, url| c.get(url).basic_auth("a", Some("b\r\nX-Evil: 1")).send(), control),
            (|c, url| c.get(url.replace("//", "//a%3Ab:c@")).send(), colon),
            (|c, url| c.get(url.replace("//", "//a:b%0d%0ac@")).send(), control),
        ]);
        let error = Client::builder().basic_auth("a:b", Some("c")).build().unwrap_err();
        assert_told(&error, Kind::Builder, Phase::Build, colon);
    }

    /// RFC 9112 §6.2 and §6.3: framing fields agree with the body, or nothing is sent.
    #[test]
    fn framing_fields_of_the_caller_that_do_not_fit() {
        let no_body = "a framing field announces a body and there is none";
        let coding = "only `chunked` can be sent as Transfer-Encoding";
        let invalid = "invalid Content-Length";
        assert_refused_unsent(&[
            (
                |c, url| c.post(url).header("content-length", "2").body("abc").send(),
                "Content-Length is 2 but the body has 3 bytes",
            ),
            (
                |c, url| c.post(url).header("content-length", "4").body("abc").send(),
                "Content-Length is 4 but the body has 3 bytes",
            ),
            (|c, url| c.post(url).header("content-length", "+3").body("abc").send(), invalid),
            (|c, url| c.post(url).header("content-length", "3, 3").body("abc").send(), invalid),
            (|c, url| c.post(url).header("content-length", "").body("abc").send(), invalid),
            (
                |c, url| {
                    let twice = c.post(url).header("content-length", "3");
                    twice.header("content-length", "3").body("abc").send()
                },
                "more than one Content-Length field",
            ),
            (|c, url| c.get(url).header("content-length", "3").send(), no_body),
            (|c, url| c.get(url).header("transfer-encoding", "chunked").send(), no_body),
            (
                |c, url| {
                    let both = c.post(url).header("content-length", "3");
                    both.header("transfer-encoding", "chunked").body("abc").send()
                },
                "both Content-Length and Transfer-Encoding are set",
            ),
            (|c, url| c.post(url).header("transfer-encoding", "gzip").body("a").send(), coding),
            (
                |c, url| c.post(url).header("transfer-encoding", "gzip, chunked").body("a").send(),
                coding,
            ),
            (
                |c, url| c.get(url).header("host", "a").header("host", "b").send(),
                "more than one Host field",
            ),
        ]);
    }

    #[test]
    fn what_this_client_does_not_speak() {
        assert_refused_unsent(&[
            (
                |c, url| c.request(Method::CONNECT, url).send(),
                "CONNECT cannot be sent as a request",
            ),
            (|c, url| c.get(url).version(Version::HTTP_2).send(), "HTTP/2.0 cannot be sent"),
            (|c, url| c.get(url).version(Version::HTTP_09).send(), "HTTP/0.9 cannot be sent"),
            (
                |c, url| {
                    let reader = Body::new(io::empty());
                    c.post(url).version(Version::HTTP_10).body(reader).send()
                },
                "HTTP/1.0 cannot send a body of unknown length",
            ),
            (
                |_, url| Client::builder().https_only(true).build().unwrap().get(url).send(),
                "only https is allowed",
            ),
        ]);
    }

    /// The first mistake is told, and later steps do not hide it.
    #[test]
    fn the_first_of_several_mistakes_is_told() {
        assert_refused_unsent(&[(
            |c, url| c.get(url).header("a b", "c").header("d", "\0").body("x").send(),
            "header: invalid HTTP header name",
        )]);
        let error = leanhttp::Client::new().get("x").header("a b", "c").send().unwrap_err();
        assert!(error.to_string().starts_with("URL \"x\": relative URL"), "{error}");
    }

    #[cfg(feature = "json")]
    #[test]
    fn a_value_that_cannot_be_json() {
        assert_refused_unsent(&[(
            |c, url| {
                let map = std::collections::BTreeMap::from([(vec![1], 2)]);
                c.post(url).json(&map).send()
            },
            "the value cannot be JSON: key must be a string",
        )]);
    }
}

/// RFC 9112 §8: what ends early must not look complete.
mod request_body {
    use super::*;

    /// Gives so many bytes and then fails.
    struct Failing(usize);

    impl Read for Failing {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(io::Error::other("the disk is on fire"));
            }
            let count = into.len().min(self.0);
            into[..count].fill(b'x');
            self.0 -= count;
            Ok(count)
        }
    }

    /// Breaks the contract of `Read`: claims more bytes than there was room for.
    struct Boaster;

    impl Read for Boaster {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            Ok(into.len() + 1)
        }
    }

    fn bytes(count: u64) -> impl Read + Send + 'static {
        io::repeat(b'x').take(count)
    }

    /// A file that has `now` bytes when the request is made and `later` when it is sent.
    fn shrinking_file(now: usize, later: u64) -> Body {
        let path = std::env::temp_dir().join(format!("leanhttp-{}-{now}", std::process::id()));
        File::create(&path).unwrap().write_all(&vec![b'x'; now]).unwrap();
        let body = Body::from(File::open(&path).unwrap());
        File::options().write(true).open(&path).unwrap().set_len(later).unwrap();
        std::fs::remove_file(&path).unwrap();
        body
    }

    fn is_complete(request: &[u8]) -> bool {
        let text = String::from_utf8_lossy(request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        match length {
            Some(length) => body.len() >= length.parse().unwrap(),
            None if head.contains("transfer-encoding: chunked") => body.ends_with("0\r\n\r\n"),
            None => true,
        }
    }

    #[test]
    fn what_is_not_as_announced_never_looks_complete() {
        let short =
            |missing: u64| format!("the body ended {missing} bytes before its announced length");
        let long = "the body is longer than its announced length".to_owned();
        let fire = "the disk is on fire".to_owned();
        let boast = "a reader claimed more bytes than it had room for".to_owned();
        let rows: Vec<(&str, Body, String)> = vec![
            ("short", Body::sized(bytes(3), 5), short(2)),
            ("empty", Body::sized(io::empty(), 5), short(5)),
            ("short and large", Body::sized(bytes(200_000), 300_000), short(100_000)),
            ("long", Body::sized(bytes(6), 4), long.clone()),
            ("long by the last byte", Body::sized(bytes(200_001), 200_000), long.clone()),
            ("something instead of nothing", Body::sized(bytes(1), 0), long),
            ("fails at once", Body::new(Failing(0)), fire.clone()),
            ("fails midway, chunked", Body::new(Failing(200_000)), fire.clone()),
            ("fails midway, sized", Body::sized(Failing(200_000), 300_000), fire.clone()),
            ("fails instead of ending", Body::sized(Failing(4), 4), fire),
            ("a file that shrinks", shrinking_file(10, 4), short(6)),
            ("a large file that shrinks", shrinking_file(300_000, 100_000), short(200_000)),
            ("boasts, chunked", Body::new(Boaster), boast.clone()),
            ("boasts, sized", Body::sized(Boaster, 300_000), boast),
        ];
        for (name, body, reason) in rows {
            let server = Script::serve(vec![vec![Step::Silent], answer(ok("next"))]);
            let client = Client::new();
            let url = server.url("/");
            let error = client.post(&url).body(body).send().unwrap_err();
            let line = format!("sending the request for {url}: request body: {reason}");
            assert_told(&error, Kind::Body, Phase::Send, &line);
            assert_eq!(client.get(&url).send().unwrap().text().unwrap(), "next", "{name}");
            server.join();
            assert!(!is_complete(&server.received(0)), "{name}");
        }
    }

    /// The caller's Content-Length announces what a reader has to give.
    #[test]
    fn a_reader_keeps_to_the_content_length_of_the_caller() {
        for (given, announced) in [(3, 5), (5, 3)] {
            let server = Script::serve(vec![vec![Step::Silent]]);
            let request = Client::new().post(server.url("/")).body(Body::new(bytes(given)));
            let error = request.header("content-length", announced).send().unwrap_err();
            assert_eq!(error.kind(), Kind::Body, "{error}");
            server.join();
            assert!(!is_complete(&server.received(0)));
        }
    }

    #[cfg(feature = "multipart")]
    #[test]
    fn a_length_that_nobody_can_keep_to() {
        use leanhttp::blocking::multipart::{Form, Part};
        let server = Script::serve(vec![]);
        let form = Form::new().part("a", Part::reader(&b"unknown"[..]));
        let request = Client::new().post(server.url("/")).multipart(form);
        let error = request.header("content-length", 200).send().unwrap_err();
        let line = "Content-Length is set, but the length of a part is not known";
        assert_told(&error, Kind::Builder, Phase::Build, line);
    }

    /// `HeaderMap` holds no more than 24,576 names and panics beyond.
    #[test]
    fn more_fields_than_there_is_room_for() {
        let many = |from: usize| {
            let names = (from..from + 20_000).map(|i| format!("x-{i}").parse().unwrap());
            names.map(|name| (name, HeaderValue::from_static(""))).collect::<HeaderMap>()
        };
        let request = || Client::new().get("http://a.test/").headers(many(0));
        let full = |request: RequestBuilder| {
            (20_000..30_000).fold(request, |request, i| request.header(format!("x-{i}"), ""))
        };
        let client = Client::builder().default_headers(many(0)).default_headers(many(20_000));
        let errors = [
            request().headers(many(20_000)).build().unwrap_err(),
            full(request()).build().unwrap_err(),
            client.build().unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), Kind::Builder);
            assert!(error.to_string().contains("too many header fields"), "{error}");
        }
    }

    #[cfg(feature = "multipart")]
    #[test]
    fn a_missing_file_is_told_before_there_is_a_request() {
        let missing = std::env::temp_dir().join("no such folder/no such file");
        let error = leanhttp::multipart::Form::new().file("name", &missing).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn a_directory_is_no_file() {
        let server = Script::serve(vec![vec![Step::Silent]]);
        let directory = File::open(std::env::temp_dir()).unwrap();
        let error = Client::new().put(server.url("/")).body(directory).send().unwrap_err();
        let url = server.url("/");
        let reason = File::open(std::env::temp_dir()).unwrap().read(&mut [0]).unwrap_err();
        let line = format!("sending the request for {url}: request body: {reason}");
        assert_told(&error, Kind::Body, Phase::Send, &line);
    }
}

mod connection {
    use super::*;

    fn fast() -> Client {
        Client::builder().connect_timeout(Duration::from_millis(200)).build().unwrap()
    }

    #[test]
    fn a_port_that_refuses() {
        let addr = net::refused();
        let reason = TcpStream::connect(addr).unwrap_err();
        let line = format!("connecting to {addr} for http://{addr}/: {reason}");
        let error = fast().get(format!("http://{addr}/")).send().unwrap_err();
        assert_told(&error, Kind::Connect, Phase::Connect, &line);
        assert!(error.is_connect() && error.is_request() && !error.is_timeout());
    }

    #[test]
    fn several_addresses_that_refuse_are_all_named() {
        let (one, two) = (net::refused(), net::refused());
        let reason = TcpStream::connect(one).unwrap_err();
        let client = Client::builder().resolve_to_addrs("h.invalid", &[one, two]).build().unwrap();
        let error = client.get("http://h.invalid/").send().unwrap_err();
        let line = format!(
            "connecting to 2 addresses for http://h.invalid/: {one}: {reason}; {two}: {reason}"
        );
        assert_told(&error, Kind::Connect, Phase::Connect, &line);
    }

    #[test]
    fn a_port_that_is_silent() {
        let peer = Unreachable::start();
        let addr = peer.addr();
        let error = fast().get(format!("http://{addr}/")).send().unwrap_err();
        let line = format!(
            "connecting to {addr} for http://{addr}/: no connection within 200ms (connect timeout)"
        );
        assert_told(&error, Kind::Timeout, Phase::Connect, &line);
    }

    /// RFC 6761 §6.4: `.invalid` has no addresses.
    #[test]
    fn a_host_that_does_not_resolve() {
        for host in ["no-such-host.invalid", "a..b"] {
            let error = leanhttp::get(format!("http://{host}/")).unwrap_err();
            let line = format!("looking up {host} for http://{host}/: …");
            assert_told(&error, Kind::Resolve, Phase::Resolve, &line);
            assert!(error.is_dns() && error.is_connect());
        }
    }

    #[test]
    fn a_host_without_an_address() {
        let client = Client::builder().resolve_to_addrs("h.invalid", &[]).build().unwrap();
        let error = client.get("http://h.invalid/").send().unwrap_err();
        let line = "connecting to no address for http://h.invalid/";
        assert_told(&error, Kind::Connect, Phase::Connect, line);
    }
}

mod tls {
    use super::*;

    /// RFC 9110 §4.3.4: the certificate has to be valid for the host of the URL.
    #[test]
    fn certificates_to_refuse() {
        let pki = Pki::new();
        let rows = [
            (
                Leaf::WrongName,
                "invalid peer certificate: certificate not valid for name \"localhost\"; \
                 certificate is only valid for DnsName(\"other.example\")",
            ),
            (Leaf::Expired, "invalid peer certificate: certificate expired: …"),
            (Leaf::UnknownIssuer, "invalid peer certificate: UnknownIssuer"),
        ];
        for (leaf, reason) in rows {
            let server = Httpbin::start_tls_as(&pki, leaf);
            let error = client(&pki).get(server.url("/get")).send().unwrap_err();
            assert_refused(&error, server.addr().port(), Kind::Tls, reason);
            assert!(error.to_string().contains("/get"));
            assert!(server.requests_seen().is_empty(), "{leaf:?}");
        }
    }

    /// Without the private root the same server is unknown; with it all is well.
    #[test]
    fn trust_comes_from_the_root_alone() {
        let pki = Pki::new();
        let server = Httpbin::start_tls(&pki);
        let error = leanhttp::get(server.url("/get")).unwrap_err();
        let reason = "invalid peer certificate: UnknownIssuer";
        assert_refused(&error, server.addr().port(), Kind::Tls, reason);
        assert_eq!(client(&pki).get(server.url("/get")).send().unwrap().status(), 200);
        assert_eq!(server.requests_seen(), ["GET /get"]);
    }

    #[test]
    fn peers_that_do_not_speak_tls() {
        let corrupt = "received corrupt message of type InvalidContentType";
        let closed = "connection closed during the handshake";
        let reset = io::Error::from_raw_os_error(104).to_string();
        let http = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
        let rows: Vec<(Connection, Kind, &str)> = vec![
            (vec![send(http), Step::Close], Kind::Tls, corrupt),
            (vec![Step::Close], Kind::Tls, closed),
            (vec![send(b"\x16\x03\x03\x40"), Step::Close], Kind::Tls, closed),
            (vec![expect(b"\x16\x03"), Step::Reset], Kind::Io, &reset),
            (
                vec![send(b"\x15\x03\x03\x00\x02\x02\x28"), Step::Close],
                Kind::Tls,
                "received fatal alert: HandshakeFailure",
            ),
        ];
        for (steps, kind, reason) in rows {
            let server = Script::serve(vec![steps]);
            let url = server.url("/get").replace("http://127.0.0.1", "https://localhost");
            let error = leanhttp::get(url).unwrap_err();
            assert_refused(&error, server.addr().port(), kind, reason);
        }
    }

    /// A TLS server where plain HTTP was meant answers with an alert, which is no status line.
    #[test]
    fn a_tls_peer_on_http() {
        let pki = Pki::new();
        let server = Httpbin::start_tls(&pki);
        let url = format!("http://{}/", server.addr());
        let error = leanhttp::get(&url).unwrap_err();
        let line =
            format!("reading the response head for {url}: invalid status line \"\\x15\\x03…");
        assert_told(&error, Kind::Protocol, Phase::Head, &line);
    }

    fn client(pki: &Pki) -> Client {
        let root = leanhttp::Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
        Client::builder().tls_certs_only([root]).build().unwrap()
    }

    #[track_caller]
    fn assert_refused(error: &Error, port: u16, kind: Kind, reason: &str) {
        let peer = format!("localhost:{port}");
        let line = format!("TLS handshake with {peer} for https://{peer}/get: {reason}");
        assert_told(error, kind, Phase::Handshake, &line);
        assert!(error.is_connect(), "{error:?}");
    }
}
