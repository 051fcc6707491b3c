//! Converts dates of the Gregorian calendar, which all HTTP dates use, to instants, and instants to text.
//!
//! HTTP-date (`fields::date`) and the dates of cookies (`cookie::set_cookie`) have grammars of
//! their own, strict and lenient. What they share is here: the names of months, and which days
//! exist. A day that does not exist is refused, not counted as the day after: `30 Feb` in an
//! expiry is a mistake whose meaning cannot be guessed.
//!
//! The count of days is the usual one: 365 for each year before, one more for each fourth, except
//! each hundredth, except each four hundredth; then the months and the day. Years before 1601 are
//! refused.

use std::time::{Duration, SystemTime};

/// A day and a time of day in UTC. Second 60 (a leap second) is the first second of the next minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DateTime {
    pub(crate) year: u32,
    /// Counted from 0, as in [`month`].
    pub(crate) month: usize,
    pub(crate) day: u32,
    pub(crate) time: Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time {
    pub(crate) hour: u32,
    pub(crate) minute: u32,
    pub(crate) second: u32,
}

impl DateTime {
    /// Returns the instant, or `None` if the calendar has no such day or the year is before 1601.
    pub(crate) fn instant(self) -> Option<SystemTime> {
        let Self { year, month, day, time } = self;
        if year < FIRST_YEAR || !(1..=days_in(month, year)).contains(&day) {
            return None;
        }
        let seconds = time.hour * 3600 + time.minute * 60 + time.second;
        from_unix(days_from_epoch(year, month, day) * 86_400 + i64::from(seconds))
    }
}

/// Returns a time as ISO 8601 with milliseconds, in UTC. One before 1970 is shown as its beginning.
#[cfg(any(feature = "har", feature = "tls"))]
pub(crate) fn iso_8601(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (days, seconds) = (since.as_secs() / 86400, since.as_secs() % 86400);
    // Counted from March of the year 0, so that the leap day is the last of a year; 400 years have 146097 days.
    let (era, of_era) = ((days + 719_468) / 146_097, (days + 719_468) % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + next;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let millis = since.subsec_millis();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Returns the month whose English name starts with the first three letters of `name`, ignoring case,
/// counted from 0.
pub(crate) fn month(name: &[u8]) -> Option<usize> {
    let name = name.get(..3)?;
    MONTHS.iter().position(|(known, _)| name.eq_ignore_ascii_case(*known))
}

/// Returns the number of days from 1970-01-01 to the given date.
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

/// The first accepted year. An earlier one is most likely a mistake, and Windows cannot represent it.
const FIRST_YEAR: u32 = 1601;

/// Days between 0001-01-01 and 1970-01-01 in the proleptic Gregorian calendar.
const DAYS_BEFORE_1970: i64 = 719_162;

#[cfg(test)]
mod tests;
