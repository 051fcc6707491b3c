use std::collections::BTreeMap;

use proptest::prelude::*;

use super::json::Scalar;
use super::*;
use crate::cookie::store::Store;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

fn at(seconds: u64) -> SystemTime {
    NOW + Duration::from_secs(seconds)
}

fn store(set_cookies: &[(&str, &[u8])]) -> Store {
    let mut store = Store::default();
    for (url, set_cookie) in set_cookies {
        store.set(Site::from(*url), set_cookie, NOW).unwrap();
    }
    store
}

fn written(cookie: &StoredCookie, write: fn(&StoredCookie, &mut Vec<u8>)) -> String {
    let mut line = Vec::new();
    write(cookie, &mut line);
    String::from_utf8_lossy(&line).into_owned()
}

/// The outcome of a line: the cookie, or the reason why there is none.
fn fate(line: SavedLine) -> Result<StoredCookie, &'static str> {
    match line {
        SavedLine::Blank => Err("blank"),
        SavedLine::Malformed => Err("malformed"),
        SavedLine::Cookie(record) => match record.admit(&Limits::default(), NOW) {
            Ok((_, cookie)) => Ok(cookie),
            Err(_) => Err("refused"),
        },
    }
}

/// All properties of a cookie, for comparison.
fn shown(cookie: &StoredCookie) -> String {
    let expires = cookie.expires.map(to_unix);
    let (name, value) = (cookie.name.escape_ascii(), cookie.value.escape_ascii());
    let (path, same_site) = (cookie.path.escape_ascii(), cookie.same_site());
    let flags = (cookie.host_only(), cookie.secure(), cookie.http_only());
    format!("{name}={value} {} {path} {flags:?} {same_site:?} {expires:?}", cookie.domain)
}

#[test]
fn cookies_are_written_in_both_formats() {
    let table: [(&str, &[u8], &str, &str); 7] = [
        (
            "https://www.example.com/a/b",
            b"n=v; Domain=example.com; Max-Age=60; Secure; HttpOnly; SameSite=Lax",
            r#"{"name":"n","value":"v","domain":"example.com","path":"/a","host_only":false,"secure":true,"http_only":true,"expires":60,"same_site":"Lax"}"#,
            "#HttpOnly_.example.com\tTRUE\t/a\tTRUE\t60\tn\tv",
        ),
        (
            "http://[::1]/",
            b"token",
            r#"{"name":"","value":"token","domain":"[::1]","path":"/","host_only":true,"secure":false,"http_only":false}"#,
            "[::1]\tFALSE\t/\tFALSE\t0\t\ttoken",
        ),
        (
            "http://a.example",
            b"q=\"\\\t\x7E\xC3\xA9\"",
            r#"{"name":"q","value":"\"\\\t~é\"","domain":"a.example","path":"/","host_only":true,"secure":false,"http_only":false}"#,
            "a.example\tFALSE\t/\tFALSE\t0\tq\t\"\\\t~é\"",
        ),
        (
            "http://a.example",
            b"\xFF=\xFE; Path=/\xFD",
            r#"{"name_b64":"/w==","value_b64":"/g==","domain":"a.example","path_b64":"L/0=","host_only":true,"secure":false,"http_only":false}"#,
            "a.example\tFALSE\t/\u{FFFD}\tFALSE\t0\t\u{FFFD}\t\u{FFFD}",
        ),
        (
            "http://a.example",
            b"a\tb=c; SameSite=None",
            r#"{"name":"a\tb","value":"c","domain":"a.example","path":"/","host_only":true,"secure":false,"http_only":false,"same_site":"None"}"#,
            "",
        ),
        (
            "http://a.example",
            b"n=; Path=/a\tb; SameSite=Strict",
            r#"{"name":"n","value":"","domain":"a.example","path":"/a\tb","host_only":true,"secure":false,"http_only":false,"same_site":"Strict"}"#,
            "",
        ),
        (
            "http://.a.example",
            b"n=v",
            r#"{"name":"n","value":"v","domain":".a.example","path":"/","host_only":true,"secure":false,"http_only":false}"#,
            "..a.example\tFALSE\t/\tFALSE\t0\tn\tv",
        ),
    ];
    for (url, set_cookie, json_line, netscape_line) in table {
        let cookie = store(&[(url, set_cookie)]).to_vec().remove(0);
        assert_eq!(written(&cookie, json::write).trim_end_matches('\n'), json_line);
        assert_eq!(written(&cookie, write_netscape).trim_end_matches('\n'), netscape_line);
    }
}

#[test]
fn json_lines_are_read() {
    let table = [
        (
            r#" { "path" : "\/" ,"value":"\u0062\u00e9\ud83d\ude00", "name":"a","domain":"H.example","secure":false,"http_only":true,"host_only":true,"x":null,"y":1}"#,
            Ok("a=b\\xc3\\xa9\\xf0\\x9f\\x98\\x80 h.example / (true, false, true) None None"),
        ),
        (
            r#"{"name_b64":"YQ==","value_b64":"","domain":"h.example","path":"/","secure":true,"http_only":false,"host_only":false,"expires":7,"same_site":"lax"}"#,
            Ok("a= h.example / (false, true, false) Some(Lax) Some(7)"),
        ),
        ("", Err("blank")),
        (" \t\r", Err("blank")),
        ("{}", Err("malformed")),
        ("# Netscape HTTP Cookie File", Err("malformed")),
    ];
    for (line, expected) in table {
        let fate = fate(json::read(line.as_bytes()));
        assert_eq!(fate.map(|cookie| shown(&cookie)), expected.map(str::to_owned), "{line}");
    }
}

/// Each row is a good line with one thing changed.
#[test]
fn malformed_json_lines_are_skipped() {
    let good = r#"{"name":"a","value":"b","domain":"h.example","path":"/","secure":true,"http_only":true,"host_only":true,"expires":7}"#;
    assert!(fate(json::read(good.as_bytes())).is_ok());
    let table = [
        (r#""name":"a","#, ""),
        (r#""name":"a""#, r#""name":null"#),
        (r#""name":"a""#, r#""name":"a","name_b64":"YQ==""#),
        (r#""name":"a""#, r#""name_b64":"?""#),
        (r#""value":"b""#, r#""value":"b","value":"b""#),
        (r#""value":"b""#, r#""value":1"#),
        (r#""secure":true"#, r#""secure":"true""#),
        (r#""secure":true"#, r#""secure":1"#),
        (r#""domain":"h.example","#, ""),
        (r#""domain":"h.example""#, r#""domain_b64":"/w==""#),
        (r#""expires":7"#, r#""expires":"7""#),
        (r#""expires":7"#, r#""expires":-7"#),
        (r#""expires":7"#, r#""expires":07"#),
        (r#""expires":7"#, r#""expires":7.5"#),
        (r#""expires":7"#, r#""expires":1e9"#),
        (r#""expires":7"#, r#""expires":18446744073709551616"#),
        (r#""expires":7"#, r#""expires":7,"same_site":"Loose""#),
        (r#""expires":7"#, r#""expires":7,"same_site":1"#),
        (r#""expires":7"#, r#""expires":7,"more":{}"#),
        (r#""expires":7"#, r#""expires":7,"#),
        ("}", ""),
        ("}", "}}"),
    ];
    for (from, to) in table {
        let line = good.replacen(from, to, 1);
        assert_ne!(line, good);
        assert_eq!(fate(json::read(line.as_bytes())).map(|_| ()), Err("malformed"), "{line}");
    }
    let broken = good.replace("h.example", "h\u{1}").into_bytes();
    let broken = broken.iter().map(|&byte| if byte == 1 { 0xFF } else { byte });
    assert!(matches!(json::read(&broken.collect::<Vec<_>>()), SavedLine::Malformed));
}

/// RFC 8259.
#[test]
fn objects_are_parsed() {
    let text = |text: &str| Scalar::Text(text.to_owned());
    let table = [
        ("{}", Some(vec![])),
        (" {\t\r\n} ", Some(vec![])),
        (r#"{"":""}"#, Some(vec![("", text(""))])),
        (r#"{"\"\\\/\b\f\n\r\t":1}"#, Some(vec![("\"\\/\u{8}\u{c}\n\r\t", Scalar::Number(1))])),
        (r#"{"a":"\u0000\uFfFd\uD834\udd1e"}"#, Some(vec![("a", text("\0\u{FFFD}\u{1D11E}"))])),
        (
            r#"{"a":true,"b":false,"c":null}"#,
            Some(vec![("a", Scalar::Bool(true)), ("b", Scalar::Bool(false)), ("c", Scalar::Null)]),
        ),
        (
            r#"{"a":9223372036854775807}"#,
            Some(vec![("a", Scalar::Number(9_223_372_036_854_775_807))]),
        ),
        ("", None),
        ("{", None),
        ("[]", None),
        ("{}x", None),
        ("{,}", None),
        ("{a:1}", None),
        (r#"{"a"}"#, None),
        (r#"{"a":}"#, None),
        (r#"{"a":1,}"#, None),
        (r#"{"a":1 "b":1}"#, None),
        (r#"{"a":1,"a":1}"#, None),
        (r#"{"a":[]}"#, None),
        (r#"{"a":tru}"#, None),
        (r#"{"a":9223372036854775808}"#, None),
        (r#"{"a":"}"#, None),
        (r#"{"a":"\"#, None),
        (r#"{"a":"\x"}"#, None),
        (r#"{"a":"\u12"}"#, None),
        (r#"{"a":"\u+123"}"#, None),
        (r#"{"a":"\ud834"}"#, None),
        (r#"{"a":"\ud834\n"}"#, None),
        (r#"{"a":"\ud834\u0041"}"#, None),
        (r#"{"a":"\udd1e"}"#, None),
        ("{\"a\":\"\t\"}", None),
    ];
    for (json, expected) in table {
        let expected = expected.map(|members| {
            let owned = members.into_iter().map(|(name, value)| (name.to_owned(), value));
            owned.collect::<BTreeMap<_, _>>()
        });
        assert_eq!(json::parse_object(json), expected, "{json}");
    }
}

#[test]
fn netscape_lines_are_read() {
    let table = [
        (
            ".example.com\tTRUE\t/a\tTRUE\t60\tn\tv",
            Ok("n=v example.com /a (false, true, false) None Some(60)"),
        ),
        (
            "#HttpOnly_Example.com\tFALSE\t/\tfalse\t\tn\t",
            Ok("n= example.com / (true, false, true) None None"),
        ),
        (
            "example.com\tTRUE\t/\tFALSE\t0\tn\tv\tw ",
            Err("refused"), // A value does not end with a space.
        ),
        (
            "example.com\tTRUE\t/\tFALSE\t0\tn\tv\tw",
            Ok("n=v\\tw example.com / (false, false, false) None None"),
        ),
        (
            ".example.com\tFALSE\t/\tFALSE\t0\tn",
            Ok("n= example.com / (true, false, false) None None"),
        ),
        (
            "127.0.0.1\tFALSE\t/\tFALSE\t0\tn\tv",
            Ok("n=v 127.0.0.1 / (true, false, false) None None"),
        ),
        // At most 400 days.
        (
            "h.example\tFALSE\t/\tFALSE\t9223372036854\tn\tv",
            Ok("n=v h.example / (true, false, false) None Some(34560000)"),
        ),
        ("", Err("blank")),
        ("  ", Err("blank")),
        ("# https://curl.se/docs/http-cookies.html", Err("blank")),
        ("#HttpOnly_", Err("blank")),
        ("#httponly_h.example\tFALSE\t/\tFALSE\t0\tn\tv", Err("blank")),
        ("h.example FALSE / FALSE 0 n v", Err("malformed")),
        ("h.example\tFALSE\t/\tFALSE\t0", Err("malformed")),
        ("h.example\tyes\t/\tFALSE\t0\tn\tv", Err("malformed")),
        ("h.example\tFALSE\t/\tno\t0\tn\tv", Err("malformed")),
        ("h.example\tFALSE\t/\tFALSE\t-1\tn\tv", Err("malformed")),
        ("h.example\tFALSE\t/\tFALSE\t1e9\tn\tv", Err("malformed")),
        ("h.example\tFALSE\t/\tFALSE\t18446744073709551617\tn\tv", Err("malformed")),
    ];
    for (line, expected) in table {
        let fate = fate(read_netscape(line.as_bytes()));
        assert_eq!(fate.map(|cookie| shown(&cookie)), expected.map(str::to_owned), "{line}");
    }
}

/// A file cannot contain a cookie that no server could have set.
#[test]
fn records_that_no_server_could_set_are_refused() {
    let long = "x".repeat(4097);
    let path = format!("/{}", "x".repeat(1024));
    let name = format!("{}.example", "x.".repeat(124));
    let table = [
        ("h.example\tTRUE\t/\tFALSE\t0\tn\tv", Ok(())),
        ("\tFALSE\t/\tFALSE\t0\tn\tv", Err(CookieRefusal::ForeignDomain)),
        ("\tTRUE\t/\tFALSE\t0\tn\tv", Err(CookieRefusal::ForeignDomain)),
        ("u@h.example\tFALSE\t/\tFALSE\t0\tn\tv", Err(CookieRefusal::ForeignDomain)),
        ("h.example:8080\tFALSE\t/\tFALSE\t0\tn\tv", Err(CookieRefusal::ForeignDomain)),
        ("h.example/\tFALSE\t/\tFALSE\t0\tn\tv", Err(CookieRefusal::ForeignDomain)),
        ("h.%65xample\tFALSE\t/\tFALSE\t0\tn\tv", Err(CookieRefusal::ForeignDomain)),
        ("127.1\tFALSE\t/\tFALSE\t0\tn\tv", Err(CookieRefusal::ForeignDomain)),
        (&format!("{name}\tFALSE\t/\tFALSE\t0\tn\tv"), Err(CookieRefusal::SiteTooLong)),
        ("h.example\tFALSE\t\tFALSE\t0\tn\tv", Err(CookieRefusal::NotAsWritten)),
        ("h.example\tFALSE\ta\tFALSE\t0\tn\tv", Err(CookieRefusal::NotAsWritten)),
        ("h.example\tFALSE\t/a;b/c\tFALSE\t0\tn\tv", Ok(())),
        ("h.example\tFALSE\t/a; Secure\tFALSE\t0\tn\tv", Err(CookieRefusal::NotAsWritten)),
        ("h.example\tFALSE\t/a;b/../c\tFALSE\t0\tn\tv", Err(CookieRefusal::NotAsWritten)),
        ("h.example\tFALSE\t/a;b?c\tFALSE\t0\tn\tv", Err(CookieRefusal::NotAsWritten)),
        ("h.example\tFALSE\t/a;b/\tFALSE\t0\tn\tv", Ok(())),
        ("h.example\tFALSE\ta;b\tFALSE\t0\tn\tv", Err(CookieRefusal::NotAsWritten)),
        ("h.example\tFALSE\t/a;b\tTRUE\t0\t__Host-n\tv", Err(CookieRefusal::Prefix)),
        (&format!("h.example\tFALSE\t{path}\tFALSE\t0\tn\tv"), Err(CookieRefusal::SiteTooLong)),
        ("h.example\tFALSE\t/\tFALSE\t0\t\t", Err(CookieRefusal::Empty)),
        ("h.example\tFALSE\t/\tFALSE\t0\t n\tv", Err(CookieRefusal::NotAsWritten)),
        ("h.example\tFALSE\t/\tFALSE\t0\tn=m\tv", Err(CookieRefusal::NotAsWritten)),
        ("h.example\tFALSE\t/\tFALSE\t0\tn\tv;w", Err(CookieRefusal::NotAsWritten)),
        ("h.example\tFALSE\t/\tFALSE\t0\tn\tv\rw", Err(CookieRefusal::ControlOctet)),
        ("h.example\tFALSE\t/\0\tFALSE\t0\tn\tv", Err(CookieRefusal::ControlOctet)),
        (&format!("h.example\tFALSE\t/\tFALSE\t0\tn\t{long}"), Err(CookieRefusal::PairTooLong)),
        ("h.example\tFALSE\t/\tFALSE\t0\t__Secure-n\tv", Err(CookieRefusal::Prefix)),
        ("h.example\tTRUE\t/\tTRUE\t0\t__Host-n\tv", Err(CookieRefusal::Prefix)),
        ("h.example\tFALSE\t/a\tTRUE\t0\t__Host-n\tv", Err(CookieRefusal::Prefix)),
        ("h.example\tFALSE\t/\tTRUE\t0\t__Host-n\tv", Ok(())),
    ];
    for (line, expected) in table {
        let SavedLine::Cookie(record) = read_netscape(line.as_bytes()) else { panic!("{line}") };
        assert_eq!(record.admit(&Limits::default(), NOW).map(|_| ()), expected, "{line}");
    }
}

/// Text after a `;` in a path has no effect on the cookie.
#[test]
fn a_path_has_no_attributes() {
    let line = b"h.example\tFALSE\t/a;max-age=5;domain=h.example;secure\tFALSE\t9\tn\tv";
    let SavedLine::Cookie(record) = read_netscape(line) else { panic!() };
    let (_, cookie) = record.admit(&Limits::default(), NOW).unwrap();
    let expected =
        "n=v h.example /a;max-age=5;domain=h.example;secure (true, false, false) None Some(9)";
    assert_eq!(shown(&cookie), expected);
}

/// A public suffix may have a cookie of its own, as with `Set-Cookie`, but none for its subdomains.
#[test]
fn a_cookie_of_a_public_suffix_is_host_only() {
    let SavedLine::Cookie(record) = read_netscape(b".com\tTRUE\t/\tFALSE\t0\tn\tv") else {
        panic!()
    };
    assert!(record.admit(&Limits::default(), NOW).unwrap().1.host_only());
}

#[test]
fn restored_cookies_replace_and_expire() {
    let mut store = store(&[("https://h.example", b"n=held; Secure")]);
    let mut restore = |line: &str| {
        let SavedLine::Cookie(record) = read_netscape(line.as_bytes()) else { panic!("{line}") };
        let result = store.restore(&record, at(10));
        let header = store.header(Site::from("https://h.example/"), at(10));
        (result, header.map(|header| header.to_str().unwrap().to_owned()).unwrap_or_default())
    };
    let table = [
        ("h.example\tFALSE\t/\tFALSE\t10\tn\told", Err(CookieRefusal::Expired), "n=held"),
        ("h.example\tFALSE\t/\tFALSE\t11\tn\tnew", Ok(()), "n=new"),
        ("h.example\tTRUE\t/\tFALSE\t0\tn\tbelow", Ok(()), "n=new; n=below"),
        (
            "h.example\tFALSE\t/\tFALSE\t0\tn\tx;",
            Err(CookieRefusal::NotAsWritten),
            "n=new; n=below",
        ),
    ];
    for (line, result, header) in table {
        assert_eq!(restore(line), (result, header.to_owned()), "{line}");
    }
}

fn set_cookie() -> impl Strategy<Value = Vec<u8>> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..8);
    let attributes = [
        "Domain=example.com",
        "Domain=..a.example.com",
        "Path=/a",
        "Secure",
        "HttpOnly",
        "SameSite=Lax",
        "SameSite=None",
        "Max-Age=9",
        "Max-Age=99999999999",
        "Path=/\u{e9}\t\"\\",
    ];
    let attributes = prop::collection::vec(prop::sample::select(attributes.to_vec()), 0..5);
    let path = (prop::sample::select(vec![&b"Path=/"[..], b"Path="]), bytes());
    (bytes(), bytes(), path, attributes).prop_map(|(name, value, path, attributes)| {
        let (attributes, path) = (attributes.join(";"), [path.0, &*path.1].concat());
        [&*name, b"=", &*value, b";", &*path, b";", attributes.as_bytes()].concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn written_cookies_are_read_back(
        set_cookie in set_cookie(),
        host in "(www\\.example\\.com|\\[::1\\]|1\\.2\\.3\\.4|h|\\.{1,2}(h|a\\.example\\.com)?)",
        path in "(|[!$&'();=@~.%a]{1,4}/)(|[;=,a]{1,3}/)",
    ) {
        let mut store = Store::default();
        let url = Url::parse(&format!("https://{host}/{path}")).unwrap();
        let _ = store.set(Site::of(&url).unwrap(), &set_cookie, NOW);
        for cookie in store.to_vec() {
            let mut line = Vec::new();
            json::write(&cookie, &mut line);
            prop_assert_eq!(line.iter().filter(|&&byte| byte == b'\n').count(), 1);
            let again = fate(json::read(&line)).unwrap();
            prop_assert_eq!(shown(&again), shown(&cookie));
            // The same with an independent reader.
            let value: serde_json::Value = serde_json::from_slice(&line).unwrap();
            prop_assert_eq!(value["domain"].as_str().unwrap(), cookie.domain());

            line.clear();
            write_netscape(&cookie, &mut line);
            if line.is_empty() {
                prop_assert!(cookie.name.contains(&b'\t') || cookie.path.contains(&b'\t'));
                continue;
            }
            let again = fate(read_netscape(line.strip_suffix(b"\n").unwrap())).unwrap();
            let expected = shown(&cookie).replace("Some(Lax)", "None").replace("Some(None)", "None");
            prop_assert_eq!(shown(&again), expected);
        }
    }

    /// Any text that an independent reader accepts as a flat object is accepted here too, with the
    /// same strings.
    #[test]
    fn strings_as_serde_json_reads_them(text in any::<String>(), ascii in any::<bool>()) {
        let mut json = serde_json::json!({ "key": text }).to_string();
        if ascii {
            json = json.chars().flat_map(escape_unless_ascii).collect();
        }
        let members = json::parse_object(&json).unwrap();
        prop_assert_eq!(&members["key"], &Scalar::Text(text));
    }

    #[test]
    fn arbitrary_lines_never_panic(line in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = fate(json::read(&line));
        let _ = fate(read_netscape(&line));
    }

    #[test]
    fn any_object_is_read_as_serde_json_reads_it(json in "\\{(\"[a\\\\\"u0-9dD]{0,9}\":[0-9trufalsen\"\\\\.,: ]{0,9},?){0,3}\\}") {
        if let Some(members) = json::parse_object(&json) {
            let value: serde_json::Value = serde_json::from_str(&json).map_err(|error| {
                TestCaseError::fail(format!("{json}: {error}"))
            })?;
            prop_assert_eq!(value.as_object().unwrap().len(), members.len());
        }
    }
}

fn escape_unless_ascii(c: char) -> Vec<char> {
    if c.is_ascii() {
        return vec![c];
    }
    let units =
        c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
    units.chars().collect()
}
