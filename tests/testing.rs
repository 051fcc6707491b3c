//! Tests without a server, on both clients: answers of a function, expectations, faults of the network, the clock.
#![cfg(all(
    feature = "testing",
    feature = "middleware",
    feature = "blocking",
    feature = "tls",
    feature = "gzip",
    feature = "cookies",
    feature = "json"
))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use leanhttp::blocking::{Body, Client, ClientBuilder};
use leanhttp::error::{Kind, Phase};
use leanhttp::testing::{
    HostFault, MemoryNetwork, Mock, NetworkClock, ReceivedRequest, Reply, in_turn,
};
use leanhttp::{CancelToken, EgressPolicy, Method, StatusCode, redirect, retry};
use serde_json::json;

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

/// A client of a network whose only server answers so.
fn served(reply: Reply) -> (MemoryNetwork, ClientBuilder) {
    let network = MemoryNetwork::new();
    network.serve("http://a.test", move |_| reply.clone()).unwrap();
    let builder = Client::builder().network(&network);
    (network, builder)
}

/// The text of the error with which a body or its request fails.
fn failure(client: &Client) -> leanhttp::Error {
    client.get("http://a.test/x").send().and_then(|response| response.text()).unwrap_err()
}

mod an_answer {
    use super::*;

    #[test]
    fn sees_the_request_as_it_is_sent() {
        let client = Client::builder()
            .user_agent("tests")
            .basic_auth("user", Some("pass"))
            .answer_with(|request| {
                let names: Vec<_> = request.headers().keys().map(|name| name.as_str()).collect();
                assert_eq!(request.header("host"), Some("a.test:8080"));
                assert_eq!(request.header("authorization"), Some("Basic dXNlcjpwYXNz"));
                assert_eq!(request.header("user-agent"), Some("tests"));
                assert!(names.contains(&"accept-encoding"), "{names:?}");
                Reply::ok(format!("{} {} {}", request.method(), request.url(), request.text()))
            })
            .build()
            .unwrap();
        let url = "http://a.test:8080/p?q=1";
        let send = |body: Body| client.post(url).body(body).send().unwrap().text().unwrap();
        assert_eq!(send(Body::from("in memory")), format!("POST {url} in memory"));
        let reader = std::io::Cursor::new("from a reader");
        assert_eq!(send(Body::new(reader)), format!("POST {url} from a reader"));
    }

    #[test]
    fn may_be_a_response_a_reply_or_a_result() {
        let client = Client::builder()
            .answer_with(|request| match request.url().path() {
                "/response" => {
                    Ok(Reply::from(http::Response::builder().status(201).body("made").unwrap()))
                }
                "/reply" => Ok(Reply::ok("hello").chunked()),
                _ => Err(Kind::Connect),
            })
            .build()
            .unwrap();
        let made = client.get("https://a.test/response").send().unwrap();
        assert_eq!((made.status(), made.text().unwrap()), (StatusCode::CREATED, "made".to_owned()));
        assert_eq!(client.get("https://a.test/reply").send().unwrap().text().unwrap(), "hello");
        let error = client.get("https://a.test/error").send().unwrap_err();
        assert_eq!((error.kind(), error.phase()), (Kind::Connect, Phase::Connect));
        assert_eq!(
            error.to_string(),
            "connecting to the server for https://a.test/error: a failure that the test has asked for"
        );
    }

    #[test]
    fn that_is_an_error_is_not_sent_again_on_a_pooled_connection() {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let client = Client::builder()
            .answer_with(move |_| match counted.fetch_add(1, Ordering::Relaxed) {
                0 => Ok(Reply::ok("first")),
                _ => Err(Kind::Io),
            })
            .build()
            .unwrap();
        assert_eq!(client.get("http://a.test/").send().unwrap().text().unwrap(), "first");
        assert_eq!(client.get("http://a.test/").send().unwrap_err().kind(), Kind::Io);
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn stands_below_redirects_cookies_retries_and_decoding() {
        let client = Client::builder()
            .cookie_store(true)
            .retry(retry::Policy::new())
            .answer_with(in_turn([
                Reply::status(302).header("location", "/b").header("set-cookie", "c=1"),
                Reply::status(503),
                Reply::status(200),
            ]))
            .build()
            .unwrap();
        let response = client.get("http://a.test/a").send().unwrap();
        assert_eq!((response.status(), response.url().path()), (StatusCode::OK, "/b"));
        let error = client.get("http://a.test/c").send().unwrap_err();
        assert_eq!(
            error.to_string(),
            "reading the response head for http://a.test/c: in_turn has only 3 replies, and \
             another request came: GET http://a.test/c"
        );
        let client = Client::builder()
            .cookie_store(true)
            .answer_with(|request| match request.header("cookie") {
                None => Reply::ok("none").header("set-cookie", "c=1"),
                Some(cookie) => Reply::ok(cookie.to_owned()),
            })
            .build()
            .unwrap();
        let text = || client.get("http://a.test/").send().unwrap().text().unwrap();
        assert_eq!([text(), text()], ["none", "c=1"]);
    }

    #[test]
    fn may_panic_and_leaves_the_client_usable() {
        let client = Client::builder()
            .pool_max_open_per_host(1)
            .answer_with(|request| match request.url().path() {
                "/panic" => panic!("of the answer"),
                _ => Reply::ok("fine"),
            })
            .build()
            .unwrap();
        for _ in 0..3 {
            let panicking = AssertUnwindSafe(|| client.get("http://a.test/panic").send());
            assert!(catch_unwind(panicking).is_err());
            assert_eq!(client.get("http://a.test/").send().unwrap().text().unwrap(), "fine");
        }
    }

    #[test]
    fn to_head_has_no_body_and_keeps_its_length() {
        let client = Client::builder().answer_with(|_| Reply::ok("12345")).build().unwrap();
        let response = client.head("http://a.test/").send().unwrap();
        assert_eq!(response.headers()["content-length"], "5");
        assert_eq!(response.text().unwrap(), "");
    }

    #[test]
    fn comes_after_a_request_that_expects_continue() {
        let client = Client::builder()
            .answer_with(|request| Reply::ok(request.body().clone()))
            .build()
            .unwrap();
        let request = client.post("http://a.test/").expect_continue(true).body("the body");
        assert_eq!(request.send().unwrap().text().unwrap(), "the body");
    }

    #[test]
    fn serves_through_a_proxy_of_the_client() {
        for url in ["http://a.test/", "https://a.test/"] {
            let client = Client::builder()
                .answer_with(|request| Reply::ok(request.url().to_string()))
                .proxy(leanhttp::Proxy::all("http://proxy.test:3128").unwrap())
                .build()
                .unwrap();
            assert_eq!(client.get(url).send().unwrap().text().unwrap(), url);
        }
    }

    #[test]
    fn with_a_broken_field_is_an_error_that_says_so() {
        let reply = Reply::ok("").header("a b", "c");
        let client = Client::builder().answer_with(move |_| reply.clone()).build().unwrap();
        let error = client.get("http://a.test/").send().unwrap_err();
        assert!(error.to_string().contains("a reply has an invalid field"), "{error}");
    }
}

mod an_expectation {
    use super::*;

    /// The text of the difference of this request to the only expectation.
    fn miss(
        mock: &Mock,
        request: impl FnOnce(&Client) -> leanhttp::blocking::RequestBuilder,
    ) -> String {
        let client = Client::builder().mock(mock).build().unwrap();
        let error = request(&client).send().unwrap_err();
        assert_eq!(error.kind(), Kind::Unexpected);
        mock.forget();
        let text = error.to_string();
        text.split_once(": no expectation matches ")
            .map(|(_, miss)| miss.to_owned())
            .unwrap_or(text)
    }

    #[test]
    fn that_matches_answers() {
        let mock = Mock::new();
        mock.expect(Method::GET, "https://a.test/users/*?page=2")
            .header("accept", "application/json")
            .times(2)
            .respond(Reply::json(&json!({"name": "Ada"})));
        mock.expect(Method::POST, "/users")
            .json(&json!({"name": "Bob"}))
            .respond_with(|request| Reply::status(201).body(request.body().clone()));
        let client = Client::builder().mock(&mock).build().unwrap();
        for _ in 0..2 {
            let request = client.get("https://a.test/users/7?x=1&page=2");
            let response = request.header("accept", "application/json").send().unwrap();
            assert_eq!(response.text().unwrap(), r#"{"name":"Ada"}"#);
        }
        let request = client.post("https://b.test/users").body(r#"{ "name": "Bob" }"#);
        assert_eq!(request.send().unwrap().status(), StatusCode::CREATED);
        mock.verify();
    }

    #[test]
    fn that_is_missed_says_what_came_and_what_differs() {
        let get = |url: &'static str| move |client: &Client| client.get(url);
        let expecting = |pattern: &str| {
            let mock = Mock::new();
            mock.expect(Method::GET, pattern);
            mock
        };
        assert_eq!(
            miss(&Mock::new(), get("http://a.test/x")),
            "GET http://a.test/x: there is none"
        );
        assert_eq!(
            miss(&expecting("/x"), |client: &Client| client.post("http://a.test/x")),
            "POST http://a.test/x; the nearest is GET /x, but the method is POST, not GET"
        );
        assert_eq!(
            miss(&expecting("https://a.test/x"), get("http://a.test:81/x")),
            "GET http://a.test:81/x; the nearest is GET https://a.test/x, but the origin is \
             http://a.test:81, not https://a.test"
        );
        assert_eq!(
            miss(&expecting("/x/*"), get("http://user:pass@a.test/x")),
            "GET http://a.test/x; the nearest is GET /x/*, but the path is /x, not /x/*"
        );
        assert_eq!(
            miss(&expecting("/x?a=1&b=2&c=3"), get("http://a.test/x?a=1&b=3")),
            "GET http://a.test/x?a=1&b=3; the nearest is GET /x?a=1&b=2&c=3, but the query has b=3, \
             not b=2; the query has no c=3"
        );
        assert_eq!(
            miss(&expecting("no URL"), get("http://a.test/x")),
            "GET http://a.test/x; the nearest is GET no URL, but nothing can match it because of its \
             URL: relative URL without a base: did you mean `http://…` or `https://…`?"
        );
    }

    #[test]
    fn names_the_field_that_differs_but_no_secret() {
        let mock = Mock::new();
        mock.expect(Method::GET, "/x")
            .header("accept", "text/html")
            .header("x-none", "1")
            .header("Authorization", "Bearer expected-secret");
        let text = miss(&mock, |client: &Client| {
            let request = client.get("http://a.test/x").header("accept", "text/plain");
            request.header("authorization", "Bearer sent-secret")
        });
        assert_eq!(
            text,
            "GET http://a.test/x; the nearest is GET /x, but the field accept is \"text/plain\", not \
             \"text/html\"; there is no field x-none; the field authorization has another value"
        );
    }

    #[test]
    fn shows_the_place_where_a_body_differs() {
        let post =
            |body: &'static str| move |client: &Client| client.post("http://a.test/x").body(body);
        let mock = Mock::new();
        mock.expect(Method::POST, "/x").body("one");
        assert_eq!(
            miss(&mock, post("two")),
            r#"POST http://a.test/x; the nearest is POST /x, but the body is "two", not "one""#
        );
        let mock = Mock::new();
        mock.expect(Method::POST, "/x").json(&json!({"users": [{"name": "Ada"}]}));
        assert_eq!(
            miss(&mock, post(r#"{"users": [{"name": 7}]}"#)),
            r#"POST http://a.test/x; the nearest is POST /x, but the JSON of the body at /users/0/name is "7", not "\"Ada\"""#
        );
        let mock = Mock::new();
        mock.expect(Method::POST, "/x").json(&json!(1));
        assert_eq!(
            miss(&mock, post("{")),
            r#"POST http://a.test/x; the nearest is POST /x, but the body is "{", which is not JSON"#
        );
    }

    /// The nearest is the one with the fewest differences, and a wrong URL counts more than a wrong field.
    #[test]
    fn that_is_nearest_is_named() {
        let mock = Mock::new();
        mock.expect(Method::GET, "/other");
        mock.expect(Method::GET, "/x").header("a", "1").header("b", "2");
        mock.expect(Method::PUT, "/x");
        assert_eq!(
            miss(&mock, |client: &Client| client.get("http://a.test/x").header("a", "1")),
            "GET http://a.test/x; the nearest is GET /x, but there is no field b"
        );
    }

    #[test]
    fn that_is_used_up_says_so() {
        let mock = Mock::new();
        mock.expect(Method::GET, "/x").times(2);
        let client = Client::builder().mock(&mock).build().unwrap();
        client.get("http://a.test/x").send().unwrap();
        client.get("http://a.test/x").send().unwrap();
        assert_eq!(
            miss(&mock, |client: &Client| client.get("http://a.test/x")),
            "GET http://a.test/x; the nearest is GET /x, but it was expected twice and has come already"
        );
    }

    #[test]
    fn in_order_waits_for_those_before() {
        let mock = Mock::in_order();
        mock.expect(Method::GET, "/first").at_least(1);
        mock.expect(Method::GET, "/second");
        assert_eq!(
            miss(&mock, |client: &Client| client.get("http://a.test/second")),
            "GET http://a.test/second; the nearest is GET /second, but GET /first has to come first"
        );
        let client = Client::builder().mock(&mock).build().unwrap();
        client.get("http://a.test/first").send().unwrap();
        client.get("http://a.test/second").send().unwrap();
        assert_eq!(mock.problems().len(), 1); // the first miss
    }

    #[test]
    fn that_is_not_met_fails_the_test() {
        let mock = Mock::new();
        mock.expect(Method::GET, "/never");
        mock.expect(Method::GET, "/often").at_least(3);
        mock.expect(Method::GET, "/if-it-likes").any_times();
        let client = Client::builder().mock(&mock).build().unwrap();
        client.get("http://a.test/often").send().unwrap();
        client.get("http://a.test/unknown").send().unwrap_err();
        let text = panic_text(|| mock.verify());
        assert_eq!(
            text,
            "the mock has seen other requests than it expects:\n\
             - no expectation matches GET http://a.test/unknown; the nearest is GET /never, but the \
             path is /unknown, not /never\n\
             - GET /never was expected once, but never came\n\
             - GET /often was expected at least 3 times, but came once"
        );
        drop(mock); // verified already
        let mock = Mock::new();
        mock.expect(Method::GET, "/never");
        assert_eq!(
            panic_text(move || drop(mock)),
            "the mock has seen other requests than it expects:\n\
             - GET /never was expected once, but never came"
        );
    }

    /// A second panic while the first unwinds would abort the process, and hide the first.
    #[test]
    fn does_not_panic_while_the_test_unwinds() {
        let text = panic_text(|| {
            let mock = Mock::new();
            mock.expect(Method::GET, "/never");
            panic!("the test fails");
        });
        assert_eq!(text, "the test fails");
    }

    fn panic_text(act: impl FnOnce()) -> String {
        let panic = catch_unwind(AssertUnwindSafe(act)).unwrap_err();
        match panic.downcast::<String>() {
            Ok(text) => *text,
            Err(panic) => (*panic.downcast::<&str>().unwrap()).to_owned(),
        }
    }
}

mod a_fault {
    use super::*;

    #[test]
    fn that_cuts_the_body_is_a_truncated_response() {
        let reading = "reading the response body for http://a.test/x";
        for (reply, expected) in [
            (Reply::ok("12345").cut_after(3), "connection closed with 2 bytes of the body missing"),
            (
                Reply::ok("12345").chunked().cut_after(3),
                "connection closed before the last chunk was complete",
            ),
            (
                Reply::ok("12345").claim_length(7).then_close(),
                "connection closed with 2 bytes of the body missing",
            ),
        ] {
            let (_, builder) = served(reply);
            let error = failure(&builder.build().unwrap());
            assert_eq!((error.kind(), error.phase()), (Kind::Truncated, Phase::Body));
            assert_eq!(error.to_string(), format!("{reading}: {expected}"));
        }
    }

    #[test]
    fn is_the_error_that_a_socket_would_bring() {
        let cases: [(Reply, Kind, Phase); 5] = [
            (Reply::ok("12345").reset_after(3), Kind::Io, Phase::Body),
            (Reply::reset(), Kind::Io, Phase::Head),
            (Reply::close(), Kind::Io, Phase::Head),
            (Reply::raw("220 mail.test ESMTP\r\n\r\n"), Kind::Protocol, Phase::Head),
            (Reply::stall(), Kind::Timeout, Phase::Head),
        ];
        for (reply, kind, phase) in cases {
            let shown = format!("{reply:?}");
            let (_, builder) = served(reply);
            let client = builder.read_timeout(HOUR).build().unwrap();
            let error = failure(&client);
            assert_eq!((error.kind(), error.phase()), (kind, phase), "{shown}: {error}");
        }
    }

    #[test]
    fn of_a_length_that_is_too_short_closes_the_connection() {
        let (network, builder) = served(Reply::ok("12345").claim_length(3));
        let client = builder.build().unwrap();
        for connections in 1..=2 {
            let response = client.get("http://a.test/").send().unwrap();
            assert_eq!(response.text().unwrap(), "123");
            assert_eq!(network.connections(), connections);
        }
    }

    #[test]
    fn of_a_host_is_the_error_that_the_system_would_bring() {
        let text = |fault| {
            let (network, builder) = served(Reply::ok("never"));
            network.fail("a.test", fault);
            let client = builder.connect_timeout(HOUR).write_timeout(HOUR).build().unwrap();
            let body = vec![b'x'; 100_000];
            let error = client.post("http://a.test/x").body(body).send().unwrap_err();
            (error.to_string(), network.elapsed())
        };
        assert_eq!(
            text(HostFault::NoSuchName),
            ("looking up a.test for http://a.test/x: no such name".to_owned(), Duration::ZERO)
        );
        assert_eq!(
            text(HostFault::Refused),
            (
                "connecting to 198.18.0.1:80 for http://a.test/x: connection refused".to_owned(),
                Duration::ZERO
            )
        );
        let (text_of_lookup, elapsed) = text(HostFault::SilentLookup);
        assert_eq!(
            text_of_lookup,
            "looking up a.test for http://a.test/x: timed out: no connection within 3600s (connect timeout)"
        );
        assert_eq!(elapsed, HOUR);
        let (text_of_connect, elapsed) = text(HostFault::Silent);
        assert_eq!(
            text_of_connect,
            "connecting to 198.18.0.1:80 for http://a.test/x: timed out: no connection within 3600s (connect timeout)"
        );
        assert_eq!(elapsed, HOUR);
        let (text_of_write, elapsed) = text(HostFault::Unread);
        assert!(text_of_write.contains("write timeout"), "{text_of_write}");
        assert_eq!(elapsed, HOUR);
    }

    #[test]
    fn of_a_name_without_a_server_lists_the_servers() {
        let (_, builder) = served(Reply::ok("never"));
        let error = builder.build().unwrap().get("http://b.test/x").send().unwrap_err();
        assert_eq!(error.kind(), Kind::Resolve);
        assert_eq!(
            error.to_string(),
            "looking up b.test for http://b.test/x: the in-memory network has only a.test; add the \
             host with `serve`"
        );
    }

    #[test]
    fn of_a_host_ends_after_its_times() {
        let (network, builder) = served(Reply::ok("at last"));
        network.fail_next("a.test", HostFault::Refused, 2);
        let client = builder.build().unwrap();
        for _ in 0..2 {
            assert_eq!(failure(&client).kind(), Kind::Connect);
        }
        assert_eq!(client.get("http://a.test/").send().unwrap().text().unwrap(), "at last");
        network.fail("a.test", HostFault::Refused);
        client.close_idle_connections();
        assert_eq!(failure(&client).kind(), Kind::Connect);
        network.heal("a.test");
        assert!(client.get("http://a.test/").send().is_ok());
    }

    /// Happy Eyeballs (RFC 8305): an address that does not answer costs 0.25 s.
    #[test]
    fn of_one_address_is_survived_by_the_race_for_the_other() {
        let network = MemoryNetwork::new();
        network.serve("http://good.test", |_| Reply::ok("by the second")).unwrap();
        network.resolve("dead.test", ["198.18.9.9".parse().unwrap()]);
        network.fail("dead.test", HostFault::Silent);
        network
            .resolve("good.test", ["198.18.9.9".parse().unwrap(), "198.18.9.10".parse().unwrap()]);
        let client = Client::builder().network(&network).build().unwrap();
        let text = client.get("http://good.test/").send().unwrap().text().unwrap();
        assert_eq!(text, "by the second");
    }

    #[test]
    fn is_seen_by_the_egress_policy_as_by_real_addresses() {
        let (network, builder) = served(Reply::ok("never"));
        network.resolve("a.test", ["10.0.0.1".parse().unwrap()]);
        let client = builder.egress(EgressPolicy::public_only()).build().unwrap();
        assert_eq!(failure(&client).kind(), Kind::Egress);
        assert_eq!(network.connections(), 0);
    }
}

mod time {
    use super::*;

    /// Nothing sleeps: hours of waiting take less real time than one of its seconds would, on any machine.
    #[test]
    fn jumps_when_all_wait() {
        let began = Instant::now();
        let (network, builder) = served(Reply::ok("slowly").drip(1, HOUR));
        let client = builder.read_timeout(2 * HOUR).build().unwrap();
        assert_eq!(client.get("http://a.test/").send().unwrap().text().unwrap(), "slowly");
        assert_eq!(network.elapsed(), 6 * HOUR);
        let builder = Client::builder().network(&network).read_timeout(HOUR);
        let client = builder.timeout(HOUR / 2).build().unwrap();
        assert!(failure(&client).is_timeout());
        assert_eq!(network.elapsed(), 6 * HOUR + HOUR / 2);
        assert!(began.elapsed() < HOUR / 60, "it has really waited");
    }

    #[test]
    fn of_a_retry_is_that_of_the_network() {
        let network = MemoryNetwork::new();
        let replies =
            [Reply::status(503).header("retry-after", "50"), Reply::reset(), Reply::ok("done")];
        network.serve("http://a.test", in_turn(replies)).unwrap();
        let policy = retry::Policy::new().max_attempts(3);
        let client = Client::builder().network(&network).retry(policy).build().unwrap();
        assert_eq!(client.get("http://a.test/").send().unwrap().text().unwrap(), "done");
        assert!(network.elapsed() >= 50 * SECOND, "{:?}", network.elapsed());
        assert_eq!(network.requests().len(), 3);
    }

    #[test]
    fn of_a_delay_is_exact() {
        let (network, builder) = served(Reply::ok("late").delay(3 * SECOND));
        let client = builder.build().unwrap();
        for times in 1..=3 {
            assert_eq!(client.get("http://a.test/").send().unwrap().text().unwrap(), "late");
            assert_eq!(network.elapsed(), times * 3 * SECOND);
        }
        assert_eq!(network.connections(), 1);
    }

    /// The clock of the pool: an idle connection is too old after its time, and only then.
    #[test]
    fn of_an_idle_connection_passes_by_advancing() {
        let (network, builder) = served(Reply::ok(""));
        let client = builder.pool_idle_timeout(60 * SECOND).build().unwrap();
        let get = || client.get("http://a.test/").send().unwrap().text().unwrap();
        get();
        network.advance(59 * SECOND);
        get();
        assert_eq!(network.connections(), 1);
        network.advance(61 * SECOND);
        get();
        assert_eq!(network.connections(), 2);
    }

    #[test]
    fn on_a_manual_clock_is_moved_only_by_the_test() {
        let network = MemoryNetwork::with_clock(NetworkClock::Manual);
        network.serve("http://a.test", |_| Reply::ok("late").delay(HOUR)).unwrap();
        let client = Client::builder().network(&network).build().unwrap();
        thread::scope(|scope| {
            let call = scope.spawn(|| {
                let request = client.get("http://a.test/").first_byte_timeout(2 * HOUR);
                request.send().unwrap().text().unwrap()
            });
            while network.requests().is_empty() {
                thread::yield_now();
            }
            network.advance(HOUR - SECOND);
            assert!(!call.is_finished());
            network.advance(SECOND);
            assert_eq!(call.join().unwrap(), "late");
        });
        assert_eq!(network.elapsed(), HOUR);
    }

    /// The first call waits for an hour, while the second is at work.
    #[test]
    fn does_not_jump_while_another_call_is_at_work() {
        let network = MemoryNetwork::new();
        let seen = network.clone();
        network.serve_all(move |request: &ReceivedRequest| {
            if request.url().path() == "/wait" {
                return Reply::ok("waited").delay(HOUR);
            }
            let has_come = |path: &str| seen.requests().iter().any(|it| it.url().path() == path);
            while !has_come("/wait") {
                thread::yield_now();
            }
            for _ in 0..1000 {
                assert_eq!(seen.elapsed(), Duration::ZERO);
                thread::yield_now();
            }
            Reply::ok("worked")
        });
        let client = Client::builder().network(&network).build().unwrap();
        let get = |path: &str| {
            let request = client.get(format!("http://a.test{path}")).first_byte_timeout(2 * HOUR);
            request.send().unwrap().text().unwrap()
        };
        thread::scope(|scope| {
            let worker = scope.spawn(|| get("/work"));
            while network.requests().is_empty() {
                thread::yield_now(); // until the worker is in its call
            }
            assert_eq!(get("/wait"), "waited");
            assert_eq!(worker.join().unwrap(), "worked");
        });
        assert_eq!(network.elapsed(), HOUR);
    }

    #[test]
    fn a_cancelled_call_ends_on_a_clock_that_stands() {
        let network = MemoryNetwork::with_clock(NetworkClock::Manual);
        network.serve("http://a.test", |_| Reply::stall()).unwrap();
        network.serve("http://b.test", |_| Reply::status(503).header("retry-after", "50")).unwrap();
        let client =
            Client::builder().network(&network).retry(retry::Policy::new()).build().unwrap();
        for url in ["http://a.test/", "http://b.test/"] {
            let token = CancelToken::new();
            let before = network.requests().len();
            thread::scope(|scope| {
                let call = scope.spawn(|| client.get(url).cancel_token(&token).send());
                while network.requests().len() == before {
                    thread::yield_now();
                }
                token.cancel();
                assert!(call.join().unwrap().unwrap_err().is_cancelled(), "{url}");
            });
        }
    }

    /// The same network serves clients of both kinds, and the redirect policy of each.
    #[test]
    fn of_the_runtime_is_that_of_the_system() {
        let network = MemoryNetwork::with_clock(NetworkClock::OfRuntime);
        let late = Reply::ok("late").delay(Duration::from_millis(20));
        network.serve("http://a.test", move |_| late.clone()).unwrap();
        let builder = Client::builder().network(&network).redirect(redirect::Policy::none());
        let client = builder.build().unwrap();
        let began = Instant::now();
        assert_eq!(client.get("http://a.test/").send().unwrap().text().unwrap(), "late");
        assert!(began.elapsed() >= Duration::from_millis(20));
    }
}
