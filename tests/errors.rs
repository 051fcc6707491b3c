//! Errors: what they report to programs and to people, and what they never show.
#![cfg(all(feature = "blocking", feature = "tls", feature = "gzip", feature = "cookies"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::error::Error as _;
use std::io::{self, Read};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::Duration;

use leanhttp::blocking::{Body, Client, ClientBuilder, RequestBuilder, Response};
use leanhttp::error::{Fault, Kind};
use leanhttp::redirect::Policy;
use leanhttp::{Error, Limits, Result, StatusCode, Url};

use support::httpbin::Httpbin;
use support::net::{self, Silent, Unreachable};
use support::script::{Script, Step, answer, ok, send};

/// Small enough to be returned from every function, and convertible into any other error.
#[test]
fn an_error_is_one_word_and_converts_into_any_error() {
    fn goes_anywhere<T: Send + Sync + 'static>() {}
    goes_anywhere::<Error>();
    goes_anywhere::<Response>();
    goes_anywhere::<Client>();
    assert_eq!(size_of::<Error>(), size_of::<usize>());
    assert_eq!(size_of::<Result<()>>(), size_of::<usize>());
    fn question_mark() -> std::result::Result<(), Box<dyn std::error::Error + Send + Sync>> {
        leanhttp::get("no url")?;
        Ok(())
    }
    assert!(question_mark().unwrap_err().downcast::<Error>().unwrap().is_builder());
}

/// One error of each sort, made over real sockets.
mod sorts {
    use super::*;

    fn fails(answered: &[u8], end: Step) -> Error {
        let server = Script::serve(vec![vec![Step::ExpectRequest, send(answered), end]]);
        let mut limits = Limits::default();
        limits.max_head_bytes = 200;
        let client = Client::builder().limits(limits).body_limit(50).build().unwrap();
        client.get(server.url("/")).send().and_then(Response::bytes).unwrap_err()
    }

    fn slow(client: leanhttp::ClientBuilder, url: &str) -> Error {
        let client = client.timeout(Duration::from_millis(50)).build().unwrap();
        client.get(url).send().and_then(Response::bytes).unwrap_err()
    }

    fn unsent(url: &str) -> Error {
        let reader = Body::sized(&b"short"[..], 9);
        Client::new().post(url).body(reader).send().unwrap_err()
    }

    fn redirect_refused() -> Error {
        let moved = b"HTTP/1.1 302 Found\r\nlocation: ftp://h/\r\ncontent-length: 0\r\n\r\n";
        fails(moved, Step::Silent)
    }

    /// The predicates in the order of their names.
    fn predicates(error: &Error) -> Vec<&'static str> {
        type Predicate = (&'static str, fn(&Error) -> bool);
        let all: [Predicate; 10] = [
            ("body", Error::is_body),
            ("builder", Error::is_builder),
            ("connect", Error::is_connect),
            ("decode", Error::is_decode),
            ("dns", Error::is_dns),
            ("redirect", Error::is_redirect),
            ("request", Error::is_request),
            ("status", Error::is_status),
            ("timeout", Error::is_timeout),
            ("upgrade", Error::is_upgrade),
        ];
        all.into_iter().filter(|(_, is)| is(error)).map(|(name, _)| name).collect()
    }

    #[test]
    fn have_one_predicate_each() {
        let (unreachable, silent, stalling) = (
            Unreachable::start(),
            Silent::start(),
            Script::serve(vec![vec![
                Step::ExpectRequest,
                send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"),
                Step::Silent,
            ]]),
        );
        let sink = Script::serve(vec![vec![Step::Silent]]);
        let url = |addr| format!("http://{addr}/");
        let not_tls = Script::serve(vec![vec![send("plain\r\n"), Step::Close]]);
        let https = not_tls.url("/").replace("http:", "https:");
        let fresh = Client::builder;
        let long = [b"HTTP/1.1 200 OK\r\nx: ", &[b'x'; 300][..]].concat();
        let body = ok("x".repeat(60));
        let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nx";
        let plain = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\nx";
        let rows: Vec<(Error, Kind, Fault, &[&str])> = vec![
            (leanhttp::get("no url").unwrap_err(), Kind::Builder, Fault::Caller, &["builder"]),
            (
                leanhttp::get("http://a..b/").unwrap_err(),
                Kind::Resolve,
                Fault::Network,
                &["connect", "dns", "request"],
            ),
            (
                leanhttp::get(url(net::refused())).unwrap_err(),
                Kind::Connect,
                Fault::Network,
                &["connect", "request"],
            ),
            (leanhttp::get(https).unwrap_err(), Kind::Tls, Fault::Peer, &["connect", "request"]),
            (
                slow(fresh(), &url(unreachable.addr())),
                Kind::Timeout,
                Fault::Network,
                &["connect", "request", "timeout"],
            ),
            (
                slow(fresh(), &url(silent.addr())),
                Kind::Timeout,
                Fault::Network,
                &["request", "timeout"],
            ),
            (
                slow(fresh(), &stalling.url("/")),
                Kind::Timeout,
                Fault::Network,
                &["body", "timeout"],
            ),
            (fails(b"", Step::Close), Kind::Io, Fault::Network, &["request"]),
            (fails(b"SSH-2.0\r\n", Step::Silent), Kind::Protocol, Fault::Peer, &["request"]),
            (fails(b"HTTP/1.1 2", Step::Close), Kind::Truncated, Fault::Peer, &["request"]),
            (fails(cut, Step::Close), Kind::Truncated, Fault::Peer, &["body"]),
            (fails(&long, Step::Silent), Kind::Limit, Fault::Policy, &["request"]),
            (fails(&body, Step::Silent), Kind::Limit, Fault::Policy, &["body"]),
            (fails(plain, Step::Silent), Kind::Decode, Fault::Peer, &["decode"]),
            (unsent(&sink.url("/")), Kind::Body, Fault::Caller, &["body"]),
            (redirect_refused(), Kind::Redirect, Fault::Policy, &["redirect"]),
        ];
        for (error, kind, fault, expected) in rows {
            assert_eq!((error.kind(), error.fault()), (kind, fault), "{error}");
            assert_eq!(predicates(&error), expected, "{error}");
            // Only a redirect has received a response.
            assert_eq!(error.status().is_some(), kind == Kind::Redirect, "{error}");
            assert_eq!(error.url().is_some(), kind != Kind::Builder, "{error}");
        }
    }

    /// The output of `anyhow`, `eyre` and `tracing`: the error, then each of its sources.
    fn reported(error: &Error) -> Vec<String> {
        let mut lines = vec![error.to_string()];
        let mut next = error.source();
        while let Some(source) = next {
            lines.push(source.to_string());
            next = source.source();
        }
        lines
    }

    /// The output of `{:#}` and `{}` of `anyhow` 1: each error of the chain by `{}`.
    fn anyhow(error: &Error, is_alternate: bool) -> String {
        let mut report = error.to_string();
        let sources =
            std::iter::successors(error.source(), |source: &&(dyn std::error::Error + 'static)| {
                (*source).source()
            });
        for source in sources.take_while(|_| is_alternate) {
            report += &format!(": {source}");
        }
        report
    }

    /// A body's own error, with a cause.
    #[derive(Debug)]
    struct Nested(Option<Box<Nested>>);

    impl std::fmt::Display for Nested {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(if self.0.is_some() { "outer fault" } else { "inner fault" })
        }
    }

    impl std::error::Error for Nested {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            self.0.as_deref().map(|inner| inner as _)
        }
    }

    struct Failing;

    impl io::Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other(Nested(Some(Box::new(Nested(None))))))
        }
    }

    /// The text of an `io::Error` stands in the line, and its kind, which programs look for, among the sources.
    #[test]
    fn print_each_cause_once_in_error_reporters() {
        let sink = Script::serve(vec![vec![Step::ExpectHead, Step::Silent]]);
        let upload = Client::new().post(sink.url("/")).body(leanhttp::Body::new(Failing));
        let policy = Policy::custom(|attempt| attempt.error(Nested(Some(Box::new(Nested(None))))));
        let moved = "HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n";
        let server = Script::serve(vec![answer(moved)]);
        let client = Client::builder().redirect(policy).build().unwrap();
        let errors = [
            (leanhttp::get("http://a b/").unwrap_err(), 1),
            (Client::new().get("http://a/").header("a b", "").build().unwrap_err(), 1),
            (client.get(server.url("/")).send().unwrap_err(), 2),
        ];
        let refused = leanhttp::get(format!("http://{}/", net::refused())).unwrap_err();
        let rows: [(Error, &str, &[&str]); 2] = [
            (refused, "Connection refused", &["io::ErrorKind::ConnectionRefused"]),
            (upload.send().unwrap_err(), "outer fault", &["io::ErrorKind::Other", "inner fault"]),
        ];
        for (error, text, sources) in rows {
            let lines = reported(&error);
            assert_eq!(lines[1..], *sources, "{lines:#?}");
            assert!(lines[0].contains(text), "{lines:#?}");
            let report = lines.join(": ");
            assert_eq!(report.matches(text).count(), 1, "{report}");
            assert_eq!(anyhow(&error, true), report);
            assert!(!anyhow(&error, false).contains(": io::"));
        }
        for (error, count) in errors {
            let lines = reported(&error);
            assert_eq!(lines.len(), count, "{lines:#?}");
            let report = lines.join(": ");
            assert!(report.contains(&error.get_ref().unwrap().to_string()), "{report}");
            for line in &lines {
                assert_eq!(report.matches(line.as_str()).count(), 1, "{report}");
            }
            for fault in ["outer fault", "inner fault"] {
                assert_eq!(report.matches(fault).count(), count - 1, "{report}");
            }
        }
    }

    /// A program that needs more than the kind finds the cause.
    #[test]
    fn keep_their_cause() {
        let error = leanhttp::get(format!("http://{}/", net::refused())).unwrap_err();
        let cause = error.get_ref().unwrap().downcast_ref::<io::Error>().unwrap();
        assert_eq!(cause.kind(), io::ErrorKind::ConnectionRefused);
    }

    /// The stand-in for an `io::Error` among the sources has its kind and its sources, and the original is kept.
    #[test]
    fn have_an_io_error_of_the_kind_among_their_sources() {
        let error = leanhttp::get(format!("http://{}/", net::refused())).unwrap_err();
        let source = error.source().unwrap().downcast_ref::<io::Error>().unwrap();
        assert_eq!(source.kind(), io::ErrorKind::ConnectionRefused);
        let cause = error.get_ref().unwrap().downcast_ref::<io::Error>().unwrap();
        assert!(cause.raw_os_error().is_some());
        assert!(error.to_string().ends_with(&cause.to_string()), "{error}");
        let error = io::Error::from(error);
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }

    /// A URL that cannot be parsed is an error of the request that would have had it.
    #[test]
    fn come_from_urls_and_become_io_errors_by_a_question_mark() {
        fn parsed(text: &str) -> leanhttp::Result<leanhttp::Url> {
            Ok(leanhttp::Url::parse(text)?)
        }
        fn read(text: &str) -> io::Result<()> {
            parsed(text)?;
            Ok(())
        }
        let error = parsed("users").unwrap_err();
        assert_eq!((error.kind(), error.fault()), (Kind::Builder, Fault::Caller));
        assert!(error.to_string().starts_with("URL: relative URL without a base"), "{error}");
        assert!(read("users").unwrap_err().get_ref().unwrap().is::<Error>());
    }

    /// Only on a port that servers use for TLS, and not on a connection that has worked before.
    #[test]
    fn ask_whether_a_silent_port_is_for_tls() {
        const NOTE: &str = "; servers usually speak TLS on this port: is it an https URL?";
        let get = |port: u16, before: Vec<Step>| {
            let count = before.len() / 2;
            let server =
                Script::serve(vec![[before, vec![Step::ExpectRequest, Step::Close]].concat()]);
            let target = server.addr().to_string();
            let client =
                Client::builder().no_proxy().connect_to(&format!("a.test:{port}"), &target);
            let client = client.build().unwrap();
            let url = format!("http://a.test:{port}/");
            for _ in 0..count {
                client.post(&url).send().unwrap();
            }
            client.post(&url).send().unwrap_err().to_string().contains(NOTE)
        };
        let ok = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        assert!(get(443, vec![]) && get(8443, vec![]));
        assert!(!get(80, vec![]) && !get(444, vec![]) && !get(8443, answer(ok)));
    }

    /// The error is one line, whatever the text of its cause.
    #[test]
    fn are_one_line() {
        let policy = Policy::custom(|attempt| attempt.error("one\r\ntwo\n"));
        let moved = "HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n";
        let server = Script::serve(vec![answer(moved)]);
        let client = Client::builder().redirect(policy).build().unwrap();
        let line = client.get(server.url("/")).send().unwrap_err().to_string();
        assert!(line.ends_with(": one  two "), "{line:?}");
    }

    /// A reader returns an `io::Error` of a matching kind that contains the whole error.
    #[test]
    fn pass_through_readers() {
        let chunk = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        let rows = [
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nx".to_owned(),
                io::ErrorKind::UnexpectedEof,
            ),
            (format!("{chunk}x"), io::ErrorKind::InvalidData),
            (
                "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\nx"
                    .to_owned(),
                io::ErrorKind::InvalidData,
            ),
        ];
        for (answered, kind) in rows {
            let steps = vec![Step::ExpectRequest, send(answered), Step::Close];
            let server = Script::serve(vec![steps]);
            let mut response = Client::new().get(server.url("/")).send().unwrap();
            let error = response.read_to_string(&mut String::new()).unwrap_err();
            assert_eq!(error.kind(), kind);
            let inner = error.into_inner().unwrap().downcast::<Error>().unwrap();
            assert_eq!(inner.url().unwrap().as_str(), server.url("/"));
        }
    }
}

mod status {
    use super::*;

    /// The server's explanation stays readable, and its connection stays reusable.
    #[test]
    fn error_for_status_keeps_the_response() {
        let refusal = "HTTP/1.1 404 Not Found\r\nx: y\r\ncontent-length: 8\r\n\r\nnot here";
        let turns = [answer(refusal), answer(refusal), answer(ok("found"))].concat();
        let server = Script::serve(vec![turns]);
        let client = Client::new();
        let get = || client.get(server.url("/lost")).send().unwrap();

        let error = get().error_for_status().unwrap_err();
        let line = format!("404 Not Found for {}", server.url("/lost"));
        assert_eq!(error.to_string(), line);
        assert_eq!((error.kind(), error.fault()), (Kind::Status, Fault::Peer));
        assert!(error.is_status() && !error.is_request());
        assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
        assert_eq!(error.url().unwrap().as_str(), server.url("/lost"));
        let response = Response::try_from(error).unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["x"]),
            (404, &"y".parse().unwrap())
        );
        assert_eq!(response.text().unwrap(), "not here");

        // After `error_for_status_ref` the caller still has the response.
        let response = get();
        let error = response.error_for_status_ref().unwrap_err();
        assert_eq!((error.to_string(), error.status()), (line, Some(StatusCode::NOT_FOUND)));
        assert!(error.into_response().unwrap_err().is_status());
        assert_eq!(response.text().unwrap(), "not here");

        let response = get().error_for_status().unwrap();
        response.error_for_status_ref().unwrap();
        assert_eq!(response.text().unwrap(), "found");
    }

    #[test]
    fn error_for_status_fails_from_400_on() {
        for (status, is_error) in
            [(200, false), (304, false), (399, false), (400, true), (599, true), (600, false)]
        {
            let bare = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n");
            let server = Script::serve(vec![answer(bare)]);
            let client = Client::builder().redirect(Policy::none()).build().unwrap();
            let response = client.get(server.url("/")).send().unwrap();
            assert_eq!(response.error_for_status().is_err(), is_error, "{status}");
        }
    }

    /// Errors without a response are returned unchanged.
    #[test]
    fn an_error_without_a_response_is_returned_unchanged() {
        let error = leanhttp::get("no url").unwrap_err();
        let line = error.to_string();
        assert_eq!(error.into_response().unwrap_err().to_string(), line);
    }
}

mod urls {
    use super::*;

    /// After redirects it is the URL of the failing hop.
    #[test]
    fn belong_to_the_failing_hop() {
        let moved = "HTTP/1.1 302 Found\r\nlocation: /second#f\r\ncontent-length: 0\r\n\r\n";
        let hops = [answer(moved), vec![Step::ExpectRequest, Step::Close]].concat();
        let server = Script::serve(vec![hops, vec![Step::ExpectRequest, Step::Close]]);
        let error = Client::new().get(server.url("/first")).send().unwrap_err();
        assert_eq!(error.url().unwrap().as_str(), server.url("/second#f"));
    }

    /// The caller can hide a URL with a token in its query.
    #[test]
    fn can_be_changed_and_removed() {
        let addr = net::refused();
        let mut error = leanhttp::get(format!("http://{addr}/?token=secret")).unwrap_err();
        error.url_mut().unwrap().set_query(None);
        assert!(
            error.to_string().starts_with(&format!("connecting to {addr} for http://{addr}/: "))
        );
        let error = error.with_url(Url::parse("http://other.test/").unwrap());
        assert!(error.to_string().contains("http://other.test/"));
        let error = error.without_url();
        assert!(error.to_string().starts_with(&format!("connecting to {addr}: ")), "{error}");
        assert_eq!(error.url(), None);
    }
}

/// A JSON error names what is wrong and the position.
#[cfg(feature = "json")]
mod json {
    use super::*;

    #[test]
    fn errors_name_the_position() {
        let rows = [
            (
                "{\"a\": [1, 2,, 3]}",
                r#"JSON near "{\"a\": [1, 2,, 3]}": expected value at line 1 column 13"#,
            ),
            (
                "{\n \"a\": oops\n}",
                r#"JSON near " \"a\": oops": expected value at line 2 column 7"#,
            ),
            ("[1, 2", r#"JSON near "[1, 2": EOF while parsing a list at line 1 column 5"#),
            ("", r#"JSON near "": EOF while parsing a value at line 1 column 0"#),
            ("[1] x", r#"JSON near "[1] x": trailing characters at line 1 column 5"#),
        ];
        for (body, reason) in rows {
            let server = Script::serve(vec![answer(ok(body))]);
            let response = Client::new().get(server.url("/")).send().unwrap();
            let error = response.json::<serde_json::Value>().unwrap_err();
            let line = format!("decoding the response body for {}: {reason}", server.url("/"));
            assert_eq!(error.to_string(), line);
            assert!(error.is_decode() && !error.is_body());
            assert_eq!(error.kind(), Kind::Decode);
        }
    }

    /// Valid JSON of the wrong shape is an error too, which shows a large body in part.
    #[test]
    fn errors_show_a_body_of_the_wrong_shape() {
        let body = format!("{{\"pad\": \"{}\", \"a\": \"text\"}}", "x".repeat(10_000));
        let server = Script::serve(vec![answer(ok(body))]);
        let response = Client::new().get(server.url("/")).send().unwrap();
        let error = response.json::<std::collections::HashMap<String, u32>>().unwrap_err();
        let line = error.to_string();
        assert!(line.contains("invalid type: string"), "{line}");
        assert!(line.ends_with("at line 1 column 10010"), "{line}");
        assert!(error.get_ref().unwrap().is::<serde_json::Error>());
        assert!(line.len() < 500, "{}", line.len());
    }
}

/// An error status is not an error until `error_for_status` is called.
#[test]
fn error_statuses_are_responses_by_default() {
    let server = Httpbin::start();
    for status in [400, 404, 418, 500, 503] {
        let response = leanhttp::get(server.url(&format!("/status/{status}"))).unwrap();
        assert_eq!(response.status().as_u16(), status);
    }
}

/// `unwrap` and a `main` that returns the error print `{:?}`.
#[test]
fn debug_shows_the_line_and_alternate_debug_the_structure() {
    let error = leanhttp::get("http://user:hunter2@127.0.0.1:0/").unwrap_err();
    assert_eq!(format!("{error:?}"), error.to_string());
    let structure = format!("{error:#?}");
    assert!(structure.contains("kind: ") && structure.contains("phase: "), "{structure}");
    assert!(!format!("{error:?}{structure}").contains("hunter2"));
}

/// The types may cross `catch_unwind` without a wrapper.
#[test]
fn types_are_unwind_safe() {
    fn check<T: UnwindSafe + RefUnwindSafe>() {}
    check::<Client>();
    check::<ClientBuilder>();
    check::<RequestBuilder>();
    check::<Response>();
    check::<Error>();
    check::<Policy>();
    check::<leanhttp::retry::Policy>();
    check::<leanhttp::Proxy>();
    check::<leanhttp::cookie::Jar>();
}
