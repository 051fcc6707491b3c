//! Shared by the programs: a GET of the URL in the first argument, with trust in the certificate in
//! the second if there is one. Each prints the number of bytes received, and ends when standard
//! input does, so that the measuring program can inspect it in between.

use std::env;
use std::io::{self, Read};

pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// The buffer that bodies are read into.
pub const SPACE: usize = 64 << 10;

/// Sends the request, prints the result, waits.
pub fn run(get: impl FnOnce(&str, Option<&str>) -> Outcome<u64>) -> Outcome<()> {
    let mut arguments = env::args().skip(1);
    let url = arguments.next().ok_or("usage: PROGRAM URL [CERTIFICATE]")?;
    println!("{}", get(&url, arguments.next().as_deref())?);
    io::stdin().read_exact(&mut [0]).or(Ok(()))
}

/// Reads to the end and counts the bytes.
pub fn drain(mut body: impl Read) -> Outcome<u64> {
    let mut space = vec![0; SPACE];
    let mut total = 0;
    loop {
        match body.read(&mut space)? {
            0 => return Ok(total),
            count => total += count as u64,
        }
    }
}
