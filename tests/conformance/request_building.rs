//! Requests as bytes, and those that are refused before a byte is sent.

use std::io::{self, Read};
use std::net::SocketAddr;

use leanhttp::header::{HeaderMap, HeaderName};
use leanhttp::{Body, Client, Error, Method, Url};
use serde_json::Value;

use super::errors::is_named;
use super::peer::Peer;
use super::support::{self, Outcome, accepted};
use crate::support_servers::pki::{Leaf, Pki};
use crate::support_servers::script::{Script, answer, ok};

#[test]
fn request_building() {
    support::run("misc/request_building", |case| {
        let request = &case["request"];
        if request.get("proxy").is_some() {
            return Outcome::Skipped("by a proxy, in the other set");
        }
        let (result, received) = match request["url"].as_str().unwrap().starts_with("https") {
            true => over_tls(request),
            false => in_the_clear(request),
        };
        let sent = Sent::new(&received);
        let also = accepted(case).skip(1);
        let is_right = is_as_expected(case, &result, &sent)
            || also.into_iter().any(|prose| is_accepted(prose, &result, &sent));
        match is_right {
            true => Outcome::Passed,
            false => Outcome::Failed(format!("{result:?}: {}", received.escape_ascii())),
        }
    });
}

/// The reason why a request was not sent, or not completely.
#[derive(Debug)]
enum Failure {
    /// The crate `http` rejects the method or value; the class of errors.
    Unspeakable(&'static str),
    Client(Error),
}

impl Failure {
    fn is_named(&self, name: &str) -> bool {
        match self {
            Self::Unspeakable(class) => *class == name,
            Self::Client(error) => is_named(error, name),
        }
    }
}

type Result<T> = std::result::Result<T, Failure>;

/// Sends a request over plain TCP, and returns the result and the bytes that the server received.
fn in_the_clear(request: &Value) -> (Result<()>, Vec<u8>) {
    let peer = Peer::start(ok(""));
    let result = send(request, peer.addr);
    (result, peer.received().unwrap_or_default())
}

fn over_tls(request: &Value) -> (Result<()>, Vec<u8>) {
    let server = Script::serve_tls(vec![answer(ok(""))], Pki::new().server_config(Leaf::Good));
    let result = send(request, server.addr());
    server.join();
    (result, server.received(0))
}

fn send(request: &Value, addr: SocketAddr) -> Result<()> {
    let method = Method::from_bytes(request["method"].as_str().unwrap().as_bytes())
        .map_err(|_| Failure::Unspeakable("invalid-method"))?;
    let url = request["url"].as_str().unwrap();
    let mut builder = Client::builder();
    if let Some(host) = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)) {
        builder = builder.resolve(&host, addr).danger_accept_invalid_certs(true);
    }
    let client = builder.build().unwrap();
    let mut building = client.request(method, url);
    for field in request["headers"].as_array().into_iter().flatten() {
        building = building.header(field[0].as_str().unwrap(), field[1].as_str().unwrap());
    }
    if let Some(body) = body(request) {
        let trailers = trailers(request)?;
        building = building.body(body.with_trailers(trailers));
    }
    building.send().map(drop).map_err(Failure::Client)
}

fn trailers(request: &Value) -> Result<HeaderMap> {
    let mut trailers = HeaderMap::new();
    for field in request["trailers"].as_array().into_iter().flatten() {
        let name: HeaderName = field[0].as_str().unwrap().parse().unwrap();
        let value = field[1].as_str().unwrap();
        let refused = |_| Failure::Unspeakable("invalid-header-value");
        trailers.append(name, value.parse().map_err(refused)?);
    }
    Ok(trailers)
}

fn body(request: &Value) -> Option<Body> {
    let text = request["body"].as_str().map(str::to_owned);
    if let Some(length) = request["body_declared"].as_u64() {
        return Some(Body::sized(io::Cursor::new(text.unwrap()), length));
    }
    let Some(chunks) = request["body_chunks"].as_array() else { return text.map(Body::from) };
    Some(Body::new(Chunks(chunks.clone().into_iter().collect())))
}

/// Returns texts one by one; an object stands for a failure.
struct Chunks(std::collections::VecDeque<Value>);

impl Read for Chunks {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.pop_front() {
            None => Ok(0),
            Some(Value::String(text)) => text.as_bytes().read(into),
            Some(_) => Err(io::Error::other("broken")),
        }
    }
}

/// A request as received.
struct Sent<'a> {
    line: &'a str,
    fields: Vec<(String, &'a [u8])>,
    body: &'a [u8],
    bytes: usize,
}

impl<'a> Sent<'a> {
    fn new(received: &'a [u8]) -> Self {
        let end = received.windows(4).position(|end| end == b"\r\n\r\n").unwrap_or(0);
        let mut lines = received[..end].split(|byte| *byte == b'\n');
        let line = std::str::from_utf8(lines.next().unwrap()).unwrap().trim_end();
        let fields = lines.map(|line| {
            let at = line.iter().position(|byte| *byte == b':').unwrap();
            let name = String::from_utf8(line[..at].to_vec()).unwrap();
            (name, line[at + 1..].trim_ascii())
        });
        let body = received.get(end + 4..).unwrap_or_default();
        Self { line, fields: fields.collect(), body, bytes: received.len() }
    }

    fn field(&self, name: &str) -> Vec<&[u8]> {
        let named = self.fields.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
        named.map(|(_, value)| *value).collect()
    }
}

fn is_as_expected(case: &Value, result: &Result<()>, sent: &Sent<'_>) -> bool {
    let (expected, target) = (&case["expect"], sent.line.split(' ').nth(1));
    let is_refused = ["error", "any_of"].iter().any(|key| expected.get(*key).is_some());
    let one = |name: &Value, value: &str| sent.field(name.as_str().unwrap()) == [value.as_bytes()];
    let stated = expected.as_object().unwrap();
    (is_refused || result.is_ok())
        && stated.iter().all(|(key, wanted)| match (key.as_str(), wanted.as_str()) {
            ("error", Some(name)) => result.as_ref().is_err_and(|error| error.is_named(name)),
            ("bytes_sent", _) => *wanted == sent.bytes,
            ("note", Some(note)) => is_cut(note, case, sent),
            ("any_of", _) => wanted.as_array().unwrap().iter().any(|one| is_one(one, result, sent)),
            ("request_line", Some(line)) => line == sent.line,
            ("request_target", wanted @ Some(_)) => wanted == target,
            ("host_header", Some(host)) => sent.field("host") == [host.as_bytes()],
            ("header_sent", _) => one(&wanted[0], wanted[1].as_str().unwrap()),
            ("headers_absent", _) => {
                let mut names = wanted.as_array().unwrap().iter();
                names.all(|name| sent.field(name.as_str().unwrap()).is_empty())
            }
            _ => false,
        })
}

/// Returns whether the server sees that the body is incomplete. The peer has seen the connection closed.
fn is_cut(note: &str, case: &Value, sent: &Sent<'_>) -> bool {
    match note {
        "connection closed, never padded, never reused" => {
            let (body, declared) = (&case["request"]["body"], &case["request"]["body_declared"]);
            body.as_str().unwrap().as_bytes().starts_with(sent.body)
                && sent.field("content-length") == [declared.to_string().as_bytes()]
        }
        "connection closed without the final chunk, so the server sees a truncated body" => {
            sent.field("transfer-encoding") == [b"chunked"] && !sent.body.ends_with(b"0\r\n\r\n")
        }
        _ => false,
    }
}

/// A choice of results, described in words.
fn is_one(prose: &Value, result: &Result<()>, sent: &Sent<'_>) -> bool {
    match prose.as_str().unwrap() {
        "error" => result.is_err() && sent.bytes == 0,
        "request target without any CR, LF, TAB (WHATWG strips them)" => {
            let is_clean = !sent.line.contains(['\t', '\r', '\n']);
            is_clean && sent.line.split(' ').count() == 3 && sent.field("x-evil").is_empty()
        }
        "UTF-8 octets" => result.is_ok(),
        _ => false,
    }
}

/// Alternatives that the cases accept, described in words.
fn is_accepted(prose: &Value, result: &Result<()>, sent: &Sent<'_>) -> bool {
    match prose.as_str().unwrap_or_default() {
        "error" => result.is_err() && sent.bytes == 0,
        "sent as given" | "h.example" => result.is_ok(),
        "a single Host is sent" => result.is_ok() && sent.field("host").len() == 1,
        "a single Content-Length: 5 is sent" => {
            result.is_ok() && sent.field("content-length") == [b"5"]
        }
        _ => false,
    }
}
