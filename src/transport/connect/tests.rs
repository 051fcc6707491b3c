use http::header::PROXY_AUTHORIZATION;

use super::*;

fn connect() -> Connect {
    Connect::new(&Limits::default(), "h.example:443", &HeaderMap::new(), None)
}

/// The outcome, and the bytes left for the tunnel.
type Talk = (Result<Need, ConnectError>, Vec<u8>);

fn talk<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, ending: Option<Ending>) -> Talk {
    let mut connect = connect();
    connect.wrote(connect.output().len());
    let mut outcome = connect.step();
    for piece in pieces {
        connect.received(piece);
        if matches!(outcome, Ok(Need::More | Need::Reason)) {
            outcome = connect.step();
        }
    }
    if let (Some(ending), Ok(Need::More | Need::Reason)) = (ending, &outcome) {
        connect.read_eof(ending);
        outcome = connect.step();
    }
    (outcome, connect.leftover().to_vec())
}

fn refused(status: u16, body: &str) -> Result<Need, ConnectError> {
    let status = StatusCode::from_u16(status).unwrap();
    Err(ConnectError::Refused(ProxyRefusal { status, body: body.into() }))
}

#[test]
fn the_request_is_for_the_proxy() {
    let mut fields = HeaderMap::new();
    fields.insert(PROXY_AUTHORIZATION, HeaderValue::from_static("Basic x"));
    fields.insert(HOST, HeaderValue::from_static("ignored"));
    let connect = Connect::new(&Limits::default(), "[::1]:443", &fields, None);
    let expected =
        "CONNECT [::1]:443 HTTP/1.1\r\nhost: [::1]:443\r\nproxy-authorization: Basic x\r\n\r\n";
    assert_eq!(connect.output(), expected.as_bytes());
    assert!(!format!("{connect:?}").contains("Basic"));
}

/// RFC 9110 §9.3.6, RFC 9112 §6.3.
#[test]
fn n03_answers_at_every_split() {
    use ConnectError::Protocol;
    let long = "x".repeat(KEPT + 500);
    let bounded = "x".repeat(KEPT);
    let interim = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(17);
    let cases: [(&str, Talk); 14] = [
        ("HTTP/1.1 200 Connection established\r\n\r\n", (Ok(Need::Nothing), vec![])),
        ("HTTP/1.0 200 OK\r\n\r\n", (Ok(Need::Nothing), vec![])),
        ("HTTP/1.1 204 No Content\r\n\r\n", (Ok(Need::Nothing), vec![])),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            (Ok(Need::Nothing), b"hello".to_vec()),
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            (Ok(Need::Nothing), b"0\r\n\r\n".to_vec()),
        ),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", (Ok(Need::Nothing), vec![])),
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 5\r\n\r\nhello",
            (refused(407, "hello"), vec![]),
        ),
        (
            "HTTP/1.1 502 Bad\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n3\r\npe!\r\n0\r\n\r\n",
            (refused(502, "nope!"), vec![]),
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n",
            (refused(302, ""), vec![]),
        ),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\noops", (refused(502, "oops"), vec![])),
        ("HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\ncut", (refused(503, "cut"), vec![])),
        ("HTTP/1.1 101 Up\r\n\r\n", (Err(Protocol(ProtocolError::UnexpectedUpgrade)), vec![])),
        ("HTTP/1.1 200 OK\r\nHal", (Err(Protocol(ProtocolError::EofInHead)), vec![])),
        ("", (Err(Protocol(ProtocolError::EofBeforeResponse)), vec![])),
    ];
    let long = format!("HTTP/1.1 403 No\r\nContent-Length: 2000\r\n\r\n{long}");
    let long = (&*long, (refused(403, &bounded), vec![]));
    let flood = (&*interim, (Err(Protocol(ProtocolError::TooManyInterim(16))), vec![]));
    for (answer, (expected, tunnel)) in cases.into_iter().chain([long, flood]) {
        let bytes = answer.as_bytes();
        let splits =
            (0..=bytes.len()).map(|at| bytes.split_at(at)).map(|(one, two)| vec![one, two]);
        for pieces in splits.chain([bytes.chunks(1).collect()]) {
            let shape: Vec<_> = pieces.iter().map(|piece| piece.len()).take(3).collect();
            let (outcome, leftover) = talk(pieces, Some(Ending::Clean));
            assert_eq!(outcome, expected, "{answer:?} as {shape:?}");
            if outcome.is_ok() {
                assert_eq!(leftover, tunnel, "{answer:?} as {shape:?}");
            }
        }
    }
}

#[test]
fn n03_garbage_and_floods_are_refused() {
    let limits = Limits::default();
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(limits.max_head_bytes));
    for answer in ["SSH-2.0-x\r\n", "\x05\0", "HTTP/2 200\r\n\r\n", &endless] {
        let (outcome, _) = talk([answer.as_bytes()], None);
        assert!(matches!(outcome, Err(ConnectError::Protocol(_))), "{outcome:?}");
    }
}

/// A refusal does not depend on the end of its body: the driver waits for that only briefly.
#[test]
fn a_refusal_does_not_wait_for_its_body() {
    let mut connect = connect();
    connect.wrote(connect.output().len());
    connect.received(b"HTTP/1.1 403 No\r\nContent-Length: 9\r\n\r\nwh");
    assert_eq!(connect.step(), Ok(Need::Reason));
    let refusal = connect.refusal().unwrap();
    assert_eq!(Err(refusal.clone()), refused(403, "wh").map_err(TunnelError::from));
    assert_eq!(refusal.to_string(), "the proxy answered 403 Forbidden: wh");
}

#[test]
fn a_refusal_is_one_line_of_text() {
    let shown = |body: &str| refused(407, body).unwrap_err().to_string();
    assert_eq!(shown(""), "the proxy answered 407 Proxy Authentication Required");
    assert_eq!(
        shown("<p>\r\n  Not\0you\u{1b}[0m\n</p>\r\n"),
        "the proxy answered 407 Proxy Authentication Required: <p> Not you [0m </p>"
    );
}
