//! The baseline: the accepted cost of leanhttp's requests, and a comparison with the current one.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::Outcome;
use crate::options;
use crate::report::rustc;
use crate::table::{Table, figure};

const FIGURES: [&str; 3] = ["instructions", "allocations", "system_calls"];

/// The tolerated growth of a request's cost, as a share.
const TOLERANCE: f64 = 0.03;

/// The tolerance for large bodies: the number of reads depends on how fast the body arrives. The
/// point is that no byte is copied once more, which would show as ten times as many instructions.
const TOLERANCE_OF_VOLUME: f64 = 0.25;

/// Shows the cost of the rows beside `file`, a `counts.json` of an earlier run; an error if they
/// cost more.
///
/// Instruction counts depend on the compiler: with another one than that of the file they are shown
/// and not judged.
pub fn compare(file: &Path, rows: &[Value]) -> Outcome<()> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    judge(&serde_json::from_str(&text)?, rows)
}

fn judge(baseline: &Value, rows: &[Value]) -> Outcome<()> {
    let is_same_compiler = baseline["rustc"] == rustc()?;
    if !is_same_compiler {
        println!("NOTE: the baseline is of {}, this is {}:", baseline["rustc"], rustc()?);
        println!("instructions are NOT judged. Renew the baseline, as README.md says.\n");
    }
    let mut table = Table::new(["row", "client", "figure", "baseline", "now", "change"]);
    let mut worse = Vec::new();
    for old in baseline["rows"].as_array().ok_or("the baseline has no rows")? {
        let name = old["name"].as_str().ok_or("a row of the baseline has no name")?;
        let new = rows.iter().find(|new| new["name"] == name);
        let new = new.ok_or_else(|| format!("row {name} of the baseline was not counted"))?;
        for client in old["clients"].as_array().ok_or("a row of the baseline has no clients")? {
            let client = client["client"].as_str().ok_or("a client of the baseline has no name")?;
            for counted in FIGURES {
                let (before, now) = (cost(old, client, counted)?, cost(new, client, counted)?);
                let change = now / before - 1.0;
                let percent = format!("{:+.1} %", change * 100.0);
                let is_judged = is_same_compiler || counted != "instructions";
                if is_judged && change > tolerance(name)? {
                    worse.push(format!("{name}, {client}: {counted} {percent}"));
                }
                table.push([name, client, counted, &figure(before), &figure(now), &percent]);
            }
        }
    }
    println!("{table}");
    if worse.is_empty() { Ok(()) } else { Err(worse.join("\n").into()) }
}

fn cost(row: &Value, client: &str, figure: &str) -> Outcome<f64> {
    let clients = row["clients"].as_array();
    let of_client = |clients: &Vec<Value>| {
        let found = clients.iter().find(|counted| counted["client"] == client)?;
        found[figure].as_f64()
    };
    let cost = clients.and_then(of_client);
    cost.ok_or_else(|| format!("no {figure} of {client} in {}", row["name"]).into())
}

fn tolerance(row: &str) -> Outcome<f64> {
    let has_volume = options::row(row)?.volume().is_some();
    Ok(if has_volume { TOLERANCE_OF_VOLUME } else { TOLERANCE })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(name: &str, instructions: f64, calls: f64) -> Value {
        json!({ "name": name, "clients": [client("leanhttp", instructions, calls)] })
    }

    fn client(name: &str, instructions: f64, calls: f64) -> Value {
        json!({
            "client": name, "instructions": instructions, "allocations": 5.0, "system_calls": calls,
        })
    }

    fn judge(compiler: &str, old: Value, new: &[Value]) -> Result<(), String> {
        let baseline = json!({ "rustc": compiler, "rows": [old] });
        super::judge(&baseline, new).map_err(|error| error.to_string())
    }

    #[test]
    fn more_than_the_tolerance_is_worse() {
        let compiler = &rustc().unwrap();
        let get = |instructions, calls| row("get", instructions, calls);
        assert_eq!(judge(compiler, get(100.0, 3.0), &[get(102.9, 3.0)]), Ok(()));
        assert_eq!(judge(compiler, get(100.0, 3.0), &[get(50.0, 2.0)]), Ok(()));
        let worse = judge(compiler, get(100.0, 3.0), &[get(103.1, 4.0)]);
        assert_eq!(
            worse.unwrap_err(),
            "get, leanhttp: instructions +3.1 %\nget, leanhttp: system_calls +33.3 %"
        );
        let download = |instructions| row("download", instructions, 16.0);
        assert_eq!(judge(compiler, download(100.0), &[download(124.0)]), Ok(()));
        assert!(judge(compiler, download(100.0), &[download(126.0)]).is_err());
    }

    #[test]
    fn each_client_of_the_baseline_is_judged() {
        let compiler = &rustc().unwrap();
        let get = |instructions| {
            let clients =
                [client("leanhttp", 100.0, 3.0), client("leanhttp-tokio", instructions, 4.0)];
            json!({ "name": "get", "clients": clients })
        };
        assert_eq!(judge(compiler, get(130.0), &[get(133.0)]), Ok(()));
        let worse = judge(compiler, get(130.0), &[get(140.0)]);
        assert_eq!(worse.unwrap_err(), "get, leanhttp-tokio: instructions +7.7 %");
        assert!(judge(compiler, get(130.0), &[row("get", 100.0, 3.0)]).is_err(), "not counted");
    }

    #[test]
    fn instructions_of_another_compiler_are_not_judged() {
        let get = |instructions, calls| row("get", instructions, calls);
        assert_eq!(judge("another", get(100.0, 3.0), &[get(200.0, 3.0)]), Ok(()));
        assert!(judge("another", get(100.0, 3.0), &[get(100.0, 4.0)]).is_err());
    }

    #[test]
    fn a_missing_count_is_an_error() {
        let compiler = &rustc().unwrap();
        assert!(judge(compiler, row("get", 100.0, 3.0), &[]).is_err());
        let nothing = json!({ "name": "get", "clients": [] });
        assert!(judge(compiler, row("get", 100.0, 3.0), &[nothing]).is_err());
    }
}
