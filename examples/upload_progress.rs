//! An upload from a file, with a progress bar. The file is streamed, never held in memory.
//!
//! ```text
//! cargo run --example upload_progress --features progress [URL [FILE]]
//! ```

use std::fs::File;
use std::{env, error::Error};

use indicatif::{ProgressBar, ProgressStyle};
use leanhttp::Client;

fn main() -> Result<(), Box<dyn Error>> {
    let url = env::args().nth(1).unwrap_or_else(|| "https://httpbin.org/put".to_owned());
    let file = File::open(env::args().nth(2).unwrap_or_else(|| "Cargo.lock".to_owned()))?;

    let bar = ProgressBar::new(file.metadata()?.len());
    bar.set_style(ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {eta}")?);

    let shown = bar.clone();
    let response = Client::new()
        .put(url)
        .body(file)
        .on_upload_progress(move |sent, _total| shown.set_position(sent))
        .send()?
        .error_for_status()?;

    bar.finish();
    println!("{} bytes sent: {}", bar.position(), response.status());
    Ok(())
}
