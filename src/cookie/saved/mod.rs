//! Cookies as lines of a file. A line is as little trusted as a `Set-Cookie` is: it becomes a
//! cookie only if a server could have set the same.

use std::time::{Duration, SystemTime};

use super::limits::Limits;
use super::{
    parse::SetCookie,
    refusal::Refusal,
    same_site::SameSite,
    site::Site,
    stored::{Scope, StoredCookie},
};
use crate::url::Url;

pub(crate) mod json;
pub(crate) mod netscape;
mod object;

/// Whether cookies without an end of their own are saved too. Browsers forget these
/// ("session cookies") when they close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionCookies {
    /// They are saved.
    Keep,
    /// They are left out.
    Forget,
}

/// What became of the lines of a file that a [`Jar`](super::Jar) loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loaded {
    /// Lines whose cookie is now in the jar, if it was not pushed out by the
    /// [limits](super#rules-and-limits).
    pub cookies: usize,
    /// Lines whose cookie has expired.
    pub expired: usize,
    /// Lines that are no cookie, or one that no server could have set.
    pub skipped: usize,
    /// The number of the first line skipped, counted from 1.
    pub first_skipped: Option<usize>,
}

impl Loaded {
    pub(crate) fn count(&mut self, line: usize, fate: Result<(), Refusal>) {
        match fate {
            Ok(()) => self.cookies += 1,
            Err(Refusal::Expired) => self.expired += 1,
            Err(_) => {
                self.skipped += 1;
                self.first_skipped.get_or_insert(line);
            }
        }
    }
}

/// What a line of a file holds.
pub(crate) enum Line {
    Cookie(Record),
    /// Nothing, or a remark.
    Blank,
    Malformed,
}

/// A cookie as a line gives it, not yet judged.
pub(crate) struct Record {
    pub(super) name: Vec<u8>,
    pub(super) value: Vec<u8>,
    /// Without a leading dot.
    pub(super) domain: String,
    pub(super) scope: Scope,
    pub(super) path: Vec<u8>,
    pub(super) expires: Option<SystemTime>,
    pub(super) secure: bool,
    pub(super) http_only: bool,
    pub(super) same_site: Option<SameSite>,
}

impl Record {
    /// The cookie, with the store's key for it, if it is what would have become of a `Set-Cookie` with
    /// the same content.
    pub(crate) fn admit(
        &self,
        limits: &Limits,
        now: SystemTime,
    ) -> Result<(String, StoredCookie), Refusal> {
        let text = [&*self.name, b"=", &*self.value, b"; Path=", &*self.path].concat();
        let parsed = SetCookie::parse(&text, limits)?;
        let origin = self.origin()?;
        let site = Site::from(&origin);
        // A `;` ends the attribute, but may well stand in the directory of a request.
        let path = parsed.path.filter(|path| *path == self.path);
        let is_path = path.is_some() || site.default_path().as_bytes() == self.path;
        if (parsed.name, parsed.value) != (&self.name, &self.value) || !is_path {
            return Err(Refusal::NotAsWritten);
        }
        let set_cookie = SetCookie {
            name: parsed.name,
            value: parsed.value,
            expires: self.expires,
            max_age: None,
            domain: Some(self.domain.as_bytes()).filter(|_| self.scope == Scope::Domain),
            path,
            secure: self.secure,
            http_only: self.http_only,
            same_site: self.same_site,
        };
        let cookie = StoredCookie::admit(&set_cookie, site, limits, now)?;
        Ok((site.key(&cookie.domain), cookie))
    }

    /// A URL that might have set the cookie: something in its directory. Only `https` may set all of
    /// them.
    fn origin(&self) -> Result<Url, Refusal> {
        let domain = self.domain.to_ascii_lowercase();
        let url = Url::parse(&format!("https://{domain}/")).ok();
        let url = url.filter(|url| url.host_str() == Some(&domain));
        let mut url = url.ok_or(Refusal::ForeignDomain)?;
        url.set_path(&format!("{}/", String::from_utf8_lossy(&self.path)));
        Ok(url)
    }
}

/// Whole seconds since 1970, rounded down; at least 1, for 0 is no time in a Netscape file.
fn to_unix(instant: SystemTime) -> u64 {
    instant.duration_since(SystemTime::UNIX_EPOCH).map_or(1, |since| since.as_secs().max(1))
}

/// The instant so many seconds after the start of 1970, if this platform's clock can name it.
fn from_unix(seconds: u64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
