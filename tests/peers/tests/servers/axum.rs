//! axum 0.8: its extractors, and the responses that a client gets.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, DefaultBodyLimit, Multipart, Query};
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use bytes::Bytes;
use leanhttp::tokio::multipart::{Form as Parts, Part};
use leanhttp::tokio::{Client, Response};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Person {
    name: String,
    #[serde(default)]
    age: u8,
}

impl Person {
    fn ada() -> Self {
        Self { name: "Ada & Grace ☃".to_owned(), age: 36 }
    }
}

type Pairs = BTreeMap<String, String>;

async fn parts(mut multipart: Multipart) -> Json<Vec<[String; 4]>> {
    let mut parts = Vec::new();
    while let Some(field) = multipart.next_field().await.unwrap() {
        let of = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let (name, file) = (of(field.name()), of(field.file_name()));
        let kind = of(field.content_type());
        parts.push([name, file, kind, field.text().await.unwrap()]);
    }
    Json(parts)
}

/// The address of a server that ends with the runtime of its test.
async fn start() -> SocketAddr {
    let router = Router::new()
        .route("/query", get(async |Query(pairs): Query<Pairs>| Json(pairs)))
        .route("/form", post(async |Form(person): Form<Person>| Json(person)))
        .route(
            "/json",
            post(async |Json(person): Json<Person>| (StatusCode::CREATED, Json(person))),
        )
        .route("/multipart", post(parts))
        .route("/small", post(async |body: Bytes| body.len().to_string()))
        .layer(DefaultBodyLimit::max(64 * 1024))
        .route("/old", get(async || Redirect::permanent("/peer")))
        .route("/peer", get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string()));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async { axum::serve(listener, service).await.unwrap() });
    addr
}

async fn send_to(path: &str, method: &str) -> leanhttp::tokio::RequestBuilder {
    let url = format!("http://{}{path}", start().await);
    Client::new().request(method.parse().unwrap(), url)
}

async fn answer(request: leanhttp::tokio::RequestBuilder) -> Response {
    request.send().await.unwrap().error_for_status().unwrap()
}

#[tokio::test]
async fn accepts_queries() {
    let pairs = [("a", "1 + 1"), ("b", ""), ("ü", "&=%")];
    let request = send_to("/query", "GET").await.query(&pairs);
    let echo: Pairs = answer(request).await.json().await.unwrap();
    assert_eq!(echo, pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
}

#[tokio::test]
async fn accepts_and_returns_json() {
    let response = answer(send_to("/json", "POST").await.json(&Person::ada())).await;
    assert_eq!(response.status(), 201);
    assert_eq!(response.json::<Person>().await.unwrap(), Person::ada());
    let wrong = send_to("/json", "POST").await.json(&7).send().await.unwrap();
    assert_eq!(wrong.status(), 422);
    let untyped = send_to("/json", "POST").await.body("{}").send().await.unwrap();
    assert_eq!(untyped.status(), 415);
}

#[tokio::test]
async fn accepts_forms() {
    let response = answer(send_to("/form", "POST").await.form(&Person::ada())).await;
    assert_eq!(response.json::<Person>().await.unwrap(), Person::ada());
}

#[tokio::test]
async fn accepts_multipart_forms() {
    let file = Part::bytes(b"a,b\r\n--x".as_slice()).file_name("ta\"ble ☃.csv");
    let file = file.mime_str("text/csv").unwrap();
    let streamed = Part::reader(&b"streamed"[..]).file_name("s.txt");
    let form = Parts::new().text("field", "value\r\n").part("file", file).part("late", streamed);
    let response = answer(send_to("/multipart", "POST").await.multipart(form)).await;
    let seen: Vec<[String; 4]> = response.json().await.unwrap();
    assert_eq!(seen[0], ["field", "", "", "value\r\n"]);
    assert_eq!(seen[1][0], "file");
    assert!(seen[1][1].contains("ble ☃.csv"), "{:?}", seen[1]);
    assert_eq!(seen[1][2..], ["text/csv", "a,b\r\n--x"]);
    assert_eq!((&*seen[2][0], &*seen[2][1], &*seen[2][3]), ("late", "s.txt", "streamed"));
    assert_eq!(seen.len(), 3);
}

/// The server responds before it has read everything, and may then close the connection.
#[tokio::test]
async fn refuses_a_body_that_is_too_large() {
    for size in [65 * 1024, 16 << 20] {
        let refused = send_to("/small", "POST").await.body(vec![b'x'; size]).send().await.unwrap();
        assert_eq!(refused.status(), 413, "{size} bytes");
        assert!(refused.text().await.unwrap().contains("limit"));
    }
    let taken = answer(send_to("/small", "POST").await.body(vec![b'x'; 60_000])).await;
    assert_eq!(taken.text().await.unwrap(), "60000");
}

#[tokio::test]
async fn keeps_connections() {
    let (client, addr) = (Client::new(), start().await);
    let mut peers = Vec::new();
    for path in ["/peer", "/old", "/missing", "/peer"] {
        let response = client.get(format!("http://{addr}{path}")).send().await.unwrap();
        assert_eq!(response.status() == 404, path == "/missing");
        peers.push(response.text().await.unwrap());
    }
    assert_eq!([&peers[1], &peers[3]], [&peers[0]; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn serves_a_hundred_concurrent_requests() {
    let (client, addr) = (Client::new(), start().await);
    let mut calls = JoinSet::new();
    for age in 0..100 {
        let request = client.post(format!("http://{addr}/json"));
        calls.spawn(async move {
            let request = request.json(&Person { age, ..Person::ada() });
            assert_eq!(answer(request).await.json::<Person>().await.unwrap().age, age);
        });
    }
    calls.join_all().await;
}
