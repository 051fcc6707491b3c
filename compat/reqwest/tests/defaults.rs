//! The time limits that hold by default: those of reqwest, not those of leanhttp.
#![allow(missing_docs)]

mod server;

use std::io::Write;
use std::thread::sleep;
use std::time::Duration;

use server::Server;

/// A server that is silent before the head, inside it and inside the body. It is real time, and short: the
/// client's clock is paused, so that it jumps to the next limit while the server is silent.
fn slow() -> Server {
    Server::playing(|_, stream| {
        for piece in ["HTTP/1.1 200 OK\r\n", "content-length: 4\r\n\r\n", "sl", "ow"] {
            sleep(Duration::from_millis(50));
            if stream.write_all(piece.as_bytes()).is_err() {
                return false;
            }
        }
        true
    })
}

#[tokio::test(start_paused = true)]
async fn the_async_client_has_no_time_limit() {
    let text = reqwest::get(&slow().url).await.unwrap().text().await.unwrap();
    assert_eq!(text, "slow");
    let client = reqwest::Client::builder().build().unwrap();
    let text = client.get(&slow().url).send().await.unwrap().text().await.unwrap();
    assert_eq!(text, "slow");
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_set_holds() {
    let client = reqwest::Client::builder().read_timeout(Duration::from_secs(600)).build().unwrap();
    let error = match client.get(&slow().url).send().await {
        Ok(response) => response.text().await.unwrap_err(),
        Err(error) => error,
    };
    assert!(error.is_timeout(), "{error}");
}

/// Shows that the tests above can fail: the same server, and the limits of leanhttp.
#[tokio::test(start_paused = true)]
async fn leanhttp_itself_has_limits_beside_this_package() {
    let client = leanhttp::tokio::Client::new();
    let error = match client.get(&slow().url).send().await {
        Ok(response) => response.text().await.unwrap_err(),
        Err(error) => error,
    };
    assert!(error.is_timeout(), "{error}");
}
