//! A WebSocket (RFC 6455) over a connection of leanhttp, which provides TLS, proxies and timeouts;
//! tungstenite provides the frames.
//!
//! ```text
//! cargo run --example websocket                          with an embedded server that echoes
//! cargo run --example websocket -- http://host:port/     with any server that echoes
//! ```

use std::error::Error;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;
use std::{env, io, thread};

use leanhttp::blocking::{Client, Upgraded};
use tungstenite::handshake::{client::generate_key, derive_accept_key};
use tungstenite::protocol::{Role, WebSocket};
use tungstenite::{Bytes, Message};

/// The interval of pings while no message arrives.
const PING: Duration = Duration::from_secs(20);

fn main() -> Result<(), Box<dyn Error>> {
    let url = env::args().nth(1).map_or_else(start_server, Ok)?;
    let mut socket = connect(&Client::new(), &url)?;
    socket.send(Message::text("hello"))?;
    println!("{}", next(&mut socket)?);
    socket.close(None)?;
    while socket.read().is_ok() {}
    Ok(())
}

/// The handshake of RFC 6455 §4: leanhttp checks the 101, this function the rest.
fn connect(client: &Client, url: &str) -> Result<WebSocket<Upgraded>, Box<dyn Error>> {
    let key = generate_key();
    let response = client
        .get(url)
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", &key)
        .send()?;
    let accepted = response.headers().get("Sec-WebSocket-Accept").cloned();
    let mut connection = response.upgrade()?;
    if accepted.is_none_or(|accepted| accepted != derive_accept_key(key.as_bytes())) {
        return Err("the server accepted something else".into());
    }
    connection.set_read_timeout(Some(PING));
    Ok(WebSocket::from_raw_socket(connection, Role::Client, None))
}

/// Returns the next message. Until there is one, pings keep the connection alive.
fn next(socket: &mut WebSocket<Upgraded>) -> Result<Message, tungstenite::Error> {
    loop {
        match socket.read() {
            Err(tungstenite::Error::Io(error)) if error.kind() == io::ErrorKind::TimedOut => {
                socket.send(Message::Ping(Bytes::new()))?;
            }
            Ok(Message::Ping(_) | Message::Pong(_)) => {}
            other => return other,
        }
    }
}

/// Serves one client; returns the URL.
fn start_server() -> io::Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let url = format!("http://{}/", listener.local_addr()?);
    thread::spawn(move || {
        let (stream, _) = listener.accept().ok()?;
        let mut socket = tungstenite::accept(stream).ok()?;
        while let Ok(message) = socket.read() {
            if message.is_text() || message.is_binary() {
                socket.send(message).ok()?;
            }
        }
        Some(())
    });
    Ok(url)
}
