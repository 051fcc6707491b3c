//! Going over to another protocol, whose bytes are then read and written here.

use std::io::{self, Read, Write};

use super::{Response, Upgraded};
use crate::driver::poll_once::run;
use crate::error::{Error, Result};

impl Response {
    /// The connection itself, after a `101 Switching Protocols` (RFC 9110 §7.8).
    ///
    /// A request asks for that with its `Upgrade` and `Connection` fields, in HTTP/1.1; its body, if
    /// it has one, is sent to its end first. A 101 to anything else than what `Upgrade` has offered
    /// is an error of `send`. What else the protocol asks of the head of the response, as WebSocket
    /// does with `Sec-WebSocket-Accept`, is for the caller to check.
    ///
    /// A redirect within the origin takes the offer along; one to another origin leaves `Upgrade`
    /// behind. A plain `http` request that goes by an HTTP proxy offers it to the proxy; one over
    /// TLS or by SOCKS goes through a tunnel.
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
    /// [`Kind::Upgrade`](crate::error::Kind::Upgrade) for a response of another status, which is no
    /// error of the server's: it may not know the protocol. The error keeps the response;
    /// [`into_response`](Error::into_response) gives it back.
    pub fn upgrade(self) -> Result<Upgraded> {
        self.into_upgraded()
    }
}

impl Upgraded {
    /// Flushes and ends this direction, over TLS with `close_notify`; what the peer still says can be
    /// read. Dropping it closes both. To do it again does nothing.
    ///
    /// # Errors
    ///
    /// As those of `flush`: an [`Error`] is inside.
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

/// An [`Error`] is inside each `io::Error`.
impl Read for Upgraded {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        run(|| self.receive(into)).map_err(Error::into_io)
    }
}

/// Over TLS a write may take bytes that cannot be sent at once, and tell only the next time why:
/// `flush` what has to arrive. An [`Error`] is inside each `io::Error`.
impl Write for Upgraded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        run(|| self.send(bytes)).map_err(Error::into_io)
    }

    fn flush(&mut self) -> io::Result<()> {
        run(|| Upgraded::flush(self)).map_err(Error::into_io)
    }
}
