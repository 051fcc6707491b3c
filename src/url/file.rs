//! `file` URLs: their parser (WHATWG URL §4.4, *file state*), and the conversion from and to paths.
//!
//! | text | becomes | rule |
//! | --- | --- | --- |
//! | `file:a`, `file:/a`, `file:///a` | `file:///a` | the host may be missing |
//! | `file://localhost/a` | `file:///a` | this host is the empty one |
//! | `file:///C\|/a`, `file://C:/a` | `file:///C:/a` | a drive letter is the first segment, never a host |
//! | `file:///C:/../a` | `file:///C:/a` | `..` stays on its drive |
//! | `/a` relative to `file:///C:/b` | `file:///C:/a` | and so does a path from the root |
//!
//! A path and its URL are the same text, percent-encoded; on Windows a path has a drive or a server. A path comes
//! back from its URL as itself, but for `..`, and what would not is refused.

use std::path::{Path, PathBuf};

use super::Special;
use super::parse::UrlParser;
use super::text::{PATH_SEGMENT, ends_authority};
use super::{Component, ParseError, Url, host};
use crate::base::text::split_before;
use crate::base::text::{Table, percent_decode};

/// *File state* and *file slash state*: parses the text after `file:`, or a reference to a `file` URL.
pub(super) fn parse(input: &str, base: Option<&Url>) -> Result<Url, ParseError> {
    let is_slash = |byte: u8| matches!(byte, b'/' | b'\\');
    let bytes = input.as_bytes();
    let parser = || UrlParser::new(Special::File.prefix(), Some(Special::File), input.len());
    if let [first, second, ..] = *bytes {
        if is_slash(first) && is_slash(second) {
            return with_host(parser(), input.get(2..).unwrap_or_default());
        }
    }
    let Some(base) = base else { return Ok(parser().with_path(input)) };
    let base_up_to = |last| UrlParser::with_parts_of(base, last, Some(Special::File), input.len());
    Ok(match *bytes {
        [] | [b'#', ..] => base_up_to(Component::Query).with_fragment(input),
        [b'?', ..] => base_up_to(Component::Path).with_query(input),
        [first, ..] if is_slash(first) => {
            let mut parser = base_up_to(Component::Port);
            if !starts_with_drive_letter(input.get(1..).unwrap_or_default()) {
                parser.url.serialization.push_str(drive(base.path()).unwrap_or_default());
            }
            parser.with_path(input)
        }
        _ if starts_with_drive_letter(input) => base_up_to(Component::Port).with_path(input),
        _ => base_up_to(Component::Path).with_sibling(input),
    })
}

/// *File host state*: parses the text after `file://`.
fn with_host(mut parser: UrlParser, input: &str) -> Result<Url, ParseError> {
    let (host, rest) = split_before(input, |byte| ends_authority(byte, true));
    if is_drive_letter(host) {
        return Ok(parser.with_path(input));
    }
    push_host(&mut parser.url.serialization, host)?;
    parser.finish(Component::Host);
    Ok(parser.with_path(rest))
}

/// Writes the host of a `file` URL, unless it is this machine.
pub(super) fn push_host(out: &mut String, host: &str) -> Result<(), ParseError> {
    let before = out.len();
    if !host.is_empty() {
        host::push(out, host)?;
    }
    if out.get(before..) == Some("localhost") {
        out.truncate(before);
    }
    Ok(())
}

/// Returns the drive letter at the start of a path, with its slash: `/C:`.
pub(super) fn drive(path: &str) -> Option<&str> {
    match path.as_bytes() {
        [b'/', letter, b':'] | [b'/', letter, b':', b'/', ..] if letter.is_ascii_alphabetic() => {
            path.get(..3)
        }
        _ => None,
    }
}

/// Returns whether a path is nothing but a drive letter.
#[cold]
pub(super) fn is_drive(path: &str) -> bool {
    drive(path) == Some(path)
}

/// *Path state*: a first segment `C|` is written `C:`.
#[cold]
pub(super) fn normalize_drive_letter(path: &mut String, start: usize) {
    if path.get(start + 1..).is_some_and(is_drive_letter) {
        path.pop();
        path.push(':');
    }
}

/// *Windows drive letter*.
fn is_drive_letter(text: &str) -> bool {
    matches!(text.as_bytes(), [letter, b':' | b'|'] if letter.is_ascii_alphabetic())
}

fn starts_with_drive_letter(text: &str) -> bool {
    is_drive_letter(split_before(text, |byte| ends_authority(byte, true)).0)
}

#[allow(clippy::result_unit_err, reason = "these methods of the `url` crate return the same type")]
impl Url {
    /// Returns the `file` URL of an absolute path. A `..` in it is resolved, as in every URL.
    ///
    /// # Errors
    ///
    /// Returns an error if the path is relative or longer than [`MAX_LEN`](super::MAX_LEN), and on Windows if it
    /// is not Unicode or has neither a drive nor a server.
    ///
    /// ```
    /// # #[cfg(unix)] {
    /// let url = leanhttp::Url::from_file_path("/tmp/100 %.txt").unwrap();
    /// assert_eq!(url.as_str(), "file:///tmp/100%20%25.txt");
    /// assert_eq!(url.to_file_path(), Ok("/tmp/100 %.txt".into()));
    /// # }
    /// ```
    pub fn from_file_path<P: AsRef<Path>>(path: P) -> Result<Self, ()> {
        let path = path.as_ref();
        if !path.is_absolute() {
            return Err(());
        }
        url_of(path).ok_or(())
    }

    /// Returns the `file` URL of an absolute path, with a slash at its end: references are relative to what is in
    /// the directory.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`from_file_path`](Self::from_file_path).
    ///
    /// ```
    /// # #[cfg(unix)] {
    /// let directory = leanhttp::Url::from_directory_path("/tmp").unwrap();
    /// assert_eq!(directory.join("a.txt").unwrap().as_str(), "file:///tmp/a.txt");
    /// # }
    /// ```
    pub fn from_directory_path<P: AsRef<Path>>(path: P) -> Result<Self, ()> {
        let mut url = Self::from_file_path(path)?;
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(url)
    }

    /// Returns the path of a `file` URL on this machine; on Windows the host may be a server, as in
    /// `\\server\share`.
    ///
    /// # Errors
    ///
    /// Returns an error if the scheme is not `file`, if the URL has a host (except on Windows), or if its path has
    /// an encoded slash or zero byte, which no path can have; on Windows also an encoded backslash, no drive
    /// letter, or text that is not Unicode.
    pub fn to_file_path(&self) -> Result<PathBuf, ()> {
        if self.special() != Some(Special::File) {
            return Err(());
        }
        path_of(self).ok_or(())
    }
}

#[cfg(unix)]
fn url_of(path: &Path) -> Option<Url> {
    use std::os::unix::ffi::OsStrExt;

    let mut text = Special::File.prefix().to_owned();
    for component in path.components().skip(1) {
        text.push('/');
        for chunk in component.as_os_str().as_bytes().utf8_chunks() {
            NAME.push(&mut text, chunk.valid());
            let encoded =
                chunk.invalid().iter().copied().map(percent_encoding::percent_encode_byte);
            text.extend(encoded);
        }
    }
    Url::parse(&text).ok()
}

#[cfg(unix)]
fn path_of(url: &Url) -> Option<PathBuf> {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    if url.has_host() {
        return None;
    }
    let path = decoded(url.path(), b"/\0")?;
    Some(PathBuf::from(OsString::from_vec(path)))
}

#[cfg(windows)]
fn url_of(path: &Path) -> Option<Url> {
    url_of_windows(path.to_str()?)
}

#[cfg(windows)]
fn path_of(url: &Url) -> Option<PathBuf> {
    path_of_windows(url).map(PathBuf::from)
}

#[cfg(not(any(unix, windows)))]
fn url_of(_: &Path) -> Option<Url> {
    None
}

#[cfg(not(any(unix, windows)))]
fn path_of(_: &Url) -> Option<PathBuf> {
    None
}

/// Returns the URL of a path like `C:\a`, `\\server\share\a`, `\\?\C:\a` or `\\?\UNC\server\share\a`.
#[cfg(any(windows, test))]
fn url_of_windows(path: &str) -> Option<Url> {
    let path = path.replace('/', "\\");
    let (host, rest) = if let Some(unc) = path.strip_prefix(r"\\?\UNC\") {
        unc.split_once('\\')?
    } else if let Some(disk) = path.strip_prefix(r"\\?\") {
        ("", disk)
    } else if let Some(unc) = path.strip_prefix(r"\\") {
        unc.split_once('\\')?
    } else {
        ("", &*path)
    };
    let has_drive = rest.split('\\').next().is_some_and(is_drive_letter);
    if host.is_empty() != has_drive || host == "." || rest.as_bytes().contains(&b'|') {
        return None;
    }
    let mut text = Special::File.prefix().to_owned() + host;
    for name in rest.split('\\').filter(|name| !name.is_empty()) {
        text.push('/');
        NAME.push(&mut text, name);
    }
    let url = Url::parse(&text).ok()?;
    let is_host = url.host_str().unwrap_or_default().eq_ignore_ascii_case(host);
    is_host.then_some(url)
}

/// Returns `C:\a`, or `\\server\share\a` for a URL with a host.
#[cfg(any(windows, test))]
fn path_of_windows(url: &Url) -> Option<String> {
    let path = String::from_utf8(decoded(url.path(), b"/\\\0")?).ok()?.replace('/', "\\");
    match url.host_str() {
        Some(host) => Some(format!(r"\\{host}{path}")),
        None if is_drive(url.path()) => Some(path.get(1..)?.to_owned() + "\\"),
        None => drive(url.path()).and(path.get(1..)).map(str::to_owned),
    }
}

/// A name in a path: a bar is encoded, lest `C|` be taken for a drive.
static NAME: Table = PATH_SEGMENT.encoding(b"|");

/// Returns a path without percent-encoding, unless a name in it has one of the `forbidden` bytes.
fn decoded(path: &str, forbidden: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(path.len());
    for name in path.strip_prefix('/')?.split('/') {
        let name = percent_decode(name.as_bytes());
        if name.iter().any(|byte| forbidden.contains(byte)) {
            return None;
        }
        bytes.push(b'/');
        bytes.extend_from_slice(&name);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
