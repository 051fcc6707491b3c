//! Writes on an upgraded connection (RFC 9110 §7.8).
//!
//! After a 101 the connection belongs to the caller. Reads go through the exchange, as the body of
//! a response that ends with the connection; writes go around it, because no HTTP is left on that
//! side:
//!
//! ```text
//! caller ──send_raw──▶ encrypt, if there is TLS ──▶ socket
//! caller ◀──read_body── exchange ◀── decrypt ◀────── socket
//! ```
//!
//! Without TLS a write is a write of the socket: it may be short, and what it did not take was not
//! sent. TLS takes a piece as a whole and cannot give it back, so its ciphertext is written as far
//! as the socket accepts it now, and the rest before the next piece. A caller that drops the future
//! of a write may then repeat it without sending a byte twice (`tests/upgrade.rs`,
//! `of_writes_lose_nothing`).
//!
//! The budget of the call still applies, with limits that the caller may change; `tests/upgrade.rs`
//! has the tests of both.
//!
//! | call | without TLS | with TLS |
//! | --- | --- | --- |
//! | `send_raw` | one write, possibly short | what is pending, then a piece into TLS, then a write without waiting |
//! | `flush` | nothing to do | writes all pending ciphertext |
//! | `end_writing` | half-closes the socket | `close_notify`, then half-closes the socket |
//!
//! Ending the writing half twice is harmless, and so is ending it after the peer has gone.

use std::io;

use super::connection::Connection;
use super::failure::ExchangeFailure;
use super::runtime::{Meanwhile, Runtime, Stream as _, ready};
use crate::http1::close::CloseReason;
use crate::policy::deadline::Budget;

impl<F: Runtime> Connection<F> {
    pub(crate) fn upgrade(&mut self) -> std::result::Result<(), CloseReason> {
        self.exchange.upgrade()?;
        self.closing = CloseReason::Upgraded;
        Ok(())
    }

    /// Writes a piece. TLS cannot take back bytes that it accepted: if they cannot be written now,
    /// the next call reports the error.
    pub(crate) async fn send_raw(
        &mut self,
        bytes: &[u8],
        budget: &mut Budget,
    ) -> std::result::Result<usize, ExchangeFailure> {
        self.flush(budget).await?;
        match self.pipe.encrypt(bytes)? {
            None => Ok(self.socket.write(bytes, Meanwhile::Wait, budget).await?),
            Some(0) => Err(ExchangeFailure::Io(io::ErrorKind::BrokenPipe.into())), // already shut down
            Some(taken) => {
                // Without waiting: a caller that drops this future would send the same bytes again.
                let _ = ready(self.flush(budget));
                Ok(taken)
            }
        }
    }

    /// Writes all pending ciphertext. Without TLS there is none, and this returns immediately.
    pub(crate) async fn flush(
        &mut self,
        budget: &mut Budget,
    ) -> std::result::Result<(), ExchangeFailure> {
        loop {
            let output = self.pipe.output(&self.exchange);
            if output.is_empty() {
                return Ok(());
            }
            let count = self.socket.write(output, Meanwhile::Wait, budget).await?;
            self.pipe.wrote(&mut self.exchange, count);
        }
    }

    /// Shuts down the sending half. Idempotent: TLS queues `close_notify` once.
    pub(crate) async fn end_writing(
        &mut self,
        budget: &mut Budget,
    ) -> std::result::Result<(), ExchangeFailure> {
        self.flush(budget).await?;
        self.pipe.farewell();
        self.flush(budget).await?;
        match self.socket.stream.end_writing() {
            Err(error) if error.kind() != io::ErrorKind::NotConnected => {
                Err(ExchangeFailure::Io(error))
            }
            _ => Ok(()), // a peer that is gone has read the end
        }
    }
}
