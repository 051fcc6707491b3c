//! Reads a set of cases, runs them all, counts.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// How one case went.
pub(super) enum Outcome {
    Passed,
    /// Not run; the reason is counted.
    Skipped(&'static str),
    /// What came instead of what was expected.
    Failed(String),
}

impl Outcome {
    /// Passed, if `actual` is what the case expects or one of what it accepts besides.
    pub(super) fn of(case: &Value, actual: &Value) -> Outcome {
        if accepted(case).any(|accepted| accepted == actual) {
            Outcome::Passed
        } else {
            Outcome::Failed(actual.to_string())
        }
    }
}

/// What a case expects, and then everything in its list `also_ok`.
pub(super) fn accepted(case: &Value) -> impl Iterator<Item = &Value> {
    let also = case["also_ok"].as_array().into_iter().flatten();
    std::iter::once(&case["expect"]).chain(also)
}

/// Runs every case of `set`, a file like `url/parse`, and prints how many passed.
///
/// Panics at the end with all cases that failed, or when the set cannot be read.
pub(super) fn run(set: &str, check: impl Fn(&Value) -> Outcome) {
    let Some(cases) = load(set) else {
        println!("{set}: nothing ran, LEANHTTP_VECTORS is not set");
        return;
    };
    let (mut passed, mut skipped, mut failed) = (0, BTreeMap::new(), Vec::new());
    for case in &cases {
        match check(case) {
            Outcome::Passed => passed += 1,
            Outcome::Skipped(reason) => *skipped.entry(reason).or_insert(0) += 1,
            Outcome::Failed(actual) => failed.push(format!("{case}\n    came out as {actual}")),
        }
    }
    println!("{set:<24}{:>5} cases{passed:>5} passed  skipped: {skipped:?}", cases.len());
    assert!(failed.is_empty(), "{set}: {} failed:\n{}", failed.len(), failed.join("\n"));
    assert!(passed > 0, "{set}: no case ran");
}

/// The cases of `set`, or nothing when no folder was named.
fn load(set: &str) -> Option<Vec<Value>> {
    let folder = std::env::var_os("LEANHTTP_VECTORS")?;
    let path = Path::new(&folder).join(set).with_extension("json");
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    let mut file: Value = serde_json::from_str(&text).expect("a set is JSON");
    let Value::Array(cases) = file["cases"].take() else { panic!("{set} has no cases") };
    assert_eq!(file["count"], cases.len(), "{set} says how many cases it has");
    Some(cases)
}
