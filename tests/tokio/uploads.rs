//! Requests that the server takes no more of: what it says meanwhile is heard (RFC 9112 §9.5).

use std::io::{self, BufRead, BufReader, Cursor, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

use real::error::Kind;
use real::tokio::{Body, Client};

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
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        thread::sleep(Duration::from_millis(200));
        stream.write_all(says.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let _ = is_over.recv();
    });
    (addr, over)
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
