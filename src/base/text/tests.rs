use proptest::prelude::*;

use super::*;

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
