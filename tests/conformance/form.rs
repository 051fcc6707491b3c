//! `application/x-www-form-urlencoded`.

use leanhttp::form;
use serde_json::{Value, json};

use super::support::{self, Outcome};

#[test]
fn form_urlencoded() {
    support::run("misc/form_urlencoded", |case| {
        let pairs = pairs(&case["pairs"]);
        let encoded = form::encode(&pairs).unwrap();
        let parsed: Vec<_> = form::parse(encoded.as_bytes()).collect();
        let round_trip = pairs.iter().map(|&(name, value)| (name.into(), value.into()));
        if !round_trip.eq(parsed) {
            return Outcome::Failed(format!("{encoded}, which does not parse back"));
        }
        Outcome::of(case, &json!(encoded))
    });
}

fn pairs(list: &Value) -> Vec<(&str, &str)> {
    let pairs = list.as_array().unwrap().iter();
    pairs.map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap())).collect()
}
