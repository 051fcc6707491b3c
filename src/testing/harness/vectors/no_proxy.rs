//! The hosts that are reached without a proxy.

use super::support::{self, Outcome};
use crate::policy::proxy::no_proxy::NoProxyList;
use crate::url::Url;

#[test]
fn no_proxy() {
    support::run("misc/no_proxy", |case| {
        let url = Url::parse(case["url"].as_str().unwrap()).unwrap();
        let list = NoProxyList::parse(case["no_proxy"].as_str().unwrap());
        let way = if list.covers(&url) { "direct" } else { "proxy" };
        // If Go and curl differ, either result is accepted.
        let choice = &case["choice"];
        match [&case["expect"], &choice["go"], &choice["curl"]].iter().any(|one| **one == way) {
            true => Outcome::Passed,
            false => Outcome::Failed(way.to_owned()),
        }
    });
}
