//! The cookie store that is shared between threads and uses the system clock, and its files. The rules for
//! cookies are in [`crate::cookie`]; [`saved`] decides what a line of a file means.
//!
//! Everything that changes with time goes through `Jar::store_now`, which is the one place that asks the
//! clock, takes the lock and drops expired cookies. No code of the caller runs under the lock: not the clock,
//! not the headers of a response, not the reader of a file.

use std::fmt;
use std::io::{self, BufRead, Read, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use http::HeaderValue;

use super::saved::{self, SavedLine, json};
use super::set_cookie::CookieRefusal;
use super::site::Site;
use super::store::Store;
use super::{CookieStore, Limits, LoadReport, SessionCookies, StoredCookie};
use crate::url::Url;

/// An in-memory cookie store that follows the [rules](crate::cookie#rules-and-limits) of RFC
/// 6265bis.
///
/// Share it in an `Arc` between clients that use the same cookies. `Debug` shows no cookies, since
/// they are often credentials.
///
/// ```
/// use leanhttp::cookie::Jar;
/// use leanhttp::url::Url;
///
/// let jar = Jar::default();
/// let url = Url::parse("https://example.com/")?;
/// jar.add_cookie_str("a=1; Path=/", &url);
/// jar.add_cookie_str("b=2; Path=/; Max-Age=0", &url);
///
/// assert_eq!(jar.len(), 1);
/// assert_eq!(jar.to_vec()[0].name(), "a");
/// # Ok::<(), leanhttp::url::ParseError>(())
/// ```
pub struct Jar {
    store: Mutex<Store>,
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
}

impl Jar {
    /// Creates an empty jar on the system clock.
    pub fn new() -> Self {
        Self::with_clock(SystemTime::now)
    }

    /// Creates an empty jar that takes the time from `clock`, which is called once for each cookie
    /// set and each header made. Use it to test the expiry of cookies.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use std::sync::atomic::{AtomicU64, Ordering};
    /// use leanhttp::cookie::Jar;
    /// use leanhttp::url::Url;
    ///
    /// static SECONDS: AtomicU64 = AtomicU64::new(0);
    /// let clock = || SystemTime::UNIX_EPOCH + Duration::from_secs(SECONDS.load(Ordering::Relaxed));
    ///
    /// let jar = Jar::with_clock(clock);
    /// jar.add_cookie_str("a=1; Max-Age=60", &Url::parse("https://example.com/")?);
    /// assert_eq!(jar.len(), 1);
    /// SECONDS.store(60, Ordering::Relaxed);
    /// assert_eq!(jar.len(), 0);
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn with_clock(clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self { store: Mutex::default(), clock: Box::new(clock) }
    }

    /// Returns the jar with these limits: see [`set_limits`](Self::set_limits).
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        self.set_limits(limits);
        self
    }

    /// Changes the limits. The jar keeps its cookies, but for those that are too long for the new limits, and
    /// for as many as it takes to get below the new numbers: those that a further cookie would
    /// [evict](super#rules-and-limits) first.
    ///
    /// ```
    /// use leanhttp::cookie::{Jar, Limits};
    /// use leanhttp::url::Url;
    ///
    /// let jar = Jar::default();
    /// let url = Url::parse("https://example.com/")?;
    /// jar.add_cookie_str("a=1", &url);
    /// jar.add_cookie_str("b=2", &url);
    ///
    /// let mut limits = Limits::default();
    /// limits.max_total = 1;
    /// jar.set_limits(limits);
    /// assert_eq!(jar.to_vec()[0].name(), "b");
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn set_limits(&self, limits: Limits) {
        self.store_now().0.set_limits(limits);
    }

    /// Adds the cookie that a response from `url` with `Set-Cookie: {cookie}` would set. Attributes
    /// follow after `;`.
    ///
    /// A cookie that a server may not set is ignored here too: one with control characters
    /// (including CR and LF), with a `Domain` that does not match `url`, or with `Secure` for an
    /// `http` URL. So is every cookie if `url` is not `http` or `https`.
    ///
    /// ```
    /// use leanhttp::cookie::Jar;
    /// use leanhttp::url::Url;
    ///
    /// let jar = Jar::default();
    /// let url = Url::parse("http://example.com/")?;
    /// jar.add_cookie_str("a=1\r\nInjected: 2", &url);
    /// jar.add_cookie_str("a=1; Domain=example.org", &url);
    /// jar.add_cookie_str("a=1; Secure", &url);
    /// assert!(jar.is_empty());
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn add_cookie_str(&self, cookie: &str, url: &Url) {
        self.receive(cookie.as_bytes(), url);
    }

    /// Returns the cookies that a request to `url` would carry, in the order of the header. Unlike
    /// [`cookies`](CookieStore::cookies) this does not count as a use of them.
    pub fn cookies_for(&self, url: &Url) -> Vec<StoredCookie> {
        let Some(site) = Site::of(url) else { return Vec::new() };
        self.store_now().0.matching(site).into_iter().cloned().collect()
    }

    /// Returns all cookies, the oldest first.
    pub fn to_vec(&self) -> Vec<StoredCookie> {
        self.store_now().0.to_vec()
    }

    /// Returns the number of cookies.
    pub fn len(&self) -> usize {
        self.store_now().0.len()
    }

    /// Returns whether the jar has no cookies.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes all cookies.
    pub fn clear(&self) {
        self.locked_store().clear();
    }

    /// Removes the cookies with this domain, path and name, in the form that [`StoredCookie`]
    /// returns them. There can be two: one for the host only, and one that includes its subdomains.
    ///
    /// Returns whether a cookie was removed.
    ///
    /// ```
    /// use leanhttp::cookie::Jar;
    /// use leanhttp::url::Url;
    ///
    /// let jar = Jar::default();
    /// jar.add_cookie_str("a=1; Path=/", &Url::parse("https://example.com/")?);
    /// assert!(!jar.remove("example.com", "/", "b"));
    /// assert!(jar.remove("example.com", "/", "a"));
    /// assert!(jar.is_empty());
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn remove(&self, domain: &str, path: &str, name: &str) -> bool {
        let (mut store, _) = self.store_now();
        let before = store.len();
        store.retain(|cookie| {
            cookie.domain() != domain || cookie.path() != path || cookie.name() != name
        });
        store.len() < before
    }

    /// Writes the cookies as [JSON lines](crate::cookie#files), the oldest first, and flushes.
    ///
    /// Cookies are often credentials: restrict access to the file.
    ///
    /// # Errors
    ///
    /// Those of `writer`.
    ///
    /// ```
    /// use leanhttp::cookie::{Jar, SessionCookies};
    /// use leanhttp::url::Url;
    ///
    /// let (jar, again) = (Jar::new(), Jar::new());
    /// let url = Url::parse("https://example.com/")?;
    /// jar.add_cookie_str("a=1; Max-Age=3600", &url);
    /// jar.add_cookie_str("b=2", &url);
    ///
    /// let mut file = Vec::new();
    /// jar.save_json(&mut file, SessionCookies::Forget)?;
    /// let loaded = again.load_json(file.as_slice())?;
    /// assert_eq!((loaded.cookies, loaded.skipped), (1, 0));
    /// assert_eq!(again.to_vec()[0].name(), "a");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn save_json(&self, writer: impl Write, session: SessionCookies) -> io::Result<()> {
        self.write_lines(writer, session, json::write)
    }

    /// Adds the cookies of a file of [JSON lines](crate::cookie#files). They replace cookies with
    /// the same domain, path and name. Expired cookies are left out. Lines that are not a valid
    /// cookie are skipped and counted; so are lines of more than 64 KiB, or of what the jar's
    /// [`Limits`] require if that is more.
    ///
    /// # Errors
    ///
    /// Those of `reader`, and [`InvalidData`](io::ErrorKind::InvalidData) after 10 000 lines, or
    /// three times as many as the jar may hold cookies if that is more. Cookies read before the
    /// error stay in the jar.
    pub fn load_json(&self, reader: impl BufRead) -> io::Result<LoadReport> {
        self.read_lines(reader, json::read)
    }

    /// Writes the cookies as a [Netscape cookie file](crate::cookie#files), the oldest first, and
    /// flushes.
    ///
    /// Cookies are often credentials: restrict access to the file.
    ///
    /// # Errors
    ///
    /// Those of `writer`.
    ///
    /// ```
    /// use leanhttp::cookie::{Jar, SessionCookies};
    /// use leanhttp::url::Url;
    ///
    /// let jar = Jar::new();
    /// jar.add_cookie_str("a=1; Domain=example.com", &Url::parse("https://www.example.com/b/")?);
    ///
    /// let mut file = Vec::new();
    /// jar.save_netscape(&mut file, SessionCookies::Keep)?;
    /// let expected = "# Netscape HTTP Cookie File\n.example.com\tTRUE\t/b\tFALSE\t0\ta\t1\n";
    /// assert_eq!(String::from_utf8(file)?, expected);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn save_netscape(&self, mut writer: impl Write, session: SessionCookies) -> io::Result<()> {
        writer.write_all(saved::NETSCAPE_HEADER)?;
        self.write_lines(writer, session, saved::write_netscape)
    }

    /// Adds the cookies of a [Netscape cookie file](crate::cookie#files), by the same rules as
    /// [`load_json`](Self::load_json).
    ///
    /// # Errors
    ///
    /// As for [`load_json`](Self::load_json).
    pub fn load_netscape(&self, reader: impl BufRead) -> io::Result<LoadReport> {
        self.read_lines(reader, saved::read_netscape)
    }

    fn write_lines(
        &self,
        mut writer: impl Write,
        session: SessionCookies,
        write: fn(&StoredCookie, &mut Vec<u8>),
    ) -> io::Result<()> {
        let mut line = Vec::new();
        for cookie in self.to_vec() {
            if cookie.expires().is_none() && session == SessionCookies::Forget {
                continue;
            }
            line.clear();
            write(&cookie, &mut line);
            writer.write_all(&line)?;
        }
        writer.flush()
    }

    /// Reads outside the lock, because the reader is the caller's code and may use the jar.
    fn read_lines(
        &self,
        mut reader: impl BufRead,
        read: fn(&[u8]) -> SavedLine,
    ) -> io::Result<LoadReport> {
        let now = (self.clock)();
        let mut loaded = LoadReport::default();
        let mut line = Vec::new();
        let mut number = 0;
        let (max_lines, max_line) = {
            let store = self.locked_store();
            (max_lines(store.limits()), max_line(store.limits()))
        };
        while read_line(&mut reader, &mut line, max_line)? {
            number += 1;
            if number > max_lines {
                let too_many = format!("the cookie file has more than {max_lines} lines");
                return Err(io::Error::new(io::ErrorKind::InvalidData, too_many));
            }
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            match read(text.strip_suffix(b"\r").unwrap_or(text)) {
                SavedLine::Blank => {}
                SavedLine::Malformed => loaded.count(number, Err(CookieRefusal::NotAsWritten)),
                SavedLine::Cookie(record) => {
                    loaded.count(number, self.locked_store().restore(&record, now))
                }
            }
        }
        Ok(loaded)
    }

    fn receive(&self, set_cookie: &[u8], url: &Url) {
        let Some(site) = Site::of(url) else { return };
        let (mut store, now) = self.store_now();
        // A refused cookie is ignored, as RFC 6265bis §5.7 requires.
        let _ = store.set(site, set_cookie, now);
    }

    /// Asks the clock for the time, locks the store and removes expired cookies. The clock is called before
    /// locking, because it is the caller's code and may use the jar.
    fn store_now(&self) -> (MutexGuard<'_, Store>, SystemTime) {
        let now = (self.clock)();
        let mut store = self.locked_store();
        store.evict_expired(now);
        (store, now)
    }

    /// No caller's code runs under the lock, so only a bug in the store can poison it, which is no
    /// reason to fail all later requests.
    fn locked_store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CookieStore for Jar {
    /// Only the first fields of a response are used: see [`Limits::max_per_response`].
    fn set_cookies(&self, cookie_headers: &mut dyn Iterator<Item = &HeaderValue>, url: &Url) {
        let most = self.locked_store().limits().max_per_response;
        for set_cookie in cookie_headers.take(most) {
            self.receive(set_cookie.as_bytes(), url);
        }
    }

    fn cookies(&self, url: &Url) -> Option<HeaderValue> {
        let site = Site::of(url)?;
        let (mut store, now) = self.store_now();
        store.header(site, now)
    }
}

impl Default for Jar {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Jar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jar").field("len", &self.locked_store().len()).finish_non_exhaustive()
    }
}

/// Reads the next line into `line` and returns whether there is one. Only the beginning of a line
/// longer than `most` is kept: such a line cannot be a cookie.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>, most: u64) -> io::Result<bool> {
    line.clear();
    reader.take(most).read_until(b'\n', line)?;
    if line.len() as u64 == most && !line.ends_with(b"\n") {
        reader.skip_until(b'\n')?;
    }
    Ok(!line.is_empty())
}

/// Three times as many lines as the jar holds cookies: later lines would only evict earlier ones,
/// and a file may be endless.
fn max_lines(limits: &Limits) -> usize {
    limits.max_total.saturating_mul(3).max(10_000)
}

/// Twice the length of the longest cookie line, even if every byte is escaped as `\u00xx`.
fn max_line(limits: &Limits) -> u64 {
    let bytes = limits.max_cookie_bytes.saturating_add(limits.max_attribute_bytes);
    bytes.saturating_mul(12).max(64 * 1024) as u64
}

#[cfg(test)]
mod tests;
