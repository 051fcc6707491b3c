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
    /// What is left of the input and of the output.
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
