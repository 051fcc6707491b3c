//! hyper 1: every framing, in both directions.

use std::convert::Infallible;
use std::io::Cursor;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use leanhttp::error::Phase;
use leanhttp::tokio::{Body, Client};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};

const MIB: usize = 1 << 20;

/// A server; dropping it closes its connections.
struct Server {
    addr: SocketAddr,
    /// Permits for the requests for `/never` that have arrived.
    waiting: Arc<Semaphore>,
    running: JoinHandle<()>,
}

impl Server {
    async fn start() -> Self {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into()).await
    }

    async fn start_at(addr: SocketAddr) -> Self {
        let listener = TcpListener::bind(addr).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let waiting = Arc::new(Semaphore::new(0));
        let seen = Arc::clone(&waiting);
        let running = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, peer) = listener.accept().await.unwrap();
                let seen = Arc::clone(&seen);
                let service = service_fn(move |request| answer(request, peer, Arc::clone(&seen)));
                let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                connections.spawn(async { drop(serving.await) });
            }
        });
        Self { addr, waiting, running }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    async fn stop(self) {
        self.running.abort();
        let _ = self.running.await;
    }
}

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

async fn answer(
    request: Request<Incoming>,
    peer: SocketAddr,
    waiting: Arc<Semaphore>,
) -> Result<Answer, hyper::Error> {
    let body = match request.uri().path() {
        "/query" => full(request.uri().query().unwrap_or_default().to_owned()),
        "/peer" => full(peer.to_string()),
        "/framing" => full(framing(request.headers())),
        "/upload" => full(received(request).await?),
        "/download" => streamed(None),
        "/download-with-trailers" => streamed(Some(trailers("6"))),
        "/never" => {
            waiting.add_permits(1);
            std::future::pending().await
        }
        _ => return Ok(Response::builder().status(404).body(full("")).unwrap()),
    };
    let mut answer = Response::new(body);
    answer.headers_mut().insert(header::TRAILER, HeaderValue::from_static("x-sum"));
    Ok(answer)
}

fn full(text: impl Into<Bytes>) -> UnsyncBoxBody<Bytes, Infallible> {
    Full::new(text.into()).boxed_unsync()
}

fn framing(headers: &HeaderMap) -> String {
    format!("{:?} {:?}", headers.get("content-length"), headers.get("transfer-encoding"))
}

/// The request as received: its framing, its length, and its trailers.
async fn received(request: Request<Incoming>) -> Result<String, hyper::Error> {
    let framing = framing(request.headers());
    let body = request.into_body().collect().await?;
    let sum = body.trailers().and_then(|trailers| trailers.get("x-sum")).cloned();
    Ok(format!("{framing} {} {sum:?}", body.to_bytes().len()))
}

/// 1 MiB in 64 pieces, of unknown length.
fn streamed(trailers: Option<HeaderMap>) -> UnsyncBoxBody<Bytes, Infallible> {
    let pieces = (0..64).map(|piece| Frame::data(vec![piece; MIB / 64].into()));
    let frames: Vec<_> = pieces.chain(trailers.map(Frame::trailers)).map(Ok).collect();
    StreamBody::new(Pieces(frames.into_iter())).boxed_unsync()
}

struct Pieces(std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>);

impl futures_core::Stream for Pieces {
    type Item = Result<Frame<Bytes>, Infallible>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.next())
    }
}

fn trailers(sum: &'static str) -> HeaderMap {
    HeaderMap::from_iter([("x-sum".parse().unwrap(), HeaderValue::from_static(sum))])
}

async fn text(client: &Client, url: String) -> leanhttp::Result<String> {
    client.get(url).send().await?.text().await
}

#[tokio::test]
async fn accepts_queries() {
    let server = Server::start().await;
    let request = Client::new().get(server.url("/query?a=b")).query(&[("q", "lean & fast")]);
    assert_eq!(request.send().await.unwrap().text().await.unwrap(), "a=b&q=lean+%26+fast");
}

/// RFC 9110 §8.6, RFC 9112 §6.1, §7.1.2.
#[tokio::test]
async fn accepts_bodies_of_every_framing() {
    let server = Server::start().await;
    let reader = || Cursor::new(vec![b'x'; MIB]);
    let length = Some(HeaderValue::from(MIB));
    let chunked = Some(HeaderValue::from_static("chunked"));
    let none = None::<HeaderValue>;
    let cases = [
        (vec![b'x'; MIB].into(), format!("{length:?} None {MIB} None")),
        (Body::sized(reader(), MIB as u64), format!("{length:?} None {MIB} None")),
        (Body::new(reader()), format!("{none:?} {chunked:?} {MIB} None")),
        (
            Body::new(reader()).with_trailers(trailers("5")),
            format!("{none:?} {chunked:?} {MIB} {:?}", Some(HeaderValue::from_static("5"))),
        ),
    ];
    for (body, expected) in cases {
        let response = Client::new().put(server.url("/upload")).body(body).send().await.unwrap();
        assert_eq!(response.text().await.unwrap(), expected);
    }
}

#[tokio::test]
async fn returns_bodies_of_unknown_length() {
    let server = Server::start().await;
    let mut response = Client::new().get(server.url("/download")).send().await.unwrap();
    assert_eq!(response.headers()["transfer-encoding"], "chunked");
    let mut received = Vec::new();
    while let Some(piece) = response.chunk().await.unwrap() {
        received.extend(piece);
    }
    let expected: Vec<u8> = (0..64).flat_map(|piece| vec![piece; MIB / 64]).collect();
    assert!(received == expected);
}

/// Trailers are sent to clients that accept them (RFC 9110 §6.5.1).
#[tokio::test]
async fn returns_trailers() {
    let server = Server::start().await;
    let request = Client::new().get(server.url("/download-with-trailers"));
    let mut response = request.header("te", "trailers").send().await.unwrap();
    response.copy_to(&mut Vec::new()).await.unwrap();
    assert_eq!(response.trailers().unwrap()["x-sum"], "6");
}

#[tokio::test]
async fn keeps_connections() {
    let server = Server::start().await;
    let client = Client::new();
    let first = text(&client, server.url("/peer")).await.unwrap();
    let upload = client.post(server.url("/upload")).body(Body::new(Cursor::new(vec![0; MIB])));
    upload.send().await.unwrap().bytes().await.unwrap();
    client.get(server.url("/download")).send().await.unwrap().bytes().await.unwrap();
    client.head(server.url("/query")).send().await.unwrap();
    client.get(server.url("/missing")).send().await.unwrap();
    assert_eq!(text(&client, server.url("/peer")).await.unwrap(), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn serves_a_hundred_concurrent_requests() {
    let server = Server::start().await;
    let client = Client::new();
    let mut calls = JoinSet::new();
    for number in 0..100 {
        let (client, url) = (client.clone(), server.url(&format!("/query?{number}")));
        calls.spawn(async move { (number, text(&client, url).await.unwrap()) });
    }
    for (number, text) in calls.join_all().await {
        assert_eq!(text, number.to_string());
    }
}

#[tokio::test]
async fn may_disappear_while_a_connection_is_idle() {
    let server = Server::start().await;
    let (client, addr, url) = (Client::new(), server.addr, server.url("/peer"));
    let never = tokio::spawn(client.get(server.url("/never")).send());
    text(&client, url.clone()).await.unwrap();
    server.waiting.acquire().await.unwrap().forget();
    server.stop().await;
    let error = never.await.unwrap().unwrap_err();
    assert_eq!(error.phase(), Phase::Head, "{error}");
    let error = text(&client, url.clone()).await.unwrap_err();
    assert!(error.is_connect(), "{error}");
    let again = Server::start_at(addr).await;
    text(&client, url.clone()).await.unwrap();
    again.stop().await;
    let _back = Server::start_at(addr).await;
    text(&client, url).await.expect("idle connections are known to be closed");
}
