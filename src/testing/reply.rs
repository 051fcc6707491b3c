//! The reply of an in-memory server to a request: it sends a response, with faults if the test wants them, or
//! other bytes, or it fails.

use std::fmt;
use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};

use super::memory::wire::WireEnd;
use super::request::ReceivedRequest;
use crate::driver::failure::ForcedFailure;
use crate::error::{Error, Kind, Phase};

/// The answer of an in-memory server to one request, byte by byte through the real parser of the client.
///
/// ```
/// use leanhttp::testing::Reply;
/// use std::time::Duration;
///
/// let reply = Reply::ok("hello"); // complete
/// let late = Reply::status(503).header("retry-after", "60").delay(Duration::from_secs(2));
/// let cut = Reply::ok("hello").cut_after(3); // closes the connection after "hel"
/// let slow = Reply::ok("hello").drip(1, Duration::from_secs(1));
/// let garbage = Reply::raw("this is not HTTP\r\n\r\n");
/// ```
///
/// An `http::Response` whose body is bytes or text becomes a reply by itself. So does a `Result` whose error is a
/// [`Kind`] or an [`Error`]: the request fails with it.
#[must_use]
pub struct Reply {
    content: Content,
    delay: Duration,
    drip: Option<(usize, Duration)>,
    fault: Option<(usize, ReplyEnd)>,
    closes: bool,
}

enum Content {
    Response { status: StatusCode, headers: HeaderMap, body: Bytes, framing: ReplyFraming },
    Raw(Bytes),
    Failure(Error),
}

/// The way in which the end of the body is announced.
#[derive(Clone, Copy)]
enum ReplyFraming {
    Length,
    Chunked,
    UntilClose,
    /// A length that may be wrong.
    Claimed(u64),
}

/// The end of a reply, after its last byte.
#[derive(Clone, Copy)]
enum ReplyEnd {
    Close,
    Reset,
    /// Nothing ever comes.
    Stall,
}

/// A step of a reply: how long after the one before, and what then happens to the connection.
pub(super) enum ReplyStep {
    Bytes(Bytes),
    End(WireEnd),
}

impl Reply {
    /// Creates a reply with status 200 (OK) and this body.
    pub fn ok(body: impl Into<Bytes>) -> Self {
        Self::of(StatusCode::OK).body(body)
    }

    /// Creates a reply with this status, such as `404` or [`StatusCode::NOT_FOUND`], and an empty body. With a number
    /// outside of 100 to 999 the request fails.
    pub fn status<S>(status: S) -> Self
    where
        S: TryInto<StatusCode>,
        S::Error: Into<http::Error>,
    {
        match status.try_into() {
            Ok(status) => Self::of(status),
            Err(error) => {
                Error::builder("a reply has an invalid status").cause(error.into()).into()
            }
        }
    }

    /// Creates a reply with status 200 (OK) and a JSON body. A value that is not JSON becomes a failure.
    #[cfg(feature = "json")]
    #[cfg_attr(docsrs, doc(cfg(feature = "json")))]
    pub fn json<T: serde::Serialize + ?Sized>(value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self::ok(body).header("content-type", "application/json"),
            Err(error) => Error::builder("a reply cannot be written as JSON").cause(error).into(),
        }
    }

    /// Creates a reply of these very bytes, head included, after which the connection stays open. They need not be
    /// HTTP.
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self::with(Content::Raw(bytes.into()))
    }

    /// Closes the connection without a byte.
    pub fn close() -> Self {
        Self::raw("").cut_after(0)
    }

    /// Resets the connection without a byte.
    pub fn reset() -> Self {
        Self::raw("").reset_after(0)
    }

    /// Never sends a byte, and keeps the connection open.
    pub fn stall() -> Self {
        Self::raw("").stall_after(0)
    }

    /// Makes the attempt fail with an error of this kind, after the request was sent. The client does not send it
    /// again by itself, as it does after a lost connection; a retry policy decides by the error.
    pub fn fail(kind: Kind) -> Self {
        Error::forced(kind).into()
    }

    fn of(status: StatusCode) -> Self {
        Self::with(Content::Response {
            status,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            framing: ReplyFraming::Length,
        })
    }

    fn with(content: Content) -> Self {
        Self { content, delay: Duration::ZERO, drip: None, fault: None, closes: false }
    }
}

/// The parts of a response; they change nothing in a reply of raw bytes.
impl Reply {
    /// Adds a field. An invalid name or value makes the request fail, with the rule that it breaks.
    ///
    /// ```
    /// let reply = leanhttp::testing::Reply::status(302).header("location", "/elsewhere");
    /// ```
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName>,
        N::Error: Into<http::Error>,
        V: TryInto<HeaderValue>,
        V::Error: Into<http::Error>,
    {
        if let Content::Response { headers, .. } = &mut self.content {
            let name = name.try_into().map_err(Into::into);
            let field = name.and_then(|name| Ok((name, value.try_into().map_err(Into::into)?)));
            match field {
                Ok((name, value)) => drop(headers.append(name, value)),
                Err(error) => {
                    self.content = Content::Failure(Error::invalid_field(
                        "a reply has an invalid field",
                        error,
                    ));
                }
            }
        }
        self
    }

    /// Sets the body. Its length is announced in `Content-Length`, unless the reply says otherwise.
    pub fn body(mut self, new: impl Into<Bytes>) -> Self {
        if let Content::Response { body, .. } = &mut self.content {
            *body = new.into();
        }
        self
    }

    /// Sends the body with the chunked transfer coding, in one chunk, or in one for each piece of
    /// [`drip`](Self::drip).
    pub fn chunked(self) -> Self {
        self.framed(ReplyFraming::Chunked)
    }

    /// Sends the body without its length: it ends with the connection.
    pub fn until_close(mut self) -> Self {
        self.closes = true;
        self.framed(ReplyFraming::UntilClose)
    }

    /// Announces a length that the body need not have.
    pub fn claim_length(self, length: u64) -> Self {
        self.framed(ReplyFraming::Claimed(length))
    }

    fn framed(mut self, new: ReplyFraming) -> Self {
        if let Content::Response { framing, .. } = &mut self.content {
            *framing = new;
        }
        self
    }
}

/// Time and faults. The bytes that they count are those of the body, or of a raw reply all.
impl Reply {
    /// Waits before the first byte, on the clock of the network.
    pub fn delay(mut self, time: Duration) -> Self {
        self.delay = time;
        self
    }

    /// Sends the body in pieces of so many bytes (at least one), each that long after the one before.
    ///
    /// ```
    /// use leanhttp::testing::Reply;
    /// use std::time::Duration;
    ///
    /// let one_byte_a_minute = Reply::ok("slow").drip(1, Duration::from_secs(60));
    /// ```
    pub fn drip(mut self, bytes: usize, every: Duration) -> Self {
        self.drip = Some((bytes.max(1), every));
        self
    }

    /// Closes the connection after so many bytes.
    pub fn cut_after(mut self, bytes: usize) -> Self {
        self.fault = Some((bytes, ReplyEnd::Close));
        self
    }

    /// Resets the connection after so many bytes.
    pub fn reset_after(mut self, bytes: usize) -> Self {
        self.fault = Some((bytes, ReplyEnd::Reset));
        self
    }

    /// Sends nothing more after so many bytes, and keeps the connection open.
    pub fn stall_after(mut self, bytes: usize) -> Self {
        self.fault = Some((bytes, ReplyEnd::Stall));
        self
    }

    /// Closes the connection after the reply, without having announced it.
    pub fn then_close(mut self) -> Self {
        self.closes = true;
        self
    }
}

impl Reply {
    /// Returns whether the reply hands the connection over to another protocol.
    pub(super) fn is_upgrade(&self) -> bool {
        match &self.content {
            Content::Response { status, .. } => *status == StatusCode::SWITCHING_PROTOCOLS,
            Content::Raw(bytes) => bytes.starts_with(b"HTTP/1.1 101"),
            Content::Failure(_) => false,
        }
    }

    /// Returns what happens to the connection, each step with the time since the one before.
    pub(super) fn steps(self, method: &Method) -> Vec<(Duration, ReplyStep)> {
        let Self { content, delay, drip, fault, closes } = self;
        let (head, body, is_chunked) = match content {
            Content::Failure(error) => {
                let failure = io::Error::other(ForcedFailure(error));
                return vec![(delay, ReplyStep::End(WireEnd::Failure(Some(failure))))];
            }
            Content::Raw(bytes) => (Vec::new(), bytes, false),
            Content::Response { status, headers, body, framing } => {
                let has_none = *method == Method::HEAD || is_bodyless(status);
                let head = head(status, &headers, framing, body.len());
                let body = if has_none { Bytes::new() } else { body };
                let is_chunked = matches!(framing, ReplyFraming::Chunked) && !has_none;
                (head, body, is_chunked)
            }
        };
        let (sent, ending) = match fault {
            Some((count, ending)) => (body.slice(..count.min(body.len())), Some(ending)),
            None => (body, closes.then_some(ReplyEnd::Close)),
        };
        let mut steps = vec![(delay, ReplyStep::Bytes(head.into()))];
        let (size, every) = drip.unwrap_or((sent.len().max(1), Duration::ZERO));
        for piece in sent.chunks(size) {
            let piece = if is_chunked { chunk(piece) } else { piece.to_vec() };
            steps.push((every, ReplyStep::Bytes(piece.into())));
        }
        if is_chunked && fault.is_none() {
            steps.push((every, ReplyStep::Bytes(Bytes::from_static(b"0\r\n\r\n"))));
        }
        let end = match ending {
            Some(ReplyEnd::Close) => Some(WireEnd::Fin),
            Some(ReplyEnd::Reset) => Some(WireEnd::Reset),
            Some(ReplyEnd::Stall) | None => None,
        };
        steps.extend(end.map(|end| (Duration::ZERO, ReplyStep::End(end))));
        steps
    }
}

/// RFC 9110 §6.4.1.
fn is_bodyless(status: StatusCode) -> bool {
    status.is_informational()
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED
}

fn head(status: StatusCode, headers: &HeaderMap, framing: ReplyFraming, length: usize) -> Vec<u8> {
    let reason = status.canonical_reason().unwrap_or_default();
    let mut head = format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).into_bytes();
    for (name, value) in headers {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    let has = |name: HeaderName| headers.contains_key(name);
    let is_framed = has(header::CONTENT_LENGTH) || has(header::TRANSFER_ENCODING);
    let length = match framing {
        ReplyFraming::Length if is_framed || is_bodyless(status) => None,
        ReplyFraming::Length => Some(length as u64),
        ReplyFraming::Claimed(length) => Some(length),
        ReplyFraming::Chunked => {
            head.extend_from_slice(b"transfer-encoding: chunked\r\n");
            None
        }
        ReplyFraming::UntilClose => None,
    };
    if let Some(length) = length {
        let _ = write!(head, "content-length: {length}\r\n"); // writing to a Vec cannot fail
    }
    head.extend_from_slice(b"\r\n");
    head
}

fn chunk(piece: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat()
}

impl<B: Into<Bytes>> From<http::Response<B>> for Reply {
    fn from(response: http::Response<B>) -> Self {
        let (parts, body) = response.into_parts();
        Self::with(Content::Response {
            status: parts.status,
            headers: parts.headers,
            body: body.into(),
            framing: ReplyFraming::Length,
        })
    }
}

impl From<Error> for Reply {
    fn from(error: Error) -> Self {
        Self::with(Content::Failure(error))
    }
}

impl<A: Into<Reply>> From<Result<A, Kind>> for Reply {
    fn from(answer: Result<A, Kind>) -> Self {
        answer.map_or_else(Reply::fail, Into::into)
    }
}

impl<A: Into<Reply>> From<Result<A, Error>> for Reply {
    fn from(answer: Result<A, Error>) -> Self {
        answer.map_or_else(Reply::from, Into::into)
    }
}

/// A reply that fails is cloned with the kind and the text of its error, which itself cannot be cloned.
impl Clone for Reply {
    fn clone(&self) -> Self {
        let content = match &self.content {
            Content::Response { status, headers, body, framing } => Content::Response {
                status: *status,
                headers: headers.clone(),
                body: body.clone(),
                framing: *framing,
            },
            Content::Raw(bytes) => Content::Raw(bytes.clone()),
            Content::Failure(error) => {
                Content::Failure(Error::new(error.kind(), error.phase()).detail(error.to_string()))
            }
        };
        let Self { delay, drip, fault, closes, .. } = *self;
        Self { content, delay, drip, fault, closes }
    }
}

/// Shows no bytes, which may be secrets.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Content::Response { status, body, .. } => {
                write!(f, "Reply({}, {} bytes)", status.as_u16(), body.len())
            }
            Content::Raw(bytes) => write!(f, "Reply({} raw bytes)", bytes.len()),
            Content::Failure(error) => write!(f, "Reply({:?})", error.kind()),
        }
    }
}

/// Returns a function that answers with one reply after the other, for
/// [`answer_with`](crate::client::ClientBuilder::answer_with) and
/// [`MemoryNetwork::serve`](super::MemoryNetwork::serve). After the last one, requests fail with
/// [`Kind::Unexpected`].
///
/// ```
/// use leanhttp::testing::{Reply, in_turn};
/// use leanhttp::{Client, retry};
///
/// let client = Client::builder()
///     .answer_with(in_turn([Reply::status(503), Reply::ok("done")]))
///     .retry(retry::Policy::new())
///     .build()?;
/// assert_eq!(client.get("https://api.example/").send()?.text()?, "done");
/// # Ok::<(), leanhttp::Error>(())
/// ```
pub fn in_turn(
    replies: impl IntoIterator<Item = Reply>,
) -> impl Fn(&ReceivedRequest) -> Reply + Send + Sync + 'static {
    let replies: Vec<_> = replies.into_iter().collect();
    let count = replies.len();
    let left = Mutex::new(replies.into_iter());
    move |request| {
        let next = left.lock().unwrap_or_else(PoisonError::into_inner).next();
        next.unwrap_or_else(|| {
            let detail = format!(
                "in_turn has only {count} replies, and another request came: {} {}",
                request.method(),
                request.url().redacted()
            );
            Error::new(Kind::Unexpected, Phase::Head).detail(detail).into()
        })
    }
}
