use proptest::prelude::*;

use super::*;

fn shown(value: &[u8]) -> Option<(String, Option<String>)> {
    parse(value).map(|disposition| (disposition.kind, disposition.file_name))
}

/// RFC 6266 §4, §5, and common deviations of servers.
#[test]
fn file_names() {
    let cases: [(&[u8], &str, Option<&str>); 19] = [
        (b"attachment", "attachment", None),
        (b" INLINE ", "inline", None),
        (b"attachment; filename=a.txt", "attachment", Some("a.txt")),
        (b"attachment;FileName=\"a;b.txt\"", "attachment", Some("a;b.txt")),
        (b"attachment; filename = \"a\\\"b\"", "attachment", Some("a\"b")),
        (b"attachment; filename=a b.txt ; x=y", "attachment", Some("a b.txt")),
        (b"attachment; filename=\"a\" b; x=y", "attachment", Some("a")),
        (b"attachment; filename=\"open", "attachment", Some("open")),
        (b"attachment; filename=a; filename=b", "attachment", Some("a")),
        (b"attachment; filename=a; filename*=UTF-8''%e2%82%ac", "attachment", Some("\u{20ac}")),
        (b"attachment; filename*=UTF-8''%e2%82%ac; filename=a", "attachment", Some("\u{20ac}")),
        (b"attachment; filename*=UTF-8''; filename=a", "attachment", Some("a")),
        (b"attachment; filename*=UTF-7''b; filename=a", "attachment", Some("a")),
        (b"attachment; filename*=UTF-8''%zz", "attachment", None),
        (b"attachment; filename=\"%41\"", "attachment", Some("%41")),
        (b"attachment; filename=\"\xe4\"", "attachment", Some("\u{e4}")),
        (b"attachment; filename=\"\xc3\xa4\"", "attachment", Some("\u{e4}")),
        (b"attachment; xfilename=a; filename*0=b", "attachment", None),
        (b"attachment; ; filename", "attachment", Some("")),
    ];
    for (value, kind, name) in cases {
        let expected = Some((kind.to_owned(), name.map(str::to_owned)));
        assert_eq!(shown(value), expected, "{}", value.escape_ascii());
    }
    for value in [&b""[..], b"\"attachment\"", b"filename=a", b"; filename=a", b"a b", b": inline"]
    {
        assert_eq!(shown(value), None, "{}", value.escape_ascii());
    }
}

#[test]
fn safe_names_are_unchanged() {
    for name in ["a.txt", "Not an attachment!", "a..b", "\u{65e5}\u{672c}.pdf", "com", "com10", "-"]
    {
        assert_eq!(safe_file_name(name).as_deref(), Some(name));
    }
}

#[test]
fn unsafe_names_are_made_safe() {
    let cases = [
        ("/etc/passwd", "passwd"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\evil.exe", "evil.exe"),
        ("C:\\x\\a.txt", "a.txt"),
        ("C:a.txt", "C_a.txt"),
        ("a.txt:stream", "a.txt_stream"),
        ("a\r\nb\u{1b}[2J.txt", "a__b_[2J.txt"),
        ("a\u{202e}gpj.exe", "a_gpj.exe"),
        ("a\u{61c}gpj.exe", "a_gpj.exe"),
        (".bashrc", "bashrc"),
        (" . a. . ", "a"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("Com1.tar.gz", "_Com1.tar.gz"),
        ("LPT\u{b2}", "_LPT\u{b2}"),
        ("aux .c", "_aux .c"),
        ("a<b>?*|\"", "a_b_____"),
    ];
    for (name, expected) in cases {
        assert_eq!(safe_file_name(name).as_deref(), Some(expected), "{name:?}");
    }
}

#[test]
fn names_without_a_safe_character_are_none() {
    for name in ["", ".", "..", "...", "/", "a/", "..\\", "dir/..", " . "] {
        assert_eq!(safe_file_name(name), None, "{name:?}");
    }
}

#[test]
fn long_names_keep_their_extension() {
    let rows = [
        ("a".repeat(300) + ".pdf", "a".repeat(250) + ".pdf"),
        ("\u{e4}".repeat(300) + ".pdf", "\u{e4}".repeat(125) + ".pdf"),
        ("a".repeat(249) + " .b.c.pdf", "a".repeat(249) + ".pdf"),
        ("a".repeat(300) + "." + &"x".repeat(32), "a".repeat(221) + "." + &"x".repeat(32)),
        ("a".repeat(230) + "." + &"x".repeat(33), "a".repeat(230) + "." + &"x".repeat(23)),
        ("a".repeat(300) + ".pdf. .", "a".repeat(250) + ".pdf"),
        ("a".repeat(250) + ".pdf", "a".repeat(250) + ".pdf"),
    ];
    for (name, expected) in rows {
        assert_eq!(safe_file_name(&name), Some(expected), "{name}");
    }
}

#[test]
fn long_values_take_one_pass() {
    for piece in [";", "\"", "=", ";filename=", ";filename*=utf-8''%41", "\\\""] {
        let value = format!("a;{}", piece.repeat(64 * 1024 / piece.len()));
        assert_eq!(parse(value.as_bytes()).unwrap().kind, "a");
    }
    let name = safe_file_name(&"\u{e4}".repeat(32 * 1024)).unwrap();
    assert_eq!(name, "\u{e4}".repeat(127));
}

proptest! {
    #[test]
    fn never_panics(value in any::<Vec<u8>>()) {
        parse(&value);
    }

    #[test]
    fn is_one_component_and_stays_so(name in any::<String>()) {
        let Some(safe) = safe_file_name(&name) else { return Ok(()) };
        prop_assert!(safe.len() <= 255 && !safe.is_empty());
        prop_assert!(!safe.contains(['/', '\\', '\0', ':']) && !safe.starts_with('.'));
        prop_assert!(!safe.ends_with(['.', ' ']) && !is_device(&safe));
        prop_assert_eq!(safe_file_name(&safe), Some(safe.clone()));
    }
}
