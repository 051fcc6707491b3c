//! Public suffixes: domains under which strangers register, so that nobody may set a cookie for
//! all of them (RFC 6265bis §5.7 step 9).

/// Whether no cookie may span `domain`, which is lower-case. Without a list of suffixes only the
/// single labels are known, `com` and `com.` alike; `localhost` is one's own.
pub(crate) fn is_public_suffix(domain: &str) -> bool {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    !domain.contains('.') && domain != "localhost"
}

#[cfg(test)]
mod tests {
    use super::is_public_suffix;

    #[test]
    fn single_labels_are_public() {
        let table = [
            ("com", true),
            ("com.", true),
            ("intranet", true),
            ("localhost", false),
            ("localhost.", false),
            ("example.com", false),
            ("example.com.", false),
        ];
        for (domain, expected) in table {
            assert_eq!(is_public_suffix(domain), expected, "{domain}");
        }
    }
}
