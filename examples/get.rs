//! GET: the status, a header field and the text of a page.
//!
//! ```text
//! cargo run --example get [URL]
//! ```

use std::env;

use leanhttp::Client;

fn main() -> leanhttp::Result<()> {
    let url = env::args().nth(1).unwrap_or_else(|| "https://httpbin.org/get".to_owned());

    let client = Client::new();
    let response = client
        .get(url)
        .query(&[("page", "2"), ("sort", "name & date")])
        .header("Accept", "application/json")
        .send()?
        .error_for_status()?;

    println!("{} from {}", response.status(), response.url());
    println!("Content-Type: {:?}", response.headers().get("content-type"));
    println!("{}", response.text()?);
    Ok(())
}
