//! Wakers are code of the executor: they may do anything when they are called, cloned or dropped.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use real::CancelToken;
use real::tokio::{Client, Response};

use super::blocking::block_on;
use super::support::httpbin::Httpbin;
use super::support::net::{Silent, Unreachable};

type Call = Pin<Box<dyn Future<Output = real::Result<Response>> + Send>>;

/// A waker that runs its action once.
struct Once(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl Once {
    fn waker(deed: impl FnOnce() + Send + 'static) -> Waker {
        Waker::from(Arc::new(Self(Mutex::new(Some(Box::new(deed))))))
    }
}

impl Wake for Once {
    fn wake(self: Arc<Self>) {
        let deed = self.0.lock().unwrap().take();
        if let Some(deed) = deed {
            deed();
        }
    }
}

/// A client with at most one connection to a host, and a call that waits for it.
fn waiting(url: &str, token: &CancelToken) -> (Client, Call, Response) {
    let client = Client::builder().pool_max_open_per_host(1).connect_timeout(None);
    let client = client.build().unwrap();
    let busy = block_on(client.get(url).send()).unwrap();
    let call = client.get(url).cancel_token(token).send();
    (client, Box::pin(call), busy)
}

/// Polls once, in a runtime.
fn poll(call: &mut Call, waker: &Waker) -> Poll<real::Result<Response>> {
    block_on(async { call.as_mut().poll(&mut Context::from_waker(waker)) })
}

/// Runs work, and fails if it deadlocks.
#[track_caller]
fn in_time(work: impl FnOnce() + Send + 'static) {
    let (tell, told) = std::sync::mpsc::channel();
    let work = thread::spawn(move || {
        work();
        let _ = tell.send(());
    });
    told.recv_timeout(Duration::from_secs(20)).unwrap(); // otherwise it is deadlocked
    work.join().unwrap();
}

type Peers = Vec<Box<dyn std::any::Any>>;
type Wait = Box<dyn Fn(&CancelToken) -> (Client, Call)>;

/// A call in each place where it may wait: in the queue, for an address, for a connection, for a
/// head; and its peers.
fn waits() -> Vec<(&'static str, Wait, Peers)> {
    let silent = Silent::start();
    let url = format!("http://{}/", silent.addr());
    let head = move |token: &CancelToken| -> (Client, Call) {
        let client = Client::new();
        let call = client.get(&*url).cancel_token(token).send();
        (client, Box::pin(call))
    };
    let lookup = |token: &CancelToken| -> (Client, Call) {
        let never = |_: &str| {
            thread::sleep(Duration::from_secs(3));
            Ok(Vec::new())
        };
        let client = Client::builder().dns_resolver(leanhttp::dns::from_fn(never)).build().unwrap();
        let call = client.get("http://h.test/").cancel_token(token).send();
        (client, Box::pin(call))
    };
    let unreachable = Unreachable::start();
    let addr = unreachable.addr();
    let connect = move |token: &CancelToken| -> (Client, Call) {
        let client = Client::builder().connect_timeout(None).build().unwrap();
        let call = client.get(format!("http://{addr}/")).cancel_token(token).send();
        (client, Box::pin(call))
    };
    let httpbin = Httpbin::start();
    let url = httpbin.url("/bytes/1000000");
    let queue = move |token: &CancelToken| -> (Client, Call) {
        let (client, call, busy) = waiting(&url, token);
        std::mem::forget(busy); // it goes on
        (client, call)
    };
    vec![
        ("queue", Box::new(queue), vec![Box::new(httpbin)]),
        ("lookup", Box::new(lookup), vec![]),
        ("connect", Box::new(connect), vec![Box::new(unreachable)]),
        ("head", Box::new(head), vec![Box::new(silent)]),
    ]
}

/// The waker that the token calls drops the future.
#[test]
fn may_drop_the_future() {
    for (what, wait, _peers) in waits() {
        let token = CancelToken::new();
        let (client, mut call) = wait(&token);
        let shared: Arc<Mutex<Option<Call>>> = Arc::default();
        let theirs = Arc::clone(&shared);
        let waker = Once::waker(move || drop(theirs.lock().unwrap().take()));
        assert!(poll(&mut call, &waker).is_pending(), "{what}");
        *shared.lock().unwrap() = Some(call);
        let canceller = token.clone();
        in_time(move || canceller.cancel());
        drop(shared.lock().unwrap().take());
        assert!(client.pool_stats().waiting == 0, "{what}");
    }
}

/// The other waiters are still woken, and the client stays usable.
#[test]
fn may_panic() {
    for (what, wait, _peers) in waits() {
        if what == "head" {
            continue; // the runtime wakes those itself
        }
        let token = CancelToken::new();
        let mut calls: Vec<_> = (0..3).map(|_| wait(&token)).collect();
        let woken = Arc::new(Mutex::new(0));
        let wakers: Vec<_> = (0..3)
            .map(|n| {
                let woken = Arc::clone(&woken);
                Once::waker(move || match n {
                    1 => panic!("a waker that panics"),
                    _ => *woken.lock().unwrap() += 1,
                })
            })
            .collect();
        for ((_, call), waker) in calls.iter_mut().zip(&wakers) {
            assert!(poll(call, waker).is_pending(), "{what}");
        }
        let canceller = token.clone();
        in_time(move || canceller.cancel());
        for (client, mut call) in calls {
            let error = loop {
                if let Poll::Ready(outcome) = poll(&mut call, Waker::noop()) {
                    break outcome.unwrap_err();
                }
                thread::yield_now();
            };
            assert!(error.is_cancelled(), "{what}: {error}");
            drop(call);
            assert_eq!(client.pool_stats().waiting, 0, "{what}");
        }
        assert_eq!(*woken.lock().unwrap(), 2, "{what}");
    }
}

/// A released connection wakes a waiter whose waker panics: the permit is not lost.
#[test]
fn may_panic_when_a_permit_is_free() {
    let httpbin = Httpbin::start();
    let token = CancelToken::new();
    let (client, mut call, busy) = waiting(&httpbin.url("/bytes/1000000"), &token);
    let waker = Once::waker(|| panic!("a waker that panics"));
    assert!(poll(&mut call, &waker).is_pending());
    block_on(async { drop(busy) });
    drop(call);
    let after = client.get(httpbin.url("/get")).timeout(Duration::from_secs(20)).send();
    assert_eq!(block_on(after).unwrap().status(), 200);
    assert_eq!((client.pool_stats().open, client.pool_stats().waiting), (1, 0));
}

/// Cloning and dropping a waker runs code of the executor too.
#[test]
fn may_use_the_token_when_they_are_dropped() {
    struct Uses(CancelToken, Client);
    impl Wake for Uses {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for Uses {
        fn drop(&mut self) {
            self.0.cancel();
            let _ = (self.1.pool_stats(), format!("{:?}", self.1));
        }
    }
    for (_, wait, _peers) in waits() {
        let token = CancelToken::new();
        let (client, mut call) = wait(&token);
        in_time(move || {
            for _ in 0..3 {
                let waker = Waker::from(Arc::new(Uses(token.clone(), client.clone())));
                if poll(&mut call, &waker).is_ready() {
                    break; // cancelled by a waker that was dropped
                }
            }
            drop(call);
        });
    }
}
