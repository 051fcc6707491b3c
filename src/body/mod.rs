//! Request bodies as data: bytes, sources that a runtime reads, or a sequence of both (a multipart form), and
//! the trailers after them. No I/O happens here, and no runtime is known.

// A `Body` is a list of `Segment`s and a position in it. The driver asks it to fill a buffer:
//
// ```text
//           feed(space)                          Filled(n): send n bytes of the space; 0 is the end
// driver ───────────────▶ Body ─┬──────────────▶
//    ▲                          └──────────────▶ Read: read this source once into this part of the space,
//    └────── fed(n) ◀─────────────────────────── then report the number of bytes with fed(n)
// ```
//
// `feed` copies byte segments, and stops at a source. So a small form with a file is one write, and a
// source of unknown length is read only into an empty space: bytes that are there never wait for it.
//
// The length of a source is checked while it is read (`SourceLength`): a source that ends early, or has
// more bytes than announced, is a `BodyError`, and the request ends in a way that no server takes as
// complete. RFC 9112 §6.2, §7.1: a body of known length has a `Content-Length`, any other is sent in chunks
// (`call/head.rs`).
//
// A body can be sent again (a redirect, a stale connection, a retry) if nothing of it was read yet, or if
// all of its sources rewind. A copy (`Body::try_clone`) is possible only of bytes.
//
// Read this file, then `trailers` (RFC 9110 §6.5) and `multipart` (RFC 7578). The sources of the runtimes
// are in `blocking/body.rs` and `tokio/body.rs`.
//
// The lengths of a source, and what happens at its end:
//
// | `SourceLength` | made for | fewer bytes | more bytes |
// | --- | --- | --- | --- |
// | `Unknown` | a reader without a length | the end | sent |
// | `Exactly` | a length that the caller announced | error | not read |
// | `AtLeast` | a file, by its size | error | not sent: the file grew |
// | `ToItsEnd` | bytes that an `http_body::Body` or a special file says to have | error | error |
//
// A multipart form with a text and a file of 5 bytes, in a space of 64 bytes:
//
//   segments   [bytes: "--b..text..--b.."][source, AtLeast(5)][bytes: "--b--"]
//   feed       copies 40 bytes, then asks: Read(source, into the next 5 bytes, holds_bytes: false)
//   fed(5)     the source has ended: the next segment
//   feed       copies 5 bytes: Filled(50), the whole form in one write
//
// `holds_bytes` tells the driver to send what is in the space if the source waits: only for a
// source that is still to give bytes of a known length, since any other is not asked while the
// space holds bytes.
//
// The requirements of a resend, by kind of body:
//
// | body | copied before the first attempt | rewound | sent again |
// | --- | --- | --- | --- |
// | bytes, a form of bytes | yes: `try_clone` shares them | | always |
// | a file, a seekable reader | no | to the position of the first read | if seeking works |
// | a reader | no | no | if nothing was read of it |
//
// Why segments and not a reader that chains them: a reader hides that most of a body is in memory,
// so the driver could neither send a small form in one write nor know that it can be sent again;
// and a chain of readers of the caller would have to be read in another way on each runtime.
//
// Invariants, and their tests: every segment comes out once and in order, at any size of space and
// reads, also after a rewind (`every_segment_comes_out_once_and_in_order`); announced lengths are kept, or
// it is an error (`announced_lengths_are_kept_or_it_is_an_error`); `Debug` shows no content.

#[cfg(feature = "multipart")]
pub mod multipart;
mod trailers;

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use http::header::{HeaderMap, HeaderValue};

use self::trailers::Trailers;

#[cfg(feature = "tower")]
pub(crate) use self::trailers::AwaitedTrailers;
pub(crate) use self::trailers::{ForbiddenTrailer, Presence};

/// The body of a request.
///
/// Made from bytes (`Vec<u8>`, `String`, `&'static str`, `Bytes` …), or from a reader, which is
/// streamed. Bytes, files and seekable readers (`rewindable`) can be sent again after a redirect, on
/// a stale connection, after an authentication challenge or for a
/// [`retry::Policy`](crate::policy::retry::Policy); any other reader can be sent once. A body of known
/// length is sent with `Content-Length`, any other in chunks.
///
/// ```
/// use leanhttp::blocking::Body;
///
/// let text = Body::from("exactly this");
/// assert_eq!(text.as_bytes(), Some(&b"exactly this"[..]));
///
/// let streamed = Body::new(std::io::empty());
/// assert_eq!(streamed.as_bytes(), None);
/// ```
pub struct Body<S: Source> {
    segments: Vec<Segment<S>>,
    /// The index of the segment that is being sent.
    at: usize,
    /// The number of bytes sent of that segment, if it is a byte segment.
    taken: usize,
    /// The number of bytes written to the current space.
    filled: usize,
    /// True if reading the body has begun.
    begun: bool,
    /// In a box, because a body is moved often and rarely has any.
    trailers: Option<Box<Trailers>>,
    watch: Option<Box<Observed>>,
}

/// A function that is told how much of a body was sent: the bytes so far, and all of them if that is known.
pub(crate) type UploadObserver = Arc<dyn Fn(u64, Option<u64>) + Send + Sync>;

/// An observer of one body, and what it was told.
#[derive(Clone)]
struct Observed {
    observer: UploadObserver,
    sent: u64,
    total: Option<u64>,
}

/// A part of a body.
pub(crate) enum Segment<S> {
    Bytes(Bytes),
    Source {
        source: S,
        length: SourceLength,
        /// The length that has not been read yet.
        left: SourceLength,
    },
}

/// The expected length of a source, and the check at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SourceLength {
    /// The source is read until it ends.
    Unknown,
    /// Exactly this many bytes are sent, and the source is not read further; fewer are an error.
    Exactly(u64),
    /// As `Exactly`, for a file, which never blocks for long and may grow.
    AtLeast(u64),
    /// As `Exactly`, and the source is read to its end; a single byte more is an error.
    #[cfg_attr(not(any(feature = "blocking", feature = "stream")), allow(dead_code))]
    ToItsEnd(u64),
}

/// A source whose length is not known yet but may be determined.
#[cfg(feature = "stream")]
pub(crate) struct Unmeasured<'a, S> {
    pub(crate) source: &'a mut S,
    length: &'a mut SourceLength,
    left: &'a mut SourceLength,
}

#[cfg(feature = "stream")]
impl<S> Unmeasured<'_, S> {
    /// Sets the number of bytes to send; the source is not read further.
    pub(crate) fn has(self, bytes: u64) {
        *self.length = SourceLength::AtLeast(bytes);
        *self.left = *self.length;
    }
}

/// The source of a streamed request body. The runtime reads it.
pub trait Source: Send + 'static {
    /// Returns whether the source can be read again from the position of its first read; not by default.
    ///
    /// # Errors
    ///
    /// The reason why it cannot.
    fn may_rewind(&self) -> Result<(), Unrewindable> {
        Err(Unrewindable::Stream)
    }

    /// Makes the next read start at the position of the first one. If the source cannot seek there, that
    /// read fails.
    fn rewind(&mut self) {}
}

/// The source of a runtime on which all bodies are bytes in memory.
impl Source for Infallible {}

/// The reason why a body cannot be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unrewindable {
    /// The source cannot seek.
    Stream,
    /// The source failed to report its position, for this reason.
    Unseekable(io::ErrorKind),
}

impl fmt::Display for Unrewindable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream => f.write_str("the body is a reader and cannot be sent again"),
            Self::Unseekable(reason) => {
                write!(f, "the body cannot be sent again: its reader cannot seek ({reason})")
            }
        }
    }
}

/// The next step that [`Body::feed`] asks for.
pub(crate) enum Feed<'a, S> {
    /// Send this many bytes of the space. Zero means that the body has ended.
    Filled(usize),
    /// Read this source once, then call [`Body::fed`].
    Read {
        source: &'a mut S,
        into: &'a mut [u8],
        /// True if the space has bytes that should not wait for the source: if a read would block, send
        /// them, see [`Body::take_filled`].
        holds_bytes: bool,
    },
}

/// A multipart body of unknown length.
#[derive(Debug)]
pub(crate) struct Unaccountable;

/// The length of the caller's reader differs from the announced one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// The reader ended this many bytes before the announced length.
    TooShort { missing: u64 },
    /// The reader has more bytes than announced.
    TooLong,
}

impl<S: Source> Body<S> {
    pub(crate) fn from_segment(segment: Segment<S>) -> Self {
        let segments = if segment.is_void() { Vec::new() } else { vec![segment] };
        Self { segments, ..Self::default() }
    }

    /// Creates a body of exactly `length` bytes, or of unknown length if it is `None`, from a source of your own
    /// runtime. The source is not read beyond the length; if it ends earlier, the call fails
    /// ([`Kind::Body`](crate::error::Kind::Body)).
    ///
    /// ```
    /// use leanhttp::body::Body;
    /// use leanhttp::runtime::Source;
    ///
    /// /// A stream of pieces.
    /// struct Pieces(Vec<Vec<u8>>);
    ///
    /// impl Source for Pieces {}
    ///
    /// let body = Body::streamed(Pieces(vec![b"one".to_vec(), b"two".to_vec()]), 6);
    /// assert_eq!(body.as_bytes(), None);
    /// ```
    #[cfg(feature = "runtime")]
    pub fn streamed(source: S, length: impl Into<Option<u64>>) -> Self {
        let length = length.into().map_or(SourceLength::Unknown, SourceLength::Exactly);
        Self::from_source(source, length)
    }

    pub(crate) fn from_source(source: S, length: SourceLength) -> Self {
        Self::from_segment(Segment::Source { source, length, left: length })
    }

    pub(crate) fn push(&mut self, segment: Segment<S>) {
        if !segment.is_void() {
            self.segments.push(segment);
        }
    }

    /// Appends another body.
    #[cfg(feature = "multipart")]
    pub(crate) fn append(&mut self, other: Self) {
        self.segments.extend(other.segments);
    }

    /// Returns the parts that are in memory.
    #[cfg(feature = "multipart")]
    pub(crate) fn known(&self) -> impl Iterator<Item = &Bytes> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Bytes(bytes) => Some(bytes),
            Segment::Source { .. } => None,
        })
    }

    /// Returns the body for another runtime. Fails if a part of it is read from a source.
    #[cfg(all(feature = "blocking", feature = "tokio"))]
    pub(crate) fn for_runtime<T: Source>(self) -> crate::error::Result<Body<T>> {
        let mut body = Body { trailers: self.trailers, ..Body::default() };
        for segment in self.segments {
            match segment {
                Segment::Bytes(bytes) => body.push(Segment::Bytes(bytes)),
                Segment::Source { .. } => {
                    return Err(crate::error::Error::builder(
                        "a body with a reader can be sent only by the client that it was made for",
                    ));
                }
            }
        }
        Ok(body)
    }

    /// Replaces the content by these bytes. The trailers stay.
    #[cfg_attr(not(any(feature = "blocking", feature = "tokio")), allow(dead_code))]
    pub(crate) fn set_bytes(&mut self, bytes: Bytes) {
        let trailers = self.trailers.take();
        *self = Self { trailers, ..bytes.into() };
    }

    /// Returns the bytes, if the body is made of bytes in one piece and not of a reader. A multipart form is in
    /// one piece only if it consists of short texts and bytes.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        let mut segments = self.segments.iter();
        match (segments.next(), segments.next()) {
            (None, _) => Some(&[]),
            (Some(Segment::Bytes(bytes)), None) => Some(bytes),
            _ => None,
        }
    }

    /// Returns the bytes that [`as_bytes`](Self::as_bytes) does, without a copy.
    #[cfg(feature = "export")]
    pub(crate) fn shared_bytes(&self) -> Option<Bytes> {
        match self.segments.first() {
            Some(Segment::Bytes(bytes)) if self.segments.len() == 1 => Some(bytes.clone()),
            None => Some(Bytes::new()),
            Some(_) => None,
        }
    }

    /// Sends these fields after the body (RFC 9110 §6.5). The body is then sent in chunks.
    ///
    /// Fields that a server needs before the body, such as `Content-Type` or `Authorization`, cause an
    /// error when the request is sent. The field `Trailer` announces the names. Values marked as
    /// sensitive are removed by a redirect to another origin, as in the head. Many servers ignore
    /// trailers.
    ///
    /// ```
    /// use leanhttp::{Client, blocking::Body, header::{HeaderMap, HeaderValue}};
    ///
    /// let mut trailers = HeaderMap::new();
    /// trailers.insert("x-checksum", HeaderValue::from_static("900150983cd24fb0"));
    /// let body = Body::from("abc").with_trailers(trailers);
    /// let request = Client::new().put("http://example.org/a").body(body).build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    #[must_use]
    pub fn with_trailers(mut self, trailers: HeaderMap) -> Self {
        self.trailers = Some(Box::new(Trailers::known(trailers)));
        self
    }

    /// Like [`with_trailers`](Self::with_trailers), for fields that are known only at the end of the
    /// body: `compute` is called then, and again each time the request is sent again.
    ///
    /// Set the request's field `Trailer` to announce the names to the server.
    #[must_use]
    pub fn with_trailers_from<C>(mut self, compute: C) -> Self
    where
        C: Fn() -> HeaderMap + Send + Sync + 'static,
    {
        self.trailers = Some(Box::new(Trailers::computed(compute)));
        self
    }

    /// Returns the length in bytes, if every part has a known length.
    pub(crate) fn length(&self) -> Option<u64> {
        self.segments.iter().try_fold(0_u64, |sum, segment| sum.checked_add(segment.length()?))
    }

    /// Returns the number of bytes that were not read yet, if every part has a known length.
    pub(crate) fn left(&self) -> Option<u64> {
        let mut segments = self.segments.iter().skip(self.at);
        let left = segments.try_fold(0_u64, |sum, segment| {
            sum.checked_add(match segment {
                Segment::Bytes(bytes) => u64::try_from(bytes.len()).ok()?,
                Segment::Source { left, .. } => left.announced()?,
            })
        });
        left?.checked_sub(u64::try_from(self.taken).ok()?)
    }

    /// Sets the length that the caller has announced, which the source must match. Fails for a body of
    /// several parts.
    pub(crate) fn announce(&mut self, announced: u64) -> Result<(), Unaccountable> {
        let mut segments = self.segments.iter_mut();
        match (segments.next(), segments.next()) {
            (Some(Segment::Source { length, left, .. }), None) => {
                *length = SourceLength::Exactly(announced);
                *left = *length;
                Ok(())
            }
            _ => Err(Unaccountable),
        }
    }

    /// Reads the sources to their end, to detect bytes beyond the announced length.
    pub(crate) fn read_to_its_end(&mut self) {
        for segment in &mut self.segments {
            if let Segment::Source { length, left, .. } = segment {
                if let SourceLength::Exactly(bytes) = *length {
                    *length = SourceLength::ToItsEnd(bytes);
                    *left = *length;
                }
            }
        }
    }

    /// Returns the sources of unknown length.
    #[cfg(feature = "stream")]
    pub(crate) fn unmeasured(&mut self) -> impl Iterator<Item = Unmeasured<'_, S>> {
        self.segments.iter_mut().filter_map(|segment| match segment {
            Segment::Source { source, length: length @ SourceLength::Unknown, left } => {
                Some(Unmeasured { source, length, left })
            }
            _ => None,
        })
    }

    /// Returns whether a part of the body must be read from a source, which may take time.
    pub(crate) fn has_source(&self) -> bool {
        self.segments.iter().any(|segment| matches!(segment, Segment::Source { .. }))
    }

    /// Returns whether the first read may block for long; reading a file never does.
    pub(crate) fn may_stall(&self) -> bool {
        let stalls = |segment: &Segment<_>| match segment {
            Segment::Bytes(_) => false,
            Segment::Source { length, .. } => !matches!(length, SourceLength::AtLeast(_)),
        };
        self.segments.iter().any(stalls)
    }

    /// Tells an observer from now on how much of the body was handed to the connection.
    pub(crate) fn observe(&mut self, observer: UploadObserver) {
        self.watch = Some(Box::new(Observed { observer, sent: 0, total: self.length() }));
    }

    /// Returns whether trailers follow the body.
    pub(crate) fn presence_of_trailers(&self) -> Presence {
        self.trailers.as_ref().map_or(Presence::No, |trailers| trailers.presence())
    }

    /// Sends the fields in `trailers` after the body, if it is sent in chunks.
    #[cfg(feature = "tower")]
    pub(crate) fn awaiting(mut self, trailers: Arc<AwaitedTrailers>) -> Self {
        self.trailers = Some(Box::new(Trailers::awaited(trailers)));
        self
    }

    /// Returns the trailers. Call it when the body has ended.
    pub(crate) fn trailers(&self) -> Result<Cow<'_, HeaderMap>, ForbiddenTrailer> {
        match &self.trailers {
            Some(trailers) => trailers.fields(),
            None => Ok(Cow::Owned(HeaderMap::new())),
        }
    }

    /// Returns the value of the field `Trailer`, if the trailers are known and allowed.
    pub(crate) fn announced_trailers(&self) -> Result<Option<HeaderValue>, ForbiddenTrailer> {
        self.trailers.as_ref().map_or(Ok(None), |trailers| trailers.announcement())
    }

    /// Removes fields with `strip` when the trailers are sent.
    pub(crate) fn strip_trailers(&mut self, strip: fn(&mut HeaderMap)) {
        if let Some(trailers) = &mut self.trailers {
            trailers.strip(strip);
        }
    }

    /// Returns whether no byte of the body has been read.
    pub(crate) fn is_whole(&self) -> bool {
        !self.begun
    }

    /// Checks that the whole body can be sent again: nothing has been [read](Self::is_whole), or its
    /// sources can be rewound.
    pub(crate) fn may_be_sent_again(&self) -> Result<(), Unrewindable> {
        if self.is_whole() {
            return Ok(());
        }
        let may_rewind = |segment: &Segment<_>| match segment {
            Segment::Bytes(_) => Ok(()),
            Segment::Source { source, .. } => S::may_rewind(source),
        };
        self.segments.iter().try_for_each(may_rewind)
    }

    /// Rewinds the body to its beginning.
    pub(crate) fn rewind(&mut self) -> Result<(), Unrewindable> {
        self.may_be_sent_again()?;
        if self.is_whole() {
            return Ok(());
        }
        for segment in &mut self.segments {
            if let Segment::Source { source, length, left } = segment {
                source.rewind();
                *left = *length;
            }
        }
        (self.at, self.taken, self.filled) = (0, 0, 0);
        self.begun = false;
        Ok(())
    }

    /// Returns a copy, if the body consists of bytes only.
    pub(crate) fn try_clone(&self) -> Option<Self> {
        let (trailers, watch) = (self.trailers.clone(), self.watch.clone());
        let mut copy = Self { trailers, watch, ..Self::default() };
        for segment in &self.segments {
            match segment {
                Segment::Bytes(bytes) => copy.push(Segment::Bytes(bytes.clone())),
                Segment::Source { .. } => return None,
            }
        }
        Some(copy)
    }

    /// Fills `space` until it is full or the body ends. Call it with the same space again after
    /// each [`Feed::Read`].
    ///
    /// A source of unknown length is read only into an empty space, so that no byte waits for the read.
    pub(crate) fn feed<'a>(&'a mut self, space: &'a mut [u8]) -> Feed<'a, S> {
        self.begin();
        self.copy_bytes(space);
        let Some(Segment::Source { source, left, .. }) = self.segments.get_mut(self.at) else {
            return Feed::Filled(handed_on(&mut self.filled, &mut self.watch));
        };
        let holds_bytes = self.filled > 0;
        // An empty slice would be read as the end of the source, so it is never passed on.
        let into = space.get_mut(self.filled..).and_then(|free| {
            let wanted = left.wanted(holds_bytes, free.len());
            free.get_mut(..wanted).filter(|into| !into.is_empty())
        });
        let Some(into) = into else {
            return Feed::Filled(handed_on(&mut self.filled, &mut self.watch));
        };
        let will_come = matches!(left, SourceLength::Exactly(1..) | SourceLength::ToItsEnd(1..));
        Feed::Read { source, into, holds_bytes: holds_bytes && will_come }
    }

    /// Copies bytes that are in memory and come next; returns their number. No source has to be read for
    /// them, so nothing is lost if the caller then waits for one and gives up.
    pub(crate) fn take_bytes(&mut self, space: &mut [u8]) -> usize {
        self.begin();
        self.copy_bytes(space);
        self.take_filled()
    }

    /// Takes the rest of the byte segment that comes next, if one does, without copying it.
    #[cfg(any(all(feature = "stream", feature = "multipart"), feature = "tower"))]
    pub(crate) fn take_segment(&mut self) -> Option<Bytes> {
        let Segment::Bytes(bytes) = self.segments.get(self.at)? else { return None };
        let mut rest = bytes.clone();
        rest.advance(self.taken.min(rest.len()));
        self.begun = true;
        (self.at, self.taken) = (self.at + 1, 0);
        Some(rest)
    }

    /// Returns whether nothing is left to be read, of content or trailers.
    #[cfg(feature = "tower")]
    pub(crate) fn is_at_end(&self) -> bool {
        self.at >= self.segments.len() && self.trailers.is_none()
    }

    /// Takes the trailers, when the content was read to its end.
    #[cfg(feature = "tower")]
    pub(crate) fn take_trailers(&mut self) -> Option<Result<HeaderMap, ForbiddenTrailer>> {
        let fields = self.trailers.take()?.fields().map(Cow::into_owned);
        Some(fields).filter(|fields| !matches!(fields, Ok(fields) if fields.is_empty()))
    }

    /// Returns the bytes written to the space so far, although it has room for more.
    pub(crate) fn take_filled(&mut self) -> usize {
        handed_on(&mut self.filled, &mut self.watch)
    }

    /// Notes that reading begins, from the first byte: after a rewind the observer is told so.
    fn begin(&mut self) {
        if self.begun {
            return;
        }
        self.begun = true;
        if let Some(watch) = &mut self.watch {
            watch.sent = 0;
            (watch.observer)(0, watch.total);
        }
    }

    /// Reports the number of bytes read from the source of [`Feed::Read`]; 0 means that it ended.
    pub(crate) fn fed(&mut self, count: usize) -> Result<(), BodyError> {
        let Some(Segment::Source { left, .. }) = self.segments.get_mut(self.at) else {
            return Ok(());
        };
        let has_ended = left.read(count)?;
        self.filled += count;
        self.at += usize::from(has_ended);
        Ok(())
    }

    /// Copies whole or partial byte segments into the space.
    fn copy_bytes(&mut self, space: &mut [u8]) {
        while let Some(Segment::Bytes(bytes)) = self.segments.get(self.at) {
            let (Some(free), Some(mut rest)) =
                (space.get_mut(self.filled..), bytes.get(self.taken..))
            else {
                debug_assert!(false, "the space is not the one of the last call");
                return;
            };
            let count = free.len().min(rest.len());
            rest.copy_to_slice(free.split_at_mut(count).0);
            self.filled += count;
            if !rest.is_empty() {
                self.taken += count;
                return;
            }
            self.at += 1;
            self.taken = 0;
        }
    }
}

/// Takes the number of bytes in the space, which are sent now, and tells the observer.
fn handed_on(filled: &mut usize, watch: &mut Option<Box<Observed>>) -> usize {
    let count = std::mem::take(filled);
    if let Some(watch) = watch {
        if count > 0 {
            watch.sent += count as u64;
            (watch.observer)(watch.sent, watch.total);
        }
    }
    count
}

impl<S> Segment<S> {
    /// Returns whether the segment has nothing to send and nothing to check.
    fn is_void(&self) -> bool {
        match self {
            Self::Bytes(bytes) => bytes.is_empty(),
            Self::Source { length, .. } => {
                matches!(length, SourceLength::Exactly(0) | SourceLength::AtLeast(0))
            }
        }
    }

    pub(crate) fn length(&self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => u64::try_from(bytes.len()).ok(),
            Self::Source { length, .. } => length.announced(),
        }
    }
}

impl SourceLength {
    /// Returns the length of a file with `left` bytes left. A file of size 0 may be a system file (Linux
    /// `/proc`) that does have content, so its end is checked: sending nothing silently would be wrong.
    #[cfg(any(feature = "blocking", all(feature = "multipart", feature = "stream")))]
    pub(crate) fn of_file(left: u64) -> Self {
        if left == 0 { Self::ToItsEnd(0) } else { Self::AtLeast(left) }
    }

    fn announced(self) -> Option<u64> {
        match self {
            Self::Unknown => None,
            Self::Exactly(length) | Self::AtLeast(length) | Self::ToItsEnd(length) => Some(length),
        }
    }

    /// Returns the number of bytes to request from the source; 0 means to send the filled space first.
    fn wanted(self, holds_bytes: bool, free: usize) -> usize {
        match self {
            Self::Unknown | Self::ToItsEnd(0) if holds_bytes => 0,
            Self::Unknown => free,
            Self::ToItsEnd(0) => free.min(1),
            Self::Exactly(length) | Self::AtLeast(length) | Self::ToItsEnd(length) => {
                usize::try_from(length).map_or(free, |length| length.min(free))
            }
        }
    }

    /// Records a read. Returns whether the source has ended.
    fn read(&mut self, count: usize) -> Result<bool, BodyError> {
        let count = u64::try_from(count).map_err(|_| BodyError::TooLong)?;
        match (*self, count) {
            (Self::Unknown | Self::ToItsEnd(0), 0) => Ok(true),
            (Self::Exactly(missing) | Self::AtLeast(missing) | Self::ToItsEnd(missing), 0) => {
                Err(BodyError::TooShort { missing })
            }
            (Self::Unknown, _) => Ok(false),
            (Self::ToItsEnd(length), _) => {
                *self = Self::ToItsEnd(length.checked_sub(count).ok_or(BodyError::TooLong)?);
                Ok(false)
            }
            (Self::Exactly(length) | Self::AtLeast(length), _) => {
                let left = length.checked_sub(count).ok_or(BodyError::TooLong)?;
                *self = match self {
                    Self::AtLeast(_) => Self::AtLeast(left),
                    _ => Self::Exactly(left),
                };
                Ok(left == 0)
            }
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { missing } => {
                write!(f, "the body ended {missing} bytes before its announced length")
            }
            Self::TooLong => f.write_str("the body is longer than its announced length"),
        }
    }
}

impl std::error::Error for BodyError {}

impl<S: Source> Default for Body<S> {
    fn default() -> Self {
        Self {
            segments: Vec::new(),
            at: 0,
            taken: 0,
            filled: 0,
            begun: false,
            trailers: None,
            watch: None,
        }
    }
}

/// Shows lengths, never content, which may be secret.
impl<S: Source> fmt::Debug for Body<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("length", &self.length())
            .field("replayable", &self.try_clone().is_some())
            .finish_non_exhaustive()
    }
}

impl<S: Source> From<Bytes> for Body<S> {
    fn from(bytes: Bytes) -> Self {
        Self::from_segment(Segment::Bytes(bytes))
    }
}

impl<S: Source> From<Vec<u8>> for Body<S> {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl<S: Source> From<String> for Body<S> {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl<S: Source> From<&'static [u8]> for Body<S> {
    fn from(bytes: &'static [u8]) -> Self {
        Bytes::from_static(bytes).into()
    }
}

impl<S: Source> From<&'static str> for Body<S> {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests;
