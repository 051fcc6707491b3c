//! Field values.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::support::{self, Outcome};
use super::{bytes, object};
use crate::fields::date;
use crate::fields::disposition;
use crate::fields::link;

/// Returns the time at which all dates are parsed.
fn now(case: &Value) -> SystemTime {
    assert_eq!(case["now"], "2026-01-01T00:00:00Z");
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600)
}

#[test]
fn http_date() {
    support::run("misc/http_date", |case| {
        let input = case["input"].as_str().unwrap();
        let date = date::parse(input.as_bytes(), now(case));
        Outcome::of(case, &date.map_or(Value::Null, |date| json!(iso(date))))
    });
}

/// Formats a time as `1994-11-06T08:49:37Z`, by counting the years from 1970 on.
fn iso(date: SystemTime) -> String {
    let seconds = date.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let (mut days, time) = (seconds / 86_400, seconds % 86_400);
    let is_leap = |year: u64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", days + 1)
}

#[test]
fn retry_after() {
    support::run("misc/retry_after", |case| {
        let header = case["header"].as_str().unwrap();
        let wait = date::retry_after(header.as_bytes(), now(case)).map(|wait| wait.as_secs());
        match json!(wait) == case["expect_seconds"] {
            true => Outcome::Passed,
            false => Outcome::Failed(format!("{wait:?}")),
        }
    });
}

#[test]
fn link() {
    support::run("misc/link", |case| {
        let lines = case["headers"].as_array().unwrap().iter();
        let links = lines.flat_map(|line| link::parse(line.as_str().unwrap().as_bytes()));
        let shown =
            links.map(|link| json!({"target": link.target, "params": object(&link.parameters)}));
        Outcome::of(case, &shown.collect())
    });
}

#[test]
fn content_disposition() {
    support::run("misc/content_disposition", |case| {
        let parsed = disposition::parse(&bytes(&case["header"]).unwrap());
        let name = parsed.as_ref().and_then(|disposition| disposition.file_name.clone());
        let safe = name.as_deref().and_then(disposition::safe_file_name);
        if safe.as_ref().is_some_and(|safe| safe.contains(['/', '\\', '\r', '\n'])) {
            return Outcome::Failed(format!("{safe:?} is not safe"));
        }
        if let Some(expected) = case.get("safe_filename").filter(|wanted| **wanted != json!(safe)) {
            return Outcome::Failed(format!("{safe:?} and not {expected}"));
        }
        if case["valid"] == false {
            return Outcome::Passed; // "any result without panic, or none"
        }
        let kind = parsed.map(|disposition| disposition.kind);
        Outcome::of(case, &json!({"type": kind, "filename": name}))
    });
}
