//! Counts: what a request costs in instructions, allocations and system calls.
//!
//! They hardly vary from run to run, so they can be compared with what they were. Instructions and
//! system calls are the difference between two runs, one of which sends twice as many requests:
//! what the start costs cancels out.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::Outcome;
use crate::clients::Entry;
use crate::options::Plan;
use crate::process::Worker;
use crate::rows::Row;
use crate::target::Target;
use crate::worker::{Order, Sample};

/// What one client's requests of a row cost.
pub struct Counts {
    pub client: &'static str,
    pub instructions: f64,
    pub allocations: f64,
    pub reallocations: f64,
    pub allocated_bytes: f64,
    /// By name, those left out that do not come up once in 100 requests.
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
    let count = |&entry: &&'static Entry| Subject { entry, row, target, requests }.count();
    Ok(Some(RowCounts { row, clients: able.map(count).collect::<Outcome<_>>()? }))
}

impl Counts {
    pub fn all_system_calls(&self) -> f64 {
        self.system_calls.values().sum()
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
    fn count(&self) -> Outcome<Counts> {
        let allocated = self.allocations()?.allocations;
        Ok(Counts {
            client: self.entry.name,
            instructions: self.instructions()?,
            allocations: allocated.fresh as f64 / self.units(),
            reallocations: allocated.resized as f64 / self.units(),
            allocated_bytes: allocated.bytes as f64 / self.units(),
            system_calls: self.system_calls()?,
        })
    }

    /// What the counts are divided by: requests, or MiB where those matter.
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

    fn instructions(&self) -> Outcome<f64> {
        let total = |requests| {
            let file = Output::new("callgrind");
            let option = format!("--callgrind-out-file={}", file.name());
            self.run(&["env", NO_REP, "valgrind", "-q", "--tool=callgrind", &option], requests)?;
            instructions_in(&file.read()?)
        };
        Ok((total(2 * self.requests)? - total(self.requests)?) / self.units())
    }

    fn system_calls(&self) -> Outcome<BTreeMap<String, f64>> {
        let calls = |requests| {
            let file = Output::new("strace");
            self.run(&["strace", "-f", "-c", "-o", file.name()], requests)?;
            system_calls_in(&file.read()?)
        };
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

/// Callgrind counts each byte that `rep movsb` and `rep stosb` move as an instruction; so glibc is
/// told to copy and clear large blocks with vectors.
const NO_REP: &str = "GLIBC_TUNABLES=\
    glibc.cpu.x86_rep_movsb_threshold=0x7fffffff:glibc.cpu.x86_rep_stosb_threshold=0x7fffffff";

/// The file that a tool writes, removed at the end.
struct Output(PathBuf);

impl Output {
    fn new(tool: &str) -> Self {
        let name = format!("leanhttp-benches-{}.{tool}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn name(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    fn read(&self) -> Outcome<String> {
        Ok(fs::read_to_string(&self.0)?)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // Left behind in the folder for temporary files, it does no harm.
        let _ = fs::remove_file(&self.0);
    }
}

/// Callgrind ends its file with the sum over all threads.
fn instructions_in(output: &str) -> Outcome<f64> {
    let total = output.lines().find_map(|line| line.strip_prefix("totals:"));
    Ok(total.ok_or("callgrind wrote no totals")?.trim().parse()?)
}

/// The table of `strace -c`: per cent, seconds, microseconds a call, calls, errors if any, name.
fn system_calls_in(output: &str) -> Outcome<BTreeMap<String, f64>> {
    let lines = output.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let calls = lines.filter_map(|words| match words.as_slice() {
        [share, _, _, calls, .., name] if *name != "total" && share.parse::<f64>().is_ok() => {
            Some((name.to_string(), calls.parse().ok()?))
        }
        _ => None,
    });
    let calls: BTreeMap<_, _> = calls.collect();
    if calls.is_empty() { Err("strace wrote no calls".into()) } else { Ok(calls) }
}

#[cfg(test)]
mod tests {
    use super::{instructions_in, system_calls_in};

    #[test]
    fn totals_are_found() {
        assert_eq!(instructions_in("events: Ir\nsummary: 3\n\ntotals: 12\n").unwrap(), 12.0);
        assert!(instructions_in("events: Ir\n").is_err());
    }

    #[test]
    fn calls_are_taken_with_and_without_errors() {
        let table = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.000300           0      1000           sendto
 40.00    0.000200           0      1003         3 recvfrom
  0.00    0.000000           0         1           brk
------ ----------- ----------- --------- --------- ----------------
100.00    0.000500           0      2004         3 total
";
        let calls = system_calls_in(table).unwrap();
        let expected = [("brk", 1.0), ("recvfrom", 1003.0), ("sendto", 1000.0)];
        assert!(calls.iter().map(|(name, count)| (name.as_str(), *count)).eq(expected));
        assert!(system_calls_in("strace: no such program").is_err());
    }
}
