//! A connection that was upgraded to another protocol (RFC 9110 §7.8).

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use http::{HeaderMap, StatusCode, header};

use super::response::{Head, Response};
use crate::base::buffer::ErasedBox;
use crate::driver::failure::ExchangeFailure;
use crate::driver::runtime::Runtime;
use crate::driver::{Connection, Lease, ResponseBody};
use crate::error::{Error, Kind, Phase, Result};
use crate::policy::deadline::Budget;
use crate::url::Url;

/// A connection on which the server speaks another protocol: bytes in both directions, as on a
/// socket.
///
/// Bytes that the server sent right after its `101 Switching Protocols` are read first. Over TLS
/// the bytes are still encrypted. A read of 0 bytes is the peer's end; a TLS connection that ends
/// without `close_notify` may have been cut by an attacker, and is
/// [`UnexpectedEof`](std::io::ErrorKind::UnexpectedEof).
///
/// The deadline of the call ([`timeout`]) ends with the response. The [`read_timeout`] and the
/// [`write_timeout`] (30 s, unless they were set) still apply, to each read and each write; the
/// error is [`TimedOut`](std::io::ErrorKind::TimedOut). A timeout loses no bytes: you can try
/// again. For a protocol with long silences use [`set_read_timeout`](Self::set_read_timeout). A
/// [`CancelToken`](crate::CancelToken) of the request ends this connection too.
///
/// Dropping it closes the connection, over TLS with `close_notify`; it never returns to the pool.
/// Until then it counts as a connection of its host ([`pool_max_open_per_host`]).
///
/// It cannot be split, because reading TLS may have to write and the reverse. Two threads can share
/// it behind a `Mutex`, if the reading one sets a short timeout and unlocks the mutex between its
/// reads.
///
/// [`timeout`]: crate::client::request::RequestBuilder::timeout
/// [`read_timeout`]: crate::client::ClientBuilder::read_timeout
/// [`write_timeout`]: crate::client::ClientBuilder::write_timeout
/// [`pool_max_open_per_host`]: crate::client::ClientBuilder::pool_max_open_per_host
pub struct Upgraded<F: Runtime> {
    connection: ErasedBox<Connection<F>>,
    budget: Budget,
    head: Box<Head>,
}

impl<F: Runtime> Upgraded<F> {
    /// Returns the fields of the 101: `Upgrade` names the protocol.
    pub fn headers(&self) -> &HeaderMap {
        self.head.received.headers.map()
    }

    /// Returns the URL of the request.
    pub fn url(&self) -> &Url {
        &self.head.url
    }

    /// Returns the address of the peer; `None` for a Unix domain socket.
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.head.addresses().remote
    }

    /// Returns the local address; `None` for a Unix domain socket.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.head.addresses().local
    }

    /// Sets the time that a read waits for its first byte; `None` waits without limit.
    pub fn set_read_timeout(&mut self, timeout: Option<Duration>) {
        self.budget.timeouts_mut().read = timeout;
        self.connection.socket.forget_waits();
    }

    /// Sets the time that a write waits until its first byte is accepted; `None` waits without
    /// limit.
    pub fn set_write_timeout(&mut self, timeout: Option<Duration>) {
        self.budget.timeouts_mut().write = timeout;
        self.connection.socket.forget_waits();
    }

    /// Reads at least one byte, unless `into` is empty; 0 means the end.
    pub(crate) async fn read_once(&mut self, into: &mut [u8]) -> Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        self.connection.read_body(into, &mut self.budget).await.map_err(|halt| self.error(halt))
    }

    /// Accepts at least one of the bytes and returns their number. They are sent already, or by
    /// [`flush_accepted`].
    ///
    /// [`flush_accepted`]: Self::flush_accepted
    pub(crate) async fn write_once(&mut self, bytes: &[u8]) -> Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        self.connection.send_raw(bytes, &mut self.budget).await.map_err(|halt| self.error(halt))
    }

    /// Sends all bytes that were accepted.
    pub(crate) async fn flush_accepted(&mut self) -> Result<()> {
        self.connection.flush(&mut self.budget).await.map_err(|halt| self.error(halt))
    }

    /// Sends all bytes that were accepted, and shuts down the sending half.
    pub(crate) async fn finish_writing(&mut self) -> Result<()> {
        self.connection.end_writing(&mut self.budget).await.map_err(|halt| self.error(halt))
    }

    fn error(&self, halt: ExchangeFailure) -> Error {
        self.connection.error(halt, Phase::Upgrade).for_url(&self.head.url)
    }
}

impl<F: Runtime> Response<ResponseBody<F>> {
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

impl<F: Runtime> fmt::Debug for Upgraded<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgraded")
            .field("url", &self.head.url)
            .field("protocol", &self.headers().get(header::UPGRADE))
            .finish_non_exhaustive()
    }
}
