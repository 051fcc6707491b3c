//! Ten thousand concurrent requests: the memory that each takes, and that each is served. The
//! server is a separate process, because otherwise half of the descriptors would be its own.
//!
//! `cargo test --test tokio_crowd --features tokio -- --nocapture` prints the measurements.
#![cfg(all(feature = "tokio", target_os = "linux"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use leanhttp::tokio::{Client, ClientBuilder};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Number of requests, if the limit on descriptors allows it.
const CROWD: usize = 10_000;

/// The pause of the server after all requests have arrived.
const PAUSE: Duration = Duration::from_millis(200);

/// Heap of a request, including its task, while it waits for its response.
const HEAP: u64 = 8 * 1024;

/// The connection limit.
const OPEN: usize = 100;

/// The limit on descriptors allows one test at a time.
static TURN: Mutex<()> = Mutex::new(());

fn crowd() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let files = files.split_ascii_whitespace().nth(3).unwrap().parse().unwrap_or(usize::MAX);
    CROWD.min(files - 100)
}

#[test]
fn ten_thousand_requests_on_one_thread() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start(crowd());
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let mut ends = Vec::new();
    let heap = allocation_counter::measure(|| {
        ends = runtime.block_on(all_at_once(&patient().build().unwrap(), &server, crowd()));
    });
    report("on one thread", &ends);
    let each = heap.bytes_max / crowd() as u64;
    println!("{each} bytes of heap for each");
    assert!(each < HEAP, "{each} bytes of heap for each request");
}

#[test]
fn ten_thousand_requests_on_many_threads() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start(crowd());
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let ends = runtime.block_on(all_at_once(&patient().build().unwrap(), &server, crowd()));
    report("on two threads", &ends);
}

/// Connections are given out in order of arrival, however many requests wait.
#[test]
fn ten_thousand_requests_in_a_queue() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start(0);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let client = patient().pool_max_open_per_host(OPEN).build().unwrap();
    let ends = runtime.block_on(all_at_once(&client, &server, CROWD));
    report("one after the other", &ends);
    for (place, end) in ends.iter().enumerate() {
        let is_in_turn = place.abs_diff(end.number) <= 3 * OPEN;
        assert!(is_in_turn, "request {} was served as number {place}", end.number);
    }
    assert_eq!(client.pool_stats().waiting, 0);
    assert!(client.pool_stats().open <= OPEN);
}

/// A generous timeout for a busy machine.
fn patient() -> ClientBuilder {
    Client::builder().connect_timeout(None).read_timeout(Duration::from_secs(100))
}

/// The end of a request.
struct End {
    number: usize,
    after: Duration,
}

/// Sends so many requests, and returns their ends in the order of completion.
async fn all_at_once(client: &Client, server: &Server, crowd: usize) -> Vec<End> {
    let mut calls = JoinSet::new();
    let began = Instant::now();
    for number in 0..crowd {
        let request = client.get(&server.url);
        calls.spawn(async move {
            let response = request.send().await.unwrap();
            assert_eq!(response.bytes().await.unwrap(), "done");
            End { number, after: began.elapsed() }
        });
    }
    let mut ends = Vec::new();
    while let Some(end) = calls.join_next().await {
        ends.push(end.unwrap());
    }
    ends
}

fn report(how: &str, ends: &[End]) {
    let (first, last) = (ends[0].after, ends[ends.len() - 1].after);
    println!("{} requests {how}: first after {first:?}, last {:?} later", ends.len(), last - first);
}

/// A server process.
struct Server {
    url: String,
    process: Child,
}

impl Server {
    /// Starts a server that responds when that many requests have arrived.
    fn start(crowd: usize) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["serve", "--exact", "--ignored", "--nocapture"]);
        command.env("LEANHTTP_CROWD", crowd.to_string()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let url =
            lines.find_map(|line| Some(line.unwrap().split_once("listens at ")?.1.to_owned()));
        Self { url: url.unwrap(), process }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The server process, which the other tests start.
#[test]
#[ignore = "it serves until it is killed"]
fn serve() {
    let Ok(crowd) = std::env::var("LEANHTTP_CROWD") else { return };
    let crowd = crowd.parse().unwrap();
    Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let listener = socket.listen(4096).unwrap();
        println!("listens at http://{}/", listener.local_addr().unwrap());
        let gate = Arc::new(Gate { missing: AtomicUsize::new(crowd), open: Semaphore::new(0) });
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let gate = Arc::clone(&gate);
            tokio::spawn(async move { drop(answer(stream, &gate).await) });
        }
    });
}

/// Opens for all when all have arrived.
struct Gate {
    missing: AtomicUsize,
    open: Semaphore,
}

impl Gate {
    async fn pass(&self) {
        match self
            .missing
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
        {
            Err(_) => return,
            Ok(1) => self.open.close(),
            Ok(_) => drop(self.open.acquire().await),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn answer(stream: TcpStream, gate: &Gate) -> std::io::Result<()> {
    let mut head = Vec::new();
    loop {
        while !head.ends_with(b"\r\n\r\n") {
            stream.readable().await?;
            let mut piece = [0; 1024];
            match stream.try_read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(count) => head.extend(&piece[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        head.clear();
        gate.pass().await;
        stream.try_write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone")?;
    }
}
