//! The way an origin is reached; the key of the pool.

use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

use crate::policy::proxy::server::{NameResolution, Protocol, ProxyServer};
use crate::url::Url;

/// The properties that decide which connections can serve a request.
///
/// | request | proxy | route |
/// | --- | --- | --- |
/// | `http://a.example/x` | | direct, plain, `a.example`, 80 |
/// | `http://a.example:8080/` | | direct, plain, `a.example`, 8080 |
/// | `https://a.example/` | | direct, TLS, `a.example`, 443 |
/// | `https://a.example.:443/` | | direct, TLS, `a.example.`, 443 (another host: the dot counts) |
/// | `http://[::1]:80/` | | direct, plain, `[::1]`, 80 |
/// | `http://a.example/` | `http://p`, `https://p` | forward by p: the same for every plain origin |
/// | `https://a.example/` | `http://p`, `https://p` | tunnel of p; TLS, `a.example`, 443 |
/// | `http://a.example/` | `socks5://p` | tunnel of p; plain, `a.example`, 80 |
///
/// For a TLS origin the route also includes whether the connection uses the client's certificate:
/// see [`IdentityUse`].
///
/// A proxy is identified by its protocol, its credentials and its fields. Connections to a
/// forwarding proxy are shared by all origins, as in curl and Go, because the proxy is the HTTP
/// peer.
///
/// Routes are compared whole, never by hash alone: a connection of one route never serves another.
/// TLS settings belong to the client, and each client has its own pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    Direct(Target),
    /// The proxy receives the request with the absolute URL.
    Forward(Arc<ProxyServer>),
    /// The proxy opens a tunnel to the origin.
    Tunnel(Arc<ProxyServer>, Target),
}

/// An origin as the end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Host and port as in the URL: an IPv6 address in brackets, the default port omitted. Together
    /// with the scheme this is a unique representation of an origin.
    place: String,
    /// The length of the host in `place`.
    host_len: usize,
    pub(crate) port: u16,
    pub(crate) security: Security,
    pub(crate) identity: IdentityUse,
}

/// The treatment of an origin that requests the client certificate.
///
/// TLS authenticates a connection, not a request, so a request without the certificate needs a
/// connection of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdentityUse {
    Shown,
    Withheld,
}

/// The encryption of the connection to the origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Security {
    Plain,
    Tls,
}

impl Security {
    pub(crate) fn of(url: &Url) -> Self {
        if url.scheme() == "https" { Self::Tls } else { Self::Plain }
    }
}

impl Route {
    pub(crate) fn of(url: &Url, proxy: Option<&Arc<ProxyServer>>, identity: IdentityUse) -> Self {
        match proxy {
            None => Self::Direct(Target::of(url, identity)),
            Some(hop) if forwards(hop, url) => Self::Forward(Arc::clone(hop)),
            Some(hop) => Self::Tunnel(Arc::clone(hop), Target::of(url, identity)),
        }
    }

    /// Returns whether this is the route to `url`; does not allocate.
    pub(crate) fn leads_to(
        &self,
        url: &Url,
        proxy: Option<&Arc<ProxyServer>>,
        identity: IdentityUse,
    ) -> bool {
        match (self, proxy) {
            (Self::Direct(target), None) => target.is_of(url, identity),
            (Self::Forward(hop), Some(proxy)) => hop == proxy && forwards(proxy, url),
            (Self::Tunnel(hop, target), Some(proxy)) => hop == proxy && target.is_of(url, identity),
            _ => false,
        }
    }

    /// Hashes the route to `url` like [`Hash`] does; does not allocate.
    pub(crate) fn hash_to<H: Hasher>(
        url: &Url,
        proxy: Option<&Arc<ProxyServer>>,
        identity: IdentityUse,
        state: &mut H,
    ) {
        let origin = (url.host_header(), Security::of(url), identity);
        let is_forwarded = proxy.is_some_and(|proxy| forwards(proxy, url));
        hash_parts(proxy, (!is_forwarded).then_some(origin), state);
    }

    pub(crate) fn proxy(&self) -> Option<&Arc<ProxyServer>> {
        match self {
            Self::Direct(_) => None,
            Self::Forward(hop) | Self::Tunnel(hop, _) => Some(hop),
        }
    }

    /// Returns the host and port that the socket connects to.
    pub(crate) fn next_stop(&self) -> (&str, u16) {
        match self {
            Self::Direct(target) => (target.host(), target.port),
            Self::Forward(hop) | Self::Tunnel(hop, _) => (&hop.host, hop.port),
        }
    }

    /// Returns the origin if its address has to be looked up before contacting the proxy.
    pub(crate) fn looked_up_here(&self) -> Option<&Target> {
        match self {
            Self::Tunnel(hop, target) => match hop.protocol {
                Protocol::Socks { names: NameResolution::Local, .. } => Some(target),
                _ => None,
            },
            _ => None,
        }
    }

    /// Returns `host:port` of the HTTP peer, for messages.
    pub(crate) fn authority(&self) -> String {
        match self {
            Self::Direct(target) | Self::Tunnel(_, target) => target.authority(),
            Self::Forward(hop) => hop.authority(),
        }
    }
}

impl Hash for Route {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let origin = match self {
            Self::Direct(target) | Self::Tunnel(_, target) => {
                Some((&*target.place, target.security, target.identity))
            }
            Self::Forward(_) => None,
        };
        hash_parts(self.proxy(), origin, state);
    }
}

fn hash_parts<H: Hasher>(
    proxy: Option<&Arc<ProxyServer>>,
    origin: Option<(&str, Security, IdentityUse)>,
    state: &mut H,
) {
    if let Some(proxy) = proxy {
        proxy.hash(state);
    }
    if let Some((place, security, identity)) = origin {
        state.write(place.as_bytes());
        state.write(&[2 * security as u8 + identity as u8]);
    }
}

impl Target {
    pub(crate) fn of(url: &Url, identity: IdentityUse) -> Self {
        Self {
            place: url.host_header().to_owned(),
            host_len: url.host_str().unwrap_or_default().len(),
            port: url.port_or_known_default().unwrap_or_default(),
            security: Security::of(url),
            identity,
        }
    }

    fn is_of(&self, url: &Url, identity: IdentityUse) -> bool {
        self.place == url.host_header()
            && self.security == Security::of(url)
            && self.identity == identity
    }

    /// Returns the host as in the URL: an IPv6 address in brackets.
    pub(crate) fn host(&self) -> &str {
        self.place.get(..self.host_len).unwrap_or_default()
    }

    /// Returns `host:port`.
    pub(crate) fn authority(&self) -> String {
        format!("{}:{}", self.host(), self.port)
    }

    /// Returns the address, if the host is an IP address.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        literal(self.host())
    }
}

/// Parses an IP address as it appears in a URL: IPv6 in brackets.
pub(crate) fn literal(host: &str) -> Option<IpAddr> {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.parse().ok()
}

/// Returns whether requests for `url` are sent to this proxy without a tunnel.
pub(crate) fn forwards(proxy: &ProxyServer, url: &Url) -> bool {
    proxy.speaks_http() && Security::of(url) == Security::Plain
}

#[cfg(test)]
mod tests {
    use std::hash::DefaultHasher;

    use super::IdentityUse::{Shown, Withheld};
    use super::*;

    fn url(url: &str) -> Url {
        Url::parse(url).unwrap()
    }

    fn proxy(text: &str) -> Option<Arc<ProxyServer>> {
        (!text.is_empty()).then(|| Arc::new(ProxyServer::named(text).unwrap()))
    }

    fn hash(write: impl FnOnce(&mut DefaultHasher)) -> u64 {
        let mut state = DefaultHasher::new();
        write(&mut state);
        state.finish()
    }

    /// Each route matches its own requests, and no other.
    #[test]
    fn a_route_includes_origin_proxy_and_security() {
        let ways = [
            ("http://a.example/x", ""),
            ("http://a.example:8080/x", ""),
            ("https://a.example/x", ""),
            ("https://a.example.:443/x", ""),
            ("https://b.example/x", ""),
            ("http://[::1]/", ""),
            ("http://127.0.0.1/", ""),
            ("http://a.example/", "http://p"),
            ("http://a.example/", "https://p"),
            ("http://a.example/", "http://q"),
            ("http://a.example/", "http://u:x@p"),
            ("https://a.example/", "http://p"),
            ("https://a.example/", "http://u:x@p"),
            ("https://b.example/", "http://p"),
            ("http://a.example/", "socks5://p"),
            ("http://a.example/", "socks5h://p"),
            ("http://b.example/", "socks5://p"),
            ("https://a.example/", "socks5://p"),
        ];
        let ways = ways.map(|(to, by)| (url(to), proxy(by)));
        for (i, (to, by)) in ways.iter().enumerate() {
            let route = Route::of(to, by.as_ref(), Shown);
            for (j, (other, by)) in ways.iter().enumerate() {
                assert_eq!(route == Route::of(other, by.as_ref(), Shown), i == j, "{to} {other}");
                assert_eq!(
                    route.leads_to(other, by.as_ref(), Shown),
                    i == j,
                    "{to} {other} {by:?}"
                );
                let other = hash(|state| Route::hash_to(other, by.as_ref(), Shown, state));
                assert_eq!(hash(|state| route.hash(state)) == other, i == j, "{to} {by:?}");
            }
        }
    }

    /// Connections with and without the client certificate are not interchangeable.
    #[test]
    fn the_client_certificate_is_part_of_the_route() {
        let to = url("https://a.example/");
        for by in ["", "http://p", "socks5://p"] {
            let by = proxy(by);
            for (one, other) in [(Shown, Withheld), (Withheld, Shown)] {
                let route = Route::of(&to, by.as_ref(), one);
                assert!(route.leads_to(&to, by.as_ref(), one), "{by:?} {one:?}");
                assert!(!route.leads_to(&to, by.as_ref(), other), "{by:?} {one:?}");
                assert_ne!(route, Route::of(&to, by.as_ref(), other), "{by:?} {one:?}");
            }
        }
    }

    #[test]
    fn only_https_is_encrypted() {
        for (url, security) in [
            ("http://a.example:443/", Security::Plain),
            ("https://a.example:80/", Security::Tls),
            ("HTTPS://a.example/", Security::Tls),
        ] {
            assert_eq!(Security::of(&Url::parse(url).unwrap()), security, "{url}");
        }
    }

    #[test]
    fn path_query_and_fragment_are_not_part_of_the_route() {
        let route = Route::of(&url("http://A.example:80/p?q#f"), None, Shown);
        assert_eq!(route.authority(), "a.example:80");
        assert!(route.leads_to(&url("http://user:pass@a.example/other"), None, Shown));
    }

    /// Two proxies with equal settings are the same route, even if created separately.
    #[test]
    fn a_forwarding_proxy_serves_all_plain_origins() {
        let one = Route::of(&url("http://a.example/"), proxy("http://u:x@p").as_ref(), Shown);
        let again = proxy("http://u:x@p");
        assert!(one.leads_to(&url("http://b.example:81/"), again.as_ref(), Shown));
        assert!(!one.leads_to(&url("https://a.example/"), again.as_ref(), Shown));
        assert!(!one.leads_to(&url("http://a.example/"), None, Shown));
        assert_eq!(one.authority(), "p:80");
    }

    #[test]
    fn the_first_hop_and_the_lookup_depend_on_the_proxy() {
        let cases = [
            ("", ("a.example", 80), None),
            ("http://p:3128", ("p", 3128), None),
            ("socks5://p", ("p", 1080), Some("a.example")),
            ("socks4://p", ("p", 1080), Some("a.example")),
            ("socks5h://p", ("p", 1080), None),
            ("socks4a://[::1]", ("[::1]", 1080), None),
        ];
        for (by, stop, looked_up) in cases {
            let route = Route::of(&url("http://a.example/"), proxy(by).as_ref(), Shown);
            assert_eq!(route.next_stop(), stop, "{by}");
            assert_eq!(route.looked_up_here().map(Target::host), looked_up, "{by}");
            let by = proxy(by);
            assert_eq!(route.proxy(), by.as_ref());
        }
    }

    /// RFC 3986 §3.2.2: only an IPv6 address is in brackets.
    #[test]
    fn ip_address_literals_are_recognized() {
        let cases = [
            ("http://127.0.0.1/", Some("127.0.0.1")),
            ("http://[::1]:81/", Some("::1")),
            ("http://a.example/", None),
        ];
        for (to, expected) in cases {
            let expected: Option<IpAddr> = expected.map(|address| address.parse().unwrap());
            assert_eq!(Target::of(&url(to), Shown).address(), expected, "{to}");
        }
    }
}
