//! Ways into the private machines for those who test them: entry points for the fuzz targets, with twins
//! that are simpler than what they check, and the conformance vectors of machines that are not public.

#[cfg(any(fuzzing, test))]
pub mod fuzzing;
#[cfg(test)]
pub(crate) mod vectors;
