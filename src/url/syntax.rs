//! Rules for single characters that the parser and the setters share.

use std::borrow::Cow;

/// Returns whether `name` has the syntax of a scheme, known or not.
pub(super) fn is_scheme(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
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
