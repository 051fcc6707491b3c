//! Attacks on cookies by hostile servers and broken files. Each test has the id of its row in
//! `tests/HOSTILE.md` (K01–K09). Tests of the jar alone feed it as a client would; those about
//! requests use a socket.
#![cfg(all(feature = "blocking", feature = "cookies", feature = "gzip"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::sync::Arc;

use leanhttp::blocking::{Client, ClientBuilder};
use leanhttp::cookie::{CookieStore, Jar, SessionCookies};
use leanhttp::header::{HOST, HeaderValue};
use leanhttp::url::Url;

use support::script::{Script, answer};

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// The cookies that a jar sends to `to` after `from` has set these.
fn sent(from: &str, set_cookies: &[&[u8]], to: &str) -> Option<String> {
    let jar = Jar::new();
    give(&jar, from, set_cookies);
    cookies(&jar, to)
}

fn give(jar: &Jar, from: &str, set_cookies: &[&[u8]]) {
    let headers: Vec<_> =
        set_cookies.iter().map(|value| HeaderValue::from_bytes(value).unwrap()).collect();
    jar.set_cookies(&mut headers.iter(), &url(from));
}

fn cookies(jar: &Jar, to: &str) -> Option<String> {
    jar.cookies(&url(to)).map(|header| header.to_str().unwrap().to_owned())
}

/// A response that sets these cookies and ends its connection.
fn setting(set_cookies: &[&str]) -> Vec<support::script::Step> {
    let fields: String = set_cookies.iter().map(|c| format!("Set-Cookie: {c}\r\n")).collect();
    answer(format!("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n{fields}\r\n"))
}

/// A client for which all these hosts are one peer.
fn client(server: &Script, jar: &Arc<Jar>, hosts: &[&str]) -> Client {
    let builder = Client::builder().cookie_provider(Arc::clone(jar));
    let resolve = |builder: ClientBuilder, host: &&str| builder.resolve(host, server.addr());
    hosts.iter().fold(builder, resolve).build().unwrap()
}

/// The `Cookie` field of the request on a connection.
fn cookie_field(server: &Script, connection: usize) -> Option<String> {
    let request = String::from_utf8(server.received(connection)).unwrap();
    let field = request.lines().find_map(|line| line.strip_prefix("cookie: "))?;
    Some(field.to_owned())
}

/// curl CVE-2014-3620, CVE-2022-27779, CVE-2023-46218; RFC 6265bis §5.7 step 9. Cases that need the
/// public suffix list are marked.
#[test]
fn k01_a_public_suffix_gets_no_cookie() {
    let table = [
        ("http://example.com/", "com", "http://other.com/", true),
        ("http://example.com/", ".com", "http://other.com/", true),
        ("http://example.com/", "cOm", "http://other.com/", true),
        ("http://example.com./", "com.", "http://other.com./", true),
        ("http://a.unheard-of/", "unheard-of", "http://b.unheard-of/", true),
        ("http://example.co.uk/", "co.uk", "http://evil.co.uk/", false),
        ("http://example.co.uk/", "cO.uK", "http://evil.co.uk/", false),
        ("http://example.co.uk/", ".CO.UK", "http://evil.co.uk/", false),
        ("http://example.co.uk./", "co.uk.", "http://evil.co.uk./", false),
        ("http://me.github.io/", "github.io", "http://you.github.io/", false),
        ("http://a.b.kawasaki.jp/", "b.kawasaki.jp", "http://c.b.kawasaki.jp/", false),
    ];
    for (from, domain, to, needs_no_list) in table {
        let set_cookie = format!("k=1; Domain={domain}");
        let is_refused = needs_no_list || cfg!(feature = "public-suffix");
        let expected = (!is_refused).then(|| "k=1".to_owned());
        assert_eq!(sent(from, &[set_cookie.as_bytes()], to), expected, "{from} {domain}");
    }
    // With or without the list: one more or one less dot is another domain.
    for domain in ["co.uk.", "co.uk..", "..co.uk", "co..uk"] {
        let set_cookie = format!("k=1; Domain={domain}");
        for to in ["http://example.co.uk/", "http://evil.co.uk/"] {
            let sent = sent("http://example.co.uk/", &[set_cookie.as_bytes()], to);
            assert_eq!(sent, None, "{domain} {to}");
        }
    }
}

/// The same over sockets.
#[cfg(feature = "public-suffix")]
#[test]
fn k01_over_the_wire() {
    let server = Script::serve(vec![
        setting(&["wide=1; Domain=co.uk", "own=1; Domain=shop.co.uk"]),
        setting(&[]),
        setting(&[]),
    ]);
    let client = client(&server, &Arc::default(), &["www.shop.co.uk", "shop.co.uk", "evil.co.uk"]);
    for host in ["www.shop.co.uk", "shop.co.uk", "evil.co.uk"] {
        client.get(format!("http://{host}/")).send().unwrap();
    }
    server.join();
    let fields: Vec<_> = (0..3).map(|connection| cookie_field(&server, connection)).collect();
    assert_eq!(fields, [None, Some("own=1".to_owned()), None]);
}

/// curl CVE-2014-3613; RFC 6265bis §5.1.3.
#[test]
fn k02_an_address_has_no_subdomains() {
    let table = [
        ("http://127.0.0.1/", "0.0.1", "http://127.0.0.1/"),
        ("http://127.0.0.1/", ".0.0.1", "http://127.0.0.1/"),
        ("http://127.0.0.1/", "1", "http://9.9.9.1/"),
        ("http://127.0.0.1/", "127.0.0.2", "http://127.0.0.2/"),
        ("http://1.2.3.4/", "3.4", "http://9.9.3.4/"),
        ("http://[::1]/", "[::2]", "http://[::2]/"),
        ("http://[::1]/", "::1", "http://[::1]/"),
        ("http://[2001:db8::1]/", "1]", "http://[2001:db8::1]/"),
        ("http://h.1.2.3.example/", "1.2.3.4", "http://1.2.3.4/"),
    ];
    for (from, domain, to) in table {
        let set_cookie = format!("k=1; Domain={domain}");
        assert_eq!(sent(from, &[set_cookie.as_bytes()], to), None, "{from} {domain}");
    }
    for host in ["127.0.0.1", "[::1]"] {
        let (url, set_cookie) = (format!("http://{host}/"), format!("k=1; Domain={host}"));
        assert_eq!(sent(&url, &[set_cookie.as_bytes()], &url).as_deref(), Some("k=1"), "itself");
    }
}

/// curl CVE-2013-1944; RFC 6265bis §5.1.3.
#[test]
fn k03_a_domain_matches_at_a_dot() {
    let table = [
        ("http://example.com/", "ample.com"),
        ("http://example.com/", "xexample.com"),
        ("http://example.com/", "www.example.com"),
        ("http://example.com/", "example.com.evil.example"),
        ("http://example.com/", "example.org"),
    ];
    for (from, domain) in table {
        let set_cookie = format!("k=1; Domain={domain}");
        for to in [from, &format!("http://{domain}/")] {
            assert_eq!(sent(from, &[set_cookie.as_bytes()], to), None, "{domain} {to}");
        }
    }
    let set_cookie: &[&[u8]] = &[b"k=1; Domain=example.com"];
    assert_eq!(sent("http://www.example.com/", set_cookie, "http://ample.com/"), None);
    assert_eq!(sent("http://www.example.com/", set_cookie, "http://notexample.com/"), None);
}

/// RFC 6265bis §5.7 steps 13 and 16; curl CVE-2025-9086.
#[test]
fn k04_plain_http_neither_gets_nor_replaces_a_secure_cookie() {
    let table = [
        ("http://a.example/", "s=evil", "s=good"),
        ("http://a.example/", "s=evil; Secure", "s=good"),
        ("http://a.example/", "s=; Max-Age=0", "s=good"),
        ("http://a.example/", "s=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "s=good"),
        ("http://a.example/", "s=evil; Path=/deep/er", "s=good"),
        ("http://www.a.example/", "s=evil; Domain=a.example", "s=good"),
        ("https://a.example/", "s=new; Path=/; Secure", "s=new"),
    ];
    for (from, set_cookie, expected) in table {
        let jar = Jar::new();
        give(&jar, "https://a.example/", &[b"s=good; Path=/; Secure"]);
        give(&jar, from, &[set_cookie.as_bytes()]);
        assert_eq!(cookies(&jar, "https://a.example/deep/er").as_deref(), Some(expected));
        assert_eq!(cookies(&jar, "http://a.example/"), None, "{set_cookie}");
    }
}

/// A peer without TLS neither receives the cookie nor replaces it.
#[test]
fn k04_over_the_wire() {
    let server = Script::serve(vec![setting(&["s=evil; Path=/", "t=1; Path=/"]), setting(&[])]);
    let jar = Arc::new(Jar::new());
    give(&jar, "https://a.example/", &[b"s=good; Path=/; Secure"]);
    let client = client(&server, &jar, &["a.example"]);
    let response = client.get("http://a.example/").send().unwrap();
    let said: Vec<_> = response.cookies().map(|cookie| cookie.value().to_owned()).collect();
    assert_eq!(
        said,
        ["evil", "1"],
        "the response has the field, whether the jar kept the cookie or not"
    );
    client.get("http://a.example/").send().unwrap();
    server.join();
    assert_eq!(
        (cookie_field(&server, 0), cookie_field(&server, 1).as_deref()),
        (None, Some("t=1"))
    );
    assert_eq!(cookies(&jar, "https://a.example/").as_deref(), Some("s=good; t=1"));
}

/// RFC 6265bis §5.7 steps 20 to 22.
#[test]
fn k05_cookie_prefixes_are_enforced() {
    let refused = [
        "__Secure-k=1",
        "__SECURE-k=1; Path=/",
        "__Host-k=1; Secure",
        "__Host-k=1; Secure; Path=/a",
        "__Host-k=1; Path=/",
        "__host-k=1; Secure; Path=/; Domain=a.example",
        "=__Host-k=1; Secure; Path=/",
        "=__Secure-k=1; Secure",
        "__hOsT-k; Secure; Path=/",
    ];
    for set_cookie in refused {
        let sent = sent("https://a.example/", &[set_cookie.as_bytes()], "https://a.example/a");
        assert_eq!(sent, None, "{set_cookie}");
    }
    for set_cookie in ["__Secure-k=1; Secure", "__Host-k=1; Secure; Path=/"] {
        let over_plain = sent("http://a.example/", &[set_cookie.as_bytes()], "https://a.example/");
        assert_eq!(over_plain, None, "{set_cookie}");
        let sent = sent("https://a.example/", &[set_cookie.as_bytes()], "https://a.example/");
        assert_eq!(sent.as_deref(), set_cookie.split(';').next());
    }
}

/// curl CVE-2022-35252; RFC 6265bis §5.6 step 1. The caller sets cookies that no header field can
/// carry.
#[test]
fn k06_a_cookie_with_control_bytes_is_refused() {
    let bytes = (0..=0x1F_u8).chain([0x7F]).filter(|&byte| byte != b'\t');
    for byte in bytes.map(char::from) {
        for set_cookie in [
            format!("a{byte}b=1"),
            format!("a=1{byte}2"),
            format!("a=1; Path=/{byte}"),
            format!("a=1; x={byte}"),
            format!("{byte}a=1"),
            format!("a=1{byte}"),
        ] {
            let jar = Jar::new();
            jar.add_cookie_str(&set_cookie, &url("http://a.example/"));
            assert!(jar.is_empty(), "{set_cookie:?}");
        }
    }
    let tab = sent("http://a.example/", &[b"\ta=1\t2\t; x=\t"], "http://a.example/");
    assert_eq!(tab.as_deref(), Some("a=1\t2"));
}

/// curl CVE-2026-6276: the jar uses the destination of the request, whatever the `Host` field says.
#[test]
fn k07_the_jar_ignores_the_host_field() {
    let server = Script::serve(vec![setting(&["new=1; Domain=victim.example", "own=1"])]);
    let jar = Arc::new(Jar::new());
    give(&jar, "http://victim.example/", &[b"secret=1"]);
    give(&jar, "http://evil.example/", &[b"theirs=1"]);
    let client = client(&server, &jar, &["evil.example"]);
    client.get("http://evil.example/").header(HOST, "victim.example").send().unwrap();
    server.join();
    assert!(server.received(0).windows(20).any(|bytes| bytes == b"host: victim.example"));
    assert_eq!(cookie_field(&server, 0).as_deref(), Some("theirs=1"));
    assert_eq!(cookies(&jar, "http://victim.example/").as_deref(), Some("secret=1"));
    assert_eq!(cookies(&jar, "http://evil.example/").as_deref(), Some("theirs=1; own=1"));
}

/// RFC 6265bis §5.6 step 5, and step 6 of the attributes.
#[test]
fn k08_sizes_are_limited() {
    let from = "http://a.example/dir/page";
    let lens = |name: usize, value: usize, path: usize| {
        let repeat = |len| "x".repeat(len);
        let set_cookie = format!("{}={}; Path=/{}", repeat(name), repeat(value), repeat(path));
        let jar = Jar::new();
        give(&jar, from, &[set_cookie.as_bytes()]);
        jar.to_vec()
            .first()
            .map(|cookie| (cookie.name().len(), cookie.value().len(), cookie.path().len()))
    };
    assert_eq!(lens(1, 4095, 0), Some((1, 4095, 1)));
    assert_eq!(lens(4096, 0, 0), Some((4096, 0, 1)));
    assert_eq!(lens(1, 4096, 0), None);
    assert_eq!(lens(4097, 0, 0), None);
    assert_eq!(lens(1, 1, 1023), Some((1, 1, 1024)));
    assert_eq!(lens(1, 1, 1024), Some((1, 1, "/dir".len())), "as if it had none");

    let jar = Jar::new();
    let large = format!("={}; Path=/", "v".repeat(4000));
    for n in 0..10 {
        give(&jar, from, &[format!("{n}{large}").as_bytes()]);
    }
    assert!(cookies(&jar, from).unwrap().len() <= 8190, "the length of a Cookie line is limited");
}

/// curl CVE-2023-38546 and similar faults.
#[test]
fn k09_invalid_lines_of_a_cookie_file_are_skipped() {
    let json = |name: &str, more: &str| {
        format!(
            r#"{{"name":"{name}","value":"v","domain":"h.example","path":"/","host_only":true,"secure":false,"http_only":false{more}}}"#
        )
    };
    let json_file = [
        json("good", "").into_bytes(),
        json("huge", r#","expires":999999999999999999999999999999999"#).into_bytes(),
        json("float", r#","expires":1e400"#).into_bytes(),
        json("twice", r#","name":"other""#).into_bytes(),
        json("broken", "")
            .into_bytes()
            .into_iter()
            .map(|b| if b == b'k' { 0xFF } else { b })
            .collect(),
        json("surrogate", r#","x":"\ud800""#).into_bytes(),
        json("deep", &format!(r#","x":{}"#, "[".repeat(50_000))).into_bytes(),
        json("inject", "").replace("\"v\"", r#""v\r\nX-Evil: 1""#).into_bytes(),
        json("semicolon", "").replace("\"v\"", r#""v; other=1""#).into_bytes(),
        json("suffix", "").replace("h.example", "com").replace("\":true", "\":false").into_bytes(),
        vec![b'{'; 200_000],
        json("late", r#","expires":9223372036854"#).into_bytes(),
    ]
    .join(&b'\n');
    let jar = Jar::new();
    let loaded = jar.load_json(&*json_file).unwrap();
    assert_eq!((loaded.cookies, loaded.skipped, loaded.first_skipped), (3, 9, Some(2)));
    assert_eq!(cookies(&jar, "http://h.example/").as_deref(), Some("good=v; late=v"));
    assert_eq!(cookies(&jar, "http://any.com/"), None);

    let netscape_file = b"h.example\tFALSE\t/\tFALSE\t0\tgood\tv\n\
        h.example\tFALSE\t/\tFALSE\t99999999999999999999999\thuge\tv\n\
        h.example\tFALSE\t/\tFALSE\t-1\tnegative\tv\n\
        h.example\xFF\tFALSE\t/\tFALSE\t0\tbroken\tv\n\
        h.example\tFALSE\t/\tFALSE\t0\tnul\tv\0\n\
        \t\t\t\t\t\t\n\
        #HttpOnly_#HttpOnly_h.example\tFALSE\t/\tFALSE\t0\ttwice\tv\n\
        h.example\tFALSE\t/\tFALSE\t0\toctets\t\xFF\xFE";
    let jar = Jar::new();
    let loaded = jar.load_netscape(&netscape_file[..]).unwrap();
    assert_eq!((loaded.cookies, loaded.skipped, loaded.first_skipped), (2, 4, Some(2)));
    let header = jar.cookies(&url("http://h.example/")).unwrap();
    assert_eq!(header.as_bytes(), b"good=v; octets=\xFF\xFE");

    let mut saved = Vec::new();
    jar.save_json(&mut saved, SessionCookies::Keep).unwrap();
    let again = Jar::new();
    assert_eq!(again.load_json(&*saved).unwrap().cookies, 2);
    assert_eq!(again.cookies(&url("http://h.example/")).unwrap(), header);
}
