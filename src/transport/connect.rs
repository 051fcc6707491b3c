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
mod tests {
    use http::header::PROXY_AUTHORIZATION;

    use super::*;

    fn connect() -> Connect {
        Connect::new(&Limits::default(), "h.example:443", &HeaderMap::new(), None)
    }

    /// The outcome, and the bytes left for the tunnel.
    type Talk = (Result<Need, ConnectError>, Vec<u8>);

    fn talk<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, ending: Option<Ending>) -> Talk {
        let mut connect = connect();
        connect.wrote(connect.output().len());
        let mut outcome = connect.step();
        for piece in pieces {
            connect.received(piece);
            if matches!(outcome, Ok(Need::More | Need::Reason)) {
                outcome = connect.step();
            }
        }
        if let (Some(ending), Ok(Need::More | Need::Reason)) = (ending, &outcome) {
            connect.read_eof(ending);
            outcome = connect.step();
        }
        (outcome, connect.leftover().to_vec())
    }

    fn refused(status: u16, body: &str) -> Result<Need, ConnectError> {
        let status = StatusCode::from_u16(status).unwrap();
        Err(ConnectError::Refused(ProxyRefusal { status, body: body.into() }))
    }

    #[test]
    fn the_request_is_for_the_proxy() {
        let mut fields = HeaderMap::new();
        fields.insert(PROXY_AUTHORIZATION, HeaderValue::from_static("Basic x"));
        fields.insert(HOST, HeaderValue::from_static("ignored"));
        let connect = Connect::new(&Limits::default(), "[::1]:443", &fields, None);
        let expected =
            "CONNECT [::1]:443 HTTP/1.1\r\nhost: [::1]:443\r\nproxy-authorization: Basic x\r\n\r\n";
        assert_eq!(connect.output(), expected.as_bytes());
        assert!(!format!("{connect:?}").contains("Basic"));
    }

    /// RFC 9110 §9.3.6, RFC 9112 §6.3.
    #[test]
    fn n03_answers_at_every_split() {
        use ConnectError::Protocol;
        let long = "x".repeat(KEPT + 500);
        let bounded = "x".repeat(KEPT);
        let interim = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(17);
        let cases: [(&str, Talk); 14] = [
            ("HTTP/1.1 200 Connection established\r\n\r\n", (Ok(Need::Nothing), vec![])),
            ("HTTP/1.0 200 OK\r\n\r\n", (Ok(Need::Nothing), vec![])),
            ("HTTP/1.1 204 No Content\r\n\r\n", (Ok(Need::Nothing), vec![])),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                (Ok(Need::Nothing), b"hello".to_vec()),
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                (Ok(Need::Nothing), b"0\r\n\r\n".to_vec()),
            ),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", (Ok(Need::Nothing), vec![])),
            (
                "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 5\r\n\r\nhello",
                (refused(407, "hello"), vec![]),
            ),
            (
                "HTTP/1.1 502 Bad\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n3\r\npe!\r\n0\r\n\r\n",
                (refused(502, "nope!"), vec![]),
            ),
            (
                "HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n",
                (refused(302, ""), vec![]),
            ),
            ("HTTP/1.1 502 Bad Gateway\r\n\r\noops", (refused(502, "oops"), vec![])),
            ("HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\ncut", (refused(503, "cut"), vec![])),
            ("HTTP/1.1 101 Up\r\n\r\n", (Err(Protocol(ProtocolError::UnexpectedUpgrade)), vec![])),
            ("HTTP/1.1 200 OK\r\nHal", (Err(Protocol(ProtocolError::EofInHead)), vec![])),
            ("", (Err(Protocol(ProtocolError::EofBeforeResponse)), vec![])),
        ];
        let long = format!("HTTP/1.1 403 No\r\nContent-Length: 2000\r\n\r\n{long}");
        let long = (&*long, (refused(403, &bounded), vec![]));
        let flood = (&*interim, (Err(Protocol(ProtocolError::TooManyInterim(16))), vec![]));
        for (answer, (expected, tunnel)) in cases.into_iter().chain([long, flood]) {
            let bytes = answer.as_bytes();
            let splits =
                (0..=bytes.len()).map(|at| bytes.split_at(at)).map(|(one, two)| vec![one, two]);
            for pieces in splits.chain([bytes.chunks(1).collect()]) {
                let shape: Vec<_> = pieces.iter().map(|piece| piece.len()).take(3).collect();
                let (outcome, leftover) = talk(pieces, Some(Ending::Clean));
                assert_eq!(outcome, expected, "{answer:?} as {shape:?}");
                if outcome.is_ok() {
                    assert_eq!(leftover, tunnel, "{answer:?} as {shape:?}");
                }
            }
        }
    }

    #[test]
    fn n03_garbage_and_floods_are_refused() {
        let limits = Limits::default();
        let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(limits.max_head_bytes));
        for answer in ["SSH-2.0-x\r\n", "\x05\0", "HTTP/2 200\r\n\r\n", &endless] {
            let (outcome, _) = talk([answer.as_bytes()], None);
            assert!(matches!(outcome, Err(ConnectError::Protocol(_))), "{outcome:?}");
        }
    }

    /// A refusal does not depend on the end of its body: the driver waits for that only briefly.
    #[test]
    fn a_refusal_does_not_wait_for_its_body() {
        let mut connect = connect();
        connect.wrote(connect.output().len());
        connect.received(b"HTTP/1.1 403 No\r\nContent-Length: 9\r\n\r\nwh");
        assert_eq!(connect.step(), Ok(Need::Reason));
        let refusal = connect.refusal().unwrap();
        assert_eq!(Err(refusal.clone()), refused(403, "wh").map_err(TunnelError::from));
        assert_eq!(refusal.to_string(), "the proxy answered 403 Forbidden: wh");
    }

    #[test]
    fn a_refusal_is_one_line_of_text() {
        let shown = |body: &str| refused(407, body).unwrap_err().to_string();
        assert_eq!(shown(""), "the proxy answered 407 Proxy Authentication Required");
        assert_eq!(
            shown("<p>\r\n  Not\0you\u{1b}[0m\n</p>\r\n"),
            "the proxy answered 407 Proxy Authentication Required: <p> Not you [0m </p>"
        );
    }
}
