use super::charset::decode;

#[test]
fn utf8_with_replacements_and_without_mark() {
    let cases: [(&[u8], &str); 4] = [
        ("gr\u{fc}n".as_bytes(), "gr\u{fc}n"),
        (b"\xef\xbb\xbfa", "a"),
        (b"a\xffb", "a\u{fffd}b"),
        (b"", ""),
    ];
    for (bytes, text) in cases {
        let latin1 = b"text/plain; charset=iso-8859-1";
        assert_eq!(decode(bytes.to_vec(), Some(latin1), "utf-8"), text);
    }
}
