//! The one error type: what went wrong, in which phase, for which URL, and why.

use std::any::Any;
use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::io;

use http::StatusCode;
use http::header::{InvalidHeaderName, InvalidHeaderValue};

use crate::base::erased_box::Apart;
use crate::base::excerpt::Excerpt;
use crate::base::timings::Timings;
use crate::url::Url;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A cause whose type is erased: other crates' errors are no part of this crate's interface.
pub(crate) type Cause = Box<dyn StdError + Send + Sync>;

/// Why a request failed.
///
/// One word wide and opaque: ask [`kind`](Error::kind), [`phase`](Error::phase) or one of the
/// predicates. `Display` is one line that names what was tried, for which URL, and the cause:
///
/// ```text
/// connecting to 127.0.0.1:9 for http://127.0.0.1:9/: Connection refused (os error 111)
/// ```
///
/// Because that line holds the cause already, a reporter that also walks
/// [`source`](std::error::Error::source) prints it twice.
///
/// What may be in that line: URLs with their queries (see [`without_url`](Error::without_url)), but
/// never the password of one. Of a response only what was not understood, and only its beginning: a
/// status line, the name of a field, the value of `Content-Length` or `Transfer-Encoding`, a
/// `Location` that is no URL; the reason phrase of an error status; the text with which a proxy
/// refuses; what stands where JSON does not parse. No other value of a field, of a request or a response.
///
/// ```
/// let error = leanhttp::Url::parse("example.org").map(|_| ()).unwrap_err();
/// assert!(error.to_string().starts_with("relative URL"));
///
/// let error = leanhttp::get("example.org").unwrap_err();
/// assert!(error.is_builder());
/// ```
pub struct Error {
    /// Apart, because errors may be dropped nearly everywhere; in a box, so that it is one word.
    inner: Box<Apart<Inner>>,
}

struct Inner {
    kind: Kind,
    phase: Phase,
    /// Who was at the other end (`127.0.0.1:9`, a host name), where the phase has one.
    peer: Option<String>,
    /// The proxy, where there is one.
    via: Option<String>,
    url: Option<Url>,
    detail: Cow<'static, str>,
    cause: Option<Cause>,
    /// What else there is to say.
    notes: Vec<Cow<'static, str>>,
    status: Option<StatusCode>,
    /// What the server calls that status, if that is not the usual.
    reason: Option<Excerpt>,
    timings: Option<Box<Timings>>,
    /// The response that a status error, a failed upgrade or a redirect that was not followed is about,
    /// so that its body stays readable.
    response: Option<Box<dyn Any + Send + Sync>>,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// What the caller asked for cannot be sent: a malformed URL, header, body length…
    Builder,
    /// The host name has no address, or it could not be looked up.
    Resolve,
    /// No address of the host took the connection.
    Connect,
    /// The client's egress policy does not allow the address or the port.
    Denied,
    /// The proxy refused to make the way to the origin, or gave no answer that says so.
    Proxy,
    /// The TLS handshake failed, or a TLS record is invalid.
    Tls,
    /// A deadline passed; the line names which one and how long it was.
    Timeout,
    /// A [`CancelToken`](crate::CancelToken) ended the call.
    Cancelled,
    /// The connection failed while it was in use.
    Io,
    /// The peer sent something that is not HTTP/1.1.
    Protocol,
    /// The peer ended the response before its end.
    Truncated,
    /// A limit of this client was reached (head size, body size, ratio of a decoder).
    Limit,
    /// The request's body could not be produced as announced.
    Body,
    /// A redirect could not or must not be followed.
    Redirect,
    /// The response's status is an error and the caller asked for that to be one.
    Status,
    /// The server did not go over to another protocol.
    Upgrade,
    /// The response's body is not what its coding, charset or JSON parser expects.
    Decode,
}

/// What was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Checking what the caller asked for; nothing has been sent.
    Build,
    /// Looking up the host's addresses.
    Resolve,
    /// Waiting for one's turn, where a host takes only so many connections.
    Queue,
    /// Opening the connection.
    Connect,
    /// Asking the proxy for a way to the origin.
    Proxy,
    /// The TLS handshake.
    Handshake,
    /// Sending the request.
    Send,
    /// Waiting for and reading the response's head.
    Head,
    /// Reading the response's body.
    Body,
    /// Turning the body's bytes into what the caller asked for.
    Decode,
    /// Deciding on a redirect.
    Redirect,
    /// Judging the response's status.
    Status,
    /// Going over to another protocol, and speaking it.
    Upgrade,
}

/// Whose fault a failure is; see [`Error::fault`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The caller's request or request body.
    Caller,
    /// The peer broke a rule or answered with an error.
    Peer,
    /// The way there: names, routes, lost connections, deadlines.
    Network,
    /// A limit or policy of the client.
    Policy,
}

impl Error {
    pub(crate) fn new(kind: Kind, phase: Phase) -> Self {
        let inner = Inner {
            kind,
            phase,
            peer: None,
            via: None,
            url: None,
            detail: Cow::Borrowed(""),
            cause: None,
            notes: Vec::new(),
            status: None,
            reason: None,
            timings: None,
            response: None,
        };
        Self { inner: Box::new(Apart::new(inner)) }
    }

    pub(crate) fn too_many_fields(cause: impl Into<Cause>) -> Self {
        Self::builder("too many header fields").cause(cause)
    }

    /// A name or value that the crate `http` refuses, with the reason, which it does not tell.
    pub(crate) fn invalid_field(
        detail: impl Into<Cow<'static, str>>,
        cause: impl Into<http::Error>,
    ) -> Self {
        let cause = cause.into();
        let rule = match (cause.is::<InvalidHeaderName>(), cause.is::<InvalidHeaderValue>()) {
            (true, _) => Some(NAME_RULE),
            (_, true) => Some(VALUE_RULE),
            _ => None,
        };
        let mut error = Self::builder(detail).cause(cause);
        error.inner.notes.extend(rule.map(Cow::Borrowed));
        error
    }

    /// The caller's fault, found before anything was sent.
    pub(crate) fn builder(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Builder, Phase::Build).detail(detail)
    }

    pub(crate) fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.inner.detail = detail.into();
        self
    }

    pub(crate) fn cause(self, cause: impl Into<Cause>) -> Self {
        self.with_cause(cause.into())
    }

    /// Once in a program, and not once for each type of cause.
    #[inline(never)]
    fn with_cause(mut self, cause: Cause) -> Self {
        self.inner.cause = Some(cause);
        self
    }

    /// Says one more thing at the end of the line.
    pub(crate) fn note(mut self, note: impl Into<Cow<'static, str>>) -> Self {
        self.inner.notes.push(note.into());
        self
    }

    pub(crate) fn peer(mut self, peer: impl Into<String>) -> Self {
        self.inner.peer = Some(peer.into());
        self
    }

    /// The proxy that the connection goes to, without its credentials.
    pub(crate) fn via(mut self, proxy: &dyn fmt::Display) -> Self {
        self.inner.via = Some(proxy.to_string());
        self
    }

    /// The status with which a proxy refused, if it said one.
    pub(crate) fn refused_with(mut self, status: Option<StatusCode>) -> Self {
        self.inner.status = status;
        self
    }

    /// Keeps the response that it is about, so that its body can still be read.
    pub(crate) fn keeping(mut self, response: Box<dyn Any + Send + Sync>) -> Self {
        self.inner.response = Some(response);
        self
    }

    /// The status of the response that it is about.
    pub(crate) fn about(mut self, status: StatusCode) -> Self {
        self.inner.status = Some(status);
        self
    }

    /// `reason` is what the server calls the status.
    pub(crate) fn from_status(status: StatusCode, reason: &[u8]) -> Self {
        let usual = status.canonical_reason().unwrap_or_default();
        let mut error = Self::new(Kind::Status, Phase::Status).about(status);
        if !reason.is_empty() && reason != usual.as_bytes() {
            error.inner.reason = Some(Excerpt::bounded(reason, LONGEST_REASON));
        }
        error
    }

    /// There is an answer, and it is not `101 Switching Protocols`; it is kept.
    pub(crate) fn not_upgraded(status: StatusCode, response: Box<dyn Any + Send + Sync>) -> Self {
        let detail = format!("the server answered {status}");
        Self::new(Kind::Upgrade, Phase::Upgrade).detail(detail).about(status).keeping(response)
    }

    /// The response that was kept, if it is one of the front `R`.
    pub(crate) fn take_response<R: 'static>(&mut self) -> Option<R> {
        let kept = self.inner.response.take()?;
        match kept.downcast() {
            Ok(response) => Some(*response),
            Err(other) => {
                self.inner.response = Some(other);
                None
            }
        }
    }

    /// Adds the URL unless the error knows a closer one.
    pub(crate) fn for_url(mut self, url: &Url) -> Self {
        self.inner.url.get_or_insert_with(|| url.clone());
        self
    }

    pub(crate) fn timed(mut self, timings: Option<Box<Timings>>) -> Self {
        self.inner.timings = timings;
        self
    }

    /// Where the time went until a call failed; none if it failed before it began or in its body.
    pub fn timings(&self) -> Option<&Timings> {
        self.inner.timings.as_deref()
    }

    /// What went wrong.
    pub fn kind(&self) -> Kind {
        self.inner.kind
    }

    /// What was being done when it went wrong.
    pub fn phase(&self) -> Phase {
        self.inner.phase
    }

    /// Whose fault it is, as far as the client can tell.
    ///
    /// ```
    /// use leanhttp::error::Fault;
    /// assert_eq!(leanhttp::get("no url").unwrap_err().fault(), Fault::Caller);
    /// ```
    pub fn fault(&self) -> Fault {
        match self.inner.kind {
            Kind::Builder | Kind::Body | Kind::Cancelled => Fault::Caller,
            Kind::Tls | Kind::Protocol | Kind::Truncated => Fault::Peer,
            Kind::Status | Kind::Upgrade | Kind::Decode => Fault::Peer,
            Kind::Resolve | Kind::Connect | Kind::Proxy | Kind::Io | Kind::Timeout => {
                Fault::Network
            }
            Kind::Limit | Kind::Denied | Kind::Redirect => Fault::Policy,
        }
    }

    /// The URL it happened at; after redirects that of the failing hop.
    pub fn url(&self) -> Option<&Url> {
        self.inner.url.as_ref()
    }

    /// The URL, to be changed, for instance to remove a secret from its query.
    pub fn url_mut(&mut self) -> Option<&mut Url> {
        self.inner.url.as_mut()
    }

    /// The same error with another URL.
    pub fn with_url(mut self, url: Url) -> Self {
        self.inner.url = Some(url);
        self
    }

    /// The same error without its URL, for instance when the URL is a secret.
    pub fn without_url(mut self) -> Self {
        self.inner.url = None;
        self
    }

    /// The status of the response, for errors of `error_for_status` and `upgrade` and for redirects that
    /// were not followed ([`Kind::Redirect`]); or the status with which a proxy refused to make a tunnel
    /// ([`Kind::Proxy`]), such as 407.
    pub fn status(&self) -> Option<StatusCode> {
        self.inner.status
    }

    /// What the caller asked for cannot be sent; nothing was.
    pub fn is_builder(&self) -> bool {
        self.inner.kind == Kind::Builder
    }

    /// A redirect could not or must not be followed.
    pub fn is_redirect(&self) -> bool {
        self.inner.kind == Kind::Redirect
    }

    /// The error comes from `error_for_status`.
    pub fn is_status(&self) -> bool {
        self.inner.kind == Kind::Status
    }

    /// A deadline passed, whichever.
    pub fn is_timeout(&self) -> bool {
        self.inner.kind == Kind::Timeout
    }

    /// A [`CancelToken`](crate::CancelToken) ended the call.
    pub fn is_cancelled(&self) -> bool {
        self.inner.kind == Kind::Cancelled
    }

    /// It failed before a response's head was there, and not for the caller's fault:
    /// looking up, connecting, handshake, sending, waiting.
    pub fn is_request(&self) -> bool {
        let Inner { kind, phase, .. } = &**self.inner;
        let before_the_head = matches!(phase, Phase::Send | Phase::Head) || self.is_connect();
        before_the_head && *kind != Kind::Body
    }

    /// No connection could be made: none was free, or the name, the TCP connection, the proxy or
    /// the TLS handshake failed.
    pub fn is_connect(&self) -> bool {
        use Phase::{Connect, Handshake, Proxy, Queue, Resolve};
        matches!(self.inner.phase, Queue | Resolve | Connect | Proxy | Handshake)
    }

    /// The host's name could not be looked up.
    pub fn is_dns(&self) -> bool {
        self.inner.phase == Phase::Resolve
    }

    /// The request's body could not be sent or the response's body could not be read.
    pub fn is_body(&self) -> bool {
        self.inner.kind == Kind::Body || self.inner.phase == Phase::Body
    }

    /// The response's body could not be decoded (content coding, charset, JSON).
    pub fn is_decode(&self) -> bool {
        self.inner.kind == Kind::Decode
    }

    /// The server did not go over to another protocol.
    pub fn is_upgrade(&self) -> bool {
        self.inner.kind == Kind::Upgrade
    }

    /// The same as an error of a reader or a writer, of the kind that tells its callers most.
    pub(crate) fn into_io(self) -> io::Error {
        let cause = self.inner.cause.as_ref().and_then(|cause| cause.downcast_ref::<io::Error>());
        let kind = match self.inner.kind {
            Kind::Timeout => io::ErrorKind::TimedOut,
            Kind::Truncated => io::ErrorKind::UnexpectedEof,
            Kind::Protocol | Kind::Decode | Kind::Tls => io::ErrorKind::InvalidData,
            _ => cause.map_or(io::ErrorKind::Other, io::Error::kind),
        };
        io::Error::new(kind, self)
    }
}

/// RFC 9110 §5.6.2.
const NAME_RULE: &str =
    "letters, digits and !#$%&'*+-.^_`|~ may stand there, no space and no colon";

/// RFC 9110 §5.5.
const VALUE_RULE: &str = "the value holds a line break or another control character";

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = Line { f, empty: true };
        line.part(self.activity())?;
        line.part(&*self.inner.detail)?;
        if let Some(cause) = &self.inner.cause {
            line.part(one_line(&cause.to_string()))?;
        }
        self.inner.notes.iter().try_for_each(|note| {
            f.write_str("; ")?;
            write_seen(f, note)
        })
    }
}

impl Error {
    /// What was tried, on whom, for which URL.
    fn activity(&self) -> String {
        let Inner { kind, phase, peer, via, url, status, reason, .. } = &**self.inner;
        let peer = peer.as_deref().unwrap_or("the server");
        let what = match phase {
            Phase::Build => return String::new(),
            Phase::Resolve => format!("looking up {peer}"),
            Phase::Queue => format!("waiting for a connection to {peer}"),
            Phase::Connect => format!("connecting to {peer}"),
            Phase::Proxy => format!("asking for a tunnel to {peer}"),
            Phase::Handshake => format!("TLS handshake with {peer}"),
            Phase::Send => "sending the request".to_owned(),
            Phase::Head => "reading the response head".to_owned(),
            Phase::Body => "reading the response body".to_owned(),
            Phase::Decode => "decoding the response body".to_owned(),
            Phase::Redirect => "following a redirect".to_owned(),
            Phase::Status => status.map(|status| said(status, reason.as_ref())).unwrap_or_default(),
            Phase::Upgrade if *kind == Kind::Upgrade => "upgrading the connection".to_owned(),
            Phase::Upgrade => format!("speaking another protocol with {peer}"),
        };
        let url = url.as_ref().map(|url| format!(" for {}", url.redacted())).unwrap_or_default();
        let via = via.as_ref().map(|via| format!(" via the proxy {via}")).unwrap_or_default();
        what + &url + &via
    }
}

/// A status in the usual words, and in the server's.
fn said(status: StatusCode, reason: Option<&Excerpt>) -> String {
    let usual = status.canonical_reason().map(|usual| format!(" {usual}")).unwrap_or_default();
    let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    format!("{}{usual}{reason}", status.as_str())
}

/// How much of a reason phrase is shown.
const LONGEST_REASON: usize = 64;

/// The text of a cause, which is another crate's or the caller's and may be of any shape: beginning
/// and end of it, without line breaks.
fn one_line(text: &str) -> String {
    const START: usize = 240;
    const END: usize = 60;
    let count = text.chars().count();
    let left_out = if count > START + END { START..count - END } else { 0..0 };
    let mut line = String::new();
    for (at, c) in text.chars().enumerate() {
        if !left_out.contains(&at) {
            line.push(if c.is_control() { ' ' } else { c }); // others unseen: see `Line`
        } else if at == START {
            line.push('…');
        }
    }
    line
}

/// Joins the parts of the line with `: `.
struct Line<'a, 'b> {
    f: &'a mut fmt::Formatter<'b>,
    empty: bool,
}

impl Line<'_, '_> {
    fn part(&mut self, part: impl ToString) -> fmt::Result {
        let part = part.to_string();
        if part.is_empty() {
            return Ok(());
        }
        let separator = if self.empty { "" } else { ": " };
        self.empty = false;
        self.f.write_str(separator)?;
        write_seen(self.f, &part)
    }
}

/// Writes a text of which a peer may have written a part: the one place where what nobody sees is
/// escaped, so that no name, reason or cause can turn or hide what stands around it.
fn write_seen(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let mut rest = text;
    while let Some((at, unseen)) = rest.char_indices().find(|(_, c)| is_unseen(*c)) {
        let (seen, behind) = rest.split_at_checked(at).unwrap_or((rest, ""));
        write!(f, "{seen}{}", unseen.escape_unicode())?;
        rest = behind.strip_prefix(unseen).unwrap_or_default();
    }
    f.write_str(rest)
}

/// Controls, line separators, what sets the direction of writing, and all else that shows nothing
/// (Unicode: `Default_Ignorable_Code_Point`, `Bidi_Control`).
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.inner.kind)
            .field("phase", &self.inner.phase)
            .field("line", &self.to_string())
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner.cause.as_deref().map(|cause| cause as &(dyn StdError + 'static))
    }
}
