//! How connections are made: the settings for names, addresses and sockets.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::base::excerpt::Excerpt;
use crate::config::ClientBuilder;
use crate::config::dns::{Resolve, Resolver};
use crate::driver::runtime::Front;
use crate::error::Error;
use crate::policy::egress::policy::{Egress, Gate};
use crate::url::Url;

/// Where connections lead, and by which sockets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dialling {
    /// Addresses of hosts that are not looked up; of two for the same host the last holds.
    pub(crate) addresses: Vec<(String, Vec<SocketAddr>)>,
    /// Where to connect to instead of a host and port; again the last holds.
    pub(crate) detours: Vec<(Endpoint, Endpoint)>,
    pub(crate) resolver: Resolver,
    pub(crate) family: IpFamily,
    /// Known by its trait, so that programs without one do not carry what it takes.
    pub(crate) egress: Option<Arc<dyn Gate>>,
    pub(crate) socket: SocketOptions,
    /// A Unix domain socket that all connections lead to.
    pub(crate) unix_socket: Option<PathBuf>,
}

/// A host, in brackets if it is an IPv6 address, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// Which addresses of a host are used.
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

/// What is set on each socket.
#[derive(Debug, Clone)]
#[cfg_attr(
    not(any(target_os = "android", target_os = "fuchsia", target_os = "linux")),
    allow(dead_code, reason = "only these have an interface and a user timeout to set")
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
    /// The addresses of a host that is not looked up.
    pub(crate) fn addresses_of(&self, host: &str) -> Option<&[SocketAddr]> {
        let named = |(name, _): &&(String, Vec<SocketAddr>)| name == host;
        self.addresses.iter().rev().find(named).map(|(_, addresses)| addresses.as_slice())
    }

    /// Whether `connect_to` names another host and port for those of a URL.
    pub(crate) fn leads_elsewhere(&self, url: &Url) -> bool {
        let place = || Endpoint {
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port_or_known_default().unwrap_or_default(),
        };
        !self.detours.is_empty() && self.detour(&place()).is_some()
    }

    /// Where to connect to instead.
    pub(crate) fn detour(&self, from: &Endpoint) -> Option<&Endpoint> {
        let detour = self.detours.iter().rev().find(|(endpoint, _)| endpoint == from);
        detour.map(|(_, to)| to)
    }

    /// What cannot hold together.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match &self.egress {
            Some(egress) if self.unix_socket.is_some() && !egress.allows_unix_sockets() => {
                let detail = "unix_socket: the egress policy allows no Unix domain socket";
                Err(Error::builder(detail))
            }
            _ => Ok(()),
        }
    }

    /// Whether an address may be used at all, its family considered.
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
    /// `host:port`, as in a URL.
    fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(&format!("http://{text}")).ok()?;
        let is_all = url.path() == "/" && !text.ends_with(['/', '?', '#']);
        let bare = url.query().is_none() && url.fragment().is_none() && !text.contains('@');
        let (_, port) = text.rsplit_once(':')?;
        let port = port.parse().ok().filter(|_| is_all && bare)?;
        Some(Self { host: url.host_str()?.to_owned(), port })
    }
}

/// A host as URLs have it: an IPv6 address may come without its brackets.
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

/// Where connections lead and how they are made.
impl<F: Front> ClientBuilder<F> {
    /// Connects to this address for `domain` instead of looking it up. Port 0 stands for the port
    /// of the URL. The name stays what the server and its certificate are asked for.
    ///
    /// `domain` is a host as it stands in a URL, without a port: another text is an error of
    /// [`build`](Self::build). Where a proxy looks names up, which all do but `socks4` and `socks5`, this
    /// has no effect on the hosts behind it, but it has on the name of the proxy.
    pub fn resolve(self, domain: &str, addr: SocketAddr) -> Self {
        self.resolve_to_addrs(domain, &[addr])
    }

    /// Connects to one of these addresses for `domain`; see [`resolve`](Self::resolve).
    pub fn resolve_to_addrs(self, domain: &str, addrs: &[SocketAddr]) -> Self {
        let host = host(domain).ok_or_else(|| {
            Error::builder(format!(
                "resolve: {} is no name of a host",
                Excerpt::new(domain.as_bytes())
            ))
        });
        self.checked(host, |config, host| config.dialling.addresses.push((host, addrs.to_vec())))
    }

    /// Looks up names by this resolver instead of the system's.
    pub fn dns_resolver<R: Resolve + 'static>(mut self, resolver: Arc<R>) -> Self {
        self.config.dialling.resolver = Resolver(resolver);
        self
    }

    /// Connects to another host and port for this one, both given as `host:port`. URL, `Host` field and
    /// certificate stay those of the first; the name of the second is looked up.
    ///
    /// A request for the first that would go by a proxy is an error: the proxy would connect to the host
    /// that is not to be connected to. A Unix domain socket leads where it leads.
    ///
    /// ```
    /// let builder = leanhttp::Client::builder().connect_to("example.org:443", "staging.test:8443");
    /// # builder.build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn connect_to(self, host: &str, instead: &str) -> Self {
        let (from, to) = (Endpoint::parse(host), Endpoint::parse(instead));
        let detour = from.zip(to).ok_or_else(|| {
            Error::builder("connect_to: a host and a port are needed, such as example.org:443")
        });
        self.checked(detour, |config, detour| config.dialling.detours.push(detour))
    }

    /// Uses addresses of one family only; by default those of both, tried by turns (RFC 8305).
    pub fn ip_family(mut self, family: IpFamily) -> Self {
        self.config.dialling.family = family;
        self
    }

    /// Which addresses may be connected to; all by default. See [`Egress`].
    pub fn egress(self, egress: Egress) -> Self {
        self.checked(egress.understood(), |config, egress| {
            config.dialling.egress = Some(Arc::new(egress));
        })
    }

    /// The address that connections come from. Addresses of the other family are not used then.
    pub fn local_address<T: Into<Option<IpAddr>>>(mut self, addr: T) -> Self {
        self.config.dialling.socket.local = addr.into();
        self
    }

    /// The network interface that connections leave by (`SO_BINDTODEVICE`), such as `eth0`.
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    pub fn interface(mut self, interface: &str) -> Self {
        self.config.dialling.socket.interface = Some(interface.to_owned());
        self
    }

    /// Whether data is sent at once (`TCP_NODELAY`); on by default.
    pub fn tcp_nodelay(mut self, enabled: bool) -> Self {
        self.config.dialling.socket.nodelay = enabled;
        self
    }

    /// How long a connection is silent before the system asks whether the peer is still there
    /// (`SO_KEEPALIVE`, `TCP_KEEPIDLE`). It never asks by default.
    pub fn tcp_keepalive<D: Into<Option<Duration>>>(mut self, val: D) -> Self {
        self.config.dialling.socket.keepalive.idle = val.into();
        self
    }

    /// The time between two such questions (`TCP_KEEPINTVL`); the system's by default.
    pub fn tcp_keepalive_interval<D: Into<Option<Duration>>>(mut self, val: D) -> Self {
        self.config.dialling.socket.keepalive.interval = val.into();
        self
    }

    /// How many such questions stay unanswered before the connection is given up (`TCP_KEEPCNT`);
    /// the system's number by default.
    pub fn tcp_keepalive_retries<C: Into<Option<u32>>>(mut self, retries: C) -> Self {
        self.config.dialling.socket.keepalive.retries = retries.into();
        self
    }

    /// How long sent data may stay unacknowledged before the system gives the connection up
    /// (`TCP_USER_TIMEOUT`, RFC 5482); the system's time by default.
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    pub fn tcp_user_timeout<D: Into<Option<Duration>>>(mut self, val: D) -> Self {
        self.config.dialling.socket.user_timeout = val.into();
        self
    }

    /// Sends all requests through this Unix domain socket; the URL's host is what `Host` and TLS
    /// name, and is not looked up.
    ///
    /// Beside an [`egress`](Self::egress) policy that does not start with
    /// [`Egress::everything`] it is an error of [`build`](Self::build): the socket has no address
    /// that such a policy could allow.
    ///
    /// ```no_run
    /// let client = leanhttp::Client::builder().unix_socket("/run/docker.sock").build()?;
    /// let version = client.get("http://docker/version").send()?.text()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    #[cfg(unix)]
    pub fn unix_socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.config.dialling.unix_socket = Some(path.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints() {
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
