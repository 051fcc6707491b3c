//! The progress of a decoder: bytes consumed and bytes produced.
//!
//! The chunked decoder and the content decoders share this shape: a step looks at the input, writes
//! to the output, and says how far both went. [`DecodeProgress::repeat`] makes a decoder of such
//! steps, with two properties that no decoder can then forget: it stops only if it can do no more,
//! and bytes before an error are delivered before the error. So the number of bytes that a caller
//! sees before an error does not depend on the sizes of its reads.
//!
//! ```text
//! repeat:  input  [ consumed so far │ given to the next step ]
//!          output [ produced so far │ given to the next step ]
//!          a step that neither consumes nor produces ends the loop
//!          an error ends it too: now if nothing was produced, else at the next call
//! ```

use std::ops::AddAssign;

/// The result of one decoder call: the bytes consumed and produced.
///
/// A decoder stops for one of two reasons: the output is full, or (if it is not) it needs more input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct DecodeProgress {
    pub(crate) consumed: usize,
    pub(crate) produced: usize,
}

impl DecodeProgress {
    /// Repeats `step` until it makes no progress.
    ///
    /// An error is returned only if no byte was produced before it: otherwise those bytes would be lost,
    /// and their number would depend on how the input was split. So `step` must return the same error
    /// again when it is called again.
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

    /// Returns the unused parts of the input and the output.
    #[inline]
    pub(crate) fn rest<'i, 'o>(
        self,
        input: &'i [u8],
        output: &'o mut [u8],
    ) -> (&'i [u8], &'o mut [u8]) {
        (input.split_at(self.consumed).1, output.split_at_mut(self.produced).1)
    }
}

impl AddAssign for DecodeProgress {
    fn add_assign(&mut self, step: Self) {
        self.consumed += step.consumed;
        self.produced += step.produced;
    }
}
