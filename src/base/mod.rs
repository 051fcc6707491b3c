//! TODO base

pub(crate) mod buffer;
pub(crate) mod calendar;
pub(crate) mod cancel;
pub(crate) mod erased_box;
pub(crate) mod excerpt;
pub(crate) mod number;
pub(crate) mod percent;
pub mod timings;
