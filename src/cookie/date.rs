//! The cookie-date of RFC 6265bis §5.1.1: what servers write in `Expires`, read as forgivingly as
//! browsers read it. The zone is ignored: every cookie-date is UTC.

use std::{
    ops::RangeInclusive,
    time::{Duration, SystemTime},
};

/// The instant `input` names, or `None` where the RFC says to ignore the attribute.
pub(crate) fn parse(input: &[u8]) -> Option<SystemTime> {
    let mut fields = Fields::default();
    for token in input.split(|&octet| is_delimiter(octet)) {
        fields.take(token);
    }
    fields.instant()
}

#[derive(Default)]
struct Fields {
    time: Option<Time>,
    day: Option<u32>,
    /// Counted from 0, as in [`MONTHS`].
    month: Option<usize>,
    year: Option<u32>,
}

struct Time {
    hour: u32,
    minute: u32,
    second: u32,
}

impl Fields {
    /// A token fills the first field, in this order, that is still empty and whose form it has.
    fn take(&mut self, token: &[u8]) {
        let _ = fill(&mut self.time, time, token)
            || fill(&mut self.day, day_of_month, token)
            || fill(&mut self.month, month, token)
            || fill(&mut self.year, year, token);
    }

    fn instant(self) -> Option<SystemTime> {
        let (time, day, month, year) = (self.time?, self.day?, self.month?, self.year?);
        let is_date = year >= 1601 && (1..=days_in(month, year)).contains(&day);
        if !is_date || time.hour > 23 || time.minute > 59 || time.second > 59 {
            return None;
        }
        let seconds = time.hour * 3600 + time.minute * 60 + time.second;
        from_unix(days_from_epoch(year, month, day) * 86_400 + i64::from(seconds))
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
fn is_delimiter(octet: u8) -> bool {
    matches!(octet, 0x09 | 0x20..=0x2F | 0x3B..=0x40 | 0x5B..=0x60 | 0x7B..=0x7E)
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

fn month(token: &[u8]) -> Option<usize> {
    let name = token.get(..3)?;
    MONTHS.iter().position(|(known, _)| name.eq_ignore_ascii_case(*known))
}

fn year(token: &[u8]) -> Option<u32> {
    let (year, _) = number(token, 2..=4)?;
    Some(match year {
        0..=69 => year + 2000,
        70..=99 => year + 1900,
        _ => year,
    })
}

/// The digits that `input` starts with, when there are as many as `width` allows, and the rest.
/// The RFC lets anything but another digit follow. A width of at most 4 cannot overflow.
fn number(input: &[u8], width: RangeInclusive<usize>) -> Option<(u32, &[u8])> {
    let digits = input.iter().take_while(|octet| octet.is_ascii_digit()).count();
    if !width.contains(&digits) {
        return None;
    }
    let (digits, rest) = input.split_at_checked(digits)?;
    Some((digits.iter().fold(0, |n, digit| n * 10 + u32::from(digit - b'0')), rest))
}

/// Days from 1970-01-01 to the given date of the Gregorian calendar; `year` is at least 1601.
fn days_from_epoch(year: u32, month: usize, day: u32) -> i64 {
    let past = i64::from(year - 1);
    let years = past * 365 + past / 4 - past / 100 + past / 400;
    let months: u32 = (0..month).map(|month| days_in(month, year)).sum();
    years + i64::from(months + day - 1) - DAYS_BEFORE_1970
}

fn days_in(month: usize, year: u32) -> u32 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let leap_day = u32::from(is_leap && month == FEBRUARY);
    MONTHS.get(month).map_or(0, |(_, days)| days + leap_day)
}

fn from_unix(seconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        return SystemTime::UNIX_EPOCH.checked_sub(distance);
    }
    SystemTime::UNIX_EPOCH.checked_add(distance)
}

const MONTHS: [(&[u8; 3], u32); 12] = [
    (b"jan", 31),
    (b"feb", 28),
    (b"mar", 31),
    (b"apr", 30),
    (b"may", 31),
    (b"jun", 30),
    (b"jul", 31),
    (b"aug", 31),
    (b"sep", 30),
    (b"oct", 31),
    (b"nov", 30),
    (b"dec", 31),
];

const FEBRUARY: usize = 1;

/// From 0001-01-01, in the proleptic Gregorian calendar.
const DAYS_BEFORE_1970: i64 = 719_162;

#[cfg(test)]
mod tests;
