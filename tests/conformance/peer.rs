//! A server that sends the same response to every request and keeps the bytes that it received; and
//! a way to wait until the client has received what a server wrote.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

pub(super) struct Peer {
    pub(super) addr: SocketAddr,
    connections: Receiver<Vec<u8>>,
}

impl Peer {
    pub(super) fn start(answer: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let (done, connections) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), &answer, &done);
            }
        });
        Self { addr, connections }
    }

    /// All bytes of the first connection, once the client has closed it; none if there was no
    /// connection.
    pub(super) fn received(&self) -> Option<Vec<u8>> {
        // A connection that was opened and closed is reported immediately.
        self.connections.recv_timeout(Duration::from_millis(100)).ok()
    }
}

/// Reads one request, which ends with the client's end of the connection at the latest.
fn serve(mut stream: TcpStream, answer: &[u8], done: &Sender<Vec<u8>>) {
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    while !is_whole(&received) {
        match stream.read(&mut buffer) {
            Ok(count) if count > 0 => received.extend_from_slice(&buffer[..count]),
            _ => break,
        }
    }
    if is_whole(&received) {
        // The client may stop reading at any time.
        let _ = stream.write_all(answer);
    }
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = stream.read_to_end(&mut received);
    let _ = done.send(received);
}

/// Returns whether this is a complete request.
fn is_whole(received: &[u8]) -> bool {
    let text = String::from_utf8_lossy(received).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    if head.contains("transfer-encoding: chunked") {
        // The last chunk, and the trailers if there are any.
        let last = body.starts_with("0\r\n") || body.contains("\r\n0\r\n");
        return last && body.ends_with("\r\n\r\n");
    }
    let length = head.split_once("content-length: ").map_or("0", |(_, rest)| rest);
    let length = length.lines().next().unwrap().parse().unwrap();
    body.len() >= length
}

/// Waits until the client's system has received all that was written: on Linux by its table of
/// connections; elsewhere data on loopback is assumed to be delivered.
pub(super) fn wait_until_delivered(stream: &TcpStream) {
    let (Ok(local), Ok(remote)) = (stream.local_addr(), stream.peer_addr()) else { return };
    let ends_with = |address: Option<&str>, port: u16| {
        address.is_some_and(|address| address.ends_with(&format!(":{port:04X}")))
    };
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        let Ok(table) = std::fs::read_to_string("/proc/net/tcp") else { return };
        let is_waiting = table.lines().any(|line| {
            let mut words = line.split_ascii_whitespace().skip(1);
            ends_with(words.next(), local.port())
                && ends_with(words.next(), remote.port())
                && !words.nth(1).is_some_and(|queues| queues.starts_with("00000000:"))
        });
        if !is_waiting {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
}
