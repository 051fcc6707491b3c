//! Counts: the cost of a request in instructions, allocations and system calls.
//!
//! They hardly vary from run to run, so they can be compared with earlier ones. Instructions and
//! system calls are the difference between two runs, one of which sends twice as many requests, so
//! that the cost of the start cancels out.

use std::collections::BTreeMap;

use crate::Outcome;
use crate::clients::Entry;
use crate::options::Plan;
use crate::process::Worker;
use crate::rows::Row;
use crate::target::Target;
use crate::tools;
use crate::worker::{Order, Sample};

/// The cost of one client's requests of a row.
pub struct Counts {
    pub client: &'static str,
    pub instructions: f64,
    pub allocations: f64,
    pub reallocations: f64,
    pub allocated_bytes: f64,
    /// The peak heap of the first request, connection included, as a multiple of the body.
    pub peak_x_body: Option<f64>,
    /// Counts by name, none in a series, without those that occur less than once in 100 requests.
    pub system_calls: BTreeMap<String, f64>,
}

pub struct RowCounts {
    pub row: &'static Row,
    pub clients: Vec<Counts>,
}

/// `None` for a row that is not counted.
pub fn count(row: &'static Row, plan: &Plan, target: &Target) -> Outcome<Option<RowCounts>> {
    let Some(requests) = row.counted else { return Ok(None) };
    let able = plan.clients.iter().filter(|entry| (entry.can)(row));
    let count =
        |&entry: &&'static Entry| Subject { entry, row, target, requests }.count(plan.has_calls);
    Ok(Some(RowCounts { row, clients: able.map(count).collect::<Outcome<_>>()? }))
}

impl Counts {
    /// `None` where they were not counted.
    pub fn all_system_calls(&self) -> Option<f64> {
        (!self.system_calls.is_empty()).then(|| self.system_calls.values().sum())
    }
}

/// A client and a row under the counters.
struct Subject<'a> {
    entry: &'static Entry,
    row: &'static Row,
    target: &'a Target,
    requests: u64,
}

impl Subject<'_> {
    fn count(&self, has_calls: bool) -> Outcome<Counts> {
        let allocated = self.allocations()?.allocations;
        Ok(Counts {
            client: self.entry.name,
            instructions: self.instructions()?,
            allocations: allocated.fresh as f64 / self.units(),
            reallocations: allocated.resized as f64 / self.units(),
            allocated_bytes: allocated.bytes as f64 / self.units(),
            peak_x_body: self.peak_x_body()?,
            system_calls: if has_calls { self.system_calls()? } else { BTreeMap::new() },
        })
    }

    /// The divisor of the counts: requests, or MiB for large bodies.
    fn units(&self) -> f64 {
        (self.requests * self.row.volume().unwrap_or(1)) as f64
    }

    fn allocations(&self) -> Outcome<Sample> {
        let mut worker = Worker::start(&[], self.entry, self.row, self.target)?;
        worker.order(Order::Time(self.requests))?;
        let sample = worker.order(Order::Count(self.requests))?;
        worker.finish()?;
        Ok(sample)
    }

    fn peak_x_body(&self) -> Outcome<Option<f64>> {
        let Some(body) = self.row.body().filter(|_| self.row.is_whole()) else { return Ok(None) };
        let mut worker = Worker::start(&[], self.entry, self.row, self.target)?;
        let sample = worker.order(Order::Count(1))?;
        worker.finish()?;
        Ok(Some(sample.allocations.peak as f64 / body as f64))
    }

    fn instructions(&self) -> Outcome<f64> {
        let total = |requests| tools::instructions(|wrapper| self.run(wrapper, requests));
        Ok((total(2 * self.requests)? - total(self.requests)?) / self.units())
    }

    fn system_calls(&self) -> Outcome<BTreeMap<String, f64>> {
        let calls = |requests| tools::system_calls(|wrapper| self.run(wrapper, requests));
        let (once, mut twice) = (calls(self.requests)?, calls(2 * self.requests)?);
        for (name, count) in &mut twice {
            *count = (*count - once.get(name).unwrap_or(&0.0)) / self.units();
        }
        twice.retain(|_, count| *count >= 0.01);
        Ok(twice)
    }

    fn run(&self, wrapper: &[&str], requests: u64) -> Outcome<()> {
        let mut worker = Worker::start(wrapper, self.entry, self.row, self.target)?;
        worker.order(Order::Time(requests))?;
        worker.finish()
    }
}
