use super::*;

/// Returns the lines of the pieces, and the number of a line that is too long.
fn lines(mut buffer: LineBuffer, pieces: &[&[u8]], is_whole: bool) -> Vec<Result<String, u64>> {
    let mut lines = Vec::new();
    let mut drain = |buffer: &mut LineBuffer| loop {
        match buffer.advance() {
            Ok(false) => return true,
            Ok(true) => lines.push(Ok(String::from_utf8_lossy(buffer.line()).into_owned())),
            Err(LineTooLong) => {
                lines.push(Err(buffer.number()));
                return false;
            }
        }
    };
    for piece in pieces {
        buffer.feed(piece);
        if !drain(&mut buffer) {
            return lines;
        }
    }
    if is_whole {
        buffer.finish();
        drain(&mut buffer);
    }
    lines
}

/// The input in one piece, in pieces of one byte, and cut in two at every place.
#[track_caller]
fn assert_lines(make: fn(usize) -> LineBuffer, limit: usize, input: &str, expected: &[&str]) {
    let expected: Vec<Result<String, u64>> = expected
        .iter()
        .map(|line| {
            line.strip_prefix('!').map_or(Ok((*line).to_owned()), |n| Err(n.parse().unwrap()))
        })
        .collect();
    let input = input.as_bytes();
    let bytes: Vec<&[u8]> = input.chunks(1).collect();
    assert_eq!(lines(make(limit), &[input], true), expected, "{input:?}");
    assert_eq!(lines(make(limit), &bytes, true), expected, "byte by byte");
    for at in 0..=input.len() {
        let (one, other) = input.split_at(at);
        assert_eq!(lines(make(limit), &[one, b"", other], true), expected, "cut at {at}");
    }
}

#[test]
fn lines_of_a_text_end_with_lf_and_one_cr_before_it() {
    let rows: [(&str, &[&str]); 12] = [
        ("", &[]),
        ("\n\n", &["", ""]),
        ("a\nb", &["a", "b"]),
        ("a\r\nb\r\n", &["a", "b"]),
        ("a\r\r\n", &["a\r"]),
        ("a\rb\n", &["a\rb"]),
        ("a\nb\r", &["a", "b"]),
        ("a\u{85}b\u{2028}c\u{b}d\u{c}e\n", &["a\u{85}b\u{2028}c\u{b}d\u{c}e"]),
        ("\u{feff}a\n\u{feff}b", &["a", "\u{feff}b"]),
        ("\u{feff}", &[]),
        ("\r", &[""]),
        (
            "0123456789012345678901234567890123456789\nb\n",
            &["0123456789012345678901234567890123456789", "b"],
        ),
    ];
    for (input, expected) in rows {
        assert_lines(LineBuffer::of_text, 100, input, expected);
    }
}

#[cfg(feature = "sse")]
#[test]
fn lines_of_events_end_with_cr_lf_or_both() {
    let rows: [(&str, &[&str]); 5] = [
        ("a\rb\nc\r\nd", &["a", "b", "c", "d"]),
        ("a\n\rb\n", &["a", "", "b"]),
        ("a\r\n\r\nb\r\r", &["a", "", "b", ""]),
        ("\u{feff}\r\na", &["", "a"]),
        ("\r\r\n\n", &["", "", ""]),
    ];
    for (input, expected) in rows {
        assert_lines(LineBuffer::of_events, 100, input, expected);
    }
}

#[cfg(feature = "sse")]
#[test]
fn a_cr_ends_its_line_before_the_next_byte_arrives() {
    assert_eq!(lines(LineBuffer::of_events(9), &[b"a\r"], false), [Ok("a".to_owned())]);
    assert_eq!(lines(LineBuffer::of_text(9), &[b"a\r"], false), []);
}

#[test]
fn the_start_of_a_byte_order_mark_alone_is_content() {
    let mut buffer = LineBuffer::of_text(9);
    buffer.feed(b"\xef\xbb");
    assert_eq!(buffer.advance(), Ok(false));
    buffer.finish();
    assert_eq!((buffer.advance(), buffer.line()), (Ok(true), &b"\xef\xbb"[..]));
}

#[test]
fn a_line_that_never_ends_is_an_error() {
    assert_lines(LineBuffer::of_text, 4, "ok\naaaa\r\nb\n", &["ok", "aaaa", "b"]);
    assert_lines(LineBuffer::of_text, 4, "ok\naaaaa\nb\n", &["ok", "!2"]);
    assert_lines(LineBuffer::of_text, 4, "ok\naaaaa", &["ok", "!2"]);
    assert_eq!(
        lines(LineBuffer::of_text(4), &[b"ok\n", b"aaaaa"], false),
        [Ok("ok".to_owned()), Err(2)]
    );
}

/// A line of many pieces is not read again from its start with each.
#[test]
fn no_byte_is_scanned_twice() {
    let input = [&vec![b'a'; 1 << 20][..], b"\nb\n"].concat();
    for size in [1, 1460, 1 << 20] {
        let (mut buffer, mut count) = (LineBuffer::of_text(usize::MAX), 0);
        for piece in input.chunks(size) {
            buffer.feed(piece);
            while buffer.advance().unwrap() {
                count += 1;
            }
        }
        assert_eq!((count, buffer.bytes_scanned), (2, input.len()), "{size}");
    }
}

/// Large lines in a row use the same memory, and it does not stay for ever behind the last one.
#[test]
fn memory_of_a_long_line_is_given_back_after_many_short_ones() {
    let mut buffer = LineBuffer::of_text(usize::MAX);
    let take = |buffer: &mut LineBuffer, line: &[u8]| {
        buffer.feed(line);
        buffer.feed(b"\n");
        assert_eq!(buffer.advance(), Ok(true));
    };
    take(&mut buffer, &vec![b'a'; 1 << 20]);
    let room = buffer.space().len();
    assert!(room >= 1 << 20);
    for _ in 0..3 {
        take(&mut buffer, &vec![b'a'; 1 << 20]);
        take(&mut buffer, b"");
    }
    assert_eq!(buffer.space().len(), room);
    for _ in 0..SHORT_LINES {
        take(&mut buffer, b"a");
    }
    assert!(buffer.space().len() <= KEPT);
}
