//! The state queries of an exchange, on which the retry policy, the pool and the drivers rely.

use super::*;
use crate::base::buffer::BufferPool;

/// The names of the queries that are true now.
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

/// RFC 9110 §9.2.2, RFC 9112 §9.3.1: these decide whether a request may be sent again.
#[test]
fn state_queries_at_every_stage() {
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
    assert_eq!(told(&exchange), ["awaits head"], "the next exchange starts fresh");
}

/// The source of a body may be asked for its end after the body was abandoned.
#[test]
fn the_end_of_an_abandoned_body_is_no_error() {
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

/// An invalid response is still a response, so its request is not sent again.
#[test]
fn an_invalid_response_is_an_answer() {
    let mut exchange = started(Method::GET);
    write_all(&mut exchange);
    answer(&mut exchange, "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n");
    assert!(exchange.step().is_err());
    assert_eq!(told(&exchange), ["sent", "has sent", "heard", "answered", "awaits head"]);
    let mut exchange = started(Method::GET);
    exchange.close_after(CloseReason::WeSaidClose);
    assert!(!exchange.is_answered());
}

/// RFC 9110 §9.3.6: the bytes after a successful response to CONNECT belong to the tunnel.
#[test]
fn bytes_after_a_connect_response_are_left_over() {
    let mut exchange = started(Method::CONNECT);
    write_all(&mut exchange);
    answer(&mut exchange, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
    assert!(matches!(exchange.step(), Ok(Step::Head(_))));
    assert_eq!(exchange.leftover(), b"abc");
    assert_eq!(exchange.reusable(), Err(CloseReason::Upgraded));
}

#[test]
fn a_waiting_body_is_not_sent() {
    let exchange = expecting();
    assert!(exchange.output().is_empty());
    assert_eq!(told(&exchange), ["has sent", "awaits head"]);
}

/// An empty read does not count as received data.
#[test]
fn an_empty_read_is_not_heard() {
    let mut exchange = started(Method::GET);
    write_all(&mut exchange);
    exchange.read(0);
    assert_eq!(told(&exchange), ["sent", "has sent", "awaits head"]);
    exchange.read_eof(Ending::Clean);
    assert_eq!(exchange.step().unwrap_err(), ProtocolError::EofBeforeResponse);
    answer(&mut exchange, "H");
    assert_eq!(exchange.step().unwrap_err(), ProtocolError::EofInHead);
}

/// Nothing more is written on a broken connection; earlier writes still count.
#[test]
fn a_failed_write_ends_the_request() {
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

/// Each close reason alone, on a connection that is otherwise reusable.
#[test]
fn a_connection_is_reusable_only_when_nothing_is_left_to_do() {
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

    // The response is complete before the request: first its body is missing, then the write.
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

/// RFC 9112 §6.1: the version of an earlier response shows whether the peer supports chunked bodies.
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
    assert_eq!(exchange.peer_version(), Version::HTTP_10, "kept across exchanges");
}

/// Up to the limit, a head is incomplete, not too large.
#[test]
fn an_incomplete_head_of_the_maximum_size_is_truncated() {
    let limits = Limits { max_head_bytes: 20, ..Limits::default() };
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

/// For a body delimited by the end of the connection, the way in which it ended decides (RFC 9112 §9.8).
/// For any other framing a truncated body is reported as such.
#[test]
fn the_kind_of_ending_decides_for_a_close_delimited_body() {
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

/// The number of bytes left is known for a body with a length, and without a body.
#[test]
fn the_bytes_left_are_reported_if_known() {
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

/// A usual head fits into the first read; after a full read the next one is larger. Buffered bytes must
/// not leave a read without space.
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
    assert_eq!(exchange.read_space().len(), 16 * 1024, "the memory doubles");

    let mut exchange = started(Method::GET);
    write_all(&mut exchange);
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n";
    exchange.read_space()[..head.len()].copy_from_slice(head.as_bytes());
    exchange.read(8 * 1024);
    assert!(matches!(exchange.step(), Ok(Step::Head(_))));
    assert!(matches!(exchange.read_body(&mut [0; 9000]), Ok(BodyStep::Data(_))));
    for size in [16, 32, 64, 64] {
        let room = exchange.read_space().len();
        assert_eq!(room, size * 1024);
        exchange.read(room);
        while exchange.read_body(&mut [0; 4000]) != Ok(BodyStep::Read) {}
    }
    exchange.rest(&mut BufferPool::default());
    start(&mut exchange, Method::GET, Outgoing::None);
    assert_eq!(exchange.read_space().len(), 8 * 1024, "back to the usual size");
}

/// Only large reads bypass the buffer: 4 KiB, or the whole rest of a sized body. The rest of a small chunk
/// is read together with the bytes after it.
#[test]
fn small_reads_go_through_the_buffer() {
    use BodyStep::{Direct, Read};
    let sized = |length: usize| format!("Content-Length: {length}\r\n\r\n");
    let chunk = |size: usize| format!("Transfer-Encoding: chunked\r\n\r\n{size:x}\r\n");
    let until_close = "X: y\r\n\r\n".to_owned();
    for (body, slice, expected) in [
        (sized(9999), 4095, Read),
        (sized(9999), 4096, Direct(&mut [0; 4096])),
        (sized(5), 4, Read),
        (sized(5), 5, Direct(&mut [0; 5])),
        (sized(5), 9999, Direct(&mut [0; 5])),
        (chunk(9999), 4095, Read),
        (chunk(9999), 4096, Direct(&mut [0; 4096])),
        (chunk(4095), 9999, Read),
        (chunk(4096), 9999, Direct(&mut [0; 4096])),
        (until_close.clone(), 4095, Read),
        (until_close, 4096, Direct(&mut [0; 4096])),
    ] {
        let mut exchange = started(Method::GET);
        write_all(&mut exchange);
        answer(&mut exchange, &format!("HTTP/1.1 200 OK\r\n{body}"));
        assert!(matches!(exchange.step(), Ok(Step::Head(_))));
        let mut slice = vec![0; slice];
        let step = exchange.read_body(&mut slice);
        assert_eq!(step, Ok(expected), "{body:?}");
    }
}

/// The last piece has one byte of space more than announced, which detects the end of the source. All
/// other pieces are whole pages.
#[test]
fn the_space_for_the_last_piece_has_a_byte_to_spare() {
    const PIECE: u64 = 120 * 1024;
    for (left, room) in
        [(100, 101), (PIECE - 1, PIECE), (PIECE, PIECE + 1), (PIECE + 1, PIECE), (u64::MAX, PIECE)]
    {
        assert_eq!(upload(left).body_space().len() as u64, room, "{left}");
    }
    assert!(!upload(0).body_space().is_empty());
}

/// A chunk of the maximum size is contiguous with its size line and its end, and so is the last chunk:
/// the memory grows once.
#[test]
fn the_space_for_a_chunk_leaves_room_around_it() {
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

/// An idle connection holds no memory; an active one uses the buffers that it is given.
#[test]
fn idle_connections_return_their_memory() {
    let mut exchange = started(Method::GET);
    let output = exchange.output().as_ptr() as usize;
    let input = exchange.read_space().as_ptr() as usize;
    write_all(&mut exchange);
    let mut shelf = BufferPool::default();
    exchange.rest(&mut shelf);
    assert!(exchange.output().is_empty());
    let mut other = Exchange::new(&Limits::default());
    other.wake(&mut shelf, Outgoing::None);
    start(&mut other, Method::GET, Outgoing::None);
    assert_eq!(other.output().as_ptr() as usize, output);
    assert_eq!(other.read_space().as_ptr() as usize, input);
}
