//! Parses HTTP-date (RFC 9110 §5.6.7): the current format and the two obsolete ones, and `Retry-After`, which is a
//! date or a number of seconds (RFC 9110 §10.2.3). Cookies use a more lenient parser, see
//! [`crate::cookie`].
//!
//! The three forms of one instant, all of which a recipient must accept:
//!
//! ```text
//! Sun, 06 Nov 1994 08:49:37 GMT      IMF-fixdate, the only one that may be sent
//! Sunday, 06-Nov-94 08:49:37 GMT     RFC 850, with a year of two digits
//! Sun Nov  6 08:49:37 1994           asctime
//! ```
//!
//! They are parsed to the letter. A date that is nearly right is most likely wrong in a way that
//! matters (a time zone, a month in another language), and an unreadable `Retry-After` is better
//! than a wrong one. [`calendar`] checks that the day exists. The day's name is not compared with
//! the date: senders get it wrong, and nothing depends on it.
//!
//! `the_three_formats_are_one_instant`, `two_digit_years_are_at_most_fifty_years_ahead` and
//! `invalid_dates_are_none` are the tests. The design page of the guide says why
//! this is not the crate `httpdate`.

use std::time::{Duration, SystemTime};

use crate::base::calendar::{self, DateTime, Time};
use crate::base::text::decimal;

/// Returns the instant, or `None` if `input` is not an HTTP-date. The day name is not compared with the
/// date. A year of two digits (RFC 850 format) is the one nearest to `now` that is not more than 50 years
/// in the future.
pub(crate) fn parse(input: &[u8], now: SystemTime) -> Option<SystemTime> {
    if let Some(date) = imf_fixdate(input).or_else(|| asctime(input)) {
        return date.instant();
    }
    let latest = now.checked_add(FIFTY_YEARS)?;
    let date = rfc850(input)?;
    let years = CENTURIES.rev().map(|century| century * 100 + date.year);
    let mut instants = years.filter_map(|year| DateTime { year, ..date }.instant());
    instants.find(|instant| *instant <= latest)
}

/// Parses `Retry-After`: returns the delay from `now`, zero if the date has passed. `None` if the value is neither a number nor
/// a date, or the number is too large for a [`Duration`].
pub(crate) fn retry_after(value: &[u8], now: SystemTime) -> Option<Duration> {
    let value = value.trim_ascii();
    if let Some(seconds) = decimal(value) {
        return Some(Duration::from_secs(seconds));
    }
    let date = parse(value, now)?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// Like [`retry_after`], for comparing with a limit: a number that is too large is [`Duration::MAX`].
pub(crate) fn retry_after_at_least(value: &[u8], now: SystemTime) -> Option<Duration> {
    let value = value.trim_ascii();
    let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    retry_after(value, now).or(is_number.then_some(Duration::MAX))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
fn imf_fixdate(input: &[u8]) -> Option<DateTime> {
    let rest = day_name(input, &SHORT_DAYS)?.strip_prefix(b", ")?;
    let (day, rest) = digits(rest, 2)?;
    let (month, rest) = month(rest.strip_prefix(b" ")?)?;
    let (year, rest) = digits(rest.strip_prefix(b" ")?, 4)?;
    let (time, rest) = time(rest.strip_prefix(b" ")?)?;
    (rest == b" GMT").then_some(DateTime { year, month, day, time })
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`; the year is without its century.
fn rfc850(input: &[u8]) -> Option<DateTime> {
    let rest = day_name(input, &LONG_DAYS)?.strip_prefix(b", ")?;
    let (day, rest) = digits(rest, 2)?;
    let (month, rest) = month(rest.strip_prefix(b"-")?)?;
    let (year, rest) = digits(rest.strip_prefix(b"-")?, 2)?;
    let (time, rest) = time(rest.strip_prefix(b" ")?)?;
    (rest == b" GMT").then_some(DateTime { year, month, day, time })
}

/// `Sun Nov  6 08:49:37 1994`
fn asctime(input: &[u8]) -> Option<DateTime> {
    let rest = day_name(input, &SHORT_DAYS)?.strip_prefix(b" ")?;
    let (month, rest) = month(rest)?;
    let (day, rest) = match rest.strip_prefix(b"  ") {
        Some(rest) => digits(rest, 1)?,
        None => digits(rest.strip_prefix(b" ")?, 2)?,
    };
    let (time, rest) = time(rest.strip_prefix(b" ")?)?;
    let (year, rest) = digits(rest.strip_prefix(b" ")?, 4)?;
    rest.is_empty().then_some(DateTime { year, month, day, time })
}

fn day_name<'a>(input: &'a [u8], names: &[&str]) -> Option<&'a [u8]> {
    names.iter().find_map(|name| input.strip_prefix(name.as_bytes()))
}

fn month(input: &[u8]) -> Option<(usize, &[u8])> {
    let (name, rest) = input.split_at_checked(3)?;
    Some((calendar::month(name)?, rest))
}

/// Parses `08:49:37`; second 60 is a leap second.
fn time(input: &[u8]) -> Option<(Time, &[u8])> {
    let (hour, rest) = digits(input, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(b":")?, 2)?;
    let (second, rest) = digits(rest.strip_prefix(b":")?, 2)?;
    let is_time = hour < 24 && minute < 60 && second <= 60;
    is_time.then_some((Time { hour, minute, second }, rest))
}

/// Parses exactly `count` digits, at most 4, and returns the rest.
fn digits(input: &[u8], count: usize) -> Option<(u32, &[u8])> {
    let (digits, rest) = input.split_at_checked(count)?;
    let all = digits.iter().all(u8::is_ascii_digit);
    all.then(|| (digits.iter().fold(0, |n, digit| n * 10 + u32::from(digit - b'0')), rest))
}

const SHORT_DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const LONG_DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The centuries that the calendar supports.
const CENTURIES: std::ops::RangeInclusive<u32> = 16..=99;

const FIFTY_YEARS: Duration = Duration::from_secs(50 * 31_556_952);

#[cfg(test)]
mod tests;
