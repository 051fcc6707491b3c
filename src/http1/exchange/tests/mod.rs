//! Recorded exchanges, replayed in one piece, byte by byte and at every split.

use http::Version;
use proptest::prelude::*;

use super::*;
use crate::http1::request_head::HeadWriter;

mod stages;
mod switch;

/// The outcome of an exchange, as far as a caller can see it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Outcome {
    /// The statuses of the interim responses that were handed over.
    interim: Vec<u16>,
    status: Option<u16>,
    body: Vec<u8>,
    end: Result<(), ProtocolError>,
    reusable: Result<(), CloseReason>,
}

/// A caller that reads the body in slices of this size.
#[derive(Debug, Clone, Copy)]
struct Caller {
    slice: usize,
}

fn started(method: Method) -> Exchange {
    let mut exchange = Exchange::new(&Limits::default());
    start(&mut exchange, method, Outgoing::None);
    exchange
}

fn start(exchange: &mut Exchange, method: Method, outgoing: Outgoing) {
    start_expecting(exchange, method, outgoing, Expectation::None);
}

fn start_expecting(
    exchange: &mut Exchange,
    method: Method,
    outgoing: Outgoing,
    expectation: Expectation,
) {
    exchange.start(method.clone(), outgoing, expectation, |out| {
        HeadWriter::start(out, &method, "/", Version::HTTP_11).end();
    });
}

/// A peer that sends `pieces` one after the other, then closes or stays silent.
struct Peer<'a> {
    pieces: std::collections::VecDeque<&'a [u8]>,
    ending: Option<Ending>,
}

impl<'a> Peer<'a> {
    fn new(pieces: Vec<&'a [u8]>, ending: Option<Ending>) -> Self {
        Self { pieces: pieces.into_iter().filter(|piece| !piece.is_empty()).collect(), ending }
    }

    /// Reads at most as much as fits; `None` at the end.
    fn read(&mut self, space: &mut [u8]) -> Option<usize> {
        let piece = self.pieces.front_mut()?;
        let count = piece.len().min(space.len());
        space[..count].copy_from_slice(&piece[..count]);
        *piece = &piece[count..];
        if piece.is_empty() {
            self.pieces.pop_front();
        }
        Some(count)
    }
}

fn run(mut exchange: Exchange, mut peer: Peer<'_>, caller: Caller) -> Outcome {
    let mut outcome = closed(0, "", CloseReason::Io);
    outcome.status = None;
    outcome.end = drive(&mut exchange, &mut peer, caller, &mut outcome);
    outcome.reusable = exchange.reusable();
    outcome
}

/// Drives an exchange to its end. The bytes after a 101 are read as its body. If the peer falls silent, the
/// outcome is incomplete and the connection not reusable.
fn drive(
    exchange: &mut Exchange,
    peer: &mut Peer<'_>,
    caller: Caller,
    outcome: &mut Outcome,
) -> Result<(), ProtocolError> {
    loop {
        match exchange.step()? {
            Step::Write => exchange.wrote(exchange.output().len()),
            Step::Interim(head) => outcome.interim.push(head.status.as_u16()),
            Step::Look | Step::Fill | Step::Await => panic!("a body is asked for"),
            Step::Head(head) => {
                outcome.status = Some(head.status.as_u16());
                if head.status == StatusCode::SWITCHING_PROTOCOLS {
                    exchange.upgrade().unwrap();
                }
                break;
            }
            Step::Read => match (peer.read(exchange.read_space()), peer.ending) {
                (Some(count), _) => exchange.read(count),
                (None, Some(ending)) => exchange.read_eof(ending),
                (None, None) => return Ok(()),
            },
        }
    }
    let mut slice = vec![0; caller.slice];
    loop {
        let read = match exchange.read_body(&mut slice)? {
            BodyStep::End => return Ok(()),
            BodyStep::Data(count) => {
                outcome.body.extend_from_slice(&slice[..count]);
                continue;
            }
            BodyStep::Direct(room) => {
                let count = peer.read(room);
                if let Some(count) = count {
                    exchange.read_direct(count);
                    outcome.body.extend_from_slice(&slice[..count]);
                }
                count
            }
            BodyStep::Read => {
                let count = peer.read(exchange.read_space());
                exchange.read(count.unwrap_or(0));
                count
            }
        };
        match (read, peer.ending) {
            (Some(_), _) => {}
            (None, Some(ending)) => exchange.read_eof(ending),
            (None, None) => return Ok(()),
        }
    }
}

const CALLERS: [Caller; 3] = [Caller { slice: 1 }, Caller { slice: 7 }, Caller { slice: 70_000 }];

/// Replays in one piece, byte by byte, and at every split: the outcome must be the same.
fn replay(method: &Method, bytes: &[u8], ending: Option<Ending>) -> Outcome {
    replay_to(&|| started(method.clone()), bytes, ending)
}

fn replay_to(start: &dyn Fn() -> Exchange, bytes: &[u8], ending: Option<Ending>) -> Outcome {
    let whole = run(start(), Peer::new(vec![bytes], ending), CALLERS[2]);
    for caller in CALLERS {
        let single = bytes.chunks(1).collect();
        let outcome = run(start(), Peer::new(single, ending), caller);
        assert_eq!(outcome, whole, "byte by byte, {caller:?}");
        for split in 0..bytes.len() {
            let (one, two) = bytes.split_at(split);
            let outcome = run(start(), Peer::new(vec![one, two], ending), caller);
            assert_eq!(outcome, whole, "split at {split}, {caller:?}");
        }
    }
    whole
}

fn complete(status: u16, body: &str) -> Outcome {
    let (status, body) = (Some(status), body.into());
    Outcome { interim: Vec::new(), status, body, end: Ok(()), reusable: Ok(()) }
}

fn closed(status: u16, body: &str, reason: CloseReason) -> Outcome {
    Outcome { reusable: Err(reason), ..complete(status, body) }
}

fn failed(status: Option<u16>, body: &str, error: ProtocolError, reason: CloseReason) -> Outcome {
    Outcome { status, end: Err(error), ..closed(0, body, reason) }
}

const CLEAN: Option<Ending> = Some(Ending::Clean);
const CUT: Option<Ending> = Some(Ending::Cut);

#[test]
fn complete_responses_leave_the_connection_reusable() {
    let cases = [
        (Method::GET, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"),
        (Method::GET, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, ""),
        (Method::HEAD, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, ""),
        (Method::GET, "HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        (Method::GET, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, ""),
        (
            Method::GET,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n",
            200,
            "abcde",
        ),
        (
            Method::GET,
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            200,
            "ok",
        ),
        (Method::GET, "\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok"),
        (
            Method::GET,
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
            200,
            "ok",
        ),
    ];
    for (method, bytes, status, body) in cases {
        for ending in [None, CLEAN, CUT] {
            assert_eq!(
                replay(&method, bytes.as_bytes(), ending),
                complete(status, body),
                "{bytes}"
            );
        }
    }
}

#[test]
fn unusable_connections_have_a_close_reason() {
    use CloseReason::*;
    let cases = [
        ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", PeerSaidClose),
        ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", Http10),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            FramingDoubt,
        ),
        ("HTTP/1.1 200 OK\r\n\r\nok", CloseDelimited),
    ];
    for (bytes, reason) in cases {
        assert_eq!(replay(&Method::GET, bytes.as_bytes(), CLEAN), closed(200, "ok", reason));
    }
}

/// RFC 9112 §8: a truncated response is never complete, whichever way the connection ends.
#[test]
fn truncation_is_an_error_for_every_framing() {
    use CloseReason::EarlyEof;
    let length = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel";
    let between = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n";
    let last = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n0\r\n";
    let missing = |missing| ProtocolError::EofInChunked { missing };
    let cases = [
        ("", None, "", ProtocolError::EofBeforeResponse),
        ("HTTP/1.1 200 OK\r\nConten", None, "", ProtocolError::EofInHead),
        ("HTTP/1.1 100 Continue\r\n\r\n", None, "", ProtocolError::EofInHead),
        (length, Some(200), "hel", ProtocolError::EofInBody { missing: 2 }),
        (chunked, Some(200), "hel", missing(2)),
        (between, Some(200), "hel", missing(0)),
        (last, Some(200), "hel", missing(0)),
    ];
    for (bytes, status, body, error) in cases {
        for ending in [CLEAN, CUT] {
            let outcome = replay(&Method::GET, bytes.as_bytes(), ending);
            assert_eq!(outcome, failed(status, body, error.clone(), EarlyEof), "{bytes}");
        }
    }
    // Only the end of the connection delimits this body: over TLS it must be an orderly end.
    let until_close = "HTTP/1.1 200 OK\r\n\r\nhel";
    let outcome = replay(&Method::GET, until_close.as_bytes(), CUT);
    assert_eq!(
        outcome,
        failed(Some(200), "hel", ProtocolError::TlsCut, CloseReason::CloseDelimited)
    );
}

/// Bytes after the end of a response are never the response to the next request.
#[test]
fn leftover_bytes_prevent_reuse() {
    let heads = [
        (Method::GET, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        (Method::HEAD, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"),
        (Method::GET, "HTTP/1.1 204 No Content\r\n\r\n"),
        (Method::GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
    ];
    for (method, head) in heads {
        let bytes = format!("{head}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
        let whole = Peer::new(vec![bytes.as_bytes()], None);
        let outcome = run(started(method), whole, CALLERS[0]);
        assert_eq!(outcome.reusable, Err(CloseReason::LeftoverBytes), "{head}");
        assert!(outcome.body.is_empty() || outcome.body == b"ok");
    }
}

#[test]
fn input_that_is_not_http_is_an_error() {
    use CloseReason::ProtocolError as Broken;
    let cases = [
        "SSH-2.0-OpenSSH_9.6\r\n",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nBad Name: 1\r\n\r\n",
    ];
    for bytes in cases {
        // The peer's later behavior makes no difference.
        let single = bytes.as_bytes().chunks(1).collect();
        let slow = run(started(Method::GET), Peer::new(single, CLEAN), CALLERS[1]);
        let whole = run(started(Method::GET), Peer::new(vec![bytes.as_bytes()], None), CALLERS[1]);
        for outcome in [slow, whole] {
            assert!(outcome.end.is_err(), "{bytes}");
            assert_eq!(outcome.reusable, Err(Broken), "{bytes}");
        }
    }
}

/// RFC 9110 §15.2. They are handed over if that was asked for, in order and once, at every split.
#[test]
fn interim_responses_are_handed_over_if_asked_for() {
    let bytes = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n\
                 HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    let asked = || {
        let mut exchange = started(Method::GET);
        exchange.report_interim();
        exchange
    };
    let expected = Outcome { interim: vec![103, 100], ..complete(200, "ok") };
    assert_eq!(replay_to(&asked, bytes.as_bytes(), None), expected);
    let again = || {
        let mut exchange = asked();
        run_again(&mut exchange);
        exchange
    };
    let expected = complete(200, "ok");
    assert_eq!(replay_to(&again, bytes.as_bytes(), None), expected, "the next exchange has to ask");
    let head = "HTTP/1.1 103 A\r\n\r\n";
    let many = run(asked(), Peer::new(vec![head.repeat(17).as_bytes()], None), CALLERS[0]);
    assert_eq!((many.interim.len(), many.end), (16, Err(ProtocolError::TooManyInterim(16))));
}

/// Completes the exchange, and starts another one.
fn run_again(exchange: &mut Exchange) {
    let mut outcome = complete(0, "");
    let bytes = &b"HTTP/1.1 204 No Content\r\n\r\n"[..];
    drive(exchange, &mut Peer::new(vec![bytes], None), CALLERS[0], &mut outcome).unwrap();
    start(exchange, Method::GET, Outgoing::None);
}

#[test]
fn limits_hold_over_all_heads_of_an_exchange() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\n";
    let last = "HTTP/1.1 204 No Content\r\n\r\n";
    let get = |bytes: String| replay(&Method::GET, bytes.as_bytes(), None);
    assert_eq!(get(interim.repeat(16) + last), complete(204, ""));
    assert_eq!(get(interim.repeat(17) + last).end, Err(ProtocolError::TooManyInterim(16)));

    let run = |bytes: &[u8]| run(started(Method::GET), Peer::new(vec![bytes], None), CALLERS[0]);
    let head = |filler: usize| format!("HTTP/1.1 204 OK\r\nA: {}\r\n\r\n", "x".repeat(filler));
    let fits = 64 * 1024 - head(0).len();
    assert_eq!(run(head(fits).as_bytes()).status, Some(204));
    let too_large = Err(ProtocolError::HeadTooLarge(64 * 1024));
    assert_eq!(run(head(fits + 1).as_bytes()).end, too_large);
    assert_eq!(run((interim.to_owned() + &head(fits)).as_bytes()).end, too_large);
    assert_eq!(run("\r\n".repeat(33 * 1024).as_bytes()).end, too_large);
    assert_eq!(run(format!("HTTP/1.1 200 {}", "x".repeat(70_000)).as_bytes()).end, too_large);
}

/// The first of two faults is reported, however the input is split.
#[test]
fn a_limit_and_garbage_near_it_are_reported_in_order() {
    let limit = Limits::default().max_head_bytes;
    for (garbage, wrong_at) in [("SSH-2.0", 0), ("HTTP/2 200", 5), ("\rX", 1)] {
        for empty in limit - 8..limit + 3 {
            let bytes = "\n".repeat(empty) + garbage;
            let whole = vec![bytes.as_bytes()];
            let single = bytes.as_bytes().chunks(1).collect();
            for pieces in [whole, single] {
                let outcome = run(started(Method::GET), Peer::new(pieces, CLEAN), CALLERS[0]);
                let is_limit = outcome.end == Err(ProtocolError::HeadTooLarge(limit));
                assert_eq!(is_limit, empty + wrong_at >= limit, "{empty} {:?}", outcome.end);
            }
        }
    }
}

/// Collects the output of the machine for a body of these pieces.
fn send(outgoing: Outgoing, pieces: &[&str]) -> (Vec<Vec<u8>>, Result<(), Missing>) {
    let mut exchange = Exchange::new(&Limits::default());
    start(&mut exchange, Method::POST, outgoing);
    let mut writes = Vec::new();
    let mut pieces = pieces.iter();
    loop {
        match exchange.step().unwrap() {
            Step::Write => {
                writes.push(exchange.output().to_vec());
                exchange.wrote(exchange.output().len());
            }
            Step::Fill => match pieces.next() {
                Some(piece) => {
                    exchange.body_space()[..piece.len()].copy_from_slice(piece.as_bytes());
                    exchange.body_filled(piece.len());
                }
                None => match exchange.body_end(&HeaderMap::new()) {
                    Ok(()) => {}
                    missing => return (writes, missing),
                },
            },
            Step::Read => return (writes, Ok(())),
            Step::Look | Step::Await | Step::Interim(_) | Step::Head(_) => {
                panic!("nothing was answered")
            }
        }
    }
}

#[test]
fn a_small_body_leaves_with_the_head() {
    let head = "POST / HTTP/1.1\r\n\r\n";
    let (writes, end) = send(Outgoing::Length(5), &["hello"]);
    assert_eq!((writes, end), (vec![format!("{head}hello").into_bytes()], Ok(())));
    let (writes, _) = send(Outgoing::Chunked, &["hello", "worlds"]);
    let expected = [format!("{head}5\r\nhello\r\n"), "6\r\nworlds\r\n".into(), "0\r\n\r\n".into()];
    assert_eq!(writes, expected.map(String::into_bytes));
    let (writes, _) = send(Outgoing::Chunked, &[]);
    assert_eq!(writes.concat(), format!("{head}0\r\n\r\n").into_bytes());
    let (writes, _) = send(Outgoing::Length(0), &[]);
    assert_eq!(writes.concat(), head.as_bytes());
}

#[test]
fn a_body_that_ends_early_is_not_completed() {
    let (writes, end) = send(Outgoing::Length(9), &["hel", "lo"]);
    assert_eq!(end, Err(Missing(4)));
    assert!(writes.concat().ends_with(b"hello"));
}

fn answer(exchange: &mut Exchange, bytes: &str) {
    let space = exchange.read_space();
    space[..bytes.len()].copy_from_slice(bytes.as_bytes());
    exchange.read(bytes.len());
}

/// RFC 9112 §9.5: an error response during the upload ends the request.
#[test]
fn an_early_error_response_stops_the_upload() {
    let mut exchange = Exchange::new(&Limits::default());
    start(&mut exchange, Method::POST, Outgoing::Length(1000));
    exchange.body_filled(10);
    answer(&mut exchange, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
    assert!(matches!(exchange.step(), Ok(Step::Head(head)) if head.status == 413));
    assert_eq!(exchange.reusable(), Err(CloseReason::RequestIncomplete));
    assert!(exchange.output().is_empty(), "nothing more is written");
}

/// RFC 9112 §9.5: a success may be the response to the part received so far.
#[test]
fn an_early_success_is_delivered_and_the_upload_continues() {
    let mut exchange = Exchange::new(&Limits::default());
    start(&mut exchange, Method::POST, Outgoing::Length(10));
    exchange.body_filled(4);
    answer(&mut exchange, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert!(matches!(exchange.step(), Ok(Step::Head(_))));
    assert_eq!(exchange.reusable(), Err(CloseReason::RequestIncomplete));
    assert_eq!(exchange.send_step(), SendStep::Write);
    exchange.wrote(exchange.output().len());
    assert_eq!(exchange.send_step(), SendStep::Fill);
    exchange.body_filled(6);
    assert_eq!(exchange.send_step(), SendStep::Write);
    exchange.wrote(exchange.output().len());
    assert_eq!((exchange.send_step(), exchange.is_sending()), (SendStep::Done, false));
    assert_eq!(exchange.reusable(), Ok(()));
}

/// The result does not depend on the order in which the two halves advance.
#[test]
fn the_halves_advance_in_any_order() {
    const RESPONSE: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                            3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    for order in 0..1 << 12_u32 {
        let mut exchange = Exchange::new(&Limits::default());
        start(&mut exchange, Method::POST, Outgoing::Length(8));
        let (mut sent, mut left, mut come, mut body) = (Vec::new(), 8, 0, Vec::new());
        // The head of the request and of the response.
        exchange.body_space()[..2].copy_from_slice(b"xx");
        exchange.body_filled(2);
        left -= 2;
        answer(&mut exchange, &RESPONSE[..47]);
        assert!(matches!(exchange.step(), Ok(Step::Head(_))));
        come += 47;
        for turn in 0.. {
            if turn >= 12 || order >> turn & 1 == 0 {
                match exchange.send_step() {
                    SendStep::Write => {
                        let count = exchange.output().len().min(40);
                        sent.extend_from_slice(&exchange.output()[..count]);
                        exchange.wrote(count);
                    }
                    SendStep::Fill => {
                        exchange.body_space()[..2].copy_from_slice(b"xx");
                        exchange.body_filled(2);
                        left -= 2;
                    }
                    SendStep::Done => {}
                }
            }
            if turn >= 12 || order >> turn & 1 == 1 {
                let mut into = [0; 2];
                match exchange.read_body(&mut into).unwrap() {
                    BodyStep::Data(count) => body.extend_from_slice(&into[..count]),
                    BodyStep::Direct(room) => {
                        let count = room.len().min(2).min(RESPONSE.len() - come);
                        body.extend_from_slice(&RESPONSE.as_bytes()[come..come + count]);
                        exchange.read_direct(count);
                        come += count;
                    }
                    BodyStep::Read => {
                        answer(&mut exchange, &RESPONSE[come..=come]);
                        come += 1;
                    }
                    BodyStep::End if !exchange.is_sending() => break,
                    BodyStep::End => {
                        assert_eq!(exchange.reusable(), Err(CloseReason::RequestIncomplete))
                    }
                }
            }
        }
        assert_eq!((left, &*body, exchange.reusable()), (0, &b"abcde"[..], Ok(())), "{order:b}");
        assert!(sent.ends_with(b"\r\n\r\nxxxxxxxx"), "{order:b}");
    }
}

/// The rest of the request is not sent once the peer has ended the connection or a write failed.
#[test]
fn a_lost_peer_ends_the_upload_but_not_the_response() {
    for fails in [false, true] {
        let mut exchange = Exchange::new(&Limits::default());
        start(&mut exchange, Method::POST, Outgoing::Length(10));
        exchange.body_filled(4);
        answer(&mut exchange, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        assert!(matches!(exchange.step(), Ok(Step::Head(_))));
        if fails {
            exchange.write_failed();
        } else {
            exchange.read_eof(Ending::Clean);
        }
        assert_eq!((exchange.send_step(), exchange.is_sending()), (SendStep::Done, false));
        let mut into = [0; 9];
        assert_eq!(exchange.read_body(&mut into), Ok(BodyStep::Data(2)));
        assert_eq!(exchange.read_body(&mut into), Ok(BodyStep::End));
        assert!(exchange.reusable().is_err());
    }
}

/// No response can be received any more.
#[test]
fn the_end_of_the_connection_ends_an_unanswered_upload() {
    let mut exchange = Exchange::new(&Limits::default());
    start(&mut exchange, Method::POST, Outgoing::Length(10));
    exchange.body_filled(4);
    exchange.read_eof(Ending::Clean);
    assert_eq!(exchange.step().unwrap_err(), ProtocolError::EofBeforeResponse);
}

/// RFC 9112 §9.2.
#[test]
fn bytes_before_the_request_are_not_a_response() {
    let mut exchange = Exchange::new(&Limits::default());
    start(&mut exchange, Method::GET, Outgoing::None);
    exchange.look_first();
    assert!(matches!(exchange.step(), Ok(Step::Look)));
    answer(&mut exchange, "H");
    assert_eq!(exchange.step().unwrap_err(), ProtocolError::Unsolicited);

    let mut silent = Exchange::new(&Limits::default());
    start(&mut silent, Method::GET, Outgoing::None);
    silent.look_first();
    silent.looked();
    assert!(matches!(silent.step(), Ok(Step::Write)));
}

/// An upload of ten bytes that has sent its head and expects 100 (Continue).
fn expecting() -> Exchange {
    let mut exchange = Exchange::new(&Limits::default());
    start_expecting(&mut exchange, Method::PUT, Outgoing::Length(10), Expectation::Continue);
    assert!(matches!(exchange.step(), Ok(Step::Write)), "the head is sent alone");
    exchange.wrote(exchange.output().len());
    assert!(matches!(exchange.step(), Ok(Step::Await)));
    exchange
}

fn finish_upload(mut exchange: Exchange) {
    assert!(matches!(exchange.step(), Ok(Step::Fill)));
    exchange.body_filled(10);
    exchange.wrote(exchange.output().len());
    answer(&mut exchange, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    assert!(matches!(exchange.step(), Ok(Step::Head(head)) if head.status == 201));
    assert_eq!(exchange.reusable(), Ok(()));
}

/// RFC 9110 §10.1.1.
#[test]
fn an_expected_100_releases_the_body() {
    let mut exchange = expecting();
    answer(&mut exchange, "HTTP/1.1 103 Early Hints\r\n\r\n");
    assert!(matches!(exchange.step(), Ok(Step::Await)), "103 does not concern the body");
    answer(&mut exchange, "HTTP/1.1 100 Continue\r\n\r\n");
    finish_upload(exchange);
}

#[test]
fn a_silent_server_gets_the_body_after_a_timeout() {
    let mut exchange = expecting();
    exchange.go_ahead();
    finish_upload(exchange);
}

#[test]
fn a_final_response_instead_of_100_ends_the_request() {
    for status in [200, 401, 417] {
        let mut exchange = expecting();
        answer(&mut exchange, &format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n"));
        assert!(matches!(exchange.step(), Ok(Step::Head(head)) if head.status == status));
        assert_eq!(exchange.reusable(), Err(CloseReason::RequestIncomplete));
    }
}

#[test]
fn the_end_of_the_connection_ends_the_wait_for_100() {
    let mut exchange = expecting();
    exchange.read_eof(Ending::Clean);
    assert_eq!(exchange.step().unwrap_err(), ProtocolError::EofBeforeResponse);
}

#[test]
fn after_a_failed_write_the_response_is_still_read() {
    let mut exchange = Exchange::new(&Limits::default());
    start(&mut exchange, Method::POST, Outgoing::Length(1000));
    exchange.body_filled(10);
    exchange.write_failed();
    assert!(matches!(exchange.step(), Ok(Step::Read)));
    answer(&mut exchange, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert!(matches!(exchange.step(), Ok(Step::Head(_))));
    assert_eq!(exchange.reusable(), Err(CloseReason::Io));
}

/// After a failed write, the reported error depends only on whether a response began, not on other bytes
/// received with it.
#[test]
fn an_invalid_response_counts_as_a_response() {
    for head in ["200 OK\r\na b", "200 OK\r\nContent-Length: x", "101 Switching Protocols"] {
        for rest in ["more", ""] {
            let mut exchange = started(Method::GET);
            exchange.write_failed();
            answer(&mut exchange, &format!("HTTP/1.1 {head}\r\n\r\n{rest}"));
            assert!(exchange.step().is_err() && exchange.is_answered(), "{head} {rest}");
        }
    }
}

/// Returns the length of the slice that may be read into directly.
fn direct_room(exchange: &mut Exchange, slice: &mut [u8]) -> Option<usize> {
    match exchange.read_body(slice) {
        Ok(BodyStep::Direct(room)) => Some(room.len()),
        _ => None,
    }
}

#[test]
fn large_bodies_are_read_straight_into_the_callers_slice() {
    let mut exchange = started(Method::GET);
    exchange.wrote(exchange.output().len());
    answer(&mut exchange, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc");
    assert!(matches!(exchange.step(), Ok(Step::Head(_))));
    let mut slice = vec![0; 8192];
    assert_eq!(exchange.read_body(&mut slice), Ok(BodyStep::Data(3)));
    assert_eq!(exchange.body_left(), Some(99_997));
    assert_eq!(direct_room(&mut exchange, &mut slice), Some(8192));
    exchange.read_direct(8000);
    assert_eq!(exchange.body_left(), Some(91_997));
    assert_eq!(
        exchange.read_body(&mut slice[..10]),
        Ok(BodyStep::Read),
        "a small slice reads through the buffer"
    );
    assert_eq!(exchange.reusable(), Err(CloseReason::BodyUnread));
}

/// No byte of a chunk is counted twice, whether it was read through the buffer or directly.
#[test]
fn large_chunks_are_read_straight_into_the_callers_slice() {
    let mut exchange = started(Method::GET);
    exchange.wrote(exchange.output().len());
    answer(&mut exchange, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4000\r\nabc");
    assert!(matches!(exchange.step(), Ok(Step::Head(_))));
    let mut slice = vec![0; 0x3000];
    assert_eq!(exchange.read_body(&mut slice), Ok(BodyStep::Data(3)));
    assert_eq!(direct_room(&mut exchange, &mut slice), Some(0x3000));
    exchange.read_direct(0x2000);
    let left = 0x2000 - 3;
    assert_eq!(direct_room(&mut exchange, &mut slice), Some(left));
    exchange.read_direct(left - 1);
    assert_eq!(
        exchange.read_body(&mut slice),
        Ok(BodyStep::Read),
        "one byte is read through the buffer"
    );
    answer(&mut exchange, "z\r\n0\r\n\r\n");
    assert_eq!(exchange.read_body(&mut slice), Ok(BodyStep::Data(1)));
    assert_eq!(exchange.read_body(&mut slice), Ok(BodyStep::End));
    assert_eq!(exchange.reusable(), Ok(()));
}

#[test]
fn trailers_are_separate_from_the_head() {
    let mut exchange = started(Method::GET);
    exchange.wrote(exchange.output().len());
    answer(
        &mut exchange,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n",
    );
    let Ok(Step::Head(head)) = exchange.step() else { panic!("no head") };
    assert_eq!(exchange.read_body(&mut [0; 9]), Ok(BodyStep::End));
    let shown = format!("{exchange:?}");
    assert!(shown.contains("trailers: Some(ReceivedTrailers { len: 1, .. })"), "{shown}");
    assert_eq!(exchange.take_trailers().unwrap()["x-sum"], "1");
    assert!(!head.headers.map().contains_key("x-sum"));
}

proptest! {
    /// Any input at any split: no panic, no endless loop, no unbounded growth.
    #[test]
    fn any_bytes_at_any_splits(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        head in prop::sample::select(vec![
            "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        ]),
        split in 1..40_usize,
        slice in 1..100_usize,
    ) {
        let bytes = [head.as_bytes(), &bytes].concat();
        let whole = run(started(Method::GET), Peer::new(vec![&bytes], CLEAN), CALLERS[2]);
        let pieces = bytes.chunks(split).collect();
        let split = run(started(Method::GET), Peer::new(pieces, CLEAN), Caller { slice });
        prop_assert_eq!(split.status, whole.status);
        prop_assert_eq!(&split.body, &whole.body);
        prop_assert_eq!(split.end.is_ok(), whole.end.is_ok());
        // Leftover bytes that have not been received yet are found by the probe before the next use.
        prop_assert!(split.reusable.is_ok() || whole.reusable.is_err());
    }

    /// Any body in any pieces is decoded from a chunked and from a sized response.
    #[test]
    fn any_body_arrives(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..50), 0..8),
        split in 1..30_usize,
        slice in 1..100_usize,
    ) {
        let body = pieces.concat();
        let mut chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for piece in &pieces {
            chunked.extend(format!("{:x}\r\n", piece.len()).bytes());
            chunked.extend(piece);
            chunked.extend(b"\r\n");
        }
        chunked.extend(b"0\r\n\r\n");
        let mut sized = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
        sized.extend(&body);
        for bytes in [chunked, sized] {
            let peer = Peer::new(bytes.chunks(split).collect(), None);
            let outcome = run(started(Method::GET), peer, Caller { slice });
            prop_assert_eq!(&outcome.body, &body);
            prop_assert_eq!(outcome.reusable, Ok(()));
        }
    }
}
