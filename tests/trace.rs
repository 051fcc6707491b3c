//! The spans of the feature `tracing`: one for each call, below it one for each attempt and each connection, by
//! the OpenTelemetry conventions.
#![cfg(all(feature = "blocking", feature = "tracing"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::io::Read as _;

use leanhttp::blocking::{Client, ClientBuilder};
use leanhttp::{Method, redirect};

use support::net;
use support::script::{Script, Step, answer, moved, ok, send};
use support::spans::{RecordedSpan, Recorder, alone};

fn client(change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
    change(Client::builder().no_proxy()).build().unwrap()
}

#[test]
fn a_call_has_a_span_and_each_attempt_and_each_connection_one_below_it() {
    let recorder = Recorder::default();
    let target = Script::serve(vec![answer(ok("1"))]);
    let server = Script::serve(vec![moved(302, &target.url("/to?q=s3cret"))]);
    let url = server.url("/from?q=s3cret#s3cret").replace("http://", "http://user:s3cret@");
    let body = recorder.run(|| client(|client| client).get(url).send().unwrap().text().unwrap());
    assert_eq!(body, "1");

    let spans = recorder.spans();
    let names: Vec<_> = spans.iter().map(|span| span.name).collect();
    assert_eq!(names, ["request", "attempt", "connect", "attempt", "connect"]);
    let parents: Vec<_> = spans.iter().map(|span| span.parent).collect();
    assert_eq!(parents, [None, Some(0), Some(1), Some(0), Some(3)]);
    assert!(spans.iter().all(|span| span.is_closed), "{spans:#?}");
    assert!(!format!("{spans:?}").contains("s3cret"), "{spans:#?}");

    let (from, to) = (server.addr(), target.addr());
    spans[0].has("otel.kind", "internal");
    spans[0].has("http.request.method", "GET");
    spans[0].has("url.full", &server.url("/from"));
    spans[0].has("http.response.status_code", "200");
    let attempts = [(&spans[1], from, "/from", "302"), (&spans[3], to, "/to", "200")];
    for (span, address, path, status) in attempts {
        span.has("otel.name", "GET");
        span.has("otel.kind", "client");
        span.has("http.request.method", "GET");
        span.has("url.full", &format!("http://{address}{path}"));
        span.has("server.address", &address.ip().to_string());
        span.has("server.port", &address.port().to_string());
        span.has("http.response.status_code", status);
        span.has("network.protocol.version", "1.1");
        span.has("network.peer.address", &address.ip().to_string());
        span.has("network.peer.port", &address.port().to_string());
        span.has_not("error.type");
        span.has_not("http.request.method_original");
    }
    spans[1].has_not("http.request.resend_count");
    spans[3].has("http.request.resend_count", "1");
    spans[2].has("server.port", &from.port().to_string());
    spans[2].has("network.peer.port", &from.port().to_string());
}

#[test]
fn a_reused_connection_has_no_span() {
    let recorder = Recorder::default();
    let server = Script::serve(vec![[answer(ok("1")), answer(ok("2"))].concat()]);
    let client = client(|client| client);
    let get = || client.get(server.url("/")).send().unwrap().text().unwrap();
    recorder.run(|| (get(), get()));
    let names: Vec<_> = recorder.spans().iter().map(|span| span.name).collect();
    assert_eq!(names, ["request", "attempt", "connect", "request", "attempt"]);
}

#[test]
fn a_method_that_the_conventions_do_not_know_is_other() {
    let recorder = Recorder::default();
    let server = Script::serve(vec![answer(ok("1"))]);
    let method = Method::from_bytes(b"PROPFIND").unwrap();
    let client = client(|client| client);
    recorder.run(|| client.request(method, server.url("/")).send().unwrap().text().unwrap());
    let attempt = &recorder.spans()[1];
    attempt.has("otel.name", "HTTP");
    attempt.has("http.request.method", "_OTHER");
    attempt.has("http.request.method_original", "PROPFIND");
}

#[test]
fn an_error_has_its_kind_and_a_status_of_400_or_more_itself() {
    let failed = |recorder: &Recorder, expected: &[(&str, Option<&str>)]| {
        let spans = recorder.spans();
        let found = |span: &RecordedSpan| span.fields.get("error.type").cloned();
        let found: Vec<_> = spans.iter().map(|span| (span.name, found(span))).collect();
        let expected = expected.iter().map(|(name, kind)| (*name, kind.map(str::to_owned)));
        assert_eq!(found, expected.collect::<Vec<_>>());
        for span in spans.iter().filter(|span| span.fields.contains_key("error.type")) {
            span.has("otel.status_code", "ERROR");
        }
        assert!(spans.iter().all(|span| span.is_closed), "{spans:#?}");
    };
    let plain = client(|client| client);

    let recorder = Recorder::default();
    let url = format!("http://{}/", net::refused());
    recorder.run(|| plain.get(url).send().unwrap_err());
    let connect = Some("Connect");
    failed(&recorder, &[("request", connect), ("attempt", connect), ("connect", connect)]);

    let recorder = Recorder::default();
    let server = Script::serve(vec![answer("HTTP/1.1 404 Gone\r\ncontent-length: 0\r\n\r\n")]);
    recorder.run(|| plain.get(server.url("/")).send().unwrap().text().unwrap());
    let status = Some("404");
    failed(&recorder, &[("request", status), ("attempt", status), ("connect", None)]);

    let recorder = Recorder::default();
    let cut = send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc");
    let server = Script::serve(vec![vec![Step::ExpectRequest, cut, Step::Close]]);
    recorder.run(|| plain.get(server.url("/")).send().unwrap().text().unwrap_err());
    let cut = Some("Truncated");
    failed(&recorder, &[("request", cut), ("attempt", cut), ("connect", None)]);
}

#[test]
fn spans_are_open_until_the_body_has_ended_and_entered_only_while_the_client_works() {
    let recorder = Recorder::default();
    let server = Script::serve(vec![moved(302, "/to"), answer(ok("nine byte"))]);
    let tell = redirect::Policy::custom(|attempt| {
        tracing::info!(target: "leanhttp::test", "redirected");
        attempt.follow()
    });
    let client = client(|client| client.redirect(tell));
    recorder.run(|| {
        let mut response = client.get(server.url("/")).send().unwrap();
        assert_eq!(recorder.events(), [("redirected".to_owned(), Some(0))], "within the request");
        assert_eq!(
            recorder.entered(),
            [0; 0],
            "nothing is entered between two calls of the client"
        );
        let open = || recorder.spans().iter().filter(|span| !span.is_closed).count();
        response.read_exact(&mut [0; 5]).unwrap();
        assert_eq!(recorder.entered(), [0; 0]);
        assert_eq!(open(), 2, "the request and its last attempt");
        response.read_exact(&mut [0; 4]).unwrap();
        assert_eq!(open(), 0, "the body has ended");
    });
}

/// The response of one call is read after that of another, on the same thread.
#[test]
fn the_spans_of_two_calls_on_one_thread_do_not_mix() {
    let recorder = Recorder::default();
    let servers = [answer(ok("nine byte")), answer(ok("2"))].map(|it| Script::serve(vec![it]));
    let client = client(|client| client);
    recorder.run(|| {
        let first = client.get(servers[0].url("/first")).send().unwrap();
        client.get(servers[1].url("/second")).send().unwrap().text().unwrap();
        let spans = recorder.spans();
        let requests: Vec<_> = spans.iter().filter(|span| span.name == "request").collect();
        assert_eq!(requests.len(), 2);
        assert!(requests.iter().all(|span| span.parent.is_none()), "{requests:#?}");
        assert!(!requests[0].is_closed && requests[1].is_closed, "{requests:#?}");
        drop(first);
        assert!(recorder.spans().iter().all(|span| span.is_closed));
    });
}

#[test]
fn a_call_without_a_subscriber_has_no_span() {
    let _alone = alone();
    let recorder = Recorder::default();
    let server = Script::serve(vec![answer(ok("1"))]);
    client(|client| client).get(server.url("/")).send().unwrap().text().unwrap();
    assert!(recorder.spans().is_empty());
}
