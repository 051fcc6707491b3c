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
    use crate::url::Scheme::{Http as Plain, Https as Tls};
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
    let denied = all().deny_scheme("http").understood().unwrap().check_scheme(Plain).unwrap_err();
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
    let check = |egress: &EgressPolicy, port| egress.check(SocketAddr::from(([8, 8, 8, 8], port)));
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

mod network {
    use super::super::*;

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
