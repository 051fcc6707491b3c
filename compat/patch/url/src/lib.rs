//! The [`Url`] of leanhttp under the names of the crate `url` 2.5.
//!
//! reqwest's `Url` is that of the crate `url`, and crates that were written for reqwest pass the one where the
//! other is asked for. Where leanhttp takes reqwest's place by `[patch.crates-io]`, this package takes that of `url`,
//! so that both names are one type again.

#[doc(no_inline)]
pub use form_urlencoded;
#[doc(no_inline)]
pub use leanhttp::url::{
    Host, OpaqueOrigin, Origin, ParseError, ParseOptions, PathSegmentsMut, Position, Url, UrlQuery,
};
