//! Pages of the guide that stand alone: [`leniency`] compares what is accepted of a response with
//! other clients, and [`design`] answers why the client is made as it is. `downloads` shows how files are downloaded
//! to the end.

#[doc = include_str!("leniency.md")]
pub mod leniency {}

#[doc = include_str!("design.md")]
pub mod design {}

#[cfg(all(feature = "blocking", feature = "download"))]
#[doc = include_str!("downloads.md")]
pub mod downloads {}
