//! Growth of cost: rows that differ in one number, and the growth that CI allows. A new series is a
//! new entry in [`SERIES`].

use std::sync::LazyLock;

use crate::clients::{OURS, OURS_ASYNC};
use crate::rows::{Answer, CHUNKED, KIB, MIB, ROWS, Row, Senders, Shape, USUAL, Wire};

/// Rows that differ in one number.
pub struct Series {
    pub name: &'static str,
    pub title: &'static str,
    /// The unit of the axis.
    pub axis: &'static str,
    pub sizes: &'static [u64],
    pub per: Per,
    /// The row for that number, without name and title.
    row: fn(u64) -> Row,
    pub guards: &'static [Guard],
}

/// The divisor of a request's cost in the tables.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Per {
    Request,
    /// The MiB of the body, whose length in bytes is the number.
    Mebibyte,
}

/// A limit for one client of leanhttp.
pub struct Guard {
    pub client: &'static str,
    pub growth: Growth,
    /// The limit.
    pub limit: f64,
    /// The goal, if it is less: shown, not judged.
    pub goal: Option<f64>,
}

/// The dependence of a request's instructions on the number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Growth {
    /// Those of the second number, as a multiple of those of the first.
    Ratio(u64, u64),
    /// The slope between the second and the third number, as a multiple of that between the first and
    /// the second: 1 where it grows in a straight line.
    Bend(u64, u64, u64),
    /// The instructions that each further unit, of so many in number, adds between the two. Depends
    /// on the compiler.
    Each { from: u64, to: u64, unit: u64 },
}

impl Growth {
    pub fn sizes(self) -> Vec<u64> {
        match self {
            Growth::Ratio(from, to) | Growth::Each { from, to, .. } => vec![from, to],
            Growth::Bend(low, middle, high) => vec![low, middle, high],
        }
    }

    pub fn depends_on_compiler(self) -> bool {
        matches!(self, Growth::Each { .. })
    }
}

const fn ratio(client: &'static str, from: u64, to: u64, limit: f64) -> Guard {
    Guard { client, growth: Growth::Ratio(from, to), limit, goal: None }
}

const fn straight(client: &'static str, low: u64, middle: u64, high: u64, limit: f64) -> Guard {
    Guard { client, growth: Growth::Bend(low, middle, high), limit, goal: None }
}

const fn each(client: &'static str, from: u64, to: u64, limit: f64) -> Guard {
    Guard { client, growth: Growth::Each { from, to, unit: 1 }, limit, goal: None }
}

const fn each_mib(client: &'static str, limit: f64) -> Guard {
    let growth = Growth::Each { from: MIB, to: 16 * MIB, unit: MIB };
    Guard { client, growth, limit, goal: None }
}

impl Guard {
    const fn goal(self, goal: f64) -> Self {
        Self { goal: Some(goal), ..self }
    }
}

/// The compiler with which the limits for each unit were measured.
pub const RUSTC: &str = "rustc 1.95.0 (59807616e 2026-04-14)";

const BODIES: &[u64] = &[20_000, 100_000, MIB, 16 * MIB, 64 * MIB];

pub const SERIES: &[Series] = &[
    Series {
        name: "idle-hosts",
        title: "GET from one host, with a connection to each of so many idle",
        axis: "hosts",
        sizes: &[1, 100, 1_000, 10_000],
        per: Per::Request,
        row: |hosts| Row { other_hosts: hosts - 1, counted: Some(1_000), ..USUAL },
        guards: &[ratio(OURS, 1, 1_000, 1.1), ratio(OURS_ASYNC, 1, 1_000, 1.1)],
    },
    Series {
        name: "waiters",
        title: "GET by so many tasks that wait for one connection",
        axis: "tasks",
        sizes: &[1, 10, 100, 1_000, 10_000],
        per: Per::Request,
        row: |tasks| Row {
            senders: Senders::Queue(tasks),
            counted: Some(tasks.max(2_000)),
            ..USUAL
        },
        guards: &[ratio(OURS_ASYNC, 10, 1_000, 1.1), ratio(OURS_ASYNC, 1, 1_000, 1.28).goal(1.1)],
    },
    Series {
        name: "no-proxy",
        title: "GET with so many entries in NO_PROXY",
        axis: "entries",
        sizes: &[1, 10, 100, 1_000],
        per: Per::Request,
        row: |entries| Row { no_proxy: entries, counted: Some(500), ..USUAL },
        guards: &[ratio(OURS, 1, 1_000, 1.1), ratio(OURS_ASYNC, 1, 1_000, 1.1)],
    },
    Series {
        name: "cookies",
        title: "GET that sends a cookie and gets one, with those of so many other hosts in the jar",
        axis: "cookies",
        sizes: &[1, 100, 1_000],
        per: Per::Request,
        row: |cookies| Row { shape: Shape::Cookies(cookies), counted: Some(300), ..USUAL },
        guards: &[ratio(OURS, 1, 1_000, 1.18), ratio(OURS_ASYNC, 1, 1_000, 1.18)],
    },
    Series {
        name: "redirects",
        title: "GET after so many redirects",
        axis: "redirects",
        sizes: &[1, 3, 9],
        per: Per::Request,
        row: |count| Row { shape: Shape::Redirects(count), counted: Some(100), ..USUAL },
        guards: &[],
    },
    Series {
        name: "parts",
        title: "POST of a multipart form of so many text parts",
        axis: "parts",
        sizes: &[1, 10, 100, 1_000],
        per: Per::Request,
        row: |parts| Row {
            shape: Shape::Parts(parts),
            counted: Some((400 / parts).max(4)),
            ..USUAL
        },
        guards: &[
            straight(OURS, 1, 100, 1_000, 1.1),
            straight(OURS_ASYNC, 1, 100, 1_000, 1.1),
            each(OURS, 1, 1_000, 2_130.0),
            each(OURS_ASYNC, 1, 1_000, 2_175.0),
        ],
    },
    Series {
        name: "head-fields",
        title: "GET with so many more fields of 32 bytes in the head of the answer",
        axis: "fields",
        sizes: &[1, 10, 100, 1_000],
        per: Per::Request,
        row: |fields| Row {
            shape: Shape::Head { fields, bytes: 32 * fields },
            counted: Some(100),
            ..USUAL
        },
        guards: &[
            straight(OURS, 1, 100, 1_000, 1.17),
            straight(OURS_ASYNC, 1, 100, 1_000, 1.17),
            each(OURS, 1, 1_000, 500.0),
            each(OURS_ASYNC, 1, 1_000, 500.0),
        ],
    },
    Series {
        name: "head-size",
        title: "GET with 16 more fields of so many KiB together in the head of the answer",
        axis: "KiB",
        sizes: &[1, 8, 32],
        per: Per::Request,
        row: |size| Row {
            shape: Shape::Head { fields: 16, bytes: size * KIB },
            counted: Some(200),
            ..USUAL
        },
        guards: &[each(OURS, 8, 32, 2_210.0), each(OURS_ASYNC, 8, 32, 2_230.0)],
    },
    Series {
        name: "chunks",
        title: "GET of so many chunks of 1 byte, read into a buffer",
        axis: "chunks",
        sizes: &[1, 10, 100, 1_000, 10_000],
        per: Per::Request,
        row: |chunks| Row {
            shape: Shape::Read(Answer::Large(Wire::Chunked(1), chunks)),
            counted: Some((40_000 / chunks).clamp(4, 200)),
            ..USUAL
        },
        guards: &[
            straight(OURS, 1, 100, 1_000, 1.1),
            straight(OURS_ASYNC, 1, 100, 1_000, 1.1),
            each(OURS, 1, 1_000, 190.0),
            each(OURS_ASYNC, 1, 1_000, 190.0),
        ],
    },
    Series {
        name: "chunk-size",
        title: "GET of 256 KiB in chunks of so many bytes, read into a buffer",
        axis: "bytes",
        sizes: &[1, 16, 256, 4 * KIB, 64 * KIB],
        per: Per::Request,
        row: |size| Row {
            shape: Shape::Read(Answer::Large(Wire::Chunked(size), 256 * KIB)),
            counted: Some(if size < 256 { 1 } else { 20 }),
            ..USUAL
        },
        guards: &[],
    },
    Series {
        name: "body-sized",
        title: "bytes() of so many bytes, Content-Length",
        axis: "bytes",
        sizes: BODIES,
        per: Per::Mebibyte,
        row: |size| body(Wire::Sized, size),
        // The amount that a read finds depends on timing: 64,000 to 78,000 were counted.
        guards: &[each_mib(OURS, 85_400.0), each_mib(OURS_ASYNC, 85_400.0)],
    },
    Series {
        name: "body-chunked",
        title: "bytes() of so many bytes, chunked",
        axis: "bytes",
        sizes: BODIES,
        per: Per::Mebibyte,
        row: |size| body(CHUNKED, size),
        guards: &[
            each_mib(OURS, 470_000.0).goal(333_000.0),
            each_mib(OURS_ASYNC, 470_000.0).goal(333_000.0),
        ],
    },
    Series {
        name: "body-gzip",
        title: "bytes() of so many bytes, gzip",
        axis: "bytes",
        sizes: BODIES,
        per: Per::Mebibyte,
        row: |size| body(Wire::Gzip, size),
        guards: &[each_mib(OURS, 19_420_000.0), each_mib(OURS_ASYNC, 19_420_000.0)],
    },
];

fn body(wire: Wire, size: u64) -> Row {
    let counted = Some((8 * MIB / size).clamp(1, 50));
    Row { shape: Shape::Bytes(wire, size), counted, ..USUAL }
}

/// The rows of [`ROWS`], and after them those of all series.
pub static ALL_ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let of_series = |series: &Series| -> Vec<Row> {
        let sizes = series.sizes.iter().copied();
        sizes.map(|size| series.row(size)).collect()
    };
    ROWS.iter().cloned().chain(SERIES.iter().flat_map(of_series)).collect()
});

impl Series {
    /// The series of a row, and the row's number in it.
    pub fn of(row: &str) -> Option<(&'static Self, u64)> {
        let (name, number) = row.rsplit_once('-')?;
        let series = SERIES.iter().find(|series| series.name == name)?;
        Some((series, number.parse().ok()?))
    }

    pub fn named(name: &str) -> Option<&'static Self> {
        SERIES.iter().find(|series| series.name == name)
    }

    /// Its rows, or only those that its guards need.
    pub fn rows(&self, is_guard: bool) -> impl Iterator<Item = &'static Row> {
        let asked: Vec<u64> = self.guards.iter().flat_map(|guard| guard.growth.sizes()).collect();
        let sizes = self.sizes.iter().filter(move |size| !is_guard || asked.contains(size));
        let name = self.name;
        sizes.filter_map(move |size| {
            ALL_ROWS.iter().find(|row| row.name == format!("{name}-{size}"))
        })
    }

    /// The names live as long as the program, which makes each once.
    fn row(&self, size: u64) -> Row {
        let name = format!("{}-{size}", self.name).leak();
        let title = format!("{}: {size} {}", self.title, self.axis).leak();
        Row { name, title, ..(self.row)(size) }
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL_ROWS, SERIES, Series};

    #[test]
    fn row_names_are_unique_and_resolve() {
        let names: std::collections::HashSet<_> = ALL_ROWS.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), ALL_ROWS.len());
        for series in SERIES {
            assert_eq!(series.rows(false).count(), series.sizes.len(), "{}", series.name);
            for row in series.rows(false) {
                let (found, size) = Series::of(row.name).unwrap();
                assert!(found.name == series.name && series.sizes.contains(&size), "{}", row.name);
            }
        }
    }

    #[test]
    fn guards_name_rows_that_exist() {
        for series in SERIES {
            for guard in series.guards {
                let sizes = guard.growth.sizes();
                assert!(sizes.is_sorted() && sizes.iter().all(|size| series.sizes.contains(size)));
                assert!(guard.goal.is_none_or(|goal| goal < guard.limit), "{}", series.name);
            }
        }
    }
}
