//! URLs: parsing, joining, setters and getters agree with the crate `url`, which implements the
//! same standard (deviations, and why, are in `tests/peers/tests/url_differential/peer.rs`). A parsed URL is
//! printed and parsed again to itself, and the output is always visible ASCII.
//!
//! The first line of the input is a URL, the second a reference; each line after them is a setter:
//! a letter (see [`set`]) and its argument.
#![no_main]

#[path = "../../tests/peers/tests/url_differential/peer.rs"]
mod peer;

use leanhttp::Url;
use leanhttp::url::ParseError;
use libfuzzer_sys::fuzz_target;
use peer::{Set, Theirs};

fuzz_target!(|input: &str| {
    check(Url::parse(input));
    let mut lines = input.split('\n');
    let (base, reference) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let (ours, theirs) = (Url::parse(base), Theirs::parse(base).ok());
    compare(check(ours.clone()), theirs.clone(), &[base]);
    let (Ok(mut ours), Some(mut theirs)) = (ours, theirs) else { return };

    join(&ours, reference);
    let slashed = match ours.is_special() {
        true => peer::without_excess_slashes(reference),
        false => reference.to_owned(),
    };
    if !peer::is_beyond(&theirs) && !peer::is_misread(Some(&theirs), reference) {
        compare(ours.join(&slashed).ok(), theirs.join(&slashed).ok(), &[base, reference]);
    }
    for line in lines {
        let Some(set) = set(line) else { continue };
        if !set.is_clear() || peer::is_lenient(&set, &theirs) {
            continue;
        }
        let was_beyond = peer::is_beyond(&theirs);
        let results = set.apply(&mut ours, &mut theirs);
        check(Ok(ours.clone()));
        let from = [base, line.get(1..).unwrap_or_default()];
        let is_known = peer::is_known(Some(&ours), Some(&theirs), &from);
        let is_beyond = was_beyond || peer::is_beyond(&theirs);
        if is_known || is_beyond || peer::is_refused_label(&ours, results) {
            return;
        }
        assert_eq!(results.0, results.1, "{set:?} {ours} {theirs}");
        compare(Some(ours.clone()), Some(theirs.clone()), &from);
    }
});

fn compare(ours: Option<Url>, theirs: Option<Theirs>, from: &[&str]) {
    let is_beyond = theirs.as_ref().is_some_and(peer::is_beyond)
        || from.iter().any(|input| peer::is_misread(theirs.as_ref(), input));
    if is_beyond || peer::is_known(ours.as_ref(), theirs.as_ref(), from) {
        return;
    }
    if let (Some(ours), Some(theirs)) = (&ours, &theirs) {
        assert!(ours.query_pairs().eq(theirs.query_pairs()), "{ours}");
        assert_eq!(ours.port_or_known_default(), theirs.port_or_known_default());
        if agree_about_origin(ours, theirs) {
            assert_eq!(ours.origin().ascii_serialization(), theirs.origin().ascii_serialization());
        }
    }
    assert_eq!(ours.map(String::from), peer::expected(theirs), "{from:?}");
}

/// Returns whether both have to have the same origin. That of a `blob` URL is the origin of the URL in its path,
/// about which the two may disagree: its host may be internationalized, and the crate takes any special scheme
/// there, the standard only `http`, `https` and `file` (URL §4.7).
fn agree_about_origin(ours: &Url, theirs: &Theirs) -> bool {
    let in_path = Url::parse(ours.path()).ok();
    let is_followed = in_path.as_ref().is_none_or(|it| matches!(it.scheme(), "http" | "https"));
    let is_same = in_path.map(String::from) == Theirs::parse(theirs.path()).ok().map(String::from);
    ours.scheme() != "blob" || (is_same && is_followed)
}

fn check(parsed: Result<Url, ParseError>) -> Option<Url> {
    let url = parsed.inspect_err(|error| assert!(!error.to_string().contains('\n'))).ok()?;
    let is_plain = |byte: u8| byte.is_ascii_graphic() || byte == b' ' && url.cannot_be_a_base();
    assert!(url.as_str().bytes().all(is_plain), "{url}");
    let again = Url::parse(url.as_str()).expect("it was printed by us");
    assert_eq!(again, url);
    assert_eq!(again.as_str(), url.as_str());
    assert!(!url.is_special() || url.path().starts_with('/'));
    assert!(!url.is_special() || url.scheme() == "file" || url.has_host());
    assert!(url.port().is_none_or(|port| Some(port) == url.port_or_known_default()));
    if let Ok(path) = url.to_file_path() {
        assert_eq!(Url::from_file_path(&path).unwrap().to_file_path(), Ok(path));
    }
    Some(url)
}

fn join(base: &Url, reference: &str) {
    let joined = check(base.join(reference));
    if let Ok(absolute) = Url::parse(reference) {
        assert_eq!(joined.as_ref().map(Url::scheme), Some(absolute.scheme()));
    }
    if let Some(joined) = joined {
        assert_eq!(base.join(joined.as_str()).as_ref(), Ok(&joined));
    }
    let itself = base.join(if base.cannot_be_a_base() { "#" } else { "" }).unwrap();
    let without_fragment = |url: &Url| url.as_str().split('#').next().unwrap().to_owned();
    assert_eq!(without_fragment(&itself), without_fragment(base));
}

/// `s`cheme, `u`ser, `p`assword, `h`ost (`H` none), `i`p address, p`o`rt, pat`t`h, se`g`ment, `q`uery, `f`ragment, a p`a`ir,
/// `k`ey; a capital letter for none; `x` and `X` remove the last segment, if empty.
fn set(line: &str) -> Option<Set> {
    let (kind, text) = (line.chars().next()?, line.get(1..)?);
    let text = text.to_owned();
    Some(match kind {
        's' => Set::Scheme(text),
        'u' => Set::Username(text),
        'p' => Set::Password(Some(text)),
        'P' => Set::Password(None),
        'h' => Set::Host(text),
        'H' => Set::NoHost,
        'i' => Set::IpHost(text.parse().ok()?),
        'o' => Set::Port(Some(text.parse().ok()?)),
        'O' => Set::Port(None),
        't' => Set::Path(text),
        'g' => Set::Segments(vec![text.replace(['\t', '\r'], "")]),
        'G' => Set::NoSegments,
        'x' => Set::PopSegment,
        'X' => Set::PopEmptySegment,
        'q' => Set::Query(Some(text)),
        'Q' => Set::Query(None),
        'f' => Set::Fragment(Some(text)),
        'F' => Set::Fragment(None),
        'a' => Set::Pairs(vec![
            text.split_once('=').map_or((text.clone(), String::new()), |(name, value)| {
                (name.to_owned(), value.to_owned())
            }),
        ]),
        'k' => Set::Keys(vec![text]),
        'A' => Set::NoPairs,
        _ => return None,
    })
}
