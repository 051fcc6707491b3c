use std::io;
use std::net::SocketAddrV4;

#[cfg(feature = "all-peers")]
use ureq::Cookie;
use ureq::http::Response;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::multipart::Form;
use ureq::{Agent, Body, BodyWithConfig, Proxy, ProxyProtocol, SendBody};

#[cfg(feature = "all-peers")]
use super::COOKIE;
use super::{Client, IDLE_AGE, Job, PART, POOL, drain, source, space};
use crate::Outcome;
use crate::rows::{FORM, Framing, MULTIPART_NAME, Points, Shape};

struct Ureq {
    job: Job,
    agent: Agent,
    space: Vec<u8>,
}

pub fn prepare(job: &Job) -> Outcome<Box<dyn Client>> {
    let certificate = Certificate::from_pem(job.target.certificate.as_bytes())?;
    let roots = RootCerts::new_with_certs(&[certificate]);
    let proxy = match job.no_proxy() {
        Some(list) => {
            let builder = Proxy::builder(ProxyProtocol::Http).host("127.0.0.1").port(9);
            Some(list.split(',').fold(builder, |builder, entry| builder.no_proxy(entry)).build()?)
        }
        None => None,
    };
    // By default it keeps 3 connections a host, with which 16 threads would connect all the time,
    // for 15 seconds, in which a busy machine does not open all idle connections of a row.
    let config = Agent::config_builder()
        .proxy(proxy)
        .max_idle_connections_per_host(32)
        .max_idle_connections(POOL)
        .max_idle_age(IDLE_AGE)
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .build();
    let agent = Agent::from(config);
    #[cfg(feature = "all-peers")]
    if let Some(hosts) = job.cookie_hosts() {
        let mut jar = agent.cookie_jar_lock();
        for host in hosts {
            let host = host.parse()?;
            jar.insert(Cookie::parse(COOKIE, &host)?, &host)?;
        }
        jar.release();
    }
    Ok(Box::new(Ureq { job: job.clone(), agent, space: space() }))
}

impl Client for Ureq {
    fn perform(&mut self) -> Outcome<u64> {
        let mut response = self.send()?;
        let body = response.body_mut();
        match self.job.shape() {
            Shape::Bytes(..) => Ok(unlimited(body).read_to_vec()?.len() as u64),
            Shape::Text(..) => Ok(unlimited(body).read_to_string()?.len() as u64),
            Shape::Json(..) => Ok(unlimited(body).read_json::<Points>()?.len() as u64),
            Shape::Stream(..) => Ok(io::copy(&mut body.as_reader(), &mut io::sink())?),
            _ => drain(body.as_reader(), &mut self.space),
        }
    }

    fn sibling(&self) -> Outcome<Box<dyn Client>> {
        let (job, agent) = (self.job.clone(), self.agent.clone());
        Ok(Box::new(Self { job, agent, space: space() }))
    }

    fn turn_to(&mut self, address: SocketAddrV4) -> Outcome<()> {
        self.job.turn_to(address)
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
            Shape::Parts(count) => {
                let names: Vec<_> = Job::parts(count).collect();
                let form = names.iter().fold(Form::new(), |form, name| form.text(name, PART));
                self.agent.post(url).send(form)?
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

/// Its default limit is 10 MB.
fn unlimited(body: &mut Body) -> BodyWithConfig<'_> {
    body.with_config().limit(u64::MAX)
}
