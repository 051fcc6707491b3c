//! What the programs have in common: a GET of the URL that is the first argument, with trust in the
//! certificate that is the second if there is one.
//!
//! Each says how many bytes came, and ends when standard input does, so that the program that measures it can look at
//! it in between.

use std::env;
use std::io::{self, Read};

pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// The buffer that bodies are read into.
pub const SPACE: usize = 64 << 10;

/// Gets, tells, waits.
pub fn run(get: impl FnOnce(&str, Option<&str>) -> Outcome<u64>) -> Outcome<()> {
    let mut arguments = env::args().skip(1);
    let url = arguments.next().ok_or("usage: PROGRAM URL [CERTIFICATE]")?;
    println!("{}", get(&url, arguments.next().as_deref())?);
    io::stdin().read_exact(&mut [0]).or(Ok(()))
}

/// Reads to the end and counts.
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
