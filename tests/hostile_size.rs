//! Responses that are hostile by their size or by the work they cause. Each test has the id of its
//! row in `tests/HOSTILE.md` (C01–C12).
//!
//! Memory is the allocations of the client's thread. Nothing here measures time: a test whose work
//! is not bounded does not end.
#![cfg(all(feature = "blocking", feature = "tls", feature = "gzip", feature = "cookies"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::io::{self, Read, Write};
use std::iter;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use allocation_counter::{AllocationInfo, measure};
use flate2::Compression;
use flate2::write::GzEncoder;
use leanhttp::blocking::{Body, ClientBuilder, Response};
use leanhttp::cookie::{Cookie, CookieStore, Jar};
use leanhttp::error::{Kind, Phase};
use leanhttp::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName, HeaderValue};
use leanhttp::header::{LINK, RETRY_AFTER, SET_COOKIE};
use leanhttp::{Certificate, Client, Error, Limits, Url};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::crypto::cipher::{OutboundChunks, OutboundPlainMessage};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{
    ConnectionTrafficSecrets, ContentType, ProtocolVersion, ServerConfig, ServerConnection,
    SupportedCipherSuite,
};

use support::endless::Endless;
use support::pki::{Leaf, Pki};
use support::script::{Connection, Script, Step, Watch, answer, ok, send};

/// Memory for a small request; the rest of each ceiling is for the subject of the test.
const KB: u64 = 1024;
const MB: u64 = 1024 * KB;

fn patient() -> ClientBuilder {
    Client::builder().timeout(Duration::from_secs(120))
}

fn large_heads() -> Limits {
    let mut limits = Limits::default();
    (limits.max_head_bytes, limits.max_line_bytes) = (usize::MAX, usize::MAX);
    limits
}

/// Returns the allocations of `work` on this thread, and its result.
fn measured<T>(work: impl FnOnce() -> T) -> (AllocationInfo, T) {
    let mut result = None;
    let allocated = measure(|| result = Some(work()));
    (allocated, result.unwrap())
}

/// The error's kind, phase and whole line.
#[track_caller]
fn assert_told(error: &Error, kind: Kind, phase: Phase, line: &str) {
    assert_eq!((error.kind(), error.phase(), &*error.to_string()), (kind, phase, line));
}

/// A 200 with these fields and this body, of known length.
fn response(fields: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 200 OK\r\n{fields}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// So many MiB of zeros, compressed to a thousandth.
fn bomb(size: usize) -> Vec<u8> {
    gzip(&vec![0; 1 << 20]).repeat(size)
}

const GZIP: &str = "content-encoding: gzip\r\n";

mod bombs {
    use super::*;

    /// CVE-2025-69223 (aiohttp), CVE-2025-66471 (urllib3).
    #[test]
    fn c01_a_gzip_bomb_is_read_in_bounded_memory() {
        let server = Script::serve(vec![answer(response(GZIP, bomb(10)))]);
        let mut piece = vec![0; 10_000];
        let (allocated, count) = measured(|| {
            let mut response = patient().build().unwrap().get(server.url("/")).send().unwrap();
            let mut count = 0;
            loop {
                match response.read(&mut piece).unwrap() {
                    0 => return count,
                    read => count += read as u64,
                }
            }
        });
        assert_eq!(count, 10 * MB);
        assert!(allocated.bytes_max < 256 * KB, "{allocated:?}");
    }

    /// Reading the whole body is bounded by the limit, counted after decoding.
    #[test]
    fn c01_a_gzip_bomb_ends_at_the_body_limit() {
        for read in [Response::bytes, |r: Response| r.text().map(Into::into)] {
            let server = Script::serve(vec![answer(response(GZIP, bomb(10)))]);
            let url = server.url("/");
            let (allocated, error) = measured(|| {
                let client = patient().body_limit(MB).build().unwrap();
                client.get(&url).send().and_then(read).unwrap_err()
            });
            let line = format!(
                "reading the response body for {url}: the body is larger than 1048576 bytes \
                 (body_limit); a body that is read in pieces has no limit"
            );
            assert_told(&error, Kind::Limit, Phase::Body, &line);
            assert!(allocated.bytes_max < 2 * MB + 256 * KB, "{allocated:?}");
        }
    }

    /// A body that expands a thousandfold is refused after 16 MiB, however it is read, and a bomb
    /// inside a bomb costs no more than one.
    #[test]
    fn c01_a_gzip_bomb_ends_at_the_ratio() {
        let nested = gzip(&bomb(1000));
        let rows = [(GZIP, bomb(20)), ("content-encoding: gzip, gzip\r\n", nested)];
        for (fields, body) in rows {
            assert!(body.len() < 64 * 1024);
            let server = Script::serve(vec![answer(response(fields, body)), answer(ok("next"))]);
            let client = patient().pool_max_idle(0).build().unwrap();
            let url = server.url("/");
            let mut count = Count(0);
            let (allocated, error) =
                measured(|| client.get(&url).send().unwrap().copy_to(&mut count).unwrap_err());
            let line = format!(
                "decoding the response body for {url}: the body grows to more than 250 times its \
                 size (max_decompression_ratio)"
            );
            assert_told(&error, Kind::Limit, Phase::Decode, &line);
            assert!(count.0 <= 17 * MB, "{}", count.0);
            assert!(allocated.bytes_max < 512 * KB, "{allocated:?}");
            assert_eq!(client.get(&url).send().unwrap().text().unwrap(), "next");
        }
    }

    /// CVE-2022-32206, CVE-2023-23916 (curl): the limit holds over all field lines together.
    #[test]
    fn c02_a_long_chain_of_codings_is_a_limit_error() {
        let lines = |line: &str, count| format!("content-encoding: {line}\r\n").repeat(count);
        let long = ["gzip"; 1000].join(", ");
        for fields in [
            lines("gzip, gzip, gzip, gzip, gzip", 1),
            lines(&long, 1),
            lines("gzip", 100),
            lines("gzip, x-gzip", 3),
            lines("identity, gzip, identity", 5),
            lines(",gzip,,", 5),
            format!("{}{}", lines("gzip, gzip, gzip, gzip", 1), lines("GZip", 1)),
        ] {
            let steps = vec![Step::ExpectRequest, send(response(&fields, "x")), Step::Silent];
            let server = Script::serve(vec![steps]);
            let client = patient().build().unwrap();
            let error = client.get(server.url("/")).send().unwrap_err();
            let line = format!(
                "decoding the response body for {}: more than 4 content codings (max_content_codings)",
                server.url("/")
            );
            assert_told(&error, Kind::Limit, Phase::Decode, &line);
        }
        let fourfold = (0..4).fold(b"text".to_vec(), |data, _| gzip(&data));
        let rows = [
            (lines("gzip", 4), &fourfold[..], &b"text"[..]),
            (lines(&["identity"; 1000].join(","), 1), b"text", b"text"),
            // Codings that were not requested are not decoded, so they cost no work.
            (lines(&["zz"; 1000].join(","), 1), b"text", b"text"),
        ];
        for (fields, body, expected) in rows {
            let server = Script::serve(vec![answer(response(&fields, body))]);
            let body = patient().build().unwrap().get(server.url("/")).send().unwrap().bytes();
            assert_eq!(body.unwrap(), expected);
        }
    }

    /// CVE-2026-21441 (urllib3): a drained body is not decoded, and draining is limited.
    #[test]
    fn c03_the_body_of_a_redirect_is_not_decoded() {
        let small = bomb(10);
        let rows = [
            (small.clone(), 1),
            // Not gzip at all: decoding it would be an error.
            (vec![b'x'; small.len()], 1),
            (bomb(100), 2),
        ];
        for (body, connections) in rows {
            let fields = format!("{GZIP}location: /next\r\n");
            let moved = [b"HTTP/1.1 302 Found", &response(&fields, body)[15..]].concat();
            let steps = match connections {
                1 => vec![[answer(moved), answer(ok("next"))].concat()],
                _ => vec![vec![Step::ExpectRequest, send(moved), Step::Silent], answer(ok("next"))],
            };
            let server = Script::serve(steps);
            let (allocated, text) = measured(|| {
                let client = patient().build().unwrap();
                client.get(server.url("/")).send().unwrap().text().unwrap()
            });
            assert_eq!((&*text, server.accepted()), ("next", connections));
            assert!(allocated.bytes_max < 128 * KB, "{allocated:?}");
        }
    }

    /// The same for a response that is dropped unread.
    #[test]
    fn c03_the_body_of_a_dropped_response_is_not_decoded() {
        for (body, idle) in [(bomb(10), 1), (vec![b'x'; 10_000], 1), (bomb(100), 0)] {
            let steps = vec![Step::ExpectRequest, send(response(GZIP, body)), Step::Silent];
            let server = Script::serve(vec![steps]);
            let client = patient().build().unwrap();
            let (allocated, ()) = measured(|| {
                let response = client.get(server.url("/")).send().unwrap();
                server.await_steps(0, 2); // all of it has arrived
                drop(response);
            });
            assert_eq!(client.pool_stats().idle, idle);
            assert!(allocated.bytes_max < 128 * KB, "{allocated:?}");
        }
    }

    /// RFC 1952: the optional parts of a gzip file have no limit of their own.
    #[test]
    fn c04_gzip_without_data_ends_at_a_limit() {
        const NAME: &[u8] = b"\x1f\x8b\x08\x08\0\0\0\0\0\xff";
        const COMMENT: &[u8] = b"\x1f\x8b\x08\x10\0\0\0\0\0\xff";
        const HEADER: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\xff";
        const EMPTY: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x03\0\0\0\0\0\0\0\0\0";
        const EMPTY_BLOCK: &[u8] = b"\0\0\0\xff\xff";
        const EXTRA: &[u8] = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\xff\xff";
        let mut rows = vec![
            ("file name", GZIP, NAME, &b"name"[..]),
            ("comment", GZIP, COMMENT, b"comment"),
            ("extra fields", GZIP, b"", EXTRA),
            ("empty members", GZIP, b"", EMPTY),
            ("empty blocks", GZIP, HEADER, EMPTY_BLOCK),
            ("padding", GZIP, EMPTY, b"\0"),
        ];
        if cfg!(feature = "deflate") {
            let deflate = "content-encoding: deflate\r\n";
            rows.push(("empty blocks", deflate, b"\x78\x9c", EMPTY_BLOCK));
            rows.push(("bare empty blocks", deflate, b"", EMPTY_BLOCK));
        }
        type Read = fn(Response) -> leanhttp::Result<()>;
        let ways: &[Read] = &[
            |response| response.bytes().map(drop),
            |response| response.text().map(drop),
            |mut response| response.copy_to(&mut io::sink()).map(drop),
            #[cfg(feature = "json")]
            |response| response.json::<serde_json::Value>().map(drop),
        ];
        for (what, coding, start, again) in rows {
            let head = format!("HTTP/1.1 200 OK\r\n{coding}\r\n");
            // Filler that completes one extra field: a member with one starts after another.
            let again = if what == "extra fields" {
                [again, &[b'x'; 0xffff], b"\x03\0\0\0\0\0\0\0\0\0"].concat()
            } else {
                again.to_vec()
            };
            let server = Endless::start([head.as_bytes(), start].concat(), again);
            for read in ways {
                let (allocated, error) = measured(|| {
                    let client = Client::builder().body_limit(1000).build().unwrap();
                    client.get(server.url()).send().and_then(read).unwrap_err()
                });
                let line = format!(
                    "decoding the response body for {}: more than 1048576 coded bytes decode to \
                     (almost) nothing (max_coded_bytes_without_output)",
                    server.url()
                );
                assert_told(&error, Kind::Limit, Phase::Decode, &line);
                assert!(allocated.bytes_max < 256 * KB, "{what}: {allocated:?}");
            }
        }
        let data = &gzip(b"text")[10..];
        for (start, again, rest) in [
            (NAME, &b"name"[..], [b"\0", data].concat()),
            (b"", EMPTY, gzip(b"text")),
            (HEADER, EMPTY_BLOCK, data.to_vec()),
        ] {
            let body = [start, &again.repeat(MB as usize / again.len()), &rest].concat();
            let server = Script::serve(vec![answer(response(GZIP, body))]);
            let text = patient().build().unwrap().get(server.url("/")).send().unwrap().text();
            assert_eq!(text.unwrap(), "text");
        }
    }

    struct Count(u64);

    impl Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}

mod floods {
    use super::*;

    #[test]
    fn c05_allocations_do_not_grow_with_the_chunks() {
        let allocated = |chunks: usize| {
            let body = format!("{}0\r\n\r\n", "1\r\nx\r\n".repeat(chunks));
            let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            let server = Script::serve(vec![answer(format!("{head}{body}"))]);
            let (allocated, count) = measured(|| {
                let client = patient().build().unwrap();
                client.get(server.url("/")).send().unwrap().copy_to(&mut io::sink()).unwrap()
            });
            assert_eq!(count, chunks as u64);
            allocated
        };
        let (few, many) = (allocated(1000), allocated(1_000_000));
        assert!(many.count_total < few.count_total + 20, "{few:?} {many:?}");
        assert!(many.bytes_max < few.bytes_max + 256 * KB, "{few:?} {many:?}");
    }

    /// In turn for the host itself and for its parent domain: no domain alone gets too many.
    fn cookie_lines(count: usize, value: &str) -> String {
        let domains = ["c.b.a.test", "b.a.test", "a.test"].into_iter().cycle().take(count);
        let line = |(n, domain)| format!("set-cookie: n{n}={value}; Path=/; Domain={domain}\r\n");
        domains.enumerate().map(line).collect()
    }

    /// CVE-2022-32205 (curl): of all cookies of a response, 50 are kept.
    #[test]
    fn c07_a_response_sets_at_most_50_cookies() {
        let rows = [(10_000, "v".to_owned(), 50), (1000, "v".repeat(4000), 2)];
        for (count, value, sent) in rows {
            let fields = cookie_lines(count, &value);
            let server =
                Script::serve(vec![[answer(response(&fields, "")), answer(ok(""))].concat()]);
            let jar = Arc::new(Jar::new());
            let client = patient().limits(large_heads()).http1_max_headers(usize::MAX);
            let client = client.cookie_provider(Arc::clone(&jar));
            let client = client.resolve("c.b.a.test", server.addr()).build().unwrap();
            let get = || client.get("http://c.b.a.test/").send().unwrap();
            let response = get();
            assert_eq!((response.cookies().count(), jar.len()), (count, 50));
            drop(response);
            get();
            server.join();
            let received = server.received_text(0);
            let line = received.lines().find_map(|line| line.strip_prefix("cookie: ")).unwrap();
            assert_eq!(line.split("; ").count(), sent);
            assert!(line.len() <= 8190 - "cookie: ".len(), "{}", line.len());
        }
        let server = Script::serve(vec![vec![
            Step::ExpectRequest,
            send(response(&cookie_lines(10_000, "v"), "")),
            Step::Silent,
        ]]);
        let error = patient().limits(large_heads()).build().unwrap().get(server.url("/")).send();
        let line = format!(
            "reading the response head for {}: more than 128 header fields (max_headers)",
            server.url("/")
        );
        assert_told(&error.unwrap_err(), Kind::Limit, Phase::Head, &line);
    }

    /// RFC 6265bis §6.1. The least recently used ones go.
    #[test]
    fn c07_the_jar_evicts_cookies_at_its_limits() {
        let jar = Jar::new();
        let set = |host: &str, name: &str| {
            jar.add_cookie_str(
                &format!("{name}=1"),
                &Url::parse(&format!("http://{host}/")).unwrap(),
            );
        };
        for n in 0..1000 {
            set("a.example", &format!("c{n}"));
            set(&format!("h{n}.a.example"), "c");
        }
        let of_domain = jar.cookies_for(&Url::parse("http://a.example/").unwrap());
        assert_eq!(of_domain.len(), 50);
        assert_eq!((of_domain[0].name(), of_domain[49].name()), ("c950", "c999"));
        assert_eq!(jar.len(), 1050);
        for n in 0..100_000 {
            set(&format!("h{n}.example"), "c");
        }
        let kept = jar.to_vec();
        assert_eq!(kept.len(), 3000);
        assert_eq!((kept[0].domain(), kept[2999].domain()), ("h97000.example", "h99999.example"));
    }

    /// RUSTSEC-2017-0005 (cookie).
    #[test]
    fn c08_huge_cookie_ages_saturate() {
        let epoch = SystemTime::UNIX_EPOCH;
        let longest = Some(epoch + Duration::from_secs(400 * 24 * 60 * 60));
        let nines = "9".repeat(1000);
        let ages = ["100000000000000000000000000", "18446744073709551616", &nines];
        let url = Url::parse("http://a.example/").unwrap();
        for age in ages {
            let set_cookie = format!("a=1; Max-Age={age}");
            let header = HeaderValue::try_from(&set_cookie).unwrap();
            let said = Cookie::parse(&header).unwrap().max_age();
            assert_eq!(said, Some(Duration::from_secs(u64::MAX)), "{age}");
            let jar = Jar::with_clock(move || epoch);
            jar.add_cookie_str(&set_cookie, &url);
            assert_eq!(jar.to_vec()[0].expires(), longest, "{age}");
            // A negative age deletes the cookie.
            jar.add_cookie_str(&format!("a=1; Max-Age=-{age}"), &url);
            assert!(jar.is_empty(), "{age}");
        }
    }

    /// Data that the peer sends early stays in the socket buffer and is not read.
    #[test]
    fn c12_bytes_before_the_request_are_not_buffered() {
        let garbage = "x".repeat(1_000_000);
        let responses = String::from_utf8(ok("early").repeat(1_000_000 / 43)).unwrap();
        let endless = format!("HTTP/1.1 200 OK\r\nx: {garbage}");
        for early in [garbage, endless, responses] {
            let (first, rest) = early.split_at(1000);
            let server = Script::serve(vec![vec![send(first), send(rest), Step::Silent]]);
            let url = server.url("/");
            let slow = Arc::new(Slow(server.watch()));
            let client = patient().cookie_provider(slow).build().unwrap();
            let (allocated, answer) =
                measured(|| client.post(&url).send().and_then(Response::text));
            let told =
                format!("sending the request for {url}: the server sent data before the request");
            assert_eq!(answer.unwrap_err().to_string(), told);
            assert_eq!(client.pool_stats().idle, 0);
            assert!(allocated.bytes_max < 512 * KB, "{allocated:?}");
        }
    }

    /// A cookie store that waits for the server between the connection and the request.
    struct Slow(Watch);

    impl CookieStore for Slow {
        fn set_cookies(&self, _: &mut dyn Iterator<Item = &HeaderValue>, _: &Url) {}

        fn cookies(&self, _: &Url) -> Option<HeaderValue> {
            self.0.await_steps(0, 1);
            thread::sleep(Duration::from_millis(100)); // for the thread of a runtime to hear of it
            None
        }
    }
}

mod values {
    use super::*;

    /// A response with these header values, as if a server had sent them.
    fn blank() -> Response {
        let server = Script::serve(vec![answer(ok(""))]);
        patient().build().unwrap().get(server.url("/")).send().unwrap()
    }

    /// All derived values of a response, as one text.
    fn told(response: &Response) -> String {
        let links = response.links();
        let links = links.iter().map(|link| {
            (link.target(), link.url().is_some(), link.parameters().collect::<Vec<_>>())
        });
        let links: Vec<_> = links.collect();
        let cookies: Vec<_> = response
            .cookies()
            .map(|cookie| {
                (
                    cookie.name().to_owned(),
                    cookie.value().to_owned(),
                    cookie.expires(),
                    cookie.max_age(),
                )
            })
            .collect();
        let wait = response.retry_after(SystemTime::UNIX_EPOCH);
        format!("{links:?} {cookies:?} {wait:?} {:?}", response.file_name())
    }

    /// Fields and beginnings of their values.
    const FIELDS: [(HeaderName, &str); 9] = [
        (LINK, ""),
        (LINK, "<a>"),
        (SET_COOKIE, ""),
        (SET_COOKIE, "a=b; Expires="),
        (RETRY_AFTER, ""),
        (RETRY_AFTER, "Sun, 06 Nov 1994 08:49:37"),
        (CONTENT_DISPOSITION, "attachment"),
        (CONTENT_DISPOSITION, "attachment; filename*=utf-8''"),
        (CONTENT_TYPE, "text/html; charset="),
    ];

    const PIECES: [&str; 22] = [
        ";",
        ",",
        "\"",
        "=",
        "\\",
        " ",
        "\t",
        "'",
        "%41",
        "0",
        "a",
        "/",
        ".",
        ":",
        "<a>,",
        "<a>;",
        ";a=\"",
        ";a=\"\\",
        ";a=b",
        "a=b,",
        "01 Jan ",
        ";filename=",
    ];

    /// Twice the length takes twice the memory. As for time, a parser that starts again at each
    /// byte would take minutes.
    #[test]
    fn c06_repetitive_values_take_linear_memory() {
        let mut response = blank();
        for (name, start) in FIELDS {
            for piece in PIECES {
                let mut work = |size: usize| {
                    let value = format!("{start}{}", piece.repeat(size / piece.len()));
                    let value = HeaderValue::try_from(value.trim_end()).unwrap();
                    response.headers_mut().insert(&name, value);
                    measured(|| drop(told(&response))).0
                };
                let (one, two) = (work(64 * 1024), work(128 * 1024));
                assert!(
                    two.bytes_total < one.bytes_total * 5 / 2 + 10_000,
                    "{name} {start} {piece}"
                );
                assert!(two.count_total < one.count_total * 5 / 2 + 20, "{name} {start} {piece}");
                work(512 * 1024);
            }
            response.headers_mut().remove(&name);
        }
    }

    /// The same for a field that is parsed only when the body is read.
    #[test]
    fn c06_repetitive_media_types_take_linear_memory() {
        for piece in PIECES {
            let mut response = blank();
            let value = format!("text/html;charset={}", piece.repeat(512 * 1024 / piece.len()));
            let value = HeaderValue::try_from(value.trim_end()).unwrap();
            response.headers_mut().insert(CONTENT_TYPE, value);
            assert_eq!(response.text().unwrap(), "");
        }
    }

    /// The same for a field that is parsed before the response is returned.
    #[cfg(feature = "digest")]
    #[test]
    fn c06_repetitive_challenges_take_linear_memory() {
        let pieces = [
            "Digest ",
            "Digest,",
            "Digest a=",
            "Digest realm=\"\",",
            "Digest realm=r, nonce=n, qop=x, ",
        ];
        for piece in pieces.iter().chain(&PIECES) {
            let value = format!("Digest {}", piece.repeat(512 * 1024 / piece.len()));
            let fields = format!("www-authenticate: {}\r\n", value.trim_end());
            let refused = [b"HTTP/1.1 401 No", &super::response(&fields, "")[15..]].concat();
            let server = Script::serve(vec![answer(refused)]);
            let client = patient().limits(large_heads()).digest_auth("u", "p");
            let (allocated, status) =
                measured(|| client.build().unwrap().get(server.url("/")).send().unwrap().status());
            assert_eq!(status, 401, "{piece}");
            assert!(allocated.bytes_max < 32 * MB, "{piece}: {allocated:?}");
        }
    }

    /// A long URL and many links to resolve against it: the cost is not their product.
    #[test]
    fn c06_links_do_not_copy_a_long_url() {
        let server =
            Script::serve(vec![[answer(response("", "")), answer(response("", ""))].concat()]);
        let client = patient().build().unwrap();
        let used = |path: &str| {
            let mut response = client.get(server.url(path)).send().unwrap();
            let links = HeaderValue::try_from("<>,".repeat(20_000)).unwrap();
            response.headers_mut().insert(LINK, links);
            let (allocated, links) = measured(|| response.links());
            assert_eq!(links.len(), 20_000);
            allocated.bytes_max
        };
        let (short, long) = (used("/"), used(&format!("/{}", "a".repeat(60_000))));
        assert!(long < short + MB, "{short} {long}");
    }

    /// Bytes that are not ASCII, and parts of characters, at every position where a parser may
    /// split.
    #[test]
    fn c11_values_that_are_not_ascii_do_not_panic() {
        let rows = [
            (LINK, "<a>; rel=\"x\"; title*=utf-8'en'%e2%82%ac"),
            (
                SET_COOKIE,
                "a=b; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Max-Age=10; Domain=a; Path=/",
            ),
            (RETRY_AFTER, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (RETRY_AFTER, "Sunday, 06-Nov-94 08:49:37 GMT"),
            (RETRY_AFTER, "Sun Nov  6 08:49:37 1994"),
            (RETRY_AFTER, "120"),
            (CONTENT_DISPOSITION, "attachment; filename=\"../a.b\"; filename*=utf-8''%e2%82%ac"),
            (CONTENT_DISPOSITION, "attachment; filename=con.txt"),
        ];
        let bytes: [&[u8]; 6] =
            [b"\x80", b"\xff", b"\xc3", b"\xc3\xa9", b"\xf0\x9f\x98", "😀".as_bytes()];
        let mut response = blank();
        for (name, value) in rows {
            for at in 0..=value.len() {
                for bytes in bytes {
                    let (start, end) = value.as_bytes().split_at(at);
                    for bytes in [
                        [start, bytes, end].concat(),
                        [start, bytes, end.get(1..).unwrap_or_default()].concat(),
                    ] {
                        response
                            .headers_mut()
                            .insert(&name, HeaderValue::from_bytes(&bytes).unwrap());
                        told(&response);
                        assert_eq!(
                            response.retry_after(SystemTime::UNIX_EPOCH),
                            None,
                            "{}",
                            bytes.escape_ascii()
                        );
                        let name = response.file_name();
                        assert!(
                            !name.is_some_and(|name| name.contains(['/', '\\'])),
                            "{}",
                            bytes.escape_ascii()
                        );
                    }
                }
            }
            response.headers_mut().remove(&name);
        }
    }

    /// The same for fields that the framing depends on.
    #[test]
    fn c11_numbers_that_are_not_ascii_are_errors() {
        let rows: [(&[u8], &str); 8] = [
            (b"HTTP/1.1 2\xc3\xa90 OK\r\n\r\n", "invalid status line \"HTTP/1.1 2\\xc3\\xa90 OK\""),
            (b"HTTP/1.1 \xff\xff\xff\r\n\r\n", "invalid status line \"HTTP/1.1 \\xff\\xff\\xff\""),
            (b"HTTP/1.\xb9 200\r\n\r\n", "unsupported HTTP version \"HTTP/1.\\xb9\""),
            (b"HTTP/1.1 200\r\ncontent-length: 1\xb2\r\n\r\n", "invalid Content-Length \"1\\xb2\""),
            (
                b"HTTP/1.1 200\r\ncontent-length: \xef\xbc\x95\r\n\r\n",
                "invalid Content-Length \"\\xef\\xbc\\x95\"",
            ),
            (
                b"HTTP/1.1 200\r\ntransfer-encoding: chunked\xa0\r\n\r\n",
                "unsupported transfer coding \"chunked\\xa0\"",
            ),
            (b"HTTP/1.1 200\r\nn\xc3\xa9: x\r\n\r\n", "invalid header field \"n\\xc3\\xa9\""),
            (
                b"HTTP/1.1 200\r\ntransfer-encoding: chunked\r\n\r\n\xef\xbc\x95\r\n",
                "'\\xef' in a chunk size",
            ),
        ];
        for (sent, reason) in rows {
            let server = Script::serve(vec![vec![Step::ExpectRequest, send(sent), Step::Silent]]);
            let error = patient()
                .build()
                .unwrap()
                .get(server.url("/"))
                .send()
                .and_then(Response::bytes)
                .unwrap_err();
            assert_eq!(error.kind(), Kind::Protocol);
            assert!(
                error.to_string().ends_with(&format!("{}: {reason}", server.url("/"))),
                "{error}"
            );
        }
        for (location, target) in [
            (&b"/\xc3"[..], "/%C3"),
            (b"/\xf0\x9f\x98?\xff", "/%F0%9F%98?%FF"),
            (b"/\xc3\xa9", "/%C3%A9"),
        ] {
            let moved =
                [b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: ", location, b"\r\n\r\n"]
                    .concat();
            let server = Script::serve(vec![[answer(moved), answer(ok(""))].concat()]);
            let response = patient().build().unwrap().get(server.url("/")).send().unwrap();
            assert_eq!(response.url().as_str(), server.url(target));
        }
    }
}

mod tls {
    use super::*;

    /// RUSTSEC-2023-0053 (rustls-webpki): authorities that may all have signed each other. The
    /// verifier finds too many paths, and gives up.
    #[test]
    fn c09_the_search_for_a_certificate_path_is_bounded() {
        let pki = Pki::new();
        let root = Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
        let client = patient().tls_certs_only([root]).build().unwrap();
        // Either no certificate leads to the root, or every one claims to.
        for (name, issuer, reason) in [
            ("ring", "ring", "MaximumPathBuildCallsExceeded"),
            ("ring", "leanhttp test CA", "MaximumSignatureChecksExceeded"),
        ] {
            let server = Script::serve_tls(vec![vec![]], exploding(name, issuer));
            let error = client.get(server.url("/")).send().unwrap_err();
            let reason = format!("invalid peer certificate: {reason}");
            let peer = format!("localhost:{}", server.addr().port());
            let line = format!("TLS handshake with {peer} for {}: {reason}", server.url("/"));
            assert_told(&error, Kind::Tls, Phase::Handshake, &line);
        }
    }

    /// A leaf of the authority `name`, and 120 authorities of that name, signed by `issuer`.
    fn exploding(name: &str, issuer: &str) -> Arc<ServerConfig> {
        let authority = |name: &str| {
            let mut params = CertificateParams::default();
            params.distinguished_name.push(DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params
        };
        let mut chain: Vec<CertificateDer<'static>> = Vec::new();
        for _ in 0..120 {
            let signer = Issuer::new(authority(issuer), KeyPair::generate().unwrap());
            let key = KeyPair::generate().unwrap();
            chain.push(authority(name).signed_by(&key, &signer).unwrap().der().clone());
        }
        let signer = Issuer::new(authority(name), KeyPair::generate().unwrap());
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(["localhost".to_owned()]).unwrap();
        chain.insert(0, leaf.signed_by(&key, &signer).unwrap().der().clone());
        let key: PrivateKeyDer<'_> = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(chain, key)
                .unwrap();
        Arc::new(config)
    }

    /// RUSTSEC-2024-0336 (rustls): an end or an alert ends the handshake.
    #[test]
    fn c10_a_close_in_the_handshake_is_an_error() {
        const CLOSE_NOTIFY: &[u8] = b"\x15\x03\x03\0\x02\x01\0";
        const WARNING: &[u8] = b"\x15\x03\x03\0\x02\x01\x5a";
        let empty = |kind: u8| [&[kind], &b"\x03\x03\0\0"[..]].concat();
        let closed = "connection closed during the handshake";
        let alerts = "peer misbehaved: TooManyWarningAlertsReceived";
        let unexpected = |kind: &str| {
            format!("received unexpected message: got {kind} when expecting Handshake")
        };
        let invalid = "received corrupt message of type InvalidEmptyPayload".to_owned();
        let rows: Vec<(Connection, String)> = vec![
            (vec![send(CLOSE_NOTIFY), Step::Close], closed.to_owned()),
            (vec![send(CLOSE_NOTIFY), Step::Cut], closed.to_owned()),
            (vec![send(CLOSE_NOTIFY.repeat(1000)), Step::Silent], alerts.to_owned()),
            (vec![send(WARNING.repeat(1000)), Step::Silent], alerts.to_owned()),
            (vec![send(empty(0x14).repeat(1000)), Step::Silent], invalid.clone()),
            (vec![send(empty(0x15).repeat(1000)), Step::Silent], invalid.clone()),
            (vec![send(empty(0x16).repeat(1000)), Step::Silent], invalid),
            (vec![send(empty(0x17).repeat(1000)), Step::Silent], unexpected("ApplicationData")),
            (
                vec![send(b"\x14\x03\x03\0\x01\x01".repeat(1000)), Step::Silent],
                unexpected("ChangeCipherSpec"),
            ),
            (
                vec![send(CLOSE_NOTIFY), Step::Silent],
                "timed out: no connection within 500ms (connect timeout)".to_owned(),
            ),
        ];
        for (steps, reason) in rows {
            let server = Script::serve(vec![steps]);
            let url = server.url("/").replace("http://127.0.0.1", "https://localhost");
            let connect_timeout =
                Duration::from_millis(if reason.contains("500ms") { 500 } else { 60_000 });
            let client = patient().connect_timeout(connect_timeout).build().unwrap();
            let error = client.get(&url).send().unwrap_err();
            let peer = format!("localhost:{}", server.addr().port());
            let line = format!("TLS handshake with {peer} for {url}: {reason}");
            assert_eq!(error.to_string(), line);
            assert_eq!(error.phase(), Phase::Handshake);
        }
    }

    /// Empty records are not progress, in any part of a response.
    #[test]
    fn c10_endless_empty_records_are_an_error() {
        let pki = Pki::new();
        let client = trusting(&pki);
        for start in ["", "HTTP/1.1 200 OK\r\n", HALF] {
            let server = Records::start(&pki, start, ContentType::ApplicationData, b"");
            let url = server.url();
            let (allocated, error) =
                measured(|| client.get(&url).send().and_then(Response::bytes).unwrap_err());
            let line = error.to_string();
            assert_eq!(error.kind(), Kind::Tls, "{line}");
            let reason = "peer misbehaved: TooManyEmptyFragments";
            assert!(line.ends_with(&format!(" for {url}: {reason}")), "{line}");
            assert!(server.sent.load(Ordering::Relaxed) < 8 * MB);
            assert!(allocated.bytes_max < 128 * KB, "{allocated:?}");
        }
    }

    /// Session tickets are not progress either, although they may arrive at any time (RFC 8446
    /// §4.6.1).
    #[test]
    fn c10_endless_tickets_are_an_error() {
        let pki = Pki::new();
        let client = trusting(&pki);
        let serve = |start, typ, payload| Records::start(&pki, start, typ, payload);
        for start in ["", "HTTP/1.1 200 OK\r\n", HALF] {
            let server = serve(start, ContentType::Handshake, TICKET);
            let error = client.get(server.url()).send().and_then(Response::bytes).unwrap_err();
            let reason = "too many messages of TLS without any data";
            assert_eq!(error.kind(), Kind::Tls, "{error}");
            assert!(error.to_string().ends_with(reason), "{error}");
        }
        let server = serve(HALF, ContentType::Handshake, TICKET);
        drop(client.get(server.url()).send().unwrap()); // does not wait for their end
        let small = "HTTP/1.1 200 OK\r\ncontent-length: 30000\r\n\r\n";
        let server = serve(small, ContentType::ApplicationData, b"x");
        assert_eq!(client.get(server.url()).send().unwrap().bytes().unwrap().len(), 30_000);
    }

    /// The limit is 256 KiB; one of these is 41 bytes, after some larger ones of the server's.
    #[test]
    fn c10_tickets_within_the_limit_are_accepted() {
        let pki = Pki::new();
        let outcome = |count: usize| {
            let tickets = iter::repeat_n((ContentType::Handshake, TICKET), count);
            let whole: Record =
                (ContentType::ApplicationData, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
            let server = Records::of(&pki, "", tickets.chain([whole]));
            trusting(&pki).get(server.url()).send().map(|response| response.status().as_u16())
        };
        assert_eq!(outcome(255 * 1024 / 41).unwrap(), 200);
        assert_eq!(outcome(257 * 1024 / 41).unwrap_err().kind(), Kind::Tls);
    }

    const HALF: &str = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf";

    /// RFC 8446 §4.6.1: a ticket for an hour, with a nonce and a name of one byte each.
    const TICKET: &[u8] = b"\x04\0\0\x0f\0\0\x0e\x10\0\0\0\0\x01\0\0\x01t\0\0";

    /// Data after `close_notify` is ignored (RFC 8446 §6.1), and not kept.
    #[test]
    fn c10_bytes_after_close_notify_are_ignored() {
        let pki = Pki::new();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
        let config = pki.server_config(Leaf::Good);
        thread::spawn(move || end_and_go_on(listener.accept().unwrap().0, config));
        let body = Body::sized(io::repeat(b'x').take(64 * MB), 64 * MB);
        let request = trusting(&pki).post(&url).body(body);
        let (allocated, error) = measured(|| request.send().unwrap_err());
        // No response can arrive any more, so the rest of the request is not sent.
        assert_eq!((error.kind(), error.phase()), (Kind::Io, Phase::Send), "{error}");
        assert!(allocated.bytes_max < MB, "{allocated:?}");
    }

    /// Ends the connection before the response, and reads all of the request.
    fn end_and_go_on(mut stream: TcpStream, config: Arc<ServerConfig>) -> io::Result<()> {
        let mut connection = ServerConnection::new(config).unwrap();
        while connection.is_handshaking() || connection.wants_write() {
            connection.complete_io(&mut stream)?;
        }
        connection.complete_io(&mut stream)?;
        connection.send_close_notify();
        connection.write_tls(&mut stream)?;
        let mut request = stream.try_clone()?;
        thread::spawn(move || io::copy(&mut request, &mut io::sink()));
        loop {
            stream.write_all(&[0x17; 64 * 1024])?;
        }
    }

    fn trusting(pki: &Pki) -> Client {
        let root = Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
        patient().tls_certs_only([root]).build().unwrap()
    }

    type Record = (ContentType, &'static [u8]);

    /// Sends the start of a response, and then these records.
    struct Records {
        addr: SocketAddr,
        sent: Arc<AtomicU64>,
    }

    impl Records {
        /// The same record again and again.
        fn start(pki: &Pki, start: &'static str, typ: ContentType, payload: &'static [u8]) -> Self {
            Self::of(pki, start, iter::repeat((typ, payload)))
        }

        fn of(
            pki: &Pki,
            start: &'static str,
            records: impl Iterator<Item = Record> + Send + 'static,
        ) -> Self {
            let mut config = ServerConfig::clone(&pki.server_config(Leaf::Good));
            config.enable_secret_extraction = true;
            let config = Arc::new(config);
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let addr = listener.local_addr().unwrap();
            let sent = Arc::new(AtomicU64::new(0));
            let counter = Arc::clone(&sent);
            thread::spawn(move || {
                let stream = listener.accept().unwrap().0;
                let _ = serve(stream, config, start.as_bytes(), records, &counter);
            });
            Self { addr, sent }
        }

        fn url(&self) -> String {
            format!("https://localhost:{}/", self.addr.port())
        }
    }

    fn serve(
        mut stream: TcpStream,
        config: Arc<ServerConfig>,
        start: &[u8],
        records: impl Iterator<Item = Record>,
        sent: &AtomicU64,
    ) -> io::Result<()> {
        let mut connection = ServerConnection::new(config).unwrap();
        while connection.is_handshaking() || connection.wants_write() {
            connection.complete_io(&mut stream)?;
        }
        connection.writer().write_all(start)?;
        while connection.wants_write() {
            connection.write_tls(&mut stream)?;
        }
        let Some(SupportedCipherSuite::Tls13(suite)) = connection.negotiated_cipher_suite() else {
            unreachable!()
        };
        let (first, secrets) = connection.dangerous_extract_secrets().unwrap().tx;
        use ConnectionTrafficSecrets::{Aes128Gcm, Aes256Gcm, Chacha20Poly1305};
        let (Aes128Gcm { key, iv } | Aes256Gcm { key, iv } | Chacha20Poly1305 { key, iv }) =
            secrets
        else {
            unreachable!()
        };
        let mut encrypter = suite.aead_alg.encrypter(key, iv);
        for (number, (typ, payload)) in (first..).zip(records) {
            let record = OutboundPlainMessage {
                typ,
                version: ProtocolVersion::TLSv1_2,
                payload: OutboundChunks::Single(payload),
            };
            let record = encrypter.encrypt(record, number).unwrap().encode();
            stream.write_all(&record)?;
            sent.fetch_add(record.len() as u64, Ordering::Relaxed);
        }
        io::copy(&mut stream, &mut io::sink()).map(drop)
    }
}
