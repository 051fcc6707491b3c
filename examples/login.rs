//! A login that outlives the program: its cookies are kept in a file.
//!
//! ```text
//! cargo run --example login [SITE [FILE]]
//! ```

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;
use std::{env, error::Error};

use leanhttp::Client;
use leanhttp::cookie::{Jar, SessionCookies};

fn main() -> Result<(), Box<dyn Error>> {
    let site = env::args().nth(1).unwrap_or_else(|| "https://httpbin.org".to_owned());
    let file =
        env::args().nth(2).map_or_else(|| env::temp_dir().join("cookies.json"), PathBuf::from);

    let jar = Arc::new(Jar::new());
    if let Ok(saved) = File::open(&file) {
        let loaded = jar.load_json(BufReader::new(saved))?;
        println!("{} cookies from {}", loaded.cookies, file.display());
    }
    let client = Client::builder().cookie_provider(Arc::clone(&jar)).build()?;

    if jar.is_empty() {
        println!("logging in");
        // A real site takes a form with the name and the password here.
        client.get(format!("{site}/cookies/set/session/abc123")).send()?.error_for_status()?;
    }
    println!("{}", client.get(format!("{site}/cookies")).send()?.text()?);

    // Cookies are credentials: others should not be able to read the file.
    jar.save_json(File::create(&file)?, SessionCookies::Keep)?;
    Ok(())
}
