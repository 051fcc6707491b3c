//! What is sent, and what is refused before a byte of it is.

use std::io::{self, Read};
use std::net::SocketAddr;

use leanhttp::header::{HeaderMap, HeaderName};
use leanhttp::{Body, Client, Method, Url};
use serde_json::Value;

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
        let is_right = is_as_expected(&case["expect"], &result, &sent)
            || also.into_iter().any(|prose| is_accepted(prose, &result, &sent));
        match is_right {
            true => Outcome::Passed,
            false => Outcome::Failed(format!("{result:?}: {}", received.escape_ascii())),
        }
    });
}

/// How it went, and what came.
fn in_the_clear(request: &Value) -> (Result<(), String>, Vec<u8>) {
    let peer = Peer::start(ok(""));
    let result = send(request, peer.addr);
    (result, peer.received().unwrap_or_default())
}

fn over_tls(request: &Value) -> (Result<(), String>, Vec<u8>) {
    let server = Script::serve_tls(vec![answer(ok(""))], Pki::new().server_config(Leaf::Good));
    let result = send(request, server.addr());
    server.join();
    (result, server.received(0))
}

fn send(request: &Value, addr: SocketAddr) -> Result<(), String> {
    let method = Method::from_bytes(request["method"].as_str().unwrap().as_bytes())
        .map_err(|error| error.to_string())?;
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
    building.send().map(drop).map_err(|error| error.to_string())
}

fn trailers(request: &Value) -> Result<HeaderMap, String> {
    let mut trailers = HeaderMap::new();
    for field in request["trailers"].as_array().into_iter().flatten() {
        let name: HeaderName = field[0].as_str().unwrap().parse().unwrap();
        let value = field[1].as_str().unwrap();
        trailers.append(name, value.parse().map_err(|_| "invalid trailer".to_owned())?);
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

/// Gives texts one by one; an object stands for a failure.
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

/// A request as it came.
struct Sent<'a> {
    line: &'a str,
    fields: Vec<(String, &'a [u8])>,
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
        Self { line, fields: fields.collect(), bytes: received.len() }
    }

    fn field(&self, name: &str) -> Vec<&[u8]> {
        let named = self.fields.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
        named.map(|(_, value)| *value).collect()
    }
}

fn is_as_expected(expected: &Value, result: &Result<(), String>, sent: &Sent<'_>) -> bool {
    if expected.get("error").is_some() {
        // A body that fails on the way has sent something, and all else nothing.
        return result.is_err() && (expected.get("bytes_sent").is_none() || sent.bytes == 0);
    }
    if let Some(any) = expected.get("any_of") {
        let clean = !sent.line.contains(['\t', '\r', '\n']) && sent.field("x-evil").is_empty();
        let words = sent.line.split(' ').count();
        assert!(any.as_array().unwrap().iter().any(|one| one == "error"));
        return result.is_err() && sent.bytes == 0 || clean && words == 3;
    }
    let text = |key: &str| expected[key].as_str();
    let target = sent.line.split(' ').nth(1);
    result.is_ok()
        && expected.as_object().unwrap().keys().all(|key| KNOWN.contains(&key.as_str()))
        && text("request_line").is_none_or(|line| line == sent.line)
        && text("request_target").is_none_or(|wanted| Some(wanted) == target)
        && text("host_header").is_none_or(|host| sent.field("host") == [host.as_bytes()])
        && expected.get("header_sent").is_none_or(|field| {
            sent.field(field[0].as_str().unwrap()) == [field[1].as_str().unwrap().as_bytes()]
        })
        && expected["headers_absent"]
            .as_array()
            .into_iter()
            .flatten()
            .all(|name| sent.field(name.as_str().unwrap()).is_empty())
}

const KNOWN: [&str; 5] =
    ["request_line", "request_target", "host_header", "header_sent", "headers_absent"];

/// What the cases accept besides, in words.
fn is_accepted(prose: &Value, result: &Result<(), String>, sent: &Sent<'_>) -> bool {
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
