//! Access to the private machines for tests: entry points for the fuzz targets, with simpler models
//! to compare with, and the conformance vectors of machines that are not public.
//!
//! The machines are `pub(crate)`, and a fuzz target or an integration test is another crate. Making
//! them public for tests would make them part of the API; so the two folders here are compiled only
//! for fuzzing and tests, and hold nothing that a release build contains:
//!
//! | folder | compiled for | used by |
//! | --- | --- | --- |
//! | `fuzzing` | `cfg(fuzzing)`, tests | `fuzz/fuzz_targets/`, one function or type per machine |
//! | `vectors` | tests | the conformance vectors of machines that no caller sees |
//!
//! The public API has its vectors in `tests/conformance/`. Only what no caller can see is run from
//! here.

#[cfg(any(fuzzing, test))]
pub mod fuzzing;
#[cfg(test)]
pub(crate) mod vectors;
