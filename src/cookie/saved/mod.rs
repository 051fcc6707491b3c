//! Cookies as lines of a file. A line is as untrusted as a `Set-Cookie`: it becomes a cookie only
//! if a server could have set the same one, which [`Record::admit`] decides.
//!
//! There are two formats. JSON lines are in [`json`]. The Netscape cookie file is at the end of this file: seven
//! fields per line, separated by TABs. It has no `SameSite`.

use std::time::{Duration, SystemTime};

use super::set_cookie::{CookieRefusal, SetCookie};
use super::site::Site;
use super::stored::StoredCookie;
use super::{Limits, SameSite};
use crate::base::text::decimal;
use crate::url::Url;

pub(super) mod json;

/// The choice whether session cookies, those without an expiry time, are saved too. Browsers
/// discard them on closing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionCookies {
    /// Session cookies are saved.
    Keep,
    /// Session cookies are left out.
    Forget,
}

/// The counts of the lines of a file that a [`Jar`](super::Jar) loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadReport {
    /// The number of cookies added to the jar. The [limits](super#rules-and-limits) may have
    /// evicted some of them again.
    pub cookies: usize,
    /// The number of lines whose cookie has expired.
    pub expired: usize,
    /// The number of lines without a valid cookie, or with one that no server could have set.
    pub skipped: usize,
    /// The line number, counted from 1, of the first skipped line.
    pub first_skipped: Option<usize>,
}

impl LoadReport {
    pub(crate) fn count(&mut self, line: usize, fate: Result<(), CookieRefusal>) {
        match fate {
            Ok(()) => self.cookies += 1,
            Err(CookieRefusal::Expired) => self.expired += 1,
            Err(_) => {
                self.skipped += 1;
                self.first_skipped.get_or_insert(line);
            }
        }
    }
}

/// The content of a line.
pub(crate) enum SavedLine {
    Cookie(Record),
    /// An empty line or a comment.
    Blank,
    Malformed,
}

/// A cookie parsed from a line, not yet checked.
pub(crate) struct Record {
    pub(super) name: Vec<u8>,
    pub(super) value: Vec<u8>,
    /// Without a leading dot.
    pub(super) domain: String,
    pub(super) host_only: bool,
    pub(super) path: Vec<u8>,
    pub(super) expires: Option<SystemTime>,
    pub(super) secure: bool,
    pub(super) http_only: bool,
    pub(super) same_site: Option<SameSite>,
}

impl Record {
    /// Returns the cookie, with the store's key for it, if a `Set-Cookie` with the same content
    /// would have produced it.
    pub(crate) fn admit(
        &self,
        limits: &Limits,
        now: SystemTime,
    ) -> Result<(String, StoredCookie), CookieRefusal> {
        let text = [&*self.name, b"=", &*self.value, b"; Path=", &*self.path].concat();
        let parsed = SetCookie::parse(&text, limits)?;
        let origin = self.origin()?;
        let site = Site::of(&origin).ok_or(CookieRefusal::ForeignDomain)?;
        // A `;` ends the attribute, but is allowed in the directory of a request.
        let path = parsed.path.filter(|path| *path == self.path);
        let is_path = path.is_some() || site.default_path().as_bytes() == self.path;
        if (parsed.name, parsed.value) != (&self.name, &self.value) || !is_path {
            return Err(CookieRefusal::NotAsWritten);
        }
        let set_cookie = SetCookie {
            name: parsed.name,
            value: parsed.value,
            expires: self.expires,
            max_age: None,
            domain: Some(self.domain.as_bytes()).filter(|_| !self.host_only),
            path,
            secure: self.secure,
            http_only: self.http_only,
            same_site: self.same_site,
        };
        let cookie = StoredCookie::admit(&set_cookie, site, limits, now)?;
        Ok((site.key(&cookie.domain), cookie))
    }

    /// Returns a URL that might have set the cookie, in its directory. The scheme is `https`
    /// because only that may set every cookie.
    fn origin(&self) -> Result<Url, CookieRefusal> {
        let domain = self.domain.to_ascii_lowercase();
        let url = Url::parse(&format!("https://{domain}/")).ok();
        let url = url.filter(|url| url.host_str() == Some(&domain));
        let mut url = url.ok_or(CookieRefusal::ForeignDomain)?;
        url.set_path(&format!("{}/", String::from_utf8_lossy(&self.path)));
        Ok(url)
    }
}

/// Converts to whole seconds since 1970, rounded down; at least 1, because 0 means no time in a
/// Netscape file.
fn to_unix(instant: SystemTime) -> u64 {
    instant.duration_since(SystemTime::UNIX_EPOCH).map_or(1, |since| since.as_secs().max(1))
}

/// Returns the instant this many seconds after the start of 1970, if the platform's clock can
/// represent it.
fn from_unix(seconds: u64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// The first line, by which other programs recognize the format.
pub(super) const NETSCAPE_HEADER: &[u8] = b"# Netscape HTTP Cookie File\n";

/// Appends the line of `cookie`, unless a TAB in it would end a field.
pub(super) fn write_netscape(cookie: &StoredCookie, out: &mut Vec<u8>) {
    if cookie.name.contains(&b'\t') || cookie.path.contains(&b'\t') {
        return;
    }
    let flag = |is_set| if is_set { &b"TRUE"[..] } else { b"FALSE" };
    if cookie.http_only() {
        out.extend_from_slice(HTTP_ONLY);
    }
    // A host may begin with a dot itself, and the reader removes one dot.
    if !cookie.host_only || cookie.domain.starts_with('.') {
        out.push(b'.');
    }
    let expires = cookie.expires.map_or(0, to_unix).to_string();
    let fields = [
        cookie.domain.as_bytes(),
        flag(!cookie.host_only),
        &cookie.path,
        flag(cookie.secure),
        expires.as_bytes(),
        &cookie.name,
        &cookie.value,
    ];
    out.extend_from_slice(&fields.join(&b'\t'));
    out.push(b'\n');
}

pub(super) fn read_netscape(line: &[u8]) -> SavedLine {
    let (line, http_only) = match line.strip_prefix(HTTP_ONLY) {
        Some(line) => (line, true),
        None => (line, false),
    };
    if line.trim_ascii().is_empty() || line.starts_with(b"#") {
        return SavedLine::Blank;
    }
    match netscape_record(line) {
        Some(record) => SavedLine::Cookie(Record { http_only, ..record }),
        None => SavedLine::Malformed,
    }
}

/// A value may contain TABs. The dot before a domain is redundant with the flag after it.
fn netscape_record(line: &[u8]) -> Option<Record> {
    let mut fields = line.splitn(7, |&byte| byte == b'\t');
    let domain = std::str::from_utf8(fields.next()?).ok()?;
    let is_below_too = flag(fields.next()?)?;
    let path = fields.next()?.to_vec();
    let secure = flag(fields.next()?)?;
    let expires = match fields.next()? {
        b"" | b"0" => None,
        digits => Some(from_unix(decimal(digits)?)?),
    };
    Some(Record {
        name: fields.next()?.to_vec(),
        // Some programs omit the last TAB if there is no value.
        value: fields.next().unwrap_or_default().to_vec(),
        domain: domain.strip_prefix('.').unwrap_or(domain).to_owned(),
        host_only: !is_below_too,
        path,
        expires,
        secure,
        http_only: false,
        same_site: None,
    })
}

fn flag(field: &[u8]) -> Option<bool> {
    let is_set = field.eq_ignore_ascii_case(b"TRUE");
    (is_set || field.eq_ignore_ascii_case(b"FALSE")).then_some(is_set)
}

/// A prefix of the domain, which programs that do not know it read as a comment.
const HTTP_ONLY: &[u8] = b"#HttpOnly_";

#[cfg(test)]
mod tests;
