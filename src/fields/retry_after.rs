//! Parses `Retry-After` (RFC 9110 §10.2.3): a number of seconds or a date.

use std::time::{Duration, SystemTime};

use super::date;
use crate::base::text::decimal;

/// Returns the delay from `now`, zero if the date has passed. `None` if the value is neither a number nor
/// a date, or the number is too large for a [`Duration`].
pub(crate) fn parse(value: &[u8], now: SystemTime) -> Option<Duration> {
    let value = value.trim_ascii();
    if let Some(seconds) = decimal(value) {
        return Some(Duration::from_secs(seconds));
    }
    let date = date::parse(value, now)?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// Like [`parse`], for comparing with a limit: a number that is too large is [`Duration::MAX`].
pub(crate) fn at_least(value: &[u8], now: SystemTime) -> Option<Duration> {
    let value = value.trim_ascii();
    let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    parse(value, now).or(is_number.then_some(Duration::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let cases: [(&[u8], Option<u64>); 11] = [
            (b"120", Some(120)),
            (b" 007\t", Some(7)),
            (b"9223372036854775807", Some(i64::MAX as u64)),
            (b"9223372036854775808", None),
            (b"Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            (b"Sun, 06 Nov 1994 08:49:27 GMT", Some(0)),
            (b"", None),
            (b"-1", None),
            (b"1.5", None),
            (b"5s", None),
            ("\u{0665}".as_bytes(), None),
        ];
        for (value, expected) in cases {
            let expected = expected.map(Duration::from_secs);
            assert_eq!(parse(value, now), expected, "{}", value.escape_ascii());
        }
    }

    #[test]
    fn numbers_too_large_for_a_clock_saturate() {
        let cases: [(&[u8], Option<Duration>); 5] = [
            (b"120", Some(Duration::from_secs(120))),
            (b" 9223372036854775808 ", Some(Duration::MAX)),
            (b"99999999999999999999999999", Some(Duration::MAX)),
            (b"1e9", None),
            (b"", None),
        ];
        for (value, expected) in cases {
            let asked = at_least(value, SystemTime::UNIX_EPOCH);
            assert_eq!(asked, expected, "{}", value.escape_ascii());
        }
    }
}
