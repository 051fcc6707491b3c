//! The `Url` of the crate `url`, and where version 2.5 of it does not follow the URL Standard
//! (<https://url.spec.whatwg.org/>), or not yet, each time with the clause. For the comparison in
//! `tests/peers/tests/url_differential.rs` and for the fuzz target `url`.

use std::net::IpAddr;

use leanhttp::url::Url;

pub(crate) type Theirs = whatwg_url::Url;

/// The expected result.
pub(crate) fn expected(theirs: Option<Theirs>) -> Option<String> {
    theirs.map(put_right).map(String::from)
}

/// The *path percent-encode set* has had `^` since March 2025 (whatwg/url#846), but for opaque paths, whose last
/// space before a query or a fragment has been encoded since then (whatwg/url#844).
fn put_right(mut url: Theirs) -> Theirs {
    if url.cannot_be_a_base() {
        if let Some(path) = url.path().strip_suffix(' ') {
            let rest = &url[whatwg_url::Position::AfterPath..];
            let whole = format!("{}:{path}%20{rest}", url.scheme());
            return Theirs::parse(&whole).unwrap_or(url);
        }
    } else if url.path().contains('^') {
        url.set_path(&url.path().replace('^', "%5E"));
    }
    url
}

/// Returns whether the crate misreads a URL whose scheme is not special: it takes a backslash for a slash at the start of a
/// reference and after a port, and ignores a user without a host (*authority state* fails).
pub(crate) fn is_misread(theirs: Option<&Theirs>, input: &str) -> bool {
    let Some(theirs) = theirs.filter(|theirs| !theirs.is_special()) else { return false };
    input.contains('\\') || input.contains('@') && !theirs.has_host()
}

/// Returns whether the crate changes what the standard does not: it sets opaque paths, keeps an authority that is empty, and
/// lets a user and a port be without a host.
pub(crate) fn is_lenient(set: &Set, theirs: &Theirs) -> bool {
    if theirs.cannot_be_a_base() && theirs.path().ends_with(' ') {
        return true; // it removes the spaces with the query or the fragment, instead of encoding the last one
    }
    match set {
        // It takes these for a query or a fragment, and drops them. Without a host a path may not be empty, nor
        // become an authority by its two slashes.
        Set::Path(path) if !theirs.is_special() => {
            let path = path.replace(['\t', '\n', '\r'], "");
            !theirs.has_authority() || path.starts_with(['?', '#'])
        }
        // Without a path it panics, and a path with two slashes becomes an authority.
        Set::NoHost => {
            let path = theirs.path();
            !theirs.has_host() || path.is_empty() || path.starts_with("//")
        }
        Set::Host(host) if host.is_empty() => {
            !theirs.is_special() && theirs.authority() != theirs.host_str().unwrap_or_default()
        }
        _ => false,
    }
}

/// Returns whether the crate parses and changes a URL in other ways than the standard: `file` URLs with
/// slashes or drive letters (its own list of failing tests of the web platform has 38 of them), and `/.` before a
/// path with two slashes when a setter made it.
pub(crate) fn is_beyond(theirs: &Theirs) -> bool {
    theirs.scheme() == "file" || !theirs.has_authority() && theirs.path().starts_with("//")
}

/// *Special authority ignore slashes state*: two slashes or more all stand before an authority. The
/// crate wants exactly two in a relative reference.
pub(crate) fn without_excess_slashes(reference: &str) -> String {
    let reference = stripped(reference);
    let authority = reference.trim_start_matches(['/', '\\']);
    if reference.len() - authority.len() > 2 { format!("//{authority}") } else { reference }
}

/// Without what *basic URL parser* removes first.
fn stripped(input: &str) -> String {
    input.trim_matches(|c| c <= ' ').replace(['\t', '\n', '\r'], "")
}

/// One setter with what it is told.
#[derive(Clone, Debug)]
pub(crate) enum Set {
    Scheme(String),
    Username(String),
    Password(Option<String>),
    Host(String),
    NoHost,
    IpHost(IpAddr),
    Port(Option<u16>),
    Path(String),
    /// Segments without tabs and newlines: the crate removes them after it has looked for `.` and `..`.
    Segments(Vec<String>),
    PopSegment,
    PopEmptySegment,
    NoSegments,
    Query(Option<String>),
    Fragment(Option<String>),
    Pairs(Vec<(String, String)>),
    Keys(Vec<String>),
    NoPairs,
}

/// The setters have the same names.
macro_rules! apply {
    ($set:expr, $url:expr) => {
        match $set {
            Set::Scheme(scheme) => $url.set_scheme(scheme).is_ok(),
            Set::Username(username) => $url.set_username(username).is_ok(),
            Set::Password(password) => $url.set_password(password.as_deref()).is_ok(),
            Set::Host(host) => $url.set_host(Some(host)).is_ok(),
            Set::NoHost => $url.set_host(None).is_ok(),
            Set::IpHost(address) => $url.set_ip_host(*address).is_ok(),
            Set::Port(port) => $url.set_port(*port).is_ok(),
            Set::Path(path) => {
                $url.set_path(path);
                true
            }
            Set::Segments(segments) => {
                $url.path_segments_mut().map(|mut path| _ = path.extend(segments)).is_ok()
            }
            Set::PopSegment => $url.path_segments_mut().map(|mut path| _ = path.pop()).is_ok(),
            Set::PopEmptySegment => {
                $url.path_segments_mut().map(|mut path| _ = path.pop_if_empty()).is_ok()
            }
            Set::NoSegments => $url.path_segments_mut().map(|mut path| _ = path.clear()).is_ok(),
            Set::Query(query) => {
                $url.set_query(query.as_deref());
                true
            }
            Set::Fragment(fragment) => {
                $url.set_fragment(fragment.as_deref());
                true
            }
            Set::Pairs(pairs) => {
                $url.query_pairs_mut().extend_pairs(pairs);
                true
            }
            Set::Keys(keys) => {
                let mut pairs = $url.query_pairs_mut();
                keys.iter().for_each(|key| _ = pairs.append_key_only(key));
                pairs.finish();
                true
            }
            Set::NoPairs => {
                $url.query_pairs_mut().clear();
                true
            }
        }
    };
}

impl Set {
    /// Returns whether both take it for the same.
    #[allow(dead_code, reason = "the test has no others")]
    pub(crate) fn is_clear(&self) -> bool {
        match self {
            // The *protocol* setter ignores what stands behind a colon; the crate refuses that.
            Set::Scheme(scheme) => scheme.split_once(':').is_none_or(|(_, rest)| rest.is_empty()),
            // *Hostname state* fails at a colon; the crate takes what stands before it.
            Set::Host(host) if host.starts_with('[') => true,
            Set::NoHost => true,
            // Without the feature `idna` a host beyond ASCII is refused by ours.
            Set::Host(host) => {
                !host.contains(':')
                    && (cfg!(feature = "idna") || !has_wide_host(&format!("//{host}")))
            }
            _ => true,
        }
    }

    /// Returns whether each of them took it.
    pub(crate) fn apply(&self, ours: &mut Url, theirs: &mut Theirs) -> (bool, bool) {
        let results = (apply!(self, ours), apply!(self, theirs));
        if let (Set::NoHost, Ok(again)) = (self, Theirs::parse(theirs.as_str())) {
            *theirs = again; // it still takes itself for a URL with a host
        }
        if let Set::NoPairs = self {
            // *Update* of `URLSearchParams`: without pairs the query is null, not empty.
            theirs.set_query(None);
        }
        results
    }
}

/// Returns whether the two may differ: where the crate cannot be put right, or where we know less.
#[allow(dead_code, reason = "the test gives them no such URLs")]
pub(crate) fn is_known(ours: Option<&Url>, theirs: Option<&Theirs>, from: &[&str]) -> bool {
    // *Shorten a URL's path* keeps a drive letter of a `file` URL alone, and the crate those of all.
    if from.iter().any(|text| has_drive_letter(text)) {
        return true;
    }
    // Without the feature `idna` a host beyond ASCII is an error of ours. What becomes of it may be
    // in ASCII all the same: U+33D0 is `lm` (UTS #46).
    if !cfg!(feature = "idna") && ours.is_none() && from.iter().any(|text| has_wide_host(text)) {
        return true;
    }
    let ours_is_coded = is_coded(ours.and_then(Url::host_str));
    match is_coded(theirs.and_then(Theirs::host_str)) {
        // Without the feature `idna` such a host is an error of ours.
        true => !ours_is_coded && !cfg!(feature = "idna"),
        // *Domain to ASCII* lets a domain in ASCII pass since 2026, whatever its labels say
        // (whatwg/url#914); the crate looks into those that start with `xn--`.
        false => ours_is_coded,
    }
}

/// Returns whether only the crate refused a new host, because of what its labels say.
#[allow(dead_code, reason = "the test sets no such hosts")]
pub(crate) fn is_refused_label(ours: &Url, results: (bool, bool)) -> bool {
    results == (true, false) && is_coded(ours.host_str())
}

fn is_coded(host: Option<&str>) -> bool {
    host.is_some_and(|host| host.split('.').any(|label| label.starts_with("xn--")))
}

/// Returns whether what may be a host has a character beyond ASCII, encoded or not.
#[allow(dead_code, reason = "the test gives them no such URLs")]
fn has_wide_host(input: &str) -> bool {
    let input = stripped(input);
    let reference = input.split_once(':').map_or(&*input, |(scheme, rest)| {
        if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) { rest } else { &input }
    });
    let authority = reference.trim_start_matches(['/', '\\']);
    let authority = authority.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    // `%80` to `%FF`: an encoded letter of ASCII is no reason to differ.
    let is_wide =
        |code: &str| matches!(code.as_bytes(), [b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F', ..]);
    !host.is_ascii() || host.split('%').skip(1).any(is_wide)
}

/// Returns whether a segment is a letter with a colon or a bar.
#[allow(dead_code, reason = "the test gives them no such URLs")]
fn has_drive_letter(input: &str) -> bool {
    let input = stripped(input);
    let behind_scheme = input.split_once(':').map_or("", |(_, rest)| rest); // `http:c:/` is relative
    [&*input, behind_scheme].iter().any(|text| {
        let mut segments = text.split(['/', '\\', '?', '#']);
        segments
            .any(|segment| matches!(segment.as_bytes(), [b'a'..=b'z' | b'A'..=b'Z', b':' | b'|']))
    })
}
