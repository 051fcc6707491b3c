//! Redirects (RFC 9110 §15.4) over real sockets: their targets, the requests to them, and their
//! number.
#![cfg(all(feature = "blocking", feature = "tls", feature = "gzip"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use leanhttp::blocking::{Body, Client, ClientBuilder};
use leanhttp::header::{HeaderName, HeaderValue};
use leanhttp::redirect::Policy;

use support::httpbin::Httpbin;
use support::script::{Script, Step, answer, moved, ok, send};

/// A client for which several hosts are this peer.
fn at(server: &Script) -> ClientBuilder {
    let builder = Client::builder();
    ["a.test", "b.test"].into_iter().fold(builder, |b, host| b.resolve(host, server.addr()))
}

fn client(policy: Policy) -> Client {
    Client::builder().redirect(policy).build().unwrap()
}

/// RFC 9112 §9.5: the response arrives before the body was read; the next hop gets all of the body.
#[test]
fn a_redirect_during_an_upload_sends_the_whole_body_again() {
    let moved = "HTTP/1.1 307 Moved\r\nlocation: /next\r\ncontent-length: 0\r\n\r\n";
    let first = vec![Step::ExpectHead, send(moved), Step::Silent];
    let server = Script::serve(vec![first, answer(ok("done"))]);
    let body = vec![b'x'; 8 << 20];
    let length = body.len();
    let response = Client::new().put(server.url("/")).body(body).send().unwrap();
    assert_eq!(response.text().unwrap(), "done");
    server.join();
    let second = server.received_text(1);
    let (head, body) = second.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("PUT /next "), "{head}");
    assert_eq!(body.len(), length);
}

/// They stay with their origin wherever they are set, and are not sent again on the way back.
#[test]
fn sensitive_trailers_stay_with_their_origin() {
    let fields = || {
        let mut secret = HeaderValue::from_static("secret");
        secret.set_sensitive(true);
        let fields = [("x-signature", secret), ("x-sum", HeaderValue::from_static("1"))];
        fields.map(|(name, value)| (HeaderName::from_static(name), value)).into_iter().collect()
    };
    for body in
        [Body::from("abc").with_trailers(fields()), Body::from("abc").with_trailers_from(fields)]
    {
        let hops = ["/", "http://b.test/", "http://a.test/"].map(|location| moved(307, location));
        let server = Script::serve([&hops[..], &[answer(ok(""))]].concat());
        at(&server).build().unwrap().put("http://a.test/").body(body).send().unwrap();
        server.join();
        for (hop, is_trusted) in [true, true, false, false].into_iter().enumerate() {
            let request = server.received_text(hop);
            assert!(request.contains("\r\nx-sum: 1\r\n"), "{hop}: {request}");
            assert_eq!(request.contains("secret"), is_trusted, "{hop}: {request}");
            assert_eq!(request.contains("x-signature"), is_trusted, "{hop}: {request}");
        }
    }
}

mod limits {
    use super::*;

    /// A limit counts redirects, not requests.
    #[test]
    fn a_limit_counts_redirects() {
        let server = Httpbin::start();
        for (limit, path, is_followed) in [
            (0, "/get", true),
            (0, "/redirect/1", false),
            (2, "/redirect/2", true),
            (2, "/redirect/3", false),
            (20, "/redirect/20", true),
        ] {
            let outcome = client(Policy::limited(limit)).get(server.url(path)).send();
            assert_eq!(outcome.is_ok(), is_followed, "{limit} {path}");
        }
    }

    /// The `Location` may have any value, because it is not followed.
    #[test]
    fn none_makes_the_redirect_the_response() {
        for location in
            ["/next", "ftp://h/", "http://u:p@h/", "http://h:99999/", "/a\r\nlocation: /b"]
        {
            let server = Script::serve(vec![moved(302, location)]);
            let response = client(Policy::none()).get(server.url("/")).send().unwrap();
            assert_eq!(response.status(), 302, "{location:?}");
            assert!(location.starts_with(response.headers()["location"].to_str().unwrap()));
            assert_eq!(response.url().as_str(), server.url("/"));
            assert_eq!(response.text().unwrap(), "body");
        }
    }

    #[test]
    fn a_custom_policy_decides() {
        let server = Httpbin::start();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let for_policy = Arc::clone(&seen);
        let stop_at_2 = client(Policy::custom(move |attempt| {
            let previous = attempt.previous().len();
            let url = attempt.url().path().to_owned();
            for_policy.lock().unwrap().push((attempt.status().as_u16(), url, previous));
            if attempt.url().path().ends_with("/2") { attempt.stop() } else { attempt.follow() }
        }));
        let response = stop_at_2.get(server.url("/redirect/4")).send().unwrap();
        assert_eq!(response.status(), 302);
        assert_eq!(response.url().path(), "/relative-redirect/3");
        let expected = [(302, "/relative-redirect/3", 1), (302, "/relative-redirect/2", 2)];
        assert_eq!(
            *seen.lock().unwrap(),
            expected.map(|(status, url, previous)| (status, url.to_owned(), previous))
        );

        let refuse = client(Policy::custom(|attempt| attempt.error("not today")));
        let error = refuse.get(server.url("/redirect/1")).send().unwrap_err();
        assert!(error.is_redirect());
        assert!(error.to_string().ends_with("/get: not today"), "{error}");

        let endless = client(Policy::custom(|attempt| attempt.follow()));
        assert_eq!(endless.get(server.url("/redirect/30")).send().unwrap().status(), 200);
    }
}

mod targets {
    use super::*;

    /// RFC 9110 §10.2.2: relative to the current URL; a fragment is inherited and never sent.
    #[test]
    fn are_resolved_against_the_current_url() {
        let rows = [
            ("/next", "http://a.test/next#f"),
            ("next", "http://a.test/a/next#f"),
            ("../next", "http://a.test/next#f"),
            ("?p", "http://a.test/a/b?p#f"),
            ("#own", "http://a.test/a/b?q#own"),
            ("//b.test/x", "http://b.test/x#f"),
            ("/\\b.test/x", "http://b.test/x#f"),
            ("http://b.test", "http://b.test/#f"),
            ("HTTP://B.test:80/x#own", "http://b.test/x#own"),
            ("http://a.test:81/?x", "http://a.test:81/?x#f"),
            ("/caf\u{e9} x", "http://a.test/caf%C3%A9%20x#f"),
            ("/%2e%2e/%2F", "http://a.test/%2F#f"),
        ];
        for (location, url) in rows {
            let server = Script::serve(vec![moved(302, location), answer(ok(""))]);
            let client = at(&server).build().unwrap();
            let response = client.get("http://a.test/a/b?q#f").send().unwrap();
            assert_eq!(response.url().as_str(), url);
            server.join();
            let (host, target) = url["http://".len()..].split_once('/').unwrap();
            let target = target.split('#').next().unwrap();
            let head = format!("GET /{target} HTTP/1.1\r\nhost: {host}\r\n");
            assert!(server.received_text(1).starts_with(&head), "{}", server.received_text(1));
        }
    }

    /// RFC 9110 §15.4: these are final responses, and so is a redirect without a target.
    #[test]
    fn other_responses_are_final() {
        let rows = [(300, "/a"), (304, "/a"), (305, "/a"), (306, "/a"), (201, "/a"), (302, "")];
        for (status, location) in rows {
            let server = Script::serve(vec![moved(status, location)]);
            let response = Client::new().get(server.url("/")).send().unwrap();
            assert_eq!(response.status(), status);
        }
        let bare = "HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n";
        let server = Script::serve(vec![answer(bare)]);
        assert_eq!(Client::new().get(server.url("/")).send().unwrap().status(), 302);
    }
}

/// The body of a redirect is drained if that is cheap; otherwise the connection is closed.
mod bodies {
    use super::*;

    #[test]
    fn small_ones_are_drained() {
        let server = Httpbin::start();
        assert_eq!(Client::new().get(server.url("/redirect/5")).send().unwrap().status(), 200);
        assert_eq!((server.requests_seen().len(), server.connections_opened()), (6, 1));
    }

    /// A body that ends too early is not waited for.
    #[test]
    fn truncated_ones_are_not_waited_for() {
        let cut = "HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 9\r\n\r\nhalf";
        let hop = vec![Step::ExpectRequest, send(cut), Step::Close];
        let server = Script::serve([vec![hop; 100], vec![answer(ok("there"))]].concat());
        let start = Instant::now();
        let response = client(Policy::limited(100)).get(server.url("/")).send().unwrap();
        assert_eq!(response.text().unwrap(), "there");
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }

    #[test]
    fn large_endless_and_slow_ones_are_not_drained() {
        let large = format!("content-length: 5000000\r\n\r\n{}", "x".repeat(5_000_000));
        let chunked = format!(
            "transfer-encoding: chunked\r\n\r\n{}",
            format!("4000\r\n{}\r\n", "x".repeat(0x4000)).repeat(300)
        );
        let rows = [
            large,
            chunked,
            format!("\r\n{}", "x".repeat(5_000_000)),
            "content-length: 10\r\n\r\nx".to_owned(),
            "transfer-encoding: chunked\r\n\r\n".to_owned(),
            "\r\n".to_owned(),
        ];
        for rest in rows {
            let moved = format!("HTTP/1.1 302 Found\r\nlocation: /next\r\n{rest}");
            let first = vec![Step::ExpectRequest, send(moved)];
            let server = Script::serve(vec![first, answer(ok("next"))]);
            let response = Client::new().get(server.url("/")).send().unwrap();
            assert_eq!(response.text().unwrap(), "next");
        }
    }
}

/// The body of a redirect often arrives in a packet of its own, right after the head. A short wait
/// for it saves a connection; an unlimited wait would not.
mod skipped_bodies {
    use super::*;

    const REDIRECT: &str = "HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 4\r\n\r\n";

    #[test]
    fn a_body_that_arrives_soon_is_drained() {
        let peer = Script::serve(vec![vec![
            Step::ExpectRequest,
            send(REDIRECT),
            Step::Pause(Duration::from_millis(10)),
            send("body"),
            Step::ExpectRequest,
            send(ok("done")),
        ]]);
        let response = Client::new().get(peer.url("/")).send().unwrap();
        assert_eq!(response.text().unwrap(), "done");
        assert_eq!(peer.accepted(), 1);
    }

    #[test]
    fn a_missing_body_is_not_waited_for() {
        let stalled = vec![Step::ExpectRequest, send(REDIRECT), Step::Silent];
        let peer = Script::serve(vec![stalled, vec![Step::ExpectRequest, send(ok("done"))]]);
        let client = Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
        assert_eq!(client.get(peer.url("/")).send().unwrap().text().unwrap(), "done");
        assert_eq!(peer.accepted(), 2);
    }
}

/// A request has a policy of its own in place of the client's, for fields too.
#[test]
fn the_policy_of_a_request_replaces_that_of_the_client() {
    let to_b = || moved(302, "http://b.test/");
    let followed = [to_b(), answer(ok(""))];
    let server = Script::serve([&[to_b()], &followed[..], &followed, &[to_b()]].concat());
    let tenant = HeaderName::from_static("x-tenant");
    let client = at(&server).redirect(Policy::none()).pool_max_idle_per_host(0).build().unwrap();
    let get = || client.get("http://a.test/").header(&tenant, "7");
    assert_eq!(get().send().unwrap().status(), 302);
    assert_eq!(get().redirect(Policy::default()).send().unwrap().status(), 200);
    let strict = Policy::limited(1).strip_cross_origin([tenant.clone()]);
    assert_eq!(get().redirect(strict).send().unwrap().status(), 200);
    let copy = get().redirect(Policy::limited(0)).try_clone().unwrap();
    assert!(copy.send().unwrap_err().is_redirect(), "a copy has it too");
    server.join();
    let has_tenant = [2, 4].map(|hop| server.received_text(hop).contains("x-tenant: 7"));
    assert_eq!(has_tenant, [true, false]);
}

/// Each request that was redirected, in order, and no other attempt.
#[test]
fn a_response_has_the_history_of_its_redirects() {
    let busy = answer("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let hops = [moved(301, "/b#f"), busy, moved(307, "http://b.test/c"), answer(ok("done"))];
    let server = Script::serve(hops.to_vec());
    let again = leanhttp::retry::Policy::new().backoff(Duration::ZERO, Duration::ZERO);
    let client = at(&server).retry(again).build().unwrap();
    let response = client.get("http://u:s3cret@a.test/a?q").send().unwrap();
    let history: Vec<_> =
        response.history().iter().map(|hop| (hop.url().as_str(), hop.status())).collect();
    let expected = [("http://a.test/a?q", 301), ("http://a.test/b#f", 307)];
    assert_eq!(history, expected.map(|(url, status)| (url, status.try_into().unwrap())));
    assert_eq!(response.url().as_str(), "http://b.test/c#f");
    assert_eq!(response.elapsed(), response.timings().unwrap().total());
    assert!(response.elapsed() > Duration::ZERO);
    server.join();

    let server = Script::serve(vec![moved(302, "/b"), moved(302, "/c")]);
    let stops = Policy::custom(|attempt| match attempt.url().path() {
        "/c" => attempt.stop(),
        _ => attempt.follow(),
    });
    let client = at(&server).redirect(stops).build().unwrap();
    let response = client.get("http://a.test/a").send().unwrap();
    let history: Vec<_> = response.history().iter().map(|hop| hop.url().path()).collect();
    assert_eq!((history, response.url().path()), (vec!["/a"], "/b"), "the response is not of it");
}
