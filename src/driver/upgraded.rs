//! Writes on an upgraded connection (RFC 9110 §7.8).

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
