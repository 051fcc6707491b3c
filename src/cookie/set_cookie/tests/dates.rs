use proptest::prelude::*;

use super::*;

/// Returns the seconds since 1970, or `None` for a date to ignore.
fn seconds(input: &[u8]) -> Option<i64> {
    let instant = cookie_date(input)?;
    Some(match instant.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => after.as_secs() as i64,
        Err(before) => -(before.duration().as_secs() as i64),
    })
}

const CHRISTMAS_EVE: Option<i64> = Some(1_230_163_199);

#[test]
fn all_forms_of_one_instant_are_read() {
    let table = [
        "Wed, 24 Dec 2008 23:59:59 GMT",     // IMF-fixdate
        "Wednesday, 24-Dec-08 23:59:59 GMT", // RFC 850
        "Wed Dec 24 23:59:59 2008",          // asctime
        "24 dEC 2008 23:59:59",
        "24 december 2008 23:59:59",
        "23:59:59 24 Dec 2008",
        "2008 Dec 24 23:59:59",
        "Dec\t24/2008\\23:59:59",
        "24,,Dec,,2008,,23:59:59",
        "24 Dec 2008 23:59:59 +0500",
        "24 Dec 2008 23:59:59 11:22:33",
        "24th Dec 2008AD 23:59:59Z",
        "24 Dec 2008 x:y 23:59:59",
    ];
    for input in table {
        assert_eq!(seconds(input.as_bytes()), CHRISTMAS_EVE, "{input}");
    }
}

#[test]
fn all_delimiters_separate_tokens() {
    let delimiters = b"\t !\"#$%&'()*+,-./;<=>?@[\\]^_`{|}~";
    for byte in 0..=u8::MAX {
        let input = [&b"24"[..], b"Dec", b"2008", b"23:59:59"].join(&byte);
        let expected = CHRISTMAS_EVE.filter(|_| delimiters.contains(&byte));
        assert_eq!(seconds(&input), expected, "{}", byte.escape_ascii());
    }
}

#[test]
fn two_digit_years_below_70_are_in_the_21st_century() {
    for (year, expected) in [("69", "2069"), ("70", "1970"), ("99", "1999"), ("00", "2000")] {
        let [short, long] = [year, expected].map(|year| format!("1 Jan {year} 0:0:0"));
        assert!(seconds(long.as_bytes()).is_some());
        assert_eq!(seconds(short.as_bytes()), seconds(long.as_bytes()), "{year}");
    }
}

#[test]
fn calendar_edges_are_checked() {
    let table = [
        ("1 Jan 1970 0:0:0", Some(0)),
        ("31 Dec 1969 23:59:59", Some(-1)),
        ("1 Jan 1601 0:0:0", Some(-11_644_473_600)),
        ("31 Dec 9999 23:59:59", Some(253_402_300_799)),
        ("29 Feb 2024 0:0:0", Some(1_709_164_800)),
        ("29 Feb 2000 0:0:0", Some(951_782_400)),
        ("31 Dec 1600 23:59:59", None),
        ("29 Feb 2023 0:0:0", None),
        ("29 Feb 1900 0:0:0", None),
        ("31 Apr 2021 0:0:0", None),
        ("0 Jan 2021 0:0:0", None),
        ("32 Jan 2021 0:0:0", None),
        ("1 Jan 2021 24:0:0", None),
        ("1 Jan 2021 0:60:0", None),
        ("1 Jan 2021 0:0:60", None),
    ];
    for (input, expected) in table {
        assert_eq!(seconds(input.as_bytes()), expected, "{input}");
    }
}

#[test]
fn malformed_dates_are_ignored() {
    let table: [&[u8]; 12] = [
        b"",
        b"tomorrow",
        b"24 Dec 2008",
        b"24 Dec 2008 23:59",
        b"24 2008 23:59:59",
        b"24 De 2008 23:59:59",
        b"24 Dec 12008 23:59:59",
        b"24 Dec 8 23:59:59",
        b"24 Dec 2008 023:59:59",
        b"24 Dec 2008 23:59:059",
        b"24 Dec 2008 23:59:-9",
        b"\x0024 Dec 2008 23:59:59", // NUL separates nothing
    ];
    for input in table {
        assert_eq!(seconds(input), None, "{}", input.escape_ascii());
    }
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

proptest! {
    #[test]
    fn any_bytes_are_a_date_in_range_or_none(input in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Some(seconds) = seconds(&input) {
            prop_assert!((-11_644_473_600..=253_402_300_799).contains(&seconds));
        }
    }

    #[test]
    fn written_dates_are_read_back(instant in -11_644_473_600_i64..=253_402_300_799) {
        let (days, second) = (instant.div_euclid(86_400), instant.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        let name = MONTHS[month as usize - 1];
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let text = format!("Day, {day:02} {name} {year} {hour:02}:{minute:02}:{second:02} GMT");
        prop_assert_eq!(seconds(text.as_bytes()), Some(instant), "{}", text);
    }
}

/// The inverse by a different method: 400-year eras that begin on 1 March.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// The dates of the test vectors include some that no header field can carry, so they are tested
/// here.
#[test]
fn conformance_vectors() {
    let Some(folder) = std::env::var_os("LEANHTTP_VECTORS") else {
        println!("LEANHTTP_VECTORS is not set: no vectors run");
        return;
    };
    let file = std::fs::read(std::path::Path::new(&folder).join("cookies/dates.json")).unwrap();
    let vectors: serde_json::Value = serde_json::from_slice(&file).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(vectors["count"], cases.len());
    for case in cases {
        let result = seconds(case["input"].as_str().unwrap().as_bytes()).map(iso_8601);
        assert_eq!(result.as_deref(), case["expect"].as_str(), "{}", case["name"]);
    }
    println!("{:<24}{:>5} cases, all passed", "cookies/dates", cases.len());
}

fn iso_8601(instant: i64) -> String {
    let (year, month, day) = civil_from_days(instant.div_euclid(86_400));
    let second = instant.rem_euclid(86_400);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}
