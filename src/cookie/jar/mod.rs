//! The cookie store that is shared between threads and uses the system clock. The rules for cookies
//! are in [`crate::cookie`].

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use http::HeaderValue;

use crate::cookie::limits::Limits;
use crate::cookie::provider::CookieStore;
use crate::cookie::site::Site;
use crate::cookie::store::Store;
use crate::cookie::stored::StoredCookie;
use crate::url::Url;

mod file;

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

    /// Returns an empty jar with the same clock and these limits; cookies already in the jar are
    /// removed.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { store: Mutex::new(Store::with_limits(limits)), ..self }
    }

    /// Adds the cookie that a response from `url` with `Set-Cookie: {cookie}` would set. Attributes
    /// follow after `;`.
    ///
    /// A cookie that a server may not set is ignored here too: one with control characters
    /// (including CR and LF), with a `Domain` that does not match `url`, or with `Secure` for an
    /// `http` URL.
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
        self.set(cookie.as_bytes(), url);
    }

    /// Returns the cookies that a request to `url` would carry, in the order of the header. Unlike
    /// [`cookies`](CookieStore::cookies) this does not count as a use of them.
    pub fn cookies_for(&self, url: &Url) -> Vec<StoredCookie> {
        self.current().matching(Site::from(url)).into_iter().cloned().collect()
    }

    /// Returns all cookies, the oldest first.
    pub fn to_vec(&self) -> Vec<StoredCookie> {
        self.current().to_vec()
    }

    /// Returns the number of cookies.
    pub fn len(&self) -> usize {
        self.current().len()
    }

    /// Returns whether the jar has no cookies.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes all cookies.
    pub fn clear(&self) {
        self.lock().clear();
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
        let mut store = self.current();
        let before = store.len();
        store.retain(|cookie| {
            cookie.domain() != domain || cookie.path() != path || cookie.name() != name
        });
        store.len() < before
    }

    fn set(&self, set_cookie: &[u8], url: &Url) {
        let now = (self.clock)();
        // A refused cookie is ignored, as RFC 6265bis §5.7 requires.
        let _ = self.lock().set(Site::from(url), set_cookie, now);
    }

    /// Locks the store and removes expired cookies. The clock is called before locking, because it
    /// is the caller's code and may use the jar.
    fn current(&self) -> MutexGuard<'_, Store> {
        let now = (self.clock)();
        let mut store = self.lock();
        store.evict_expired(now);
        store
    }

    /// No caller's code runs under the lock, so only a bug in the store can poison it, which is no
    /// reason to fail all later requests.
    fn lock(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CookieStore for Jar {
    /// Only the first fields of a response are used: see [`Limits::max_per_response`].
    fn set_cookies(&self, cookie_headers: &mut dyn Iterator<Item = &HeaderValue>, url: &Url) {
        let most = self.lock().limits().max_per_response;
        for set_cookie in cookie_headers.take(most) {
            self.set(set_cookie.as_bytes(), url);
        }
    }

    fn cookies(&self, url: &Url) -> Option<HeaderValue> {
        let now = (self.clock)();
        self.lock().header(Site::from(url), now)
    }
}

impl Default for Jar {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Jar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jar").field("len", &self.lock().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn names(cookies: &[StoredCookie]) -> String {
        cookies.iter().map(|cookie| cookie.name()).collect::<Vec<_>>().join(" ")
    }

    /// A jar at the start of 1970 with three cookies, one of which expires after 10 seconds.
    fn jar() -> Jar {
        let jar = Jar::with_clock(|| SystemTime::UNIX_EPOCH);
        let url = url("https://www.example.com/a/b");
        jar.add_cookie_str("short=1; Max-Age=10; Path=/", &url);
        jar.add_cookie_str("host=1", &url);
        jar.add_cookie_str("domain=1; Domain=example.com", &url);
        jar
    }

    #[test]
    fn cookies_are_listed_and_counted() {
        let jar = jar();
        assert_eq!((jar.len(), jar.is_empty()), (3, false));
        assert_eq!(names(&jar.to_vec()), "short host domain", "oldest first");
        let cookies = jar.cookies_for(&url("https://www.example.com/a"));
        assert_eq!(names(&cookies), "host domain short", "as in the header");
        assert_eq!(names(&jar.cookies_for(&url("https://example.com/a"))), "domain");
        jar.clear();
        assert_eq!((jar.len(), jar.is_empty()), (0, true));
    }

    #[test]
    fn expired_cookies_are_not_shown() {
        let mut jar = jar();
        jar.clock = Box::new(|| SystemTime::UNIX_EPOCH + Duration::from_secs(10));
        assert_eq!(jar.len(), 2);
        assert_eq!(names(&jar.to_vec()), "host domain");
        let url = url("https://www.example.com/a");
        assert_eq!(names(&jar.cookies_for(&url)), "host domain");
        assert_eq!(jar.cookies(&url).unwrap(), "host=1; domain=1");
        assert!(!jar.remove("www.example.com", "/", "short"));
    }

    #[test]
    fn remove_affects_only_the_named_cookie() {
        let jar = jar();
        jar.add_cookie_str("host=2; Domain=www.example.com", &url("https://www.example.com/a/"));
        for (domain, path, name, expected) in [
            ("example.com", "/a", "host", false),
            ("www.example.com", "/", "host", false),
            ("www.example.com", "/a", "short", false),
            ("www.example.com", "/a", "host", true),
            ("www.example.com", "/a", "host", false),
        ] {
            assert_eq!(jar.remove(domain, path, name), expected, "{domain} {path} {name}");
        }
        assert_eq!(names(&jar.to_vec()), "short domain");
    }

    #[test]
    fn the_51st_set_cookie_of_a_response_is_ignored() {
        let jar = Jar::new();
        let headers: Vec<_> = (0..60)
            .map(|n| HeaderValue::try_from(format!("c{n}=1; Max-Age={}", 40 - n)).unwrap())
            .collect();
        let mut rest = headers.iter();
        jar.set_cookies(&mut rest, &url("http://a.example/"));
        assert_eq!((jar.len(), rest.len()), (40, 10), "ten of the first 50 had no life left");
    }

    #[test]
    fn clock_and_headers_may_use_the_jar() {
        let jar = Arc::new_cyclic(|this: &std::sync::Weak<Jar>| {
            let this = this.clone();
            Jar::with_clock(move || {
                let len = this.upgrade().map_or(0, |jar| jar.lock().len());
                SystemTime::UNIX_EPOCH + Duration::from_secs(len as u64)
            })
        });
        let url = url("http://a.example/");
        let headers = [HeaderValue::from_static("a=1"), HeaderValue::from_static("b=1")];
        let mut lens = Vec::new();
        jar.set_cookies(&mut headers.iter().inspect(|_| lens.push(jar.len())), &url);
        assert_eq!(lens, [0, 1]);
        assert_eq!(jar.cookies(&url).unwrap(), "a=1; b=1");
    }

    #[test]
    fn a_poisoned_lock_is_recovered() {
        let jar = jar();
        let held = std::panic::catch_unwind(AssertUnwindSafe(|| {
            let _held = jar.lock();
            panic!("poisons the lock");
        }));
        assert!(held.is_err() && jar.store.is_poisoned());
        assert_eq!(jar.len(), 3);
    }

    #[test]
    fn debug_shows_no_cookies() {
        assert_eq!(format!("{:?}", jar()), "Jar { len: 3, .. }");
    }

    #[test]
    fn a_jar_can_be_shared_between_threads() {
        fn is_store<T: CookieStore + fmt::Debug + Default>() {}
        is_store::<Jar>();
    }

    /// For each limit: a cookie at the limit is kept, one above it is not.
    #[test]
    fn limits_can_be_set() {
        type Row = (fn(&mut Limits), &'static [&'static str], &'static str);
        let rows: [Row; 6] = [
            (|limits| limits.max_cookie_bytes = 4, &["ab=12", "ab=123"], "ab=12"),
            (
                |limits| limits.max_attribute_bytes = 5,
                &["a=1; Path=/long", "b=1; Path=/longer"],
                "a b",
            ),
            (|limits| limits.max_per_response = 2, &["a=1", "b=2", "c=3"], "a=1; b=2"),
            (|limits| limits.max_per_domain = 2, &["a=1", "b=2", "c=3"], "b=2; c=3"),
            (|limits| limits.max_total = 1, &["a=1", "b=2"], "b=2"),
            (|limits| limits.max_header_bytes = 8, &["a=1", "b=2", "c=3"], "a=1; b=2"),
        ];
        for (set, cookies, expected) in rows {
            let mut limits = Limits::default();
            set(&mut limits);
            let jar = Jar::new().with_limits(limits);
            let url = Url::parse("https://a.example/").unwrap();
            let fields: Vec<_> = cookies.iter().map(|c| HeaderValue::from_static(c)).collect();
            jar.set_cookies(&mut fields.iter(), &url);
            match expected {
                // The path that was too long was ignored.
                "a b" => {
                    let paths: Vec<_> =
                        jar.to_vec().iter().map(|c| c.path().into_owned()).collect();
                    assert_eq!(paths, ["/long", "/"]);
                }
                _ => assert_eq!(jar.cookies(&url).unwrap(), expected),
            }
        }
    }
}
