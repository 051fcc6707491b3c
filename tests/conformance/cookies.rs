//! Stories of a cookie jar: what servers set, and what goes back to them. (The set of cookie dates
//! is run by the unit tests of `src/cookie/date.rs`.)

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::HeaderValue;
use leanhttp::{
    cookie::{CookieStore, Jar},
    url::Url,
};
use serde_json::Value;

use super::support::{self, Outcome};

/// About public suffixes of more than one label, which takes a list.
const NEED_SUFFIX_LIST: [&str; 5] = [
    "psl-kyoto-jp",
    "psl-couk-self",
    "psl-trailing-dot-host-and-domain",
    "go-basics-disallow-domain-cookie-on-public-suffix",
    "go-chromiumBasics-testnondottedandtld-5",
];

#[test]
fn jar() {
    support::run("cookies/jar", |case| {
        if needs_idna(case) {
            return Outcome::Skipped("needs the feature idna");
        }
        let needs_list = !cfg!(feature = "public-suffix")
            && case["name"].as_str().is_some_and(|name| NEED_SUFFIX_LIST.contains(&name));
        match (play(case), needs_list) {
            (Ok(()), false) => Outcome::Passed,
            (Err(_), true) => Outcome::Skipped("needs the feature public-suffix"),
            (Err(why), false) => Outcome::Failed(why),
            (Ok(()), true) => Outcome::Failed("as expected, so it need not be listed".into()),
        }
    });
}

fn play(case: &Value) -> Result<(), String> {
    let start = instant(case["now"].as_str().unwrap());
    let second = Arc::new(AtomicU64::new(0));
    let clock = Arc::clone(&second);
    let jar = Jar::with_clock(move || start + Duration::from_secs(clock.load(Ordering::Relaxed)));

    let steps = case["steps"].as_array().unwrap();
    for (number, step) in steps.iter().enumerate() {
        second.store(step["at"].as_u64().unwrap_or(0), Ordering::Relaxed);
        let url = step["url"].as_str().unwrap();
        if let Some(fields) = octets(step, "set") {
            let url = Url::parse(url).map_err(|error| error.to_string())?;
            fields.iter().for_each(|field| set(&jar, field, &url));
            continue;
        }
        let got = header(&jar, url)?;
        let is_expected = got == octets(step, "get").map(|values| values.concat());
        let is_last = number + 1 == steps.len();
        let is_accepted = is_expected || (is_last && is_also_ok(case, got.as_deref()));
        if !is_accepted {
            let got = got.map(|octets| octets.escape_ascii().to_string());
            return Err(format!("{url}: {got:?} instead of {}", step["get"]));
        }
    }
    Ok(())
}

/// What no header field can carry comes by the caller's hand.
fn set(jar: &Jar, field: &[u8], url: &Url) {
    match HeaderValue::from_bytes(field) {
        Ok(header) => jar.set_cookies(&mut [header].iter(), url),
        Err(_) => jar.add_cookie_str(std::str::from_utf8(field).unwrap(), url),
    }
}

/// There is no request, and so no header, for another scheme than `http` and `https`.
fn header(jar: &Jar, url: &str) -> Result<Option<Vec<u8>>, String> {
    match Url::parse(url) {
        Ok(url) => Ok(jar.cookies(&url).map(|header| header.as_bytes().to_vec())),
        Err(error) if url.starts_with("http") => Err(error.to_string()),
        Err(_) => Ok(None),
    }
}

/// The string or strings under `key`, or under `key` with `_b64`.
fn octets(step: &Value, key: &str) -> Option<Vec<Vec<u8>>> {
    let strings = |key: &str| match step.get(key)? {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(texts) => Some(texts.iter().map(|t| t.as_str().unwrap().into()).collect()),
        _ => None,
    };
    if let Some(texts) = strings(key) {
        return Some(texts.into_iter().map(String::into_bytes).collect());
    }
    let texts: Vec<String> = strings(&format!("{key}_b64"))?;
    Some(texts.iter().map(|text| BASE64_STANDARD.decode(text).unwrap()).collect())
}

fn is_also_ok(case: &Value, got: Option<&[u8]>) -> bool {
    let also_ok = case["also_ok"].as_array().into_iter().flatten();
    also_ok.map(|value| value.as_str().map(str::as_bytes)).any(|accepted| accepted == got)
}

fn needs_idna(case: &Value) -> bool {
    let mut steps = case["steps"].as_array().unwrap().iter();
    let has_idn = steps.any(|step| !step["url"].as_str().unwrap().is_ascii());
    has_idn && !cfg!(feature = "idna")
}

/// Of a time such as `2011-01-01T12:00:00Z`, after 1970.
fn instant(iso_8601: &str) -> SystemTime {
    let numbers: Vec<u64> =
        iso_8601.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
    let [year, month, day, hour, minute, second] = numbers[..] else { panic!("{iso_8601}") };
    let is_leap = |year: u64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let february = if is_leap(year) { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let days: u64 = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum::<u64>()
        + months.iter().take(month as usize - 1).sum::<u64>()
        + day
        - 1;
    SystemTime::UNIX_EPOCH + Duration::from_secs(((days * 24 + hour) * 60 + minute) * 60 + second)
}
