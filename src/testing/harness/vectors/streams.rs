//! Lines, events and reconnects. The bodies are hand-made, and the reconnects are those of the machine on a
//! simulated clock; `tests/streams.rs` has them over sockets.

use std::io::{self, Read};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, StatusCode};
use serde_json::{Value, json};

use super::support::{self, Outcome};
use crate::blocking::{Body, Response};
use crate::error::{Error, Kind, Phase};
use crate::extra::streams::reconnect::{Answered, NextStep, Subscription};
use crate::sse::{Parser, Reconnect};

fn decoded(text: &Value) -> Vec<u8> {
    STANDARD.decode(text.as_str().unwrap()).unwrap()
}

/// Returns the ways in which the input of a case comes: whole, byte by byte, cut in two at every place or at
/// some places of a long one, and as the case says.
fn splits(case: &Value) -> Vec<Vec<Vec<u8>>> {
    let input = decoded(&case["input"]);
    let stride = input.len() / 300 + 1;
    let mut ways = vec![vec![input.clone()], input.chunks(1).map(<[u8]>::to_vec).collect()];
    ways.extend((0..=input.len()).step_by(stride).map(|at| {
        let (one, other) = input.split_at(at);
        vec![one.to_vec(), other.to_vec()]
    }));
    ways.extend(case["chunks"].as_array().map(|chunks| chunks.iter().map(decoded).collect()));
    ways
}

#[test]
fn sse_parse() {
    // The words for errors are advice.
    support::run_except("sse/parse", &["/expect/error"], |case| {
        for pieces in splits(case) {
            let actual = parse(case, &pieces);
            let is_huge = case["expect"]["retry_ms"].is_f64() && actual["retry_ms"] == u64::MAX;
            let agrees = |(key, wanted): (&String, &Value)| match key.as_str() {
                "error" => actual["error"].is_string(),
                "retry_ms" if is_huge => true,
                _ => *wanted == actual[key],
            };
            let expected = case["expect"].as_object().unwrap();
            let has_failed = actual["error"].is_string();
            if !expected.iter().all(agrees) || has_failed != expected.contains_key("error") {
                return Outcome::Failed(actual.to_string());
            }
        }
        Outcome::Passed
    });
}

fn parse(case: &Value, pieces: &[Vec<u8>]) -> Value {
    let mut parser = Parser::new();
    if let Some(limit) = case["max_event"].as_u64() {
        parser = parser.max_event_bytes(usize::try_from(limit).unwrap());
    }
    parser = parser.with_last_event_id(case["last_event_id"].as_str().unwrap_or_default());
    let (mut events, mut error) = (Vec::new(), Value::Null);
    for piece in pieces {
        parser.feed(piece);
        take_events(&mut parser, &mut events).unwrap_or_else(|text| error = json!(text));
    }
    parser.finish();
    let retry = parser.retry().map(|retry| u64::try_from(retry.as_millis()).unwrap());
    let id = parser.last_event_id();
    json!({"events": events, "retry_ms": retry, "last_event_id": id, "error": error})
}

fn take_events(parser: &mut Parser, events: &mut Vec<Value>) -> Result<(), String> {
    while let Some(event) = parser.next_event().map_err(|error| error.to_string())? {
        events.push(json!({"event": event.name(), "data": event.data(), "id": event.id()}));
    }
    Ok(())
}

#[test]
fn lines_ndjson() {
    support::run("lines/ndjson", |case| {
        for pieces in splits(case) {
            let body = Pieces { pieces, is_cut: case["body_end"] == "truncated" };
            let actual = Value::Array(read_lines(case, body));
            if !support::accepted(case).any(|expected| *expected == actual) {
                return Outcome::Failed(actual.to_string());
            }
        }
        Outcome::Passed
    });
}

/// A body that comes in these pieces, and may be cut short then.
struct Pieces {
    pieces: Vec<Vec<u8>>,
    is_cut: bool,
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.pieces.first().is_some_and(Vec::is_empty) {
            self.pieces.remove(0);
        }
        let Some(piece) = self.pieces.first_mut() else {
            return if self.is_cut { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(0) };
        };
        let count = piece.len().min(into.len());
        into[..count].copy_from_slice(&piece[..count]);
        piece.drain(..count);
        Ok(count)
    }
}

fn read_lines(case: &Value, body: Pieces) -> Vec<Value> {
    let limit = case["max_line"].as_u64().map_or(1 << 20, |limit| usize::try_from(limit).unwrap());
    let response = Response::from(http::Response::new(Body::new(body)));
    let mut items = Vec::new();
    if case["mode"] == "lines" {
        let mut lines = response.lines().max_line_bytes(limit);
        while let Some(line) = lines.next() {
            let number = lines.line_number();
            items.push(line.map_or_else(said, |text| json!({"text": text, "line": number})));
        }
    } else {
        let mut lines = response.json_lines::<Value>().max_line_bytes(limit);
        while let Some(value) = lines.next() {
            let number = lines.line_number();
            items.push(value.map_or_else(said, |value| json!({"value": value, "line": number})));
        }
    }
    items
}

/// Returns the class of an error by its text.
fn said(error: Error) -> Value {
    let text = error.to_string();
    let classes = [("not UTF-8", "utf-8"), ("JSON", "json"), ("longer than", "too long")];
    let class = classes.iter().find(|(part, _)| text.contains(part));
    json!({"error": class.map_or("truncated", |(_, class)| class), "line": error.line_number()})
}

#[test]
fn sse_reconnect() {
    // The words for errors are advice.
    support::run_except("sse/reconnect", &["/expect/error"], |case| {
        let exchanges = case["exchanges"].as_array().unwrap();
        if exchanges.iter().any(|it| it["answer"]["status"].as_u64().is_some_and(is_redirect)) {
            return Outcome::Skipped("the client follows redirects: tests/streams.rs");
        }
        if exchanges.iter().any(|it| it["answer"]["coding"].is_string()) {
            return Outcome::Skipped("the client decodes: tests/streams.rs");
        }
        let mut source = Source::new(&case["config"]);
        for exchange in exchanges {
            if let Err(wrong) = source.exchange(exchange) {
                return Outcome::Failed(wrong);
            }
        }
        let agrees = |expected: &Value| source.agrees(expected);
        match support::accepted(case).any(agrees) {
            true => Outcome::Passed,
            false => Outcome::Failed(format!("{:?} {:?}", source.events, source.next)),
        }
    });
}

fn is_redirect(status: u64) -> bool {
    (300..400).contains(&status) && status != 304
}

/// A source without a client.
struct Source {
    subscription: Subscription,
    parser: Parser,
    events: Vec<Value>,
    next: NextStep,
}

impl Source {
    fn new(config: &Value) -> Self {
        let retry = Duration::from_millis(config["retry_ms"].as_u64().unwrap_or(3000));
        let failures = config["max_failures"].as_u64().map(|count| u32::try_from(count).unwrap());
        let id = config["last_event_id"].as_str().unwrap_or_default();
        Self {
            subscription: Subscription::new(Reconnect::new().first(retry).failures(failures)),
            parser: Parser::new().with_last_event_id(id),
            events: Vec::new(),
            next: NextStep::Wait(Duration::ZERO),
        }
    }

    fn exchange(&mut self, exchange: &Value) -> Result<(), String> {
        let NextStep::Wait(waited) = self.next else { return Err(format!("{:?}", self.next)) };
        let (request, waited) = (&exchange["request"], u64::try_from(waited.as_millis()).unwrap());
        let at_least = request["wait_ms_min"].as_u64().unwrap_or(0);
        let at_most = request["wait_ms_max"].as_u64().unwrap_or(u64::MAX);
        if !(at_least..=at_most).contains(&waited) {
            return Err(format!("waited for {waited} ms"));
        }
        let mut headers = HeaderMap::new();
        Subscription::prepare(&mut headers, self.parser.last_event_id()).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        for field in request["headers"].as_array().unwrap() {
            let name = HeaderName::try_from(text(&field[0])).unwrap();
            if headers.get(&name).map(|value| value.as_bytes()) != Some(text(&field[1]).as_bytes())
            {
                return Err(format!("{name} is {:?}", headers.get(&name)));
            }
        }
        for name in request["headers_absent"].as_array().unwrap() {
            if headers.contains_key(text(name)) {
                return Err(format!("{name} is there"));
            }
        }
        if !exchange["answer"].is_null() {
            self.answer(&exchange["answer"]);
        }
        Ok(())
    }

    fn answer(&mut self, answer: &Value) {
        if let Some(failure) = answer["fail"].as_str() {
            let (kind, phase) = match failure {
                "dns" => (Kind::Resolve, Phase::Resolve),
                "refused" => (Kind::Connect, Phase::Connect),
                _ => (Kind::Tls, Phase::Handshake),
            };
            self.next = self.subscription.failed(&Error::new(kind, phase), 0);
            return;
        }
        let fields = answer["headers"].as_array().into_iter().flatten();
        let mut fields = fields.filter(|field| field[0] == "Retry-After");
        let retry_after = fields.next().map(|field| field[1].as_str().unwrap().parse().unwrap());
        let status = u16::try_from(answer["status"].as_u64().unwrap()).unwrap();
        let head = Answered {
            status: StatusCode::from_u16(status).unwrap(),
            content_type: answer["content_type"].as_str().map(str::as_bytes),
            retry_after: retry_after.map(Duration::from_secs),
        };
        self.next = self.subscription.answered(head, 0);
        if self.next != NextStep::Read {
            return;
        }
        self.parser.feed(answer["body"].as_str().unwrap().as_bytes());
        take_events(&mut self.parser, &mut self.events).unwrap();
        let error = match answer["end"].as_str().unwrap() {
            "eof" => None,
            "cut" => Some(Kind::Truncated),
            "reset" => Some(Kind::Io),
            "silent" => Some(Kind::Timeout),
            "bad chunk" => Some(Kind::Protocol),
            other => panic!("{other}"),
        };
        let error = error.map(|kind| Error::new(kind, Phase::Body));
        self.parser.finish();
        self.next = self.subscription.ended(error.as_ref(), self.parser.retry(), 0);
    }

    fn agrees(&self, expected: &Value) -> bool {
        let is_end = match (expected["end"].as_str(), self.next) {
            (Some("closed"), NextStep::End) | (Some("error"), NextStep::GiveUp(_)) => true,
            (Some("stopped" | "reconnects"), NextStep::Wait(time)) => {
                time >= Duration::from_millis(expected["wait_ms_min"].as_u64().unwrap_or(0))
            }
            _ => false,
        };
        is_end && expected["events"] == json!(self.events)
    }
}
