//! The server of the benchmarks: it does as little as it can, so that the client is what is seen.
//!
//! It listens twice, plainly and over TLS, on threads that wait for a connection, serve it and wait
//! again. Every answer is prepared; a GET costs one read and one write.

mod inbox;
mod replies;
mod tls;

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rustls::{ServerConnection, StreamOwned};

use self::inbox::{Inbox, Request};
use self::replies::Replies;
use crate::Outcome;
use crate::machine::{self, Core};
use crate::target::Target;

/// Serves until standard input ends; says on standard output where.
pub fn run() -> Outcome<()> {
    machine::pin(Core::Server)?;
    let identity = tls::Identity::new()?;
    let plain = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let secure = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let (port, tls_port) = (plain.local_addr()?.port(), secure.local_addr()?.port());
    println!("{}", Target { plain: port, tls: tls_port, certificate: identity.certificate });
    let replies = Arc::new(Replies::new()?);
    let tls = identity.config;
    accept(plain, &replies, Ok);
    accept(secure, &replies, move |socket| {
        let connection = ServerConnection::new(Arc::clone(&tls)).map_err(io::Error::other)?;
        Ok(StreamOwned::new(connection, socket))
    });
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

/// More than all clients of a row have open at once: 16 threads each.
const ACCEPTORS: usize = 256;

fn accept<S, W>(listener: TcpListener, replies: &Arc<Replies>, wrap: W)
where
    S: Read + Write,
    W: Fn(TcpStream) -> io::Result<S> + Send + Sync + 'static,
{
    let shared = Arc::new((listener, wrap));
    for _ in 0..ACCEPTORS {
        let (shared, replies) = (Arc::clone(&shared), Arc::clone(replies));
        thread::spawn(move || {
            let (listener, wrap) = &*shared;
            loop {
                // A client that goes away ends its connection, not the server.
                let _ = listener.accept().and_then(|(socket, _)| {
                    socket.set_nodelay(true)?;
                    serve(wrap(socket)?, &replies)
                });
            }
        });
    }
}

fn serve(stream: impl Read + Write, replies: &Replies) -> io::Result<()> {
    let mut inbox = Inbox::new(stream);
    while let Some(request) = inbox.request()? {
        let received = inbox.discard(request.body)?;
        let (kind, size) = request.target();
        let output = inbox.stream();
        match kind {
            "small" => output.write_all(&replies.small)?,
            "sink" if received >= size => output.write_all(&replies.small)?,
            "bytes" => replies.sized(output, size)?,
            "chunked" => replies.chunked(output, size)?,
            "gzip" => output.write_all(&replies.gzip)?,
            "close" => return output.write_all(&replies.close),
            _ => return output.write_all(replies::REFUSAL),
        }
    }
    Ok(())
}

impl Request {
    /// The path `/kind/size`, where the size may be missing.
    fn target(&self) -> (&str, u64) {
        let path = self.path.trim_start_matches('/');
        let (kind, size) = path.split_once('/').unwrap_or((path, ""));
        (kind, size.parse().unwrap_or(0))
    }
}
