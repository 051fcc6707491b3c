use super::*;

#[test]
fn quoted_strings() {
    let cases: [(&[u8], &[u8], &[u8]); 7] = [
        (b"a b\";", b"a b", b";"),
        (b"\"", b"", b""),
        (br#"\"\\\a""#, br#""\a"#, b""),
        (br#"a\";"#, br#"a";"#, b""),
        (b"open", b"open", b""),
        (b"open\\", b"open\\", b""),
        (b"", b"", b""),
    ];
    for (input, text, rest) in cases {
        let mut cursor = Cursor::new(input);
        assert_eq!((&*cursor.quoted(), cursor.rest), (text, rest));
    }
}

#[test]
fn parameters() {
    let cases: [(&[u8], [&[u8]; 3]); 8] = [
        (b"a=b;c", [b"a", b"b", b";c"]),
        (b" a = b , c", [b"a", b"b", b", c"]),
        (b"a=\"b;,\" ;", [b"a", b"b;,", b";"]),
        (b"a = \"b\"", [b"a", b"b", b""]),
        (b"a", [b"a", b"", b""]),
        (b"a;", [b"a", b"", b";"]),
        (b"=b", [b"", b"b", b""]),
        (b"", [b"", b"", b""]),
    ];
    for (input, expected) in cases {
        let mut cursor = Cursor::new(input);
        let parameter = cursor.parameter(Some(b','));
        assert_eq!([parameter.name, &parameter.value, cursor.rest], expected);
    }
}

#[test]
fn text_is_utf8_or_latin1() {
    assert_eq!(text("\u{e4}".as_bytes()), "\u{e4}");
    assert_eq!(text(b"\xe4"), "\u{e4}");
    assert_eq!(lower(b"TiTLe*"), "title*");
}

/// RFC 8187 §3.2.
#[test]
fn utf_8_and_latin_1_are_decoded() {
    let cases: [(&[u8], Option<&str>); 12] = [
        (b"UTF-8'en'%e2%82%ac%20rates", Some("\u{20ac} rates")),
        (b"utf-8''plain", Some("plain")),
        (b"iso-8859-1'en'%A3%20rates", Some("\u{a3} rates")),
        (b"utf-8'''%27", Some("''")),
        (b"utf-8''", Some("")),
        (b"utf-8''%A3", None),
        (b"utf-8''%", None),
        (b"utf-8''%2", None),
        (b"utf-8''%zz", None),
        (b"utf-8''a b", None),
        (b"utf-7''a", None),
        (b"''a", None),
    ];
    for (value, expected) in cases {
        assert_eq!(extended_value(value).as_deref(), expected, "{}", value.escape_ascii());
    }
    assert_eq!(extended_value(b"utf-8"), None);
    assert_eq!(extended_value(b""), None);
}
