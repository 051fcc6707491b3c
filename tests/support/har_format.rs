//! The rules of HAR 1.2 (`ahmadnassri/har-schema`, and the text of the format), for files that are checked.

#![allow(unreachable_pub, clippy::indexing_slicing, reason = "a part of several tests")]

use serde_json::Value;

/// An object of the format: each field with its kind, whether it is required; and unknown ones begin with `_`.
type Object = &'static [(&'static str, Kind, bool)];

#[derive(Clone, Copy)]
enum Kind {
    Text,
    /// ISO 8601 with a zone.
    Date,
    /// An address without brackets, zone and port.
    Address,
    Url,
    Bool,
    /// A whole number, at least -1.
    Size,
    /// A whole number.
    Integer,
    /// A number, at least -1.
    Time,
    /// A number, at least 0.
    Duration,
    Of(Object),
    ListOf(Object),
}

const LOG: Object = &[
    ("version", Kind::Text, true),
    ("creator", Kind::Of(CREATOR), true),
    ("browser", Kind::Of(CREATOR), false),
    ("pages", Kind::ListOf(&[]), false),
    ("entries", Kind::ListOf(ENTRY), true),
    ("comment", Kind::Text, false),
];

const CREATOR: Object =
    &[("name", Kind::Text, true), ("version", Kind::Text, true), ("comment", Kind::Text, false)];

const ENTRY: Object = &[
    ("pageref", Kind::Text, false),
    ("startedDateTime", Kind::Date, true),
    ("time", Kind::Duration, true),
    ("request", Kind::Of(REQUEST), true),
    ("response", Kind::Of(RESPONSE), true),
    ("cache", Kind::Of(&[]), true),
    ("timings", Kind::Of(TIMINGS), true),
    ("serverIPAddress", Kind::Address, false),
    ("connection", Kind::Text, false),
    ("comment", Kind::Text, false),
];

const REQUEST: Object = &[
    ("method", Kind::Text, true),
    ("url", Kind::Url, true),
    ("httpVersion", Kind::Text, true),
    ("cookies", Kind::ListOf(COOKIE), true),
    ("headers", Kind::ListOf(PAIR), true),
    ("queryString", Kind::ListOf(PAIR), true),
    ("postData", Kind::Of(POST_DATA), false),
    ("headersSize", Kind::Size, true),
    ("bodySize", Kind::Size, true),
    ("comment", Kind::Text, false),
];

const RESPONSE: Object = &[
    ("status", Kind::Size, true),
    ("statusText", Kind::Text, true),
    ("httpVersion", Kind::Text, true),
    ("cookies", Kind::ListOf(COOKIE), true),
    ("headers", Kind::ListOf(PAIR), true),
    ("content", Kind::Of(CONTENT), true),
    ("redirectURL", Kind::Text, true),
    ("headersSize", Kind::Size, true),
    ("bodySize", Kind::Size, true),
    ("comment", Kind::Text, false),
];

const COOKIE: Object = &[
    ("name", Kind::Text, true),
    ("value", Kind::Text, true),
    ("path", Kind::Text, false),
    ("domain", Kind::Text, false),
    ("expires", Kind::Date, false),
    ("httpOnly", Kind::Bool, false),
    ("secure", Kind::Bool, false),
    ("comment", Kind::Text, false),
];

const PAIR: Object =
    &[("name", Kind::Text, true), ("value", Kind::Text, true), ("comment", Kind::Text, false)];

const POST_DATA: Object = &[
    ("mimeType", Kind::Text, true),
    ("text", Kind::Text, false),
    ("params", Kind::ListOf(&[]), false),
    ("comment", Kind::Text, false),
];

const CONTENT: Object = &[
    ("size", Kind::Size, true),
    ("compression", Kind::Integer, false),
    ("mimeType", Kind::Text, true),
    ("text", Kind::Text, false),
    ("encoding", Kind::Text, false),
    ("comment", Kind::Text, false),
];

const TIMINGS: Object = &[
    ("blocked", Kind::Time, false),
    ("dns", Kind::Time, false),
    ("connect", Kind::Time, false),
    ("send", Kind::Duration, true),
    ("wait", Kind::Duration, true),
    ("receive", Kind::Duration, true),
    ("ssl", Kind::Time, false),
    ("comment", Kind::Text, false),
];

/// Returns the rules that a file breaks, each with the place.
pub fn violations(file: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(file, Kind::Of(&[("log", Kind::Of(LOG), true)]), "", &mut found);
    if file["log"]["version"] != "1.2" {
        found.push("log.version is not 1.2".to_owned());
    }
    for (at, entry) in file["log"]["entries"].as_array().into_iter().flatten().enumerate() {
        let timings = &entry["timings"];
        let phases = ["blocked", "dns", "connect", "send", "wait", "receive"];
        let sum: f64 =
            phases.iter().filter_map(|name| timings[name].as_f64()).map(|it| it.max(0.0)).sum();
        if (entry["time"].as_f64().unwrap_or(-1.0) - sum).abs() > 0.01 {
            found.push(format!("entry {at}: time is not the sum of the phases without ssl, {sum}"));
        }
        if timings["ssl"].as_f64() > timings["connect"].as_f64() {
            found.push(format!("entry {at}: connect does not include ssl"));
        }
    }
    found
}

fn check(value: &Value, kind: Kind, place: &str, found: &mut Vec<String>) {
    let is_date = |text: &str| {
        let shape: String =
            text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        shape == "0000-00-00T00:00:00.000Z"
    };
    let is_right = match kind {
        Kind::Text => value.is_string(),
        Kind::Date => value.as_str().is_some_and(is_date),
        Kind::Address => value.as_str().is_some_and(|it| it.parse::<std::net::IpAddr>().is_ok()),
        Kind::Url => {
            value.as_str().is_some_and(|it| it.contains("://") && !it.contains(char::is_whitespace))
        }
        Kind::Bool => value.is_boolean(),
        Kind::Size => value.as_i64().is_some_and(|it| it >= -1),
        Kind::Integer => value.is_i64() || value.is_u64(),
        Kind::Time => value.as_f64().is_some_and(|it| it >= -1.0),
        Kind::Duration => value.as_f64().is_some_and(|it| it >= 0.0),
        Kind::Of(fields) => return check_object(value, fields, place, found),
        Kind::ListOf(fields) => match value.as_array() {
            Some(list) => {
                for (at, item) in list.iter().enumerate() {
                    check_object(item, fields, &format!("{place}[{at}]"), found);
                }
                return;
            }
            None => false,
        },
    };
    if !is_right {
        found.push(format!("{place} is {value}"));
    }
}

fn check_object(value: &Value, fields: Object, place: &str, found: &mut Vec<String>) {
    let Some(object) = value.as_object() else {
        return found.push(format!("{place} is {value}"));
    };
    for (name, kind, is_required) in fields {
        match object.get(*name) {
            Some(value) => check(value, *kind, &format!("{place}.{name}"), found),
            None if *is_required => found.push(format!("{place} has no {name}")),
            None => {}
        }
    }
    let is_known = |name: &str| name.starts_with('_') || fields.iter().any(|(it, ..)| *it == name);
    let unknown = object.keys().filter(|name| !is_known(name));
    found.extend(
        unknown.map(|name| format!("{place} has a field {name}, which is not of the format")),
    );
}
