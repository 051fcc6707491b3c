//! The command line.

use std::path::PathBuf;

use crate::Outcome;
use crate::clients::{CLIENTS, Entry};
use crate::programs::{self, Program};
use crate::rows::{ROWS, Row};
use crate::series::{ALL_ROWS, SERIES, Series};

pub const USAGE: &str = "\
usage: leanhttp-benches [--quick | --counts | --growth | --idle | --cold | --static] [--rows NAME,…] [--clients NAME,…] [--out DIR]
                        [--baseline FILE]
       leanhttp-benches --readme | --check-readme

  --quick      a few rows and rounds, in less than a minute
  --counts     instructions, allocations and system calls instead of time
  --growth     instructions and allocations as hosts, waiters, bodies and more grow
  --guard      the same, as far as CI asks: fail if they grow faster than allowed
  --idle       the memory of connections that idle, instead of time
  --cold       processes from their start to the first response, and their memory
  --static     crates, time to build, size
  --rows       only these rows; with --growth, only these series, or rows of them
  --clients    only these clients
  --out        write the figures as JSON and Markdown to this folder too
  --readme     write the chart and the figures in README.md anew, from results/
  --check-readme   an error unless they are what results/ says
  --baseline   with --counts: fail if leanhttp costs more than in this counts.json";

/// The options of a run.
pub struct Options {
    pub mode: Mode,
    pub out: Option<PathBuf>,
    pub baseline: Option<PathBuf>,
    rows: Option<String>,
    clients: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Full,
    Quick,
    Counts,
    Growth,
    /// The growth that CI checks.
    Guard,
    Idle,
    Cold,
    Static,
}

/// The parts of a run.
pub struct Plan {
    pub rows: Vec<&'static Row>,
    pub clients: Vec<&'static Entry>,
    pub programs: Vec<&'static Program>,
    pub rounds: usize,
    /// True if counts include system calls.
    pub has_calls: bool,
}

impl Options {
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Outcome<Self> {
        let mut options =
            Self { mode: Mode::Full, out: None, baseline: None, rows: None, clients: None };
        while let Some(option) = arguments.next() {
            let mut value = || arguments.next().ok_or(USAGE);
            match option.as_str() {
                "--quick" => options.mode = Mode::Quick,
                "--growth" => options.mode = Mode::Growth,
                "--guard" => options.mode = Mode::Guard,
                "--counts" => options.mode = Mode::Counts,
                "--cold" => options.mode = Mode::Cold,
                "--static" => options.mode = Mode::Static,
                "--idle" => options.mode = Mode::Idle,
                "--rows" => options.rows = Some(value()?),
                "--clients" => options.clients = Some(value()?),
                "--baseline" => options.baseline = Some(value()?.into()),
                "--out" => options.out = Some(value()?.into()),
                _ => return Err(USAGE.into()),
            }
        }
        Ok(options)
    }

    pub fn plan(&self) -> Outcome<Plan> {
        let is_guard = self.mode == Mode::Guard;
        let rows = match &self.rows {
            Some(names) if is_guard || self.mode == Mode::Growth => {
                let named = names.split(',').map(|name| match Series::named(name) {
                    Some(series) => Ok(series.rows(is_guard).collect()),
                    None => Ok(vec![row(name)?]),
                });
                named.collect::<Outcome<Vec<Vec<_>>>>()?.concat()
            }
            None if is_guard || self.mode == Mode::Growth => {
                SERIES.iter().flat_map(|one| one.rows(is_guard)).collect()
            }
            Some(names) => names.split(',').map(row).collect::<Outcome<_>>()?,
            None => ROWS.iter().filter(|row| self.mode.has(row)).collect(),
        };
        let has_programs = matches!(self.mode, Mode::Cold | Mode::Static);
        let clients = match &self.clients {
            Some(names) if !has_programs => names.split(',').map(client).collect::<Outcome<_>>()?,
            _ => CLIENTS.iter().filter(|entry| !is_guard || entry.is_ours()).collect(),
        };
        let programs = match &self.clients {
            Some(names) if has_programs => {
                names.split(',').map(programs::named).collect::<Outcome<_>>()?
            }
            _ => programs::chosen().collect(),
        };
        let rounds = if self.mode == Mode::Quick { 9 } else { 15 };
        Ok(Plan { rows, clients, programs, rounds, has_calls: self.mode == Mode::Counts })
    }
}

impl Mode {
    /// Returns whether a row is included by default.
    fn has(self, row: &Row) -> bool {
        match self {
            Mode::Full => !row.is_idle(),
            Mode::Quick => row.quick,
            Mode::Counts => row.counted.is_some(),
            Mode::Idle => row.is_idle(),
            // These have programs, not rows.
            Mode::Cold | Mode::Static => false,
            Mode::Growth | Mode::Guard => Series::of(row.name).is_some(),
        }
    }
}

/// The row of that name, in a series or not.
pub fn row(name: &str) -> Outcome<&'static Row> {
    let found = ALL_ROWS.iter().find(|row| row.name == name);
    found.ok_or_else(|| format!("no row is called {name}").into())
}

/// The client of that name.
pub fn client(name: &str) -> Outcome<&'static Entry> {
    let found = CLIENTS.iter().find(|entry| entry.name == name);
    found.ok_or_else(|| format!("no client is called {name}").into())
}
