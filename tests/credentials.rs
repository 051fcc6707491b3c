//! Credentials: their sources, and which of them are sent.
#![cfg(feature = "blocking")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use leanhttp::blocking::{Client, ClientBuilder};
use leanhttp::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use support::script::{Script, answer, ok};

/// A client for which `a.test` is this peer.
fn at(server: &Script) -> ClientBuilder {
    Client::builder().resolve("a.test", server.addr())
}

fn defaults() -> HeaderMap {
    HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("Own default"))])
}

/// RFC 9110 §4.2.4: user and password are sent in a field and nowhere else.
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

/// The most specific credentials win: the request's own field, then the URL's user, then the
/// client's.
#[test]
fn the_most_specific_credentials_win() {
    type Build = fn(ClientBuilder) -> ClientBuilder;
    let basic: Build = |client| client.basic_auth("client", None::<&str>);
    let field: Build = |client| client.default_headers(defaults());
    let bearer: Build = |client| client.bearer_auth("client");
    let basic_and_bearer: Build =
        |client| client.basic_auth("client", None::<&str>).bearer_auth("client");
    let rows = [
        (basic, "http://url@a.test/", Some("Own request"), "Own request"),
        (field, "http://url@a.test/", Some("Own request"), "Own request"),
        (basic, "http://url@a.test/", None, "Basic dXJsOg=="),
        (field, "http://url@a.test/", None, "Basic dXJsOg=="),
        (basic, "http://a.test/", None, "Basic Y2xpZW50Og=="),
        (field, "http://a.test/", None, "Own default"),
        (bearer, "http://a.test/", None, "Bearer client"),
        (bearer, "http://url@a.test/", None, "Basic dXJsOg=="),
        (bearer, "http://a.test/", Some("Own request"), "Own request"),
        (basic_and_bearer, "http://a.test/", None, "Bearer client"),
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
