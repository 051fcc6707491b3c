//! A download to a file, with a progress bar. It resumes after a lost connection, and leaves the complete file
//! or none.
//!
//! ```text
//! cargo run --example download_progress --features progress [URL [FILE]]
//! ```

use std::path::PathBuf;
use std::{env, error::Error};

use indicatif::{ProgressBar, ProgressStyle};
use leanhttp::Client;

fn main() -> Result<(), Box<dyn Error>> {
    let url = env::args().nth(1).unwrap_or_else(|| "https://httpbin.org/bytes/100000".to_owned());
    let file = env::args().nth(2).map_or_else(|| env::temp_dir().join("download"), PathBuf::from);

    let bar = ProgressBar::no_length();
    bar.set_style(ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {eta}")?);

    let shown = bar.clone();
    let done = Client::new()
        .get(url)
        .download()
        .on_progress(move |progress| {
            if let Some(total) = progress.total {
                shown.set_length(total);
            }
            shown.set_position(progress.received);
        })
        .to_file(&file)?;

    bar.finish();
    println!("{}: {} bytes, SHA-256 {}", file.display(), done.size(), done.sha256());
    Ok(())
}
