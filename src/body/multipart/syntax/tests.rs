use super::*;

fn disposition(names: NameEncoding, name: &str, file_name: Option<&str>) -> String {
    let mut value = Vec::new();
    names.push_disposition(&mut value, name, file_name);
    String::from_utf8(value).unwrap()
}

#[test]
fn a_random_boundary_is_a_token_of_128_bits_and_never_twice_the_same() {
    let boundaries: std::collections::BTreeSet<_> =
        (0..100).map(|_| Boundary::random().as_str().unwrap().to_owned()).collect();
    assert_eq!(boundaries.len(), 100);
    for boundary in boundaries {
        assert_eq!(boundary.len(), 32);
        assert!(boundary.bytes().all(|byte| byte.is_ascii_hexdigit()), "{boundary}");
    }
}

#[test]
fn without_randomness_there_is_no_form() {
    let boundary = Boundary::Random(Err(getrandom::Error::UNSUPPORTED));
    for error in [boundary.as_str().unwrap_err(), boundary.content_type().unwrap_err()] {
        assert!(error.is_builder());
        assert!(error.to_string().starts_with("no randomness for the boundary"), "{error}");
    }
}

#[test]
fn a_given_boundary_is_checked_and_quoted_where_it_must() {
    let longest = "b".repeat(70);
    let too_long = "b".repeat(71);
    let table = [
        ("abc123", Some("abc123")),
        ("a'+_-.z", Some("a'+_-.z")),
        ("a b", Some("\"a b\"")),
        ("(a,b/c:d=e?)", Some("\"(a,b/c:d=e?)\"")),
        (&longest, Some(&longest)),
        (&too_long, None),
        ("", None),
        (" ", None),
        ("a ", None),
        ("a;b", None),
        ("a\"b", None),
        ("a\\b", None),
        ("a\r\nb", None),
        ("a\u{e9}", None),
    ];
    for (given, expected) in table {
        let content_type = Boundary::given(given.to_owned())
            .and_then(|boundary| boundary.content_type())
            .map(|value| value.to_str().unwrap().to_owned());
        let expected = expected.map(|text| format!("multipart/form-data; boundary={text}"));
        assert_eq!(content_type.ok(), expected, "{given:?}");
    }
}

#[test]
fn html_names_escape_what_would_end_them() {
    let table = [
        ("a", None, r#"name="a""#),
        ("", Some(""), r#"name=""; filename="""#),
        ("é\u{65e5}😀", Some("日.txt"), "name=\"é\u{65e5}😀\"; filename=\"日.txt\""),
        ("a;b=\"c", Some("C:\\x\\"), r#"name="a;b=%22c"; filename="C:\x\""#),
        ("\r\nX: 1\r\n\r\n", Some("\r"), r#"name="%0D%0AX: 1%0D%0A%0D%0A"; filename="%0D""#),
        ("a\0\t%22", None, "name=\"a\0\t%22\""),
    ];
    for (name, file_name, expected) in table {
        let value = disposition(NameEncoding::Html, name, file_name);
        assert_eq!(value, format!("form-data; {expected}"), "{name:?} {file_name:?}");
    }
}

#[test]
fn extended_names_are_plain_or_wholly_encoded() {
    let table = [
        ("plain", r#"name="plain""#, r#"name="plain""#),
        ("a b", "name*=utf-8''a%20b", "name*=utf-8''a%20b"),
        ("é\r\n", "name*=utf-8''%C3%A9%0D%0A", "name*=utf-8''%C3%A9%0D%0A"),
        ("a'b", r#"name="a'b""#, "name*=utf-8''a%27b"),
        ("100%", "name*=utf-8''100%25", "name*=utf-8''100%25"),
        ("a/\"", "name*=utf-8''a%2F%22", "name*=utf-8''a%2F%22"),
        ("!#$&+-.^_`|~", "name*=utf-8''!%23$&+-.^_%60|~", "name=\"!#$&+-.^_`|~\""),
    ];
    for (name, path_segment, attr_chars) in table {
        let value = |names: NameEncoding| disposition(names, name, Some("ü"));
        let expected = |name| format!("form-data; {name}; filename=\"ü\"");
        assert_eq!(value(NameEncoding::PATH_SEGMENT), expected(path_segment));
        assert_eq!(value(NameEncoding::ATTR_CHARS), expected(attr_chars));
    }
}

#[test]
fn the_last_extension_counts_in_any_case() {
    let table = [
        ("a.txt", "text/plain"),
        ("photo.old.JPG", "image/jpeg"),
        ("archive.tar.gz", "application/gzip"),
        (".png", "image/png"),
        ("txt", UNKNOWN_TYPE),
        ("a.", UNKNOWN_TYPE),
        ("", UNKNOWN_TYPE),
        ("a.txt ", UNKNOWN_TYPE),
        ("a.é", UNKNOWN_TYPE),
    ];
    for (name, media_type) in table {
        assert_eq!(media_type_of_file(name), media_type, "{name:?}");
    }
}
