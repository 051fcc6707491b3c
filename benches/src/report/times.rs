//! Tables of times.

use serde_json::{Value, json};

use super::summary;
use crate::clients::{CLIENTS, OURS};
use crate::rows::Row;
use crate::statistics::Summary;
use crate::table::{Table, figure, figure_of};
use crate::times::{Lane, RowTimes};

/// A row's table.
pub fn times_markdown(times: &RowTimes) -> String {
    let unit = Unit::of(times.row);
    let [wall, cpu] = unit.names();
    let floor = times.floor().map_or("raw", |lane| lane.client);
    if times.row.crowd().is_some() {
        return crowd_markdown(times);
    }
    let mut table = Table::new([
        "client",
        wall,
        "spread",
        cpu,
        &format!("speed x {floor}"),
        &format!("CPU x {floor}"),
        &format!("{OURS} x this"),
        "peak MiB",
    ]);
    for lane in &times.lanes {
        table.push(cells(lane, times, unit));
    }
    format!("### {}\n\n{table}", times.row.title)
}

/// The table of a row with concurrent requests.
fn crowd_markdown(times: &RowTimes) -> String {
    let floor = times.floor().map_or("raw", |lane| lane.client);
    let mut table = Table::new([
        "client",
        "µs",
        "spread",
        "CPU µs",
        &format!("speed x {floor}"),
        &format!("CPU x {floor}"),
        "p99 x median",
        "heap KiB each",
    ]);
    for lane in &times.lanes {
        let [client, wall, spread, cpu, speed, cpu_beside, ..] = cells(lane, times, Unit::Requests);
        let tail = figure_of(lane.tail().map(|one| one.median));
        let heap = figure_of(lane.heap_each.map(|bytes| bytes / 1024.0));
        table.push([client, wall, spread, cpu, speed, cpu_beside, tail, heap]);
    }
    format!("### {}\n\n{table}", times.row.title)
}

fn cells(lane: &Lane, times: &RowTimes, unit: Unit) -> [String; 8] {
    let median = |summary: Option<Summary>| figure_of(summary.map(|one| one.median));
    let wall = lane.wall(times.row);
    let ours = times.lane(OURS);
    [
        lane.client.to_owned(),
        figure_of(wall.map(|one| unit.speed(one.median))),
        wall.map_or_else(|| "-".to_owned(), |one| format!("{:.1} %", 100.0 * one.spread())),
        figure_of(lane.cpu(times.row).map(|one| unit.effort(one.median))),
        median(times.floor().and_then(|floor| lane.speed_of(floor))),
        median(times.floor().and_then(|floor| lane.cpu_beside(floor))),
        median(ours.and_then(|ours| ours.speed_of(lane))),
        figure(lane.peak_memory() as f64 / 1024.0),
    ]
}

/// All rows and clients at a glance: the speed relative to the raw loop.
pub fn ratios_markdown(rows: &[RowTimes]) -> String {
    let known = CLIENTS.iter().map(|entry| entry.name);
    let shown: Vec<_> =
        known.filter(|name| rows.iter().any(|row| row.lane(name).is_some())).collect();
    let mut table = Table::new([&["speed x raw"], shown.as_slice()].concat());
    for times in rows {
        let ratio = |name: &&str| times.lane(name)?.speed_of(times.floor()?);
        let cells = shown.iter().map(|name| figure_of(ratio(name).map(|one| one.median)));
        table.push([times.row.title.to_owned()].into_iter().chain(cells));
    }
    format!("### All rows\n\n{table}")
}

pub fn times_json(times: &RowTimes) -> Value {
    let lanes = times.lanes.iter().map(|lane| {
        let floor = times.floor();
        json!({
            "client": lane.client,
            "rounds": lane.rounds.len(),
            "wall_us": summary(lane.wall(times.row)),
            "cpu_us": summary(lane.cpu(times.row)),
            "speed_x_raw": summary(floor.and_then(|floor| lane.speed_of(floor))),
            "cpu_x_raw": summary(floor.and_then(|floor| lane.cpu_beside(floor))),
            "leanhttp_speed_x_this": summary(times.lane(OURS).and_then(|ours| ours.speed_of(lane))),
            "p99_x_median": summary(lane.tail()),
            "heap_bytes_each": lane.heap_each,
            "peak_memory_kib": lane.peak_memory(),
        })
    });
    json!({
        "name": times.row.name,
        "title": times.row.title,
        "requests_a_round": times.row.round,
        "mib_a_request": times.row.volume(),
        "clients": lanes.collect::<Vec<_>>(),
    })
}

/// Requests are reported in microseconds, large bodies as throughput.
#[derive(Clone, Copy)]
enum Unit {
    Requests,
    Mebibytes(f64),
}

impl Unit {
    fn of(row: &Row) -> Self {
        row.volume().map_or(Unit::Requests, |volume| Unit::Mebibytes(volume as f64))
    }

    fn names(self) -> [&'static str; 2] {
        match self {
            Unit::Requests => ["µs", "CPU µs"],
            Unit::Mebibytes(_) => ["GiB/s", "CPU s/GiB"],
        }
    }

    fn speed(self, microseconds: f64) -> f64 {
        match self {
            Unit::Requests => microseconds,
            Unit::Mebibytes(volume) => volume / 1024.0 / (microseconds / 1e6),
        }
    }

    fn effort(self, microseconds: f64) -> f64 {
        match self {
            Unit::Requests => microseconds,
            Unit::Mebibytes(volume) => microseconds / 1e6 / (volume / 1024.0),
        }
    }
}
