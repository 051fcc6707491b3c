//! Guesses the media type of a file from its name. The table is small on purpose: servers that rely on the
//! type inspect the bytes, and callers can set it.

/// The media type of files with an unknown extension.
const UNKNOWN: &str = "application/octet-stream";

const BY_EXTENSION: [(&str, &str); 19] = [
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("gif", "image/gif"),
    ("gz", "application/gzip"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain"),
    ("webp", "image/webp"),
    ("xml", "application/xml"),
    ("zip", "application/zip"),
];

/// Returns the media type for this file name.
pub(crate) fn of_file(name: &str) -> &'static str {
    let Some((_, extension)) = name.rsplit_once('.') else { return UNKNOWN };
    BY_EXTENSION
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(extension))
        .map_or(UNKNOWN, |(_, media_type)| media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_extension_counts_in_any_case() {
        let table = [
            ("a.txt", "text/plain"),
            ("photo.old.JPG", "image/jpeg"),
            ("archive.tar.gz", "application/gzip"),
            (".png", "image/png"),
            ("txt", UNKNOWN),
            ("a.", UNKNOWN),
            ("", UNKNOWN),
            ("a.txt ", UNKNOWN),
            ("a.é", UNKNOWN),
        ];
        for (name, media_type) in table {
            assert_eq!(of_file(name), media_type, "{name:?}");
        }
    }
}
