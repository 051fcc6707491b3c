//! The name of a file that is downloaded into a directory.

use http::header::CONTENT_DISPOSITION;

use crate::base::text::percent_decode;
use crate::fields::disposition::{self, safe_file_name};
use crate::http1::header_section::Fields;
use crate::url::Url;

/// The name if neither the server nor the URL has one.
const FALLBACK: &str = "download";

/// Returns a name that is safe on every system: that of `Content-Disposition`, else the last segment of the URL,
/// percent-decoded once, else `download`.
pub(crate) fn file_name(headers: &impl Fields, url: &Url) -> String {
    let field = headers.lines(&CONTENT_DISPOSITION).next();
    let named = field.and_then(|value| disposition::parse(value)?.file_name);
    named
        .as_deref()
        .and_then(safe_file_name)
        .or_else(|| of_url(url))
        .unwrap_or_else(|| FALLBACK.to_owned())
}

fn of_url(url: &Url) -> Option<String> {
    let segment = url.path().rsplit('/').next()?;
    safe_file_name(&String::from_utf8_lossy(&percent_decode(segment.as_bytes())))
}
