//! Public suffixes: domains under which anyone can register, so that no cookie may be set for all
//! of them (RFC 6265bis §5.7 step 9).

/// Returns whether `domain`, which is lower-case, is a public suffix. `com.` is as public as `com`;
/// `localhost` is not public.
pub(crate) fn is_public_suffix(domain: &str) -> bool {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    domain != "localhost" && is_listed(domain)
}

/// By the Mozilla list, including its private section (`github.io`). An unknown top-level domain is
/// a suffix too: that is the list's rule `*`.
#[cfg(feature = "public-suffix")]
fn is_listed(domain: &str) -> bool {
    use psl::Psl;

    psl::List.suffix(domain.as_bytes()).is_some_and(|suffix| suffix.as_bytes() == domain.as_bytes())
}

/// Without the list only single labels are known.
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
    /// and names that are no suffix: addresses, empty labels.
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
