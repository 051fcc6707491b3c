//! Time: every client of a row in turn, round after round.
//!
//! A disturbance of the machine affects all clients of a round alike, so the ratios are taken
//! within a round, and their median is reported.

use crate::Outcome;
use crate::clients::Entry;
use crate::options::Plan;
use crate::process::{Server, Worker};
use crate::rows::Row;
use crate::server::Ports;
use crate::statistics::Summary;
use crate::target::Target;
use crate::worker::{Order, Sample};

/// The results of a row's clients.
pub struct RowTimes {
    pub row: &'static Row,
    pub lanes: Vec<Lane>,
}

/// One client's rounds.
pub struct Lane {
    pub client: &'static str,
    pub rounds: Vec<Sample>,
    /// The peak heap of each concurrent sender, in bytes.
    pub heap_each: Option<f64>,
}

pub fn measure(row: &'static Row, plan: &Plan, target: &Target) -> Outcome<RowTimes> {
    let able: Vec<&Entry> = plan.clients.iter().copied().filter(|one| (one.can)(row)).collect();
    // Ten thousand connections of each client are more than one process may have open.
    let has_own = row.crowd().is_some_and(|count| count > CROWD);
    let own = able.iter().filter(|_| has_own).map(|_| Server::start(Ports::Few));
    let own = own.collect::<Outcome<Vec<_>>>()?;
    let target_of = |lane: usize| own.get(lane).map_or(target, |server| &server.target);
    let start = |(lane, entry): (usize, &&Entry)| Worker::start(&[], entry, row, target_of(lane));
    let mut workers = able.iter().enumerate().map(start).collect::<Outcome<Vec<_>>>()?;
    let mut rounds = vec![Vec::new(); workers.len()];
    // Opens connections and fills caches, before anything is measured.
    for worker in &mut workers {
        worker.order(Order::Time(row.round.div_ceil(4)))?;
    }
    let order = if row.crowd().is_some() { Order::Watch } else { Order::Time };
    for round in 0..plan.rounds {
        for turn in 0..workers.len() {
            // A different client begins each round, so that none always follows the same one.
            let chosen = (round + turn) % workers.len();
            rounds[chosen].push(workers[chosen].order(order(row.round))?);
        }
    }
    workers.into_iter().try_for_each(Worker::finish)?;
    let lanes = able.iter().zip(rounds).enumerate().map(|(lane, (one, rounds))| {
        let heap_each = heap_each(one, row, target_of(lane))?;
        Ok(Lane { client: one.name, rounds, heap_each })
    });
    Ok(RowTimes { row, lanes: lanes.collect::<Outcome<_>>()? })
}

/// The most connections that a client may have without a server of its own.
const CROWD: u64 = 4_000;

/// From nothing: connections and tasks are included.
fn heap_each(entry: &Entry, row: &Row, target: &Target) -> Outcome<Option<f64>> {
    let Some(count) = row.crowd() else { return Ok(None) };
    let mut worker = Worker::start(&[], entry, row, target)?;
    let sample = worker.order(Order::Count(2 * count))?;
    worker.finish()?;
    Ok(Some(sample.allocations.peak as f64 / count as f64))
}

impl RowTimes {
    /// The reference for the others.
    pub fn floor(&self) -> Option<&Lane> {
        self.lanes.first()
    }

    pub fn lane(&self, client: &str) -> Option<&Lane> {
        self.lanes.iter().find(|lane| lane.client == client)
    }
}

impl Lane {
    /// Microseconds a request.
    pub fn wall(&self, row: &Row) -> Option<Summary> {
        Summary::of(self.rounds.iter().map(|one| per_request(one.wall.as_secs_f64(), row)))
    }

    /// Microseconds of CPU a request.
    pub fn cpu(&self, row: &Row) -> Option<Summary> {
        Summary::of(self.rounds.iter().map(|one| per_request(one.cpu.as_secs_f64(), row)))
    }

    /// The speed of this client relative to `other`.
    pub fn speed_of(&self, other: &Lane) -> Option<Summary> {
        let pairs = self.rounds.iter().zip(&other.rounds);
        Summary::of(pairs.map(|(own, its)| its.wall.as_secs_f64() / own.wall.as_secs_f64()))
    }

    /// The CPU time of this client relative to `other`.
    pub fn cpu_beside(&self, other: &Lane) -> Option<Summary> {
        let pairs = self.rounds.iter().zip(&other.rounds);
        Summary::of(pairs.map(|(own, its)| own.cpu.as_secs_f64() / its.cpu.as_secs_f64()))
    }

    /// The 99th percentile as a multiple of the median.
    pub fn tail(&self) -> Option<Summary> {
        let watched = self.rounds.iter().filter(|one| !one.latency.median.is_zero());
        let tail = |one: &Sample| one.latency.p99.as_secs_f64() / one.latency.median.as_secs_f64();
        Summary::of(watched.map(tail))
    }

    /// KiB.
    pub fn peak_memory(&self) -> u64 {
        self.rounds.iter().map(|one| one.memory.peak).max().unwrap_or(0)
    }
}

fn per_request(seconds: f64, row: &Row) -> f64 {
    seconds * 1e6 / row.round as f64
}
