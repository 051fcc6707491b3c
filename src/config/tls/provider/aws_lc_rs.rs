//! AWS-LC, which is preferred to ring where both are there: only this one was asked for.

use rustls::crypto::{CryptoProvider, aws_lc_rs};

pub(super) fn built_in() -> Option<CryptoProvider> {
    Some(aws_lc_rs::default_provider())
}
