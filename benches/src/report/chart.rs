//! The chart of README: CPU time relative to the raw loop, as SVG.

use std::fmt::Write;

use super::results::Times;
use crate::table::figure;

/// The rows that are drawn, and what has to be known to read one.
const ROWS: [(&str, &str); 3] = [
    ("get-tls", ""),
    ("download-chunked", ""),
    (
        "upload",
        "below 1: the loop writes 64 KiB at a time, leanhttp 120 KiB, with fewer system calls",
    ),
];

/// The clients that are drawn, and their colors: readable on white and on black.
const CLIENTS: [(&str, &str); 7] = [
    ("leanhttp", OURS),
    ("leanhttp-tokio", OURS),
    ("ureq", THEIRS),
    ("reqwest-blocking", THEIRS),
    ("reqwest-async", THEIRS),
    ("hyper", THEIRS),
    ("curl", THEIRS),
];

const OURS: &str = "#2f81f7";
const THEIRS: &str = "#9198a1";
const TEXT: &str = "#848d97";
const WIDTH: f64 = 760.0;
/// The start of the bars, to the right of the names.
const LEFT: f64 = 170.0;
/// The space for a figure behind the longest bar: `12.34 (cut)`.
const RIGHT: f64 = 80.0;
const LINE: f64 = 16.0;
const GAP: f64 = 18.0;

/// Longer bars are cut, and their figure shows the full length.
const LONGEST: f64 = 4.0;

pub fn chart(times: &Times) -> String {
    let mut body = String::new();
    let mut y = 22.0;
    let title =
        "CPU time of one request, relative to a hand-written loop over the socket (less is better)";
    text(&mut body, 0.0, y, " font-size=\"14\"", title);
    for (row, note) in ROWS {
        let Some(title) = times.title(row) else { continue };
        y += LINE + GAP;
        text(&mut body, 0.0, y, " font-weight=\"bold\"", title);
        if !note.is_empty() {
            y += LINE;
            text(&mut body, 0.0, y, "", note);
        }
        let top = y + 4.0;
        for (client, colour) in CLIENTS {
            if let Some(ratio) = times.cpu_x_raw(row, client) {
                y += LINE;
                bar(&mut body, y, &named(times, client), colour, ratio);
            }
        }
        let one = LEFT + scale(1.0);
        line(&mut body, one, top, y + 4.0);
        y += LINE;
        text(&mut body, one, y, " text-anchor=\"middle\"", "1 = the loop");
    }
    let height = y + GAP;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" font-family=\"system-ui, sans-serif\" \
         font-size=\"12\" fill=\"{TEXT}\">\n{body}</svg>\n"
    )
}

/// A client with the version that was measured.
fn named(times: &Times, client: &str) -> String {
    let package = client.split('-').next().unwrap_or(client);
    match times.0.version(package) {
        Some(version) => format!("{client} {version}"),
        None => client.to_owned(),
    }
}

fn bar(body: &mut String, y: f64, client: &str, colour: &str, ratio: f64) {
    let width = scale(ratio.min(LONGEST));
    text(body, LEFT - 6.0, y, " text-anchor=\"end\"", client);
    let top = y - 10.0;
    let _ = writeln!(
        body,
        "<rect x=\"{LEFT}\" y=\"{top}\" width=\"{width:.1}\" height=\"12\" fill=\"{colour}\"/>"
    );
    let cut = if ratio > LONGEST { " (cut)" } else { "" };
    text(body, LEFT + width + 5.0, y, "", &(figure(ratio) + cut));
}

fn text(body: &mut String, x: f64, y: f64, style: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(body, "<text x=\"{x:.1}\" y=\"{y}\"{style}>{words}</text>");
}

fn line(body: &mut String, x: f64, top: f64, bottom: f64) {
    let _ = writeln!(
        body,
        "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top}\" y2=\"{bottom}\" stroke=\"{TEXT}\" \
         stroke-dasharray=\"2 2\"/>"
    );
}

fn scale(ratio: f64) -> f64 {
    ratio / LONGEST * (WIDTH - LEFT - RIGHT)
}
