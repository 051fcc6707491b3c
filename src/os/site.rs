//! The site of a host: all names under one registered domain.

/// Returns the registrable domain of `host` by the Public Suffix List, or the host itself if it has
/// none.
#[cfg(feature = "public-suffix")]
pub(super) fn of(host: &str) -> &str {
    use psl::Psl;

    let host = host.strip_suffix('.').unwrap_or(host);
    let domain = psl::List.domain(host.as_bytes()).map(|domain| domain.as_bytes().len());
    let start = domain.and_then(|length| host.len().checked_sub(length));
    start.and_then(|start| host.get(start..)).unwrap_or(host)
}

/// Returns the last two labels of `host`: without the Public Suffix List unrelated owners may share
/// them.
#[cfg(not(feature = "public-suffix"))]
pub(super) fn of(host: &str) -> &str {
    let host = host.strip_suffix('.').unwrap_or(host);
    let tld = host.rfind('.').unwrap_or(0);
    match host.get(..tld).and_then(|above| above.rfind('.')) {
        Some(dot) => host.get(dot + 1..).unwrap_or(host),
        None => host,
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn the_site_is_the_registrable_domain() {
        let two_labels = [
            ("", ""),
            (".", ""),
            ("localhost", "localhost"),
            ("a.test", "a.test"),
            ("a.test.", "a.test"),
            ("b.a.test", "a.test"),
            ("d.c.b.a.test.", "a.test"),
        ];
        for (host, expected) in two_labels {
            assert_eq!(of(host), expected, "{host}");
        }
        let uk = if cfg!(feature = "public-suffix") { "a.co.uk" } else { "co.uk" };
        assert_eq!(of("b.a.co.uk"), uk);
    }
}
