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
