//! The hosts that are reached without a proxy: the list in `NO_PROXY`.
//!
//! There is no standard for this list. Where curl and Go agree, this parser agrees too; where they
//! differ, it works as follows:
//!
//! | entry | means | curl | Go |
//! | --- | --- | --- | --- |
//! | `example.com`, `.example.com` | that host and its subdomains | the same | with the dot not the host itself |
//! | `*.example.com` | its subdomains | nothing | the same |
//! | `example.com.` | the same as without the trailing dot | the same | another host |
//! | `example.com:81` | that port only | nothing | the same |
//! | `10.0.0.0/8`, `fd00::/8` | addresses in that network, as written in the URL | the same | the same |
//! | `10.0.0.0/8` and `[::ffff:10.1.2.3]` | the address is in the network | it is not | the same |
//! | `*` in a list | every host | only if it stands alone | the same |
//! | any other entry | nothing | nothing | nothing |
//!
//! Entries are separated by commas, and spaces around them are ignored. Loopback addresses are like
//! any other host, as in curl; Go never uses a proxy for them. Names are not resolved for the
//! comparison.

use std::net::IpAddr;

use crate::base::text::decimal;
use crate::policy::egress::network::Network;
use crate::url::{Host, Url};

/// A list of hosts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NoProxyList {
    entries: Vec<NoProxyEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct NoProxyEntry {
    hosts: Hosts,
    /// `None`: any port.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    All,
    /// This domain and its subdomains.
    Domain(String),
    /// Only the subdomains of this domain.
    Below(String),
    Network(Network),
}

impl NoProxyList {
    /// Parses a list; invalid entries are ignored.
    pub(crate) fn parse(list: &str) -> Self {
        let mut entries = Vec::new();
        for entry in list.split(',') {
            entries.extend(NoProxyEntry::parse(entry.trim()));
        }
        Self { entries }
    }

    /// Returns whether `url` is reached without a proxy.
    pub(crate) fn covers(&self, url: &Url) -> bool {
        self.entries.iter().any(|entry| entry.covers(url))
    }
}

impl NoProxyEntry {
    fn parse(text: &str) -> Option<Self> {
        // IPv6 without brackets.
        if let Ok(network) = text.parse() {
            return Some(Self { hosts: Hosts::Network(network), port: None });
        }
        let (host, port) = split_port(text)?;
        Some(Self { hosts: Hosts::parse(host)?, port })
    }

    fn covers(&self, url: &Url) -> bool {
        let port = self.port.is_none_or(|port| Some(port) == url.port_or_known_default());
        port && self.hosts.cover(url)
    }
}

impl Hosts {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::All);
        }
        let (domain, hosts): (_, fn(String) -> Self) = match text.strip_prefix("*.") {
            Some(domain) => (domain, Self::Below),
            None => (text.strip_prefix('.').unwrap_or(text), Self::Domain),
        };
        // The URL parser normalizes it in the same way as the URLs it is compared with: case, IDNA,
        // all forms of an address.
        let url = Url::parse(&format!("http://{domain}/")).ok()?;
        let is_host = url.as_str() == format!("http://{}/", url.host_str()?);
        match url.host() {
            Host::Domain(name) if is_host => Some(hosts(without_dot(name).to_owned())),
            Host::Ipv4(address) if is_host => Some(Self::Network(IpAddr::from(address).into())),
            Host::Ipv6(address) if is_host => Some(Self::Network(IpAddr::from(address).into())),
            _ => None,
        }
    }

    fn cover(&self, url: &Url) -> bool {
        let domain = url.domain().map(without_dot);
        let before = |suffix: &str| domain?.strip_suffix(suffix);
        match self {
            Self::All => true,
            Self::Domain(suffix) => {
                before(suffix).is_some_and(|before| before.is_empty() || before.ends_with('.'))
            }
            Self::Below(suffix) => before(suffix).is_some_and(|before| before.ends_with('.')),
            Self::Network(network) => address(url).is_some_and(|address| network.contains(address)),
        }
    }
}

fn address(url: &Url) -> Option<IpAddr> {
    match url.host() {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(IpAddr::from(address).to_canonical()),
    }
}

fn without_dot(domain: &str) -> &str {
    domain.strip_suffix('.').unwrap_or(domain)
}

/// Splits off the port, if there is one. An IPv6 address with a port is in brackets.
fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    let bracket = text.rfind(']').unwrap_or(0);
    let colon = text.get(bracket..)?.find(':');
    let Some((host, port)) = colon.and_then(|at| text.split_at_checked(bracket + at)) else {
        return Some((text, None));
    };
    let port = decimal(port.strip_prefix(':')?.as_bytes())?;
    Some((host, Some(u16::try_from(port).ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_cover_hosts_and_ports() {
        // The list, the URLs that it covers, and those that it does not.
        let cases: [(&str, &[&str], &[&str]); 24] = [
            ("", &[], &["http://a.example/"]),
            (",, ,", &[], &["http://a.example/"]),
            ("*", &["http://a.example/", "https://10.0.0.1/", "http://[::1]:81/"], &[]),
            (" b.example , * ", &["http://a.example/"], &[]),
            (
                "example.com",
                &["http://example.com/", "https://EXAMPLE.com:81/", "http://a.b.example.com./"],
                &["http://nonexample.com/", "http://com/", "http://example.community/"],
            ),
            (".Example.com.", &["http://example.com/", "http://a.example.com/"], &["http://com/"]),
            ("*.example.com", &["http://a.example.com/"], &["http://example.com/"]),
            ("..example.com", &[], &["http://example.com/", "http://a.example.com/"]),
            (
                "example.com:81",
                &["http://a.example.com:81/"],
                &["http://example.com/", "https://example.com/"],
            ),
            ("example.com:443", &["https://example.com/"], &["http://example.com/"]),
            ("example.com:", &[], &["http://example.com/"]),
            ("example.com:+80,example.com:65616", &[], &["http://example.com/"]),
            ("a.test;b.test,a.test b.test,x@b.test", &[], &["http://b.test/"]),
            ("http://b.test,b.test/p,b.test?q,b.test#f", &[], &["http://b.test/"]),
            (
                "10.1.2.3",
                &["http://10.1.2.3/", "http://0xa.0x10203/", "http://[::ffff:a01:203]/"],
                &["http://10.1.2.30/", "http://10.1.2.3.example/"],
            ),
            ("0xa010203", &["http://10.1.2.3/"], &["http://10.1.2.4/"]),
            ("::1", &["http://[::1]:81/"], &["http://[::2]/"]),
            ("[::1]:81", &["http://[::1]:81/"], &["http://[::1]/"]),
            ("[::]:81", &["http://[::]:81/"], &["http://[::]/"]),
            ("[::1", &[], &["http://[::1]/"]),
            ("[::1]/p,[::1]?q,[::1]/128", &[], &["http://[::1]/"]),
            ("10.", &[], &["http://10.1.2.3/"]),
            ("[::1%25.example.com],::1%eth0", &[], &["http://[::1]/", "http://a.example.com/"]),
            ("b\u{fc}cher.example", &[], &["http://xn--bchr.example/"]),
        ];
        for (list, covered, others) in cases {
            let list = NoProxyList::parse(list);
            for (urls, expected) in [(covered, true), (others, false)] {
                for url in urls {
                    assert_eq!(list.covers(&Url::parse(url).unwrap()), expected, "{list:?} {url}");
                }
            }
        }
    }

    #[test]
    fn networks_cover_addresses() {
        let cases = [
            ("192.168.0.0/16", "192.168.255.255", true),
            ("192.168.0.0/16", "192.169.0.0", false),
            ("192.168.7.7/16", "192.168.0.1", true),
            ("192.168.0.1/32", "192.168.0.1", true),
            ("192.168.0.1/32", "192.168.0.0", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "[2001:db8::1]", false),
            ("10.0.0.0/8", "[::ffff:10.1.2.3]", true),
            ("::ffff:10.0.0.0/104", "10.1.2.3", true),
            ("::ffff:10.1.2.3", "10.1.2.3", true),
            ("::/0", "[2001:db8::1]", true),
            ("::/0", "10.0.0.1", false),
            ("2001:db8::/65", "[2001:db8::1]", true),
            ("2001:db8::/65", "[2001:db8:0:0:8000::1]", false),
            ("fd00::/8", "[fd12::1]", true),
            ("fd00::/8", "[fe80::1]", false),
            ("::1/128", "[::1]", true),
            ("10.0.0.0/33", "10.0.0.0", false),
            ("10.0.0.0/", "10.0.0.0", false),
            ("10.0.0.0/-1", "10.0.0.0", false),
            ("10.0.0.0/8a", "10.0.0.0", false),
            ("10.0.0.0/8:80", "10.0.0.0", false),
            ("::1/129", "[::1]", false),
        ];
        for (list, host, expected) in cases {
            let url = Url::parse(&format!("http://{host}/")).unwrap();
            assert_eq!(NoProxyList::parse(list).covers(&url), expected, "{list} {host}");
        }
    }
}
