//! The in-memory network on the async client: any executor, several tasks, and the paused clock of tokio. What both
//! clients do is in `tests/testing.rs`.
#![cfg(all(feature = "testing", feature = "tokio"))]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use leanhttp::testing::{MemoryNetwork, NetworkClock, Reply, in_turn};
use leanhttp::{retry, tokio::Client};

const HOUR: Duration = Duration::from_secs(3600);

/// The smallest executor: it polls until the future is ready, outside of any runtime.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        let poll = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(done) = poll {
            return done;
        }
        thread::yield_now();
    }
}

/// Returns both outputs, polling both futures in each turn.
async fn both<A, B>(one: impl Future<Output = A>, other: impl Future<Output = B>) -> (A, B) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (mut first, mut second) = (None, None);
    poll_fn(move |cx| {
        if first.is_none() {
            if let Poll::Ready(done) = one.as_mut().poll(cx) {
                first = Some(done);
            }
        }
        if second.is_none() {
            if let Poll::Ready(done) = other.as_mut().poll(cx) {
                second = Some(done);
            }
        }
        match (first.take(), second.take()) {
            (Some(first), Some(second)) => Poll::Ready((first, second)),
            rest => {
                (first, second) = rest;
                Poll::Pending
            }
        }
    })
    .await
}

#[test]
fn no_runtime_of_tokio_is_needed() {
    let network = MemoryNetwork::new();
    let replies = [Reply::status(503), Reply::ok("after an hour").delay(HOUR)];
    network.serve("https://a.test", in_turn(replies)).unwrap();
    let client = Client::builder().network(&network).retry(retry::Policy::new()).build().unwrap();
    let text = block_on(async {
        client.get("https://a.test/").send().await.unwrap().text().await.unwrap()
    });
    assert_eq!(text, "after an hour");
    assert!(network.elapsed() >= HOUR);
}

/// The one that is earlier ends earlier, whichever was started first, and no time is lost.
#[test]
fn tasks_share_the_clock() {
    let network = MemoryNetwork::new();
    network.serve("http://slow.test", |_| Reply::ok("slow").delay(2 * HOUR)).unwrap();
    network.serve("http://fast.test", |_| Reply::ok("fast").delay(HOUR)).unwrap();
    let client = Client::builder().network(&network).build().unwrap();
    let call = |url: &'static str| {
        let (client, network) = (&client, &network);
        async move {
            client.get(url).send().await.unwrap().text().await.unwrap();
            network.elapsed()
        }
    };
    let times = block_on(both(call("http://slow.test/"), call("http://fast.test/")));
    assert_eq!(times, (2 * HOUR, HOUR));
}

#[test]
fn a_dropped_call_closes_its_connection_and_its_alarms() {
    let network = MemoryNetwork::new();
    network.serve("http://a.test", in_turn([Reply::stall(), Reply::ok("next")])).unwrap();
    let builder = Client::builder().network(&network).pool_max_open_per_host(1);
    let client = builder.read_timeout(HOUR).build().unwrap();
    let mut call = Box::pin(client.get("http://a.test/").send());
    for _ in 0..5 {
        let poll = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(poll.is_pending());
    }
    drop(call);
    let text = block_on(async {
        client.get("http://a.test/").send().await.unwrap().text().await.unwrap()
    });
    assert_eq!(text, "next");
    assert_eq!(network.elapsed(), Duration::ZERO);
}

/// tokio's timers are rounded up to milliseconds.
fn is_about(time: Duration, expected: Duration) -> bool {
    (expected..expected + Duration::from_secs(1)).contains(&time)
}

/// A timeout of the client, one of the program, and a sleep: all on tokio's clock, in their order.
#[tokio::test(start_paused = true)]
async fn the_clock_of_the_runtime_may_be_the_paused_one_of_tokio() {
    let network = MemoryNetwork::with_clock(NetworkClock::OfRuntime);
    network.serve("http://a.test", |_| Reply::ok("12").drip(1, HOUR)).unwrap();
    network.serve("http://b.test", |_| Reply::stall()).unwrap();
    let client = Client::builder().network(&network).read_timeout(2 * HOUR).build().unwrap();
    let began = tokio::time::Instant::now();
    let text = client.get("http://a.test/").send().await.unwrap().text().await.unwrap();
    assert_eq!(text, "12");
    assert!(is_about(began.elapsed(), 2 * HOUR));
    let error = client.get("http://b.test/").send().await.unwrap_err();
    assert!(error.is_timeout());
    assert!(is_about(began.elapsed(), 4 * HOUR));
    let outer = tokio::time::timeout(HOUR, client.get("http://b.test/").send()).await;
    assert!(outer.is_err());
    assert!(is_about(began.elapsed(), 5 * HOUR));
}

/// A task that waits for the network is no reason for tokio to think that it is busy, and advancing wakes it.
#[tokio::test]
async fn a_manual_clock_is_moved_by_another_task() {
    let network = MemoryNetwork::with_clock(NetworkClock::Manual);
    network.serve("http://a.test", |_| Reply::ok("late").delay(HOUR)).unwrap();
    let client = Client::builder().network(&network).build().unwrap();
    let call = tokio::spawn(client.get("http://a.test/").send());
    while network.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    network.advance(HOUR);
    assert_eq!(call.await.unwrap().unwrap().text().await.unwrap(), "late");
}
