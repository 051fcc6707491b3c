use reqwest::multipart::Form;
use reqwest::tls::Certificate;
use reqwest::{Body, Client as Reqwest, Response};
use tokio::runtime::{Builder, Runtime};

use super::reader_body::ReaderBody;
use super::{Client, Job, in_tasks};
use crate::Outcome;
use crate::rows::{FORM, MULTIPART_NAME, Points, Shape};

struct Async {
    job: Job,
    runtime: Runtime,
    client: Reqwest,
}

pub fn prepare(job: &Job) -> Outcome<Box<dyn Client>> {
    let certificate = Certificate::from_pem(job.target.certificate.as_bytes())?;
    let client = Reqwest::builder().tls_certs_only([certificate]).build()?;
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

    fn turn_to(&mut self, port: u16) -> Outcome<()> {
        self.job.turn_to(port)
    }

    fn perform_in_tasks(&mut self, tasks: u64, each: u64) -> Outcome<()> {
        let (job, client) = (&self.job, &self.client);
        self.runtime.block_on(in_tasks(tasks, || repeat(job.clone(), client.clone(), each)))
    }
}

async fn repeat(job: Job, client: Reqwest, times: u64) -> Outcome<()> {
    for _ in 0..times {
        job.check(perform(&job, &client).await?)?;
    }
    Ok(())
}

async fn perform(job: &Job, client: &Reqwest) -> Outcome<u64> {
    let mut response = send(job, client).await?.error_for_status()?;
    Ok(match job.shape() {
        Shape::Bytes(_) => response.bytes().await?.len() as u64,
        Shape::Text(_) => response.text().await?.len() as u64,
        Shape::Json(_) => response.json::<Points>().await?.len() as u64,
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
        Shape::Form => client.post(url).form(&FORM).send().await?,
        Shape::Multipart(_) => {
            let form = Form::new().file(MULTIPART_NAME, job.file()?).await?;
            client.post(url).multipart(form).send().await?
        }
        _ => client.get(url).send().await?,
    })
}
