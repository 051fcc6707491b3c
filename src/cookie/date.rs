//! Parses the cookie-date of RFC 6265bis §5.1.1, the value of `Expires`, as leniently as browsers
//! do. The zone is ignored: every cookie-date is UTC.

use std::ops::RangeInclusive;
use std::time::SystemTime;

use crate::base::calendar::{self, DateTime, Time};

/// Returns the instant that `input` names, or `None` if the RFC says to ignore the attribute.
pub(crate) fn parse(input: &[u8]) -> Option<SystemTime> {
    let mut fields = DateFields::default();
    for token in input.split(|&byte| is_delimiter(byte)) {
        fields.take(token);
    }
    fields.instant()
}

#[derive(Default)]
struct DateFields {
    time: Option<Time>,
    day: Option<u32>,
    month: Option<usize>,
    year: Option<u32>,
}

impl DateFields {
    /// Stores the token in the first field, in this order, that is still empty and whose form it
    /// has.
    fn take(&mut self, token: &[u8]) {
        let _ = fill(&mut self.time, time, token)
            || fill(&mut self.day, day_of_month, token)
            || fill(&mut self.month, calendar::month, token)
            || fill(&mut self.year, year, token);
    }

    fn instant(self) -> Option<SystemTime> {
        let (time, day, month, year) = (self.time?, self.day?, self.month?, self.year?);
        if time.hour > 23 || time.minute > 59 || time.second > 59 {
            return None;
        }
        DateTime { year, month, day, time }.instant()
    }
}

fn fill<T>(field: &mut Option<T>, read: fn(&[u8]) -> Option<T>, token: &[u8]) -> bool {
    if field.is_some() {
        return false;
    }
    *field = read(token);
    field.is_some()
}

/// `delimiter = %x09 / %x20-2F / %x3B-40 / %x5B-60 / %x7B-7E`
fn is_delimiter(byte: u8) -> bool {
    matches!(byte, 0x09 | 0x20..=0x2F | 0x3B..=0x40 | 0x5B..=0x60 | 0x7B..=0x7E)
}

/// `hms-time = time-field ":" time-field ":" time-field`, each of one or two digits.
fn time(token: &[u8]) -> Option<Time> {
    let (hour, rest) = number(token, 1..=2)?;
    let (minute, rest) = number(rest.strip_prefix(b":")?, 1..=2)?;
    let (second, _) = number(rest.strip_prefix(b":")?, 1..=2)?;
    Some(Time { hour, minute, second })
}

fn day_of_month(token: &[u8]) -> Option<u32> {
    Some(number(token, 1..=2)?.0)
}

fn year(token: &[u8]) -> Option<u32> {
    let (year, _) = number(token, 2..=4)?;
    Some(match year {
        0..=69 => year + 2000,
        70..=99 => year + 1900,
        _ => year,
    })
}

/// Returns the number that `input` starts with, if it has as many digits as `width` allows, and the
/// rest. The RFC allows anything but another digit to follow. A width of at most 4 cannot overflow.
fn number(input: &[u8], width: RangeInclusive<usize>) -> Option<(u32, &[u8])> {
    let digits = input.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !width.contains(&digits) {
        return None;
    }
    let (digits, rest) = input.split_at_checked(digits)?;
    Some((digits.iter().fold(0, |n, digit| n * 10 + u32::from(digit - b'0')), rest))
}

#[cfg(test)]
mod tests;
