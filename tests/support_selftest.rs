//! Tests of the test servers with raw sockets, without the client.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

use support::httpbin::{Httpbin, sample_bytes};
use support::net;
use support::pki::{Leaf, Pki};
use support::script::{Script, Step, answer, expect, pause, send, send_split};

/// A response as received: status, head, and the body without its chunked coding.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn read(stream: &mut impl Read, is_head: bool) -> io::Result<Answer> {
        let head = read_until(stream, "\r\n\r\n")?;
        let status = head[9..12].parse().unwrap();
        let mut answer = Answer { status, head, body: Vec::new() };
        if is_head || matches!(status, 100 | 204 | 304) {
            return Ok(answer);
        }
        if answer.field("transfer-encoding") == Some("chunked") {
            answer.body = read_chunks(stream)?;
        } else {
            let length: usize = answer.field("content-length").unwrap().parse().unwrap();
            answer.body = vec![0; length];
            stream.read_exact(&mut answer.body)?;
        }
        Ok(answer)
    }

    fn field(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.into_iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

fn read_until(stream: &mut impl Read, end: &str) -> io::Result<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(end.as_bytes()) {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        bytes.push(byte[0]);
    }
    Ok(String::from_utf8(bytes).unwrap())
}

fn read_chunks(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_until(stream, "\r\n")?;
        let size = usize::from_str_radix(line.trim_end(), 16).unwrap();
        let mut chunk = vec![0; size + 2];
        stream.read_exact(&mut chunk)?;
        assert!(chunk.ends_with(b"\r\n"));
        if size == 0 {
            return Ok(body);
        }
        body.extend(&chunk[..size]);
    }
}

fn ask(addr: SocketAddr, request: impl AsRef<[u8]>) -> Answer {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.write_all(request.as_ref()).unwrap();
    Answer::read(&mut stream, request.as_ref().starts_with(b"HEAD ")).unwrap()
}

fn get(server: &Httpbin, path: &str) -> Answer {
    ask(server.addr(), format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n"))
}

fn post(server: &Httpbin, path: &str, content_type: &str, body: &str) -> Answer {
    let length = body.len();
    ask(
        server.addr(),
        format!(
            "POST {path} HTTP/1.1\r\nHost: h\r\nContent-Type: {content_type}\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        ),
    )
}

fn tls(addr: SocketAddr, pki: &Pki) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(pki.ca_der())).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let session = ClientConnection::new(Arc::new(config), name).unwrap();
    StreamOwned::new(session, TcpStream::connect(addr).unwrap())
}

mod httpbin {
    use super::*;

    #[test]
    fn echoes_arguments_headers_and_url() {
        let server = Httpbin::start();
        let answer = ask(
            server.addr(),
            "GET /get?a=1&b=x+y%21&a=2 HTTP/1.1\r\nHost: h:80\r\nx-TWO: 1\r\nX-Two: 2\r\n\r\n",
        );
        assert_eq!(answer.status, 200);
        assert_eq!(answer.field("content-type"), Some("application/json"));
        assert_eq!(
            answer.json(),
            json!({
                "args": { "a": ["1", "2"], "b": "x y!" },
                "headers": { "Host": "h:80", "X-Two": "1,2" },
                "origin": "127.0.0.1",
                "url": "http://h:80/get?a=1&b=x+y%21&a=2",
            })
        );
    }

    #[test]
    fn sorts_a_body_into_data_json_form_and_files() {
        let server = Httpbin::start();
        let multipart = "--b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nhi\r\n\
            --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.bin\"\r\n\
            Content-Type: application/x\r\n\r\n-b\r\n\r\n--b--\r\n";
        let multipart_type = "multipart/form-data; boundary=\"b\"";
        let urlencoded = "application/x-www-form-urlencoded";
        let cases = [
            ("text/plain", "words", json!(["words", {}, {}, null])),
            ("application/json", "{\"k\":1}", json!(["{\"k\":1}", {}, {}, { "k": 1 }])),
            (urlencoded, "a=%F0%9F%8D%8B&b=+", json!(["", { "a": "🍋", "b": " " }, {}, null])),
            (multipart_type, multipart, json!(["", { "text": "hi" }, { "file": "-b\r\n" }, null])),
        ];
        for (content_type, body, expected) in cases {
            let json = post(&server, "/post", content_type, body).json();
            assert_eq!(
                json!([json["data"], json["form"], json["files"], json["json"]]),
                expected,
                "{content_type}"
            );
        }
        let parts = post(&server, "/parts", multipart_type, multipart).json();
        assert_eq!(parts["parts"][1]["filename"], "f.bin");
        assert_eq!(parts["parts"][1]["content_type"], "application/x");
        assert_eq!(parts["parts"][1]["size"], 4);
    }

    #[test]
    fn broken_multipart_is_refused() {
        let server = Httpbin::start();
        let part = "Content-Disposition: form-data; name=\"n\"\r\n\r\nv";
        let cases = [
            ("multipart/form-data", format!("--b\r\n{part}\r\n--b--\r\n"), "boundary"),
            ("multipart/form-data; boundary=b", format!("x\r\n--b\r\n{part}\r\n--b--"), "start"),
            ("multipart/form-data; boundary=b", format!("--b\r\n{part}"), "without an end"),
            ("multipart/form-data; boundary=b", format!("--b\r\n{part}\r\n--b--x"), "after"),
            ("multipart/form-data; boundary=b", "--b\r\nA: b\r\n\r\nv\r\n--b--".to_owned(), "disp"),
        ];
        for (content_type, body, reason) in cases {
            let answer = post(&server, "/post", content_type, &body);
            assert_eq!(answer.status, 400, "{body:?}");
            assert!(answer.text().contains(reason), "{} for {body:?}", answer.text());
        }
    }

    #[test]
    fn reads_chunked_bodies_and_asks_for_them() {
        let server = Httpbin::start();
        let mut stream = TcpStream::connect(server.addr()).unwrap();
        let head = "PUT /put HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\
                    Expect: 100-continue\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        assert_eq!(Answer::read(&mut stream, false).unwrap().status, 100);
        stream.write_all(b"5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: t\r\n\r\n").unwrap();
        assert_eq!(Answer::read(&mut stream, false).unwrap().json()["data"], "hello!");
    }

    #[test]
    fn one_connection_serves_many_requests_until_told_otherwise() {
        let server = Httpbin::start();
        let mut stream = TcpStream::connect(server.addr()).unwrap();
        for path in ["/json", "/stream/3", "/status/204", "/robots.txt"] {
            let request = format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n");
            stream.write_all(request.as_bytes()).unwrap();
            Answer::read(&mut stream, false).unwrap();
        }
        stream.write_all(b"GET /html HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
        let last = Answer::read(&mut stream, false).unwrap();
        assert_eq!(last.field("connection"), Some("close"));
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
        assert_eq!(server.connections_opened(), 1);
        let seen = server.requests_seen();
        assert_eq!((seen.len(), seen[1].as_str()), (5, "GET /stream/3"));
    }

    #[test]
    fn http10_closes_and_gets_no_chunks() {
        let server = Httpbin::start();
        let mut stream = TcpStream::connect(server.addr()).unwrap();
        stream.write_all(b"GET /stream-bytes/100?chunk_size=7 HTTP/1.0\r\n\r\n").unwrap();
        assert_eq!(Answer::read(&mut stream, false).unwrap().body, sample_bytes(100));
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    }

    #[test]
    fn violations_of_rfc_9112_are_refused() {
        let cases = [
            ("GET /get HTTP/1.1\r\n\r\n", 400, "no Host"),
            ("GET /get HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "more than one Host"),
            ("GET /get HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "invalid Host"),
            ("GET /get HTTP/1.1\r\nHost: u@a\r\n\r\n", 400, "invalid Host"),
            ("GET /get HTTP/1.1\r\nHost: a:b\r\n\r\n", 400, "invalid Host"),
            ("GET /get HTTP/1.1\r\nHost:\r\n\r\n", 400, "invalid Host"),
            ("GET /get HTTP/1.1\nHost: a\r\n\r\n", 400, "bare LF"),
            ("GET /get HTTP/1.1\r\nHost: a\n\r\n", 400, "bare LF"),
            ("GET /get HTTP/1.1\r\nHost: a\r\nA: b\rc\r\n\r\n", 400, "bare CR"),
            ("GET /get HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n", 400, "space before colon"),
            ("GET /get HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n", 400, "folded"),
            ("GET /get HTTP/1.1\r\nHost: a\r\nA: \x01\r\n\r\n", 400, "control character"),
            ("GET /get HTTP/1.1\r\nHost: a\r\nÄ: b\r\n\r\n", 400, "not a token"),
            ("GET /get HTTP/1.1\r\nHost: a\r\nA\r\n\r\n", 400, "without colon"),
            ("GET  /get HTTP/1.1\r\nHost: a\r\n\r\n", 400, "request line"),
            ("GET http://a/get HTTP/1.1\r\nHost: a\r\n\r\n", 400, "origin form"),
            ("GET /get#f HTTP/1.1\r\nHost: a\r\n\r\n", 400, "no URI"),
            ("GET /ü HTTP/1.1\r\nHost: a\r\n\r\n", 400, "no URI"),
            ("\r\nGET /get HTTP/1.1\r\nHost: a\r\n\r\n", 400, "request line"),
            ("GET /get HTTP/2.0\r\nHost: a\r\n\r\n", 505, "not HTTP/1.1"),
            ("POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n1", 400, "invalid Con"),
            ("POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n1", 400, "invalid Con"),
            (
                "POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n1",
                400,
                "more than one Con",
            ),
            (
                "POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\
                 Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                400,
                "with Transfer-Encoding",
            ),
            (
                "POST /post HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                501,
                "unknown",
            ),
            (
                "POST /post HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\n",
                400,
                "chunk size",
            ),
            (
                "POST /post HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
                400,
                "longer",
            ),
            ("POST /post HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n", 417, "expectation"),
        ];
        let server = Httpbin::start();
        for (request, status, reason) in cases {
            let answer = ask(server.addr(), request);
            assert_eq!(answer.status, status, "{request:?}");
            assert!(answer.text().contains(reason), "{} for {request:?}", answer.text());
            assert_eq!(answer.field("connection"), Some("close"), "{request:?}");
        }
        assert!(server.requests_seen().is_empty());
    }

    #[test]
    fn cookies_are_set_deleted_and_shown() {
        let server = Httpbin::start();
        let set = get(&server, "/cookies/set/a/b%20c");
        assert_eq!((set.status, set.field("location")), (302, Some("/cookies")));
        assert_eq!(set.field("set-cookie"), Some("a=b c; Path=/"));
        let several = get(&server, "/cookies/set?x=1&y=2");
        assert_eq!(several.head.matches("Set-Cookie: ").count(), 2);
        let deleted = get(&server, "/cookies/delete?x");
        assert!(deleted.field("set-cookie").unwrap().contains("Max-Age=0"));
        let request = "GET /cookies HTTP/1.1\r\nHost: h\r\nCookie: a=1; b=x=y\r\n\r\n";
        let shown = ask(server.addr(), request).json();
        assert_eq!(shown, json!({ "cookies": { "a": "1", "b": "x=y" } }));
    }

    #[test]
    fn credentials_are_checked() {
        let cases = [
            ("/basic-auth/user/pass", "Basic dXNlcjpwYXNz", 200),
            ("/basic-auth/user/pass", "Basic dXNlcjpwYXNzeA==", 401),
            ("/basic-auth/Aladdin/open%20sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", 200),
            ("/bearer", "Bearer token", 200),
            ("/bearer", "Basic dXNlcjpwYXNz", 401),
        ];
        let server = Httpbin::start();
        for (path, credentials, status) in cases {
            let request =
                format!("GET {path} HTTP/1.1\r\nHost: h\r\nAuthorization: {credentials}\r\n\r\n");
            let answer = ask(server.addr(), request);
            assert_eq!(answer.status, status, "{path} {credentials}");
            assert_eq!(answer.field("www-authenticate").is_some(), status == 401, "{path}");
        }
    }

    #[test]
    fn redirects_count_down() {
        let cases = [
            ("/redirect/3", "/relative-redirect/2"),
            ("/relative-redirect/2", "/relative-redirect/1"),
            ("/relative-redirect/1", "/get"),
            ("/absolute-redirect/2", "http://h/absolute-redirect/1"),
            ("/absolute-redirect/1", "http://h/get"),
            ("/redirect-to?url=http%3A%2F%2Fo%2F%3Fq", "http://o/?q"),
        ];
        let server = Httpbin::start();
        for (path, location) in cases {
            let answer = get(&server, path);
            assert_eq!((answer.status, answer.field("location")), (302, Some(location)), "{path}");
        }
        assert_eq!(get(&server, "/redirect-to?url=/get&status_code=308").status, 308);
    }

    #[test]
    fn bodies_of_every_framing() {
        let server = Httpbin::start();
        assert_eq!(get(&server, "/bytes/40000").body, sample_bytes(40_000));
        assert_eq!(get(&server, "/stream-bytes/40000").body, sample_bytes(40_000));
        assert_eq!(get(&server, "/drip?numbytes=3&duration=0.003&delay=0").body, b"***");
        assert_eq!(get(&server, "/delay/0.001?a=b").json()["args"]["a"], "b");
        let stream = get(&server, "/stream/3");
        let last: Value = serde_json::from_str(stream.text().lines().last().unwrap()).unwrap();
        assert_eq!(last["id"], 2);
        assert!(get(&server, "/encoding/utf8").text().contains("世界"));
        assert_eq!(get(&server, "/json").json()["slideshow"]["author"], "Yours Truly");
    }

    #[test]
    fn gzip_bodies_decode() {
        let answer = get(&Httpbin::start(), "/gzip");
        assert_eq!(answer.field("content-encoding"), Some("gzip"));
        let mut text = String::new();
        flate2::read::GzDecoder::new(answer.body.as_slice()).read_to_string(&mut text).unwrap();
        let json: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&json["gzipped"], &json["method"]), (&json!(true), &json!("GET")));
    }

    #[test]
    fn statuses_methods_and_unknown_paths() {
        let cases = [
            ("GET /status/418", 418),
            ("PATCH /status/200", 200),
            ("GET /status/304", 304),
            ("GET /status/101", 400),
            ("GET /nowhere", 404),
            ("GET /get/", 404),
            ("GET /post", 405),
            ("POST /get", 405),
            ("DELETE /anything", 200),
            ("OPTIONS /get", 200),
        ];
        let server = Httpbin::start();
        for (line, status) in cases {
            let answer = ask(server.addr(), format!("{line} HTTP/1.1\r\nHost: h\r\n\r\n"));
            assert_eq!(answer.status, status, "{line}");
        }
        assert_eq!(get(&server, "/post").field("allow"), Some("POST, OPTIONS"));
    }

    #[test]
    fn head_answers_like_get_without_the_body() {
        let server = Httpbin::start();
        let mut stream = TcpStream::connect(server.addr()).unwrap();
        for path in ["/bytes/20", "/bytes/20", "/stream/2"] {
            stream
                .write_all(format!("HEAD {path} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes())
                .unwrap();
            let answer = Answer::read(&mut stream, true).unwrap();
            let length = path.starts_with("/bytes").then_some("20");
            assert_eq!((answer.status, answer.field("content-length")), (200, length));
        }
    }

    #[test]
    fn response_headers_come_as_asked() {
        let server = Httpbin::start();
        let answer = get(&server, "/response-headers?X-A=1&X-A=2&Bad%20Name=x&X-B=%0D%0Ay");
        assert_eq!(answer.head.matches("X-A: ").count(), 2);
        assert!(!answer.head.contains("Bad") && !answer.head.contains("X-B"));
        let length = answer.body.len().to_string();
        assert_eq!(answer.json()["Content-Length"], length.as_str());
        assert_eq!(get(&server, "/response-headers?Content-Length=1").status, 400);
    }

    #[test]
    fn requests_over_tls_get_the_same_responses() {
        let pki = Pki::new();
        let server = Httpbin::start_tls(&pki);
        assert!(server.url("/x").starts_with("https://localhost:"));
        let mut stream = tls(server.addr(), &pki);
        stream.write_all(b"GET /cookies/set/a/b HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
        let answer = Answer::read(&mut stream, false).unwrap();
        assert_eq!(answer.field("set-cookie"), Some("a=b; Secure; Path=/"));
        let close = b"GET /get HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
        stream.write_all(close).unwrap();
        assert_eq!(Answer::read(&mut stream, false).unwrap().json()["url"], "https://h/get");
        assert_eq!(stream.read(&mut [0]).unwrap(), 0, "close_notify");
    }

    #[test]
    fn invalid_certificates_are_invalid() {
        let pki = Pki::new();
        let cases = [
            (Leaf::UnknownIssuer, "UnknownIssuer"),
            (Leaf::Expired, "expired"),
            (Leaf::WrongName, "not valid for name"),
        ];
        for (leaf, cause) in cases {
            let server = Httpbin::start_tls_as(&pki, leaf);
            let mut stream = tls(server.addr(), &pki);
            let error = stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap_err();
            assert!(error.to_string().contains(cause), "{leaf:?}: {error}");
        }
    }

    #[test]
    fn dropping_ends_open_connections() {
        let server = Httpbin::start();
        let mut stream = TcpStream::connect(server.addr()).unwrap();
        stream.write_all(b"GET /get HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
        Answer::read(&mut stream, false).unwrap();
        let addr = server.addr();
        drop(server);
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
        assert!(TcpStream::connect(addr).is_err());
    }
}

mod script {
    use super::*;

    const REQUEST: &[u8] = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
    const RESPONSE: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

    fn connect(script: &Script, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(script.addr()).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    }

    /// The failure that `join` reports.
    fn complaint(script: &Script) -> String {
        let panic = catch_unwind(AssertUnwindSafe(|| script.join())).unwrap_err();
        panic.downcast_ref::<String>().unwrap().clone()
    }

    #[test]
    fn plays_connections_in_order_and_records_them() {
        let script = Script::serve(vec![
            vec![expect(REQUEST), send_split(RESPONSE, 3), pause(1), Step::Close],
            vec![Step::ExpectHead, expect("body"), send("x"), Step::ExpectEnd],
        ]);
        let mut first = connect(&script, REQUEST);
        let mut all = Vec::new();
        first.read_to_end(&mut all).unwrap();
        assert_eq!(all, RESPONSE);
        let mut second = connect(&script, b"POST / HTTP/1.1\r\n\r\nbody");
        second.read_exact(&mut [0]).unwrap();
        drop((first, second));
        script.join();
        assert_eq!(script.accepted(), 2);
        assert_eq!(script.received(0), REQUEST);
        assert_eq!(script.received(1), b"POST / HTTP/1.1\r\n\r\nbody");
    }

    #[test]
    fn takes_requests_of_every_framing() {
        let bodies = [
            "Host: h\r\n\r\n",
            "content-length: 3\r\n\r\nabc",
            "Transfer-Encoding: chunked\r\n\r\n3;e\r\nabc\r\n0\r\nT: t\r\n\r\n",
        ];
        for body in bodies {
            let script = Script::serve(vec![answer(RESPONSE)]);
            let mut stream = connect(&script, format!("POST / HTTP/1.1\r\n{body}").as_bytes());
            stream.read_exact(&mut [0; RESPONSE.len()]).unwrap();
            drop(stream);
            script.join();
        }
    }

    #[test]
    fn an_idle_client_does_not_hold_up_the_join() {
        let script = Script::serve(vec![answer(RESPONSE)]);
        let mut stream = connect(&script, REQUEST);
        stream.read_exact(&mut [0; RESPONSE.len()]).unwrap();
        script.join();
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    }

    #[test]
    fn a_failed_expectation_shows_both_sides() {
        let script = Script::serve(vec![vec![expect(REQUEST), send(RESPONSE)]]);
        let mut stream = connect(&script, b"GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
        let _ = stream.read(&mut [0]);
        let complaint = complaint(&script);
        for part in [r"|GET /a HTTP/1.1\r\n|", r"|GET /b HTTP/1.1\r\n|", "byte 5", "(Expect)"] {
            assert!(complaint.contains(part), "{part} in {complaint}");
        }
    }

    #[test]
    fn missing_and_surplus_bytes_and_connections_are_reported() {
        let little = Script::serve(vec![vec![expect(REQUEST)]]);
        drop(connect(&little, &REQUEST[..7]));
        assert!(complaint(&little).contains("byte 7"));

        let much = Script::serve(vec![vec![expect(REQUEST)]]);
        drop(connect(&much, &[REQUEST, b"surplus"].concat()));
        assert!(complaint(&much).contains("|surplus|"));

        let many = Script::serve(vec![vec![Step::Close]]);
        for _ in 0..2 {
            connect(&many, b"").read_to_end(&mut Vec::new()).unwrap();
        }
        assert!(complaint(&many).contains("connection 1 was not expected"));
    }

    #[test]
    fn a_dropped_script_still_reports() {
        let script = Script::serve(vec![vec![expect(REQUEST)]]);
        drop(connect(&script, b"x"));
        assert!(catch_unwind(AssertUnwindSafe(move || drop(script))).is_err());
    }

    #[test]
    fn reset_resets_the_connection() {
        let script = Script::serve(vec![vec![Step::ExpectHead, send("part"), Step::Reset]]);
        let mut stream = connect(&script, REQUEST);
        let error = stream.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }

    #[test]
    fn silent_reads_and_sends_nothing() {
        let script = Script::serve(vec![vec![Step::Silent]]);
        let mut stream = connect(&script, REQUEST);
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let error = stream.read(&mut [0]).unwrap_err();
        assert!(matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut));
        script.join();
        assert_eq!(script.received(0), REQUEST);
    }

    #[test]
    fn stop_reading_makes_the_writer_stall() {
        let script = Script::serve(vec![vec![Step::ExpectHead, Step::StopReading]]);
        let mut stream = connect(&script, REQUEST);
        stream.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
        let stalled = (0..1000).map(|_| stream.write_all(&[0; 64 * 1024])).any(|r| r.is_err());
        assert!(stalled, "64 MB fit into the buffers");
        script.join();
    }

    #[test]
    fn tls_ends_with_or_without_close_notify() {
        let pki = Pki::new();
        for (last, is_clean) in [(Step::Close, true), (Step::Cut, false)] {
            let steps = vec![Step::ExpectRequest, send(RESPONSE), last.clone()];
            let script = Script::serve_tls(vec![steps], pki.server_config(Leaf::Good));
            let mut stream = tls(script.addr(), &pki);
            stream.write_all(REQUEST).unwrap();
            let result = stream.read_to_end(&mut Vec::new());
            assert_eq!(result.is_ok(), is_clean, "{last:?}: {result:?}");
            drop(stream);
            script.join();
            assert_eq!(script.received(0), REQUEST);
        }
    }
}

mod unreachable {
    use super::*;

    fn connect(addr: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect_timeout(&addr, Duration::from_millis(50))
    }

    #[test]
    fn a_refused_address_refuses() {
        let error = connect(net::refused()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }

    #[test]
    fn a_silent_address_accepts_and_sends_nothing() {
        let silent = net::Silent::start();
        let mut stream = TcpStream::connect(silent.addr()).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        stream.write_all(b"anybody?").unwrap();
        let error = stream.read(&mut [0]).unwrap_err();
        assert!(matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut));
    }

    #[test]
    fn an_unreachable_address_never_accepts() {
        let unreachable = net::Unreachable::start();
        let error = connect(unreachable.addr()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
