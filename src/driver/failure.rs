//! The reasons why an exchange fails, and their errors.
//!
//! An [`ExchangeFailure`] is what went wrong; an [`Error`] is what the caller reads. Between them
//! lies the question whose fault it was and what can be tried, which needs the failure in its raw
//! form:
//!
//! ```text
//! socket, pipe, body, budget ──▶ ExchangeFailure ──▶ Connection::failure ──▶ call::Failure ──▶ retry, or
//!                                      │                    │                                 the Error
//!                                      │                    └── phase, has_sent, has_heard, lost_connection
//!                                      └── close_reason: why the connection is not reused
//! ```
//!
//! The error names the peer that was spoken to: the origin, or the proxy while TLS to it is being
//! set up.
//!
//! | failure | `Kind` | reason to close | may the answer still be there? |
//! | --- | --- | --- | --- |
//! | `Expired` by a limit | `Timeout` | `TimeOver` | yes, if the limit was one for the peer |
//! | `Expired` by a cancellation | `Cancelled` | `TimeOver` | not looked at |
//! | `Io` | `Io` | `Io` | after a failed write |
//! | `Pipe`, the connection was lost | `Io` or `Tls` | `EarlyEof` | no |
//! | `Pipe`, a violation | by the violation | `ProtocolError` | no: it was the answer |
//! | `Body` | `Body` | `RequestIncomplete` | yes, unless it is a success |
//!
//! `Connection::failure` turns one into the [`Failure`](crate::call::Failure) of an attempt. It
//! replaces the failure by the refusal of a proxy if there is one: a proxy that answers 407 often
//! closes immediately, and "the proxy answered 407" explains more than "connection reset".

#[cfg(feature = "testing")]
use std::error::Error as StdError;
#[cfg(feature = "testing")]
use std::fmt;
use std::io;

use super::runtime::SocketError;
use crate::body::BodyError;
use crate::error::{Cause, Error, Kind, Phase};
use crate::http1::close::CloseReason;
use crate::http1::error::ProtocolError;
use crate::http1::exchange::Missing;
use crate::policy::deadline::Expired;
use crate::policy::route::Route;
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
    /// A test wants this error.
    #[cfg(feature = "testing")]
    Forced(Error),
}

/// An error that a simulated socket hands through, as the cause of its I/O error.
#[cfg(feature = "testing")]
#[derive(Debug)]
pub(crate) struct ForcedFailure(pub(crate) Error);

#[cfg(feature = "testing")]
impl fmt::Display for ForcedFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(feature = "testing")]
impl StdError for ForcedFailure {}

impl ExchangeFailure {
    /// Returns the error of a connection of that route, whose handshake is `setup` or complete.
    pub(super) fn into_error(self, phase: Phase, route: &Route, setup: Option<Setup>) -> Error {
        let error = match self {
            Self::Body(error) => return error,
            #[cfg(feature = "testing")]
            Self::Forced(error) => return error,
            Self::Pipe(error) => {
                let note = certificate_note(&error, route, setup);
                note.into_iter().fold(error.into_error(phase), Error::note)
            }
            Self::Expired(expired) => Error::new(expired.kind(), phase).cause(expired),
            Self::Io(error) => Error::new(Kind::Io, phase).cause(error),
        };
        match route.proxy() {
            Some(proxy) if setup == Some(Setup::ProxyTls) => {
                error.peer(proxy.authority()).via(proxy)
            }
            Some(proxy) => error.peer(route.authority()).via(proxy),
            None => error.peer(route.authority()),
        }
    }

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

    pub(super) fn close_reason(&self) -> CloseReason {
        match self {
            Self::Expired(_) => CloseReason::TimeOver,
            Self::Io(_) => CloseReason::Io,
            Self::Pipe(error) if error.is_loss() => CloseReason::EarlyEof,
            Self::Pipe(_) => CloseReason::ProtocolError,
            Self::Body(_) => CloseReason::RequestIncomplete,
            #[cfg(feature = "testing")]
            Self::Forced(_) => CloseReason::Io,
        }
    }
}

/// Returns the sentence about a client certificate that the peer asks for and did not get.
fn certificate_note(error: &PipeError, route: &Route, setup: Option<Setup>) -> Option<String> {
    let requires = error.certificate_demand()?;
    let is_of_proxy = matches!(setup, Some(Setup::ProxyTls | Setup::Tunnel))
        || matches!(route, Route::Forward(_));
    Some(if is_of_proxy {
        format!("the proxy {requires} a client certificate, which is not supported")
    } else if route.withholds_identity() {
        format!(
            "the server {requires} a client certificate, and that of `identity` is not sent to another \
             origin after a redirect"
        )
    } else {
        format!("the server {requires} a client certificate: set one with `identity`")
    })
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
            #[cfg(feature = "testing")]
            SocketError::Io(error) => match error.downcast::<ForcedFailure>() {
                Ok(ForcedFailure(error)) => Self::Forced(error),
                Err(error) => Self::Io(error),
            },
            #[cfg(not(feature = "testing"))]
            SocketError::Io(error) => Self::Io(error),
        }
    }
}
