use proptest::prelude::*;

use super::*;

fn found(text: &str, host: &str, username: Option<&str>) -> Option<(String, String)> {
    let netrc = Netrc::parse(text).unwrap();
    let login = netrc.lookup(host, username)?;
    Some((login.username.clone(), login.password.clone()))
}

#[test]
fn logins_are_found_by_host() {
    let cases = [
        ("machine h login l password p", "h", Some(("l", "p"))),
        ("machine\nh\n\tpassword p\r\n  login l account a\n", "h", Some(("l", "p"))),
        ("machine H.Example login l password p", "h.example", Some(("l", "p"))),
        ("machine h login l password p", "h.evil", None),
        ("machine h login l password p", "x.h", None),
        ("machine h login l password p", "", None),
        ("machine ::1 login l", "[::1]", Some(("l", ""))),
        ("machine h password p", "h", Some(("", "p"))),
        ("machine h machine h login l", "h", Some(("l", ""))),
        ("machine h default login d", "h", Some(("d", ""))),
        ("machine h account a", "h", None),
        ("machine h login \"\" password \"\"", "h", None),
        ("default", "h", None),
        ("machine h login l default login d", "x", Some(("d", ""))),
        ("default login d machine h login l", "h", Some(("l", ""))),
        ("machine default login l", "x", None),
        ("machine h login \"a b\" password \"\\\"\\\\\\t\"", "h", Some(("a b", "\"\\\t"))),
        ("machine h password \"\\n\\r\\x\"", "h", Some(("", "\n\rx"))),
        ("machine h login \"\" password #p", "h", Some(("", "#p"))),
        ("# machine h login c\nmachine h login l # x\n#\npassword p#", "h", Some(("l", "p#"))),
        ("macdef init\ncd default\nmachine h\n\nmachine h login l", "h", Some(("l", ""))),
        ("macdef m\r\nbogus\r\n\r\nmachine h login l", "h", Some(("l", ""))),
        ("macdef m\n\nmachine h login l", "h", Some(("l", ""))),
        ("machine h login l\nmacdef m\nbogus", "h", Some(("l", ""))),
        ("", "h", None),
    ];
    for (text, host, expected) in cases {
        let expected = expected.map(|(one, two)| (one.to_owned(), two.to_owned()));
        assert_eq!(found(text, host, None), expected, "{text:?}");
    }
}

#[test]
fn user_names_are_compared_whole() {
    let text = "machine h password 1 login a machine h login b password 2 default login c";
    let password = |user| found(text, "h", Some(user)).map(|(_, password)| password);
    assert_eq!(password("a").as_deref(), Some("1"));
    assert_eq!(password("b").as_deref(), Some("2"));
    assert_eq!(password("c").as_deref(), Some(""));
    assert_eq!((password(""), password("ab"), password("A")), (None, None, None));
}

/// As in curl and Python: the file supplies the password, and the URL the user.
#[test]
fn a_password_without_a_user_applies_to_every_user() {
    let rows = [
        ("machine h password 1", "a", Some(("", "1"))),
        ("machine h password 1 machine h login a password 2", "a", Some(("a", "2"))),
        ("machine h password 1 machine h login a password 2", "b", Some(("", "1"))),
        ("machine h login a password 2 default password 3", "b", Some(("", "3"))),
        ("machine h password 1 default login b password 3", "b", Some(("", "1"))),
        ("machine x password 1", "a", None),
        ("machine h account 1", "a", None),
    ];
    for (text, user, expected) in rows {
        let expected = expected.map(|(one, two)| (one.to_owned(), two.to_owned()));
        assert_eq!(found(text, "h", Some(user)), expected, "{text:?} {user}");
    }
}

#[test]
fn malformed_files_are_refused() {
    for (text, error) in [
        ("machine h login l bogus", "an unknown word in line 1"),
        ("machine h\nMachine x", "an unknown word in line 2"),
        ("login l", "a login before any machine in line 1"),
        ("machine", "a value is missing in line 1"),
        ("machine h\npassword\n", "a value is missing in line 3"),
        ("machine h\npassword \"secret", "a quote is not closed in line 2"),
        ("machine h password \"secret\nx\"", "a quote is not closed in line 1"),
        ("machine h password \"secret\\", "a quote is not closed in line 1"),
        ("# c\n\nbogus", "an unknown word in line 3"),
        ("macdef m\na\nb\n\nbogus", "an unknown word in line 5"),
        ("macdef m\na\n\n\n\nbogus", "an unknown word in line 6"),
        ("macdef", "a value is missing in line 1"),
    ] {
        assert_eq!(Netrc::parse(text).unwrap_err().to_string(), error, "{text:?}");
    }
}

#[test]
fn credentials_match_the_host_and_the_user() {
    let netrc = Netrc::parse(
        "machine a.example login a password 1 machine a.example login b password 2 \
         machine ::1 login c machine bad login x:y",
    )
    .unwrap();
    let url = |url: &str| Url::parse(url).unwrap();
    for (asked, basic) in [
        ("http://A.example:81/", Some("Basic YTox")),
        ("https://[::1]/", Some("Basic Yzo=")),
        ("http://b.example/", None),
    ] {
        let value = netrc.authorization(&url(asked)).unwrap();
        assert_eq!(value.as_ref().map(HeaderValue::as_bytes), basic.map(str::as_bytes));
    }
    assert!(netrc.authorization(&url("http://bad/")).unwrap_err().is_builder());
    for (asked, username, password) in [
        ("http://a.example/", &b"a"[..], Some("1")),
        ("http://a.example/", b"b", Some("2")),
        ("http://a.example/", b"c", None),
        ("http://a.example/", b"\xff", None),
        ("http://[::1]/", b"c", Some("")),
    ] {
        let found = netrc.password_of(&url(asked), username);
        assert_eq!(found.as_deref(), password.map(str::as_bytes), "{asked}");
    }
}

#[test]
fn debug_shows_no_login() {
    let netrc = Netrc::parse("machine h login name password secret").unwrap();
    let shown = format!("{netrc:?} {:?}", netrc.lookup("h", None));
    assert_eq!(shown, "Netrc { entries: 1 } Some(NetrcLogin(***))");
}

#[test]
fn long_files_take_one_pass() {
    for piece in ["#", "#\n", "\"\" ", "\n", "machine a ", "macdef m\n\n", "macdef m\nx"] {
        let _ = Netrc::parse(&piece.repeat(1024 * 1024 / piece.len()));
    }
}

proptest! {
    #[test]
    fn never_panics(text in any::<String>(), host in any::<String>()) {
        let _ = Netrc::parse(&text).map(|netrc| netrc.lookup(&host, None).cloned());
    }

    #[test]
    fn never_panics_on_nearly_valid_files(
        text in "((machine|login|password|default|macdef|#|\"|\\\\|h)[ \n]?){0,20}",
    ) {
        let _ = Netrc::parse(&text);
    }
}
