//! SOCKS proxies: versions 4, 4A and 5, with names looked up by the client or by the proxy.
#![cfg(all(feature = "blocking", feature = "tls", feature = "gzip"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use leanhttp::blocking::Client;
use leanhttp::error::{Kind, Phase};
use leanhttp::{Certificate, Error, Proxy};

use support::httpbin::Httpbin;
use support::net::{self, Silent};
use support::pki::Pki;
use support::script::{Script, Step, ok, send};

fn client(proxy: &str) -> Client {
    Client::builder().proxy(Proxy::all(proxy).unwrap()).build().unwrap()
}

/// The error of a GET through `proxy`.
fn fails(proxy: &str, url: &str) -> Error {
    client(proxy).get(url).send().unwrap_err()
}

#[test]
fn each_version_opens_a_tunnel_to_the_destination() {
    // The scheme, the host of the URL, the request that the proxy received.
    let cases = [
        ("socks4", "looked-up.test", "4  192.0.2.1"),
        ("socks4", "192.0.2.7", "4  192.0.2.7"),
        ("socks4a", "h.invalid", "4  h.invalid"),
        ("socks4a", "192.0.2.7", "4  192.0.2.7"),
        ("socks5", "looked-up.test", "5  192.0.2.1"),
        ("socks5", "[2001:db8::1]", "5  2001:db8::1"),
        ("socks5h", "h.invalid", "5  h.invalid"),
        // Although the client has an address for it, the proxy looks it up.
        ("socks5h", "looked-up.test", "5  looked-up.test"),
        ("socks5h", "192.0.2.7", "5  192.0.2.7"),
        ("socks5h", "[2001:db8::1]", "5  2001:db8::1"),
    ];
    let address: SocketAddr = "192.0.2.1:0".parse().unwrap();
    for (scheme, host, asked) in cases {
        let origin = Httpbin::start();
        let proxy = support::proxy::Proxy::socks(origin.addr());
        let by = Proxy::all(proxy.url(scheme)).unwrap();
        let client = Client::builder().proxy(by).resolve("looked-up.test", address);
        let client = client.build().unwrap();
        for _ in 0..2 {
            let url = format!("http://{host}:81/bytes/100000");
            let body = client.get(url).send().unwrap().bytes().unwrap();
            assert_eq!(body.len(), 100_000);
        }
        assert_eq!(proxy.asked(), [format!("{asked}:81")], "one connection, {scheme} {host}");
    }
}

/// The certificate is verified against the name of the origin.
#[test]
fn https_passes_through_a_socks_proxy() {
    let pki = Pki::new();
    let origin = Httpbin::start_tls(&pki);
    for scheme in ["socks4a", "socks5", "socks5h"] {
        let proxy = support::proxy::Proxy::socks(origin.addr());
        let ca = Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
        let builder = Client::builder().tls_certs_only([ca]);
        let client = builder.proxy(Proxy::all(proxy.url(scheme)).unwrap()).build().unwrap();
        let url = "https://localhost/post";
        let response = client.post(url).body(vec![b'x'; 300_000]).send().unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(proxy.asked().len(), 1);
    }
}

#[test]
fn logins_are_sent_or_refused() {
    let origin = Httpbin::start();
    let proxy = support::proxy::Proxy::socks_with_login(origin.addr(), "us er:p@ss");
    let port = proxy.addr().port();
    let by = |login: &str| client(&format!("socks5h://{login}127.0.0.1:{port}"));
    let url = "http://h.invalid/get";
    assert_eq!(by("us%20er:p%40ss@").get(url).send().unwrap().status(), 200);
    let wrong = by("u:secret@").get(url).send().unwrap_err();
    let line = wrong.to_string();
    assert_eq!((wrong.kind(), wrong.phase()), (Kind::Proxy, Phase::Proxy));
    let expected = format!(
        "asking for a tunnel to h.invalid:80 for {url} via the proxy socks5h://127.0.0.1:{port}: \
         the proxy refused the user name or the password"
    );
    assert_eq!(line, expected);
    let none = by("").get(url).send().unwrap_err().to_string();
    assert!(
        none.ends_with(": the proxy accepts none of the offered authentication methods"),
        "{none}"
    );

    let given = Proxy::all(format!("socks5h://127.0.0.1:{port}")).unwrap();
    let given = given.basic_auth("us er", "p@ss");
    let client = Client::builder().proxy(given).build().unwrap();
    assert_eq!(client.get(url).send().unwrap().status(), 200);
    assert_eq!(proxy.asked().len(), 2);

    let version_4 = support::proxy::Proxy::socks(origin.addr());
    let url_4 = version_4.url("socks4a").replace("//", "//user@");
    Client::builder().proxy(Proxy::all(url_4).unwrap()).build().unwrap().get(url).send().unwrap();
    assert_eq!(version_4.asked(), ["4 user h.invalid:80"]);
}

/// CVE-2023-38545 (curl): the length is one byte, and there is no fallback for longer names.
#[test]
fn n04_names_and_logins_that_are_too_long_are_not_sent() {
    let proxy = Script::serve(vec![]);
    let port = proxy.addr().port();
    let long = "x".repeat(256);
    let cases = [
        (format!("socks5h://127.0.0.1:{port}"), format!("http://{long}/")),
        (format!("socks5h://{long}:p@127.0.0.1:{port}"), "http://h.invalid/".to_owned()),
        (format!("socks5h://u:{long}@127.0.0.1:{port}"), "http://h.invalid/".to_owned()),
        (format!("socks4a://{long}@127.0.0.1:{port}"), "http://h.invalid/".to_owned()),
        (format!("socks4a://127.0.0.1:{port}"), "http://[2001:db8::1]/".to_owned()),
    ];
    for (by, url) in cases {
        let error = fails(&by, &url);
        assert!(error.is_connect() && !error.to_string().contains(&format!("{long}:")), "{error}");
    }
    assert_eq!(proxy.accepted(), 0);
}

#[test]
fn n04_invalid_replies_are_errors() {
    let cases: [(&[u8], &str); 7] = [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not an answer of this version of SOCKS"),
        (b"\x04\x5a", "not an answer of this version of SOCKS"),
        (b"\x05\x02", "chose an authentication method that was not offered (0x02)"),
        (b"\x05\0\x05\x05\0\x01\0\0\0\0\0\0", "the proxy refused: connection refused"),
        (b"\x05\0\x05\x02", "the proxy refused: not allowed by its rules"),
        (b"\x05", "the proxy closed the connection"),
        (b"\x05\0\x05\0\0", "the proxy closed the connection"),
    ];
    for (answer, expected) in cases {
        for size in [1, answer.len()] {
            let proxy = Script::serve(vec![vec![
                Step::Expect(b"\x05\x01\0".to_vec()),
                Step::SendSplit(answer.to_vec(), size),
                Step::Close,
            ]]);
            let error = fails(&format!("socks5h://{}", proxy.addr()), "http://h.invalid/");
            let line = error.to_string();
            assert_eq!((error.kind(), error.phase()), (Kind::Proxy, Phase::Proxy), "{line}");
            assert!(line.contains(expected), "{line}");
            assert!(error.is_connect() && error.status().is_none());
        }
    }
}

/// Bytes after the proxy's reply are the origin's.
#[test]
fn n04_replies_are_read_exactly() {
    let granted = b"\x05\0\x05\0\0\x03\x05proxy\0\x50".to_vec();
    for size in [1, 2, 3, 100] {
        let proxy = Script::serve(vec![vec![
            Step::Expect(b"\x05\x01\0".to_vec()),
            Step::SendSplit(granted[..2].to_vec(), size),
            Step::Expect(b"\x05\x01\0\x03\x09h.invalid\0\x50".to_vec()),
            Step::SendSplit(granted[2..].to_vec(), size),
            Step::ExpectRequest,
            send(ok("body")),
        ]]);
        let client = client(&format!("socks5h://{}", proxy.addr()));
        assert_eq!(client.get("http://h.invalid/").send().unwrap().text().unwrap(), "body");
        drop(client);
    }
}

/// The connect timeout covers the exchange with the proxy.
#[test]
fn t03_a_proxy_that_stalls_ends_with_the_connect_timeout() {
    let silent = Silent::start();
    let halfway = Script::serve(vec![vec![send(b"\x05\0"), Step::Silent]]);
    for addr in [silent.addr(), halfway.addr()] {
        let by = Proxy::all(format!("socks5h://{addr}")).unwrap();
        let limit = Duration::from_millis(150);
        let client = Client::builder().proxy(by).connect_timeout(limit).build().unwrap();
        let began = Instant::now();
        let error = client.get("http://h.invalid/").send().unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(5));
        assert_eq!((error.kind(), error.phase()), (Kind::Timeout, Phase::Proxy), "{error}");
        let line = error.to_string();
        let via = format!(" via the proxy socks5h://{addr}: timed out: no connection within 150ms");
        assert!(line.contains(&via), "{line}");
    }
}

#[test]
fn an_unreachable_proxy_is_an_error() {
    let addr = net::refused();
    let error = fails(&format!("socks5://user:secret@{addr}"), "http://192.0.2.1/");
    assert_eq!((error.kind(), error.phase()), (Kind::Connect, Phase::Connect));
    let line = error.to_string();
    let start =
        format!("connecting to {addr} for http://192.0.2.1/ via the proxy socks5://{addr}: ");
    assert!(line.starts_with(&start), "{line}");
}

/// CVE-2026-3784 (curl): a tunnel of one login, or to one origin, is not used for another.
#[test]
fn r14_tunnels_are_not_shared() {
    let origin = Httpbin::start();
    let proxy = support::proxy::Proxy::socks(origin.addr());
    let port = proxy.addr().port();
    let by = Proxy::custom(move |url: &leanhttp::Url| {
        let user = url.query()?;
        Some(format!("socks4a://{user}@127.0.0.1:{port}"))
    });
    let client = Client::builder().proxy(by).build().unwrap();
    for url in ["http://a.invalid/get?u", "http://a.invalid/get?v", "http://b.invalid/get?u"] {
        for _ in 0..2 {
            client.get(url).send().unwrap().bytes().unwrap();
        }
    }
    assert_eq!(proxy.asked(), ["4 u a.invalid:80", "4 v a.invalid:80", "4 u b.invalid:80"]);
}
