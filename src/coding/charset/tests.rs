use super::*;

#[test]
fn text_is_decoded_by_mark_then_charset_then_default() {
    let cases: [(&[u8], Option<&'static str>, &str, &str); 15] = [
        (b"gr\xfcn", Some("text/plain; charset=iso-8859-1"), "utf-8", "gr\u{fc}n"),
        (b"gr\xfcn", Some("text/plain; CHARSET=\"latin1\""), "utf-8", "gr\u{fc}n"),
        (b"gr\xfcn", Some("charset=latin1"), "utf-8", "gr\u{fffd}n"),
        (b"gr\xfcn", Some("text/plain"), "latin1", "gr\u{fc}n"),
        (b"gr\xfcn", None, "utf-8", "gr\u{fffd}n"),
        (b"gr\xfcn", None, "no such charset", "gr\u{fffd}n"),
        (b"\x83e\x83X", Some("text/plain; charset=shift_jis"), "utf-8", "\u{30c6}\u{30b9}"),
        (b"\xef\xbb\xbfa", Some("text/plain; charset=latin1"), "utf-8", "a"),
        (b"\xff\xfea\0", None, "utf-8", "a"),
        (b"\"\xc3\xa9\"", Some("a/b+json; charset=utf-16"), "latin1", "\"\u{e9}\""),
        (b"\"\xe9\"", Some("application/json; charset=latin1"), "utf-8", "\"\u{e9}\""),
        (b"\"\xc3\xa9\"", Some("text/json; charset=latin1"), "utf-8", "\"\u{e9}\""),
        (b"\"\0a\0\"\0", Some("application/json; charset=utf-16le"), "utf-8", "\"a\""),
        (b"\"\x1b$B%F\x1b(B\"", Some("a/b+json; charset=iso-2022-jp"), "utf-8", "\"\u{30c6}\""),
        (b"plain", Some("text/plain; charset=unknown-8bit"), "utf-8", "plain"),
    ];
    for (body, content_type, default, expected) in cases {
        let content_type = content_type.map(str::as_bytes);
        assert_eq!(decode(body.to_vec(), content_type, default), expected);
    }
}
