use super::*;
use crate::url::tests::url;

#[test]
fn an_owned_host_displays_the_same() {
    for (text, host) in [
        ("a.example", Host::Domain("a.example".to_owned())),
        ("1.2.3.4", Host::Ipv4(Ipv4Addr::new(1, 2, 3, 4))),
        ("[::ffff:1.2.3.4]", Host::Ipv6("::ffff:102:304".parse().unwrap())),
    ] {
        let url = url(&format!("http://{text}/"));
        assert_eq!(url.host().unwrap().to_owned(), host);
        assert_eq!(Some(host.to_string().as_str()), url.host_str());
    }
}

/// A host alone means what it means in a URL, and what ends a host there is refused.
#[test]
fn a_host_parses_as_in_a_url() {
    for text in ["A.example", "%61.example", "0x7f.1", "[0:0::1]", "a_b", "1.2.3.4.", "a..b"] {
        let url = url(&format!("http://{text}/"));
        assert_eq!(Host::parse(text), Ok(url.host().unwrap().to_owned()), "{text}");
    }
    for text in ["", "a b", "a/b", "a:80", "u@a", "a?", "a#", "::1", "[::1", "1.2.3.4.5"] {
        assert!(Host::parse(text).is_err(), "{text}");
    }
}

/// RFC 1035 §2.3.4: 63 bytes a label, and 255 for the encoded name, which is 253 in text.
#[test]
fn resolvable_hosts_respect_the_length_limits() {
    let (longest, too_long) = ("a".repeat(63), "a".repeat(64));
    let four = [longest.as_str(), &longest, &longest, &"a".repeat(61)].join(".");
    let table = [
        (longest.as_str(), true),
        (&too_long, false),
        (&four, true),
        (&format!("{four}."), true),
        (&format!("{four}a"), false),
        ("a.b", true),
        ("a.b.", true),
        ("a..b", false),
        (".a", false),
        ("a..", false),
        (".", false),
        ("1.2.3.4", true),
        ("[::1]", true),
    ];
    for (host, resolvable) in table {
        assert_eq!(
            url(&format!("http://{host}/")).host().unwrap().is_resolvable(),
            resolvable,
            "{host}"
        );
    }
}

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
        assert_eq!(parse_v4(text), Err(ParseError::InvalidIpv4Address), "{text}");
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
