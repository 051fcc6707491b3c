//! The base URL of a client: which URLs requests have, and where its credentials go.
#![cfg(all(feature = "blocking", feature = "tls", feature = "gzip"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use leanhttp::blocking::{Client, ClientBuilder};
use leanhttp::header::{HeaderMap, HeaderValue};
use leanhttp::redirect::Policy;
use leanhttp::{Url, header};

use support::script::{Script, answer, moved, ok};

/// A client for which two hosts are this peer.
fn at(server: &Script) -> ClientBuilder {
    let builder = Client::builder().no_proxy();
    ["a.test", "b.test"].into_iter().fold(builder, |b, host| b.resolve(host, server.addr()))
}

fn lines_of(head: &str, names: &[&str]) -> Vec<String> {
    let is_named = |line: &&str| names.iter().any(|name| line.starts_with(&format!("{name}: ")));
    head.lines().filter(is_named).map(str::to_owned).collect()
}

/// WHATWG URL §4.4.
#[test]
fn references_are_resolved_as_links_of_a_page() {
    let rows = [
        ("http://a.test/v1/", "users?page=2", "http://a.test/v1/users?page=2"),
        ("http://a.test/v1", "users", "http://a.test/users"),
        ("http://a.test/v1/", "/users", "http://a.test/users"),
        ("http://a.test/v1/", "../v2/users", "http://a.test/v2/users"),
        ("http://a.test/v1/?q#f", "", "http://a.test/v1/?q"),
        ("http://a.test/v1/?q", "?page=2", "http://a.test/v1/?page=2"),
        ("http://a.test/v1/", "//b.test/x", "http://b.test/x"),
        ("http://a.test/v1/", "https://b.test/x", "https://b.test/x"),
        ("http://a.test:81", "a b", "http://a.test:81/a%20b"),
    ];
    for (base, reference, expected) in rows {
        let client = Client::builder().base_url(base).build().unwrap();
        for request in [client.get(reference), client.get(reference.to_owned())] {
            assert_eq!(request.build().unwrap().url().as_str(), expected, "{base} {reference}");
        }
    }
    // A URL that is parsed already stays as it is.
    let client = Client::builder().base_url("http://a.test/v1/").build().unwrap();
    let whole = Url::parse("http://b.test/x").unwrap();
    assert_eq!(*client.get(whole.clone()).build().unwrap().url(), whole);
}

#[test]
fn invalid_bases_and_references_are_errors() {
    for base in ["v1/", "ftp://a.test/", "mailto:a@a.test", "http://"] {
        let error = Client::builder().base_url(base).build().unwrap_err();
        assert!(error.is_builder() && error.to_string().starts_with("URL"), "{base}: {error}");
    }
    let client = Client::builder().base_url("http://a.test/v1/").build().unwrap();
    for reference in ["mailto:a@a.test", "http://a:b", "//", "ftp://a.test/"] {
        let error = client.get(reference).build().unwrap_err();
        assert!(error.is_builder(), "{reference}: {error}");
    }
    let error = Client::new().get("users").build().unwrap_err();
    assert!(error.to_string().contains("relative URL without a base"), "{error}");
}

/// All that the client adds to a request by itself: to the origin of the base, and to no other.
#[test]
fn credentials_of_the_client_stay_with_the_origin_of_the_base() {
    const NAMES: [&str; 3] = ["authorization", "x-api-key", "x-trace"];
    let mut defaults = HeaderMap::new();
    defaults.insert("x-api-key", HeaderValue::from_static("s3cret"));
    defaults.insert("x-trace", HeaderValue::from_static("7"));
    let basic = |builder: ClientBuilder| builder.basic_auth("u", Some("s3cret"));
    let bearer = |builder: ClientBuilder| builder.bearer_auth("s3cret");
    type Set = fn(ClientBuilder) -> ClientBuilder;
    for (set, value) in [(basic as Set, "Basic dTpzM2NyZXQ="), (bearer, "Bearer s3cret")] {
        let authorization = format!("authorization: {value}");
        let rows: [(&str, &[&str]); 7] = [
            ("x", &["x-api-key: s3cret", "x-trace: 7", &authorization]),
            ("http://a.test/x", &["x-api-key: s3cret", "x-trace: 7", &authorization]),
            ("HTTP://A.test:80/x", &["x-api-key: s3cret", "x-trace: 7", &authorization]),
            ("//b.test/x", &["x-trace: 7"]),
            ("http://b.test/x", &["x-trace: 7"]),
            ("\\\\b.test/x", &["x-trace: 7"]),
            ("http://a.test:81/x", &["x-trace: 7"]),
        ];
        for (url, expected) in rows {
            let server = Script::serve(vec![answer(ok(""))]);
            let builder = set(at(&server)).base_url("http://a.test/v1/");
            let client = builder.default_headers(defaults.clone()).build().unwrap();
            client.get(url).send().unwrap();
            server.join();
            let head = server.received_text(0);
            assert_eq!(lines_of(&head, &NAMES), expected, "{url}");
        }
    }
}

/// The program has set them on this request, for the URL that it names.
#[test]
fn credentials_of_a_request_go_where_it_says() {
    let server = Script::serve(vec![answer(ok("")), answer(ok(""))]);
    let builder = at(&server).base_url("http://a.test/v1/").basic_auth("u", None::<&str>);
    let client = builder.pool_max_idle_per_host(0).build().unwrap();
    client.get("http://b.test/").bearer_auth("own").header("x-api-key", "own").send().unwrap();
    client.get("http://other:own@b.test/").send().unwrap();
    server.join();
    let names = ["authorization", "x-api-key"];
    let (first, second) = (server.received_text(0), server.received_text(1));
    assert_eq!(lines_of(&first, &names), ["authorization: Bearer own", "x-api-key: own"]);
    assert_eq!(lines_of(&second, &names), ["authorization: Basic b3RoZXI6b3du"]);
}

/// A foreign origin must not be able to use the credentials, not even by sending the client back.
#[test]
fn a_redirect_from_outside_to_the_base_gets_no_credentials() {
    let server = Script::serve(vec![moved(302, "http://a.test/v1/delete-all"), answer(ok(""))]);
    let client = at(&server).base_url("http://a.test/v1/").bearer_auth("s3cret").build().unwrap();
    client.get("http://b.test/").send().unwrap();
    server.join();
    assert!(server.received_text(1).starts_with("GET /v1/delete-all HTTP/1.1"));
    for hop in 0..2 {
        assert_eq!(lines_of(&server.received_text(hop), &["authorization"]), [""; 0], "{hop}");
    }
}

/// WHATWG URL §4.4: a relative reference has the user of its base, and any other URL has not.
#[test]
fn the_user_of_the_base_is_for_references_to_its_origin() {
    let rows = [
        ("x", Some("Basic dTpzM2NyZXQ=")),
        ("/x", Some("Basic dTpzM2NyZXQ=")),
        ("//b.test/x", None),
        ("http://b.test/x", None),
    ];
    for (url, expected) in rows {
        let server = Script::serve(vec![answer(ok(""))]);
        let client = at(&server).base_url("http://u:s3cret@a.test/v1/").build().unwrap();
        let response = client.get(url).send().unwrap();
        assert!(!response.url().as_str().contains("s3cret"));
        server.join();
        let found = lines_of(&server.received_text(0), &["authorization"]);
        let expected: Vec<_> =
            expected.map(|it| format!("authorization: {it}")).into_iter().collect();
        assert_eq!(found, expected, "{url}");
    }
}

/// They are a setting of the policy for fields of the request; the client's follow the same list.
#[test]
fn fields_that_are_allowed_to_other_origins_are_sent_outside_of_the_base() {
    let server = Script::serve(vec![answer(ok(""))]);
    let key = header::HeaderName::from_static("x-api-key");
    let defaults = [(key.clone(), HeaderValue::from_static("public"))].into_iter().collect();
    let client = at(&server)
        .base_url("http://a.test/v1/")
        .default_headers(defaults)
        .redirect(Policy::default().allow_cross_origin([key]))
        .build()
        .unwrap();
    client.get("http://b.test/").send().unwrap();
    server.join();
    assert_eq!(lines_of(&server.received_text(0), &["x-api-key"]), ["x-api-key: public"]);
}
