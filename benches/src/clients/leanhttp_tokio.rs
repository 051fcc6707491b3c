use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

use leanhttp::Certificate;
use leanhttp::tokio::multipart::{Form, Part};
use leanhttp::tokio::{Body, Client as Lean, Response};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::runtime::{Builder, Runtime};

use super::{Client, Job, source};
use crate::Outcome;
use crate::rows::{FORM, Framing, MULTIPART_NAME, Shape};

struct Async {
    job: Job,
    runtime: Runtime,
    client: Lean,
}

pub fn prepare(job: &Job) -> Outcome<Box<dyn Client>> {
    let certificate = Certificate::from_pem(job.target.certificate.as_bytes())?;
    let client = Lean::builder().tls_certs_only([certificate]).build()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    Ok(Box::new(Async { job: job.clone(), runtime, client }))
}

impl Client for Async {
    fn perform(&mut self) -> Outcome<u64> {
        self.runtime.block_on(async {
            let mut response = self.send().await?.error_for_status()?;
            Ok(match self.job.shape() {
                Shape::Bytes(_) => response.bytes().await?.len() as u64,
                Shape::Text(_) => response.text().await?.len() as u64,
                _ => {
                    let mut total = 0;
                    while let Some(piece) = response.chunk().await? {
                        total += piece.len() as u64;
                    }
                    total
                }
            })
        })
    }

    fn sibling(&self) -> Outcome<Box<dyn Client>> {
        prepare(&self.job)
    }
}

impl Async {
    async fn send(&self) -> Outcome<Response> {
        let url = self.job.url.as_str();
        Ok(match self.job.shape() {
            Shape::Upload(framing, size) => {
                let body = match framing {
                    Framing::Sized => Body::sized(Ready(source(size)), size),
                    Framing::Chunked => Body::new(Ready(source(size))),
                };
                self.client.post(url).body(body).send().await?
            }
            Shape::Form => self.client.post(url).form(&FORM).send().await?,
            Shape::Multipart(_) => {
                let file = std::fs::File::open(self.job.file()?)?;
                let length = file.metadata()?.len();
                let part = Part::reader_with_length(Ready(file), length).file_name("file");
                let form = Form::new().part(MULTIPART_NAME, part);
                self.client.post(url).multipart(form).send().await?
            }
            _ => self.client.get(url).send().await?,
        })
    }
}

/// What can be read at once.
struct Ready<R>(R);

impl<R: Read + Unpin> AsyncRead for Ready<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let count = self.0.read(buffer.initialize_unfilled())?;
        buffer.advance(count);
        Poll::Ready(Ok(()))
    }
}
