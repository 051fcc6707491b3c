//! Requests and responses of the crate `http`, with both clients.

use std::io::Read;
use std::pin::Pin;

use real::error::Kind;
use real::{Url, blocking, timings::Timings, tokio as front};
use tokio::io::{AsyncRead, ReadBuf};

use super::support::httpbin::Httpbin;
use super::support::script::{Script, Step, answer, ok, send};

async fn read_all(mut reader: front::ResponseBody) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut piece = [0; 7];
        let mut buffer = ReadBuf::new(&mut piece);
        std::future::poll_fn(|cx| Pin::new(&mut reader).poll_read(cx, &mut buffer)).await?;
        match buffer.filled() {
            [] => return Ok(body),
            read => body.extend(read),
        }
    }
}

fn head<B>(response: &http::Response<B>) -> (u16, http::Version, &str, &str) {
    let url = response.extensions().get::<Url>().unwrap();
    let kind = response.headers()["content-type"].to_str().unwrap();
    assert!(response.extensions().get::<Timings>().is_some());
    (response.status().as_u16(), response.version(), kind, url.path())
}

#[tokio::test(flavor = "multi_thread")]
async fn convert_in_both_directions() {
    let server = Httpbin::start();
    let request = |body| {
        let request = http::Request::post(server.url("/post?a=b")).header("x-y", "z").body(body);
        request.unwrap()
    };
    let expected = (200, http::Version::HTTP_11, "application/json", "/post");

    let sent = front::Client::new().execute(request("text").try_into().unwrap()).await.unwrap();
    let response = http::Response::from(sent);
    assert_eq!(head(&response), expected);
    let by_tokio = String::from_utf8(read_all(response.into_body()).await.unwrap()).unwrap();

    let request = request("text").try_into().unwrap();
    let call = move || {
        let sent = blocking::Client::new().execute(request).unwrap();
        let response = http::Response::from(sent);
        assert_eq!(head(&response), expected);
        std::io::read_to_string(response.into_body()).unwrap()
    };
    let by_blocking = tokio::task::spawn_blocking(call).await.unwrap();
    for text in [by_tokio, by_blocking] {
        let echo: serde_json::Value = serde_json::from_str(&text).unwrap();
        let seen = (&echo["data"], &echo["args"]["a"], &echo["headers"]["X-Y"]);
        assert_eq!(seen, (&"text".into(), &"b".into(), &"z".into()), "{text}");
    }
}

/// An error of a body has the URL, although the response is gone.
#[test]
fn keep_their_url_in_errors() {
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc";
    let server = Script::serve(vec![vec![Step::ExpectHead, send(cut), Step::Close]]);
    let response = blocking::Client::new().get(server.url("/cut")).send().unwrap();
    let mut reader = http::Response::from(response).into_body();
    let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    let error = error.get_ref().unwrap().downcast_ref::<real::Error>().unwrap();
    assert_eq!((error.kind(), error.url().unwrap().path()), (Kind::Truncated, "/cut"));
    assert!(error.to_string().contains(&server.url("/cut")), "{error}");
}

/// A connection whose response was converted is returned to the pool.
#[tokio::test]
async fn release_the_connection() {
    let server = Script::serve(vec![[answer(ok("1")), answer(ok("2"))].concat()]);
    let client = front::Client::new();
    for expected in ["1", "2"] {
        let response = client.get(server.url("/")).send().await.unwrap();
        let body = read_all(http::Response::from(response).into_body()).await.unwrap();
        assert_eq!(body, expected.as_bytes());
    }
    drop(client);
    server.join();
}

/// RFC 9110 §8.6: a GET without a body announces none.
#[test]
fn announce_no_length_without_a_body() {
    for (method, is_announced) in [("GET", false), ("POST", true)] {
        let server = Script::serve(vec![answer(ok(""))]);
        let request = http::Request::builder().method(method).uri(server.url("/")).body("");
        let request = request.unwrap().try_into().unwrap();
        blocking::Client::new().execute(request).unwrap();
        let seen = server.received_text(0).to_ascii_lowercase();
        assert_eq!(seen.contains("content-length: 0"), is_announced, "{seen}");
    }
}

/// The URI of a received request has no host, so its destination is unknown.
#[test]
fn need_absolute_uris() {
    let request = http::Request::get("/path").body("").unwrap();
    let error = blocking::Request::try_from(request).unwrap_err();
    assert_eq!(error.kind(), Kind::Builder, "{error}");
}

/// A response that is made by hand, and its methods.
fn made() -> http::Response<Vec<u8>> {
    let builder = http::Response::builder().status(404).version(http::Version::HTTP_10);
    let builder = builder.header("Set-Cookie", "a=b; Path=/").header("set-cookie", "c=d");
    let url = Url::parse("https://a.test/missing").unwrap();
    builder
        .header("content-length", "7")
        .extension(url)
        .extension("mine")
        .body(b"no such".into())
        .unwrap()
}

fn assert_made<B>(response: &real::response::Response<B>) {
    assert_eq!((response.status().as_u16(), response.version()), (404, http::Version::HTTP_10));
    assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);
    assert_eq!(response.content_length(), Some(7));
    assert_eq!(response.url().as_str(), "https://a.test/missing");
    assert_eq!(response.extensions().get(), Some(&"mine"));
    assert!(
        response.raw_head().starts_with(b"HTTP/1.0 404 Not Found\r\nset-cookie: a=b; Path=/\r\n")
    );
    assert!(response.timings().is_none() && response.remote_addr().is_none());
}

#[test]
fn made_by_hand_work_as_responses() {
    let mut response = blocking::Response::from(made());
    assert_made(&response);
    assert_eq!(
        response.cookies().map(|cookie| cookie.name().to_owned()).collect::<Vec<_>>(),
        ["a", "c"]
    );
    let mut piece = [0; 3];
    assert_eq!((response.read(&mut piece).unwrap(), &piece), (3, b"no "));
    let error = response.error_for_status().unwrap_err();
    assert_eq!(error.to_string(), "404 Not Found for https://a.test/missing");
    assert_eq!(error.into_response().unwrap().bytes().unwrap(), "such");

    let empty = http::Response::builder().status(101).body("").unwrap();
    let error = blocking::Response::from(empty).upgrade().unwrap_err();
    assert!(error.to_string().contains("http://no.url.invalid/"), "{error}");
}

#[tokio::test]
async fn made_by_hand_work_as_async_responses() {
    let mut response = front::Response::from(made());
    assert_made(&response);
    assert_eq!(response.chunk().await.unwrap().unwrap(), "no such");
    assert_eq!(response.chunk().await.unwrap(), None);
    let text = front::Response::from(http::Response::new("text")).text().await;
    assert_eq!(text.unwrap(), "text");
}

/// A request or a body of bytes can be used with either client, with its settings.
#[tokio::test(flavor = "multi_thread")]
async fn convert_to_the_other_client() {
    let server =
        Script::serve(vec![answer(ok("1")), answer(ok("2")), vec![Step::ExpectHead, Step::Silent]]);
    let of_blocking = |timeout| {
        let post = blocking::Client::new().post(server.url("/")).body("content");
        post.header("x-a", "b").timeout(timeout).build().unwrap()
    };
    let long = std::time::Duration::from_secs(30);
    let request = front::Request::try_from(of_blocking(long)).unwrap();
    assert_eq!(front::Client::new().execute(request).await.unwrap().text().await.unwrap(), "1");

    let body = front::Body::try_from(blocking::Body::from("content")).unwrap();
    let request = front::Client::new().post(server.url("/")).body(body).header("x-a", "b");
    let request = blocking::Request::try_from(request.build().unwrap()).unwrap();
    let call = move || blocking::Client::new().execute(request).unwrap().text().unwrap();
    assert_eq!(tokio::task::spawn_blocking(call).await.unwrap(), "2");
    for connection in 0..2 {
        let sent = server.received_text(connection);
        assert!(sent.contains("\r\nx-a: b\r\n") && sent.ends_with("\r\n\r\ncontent"), "{sent}");
    }
    let short = std::time::Duration::from_millis(50);
    let request = front::Request::try_from(of_blocking(short)).unwrap();
    assert!(front::Client::new().execute(request).await.unwrap_err().is_timeout());
}

#[test]
fn with_readers_stay_with_their_client() {
    let error = front::Body::try_from(blocking::Body::new(std::io::empty())).unwrap_err();
    assert_eq!(error.kind(), Kind::Builder, "{error}");
    let post = front::Client::new().post("http://a.test/").body(front::Body::new(&b""[..]));
    let error = blocking::Request::try_from(post.build().unwrap()).unwrap_err();
    assert_eq!(error.kind(), Kind::Builder, "{error}");
}

#[test]
fn are_made_from_requests() {
    let url = "http://a.test/b?c#d";
    let of_blocking = blocking::Client::new().put(url).header("x-y", "z").body("text").build();
    let of_tokio = front::Client::new().put(url).header("x-y", "z").body("text").build();
    let one = http::Request::try_from(of_blocking.unwrap()).unwrap();
    let other = http::Request::try_from(of_tokio.unwrap()).unwrap();
    let (head, body) = one.into_parts();
    assert_eq!((head.method.as_str(), head.uri.to_string().as_str()), ("PUT", "http://a.test/b?c"));
    assert_eq!(
        (&head.headers["x-y"], body.as_bytes()),
        (&"z".parse().unwrap(), Some(&b"text"[..]))
    );
    let (head, body) = other.into_parts();
    assert_eq!((head.method.as_str(), head.uri.to_string().as_str()), ("PUT", "http://a.test/b?c"));
    assert_eq!(
        (&head.headers["x-y"], body.as_bytes()),
        (&"z".parse().unwrap(), Some(&b"text"[..]))
    );
    let empty = blocking::Client::new().get(url).build().unwrap();
    assert_eq!(http::Request::try_from(empty).unwrap().body().as_bytes(), Some(&b""[..]));
}

/// A response becomes an `http::Response` with a body that can be sent, or read as a response
/// again.
#[tokio::test(flavor = "multi_thread")]
async fn can_be_bodies_of_requests() {
    let server = Script::serve(vec![answer(ok("streamed"))]);
    let response = front::Client::new().get(server.url("/")).send().await.unwrap();
    let converted: http::Response<front::Body> = response.into();
    assert_eq!(head_of(&converted), (200, "/".to_owned()));
    let response = front::Response::from(converted);
    assert_eq!((response.status().as_u16(), response.url().path()), (200, "/"));
    assert_eq!(response.text().await.unwrap(), "streamed");

    let made = http::Response::new(front::Body::new(&b"read"[..]));
    assert_eq!(front::Response::from(made).text().await.unwrap(), "read");
    let made = http::Response::new(blocking::Body::sized(&b"read on"[..], 4));
    assert_eq!(blocking::Response::from(made).text().unwrap(), "read");
    let made = http::Response::new(blocking::Body::sized(&b"read"[..], 5));
    let error = blocking::Response::from(made).text().unwrap_err();
    assert_eq!(error.kind(), Kind::Body, "{error}");
}

fn head_of<B>(response: &http::Response<B>) -> (u16, String) {
    let url = response.extensions().get::<Url>().unwrap();
    (response.status().as_u16(), url.path().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn have_the_reason_phrase_of_the_server() {
    for (line, reason) in [("200 Fine", "Fine"), ("204 ", ""), ("404 N\u{f6} such", "N\u{f6} such")]
    {
        let answered = format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\n\r\n");
        let server = Script::serve(vec![answer(&answered), answer(&answered)]);
        let response = front::Client::new().get(server.url("/")).send().await.unwrap();
        assert_eq!(response.reason(), reason);
        let url = server.url("/");
        let call = move || blocking::Client::new().get(url).send().unwrap().reason().into_owned();
        assert_eq!(tokio::task::spawn_blocking(call).await.unwrap(), reason);
    }
    assert_eq!(blocking::Response::from(made()).reason(), "Not Found");
}

/// A body for signing, logging or comparing can be read back, and is then sent unchanged.
#[tokio::test(flavor = "multi_thread")]
async fn have_bodies_that_can_be_read_back() {
    let mut body = blocking::Body::new(&b"of a reader"[..]);
    assert_eq!(body.as_bytes(), None);
    assert_eq!(body.buffer().unwrap(), b"of a reader");
    assert_eq!(body.buffer().unwrap(), b"of a reader");
    assert_eq!(body.as_bytes(), Some(&b"of a reader"[..]));
    let form = blocking::multipart::Form::new().with_boundary("b").unwrap();
    let form = form.part("p", blocking::multipart::Part::reader(&b"part"[..]));
    let mut request =
        blocking::Client::new().post("http://a.test/").multipart(form).build().unwrap();
    let form = request.body_mut().as_mut().unwrap().buffer().unwrap().to_vec();
    assert!(form.starts_with(b"--b\r\n") && form.ends_with(b"\r\n\r\npart\r\n--b--\r\n"));

    let mut body = front::Body::new(&b"of a reader"[..]);
    assert_eq!(body.buffer().await.unwrap(), b"of a reader");
    assert_eq!(body.as_bytes(), Some(&b"of a reader"[..]));
    let mut short = front::Body::sized(&b"four"[..], 5);
    assert_eq!(short.buffer().await.unwrap_err().kind(), Kind::Body);
}
