//! A hundred requests on tokio, ten at a time.
//!
//! ```text
//! cargo run --example concurrent --features tokio [URL]
//! ```

use std::{env, error::Error, sync::Arc};

use leanhttp::tokio::Client;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = env::args().nth(1).unwrap_or_else(|| "https://httpbin.org/get".to_owned());

    let client = Client::new();
    let permits = Arc::new(Semaphore::new(10));
    let mut tasks = JoinSet::new();
    for number in 0..100_u32 {
        let (client, permits, url) = (client.clone(), Arc::clone(&permits), url.clone());
        tasks.spawn(async move {
            let _permit = permits.acquire_owned().await;
            let request = client.get(url).query(&[("number", number.to_string())]);
            request.send().await?.error_for_status()?.bytes().await
        });
    }

    let mut bytes = 0;
    while let Some(done) = tasks.join_next().await {
        match done? {
            Ok(body) => bytes += body.len(),
            Err(error) => println!("{error}"),
        }
    }
    println!("{bytes} bytes");
    Ok(())
}
