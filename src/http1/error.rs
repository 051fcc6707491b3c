//! What a peer did wrong in HTTP/1.1.

use std::error::Error;
use std::fmt;
use std::io;

use crate::base::excerpt::Excerpt;
use crate::error::Kind;

/// What a peer can do wrong in HTTP/1.1: one variant per reason.
///
/// Two runs over the same bytes give the same variant with the same content, however the bytes
/// were split on their way. Only what is shown of a status line is what had come of it by then: it
/// is refused at its first wrong byte, and more of it says better who the peer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ProtocolError {
    // The head (RFC 9112 §4, §5).
    InvalidStatusLine(Excerpt),
    UnsupportedVersion(Excerpt),
    InvalidStatus(Excerpt),
    /// Names the field only: its value may be a secret.
    InvalidField(Excerpt),
    TooManyFields(usize),
    HeadTooLarge(usize),
    LineTooLong(usize),
    TooManyInterim(usize),
    /// A 101 that goes over to what no `Upgrade` of ours has offered.
    UnexpectedUpgrade,

    // Framing (RFC 9112 §6).
    InvalidContentLength(Excerpt),
    ConflictingContentLength,
    EmptyTransferEncoding,
    UnsupportedTransferCoding(Excerpt),
    ChunkedNotLast,
    ChunkedTwice,
    TransferEncodingInHttp10,

    // The chunked coding (RFC 9112 §7.1): the offending byte.
    InvalidChunkSize(u8),
    InvalidChunkExtension(u8),
    InvalidChunkLineEnd(u8),
    InvalidChunkEnd(u8),
    ChunkTooLarge,
    ChunkExtensionsTooLarge(usize),
    /// Names the field only: its value may be a secret.
    InvalidTrailer(Excerpt),
    TrailersTooLarge(usize),
    TooManyTrailers(usize),

    // The end of the input (RFC 9112 §8).
    /// Bytes came before anything of the request was sent.
    Unsolicited,
    EofBeforeResponse,
    EofInHead,
    EofInBody {
        missing: u64,
    },
    /// `missing` is the rest of the chunk, 0 between chunks.
    EofInChunked {
        missing: u64,
    },
    /// TLS ended without `close_notify` where only the end of input ends the body
    /// (RFC 9112 §9.8).
    TlsCut,
    /// A broken connection where only its end in order ends the body.
    BrokenBody,
}

impl ProtocolError {
    /// What it is to the caller: a limit of ours, a response cut short, or a broken rule.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::TooManyFields(_)
            | Self::HeadTooLarge(_)
            | Self::LineTooLong(_)
            | Self::TooManyInterim(_)
            | Self::ChunkExtensionsTooLarge(_)
            | Self::TrailersTooLarge(_)
            | Self::TooManyTrailers(_) => Kind::Limit,
            Self::EofBeforeResponse => Kind::Io,
            Self::EofInHead
            | Self::EofInBody { .. }
            | Self::EofInChunked { .. }
            | Self::TlsCut
            | Self::BrokenBody => Kind::Truncated,
            _ => Kind::Protocol,
        }
    }

    /// The kind of `io::Error` that this is where the connection was lost, for programs that sort
    /// errors by it.
    pub(crate) fn lost(&self) -> Option<io::ErrorKind> {
        match self {
            Self::EofBeforeResponse
            | Self::EofInHead
            | Self::EofInBody { .. }
            | Self::EofInChunked { .. }
            | Self::TlsCut => Some(io::ErrorKind::UnexpectedEof),
            Self::BrokenBody => Some(io::ErrorKind::ConnectionReset),
            _ => None,
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidStatusLine(line) if line.is_tls_alert() => {
                write!(f, "invalid status line {line}; that is TLS: is it an https URL?")
            }
            Self::InvalidStatusLine(line) => write!(f, "invalid status line {line}"),
            Self::UnsupportedVersion(version) => write!(f, "unsupported HTTP version {version}"),
            Self::InvalidStatus(status) => write!(f, "invalid status code {status}"),
            Self::InvalidField(name) => write!(f, "invalid header field {name}"),
            Self::TooManyFields(limit) => write!(f, "more than {limit} header fields"),
            Self::HeadTooLarge(limit) => write!(f, "response head larger than {limit} bytes"),
            Self::LineTooLong(limit) => write!(f, "line of the head longer than {limit} bytes"),
            Self::TooManyInterim(limit) => write!(f, "more than {limit} interim (1xx) responses"),
            Self::UnexpectedUpgrade => {
                f.write_str("101 Switching Protocols to what was not asked for")
            }

            Self::InvalidContentLength(value) => write!(f, "invalid Content-Length {value}"),
            Self::ConflictingContentLength => f.write_str("Content-Length values differ"),
            Self::EmptyTransferEncoding => f.write_str("empty Transfer-Encoding"),
            Self::UnsupportedTransferCoding(coding) => {
                write!(f, "unsupported transfer coding {coding}")
            }
            Self::ChunkedNotLast => f.write_str("chunked is not the last transfer coding"),
            Self::ChunkedTwice => f.write_str("chunked is applied twice"),
            Self::TransferEncodingInHttp10 => {
                f.write_str("Transfer-Encoding in an HTTP/1.0 response")
            }

            Self::InvalidChunkSize(byte) => write!(f, "{} in a chunk size", Quoted(*byte)),
            Self::InvalidChunkExtension(byte) => {
                write!(f, "{} in a chunk extension", Quoted(*byte))
            }
            Self::InvalidChunkLineEnd(byte) => {
                write!(f, "{} after the CR of a chunk size line", Quoted(*byte))
            }
            Self::InvalidChunkEnd(byte) => {
                write!(f, "{} instead of CRLF after a chunk", Quoted(*byte))
            }
            Self::ChunkTooLarge => f.write_str("chunk size larger than 2^63-1"),
            Self::ChunkExtensionsTooLarge(limit) => {
                write!(f, "more than {limit} bytes of chunk extensions")
            }
            Self::InvalidTrailer(name) => write!(f, "invalid trailer field {name}"),
            Self::TrailersTooLarge(limit) => write!(f, "trailers larger than {limit} bytes"),
            Self::TooManyTrailers(limit) => write!(f, "more than {limit} trailer fields"),

            Self::Unsolicited => f.write_str("the server spoke before it was asked"),
            Self::EofBeforeResponse => f.write_str("connection closed before a response"),
            Self::EofInHead => f.write_str("connection closed inside the response head"),
            Self::EofInBody { missing } => {
                write!(f, "connection closed with {missing} bytes of the body missing")
            }
            Self::EofInChunked { missing: 0 } => {
                f.write_str("connection closed before the last chunk was complete")
            }
            Self::EofInChunked { missing } => {
                write!(f, "connection closed with {missing} bytes of a chunk missing")
            }
            Self::TlsCut => f.write_str("TLS connection cut without close_notify"),
            Self::BrokenBody => f.write_str("connection broken before the end of the body"),
        }
    }
}

impl Error for ProtocolError {}

/// One byte in quotes, escaped.
struct Quoted(u8);

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.0.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
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

    /// A caller may raise a limit, and may try again what was cut; a broken rule stays broken.
    #[test]
    fn what_it_is_to_the_caller() {
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
            (ProtocolError::ChunkExtensionsTooLarge(7), "more than 7 bytes of chunk extensions"),
            (ProtocolError::TrailersTooLarge(7), "trailers larger than 7 bytes"),
            (ProtocolError::TooManyTrailers(7), "more than 7 trailer fields"),
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
            (ProtocolError::Unsolicited, "the server spoke before it was asked"),
            (ProtocolError::EofBeforeResponse, "connection closed before a response"),
            (ProtocolError::EofInHead, "connection closed inside the response head"),
        ];
        for (error, line) in cases {
            assert_eq!(error.to_string(), line);
        }
    }

    #[test]
    fn what_is_wrong_with_a_head_is_named() {
        use ProtocolError::*;
        let excerpt = || Excerpt::new(b"x");
        let cases = [
            (UnsupportedVersion(excerpt()), "unsupported HTTP version \"x\""),
            (InvalidStatus(excerpt()), "invalid status code \"x\""),
            (InvalidField(excerpt()), "invalid header field \"x\""),
            (TooManyFields(7), "more than 7 header fields"),
            (HeadTooLarge(7), "response head larger than 7 bytes"),
            (LineTooLong(7), "line of the head longer than 7 bytes"),
            (TooManyInterim(7), "more than 7 interim (1xx) responses"),
            (UnexpectedUpgrade, "101 Switching Protocols to what was not asked for"),
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
}
