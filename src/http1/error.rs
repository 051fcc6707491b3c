//! Violations of HTTP/1.1 by a peer.
//!
//! Each rule of this folder has its own variant, so that a test can tell one rejection from
//! another, and an error line says which rule was broken and by what: a byte, a name, a limit.
//! Three things are decided here and nowhere else:
//!
//! - [`ProtocolError::kind`]: what the caller can do about it. A limit (`Kind::Limit`) can be
//!   raised; a truncated response (`Kind::Truncated`) may work at the next attempt; any other
//!   violation is the server's (`Kind::Protocol`).
//! - [`ProtocolError::lost`]: whether the connection broke, for programs that look for an
//!   `io::ErrorKind` among the sources of an error (`tests/ends.rs`,
//!   `have_an_io_error_among_their_sources`).
//! - `Display`: the text. Bytes of the peer are shown as an [`Excerpt`], escaped and bounded, and
//!   the value of a field never, because it may be a secret
//!   (`excerpts_of_fields_never_show_a_value`, `every_reason_is_one_printable_line`).
//!
//! A body that ends too early is one of the `Eof` variants, `TlsCut` or `BrokenBody`, for every
//! framing (RFC 9112 §8); `truncation_is_an_error_for_every_framing` in the tests of the exchange
//! goes through them.

use std::error::Error;
use std::fmt;
use std::io;

use crate::base::text::Excerpt;
use crate::error::Kind;

/// A violation of HTTP/1.1 by a peer, or of a limit: one variant per reason.
///
/// The same bytes give the same variant with the same content, however they were split into reads.
/// One exception: the excerpt of a status line contains the bytes received so far. The line is rejected at
/// its first wrong byte, but more of it helps to identify the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ProtocolError {
    // The head (RFC 9112 §4, §5).
    InvalidStatusLine(Excerpt),
    UnsupportedVersion(Excerpt),
    InvalidStatus(Excerpt),
    /// Contains only the field's name: its value may be a secret.
    InvalidField(Excerpt),
    TooManyFields(usize),
    HeadTooLarge(usize),
    LineTooLong(usize),
    TooManyInterim(usize),
    /// A 101 for a protocol that the request did not offer.
    UnexpectedUpgrade,

    // Framing (RFC 9112 §6).
    InvalidContentLength(Excerpt),
    ConflictingContentLength,
    EmptyTransferEncoding,
    UnsupportedTransferCoding(Excerpt),
    ChunkedNotLast,
    ChunkedTwice,
    TransferEncodingInHttp10,

    // The chunked coding (RFC 9112 §7.1), with the offending byte.
    InvalidChunkSize(u8),
    InvalidChunkExtension(u8),
    InvalidChunkLineEnd(u8),
    InvalidChunkEnd(u8),
    ChunkTooLarge,
    ChunkExtensionsTooLarge(usize),
    /// Contains only the field's name: its value may be a secret.
    InvalidTrailer(Excerpt),
    TrailersTooLarge(usize),
    TooManyTrailers(usize),

    // The end of the input (RFC 9112 §8).
    /// Bytes were received before any byte of the request was sent.
    Unsolicited,
    EofBeforeResponse,
    EofInHead,
    EofInBody {
        missing: u64,
    },
    /// `missing` is the rest of the chunk; 0 between chunks.
    EofInChunked {
        missing: u64,
    },
    /// TLS ended without `close_notify`, for a body that only the end of the connection delimits
    /// (RFC 9112 §9.8).
    TlsCut,
    /// The connection was reset, for a body that only an orderly end of the connection delimits.
    BrokenBody,
}

impl ProtocolError {
    /// Returns the public error kind: a limit, a truncated response, or a violation of the protocol.
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

    /// Returns the matching kind of `io::Error` if the connection was lost, for programs that classify
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
                f.write_str("101 Switching Protocols for a protocol that was not offered")
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

            Self::Unsolicited => f.write_str("the server sent data before the request"),
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

/// Displays one byte in quotes, escaped.
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
            (TooManyFields(7), "more than 7 header fields"),
            (HeadTooLarge(7), "response head larger than 7 bytes"),
            (LineTooLong(7), "line of the head longer than 7 bytes"),
            (TooManyInterim(7), "more than 7 interim (1xx) responses"),
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
}
