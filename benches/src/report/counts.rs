//! Tables of counts.

use serde_json::{Value, json};

use crate::counts::{Counts, RowCounts};
use crate::table::{Table, figure, figure_of};

/// A row's table, and the names of its system calls.
pub fn counts_markdown(counts: &RowCounts) -> String {
    let mut table = Table::new([
        "client",
        "instructions",
        &format!("x {}", counts.clients.first().map_or("raw", |one| one.client)),
        "allocations",
        "reallocations",
        "bytes allocated",
        "system calls",
        "peak x body",
    ]);
    for one in &counts.clients {
        table.push([
            one.client.to_owned(),
            figure(one.instructions),
            figure(one.instructions / counts.clients[0].instructions),
            figure(one.allocations),
            figure(one.reallocations),
            figure(one.allocated_bytes),
            figure_of(one.all_system_calls()),
            figure_of(one.peak_x_body),
        ]);
    }
    let counted = counts.clients.iter().filter(|one| one.all_system_calls().is_some());
    let calls: String = counted.map(system_calls).collect();
    format!("### {}, per {}\n\n{table}\n{calls}", counts.row.title, unit(counts))
}

fn system_calls(counts: &Counts) -> String {
    let calls = counts.system_calls.iter();
    let named: Vec<_> = calls.map(|(name, count)| format!("{name} {}", figure(*count))).collect();
    format!("- {}: {}\n", counts.client, named.join(", "))
}

pub fn counts_json(counts: &RowCounts) -> Value {
    let clients = counts.clients.iter().map(|one| {
        json!({
            "client": one.client,
            "instructions": one.instructions,
            "allocations": one.allocations,
            "reallocations": one.reallocations,
            "allocated_bytes": one.allocated_bytes,
            "peak_x_body": one.peak_x_body,
            "system_calls": one.all_system_calls(),
            "system_calls_by_name": one.system_calls,
        })
    });
    json!({
        "name": counts.row.name,
        "title": counts.row.title,
        "per": unit(counts),
        "clients": clients.collect::<Vec<_>>(),
    })
}

fn unit(counts: &RowCounts) -> &'static str {
    if counts.row.volume().is_some() { "MiB" } else { "request" }
}
