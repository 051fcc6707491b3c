//! Redirects to targets that must be refused, and credentials that must not be sent along or shown.
//! Each test has the id of its row in `tests/HOSTILE.md` (R01–R15).
#![cfg(all(
    feature = "blocking",
    feature = "tls",
    feature = "gzip",
    feature = "cookies",
    feature = "multipart"
))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::error::Error as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::{env, fs, io, process};

use leanhttp::blocking::{Body, Client, ClientBuilder, Request, RequestBuilder};
use leanhttp::cookie::Jar;
use leanhttp::error::{Kind, Phase};
use leanhttp::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderValue};
use leanhttp::multipart::{Form, Part};
use leanhttp::redirect::Policy;
use leanhttp::{Certificate, Error, Method, Url};

use support::httpbin::Httpbin;
use support::net;
use support::pki::{Leaf, Pki};
use support::script::{Script, answer, moved, ok};

/// A client for which several hosts are this peer.
fn at(server: &Script) -> ClientBuilder {
    let hosts = ["a.test", "b.test", "www.a.test", "a.test.", "ba.test"];
    hosts.into_iter().fold(Client::builder(), |b, host| b.resolve(host, server.addr()))
}

fn trusting(pki: &Pki) -> ClientBuilder {
    Client::builder().tls_certs_only([Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap()])
}

fn defaults(name: &'static str, value: &'static str, sensitive: bool) -> HeaderMap {
    let mut value = HeaderValue::from_static(value);
    value.set_sensitive(sensitive);
    HeaderMap::from_iter([(name.parse().unwrap(), value)])
}

/// The error's kind, phase and whole line.
#[track_caller]
fn assert_told(error: &Error, kind: Kind, phase: Phase, line: &str) {
    assert_eq!((error.kind(), error.phase(), &*error.to_string()), (kind, phase, line));
}

/// Asserts that the call ends with the redirect.
#[track_caller]
fn assert_not_followed(location: &str, reason: &str) {
    let server = Script::serve(vec![moved(302, location), answer(ok("next"))]);
    let (client, url) = (Client::new(), server.url("/"));
    let error = client.get(&url).send().unwrap_err();
    let line = format!("following a redirect for {url}: {reason}");
    assert_told(&error, Kind::Redirect, Phase::Redirect, &line);
    assert_eq!(client.get(&url).send().unwrap().text().unwrap(), "next");
}

/// The value of a field in the `n`th request, each on its own connection.
fn field(server: &Script, n: usize, name: &str) -> Option<String> {
    let head = server.received_text(n);
    let value = |line: &str| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned());
    head.lines().find_map(value)
}

mod secrets {
    use super::*;

    /// Sets up a secret on the client or on the request.
    struct Secret {
        what: &'static str,
        client: fn(ClientBuilder) -> ClientBuilder,
        request: fn(RequestBuilder) -> RequestBuilder,
        /// The userinfo of the URL.
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
                client: |client| {
                    client.default_headers(defaults("authorization", "Own secret", false))
                },
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

    /// Asserts which of the requests along these targets carries the secret, starting at `http://a.test/`.
    #[track_caller]
    fn assert_carried(secret: &Secret, targets: &[&str], expected: &[bool]) {
        let hops = targets.iter().map(|target| moved(307, target));
        let server = Script::serve(hops.chain([answer(ok(""))]).collect());
        let client = (secret.client)(at(&server)).build().unwrap();
        let ask = client.get(format!("http://{}a.test/", secret.userinfo));
        let ask = (secret.request)(ask.header("x-plain", "kept"));
        ask.send().unwrap();
        server.join();
        for (hop, is_carried) in expected.iter().enumerate() {
            let head = server.received_text(hop);
            let told = format!("{}, hop {hop} over {targets:?}:\n{head}", secret.what);
            assert_eq!(head.contains(secret.line), *is_carried, "{told}");
            let is_secret = *is_carried && secret.line.contains("secret");
            assert_eq!(head.contains("secret"), is_secret, "{told}");
            assert_eq!(head.matches("\r\nhost: ").count(), 1, "{told}");
            assert!(head.contains("x-plain: kept"), "{told}");
        }
    }

    /// CVE-2018-1000007, CVE-2022-27774, CVE-2022-27776 (curl), CVE-2018-18074 (requests),
    /// CVE-2018-20060, CVE-2023-43804 (urllib3), CVE-2025-4673 (Go) and similar faults.
    #[test]
    fn r01_secrets_stay_with_the_origin() {
        let elsewhere = [
            "http://b.test/",
            "http://a.test:81/",
            "http://www.a.test/",
            "http://ba.test/",
            "http://a.test./",
            "//b.test",
        ];
        for secret in secrets() {
            for elsewhere in elsewhere {
                assert_carried(&secret, &["/same", elsewhere], &[true, true, false]);
            }
            let same = ["http://A.test:80/x", "//a.test", "?x", "http:/x"];
            assert_carried(&secret, &same, &[true; 5]);
        }
    }

    /// CVE-2024-45336 (Go): neither to the second target nor back at the first origin.
    #[test]
    fn r02_secrets_are_not_restored_on_the_way_back() {
        let targets =
            ["http://b.test/", "/same", "http://a.test/back", "/same", "http://b.test/", "/"];
        let expected = [true, false, false, false, false, false, false];
        for secret in secrets() {
            assert_carried(&secret, &targets, &expected);
        }
    }

    /// RFC 9110 §15.4: on a redirect to plain http an eavesdropper could read them, and https is
    /// another origin too.
    #[test]
    fn r03_secrets_stay_with_the_scheme() {
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

    /// RFC 6265bis §5.8.3: the host is the same, and so are its cookies except for the `Secure`
    /// ones.
    #[test]
    fn r03_secure_cookies_stay_with_https() {
        let pki = Pki::new();
        let second = Script::serve(vec![answer(ok(""))]);
        let target = second.url("/").replace("127.0.0.1", "a.test");
        let config = pki.server_config(Leaf::Named("a.test"));
        let first = Script::serve_tls(vec![moved(302, &target)], config);
        let url = first.url("/").replace("localhost", "a.test");
        let jar = Arc::new(Jar::new());
        for cookie in ["plain=1", "safe=1; Secure", "__Host-safe=1; Secure; Path=/"] {
            jar.add_cookie_str(cookie, &Url::parse(&url).unwrap());
        }
        let client = trusting(&pki).resolve("a.test", ([127, 0, 0, 1], 0).into());
        client.cookie_provider(jar).build().unwrap().get(&url).send().unwrap();
        first.join();
        second.join();
        assert_eq!(field(&first, 0, "cookie").unwrap(), "plain=1; safe=1; __Host-safe=1");
        assert_eq!(field(&second, 0, "cookie").unwrap(), "plain=1");
    }

    #[test]
    fn r03_https_only_applies_to_targets() {
        let pki = Pki::new();
        let plain = Httpbin::start();
        let server =
            Script::serve_tls(vec![moved(302, &plain.url("/get"))], pki.server_config(Leaf::Good));
        let url = server.url("/");
        let error = trusting(&pki).https_only(true).build().unwrap().get(&url).send().unwrap_err();
        let line = format!(
            "following a redirect for {url}: to {}: only https is allowed, because the client has \
             `https_only`",
            plain.url("/get")
        );
        assert_eq!(error.to_string(), line);
        assert!(error.is_redirect() && !error.is_builder());
        assert_eq!(plain.connections_opened(), 0);
    }
}

mod targets {
    use super::*;

    /// CVE-2009-0037, CVE-2025-14524 (curl); RFC 9110 §15.4: only `http` and `https` are followed.
    #[test]
    fn r04_other_schemes_are_not_followed() {
        let scheme = |scheme: &str| format!("the scheme `{scheme}` is not `http` or `https`");
        for target in [
            "file:///etc/passwd",
            "FILE:///etc/passwd",
            "ftp://h/",
            "gopher://h:25/_",
            "unix:/var/run/docker.sock",
            "data:,x",
            "javascript:alert(1)",
            "about:blank",
            "ws://h/",
            "httpx://h/",
            "mailto:me",
            "h.test:80",
            "foo:/a",
            "view-source:http://h/",
        ] {
            let reason = scheme(&target.split(':').next().unwrap().to_lowercase());
            assert_not_followed(target, &format!("Location {target:?}: {reason}"));
        }
        // Line breaks do not hide it: the URL Standard removes them.
        assert_not_followed(
            "fi\tle:///x",
            &format!("Location \"fi\\tle:///x\": {}", scheme("file")),
        );
    }

    #[test]
    fn r05_ten_redirects_are_followed_and_the_eleventh_is_an_error() {
        let server = Httpbin::start();
        let client = Client::new();
        let response = client.get(server.url("/redirect/10")).send().unwrap();
        assert_eq!(response.url().as_str(), server.url("/get"));
        assert_eq!(server.requests_seen().len(), 11);
        let error = client.get(server.url("/redirect/11")).send().unwrap_err();
        assert_eq!(server.requests_seen().len(), 22, "the target of the eleventh is not requested");
        let line = format!(
            "following a redirect for {}: to {}: more than 10 redirects (redirect policy)",
            server.url("/relative-redirect/1"),
            server.url("/get")
        );
        assert_eq!(error.to_string(), line);
        assert!(error.is_redirect());
        assert_eq!(error.url().unwrap().as_str(), server.url("/relative-redirect/1"));
    }

    /// A loop ends at the limit too, in either direction.
    #[test]
    fn r05_loops_end_at_the_limit() {
        let server = Script::serve(vec![moved(302, "/"), moved(302, "/"), moved(302, "/")]);
        let client = Client::builder().redirect(Policy::limited(2)).build().unwrap();
        let url = server.url("/");
        let error = client.get(&url).send().unwrap_err();
        let line = format!(
            "following a redirect for {url}: to {url}: more than 2 redirects (redirect policy)"
        );
        assert_told(&error, Kind::Redirect, Phase::Redirect, &line);
        let there_and_back = ["http://b.test/", "http://a.test/"];
        let hops = there_and_back.iter().cycle().take(11).map(|target| moved(308, target));
        let server = Script::serve(hops.collect());
        let error = at(&server).build().unwrap().get("http://a.test/").send().unwrap_err();
        let line = "following a redirect for http://a.test/: to http://b.test/: more than 10 redirects (redirect policy)";
        assert_told(&error, Kind::Redirect, Phase::Redirect, line);
    }

    /// curl test 498: each `Location` is longer than the last, until it is too long for a URL.
    #[test]
    fn r05_growing_urls_end_at_the_length_limit() {
        let name = "a".repeat(9_999);
        let hops = vec![moved(302, &format!("{name}/")); 7];
        let server = Script::serve(hops);
        let client = Client::builder().redirect(Policy::custom(|attempt| attempt.follow()));
        let error = client.build().unwrap().get(server.url("/")).send().unwrap_err();
        assert_eq!((error.kind(), error.phase()), (Kind::Redirect, Phase::Redirect));
        let at = server.url(&format!("/{}", format!("{name}/").repeat(6)));
        let line = format!(
            "following a redirect for {at}: Location {:?}: the URL is longer than 65534 bytes",
            &name[..80]
        );
        assert_eq!(error.to_string(), line);
        // A single `Location` that is too long does not fit into a head.
        let server = Script::serve(vec![moved(302, &"a".repeat(70_000))]);
        let url = server.url("/");
        let error = Client::new().get(&url).send().unwrap_err();
        let line = format!(
            "reading the response head for {url}: response head larger than 65536 bytes (max_head_bytes)"
        );
        assert_told(&error, Kind::Limit, Phase::Head, &line);
    }

    /// CVE-2023-45803 (urllib3); RFC 9110 §15.4.2–15.4.9, as widely deployed clients apply it.
    #[test]
    fn r06_method_and_body_follow_the_status() {
        let rows = [
            ("GET", ["GET"; 5]),
            ("HEAD", ["HEAD"; 5]),
            ("POST", ["GET", "GET", "GET", "KEPT", "KEPT"]),
            ("PUT", ["KEPT", "KEPT", "GET", "KEPT", "KEPT"]),
            ("PATCH", ["KEPT", "KEPT", "GET", "KEPT", "KEPT"]),
            ("DELETE", ["KEPT", "KEPT", "GET", "KEPT", "KEPT"]),
            ("X-OWN", ["KEPT", "KEPT", "GET", "KEPT", "KEPT"]),
        ];
        for (method, after) in rows {
            for (status, after) in [301, 302, 303, 307, 308].into_iter().zip(after) {
                let server = Script::serve(vec![moved(status, "/next"), answer(ok(""))]);
                let mut ask = Client::new()
                    .request(Method::from_bytes(method.as_bytes()).unwrap(), server.url("/"))
                    .header("x-own", "kept");
                if !matches!(method, "GET" | "HEAD") {
                    ask = ask.body("text").header("content-type", "a/b").header("digest", "c");
                }
                assert_eq!(ask.send().unwrap().status(), 200);
                server.join();
                let second = server.received_text(1);
                let (head, body) = second.split_once("\r\n\r\n").unwrap();
                let is_kept = after == "KEPT";
                let after = if is_kept { method } else { after };
                assert!(
                    head.starts_with(&format!("{after} /next HTTP/1.1\r\n")),
                    "{status} {head}"
                );
                assert!(head.contains("x-own: kept"), "{head}");
                assert_eq!(body, if is_kept { "text" } else { "" }, "{method} {status}");
                for field in ["content-type: a/b", "content-length: 4", "digest: c"] {
                    assert_eq!(head.contains(field), is_kept, "{method} {status} {head}");
                }
                assert_eq!(head.contains("content-length"), is_kept, "{head}");
            }
        }
    }

    /// Fetch §4.4: a body that cannot be sent again is not sent in part.
    #[test]
    fn r07_a_reader_is_not_sent_twice() {
        let reader = || Body::new(io::Cursor::new("text"));
        for status in [307, 308] {
            let server = Script::serve(vec![moved(status, "/next")]);
            let url = server.url("/");
            let error = Client::new().post(&url).body(reader()).send().unwrap_err();
            assert_eq!((error.kind(), error.phase()), (Kind::Redirect, Phase::Redirect));
            let line = format!(
                "following a redirect for {url}: the body is a reader and cannot be sent again"
            );
            assert_eq!(error.to_string(), line);
        }
        for status in [301, 302, 303] {
            let server = Script::serve(vec![moved(status, "/next"), answer(ok(""))]);
            Client::new().post(server.url("/")).body(reader()).send().unwrap();
            server.join();
            assert!(server.received_text(1).starts_with("GET /next "));
        }
    }

    /// Orange Tsai, 2017; response splitting, ambiguous authorities: refused, not guessed.
    #[test]
    fn r08_ambiguous_targets_are_refused() {
        let port = "the port is not a number from 0 to 65535";
        let userinfo = "the target holds a user name";
        let ftp = "the scheme `ftp` is not `http` or `https`";
        let rows = [
            ("/a\r\nlocation: /b", "two different Location fields".to_owned()),
            ("http://good@evil.example/", userinfo.to_owned()),
            ("http://:secret@evil.example/", userinfo.to_owned()),
            ("//good@evil.example/", userinfo.to_owned()),
            ("\\\\good@evil.example/", userinfo.to_owned()),
            ("/\\good@evil.example/", userinfo.to_owned()),
            ("http:\\\\good%2f@evil.example", userinfo.to_owned()),
            ("http://h:99999/", format!("Location \"http://h:99999/\": {port}")),
            ("http://", "Location \"http://\": the URL has no host".to_owned()),
            ("ftp://user:secret@h/", format!("Location: {ftp}")),
            ("http://user:secret@h:99999/", format!("Location: {port}")),
        ];
        for (location, reason) in rows {
            assert_not_followed(location, &reason);
        }
        let server = Script::serve(vec![moved(302, "/a\r\nlocation: /a"), answer(ok(""))]);
        assert_eq!(Client::new().get(server.url("/")).send().unwrap().url().path(), "/a");
    }

    /// A host in any notation is another host, and receives no credentials.
    #[test]
    fn r08_another_notation_of_a_host_gets_no_credentials() {
        for location in [
            "//b.test/x",
            "\\\\b.test/x",
            "/\\b.test/x",
            "\\/b.test\\x",
            "///b.test/x",
            "http:////b.test/x",
            "http:\\\\b.test/x",
            "http://b.test\\@a.test/../../x",
            "http://b%2etest/x",
            "\thttp://b.te\tst/x",
        ] {
            let server = Script::serve(vec![moved(302, location), answer(ok(""))]);
            let client = at(&server).build().unwrap();
            let response = client.get("http://a.test/").basic_auth("u", Some("p")).send().unwrap();
            assert_eq!(response.url().as_str(), "http://b.test/x", "{location:?}");
            server.join();
            assert!(field(&server, 0, "authorization").is_some());
            assert_eq!(field(&server, 1, "authorization"), None, "{location:?}");
            assert_eq!(field(&server, 1, "host").unwrap(), "b.test", "{location:?}");
        }
    }
}

mod logins {
    use super::*;

    fn netrc(name: &str, text: &str) -> ClientBuilder {
        let path: PathBuf = env::temp_dir().join(format!("leanhttp-{name}-{}", process::id()));
        fs::write(&path, text).unwrap();
        let client = Client::builder().netrc_file(&path);
        fs::remove_file(&path).unwrap();
        client
    }

    /// CVE-2024-11053, CVE-2025-0167, CVE-2022-35260 (curl), CVE-2024-47081 (requests): not even if
    /// the file has an entry for the new host, because the caller did not name it.
    #[test]
    fn r09_a_redirect_finds_no_login_in_a_netrc_file() {
        let entry = "machine a.test login a password b ";
        for other in [
            "machine b.test login c password d",
            "machine b.test",
            "machine b.test login a",
            "default login c password d",
            "default",
        ] {
            for userinfo in ["", "a@", "a:b@"] {
                let hops = vec![
                    moved(302, "http://b.test/"),
                    moved(302, "http://a.test/"),
                    answer(ok("")),
                ];
                let server = Script::serve(hops);
                let client = netrc("r09", &format!("{entry}{other}"));
                let hosts = ["a.test", "b.test"];
                let client = hosts.iter().fold(client, |c, host| c.resolve(host, server.addr()));
                client.build().unwrap().get(format!("http://{userinfo}a.test/")).send().unwrap();
                server.join();
                let sent = [0, 1, 2].map(|hop| field(&server, hop, "authorization"));
                assert_eq!(sent, [Some("Basic YTpi".to_owned()), None, None], "{other} {userinfo}");
            }
        }
    }

    /// An entry is used whole or not at all: a password is not combined with another user's name,
    /// and a login is sent to exactly its host.
    #[test]
    fn r09_only_the_entry_of_the_host_and_user_is_used() {
        let file = "machine a.test login a password secret\n\
                    machine a.test login b password other\n\
                    machine a.test. password dot\n\
                    machine www.b.test login w password secret";
        let rows = [
            ("http://a.test/", Some("a:secret")),
            ("http://A.test/", Some("a:secret")),
            ("http://b@a.test/", Some("b:other")),
            ("http://c@a.test/", Some("c:")),
            ("http://A@a.test/", Some("A:")),
            ("http://a:@a.test/", Some("a:secret")),
            ("http://a:own@a.test/", Some("a:own")),
            ("http://:own@a.test/", Some(":own")),
            ("http://a.test./", Some(":dot")),
            ("http://b.test/", None),
            ("http://www.a.test/", None),
            ("http://ba.test/", None),
        ];
        for (url, expected) in rows {
            let server = Script::serve(vec![answer(ok(""))]);
            let host = Url::parse(url).unwrap().host_str().unwrap().to_owned();
            let client = netrc("r09-whole", file).resolve(&host, server.addr()).build().unwrap();
            client.get(url).send().unwrap();
            server.join();
            let expected = expected.map(basic);
            assert_eq!(field(&server, 0, "authorization"), expected, "{url}");
        }
    }

    /// The value of Basic credentials, taken from another request.
    fn basic(pair: &str) -> String {
        let (user, password) = pair.split_once(':').unwrap();
        let request = Client::new().get("http://h/").basic_auth(user, Some(password)).build();
        request.unwrap().headers()[AUTHORIZATION].to_str().unwrap().to_owned()
    }

    /// CVE-2026-11856, CVE-2026-7168 (curl): the nonce of an origin is used for that origin only.
    #[cfg(feature = "digest")]
    #[test]
    fn r10_a_nonce_is_used_for_its_origin_only() {
        use support::script::{Connection, Step, send};
        let refuse = |nonce: &str| {
            let challenge = format!("Digest realm=\"r\", nonce=\"{nonce}\", qop=\"auth\"");
            send(format!(
                "HTTP/1.1 401 No\r\nwww-authenticate: {challenge}\r\ncontent-length: 0\r\n\r\n"
            ))
        };
        let answers = |steps: Vec<Step>| -> Connection {
            steps.into_iter().flat_map(|step| [Step::ExpectRequest, step]).collect()
        };
        let other =
            Script::serve(vec![answers(vec![refuse("theirs"), refuse("b1"), send(ok(""))])]);
        let moved = format!(
            "HTTP/1.1 307 Moved\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n",
            other.url("/")
        );
        let home = Script::serve(vec![answers(vec![refuse("a1"), send(moved), send(ok(""))])]);
        let client = Client::builder().digest_auth("u", "p").build().unwrap();
        let status = |url| client.get(url).send().unwrap().status().as_u16();
        // As the target of a redirect it gets no credentials; requested directly, it gets those for
        // its own nonce.
        assert_eq!(status(home.url("/")), 401);
        assert_eq!(status(other.url("/")), 200);
        assert_eq!(status(home.url("/")), 200);
        home.join();
        other.join();
        let nonces = |server: &Script| -> Vec<String> {
            let text = server.received_text(0);
            let heads = text.split("\r\n\r\n").filter(|head| !head.is_empty());
            let nonce =
                |head: &str| Some(head.split_once("nonce=\"")?.1.split_once('"')?.0.to_owned());
            heads.map(|head| nonce(head).unwrap_or_default()).collect()
        };
        assert_eq!(nonces(&home), ["", "a1", "a1"]);
        assert_eq!(nonces(&other), ["", "", "b1"]);
    }

    /// CVE-2021-22876 (curl): the client adds no `Referer`, and the caller's shows another origin
    /// nothing that is private (RFC 9110 §10.1.3).
    #[test]
    fn r13_a_referer_shows_nothing_private() {
        let rows = [
            (None, None),
            (Some("http://a.test/page?q"), Some("http://a.test/page?q")),
            (Some("http://u:secret@a.test/page"), None),
            (Some("http://token@a.test/"), None),
            (Some("http://a.test/#access_token=secret"), None),
            (Some("https://a.test/page"), None),
        ];
        for (own, kept) in rows {
            let hops = vec![moved(302, "/same#f"), moved(302, "http://b.test/"), answer(ok(""))];
            let server = Script::serve(hops);
            let mut ask = at(&server).build().unwrap().get("http://u:secret@a.test/?q#f");
            if let Some(own) = own {
                ask = ask.header("referer", own);
            }
            ask.send().unwrap();
            server.join();
            let sent = [0, 1, 2].map(|hop| field(&server, hop, "referer"));
            let expected = [own, own, kept].map(|value| value.map(str::to_owned));
            assert_eq!(sent, expected);
            let Some(own) = own else { continue };
            let hops = vec![moved(302, "/same#f"), moved(302, "http://b.test/"), answer(ok(""))];
            let server = Script::serve(hops);
            let client = at(&server).default_headers(defaults("referer", own, false));
            client.build().unwrap().get("http://a.test/").send().unwrap();
            server.join();
            let sent = [0, 1, 2].map(|hop| field(&server, hop, "referer"));
            assert_eq!(sent, expected, "as a default of the client");
        }
    }

    /// CVE-2016-5420, CVE-2022-27782 (curl): a connection serves only requests like the one it was
    /// made for, and carries no credentials of an earlier one.
    #[test]
    fn r14_connections_do_not_keep_credentials() {
        let server = Script::serve(vec![vec![answer(ok("")); 4].concat()]);
        let jar = Arc::new(Jar::new());
        let client = Client::builder().cookie_provider(Arc::clone(&jar)).build().unwrap();
        let url = server.url("/");
        jar.add_cookie_str("a=1", &Url::parse(&url).unwrap());
        client.get(&url).basic_auth("one", Some("p")).send().unwrap();
        jar.clear();
        client.get(&url).send().unwrap();
        client.get(&url).bearer_auth("two").header(COOKIE, "b=2").send().unwrap();
        client.get(url.replace("//", "//u:p@")).send().unwrap();
        server.join();
        let text = server.received_text(0);
        let heads: Vec<_> = text.split("\r\n\r\n").take(4).collect();
        let secrets = [
            "authorization: Basic b25lOnA=",
            "cookie: a=1",
            "authorization: Bearer two",
            "cookie: b=2",
            "authorization: Basic dTpw",
        ];
        for (head, expected) in
            heads.iter().zip([&secrets[..2], &[], &secrets[2..4], &secrets[4..]])
        {
            let found: Vec<_> = secrets.into_iter().filter(|line| head.contains(line)).collect();
            assert_eq!(found, expected, "{head}");
        }
    }

    /// An unverified connection is not used by a client that verifies, nor that of one name for
    /// another.
    #[test]
    fn r14_connections_are_not_shared_across_verification_or_name() {
        let pki = Pki::new();
        let server = Script::serve_tls(
            vec![[answer(ok("")), answer(ok(""))].concat(), vec![], answer(ok("")), vec![]],
            pki.server_config(Leaf::UnknownIssuer),
        );
        let url = server.url("/");
        let careless = || Client::builder().danger_accept_invalid_certs(true);
        let client = careless().resolve("other.test", server.addr()).build().unwrap();
        let again = client.clone();
        client.get(&url).send().unwrap();
        again.get(&url).send().unwrap();
        assert_eq!((client.pool_stats().idle, server.accepted()), (1, 1), "a clone is the same");
        let line = |peer: &str| {
            format!(
                "TLS handshake with {peer} for https://{peer}/: invalid peer certificate: UnknownIssuer; \
                 trust its issuer with `add_root_certificate`, or those of the system with \
                 `tls_platform_verifier` (feature `platform-verifier`); the trusted roots are only \
                 those that the program added"
            )
        };
        let peer = format!("localhost:{}", server.addr().port());
        let error = trusting(&pki).build().unwrap().get(&url).send().unwrap_err();
        assert_told(&error, Kind::Tls, Phase::Handshake, &line(&peer));
        // Another name at the same address and port has its own connection, and so has plain http.
        client.get(url.replace("localhost", "other.test")).send().unwrap();
        let url = url.replace("https", "http");
        let error = client.get(&url).send().unwrap_err();
        let line = format!("reading the response head for {url}: invalid status line \"\\x15\\x03");
        assert!(error.to_string().starts_with(&line), "{error}");
        assert_eq!((client.pool_stats().idle, server.accepted()), (2, 4));
    }
}

/// Logs must not contain values of credential fields, passwords of URLs, or bodies.
mod shown {
    use super::*;

    #[track_caller]
    fn assert_hidden(what: &str, text: &str) {
        assert!(!text.to_lowercase().contains("secret"), "{what}: {text}");
        // Base64 of `u:secret`.
        assert!(!text.contains("dTpzZWNyZXQ="), "{what}: {text}");
    }

    macro_rules! assert_debug_hidden {
        ($($value:expr),+ $(,)?) => {
            $(assert_hidden(stringify!($value), &format!("{0:?} {0:#?}", $value));)+
        };
    }

    #[track_caller]
    fn assert_error_hidden(error: Error) {
        assert_hidden("Error", &format!("{error} {error:?} {error:#?}"));
        let mut cause = error.source();
        while let Some(error) = cause {
            assert_hidden("its cause", &format!("{error} {error:?}"));
            cause = error.source();
        }
        let response = error.into_response();
        assert_hidden("its response", &format!("{response:?}"));
    }

    fn sensitive() -> HeaderMap {
        let mut value = HeaderValue::from_static("secret");
        value.set_sensitive(true);
        HeaderMap::from_iter([("x-api-key".parse().unwrap(), value)])
    }

    /// Fields that are secrets by their name, as ordinary callers set them.
    fn ordinary() -> HeaderMap {
        let names = ["authorization", "cookie", "proxy-authorization"];
        names
            .map(|name| (name.parse().unwrap(), HeaderValue::from_static("Own secret")))
            .into_iter()
            .collect()
    }

    #[test]
    fn r15_clients_and_requests_show_no_secret() {
        let path: PathBuf = env::temp_dir().join(format!("leanhttp-r15-{}", process::id()));
        fs::write(&path, "machine a.test login u password secret").unwrap();
        let builder = || {
            let builder = Client::builder().basic_auth("u", Some("secret")).netrc_file(&path);
            let builder = builder.default_headers(sensitive()).default_headers(ordinary());
            #[cfg(feature = "digest")]
            let builder = builder.digest_auth("u", "secret");
            builder.cookie_store(true)
        };
        let client = builder().build().unwrap();
        let ask = || {
            let request = client.post("http://u:secret@a.test/").headers(sensitive());
            let request = request.header(AUTHORIZATION, "Own secret").header(COOKIE, "a=secret");
            let request =
                request.header("proxy-authorization", "secret").header("cookie2", "secret");
            #[cfg(feature = "digest")]
            let request = request.digest_auth("u", "secret");
            request.body("secret")
        };
        let given = || client.get("http://a.test/").headers(ordinary());
        let bad = client.get("http://u:secret@a.test/").header("x", "secret\n");
        let reader = Body::new(io::Cursor::new("secret"));
        let converted = http_request();
        assert_debug_hidden!(
            builder(),
            client,
            ask(),
            ask().build().unwrap(),
            ask().build().unwrap().headers(),
            ask().build().unwrap().body(),
            ask().bearer_auth("secret").build().unwrap().headers(),
            ask().form(&[("password", "secret")]),
            ask().try_clone().unwrap(),
            ask().build_split(),
            given(),
            given().build().unwrap().headers(),
            bad,
            reader,
            client.post("http://a.test/").body(Body::sized(io::Cursor::new("secret"), 6)),
            converted,
        );
        fs::remove_file(&path).unwrap();
        assert!(format!("{:?}", ask()).contains("x-api-key"), "names may be seen");
    }

    fn http_request() -> Request {
        let uri = "http://u:secret@a.test/";
        let uri = uri.replace("u:secret@", ""); // no `Uri` has a password that is hidden
        let mut request = Request::new(Method::GET, Url::parse(&uri).unwrap());
        request.headers_mut().extend(ordinary());
        *request.url_mut() = Url::parse("http://u:secret@a.test/").unwrap();
        request
    }

    #[test]
    fn r15_urls_show_no_secret() {
        let mut url = Url::parse("http://u:secret@a.test/?q").unwrap();
        assert_debug_hidden!(url, url.origin(), url.host(), url.query_pairs_mut());
        let redirects: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&redirects);
        let policy = Policy::custom(move |attempt| {
            seen.lock().unwrap().push(format!("{attempt:?} {attempt:#?}"));
            attempt.stop()
        });
        let server = Script::serve(vec![moved(302, "/next")]);
        let client = Client::builder().redirect(policy.clone()).build().unwrap();
        let response = client.get(server.url("/").replace("//", "//u:secret@")).send().unwrap();
        assert_eq!(response.url().as_str(), server.url("/"), "the password is gone");
        assert_debug_hidden!(policy, response);
        let redirects = redirects.lock().unwrap();
        assert!(redirects[0].contains("/next"));
        assert_hidden("Attempt", &redirects[0]);
        for text in [
            "http://u:secret@h:99999/",
            "htp://u:secret@h/",
            "//u:secret@h/",
            "http://u:secret@/",
            "http://u:secret@a b/",
            "http://u:secret@[/",
            "http://u:sec/ret@h",
        ] {
            let error = Url::parse(text);
            assert_hidden(
                "ParseError",
                &error.map_or_else(|error| format!("{error} {error:?}"), |url| format!("{url:?}")),
            );
            let request = Client::new().get(text);
            assert_debug_hidden!(request);
        }
    }

    #[test]
    fn r15_responses_show_no_secret() {
        let secrets = "HTTP/1.1 401 No\r\nset-cookie: a=secret\r\nx-token: secret\r\n\
                       link: <http://u:secret@h/>\r\ncontent-length: 6\r\n\r\nsecret";
        let server = Script::serve(vec![answer(secrets)]);
        let url = server.url("/").replace("//", "//u:secret@");
        let jar = Arc::new(Jar::new());
        let client = Client::builder().cookie_provider(Arc::clone(&jar)).build().unwrap();
        let response = client.get(url).send().unwrap();
        let cookies: Vec<_> = response.cookies().collect();
        assert_eq!((cookies.len(), jar.len()), (1, 1));
        assert_debug_hidden!(response, client, jar, jar.to_vec(), cookies, response.links());
        assert_debug_hidden!(jar.cookies_for(response.url()));
        let cookie = leanhttp::cookie::CookieStore::cookies(&*jar, response.url());
        assert_debug_hidden!(cookie.unwrap());
        let error = response.error_for_status().unwrap_err();
        assert_error_hidden(error);
    }

    #[test]
    fn r15_forms_show_no_secret() {
        let part = || Part::text("secret").file_name("name");
        let form = || Form::new().text("password", "secret").part("file", part());
        let bytes = Part::bytes(&b"secret"[..]).headers(ordinary());
        let reader = Part::reader(io::Cursor::new("secret"));
        let request = Client::new().post("http://a.test/").multipart(form());
        assert_debug_hidden!(part(), form(), bytes, reader, request);
    }

    /// Each of these errors has seen a secret.
    #[test]
    fn r15_errors_show_no_secret() {
        let head = |lines: &str| format!("HTTP/1.1 302 Found\r\n{lines}\r\n\r\n");
        let answers = [
            head("x-token : secret"),
            head("x-token: sec\0ret"),
            head("set-cookie: a=secret\r\nbad line"),
            head("set-cookie: a=secret\r\n folded: secret"),
            head("location: ftp://u:secret@h/"),
            head("location: http://u:secret@h/"),
            head("location: http://u:secret@h:99999/"),
            head("location: /secret-a\r\nlocation: /secret-b"),
            head("content-encoding: gzip\r\ncontent-length: 6\r\n\r\nsecret"),
        ];
        for answered in answers {
            let server = Script::serve(vec![answer(&answered)]);
            let url = server.url("/").replace("//", "//u:secret@");
            let ask = Client::new().get(url).header(COOKIE, "a=secret").headers(sensitive());
            assert_error_hidden(ask.send().and_then(|response| response.bytes()).unwrap_err());
        }
        let refused = format!("http://u:secret@{}/", net::refused());
        let get = || Client::new().get(&refused);
        let asked: [RequestBuilder; 6] = [
            get(),
            get().header("x-token", "secret\n"),
            get().bearer_auth("secret\n"),
            get().basic_auth("u:", Some("secret")),
            Client::new().get("http://u:secret@h:x/"),
            get().body(Body::sized(io::Cursor::new("secret"), 9)),
        ];
        for ask in asked {
            assert_error_hidden(ask.send().unwrap_err());
        }
        let builders = [
            Client::builder().basic_auth("u", Some("secret\n")),
            Client::builder().user_agent("secret\n"),
            Client::builder().default_headers(sensitive()).netrc_file("/no such file"),
        ];
        for builder in builders {
            assert_error_hidden(builder.build().unwrap_err());
        }
        assert_error_hidden(Part::text("x").mime_str("a/b; c=secret\n").unwrap_err());
        assert_error_hidden(Form::new().with_boundary("secret\n").unwrap_err());
    }
}
