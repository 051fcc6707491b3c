//! SOCKS5 over real sockets: the client's messages, and its reaction to the replies.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use leanhttp::{Client, Error, Proxy};
use serde_json::Value;

use super::errors::is_named;
use super::support::{self, Outcome};
use super::text::base64;

/// Length of a client's greeting without a login.
const GREETING: usize = 3;

const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody";

#[test]
fn socks5() {
    support::run("misc/socks5", |case| {
        if case["proxy"] == "both" {
            return both(case);
        }
        let proxy = case["proxy"].as_str().unwrap();
        let (sent, result) = exchange(proxy, case, steps(case));
        let is_success = result.as_ref().is_ok_and(|body| body == "body");
        let mut stated = case["expect"].as_object().unwrap().iter();
        let is_right = stated.all(|(key, wanted)| match key.as_str() {
            "error" => {
                result.as_ref().is_err_and(|error| is_named(error, wanted.as_str().unwrap()))
            }
            "bytes_sent_after_greeting" => *wanted == sent.len().saturating_sub(GREETING),
            "ok" => *wanted == is_success,
            // Surplus bytes would stand before the response.
            "leftover" => *wanted == 0 && is_success,
            "client_sends_b64" => {
                let said: Vec<u8> = wanted.as_array().unwrap().iter().flat_map(base64).collect();
                is_success && sent.starts_with(&said)
            }
            _ => false,
        });
        match is_right {
            true => Outcome::Passed,
            false => Outcome::Failed(format!("{result:?} after {}", sent.escape_ascii())),
        }
    });
}

/// Looks the name up on both sides: in the client and in the proxy.
fn both(case: &Value) -> Outcome {
    let steps = || vec![b"\x05\0".to_vec(), b"\x05\0\0\x01\0\0\0\0\0\0".to_vec()];
    let (local, _) = exchange("socks5://127.0.0.1:1080", case, steps());
    let (remote, _) = exchange("socks5h://127.0.0.1:1080", case, steps());
    let says = |sent: &[u8], what: &[u8]| sent.windows(what.len()).any(|part| part == what);
    let is_right =
        case["expect"].as_object().unwrap().iter().all(|(key, wanted)| match key.as_str() {
            "socks5" if wanted == "client resolves, sends address" => {
                says(&local, b"\x01\xc0\0\x02\x01\0\x50")
            }
            "socks5h" if wanted == "client sends the name and never asks DNS" => {
                says(&remote, b"\x03\x09h.example\0\x50")
            }
            _ => false,
        });
    match is_right {
        true => Outcome::Passed,
        false => Outcome::Failed(local.escape_ascii().to_string()),
    }
}

fn steps(case: &Value) -> Vec<Vec<u8>> {
    case["server_sends_b64"].as_array().unwrap().iter().map(base64).collect()
}

/// Sends one request through a proxy with these replies; returns the bytes sent, and the response.
fn exchange(proxy: &str, case: &Value, says: Vec<Vec<u8>>) -> (Vec<u8>, Result<String, Error>) {
    let closes = case["closes_after"] == true;
    let (addr, peer) = play(says, closes);
    let proxy = proxy.replace("127.0.0.1:1080", &addr.to_string());
    let client = Client::builder()
        .proxy(Proxy::all(proxy).unwrap())
        .resolve("h.example", "192.0.2.1:0".parse().unwrap())
        .connect_timeout(Duration::from_millis(500))
        .build()
        .unwrap();
    let url = format!("http://{}/", case["target"].as_str().unwrap());
    let result = client.get(url).send().and_then(|response| response.text());
    drop(client);
    // Ends the wait of a server to which the client did not connect.
    drop(TcpStream::connect(addr));
    (peer.join().unwrap(), result)
}

/// A proxy that replies to each message with the next one of a list, and then to a request.
fn play(says: Vec<Vec<u8>>, closes: bool) -> (SocketAddr, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let peer = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut sent, mut buffer) = (Vec::new(), [0; 4096]);
        let is_whole = says.len() > 1;
        for word in says {
            let count = stream.read(&mut buffer).unwrap_or(0);
            sent.extend_from_slice(&buffer[..count]);
            let _ = stream.write_all(&word);
        }
        if closes {
            let _ = stream.shutdown(std::net::Shutdown::Write);
        }
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            sent.extend_from_slice(&buffer[..count]);
            if is_whole && sent.ends_with(b"\r\n\r\n") {
                let _ = stream.write_all(RESPONSE);
            }
        }
        sent
    });
    (addr, peer)
}
