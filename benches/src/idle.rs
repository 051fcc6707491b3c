//! Memory: what a connection that idles in a client's pool holds.

use crate::Outcome;
use crate::clients::Entry;
use crate::options::Plan;
use crate::process::Worker;
use crate::rows::{IDLE, IDLE_BEFORE, Row};
use crate::target::Target;
use crate::worker::Order;

/// What one connection holds, in bytes.
pub struct Held {
    pub client: &'static str,
    /// What was asked of the allocator and not given back.
    pub heap: f64,
    /// By how much the process grew.
    pub resident: f64,
}

pub struct RowHeld {
    pub row: &'static Row,
    pub clients: Vec<Held>,
}

pub fn measure(row: &'static Row, plan: &Plan, target: &Target) -> Outcome<RowHeld> {
    let able = plan.clients.iter().filter(|entry| (entry.can)(row));
    let held = able.map(|entry| held(entry, row, target));
    Ok(RowHeld { row, clients: held.collect::<Outcome<_>>()? })
}

fn held(entry: &Entry, row: &Row, target: &Target) -> Outcome<Held> {
    let mut worker = Worker::start(&[], entry, row, target)?;
    let before = worker.order(Order::Count(IDLE_BEFORE))?;
    let after = worker.order(Order::Count(IDLE))?;
    worker.finish()?;
    let grown = after.memory.resident.saturating_sub(before.memory.resident);
    Ok(Held {
        client: entry.name,
        heap: after.allocations.kept as f64 / IDLE as f64,
        resident: 1024.0 * grown as f64 / IDLE as f64,
    })
}
