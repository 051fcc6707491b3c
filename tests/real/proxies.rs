//! HTTP proxies: squid and tinyproxy.

use std::io::Cursor;
use std::thread;

use leanhttp::blocking::Body;
use leanhttp::error::{Kind, Phase};
use leanhttp::{Client, Method, NoProxy, Proxy};

use super::servers::{assert_told, named, told, trusting};

const ORIGINS: [&str; 2] = ["HTTPBIN", "HTTPBIN_TLS"];
/// Scheme, login, and the variable with the address.
const PROXIES: [(&str, &str, &str); 4] = [
    ("http", "", "SQUID"),
    ("http", "user:pass@", "SQUID_BASIC"),
    ("https", "", "SQUID_TLS"),
    ("http", "user:pass@", "TINYPROXY"),
];
/// The status of a proxy for a wrong login; without a login it is 407.
const REFUSALS: [(&str, &str); 2] =
    [("SQUID_BASIC", "407 Proxy Authentication Required"), ("TINYPROXY", "401 Unauthorized")];

fn by(proxy: Proxy) -> Client {
    trusting().proxy(proxy).build().unwrap()
}

fn all(url: &str) -> Proxy {
    Proxy::all(url).unwrap()
}

#[test]
fn http_and_https_pass_through_each_proxy() {
    let Some(origins) = named(ORIGINS) else { return };
    for (scheme, login, variable) in PROXIES {
        let Some([proxy]) = named([variable]) else { return };
        let client = by(all(&format!("{scheme}://{login}{proxy}")));
        for origin in &origins {
            let seen = told(&client, &format!("{origin}/headers?show_env=1"));
            let fields = seen["headers"].as_object().unwrap();
            let leaked = fields.keys().find(|name| name.to_lowercase().starts_with("proxy-"));
            assert_eq!(leaked, None, "{variable} {origin}");
            let via_is_there = fields.contains_key("Via");
            assert_eq!(via_is_there, origin.starts_with("http:"), "{variable} {origin}");
        }
    }
}

#[test]
fn bodies_pass_in_both_directions() {
    let Some(origins) = named(ORIGINS) else { return };
    let body = "0123456789abcdef".repeat(40_000);
    for (scheme, login, variable) in PROXIES {
        let Some([proxy]) = named([variable]) else { return };
        let client = by(all(&format!("{scheme}://{login}{proxy}")));
        for origin in &origins {
            let response = client.post(format!("{origin}/post")).body(body.clone()).send().unwrap();
            assert_eq!(response.status(), 200, "{variable} {origin}");
            assert!(response.text().unwrap().contains(&body), "{variable} {origin}");
        }
    }
}

/// Chunked, encoded, empty, without a body, after redirects: a proxy frames responses in its own
/// way.
#[test]
fn responses_of_every_framing_pass() {
    let Some(origins) = named(ORIGINS) else { return };
    let rows = [
        (Method::GET, "/stream/20", 200, 20),
        (Method::GET, "/bytes/70000?seed=1", 200, 1),
        (Method::GET, "/status/204", 204, 0),
        (Method::GET, "/redirect/3", 200, 1),
        (Method::HEAD, "/get", 200, 0),
        (Method::DELETE, "/delete", 200, 1),
    ];
    for (scheme, login, variable) in PROXIES {
        let Some([proxy]) = named([variable]) else { return };
        let client = by(all(&format!("{scheme}://{login}{proxy}")));
        for (origin, (method, path, status, pieces)) in
            origins.iter().flat_map(|origin| rows.iter().map(move |row| (origin, row)))
        {
            let what = format!("{variable} {method} {origin}{path}");
            let response = client.request(method.clone(), format!("{origin}{path}")).send();
            let response = response.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(response.status(), *status, "{what}");
            let body = response.bytes().unwrap_or_else(|error| panic!("{what}: {error}"));
            let lines = body.split_inclusive(|byte| *byte == b'\n').count();
            assert!(lines >= *pieces && (*pieces > 0 || body.is_empty()), "{what}: {lines} lines");
            if path.starts_with("/bytes") {
                assert_eq!(body.len(), 70_000, "{what}");
            }
        }
    }
}

/// A body of unknown length, sent only after the server asks for it (RFC 9110 §10.1.1).
#[test]
fn chunked_uploads_pass() {
    let Some(origins) = named(ORIGINS) else { return };
    let text = "0123456789abcdef".repeat(20_000);
    for (scheme, login, variable) in PROXIES {
        let Some([proxy]) = named([variable]) else { return };
        let client = by(all(&format!("{scheme}://{login}{proxy}")));
        for (origin, ask_first) in
            origins.iter().flat_map(|origin| [(origin, false), (origin, true)])
        {
            let body = Body::new(Cursor::new(text.clone()));
            let request = client.post(format!("{origin}/post")).body(body);
            let response = request.expect_continue(ask_first).send().unwrap();
            assert_eq!(response.status(), 200, "{variable} {origin} {ask_first}");
            assert!(response.text().unwrap().contains(&text), "{variable} {origin} {ask_first}");
        }
    }
}

/// nginx numbers its connections.
#[test]
fn a_tunnel_is_reused() {
    let Some([_, origin]) = named(ORIGINS) else { return };
    for (scheme, login, variable) in PROXIES {
        let Some([proxy]) = named([variable]) else { return };
        let client = by(all(&format!("{scheme}://{login}{proxy}")));
        let connections: Vec<_> =
            (0..3).map(|_| told(&client, &format!("{origin}/tls"))["connection"].clone()).collect();
        assert!(connections.iter().all(|c| *c == connections[0]), "{variable}: {connections:?}");
        assert_eq!(client.pool_stats().idle, 1, "{variable}");
    }
}

#[test]
fn a_wrong_login_is_an_error_with_the_proxys_response() {
    let Some([plain, tls]) = named(ORIGINS) else { return };
    for (variable, refusal) in REFUSALS {
        let Some([proxy]) = named([variable]) else { return };
        let none = "407 Proxy Authentication Required";
        for (login, answer) in [("", none), ("user:secret@", refusal), ("secret:pass@", refusal)] {
            let client = by(all(&format!("http://{login}{proxy}")));
            let error = client.get(&tls).send().unwrap_err();
            let via = format!(" via the proxy http://{proxy}: the proxy answered {answer}: ");
            let parts = ["asking for a tunnel to localhost:", &via, "<html"];
            assert_told(&error, (Kind::Proxy, Phase::Proxy), &parts);
            assert!(answer.starts_with(error.status().unwrap().as_str()));
            let response = client.get(&plain).send().unwrap();
            assert!(answer.starts_with(response.status().as_str()), "{variable} {login}");
        }
    }
}

/// Each request gets its own response.
#[test]
fn concurrent_requests_get_their_own_responses() {
    let Some(origins) = named(ORIGINS) else { return };
    for (scheme, login, variable) in PROXIES {
        let Some([proxy]) = named([variable]) else { return };
        let client = by(all(&format!("{scheme}://{login}{proxy}")));
        let ask = |thread: usize| {
            for turn in 0..10 {
                let origin = &origins[(thread + turn) % 2];
                let seen = told(&client, &format!("{origin}/get?id={thread}-{turn}"));
                assert_eq!(seen["args"]["id"], format!("{thread}-{turn}"), "{variable} {origin}");
            }
        };
        thread::scope(|scope| {
            for number in 0..8 {
                scope.spawn(move || ask(number));
            }
        });
        assert!(client.pool_stats().open <= 16, "{variable}: {:?}", client.pool_stats());
    }
}

/// A proxy responds in place of an unreachable origin.
#[test]
fn an_unreachable_origin_is_reported() {
    let Some([_, squid]) = named(["HTTPBIN", "SQUID"]) else { return };
    let Some([tinyproxy]) = named(["TINYPROXY"]) else { return };
    let rows = [(squid, 503), (format!("user:pass@{tinyproxy}"), 500)];
    for (proxy, status) in rows {
        let client = by(all(&format!("http://{proxy}")));
        let error = client.get("https://127.0.0.1:9/").send().unwrap_err();
        let answer = format!(": the proxy answered {status} ");
        let parts = ["asking for a tunnel to 127.0.0.1:9 for https://127.0.0.1:9/", &answer];
        assert_told(&error, (Kind::Proxy, Phase::Proxy), &parts);
        assert_eq!(client.get("http://127.0.0.1:9/").send().unwrap().status(), status);
    }
}

/// CVE-2021-22890 (curl): the proxy's certificate is verified like the origin's.
#[test]
fn an_untrusted_proxy_is_refused() {
    let Some([origin, proxy]) = named(["HTTPBIN", "SQUID_TLS"]) else { return };
    let proxy = all(&format!("https://{proxy}"));
    let error = Client::builder().proxy(proxy).build().unwrap().get(origin).send().unwrap_err();
    let parts =
        ["TLS handshake with localhost:", " via the proxy https://localhost:", "UnknownIssuer"];
    assert_told(&error, (Kind::Tls, Phase::Handshake), &parts);
}

#[test]
fn no_proxy_means_direct() {
    let Some([origin, proxy]) = named(["HTTPBIN", "SQUID"]) else { return };
    let rows = [
        ("", true),
        ("127.0.0.1", false),
        ("127.0.0.0/8", false),
        ("*", false),
        ("localhost, .example.org", true),
        ("127.0.0.1:1", true),
    ];
    for (list, by_proxy) in rows {
        let client = by(all(&format!("http://{proxy}")).no_proxy(NoProxy::from_string(list)));
        let seen = told(&client, &format!("{origin}/headers?show_env=1"));
        assert_eq!(seen["headers"].get("Via").is_some(), by_proxy, "{list:?}");
    }
}

#[test]
fn each_scheme_has_its_own() {
    let Some([plain, tls]) = named(ORIGINS) else { return };
    let Some([proxy]) = named(["SQUID"]) else { return };
    let address = format!("http://{proxy}");
    let nowhere = "http://127.0.0.1:9";
    let builder = trusting().proxy(Proxy::http(&address).unwrap());
    let client = builder.proxy(Proxy::https(nowhere).unwrap()).build().unwrap();
    let seen = told(&client, &format!("{plain}/headers?show_env=1"));
    assert!(seen["headers"].get("Via").is_some());
    let error = client.get(tls).send().unwrap_err();
    assert_told(&error, (Kind::Connect, Phase::Connect), &["connecting to 127.0.0.1:9", nowhere]);
}
