//! Networks of addresses, and IPv4 addresses embedded in IPv6 ones.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

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
        let most = if address.is_ipv4() { 32 } else { 128 };
        match prefix.parse() {
            Ok(prefix) if digits && prefix <= most => Ok(Self { address, prefix }.canonical()),
            _ => Err(NetworkError(())),
        }
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
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_the_addresses_with_its_prefix() {
        let rows = [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.9.9.9/8", "10.0.0.1", true),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "1.2.3.4", false),
            ("::/0", "ffff::", true),
            ("fd00::/8", "fdff::1", true),
            ("fd00::/8", "fe00::1", false),
            ("2001:db8::/127", "2001:db8::1", true),
            ("2001:db8::/127", "2001:db8::2", false),
            ("2001:db8::1/128", "2001:db8::1", true),
            ("::ffff:10.0.0.0/104", "10.255.0.1", true),
            ("::ffff:10.0.0.0/104", "11.0.0.0", false),
            ("::ffff:0.0.0.0/96", "255.255.255.255", true),
            ("::ffff:192.0.2.1", "192.0.2.1", true),
            ("::ffff:192.0.2.1", "192.0.2.2", false),
            ("::ffff:0:0/95", "192.0.2.1", false),
        ];
        for (network, address, expected) in rows {
            let network: Network = network.parse().unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), expected, "{network} {address}");
        }
    }

    #[test]
    fn a_network_is_shown_as_it_is_written() {
        for text in ["10.0.0.0/8", "192.0.2.1/32", "fd00::/8", "::/0"] {
            let network: Network = text.parse().unwrap();
            assert_eq!(format!("{network} {network:?}"), format!("{text} {text}"));
        }
        assert_eq!(Network::v4([10, 0, 0, 0], 8).to_string(), "10.0.0.0/8");
        assert_eq!(Network::v6([0xfd00, 0, 0, 0, 0, 0, 0, 0], 8).to_string(), "fd00::/8");
        let error = "10.0.0.0/33".parse::<Network>().unwrap_err().to_string();
        assert!(error.starts_with("not a network in CIDR notation"), "{error}");
    }

    #[test]
    fn invalid_networks_are_refused() {
        for text in [
            "",
            "/8",
            "10/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "::/129",
            "[::]/0",
            "a/8",
            "10.0.0.0/8/8",
        ] {
            assert_eq!(text.parse::<Network>(), Err(NetworkError(())), "{text}");
        }
    }

    #[test]
    fn embedded_ipv4_addresses_are_found() {
        let ten = Ipv4Addr::new(10, 0, 0, 1);
        let rows = [
            ("::ffff:10.0.0.1", Some(Embedded::Same(ten))),
            ("64:ff9b::10.0.0.1", Some(Embedded::Same(ten))),
            ("::10.0.0.1", Some(Embedded::Tunnel(ten))),
            ("2002:a00:1::5", Some(Embedded::Tunnel(ten))),
            ("2001:0:1:2:3:4:f5ff:fffe", Some(Embedded::Tunnel(ten))),
            ("::", None),
            ("::1", None),
            ("64:ff9b:1::10.0.0.1", None),
            ("2001:db8::10.0.0.1", None),
        ];
        for (address, expected) in rows {
            assert_eq!(embedded(address.parse().unwrap()), expected, "{address}");
        }
    }
}
