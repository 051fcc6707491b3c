//! Internationalized domain names: the only file that depends on the feature `idna`.

use super::ParseError;

/// *Domain to ASCII* (UTS #46, nontransitional, `beStrict` false) for a domain that is not ASCII.
#[cfg(feature = "idna")]
pub(super) fn to_ascii(domain: &str) -> Result<String, ParseError> {
    idna::domain_to_ascii_cow(domain.as_bytes(), idna::AsciiDenyList::EMPTY)
        .map(String::from)
        .map_err(|_| ParseError::InvalidIdna)
}

/// Always fails: without the feature there are no tables to validate or convert `domain` with.
#[cfg(not(feature = "idna"))]
pub(super) fn to_ascii(domain: &str) -> Result<String, ParseError> {
    let is_hidden = super::userinfo::may_hold_userinfo(domain);
    let shown = if is_hidden { "".into() } else { super::error::excerpt(domain) };
    Err(ParseError::IdnaFeatureMissing(shown))
}
