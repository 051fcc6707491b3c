//! Counts of a run, in memory that does not grow.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::time::Duration;

use leanhttp::Error;

/// Eight buckets for each doubling of a duration.
const STEPS: usize = 8;

#[derive(Clone)]
pub struct Tally {
    pub requests: u64,
    pub bytes: u64,
    pub dropped: u64,
    pub errors: BTreeMap<String, u64>,
    /// The first failures.
    pub wrong: Vec<String>,
    times: Vec<u64>,
}

impl Default for Tally {
    fn default() -> Tally {
        Tally {
            requests: 0,
            bytes: 0,
            dropped: 0,
            errors: BTreeMap::new(),
            wrong: Vec::new(),
            times: vec![0; 64 * STEPS],
        }
    }
}

impl Tally {
    pub fn took(&mut self, time: Duration) {
        self.requests += 1;
        let step = (1.0 + time.as_micros() as f64).log2() * STEPS as f64;
        self.times[step as usize] += 1;
    }

    pub fn failed(&mut self, error: &Error) {
        let kind = format!("{:?} in {:?}", error.kind(), error.phase());
        *self.errors.entry(kind).or_default() += 1;
    }

    pub fn is_wrong(&mut self, what: String) {
        if self.wrong.len() < 20 {
            self.wrong.push(what);
        }
    }

    pub fn add(&mut self, other: Tally) {
        self.requests += other.requests;
        self.bytes += other.bytes;
        self.dropped += other.dropped;
        self.wrong.extend(other.wrong);
        for (kind, count) in other.errors {
            *self.errors.entry(kind).or_default() += count;
        }
        for (count, more) in self.times.iter_mut().zip(other.times) {
            *count += more;
        }
    }

    /// The time within which so many of a hundred requests ended.
    fn percentile(&self, share: u64) -> Duration {
        let wanted = (self.requests * share).div_ceil(100);
        let mut seen = 0;
        let step = self.times.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        let end = (step.unwrap_or(0) + 1) as f64 / STEPS as f64;
        Duration::from_micros(end.exp2() as u64)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed: u64 = self.errors.values().sum();
        writeln!(f, "requests   {}, {} MiB of bodies", self.requests, self.bytes >> 20)?;
        writeln!(f, "latency    p50 {:?}, p99 {:?}", self.percentile(50), self.percentile(99))?;
        writeln!(f, "dropped    {} responses half read", self.dropped)?;
        writeln!(f, "errors     {failed}")?;
        for (kind, count) in &self.errors {
            writeln!(f, "           {count:6} {kind}")?;
        }
        Ok(())
    }
}

/// Resources of the process, where the system reports them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holdings {
    pub descriptors: Option<usize>,
    pub threads: Option<usize>,
}

impl Holdings {
    pub fn now() -> Holdings {
        let count = |folder| fs::read_dir(folder).ok().map(Iterator::count);
        Holdings { descriptors: count("/proc/self/fd"), threads: count("/proc/self/task") }
    }
}

/// Resident memory in MiB; 0 if the system does not report it.
pub fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) >> 10
}
