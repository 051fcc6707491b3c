//! The meaning of a failed exchange: its error, its phase, and what may have reached the server.

use std::io;

use super::connection::Connection;
use super::runtime::Runtime;
use super::socket::SocketError;
use crate::body::BodyError;
use crate::call::Failure;
use crate::error::{Cause, Error, Kind, Phase};
use crate::http1::close::CloseReason;
use crate::http1::error::ProtocolError;
use crate::http1::exchange::Missing;
use crate::policy::deadline::budget::Expired;
use crate::policy::retry::{Answered, ConnectionOrigin, Loss, Sent};
use crate::transport::pipe::{PipeError, Setup};

/// The reason why an exchange cannot continue.
#[derive(Debug)]
pub(crate) enum ExchangeFailure {
    /// A time limit of the call is over, or the call was canceled.
    Expired(Expired),
    /// The socket failed.
    Io(io::Error),
    /// The peer broke a protocol, or closed the connection too early.
    Pipe(PipeError),
    /// The request's body could not be produced.
    Body(Error),
}

impl<F: Runtime> Connection<F> {
    /// Returns the failure of an attempt that got no response. The connection is not reused.
    pub(super) fn failure(&mut self, failure: ExchangeFailure) -> Failure {
        self.closing = failure.close_reason();
        // The proxy's refusal explains more than the error that followed it.
        let failure = match self.pipe.refusal() {
            Some(refusal) if !failure.is_cancelled() => ExchangeFailure::Pipe(refusal),
            _ => failure,
        };
        let loss = match &failure {
            ExchangeFailure::Io(_) => Loss::Connection,
            ExchangeFailure::Pipe(error) if error.is_loss() => Loss::Connection,
            _ => Loss::Other,
        };
        let has_sent = self.pipe.has_sent(&self.exchange);
        let phase = match self.pipe.setup() {
            Some(Setup::Tunnel) => Phase::Proxy,
            Some(Setup::Tls | Setup::ProxyTls) => Phase::Handshake,
            None if has_sent
                && (self.pipe.is_sent(&self.exchange) || self.exchange.is_answered()) =>
            {
                Phase::Head
            }
            None => Phase::Send,
        };
        Failure {
            error: self.error(failure, phase),
            loss,
            connection: if self.is_pooled {
                ConnectionOrigin::Pooled
            } else {
                ConnectionOrigin::Fresh
            },
            sent: if has_sent { Sent::Something } else { Sent::Nothing },
            answered: if self.exchange.has_heard() {
                Answered::Something
            } else {
                Answered::Nothing
            },
        }
    }

    /// Returns the error for a body that cannot be read further. The connection is not reused.
    pub(super) fn body_error(&mut self, failure: ExchangeFailure) -> Error {
        self.exchange.close_after(failure.close_reason());
        self.error(failure, Phase::Body)
    }

    pub(crate) fn error(&self, failure: ExchangeFailure, phase: Phase) -> Error {
        let error = match failure {
            ExchangeFailure::Body(error) => return error,
            ExchangeFailure::Pipe(error) => error.into_error(phase),
            ExchangeFailure::Expired(expired) => Error::new(expired.kind(), phase).cause(expired),
            ExchangeFailure::Io(error) => Error::new(Kind::Io, phase).cause(error),
        };
        match self.route.proxy() {
            Some(proxy) if self.pipe.setup() == Some(Setup::ProxyTls) => {
                error.peer(proxy.authority()).via(proxy)
            }
            Some(proxy) => error.peer(self.route.authority()).via(proxy),
            None => error.peer(self.route.authority()),
        }
    }
}

impl ExchangeFailure {
    /// Returns the failure of a request body that the caller's source could not produce.
    pub(crate) fn body(cause: impl Into<Cause>) -> Self {
        Self::Body(Error::new(Kind::Body, Phase::Send).detail("request body").cause(cause))
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        matches!(self, Self::Expired(expired) if expired.kind() == Kind::Cancelled)
    }

    /// Returns whether it was caused by bytes from the peer, such as a TLS alert.
    pub(super) fn is_word_of_peer(&self) -> bool {
        matches!(self, Self::Pipe(error) if !error.is_loss())
    }

    fn close_reason(&self) -> CloseReason {
        match self {
            Self::Expired(_) => CloseReason::TimeOver,
            Self::Io(_) => CloseReason::Io,
            Self::Pipe(error) if error.is_loss() => CloseReason::EarlyEof,
            Self::Pipe(_) => CloseReason::ProtocolError,
            Self::Body(_) => CloseReason::RequestIncomplete,
        }
    }
}

impl From<Missing> for ExchangeFailure {
    fn from(missing: Missing) -> Self {
        Self::body(BodyError::TooShort { missing: missing.0 })
    }
}

impl From<PipeError> for ExchangeFailure {
    fn from(error: PipeError) -> Self {
        Self::Pipe(error)
    }
}

impl From<ProtocolError> for ExchangeFailure {
    fn from(error: ProtocolError) -> Self {
        Self::Pipe(error.into())
    }
}

impl From<SocketError> for ExchangeFailure {
    fn from(error: SocketError) -> Self {
        match error {
            SocketError::Expired(expired) => Self::Expired(expired),
            SocketError::Io(error) => Self::Io(error),
        }
    }
}
