//! Requests that the server takes no more of: what it says meanwhile is heard (RFC 9112 §9.5). And
//! those that it takes all of at once, which leave room for other tasks.

use std::future::poll_fn;
use std::io::{self, BufRead, BufReader, Cursor, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use real::error::Kind;
use real::tokio::{Body, Client};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::support::httpbin::Httpbin;

/// More than all buffers between the two hold.
const LARGE: usize = 16 << 20;

/// Far more than it takes, and far less than the client's patience.
const PROMPT: Duration = Duration::from_secs(5);

/// Reads a head and nothing more, speaks once the body's way is blocked, and ends its side. The
/// connection stays open for as long as the sender lives.
fn stuffed(says: &'static str) -> (SocketAddr, Sender<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let addr = listener.local_addr().unwrap();
    let (over, is_over) = mpsc::channel();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_head(&mut stream);
        thread::sleep(Duration::from_millis(200));
        stream.write_all(says.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let _ = is_over.recv();
    });
    (addr, over)
}

fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
}

fn bodies() -> [Body; 2] {
    let body = vec![b'x'; LARGE];
    [body.clone().into(), Body::new(Cursor::new(body))]
}

#[tokio::test]
async fn end_with_the_connection() {
    for body in bodies() {
        let (addr, _open) = stuffed("");
        let began = Instant::now();
        let error = Client::new().post(format!("http://{addr}/")).body(body).send().await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), Kind::Io, "{error}");
        assert!(began.elapsed() < PROMPT, "{error} after {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn end_with_an_answer_that_refuses_them() {
    let refusal = "HTTP/1.1 413 Content Too Large\r\ncontent-length: 5\r\n\r\nlarge";
    for body in bodies() {
        let (addr, _open) = stuffed(refusal);
        let began = Instant::now();
        let response = Client::new().post(format!("http://{addr}/")).body(body).send().await;
        let response = response.unwrap();
        assert_eq!(response.status(), 413);
        assert_eq!(response.text().await.unwrap(), "large");
        assert!(began.elapsed() < PROMPT, "after {:?}", began.elapsed());
    }
}

/// A server may say anything while it reads slowly.
#[tokio::test]
async fn go_on_after_an_interim_response() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let addr = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        thread::sleep(Duration::from_millis(100));
        stream.write_all(b"HTTP/1.1 102 Processing\r\n\r\n").unwrap();
        thread::sleep(Duration::from_millis(100));
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            line != "\r\n"
        } {}
        let read = io::copy(&mut reader.take(LARGE as u64), &mut io::sink()).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        read
    });
    let post = Client::new().post(format!("http://{addr}/")).body(vec![b'x'; LARGE]);
    assert_eq!(post.send().await.unwrap().status(), 200);
    assert_eq!(server.join().unwrap(), LARGE as u64);
}

const PIECES: usize = 3000;

/// A reader that computes what it gives, and so is slower than any socket: nothing is ever pending.
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

/// How often another task of the same thread gets its turn between the first piece and the last.
async fn turns_beside(future: impl Future<Output = ()>, left: &AtomicUsize) -> usize {
    let (mut future, mut turns) = (pin!(future), 0);
    while poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await.is_pending() {
        turns += usize::from((1..PIECES).contains(&left.load(Ordering::Relaxed)));
        tokio::task::yield_now().await;
    }
    turns
}

#[tokio::test]
async fn leave_room_for_other_tasks() {
    let (server, left) = (Httpbin::start(), Arc::new(AtomicUsize::new(PIECES)));
    let body = Body::new(Computed { left: Arc::clone(&left) });
    let post = Client::new().post(server.url("/post")).body(body);
    let turns = turns_beside(async { drop(post.send().await.unwrap()) }, &left).await;
    assert!(turns >= 10, "{turns}");
}

/// A connection that speaks another protocol is no different.
#[tokio::test]
async fn by_another_protocol_leave_room_for_other_tasks() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_head(&mut stream);
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
