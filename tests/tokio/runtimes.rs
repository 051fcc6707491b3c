//! Runtimes of every kind, several at a time, and ones that end before the client does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use real::tokio::{Client, Response};
use tokio::runtime::{Builder, Runtime};
use tokio::task::LocalSet;

use super::support::httpbin::Httpbin;
use super::support::script::{Script, Step, answer, ok, send};

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn multi_thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

async fn post(client: &Client, url: &str) -> String {
    client.post(url).body("x").send().await.unwrap().text().await.unwrap()
}

/// The connection moves to another runtime: not even a POST, which is not sent twice, fails on it.
#[test]
fn may_end_before_their_connections() {
    let turns = [answer(ok("1")), answer(ok("2")), answer(ok("3"))].concat();
    let server = Script::serve(vec![turns]);
    let (client, url) = (Client::new(), server.url("/"));
    for (runtime, expected) in
        [(current_thread(), "1"), (multi_thread(), "2"), (current_thread(), "3")]
    {
        assert_eq!(runtime.block_on(post(&client, &url)), expected);
    }
    assert_eq!(client.pool_stats().idle, 1);
    server.join();
}

/// A runtime that is not driven receives no events.
#[test]
fn that_are_not_driven_block_nothing() {
    let turns = [answer(ok("1")), answer(ok("2")), answer(ok("3"))].concat();
    let server = Script::serve(vec![turns]);
    let (client, url) = (Client::new(), server.url("/"));
    let (first, second) = (current_thread(), current_thread());
    let begun = Instant::now();
    assert_eq!(first.block_on(post(&client, &url)), "1");
    assert_eq!(second.block_on(post(&client, &url)), "2");
    assert_eq!(first.block_on(post(&client, &url)), "3");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    server.join();
}

/// Servers that do not respond must not block lookups of other names once their callers are gone.
#[test]
fn skip_lookups_of_dropped_calls() {
    let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(1).build();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let resolver = move |_: &str| {
        count.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(300));
        Err(std::io::ErrorKind::TimedOut.into())
    };
    let client = Client::builder().dns_resolver(leanhttp::dns::from_fn(resolver));
    let client = client.connect_timeout(Duration::from_millis(20)).build().unwrap();
    runtime.unwrap().block_on(async {
        for _ in 0..5 {
            assert!(client.get("http://h.test/").send().await.unwrap_err().is_timeout());
        }
        tokio::task::spawn_blocking(|| ()).await.unwrap(); // runs when theirs are over
    });
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

/// Blocking work of the program goes on, and so do lookups of other names, however many are silent.
#[test]
fn s07_have_threads_left_despite_silent_names() {
    let server = Script::serve(vec![answer(ok("here"))]);
    let addr = server.addr();
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let resolver = move |name: &str| match name {
        "h.test" => Ok(vec![addr]),
        _ => {
            let _ = held.lock().unwrap().recv();
            Err(std::io::ErrorKind::TimedOut.into())
        }
    };
    let client =
        Client::builder().dns_resolver(leanhttp::dns::from_fn(resolver)).connect_timeout(None);
    let client = client.build().unwrap();
    let runtime =
        Builder::new_multi_thread().enable_all().max_blocking_threads(70).build().unwrap();
    runtime.block_on(async {
        let calls: Vec<_> = (0..1000)
            .map(|n| {
                // Half of them of one site, half of separate sites, which use up all lookups.
                let url = match n % 2 {
                    0 => format!("http://{n}.silent.test/"),
                    _ => format!("http://silent{n}.test/"),
                };
                tokio::spawn(client.get(url).send())
            })
            .collect();
        tokio::task::yield_now().await;
        let work = tokio::task::spawn_blocking(|| "done");
        let done = tokio::time::timeout(Duration::from_secs(20), work).await;
        assert_eq!(done.unwrap().unwrap(), "done");
        calls.iter().for_each(|call| call.abort());
    });
    drop(hold);
    let found = client.get("http://h.test/").timeout(Duration::from_secs(20));
    let text = runtime.block_on(async { found.send().await.unwrap().text().await });
    assert_eq!(text.unwrap(), "here");
}

/// A missing driver of the runtime is an error that names it, wherever it would be needed first.
#[test]
fn without_timers_or_io_are_an_error() {
    let bare = || Builder::new_current_thread().build().unwrap();
    let io_only = || Builder::new_current_thread().enable_io().build().unwrap();
    let time_only = || Builder::new_current_thread().enable_time().build().unwrap();
    let timers = "the runtime of tokio has no timers (enable_time, or enable_all)";
    let io = "the runtime of tokio has no I/O (enable_io, or enable_all)";
    let server = Httpbin::start();
    type Make<'m> = &'m dyn Fn() -> Runtime;
    let rows: [(Make<'_>, &str); 3] = [(&bare, timers), (&io_only, timers), (&time_only, io)];
    for (make, line) in rows {
        let client = Client::new();
        for url in [server.url("/get"), "http://localhost:1/".to_owned()] {
            let error = make().block_on(client.get(url).send()).unwrap_err();
            assert!(error.is_builder() && error.to_string().ends_with(line), "{error}");
        }
        // An idle connection and a response of another runtime.
        let fine = current_thread();
        let fetch = async { client.get(server.url("/get")).send().await.unwrap().bytes().await };
        fine.block_on(fetch).unwrap();
        assert_eq!(client.pool_stats().idle, 1);
        let error = make().block_on(client.get(server.url("/get")).send()).unwrap_err();
        assert!(error.to_string().ends_with(line), "{error}");
        let slow = "/drip?numbytes=2&duration=2&delay=0";
        let response = fine.block_on(client.get(server.url(slow)).send()).unwrap();
        drop(fine);
        let error = make().block_on(response.bytes()).unwrap_err();
        assert!(error.to_string().ends_with(line), "{error}");
    }
}

/// The head is read in one runtime, the body in another, after the first one was dropped.
#[test]
fn share_one_response() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n";
    let pause = Duration::from_millis(100);
    let turn = vec![Step::ExpectHead, send(head), Step::Pause(pause), send("body")];
    let server = Script::serve(vec![turn]);
    let request = Client::new().get(server.url("/"));
    let response: Response = current_thread().block_on(request.send()).unwrap();
    assert_eq!(multi_thread().block_on(response.text()).unwrap(), "body");
}

#[test]
fn of_one_thread_run_local_tasks() {
    let server = Httpbin::start();
    let (client, url) = (Client::new(), server.url("/get"));
    let local = LocalSet::new();
    current_thread().block_on(local.run_until(async {
        let task = tokio::task::spawn_local(async move {
            let response = client.get(url).send().await.unwrap();
            response.bytes().await.unwrap().len()
        });
        assert!(task.await.unwrap() > 0);
    }));
}

#[test]
fn may_run_the_blocking_client() {
    let server = Httpbin::start();
    for runtime in [current_thread(), multi_thread()] {
        let url = server.url("/get");
        let status = runtime.block_on(async {
            let inside = real::blocking::get(&*url).unwrap().status();
            let task = tokio::spawn(async move { real::blocking::get(&*url).unwrap().status() });
            assert_eq!(task.await.unwrap(), inside);
            inside
        });
        assert_eq!(status, 200);
    }
}

/// Time is the runtime's: if it is paused, half a minute passes immediately.
#[test]
fn may_pause_their_clock() {
    let server = Script::serve(vec![vec![Step::ExpectHead, Step::Silent]]);
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let begun = Instant::now();
    let url = server.url("/");
    let client = Client::builder().read_timeout(Duration::from_secs(30)).build().unwrap();
    let error = runtime.block_on(client.get(url).send()).unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());

    let server = Httpbin::start();
    let client = Client::builder().connect_timeout(None).read_timeout(None).write_timeout(None);
    let request = client.build().unwrap().get(server.url("/delay/0.1"));
    assert_eq!(runtime.block_on(request.send()).unwrap().status(), 200);
}
