//! The async surface under reqwest's names: each use is what a program on reqwest writes, and each is run.
#![allow(missing_docs)]

mod server;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Body, Client, Method, StatusCode, multipart, redirect};
use serde::{Deserialize, Serialize};

use server::{Server, ok, with};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Item {
    name: String,
    count: u32,
}

fn item() -> Item {
    Item { name: "bolt".into(), count: 3 }
}

#[tokio::test]
async fn the_function_get_sends() {
    let server = Server::answering(|_| ok("hello"));
    assert_eq!(reqwest::get(&server.url).await.unwrap().text().await.unwrap(), "hello");
}

#[tokio::test]
async fn query_and_form_take_pairs_and_serde_values() {
    let server = Server::answering(|_| ok(""));
    let client = Client::new();
    client.get(server.at("/a?x=1")).query(&[("q", "a b")]).query(&item()).send().await.unwrap();
    assert_eq!(server.last().target, "/a?x=1&q=a+b&name=bolt&count=3");

    client.post(server.at("/f")).form(&item()).send().await.unwrap();
    let form = server.last();
    assert_eq!(form.text(), "name=bolt&count=3");
    assert_eq!(form.field("content-type"), "application/x-www-form-urlencoded");
}

#[tokio::test]
async fn json_goes_both_ways() {
    let server = Server::answering(|request| ok(&request.text()));
    let response = Client::new().post(&server.url).json(&item()).send().await.unwrap();
    assert_eq!(server.last().field("content-type"), "application/json");
    assert_eq!(response.json::<Item>().await.unwrap(), item());
}

#[tokio::test]
async fn a_status_is_an_error_when_asked() {
    let server = Server::answering(|_| with("404 Not Found", "", "gone"));
    let response = reqwest::get(server.at("/x")).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let error = response.error_for_status().unwrap_err();
    assert!(error.is_status());
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
    assert_eq!(error.url().map(|url| url.path().to_owned()), Some("/x".to_owned()));
}

#[tokio::test]
async fn settings_of_the_builder_reach_the_wire() {
    let server = Server::answering(|_| ok(""));
    let mut defaults = HeaderMap::new();
    defaults.insert("x-default", HeaderValue::from_static("d"));
    let client: Client = Client::builder()
        .user_agent("station/2.1")
        .default_headers(defaults)
        .timeout(Duration::from_secs(20))
        .connect_timeout(Duration::from_secs(5))
        .pool_max_idle_per_host(2)
        .tcp_nodelay(true)
        .no_proxy()
        .build()
        .unwrap();
    let request = client.request(Method::PUT, &server.url);
    let request = request.header(header::ACCEPT, "text/html").bearer_auth("t0ken").body("content");
    request.send().await.unwrap();
    let seen = server.last();
    assert_eq!((seen.method.as_str(), seen.text().as_str()), ("PUT", "content"));
    let fields = ["user-agent", "x-default", "accept", "authorization"];
    let values = fields.map(|name| seen.field(name).to_owned());
    assert_eq!(values, ["station/2.1", "d", "text/html", "Bearer t0ken"]);
}

#[tokio::test]
async fn a_request_is_built_changed_cloned_and_executed() {
    let server = Server::answering(|request| ok(&request.text()));
    let client = Client::new();
    let mut request = client.post(server.at("/one")).body("same").build().unwrap();
    request.url_mut().set_path("/two");
    request.headers_mut().insert("x-added", HeaderValue::from_static("1"));
    *request.timeout_mut() = Some(Duration::from_secs(9));
    assert_eq!(request.body().and_then(|body| body.as_bytes()), Some(&b"same"[..]));
    let copy = request.try_clone().unwrap();
    for request in [request, copy] {
        assert_eq!(client.execute(request).await.unwrap().text().await.unwrap(), "same");
        let seen = server.last();
        assert_eq!((seen.target.as_str(), seen.field("x-added")), ("/two", "1"));
    }
}

#[tokio::test]
async fn a_builder_is_split_and_put_together() {
    let server = Server::answering(|_| ok(""));
    let (client, request) = Client::new().get(&server.url).build_split();
    let builder = reqwest::RequestBuilder::from_parts(client, request.unwrap());
    builder.header("x-late", "1").send().await.unwrap();
    assert_eq!(server.last().field("x-late"), "1");
}

#[tokio::test]
async fn a_call_can_be_spawned() {
    fn is_sync<T: Send + Sync + 'static>(value: T) -> T {
        value
    }
    let server = Server::answering(|_| ok("spawned"));
    let client = Client::new();
    let request = client.get(&server.url).build().unwrap();
    let call = is_sync(client.execute(request));
    drop(client);
    let response = tokio::spawn(call).await.unwrap().unwrap();
    assert_eq!(response.text().await.unwrap(), "spawned");
    let call = is_sync(Client::new().get(&server.url).send());
    tokio::spawn(call).await.unwrap().unwrap();
}

#[tokio::test]
async fn redirects_follow_the_policy() {
    let server = Server::answering(|request| match request.target.as_str() {
        "/from" => with("302 Found", "location: /to\r\n", ""),
        _ => ok("there"),
    });
    let response = reqwest::get(server.at("/from")).await.unwrap();
    assert_eq!(response.url().path(), "/to");

    let client = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
    let response = client.get(server.at("/from")).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::FOUND);

    let policy = redirect::Policy::custom(|attempt| {
        if attempt.previous().len() > 5 { attempt.error("loop") } else { attempt.follow() }
    });
    let client = Client::builder().redirect(policy).build().unwrap();
    assert_eq!(client.get(server.at("/from")).send().await.unwrap().text().await.unwrap(), "there");
}

#[tokio::test]
async fn a_multipart_form_has_its_parts() {
    let server = Server::answering(|_| ok(""));
    let file = multipart::Part::bytes(b"a,b".to_vec()).file_name("a.csv").mime_str("text/csv");
    let form = multipart::Form::new().text("title", "t").part("file", file.unwrap());
    let boundary = form.boundary().to_owned();
    Client::new().post(&server.url).multipart(form).send().await.unwrap();
    let seen = server.last();
    assert_eq!(
        seen.field("content-type"),
        format!("multipart/form-data; boundary={boundary}").as_str()
    );
    for part in ["name=\"title\"", "filename=\"a.csv\"", "text/csv", "a,b"] {
        assert!(seen.text().contains(part), "{part} is not in {}", seen.text());
    }
}

#[tokio::test]
async fn cookies_come_back() {
    let server = Server::answering(|_| with("200 OK", "set-cookie: flavor=oat; Path=/\r\n", ""));
    let jar = Arc::new(reqwest::cookie::Jar::default());
    jar.add_cookie_str("first=1", &server.url.parse().unwrap());
    let client = Client::builder().cookie_provider(Arc::clone(&jar)).build().unwrap();
    let response = client.get(&server.url).send().await.unwrap();
    let cookie = response.cookies().next().map(|cookie| cookie.value().to_owned());
    assert_eq!(cookie.as_deref(), Some("oat"));
    client.get(&server.url).send().await.unwrap();
    let mut sent: Vec<String> =
        server.last().field("cookie").split("; ").map(str::to_owned).collect();
    sent.sort();
    assert_eq!(sent, ["first=1", "flavor=oat"]);
}

#[tokio::test]
async fn a_body_is_read_in_pieces() {
    let server = Server::answering(
        |_| "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    );
    let mut response = reqwest::get(&server.url).await.unwrap();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.unwrap() {
        body.extend_from_slice(&chunk);
    }
    assert_eq!(body, b"abcde");

    let mut stream = reqwest::get(&server.url).await.unwrap().bytes_stream();
    let mut body = Vec::new();
    while let Some(chunk) = next(&mut stream).await {
        body.extend_from_slice(&chunk.unwrap());
    }
    assert_eq!(body, b"abcde");
}

#[tokio::test]
async fn a_stream_is_sent() {
    let server = Server::answering(|request| ok(&request.text()));
    let pieces = Pieces(vec!["three", "two", "one"]);
    let response = Client::new().post(&server.url).body(Body::wrap_stream(pieces)).send().await;
    assert_eq!(response.unwrap().text().await.unwrap(), "onetwothree");
    assert_eq!(server.last().field("transfer-encoding"), "chunked");
}

#[tokio::test]
async fn failures_are_told_apart() {
    // The port of a listener that is gone.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = reqwest::get(format!("http://{closed}/")).await.unwrap_err();
    assert!(error.is_connect() && error.is_request(), "{error:?}");

    let server = Server::playing(|_, _| {
        std::thread::park();
        false
    });
    let late = Client::new().get(&server.url).timeout(Duration::from_millis(50)).send().await;
    assert!(late.unwrap_err().is_timeout());

    let error = Client::new().get("not a url").send().await.unwrap_err();
    assert!(error.is_builder());

    let server = Server::answering(|_| ok("no json"));
    let error = reqwest::get(&server.url).await.unwrap().json::<Item>().await.unwrap_err();
    assert!(error.is_decode());
}

#[tokio::test]
async fn http_2_without_negotiation_is_an_error_of_build() {
    let error = Client::builder().http2_prior_knowledge().build().unwrap_err();
    assert!(error.is_builder() && error.to_string().contains("http2_prior_knowledge"), "{error}");
}

async fn next<S: futures_core::Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    std::future::poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx)).await
}

/// A stream of these, the last one first.
struct Pieces(Vec<&'static str>);

impl futures_core::Stream for Pieces {
    type Item = std::io::Result<&'static str>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.pop().map(Ok))
    }
}
