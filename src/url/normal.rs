//! URLs that are in their normal form already, as most are: nothing of them has to change, so they
//! are looked through once and copied whole.

use std::net::Ipv4Addr;

use super::parse::{FRAGMENT, PATH_SET, QUERY_IN_URL};
use super::{Scheme, Url, host, ip};
use crate::base::percent::Table;

/// Segments with slashes between them.
static PATH: Table = PATH_SET.stopping(b"\\");

/// The URL that `input` is, if parsing would change nothing of it.
///
/// Not every such URL is recognized, only usual ones: without a user name, an IPv6 address, or a
/// segment that begins like dots.
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

/// What is behind a domain, or behind an IPv4 address of four decimal numbers.
fn skip_host(input: &str) -> Option<&str> {
    let (host, behind) = split_run(input, host::is_plain);
    let is_domain = || !host.is_empty() && !ip::ends_in_number(host);
    let is_usual = host.parse::<Ipv4Addr>().is_ok() || is_domain();
    is_usual.then_some(behind)
}

/// What is behind a port, which need not be there.
fn skip_port(input: &str, scheme: Scheme) -> Option<&str> {
    let Some(input) = input.strip_prefix(':') else { return Some(input) };
    let (digits, behind) = split_run(input, |byte| byte.is_ascii_digit());
    let port: u16 = digits.parse().ok()?;
    let is_usual = port != scheme.default_port() && !digits.starts_with('0');
    is_usual.then_some(behind)
}

/// What is behind a path without dot segments.
fn skip_path(input: &str) -> Option<&str> {
    let (path, behind) = PATH.split(input);
    let may_be_dots = |pair: &[u8]| matches!(pair, [b'/', b'.' | b'%']);
    let is_usual = path.starts_with('/') && !path.as_bytes().windows(2).any(may_be_dots);
    is_usual.then_some(behind)
}

/// What is behind a query or a fragment, which need not be there.
fn skip_marked<'a>(mark: char, table: &Table, input: &'a str) -> &'a str {
    input.strip_prefix(mark).map_or(input, |input| table.split(input).1)
}

/// Parts `input` behind the bytes at its beginning that belong to it, which are ASCII.
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

    /// What parsing changes or refuses, and what is left to it for being unusual.
    #[test]
    fn others_are_not() {
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
        fn what_is_recognized_is_what_parsing_makes(input in url_like()) {
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
