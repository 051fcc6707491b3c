//! Addresses on loopback that do not respond, each in its own way.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use socket2::{Domain, Socket, Type};

/// An address that refuses connections. It stays bound for the life of the process: otherwise the
/// system could give it to the server of another test.
pub fn refused() -> SocketAddr {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    let addr = local_addr(&socket);
    std::mem::forget(socket);
    addr
}

/// Accepts every connection and never sends a byte.
pub struct Silent {
    listener: TcpListener,
}

impl Silent {
    pub fn start() -> Silent {
        Silent { listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap() }
    }

    pub fn addr(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// Returns once the next connection has sent its first byte, and keeps that connection open.
    pub fn is_spoken_to(&self) -> impl FnOnce() + Send + 'static {
        let listener = self.listener.try_clone().unwrap();
        move || {
            let (connection, _) = listener.accept().unwrap();
            connection.peek(&mut [0]).unwrap();
            std::mem::forget(connection); // open until the test is over
        }
    }
}

/// Never completes a connection: its queue is full and never accepted from, so the system drops
/// every further SYN and a connect ends only by the client's own limit.
pub struct Unreachable {
    listener: Socket,
    _queued: TcpStream,
    _waiting: Vec<Socket>,
}

impl Unreachable {
    pub fn start() -> Unreachable {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        listener.listen(0).unwrap();
        let addr = local_addr(&listener);
        // The first connection fills the queue of one; the others would take its place should it
        // ever leave.
        let queued = TcpStream::connect(addr).unwrap();
        let waiting = (0..2).map(|_| connect_in_background(addr)).collect();
        Unreachable { listener, _queued: queued, _waiting: waiting }
    }

    pub fn addr(&self) -> SocketAddr {
        local_addr(&self.listener)
    }
}

fn local_addr(socket: &Socket) -> SocketAddr {
    socket.local_addr().unwrap().as_socket().unwrap()
}

fn connect_in_background(addr: SocketAddr) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_nonblocking(true).unwrap();
    // The error means that the connection is in progress; there is nothing to wait for.
    let _ = socket.connect(&addr.into());
    socket
}
