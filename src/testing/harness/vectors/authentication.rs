//! Challenges, and the answers of Digest.

use http::Method;
use serde_json::{Value, json};

use super::support::{self, Outcome};
use super::{bytes, object};
use crate::fields;
use crate::fields::challenge::{self, Challenge, Details};
use crate::policy::auth::Asked;
use crate::policy::auth::digest::DigestLogin;
use crate::policy::auth::digest::tests::answer;

#[test]
fn www_authenticate() {
    support::run("misc/www_authenticate", |case| {
        let lines: Vec<_> =
            case["headers"].as_array().unwrap().iter().map(|line| bytes(line).unwrap()).collect();
        let challenges = lines.iter().flat_map(|line| challenge::parse(line));
        Outcome::of(case, &challenges.map(|challenge| shown(&challenge)).collect())
    });
}

fn shown(challenge: &Challenge) -> Value {
    match &challenge.details {
        Details::Token68(token) => json!({"scheme": challenge.scheme, "token68": token}),
        Details::Parameters(parameters) => {
            let shown = |(name, value): &(String, Vec<u8>)| (name.clone(), fields::text(value));
            let parameters: Vec<_> = parameters.iter().map(shown).collect();
            json!({"scheme": challenge.scheme, "params": object(&parameters)})
        }
    }
}

#[test]
fn digest() {
    support::run("misc/digest", |case| {
        let text = |key: &str| case[key].as_str().unwrap_or_default().to_owned();
        let login = DigestLogin { username: text("username"), password: text("password") };
        let method = text("method").parse::<Method>().unwrap();
        let (target, body) = (text("uri"), text("body"));
        let asked = Asked { method: &method, target: &target, body: Some(body.as_bytes()) };
        let count = u32::from_str_radix(case["nc"].as_str().unwrap_or("1"), 16).unwrap();
        let value = answer(&offered(case), &login, asked, &text("cnonce"), count).unwrap();
        let answer = challenge::parse(value.as_bytes()).next().unwrap();
        assert_eq!(answer.parameter("uri"), Some(target.as_bytes()));
        let differs = |(key, wanted): (&String, &Value)| {
            wanted.as_str().map(str::as_bytes) != answer.parameter(key)
        };
        match case["expect"].as_object().unwrap().iter().any(differs) {
            true => Outcome::Failed(value),
            false => Outcome::Passed,
        }
    });
}

/// Returns the challenge that a server would have sent.
fn offered(case: &Value) -> String {
    let quoted = |key: &str| {
        let text = case[key].as_str()?.replace('\\', "\\\\").replace('"', "\\\"");
        Some(format!(", {key}=\"{text}\""))
    };
    let parameters: String =
        ["realm", "nonce", "opaque", "algorithm", "qop"].into_iter().filter_map(quoted).collect();
    format!("Digest userhash={}{parameters}", case["userhash"])
}
