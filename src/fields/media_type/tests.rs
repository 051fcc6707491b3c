use proptest::prelude::*;

use super::*;

fn shown(value: &[u8]) -> Option<String> {
    let media_type = MediaType::parse(value)?;
    let parameters = media_type.parameters.iter();
    let shown = parameters.map(|(name, value)| format!(";{name}={value}"));
    Some(media_type.essence + &shown.collect::<String>())
}

#[test]
fn types_with_parameters() {
    let cases: [(&[u8], &str); 15] = [
        (b"text/html", "text/html"),
        (b"\r\n Text/HTML \t", "text/html"),
        (b"text/html;Charset=UTF-8", "text/html;charset=UTF-8"),
        (b"text/html ; ;; charset=a ", "text/html;charset=a"),
        (b"text/html; charset =a", "text/html"),
        (b"text/html; charset= a", "text/html;charset= a"),
        (b"text/html; a=b; A=c", "text/html;a=b"),
        (b"text/html; a; b=; c=\"\"", "text/html;c="),
        (b"text/html; a=\"x;\\\"y\"z;b=c", "text/html;a=x;\"y;b=c"),
        (b"text/html; a=\"open", "text/html;a=open"),
        (b"text/html; a=\"open\\", "text/html;a=open\\"),
        (b"text/html; a=(", "text/html;a=("),
        (b"text/html; a=\x01; b=\x7f; c=d", "text/html;c=d"),
        (b"text/html; a=\xff", "text/html;a=\u{ff}"),
        (b"text/html; \xff=a; (=b", "text/html"),
    ];
    for (value, expected) in cases {
        assert_eq!(shown(value).as_deref(), Some(expected), "{}", value.escape_ascii());
    }
}

#[test]
fn invalid_types_are_none() {
    for value in ["", "/", "text", "text/", "/html", "text /html", "text/ html", "a/b/c", "a,b/c"] {
        assert_eq!(shown(value.as_bytes()), None, "{value:?}");
    }
}

#[test]
fn long_values_take_one_pass() {
    let many: String = (0..8 * 1024).map(|n| format!(";p{n}=v")).collect();
    let media_type = MediaType::parse(format!("a/b{many}").as_bytes()).unwrap();
    assert_eq!(media_type.parameters.len(), MAX_PARAMETERS);
    for piece in [";", "\"", ";a=\"", "=", ";a=\\"] {
        let value = format!("a/b;{}", piece.repeat(64 * 1024 / piece.len()));
        assert_eq!(MediaType::parse(value.as_bytes()).unwrap().essence, "a/b");
    }
}

proptest! {
    #[test]
    fn never_panics(value in any::<Vec<u8>>()) {
        MediaType::parse(&value);
    }
}
