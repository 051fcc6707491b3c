use proptest::prelude::*;

use super::*;

fn shown(value: &[u8]) -> String {
    let challenges = parse(value).map(|challenge| match &challenge.details {
        Details::Token68(token) => format!("{} {token}", challenge.scheme),
        Details::Parameters(list) => {
            let text = |(name, value): &(String, Vec<u8>)| (name.clone(), text(value));
            format!("{} {:?}", challenge.scheme, list.iter().map(text).collect::<Vec<_>>())
        }
    });
    challenges.collect::<Vec<_>>().join(" | ")
}

/// RFC 9110 §11.2, §11.6.1.
#[test]
fn challenges_are_parsed_up_to_the_first_error() {
    let cases: [(&[u8], &str); 17] = [
        (b"Basic realm=\"a, b\"", r#"basic [("realm", "a, b")]"#),
        (b"Basic realm = x , CHARSET=UTF-8", r#"basic [("realm", "x"), ("charset", "UTF-8")]"#),
        (b"New a=\"1\", Basic realm=\"b\"", r#"new [("a", "1")] | basic [("realm", "b")]"#),
        (b"New, Basic realm=b", r#"new [] | basic [("realm", "b")]"#),
        (b"Negotiate", "negotiate []"),
        (b"Negotiate YWJj==, NTLM", "negotiate YWJj== | ntlm []"),
        (b"A b=, C", "a b= | c []"),
        (b"A b=c", r#"a [("b", "c")]"#),
        (b", ,A b=\"\\\"\",,c=d,", r#"a [("b", "\""), ("c", "d")]"#),
        (b"A b=\"c\" d=e", ""),
        (b"A b=\"open, c=d", r#"a [("b", "open, c=d")]"#),
        (b"A b=c, B d=;", r#"a [("b", "c")]"#),
        (b"A b c", ""),
        (b"A , B", "a [] | b []"),
        (b"=== \"", ""),
        (b"A;b=c", ""),
        (b"", ""),
    ];
    for (value, expected) in cases {
        assert_eq!(shown(value), expected, "{}", value.escape_ascii());
    }
}

#[test]
fn parameters_are_found_by_name() {
    let challenge = parse(b"Digest nonce=a, nonce=b").next().unwrap();
    assert_eq!(challenge.parameter("nonce"), Some(&b"a"[..]));
    assert_eq!(challenge.parameter("realm"), None);
    assert_eq!(parse(b"Negotiate abc").next().unwrap().parameter("abc"), None);
}

#[test]
fn long_values_take_one_pass() {
    for piece in ["a,", "a b=c,", ",", "\"", "a ", "a=", "a b=\"\","] {
        let value = piece.repeat(64 * 1024 / piece.len());
        assert!(parse(value.as_bytes()).count() <= 32 * 1024);
    }
}

proptest! {
    #[test]
    fn never_panics(value in any::<Vec<u8>>()) {
        parse(&value).count();
    }

    #[test]
    fn never_panics_on_nearly_valid_values(value in "([ab]|[ ,=\"\\\\]){0,40}") {
        parse(value.as_bytes()).count();
    }
}
