use std::time::Duration;

use super::*;

mod model;

fn at(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(second)
}

/// A step of a scenario that runs against both stores: at this second, at this URL …
enum Step {
    /// … this `Set-Cookie` is received, with this outcome.
    Set(u64, &'static str, &'static str, Result<(), CookieRefusal>),
    /// … this `Cookie` is sent; empty for none.
    Header(u64, &'static str, &'static str),
}

use Step::{Header, Set};

fn play(store: &mut Store, steps: &[Step]) {
    for step in steps {
        match step {
            Set(second, url, set_cookie, expected) => {
                let result = store.set(Site::from(*url), set_cookie.as_bytes(), at(*second));
                assert_eq!(result, *expected, "{url} {set_cookie}");
            }
            Header(second, url, expected) => {
                assert_eq!(header(store, url, at(*second)), *expected, "{url} at {second}");
            }
        }
    }
}

fn header(store: &mut Store, url: &str, now: SystemTime) -> String {
    let header = store.header(Site::from(url), now);
    header.map_or(String::new(), |header| String::from_utf8_lossy(header.as_bytes()).into_owned())
}

fn names(store: &Store) -> Vec<String> {
    let mut names: Vec<_> = store.iter().map(|cookie| cookie.name().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn retrieval_5_8_3() {
    play(
        &mut Store::default(),
        &[
            Set(0, "https://www.example.com/", "host=1", Ok(())),
            Set(0, "https://www.example.com/", "domain=1; Domain=example.com", Ok(())),
            Set(0, "https://www.example.com/", "secure=1; Secure", Ok(())),
            Set(0, "https://www.example.com/", "path=1; Path=/a", Ok(())),
            Header(0, "https://www.example.com/", "host=1; domain=1; secure=1"),
            Header(0, "http://www.example.com/", "host=1; domain=1"),
            Header(0, "https://www.example.com/a/b", "path=1; host=1; domain=1; secure=1"),
            Header(0, "https://www.example.com/ab", "host=1; domain=1; secure=1"),
            Header(0, "https://example.com/", "domain=1"),
            Header(0, "https://a.www.example.com/", "domain=1"),
            Header(0, "https://www.example.com./", ""),
            Header(0, "https://com/", ""),
        ],
    );
}

#[test]
fn ip_addresses_match_only_themselves() {
    play(
        &mut Store::default(),
        &[
            Set(0, "http://1.2.3.4/", "a=b; Domain=1.2.3.4", Ok(())),
            Set(0, "http://[::1]/", "c=d", Ok(())),
            Header(0, "http://1.2.3.4/", "a=b"),
            Header(0, "http://[::1]/", "c=d"),
            Header(0, "http://0.1.2.3/", ""),
            Header(0, "http://[::2]/", ""),
        ],
    );
}

#[test]
fn order_5_8_3_step_2() {
    play(
        &mut Store::default(),
        &[
            Set(0, "http://a.example/", "short=1; Path=/", Ok(())),
            Set(0, "http://a.example/", "first=1; Path=/a/b", Ok(())),
            Set(0, "http://a.example/", "second=1; Path=/a/c", Ok(())),
            Set(0, "http://a.example/", "third=1; Path=/a/b; Domain=a.example", Ok(())),
            Header(0, "http://a.example/a/b", "first=1; third=1; short=1"),
            // Replacing keeps the creation time (§5.7 step 23.3).
            Set(9, "http://a.example/", "first=2; Path=/a/b", Ok(())),
            Header(9, "http://a.example/a/b", "first=2; third=1; short=1"),
        ],
    );
}

#[test]
fn identity_5_7_step_23() {
    let url = "https://a.example/";
    let mut store = Store::default();
    play(
        &mut store,
        &[
            Set(0, url, "a=host", Ok(())),
            Set(0, url, "a=domain; Domain=a.example", Ok(())),
            Set(0, url, "a=path; Path=/b", Ok(())),
            Set(0, url, "A=case", Ok(())),
            Set(0, url, "=nameless", Ok(())),
            Header(0, url, "a=host; a=domain; A=case; nameless"),
            Set(0, url, "a=new; Secure; HttpOnly; Max-Age=9", Ok(())),
            Set(0, url, "other", Ok(())),
            Header(0, url, "a=new; a=domain; A=case; other"),
        ],
    );
    assert_eq!(store.len(), 5);
}

#[test]
fn deletion_and_expiry() {
    let url = "http://a.example/";
    let mut store = Store::default();
    play(
        &mut store,
        &[
            Set(0, url, "a=1; Max-Age=10", Ok(())),
            Set(0, url, "b=1; Expires=1 Jan 1970 0:0:20", Ok(())),
            Set(0, url, "c=1", Ok(())),
            Header(9, url, "a=1; b=1; c=1"),
            Header(10, url, "b=1; c=1"),
        ],
    );
    assert_eq!(store.next_expiry, Some(at(20)));
    play(
        &mut store,
        &[
            Header(20, url, "c=1"),
            Set(20, url, "c=; Max-Age=0", Ok(())),
            Set(20, url, "never=1; Max-Age=-1", Ok(())),
            Header(20, url, ""),
            // An expired cookie does not pass on its creation time.
            Set(30, url, "d=1; Max-Age=1", Ok(())),
            Set(30, url, "e=1", Ok(())),
            Set(40, url, "d=2", Ok(())),
            Header(40, url, "e=1; d=2"),
        ],
    );
    assert_eq!(store.len(), 2);
}

#[test]
fn secure_cookies_are_not_overlaid_5_7_step_16() {
    let refused = Err(CookieRefusal::OverlaysSecure);
    let mut store = Store::default();
    play(
        &mut store,
        &[
            Set(0, "https://www.a.example/", "s=good; Secure; Path=/login", Ok(())),
            Set(0, "https://a.example/", "t=good; Secure; Max-Age=10", Ok(())),
            // At the same host and path, below it, from a parent domain, from a subdomain; deletion
            // too.
            Set(0, "http://www.a.example/", "s=evil; Path=/login", refused),
            Set(0, "http://www.a.example/", "s=evil; Path=/login/en", refused),
            Set(0, "http://www.a.example/", "s=evil; Path=/login; Domain=a.example", refused),
            Set(0, "http://b.a.example/", "s=evil; Path=/login; Domain=a.example", refused),
            Set(0, "http://c.www.a.example/", "s=evil; Path=/login", refused),
            Set(0, "http://www.a.example/", "s=; Path=/login; Max-Age=0", refused),
            Set(0, "http://a.example/", "t=evil; Domain=a.example", refused),
            // Another path, another name, another domain.
            Set(0, "http://www.a.example/", "s=fair; Path=/", Ok(())),
            Set(0, "http://www.a.example/", "S=fair; Path=/login", Ok(())),
            Set(0, "http://xa.example/", "t=fair", Ok(())),
            Set(0, "https://a-b.example/", "u=good; Secure", Ok(())),
            Set(0, "http://a.example/", "u=fair", Ok(())),
            Set(0, "http://b.a.example/", "s=fair; Path=/login", Ok(())),
            // Over https this is allowed, and also after the secure cookie has expired.
            Set(0, "https://www.a.example/", "s=fair; Path=/login", Ok(())),
            Set(10, "http://a.example/", "t=fair", Ok(())),
            Header(10, "https://www.a.example/login", "s=fair; S=fair; s=fair"),
            Header(10, "https://a.example/", "u=fair; t=fair"),
        ],
    );
}

#[test]
fn full_domain_evicts_insecure_then_unused_5_7() {
    let url = "https://a.example/";
    let mut store = Store {
        limits: Limits { max_per_domain: 3, max_total: 9, ..Limits::default() },
        ..Store::default()
    };
    play(
        &mut store,
        &[
            Set(0, url, "secure1=1; Path=/used; Secure", Ok(())),
            Set(0, url, "secure2=1; Path=/other; Secure", Ok(())),
            Set(0, url, "plain=1; Path=/used", Ok(())),
            Header(0, "https://a.example/used", "secure1=1; plain=1"),
            // `plain` was used last, and is still evicted first; then `secure2`, the least recently
            // used.
            Set(0, url, "secure3=1; Path=/used; Secure", Ok(())),
            Header(0, "https://a.example/used", "secure1=1; secure3=1"),
            Set(0, url, "secure4=1; Path=/used; Secure", Ok(())),
            Header(0, "https://a.example/other", ""),
            Header(0, "https://a.example/used", "secure1=1; secure3=1; secure4=1"),
            // A plain cookie cannot evict a secure one.
            Set(0, url, "plain=2; Path=/used", Ok(())),
            Header(0, "https://a.example/used", "secure1=1; secure3=1; secure4=1"),
            // Other domains have their own limit.
            Set(0, "https://b.a.example/", "other=1", Ok(())),
        ],
    );
    assert_eq!(store.len(), 4);
}

#[test]
fn full_store_evicts_expired_then_unused_5_7() {
    let mut store = Store {
        limits: Limits { max_per_domain: 3, max_total: 3, ..Limits::default() },
        ..Store::default()
    };
    play(
        &mut store,
        &[
            Set(0, "https://a.example/", "a=1; Secure", Ok(())),
            Set(0, "https://b.example/", "b=1; Max-Age=10", Ok(())),
            Set(0, "https://c.example/", "c=1", Ok(())),
            Set(10, "https://d.example/", "d=1", Ok(())),
        ],
    );
    assert_eq!(names(&store), ["a", "c", "d"]);
    play(
        &mut store,
        &[Header(10, "https://a.example/", "a=1"), Set(10, "https://e.example/", "e=1", Ok(()))],
    );
    assert_eq!(names(&store), ["a", "d", "e"]);
}

#[test]
fn ten_thousand_cookies_from_many_hosts_are_limited() {
    let mut store = Store::default();
    for n in 0..10_000 {
        let url = format!("https://h{}.example.com/", n % 100);
        let domain = if n % 3 == 0 { "; Domain=example.com" } else { "" };
        let set_cookie = format!("c{n}=1{domain}");
        assert_eq!(store.set(Site::from(url.as_str()), set_cookie.as_bytes(), at(0)), Ok(()));
    }
    let counted: usize = store.domains.values().map(Vec::len).sum();
    assert_eq!((store.len(), counted), (3000, 3000));
    assert!(store.domains.values().all(|held| (1..=50).contains(&held.len())));
    let sent = store.matching(Site::from("https://h1.example.com/")).len();
    assert!((51..=100).contains(&sent), "the 50 of example.com, and its own: {sent}");
    store.clear();
    assert!(store.len() == 0 && store.domains.is_empty());
}

#[test]
fn header_ends_before_it_is_too_long() {
    let mut store = Store::default();
    let value = "v".repeat(4000);
    for name in ["a", "b", "c", "d"] {
        let set_cookie = format!("{name}={value}");
        assert_eq!(
            store.set(Site::from("http://a.example/"), set_cookie.as_bytes(), at(0)),
            Ok(())
        );
    }
    assert_eq!(header(&mut store, "http://a.example/", at(0)), format!("a={value}; b={value}"));

    let fill = Limits::default().max_header_bytes - format!("a={value}; b={value}; n=").len();
    for (filling, expected) in [(fill + 1, "a, b"), (fill, "a, b, n")] {
        store.retain(|cookie| matches!(cookie.name().as_ref(), "a" | "b"));
        let set_cookie = format!("n={}", "v".repeat(filling));
        assert_eq!(
            store.set(Site::from("http://a.example/"), set_cookie.as_bytes(), at(0)),
            Ok(())
        );
        let sent = header(&mut store, "http://a.example/", at(0));
        let sent: Vec<_> = sent.split("; ").filter_map(|pair| pair.split('=').next()).collect();
        assert_eq!(sent.join(", "), expected);
    }
}

#[test]
fn header_is_sensitive_and_keeps_bytes() {
    let mut store = Store::default();
    let site = Site::from("http://a.example/");
    assert_eq!(store.set(site, b"a=\xFF\tb", at(0)), Ok(()));
    let header = store.header(site, at(0));
    assert_eq!(header.as_ref().map(HeaderValue::as_bytes), Some(&b"a=\xFF\tb"[..]));
    assert!(header.is_some_and(|header| header.is_sensitive()));
}

#[test]
fn a_host_with_many_labels_is_looked_up() {
    let url = format!("http://{}/", "a.".repeat(32 * 1024));
    let mut store = Store::default();
    assert_eq!(store.set(Site::from(url.as_str()), b"a=b", at(0)), Err(CookieRefusal::SiteTooLong));
    assert_eq!(header(&mut store, &url, at(0)), "");
}

/// New limits remove the cookies that they would not have let in, and those that a further cookie would evict:
/// first of each crowded domain, then of the whole store.
#[test]
fn new_limits_evict_what_is_too_much() {
    type Row = (fn(&mut Limits), &'static str);
    let rows: [Row; 8] = [
        (|_| {}, "a b s long c d"),
        (|limits| limits.max_cookie_bytes = 2, "a b s c d"),
        (|limits| limits.max_attribute_bytes = 4, "a b s long d"),
        (|limits| limits.max_per_domain = 2, "b s c d"),
        (|limits| limits.max_per_domain = 1, "s d"),
        (|limits| limits.max_per_domain = 0, ""),
        (|limits| limits.max_total = 2, "b d"),
        (|limits| (limits.max_per_domain, limits.max_total) = (2, 1), "b"),
    ];
    for (set, expected) in rows {
        let mut store = Store::default();
        for (url, set_cookie) in [
            ("https://a.example", "a=1"),
            ("https://a.example", "b=1"),
            ("https://a.example", "s=1; Secure"),
            ("https://a.example", "long=1"),
            ("https://b.example", "c=1; Path=/long"),
            ("https://b.example", "d=1"),
        ] {
            store.set(Site::from(url), set_cookie.as_bytes(), at(0)).unwrap();
        }
        // The cookie that is used last is evicted last.
        let sent = StoredCookie::admit(
            &SetCookie::parse(b"b=1", &Limits::default()).unwrap(),
            Site::from("https://a.example"),
            &Limits::default(),
            at(0),
        );
        let key = Site::from("https://a.example").key("a.example");
        store.put(key, sent.unwrap(), at(0));
        let mut limits = Limits::default();
        set(&mut limits);
        store.set_limits(limits.clone());
        let cookies = store.to_vec();
        let names: Vec<_> = cookies.iter().map(StoredCookie::name).collect();
        assert_eq!((names.join(" "), store.len()), (expected.to_owned(), names.len()));
        assert_eq!(store.limits(), &limits);
    }
}
