//! Public suffixes: domains under which strangers register, so that nobody may set a cookie for
//! all of them (RFC 6265bis §5.7 step 9).

/// Whether no cookie may span `domain`, which is lower-case. `com.` is as public as `com`, and
/// `localhost` is one's own.
pub(crate) fn is_public_suffix(domain: &str) -> bool {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    domain != "localhost" && is_listed(domain)
}

/// As the Mozilla list has it, registries and the private section (`github.io`) alike. A top-level
/// domain that it does not know is a suffix too: that is its rule `*`.
#[cfg(feature = "public-suffix")]
fn is_listed(domain: &str) -> bool {
    use psl::Psl;

    psl::List.suffix(domain.as_bytes()).is_some_and(|suffix| suffix.as_bytes() == domain.as_bytes())
}

/// Without the list only the single labels are known.
#[cfg(not(feature = "public-suffix"))]
fn is_listed(domain: &str) -> bool {
    !domain.contains('.')
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

    /// Rules of two labels, a wildcard with its exception, a private one, an internationalized one;
    /// and what is none: addresses, empty labels.
    #[cfg(feature = "public-suffix")]
    #[test]
    fn the_list_knows_more() {
        let table = [
            ("co.uk", true),
            ("co.uk.", true),
            ("example.co.uk", false),
            ("kyoto.jp", true),
            ("ck", true),
            ("any.ck", true),
            ("www.ck", false),
            ("github.io", true),
            ("someone.github.io", false),
            ("xn--55qx5d.cn", true),
            ("xn--85x722f.xn--55qx5d.cn", false),
            ("127.0.0.1", false),
            ("example..com", false),
        ];
        for (domain, expected) in table {
            assert_eq!(is_public_suffix(domain), expected, "{domain}");
        }
    }
}
