use std::net::SocketAddrV4;
use std::sync::Arc;

use reqwest::cookie::Jar;
use reqwest::multipart::Form;
use reqwest::tls::Certificate;
use reqwest::{Body, Client as Reqwest, NoProxy, Proxy, Response, Url};
use tokio::runtime::{Builder, Runtime};

use super::reader_body::ReaderBody;
use super::{COOKIE, Client, DEAD_PROXY, IDLE_AGE, Job, MAX_FIELDS, PART, in_tasks, next};
use crate::Outcome;
use crate::latency::Watch;
use crate::rows::{FORM, MULTIPART_NAME, Points, Shape, Way};

struct Async {
    job: Job,
    runtime: Runtime,
    client: Reqwest,
}

pub fn prepare(job: &Job) -> Outcome<Box<dyn Client>> {
    let certificate = Certificate::from_pem(job.target.certificate.as_bytes())?;
    let mut builder = Reqwest::builder().tls_certs_only([certificate]);
    if job.row.other_hosts > 0 {
        builder = builder.pool_idle_timeout(IDLE_AGE);
    }
    if let Some(list) = job.no_proxy() {
        builder = builder.proxy(Proxy::all(DEAD_PROXY)?.no_proxy(NoProxy::from_string(&list)));
    }
    if let Some(hosts) = job.cookie_hosts() {
        let jar = Arc::new(Jar::default());
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
    Ok(Box::new(Async { job: job.clone(), runtime, client }))
}

impl Client for Async {
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

async fn repeat(job: Job, client: Reqwest, times: u64) -> Outcome<()> {
    for _ in 0..times {
        let watch = Watch::start();
        job.check(perform(&job, &client).await?)?;
        watch.stop();
    }
    Ok(())
}

async fn perform(job: &Job, client: &Reqwest) -> Outcome<u64> {
    let mut response = send(job, client).await?.error_for_status()?;
    Ok(match job.shape() {
        Shape::Stream(Way::Stream, ..) => {
            let (mut stream, mut total) = (std::pin::pin!(response.bytes_stream()), 0);
            while let Some(piece) = next(&mut stream).await {
                total += piece?.len() as u64;
            }
            total
        }
        Shape::Bytes(..) => response.bytes().await?.len() as u64,
        Shape::Text(..) => response.text().await?.len() as u64,
        Shape::Json(..) => response.json::<Points>().await?.len() as u64,
        _ => {
            let mut total = 0;
            while let Some(piece) = response.chunk().await? {
                total += piece.len() as u64;
            }
            total
        }
    })
}

async fn send(job: &Job, client: &Reqwest) -> Outcome<Response> {
    let url = job.url.as_str();
    Ok(match job.shape() {
        Shape::Upload(framing, size) => {
            let body = Body::wrap(ReaderBody::new(framing, size));
            client.post(url).body(body).send().await?
        }
        Shape::Parts(count) => {
            let form = Job::parts(count).fold(Form::new(), |form, name| form.text(name, PART));
            client.post(url).multipart(form).send().await?
        }
        Shape::Form => client.post(url).form(&FORM).send().await?,
        Shape::Multipart(_) => {
            let form = Form::new().file(MULTIPART_NAME, job.file()?).await?;
            client.post(url).multipart(form).send().await?
        }
        _ => client.get(url).send().await?,
    })
}
