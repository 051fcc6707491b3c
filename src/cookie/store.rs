//! The cookie store (RFC 6265bis §5.7 and §5.8): a value without I/O, whose caller passes the time.
//!
//! Cookies are grouped by domain, the domains in the order of [`Site::key`]. A request then needs
//! one lookup for each label of its host, and the subdomains of a domain are one range. A domain
//! holds only a few dozen cookies, so a linear search within it is enough.
//!
//! ```text
//! domains    com.example       [a=1; Path=/]  [b=2; Path=/shop]
//!            com.example.www   [a=3; host-only]
//! request    https://www.example.com/shop/cart
//!            keys com.example.www, com.example, com: two entries are found
//!            domain-match, path-match, Secure ─▶ sorted: longer paths first, then older
//!            Cookie: b=2; a=1; a=3
//! ```
//!
//! Eviction follows §5.7: expired cookies first; in a full domain those without `Secure`, then the
//! least recently used; in a full store the least recently used of all. A store that scanned all
//! cookies for the oldest would be slow when a hostile site fills it, so the order is kept in a
//! queue that is built once and used up: cookies that were used since then are more recent than all
//! in it.
//!
//! `store_and_model_agree` compares with a plain list;
//! `ten_thousand_cookies_from_many_hosts_are_limited` and `tests/hostile_size.rs`
//! (`c07_the_jar_evicts_cookies_at_its_limits`) show the bounds.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::SystemTime;

use bytes::Bytes;
use http::HeaderValue;

use super::Limits;
use super::saved::Record;
use super::set_cookie::{CookieRefusal, SetCookie};
use super::site::{Site, path_matches};
use super::stored::StoredCookie;

/// No method leaves an expired cookie, an empty domain, or more cookies than the limits allow.
#[derive(Default)]
pub(crate) struct Store {
    domains: BTreeMap<String, Vec<StoredCookie>>,
    limits: Limits,
    /// The number of cookies in all domains.
    len: usize,
    /// A counter that grows with every cookie set and every header made; it orders creations and
    /// accesses.
    ticks: u64,
    /// No cookie expires before this; `None` if no cookie expires.
    next_expiry: Option<SystemTime>,
    /// The order of eviction when the store is full: the cookies at the time the queue was built,
    /// the least recently used last. Cookies used since then are more recent than all in the queue.
    queue: Vec<LastUse>,
}

/// A cookie at the time the queue was built; its next use makes this entry stale.
struct LastUse {
    accessed: u64,
    created: u64,
    key: String,
}

impl Store {
    /// Applies `set_cookie`, the value of a `Set-Cookie` field from `site`: stores, replaces or
    /// deletes a cookie.
    pub(crate) fn set(
        &mut self,
        site: Site<'_>,
        set_cookie: &[u8],
        now: SystemTime,
    ) -> Result<(), CookieRefusal> {
        self.evict_expired(now);
        let parsed = SetCookie::parse(set_cookie, &self.limits)?;
        let cookie = StoredCookie::admit(&parsed, site, &self.limits, now)?;
        let key = site.key(&cookie.domain);
        if !site.is_secure && self.has_secure_under(&key, &cookie) {
            return Err(CookieRefusal::OverlaysSecure);
        }
        self.put(key, cookie, now);
        Ok(())
    }

    /// Changes the limits. Cookies that are too long now are removed, and as many others as are too many now,
    /// by the rules of eviction.
    pub(crate) fn set_limits(&mut self, limits: Limits) {
        self.retain(|cookie| cookie.fits(&limits));
        self.limits = limits;
        let keys: Vec<_> = self.domains.keys().cloned().collect();
        keys.iter().for_each(|key| self.evict_excess_of(key));
        self.evict_excess();
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Adds a cookie from a file. An expired one has no effect.
    pub(crate) fn restore(
        &mut self,
        record: &Record,
        now: SystemTime,
    ) -> Result<(), CookieRefusal> {
        self.evict_expired(now);
        let (key, cookie) = record.admit(&self.limits, now)?;
        if cookie.is_expired(now) {
            return Err(CookieRefusal::Expired);
        }
        self.put(key, cookie, now);
        Ok(())
    }

    /// Returns the `Cookie` field for a request to `site`: longer paths first, then older cookies,
    /// as many as fit (§5.8.3). It is marked sensitive.
    pub(crate) fn header(&mut self, site: Site<'_>, now: SystemTime) -> Option<HeaderValue> {
        self.evict_expired(now);
        self.touch(site);
        let mut line = Vec::new();
        for cookie in self.matching(site) {
            let fits = line.len();
            if !line.is_empty() {
                line.extend_from_slice(b"; ");
            }
            cookie.write_pair(&mut line);
            if line.len() > self.limits.max_header_bytes {
                line.truncate(fits);
                break;
            }
        }
        if line.is_empty() {
            return None;
        }
        let mut header = HeaderValue::from_maybe_shared(Bytes::from(line)).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    /// Returns the cookies for a request to `site`, in the order of the `Cookie` field.
    pub(crate) fn matching(&self, site: Site<'_>) -> Vec<&StoredCookie> {
        let key = site.key(site.host);
        let held = at_and_above(&key).filter_map(|key| self.domains.get(key)).flatten();
        let mut matching: Vec<_> = held.filter(|cookie| cookie.matches(site)).collect();
        matching.sort_by_key(|cookie| (Reverse(cookie.path.len()), cookie.created));
        matching
    }

    /// Returns all cookies in the order of their creation.
    pub(crate) fn to_vec(&self) -> Vec<StoredCookie> {
        let mut cookies: Vec<_> = self.iter().cloned().collect();
        cookies.sort_by_key(|cookie| cookie.created);
        cookies
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn clear(&mut self) {
        self.retain(|_| false);
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(&StoredCookie) -> bool) {
        self.domains.retain(|_, cookies| {
            cookies.retain(&keep);
            !cookies.is_empty()
        });
        self.len = self.domains.values().map(Vec::len).sum();
    }

    fn iter(&self) -> impl Iterator<Item = &StoredCookie> {
        self.domains.values().flatten()
    }

    /// Each pass over the store removes a cookie or advances `next_expiry`, so there are no more
    /// passes than cookies set.
    pub(crate) fn evict_expired(&mut self, now: SystemTime) {
        if self.next_expiry.is_some_and(|next| next <= now) {
            self.retain(|cookie| !cookie.is_expired(now));
            self.next_expiry = self.iter().filter_map(|cookie| cookie.expires).min();
        }
    }

    /// Returns whether the new cookie would overlay a `Secure` cookie on any host that receives
    /// both (§5.7 step 16).
    fn has_secure_under(&self, key: &str, new: &StoredCookie) -> bool {
        let above = at_and_above(key).filter_map(|key| self.domains.get(key));
        above
            .chain(self.below(key))
            .flatten()
            .any(|held| held.secure && held.name == new.name && path_matches(&new.path, &held.path))
    }

    /// Returns the cookies of all subdomains: the range of keys from `com.example.` to the end of
    /// that prefix.
    fn below(&self, key: &str) -> impl Iterator<Item = &Vec<StoredCookie>> {
        let (start, end) = (format!("{key}."), format!("{key}/"));
        let range = (Bound::Included(start.as_str()), Bound::Excluded(end.as_str()));
        self.domains.range::<str, _>(range).map(|(_, cookies)| cookies)
    }

    /// Stores or replaces a cookie. A cookie that replaces another keeps its creation time (§5.7
    /// step 23). An expired one only removes the old one, which is how servers delete.
    fn put(&mut self, key: String, mut cookie: StoredCookie, now: SystemTime) {
        self.ticks += 1;
        cookie.accessed = self.ticks;
        cookie.created = match self.take(&key, |held| held.is_replaced_by(&cookie)) {
            Some(replaced) => replaced.created,
            None => self.ticks,
        };
        if cookie.is_expired(now) {
            return;
        }
        let expiries = [self.next_expiry, cookie.expires];
        self.next_expiry = expiries.into_iter().flatten().min();
        self.domains.entry(key.clone()).or_default().push(cookie);
        self.len += 1;
        self.evict_excess_of(&key);
        self.evict_excess();
    }

    fn take(
        &mut self,
        key: &str,
        is_wanted: impl Fn(&StoredCookie) -> bool,
    ) -> Option<StoredCookie> {
        let cookies = self.domains.get_mut(key)?;
        let index = cookies.iter().position(is_wanted)?;
        let cookie = cookies.swap_remove(index);
        if cookies.is_empty() {
            self.domains.remove(key);
        }
        self.len -= 1;
        Some(cookie)
    }

    /// Evicts the cookies of a domain over its limit: the least recently used, but no `Secure` cookie while
    /// there is another, so that plain `http` cannot evict them.
    fn evict_excess_of(&mut self, key: &str) {
        let Some(held) = self.domains.get_mut(key) else { return };
        let excess = held.len().saturating_sub(self.limits.max_per_domain);
        if let Some(last) = excess.checked_sub(1) {
            held.select_nth_unstable_by_key(last, |c| (c.secure, c.accessed, c.created));
            held.drain(..excess);
            self.len -= excess;
            if held.is_empty() {
                self.domains.remove(key);
            }
        }
    }

    /// Evicts the cookies of a store over its limit: the least recently used. The queue avoids a search of the
    /// whole store for each cookie, which would make a flood of cookies costly.
    fn evict_excess(&mut self) {
        while self.len > self.limits.max_total {
            if !self.evict_queued() {
                self.queue_all();
            }
        }
    }

    /// Evicts the next cookie in the queue that still exists and was not used since, if there is
    /// one.
    fn evict_queued(&mut self) -> bool {
        while let Some(LastUse { accessed, created, key }) = self.queue.pop() {
            let is_it = |held: &StoredCookie| (held.accessed, held.created) == (accessed, created);
            if self.take(&key, is_it).is_some() {
                return true;
            }
        }
        false
    }

    fn queue_all(&mut self) {
        let all = self.domains.iter().flat_map(|(key, held)| held.iter().map(move |c| (key, c)));
        let queued = |(key, cookie): (&String, &StoredCookie)| LastUse {
            accessed: cookie.accessed,
            created: cookie.created,
            key: key.clone(),
        };
        self.queue = all.map(queued).collect();
        self.queue.sort_unstable_by_key(|queued| Reverse((queued.accessed, queued.created)));
    }

    fn touch(&mut self, site: Site<'_>) {
        self.ticks += 1;
        let key = site.key(site.host);
        for key in at_and_above(&key) {
            let held = self.domains.get_mut(key).into_iter().flatten();
            held.filter(|cookie| cookie.matches(site)).for_each(|c| c.accessed = self.ticks);
        }
    }
}

/// Returns `com`, `com.example`, `com.example.www` for the key `com.example.www`.
fn at_and_above(key: &str) -> impl Iterator<Item = &str> {
    let above = key.match_indices('.').filter_map(|(dot, _)| key.get(..dot));
    above.chain([key])
}

#[cfg(test)]
mod tests;
