//! Fetches a URL that somebody else has chosen, such as that of a webhook, without a way into your own network:
//! the address that is really dialed decides, also after redirects and whatever a name server says.
//!
//! ```text
//! cargo run --example webhook [URL]
//! ```

use std::env;
use std::time::Duration;

use leanhttp::{Client, EgressPolicy, redirect};

fn main() -> leanhttp::Result<()> {
    // Where clouds keep the credentials of a machine: what an attacker would name.
    let url = env::args().nth(1).unwrap_or_else(|| "http://169.254.169.254/latest/".to_owned());

    let client = Client::builder()
        .egress(EgressPolicy::public_only().allow_ports([80, 443]))
        .no_proxy() // a proxy would dial in place of this client
        .redirect(redirect::Policy::limited(3))
        .timeout(Duration::from_secs(10))
        .body_limit(1 << 20)
        .build()?;

    match client.post(url).body(r#"{"event": "paid"}"#).send() {
        Ok(response) => println!("delivered: {}", response.status()),
        Err(error) => println!("not delivered: {error}"),
    }
    Ok(())
}
