//! The calls of programs written for reqwest, and the effect of each here.
#![cfg(all(feature = "blocking", feature = "tls", feature = "ring"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may panic")]

mod support;

use std::error::Error as _;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use leanhttp::blocking::{Client, ClientBuilder};
use leanhttp::dns::{Addrs, Name, Resolve, Resolving, SystemResolver};
use leanhttp::error::Kind;
use leanhttp::{Certificate, Error, Identity, Method, Proxy, StatusCode, retry};

use support::httpbin::Httpbin;
use support::net::refused;
use support::pki::{Clients, Leaf, Pki};
use support::script::{Script, Step, answer, moved, ok, send};

fn get(client: ClientBuilder, url: &str) -> leanhttp::Result<String> {
    client.build()?.get(url).send()?.text()
}

/// The kinds of the `io::Error`s among the sources of an error.
fn io_kinds(error: &Error) -> Vec<io::ErrorKind> {
    let mut kinds = Vec::new();
    let mut next = error.source();
    while let Some(source) = next {
        kinds.extend(source.downcast_ref::<io::Error>().map(io::Error::kind));
        next = source.source();
    }
    kinds
}

/// A program that names `reqwest::blocking` and the root of the crate, with one line changed.
mod a_blocking_program {
    use super::{Httpbin, Script, answer, ok};
    use leanhttp as reqwest;

    struct Api {
        client: reqwest::blocking::Client,
        base: reqwest::Url,
    }

    impl Api {
        fn new(base: &str) -> Result<Self, reqwest::Error> {
            let mut headers = reqwest::header::HeaderMap::new();
            headers.insert(reqwest::header::ACCEPT, "application/json".parse().unwrap());
            let client = reqwest::blocking::ClientBuilder::new()
                .default_headers(headers)
                .redirect(reqwest::redirect::Policy::limited(3))
                .no_proxy()
                .build()?;
            Ok(Self { client, base: reqwest::Url::parse(base).unwrap() })
        }

        fn status(
            &self,
            method: reqwest::Method,
            path: &str,
        ) -> reqwest::Result<reqwest::StatusCode> {
            let request = self.client.request(method, self.base.join(path).unwrap());
            let response: reqwest::blocking::Response = request.send()?;
            Ok(response.status())
        }

        fn echo(&self, body: impl Into<reqwest::blocking::Body>) -> Result<String, reqwest::Error> {
            let url = self.base.join("post").unwrap();
            self.client.post(url).body(body).send()?.error_for_status()?.text()
        }
    }

    #[test]
    fn runs_with_the_crate_under_the_name_of_reqwest() {
        let server = Httpbin::start();
        let api = Api::new(&server.url("")).unwrap();
        let get = |path| api.status(reqwest::Method::GET, path);
        assert_eq!(get("status/404").unwrap(), reqwest::StatusCode::NOT_FOUND);
        assert!(get("redirect/4").unwrap_err().is_redirect());
        assert!(api.echo("twelve bytes").unwrap().contains("twelve bytes"));
        assert!(api.echo(b"of a vector".to_vec()).unwrap().contains("of a vector"));
    }

    #[test]
    fn gets_with_the_function_of_the_module() {
        let server = Script::serve(vec![answer(ok("short"))]);
        assert_eq!(reqwest::blocking::get(server.url("")).unwrap().text().unwrap(), "short");
    }
}

mod resolvers {
    use super::*;

    /// Answers for `a.test`, after it was pending once.
    #[derive(Clone)]
    struct Office(SocketAddr);

    impl Resolve for Office {
        fn resolve(&self, name: Name) -> Resolving {
            let addr = self.0;
            let mut is_polled = false;
            Box::pin(async move {
                std::future::poll_fn(|cx| {
                    if std::mem::replace(&mut is_polled, true) {
                        return std::task::Poll::Ready(());
                    }
                    let waker = cx.waker().clone();
                    std::thread::spawn(move || waker.wake());
                    std::task::Poll::Pending
                })
                .await;
                match name.as_str() {
                    "a.test" => Ok(Box::new(std::iter::repeat(addr)) as Addrs),
                    "io.test" => Err(io::Error::from(io::ErrorKind::HostUnreachable).into()),
                    "panic.test" => panic!("on purpose"),
                    _ => Err("not in this office".into()),
                }
            })
        }
    }

    #[test]
    fn are_awaited_by_value_or_shared() {
        let server = Script::serve(vec![answer(ok("found")); 3]);
        let office = Office(server.addr());
        let shared: Arc<dyn Resolve> = Arc::new(office.clone());
        let builders = [
            Client::builder().dns_resolver(office.clone()),
            Client::builder().dns_resolver(Arc::new(office)),
            Client::builder().dns_resolver2(shared),
        ];
        for builder in builders {
            // The office never stops to name addresses.
            assert_eq!(get(builder, "http://a.test/").unwrap(), "found");
        }
    }

    #[test]
    fn fail_with_their_own_error() {
        let rows = [
            ("b.test", "not in this office", vec![]),
            ("io.test", "host unreachable", vec![io::ErrorKind::HostUnreachable]),
            ("panic.test", "the lookup ended without an answer", vec![io::ErrorKind::Other]),
        ];
        for (name, line, kinds) in rows {
            let client = Client::builder().dns_resolver(Office(refused()));
            let error = get(client, &format!("http://{name}/")).unwrap_err();
            assert!(error.is_dns() && error.is_connect() && error.is_request(), "{error}");
            assert!(error.to_string().ends_with(&format!(": {line}")), "{error}");
            assert!(io_kinds(&error).starts_with(&kinds), "{error}");
        }
    }

    #[test]
    fn that_never_answer_cost_the_timeout() {
        struct Never;
        impl Resolve for Never {
            fn resolve(&self, _: Name) -> Resolving {
                Box::pin(std::future::pending())
            }
        }
        let client = Client::builder().dns_resolver(Never);
        let client = client.connect_timeout(Duration::from_millis(50));
        let error = get(client, "http://a.test/").unwrap_err();
        assert!(error.is_timeout() && error.is_dns(), "{error}");
    }

    #[test]
    fn build_on_that_of_the_system() {
        let found = SystemResolver.look_up("localhost").unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback() && address.port() == 0));
        assert!(!found.is_empty());
    }
}

mod retries {
    use super::*;

    fn busy() -> [Step; 2] {
        answer("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n").try_into().unwrap()
    }

    fn quick(policy: retry::Builder) -> Client {
        let policy = policy.backoff(Duration::from_millis(1), Duration::from_millis(2));
        Client::builder().retry(policy).build().unwrap()
    }

    /// Status and number of requests of one call.
    fn outcome(client: &Client, method: Method, turns: usize) -> (u16, usize) {
        let connection = vec![busy(); turns].concat();
        let server = Script::serve(vec![connection]);
        let response = client.request(method, server.url("/")).body("x").send().unwrap();
        let requests = server.received_text(0).matches("HTTP/1.1\r\n").count();
        (response.status().as_u16(), requests)
    }

    #[test]
    fn never_retries_nothing() {
        assert_eq!(outcome(&quick(retry::never()), Method::GET, 1), (503, 1));
    }

    #[test]
    fn of_a_host_are_those_that_the_function_names() {
        let any = |host| retry::for_host(host).classify_fn(|attempt| attempt.retryable());
        let rows = [
            (retry::for_host("127.0.0.1"), Method::GET, 1),
            (any("127.0.0.1"), Method::GET, 3),
            (any("127.0.0.1"), Method::POST, 3),
            (any("127.0.0.1").max_retries_per_request(1), Method::GET, 2),
            (any("127.0.0.1").max_retries_per_request(0), Method::GET, 1),
            (any("a.test"), Method::GET, 1),
        ];
        for (policy, method, requests) in rows {
            let shown = format!("{policy:?} {method}");
            assert_eq!(outcome(&quick(policy), method, requests), (503, requests), "{shown}");
        }
    }

    #[test]
    fn see_request_and_outcome() {
        let server = Script::serve(vec![
            vec![Step::ExpectRequest, Step::Close],
            vec![Step::ExpectRequest, send("HTTP/1.1 2"), Step::Close],
            [&busy()[..], &answer(ok("at last"))].concat(),
        ]);
        let url = server.url("/path?q");
        let seen: Arc<std::sync::Mutex<Vec<String>>> = Arc::default();
        let (seeing, expected) = (Arc::clone(&seen), url.clone());
        let policy = retry::for_host("127.0.0.1".to_owned()).max_retries_per_request(5);
        let policy = policy.no_budget().classify_fn(move |attempt| {
            assert_eq!(
                (attempt.method(), attempt.uri().to_string()),
                (&Method::POST, expected.clone())
            );
            let error = attempt.error().map(|error| error.downcast_ref::<Error>().unwrap().kind());
            seeing.lock().unwrap().push(format!("{:?} {error:?}", attempt.status()));
            match attempt.status() {
                Some(StatusCode::OK) => attempt.success(),
                _ => attempt.retryable(),
            }
        });
        let response = quick(policy).post(url + "#fragment").body("x").send().unwrap();
        assert_eq!(response.text().unwrap(), "at last");
        let expected =
            ["None Some(Io)", "None Some(Truncated)", "Some(503) None", "Some(200) None"];
        assert_eq!(*seen.lock().unwrap(), expected);
    }

    /// A function cannot ask for what no attempt can change.
    #[test]
    fn are_for_attempts_that_failed() {
        let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let policy = retry::Policy::new().classify_fn(move |attempt| {
            count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            attempt.retryable()
        });
        let client = quick(policy);
        let server = Script::serve(vec![vec![Step::ExpectHead, Step::Silent]]);
        let short = leanhttp::blocking::Body::sized(io::empty(), 5);
        let error = client.post(server.url("/")).body(short).send().unwrap_err();
        assert_eq!(error.kind(), Kind::Body);
        assert!(client.get("http://a b/").send().unwrap_err().is_builder());
        assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 0);
    }

    /// The function sees each failure to connect, too, and the budget ends its retries.
    #[test]
    fn are_paid_for() {
        let at_most = |policy: retry::Policy| {
            let policy = policy.max_retries_per_request(50).classify_fn(|a| a.retryable());
            let client = quick(policy);
            let error = client.get(format!("http://{}/", refused())).send().unwrap_err();
            error.to_string()
        };
        let line = at_most(retry::Policy::new().budget(2));
        assert!(
            line.ends_with("after 2 retries; not retried: the retry budget of the host is used up")
        );
        let line = at_most(retry::Policy::new().budget(2).no_budget());
        assert!(line.ends_with("after 50 retries"), "{line}");
    }
}

mod referers {
    use super::*;

    fn sent(server: &Script, connection: usize) -> Option<String> {
        let request = server.received_text(connection);
        let lines = request.lines().filter_map(|line| line.strip_prefix("referer: "));
        lines.map(str::to_owned).next()
    }

    #[test]
    fn are_sent_if_the_program_wants_it() {
        for enable in [false, true] {
            let hops = vec![moved(302, "/same?x#f"), moved(302, "http://b.test/"), answer(ok(""))];
            let server = Script::serve(hops);
            let client =
                Client::builder().referer(enable).proxy(Proxy::all(server.url("")).unwrap());
            let client = client.build().unwrap();
            client.get("http://u:secret@a.test/?q#f").send().unwrap();
            server.join();
            let sent = [0, 1, 2].map(|hop| sent(&server, hop));
            let expected = ["http://a.test/?q", "http://a.test/same?x"];
            let [first, second] = expected.map(|url| enable.then(|| url.to_owned()));
            assert_eq!(sent, [None, first, second]);
        }
    }

    /// RFC 9110 §10.1.3
    #[test]
    fn of_a_secure_page_are_not_sent_in_the_clear() {
        let pki = Pki::new();
        let plain = Script::serve(vec![answer(ok(""))]);
        let secure = vec![moved(302, &plain.url("/"))];
        let secure = Script::serve_tls(secure, pki.server_config(Leaf::Good));
        let first = Script::serve(vec![moved(302, &secure.url("/secret"))]);
        let client = trusting(&pki).referer(true).build().unwrap();
        client.get(first.url("/")).header("referer", "http://own.test/").send().unwrap();
        let all = [&first, &secure, &plain];
        all.iter().for_each(|server| server.join());
        let sent = all.map(|server| sent(server, 0));
        assert_eq!(sent, [Some("http://own.test/".to_owned()), Some(first.url("/")), None]);
    }
}

fn root(pki: &Pki) -> Certificate {
    Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap()
}

fn trusting(pki: &Pki) -> ClientBuilder {
    Client::builder().tls_certs_only([root(pki)])
}

mod trust {
    use super::*;

    #[test]
    fn the_built_in_roots_can_be_left_out() {
        let pki = Pki::new();
        let server = Httpbin::start_tls_with(pki.server_config(Leaf::Good));
        let url = format!("https://localhost:{}/get", server.addr().port());
        let rows: [fn(ClientBuilder, Certificate) -> ClientBuilder; 4] = [
            |client, root| client.tls_built_in_root_certs(false).add_root_certificate(root),
            |client, root| client.add_root_certificate(root).tls_built_in_root_certs(false),
            |client, root| client.tls_built_in_webpki_certs(false).tls_certs_merge([root]),
            |client, root| client.tls_built_in_root_certs(true).tls_certs_merge([root]),
        ];
        for set in rows {
            let client = set(Client::builder(), root(&pki)).resolve("localhost", server.addr());
            assert!(get(client, &url).is_ok());
        }
        let none = "TLS settings: no root trust anchors were provided";
        let nobody = Client::builder().tls_built_in_root_certs(false).build();
        assert_eq!(nobody.unwrap_err().to_string(), none);
        assert!(
            Client::builder()
                .tls_built_in_root_certs(false)
                .tls_built_in_root_certs(true)
                .build()
                .is_ok()
        );
    }

    #[test]
    fn the_roots_of_the_system_need_their_feature() {
        let build = |on| Client::builder().tls_built_in_native_certs(on).build();
        assert!(build(false).is_ok());
        #[cfg(not(feature = "platform-verifier"))]
        {
            let line = "tls_built_in_native_certs: needs the feature `platform-verifier`";
            assert_eq!(build(true).unwrap_err().to_string(), line);
        }
        // The verifier of the system takes no revocation lists.
        #[cfg(feature = "platform-verifier")]
        {
            let list =
                leanhttp::tls::CertificateRevocationList::from_pem(Pki::new().crl_pem().as_bytes());
            let client = || Client::builder().add_crl(list.as_ref().unwrap().clone());
            assert!(client().tls_built_in_native_certs(true).build().is_err());
            let back = client().tls_built_in_native_certs(true).tls_built_in_native_certs(false);
            assert!(back.build().is_ok());
        }
    }

    #[test]
    fn an_identity_may_be_in_two_files() {
        let pki = Pki::new();
        let pem = pki.client_pem();
        let key = pem.find("-----BEGIN PRIVATE KEY").unwrap();
        let (certificate, key) = pem.split_at(key);
        let identity = Identity::from_pkcs8_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
        let config =
            pki.server_config_for(Leaf::Good, &[&rustls::version::TLS13], Clients::Certified);
        let server = Script::serve_tls(vec![answer(ok("in"))], config);
        let client = trusting(&pki).identity(identity);
        assert_eq!(get(client, &server.url("/")).unwrap(), "in");
        let swapped = Identity::from_pkcs8_pem(key.as_bytes(), certificate.as_bytes()).unwrap_err();
        assert!(swapped.to_string().starts_with("no certificate in the PEM text"), "{swapped}");
        let lost = Identity::from_pkcs8_pem(certificate.as_bytes(), b"").unwrap_err();
        assert!(lost.to_string().starts_with("no private key in the PEM text"), "{lost}");
    }
}

/// The error is for the user, who has a file and needs another.
#[test]
fn an_identity_of_pkcs12_is_an_error_that_names_the_conversion() {
    let error = Identity::from_pkcs12_der(b"any", "secret").unwrap_err();
    assert!(error.is_builder());
    let line = error.to_string();
    assert!(line.contains("openssl pkcs12 -in") && line.contains("from_pem"), "{line}");
    assert!(!line.contains("secret") && !format!("{error:?}").contains("secret"), "{line}");
}

#[test]
fn settings_without_a_meaning_here_change_nothing() {
    let server = Script::serve(vec![answer(ok("the same"))]);
    let second = Duration::from_secs(1);
    let client = Client::builder()
        .http1_only()
        .connection_verbose(true)
        .hickory_dns(true)
        .no_hickory_dns()
        .trust_dns(true)
        .no_trust_dns()
        .http2_initial_stream_window_size(1)
        .http2_initial_connection_window_size(Some(1))
        .http2_adaptive_window(true)
        .http2_max_frame_size(None)
        .http2_max_header_list_size(1)
        .http2_keep_alive_interval(second)
        .http2_keep_alive_timeout(second)
        .http2_keep_alive_while_idle(true)
        .use_rustls_tls()
        .tls_backend_rustls();
    let request = client.build().unwrap().get(server.url("/")).fetch_mode_no_cors();
    assert_eq!(request.send().unwrap().text().unwrap(), "the same");
}

#[test]
fn settings_that_cannot_be_met_are_errors() {
    let rows = [
        (
            Client::builder().http2_prior_knowledge(),
            "http2_prior_knowledge: only HTTP/1.1 is supported",
        ),
        (Client::builder().http09_responses(), "http09_responses: HTTP/0.9 is not supported"),
    ];
    for (builder, line) in rows {
        let error = builder.build().unwrap_err();
        assert!(error.is_builder());
        assert_eq!(error.to_string(), line);
    }
}

#[cfg(unix)]
#[test]
fn paths_of_sockets_are_of_every_type() {
    let path: Arc<Path> = Path::new("/none").into();
    let (owned, text) = (path.to_path_buf(), "/none".to_owned());
    let builders = [
        Client::builder().unix_socket(&*path),
        Client::builder().unix_socket(path),
        Client::builder().unix_socket(owned),
        Client::builder().unix_socket("/none"),
        Client::builder().unix_socket(text),
    ];
    for builder in builders {
        assert!(get(builder, "http://a.test/").unwrap_err().is_connect());
    }
}

mod sources {
    use super::*;

    /// `localhost` often has two addresses: what happened to them is told in the line, and the kind by the
    /// source.
    #[test]
    fn of_several_refusals_are_a_refusal() {
        let (a, b) = (refused(), refused());
        let client = || Client::builder().resolve_to_addrs("a.test", &[a, b]);
        let error = get(client(), "http://a.test/").unwrap_err();
        assert_eq!(io_kinds(&error), [io::ErrorKind::ConnectionRefused], "{error}");
        let one = get(Client::builder(), &format!("http://{a}/")).unwrap_err();
        assert_eq!(io_kinds(&one), [io::ErrorKind::ConnectionRefused], "{one}");
    }
}
