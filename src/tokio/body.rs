//! Request bodies from readers, files, streams and responses, and the [`Source`] that the driver reads them from.
//!
//! A source that can seek remembers the position of its first read, so that the body can be sent again:
//! [`poll_start`] seeks back there before the first read after a rewind. A file of tokio is a variant of its
//! own, because its length is read when the request is sent ([`measure`]): asking for it has to wait.

#[cfg(feature = "stream")]
use std::error::Error as StdError;
use std::fmt;
#[cfg(feature = "stream")]
use std::future::poll_fn;
use std::io::{self, SeekFrom};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};

#[cfg(feature = "stream")]
use ::tokio::fs::File;
use ::tokio::io::{AsyncRead, AsyncSeek, ReadBuf};
#[cfg(any(feature = "stream", feature = "tower"))]
use bytes::Bytes;
#[cfg(feature = "stream")]
use futures_core::Stream;

#[cfg(feature = "blocking")]
use super::Request;
use super::{Body, Response, ResponseBody, Tokio};
#[cfg(feature = "blocking")]
use crate::blocking;
use crate::body::{self, SourceLength, Unrewindable};
use crate::driver::runtime::buffer;
#[cfg(feature = "blocking")]
use crate::error::Error;
use crate::error::Result;

impl Body {
    /// Creates a body of unknown length, which is sent in chunks as the reader returns them. It can
    /// be sent once; see [`rewindable`](Self::rewindable).
    pub fn new<R: AsyncRead + Send + 'static>(reader: R) -> Self {
        Self::from_source(Source::new(reader), SourceLength::Unknown)
    }

    /// Creates a body of the reader's next `len` bytes. The reader is not read beyond them, so that
    /// a part of a file can be sent.
    ///
    /// If the reader ends earlier, the call fails ([`Kind::Body`](crate::error::Kind::Body)), and
    /// the connection is closed before the server can take the request as complete.
    ///
    /// ```
    /// use leanhttp::tokio::{Body, Client};
    ///
    /// let body = Body::sized(&b"only the first nine bytes"[..], 9);
    /// let request = Client::new().put("http://example.org/").body(body).build()?;
    /// assert!(request.body().is_some());
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn sized<R: AsyncRead + Send + 'static>(reader: R, len: u64) -> Self {
        Self::from_source(Source::new(reader), SourceLength::Exactly(len))
    }

    /// Creates a body as [`new`](Self::new) does, from a reader that can seek, such as a tokio
    /// file. If the request has to be sent again, for a 307 or 308, a stale connection, a Digest
    /// challenge or a retry, the body is read again from its first position. If seeking fails, the
    /// body can be sent once, and the error of a call that needed it again says so.
    ///
    /// ```no_run
    /// use leanhttp::tokio::{Body, Client};
    ///
    /// # async fn example() -> leanhttp::Result<()> {
    /// let body = Body::rewindable(std::io::Cursor::new("the content"));
    /// Client::new().put("https://example.org/a").body(body).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn rewindable<R: AsyncRead + AsyncSeek + Send + 'static>(reader: R) -> Self {
        Self::from_source(Source::rewindable(reader), SourceLength::Unknown)
    }

    /// Creates a body as [`sized`](Self::sized) does, from a reader that can seek, beginning at its
    /// current position; see [`rewindable`](Self::rewindable).
    ///
    /// ```no_run
    /// use leanhttp::tokio::{Body, Client};
    ///
    /// # async fn example() -> leanhttp::Result<()> {
    /// let content = "the content";
    /// let body = Body::rewindable_sized(std::io::Cursor::new(content), content.len() as u64);
    /// Client::new().put("https://example.org/a").body(body).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn rewindable_sized<R>(reader: R, len: u64) -> Self
    where
        R: AsyncRead + AsyncSeek + Send + 'static,
    {
        Self::from_source(Source::rewindable(reader), SourceLength::Exactly(len))
    }
}

#[cfg(feature = "stream")]
impl Body {
    /// Creates a body of unknown length, which is sent in chunks as the stream returns them.
    ///
    /// An error of the stream ends the call ([`Kind::Body`](crate::error::Kind::Body)), and the
    /// server does not take the request as complete.
    pub fn wrap_stream<S, O, E>(stream: S) -> Self
    where
        S: Stream<Item = std::result::Result<O, E>> + Send + 'static,
        O: Into<Bytes>,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        Self::from_source(Source::new(reader(stream)), SourceLength::Unknown)
    }
}

impl Body {
    /// Reads the whole body into memory, where it stays, and returns it. A body that was made from bytes
    /// is returned as it is.
    ///
    /// # Errors
    ///
    /// If a reader fails, or does not have the announced length.
    ///
    /// ```
    /// # async fn example() -> leanhttp::Result<()> {
    /// let mut body = leanhttp::tokio::Body::new(&b"streamed"[..]);
    /// assert_eq!(body.buffer().await?, b"streamed");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn buffer(&mut self) -> Result<&[u8]> {
        buffer::<Tokio>(self).await
    }
}

/// Converts a body of the other client.
///
/// # Errors
///
/// Returns a [builder error](Error::is_builder) if the body, or a part of it, is a reader.
///
/// ```
/// use leanhttp::{blocking, tokio};
///
/// let made = blocking::Body::from("the same bytes");
/// assert_eq!(tokio::Body::try_from(made)?.as_bytes(), Some(&b"the same bytes"[..]));
/// # Ok::<(), leanhttp::Error>(())
/// ```
#[cfg(feature = "blocking")]
impl TryFrom<blocking::Body> for Body {
    type Error = Error;

    fn try_from(body: blocking::Body) -> Result<Self> {
        body.for_runtime()
    }
}

/// Converts a body of the other client.
///
/// # Errors
///
/// Returns a [builder error](Error::is_builder) if the body, or a part of it, is a reader.
#[cfg(feature = "blocking")]
impl TryFrom<Body> for blocking::Body {
    type Error = Error;

    fn try_from(body: Body) -> Result<Self> {
        body.for_runtime()
    }
}

/// Converts a request of the other client, with all of its settings.
///
/// # Errors
///
/// Returns a [builder error](Error::is_builder) if the body, or a part of it, is a reader.
///
/// ```no_run
/// use leanhttp::{blocking, tokio};
///
/// # async fn example(signed: blocking::Request) -> leanhttp::Result<()> {
/// let response = tokio::Client::new().execute(signed.try_into()?).await?;
/// # Ok(())
/// # }
/// ```
#[cfg(feature = "blocking")]
impl TryFrom<blocking::Request> for Request {
    type Error = Error;

    fn try_from(request: blocking::Request) -> Result<Self> {
        request.for_runtime()
    }
}

/// Converts a request of the other client, with all of its settings.
///
/// # Errors
///
/// Returns a [builder error](Error::is_builder) if the body, or a part of it, is a reader.
#[cfg(feature = "blocking")]
impl TryFrom<Request> for blocking::Request {
    type Error = Error;

    fn try_from(request: Request) -> Result<Self> {
        request.for_runtime()
    }
}

/// Sends the decoded body of a response as it arrives: with its length, if it is known, otherwise
/// in chunks; in chunks as well while the rest of the response's own request is still being sent.
/// If the body is cut short, so is the request, and the server does not take it as complete.
///
/// ```no_run
/// # async fn example() -> leanhttp::Result<()> {
/// let client = leanhttp::tokio::Client::new();
/// let original = client.get("https://example.org/a").send().await?.error_for_status()?;
/// client.put("https://example.com/b").body(original).send().await?;
/// # Ok(())
/// # }
/// ```
impl From<Response> for Body {
    fn from(response: Response) -> Self {
        http::Response::<ResponseBody>::from(response).into_body().into()
    }
}

/// Sends the decoded body of a response as it arrives; see [`From<Response>`](#impl-From<Response>-for-Body).
impl From<ResponseBody> for Body {
    fn from(body: ResponseBody) -> Self {
        let length = match body.left() {
            // Only a body of unknown length is read to its end.
            Some(left) if !body.is_sending() => SourceLength::Exactly(left),
            _ => SourceLength::Unknown,
        };
        Self::from_source(Source::new(body), length)
    }
}

/// Converts a response to one whose body can be sent; see the conversion to `http::Response<ResponseBody>`.
impl From<Response> for http::Response<Body> {
    fn from(response: Response) -> Self {
        http::Response::<ResponseBody>::from(response).map(Into::into)
    }
}

/// Sends the rest of the file. Its `Content-Length` is the length that it has when the request is
/// sent: if it shrinks meanwhile, that is an error; data appended later is not sent. A file without
/// a length, such as a pipe, or with a reported length of 0, as in Linux' `/proc`, is sent in
/// chunks. A request that is sent again reads the file again.
#[cfg(feature = "stream")]
impl From<File> for Body {
    fn from(file: File) -> Self {
        Self::from_source(Source::of_file(file), SourceLength::Unknown)
    }
}

/// Reads the length of each file in a body, which has to wait.
#[cfg(feature = "stream")]
pub(super) async fn measure(body: &mut Body) {
    for unmeasured in body.unmeasured() {
        let Some(file) = unmeasured.source.file() else { continue };
        if let Some(left @ 1..) = rest_of(file).await {
            unmeasured.has(left);
        }
    }
}

/// Returns the number of bytes from the file's position to its end, or `None` if it has no length.
#[cfg(feature = "stream")]
async fn rest_of(file: &mut File) -> Option<u64> {
    let metadata = file.metadata().await.ok().filter(|metadata| metadata.is_file())?;
    let position = position(file).await.ok()?;
    metadata.len().checked_sub(position)
}

/// Returns the position of the next read, corrected for the bytes that the file has read ahead.
#[cfg(feature = "stream")]
async fn position(file: &mut File) -> io::Result<u64> {
    let mut file = Pin::new(file);
    poll_fn(|cx| file.as_mut().poll_complete(cx)).await?; // an earlier seek, if there is one
    file.as_mut().start_seek(SeekFrom::Current(0))?;
    poll_fn(|cx| file.as_mut().poll_complete(cx)).await
}

/// A reader that the caller supplied.
///
/// The mutex is never contended: reading needs exclusive access. It makes a request `Sync` even if its
/// reader is not, so that a task may hold a `&Request` across an await.
pub struct Source(Mutex<SourceReader>);

enum SourceReader {
    Once(Pin<Box<dyn AsyncRead + Send>>),
    Seekable(Pin<Box<dyn AsyncReadSeek + Send>>, Start, Seek),
    /// A separate variant, because a file can be asked for its length.
    #[cfg(feature = "stream")]
    File(Box<File>, Start, Seek),
}

trait AsyncReadSeek: AsyncRead + AsyncSeek {}

impl<R: AsyncRead + AsyncSeek> AsyncReadSeek for R {}

/// The position of a reader's first read.
#[derive(Clone, Copy)]
enum Start {
    /// Nothing was read yet.
    Unread,
    At(u64),
    /// The next read begins there again.
    BackTo(u64),
    Unknown(io::ErrorKind),
}

/// The state of a seek.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seek {
    Idle,
    Started,
}

impl Source {
    pub(crate) fn new<R: AsyncRead + Send + 'static>(reader: R) -> Self {
        Self(Mutex::new(SourceReader::Once(Box::pin(reader))))
    }

    /// Creates the source of a reader that can be read again.
    pub(crate) fn rewindable<R: AsyncRead + AsyncSeek + Send + 'static>(reader: R) -> Self {
        Self(Mutex::new(SourceReader::Seekable(Box::pin(reader), Start::Unread, Seek::Idle)))
    }

    #[cfg(feature = "stream")]
    pub(super) fn of_file(file: File) -> Self {
        Self(Mutex::new(SourceReader::File(Box::new(file), Start::Unread, Seek::Idle)))
    }

    #[cfg(feature = "stream")]
    pub(super) fn file(&mut self) -> Option<&mut File> {
        match self.0.get_mut().unwrap_or_else(PoisonError::into_inner) {
            SourceReader::File(file, ..) => Some(file),
            SourceReader::Once(_) | SourceReader::Seekable(..) => None,
        }
    }

    /// Reads once; 0 means the end.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match self.0.get_mut().unwrap_or_else(PoisonError::into_inner) {
            SourceReader::Once(reader) => poll_read(reader.as_mut(), cx, into),
            SourceReader::Seekable(reader, start, seek) => {
                ready!(poll_start(reader.as_mut(), start, seek, cx))?;
                poll_read(reader.as_mut(), cx, into)
            }
            #[cfg(feature = "stream")]
            SourceReader::File(file, start, seek) => {
                let mut file = Pin::new(&mut **file);
                ready!(poll_start(file.as_mut(), start, seek, cx))?;
                poll_read(file, cx, into)
            }
        }
    }
}

impl body::Source for Source {
    fn may_rewind(&self) -> Result<(), Unrewindable> {
        // The mutex is never contended, so this fails only if a panic poisoned it.
        let Ok(reader) = self.0.try_lock() else { return Err(Unrewindable::Stream) };
        let start = match &*reader {
            SourceReader::Once(_) => return Err(Unrewindable::Stream),
            SourceReader::Seekable(_, start, _) => start,
            #[cfg(feature = "stream")]
            SourceReader::File(_, start, _) => start,
        };
        match start {
            Start::Unknown(reason) => Err(Unrewindable::Unseekable(*reason)),
            _ => Ok(()),
        }
    }

    fn rewind(&mut self) {
        let reader = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        let start = match reader {
            SourceReader::Once(_) => return,
            SourceReader::Seekable(_, start, _) => start,
            #[cfg(feature = "stream")]
            SourceReader::File(_, start, _) => start,
        };
        if let Start::At(position) = *start {
            *start = Start::BackTo(position);
        }
    }
}

/// Records the position of the first read, or seeks back to it after a rewind.
fn poll_start(
    reader: Pin<&mut (dyn AsyncReadSeek + Send)>,
    start: &mut Start,
    seek: &mut Seek,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    match *start {
        Start::At(_) | Start::Unknown(_) => {}
        Start::Unread => {
            let position = ready!(poll_seek(reader, SeekFrom::Current(0), seek, cx));
            *start = position.map_or_else(|error| Start::Unknown(error.kind()), Start::At);
        }
        Start::BackTo(position) => {
            let back = ready!(poll_seek(reader, SeekFrom::Start(position), seek, cx));
            back.map_err(not_sent_again)?;
            *start = Start::At(position);
        }
    }
    Poll::Ready(Ok(()))
}

/// Returns the error for a reader that reported its position but cannot seek to it.
fn not_sent_again(error: io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("the reader cannot seek back to send the body again: {error}"),
    )
}

/// Seeks. A pending read or seek is completed first, as [`AsyncSeek::start_seek`] requires.
fn poll_seek(
    mut reader: Pin<&mut (dyn AsyncReadSeek + Send)>,
    to: SeekFrom,
    seek: &mut Seek,
    cx: &mut Context<'_>,
) -> Poll<io::Result<u64>> {
    if *seek == Seek::Idle {
        ready!(reader.as_mut().poll_complete(cx))?;
        reader.as_mut().start_seek(to)?;
        *seek = Seek::Started;
    }
    let position = ready!(reader.as_mut().poll_complete(cx));
    *seek = Seek::Idle;
    Poll::Ready(position)
}

fn poll_read<R: AsyncRead + ?Sized>(
    reader: Pin<&mut R>,
    cx: &mut Context<'_>,
    into: &mut [u8],
) -> Poll<io::Result<usize>> {
    let mut buffer = ReadBuf::new(into);
    let read = reader.poll_read(cx, &mut buffer);
    ready!(uninterrupted(read, cx))?;
    Poll::Ready(Ok(buffer.filled().len()))
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").finish_non_exhaustive()
    }
}

/// Retries an interrupted operation, as the standard library does, but lets other tasks run first,
/// because it may be interrupted without end.
pub(super) fn uninterrupted<T>(
    result: Poll<io::Result<T>>,
    cx: &Context<'_>,
) -> Poll<io::Result<T>> {
    match result {
        Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
        result => result,
    }
}

/// Returns an `AsyncRead` over a stream of chunks.
#[cfg(feature = "stream")]
fn reader<S, O, E>(stream: S) -> impl AsyncRead + Send + 'static
where
    S: Stream<Item = std::result::Result<O, E>> + Send + 'static,
    O: Into<Bytes>,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    let mut stream = Box::pin(stream);
    Pieces::new(move |cx: &mut Context<'_>| {
        let piece = stream.as_mut().poll_next(cx);
        piece.map_ok(Into::into).map_err(io::Error::other)
    })
}

/// Reads the chunks that `next` returns, until it returns `None`.
#[cfg(any(feature = "stream", feature = "tower"))]
pub(super) struct Pieces<N> {
    next: N,
    /// The rest of the last chunk.
    rest: Bytes,
}

#[cfg(any(feature = "stream", feature = "tower"))]
impl<N> Pieces<N>
where
    N: FnMut(&mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> + Unpin,
{
    pub(super) fn new(next: N) -> Self {
        Self { next, rest: Bytes::new() }
    }
}

#[cfg(any(feature = "stream", feature = "tower"))]
impl<N> AsyncRead for Pieces<N>
where
    N: FnMut(&mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> + Unpin,
{
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.rest.is_empty() {
            match ready!((self.next)(cx)) {
                Some(piece) => self.rest = piece?,
                None => return Poll::Ready(Ok(())),
            }
        }
        let count = self.rest.len().min(buffer.remaining());
        buffer.put_slice(&self.rest.split_to(count));
        Poll::Ready(Ok(()))
    }
}
