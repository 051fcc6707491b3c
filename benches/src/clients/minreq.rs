use super::{Client, Job, drain, space};
use crate::Outcome;
use crate::rows::{Points, Row, Shape, Way};

struct Minreq {
    job: Job,
    space: Vec<u8>,
}

/// It cannot trust a given certificate, sends no reader, and has neither forms nor codings.
pub fn can(row: &Row) -> bool {
    let can_shape = match row.shape {
        Shape::Read(_) | Shape::Bytes(..) | Shape::Text(..) | Shape::Json(..) => true,
        Shape::Stream(way, ..) => way == Way::Copy,
        _ => false,
    };
    can_shape && row.is_basic() && row.is_plain() && !row.is_coded() && !row.has_tasks()
}

pub fn prepare(job: &Job) -> Outcome<Box<dyn Client>> {
    Ok(Box::new(Minreq { job: job.clone(), space: space() }))
}

impl Client for Minreq {
    fn perform(&mut self) -> Outcome<u64> {
        let request = minreq::get(self.job.url.as_str());
        match self.job.shape() {
            Shape::Bytes(..) => Ok(request.send()?.into_bytes().len() as u64),
            Shape::Json(..) => Ok(request.send()?.json::<Points>()?.len() as u64),
            Shape::Text(..) => Ok(request.send()?.as_str()?.len() as u64),
            _ => drain(request.send_lazy()?, &mut self.space),
        }
    }

    fn sibling(&self) -> Outcome<Box<dyn Client>> {
        prepare(&self.job)
    }
}
