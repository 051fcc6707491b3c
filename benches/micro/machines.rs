//! The state machines of leanhttp alone: nothing is sent and nothing waits.
//!
//! They are not part of the public API, so this is built with `--cfg fuzzing`, as `run --micro`
//! does, and is empty otherwise.

#[cfg(fuzzing)]
mod chunked;
#[cfg(fuzzing)]
mod head;
#[cfg(fuzzing)]
mod url;

fn main() {
    divan::main();
}
