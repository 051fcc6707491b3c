use std::collections::hash_map::DefaultHasher;

use proptest::prelude::*;

use super::*;

pub(super) fn url(input: &str) -> Url {
    Url::parse(input).unwrap_or_else(|error| panic!("{input:?}: {error}"))
}

/// WHATWG URL §4.4.
#[test]
fn normal_forms() {
    let table = [
        // Normalized already.
        ("http://h/", "http://h/"),
        ("https://u:p@h.example:81/a/b?c=d#e", "https://u:p@h.example:81/a/b?c=d#e"),
        // Spaces and controls at both ends, tabs and newlines anywhere.
        (" \0\u{1F}http://h/ \n", "http://h/"),
        ("\tht\ntp\r:/\t/h\t/\np?\rq#\nf", "http://h/p?q#f"),
        // The scheme, and any number of slashes.
        ("HtTp://h", "http://h/"),
        ("http:h", "http://h/"),
        ("https:/h", "https://h/"),
        ("http:\\\\h\\p", "http://h/p"),
        ("http:///\\/h", "http://h/"),
        // User name and password: split at the last `@` and the first `:`.
        ("http://a@b@c/", "http://a%40b@c/"),
        ("http://a:b:c@h/", "http://a:b%3Ac@h/"),
        ("http://a:@h/", "http://a@h/"),
        ("http://:b@h/", "http://:b@h/"),
        ("http://:@h/", "http://h/"),
        ("http://@h/", "http://h/"),
        ("http://h:\\@g/", "http://h/@g/"),
        ("http://é:€\u{7F}@h/", "http://%C3%A9:%E2%82%AC%7F@h/"),
        ("http:// !\"$%&'()*+,-.;<=>@h/", "http://%20!%22$%&'()*+,-.%3B%3C%3D%3E@h/"),
        ("http://[]^_`{|}~%41@h/", "http://%5B%5D%5E_%60%7B%7C%7D~%41@h/"),
        // The port.
        ("http://h:/", "http://h/"),
        ("http://h:80/", "http://h/"),
        ("http://h:0000443/", "http://h:443/"),
        ("https://h:443/", "https://h/"),
        ("http://h:65535/", "http://h:65535/"),
        ("http://h:0/", "http://h:0/"),
        // The host.
        ("http://H.Example./", "http://h.example./"),
        ("http://%48%2Eexample/", "http://h.example/"),
        ("http://a_b!$&'()*+,;=`{}~\"/", "http://a_b!$&'()*+,;=`{}~\"/"),
        ("http://XN--A/", "http://xn--a/"),
        ("http://../", "http://../"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://%31/", "http://0.0.0.1/"),
        ("http://[2001:DB8::0:1]:81/", "http://[2001:db8::1]:81/"),
        // The path: dots and slashes.
        ("http://h/a/./b/../c", "http://h/a/c"),
        ("http://h/a/.", "http://h/a/"),
        ("http://h/a/b/..", "http://h/a/"),
        ("http://h/..", "http://h/"),
        ("http://h/../../a", "http://h/a"),
        ("http://h/a/%2e/%2E%2e/.%2E/b", "http://h/b"),
        ("http://h/.a/..b/.../%2e%2f/.%2", "http://h/.a/..b/.../%2e%2f/.%2"),
        ("http://h//a//..", "http://h//a/"),
        ("http://h\\a\\..\\b", "http://h/b"),
        ("http://h?", "http://h/?"),
        ("http://h#", "http://h/#"),
        ("http://h?a/../b\\c#d?e/../f", "http://h/?a/../b\\c#d?e/../f"),
    ];
    for (input, expected) in table {
        assert_eq!(url(input).as_str(), expected, "{input:?}");
    }
}

/// The percent-encode sets of §1.3; existing percent-encoding is kept.
#[test]
fn percent_encode_sets_of_path_query_and_fragment() {
    let table = [
        (
            "http://h/ !\"$%&'*+,:;<=>@[]^_`{|}~",
            "http://h/%20!%22$%&'*+,:;%3C=%3E@[]%5E_%60%7B|%7D~",
        ),
        (
            "http://h/? !\"$%&'*+,/:;<=>?@[\\]^_`{|}~",
            "http://h/?%20!%22$%&%27*+,/:;%3C=%3E?@[\\]^_`{|}~",
        ),
        (
            "http://h/# !\"#$%&'*+,/:;<=>?@[\\]^_`{|}~",
            "http://h/#%20!%22#$%&'*+,/:;%3C=%3E?@[\\]^_%60{|}~",
        ),
        ("http://h/%41%zz?%41%zz#%41%zz", "http://h/%41%zz?%41%zz#%41%zz"),
        ("http://h/é\u{7F}?€\0#😀\u{1}x", "http://h/%C3%A9%7F?%E2%82%AC%00#%F0%9F%98%80%01x"),
    ];
    for (input, expected) in table {
        assert_eq!(url(input).as_str(), expected, "{input:?}");
    }
}

#[test]
fn errors_say_what_is_wrong() {
    let long = format!("http://h/{}", "a".repeat(MAX_LEN));
    let long_when_encoded = format!("http://h/{}", "é".repeat(MAX_LEN / 4));
    let table = [
        ("", "the URL is empty"),
        (" \t\n", "the URL is empty"),
        (&long, "the URL is longer than 65534 bytes"),
        (&long_when_encoded, "the URL is longer than 65534 bytes"),
        ("/a", "relative URL without a base: did you mean `http://…` or `https://…`?"),
        ("example.com/a:b", "relative URL without a base: did you mean `http://…` or `https://…`?"),
        ("://h", "relative URL without a base: did you mean `http://…` or `https://…`?"),
        ("wss:///", "the URL has no host"),
        ("ftp://:21/", "the URL has no host"),
        ("foo://:81", "the URL has no host"),
        ("foo://u@/", "the URL has no host"),
        ("foo://a b/", "the host has the forbidden character ' '"),
        ("foo://a\\b", "the host has the forbidden character '\\\\'"),
        ("foo://[1]/", "the host is in brackets but is no valid IPv6 address"),
        ("foo://h:65536", "the port is not a number from 0 to 65535"),
        ("file://h:80/", "the host has the forbidden character ':'"),
        ("file://u@h/", "the host has the forbidden character '@'"),
        ("http://", "the URL has no host"),
        ("http:///?q", "the URL has no host"),
        ("http://u:p@/", "the URL has no host"),
        ("http://u@:80/", "the URL has no host"),
        ("http://a b/", "the host has the forbidden character ' '"),
        ("http://a%0d%0Ab/", "the host has the forbidden character '\\r'"),
        ("http://a%00b/", "the host has the forbidden character '\\0'"),
        ("http://a%2fb/", "the host has the forbidden character '/'"),
        ("http://a%40b/", "the host has the forbidden character '@'"),
        ("http://a%/", "the host has the forbidden character '%'"),
        ("http://a%7f/", "the host has the forbidden character '\\u{7f}'"),
        ("http://a[1::2]/", "the host has the forbidden character '['"),
        ("http://1::2/", "the port is not a number from 0 to 65535"),
        ("http://1.2.3.256/", "the host ends in a number but is no valid IPv4 address"),
        ("http://h.0x/", "the host ends in a number but is no valid IPv4 address"),
        ("http://[::1/", "the host is in brackets but is no valid IPv6 address"),
        ("http://[::1]a/", "the host is in brackets but is no valid IPv6 address"),
        ("http://[]/", "the host is in brackets but is no valid IPv6 address"),
        ("http://[fe80::1%25eth0]/", "the host is in brackets but is no valid IPv6 address"),
        ("http://[::%31]/", "the host is in brackets but is no valid IPv6 address"),
        ("http://h:65536/", "the port is not a number from 0 to 65535"),
        ("http://h:+80/", "the port is not a number from 0 to 65535"),
        ("http://h:-1/", "the port is not a number from 0 to 65535"),
        ("http://h:8 0/", "the port is not a number from 0 to 65535"),
        ("http://h:18446744073709551696/", "the port is not a number from 0 to 65535"),
        ("http://h:٣/", "the port is not a number from 0 to 65535"),
    ];
    for (input, message) in table {
        let error = Url::parse(input).unwrap_err();
        assert_eq!(error.to_string(), message, "{:.40}", input);
    }
    let longest = "a".repeat(MAX_LEN - "http://h/".len());
    assert_eq!(url(&format!("http://h/{longest}")).path().len(), longest.len() + 1);
    let long_scheme = url(&("s".repeat(1000) + ":")).http_scheme().unwrap_err();
    let long_host = Url::parse(&format!("http://{}%0A", "é".repeat(1000))).unwrap_err();
    for error in [long_scheme, long_host] {
        let message = error.to_string();
        assert!(message.chars().count() < 130 && !message.contains('\n'), "{message}");
    }
}

#[test]
fn hosts_that_are_not_ascii() {
    let table = [
        ("http://Bücher.example/", Ok("http://xn--bcher-kva.example/")),
        ("http://b%C3%BCcher.example/", Ok("http://xn--bcher-kva.example/")),
        ("http://fußball/", Ok("http://xn--fuball-cta/")),
        ("http://a。b/", Ok("http://a.b/")),
        ("http://１２７.1/", Ok("http://127.0.0.1/")),
        ("http://a\u{AD}b/", Ok("http://ab/")),
        ("http://\u{AD}/", Err(ParseError::EmptyHost)),
        ("http://a％00b/", Err(ParseError::InvalidHostCharacter('%'))),
        ("http://a／b/", Err(ParseError::InvalidHostCharacter('/'))),
        ("http://%FF/", Err(ParseError::IdnaError)),
        ("http://xn--a.ü/", Err(ParseError::IdnaError)),
    ];
    for (input, expected) in table {
        let parsed = Url::parse(input);
        if cfg!(feature = "idna") {
            assert_eq!(
                parsed.as_ref().map(Url::as_str),
                expected.as_ref().map(|url| *url),
                "{input}"
            );
        } else {
            let error = parsed.unwrap_err();
            assert!(matches!(error, ParseError::IdnaFeatureMissing(_)), "{input}: {error}");
        }
    }
    let error = ParseError::IdnaFeatureMissing("bücher".into());
    assert_eq!(
        error.to_string(),
        "the host \"bücher\" is not ASCII, which needs the feature `idna`"
    );
}

/// WHATWG URL §4.4, *relative state*; RFC 3986 §5.4 has most of these.
#[test]
fn joining() {
    let base = "http://u:p@a:81/b/c/d;p?q#f";
    let table = [
        ("", "http://u:p@a:81/b/c/d;p?q"),
        (" ", "http://u:p@a:81/b/c/d;p?q"),
        ("#s", "http://u:p@a:81/b/c/d;p?q#s"),
        ("?y", "http://u:p@a:81/b/c/d;p?y"),
        ("?y#s", "http://u:p@a:81/b/c/d;p?y#s"),
        ("g", "http://u:p@a:81/b/c/g"),
        ("g/", "http://u:p@a:81/b/c/g/"),
        (";x", "http://u:p@a:81/b/c/;x"),
        (".", "http://u:p@a:81/b/c/"),
        ("..", "http://u:p@a:81/b/"),
        ("../..", "http://u:p@a:81/"),
        ("../../../g", "http://u:p@a:81/g"),
        ("%2e%2E/g", "http://u:p@a:81/b/g"),
        ("..\\g", "http://u:p@a:81/b/g"),
        ("/g?y", "http://u:p@a:81/g?y"),
        ("\\g", "http://u:p@a:81/g"),
        ("/./g", "http://u:p@a:81/g"),
        ("//g", "http://g/"),
        ("\\/v@g:80", "http://v@g/"),
        ("///g/h", "http://g/h"),
        ("http:g", "http://u:p@a:81/b/c/g"),
        ("http:", "http://u:p@a:81/b/c/d;p?q"),
        ("HTTP:?y", "http://u:p@a:81/b/c/d;p?y"),
        ("http:/g", "http://u:p@a:81/g"),
        ("http://g", "http://g/"),
        ("https:g", "https://g/"),
        ("https:/g", "https://g/"),
        ("1:2", "http://u:p@a:81/b/c/1:2"),
        (":", "http://u:p@a:81/b/c/:"),
    ];
    for (reference, expected) in table {
        assert_eq!(
            url(base).join(reference).as_ref().map(Url::as_str),
            Ok(expected),
            "{reference:?}"
        );
    }
    assert_eq!(url("http://h").join("a").unwrap().as_str(), "http://h/a");
    assert_eq!(url("http://h/a#?").join("?").unwrap().as_str(), "http://h/a?");
    assert_eq!(url(base).join("g:h"), Ok(url("g:h")));
    assert_eq!(url(base).join("g://h"), Ok(url("g://h")));
    assert_eq!(url(base).join("file:g"), Ok(url("file:///g")));
    assert_eq!(url(base).join("//"), Err(ParseError::EmptyHost));
    assert_eq!(url(base).join(&"a/".repeat(MAX_LEN / 2)), Err(ParseError::TooLong));
}

#[test]
fn parts() {
    let url = url("https://u%20:p%3A@h.example:81/a%20b//?c=d+e&f#g?h");
    assert_eq!(url.scheme(), "https");
    assert_eq!(url.authority(), "u%20:p%3A@h.example:81");
    assert_eq!((url.username(), url.password()), ("u%20", Some("p%3A")));
    assert_eq!(url.host_str(), Some("h.example"));
    assert_eq!(url.host(), Some(Host::Domain("h.example")));
    assert_eq!(url.domain(), Some("h.example"));
    assert_eq!((url.port(), url.port_or_known_default()), (Some(81), Some(81)));
    assert_eq!(url.path(), "/a%20b//");
    assert_eq!(url.path_segments().unwrap().collect::<Vec<_>>(), ["a%20b", "", ""]);
    assert_eq!(url.query(), Some("c=d+e&f"));
    let pairs = [("c".into(), "d e".into()), ("f".into(), "".into())];
    assert_eq!(url.query_pairs().collect::<Vec<_>>(), pairs);
    assert_eq!(url.fragment(), Some("g?h"));
    assert_eq!(url.request_target(), "/a%20b//?c=d+e&f");
    assert_eq!(url.host_header(), "h.example:81");
    assert_eq!(url.to_string(), url.as_str());
    assert_eq!(format!("{:-^60}", url), format!("{:-^60}", url.as_str()));
}

#[test]
fn missing_parts() {
    let url = url("http://127.1");
    assert_eq!(url.authority(), "127.0.0.1");
    assert_eq!((url.username(), url.password()), ("", None));
    assert_eq!((url.host(), url.domain()), (Some(Host::Ipv4([127, 0, 0, 1].into())), None));
    assert_eq!((url.port(), url.port_or_known_default()), (None, Some(80)));
    assert_eq!((url.path(), url.query(), url.fragment()), ("/", None, None));
    assert_eq!(url.path_segments().unwrap().collect::<Vec<_>>(), [""]);
    assert_eq!(url.query_pairs().next(), None);
    assert_eq!((url.request_target(), url.host_header()), ("/", "127.0.0.1"));
}

#[test]
fn empty_is_not_missing() {
    let url = url("https://[::FFFF:7f00:1]?#");
    assert_eq!(url.as_str(), "https://[::ffff:7f00:1]/?#");
    assert_eq!((url.query(), url.fragment()), (Some(""), Some("")));
    assert_eq!(url.host_str(), Some("[::ffff:7f00:1]"));
    let host = url.host().unwrap();
    assert_eq!(host.to_string(), "[::ffff:7f00:1]");
    assert_eq!(host.to_owned(), Host::Ipv6("::ffff:127.0.0.1".parse().unwrap()));
    assert_eq!(url.port_or_known_default(), Some(443));
}

#[test]
fn equality_order_and_hash_are_those_of_the_text() {
    use std::collections::HashSet;

    let urls =
        ["http://a/", "http://a/?", "http://a:81/", "http://b/", "http://u@a/", "https://a/"];
    let sorted: Vec<Url> = urls.map(url).into();
    assert!(sorted.is_sorted());
    assert_eq!(sorted.iter().collect::<HashSet<_>>().len(), urls.len());
    assert_eq!(url("http://a"), url("HTTP://A:80/b/.."));
}

/// A generator of random sequences of URL-like pieces.
pub(super) fn url_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "https?:(//)?",
        1 => "(file|foo|ws|mailto|blob):(//)?",
        1 => "/?[a-zA-Z][:|]/?",
        4 => "[/\\\\?#@:%.&=+]",
        2 => "%2[eEfF0]|\\.\\.|%[0-9a-f]{2}",
        2 => "[a-zA-Z0-9-]{1,5}",
        1 => "\\[[0-9a-f:.]{0,9}\\]?",
        1 => "(0x?)?[0-9]{1,10}",
        1 => "[ \t\n'\"<>^`{|}\0é。]",
    ];
    let start = prop_oneof![
        Just(""),
        Just("http://h"),
        Just("https://h/"),
        Just("file://"),
        Just("foo://"),
        Just("foo:"),
        Just("foo:/")
    ];
    (start, prop::collection::vec(piece, 0..10))
        .prop_map(|(start, pieces)| start.to_owned() + &pieces.concat())
}

/// Checks the invariants of every URL, however it was made.
fn check(url: &Url) -> Result<(), TestCaseError> {
    prop_assert_eq!(Url::parse(url.as_str()), Ok(url.clone()));
    let is_plain = |byte: u8| byte.is_ascii_graphic() || byte == b' ' && url.cannot_be_a_base();
    prop_assert!(url.as_str().bytes().all(is_plain) && !url.path().ends_with(' '));
    prop_assert!(!url.request_target().contains('#'));
    prop_assert!(!url.host_header().contains(['@', '/', '?', '#', '\\']));
    prop_assert!(url.path().starts_with('/') || !url.is_special());
    prop_assert!(url.has_host() || !url.is_special() || url.scheme() == "file");
    prop_assert!(url.has_host() || url.port().is_none() && !url.has_userinfo());
    prop_assert!(url.has_authority() || url.authority().is_empty());
    if url.http_scheme().is_ok() {
        prop_assert!(url.port_or_known_default().is_some() && url.origin().is_tuple());
    }
    let fragment = url.fragment().map_or(String::new(), |fragment| format!("#{fragment}"));
    let mark = match url.has_authority() {
        true => "//",
        false if url.path().starts_with("//") => "/.",
        false => "",
    };
    let Url { serialization, .. } = url;
    let together = [url.scheme(), ":", mark, url.authority(), url.request_target(), &fragment];
    prop_assert_eq!(together.concat(), serialization.as_str());
    Ok(())
}

proptest! {
    #[test]
    fn anything_parses_to_a_fixed_point(input in prop_oneof![url_like(), any::<String>()]) {
        if let Ok(url) = Url::parse(&input) {
            check(&url)?;
        }
    }

    #[test]
    fn anything_joins(base in url_like(), reference in url_like()) {
        let Ok(base) = Url::parse(&base) else { return Ok(()) };
        if let Ok(url) = base.join(&reference) {
            check(&url)?;
            prop_assert_eq!(base.join(url.as_str()), Ok(url));
        } else {
            prop_assert!(base.join("#f").is_ok());
        }
    }

    #[test]
    fn setters_keep_it_a_url(
        input in url_like(), set in 0..6, value in url_like(), port: Option<u16>,
    ) {
        let Ok(mut url) = Url::parse(&input) else { return Ok(()) };
        let before = url.clone();
        let refused = match set {
            0 => url.set_scheme(&value).is_err(),
            1 => url.set_username(&value).is_err(),
            2 => url.set_password(Some(&value)).is_err(),
            3 => url.set_host(Some(&value)).is_err(),
            4 => url.set_host(None).is_err(),
            _ => url.set_port(port).is_err(),
        };
        check(&url)?;
        prop_assert!(!refused || url == before);
        url.set_path(&value);
        check(&url)?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop().push(&value).pop_if_empty();
            check(&url)?;
        }
        url.set_query(Some(&value));
        check(&url)?;
        url.set_fragment(Some(&value));
        check(&url)?;
    }

    #[test]
    fn pairs_round_trip(pairs: Vec<(String, String)>) {
        let url = Url::parse_with_params("http://h/#f", &pairs).unwrap();
        let read = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned()));
        prop_assert_eq!(read.collect::<Vec<_>>(), pairs);
        check(&url)?;
    }
}

#[test]
fn the_placeholder_is_a_url() {
    assert_eq!(Url::parse("http://no.url.invalid/"), Ok(Url::nowhere()));
}

#[test]
fn origins() {
    let table = [
        ("http://h/", "http://u:p@H:80/a?b#c", true),
        ("https://h:443/", "https://h/", true),
        ("http://127.1/", "http://127.0.0.1/", true),
        ("http://h/", "https://h/", false),
        ("http://h:443/", "https://h/", false),
        ("http://h/", "http://h:81/", false),
        ("http://h/", "http://h./", false),
        ("http://h/", "http://g.h/", false),
    ];
    for (a, b, same) in table {
        assert_eq!(url(a).origin() == url(b).origin(), same, "{a} {b}");
    }
    let host = Host::Ipv6("::1".parse().unwrap());
    let origin = url("https://u:p@[::1]:80/a").origin();
    assert_eq!(origin, Origin::Tuple("https".to_owned(), host, 80));
    let table = [
        ("https://u:p@[::1]:80/a", "https://[::1]:80"),
        ("https://h:443/", "https://h"),
        ("ftp://h:21/", "ftp://h"),
        ("ws://h:443/", "ws://h:443"),
        ("blob:https://h:81/a", "https://h:81"),
        ("blob:ftp://h/", "null"),
        ("blob:blob:https://h/", "null"),
        ("blob://h/", "null"),
        ("file://h/a", "null"),
        ("foo://h:81/", "null"),
        ("mailto:a", "null"),
    ];
    for (input, expected) in table {
        assert_eq!(url(input).origin().ascii_serialization(), expected, "{input}");
        assert_eq!(url(input).origin().is_tuple(), expected != "null", "{input}");
        assert_eq!(url(input).origin() == url(input).origin(), expected != "null", "{input}");
    }
    let opaque = Origin::new_opaque();
    assert_eq!(opaque.clone(), opaque);
}

/// WHATWG URL §4.4 for schemes other than `http` and `https`.
#[test]
fn other_schemes() {
    let table = [
        // Special ones: the default port, any number of slashes, backslashes.
        ("WS:h:80/a\\b?'", "ws://h/a/b?%27"),
        ("wss:///h:443", "wss://h/"),
        ("ftp:\\\\u:p@h:21/./a", "ftp://u:p@h/a"),
        // With an authority: an opaque host, any port, an empty path.
        ("FOO://H%41:80", "foo://H%41:80"),
        ("foo://\u{e9}\u{1}/", "foo://%C3%A9%01/"),
        ("foo://1.2.3/a\\b?'", "foo://1.2.3/a\\b?'"),
        ("foo://[::0:1]", "foo://[::1]"),
        ("foo://u:@h:/..?", "foo://u@h/?"),
        ("foo://?q", "foo://?q"),
        ("foo:///a", "foo:///a"),
        // Without one: `/.` keeps two slashes from being one.
        ("foo:/a/../b", "foo:/b"),
        ("foo:/..//a", "foo:/.//a"),
        ("foo:/.//a", "foo:/.//a"),
        // An opaque path, of which only the last space would get lost.
        ("mailto:A b@c", "mailto:A b@c"),
        ("data:\u{e9}\u{1}/../a\\b ", "data:%C3%A9%01/../a\\b"),
        ("data:a  ?b c", "data:a %20?b%20c"),
        ("data:a  #'", "data:a %20#'"),
        ("a+b-c.9:", "a+b-c.9:"),
        ("localhost:80", "localhost:80"),
    ];
    for (input, expected) in table {
        assert_eq!(url(input).as_str(), expected, "{input:?}");
        check(&url(input)).unwrap();
    }
}

/// *Relative state* for schemes other than `http` and `https`.
#[test]
fn joining_to_other_schemes() {
    let table = [
        ("foo://h", "a", "foo://h/a"),
        ("foo://u@h:1/b/c?q#f", "../a\\", "foo://u@h:1/a\\"),
        ("foo://h/b", "//g:80", "foo://g:80"),
        ("foo://h/b", "\\\\g", "foo://h/\\\\g"),
        ("foo://h/b", "foo:a", "foo:a"),
        ("foo:/.//b", "a", "foo:/.//a"),
        ("foo:/.//b", "/a", "foo:/a"),
        ("foo:/b/c", "..//a", "foo:/.//a"),
        ("foo:/b", "//g", "foo://g"),
        ("mailto:a?q#f", "#g", "mailto:a?q#g"),
        ("wss://h/b", "wss:a", "wss://h/a"),
        ("ftp://h/b", "\\\\g", "ftp://g/"),
    ];
    for (base, reference, expected) in table {
        let joined = url(base).join(reference);
        assert_eq!(joined.as_ref().map(Url::as_str), Ok(expected), "{base} {reference:?}");
    }
    for reference in ["", "a", "/a", "//h", "?q"] {
        assert_eq!(url("mailto:a").join(reference), Err(ParseError::CannotBeABase), "{reference}");
    }
}

#[test]
fn parts_of_other_schemes() {
    let opaque = url("mailto:a@b?c#d");
    assert_eq!((opaque.scheme(), opaque.path(), opaque.query()), ("mailto", "a@b", Some("c")));
    assert!(opaque.cannot_be_a_base() && !opaque.has_authority() && !opaque.has_host());
    assert_eq!((opaque.host(), opaque.host_str(), opaque.domain()), (None, None, None));
    assert_eq!((opaque.authority(), opaque.port_or_known_default()), ("", None));
    assert!(opaque.path_segments().is_none() && opaque.clone().path_segments_mut().is_err());

    let file = url("file:///a");
    assert!(file.is_special() && file.has_authority() && !file.has_host());
    assert_eq!((file.host(), file.port_or_known_default()), (None, None));

    let other = url("foo://1.2.3.4:80");
    assert!(!other.is_special() && !other.cannot_be_a_base() && other.path_segments().is_none());
    assert_eq!(other.host(), Some(Host::Domain("1.2.3.4")));
    assert_eq!(url("ftp://1.2.3.4").host(), Some(Host::Ipv4([1, 2, 3, 4].into())));
    let ports =
        ["ftp://h", "ws://h", "wss://h", "foo://h:1"].map(|it| url(it).port_or_known_default());
    assert_eq!(ports, [Some(21), Some(80), Some(443), Some(1)]);

    let apart = url("foo:/.//a");
    assert_eq!((apart.scheme(), apart.path(), apart.has_authority()), ("foo", "//a", false));
    assert_eq!(&apart[..Position::BeforePath], "foo:/.");
}

/// Every sender of a request calls this first.
#[test]
fn only_http_and_https_are_schemes_of_requests() {
    assert_eq!(url("http://h").http_scheme(), Ok(Scheme::Http));
    assert_eq!(url("https://h").http_scheme(), Ok(Scheme::Https));
    let table = [
        ("ws://h", "the scheme `ws` is not `http` or `https`"),
        ("file:///a", "the scheme `file` is not `http` or `https`"),
        ("httpx://h", "the scheme `httpx` is not `http` or `https`"),
        ("localhost:80", "the scheme `localhost` is not `http` or `https`"),
        ("user:secret@h", "the scheme is not `http` or `https`"),
    ];
    for (input, message) in table {
        assert_eq!(url(input).http_scheme().unwrap_err().to_string(), message, "{input}");
    }
}

#[test]
fn socket_addresses_need_no_lookup_for_an_address() {
    let never = || unreachable!("the scheme has a default port");
    for (input, expected) in [
        ("http://1.2.3.4/", "1.2.3.4:80"),
        ("https://1.2.3.4/", "1.2.3.4:443"),
        ("http://[::1]:81/", "[::1]:81"),
    ] {
        assert_eq!(url(input).socket_addrs(never).unwrap(), [expected.parse().unwrap()]);
    }
    assert!(url("http://a..b/").socket_addrs(never).is_err());
    assert_eq!(url("foo://[::1]").socket_addrs(|| Some(9)).unwrap(), ["[::1]:9".parse().unwrap()]);
    assert_eq!(url("foo://[::1]:8").socket_addrs(never).unwrap(), ["[::1]:8".parse().unwrap()]);
    for (input, message) in [("mailto:a", "no host"), ("foo://[::1]", "has a port")] {
        let error = url(input).socket_addrs(|| None).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().contains(message), "{error}");
    }
}

/// `std` and the crate `url` compare and hash a URL as its string.
#[test]
fn order_and_hash_are_those_of_the_string() {
    let mut urls = ["http://h/b", "https://a/", "http://h:81/a", "http://h/"].map(url);
    urls.sort();
    assert_eq!(urls.map(String::from), ["http://h/", "http://h/b", "http://h:81/a", "https://a/"]);
    let hash = |value: &dyn Fn(&mut DefaultHasher)| {
        let mut hasher = DefaultHasher::new();
        value(&mut hasher);
        hasher.finish()
    };
    let url = url("http://u:p@h/?q");
    assert_eq!(hash(&|hasher| url.hash(hasher)), hash(&|hasher| url.as_str().hash(hasher)));
}

#[test]
fn positions() {
    use Position::*;
    const FULL: &str = "https://user:pass@h.example:81/path?query#fragment";
    let table = [
        (FULL, BeforeScheme..AfterScheme, "https"),
        (FULL, AfterScheme..BeforeUsername, "://"),
        (FULL, BeforeUsername..AfterUsername, "user"),
        (FULL, AfterUsername..BeforePassword, ":"),
        (FULL, BeforePassword..AfterPassword, "pass"),
        (FULL, AfterPassword..BeforeHost, "@"),
        (FULL, BeforeHost..AfterHost, "h.example"),
        (FULL, AfterHost..BeforePort, ":"),
        (FULL, BeforePort..AfterPort, "81"),
        (FULL, AfterPort..BeforePath, ""),
        (FULL, BeforePath..AfterPath, "/path"),
        (FULL, AfterPath..BeforeQuery, "?"),
        (FULL, BeforeQuery..AfterQuery, "query"),
        (FULL, AfterQuery..BeforeFragment, "#"),
        (FULL, BeforeFragment..AfterFragment, "fragment"),
        (FULL, BeforeHost..AfterPort, "h.example:81"),
        ("http://h/", BeforeUsername..BeforeHost, ""),
        ("http://h/", AfterHost..BeforePath, ""),
        ("http://h/", AfterPath..AfterFragment, ""),
        ("http://h/?#", AfterPath..BeforeQuery, "?"),
        ("http://h/?#", BeforeQuery..BeforeFragment, "#"),
        ("http://u@h/", BeforeUsername..AfterPassword, "u"),
        ("http://:p@h/", AfterUsername..BeforeHost, ":p@"),
        ("http://h/", AfterHost..BeforeHost, ""),
    ];
    for (input, range, expected) in table {
        assert_eq!(&url(input)[range.clone()], expected, "{input} {range:?}");
    }
    assert_eq!((&url(FULL)[..], &url(FULL)[..AfterScheme]), (FULL, "https"));
    assert_eq!(&url(FULL)[BeforePath..], "/path?query#fragment");
}

#[test]
fn relative_references() {
    let table = [
        ("http://h/a/b", "http://h/a/c", "c"),
        ("http://h/a/b", "http://h/a/b", ""),
        ("http://h/a/b", "http://h/a/b?q#f", "?q#f"),
        ("http://h/a/b", "http://h/a/b/c", "b/c"),
        ("http://h/a/b/c", "http://h/d", "../../d"),
        ("http://h/a/b/", "http://h/a/", "../"),
        ("http://u@h/a", "http://v:w@h/b", "b"),
        // The crate `url` returns references that resolve to something else.
        ("http://h/a?q", "http://h/a", "/a"),
        ("http://h/a?q", "http://h/a#f", "/a#f"),
        ("http://h/a/b", "http://h/a/", "/a/"),
        ("http://h/a", "http://h/b:c", "/b:c"),
        ("http://h/a", "http://h//b", "/.//b"),
        ("foo:/a/b", "foo:/c", "../c"),
        ("foo:/a", "foo:/.//b", "/.//b"),
        ("foo://h/a", "foo://h", "//h"),
        ("file:///C:/a", "file:///D:/b", "/D:/b"),
        ("file:///C:/a", "file:///b", "///b"),
    ];
    for (base, target, expected) in table {
        let (base, target) = (url(base), url(target));
        assert_eq!(base.make_relative(&target).as_deref(), Some(expected), "{base} {target}");
    }
    for other in ["https://h/", "http://g/", "http://h:81/", "mailto:h"] {
        assert_eq!(url("http://h/").make_relative(&url(other)), None, "{other}");
    }
    assert_eq!(url("mailto:a").make_relative(&url("mailto:a#f")), None);
    assert_eq!(url("foo://u@h/a").make_relative(&url("foo://u@h")), None);
}

proptest! {
    #[test]
    fn relative_references_resolve_to_their_target(base in url_like(), target in url_like()) {
        let (Ok(mut base), Ok(mut target)) = (Url::parse(&base), Url::parse(&target)) else {
            return Ok(());
        };
        base.take_userinfo();
        target.take_userinfo();
        if let Some(reference) = base.make_relative(&target) {
            prop_assert_eq!(base.join(&reference), Ok(target), "{} {:?}", base, reference);
        }
    }
}

#[test]
fn segments_are_edited_one_by_one() {
    type Edit = fn(&mut PathSegmentsMut<'_>);
    let table: [(&str, Edit, &str); 16] = [
        ("/a/b", |path| _ = path.clear(), "/"),
        ("/a/b", |path| _ = path.pop(), "/a"),
        ("/a/", |path| _ = path.pop(), "/a"),
        ("/a", |path| _ = path.pop(), "/"),
        ("/", |path| _ = path.pop().pop_if_empty(), "/"),
        ("//", |path| _ = path.pop(), "/"),
        ("/a/", |path| _ = path.pop_if_empty(), "/a"),
        ("/a", |path| _ = path.pop_if_empty(), "/a"),
        ("/a//", |path| _ = path.pop_if_empty(), "/a/"),
        ("/", |path| _ = path.push("a").push("b"), "/a/b"),
        ("/a/", |path| _ = path.push("b"), "/a//b"),
        ("/a", |path| _ = path.push("").push("b"), "/a//b"),
        ("/", |path| _ = path.push("").push("b"), "/b"),
        ("/a", |path| _ = path.extend([".", "..", ".\t", "b"]), "/a/b"),
        ("/", |path| _ = path.push("%2e/\\?#^ \u{e9}"), "/%252e%2F%5C%3F%23%5E%20%C3%A9"),
        ("/", |path| _ = path.push("a\n;=:@&"), "/a;=:@&"),
    ];
    for (path, edit, expected) in table {
        let mut edited = url(&format!("http://u:p@h:81{path}?q#f"));
        edit(&mut edited.path_segments_mut().unwrap());
        assert_eq!(edited, url(&format!("http://u:p@h:81{expected}?q#f")), "{path}");
    }
}
