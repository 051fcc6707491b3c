//! Calls with redirects, cookies, retries and a pool, over a network that follows a script: the
//! bytes that the servers receive show whether the client did what it must never do, and the
//! outcome does not depend on how bytes are split.
//!
//! The second line of the input has words of options, first for the client and then for each
//! request (see [`client`] and [`request`]); the rest is the [script](leanhttp_fuzz::script).
#![no_main]

use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use leanhttp::cookie::{CookieStore, Jar};
use leanhttp::fuzzing::Outcome;
use leanhttp::fuzzing::call::{self, Client, Reading, Request, RequestBody};
use leanhttp::header::{HeaderMap, HeaderName, HeaderValue};
use leanhttp::{Method, Proxy, Url, Version, redirect, retry};
use leanhttp_fuzz::network::{Attempt, Network, is_until_close};
use leanhttp_fuzz::{Sizes, request, response, script};
use libfuzzer_sys::fuzz_target;

/// The secret that other origins must not receive. It cannot occur in a URL unchanged.
const SECRET: &str = "s\"<ecret>";
/// A cookie of `a.example`, and one that is sent over `https` only.
const COOKIES: [&str; 2] = ["c\"<plain>", "c\"<secure>"];
/// A proxy for `http` servers with a login that no other host may receive.
const PROXY: &str = "http://proxy:word%22%3Cproxy%3E@p.example:3128";
const PROXY_LOGIN: &str = "l\"<ogin>";
const PROXY_STOP: &str = "p.example:3128";
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

fuzz_target!(|input: &[u8]| {
    let (sizes, rest) = leanhttp_fuzz::sizes(input);
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let (words, script) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
    // The servers must not know the secrets in advance.
    let known = |text: &&str| script::read(script).iter().any(|it| holds(&it.stream, text));
    if [SECRET, PROXY_LOGIN, COOKIES[0], COOKIES[1]].iter().any(known) {
        return;
    }
    assert_eq!(run(words, script, sizes), run(words, script, Sizes::WHOLE));
});

/// The result of each request, and the bytes that the servers received of it.
#[derive(Debug, PartialEq)]
struct Result(Outcome, Vec<(Url, Vec<u8>)>);

fn run(words: &[u8], script: &[u8], sizes: Sizes<'_>) -> Vec<Result> {
    let mut words = words.split(|byte| *byte == b' ').map(Options);
    let of_client = words.next().unwrap_or(Options(&[]));
    let cookies = Arc::new(Recorded::new());
    let network = Arc::new(Mutex::new(Network::new(script::read(script), sizes)));
    let client = client(of_client, &cookies, Arc::clone(&network));
    let mut results = Vec::new();
    for options in words.take(4) {
        let Some(request) = request(&client, options) else { continue };
        let before = network.lock().unwrap().attempts.len();
        let reading = Reading { sizes, at_most: if options.have(b'd') { 5 } else { usize::MAX } };
        let outcome = call::call(&client, request, reading);
        let network = network.lock().unwrap();
        let attempts = &network.attempts[before..];
        Check { network: &network, of_client, options, attempts, cookies: &cookies }.all(&outcome);
        let sent = attempts.iter().map(|attempt| (attempt.url.clone(), attempt.sent.clone()));
        results.push(Result(outcome, sent.collect()));
    }
    results
}

/// One letter each, in any order.
#[derive(Clone, Copy)]
struct Options<'a>(&'a [u8]);

impl Options<'_> {
    fn have(self, letter: u8) -> bool {
        self.0.contains(&letter)
    }

    /// The kind of body.
    fn body(self) -> Option<u8> {
        self.0.iter().copied().find(|letter| b"blrsS".contains(letter))
    }

    /// The number of redirects that are followed.
    fn redirects(self) -> usize {
        self.0.iter().find(|it| it.is_ascii_digit()).map_or(10, |it| usize::from(it - b'0'))
    }
}

/// A digit: the maximum of redirects; `n`one, `j`ar, `q` has credentials, `k` an API key, `t` https
/// only, `e`xpects 100, uses a `f`orwarding proxy, is `p`atient with servers.
fn client(options: Options<'_>, cookies: &Arc<Recorded>, network: Arc<Mutex<Network>>) -> Client {
    // Bodies are compared as sent; the target `gzip` decodes.
    let mut builder =
        Client::builder().no_gzip().no_deflate().no_brotli().no_zstd().no_proxy().redirect(
            match options.have(b'n') {
                true => redirect::Policy::none(),
                false => redirect::Policy::limited(options.redirects()),
            },
        );
    if options.have(b'j') {
        builder = builder.cookie_provider(Arc::clone(cookies));
    }
    if options.have(b'q') {
        builder = builder.basic_auth(SECRET, Some("pass"));
    }
    if options.have(b'k') {
        builder = builder.default_headers(HeaderMap::from_iter([(API_KEY, secret())]));
    }
    if options.have(b'f') {
        builder = builder.proxy(Proxy::http(PROXY).unwrap());
    }
    if options.have(b'p') {
        let at_once = retry::Policy::new().backoff(Duration::ZERO, Duration::ZERO);
        builder = builder.retry(at_once.max_retry_after(Duration::ZERO));
    }
    builder = builder.https_only(options.have(b't')).expect_continue(options.have(b'e'));
    call::client(builder, network).unwrap()
}

/// Methods in capitals; bodies `b`ytes, `l`ong, of a `r`eader, `s`ized or too `S`hort;
/// `a`uthorization, `k`ey, `c`ookie, login of a prox`y`, `u`ser in the URL, `R`eferer, `e`xpects
/// 100, http`x`, `Connection: cl`o`se`, HTTP/1.`0`; and `d` drops the response.
fn request(client: &Client, options: Options<'_>) -> Option<Request> {
    let scheme = if options.have(b'x') { "https" } else { "http" };
    let user = if options.have(b'u') { "user:pass-word@" } else { "" };
    let url = format!("{scheme}://{user}a.example/dir/page?query#fragment");
    let mut builder = client.request(method(options), url);
    if let Some((body, _)) = body(options) {
        builder = builder.body(body);
    }
    for (letter, name, value) in [
        (b'a', "authorization", secret()),
        (b'k', "x-api-key", secret()),
        (b'c', "cookie", secret()),
        (b'y', "proxy-authorization", HeaderValue::from_static(PROXY_LOGIN)),
        (b'R', "referer", HeaderValue::from_static("https://a.example/secret")),
        (b'o', "connection", HeaderValue::from_static("close")),
    ] {
        if options.have(letter) {
            builder = builder.header(name, value);
        }
    }
    if options.have(b'e') {
        builder = builder.expect_continue(true);
    }
    if options.have(b'0') {
        builder = builder.version(Version::HTTP_10);
    }
    builder.build().ok()
}

fn secret() -> HeaderValue {
    let mut value = HeaderValue::from_static(SECRET);
    value.set_sensitive(true);
    value
}

fn method(options: Options<'_>) -> Method {
    let methods = [Method::POST, Method::PUT, Method::DELETE, Method::HEAD, Method::PATCH];
    let named = b"PUDHA".iter().zip(methods).find(|(letter, _)| options.have(**letter));
    named.map_or(Method::GET, |(_, method)| method)
}

/// The body, and its bytes.
fn body(options: Options<'_>) -> Option<(RequestBody, Vec<u8>)> {
    let bytes = if options.body() == Some(b'l') { vec![b'l'; 70_000] } else { b"a body".to_vec() };
    let length = bytes.len() as u64;
    let source = std::io::Cursor::new(bytes.clone()).chain(std::io::empty());
    let body = match options.body()? {
        b'b' | b'l' => bytes.clone().into(),
        b'r' => call::reader(source, None),
        b's' => call::reader(source, Some(length)),
        _ => call::reader(source, Some(length + 1)),
    };
    Some((body, bytes))
}

/// A jar that records its calls.
struct Recorded {
    jar: Jar,
    given: Mutex<Vec<(Url, HeaderValue)>>,
    told: Mutex<Vec<Url>>,
}

impl Recorded {
    fn new() -> Self {
        let now = || SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let jar = Jar::with_clock(now);
        let home = Url::parse("https://a.example/").unwrap();
        jar.add_cookie_str(&format!("a={}", COOKIES[0]), &home);
        jar.add_cookie_str(&format!("b={}; Secure", COOKIES[1]), &home);
        Self { jar, given: Mutex::default(), told: Mutex::default() }
    }
}

impl CookieStore for Recorded {
    fn set_cookies(&self, fields: &mut dyn Iterator<Item = &HeaderValue>, url: &Url) {
        self.told.lock().unwrap().push(url.clone());
        self.jar.set_cookies(fields, url);
    }

    fn cookies(&self, url: &Url) -> Option<HeaderValue> {
        let header = self.jar.cookies(url)?;
        self.given.lock().unwrap().push((url.clone(), header.clone()));
        Some(header)
    }
}

/// One call, as the servers see it.
struct Check<'a> {
    network: &'a Network,
    of_client: Options<'a>,
    options: Options<'a>,
    attempts: &'a [Attempt],
    cookies: &'a Recorded,
}

impl Check<'_> {
    fn all(&self, outcome: &Outcome) {
        let Some(first) = self.attempts.first() else { return };
        let mut strangers = false;
        for (at, attempt) in self.attempts.iter().enumerate() {
            strangers |= attempt.url.origin() != first.url.origin();
            let next = self.attempts.get(at + 1);
            self.leaks(attempt, strangers);
            self.whole(attempt, next.is_some() || outcome.head.is_some());
            if let Some(next) = next {
                self.next(attempt, next);
            }
            assert!(!self.of_client.have(b't') || attempt.url.scheme() == "https");
        }
        self.hops();
        let hops = |url: &Url| self.attempts.iter().any(|attempt| attempt.url == *url);
        assert!(self.cookies.told.lock().unwrap().drain(..).all(|url| hops(&url)));
        self.response(outcome);
    }

    /// Secrets that a server must not receive, even in a part of a request.
    fn leaks(&self, attempt: &Attempt, is_stranger: bool) {
        let Attempt { sent, url, .. } = attempt;
        let end = leanhttp_fuzz::find(sent, b"\r\n\r\n").map_or(sent.len(), |end| end + 4);
        let sent = &sent[..end];
        assert!(!holds(sent, "pass-word") && !holds(sent, "<proxy>") && !holds(sent, "#fragment"));
        assert!(!is_stranger || !holds(sent, SECRET));
        let [plain, secure] = COOKIES.map(|cookie| holds(sent, cookie));
        assert!(!(plain || secure) || (url.host_str() == Some("a.example")));
        assert!(!secure || url.scheme() == "https");
        let Some(head) = request::head(sent) else { return };
        let by_proxy = attempt.stop == PROXY_STOP;
        assert!(by_proxy || head.values("proxy-authorization").next().is_none());
        assert!(by_proxy || !holds(sent, PROXY_LOGIN));
        assert_eq!(by_proxy, self.of_client.have(b'f') && url.scheme() == "http");
        for name in ["authorization", "x-api-key"] {
            assert!(!is_stranger || head.values(name).next().is_none(), "{name} got to {url}");
        }
        let referer = head.values("referer").next();
        assert!(!is_stranger || url.scheme() == "https" || referer.is_none());
        for cookie in head.values("cookie") {
            let given = self.cookies.given.lock().unwrap();
            let is_given = given.iter().any(|(at, header)| at == url && header == cookie);
            assert!(is_given || (cookie == SECRET.as_bytes() && !is_stranger));
        }
    }

    /// Each request on the wire is one request: the intended one.
    fn whole(&self, attempt: &Attempt, answered: bool) {
        let Attempt { sent, url, method, .. } = attempt;
        let Some(head) = request::head(sent) else {
            return assert!(!holds(sent, "\r\n\r\n"), "the head is not well-formed");
        };
        let target = url.as_str().split('#').next().unwrap();
        if attempt.stop == PROXY_STOP {
            assert_eq!(head.target, target);
            assert_eq!(head.values("proxy-authorization").count(), 1);
        } else {
            assert!(target.ends_with(&head.target) && head.target.starts_with(url.path()));
            let port = url.port_or_known_default().unwrap();
            assert_eq!(attempt.stop, format!("{}:{port}", url.host_str().unwrap()));
        }
        assert_eq!(head.method, method.as_str());
        let hosts: Vec<_> = head.values("host").collect();
        assert!(hosts.len() == 1 && target.contains(std::str::from_utf8(hosts[0]).unwrap()));
        let Some(request) = request::parse(sent) else { return };
        assert_eq!(request.length, sent.len(), "more than one request was sent");
        assert!(answered || self.options.body() != Some(b'S') || request.body.is_empty());
        let meant = match body(self.options) {
            Some((_, bytes)) if *method == self.attempts[0].method => bytes,
            _ => Vec::new(),
        };
        assert_eq!(request.body, meant);
    }

    /// Each attempt after the first has a reason.
    fn next(&self, attempt: &Attempt, next: &Attempt) {
        let method = &attempt.method;
        let Some((head, _)) = self.network.answer(attempt) else {
            assert!((attempt.reused && !next.reused) || self.is_patient());
            return self.repeated(attempt, next);
        };
        let get_instead = |from: bool| if from { Method::GET } else { method.clone() };
        let expected = match head.status.as_u16() {
            301 | 302 => get_instead(*method == Method::POST),
            303 => get_instead(*method != Method::HEAD),
            307 | 308 => method.clone(),
            417 => {
                let expected = |attempt: &Attempt| {
                    request::head(&attempt.sent).is_none_or(|it| it.values("expect").count() > 0)
                };
                assert!(expected(attempt) && (next.sent.is_empty() || !expected(next)));
                return assert_eq!(attempt.url, next.url);
            }
            429 | 502 | 503 | 504 if self.is_patient() => return self.repeated(attempt, next),
            status => panic!("{status} was followed by {} {}", next.method, next.url),
        };
        assert_eq!(next.method, expected);
        let location = head.headers.get("location").expect("it says where to").as_bytes();
        let location = String::from_utf8_lossy(location);
        if !location.contains('\u{fffd}') {
            let mut target = attempt.url.join(&location).expect("it was followed");
            if target.fragment().is_none() {
                target.set_fragment(attempt.url.fragment());
            }
            assert_eq!(target, next.url);
        }
    }

    /// A request that may have been carried out is not sent again, unless it is idempotent.
    fn repeated(&self, attempt: &Attempt, next: &Attempt) {
        let Attempt { sent, method, url, .. } = attempt;
        assert!(sent.is_empty() || method.is_idempotent(), "{method} was sent twice");
        assert_eq!((method, url), (&next.method, &next.url));
    }

    fn is_patient(&self) -> bool {
        self.of_client.have(b'p')
    }

    fn hops(&self) {
        let answers = self.attempts.iter().map(|attempt| self.network.answer(attempt));
        let redirects = answers.flatten().filter(|(head, _)| head.status.is_redirection()).count();
        let limit = if self.of_client.have(b'n') { 0 } else { self.of_client.redirects() };
        // The last one may be incomplete.
        assert!(redirects <= limit + 1 && (redirects <= limit || self.attempts.len() > limit));
        let retries = if self.is_patient() { 2 } else { 0 };
        assert!(self.attempts.len() <= 3 * (limit + 1) + 2 * retries);
    }

    /// The caller's response is the server's, and is complete only if that is.
    fn response(&self, outcome: &Outcome) {
        let Some(head) = &outcome.head else { return };
        let attempt = self.attempts.last().unwrap();
        let (sent, rest) = self.network.answer(attempt).expect("there was a response");
        assert_eq!(*head, sent);
        let body = response::body(&attempt.method, head, rest);
        if outcome.end.is_ok() {
            assert_eq!(Some(&outcome.body), body.as_ref().map(|(body, _)| body), "it was cut");
            let by_end = is_until_close(&attempt.method, head);
            assert!(!by_end || self.network.ended_well(attempt), "a reset is no end");
        } else if let Some((body, _)) = body {
            assert!(body.starts_with(&outcome.body));
        }
    }
}

fn holds(text: &[u8], word: &str) -> bool {
    leanhttp_fuzz::find(text, word.as_bytes()).is_some()
}
