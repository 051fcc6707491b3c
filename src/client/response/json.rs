//! JSON bodies of responses.

use serde::de::DeserializeOwned;

use crate::coding::charset;
use crate::error::{Error, Kind, Phase, Result};

/// The number of bytes that are shown on each side of an error.
const AROUND: usize = 20;

/// Parses a body. JSON is UTF-8 (RFC 8259 §8.1); a body that is not valid JSON in UTF-8 is decoded
/// like a text, by its byte order mark and the charset of `Content-Type`, and parsed again.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8], content_type: Option<&[u8]>) -> Result<T> {
    let error = match parse(body) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    match charset::recoded(body, content_type) {
        Some(text) => parse(text.as_bytes()),
        None => Err(error),
    }
}

/// Parses the body; the error names the line, the column and the text there.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| {
        let near = excerpt(body, error.line(), error.column());
        Error::new(Kind::Decode, Phase::Decode).detail(format!("JSON near {near:?}")).cause(error)
    })
}

/// Returns the text around a position; lines and columns count from 1 as in serde_json.
fn excerpt(body: &[u8], line: usize, column: usize) -> String {
    let line = body.split(|byte| *byte == b'\n').nth(line.saturating_sub(1)).unwrap_or_default();
    let start = column.saturating_sub(AROUND).min(line.len());
    let end = column.saturating_add(AROUND).min(line.len());
    String::from_utf8_lossy(line.get(start..end).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_shows_the_position_and_the_text() {
        let cases: [(&[u8], &str); 4] = [
            (
                b"{\"a\": 1,\n \"b\": oops}",
                "JSON near \" \\\"b\\\": oops}\": expected value at line 2 column 7",
            ),
            (b"", "JSON near \"\": EOF while parsing a value at line 1 column 0"),
            (b"<html>", "JSON near \"<html>\": expected value at line 1 column 1"),
            (b"{\"a\": \"\xff\"}", "line 1 column"),
        ];
        for (body, expected) in cases {
            let line = parse::<serde_json::Value>(body).unwrap_err().to_string();
            assert!(line.contains(expected), "{line}");
        }
    }
}
