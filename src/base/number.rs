//! Parses numbers digit by digit. `1*DIGIT` has no sign, no space and no prefix, but `str::parse`
//! and `from_str_radix` accept some of them.

/// The maximum length of a body: the largest file offset and signed 64-bit integer, so that every
/// reader can represent it (RFC 9110 §8.6: anticipate large numbers, prevent conversion errors).
pub(crate) const MAX_LENGTH: u64 = i64::MAX as u64;

/// Parses `1*DIGIT` up to [`MAX_LENGTH`].
pub(crate) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0, |number, byte| push_digit(number, digit(*byte, 10)?, 10))
}

/// Returns the value of one digit, in upper or lower case.
pub(crate) fn digit(byte: u8, radix: u32) -> Option<u32> {
    char::from(byte).to_digit(radix)
}

/// Appends one digit to `number`; `None` beyond [`MAX_LENGTH`].
pub(crate) fn push_digit(number: u64, digit: u32, radix: u32) -> Option<u64> {
    let number = number.checked_mul(radix.into())?.checked_add(digit.into())?;
    (number <= MAX_LENGTH).then_some(number)
}

#[cfg(test)]
mod tests {
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
}
