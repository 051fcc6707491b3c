//! Writing on a connection that speaks another protocol (RFC 9110 §7.8).

use std::io;

use super::connection::Connection;
use super::link::Halt;
use super::poll_once::ready;
use super::runtime::Front;
use super::system::Meanwhile;
use crate::http1::close::CloseReason;
use crate::policy::deadline::budget::Budget;

impl<F: Front> Connection<F> {
    pub(crate) fn upgrade(&mut self) -> std::result::Result<(), CloseReason> {
        self.link.session.upgrade()?;
        self.closing = CloseReason::Upgraded;
        Ok(())
    }

    /// What TLS has taken cannot be taken back: should it not get away now, that is told by the
    /// next call.
    pub(crate) async fn send_raw(
        &mut self,
        bytes: &[u8],
        budget: &mut Budget,
    ) -> std::result::Result<usize, Halt> {
        self.flush(budget).await?;
        match self.link.session.encrypt(bytes)? {
            None => Ok(self.socket.write(bytes, Meanwhile::Wait, budget).await?),
            Some(0) => Err(Halt::Io(io::ErrorKind::BrokenPipe.into())), // it was all, we have said
            Some(taken) => {
                // Without a wait: whoever lets go of this future would send the same bytes again.
                let _ = ready(self.flush(budget));
                Ok(taken)
            }
        }
    }

    pub(crate) async fn flush(&mut self, budget: &mut Budget) -> std::result::Result<(), Halt> {
        while !self.link.session.output().is_empty() {
            let output = self.link.session.output();
            let count = self.socket.write(output, Meanwhile::Wait, budget).await?;
            self.link.session.wrote(count);
        }
        Ok(())
    }

    /// It may be asked for again at any point: TLS says its last word only once.
    pub(crate) async fn end_writing(
        &mut self,
        budget: &mut Budget,
    ) -> std::result::Result<(), Halt> {
        self.flush(budget).await?;
        self.link.session.farewell();
        self.flush(budget).await?;
        match self.socket.end_writing() {
            Err(error) if error.kind() != io::ErrorKind::NotConnected => Err(Halt::Io(error)),
            _ => Ok(()), // where there is no peer any more, it has ended
        }
    }
}
