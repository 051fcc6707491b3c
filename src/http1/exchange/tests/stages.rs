//! What an exchange says of itself on its way: the retry policy, the pool and the drivers rely on it.

use super::*;
use crate::base::buffer::Shelf;

/// What holds now, by name.
fn told(exchange: &Exchange) -> Vec<&'static str> {
    let answers = [
        ("sent", exchange.is_sent()),
        ("has sent", exchange.has_sent()),
        ("heard", exchange.has_heard()),
        ("answered", exchange.is_answered()),
        ("awaits head", exchange.awaits_head()),
        ("broken", exchange.is_broken()),
    ];
    answers.into_iter().filter(|(_, holds)| *holds).map(|(name, _)| name).collect()
}

fn upload(length: u64) -> Exchange {
    let mut exchange = Exchange::new(&Limits::default());
    start(&mut exchange, Method::POST, Outgoing::Length(length));
    exchange
}

fn write_all(exchange: &mut Exchange) {
    exchange.wrote(exchange.output().len());
}

const EMPTY_OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// RFC 9110 §9.2.2, RFC 9112 §9.3.1: whether a request may go out again depends on these.
#[test]
fn every_stage_of_an_exchange_is_told() {
    let mut exchange = upload(3);
    assert_eq!(told(&exchange), ["awaits head"], "nothing is written yet");
    exchange.body_filled(3);
    exchange.wrote(1);
    assert_eq!(told(&exchange), ["has sent", "awaits head"], "one byte may have arrived");
    write_all(&mut exchange);
    assert_eq!(told(&exchange), ["sent", "has sent", "awaits head"]);
    exchange.received(b"");
    assert_eq!(told(&exchange), ["sent", "has sent", "awaits head"], "nothing came");
    exchange.received(b"HTTP/1.1 103 Early");
    assert_eq!(told(&exchange), ["sent", "has sent", "heard", "answered", "awaits head"]);
    exchange.received(b" Hints\r\n\r\n");
    assert!(matches!(exchange.step(), Ok(Step::Read)));
    assert_eq!(told(&exchange), ["sent", "has sent", "heard", "awaits head"], "no final answer");
    exchange.received(EMPTY_OK.as_bytes());
    assert!(matches!(exchange.step(), Ok(Step::Head(_))));
    assert_eq!(told(&exchange), ["sent", "has sent", "heard", "answered"]);
    start(&mut exchange, Method::GET, Outgoing::None);
    assert_eq!(told(&exchange), ["awaits head"], "of the next exchange nothing is known");
}

/// The source of a body may be asked whether it has ended when nobody wants the body any more.
#[test]
fn the_end_of_a_body_that_is_not_sent_is_no_error() {
    let mut refused = upload(9);
    write_all(&mut refused);
    answer(&mut refused, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
    assert!(matches!(refused.step(), Ok(Step::Head(_))));
    let mut sent = upload(3);
    sent.body_filled(3);
    write_all(&mut sent);
    for mut exchange in [refused, sent, expecting()] {
        assert_eq!(exchange.body_end(&HeaderMap::new()), Ok(()));
        assert!(exchange.output().is_empty());
    }
}

/// What was meant to be an answer is one: its request is not sent again.
#[test]
fn a_broken_answer_is_an_answer() {
    let mut exchange = started(Method::GET);
    write_all(&mut exchange);
    answer(&mut exchange, "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n");
    assert!(exchange.step().is_err());
    assert_eq!(told(&exchange), ["sent", "has sent", "heard", "answered", "awaits head"]);
    let mut exchange = started(Method::GET);
    exchange.close_after(CloseReason::WeSaidClose);
    assert!(!exchange.is_answered());
}

/// RFC 9110 §9.3.6: what follows a successful answer to CONNECT belongs to the tunnel.
#[test]
fn what_follows_the_answer_to_connect_is_left() {
    let mut exchange = started(Method::CONNECT);
    write_all(&mut exchange);
    answer(&mut exchange, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
    assert!(matches!(exchange.step(), Ok(Step::Head(_))));
    assert_eq!(exchange.leftover(), b"abc");
    assert_eq!(exchange.reusable(), Err(CloseReason::Upgraded));
}

#[test]
fn a_body_that_waits_is_not_sent() {
    let exchange = expecting();
    assert!(exchange.output().is_empty());
    assert_eq!(told(&exchange), ["has sent", "awaits head"]);
}

/// A read of nothing is no sign of life.
#[test]
fn silence_is_not_heard() {
    let mut exchange = started(Method::GET);
    write_all(&mut exchange);
    exchange.read(0);
    assert_eq!(told(&exchange), ["sent", "has sent", "awaits head"]);
    exchange.read_eof(Ending::Clean);
    assert_eq!(exchange.step().unwrap_err(), ProtocolError::EofBeforeResponse);
    answer(&mut exchange, "H");
    assert_eq!(exchange.step().unwrap_err(), ProtocolError::EofInHead);
}

/// Nothing more is written on a broken connection; what had been written remains so.
#[test]
fn a_failed_write_ends_the_request_where_it_is() {
    let unsent = upload(9);
    let mut half = upload(9);
    half.body_filled(4);
    write_all(&mut half);
    let mut buffered = upload(4);
    buffered.body_filled(4);
    let mut sent = started(Method::GET);
    write_all(&mut sent);
    for (name, mut exchange, expected) in [
        ("unsent", unsent, &["awaits head", "broken"][..]),
        ("half of the body", half, &["has sent", "awaits head", "broken"]),
        ("all in the buffer", buffered, &["awaits head", "broken"]),
        ("sent", sent, &["sent", "has sent", "awaits head", "broken"]),
    ] {
        exchange.write_failed();
        assert!(matches!(exchange.step(), Ok(Step::Read)), "{name}");
        assert!(exchange.output().is_empty(), "{name}");
        assert_eq!(told(&exchange), expected, "{name}");
        answer(&mut exchange, EMPTY_OK);
        assert!(matches!(exchange.step(), Ok(Step::Head(_))), "{name}");
        assert_eq!(exchange.reusable(), Err(CloseReason::Io), "{name}");
    }
}

/// Each reason by itself, of a connection on which nothing else is wrong.
#[test]
fn a_connection_is_kept_only_when_nothing_is_left_to_do() {
    let answered = || {
        let mut exchange = started(Method::GET);
        write_all(&mut exchange);
        answer(&mut exchange, EMPTY_OK);
        assert!(matches!(exchange.step(), Ok(Step::Head(_))));
        exchange
    };
    assert_eq!(answered().reusable(), Ok(()));

    let mut ended = answered();
    ended.read_eof(Ending::Clean);
    assert_eq!((ended.may_be_reused(), ended.reusable()), (Ok(()), Err(CloseReason::NotAlive)));

    let mut more = answered();
    answer(&mut more, "H");
    assert_eq!(more.reusable(), Err(CloseReason::LeftoverBytes));

    let mut unwanted = answered();
    unwanted.close_after(CloseReason::WeSaidClose);
    unwanted.close_after(CloseReason::Expired);
    assert_eq!(unwanted.may_be_reused(), Err(CloseReason::WeSaidClose), "the first reason stays");
    assert_eq!(unwanted.reusable(), Err(CloseReason::WeSaidClose));

    // The answer is complete before the request is: first the body is missing, then the write.
    let mut early = upload(4);
    write_all(&mut early);
    answer(&mut early, EMPTY_OK);
    assert!(matches!(early.step(), Ok(Step::Head(_))));
    for missing in [4, 2, 0] {
        assert_ne!(early.send_step(), SendStep::Done);
        assert_eq!(early.reusable(), Err(CloseReason::RequestIncomplete), "{missing}");
        early.body_filled(2);
    }
    write_all(&mut early);
    assert_eq!(early.reusable(), Ok(()));

    let mut unanswered = started(Method::GET);
    write_all(&mut unanswered);
    assert_eq!(unanswered.reusable(), Err(CloseReason::BodyUnread));
}

/// RFC 9112 §6.1: the version of an earlier response tells whether the peer knows chunked bodies.
#[test]
fn the_version_of_the_peer_is_that_of_its_last_response() {
    let mut exchange = started(Method::GET);
    write_all(&mut exchange);
    assert_eq!(exchange.peer_version(), Version::HTTP_11);
    answer(&mut exchange, "HTTP/1.0 103 Early Hints\r\n\r\n");
    assert!(matches!(exchange.step(), Ok(Step::Read)));
    assert_eq!(exchange.peer_version(), Version::HTTP_11);
    answer(&mut exchange, "HTTP/1.0 204 No Content\r\n\r\n");
    assert!(matches!(exchange.step(), Ok(Step::Head(_))));
    assert_eq!(exchange.peer_version(), Version::HTTP_10);
    start(&mut exchange, Method::GET, Outgoing::None);
    assert_eq!(exchange.peer_version(), Version::HTTP_10, "the connection remembers");
}

/// As long as the limit is not passed, a head is unfinished, not too large.
#[test]
fn an_unfinished_head_of_the_largest_size_is_cut_off() {
    let limits = Limits { head_bytes: 20, ..Limits::default() };
    let end = |bytes: &str| {
        let mut exchange = Exchange::new(&limits);
        start(&mut exchange, Method::GET, Outgoing::None);
        run(exchange, Peer::new(vec![bytes.as_bytes()], CLEAN), CALLERS[0]).end
    };
    let too_large = Err(ProtocolError::HeadTooLarge(20));
    assert_eq!(end("HTTP/1.1 200 OK\r\nA:b"), Err(ProtocolError::EofInHead));
    assert_eq!(end("HTTP/1.1 200 OK\r\nA:bc"), too_large);
    assert_eq!(end(&"\r\n".repeat(10)), Err(ProtocolError::EofInHead));
    assert_eq!(end(&"\n".repeat(21)), too_large);
}

/// Where only the connection's end ends the body, the manner of the end decides (RFC 9112 §9.8);
/// where the framing does, a body cut short is told as such.
#[test]
fn the_manner_of_the_end_decides_for_a_body_without_length() {
    let until_close = "HTTP/1.1 200 OK\r\n\r\nhel";
    let sized = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel";
    let cases = [
        (until_close, Ending::Clean, Ok(())),
        (until_close, Ending::Cut, Err(ProtocolError::TlsCut)),
        (until_close, Ending::Broken, Err(ProtocolError::BrokenBody)),
        (sized, Ending::Clean, Err(ProtocolError::EofInBody { missing: 2 })),
        (sized, Ending::Broken, Err(ProtocolError::EofInBody { missing: 2 })),
    ];
    for (bytes, ending, end) in cases {
        assert_eq!(replay(&Method::GET, bytes.as_bytes(), Some(ending)).end, end, "{ending:?}");
    }
}

/// What is left is known for a body with a length, and for none at all.
#[test]
fn what_is_left_of_a_body_is_told_if_it_is_known() {
    for (head, expected) in [
        ("Content-Length: 5", Some(5)),
        ("Content-Length: 0", Some(0)),
        ("Transfer-Encoding: chunked", None),
        ("X: y", None),
    ] {
        let mut exchange = started(Method::GET);
        write_all(&mut exchange);
        assert_eq!(exchange.body_left(), Some(0), "no body has begun");
        answer(&mut exchange, &format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n"));
        assert!(matches!(exchange.step(), Ok(Step::Head(_))));
        assert_eq!(exchange.body_left(), expected, "{head}");
        assert!(exchange.take_trailers().is_none(), "{head}");
    }
}

/// A usual head fits into the first read; one that does not fit foretells more. Bytes that wait
/// must not leave a read without room.
#[test]
fn reads_grow_when_they_are_filled() {
    let mut exchange = started(Method::GET);
    write_all(&mut exchange);
    assert_eq!(exchange.read_space().len(), 8 * 1024);
    exchange.read_space()[..17].copy_from_slice(b"HTTP/1.1 200 OK\r\n");
    exchange.read_space()[17..].fill(b'a');
    exchange.read(8 * 1024 - 1);
    assert!(matches!(exchange.step(), Ok(Step::Read)));
    assert_eq!(exchange.read_space().len(), 8 * 1024 + 1, "a quarter is too little left");
    exchange.read(8 * 1024 + 1);
    assert!(matches!(exchange.step(), Ok(Step::Read)));
    assert_eq!(exchange.read_space().len(), 16 * 1024, "a quarter of 64 KiB");

    let mut exchange = started(Method::GET);
    write_all(&mut exchange);
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n";
    exchange.read_space()[..head.len()].copy_from_slice(head.as_bytes());
    exchange.read(8 * 1024);
    assert!(matches!(exchange.step(), Ok(Step::Head(_))));
    assert!(matches!(exchange.read_body(&mut [0; 9000]), Ok(BodyStep::Data(_))));
    assert_eq!(exchange.read_space().len(), 64 * 1024);
    exchange.rest(&mut Shelf::default());
    start(&mut exchange, Method::GET, Outgoing::None);
    assert_eq!(exchange.read_space().len(), 8 * 1024, "the next head is a usual one");
}

/// Past the buffer go only reads that are worth it: 4 KiB, or all that is left of a sized body.
/// What is left of a small chunk comes together with what follows it.
#[test]
fn small_reads_go_through_the_buffer() {
    use BodyStep::{Direct, Read};
    let sized = |length: usize| format!("Content-Length: {length}\r\n\r\n");
    let chunk = |size: usize| format!("Transfer-Encoding: chunked\r\n\r\n{size:x}\r\n");
    let until_close = "X: y\r\n\r\n".to_owned();
    for (body, slice, expected) in [
        (sized(9999), 4095, Read),
        (sized(9999), 4096, Direct(4096)),
        (sized(5), 4, Read),
        (sized(5), 5, Direct(5)),
        (sized(5), 9999, Direct(5)),
        (chunk(9999), 4095, Read),
        (chunk(9999), 4096, Direct(4096)),
        (chunk(4095), 9999, Read),
        (chunk(4096), 9999, Direct(4096)),
        (until_close.clone(), 4095, Read),
        (until_close, 4096, Direct(4096)),
    ] {
        let mut exchange = started(Method::GET);
        write_all(&mut exchange);
        answer(&mut exchange, &format!("HTTP/1.1 200 OK\r\n{body}"));
        assert!(matches!(exchange.step(), Ok(Step::Head(_))));
        let step = exchange.read_body(&mut vec![0; slice]);
        assert_eq!(step, Ok(expected), "{body:?} into {slice}");
    }
}

/// A source shows that it has ended when there is a byte more to read than it announced; before that,
/// pieces are whole pages.
#[test]
fn the_room_for_the_last_piece_has_a_byte_to_spare() {
    const PIECE: u64 = 120 * 1024;
    for (left, room) in
        [(100, 101), (PIECE - 1, PIECE), (PIECE, PIECE + 1), (PIECE + 1, PIECE), (u64::MAX, PIECE)]
    {
        assert_eq!(upload(left).body_space().len() as u64, room, "{left}");
    }
    assert!(!upload(0).body_space().is_empty());
}

/// A chunk of the largest size is one piece with its size line and its end, and so is the last one:
/// memory grows once.
#[test]
fn the_room_for_a_chunk_leaves_room_around_it() {
    let mut exchange = Exchange::new(&Limits::default());
    start(&mut exchange, Method::POST, Outgoing::Chunked);
    let size = exchange.body_space().len();
    assert_eq!(size, 120 * 1024);
    let place = exchange.body_space().as_ptr() as usize;
    exchange.body_space().fill(b'x');
    exchange.body_filled(size);
    exchange.body_end(&HeaderMap::new()).unwrap();
    let output = exchange.output();
    let expected = [&b"POST / HTTP/1.1\r\n\r\n1e000\r\n"[..], &vec![b'x'; size], b"\r\n0\r\n\r\n"];
    assert_eq!(output, expected.concat());
    let end = output.as_ptr_range().end as usize;
    assert_eq!(end, place + size + b"\r\n0\r\n\r\n".len(), "nothing was moved but the head");
}

/// A connection that idles holds no memory; one that wakes goes on in what it is given.
#[test]
fn memory_is_handed_on() {
    let mut exchange = started(Method::GET);
    let output = exchange.output().as_ptr() as usize;
    let input = exchange.read_space().as_ptr() as usize;
    write_all(&mut exchange);
    let mut shelf = Shelf::default();
    exchange.rest(&mut shelf);
    assert!(exchange.output().is_empty());
    let mut other = Exchange::new(&Limits::default());
    other.wake(&mut shelf);
    start(&mut other, Method::GET, Outgoing::None);
    assert_eq!(other.output().as_ptr() as usize, output);
    assert_eq!(other.read_space().as_ptr() as usize, input);
}
