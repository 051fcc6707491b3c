//! The client as a service of tower, under layers of tower: a limit of concurrency and a timeout.
//!
//! ```text
//! cargo run --example tower --features tower [URL]
//! ```

use std::time::Duration;
use std::{env, error::Error};

use leanhttp::tokio::{Client, Response};
use tower::{ServiceBuilder, ServiceExt};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let url = env::args().nth(1).unwrap_or_else(|| "https://httpbin.org/get".to_owned());

    let service = ServiceBuilder::new()
        .concurrency_limit(10)
        .timeout(Duration::from_secs(5))
        .service(Client::new().http_service());

    // Requests and responses are those of the crate `http`.
    let request =
        http::Request::get(url).header("accept", "application/json").body(String::new())?;
    let response = service.oneshot(request).await?;
    println!("{} {:?}", response.status(), response.headers().get("content-type"));
    println!("{}", Response::from(response).text().await?);
    Ok(())
}
