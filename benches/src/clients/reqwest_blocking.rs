use reqwest::blocking::multipart::Form;
use reqwest::blocking::{Body, Client as Reqwest, Response};
use reqwest::tls::Certificate;

use super::{Client, Job, drain, source, space};
use crate::Outcome;
use crate::rows::{FORM, Framing, MULTIPART_NAME, Points, Shape};

struct Blocking {
    job: Job,
    client: Reqwest,
    space: Vec<u8>,
}

pub fn prepare(job: &Job) -> Outcome<Box<dyn Client>> {
    let certificate = Certificate::from_pem(job.target.certificate.as_bytes())?;
    let client = Reqwest::builder().tls_certs_only([certificate]).build()?;
    Ok(Box::new(Blocking { job: job.clone(), client, space: space() }))
}

impl Client for Blocking {
    fn perform(&mut self) -> Outcome<u64> {
        let response = self.send()?.error_for_status()?;
        match self.job.shape() {
            Shape::Bytes(_) => Ok(response.bytes()?.len() as u64),
            Shape::Json(_) => Ok(response.json::<Points>()?.len() as u64),
            Shape::Text(_) => Ok(response.text()?.len() as u64),
            _ => drain(response, &mut self.space),
        }
    }

    fn sibling(&self) -> Outcome<Box<dyn Client>> {
        let (job, client) = (self.job.clone(), self.client.clone());
        Ok(Box::new(Self { job, client, space: space() }))
    }

    fn turn_to(&mut self, port: u16) -> Outcome<()> {
        self.job.turn_to(port)
    }
}

impl Blocking {
    fn send(&self) -> Outcome<Response> {
        let url = self.job.url.as_str();
        Ok(match self.job.shape() {
            Shape::Upload(framing, size) => {
                let body = match framing {
                    Framing::Sized => Body::sized(source(size), size),
                    Framing::Chunked => Body::new(source(size)),
                };
                self.client.post(url).body(body).send()?
            }
            Shape::Form => self.client.post(url).form(&FORM).send()?,
            Shape::Multipart(_) => {
                let form = Form::new().file(MULTIPART_NAME, self.job.file()?)?;
                self.client.post(url).multipart(form).send()?
            }
            _ => self.client.get(url).send()?,
        })
    }
}
