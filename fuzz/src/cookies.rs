//! A naive cookie jar, straight from RFC 6265bis: one list in the order of creation, and every rule
//! of §5.6 to §5.8 walks over all of it.

use std::time::{Duration, SystemTime};

use leanhttp::Url;
use leanhttp::cookie::{Cookie as Parsed, StoredCookie};
use leanhttp::header::HeaderValue;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookie {
    pub name: Vec<u8>,
    pub value: Vec<u8>,
    pub domain: String,
    pub host_only: bool,
    pub path: Vec<u8>,
    pub secure: bool,
    pub expires: Option<SystemTime>,
    accessed: u64,
}

#[derive(Default)]
pub struct Model {
    pub cookies: Vec<Cookie>,
    steps: u64,
}

const PER_DOMAIN: usize = 50;
const LONGEST_LIFE: Duration = Duration::from_secs(400 * 24 * 60 * 60);
const HEADER: usize = 8190 - "cookie: ".len();

impl Model {
    pub fn forget_expired(&mut self, now: SystemTime) {
        self.cookies.retain(|cookie| cookie.expires.is_none_or(|expires| expires > now));
    }

    /// §5.7.
    pub fn set(&mut self, field: &HeaderValue, url: &Url, now: SystemTime) {
        self.forget_expired(now);
        let Some(mut new) = parse(field, url, now) else { return };
        if !is_trustworthy(url) && self.cookies.iter().any(|old| overlays(&new, old, url)) {
            return;
        }
        self.steps += 1;
        new.accessed = self.steps;
        let same = |old: &Cookie| {
            (&old.name, &old.domain, old.host_only, &old.path)
                == (&new.name, &new.domain, new.host_only, &new.path)
        };
        match self.cookies.iter().position(same) {
            Some(place) => self.cookies[place] = new.clone(),
            None => self.cookies.push(new.clone()),
        }
        self.forget_expired(now);
        let crowd = self.cookies.iter().filter(|cookie| cookie.domain == new.domain);
        if crowd.clone().count() > PER_DOMAIN {
            // The least recently used one; no `Secure` one as long as there is another.
            let oldest = crowd.min_by_key(|cookie| (cookie.secure, cookie.accessed)).cloned();
            self.cookies.retain(|cookie| Some(cookie) != oldest.as_ref());
        }
    }

    /// §5.8.3; the returned cookies count as used now.
    pub fn header(&mut self, url: &Url, now: SystemTime) -> Option<Vec<u8>> {
        self.forget_expired(now);
        self.steps += 1;
        let mut list = Vec::new();
        for cookie in self.cookies.iter_mut().filter(|cookie| cookie.belongs_to(url)) {
            cookie.accessed = self.steps;
            list.push(cookie.clone());
        }
        list.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len())); // stable
        let mut header = Vec::new();
        for cookie in list {
            let name =
                if cookie.name.is_empty() { Vec::new() } else { [&*cookie.name, b"="].concat() };
            let between: &[u8] = if header.is_empty() { b"" } else { b"; " };
            let pair = [between, &name, &cookie.value].concat();
            if header.len() + pair.len() > HEADER {
                break;
            }
            header.extend(pair);
        }
        (!header.is_empty()).then_some(header)
    }
}

impl Cookie {
    fn belongs_to(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap();
        let is_host =
            if self.host_only { host == self.domain } else { matches(host, &self.domain, url) };
        is_host
            && path_matches(url.path().as_bytes(), &self.path)
            && (is_trustworthy(url) || !self.secure)
    }

    /// Returns whether the jar contains the same cookies.
    pub fn is_shown_as(&self, stored: &StoredCookie) -> bool {
        let text = String::from_utf8_lossy;
        (text(&self.name), text(&self.value), text(&self.path))
            == (stored.name().into(), stored.value().into(), stored.path().into())
            && (&*self.domain, self.host_only) == (stored.domain(), stored.host_only())
            && (self.secure, self.expires) == (stored.secure(), stored.expires())
    }
}

/// §5.6, and the parts of §5.7 about the cookie alone. Dates are parsed by the parser under test:
/// they have a test of their own.
fn parse(field: &HeaderValue, url: &Url, now: SystemTime) -> Option<Cookie> {
    let mut parts = field.as_bytes().split(|byte| *byte == b';');
    let pair = parts.next()?;
    let (name, value) = split(pair).unwrap_or((b"", trimmed(pair)));
    if name.len() + value.len() > 4096 || name.is_empty() && value.is_empty() {
        return None;
    }
    let (mut age, mut domain, mut path, mut secure) = (None, None, None, false);
    for attribute in parts {
        let (name, value) = split(attribute).unwrap_or((trimmed(attribute), b""));
        if value.len() > 1024 {
            continue;
        }
        match &*name.to_ascii_lowercase() {
            b"max-age" => age = lifetime(value).or(age),
            b"domain" => domain = Some(value.strip_prefix(b".").unwrap_or(value)),
            b"path" => path = Some(value).filter(|path| path.starts_with(b"/")),
            b"secure" => secure = true,
            _ => {}
        }
    }

    let (domain, host_only) = scope(domain.filter(|domain| !domain.is_empty()), url)?;
    let default_path = default_path(url.path());
    let is_root = path == Some(b"/");
    let path = path.unwrap_or(default_path.as_bytes()).to_vec();
    let starts = |text: &[u8], prefix: &str| {
        text.get(..prefix.len()).is_some_and(|it| it.eq_ignore_ascii_case(prefix.as_bytes()))
    };
    let shown = if name.is_empty() { value } else { name };
    let secure_prefix = starts(shown, "__secure-");
    let host_prefix = starts(shown, "__host-");
    if (secure && !is_trustworthy(url))
        || (name.is_empty() && (secure_prefix || host_prefix))
        || (secure_prefix && !secure)
        || (host_prefix && !(secure && host_only && is_root))
        || domain.len() > 255
        || path.len() > 1024
    {
        return None;
    }

    let date = || Parsed::parse(field).and_then(|cookie| cookie.expires());
    let asked = age.map_or_else(date, |age| Some(now + age.min(LONGEST_LIFE)));
    Some(Cookie {
        name: name.to_vec(),
        value: value.to_vec(),
        domain,
        host_only,
        path,
        secure,
        expires: asked.map(|expires| expires.min(now + LONGEST_LIFE)),
        accessed: 0,
    })
}

/// The domain, and whether the cookie is for this host only (§5.7 steps 8 to 10).
fn scope(domain: Option<&[u8]>, url: &Url) -> Option<(String, bool)> {
    let host = url.host_str().unwrap();
    let Some(domain) = domain else { return Some((host.to_owned(), true)) };
    let domain = String::from_utf8(domain.to_ascii_lowercase()).ok()?;
    let bare = domain.strip_suffix('.').unwrap_or(&domain);
    if !bare.contains('.') && bare != "localhost" {
        return (domain == host).then_some((domain, true));
    }
    matches(host, &domain, url).then_some((domain, false))
}

/// §5.1.3.
fn matches(host: &str, domain: &str, url: &Url) -> bool {
    host == domain || (url.domain().is_some() && host.ends_with(&format!(".{domain}")))
}

/// §5.1.4.
fn default_path(path: &str) -> &str {
    match path.rfind('/') {
        None | Some(0) => "/",
        Some(end) => &path[..end],
    }
}

/// §5.1.4.
fn path_matches(path: &[u8], of_cookie: &[u8]) -> bool {
    let starts = path.len() >= of_cookie.len() && path[..of_cookie.len()] == *of_cookie;
    starts
        && (of_cookie.ends_with(b"/") || [None, Some(&b'/')].contains(&path.get(of_cookie.len())))
}

/// Returns whether secure cookies may be sent there: over TLS, or to the local host, as browsers define it
/// (RFC 6761 §6.3 for the name, and loopback addresses).
pub fn is_trustworthy(url: &Url) -> bool {
    let host = url.host_str().unwrap();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    let name = host.trim_end_matches('.');
    url.scheme() == "https"
        || address.is_ok_and(|address| address.is_loopback())
        || name.rsplit('.').next() == Some("localhost")
}

/// §5.7 step 16.
fn overlays(new: &Cookie, old: &Cookie, url: &Url) -> bool {
    let above = matches(&new.domain, &old.domain, url) || matches(&old.domain, &new.domain, url);
    old.secure && old.name == new.name && above && path_matches(&new.path, &old.path)
}

/// §5.6.2.
fn lifetime(value: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(value).ok()?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(())?;
    let is_negative = digits != text;
    Some(if is_negative {
        Duration::ZERO
    } else {
        Duration::from_secs(digits.parse().unwrap_or(u64::MAX))
    })
}

/// Splits at the first `=`.
fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == b'=')?;
    Some((trimmed(&text[..at]), trimmed(&text[at + 1..])))
}

fn trimmed(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}
