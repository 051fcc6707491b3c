//! Event streams: the same events for every split, and those of a twin that reads the whole text as the HTML
//! Standard words it; what is kept is bounded.
//!
//! The first line says how the input is cut.
#![no_main]

use leanhttp::sse::Parser;
use leanhttp_fuzz::streams::{self, Read};
use libfuzzer_sys::fuzz_target;

/// Small, so that inputs reach it.
const LIMIT: usize = 256;

fuzz_target!(|input: &[u8]| {
    let (sizes, body) = leanhttp_fuzz::sizes(input);
    let whole = read(body, std::iter::repeat(usize::MAX));
    assert_eq!(read(body, sizes), whole);
    let twin = streams::events(body, LIMIT);
    assert_eq!(whole, twin);
});

/// Reads two connections with the same content: nothing but ID and retry time survives the first.
fn read(body: &[u8], mut sizes: impl Iterator<Item = usize>) -> Read {
    let mut parser = Parser::new().max_event_bytes(LIMIT);
    let mut read = Read::default();
    let mut rest = body;
    while !rest.is_empty() && !read.is_too_large {
        let (piece, behind) = rest.split_at(sizes.next().unwrap_or(1).min(rest.len()));
        rest = behind;
        parser.feed(piece);
        loop {
            match parser.next_event() {
                Ok(Some(event)) => {
                    let parts = [event.name(), event.data(), event.id()].map(str::to_owned);
                    read.events.push(parts);
                }
                Ok(None) => break,
                Err(error) => {
                    assert!(error.is_decode() && error.line_number().is_some());
                    read.is_too_large = true;
                    break;
                }
            }
        }
    }
    parser.finish();
    read.retry = parser.retry();
    read.last_event_id = parser.last_event_id().to_owned();
    parser.feed(b"data: again\n\n");
    let again = parser.next_event().unwrap().unwrap();
    assert_eq!((again.name(), again.data()), ("message", "again"));
    assert_eq!(again.id(), read.last_event_id);
    read
}
