use super::*;

#[test]
fn endpoints_are_parsed() {
    let endpoint = |host: &str, port| Some(Endpoint { host: host.to_owned(), port });
    let rows = [
        ("a.test:80", endpoint("a.test", 80)),
        ("A.Test:8443", endpoint("a.test", 8443)),
        ("[::1]:1", endpoint("[::1]", 1)),
        ("127.1:0", endpoint("127.0.0.1", 0)),
        ("a.test", None),
        ("a.test:", None),
        (":80", None),
        ("a.test:65536", None),
        ("::1:80", None),
        ("a.test:80/", None),
        ("a.test:80?", None),
        ("a.test:80/p", None),
        ("u@a.test:80", None),
        ("a test:80", None),
    ];
    for (text, expected) in rows {
        assert_eq!(Endpoint::parse(text), expected, "{text}");
    }
}

#[test]
fn the_default_path_is_in_the_home_directory() {
    type Variables<'a> = &'a [(&'a str, &'a str)];
    let cases: [(Variables<'_>, Option<&str>); 5] = [
        (&[("NETRC", "n"), ("HOME", "h")], Some("n")),
        (&[("NETRC", ""), ("HOME", "h"), ("USERPROFILE", "u")], Some("h/.netrc")),
        (&[("USERPROFILE", "u")], Some("u/.netrc")),
        (&[("HOME", "")], None),
        (&[], None),
    ];
    for (variables, expected) in cases {
        let variable = |name: &str| {
            let found = variables.iter().find(|(own, _)| *own == name);
            found.map(|(_, value)| OsString::from(value))
        };
        assert_eq!(usual_netrc_path(variable), expected.map(PathBuf::from), "{variables:?}");
    }
}

enum Unlimited {}

impl Defaults for Unlimited {
    const CONNECT_TIMEOUT: Option<Duration> = None;
    const READ_TIMEOUT: Option<Duration> = None;
    const WRITE_TIMEOUT: Option<Duration> = None;
}

enum Slow {}

impl Defaults for Slow {
    const READ_TIMEOUT: Option<Duration> = Some(Duration::from_secs(90));
}

fn timeouts<D: Defaults>() -> Timeouts {
    *Config::with_defaults::<D>().timeouts
}

#[test]
fn the_standard_defaults_are_those_of_the_settings() {
    assert_eq!(timeouts::<Standard>(), Timeouts::default());
    let Timeouts { connect, read, write, .. } = Timeouts::default();
    assert_eq!((connect, read, write), (Some(CONNECT), Some(SILENCE), Some(SILENCE)));
}

#[test]
fn a_default_of_none_is_no_limit_for_the_first_byte_either() {
    let mut set = timeouts::<Unlimited>();
    assert_eq!((set.connect, set.read, set.write), (None, None, None));
    let before = set;
    set.default_silence(Some(SILENCE));
    assert_eq!(set, before, "the runtime's default limit replaced it");
}

#[test]
fn a_longer_default_leaves_the_other_limits() {
    let expected = Timeouts { read: Some(Duration::from_secs(90)), ..Timeouts::default() };
    assert_eq!(timeouts::<Slow>(), expected);
}
