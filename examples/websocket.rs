//! A WebSocket (RFC 6455): leanhttp opens the connection, with TLS, proxies and timeouts; tungstenite frames
//! the messages.
//!
//! ```text
//! cargo run --example websocket --features websocket          with an embedded server that echoes
//! cargo run --example websocket --features websocket -- URL   with any server that echoes
//! ```

use std::net::TcpListener;
use std::{env, error::Error, io, thread};

use leanhttp::{Client, Upgraded};
use tungstenite::handshake::{client::generate_key, derive_accept_key};
use tungstenite::protocol::{Role, WebSocket};

fn main() -> Result<(), Box<dyn Error>> {
    let url = env::args().nth(1).map_or_else(start_server, Ok)?;
    let mut socket = connect(&Client::new(), &url)?;
    socket.send("hello".into())?;
    println!("{}", socket.read()?);
    socket.close(None)?;
    while socket.read().is_ok() {} // until the server has closed too
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
    let connection = response.upgrade()?;
    if accepted.is_none_or(|accepted| accepted != derive_accept_key(key.as_bytes())) {
        return Err("the server accepted something else".into());
    }
    Ok(WebSocket::from_raw_socket(connection, Role::Client, None))
}

/// Echoes the messages of one client; returns the URL.
fn start_server() -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/", listener.local_addr()?);
    thread::spawn(move || {
        let mut socket = tungstenite::accept(listener.accept().ok()?.0).ok()?;
        while let Ok(message) = socket.read() {
            if message.is_text() || message.is_binary() {
                socket.send(message).ok()?;
            }
        }
        Some(())
    });
    Ok(url)
}
