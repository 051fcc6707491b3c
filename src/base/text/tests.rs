use proptest::prelude::*;

use super::*;

#[test]
fn the_first_wanted_byte_is_found_wherever_it_is() {
    for length in 0..150 {
        assert_eq!(find_any([b'\n', b'\r'], &vec![0x8a; length]), None);
        for at in 0..length {
            let mut text = vec![0x0b; length];
            text[at] = b'\n';
            assert_eq!(find_any([b'\n'], &text), Some(at));
            assert_eq!(find_any([b'\r'], &text), None);
            text[length - 1] = b'\r';
            let other = if at == length - 1 { None } else { Some(at) };
            assert_eq!(find_any([b'\n'], &text), other, "another byte is behind");
            assert_eq!(find_any([b'\r', b'\n'], &text), Some(at), "the first");
        }
    }
}

/// A word without the byte is skipped, regardless of its other bytes.
#[test]
fn the_first_wanted_byte_of_eight_is_found() {
    for other in [0, 1, b'\t', 0x0b, 0x0c, 0x0e, 0x7f, 0x80, 0x8a, 0x8d, 0xff] {
        for byte in 0..=u8::MAX {
            for at in 0..8 {
                let mut word = [other; 8];
                word[at] = byte;
                let feed = (byte == b'\n').then_some(at);
                assert_eq!(find_in_word([b'\n'], &word), feed, "{word:?}");
                let end = feed.or((byte == b'\r').then_some(at));
                assert_eq!(find_in_word([b'\n', b'\r'], &word), end, "{word:?}");
            }
        }
    }
}

proptest! {
    #[test]
    fn the_first_wanted_byte_is_that_of_a_search_byte_by_byte(
        text in prop::collection::vec(prop::sample::select(&b"\n\raaaaaaaaaaaaaaaaaaaa"[..]), 0..200),
    ) {
        let first = |wanted: &[u8]| text.iter().position(|byte| wanted.contains(byte));
        prop_assert_eq!(find_any([b'\n'], &text), first(b"\n"));
        prop_assert_eq!(find_any([b'\n', b'\r'], &text), first(b"\n\r"));
    }
}

#[test]
fn decimal_takes_digits_only() {
    let cases: [(&[u8], Option<u64>); 17] = [
        (b"0", Some(0)),
        (b"5", Some(5)),
        (b"00005", Some(5)),
        (b"4294967301", Some((1 << 32) + 5)),
        (b"9223372036854775807", Some(MAX_LENGTH)),
        (b"9223372036854775808", None),
        (b"18446744073709551615", None),
        (b"18446744073709551616", None),
        (b"18446744073709551621", None),
        (b"", None),
        (b"+5", None),
        (b"-5", None),
        (b"0x5", None),
        (b"5.0", None),
        (b"1_0", None),
        (b" 5", None),
        ("５".as_bytes(), None),
    ];
    for (digits, number) in cases {
        assert_eq!(decimal(digits), number, "{}", digits.escape_ascii());
    }
    assert_eq!(decimal(&[b'9'; 100]), None);
    assert_eq!(decimal(&[b'0'; 100]), Some(0));
}

#[test]
fn hex_digits_in_either_case_and_no_others() {
    for byte in 0..=u8::MAX {
        let expected = "0123456789abcdef"
            .find(char::from(byte).to_ascii_lowercase())
            .and_then(|at| u32::try_from(at).ok());
        assert_eq!(digit(byte, 16), expected, "{}", byte.escape_ascii());
    }
}

proptest! {
    #[test]
    fn decimal_reads_what_format_writes(number in 0..=MAX_LENGTH, zeros in 0usize..30) {
        let text = format!("{}{number}", "0".repeat(zeros));
        prop_assert_eq!(decimal(text.as_bytes()), Some(number));
    }

    #[test]
    fn decimal_takes_nothing_but_digits(bytes: Vec<u8>) {
        let digits_only = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit);
        prop_assert!(digits_only || decimal(&bytes).is_none());
    }
}

static UNRESERVED_ONLY: Table = C0_CONTROL.encoding(b" !\"#$%&'()*+,/:;<=>?@[\\]^`{|}");
static UP_TO_SLASH: Table = C0_CONTROL.stopping(b"/");

fn encode(table: &Table, input: &str) -> (String, String) {
    let mut out = String::new();
    let rest = table.push(&mut out, input).to_owned();
    (out, rest)
}

#[test]
fn encodes_up_to_a_stop() {
    let table = [
        ("", "", ""),
        ("abc", "abc", ""),
        ("a\u{0}b\u{7f}", "a%00b%7F", ""),
        ("é€😀", "%C3%A9%E2%82%AC%F0%9F%98%80", ""),
        ("a/b", "a", "/b"),
        ("/", "", "/"),
        ("é/é", "%C3%A9", "/é"),
        ("a b~", "a b~", ""),
    ];
    for (input, encoded, rest) in table {
        let expected = (encoded.to_owned(), rest.to_owned());
        assert_eq!(encode(&UP_TO_SLASH, input), expected, "{input:?}");
    }
}

#[test]
fn decodes_only_whole_escapes() {
    let table: [(&[u8], &[u8]); 9] = [
        (b"", b""),
        (b"abc", b"abc"),
        (b"%41%7a", b"Az"),
        (b"%C3%a9", b"\xC3\xA9"),
        (b"%", b"%"),
        (b"%4", b"%4"),
        (b"%zz%41", b"%zzA"),
        (b"%%41", b"%A"),
        (b"%+1%00", b"%+1\0"),
    ];
    for (input, decoded) in table {
        assert_eq!(*percent_decode(input), *decoded, "{}", input.escape_ascii());
    }
    assert!(matches!(percent_decode(b"plain"), Cow::Borrowed(_)));
}

proptest! {
    #[test]
    fn decoding_undoes_encoding(input in any::<String>()) {
        let (encoded, rest) = encode(&UNRESERVED_ONLY, &input);
        prop_assert!(encoded.is_ascii() && rest.is_empty());
        prop_assert_eq!(&*percent_decode(encoded.as_bytes()), input.as_bytes());
    }
}
