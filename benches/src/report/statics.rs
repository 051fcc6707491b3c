//! The table of static figures.

use serde_json::{Value, json};

use crate::statics::Statics;
use crate::table::{Table, figure};

pub fn statics_markdown(all: &[Statics]) -> String {
    let mut table = Table::new(["program", "crates", "build s", "CPU s", "size KiB"]);
    for one in all {
        table.push([
            one.program.to_owned(),
            one.crates.to_string(),
            figure(one.wall.as_secs_f64()),
            figure(one.cpu.as_secs_f64()),
            figure(one.size as f64 / 1024.0),
        ]);
    }
    format!("### A program with one GET, built from nothing, stripped\n\n{table}")
}

pub fn statics_json(one: &Statics) -> Value {
    json!({
        "program": one.program,
        "crates": one.crates,
        "build_s": one.wall.as_secs_f64(),
        "build_cpu_s": one.cpu.as_secs_f64(),
        "size": one.size,
    })
}
