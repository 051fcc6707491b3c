//! Requests that the server accepts without a pause still let other tasks run.

use std::future::poll_fn;
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use real::tokio::{Body, Client};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::support::httpbin::Httpbin;
use super::support::stream::read_head;

const PIECES: usize = 3000;

/// A reader that computes its bytes, and so is slower than any socket: nothing is ever pending.
struct Computed {
    left: Arc<AtomicUsize>,
}

impl AsyncRead for Computed {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let left = self.left.load(Ordering::Relaxed);
        if left > 0 {
            self.left.store(left - 1, Ordering::Relaxed);
            into.put_slice(&compute());
        }
        Poll::Ready(Ok(()))
    }
}

fn compute() -> [u8; 64] {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_micros(100) {}
    [b'x'; 64]
}

/// Number of times that another task of the same thread runs between the first chunk and the last.
async fn turns_beside(future: impl Future<Output = ()>, left: &AtomicUsize) -> usize {
    let (mut future, mut turns) = (pin!(future), 0);
    while poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await.is_pending() {
        turns += usize::from((1..PIECES).contains(&left.load(Ordering::Relaxed)));
        tokio::task::yield_now().await;
    }
    turns
}

#[tokio::test]
async fn let_other_tasks_run() {
    let (server, left) = (Httpbin::start(), Arc::new(AtomicUsize::new(PIECES)));
    let body = Body::new(Computed { left: Arc::clone(&left) });
    let post = Client::new().post(server.url("/post")).body(body);
    let turns = turns_beside(async { drop(post.send().await.unwrap()) }, &left).await;
    assert!(turns >= 10, "{turns}");
}

/// A reader that is interrupted before each read or seek, or without end.
struct Interrupted {
    pieces: Vec<&'static str>,
    is_interrupted: bool,
    for_ever: bool,
}

impl Interrupted {
    fn turn(&mut self) -> io::Result<()> {
        self.is_interrupted = self.for_ever || !self.is_interrupted;
        if self.is_interrupted { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
    }
}

impl AsyncRead for Interrupted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.turn()?;
        into.put_slice(self.pieces.pop().unwrap_or_default().as_bytes());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Interrupted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.turn()?;
        Poll::Ready(Ok(bytes.len().min(1)))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// As in the standard library: an interrupted operation is retried.
#[tokio::test]
async fn survive_interruptions() {
    let server = Httpbin::start();
    let pieces = || vec!["cde", "ab"];
    let source = Interrupted { pieces: pieces(), is_interrupted: false, for_ever: false };
    let response = Client::new().post(server.url("/post")).body(Body::new(source)).send().await;
    let mut response = response.unwrap();
    let mut sink = Interrupted { pieces: pieces(), is_interrupted: false, for_ever: false };
    assert!(response.copy_to(&mut sink).await.unwrap() > 5);
}

/// Interruptions without end are ended by the limits, and do not block other tasks.
#[tokio::test]
async fn interrupted_without_end_let_other_tasks_run() {
    let server = Httpbin::start();
    let source = Interrupted { pieces: Vec::new(), is_interrupted: false, for_ever: true };
    let client = Client::builder().timeout(Duration::from_millis(200)).build().unwrap();
    let error = client.post(server.url("/post")).body(Body::new(source)).send().await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
}

/// The same holds for an upgraded connection.
#[tokio::test]
async fn on_an_upgraded_connection_let_other_tasks_run() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_head(&mut stream).unwrap();
        let switch =
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";
        stream.write_all(switch.as_bytes()).unwrap();
        io::copy(&mut stream, &mut io::sink())
    });
    let get = Client::new().get(format!("http://{addr}/")).header("upgrade", "x");
    let response = get.header("connection", "upgrade").send().await.unwrap();
    let mut upgraded = response.upgrade().await.unwrap();
    let left = AtomicUsize::new(PIECES);
    let write = async {
        while left.fetch_sub(1, Ordering::Relaxed) > 1 {
            let piece = compute();
            let write = poll_fn(|cx| Pin::new(&mut upgraded).poll_write(cx, &piece));
            assert!(write.await.unwrap() > 0);
        }
    };
    let turns = turns_beside(write, &left).await;
    assert!(turns >= 10, "{turns}");
}
