use super::*;

#[test]
fn excerpts_are_bounded_and_escaped() {
    let cases: [(&[u8], &str); 5] = [
        (b"", r#""""#),
        (b"SSH-2.0-x\r\n", r#""SSH-2.0-x\r\n""#),
        (b"\x00\x1b[31m\xff\"", r#""\x00\x1b[31m\xff\"""#),
        (&[b'a'; 32], r#""aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa""#),
        (&[b'a'; 33], r#""aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"…"#),
    ];
    for (bytes, shown) in cases {
        assert_eq!(Excerpt::new(bytes).to_string(), shown);
    }
}

#[test]
fn excerpts_of_fields_never_show_a_value() {
    for line in [&b"X-Token: secret"[..], b"X-Token:secret\r\nB: c", b"X-Token\nsecret"] {
        assert_eq!(Excerpt::field_name(line).to_string(), r#""X-Token""#);
    }
}

/// A caller may raise a limit or retry a truncated response; a violation is permanent.
#[test]
fn public_error_kinds() {
    use ProtocolError::*;
    let excerpt = || Excerpt::new(b"x");
    let kinds: [(Kind, Vec<ProtocolError>); 4] = [
        (
            Kind::Limit,
            vec![
                TooManyFields(1),
                HeadTooLarge(1),
                LineTooLong(1),
                TooManyInterim(1),
                ChunkExtensionsTooLarge(1),
                TrailersTooLarge(1),
                TooManyTrailers(1),
            ],
        ),
        (Kind::Io, vec![EofBeforeResponse]),
        (
            Kind::Truncated,
            vec![
                EofInHead,
                EofInBody { missing: 1 },
                EofInChunked { missing: 1 },
                TlsCut,
                BrokenBody,
            ],
        ),
        (
            Kind::Protocol,
            vec![
                InvalidStatusLine(excerpt()),
                UnexpectedUpgrade,
                ConflictingContentLength,
                InvalidChunkSize(1),
                ChunkTooLarge,
                InvalidTrailer(excerpt()),
            ],
        ),
    ];
    for (kind, errors) in kinds {
        for error in errors {
            assert_eq!(error.kind(), kind, "{error:?}");
        }
    }
}

#[test]
fn every_reason_is_one_printable_line() {
    let control = Excerpt::new(b"\r\n\x07");
    let cases = [
        (ProtocolError::InvalidStatusLine(control), r#"invalid status line "\r\n\x07""#),
        (
            ProtocolError::InvalidStatusLine(Excerpt::new(b"\x15\x03\x03")),
            r#"invalid status line "\x15\x03\x03"; that is TLS: is it an https URL?"#,
        ),
        (
            ProtocolError::InvalidStatusLine(Excerpt::new(br"\x15")),
            r#"invalid status line "\\x15""#,
        ),
        (ProtocolError::InvalidChunkSize(b'\n'), r"'\n' in a chunk size"),
        (
            ProtocolError::ChunkExtensionsTooLarge(7),
            "more than 7 bytes of chunk extensions (max_chunk_extension_bytes)",
        ),
        (ProtocolError::TrailersTooLarge(7), "trailers larger than 7 bytes (max_trailer_bytes)"),
        (ProtocolError::TooManyTrailers(7), "more than 7 trailer fields (max_trailers)"),
        (ProtocolError::InvalidChunkLineEnd(b'x'), "'x' after the CR of a chunk size line"),
        (ProtocolError::InvalidTrailer(Excerpt::new(b"A")), r#"invalid trailer field "A""#),
        (ProtocolError::BrokenBody, "connection broken before the end of the body"),
        (ProtocolError::TlsCut, "TLS connection cut without close_notify"),
        (ProtocolError::InvalidChunkEnd(b'x'), "'x' instead of CRLF after a chunk"),
        (
            ProtocolError::EofInBody { missing: 5 },
            "connection closed with 5 bytes of the body missing",
        ),
        (
            ProtocolError::EofInChunked { missing: 0 },
            "connection closed before the last chunk was complete",
        ),
        (
            ProtocolError::EofInChunked { missing: 5 },
            "connection closed with 5 bytes of a chunk missing",
        ),
        (ProtocolError::InvalidChunkExtension(0), r"'\x00' in a chunk extension"),
        (ProtocolError::ChunkTooLarge, "chunk size larger than 2^63-1"),
        (ProtocolError::Unsolicited, "the server sent data before the request"),
        (ProtocolError::EofBeforeResponse, "connection closed before a response"),
        (ProtocolError::EofInHead, "connection closed inside the response head"),
    ];
    for (error, line) in cases {
        assert_eq!(error.to_string(), line);
    }
}

#[test]
fn texts_of_head_errors() {
    use ProtocolError::*;
    let excerpt = || Excerpt::new(b"x");
    let cases = [
        (UnsupportedVersion(excerpt()), "unsupported HTTP version \"x\""),
        (InvalidStatus(excerpt()), "invalid status code \"x\""),
        (InvalidField(excerpt()), "invalid header field \"x\""),
        (TooManyFields(7), "more than 7 header fields (max_headers)"),
        (HeadTooLarge(7), "response head larger than 7 bytes (max_head_bytes)"),
        (LineTooLong(7), "line of the head longer than 7 bytes (max_line_bytes)"),
        (TooManyInterim(7), "more than 7 interim (1xx) responses (max_informational_responses)"),
        (UnexpectedUpgrade, "101 Switching Protocols for a protocol that was not offered"),
        (InvalidContentLength(excerpt()), "invalid Content-Length \"x\""),
        (ConflictingContentLength, "Content-Length values differ"),
        (EmptyTransferEncoding, "empty Transfer-Encoding"),
        (UnsupportedTransferCoding(excerpt()), "unsupported transfer coding \"x\""),
        (ChunkedNotLast, "chunked is not the last transfer coding"),
        (ChunkedTwice, "chunked is applied twice"),
        (TransferEncodingInHttp10, "Transfer-Encoding in an HTTP/1.0 response"),
    ];
    for (error, line) in cases {
        assert_eq!(error.to_string(), line);
    }
}
