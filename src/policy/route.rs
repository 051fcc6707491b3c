//! The way an origin is reached: the key of the pool. And the routes that the pool avoids for a while
//! because their peers close each connection right after its response.
//!
//! [`Route`] has everything that decides whether a connection can serve a request, and nothing else.
//! Everything else must be the same for all connections of a client: TLS settings, limits, socket
//! options. So a setting that becomes adjustable for a single request needs a place here, or a request
//! could get a connection that was made under other settings.
//!
//! ```text
//! URL, proxy, whether the client certificate may be shown ─▶ Route ─▶ Pool: idle connections, permits
//!                                                              └▶ next_stop: what the socket connects to
//! ```
//!
//! The check of an idle connection asks [`Route::leads_to`] and does not make a route: it allocates
//! nothing. `a_route_includes_origin_proxy_and_security` compares both for all pairs of requests.
//!
//! [`EarlyClosers`] is for peers that close a connection after each response without announcing it, as
//! tinyproxy does. The liveness check of an idle connection notices this only if the peer's FIN has
//! already arrived. Otherwise the next request is sent on a closed connection, and fails if it is not
//! idempotent. So a route on which a connection was closed before its first reuse, a moment after
//! its response, is not pooled for a while.
//!
//! # What is in a route, and what is not
//!
//! | | in the route | why |
//! | --- | --- | --- |
//! | host, port, scheme | yes, unless a proxy forwards | another origin, or no TLS |
//! | the proxy, with login and fields | yes | the tunnel was opened with them |
//! | whether the client certificate may be shown | yes | the server has seen it or not |
//! | path, query, fragment | no | a connection serves all of them |
//! | `Host` set by the caller, request target | no | they are text on the connection |
//! | addresses of the host | no | a name is asked for a new connection only |
//! | timeouts, limits of the request | no | the budget of the call has them |
//!
//! `path_query_and_fragment_are_not_part_of_the_route`,
//! `the_client_certificate_is_part_of_the_route` and `a_forwarding_proxy_serves_all_plain_origins`
//! test the rows; `tests/hostile_credentials.rs` (`s12_connections_with_a_certificate_are_not_shared`)
//! and `tests/proxy.rs` (`r14_connections_of_different_logins_are_not_shared`) show them on the wire.
//!
//! # The pause of an early closer
//!
//! ```text
//! found at t ──▶ 10 s not pooled ──▶ 10 s pooled on probation ──▶ forgotten
//!                                         └ found again ──▶ 20 s, then 40 s ... at most 10 min
//! ```

use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::policy::proxy::{NameResolution, Protocol, ProxyServer};
use crate::url::{Scheme, Url};

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
    pub(crate) scheme: Scheme,
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
        let origin = (url.host_header(), scheme_of(url), identity);
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

    /// Returns whether it leads to a server without TLS, on a port that by convention is one for TLS.
    pub(crate) fn is_plain_to_tls_port(&self) -> bool {
        match self {
            Self::Direct(target) => target.scheme == Scheme::Http && target.port % 1000 == 443,
            Self::Forward(_) | Self::Tunnel(..) => false,
        }
    }

    /// Returns whether a client certificate is set, and not for this origin.
    pub(crate) fn withholds_identity(&self) -> bool {
        match self {
            Self::Direct(target) | Self::Tunnel(_, target) => {
                target.identity == IdentityUse::Withheld
            }
            Self::Forward(_) => false,
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
                Some((&*target.place, target.scheme, target.identity))
            }
            Self::Forward(_) => None,
        };
        hash_parts(self.proxy(), origin, state);
    }
}

fn hash_parts<H: Hasher>(
    proxy: Option<&Arc<ProxyServer>>,
    origin: Option<(&str, Scheme, IdentityUse)>,
    state: &mut H,
) {
    if let Some(proxy) = proxy {
        proxy.hash(state);
    }
    if let Some((place, scheme, identity)) = origin {
        state.write(place.as_bytes());
        state.write(&[2 * scheme as u8 + identity as u8]);
    }
}

impl Target {
    pub(crate) fn of(url: &Url, identity: IdentityUse) -> Self {
        Self {
            place: url.host_header().to_owned(),
            host_len: url.host_str().unwrap_or_default().len(),
            port: url.port_or_known_default().unwrap_or_default(),
            scheme: scheme_of(url),
            identity,
        }
    }

    fn is_of(&self, url: &Url, identity: IdentityUse) -> bool {
        self.place == url.host_header()
            && self.scheme == scheme_of(url)
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
    proxy.speaks_http() && scheme_of(url) == Scheme::Http
}

/// Returns the scheme of a URL that a call has accepted, so that it is one of the two. Any other would be taken for
/// the secure one, never for plain text.
fn scheme_of(url: &Url) -> Scheme {
    url.http_scheme().unwrap_or(Scheme::Https)
}

/// An idle connection closed sooner than this was not closed by an idle timeout.
pub(crate) const SOON: Duration = Duration::from_secs(1);

/// The initial pause in pooling a route; it doubles with each recurrence, up to the limit.
const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(600);

/// The most routes that are tracked.
const MOST: usize = 64;

/// The routes found so far; usually none.
#[derive(Debug, Default)]
pub(crate) struct EarlyClosers {
    /// The most recent one is last.
    found: Vec<EarlyCloser>,
}

#[derive(Debug)]
struct EarlyCloser {
    route: Route,
    /// The duration of the pause.
    pause: Duration,
    at: Instant,
}

impl EarlyCloser {
    fn is_paused(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.at) < self.pause
    }

    /// Returns whether the entry can be dropped. It is kept for another pause afterwards, to detect
    /// a recurrence.
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.at) >= 2 * self.pause
    }
}

impl EarlyClosers {
    /// Records that a connection of this route was closed before its first reuse.
    pub(crate) fn found(&mut self, route: &Route, now: Instant) {
        let known = self.found.iter().position(|found| found.route == *route);
        let pause = match known.map(|at| self.found.remove(at)) {
            Some(before) if before.is_paused(now) => before.pause, // pooled before the pause began
            Some(before) if !before.is_over(now) => (2 * before.pause).min(LONGEST),
            _ => FIRST,
        };
        self.found.retain(|found| !found.is_over(now));
        if self.found.len() >= MOST {
            self.found.remove(0);
        }
        self.found.push(EarlyCloser { route: route.clone(), pause, at: now });
    }

    /// Returns whether connections of this route must not be pooled.
    pub(crate) fn include(&self, route: &Route, now: Instant) -> bool {
        self.found.iter().any(|found| found.is_paused(now) && found.route == *route)
    }
}

#[cfg(test)]
mod tests;
