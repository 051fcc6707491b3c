//! What stays behind when a redirect leads to another origin: CVE-2018-1000007, CVE-2022-27774
//! (curl), CVE-2024-45336 (Go) and their like.
#![cfg(all(feature = "blocking", feature = "tls", feature = "gzip"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use leanhttp::Certificate;
use leanhttp::blocking::{Client, ClientBuilder, RequestBuilder};
use leanhttp::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderValue};

use support::pki::{Leaf, Pki};
use support::script::{Script, answer, moved, ok};

/// Several hosts, all of them at this peer.
fn at(server: &Script) -> ClientBuilder {
    let builder = Client::builder();
    ["a.test", "b.test"].into_iter().fold(builder, |b, host| b.resolve(host, server.addr()))
}

fn trusting(pki: &Pki) -> ClientBuilder {
    Client::builder().tls_certs_only([Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap()])
}

/// Sets up a secret on the client or on the request.
struct Secret {
    what: &'static str,
    client: fn(ClientBuilder) -> ClientBuilder,
    request: fn(RequestBuilder) -> RequestBuilder,
    /// What is put before the host in the URL.
    userinfo: &'static str,
    line: &'static str,
}

const PLAIN: Secret = Secret {
    what: "",
    client: |client| client,
    request: |request| request,
    userinfo: "",
    line: "",
};

fn defaults(name: &'static str, value: &'static str, sensitive: bool) -> HeaderMap {
    let mut value = HeaderValue::from_static(value);
    value.set_sensitive(sensitive);
    HeaderMap::from_iter([(name.parse().unwrap(), value)])
}

fn secrets() -> Vec<Secret> {
    const BASIC: &str = "authorization: Basic dTpzZWNyZXQ=";
    vec![
        Secret {
            what: "basic_auth of the request",
            request: |request| request.basic_auth("u", Some("secret")),
            line: BASIC,
            ..PLAIN
        },
        Secret {
            what: "bearer_auth",
            request: |request| request.bearer_auth("secret"),
            line: "authorization: Bearer secret",
            ..PLAIN
        },
        Secret {
            what: "Authorization of the caller",
            request: |request| request.header(AUTHORIZATION, "Own secret"),
            line: "authorization: Own secret",
            ..PLAIN
        },
        Secret {
            what: "Cookie of the caller",
            request: |request| request.header(COOKIE, "a=secret"),
            line: "cookie: a=secret",
            ..PLAIN
        },
        Secret {
            what: "a value marked sensitive",
            request: |request| request.headers(defaults("x-api-key", "secret", true)),
            line: "x-api-key: secret",
            ..PLAIN
        },
        Secret {
            what: "Host of the caller",
            request: |request| request.header("host", "inner.example"),
            line: "host: inner.example",
            ..PLAIN
        },
        Secret {
            what: "basic_auth of the client",
            client: |client| client.basic_auth("u", Some("secret")),
            line: BASIC,
            ..PLAIN
        },
        Secret {
            what: "default Authorization",
            client: |client| client.default_headers(defaults("authorization", "Own secret", false)),
            line: "authorization: Own secret",
            ..PLAIN
        },
        Secret {
            what: "default Cookie",
            client: |client| client.default_headers(defaults("cookie", "a=secret", false)),
            line: "cookie: a=secret",
            ..PLAIN
        },
        Secret {
            what: "a default value marked sensitive",
            client: |client| client.default_headers(defaults("x-api-key", "secret", true)),
            line: "x-api-key: secret",
            ..PLAIN
        },
        Secret { what: "userinfo", userinfo: "u:secret@", line: BASIC, ..PLAIN },
    ]
}

/// Home twice, away, and home again: only the first two requests carry the secret. The port
/// alone makes another origin.
#[test]
fn stay_with_the_origin_and_do_not_come_back() {
    for secret in secrets() {
        for elsewhere in ["http://b.test/", "http://a.test:81/"] {
            let server = Script::serve(vec![
                moved(302, "/same"),
                moved(307, elsewhere),
                moved(302, "http://a.test/back"),
                answer(ok("")),
            ]);
            let client = (secret.client)(at(&server)).build().unwrap();
            let ask = client.get(format!("http://{}a.test/", secret.userinfo));
            let ask = (secret.request)(ask.header("x-plain", "kept"));
            assert_eq!(ask.send().unwrap().url().as_str(), "http://a.test/back");
            server.join();
            for (hop, is_carried) in [true, true, false, false].into_iter().enumerate() {
                let head = server.received_text(hop);
                let told = format!("{}, hop {hop} over {elsewhere}:\n{head}", secret.what);
                assert_eq!(head.contains(secret.line), is_carried, "{told}");
                assert_eq!(
                    head.contains("secret"),
                    is_carried && secret.line.contains("secret"),
                    "{told}"
                );
                assert_eq!(head.matches("\r\nhost: ").count(), 1, "{told}");
                assert!(head.contains("x-plain: kept"), "{told}");
            }
        }
    }
}

/// RFC 9110 §15.4: to plain http they would be readable by anyone, and to https it is another
/// origin too.
#[test]
fn stay_with_the_scheme() {
    let pki = Pki::new();
    for is_downgrade in [true, false] {
        let second = match is_downgrade {
            true => Script::serve(vec![answer(ok(""))]),
            false => Script::serve_tls(vec![answer(ok(""))], pki.server_config(Leaf::Good)),
        };
        let target = second.url("/").replace("127.0.0.1", "localhost");
        let first = match is_downgrade {
            true => Script::serve_tls(vec![moved(302, &target)], pki.server_config(Leaf::Good)),
            false => Script::serve(vec![moved(302, &target)]),
        };
        let url = first.url("/").replace("127.0.0.1", "localhost");
        let client = trusting(&pki).resolve("localhost", ([127, 0, 0, 1], 0).into());
        let ask = client.build().unwrap().get(url).basic_auth("u", Some("secret"));
        let ask = ask.header("referer", "https://localhost/page");
        ask.header(COOKIE, "a=secret").send().unwrap();
        first.join();
        second.join();
        assert!(first.received_text(0).contains("a=secret"));
        let second = second.received_text(0);
        assert!(!second.contains("secret") && !second.contains("authorization"), "{second}");
        // RFC 9110 §10.1.3
        assert_eq!(second.contains("referer"), !is_downgrade, "{second}");
    }
}

/// RFC 9110 §4.2.4: user and password go into a field and nowhere else.
#[test]
fn userinfo_becomes_basic_credentials() {
    let rows = [
        ("http://u:secret@a.test/p", Some("Basic dTpzZWNyZXQ=")),
        ("http://u%40x:s%3Ae@a.test/p", Some("Basic dUB4OnM6ZQ==")),
        ("http://token@a.test/p", Some("Basic dG9rZW46")),
        ("http://:secret@a.test/p", Some("Basic OnNlY3JldA==")),
        ("http://@a.test/p", None),
    ];
    for (url, expected) in rows {
        let server = Script::serve(vec![answer(ok(""))]);
        let response = at(&server).build().unwrap().get(url).send().unwrap();
        assert_eq!(response.url().as_str(), "http://a.test/p");
        server.join();
        let head = server.received_text(0);
        assert!(head.starts_with("GET /p HTTP/1.1\r\nhost: a.test\r\n"), "{head}");
        let value = head.lines().find_map(|line| line.strip_prefix("authorization: "));
        assert_eq!(value, expected);
    }
}

/// What is closer to the request wins: the request's own field, the URL's user, the client.
#[test]
fn the_closest_credentials_win() {
    type Build = fn(ClientBuilder) -> ClientBuilder;
    let basic: Build = |client| client.basic_auth("client", None::<&str>);
    let field: Build =
        |client| client.default_headers(defaults("authorization", "Own default", false));
    let rows = [
        (basic, "http://url@a.test/", Some("Own request"), "Own request"),
        (field, "http://url@a.test/", Some("Own request"), "Own request"),
        (basic, "http://url@a.test/", None, "Basic dXJsOg=="),
        (field, "http://url@a.test/", None, "Basic dXJsOg=="),
        (basic, "http://a.test/", None, "Basic Y2xpZW50Og=="),
        (field, "http://a.test/", None, "Own default"),
    ];
    for (build, url, own, expected) in rows {
        let server = Script::serve(vec![answer(ok(""))]);
        let mut ask = build(at(&server)).build().unwrap().get(url);
        if let Some(own) = own {
            ask = ask.header(AUTHORIZATION, own);
        }
        ask.send().unwrap();
        server.join();
        let head = server.received_text(0);
        let lines: Vec<_> = head.lines().filter(|line| line.starts_with("auth")).collect();
        assert_eq!(lines, [format!("authorization: {expected}")], "{url}");
    }
}
