//! JSON in both directions, as types of your own.
//!
//! ```text
//! cargo run --example json --features json [URL]
//! ```

use std::env;

use leanhttp::Client;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Order {
    item: String,
    count: u32,
}

/// The part of the response that is of interest; other members are ignored.
#[derive(Debug, Deserialize)]
struct Reply {
    json: Order,
    url: String,
}

fn main() -> leanhttp::Result<()> {
    let url = env::args().nth(1).unwrap_or_else(|| "https://httpbin.org/post".to_owned());

    let order = Order { item: "coffee".to_owned(), count: 2 };
    let response = Client::new().post(url).json(&order).send()?.error_for_status()?;
    let reply: Reply = response.json()?;

    println!("{} has received {} times {}", reply.url, reply.json.count, reply.json.item);
    Ok(())
}
