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
            Self::TooManyFields(limit) => {
                write!(f, "more than {limit} header fields (max_headers)")
            }
            Self::HeadTooLarge(limit) => {
                write!(f, "response head larger than {limit} bytes (max_head_bytes)")
            }
            Self::LineTooLong(limit) => {
                write!(f, "line of the head longer than {limit} bytes (max_line_bytes)")
            }
            Self::TooManyInterim(limit) => {
                write!(f, "more than {limit} interim (1xx) responses (max_informational_responses)")
            }
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
                write!(f, "more than {limit} bytes of chunk extensions (max_chunk_extension_bytes)")
            }
            Self::InvalidTrailer(name) => write!(f, "invalid trailer field {name}"),
            Self::TrailersTooLarge(limit) => {
                write!(f, "trailers larger than {limit} bytes (max_trailer_bytes)")
            }
            Self::TooManyTrailers(limit) => {
                write!(f, "more than {limit} trailer fields (max_trailers)")
            }

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
mod tests;
