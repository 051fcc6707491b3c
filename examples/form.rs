//! The two kinds of HTML forms: fields alone, and fields with files.
//!
//! ```text
//! cargo run --example form [URL]
//! ```

use std::env;

use leanhttp::Client;
use leanhttp::multipart::{Form, Part};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = env::args().nth(1).unwrap_or_else(|| "https://httpbin.org/post".to_owned());
    let client = Client::new();

    // application/x-www-form-urlencoded
    let fields = [("name", "Zoë"), ("comment", "50 % & more")];
    let response = client.post(&url).form(&fields).send()?.error_for_status()?;
    println!("{}", response.text()?);

    // multipart/form-data. `Form::file` streams a file of the disk.
    let notes = Part::bytes(&b"first line\n"[..]).file_name("notes.txt").mime_str("text/plain")?;
    let form = Form::new().text("name", "Zoë").part("attachment", notes);
    let response = client.post(&url).multipart(form).send()?.error_for_status()?;
    println!("{}", response.text()?);
    Ok(())
}
