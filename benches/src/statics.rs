//! The static cost of a program with one client: crates, build time, size.

use std::fs;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::machine;
use crate::programs::{self, Program};

pub struct Statics {
    pub program: &'static str,
    pub crates: usize,
    /// The time of a build from scratch, without downloads.
    pub wall: Duration,
    pub cpu: Duration,
    /// The size of the stripped program, in bytes.
    pub size: u64,
}

pub fn measure(program: &Program) -> Outcome<Statics> {
    let folder = programs::folder()?.join(format!("clean-{}", program.name));
    match fs::remove_dir_all(&folder) {
        Err(error) if folder.exists() => return Err(error.into()),
        _ => {}
    }
    let (wall, cpu) = (Instant::now(), machine::cpu_time_of_children()?);
    let path = program.build(&folder)?;
    let (wall, cpu) = (wall.elapsed(), machine::cpu_time_of_children()? - cpu);
    let size = fs::metadata(path)?.len();
    fs::remove_dir_all(&folder)?;
    Ok(Statics { program: program.name, crates: program.crates()?, wall, cpu, size })
}
