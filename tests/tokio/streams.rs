//! Lines and events: futures of `next` may be dropped, and all of them are streams.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use futures_core::Stream;
use real::sse::Reconnect;
use real::tokio::{Client, EventSource, Events, Lines};
use tokio::time::timeout;

use super::support::script::{Script, Step, answer, ok, pause, send};

const STREAM: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx)).await
}

#[test]
fn are_send_and_sync_as_their_futures_are() {
    fn is_send<T: Send + Sync + Unpin>() {}
    fn is<T: Send + Sync>(_: T) {}
    is_send::<(Lines, Events, EventSource)>();
    let _: fn(Lines) = |mut lines| is(lines.next());
    let _: fn(Events) = |mut events| is(events.next());
    let _: fn(EventSource) = |mut source| is(source.next());
    #[cfg(feature = "json")]
    let _: fn(real::tokio::JsonLines<u8>) = |mut lines| is(lines.next());
}

#[tokio::test]
async fn are_streams() {
    let events = || answer(format!("{STREAM}data: 1\n\n"));
    let end = answer("HTTP/1.1 204 No Content\r\n\r\n");
    let close = |mut connection: Vec<Step>| {
        connection.push(Step::Close);
        connection
    };
    let server = Script::serve(vec![answer(ok("1\n2")), close(events()), close(events()), end]);
    let client = Client::new();
    let get = || client.get(server.url("/"));
    let mut lines = get().send().await.unwrap().lines();
    assert_eq!(next(&mut lines).await.unwrap().unwrap(), "1");
    assert_eq!(next(&mut lines).await.unwrap().unwrap(), "2");
    assert!(next(&mut lines).await.is_none());
    client.close_idle_connections();
    let mut events = get().send().await.unwrap().events().unwrap();
    assert_eq!(next(&mut events).await.unwrap().unwrap().data(), "1");
    assert!(next(&mut events).await.is_none());
    let reconnect = Reconnect::new().first(Duration::from_millis(1));
    let mut source = client.event_source(server.url("/")).reconnect(reconnect).build().unwrap();
    assert_eq!(next(&mut source).await.unwrap().unwrap().data(), "1");
    assert!(next(&mut source).await.is_none());
}

/// A program that does something else each few milliseconds loses nothing and sends nothing twice: while the
/// source waits for a head, for the rest of an event, and for the time of a reconnect.
#[tokio::test]
async fn go_on_where_a_dropped_future_was() {
    let slow = vec![
        Step::ExpectRequest,
        pause(100),
        send(STREAM),
        pause(100),
        send("retry: 100\nda"),
        pause(100),
        send("ta: 1\n\n"),
        Step::Close,
    ];
    let server = Script::serve(vec![slow.clone(), slow]);
    let mut source = Client::new().event_source(server.url("/")).build().unwrap();
    let (mut events, mut drops) = (0, 0);
    while events < 2 {
        match timeout(Duration::from_millis(5), source.next()).await {
            Ok(event) => {
                assert_eq!(event.unwrap().unwrap().data(), "1");
                events += 1;
            }
            Err(_) => drops += 1,
        }
    }
    assert!(drops > 10, "{drops}");
    assert_eq!(server.accepted(), 2);
}

/// A drop ends the call that the source has begun.
#[tokio::test]
async fn that_are_dropped_while_they_ask_end_their_call() {
    let server = Script::serve(vec![vec![Step::ExpectRequest, Step::ExpectEnd]]);
    let client = Client::new();
    let mut source = client.event_source(server.url("/")).build().unwrap();
    while server.received(0).is_empty() {
        assert!(timeout(Duration::from_millis(5), source.next()).await.is_err());
    }
    drop(source);
    server.join();
    assert_eq!(client.pool_stats().open, 0);
}

#[test]
fn outside_of_a_runtime_are_an_error() {
    let mut source = Client::new().event_source("http://127.0.0.1:1/").build().unwrap();
    let mut next = std::pin::pin!(source.next());
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Some(Err(error))) = next.as_mut().poll(&mut cx) else {
        panic!("none")
    };
    assert!(error.is_builder(), "{error}");
}
