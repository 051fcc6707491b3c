//! Requests byte by byte, as data: the files in `tests/wire`. They read like the output of `curl
//! -v`.
//!
//! ```text
//! # a comment
//! === the name of the case
//! client no_gzip              a setting of the client
//! PUT http://a.test/          the method and the URL
//! header x-a: 1               a step of the builder, see `Case::ask`
//! body hello
//! > PUT / HTTP/1.1            a line that is sent, with CRLF at its end unless it ends in `\`
//! >
//! > hello\
//! < HTTP/1.1 200 OK           a line of the response; by default 200 and no body
//! <
//! --- connection              the rest happens on another connection
//! ! message                   alone: nothing is sent, and the error ends with this
//! ```
//!
//! `VERSION` stands for the version of leanhttp; `a.test`, `b.test`, `x--y.test`, `127.0.0.1` and
//! `[::1]` lead to the server.
#![cfg(all(feature = "blocking", feature = "gzip", feature = "cookies"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::collections::VecDeque;
use std::io::{self, Read};
use std::net::SocketAddr;

use leanhttp::blocking::{Body, Client, ClientBuilder, RequestBuilder};
use leanhttp::header::{HeaderMap, HeaderName, HeaderValue};
use leanhttp::{Method, Result, Version};

use support::script::{Script, Step, ok, send};

macro_rules! files {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            run(stringify!($name), include_str!(concat!("wire/", stringify!($name), ".txt")));
        })*
    };
}

files! { targets bodies fields codings spelling trailers expectations credentials redirects cookies refused }

fn run(file: &str, text: &str) {
    let cases = parse(text);
    assert!(!cases.is_empty());
    for case in cases {
        let outcome = std::panic::catch_unwind(|| case.check());
        assert!(outcome.is_ok(), "tests/wire/{file}.txt: {}", case.title);
    }
}

/// A case of a file.
#[derive(Default)]
struct Case {
    title: String,
    /// Settings of the client.
    client: Vec<(String, String)>,
    method: String,
    url: String,
    /// Steps of the builder.
    steps: Vec<(String, String)>,
    connections: Vec<Vec<Message>>,
    error: Option<String>,
}

enum Message {
    Sent(Vec<u8>),
    Answered(Vec<u8>),
}

fn parse(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(title) = line.strip_prefix("=== ") {
            cases.push(Case { title: title.to_owned(), ..Case::default() });
            continue;
        }
        cases.last_mut().unwrap().take(line);
    }
    cases
}

impl Case {
    fn take(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            ">" => self.wire(rest, true),
            "<" => self.wire(rest, false),
            "---" => self.connections.push(Vec::new()),
            "!" => self.error = Some(rest.to_owned()),
            "client" => {
                let (name, value) = rest.split_once(' ').unwrap_or((rest, ""));
                self.client.push((name.to_owned(), value.to_owned()));
            }
            method if method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-') => {
                (self.method, self.url) = (method.to_owned(), rest.to_owned());
            }
            step => self.steps.push((step.to_owned(), rest.to_owned())),
        }
    }

    fn wire(&mut self, line: &str, is_sent: bool) {
        if self.connections.is_empty() {
            self.connections.push(Vec::new());
        }
        let messages = self.connections.last_mut().unwrap();
        let line = line.replace("VERSION", env!("CARGO_PKG_VERSION"));
        let bytes = match line.strip_suffix('\\') {
            Some(open) => open.to_owned(),
            None => format!("{line}\r\n"),
        };
        match (messages.last_mut(), is_sent) {
            (Some(Message::Sent(sent)), true) => sent.extend(bytes.bytes()),
            (Some(Message::Answered(answered)), false) => answered.extend(bytes.bytes()),
            (_, true) => messages.push(Message::Sent(bytes.into())),
            (_, false) => messages.push(Message::Answered(bytes.into())),
        }
    }

    fn check(&self) {
        let server =
            Script::serve(self.connections.iter().map(|messages| script(messages)).collect());
        let outcome = self.send(server.addr());
        match &self.error {
            Some(error) => {
                let told = outcome.unwrap_err().to_string();
                assert!(told.ends_with(error), "{told:?} does not end with {error:?}");
            }
            None => outcome.unwrap(),
        }
        server.join();
        for (i, messages) in self.connections.iter().enumerate() {
            let sent: Vec<&[u8]> = messages.iter().filter_map(Message::sent).collect();
            let expected = String::from_utf8(sent.concat()).unwrap();
            assert_eq!(server.received_text(i), expected);
        }
        assert_eq!(server.accepted(), self.connections.len());
    }

    fn send(&self, addr: SocketAddr) -> Result<()> {
        let hosts = ["a.test", "b.test", "x--y.test", "127.0.0.1", "[::1]"];
        // The same bytes with any other coding features enabled.
        let client = Client::builder().no_deflate().no_brotli().no_zstd();
        let client = hosts.iter().fold(client, |client, host| client.resolve(host, addr));
        let client =
            self.client.iter().fold(client, |client, (name, value)| set(client, name, value));
        let method = Method::from_bytes(self.method.as_bytes()).unwrap();
        let mut request = client.build()?.request(method, &self.url);
        for (step, value) in &self.steps {
            request = ask(request, step, value);
        }
        request = request.body_of(&self.steps);
        request.send()?.bytes().map(drop)
    }
}

impl Message {
    fn sent(&self) -> Option<&[u8]> {
        match self {
            Self::Sent(bytes) => Some(bytes),
            Self::Answered(_) => None,
        }
    }
}

/// The server's steps on one connection.
fn script(messages: &[Message]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut messages = messages.iter().peekable();
    while let Some(message) = messages.next() {
        match (message, messages.peek()) {
            (Message::Answered(bytes), _) => steps.push(send(bytes)),
            (Message::Sent(sent), Some(_)) => steps.push(Step::Expect(sent.clone())),
            (Message::Sent(sent), None) => steps.extend([Step::Expect(sent.clone()), send(ok(""))]),
        }
    }
    steps
}

fn set(client: ClientBuilder, name: &str, value: &str) -> ClientBuilder {
    match name {
        "no_gzip" => client.no_gzip(),
        "http1_title_case_headers" => client.http1_title_case_headers(),
        "user_agent" => client.user_agent(value),
        "default_header" => client.default_headers(HeaderMap::from_iter([field(value)])),
        "basic_auth" => {
            let (user, password) = value.split_once(' ').unwrap();
            client.basic_auth(user, Some(password))
        }
        "expect_continue" => client.expect_continue(true),
        "cookie_store" => client.cookie_store(true),
        other => panic!("no such setting: {other}"),
    }
}

fn ask(request: RequestBuilder, step: &str, value: &str) -> RequestBuilder {
    let pair = |mark: &str| {
        let (name, value) = value.split_once(mark).unwrap_or((value.trim_end_matches(':'), ""));
        (name.to_owned(), value.to_owned())
    };
    match step {
        "header" => {
            let (name, value) = pair(": ");
            request.header(&name, &value)
        }
        "raw_header" => {
            let (name, value) = pair(": ");
            request.raw_header(&name, &value)
        }
        "headers" => {
            let (name, value) = pair(": ");
            let field = (HeaderName::try_from(name).unwrap(), value.try_into().unwrap());
            request.headers(HeaderMap::from_iter([field]))
        }
        "query" => request.query(&[pair("=")]),
        "form" => request.form(&[pair("=")]),
        "target" => request.request_target(value),
        "version" => request.version(Version::HTTP_10),
        "gzip" => request.gzip(value == "on"),
        "basic_auth" => {
            let (user, password) = pair(" ");
            request.basic_auth(user, Some(password))
        }
        "bearer_auth" => request.bearer_auth(value),
        "expect_continue" => request.expect_continue(true),
        "body" | "reader" | "sized" | "trailer" | "late_trailer" => request,
        other => panic!("no such step: {other}"),
    }
}

/// The body, which several steps can describe.
trait BodyOf {
    fn body_of(self, steps: &[(String, String)]) -> Self;
}

impl BodyOf for RequestBuilder {
    fn body_of(self, steps: &[(String, String)]) -> Self {
        let mut body = None;
        for (step, value) in steps {
            body = match (step.as_str(), body) {
                ("body", _) => Some(Body::from(value.clone())),
                ("reader", _) => Some(Body::new(Pieces::of(value))),
                ("sized", _) => {
                    let (length, text) = value.split_once(' ').unwrap_or((value, ""));
                    Some(Body::sized(io::Cursor::new(text.to_owned()), length.parse().unwrap()))
                }
                ("trailer", Some(body)) => Some(body.with_trailers(trailer_fields(steps))),
                ("late_trailer", Some(body)) => {
                    let steps = steps.to_vec();
                    Some(body.with_trailers_from(move || trailer_fields(&steps)))
                }
                (_, body) => body,
            };
        }
        match body {
            Some(body) => self.body(body),
            None => self,
        }
    }
}

fn trailer_fields(steps: &[(String, String)]) -> HeaderMap {
    let all = steps.iter().filter(|(step, _)| step.ends_with("trailer"));
    let mut trailers = HeaderMap::new();
    for (name, value) in all.map(|(_, value)| field(value)) {
        trailers.append(name, value);
    }
    trailers
}

fn field(line: &str) -> (HeaderName, HeaderValue) {
    let (name, value) = line.split_once(": ").unwrap();
    (name.parse().unwrap(), value.parse().unwrap())
}

/// Returns its pieces one by one.
struct Pieces(VecDeque<String>);

impl Pieces {
    fn of(text: &str) -> Self {
        Self(text.split('|').filter(|piece| !piece.is_empty()).map(str::to_owned).collect())
    }
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.pop_front() {
            Some(piece) => piece.as_bytes().read(into),
            None => Ok(0),
        }
    }
}
