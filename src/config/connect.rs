//! The settings for connections: names, addresses and sockets.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::base::text::Excerpt;
use crate::config::dns::Resolver;
use crate::error::Error;
use crate::policy::egress::policy::Gate;
use crate::url::Url;

/// The targets of connections, and their sockets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dialling {
    /// The fixed addresses of hosts; of two entries for a host the last counts.
    pub(crate) addresses: Vec<(String, Vec<SocketAddr>)>,
    /// Targets that replace a host and port; of two entries for a host the last counts.
    pub(crate) detours: Vec<(Endpoint, Endpoint)>,
    pub(crate) resolver: Resolver,
    pub(crate) family: IpFamily,
    /// Behind a trait object, so that programs without a policy do not link its code.
    pub(crate) egress: Option<Arc<dyn Gate>>,
    pub(crate) socket: SocketOptions,
    /// The Unix domain socket for all connections.
    pub(crate) unix_socket: Option<PathBuf>,
}

/// A host, in brackets if it is an IPv6 address, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// The addresses of a host that are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum IpFamily {
    /// All of them.
    #[default]
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

/// Options of each socket.
#[derive(Debug, Clone)]
#[cfg_attr(
    not(any(target_os = "android", target_os = "fuchsia", target_os = "linux")),
    allow(dead_code, reason = "only these have interface and user timeout options")
)]
pub struct SocketOptions {
    pub(crate) local: Option<IpAddr>,
    pub(crate) interface: Option<String>,
    pub(crate) nodelay: bool,
    pub(crate) keepalive: Keepalive,
    pub(crate) user_timeout: Option<Duration>,
}

/// TCP keepalive (RFC 9293 §3.8.4), off unless `idle` is set.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Keepalive {
    pub(crate) idle: Option<Duration>,
    pub(crate) interval: Option<Duration>,
    pub(crate) retries: Option<u32>,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self {
            local: None,
            interface: None,
            // A request is one write; waiting for more would only delay it.
            nodelay: true,
            keepalive: Keepalive::default(),
            user_timeout: None,
        }
    }
}

impl Dialling {
    /// Sets the fixed addresses of a host, which is then not looked up.
    pub(crate) fn resolve(&mut self, domain: &str, addresses: &[SocketAddr]) -> Result<(), Error> {
        let host = host(domain).ok_or_else(|| {
            let domain = Excerpt::new(domain.as_bytes());
            Error::builder(format!("resolve: {domain} is not a host name"))
        })?;
        self.addresses.push((host, addresses.to_vec()));
        Ok(())
    }

    /// Sets the target to connect to instead of `host`, both given as `host:port`.
    pub(crate) fn connect_to(&mut self, host: &str, target: &str) -> Result<(), Error> {
        let detour = Endpoint::parse(host).zip(Endpoint::parse(target)).ok_or_else(|| {
            Error::builder("connect_to: a host and a port are needed, such as example.org:443")
        })?;
        self.detours.push(detour);
        Ok(())
    }

    /// Returns the fixed addresses of a host.
    pub(crate) fn addresses_of(&self, host: &str) -> Option<&[SocketAddr]> {
        let named = |(name, _): &&(String, Vec<SocketAddr>)| name == host;
        self.addresses.iter().rev().find(named).map(|(_, addresses)| addresses.as_slice())
    }

    /// Returns whether `connect_to` replaces the host and port of a URL.
    pub(crate) fn leads_elsewhere(&self, url: &Url) -> bool {
        let place = || Endpoint {
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port_or_known_default().unwrap_or_default(),
        };
        !self.detours.is_empty() && self.detour(&place()).is_some()
    }

    /// Returns the target that replaces `from`.
    pub(crate) fn detour(&self, from: &Endpoint) -> Option<&Endpoint> {
        let detour = self.detours.iter().rev().find(|(endpoint, _)| endpoint == from);
        detour.map(|(_, to)| to)
    }

    /// Refuses settings that contradict each other.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match &self.egress {
            Some(egress) if self.unix_socket.is_some() && !egress.allows_unix_sockets() => {
                let detail = "unix_socket: the egress policy allows no Unix domain socket";
                Err(Error::builder(detail))
            }
            _ => Ok(()),
        }
    }

    /// Returns whether an address is of an enabled family.
    pub(crate) fn suits(&self, address: &SocketAddr) -> bool {
        let by_family = match self.family {
            IpFamily::Any => true,
            IpFamily::V4 => address.is_ipv4(),
            IpFamily::V6 => address.is_ipv6(),
        };
        let local = self.socket.local;
        by_family && local.is_none_or(|local| local.is_ipv4() == address.is_ipv4())
    }
}

impl Endpoint {
    /// Parses `host:port`, as in a URL.
    fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(&format!("http://{text}")).ok()?;
        let is_all = url.path() == "/" && !text.ends_with(['/', '?', '#']);
        let bare = url.query().is_none() && url.fragment().is_none() && !text.contains('@');
        let (_, port) = text.rsplit_once(':')?;
        let port = port.parse().ok().filter(|_| is_all && bare)?;
        Some(Self { host: url.host_str()?.to_owned(), port })
    }
}

/// Parses a host as in a URL; an IPv6 address may lack its brackets.
fn host(text: &str) -> Option<String> {
    let text = match text.parse::<Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => text.to_owned(),
    };
    let name =
        text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).map_or(&*text, |_| "");
    if name.contains([':', '/', '\\', '?', '#', '@', '\t', '\n', '\r']) || text != text.trim() {
        return None;
    }
    let url = Url::parse(&format!("http://{text}/")).ok()?;
    url.host_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_parsed() {
        let endpoint = |host: &str, port| Some(Endpoint { host: host.to_owned(), port });
        let rows = [
            ("a.test:80", endpoint("a.test", 80)),
            ("A.Test:8443", endpoint("a.test", 8443)),
            ("[::1]:1", endpoint("[::1]", 1)),
            ("127.1:0", endpoint("127.0.0.1", 0)),
            ("a.test", None),
            ("a.test:", None),
            (":80", None),
            ("a.test:65536", None),
            ("::1:80", None),
            ("a.test:80/", None),
            ("a.test:80?", None),
            ("a.test:80/p", None),
            ("u@a.test:80", None),
            ("a test:80", None),
        ];
        for (text, expected) in rows {
            assert_eq!(Endpoint::parse(text), expected, "{text}");
        }
    }
}
