use std::cell::Cell;

use proptest::prelude::*;

use super::*;

thread_local! {
    /// The searches so far.
    pub(super) static LOOKUPS: Cell<usize> = const { Cell::new(0) };
}

/// The same rules by comparing the URL with each entry.
fn covers_naively(list: &str, url: &Url) -> bool {
    list.split(',').filter_map(|entry| parse_entry(entry.trim())).any(|(hosts, port)| {
        let is_covered = match (hosts, url.host().unwrap()) {
            (Hosts::All, _) => true,
            (Hosts::Domain { name, is_itself_included }, Host::Domain(domain)) => {
                let before = without_dot(domain).strip_suffix(&*name);
                before.is_some_and(|before| {
                    before.ends_with('.') || is_itself_included && before.is_empty()
                })
            }
            (Hosts::Network(network), Host::Ipv4(address)) => network.contains(address.into()),
            (Hosts::Network(network), Host::Ipv6(address)) => {
                network.contains(IpAddr::from(address).to_canonical())
            }
            _ => false,
        };
        is_covered && port.is_none_or(|port| Some(port) == url.port_or_known_default())
    })
}

const ENTRY: &str = "(\\*\\.|\\.)?([ab]\\.){0,3}[ab]\\.?(:(80|443|81))?|\\*(:81)?|10\\.[0-2]\\.0\\.[0-3](/[0-9]{1,2})?|\\[?(::1|fd00::[0-3]|::ffff:10\\.0\\.0\\.1)(/1?[0-9]{1,2}|\\]|\\]:81)?|\\.{0,3}";
const HOST: &str = "([ab]\\.){0,4}[ab]\\.{0,2}|10\\.[0-2]\\.0\\.[0-3]|\\[(::1|fd00::[0-3]|::ffff:10\\.0\\.0\\.1)\\]|\\.";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_maps_follow_the_rules(
        entries in prop::collection::vec(ENTRY, 0..12),
        scheme in "https?", host in HOST, port in "(:(80|443|81))?",
    ) {
        let list = entries.join(",");
        if let Ok(url) = Url::parse(&format!("{scheme}://{host}{port}/")) {
            let covers = NoProxyList::parse(&list).covers(&url);
            prop_assert_eq!(covers, covers_naively(&list, &url), "{} {}", list, url);
        }
    }
}

/// Counts look-ups in maps, not time.
#[test]
fn the_cost_does_not_grow_with_the_list() {
    let lookups = |entries: usize, url: &str| {
        let one = |n: usize| {
            let (high, low) = (n / 250, n % 250);
            format!(
                "h{n}.example,*.s{n}.example,10.{high}.{low}.0/24,192.0.{high}.{low},fd00::{n:x}"
            )
        };
        let list: Vec<_> = (0..entries).map(one).collect();
        let list = NoProxyList::parse(&list.join(","));
        let url = Url::parse(url).unwrap();
        LOOKUPS.set(0);
        assert!(!list.covers(&url));
        LOOKUPS.get()
    };
    for (url, expected) in [
        ("http://www.other.example/", 3), // itself and two parents
        ("http://203.0.113.9/", 2),       // the prefixes /24 and /32
        ("http://[fd01::1]/", 3),         // and /128
    ] {
        for entries in [1, 1_000, 10_000] {
            assert_eq!(lookups(entries, url), expected, "{entries} {url}");
        }
    }
}

#[test]
fn debug_shows_the_entries() {
    let list = NoProxyList::parse("b.example:81, *.a.example,10.0.0.0/8,*, no host,::1");
    let shown =
        r#"{"*", "b.example:81", "*.a.example", "*.b.example:81", "[10.0.0.0/8]", "[::1/128]"}"#;
    assert_eq!(format!("{list:?}"), shown);
}

#[test]
fn entries_cover_hosts_and_ports() {
    // The list, the URLs that it covers, and those that it does not.
    let cases: [(&str, &[&str], &[&str]); 24] = [
        ("", &[], &["http://a.example/"]),
        (",, ,", &[], &["http://a.example/"]),
        ("*", &["http://a.example/", "https://10.0.0.1/", "http://[::1]:81/"], &[]),
        (" b.example , * ", &["http://a.example/"], &[]),
        (
            "example.com",
            &["http://example.com/", "https://EXAMPLE.com:81/", "http://a.b.example.com./"],
            &["http://nonexample.com/", "http://com/", "http://example.community/"],
        ),
        (".Example.com.", &["http://example.com/", "http://a.example.com/"], &["http://com/"]),
        ("*.example.com", &["http://a.example.com/"], &["http://example.com/"]),
        ("..example.com", &[], &["http://example.com/", "http://a.example.com/"]),
        (
            "example.com:81",
            &["http://a.example.com:81/"],
            &["http://example.com/", "https://example.com/"],
        ),
        ("example.com:443", &["https://example.com/"], &["http://example.com/"]),
        ("example.com:", &[], &["http://example.com/"]),
        ("example.com:+80,example.com:65616", &[], &["http://example.com/"]),
        ("a.test;b.test,a.test b.test,x@b.test", &[], &["http://b.test/"]),
        ("http://b.test,b.test/p,b.test?q,b.test#f", &[], &["http://b.test/"]),
        (
            "10.1.2.3",
            &["http://10.1.2.3/", "http://0xa.0x10203/", "http://[::ffff:a01:203]/"],
            &["http://10.1.2.30/", "http://10.1.2.3.example/"],
        ),
        ("0xa010203", &["http://10.1.2.3/"], &["http://10.1.2.4/"]),
        ("::1", &["http://[::1]:81/"], &["http://[::2]/"]),
        ("[::1]:81", &["http://[::1]:81/"], &["http://[::1]/"]),
        ("[::]:81", &["http://[::]:81/"], &["http://[::]/"]),
        ("[::1", &[], &["http://[::1]/"]),
        ("[::1]/p,[::1]?q,[::1]/128", &[], &["http://[::1]/"]),
        ("10.", &[], &["http://10.1.2.3/"]),
        ("[::1%25.example.com],::1%eth0", &[], &["http://[::1]/", "http://a.example.com/"]),
        ("b\u{fc}cher.example", &[], &["http://xn--bchr.example/"]),
    ];
    for (list, covered, others) in cases {
        let list = NoProxyList::parse(list);
        for (urls, expected) in [(covered, true), (others, false)] {
            for url in urls {
                assert_eq!(list.covers(&Url::parse(url).unwrap()), expected, "{list:?} {url}");
            }
        }
    }
}

#[test]
fn networks_cover_addresses() {
    let cases = [
        ("192.168.0.0/16", "192.168.255.255", true),
        ("192.168.0.0/16", "192.169.0.0", false),
        ("192.168.7.7/16", "192.168.0.1", true),
        ("192.168.0.1/32", "192.168.0.1", true),
        ("192.168.0.1/32", "192.168.0.0", false),
        ("0.0.0.0/0", "203.0.113.9", true),
        ("0.0.0.0/0", "[2001:db8::1]", false),
        ("10.0.0.0/8", "[::ffff:10.1.2.3]", true),
        ("::ffff:10.0.0.0/104", "10.1.2.3", true),
        ("::ffff:10.1.2.3", "10.1.2.3", true),
        ("::/0", "[2001:db8::1]", true),
        ("::/0", "10.0.0.1", false),
        ("2001:db8::/65", "[2001:db8::1]", true),
        ("2001:db8::/65", "[2001:db8:0:0:8000::1]", false),
        ("fd00::/8", "[fd12::1]", true),
        ("fd00::/8", "[fe80::1]", false),
        ("::1/128", "[::1]", true),
        ("10.0.0.0/33", "10.0.0.0", false),
        ("10.0.0.0/", "10.0.0.0", false),
        ("10.0.0.0/-1", "10.0.0.0", false),
        ("10.0.0.0/8a", "10.0.0.0", false),
        ("10.0.0.0/8:80", "10.0.0.0", false),
        ("::1/129", "[::1]", false),
    ];
    for (list, host, expected) in cases {
        let url = Url::parse(&format!("http://{host}/")).unwrap();
        assert_eq!(NoProxyList::parse(list).covers(&url), expected, "{list} {host}");
    }
}
