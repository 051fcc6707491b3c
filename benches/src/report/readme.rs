//! The figures in README.md, in the README of the benchmarks and in the guide, and their pictures: generated from
//! `results/`, never by hand.

use std::fs;
use std::path::{Path, PathBuf};

use super::chart::chart;
use super::growth;
use super::results::{Results, Times};
use crate::Outcome;
use crate::table::{Table, figure_of};

/// Writes the pictures and the blocks of both pages anew.
pub fn write() -> Outcome<()> {
    for page in pages()? {
        fs::write(page.path, page.text)?;
    }
    Ok(())
}

/// An error unless they match the results.
pub fn check() -> Outcome<()> {
    for Page { path, text } in pages()? {
        if fs::read_to_string(&path)? != text {
            return Err(format!("{} is not what results/ says", path.display()).into());
        }
    }
    Ok(())
}

struct Page {
    path: PathBuf,
    text: String,
}

fn pages() -> Outcome<[Page; 5]> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = here.join("results");
    let figures = Figures::read(&folder)?;
    let path = here.join("../README.md");
    let readme = fs::read_to_string(&path)?;
    let text = with_block(&readme, [BEGIN, &figures.summary(), END]);
    let text = text.ok_or("README.md has no place for figures")?;
    let own_path = here.join("README.md");
    let own = fs::read_to_string(&own_path)?;
    let own = with_block(&own, [BEGIN, &figures.block(), END]);
    let own = own.ok_or("benches/README.md has no place for figures")?;
    let growth = Results::read(&folder, "growth")?;
    let own = with_block(&own, [BEGIN_GROWTH, &growth::block(&growth), END_GROWTH]);
    let own = own.ok_or("benches/README.md has no place for figures")?;
    let picture = growth::picture(&growth);
    let guide_path = here.join("../src/guide/performance.md");
    let guide = fs::read_to_string(&guide_path)?;
    let guide = with_block(&guide, [BEGIN_GROWTH, &growth::summary(&growth), END_GROWTH]);
    let guide = guide.ok_or("src/guide/performance.md has no place for figures")?;
    Ok([
        Page { path, text },
        Page { path: folder.join("chart.svg"), text: chart(&figures.times) },
        Page { path: own_path, text: own },
        Page { path: folder.join("growth.svg"), text: picture },
        Page { path: guide_path, text: guide },
    ])
}

const BEGIN: &str = "<!-- figures: written by benches/run --readme -->\n";
const END: &str = "<!-- end of figures -->\n";
const BEGIN_GROWTH: &str = "<!-- growth: written by benches/run --readme -->\n";
const END_GROWTH: &str = "<!-- end of growth -->\n";

fn with_block(readme: &str, [begin, block, end]: [&str; 3]) -> Option<String> {
    let (before, rest) = readme.split_once(begin)?;
    let (_, after) = rest.split_once(end)?;
    Some([before, begin, block, end, after].concat())
}

/// Rows and columns of the table of CPU times.
const ROWS: [&str; 18] = [
    "get",
    "get-tls",
    "connect",
    "connect-tls",
    "connect-tls-full",
    "threads",
    "tasks",
    "download",
    "download-chunked",
    "download-tls",
    "upload",
    "upload-chunked",
    "upload-tls",
    "form",
    "multipart",
    "gzip",
    "json-2k",
    "bytes-1m",
];
const CLIENTS: [&str; 9] = [
    "leanhttp",
    "leanhttp-tokio",
    "ureq",
    "reqwest-blocking",
    "reqwest-async",
    "hyper",
    "attohttpc",
    "minreq",
    "curl",
];

/// The clients of the summary.
const COMPARED: [&str; 3] = ["leanhttp", "ureq", "reqwest-blocking"];

/// Clients whose allocations are not counted.
const ALLOCATES_IN_C: [&str; 1] = ["curl"];

struct Figures {
    times: Times,
    counts: Results,
    idle: Results,
    cold: Results,
    statics: Results,
}

impl Figures {
    fn read(folder: &Path) -> Outcome<Self> {
        Ok(Self {
            times: Times(Results::read(folder, "times")?),
            counts: Results::read(folder, "counts")?,
            idle: Results::read(folder, "idle")?,
            cold: Results::read(folder, "cold")?,
            statics: Results::read(folder, "static")?,
        })
    }

    /// Returns the part of README.md: five counts, and the chart.
    fn summary(&self) -> String {
        let version = |client: &str| {
            let package = client.split('-').next()?;
            self.statics.version(package)
        };
        let head = COMPARED.map(|client| match version(client) {
            Some(version) => format!("{client} {version}"),
            None => client.to_owned(),
        });
        let mut table = Table::new([""].into_iter().chain(head.iter().map(String::as_str)));
        for (title, column) in SUMMARY {
            let cells = COMPARED.map(|client| {
                self.figures_of(client).into_iter().nth(column).unwrap_or_else(|| "-".to_owned())
            });
            table.push([title.to_owned()].into_iter().chain(cells));
        }
        let date = self.statics.about("date").unwrap_or("unknown");
        format!(
            "{table}\n\
             Measured on {date}; the clients are blocking, over rustls and ring. The chart has the CPU time of a \
             request,\nrelative to a hand-written loop over the socket:\n\n\
             ![CPU time of the clients](benches/results/chart.svg)\n\n"
        )
    }

    fn block(&self) -> String {
        let about = |what| self.times.0.about(what).unwrap_or("unknown");
        format!(
            "![CPU time of the clients](results/chart.svg)\n\n\
             CPU time of the client, relative to a hand-written loop over the socket (over TLS: over rustls; 1.00 is the \
             cost of the loop); medians of rounds on one machine ({}; {}; {}) over loopback:\n\n{}\n\
             Counts, which hardly depend on the machine: of one GET on an open connection; of what an idle \
             connection holds; of a program with one GET, from its start to the response, and of what it is \
             built of (minreq without TLS, curl with the OpenSSL of the system, the others with rustls and \
             ring):\n\n{}\n",
            about("machine"),
            about("rustc"),
            about("date"),
            self.cpu_table(),
            self.counts_table(),
        )
    }

    fn cpu_table(&self) -> Table {
        let mut table = Table::new([&["CPU x raw"], CLIENTS.as_slice()].concat());
        for row in ROWS {
            let Some(title) = self.times.title(row) else { continue };
            let cells = CLIENTS.map(|client| figure_of(self.times.cpu_x_raw(row, client)));
            table.push([title.to_owned()].into_iter().chain(cells));
        }
        table
    }

    fn counts_table(&self) -> Table {
        let mut table = Table::new([
            "",
            "instructions",
            "allocations",
            "system calls",
            "idle, KiB heap",
            "idle TLS, KiB heap",
            "start, M instructions",
            "start TLS, M instructions",
            "peak MiB, 1 GiB over TLS",
            "crates",
            "program, KiB",
            "build, CPU s",
        ]);
        for client in [&["raw"], CLIENTS.as_slice()].concat() {
            table.push([client.to_owned()].into_iter().chain(self.figures_of(client)));
        }
        table
    }

    fn figures_of(&self, client: &str) -> [String; 11] {
        let over_tls = if client == "raw" { "raw-tls" } else { client };
        let get = |what: &str| self.counts.of("get", client)?[what].as_f64();
        let allocations = get("allocations").filter(|_| !ALLOCATES_IN_C.contains(&client));
        let idle = |row, client| Some(self.idle.of(row, client)?["heap"].as_f64()? / 1024.0);
        let cold = |row| Some(self.cold.of(row, client)?["instructions"].as_f64()? / 1e6);
        let peak = self.cold.of("peak-tls", client).and_then(|it| it["peak_memory_kib"].as_f64());
        let built = |what: &str| self.statics.of_program(client)?[what].as_f64();
        [
            figure_of(get("instructions")),
            figure_of(allocations),
            figure_of(get("system_calls")),
            figure_of(idle("idle", client)),
            figure_of(idle("idle-tls", over_tls)),
            figure_of(cold("cold")),
            figure_of(cold("cold-tls")),
            figure_of(peak.map(|peak| peak / 1024.0)),
            built("crates").map_or_else(|| "-".to_owned(), |count| count.to_string()),
            figure_of(built("size").map(|size| size / 1024.0)),
            figure_of(built("build_cpu_s")),
        ]
    }
}

/// The rows of the summary, and the columns of [`Figures::figures_of`] that they show.
const SUMMARY: [(&str, usize); 5] = [
    ("crates of a program with one GET over TLS, the client included", 8),
    ("CPU seconds to build it, release", 10),
    ("size of that program, stripped, KiB", 9),
    ("instructions of a GET on an open connection", 0),
    ("heap of an idle TLS connection, KiB", 4),
];

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, with_block};

    #[test]
    fn only_the_block_of_figures_changes() {
        let readme = format!("before\n{BEGIN}old\n{END}after\n");
        let expected = format!("before\n{BEGIN}new\n{END}after\n");
        assert_eq!(with_block(&readme, [BEGIN, "new\n", END]), Some(expected));
        assert_eq!(with_block("before\nafter\n", [BEGIN, "new\n", END]), None);
    }
}
