//! How far a decoder has come: bytes consumed and bytes produced.

use std::ops::AddAssign;

/// What one call of a decoder did: how far it came in the input and in the output.
///
/// A decoder stops for one of two reasons: the output is full, or (when it is not) it can do no
/// more without further input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) consumed: usize,
    pub(crate) produced: usize,
}

impl Progress {
    /// Repeats `step` until it can do no more.
    ///
    /// An error comes only if nothing was produced before it: what was produced would be lost,
    /// and how much that is would depend on how the input was split. So `step`, asked again,
    /// has to answer with the same error again.
    #[inline]
    pub(crate) fn repeat<E>(
        input: &[u8],
        output: &mut [u8],
        mut step: impl FnMut(&[u8], &mut [u8]) -> Result<Self, E>,
    ) -> Result<Self, E> {
        let mut progress = Self::default();
        loop {
            let (input, output) = progress.rest(input, output);
            match step(input, output) {
                Ok(step) if step == Self::default() => return Ok(progress),
                Ok(step) => progress += step,
                Err(error) if progress.produced == 0 => return Err(error),
                Err(_) => return Ok(progress),
            }
        }
    }

    /// What is left of the input and of the output.
    #[inline]
    pub(crate) fn rest<'i, 'o>(
        self,
        input: &'i [u8],
        output: &'o mut [u8],
    ) -> (&'i [u8], &'o mut [u8]) {
        (
            input.get(self.consumed..).unwrap_or_default(),
            output.get_mut(self.produced..).unwrap_or_default(),
        )
    }
}

impl AddAssign for Progress {
    fn add_assign(&mut self, step: Self) {
        self.consumed += step.consumed;
        self.produced += step.produced;
    }
}
