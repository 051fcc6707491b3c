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
//!
//! A list may have thousands of entries, and each request asks it. So the entries are sorted. A
//! question costs one binary search for each label of the host, or for each length of prefix in the
//! list, however many entries there are (`the_cost_does_not_grow_with_the_list`).
//!
//! ```text
//! "example.com, .b.example:81, 10.0.0.0/8, *.c.example"
//!
//! Domain       b.example, port 81     example.com
//! Subdomains   b.example, port 81     c.example     example.com
//! Network      /8, 10.0.0.0                                       prefixes: 8
//!
//! https://www.b.example:81/   Subdomains: www.b.example no, b.example with port 81: covered
//! http://10.1.2.3/            Network: the first 8 bits of 10.1.2.3 are those of 10.0.0.0: covered
//! ```
//!
//! An entry that cannot be read is ignored, as in curl and Go: the variable belongs to the user's
//! environment, and a program should not fail by it.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;

use crate::base::text::decimal;
use crate::policy::egress::Network;
use crate::url::{Host, Url};

/// A list of hosts.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct NoProxyList {
    /// In order, each once; those of every host are first.
    entries: Vec<Entry>,
    /// The lengths of prefix of the networks.
    prefixes: Vec<u8>,
}

/// An entry. All kinds are of one type, so that a program has one copy of the code that sorts them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    kind: EntryKind,
    /// The length of the prefix of a network.
    prefix: u8,
    /// The name of a domain, or the first address of a network.
    key: Box<[u8]>,
    /// `None` stands for all ports.
    port: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum EntryKind {
    EveryHost,
    /// A domain itself.
    Domain,
    /// All subdomains of a domain.
    Subdomains,
    Network,
}

/// The hosts of one entry.
enum Hosts {
    All,
    Domain { name: Box<str>, is_itself_included: bool },
    Network(Network),
}

impl NoProxyList {
    /// Parses a list; invalid entries are ignored.
    pub(crate) fn parse(text: &str) -> Self {
        let mut list = Self::default();
        for (hosts, port) in text.split(',').filter_map(|entry| parse_entry(entry.trim())) {
            let mut add = |kind, prefix, key: &[u8]| {
                list.entries.push(Entry { kind, prefix, key: key.into(), port });
            };
            match hosts {
                Hosts::All => add(EntryKind::EveryHost, 0, &[]),
                Hosts::Domain { name, is_itself_included } => {
                    if is_itself_included {
                        add(EntryKind::Domain, 0, name.as_bytes());
                    }
                    add(EntryKind::Subdomains, 0, name.as_bytes());
                }
                Hosts::Network(network) => {
                    add(EntryKind::Network, network.prefix(), &octets(network.first_address()));
                    if !list.prefixes.contains(&network.prefix()) {
                        list.prefixes.push(network.prefix());
                    }
                }
            }
        }
        // The code of a heap sort is a tenth of that of `sort_unstable`.
        list.entries = BinaryHeap::from(list.entries).into_sorted_vec();
        list.entries.dedup();
        list
    }

    /// Returns the list in the environment variables, or `None` if no variable is set.
    pub(crate) fn from_environment(variable: impl Fn(&str) -> Option<OsString>) -> Option<Self> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let list = set("no_proxy").or_else(|| set("NO_PROXY"))?;
        Some(Self::parse(&list.to_string_lossy()))
    }

    /// Returns whether `url` is reached without a proxy.
    pub(crate) fn covers(&self, url: &Url) -> bool {
        let holds = |kind, prefix, key: &[u8]| self.holds(kind, prefix, key, url);
        let port = url.port_or_known_default();
        let mut every_host =
            self.entries.iter().take_while(|entry| entry.kind == EntryKind::EveryHost);
        if every_host.any(|entry| entry.port.is_none() || entry.port == port) {
            return true;
        }
        let Some(host) = url.host() else { return false };
        let address = match host {
            Host::Domain(domain) => {
                let domain = without_dot(domain);
                let mut parents =
                    domain.match_indices('.').filter_map(|(at, _)| domain.get(at + 1..));
                return holds(EntryKind::Domain, 0, domain.as_bytes())
                    || parents.any(|parent| holds(EntryKind::Subdomains, 0, parent.as_bytes()));
            }
            Host::Ipv4(address) => IpAddr::from(address),
            Host::Ipv6(address) => IpAddr::from(address).to_canonical(),
        };
        self.prefixes.iter().any(|prefix| {
            let network = Network::new(address, *prefix);
            network.is_some_and(|network| {
                holds(EntryKind::Network, *prefix, &octets(network.first_address()))
            })
        })
    }

    /// Returns whether there is such an entry for the port of `url` or for all ports.
    fn holds(&self, kind: EntryKind, prefix: u8, key: &[u8], url: &Url) -> bool {
        if self.entries.is_empty() {
            return false; // the usual list
        }
        #[cfg(test)]
        tests::LOOKUPS.set(tests::LOOKUPS.get() + 1);
        let sought = (kind, prefix, key);
        let of = |entry: &Entry| (entry.kind, entry.prefix, &*entry.key).cmp(&sought);
        let first = self.entries.partition_point(|entry| of(entry) == Ordering::Less);
        let same =
            self.entries.split_at(first).1.iter().take_while(|entry| of(entry) == Ordering::Equal);
        let port = url.port_or_known_default();
        same.into_iter().any(|entry| entry.port.is_none() || entry.port == port)
    }
}

/// Returns the bytes of an address; those of an IPv4 address are 12 fewer.
fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

fn parse_entry(text: &str) -> Option<(Hosts, Option<u16>)> {
    // IPv6 without brackets.
    if let Ok(network) = text.parse() {
        return Some((Hosts::Network(network), None));
    }
    let (host, port) = split_port(text)?;
    Some((parse_hosts(host)?, port))
}

fn parse_hosts(text: &str) -> Option<Hosts> {
    if text == "*" {
        return Some(Hosts::All);
    }
    let (domain, is_itself_included) = match text.strip_prefix("*.") {
        Some(domain) => (domain, false),
        None => (text.strip_prefix('.').unwrap_or(text), true),
    };
    // The URL parser normalizes it in the same way as the URLs it is compared with: case, IDNA,
    // all forms of an address.
    let url = Url::parse(&format!("http://{domain}/")).ok()?;
    if url.as_str() != format!("http://{}/", url.host_str()?) {
        return None; // more than a host
    }
    Some(match url.host()? {
        Host::Domain(name) => Hosts::Domain { name: without_dot(name).into(), is_itself_included },
        Host::Ipv4(address) => Hosts::Network(IpAddr::from(address).into()),
        Host::Ipv6(address) => Hosts::Network(IpAddr::from(address).into()),
    })
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

/// Shows the entries as they could be written, in order.
impl fmt::Debug for NoProxyList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(&self.entries).finish()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.key.escape_ascii();
        let mut hosts = match self.kind {
            EntryKind::EveryHost => "*".to_owned(),
            EntryKind::Domain => name.to_string(),
            EntryKind::Subdomains => format!("*.{name}"),
            EntryKind::Network => {
                match (<[u8; 4]>::try_from(&*self.key), <[u8; 16]>::try_from(&*self.key)) {
                    (Ok(v4), _) => format!("[{}/{}]", IpAddr::from(v4), self.prefix),
                    (_, Ok(v6)) => format!("[{}/{}]", IpAddr::from(v6), self.prefix),
                    _ => name.to_string(),
                }
            }
        };
        if let Some(port) = self.port {
            hosts.push_str(&format!(":{port}"));
        }
        hosts.fmt(f)
    }
}

#[cfg(test)]
mod tests;
