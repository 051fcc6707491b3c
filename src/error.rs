//! The error type of the crate: its kind, its phase, its URL and its cause.

// For maintainers.
//
// Errors are made where something fails, with what is known there, and completed on the way up:
//
//   Error::new(kind, phase)     the machine or the driver: what went wrong, and while doing what
//     .detail / .cause          the text, or an error of a lower layer
//     .note                     a hint that helps: a wrong scheme, a setting to change
//     .peer / .via              `driver`: whom it spoke to, and through which proxy
//     .for_url                  `call`: the URL, without its password
//     .timed                    `client`: the timings, if they are recorded
//
// `kind` is for programs and `phase` says when; both are flat enums, since a program that handles
// errors asks few questions (try again? whose fault? a limit?), which the predicates and `Fault`
// answer. An enum with a variant and fields for each failure would make each of them part of the
// public API, and each new check a breaking change. The machines do have such enums
// (`ProtocolError`, `SocksError`, `TlsError`); their tests use them, and here they are causes.
//
// An `Error` may hold, besides its cause: the response that an error belongs to (a refused
// redirect, a failed upgrade), type-erased, since responses are generic over the runtime; the
// status of a response or of a proxy; timings. All of it is behind one pointer, because a `Result`
// is returned by every read.
//
// The line is the interface for people: one line, without control characters (`one_line`,
// `is_unseen`), with the URL and the cause. What it may show of a peer is listed at `Error`; the
// tests are in `tests/errors.rs` (`are_one_line`,
// `print_each_cause_once_in_error_reporters`) and, for secrets, in
// `tests/hostile_credentials.rs` and `tests/hostile_redirects.rs` (`r15_errors_show_no_secret`).

use std::any::Any;
use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use http::StatusCode;
use http::header::{InvalidHeaderName, InvalidHeaderValue};

use crate::base::text::Excerpt;
use crate::base::timings::Timings;
use crate::url::{ParseError, Url};

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A type-erased cause: the error types of other crates are not part of the public API.
pub(crate) type Cause = Box<dyn StdError + Send + Sync>;

/// The error of a request or response.
///
/// It is one pointer wide and opaque: call [`kind`](Error::kind), [`phase`](Error::phase) or one of the
/// predicates. `Display` is one line with the operation, its URL and the cause:
///
/// ```text
/// connecting to 127.0.0.1:9 for http://127.0.0.1:9/: Connection refused (os error 111)
/// ```
///
/// # Causes are printed once
///
/// The line includes the cause, because most programs print nothing else. So
/// [`source`](std::error::Error::source) begins after it, with the cause of the cause, and `anyhow`, `eyre` and
/// `tracing`, which print an error and then its sources, print each once.
/// [`get_ref`](Error::get_ref) returns the cause itself. `std::io::Error` does the same.
///
/// An [`io::Error`] is what programs look for among the sources, to decide by its kind whether to try again. So
/// it has a stand-in there: an `io::Error` of the same kind, whose text is the name of the kind. The original,
/// with its [`raw_os_error`](io::Error::raw_os_error), is what `get_ref` returns.
///
/// | printed by | for a refused connection |
/// | --- | --- |
/// | `{}`, `{:?}`, `tracing`'s `%error` and `?error` | `connecting to … : Connection refused (os error 111)` |
/// | `{:#}` of `anyhow` and `eyre` | the same line, then `: io::ErrorKind::ConnectionRefused` |
/// | `{:?}` of `anyhow` and `eyre`, `tracing`'s `&dyn Error` | the same line, then `io::ErrorKind::ConnectionRefused` as the only source |
/// | a loop over `source()` | the same line, then `io::ErrorKind::ConnectionRefused` |
///
/// # What the line shows
///
/// The line may contain URLs with their queries (see [`without_url`](Error::without_url)), but never
/// the password of one. Of a response it shows only the part that was not understood, and only its
/// beginning: a status line, the name of a field, the value of `Content-Length` or
/// `Transfer-Encoding`, a `Location` that is not a URL; the reason phrase of an error status; the text
/// with which a proxy refuses; the text at which JSON parsing fails; the media type of what should have been an
/// event stream. It shows no other field value
/// of a request or a response.
///
/// ```
/// let error = leanhttp::Url::parse("example.org").map(|_| ()).unwrap_err();
/// assert!(error.to_string().starts_with("relative URL"));
///
/// let error = leanhttp::get("example.org").unwrap_err();
/// assert!(error.is_builder());
/// ```
pub struct Error {
    /// Boxed, so that a `Result` is one pointer wide.
    inner: Box<Inner>,
}

struct Inner {
    kind: Kind,
    phase: Phase,
    /// The peer (`127.0.0.1:9`, a host name), where the phase has one.
    peer: Option<String>,
    /// The proxy, if one is used.
    via: Option<String>,
    url: Option<Url>,
    detail: Cow<'static, str>,
    cause: Option<ErrorCause>,
    /// The stand-in for an [`io::Error`] that the line shows, see [`IoKind`].
    io_kind: Option<io::Error>,
    /// Further sentences at the end of the line.
    notes: Vec<Cow<'static, str>>,
    status: Option<StatusCode>,
    /// The server's reason phrase, if it is not the usual one.
    reason: Option<Excerpt>,
    timings: Option<Box<Timings>>,
    /// The line of the body.
    line: Option<u64>,
    /// The response of a status error, of a failed upgrade or of a redirect that was not followed, so
    /// that its body can still be read.
    response: Option<Box<dyn Any + Send + Sync>>,
    /// The request of the last attempt, which is a type of a layer above.
    #[cfg(feature = "export")]
    sent: Option<Arc<dyn Any + Send + Sync>>,
}

/// The kind of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The request is invalid and cannot be sent: a malformed URL, header, body length…
    Builder,
    /// The host name has no address, or the lookup failed.
    Resolve,
    /// No address of the host accepted the connection.
    Connect,
    /// The client's egress policy denies the address or the port.
    Egress,
    /// The proxy refused to open a tunnel to the origin, or gave no valid answer.
    Proxy,
    /// The TLS handshake failed, or a TLS record is invalid.
    Tls,
    /// A timeout expired; the message names which one and its duration.
    Timeout,
    /// A [`CancelToken`](crate::CancelToken) ended the call.
    Cancelled,
    /// The connection failed while it was in use.
    Io,
    /// The peer sent something that is not HTTP/1.1.
    Protocol,
    /// The peer closed the connection before the end of the response.
    Truncated,
    /// A limit of this client was exceeded (head size, body size, decompression ratio).
    Limit,
    /// The request's body could not be produced as announced.
    Body,
    /// A redirect could not or must not be followed.
    Redirect,
    /// The response has an error status, and the caller asked for an error in that case.
    Status,
    /// The server did not switch to the requested protocol.
    Upgrade,
    /// The response body is invalid for its content coding, charset or JSON parser.
    Decode,
    /// A download is not the file that was expected: its digest or its size differs, or the server changed it.
    #[cfg(feature = "download")]
    Checksum,
    /// The file of a download could not be created, written or renamed; the cause is an [`io::Error`].
    #[cfg(feature = "download")]
    File,
    /// [Middleware](crate::middleware) of the program failed.
    #[cfg(feature = "middleware")]
    Middleware,
    /// In a test: no expectation of a [`Mock`](crate::testing::Mock) matches the request.
    #[cfg(feature = "testing")]
    Unexpected,
}

/// The phase in which an error occurred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Checking the request; nothing has been sent.
    Build,
    /// Looking up the host's addresses.
    Resolve,
    /// Waiting for a connection, where the number of connections is limited.
    Queue,
    /// Opening the connection.
    Connect,
    /// Asking the proxy for a tunnel to the origin.
    Proxy,
    /// The TLS handshake.
    Handshake,
    /// Sending the request.
    Send,
    /// Waiting for and reading the response's head.
    Head,
    /// Reading the response's body.
    Body,
    /// Converting the body's bytes to the type that the caller asked for.
    Decode,
    /// Deciding on a redirect.
    Redirect,
    /// Checking the response's status.
    Status,
    /// Switching to another protocol, and using it.
    Upgrade,
    /// Working with the file of a download.
    #[cfg(feature = "download")]
    File,
}

/// The party responsible for a failure; see [`Error::fault`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The caller's request or request body.
    Caller,
    /// The peer broke a rule of the protocol or answered with an error.
    Peer,
    /// The network: name lookup, routes, lost connections, timeouts.
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
            io_kind: None,
            notes: Vec::new(),
            status: None,
            reason: None,
            timings: None,
            line: None,
            response: None,
            #[cfg(feature = "export")]
            sent: None,
        };
        Self { inner: Box::new(inner) }
    }

    pub(crate) fn too_many_fields(cause: impl Into<Cause>) -> Self {
        Self::builder("too many header fields").cause(cause)
    }

    /// Reports a name or value that the crate `http` refuses, with the rule, which that crate omits.
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

    /// Creates an error in the request, found before anything was sent.
    pub(crate) fn builder(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Builder, Phase::Build).detail(detail)
    }

    /// Creates the error of middleware that failed by itself: of a token that cannot be had, or a signature that
    /// cannot be made. Its line has the cause; the URL is added by the call.
    ///
    /// ```
    /// let error = leanhttp::Error::middleware("the token has expired");
    /// assert_eq!(error.kind(), leanhttp::error::Kind::Middleware);
    /// ```
    #[cfg(feature = "middleware")]
    pub fn middleware(cause: impl Into<Cause>) -> Self {
        Self::new(Kind::Middleware, Phase::Build).detail("middleware").cause(cause)
    }

    /// Creates an error of that kind that a test wants, in the phase in which it usually occurs.
    #[cfg(feature = "testing")]
    pub(crate) fn forced(kind: Kind) -> Self {
        let phase = match kind {
            Kind::Builder => Phase::Build,
            Kind::Resolve => Phase::Resolve,
            Kind::Connect | Kind::Egress => Phase::Connect,
            Kind::Proxy => Phase::Proxy,
            Kind::Tls => Phase::Handshake,
            Kind::Body => Phase::Send,
            _ => Phase::Head,
        };
        Self::new(kind, phase).detail("a failure that the test has asked for")
    }

    /// Creates the error of a request that a HAR file does not answer.
    #[cfg(feature = "har")]
    pub(crate) fn replay(detail: String) -> Self {
        Self::new(Kind::Middleware, Phase::Build).detail(detail)
    }

    /// Creates the error of a request body whose source failed, or did not have the announced length.
    pub(crate) fn of_body(cause: io::Error) -> Self {
        Self::new(Kind::Body, Phase::Send).detail("request body").cause(cause)
    }

    pub(crate) fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.inner.detail = detail.into();
        self
    }

    pub(crate) fn cause(self, cause: impl Into<Cause>) -> Self {
        self.with_cause(cause.into())
    }

    /// Compiled once, not once for each type of cause.
    #[inline(never)]
    fn with_cause(mut self, cause: Cause) -> Self {
        let cause = match cause.downcast::<io::Error>() {
            Err(other) => ErrorCause::Other(other),
            Ok(error) => {
                let shared = Arc::new(*error);
                self.inner.io_kind = Some(IoKind::of(Arc::clone(&shared)));
                ErrorCause::Io(shared)
            }
        };
        self.inner.cause = Some(cause);
        self
    }

    /// Sets the source of an error whose detail tells several failures.
    pub(crate) fn among(mut self, failure: Option<io::Error>) -> Self {
        self.inner.io_kind = failure.map(|failure| IoKind::of(Arc::new(failure)));
        self
    }

    /// Appends a sentence to the line.
    pub(crate) fn note(mut self, note: impl Into<Cow<'static, str>>) -> Self {
        self.inner.notes.push(note.into());
        self
    }

    pub(crate) fn peer(mut self, peer: impl Into<String>) -> Self {
        self.inner.peer = Some(peer.into());
        self
    }

    /// Sets the proxy of the connection, shown without its credentials.
    pub(crate) fn via(mut self, proxy: &dyn fmt::Display) -> Self {
        self.inner.via = Some(proxy.to_string());
        self
    }

    /// Sets the status with which a proxy refused, if it sent one.
    pub(crate) fn refused_with(mut self, status: Option<StatusCode>) -> Self {
        self.inner.status = status;
        self.with_login_note()
    }

    /// Says what to do if the status is 407.
    fn with_login_note(self) -> Self {
        match self.inner.status {
            Some(StatusCode::PROXY_AUTHENTICATION_REQUIRED) => {
                self.note("the login is missing or wrong: `Proxy::basic_auth` sets it")
            }
            _ => self,
        }
    }

    /// Keeps the response, so that its body can still be read.
    pub(crate) fn keeping(mut self, response: Box<dyn Any + Send + Sync>) -> Self {
        self.inner.response = Some(response);
        self
    }

    /// Sets the status of the response.
    pub(crate) fn about(mut self, status: StatusCode) -> Self {
        self.inner.status = Some(status);
        self
    }

    /// Creates a status error; `reason` is the server's reason phrase.
    pub(crate) fn from_status(status: StatusCode, reason: &[u8]) -> Self {
        let usual = status.canonical_reason().unwrap_or_default();
        let mut error = Self::new(Kind::Status, Phase::Status).about(status);
        if !reason.is_empty() && reason != usual.as_bytes() {
            error.inner.reason = Some(Excerpt::bounded(reason, LONGEST_REASON));
        }
        error.with_login_note()
    }

    /// Creates an error for a response other than `101 Switching Protocols`, and keeps the response.
    pub(crate) fn not_upgraded(status: StatusCode, response: Box<dyn Any + Send + Sync>) -> Self {
        let detail = format!("the server answered {status}");
        Self::new(Kind::Upgrade, Phase::Upgrade).detail(detail).about(status).keeping(response)
    }

    /// Takes the kept response, if its type is `R`.
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

    /// Sets the URL, unless a more specific one is set already.
    pub(crate) fn for_url(mut self, url: &Url) -> Self {
        self.inner.url.get_or_insert_with(|| url.clone());
        self
    }

    pub(crate) fn timed(mut self, timings: Option<Box<Timings>>) -> Self {
        self.inner.timings = timings;
        self
    }

    /// Keeps the request of the last attempt, unless one is kept already.
    #[cfg(feature = "export")]
    pub(crate) fn after_sending(mut self, sent: Option<Arc<dyn Any + Send + Sync>>) -> Self {
        self.inner.sent = self.inner.sent.or(sent);
        self
    }

    /// Returns the request of the last attempt.
    #[cfg(feature = "export")]
    pub(crate) fn sent(&self) -> Option<&(dyn Any + Send + Sync)> {
        self.inner.sent.as_deref()
    }

    /// Sets the line of the body in which the error occurred.
    pub(crate) fn in_line(mut self, line: u64) -> Self {
        self.inner.line = Some(line);
        self
    }

    /// Returns the line of the body, counted from 1, at which reading it by
    /// [lines](crate::client::response::Response::lines), as
    /// [JSON lines](crate::guide::streams#json-lines) or as [events](crate::guide::streams#events) failed.
    ///
    /// ```
    /// # #[cfg(feature = "json")] {
    /// use leanhttp::blocking::Response;
    ///
    /// let made = http::Response::new("1\noops\n3\n");
    /// let mut numbers = Response::from(made).json_lines::<u32>();
    /// assert_eq!(numbers.next().unwrap().unwrap(), 1);
    /// assert_eq!(numbers.next().unwrap().unwrap_err().line_number(), Some(2));
    /// assert_eq!(numbers.next().unwrap().unwrap(), 3);
    /// # }
    /// ```
    pub fn line_number(&self) -> Option<u64> {
        self.inner.line
    }

    /// Returns the timings of the call until it failed; `None` if it failed before it began or in its body.
    pub fn timings(&self) -> Option<&Timings> {
        self.inner.timings.as_deref()
    }

    /// Returns the peer and the detail. A detail that is not fixed text may hold a secret.
    #[cfg(feature = "log")]
    pub(crate) fn peer_and_detail(&self) -> (Option<&str>, &Cow<'static, str>) {
        (self.inner.peer.as_deref(), &self.inner.detail)
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> Kind {
        self.inner.kind
    }

    /// Returns the phase in which the error occurred.
    pub fn phase(&self) -> Phase {
        self.inner.phase
    }

    /// Returns the party responsible, as far as the client can tell.
    ///
    /// ```
    /// use leanhttp::error::Fault;
    /// assert_eq!(leanhttp::get("no url").unwrap_err().fault(), Fault::Caller);
    /// ```
    pub fn fault(&self) -> Fault {
        match self.inner.kind {
            Kind::Builder | Kind::Body | Kind::Cancelled => Fault::Caller,
            #[cfg(feature = "middleware")]
            Kind::Middleware => Fault::Caller,
            #[cfg(feature = "testing")]
            Kind::Unexpected => Fault::Caller,
            #[cfg(feature = "download")]
            Kind::File => Fault::Caller,
            #[cfg(feature = "download")]
            Kind::Checksum => Fault::Peer,
            Kind::Tls | Kind::Protocol | Kind::Truncated => Fault::Peer,
            Kind::Status | Kind::Upgrade | Kind::Decode => Fault::Peer,
            Kind::Resolve | Kind::Connect | Kind::Proxy | Kind::Io | Kind::Timeout => {
                Fault::Network
            }
            Kind::Limit | Kind::Egress | Kind::Redirect => Fault::Policy,
        }
    }

    /// Returns the cause, such as the [`io::Error`] of a lost connection, to be downcast. `Display` shows it.
    ///
    /// ```
    /// use std::io;
    ///
    /// let error = leanhttp::get("http://127.0.0.1:0/").unwrap_err();
    /// let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<io::Error>());
    /// assert!(error.to_string().ends_with(&cause.unwrap().to_string()));
    /// ```
    pub fn get_ref(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        Some(match self.inner.cause.as_ref()? {
            ErrorCause::Io(error) => &**error,
            ErrorCause::Other(error) => &**error,
        })
    }

    /// Returns the URL of the failed request; after redirects, the URL of the hop that failed.
    pub fn url(&self) -> Option<&Url> {
        self.inner.url.as_ref()
    }

    /// Returns mutable access to the URL, for instance to remove a secret from its query.
    pub fn url_mut(&mut self) -> Option<&mut Url> {
        self.inner.url.as_mut()
    }

    /// Replaces the URL.
    pub fn with_url(mut self, url: Url) -> Self {
        self.inner.url = Some(url);
        self
    }

    /// Removes the URL, for instance if it is a secret.
    pub fn without_url(mut self) -> Self {
        self.inner.url = None;
        self
    }

    /// Returns the status of the response, for errors of `error_for_status` and `upgrade` and for
    /// redirects that were not followed ([`Kind::Redirect`]); or the status with which a proxy refused to
    /// open a tunnel ([`Kind::Proxy`]), such as 407.
    pub fn status(&self) -> Option<StatusCode> {
        self.inner.status
    }

    /// Returns whether the request was invalid and nothing was sent.
    pub fn is_builder(&self) -> bool {
        self.inner.kind == Kind::Builder
    }

    /// Returns whether a redirect could not or must not be followed.
    pub fn is_redirect(&self) -> bool {
        self.inner.kind == Kind::Redirect
    }

    /// Returns whether the error comes from `error_for_status`.
    pub fn is_status(&self) -> bool {
        self.inner.kind == Kind::Status
    }

    /// Returns whether a timeout expired, of any kind.
    pub fn is_timeout(&self) -> bool {
        self.inner.kind == Kind::Timeout
    }

    /// Returns whether a [`CancelToken`](crate::CancelToken) ended the call.
    pub fn is_cancelled(&self) -> bool {
        self.inner.kind == Kind::Cancelled
    }

    /// Returns whether [middleware](crate::middleware) of the program failed by itself.
    #[cfg(feature = "middleware")]
    pub fn is_middleware(&self) -> bool {
        self.inner.kind == Kind::Middleware
    }

    /// Returns whether the call failed before the head of a response was received, for a reason other
    /// than the caller's input: name lookup, connecting, handshake, sending, waiting.
    pub fn is_request(&self) -> bool {
        let Inner { kind, phase, .. } = &*self.inner;
        let before_the_head = matches!(phase, Phase::Send | Phase::Head) || self.is_connect();
        before_the_head && *kind != Kind::Body
    }

    /// Returns whether no connection could be established: none was free, or the name lookup, the TCP
    /// connection, the proxy or the TLS handshake failed.
    pub fn is_connect(&self) -> bool {
        use Phase::{Connect, Handshake, Proxy, Queue, Resolve};
        matches!(self.inner.phase, Queue | Resolve | Connect | Proxy | Handshake)
    }

    /// Returns whether the name lookup failed.
    pub fn is_dns(&self) -> bool {
        self.inner.phase == Phase::Resolve
    }

    /// Returns whether sending the request body or reading the response body failed.
    pub fn is_body(&self) -> bool {
        self.inner.kind == Kind::Body || self.inner.phase == Phase::Body
    }

    /// Returns whether decoding the response body failed (content coding, charset, JSON).
    pub fn is_decode(&self) -> bool {
        self.inner.kind == Kind::Decode
    }

    /// Returns whether a download is not the file that was expected: its digest or its size differs.
    #[cfg(feature = "download")]
    pub fn is_checksum(&self) -> bool {
        self.inner.kind == Kind::Checksum
    }

    /// Returns whether the file of a download could not be created, written or renamed. The text names its path.
    ///
    /// The cause is an [`io::Error`]: its kind tells a full disk from a missing directory.
    ///
    /// ```no_run
    /// # #[cfg(feature = "blocking")] {
    /// use std::io;
    ///
    /// let download = leanhttp::Client::new().get("https://example.org/large.iso").download();
    /// if let Err(error) = download.to_file("large.iso") {
    ///     let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<io::Error>());
    ///     let is_full = cause.is_some_and(|cause| cause.kind() == io::ErrorKind::StorageFull);
    /// }
    /// # }
    /// ```
    #[cfg(feature = "download")]
    pub fn is_file(&self) -> bool {
        self.inner.kind == Kind::File
    }

    /// Returns whether the server did not switch to the requested protocol.
    pub fn is_upgrade(&self) -> bool {
        self.inner.kind == Kind::Upgrade
    }

    /// Converts to an [`io::Error`] with the most specific `io::ErrorKind`, for readers and writers.
    pub(crate) fn into_io(self) -> io::Error {
        let cause = self.inner.io_kind.as_ref();
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
    "only letters, digits and !#$%&'*+-.^_`|~ are allowed, no space and no colon";

/// RFC 9110 §5.5.
const VALUE_RULE: &str = "the value holds a line break or another control character";

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = ErrorLine { f, empty: true };
        line.part(self.activity())?;
        line.part(&*self.inner.detail)?;
        if let Some(cause) = self.get_ref() {
            line.part(one_line(&cause.to_string()))?;
        }
        self.inner.notes.iter().try_for_each(|note| {
            f.write_str("; ")?;
            write_seen(f, note)
        })
    }
}

impl Error {
    /// Returns the operation, its peer and its URL.
    fn activity(&self) -> String {
        let Inner { kind, phase, peer, via, url, status, reason, .. } = &*self.inner;
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
            #[cfg(feature = "download")]
            Phase::File => "writing the file".to_owned(),
            Phase::Upgrade if *kind == Kind::Upgrade => "upgrading the connection".to_owned(),
            Phase::Upgrade => format!("using the upgraded connection to {peer}"),
        };
        let url = url.as_ref().map(|url| format!(" for {}", url.redacted())).unwrap_or_default();
        let via = via.as_ref().map(|via| format!(" via the proxy {via}")).unwrap_or_default();
        what + &url + &via
    }
}

/// Formats a status with its usual reason phrase and the server's.
fn said(status: StatusCode, reason: Option<&Excerpt>) -> String {
    let usual = status.canonical_reason().map(|usual| format!(" {usual}")).unwrap_or_default();
    let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    format!("{}{usual}{reason}", status.as_str())
}

/// The maximum number of bytes of a reason phrase that are shown.
const LONGEST_REASON: usize = 64;

/// Shortens the text of a cause to one line: its beginning and its end, without line breaks. It comes
/// from another crate or the caller and may have any shape.
fn one_line(text: &str) -> String {
    const START: usize = 240;
    const END: usize = 60;
    let count = text.chars().count();
    let left_out = if count > START + END { START..count - END } else { 0..0 };
    let mut line = String::new();
    for (at, c) in text.chars().enumerate() {
        if !left_out.contains(&at) {
            line.push(if c.is_control() { ' ' } else { c }); // `ErrorLine` escapes other invisible characters
        } else if at == START {
            line.push('…');
        }
    }
    line
}

/// Joins the parts of the line with `: `.
struct ErrorLine<'a, 'b> {
    f: &'a mut fmt::Formatter<'b>,
    empty: bool,
}

impl ErrorLine<'_, '_> {
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

/// Writes a text that may come from a peer. The only place where invisible characters are escaped, so
/// that no name, reason or cause can reorder or hide the text around it.
fn write_seen(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let mut rest = text;
    while let Some((at, unseen)) = rest.char_indices().find(|(_, c)| is_unseen(*c)) {
        let (seen, behind) = rest.split_at_checked(at).unwrap_or((rest, ""));
        write!(f, "{seen}{}", unseen.escape_unicode())?;
        rest = behind.strip_prefix(unseen).unwrap_or_default();
    }
    f.write_str(rest)
}

/// Returns whether a character is invisible: control characters, line separators, directional
/// formatting and ignorable characters (Unicode: `Default_Ignorable_Code_Point`, `Bidi_Control`).
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Shows the line that `Display` shows, so that `unwrap` and a `main` that returns the error explain
/// themselves; `{:#?}` shows the structure.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !f.alternate() {
            return fmt::Display::fmt(self, f);
        }
        f.debug_struct("Error")
            .field("kind", &self.inner.kind)
            .field("phase", &self.inner.phase)
            .field("line", &self.to_string())
            .finish_non_exhaustive()
    }
}

/// [`Display`](fmt::Display) shows the [cause](Error::get_ref), so the sources begin after it. For an [`io::Error`]
/// they begin with one of the same kind, by which programs decide what to do next, and whose text is only that
/// kind: see [`Error`](Error#causes-are-printed-once).
impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match (&self.inner.cause, &self.inner.io_kind) {
            (Some(ErrorCause::Other(cause)), _) => cause.source(),
            (_, Some(kind)) => Some(kind),
            (_, None) => None,
        }
    }
}

/// The cause of an error.
enum ErrorCause {
    /// Shared with its [`IoKind`].
    Io(Arc<io::Error>),
    Other(Cause),
}

/// The content of the [`io::Error`] among the sources, which has the kind of the cause and its sources, but
/// not its text: a reporter has printed that already.
struct IoKind(Arc<io::Error>);

impl IoKind {
    fn of(cause: Arc<io::Error>) -> io::Error {
        io::Error::new(cause.kind(), Self(cause))
    }
}

impl fmt::Display for IoKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "io::ErrorKind::{:?}", self.0.kind())
    }
}

impl fmt::Debug for IoKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for IoKind {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

/// Returns the error of an invalid URL, as it would be if a request had been begun with it.
///
/// ```
/// fn page(number: u32) -> leanhttp::Result<leanhttp::Url> {
///     let mut url = leanhttp::Url::parse("https://example.org/items")?;
///     url.query_pairs_mut().append_pair("page", &number.to_string());
///     Ok(url)
/// }
/// # page(1).unwrap();
/// ```
impl From<ParseError> for Error {
    fn from(error: ParseError) -> Self {
        Self::builder("URL").cause(error)
    }
}

/// Returns an [`io::Error`] that contains the whole error: of the kind of its cause, or of one that comes close,
/// such as `TimedOut`. Functions that return `io::Result` may use `?`.
///
/// ```
/// use std::io;
///
/// let error = io::Error::from(leanhttp::get("http://127.0.0.1:0/").unwrap_err());
/// let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<leanhttp::Error>());
/// assert!(inner.is_some_and(|inner| inner.is_connect()));
/// ```
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        error.into_io()
    }
}
