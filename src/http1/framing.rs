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
mod tests {
    use super::super::testing::{Lines, headers};
    use super::*;
    use CloseReason::{CloseDelimited, FramingDoubt, Upgraded};

    type Outcome = Result<(Framing, Option<CloseReason>), ProtocolError>;

    fn framing(method: Method, status: u16, fields: &[(&str, &str)]) -> Outcome {
        let status = StatusCode::from_u16(status).unwrap();
        response_framing(&method, status, Version::HTTP_11, &headers(fields))
    }

    const CHUNKED: (&str, &str) = ("transfer-encoding", "chunked");
    const FIVE: (&str, &str) = ("content-length", "5");
    const SIX: (&str, &str) = ("content-length", "6");
    const MINUS: (&str, &str) = ("content-length", "-1");

    #[test]
    fn step_1_and_2_no_body_by_method_and_status() {
        let tunnel = (Framing::Tunnel, Some(Upgraded));
        let empty = (Framing::Empty, None);
        let cases: [(Method, u16, Lines, _); 16] = [
            (Method::HEAD, 200, &[], empty),
            (Method::HEAD, 200, &[FIVE], empty),
            (Method::HEAD, 200, &[FIVE, SIX], empty),
            (Method::HEAD, 200, &[CHUNKED, FIVE], empty),
            (Method::HEAD, 404, &[("transfer-encoding", "bogus")], empty),
            (Method::GET, 100, &[CHUNKED], empty),
            (Method::GET, 103, &[FIVE], empty),
            (Method::GET, 204, &[FIVE], empty),
            (Method::GET, 204, &[CHUNKED], (Framing::Empty, Some(FramingDoubt))),
            (Method::GET, 304, &[FIVE], empty),
            (Method::GET, 304, &[CHUNKED], empty),
            (Method::CONNECT, 200, &[FIVE], tunnel),
            (Method::CONNECT, 204, &[CHUNKED], tunnel),
            (Method::CONNECT, 299, &[], tunnel),
            (Method::CONNECT, 407, &[FIVE], (Framing::Length(5), None)),
            (Method::CONNECT, 502, &[], (Framing::Close, Some(CloseDelimited))),
        ];
        for (method, status, fields, outcome) in cases {
            assert_eq!(framing(method.clone(), status, fields), Ok(outcome), "{method} {status}");
        }
    }

    #[test]
    fn step_3_to_8_framing_by_fields() {
        use ProtocolError::{ChunkedNotLast, ConflictingContentLength};
        let cases: [(Lines, Outcome); 8] = [
            (&[CHUNKED], Ok((Framing::Chunked, None))),
            (&[CHUNKED, FIVE], Ok((Framing::Chunked, Some(FramingDoubt)))),
            (&[MINUS, CHUNKED], Ok((Framing::Chunked, Some(FramingDoubt)))),
            (&[("transfer-encoding", "chunked, gzip"), FIVE], Err(ChunkedNotLast)),
            (&[FIVE], Ok((Framing::Length(5), None))),
            (&[("content-length", "0")], Ok((Framing::Length(0), None))),
            (&[FIVE, SIX], Err(ConflictingContentLength)),
            (&[], Ok((Framing::Close, Some(CloseDelimited)))),
        ];
        for (fields, outcome) in cases {
            for status in [200, 205, 206, 303, 404, 599] {
                assert_eq!(framing(Method::GET, status, fields), outcome, "{status} {fields:?}");
            }
        }
    }

    #[test]
    fn http_1_0_has_no_transfer_encoding() {
        for coding in ["chunked", "bogus", ""] {
            let fields = headers(&[("transfer-encoding", coding), FIVE]);
            let outcome = response_framing(&Method::GET, StatusCode::OK, Version::HTTP_10, &fields);
            assert_eq!(outcome, Err(ProtocolError::TransferEncodingInHttp10));
        }
    }

    proptest::proptest! {
        /// Content-Length is used only where the RFC allows it, and never if only a part of it is a number.
        #[test]
        fn a_length_is_never_invented(value in "[ -~]{0,24}") {
            let outcome = framing(Method::GET, 200, &[("content-length", &value)]);
            let expected = value.split(',').map(|one| {
                let one = one.trim();
                let digits = !one.is_empty() && one.bytes().all(|byte| byte.is_ascii_digit());
                one.parse::<i64>().ok().filter(|_| digits).map(i64::unsigned_abs)
            });
            let expected: Option<Vec<u64>> = expected.collect();
            match expected.as_deref() {
                Some([first, rest @ ..]) if rest.iter().all(|one| one == first) => {
                    proptest::prop_assert_eq!(outcome, Ok((Framing::Length(*first), None)));
                }
                _ => proptest::prop_assert!(outcome.is_err()),
            }
        }
    }
}
