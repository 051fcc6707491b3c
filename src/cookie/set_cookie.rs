//! Parses `Set-Cookie` as bytes (RFC 6265bis §5.6), in one pass and without allocation. It does not
//! check the cookie against the site that set it: [`stored`](super::stored) does.
//!
//! [`SetCookie`] is the parsed field, [`Cookie`] its public view. The helpers follow in the order in which the
//! parser needs them; the date of `Expires` has a lenient grammar of its own at the end.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime};

use http::HeaderValue;

use super::Limits;
use crate::base::calendar::{self, DateTime, Time};

/// A cookie as a response set it: parsed, but not checked against the rules. A [`Jar`](crate::cookie::Jar) may refuse
/// it.
///
/// Servers may send any bytes; invalid UTF-8 is shown as `U+FFFD` here. `Debug` omits the value,
/// since it is often a credential.
///
/// ```
/// use http::HeaderValue;
/// use leanhttp::cookie::Cookie;
///
/// let header = HeaderValue::from_static("lang=de; Domain=.example.com; Path=/; Max-Age=3600");
/// let cookie = Cookie::parse(&header).unwrap();
/// assert_eq!((cookie.name(), cookie.value()), ("lang", "de"));
/// assert_eq!((cookie.domain(), cookie.path()), (Some("example.com"), Some("/")));
/// assert_eq!(cookie.max_age().unwrap().as_secs(), 3600);
/// assert!(!cookie.secure() && cookie.expires().is_none());
/// ```
pub struct Cookie<'a> {
    name: Cow<'a, str>,
    value: Cow<'a, str>,
    domain: Option<Cow<'a, str>>,
    path: Option<Cow<'a, str>>,
    parsed: SetCookie<'a>,
}

impl<'a> Cookie<'a> {
    /// Parses the value of a `Set-Cookie` field (RFC 6265bis §5.6). Returns `None` for one that
    /// must be ignored: without name and value, too long, or with control characters.
    pub fn parse(set_cookie: &'a HeaderValue) -> Option<Self> {
        let parsed = SetCookie::parse(set_cookie.as_bytes(), &Limits::default()).ok()?;
        Some(Self {
            name: String::from_utf8_lossy(parsed.name),
            value: String::from_utf8_lossy(parsed.value),
            domain: parsed.domain.map(String::from_utf8_lossy),
            path: parsed.path.map(String::from_utf8_lossy),
            parsed,
        })
    }

    /// Returns the name; empty for a cookie that has none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the value, with its quotes if it has any.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Returns whether `HttpOnly` is set, which hides the cookie from scripts.
    pub fn http_only(&self) -> bool {
        self.parsed.http_only
    }

    /// Returns whether the cookie is sent only over `https`.
    pub fn secure(&self) -> bool {
        self.parsed.secure
    }

    /// Returns the `SameSite` attribute, if present and known; [not enforced](super#not-enforced).
    pub fn same_site(&self) -> Option<SameSite> {
        self.parsed.same_site
    }

    /// Returns whether `SameSite=Lax` is set.
    pub fn same_site_lax(&self) -> bool {
        self.parsed.same_site == Some(SameSite::Lax)
    }

    /// Returns whether `SameSite=Strict` is set.
    pub fn same_site_strict(&self) -> bool {
        self.parsed.same_site == Some(SameSite::Strict)
    }

    /// Returns the `Path` attribute, if present and absolute.
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// Returns the `Domain` attribute, if present, without a leading dot and with the case
    /// unchanged.
    pub fn domain(&self) -> Option<&str> {
        self.domain.as_deref()
    }

    /// Returns the `Max-Age` attribute, if present and a number: zero for a negative one, and never
    /// more than `u64::MAX` seconds.
    pub fn max_age(&self) -> Option<Duration> {
        self.parsed.max_age
    }

    /// Returns the `Expires` attribute, if present and a valid date (§5.1.1).
    pub fn expires(&self) -> Option<SystemTime> {
        self.parsed.expires
    }
}

impl fmt::Debug for Cookie<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cookie")
            .field("name", &self.name)
            .field("domain", &self.domain)
            .field("path", &self.path)
            .field("max_age", &self.parsed.max_age)
            .field("expires", &self.parsed.expires)
            .field("secure", &self.parsed.secure)
            .field("http_only", &self.parsed.http_only)
            .field("same_site", &self.parsed.same_site)
            .finish_non_exhaustive()
    }
}

/// The server's instruction to browsers about sending a cookie with requests caused by another site
/// (RFC 6265bis §5.6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SameSite {
    /// Never send it.
    Strict,
    /// Send it only with top-level navigation, such as following a link.
    Lax,
    /// Always send it.
    None,
}

impl SameSite {
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let known = [(&b"Strict"[..], Self::Strict), (b"Lax", Self::Lax), (b"None", Self::None)];
        let found = known.into_iter().find(|(name, _)| value.eq_ignore_ascii_case(name));
        found.map(|(_, same_site)| same_site)
    }
}

/// The contents of one `Set-Cookie` field, as slices of the field's value. For a repeated attribute
/// the last valid one counts.
#[derive(Default)]
pub(super) struct SetCookie<'a> {
    /// Empty for a cookie without a name, as `Set-Cookie: token` sends one.
    pub(super) name: &'a [u8],
    pub(super) value: &'a [u8],
    pub(super) expires: Option<SystemTime>,
    /// Zero for every value that is not positive; the largest `Duration` of whole seconds on
    /// overflow.
    pub(super) max_age: Option<Duration>,
    /// Without its leading dot, and never empty.
    pub(super) domain: Option<&'a [u8]>,
    /// Starts with `/`; anything else means the default path.
    pub(super) path: Option<&'a [u8]>,
    pub(super) secure: bool,
    pub(super) http_only: bool,
    pub(super) same_site: Option<SameSite>,
}

impl<'a> SetCookie<'a> {
    pub(super) fn parse(input: &'a [u8], limits: &Limits) -> Result<Self, CookieRefusal> {
        if input.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
            return Err(CookieRefusal::ControlOctet);
        }
        let mut parts = input.split(|&byte| byte == b';');
        let pair = parts.next().unwrap_or_default();
        // Without `=` the whole pair is the value of a cookie that has no name (§5.6 step 3).
        let (name, value) = split_pair(pair).unwrap_or((b"", pair.trim_ascii()));
        if name.is_empty() && value.is_empty() {
            return Err(CookieRefusal::Empty);
        }
        if name.len() + value.len() > limits.max_cookie_bytes {
            return Err(CookieRefusal::PairTooLong);
        }
        let mut cookie = Self { name, value, ..Self::default() };
        for attribute in parts {
            let (name, value) = split_pair(attribute).unwrap_or((attribute.trim_ascii(), b""));
            if value.len() <= limits.max_attribute_bytes {
                cookie.apply(name, value);
            }
        }
        Ok(cookie)
    }

    /// Applies one attribute (§5.6.1 to §5.6.7). An unknown or malformed attribute has no effect,
    /// except that a malformed `Domain`, `Path` or `SameSite` discards an earlier one.
    fn apply(&mut self, name: &[u8], value: &'a [u8]) {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if is("Expires") {
            self.expires = cookie_date(value).or(self.expires);
        } else if is("Max-Age") {
            self.max_age = max_age(value).or(self.max_age);
        } else if is("Domain") {
            let domain = value.strip_prefix(b".").unwrap_or(value);
            self.domain = Some(domain).filter(|domain| !domain.is_empty());
        } else if is("Path") {
            self.path = Some(value).filter(|path| path.starts_with(b"/"));
        } else if is("Secure") {
            self.secure = true;
        } else if is("HttpOnly") {
            self.http_only = true;
        } else if is("SameSite") {
            self.same_site = SameSite::parse(value);
        }
    }
}

/// Splits at the first `=`, and trims SP and TAB from both sides. (`trim_ascii` trims other white
/// space too, but control characters are refused earlier.)
fn split_pair(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut sides = input.splitn(2, |&byte| byte == b'=');
    Some((sides.next()?.trim_ascii(), sides.next()?.trim_ascii()))
}

/// §5.6.2: digits, optionally after one `-`. A negative age counts as zero: expired.
fn max_age(value: &[u8]) -> Option<Duration> {
    let (digits, is_negative) = match value.strip_prefix(b"-") {
        Some(digits) => (digits, true),
        None => (value, false),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    if is_negative {
        return Some(Duration::ZERO);
    }
    let append = |n: u64, digit: &u8| n.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    Some(Duration::from_secs(digits.iter().fold(0, append)))
}

/// The reason why a `Set-Cookie` was not stored. It is not visible to the server; tests and logs
/// use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CookieRefusal {
    /// A control character other than TAB (RFC 6265bis §5.6 step 1).
    ControlOctet,
    /// Neither name nor value (§5.7 step 2).
    Empty,
    /// Name and value together over [the limit](Limits::max_cookie_bytes) (§5.6 step 5).
    PairTooLong,
    /// The request's host or directory is longer than a cookie may carry.
    SiteTooLong,
    /// `Domain` does not domain-match the request's host (§5.7 step 10).
    ForeignDomain,
    /// `Domain` is a public suffix (§5.7 step 9).
    PublicSuffix,
    /// `Secure` from a plain `http` response (§5.7 step 13).
    SecureOverPlain,
    /// `__Secure-` or `__Host-` without meeting the prefix's requirements (§5.7 steps 20 to 22).
    Prefix,
    /// It would overlay a `Secure` cookie, but was received over plain `http` (§5.7 step 16).
    OverlaysSecure,
    /// A saved cookie that no `Set-Cookie` could have set, as with a `;` in its value.
    NotAsWritten,
    /// A saved cookie that has expired.
    Expired,
}

/// Parses the cookie-date of §5.1.1, the value of `Expires`, as leniently as browsers do. The zone is ignored:
/// every cookie-date is UTC. Returns `None` if the attribute is to be ignored.
fn cookie_date(input: &[u8]) -> Option<SystemTime> {
    let mut fields = DateFields::default();
    // `delimiter = %x09 / %x20-2F / %x3B-40 / %x5B-60 / %x7B-7E`
    let is_delimiter =
        |byte: &u8| matches!(byte, 0x09 | 0x20..=0x2F | 0x3B..=0x40 | 0x5B..=0x60 | 0x7B..=0x7E);
    for token in input.split(is_delimiter) {
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
            || fill(&mut self.day, |token| Some(number(token, 1..=2)?.0), token)
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

/// `hms-time = time-field ":" time-field ":" time-field`, each of one or two digits.
fn time(token: &[u8]) -> Option<Time> {
    let (hour, rest) = number(token, 1..=2)?;
    let (minute, rest) = number(rest.strip_prefix(b":")?, 1..=2)?;
    let (second, _) = number(rest.strip_prefix(b":")?, 1..=2)?;
    Some(Time { hour, minute, second })
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
