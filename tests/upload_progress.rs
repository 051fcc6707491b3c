//! A callback is told how much of a body was sent, of every kind of body, and again when it is sent again.
#![cfg(all(feature = "blocking", feature = "tls", feature = "gzip", feature = "multipart"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use leanhttp::blocking::multipart::{Form, Part};
use leanhttp::blocking::{Body, Client, RequestBuilder};
use leanhttp::retry;

use support::httpbin::Httpbin;
use support::script::{Script, answer, ok};

type Told = Arc<Mutex<Vec<(u64, Option<u64>)>>>;

fn observed(request: RequestBuilder) -> (RequestBuilder, Told) {
    let told = Told::default();
    let tell = Arc::clone(&told);
    let request =
        request.on_upload_progress(move |sent, total| tell.lock().unwrap().push((sent, total)));
    (request, told)
}

/// Begins at 0, grows, and ends with all.
#[track_caller]
fn assert_tells(told: &Told, length: u64, is_known: bool) {
    let told = told.lock().unwrap();
    let total = is_known.then_some(length);
    assert_eq!((told[0], *told.last().unwrap()), ((0, total), (length, total)), "{told:?}");
    assert!(told.windows(2).all(|pair| pair[0].0 < pair[1].0), "{told:?}");
}

#[test]
fn bodies_of_every_kind_tell_their_progress() {
    let server = Httpbin::start();
    let client = Client::new();
    let large = vec![b'x'; 1_000_000];
    let post = || client.post(server.url("/post"));
    let form = Form::new().text("a", "b").part("c", Part::bytes(large.clone()));
    let bodies: [(RequestBuilder, Option<u64>, bool); 5] = [
        (post().body("text"), Some(4), true),
        (post().body(large.clone()), Some(1_000_000), true),
        (post().body(Body::new(std::io::Cursor::new(large.clone()))), Some(1_000_000), false),
        (
            post().body(Body::sized(std::io::Cursor::new(large.clone()), 999_999)),
            Some(999_999),
            true,
        ),
        (post().multipart(form), None, true),
    ];
    for (request, length, is_known) in bodies {
        let (request, told) = observed(request);
        request.send().unwrap().bytes().unwrap();
        let all = told.lock().unwrap().last().unwrap().0;
        assert!(all >= length.unwrap_or(1_000_000));
        assert_tells(&told, length.unwrap_or(all), is_known);
        let pieces = told.lock().unwrap().len();
        assert!(all < 1000 || (3..2000).contains(&pieces), "{pieces} pieces");
    }
}

#[test]
fn a_request_without_a_body_tells_nothing() {
    let server = Httpbin::start();
    let (request, told) = observed(Client::new().get(server.url("/get")));
    request.send().unwrap().bytes().unwrap();
    assert_eq!(told.lock().unwrap().len(), 0);
}

#[test]
fn a_body_that_is_sent_again_begins_again_at_zero() {
    let busy = "HTTP/1.1 503 X\r\ncontent-length: 0\r\nretry-after: 0\r\nconnection: close\r\n\r\n";
    let bodies: [fn() -> Body; 2] =
        [|| Body::from("text"), || Body::rewindable(std::io::Cursor::new("text"))];
    for body in bodies {
        let server = Script::serve(vec![answer(busy), answer(ok("done"))]);
        let request = Client::new().put(server.url("/")).body(body()).retry(retry::Policy::new());
        let (request, told) = observed(request);
        assert_eq!(request.send().unwrap().text().unwrap(), "done");
        let sent: Vec<_> = told.lock().unwrap().iter().map(|(sent, _)| *sent).collect();
        assert_eq!(sent, [0, 4, 0, 4]);
    }
}

#[test]
fn a_redirect_that_keeps_the_body_begins_again_at_zero() {
    let again = "HTTP/1.1 307 X\r\nlocation: /b\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let server = Script::serve(vec![answer(again), answer(ok("done"))]);
    let (request, told) = observed(Client::new().post(server.url("/a")).body("text"));
    assert_eq!(request.send().unwrap().text().unwrap(), "done");
    let sent: Vec<_> = told.lock().unwrap().iter().map(|(sent, _)| *sent).collect();
    assert_eq!(sent, [0, 4, 0, 4]);
}

/// No lock is held, so the client can be used in the callback, and after a panic in it.
#[test]
fn the_callback_may_use_the_client_and_panic() {
    let server = Httpbin::start();
    let client = Client::builder().pool_max_open_per_host(1).build().unwrap();
    let inner = client.clone();
    let request = client.post(server.url("/post")).body("text");
    let request = request.on_upload_progress(move |_, _| {
        assert_eq!(inner.pool_stats().open, 1);
        inner.close_idle_connections();
        panic!("the callback");
    });
    assert!(catch_unwind(AssertUnwindSafe(|| request.send())).is_err());
    assert_eq!(client.pool_stats().open, 0, "its place is free");
    assert_eq!(client.get(server.url("/get")).send().unwrap().status(), 200);
}
