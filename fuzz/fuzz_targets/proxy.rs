//! Proxies: the result of a handshake does not depend on how its bytes are split, and it takes no byte
//! that follows them; a list of exceptions covers what its entries cover one by one; a variable of the
//! environment names a proxy or is an error, which does not show the password.
//!
//! After the line of sizes, the first letter selects the kind of the rest: the replies of a
//! `c`onnect, SOCKS `4` or `5` proxy, or one that may want a `l`ogin; a list of exceptions and
//! URLs, one on each line (`n`); or environment variables, one on each line, in which a dollar
//! stands for a password (`e`).
#![no_main]

use leanhttp::Url;
use leanhttp::fuzzing::proxy::{self, Protocol, Talk};
use leanhttp_fuzz::{Pieces, Sizes, find, response};
use libfuzzer_sys::fuzz_target;

const PASSWORD: &str = "s<ecret>";

fuzz_target!(|input: &[u8]| {
    let (sizes, rest) = leanhttp_fuzz::sizes(input);
    let [kind, rest @ ..] = rest else { return };
    match kind {
        b'c' => talk(Protocol::Connect, rest, sizes),
        b'4' => talk(Protocol::Socks4, rest, sizes),
        b'5' => talk(Protocol::Socks5, rest, sizes),
        b'l' => talk(Protocol::Login, rest, sizes),
        b'n' => exceptions(&String::from_utf8_lossy(rest)),
        b'e' => environment(&String::from_utf8_lossy(rest)),
        _ => {}
    }
});

fn talk(protocol: Protocol, words: &[u8], sizes: Sizes<'_>) {
    let run = |sizes| {
        let mut peer = Pieces { rest: words, sizes };
        let Talk { sent, end, leftover } = proxy::talk(protocol, &mut peer).unwrap();
        // The state after a failed handshake depends on the split, and is not used.
        let followed = if end.is_ok() { [&*leftover, peer.rest].concat() } else { Vec::new() };
        (sent, end, followed)
    };
    let whole = run(Sizes::WHOLE);
    assert_eq!(run(sizes), whole);
    let (sent, end, followed) = whole;
    let expected = match protocol {
        Protocol::Connect => connect(words),
        Protocol::Socks4 => socks4(words),
        Protocol::Socks5 => socks5(words, false),
        Protocol::Login => socks5(words, true),
    };
    assert!(end.is_err() || expected == Some(words.len() - followed.len()), "{expected:?}");
    assert!(end.is_ok() || protocol == Protocol::Connect || expected.is_none(), "{end:?}");
    let asked_for_login = protocol == Protocol::Login && words.starts_with(b"\x05\x02");
    assert_eq!(find(&sent, b"password").is_some(), asked_for_login);
    assert!(find(&sent, b"a.example").is_none_or(|_| !asked_for_login || words.get(3) == Some(&0)));
}

/// The length of the replies if they open the tunnel: RFC 9110 §9.3.6.
fn connect(words: &[u8]) -> Option<usize> {
    let head = response::final_head(words)?;
    // `HTTP/1.1 2xx`
    (words.get(head.start + 9) == Some(&b'2')).then_some(head.end)
}

fn socks4(words: &[u8]) -> Option<usize> {
    (words.len() >= 8 && words.starts_with(&[0, 0x5a])).then_some(8)
}

/// The same for SOCKS: RFC 1928, RFC 1929.
fn socks5(words: &[u8], login: bool) -> Option<usize> {
    let start = match words {
        [5, 0, ..] => 2,
        [5, 2, 1, 0, ..] if login => 4,
        _ => return None,
    };
    let reply = &words[start..];
    let length = match *reply {
        [5, 0, _, 1, ..] => 4 + 4 + 2,
        [5, 0, _, 4, ..] => 4 + 16 + 2,
        [5, 0, _, 3, length, ..] => 4 + 1 + usize::from(length) + 2,
        _ => return None,
    };
    (reply.len() >= length).then_some(start + length)
}

fn exceptions(text: &str) {
    let mut lines = text.split('\n');
    let list = lines.next().unwrap_or_default();
    let urls = lines.take(8).filter_map(|line| Url::parse(line).ok());
    // Only what is sent goes by a proxy.
    for url in urls.filter(|url| matches!(url.scheme(), "http" | "https")) {
        let covered = proxy::no_proxy(list, &url);
        let entries = list.split(',').map(str::trim);
        assert_eq!(covered, entries.clone().any(|entry| proxy::no_proxy(entry, &url)), "{url}");
        assert!(covered || entries.clone().all(|entry| entry != "*"));
        for entry in entries {
            let expected = covers(entry, url.domain().unwrap_or_default());
            let is = proxy::no_proxy(entry, &url);
            assert!(expected.is_none_or(|expected| expected == is), "{entry:?} {url}");
        }
        // A host covers itself, in any case and on its own port.
        let host = url.host_str().unwrap();
        if host.contains([',', '*']) || host.starts_with('.') || host.contains("..") {
            continue; // neither a list nor a lookup can name it
        }
        let port = url.port_or_known_default().unwrap();
        assert!(proxy::no_proxy(&host.to_uppercase(), &url), "{url}");
        assert!(!proxy::no_proxy(&format!("{host}:{}", port ^ 1), &url), "{url}");
    }
}

/// Returns whether this entry covers the host, if it consists of plain letters.
fn covers(entry: &str, host: &str) -> Option<bool> {
    let below = entry.strip_prefix("*.");
    let domain = below.or(entry.strip_prefix('.')).unwrap_or(entry);
    let is_plain = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_lowercase());
    if !domain.split('.').all(is_plain) {
        return None;
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_below = host.ends_with(&format!(".{domain}"));
    Some(is_below || (below.is_none() && host == domain))
}

fn environment(text: &str) {
    let variable = |line: &str| {
        let (name, value) = line.split_once('=')?;
        Some((name.to_owned(), value.replace('$', PASSWORD)))
    };
    let variables: Vec<_> = text.split('\n').filter_map(variable).collect();
    let is_login = |line: &str| line.rfind('$') < line.rfind('@');
    for url in ["http://a.example/", "https://a.example:81/"].map(|url| Url::parse(url).unwrap()) {
        match proxy::environment(&variables, &url) {
            Ok(Some(proxy)) => assert!(proxy.is_ascii() && proxy.contains(':')),
            Ok(None) => {}
            Err(error) => {
                let mut lines = text.split('\n').filter(|line| line.contains('$'));
                assert!(!lines.all(is_login) || !format!("{error} {error:?}").contains(PASSWORD));
            }
        }
    }
}
