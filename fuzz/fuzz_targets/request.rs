//! Requests: whatever fields, URL and body a caller sets, either no complete request is sent, or
//! exactly one that a strict reference parser (`src/request.rs`) reads back as intended.
//!
//! The input has texts: options, method, URL, body, then names and values of fields in turn. The
//! options are described at [`Input::request`] and the functions that it calls.
#![no_main]

use std::sync::{Arc, Mutex};

use leanhttp::fuzzing::call::{self, Client, Reading, Request, RequestBody};
use leanhttp::header::{
    AUTHORIZATION, COOKIE, EXPECT, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHORIZATION, UPGRADE,
};
use leanhttp::{Method, Version};
use leanhttp_fuzz::network::Network;
use leanhttp_fuzz::{Sizes, Slow, request, script};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let (sizes, rest) = leanhttp_fuzz::sizes(input);
    let texts: Vec<_> = rest.split(|byte| *byte == 0xff).collect();
    let [options, method, url, body, fields @ ..] = &texts[..] else { return };
    let options = &options[..options.len().min(12)];
    let input = Input { options, method, url, body, fields, sizes };
    let defaults = input.defaults();
    let mut builder = Client::builder().no_proxy().default_headers(defaults.clone());
    if input.have(b'c') {
        builder = builder.http1_title_case_headers();
    }
    let network = Arc::new(Mutex::new(Network::new(script::read(b"$w$k$z"), sizes)));
    let Ok(client) = call::client(builder, network.clone()) else { return };
    let Some(request) = input.request(&client) else { return };

    let meant = Meant::new(&request, defaults, &input);
    let reading = Reading { sizes, at_most: usize::MAX };
    let outcome = call::call(&client, request, reading);
    let network = network.lock().unwrap();
    let Some(attempt) = network.attempts.first() else { return assert!(outcome.end.is_err()) };
    assert_eq!(network.attempts.len(), 1);
    match request::parse(&attempt.sent) {
        Some(sent) => {
            assert!(outcome.end.is_ok() && sent.length == attempt.sent.len());
            meant.check(&sent, &input);
        }
        None => assert!(
            outcome.end.is_err() && input.is_body_wrong(),
            "not a request: {}",
            attempt.sent.escape_ascii()
        ),
    }
});

/// Singleton fields (RFC 9110), except those of the framing.
const ONCE: [&str; 25] = [
    "content-type",
    "authorization",
    "user-agent",
    "host",
    "range",
    "referer",
    "origin",
    "max-forwards",
    "content-location",
    "content-range",
    "content-disposition",
    "date",
    "from",
    "etag",
    "last-modified",
    "location",
    "retry-after",
    "if-modified-since",
    "if-unmodified-since",
    "if-range",
    "age",
    "expires",
    "sec-websocket-key",
    "sec-websocket-version",
    "access-control-request-method",
];

/// A name in any case whose field has one line in a request.
fn stands_once(name: &str) -> bool {
    let others = ["content-length", "proxy-authorization", "cookie"];
    ONCE.into_iter().chain(others).any(|own| own.eq_ignore_ascii_case(name))
}

struct Input<'a> {
    options: &'a [u8],
    method: &'a [u8],
    url: &'a [u8],
    body: &'a [u8],
    /// Names and values in turn.
    fields: &'a [&'a [u8]],
    sizes: Sizes<'a>,
}

impl Input<'_> {
    fn have(&self, letter: u8) -> bool {
        self.options.contains(&letter)
    }

    /// The client's `d`efault fields are those of the input too.
    fn defaults(&self) -> HeaderMap {
        if self.have(b'd') { self.map() } else { HeaderMap::new() }
    }

    /// All pairs that are valid fields.
    fn map(&self) -> HeaderMap {
        let field = |(name, value)| {
            let name = HeaderName::from_bytes(name).ok()?;
            Some((name, HeaderValue::from_bytes(value).ok()?))
        };
        self.pairs().filter_map(field).collect()
    }

    fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields.chunks(2).map(|pair| (pair[0], pair.get(1).copied().unwrap_or_default()))
    }

    /// The names with a fixed position, in order: those of the last line of singletons, and those
    /// of all lines of other fields, up to the last one with a spelling.
    fn placed(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let mut placed: Vec<String> = Vec::new();
        for letter in self.options.iter().filter(|letter| b"hw".contains(letter)) {
            for (name, _) in self.pairs() {
                let name = String::from_utf8_lossy(name);
                let is_same = |own: &String| own.eq_ignore_ascii_case(&name);
                let before = lines.iter().filter(|own| is_same(own)).count();
                lines.push(name.to_string());
                if *letter == b'h' {
                    continue;
                }
                if stands_once(&name) {
                    placed.retain(|own| !is_same(own));
                } else {
                    let have = placed.iter().filter(|own| is_same(own)).count();
                    placed.extend((have..before).map(|_| name.to_ascii_lowercase()));
                }
                placed.push(name.into_owned());
            }
        }
        placed
    }

    /// A name as the client spells it.
    fn usual(&self, name: &str) -> String {
        let name = name.to_ascii_lowercase();
        if !self.have(b'c') {
            return name;
        }
        let title = |word: &str| match word.split_at_checked(1) {
            Some((first, rest)) => first.to_ascii_uppercase() + rest,
            None => String::new(),
        };
        name.split('-').map(title).collect::<Vec<_>>().join("-")
    }

    /// The expected fields: the last value of a singleton counts, cookies form one list, and other
    /// fields keep all their lines.
    fn given(&self, name: &HeaderName) -> Vec<Vec<u8>> {
        let mut values: Vec<Vec<u8>> = Vec::new();
        for _ in self.options.iter().filter(|letter| b"hw".contains(letter)) {
            let named =
                |(own, _): &(&[u8], &[u8])| own.eq_ignore_ascii_case(name.as_str().as_bytes());
            values.extend(self.pairs().filter(named).map(|(_, value)| value.to_vec()));
        }
        if *name == COOKIE && !values.is_empty() {
            values.retain(|cookies| !cookies.is_empty());
            return vec![values.join(&b"; "[..])];
        }
        let first = if stands_once(name.as_str()) { values.len().saturating_sub(1) } else { 0 };
        values.split_off(first)
    }

    /// `b`asic or bea`t`er authorization with method and URL; the fields as a `q`uery or a `f`orm;
    /// HTTP/1.`0`; `e`xpects 100; fields unchanged, or `w`ith their spelling; the body as the
    /// `g`iven target. Before that the client: its names are in title `c`ase.
    fn request(&self, client: &Client) -> Option<Request> {
        let [method, url, body] = [self.method, self.url, self.body].map(String::from_utf8_lossy);
        let mut builder = client.request(Method::from_bytes(self.method).ok()?, &*url);
        if let Some(body) = self.request_body() {
            builder = builder.body(body);
        }
        let texts = |(name, value): (&[u8], &[u8])| {
            [name, value].map(|it| String::from_utf8_lossy(it).into_owned())
        };
        let pairs: Vec<(String, String)> =
            self.pairs().map(texts).map(|[name, value]| (name, value)).collect();
        for letter in self.options {
            builder = match letter {
                b'b' => builder.basic_auth(&method, Some(&body)),
                b't' => builder.bearer_auth(&body),
                b'q' => builder.query(&pairs),
                b'f' => builder.form(&pairs),
                b'0' => builder.version(Version::HTTP_10),
                b'e' => builder.expect_continue(true),
                b'g' => builder.request_target(&body),
                b'w' => self.pairs().fold(builder, |builder, (name, value)| {
                    builder.raw_header(&String::from_utf8_lossy(name), value)
                }),
                b'h' => self.pairs().fold(builder, |it, (name, value)| it.header(name, value)),
                _ => builder,
            };
        }
        builder.build().ok()
    }

    /// A body from a `r`eader; a `s`ized one, which has a byte more (`+`) or fewer (`-`); or from
    /// `B`ytes. The fields are sent as `T`railers too, or only `C`omputed at its end.
    fn request_body(&self) -> Option<RequestBody> {
        let length = self.body.len() as u64;
        let source = || Slow::new(self.body_bytes(), self.sizes);
        let letter = self.options.iter().find(|letter| b"rsB".contains(letter))?;
        let body: RequestBody = match letter {
            b'r' => call::reader(source(), None),
            b's' => call::reader(source(), Some(length)),
            _ => self.body_bytes().into(),
        };
        let trailers = self.map();
        Some(match (self.have(b'T'), self.have(b'C')) {
            (true, _) => body.with_trailers(trailers),
            (false, true) => body.with_trailers_from(move || trailers.clone()),
            (false, false) => body,
        })
    }

    fn body_bytes(&self) -> Vec<u8> {
        let mut bytes = self.body.to_vec();
        if self.have(b'+') {
            bytes.push(b'+');
        }
        if self.have(b'-') {
            bytes.pop();
        }
        bytes
    }

    /// Returns whether a reader returns less than announced, or trailers turn out to be invalid.
    fn is_body_wrong(&self) -> bool {
        if self.have(b'C') && !self.fields.is_empty() {
            return true;
        }
        let is_length = |(name, _): (&[u8], _)| name.eq_ignore_ascii_case(b"content-length");
        let announced = self.have(b's') || self.pairs().any(is_length);
        announced && self.body_bytes().len() < self.announced()
    }

    /// The bytes of a reader that are sent: no more than announced.
    fn sent_of_reader(&self, sent: &request::Request) -> Vec<u8> {
        let mut bytes = self.body_bytes();
        let kind = self.options.iter().find(|letter| b"rsB".contains(letter));
        // Trailers need the chunked coding, even after a reader of known length.
        if kind == Some(&b's') || sent.values("content-length").next().is_some() {
            bytes.truncate(self.announced());
        }
        bytes
    }

    /// The length in the fields, or else the announced length of the reader.
    fn announced(&self) -> usize {
        let is_length = |(name, _): &(&[u8], _)| name.eq_ignore_ascii_case(b"content-length");
        let said = self.pairs().find(is_length).filter(|_| self.have(b'r'));
        let said = said.and_then(|(_, value)| std::str::from_utf8(value).ok()?.trim().parse().ok());
        said.unwrap_or(self.body.len())
    }
}

/// The request as the builder shows it.
struct Meant {
    method: Method,
    target: String,
    fields: HeaderMap,
    defaults: HeaderMap,
    /// Unless it is read.
    body: Option<Vec<u8>>,
    trailers: HeaderMap,
}

impl Meant {
    fn new(request: &Request, defaults: HeaderMap, input: &Input<'_>) -> Self {
        for (name, _) in input.pairs().filter(|_| input.have(b'h') || input.have(b'w')) {
            let name = HeaderName::from_bytes(name).unwrap();
            let is_set_otherwise = name == AUTHORIZATION && (input.have(b'b') || input.have(b't'));
            let shown = request.headers().get_all(&name).into_iter().map(|it| it.as_bytes());
            assert!(is_set_otherwise || shown.eq(input.given(&name)), "{name}");
        }
        let url = request.url();
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let target = match input.have(b'g') {
            true => String::from_utf8_lossy(input.body).into_owned(),
            false => url.path().to_owned() + &query,
        };
        let mut fields = request.headers().clone();
        let is_known = |name: &HeaderName| *name != UPGRADE || !input.have(b'0');
        let is_new = |name: &HeaderName| {
            is_known(name) && !request.headers().contains_key(name) && !is_framing(name)
        };
        for (name, value) in defaults.iter().filter(|(name, _)| is_new(name)) {
            fields.append(name, value.clone());
        }
        let body = match request.body() {
            Some(body) => body.as_bytes().map(<[u8]>::to_vec),
            None => Some(Vec::new()),
        };
        let has_trailers = (input.have(b'T') || input.have(b'C')) && !input.have(b'f');
        let has_trailers = has_trailers && request.body().is_some();
        let trailers = if has_trailers { input.map() } else { HeaderMap::new() };
        Self { method: request.method().clone(), target, fields, defaults, body, trailers }
    }

    fn check(&self, sent: &request::Request, input: &Input<'_>) {
        assert_eq!(sent.method, self.method.as_str());
        assert_eq!(sent.target, self.target);
        assert_eq!(sent.version, if input.have(b'0') { "HTTP/1.0" } else { "HTTP/1.1" });
        assert_eq!(sent.body, self.body.clone().unwrap_or_else(|| input.sent_of_reader(sent)));
        if let Some(host) = self.fields.get("host") {
            assert_eq!(sent.values("host").next(), Some(host.as_bytes().trim_ascii()));
        }
        for name in self.fields.keys().filter(|name| !is_framing(name)) {
            if *name == PROXY_AUTHORIZATION {
                assert_eq!(sent.values(name.as_str()).count(), 0, "there is no proxy");
                continue;
            }
            let (meant, came) = (trimmed(&self.fields, name), sent.values(name.as_str()));
            if *name == COOKIE {
                // All cookies are in one field (RFC 6265 §5.4).
                let meant: Vec<_> = meant.filter(|cookies| !cookies.is_empty()).collect();
                let came: Vec<_> = came.collect();
                assert_eq!((came.len(), came.concat()), (1, meant.join(&b"; "[..])));
                continue;
            }
            // The last value of a singleton counts.
            let meant: Vec<_> = meant.collect();
            let first = if ONCE.contains(&name.as_str()) { meant.len() - 1 } else { 0 };
            assert!(meant[first..].iter().copied().eq(came), "{name}");
        }
        for name in sent.fields.iter().map(|(name, _)| name) {
            if self.fields.contains_key(name) && !FRAMING.contains(&name.as_str()) {
                continue;
            }
            assert!(OURS.contains(&name.as_str()), "{name} was not meant");
            // A list may have members of the caller and of the client.
            assert!(name == "expect" || sent.values(name).count() == 1, "{name}");
        }
        let mut expectations = sent.values("expect");
        assert!(expectations.all(|it| it == b"100-continue" || self.expects(it)));
        self.check_spelling(sent, input);

        assert_eq!(sent.trailers.len(), self.trailers.len());
        for name in self.trailers.keys() {
            let came = sent.trailers.iter().filter(|(own, _)| name.as_str() == own);
            let came = came.map(|(_, value)| value.as_slice());
            assert!(trimmed(&self.trailers, name).eq(came), "{name}");
        }
    }

    fn expects(&self, expectation: &[u8]) -> bool {
        trimmed(&self.fields, &EXPECT)
            .chain(trimmed(&self.defaults, &EXPECT))
            .any(|it| it == expectation)
    }

    /// After `Host` follow the names with a fixed position, in their spelling and order; then all
    /// others, as the client spells names.
    fn check_spelling(&self, sent: &request::Request, input: &Input<'_>) {
        let mut left: Vec<_> = sent.fields.iter().map(|(name, _)| name.clone()).collect();
        let mut take = |name: &str| {
            let at = left.iter().position(|own| own.eq_ignore_ascii_case(name));
            at.map(|at| left.remove(at)).is_some()
        };
        let mut placed = input.placed();
        if !placed.iter().any(|name| name.eq_ignore_ascii_case("host")) {
            placed.insert(0, input.usual("host"));
        }
        placed.retain(|name| take(name));
        let (first, others) = sent.names.split_at(placed.len());
        assert_eq!(first, placed, "{:?}", sent.names);
        for name in others {
            assert_eq!(*name, input.usual(name));
        }
    }
}

fn trimmed<'a>(fields: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    fields.get_all(name).into_iter().map(|value| value.as_bytes().trim_ascii())
}

/// The fields that the client writes itself, even if the caller sets them.
const FRAMING: [&str; 4] = ["host", "content-length", "transfer-encoding", "expect"];

fn is_framing(name: &HeaderName) -> bool {
    FRAMING.contains(&name.as_str())
}

/// The fields that the client may add.
const OURS: [&str; 9] = [
    "host",
    "user-agent",
    "accept",
    "accept-encoding",
    "authorization",
    "content-length",
    "transfer-encoding",
    "trailer",
    "expect",
];
