//! The client as a tower service, under middleware.
#![cfg(all(feature = "tower", feature = "tls", feature = "gzip", feature = "multipart"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "../../support/mod.rs"]
mod support;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as _, Frame, SizeHint};
use leanhttp::Error;
use leanhttp::error::Kind;
use leanhttp::tokio::{Body, Client, Request, Response, ResponseBody, ResponseFuture};
use tokio::task::JoinSet;
use tower::retry::Policy;
use tower::timeout::error::Elapsed;
use tower::{Service, ServiceBuilder, ServiceExt};

use support::httpbin::Httpbin;
use support::script::{Script, Step, answer, ok};

type Answer = http::Response<ResponseBody>;

fn get(url: String) -> http::Request<Body> {
    http::Request::get(url).body(Body::default()).unwrap()
}

/// All frames of a body: its bytes and its trailers.
async fn collect(mut body: ResponseBody) -> Result<(Vec<u8>, Option<HeaderMap>), Error> {
    let (mut bytes, mut trailers) = (Vec::new(), None);
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        assert!(trailers.is_none(), "nothing comes after the trailers");
        match frame?.into_data() {
            Ok(piece) => bytes.extend(piece),
            Err(frame) => trailers = Some(frame.into_trailers().unwrap()),
        }
    }
    assert!(body.is_end_stream());
    Ok((bytes, trailers))
}

#[test]
fn satisfies_the_bounds_of_middleware() {
    fn is<R, S: Service<R, Future: Send + 'static> + Send + Sync>(_: S) {}
    fn is_sync<R, S: Service<R, Future: Send + Sync + 'static> + Clone + 'static>(_: S) {}
    is::<http::Request<Body>, _>(Client::new().http_service());
    is::<http::Request<String>, _>(Client::new().http_service());
    is::<http::Request<Frames<io::Error>>, _>(Client::new().http_service());
    is::<http::Request<ResponseBody>, _>(Client::new().http_service());
    is_sync::<http::Request<String>, _>(Client::new().http_service());
    is_sync::<Request, _>(Client::new());
    is::<Request, _>(Client::new());
    is::<Request, _>(&Client::new());
    fn is_body<B: http_body::Body<Data = Bytes, Error = Error> + Send + Sync + Unpin>() {}
    is_body::<ResponseBody>();
    is_body::<Body>();
}

/// The request type can be inferred: a client is a service of one.
#[tokio::test]
async fn infers_its_request_type() {
    let server = Script::serve(vec![answer(ok("ready"))]);
    let mut client = Client::new();
    let request = client.get(server.url("/")).build().unwrap();
    let response = client.ready().await.unwrap().call(request).await.unwrap();
    assert_eq!(response.text().await.unwrap(), "ready");
}

/// The frames of a body are its content, its trailers and its size, whatever its source.
#[tokio::test]
async fn has_request_bodies_with_frames() {
    let trailers: HeaderMap =
        [("x-sum".parse().unwrap(), "5".parse().unwrap())].into_iter().collect();
    let rows = [
        (Body::default(), "", Some(0), false),
        (Body::from("bytes"), "bytes", Some(5), false),
        (Body::new(&b"read"[..]), "read", None, false),
        (Body::sized(&b"read on"[..], 4), "read", Some(4), false),
        (Body::from("bytes").with_trailers(trailers.clone()), "bytes", Some(5), true),
        (Body::wrap("text".to_owned()), "text", Some(4), false),
        (Body::wrap(Body::from("own")), "own", Some(3), false),
    ];
    for (mut body, content, size, has_trailers) in rows {
        assert_eq!(body.size_hint().exact(), size, "{content}");
        let (mut bytes, mut last) = (Vec::new(), None);
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            match frame.unwrap().into_data() {
                Ok(piece) => bytes.extend(piece),
                Err(frame) => last = Some(frame.into_trailers().unwrap()),
            }
        }
        assert_eq!((&bytes[..], last.is_some()), (content.as_bytes(), has_trailers), "{content}");
        assert!(body.is_end_stream(), "{content}");
    }
    let mut short = Body::sized(&b"read"[..], 5);
    let mut frame = async || poll_fn(|cx| Pin::new(&mut short).poll_frame(cx)).await.unwrap();
    assert_eq!(frame().await.unwrap().into_data().unwrap(), "read");
    assert_eq!(frame().await.unwrap_err().kind(), Kind::Body);
}

/// Bytes stay bytes in the service, so they can be sent again.
#[tokio::test]
async fn resends_bodies_of_bytes() {
    for wrapped in [Body::from("again"), Body::wrap("again".to_owned())] {
        let moved = "HTTP/1.1 307 Temporary Redirect\r\nlocation: /\r\ncontent-length: 0\r\n\r\n";
        let server = Script::serve(vec![[answer(moved), answer(ok("done"))].concat()]);
        let request = http::Request::post(server.url("/")).body(wrapped).unwrap();
        let answer = Client::new().http_service().oneshot(request).await.unwrap();
        assert_eq!(collect(answer.into_body()).await.unwrap().0, b"done");
    }
}

#[tokio::test]
async fn responds_as_send_does() {
    let server = Httpbin::start();
    let client = Client::new();
    let request = http::Request::post(server.url("/post")).body("text".to_owned()).unwrap();
    let answer: Answer = client.http_service().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    let (body, trailers) = collect(answer.into_body()).await.unwrap();
    assert!(String::from_utf8(body).unwrap().contains("\"data\": \"text\""));
    assert_eq!(trailers, None);

    let answer: Answer =
        client.http_service().oneshot(get(server.url("/redirect/2"))).await.unwrap();
    assert_eq!(answer.extensions().get::<leanhttp::Url>().unwrap().path(), "/get");

    let request = client.get(server.url("/status/404")).build().unwrap();
    let answer: Response = (&client).oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 404);
}

#[tokio::test]
async fn fails_as_send_does() {
    let server = Script::serve(vec![vec![Step::ExpectHead, Step::Reset]]);
    let cases = [
        ("/relative".to_owned(), Kind::Builder),
        ("ftp://a.test/".to_owned(), Kind::Builder),
        (server.url("/"), Kind::Io),
    ];
    for (url, kind) in cases {
        let error = Client::new().http_service().oneshot(get(url)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
}

/// An invalid URL is an error of the future and not a panic, even of a call outside of a runtime.
#[test]
fn needs_a_runtime() {
    let mut call: ResponseFuture<Answer> =
        Client::new().http_service().call(get("http://127.0.0.1:1/".to_owned()));
    let polled = Pin::new(&mut call).poll(&mut Context::from_waker(std::task::Waker::noop()));
    assert!(matches!(polled, Poll::Ready(Err(error)) if error.kind() == Kind::Builder));
}

#[tokio::test]
async fn is_ended_by_a_timeout_layer() {
    let server = Httpbin::start();
    let client = Client::new();
    let limit = Duration::from_millis(100);
    let service = ServiceBuilder::new().timeout(limit).service(client.http_service());
    let error = service.oneshot(get(server.url("/delay/5"))).await.unwrap_err();
    assert!(error.is::<Elapsed>(), "{error}");
    assert_eq!(client.pool_stats().open, 0, "the call is over");
}

#[tokio::test]
async fn is_limited_by_a_concurrency_layer() {
    let server = Httpbin::start();
    let client = Client::new();
    let service = ServiceBuilder::new().concurrency_limit(2).service(client.http_service());
    let began = Instant::now();
    let mut calls = JoinSet::new();
    for _ in 0..4 {
        let (service, request) = (service.clone(), get(server.url("/delay/0.2")));
        calls.spawn(async move { service.oneshot(request).await.unwrap().status() });
    }
    assert!(calls.join_all().await.iter().all(|status| *status == 200));
    assert!(began.elapsed() >= Duration::from_millis(400), "{:?}", began.elapsed());
    assert!(server.connections_opened() <= 2, "{}", server.connections_opened());
}

/// Retries responses with 503.
#[derive(Clone)]
struct Thrice(Arc<AtomicUsize>);

impl Policy<Request, Response, Error> for Thrice {
    type Future = std::future::Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request,
        result: &mut Result<Response, Error>,
    ) -> Option<Self::Future> {
        let busy = result.as_ref().is_ok_and(|answer| answer.status() == 503);
        let tries = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        (busy && tries < 3).then(|| std::future::ready(()))
    }

    fn clone_request(&mut self, request: &Request) -> Option<Request> {
        request.try_clone()
    }
}

#[tokio::test]
async fn is_retried_by_a_layer() {
    let busy = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
    let turns = [answer(busy), answer(busy), answer(ok("at last"))].concat();
    let server = Script::serve(vec![turns]);
    let client = Client::new();
    let tries = Arc::new(AtomicUsize::new(0));
    let service = ServiceBuilder::new().retry(Thrice(Arc::clone(&tries))).service(client.clone());
    let request = client.post(server.url("/")).body("again").build().unwrap();
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(response.text().await.unwrap(), "at last");
    assert_eq!(tries.load(Ordering::SeqCst), 3);
    drop(client);
    server.join();
}

#[tokio::test]
async fn returns_bodies_with_size_and_trailers() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
                   3\r\nabc\r\n2\r\nde\r\n0\r\nx-sum: 5\r\n\r\n";
    let empty = "HTTP/1.1 204 No Content\r\n\r\n";
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc";
    let mut turns = [answer(ok("abcde")), answer(chunked), answer(empty), answer(cut)].concat();
    turns.push(Step::Close);
    let server = Script::serve(vec![turns]);
    let mut client = Client::new().http_service();
    let mut body = async || client.call(get(server.url("/"))).await.unwrap().into_body();

    let sized = body().await;
    assert_eq!((sized.size_hint().exact(), sized.is_end_stream()), (Some(5), false));
    assert_eq!(collect(sized).await.unwrap(), (b"abcde".to_vec(), None));

    let chunked = body().await;
    assert_eq!((chunked.size_hint().exact(), chunked.is_end_stream()), (None, false));
    let (bytes, trailers) = collect(chunked).await.unwrap();
    assert_eq!((&bytes[..], &trailers.unwrap()["x-sum"]), (&b"abcde"[..], &"5".parse().unwrap()));

    let empty = body().await;
    assert_eq!((empty.size_hint().exact(), empty.is_end_stream()), (Some(0), true));
    drop(empty);

    let error = collect(body().await).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Truncated, "{error}");
}

/// No frame of trailers if there are none, so code that takes each frame for data works.
#[tokio::test]
async fn returns_no_frame_without_trailers() {
    let chunked = |body: &str| {
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{body}0\r\n\r\n")
    };
    for (answered, bytes) in [
        (chunked("3\r\nabc\r\n"), "abc"),
        (chunked(""), ""),
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned(), ""),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".to_owned(), "ok"),
    ] {
        let server = Script::serve(vec![answer(&answered)]);
        let mut client = Client::new().http_service();
        let body = client.call(get(server.url("/"))).await.unwrap().into_body();
        let mut body = body;
        let mut got = Vec::new();
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            got.extend(frame.unwrap().into_data().unwrap());
        }
        assert_eq!(got, bytes.as_bytes(), "{answered}");
        assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(0), true), "{answered}");
        assert!(body.trailers().is_none(), "{answered}");
        let client = Client::new();
        let server = Script::serve(vec![answer(&answered)]);
        let mut response = client.get(server.url("/")).send().await.unwrap();
        while response.chunk().await.unwrap().is_some() {}
        assert!(response.trailers().is_none(), "{answered}");
    }
}

/// A body type from another crate.
struct Frames<E>(VecDeque<Result<Frame<Bytes>, E>>, Option<u64>);

impl<E: Unpin> http_body::Body for Frames<E> {
    type Data = Bytes;
    type Error = E;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, E>>> {
        Poll::Ready(self.0.pop_front())
    }

    fn size_hint(&self) -> SizeHint {
        self.1.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

fn pieces(pieces: &[&'static str]) -> impl Iterator<Item = Frame<Bytes>> {
    pieces.iter().map(|piece| Frame::data(Bytes::from_static(piece.as_bytes())))
}

#[tokio::test]
async fn sends_bodies_of_other_crates() {
    let server = Httpbin::start();
    for (length, field) in [(Some(5), "Content-Length"), (None, "Transfer-Encoding")] {
        let frames = pieces(&["ab", "", "cde"]).chain([Frame::trailers(HeaderMap::new())]);
        let body = Frames::<Infallible>(frames.map(Ok).collect(), length);
        let request = http::Request::post(server.url("/post")).body(Body::wrap(body)).unwrap();
        let answer = Client::new().http_service().oneshot(request).await.unwrap();
        let echo = String::from_utf8(collect(answer.into_body()).await.unwrap().0).unwrap();
        assert!(echo.contains("\"data\": \"abcde\"") && echo.contains(field), "{echo}");
    }
}

/// They are sent after a chunked body, and only there.
#[tokio::test]
async fn sends_trailers_of_other_bodies() {
    let fields = |name: &'static str| -> HeaderMap {
        [(name.parse().unwrap(), "5".parse().unwrap())].into_iter().collect()
    };
    let rows = [
        (None, None, "x-sum", true),
        (None, Some("x-sum"), "x-sum", true),
        (Some(5), Some("x-sum"), "x-sum", true),
        (Some(5), None, "x-sum", false),
    ];
    for (length, announced, name, is_sent) in rows {
        let server = Script::serve(vec![answer(ok(""))]);
        let frames = pieces(&["ab", "cde"]).chain([Frame::trailers(fields(name))]);
        let body = Frames::<Infallible>(frames.map(Ok).collect(), length);
        let post = Client::new().post(server.url("/")).body(Body::wrap(body));
        let post = match announced {
            Some(names) => post.header("trailer", names),
            None => post,
        };
        post.send().await.unwrap();
        let received = server.received_text(0);
        let end = if is_sent { "\r\n0\r\nx-sum: 5\r\n\r\n" } else { "\r\n\r\nabcde" };
        assert!(received.ends_with(end), "{length:?} {announced:?}: {received}");
    }
    // A frame that may not follow a body is not sent.
    let server = Script::serve(vec![vec![Step::ExpectHead, Step::Silent]]);
    let frames = pieces(&["ab"]).chain([Frame::trailers(fields("content-length"))]);
    let body = Body::wrap(Frames::<Infallible>(frames.map(Ok).collect(), None));
    let error = Client::new().post(server.url("/")).body(body).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Body, "{error}");
    // A length that the caller announces stays.
    let server = Script::serve(vec![answer(ok(""))]);
    let frames = pieces(&["abcde"]).chain([Frame::trailers(fields("x-sum"))]);
    let body = Body::wrap(Frames::<Infallible>(frames.map(Ok).collect(), None));
    let post = Client::new().post(server.url("/")).header("content-length", "5");
    post.body(body).send().await.unwrap();
    assert!(server.received_text(0).ends_with("\r\n\r\nabcde"));
}

#[tokio::test]
async fn fails_with_a_body_that_fails() {
    let frames = || pieces(&["ab"]).map(Ok);
    let failing = Frames(frames().chain([Err(io::Error::other("broken"))]).collect(), None);
    let short = Frames::<io::Error>(frames().collect(), Some(5));
    for (body, says) in [(failing, "broken"), (short, "3 bytes")] {
        let server = Script::serve(vec![vec![Step::ExpectHead, Step::Silent]]);
        let request = http::Request::post(server.url("/")).body(Body::wrap(body)).unwrap();
        let error = Client::new().http_service().oneshot(request).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Body, "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
}
