//! Pages of the guide that stand alone: `middleware` is about code of your own around each call, `downloads` about
//! files that are downloaded to the end, [`leniency`] compares what is accepted of a response with other clients, and
//! [`design`] answers why the client is made as it is.

#[doc = include_str!("leniency.md")]
pub mod leniency {}

#[doc = include_str!("design.md")]
pub mod design {}

#[cfg(all(feature = "blocking", feature = "download"))]
#[doc = include_str!("downloads.md")]
pub mod downloads {}

#[cfg(all(feature = "middleware", feature = "blocking"))]
#[doc = include_str!("middleware.md")]
pub mod middleware {}
