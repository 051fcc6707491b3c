//! Our `Url` against that of the crate `url`, on inputs made of the pieces that parsers stumble over.
//!
//! Both follow the URL Standard (<https://url.spec.whatwg.org/>). Where version 2.5 of the crate does
//! not, or not yet, it is put right before the comparison: see [`peer`], and [`any_xn_label`].
#![cfg(feature = "idna")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "url_differential/peer.rs"]
mod peer;

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr};

use leanhttp::url::{Position, Url};
use proptest::prelude::*;
use proptest::sample::select;

use peer::{Set, Theirs, without_excess_slashes};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4096) })]

    #[test]
    fn parse(input in absolute()) {
        let theirs = Theirs::parse(&input).ok();
        if !peer::is_misread(theirs.as_ref(), &input) {
            compare(Url::parse(&input).ok(), theirs)?;
        }
    }

    #[test]
    fn join(base in absolute(), reference in prop_oneof![absolute(), tail(), pieces(TAIL, 9)]) {
        if let Some((ours, theirs)) = both(&base) {
            let reference = match ours.is_special() {
                true => without_excess_slashes(&reference),
                false => reference,
            };
            let joined = theirs.join(&reference).ok();
            let is_misread = peer::is_misread(Some(&theirs), &reference)
                || peer::is_misread(joined.as_ref(), &reference);
            if !is_misread && !peer::is_beyond(&theirs) {
                compare(ours.join(&reference).ok(), joined)?;
            }
        }
    }

    #[test]
    fn setters(base in absolute(), sets in prop::collection::vec(set(), 0..5)) {
        if let Some((mut ours, mut theirs)) = both(&base) {
            for set in sets {
                if peer::is_lenient(&set, &theirs) {
                    continue;
                }
                let (before, their_before) = (ours.clone(), theirs.clone());
                let results = set.apply(&mut ours, &mut theirs);
                if peer::is_beyond(&their_before) || peer::is_beyond(&theirs) {
                    return Ok(());
                }
                prop_assert_eq!(results.0, results.1, "{:?} {} {}", set, before, their_before);
                compare(Some(ours.clone()), Some(theirs.clone()))?;
            }
        }
    }

    /// A reference of the crate that resolves to another URL than its target is not compared: ours never does.
    #[test]
    fn make_relative(base in absolute(), reference in prop_oneof![absolute(), tail(), pieces(TAIL, 9)]) {
        let Some((base, their_base)) = both(&base) else { return Ok(()) };
        let reference = without_excess_slashes(&reference);
        let target = base.join(&reference).ok().zip(their_base.join(&reference).ok());
        let Some((mut target, mut their_target)) = target.filter(is_same) else { return Ok(()) };
        if peer::is_beyond(&their_base) {
            return Ok(());
        }
        let ours = base.make_relative(&target);
        let theirs = their_base.make_relative(&their_target);
        prop_assert!(ours.is_none() || theirs.is_some());
        let Some(theirs) = theirs else { return Ok(()) };
        let Some(ours) = ours else {
            // There is none that resolves.
            prop_assert!(their_base.join(&theirs).as_ref() != Ok(&their_target));
            return Ok(());
        };
        // A relative reference takes user name and password from the base; without a host there are none.
        let _ = target.set_username(base.username());
        let _ = target.set_password(base.password());
        prop_assert_eq!(base.join(&ours), Ok(target));
        let _ = their_target.set_username(their_base.username());
        let _ = their_target.set_password(their_base.password());
        if their_base.join(&theirs).as_ref() == Ok(&their_target) {
            prop_assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn answers(input in absolute()) {
        let Some((ours, theirs)) = both(&input).filter(is_same) else { return Ok(()) };
        prop_assert_eq!(ours.is_special(), theirs.is_special());
        prop_assert_eq!(ours.has_host(), theirs.has_host());
        prop_assert_eq!(ours.has_authority(), theirs.has_authority());
        prop_assert_eq!(ours.cannot_be_a_base(), theirs.cannot_be_a_base());
        prop_assert_eq!(format!("{ours:>90}|{ours:.9}"), format!("{theirs:>90}|{theirs:.9}"));
        prop_assert_eq!(hash_of(&ours), hash_of(&theirs));
        if ours.domain().is_none() {
            let addresses = theirs.socket_addrs(|| None).ok();
            prop_assert_eq!(ours.socket_addrs(|| None).ok(), addresses);
        }
    }

    #[test]
    fn order(one in absolute(), other in absolute()) {
        let both = both(&one).filter(is_same).zip(both(&other).filter(is_same));
        if let Some(((one, their_one), (other, their_other))) = both {
            prop_assert_eq!(one.cmp(&other), their_one.cmp(&their_other));
            prop_assert_eq!(one == other, their_one == their_other);
        }
    }

    #[test]
    fn positions(input in absolute()) {
        let Some((ours, theirs)) = both(&input).filter(is_same) else { return Ok(()) };
        // The crate panics if nothing follows the slashes. Where `/.` keeps a path apart, ours belongs to the scheme.
        let is_apart = !ours.has_authority() && ours.path().starts_with("//");
        if ours.authority().is_empty() && ours.path().is_empty() || is_apart {
            return Ok(());
        }
        // Of a user name without a password the crate takes the `@` for the password (and debug builds
        // panic).
        let has_name_only = !ours.username().is_empty() && ours.password().is_none();
        let is_compared = |name: &str| !(has_name_only && name.ends_with("Password"));
        let names: Vec<_> = POSITIONS.iter().filter(|(name, ..)| is_compared(name)).collect();
        for (at, (start, our_start, their_start)) in names.iter().enumerate() {
            prop_assert_eq!(&ours[*our_start..], &theirs[*their_start..], "{}..", start);
            prop_assert_eq!(&ours[..*our_start], &theirs[..*their_start], "..{}", start);
            for (end, our_end, their_end) in names.iter().skip(at) {
                let (a, b) = (&ours[*our_start..*our_end], &theirs[*their_start..*their_end]);
                prop_assert_eq!(a, b, "{}..{}", start, end);
            }
        }
        prop_assert_eq!(&ours[..], &theirs[..]);
    }

    /// *Domain to ASCII* has let a domain in ASCII pass since 2026, whatever its labels say
    /// (whatwg/url#914). The crate looks into those that start with `xn--`, so it is given others.
    #[test]
    fn any_xn_label(host in pieces(&["xn--", "XN--", "xn--", "a", "Z", "0", "-", ".", "%41", "_"], 5)) {
        let theirs = Theirs::parse(&format!("http://{}/", host.to_lowercase().replace("xn--", "xy--")));
        let theirs = theirs.ok().map(|url| url.as_str().replace("xy--", "xn--"));
        prop_assert_eq!(Url::parse(&format!("http://{host}/")).ok().map(String::from), theirs);
    }
}

/// The whole list of the web platform has few URLs of each kind; these are many.
#[test]
fn all_kinds_of_urls_are_compared() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut kinds = std::collections::BTreeMap::<String, u32>::new();
    for _ in 0..4000 {
        let input = absolute().new_tree(&mut runner).unwrap().current();
        let Some((ours, _)) = both(&input).filter(is_same) else { continue };
        let kind = match (ours.cannot_be_a_base(), ours.has_authority()) {
            (true, _) => "opaque",
            (false, true) => "authority",
            (false, false) => "path",
        };
        let scheme = if ours.is_special() { ours.scheme() } else { kind };
        *kinds.entry(scheme.to_owned()).or_default() += 1;
    }
    for kind in ["http", "https", "ws", "wss", "ftp", "file", "opaque", "authority", "path"] {
        assert!(kinds.get(kind).is_some_and(|count| *count >= 20), "{kind}: {kinds:?}");
    }
}

/// Returns whether both are the same string, without what is put right of the crate.
fn is_same((ours, theirs): &(Url, Theirs)) -> bool {
    ours.as_str() == theirs.as_str()
}

fn hash_of(url: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    url.hash(&mut hasher);
    hasher.finish()
}

/// The positions of both by their name, in order.
macro_rules! positions {
    ($($name:ident),*) => {
        [$((stringify!($name), Position::$name, whatwg_url::Position::$name)),*]
    };
}

const POSITIONS: [(&str, Position, whatwg_url::Position); 16] = positions!(
    BeforeScheme,
    AfterScheme,
    BeforeUsername,
    AfterUsername,
    BeforePassword,
    AfterPassword,
    BeforeHost,
    AfterHost,
    BeforePort,
    AfterPort,
    BeforePath,
    AfterPath,
    BeforeQuery,
    AfterQuery,
    BeforeFragment,
    AfterFragment
);

fn both(input: &str) -> Option<(Url, Theirs)> {
    Url::parse(input).ok().zip(Theirs::parse(input).ok())
}

fn compare(ours: Option<Url>, theirs: Option<Theirs>) -> Result<(), TestCaseError> {
    if theirs.as_ref().is_some_and(peer::is_beyond) {
        return Ok(());
    }
    prop_assert_eq!(ours.map(String::from), peer::expected(theirs));
    Ok(())
}

fn absolute() -> impl Strategy<Value = String> {
    let userinfo =
        prop_oneof![3 => Just(String::new()), 1 => pieces(USERINFO, 5).prop_map(|it| it + "@")];
    let port =
        prop_oneof![3 => Just(String::new()), 1 => pieces(PORT, 2).prop_map(|it| format!(":{it}"))];
    let authority = (select(SLASHES), userinfo, host(), port)
        .prop_map(|(slashes, userinfo, host, port)| [slashes, &userinfo, &host, &port].concat());
    (pieces(OUTSIDE, 1), select(SCHEMES), authority, tail(), pieces(OUTSIDE, 1)).prop_map(
        |(before, scheme, authority, tail, after)| {
            [&before, scheme, &authority, &tail, &after].concat()
        },
    )
}

fn host() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        (0_u64..300).prop_map(|n| n.to_string()),
        any::<u64>().prop_map(|n| n.to_string()),
        (0_u64..70_000).prop_map(|n| format!("0x{n:x}")),
        (0_u64..700).prop_map(|n| format!("0{n:o}")),
    ];
    prop_oneof![
        5 => pieces(HOST, 5),
        1 => pieces(UNICODE_HOST, 5).prop_map(|host| host + "\u{fc}"),
        2 => pieces(IPV6, 7).prop_map(|address| format!("[{address}]")),
        1 => pieces(IPV6, 5).prop_map(|address| format!("[{address}")),
        2 => any::<Ipv6Addr>().prop_map(|address| format!("[{address}]")),
        2 => prop::collection::vec(number, 1..6).prop_map(|numbers| numbers.join(".")),
        1 => "[a-z]{1,9}(\\.[a-z]{1,3}){0,2}\\.?",
    ]
}

/// Path, query and fragment. No segment is like a Windows drive letter: *shorten a URL's path* keeps
/// that of a `file` URL alone, and the crate those of all.
fn tail() -> impl Strategy<Value = String> {
    (select(&["", "/", "\\", "?", "#"][..]), pieces(TAIL, 12))
        .prop_map(|(start, rest)| start.to_owned() + &rest)
}

fn pieces(of: &'static [&'static str], max: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(select(of), 0..=max).prop_map(|pieces| pieces.concat())
}

fn set() -> impl Strategy<Value = Set> {
    use prop::option::of;
    let schemes = &[
        "http", "https", "HTTP:", "h\tttps", "https//", "", ":", "1http", "ws", "wss", "ftp",
        "file", "foo", "b+",
    ][..];
    let ports = &[0, 1, 80, 443, 8080, 65_535][..];
    prop_oneof![
        select(schemes).prop_map(|scheme| Set::Scheme(scheme.to_owned())),
        pieces(USERINFO, 4).prop_map(Set::Username),
        of(pieces(USERINFO, 4)).prop_map(Set::Password),
        host().prop_map(Set::Host),
        Just(Set::Host(String::new())),
        Just(Set::NoHost),
        any::<IpAddr>().prop_map(Set::IpHost),
        of(select(ports)).prop_map(Set::Port),
        pieces(TAIL, 9).prop_map(Set::Path),
        of(pieces(TAIL, 9)).prop_map(Set::Query),
        of(pieces(TAIL, 9)).prop_map(Set::Fragment),
        prop::collection::vec((pieces(TAIL, 4), pieces(TAIL, 4)), 1..3).prop_map(Set::Pairs),
        prop::collection::vec(pieces(TAIL, 3), 1..3).prop_map(Set::Keys),
        Just(Set::NoPairs),
        prop::collection::vec(segment(), 0..4).prop_map(Set::Segments),
        Just(Set::PopSegment),
        Just(Set::PopEmptySegment),
        Just(Set::NoSegments),
    ]
}

/// See [`Set::Segments`].
fn segment() -> impl Strategy<Value = String> {
    pieces(TAIL, 5).prop_map(|segment| segment.replace(['\t', '\n', '\r'], ""))
}

const OUTSIDE: &[&str] = &[" ", "\0", "\n", "\u{1f}", "\t"];

const SCHEMES: &[&str] = &[
    "http:", "http:", "https:", "https:", "hTtPs:", "h\ttp:", "http", "", ":", "ftp:", "http+x:",
    "1http:", "ws:", "wss:", "file:", "foo:", "foo:", "Mailto:", "blob:",
];

const SLASHES: &[&str] = &["//", "//", "//", "//", "", "/", "\\\\", "/\\", "///", "\t//", "/\n/"];

const USERINFO: &[&str] = &[
    "u", "p", ":", ":", "@", "@", "%40", "%3a", "%zz", "%", " ", "\u{e9}", "\"", "<", ">", "`",
    "{", "}", "|", "^", "[", "]", ";", "=", "'", "\t", "&", "$", "!", "~", "\u{0}", "\u{7f}",
];

const HOST: &[&str] = &[
    "a",
    "b",
    "example",
    ".",
    ".",
    "com",
    "A",
    "Z",
    "0",
    "1",
    "9",
    "255",
    "256",
    "0x",
    "0X1f",
    "08",
    "017",
    "4294967295",
    "4294967296",
    "65536",
    "-",
    "_",
    "%41",
    "%2e",
    "%30",
    "%",
    "%zz",
    "%00",
    "%25",
    "%7f",
    "%c3%a9",
    "!",
    "$",
    "&",
    "'",
    "(",
    ")",
    "*",
    "+",
    ",",
    ";",
    "=",
    "~",
    "\"",
    "`",
    "{",
    "}",
    "<",
    ">",
    "^",
    "|",
    " ",
    "\t",
    "\u{7f}",
    "\u{0}",
];

const UNICODE_HOST: &[&str] = &[
    "a", "1", ".", "xn--", "-", "\u{fc}", "\u{df}", "\u{200d}", "\u{3002}", "\u{ff10}", "\u{ad}",
    "\u{4e2d}", "\u{5d0}", "\u{301}", "\u{2100}", "\u{ff0f}", "%c3%9f", "%ff",
];

const IPV6: &[&str] = &[
    "0",
    "1",
    "ffff",
    "FFFF",
    "00ab",
    "12345",
    ":",
    ":",
    ":",
    ":",
    ":",
    "::",
    "::",
    ".",
    "1.2.3.4",
    "255",
    "256",
    "01",
    "%25",
    "%",
    "g",
    "]",
    " ",
    "\t",
    "-",
    "+1",
    "0:0:0",
    "1:2:3:4:5:6",
];

const PORT: &[&str] = &[
    "0",
    "1",
    "80",
    "443",
    "8080",
    "65535",
    "65536",
    "00080",
    "a",
    "-1",
    "+1",
    " ",
    "\t",
    ":",
    "\u{661}",
    "99999999999",
];

const TAIL: &[&str] = &[
    "a",
    "b",
    "/",
    "/",
    "/",
    "\\",
    ".",
    ".",
    "..",
    "..",
    "%2e",
    "%2E",
    "%2",
    "%",
    "%zz",
    "%00",
    " ",
    "\"",
    "#",
    "?",
    "<",
    ">",
    "^",
    "`",
    "{",
    "}",
    "|=",
    "'",
    ";",
    ":=",
    "@",
    "[",
    "]",
    "~",
    "\u{e9}",
    "\u{20ac}",
    "\u{1f600}",
    "\t",
    "\n",
    "\r",
    "\u{0}",
    "\u{1f}",
    "\u{7f}",
    "&",
    "=",
];
