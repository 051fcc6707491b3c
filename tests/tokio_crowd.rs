//! Ten thousand requests at once: what each costs in memory, and that none of them starves. The server
//! is a process of its own, or half of the descriptors would be its.
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

use leanhttp::tokio::Client;
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How many requests, if there are that many descriptors.
const CROWD: usize = 10_000;

/// How long the server waits once all requests are there.
const PAUSE: Duration = Duration::from_millis(200);

/// What a request may take of the heap, its task included, while it waits for its response.
const HEAP: u64 = 8 * 1024;

/// The descriptors are enough for one test at a time.
static TURN: Mutex<()> = Mutex::new(());

fn crowd() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let files = files.split_ascii_whitespace().nth(3).unwrap().parse().unwrap_or(usize::MAX);
    CROWD.min(files - 100)
}

#[test]
fn on_one_thread() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start(crowd());
    let mut spread = None;
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let heap = allocation_counter::measure(|| {
        spread = Some(runtime.block_on(all_at_once(&Client::new(), &server, crowd())));
    });
    let each = heap.bytes_max / crowd() as u64;
    println!("{} requests at once: {each} bytes of heap each, {}", crowd(), spread.unwrap());
    assert!(each < HEAP, "{each} bytes of heap for each request");
}

#[test]
fn on_many_threads() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start(crowd());
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let spread = runtime.block_on(all_at_once(&Client::new(), &server, crowd()));
    println!("{} requests at once on two threads: {spread}", crowd());
}

/// Who came first is served first, and the queue is no work for anybody.
#[test]
fn in_a_queue() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start(0);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    for crowd in [CROWD / 4, CROWD / 2, CROWD, 4 * CROWD] {
        let client = Client::builder().pool_max_open_per_host(100).connect_timeout(None);
        let client = client.build().unwrap();
        let began = Instant::now();
        let spread = runtime.block_on(all_at_once(&client, &server, crowd));
        println!("{crowd} requests on 100 connections: {:?}, {spread}", began.elapsed());
    }
}

/// From the first completion to the last.
async fn all_at_once(client: &Client, server: &Server, crowd: usize) -> String {
    let mut calls = JoinSet::new();
    let began = Instant::now();
    for _ in 0..crowd {
        let request = client.get(&server.url);
        calls.spawn(async move {
            let response = request.send().await.unwrap();
            assert_eq!(response.bytes().await.unwrap(), "done");
            Instant::now()
        });
    }
    let size = size_of_val(&client.get(&server.url).send());
    let mut ends = calls.join_all().await;
    ends.sort_unstable();
    let (first, last) = (ends[0], ends[ends.len() - 1]);
    format!(
        "first after {:?}, last {:?} later; a future of {size} bytes",
        first - began,
        last - first
    )
}

/// A process that answers.
struct Server {
    url: String,
    process: Child,
}

impl Server {
    /// It answers when that many requests are there.
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

/// Nobody goes through before all are there.
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
