use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;

use super::*;

/// Every documented type with its encoding. The test passes with and without serde.
#[test]
fn shapes() {
    let pairs = vec![("a".to_string(), 1), ("b".to_string(), -2)];
    let none: Option<&str> = None;
    let no_pairs: [(&str, &str); 0] = [];
    let numbers = BTreeMap::from([("f", 1.0), ("g", 0.5), ("h", -1e300)]);
    let table = [
        (encode(&[("a", "b")]), "a=b"),
        (encode(&&[("a", "b")]), "a=b"),
        (encode(&[("a", "b")][..]), "a=b"),
        (encode(&[&("a", "b"), &("c", "d")]), "a=b&c=d"),
        (encode(&[("x", "y"); 32]), &["x=y"; 32].join("&")),
        (encode(&no_pairs), ""),
        (encode(&pairs), "a=1&b=-2"),
        (encode(&&pairs), "a=1&b=-2"),
        (encode(pairs.as_slice()), "a=1&b=-2"),
        (encode(&[("a", Some("b")), ("c", None), ("d", Some(""))]), "a=b&d="),
        (encode(&[("a", &none), ("b", &Some("c"))]), "b=c"),
        (encode(&[("a", none)]), ""),
        (encode(&[("a", Some(Some(1))), ("b", Some(None)), ("c", None)]), "a=1"),
        (encode(&[(Cow::Borrowed("a"), Cow::Owned::<str>("b".into()))]), "a=b"),
        (encode(&[("t", true), ("f", false)]), "t=true&f=false"),
        (encode(&[('k', 'é')]), "k=%C3%A9"),
        (encode(&[(1u8, u128::MAX)]), "1=340282366920938463463374607431768211455"),
        (encode(&[(-1isize, i128::MIN)]), "-1=-170141183460469231731687303715884105728"),
        (encode(&HashMap::from([("a", "b")])), "a=b"),
        (encode(&HashMap::<String, String>::new()), ""),
        (encode(&BTreeMap::from([("b", Some(2)), ("a", Some(1)), ("c", None)])), "a=1&b=2"),
        (encode(&numbers), "f=1.0&g=0.5&h=-1e300"),
        (encode(&[("nan", f32::NAN), ("inf", f32::INFINITY)]), "nan=NaN&inf=inf"),
    ];
    for (row, (encoded, expected)) in table.into_iter().enumerate() {
        assert_eq!(encoded.as_deref(), Ok(expected), "row {row}");
    }
}

/// WHATWG URL §5.2, the *application/x-www-form-urlencoded percent-encode set*.
#[test]
fn the_percent_encode_set() {
    let ascii: String = (0..=0x7F).map(char::from).collect();
    let encoded = encode(&[(ascii.as_str(), "")]).unwrap();
    let kept: String = encoded.split('%').map(|run| run.get(2..).unwrap_or_default()).collect();
    let mut expected = String::from("+*-.0123456789");
    expected.extend(('A'..='Z').chain(['_']).chain('a'..='z'));
    assert_eq!(kept, expected + "=");
    assert_eq!(encoded.matches('%').count(), 128 - (1 + 4 + 10 + 52));
}

/// WHATWG URL §5.1.
#[test]
fn parsing() {
    type Pairs<'a> = &'a [(&'a str, &'a str)];
    let table: [(&[u8], Pairs<'_>); 12] = [
        (b"", &[]),
        (b"&&", &[]),
        (b"a", &[("a", "")]),
        (b"a=", &[("a", "")]),
        (b"=a", &[("", "a")]),
        (b"=", &[("", "")]),
        (b"a=b=c&d", &[("a", "b=c"), ("d", "")]),
        (b"&a=1&&a=2&", &[("a", "1"), ("a", "2")]),
        (b"a+b=c+%2B", &[("a b", "c +")]),
        (b"%61=%C3%A9;x", &[("a", "é;x")]),
        (b"\xFF=%FF&b=\xC3", &[("\u{FFFD}", "\u{FFFD}"), ("b", "\u{FFFD}")]),
        (b"a=%&b=%4&c=%zz", &[("a", "%"), ("b", "%4"), ("c", "%zz")]),
    ];
    for (input, expected) in table {
        let pairs: Vec<_> = parse(input).collect();
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(pairs, expected, "{}", input.escape_ascii());
    }
}

#[test]
fn parsing_borrows_where_it_can() {
    let (name, value) = parse(b"plain=a%20b").next().unwrap();
    assert!(matches!(name, Cow::Borrowed("plain")));
    assert!(matches!(value, Cow::Owned(_)));
    let owned: Vec<(String, String)> = parse(b"plain=a%20b&c").into_owned().collect();
    assert_eq!(owned, [("plain", "a b"), ("c", "")].map(|(n, v)| (n.into(), v.into())));
}

proptest! {
    #[test]
    fn parsing_undoes_encoding(pairs: Vec<(String, String)>) {
        let encoded = encode(&pairs).unwrap();
        let parsed: Vec<(String, String)> =
            parse(encoded.as_bytes()).map(|(name, value)| (name.into(), value.into())).collect();
        prop_assert_eq!(parsed, pairs);
    }

    #[test]
    fn any_bytes_parse(input: Vec<u8>) {
        let parts = input.split(|&byte| byte == b'&').filter(|part| !part.is_empty());
        prop_assert_eq!(parse(&input).count(), parts.count());
    }
}
