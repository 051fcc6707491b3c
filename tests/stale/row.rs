//! The rows: the request, the connection, and the moment and way in which the server dies.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;
use std::{cmp, io};

use leanhttp::Method;
use leanhttp::blocking::{Body, Client, RequestBuilder};

#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub ask: Ask,
    pub connection: Connection,
    pub way: Way,
    pub moment: Moment,
    /// True if the server has sent 100 by then.
    pub has_continued: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    Get,
    Head,
    Delete,
    PutBytes,
    /// Larger than the socket buffers of both sides: the client is in the middle of writing it.
    PutLarge,
    PutSizedReader,
    PutExpecting,
    PostBytes,
    PostForm,
    PostReader,
    PostExpecting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    Plain,
    /// The server is a forwarding proxy.
    Proxy,
    Tls,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// It has served a request already.
    Pooled,
    Fresh,
}

/// The way in which the server dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Ends both directions: FIN now, RST for later data.
    Fin,
    /// Ends its own direction, and goes on reading. Over TLS that is `close_notify` alone.
    HalfClose,
    Reset,
    /// `close_notify`, then FIN.
    CloseNotify,
    /// FIN without `close_notify`.
    Cut,
    /// Sends a 408 first (RFC 9110 §15.5.9), then closes in an orderly way.
    Says408,
}

/// The moment when the server dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before there is a request.
    Idle,
    /// The client has taken the connection, and has not written a byte yet.
    Taken,
    /// The request has arrived, and not one byte of it was read.
    Untouched,
    /// So many bytes of the request were read.
    Read(usize),
    /// The whole request was read, and so many bytes of the response were sent.
    Sent(usize),
}

pub const RESPONSE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789";
pub const RESPONSE_HEAD: usize = RESPONSE.len() - 10;

/// The first half of a body from a reader, which then waits for its gate. A client may buffer less
/// than this before it sends any of it.
pub const PIECE: usize = 120 * 1024;
const LARGE: usize = 4 << 20;

impl Ask {
    pub const ALL: [Ask; 11] = [
        Ask::Get,
        Ask::Head,
        Ask::Delete,
        Ask::PutBytes,
        Ask::PutLarge,
        Ask::PutSizedReader,
        Ask::PutExpecting,
        Ask::PostBytes,
        Ask::PostForm,
        Ask::PostReader,
        Ask::PostExpecting,
    ];

    pub fn method(self) -> Method {
        match self {
            Ask::Get => Method::GET,
            Ask::Head => Method::HEAD,
            Ask::Delete => Method::DELETE,
            Ask::PutBytes | Ask::PutLarge | Ask::PutSizedReader | Ask::PutExpecting => Method::PUT,
            Ask::PostBytes | Ask::PostForm | Ask::PostReader | Ask::PostExpecting => Method::POST,
        }
    }

    /// The body that the server expects in the request.
    pub fn body(self) -> Vec<u8> {
        match self {
            Ask::Get | Ask::Head | Ask::Delete => Vec::new(),
            Ask::PostForm => b"name=a+value".to_vec(),
            Ask::PutLarge => vec![b'x'; LARGE],
            Ask::PutSizedReader | Ask::PostReader => vec![b'x'; 2 * PIECE],
            _ => vec![b'x'; 4000],
        }
    }

    pub fn is_from_reader(self) -> bool {
        matches!(self, Ask::PutSizedReader | Ask::PostReader)
    }

    pub fn expects_continue(self) -> bool {
        matches!(self, Ask::PutExpecting | Ask::PostExpecting)
    }

    /// The response to it.
    pub fn response(self) -> &'static [u8] {
        match self {
            Ask::Head => &RESPONSE.as_bytes()[..RESPONSE_HEAD],
            _ => RESPONSE.as_bytes(),
        }
    }

    pub fn request(self, client: &Client, url: &str, gate: &Arc<Gate>) -> RequestBuilder {
        let request = client.request(self.method(), url);
        let reader = || Gated { gate: Arc::clone(gate), given: 0 };
        match self {
            Ask::Get | Ask::Head | Ask::Delete => request,
            Ask::PostForm => request.form(&[("name", "a value")]),
            Ask::PostReader => request.body(Body::new(reader())),
            Ask::PutSizedReader => request.body(Body::sized(reader(), 2 * PIECE as u64)),
            Ask::PutBytes | Ask::PutLarge | Ask::PostBytes => request.body(self.body()),
            Ask::PutExpecting | Ask::PostExpecting => {
                request.body(self.body()).expect_continue(true)
            }
        }
    }
}

impl Way {
    pub fn of(carrier: Carrier) -> &'static [Way] {
        match carrier {
            Carrier::Plain | Carrier::Proxy => {
                &[Way::Fin, Way::HalfClose, Way::Reset, Way::Says408]
            }
            Carrier::Tls => &[Way::CloseNotify, Way::Cut, Way::HalfClose, Way::Reset, Way::Says408],
        }
    }
}

/// Holds back the second half of a body until the server permits it.
#[derive(Default)]
pub struct Gate(Mutex<bool>, Condvar);

impl Gate {
    pub fn open(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }

    fn pass(&self) -> io::Result<()> {
        let is_closed = |open: &mut bool| !*open;
        let guard = self.0.lock().unwrap();
        let (_guard, wait) =
            self.1.wait_timeout_while(guard, Duration::from_secs(5), is_closed).unwrap();
        if wait.timed_out() { Err(io::Error::other("the gate stayed closed")) } else { Ok(()) }
    }
}

struct Gated {
    gate: Arc<Gate>,
    given: usize,
}

impl io::Read for Gated {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let end = if self.given < PIECE { PIECE } else { 2 * PIECE };
        if self.given == PIECE {
            self.gate.pass()?;
        }
        let count = cmp::min(into.len(), end - self.given);
        into[..count].fill(b'x');
        self.given += count;
        Ok(count)
    }
}
