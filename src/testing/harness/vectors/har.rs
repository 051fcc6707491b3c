//! HAR files: entries of exchanges that are played, in memory.

use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::har_format;
use super::support::{self, Outcome};
use crate::base::timings::{Attempt, Lap, Timings};
use crate::error::{Error, Kind, Phase};
use crate::extra::har::Recorder;
use crate::extra::sent::{SentBody, SentRequest};
use crate::fields::date;
use crate::http1::head;
use crate::http1::limits::Limits;
use crate::url::Url;

/// Remarks for people, of which no text is compared.
const REMARKS: [&str; 5] = [
    "/expect/all_unknown_keys_start_with",
    "/expect/entry._error",
    "/expect/entry.connection",
    "/expect/json",
    "/expect/response.content.comment",
];

#[test]
fn har() {
    support::run_except("export/har", &REMARKS, |case| {
        if case["given"].get("served_from_cache").is_some() {
            return Outcome::Skipped("there is no cache");
        }
        let file = record(&case["given"]);
        let parsed: Value = serde_json::from_str(&file).unwrap();
        let mut wrong = har_format::violations(&parsed);
        let hidden = case["not_in_output"].as_array().into_iter().flatten();
        wrong.extend(hidden.filter(|it| file.contains(it.as_str().unwrap())).map(Value::to_string));
        for path in case["absent"].as_array().into_iter().flatten() {
            if !actual(&parsed, path.as_str().unwrap()).is_null() {
                wrong.push(format!("{path} is there"));
            }
        }
        for (path, expected) in case["expect"].as_object().unwrap() {
            let actual = actual(&parsed, path);
            let size = json!(response(&case["given"]["response"]).0.len());
            // The fields of the vectors do not fit into the size that they state: the head that is played counts.
            let is_size = path == "response.headersSize" && *expected != -1;
            let expected = if is_size { &size } else { expected };
            if !is_met(path, expected, &actual) {
                wrong.push(format!("{path} is {actual}"));
            }
        }
        if wrong.is_empty() { Outcome::Passed } else { Outcome::Failed(wrong.join("; ")) }
    });
}

/// Plays what is given, and returns the file.
fn record(given: &Value) -> String {
    let most = given["limit"].as_u64().unwrap_or(1 << 20);
    let recorder = Recorder::new().bodies(most.try_into().unwrap());
    let recorder = if given.get("reveal").is_some() { recorder.with_secrets() } else { recorder };
    let count = given["hops"].as_u64().or(given["attempts"].as_u64());
    let count = count.unwrap_or(1 + u64::from(given.get("same_connection").is_some()));
    for _ in 0..count {
        play(given, &recorder);
    }
    let mut file = Vec::new();
    recorder.write_to(&mut file).unwrap();
    String::from_utf8(file).unwrap()
}

fn play(given: &Value, recorder: &Recorder) {
    let now = Instant::now();
    let started = given["started"].as_str().map_or(SystemTime::UNIX_EPOCH, |text| {
        assert_eq!(text, "2026-01-02T03:04:05.678Z");
        let seconds = date::parse(b"Fri, 02 Jan 2026 03:04:05 GMT", SystemTime::now()).unwrap();
        seconds + Duration::from_millis(678)
    });
    let (sent, length) = request(&given["request"]);
    let mut recording = recorder.begin(started, &sent, length).unwrap();
    let attempt = attempt(&given["timings_ms"], now);
    let error = given["error"].as_str();
    if error.is_some_and(|error| error.starts_with("connecting")) {
        let error = Error::new(Kind::Connect, Phase::Connect).detail(error.unwrap().to_owned());
        return recording.failed(&error, attempt);
    }
    let local = "127.0.0.1:50000".parse().unwrap();
    let remote = given["peer"].as_str().map(|peer| peer.parse().unwrap());
    let (raw, body, on_wire) = response(&given["response"]);
    let head = head::parse(&raw, &Limits::default()).unwrap();
    recording.answered(&head, remote, Some(local), attempt);
    let mut recording = recording.of_body(false, now);
    let later = now + millis(&given["timings_ms"]["body"]).unwrap_or_default();
    if error.is_some() {
        recording.read(Ok(b"hel"), None, later);
        let cut = Error::new(Kind::Truncated, Phase::Body).detail("cut after 3 of 5 octets");
        return recording.read(Err(&cut), None, later);
    }
    recording.read(Ok(&body), on_wire, later);
    recording.end();
}

fn request(given: &Value) -> (SentRequest, Option<u64>) {
    let method = given["method"].as_str().unwrap_or("GET");
    let url = given["url"].as_str().unwrap_or("http://a.example/");
    let mut head = format!("{method} / HTTP/1.1\r\n");
    for field in given["headers"].as_array().into_iter().flatten() {
        head += &format!("{}: {}\r\n", field[0].as_str().unwrap(), field[1].as_str().unwrap());
    }
    head += "\r\n";
    let mut head = head.into_bytes();
    let size: usize = given["head_octets"].as_u64().unwrap_or_default().try_into().unwrap();
    head.resize(size.max(head.len()), b'\n');
    let (body, length) = match given["body"].as_str() {
        None => (SentBody::None, Some(0)),
        Some("streamed") => (SentBody::NotKept, given["body_octets"].as_u64()),
        Some(base64) => {
            let bytes = STANDARD.decode(base64).unwrap();
            let length = bytes.len() as u64;
            (SentBody::Bytes(bytes.into()), Some(length))
        }
    };
    let sent = SentRequest {
        method: method.parse().unwrap(),
        url: Url::parse(url).unwrap(),
        version: http::Version::HTTP_11,
        head,
        marked: Vec::new(),
        body,
    };
    (sent, length)
}

/// Returns the head of a response, its body, and the number of bytes on the wire.
fn response(given: &Value) -> (Vec<u8>, Vec<u8>, Option<u64>) {
    if given.is_null() {
        return (b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), b"hello".to_vec(), None);
    }
    let mut head =
        format!("HTTP/1.1 {} {}\r\n", given["status"], given["reason"].as_str().unwrap());
    for field in given["headers"].as_array().unwrap() {
        head += &format!("{}: {}\r\n", field[0].as_str().unwrap(), field[1].as_str().unwrap());
    }
    // The vectors write a byte that is not UTF-8 in words.
    let mut head: Vec<u8> = head.replace("caf\u{e9} (Latin-1 octet e9)", "caf\u{1}").into();
    head.iter_mut().filter(|byte| **byte == 1).for_each(|byte| *byte = 0xe9);
    let size: usize = given["head_octets"].as_u64().unwrap().try_into().unwrap();
    if let Some(missing) = size.checked_sub(head.len() + 6).filter(|missing| *missing > 0) {
        head.extend(format!("p:{}\r\n", "x".repeat(missing - 1)).bytes()); // of the size that is given
    }
    head.extend(b"\r\n");
    let body = STANDARD.decode(given["body"].as_str().unwrap()).unwrap();
    (head, body, given["body_octets_on_wire"].as_u64())
}

fn millis(value: &Value) -> Option<Duration> {
    value.as_f64().map(|millis| Duration::from_nanos((millis * 1e6).round() as u64))
}

fn attempt(given: &Value, start: Instant) -> Attempt {
    let mut timings = Timings::start(start);
    let mut now = start;
    for (name, lap) in [
        ("queue", Lap::Queue),
        ("resolve", Lap::Resolve),
        ("connect", Lap::Connect),
        ("handshake", Lap::Handshake),
        ("request", Lap::Request),
        ("first_byte", Lap::FirstByte),
    ] {
        if let Some(time) = millis(&given[name]) {
            now += time;
            timings.lap(lap, now);
        }
    }
    timings.current()
}

/// Returns the value at a path of the vectors, such as `request.headers[0].name`.
fn actual(file: &Value, path: &str) -> Value {
    let entries = file["log"]["entries"].as_array().unwrap();
    let entry = &entries[0];
    match path {
        "entries" => return json!(entries.len()),
        "time" | "timings" => return entry[path].clone(),
        "request.cookies.names" => {
            let cookies = entry["request"]["cookies"].as_array().unwrap();
            return cookies.iter().map(|cookie| cookie["name"].clone()).collect();
        }
        "entry.connection" if entries[1]["connection"] != entry["connection"] => {
            return Value::Null;
        }
        _ => {}
    }
    let path = path.replace('[', ".").replace(']', "");
    let mut at = entry;
    for part in path.split('.') {
        at = match part {
            "entry" => entry,
            "log" => &file["log"],
            part => part.parse::<usize>().map_or_else(|_| &at[part], |index| &at[index]),
        };
    }
    at.clone()
}

fn is_met(path: &str, expected: &Value, actual: &Value) -> bool {
    let is_near = |expected: &Value, actual: &Value| match (expected.as_f64(), actual.as_f64()) {
        (Some(expected), Some(actual)) => (expected - actual).abs() <= 0.001,
        _ => false,
    };
    match path {
        "time" => is_near(expected, actual),
        "timings" => {
            expected.as_object().unwrap().iter().all(|(name, time)| is_near(time, &actual[name]))
        }
        "json" | "all_unknown_keys_start_with" => true, // parsed, and checked by the format
        "entry._error" | "response.content.comment" | "entry.connection" => {
            actual.as_str().is_some_and(|text| !text.is_empty() && !text.contains('\n'))
        }
        _ => expected == actual,
    }
}
