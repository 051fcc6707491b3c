use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use super::*;

mod files;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn names(cookies: &[StoredCookie]) -> String {
    cookies.iter().map(|cookie| cookie.name()).collect::<Vec<_>>().join(" ")
}

/// A jar at the start of 1970 with three cookies, one of which expires after 10 seconds.
fn jar() -> Jar {
    let jar = Jar::with_clock(|| SystemTime::UNIX_EPOCH);
    let url = url("https://www.example.com/a/b");
    jar.add_cookie_str("short=1; Max-Age=10; Path=/", &url);
    jar.add_cookie_str("host=1", &url);
    jar.add_cookie_str("domain=1; Domain=example.com", &url);
    jar
}

#[test]
fn cookies_are_listed_and_counted() {
    let jar = jar();
    assert_eq!((jar.len(), jar.is_empty()), (3, false));
    assert_eq!(names(&jar.to_vec()), "short host domain", "oldest first");
    let cookies = jar.cookies_for(&url("https://www.example.com/a"));
    assert_eq!(names(&cookies), "host domain short", "as in the header");
    assert_eq!(names(&jar.cookies_for(&url("https://example.com/a"))), "domain");
    jar.clear();
    assert_eq!((jar.len(), jar.is_empty()), (0, true));
}

#[test]
fn only_http_and_https_urls_have_cookies() {
    let jar = jar();
    for other in [
        "wss://www.example.com/a/b",
        "ftp://www.example.com/a/b",
        "foo://www.example.com/",
        "file:///a",
        "mailto:a",
    ] {
        jar.add_cookie_str("other=1", &url(other));
        let set_cookie = HeaderValue::from_static("other=2");
        jar.set_cookies(&mut [&set_cookie].into_iter(), &url(other));
        assert!(jar.cookies_for(&url(other)).is_empty(), "{other}");
        assert_eq!(jar.cookies(&url(other)), None, "{other}");
    }
    assert_eq!(jar.len(), 3);
}

#[test]
fn expired_cookies_are_not_shown() {
    let mut jar = jar();
    jar.clock = Box::new(|| SystemTime::UNIX_EPOCH + Duration::from_secs(10));
    assert_eq!(jar.len(), 2);
    assert_eq!(names(&jar.to_vec()), "host domain");
    let url = url("https://www.example.com/a");
    assert_eq!(names(&jar.cookies_for(&url)), "host domain");
    assert_eq!(jar.cookies(&url).unwrap(), "host=1; domain=1");
    assert!(!jar.remove("www.example.com", "/", "short"));
}

#[test]
fn remove_affects_only_the_named_cookie() {
    let jar = jar();
    jar.add_cookie_str("host=2; Domain=www.example.com", &url("https://www.example.com/a/"));
    for (domain, path, name, expected) in [
        ("example.com", "/a", "host", false),
        ("www.example.com", "/", "host", false),
        ("www.example.com", "/a", "short", false),
        ("www.example.com", "/a", "host", true),
        ("www.example.com", "/a", "host", false),
    ] {
        assert_eq!(jar.remove(domain, path, name), expected, "{domain} {path} {name}");
    }
    assert_eq!(names(&jar.to_vec()), "short domain");
}

#[test]
fn the_51st_set_cookie_of_a_response_is_ignored() {
    let jar = Jar::new();
    let headers: Vec<_> = (0..60)
        .map(|n| HeaderValue::try_from(format!("c{n}=1; Max-Age={}", 40 - n)).unwrap())
        .collect();
    let mut rest = headers.iter();
    jar.set_cookies(&mut rest, &url("http://a.example/"));
    assert_eq!((jar.len(), rest.len()), (40, 10), "ten of the first 50 had no life left");
}

#[test]
fn clock_and_headers_may_use_the_jar() {
    let jar = Arc::new_cyclic(|this: &std::sync::Weak<Jar>| {
        let this = this.clone();
        Jar::with_clock(move || {
            let len = this.upgrade().map_or(0, |jar| jar.locked_store().len());
            SystemTime::UNIX_EPOCH + Duration::from_secs(len as u64)
        })
    });
    let url = url("http://a.example/");
    let headers = [HeaderValue::from_static("a=1"), HeaderValue::from_static("b=1")];
    let mut lens = Vec::new();
    jar.set_cookies(&mut headers.iter().inspect(|_| lens.push(jar.len())), &url);
    assert_eq!(lens, [0, 1]);
    assert_eq!(jar.cookies(&url).unwrap(), "a=1; b=1");
}

#[test]
fn a_poisoned_lock_is_recovered() {
    let jar = jar();
    let held = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let _held = jar.locked_store();
        panic!("poisons the lock");
    }));
    assert!(held.is_err() && jar.store.is_poisoned());
    assert_eq!(jar.len(), 3);
}

#[test]
fn debug_shows_no_cookies() {
    assert_eq!(format!("{:?}", jar()), "Jar { len: 3, .. }");
}

#[test]
fn a_jar_can_be_shared_between_threads() {
    fn is_store<T: CookieStore + fmt::Debug + Default>() {}
    is_store::<Jar>();
}

/// For each limit: a cookie at the limit is kept, one above it is not.
#[test]
fn limits_can_be_set() {
    type Row = (fn(&mut Limits), &'static [&'static str], &'static str);
    let rows: [Row; 6] = [
        (|limits| limits.max_cookie_bytes = 4, &["ab=12", "ab=123"], "ab=12"),
        (|limits| limits.max_attribute_bytes = 5, &["a=1; Path=/long", "b=1; Path=/longer"], "a b"),
        (|limits| limits.max_per_response = 2, &["a=1", "b=2", "c=3"], "a=1; b=2"),
        (|limits| limits.max_per_domain = 2, &["a=1", "b=2", "c=3"], "b=2; c=3"),
        (|limits| limits.max_total = 1, &["a=1", "b=2"], "b=2"),
        (|limits| limits.max_header_bytes = 8, &["a=1", "b=2", "c=3"], "a=1; b=2"),
    ];
    for (set, cookies, expected) in rows {
        let mut limits = Limits::default();
        set(&mut limits);
        let jar = Jar::new().with_limits(limits);
        let url = Url::parse("https://a.example/").unwrap();
        let fields: Vec<_> = cookies.iter().map(|c| HeaderValue::from_static(c)).collect();
        jar.set_cookies(&mut fields.iter(), &url);
        match expected {
            // The path that was too long was ignored.
            "a b" => {
                let paths: Vec<_> = jar.to_vec().iter().map(|c| c.path().to_owned()).collect();
                assert_eq!(paths, ["/long", "/"]);
            }
            _ => assert_eq!(jar.cookies(&url).unwrap(), expected),
        }
    }
}

/// A jar that is full of cookies keeps them when its limits change, as far as the new limits allow.
#[test]
fn new_limits_do_not_empty_the_jar() {
    let jar = jar().with_limits(Limits::default());
    assert_eq!(names(&jar.to_vec()), "short host domain");
    jar.set_limits(Limits { max_total: 2, ..Limits::default() });
    assert_eq!(names(&jar.to_vec()), "host domain", "the oldest is evicted");
    jar.add_cookie_str("new=1", &url("https://www.example.com/"));
    assert_eq!(names(&jar.to_vec()), "domain new");
    jar.set_limits(Limits::default());
    jar.add_cookie_str("newer=1", &url("https://www.example.com/"));
    assert_eq!(names(&jar.to_vec()), "domain new newer");
}
