//! Where a response came from or a request goes to, as far as cookies care.

use crate::url::{Host, Url};

/// The part of a URL that decides about cookies. Not the port: cookies do not know ports
/// (RFC 6265bis §8.5).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site<'a> {
    /// Canonical: lower-case ASCII, an IPv6 address in brackets (§5.1.2).
    pub(crate) host: &'a str,
    pub(crate) host_kind: HostKind,
    /// Percent-encoded, without the query.
    pub(crate) path: &'a str,
    pub(crate) scheme: Scheme,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostKind {
    Domain,
    Ip,
}

/// Whether others can read along: `https` is secure, and so is plain `http` to the own machine, as
/// browsers, curl and Go have it (W3C Secure Contexts §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Plain,
    Secure,
}

impl<'a> Site<'a> {
    /// Whether the host is `domain` or one below it (§5.1.3). Addresses have nothing below them.
    pub(crate) fn domain_matches(&self, domain: &str) -> bool {
        match self.host.strip_suffix(domain) {
            Some("") => true,
            Some(below) => self.host_kind == HostKind::Domain && below.ends_with('.'),
            None => false,
        }
    }

    /// The directory of the request, for a cookie that names no path of its own (§5.1.4).
    pub(crate) fn default_path(&self) -> &'a str {
        match self.path.rsplit_once('/') {
            Some((directory, _)) if directory.starts_with('/') => directory,
            _ => "/",
        }
    }

    /// Whether a cookie of this path goes along with the request.
    pub(crate) fn path_matches(&self, cookie_path: &[u8]) -> bool {
        path_matches(self.path.as_bytes(), cookie_path)
    }

    /// The store's key for `domain`, the host or one above it: its labels reversed, as in
    /// `com.example.www`. In this order everything below a domain is one range, and what is above
    /// it are the prefixes that end before a dot. An address has no labels, so its dots are hidden.
    pub(crate) fn key(&self, domain: &str) -> String {
        match self.host_kind {
            HostKind::Domain => domain.rsplit('.').collect::<Vec<_>>().join("."),
            HostKind::Ip => domain.replace('.', ":"),
        }
    }
}

impl<'a> From<&'a Url> for Site<'a> {
    fn from(url: &'a Url) -> Site<'a> {
        Site {
            host: url.host_str().unwrap_or_default(),
            host_kind: if url.domain().is_some() { HostKind::Domain } else { HostKind::Ip },
            path: url.path(),
            scheme: Scheme::of(url),
        }
    }
}

impl Scheme {
    fn of(url: &Url) -> Self {
        let is_secure = url.scheme() == "https" || is_own_machine(url.host());
        if is_secure { Self::Secure } else { Self::Plain }
    }
}

/// RFC 6761 §6.3 for the name and all below it, RFC 1122 §3.2.1.3 and RFC 4291 §2.5.3 for addresses.
fn is_own_machine(host: Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

/// Whether `path` is `cookie_path` or lies in that directory (§5.1.4).
pub(crate) fn path_matches(path: &[u8], cookie_path: &[u8]) -> bool {
    match path.strip_prefix(cookie_path) {
        Some(rest) => rest.is_empty() || rest.starts_with(b"/") || cookie_path.ends_with(b"/"),
        None => false,
    }
}

#[cfg(test)]
impl<'a> From<&'a str> for Site<'a> {
    /// Of a URL that needs no parsing: canonical, without port and query.
    fn from(url: &'a str) -> Site<'a> {
        let (scheme, rest) = url.split_once("://").unwrap();
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let is_ip = host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok();
        Site {
            host,
            host_kind: if is_ip { HostKind::Ip } else { HostKind::Domain },
            path,
            scheme: if scheme == "https" { Scheme::Secure } else { Scheme::Plain },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domain_matching_5_1_3() {
        let table = [
            ("http://example.com", "example.com", true),
            ("http://www.example.com", "example.com", true),
            ("http://a.b.example.com", "example.com", true),
            ("http://example.com", "www.example.com", false),
            ("http://aexample.com", "example.com", false),
            ("http://example.com", "ample.com", false),
            ("http://example.com", ".com", false),
            ("http://example.com.", "example.com", false),
            ("http://www.example.com.", "example.com.", true),
            ("http://127.0.0.1", "127.0.0.1", true),
            ("http://127.0.0.1", "0.0.1", false),
            ("http://[::1]", "[::1]", true),
            ("http://[::1]", "[::2]", false),
        ];
        for (url, domain, expected) in table {
            assert_eq!(Site::from(url).domain_matches(domain), expected, "{url} {domain}");
        }
    }

    #[test]
    fn default_path_5_1_4() {
        let table = [
            ("", "/"),
            ("/", "/"),
            ("/a", "/"),
            ("/a/", "/a"),
            ("/a/b", "/a"),
            ("/a/b/", "/a/b"),
            ("//", "/"),
            ("//a", "/"),
            ("/a//b", "/a/"),
        ];
        for (path, expected) in table {
            let url = format!("http://a.example{path}");
            assert_eq!(Site::from(url.as_str()).default_path(), expected, "{path}");
        }
        let relative = Site { path: "a/b", ..Site::from("http://a.example") };
        assert_eq!(relative.default_path(), "/");
    }

    #[test]
    fn path_matching_5_1_4() {
        let table = [
            ("/", "/", true),
            ("/a", "/", true),
            ("/a", "/a", true),
            ("/a/", "/a", true),
            ("/a/b", "/a", true),
            ("/a/b", "/a/", true),
            ("/ab", "/a", false),
            ("/a", "/a/", false),
            ("/a", "/a/b", false),
            ("/A", "/a", false),
            ("/a%20b", "/a b", false),
        ];
        for (path, cookie_path, expected) in table {
            let result = path_matches(path.as_bytes(), cookie_path.as_bytes());
            assert_eq!(result, expected, "{path} {cookie_path}");
        }
    }

    #[test]
    fn keys_tell_hosts_apart() {
        let table = [
            ("http://www.example.com", "com.example.www"),
            ("http://com", "com"),
            ("http://com.", ".com"),
            ("http://a..b", "b..a"),
            ("http://127.0.0.1", "127:0:0:1"),
            ("http://[::1]", "[::1]"),
        ];
        for (url, expected) in table {
            let site = Site::from(url);
            assert_eq!(site.key(site.host), expected);
        }
    }
}
