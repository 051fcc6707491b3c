//! The async front on tokio, as `blocking.rs` needs it.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test uses a part of this")]

use std::fs::File;
use std::future::poll_fn;
use std::io::{self, Read, Seek, Write};
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncSeek, AsyncWrite, ReadBuf};
use tokio::runtime::Runtime;

pub use real::tokio::*;

pub type Front = Tokio;

/// Several threads await in it at the same time, as the tests do.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.block_on(future)
}

/// A network in memory, which only the clients of the crate itself can be put on.
#[cfg(feature = "testing")]
impl crate::blocking::ClientBuilder {
    pub fn answer_with<H, A>(self, answer: H) -> Self
    where
        H: Fn(&real::testing::ReceivedRequest) -> A + Send + Sync + 'static,
        A: Into<real::testing::Reply>,
    {
        Self(self.0.answer_with(answer))
    }

    pub fn mock(self, mock: &real::testing::Mock) -> Self {
        Self(self.0.mock(mock))
    }

    pub fn network(self, network: &real::testing::MemoryNetwork) -> Self {
        Self(self.0.network(network))
    }
}

pub fn body(reader: impl Read + Send + 'static, length: Option<u64>) -> Body {
    let source = Source::new(reader);
    match length {
        Some(length) => Body::sized(source, length),
        None => Body::new(source),
    }
}

pub fn rewindable(reader: impl Read + Seek + Unpin + Send + 'static, length: Option<u64>) -> Body {
    let source = Seekable::new(reader);
    match length {
        Some(length) => Body::rewindable_sized(source, length),
        None => Body::rewindable(source),
    }
}

pub fn file(file: File) -> Body {
    let length = file.metadata().unwrap().len();
    #[cfg(feature = "stream")]
    return Body::rewindable_sized(tokio::fs::File::from_std(file), length);
    #[cfg(not(feature = "stream"))]
    rewindable(file, Some(length))
}

pub async fn read(response: &mut Response, into: &mut [u8]) -> io::Result<usize> {
    poll_read(response, into).await
}

pub async fn copy_to<W: Write + ?Sized>(
    response: &mut Response,
    writer: &mut W,
) -> real::Result<u64> {
    response.copy_to(&mut Sink(writer)).await
}

#[cfg(feature = "download")]
pub async fn download_to<W: Write + ?Sized>(
    download: Download,
    writer: &mut W,
) -> real::Result<real::Downloaded> {
    download.to_writer(&mut Sink(writer)).await
}

pub async fn read_upgraded(upgraded: &mut Upgraded, into: &mut [u8]) -> io::Result<usize> {
    poll_read(upgraded, into).await
}

pub async fn write(upgraded: &mut Upgraded, bytes: &[u8]) -> io::Result<usize> {
    poll_fn(|cx| Pin::new(&mut *upgraded).poll_write(cx, bytes)).await
}

pub async fn flush(upgraded: &mut Upgraded) -> io::Result<()> {
    poll_fn(|cx| Pin::new(&mut *upgraded).poll_flush(cx)).await
}

pub async fn shut_down(upgraded: &mut Upgraded) -> io::Result<()> {
    poll_fn(|cx| Pin::new(&mut *upgraded).poll_shutdown(cx)).await
}

async fn poll_read(from: &mut (impl AsyncRead + Unpin), into: &mut [u8]) -> io::Result<usize> {
    let mut buffer = ReadBuf::new(into);
    poll_fn(|cx| Pin::new(&mut *from).poll_read(cx, &mut buffer)).await?;
    Ok(buffer.filled().len())
}

/// A reader that is pending once before each read.
struct Source {
    reader: Box<dyn Read + Send>,
    is_ready: bool,
}

impl Source {
    fn new(reader: impl Read + Send + 'static) -> Self {
        Self { reader: Box::new(reader), is_ready: false }
    }
}

impl AsyncRead for Source {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.is_ready = !self.is_ready;
        if self.is_ready {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let room = buffer.remaining();
        let count = self.reader.read(buffer.initialize_unfilled())?;
        if count > room {
            return Poll::Ready(Err(io::Error::other(
                "a reader claimed more bytes than it had room for",
            )));
        }
        buffer.advance(count);
        Poll::Ready(Ok(()))
    }
}

/// The same for a reader that can seek, which is pending once before each seek too.
struct Seekable<R> {
    reader: R,
    is_ready: bool,
    /// The result of a seek.
    seek: Option<io::Result<u64>>,
}

impl<R> Seekable<R> {
    fn new(reader: R) -> Self {
        Self { reader, is_ready: false, seek: None }
    }

    fn poll_turn(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.is_ready = !self.is_ready;
        if self.is_ready {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}

impl<R: Read + Unpin> AsyncRead for Seekable<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        std::task::ready!(self.poll_turn(cx));
        let count = self.reader.read(buffer.initialize_unfilled())?;
        buffer.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl<R: Seek + Unpin> AsyncSeek for Seekable<R> {
    fn start_seek(mut self: Pin<&mut Self>, to: io::SeekFrom) -> io::Result<()> {
        assert!(self.seek.is_none(), "one seek at a time");
        let result = self.reader.seek(to);
        self.seek = Some(result);
        Ok(())
    }

    fn poll_complete(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        std::task::ready!(self.poll_turn(cx));
        self.seek.take().unwrap_or(Ok(0)).into()
    }
}

/// A writer that is always ready.
struct Sink<'a, W: ?Sized>(&'a mut W);

impl<W: Write + ?Sized> AsyncWrite for Sink<'_, W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.0.write(bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.flush())
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}
