use super::*;
use crate::http1::limits::Limits;

const ALL: Lenience = Lenience { invalid_fields: true, spaces_after_name: true, folds: true };

#[test]
fn line_breaks_within_values_become_blanks() {
    let rows = [
        ("a: b\r\n c\r\n\r\n", "a: b   c\r\n\r\n"),
        ("a: b\n\tc\r\n\r\n", "a: b \tc\r\n\r\n"),
        ("a:\r\n \r\n b\r\nc: d\r\n\r\n", "a:      b\r\nc: d\r\n\r\n"),
        ("a: b\r\nc: d\r\n\r\n", "a: b\r\nc: d\r\n\r\n"),
        ("a: b\r\r\n c\n\n", "a: b\r   c\n\n"),
        ("", ""),
    ];
    for (head, expected) in rows {
        let mut bytes = head.as_bytes().to_vec();
        unfold(&mut bytes);
        assert_eq!(
            bytes.escape_ascii().to_string(),
            expected.as_bytes().escape_ascii().to_string()
        );
    }
}

/// The head is the same at every split, whatever follows it.
#[test]
fn an_accepted_invalid_head_is_the_same_at_every_split() {
    let limits = Limits { lenience: ALL, ..Limits::default() };
    let heads = [
        "HTTP/1.1 200 OK\r\na : b\r\nno colon\r\nc: d\r\n e\r\nf: g\r\n\r\n",
        "HTTP/1.1 200 OK\na\t: b\n c\nno colon\n\n",
        "HTTP/1.1 200 OK\r\na: b\r\n \r\n\r\n",
        "HTTP/1.1 200 OK\r\n: b\r\nContent-Length: 4\r\n\r\n",
    ];
    for head in heads {
        let data = format!("{head}body\r\n more: of it\r\n\r\n");
        let whole = HeadScanner::default().head(data.as_bytes(), &limits).unwrap().unwrap();
        assert_eq!(whole.headers.raw().len(), head.len(), "{head:?}");
        assert!(HeadScanner::default().head(data.as_bytes(), &Limits::default()).is_err());
        for at in 0..data.len() {
            let mut scanner = HeadScanner::default();
            let early = scanner.head(&data.as_bytes()[..at], &limits).unwrap();
            assert_eq!(early.is_some(), at >= head.len(), "{head:?} {at}");
            let found = early.or_else(|| scanner.head(data.as_bytes(), &limits).unwrap());
            assert_eq!(found.unwrap().headers.map(), whole.headers.map(), "{head:?} {at}");
        }
    }
}

proptest::proptest! {
    /// Accepted invalid lines do not affect the framing: it is that of the valid lines.
    #[test]
    fn the_framing_is_that_of_the_strict_lines(
        lines in proptest::collection::vec(
            "(content-length|transfer-encoding|a|no colon)?[ \t\r\x01]{0,2}:?[ \t]{0,2}(5|chunked|x)?(\r\n [a-z]?)?",
            0..6,
        ),
    ) {
        use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
        use crate::http1::header_section::Fields as _;
        let limits = Limits { lenience: ALL, ..Limits::default() };
        let text: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let head = format!("HTTP/1.1 200 OK\r\n{text}\r\n");
        let Ok(Some(head)) = HeadScanner::default().head(head.as_bytes(), &limits) else {
            return Ok(());
        };
        for name in [CONTENT_LENGTH, TRANSFER_ENCODING] {
            let strict = text.split("\r\n").take_while(|line| !line.is_empty());
            let strict = strict.filter_map(|line| line.strip_prefix(name.as_str())?.strip_prefix(':'));
            let strict: Vec<_> = strict.map(|value| value.trim().as_bytes()).collect();
            let found: Vec<_> = head.headers.lines(&name).collect();
            proptest::prop_assert_eq!(found, strict);
        }
    }
}
