use std::fs;
use std::io::{self, Write};

use attohttpc::body::{Body, BodyKind};
use attohttpc::{MultipartBuilder, MultipartFile, Response, Session};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::{Client, Job, drain, source, space};
use crate::Outcome;
use crate::rows::{FORM, Framing, MULTIPART_NAME, Points, Shape};

struct Attohttpc {
    job: Job,
    session: Session,
    space: Vec<u8>,
}

pub fn prepare(job: &Job) -> Outcome<Box<dyn Client>> {
    let mut session = Session::new();
    session
        .add_root_certificate(CertificateDer::from_pem_slice(job.target.certificate.as_bytes())?);
    Ok(Box::new(Attohttpc { job: job.clone(), session, space: space() }))
}

impl Client for Attohttpc {
    fn perform(&mut self) -> Outcome<u64> {
        let response = self.send()?.error_for_status()?;
        match self.job.shape() {
            Shape::Bytes(..) => Ok(response.bytes()?.len() as u64),
            Shape::Json(..) => Ok(response.json::<Points>()?.len() as u64),
            Shape::Text(..) => Ok(response.text()?.len() as u64),
            _ => drain(response, &mut self.space),
        }
    }

    fn sibling(&self) -> Outcome<Box<dyn Client>> {
        prepare(&self.job)
    }
}

impl Attohttpc {
    fn send(&self) -> Outcome<Response> {
        let (session, url) = (&self.session, self.job.url.as_str());
        Ok(match self.job.shape() {
            Shape::Upload(framing, size) => session.post(url).body(Upload(framing, size)).send()?,
            Shape::Form => session.post(url).form(&FORM)?.send()?,
            Shape::Multipart(_) => {
                let content = fs::read(self.job.file()?)?;
                let file = MultipartFile::new(MULTIPART_NAME, &content);
                session.post(url).body(MultipartBuilder::new().with_file(file).build()?).send()?
            }
            _ => session.get(url).send()?,
        })
    }
}

struct Upload(Framing, u64);

impl Body for Upload {
    fn kind(&mut self) -> io::Result<BodyKind> {
        Ok(match self.0 {
            Framing::Sized => BodyKind::KnownLength(self.1),
            Framing::Chunked => BodyKind::Chunked,
        })
    }

    fn write<W: Write>(&mut self, mut to: W) -> io::Result<()> {
        io::copy(&mut source(self.1), &mut to).map(drop)
    }
}
