//! The counting tools: valgrind's callgrind and strace.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::Outcome;

/// The user-space instructions of the process that `run` starts, given the command line of the
/// wrapper.
pub fn instructions(run: impl FnOnce(&[&str]) -> Outcome<()>) -> Outcome<f64> {
    let file = Output::new("callgrind");
    let option = format!("--callgrind-out-file={}", file.name());
    run(&["env", NO_REP, "valgrind", "-q", "--tool=callgrind", &option])?;
    instructions_in(&file.read()?)
}

/// The system calls of the process that `run` starts, given the command line of the wrapper, by
/// name.
pub fn system_calls(run: impl FnOnce(&[&str]) -> Outcome<()>) -> Outcome<BTreeMap<String, f64>> {
    let file = Output::new("strace");
    run(&["strace", "-f", "-c", "-o", file.name()])?;
    system_calls_in(&file.read()?)
}

/// Callgrind counts each byte that `rep movsb` and `rep stosb` move as an instruction, so glibc is
/// configured to copy and clear large blocks with vectors.
const NO_REP: &str = "GLIBC_TUNABLES=\
    glibc.cpu.x86_rep_movsb_threshold=0x7fffffff:glibc.cpu.x86_rep_stosb_threshold=0x7fffffff";

/// The output file of a tool, deleted at the end.
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
        // A file that is left in the temporary folder does no harm.
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
    fn instruction_totals_are_parsed() {
        assert_eq!(instructions_in("events: Ir\nsummary: 3\n\ntotals: 12\n").unwrap(), 12.0);
        assert!(instructions_in("events: Ir\n").is_err());
    }

    #[test]
    fn call_counts_are_parsed_with_and_without_errors() {
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
