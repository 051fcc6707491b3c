//! No client at all: what a program costs anyway.

use leanhttp_programs::{Outcome, run};

fn main() -> Outcome<()> {
    run(|_, _| Ok(0))
}
