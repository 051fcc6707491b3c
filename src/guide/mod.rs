//! Pages of the guide that stand alone: [`compatibility`] lists the names of reqwest, [`leniency`] compares what is accepted of a response with
//! other clients, and [`design`] answers why the client is made as it is.

#[doc = include_str!("leniency.md")]
pub mod leniency {}

#[doc = include_str!("design.md")]
pub mod design {}

#[doc = include_str!("compatibility.md")]
pub mod compatibility {}
