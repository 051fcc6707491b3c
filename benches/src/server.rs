//! The server of the benchmarks: it does as little as possible, so that the client dominates.
//!
//! It listens on TCP and on TLS, with threads that wait for a connection, serve it and wait again.
//! Every response is prepared; a GET costs one read and one write.

mod crowd;
mod inbox;
mod replies;
mod tls;

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use self::inbox::Inbox;
use self::replies::Replies;
use crate::Outcome;
use crate::machine::{self, Core};
use crate::rows::{IDLE, IDLE_BEFORE};
use crate::target::Target;

/// Serves until standard input ends; prints its addresses on standard output.
pub fn run(ports: Ports) -> Outcome<()> {
    machine::pin(Core::Server)?;
    let identity = tls::Identity::new()?;
    let replies = Arc::new(Replies::new());
    let many = match ports {
        Ports::Few => 0,
        Ports::Many => IDLE + IDLE_BEFORE,
    };
    let plain = || listen(&replies, Ok);
    let tls = |config: &Arc<ServerConfig>| listen(&replies, secured(Arc::clone(config)));
    let target = Target {
        host: Ipv4Addr::LOCALHOST,
        plain: plain()?,
        crowd: crowd::listen(&replies)?,
        tls: tls(&identity.config)?,
        unresumed: tls(&identity.without_resumption)?,
        idle: (0..many).map(|_| plain()).collect::<io::Result<_>>()?,
        idle_tls: (0..many).map(|_| tls(&identity.config)).collect::<io::Result<_>>()?,
        certificate: identity.certificate,
    };
    println!("{target}");
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

/// Number of ports.
#[derive(Clone, Copy)]
pub enum Ports {
    Few,
    /// A port for each idle connection.
    Many,
}

/// Number of bytes that are encrypted before they are written: with less, clients wait after each
/// small piece.
const TLS_BURST: usize = 256 << 10;

fn secured(
    config: Arc<ServerConfig>,
) -> impl Fn(TcpStream) -> io::Result<StreamOwned<ServerConnection, TcpStream>> {
    move |socket| {
        let mut connection =
            ServerConnection::new(Arc::clone(&config)).map_err(io::Error::other)?;
        connection.set_buffer_limit(Some(TLS_BURST));
        Ok(StreamOwned::new(connection, socket))
    }
}

/// A port on each address of 127.0.0.0/8, which count as so many hosts.
fn bind() -> io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    rustix::net::listen(&listener, BACKLOG)?;
    Ok(listener)
}

/// Serves on a separate port.
fn listen<S, W>(replies: &Arc<Replies>, wrap: W) -> io::Result<u16>
where
    S: Read + Write + 'static,
    W: Fn(TcpStream) -> io::Result<S> + Send + Sync + 'static,
{
    let listener = bind()?;
    let port = listener.local_addr()?.port();
    let replies = Arc::clone(replies);
    let waiting = AtomicUsize::new(0);
    start_waiting(Arc::new(Door { listener, wrap, replies, waiting }));
    Ok(port)
}

/// The backlog: more tasks connect at the same time than the standard library allows.
const BACKLOG: i32 = 4096;

/// The most threads that wait for connections after clients have left.
const WAITING: usize = 128;

/// A listening socket.
struct Door<W> {
    listener: TcpListener,
    wrap: W,
    replies: Arc<Replies>,
    /// Number of threads that wait for a connection.
    waiting: AtomicUsize,
}

/// A thread that accepts a connection and leaves no other thread waiting starts one more.
fn start_waiting<S, W>(door: Arc<Door<W>>)
where
    S: Read + Write + 'static,
    W: Fn(TcpStream) -> io::Result<S> + Send + Sync + 'static,
{
    door.waiting.fetch_add(1, SeqCst);
    thread::spawn(move || {
        loop {
            let accepted = door.listener.accept();
            if door.waiting.fetch_sub(1, SeqCst) == 1 {
                start_waiting(Arc::clone(&door));
            }
            // A client that disconnects ends its connection, not the server.
            let _ = accepted.and_then(|(socket, peer)| {
                if !peer.ip().is_loopback() {
                    return Ok(());
                }
                socket.set_nodelay(true)?;
                serve((door.wrap)(socket)?, &door.replies)
            });
            if door.waiting.fetch_add(1, SeqCst) >= WAITING {
                door.waiting.fetch_sub(1, SeqCst);
                return;
            }
        }
    });
}

fn serve(stream: impl Read + Write, replies: &Replies) -> io::Result<()> {
    let mut inbox = Inbox::new(stream);
    // Repeated requests of a client are looked up once.
    let mut last = None;
    while let Some(request) = inbox.request()? {
        let received = inbox.discard(request.body)?;
        let output = inbox.stream();
        match request.path.as_str() {
            "/small" => output.write_all(&replies.small)?,
            "/cookie" => output.write_all(&replies.cookie)?,
            "/close" => return output.write_all(&replies.close),
            path => match path.strip_prefix("/sink/").map(str::parse) {
                Some(Ok(size)) if received >= size => output.write_all(&replies.small)?,
                Some(_) => return output.write_all(replies::REFUSAL),
                None => {
                    if last.as_ref().is_none_or(|(known, _)| known != path) {
                        let Some(prepared) = replies.prepared(path)? else {
                            return output.write_all(replies::REFUSAL);
                        };
                        last = Some((path.to_owned(), prepared));
                    }
                    if let Some((_, prepared)) = &last {
                        prepared.write(output)?;
                    }
                }
            },
        }
    }
    Ok(())
}
