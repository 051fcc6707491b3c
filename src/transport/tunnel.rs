//! The talk with a proxy, in whichever protocol, until it has made the way to the origin.

use std::fmt;
use std::io;

use http::StatusCode;

use super::connect::ConnectError;
use super::socks::SocksError;
use crate::error::Kind;
use crate::http1::exchange::Ending;

/// A talk: bytes in, bytes out, until the way is open. What came behind the proxy's last word is
/// the origin's.
pub(crate) trait Tunnel: Send + Sync {
    /// Takes what has come as far as it goes.
    fn advance(&mut self) -> Result<Need, TunnelError>;

    /// Why the proxy refuses, as far as that has come.
    fn refusal(&self) -> Option<TunnelError>;

    /// What came behind the proxy's last word.
    fn leftover(&self) -> &[u8];

    fn output(&self) -> &[u8];

    fn wrote(&mut self, count: usize);

    fn discard_output(&mut self);

    fn read_space(&mut self) -> &mut [u8];

    fn read(&mut self, count: usize);

    /// These bytes came by another way: decrypted.
    fn received(&mut self, bytes: &[u8]);

    /// The connection ended; the next step says what that means.
    fn read_eof(&mut self, ending: Ending);
}

/// Nothing of the talk, which has a login in it.
impl fmt::Debug for dyn Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tunnel")
    }
}

/// What a talk needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// More of the proxy's words.
    More,
    /// The same, but not for long: it has refused, and only the reason is still to come.
    Reason,
    /// Nothing: the way is open.
    Nothing,
}

/// Why there is no way through a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TunnelError {
    Connect(ConnectError),
    Socks(SocksError),
}

impl TunnelError {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Connect(ConnectError::Protocol(error)) => error.kind(),
            Self::Connect(ConnectError::Refused(_)) | Self::Socks(_) => Kind::Proxy,
        }
    }

    /// See [`ProtocolError::lost`](crate::http1::error::ProtocolError::lost).
    pub(crate) fn lost(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Connect(ConnectError::Protocol(error)) => error.lost(),
            Self::Socks(SocksError::Closed) => Some(io::ErrorKind::UnexpectedEof),
            Self::Connect(ConnectError::Refused(_)) | Self::Socks(_) => None,
        }
    }

    /// What the proxy answered, in HTTP.
    pub(crate) fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Connect(ConnectError::Refused(refusal)) => Some(refusal.status),
            _ => None,
        }
    }
}

impl From<ConnectError> for TunnelError {
    fn from(error: ConnectError) -> Self {
        Self::Connect(error)
    }
}

impl From<SocksError> for TunnelError {
    fn from(error: SocksError) -> Self {
        Self::Socks(error)
    }
}

impl fmt::Display for TunnelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => error.fmt(f),
            Self::Socks(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TunnelError {}
