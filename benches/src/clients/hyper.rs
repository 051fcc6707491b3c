use std::net::SocketAddrV4;

use http_body_util::{BodyExt, Collected, Either, Empty};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Pooled;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::runtime::{Builder, Runtime};

use super::reader_body::ReaderBody;
use super::{Client, IDLE_AGE, Job, MAX_FIELDS, in_tasks, points, raw_tls};
use crate::Outcome;
use crate::latency::Watch;
use crate::rows::{Row, Shape, Way};

type Pool = Pooled<HttpsConnector<HttpConnector>, Sent>;
type Sent = Either<Empty<Bytes>, ReaderBody>;

struct Hyper {
    job: Job,
    runtime: Runtime,
    client: Pool,
}

/// It has no forms and no codings, and its connections live on one runtime.
pub fn can(row: &Row) -> bool {
    let has_shape = match row.shape {
        Shape::Form | Shape::Multipart(_) | Shape::Parts(_) => false,
        Shape::Redirects(_) | Shape::Cookies(_) => false,
        Shape::Stream(way, ..) => way == Way::Chunks,
        _ => true,
    };
    has_shape && !row.is_coded() && row.no_proxy == 0 && !row.has_threads() && !row.has_queue()
}

pub fn prepare(job: &Job) -> Outcome<Box<dyn Client>> {
    let mut plain = HttpConnector::new();
    plain.enforce_http(false);
    plain.set_nodelay(true);
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(raw_tls::config(&job.target.certificate)?)
        .https_or_http()
        .enable_http1()
        .wrap_connector(plain);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut builder = Pooled::builder(TokioExecutor::new());
    if let Shape::Head { .. } = job.shape() {
        builder.http1_max_headers(MAX_FIELDS);
    }
    if job.row.other_hosts > 0 {
        builder.pool_idle_timeout(IDLE_AGE);
    }
    let client = builder.build(connector);
    Ok(Box::new(Hyper { job: job.clone(), runtime, client }))
}

impl Client for Hyper {
    fn perform(&mut self) -> Outcome<u64> {
        self.runtime.block_on(perform(&self.job, &self.client))
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

async fn repeat(job: Job, client: Pool, times: u64) -> Outcome<()> {
    for _ in 0..times {
        let watch = Watch::start();
        job.check(perform(&job, &client).await?)?;
        watch.stop();
    }
    Ok(())
}

async fn perform(job: &Job, client: &Pool) -> Outcome<u64> {
    let url = job.url.as_str();
    let request = match job.shape() {
        Shape::Upload(framing, size) => {
            Request::post(url).body(Either::Right(ReaderBody::new(framing, size)))?
        }
        _ => Request::get(url).body(Either::Left(Empty::new()))?,
    };
    let response = client.request(request).await?;
    if !response.status().is_success() {
        return Err(response.status().to_string().into());
    }
    let body = response.into_body();
    match job.shape() {
        Shape::Bytes(..) => Ok(body.collect().await?.to_bytes().len() as u64),
        Shape::Json(..) => points(&body.collect().await?.to_bytes()),
        Shape::Text(..) => {
            let whole = body.collect().await.map(Collected::to_bytes)?;
            Ok(String::from_utf8(whole.into())?.len() as u64)
        }
        _ => drain(body).await,
    }
}

async fn drain(mut body: Incoming) -> Outcome<u64> {
    let mut total = 0;
    while let Some(frame) = body.frame().await {
        total += frame?.data_ref().map_or(0, Bytes::len) as u64;
    }
    Ok(total)
}
