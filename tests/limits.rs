//! Every limit of [`Limits`]: a response exactly at it is fine, one beyond it is an error that
//! names it.
#![cfg(all(feature = "blocking", feature = "gzip"))]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use leanhttp::error::{Kind, Phase};
use leanhttp::{Client, Limits, Result};

use support::script::{Script, answer, ok};

/// A limit: its setting, a response that uses `most` of it, and the error of a response beyond a
/// lower one.
struct Row {
    set: fn(&mut Limits, usize),
    most: usize,
    response: Vec<u8>,
    phase: Phase,
    told: fn(usize) -> String,
}

fn client(row: &Row, limit: usize) -> Client {
    let mut limits = Limits::default();
    // The ratio, if a row sets one, applies from the first byte on.
    limits.decompressed_ratio_threshold = 0;
    limits.max_decompression_ratio = u64::MAX;
    (row.set)(&mut limits, limit);
    Client::builder().limits(limits).build().unwrap()
}

fn fetch(client: &Client, response: &[u8]) -> Result<Vec<u8>> {
    let server = Script::serve(vec![answer(response)]);
    client.get(server.url("/")).send()?.bytes().map(Vec::from)
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn coded(codings: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: {codings}\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn chunked(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}").into_bytes()
}

fn rows() -> Vec<Row> {
    let early = "HTTP/1.1 103 Early Hints\r\n\r\n";
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
    let lines = "HTTP/1.1 200 OK\r\nX-Long-Line: 12345678\r\nContent-Length: 2\r\n\r\nok";
    let trailers = "2\r\nok\r\n0\r\nA: 1\r\nB: 2\r\n\r\n";
    vec![
        Row {
            set: |limits, limit| limits.max_head_bytes = limit,
            most: early.len() + head.len(),
            response: format!("{early}{head}ok").into_bytes(),
            phase: Phase::Head,
            told: |limit| format!("response head larger than {limit} bytes (max_head_bytes)"),
        },
        Row {
            set: |limits, limit| limits.max_line_bytes = limit,
            most: "X-Long-Line: 12345678\r\n".len(),
            response: lines.into(),
            phase: Phase::Head,
            told: |limit| format!("line of the head longer than {limit} bytes (max_line_bytes)"),
        },
        Row {
            set: |limits, limit| limits.max_headers = limit,
            most: 2,
            response: lines.into(),
            phase: Phase::Head,
            told: |limit| format!("more than {limit} header fields (max_headers)"),
        },
        Row {
            set: |limits, limit| limits.max_informational_responses = limit,
            most: 3,
            response: format!("{early}{early}{early}{head}ok").into_bytes(),
            phase: Phase::Head,
            told: |limit| {
                format!("more than {limit} interim (1xx) responses (max_informational_responses)")
            },
        },
        Row {
            set: |limits, limit| limits.max_chunk_extension_bytes = limit,
            // All digits of the size count too, leading zeros included.
            most: "00;a=b".len() + "0;cd".len(),
            response: chunked("002;a=b\r\nok\r\n0;cd\r\n\r\n"),
            phase: Phase::Body,
            told: |limit| {
                format!("more than {limit} bytes of chunk extensions (max_chunk_extension_bytes)")
            },
        },
        Row {
            set: |limits, limit| limits.max_trailer_bytes = limit,
            most: "A: 1\r\nB: 2\r\n\r\n".len(),
            response: chunked(trailers),
            phase: Phase::Body,
            told: |limit| format!("trailers larger than {limit} bytes (max_trailer_bytes)"),
        },
        Row {
            set: |limits, limit| limits.max_trailers = limit,
            most: 2,
            response: chunked(trailers),
            phase: Phase::Body,
            told: |limit| format!("more than {limit} trailer fields (max_trailers)"),
        },
        Row {
            set: |limits, limit| limits.max_content_codings = limit,
            most: 2,
            response: coded("gzip, gzip", &gzip(&gzip(b"ok"))),
            phase: Phase::Decode,
            told: |limit| format!("more than {limit} content codings (max_content_codings)"),
        },
        Row {
            set: |limits, limit| limits.max_body_bytes = limit as u64,
            most: 2,
            response: ok("ok"),
            phase: Phase::Body,
            told: |limit| {
                format!(
                    "the body is larger than {limit} bytes (body_limit); a body that is read in pieces has no limit"
                )
            },
        },
    ]
}

#[test]
fn a_response_at_the_limit_is_accepted_and_one_beyond_it_is_an_error() {
    for row in rows() {
        let at = fetch(&client(&row, row.most), &row.response);
        assert_eq!(at.unwrap(), b"ok", "{}", (row.told)(row.most));
        let beyond = fetch(&client(&row, row.most - 1), &row.response).unwrap_err();
        assert_eq!((beyond.kind(), beyond.phase()), (Kind::Limit, row.phase), "{beyond}");
        let reason = (row.told)(row.most - 1);
        assert!(beyond.to_string().ends_with(&reason), "{beyond}: {reason}");
    }
}

/// A body of ten thousand bytes in about a hundred.
#[test]
fn the_ratio_applies_above_the_threshold() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&[b'x'; 10_000]).unwrap();
    let response = coded("gzip", &encoder.finish().unwrap());
    for (ratio, freely, is_fine) in [(2, 10_000, true), (2, 1000, false), (1000, 0, true)] {
        let mut limits = Limits::default();
        (limits.max_decompression_ratio, limits.decompressed_ratio_threshold) = (ratio, freely);
        let client = Client::builder().limits(limits).build().unwrap();
        let server = Script::serve(vec![answer(&response)]);
        let mut response = client.get(server.url("/")).send().unwrap();
        // In pieces: the limit is checked before more is decoded.
        let mut pieces = [0; 500];
        let mut read = 0;
        let outcome = loop {
            match response.read(&mut pieces) {
                Ok(0) => break Ok(read),
                Ok(count) => read += count,
                Err(error) => break Err(error.to_string()),
            }
        };
        match outcome {
            Ok(read) => assert_eq!((read, is_fine), (10_000, true)),
            Err(error) => {
                assert!(!is_fine && read <= 1500, "{error}: {read}");
                assert!(
                    error
                        .ends_with("grows to more than 2 times its size (max_decompression_ratio)"),
                    "{error}"
                );
            }
        }
    }
}

/// Padding after the data, with room for the windows in which it is counted.
#[test]
fn coded_bytes_without_output_are_limited() {
    for (limit, zeros, is_fine) in
        [(16_000, 16_000, true), (16_000, 19_000, false), (0, 500, false)]
    {
        let mut limits = Limits::default();
        limits.max_coded_bytes_without_output = limit;
        let client = Client::builder().limits(limits).build().unwrap();
        let outcome = fetch(&client, &coded("gzip", &[gzip(b"ok"), vec![0; zeros]].concat()));
        match outcome {
            Ok(body) => assert!(is_fine && body == b"ok", "{zeros}"),
            Err(error) => {
                let reason = format!(
                    "more than {limit} coded bytes decode to (almost) nothing \
                     (max_coded_bytes_without_output)"
                );
                assert!(!is_fine && error.to_string().ends_with(&reason), "{zeros}: {error}");
                assert_eq!(error.kind(), Kind::Limit);
            }
        }
    }
}

/// The rest of a dropped response is drained up to the limit; beyond it the connection is closed.
#[test]
fn draining_is_limited() {
    let rest = "x".repeat(100);
    for (limit, connections) in [(100, 1), (99, 2)] {
        let mut limits = Limits::default();
        limits.max_drain_bytes = limit;
        let client = Client::builder().limits(limits).build().unwrap();
        let (first, second) = (answer(ok(&rest)), answer(ok("second")));
        let server = Script::serve(match connections {
            1 => vec![[first, second].concat()],
            _ => vec![first, second],
        });
        let first = client.get(server.url("/")).send().unwrap();
        drop(first);
        assert_eq!(client.get(server.url("/")).send().unwrap().text().unwrap(), "second");
        assert_eq!(server.accepted(), connections, "{limit}");
    }
}
