//! The cost of leanhttp beside a raw socket and the other clients.
//!
//! This program plays all parts of a run: it starts itself as the server, and once for each client
//! and row as a worker; the client has one core and the server another. See `run` in this folder.

mod allocations;
mod baseline;
mod clients;
mod cold;
mod counts;
mod growth;
mod idle;
mod latency;
mod machine;
mod options;
mod process;
mod programs;
mod report;
mod rows;
mod scratch;
mod series;
mod server;
mod statics;
mod statistics;
mod table;
mod target;
mod times;
mod tools;
mod worker;

use std::env;
use std::process::ExitCode;

use self::clients::Job;
use self::counts::RowCounts;
use self::options::{Mode, Options, Plan};
use self::process::Server;
use self::server::Ports;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Outcome<T> = Result<T, Failure>;

fn main() -> ExitCode {
    match dispatch(env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: Vec<String>) -> Outcome<()> {
    // The crypto provider of clients that leave the choice to the process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["server"] => server::run(Ports::Few),
        ["server-on-many-ports"] => server::run(Ports::Many),
        ["--readme"] => report::readme::write(),
        ["--check-readme"] => report::readme::check(),
        ["build-programs"] => programs::build_all(),
        ["worker", client, row, target] => {
            let job = Job::new(options::row(row)?, target.parse()?)?;
            worker::run(options::client(client)?, &job)
        }
        _ => run(&Options::parse(arguments.into_iter())?),
    }
}

fn run(options: &Options) -> Outcome<()> {
    let plan = options.plan()?;
    let (name, rows, tables) = match options.mode {
        Mode::Counts => count("counts", &plan, &Server::start(Ports::Few)?)?,
        Mode::Growth => count("growth", &plan, &Server::start(Ports::Few)?)?,
        Mode::Guard => return growth::judge(&count_all(&plan, &Server::start(Ports::Few)?)?),
        Mode::Cold => start_cold(&plan, &Server::start(Ports::Few)?)?,
        Mode::Static => weigh_programs(&plan)?,
        Mode::Idle => weigh_idle(&plan, &Server::start(Ports::Many)?)?,
        Mode::Full | Mode::Quick => time(&plan, &Server::start(Ports::Few)?)?,
    };
    if let Some(folder) = &options.out {
        report::write(folder, name, &rows, &tables.concat())?;
    }
    match &options.baseline {
        Some(file) => baseline::compare(file, &rows),
        None => Ok(()),
    }
}

/// The name of the figures, as JSON, as text.
type Figures = (&'static str, Vec<serde_json::Value>, Vec<String>);

fn time(plan: &Plan, server: &Server) -> Outcome<Figures> {
    let mut tables = vec![show(report::preamble())];
    let mut rows = Vec::new();
    for row in &plan.rows {
        rows.push(times::measure(row, plan, &server.target)?);
        tables.extend(rows.last().map(report::times_markdown).map(show));
    }
    tables.push(show(report::ratios_markdown(&rows)));
    Ok(("times", rows.iter().map(report::times_json).collect(), tables))
}

/// The counts of all rows, for the checks.
fn count_all(plan: &Plan, server: &Server) -> Outcome<Vec<RowCounts>> {
    let counted = plan.rows.iter().map(|row| counts::count(row, plan, &server.target));
    Ok(counted.collect::<Outcome<Vec<_>>>()?.into_iter().flatten().collect())
}

fn count(name: &'static str, plan: &Plan, server: &Server) -> Outcome<Figures> {
    let mut tables = vec![show(report::preamble())];
    let mut rows = Vec::new();
    for row in &plan.rows {
        if let Some(counts) = counts::count(row, plan, &server.target)? {
            tables.push(show(report::counts_markdown(&counts)));
            rows.push(report::counts_json(&counts));
        }
    }
    Ok((name, rows, tables))
}

fn weigh_idle(plan: &Plan, server: &Server) -> Outcome<Figures> {
    let mut tables = vec![show(report::preamble())];
    let mut rows = Vec::new();
    for row in &plan.rows {
        let held = idle::measure(row, plan, &server.target)?;
        tables.push(show(report::idle_markdown(&held)));
        rows.push(report::idle_json(&held));
    }
    Ok(("idle", rows, tables))
}

fn start_cold(plan: &Plan, server: &Server) -> Outcome<Figures> {
    let mut tables = vec![show(report::preamble())];
    let mut rows = Vec::new();
    for scene in cold::SCENES {
        let costs = cold::measure(scene, plan, &server.target)?;
        tables.push(show(report::cold_markdown(&costs)));
        rows.push(report::cold_json(&costs));
    }
    Ok(("cold", rows, tables))
}

fn weigh_programs(plan: &Plan) -> Outcome<Figures> {
    let all = plan
        .programs
        .iter()
        .map(|program| statics::measure(program))
        .collect::<Outcome<Vec<_>>>()?;
    let tables = vec![show(report::preamble()), show(report::statics_markdown(&all))];
    Ok(("static", all.iter().map(report::statics_json).collect(), tables))
}

/// Prints a table as soon as it is there.
fn show(table: String) -> String {
    println!("{table}");
    table + "\n"
}
