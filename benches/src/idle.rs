//! Memory: the size of an idle connection in a client's pool.

use crate::Outcome;
use crate::clients::Entry;
use crate::options::Plan;
use crate::process::Worker;
use crate::rows::{IDLE, IDLE_BEFORE, Row};
use crate::target::Target;
use crate::worker::Order;

/// The memory of one connection, in bytes.
pub struct Held {
    pub client: &'static str,
    /// Bytes allocated and not freed.
    pub heap: f64,
    /// The growth of the process.
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
