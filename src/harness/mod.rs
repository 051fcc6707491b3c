//! TODO harness

#[cfg(any(fuzzing, test))]
pub mod fuzzing;
#[cfg(test)]
pub(crate) mod vectors;
