//! The reaper closes idle connections when their time is over, although no call follows.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use real::tokio::{Client, ClientBuilder};
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};

use crate::support::stream::read_head;

/// A peer that sends one of these responses on each connection, in the order of their requests, as often as it is
/// asked, and has seen the end of all connections when it is joined.
fn peer(answers: &'static [&'static str]) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let serve = |mut socket: TcpStream, answer: &'static str| {
        while socket.peek(&mut [0]).unwrap() > 0 {
            read_head(&mut socket).unwrap();
            socket.write_all(answer.as_bytes()).unwrap();
        }
        assert_eq!(socket.read(&mut [0]).unwrap(), 0);
    };
    let peer = thread::spawn(move || {
        let accepted = answers.iter().map(|answer| (listener.accept().unwrap().0, *answer));
        let served = accepted.map(|(socket, answer)| thread::spawn(move || serve(socket, answer)));
        let served: Vec<_> = served.collect();
        served.into_iter().for_each(|one| one.join().unwrap());
    });
    (addr, peer)
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const FOR_FIVE_SECONDS: &str =
    "HTTP/1.1 200 OK\r\nkeep-alive: timeout=5\r\ncontent-length: 2\r\n\r\nok";

/// A runtime whose clock jumps to the next timer as soon as nothing else can happen.
fn paused() -> Runtime {
    Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

fn builder() -> ClientBuilder {
    let builder = Client::builder().no_proxy().connect_timeout(None);
    builder.read_timeout(None).write_timeout(None).pool_reaper(true)
}

async fn get(client: &Client, addr: SocketAddr) {
    let response = client.get(format!("http://{addr}/")).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "ok");
}

/// Waits until so many connections are idle, and returns the time since `start` on the runtime's clock.
async fn seconds_until_idle(client: &Client, count: usize, start: Instant) -> u64 {
    while client.pool_stats().idle != count {
        sleep(Duration::from_millis(10)).await;
    }
    start.elapsed().as_secs()
}

fn tasks(runtime: &Runtime) -> usize {
    runtime.metrics().num_alive_tasks()
}

#[test]
fn closes_an_idle_connection_when_its_time_is_over() {
    for (builder, seconds) in [
        (builder(), 90),
        (builder().pool_idle_timeout(Duration::from_secs(7)), 7),
        (builder().pool_idle_timeout(None).pool_max_age(Duration::from_secs(11)), 11),
    ] {
        let (addr, peer) = peer(&[OK]);
        let (runtime, client) = (paused(), builder.build().unwrap());
        runtime.block_on(async {
            let start = Instant::now();
            get(&client, addr).await;
            assert_eq!(client.pool_stats().idle, 1);
            assert_eq!(seconds_until_idle(&client, 0, start).await, seconds);
        });
        peer.join().unwrap(); // which has seen the end
    }
}

/// RFC 2068 §19.7.1.1: a connection whose peer announces less is due before one that is idle longer.
#[test]
fn wakes_for_a_connection_that_is_due_earlier() {
    let (addr, peer) = peer(&[OK, FOR_FIVE_SECONDS]);
    let (runtime, client) = (paused(), builder().build().unwrap());
    runtime.block_on(async {
        let start = Instant::now();
        let first = client.get(format!("http://{addr}/")).send().await.unwrap();
        let second = client.get(format!("http://{addr}/")).send().await.unwrap();
        first.text().await.unwrap();
        yield_now().await; // the reaper sleeps until the 90 s are over
        second.text().await.unwrap();
        assert_eq!(client.pool_stats().idle, 2);
        assert_eq!(seconds_until_idle(&client, 1, start).await, 4);
        assert_eq!(seconds_until_idle(&client, 0, start).await, 90);
    });
    assert_eq!(tasks(&runtime), 0);
    peer.join().unwrap();
}

/// A connection that is used again is idle for its full time from then on.
#[test]
fn leaves_a_connection_that_was_used_meanwhile() {
    let (addr, peer) = peer(&[OK]);
    let (runtime, client) = (paused(), builder().build().unwrap());
    runtime.block_on(async {
        get(&client, addr).await;
        sleep(Duration::from_secs(60)).await;
        get(&client, addr).await; // the clock may jump meanwhile
        let start = Instant::now();
        assert_eq!(seconds_until_idle(&client, 0, start).await, 90);
    });
    peer.join().unwrap();
}

/// There is at most one task, none while nothing is idle, and a new one for the next idle connection.
#[test]
fn ends_while_nothing_is_idle() {
    let (addr, peer) = peer(&[OK, OK]);
    let (runtime, client) = (paused(), builder().build().unwrap());
    for _ in 0..2 {
        runtime.block_on(async {
            get(&client, addr).await;
            get(&client, addr).await;
            assert_eq!(tasks(&runtime), 1);
            seconds_until_idle(&client, 0, Instant::now()).await;
            yield_now().await;
            assert_eq!(tasks(&runtime), 0);
        });
    }
    peer.join().unwrap();
}

/// The task holds no client: it ends with the last clone, not when the time is over.
#[test]
fn ends_with_the_client() {
    let (addr, peer) = peer(&[OK]);
    let (runtime, client) = (paused(), builder().build().unwrap());
    runtime.block_on(async {
        get(&client, addr).await;
        yield_now().await; // it sleeps
        let start = Instant::now();
        drop(client);
        while tasks(&runtime) > 0 {
            yield_now().await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
    });
    peer.join().unwrap();
}

/// In a second runtime, after the first is gone and the task with it: for the connection of the first, and for others.
#[test]
fn works_in_a_runtime_after_the_first_has_ended() {
    let (addr, peer) = peer(&[OK]);
    let client = builder().build().unwrap();
    let first = paused();
    first.block_on(get(&client, addr));
    first.block_on(yield_now());
    drop(first);
    assert_eq!(client.pool_stats().idle, 1);
    let second = paused();
    second.block_on(async {
        get(&client, addr).await;
        assert_eq!(tasks(&second), 1);
        seconds_until_idle(&client, 0, Instant::now()).await;
    });
    peer.join().unwrap();
}

/// A response that is dropped outside of any runtime leaves its connection to the next one.
#[test]
fn is_not_started_outside_of_a_runtime() {
    let (addr, peer) = peer(&[OK]);
    let (runtime, client) = (paused(), builder().build().unwrap());
    let response = runtime.block_on(client.get(format!("http://{addr}/")).send()).unwrap();
    drop(response);
    assert_eq!((client.pool_stats().idle, tasks(&runtime)), (1, 0));
    runtime.block_on(async {
        get(&client, addr).await;
        assert_eq!(tasks(&runtime), 1);
        seconds_until_idle(&client, 0, Instant::now()).await;
    });
    peer.join().unwrap();
}

#[test]
fn is_off_by_default() {
    let (addr, peer) = peer(&[OK]);
    let runtime = paused();
    let builder = Client::builder().no_proxy().connect_timeout(None);
    let client = builder.read_timeout(None).write_timeout(None).build().unwrap();
    runtime.block_on(async {
        get(&client, addr).await;
        sleep(Duration::from_secs(3600)).await;
    });
    assert_eq!((tasks(&runtime), client.pool_stats().idle), (0, 1));
    drop(client);
    peer.join().unwrap();
}
