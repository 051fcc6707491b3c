//! The state machines of leanhttp alone: nothing is sent and nothing waits.
//!
//! They are not part of the public API, so this is built with `--cfg fuzzing`, as `run --micro`
//! does, and is empty otherwise.

#[cfg(fuzzing)]
mod chunked;
#[cfg(fuzzing)]
mod head;
#[cfg(fuzzing)]
mod streams;
#[cfg(fuzzing)]
mod url;

fn main() {
    divan::main();
    // `cargo bench` says so; `cargo test` and a list need no ratios.
    #[cfg(fuzzing)]
    if std::env::args().skip(1).eq(["--bench"]) {
        streams::print_ratios();
    }
}
