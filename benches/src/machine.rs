//! Facts and settings of the machine: pinning to a core, CPU time, memory.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use rustix::param::clock_ticks_per_second;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};

use crate::{Failure, Outcome};

/// The owner of a core.
#[derive(Clone, Copy)]
pub enum Core {
    Client,
    Server,
}

/// Pins this process and the threads that it starts later to one core: the client to the first that
/// it may use, the server to the last.
pub fn pin(core: Core) -> Outcome<()> {
    let allowed = sched_getaffinity(None)?;
    let mut usable = (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu));
    let chosen = match core {
        Core::Client => usable.next(),
        Core::Server => usable.next_back(),
    };
    let mut only = CpuSet::new();
    only.set(chosen.ok_or("no core may be used")?);
    Ok(sched_setaffinity(None, &only)?)
}

/// The CPU time of this process so far, all threads together.
pub fn cpu_time() -> Duration {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(spent.tv_sec.unsigned_abs(), u32::try_from(spent.tv_nsec).unwrap_or(0))
}

/// The CPU time of the processes that this one has started and waited for, and of their children.
pub fn cpu_time_of_children() -> Outcome<Duration> {
    let status = fs::read_to_string("/proc/self/stat")?;
    // The name of the program, in parentheses, may contain anything.
    let (_, fields) = status.rsplit_once(')').ok_or("no status")?;
    let times = fields.split_whitespace().skip(13).take(2).map(str::parse::<u64>);
    let ticks: u64 = times.sum::<Result<_, _>>()?;
    Ok(Duration::from_secs(ticks) / u32::try_from(clock_ticks_per_second())?)
}

/// The memory of this process.
pub fn memory() -> Outcome<Memory> {
    Memory::read("self")
}

/// The resident memory of a process and its peak, in KiB.
#[derive(Clone, Copy, Default)]
pub struct Memory {
    pub resident: u64,
    /// The peak.
    pub peak: u64,
}

impl Memory {
    /// The memory of that process, or of `self`.
    pub fn read(process: &str) -> Outcome<Self> {
        let status = fs::read_to_string(format!("/proc/{process}/status"))?;
        let size = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let size = line.and_then(|line| line.split_whitespace().next());
            Ok::<u64, Failure>(size.ok_or_else(|| format!("no {name}"))?.parse()?)
        };
        Ok(Self { resident: size("VmRSS:")?, peak: size("VmHWM:")? })
    }
}

/// Number of open sockets of this process.
pub fn sockets() -> Outcome<u64> {
    let links = fs::read_dir("/proc/self/fd")?.flatten().map(|entry| fs::read_link(entry.path()));
    let is_socket = |link: &PathBuf| link.to_string_lossy().starts_with("socket:");
    Ok(links.flatten().filter(is_socket).count() as u64)
}

/// The processor, the kernel, and the load of the last minute.
pub fn description() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{}, {cores} cores, Linux {}, load {}", processor(), kernel(), load())
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name"));
    let name = model.and_then(|line| line.split_once(':')).map_or("unknown", |(_, name)| name);
    name.trim().to_owned()
}

fn load() -> String {
    let averages = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    averages.split(' ').next().unwrap_or_default().to_owned()
}

fn kernel() -> String {
    fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned()
}
