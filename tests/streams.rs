//! Lines, JSON lines and events as they arrive, and event sources that reconnect.
#![cfg(all(
    feature = "blocking",
    feature = "tls",
    feature = "gzip",
    feature = "sse",
    feature = "json"
))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may panic")]

mod support;

use std::io::Write;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use leanhttp::blocking::{Body, Client, EventSource, Response};
use leanhttp::error::Kind;
use leanhttp::sse::{Event, Parser, Reconnect};
use leanhttp::{CancelToken, Error};

use support::script::{Connection, Script, Step, answer, moved, ok, pause, send};

const GENEROUS: Duration = Duration::from_secs(5);

const EVENT_STREAM: &str = "content-type: text/event-stream\r\n";

/// A 200 with these fields, whose body has no end yet.
fn open(fields: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\n{fields}transfer-encoding: chunked\r\n\r\n");
    [head.as_bytes(), &*chunk(body)].concat()
}

fn chunk(data: impl AsRef<[u8]>) -> Vec<u8> {
    let data = data.as_ref();
    [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat()
}

const END: &str = "0\r\n\r\n";

/// Any request, and a stream with these events that ends, and its connection with it.
fn stream(body: &str) -> Connection {
    answer([open(&format!("{EVENT_STREAM}connection: close\r\n"), body), END.into()].concat())
}

fn status(status: u16, fields: &str, body: &str) -> Connection {
    let length = body.len();
    answer(format!(
        "HTTP/1.1 {status} X\r\n{fields}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    ))
}

/// One request to a peer that answers so and then stays open.
fn stays_open(response: Vec<u8>) -> Script {
    Script::serve(vec![vec![Step::ExpectRequest, send(response), Step::Silent]])
}

fn get(server: &Script) -> Response {
    Client::new().get(server.url("/")).send().unwrap()
}

fn text(event: Option<leanhttp::Result<Event>>) -> String {
    event.unwrap().unwrap().into_data()
}

mod lines {
    use super::*;

    #[test]
    fn are_returned_as_they_arrive() {
        let server = stays_open(open("", "one\r\ntwo\nthr"));
        let mut lines = get(&server).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "one");
        assert_eq!(lines.next().unwrap().unwrap(), "two");
        assert_eq!(lines.line_number(), 2);
    }

    /// Then the connection is free for the next request.
    #[test]
    fn end_with_the_body() {
        let server = Script::serve(vec![answer(ok("one\n\ntwo"))]);
        let client = Client::new();
        let lines = client.get(server.url("/")).send().unwrap().lines();
        let lines: Vec<String> = lines.map(Result::unwrap).collect();
        assert_eq!(lines, ["one", "", "two"]);
        assert_eq!(client.pool_stats().idle, 1);
    }

    #[test]
    fn of_a_cut_body_end_with_an_error_in_place_of_the_cut_one() {
        for body in ["one\ntw", "one\n"] {
            let response = [open("", body), b"9\r\nmore".to_vec()].concat();
            let server =
                Script::serve(vec![vec![Step::ExpectRequest, send(response), Step::Close]]);
            let mut lines = get(&server).lines();
            assert_eq!(lines.next().unwrap().unwrap(), "one");
            let error = lines.next().unwrap().unwrap_err();
            assert_eq!((error.kind(), error.line_number()), (Kind::Truncated, Some(2)));
            assert!(lines.next().is_none());
        }
    }

    #[test]
    fn that_are_too_long_end_the_lines() {
        let server = Script::serve(vec![vec![
            Step::ExpectRequest,
            send(open("", "1234\r\n12345")),
            Step::ExpectEnd,
        ]]);
        let mut lines = get(&server).lines().max_line_bytes(4);
        assert_eq!(lines.next().unwrap().unwrap(), "1234");
        let error = lines.next().unwrap().unwrap_err();
        let expected = "line 2 is longer than 4 bytes (max_line_bytes)";
        assert!(error.is_decode() && error.to_string().ends_with(expected), "{error}");
        assert_eq!((error.line_number(), error.url().is_some()), (Some(2), true));
        assert!(lines.next().is_none());
        server.join(); // the connection is closed although `lines` lives
        drop(lines);
    }

    #[test]
    fn that_are_not_utf8_are_errors_of_their_own() {
        let server = Script::serve(vec![answer(ok(b"a\nb\xffc\nd\n"))]);
        let lines: Vec<_> = get(&server).lines().collect();
        assert_eq!(lines[0].as_ref().unwrap(), "a");
        let error = lines[1].as_ref().unwrap_err();
        assert!(error.is_decode() && error.to_string().contains("line 2 is not UTF-8"), "{error}");
        assert_eq!((lines[2].as_ref().unwrap().as_str(), lines.len()), ("d", 3));
    }
}

mod json_lines {
    use super::*;

    #[test]
    fn skip_white_lines_and_go_on_behind_a_bad_one() {
        let server = Script::serve(vec![answer(ok("[1]\n \t\r\n[1] [2]\noops\n[2]"))]);
        let lines: Vec<_> = get(&server).json_lines::<Vec<u8>>().collect();
        assert_eq!((lines[0].as_ref().unwrap(), lines[3].as_ref().unwrap()), (&vec![1], &vec![2]));
        for (at, number) in [(1, 3), (2, 4)] {
            let error = lines[at].as_ref().unwrap_err();
            assert_eq!((error.kind(), error.line_number()), (Kind::Decode, Some(number)));
            assert!(error.to_string().contains(&format!("at line {number} column")), "{error}");
        }
        assert_eq!(lines.len(), 4);
    }

    #[test]
    fn of_another_shape_are_errors() {
        let server = Script::serve(vec![answer(ok("\"a\"\n1\n"))]);
        let mut numbers = get(&server).json_lines::<u8>().max_line_bytes(9);
        assert!(numbers.next().unwrap().unwrap_err().is_decode());
        assert_eq!(numbers.next().unwrap().unwrap(), 1);
        assert!(numbers.next().is_none());
    }
}

mod events {
    use super::*;

    #[test]
    fn are_returned_as_they_arrive() {
        let body = "retry: 50\n\nevent: add\rdata: 1\rid: 7\r\r";
        let server = stays_open(open(EVENT_STREAM, body));
        let mut events = get(&server).events().unwrap();
        let event = events.next().unwrap().unwrap();
        assert_eq!((event.name(), event.data(), event.id()), ("add", "1", "7"));
        assert_eq!(event.json::<u8>().unwrap(), 1);
        assert_eq!(
            (events.last_event_id(), events.retry()),
            ("7", Some(Duration::from_millis(50)))
        );
    }

    /// Each flush of the server's encoder comes through at once.
    #[test]
    fn of_a_coded_stream_are_returned_as_they_arrive() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(b"data: 1\n\n").unwrap();
        encoder.flush().unwrap();
        let fields = format!("{EVENT_STREAM}content-encoding: gzip\r\n");
        let server = stays_open(open(&fields, encoder.get_ref()));
        assert_eq!(text(get(&server).events().unwrap().next()), "1");
    }

    #[test]
    fn end_with_the_body_and_nothing_is_sent_again() {
        let server = Script::serve(vec![stream("data: 1\n\ndata: unfinished\n")]);
        let mut events = get(&server).events().unwrap();
        assert_eq!(text(events.next()), "1");
        assert!(events.next().is_none() && events.next().is_none());
        assert_eq!(server.accepted(), 1);
    }

    #[test]
    fn of_a_cut_body_end_with_an_error() {
        let response = open(EVENT_STREAM, "data: 1\n\ndata: 2\n");
        let server = Script::serve(vec![vec![Step::ExpectRequest, send(response), Step::Close]]);
        let mut events = get(&server).events().unwrap();
        assert_eq!(text(events.next()), "1");
        let error = events.next().unwrap().unwrap_err();
        assert_eq!((error.kind(), error.line_number()), (Kind::Truncated, Some(4)));
        assert!(error.is_body() && events.next().is_none());
    }

    /// Silent zero events would be a trap.
    #[test]
    fn of_another_type_are_an_error_that_has_the_response() {
        let server = Script::serve(vec![status(200, "content-type: text/html\r\n", "<html>")]);
        let error = get(&server).events().unwrap_err();
        let expected = "content type is text/html, not text/event-stream";
        assert!(error.is_decode() && error.to_string().ends_with(expected), "{error}");
        assert_eq!(Response::try_from(error).unwrap().text().unwrap(), "<html>");
    }

    #[test]
    fn of_an_error_status_are_an_error_that_has_the_response() {
        let server = Script::serve(vec![status(429, EVENT_STREAM, "quota")]);
        let error = get(&server).events().unwrap_err();
        assert_eq!(error.status().unwrap(), 429);
        assert_eq!(Response::try_from(error).unwrap().text().unwrap(), "quota");
    }

    #[test]
    fn of_another_type_can_be_read_unchecked() {
        let server = Script::serve(vec![answer(ok("data: 1\n\n"))]);
        assert_eq!(text(get(&server).events_unchecked().next()), "1");
    }

    #[test]
    fn that_are_too_large_end_the_stream() {
        let body = format!("data: 1\n\ndata: {}", "x".repeat(99));
        let server = Script::serve(vec![vec![
            Step::ExpectRequest,
            send(open(EVENT_STREAM, body)),
            Step::ExpectEnd,
        ]]);
        let mut events = get(&server).events().unwrap().max_event_bytes(32);
        assert_eq!(text(events.next()), "1");
        let error = events.next().unwrap().unwrap_err();
        assert!(error.to_string().contains("event larger than 32 bytes (line 3"), "{error}");
        assert!(error.is_decode() && error.line_number() == Some(3) && error.url().is_some());
        assert!(events.next().is_none());
        server.join(); // the connection is closed although `events` lives
        drop(events);
    }

    #[test]
    fn that_are_dropped_in_the_middle_close_their_connection() {
        let server = Script::serve(vec![vec![
            Step::ExpectRequest,
            send(open(EVENT_STREAM, "data: 1\n\ndata: 2\n\n")),
            Step::ExpectEnd,
        ]]);
        let client = Client::new();
        let mut events = client.get(server.url("/")).send().unwrap().events().unwrap();
        assert_eq!(text(events.next()), "1");
        drop(events);
        server.join();
        assert_eq!(client.pool_stats().open, 0);
    }

    #[test]
    fn end_after_too_long_a_silence() {
        let server = stays_open(open(EVENT_STREAM, "data: 1\n\n"));
        let limit = Duration::from_millis(100);
        let mut events = get(&server).events().unwrap().idle_timeout(limit);
        assert_eq!(text(events.next()), "1");
        let error = events.next().unwrap().unwrap_err();
        assert!(error.is_timeout() && error.to_string().contains("100ms"), "{error}");
        assert!(events.next().is_none());
    }

    /// The total timeout of the client counts until the stream begins, that of the request to its end.
    #[test]
    fn outlive_the_total_timeout_of_the_client() {
        const TOTAL: Duration = Duration::from_secs(2);
        let slow = || {
            let first = send(open(EVENT_STREAM, "data: 1\n\n"));
            vec![Step::ExpectRequest, first, pause(2500), send(chunk("data: 2\n\n")), send(END)]
        };
        let server = Script::serve(vec![slow(), slow()]);
        let client = Client::builder().timeout(TOTAL).build().unwrap();
        let of_request = {
            let request = client.get(server.url("/")).timeout(TOTAL);
            thread::spawn(move || {
                let mut events = request.send().unwrap().events().unwrap();
                assert_eq!(text(events.next()), "1");
                events.next().unwrap().unwrap_err()
            })
        };
        let events = client.get(server.url("/")).send().unwrap().events().unwrap();
        let events: Vec<_> = events.map(|event| text(Some(event))).collect();
        assert_eq!(events, ["1", "2"]);
        assert!(of_request.join().unwrap().is_timeout());
    }
}

mod event_sources {
    use super::*;

    /// Without a wait that a test would feel.
    fn hasty() -> Reconnect {
        Reconnect::new().first(Duration::from_millis(1)).max(Duration::from_millis(1))
    }

    fn follow(server: &Script, reconnect: Reconnect) -> EventSource {
        let client = Client::new();
        let request = client.get(server.url("/events"));
        client.event_source(request).reconnect(reconnect).build().unwrap()
    }

    #[track_caller]
    fn assert_error(source: &mut EventSource) -> Error {
        let error = source.next().unwrap().unwrap_err();
        assert!(source.next().is_none(), "one error, then the end");
        error
    }

    /// The last event ID that each request has sent.
    fn ids(server: &Script, count: usize) -> Vec<String> {
        let id = |at| {
            let head = server.received_text(at).to_ascii_lowercase();
            assert!(head.starts_with("get /events "), "{head}");
            assert!(head.contains("\r\naccept: text/event-stream\r\n"), "{head}");
            assert!(head.contains("\r\ncache-control: no-store\r\n"), "{head}");
            let line = head.lines().find_map(|line| line.strip_prefix("last-event-id: "));
            line.unwrap_or("none").to_owned()
        };
        (0..count).map(id).collect()
    }

    /// An unfinished event of a lost connection is not mixed with the next stream.
    #[test]
    fn reconnect_behind_the_last_event() {
        let lost = |last: Step, body: &str| {
            vec![Step::ExpectRequest, send(open(EVENT_STREAM, body)), last]
        };
        let bad_chunk = [open(EVENT_STREAM, "data: 5\nid: 5\n\n"), b"oops\r\n".to_vec()].concat();
        let server = Script::serve(vec![
            stream("data: 1\nid: 1\n\nid: x\ndata: unfinished\n"),
            lost(Step::Close, "data: 2\nid: 2\n\nda"),
            vec![Step::ExpectRequest, Step::Reset],
            lost(Step::Silent, "data: 4\nid: …\n\nevent: x\n"),
            vec![Step::ExpectRequest, send(bad_chunk), Step::Silent],
            stream("data: 6\nid\n\n"),
            status(204, "", ""),
        ]);
        let client = Client::new();
        let request = client.get(server.url("/events")).header("last-event-id", "0");
        let source = client.event_source(request).reconnect(hasty());
        let mut source = source.idle_timeout(Duration::from_millis(300)).build().unwrap();
        let mut events = Vec::new();
        for event in &mut source {
            let event = event.unwrap();
            assert_eq!(event.name(), "message");
            events.push(event.into_data());
        }
        assert_eq!(events, ["1", "2", "4", "5", "6"]);
        assert_eq!(source.last_event_id(), "");
        server.join();
        assert_eq!(ids(&server, 7), ["0", "1", "2", "2", "…", "5", "none"]);
    }

    #[test]
    fn wait_for_the_time_that_the_stream_asks_for() {
        let server = Script::serve(vec![stream("retry: 400\ndata: 1\n\n"), status(204, "", "")]);
        let mut source = follow(&server, hasty());
        assert_eq!(text(source.next()), "1");
        let start = Instant::now();
        assert!(source.next().is_none());
        assert!(start.elapsed() >= Duration::from_millis(400), "{:?}", start.elapsed());
    }

    #[test]
    fn end_without_an_error_at_204() {
        let server = Script::serve(vec![status(204, "", "")]);
        assert!(follow(&server, hasty()).next().is_none());
    }

    #[test]
    fn end_with_an_error_at_another_type() {
        let server = Script::serve(vec![
            stream("data: 1\n\n"),
            status(200, "content-type: text/html\r\n", "please log in"),
        ]);
        let mut source = follow(&server, hasty());
        assert_eq!(text(source.next()), "1");
        let error = assert_error(&mut source);
        assert!(error.to_string().contains("text/html, not text/event-stream"), "{error}");
        assert_eq!(Response::try_from(error).unwrap().text().unwrap(), "please log in");
    }

    #[test]
    fn end_with_an_error_at_a_status_that_is_not_200() {
        for code in [202, 401, 503] {
            let server = Script::serve(vec![status(code, EVENT_STREAM, "why")]);
            let error = assert_error(&mut follow(&server, hasty()));
            assert_eq!((error.is_status(), error.status().unwrap().as_u16()), (true, code));
            assert_eq!(Response::try_from(error).unwrap().text().unwrap(), "why");
        }
    }

    #[test]
    fn retry_a_transient_status_once_a_stream_was_open() {
        let connections = || {
            vec![
                stream("data: 1\n\n"),
                status(503, "retry-after: 0\r\n", ""),
                status(429, "", ""),
                stream("data: 2\n\n"),
                status(500, "retry-after: 86400\r\n", ""),
            ]
        };
        let server = Script::serve(connections());
        let mut source = follow(&server, hasty());
        assert_eq!([text(source.next()), text(source.next())], ["1", "2"]);
        let error = assert_error(&mut source);
        assert_eq!(error.status().unwrap(), 500, "that is too long a wait");
    }

    #[test]
    fn give_up_after_so_many_failures_in_a_row() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        let client = Client::new();
        let request = client.get(&url);
        let source = client.event_source(request).reconnect(hasty().failures(Some(2)));
        let error = assert_error(&mut source.build().unwrap());
        assert!(error.is_connect(), "{error}");
        let server = Script::serve(vec![vec![Step::ExpectRequest, Step::Close]; 3]);
        let mut source = follow(&server, hasty().failures(Some(2)));
        assert_error(&mut source);
        server.join();
    }

    /// A redirect is not remembered.
    #[test]
    fn begin_at_the_original_url_again() {
        let server = Script::serve(vec![
            moved(307, "/elsewhere"),
            stream("data: 1\nid: 1\n\n"),
            moved(301, "/elsewhere"),
            status(204, "", ""),
        ]);
        let mut source = follow(&server, hasty());
        assert_eq!(text(source.next()), "1");
        assert!(source.next().is_none());
        server.join();
        let paths = (0..4).map(|at| server.received_text(at).split(' ').nth(1).unwrap().to_owned());
        assert_eq!(paths.collect::<Vec<_>>(), ["/events", "/elsewhere", "/events", "/elsewhere"]);
        assert!(server.received_text(3).to_lowercase().contains("last-event-id: 1"));
    }

    #[test]
    fn send_a_body_of_bytes_again() {
        let server = Script::serve(vec![stream("data: 1\n\n"), status(204, "", "")]);
        let client = Client::new();
        let request = client.post(server.url("/")).body("the question");
        let mut source = client.event_source(request).reconnect(hasty()).build().unwrap();
        assert_eq!(text(source.next()), "1");
        assert!(source.next().is_none());
        server.join();
        for at in 0..2 {
            assert!(server.received_text(at).ends_with("\r\n\r\nthe question"));
        }
        let request = client.post(server.url("/")).body(Body::new(&b"once"[..]));
        let error = client.event_source(request).build().unwrap_err();
        assert!(error.is_builder() && error.to_string().contains("has to be bytes"), "{error}");
    }

    #[test]
    fn report_a_mistake_in_the_request_before_anything_is_sent() {
        let client = Client::new();
        let request = client.get("http://").header("a\n", "b");
        assert!(client.event_source(request).build().unwrap_err().is_builder());
    }

    #[test]
    fn are_canceled_while_they_wait() {
        let server = Script::serve(vec![stream("data: 1\n\n")]);
        let (client, token) = (Client::new(), CancelToken::new());
        let request = client.get(server.url("/events")).cancel_token(&token);
        let source = client.event_source(request).reconnect(Reconnect::new().first(Duration::MAX));
        let mut source = source.build().unwrap();
        assert_eq!(text(source.next()), "1");
        let cancel = thread::spawn(move || {
            thread::sleep(Duration::from_millis(150));
            token.cancel();
            Instant::now()
        });
        assert!(assert_error(&mut source).is_cancelled());
        assert!(cancel.join().unwrap().elapsed() < GENEROUS);
    }

    #[test]
    fn are_canceled_while_they_read() {
        let server = stays_open(open(EVENT_STREAM, "data: 1\n\n"));
        let (client, token) = (Client::new(), CancelToken::new());
        let request = client.get(server.url("/events")).cancel_token(&token);
        let mut source = client.event_source(request).build().unwrap();
        assert_eq!(text(source.next()), "1");
        assert!(source.is_open());
        token.cancel();
        assert!(assert_error(&mut source).is_cancelled());
    }

    #[test]
    fn that_are_dropped_in_the_middle_close_their_connection() {
        let server = Script::serve(vec![vec![
            Step::ExpectRequest,
            send(open(EVENT_STREAM, "data: 1\n\n")),
            Step::ExpectEnd,
        ]]);
        let client = Client::new();
        let request = client.get(server.url("/events"));
        let mut source = client.event_source(request).build().unwrap();
        assert_eq!(text(source.next()), "1");
        drop(source);
        server.join();
        assert_eq!(client.pool_stats().open, 0);
    }

    /// While it waits, a source holds no connection.
    #[test]
    fn end_at_an_event_that_is_too_large() {
        let body = format!("data: {}\n\n", "x".repeat(99));
        let server = Script::serve(vec![stream(&body)]);
        let client = Client::new();
        let request = client.get(server.url("/events"));
        let source = client.event_source(request).reconnect(hasty()).max_event_bytes(32);
        let error = assert_error(&mut source.build().unwrap());
        assert!(error.is_decode() && error.to_string().contains("32 bytes"), "{error}");
        assert_eq!(server.accepted(), 1, "the same event would come again");
    }
}

#[test]
fn an_event_costs_at_most_two_allocations() {
    const EVENTS: u64 = 1000;
    let small = "event: add\nid: 12345\ndata: some text\ndata: and more\n\n".to_owned();
    let large = format!("event: add\nid: 12345\ndata: {}\n\n", "x".repeat(300_000));
    for (event, at_most) in [(small, EVENTS + 20), (large, 2 * EVENTS + 20)] {
        let mut parser = Parser::new();
        let allocated = allocation_counter::measure(|| {
            for _ in 0..EVENTS {
                parser.feed(event.as_bytes());
                assert_eq!(parser.next_event().unwrap().unwrap().id(), "12345");
            }
        });
        assert!(allocated.count_total <= at_most, "{allocated:?}");
    }
}
