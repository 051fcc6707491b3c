//! SOCKS5 over real sockets: what the client says, and what it makes of the answers.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use leanhttp::{Client, Error, Proxy};
use serde_json::Value;

use super::support::{self, Outcome};
use super::text::base64;

const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody";

#[test]
fn socks5() {
    support::run("misc/socks5", |case| {
        if case["proxy"] == "both" {
            return both(case);
        }
        let proxy = case["proxy"].as_str().unwrap();
        let (sent, result) = exchange(proxy, case, steps(case));
        let expected = &case["expect"];
        let is_right = if let Some(error) = expected["error"].as_str() {
            let greeting = if expected["bytes_sent_after_greeting"] == 0 { 3 } else { usize::MAX };
            let timeout = result.as_ref().is_err_and(Error::is_timeout);
            result.is_err() && sent.len() <= greeting && timeout == (error == "timeout")
        } else {
            let said = expected["client_sends_b64"].as_array().into_iter().flatten();
            let said: Vec<u8> = said.flat_map(base64).collect();
            result.is_ok_and(|body| body == "body") && sent.starts_with(&said)
        };
        match is_right {
            true => Outcome::Passed,
            false => Outcome::Failed(sent.escape_ascii().to_string()),
        }
    });
}

/// Who looks the name up.
fn both(case: &Value) -> Outcome {
    let steps = || vec![b"\x05\0".to_vec(), b"\x05\0\0\x01\0\0\0\0\0\0".to_vec()];
    let (local, _) = exchange("socks5://127.0.0.1:1080", case, steps());
    let (remote, _) = exchange("socks5h://127.0.0.1:1080", case, steps());
    let says = |sent: &[u8], what: &[u8]| sent.windows(what.len()).any(|part| part == what);
    match says(&local, b"\x01\xc0\0\x02\x01\0\x50") && says(&remote, b"\x03\x09h.example\0\x50") {
        true => Outcome::Passed,
        false => Outcome::Failed(local.escape_ascii().to_string()),
    }
}

fn steps(case: &Value) -> Vec<Vec<u8>> {
    case["server_sends_b64"].as_array().unwrap().iter().map(base64).collect()
}

/// One request by a proxy that says this; what it was sent, and the response.
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
    // Where the client did not even connect.
    drop(TcpStream::connect(addr));
    (peer.join().unwrap(), result)
}

/// A proxy that answers each word with its next one, and then a request.
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
