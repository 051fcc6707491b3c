//! Futures that are dropped at every point, and wakers, on the runtime of this package.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use async_io::{Timer, block_on};
use futures_lite::future::or;
use leanhttp_smol::Client;

use crate::support::httpbin::Httpbin;
use crate::support::net::Silent;
use crate::support::script::{Script, Step, drip};

/// Awaits a future for a moment, and drops it if it has not ended.
async fn for_a_moment<T>(future: impl Future<Output = T>) -> Option<T> {
    let moment = async {
        Timer::after(Duration::from_millis(3)).await;
        None
    };
    or(async { Some(future.await) }, moment).await
}

#[test]
fn a_dropped_call_closes_its_connection_and_the_client_goes_on() {
    let server = Httpbin::start();
    let client = Client::new();
    for polls in 0..20 {
        let mut call = Box::pin(client.get(server.url("/delay/1")).send());
        for _ in 0..polls {
            thread::sleep(Duration::from_millis(1));
            assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        drop(call);
        assert_eq!(client.pool_stats().open, 0, "after {polls} polls");
    }
    let text = block_on(async { client.get(server.url("/get")).send().await?.text().await });
    assert!(text.unwrap().contains("\"url\""));
}

#[test]
fn a_dropped_chunk_loses_no_bytes() {
    let response = "HTTP/1.1 200 OK\r\ncontent-length: 26\r\n\r\nabcdefghijklmnopqrstuvwxyz";
    let server = Script::serve(vec![[vec![Step::ExpectRequest], drip(response, 5)].concat()]);
    block_on(async {
        let mut response = Client::new().get(server.url("/")).send().await.unwrap();
        let (mut bytes, mut dropped) = (Vec::new(), 0);
        loop {
            match for_a_moment(response.chunk()).await {
                None => dropped += 1,
                Some(Ok(Some(chunk))) => bytes.extend_from_slice(&chunk),
                Some(end) => break assert!(matches!(end, Ok(None)), "{end:?}"),
            }
        }
        assert_eq!(bytes, b"abcdefghijklmnopqrstuvwxyz");
        assert!(dropped > 0);
    });
}

#[test]
fn a_dropped_line_loses_no_bytes() {
    let response = "HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\none\ntwo\nthree\n";
    let server = Script::serve(vec![[vec![Step::ExpectRequest], drip(response, 5)].concat()]);
    block_on(async {
        let mut lines = Client::new().get(server.url("/")).send().await.unwrap().lines();
        let (mut read, mut dropped) = (Vec::new(), 0);
        loop {
            match for_a_moment(lines.next()).await {
                None => dropped += 1,
                Some(Some(line)) => read.push(line.unwrap()),
                Some(None) => break,
            }
        }
        assert_eq!(read, ["one", "two", "three"]);
        assert!(dropped > 0);
    });
}

/// A waker that counts.
#[derive(Default)]
struct Counts(AtomicUsize);

impl Wake for Counts {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A task may move between executors: the last waker is the one that counts.
#[test]
fn the_last_waker_is_woken() {
    let server = Silent::start();
    let limit = Duration::from_millis(50);
    let client = Client::builder().first_byte_timeout(limit).build().unwrap();
    let mut call = Box::pin(client.get(format!("http://{}/", server.addr())).send());
    let wakers: Vec<_> = (0..3).map(|_| Arc::<Counts>::default()).collect();
    let began = Instant::now();
    let outcome = 'polling: loop {
        for waker in &wakers {
            let waker = Waker::from(Arc::clone(waker));
            if let Poll::Ready(outcome) = call.as_mut().poll(&mut Context::from_waker(&waker)) {
                break 'polling outcome;
            }
        }
        let last = wakers.last().unwrap();
        while last.0.swap(0, Ordering::SeqCst) == 0 {
            assert!(began.elapsed() < Duration::from_secs(20), "nobody was woken");
            thread::yield_now();
        }
    };
    assert!(outcome.unwrap_err().is_timeout());
}
