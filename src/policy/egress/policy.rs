//! The egress policy. It checks the address that is dialed, not the name, which may resolve to a
//! different address a moment later.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;

use super::network::{Embedded, Network, embedded};
use crate::error::{Cause, Error};
use crate::policy::route::Security;

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
    rules: Vec<(Network, EgressRule)>,
    /// `None`: all ports.
    ports: Option<Vec<RangeInclusive<u16>>>,
    denied_ports: Vec<RangeInclusive<u16>>,
    http: EgressRule,
    https: EgressRule,
    /// The rule for names that a proxy resolves.
    proxied_names: EgressRule,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EgressRule {
    Allow,
    Deny,
}

/// The reason why an address is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Denied {
    Address(IpAddr),
    Port(u16),
    Scheme(Security),
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
            http: EgressRule::Allow,
            https: EgressRule::Allow,
            proxied_names: EgressRule::Deny,
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
        self.rules.push((network, EgressRule::Allow));
        self
    }

    /// Denies a network, overriding earlier rules.
    pub fn deny_network(mut self, network: Network) -> Self {
        self.rules.push((network, EgressRule::Deny));
        self
    }

    /// Allows these ports, and no others. Default: all ports.
    pub fn allow_ports(self, ports: impl IntoIterator<Item = u16>) -> Self {
        ports
            .into_iter()
            .fold(self.or_no_ports(), |egress, port| egress.allow_port_range(port..=port))
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
        (self.http, self.https) = (EgressRule::Deny, EgressRule::Deny);
        for scheme in schemes {
            self.set_scheme(scheme, EgressRule::Allow);
        }
        self
    }

    /// Denies a scheme, `http` or `https`. Another name is an error when the client is built.
    pub fn deny_scheme(mut self, scheme: &str) -> Self {
        self.set_scheme(scheme, EgressRule::Deny);
        self
    }

    /// Allows names that a proxy resolves, whatever address they lead to: the proxy must check
    /// them. Without this they are refused, unless the policy allows every address.
    ///
    /// ```
    /// let egress = leanhttp::EgressPolicy::public_only().allow_proxied_names();
    /// ```
    pub fn allow_proxied_names(mut self) -> Self {
        self.proxied_names = EgressRule::Allow;
        self
    }

    /// Only `http` and `https` exist; another name is reported when the client is built.
    fn set_scheme(&mut self, scheme: &str, rule: EgressRule) {
        match scheme.to_ascii_lowercase().as_str() {
            "http" => self.http = rule,
            "https" => self.https = rule,
            _ => drop(self.unknown_scheme.get_or_insert_with(|| scheme.to_owned())),
        }
    }

    fn or_no_ports(mut self) -> Self {
        self.ports.get_or_insert_default();
        self
    }

    /// Checks whether this address and port may be dialed.
    fn check(&self, address: SocketAddr) -> Result<(), Denied> {
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

    fn check_scheme(&self, security: Security) -> Result<(), Denied> {
        let rule = match security {
            Security::Plain => self.http,
            Security::Tls => self.https,
        };
        if rule == EgressRule::Allow { Ok(()) } else { Err(Denied::Scheme(security)) }
    }

    fn check_port(&self, port: u16) -> Result<(), Denied> {
        let within =
            |ranges: &[RangeInclusive<u16>]| ranges.iter().any(|range| range.contains(&port));
        let allowed = self.ports.as_deref().is_none_or(within) && !within(&self.denied_ports);
        if allowed { Ok(()) } else { Err(Denied::Port(port)) }
    }

    fn check_proxied_name(&self) -> Result<(), Denied> {
        let denies_none = self.otherwise == Otherwise::Everything
            && self.rules.iter().all(|(_, rule)| *rule == EgressRule::Allow);
        if denies_none || self.proxied_names == EgressRule::Allow {
            return Ok(());
        }
        Err(Denied::ProxiedName)
    }

    fn allows(&self, ip: IpAddr) -> bool {
        match self.rule(ip) {
            Some(rule) => rule == EgressRule::Allow,
            None => match self.otherwise {
                Otherwise::Everything => true,
                Otherwise::Nothing => false,
                Otherwise::Public => is_public(ip),
            },
        }
    }

    /// Returns whether both forms are allowed: a rule that denies either of them denies both.
    fn allows_embedded(&self, ip: IpAddr, embedded: Embedded) -> bool {
        let (Embedded::Same(v4) | Embedded::Tunnel(v4)) = embedded;
        match (self.rule(ip), self.rule(v4.into()), embedded) {
            (Some(EgressRule::Deny), ..) | (_, Some(EgressRule::Deny), _) => false,
            (Some(EgressRule::Allow), ..) => true,
            (None, _, Embedded::Same(v4)) => self.allows(v4.into()),
            (None, _, Embedded::Tunnel(_)) => self.allows(ip),
        }
    }

    /// Returns the rule for an address; an unspecified address is also checked as the loopback
    /// address that it leads to.
    fn rule(&self, ip: IpAddr) -> Option<EgressRule> {
        let of_loopback = loopback_by(ip).and_then(|loopback| self.most_recent(loopback));
        of_loopback.filter(|rule| *rule == EgressRule::Deny).or_else(|| self.most_recent(ip))
    }

    /// Returns the most recent rule for a network that contains the address.
    fn most_recent(&self, ip: IpAddr) -> Option<EgressRule> {
        let named = self.rules.iter().rev().find(|(network, _)| network.contains(ip));
        named.map(|(_, rule)| *rule)
    }
}

/// The checks of a policy; an error is the reason why something is denied.
pub(crate) trait Gate: fmt::Debug + Send + Sync {
    fn check(&self, address: SocketAddr) -> Result<(), Cause>;
    fn check_scheme(&self, security: Security) -> Result<(), Cause>;
    fn check_port(&self, port: u16) -> Result<(), Cause>;
    /// Checks whether a proxy may resolve a name.
    fn check_proxied_name(&self) -> Result<(), Cause>;
    /// Returns whether connections without an IP address are allowed.
    fn allows_unix_sockets(&self) -> bool;
}

impl Gate for EgressPolicy {
    fn check(&self, address: SocketAddr) -> Result<(), Cause> {
        Ok(self.check(address)?)
    }

    fn check_scheme(&self, security: Security) -> Result<(), Cause> {
        Ok(self.check_scheme(security)?)
    }

    fn check_port(&self, port: u16) -> Result<(), Cause> {
        Ok(self.check_port(port)?)
    }

    fn check_proxied_name(&self) -> Result<(), Cause> {
        Ok(self.check_proxied_name()?)
    }

    fn allows_unix_sockets(&self) -> bool {
        self.otherwise == Otherwise::Everything
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
            Self::Scheme(Security::Plain) => {
                f.write_str("http is not allowed by the egress policy")
            }
            Self::Scheme(Security::Tls) => f.write_str("https is not allowed by the egress policy"),
            Self::ProxiedName => f.write_str(
                "the proxy would look the name up, and the egress policy cannot judge where it leads \
                 (see EgressPolicy::allow_proxied_names)",
            ),
        }
    }
}

impl std::error::Error for Denied {}

/// Returns the loopback address that a connection to an unspecified address reaches on most
/// systems.
fn loopback_by(ip: IpAddr) -> Option<IpAddr> {
    let loopback: IpAddr = match ip {
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    ip.is_unspecified().then_some(loopback)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(egress: &EgressPolicy, ip: &str) -> bool {
        egress.check(SocketAddr::new(ip.parse().unwrap(), 80)).is_ok()
    }

    /// RFC 6890 and the registries: the first and last address of each network, and their
    /// neighbors.
    #[test]
    fn public_only_allows_public_addresses() {
        let public = [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "191.255.255.255",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "168.63.129.15",
            "8.8.8.8",
            "192.0.0.9",
            "192.0.0.10",
            "2000::",
            "2001:200::",
            "2001:4860:4860::8888",
            "2001:db7:ffff::",
            "2001:db9::",
            "2003::",
            "2606:4700::1111",
            "3ffe::1",
            "3fff:1000::",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "192.31.196.1",
            "192.175.48.1",
            "2620:4f:8000::1",
        ];
        let special = [
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.0",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.0.0",
            "169.254.169.254",
            "169.254.255.255",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.0",
            "192.0.0.8",
            "192.0.0.11",
            "192.0.0.192",
            "192.0.0.255",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.0",
            "192.168.255.255",
            "198.18.0.0",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.0",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:0",
            "::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::8.8.8.8",
            "100::1",
            "2001::1",
            "2001:1::1",
            "2001:1ff:ffff::",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2001:0:1::f7f7:f7f7",
            "2002:808:808::1",
            "::8.8.8.8",
            "3fff::1",
            "3fff:fff::1",
            "4000::",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "1fff:ffff::1",
        ];
        let egress = EgressPolicy::public_only();
        for ip in public {
            assert!(allows(&egress, ip), "{ip}");
        }
        for ip in special {
            assert!(!allows(&egress, ip), "{ip}");
            assert!(allows(&EgressPolicy::allow_all(), ip), "{ip}");
            assert!(allows(&EgressPolicy::default(), ip), "{ip}");
            assert!(!allows(&EgressPolicy::deny_all(), ip), "{ip}");
        }
    }

    #[test]
    fn the_most_recent_rule_wins() {
        let network = |text: &str| text.parse().unwrap();
        let egress = EgressPolicy::public_only()
            .allow_network(network("10.0.0.0/8"))
            .deny_network(network("10.1.0.0/16"))
            .allow_network(network("10.1.1.0/24"))
            .deny_network(network("8.8.8.8"))
            .allow_network(network("fd00::/8"));
        let rows = [
            ("10.0.0.1", true),
            ("10.1.0.1", false),
            ("10.1.1.1", true),
            ("8.8.8.8", false),
            ("8.8.4.4", true),
            ("192.168.0.1", false),
            ("fd00::1", true),
            ("fc00::1", false),
            // Other forms of the same address.
            ("::ffff:10.0.0.1", true),
            ("::ffff:10.1.0.1", false),
            ("64:ff9b::8.8.8.8", false),
            ("2002:808:808::", false),
            ("::ffff:8.8.4.4", true),
        ];
        for (ip, expected) in rows {
            assert_eq!(allows(&egress, ip), expected, "{ip}");
        }
        // A rule for all of IPv6 does not allow denied IPv4 addresses.
        let egress = EgressPolicy::allow_all()
            .deny_network(network("10.0.0.0/8"))
            .allow_network(network("::/0"));
        for ip in ["::ffff:10.0.0.1", "64:ff9b::10.0.0.1", "2002:a00:1::", "2001:0:1::f5ff:fffe"] {
            assert!(!allows(&egress, ip), "{ip}");
        }
        // An IPv4 address that no rule denies is allowed by a rule for its IPv6 form, whatever the
        // initial choice.
        let egress = EgressPolicy::public_only().allow_network(network("64:ff9b::/96"));
        for (ip, expected) in [("64:ff9b::10.0.0.1", true), ("::ffff:10.0.0.1", false)] {
            assert_eq!(allows(&egress, ip), expected, "{ip}");
        }
    }

    #[test]
    fn errors_name_the_denied_address_port_or_scheme() {
        let public = EgressPolicy::public_only().allow_ports([443]);
        let line = |address: &str| public.check(address.parse().unwrap()).unwrap_err().to_string();
        assert_eq!(line("[::1]:443"), "::1 is not allowed by the egress policy");
        assert_eq!(line("8.8.8.8:80"), "port 80 is not allowed by the egress policy");
    }

    #[test]
    fn schemes_are_allowed_and_denied() {
        use Security::{Plain, Tls};
        let all = EgressPolicy::allow_all;
        for (egress, http, https) in [
            (all(), true, true),
            (all().allow_schemes(["HTTPS"]), false, true),
            (all().allow_schemes(["http"]), true, false),
            (all().allow_schemes([]), false, false),
            (all().deny_scheme("http"), false, true),
        ] {
            assert_eq!(egress.check_scheme(Plain).is_ok(), http, "{egress:?}");
            assert_eq!(egress.check_scheme(Tls).is_ok(), https, "{egress:?}");
        }
        let denied =
            all().deny_scheme("http").understood().unwrap().check_scheme(Plain).unwrap_err();
        assert_eq!(denied.to_string(), "http is not allowed by the egress policy");
    }

    /// A name can lead to any address, so only a policy that allows all of them allows it.
    #[test]
    fn names_that_a_proxy_resolves_need_permission() {
        let network = || "10.0.0.0/8".parse().unwrap();
        for (egress, names, unix) in [
            (EgressPolicy::allow_all(), true, true),
            (EgressPolicy::allow_all().allow_ports([80]).allow_schemes(["http"]), true, true),
            (EgressPolicy::allow_all().allow_network(network()), true, true),
            (EgressPolicy::allow_all().deny_network(network()), false, true),
            (EgressPolicy::public_only(), false, false),
            (EgressPolicy::public_only().allow_network(network()), false, false),
            (EgressPolicy::deny_all(), false, false),
            (EgressPolicy::deny_all().allow_proxied_names(), true, false),
            (EgressPolicy::public_only().allow_proxied_names(), true, false),
        ] {
            assert_eq!(egress.check_proxied_name().is_ok(), names, "{egress:?}");
            assert_eq!(egress.allows_unix_sockets(), unix, "{egress:?}");
        }
    }

    #[test]
    fn ports_are_allowed_and_denied() {
        let check =
            |egress: &EgressPolicy, port| egress.check(SocketAddr::from(([8, 8, 8, 8], port)));
        let some = EgressPolicy::public_only().allow_ports([80, 443]).allow_port_range(8000..=8010);
        for (port, allowed) in [(80, true), (443, true), (22, false), (8010, true), (8011, false)] {
            assert_eq!(check(&some, port).is_ok(), allowed, "{port}");
        }
        assert_eq!(check(&some, 22), Err(Denied::Port(22)));
        let most = EgressPolicy::allow_all().deny_port_range(1..=1023).allow_ports([80]);
        assert_eq!(check(&most, 80), Err(Denied::Port(80)), "denied is denied");
        assert!(check(&EgressPolicy::allow_all().deny_port_range(25..=25), 80).is_ok());
        assert_eq!(check(&EgressPolicy::allow_all().allow_ports([]), 80), Err(Denied::Port(80)));
    }
}
