//! Bad responses: each is a clear error in one line, and costs no more than its connection.
#![cfg(all(feature = "blocking", feature = "gzip"))]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::io;
use std::time::Duration;

use leanhttp::Limits;
use leanhttp::blocking::{Client, Response};
use leanhttp::error::{Kind, Phase};

use support::script::{Script, Step, answer, ok, send};

/// Sends two requests: the first response fails, and the second one arrives on a fresh connection.
/// `end` is the peer's action after it has sent `answered`; `reason` is the part of the error after
/// the operation and the URL.
#[track_caller]
fn assert_fails(
    client: &Client,
    (answered, end): (impl AsRef<[u8]>, Step),
    (kind, phase): (Kind, Phase),
    reason: &str,
) {
    let first = vec![Step::ExpectRequest, send(answered), end];
    let server = Script::serve(vec![first, answer(ok("next"))]);
    let url = server.url("/");
    let error = client.get(&url).send().and_then(Response::bytes).unwrap_err();
    let activity = match phase {
        Phase::Head => "reading the response head",
        Phase::Body => "reading the response body",
        Phase::Decode => "decoding the response body",
        _ => "following a redirect",
    };
    assert_eq!(error.to_string(), format!("{activity} for {url}: {reason}"));
    assert_eq!((error.kind(), error.phase()), (kind, phase), "{error}");
    assert_eq!(error.url().unwrap().as_str(), url);
    assert_eq!(client.get(&url).send().unwrap().text().unwrap(), "next", "{error}");
    server.join();
}

/// A response with these fields and this body.
fn response(fields: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n");
    [head.as_bytes(), body.as_ref()].concat()
}

fn chunked(body: &str) -> Vec<u8> {
    response("transfer-encoding: chunked", body)
}

/// RFC 9112 §8: an incomplete message is an error, for every framing.
#[test]
fn a_truncated_body_is_an_error() {
    let in_head = "connection closed inside the response head";
    let before_last = "connection closed before the last chunk was complete";
    let heads = ["HTTP/1.", "HTTP/1.1 200 OK\r\nx: y\r\n", "HTTP/1.1 100 Continue\r\n\r\n"];
    let bodies = [
        (
            response("content-length: 9", "abc"),
            "connection closed with 6 bytes of the body missing",
        ),
        (chunked("5\r\nab"), "connection closed with 3 bytes of a chunk missing"),
        (chunked("2\r\nab\r\n"), before_last),
        (chunked("0\r\n"), before_last),
        (chunked("0\r\nx: y\r\n"), before_last),
    ];
    let client = Client::new();
    let reason = "connection closed before a response";
    assert_fails(&client, ("", Step::Close), (Kind::Io, Phase::Head), reason);
    for head in heads {
        assert_fails(&client, (head, Step::Close), (Kind::Truncated, Phase::Head), in_head);
    }
    for (body, reason) in bodies {
        assert_fails(&client, (body, Step::Close), (Kind::Truncated, Phase::Body), reason);
    }
}

/// A reset is not an end: the bytes before it are not a complete body.
#[test]
fn a_reset_is_an_error_for_every_framing() {
    let reset = io::Error::from_raw_os_error(104).to_string();
    let rows = [
        (Vec::new(), Phase::Head),
        (b"HTTP/1.1 200 OK\r\nx:".to_vec(), Phase::Head),
        (response("content-length: 9", "abc"), Phase::Body),
        (chunked("5\r\nab"), Phase::Body),
        (response("x: until the end", "abc"), Phase::Body),
    ];
    for (answered, phase) in rows {
        assert_fails(&Client::new(), (answered, Step::Reset), (Kind::Io, phase), &reset);
    }
}

/// RFC 9112 §4 to §6: data that is not HTTP/1.1 is reported immediately and identified; the peer
/// may be waiting for the client.
#[test]
fn data_that_is_not_http_is_named() {
    let heads: [(&[u8], &str); 11] = [
        (b"SSH-2.0-x\r\n", r#"invalid status line "SSH-2.0-x""#),
        (b"\0\x01", r#"invalid status line "\x00\x01""#),
        (b"<html>", r#"invalid status line "<html>""#),
        (b"HTTP/2.0 200 OK\r\n\r\n", r#"unsupported HTTP version "HTTP/2.0""#),
        (b"HTTP/1.1 099 Low\r\n\r\n", r#"invalid status code "99""#),
        (b"HTTP/1.1 200 OK\r\nX : secret\r\n\r\n", r#"invalid header field "X ""#),
        (b"HTTP/1.1 200 OK\r\ncontent-length: +5\r\n\r\nabcde", r#"invalid Content-Length "+5""#),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
            "Content-Length values differ",
        ),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
            r#"unsupported transfer coding "gzip""#,
        ),
        (
            b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding in an HTTP/1.0 response",
        ),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n",
            "101 Switching Protocols for a protocol that was not offered",
        ),
    ];
    let bodies = [
        (chunked("5;\nabcde\r\n0\r\n\r\n"), r"'\n' in a chunk extension"),
        (chunked("+5\r\nabcde\r\n0\r\n\r\n"), "'+' in a chunk size"),
        (chunked("2\r\nabc\r\n0\r\n\r\n"), "'c' instead of CRLF after a chunk"),
    ];
    let client = Client::new();
    for (head, reason) in heads {
        assert_fails(&client, (head, Step::Silent), (Kind::Protocol, Phase::Head), reason);
    }
    for (body, reason) in bodies {
        assert_fails(&client, (body, Step::Silent), (Kind::Protocol, Phase::Body), reason);
    }
}

/// RFC 1952: gzip has an end of its own, and the end of the framing does not replace it.
#[test]
fn data_that_is_not_gzip_is_an_error() {
    const EMPTY: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x03\0\0\0\0\0\0\0\0\0";
    let wrong = [&EMPTY[..12], &[1], &EMPTY[13..]].concat();
    let rows: [(&[u8], &str); 5] = [
        (&EMPTY[..10], "the gzip data ends too early"),
        (&EMPTY[..19], "the gzip data ends too early"),
        (b"plain", "invalid gzip data: it does not begin with a gzip header"),
        (&wrong, "invalid gzip data: its checksum is wrong"),
        (&[EMPTY, b"x"].concat(), "invalid gzip data: unexpected data after its end"),
    ];
    // The message is complete, so its connection could serve the next request.
    let client = Client::builder().pool_max_idle(0).build().unwrap();
    for (body, reason) in rows {
        let fields = format!("content-encoding: gzip\r\ncontent-length: {}", body.len());
        let answered = response(&fields, body);
        assert_fails(&client, (answered, Step::Silent), (Kind::Decode, Phase::Decode), reason);
    }
}

#[test]
fn a_response_beyond_a_limit_is_an_error() {
    let mut limits = Limits::default();
    limits.max_head_bytes = 1000;
    let client = Client::builder().limits(limits).http1_max_headers(5).body_limit(10);
    let client = client.build().unwrap();
    let too_large = "response head larger than 1000 bytes (max_head_bytes)";
    let interim = "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n".repeat(17);
    let heads = [
        (response(&format!("x: {}", "a".repeat(1000)), ""), too_large),
        (format!("HTTP/1.1 200 OK\r\nx: {}", "a".repeat(2000)).into_bytes(), too_large),
        (response(&["a: b"; 6].join("\r\n"), ""), "more than 5 header fields (max_headers)"),
        (
            interim.into_bytes(),
            "more than 16 interim (1xx) responses (max_informational_responses)",
        ),
    ];
    for (head, reason) in heads {
        assert_fails(&client, (head, Step::Silent), (Kind::Limit, Phase::Head), reason);
    }
    let bodies = [
        response("content-length: 11", "abcdefghijk"),
        chunked("b\r\nabcdefghijk\r\n0\r\n\r\n"),
        response("x: until the end", "abcdefghijk"),
    ];
    for body in bodies {
        let reason = "the body is larger than 10 bytes (body_limit); a body that is read in pieces has no limit";
        assert_fails(&client, (body, Step::Close), (Kind::Limit, Phase::Body), reason);
    }
}

/// Very large limits do no harm: memory follows the bytes that arrive, not the limit.
#[test]
fn very_large_limits_allocate_nothing() {
    let many = |count: usize| {
        let lines: String = (0..count).map(|i| format!("x-{i}: y\r\n")).collect();
        response(&format!("{lines}content-length: 2"), "ok")
    };
    let mut limits = Limits::default();
    limits.max_head_bytes = usize::MAX;
    limits.max_line_bytes = usize::MAX;
    limits.max_trailers = usize::MAX;
    let client = Client::builder()
        .limits(limits)
        .http1_max_headers(usize::MAX)
        .body_limit(u64::MAX)
        .pool_max_idle(usize::MAX)
        .pool_max_idle_per_host(usize::MAX)
        .pool_idle_timeout(Duration::MAX)
        .timeout(Duration::MAX)
        .connect_timeout(Duration::MAX)
        .read_timeout(Duration::MAX)
        .write_timeout(Duration::MAX)
        .build()
        .unwrap();
    let server = Script::serve(vec![answer(many(1000))]);
    let response = client.get(server.url("/")).send().unwrap();
    assert_eq!(response.headers().len(), 1001);
    assert_eq!(response.text().unwrap(), "ok");
    let told = (Kind::Limit, Phase::Head);
    assert_fails(
        &client,
        (many(40_000), Step::Silent),
        told,
        "more than 16384 header fields (max_headers)",
    );
}

/// Fields that devices send although no grammar allows them: refused unless the client is
/// configured to accept them.
mod lenience {
    use leanhttp::blocking::ClientBuilder;

    use super::*;

    type Switch = fn(ClientBuilder) -> ClientBuilder;

    const INVALID: Switch = |client| client.http1_ignore_invalid_headers_in_responses(true);
    const SPACES: Switch = |client| client.http1_allow_spaces_after_header_name_in_responses(true);
    const FOLDS: Switch = |client| client.http1_allow_obsolete_multiline_headers_in_responses(true);
    const ALL: Switch = |client| FOLDS(SPACES(INVALID(client)));

    /// The fields of the response with that client.
    fn read(switch: Switch, fields: &str) -> Result<Vec<String>, String> {
        let head = format!("HTTP/1.1 200 OK\r\n{fields}content-length: 4\r\nx-last: 1\r\n\r\nbody");
        let server = Script::serve(vec![vec![Step::ExpectRequest, send(head)]]);
        let client = switch(Client::builder()).build().unwrap();
        let response = client.get(server.url("/")).send().map_err(|error| {
            assert_eq!((error.kind(), error.phase()), (Kind::Protocol, Phase::Head), "{error}");
            error.to_string()
        })?;
        let shown =
            |(name, value): (&leanhttp::header::HeaderName, &leanhttp::header::HeaderValue)| {
                format!("{name}: {}", value.as_bytes().escape_ascii())
            };
        let fields = response.headers().iter().map(shown).collect();
        assert_eq!(response.text().unwrap(), "body");
        Ok(fields)
    }

    #[test]
    fn each_switch_accepts_its_own_kind_of_field() {
        let rows: [(&str, [Option<&[&str]>; 4]); 12] = [
            // Each field line as sent, and the result with INVALID, SPACES, FOLDS and ALL.
            ("a: b\r\n", [Some(&["a: b"]); 4]),
            ("no colon\r\n", [Some(&[]), None, None, Some(&[])]),
            ("a b: c\r\n", [Some(&[]), None, None, Some(&[])]),
            ("a\u{e9}: c\r\n", [Some(&[]), None, None, Some(&[])]),
            ("a: b\0c\r\n", [None; 4]), // never an honest mistake
            ("a: b\x1bc\r\nd: e\r\n", [Some(&["d: e"]), None, None, Some(&["d: e"])]),
            (": a\r\n", [Some(&[]), None, None, Some(&[])]),
            ("a : b\r\n", [Some(&[]), Some(&["a: b"]), None, Some(&["a: b"])]),
            ("a\t : b\r\n", [Some(&[]), Some(&["a: b"]), None, Some(&["a: b"])]),
            ("a: b\r\n c\r\n", [Some(&["a: b"]), None, Some(&["a: b   c"]), Some(&["a: b   c"])]),
            (
                "a: b\r\n\tc\r\n \td\r\n",
                [Some(&["a: b"]), None, Some(&["a: b  \\tc   \\td"]), Some(&["a: b  \\tc   \\td"])],
            ),
            ("a:\r\n b\r\n", [Some(&["a: "]), None, Some(&["a: b"]), Some(&["a: b"])]),
        ];
        for (fields, expected) in rows {
            let is_sound = fields == "a: b\r\n";
            assert_eq!(read(|client| client, fields).is_ok(), is_sound, "{fields:?}");
            for (switch, expected) in [INVALID, SPACES, FOLDS, ALL].into_iter().zip(expected) {
                let end = ["content-length: 4".to_owned(), "x-last: 1".to_owned()];
                let expected = expected.map(|fields| {
                    let fields = fields.iter().map(|field| (*field).to_owned());
                    let mut fields: Vec<_> = fields.chain(end.clone()).collect();
                    fields.sort();
                    fields
                });
                let mut read = read(switch, fields).ok();
                read.iter_mut().for_each(|fields| fields.sort());
                assert_eq!(read, expected, "{fields:?}");
            }
        }
    }

    /// No lenient setting may move the end of a message: fields that look like framing are refused
    /// whatever else is allowed.
    #[test]
    fn framing_stays_strict() {
        let rows = [
            "Content-Length : 4\r\n",
            "Content-Length\t: 4\r\n",
            "Transfer-Encoding : chunked\r\n",
            "Transfer-Encoding\0: chunked\r\n",
            "Transfer Encoding: chunked\r\n",
            "Transfer\u{ad}-Encoding: chunked\r\n",
            "\u{1}Transfer-Encoding: chunked\r\n",
            "Transfer-Encoding chunked\r\n",
            "Content-Length 5\r\n",
            "x Content-Length: 5\r\n",
            "Content-Length: 4\0\r\n",
            "Transfer-Encoding: chun\x0bked\r\n",
            "Transfer-Encoding: chunked\x7f\r\n",
            "Content-Length:\r\n 5\r\n",
            "Content-Length: 4\r\n 5\r\n",
            "Transfer-Encoding:\r\n chunked\r\n",
            "Transfer-Encoding: gzip,\r\n chunked\r\n",
            "a: b\r\n Content-Length: 5\r\n",
            "a: b\r\n\tTransfer-Encoding: chunked\r\n",
            "a: b\r\n c\r\n Transfer-Encoding : chunked\r\n",
            "a: b\rTransfer-Encoding: chunked\r\n",
            "a\0: b\rContent-Length: 5\r\n",
            "CONTENT-LENGTH : 4\r\n",
        ];
        for fields in rows {
            for switch in [INVALID, SPACES, FOLDS, ALL] {
                assert!(read(switch, fields).is_err(), "{fields:?}");
            }
        }
    }

    /// Off by default, and can be switched off again; other limits do not change them.
    #[test]
    fn the_switches_are_off_by_default() {
        let off: Switch = |client| {
            ALL(client)
                .http1_ignore_invalid_headers_in_responses(false)
                .http1_allow_spaces_after_header_name_in_responses(false)
                .http1_allow_obsolete_multiline_headers_in_responses(false)
        };
        for fields in ["no colon\r\n", "a : b\r\n", "a: b\r\n c\r\n"] {
            assert!(read(|client| client, fields).is_err());
            assert!(read(off, fields).is_err());
            assert!(read(|client| ALL(client).limits(Limits::default()), fields).is_ok());
        }
    }
}
