use super::*;

/// The output of a stream: name, data and ID of each event, and then the text of an error.
#[derive(Debug, PartialEq)]
struct Given {
    events: Vec<(String, String, String)>,
    error: Option<String>,
    retry: Option<u64>,
    last_event_id: String,
}

fn parse(mut parser: Parser, pieces: &[&[u8]]) -> Given {
    let (mut events, mut error) = (Vec::new(), None);
    'pieces: for piece in pieces {
        parser.feed(piece);
        loop {
            match parser.next_event() {
                Ok(Some(event)) => {
                    let parts = [event.name(), event.data(), event.id()].map(str::to_owned);
                    let [name, data, id] = parts;
                    assert_eq!(event.into_data(), data);
                    events.push((name, data, id));
                }
                Ok(None) => break,
                Err(failed) => {
                    error = Some(failed.to_string());
                    break 'pieces;
                }
            }
        }
    }
    parser.finish();
    let retry = parser.retry().map(|retry| u64::try_from(retry.as_millis()).unwrap());
    Given { events, error, retry, last_event_id: parser.last_event_id().to_owned() }
}

/// The same in one piece, in pieces of one byte, and cut in two at every place.
#[track_caller]
fn given(make: fn() -> Parser, input: &[u8]) -> Given {
    let whole = parse(make(), &[input]);
    assert_eq!(parse(make(), &input.chunks(1).collect::<Vec<_>>()), whole, "byte by byte");
    for at in 0..=input.len() {
        let (one, other) = input.split_at(at);
        assert_eq!(parse(make(), &[one, b"", other]), whole, "cut at {at}");
    }
    whole
}

/// Each event is written as `name|data|id`.
#[track_caller]
fn assert_events(input: impl AsRef<[u8]>, expected: &[&str]) {
    let events = given(Parser::new, input.as_ref()).events;
    let events = events.iter().map(|(name, data, id)| format!("{name}|{data}|{id}"));
    assert_eq!(events.collect::<Vec<_>>(), expected);
}

#[test]
fn data_fields_are_joined_and_one_space_is_dropped() {
    assert_events("data: a\ndata:b\ndata:  c\ndata\ndata:\td\n\n", &["message|a\nb\n c\n\n\td|"]);
    assert_events("data\n\ndata:\n\ndata: \n\n", &["message||"; 3]);
    assert_events("data: a:b\nevent: x:y\n\n", &["x:y|a:b|"]);
}

#[test]
fn the_last_event_field_names_its_event_only() {
    assert_events("event: a\nevent: b\ndata: 1\n\ndata: 2\n\n", &["b|1|", "message|2|"]);
    assert_events("event: a\nevent\ndata: 1\n\n", &["message|1|"]);
}

#[test]
fn comments_and_unknown_fields_are_ignored() {
    assert_events(": c\n:\n data: x\nData: x\ndata : x\nfoo\ndata: a\n\n", &["message|a|"]);
    assert_events("{\"error\": \"no\"}\n\n", &[]);
}

#[test]
fn lines_end_with_cr_lf_or_both() {
    assert_events(
        "data: a\rdata: b\r\ndata: c\n\r\ndata: d\r\r",
        &["message|a\nb\nc|", "message|d|"],
    );
    assert_events("data: a\u{85}b\u{2028}c\u{b}\n\n", &["message|a\u{85}b\u{2028}c\u{b}|"]);
}

#[test]
fn one_byte_order_mark_is_skipped_for_each_stream() {
    assert_events("\u{feff}data: a\n\n\u{feff}data: b\n\n", &["message|a|"]);
    assert_events("\u{feff}\u{feff}data: a\n\n", &[]);
    let mut parser = Parser::new();
    for _ in 0..2 {
        parser.feed("\u{feff}data: a\n\n".as_bytes());
        assert_eq!(parser.next_event().unwrap().unwrap().data(), "a");
        parser.finish();
    }
}

#[test]
fn invalid_utf8_is_replaced_and_swallows_no_line_end() {
    assert_events(b"data: a\xf0\x9f\x98\r\r", &["message|a\u{fffd}|"]);
    assert_events(b"data: \xc0\xaf\xff\n\n", &["message|\u{fffd}\u{fffd}\u{fffd}|"]);
    assert_events("data: €😀\n\n", &["message|€😀|"]);
}

#[test]
fn an_id_persists_until_it_is_replaced_or_reset() {
    assert_events(
        "id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n",
        &["message|a|1", "message|b|1", "message|c|"],
    );
    assert_events("id: 1\nid: x\0\ndata: a\n\n", &["message|a|1"]);
    let with_id = || Parser::new().with_last_event_id("4\n1");
    let given = given(with_id, b"data: a\n\n");
    assert_eq!((&*given.events[0].2, &*given.last_event_id), ("41", "41"));
}

#[test]
fn a_block_without_data_sets_the_id_and_no_more() {
    let given = given(Parser::new, b"event: x\nid: 7\n\ndata: a\n\n");
    assert_eq!(given.events, [("message".to_owned(), "a".to_owned(), "7".to_owned())]);
}

#[test]
fn an_unfinished_event_is_dropped_with_its_id() {
    for end in ["id: 2\ndata: b\n", "id: 2\ndata: b", "id: 2"] {
        let given = given(Parser::new, format!("id: 1\ndata: a\n\n{end}").as_bytes());
        assert_eq!((given.events.len(), &*given.last_event_id), (1, "1"));
    }
    let mut parser = Parser::new();
    parser.feed(b"event: x\nid: 1\ndata: a\nda");
    assert_eq!(parser.next_event().unwrap(), None);
    parser.finish();
    parser.feed(b"ta: b\n\ndata: c\n\n");
    let event = parser.next_event().unwrap().unwrap();
    assert_eq!((event.name(), event.data(), event.id()), ("message", "c", ""));
}

#[test]
fn retry_is_digits_only_and_counts_at_once() {
    let rows = [
        ("retry: 1000\n", Some(1000)),
        ("retry:5\nretry: 5x\n", Some(5)),
        (
            "retry: -5\nretry: +5\nretry: 5 \nretry: 0x10\nretry: 1e3\nretry\nretry:\nRetry: 5\n",
            None,
        ),
        ("retry: 18446744073709551615\n", Some(u64::MAX)),
        ("retry: 99999999999999999999999\n", Some(u64::MAX)),
    ];
    for (input, expected) in rows {
        assert_eq!(given(Parser::new, input.as_bytes()).retry, expected, "{input}");
    }
}

#[test]
fn a_line_that_never_ends_is_an_error() {
    let limited = || Parser::new().max_event_bytes(32);
    let given = given(limited, format!("data: ok\n\ndata: {}", "a".repeat(99)).as_bytes());
    assert_eq!(given.events.len(), 1);
    let expected = "event larger than 32 bytes (line 3; max_event_bytes)";
    assert!(given.error.unwrap().ends_with(expected));
}

#[test]
fn an_event_of_many_lines_is_an_error() {
    let limited = || Parser::new().max_event_bytes(9);
    assert_eq!(given(limited, b"data:1234\ndata:5678\n\n").error, None, "nine bytes fit");
    let given = given(limited, b"data:1\n\ndata:1234\ndata:56789\n\ndata:1\n\n");
    assert_eq!(given.events.len(), 1);
    assert!(given.error.unwrap().contains("event larger than 9 bytes (line 4"));
}

#[test]
fn a_limit_that_was_exceeded_stays_an_error_until_the_end() {
    let mut parser = Parser::new().max_event_bytes(9);
    parser.feed(b"data:1234567890\n\ndata:1\n\n");
    for _ in 0..2 {
        let error = parser.next_event().unwrap_err();
        assert!(error.is_decode());
        assert_eq!(error.line_number(), Some(1));
    }
    parser.finish();
    parser.feed(b"data:1\n\n");
    assert_eq!(parser.next_event().unwrap().unwrap().data(), "1");
}

#[cfg(feature = "json")]
#[test]
fn json_of_an_event_names_the_place_in_its_data() {
    let mut parser = Parser::new();
    parser.feed(b"data: {\ndata: oops}\n\n");
    let error = parser.next_event().unwrap().unwrap().json::<()>().unwrap_err();
    assert!(error.is_decode() && error.to_string().contains("line"), "{error}");
}
