//! `101 Switching Protocols` (RFC 9110 §7.8, §15.2.2) and the bytes after it.

use super::super::super::testing::lines;
use super::*;

const SWITCH: &str =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";

fn offering(mut exchange: Exchange) -> Exchange {
    let fields = lines(&[("connection", "upgrade"), ("upgrade", "echo/2, echo")]);
    exchange.offer(Offer::new(fields).unwrap());
    exchange
}

fn posting(outgoing: Outgoing, expectation: Expectation) -> Exchange {
    let mut exchange = Exchange::new(&Limits::default());
    start_expecting(&mut exchange, Method::POST, outgoing, expectation);
    exchange.wrote(exchange.output().len());
    offering(exchange)
}

fn replay_offering(bytes: &[u8], ending: Option<Ending>) -> Outcome {
    replay_to(&|| offering(started(Method::GET)), bytes, ending)
}

#[test]
fn bytes_after_a_101_are_passed_through_unchanged() {
    use CloseReason::Upgraded;
    let lengths = "HTTP/1.1 101 X\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\
                   Connection: upgrade\r\nUpgrade: Echo\r\n\r\n";
    let early = format!("HTTP/1.1 103 Early Hints\r\nUpgrade: x\r\n\r\n{SWITCH}");
    for head in [SWITCH, lengths, &early] {
        for raw in ["", "\r\n", "raw\0bytes", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"] {
            let bytes = [head, raw].concat();
            let ended = replay_offering(bytes.as_bytes(), CLEAN);
            assert_eq!(ended, closed(101, raw, Upgraded), "{bytes:?}");
            let open = replay_offering(bytes.as_bytes(), None);
            assert_eq!(open, closed(101, raw, Upgraded), "{bytes:?}");
            let cut = replay_offering(bytes.as_bytes(), CUT);
            assert_eq!(cut, failed(Some(101), raw, ProtocolError::TlsCut, Upgraded), "{bytes:?}");
        }
    }
}

#[test]
fn only_what_was_offered_is_accepted() {
    let heads = [
        SWITCH.replace("echo", "h2c"),
        SWITCH.replace("echo", "echo, h2c"),
        SWITCH.replace("Upgrade: echo\r\n", ""),
        SWITCH.replace("Connection: Upgrade\r\n", ""),
    ];
    let refused = failed(None, "", ProtocolError::UnexpectedUpgrade, CloseReason::ProtocolError);
    for head in heads {
        assert_eq!(replay_offering(head.as_bytes(), None), refused, "{head}");
    }
    assert_eq!(replay(&Method::GET, SWITCH.as_bytes(), None), refused, "nothing was offered");
}

/// An offer applies to one request only.
#[test]
fn the_next_request_offers_nothing() {
    let mut exchange = offering(started(Method::GET));
    exchange.wrote(exchange.output().len());
    exchange.received(b"HTTP/1.1 204 No Content\r\n\r\n");
    assert!(matches!(exchange.step(), Ok(Step::Head(_))));
    assert!(exchange.upgrade().is_err(), "a 204 is no 101");
    assert_eq!(exchange.reusable(), Ok(()));
    start(&mut exchange, Method::GET, Outgoing::None);
    exchange.wrote(exchange.output().len());
    exchange.received(SWITCH.as_bytes());
    assert_eq!(exchange.step().unwrap_err(), ProtocolError::UnexpectedUpgrade);
}

/// RFC 9110 §7.8: the new protocol begins after the whole request has been sent.
#[test]
fn the_request_is_sent_completely_first() {
    for outgoing in [Outgoing::Length(6), Outgoing::Chunked] {
        for expectation in [Expectation::None, Expectation::Continue] {
            let mut exchange = posting(outgoing, expectation);
            exchange.received(SWITCH.as_bytes());
            exchange.received(b"raw");
            for _ in 0..2 {
                assert!(matches!(exchange.step(), Ok(Step::Fill)), "{outgoing:?} {expectation:?}");
                assert!(exchange.upgrade().is_err(), "half a request");
                exchange.body_filled(3);
                assert!(matches!(exchange.step(), Ok(Step::Write)));
                exchange.wrote(exchange.output().len());
            }
            exchange.body_end(&HeaderMap::new()).unwrap();
            exchange.wrote(exchange.output().len());
            assert!(matches!(exchange.step(), Ok(Step::Head(_))));
            assert_eq!(exchange.body_left(), Some(0), "the 101 itself has no body");
            exchange.upgrade().unwrap();
            assert_eq!(exchange.body_left(), None);
            let mut raw = [0; 9];
            assert_eq!(exchange.read_body(&mut raw).unwrap(), BodyStep::Data(3));
            assert_eq!(&raw[..3], b"raw");
        }
    }
}

/// The server would take the next bytes for the rest of the body.
#[test]
fn no_upgrade_after_an_incomplete_request() {
    for answer_comes_first in [true, false] {
        let mut exchange = posting(Outgoing::Length(6), Expectation::None);
        if answer_comes_first {
            exchange.received(SWITCH.as_bytes());
            assert!(matches!(exchange.step(), Ok(Step::Fill)));
        }
        exchange.write_failed();
        if !answer_comes_first {
            exchange.received(SWITCH.as_bytes());
        }
        assert!(matches!(exchange.step(), Ok(Step::Head(_))));
        assert_eq!(exchange.upgrade(), Err(CloseReason::Io));
    }
}
