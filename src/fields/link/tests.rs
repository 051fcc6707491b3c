use proptest::prelude::*;

use super::*;

fn shown(value: &[u8]) -> String {
    let links = parse(value).map(|link| format!("{} {:?}", link.target, link.parameters));
    links.collect::<Vec<_>>().join(" | ")
}

/// RFC 8288 §3.5 and appendix B.
#[test]
fn links_are_parsed_up_to_the_first_error() {
    let cases: [(&[u8], &str); 13] = [
        (b"</a>; rel=next", r#"/a [("rel", "next")]"#),
        (b" </a> ; REL = \"next prev\" , <b>", r#"/a [("rel", "next prev")] | b []"#),
        (b"</a,b;c>;title=\"x, <y>; \\\"z\"", r#"/a,b;c [("title", "x, <y>; \"z")]"#),
        (b"<>", " []"),
        (b"<a>;x;;y=", r#"a [("x", ""), ("y", "")]"#),
        (b"<a>;title*=utf-8''%c3%a9;title*=bad", r#"a [("title*", "é")]"#),
        (b"<a>;title=\"open, <b>", r#"a [("title", "open, <b>")]"#),
        (b"<a>;title=\"x\" garbage, <b>", r#"a [("title", "x")] | b []"#),
        (b",, ,<a>,,", "a []"),
        (b"<a", ""),
        (b"a; rel=next", ""),
        (b"<a>, b, <c>", "a []"),
        (b"", ""),
    ];
    for (value, expected) in cases {
        assert_eq!(shown(value), expected, "{}", value.escape_ascii());
    }
}

#[test]
fn long_values_take_one_pass() {
    for piece in ["<a>,", ";", ",", "\"", "<a>;\"", "<a>;x=\"\\"] {
        let value = piece.repeat(64 * 1024 / piece.len());
        assert!(parse(value.as_bytes()).count() <= 16 * 1024);
    }
    let value = format!("<a>{}", ";x=\"\"".repeat(12 * 1024));
    assert_eq!(parse(value.as_bytes()).next().unwrap().parameters.len(), 12 * 1024);
}

proptest! {
    #[test]
    fn never_panics(value in any::<Vec<u8>>()) {
        parse(&value).count();
    }

    #[test]
    fn targets_come_through(targets in prop::collection::vec("[^<>\u{0}-\u{1f}]*", 0..5)) {
        let field: Vec<_> = targets.iter().map(|target| format!("<{target}>;a=b")).collect();
        let found: Vec<_> = parse(field.join(" , ").as_bytes()).map(|link| link.target).collect();
        prop_assert_eq!(found, targets);
    }
}
