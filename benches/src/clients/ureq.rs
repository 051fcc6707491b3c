use std::time::Duration;

use ureq::http::Response;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::multipart::Form;
use ureq::{Agent, Body, BodyWithConfig, SendBody};

use super::{Client, Job, POOL, drain, source, space};
use crate::Outcome;
use crate::rows::{FORM, Framing, MULTIPART_NAME, Points, Shape};

const IDLE_AGE: Duration = Duration::from_secs(90);

struct Ureq {
    job: Job,
    agent: Agent,
    space: Vec<u8>,
}

pub fn prepare(job: &Job) -> Outcome<Box<dyn Client>> {
    let certificate = Certificate::from_pem(job.target.certificate.as_bytes())?;
    let roots = RootCerts::new_with_certs(&[certificate]);
    // The default keeps 3 connections a host, with which 16 threads would dial all the time, and 15
    // seconds, in which a busy machine does not open as many as are to idle.
    let config = Agent::config_builder()
        .max_idle_connections_per_host(32)
        .max_idle_connections(POOL)
        .max_idle_age(IDLE_AGE)
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .build();
    Ok(Box::new(Ureq { job: job.clone(), agent: config.into(), space: space() }))
}

impl Client for Ureq {
    fn perform(&mut self) -> Outcome<u64> {
        let mut response = self.send()?;
        let body = response.body_mut();
        match self.job.shape() {
            Shape::Bytes(_) => Ok(unlimited(body).read_to_vec()?.len() as u64),
            Shape::Text(_) => Ok(unlimited(body).read_to_string()?.len() as u64),
            Shape::Json(_) => Ok(unlimited(body).read_json::<Points>()?.len() as u64),
            _ => drain(body.as_reader(), &mut self.space),
        }
    }

    fn sibling(&self) -> Outcome<Box<dyn Client>> {
        let (job, agent) = (self.job.clone(), self.agent.clone());
        Ok(Box::new(Self { job, agent, space: space() }))
    }

    fn turn_to(&mut self, port: u16) -> Outcome<()> {
        self.job.turn_to(port)
    }
}

impl Ureq {
    fn send(&self) -> Outcome<Response<Body>> {
        let url = self.job.url.as_str();
        Ok(match self.job.shape() {
            Shape::Upload(Framing::Sized, size) => {
                let request = self.agent.post(url).header("Content-Length", size.to_string());
                request.send(SendBody::from_reader(&mut source(size)))?
            }
            Shape::Upload(Framing::Chunked, size) => {
                self.agent.post(url).send(SendBody::from_reader(&mut source(size)))?
            }
            Shape::Form => self.agent.post(url).send_form(FORM)?,
            Shape::Multipart(_) => {
                let form = Form::new().file(MULTIPART_NAME, self.job.file()?)?;
                self.agent.post(url).send(form)?
            }
            _ => self.agent.get(url).call()?,
        })
    }
}

/// It takes 10 MB and no more where nothing else is said.
fn unlimited(body: &mut Body) -> BodyWithConfig<'_> {
    body.with_config().limit(u64::MAX)
}
