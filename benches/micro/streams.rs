//! Bodies as lines and as events, in pieces as they come from a network: the lines of a response beside
//! `BufRead::lines`, and `sse::Parser` beside the crate eventsource-stream. Each line and each event becomes a
//! text of its own.

use std::convert::Infallible;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Read};
use std::pin::{Pin, pin};
use std::slice::Chunks;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use eventsource_stream::EventStream;
use futures_core::Stream;
use leanhttp::blocking::Body;
use leanhttp::fuzzing::made_response;
use leanhttp::sse::Parser;

/// The length of an input.
const INPUT: usize = 8 << 20;

/// The bytes that arrive at once: a TCP segment over Ethernet.
const PIECE: usize = 1460;

/// The number of rounds of which a ratio is the median.
const ROUNDS: usize = 21;

#[divan::bench]
fn lines_leanhttp(bencher: Bencher<'_, '_>) {
    bench(bencher, chat_lines, leanhttp_lines);
}

#[divan::bench]
fn lines_bufread(bencher: Bencher<'_, '_>) {
    bench(bencher, chat_lines, bufread_lines);
}

#[divan::bench]
fn events_leanhttp(bencher: Bencher<'_, '_>) {
    bench(bencher, chat_events, leanhttp_events);
}

#[divan::bench]
fn events_eventsource_stream(bencher: Bencher<'_, '_>) {
    bench(bencher, chat_events, eventsource_stream_events);
}

fn bench(bencher: Bencher<'_, '_>, input: fn(usize) -> String, read: fn(&'static [u8]) -> usize) {
    let input = leaked(input);
    let count = read(input);
    bencher
        .counter(ItemsCount::new(count))
        .counter(BytesCount::of_slice(input))
        .bench_local(|| assert_eq!(read(black_box(input)), count));
}

/// Prints how many times as fast as the other reader leanhttp is. The two take turns, so that other work on the
/// machine hardly matters.
pub fn print_ratios() {
    println!("\nThroughput of leanhttp / the other, median of {ROUNDS} rounds:");
    let lines = ratio(leaked(chat_lines), leanhttp_lines, bufread_lines);
    println!("  lines, BufRead::lines        {lines:.2}");
    let events = ratio(leaked(chat_events), leanhttp_events, eventsource_stream_events);
    println!("  events, eventsource-stream   {events:.2}");
}

fn ratio(
    input: &'static [u8],
    leanhttp: fn(&'static [u8]) -> usize,
    other: fn(&'static [u8]) -> usize,
) -> f64 {
    assert_eq!(leanhttp(input), other(input), "both find the same");
    let time = |read: fn(&'static [u8]) -> usize| -> Duration {
        let start = Instant::now();
        black_box(read(black_box(input)));
        start.elapsed()
    };
    let round = |_| time(other).as_secs_f64() / time(leanhttp).as_secs_f64();
    let mut ratios: Vec<f64> = (0..ROUNDS).map(round).collect();
    ratios.sort_by(f64::total_cmp);
    ratios[ROUNDS / 2]
}

fn leanhttp_lines(input: &'static [u8]) -> usize {
    let lines = made_response(Body::new(Pieces(input))).lines();
    lines.map(|line| black_box(line.unwrap())).count()
}

fn bufread_lines(input: &'static [u8]) -> usize {
    BufReader::new(Pieces(input)).lines().map(|line| black_box(line.unwrap())).count()
}

fn leanhttp_events(input: &'static [u8]) -> usize {
    let mut parser = Parser::new();
    let mut count = 0;
    for piece in input.chunks(PIECE) {
        parser.feed(piece);
        while let Some(event) = parser.next_event().unwrap() {
            black_box(event);
            count += 1;
        }
    }
    count
}

fn eventsource_stream_events(input: &'static [u8]) -> usize {
    let mut events = pin!(EventStream::new(Arrivals(input.chunks(PIECE))));
    let mut context = Context::from_waker(Waker::noop());
    let mut count = 0;
    while let Poll::Ready(Some(event)) = events.as_mut().poll_next(&mut context) {
        black_box(event.unwrap());
        count += 1;
    }
    count
}

/// Reads the input in pieces.
struct Pieces(&'static [u8]);

impl Read for Pieces {
    fn read(&mut self, space: &mut [u8]) -> std::io::Result<usize> {
        let length = space.len().min(PIECE);
        self.0.read(&mut space[..length])
    }
}

/// Streams the input in pieces, none of which is waited for.
struct Arrivals(Chunks<'static, u8>);

impl Stream for Arrivals {
    type Item = Result<&'static [u8], Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.next().map(Ok))
    }
}

/// Returns the input of all numbered items up to the length of an input.
fn leaked(item: fn(usize) -> String) -> &'static [u8] {
    let mut input = String::with_capacity(INPUT + PIECE);
    for number in 0.. {
        input.push_str(&item(number));
        if input.len() >= INPUT {
            break;
        }
    }
    input.leak().as_bytes()
}

/// A token of an answer as NDJSON, as local servers of language models send it.
fn chat_lines(number: usize) -> String {
    format!(
        "{{\"model\":\"small\",\"created_at\":\"2026-01-01T00:00:00.{number:06}Z\",\
         \"message\":{{\"role\":\"assistant\",\"content\":\" word{number}\"}},\"done\":false}}\n"
    )
}

/// A token of an answer as an event with a name, as services with language models send it.
fn chat_events(number: usize) -> String {
    format!(
        "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\
         \"delta\":{{\"type\":\"text_delta\",\"text\":\" word{number}\"}}}}\n\n"
    )
}
