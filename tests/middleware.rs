//! Middleware around each call, and the hook before each attempt: their order, what they may do, and the
//! limits of the call, which hold inside them.
#![cfg(all(
    feature = "middleware",
    feature = "blocking",
    feature = "tls",
    feature = "gzip",
    feature = "cookies"
))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use leanhttp::blocking::Client;
use leanhttp::client::ResponseBody;
use leanhttp::error::Kind;
use leanhttp::header::{HeaderMap, HeaderName, HeaderValue};
use leanhttp::middleware::{Handling, Middleware, Next};
use leanhttp::request::Request;
use leanhttp::response::Response;
use leanhttp::runtime::Runtime;
use leanhttp::{CancelToken, Error, Method, StatusCode, redirect};

use support::script::{Connection, Script, Step, answer, moved, ok, send};

type Lines = Arc<Mutex<Vec<String>>>;

/// Middleware that is a function of the request and the rest of the call, for any runtime.
macro_rules! middleware {
    ($name:ident($($field:ident: $type:ty),*) |$this:ident, $request:ident, $next:ident| $body:block) => {
        struct $name { $($field: $type),* }
        impl<F: Runtime> Middleware<F> for $name {
            fn handle<'a>(&'a self, $request: Request<F>, $next: Next<F>) -> Handling<'a, F> {
                let $this = self;
                Box::pin(async move $body)
            }
        }
    };
}

middleware!(Log(name: &'static str, lines: Lines) |this, request, next| {
    this.lines.lock().unwrap().push(format!("{} {}", this.name, request.method()));
    let result = next.run(request).await;
    let outcome = result.as_ref().map_or_else(ToString::to_string, |it| it.status().to_string());
    this.lines.lock().unwrap().push(format!("{} {outcome}", this.name));
    result
});

middleware!(Add(name: HeaderName, value: &'static str) |this, request, next| {
    let mut request = request;
    request.headers_mut().insert(this.name.clone(), HeaderValue::from_static(this.value));
    next.run(request).await
});

middleware!(
    Answer() | _this,
    request,
    _next | {
        let made =
            http::Response::builder().status(202).body(request.url().path().to_owned()).unwrap();
        Ok(Response::from(made))
    }
);

middleware!(Fail() | _this, _request, _next | { Err(Error::middleware("no token left")) });

middleware!(
    Panic() | _this,
    request,
    next | {
        let response: Response<ResponseBody<F>> = next.run(request).await?;
        assert!(response.status().is_success(), "a middleware that panics");
        Ok(response)
    }
);

middleware!(
    Pending() | _this,
    _request,
    _next | {
        std::future::pending::<()>().await;
        Err(Error::middleware("never"))
    }
);

// Asks for a new token and sends the request again, once, if the server knows the old one no more.
middleware!(Refresh(token: Mutex<&'static str>) |this, request, next| {
    let mut request = request;
    let sign = |request: &mut Request<F>| {
        let token = format!("Bearer {}", this.token.lock().unwrap());
        request.headers_mut().insert("authorization", token.parse().unwrap());
    };
    let again = request.try_clone();
    sign(&mut request);
    let response = next.run(request).await?;
    match again {
        Some(mut again) if response.status() == StatusCode::UNAUTHORIZED => {
            drop(response);
            *this.token.lock().unwrap() = "new";
            sign(&mut again);
            next.run(again).await
        }
        _ => Ok(response),
    }
});

// Sends another request in place of the one that it got.
middleware!(Instead(url: String) |this, _request, next| {
    next.run(Request::new(Method::GET, this.url.parse().unwrap())).await
});

fn lines() -> Lines {
    Lines::default()
}

fn refused(status: &str) -> Connection {
    answer(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n"))
}

#[test]
fn the_first_added_is_the_outermost() {
    let server = Script::serve(vec![answer(ok("body"))]);
    let lines = lines();
    let log = |name| Log { name, lines: Arc::clone(&lines) };
    let client =
        Client::builder().middleware(log("outer")).middleware(log("inner")).build().unwrap();
    assert_eq!(client.get(server.url("/")).send().unwrap().text().unwrap(), "body");
    assert_eq!(*lines.lock().unwrap(), ["outer GET", "inner GET", "inner 200 OK", "outer 200 OK"]);
}

#[test]
fn a_changed_request_is_what_is_sent() {
    let server = Script::serve(vec![answer(ok(""))]);
    let client = Client::builder()
        .middleware(Add { name: HeaderName::from_static("x-one"), value: "1" })
        .middleware(Add { name: HeaderName::from_static("user-agent"), value: "own" })
        .build()
        .unwrap();
    client.post(server.url("/")).body("kept").send().unwrap();
    let sent = server.received_text(0);
    assert!(sent.contains("x-one: 1\r\n") && sent.contains("user-agent: own\r\n"), "{sent}");
    assert!(!sent.contains("leanhttp/") && sent.ends_with("\r\n\r\nkept"), "{sent}");
}

#[test]
fn middleware_may_answer_without_sending() {
    let client = Client::builder().middleware(Answer {}).build().unwrap();
    let response = client.get("http://nobody.invalid/made").send().unwrap();
    assert_eq!((response.status().as_u16(), response.text().unwrap()), (202, "/made".to_owned()));
    assert_eq!(client.pool_stats().open, 0);
}

#[test]
fn a_request_may_be_sent_on_twice() {
    let server = Script::serve(vec![
        [refused("401 Unauthorized"), answer(ok("in")), answer(ok("in"))].concat(),
    ]);
    let client =
        Client::builder().middleware(Refresh { token: Mutex::new("old") }).build().unwrap();
    for _ in 0..2 {
        let response = client.post(server.url("/")).body("again").send().unwrap();
        assert_eq!(response.text().unwrap(), "in");
    }
    let sent = server.received_text(0);
    let counts =
        ["Bearer old", "Bearer new", "\r\n\r\nagain"].map(|part| sent.matches(part).count());
    assert_eq!(counts, [1, 2, 3], "{sent}");
}

/// Redirects are followed inside of it.
#[test]
fn middleware_runs_once_for_a_call() {
    let server = Script::serve(vec![moved(302, "/next"), answer(ok("end"))]);
    let lines = lines();
    let client = Client::builder().middleware(Log { name: "once", lines: Arc::clone(&lines) });
    let client = client.build().unwrap();
    assert_eq!(client.get(server.url("/")).send().unwrap().text().unwrap(), "end");
    assert_eq!(*lines.lock().unwrap(), ["once GET", "once 200 OK"]);
}

#[test]
fn the_error_of_middleware_has_a_kind_and_a_line() {
    let client = Client::builder().middleware(Fail {}).build().unwrap();
    let error = client.get("http://user:secret@nobody.invalid/").send().unwrap_err();
    assert_eq!(
        (error.kind(), error.is_middleware(), error.is_timeout()),
        (Kind::Middleware, true, false)
    );
    assert_eq!(error.to_string(), "middleware: no token left");
}

#[test]
fn a_panic_of_middleware_leaves_the_client_usable() {
    let server = Script::serve(vec![[refused("404 Not Found"), answer(ok("fine"))].concat()]);
    let client = Client::builder().pool_max_open_per_host(1).middleware(Panic {}).build().unwrap();
    let get = || client.get(server.url("/")).send();
    assert!(catch_unwind(AssertUnwindSafe(get)).is_err());
    assert_eq!(get().unwrap().text().unwrap(), "fine");
}

/// The total timeout holds for a request that middleware has made itself, without any.
#[test]
fn the_total_timeout_covers_what_is_sent_on() {
    let server = Script::serve(vec![vec![Step::ExpectHead, Step::Silent]]);
    let client = Client::builder().middleware(Instead { url: server.url("/") }).build().unwrap();
    let start = Instant::now();
    let request = client.get("http://nobody.invalid/").timeout(Duration::from_millis(200));
    let error = request.send().unwrap_err();
    assert!(error.is_timeout() && error.to_string().contains("200ms"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn the_cancel_token_covers_what_is_sent_on() {
    let server = Script::serve(vec![vec![Step::ExpectHead, Step::Silent]]);
    let client = Client::builder().middleware(Instead { url: server.url("/") }).build().unwrap();
    let token = CancelToken::new();
    let error = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !server.received_text(0).ends_with("\r\n\r\n") {
                std::thread::yield_now();
            }
            token.cancel();
        });
        client.get("http://nobody.invalid/").cancel_token(&token).send().unwrap_err()
    });
    assert!(error.is_cancelled(), "{error}");
}

/// The async client ends it with the call; the blocking one cannot wait for anything else.
#[test]
fn middleware_that_never_ends_does_not_outlive_the_call() {
    let client = Client::builder().middleware(Pending {}).build().unwrap();
    let request = client.get("http://nobody.invalid/").timeout(Duration::from_millis(50));
    let error = request.send().unwrap_err();
    match error.kind() {
        Kind::Timeout => assert!(error.to_string().contains("50ms"), "{error}"),
        kind => assert_eq!((kind, error.to_string().contains("awaits")), (Kind::Middleware, true)),
    }
}

#[test]
fn a_call_of_a_call_passes_through_again() {
    let server = Script::serve(vec![[answer(ok("token")), answer(ok("body"))].concat()]);
    let url = server.url("/token");
    let lines = lines();
    let nested = Nested { url, lines: Arc::clone(&lines) };
    let client = Client::builder().middleware(nested).build().unwrap();
    assert_eq!(client.get(server.url("/")).send().unwrap().text().unwrap(), "body");
    assert_eq!(*lines.lock().unwrap(), ["/", "/token"]);
}

middleware!(Nested(url: String, lines: Lines) |this, request, next| {
    this.lines.lock().unwrap().push(request.url().path().to_owned());
    if request.url().path() != "/token" {
        let token = Request::new(Method::GET, this.url.parse().unwrap());
        let stack_again = Self { url: this.url.clone(), lines: Arc::clone(&this.lines) };
        let response = stack_again.handle(token, next.clone()).await?;
        assert_eq!(response.content_length(), Some(5));
    }
    next.run(request).await
});

// The hook before each attempt.

type Heads = Arc<Mutex<Vec<(String, HeaderMap, Option<Vec<u8>>)>>>;

fn recording(heads: &Heads) -> leanhttp::blocking::ClientBuilder {
    let heads = Arc::clone(heads);
    Client::builder().on_attempt(move |head| {
        let line = format!("{} {}", head.method(), head.url().path());
        let entry = (line, head.headers().clone(), head.body().map(<[u8]>::to_vec));
        heads.lock().unwrap().push(entry);
        Ok(())
    })
}

#[test]
fn each_attempt_is_seen_as_it_is_sent() {
    let server = Script::serve(vec![moved(302, "/next?q"), answer(ok("end"))]);
    let heads = Heads::default();
    let client =
        recording(&heads).cookie_store(true).basic_auth("user", Some("word")).build().unwrap();
    client.post(server.url("/")).body("text").send().unwrap();
    let heads = heads.lock().unwrap();
    let sent = server.received_text(0);
    assert_eq!(heads.len(), 2);
    assert_eq!((&*heads[0].0, heads[0].2.as_deref()), ("POST /", Some(&b"text"[..])));
    assert_eq!((&*heads[1].0, heads[1].2.as_deref()), ("GET /next", Some(&b""[..])));
    for ((_, headers, _), sent) in heads.iter().zip([&sent, &server.received_text(1)]) {
        for name in ["host", "user-agent", "accept", "authorization"] {
            let value = headers[name].to_str().unwrap();
            assert!(sent.contains(&format!("{name}: {value}\r\n")), "{sent}");
        }
        assert!(headers["authorization"].is_sensitive());
    }
    assert_eq!(heads[0].1["content-length"], "4");
}

#[test]
fn a_change_of_an_attempt_is_sent_and_forgotten() {
    let server = Script::serve(vec![moved(307, "/next"), answer(ok("end"))]);
    let client = Client::builder().on_attempt(|head| {
        let signature = format!("{}-{}", head.url().path(), head.body().map_or(0, <[u8]>::len));
        if head.url().path() == "/" {
            head.headers_mut().append("signature", signature.parse()?);
        }
        head.headers_mut().remove("accept");
        Ok(())
    });
    let response = client.build().unwrap().put(server.url("/")).body("four").send().unwrap();
    assert_eq!(response.text().unwrap(), "end");
    let sent = server.received_text(0) + &server.received_text(1);
    assert_eq!(
        (sent.matches("signature: /-4\r\n").count(), sent.matches("signature").count()),
        (1, 1)
    );
    assert!(!sent.contains("accept:") && sent.matches("\r\n\r\nfour").count() == 2, "{sent}");
}

/// Removing a field moves the last one of a `HeaderMap` to its place.
#[test]
fn the_hook_may_reorder_the_fields() {
    let server = Script::serve(vec![answer(ok("end"))]);
    let client = Client::builder().on_attempt(|head| {
        let fields = std::mem::take(head.headers_mut());
        let reversed: Vec<_> = fields.iter().collect();
        for (name, value) in reversed.into_iter().rev() {
            head.headers_mut().append(name, value.clone());
        }
        Ok(())
    });
    let response = client.build().unwrap().post(server.url("/")).body("four").send().unwrap();
    assert_eq!(response.text().unwrap(), "end");
    assert!(server.received_text(0).contains("content-length: 4\r\n"));
}

#[test]
fn an_error_of_the_hook_ends_the_call_before_anything_is_sent() {
    let server = Script::serve(vec![vec![Step::ExpectEnd]]);
    let client = Client::builder().on_attempt(|_| Err("the key is locked".into())).build().unwrap();
    let error = client.get(server.url("/")).send().unwrap_err();
    assert_eq!(error.kind(), Kind::Middleware);
    assert_eq!(error.to_string(), "middleware: the key is locked");
    assert_eq!(error.url().unwrap().as_str(), server.url("/"));
    server.join();
    assert!(server.received(0).is_empty());
}

/// RFC 9112 §11.2: a server must not see another end of the message than the client.
#[test]
fn the_hook_cannot_change_the_framing() {
    for name in [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "upgrade",
        "trailer",
        "te",
        "expect",
    ] {
        for is_added in [true, false] {
            let server = Script::serve(vec![vec![Step::ExpectEnd]]);
            let client = Client::builder().on_attempt(move |head| {
                if is_added {
                    head.headers_mut().append(name, HeaderValue::from_static("7"));
                } else {
                    head.headers_mut().insert("host", HeaderValue::from_static("other.example"));
                }
                Ok(())
            });
            let client = client.redirect(redirect::Policy::none()).build().unwrap();
            let error = client.post(server.url("/")).body("x").send().unwrap_err();
            let changed = if is_added { name } else { "host" };
            assert!(error.to_string().contains(&format!("changed {changed},")), "{error}");
            server.join();
            assert!(server.received(0).is_empty());
        }
    }
}

#[test]
fn the_debug_of_a_head_shows_no_secret() {
    let server = Script::serve(vec![answer(ok(""))]);
    let shown = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&shown);
    let client = Client::builder().basic_auth("user", Some("word")).on_attempt(move |head| {
        *seen.lock().unwrap() = format!("{head:?}");
        Ok(())
    });
    client.build().unwrap().get(server.url("/")).bearer_auth("s3cret").send().unwrap();
    let shown = shown.lock().unwrap();
    assert!(shown.contains("authorization") && !shown.contains("s3cret"), "{shown}");
}

/// The order that a program asks for, and the spelling of names, hold with the hook too.
#[test]
fn the_spelling_of_fields_holds_with_the_hook() {
    let server = Script::serve(vec![answer(ok(""))]);
    let client = recording(&Heads::default()).http1_title_case_headers().build().unwrap();
    client.get(server.url("/")).send().unwrap();
    let sent = server.received_text(0);
    assert!(sent.contains("\r\nHost: ") && sent.contains("\r\nUser-Agent: "), "{sent}");
}

#[test]
fn a_retry_is_an_attempt() {
    let busy = send("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n");
    let server = Script::serve(vec![[vec![Step::ExpectRequest, busy], answer(ok("end"))].concat()]);
    let heads = Heads::default();
    let at_once = leanhttp::retry::Policy::new().backoff(Duration::ZERO, Duration::ZERO);
    let client = recording(&heads).retry(at_once).build().unwrap();
    assert_eq!(client.get(server.url("/")).send().unwrap().text().unwrap(), "end");
    assert_eq!(heads.lock().unwrap().len(), 2);
}
