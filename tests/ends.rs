//! The end of a call: the error of a lost connection, the response that an error keeps, and bodies
//! that can be sent again.
#![cfg(all(feature = "blocking", feature = "tls", feature = "gzip", feature = "multipart"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::fs::File;
use std::io::{self, Read, Write};

use leanhttp::blocking::{Body, Client, Response};
use leanhttp::error::Kind;
use leanhttp::header::{HeaderMap, HeaderValue};
use leanhttp::multipart::{Form, Part};
use leanhttp::redirect::Policy;
use leanhttp::{Error, Proxy};

use support::pki::{Leaf, Pki};
use support::script::{Script, Step, answer, ok, send};

/// Every lost connection has an `io::Error` among its sources, of a kind that programs take for transient.
mod losses {
    use super::*;

    fn io_kind(error: &Error) -> Option<io::ErrorKind> {
        let mut source = std::error::Error::source(error);
        while let Some(error) = source {
            if let Some(error) = error.downcast_ref::<io::Error>() {
                return Some(error.kind());
            }
            source = error.source();
        }
        None
    }

    fn get(connection: Vec<Step>) -> Error {
        let server = Script::serve(vec![connection]);
        Client::new().get(server.url("/")).send().and_then(Response::bytes).unwrap_err()
    }

    fn cut_off(answered: &str, end: Step) -> Error {
        get(vec![Step::ExpectRequest, send(answered), end])
    }

    fn over_tls(connection: Vec<Step>) -> Error {
        let server = Script::serve_tls(vec![connection], Pki::new().server_config(Leaf::Good));
        let client = Client::builder().danger_accept_invalid_certs(true).build().unwrap();
        client.get(server.url("/")).send().and_then(Response::bytes).unwrap_err()
    }

    fn by_proxy(scheme: &str, url: &str, connection: Vec<Step>) -> Error {
        let server = Script::serve(vec![connection]);
        let proxy = Proxy::all(format!("{scheme}://{}", server.addr())).unwrap();
        let client = Client::builder().proxy(proxy).build().unwrap();
        client.get(url).send().unwrap_err()
    }

    #[test]
    fn have_an_io_error_among_their_sources() {
        use io::ErrorKind::{ConnectionReset, UnexpectedEof};
        let sized = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nx";
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nx";
        let between = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n";
        let endless = "HTTP/1.1 200 OK\r\n\r\nx";
        let socks = || vec![Step::Expect(vec![5, 1, 0]), send([5]), Step::Close];
        let rows = [
            ("closed before a response", get(vec![Step::ExpectRequest, Step::Close]), Kind::Io),
            ("closed in the head", cut_off("HTTP/1.1 200", Step::Close), Kind::Truncated),
            (
                "closed behind an interim one",
                { cut_off("HTTP/1.1 103 Early\r\n\r\n", Step::Close) },
                Kind::Truncated,
            ),
            ("closed in a body of known length", cut_off(sized, Step::Close), Kind::Truncated),
            ("closed in a chunk", cut_off(chunked, Step::Close), Kind::Truncated),
            ("closed between chunks", cut_off(between, Step::Close), Kind::Truncated),
            (
                "TLS ended before a response",
                over_tls(vec![Step::ExpectRequest, Step::Close]),
                Kind::Io,
            ),
            ("TLS cut before a response", over_tls(vec![Step::ExpectRequest, Step::Cut]), Kind::Io),
            (
                "TLS cut in a body",
                { over_tls(vec![Step::ExpectRequest, send(endless), Step::Cut]) },
                Kind::Truncated,
            ),
            (
                "closed in the handshake",
                {
                    let server = Script::serve(vec![vec![Step::Close]]);
                    let url = format!("https://{}/", server.addr());
                    Client::new().get(url).send().unwrap_err()
                },
                Kind::Tls,
            ),
            (
                "a proxy closed before it answered",
                { by_proxy("http", "https://h.test/", vec![Step::ExpectHead, Step::Close]) },
                Kind::Io,
            ),
            (
                "a proxy closed in its answer",
                {
                    let cut = vec![Step::ExpectHead, send("HTTP/1.1 2"), Step::Close];
                    by_proxy("http", "https://h.test/", cut)
                },
                Kind::Truncated,
            ),
            ("a SOCKS proxy closed", by_proxy("socks5h", "http://h.test/", socks()), Kind::Proxy),
        ];
        for (what, error, kind) in rows {
            assert_eq!(
                (io_kind(&error), error.kind()),
                (Some(UnexpectedEof), kind),
                "{what}: {error}"
            );
        }
        let reset = get(vec![Step::ExpectRequest, Step::Reset]);
        assert_eq!(io_kind(&reset), Some(ConnectionReset), "{reset}");
    }

    /// A protocol violation of a peer is not transient.
    #[test]
    fn exclude_protocol_errors() {
        let rows = [
            cut_off("SSH-2.0-x\r\n", Step::Silent),
            cut_off("HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", Step::Silent),
            cut_off("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nz", Step::Silent),
        ];
        for error in rows {
            assert_eq!(io_kind(&error), None, "{error}");
        }
    }
}

/// A redirect that is not followed is a response like any other: the error has its status, its
/// fields and its body.
mod refused_redirects {
    use super::*;

    fn answered(status: u16, location: &str) -> String {
        format!(
            "HTTP/1.1 {status} Moved\r\nlocation: {location}\r\nx-why: b\r\ncontent-length: 4\r\n\r\nbody"
        )
    }

    #[test]
    fn have_the_response_in_the_error() {
        let reader = || Some(Body::new(io::Cursor::new("data")));
        let stop = || Policy::custom(|attempt| attempt.error("not there"));
        let default = Policy::default;
        let bad = "http://[::1/";
        let twice = "/a\r\nlocation: /b";
        let rows: [(&str, u16, &str, Option<Body>, Policy); 9] = [
            ("an unreplayable body", 307, "/next", reader(), default()),
            ("an unreplayable body", 308, "/next", reader(), default()),
            ("a bad Location", 302, bad, None, default()),
            ("two Locations", 302, twice, None, default()),
            ("another scheme", 301, "ftp://h.test/", None, default()),
            ("userinfo", 302, "http://u:p@h.test/", None, default()),
            ("too many", 302, "/next", None, Policy::limited(0)),
            ("the caller's policy", 303, "/next", None, stop()),
            ("https only", 302, "http://h.test/", None, default()),
        ];
        for (what, status, location, body, policy) in rows {
            let tls = what == "https only";
            let turns = vec![[answer(answered(status, location)), answer(ok("next"))].concat()];
            let server = match tls {
                true => Script::serve_tls(turns, Pki::new().server_config(Leaf::Good)),
                false => Script::serve(turns),
            };
            let builder = Client::builder().redirect(policy).https_only(tls);
            let client = builder.danger_accept_invalid_certs(true).build().unwrap();
            let post = client.post(server.url("/first"));
            let post = match body {
                Some(body) => post.body(body),
                None => post,
            };
            let error = post.send().unwrap_err();
            assert!(error.is_redirect() && !error.is_status(), "{what}: {error}");
            assert_eq!(error.status().map(|status| status.as_u16()), Some(status), "{what}");
            assert!(!format!("{error:?}").contains("u:p"), "{what}");
            let response = Response::try_from(error).unwrap();
            assert_eq!(response.status().as_u16(), status, "{what}");
            assert_eq!(response.headers()["x-why"], "b", "{what}");
            assert_eq!(response.url().path(), "/first", "{what}");
            assert!(response.timings().is_some(), "{what}");
            assert_eq!(response.text().unwrap(), "body", "{what}");
            // Its body was read, so the connection is reusable.
            assert_eq!(
                client.get(server.url("/")).send().unwrap().text().unwrap(),
                "next",
                "{what}"
            );
            assert_eq!(server.accepted(), 1, "{what}");
        }
    }

    /// Dropping the error releases the connection, as dropping a response does.
    #[test]
    fn release_their_connection_on_drop() {
        let turns = vec![[answer(answered(302, "ftp://h/")), answer(ok("next"))].concat()];
        let server = Script::serve(turns);
        let client = Client::new();
        drop(client.get(server.url("/")).send().unwrap_err());
        assert_eq!(client.get(server.url("/")).send().unwrap().text().unwrap(), "next");
        assert_eq!(server.accepted(), 1);
    }
}

/// The error shows the server's reason phrase where it differs from the standard one.
#[test]
fn status_errors_show_the_reason() {
    let long = "x".repeat(200);
    let rows: [(&str, &str); 9] = [
        ("404 Not Found", "404 Not Found"),
        ("404", "404 Not Found"),
        ("404 ", "404 Not Found"),
        ("404 No such user", "404 Not Found (\"No such user\")"),
        ("503 Try in 5 minutes", "503 Service Unavailable (\"Try in 5 minutes\")"),
        ("599 Odd", "599 (\"Odd\")"),
        ("599", "599"),
        ("400 \u{e4}\u{202e}\t\"x", "400 Bad Request (\"\\xc3\\xa4\\xe2\\x80\\xae\\t\\\"x\")"),
        (&format!("500 {long}"), &format!("500 Internal Server Error (\"{}\"…)", "x".repeat(64))),
    ];
    for (status, shown) in rows {
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        let server = Script::serve(vec![answer(head)]);
        let response = Client::new().get(server.url("/")).send().unwrap();
        let line = format!("{shown} for {}", server.url("/"));
        assert_eq!(response.error_for_status_ref().unwrap_err().to_string(), line);
        assert_eq!(response.error_for_status().unwrap_err().to_string(), line);
    }
}

/// The length follows the fields that the caller sees.
#[test]
fn content_length_follows_the_fields() {
    type Change = fn(&mut HeaderMap);
    let rows: [(&str, Change, Option<u64>); 7] = [
        ("content-length: 3", |_| {}, Some(3)),
        ("content-length: 3", |fields| drop(fields.remove("content-length")), None),
        ("content-length: 3", |fields| fields.clear(), None),
        (
            "content-length: 3",
            |fields| {
                fields.insert("content-length", HeaderValue::from_static("7"));
            },
            Some(7),
        ),
        (
            "content-length: 3",
            |fields| {
                fields.insert("transfer-encoding", HeaderValue::from_static("chunked"));
            },
            None,
        ),
        (
            "connection: close",
            |fields| {
                fields.insert("content-length", HeaderValue::from_static("3"));
            },
            Some(3),
        ),
        (
            "content-length: 3",
            |fields| {
                fields.insert("content-length", HeaderValue::from_static("x"));
            },
            None,
        ),
    ];
    for (line, change, length) in rows {
        let head = format!("HTTP/1.1 200 OK\r\n{line}\r\n\r\nabc");
        let server = Script::serve(vec![vec![Step::ExpectRequest, send(head), Step::Close]]);
        let mut response = Client::new().get(server.url("/")).send().unwrap();
        change(response.headers_mut());
        assert_eq!(response.content_length(), length, "{line}");
        assert_eq!(response.text().unwrap(), "abc"); // how it is read was settled before
    }
}

/// A file that is deleted at the end of the test.
struct Temporary(std::path::PathBuf);

impl Temporary {
    fn new(content: &[u8]) -> Self {
        static NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name =
            format!("leanhttp-ends-{}-{number}-{}", std::process::id(), module_path!().len());
        let path = std::env::temp_dir().join(name);
        File::create(&path).unwrap().write_all(content).unwrap();
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A seekable body is sent again from the position where it stood.
mod sent_again {
    use super::*;

    /// More than the socket buffers of both sides hold.
    const LARGE: usize = 3 << 20;

    fn large() -> Vec<u8> {
        (0..LARGE).map(|at| b'a' + (at % 23) as u8).collect()
    }

    fn body_of(received: &[u8]) -> Vec<u8> {
        let end = received.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
        received[end..].to_vec()
    }

    /// The two requests on the connections of these numbers.
    fn assert_same(server: &Script, numbers: [usize; 2], content: &[u8]) {
        let [one, two] = numbers.map(|number| body_of(&server.received(number)));
        let is_in = |body: &[u8]| {
            body == content || body.windows(content.len()).any(|part| part == content)
        };
        assert!(is_in(&two), "{} bytes", two.len());
        assert!(one.len() == two.len() || one.len() < two.len(), "{} {}", one.len(), two.len());
    }

    #[test]
    fn a_file_after_a_redirect() {
        let file = Temporary::new(&large());
        for status in [307, 308] {
            let moved = format!(
                "HTTP/1.1 {status} Moved\r\nlocation: /next\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            let server = Script::serve(vec![answer(moved), answer(ok("done"))]);
            let client = Client::new();
            let response =
                client.put(server.url("/")).body(File::open(&file.0).unwrap()).send().unwrap();
            assert_eq!(response.text().unwrap(), "done");
            assert_same(&server, [0, 1], &large());
        }
    }

    /// The response arrives in the middle of the first upload.
    #[test]
    fn a_file_whose_upload_was_interrupted() {
        let file = Temporary::new(&large());
        let moved = "HTTP/1.1 307 Moved\r\nlocation: /next\r\ncontent-length: 0\r\n\r\n";
        let first = vec![Step::ExpectHead, send(moved), Step::StopReading];
        let server = Script::serve(vec![first, answer(ok("done"))]);
        let client = Client::new();
        let response =
            client.put(server.url("/")).body(File::open(&file.0).unwrap()).send().unwrap();
        assert_eq!(response.text().unwrap(), "done");
        assert_same(&server, [0, 1], &large());
    }

    /// Not from the beginning of the file, but from its position.
    #[test]
    fn a_file_from_its_position() {
        let file = Temporary::new(b"head and tail");
        let mut opened = File::open(&file.0).unwrap();
        opened.read_exact(&mut [0; 9]).unwrap();
        let moved = "HTTP/1.1 307 Moved\r\nlocation: /next\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let server = Script::serve(vec![answer(moved), answer(ok("done"))]);
        Client::new().put(server.url("/")).body(Body::rewindable_sized(opened, 4)).send().unwrap();
        assert_eq!([0, 1].map(|number| body_of(&server.received(number))), [b"tail", b"tail"]);
    }

    /// The chunk sizes depend on how fast the files are read.
    fn without_chunks(mut body: &[u8]) -> Vec<u8> {
        let mut content = Vec::new();
        loop {
            let end = body.windows(2).position(|two| two == b"\r\n").unwrap();
            let size = std::str::from_utf8(&body[..end]).unwrap();
            let size = usize::from_str_radix(size, 16).unwrap();
            if size == 0 {
                return content;
            }
            content.extend_from_slice(&body[end + 2..][..size]);
            body = &body[end + 2 + size + 2..];
        }
    }

    #[test]
    fn a_form_of_files() {
        let (one, two) = (Temporary::new(b"the first file"), Temporary::new(&large()));
        let form = Form::new()
            .text("before", "a text")
            .file("one", &one.0)
            .unwrap()
            .text("between", "another text")
            .file("two", &two.0)
            .unwrap()
            .part("three", Part::body(Body::rewindable(io::Cursor::new("a cursor"))));
        let moved = "HTTP/1.1 307 Moved\r\nlocation: /next\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let server = Script::serve(vec![answer(moved), answer(ok("done"))]);
        Client::new().post(server.url("/")).multipart(form).send().unwrap();
        let [one, two] = [0, 1].map(|number| without_chunks(&body_of(&server.received(number))));
        assert_eq!(one.len(), two.len());
        assert!(one == two);
        assert!(two.len() > LARGE);
    }

    #[test]
    fn after_a_stale_connection() {
        let file = Temporary::new(b"content");
        let turns = [answer(ok("first")), vec![Step::ExpectRequest, Step::Close]].concat();
        let server = Script::serve(vec![turns, answer(ok("second"))]);
        let client = Client::new();
        client.get(server.url("/")).send().unwrap().text().unwrap();
        let put = client.put(server.url("/")).body(File::open(&file.0).unwrap());
        assert_eq!(put.send().unwrap().text().unwrap(), "second");
        assert!(server.received_text(1).ends_with("\r\n\r\ncontent"));
    }

    #[test]
    fn by_a_retry_policy() {
        let file = Temporary::new(b"content");
        let busy = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let server = Script::serve(vec![answer(busy), answer(busy), answer(ok("done"))]);
        let at_once = leanhttp::retry::Policy::new()
            .backoff(std::time::Duration::ZERO, std::time::Duration::ZERO);
        let put = Client::new().put(server.url("/")).retry(at_once);
        let response = put.body(File::open(&file.0).unwrap()).send().unwrap();
        assert_eq!(response.text().unwrap(), "done");
        for number in 0..3 {
            assert!(server.received_text(number).ends_with("\r\n\r\ncontent"), "{number}");
        }
    }

    #[cfg(feature = "digest")]
    #[test]
    fn to_a_challenge() {
        let file = Temporary::new(b"content");
        let asks = "HTTP/1.1 401 No\r\nwww-authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n\
            content-length: 0\r\nconnection: close\r\n\r\n";
        let server = Script::serve(vec![answer(asks), answer(ok("done"))]);
        let post = Client::new().post(server.url("/")).digest_auth("u", "p");
        let response = post.body(File::open(&file.0).unwrap()).send().unwrap();
        assert_eq!(response.text().unwrap(), "done");
        assert!(server.received_text(1).ends_with("\r\n\r\ncontent"));
        assert!(server.received_text(1).contains("\r\nauthorization: Digest "));
    }

    /// After 417 the body is sent without being asked for.
    #[test]
    fn without_the_expectation() {
        let file = Temporary::new(b"content");
        let fails = "HTTP/1.1 417 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let server = Script::serve(vec![
            vec![Step::ExpectHead, send(fails), Step::Silent],
            answer(ok("done")),
        ]);
        let put = Client::new().put(server.url("/")).expect_continue(true);
        assert_eq!(put.body(File::open(&file.0).unwrap()).send().unwrap().text().unwrap(), "done");
        assert!(server.received_text(1).ends_with("\r\n\r\ncontent"));
    }

    /// A file that was truncated in the meantime no longer has the announced length.
    #[test]
    fn but_not_a_truncated_file() {
        let file = Temporary::new(b"content");
        let moved = "HTTP/1.1 307 Moved\r\nlocation: /next\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let server = Script::serve(vec![answer(moved), vec![Step::Silent]]);
        let path = file.0.clone();
        let cut = Policy::custom(move |attempt| {
            File::create(&path).unwrap();
            attempt.follow()
        });
        let client = Client::builder().redirect(cut).build().unwrap();
        let put = client.put(server.url("/")).body(File::open(&file.0).unwrap());
        let error = put.send().unwrap_err();
        assert!(error.is_body() && error.to_string().contains("7 bytes before"), "{error}");
    }

    /// A reader that implements `Seek`, but fails to seek.
    struct Stuck {
        content: io::Cursor<&'static str>,
        /// Number of calls of `seek` that succeed.
        seeks: usize,
    }

    impl Read for Stuck {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.content.read(into)
        }
    }

    impl io::Seek for Stuck {
        fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
            self.seeks = self.seeks.checked_sub(1).ok_or(io::ErrorKind::NotSeekable)?;
            self.content.seek(to)
        }
    }

    #[test]
    fn but_not_a_reader_that_cannot_seek() {
        let stuck = |seeks| Body::rewindable(Stuck { content: io::Cursor::new("content"), seeks });
        let rows = [
            ("a reader and cannot be sent again", Body::new(io::Cursor::new("content")), true),
            ("cannot seek", stuck(0), true),
            // The position is known, but seeking back to it fails.
            ("cannot seek", stuck(1), false),
        ];
        for (reason, body, is_redirect) in rows {
            let moved = "HTTP/1.1 307 Moved\r\nlocation: /next\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            let second = vec![Step::ExpectHead, Step::Silent];
            let second = if is_redirect { vec![] } else { vec![second] };
            let server = Script::serve([vec![answer(moved)], second].concat());
            let error = Client::new().put(server.url("/")).body(body).send().unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
            assert_eq!(
                (error.is_redirect(), error.is_body()),
                (is_redirect, !is_redirect),
                "{error}"
            );
        }
    }
}
