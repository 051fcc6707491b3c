//! Pages of the guide that stand alone.
//!
//! | page | for |
//! | --- | --- |
//! | [`coming_from_reqwest`], [`coming_from_ureq`], [`coming_from_requests`], [`coming_from_curl`] | those who know another client: names, and what behaves differently |
//! | [`compatibility`] | the names of reqwest, and what each does here |
//! | `middleware` (feature `middleware`) | code of your own around each call |
//! | [`leniency`] | what is accepted of a response, compared with other clients |
//! | [`design`] | why the client is made as it is |

#[doc = include_str!("coming_from_reqwest.md")]
pub mod coming_from_reqwest {}

#[doc = include_str!("coming_from_ureq.md")]
pub mod coming_from_ureq {}

#[doc = include_str!("coming_from_requests.md")]
pub mod coming_from_requests {}

#[doc = include_str!("coming_from_curl.md")]
pub mod coming_from_curl {}

#[doc = include_str!("leniency.md")]
pub mod leniency {}

#[doc = include_str!("design.md")]
pub mod design {}

#[doc = include_str!("compatibility.md")]
pub mod compatibility {}

#[cfg(all(feature = "middleware", feature = "blocking"))]
#[doc = include_str!("middleware.md")]
pub mod middleware {}
