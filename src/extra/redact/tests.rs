use super::*;

#[test]
fn secrets_of_urls_are_redacted_and_nothing_else() {
    let rows = [
        ("http://a.test/p?x=1&y=a%20b&x=2&z#f", "http://a.test/p?x=1&y=a%20b&x=2&z#f"),
        ("http://u:s3cret@a.test/p", "http://u:REDACTED@a.test/p"),
        ("http://u@a.test/p", "http://u@a.test/p"),
        ("//u:s3cret@a.test", "//u:REDACTED@a.test"),
        ("/x?token=s3cret", "/x?token=REDACTED"),
        ("?a=1&access_token=s3cret?s3cret&b=2", "?a=1&access_token=REDACTED&b=2"),
        ("/x#id_token=s3cret&state=1", "/x#id_token=REDACTED&state=1"),
        ("/x?next=/y?token=s3cret", "/x?next=/y?token=REDACTED"),
        ("/x?next=%2Fy%3Ftoken%3Ds3cret&a=1", "/x?next=REDACTED&a=1"),
        ("/x?next=http%3A%2F%2Fu%3As3cret%40h", "/x?next=REDACTED"),
        ("/x?user%5Bpassword%5D=s3cret", "/x?user%5Bpassword%5D=REDACTED"),
        ("/x?user[password]=s3cret", "/x?user[password]=REDACTED"),
        ("/x?%74oken=s3cret", "/x?%74oken=REDACTED"),
        ("/x?apiKey=s3cret&X-Amz-Signature=s3cret", "/x?apiKey=REDACTED&X-Amz-Signature=REDACTED"),
        ("</a?sig=s3cret>; rel=next, </b?c=1>", "</a?sig=REDACTED>; rel=next, </b?c=1>"),
        ("token=", "token="),
        ("?token=", "?token="),
        ("?token=?s3cret", "?token=REDACTED"),
        ("\u{e4}?\u{e4}=\u{e4}&token=\u{e4}", "\u{e4}?\u{e4}=\u{e4}&token=REDACTED"),
    ];
    for (given, expected) in rows {
        assert_eq!(text(given), expected);
    }
}

#[test]
fn long_texts_take_linear_time() {
    for part in ["?", "?a=", "//", "//a:", "&token=", "=", "#a=%25"] {
        let long = part.repeat(1 << 18);
        let started = std::time::Instant::now();
        text(&long);
        assert!(started.elapsed() < std::time::Duration::from_secs(20), "{part}"); // quadratic: minutes
    }
}

#[test]
fn secrets_of_fields_are_redacted_and_nothing_else() {
    let rows = [
        ("authorization", "Bearer s3cret", Some("Bearer REDACTED")),
        ("authorization", "s3cret", Some("REDACTED")),
        ("cookie", "a=s3cret; b=s3cret", Some("REDACTED")),
        ("set-cookie", "sid=s3cret; Path=/; Secure", Some("sid=REDACTED; Path=/; Secure")),
        ("set-cookie", "s3cret", Some("=REDACTED")),
        ("location", "/x?token=s3cret", Some("/x?token=REDACTED")),
        ("location", "/x?y=1", None),
        ("referer", "http://a.test/?sig=s3cret", Some("http://a.test/?sig=REDACTED")),
        ("www-authenticate", "Digest nonce=\"1\"", None),
        ("x-api-key", "s3cret", Some("REDACTED")),
        ("accept", "*/*", None),
    ];
    for (name, value, expected) in rows {
        let name = HeaderName::from_static(name);
        let shown = field(&name, &HeaderValue::from_static(value));
        assert_eq!(shown.as_deref(), expected.map(str::as_bytes), "{name}: {value}");
    }
    let mut marked = HeaderValue::from_static("s3cret");
    marked.set_sensitive(true);
    assert_eq!(field(&header::ACCEPT, &marked).as_deref(), Some(REDACTED.as_bytes()));
}
