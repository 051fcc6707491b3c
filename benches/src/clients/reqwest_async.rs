use reqwest::multipart::Form;
use reqwest::tls::Certificate;
use reqwest::{Body, Client as Reqwest, Response};
use tokio::runtime::{Builder, Runtime};

use super::reader_body::ReaderBody;
use super::{Client, Job};
use crate::Outcome;
use crate::rows::{FORM, MULTIPART_NAME, Shape};

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
                let body = Body::wrap(ReaderBody::new(framing, size));
                self.client.post(url).body(body).send().await?
            }
            Shape::Form => self.client.post(url).form(&FORM).send().await?,
            Shape::Multipart(_) => {
                let form = Form::new().file(MULTIPART_NAME, self.job.file()?).await?;
                self.client.post(url).multipart(form).send().await?
            }
            _ => self.client.get(url).send().await?,
        })
    }
}
