//! Checks that the cost of a request grows no faster than [`SERIES`] allows: by counts, never by
//! times.

use std::collections::HashMap;

use crate::Outcome;
use crate::counts::RowCounts;
use crate::report::rustc;
use crate::series::{Growth, Guard, RUSTC, SERIES, Series};
use crate::table::{Table, figure, figure_of, whole};

/// Instructions of a request by client, series and number.
type Costs = HashMap<(&'static str, &'static str, u64), f64>;

/// Shows the results of the guards; an error if a limit is exceeded.
pub fn judge(rows: &[RowCounts]) -> Outcome<()> {
    let mut costs = Costs::new();
    for row in rows {
        let (series, size) = Series::of(row.row.name).ok_or("a row of no series")?;
        for one in &row.clients {
            costs.insert((one.client, series.name, size), one.instructions);
        }
    }
    let is_same_compiler = RUSTC == rustc()?;
    if !is_same_compiler {
        println!("NOTE: the limits of each unit are of {RUSTC}, this is {}:", rustc()?);
        println!("they are NOT judged. Renew them, as README.md says.\n");
    }
    let mut table = Table::new(["series", "client", "what", "now", "limit", "goal"]);
    let mut broken = Vec::new();
    for series in SERIES {
        for guard in series.guards {
            let now = measure(guard, series.name, &costs)?;
            let what = describe(guard.growth, series.axis);
            let is_judged = is_same_compiler || !guard.growth.depends_on_compiler();
            if is_judged && now > guard.limit {
                let (now, limit) = (figure(now), figure(guard.limit));
                broken.push(format!("{}: {}: {what} {now} > {limit}", guard.client, series.name));
            }
            table.push([
                series.name,
                guard.client,
                &what,
                &figure(now),
                &figure(guard.limit),
                &figure_of(guard.goal),
            ]);
        }
    }
    println!("{table}");
    if broken.is_empty() { Ok(()) } else { Err(broken.join("\n").into()) }
}

fn measure(guard: &Guard, series: &'static str, costs: &Costs) -> Outcome<f64> {
    let cost = |size| {
        let found = costs.get(&(guard.client, series, size)).copied();
        found.ok_or_else(|| format!("{}: {series}-{size} was not counted", guard.client))
    };
    let slope = |from: u64, to: u64| -> Result<f64, String> {
        Ok((cost(to)? - cost(from)?) / (to - from) as f64)
    };
    Ok(match guard.growth {
        Growth::Ratio(from, to) => cost(to)? / cost(from)?,
        Growth::Bend(low, middle, high) => slope(middle, high)? / slope(low, middle)?,
        Growth::Each { from, to, unit } => slope(from, to)? * unit as f64,
    })
}

fn describe(growth: Growth, axis: &str) -> String {
    match growth {
        Growth::Ratio(from, to) => format!("x from {} to {} {axis}", whole(from), whole(to)),
        Growth::Bend(low, middle, high) => {
            let [low, middle, high] = [low, middle, high].map(whole);
            format!("bend of {low}, {middle}, {high} {axis}")
        }
        Growth::Each { unit: 1, .. } => format!("each of the {axis}"),
        Growth::Each { .. } => "each MiB".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::OURS;

    fn measured(growth: Growth, costs: &[(u64, f64)]) -> Result<f64, String> {
        let costs = costs.iter().map(|&(size, cost)| ((OURS, "parts", size), cost)).collect();
        let guard = Guard { client: OURS, growth, limit: 1.0, goal: None };
        measure(&guard, "parts", &costs).map_err(|error| error.to_string())
    }

    #[test]
    fn growth_is_measured() {
        let line = [(1, 110.0), (100, 1_100.0), (1_000, 10_100.0)];
        assert_eq!(measured(Growth::Ratio(1, 100), &line), Ok(10.0));
        assert_eq!(measured(Growth::Bend(1, 100, 1_000), &line), Ok(1.0));
        assert_eq!(measured(Growth::Each { from: 1, to: 100, unit: 1 }, &line), Ok(10.0));
        assert_eq!(measured(Growth::Each { from: 1, to: 100, unit: 5 }, &line), Ok(50.0));
        let square = [(1, 1.0), (100, 10_000.0), (1_000, 1_000_000.0)];
        assert!(measured(Growth::Bend(1, 100, 1_000), &square).unwrap() > 10.0);
    }

    #[test]
    fn a_missing_count_is_an_error() {
        assert!(measured(Growth::Ratio(1, 100), &[(1, 1.0)]).is_err());
    }
}
