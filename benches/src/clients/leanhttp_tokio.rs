use std::io::{self, Read};
use std::net::SocketAddrV4;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use leanhttp::cookie::Jar;
use leanhttp::tokio::multipart::{Form, Part};
use leanhttp::tokio::{Body, Client as Lean, Response};
use leanhttp::{Certificate, NoProxy, Proxy, Url};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
use tokio::runtime::{Builder, Runtime};

use super::{
    COOKIE, Client, DEAD_PROXY, IDLE_AGE, Job, MAX_FIELDS, PART, POOL, SPACE_OF_TASK, in_tasks,
    next, source, space,
};
use crate::Outcome;
use crate::latency::Watch;
use crate::rows::{FORM, Framing, MULTIPART_NAME, Points, Shape, Way};

struct Async {
    job: Job,
    runtime: Runtime,
    client: Lean,
    space: Vec<u8>,
}

pub fn prepare(job: &Job) -> Outcome<Box<dyn Client>> {
    let certificate = Certificate::from_pem(job.target.certificate.as_bytes())?;
    let mut builder = Lean::builder().tls_certs_only([certificate]).pool_max_idle(POOL);
    if job.row.has_tasks() {
        builder = builder.pool_max_idle_per_host(POOL);
    }
    if job.row.has_queue() {
        builder = builder.pool_max_open_per_host(1).pool_wait_timeout(None);
    }
    if job.row.other_hosts > 0 {
        builder = builder.pool_idle_timeout(IDLE_AGE);
    }
    if let Some(list) = job.no_proxy() {
        let proxy = Proxy::all(DEAD_PROXY)?.no_proxy(NoProxy::from_string(&list));
        builder = builder.proxy(proxy);
    }
    if let Some(hosts) = job.cookie_hosts() {
        let jar = Arc::new(Jar::new());
        for host in hosts {
            jar.add_cookie_str(COOKIE, &Url::parse(&host)?);
        }
        builder = builder.cookie_provider(jar);
    }
    if let Shape::Head { .. } = job.shape() {
        builder = builder.http1_max_headers(MAX_FIELDS);
    }
    let client = builder.build()?;
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

    fn turn_to(&mut self, address: SocketAddrV4) -> Outcome<()> {
        self.job.turn_to(address)
    }

    fn perform_in_tasks(&mut self, tasks: u64, each: u64) -> Outcome<()> {
        let (job, client) = (&self.job, &self.client);
        self.runtime.block_on(in_tasks(tasks, || repeat(job.clone(), client.clone(), each)))
    }
}

async fn repeat(job: Job, client: Lean, times: u64) -> Outcome<()> {
    let mut space = if job.row.has_tasks() { vec![0; SPACE_OF_TASK] } else { space() };
    for _ in 0..times {
        let watch = Watch::start();
        job.check(perform(&job, &client, &mut space).await?)?;
        watch.stop();
    }
    Ok(())
}

async fn perform(job: &Job, client: &Lean, space: &mut [u8]) -> Outcome<u64> {
    let mut response = send(job, client).await?.error_for_status()?;
    Ok(match job.shape() {
        // Boxed, so that the futures of the other rows do not grow by it.
        Shape::Stream(way @ (Way::Chunks | Way::Stream | Way::Copy), ..) => {
            Box::pin(stream(way, response)).await?
        }
        Shape::Bytes(..) => response.bytes().await?.len() as u64,
        Shape::Text(..) => response.text().await?.len() as u64,
        Shape::Json(..) => response.json::<Points>().await?.len() as u64,
        _ => {
            let mut total = 0;
            loop {
                match AsyncReadExt::read(&mut response, space).await? {
                    0 => break total,
                    count => total += count as u64,
                }
            }
        }
    })
}

async fn stream(way: Way, mut response: Response) -> Outcome<u64> {
    let mut total = 0;
    match way {
        Way::Chunks => {
            while let Some(piece) = response.chunk().await? {
                total += piece.len() as u64;
            }
        }
        Way::Stream => {
            let mut stream = response.bytes_stream();
            while let Some(piece) = next(&mut stream).await {
                total += piece?.len() as u64;
            }
        }
        _ => total = response.copy_to(&mut tokio::io::sink()).await?,
    }
    Ok(total)
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
        Shape::Parts(count) => {
            let form = Job::parts(count).fold(Form::new(), |form, name| form.text(name, PART));
            client.post(url).multipart(form).send().await?
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

/// A source that is always ready.
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
