//! HTTP proxies, plain and over TLS: what each peer receives, and how responses of proxies are
//! handled.
#![cfg(all(feature = "blocking", feature = "tls", feature = "gzip", feature = "cookies"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::time::{Duration, Instant};

use leanhttp::blocking::{Client, ClientBuilder};
use leanhttp::error::{Fault, Kind, Phase};
use leanhttp::header::{
    AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHORIZATION,
};
use leanhttp::{Certificate, Method, NoProxy, Proxy, Url};

use support::httpbin::Httpbin;
use support::net::{self, Silent};
use support::pki::{Leaf, Pki};
use support::proxy::Proxy as Tunnels;
use support::script::{Connection, Script, Step, answer, drip, expect, moved, ok, pause, send};

const BASIC: &str = "proxy-authorization: Basic cHU6cHA=\r\n"; // pu:pp

fn by(proxy: impl leanhttp::proxy::IntoProxy) -> ClientBuilder {
    Client::builder().proxy(Proxy::all(proxy).unwrap())
}

/// Without the client's fields that these tests do not concern.
fn bare(builder: ClientBuilder) -> Client {
    let mut none = HeaderMap::new();
    none.insert("accept", HeaderValue::from_static("*/*"));
    none.insert("user-agent", HeaderValue::from_static("t"));
    builder.default_headers(none).no_gzip().no_deflate().no_brotli().no_zstd().build().unwrap()
}

fn trusting(pki: &Pki, builder: ClientBuilder) -> ClientBuilder {
    builder.tls_certs_only([Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap()])
}

fn fields(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let pairs = fields
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    pairs.collect()
}

mod forwarding {
    use super::*;

    /// RFC 9112 §3.2.2; RFC 9110 §4.2.4, §7.2.
    #[test]
    fn the_proxy_receives_the_absolute_url() {
        let request = |target: &str, host: &str, more: &str| {
            expect(format!(
                "GET {target} HTTP/1.1\r\nhost: {host}\r\nuser-agent: t\r\naccept: */*\r\n{more}\r\n"
            ))
        };
        let proxy = Script::serve(vec![vec![
            request("http://h.invalid/a?b=c", "h.invalid", BASIC),
            send(ok("1")),
            request(
                "http://h.invalid:81/",
                "h.invalid:81",
                &format!("authorization: Basic dTpw\r\n{BASIC}"),
            ),
            send(ok("2")),
            request("http://[2001:db8::1]/", "[2001:db8::1]", BASIC),
            send(ok("3")),
        ]]);
        let client = bare(by(format!("http://pu:pp@{}", proxy.addr())));
        let urls = ["http://h.invalid/a?b=c#f", "http://u:p@h.invalid:81", "http://[2001:db8::1]/"];
        for url in urls {
            let response = client.get(url).send().unwrap();
            assert_eq!(response.remote_addr(), Some(proxy.addr()));
            response.bytes().unwrap();
        }
        assert_eq!(client.pool_stats().idle, 1, "all origins share the connection");
    }

    #[test]
    fn a_proxy_may_be_reached_over_tls() {
        let pki = Pki::new();
        let proxy = Script::serve_tls(vec![answer(ok("yes"))], pki.server_config(Leaf::Good));
        let client = trusting(&pki, by(proxy.url("/"))).build().unwrap();
        assert_eq!(client.get("http://h.invalid/").send().unwrap().text().unwrap(), "yes");
        assert!(proxy.received_text(0).starts_with("GET http://h.invalid/ HTTP/1.1\r\n"));
    }

    #[test]
    fn the_proxy_receives_its_own_fields() {
        let proxy = Script::serve(vec![vec![
            Step::ExpectRequest,
            send(ok("")),
            Step::ExpectRequest,
            send(ok("")),
        ]]);
        let own = fields(&[("x-proxy", "1"), ("x-both", "proxy"), ("user-agent", "proxy")]);
        let own = Proxy::http(proxy.url("")).unwrap().headers(own);
        let own = own.custom_http_auth(HeaderValue::from_static("Custom x"));
        let client = Client::builder().proxy(own).build().unwrap();
        let get = || client.get("http://h.invalid/").header("x-both", "request");
        get().send().unwrap();
        // A field of the request precedes that of the client.
        get().header(PROXY_AUTHORIZATION, "Custom y").send().unwrap();
        let sent = proxy.received_text(0);
        let lines = |start: &str| {
            sent.lines()
                .filter(|line| line.starts_with(start))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(lines("x-proxy"), ["x-proxy: 1", "x-proxy: 1"]);
        assert_eq!(lines("x-both"), ["x-both: request", "x-both: request"]);
        assert_eq!(lines("user-agent: proxy"), [""; 0]);
        let logins = ["proxy-authorization: Custom x", "proxy-authorization: Custom y"];
        assert_eq!(lines("proxy-authorization"), logins);
    }

    /// The 407 is the proxy's response to a request that it received.
    #[test]
    fn a_407_is_a_response() {
        let refused = "HTTP/1.1 407 Who are you\r\nproxy-authenticate: Basic realm=\"p\"\r\n\
                       content-length: 4\r\n\r\nwho?";
        let proxy = Script::serve(vec![answer(refused)]);
        let client = by(proxy.url("")).build().unwrap();
        let response = client.get("http://h.invalid/").send().unwrap();
        assert_eq!(response.status(), 407);
        assert_eq!(response.text().unwrap(), "who?");
    }

    #[test]
    fn the_proxy_receives_the_body() {
        let proxy = Script::serve(vec![answer(ok("done"))]);
        let client = by(proxy.url("")).build().unwrap();
        client.post("http://h.invalid/").body("text").send().unwrap();
        let sent = proxy.received_text(0);
        assert!(sent.starts_with("POST http://h.invalid/ "), "{sent}");
        assert!(sent.ends_with("content-length: 4\r\n\r\ntext"), "{sent}");
    }

    /// CVE-2026-3784 (curl).
    #[test]
    fn r14_connections_of_different_logins_are_not_shared() {
        let proxy = Script::serve(vec![answer(ok("")), answer(ok("")), answer(ok(""))]);
        let addr = proxy.addr();
        let choose = move |url: &Url| match url.path() {
            "/direct" => None,
            path => Some(format!("http://{}:p@{addr}", path.trim_start_matches('/'))),
        };
        let builder = Client::builder().proxy(Proxy::custom(choose)).resolve("h.invalid", addr);
        let client = builder.build().unwrap();
        for path in ["u1", "u2", "direct"] {
            client.get(format!("http://h.invalid:{}/{path}", addr.port())).send().unwrap();
        }
        assert_eq!(client.pool_stats().idle, 3);
    }

    #[test]
    fn an_error_names_the_proxy_and_not_its_login() {
        let addr = net::refused();
        let client = by(format!("http://pu:secret@{addr}")).build().unwrap();
        let error = client.get("http://h.invalid/").send().unwrap_err();
        assert_eq!((error.kind(), error.phase()), (Kind::Connect, Phase::Connect));
        let line = error.to_string();
        let start =
            format!("connecting to {addr} for http://h.invalid/ via the proxy http://{addr}: ");
        assert!(line.starts_with(&start), "{line}");

        let proxy = Script::serve(vec![vec![Step::ExpectRequest, Step::Close]]);
        let client = by(format!("http://pu:secret@{}", proxy.addr())).build().unwrap();
        let line = client.get("http://h.invalid/").send().unwrap_err().to_string();
        let via = format!(" for http://h.invalid/ via the proxy http://{}: ", proxy.addr());
        assert!(line.contains(&via) && !line.contains("secret"), "{line}");
    }
}

mod tunnels {
    use super::*;

    /// CVE-2015-3153 (curl), CVE-2023-32681 (requests).
    #[test]
    fn r12_the_proxy_sees_host_and_port_and_the_origin_sees_no_login() {
        let pki = Pki::new();
        let origin = Script::serve_tls(
            vec![vec![Step::ExpectRequest, send(ok("1")), Step::ExpectRequest, send(ok("2"))]],
            pki.server_config(Leaf::Good),
        );
        let proxy = Tunnels::http(origin.addr());
        let own = Proxy::all(proxy.url("http")).unwrap().basic_auth("pu", "pp");
        let own = own.headers(fields(&[("x-proxy", "1"), ("proxy-connection", "keep-alive")]));
        let defaults =
            fields(&[("x-default", "secret"), ("proxy-authorization", "Default secret")]);
        let builder = Client::builder().proxy(own).cookie_store(true).default_headers(defaults);
        let client = trusting(&pki, builder).build().unwrap();
        for _ in 0..2 {
            let request = client
                .get("https://u:secret@localhost/path")
                .header(COOKIE, "k=secret")
                .header(PROXY_AUTHORIZATION, "Own secret")
                .header("x-secret", "secret");
            request.send().unwrap().bytes().unwrap();
        }
        let asked = proxy.asked();
        assert_eq!(asked.len(), 1, "the tunnel is used again");
        let mut lines: Vec<_> = asked[0].trim_end().lines().collect();
        lines[2..].sort_unstable();
        let expected = [
            "CONNECT localhost:443 HTTP/1.1",
            "host: localhost:443",
            "proxy-authorization: Basic cHU6cHA=",
            "proxy-connection: keep-alive",
            concat!("user-agent: leanhttp/", env!("CARGO_PKG_VERSION")),
            "x-proxy: 1",
        ];
        assert_eq!(lines, expected);
        let sent = origin.received_text(0);
        assert!(sent.starts_with("GET /path HTTP/1.1\r\nhost: localhost\r\n"), "{sent}");
        assert!(sent.contains("authorization: Basic dTpzZWNyZXQ="), "{sent}");
        assert!(!sent.contains("proxy-") && !sent.contains("x-proxy"), "{sent}");
    }

    #[test]
    fn bodies_of_any_size_pass_in_both_directions() {
        let pki = Pki::new();
        let origin = Httpbin::start_tls(&pki);
        let plain = Tunnels::http(origin.addr());
        let over_tls = Tunnels::https(origin.addr(), pki.server_config(Leaf::Good));
        for (proxy, scheme) in [(&plain, "http"), (&over_tls, "https")] {
            let client = trusting(&pki, by(proxy.url(scheme))).build().unwrap();
            for size in [0, 1, 20_000, 700_000] {
                let url = origin.url("/post");
                let response = client.post(&url).body(vec![b'x'; size]).send().unwrap();
                let text = response.text().unwrap();
                assert!(text.contains(&"x".repeat(size)), "{scheme} {size}: {}", text.len());
            }
            assert_eq!(proxy.asked().len(), 1, "{scheme}: one tunnel");
            assert_eq!(client.pool_stats().idle, 1);
        }
        assert_eq!(origin.connections_opened(), 2);
    }

    /// CVE-2021-22890 (curl): the certificates of proxy and origin are not confused.
    #[test]
    fn n09_proxy_and_origin_are_verified_by_their_own_names() {
        let pki = Pki::new();
        let config = |leaf| pki.server_config(leaf);
        let client = |proxy: &Tunnels| trusting(&pki, by(proxy.url("https"))).build().unwrap();
        let url = "https://other.example/";
        let origin = Script::serve_tls(vec![answer(ok("yes"))], config(Leaf::WrongName));
        let proxy = Tunnels::https(origin.addr(), config(Leaf::Good));
        assert_eq!(client(&proxy).get(url).send().unwrap().text().unwrap(), "yes");

        let proxy = Tunnels::https(origin.addr(), config(Leaf::WrongName));
        let error = client(&proxy).get(url).send().unwrap_err();
        assert_eq!((error.kind(), error.phase()), (Kind::Tls, Phase::Handshake));
        let port = proxy.addr().port();
        let start = format!(
            "TLS handshake with localhost:{port} for https://other.example/ \
             via the proxy https://localhost:{port}: "
        );
        assert!(error.to_string().starts_with(&start), "{error}");
        assert_eq!(proxy.asked().len(), 0);
    }

    #[test]
    fn n09_a_wrong_certificate_of_the_origin_is_refused() {
        let pki = Pki::new();
        let origin = Script::serve_tls(vec![vec![Step::Silent]], pki.server_config(Leaf::Good));
        let proxy = Tunnels::https(origin.addr(), pki.server_config(Leaf::Good));
        let client = trusting(&pki, by(proxy.url("https"))).build().unwrap();
        let error = client.get("https://other.example/").send().unwrap_err();
        assert_eq!((error.kind(), error.phase()), (Kind::Tls, Phase::Handshake));
        let start = format!(
            "TLS handshake with other.example:443 for https://other.example/ \
             via the proxy https://localhost:{}: ",
            proxy.addr().port()
        );
        assert!(error.to_string().starts_with(&start), "{error}");
    }

    /// RFC 9110 §15.5.8: over a proxy that forwards, it is the response, and an error only if asked for.
    #[test]
    fn the_error_of_a_407_says_who_wants_the_login() {
        let wants_login = "HTTP/1.1 407 Who\r\nproxy-authenticate: Basic realm=\"p\"\r\ncontent-length: 0\r\n\r\n";
        let proxy = Script::serve(vec![answer(wants_login)]);
        let client = by(format!("http://{}", proxy.addr())).build().unwrap();
        let response = client.get("http://a.test/").send().unwrap();
        let error = response.error_for_status().unwrap_err();
        assert_eq!((error.kind(), error.status().map(|it| it.as_u16())), (Kind::Status, Some(407)));
        let line = "407 Proxy Authentication Required (\"Who\") for http://a.test/; \
                    the login is missing or wrong: `Proxy::basic_auth` sets it";
        assert_eq!(error.to_string(), line);
    }

    /// RFC 9110 §9.3.6: only a 2xx opens a tunnel.
    #[test]
    fn n03_a_refused_tunnel_keeps_status_and_text() {
        let long = "x".repeat(5000);
        let large = format!("HTTP/1.1 403 No\r\ncontent-length: 5000\r\n\r\n{long}");
        let cases = [
            (
                "HTTP/1.1 407 Who\r\nproxy-authenticate: Basic realm=\"p\"\r\n\
                 set-cookie: a=b\r\ncontent-length: 9\r\n\r\nsay who\r\n",
                407,
                "the proxy answered 407 Proxy Authentication Required: say who; \
                 the login is missing or wrong: `Proxy::basic_auth` sets it",
            ),
            (
                "HTTP/1.1 302 Found\r\nlocation: https://evil.invalid/\r\ncontent-length: 0\r\n\r\n",
                302,
                "the proxy answered 302 Found",
            ),
            ("HTTP/1.1 502 Bad\r\n\r\noops", 502, "the proxy answered 502 Bad Gateway: oops"),
            (
                "HTTP/1.1 503 X\r\ntransfer-encoding: chunked\r\n\r\n4\r\nlate\r\n0\r\n\r\n",
                503,
                "the proxy answered 503 Service Unavailable: late",
            ),
            ("HTTP/1.0 500 X\r\n\r\n", 500, "the proxy answered 500 Internal Server Error"),
            (&large, 403, "the proxy answered 403 Forbidden: xxxx"),
        ];
        for (refusal, status, expected) in cases {
            for size in [1, refusal.len()] {
                let proxy = Script::serve(vec![vec![
                    Step::ExpectHead,
                    Step::SendSplit(refusal.into(), size),
                    Step::Close,
                ]]);
                let client = by(proxy.url("")).cookie_store(true).build().unwrap();
                let error = client.get("https://h.invalid/").send().unwrap_err();
                assert_eq!((error.kind(), error.phase()), (Kind::Proxy, Phase::Proxy), "{error}");
                assert_eq!(error.status().unwrap(), status);
                assert!(error.is_connect() && !error.is_status() && !error.is_timeout());
                assert_eq!(error.fault(), Fault::Network);
                let line = error.to_string();
                let start = format!(
                    "asking for a tunnel to h.invalid:443 for https://h.invalid/ \
                     via the proxy http://{}: {expected}",
                    proxy.addr()
                );
                assert!(line.starts_with(&start) && line.len() < 1000, "{line}");
            }
        }
    }

    #[test]
    fn n03_an_invalid_reply_to_connect_is_an_error() {
        let flood = "HTTP/1.1 103 X\r\n\r\n".repeat(20);
        let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "x".repeat(70_000));
        let cases = [
            ("HTTP/1.1 200 OK\r\nhal", Kind::Truncated),
            ("", Kind::Io),
            ("SSH-2.0-x\r\n", Kind::Protocol),
            ("HTTP/1.1 101 Up\r\n\r\n", Kind::Protocol),
            ("HTTP/1.1 100 Continue\r\n\r\n", Kind::Truncated),
            (&flood, Kind::Limit),
            (&endless, Kind::Limit),
        ];
        for (said, kind) in cases {
            let proxy = Script::serve(vec![vec![Step::ExpectHead, send(said), Step::Close]]);
            let client = by(proxy.url("")).build().unwrap();
            let error = client.get("https://h.invalid/").send().unwrap_err();
            assert_eq!((error.kind(), error.phase()), (kind, Phase::Proxy), "{error}");
            assert_eq!(error.status(), None);
        }
    }

    /// A 2xx to `CONNECT` has no body: what follows belongs to the tunnel, and a server does not
    /// begin TLS.
    #[test]
    fn n03_bytes_behind_a_2xx_are_not_read_as_tls() {
        let said = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
        for size in [1, said.len()] {
            let steps = vec![Step::ExpectHead, Step::SendSplit(said.into(), size), Step::Close];
            let proxy = Script::serve(vec![steps]);
            let client = by(proxy.url("")).build().unwrap();
            let error = client.get("https://h.invalid/").send().unwrap_err();
            assert_eq!((error.kind(), error.phase()), (Kind::Tls, Phase::Handshake), "{error}");
        }
    }

    /// Interim responses are skipped, and 204 is as good as 200.
    #[test]
    fn any_2xx_opens_the_tunnel() {
        let said = ["HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 204 No\r\n\r\n"];
        for said in said {
            let steps = vec![Step::ExpectHead, send(said), expect([0x16, 3]), Step::Close];
            let proxy = Script::serve(vec![steps]);
            let client = by(proxy.url("")).build().unwrap();
            let error = client.get("https://h.invalid/").send().unwrap_err();
            assert_eq!(error.phase(), Phase::Handshake, "{error}");
        }
    }

    /// The connect timeout covers the exchange with the proxy and both handshakes.
    #[test]
    fn t03_a_proxy_that_stalls_ends_with_the_connect_timeout() {
        let pki = Pki::new();
        let silent = Silent::start();
        let tls_only = Script::serve_tls(vec![vec![Step::Silent]], pki.server_config(Leaf::Good));
        let opened = "HTTP/1.1 200 OK\r\n\r\n";
        let never_tls = Script::serve(vec![vec![Step::ExpectHead, send(opened), Step::Silent]]);
        let dripping: Connection =
            [vec![Step::ExpectHead], drip("HTTP/1.1 200 Connection established\r\n\r\n", 100)]
                .concat();
        let dripping = Script::serve(vec![dripping]);
        let port = |addr: std::net::SocketAddr| addr.port();
        let cases = [
            ("http", port(silent.addr()), Phase::Proxy),
            ("https", port(silent.addr()), Phase::Handshake),
            ("https", port(tls_only.addr()), Phase::Proxy),
            ("http", port(never_tls.addr()), Phase::Handshake),
            ("http", port(dripping.addr()), Phase::Proxy),
        ];
        for (scheme, port, phase) in cases {
            let builder = by(format!("{scheme}://u:secret@localhost:{port}"));
            let limit = Duration::from_millis(400);
            let client = trusting(&pki, builder).connect_timeout(limit).build().unwrap();
            let began = Instant::now();
            let error = client.get("https://h.invalid/").send().unwrap_err();
            assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
            assert_eq!((error.kind(), error.phase()), (Kind::Timeout, phase), "{error}");
            let line = error.to_string();
            let via = format!(
                "via the proxy {scheme}://localhost:{port}: timed out: no connection within"
            );
            assert!(line.contains(&via) && !line.contains("secret"), "{line}");
        }
    }

    /// The client waits a moment for the reason, but not the time of the call.
    #[test]
    fn an_endless_refusal_is_cut_off() {
        let said = "HTTP/1.1 403 No\r\ncontent-length: 100\r\n\r\nbecause";
        let proxies = [
            vec![Step::ExpectHead, send(said), Step::Silent],
            vec![Step::ExpectHead, send(said), Step::Reset],
            vec![Step::ExpectHead, send(said), pause(50), send("x".repeat(20)), Step::Silent],
        ];
        for steps in proxies {
            let proxy = Script::serve(vec![steps]);
            let client = by(proxy.url("")).build().unwrap();
            let began = Instant::now();
            let error = client.get("https://h.invalid/").send().unwrap_err();
            assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
            assert_eq!(error.status().unwrap(), 403, "{error}");
            assert!(error.to_string().contains("403 Forbidden: because"), "{error}");
        }
        // Not even if the connect timeout ends first.
        let proxy = Script::serve(vec![vec![Step::ExpectHead, send(said), Step::Silent]]);
        let limit = Duration::from_millis(300);
        let client = by(proxy.url("")).connect_timeout(limit).build().unwrap();
        let error = client.get("https://h.invalid/").send().unwrap_err();
        assert_eq!((error.kind(), error.status().unwrap().as_u16()), (Kind::Proxy, 403), "{error}");
    }

    /// A tunnel that ends in the middle of a response truncates it, whatever the proxy says.
    #[test]
    fn the_end_of_the_tunnel_truncates_the_body() {
        let pki = Pki::new();
        let config = pki.server_config(Leaf::Good);
        let until_close = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\npart";
        let steps = vec![Step::ExpectRequest, send(until_close), Step::Cut];
        let origin = Script::serve_tls(vec![steps], config.clone());
        let proxy = Tunnels::https(origin.addr(), config);
        let client = trusting(&pki, by(proxy.url("https"))).build().unwrap();
        let error = client.get(origin.url("/")).send().unwrap().text().unwrap_err();
        assert_eq!(error.kind(), Kind::Truncated, "{error}");
    }
}

mod choosing {
    use super::*;

    #[test]
    fn rules_match_by_scheme_host_and_order() {
        let proxy = Script::serve(vec![answer(ok("first")), answer(ok("second"))]);
        let first = Proxy::http(proxy.url("")).unwrap();
        let first = first.no_proxy(NoProxy::from_string("b.invalid, 127.0.0.0/8"));
        let second = Proxy::all(format!("http://u@{}", proxy.addr())).unwrap();
        let second = second.no_proxy(NoProxy::from_string("127.0.0.1"));
        let client = Client::builder().proxy(first).proxy(second).build().unwrap();
        for (url, login) in [("http://a.invalid/", false), ("http://b.invalid/", true)] {
            client.get(url).send().unwrap().bytes().unwrap();
            let sent = proxy.received_text(usize::from(login));
            assert_eq!(sent.contains("proxy-authorization"), login, "{sent}");
        }
        let origin = Httpbin::start();
        assert_eq!(client.get(origin.url("/get")).send().unwrap().status(), 200);
    }

    #[test]
    fn no_proxy_removes_all_proxies() {
        let origin = Httpbin::start();
        let client = by(format!("http://{}", net::refused())).no_proxy().build().unwrap();
        assert_eq!(client.get(origin.url("/get")).send().unwrap().status(), 200);
    }

    #[test]
    fn an_invalid_proxy_is_an_error() {
        let build = |proxy: Proxy| Client::builder().proxy(proxy).build().unwrap_err();
        assert!(Proxy::all("ftp://p").unwrap_err().is_builder());
        assert!(Proxy::all("http://[::1%25.example.com]").unwrap_err().is_builder(), "n08");
        assert!(build(Proxy::all("p").unwrap().basic_auth("a:b", "c")).is_builder());
        let error = Proxy::http("http://u:secret@p:x").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        let broken = Proxy::custom(|_: &Url| Some("p:x"));
        let client = Client::builder().proxy(broken).build().unwrap();
        let error = client.get("http://h.invalid/").send().unwrap_err();
        assert!(error.is_builder() && error.url().is_some(), "{error}");
    }

    /// CVE-2023-32681 (requests), CVE-2026-6253 (curl): each hop has its proxy, and each proxy its
    /// login; credentials of the caller for the first proxy are sent to no other.
    #[test]
    fn r11_each_redirect_selects_its_proxy() {
        let origin = Script::serve(vec![answer(ok("direct"))]);
        let direct = format!("http://direct.invalid:{}/", origin.addr().port());
        let second = Script::serve(vec![moved(302, &direct)]);
        let first = Script::serve(vec![moved(302, "http://second.invalid/")]);
        let (one, two) = (first.addr(), second.addr());
        let choose = move |url: &Url| match url.host_str()? {
            "first.invalid" => Some(format!("http://one:secret1@{one}")),
            "second.invalid" => Some(format!("http://two:secret2@{two}")),
            _ => None,
        };
        let client = Client::builder()
            .proxy(Proxy::custom(choose))
            .resolve("direct.invalid", origin.addr())
            .build()
            .unwrap();
        let get = client.get("http://first.invalid/").header(PROXY_AUTHORIZATION, "Own secret");
        let response = get.header(AUTHORIZATION, "Own token").send().unwrap();
        assert_eq!(response.text().unwrap(), "direct");
        let sent = [&first, &second, &origin].map(|peer| peer.received_text(0));
        let logins = |sent: &str| {
            let lines = sent.lines().filter_map(|line| line.strip_prefix("proxy-authorization: "));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(logins(&sent[0]), ["Own secret"]);
        assert_eq!(logins(&sent[1]), ["Basic dHdvOnNlY3JldDI="]);
        assert_eq!(logins(&sent[2]), [""; 0]);
        assert!(!sent[1].contains("token") && !sent[2].contains("token"));
        assert!(sent[2].starts_with("GET / HTTP/1.1\r\n"), "{}", sent[2]);
    }

    /// CVE-2023-32681 (requests): the field is for the proxy of the request; without a proxy it is
    /// sent to no server.
    #[test]
    fn r11_proxy_authorization_is_not_sent_to_an_origin() {
        let origin = Script::serve(vec![answer(ok(""))]);
        let proxy = Proxy::all("http://u:secret@p.invalid").unwrap();
        let proxy = proxy.no_proxy(NoProxy::from_string("127.0.0.1"));
        let defaults = fields(&[("proxy-authorization", "Default secret")]);
        let client = Client::builder().proxy(proxy).default_headers(defaults).build().unwrap();
        client.get(origin.url("/")).header(PROXY_AUTHORIZATION, "Own secret").send().unwrap();
        assert!(!origin.received_text(0).contains("proxy"), "{}", origin.received_text(0));
    }

    /// The next request to the same proxy sends the same login, for any destination.
    #[test]
    fn a_login_of_the_caller_stays_with_its_proxy() {
        let proxy = Script::serve(vec![moved(302, "http://b.invalid/"), answer(ok(""))]);
        let client = by(proxy.url("")).build().unwrap();
        client.get("http://a.invalid/").header(PROXY_AUTHORIZATION, "Own").send().unwrap();
        for i in 0..2 {
            assert!(proxy.received_text(i).contains("proxy-authorization: Own\r\n"));
        }
    }

    /// RFC 9112 §3.2.2, §3.2.4.
    #[test]
    fn a_request_target_of_the_caller_is_sent_unchanged() {
        let cases = [
            ("/a/../b", "http://h.invalid:81/a/../b"),
            ("//other.invalid/", "http://h.invalid:81//other.invalid/"),
            ("*", "http://h.invalid:81"),
            ("http://h.invalid:81/a/../b", "http://h.invalid:81/a/../b"),
            ("http://h.invalid:81?a", "http://h.invalid:81?a"),
        ];
        for (target, expected) in cases {
            let proxy = Script::serve(vec![answer(ok(""))]);
            let client = by(proxy.url("")).build().unwrap();
            let ask = client.request(Method::OPTIONS, "http://h.invalid:81/page");
            ask.request_target(target).send().unwrap();
            let sent = proxy.received_text(0);
            let line = format!("OPTIONS {expected} HTTP/1.1\r\nhost: h.invalid:81\r\n");
            assert!(sent.starts_with(&line), "{sent}");
        }
    }

    /// The proxy uses the target alone: one that names another host would send it data that is
    /// meant for the URL's host.
    #[test]
    fn r11_a_request_target_must_name_the_host_of_the_url() {
        let targets = [
            "http://other.invalid/",
            "http://h.invalid/",
            "https://h.invalid:81/",
            "http://h.invalid:81@other.invalid/",
            "http://h.invalid:810/",
            "http://h.invalid:81\\@other.invalid/",
            "http://u:p@h.invalid:81/",
            "@other.invalid/",
            "other.invalid:81",
        ];
        let proxy = Script::serve(vec![]);
        let client = by(proxy.url("")).basic_auth("user", Some("secret")).build().unwrap();
        for target in targets {
            let ask = client.get("http://h.invalid:81/").request_target(target);
            let outcome = ask.timeout(Duration::from_secs(1)).send();
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), Kind::Builder, "{target}: {error}");
        }
        assert_eq!(proxy.accepted(), 0);
    }
}

/// A test cannot change the environment of its process safely, so each of these runs one test below
/// in a child process.
mod environment {
    use std::process::Command;

    use super::*;

    fn run(name: &str, variables: &[(&str, String)]) {
        let mut child = Command::new(std::env::current_exe().unwrap());
        let (_, module) = module_path!().split_once("::").unwrap();
        child.args(["--exact", &format!("{module}::{name}"), "--ignored"]).env_clear();
        let output = child.envs(variables.iter().cloned()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{variables:?}: {text}");
    }

    #[test]
    fn variables_name_the_proxies() {
        let proxy = Script::serve(vec![answer(ok("by the proxy"))]);
        let url = format!("http://pu:pp@{}", proxy.addr());
        run("goes_by_it", &[("http_proxy", url), ("no_proxy", "x.invalid".into())]);
        let sent = proxy.received_text(0);
        assert!(sent.starts_with("GET http://h.invalid/ ") && sent.contains(BASIC), "{sent}");
    }

    #[test]
    #[ignore = "run by another test, with an environment of its own"]
    fn goes_by_it() {
        let response = Client::new().get("http://h.invalid/").send().unwrap();
        assert_eq!(response.text().unwrap(), "by the proxy");
    }

    #[test]
    fn explicit_proxies_win() {
        let variables = ["http_proxy", "HTTP_PROXY", "all_proxy"];
        run("goes_directly", &variables.map(|name| (name, "http://127.0.0.1:9".to_owned())));
    }

    #[test]
    #[ignore = "run by another test, with an environment of its own"]
    fn goes_directly() {
        let origin = Httpbin::start();
        let other = Proxy::https("http://127.0.0.1:9").unwrap();
        for builder in [Client::builder().no_proxy(), Client::builder().proxy(other)] {
            let client = builder.build().unwrap();
            assert_eq!(client.get(origin.url("/get")).send().unwrap().status(), 200);
        }
        assert!(Client::new().get(origin.url("/get")).send().unwrap_err().is_connect());
    }

    #[test]
    fn an_invalid_value_is_an_error_and_does_not_bypass_the_proxy() {
        run(
            "fails",
            &[("HTTP_PROXY", "htp://u:secret@p".into()), ("NO_PROXY", "localhost".into())],
        );
    }

    #[test]
    #[ignore = "run by another test, with an environment of its own"]
    fn fails() {
        let origin = Httpbin::start();
        let client = Client::new();
        let error = client.get(origin.url("/get")).send().unwrap_err();
        assert!(error.is_builder(), "{error}");
        let line = error.to_string();
        let start = "the environment variable HTTP_PROXY: proxy URL: a proxy is http, https, ";
        assert!(line.starts_with(start) && !line.contains("secret"), "{line}");
        let excepted = format!("http://localhost:{}/get", origin.addr().port());
        assert_eq!(client.get(excepted).send().unwrap().status(), 200);
    }

    /// CVE-2016-5386 and its family.
    #[test]
    fn r16_http_proxy_is_ignored_in_cgi_scripts() {
        let variables = [("HTTP_PROXY", "http://127.0.0.1:9"), ("REQUEST_METHOD", "GET")];
        run("is_not_proxied", &variables.map(|(name, value)| (name, value.to_owned())));
    }

    #[test]
    #[ignore = "run by another test, with an environment of its own"]
    fn is_not_proxied() {
        let origin = Httpbin::start();
        assert_eq!(leanhttp::get(origin.url("/get")).unwrap().status(), 200);
    }
}
