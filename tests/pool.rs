//! The connection pool: which connections are reused, which must not be, and how many are kept.
#![cfg(all(feature = "blocking", feature = "tls", feature = "gzip"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use leanhttp::Certificate;
use leanhttp::blocking::{Body, Client, ClientBuilder, RequestBuilder, Response};
use leanhttp::header::{CONNECTION, HeaderMap, HeaderValue};

use support::httpbin::Httpbin;
use support::pki::Pki;
use support::script::{Connection, Script, Step, answer, ok, send};

fn text(response: leanhttp::Result<Response>) -> String {
    response.unwrap().text().unwrap()
}

fn answered(bytes: impl AsRef<[u8]>) -> [Step; 2] {
    [Step::ExpectRequest, send(bytes)]
}

fn trusting(pki: &Pki) -> ClientBuilder {
    Client::builder().tls_certs_only([Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap()])
}

/// A client for which several hosts are this peer.
fn at(server: &Script) -> ClientBuilder {
    let hosts = ["a.test", "b.test", "a.test."];
    hosts.into_iter().fold(Client::builder(), |b, host| b.resolve(host, server.addr()))
}

mod reused {
    use super::*;

    /// RFC 9112 §9.3: persistence is the default, whatever the framing of the responses.
    #[test]
    fn one_connection_for_many_requests() {
        let pki = Pki::new();
        for server in [Httpbin::start(), Httpbin::start_tls(&pki)] {
            let client = trusting(&pki).build().unwrap();
            let get = |path: &str| client.get(server.url(path)).send().unwrap();
            for _ in 0..3 {
                get("/get").text().unwrap();
                get("/gzip").bytes().unwrap();
                get("/stream-bytes/50000").bytes().unwrap();
                get("/bytes/300000").copy_to(&mut io::sink()).unwrap();
                drop(get("/status/204"));
                drop(get("/status/500"));
                client.head(server.url("/get")).send().unwrap();
                client.post(server.url("/post")).form(&[("a", "b")]).send().unwrap();
                client.post(server.url("/post")).body(Body::new(io::empty())).send().unwrap();
            }
            assert_eq!(server.requests_seen().len(), 27);
            assert_eq!(server.connections_opened(), 1, "{}", server.url(""));
        }
    }

    /// A clone shares the pool, another client does not.
    #[test]
    fn clones_share_connections() {
        let server = Httpbin::start();
        let client = Client::new();
        for client in [client.clone(), client.clone(), client] {
            text(client.get(server.url("/get")).send());
        }
        assert_eq!(server.connections_opened(), 1);
        text(Client::new().get(server.url("/get")).send());
        assert_eq!(server.connections_opened(), 2);
    }

    /// RFC 9112 §9.3: HTTP/1.0 connections are persistent too, if the response says so.
    #[test]
    fn http_1_0_with_keep_alive() {
        let kept = "HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\ncontent-length: 2\r\n\r\nok";
        let server = Script::serve(vec![[answered(kept), answered(ok("next"))].concat()]);
        let client = Client::new();
        assert_eq!(text(client.get(server.url("/")).send()), "ok");
        assert_eq!(text(client.get(server.url("/")).send()), "next");
    }

    /// Data that has arrived costs no wait: it is drained, and the connection is kept.
    #[test]
    fn after_draining_a_rest_that_has_arrived() {
        let body = "x".repeat(10_000);
        let chunked = format!(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}0\r\nx: y\r\n\r\n",
            format!("3e8\r\n{}\r\n", &body[..1000]).repeat(10)
        );
        for first in [ok(&body), chunked.into_bytes(), ok("")] {
            let server = Script::serve(vec![[answered(&first), answered(ok("next"))].concat()]);
            let client = Client::new();
            let mut response = client.get(server.url("/")).send().unwrap();
            let _ = response.read(&mut [0; 10]).unwrap();
            drop(response);
            assert_eq!(text(client.get(server.url("/")).send()), "next");
        }
    }

    /// If the length is known, the end need not be read.
    #[test]
    fn with_the_last_byte_of_the_body() {
        let kept = "HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\ncontent-length: 2\r\n\r\nok";
        for first in [ok("ok"), kept.into()] {
            let server = Script::serve(vec![[answered(&first), answered(ok("next"))].concat()]);
            let client = Client::new();
            let mut held = client.get(server.url("/")).send().unwrap();
            held.read_exact(&mut [0; 2]).unwrap();
            assert_eq!(client.pool_stats().idle, 1);
            assert_eq!(text(client.get(server.url("/")).send()), "next");
            assert_eq!(held.read(&mut [0; 2]).unwrap(), 0);
        }
    }

    /// A response without a body frees its connection, even while the response is kept.
    #[test]
    fn while_a_response_without_a_body_is_kept() {
        let cases = [
            ("HEAD", "200 OK\r\ncontent-length: 9"),
            ("GET", "204 No Content"),
            ("GET", "304 Not Modified\r\ncontent-length: 9"),
            ("POST", "303 See Other\r\ncontent-length: 0"),
        ];
        let answers = cases.iter().map(|(_, head)| format!("HTTP/1.1 {head}\r\n\r\n").into_bytes());
        let steps = answers.chain([ok("next")]).flat_map(answered);
        let server = Script::serve(vec![steps.collect()]);
        let client = Client::builder().pool_max_open_per_host(1).build().unwrap();
        let mut kept = Vec::new();
        for (method, head) in cases {
            let method = method.parse().unwrap();
            kept.push(client.request(method, server.url("/")).send().unwrap());
            assert_eq!(client.pool_stats().idle, 1, "{head}");
        }
        assert_eq!(text(client.get(server.url("/")).send()), "next");
        assert_eq!(kept.pop().unwrap().text().unwrap(), "");
    }

    /// The field of a request replaces the default.
    #[test]
    fn if_the_requests_connection_field_allows_it() {
        let server = Script::serve(vec![[answered(ok("1")), answered(ok("2"))].concat()]);
        let close = HeaderMap::from_iter([(CONNECTION, HeaderValue::from_static("close"))]);
        let client = Client::builder().default_headers(close).build().unwrap();
        for expected in ["1", "2"] {
            let request = client.get(server.url("/")).header(CONNECTION, "keep-alive");
            assert_eq!(text(request.send()), expected);
        }
        server.join();
    }

    #[test]
    fn by_sixteen_threads_at_once() {
        let server = Httpbin::start();
        let client = Client::new();
        thread::scope(|scope| {
            for worker in 0..16 {
                let (client, server) = (&client, &server);
                scope.spawn(move || {
                    for turn in 0..20 {
                        let path = format!("/anything/{worker}-{turn}");
                        let body = text(client.post(server.url(&path)).body(path.clone()).send());
                        assert_eq!(body.matches(&path).count(), 2, "{body}");
                    }
                });
            }
        });
        assert_eq!(server.requests_seen().len(), 320);
        assert!(server.connections_opened() <= 16, "{}", server.connections_opened());
    }
}

/// On these connections the next bytes may not be a response, or none arrive.
mod not_reused {
    use super::*;

    type Ask = fn(RequestBuilder) -> RequestBuilder;
    type Use = fn(Response);

    const PLAIN: Ask = |request| request;
    const READ: Use = |response| drop(response.bytes().unwrap());
    const DROP: Use = drop;

    /// Sends the request of the row on a connection that accepts no second one.
    #[track_caller]
    fn assert_fresh(what: &str, ask: Ask, first: &[u8], consume: Use) {
        let server = Script::serve(vec![answered(first).to_vec(), answer(ok("next"))]);
        let client = Client::new();
        consume(ask(client.get(server.url("/"))).send().unwrap());
        assert_eq!(text(client.get(server.url("/")).send()), "next", "{what}");
        server.join();
        assert_eq!(server.accepted(), 2, "{what}");
    }

    /// RFC 9112 §9.3 and §9.6.
    #[test]
    fn because_one_side_sent_close() {
        let close = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";
        let http10 = "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok";
        let both = "HTTP/1.1 200 OK\r\nconnection: keep-alive, Close\r\ncontent-length: 0\r\n\r\n";
        let no_body = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
        assert_fresh("the peer sent close", PLAIN, close.as_bytes(), READ);
        assert_fresh("the peer sent close in a list", PLAIN, both.as_bytes(), DROP);
        assert_fresh("the peer sent close without a body", PLAIN, no_body.as_bytes(), DROP);
        assert_fresh("HTTP/1.0", PLAIN, http10.as_bytes(), READ);
        assert_fresh("the client sent close", |r| r.header(CONNECTION, "close"), &ok("ok"), READ);

        let server = Script::serve(vec![answer(ok("1")), answer(ok("2"))]);
        let close = HeaderMap::from_iter([(CONNECTION, HeaderValue::from_static("close"))]);
        let client = Client::builder().default_headers(close).build().unwrap();
        assert_eq!(text(client.get(server.url("/")).send()), "1");
        assert_eq!(text(client.get(server.url("/")).send()), "2");
    }

    /// Response queue poisoning: data behind a response is not the response to the next request.
    #[test]
    fn because_of_surplus_bytes() {
        let evil = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil";
        let after = |head: &str| format!("{head}{evil}").into_bytes();
        let ok2 = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
        assert_fresh("after a known length", PLAIN, &after(ok2), READ);
        assert_fresh("after a known length, dropped", PLAIN, &after(ok2), DROP);
        assert_fresh("after the last chunk", PLAIN, &after(chunked), READ);
        assert_fresh("after 204", PLAIN, &after("HTTP/1.1 204 No\r\n\r\n"), DROP);
        assert_fresh("after 304", PLAIN, &after("HTTP/1.1 304 No\r\n\r\n"), READ);
        assert_fresh(
            "after no body",
            PLAIN,
            &after("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
            READ,
        );
        assert_fresh("a stray line end", PLAIN, &[&ok("ok")[..], b"\r\n"].concat(), READ);
    }

    /// RFC 9110 §9.3.2: a server that sends the body anyway.
    #[test]
    fn because_head_was_answered_with_a_body() {
        let server = Script::serve(vec![answered(ok("body")).to_vec(), answer(ok("next"))]);
        let client = Client::new();
        let response = client.head(server.url("/")).send().unwrap();
        assert_eq!((response.content_length(), text(Ok(response)).as_str()), (Some(4), ""));
        assert_eq!(text(client.get(server.url("/")).send()), "next");
    }

    /// RFC 9112 §6.1 and §6.3: framing that another implementation may read differently.
    #[test]
    fn because_the_framing_is_ambiguous() {
        let both = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n\
                    2\r\nok\r\n0\r\n\r\n";
        let no_body = "HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n";
        assert_fresh("both framings", PLAIN, both.as_bytes(), READ);
        assert_fresh("204 with chunks", PLAIN, no_body.as_bytes(), DROP);
    }

    #[test]
    fn because_the_body_was_not_read() {
        let large = ok("x".repeat(200_000));
        let unfinished = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf";
        let chunk = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhalf";
        let between = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n";
        let read_some: Use = |mut response| response.read_exact(&mut [0; 2]).unwrap();
        assert_fresh("large", PLAIN, &large, read_some);
        assert_fresh("large and unread", PLAIN, &large, DROP);
        assert_fresh("the rest is still to come", PLAIN, unfinished, read_some);
        assert_fresh("the rest of the chunk is still to come", PLAIN, chunk, DROP);
        assert_fresh("the last chunk is still to come", PLAIN, between, read_some);
    }

    #[test]
    fn because_the_connection_ended_the_body() {
        let body = "HTTP/1.1 200 OK\r\n\r\nall of it";
        let first = [&answered(body)[..], &[Step::Close]].concat();
        let server = Script::serve(vec![first, answer(ok("next"))]);
        let client = Client::new();
        assert_eq!(text(client.get(server.url("/")).send()), "all of it");
        assert_eq!(text(client.get(server.url("/")).send()), "next");
    }

    /// An error discards the rest, and a second read returns an error too.
    #[test]
    fn because_the_body_was_truncated() {
        let cut = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf";
        let first = [&answered(cut)[..], &[Step::Close]].concat();
        let server = Script::serve(vec![first, answer(ok("next"))]);
        let client = Client::new();
        let mut response = client.get(server.url("/")).send().unwrap();
        let mut body = Vec::new();
        assert_eq!(
            response.read_to_end(&mut body).unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
        assert_eq!(body, b"half");
        assert!(response.read(&mut [0; 9]).is_err());
        assert!(response.copy_to(&mut io::sink()).is_err());
        assert!(response.bytes().is_err());
        assert_eq!(text(client.get(server.url("/")).send()), "next");
    }

    /// A panic of a caller's reader costs its connection and nothing else.
    #[test]
    fn because_the_caller_panicked() {
        struct Panics;
        impl Read for Panics {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                panic!("the caller's own fault")
            }
        }
        let server = Script::serve(vec![vec![Step::Silent], answer(ok("next"))]);
        let client = Client::new();
        let upload = || client.post(server.url("/")).body(Body::new(Panics)).send();
        assert!(catch_unwind(AssertUnwindSafe(upload)).is_err());
        assert_eq!(text(client.get(server.url("/")).send()), "next");
    }
}

mod kept {
    use super::*;

    /// Holds this many responses at the same time, then drops all of them.
    fn at_once(client: &Client, urls: &[String]) {
        let responses: Vec<_> = urls.iter().map(|url| client.get(url).send().unwrap()).collect();
        drop(responses);
    }

    #[test]
    fn up_to_the_limit_per_host() {
        type Row = (&'static str, fn(ClientBuilder) -> ClientBuilder, usize);
        let rows: [Row; 5] = [
            ("by default", |client| client, 3),
            ("none for a host", |client| client.pool_max_idle_per_host(0), 6),
            ("none at all", |client| client.pool_max_idle(0), 6),
            ("one for a host", |client| client.pool_max_idle_per_host(1), 5),
            ("two in all", |client| client.pool_max_idle(2), 4),
        ];
        for (what, build, opened) in rows {
            let server = Httpbin::start();
            let client = build(Client::builder()).build().unwrap();
            let urls = vec![server.url("/get"); 3];
            at_once(&client, &urls);
            at_once(&client, &urls);
            assert_eq!(server.connections_opened(), opened, "{what}");
        }
    }

    /// The total limit makes room by closing the connection that has been idle longest, of any
    /// host.
    #[test]
    fn up_to_the_total_limit_newest_first() {
        let (one, two) = (Httpbin::start(), Httpbin::start());
        let client = Client::builder().pool_max_idle(1).build().unwrap();
        for server in [&one, &two, &two, &one] {
            at_once(&client, &[server.url("/get")]);
        }
        assert_eq!((one.connections_opened(), two.connections_opened()), (2, 1));
    }

    #[test]
    fn for_the_idle_timeout() {
        for (timeout, opened) in [(Some(Duration::from_millis(30)), 2), (None, 1)] {
            let server = Httpbin::start();
            let client = Client::builder().pool_idle_timeout(timeout).build().unwrap();
            at_once(&client, &[server.url("/get")]);
            thread::sleep(Duration::from_millis(60));
            at_once(&client, &[server.url("/get")]);
            assert_eq!(server.connections_opened(), opened, "{timeout:?}");
        }
    }

    /// RFC 9110 §4.3.3: host, port and scheme identify an origin; a trailing dot counts.
    #[test]
    fn separately_for_each_origin() {
        let rows = [
            ("http://a.test/", 0),
            ("http://A.TEST:80/other?q#f", 0),
            ("http://a.test:81/", 1),
            ("http://b.test/", 2),
            ("http://a.test./", 3),
            ("http://b.test/", 2),
            ("http://a.test:81/", 1),
            ("http://user@a.test/", 0),
        ];
        let script = |connection: usize| -> Connection {
            let turns = rows.iter().filter(|row| row.1 == connection);
            turns.flat_map(|_| answered(ok(connection.to_string()))).collect()
        };
        let server = Script::serve((0..4).map(script).collect());
        let client = at(&server).build().unwrap();
        for (url, connection) in rows {
            assert_eq!(text(client.get(url).send()), connection.to_string(), "{url}");
        }
    }
}
