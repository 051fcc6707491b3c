//! The figures as Markdown for people and as JSON for programs. None of them is typed by hand.

mod chart;
mod cold;
mod counts;
mod growth;
mod idle;
pub mod readme;
mod results;
mod statics;
mod times;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::Outcome;
use crate::clients::CLIENTS;
use crate::machine;
use crate::statistics::Summary;

pub use self::cold::{cold_json, cold_markdown};
pub use self::counts::{counts_json, counts_markdown};
pub use self::idle::{idle_json, idle_markdown};
pub use self::statics::{statics_json, statics_markdown};
pub use self::times::{ratios_markdown, times_json, times_markdown};

/// Writes `NAME.json` and `NAME.md` into a folder.
pub fn write(folder: &Path, name: &str, rows: &[Value], markdown: &str) -> Outcome<()> {
    let whole = json!({
        "date": date()?,
        "machine": machine::description(),
        "rustc": rustc()?,
        "versions": versions(),
        "rows": rows,
    });
    fs::create_dir_all(folder)?;
    fs::write(folder.join(name).with_extension("json"), format!("{whole:#}\n"))?;
    fs::write(folder.join(name).with_extension("md"), markdown)?;
    Ok(())
}

/// The conditions of the measurement: the line above the tables.
pub fn preamble() -> String {
    let mut named: Vec<_> = packages().map(|(name, version)| format!("{name} {version}")).collect();
    named.dedup();
    format!("{}; {}\n", machine::description(), named.join(", "))
}

/// The compiler that cargo uses here.
pub fn rustc() -> Outcome<String> {
    let output = Command::new("rustc").arg("--version").output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn date() -> Outcome<String> {
    let output = Command::new("date").args(["--utc", "+%F"]).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn versions() -> Value {
    packages().map(|(name, version)| (name.to_owned(), Value::from(version))).collect()
}

fn packages() -> impl Iterator<Item = (&'static str, &'static str)> {
    CLIENTS.iter().filter_map(|entry| entry.package).map(|name| (name, version(name)))
}

/// The version of a package in Cargo.lock.
fn version(package: &str) -> &'static str {
    let mut lines = include_str!("../Cargo.lock").lines();
    let name = format!("name = \"{package}\"");
    lines.find(|line| *line == name);
    let version = lines.next().and_then(|line| line.strip_prefix("version = "));
    version.map_or("unknown", |quoted| quoted.trim_matches('"'))
}

fn summary(of: Option<Summary>) -> Value {
    of.map_or(Value::Null, |Summary { median, lower, upper }| {
        json!({ "median": median, "lower_quartile": lower, "upper_quartile": upper })
    })
}
