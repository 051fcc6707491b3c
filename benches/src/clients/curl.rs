use std::io::{Read, Take};

use curl::easy::{Easy, Form, List};

use super::{Client, Job, points, source};
use crate::Outcome;
use crate::rows::{FORM, Framing, MULTIPART_NAME, Shape};

struct Curl {
    job: Job,
    handle: Easy,
}

pub fn prepare(job: &Job) -> Outcome<Box<dyn Client>> {
    let mut handle = Easy::new();
    handle.url(&job.url)?;
    handle.fail_on_error(true)?;
    handle.ssl_cainfo_blob(job.target.certificate.as_bytes())?;
    if job.row.is_coded() {
        handle.accept_encoding("gzip")?;
    }
    let mut fields = List::new();
    // Otherwise it waits for 100 (Continue) before a large body, which none of the others does.
    fields.append("Expect:")?;
    if let Shape::Upload(framing, size) = job.shape() {
        handle.post(true)?;
        match framing {
            Framing::Sized => handle.post_field_size(size)?,
            Framing::Chunked => fields.append("Transfer-Encoding: chunked")?,
        }
    }
    handle.http_headers(fields)?;
    Ok(Box::new(Curl { job: job.clone(), handle }))
}

impl Client for Curl {
    fn perform(&mut self) -> Outcome<u64> {
        match self.job.shape() {
            Shape::Bytes(..) => Ok(self.collect()?.len() as u64),
            Shape::Json(..) => points(&self.collect()?),
            Shape::Text(..) => Ok(String::from_utf8(self.collect()?)?.len() as u64),
            Shape::Upload(_, size) => self.transfer(Some(source(size)), |_| ()),
            Shape::Form => {
                let pairs = FORM.map(|(name, value)| {
                    let mut coded = |text: &str| self.handle.url_encode(text.as_bytes());
                    format!("{}={}", coded(name), coded(value))
                });
                self.handle.post_fields_copy(pairs.join("&").as_bytes())?;
                self.transfer(None, |_| ())
            }
            Shape::Multipart(_) => {
                let mut form = Form::new();
                form.part(MULTIPART_NAME).file(self.job.file()?).add()?;
                self.handle.httppost(form)?;
                self.transfer(None, |_| ())
            }
            _ => self.transfer(None, |_| ()),
        }
    }

    fn sibling(&self) -> Outcome<Box<dyn Client>> {
        prepare(&self.job)
    }
}

impl Curl {
    fn collect(&mut self) -> Outcome<Vec<u8>> {
        let mut body = Vec::new();
        self.transfer(None, |piece| body.extend_from_slice(piece))?;
        Ok(body)
    }

    fn transfer(
        &mut self,
        upload: Option<Take<std::io::Repeat>>,
        mut sink: impl FnMut(&[u8]),
    ) -> Outcome<u64> {
        let mut total = 0;
        let mut transfer = self.handle.transfer();
        if let Some(mut reader) = upload {
            transfer.read_function(move |space| Ok(reader.read(space).unwrap_or(0)))?;
        }
        transfer.write_function(|piece| {
            sink(piece);
            total += piece.len() as u64;
            Ok(piece.len())
        })?;
        transfer.perform()?;
        drop(transfer);
        Ok(total)
    }
}
