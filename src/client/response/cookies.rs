//! The cookies that a response sets.

use http::header;

use super::Response;
use crate::cookie::Cookie;

impl<B> Response<B> {
    /// Returns the cookies that this response sets, as they were sent; malformed ones are skipped.
    pub fn cookies(&self) -> impl Iterator<Item = Cookie<'_>> {
        self.headers().get_all(header::SET_COOKIE).iter().filter_map(Cookie::parse)
    }
}
