use proptest::prelude::*;

use super::*;

mod dates;

/// All parsed parts of a field, on one line.
fn shown(input: &[u8]) -> Result<String, CookieRefusal> {
    let cookie = SetCookie::parse(input, &Limits::default())?;
    let mut line = format!("{}|{}", cookie.name.escape_ascii(), cookie.value.escape_ascii());
    let expires = cookie.expires.map(|at| at.duration_since(SystemTime::UNIX_EPOCH).unwrap());
    let attributes = [
        ("expires", expires.map(|at| at.as_secs().to_string())),
        ("max-age", cookie.max_age.map(|age| age.as_secs().to_string())),
        ("domain", cookie.domain.map(|domain| domain.escape_ascii().to_string())),
        ("path", cookie.path.map(|path| path.escape_ascii().to_string())),
        ("secure", cookie.secure.then(String::new)),
        ("http-only", cookie.http_only.then(String::new)),
        ("same-site", cookie.same_site.map(|same_site| format!("{same_site:?}"))),
    ];
    for (name, value) in attributes {
        if let Some(value) = value {
            line += &format!(" {name}:{value}");
        }
    }
    Ok(line)
}

fn check(table: &[(&str, &str)]) {
    for (input, expected) in table {
        assert_eq!(shown(input.as_bytes()).as_deref(), Ok(*expected), "{input:?}");
    }
}

#[test]
fn name_and_value_5_6() {
    check(&[
        ("a=b", "a|b"),
        ("a=", "a|"),
        ("=b", "|b"),
        ("token", "|token"),
        ("token; Secure", "|token secure:"),
        ("===a=b", "|==a=b"),
        ("a=b=c", "a|b=c"),
        (" \ta \t= \tb c\t ", "a|b c"),
        ("a=\"b; c\"", r#"a|\"b"#),
        ("a=\" b \"", r#"a|\" b \""#),
        ("a=b, c=d", "a|b, c=d"),
        ("foo bar=1", "foo bar|1"),
        ("a=1\t2", r"a|1\t2"),
    ]);
}

#[test]
fn attributes_5_6_1_to_5_6_7() {
    check(&[
        ("a=b; Expires=1 Jan 1970 0:1:0", "a|b expires:60"),
        ("a=b; EXPIRES = \"1 Jan 1970 0:1:0\"", "a|b expires:60"),
        ("a=b; Expires=1 Jan 1970 0:1:0; Expires=soon", "a|b expires:60"),
        ("a=b; Max-Age=60", "a|b max-age:60"),
        ("a=b; Max-Age=0", "a|b max-age:0"),
        ("a=b; Max-Age=-60", "a|b max-age:0"),
        ("a=b; Max-Age=60; Max-Age=0", "a|b max-age:0"),
        ("a=b; Max-Age=60; Max-Age=x", "a|b max-age:60"),
        ("a=b; Max-Age=99999999999999999999999999", "a|b max-age:18446744073709551615"),
        ("a=b; Max-Age=-99999999999999999999999999", "a|b max-age:0"),
        ("a=b; Max-Age=", "a|b"),
        ("a=b; Max-Age=-", "a|b"),
        ("a=b; Max-Age=+1", "a|b"),
        ("a=b; Max-Age=1.5", "a|b"),
        ("a=b; Max-Age=1 2", "a|b"),
        ("a=b; Domain=Example.com", "a|b domain:Example.com"),
        ("a=b; Domain=.example.com", "a|b domain:example.com"),
        ("a=b; Domain=..example.com", "a|b domain:.example.com"),
        ("a=b; Domain=", "a|b"),
        ("a=b; Domain=.", "a|b"),
        ("a=b; Domain=example.com; Domain", "a|b"),
        ("a=b; Path=/c", "a|b path:/c"),
        ("a=b; Path=c", "a|b"),
        ("a=b; Path", "a|b"),
        ("a=b; Path=/c; Path=d", "a|b"),
        ("a=b; Path=c; Path=/d", "a|b path:/d"),
        ("a=b; Secure", "a|b secure:"),
        ("a=b; secure=no", "a|b secure:"),
        ("a=b; Secure d", "a|b"),
        ("a=b;HttpOnly", "a|b http-only:"),
        ("a=b; SameSite=strict", "a|b same-site:Strict"),
        ("a=b; SameSite=LAX", "a|b same-site:Lax"),
        ("a=b; SameSite=None", "a|b same-site:None"),
        ("a=b; SameSite=Strict; SameSite=else", "a|b"),
        ("a=b; SameSite", "a|b"),
        ("a=b;;; ; =; =c; d; e=f; Version=1;", "a|b"),
    ]);
}

#[test]
fn malformed_cookies_are_refused() {
    let table: [(&[u8], CookieRefusal); 8] = [
        (b"", CookieRefusal::Empty),
        (b"=", CookieRefusal::Empty),
        (b" = ; Secure", CookieRefusal::Empty),
        (b"; a=b", CookieRefusal::Empty),
        (b"a=b\r\nSet-Cookie: c=d", CookieRefusal::ControlOctet),
        (b"a\0=b", CookieRefusal::ControlOctet),
        (b"a=\x7F", CookieRefusal::ControlOctet),
        (b"a=b; Path=/\x1B", CookieRefusal::ControlOctet),
    ];
    for (input, expected) in table {
        assert_eq!(shown(input), Err(expected), "{}", input.escape_ascii());
    }
}

#[test]
fn non_ascii_bytes_are_kept() {
    let cookie = SetCookie::parse(b"\xFF=\xC3\xA9\xFE", &Limits::default()).unwrap_or_default();
    assert_eq!((cookie.name, cookie.value), (&b"\xFF"[..], &b"\xC3\xA9\xFE"[..]));
}

#[test]
fn sizes_5_6() {
    let pair = |bytes: usize| format!("name={}", "v".repeat(bytes - "name".len()));
    assert!(
        SetCookie::parse(pair(Limits::default().max_cookie_bytes).as_bytes(), &Limits::default())
            .is_ok()
    );
    assert_eq!(
        shown(pair(Limits::default().max_cookie_bytes + 1).as_bytes()),
        Err(CookieRefusal::PairTooLong)
    );

    let path = |bytes: usize| format!("a=b; Path=/c; Path=/{}", "d".repeat(bytes - 1));
    let length = |input: String| {
        SetCookie::parse(input.as_bytes(), &Limits::default())
            .unwrap_or_default()
            .path
            .map(<[u8]>::len)
    };
    assert_eq!(
        length(path(Limits::default().max_attribute_bytes)),
        Some(Limits::default().max_attribute_bytes)
    );
    assert_eq!(
        length(path(Limits::default().max_attribute_bytes + 1)),
        Some("/c".len()),
        "ignored as if it were not there"
    );
}

#[test]
fn a_field_of_only_separators_is_parsed() {
    let input = format!("a=b{}; Secure", ";".repeat(64 * 1024));
    check(&[(input.as_str(), "a|b secure:")]);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(input in prop::collection::vec(any::<u8>(), 0..200)) {
        check_invariants(&input)?;
    }

    /// Built from the parser's keywords, so that more than the first check is reached.
    #[test]
    fn keywords_in_any_order_never_panic(words in prop::collection::vec(word(), 0..20)) {
        check_invariants(words.concat().as_bytes())?;
    }
}

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        ";",
        ";",
        "=",
        " ",
        "\t",
        "a",
        ".",
        "/",
        "-",
        "0",
        "9",
        "é",
        ":",
        "Expires",
        "Max-Age",
        "Domain",
        "Path",
        "Secure",
        "HttpOnly",
        "SameSite",
        "Lax",
        "1 Jan 1970 0:0:0",
    ])
}

fn check_invariants(input: &[u8]) -> Result<(), TestCaseError> {
    let Ok(cookie) = SetCookie::parse(input, &Limits::default()) else { return Ok(()) };
    prop_assert!(!cookie.name.is_empty() || !cookie.value.is_empty());
    prop_assert!(!cookie.name.contains(&b'='));
    for part in [cookie.name, cookie.value] {
        prop_assert!(
            !part.contains(&b';')
                && !part.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t')
        );
        prop_assert_eq!(part.trim_ascii(), part);
    }
    prop_assert!(cookie.domain.is_none_or(|domain| !domain.is_empty()));
    prop_assert!(cookie.path.is_none_or(|path| path.starts_with(b"/")));
    Ok(())
}

#[test]
fn cookie_shows_the_attributes_as_sent() {
    let header = HeaderValue::from_static(
        "a=\"b\"; Path=/c; Domain=.Example.com; Secure; HttpOnly; SameSite=Lax; Max-Age=-1; \
         Expires=Thu, 01 Jan 1970 00:01:00 GMT",
    );
    let cookie = Cookie::parse(&header).unwrap();
    assert_eq!((cookie.name(), cookie.value()), ("a", "\"b\""));
    assert_eq!((cookie.path(), cookie.domain()), (Some("/c"), Some("Example.com")));
    assert!(cookie.secure() && cookie.http_only());
    assert!(cookie.same_site_lax() && !cookie.same_site_strict());
    assert_eq!(cookie.same_site(), Some(SameSite::Lax));
    assert_eq!(cookie.max_age(), Some(Duration::ZERO));
    assert_eq!(cookie.expires(), Some(SystemTime::UNIX_EPOCH + Duration::from_secs(60)));
}

#[test]
fn cookie_without_attributes() {
    let header = HeaderValue::from_static("token; SameSite=Strict");
    let cookie = Cookie::parse(&header).unwrap();
    assert_eq!((cookie.name(), cookie.value()), ("", "token"));
    assert!(!cookie.secure() && !cookie.http_only());
    assert!(cookie.same_site_strict() && !cookie.same_site_lax());
    assert_eq!(cookie.same_site(), Some(SameSite::Strict));
    assert_eq!((cookie.path(), cookie.domain()), (None, None));
    assert_eq!((cookie.max_age(), cookie.expires()), (None, None));
}

#[test]
fn invalid_utf8_is_shown_as_replacement_characters() {
    let header = HeaderValue::from_bytes(b"a\xFF=\xC3\xA9\xFE").unwrap();
    let cookie = Cookie::parse(&header).unwrap();
    assert_eq!((cookie.name(), cookie.value()), ("a\u{FFFD}", "é\u{FFFD}"));
}

#[test]
fn debug_omits_the_value() {
    let header = HeaderValue::from_static("name=secret");
    let shown = format!("{:?}", Cookie::parse(&header));
    assert!(shown.contains("name") && !shown.contains("secret"), "{shown}");
}
