//! Proxies with tunnels: by `CONNECT`, and by SOCKS in its versions 4, 4A and 5.
//!
//! All tunnels lead to one address, whatever the client requests, so that no name is looked up; the
//! requested destination is recorded. A proxy that forwards plain requests is a
//! [`Script`](super::script::Script) that responds itself.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::ServerConfig;

use super::stream::Stream;

/// The wait for one side of a tunnel before the other is checked.
const TURN: Duration = Duration::from_millis(1);

/// A running proxy; dropping it ends the listener.
pub struct Proxy {
    addr: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    speaks: Speaks,
    origin: SocketAddr,
    tls: Option<Arc<ServerConfig>>,
    /// The login that a client of version 5 needs.
    login: Option<&'static str>,
    stopping: AtomicBool,
    asked: Mutex<Vec<String>>,
}

#[derive(Clone, Copy)]
enum Speaks {
    Http,
    Socks,
}

impl Proxy {
    /// Accepts `CONNECT`.
    pub fn http(origin: SocketAddr) -> Proxy {
        Proxy::start(Speaks::Http, origin, None, None)
    }

    /// Accepts `CONNECT` over TLS.
    pub fn https(origin: SocketAddr, config: Arc<ServerConfig>) -> Proxy {
        Proxy::start(Speaks::Http, origin, Some(config), None)
    }

    /// Accepts any version of SOCKS.
    pub fn socks(origin: SocketAddr) -> Proxy {
        Proxy::start(Speaks::Socks, origin, None, None)
    }

    /// The same, and requires `user:password`.
    pub fn socks_with_login(origin: SocketAddr, login: &'static str) -> Proxy {
        Proxy::start(Speaks::Socks, origin, None, Some(login))
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `scheme://localhost:port`.
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://localhost:{}", self.addr.port())
    }

    /// The requested destinations, one for each tunnel: the head of a `CONNECT`; of SOCKS the
    /// version, the login and the destination, as in `5 user:password h.example:443`.
    pub fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap().clone()
    }

    fn start(
        speaks: Speaks,
        origin: SocketAddr,
        tls: Option<Arc<ServerConfig>>,
        login: Option<&'static str>,
    ) -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let addr = listener.local_addr().unwrap();
        let (stopping, asked) = (AtomicBool::new(false), Mutex::default());
        let shared = Arc::new(Shared { speaks, origin, tls, login, stopping, asked });
        let for_acceptor = Arc::clone(&shared);
        let acceptor = thread::spawn(move || accept(&listener, &for_acceptor));
        Proxy { addr, shared, acceptor: Some(acceptor) }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which is blocked in `accept`.
        let _ = TcpStream::connect(self.addr);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    while let Ok((socket, _)) = listener.accept() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            let mut client = Stream::new(socket, shared.tls.clone()).unwrap();
            let made = match shared.speaks {
                Speaks::Http => connect(&mut client, &shared),
                Speaks::Socks => socks(&mut client, &shared),
            };
            // A peer that disconnects ends the tunnel.
            let _ = made.and_then(|()| carry(&mut client, &shared));
            client.end();
        });
    }
}

fn connect(client: &mut Stream, shared: &Shared) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(byte(client)?);
    }
    shared.asked.lock().unwrap().push(String::from_utf8(head).unwrap());
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    client.flush()
}

fn socks(client: &mut Stream, shared: &Shared) -> io::Result<()> {
    match byte(client)? {
        4 => socks_4(client, shared),
        5 => socks_5(client, shared),
        _ => Err(ErrorKind::InvalidData.into()),
    }
}

fn socks_4(client: &mut Stream, shared: &Shared) -> io::Result<()> {
    assert_eq!(byte(client)?, 1, "CONNECT");
    let port = u16::from_be_bytes(bytes(client)?);
    let address = Ipv4Addr::from(bytes(client)?);
    let user = until_nul(client)?;
    let names_follow = address.octets()[..3] == [0; 3] && address.octets()[3] != 0;
    let host = if names_follow { until_nul(client)? } else { address.to_string() };
    shared.asked.lock().unwrap().push(format!("4 {user} {host}:{port}"));
    client.write_all(&[0, 90, 1, 2, 3, 4, 5, 6])
}

fn socks_5(client: &mut Stream, shared: &Shared) -> io::Result<()> {
    let count = byte(client)?;
    let methods = some(client, count.into())?;
    let method = if shared.login.is_some() { 2 } else { 0 };
    if !methods.contains(&method) {
        return client.write_all(&[5, 0xff]).and(Err(ErrorKind::PermissionDenied.into()));
    }
    client.write_all(&[5, method])?;
    let mut login = String::new();
    if let Some(expected) = shared.login {
        assert_eq!(byte(client)?, 1, "the version of the login");
        login = format!("{}:{}", counted(client)?, counted(client)?);
        client.write_all(&[1, u8::from(login != expected)])?;
        if login != expected {
            return Err(ErrorKind::PermissionDenied.into());
        }
    }
    assert_eq!(bytes(client)?, [5, 1, 0], "version, CONNECT, reserved");
    let host = match byte(client)? {
        1 => Ipv4Addr::from(bytes::<4>(client)?).to_string(),
        3 => counted(client)?,
        4 => Ipv6Addr::from(bytes::<16>(client)?).to_string(),
        other => panic!("an address of type {other}"),
    };
    let port = u16::from_be_bytes(bytes(client)?);
    shared.asked.lock().unwrap().push(format!("5 {login} {host}:{port}"));
    // The bound address is a name, whose length precedes it.
    client.write_all(b"\x05\0\0\x03\x05bound\x12\x34")
}

/// Copies in both directions alternately, because two threads cannot share a TLS stream.
fn carry(client: &mut Stream, shared: &Shared) -> io::Result<()> {
    let mut origin = TcpStream::connect(shared.origin)?;
    origin.set_nodelay(true)?;
    for socket in [client.tcp(), &origin] {
        socket.set_read_timeout(Some(TURN))?;
    }
    let mut buffer = vec![0; 64 * 1024];
    while !shared.stopping.load(Ordering::SeqCst) {
        let sent = hand_on(client, &mut origin, &mut buffer)?;
        let came = hand_on(&mut origin, client, &mut buffer)?;
        if !sent || !came {
            break;
        }
    }
    Ok(())
}

/// Returns whether more may follow.
fn hand_on(from: &mut impl Read, to: &mut impl Write, buffer: &mut [u8]) -> io::Result<bool> {
    match from.read(buffer) {
        Ok(0) => Ok(false),
        Ok(count) => to.write_all(&buffer[..count]).and_then(|()| to.flush()).map(|()| true),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Ok(true)
        }
        Err(error) => Err(error),
    }
}

fn byte(client: &mut Stream) -> io::Result<u8> {
    Ok(bytes::<1>(client)?[0])
}

fn bytes<const N: usize>(client: &mut Stream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    client.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn some(client: &mut Stream, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    client.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn counted(client: &mut Stream) -> io::Result<String> {
    let count = byte(client)?;
    Ok(String::from_utf8(some(client, count.into())?).unwrap())
}

fn until_nul(client: &mut Stream) -> io::Result<String> {
    let mut text = Vec::new();
    loop {
        match byte(client)? {
            0 => return Ok(String::from_utf8(text).unwrap()),
            byte => text.push(byte),
        }
    }
}
