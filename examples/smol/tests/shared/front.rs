//! The async client on the runtime of this package, as the shared tests need it.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test uses a part of this")]

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncSeek};
use leanhttp_smol::{Reader, Smol};

pub use async_io::block_on;
pub use leanhttp_smol::{Body, Client};

pub type Front = Smol;
pub type ClientBuilder = real::client::ClientBuilder<Smol>;
pub type Request = real::request::Request<Smol>;
pub type RequestBuilder = real::request::RequestBuilder<Smol>;
pub type ResponseBody = real::client::ResponseBody<Smol>;
pub type Response = real::response::Response<ResponseBody>;
pub type Upgraded = real::response::Upgraded<Smol>;
pub type Lines = real::client::streams::Lines<Smol>;
pub type JsonLines<T> = real::client::streams::JsonLines<Smol, T>;
pub type Events = real::sse::Events<Smol>;
pub type EventSource = real::sse::EventSource<Smol>;

pub mod multipart {
    pub type Form = real::body::multipart::Form<leanhttp_smol::Reader>;
    pub type Part = real::body::multipart::Part<leanhttp_smol::Reader>;
}

pub fn body(reader: impl Read + Send + 'static, length: Option<u64>) -> Body {
    Reader::body(PendingOnce::new(Box::new(reader) as Box<dyn Read + Send>), length)
}

pub fn rewindable(reader: impl Read + Seek + Unpin + Send + 'static, length: Option<u64>) -> Body {
    Reader::rewindable(PendingOnce::new(reader), length)
}

pub fn file(file: File) -> Body {
    let length = file.metadata().unwrap().len();
    rewindable(file, Some(length))
}

pub async fn read(response: &mut Response, into: &mut [u8]) -> io::Result<usize> {
    response.receive(into).await
}

pub async fn copy_to<W: Write + ?Sized>(
    response: &mut Response,
    writer: &mut W,
) -> real::Result<u64> {
    let mut copied = 0;
    while let Some(chunk) = response.chunk().await? {
        writer.write_all(&chunk).unwrap();
        copied += chunk.len() as u64;
    }
    Ok(copied)
}

pub async fn read_upgraded(upgraded: &mut Upgraded, into: &mut [u8]) -> io::Result<usize> {
    upgraded.receive(into).await
}

pub async fn write(upgraded: &mut Upgraded, bytes: &[u8]) -> io::Result<usize> {
    upgraded.send(bytes).await
}

pub async fn flush(upgraded: &mut Upgraded) -> io::Result<()> {
    upgraded.flush().await
}

pub async fn shut_down(upgraded: &mut Upgraded) -> io::Result<()> {
    upgraded.end_writing().await
}

/// A reader that is pending once before each read.
struct PendingOnce<R> {
    reader: R,
    is_ready: bool,
}

impl<R> PendingOnce<R> {
    fn new(reader: R) -> Self {
        Self { reader, is_ready: false }
    }
}

impl<R: Read + Unpin> AsyncRead for PendingOnce<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.is_ready = !self.is_ready;
        if self.is_ready {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.reader.read(into))
    }
}

impl<R: Seek + Unpin> AsyncSeek for PendingOnce<R> {
    fn poll_seek(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        to: SeekFrom,
    ) -> Poll<io::Result<u64>> {
        Poll::Ready(self.reader.seek(to))
    }
}
