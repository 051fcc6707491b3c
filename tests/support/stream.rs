//! The server's side of one accepted connection, plain or TLS.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::{HandshakeKind, ServerConfig, ServerConnection, StreamOwned};

/// The time that a closing server reads on so that the peer sees a FIN and not a reset.
const LINGER: Duration = Duration::from_secs(2);

/// Reads the head of the next request, and not a byte of its body.
pub fn read_head(stream: &mut impl Read) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    String::from_utf8(head).map_err(io::Error::other)
}

pub enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Stream {
    pub fn new(socket: TcpStream, tls: Option<Arc<ServerConfig>>) -> io::Result<Stream> {
        socket.set_nodelay(true)?;
        let Some(config) = tls else { return Ok(Stream::Plain(socket)) };
        let session = ServerConnection::new(config).map_err(io::Error::other)?;
        Ok(Stream::Tls(Box::new(StreamOwned::new(session, socket))))
    }

    /// Returns whether the client has presented a certificate, in this handshake or in the one that is
    /// resumed.
    pub fn is_certified(&self) -> bool {
        matches!(self, Stream::Tls(tls) if tls.conn.peer_certificates().is_some())
    }

    /// Returns whether the client has resumed an earlier session.
    pub fn is_resumed(&self) -> bool {
        let kind = match self {
            Stream::Plain(_) => None,
            Stream::Tls(tls) => tls.conn.handshake_kind(),
        };
        kind == Some(HandshakeKind::Resumed)
    }

    pub fn tcp(&self) -> &TcpStream {
        match self {
            Stream::Plain(socket) => socket,
            Stream::Tls(tls) => &tls.sock,
        }
    }

    /// Ends the connection in an orderly way: `close_notify` under TLS, then FIN.
    pub fn end(&mut self) {
        if let Stream::Tls(tls) = self {
            tls.conn.send_close_notify();
            let _ = tls.flush();
        }
        self.cut();
    }

    /// FIN alone: over TLS that is a truncation.
    pub fn cut(&mut self) {
        let _ = self.tcp().shutdown(Shutdown::Write);
    }

    /// Reads what still arrives, for a bounded time: closing a socket with unread data resets it,
    /// and the reset can overtake the last response.
    pub fn linger(&mut self) {
        let _ = self.tcp().set_read_timeout(Some(LINGER));
        let mut socket = self.tcp();
        let _ = io::copy(&mut socket, &mut io::sink());
    }
}

impl Read for Stream {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(socket) => socket.read(space),
            Stream::Tls(tls) => tls.read(space),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(socket) => socket.write(bytes),
            Stream::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Plain(socket) => socket.flush(),
            Stream::Tls(tls) => tls.flush(),
        }
    }
}
