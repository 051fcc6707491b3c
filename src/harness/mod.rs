//! Access to the private machines for tests: entry points for the fuzz targets, with simpler models
//! to compare with, and the conformance vectors of machines that are not public.

#[cfg(any(fuzzing, test))]
pub mod fuzzing;
#[cfg(test)]
pub(crate) mod vectors;
