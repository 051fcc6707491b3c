//! Parses and serializes IP addresses in hosts (WHATWG URL §3.5).
//!
//! The standard library parses IPv6 addresses, since its grammar is that of the URL Standard. Its
//! serializer differs, so there is one here.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::ParseError;

/// *Ends in a number checker*: if this returns true, the domain must be an IPv4 address.
pub(super) fn ends_in_number(domain: &str) -> bool {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let last = domain.rsplit('.').next().unwrap_or_default();
    let all_digits = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    all_digits || parse_number(last).is_some()
}

/// *IPv4 parser*: parses one to four numbers, the last of which fills the remaining bytes.
pub(super) fn parse_v4(domain: &str) -> Result<Ipv4Addr, ParseError> {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let mut address = 0;
    let mut parts = domain.split('.').peekable();
    for place in 0..4 {
        let number = parts.next().and_then(parse_number).ok_or(ParseError::InvalidIpv4)?;
        let bits_left = 32 - 8 * place;
        if parts.peek().is_none() {
            let fits = number < 1 << bits_left;
            let address = address | u32::try_from(number).map_err(|_| ParseError::InvalidIpv4)?;
            return if fits { Ok(Ipv4Addr::from(address)) } else { Err(ParseError::InvalidIpv4) };
        }
        let byte = u8::try_from(number).map_err(|_| ParseError::InvalidIpv4)?;
        address |= u32::from(byte) << (bits_left - 8);
    }
    Err(ParseError::InvalidIpv4)
}

/// *IPv4 number parser*: parses a decimal number, octal after `0`, or hexadecimal after `0x`. A number
/// too large for `u64` saturates, which is too large for an address too.
fn parse_number(text: &str) -> Option<u64> {
    let (digits, radix) = match text.as_bytes() {
        [] => return None,
        [b'0', b'x' | b'X', digits @ ..] => (digits, 16),
        [b'0', digits @ ..] => (digits, 8),
        digits => (digits, 10),
    };
    digits.iter().try_fold(0u64, |number, &digit| {
        let digit = char::from(digit).to_digit(radix)?;
        Some(number.saturating_mul(radix.into()).saturating_add(digit.into()))
    })
}

/// *IPv6 serializer*, in brackets: omits the first longest run of zeros, and writes no part in the
/// dotted form of IPv4.
pub(super) fn write_v6(f: &mut fmt::Formatter<'_>, address: Ipv6Addr) -> fmt::Result {
    match address.to_ipv4_mapped() {
        // The only addresses that the standard library writes in the dotted form.
        Some(v4) => {
            let [a, b, c, d] = v4.octets().map(u16::from);
            write!(f, "[::ffff:{:x}:{:x}]", a << 8 | b, c << 8 | d)
        }
        None => write!(f, "[{address}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::url::Host;

    /// WHATWG URL §3.5, *IPv4 parser*.
    #[test]
    fn v4() {
        let table: [(&str, [u8; 4]); 15] = [
            ("1.2.3.4", [1, 2, 3, 4]),
            ("1.2.3.4.", [1, 2, 3, 4]),
            ("1.2.772", [1, 2, 3, 4]),
            ("1.131844", [1, 2, 3, 4]),
            ("16909060", [1, 2, 3, 4]),
            ("01.02.03.04", [1, 2, 3, 4]),
            ("0x1.0X2.0x3.0x4", [1, 2, 3, 4]),
            ("0x01020304", [1, 2, 3, 4]),
            ("0100.0x40.64", [64, 64, 0, 64]),
            ("0", [0, 0, 0, 0]),
            ("0x", [0, 0, 0, 0]),
            ("0x.0.0x", [0, 0, 0, 0]),
            ("4294967295", [255; 4]),
            ("0.16777215", [0, 255, 255, 255]),
            ("000000000000000000000000000177.1", [127, 0, 0, 1]),
        ];
        for (text, octets) in table {
            assert!(ends_in_number(text), "{text}");
            assert_eq!(parse_v4(text), Ok(Ipv4Addr::from(octets)), "{text}");
        }
        for text in [
            "256.0.0.1",
            "1.2.3.256",
            "1.2.65536",
            "1.16777216",
            "4294967296",
            "18446744073709551616",
            "99999999999999999999999999",
            "0xffffffffffffffffffffffff",
            "1.2.3.4.5",
            "1..3",
            ".1",
            "1.2.3.08",
            "09",
            "a.1",
            "a.0x",
        ] {
            assert!(ends_in_number(text), "{text}");
            assert_eq!(parse_v4(text), Err(ParseError::InvalidIpv4), "{text}");
        }
        for text in ["", ".", "..", "a", "1.a", "1..", "0xg", "1.2.3.4a", "0x1.", "-1", "+1"] {
            assert_eq!(ends_in_number(text), text == "0x1.", "{text}");
        }
    }

    /// WHATWG URL §3.5, *IPv6 parser* and *IPv6 serializer*.
    #[test]
    fn v6() {
        let table = [
            ("::", "[::]"),
            ("::1", "[::1]"),
            ("1::", "[1::]"),
            ("0:0:0:0:0:0:0:1", "[::1]"),
            ("2001:DB8:0:0:1:0:0:1", "[2001:db8::1:0:0:1]"),
            ("1:0:0:2:0:0:0:3", "[1:0:0:2::3]"),
            ("1:0:2:3:4:5:6:7", "[1:0:2:3:4:5:6:7]"),
            ("1:2:3:4:5:6:7::", "[1:2:3:4:5:6:7:0]"),
            ("0001:02::0a", "[1:2::a]"),
            ("::1.2.3.4", "[::102:304]"),
            ("::ffff:1.2.3.4", "[::ffff:102:304]"),
            ("::ffff:0:0", "[::ffff:0:0]"),
            ("64:ff9b::192.0.2.33", "[64:ff9b::c000:221]"),
        ];
        for (text, serialized) in table {
            let address = text.parse().unwrap();
            assert_eq!(Host::<&str>::Ipv6(address).to_string(), serialized, "{text}");
        }
        for text in [
            "",
            ":",
            ":::",
            "1",
            "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9",
            "1:2:3:4:5:6:7:8::",
            "1::2::3",
            ":1::2",
            "1::2:",
            "12345::",
            "g::",
            "::1%25eth0",
            "::1.2.3",
            "::1.2.3.4.5",
            "::01.2.3.4",
            "::1.2.3.256",
            "1.2.3.4::",
            "1:2:3:4:5:6:7:1.2.3.4",
            " ::1",
            "::1/64",
            "+1::",
        ] {
            assert!(text.parse::<Ipv6Addr>().is_err(), "{text}");
        }
    }
}
