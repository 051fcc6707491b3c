use super::*;

#[test]
fn instants() {
    const MIDNIGHT: Time = Time { hour: 0, minute: 0, second: 0 };
    let cases = [
        (1970, 0, 1, Some(0)),
        (1970, 0, 2, Some(86_400)),
        (1999, 11, 31, Some(946_598_400)),
        (2000, 1, 29, Some(951_782_400)),
        (2100, 1, 29, None),
        (2023, 1, 29, None),
        (2024, 1, 30, None),
        (2024, 3, 31, None),
        (2024, 0, 0, None),
        (2024, 12, 1, None),
        (1600, 0, 1, None),
        (9999, 11, 31, Some(253_402_214_400)),
    ];
    for (year, month, day, expected) in cases {
        let instant = DateTime { year, month, day, time: MIDNIGHT }.instant();
        let seconds = instant
            .map(|instant| instant.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs());
        assert_eq!(seconds, expected, "{year} {month} {day}");
    }
}

#[test]
fn the_first_year_lies_before_the_epoch() {
    let time = Time { hour: 23, minute: 59, second: 60 };
    let instant = DateTime { year: 1601, month: 0, day: 1, time }.instant().unwrap();
    let before = SystemTime::UNIX_EPOCH.duration_since(instant).unwrap();
    assert_eq!(before.as_secs(), 11_644_473_600 - 86_400);
}

#[test]
fn months_by_their_first_letters() {
    for (name, expected) in [
        (&b"Jan"[..], Some(0)),
        (b"december", Some(11)),
        (b"ja", None),
        (b"Foo", None),
        (b"", None),
    ] {
        assert_eq!(month(name), expected);
    }
}

#[cfg(any(feature = "har", feature = "tls"))]
#[test]
fn dates_are_iso_8601() {
    let rows = [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_399_999, "2000-02-28T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (1_767_323_045_678, "2026-01-02T03:04:05.678Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (253_402_300_799_000, "9999-12-31T23:59:59.000Z"),
    ];
    for (millis, expected) in rows {
        assert_eq!(iso_8601(SystemTime::UNIX_EPOCH + Duration::from_millis(millis)), expected);
    }
}
