//! Pages of the guide that stand alone: `middleware` is about code of your own around each call, [`leniency`]
//! compares what is accepted of a response with other clients, and [`design`] answers why the client is made as it
//! is.

#[doc = include_str!("leniency.md")]
pub mod leniency {}

#[doc = include_str!("design.md")]
pub mod design {}

#[cfg(all(feature = "middleware", feature = "blocking"))]
#[doc = include_str!("middleware.md")]
pub mod middleware {}
