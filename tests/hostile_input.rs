//! Input of the caller that would attack the server if it were sent unchanged. Each test has the id
//! of its row in `tests/HOSTILE.md` (I01–I15).
#![cfg(all(
    feature = "blocking",
    feature = "tls",
    feature = "gzip",
    feature = "cookies",
    feature = "multipart"
))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::{env, process};

use leanhttp::blocking::multipart::{Form, Part};
use leanhttp::blocking::{Body, RequestBuilder};
use leanhttp::cookie::Jar;
use leanhttp::error::{Kind, Phase};
use leanhttp::header::{HeaderMap, HeaderValue};
use leanhttp::{Client, Error, Method, Url};
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use support::pki::{Leaf, Pki};
use support::script::{Script, Step, answer, ok};

/// The error's kind, phase and whole line.
#[track_caller]
fn assert_told(error: &Error, kind: Kind, phase: Phase, line: &str) {
    assert_eq!((error.kind(), error.phase(), &*error.to_string()), (kind, phase, line));
}

type Ask = Box<dyn Fn(&Client, &str) -> RequestBuilder>;

fn ask(ask: impl Fn(&Client, &str) -> RequestBuilder + 'static) -> Ask {
    Box::new(ask)
}

/// Asserts that each request is an error before a connection is opened.
#[track_caller]
fn assert_refused_unsent(rows: Vec<(Ask, impl AsRef<str>)>) {
    let server = Script::serve(vec![]);
    let client = Client::new();
    for (ask, line) in rows {
        let error = ask(&client, &server.url("/")).send().unwrap_err();
        assert_told(&error, Kind::Builder, Phase::Build, line.as_ref());
    }
    assert_eq!(server.accepted(), 0);
}

/// The head that is sent, its lines in order.
fn sent(ask: impl FnOnce(&Client, &str) -> RequestBuilder) -> Vec<String> {
    let server = Script::serve(vec![answer(ok(""))]);
    ask(&Client::new(), &server.url("/")).send().unwrap();
    server.join();
    let received = server.received_text(0);
    let head = received.split_once("\r\n\r\n").unwrap().0;
    head.split("\r\n").map(str::to_owned).collect()
}

/// All bytes that are not allowed in a field (RFC 9110 §5.5).
fn controls() -> impl Iterator<Item = char> {
    (0..0x20_u8).chain([0x7f]).map(char::from).filter(|c| *c != '\t')
}

/// At the start, in the middle and at the end.
fn with(c: char) -> [String; 3] {
    [format!("{c}ab"), format!("a{c}X-Evil: 1"), format!("ab{c}")]
}

mod fields {
    use super::*;

    /// CVE-2022-31150 (undici), CVE-2016-5699 (CPython), RUSTSEC-2017-0002 (hyper). The error does
    /// not show the value: it may be a secret.
    #[test]
    fn i01_controls_in_header_values_are_refused() {
        type Rows<'a> = Vec<(Ask, &'a str)>;
        const REASON: &str = "failed to parse header value; the value holds a line break or \
            another control character";
        let bad_value = format!("header x-test: {REASON}");
        let bad_token = format!("invalid Authorization value: {REASON}");
        let bad_agent = format!("invalid User-Agent: {REASON}");
        for value in controls().flat_map(with) {
            let (text, bytes) = (value.clone(), value.clone().into_bytes());
            let token = value.clone();
            let rows: Rows<'_> = vec![
                (ask(move |c, url| c.get(url).header("x-test", &text)), &bad_value),
                (ask(move |c, url| c.get(url).header("x-test", bytes.clone())), &bad_value),
                (ask(move |c, url| c.get(url).bearer_auth(&token)), &bad_token),
            ];
            assert_refused_unsent(rows);
            let error = Client::builder().user_agent(&value).build().unwrap_err();
            assert_told(&error, Kind::Builder, Phase::Build, &bad_agent);
            assert!(HeaderValue::from_str(&value).is_err(), "in a map of headers");
        }
        let head = sent(|c, url| c.get(url).header("x-test", "\ta\tb c\u{e4}"));
        assert!(head.contains(&"x-test: \ta\tb c\u{e4}".to_owned()), "valid values are accepted");
    }

    #[test]
    fn i02_controls_in_header_names_are_refused() {
        let bad_name = "header: invalid HTTP header name; only letters, digits and \
            !#$%&'*+-.^_`|~ are allowed, no space and no colon";
        let separators = " \t\"(),/:;<=>?@[\\]{}\u{e4}";
        let names = controls().chain(separators.chars()).flat_map(with);
        let rows = names.chain([String::new()]).map(|name| {
            let bytes = name.clone().into_bytes();
            [
                (ask(move |c, url| c.get(url).header(&name, "a")), bad_name),
                (ask(move |c, url| c.get(url).header(&*bytes, "a")), bad_name),
            ]
        });
        assert_refused_unsent(rows.flatten().collect());
        let rows: [(&str, &str); 4] = [
            ("X Custom", r#"header "X Custom": ' ' is not allowed in a header name"#),
            ("Content-Type:", r#"header "Content-Type:": ':' is not allowed in a header name"#),
            ("a\r\nX-Evil: 1", r#"header "a\r\nX-Evil: 1": '\r' is not allowed in a header name"#),
            ("\u{e4}", r#"header "\xc3\xa4": 'ä' is not allowed in a header name"#),
        ];
        let rows =
            rows.map(|(name, line)| (ask(move |c, url| c.get(url).raw_header(name, 1)), line));
        assert_refused_unsent(rows.into());
    }

    /// CVE-2020-26116 (CPython), CVE-2020-26137 (urllib3).
    #[test]
    fn i03_controls_in_methods_are_refused() {
        let separators = " \t\"(),/:;<=>?@[\\]{}\u{e4}";
        for method in controls().chain(separators.chars()).flat_map(with) {
            assert!(Method::from_bytes(method.as_bytes()).is_err(), "{method:?}");
        }
        assert!(Method::from_bytes(b"").is_err());
        // The remaining characters form a valid token, which is sent unchanged.
        let method = Method::from_bytes(b"get!#$%&'*+-.^_`|~").unwrap();
        let head = sent(|c, url| c.request(method, url));
        assert_eq!(head[0], "get!#$%&'*+-.^_`|~ / HTTP/1.1");
    }

    /// RFC 9112 §6.2 and §6.3: if framing fields do not agree with the body, nothing is sent.
    #[test]
    fn i09_framing_fields_that_contradict_the_body_are_refused() {
        let no_body = "a framing field announces a body and there is none";
        let coding = "only `chunked` can be sent as Transfer-Encoding";
        let invalid = "invalid Content-Length";
        let post = |fields: &[(&'static str, &'static str)], body: &'static str| {
            let fields = fields.to_vec();
            ask(move |c, url| {
                let post = fields.iter().fold(c.post(url), |post, (n, v)| post.header(*n, *v));
                if body.is_empty() { post } else { post.body(body) }
            })
        };
        assert_refused_unsent(vec![
            (
                post(&[("content-length", "2")], "abc"),
                "Content-Length is 2 but the body has 3 bytes",
            ),
            (
                post(&[("Content-Length", "4")], "abc"),
                "Content-Length is 4 but the body has 3 bytes",
            ),
            (post(&[("content-length", "+3")], "abc"), invalid),
            (post(&[("content-length", "3, 3")], "abc"), invalid),
            (post(&[("content-length", "")], "abc"), invalid),
            (post(&[("content-length", "0x3")], "abc"), invalid),
            (post(&[("content-length", "18446744073709551619")], "abc"), invalid),
            (
                post(&[("content-length", "3"), ("Content-Length", "4")], "abc"),
                "Content-Length is 4 but the body has 3 bytes", // the last word counts
            ),
            (post(&[("content-length", "3")], ""), no_body),
            (post(&[("transfer-encoding", "chunked")], ""), no_body),
            (
                post(&[("content-length", "3"), ("transfer-encoding", "chunked")], "abc"),
                "both Content-Length and Transfer-Encoding are set",
            ),
            (post(&[("transfer-encoding", "gzip")], "abc"), coding),
            (post(&[("transfer-encoding", "gzip, chunked")], "abc"), coding),
            (post(&[("transfer-encoding", "\tchunked")], "abc"), coding),
            (post(&[("Transfer-Encoding", "chunked"), ("transfer-encoding", "x")], "abc"), coding),
        ]);
    }

    /// Framing fields that agree are sent once, in one form, whether the caller or the client sets
    /// them.
    #[test]
    fn i09_framing_fields_that_match_are_sent_once() {
        let rows: Vec<(Ask, &[&str], &str)> = vec![
            (
                ask(|c, url| c.post(url).header("CONTENT-LENGTH", "3").body("abc")),
                &["content-length: 3"],
                "abc",
            ),
            (
                ask(|c, url| c.post(url).header("Transfer-Encoding", "Chunked").body("abc")),
                &["transfer-encoding: chunked"],
                "3\r\nabc\r\n0\r\n\r\n",
            ),
            (
                ask(|c, url| c.post(url).header("content-length", 3).body(Body::new(&b"abc"[..]))),
                &["content-length: 3"],
                "abc",
            ),
            (
                ask(|c, url| c.get(url).header("host", "other.example")),
                &["host: other.example"],
                "",
            ),
            // As defaults of a client these are errors.
            (
                ask(|_, url| {
                    let fields = ["content-length", "transfer-encoding", "host"];
                    let fields = fields.map(|n| (n.parse().unwrap(), "7".parse().unwrap()));
                    let client = Client::builder().default_headers(HeaderMap::from_iter(fields));
                    client.build().unwrap().post(url).body("abc").header("host", "h")
                }),
                &["host: h", "content-length: 3"],
                "abc",
            ),
        ];
        for (ask, expected, body) in rows {
            let server = Script::serve(vec![answer(ok(""))]);
            ask(&Client::new(), &server.url("/")).send().unwrap();
            server.join();
            let received = server.received_text(0);
            let (head, received_body) = received.split_once("\r\n\r\n").unwrap();
            let framing = ["content-length", "transfer-encoding", "host"];
            let mut lines: Vec<_> = head.lines().skip(1).collect();
            lines.retain(|line| framing.iter().any(|name| line.starts_with(name)));
            let host = format!("host: {}", server.addr());
            let expected: Vec<_> = match expected[0].starts_with("host") {
                true => expected.to_vec(),
                false => [&[&*host], expected].concat(),
            };
            assert_eq!((lines, received_body), (expected, body));
        }
    }
}

mod urls {
    use super::*;

    /// The request line for a URL.
    fn line(change: impl FnOnce(&mut Url)) -> String {
        sent(|client, url| {
            let mut url = Url::parse(url).unwrap();
            change(&mut url);
            client.get(url)
        })
        .remove(0)
    }

    /// CVE-2019-9740, CVE-2019-9947 (CPython), CVE-2014-8150 (curl): controls in a URL are dropped or
    /// encoded, never raw on the wire.
    #[test]
    fn i04_controls_in_urls_are_removed_or_encoded() {
        let rows = [
            ("/a\r\nX-Evil: 1", "/aX-Evil:%201"),
            ("/a b?c d#e f", "/a%20b?c%20d"),
            ("/?q=1 HTTP/1.1\r\nX-Evil: 1\r\n\r\n", "/?q=1%20HTTP/1.1X-Evil:%201"),
            ("/\u{0}\u{1}\u{7f}", "/%00%01%7F"),
            ("/%0d%0a", "/%0d%0a"),
            ("/\u{e4}\u{2028}\u{85}?\u{e4}", "/%C3%A4%E2%80%A8%C2%85?%C3%A4"),
        ];
        for (path, target) in rows {
            let head = sent(|client, url| client.get(url.trim_end_matches('/').to_owned() + path));
            assert_eq!(head[0], format!("GET {target} HTTP/1.1"));
            assert!(head.iter().all(|line| !line.starts_with("X-Evil")), "{head:?}");
        }
        for c in controls().chain([' ', '\t']) {
            let encoded = match c {
                '\r' | '\n' | '\t' => String::new(),
                c => format!("%{:02X}", c as u32),
            };
            let target = format!("GET /a{encoded}b?c{encoded}d HTTP/1.1");
            assert_eq!(line(|url| *url = url.join(&format!("/a{c}b?c{c}d")).unwrap()), target);
            let set = |url: &mut Url| {
                url.set_path(&format!("/a{c}b"));
                url.set_query(Some(&format!("c{c}d")));
                url.set_fragment(Some(&format!("e{c}f")));
            };
            assert_eq!(line(set), target);
        }
    }

    /// Values added to a query are form-encoded.
    #[test]
    fn i04_controls_in_parameters_are_encoded() {
        let expected = "GET /?a%0D%0AX-Evil%3A+1=%00+%26%23%7F HTTP/1.1";
        let pair = ("a\r\nX-Evil: 1", "\0 &#\u{7f}");
        assert_eq!(sent(|client, url| client.get(url).query(&[pair]))[0], expected);
        assert_eq!(line(|url| _ = url.query_pairs_mut().append_pair(pair.0, pair.1)), expected);
    }

    /// CVE-2023-23936 (undici): tabs and line breaks are removed before parsing, and everything
    /// else that is not a host is refused.
    #[test]
    fn i04_controls_in_hosts_are_removed_or_refused() {
        let server = Script::serve(vec![answer(ok(""))]);
        let client = Client::builder().resolve("h.evil.test", server.addr()).build().unwrap();
        client.get("http://h\r\n.ev\til.test/").send().unwrap();
        server.join();
        assert!(server.received_text(0).starts_with("GET / HTTP/1.1\r\nhost: h.evil.test\r\nu"));
        for c in controls().chain([' ']).filter(|c| !matches!(c, '\r' | '\n')) {
            let reason = format!("the host has the forbidden character {c:?}");
            for host in [format!("a{c}b"), format!("a%{:02x}b", c as u32)] {
                let url = format!("http://{host}/");
                assert_eq!(Url::parse(&url).unwrap_err().to_string(), reason);
                let mut url = Url::parse("http://h/").unwrap();
                assert_eq!(url.set_host(Some(&host)).unwrap_err().to_string(), reason);
                assert_eq!(url.as_str(), "http://h/");
            }
        }
        for host in ["a\r\nb", "a\tb", "a%0d%0ab", "h:1", "u@h", "a/b"] {
            let mut url = Url::parse("http://h/").unwrap();
            let error = url.set_host(Some(host)).unwrap_err().to_string();
            assert!(error.starts_with("the host has the forbidden character"), "{error}");
        }
    }

    /// RFC 9110 §6.5.1: fields for framing, routing, authorization or content cannot be trailers,
    /// whether known before or computed at the end; CR and LF are not allowed in any value.
    #[test]
    fn i10_forbidden_trailers_are_refused() {
        let forbidden = [
            "content-length",
            "transfer-encoding",
            "host",
            "authorization",
            "cookie",
            "content-type",
            "trailer",
        ];
        for name in forbidden {
            let field = (name.parse().unwrap(), HeaderValue::from_static("7"));
            let trailers = HeaderMap::from_iter([field]);
            let server = Script::serve(vec![]);
            let body = Body::from("a").with_trailers(trailers.clone());
            let error = Client::new().put(server.url("/")).body(body).send().unwrap_err();
            let line = format!("body: the field {name} is not allowed in trailers");
            assert_eq!((error.kind(), error.to_string()), (Kind::Builder, line));
            assert_eq!(server.accepted(), 0);

            // At the end an error is too late, so the body is left incomplete.
            let server = Script::serve(vec![vec![Step::Silent]]);
            let body = Body::from("a").with_trailers_from(move || trailers.clone());
            let error = Client::new().put(server.url("/")).body(body).send().unwrap_err();
            let line = format!(
                "sending the request for {}: request body: the field {name} is not allowed in trailers",
                server.url("/")
            );
            assert_eq!((error.kind(), error.to_string()), (Kind::Body, line));
            server.join();
            assert!(!server.received_text(0).contains("\r\n0\r\n"));
        }
        for value in ["a\r\nX: y", "a\nb", "a\0b"] {
            assert!(HeaderValue::from_str(value).is_err());
        }
    }

    /// CVE-2022-27780 (curl), CVE-2025-22870, CVE-2024-45341 (Go), CVE-2019-10160 (CPython); WHATWG
    /// URL §4.4, and RFC 9110 §4.2: only `http` and `https`, with a host.
    #[test]
    fn i11_urls_that_are_not_http_are_refused() {
        let scheme = "is not `http` or `https`";
        let ipv4 = "the host ends in a number but is no valid IPv4 address";
        let ipv6 = "the host is in brackets but is no valid IPv6 address";
        let port = "the port is not a number from 0 to 65535";
        let relative = "relative URL without a base: did you mean `http://…` or `https://…`?";
        let no_host = "the URL has no host";
        let forbidden = |c: char| format!("the host has the forbidden character {c:?}");
        let rows = [
            ("", "the URL is empty".to_owned()),
            (" \t\r\n", "the URL is empty".to_owned()),
            ("/path", relative.to_owned()),
            ("//example.org/", relative.to_owned()),
            ("example.org", relative.to_owned()),
            ("?q", relative.to_owned()),
            (
                "localhost:8080",
                format!("the scheme `localhost` {scheme}; did you mean `http://localhost:8080`?"),
            ),
            (
                " h-1.test:80/x:y",
                format!("the scheme `h-1.test` {scheme}; did you mean `http://h-1.test:80`?"),
            ),
            ("ftp://example.org/", format!("the scheme `ftp` {scheme}")),
            ("file:///etc/passwd", format!("the scheme `file` {scheme}")),
            ("ws://example.org/", format!("the scheme `ws` {scheme}")),
            ("http://", no_host.to_owned()),
            ("http://:80/", no_host.to_owned()),
            ("http:///", no_host.to_owned()),
            ("http://?q", no_host.to_owned()),
            ("http://#f", no_host.to_owned()),
            ("http://h:65536/", port.to_owned()),
            ("http://h:70000/", port.to_owned()),
            ("http://h:99999999999999999999/", port.to_owned()),
            ("http://256.1.1.1/", ipv4.to_owned()),
            ("http://1.2.3.4.5/", ipv4.to_owned()),
            ("http://0x100000000/", ipv4.to_owned()),
            ("http://[::1/", ipv6.to_owned()),
            ("http://[]/", ipv6.to_owned()),
            ("http://[h.example]/", ipv6.to_owned()),
            ("http://[::1%eth0]/", ipv6.to_owned()),
            ("http://[fe80::1%25eth0]/", ipv6.to_owned()),
            ("http://[::1%25.example.com]/", ipv6.to_owned()),
            ("http://h]/", forbidden(']')),
            ("http://h[/", forbidden('[')),
            ("http://a b/", forbidden(' ')),
            ("http://a%00b/", forbidden('\0')),
            ("http://a%0d%0ab/", forbidden('\r')),
            ("http://a%2fb/", forbidden('/')),
            ("http://a%2Fb/", forbidden('/')),
            ("http://a%5cb/", forbidden('\\')),
            ("http://a%23b/", forbidden('#')),
            ("http://a%3Fb/", forbidden('?')),
            ("http://a%25b/", forbidden('%')),
            ("http://a%zz/", forbidden('%')),
            ("http://a|b/", forbidden('|')),
            ("http://a<b>/", forbidden('<')),
        ];
        for (url, reason) in rows {
            let error = leanhttp::get(url).unwrap_err();
            assert_told(&error, Kind::Builder, Phase::Build, &format!("URL {url:?}: {reason}"));
        }
        // A part of these could be a user name or a password.
        let unknown = "the scheme is not `http` or `https`";
        let hidden = [
            ("http://u@/", no_host.to_owned()),
            ("http://u:p@:80/", no_host.to_owned()),
            ("u:12345/@h/", unknown.to_owned()),
            ("localhost:secret", unknown.to_owned()),
            ("http://h:-1/", port.to_owned()),
            ("http://h:+1/", port.to_owned()),
            ("http://h:8o/", port.to_owned()),
            ("http://h:8 0/", port.to_owned()),
            ("http://h:80:80/", port.to_owned()),
            ("http://h:\u{ff18}\u{ff10}/", port.to_owned()),
            ("http://[::1]x/", ipv6.to_owned()),
            ("http://[::1]]/", ipv6.to_owned()),
            ("http://[[::1]]/", ipv6.to_owned()),
            ("http://::1/", no_host.to_owned()),
            ("http://a%3a80/", forbidden(':')),
            ("http://a%40b/", forbidden('@')),
        ];
        for (url, reason) in hidden {
            let error = leanhttp::get(url).unwrap_err();
            assert_told(&error, Kind::Builder, Phase::Build, &format!("URL: {reason}"));
        }
        let long = format!("http://h/{}", "a".repeat(70_000));
        let line = format!("URL {:?}: the URL is longer than 65534 bytes", &long[..80]);
        assert_told(&leanhttp::get(long).unwrap_err(), Kind::Builder, Phase::Build, &line);
    }

    /// CVE-2016-8624, CVE-2016-8625 (curl). One parser determines the host of the connection, and
    /// SNI, `Host`, cookies and credentials all use its result.
    #[test]
    fn i12_one_parser_decides_the_host() {
        let userinfo = |pair: &str| Some(pair.to_owned());
        // The URL, its host, its cookie, its credentials, its target.
        let mut rows = vec![
            ("good.test@evil.test/", "evil.test", userinfo("good.test:"), "/"),
            ("a@b@evil.test/", "evil.test", userinfo("a@b:"), "/"),
            ("good.test:80@evil.test/", "evil.test", userinfo("good.test:80"), "/"),
            ("good.test%2F@evil.test/", "evil.test", userinfo("good.test/:"), "/"),
            ("good.test\\@evil.test/", "good.test", None, "/@evil.test/"),
            ("good.test\\.evil.test/", "good.test", None, "/.evil.test/"),
            ("good.test/@evil.test/", "good.test", None, "/@evil.test/"),
            ("good.test?@evil.test/", "good.test", None, "/?@evil.test/"),
            ("good.test#@evil.test/", "good.test", None, "/"),
            ("good.test\t@ev\til.test/", "evil.test", userinfo("good.test:"), "/"),
            ("\\\\evil.test/", "evil.test", None, "/"),
            ("GOOD.test/", "good.test", None, "/"),
            ("good%2etest/", "good.test", None, "/"),
            ("%67ood.test/", "good.test", None, "/"),
            ("good.test./", "good.test.", None, "/"),
        ];
        if cfg!(feature = "idna") {
            rows.extend([
                ("good\u{3002}test/", "good.test", None, "/"),
                ("good\u{ff0e}test@evil\u{ff61}test/", "evil.test", userinfo("good．test:"), "/"),
                ("\u{ff47}ood.test/", "good.test", None, "/"),
                ("evil.test\u{ff0f}good.test/", "", None, ""),
                ("evil.test\u{2100}good.test/", "", None, ""),
            ]);
        }
        let pki = Pki::new();
        for (url, host, userinfo, target) in rows {
            let url = format!("https://{url}");
            if host.is_empty() {
                assert!(Url::parse(&url).is_err(), "{url}");
                continue;
            }
            let (server_names, config) = ServerNames::recorded(&pki);
            let server = Script::serve_tls(vec![answer(ok(""))], config);
            let jar = Arc::new(Jar::new());
            for host in ["good.test", "evil.test"] {
                let origin = Url::parse(&format!("https://{host}/")).unwrap();
                jar.add_cookie_str(&format!("of={host}"), &origin);
            }
            // Any other name is not found.
            let client = Client::builder()
                .resolve(host, server.addr())
                .cookie_provider(jar)
                .danger_accept_invalid_certs(true)
                .build()
                .unwrap();
            let response = client.get(&url).send().unwrap();
            server.join();
            assert_eq!(response.url().host_str(), Some(host), "{url}");
            let name = host.trim_end_matches('.').to_owned();
            assert_eq!(*server_names.lock().unwrap(), [Some(name)], "{url}");
            let received = server.received_text(0);
            let start = format!("GET {target} HTTP/1.1\r\nhost: {host}\r\n");
            assert!(received.starts_with(&start), "{url}: {received}");
            let field = |name| received.lines().find_map(|line| line.strip_prefix(name));
            let cookie = format!("of={host}");
            let of_the_host = (host != "good.test.").then_some(&*cookie);
            assert_eq!(field("cookie: "), of_the_host, "{url}");
            let basic = userinfo.map(|pair| format!("Basic {}", base64(pair.as_bytes())));
            assert_eq!(field("authorization: "), basic.as_deref(), "{url}");
        }
    }

    /// RUSTSEC-2024-0421 (idna): a name is compared in the form that is sent. The decoded meaning
    /// of a label makes no two names equal.
    #[test]
    fn i13_names_are_compared_in_their_ascii_form() {
        let host = |host: &str| {
            let url = Url::parse(&format!("http://{host}/"));
            url.map(|url| url.host_str().unwrap().to_owned()).map_err(|error| error.to_string())
        };
        // These would decode to `example`, to nothing, or not at all.
        for label in ["xn--example-", "xn--", "xn--a", "xn--\u{7a}zzz", "XN--EXAMPLE-"] {
            assert_eq!(host(&format!("{label}.test")), Ok(format!("{label}.test").to_lowercase()));
        }
        let feature = cfg!(feature = "idna");
        let invalid = "the host is not a valid internationalized domain name";
        let rows = [
            ("\u{430}pple.test", Ok("xn--pple-43d.test")), // Cyrillic and Latin
            ("B\u{fc}cher.test", Ok("xn--bcher-kva.test")),
            ("b%C3%BCcher.test", Ok("xn--bcher-kva.test")),
            ("fa\u{df}.test", Ok("xn--fa-hia.test")),
            ("xn--example-.\u{e4}.test", Err(invalid)),
            ("xn--a.\u{e4}.test", Err(invalid)),
            ("a\u{200d}b.test", Err(invalid)),
            ("\u{fffd}.test", Err(invalid)),
            ("%ff.test", Err(invalid)),
            ("\u{ad}", Err("the URL has no host")),
            ("\u{ff11}\u{ff12}\u{ff17}.1", Ok("127.0.0.1")),
            ("a\u{ff05}00b", Err("the host has the forbidden character '%'")),
        ];
        for (text, expected) in rows {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            match feature {
                true => assert_eq!(host(text), expected, "{text}"),
                false => {
                    let error = host(text).unwrap_err();
                    assert!(error.ends_with("is not ASCII, which needs the feature `idna`"));
                }
            }
        }
        // A look-alike host has its own cookies.
        let jar = Jar::new();
        jar.add_cookie_str("a=1", &Url::parse("http://apple.test/").unwrap());
        jar.add_cookie_str("b=1", &Url::parse("http://example.test/").unwrap());
        for other in ["xn--pple-43d.test", "xn--example-.test"] {
            let other = Url::parse(&format!("http://{other}/")).unwrap();
            assert!(jar.cookies_for(&other).is_empty());
            jar.add_cookie_str("c=1; Domain=apple.test", &other);
            jar.add_cookie_str("c=1; Domain=example.test", &other);
        }
        assert_eq!(jar.len(), 2);
    }

    /// The server names (SNI) that clients sent.
    type Asked = Arc<Mutex<Vec<Option<String>>>>;

    #[derive(Debug)]
    struct ServerNames {
        asked: Asked,
        certificates: Arc<dyn ResolvesServerCert>,
    }

    impl ServerNames {
        fn recorded(pki: &Pki) -> (Asked, Arc<ServerConfig>) {
            let mut config = ServerConfig::clone(&pki.server_config(Leaf::Good));
            let asked = Asked::default();
            let certificates = config.cert_resolver;
            config.cert_resolver = Arc::new(Self { asked: Arc::clone(&asked), certificates });
            (asked, Arc::new(config))
        }
    }

    impl ResolvesServerCert for ServerNames {
        fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            self.asked.lock().unwrap().push(hello.server_name().map(str::to_owned));
            self.certificates.resolve(hello)
        }
    }

    fn base64(bytes: &[u8]) -> String {
        const DIGITS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let quantum = |chunk: &[u8]| {
            let bits = chunk.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte));
            let bits = bits << (8 * (3 - chunk.len()));
            let digit = |place| char::from(DIGITS[(bits >> (18 - 6 * place)) as usize & 63]);
            (0..4).map(|n| if n <= chunk.len() { digit(n) } else { '=' }).collect::<String>()
        };
        bytes.chunks(3).map(quantum).collect()
    }
}

mod forms {
    use super::*;

    /// WHATWG HTML, multipart/form-data: names cannot leave their quotes.
    #[test]
    fn i05_names_of_parts_are_escaped() {
        let rows = [
            ("a\"b", "c\"d", "name=\"a%22b\"; filename=\"c%22d\""),
            (
                "a\r\nX-Evil: 1",
                "\r\n\r\nevil",
                "name=\"a%0D%0AX-Evil: 1\"; filename=\"%0D%0A%0D%0Aevil\"",
            ),
            ("a\"; filename=\"evil", "b", "name=\"a%22; filename=%22evil\"; filename=\"b\""),
            ("a\nb\rc", "\\\"", "name=\"a%0Ab%0Dc\"; filename=\"\\%22\""),
            ("", "", "name=\"\"; filename=\"\""),
        ];
        for (name, file_name, expected) in rows {
            let form = Form::new().with_boundary("limit").unwrap();
            let form = form.part(name, Part::text("text").file_name(file_name));
            let part = format!(
                "--limit\r\nContent-Disposition: form-data; {expected}\r\nContent-Type: \
                 application/octet-stream\r\n\r\ntext\r\n--limit--\r\n"
            );
            assert_eq!(posted(form), part);
        }
        for encode in [Form::percent_encode_attr_chars, Form::percent_encode_path_segment] {
            let form = encode(Form::new().with_boundary("limit").unwrap());
            let body = posted(form.text("a\r\n\"b", "text"));
            let part = "Content-Disposition: form-data; name*=utf-8''a%0D%0A%22b\r\n\r\ntext\r\n";
            assert_eq!(body, format!("--limit\r\n{part}--limit--\r\n"));
        }
    }

    /// CVE-2022-35948 (undici).
    #[test]
    fn i05_types_of_parts_are_validated() {
        let essences = ["a/b\r\nX-Evil: 1", "a/b\n", "a/b\0", "a\r\n/b", "a b/c"];
        for mime in essences.into_iter().chain(["a/b/c", "", "/", "a/", "\u{e4}/b", "jpeg"]) {
            let error = Part::text("text").mime_str(&format!("{mime} ; c=d")).unwrap_err();
            let excerpt = mime.as_bytes().escape_ascii();
            let line =
                format!("invalid media type of a part, expected type/subtype: \"{excerpt}\"");
            assert_told(&error, Kind::Builder, Phase::Build, &line);
        }
        for mime in ["a/b; c=\r\n\r\nevil", "a/b; \u{e4}", "a/b;\n"] {
            let error = Part::text("text").mime_str(mime).unwrap_err();
            let line = "the parameters of a media type hold a control character or are not ASCII";
            assert_told(&error, Kind::Builder, Phase::Build, line);
        }
        let mut fields = HeaderMap::new();
        fields.insert("content-disposition", "form-data; name=\"evil\"".parse().unwrap());
        let form = Form::new().part("a", Part::text("text").headers(fields));
        let line = "Content-Disposition among the headers of a part";
        assert_refused_unsent(vec![(once(form), line)]);
        let form = Form::new().with_boundary("limit").unwrap().text("a", "\r\n--limit--\r\nevil");
        let line = "a part of the form contains the boundary";
        assert_refused_unsent(vec![(once(form), line)]);
        for boundary in ["", "a\r\nb", "a\"b", "a;b", "a ", "\u{e4}", &"a".repeat(71)] {
            let error = Form::new().with_boundary(boundary).unwrap_err();
            assert_told(&error, Kind::Builder, Phase::Build, "invalid boundary of a form");
        }
    }

    /// CVE-2025-22150 (undici): boundaries have at least 122 unpredictable bits.
    #[test]
    fn i06_boundaries_are_unpredictable() {
        let boundaries: Vec<_> = (0..1000).map(|_| Form::new().boundary().to_owned()).collect();
        let length = boundaries[0].len();
        let digits = |place: usize| {
            let mut digits: Vec<_> = boundaries.iter().map(|text| text.as_bytes()[place]).collect();
            digits.sort_unstable();
            digits.dedup();
            digits.len()
        };
        assert!(boundaries.iter().all(|boundary| boundary.len() == length));
        let bits: f64 = (0..length).map(|place| (digits(place) as f64).log2()).sum();
        assert!(bits >= 122.0, "{bits} bits: {}", boundaries[0]);
        // About half of the 128 bits differ from the previous boundary, as in random numbers.
        let nibble = |digit: u8| char::from(digit).to_digit(16).unwrap();
        let changed = |pair: &[String]| -> u32 {
            let pairs = pair[0].bytes().zip(pair[1].bytes());
            pairs.map(|(one, two)| (nibble(one) ^ nibble(two)).count_ones()).sum()
        };
        let changed = boundaries.windows(2).map(changed);
        assert!(changed.clone().all(|bits| (20..108).contains(&bits)));
        let mean = changed.sum::<u32>() / 999;
        assert!((60..=68).contains(&mean), "{mean}");
    }

    fn once(form: Form) -> Ask {
        let form = Mutex::new(Some(form));
        ask(move |c, url| c.post(url).multipart(form.lock().unwrap().take().unwrap()))
    }

    fn posted(form: Form) -> String {
        let server = Script::serve(vec![answer(ok(""))]);
        Client::new().post(server.url("/")).multipart(form).send().unwrap();
        server.join();
        server.received_text(0).split_once("\r\n\r\n").unwrap().1.to_owned()
    }
}

mod credentials {
    use super::*;

    /// RFC 6265 §4.2.1: a value of the caller is one cookie, or an error.
    #[test]
    fn i07_cookies_of_the_caller_are_validated() {
        let url = Url::parse("http://a.test/").unwrap();
        let sent = |cookie: &str| {
            let server = Script::serve(vec![answer(ok(""))]);
            let jar = Arc::new(Jar::new());
            jar.add_cookie_str(cookie, &url);
            let client = Client::builder().resolve("a.test", server.addr()).cookie_provider(jar);
            client.build().unwrap().get(url.clone()).send().unwrap();
            server.join();
            let received = server.received_text(0);
            let mut fields = received.lines().filter_map(|line| line.strip_prefix("cookie: "));
            let field = fields.next().map(str::to_owned);
            assert_eq!((fields.next(), received.contains("Evil")), (None, false), "{cookie:?}");
            field
        };
        for c in controls() {
            for cookie in
                [format!("a{c}Evil=1"), format!("a=1{c}Evil: 2"), format!("a=1; Path=/{c}")]
            {
                assert_eq!(sent(&cookie), None, "{cookie:?}");
            }
        }
        assert_eq!(sent("a=1; Evil=2; Domain=a.test").as_deref(), Some("a=1"));
        assert_eq!(sent(";Evil=1"), None);
        assert_eq!(sent("").as_deref(), None);
        assert_eq!(sent(&format!("a={}", "Evil".repeat(1024))), None, "too long");
        // From a file too.
        let file = "{\"name\":\"a\",\"value\":\"1; Evil=1\",\"domain\":\"a.test\",\"path\":\"/\",\
                    \"host_only\":true,\"secure\":false,\"http_only\":false}";
        for file in [file.to_owned(), file.replace("; ", "\\r\\n"), file.replace("; ", "\\u0000")] {
            let jar = Jar::new();
            let loaded = jar.load_json(file.as_bytes()).unwrap();
            assert_eq!((loaded.cookies, loaded.skipped), (0, 1), "{file}");
        }
    }

    /// RFC 7617 §2 and RFC 7616 §3.4.2: no colon in a user name and no controls, from any source.
    #[test]
    fn i08_controls_in_users_and_passwords_are_refused() {
        let colon = "a user name for Basic authentication cannot hold a colon";
        let control = "credentials for Basic authentication cannot hold controls";
        assert_refused_unsent(vec![
            (ask(|c, url| c.get(url).basic_auth("a:b", Some("c"))), colon),
            (ask(|c, url| c.get(url.replace("//", "//a%3Ab:c@"))), colon),
        ]);
        for c in controls().chain(['\t']) {
            let pair = |text: &str| text.replace('|', &c.to_string());
            let (user, password) = (pair("a|b"), pair("|Evil: 1"));
            let encoded = format!("//a:b%{:02x}c@", c as u32);
            let error = Client::builder().basic_auth(&user, Some("p")).build().unwrap_err();
            assert_told(&error, Kind::Builder, Phase::Build, control);
            assert_refused_unsent(vec![
                (ask(move |c, url| c.get(url).basic_auth(&user, None::<&str>)), control),
                (ask(move |c, url| c.get(url).basic_auth("u", Some(&password))), control),
                (ask(move |c, url| c.get(url.replace("//", &encoded))), control),
            ]);
        }
        let error = Client::builder().basic_auth("a:b", Some("c")).build().unwrap_err();
        assert_told(&error, Kind::Builder, Phase::Build, colon);
    }

    #[cfg(feature = "digest")]
    #[test]
    fn i08_controls_in_users_for_digest_are_refused() {
        let line = "a user name for Digest authentication cannot hold a colon or controls";
        for user in controls().map(|c| format!("a{c}b")).chain(["a:b".to_owned()]) {
            let error = Client::builder().digest_auth(&user, "p").build().unwrap_err();
            assert_told(&error, Kind::Builder, Phase::Build, line);
            let request = ask(move |c, url| c.get(url).digest_auth(&user, "p"));
            assert_refused_unsent(vec![(request, line)]);
        }
    }

    /// curl tests 480 and 3221: escapes in a file decode to controls.
    #[test]
    fn i08_controls_in_logins_of_a_netrc_file_are_refused() {
        let colon = "a user name for Basic authentication cannot hold a colon";
        let control = "credentials for Basic authentication cannot hold controls";
        for (login, line) in [
            ("login l password \"a\\nb\"", control),
            ("login l password \"a\\r\\nX-Evil: 1\"", control),
            ("login \"a\\tb\" password p", control),
            ("login a:b password p", colon),
        ] {
            let path: PathBuf = env::temp_dir().join(format!("leanhttp-i08-{}", process::id()));
            fs::write(&path, format!("machine 127.0.0.1 {login}")).unwrap();
            let client = Client::builder().netrc_file(&path).build().unwrap();
            fs::remove_file(&path).unwrap();
            let server = Script::serve(vec![]);
            let url = server.url("/");
            let error = client.get(&url).send().unwrap_err();
            assert_told(&error, Kind::Builder, Phase::Build, line);
            assert_eq!(server.accepted(), 0);
        }
    }
}

/// RFC 9112 §8: a body that ends early must not look complete.
mod bodies {
    use super::*;

    /// Returns so many bytes and then fails.
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

    /// Violates the contract of `Read`: reports more bytes than the buffer holds.
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
        let path = env::temp_dir().join(format!("leanhttp-i14-{}-{now}", process::id()));
        File::create(&path).unwrap().write_all(&vec![b'x'; now]).unwrap();
        let body = Body::from(File::open(&path).unwrap());
        File::options().write(true).open(&path).unwrap().set_len(later).unwrap();
        fs::remove_file(&path).unwrap();
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
    fn i14_a_body_that_differs_from_its_length_never_looks_complete() {
        let short =
            |missing: u64| format!("the body ended {missing} bytes before its announced length");
        let fire = "the disk is on fire".to_owned();
        let boast = "a reader claimed more bytes than it had room for".to_owned();
        let rows: Vec<(&str, Body, String)> = vec![
            ("short", Body::sized(bytes(3), 5), short(2)),
            ("empty", Body::sized(io::empty(), 5), short(5)),
            ("short and large", Body::sized(bytes(200_000), 300_000), short(100_000)),
            ("fails at once", Body::new(Failing(0)), fire.clone()),
            ("fails midway, chunked", Body::new(Failing(200_000)), fire.clone()),
            ("fails midway, sized", Body::sized(Failing(200_000), 300_000), fire.clone()),
            ("fails by the last byte", Body::sized(Failing(4), 5), fire),
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

    /// The caller's Content-Length is the length that a reader must have.
    #[test]
    fn i14_a_reader_must_match_the_callers_content_length() {
        let server = Script::serve(vec![vec![Step::Silent]]);
        let request = Client::new().post(server.url("/")).body(Body::new(bytes(3)));
        let error = request.header("content-length", 5).send().unwrap_err();
        assert_eq!(error.kind(), Kind::Body, "{error}");
        server.join();
        assert!(!is_complete(&server.received(0)));
    }

    /// No byte beyond the announced length reaches the server, which would parse it as the next
    /// request.
    #[test]
    fn i14_no_byte_beyond_the_announced_length_is_sent() {
        let rows = [
            ("long", Body::sized(bytes(6), 4), 4),
            ("long by the last byte", Body::sized(bytes(200_001), 200_000), 200_000),
            ("something instead of nothing", Body::sized(bytes(1), 0), 0),
            ("fails instead of ending", Body::sized(Failing(4), 4), 4),
        ];
        for (name, body, length) in rows {
            let server = Script::serve(vec![[answer(ok("one")), answer(ok("next"))].concat()]);
            let client = Client::new();
            client.post(server.url("/")).body(body).send().unwrap().bytes().unwrap();
            assert_eq!(
                client.get(server.url("/")).send().unwrap().text().unwrap(),
                "next",
                "{name}"
            );
            drop(client);
            server.join();
            let sent = server.received_text(0);
            let (head, rest) = sent.split_once("\r\n\r\n").unwrap();
            assert!(head.contains(&format!("content-length: {length}")), "{name}");
            assert_eq!(rest.find("GET /"), Some(length), "{name}");
        }
    }
}

mod file_names {
    use super::*;

    fn named(content_disposition: &[u8]) -> Option<String> {
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\ncontent-disposition: ";
        let server = Script::serve(vec![answer([head, content_disposition, b"\r\n\r\n"].concat())]);
        Client::new().get(server.url("/")).send().unwrap().file_name()
    }

    /// CVE-2020-8177, CVE-2016-0754 (curl): a file name is one component that is harmless on every
    /// system, or none.
    #[test]
    fn i15_file_names_of_servers_are_made_safe() {
        let rows: [(&str, Option<&str>); 25] = [
            ("../../x", Some("x")),
            ("/etc/passwd", Some("passwd")),
            ("..\\\\..\\\\evil.exe", Some("evil.exe")),
            ("C:\\\\Windows\\\\evil.exe", Some("evil.exe")),
            ("C:evil.exe", Some("C_evil.exe")),
            ("\\\\\\\\host\\\\share\\\\a", Some("a")),
            ("a.txt:stream", Some("a.txt_stream")),
            ("..", None),
            (".", None),
            ("...", None),
            ("", None),
            ("dir/", None),
            ("dir/..", None),
            (".bashrc", Some("bashrc")),
            ("a.txt. . ", Some("a.txt")),
            ("nul", Some("_nul")),
            ("NUL.txt", Some("_NUL.txt")),
            ("com1", Some("_com1")),
            ("LPT9.tar.gz", Some("_LPT9.tar.gz")),
            ("con .txt", Some("_con .txt")),
            ("aux:", Some("aux_")),
            ("a|b<c>*?", Some("a_b_c___")),
            ("-rf", Some("-rf")),
            ("a\tb", Some("a_b")),
            ("~", Some("~")),
        ];
        for (name, expected) in rows {
            let value = format!("attachment; filename=\"{name}\"");
            assert_eq!(named(value.as_bytes()).as_deref(), expected, "{name:?}");
        }
        let extended = [
            ("%2e%2e%2f%2e%2e%2fx", Some("x")),
            ("%2Fetc%2Fpasswd", Some("passwd")),
            ("..%5cevil", Some("evil")),
            ("a%00.txt", Some("a_.txt")),
            ("a%0d%0ab", Some("a__b")),
            ("a%e2%80%aegpj.exe", Some("a_gpj.exe")),
            ("%1b%5b2J", Some("_[2J")),
        ];
        for (name, expected) in extended {
            let value = format!("attachment; filename=good; filename*=utf-8''{name}");
            assert_eq!(named(value.as_bytes()).as_deref(), expected, "{name:?}");
        }
        let long =
            named(format!("attachment; filename={}", "a/b".repeat(9000)).as_bytes()).unwrap();
        assert_eq!(long, "b");
        let long =
            named(format!("attachment; filename={}.txt", "a".repeat(9000)).as_bytes()).unwrap();
        assert_eq!(long.len(), 254);
    }
}
