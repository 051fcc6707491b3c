//! The examples for docs.rs, which shows them at the methods that they call. It builds the examples of the
//! published package alone, and these are a package of their own; to run one, see `cargo run --example`.
#![allow(dead_code, reason = "nothing runs these here")]

#[path = "concurrent.rs"]
mod concurrent;
#[path = "crawl.rs"]
mod crawl;
#[path = "form.rs"]
mod form;
#[path = "get.rs"]
mod get;
#[path = "json.rs"]
mod json;
#[path = "login.rs"]
mod login;
#[path = "mtls.rs"]
mod mtls;
#[path = "proxy.rs"]
mod proxy;
#[path = "retries.rs"]
mod retries;
#[path = "webhook.rs"]
mod webhook;

fn main() {}
