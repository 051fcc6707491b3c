use super::*;

const BASE: &str = "http://u:p@h:81/a/b?q#f";

#[test]
fn setters_change_one_part() {
    type Setter = fn(&mut Url);
    let table: [(Setter, &str); 33] = [
        (|url| url.set_scheme("HTTPS").unwrap(), "https://u:p@h:81/a/b?q#f"),
        (|url| url.set_scheme("http").unwrap(), BASE),
        (|url| url.set_username("é:@").unwrap(), "http://%C3%A9%3A%40:p@h:81/a/b?q#f"),
        (|url| url.set_username("").unwrap(), "http://:p@h:81/a/b?q#f"),
        (|url| url.set_username("%2f\t").unwrap(), "http://%2f%09:p@h:81/a/b?q#f"),
        (|url| url.set_password(Some("/?#")).unwrap(), "http://u:%2F%3F%23@h:81/a/b?q#f"),
        (|url| url.set_password(Some("")).unwrap(), "http://u@h:81/a/b?q#f"),
        (|url| url.set_password(None).unwrap(), "http://u@h:81/a/b?q#f"),
        (|url| drop(url.take_userinfo()), "http://h:81/a/b?q#f"),
        (|url| url.set_host(Some("G")).unwrap(), "http://u:p@g:81/a/b?q#f"),
        (|url| url.set_host(Some("[1::0]")).unwrap(), "http://u:p@[1::]:81/a/b?q#f"),
        (|url| url.set_host(Some("0x7f.1")).unwrap(), "http://u:p@127.0.0.1:81/a/b?q#f"),
        (|url| url.set_port(Some(8080)).unwrap(), "http://u:p@h:8080/a/b?q#f"),
        (|url| url.set_port(Some(80)).unwrap(), "http://u:p@h/a/b?q#f"),
        (|url| url.set_port(None).unwrap(), "http://u:p@h/a/b?q#f"),
        (|url| url.set_path("/c/./d/../é"), "http://u:p@h:81/c/%C3%A9?q#f"),
        (|url| url.set_path(""), "http://u:p@h:81/?q#f"),
        (|url| url.set_path("//g/\\..\\.."), "http://u:p@h:81//?q#f"),
        (|url| url.set_path("../?\n#^"), "http://u:p@h:81/%3F%23%5E?q#f"),
        (|url| url.set_query(Some("?a b'#\r\n")), "http://u:p@h:81/a/b??a%20b%27%23#f"),
        (|url| url.set_query(Some("")), "http://u:p@h:81/a/b?#f"),
        (|url| url.set_query(None), "http://u:p@h:81/a/b#f"),
        (|url| url.set_fragment(Some("#a b`\t")), "http://u:p@h:81/a/b?q##a%20b%60"),
        (|url| url.set_fragment(Some("")), "http://u:p@h:81/a/b?q#"),
        (|url| url.set_fragment(None), "http://u:p@h:81/a/b?q"),
        (|url| url.append_query("a=b"), "http://u:p@h:81/a/b?q&a=b#f"),
        (|url| url.append_query(""), BASE),
        (|url| url.set_ip_host([1, 2, 3, 4].into()).unwrap(), "http://u:p@1.2.3.4:81/a/b?q#f"),
        (|url| _ = url.query_pairs_mut().append_key_only("c d"), "http://u:p@h:81/a/b?q&c+d#f"),
        (|url| _ = url.query_pairs_mut().append_key_only(""), "http://u:p@h:81/a/b?q&#f"),
        (
            |url| _ = url.query_pairs_mut().extend_keys_only::<_, &str>(["a", "b"]),
            "http://u:p@h:81/a/b?q&a&b#f",
        ),
        (
            |url| url.query_pairs_mut().append_pair("", "").finish().set_fragment(None),
            "http://u:p@h:81/a/b?q&=",
        ),
        (|url| _ = url.query_pairs_mut().clear(), "http://u:p@h:81/a/b#f"),
    ];
    for (set, expected) in table {
        let mut url = Url::parse(BASE).unwrap();
        set(&mut url);
        assert_eq!(url.as_str(), expected);
        assert_eq!(url, Url::parse(expected).unwrap());
    }
}

#[test]
fn invalid_values_leave_the_url_unchanged() {
    let table = [
        (Some("g:82"), ParseError::InvalidHostCharacter(':')),
        (Some("g/a"), ParseError::InvalidHostCharacter('/')),
        (Some("v@g"), ParseError::InvalidHostCharacter('@')),
        (Some("g\r\n"), ParseError::InvalidHostCharacter('\r')),
        (Some("1.2.3.4.5"), ParseError::InvalidIpv4Address),
        (Some("[::1]:82"), ParseError::InvalidIpv6Address),
        (Some(""), ParseError::EmptyHost),
        (None, ParseError::EmptyHost),
    ];
    let mut url = Url::parse(BASE).unwrap();
    for (host, error) in table {
        assert_eq!(url.set_host(host), Err(error), "{host:?}");
    }
    for scheme in ["file", "mailto", "https/", " https", ":https", ""] {
        assert_eq!(url.set_scheme(scheme), Err(()), "{scheme:?}");
    }
    assert_eq!(url, Url::parse(BASE).unwrap());
}

#[test]
fn a_default_port_goes_with_its_scheme() {
    let table = [
        ("http://h:443/", "https", "https://h/"),
        ("https://h:80/", "http", "http://h/"),
        ("https://h:80/", "HTTP:", "http://h/"),
        ("https://h:80/", "ht\ntp://x", "http://h/"),
        ("http://h/", "https", "https://h/"),
        ("https://h:81/", "http", "http://h:81/"),
    ];
    for (input, scheme, expected) in table {
        let mut url = Url::parse(input).unwrap();
        url.set_scheme(scheme).unwrap();
        assert_eq!(url, Url::parse(expected).unwrap());
    }
}

/// The *protocol setter*: both schemes are special or neither; never to `file`, nor from it without a host.
#[test]
fn schemes_change_within_their_kind() {
    let table = [
        ("http://h/a", "ftp", Some("ftp://h/a")),
        ("https://h:80/a", "ws", Some("ws://h/a")),
        ("file://h/C:/a", "http", Some("http://h/C:/a")),
        ("foo://h:80", "BAR+", Some("bar+://h:80")),
        ("foo:/.//a", "b", Some("b:/.//a")),
        ("mailto:a", "tel:1", Some("tel:a")),
        ("http://h/a", "foo", None),
        ("http://h/a", "file", None),
        ("file:///a", "http", None),
        ("foo://h", "http", None),
        ("mailto:a", "1", None),
        ("mailto:a", "", None),
    ];
    for (input, scheme, expected) in table {
        let mut url = Url::parse(input).unwrap();
        assert_eq!(url.set_scheme(scheme).is_ok(), expected.is_some(), "{input} {scheme}");
        assert_eq!(url.as_str(), expected.unwrap_or(input));
    }
}

#[test]
fn hosts_of_other_schemes() {
    let table = [
        ("foo:/a", Some("H"), Ok("foo://H/a")),
        ("foo:/.//a", Some("h"), Ok("foo://h//a")),
        ("foo:/a", Some(""), Ok("foo:///a")),
        ("foo://h//a", None, Ok("foo:/.//a")),
        ("foo://u:p@h:81?q#f", None, Ok("foo:/?q#f")),
        ("foo:/a", None, Ok("foo:/a")),
        ("foo://h", Some("\u{e9}"), Ok("foo://%C3%A9")),
        ("foo://h", Some("[::0]"), Ok("foo://[::]")),
        ("foo://h:81", Some(""), Err(ParseError::EmptyHost)),
        ("foo://u@h", Some(""), Err(ParseError::EmptyHost)),
        ("foo://h", Some("g:81"), Err(ParseError::InvalidHostCharacter(':'))),
        ("file:///a", Some("H"), Ok("file://h/a")),
        ("file://h/a", Some("localhost"), Ok("file:///a")),
        ("file://h/C:/a", Some(""), Ok("file:///C:/a")),
        ("file://h/a", None, Ok("file:///a")),
        ("ws://h", None, Err(ParseError::EmptyHost)),
        ("mailto:a", Some("h"), Err(ParseError::CannotBeABase)),
        ("mailto:a", None, Err(ParseError::CannotBeABase)),
    ];
    for (input, host, expected) in table {
        let mut url = Url::parse(input).unwrap();
        let result = url.set_host(host);
        assert_eq!(result, expected.clone().map(|_| ()), "{input} {host:?}");
        assert_eq!(url, Url::parse(expected.unwrap_or(input)).unwrap());
    }
}

/// *Cannot have a username/password/port*.
#[test]
fn users_and_ports_need_a_host() {
    for input in ["file:///a", "file://h/a", "foo:/a", "foo:///a", "mailto:a"] {
        let mut url = Url::parse(input).unwrap();
        assert_eq!(url.set_username("u"), Err(()), "{input}");
        assert_eq!(url.set_password(Some("p")), Err(()), "{input}");
        assert_eq!(url.set_port(Some(1)), Err(()), "{input}");
        assert_eq!(url.as_str(), input);
    }
    let mut url = Url::parse("foo://h").unwrap();
    url.set_username("u").unwrap();
    url.set_port(Some(80)).unwrap();
    assert_eq!(url.as_str(), "foo://u@h:80");
    assert_eq!(Url::parse("mailto:a").unwrap().set_ip_host([1; 4].into()), Err(()));
}

#[test]
fn paths_of_other_schemes() {
    let table = [
        ("foo://h/a", "", "foo://h"),
        ("foo:/a", "", "foo:/"),
        ("foo:/a", "//b", "foo:/.//b"),
        ("foo:/.//a", "b", "foo:/b"),
        ("foo://h", "\\a?#", "foo://h/\\a%3F%23"),
        ("file:///a", "C|/../b", "file:///C:/b"),
        ("mailto:a#f", "b", "mailto:a#f"),
    ];
    for (input, path, expected) in table {
        let mut url = Url::parse(input).unwrap();
        url.set_path(path);
        assert_eq!(url.as_str(), expected, "{input} {path}");
    }
    type Edit = fn(&mut PathSegmentsMut<'_>);
    let edits: [(&str, Edit, &str); 6] = [
        ("foo://h", |path| _ = path.push("a\\"), "foo://h/a\\"),
        ("foo:/.//a", |path| _ = path.pop().pop(), "foo:/"),
        ("foo:/.//a", |path| _ = path.clear(), "foo:/"),
        ("foo://h", |path| _ = path.clear().pop().pop_if_empty(), "foo://h"),
        ("file:///", |path| _ = path.push("C|").push("D|"), "file:///C:/D|"),
        ("file:///C:/a", |path| _ = path.pop().pop(), "file:///"),
    ];
    for (input, edit, expected) in edits {
        let mut url = Url::parse(input).unwrap();
        edit(&mut url.path_segments_mut().unwrap());
        assert_eq!(url, Url::parse(expected).unwrap(), "{input}");
    }
    let mut url = Url::parse("foo:a#f").unwrap();
    url.set_query(Some("'"));
    assert_eq!(url.as_str(), "foo:a?'#f");
}

#[test]
fn pairs_append_to_any_query() {
    let table = [
        ("http://h/", "http://h/?a=1&b=2"),
        ("http://h/?", "http://h/?a=1&b=2"),
        ("http://h/?x", "http://h/?x&a=1&b=2"),
        ("http://h/?x&#f", "http://h/?x&&a=1&b=2#f"),
    ];
    for (input, expected) in table {
        let mut url = Url::parse(input).unwrap();
        url.query_pairs_mut().extend_pairs::<[(&str, &str); 0], _, _>([]);
        assert_eq!(url.as_str(), input);
        url.query_pairs_mut().append_pair("a", "1").extend_pairs([("b", "2")]);
        assert_eq!(url, Url::parse(expected).unwrap());
    }
    let params = vec![("a".to_owned(), "é&".to_owned())];
    let url = Url::parse_with_params("http://h/#f", &params).unwrap();
    assert_eq!(url.as_str(), "http://h/?a=%C3%A9%26#f");
}
