//! The egress policy, and networks in CIDR notation, of which its rules are made. It checks the
//! address that is dialed, not the name, which may resolve to a different address a moment later.
//!
//! The driver asks before a request (scheme, port, a name that a proxy would look up), and for each
//! address right before it is dialed. A rule for an IPv4 network also applies to the IPv6 addresses in
//! which an IPv4 address is [embedded](Embedded).
//!
//! # How an address is judged
//!
//! ```text
//! address ─▶ its embedded IPv4 address, if it has one ─▶ both are judged; a denial of either counts
//!         ─▶ the rules, the most recent first ─▶ allowed or denied
//!         ─▶ no rule: the initial choice (all, none, public)
//! port    ─▶ the ranges
//! scheme  ─▶ http, https
//! ```
//!
//! The forms in which one host can be written are the usual holes of such filters, and each has a
//! row in the tests: `0.0.0.0` and `::` lead to the own host; `::ffff:10.0.0.1`, `64:ff9b::a00:1`,
//! 6to4 and Teredo contain an IPv4 address (`embedded_ipv4_addresses_are_found`); a name may change
//! between check and use, so names are not judged at all; a proxy resolves names where the client
//! cannot see it (`names_that_a_proxy_resolves_need_permission`).
//!
//! "Public" follows IANA's registries of special-purpose addresses. IPv6 is judged the other way
//! around: only global unicast is public, because most of the space is reserved and may be given a
//! meaning later.
//!
//! The networks are a type of this file and not of the crate `ipnet`; the design page of the guide
//! has the numbers.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::error::Error;
use crate::url::Scheme;

/// A policy for the addresses, ports and schemes that a client may connect to.
///
/// A service that fetches URLs for others must not give them access to hosts that only it can
/// reach: itself, its neighbors, the metadata service of its cloud. Checking the name in the URL is
/// not enough, because a name can resolve to any address, and to different ones in turn ("DNS
/// rebinding"). The policy is applied to each address right before it is dialed, on every redirect
/// too.
///
/// Rules for networks come first, the most recent one first; an address that no rule names is
/// decided by the initial choice: all, none, or the public ones. An IPv6 address that is another
/// form of an IPv4 one (IPv4-mapped, NAT64) is checked as both, and a rule that denies an IPv4
/// network denies the tunnels that end in it (6to4, Teredo). A rule that denies `127.0.0.1` or
/// `::1` also denies `0.0.0.0` or `::`, which lead to the same host.
///
/// Through a proxy the dialed address is the proxy's. If the proxy resolves names (HTTP, `socks4a`,
/// `socks5h`), a name could lead to any address that the proxy can reach, including `localhost` and
/// the metadata service of a cloud. So a policy that denies any address refuses names through such
/// a proxy, even one from the environment, until [`allow_proxied_names`](Self::allow_proxied_names)
/// declares that the proxy checks them. The client does not resolve them for the check: the proxy
/// could get a different answer a moment later. An IP address in the URL, its port and its scheme
/// are always checked; with `socks4` and `socks5`, which receive an address, that address is
/// checked.
///
/// A Unix domain socket has no address: with a policy that allows only public addresses, or none,
/// `unix_socket` is an error of `build`.
///
/// ```
/// use leanhttp::{Client, EgressPolicy};
///
/// let egress = EgressPolicy::public_only().allow_network("10.20.0.0/16".parse()?).allow_ports([80, 443]);
/// let client = Client::builder().egress(egress).https_only(true).build()?;
/// let error = client.get("https://127.0.0.1/").send().unwrap_err();
/// assert!(error.to_string().contains("127.0.0.1 is not allowed"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct EgressPolicy {
    otherwise: Otherwise,
    /// Networks, and whether they are allowed; the most recent rule is last.
    rules: Vec<(Network, bool)>,
    /// `None`: all ports.
    ports: Option<Vec<RangeInclusive<u16>>>,
    denied_ports: Vec<RangeInclusive<u16>>,
    allows_http: bool,
    allows_https: bool,
    /// Names that a proxy resolves are allowed.
    allows_proxied_names: bool,
    /// The first scheme named that is neither `http` nor `https`.
    unknown_scheme: Option<String>,
}

/// The default for an address that no rule names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Otherwise {
    Everything,
    Public,
    Nothing,
}

/// The reason why an address is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    Address(IpAddr),
    Port(u16),
    Scheme(Scheme),
    ProxiedName,
}

impl EgressPolicy {
    /// Returns a policy that allows all addresses, the default of a client.
    pub fn allow_all() -> Self {
        Self::starting_with(Otherwise::Everything)
    }

    /// Returns a policy that allows only what its rules allow.
    pub fn deny_all() -> Self {
        Self::starting_with(Otherwise::Nothing)
    }

    /// Returns a policy that allows only addresses of the public Internet: none that are private,
    /// shared, link-local, loopback, reserved, for documentation, multicast, or known as a cloud's
    /// metadata service.
    ///
    /// The lists are IANA's registries of special-purpose addresses (RFC 6890). For IPv6 only
    /// global unicast (`2000::/3`) is public, without `2001::/23` and 6to4, and NAT64 addresses
    /// (`64:ff9b::/96`) of public IPv4 ones. NAT64 with a network-specific prefix cannot be
    /// recognized: deny that prefix if your network uses one.
    pub fn public_only() -> Self {
        Self::starting_with(Otherwise::Public)
    }

    fn starting_with(otherwise: Otherwise) -> Self {
        Self {
            otherwise,
            rules: Vec::new(),
            ports: None,
            denied_ports: Vec::new(),
            allows_http: true,
            allows_https: true,
            allows_proxied_names: false,
            unknown_scheme: None,
        }
    }

    /// Returns an error for an unknown scheme, so that a typo does not weaken the policy.
    pub(crate) fn understood(self) -> Result<Self, Error> {
        match &self.unknown_scheme {
            None => Ok(self),
            Some(scheme) => {
                let what = format!("egress policy: {scheme:?} is neither http nor https");
                Err(Error::builder(what))
            }
        }
    }

    /// Allows a network, overriding earlier rules.
    pub fn allow_network(mut self, network: Network) -> Self {
        self.rules.push((network, true));
        self
    }

    /// Denies a network, overriding earlier rules.
    pub fn deny_network(mut self, network: Network) -> Self {
        self.rules.push((network, false));
        self
    }

    /// Allows these ports, and no others. Default: all ports.
    pub fn allow_ports(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        let allowed = self.ports.get_or_insert_default();
        allowed.extend(ports.into_iter().map(|port| port..=port));
        self
    }

    /// Allows a range of ports, and no ports except those allowed explicitly.
    pub fn allow_port_range(mut self, ports: RangeInclusive<u16>) -> Self {
        self.ports.get_or_insert_default().push(ports);
        self
    }

    /// Denies a range of ports, overriding all rules that allow it.
    pub fn deny_port_range(mut self, ports: RangeInclusive<u16>) -> Self {
        self.denied_ports.push(ports);
        self
    }

    /// Allows these schemes, `http` or `https`, and no other. Default: both. Another name is an
    /// error when the client is built.
    ///
    /// ```
    /// let egress = leanhttp::EgressPolicy::public_only().allow_schemes(["https"]);
    /// ```
    pub fn allow_schemes<'s>(mut self, schemes: impl IntoIterator<Item = &'s str>) -> Self {
        (self.allows_http, self.allows_https) = (false, false);
        for scheme in schemes {
            self.set_scheme(scheme, true);
        }
        self
    }

    /// Denies a scheme, `http` or `https`. Another name is an error when the client is built.
    pub fn deny_scheme(mut self, scheme: &str) -> Self {
        self.set_scheme(scheme, false);
        self
    }

    /// Allows names that a proxy resolves, whatever address they lead to: the proxy must check
    /// them. Without this they are refused, unless the policy allows every address.
    ///
    /// ```
    /// let egress = leanhttp::EgressPolicy::public_only().allow_proxied_names();
    /// ```
    pub fn allow_proxied_names(mut self) -> Self {
        self.allows_proxied_names = true;
        self
    }

    /// Only `http` and `https` exist; another name is reported when the client is built.
    fn set_scheme(&mut self, scheme: &str, is_allowed: bool) {
        match scheme.to_ascii_lowercase().as_str() {
            "http" => self.allows_http = is_allowed,
            "https" => self.allows_https = is_allowed,
            _ => drop(self.unknown_scheme.get_or_insert_with(|| scheme.to_owned())),
        }
    }

    /// Checks whether this address and port may be dialed.
    pub(crate) fn check(&self, address: SocketAddr) -> Result<(), Denied> {
        self.check_port(address.port())?;
        let ip = address.ip();
        let embedded = match ip {
            IpAddr::V6(ip) => embedded(ip),
            IpAddr::V4(_) => None,
        };
        let allowed = match embedded {
            Some(embedded) => self.allows_embedded(ip, embedded),
            None => self.allows(ip),
        };
        if allowed { Ok(()) } else { Err(Denied::Address(ip)) }
    }

    pub(crate) fn check_scheme(&self, scheme: Scheme) -> Result<(), Denied> {
        let is_allowed = match scheme {
            Scheme::Http => self.allows_http,
            Scheme::Https => self.allows_https,
        };
        if is_allowed { Ok(()) } else { Err(Denied::Scheme(scheme)) }
    }

    pub(crate) fn check_port(&self, port: u16) -> Result<(), Denied> {
        let within =
            |ranges: &[RangeInclusive<u16>]| ranges.iter().any(|range| range.contains(&port));
        let allowed = self.ports.as_deref().is_none_or(within) && !within(&self.denied_ports);
        if allowed { Ok(()) } else { Err(Denied::Port(port)) }
    }

    /// Checks whether a proxy may resolve a name.
    pub(crate) fn check_proxied_name(&self) -> Result<(), Denied> {
        let denies_none = self.otherwise == Otherwise::Everything
            && self.rules.iter().all(|(_, is_allowed)| *is_allowed);
        if denies_none || self.allows_proxied_names {
            return Ok(());
        }
        Err(Denied::ProxiedName)
    }

    /// Returns whether connections without an IP address are allowed.
    pub(crate) fn allows_unix_sockets(&self) -> bool {
        self.otherwise == Otherwise::Everything
    }

    fn allows(&self, ip: IpAddr) -> bool {
        self.rule(ip).unwrap_or_else(|| match self.otherwise {
            Otherwise::Everything => true,
            Otherwise::Nothing => false,
            Otherwise::Public => is_public(ip),
        })
    }

    /// Returns whether both forms are allowed: a rule that denies either of them denies both.
    fn allows_embedded(&self, ip: IpAddr, embedded: Embedded) -> bool {
        let (Embedded::Same(v4) | Embedded::Tunnel(v4)) = embedded;
        match (self.rule(ip), self.rule(v4.into()), embedded) {
            (Some(false), ..) | (_, Some(false), _) => false,
            (Some(true), ..) => true,
            (None, _, Embedded::Same(v4)) => self.allows(v4.into()),
            (None, _, Embedded::Tunnel(_)) => self.allows(ip),
        }
    }

    /// Returns whether the most recent rule for an address allows it, or `None` if there is no rule.
    /// An unspecified address is also checked as the loopback address to which it leads on most
    /// systems.
    fn rule(&self, ip: IpAddr) -> Option<bool> {
        let most_recent = |ip| {
            let mut rules = self.rules.iter().rev();
            rules.find(|(network, _)| network.contains(ip)).map(|(_, is_allowed)| *is_allowed)
        };
        let loopback = match ip {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Some(IpAddr::from(Ipv4Addr::LOCALHOST)),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Some(IpAddr::from(Ipv6Addr::LOCALHOST)),
            _ => None,
        };
        match loopback.and_then(most_recent) {
            Some(false) => Some(false),
            _ => most_recent(ip),
        }
    }
}

impl Default for EgressPolicy {
    fn default() -> Self {
        Self::allow_all()
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(ip) => write!(f, "{ip} is not allowed by the egress policy"),
            Self::Port(port) => write!(f, "port {port} is not allowed by the egress policy"),
            Self::Scheme(Scheme::Http) => {
                f.write_str("http is not allowed by the egress policy")
            }
            Self::Scheme(Scheme::Https) => f.write_str("https is not allowed by the egress policy"),
            Self::ProxiedName => f.write_str(
                "the proxy would look the name up, and the egress policy cannot judge where it leads \
                 (see EgressPolicy::allow_proxied_names)",
            ),
        }
    }
}

impl std::error::Error for Denied {}

fn is_public(ip: IpAddr) -> bool {
    let within = |networks: &[Network]| networks.iter().any(|network| network.contains(ip));
    match ip {
        IpAddr::V4(_) => within(&PUBLIC_WITHIN_SPECIAL_V4) || !within(&SPECIAL_V4),
        IpAddr::V6(_) => GLOBAL_UNICAST.contains(ip) && !within(&SPECIAL_V6),
    }
}

/// The networks of the IANA IPv4 Special-Purpose Address Registry that are not globally reachable;
/// multicast; and a public address that serves only a cloud's own hosts.
const SPECIAL_V4: [Network; 16] = [
    Network::v4([0, 0, 0, 0], 8),        // "this network", RFC 791
    Network::v4([10, 0, 0, 0], 8),       // private, RFC 1918
    Network::v4([100, 64, 0, 0], 10),    // shared, RFC 6598; Alibaba's metadata
    Network::v4([127, 0, 0, 0], 8),      // loopback, RFC 1122
    Network::v4([169, 254, 0, 0], 16),   // link-local, RFC 3927; metadata of most clouds
    Network::v4([172, 16, 0, 0], 12),    // private, RFC 1918
    Network::v4([192, 0, 0, 0], 24),     // protocol assignments, RFC 6890; Oracle's metadata
    Network::v4([192, 0, 2, 0], 24),     // documentation, RFC 5737
    Network::v4([192, 88, 99, 0], 24),   // 6to4 relays, RFC 7526
    Network::v4([192, 168, 0, 0], 16),   // private, RFC 1918
    Network::v4([198, 18, 0, 0], 15),    // benchmarks, RFC 2544
    Network::v4([198, 51, 100, 0], 24),  // documentation, RFC 5737
    Network::v4([203, 0, 113, 0], 24),   // documentation, RFC 5737
    Network::v4([224, 0, 0, 0], 4),      // multicast, RFC 5771
    Network::v4([240, 0, 0, 0], 4),      // reserved, RFC 1112; broadcast
    Network::v4([168, 63, 129, 16], 32), // Azure's host services
];

/// Globally reachable by the registry, although within a network that is not.
const PUBLIC_WITHIN_SPECIAL_V4: [Network; 2] = [
    Network::v4([192, 0, 0, 9], 32),  // port control, RFC 7723
    Network::v4([192, 0, 0, 10], 32), // TURN, RFC 8155
];

const GLOBAL_UNICAST: Network = Network::v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// The networks of the IANA IPv6 Special-Purpose Address Registry within global unicast.
const SPECIAL_V6: [Network; 4] = [
    Network::v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), // protocol assignments, RFC 2928
    Network::v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), // documentation, RFC 3849
    Network::v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), // 6to4, RFC 7526: withdrawn
    Network::v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), // documentation, RFC 9637
];

/// A network in CIDR notation (RFC 4632, RFC 4291 §2.3): `10.0.0.0/8`, `fd00::/8`, or a single
/// address. A network of IPv4-mapped addresses (`::ffff:10.0.0.0/104`, RFC 4291 §2.5.5.2) is the
/// same as the IPv4 network.
///
/// ```
/// use leanhttp::egress::Network;
///
/// let network: Network = "10.0.0.0/8".parse()?;
/// assert!(network.contains("10.1.2.3".parse()?));
/// assert!("10.0.0.0/33".parse::<Network>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// The number of leading bits that are compared; at most the length of the address.
    prefix: u8,
}

/// The reason why a text is not a [`Network`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkError(());

impl Network {
    pub(crate) const fn v4(octets: [u8; 4], prefix: u8) -> Self {
        let [a, b, c, d] = octets;
        Self { address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), prefix }
    }

    pub(crate) const fn v6(segments: [u16; 8], prefix: u8) -> Self {
        let [a, b, c, d, e, f, g, h] = segments;
        Self { address: IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h)), prefix }
    }

    /// Returns the network of the addresses that share this number of leading bits with `address`;
    /// `None` if the address has fewer.
    pub(crate) fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        let most = if address.is_ipv4() { 32 } else { 128 };
        (prefix <= most).then_some(Self { address, prefix })
    }

    /// Returns the number of leading bits that the addresses share.
    pub(crate) fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Returns the lowest address of the network.
    pub(crate) fn first_address(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
                Ipv4Addr::from_bits(address.to_bits() & mask).into()
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
                Ipv6Addr::from_bits(address.to_bits() & mask).into()
            }
        }
    }

    /// Returns the IPv4 network for a network of IPv4-mapped addresses.
    fn canonical(self) -> Self {
        match (self.address.to_canonical(), self.prefix.checked_sub(128 - 32)) {
            (address @ IpAddr::V4(_), Some(prefix)) => Self { address, prefix },
            _ => self,
        }
    }

    /// Returns whether the network contains the address. An IPv4 network never contains an IPv6
    /// address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                same(own.to_bits().into(), other.to_bits().into(), 32 - self.prefix)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                same(own.to_bits(), other.to_bits(), 128 - self.prefix)
            }
            _ => false,
        }
    }
}

/// Returns whether two addresses are equal except for their last bits.
fn same(one: u128, other: u128, last: u8) -> bool {
    (one ^ other).checked_shr(last.into()).unwrap_or(0) == 0
}

/// An IPv4 address embedded in an IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Embedded {
    /// Another form of the IPv4 address: IPv4-mapped (RFC 4291 §2.5.5.2), or NAT64 (RFC 6052 §2.1,
    /// the well-known prefix).
    Same(Ipv4Addr),
    /// The end of a tunnel that the address leads through: 6to4 (RFC 3056), Teredo (RFC 4380 §4),
    /// IPv4-compatible (RFC 4291 §2.5.5.1).
    Tunnel(Ipv4Addr),
}

pub(crate) fn embedded(address: Ipv6Addr) -> Option<Embedded> {
    let v4 = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] => Some(Embedded::Same(v4(high, low))),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(Embedded::Same(v4(high, low))),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => Some(Embedded::Tunnel(v4(high, low))),
        [0x2002, high, low, ..] => Some(Embedded::Tunnel(v4(high, low))),
        [0x2001, 0, .., high, low] => Some(Embedded::Tunnel(v4(!high, !low))),
        _ => None,
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let prefix = if address.is_ipv4() { 32 } else { 128 };
        Self { address, prefix }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError(()))?;
        let Some(prefix) = prefix else { return Ok(address.into()) };
        let digits = prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = prefix.parse().ok().filter(|_| digits).ok_or(NetworkError(()))?;
        Self::new(address, prefix).map(Self::canonical).ok_or(NetworkError(()))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a network in CIDR notation such as 10.0.0.0/8")
    }
}

impl std::error::Error for NetworkError {}

#[cfg(test)]
mod tests;
