//! Credentials and where they must not be sent: client certificates, fields with keys and tokens,
//! TRACE, passwords in texts that are not URLs. Each test has the id of its row in
//! `tests/HOSTILE.md`, if it has one (S12 to S18).
#![cfg(all(
    feature = "blocking",
    feature = "tls",
    feature = "gzip",
    feature = "cookies",
    any(feature = "ring", feature = "aws-lc-rs")
))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::sync::Arc;

use leanhttp::blocking::{Client, ClientBuilder};
use leanhttp::{Certificate, Identity, Proxy};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::version::{TLS12, TLS13};

use support::pki::{Clients, Leaf, Pki};
use support::script::{Connection, Script, Step, answer, ok};

fn root(pki: &Pki) -> Certificate {
    Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap()
}

fn identity(pki: &Pki) -> Identity {
    Identity::from_pem(pki.client_pem().as_bytes()).unwrap()
}

/// A redirect that leaves its connection open.
fn moved_and_open(location: &str) -> Vec<Step> {
    answer(format!("HTTP/1.1 302 Moved\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"))
}

mod certificates {
    use super::*;

    const BOTH: [&rustls::SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

    /// The configuration of a server that asks for certificates.
    fn asking(pki: &Pki, version: &'static rustls::SupportedProtocolVersion) -> Arc<ServerConfig> {
        pki.server_config_for(Leaf::Good, &[version], Clients::Asked)
    }

    fn preconfigured(pki: &Pki) -> rustls::ClientConfig {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(pki.ca_der().into()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let (chain, key) = pki.client_der();
        rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .unwrap()
    }

    type Setup = fn(&Pki) -> ClientBuilder;

    /// Each way of giving a client a certificate.
    const SETUPS: [(&str, Setup); 3] = [
        ("identity", |pki| Client::builder().tls_certs_only([root(pki)]).identity(identity(pki))),
        ("any name", |pki| {
            let builder = Client::builder().tls_certs_only([root(pki)]);
            builder.danger_accept_invalid_hostnames(true).identity(identity(pki))
        }),
        ("preconfigured", |pki| Client::builder().use_preconfigured_tls(preconfigured(pki))),
    ];

    fn tls(connections: Vec<Connection>, config: &Arc<ServerConfig>) -> Script {
        Script::serve_tls(connections, Arc::clone(config))
    }

    /// A fault of curl in 2026: the certificate is sent to the origin that the caller named, and to
    /// no other, whether the redirect to that came over TLS or not.
    #[test]
    fn s12_a_certificate_stays_with_its_origin() {
        let pki = Pki::new();
        for (what, setup) in SETUPS {
            for version in BOTH {
                let config = asking(&pki, version);
                let foreign = tls(vec![answer(ok("foreign"))], &config);
                let own = tls(vec![moved_and_open(&foreign.url("/"))], &config);
                let client = setup(&pki).build().unwrap();
                let response = client.get(own.url("/")).send().unwrap();
                assert_eq!(response.text().unwrap(), "foreign");
                drop(client);
                own.join();
                foreign.join();
                let seen = (own.certified(0), foreign.certified(0));
                assert_eq!(seen, (true, false), "{what} {version:?}");

                let foreign = tls(vec![answer(ok("foreign"))], &config);
                let own = Script::serve(vec![moved_and_open(&foreign.url("/"))]);
                setup(&pki).build().unwrap().get(own.url("/")).send().unwrap();
                own.join();
                foreign.join();
                assert!(!foreign.certified(0), "{what} {version:?}, from plain http");
            }
        }
    }

    /// A tunnel through a proxy does not carry it to another origin either.
    #[test]
    fn s12_a_certificate_stays_with_its_origin_through_a_tunnel() {
        let pki = Pki::new();
        for scheme in ["http", "socks5h"] {
            let foreign = tls(vec![answer(ok("foreign"))], &asking(&pki, &TLS13));
            let own = Script::serve(vec![moved_and_open("https://localhost/")]);
            let proxy = match scheme {
                "http" => support::proxy::Proxy::http(foreign.addr()),
                _ => support::proxy::Proxy::socks(foreign.addr()),
            };
            let builder = Client::builder().tls_certs_only([root(&pki)]).identity(identity(&pki));
            let by_proxy = Proxy::https(proxy.url(scheme)).unwrap();
            let client = builder.proxy(by_proxy).build().unwrap();
            client.get(own.url("/")).send().unwrap().bytes().unwrap();
            drop(client);
            own.join();
            foreign.join();
            assert_eq!(proxy.asked().len(), 1);
            assert!(!foreign.certified(0), "{scheme}");
        }
    }

    /// A chain of redirects that returns to its first origin has lost the certificate, in the
    /// handshake, in the sessions that are resumed, and in the pool: an authenticated connection
    /// serves no other requests, and vice versa.
    #[test]
    fn s12_connections_with_a_certificate_are_not_shared() {
        let pki = Pki::new();
        for (what, setup) in SETUPS {
            for version in BOTH {
                let config = asking(&pki, version);
                let client = setup(&pki).build().unwrap();
                let home = tls(
                    vec![
                        // Authenticated: both requests that name this origin.
                        [answer(ok("one")), answer(ok("three"))].concat(),
                        // Not authenticated: both requests that were redirected to it.
                        [answer(ok("two")), answer(ok("four"))].concat(),
                    ],
                    &config,
                );
                let away = Script::serve(vec![
                    [moved_and_open(&home.url("/led")), moved_and_open(&home.url("/led"))].concat(),
                ]);
                let get = |url: String| client.get(url).send().unwrap().text().unwrap();
                assert_eq!(get(home.url("/")), "one");
                assert_eq!(get(away.url("/")), "two");
                assert_eq!(get(home.url("/")), "three");
                assert_eq!(get(away.url("/")), "four");
                drop(client);
                home.join();
                away.join();
                assert!(home.certified(0), "{what} {version:?}");
                assert!(!home.certified(1) && !home.resumed(1), "{what} {version:?}");
            }
        }
    }

    /// A connection without a certificate resumes no session, and leaves none behind.
    #[test]
    fn s12_sessions_with_a_certificate_are_not_shared() {
        const LAST: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let pki = Pki::new();
        for (what, setup) in SETUPS {
            for version in BOTH {
                let config = asking(&pki, version);
                let client = setup(&pki).build().unwrap();
                let home = tls(vec![answer(LAST); 4], &config);
                let away = Script::serve(vec![
                    [moved_and_open(&home.url("/")), moved_and_open(&home.url("/"))].concat(),
                ]);
                for url in [home.url("/"), away.url("/"), home.url("/"), away.url("/")] {
                    client.get(url).send().unwrap().bytes().unwrap();
                }
                drop(client);
                home.join();
                away.join();
                let seen = [0, 1, 2, 3].map(|i| (home.certified(i), home.resumed(i)));
                let expected = [(true, false), (false, false), (true, true), (false, false)];
                assert_eq!(seen, expected, "{what} {version:?}");
            }
        }
    }

    /// Without a certificate there is nothing to separate: one connection serves both.
    #[test]
    fn without_a_certificate_connections_are_shared() {
        let pki = Pki::new();
        let config = asking(&pki, &TLS13);
        let home = tls(vec![[answer(ok("one")), answer(ok("two"))].concat()], &config);
        let away = Script::serve(vec![moved_and_open(&home.url("/"))]);
        let client = Client::builder().tls_certs_only([root(&pki)]).build().unwrap();
        for url in [home.url("/"), away.url("/")] {
            client.get(url).send().unwrap().bytes().unwrap();
        }
    }

    /// A session stands for the verification by its client: only that client resumes it, even if
    /// several clients have the same configuration.
    #[test]
    fn clients_of_one_configuration_share_no_sessions() {
        const LAST: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let pki = Pki::new();
        for version in BOTH {
            let shared = Arc::new(preconfigured(&pki));
            let server = tls(vec![answer(LAST); 4], &asking(&pki, version));
            for _ in 0..2 {
                let builder = Client::builder().use_preconfigured_tls(Arc::clone(&shared));
                let client = builder.build().unwrap();
                for _ in 0..2 {
                    client.get(server.url("/")).send().unwrap().bytes().unwrap();
                }
            }
            server.join();
            let resumed = [0, 1, 2, 3].map(|i| server.resumed(i));
            assert_eq!(resumed, [false, true, false, true], "{version:?}");
        }
    }

    /// A configuration that disables resumption is left unchanged.
    #[test]
    fn a_configuration_without_resumption_is_unchanged() {
        const LAST: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let pki = Pki::new();
        let mut config = preconfigured(&pki);
        config.resumption = rustls::client::Resumption::disabled();
        let server = tls(vec![answer(LAST); 2], &asking(&pki, &TLS13));
        let client = Client::builder().use_preconfigured_tls(config).build().unwrap();
        for _ in 0..2 {
            client.get(server.url("/")).send().unwrap().bytes().unwrap();
        }
        server.join();
        assert!(!server.resumed(1));
    }
}

mod fields {
    use super::*;
    use leanhttp::header::{HeaderMap, HeaderName, HeaderValue};
    use leanhttp::redirect::Policy;

    /// Names of fields with credentials: those that servers, proxies and services ask for, and
    /// those that secret scanners look for.
    const CREDENTIALS: [&str; 80] = [
        "authorization",
        "authorization-token",
        "x-authorization",
        "x-emby-authorization",
        "x-ms-authorization-auxiliary",
        "x-goog-iam-authorization-token",
        "cookie",
        "cookie2",
        "proxy-authorization",
        "x-api-key",
        "api-key",
        "apikey",
        "x-apikey",
        "api_key",
        "dd-api-key",
        "dd-application-key",
        "x-goog-api-key",
        "x-algolia-api-key",
        "x-parse-rest-api-key",
        "x-parse-master-key",
        "x-nuget-apikey",
        "x-rapidapi-key",
        "x-functions-key",
        "x-license-key",
        "x-access-key",
        "ocp-apim-subscription-key",
        "x-amz-server-side-encryption-customer-key",
        "x-ms-encryption-key",
        "x-auth-token",
        "x-auth-key",
        "x-auth-email",
        "x-auth",
        "x-sentry-auth",
        "x-subject-token",
        "x-storage-token",
        "x-vault-token",
        "x-consul-token",
        "x-figma-token",
        "x-plex-token",
        "x-shopify-access-token",
        "x-postmark-server-token",
        "x-amz-security-token",
        "x-aws-ec2-metadata-token",
        "x-amzn-oidc-accesstoken",
        "private-token",
        "job-token",
        "deploy-token",
        "token",
        "access_token",
        "x-csrf-token",
        "x-csrftoken",
        "x-xsrf-token",
        "csrf",
        "csrfpreventiontoken",
        "jenkins-crumb",
        "x-client-secret",
        "cf-access-client-secret",
        "cf-access-jwt-assertion",
        "x-goog-iap-jwt-assertion",
        "x-jwt",
        "x-password",
        "x-passwd",
        "ok-access-passphrase",
        "ok-access-sign",
        "x-credential",
        "x-amz-credentials",
        "x-session",
        "x-session-id",
        "x-transmission-session-id",
        "sessionid",
        "x-github-otp",
        "dpop",
        "signature",
        "signature-input",
        "x-hub-signature-256",
        "x-twilio-signature",
        "client-cert",
        "x-forwarded-client-cert",
        "ssl-client-cert",
        "x-jfrog-art-api",
    ];

    /// Names that look similar and are needed at every destination.
    const OTHERS: [&str; 23] = [
        "accept",
        "idempotency-key",
        "x-idempotency-key",
        "x-cache-key",
        "x-partition-key",
        "surrogate-key",
        "author",
        "x-authority",
        "x-request-id",
        "x-correlation-id",
        "traceparent",
        "keep-alive",
        "monkey",
        "x-keyboard",
        "x-design",
        "x-passenger",
        "x-certain",
        "x-assertive",
        "user-agent",
        "x-amz-date",
        "content-language",
        "prefer",
        "dnt",
    ];

    fn all(names: &[&'static str]) -> HeaderMap {
        let field = |name: &&'static str| {
            (HeaderName::from_static(name), HeaderValue::from_static("value-of-it"))
        };
        names.iter().map(field).collect()
    }

    fn has(head: &str, name: &str) -> bool {
        head.contains(&format!("\r\n{name}: "))
    }

    /// The fields that the same origin and another one receive.
    fn sent(
        client: ClientBuilder,
        of_client: HeaderMap,
        of_request: HeaderMap,
    ) -> (String, String) {
        let away = Script::serve(vec![answer(ok(""))]);
        let home = Script::serve(vec![
            [moved_and_open("/again"), moved_and_open(&away.url("/"))].concat(),
        ]);
        let client = client.default_headers(of_client).build().unwrap();
        client.get(home.url("/")).headers(of_request).send().unwrap();
        drop(client);
        home.join();
        away.join();
        let at_home = home.received_text(0);
        let (first, again) = at_home.split_once("GET /again").unwrap();
        // The last fields of the first request are complete.
        assert_eq!(first.matches("value-of-it").count(), again.matches("value-of-it").count());
        (again.to_owned(), away.received_text(0))
    }

    /// The rule holds for fields of the request and of the client.
    #[test]
    fn s13_fields_named_like_credentials_stay_with_their_origin() {
        for is_of_client in [true, false] {
            for names in CREDENTIALS.chunks(20).chain(OTHERS.chunks(23)) {
                let is_kept = OTHERS.contains(&names[0]);
                let (one, two) = (all(names), HeaderMap::new());
                let (of_client, of_request) = if is_of_client { (one, two) } else { (two, one) };
                let (home, away) = sent(Client::builder(), of_client, of_request);
                for name in names.iter().filter(|name| **name != "proxy-authorization") {
                    assert!(has(&home, name), "{name} at home\n{home}");
                    assert_eq!(has(&away, name), is_kept, "{name} away\n{away}");
                }
                assert!(!has(&away, "proxy-authorization"));
            }
        }
    }

    /// The program can change the list: some fields are sent everywhere, others are withheld.
    #[test]
    fn s13_the_redirect_policy_names_exceptions() {
        let name = HeaderName::from_static;
        let policy = Policy::limited(5)
            .allow_cross_origin([name("x-csrf-token"), name("authorization"), name("x-marked")])
            .strip_cross_origin([name("x-tenant"), name("idempotency-key")]);
        let mut fields =
            all(&["x-csrf-token", "authorization", "x-tenant", "idempotency-key", "x-vault-token"]);
        let mut marked = HeaderValue::from_static("value-of-it");
        marked.set_sensitive(true);
        fields.insert("x-marked", marked);
        for is_of_client in [true, false] {
            let (one, two) = (fields.clone(), HeaderMap::new());
            let (of_client, of_request) = if is_of_client { (one, two) } else { (two, one) };
            let client = Client::builder().redirect(policy.clone());
            let (home, away) = sent(client, of_client, of_request);
            for name in fields.keys() {
                assert!(has(&home, name.as_str()), "{name}\n{home}");
            }
            let kept: Vec<_> = fields.keys().filter(|name| has(&away, name.as_str())).collect();
            assert_eq!(kept, ["x-csrf-token"], "{away}");
        }
    }

    /// The value is hidden in `Debug` too.
    #[test]
    fn fields_named_like_credentials_are_hidden_in_debug() {
        let ask = Client::new().get("http://a.test/").headers(all(&CREDENTIALS));
        let shown = format!("{ask:?}");
        assert!(!shown.contains("value-of-it"), "{shown}");
        let shown = format!("{:?}", ask.build().unwrap());
        assert!(!shown.contains("value-of-it"), "{shown}");
    }
}

mod trace {
    use std::io;

    use super::*;
    use leanhttp::blocking::{Body, RequestBuilder};
    use leanhttp::cookie::Jar;
    use leanhttp::header::{HeaderMap, HeaderName, HeaderValue};
    use leanhttp::{Method, Url};

    fn field(name: &'static str, is_sensitive: bool) -> HeaderMap {
        let mut value = HeaderValue::from_static("secret");
        value.set_sensitive(is_sensitive);
        HeaderMap::from_iter([(HeaderName::from_static(name), value)])
    }

    /// RFC 9110 §9.3.8: the response echoes the request, so credentials that the client would add
    /// are left out.
    #[test]
    fn s18_trace_omits_credentials_of_the_client() {
        let jar = Arc::new(Jar::new());
        jar.add_cookie_str("a=secret", &Url::parse("http://a.test/").unwrap());
        type Setup<'a> = &'a dyn Fn(ClientBuilder) -> ClientBuilder;
        let rows: [(&str, Setup<'_>); 7] = [
            ("basic", &|client| client.basic_auth("u", Some("secret"))),
            ("default Authorization", &|client| {
                client.default_headers(field("authorization", false))
            }),
            ("default Cookie", &|client| client.default_headers(field("cookie", false))),
            ("default X-Api-Key", &|client| client.default_headers(field("x-api-key", false))),
            ("marked", &|client| client.default_headers(field("x-tenant", true))),
            ("jar", &|client| client.cookie_provider(Arc::clone(&jar))),
            ("proxy", &|client| {
                let proxy = Proxy::http("http://u:secret@a.test").unwrap();
                client.proxy(proxy.headers(field("x-proxy-token", false)))
            }),
        ];
        for (what, set) in rows {
            let server = Script::serve(vec![answer(ok(""))]);
            let client = set(Client::builder()).resolve("a.test", server.addr());
            let ask = client.build().unwrap().request(Method::TRACE, "http://a.test/");
            ask.header("x-own", "1").send().unwrap();
            server.join();
            let head = server.received_text(0);
            let fields: Vec<_> = head.lines().skip(1).collect();
            let usual = format!("user-agent: leanhttp/{}", env!("CARGO_PKG_VERSION"));
            let mut expected = vec!["host: a.test", &usual, "accept: */*", "x-own: 1", ""];
            if fields.iter().any(|field| field.starts_with("accept-encoding")) {
                expected.insert(4, fields[4]);
            }
            assert_eq!(fields, expected, "{what}");
        }
    }

    /// A challenge is not answered either.
    #[cfg(feature = "digest")]
    #[test]
    fn s18_trace_does_not_answer_a_challenge() {
        let server = Script::serve(vec![answer(
            "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n\
             content-length: 0\r\n\r\n",
        )]);
        let client = Client::builder().digest_auth("u", "secret").build().unwrap();
        let response = client.request(Method::TRACE, server.url("/")).send().unwrap();
        assert_eq!(response.status(), 401);
    }

    /// If the caller adds one by name, the call is an error and nothing is sent.
    #[test]
    fn s18_trace_refuses_credentials_of_the_caller() {
        type Step = fn(RequestBuilder) -> RequestBuilder;
        let with = |name: &str| {
            format!("TRACE cannot carry {name}: the response would show it (RFC 9110 \u{a7}9.3.8)")
        };
        let body = "TRACE cannot have a body (RFC 9110 \u{a7}9.3.8)".to_owned();
        let rows: [(&str, Step, String); 9] = [
            ("", |ask| ask.basic_auth("u", Some("secret")), with("authorization")),
            ("", |ask| ask.bearer_auth("secret"), with("authorization")),
            ("", |ask| ask.header("Authorization", "secret"), with("authorization")),
            ("", |ask| ask.header("Cookie", "a=secret"), with("cookie")),
            ("", |ask| ask.header("X-Api-Key", "secret"), with("x-api-key")),
            ("", |ask| ask.headers(field("x-tenant", true)), with("x-tenant")),
            ("u:secret@", |ask| ask, with("authorization")),
            ("", |ask| ask.body("secret"), body.clone()),
            ("", |ask| ask.body(Body::new(io::Cursor::new("secret"))), body),
        ];
        for (userinfo, step, line) in rows {
            let server = Script::serve(vec![]);
            let url = format!("http://{userinfo}a.test/");
            let client = Client::builder().resolve("a.test", server.addr()).build().unwrap();
            let error = step(client.request(Method::TRACE, url)).send().unwrap_err();
            assert!(error.is_builder());
            assert_eq!(error.to_string(), line);
        }
        let server = Script::serve(vec![answer(ok(""))]);
        Client::new().request(Method::TRACE, server.url("/")).body("").send().unwrap();
    }
}

mod urls {
    use super::*;
    use leanhttp::blocking::RequestBuilder;
    use leanhttp::header::AUTHORIZATION;

    /// Middleware may log the URL of a request, so a built request has no password in it.
    #[test]
    fn a_built_request_has_no_password_in_its_url() {
        type Step = fn(RequestBuilder) -> RequestBuilder;
        let own: Step = |ask| ask.header(AUTHORIZATION, "Own field");
        let bearer: Step = |ask| ask.bearer_auth("token");
        let rows: [(&str, Step, Option<&str>); 6] = [
            ("http://u:secret@a.test/p?q", |ask| ask, Some("Basic dTpzZWNyZXQ=")),
            ("http://u@a.test/p?q", |ask| ask, Some("Basic dTo=")),
            ("http://:secret@a.test/p?q", |ask| ask, Some("Basic OnNlY3JldA==")),
            ("http://u:secret@a.test/p?q", own, Some("Own field")),
            ("http://u:secret@a.test/p?q", bearer, Some("Bearer token")),
            ("http://a.test/p?q", |ask| ask, None),
        ];
        for (url, step, expected) in rows {
            let request = step(Client::new().get(url)).build().unwrap();
            assert_eq!(request.url().as_str(), "http://a.test/p?q");
            let value = request.headers().get(AUTHORIZATION);
            assert_eq!(value.map(|value| value.to_str().unwrap()), expected, "{url}");
            assert!(value.is_none_or(|value| value.is_sensitive()), "{url}");
            assert!(!format!("{request:?}").contains("ecret"));
        }
        let error = Client::new().get("http://a%3Ab:secret@a.test/").build().unwrap_err();
        assert_eq!(error.to_string(), "a user name for Basic authentication cannot hold a colon");
    }

    /// Like credentials given by a method, it stays with its origin.
    #[test]
    fn the_user_of_a_url_is_a_credential_of_its_origin() {
        let away = Script::serve(vec![answer(ok(""))]);
        let home = Script::serve(vec![
            [moved_and_open("/again"), moved_and_open(&away.url("/"))].concat(),
        ]);
        let url = home.url("/").replace("://", "://u:secret@");
        let client = Client::new();
        let request = client.get(url).build().unwrap();
        client.execute(request).unwrap();
        drop(client);
        home.join();
        away.join();
        assert_eq!(home.received_text(0).matches("authorization: Basic").count(), 2);
        assert!(!away.received_text(0).contains("authorization"));
    }
}

mod texts {
    use super::*;
    use leanhttp::Url;

    use support::script::moved;

    /// Texts that a caller writes by mistake, or that a server sends so that they are logged: they
    /// are not URLs, but contain a user name and a password.
    const SPELLINGS: [&str; 46] = [
        "http://alice\u{ff1a}hunter2/",
        "http://alice%253Ahunter2|/",
        "http://alice:hunter2%40host/",
        "http://alice:hunter2%2540host/",
        "http://alice:hunter2\u{ff20}host/",
        "http://alice:hunter2\u{fe6b}host/",
        "http://alice:hunter2&#64;host/",
        "http://alice:hunter2\\@host/",
        "http://alice:hunter2 host/",
        "http://alice:hunter2:host/",
        "http://alice:hunter2:host:80/",
        "http://alice:hunter2",
        "http://alice:hunter2/@host/",
        "http://alice:hunter2#@host/",
        "http://alice:hunter2@host:port/",
        "http://alice:hunter2@ho st/",
        "http://alice:hunter2@[host/",
        "http://[alice:hunter2%40host]/",
        "http:alice:hunter2%40host/",
        "http:/alice:hunter2%40host/",
        "http:\\\\alice:hunter2%40host/",
        "http:////alice:hunter2%40host/",
        " HTTP://alice:hun\tter2%40host/",
        "https://alice:hunter2%40host/",
        "http://alice%3Ahunter2%40host/",
        "http://alice%40hunter2%40host/",
        "http://hunter2%40host/",
        "http://hunter2\u{ff20}host/",
        "http://hunter2|x%40host/",
        "http//alice:hunter2%40host/",
        "://alice:hunter2%40host/",
        "//alice:hunter2%40host/",
        "htp://alice:hunter2%40host/",
        "ftp://alice:hunter2@host/",
        "ftp://alice:hunter2%40host/",
        "alice:hunter2@host",
        "alice:hunter2%40host",
        "alice:hunter2\u{ff20}host",
        "alice:hunter2:host",
        "alice:hunter2:host:80",
        "alice:hunter2",
        "al_ice:hunter2:host",
        "alice.hunter2:x@host",
        "socks6://alice:hunter2:host:1080",
        "socks5://alice:hunter2%40host:1080",
        "socks5:alice:hunter2:host",
    ];

    #[track_caller]
    fn assert_hidden(text: &str, error: &dyn std::error::Error) {
        let mut next = Some(error);
        while let Some(error) = next {
            for shown in [format!("{error}"), format!("{error:?}")] {
                // A tab does not hide it.
                let plain = shown.replace("\\t", "").replace('\t', "");
                for secret in ["alice", "al_ice", "hunter2"] {
                    assert!(!plain.contains(secret), "{text:?}: {shown}");
                }
            }
            next = error.source();
        }
    }

    /// A fault of Go's `url.Parse` and others: text that could be user and password is not shown.
    #[test]
    fn s17_an_invalid_url_with_a_possible_password_is_not_shown() {
        let client = Client::new();
        let mut refused = 0;
        for text in SPELLINGS {
            if let Err(error) = client.get(text).build() {
                refused += 1;
                assert_hidden(text, &error);
                assert!(error.url().is_none());
            }
            if let Err(error) = Url::parse(text) {
                assert_hidden(text, &error);
            }
            match Proxy::all(text) {
                Ok(proxy) => {
                    assert!(!format!("{proxy:?}").contains("hunter2"), "{text:?} {proxy:?}")
                }
                Err(error) => assert_hidden(text, &error),
            }
        }
        assert!(refused > 30, "{refused} were refused");
    }

    #[test]
    fn s17_a_location_with_a_possible_password_is_not_shown() {
        let client = Client::new();
        let is_absolute = |text: &&str| {
            Url::parse(text).is_err() && text.contains("://alice") && !text.starts_with(":")
        };
        let mut refused = 0;
        for text in SPELLINGS.into_iter().filter(is_absolute) {
            let server = Script::serve(vec![moved(302, text)]);
            let error = client.get(server.url("/")).send().unwrap_err();
            assert_hidden(text, &error);
            refused += 1;
        }
        assert!(refused > 10, "{refused} were refused");
    }

    /// Other text is shown, because it says what is wrong.
    #[test]
    fn an_invalid_url_without_a_password_is_shown() {
        let rows = [
            ("", "URL \"\": the URL is empty"),
            (
                "/get",
                "URL \"/get\": relative URL without a base: did you mean `http://\u{2026}` or `https://\u{2026}`?",
            ),
            (
                "ftp://host/file",
                "URL \"ftp://host/file\": the scheme `ftp` is not `http` or `https`",
            ),
            ("mailto:me", "URL \"mailto:me\": the scheme `mailto` is not `http` or `https`"),
            (
                "http://host:99999/",
                "URL \"http://host:99999/\": the port is not a number from 0 to 65535",
            ),
            (
                "http://[::1/",
                "URL \"http://[::1/\": the host is in brackets but is no valid IPv6 address",
            ),
            (
                "http://1.2.3.4.5/",
                "URL \"http://1.2.3.4.5/\": the host ends in a number but is no valid IPv4 address",
            ),
        ];
        for (text, line) in rows {
            let error = Client::new().get(text).build().unwrap_err();
            assert_eq!(error.to_string(), line);
        }
    }
}
