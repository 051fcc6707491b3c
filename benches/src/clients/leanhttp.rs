use std::io;
use std::net::SocketAddrV4;
use std::sync::Arc;

use leanhttp::blocking::multipart::Form;
use leanhttp::blocking::{Body, Client as Lean, Response};
use leanhttp::cookie::Jar;
use leanhttp::{Certificate, NoProxy, Proxy, Url};

use super::{
    COOKIE, Client, DEAD_PROXY, IDLE_AGE, Job, MAX_FIELDS, PART, POOL, drain, source, space,
};
use crate::Outcome;
use crate::rows::{FORM, Framing, MULTIPART_NAME, Points, Shape};

struct Leanhttp {
    job: Job,
    client: Lean,
    space: Vec<u8>,
}

pub fn prepare(job: &Job) -> Outcome<Box<dyn Client>> {
    let certificate = Certificate::from_pem(job.target.certificate.as_bytes())?;
    let mut builder = Lean::builder().tls_certs_only([certificate]).pool_max_idle(POOL);
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
    Ok(Box::new(Leanhttp { job: job.clone(), client, space: space() }))
}

impl Client for Leanhttp {
    fn perform(&mut self) -> Outcome<u64> {
        let response = self.send()?.error_for_status()?;
        match self.job.shape() {
            Shape::Bytes(..) => Ok(response.bytes()?.len() as u64),
            Shape::Json(..) => Ok(response.json::<Points>()?.len() as u64),
            Shape::Text(..) => Ok(response.text()?.len() as u64),
            Shape::Stream(..) => stream(response),
            _ => drain(response, &mut self.space),
        }
    }

    fn sibling(&self) -> Outcome<Box<dyn Client>> {
        let (job, client) = (self.job.clone(), self.client.clone());
        Ok(Box::new(Self { job, client, space: space() }))
    }

    fn turn_to(&mut self, address: SocketAddrV4) -> Outcome<()> {
        self.job.turn_to(address)
    }
}

/// Apart, so that the other rows do not move the response once more for it.
fn stream(mut response: Response) -> Outcome<u64> {
    Ok(response.copy_to(&mut io::sink())?)
}

impl Leanhttp {
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
            Shape::Parts(count) => {
                let form = Job::parts(count).fold(Form::new(), |form, name| form.text(name, PART));
                self.client.post(url).multipart(form).send()?
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
