//! The alphabet of URLs: which bytes end or belong to a part, and which are encoded there (WHATWG URL §1.3).

use std::borrow::Cow;

use crate::base::text::{C0_CONTROL, Table};

const QUERY_SET: Table = C0_CONTROL.encoding(b" \"#<>");
const PATH_SET: Table = QUERY_SET.encoding(b"?^`{}");

/// The *special-query percent-encode set*.
pub(super) static QUERY: Table = QUERY_SET.encoding(b"'");
pub(super) static FRAGMENT: Table = C0_CONTROL.encoding(b" \"<>`");
/// A segment of a path that only a slash ends.
pub(super) static SEGMENT: Table = PATH_SET.stopping(b"/\\");

/// One segment of a path, in which no byte has a meaning.
pub(super) static PATH_SEGMENT: Table = PATH_SET.encoding(b"/\\%");
pub(super) static SEGMENT_IN_URL: Table = SEGMENT.stopping(b"?#");
/// The same for a scheme that is not special, where a backslash is no slash and `'` stays as it is in a query.
pub(super) static OTHER_SEGMENT: Table = PATH_SET.stopping(b"/");
pub(super) static OTHER_PATH_SEGMENT: Table = PATH_SET.encoding(b"/%");
pub(super) static OTHER_QUERY: Table = QUERY_SET;
pub(super) static OTHER_SEGMENT_IN_URL: Table = OTHER_SEGMENT.stopping(b"?#");
pub(super) static OTHER_QUERY_IN_URL: Table = OTHER_QUERY.stopping(b"#");
pub(super) static OPAQUE_IN_URL: Table = C0_CONTROL.stopping(b"?#");
/// A whole path in a normalized URL, including its slashes.
pub(super) static PATH_IN_URL: Table = PATH_SET.stopping(b"\\");
pub(super) static QUERY_IN_URL: Table = QUERY.stopping(b"#");

/// Returns whether a byte ends the authority.
pub(super) fn ends_authority(byte: u8, is_special: bool) -> bool {
    matches!(byte, b'/' | b'?' | b'#') || byte == b'\\' && is_special
}

/// Returns whether `name` has the syntax of a scheme, known or not.
pub(super) fn is_scheme(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(is_of_scheme)
}

pub(super) fn is_of_scheme(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

/// Removes tabs and newlines, which the URL Standard ignores everywhere.
pub(super) fn without_tabs_and_newlines(input: &str) -> Cow<'_, str> {
    let dropped = |c: char| matches!(c, '\t' | '\n' | '\r');
    // Checks every byte without a branch, which is faster than stopping at the first match: there is
    // hardly ever one.
    if input.bytes().fold(false, |found, byte| found | dropped(char::from(byte))) {
        Cow::Owned(input.replace(dropped, ""))
    } else {
        Cow::Borrowed(input)
    }
}
