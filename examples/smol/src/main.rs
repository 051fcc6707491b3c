//! A client on async-io: GET, POST with JSON, a body piece by piece, TLS, a timeout, and a call that is
//! canceled because its future is dropped.
//!
//! `cargo run --manifest-path examples/smol/Cargo.toml -- http://127.0.0.1:8080 https://example.org` asks a
//! server that answers like httpbin, and any server for TLS.

use std::time::Duration;

use async_io::{Timer, block_on};
use futures_lite::future::or;
use leanhttp::Result;
use leanhttp_smol::{Client, Reader};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let plain = arguments.next().unwrap_or_else(|| "http://httpbin.org".to_owned());
    let tls = arguments.next().unwrap_or_else(|| "https://httpbin.org/get".to_owned());
    block_on(run(&plain, &tls))
}

async fn run(plain: &str, tls: &str) -> Result<()> {
    // The servers of companies are trusted as by curl: by SSL_CERT_FILE.
    let client = Client::builder().tls_certs_from_env().timeout(Duration::from_secs(30)).build()?;

    let text = client.get(format!("{plain}/get")).send().await?.error_for_status()?.text().await?;
    println!("GET: {} bytes", text.len());

    let request = client.post(format!("{plain}/post")).json(&[1, 2, 3]);
    let value: serde_json::Value = request.send().await?.json().await?;
    println!("POST of JSON: {}", value["json"]);

    let reader = futures_lite::io::Cursor::new("read when it is sent");
    let request = client.post(format!("{plain}/post")).body(Reader::body(reader, None));
    println!("POST of a reader: {}", request.send().await?.status());

    let mut response = client.get(format!("{plain}/bytes/100000")).send().await?;
    while let Some(chunk) = response.chunk().await? {
        println!("chunk of {} bytes", chunk.len());
    }

    let response = client.get(tls).send().await?;
    println!("TLS: {} {:?}", response.status(), response.tls().map(|tls| tls.version()));

    let slow = format!("{plain}/delay/3");
    let error = client.get(&slow).timeout(Duration::from_millis(200)).send().await.unwrap_err();
    println!("timeout: {error}");

    let call = async { client.get(&slow).send().await.map(Some) };
    let pause = async {
        Timer::after(Duration::from_millis(200)).await;
        Ok(None)
    };
    let response = or(call, pause).await?;
    println!("dropped: {}", response.is_none());
    Ok(())
}
