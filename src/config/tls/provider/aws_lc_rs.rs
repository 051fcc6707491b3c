//! The AWS-LC provider, preferred to ring if both are enabled: ring is a default feature, AWS-LC an
//! explicit choice.

use rustls::crypto::{CryptoProvider, aws_lc_rs};

pub(super) fn built_in() -> Option<CryptoProvider> {
    Some(aws_lc_rs::default_provider())
}
