//! Field values and netrc files: a parsed value that is printed is parsed again to the same value, file
//! names are safe, and long values take linear time.
//!
//! The first letter selects the kind of the rest; after a capital one, the text between NUL bytes
//! is repeated.
#![no_main]

use std::time::{Duration, Instant, SystemTime};

use leanhttp::Url;
use leanhttp::fuzzing::fields::{self, Challenge, Parameters};
use leanhttp::header::HeaderValue;
use leanhttp_fuzz::stretched;
use libfuzzer_sys::fuzz_target;

/// More time than any parser takes for a repeated text, and far less than a quadratic one.
const LONG: Duration = Duration::from_secs(10);

fuzz_target!(|input: &[u8]| {
    let [kind, value @ ..] = input else { return };
    let check = match kind.to_ascii_lowercase() {
        b'd' => date,
        b'r' => retry_after,
        b'l' => links,
        b'f' => file_name,
        b'm' => media_type,
        b'c' => challenges,
        b'n' => netrc,
        b'a' => digest,
        _ => return,
    };
    if kind.is_ascii_lowercase() {
        return check(value);
    }
    let value = stretched(value);
    let start = Instant::now();
    check(&value);
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
});

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn date(value: &[u8]) {
    let Some(date) = fields::date(value, now()) else { return };
    let since = date.duration_since(SystemTime::UNIX_EPOCH);
    let since =
        since.map_or_else(|error| -(error.duration().as_secs() as i64), |it| it.as_secs() as i64);
    let printed = imf_fixdate(since);
    assert_eq!(fields::date(printed.as_bytes(), now()), Some(date), "{printed}");
}

/// Counts day by day, year by year.
fn imf_fixdate(seconds: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [(&str, i64); 12] = [
        ("Jan", 31),
        ("Feb", 28),
        ("Mar", 31),
        ("Apr", 30),
        ("May", 31),
        ("Jun", 30),
        ("Jul", 31),
        ("Aug", 31),
        ("Sep", 30),
        ("Oct", 31),
        ("Nov", 30),
        ("Dec", 31),
    ];
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = |year| if is_leap(year) { 366 } else { 365 };
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (mut year, mut day) = (1970, days);
    while day < 0 {
        year -= 1;
        day += length(year);
    }
    while day >= length(year) {
        day -= length(year);
        year += 1;
    }
    let mut month = 0;
    while day >= MONTHS[month].1 + i64::from(month == 1 && is_leap(year)) {
        day -= MONTHS[month].1 + i64::from(month == 1 && is_leap(year));
        month += 1;
    }
    let (weekday, month, day) = (DAYS[days.rem_euclid(7) as usize], MONTHS[month].0, day + 1);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

fn retry_after(value: &[u8]) {
    let wait = fields::retry_after(value, now());
    let text = std::str::from_utf8(value.trim_ascii()).unwrap_or_default();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let digits = text.trim_start_matches('0');
        let expected = if digits.is_empty() { Ok(0) } else { digits.parse::<i64>() };
        let expected = expected.ok().map(|seconds| Duration::from_secs(seconds as u64));
        assert_eq!(wait, expected);
    } else if let Some(wait) = wait {
        let date = fields::date(value.trim_ascii(), now()).expect("it is a date");
        assert_eq!(wait, date.duration_since(now()).unwrap_or_default());
    }
}

fn links(value: &[u8]) {
    let found = fields::links(value);
    // Names with a star are printed decoded and without it, and invalid names are not printed.
    let plain = |(name, value): &(String, String)| (name.replace('*', ""), value.clone());
    let is_name = |(name, _): &(String, String)| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let plain = |parameters: &Parameters| -> Parameters {
        parameters.iter().map(plain).filter(is_name).collect()
    };
    let found: Vec<_> = found.iter().map(|(target, it)| (target.clone(), plain(it))).collect();
    let print = |(target, it): &(String, Parameters)| format!("<{target}>{}", printed(it, ";"));
    let again = found.iter().map(print).collect::<Vec<_>>().join(", ");
    assert_eq!(fields::links(again.as_bytes()), found, "{again}");
}

/// A field, and file names, one on each line.
fn file_name(value: &[u8]) {
    String::from_utf8_lossy(value).split('\n').for_each(safe_file_name);
    let Some((kind, Some(name))) = fields::disposition(value) else { return };
    let again = format!("{kind}{}", printed(&vec![("filename".to_owned(), name.clone())], ";"));
    assert_eq!(fields::disposition(again.as_bytes()), Some((kind, Some(name.clone()))), "{again}");
    safe_file_name(&name);
}

fn safe_file_name(name: &str) {
    let Some(safe) = fields::safe_file_name(name) else { return };
    assert!(safe.len() < 256 && !safe.is_empty());
    let is_longest = safe.len() == 255; // with the underscore before a device
    assert!(is_longest || fields::safe_file_name(&safe).as_ref() == Some(&safe), "{safe:?}");
    assert!(!safe.starts_with(['.', ' ']) && !safe.ends_with(['.', ' ']), "{safe:?}");
    assert!(!safe.contains(|c: char| c.is_control() || "/\\:*?\"<>|".contains(c)), "{safe:?}");
    assert_eq!(std::path::Path::new(&safe).file_name(), Some(safe.as_ref()));
    let stem = safe.split('.').next().unwrap().trim_end().to_lowercase();
    assert!(!["con", "prn", "aux", "nul"].contains(&&*stem), "{safe:?}");
    let port = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt")).unwrap_or_default();
    assert!(
        port.chars().count() != 1 || !"0123456789\u{b9}\u{b2}\u{b3}".contains(port),
        "{safe:?}"
    );
}

fn media_type(value: &[u8]) {
    let Some((essence, parameters)) = fields::media_type(value) else { return };
    let again = format!("{essence}{}", printed(&parameters, ";"));
    // Each byte as the character with that code point.
    let again: Vec<_> = again.chars().map(|c| u8::try_from(c).unwrap()).collect();
    assert_eq!(fields::media_type(&again), Some((essence, parameters)));
}

fn challenges(value: &[u8]) {
    let found = fields::challenges(value);
    let print = |(scheme, details): &Challenge| match details {
        Err(token) => format!("{scheme} {token}"),
        Ok(parameters) => format!("{scheme} {}", printed(parameters, ",").trim_start_matches(',')),
    };
    let again = found.iter().map(print).collect::<Vec<_>>().join(", ");
    assert_eq!(fields::challenges(again.as_bytes()), found, "{again}");
}

/// Each value in quotes, after the separator.
fn printed(parameters: &Parameters, separator: &str) -> String {
    let quoted = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"");
    let print =
        |(name, value): &(String, String)| format!("{separator}{name}=\"{}\"", quoted(value));
    parameters.iter().map(print).collect()
}

fn netrc(file: &[u8]) {
    let file = String::from_utf8_lossy(file);
    let urls = ["http://a.example/", "http://b.example:81/", "https://[::1]/", "http://1.2.3.4/"];
    let urls = urls.map(|url| Url::parse(url).unwrap());
    let Ok(credentials) = fields::netrc(&file, &urls) else { return };
    for (url, credentials) in urls.iter().zip(credentials) {
        let Some(credentials) = credentials else { continue };
        assert!(credentials.is_sensitive() && credentials.as_bytes().starts_with(b"Basic "));
        let host = url.host_str().unwrap().trim_matches(['[', ']']);
        let has = |word: &str| file.to_ascii_lowercase().contains(word);
        // The characters of a quoted name may be escaped.
        assert!(has("default") || has("\\") || (has("machine") && has(host)), "{url}");
    }
}

/// The first line is the challenge, then follow the user, the password and the target.
fn digest(value: &[u8]) {
    let lines: Vec<_> = value.split(|byte| *byte == b'\n').collect();
    let [challenge, username, password, target] = lines[..] else { return };
    let Ok(challenge) = HeaderValue::from_bytes(challenge) else { return };
    let [username, password, target] = [username, password, target].map(String::from_utf8_lossy);
    let Some(answers) = fields::digest(&challenge, &username, &password, &target) else { return };
    for (count, answer) in answers.into_iter().enumerate() {
        let Some(answer) = answer else { continue };
        assert!(answer.is_sensitive());
        let read = fields::challenges(answer.as_bytes());
        let [(scheme, Ok(parameters))] = &read[..] else { panic!("{read:?}") };
        assert_eq!(scheme, "digest");
        let value = |name: &str| {
            let mut named = parameters.iter().filter(|(own, _)| own == name);
            let value = named.next().map(|(_, value)| value.as_str());
            assert!(named.next().is_none(), "{name} twice");
            value
        };
        let is_hexadecimal = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let response = value("response").unwrap();
        assert!(is_hexadecimal(response) && [32, 64].contains(&response.len()));
        assert_eq!(value("uri"), Some(&*target));
        let offered = fields::challenges(challenge.as_bytes());
        let offered = |name: &str, own: Option<&str>| {
            offered
                .iter()
                .any(|(_, it)| it.iter().flatten().any(|(n, v)| n == name && Some(&**v) == own))
        };
        assert!(offered("nonce", value("nonce")) && offered("realm", value("realm")));
        let expected = format!("{:08x}", count + 1);
        assert!(value("nc").is_none_or(|count| count == expected));
        if value("userhash").is_none() && username.is_ascii() {
            assert_eq!(value("username"), Some(&*username));
        }
        assert!(
            password.len() < 3
                || challenge.to_str().is_ok_and(|it| it.contains(&*password))
                || leanhttp_fuzz::find(answer.as_bytes(), password.as_bytes()).is_none()
                || username.contains(&*password)
                || target.contains(&*password)
                || is_hexadecimal(&password)
        );
    }
}
