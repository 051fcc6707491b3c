//! The parts of a URL that cookies depend on, and the rules for matching hosts and paths (RFC 6265bis §5.1).
//!
//! A public suffix is a domain under which anyone can register, so that no cookie may be set for all of it
//! (§5.7 step 9): [`is_public_suffix`].

use crate::url::{Host, Scheme, Url};

/// The part of a URL that decides about cookies. The port is not included: cookies ignore ports
/// (RFC 6265bis §8.5).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site<'a> {
    /// Canonical: lower-case ASCII, an IPv6 address in brackets (§5.1.2).
    pub(crate) host: &'a str,
    /// IP addresses have no subdomains.
    pub(crate) is_ip: bool,
    /// Percent-encoded, without the query.
    pub(crate) path: &'a str,
    /// True if the connection is secure: `https` is, and so is plain `http` to the local machine, as in
    /// browsers, curl and Go (W3C Secure Contexts §3.1).
    pub(crate) is_secure: bool,
}

impl<'a> Site<'a> {
    /// Returns whether the host is `domain` or a subdomain of it (§5.1.3). IP addresses have no
    /// subdomains.
    pub(crate) fn domain_matches(&self, domain: &str) -> bool {
        match self.host.strip_suffix(domain) {
            Some("") => true,
            Some(below) => !self.is_ip && below.ends_with('.'),
            None => false,
        }
    }

    /// Returns the default-path of the request, for a cookie without a `Path` (§5.1.4).
    pub(crate) fn default_path(&self) -> &'a str {
        match self.path.rsplit_once('/') {
            Some((directory, _)) if directory.starts_with('/') => directory,
            _ => "/",
        }
    }

    /// Returns whether a cookie with this path is sent with the request.
    pub(crate) fn path_matches(&self, cookie_path: &[u8]) -> bool {
        path_matches(self.path.as_bytes(), cookie_path)
    }

    /// Returns the store's key for `domain`, the host or one of its parent domains: its labels
    /// reversed, as in `com.example.www`. In this order the subdomains of a domain are one range,
    /// and its parents are the prefixes that end before a dot. An address has no labels, so its
    /// dots are replaced.
    pub(crate) fn key(&self, domain: &str) -> String {
        if self.is_ip {
            return domain.replace('.', ":");
        }
        domain.rsplit('.').collect::<Vec<_>>().join(".")
    }
}

impl<'a> Site<'a> {
    /// Returns the site of an `http` or `https` URL; any other has no cookies.
    pub(crate) fn of(url: &'a Url) -> Option<Self> {
        let scheme = url.http_scheme().ok()?;
        Some(Self {
            host: url.host_str()?,
            is_ip: url.domain().is_none(),
            path: url.path(),
            is_secure: scheme == Scheme::Https || is_own_machine(url.host()?),
        })
    }
}

/// Returns whether the host is a loopback name or address: RFC 6761 §6.3 for `localhost` and its
/// subdomains, RFC 1122 §3.2.1.3 and RFC 4291 §2.5.3 for addresses.
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

/// Returns whether `path` path-matches `cookie_path` (§5.1.4).
pub(crate) fn path_matches(path: &[u8], cookie_path: &[u8]) -> bool {
    match path.strip_prefix(cookie_path) {
        Some(rest) => rest.is_empty() || rest.starts_with(b"/") || cookie_path.ends_with(b"/"),
        None => false,
    }
}

/// Returns whether `domain`, which is lower-case, is a public suffix. `com.` is as public as `com`;
/// `localhost` is not public.
pub(super) fn is_public_suffix(domain: &str) -> bool {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    domain != "localhost" && is_listed(domain)
}

/// By the Mozilla list, including its private section (`github.io`). An unknown top-level domain is
/// a suffix too: that is the list's rule `*`.
#[cfg(feature = "public-suffix")]
fn is_listed(domain: &str) -> bool {
    use psl::Psl;

    psl::List.suffix(domain.as_bytes()).is_some_and(|suffix| suffix.as_bytes() == domain.as_bytes())
}

/// Without the list only single labels are known.
#[cfg(not(feature = "public-suffix"))]
fn is_listed(domain: &str) -> bool {
    !domain.as_bytes().contains(&b'.')
}

#[cfg(test)]
impl<'a> From<&'a str> for Site<'a> {
    /// Builds a site from a canonical URL without port and query.
    fn from(url: &'a str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap();
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let is_ip = host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok();
        Self { host, is_ip, path, is_secure: scheme == "https" }
    }
}

#[cfg(test)]
mod tests;
