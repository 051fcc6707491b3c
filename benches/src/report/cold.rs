//! Tables of whole processes.

use serde_json::{Value, json};

use crate::cold::{Costs, Kind, SceneCosts};
use crate::table::{Table, figure};

pub fn cold_markdown(costs: &SceneCosts) -> String {
    let table = match costs.scene.kind {
        Kind::Start => start_table(&costs.programs),
        Kind::Body => body_table(&costs.programs),
    };
    format!("### {}\n\n{table}", costs.scene.title)
}

fn start_table(programs: &[Costs]) -> Table {
    let header =
        ["program", "wall ms", "spread", "CPU ms", "M instructions", "system calls", "peak MiB"];
    let mut table = Table::new(header);
    for one in programs {
        table.push([
            one.program.to_owned(),
            figure(one.wall.median / 1e3),
            format!("{:.1} %", 100.0 * one.wall.spread()),
            figure(one.cpu.median / 1e3),
            one.instructions.map_or_else(|| "-".to_owned(), |count| format!("{:.3}", count / 1e6)),
            one.system_calls.map_or_else(|| "-".to_owned(), |count| count.to_string()),
            mebibytes(one.peak_memory),
        ]);
    }
    table
}

fn body_table(programs: &[Costs]) -> Table {
    let mut table = Table::new(["program", "GiB/s", "CPU s/GiB", "peak MiB"]);
    for one in programs {
        table.push([
            one.program.to_owned(),
            figure(1e6 / one.wall.median),
            figure(one.cpu.median / 1e6),
            mebibytes(one.peak_memory),
        ]);
    }
    table
}

fn mebibytes(kibibytes: u64) -> String {
    figure(kibibytes as f64 / 1024.0)
}

pub fn cold_json(costs: &SceneCosts) -> Value {
    let programs = costs.programs.iter().map(|one| {
        json!({
            "program": one.program,
            "wall_us": super::summary(Some(one.wall)),
            "cpu_us": super::summary(Some(one.cpu)),
            "instructions": one.instructions,
            "system_calls": one.system_calls,
            "peak_memory_kib": one.peak_memory,
        })
    });
    json!({
        "name": costs.scene.name,
        "title": costs.scene.title,
        "programs": programs.collect::<Vec<_>>(),
    })
}
