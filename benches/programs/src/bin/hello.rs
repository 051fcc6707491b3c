//! No client at all: the baseline cost of a program.

use leanhttp_programs::{Outcome, run};

fn main() -> Outcome<()> {
    run(|_, _| Ok(0))
}
