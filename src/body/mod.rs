//! What is sent: bytes, readers, or a sequence of both (a multipart form), and in which order.
//!
//! A [`Body`] reads nothing itself: it fills a buffer as far as it can and
//! names the source that has to be read next; the front reads it and says how much came.

#[cfg(feature = "multipart")]
pub(crate) mod multipart;
mod source;
mod trailers;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderValue};

use self::trailers::{Computed, Known, Stripped, Trailers};

pub use self::source::{Source, Unrewindable};
#[cfg(feature = "tower")]
pub(crate) use self::trailers::Awaited;
pub(crate) use self::trailers::{ForbiddenTrailer, Presence};

/// The body of a request.
///
/// Made from bytes (`Vec<u8>`, `String`, `&'static str`, `Bytes` …), or from a reader, which is
/// streamed. Bytes, files and readers that can seek (`rewindable`) are sent again when a redirect, a
/// stale connection, a challenge or a [`retry::Policy`](crate::config::retry::Policy) asks for it; any other
/// reader can be sent once. A body whose length is known is sent with `Content-Length`, any other one
/// in chunks.
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
    /// The number of the segment that is being sent.
    at: usize,
    /// How many bytes of that segment, if it is made of bytes, were sent.
    taken: usize,
    /// Bytes put into the current space so far.
    filled: usize,
    progress: Progress,
    trailers: Option<Arc<dyn Trailers>>,
}

/// Whether any of a body was taken already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Untouched,
    Begun,
}

/// A piece of a body.
pub(crate) enum Segment<S> {
    Bytes(Bytes),
    Source {
        source: S,
        length: SourceLength,
        /// What is still to come of it.
        left: SourceLength,
    },
}

/// How much a source has to give, and what is checked at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SourceLength {
    /// Whatever comes until it ends.
    Unknown,
    /// This many bytes of it are sent (still), and it is not read further; fewer are an error.
    Exactly(u64),
    /// The same of a file, which has its bytes at once and may grow.
    AtLeast(u64),
    /// The same, and its end is read too; a single byte more is an error.
    #[cfg_attr(not(any(feature = "blocking", feature = "stream")), allow(dead_code))]
    ToItsEnd(u64),
}

/// A source that may be able to say how long it is.
#[cfg(feature = "stream")]
pub(crate) struct Unmeasured<'a, S> {
    pub(crate) source: &'a mut S,
    length: &'a mut SourceLength,
    left: &'a mut SourceLength,
}

#[cfg(feature = "stream")]
impl<S> Unmeasured<'_, S> {
    /// It is not read beyond so many bytes.
    pub(crate) fn has(self, bytes: u64) {
        *self.length = SourceLength::AtLeast(bytes);
        *self.left = *self.length;
    }
}

/// What [`Body::feed`] wants next.
pub(crate) enum Feed<'a, S> {
    /// This many bytes stand in the space: send them. None at all: the body has ended.
    Filled(usize),
    /// Read this source once, then say [`Body::fed`].
    Read {
        source: &'a mut S,
        into: &'a mut [u8],
        /// Whether the space holds bytes that should not wait for the source: if it has nothing yet, send
        /// them, see [`Body::take_filled`].
        holds_bytes: bool,
    },
}

/// A body of several parts whose length nobody knows.
#[derive(Debug)]
pub(crate) struct Unaccountable;

/// The caller's reader did not give what was announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// It ended this many bytes before the announced length.
    TooShort { missing: u64 },
    /// It has more bytes than announced.
    TooLong,
}

impl<S: Source> Body<S> {
    pub(crate) fn empty() -> Self {
        Self {
            segments: Vec::new(),
            at: 0,
            taken: 0,
            filled: 0,
            progress: Progress::Untouched,
            trailers: None,
        }
    }

    pub(crate) fn from_segment(segment: Segment<S>) -> Self {
        let mut body = Self::empty();
        body.push(segment);
        body
    }

    pub(crate) fn from_source(source: S, length: SourceLength) -> Self {
        Self::from_segment(Segment::Source { source, length, left: length })
    }

    pub(crate) fn push(&mut self, segment: Segment<S>) {
        if !segment.is_void() {
            self.segments.push(segment);
        }
    }

    /// What another body has goes behind what this one has.
    #[cfg(feature = "multipart")]
    pub(crate) fn append(&mut self, other: Self) {
        self.segments.extend(other.segments);
    }

    /// What stands in memory, piece by piece.
    #[cfg(feature = "multipart")]
    pub(crate) fn known(&self) -> impl Iterator<Item = &Bytes> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Bytes(bytes) => Some(bytes),
            Segment::Source { .. } => None,
        })
    }

    /// The bytes, if the body is made of bytes and not of a reader; a multipart form is not one
    /// piece and so has none.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        let mut segments = self.segments.iter();
        match (segments.next(), segments.next()) {
            (None, _) => Some(&[]),
            (Some(Segment::Bytes(bytes)), None) => Some(bytes),
            _ => None,
        }
    }

    /// Sends these fields after the body (RFC 9110 §6.5), which is sent in chunks then.
    ///
    /// Fields that a server needs before the body, such as `Content-Type` or `Authorization`, are
    /// an error when the request is sent. The names are announced in the field `Trailer`. Values
    /// marked sensitive stay with their origin, as those in front of the body do. Whether a server
    /// looks at trailers is its own affair; many drop them.
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
        self.trailers = Some(Arc::new(Known(trailers)));
        self
    }

    /// As [`with_trailers`](Self::with_trailers), for what is known only when the body was read to
    /// its end: `compute` is called then, and again if the request has to be sent again.
    ///
    /// What a server should expect may be said in a field `Trailer` of the request.
    #[must_use]
    pub fn with_trailers_from<C>(mut self, compute: C) -> Self
    where
        C: Fn() -> HeaderMap + Send + Sync + 'static,
    {
        self.trailers = Some(Arc::new(Computed(compute)));
        self
    }

    /// The number of bytes, if every part of the body knows its own.
    pub(crate) fn length(&self) -> Option<u64> {
        self.segments.iter().try_fold(0_u64, |sum, segment| sum.checked_add(segment.length()?))
    }

    /// The caller said how long the body is: its source has to keep to that. Among several parts
    /// there is none that could.
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

    /// Something may come behind the bytes of its sources.
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

    /// The sources of unknown length.
    #[cfg(feature = "stream")]
    pub(crate) fn unmeasured(&mut self) -> impl Iterator<Item = Unmeasured<'_, S>> {
        self.segments.iter_mut().filter_map(|segment| match segment {
            Segment::Source { source, length: length @ SourceLength::Unknown, left } => {
                Some(Unmeasured { source, length, left })
            }
            _ => None,
        })
    }

    /// Whether any part of it has to be read first, which may take its time.
    pub(crate) fn has_source(&self) -> bool {
        self.segments.iter().any(|segment| matches!(segment, Segment::Source { .. }))
    }

    /// Whether nobody knows how long its first bytes take; a file has them at once.
    pub(crate) fn may_stall(&self) -> bool {
        let stalls = |segment: &Segment<_>| match segment {
            Segment::Bytes(_) => false,
            Segment::Source { length, .. } => !matches!(length, SourceLength::AtLeast(_)),
        };
        self.segments.iter().any(stalls)
    }

    /// Whether something comes after the body.
    pub(crate) fn presence_of_trailers(&self) -> Presence {
        self.trailers.as_ref().map_or(Presence::No, |trailers| trailers.presence())
    }

    /// Sends what has come by its end after the body, if it goes out in chunks.
    #[cfg(feature = "tower")]
    pub(crate) fn awaiting(mut self, trailers: Arc<Awaited>) -> Self {
        self.trailers = Some(trailers);
        self
    }

    /// What comes after the body, now that it has ended.
    pub(crate) fn trailers(&self) -> Result<Cow<'_, HeaderMap>, ForbiddenTrailer> {
        match &self.trailers {
            Some(trailers) => trailers.fields(),
            None => Ok(Cow::Owned(HeaderMap::new())),
        }
    }

    /// The field `Trailer`, if the trailers are known and can be sent.
    pub(crate) fn announced_trailers(&self) -> Result<Option<HeaderValue>, ForbiddenTrailer> {
        self.trailers.as_ref().map_or(Ok(None), |trailers| trailers.announcement())
    }

    /// Has `strip` take out what is not to be sent, whenever the trailers are known.
    pub(crate) fn strip_trailers(&mut self, strip: fn(&mut HeaderMap)) {
        if let Some(trailers) = self.trailers.take() {
            self.trailers = Some(Arc::new(Stripped { trailers, strip }));
        }
    }

    /// Whether all of it can still be sent.
    pub(crate) fn is_whole(&self) -> bool {
        self.progress == Progress::Untouched
    }

    /// Whether all of it can be sent once more: it is [whole](Self::is_whole), or what was sent of it can
    /// be had again.
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

    /// Begins again.
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
        self.progress = Progress::Untouched;
        Ok(())
    }

    /// A copy, if the body is made of bytes only.
    pub(crate) fn try_clone(&self) -> Option<Self> {
        let mut copy = Self::empty();
        copy.trailers.clone_from(&self.trailers);
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
    /// A source of unknown length is read only into an empty space, so that no byte waits for it.
    pub(crate) fn feed<'a>(&'a mut self, space: &'a mut [u8]) -> Feed<'a, S> {
        self.progress = Progress::Begun;
        self.copy_bytes(space);
        let free = space.get_mut(self.filled..).unwrap_or_default();
        let Some(Segment::Source { source, left, .. }) = self.segments.get_mut(self.at) else {
            return Feed::Filled(std::mem::take(&mut self.filled));
        };
        match left.wanted(self.filled, free.len()) {
            0 => Feed::Filled(std::mem::take(&mut self.filled)),
            wanted => Feed::Read {
                source,
                into: free.get_mut(..wanted).unwrap_or_default(),
                holds_bytes: self.filled > 0
                    && matches!(left, SourceLength::Exactly(1..) | SourceLength::ToItsEnd(1..)),
            },
        }
    }

    /// Hands over what stands in the space although there is room for more.
    pub(crate) fn take_filled(&mut self) -> usize {
        std::mem::take(&mut self.filled)
    }

    /// The source that [`Feed::Read`] named gave this many bytes; 0 is its end.
    pub(crate) fn fed(&mut self, count: usize) -> Result<(), BodyError> {
        let Some(Segment::Source { left, .. }) = self.segments.get_mut(self.at) else {
            return Ok(());
        };
        let source = left.read(count)?;
        self.filled += count;
        if source == SourceState::Ended {
            self.at += 1;
        }
        Ok(())
    }

    /// Copies whole or partial byte segments into the space.
    fn copy_bytes(&mut self, space: &mut [u8]) {
        while let Some(Segment::Bytes(bytes)) = self.segments.get(self.at) {
            let room = space.get_mut(self.filled..).unwrap_or_default();
            let rest = bytes.get(self.taken..).unwrap_or_default();
            let count = room.len().min(rest.len());
            if let (Some(room), Some(piece)) = (room.get_mut(..count), rest.get(..count)) {
                room.copy_from_slice(piece);
            }
            self.filled += count;
            if count < rest.len() {
                self.taken += count;
                return;
            }
            self.at += 1;
            self.taken = 0;
        }
    }
}

impl<S> Segment<S> {
    /// Nothing to send and nothing to check.
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

#[derive(PartialEq, Eq)]
enum SourceState {
    More,
    Ended,
}

impl SourceLength {
    /// Of a file with so many bytes left. One that says none may be one of the system's (Linux' `/proc`)
    /// that has some all the same: to send nothing of it without a word would be wrong.
    #[cfg_attr(not(any(feature = "blocking", feature = "stream")), allow(dead_code))]
    pub(crate) fn of_file(left: u64) -> Self {
        if left == 0 { Self::ToItsEnd(0) } else { Self::AtLeast(left) }
    }

    fn announced(self) -> Option<u64> {
        match self {
            Self::Unknown => None,
            Self::Exactly(length) | Self::AtLeast(length) | Self::ToItsEnd(length) => Some(length),
        }
    }

    /// How many bytes to ask the source for; 0: send what is there first.
    fn wanted(self, filled: usize, free: usize) -> usize {
        match self {
            Self::Unknown if filled > 0 => 0,
            Self::Unknown => free,
            Self::ToItsEnd(0) if filled > 0 => 0,
            Self::ToItsEnd(0) => free.min(1),
            Self::Exactly(length) | Self::AtLeast(length) | Self::ToItsEnd(length) => {
                usize::try_from(length).map_or(free, |length| length.min(free))
            }
        }
    }

    /// Takes note of a read.
    fn read(&mut self, count: usize) -> Result<SourceState, BodyError> {
        let count = u64::try_from(count).map_err(|_| BodyError::TooLong)?;
        match (*self, count) {
            (Self::Unknown | Self::ToItsEnd(0), 0) => Ok(SourceState::Ended),
            (Self::Exactly(missing) | Self::AtLeast(missing) | Self::ToItsEnd(missing), 0) => {
                Err(BodyError::TooShort { missing })
            }
            (Self::Unknown, _) => Ok(SourceState::More),
            (Self::ToItsEnd(length), _) => {
                *self = Self::ToItsEnd(length.checked_sub(count).ok_or(BodyError::TooLong)?);
                Ok(SourceState::More)
            }
            (Self::Exactly(length) | Self::AtLeast(length), _) => {
                let left = length.checked_sub(count).ok_or(BodyError::TooLong)?;
                *self = match self {
                    Self::AtLeast(_) => Self::AtLeast(left),
                    _ => Self::Exactly(left),
                };
                Ok(if left == 0 { SourceState::Ended } else { SourceState::More })
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
        Self::empty()
    }
}

/// Says how much there is, never what.
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    impl Source for Given {
        fn may_rewind(&self) -> Result<(), Unrewindable> {
            if self.is_stream { Err(Unrewindable::Stream) } else { Ok(()) }
        }

        fn rewind(&mut self) {
            self.at = 0;
        }
    }

    struct Given {
        bytes: Vec<u8>,
        at: usize,
        is_stream: bool,
    }

    impl Given {
        fn read(&mut self, into: &mut [u8], step: usize) -> usize {
            let rest = &self.bytes[self.at..];
            let count = into.len().min(step).min(rest.len());
            into[..count].copy_from_slice(&rest[..count]);
            self.at += count;
            count
        }
    }

    fn source(bytes: &[u8], length: SourceLength) -> Segment<Given> {
        let source = Given { bytes: bytes.to_vec(), at: 0, is_stream: false };
        Segment::Source { source, length, left: length }
    }

    /// Drives a body to its end; each source gives at most `step` bytes a read.
    fn drain(mut body: Body<Given>, space: usize, step: usize) -> Result<Vec<Vec<u8>>, BodyError> {
        pieces(&mut body, space, step, usize::MAX)
    }

    /// The same, of at most so many steps.
    fn pieces(
        body: &mut Body<Given>,
        space: usize,
        step: usize,
        steps: usize,
    ) -> Result<Vec<Vec<u8>>, BodyError> {
        let (mut pieces, mut memory) = (Vec::new(), vec![0; space]);
        for _ in 0..steps {
            let count = match body.feed(&mut memory) {
                Feed::Filled(0) => return Ok(pieces),
                Feed::Filled(count) => {
                    pieces.push(memory[..count].to_vec());
                    continue;
                }
                Feed::Read { source, into, .. } => source.read(into, step),
            };
            body.fed(count)?;
        }
        Ok(pieces)
    }

    /// Bytes are always there again; one reader that only goes forward is enough to make it impossible,
    /// once anything was taken.
    #[test]
    fn what_was_taken_of_a_stream_is_gone() {
        let mut body = Body::<Given>::from("bytes");
        let stream = Given { bytes: b"stream".to_vec(), at: 0, is_stream: true };
        let length = SourceLength::Unknown;
        body.push(Segment::Source { source: stream, length, left: length });
        assert_eq!((body.may_be_sent_again(), body.rewind()), (Ok(()), Ok(())));
        let _ = pieces(&mut body, 9, 1, 1);
        let refused = Err(Unrewindable::Stream);
        assert_eq!((body.may_be_sent_again(), body.rewind()), (refused, refused));
    }

    #[test]
    fn a_small_mixed_body_is_one_piece() {
        let mut body = Body::<Given>::from("head ");
        body.push(source(b"file", SourceLength::Exactly(4)));
        body.push(Segment::Bytes(Bytes::from_static(b" tail")));
        assert_eq!(body.length(), Some(14));
        assert_eq!(drain(body, 64, 3).unwrap(), [b"head file tail"]);
    }

    #[test]
    fn bytes_of_an_unknown_source_do_not_wait() {
        let body = Body::<Given>::from_segment(source(b"abcd", SourceLength::Unknown));
        assert_eq!(body.length(), None);
        assert_eq!(drain(body, 64, 3).unwrap(), [b"abc".to_vec(), b"d".to_vec()]);
    }

    #[test]
    fn announced_lengths_are_kept_or_it_is_an_error() {
        use SourceLength::{AtLeast, Exactly, ToItsEnd};
        type Case = (&'static [u8], SourceLength, Result<&'static [u8], BodyError>);
        let cases: [Case; 12] = [
            (b"abc", Exactly(3), Ok(b"abc")),
            (b"abc", Exactly(5), Err(BodyError::TooShort { missing: 2 })),
            (b"abc", Exactly(2), Ok(b"ab")),
            (b"abc", Exactly(0), Ok(b"")),
            (b"", Exactly(0), Ok(b"")),
            (b"abc", AtLeast(2), Ok(b"ab")),
            (b"abc", AtLeast(5), Err(BodyError::TooShort { missing: 2 })),
            (b"", ToItsEnd(0), Ok(b"")),
            (b"abc", ToItsEnd(0), Err(BodyError::TooLong)),
            (b"abc", ToItsEnd(3), Ok(b"abc")),
            (b"abc", ToItsEnd(2), Err(BodyError::TooLong)),
            (b"abc", ToItsEnd(4), Err(BodyError::TooShort { missing: 1 })),
        ];
        for (bytes, length, expected) in cases {
            for space in 1..6 {
                let body = Body::<Given>::from_segment(source(bytes, length));
                let sent = drain(body, space, 2).map(|pieces| pieces.concat());
                assert_eq!(sent, expected.map(<[u8]>::to_vec), "{length:?} space {space}");
            }
        }
    }

    /// What comes behind the announced length is the caller's, who may go on with it.
    #[test]
    fn a_longer_source_is_not_read_beyond_its_length() {
        for length in [SourceLength::Exactly(4), SourceLength::AtLeast(4)] {
            for space in 1..9 {
                let mut body = Body::<Given>::from_segment(source(b"abcdef", length));
                let (mut memory, mut read) = (vec![0; space], 0);
                loop {
                    let count = match body.feed(&mut memory) {
                        Feed::Filled(0) => break,
                        Feed::Filled(_) => continue,
                        Feed::Read { into, .. } => into.len(),
                    };
                    read += count;
                    body.fed(count).unwrap();
                }
                assert_eq!(read, 4, "space {space}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_segment_comes_out_once_and_in_order(
            segments in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..40), 0..4_u8), 0..6),
            space in 2..50_usize,
            step in 1..20_usize,
            before in 0..30_usize,
        ) {
            let mut body = Body::<Given>::empty();
            for (bytes, kind) in &segments {
                let length = bytes.len() as u64;
                body.push(match kind {
                    0 => Segment::Bytes(bytes.clone().into()),
                    1 => source(bytes, SourceLength::Unknown),
                    2 => source(bytes, SourceLength::Exactly(length)),
                    _ => source(bytes, SourceLength::AtLeast(length)),
                });
            }
            let expected: Vec<u8> = segments.iter().flat_map(|(bytes, _)| bytes.clone()).collect();
            if let Some(length) = body.length() {
                prop_assert_eq!(length, expected.len() as u64);
            }
            // However much of it was sent before.
            let _ = pieces(&mut body, space, step, before);
            prop_assert_eq!(body.rewind(), Ok(()));
            prop_assert!(body.is_whole());
            prop_assert_eq!(drain(body, space, step).unwrap().concat(), expected);
        }
    }
}
