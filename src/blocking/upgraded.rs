//! Upgrades a connection, and reads and writes on it.

use std::io::{self, Read, Write};

use super::{Response, Upgraded};
use crate::driver::runtime::run;
use crate::error::{Error, Result};

impl Response {
    /// Returns the connection after a `101 Switching Protocols` (RFC 9110 §7.8).
    ///
    /// A request asks for it with its `Upgrade` and `Connection` fields, in HTTP/1.1; its body, if
    /// it has one, is sent to its end first. A 101 with a protocol that `Upgrade` did not offer is
    /// an error of `send`. Check other requirements of the protocol on the head of the response
    /// yourself, such as WebSocket's `Sec-WebSocket-Accept`.
    ///
    /// A redirect within the origin keeps the offer; a redirect to another origin removes
    /// `Upgrade`. A plain `http` request through an HTTP proxy makes the offer to the proxy; one
    /// over TLS or SOCKS uses a tunnel.
    ///
    /// ```no_run
    /// use std::io::{Read, Write};
    ///
    /// let client = leanhttp::Client::new();
    /// let request = client.get("http://example.org/echo");
    /// let response = request.header("Upgrade", "echo").header("Connection", "upgrade").send()?;
    /// let mut echo = response.upgrade()?;
    /// echo.write_all(b"hello")?;
    /// let mut reply = [0; 5];
    /// echo.read_exact(&mut reply)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Kind::Upgrade`](crate::error::Kind::Upgrade) for a response of another status, which is
    /// not a fault of the server: it may not support the protocol. The error contains the response;
    /// [`into_response`](Error::into_response) returns it.
    pub fn upgrade(self) -> Result<Upgraded> {
        self.into_upgraded()
    }
}

impl Upgraded {
    /// Flushes and shuts down the sending half, over TLS with `close_notify`; you can still read
    /// what the peer sends. Dropping the connection closes both halves. A second call does nothing.
    ///
    /// # Errors
    ///
    /// As for `flush`; the `io::Error` contains an [`Error`].
    ///
    /// ```no_run
    /// # fn example(mut upgraded: leanhttp::blocking::Upgraded) -> std::io::Result<()> {
    /// use std::io::{Read, Write};
    ///
    /// upgraded.write_all(b"that is all")?;
    /// upgraded.shutdown_write()?;
    /// let mut answer = String::new();
    /// upgraded.read_to_string(&mut answer)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn shutdown_write(&mut self) -> io::Result<()> {
        run(|| self.end_writing()).map_err(Error::into_io)
    }
}

/// Each `io::Error` contains an [`Error`].
impl Read for Upgraded {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        run(|| self.receive(into)).map_err(Error::into_io)
    }
}

/// Over TLS a write may accept bytes that cannot be sent immediately, and only the next call
/// reports the error: call `flush` for data that has to arrive. Each `io::Error` contains an
/// [`Error`].
impl Write for Upgraded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        run(|| self.send(bytes)).map_err(Error::into_io)
    }

    fn flush(&mut self) -> io::Result<()> {
        run(|| Upgraded::flush(self)).map_err(Error::into_io)
    }
}
