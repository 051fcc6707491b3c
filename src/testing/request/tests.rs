use super::*;

fn shown(bytes: &[u8]) -> String {
    match parse(bytes) {
        Parsed::Partial { expects_continue: true } => "expects".to_owned(),
        Parsed::Partial { expects_continue: false } => "partial".to_owned(),
        Parsed::Malformed => "malformed".to_owned(),
        Parsed::Whole { method, body, length, .. } => {
            format!("{method} {} {length}", String::from_utf8_lossy(&body))
        }
    }
}

#[test]
fn a_request_is_received_at_its_last_byte() {
    let sized = b"POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc".to_vec();
    let chunked =
        b"PUT / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\na: b\r\n\r\n";
    let none = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    for whole in [&sized[..], chunked, none] {
        for end in 0..whole.len() {
            assert_eq!(shown(&whole[..end]), "partial", "{end} of {whole:?}");
        }
        let more = [whole, b"GET"].concat();
        let shown = shown(&more);
        assert!(shown.ends_with(&format!(" {}", whole.len())), "{shown}");
    }
    assert_eq!(shown(&sized), "POST abc 41");
    assert_eq!(shown(chunked), format!("PUT abc {}", chunked.len()));
}

#[test]
fn what_is_no_request_is_malformed() {
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"[..],
        b"POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nx\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc",
    ] {
        assert_eq!(shown(bytes), "malformed");
    }
    let expects = b"POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\n";
    assert_eq!(shown(expects), "expects");
}
