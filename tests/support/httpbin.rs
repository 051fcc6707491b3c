//! A server that responds like httpbin 0.10, one thread a connection.
//!
//! It refuses with 400 whatever violates RFC 9112, with the reason in the body. Beyond httpbin it
//! has `POST /parts`, which lists the parts of a multipart body with their file names and types,
//! and a larger limit of `/bytes`.

use std::collections::HashMap;
use std::io::{BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use rustls::ServerConfig;

use self::message::{Refusal, Request};
use self::reply::Reply;
use super::pki::{Leaf, Pki};
use super::stream::Stream;

mod echo;
mod form;
mod message;
mod reply;
mod routes;

pub use self::routes::sample_bytes;

/// A running server; dropping it closes the listener and every connection.
pub struct Httpbin {
    addr: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    tls: Option<Arc<ServerConfig>>,
    stopping: AtomicBool,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    connections: usize,
    requests: Vec<String>,
    /// Handles to the open connections, which are closed on stop.
    open: HashMap<usize, TcpStream>,
}

impl Httpbin {
    /// Starts a plain server on a free port.
    pub fn start() -> Httpbin {
        Httpbin::serve(None)
    }

    /// Starts a TLS server with the valid certificate.
    pub fn start_tls(pki: &Pki) -> Httpbin {
        Httpbin::start_tls_as(pki, Leaf::Good)
    }

    pub fn start_tls_as(pki: &Pki, leaf: Leaf) -> Httpbin {
        Httpbin::start_tls_with(pki.server_config(leaf))
    }

    pub fn start_tls_with(config: Arc<ServerConfig>) -> Httpbin {
        Httpbin::serve(Some(config))
    }

    /// The URL of a path on this server: `http://127.0.0.1:port…` or `https://localhost:port…`.
    pub fn url(&self, path: &str) -> String {
        match self.shared.tls {
            None => format!("http://{}{path}", self.addr),
            Some(_) => format!("https://localhost:{}{path}", self.addr.port()),
        }
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Number of connections accepted so far.
    pub fn connections_opened(&self) -> usize {
        self.shared.seen.lock().unwrap().connections
    }

    /// Method and target of every valid request so far, as in `GET /get?a=1`.
    pub fn requests_seen(&self) -> Vec<String> {
        self.shared.seen.lock().unwrap().requests.clone()
    }

    fn serve(tls: Option<Arc<ServerConfig>>) -> Httpbin {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let addr = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { tls, ..Shared::default() });
        let for_acceptor = Arc::clone(&shared);
        let acceptor = thread::spawn(move || accept(&listener, &for_acceptor));
        Httpbin { addr, shared, acceptor: Some(acceptor) }
    }
}

impl Drop for Httpbin {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which is blocked in `accept`.
        let _ = TcpStream::connect(self.addr);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        if let Ok(seen) = self.shared.seen.lock() {
            for socket in seen.open.values() {
                let _ = socket.shutdown(Shutdown::Both);
            }
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    while let Ok((socket, _)) = listener.accept() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let id = shared.opened(&socket);
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            if let Ok(stream) = Stream::new(socket, shared.tls.clone()) {
                converse(stream, &shared);
            }
            shared.seen.lock().unwrap().open.remove(&id);
        });
    }
}

/// Responds to requests until either side ends the connection.
fn converse(stream: Stream, shared: &Shared) {
    let mut reader = BufReader::new(stream);
    loop {
        let request = match read_request(&mut reader) {
            Ok(request) => request,
            Err(Refusal::Gone) => return,
            Err(Refusal::Answer(status, reason)) => {
                let refusal = Reply::text(status, &format!("refused: {reason}\n"));
                let _ = refusal.closing().send(&Request::default(), reader.get_mut());
                break;
            }
        };
        shared.answering(&request);
        let origin = reader.get_ref().tcp().peer_addr().map(|addr| addr.ip().to_string());
        let context = routes::Context {
            origin: origin.unwrap_or_default(),
            scheme: if shared.tls.is_some() { "https" } else { "http" },
        };
        let reply = routes::answer(&request, &context);
        if reply.send(&request, reader.get_mut()).is_err() {
            return;
        }
        if !request.keeps_alive() {
            break;
        }
    }
    let stream = reader.get_mut();
    stream.end();
    stream.linger();
}

fn read_request(reader: &mut BufReader<Stream>) -> Result<Request, Refusal> {
    let mut request = Request::read_head(reader)?;
    let expectation = request.value("expect").is_some();
    if expectation && !request.expects_continue() && !request.is_http10 {
        return Err(Refusal::Answer(417, "unknown expectation"));
    }
    if request.expects_continue() {
        reader.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    request.read_body(reader)?;
    Ok(request)
}

impl Shared {
    fn opened(&self, socket: &TcpStream) -> usize {
        let mut seen = self.seen.lock().unwrap();
        seen.connections += 1;
        let id = seen.connections;
        if let Ok(handle) = socket.try_clone() {
            seen.open.insert(id, handle);
        }
        id
    }

    fn answering(&self, request: &Request) {
        let line = format!("{} {}", request.method, request.target);
        self.seen.lock().unwrap().requests.push(line);
    }
}
