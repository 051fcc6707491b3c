//! The ten rows of the recipe against real servers, which these environment variables specify:
//!
//! | variable | what it names |
//! | --- | --- |
//! | `LEANHTTP_HTTPBIN` | the URL of a httpbin without TLS |
//! | `LEANHTTP_HTTPBIN_TLS` | the URL of a httpbin with TLS |
//! | `LEANHTTP_CA` | the file with the CA of its certificate, unless that is a public one |
//!
//! A test whose server is not named reports that nothing ran, and passes; with
//! `LEANHTTP_INTEROP=required` it fails.
#![cfg(all(
    feature = "blocking",
    feature = "tls",
    feature = "gzip",
    feature = "cookies",
    feature = "multipart"
))]

mod rows;
mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{env, fs};

use rows::{Outcome, Row, Site};

#[test]
fn httpbin_plain() -> Outcome {
    run_rows("LEANHTTP_HTTPBIN", None)
}

#[test]
fn httpbin_over_tls() -> Outcome {
    let ca = env::var_os("LEANHTTP_CA").map(fs::read_to_string).transpose()?;
    run_rows("LEANHTTP_HTTPBIN_TLS", ca.as_deref())
}

/// Runs every row, also those after one that failed.
fn run_rows(variable: &str, ca_pem: Option<&str>) -> Outcome {
    let Ok(base) = env::var(variable) else { return nothing_ran(variable) };
    let site = Site::new(&base, ca_pem)?;
    let failed = rows::ALL.iter().filter(|(name, row)| {
        let outcome = run(*row, &site);
        println!("{base}: {name}: {}", outcome.as_ref().map_or_else(String::as_str, |()| "ok"));
        outcome.is_err()
    });
    match failed.count() {
        0 => Ok(()),
        count => Err(format!("{count} of {} rows failed at {base}", rows::ALL.len()).into()),
    }
}

fn run(row: Row, site: &Site) -> Result<(), String> {
    match catch_unwind(AssertUnwindSafe(|| row(site))) {
        Ok(outcome) => outcome.map_err(|error| error.to_string()),
        Err(_) => Err("failed, see above".to_owned()),
    }
}

fn nothing_ran(variable: &str) -> Outcome {
    if env::var_os("LEANHTTP_INTEROP").is_some_and(|value| value == "required") {
        return Err(format!("{variable} is not set, and LEANHTTP_INTEROP=required").into());
    }
    println!("nothing ran: {variable} is not set");
    Ok(())
}
