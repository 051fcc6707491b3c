//! The handshake with a proxy, in any protocol, until the tunnel to the origin is open.
//!
//! [`Tunnel`] is what the pipe needs of such a handshake. It is a trait with two implementations,
//! [`Connect`](super::connect::Connect) and [`Socks`](super::socks::Socks), and an object in the
//! pipe: a handshake lives for a round trip or two, and a connection that has none pays one null
//! pointer.
//!
//! ```text
//!          advance                       advance                          advance
//! begin ────────────▶ Need::More ──…──▶ Need::Nothing: open, `leftover` belongs to the origin
//!                         │
//!                         ├──▶ Need::Reason: refused; the text of the refusal may still be arriving
//!                         └──▶ an error: refused, or not an answer of this protocol
//! ```
//!
//! The pipe calls `advance` after each read and writes `output` to the proxy, through the proxy's
//! TLS if there is one. When nothing more is needed, it hands `leftover` to the layer above and
//! drops the tunnel.
//!
//! To add a kind of proxy, implement this trait in a file beside `socks.rs`, add its error to
//! [`TunnelError`], and let `driver/connect.rs` make it for an arm of `policy::proxy::Protocol`.
//!
//! | method of [`Tunnel`] | `Connect` | `Socks` |
//! | --- | --- | --- |
//! | `advance` | a step of its exchange | each complete answer, one after the other |
//! | `refusal` | the status and the text so far | none: a refusal is complete with its code |
//! | `leftover` | the input of its exchange | what is left of its input |
//! | `discard_output` | abandons the request | drops the message |

use std::fmt;
use std::io;

use http::StatusCode;

use super::connect::ConnectError;
use super::socks::SocksError;
use crate::error::Kind;
use crate::http1::exchange::Ending;

/// A handshake on bytes until the tunnel is open. Bytes received after the proxy's last message belong to
/// the origin.
pub(crate) trait Tunnel: Send + Sync {
    /// Processes the input as far as possible.
    fn advance(&mut self) -> Result<Need, TunnelError>;

    /// Returns the reason why the proxy refuses, as far as it was received.
    fn refusal(&self) -> Option<TunnelError>;

    /// Returns the bytes after the proxy's last message.
    fn leftover(&self) -> &[u8];

    fn output(&self) -> &[u8];

    fn wrote(&mut self, count: usize);

    fn discard_output(&mut self);

    fn read_space(&mut self) -> &mut [u8];

    fn read(&mut self, count: usize);

    /// Appends bytes that were not read into the space, but decrypted.
    fn received(&mut self, bytes: &[u8]);

    /// Reports the end of the connection; the next step returns its result.
    fn read_eof(&mut self, ending: Ending);
}

/// Shows nothing of the handshake, which contains credentials.
impl fmt::Debug for dyn Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tunnel")
    }
}

/// The next need of a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// More bytes of the proxy.
    More,
    /// More, but only for a short time: the proxy has refused, and the reason is incomplete.
    Reason,
    /// Nothing: the tunnel is open.
    Nothing,
}

/// The reason why there is no tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TunnelError {
    Connect(ConnectError),
    Socks(SocksError),
}

impl TunnelError {
    /// A refusal, and any answer that is not SOCKS, are errors of the proxy (`Kind::Proxy`). An
    /// answer to CONNECT that breaks HTTP has the kind of that violation, as from an origin.
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

    /// Returns the status of an HTTP proxy's response.
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
