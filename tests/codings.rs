//! Brotli and zstd over HTTP: requested, decoded alone and in chains, and switched off.
#![cfg(all(feature = "blocking", feature = "gzip", feature = "brotli", feature = "zstd"))]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use leanhttp::error::Kind;
use leanhttp::{Client, ClientBuilder, header};

use support::script::{Script, answer};

type Set = fn(ClientBuilder) -> ClientBuilder;

const TEXT: &str = "hello hello hello, hello hello";

const BR: &[u8] = b"\x1b\x1d\0\xf8\x8d\xd4\x4e\xf9\xc3\x50\x54\x65\
    \x68\xcd\x06\xc2\xf2\xb6\x68\x80\x27\x0e\x68\x3c\x57\x1c";

const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd\x04\x68\x7d\0\0\
    \x38\x68\x65\x6c\x6c\x6f\x20\x2c\x02\0\x30\xb9\x88\x51\x8a\xdd\xd7\xeb\x46";

/// [`BR`] in a zstd frame of one raw block.
fn br_in_zstd() -> Vec<u8> {
    let header = u32::try_from(BR.len()).unwrap() << 3 | 1;
    [b"\x28\xb5\x2f\xfd\0\x58", &header.to_le_bytes()[..3], BR].concat()
}

fn coded(codings: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: {codings}\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

#[test]
fn bodies_are_decoded() {
    let nested = br_in_zstd();
    let client = Client::new();
    for (codings, body) in [("br", BR), ("zstd", ZSTD), ("ZSTD", ZSTD), ("br, zstd", &nested)] {
        let server = Script::serve(vec![answer(coded(codings, body))]);
        let response = client.get(server.url("/")).send().unwrap();
        assert!(!response.headers().contains_key(header::CONTENT_ENCODING), "{codings}");
        assert!(!response.headers().contains_key(header::CONTENT_LENGTH), "{codings}");
        assert_eq!(response.text().unwrap(), TEXT, "{codings}");
        let expected =
            ["accept-encoding: zstd, br, gzip, deflate\r\n", "accept-encoding: zstd, br, gzip\r\n"];
        let asked = usize::from(!cfg!(feature = "deflate"));
        assert!(server.received_text(0).contains(expected[asked]), "{}", server.received_text(0));
    }
}

/// Truncated, damaged, in the wrong order, and with trailing data.
#[test]
fn damaged_codings_are_errors() {
    let cases: [(&str, &[u8], &str); 7] = [
        ("br", &BR[..20], "the br data ends too early"),
        ("zstd", &ZSTD[..20], "the zstd data ends too early"),
        ("zstd", b"plain", "invalid zstd data: it does not begin with a zstd header"),
        ("zstd, br", &br_in_zstd(), "invalid br data: malformed"),
        ("br", &[BR, b"x"].concat(), "invalid br data: unexpected data after its end"),
        ("zstd", &[ZSTD, b"more"].concat(), "invalid zstd data: unexpected data after its end"),
        (
            "zstd",
            b"\x28\xb5\x2f\xfd\0\x69\x01\0\0",
            "invalid zstd data: its window is larger than 8 MiB",
        ),
    ];
    for (codings, body, reason) in cases {
        let server = Script::serve(vec![answer(coded(codings, body))]);
        let error = Client::new().get(server.url("/")).send().unwrap().bytes().unwrap_err();
        assert_eq!(error.kind(), Kind::Decode, "{codings}: {error}");
        assert!(error.to_string().ends_with(reason), "{error}");
    }
}

#[test]
fn a_disabled_coding_is_neither_requested_nor_decoded() {
    let builders: [(Set, &str, &[u8]); 4] = [
        (|client| client.no_brotli(), "br", BR),
        (|client| client.brotli(false), "br", BR),
        (|client| client.no_zstd(), "zstd", ZSTD),
        (|client| client.zstd(false), "zstd", ZSTD),
    ];
    for (set, name, body) in builders {
        let client = set(Client::builder().pool_max_idle(0)).build().unwrap();
        let server = Script::serve(vec![answer(coded(name, body)), answer(coded(name, body))]);
        let response = client.get(server.url("/")).send().unwrap();
        assert_eq!(response.headers().get(header::CONTENT_ENCODING).unwrap(), name);
        assert_eq!(response.bytes().unwrap(), body);
        assert!(!server.received_text(0).contains(name));
        // A request can override the setting.
        let response = client.get(server.url("/")).brotli(true).zstd(true).send().unwrap();
        assert_eq!(response.text().unwrap(), TEXT);
    }
}
