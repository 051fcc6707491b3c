use http::header::{CONTENT_LENGTH, ETAG, VARY};
use proptest::prelude::*;

use super::super::error::ProtocolError;
use super::super::head;
use super::*;
use crate::http1::limits::Limits;

fn section(lines: &[u8]) -> Result<HeaderSection, ProtocolError> {
    let raw = [b"HTTP/1.1 200 OK\r\n", lines, b"\r\n"].concat();
    head::parse(&raw, &Limits::default()).map(|head| head.headers)
}

/// Checks that the map contains all lines of the section.
fn assert_whole(section: &HeaderSection) {
    assert_eq!(section.map().len(), section.lines.count);
    for (name, value) in section.map() {
        assert!(section.lines(name).any(|line| line == value), "{name:?}");
    }
}

/// Every byte that httparse accepts in a line is valid in a `HeaderMap`.
#[test]
fn every_accepted_byte_is_valid_in_the_map() {
    let mut passed = (0, 0);
    for byte in 0..=u8::MAX {
        if let Ok(section) = section(&[b"a", &[byte][..], b": c\r\n"].concat()) {
            assert_whole(&section);
            passed.0 += 1;
        }
        if let Ok(section) = section(&[b"a: b", &[byte][..], b"c\r\n"].concat()) {
            assert_whole(&section);
            passed.1 += 1;
        }
    }
    // Names: the characters of a token, and the colon, which ends the name. Values: all bytes except
    // control characters and DEL, but including HTAB.
    assert_eq!(passed, (77 + 1, 256 - 32 + 1 - 1));
}

/// Names are compared eight bytes at a time as they would be byte by byte.
#[test]
fn names_are_compared_as_ascii_without_case() {
    for byte in 0..0x80_u8 {
        for other in 0..0x80_u8 {
            for at in 0..11 {
                let (mut name, mut lower) = (*b"a-lOng-nAMe", *b"a-long-name");
                (name[at], lower[at]) = (byte, other);
                let expected = byte.to_ascii_lowercase() == other;
                assert_eq!(is_lowercase_of(&name, &lower), expected, "{byte} {other} {at}");
            }
        }
    }
}

/// The lines are found with and without an allocation for their positions.
#[test]
fn any_number_of_lines_is_found_in_order() {
    for count in 0..3 * FEW_LINES {
        let text: String = (0..count).map(|at| format!("vary: {at}\r\netag: x\r\n")).collect();
        let mut section = section(text.as_bytes()).unwrap();
        assert_eq!(section.lines.many.is_empty(), 2 * count <= FEW_LINES);
        let expected: Vec<_> = (0..count).map(|at| at.to_string().into_bytes()).collect();
        assert!(section.lines(&VARY).eq(&expected), "{count}");
        assert_whole(&section);
        section.remove(&ETAG);
        assert!(section.lines(&VARY).eq(&expected) && section.len() == count, "{count}");
    }
}

#[test]
fn names_longer_than_a_map_allows_are_errors() {
    let line = |length| [b"a".repeat(length).as_slice(), b": b\r\n"].concat();
    assert_whole(&section(&line(LONGEST_NAME)).unwrap());
    let refused = section(&line(LONGEST_NAME + 1));
    assert!(matches!(refused, Err(ProtocolError::InvalidField(_))), "{refused:?}");
}

#[test]
fn a_written_section_equals_a_received_one() {
    let read = section(b"etag: a\r\nvary: b\r\nvary: \xff\r\n").unwrap();
    let written = HeaderSection::written("HTTP/1.1 200 OK", read.map().clone());
    assert_eq!((written.raw(), written.len()), (read.raw(), 3));
    assert_whole(&written);
    assert!(written.lines(&VARY).eq([&b"b"[..], b"\xff"]));
    assert_eq!((written.first(&ETAG), written.first(&CONTENT_LENGTH)), (Some(&b"a"[..]), None));
}

#[test]
fn changes_of_the_caller_do_not_affect_the_protocol() {
    let mut section = section(b"ETag: a\r\nVary: b\r\nVARY: c\r\n").unwrap();
    assert_eq!((section.first(&ETAG), section.len()), (Some(&b"a"[..]), 3));
    section.map();
    section.remove(&ETAG);
    assert_eq!((section.first(&ETAG), section.map().len(), section.len()), (None, 2, 2));
    section.map_mut().insert(VARY, HeaderValue::from_static("d"));
    section.map_mut().append(ETAG, HeaderValue::from_static("e"));
    assert_eq!(section.first(&VARY), Some(&b"d"[..]));
    assert_eq!((&section.map()[ETAG], section.len()), (&HeaderValue::from_static("e"), 2));
    assert_eq!(section.lines(&VARY).collect::<Vec<_>>(), [b"b", b"c"], "as received");
    assert!(section.raw().starts_with(b"HTTP/1.1 200 OK\r\nETag: a\r\n"));
}

proptest! {
    #[test]
    fn lines_are_found_as_in_the_map(
        lines in prop::collection::vec(("(?i)(etag|vary|content-length)", "[ -~]{0,9}"), 0..9),
    ) {
        let text: String =
            lines.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let section = section(text.as_bytes()).unwrap();
        for name in [ETAG, VARY, CONTENT_LENGTH] {
            let found: Vec<_> = section.lines(&name).collect();
            let mapped: Vec<_> = section.map().lines(&name).collect();
            prop_assert_eq!(&found, &mapped);
            let wanted = lines.iter().filter(|(own, _)| name == own.to_lowercase().as_str());
            let wanted: Vec<_> = wanted.map(|(_, value)| value.trim().as_bytes()).collect();
            prop_assert_eq!(found, wanted);
        }
    }
}
