//! A connection that has gone over to another protocol (RFC 9110 §7.8).

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use http::{HeaderMap, StatusCode, header};

use super::response::{Head, Response};
use crate::base::erased_box::Apart;
use crate::driver::link::Halt;
use crate::driver::runtime::Front;
use crate::driver::{Connection, Lease, Reader};
use crate::error::{Error, Kind, Phase, Result};
use crate::policy::deadline::budget::Budget;
use crate::url::Url;

/// A connection on which the server speaks another protocol now: bytes both ways, as the two sides
/// of a socket.
///
/// What the server sent right behind its `101 Switching Protocols` is read first. Over TLS the bytes
/// go through TLS as before. A read of 0 bytes is the peer's end; a TLS connection that ends
/// without `close_notify` may have been cut by anyone, and is
/// [`UnexpectedEof`](std::io::ErrorKind::UnexpectedEof).
///
/// The deadline of the call ([`timeout`]) was kept with the response and is over. Its
/// [`read_timeout`] and [`write_timeout`] (30 s, unless they were set) still hold, for each read and
/// each write; the error is [`TimedOut`](std::io::ErrorKind::TimedOut). Nothing is lost by that: the
/// same may be tried again. A protocol in which long silence is usual takes
/// [`set_read_timeout`](Self::set_read_timeout). A [`CancelToken`](crate::CancelToken) of the request
/// ends this too.
///
/// Dropping it closes the connection, which never goes back to the pool; over TLS with
/// `close_notify`. Until then it counts as one of its host's
/// ([`pool_max_open_per_host`]).
///
/// It cannot be split in two, because reading TLS may have to write and the other way round. Two
/// threads share one behind a `Mutex`, where the one that reads sets a short timeout and lets
/// go between its reads.
///
/// [`timeout`]: crate::client::request::RequestBuilder::timeout
/// [`read_timeout`]: crate::client::ClientBuilder::read_timeout
/// [`write_timeout`]: crate::client::ClientBuilder::write_timeout
/// [`pool_max_open_per_host`]: crate::client::ClientBuilder::pool_max_open_per_host
pub struct Upgraded<F: Front> {
    connection: Apart<Connection<F>>,
    budget: Budget,
    head: Box<Head>,
}

impl<F: Front> Upgraded<F> {
    /// The fields of the 101: `Upgrade` names the protocol.
    pub fn headers(&self) -> &HeaderMap {
        self.head.received.headers.map()
    }

    /// The URL of the request.
    pub fn url(&self) -> &Url {
        &self.head.url
    }

    /// The address of the peer; none for a Unix domain socket.
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.head.addresses().remote
    }

    /// The address of this end; none for a Unix domain socket.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.head.addresses().local
    }

    /// How long a read waits for its first byte; `None` is for ever.
    pub fn set_read_timeout(&mut self, timeout: Option<Duration>) {
        self.budget.timeouts_mut().read = timeout;
        self.connection.socket.forget_waits();
    }

    /// How long a write waits until it gets rid of its first byte; `None` is for ever.
    pub fn set_write_timeout(&mut self, timeout: Option<Duration>) {
        self.budget.timeouts_mut().write = timeout;
        self.connection.socket.forget_waits();
    }

    /// Reads at least one byte, unless `into` has no room; 0 is the end.
    pub(crate) async fn receive(&mut self, into: &mut [u8]) -> Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        let received = self.connection.next_bytes(into, &mut self.budget).await;
        received.map_err(|halt| self.error(halt))
    }

    /// Takes at least one of the bytes. Those that it says are on their way, or [`flush`] sends
    /// them.
    ///
    /// [`flush`]: Self::flush
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let sent = self.connection.send_raw(bytes, &mut self.budget).await;
        sent.map_err(|halt| self.error(halt))
    }

    /// Sends everything that was taken.
    pub(crate) async fn flush(&mut self) -> Result<()> {
        let flushed = self.connection.flush(&mut self.budget).await;
        flushed.map_err(|halt| self.error(halt))
    }

    /// Sends everything that was taken, and that it was all.
    pub(crate) async fn end_writing(&mut self) -> Result<()> {
        let ended = self.connection.end_writing(&mut self.budget).await;
        ended.map_err(|halt| self.error(halt))
    }

    fn error(&self, halt: Halt) -> Error {
        self.connection.link.upgraded_error(halt).for_url(&self.head.url)
    }
}

impl<F: Front> Response<Reader<F>> {
    pub(crate) fn into_upgraded(self) -> Result<Upgraded<F>> {
        let (status, url) = (self.head.received.status, self.head.url.clone());
        if status != StatusCode::SWITCHING_PROTOCOLS {
            return Err(Error::not_upgraded(status, Box::new(self)).for_url(&url));
        }
        let failed =
            |why: String| Error::new(Kind::Upgrade, Phase::Upgrade).detail(why).for_url(&url);
        let Some((mut connection, budget)) =
            self.body.into_lease().and_then(Lease::into_connection)
        else {
            return Err(failed("the response was read to its end".to_owned()));
        };
        if let Err(reason) = connection.upgrade() {
            connection.close(reason);
            return Err(failed(reason.to_string()));
        }
        Ok(Upgraded { connection, budget: budget.without_deadlines(), head: Box::new(self.head) })
    }
}

impl<F: Front> fmt::Debug for Upgraded<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgraded")
            .field("url", &self.head.url)
            .field("protocol", &self.headers().get(header::UPGRADE))
            .finish_non_exhaustive()
    }
}
