//! Responses on the wire: how the client parses them. Requests are in `tests/wire.rs`.
#![cfg(all(feature = "blocking", feature = "tls", feature = "gzip"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use leanhttp::blocking::{Client, ClientBuilder, RequestBuilder, Response};
use leanhttp::error::Kind;
use leanhttp::{Certificate, Version};

use support::pki::{Leaf, Pki};
use support::script::{Script, Step, answer, ok, send_split};

/// The same response in one piece, byte by byte and in pieces of three bytes, plain and under TLS.
fn each_way(response: &[u8], end: &[Step], check: &dyn Fn(leanhttp::Result<Response>)) {
    let pki = Pki::new();
    let root = Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
    let client = Client::builder().tls_certs_only([root]).build().unwrap();
    for size in [response.len().max(1), 1, 3] {
        for is_tls in [false, true] {
            let steps = [&[Step::ExpectRequest, send_split(response, size)], end].concat();
            let server = match is_tls {
                true => Script::serve_tls(vec![steps], pki.server_config(Leaf::Good)),
                false => Script::serve(vec![steps]),
            };
            check(client.get(server.url("/")).header("connection", "close").send());
        }
    }
}

fn text(response: leanhttp::Result<Response>) -> String {
    response.unwrap().text().unwrap()
}

/// RFC 9112 §6.3: the end of a response body.
mod responses {
    use super::*;

    #[test]
    fn end_where_their_framing_says() {
        let rows = [
            ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", Some(5), "hello"),
            ("HTTP/1.1 200 OK\r\ncontent-length: 5, 5\r\n\r\nhello", Some(5), "hello"),
            ("HTTP/1.1 200 OK\ncontent-length: 5\n\nhello", Some(5), "hello"),
            ("\r\n\nHTTP/1.1 200\r\nContent-Length:5\r\n\r\nhello", Some(5), "hello"),
            ("HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello", Some(5), "hello"),
            ("HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n", Some(0), ""),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
                 5\r\nhello\r\n00A ; ext=\"a;b\"\r\n, chunked!\r\n0\r\n\r\n",
                None,
                "hello, chunked!",
            ),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nTransfer-Encoding: Chunked\r\n\r\n\
                 5\r\nhello\r\n0\r\n\r\n",
                None,
                "hello",
            ),
            ("HTTP/1.1 204 No\r\ncontent-length: 5\r\n\r\n", Some(5), ""),
            ("HTTP/1.1 304 No\r\ncontent-length: 5\r\n\r\n", Some(5), ""),
            ("HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 204 No\r\n\r\n", None, ""),
        ];
        for (response, length, body) in rows {
            each_way(response.as_bytes(), &[], &|outcome| {
                let outcome = outcome.unwrap();
                assert_eq!(outcome.content_length(), length, "{response:?}");
                assert_eq!(text(Ok(outcome)), body, "{response:?}");
            });
        }
    }

    /// RFC 9112 §9.8: under TLS the end of the connection delimits a body only with `close_notify`.
    #[test]
    fn may_end_with_the_connection() {
        let response = b"HTTP/1.1 200 OK\r\n\r\nall of it";
        each_way(response, &[Step::Close], &|outcome| assert_eq!(text(outcome), "all of it"));
        each_way(response, &[Step::Cut], &|outcome| {
            let response = outcome.unwrap();
            let is_tls = response.url().scheme() == "https";
            match response.text() {
                Ok(text) => assert_eq!((is_tls, text.as_str()), (false, "all of it")),
                Err(error) => {
                    assert_eq!((is_tls, error.kind()), (true, Kind::Truncated));
                    let reason = "TLS connection cut without close_notify";
                    assert!(error.to_string().ends_with(reason), "{error}");
                }
            }
        });
    }

    /// A body of known length needs no `close_notify`.
    #[test]
    fn of_known_length_need_no_close_notify() {
        each_way(&ok("all of it"), &[Step::Cut], &|outcome| {
            assert_eq!(text(outcome), "all of it");
        });
    }

    /// RFC 9110 §9.3.2, §15.3.5 and §15.4.5: fields that describe a body which is not sent.
    #[test]
    fn have_no_body_after_head_204_and_304() {
        for fields in ["content-length: 10", "transfer-encoding: chunked", "content-encoding: gzip"]
        {
            let head = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n");
            let server = Script::serve(vec![[answer(&head), answer(ok("next"))].concat()]);
            let client = Client::new();
            let response = client.head(server.url("/")).send().unwrap();
            let (name, value) = fields.split_once(": ").unwrap();
            assert_eq!(response.headers()[name], value);
            let length = (name == "content-length").then_some(10);
            assert_eq!(response.content_length(), length);
            assert_eq!(response.bytes().unwrap(), "");
            assert_eq!(text(client.get(server.url("/")).send()), "next");
        }
    }

    /// RFC 9110 §15.2: several interim responses, none of which is the final one.
    #[test]
    fn follow_interim_responses() {
        let hints = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\ncontent-length: 9\r\n\
                     transfer-encoding: chunked\r\nset-cookie: a=b\r\n\r\n";
        let interim = ["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 199 Odd\r\nx: y\r\n\r\n", hints];
        let response = [interim.concat().as_bytes(), &ok("the answer")].concat();
        each_way(&response, &[], &|outcome| {
            let response = outcome.unwrap();
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers().len(), 1, "{:?}", response.headers());
            assert!(response.raw_head().starts_with(b"HTTP/1.1 200"));
            assert_eq!(text(Ok(response)), "the answer");
        });
    }

    /// RFC 9110 §6.5: trailers follow the body, and are not merged into the head.
    #[test]
    fn have_trailers_after_the_body() {
        let response = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx: head\r\n\r\n\
                        5;a=b\r\nhello\r\n0;c\r\nx: trailer\r\nY: 1\r\ny: 2\r\n\r\n";
        each_way(response.as_bytes(), &[], &|outcome| {
            let mut response = outcome.unwrap();
            assert!(response.trailers().is_none());
            let mut body = Vec::new();
            response.copy_to(&mut body).unwrap();
            assert_eq!(body, b"hello");
            let trailers = response.trailers().unwrap();
            assert_eq!(trailers["x"], "trailer");
            assert_eq!(trailers.get_all("y").iter().collect::<Vec<_>>(), ["1", "2"]);
            assert_eq!(response.headers()["x"], "head");
            assert_eq!(response.headers().get("y"), None);
        });
    }

    /// Order, case and bytes of the head are preserved; names compare in any case.
    #[test]
    fn keep_the_head_as_received() {
        let head = b"HTTP/1.1 299 Fine \xfc\r\nX-B: 1\r\nx-a:\t2 \r\nX-b: \xff\r\n\
                     Content-Length: 0\r\n\r\n";
        each_way(head, &[], &|outcome| {
            let response = outcome.unwrap();
            assert_eq!(response.raw_head(), &head[..]);
            assert_eq!((response.status().as_u16(), response.version()), (299, Version::HTTP_11));
            assert_eq!(response.headers()["X-A"], "2");
            let values: Vec<_> = response.headers().get_all("x-B").iter().collect();
            assert_eq!(values[0], "1");
            assert_eq!(values[1].as_bytes(), b"\xff");
        });
    }
}

/// RFC 9110 §8.4 and RFC 1952.
mod codings {
    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn coded(fields: &str, body: &[u8]) -> Vec<u8> {
        let length = body.len();
        let head = format!("HTTP/1.1 200 OK\r\n{fields}\r\ncontent-length: {length}\r\n\r\n");
        [head.as_bytes(), body].concat()
    }

    #[test]
    fn are_decoded() {
        let text_of = |count: usize| -> Vec<u8> { (0..count).map(|i| (i / 7) as u8).collect() };
        let large = text_of(300_000);
        let members = [gzip(b"one, "), gzip(b""), gzip(b"two"), vec![0; 5]].concat();
        let chunked = {
            let body = gzip(b"in chunks");
            let mut response = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\
                transfer-encoding: chunked\r\n\r\n"
                .to_vec();
            for piece in body.chunks(5) {
                response.extend(format!("{:x}\r\n", piece.len()).bytes());
                response.extend([piece, b"\r\n"].concat());
            }
            response.extend(b"0\r\n\r\n");
            response
        };
        let rows: [(Vec<u8>, &[u8]); 7] = [
            (coded("content-encoding: gzip", &gzip(b"hello")), b"hello"),
            (coded("Content-Encoding: X-GZip", &gzip(b"hello")), b"hello"),
            (coded("content-encoding: gzip, identity", &gzip(b"hello")), b"hello"),
            (
                coded("content-encoding: gzip\r\ncontent-encoding: gzip", &gzip(&gzip(b"twice"))),
                b"twice",
            ),
            (coded("content-encoding: gzip", &members), b"one, two"),
            (coded("content-encoding: gzip", &gzip(&large)), &large),
            (chunked, b"in chunks"),
        ];
        for (response, body) in rows {
            each_way(&response, &[], &|outcome| {
                let response = outcome.unwrap();
                assert_eq!(response.content_length(), None);
                assert_eq!(response.headers().get("content-encoding"), None);
                assert_eq!(response.headers().get("content-length"), None);
                let raw = String::from_utf8_lossy(response.raw_head()).to_lowercase();
                assert!(raw.contains("content-encoding"));
                assert_eq!(response.bytes().unwrap(), body);
            });
        }
    }

    /// A body that is not decoded keeps its fields and arrives unchanged.
    #[test]
    fn that_are_not_decoded_keep_their_fields() {
        type Build = fn(ClientBuilder) -> ClientBuilder;
        type Ask = fn(RequestBuilder) -> RequestBuilder;
        let (off, on): (Build, Build) = (|client| client.gzip(false), |client| client);
        let (whole, part): (Ask, Ask) = (|ask| ask, |ask| ask.header("range", "bytes=3-40"));
        let body = gzip(b"hello");
        let plain = coded("content-encoding: gzip", &body);
        let other = coded("content-encoding: gzip, other", &body);
        // RFC 9110 §15.3.7: a range of an encoded body cannot be decoded.
        let cut = coded("content-encoding: gzip", &body[3..]);
        let cut = [b"HTTP/1.1 206 Part", &cut["HTTP/1.1 200 OK".len()..]].concat();
        let rows: [(Build, Ask, &[u8], &[u8]); 4] = [
            (off, whole, &plain, &body),
            (on, |ask| ask.gzip(false), &plain, &body),
            (on, whole, &other, &body),
            (on, part, &cut, &body[3..]),
        ];
        for (build, ask, response, expected) in rows {
            let server = Script::serve(vec![answer(response)]);
            let client = build(Client::builder()).build().unwrap();
            let response = ask(client.get(server.url("/"))).send().unwrap();
            assert!(response.headers().contains_key("content-encoding"));
            assert_eq!(response.content_length(), Some(expected.len() as u64));
            assert_eq!(response.bytes().unwrap(), expected);
        }
    }

    /// The body was complete by its framing, but the coding inside was not: still an error.
    #[test]
    fn that_are_truncated_are_errors() {
        let body = gzip(b"hello, hello, hello");
        for end in 1..body.len() {
            let server = Script::serve(vec![answer(coded("content-encoding: gzip", &body[..end]))]);
            let mut response = Client::new().get(server.url("/")).send().unwrap();
            let mut read = Vec::new();
            let error = response.read_to_end(&mut read).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{end}: {error}");
            assert!(error.to_string().ends_with("the gzip data ends too early"), "{error}");
            assert!(b"hello, hello, hello".starts_with(&read[..]));
        }
    }
}
