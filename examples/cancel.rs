//! Ctrl-C ends a blocking request at once, wherever it waits.
//!
//! ```text
//! cargo run --example cancel --features ctrl-c [URL]
//! ```

use std::{env, error::Error};

use leanhttp::{CancelToken, Client};

fn main() -> Result<(), Box<dyn Error>> {
    let url = env::args().nth(1).unwrap_or_else(|| "https://httpbin.org/delay/10".to_owned());

    let token = CancelToken::new();
    let pressed = token.clone();
    ctrlc::set_handler(move || pressed.cancel())?;

    println!("waiting for {url}; press Ctrl-C");
    match Client::new().get(url).cancel_token(&token).send().and_then(|response| response.text()) {
        Ok(text) => println!("{text}"),
        Err(error) if error.is_cancelled() => println!("cancelled: {error}"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
