//! netrc files.

use serde_json::{Value, json};

use super::support::{self, Outcome};
use crate::policy::auth::netrc::Netrc;

#[test]
fn netrc() {
    support::run("misc/netrc", |case| {
        let actual = match Netrc::parse(case["netrc"].as_str().unwrap()) {
            Err(_) => json!({"error": "netrc"}),
            Ok(netrc) => {
                let host = case["host"].as_str().unwrap();
                let login = netrc.lookup(host, case["user_in_url"].as_str());
                login.map_or(
                    Value::Null,
                    |login| json!({"login": login.username, "password": login.password}),
                )
            }
        };
        Outcome::of(case, &actual)
    });
}
