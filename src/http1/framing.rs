//! Determines the framing of a response body (RFC 9112 §6.3).
//!
//! The rules, in the order in which [`response_framing`] asks; the first that applies decides:
//!
//! | step of §6.3 | response | body | connection afterwards |
//! | --- | --- | --- | --- |
//! | 2 | any 2xx to CONNECT | none: a tunnel | is the tunnel |
//! | 1 | to HEAD; 1xx; 304 | none | as its fields say |
//! | 1 | 204 | none | closed if it has `Transfer-Encoding` |
//! | 3, 4 | HTTP/1.0 with `Transfer-Encoding` | error | closed |
//! | 4 | `Transfer-Encoding: chunked` | chunks | closed if `Content-Length` is there too |
//! | 4 | any other `Transfer-Encoding` | error | closed |
//! | 5 | an invalid `Content-Length`, or two that differ | error | closed |
//! | 6 | a valid `Content-Length` | that many bytes | as its fields say |
//! | 8 | neither field | until the connection ends | closed |
//!
//! A length is never invented: where the fields say nothing, only an orderly end of the connection
//! ends the body (`a_length_is_never_invented`). `tests/hostile_framing.rs` (`h09` to `h14`, `h23`,
//! `h25`) sends each row as an attacker would.

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{Method, StatusCode, Version};

use super::close::CloseReason;
use super::error::ProtocolError;
use crate::http1::header_section::{Fields, TransferCoding, content_length, transfer_coding};

/// The rule that determines the end of a response body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is no body, regardless of the fields.
    Empty,
    /// The body has this many bytes.
    Length(u64),
    /// The body ends with the last chunk and its trailers.
    Chunked,
    /// The body ends with the connection.
    Close,
    /// There is no body: the following bytes belong to a tunnel.
    Tunnel,
}

/// Returns the framing of a response, and the reason if the framing alone forbids reusing the connection
/// (RFC 9112 §6.3). [`keep_alive`](super::close::keep_alive) determines whether the peer keeps it open.
pub(crate) fn response_framing(
    method: &Method,
    status: StatusCode,
    version: Version,
    headers: &impl Fields,
) -> Result<(Framing, Option<CloseReason>), ProtocolError> {
    // Step 2 precedes step 1: a CONNECT that succeeds with 204 is still a tunnel
    // (RFC 9110 §9.3.6: any 2xx).
    if *method == Method::CONNECT && status.is_success() {
        return Ok((Framing::Tunnel, Some(CloseReason::Upgraded)));
    }

    // Step 1: HEAD, 1xx, 204 and 304 have no body. Their framing fields describe another response
    // and are ignored, except that a 204 must not have Transfer-Encoding (§6.1): its server may send a
    // chunked body anyway.
    if *method == Method::HEAD || status.is_informational() || status == StatusCode::NOT_MODIFIED {
        return Ok((Framing::Empty, None));
    }
    if status == StatusCode::NO_CONTENT {
        let doubt = headers.has(&TRANSFER_ENCODING);
        return Ok((Framing::Empty, doubt.then_some(CloseReason::FramingDoubt)));
    }

    // Steps 3 and 4: Transfer-Encoding overrides Content-Length, but both together may be an attempt at
    // response splitting. HTTP/1.0 has no Transfer-Encoding (§6.1).
    if version < Version::HTTP_11 && headers.has(&TRANSFER_ENCODING) {
        return Err(ProtocolError::TransferEncodingInHttp10);
    }
    if transfer_coding(headers)? == TransferCoding::Chunked {
        let doubt = headers.has(&CONTENT_LENGTH);
        return Ok((Framing::Chunked, doubt.then_some(CloseReason::FramingDoubt)));
    }

    // Steps 5 and 6: an invalid Content-Length is an error, a valid one is the length. (Step 7
    // applies to requests.)
    if let Some(length) = content_length(headers)? {
        return Ok((Framing::Length(length), None));
    }

    // Step 8.
    Ok((Framing::Close, Some(CloseReason::CloseDelimited)))
}

#[cfg(test)]
mod tests;
