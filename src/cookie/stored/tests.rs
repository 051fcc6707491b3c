use super::*;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

fn admit(url: &str, set_cookie: &str) -> Result<StoredCookie, CookieRefusal> {
    StoredCookie::admit(
        &SetCookie::parse(set_cookie.as_bytes(), &Limits::default())?,
        Site::from(url),
        &Limits::default(),
        NOW,
    )
}

#[test]
fn domain_5_7_steps_7_to_10() {
    let table = [
        ("http://www.example.com", "a=b", Ok("www.example.com only")),
        ("http://www.example.com", "a=b; Domain=", Ok("www.example.com only")),
        ("http://www.example.com", "a=b; Domain=.", Ok("www.example.com only")),
        ("http://www.example.com", "a=b; Domain=www.example.com", Ok("www.example.com and below")),
        ("http://www.example.com", "a=b; Domain=.EXAMPLE.com", Ok("example.com and below")),
        ("http://www.example.com", "a=b; Domain=..example.com", Err(CookieRefusal::ForeignDomain)),
        ("http://www.example.com", "a=b; Domain=ample.com", Err(CookieRefusal::ForeignDomain)),
        (
            "http://www.example.com",
            "a=b; Domain=ftp.example.com",
            Err(CookieRefusal::ForeignDomain),
        ),
        (
            "http://www.example.com",
            "a=b; Domain=a.www.example.com",
            Err(CookieRefusal::ForeignDomain),
        ),
        ("http://www.example.com", "a=b; Domain=example.com.", Err(CookieRefusal::ForeignDomain)),
        (
            "http://www.example.com",
            "a=b; Domain=www.example.com:80",
            Err(CookieRefusal::ForeignDomain),
        ),
        ("http://www.example.com", "a=b; Domain=exämple.com", Err(CookieRefusal::ForeignDomain)),
        ("http://www.example.com", "a=b; Domain=com", Err(CookieRefusal::PublicSuffix)),
        ("http://example.com.", "a=b; Domain=com.", Err(CookieRefusal::PublicSuffix)),
        ("http://com", "a=b; Domain=com", Ok("com only")),
        ("http://localhost", "a=b; Domain=localhost", Ok("localhost and below")),
        ("http://a.localhost", "a=b; Domain=localhost", Ok("localhost and below")),
        ("http://127.0.0.1", "a=b; Domain=127.0.0.1", Ok("127.0.0.1 and below")),
        ("http://127.0.0.1", "a=b; Domain=0.0.1", Err(CookieRefusal::ForeignDomain)),
        ("http://127.0.0.1", "a=b; Domain=127.0.0.2", Err(CookieRefusal::ForeignDomain)),
        ("http://[::1]", "a=b", Ok("[::1] only")),
    ];
    for (url, set_cookie, expected) in table {
        let result = admit(url, set_cookie).map(|cookie| {
            let scope = if cookie.host_only() { "only" } else { "and below" };
            format!("{} {scope}", cookie.domain())
        });
        assert_eq!(result, expected.map(str::to_owned), "{url} {set_cookie}");
    }
}

#[test]
fn path_5_7_step_11() {
    let table = [
        ("http://a.example/b/c", "a=b", "/b"),
        ("http://a.example/b/c", "a=b; Path=d", "/b"),
        ("http://a.example/b/c", "a=b; Path=/d/", "/d/"),
        ("http://a.example", "a=b", "/"),
    ];
    for (url, set_cookie, expected) in table {
        let path = admit(url, set_cookie).map(|cookie| cookie.path().to_owned());
        assert_eq!(path, Ok(expected.to_owned()), "{url} {set_cookie}");
    }
}

#[test]
fn cookies_are_refused_for_their_site() {
    let long_host = format!("http://{}example.com", "a.".repeat(130));
    let long_path =
        format!("http://a.example/{}/", "b".repeat(Limits::default().max_attribute_bytes));
    let table = [
        ("http://a.example", "a=b; Secure", Some(CookieRefusal::SecureOverPlain)),
        ("https://a.example", "a=b; Secure", None),
        (&long_host, "a=b", Some(CookieRefusal::SiteTooLong)),
        (&long_host, "a=b; Domain=example.com", None),
        (&long_path, "a=b", Some(CookieRefusal::SiteTooLong)),
        (&long_path, "a=b; Path=/", None),
    ];
    for (url, set_cookie, expected) in table {
        assert_eq!(admit(url, set_cookie).err(), expected, "{url} {set_cookie}");
    }
}

#[test]
fn prefixes_5_7_steps_20_to_22() {
    let table = [
        ("__Secure-a=b; Secure", None),
        ("__Secure-a=b; Secure; Domain=a.example; Path=/c", None),
        ("__Secure-a=b", Some(CookieRefusal::Prefix)),
        ("__sEcUrE-a=b", Some(CookieRefusal::Prefix)),
        ("__Host-a=b; Secure; Path=/", None),
        ("__Host-a=b; Path=/", Some(CookieRefusal::Prefix)),
        ("__Host-a=b; Secure", Some(CookieRefusal::Prefix)),
        ("__Host-a=b; Secure; Path", Some(CookieRefusal::Prefix)),
        ("__Host-a=b; Secure; Path=/c", Some(CookieRefusal::Prefix)),
        ("__Host-a=b; Secure; Path=/; Domain=a.example", Some(CookieRefusal::Prefix)),
        ("__host-a=b; Secure; Path=/c", Some(CookieRefusal::Prefix)),
        ("=__Host-a; Secure; Path=/", Some(CookieRefusal::Prefix)),
        ("=__secure-a=b; Secure", Some(CookieRefusal::Prefix)),
        ("__Host-a; Secure; Path=/", Some(CookieRefusal::Prefix)),
        ("___Host-a=b", None),
        ("__Hosta=b", None),
        ("a=__Host-b", None),
    ];
    for (set_cookie, expected) in table {
        assert_eq!(admit("https://a.example/", set_cookie).err(), expected, "{set_cookie}");
    }
}

#[test]
fn expiry_5_7_step_6_within_400_days_5_5() {
    let table = [
        ("a=b", None),
        ("a=b; Expires=1 Jan 1970 0:1:0", Some(60)),
        ("a=b; Expires=1 Jan 1970 0:1:0; Max-Age=9", Some(9)),
        ("a=b; Max-Age=9; Expires=1 Jan 1970 0:1:0", Some(9)),
        ("a=b; Max-Age=-1", Some(0)),
        ("a=b; Max-Age=34560000", Some(34_560_000)),
        ("a=b; Max-Age=34560001", Some(34_560_000)),
        ("a=b; Max-Age=99999999999999999999999999", Some(34_560_000)),
        ("a=b; Expires=31 Dec 9999 23:59:59", Some(34_560_000)),
    ];
    for (set_cookie, expected) in table {
        let expires = admit("http://a.example", set_cookie).map(|cookie| cookie.expires());
        let expected = expected.map(|seconds| NOW + Duration::from_secs(seconds));
        assert_eq!(expires, Ok(expected), "{set_cookie}");
    }
}

#[test]
fn a_clock_near_its_maximum_does_not_overflow() {
    let mut end = NOW;
    for exponent in (0..63).rev() {
        end = end.checked_add(Duration::from_secs(1 << exponent)).unwrap_or(end);
    }
    assert_eq!(end.checked_add(Duration::from_secs(1)), None);
    for set_cookie in ["a=b; Max-Age=60", "a=b; Expires=31 Dec 9999 23:59:59", "a=b"] {
        let set_cookie =
            SetCookie::parse(set_cookie.as_bytes(), &Limits::default()).unwrap_or_default();
        assert!(
            StoredCookie::admit(
                &set_cookie,
                Site::from("http://a.example"),
                &Limits::default(),
                end
            )
            .is_ok()
        );
    }
}

#[test]
fn debug_omits_the_value() {
    let cookie = admit("https://a.example/", "name=secret; SameSite=Lax");
    let shown = format!("{cookie:?}");
    assert!(shown.contains("name") && !shown.contains("secret"), "{shown}");
}
