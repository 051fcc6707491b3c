use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

use leanhttp::Certificate;
use leanhttp::tokio::multipart::{Form, Part};
use leanhttp::tokio::{Body, Client as Lean, Response};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
use tokio::runtime::{Builder, Runtime};

use super::{Client, Job, POOL, in_tasks, source, space};
use crate::Outcome;
use crate::rows::{FORM, Framing, MULTIPART_NAME, Points, Shape};

struct Async {
    job: Job,
    runtime: Runtime,
    client: Lean,
    space: Vec<u8>,
}

pub fn prepare(job: &Job) -> Outcome<Box<dyn Client>> {
    let certificate = Certificate::from_pem(job.target.certificate.as_bytes())?;
    let client = Lean::builder().tls_certs_only([certificate]).pool_max_idle(POOL).build()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    Ok(Box::new(Async { job: job.clone(), runtime, client, space: space() }))
}

impl Client for Async {
    fn perform(&mut self) -> Outcome<u64> {
        self.runtime.block_on(perform(&self.job, &self.client, &mut self.space))
    }

    /// An async program enters its runtime once, not for each request.
    fn repeat(&mut self, times: u64, _: &Job) -> Outcome<()> {
        self.runtime.block_on(repeat(self.job.clone(), self.client.clone(), times))
    }

    fn sibling(&self) -> Outcome<Box<dyn Client>> {
        prepare(&self.job)
    }

    fn turn_to(&mut self, port: u16) -> Outcome<()> {
        self.job.turn_to(port)
    }

    fn perform_in_tasks(&mut self, tasks: u64, each: u64) -> Outcome<()> {
        let (job, client) = (&self.job, &self.client);
        self.runtime.block_on(in_tasks(tasks, || repeat(job.clone(), client.clone(), each)))
    }
}

async fn repeat(job: Job, client: Lean, times: u64) -> Outcome<()> {
    let mut space = space();
    for _ in 0..times {
        job.check(perform(&job, &client, &mut space).await?)?;
    }
    Ok(())
}

async fn perform(job: &Job, client: &Lean, space: &mut [u8]) -> Outcome<u64> {
    let mut response = send(job, client).await?.error_for_status()?;
    Ok(match job.shape() {
        Shape::Bytes(_) => response.bytes().await?.len() as u64,
        Shape::Text(_) => response.text().await?.len() as u64,
        Shape::Json(_) => response.json::<Points>().await?.len() as u64,
        _ => {
            let mut total = 0;
            loop {
                match response.read(space).await? {
                    0 => break total,
                    count => total += count as u64,
                }
            }
        }
    })
}

async fn send(job: &Job, client: &Lean) -> Outcome<Response> {
    let url = job.url.as_str();
    Ok(match job.shape() {
        Shape::Upload(framing, size) => {
            let body = match framing {
                Framing::Sized => Body::sized(Ready(source(size)), size),
                Framing::Chunked => Body::new(Ready(source(size))),
            };
            client.post(url).body(body).send().await?
        }
        Shape::Form => client.post(url).form(&FORM).send().await?,
        Shape::Multipart(_) => {
            let file = std::fs::File::open(job.file()?)?;
            let length = file.metadata()?.len();
            let part = Part::reader_with_length(Ready(file), length).file_name("file");
            let form = Form::new().part(MULTIPART_NAME, part);
            client.post(url).multipart(form).send().await?
        }
        _ => client.get(url).send().await?,
    })
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
