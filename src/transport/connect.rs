//! The CONNECT handshake with an HTTP proxy (RFC 9110 §9.3.6): one exchange, bounded like every other.
//!
//! A successful response has no body, regardless of its fields: the bytes after its head belong to the
//! tunnel. Any other response is a refusal, including a redirect. The beginning of its body is kept, because
//! proxies explain the reason there.
//!
//! ```text
//! client ─▶ proxy    CONNECT example.org:443 HTTP/1.1
//!                    host: example.org:443
//!                    user-agent: ...              the client's, unless the proxy's fields have one
//!                    proxy-authorization: ...     and all other fields meant for the proxy
//!
//! client ◀─ proxy    HTTP/1.1 200 ...             any 2xx: the next byte belongs to the origin
//!                or  HTTP/1.1 407 ...             a refusal, with up to 1 KiB of its body
//! ```
//!
//! Nothing of the caller's request is in these lines but the host and the port: no path, no cookie,
//! no field for the origin (`tests/proxy.rs`,
//! `r12_the_proxy_sees_host_and_port_and_the_origin_sees_no_login`).
//!
//! # Why an exchange
//!
//! A proxy is a peer like any other: it may send interim responses, endless fields, another
//! protocol or half a head. Instead of a small parser for "200 OK" this file runs an [`Exchange`],
//! whose answer to all of that is tested already (`n03_garbage_and_floods_are_refused`). Its
//! framing rule for CONNECT, in `http1/framing.rs`, ends the response at its head.
//!
//! # A refusal does not wait
//!
//! The body of a refusal is worth a sentence in the error, not a delay. After the head of a refusal
//! the step is [`Need::Reason`]: the driver reads on for a short time only and then takes what has
//! arrived (`a_refusal_does_not_wait_for_its_body` below, `tests/proxy.rs`,
//! `an_endless_refusal_is_cut_off`). Errors in that body are ignored: the status is known, and
//! explains more.
//!
//! # States
//!
//! ```text
//!                Step::Write, Step::Read               status 2xx
//! new ──▶ sends the request, reads a head ─────────────────────────▶ open: Need::Nothing
//!                    │      ▲                          any other
//!                    └ 1xx ─┘             └──▶ reads up to 1 KiB of its body: Need::Reason ──▶ Refused
//!                                              body complete, full or broken ───────────────────┘
//! ```
//!
//! `exchange` is in control of all of it; this file adds the refusal. The connection is not used
//! again after one: the attempt fails with the status of the proxy.

use std::fmt;

use http::header::{HOST, HeaderMap, HeaderValue, USER_AGENT};
use http::{Method, StatusCode, Version};

use super::tunnel::{Need, Tunnel, TunnelError};
use crate::base::buffer::Buffer;
use crate::http1::error::ProtocolError;
use crate::http1::exchange::{BodyStep, Ending, Exchange, Expectation, Outgoing, Step};
use crate::http1::limits::Limits;
use crate::http1::request_head::{FieldSink as _, HeadWriter};

/// The bytes kept of a refusal's body: a sentence or two, or enough of a page to recognize it.
const KEPT: usize = 1024;

/// The handshake, until the tunnel is open or refused.
pub(crate) struct Connect {
    exchange: Exchange,
    refusal: Option<ProxyRefusal>,
}

/// A response of the proxy that does not open a tunnel.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ProxyRefusal {
    pub(crate) status: StatusCode,
    /// The beginning of the response body.
    body: Vec<u8>,
}

/// The reason why there is no tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ConnectError {
    Refused(ProxyRefusal),
    /// The response is not HTTP/1.1, or exceeds a limit.
    Protocol(ProtocolError),
}

impl Connect {
    /// Asks for a tunnel to `authority` (`host:port`). `fields` are for the proxy; without a `User-Agent`
    /// among them, the client's is sent (RFC 9110 §10.1.5).
    pub(crate) fn new(
        limits: &Limits,
        authority: &str,
        fields: &HeaderMap,
        user_agent: Option<&HeaderValue>,
    ) -> Self {
        let user_agent = user_agent.filter(|_| !fields.contains_key(USER_AGENT));
        let mut exchange = Exchange::new(limits);
        exchange.start(Method::CONNECT, Outgoing::None, Expectation::None, |out| {
            write_head(out, authority, fields, user_agent);
        });
        Self { exchange, refusal: None }
    }

    /// Runs the exchange to its head. The bytes after the head of a 2xx stay in its input, as
    /// `leftover`.
    fn step(&mut self) -> Result<Need, ConnectError> {
        if self.refusal.is_some() {
            return self.read_refusal();
        }
        match self.exchange.step()? {
            Step::Head(head) if head.status.is_success() => Ok(Need::Nothing),
            Step::Head(head) => {
                self.refusal = Some(ProxyRefusal { status: head.status, body: Vec::new() });
                self.read_refusal()
            }
            _ => Ok(Need::More),
        }
    }

    /// Reads the beginning of the refusal's body. Errors in it are ignored.
    fn read_refusal(&mut self) -> Result<Need, ConnectError> {
        let Some(refusal) = &mut self.refusal else { return Ok(Need::More) };
        let mut piece = [0; KEPT];
        while let Some(room) = piece.get_mut(refusal.body.len()..).filter(|room| !room.is_empty()) {
            match self.exchange.read_body(room) {
                Ok(BodyStep::Data(count)) => {
                    refusal.body.extend_from_slice(room.split_at(count).0);
                }
                Ok(BodyStep::Read | BodyStep::Direct(_)) => return Ok(Need::Reason),
                Ok(BodyStep::End) | Err(_) => break,
            }
        }
        Err(ConnectError::Refused(refusal.clone()))
    }
}

impl Tunnel for Connect {
    fn advance(&mut self) -> Result<Need, TunnelError> {
        Ok(self.step()?)
    }

    fn refusal(&self) -> Option<TunnelError> {
        self.refusal.clone().map(|refusal| ConnectError::Refused(refusal).into())
    }

    fn leftover(&self) -> &[u8] {
        self.exchange.leftover()
    }

    fn output(&self) -> &[u8] {
        self.exchange.output()
    }

    fn wrote(&mut self, count: usize) {
        self.exchange.wrote(count);
    }

    fn discard_output(&mut self) {
        self.exchange.write_failed();
    }

    fn read_space(&mut self) -> &mut [u8] {
        self.exchange.read_space()
    }

    fn read(&mut self, count: usize) {
        self.exchange.read(count);
    }

    fn received(&mut self, bytes: &[u8]) {
        self.exchange.received(bytes);
    }

    fn read_eof(&mut self, ending: Ending) {
        self.exchange.read_eof(ending);
    }
}

fn write_head(
    out: &mut Buffer,
    authority: &str,
    fields: &HeaderMap,
    user_agent: Option<&HeaderValue>,
) {
    let mut head = HeadWriter::start(out, &Method::CONNECT, authority, Version::HTTP_11);
    head.host(authority);
    if let Some(user_agent) = user_agent {
        head.field(&USER_AGENT, user_agent);
    }
    // The caller cannot place another Host among the fields for the proxy: the one above is the
    // authority that is connected to, and a second one would be ambiguous (RFC 9112 §3.2).
    for (name, value) in fields.iter().filter(|(name, _)| *name != HOST) {
        head.field(name, value);
    }
    head.end();
}

impl From<ProtocolError> for ConnectError {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}

/// Shows the status, and the text of the body.
///
/// The body is the proxy's text and goes into an error that is one line: whitespace and control
/// characters between its words become one blank (`a_refusal_is_one_line_of_text`).
impl fmt::Display for ProxyRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the proxy answered {}", self.status)?;
        let text = String::from_utf8_lossy(&self.body);
        let words: Vec<_> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
        let mut words = words.into_iter().filter(|word| !word.is_empty()).peekable();
        if words.peek().is_some() {
            f.write_str(":")?;
        }
        words.try_for_each(|word| write!(f, " {word}"))
    }
}

impl fmt::Debug for ProxyRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Protocol(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ConnectError {}

/// Hides the request: it may contain a password.
impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect").field("refusal", &self.refusal).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
