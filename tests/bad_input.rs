//! Invalid input and unreachable peers: each is a clear error in one line, and nothing is sent or
//! lost.
#![cfg(all(feature = "blocking", feature = "tls", feature = "gzip"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::fs::File;
use std::io::{self, Read};
use std::net::TcpStream;
use std::ops::Range;
use std::time::Duration;

use leanhttp::blocking::{Body, Client, Request, RequestBuilder, Response};
use leanhttp::error::{Kind, Phase};
use leanhttp::header::{HeaderMap, HeaderValue};
use leanhttp::{Error, Method, Proxy, Result, Url, Version};

use support::httpbin::Httpbin;
use support::net::{self, Unreachable};
use support::pki::{Leaf, Pki};
use support::script::{Connection, Script, Step, expect, send};

/// Asserts the kind, the phase and the line of an error; a line that ends in `…` is a prefix.
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

    /// RFC 9110 §4.2.4: even a URL that cannot be parsed may hold a password.
    #[test]
    fn a_malformed_url_does_not_show_its_password() {
        for url in ["http://user:secret@h:99999/", "htp://user:secret@h/", "//user:secret@h/"] {
            let error = leanhttp::get(url).unwrap_err();
            assert!(error.is_builder());
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        }
    }

    /// A URL is data and may have any scheme; what is sent may not, however it came into the request.
    #[test]
    fn a_request_needs_http_or_https() {
        let client = Client::new();
        let schemes = ["ftp://h/", "ws://h/", "file:///etc/passwd", "mailto:me", "foo:/a", "h:80"];
        for text in schemes {
            let url = Url::parse(text).unwrap();
            let scheme = url.scheme();
            let reason = format!("the scheme `{scheme}` is not `http` or `https`");
            let mut later = client.get("http://h/").build().unwrap();
            *later.url_mut() = url.clone();
            let errors = [
                client.get(text).send().unwrap_err(),
                client.get(&url).send().unwrap_err(),
                client.get(url.clone()).build().unwrap_err(),
                client.execute(Request::new(Method::GET, url.clone())).unwrap_err(),
                client.execute(later).unwrap_err(),
                http::Request::try_from(Request::new(Method::GET, url.clone())).unwrap_err(),
            ];
            for error in errors {
                assert!(error.is_builder(), "{error}");
                assert!(error.to_string().contains(&reason), "{text}: {error}");
            }
        }
        let hidden = Url::parse("user:secret@host").unwrap();
        for error in [
            client.get(&hidden).send().unwrap_err(),
            client.execute(Request::new(Method::GET, hidden)).unwrap_err(),
        ] {
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        }
    }

    #[test]
    fn unsupported_methods_and_versions_are_refused() {
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
                "URL \"http://127.0.0.1:…",
            ),
        ]);
    }

    /// The first mistake is reported, and later steps do not hide it.
    #[test]
    fn the_first_of_several_mistakes_is_reported() {
        assert_refused_unsent(&[(
            |c, url| c.get(url).header("a b", "c").header("d", "\0").body("x").send(),
            "header: invalid HTTP header name; …",
        )]);
        let error = leanhttp::Client::new().get("x").header("a b", "c").send().unwrap_err();
        assert!(error.to_string().starts_with("URL \"x\": relative URL"), "{error}");
    }

    #[cfg(feature = "json")]
    #[test]
    fn a_value_that_json_cannot_represent_is_refused() {
        assert_refused_unsent(&[(
            |c, url| {
                let map = std::collections::BTreeMap::from([(vec![1], 2)]);
                c.post(url).json(&map).send()
            },
            "the value cannot be serialized as JSON: key must be a string",
        )]);
    }
}

mod request_body {
    use super::*;

    #[cfg(feature = "multipart")]
    #[test]
    fn a_length_for_a_form_of_unknown_length_is_refused() {
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
    fn more_fields_than_a_map_can_hold_are_refused() {
        let some = |numbers: Range<usize>| {
            let names = numbers.map(|i| format!("x-{i}").parse().unwrap());
            names.map(|name| (name, HeaderValue::from_static(""))).collect::<HeaderMap>()
        };
        let many = |from: usize| some(from..from + 20_000);
        let request = || Client::new().get("http://a.test/").headers(many(0));
        let full = |request: RequestBuilder| {
            (20_000..30_000).fold(request, |request, i| request.header(format!("x-{i}"), ""))
        };
        let client = Client::builder().default_headers(many(0)).default_headers(many(20_000));
        // `Accept` and `User-Agent` are already set.
        let agent = Client::builder().default_headers(some(0..24_574)).user_agent("a");
        let proxy = Proxy::all("http://p.test").unwrap().headers(some(0..24_576));
        let errors = [
            request().headers(many(20_000)).build().unwrap_err(),
            full(request()).build().unwrap_err(),
            client.build().unwrap_err(),
            agent.build().unwrap_err(),
            Client::builder().proxy(proxy.basic_auth("u", "p")).build().unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), Kind::Builder);
            assert!(error.to_string().contains("too many header fields"), "{error}");
        }
    }

    #[cfg(feature = "multipart")]
    #[test]
    fn a_missing_file_is_reported_before_the_request() {
        let missing = std::env::temp_dir().join("no such folder/no such file");
        let error = leanhttp::multipart::Form::new().file("name", &missing).unwrap_err();
        assert!(error.is_builder(), "{error}");
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn a_directory_is_not_sent_as_a_file() {
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
    fn a_refused_connection_is_a_connect_error() {
        let addr = net::refused();
        let reason = TcpStream::connect(addr).unwrap_err();
        let line = format!("connecting to {addr} for http://{addr}/: {reason}");
        let error = fast().get(format!("http://{addr}/")).send().unwrap_err();
        assert_told(&error, Kind::Connect, Phase::Connect, &line);
        assert!(error.is_connect() && error.is_request() && !error.is_timeout());
    }

    #[test]
    fn each_address_that_refuses_is_named() {
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
    fn a_silent_port_ends_with_the_connect_timeout() {
        let peer = Unreachable::start();
        let addr = peer.addr();
        let error = fast().get(format!("http://{addr}/")).send().unwrap_err();
        let line = format!(
            "connecting to {addr} for http://{addr}/: timed out: no connection within 200ms (connect timeout)"
        );
        assert_told(&error, Kind::Timeout, Phase::Connect, &line);
    }

    /// RFC 6761 §6.4: `.invalid` has no addresses.
    #[test]
    fn an_unknown_host_is_a_resolve_error() {
        for host in ["no-such-host.invalid", "a..b"] {
            let error = leanhttp::get(format!("http://{host}/")).unwrap_err();
            let line = format!("looking up {host} for http://{host}/: …");
            assert_told(&error, Kind::Resolve, Phase::Resolve, &line);
            assert!(error.is_dns() && error.is_connect());
        }
    }

    #[test]
    fn a_host_without_addresses_is_a_resolve_error() {
        let client = Client::builder().resolve_to_addrs("h.invalid", &[]).build().unwrap();
        let error = client.get("http://h.invalid/").send().unwrap_err();
        let line = "looking up h.invalid for http://h.invalid/: the name has no address";
        assert_told(&error, Kind::Resolve, Phase::Resolve, line);
    }
}

mod tls {
    use super::*;

    /// RFC 9110 §4.3.4: the certificate has to be valid for the host of the URL.
    #[test]
    fn invalid_certificates_are_refused() {
        let pki = Pki::new();
        let rows = [
            (
                Leaf::WrongName,
                "invalid peer certificate: certificate not valid for name \"localhost\"; \
                 certificate is only valid for DnsName(\"other.example\")",
            ),
            (Leaf::Expired, "invalid peer certificate: certificate expired: …"),
            (
                Leaf::UnknownIssuer,
                "invalid peer certificate: UnknownIssuer; trust its issuer with \
                 `add_root_certificate`, or those of the system with `tls_platform_verifier` \
                 (feature `platform-verifier`); the trusted roots are only those that the program added",
            ),
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
    fn only_the_roots_are_trusted() {
        let pki = Pki::new();
        let server = Httpbin::start_tls(&pki);
        let error = leanhttp::get(server.url("/get")).unwrap_err();
        let reason = "invalid peer certificate: UnknownIssuer; …";
        assert_refused(&error, server.addr().port(), Kind::Tls, reason);
        assert_eq!(client(&pki).get(server.url("/get")).send().unwrap().status(), 200);
        assert_eq!(server.requests_seen(), ["GET /get"]);
    }

    #[test]
    fn peers_that_do_not_speak_tls_are_a_tls_error() {
        let corrupt = "received corrupt message of type InvalidContentType; the server does not \
            seem to speak TLS on this port: does it speak plain HTTP (`http://`)?";
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

    /// A TLS server that receives plain HTTP responds with an alert, which is not a status line.
    #[test]
    fn a_tls_server_is_recognized_on_plain_http() {
        let pki = Pki::new();
        let server = Httpbin::start_tls(&pki);
        let url = format!("http://{}/", server.addr());
        let error = leanhttp::get(&url).unwrap_err();
        let line =
            format!("reading the response head for {url}: invalid status line \"\\x15\\x03…");
        assert_told(&error, Kind::Protocol, Phase::Head, &line);
        assert!(error.to_string().ends_with("; that is TLS: is it an https URL?"), "{error}");
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
