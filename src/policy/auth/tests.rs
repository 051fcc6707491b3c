use super::*;

#[test]
fn basic_is_base64_of_the_pair() {
    let cases: [(&[u8], &[u8], &str); 4] = [
        (b"Aladdin", b"open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        (b"", b"", "Basic Og=="),
        (b"user", b"a:b", "Basic dXNlcjphOmI="),
        ("t\u{e9}st".as_bytes(), "\u{a3}".as_bytes(), "Basic dMOpc3Q6wqM="),
    ];
    for (username, password, expected) in cases {
        let value = basic(username, password).unwrap();
        assert_eq!(value, expected);
        assert!(value.is_sensitive());
        assert_eq!(format!("{value:?}"), "Sensitive");
    }
}

#[test]
fn invalid_credentials_are_refused() {
    for (username, password) in [("a:b", "c"), ("a\n", "b"), ("a", "b\r\nX: y"), ("a", "\0")] {
        let error = basic(username.as_bytes(), password.as_bytes()).unwrap_err();
        assert!(error.is_builder());
        assert!(!error.to_string().contains(password) || password.len() < 2);
    }
    assert!(bearer("a\r\nb").unwrap_err().is_builder());
}

#[test]
fn credentials_and_sensitive_values_stay_with_the_origin() {
    let plain = HeaderValue::from_static("v");
    let mut marked = plain.clone();
    marked.set_sensitive(true);
    for name in [
        "authorization",
        "cookie",
        "cookie2",
        "proxy-authorization",
        "www-authenticate",
        "proxy-authenticate",
    ] {
        assert!(stays_with_origin(&HeaderName::from_static(name), &plain), "{name}");
    }
    let own = HeaderName::from_static("x-tenant");
    assert!(!stays_with_origin(&own, &plain));
    assert!(stays_with_origin(&own, &marked));
}

#[test]
fn fields_that_carry_credentials_are_marked() {
    let value = HeaderValue::from_static("secret");
    let names = [header::AUTHORIZATION, header::COOKIE, header::ACCEPT];
    let mut headers: HeaderMap = names.map(|name| (name, value.clone())).into_iter().collect();
    mark_sensitive(&mut headers);
    let marked = |name| headers.get(name).unwrap().is_sensitive();
    assert!(marked(header::AUTHORIZATION) && marked(header::COOKIE));
    assert!(!marked(header::ACCEPT), "the rest of a message may be shown");
}
