use super::super::testing::headers;
use super::*;

#[test]
fn members_of_all_lines_omit_empty_elements() {
    let map = headers(&[("connection", ", a ,\tb,,"), ("x", "z"), ("connection", "C")]);
    let found: Vec<_> = members(&map, &http::header::CONNECTION).collect();
    assert_eq!(found, [&b"a"[..], b"b", b"C"]);
    assert!(has_member(&map, &http::header::CONNECTION, "c"));
    assert!(!has_member(&map, &http::header::CONNECTION, "z"));
}

#[test]
fn a_hundred_thousand_commas_have_no_members() {
    let map = headers(&[("connection", &",".repeat(100_000))]);
    assert_eq!(members(&map, &http::header::CONNECTION).count(), 0);
}

#[test]
fn content_length_counts_equal_repeats_once() {
    let cases: [(&[&str], Option<u64>); 7] = [
        (&[], None),
        (&["5"], Some(5)),
        (&["\t5\t"], Some(5)),
        (&["5, 5"], Some(5)),
        (&["5,5", "5"], Some(5)),
        (&["5, 05"], Some(5)),
        (&["9223372036854775807"], Some(i64::MAX as u64)),
    ];
    for (lines, length) in cases {
        let fields: Vec<_> = lines.iter().map(|line| ("content-length", *line)).collect();
        assert_eq!(content_length(&headers(&fields)), Ok(length), "{lines:?}");
    }
}

#[test]
fn invalid_content_lengths_are_errors() {
    let invalid =
        ["", "5,", ",5", "5,,5", "+5", "-1", "5 5", "5;5", "0x5", "\"5\"", "9223372036854775808"];
    for line in invalid {
        let outcome = content_length(&headers(&[("content-length", line)]));
        assert!(matches!(outcome, Err(ProtocolError::InvalidContentLength(_))), "{line:?}");
    }
    let conflicting: [&[&str]; 3] = [&["5, 6"], &["5", "6"], &["0", "5"]];
    for lines in conflicting {
        let fields: Vec<_> = lines.iter().map(|line| ("content-length", *line)).collect();
        let outcome = content_length(&headers(&fields));
        assert_eq!(outcome, Err(ProtocolError::ConflictingContentLength), "{lines:?}");
    }
}

#[test]
fn transfer_coding_is_chunked_once_or_an_error() {
    use ProtocolError::{ChunkedNotLast, ChunkedTwice, EmptyTransferEncoding};
    let unsupported = |coding: &str| {
        Err(ProtocolError::UnsupportedTransferCoding(Excerpt::new(coding.as_bytes())))
    };
    let cases: [(&[&str], Result<TransferCoding, ProtocolError>); 20] = [
        (&[], Ok(TransferCoding::None)),
        (&["chunked"], Ok(TransferCoding::Chunked)),
        (&["ChUnKeD"], Ok(TransferCoding::Chunked)),
        (&["\tchunked ,"], Ok(TransferCoding::Chunked)),
        (&["", ", chunked"], Ok(TransferCoding::Chunked)),
        (&[""], Err(EmptyTransferEncoding)),
        (&[",  \t ,"], Err(EmptyTransferEncoding)),
        (&["chunked, chunked"], Err(ChunkedTwice)),
        (&["chunked", "chunked"], Err(ChunkedTwice)),
        (&["chunked, gzip"], Err(ChunkedNotLast)),
        (&["chunked", "identity"], Err(ChunkedNotLast)),
        (&["gzip, chunked"], unsupported("gzip")),
        (&["identity"], unsupported("identity")),
        (&["xchunked"], unsupported("xchunked")),
        (&["chunkedchunked"], unsupported("chunkedchunked")),
        (&["chu nked"], unsupported("chu nked")),
        (&["\"chunked\""], unsupported("\"chunked\"")),
        (&["chunked;q=1"], unsupported("chunked;q=1")),
        (&["\u{a0}chunked"], unsupported("\u{a0}chunked")),
        // The Kelvin sign: lowercases to k in Unicode, not in ASCII.
        (&["chun\u{212a}ed"], unsupported("chun\u{212a}ed")),
    ];
    for (lines, outcome) in cases {
        let fields: Vec<_> = lines.iter().map(|line| ("transfer-encoding", *line)).collect();
        assert_eq!(transfer_coding(&headers(&fields)), outcome, "{lines:?}");
    }
}
