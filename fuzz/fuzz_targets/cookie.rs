//! Cookies: whatever servers set, a `Cookie` field is valid and contains only cookies that belong
//! to the URL. Each line of the input is a `Set-Cookie`.
#![no_main]

use std::time::{Duration, SystemTime};

use leanhttp::Url;
use leanhttp::cookie::{Cookie, CookieStore, Jar, StoredCookie};
use leanhttp::header::HeaderValue;
use leanhttp_fuzz::cookies::is_trustworthy;
use libfuzzer_sys::fuzz_target;

const URLS: [&str; 5] = [
    "https://www.example.com/a/b",
    "http://www.example.com/",
    "https://example.com/a/",
    "https://evil-example.com/a",
    "http://127.0.0.1/a",
];

fuzz_target!(|input: &[u8]| {
    let urls = URLS.map(|url| Url::parse(url).unwrap());
    let jar = filled(input, &urls);
    for url in &urls {
        let cookies = jar.cookies_for(url);
        assert!(cookies.iter().all(|cookie| belongs(cookie, url)), "{url}: {cookies:?}");
        let header = jar.cookies(url);
        assert_eq!(header.is_none(), cookies.is_empty());
        let Some(header) = header else { continue };
        assert!(header.is_sensitive() && header.len() <= 8182);
        assert!(header.as_bytes().iter().all(|byte| *byte == b'\t' || !byte.is_ascii_control()));
        let pairs = header.as_bytes().split(|byte| *byte == b';').count();
        assert!(pairs <= cookies.len());
    }
    // The last two are unrelated to the others.
    let [relatives @ .., stranger, address] = &urls;
    for (one, other) in [(stranger, address), (address, stranger)] {
        let jar = filled(input, std::slice::from_ref(one));
        let others = relatives.iter().chain([other]);
        assert!(others.map(|url| jar.cookies(url)).all(|header| header.is_none()));
    }
});

/// Sets a cookie for each line, with the URLs in turn.
fn filled(input: &[u8], urls: &[Url]) -> Jar {
    let jar = Jar::with_clock(|| SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    for (line, url) in input.split(|byte| *byte == b'\n').zip(urls.iter().cycle()) {
        let Ok(value) = HeaderValue::from_bytes(line) else { continue };
        let parsed = Cookie::parse(&value);
        assert!(!parsed.is_some_and(|cookie| format!("{cookie:?}").contains('\n')));
        jar.set_cookies(&mut [&value].into_iter(), url);
    }
    jar
}

fn belongs(cookie: &StoredCookie, url: &Url) -> bool {
    let (host, domain) = (url.host_str().unwrap(), cookie.domain());
    let below = host.strip_suffix(domain).is_some_and(|front| front.ends_with('.'));
    (host == domain || (below && !cookie.host_only()))
        && (is_trustworthy(url) || !cookie.secure())
        && url.path().starts_with(cookie.path())
}
