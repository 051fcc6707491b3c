//! Switching the connection to another protocol (RFC 9110 §7.8).
//!
//! ```text
//! client ─▶ GET /chat HTTP/1.1            server ─▶ HTTP/1.1 101 Switching Protocols
//!           upgrade: websocket                      upgrade: websocket
//!           connection: upgrade                     connection: upgrade
//!                                         bytes of the new protocol, both ways
//! ```
//!
//! A 101 that was not asked for, or that names a protocol that was not offered, is an error
//! (`tests/hostile_framing.rs`, `h05_an_unrequested_101_is_an_error`; `tests/upgrade.rs`,
//! `a_101_that_does_not_match_the_offer_is_an_error`): a cache or a proxy could be made to take the bytes after
//! it for something else. An offer belongs to one request: a redirect to another origin drops it
//! (`make_no_offer_to_another_origin`), and the next request on the connection offers nothing
//! (`the_next_request_offers_nothing`).
//!
//! The offer is kept as the two fields and compared with the 101 when it comes. A response that
//! switches to several protocols (`Upgrade: tls, websocket`) must have been offered each of them.

use http::header::{CONNECTION, HeaderName, HeaderValue, UPGRADE};

use crate::http1::header_section::{Fields, has_member, members};

/// The protocols that a request offers to switch to.
#[derive(Debug)]
pub(crate) struct Offer {
    /// The request's `Upgrade` and `Connection` fields.
    fields: Vec<(HeaderName, HeaderValue)>,
}

impl Offer {
    /// Returns the offer of these request fields, if there is one. `Upgrade` counts only if `Connection`
    /// lists it: otherwise an intermediary may have forwarded it without understanding it.
    pub(crate) fn new(fields: Vec<(HeaderName, HeaderValue)>) -> Option<Self> {
        is_offered(&fields).then_some(Self { fields })
    }

    /// Returns whether a 101 with these fields switches only to offered protocols. A server must name
    /// the protocol in `Upgrade` and list `Upgrade` in `Connection`.
    pub(crate) fn is_taken_up(&self, response: &impl Fields) -> bool {
        let offers = |wanted: &[u8]| {
            members(&self.fields, &UPGRADE).any(|offered| offered.eq_ignore_ascii_case(wanted))
        };
        is_offered(response) && members(response, &UPGRADE).all(offers)
    }
}

fn is_offered(fields: &impl Fields) -> bool {
    has_member(fields, &CONNECTION, "upgrade") && members(fields, &UPGRADE).next().is_some()
}

#[cfg(test)]
mod tests;
