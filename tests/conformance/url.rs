//! URLs: parsing and resolving, host names, and names that may be looked up.

use leanhttp::url::{ParseError, Url};
use serde_json::{Value, json};

use super::support::{self, Outcome};

/// True if a host that is not ASCII can be parsed.
const IDNA: bool = cfg!(feature = "idna");

#[test]
fn parse() {
    support::run("url/parse", |case| match resolve(case) {
        Err(ParseError::IdnaFeatureMissing(_)) if !IDNA => {
            Outcome::Skipped("needs the feature idna")
        }
        Err(_) => Outcome::of(case, &json!({"error": "invalid-url"})),
        Ok(url) if support::accepted(case).any(|expect| agrees(&url, expect)) => Outcome::Passed,
        Ok(url) => Outcome::Failed(url.to_string()),
    });
}

fn resolve(case: &Value) -> Result<Url, ParseError> {
    let input = case["input"].as_str().unwrap();
    match case["base"].as_str() {
        None => Url::parse(input),
        Some(base) => Url::parse(base)?.join(input),
    }
}

fn agrees(url: &Url, expect: &Value) -> bool {
    let prefixed = |prefix: &str, part: Option<&str>| {
        part.filter(|part| !part.is_empty()).map_or(String::new(), |part| format!("{prefix}{part}"))
    };
    let hostname = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| port.to_string());
    let parts = [
        ("href", url.to_string()),
        ("origin", url.origin().ascii_serialization()),
        ("protocol", format!("{}:", url.scheme())),
        ("username", url.username().to_owned()),
        ("password", url.password().unwrap_or_default().to_owned()),
        ("host", format!("{hostname}{}", prefixed(":", port.as_deref()))),
        ("hostname", hostname.to_owned()),
        ("port", port.clone().unwrap_or_default()),
        ("pathname", url.path().to_owned()),
        ("search", prefixed("?", url.query())),
        ("hash", prefixed("#", url.fragment())),
    ];
    // Only `href` is present in every case.
    expect["href"].is_string()
        && parts.iter().all(|(key, part)| expect.get(key).is_none_or(|expected| expected == part))
}

#[test]
fn domain_to_ascii() {
    for set in ["url/toascii", "url/idna_v2"] {
        support::run(set, |case| {
            let input = case["input"].as_str().unwrap();
            match Url::parse(&format!("https://{input}/x")) {
                Err(ParseError::IdnaFeatureMissing(_)) if !IDNA => {
                    Outcome::Skipped("needs the feature idna")
                }
                Err(_) => Outcome::of(case, &json!({"error": "invalid-host"})),
                Ok(url) => Outcome::of(case, &json!({"host": url.host_str()})),
            }
        });
    }
}

#[test]
fn dns_length() {
    // The stage is prose; the tests of `dialling.rs` show that no lookup is made.
    support::run_except("url/dns_length", &["/expect/stage"], |case| {
        let url = Url::parse(case["input"].as_str().unwrap()).unwrap();
        let resolvable = url.host().is_some_and(|host| host.is_resolvable());
        let mut stated = case["expect"].as_object().unwrap().iter();
        let is_right = stated.all(|(key, wanted)| match key.as_str() {
            "resolvable" => *wanted == resolvable,
            "error" => *wanted == "host-too-long-or-empty-label" && !resolvable,
            "stage" => true,
            _ => false,
        });
        match is_right {
            true => Outcome::Passed,
            false => Outcome::Failed(format!("resolvable: {resolvable}")),
        }
    });
}
