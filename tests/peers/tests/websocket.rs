//! A WebSocket (RFC 6455) over an upgraded connection: leanhttp opens it, tungstenite frames the messages.
//! `tests/upgrade.rs` of the root has the upgrade itself.
#![cfg(all(feature = "blocking", feature = "ring", feature = "gzip"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "../../support/mod.rs"]
mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::thread;
use std::time::Duration;

use leanhttp::Certificate;
use leanhttp::blocking::{Client, Upgraded};
use rustls::{ServerConnection, StreamOwned};
use tungstenite::handshake::client::generate_key;
use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::{Role, WebSocket};
use tungstenite::{Bytes, Message};

use support::pki::{Leaf, Pki};

/// The handshake of RFC 6455 §4.
fn connect(client: &Client, url: &str) -> WebSocket<Upgraded> {
    let key = generate_key();
    let response = client
        .get(url)
        .header("Upgrade", "websocket")
        .header("Connection", "Upgrade")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", &key)
        .send()
        .unwrap();
    let accepted = response.headers()["Sec-WebSocket-Accept"].to_str().unwrap();
    assert_eq!(accepted, derive_accept_key(key.as_bytes()));
    WebSocket::from_raw_socket(response.upgrade().unwrap(), Role::Client, None)
}

/// Echoes messages until the client closes; returns the reason of the end.
fn echo(stream: &mut (impl Read + Write)) -> tungstenite::Error {
    let mut socket = tungstenite::accept(stream).map_err(|error| error.to_string()).unwrap();
    loop {
        match socket.read() {
            Ok(message @ (Message::Text(_) | Message::Binary(_))) => {
                socket.send(message).unwrap();
            }
            Ok(_) => {}
            Err(error) => return error,
        }
    }
}

fn talk(mut socket: WebSocket<Upgraded>) {
    let large: Bytes = (0..1_u64 << 20).map(|i| ((i * 7919) >> 5) as u8).collect();
    let messages = [
        Message::text("hello"),
        Message::binary(large),
        Message::text(""),
        Message::text("x".repeat(70_000)),
    ];
    for message in messages {
        socket.send(message.clone()).unwrap();
        assert!(socket.read().unwrap() == message);
    }
    socket.send(Message::Ping(Bytes::from_static(b"p"))).unwrap();
    assert_eq!(socket.read().unwrap(), Message::Pong(Bytes::from_static(b"p")));
    socket.get_mut().set_read_timeout(Some(Duration::from_millis(20)));
    match socket.read() {
        Err(tungstenite::Error::Io(error)) => assert_eq!(error.kind(), ErrorKind::TimedOut),
        other => panic!("{other:?}"),
    }
    socket.get_mut().set_read_timeout(None);
    socket.send(Message::text("after a timeout")).unwrap();
    assert_eq!(socket.read().unwrap(), Message::text("after a timeout"));
    socket.close(None).unwrap();
    assert!(socket.read().unwrap().is_close());
    assert!(matches!(socket.read(), Err(tungstenite::Error::ConnectionClosed)));
}

#[test]
fn in_the_clear() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || echo(&mut listener.accept().unwrap().0));
    talk(connect(&Client::new(), &url));
    let end = server.join().unwrap();
    assert!(matches!(end, tungstenite::Error::ConnectionClosed), "{end}");
}

#[test]
fn over_tls() {
    let pki = Pki::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    let config = pki.server_config(Leaf::Good);
    let server = thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), socket);
        let end = echo(&mut stream);
        stream.conn.send_close_notify();
        stream.flush().unwrap();
        end
    });
    let ca = Certificate::from_pem(pki.ca_pem().as_bytes()).unwrap();
    talk(connect(&Client::builder().tls_certs_only([ca]).build().unwrap(), &url));
    let end = server.join().unwrap();
    assert!(matches!(end, tungstenite::Error::ConnectionClosed), "{end}");
}
