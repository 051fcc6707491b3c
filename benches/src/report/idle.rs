//! Tables of memory.

use serde_json::{Value, json};

use crate::idle::RowHeld;
use crate::table::{Table, figure};

pub fn idle_markdown(held: &RowHeld) -> String {
    let mut table = Table::new(["client", "heap KiB", "resident KiB"]);
    for one in &held.clients {
        let sizes = [one.heap, one.resident].map(|size| figure(size / 1024.0));
        table.push([one.client.to_owned()].into_iter().chain(sizes));
    }
    format!("### {}, per connection\n\n{table}", held.row.title)
}

pub fn idle_json(held: &RowHeld) -> Value {
    let clients = held
        .clients
        .iter()
        .map(|one| json!({ "client": one.client, "heap": one.heap, "resident": one.resident }));
    json!({
        "name": held.row.name,
        "title": held.row.title,
        "per": "connection",
        "clients": clients.collect::<Vec<_>>(),
    })
}
