//! Parses `Set-Cookie` as bytes (RFC 6265bis §5.6), in one pass and without allocation. It does not
//! check the cookie against the site that set it.

use std::time::{Duration, SystemTime};

use super::date;
use super::limits::Limits;
use super::refusal::CookieRefusal;
use super::same_site::SameSite;

/// The contents of one `Set-Cookie` field, as slices of the field's value. For a repeated attribute
/// the last valid one counts.
#[derive(Default)]
pub(crate) struct SetCookie<'a> {
    /// Empty for a cookie without a name, as `Set-Cookie: token` sends one.
    pub(crate) name: &'a [u8],
    pub(crate) value: &'a [u8],
    pub(crate) expires: Option<SystemTime>,
    /// Zero for every value that is not positive; the largest `Duration` of whole seconds on
    /// overflow.
    pub(crate) max_age: Option<Duration>,
    /// Without its leading dot, and never empty.
    pub(crate) domain: Option<&'a [u8]>,
    /// Starts with `/`; anything else means the default path.
    pub(crate) path: Option<&'a [u8]>,
    pub(crate) secure: bool,
    pub(crate) http_only: bool,
    pub(crate) same_site: Option<SameSite>,
}

impl<'a> SetCookie<'a> {
    pub(crate) fn parse(input: &'a [u8], limits: &Limits) -> Result<Self, CookieRefusal> {
        if input.iter().any(|&byte| is_control(byte)) {
            return Err(CookieRefusal::ControlOctet);
        }
        let mut parts = input.split(|&byte| byte == b';');
        let (name, value) = name_and_value(parts.next().unwrap_or_default());
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
            self.expires = date::parse(value).or(self.expires);
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
            self.same_site = same_site(value);
        }
    }
}

/// Without `=` the whole pair is the value of a cookie that has no name (§5.6 step 3).
fn name_and_value(pair: &[u8]) -> (&[u8], &[u8]) {
    split_pair(pair).unwrap_or((b"", pair.trim_ascii()))
}

/// Splits at the first `=`, and trims SP and TAB from both sides. (`trim_ascii` trims other white
/// space too, but control characters are refused earlier.)
fn split_pair(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut sides = input.splitn(2, |&byte| byte == b'=');
    Some((sides.next()?.trim_ascii(), sides.next()?.trim_ascii()))
}

fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\t'
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

pub(super) fn same_site(value: &[u8]) -> Option<SameSite> {
    [(&b"Strict"[..], SameSite::Strict), (b"Lax", SameSite::Lax), (b"None", SameSite::None)]
        .into_iter()
        .find_map(|(known, same_site)| value.eq_ignore_ascii_case(known).then_some(same_site))
}

#[cfg(test)]
mod tests;
