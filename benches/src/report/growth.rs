//! Growth of cost: tables of each series, the picture of two of them, and both in this folder's
//! README.

use std::fmt::Write;

use serde_json::Value;

use super::results::Results;
use crate::series::{Per, SERIES, Series};
use crate::table::{Table, figure, figure_of, whole};

/// The clients of the tables.
const CLIENTS: [&str; 6] = ["raw", "leanhttp", "leanhttp-tokio", "ureq", "reqwest-async", "hyper"];

/// The block of README.md: the picture, and a table for each series.
pub fn block(results: &Results) -> String {
    let about = |what| results.about(what).unwrap_or("unknown");
    let versions = CLIENTS.iter().filter_map(|client| version(results, client));
    let mut versions: Vec<String> = versions.collect();
    versions.dedup();
    let mut text = format!(
        "![Instructions of a request as its surroundings grow](results/growth.svg)\n\n\
         Instructions in user space, by callgrind ({}; {}; {}).\n",
        versions.join(", "),
        about("rustc"),
        about("date"),
    );
    for series in SERIES {
        if series
            .sizes
            .iter()
            .any(|&size| results.row(&format!("{}-{size}", series.name)).is_some())
        {
            let _ = write!(text, "\n{}", markdown(series, results));
        }
    }
    text
}

/// The clients and the series of the guide: surroundings that grow while a program runs, up to [`MOST`].
const COMPARED: [&str; 4] = ["leanhttp", "leanhttp-tokio", "ureq", "reqwest-async"];
const SUMMARY: [&str; 3] = ["idle-hosts", "no-proxy", "cookies"];
const MOST: u64 = 1_000;

/// The block of the guide: the cost of a request beside the most, relative to that beside one.
pub fn summary(results: &Results) -> String {
    let series = SERIES.iter().filter(|it| SUMMARY.contains(&it.name));
    let head = series.clone().map(|series| format!("{} {}", whole(MOST), series.axis));
    let mut table = Table::new(["".to_owned()].into_iter().chain(head));
    for client in COMPARED {
        let growths = series.clone().map(|series| growth(results, series, client));
        table.push([client.to_owned()].into_iter().chain(growths));
    }
    format!("\n{table}\n")
}

/// At most [`MOST`]; a client that was counted only with fewer has a cell that says with how many.
fn growth(results: &Results, series: &Series, client: &str) -> String {
    let sizes = series.sizes.iter().filter(|&&size| size <= MOST);
    let costs = sizes.filter_map(|&size| Some((size, cost(results, series, size, client)?)));
    let costs: Vec<_> = costs.collect();
    let (Some((_, one)), Some((size, most))) = (costs.first(), costs.last()) else {
        return figure_of(None);
    };
    match figure_of(Some(most / one)) {
        growth if *size == MOST => growth,
        growth => format!("{growth} (with {})", whole(*size)),
    }
}

/// A line for each client, a column for each number.
fn markdown(series: &Series, results: &Results) -> String {
    let numbers = series.sizes.iter().map(|&size| number(size));
    let first = match series.per {
        Per::Request => format!("instructions a request, by {}", series.axis),
        Per::Mebibyte => format!("instructions a MiB, by {}", series.axis),
    };
    let mut table = Table::new([first.clone()].into_iter().chain(numbers));
    for client in CLIENTS {
        let costs = series.sizes.iter().map(|&size| cost(results, series, size, client));
        let costs: Vec<_> = costs.collect();
        if costs.iter().any(Option::is_some) {
            table.push([client.to_owned()].into_iter().chain(costs.into_iter().map(figure_of)));
        }
    }
    if series.per == Per::Mebibyte {
        for client in CLIENTS {
            let peaks = series
                .sizes
                .iter()
                .map(|&size| of(results, series, size, client)?["peak_x_body"].as_f64());
            let peaks: Vec<_> = peaks.collect();
            if peaks.iter().any(Option::is_some) {
                let name = format!("{client}, peak heap x body");
                table.push([name].into_iter().chain(peaks.into_iter().map(figure_of)));
            }
        }
    }
    format!("{}:\n\n{table}", series.title)
}

fn of<'a>(results: &'a Results, series: &Series, size: u64, client: &str) -> Option<&'a Value> {
    results.of(&format!("{}-{size}", series.name), client)
}

/// In the unit of the series.
fn cost(results: &Results, series: &Series, size: u64, client: &str) -> Option<f64> {
    let instructions = of(results, series, size, client)?["instructions"].as_f64()?;
    Some(match series.per {
        Per::Request => instructions,
        Per::Mebibyte => instructions / (size as f64 / f64::from(1 << 20)),
    })
}

fn number(size: u64) -> String {
    match size {
        size if size >= 1 << 20 => format!("{} MiB", size >> 20),
        size => whole(size),
    }
}

fn version(results: &Results, client: &str) -> Option<String> {
    let name = client.split('-').next()?;
    Some(format!("{name} {}", results.version(name)?))
}

/// The data of a series that is drawn.
struct Panel {
    series: &'static str,
    title: &'static str,
    axis: &'static str,
}

const PANELS: [Panel; 2] = [
    Panel {
        series: "idle-hosts",
        title: "Instructions of a GET, by hosts with an idle connection",
        axis: "hosts",
    },
    Panel {
        series: "body-chunked",
        title: "Instructions a MiB of bytes(), chunked, by the size of the body",
        axis: "bytes",
    },
];

/// The clients that are drawn; the colors are readable on white and on black.
const CURVES: [(&str, &str, &str); 4] = [
    ("leanhttp", "#2f81f7", ""),
    ("leanhttp-tokio", "#2f81f7", " stroke-dasharray=\"5 3\""),
    ("reqwest-async", "#d29922", ""),
    ("ureq", "#8b949e", ""),
];

const TEXT: &str = "#848d97";
const WIDTH: f64 = 760.0;
/// A panel with its title and its axis, and the part of it where the curves are.
const PANEL: f64 = 250.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 570.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 210.0;
/// The least distance between the names at the ends of two curves.
const NAME: f64 = 14.0;

/// The picture: both axes logarithmic, each curve with its name at its end.
pub fn picture(results: &Results) -> String {
    let mut body = String::new();
    let mut top = 0.0;
    for panel in &PANELS {
        if let Some(series) = Series::named(panel.series) {
            draw(&mut body, top, panel, series, results);
            top += PANEL;
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {top}\" \
         width=\"{WIDTH}\" height=\"{top}\" font-family=\"system-ui, sans-serif\" \
         font-size=\"12\" fill=\"{TEXT}\">\n{body}</svg>\n"
    )
}

fn draw(body: &mut String, top: f64, panel: &Panel, series: &Series, results: &Results) {
    let curves: Vec<_> = CURVES
        .iter()
        .map(|&(client, colour, dashes)| {
            let points = series
                .sizes
                .iter()
                .filter_map(|&size| Some((size as f64, cost(results, series, size, client)?)));
            (client, colour, dashes, points.collect::<Vec<_>>())
        })
        .filter(|(_, _, _, points)| !points.is_empty())
        .collect();
    let costs = curves.iter().flat_map(|(_, _, _, points)| points.iter().map(|(_, cost)| *cost));
    let (low, high) =
        costs.fold((f64::MAX, 0.0_f64), |(low, high), cost| (low.min(cost), high.max(cost)));
    if high == 0.0 {
        return;
    }
    let y = Axis::new(low, high, top + BOTTOM, top + TOP);
    let first = series.sizes.first().copied().unwrap_or(1) as f64;
    let last = series.sizes.last().copied().unwrap_or(10) as f64;
    let x = Axis { low: first.ln(), high: last.ln(), from: LEFT, to: RIGHT };
    let bold = " font-weight=\"bold\"";
    text(body, 0.0, top + 18.0, bold, panel.title);
    for power in 0..12 {
        let value = 10_f64.powi(power);
        if y.holds(value) {
            let at = y.at(value);
            line(body, (LEFT, at), (RIGHT, at));
            text(body, LEFT - 6.0, at + 4.0, " text-anchor=\"end\"", &whole(value as u64));
        }
    }
    for &size in series.sizes {
        let middle = " text-anchor=\"middle\"";
        text(body, x.at(size as f64), top + BOTTOM + 18.0, middle, &number(size));
    }
    text(body, RIGHT + 46.0, top + BOTTOM + 18.0, "", panel.axis);
    let mut names = Vec::new();
    for (client, colour, dashes, points) in &curves {
        let places: Vec<_> = points
            .iter()
            .map(|&(size, cost)| format!("{:.1},{:.1}", x.at(size), y.at(cost)))
            .collect();
        let _ = writeln!(
            body,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>",
            places.join(" ")
        );
        for place in &places {
            if let Some((x, y)) = place.split_once(',') {
                let _ = writeln!(body, "<circle cx=\"{x}\" cy=\"{y}\" r=\"3\" fill=\"{colour}\"/>");
            }
        }
        if let Some(&(_, cost)) = points.last() {
            let version = version(results, client);
            let version = version.as_deref().and_then(|it| it.split(' ').nth(1)).unwrap_or("");
            names.push((y.at(cost), *colour, format!("{client} {version}: {}", figure(cost))));
        }
    }
    names.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut free = f64::MIN;
    for (at, colour, name) in names {
        free = at.max(free);
        text(body, RIGHT + 8.0, free + 4.0, &format!(" fill=\"{colour}\""), &name);
        free += NAME;
    }
}

/// A logarithmic axis.
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    /// At least a power of ten high, so that a flat curve looks flat.
    fn new(low: f64, high: f64, from: f64, to: f64) -> Self {
        let (low, high) = ((low / 1.5).ln(), (high * 1.2).ln());
        Self { low, high: high.max(low + 10_f64.ln()), from, to }
    }

    fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value.ln())
    }

    fn at(&self, value: f64) -> f64 {
        self.from + (value.ln() - self.low) / (self.high - self.low) * (self.to - self.from)
    }
}

fn text(body: &mut String, x: f64, y: f64, style: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(body, "<text x=\"{x:.1}\" y=\"{y:.1}\"{style}>{words}</text>");
}

fn line(body: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    let _ = writeln!(
        body,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{TEXT}\" \
         stroke-dasharray=\"2 2\" opacity=\"0.6\"/>"
    );
}
