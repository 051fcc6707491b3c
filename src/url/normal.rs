//! A fast path for URLs that are normalized already, as most are: they are scanned once and copied
//! unchanged.

use std::net::Ipv4Addr;

use super::parse::{FRAGMENT, PATH_SET, QUERY_IN_URL};
use super::{Scheme, Url, host, ip};
use crate::base::percent::Table;

/// A whole path, including its slashes.
static PATH: Table = PATH_SET.stopping(b"\\");

/// Returns `input` as a URL, if it is normalized already.
///
/// Recognizes only common URLs: without userinfo, an IPv6 address, or a segment that begins like a dot
/// segment. The parser handles all others.
pub(super) fn recognize(input: &str) -> Option<Url> {
    let mut schemes = [Scheme::Http, Scheme::Https].into_iter();
    let scheme = schemes.find(|scheme| input.starts_with(scheme.prefix()))?;
    let authority = input.strip_prefix(scheme.prefix())?;
    let behind_host = skip_host(authority)?;
    let behind_port = skip_port(behind_host, scheme)?;
    let behind_path = skip_path(behind_port)?;
    let behind_query = skip_marked('?', &QUERY_IN_URL, behind_path);
    if !skip_marked('#', &FRAGMENT, behind_query).is_empty() {
        return None;
    }
    let parts = [authority, authority, behind_host, behind_port, behind_path, behind_query];
    Some(Url {
        serialization: input.to_owned(),
        ends: parts.map(|behind| input.len() - behind.len()),
    })
}

/// Skips a domain, or an IPv4 address of four decimal numbers.
fn skip_host(input: &str) -> Option<&str> {
    let (host, behind) = split_run(input, host::is_plain);
    let is_domain = || !host.is_empty() && !ip::ends_in_number(host);
    let is_usual = host.parse::<Ipv4Addr>().is_ok() || is_domain();
    is_usual.then_some(behind)
}

/// Skips a port, if there is one.
fn skip_port(input: &str, scheme: Scheme) -> Option<&str> {
    let Some(input) = input.strip_prefix(':') else { return Some(input) };
    let (digits, behind) = split_run(input, |byte| byte.is_ascii_digit());
    let port: u16 = digits.parse().ok()?;
    let is_usual = port != scheme.default_port() && !digits.starts_with('0');
    is_usual.then_some(behind)
}

/// Skips a path without dot segments.
fn skip_path(input: &str) -> Option<&str> {
    let (path, behind) = PATH.split(input);
    let may_be_dots = |pair: &[u8]| matches!(pair, [b'/', b'.' | b'%']);
    let is_usual = path.starts_with('/') && !path.as_bytes().windows(2).any(may_be_dots);
    is_usual.then_some(behind)
}

/// Skips a query or a fragment, if there is one.
fn skip_marked<'a>(mark: char, table: &Table, input: &'a str) -> &'a str {
    input.strip_prefix(mark).map_or(input, |input| table.split(input).1)
}

/// Splits `input` after the longest prefix of accepted bytes, all of which are ASCII.
fn split_run(input: &str, belongs: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = input.bytes().position(|byte| !belongs(byte));
    end.and_then(|end| input.split_at_checked(end)).unwrap_or((input, ""))
}

#[cfg(test)]
mod tests {
    use super::super::parse::normalize;
    use super::super::tests::url_like;
    use super::*;

    #[test]
    fn usual_urls_are_recognized() {
        for usual in [
            "http://h/",
            "https://example.com/",
            "http://127.0.0.1:8080/small",
            "https://a-b.xn--c_.example./d/e.f/~g;h=i/j%20/?j=k&l=%22/?#m?n#",
            "http://h:443/?",
            "https://h:80//a//b/#",
            "http://h:65535/a.../b%2e",
        ] {
            assert_eq!(recognize(usual), normalize(usual, None).ok(), "{usual}");
            assert!(recognize(usual).is_some(), "{usual}");
        }
    }

    /// URLs that the parser changes or rejects, and uncommon ones, which are left to it.
    #[test]
    fn other_urls_are_left_to_the_parser() {
        for other in [
            "",
            "http",
            "http:",
            "http:/h/",
            "HTTP://h/",
            "ftp://h/",
            "http://",
            "http:///",
            "http://h",
            "http://h?a",
            "http://H/",
            "http://h%41/",
            "http://u@h/",
            "http://[::1]/",
            "http://1.2.3/",
            "http://1.2.3.4./",
            "http://1.2.3.04/",
            "http://1.2.3.256/",
            "http://h.0x1/",
            "http://h.1/",
            "http://h:/",
            "http://h:80/",
            "https://h:443/",
            "http://h:081/",
            "http://h:0/",
            "http://h:65536/",
            "http://h:+81/",
            "http://h:81a/",
            "http://h\\a",
            "http://h/a\\b",
            "http://h/.",
            "http://h/a/../b",
            "http://h/%2e",
            "http://h/.a",
            "http://h/a b",
            "http://h/a\n",
            "http://h/ ",
            "http://h/^",
            "http://h/\u{e9}",
            "http://h/?'",
            "http://h/?a b",
            "http://h/#`",
            "http://h/#a b",
            "http://h/#\u{e9}",
            "http://\u{e9}/",
        ] {
            assert_eq!(recognize(other), None, "{other}");
        }
    }

    proptest::proptest! {
        #[test]
        fn recognizing_agrees_with_parsing(input in url_like()) {
            if let Some(url) = recognize(&input) {
                proptest::prop_assert_eq!(Ok(url), normalize(&input, None));
            }
            if let Ok(url) = normalize(&input, None) {
                let again = recognize(url.as_str());
                proptest::prop_assert!(again.is_none_or(|again| again == url && again.ends == url.ends));
            }
        }
    }
}
