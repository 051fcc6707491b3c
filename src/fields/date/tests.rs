use proptest::prelude::*;

use super::*;

/// 2026-01-01.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600)
}

fn seconds(input: &str) -> Option<u64> {
    let since = |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    parse(input.as_bytes(), now()).map(since)
}

#[test]
fn the_three_formats_are_one_instant() {
    for input in [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Mon, 06 Nov 1994 08:49:37 GMT",
    ] {
        assert_eq!(seconds(input), Some(784_111_777), "{input}");
    }
    assert_eq!(seconds("Sun Nov 16 08:49:37 1994"), Some(784_975_777));
    let leap = seconds("Sat, 31 Dec 2016 23:59:60 GMT");
    assert_eq!(leap, seconds("Sun, 01 Jan 2017 00:00:00 GMT"));
}

/// RFC 9110 §5.6.7: a date more than 50 years in the future is in the past.
#[test]
fn two_digit_years_are_at_most_fifty_years_ahead() {
    for (old, new) in [
        ("Friday, 06-Nov-26 08:49:37 GMT", "Fri, 06 Nov 2026 08:49:37 GMT"),
        ("Tuesday, 31-Dec-75 23:59:59 GMT", "Tue, 31 Dec 2075 23:59:59 GMT"),
        ("Saturday, 01-Feb-76 00:00:00 GMT", "Sat, 01 Feb 1976 00:00:00 GMT"),
        ("Tuesday, 29-Feb-00 00:00:00 GMT", "Tue, 29 Feb 2000 00:00:00 GMT"),
    ] {
        assert_eq!(seconds(old), seconds(new));
        assert!(seconds(old).is_some(), "{old}");
    }
}

#[test]
fn invalid_dates_are_none() {
    for input in [
        "",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Wed, 29 Feb 2023 00:00:00 GMT",
        "Sat, 01 Jan 0000 00:00:00 GMT",
        "Sun, +6 Nov 1994 08:49:37 GMT",
        "Xxx, 06 Nov 1994 08:49:37 GMT",
        "06 Nov 1994 08:49:37 GMT",
        "1994-11-06T08:49:37Z",
        "Sun Nov 6 08:49:37 1994",
        "Sun, 06-Nov-94 08:49:37 GMT",
    ] {
        assert_eq!(seconds(input), None, "{input}");
    }
}

proptest! {
    #[test]
    fn never_panics(input in any::<Vec<u8>>(), at in any::<u32>()) {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(at.into());
        parse(&input, now);
    }

    #[test]
    fn an_old_date_is_within_fifty_years(at in 0..4_000_000_000_u64, year in 0..100_u8) {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(at);
        let input = format!("Friday, 06-Nov-{year:02} 08:49:37 GMT");
        let date = parse(input.as_bytes(), now).unwrap();
        prop_assert!(date <= now + FIFTY_YEARS && date > now - FIFTY_YEARS - Duration::from_secs(172_800));
    }
}

#[test]
fn seconds_or_a_date() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let cases: [(&[u8], Option<u64>); 11] = [
        (b"120", Some(120)),
        (b" 007\t", Some(7)),
        (b"9223372036854775807", Some(i64::MAX as u64)),
        (b"9223372036854775808", None),
        (b"Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
        (b"Sun, 06 Nov 1994 08:49:27 GMT", Some(0)),
        (b"", None),
        (b"-1", None),
        (b"1.5", None),
        (b"5s", None),
        ("\u{0665}".as_bytes(), None),
    ];
    for (value, expected) in cases {
        let expected = expected.map(Duration::from_secs);
        assert_eq!(retry_after(value, now), expected, "{}", value.escape_ascii());
    }
}

#[test]
fn numbers_too_large_for_a_clock_saturate() {
    let cases: [(&[u8], Option<Duration>); 5] = [
        (b"120", Some(Duration::from_secs(120))),
        (b" 9223372036854775808 ", Some(Duration::MAX)),
        (b"99999999999999999999999999", Some(Duration::MAX)),
        (b"1e9", None),
        (b"", None),
    ];
    for (value, expected) in cases {
        let asked = retry_after_at_least(value, SystemTime::UNIX_EPOCH);
        assert_eq!(asked, expected, "{}", value.escape_ascii());
    }
}
