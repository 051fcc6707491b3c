//! Reads a set of cases, runs them in parallel, counts, and alters expectations to check that each
//! kind of statement is compared.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::{Value, json};

/// The result of one case.
pub(super) enum Outcome {
    Passed,
    /// Not run; the reason is counted.
    Skipped(&'static str),
    /// The actual result, which differs from the expected one.
    Failed(String),
}

impl Outcome {
    /// Passes if `actual` is the expected result or an accepted alternative.
    pub(super) fn of(case: &Value, actual: &Value) -> Outcome {
        if accepted(case).any(|accepted| accepted == actual) {
            Outcome::Passed
        } else {
            Outcome::Failed(actual.to_string())
        }
    }
}

/// The expected results: the first choice, then those of the list `also_ok`.
pub(super) fn accepted(case: &Value) -> impl Iterator<Item = &Value> {
    let also = case["also_ok"].as_array().into_iter().flatten();
    std::iter::once(&case["expect"]).chain(also)
}

/// Runs every case of `set`, a file like `url/parse`, and prints the number that passed. All
/// statements of the cases are compared; see [`run_except`].
pub(super) fn run(set: &str, check: impl Fn(&Value) -> Outcome + Sync) {
    run_except(set, &[], check);
}

/// Runs every case of `set`, and then alters the expectations: for each kind of statement, such as
/// `/expect/headers/[]/[]`, there must be a case that fails when one of that kind is altered. The
/// kinds in `not_compared` have none; the list is printed.
///
/// Panics at the end with all cases that failed and all kinds that are not compared, or when the set
/// cannot be read.
pub(super) fn run_except(
    set: &str,
    not_compared: &[&str],
    check: impl Fn(&Value) -> Outcome + Sync,
) {
    let Some(cases) = load(set) else {
        println!("{set}: nothing ran, LEANHTTP_VECTORS is not set");
        return;
    };
    let outcomes = side_by_side(&cases, |case| guarded(&check, case));
    let (mut passed, mut skipped, mut failed) = (Vec::new(), BTreeMap::new(), Vec::new());
    for (case, outcome) in cases.iter().zip(outcomes) {
        match outcome {
            Outcome::Passed => passed.push(case),
            Outcome::Skipped(reason) => *skipped.entry(reason).or_insert(0) += 1,
            Outcome::Failed(actual) => failed.push(format!("{case}\n    came out as {actual}")),
        }
    }
    let count = passed.len();
    println!("{set:<28}{:>5} cases{count:>5} passed  skipped: {skipped:?}", cases.len());
    let kinds = passed.iter().flat_map(|case| statements(case)).map(|statement| statement.kind);
    let kinds: Vec<_> = kinds.collect::<BTreeSet<_>>().into_iter().collect();
    let found = side_by_side(&kinds, |kind| notices(&check, &passed, kind));
    let of = |wanted: Spoiled| -> Vec<&str> {
        let found = kinds.iter().zip(&found).filter(|(_, found)| **found == wanted);
        found.map(|(kind, _)| kind.as_str()).collect()
    };
    println!("    compared: {}", of(Spoiled::Fails).join(" "));
    println!("    never came out so: {}", of(Spoiled::Untried).join(" "));
    println!("    not compared: {}", of(Spoiled::Passes).join(" "));
    assert!(failed.is_empty(), "{set}: {} failed:\n{}", failed.len(), failed.join("\n"));
    assert!(count > 0, "{set}: no case ran");
    let passes = of(Spoiled::Passes);
    assert_eq!(passes, not_compared, "{set}: what is spoiled of these kinds passes all the same");
}

/// Runs `work` on all items, some in parallel: most of them wait for a socket, some for a timeout.
fn side_by_side<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    const WORKERS: usize = 8;
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..WORKERS.min(items.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { return };
                    let result = work(item);
                    done.lock().unwrap().insert(at, result);
                }
            });
        }
    });
    done.into_inner().unwrap().into_values().collect()
}

/// A check that panics is a failed case, and does not stop the others.
fn guarded(check: &impl Fn(&Value) -> Outcome, case: &Value) -> Outcome {
    panic::catch_unwind(AssertUnwindSafe(|| check(case))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Outcome::Failed(format!("a panic: {}", text.unwrap_or_default()))
    })
}

// Altered expectations.

/// One statement of a case.
struct Statement {
    /// The place, with array indices left out.
    kind: String,
    /// The place as a JSON pointer.
    pointer: String,
}

/// The result of changing an expectation of one kind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spoiled {
    /// Some case fails when it is altered.
    Fails,
    Passes,
    /// All cases with such a statement had another result, which they accept too.
    Untried,
}

fn notices(check: &impl Fn(&Value) -> Outcome, passed: &[&Value], kind: &str) -> Spoiled {
    /// Altering may have no effect for some cases: a field that is absent under one name is absent
    /// under another, too.
    const TRIED: usize = 12;
    let stating = passed.iter().filter_map(|case| {
        let statement = statements(case).into_iter().find(|statement| statement.kind == kind)?;
        let mut alone = (*case).clone();
        alone.as_object_mut()?.remove("also_ok");
        Some((alone, statement.pointer))
    });
    let mut found = Spoiled::Untried;
    let stating = stating.filter(|(alone, _)| matches!(guarded(check, alone), Outcome::Passed));
    for (mut case, pointer) in stating.take(TRIED) {
        let key = pointer.rsplit('/').find(|key| key.parse::<usize>().is_err()).unwrap().to_owned();
        let value = case.pointer_mut(&pointer).unwrap();
        *value = spoiled(&key, value);
        // A check that panics on the altered value does not compare it.
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| check(&case)));
        if matches!(outcome, Ok(Outcome::Failed(_))) {
            return Spoiled::Fails;
        }
        found = Spoiled::Passes;
    }
    found
}

/// All expectations of the case; in a sequence of steps each reading step has one.
fn statements(case: &Value) -> Vec<Statement> {
    let mut found = Vec::new();
    for key in ["expect", "expect_seconds"] {
        if let Some(expected) = case.get(key) {
            gather(expected, &format!("/{key}"), &mut found);
        }
    }
    for (number, step) in case["steps"].as_array().into_iter().flatten().enumerate() {
        for key in ["get", "get_b64"] {
            if let Some(expected) = step.get(key) {
                gather(expected, &format!("/steps/{number}/{key}"), &mut found);
            }
        }
    }
    found
}

fn gather(value: &Value, pointer: &str, found: &mut Vec<Statement>) {
    match value {
        // One of several alternatives: only all of them together can be altered.
        Value::Array(_) if pointer.ends_with("any_of") => found.push(Statement::new(pointer)),
        // Only their number can be compared.
        Value::Array(_) if pointer.ends_with("interim") => found.push(Statement::new(pointer)),
        Value::Array(list) => {
            for (at, value) in list.iter().enumerate() {
                gather(value, &format!("{pointer}/{at}"), found);
            }
        }
        Value::Object(pairs) => {
            for (key, value) in pairs {
                let key = key.replace('~', "~0").replace('/', "~1");
                gather(value, &format!("{pointer}/{key}"), found);
            }
        }
        _ => found.push(Statement::new(pointer)),
    }
}

impl Statement {
    fn new(pointer: &str) -> Self {
        let key =
            |key: &str| if key.parse::<usize>().is_ok() { "[]".to_owned() } else { key.to_owned() };
        let kind = pointer.split('/').map(key).collect::<Vec<_>>().join("/");
        Self { kind, pointer: pointer.to_owned() }
    }
}

/// A different value of the same type, under that key.
fn spoiled(key: &str, value: &Value) -> Value {
    match value {
        Value::Bool(value) => json!(!value),
        Value::Number(_) if key.ends_with("at_most") => json!(0),
        Value::Number(number) => json!(number.as_u64().unwrap_or(0) + 1),
        Value::Array(_) => json!([]),
        // An error of another class that every set uses.
        Value::String(error) if key == "error" && error == "timeout" => json!("connection-closed"),
        Value::String(_) if key == "error" => json!("timeout"),
        Value::String(body) if key == "body" => json!(if body == "none" { "same" } else { "none" }),
        Value::String(_) if key.ends_with("absent") => json!("Host"),
        Value::String(text) if key.ends_with("b64") => {
            json!(if text == "c3BvaWxlZA==" { "" } else { "c3BvaWxlZA==" })
        }
        Value::String(text) => json!(format!("{text}x")),
        _ => json!("spoiled"),
    }
}

/// The cases of `set`, or nothing if no folder is configured.
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

/// The runner detects a changed expectation that a check ignores.
#[test]
fn an_altered_expectation_that_passes_is_detected() {
    let case = json!({
        "expect": {"status": 200, "headers": [["A", "b"]], "reusable": true},
        "also_ok": [{"error": "framing"}],
    });
    let all = |case: &Value| {
        Outcome::of(case, &json!({"status": 200, "headers": [["A", "b"]], "reusable": true}))
    };
    let status_only = |case: &Value| match case["expect"]["status"] == 200 {
        true => Outcome::Passed,
        false => Outcome::Failed(String::new()),
    };
    let other = |case: &Value| Outcome::of(case, &json!({"error": "framing"}));
    let breaks = |case: &Value| match case["expect"]["reusable"] == true {
        true => Outcome::Passed,
        false => panic!("a statement that cannot be read"),
    };
    for kind in ["/expect/status", "/expect/headers/[]/[]", "/expect/reusable"] {
        let is = |check: &dyn Fn(&Value) -> Outcome| notices(&check, &[&case], kind);
        assert!(is(&all) == Spoiled::Fails, "{kind}");
        assert!(is(&other) == Spoiled::Untried, "{kind}");
        assert!((is(&status_only) == Spoiled::Fails) == (kind == "/expect/status"), "{kind}");
        assert!(is(&breaks) == Spoiled::Passes, "{kind}");
    }
}
