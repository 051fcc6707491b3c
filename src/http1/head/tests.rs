use super::*;

fn parse_text(text: &str) -> Result<Box<ResponseHead>, ProtocolError> {
    parse(text.as_bytes(), &Limits::default())
}

#[test]
fn the_end_is_found_at_every_split() {
    let heads = [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n\r\n",
        "HTTP/1.1 200 OK\nA: b\n\n",
        "HTTP/1.1 200 OK\r\nA: b\n\r\n",
        "HTTP/1.1 200 OK\nA: b\r\n\n",
    ];
    for head in heads {
        let data = format!("{head}body\r\n\r\n");
        for split in 0..=data.len() {
            let mut scanner = HeadScanner::default();
            let early = scanner.find_end(&data.as_bytes()[..split], usize::MAX).unwrap();
            let found = early.or_else(|| scanner.find_end(data.as_bytes(), usize::MAX).unwrap());
            assert_eq!(found, Some(head.len()), "{head:?} split {split}");
            assert_eq!(early.is_some(), split >= head.len());
        }
    }
}

/// Input other than HTTP/1 is rejected at its first bytes, in one piece or byte by byte.
#[test]
fn garbage_is_rejected_immediately() {
    let cases =
        ["SSH-2.0-OpenSSH", "220 smtp", "\x15\x03\x01", "<html>", " HTTP/1.1 200", "http/1.1"];
    for case in cases {
        for end in 1..=case.len() {
            let outcome = HeadScanner::default().find_end(&case.as_bytes()[..end], usize::MAX);
            let is_prefix = "HTTP/1.".starts_with(&case[..end]);
            assert_eq!(outcome.is_err(), !is_prefix, "{:?}", &case[..end]);
        }
    }
    let outcome = HeadScanner::default().find_end(b"HTTP/2 200", usize::MAX);
    assert!(matches!(outcome, Err(ProtocolError::UnsupportedVersion(_))));
}

/// Another version of HTTP and input that is not HTTP have different errors.
#[test]
fn versions_and_garbage_have_different_errors() {
    let version = |shown: &str| ProtocolError::UnsupportedVersion(Excerpt::new(shown.as_bytes()));
    let garbage = |shown: &str| ProtocolError::InvalidStatusLine(Excerpt::new(shown.as_bytes()));
    for (data, error) in [
        ("HTTP/2 200\r\n", version("HTTP/2")),
        ("HTTP/0.9\r\n", version("HTTP/0.9")),
        ("HTTP/3", version("HTTP/3")),
        ("HTTP/1 200 OK\r\nA: b", garbage("HTTP/1 200 OK")),
        ("HTTP/1x", garbage("HTTP/1x")),
        ("HTTP/x", garbage("HTTP/x")),
        ("HTTP/ 2", garbage("HTTP/ 2")),
        ("HTTPS/2", garbage("HTTPS/2")),
    ] {
        let outcome = HeadScanner::default().find_end(data.as_bytes(), usize::MAX);
        assert_eq!(outcome, Err(error), "{data:?}");
    }
}

/// A valid first byte in a read of its own does not change the result.
#[test]
fn garbage_has_the_same_error_byte_by_byte() {
    for case in ["HP/1.1 200 OK\r\n", "HTTPS", "HTTP/2 200", "HTTP/1x", "H\n\n"] {
        let whole = HeadScanner::default().find_end(case.as_bytes(), usize::MAX).unwrap_err();
        let mut scanner = HeadScanner::default();
        let mut ends = 1..=case.len();
        let slow = ends.find_map(|end| scanner.find_end(&case.as_bytes()[..end], usize::MAX).err());
        let reason = std::mem::discriminant(&whole);
        assert_eq!(slow.map(|error| std::mem::discriminant(&error)), Some(reason), "{case:?}");
    }
}

/// The limit includes the line end. One byte more is an error as soon as it is received.
#[test]
fn lines_are_as_long_as_the_limit_at_most() {
    for (head, longest) in [
        ("HTTP/1.1 200 OK\r\nA: b\r\n\r\n", 17),
        ("HTTP/1.1 200 OK\r\nA: b\r\nC: ddddddddddddddd\r\nE: f\r\n\r\n", 20),
        ("HTTP/1.1 200 OK\nA: b\nC: ddddddddddddddd\n\n", 19),
    ] {
        let fits = HeadScanner::default().find_end(head.as_bytes(), longest);
        assert_eq!(fits, Ok(Some(head.len())), "{head:?}");
        let too_long = Err(ProtocolError::LineTooLong(longest - 1));
        let whole = HeadScanner::default().find_end(head.as_bytes(), longest - 1);
        assert_eq!(whole, too_long, "{head:?}");
        let mut scanner = HeadScanner::default();
        let mut slow = (1..).map(|end| scanner.find_end(&head.as_bytes()[..end], longest - 1));
        assert_eq!(slow.find(|outcome| *outcome != Ok(None)), Some(too_long), "{head:?}");
    }
    let too_long = |limit| Err(ProtocolError::LineTooLong(limit));
    for (unended, limit, expected) in [
        ("HTTP/1.1 200 OK", 15, Ok(None)),
        ("HTTP/1.1 200 OK", 14, too_long(14)),
        ("HTTP/1.1 200 OK\r\nA: bbbbbbbbbbbbbb", 17, Ok(None)),
        ("HTTP/1.1 200 OK\r\nA: bbbbbbbbbbbbbbb", 17, too_long(17)),
    ] {
        let outcome = HeadScanner::default().find_end(unended.as_bytes(), limit);
        assert_eq!(outcome, expected, "{unended:?}");
    }
}

proptest::proptest! {
    /// The end of a head does not depend on how it is split or on the bytes after it.
    #[test]
    fn the_end_of_a_head_does_not_depend_on_the_split(
        lines in "(HTTP/1.1 200 OK\r?\n)?([A: \r]{0,3}\n?|A: b\r?\n){0,6}\r?\n",
        behind in "[A\r\n]{0,4}",
        line_bytes in 8..40_usize,
    ) {
        let limits = Limits { max_line_bytes: line_bytes, ..Limits::default() };
        let data = lines + &behind;
        let told = |outcome: Result<Option<Box<ResponseHead>>, ProtocolError>| match outcome {
            Ok(head) => head.map(|head| Ok(head.headers.raw().clone())),
            Err(error) => Some(Err(std::mem::discriminant(&error))),
        };
        let whole = told(HeadScanner::default().head(data.as_bytes(), &limits));
        let mut scanner = HeadScanner::default();
        let mut pieces = (1..=data.len()).map(|end| &data.as_bytes()[..end]);
        let slow = pieces.find_map(|piece| told(scanner.head(piece, &limits)));
        proptest::prop_assert_eq!(whole, slow, "{:?}", data);
    }
}

/// Large heads and heads with many fields take other paths than usual ones, depending on the size of the first read.
#[test]
fn a_large_head_is_the_same_in_pieces_of_any_size() {
    let limits = Limits::default();
    for (fields, size) in [(1, 60_000), (16, 2_000), (48, 10), (49, 10), (128, 10), (128, 400)] {
        let line = |number| format!("x-{number}: {}\r\n", "v".repeat(size));
        let fields_of = |count| (0..count).map(line).collect::<String>();
        let head = format!("HTTP/1.1 200 OK\r\n{}\r\n", fields_of(fields));
        let data = format!("{head}body\r\n\r\n");
        for piece in [1, 1000, 8 * 1024, 16 * 1024, data.len()] {
            let mut scanner = HeadScanner::default();
            let mut ends = (0..data.len()).step_by(piece).map(|at| data.len().min(at + piece));
            let found = ends.find_map(|end| {
                scanner.head(&data.as_bytes()[..end], &limits).unwrap().map(|found| (end, found))
            });
            let (end, found) = found.unwrap();
            assert!(end >= head.len() && end - head.len() < piece, "{fields} {size} {piece}");
            assert_eq!(found.headers.raw(), head.as_bytes(), "{fields} {size} {piece}");
            assert_eq!(found.headers.map().len(), fields, "{fields} {size} {piece}");
        }
    }
    let too_many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(129));
    for first in [1, 400, too_many.len()] {
        let mut scanner = HeadScanner::default();
        let early = scanner.head(&too_many.as_bytes()[..first], &limits);
        let outcome = early.and_then(|_| scanner.head(too_many.as_bytes(), &limits));
        assert_eq!(outcome.unwrap_err(), ProtocolError::TooManyFields(128), "{first}");
    }
}

#[test]
fn values_are_slices_of_the_raw_head() {
    let text = "HTTP/1.0 404 Not Found\r\nX-Mixed: a b \r\nX-Empty:\r\nx-mixed: \u{e9}\r\n\r\n";
    let head = parse_text(text).unwrap();
    assert_eq!((head.version, head.status.as_u16()), (Version::HTTP_10, 404));
    let map = head.headers.map();
    assert_eq!(map["x-mixed"], "a b");
    assert_eq!(map["X-Empty"], "");
    assert_eq!(map.get_all("x-mixed").iter().count(), 2);
    assert_eq!(head.headers.raw(), text.as_bytes());
    let within = head.headers.raw().as_ptr_range();
    assert!(
        map.values().filter(|v| !v.is_empty()).all(|v| within.contains(&v.as_bytes().as_ptr()))
    );
}

#[test]
fn status_lines_are_strict() {
    let cases = [
        ("HTTP/1.1 200 OK", Ok(200)),
        ("HTTP/1.1 200 ", Ok(200)),
        ("HTTP/1.1 200", Ok(200)),
        ("HTTP/1.1 799 What", Ok(799)),
        ("HTTP/1.1 099 Low", Err("InvalidStatus(")),
        ("HTTP/1.1 2000", Err("InvalidStatusLine(")),
        ("HTTP/1.1 +20 OK", Err("InvalidStatusLine(")),
        ("HTTP/1.1  200 OK", Err("InvalidStatusLine(")),
        ("HTTP/1.1 200 O\0K", Err("InvalidStatusLine(")),
        ("HTTP/1.1 200 O\rK", Err("InvalidStatusLine(")),
        ("HTTP/1.9 200 OK", Err("UnsupportedVersion(\"HTTP/1.9")),
    ];
    for (line, expected) in cases {
        let outcome = parse_text(&format!("{line}\r\nA: b\r\n\r\n"));
        match (outcome, expected) {
            (Ok(head), Ok(status)) => assert_eq!(head.status.as_u16(), status, "{line}"),
            (Err(error), Err(variant)) => {
                let debug = format!("{error:?}").replace("Excerpt(", "").replace('\\', "");
                assert!(debug.replace("\"\"", "\"").starts_with(variant), "{line}: {debug}");
            }
            (outcome, expected) => panic!("{line}: {outcome:?}, expected {expected:?}"),
        }
    }
}

#[test]
fn invalid_fields_are_named_without_their_value() {
    let lines = [
        ("X A: secret", "X A"),
        ("X-A : secret", "X-A "),
        (": secret", ""),
        ("secretless", "secretless"),
        (" folded: secret", " folded"),
        ("\tfolded", "\\tfolded"),
        ("X: a\0secret", "X"),
        ("X: a\rsecret", "X"),
    ];
    for (line, name) in lines {
        let error = parse_text(&format!("HTTP/1.1 200 OK\r\nGood: 1\r\n{line}\r\nLast: 2\r\n\r\n"));
        let shown = error.unwrap_err().to_string();
        assert_eq!(shown, format!("invalid header field \"{name}\""), "{line:?}");
    }
}

#[test]
fn fields_are_counted() {
    let head = |count: usize| {
        let fields: String = (0..count).map(|i| format!("x-{i}: {i}\r\n")).collect();
        parse_text(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n"))
    };
    assert_eq!(head(USUAL_FIELDS).unwrap().headers.len(), USUAL_FIELDS);
    assert_eq!(head(128).unwrap().headers.len(), 128);
    assert_eq!(head(129).unwrap_err(), ProtocolError::TooManyFields(128));
    let few = Limits { max_headers: 2, ..Limits::default() };
    let head = |text: &'static str| parse(text.as_bytes(), &few);
    assert_eq!(head("HTTP/1.1 200 OK\r\nA:\r\nB:\r\n\r\n").unwrap().headers.len(), 2);
    let too_many = head("HTTP/1.1 200 OK\r\nA:\r\nB:\r\nC:\r\n\r\n").unwrap_err();
    assert_eq!(too_many, ProtocolError::TooManyFields(2));
}

#[test]
fn empty_lines_are_counted() {
    for (data, count) in [("HTTP", 0), ("\r\nHTTP", 2), ("\n\r\nH", 3), ("\r", 0), ("\r\rH", 0)] {
        assert_eq!(empty_lines(data.as_bytes()), count, "{data:?}");
    }
}
