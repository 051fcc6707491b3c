//! Retries with a growing, random delay. They are off by default, and a POST is never repeated unless you say so.
//!
//! ```text
//! cargo run --example retries [URL]
//! ```

use std::env;
use std::time::Duration;

use leanhttp::{Client, retry};

fn main() -> leanhttp::Result<()> {
    let url = env::args().nth(1).unwrap_or_else(|| "https://httpbin.org/status/503".to_owned());

    let policy = retry::Policy::new()
        .max_attempts(4)
        .backoff(Duration::from_millis(100), Duration::from_secs(5))
        .on_retry(|retry| {
            println!("{:?}: attempt {} in {:?}", retry.reason(), retry.attempt(), retry.delay());
        });
    // The timeout holds for all attempts together.
    let client = Client::builder().retry(policy).timeout(Duration::from_secs(30)).build()?;

    let response = client.get(url).send()?;
    println!("in the end: {}", response.status());
    Ok(())
}
