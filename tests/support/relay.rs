//! A TCP relay that counts its connections: the number that a client opens to a server which does
//! not report it.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

/// A running relay; dropping it ends the listener, while open connections live on.
pub struct Relay {
    addr: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stopping: AtomicBool,
    connections: AtomicUsize,
}

impl Relay {
    /// Relays every connection to `target`, from a free port on loopback.
    pub fn start(target: SocketAddr) -> io::Result<Relay> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let for_acceptor = Arc::clone(&shared);
        let acceptor = thread::spawn(move || accept(&listener, target, &for_acceptor));
        Ok(Relay { addr, shared, acceptor: Some(acceptor) })
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Number of connections opened so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which is blocked in `accept`.
        let _ = TcpStream::connect(self.addr);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn accept(listener: &TcpListener, target: SocketAddr, shared: &Shared) {
    while let Ok((client, _)) = listener.accept() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        shared.connections.fetch_add(1, Ordering::SeqCst);
        // A server that refuses shows as a connection that is closed immediately.
        if let Ok(server) = TcpStream::connect(target) {
            let _ = carry(client, server);
        }
    }
}

/// Copies in both directions, each in its own thread.
fn carry(client: TcpStream, server: TcpStream) -> io::Result<()> {
    for socket in [&client, &server] {
        socket.set_nodelay(true)?;
    }
    let (client_again, server_again) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || pump(&client_again, &server_again));
    thread::spawn(move || pump(&server, &client));
    Ok(())
}

/// Copies until one side ends its stream, and then ends the other's; a failure ends both.
fn pump(mut from: &TcpStream, mut to: &TcpStream) {
    match io::copy(&mut from, &mut to) {
        Ok(_) => drop(to.shutdown(Shutdown::Write)),
        Err(_) => {
            for socket in [from, to] {
                drop(socket.shutdown(Shutdown::Both));
            }
        }
    }
}
