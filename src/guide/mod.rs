//! Pages of the guide that stand alone.

#[doc = include_str!("leniency.md")]
pub mod leniency {}
