//! Requests through a proxy: HTTP, HTTPS or SOCKS, with a login if it asks for one.
//!
//! ```text
//! cargo run --example proxy [URL [PROXY]]
//! ```

use std::env;

use leanhttp::{Client, NoProxy, Proxy};

fn main() -> leanhttp::Result<()> {
    let url = env::args().nth(1).unwrap_or_else(|| "https://httpbin.org/ip".to_owned());
    // `http`, `https`, `socks4`, `socks4a`, `socks5`, or `socks5h`, which looks names up at the proxy.
    let proxy = env::args().nth(2).unwrap_or_else(|| "http://localhost:3128".to_owned());

    // Without this, the client uses the proxy of the environment: HTTPS_PROXY and the like.
    let proxy = Proxy::all(proxy)?
        .basic_auth("user", "passwd")
        .no_proxy(NoProxy::from_string("internal.example, 10.0.0.0/8"));
    let client = Client::builder().proxy(proxy).build()?;

    let response = client.get(url).send()?.error_for_status()?;
    println!("{}", response.text()?);
    Ok(())
}
