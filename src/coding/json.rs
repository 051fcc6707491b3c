//! Parses JSON; an error shows where, and the text there.

use serde::de::DeserializeOwned;

use crate::error::{Error, Kind, Phase, Result};

/// The number of bytes that are shown on each side of an error.
const AROUND: usize = 20;

/// Parses a text; the error names the line, the column and the text there.
pub(crate) fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T> {
    serde_json::from_slice(text).map_err(|error| {
        let near = excerpt(text, error.line(), error.column());
        Error::new(Kind::Decode, Phase::Decode).detail(format!("JSON near {near:?}")).cause(error)
    })
}

/// Parses a line of a text; the error names the line by its number in that text.
pub(crate) fn parse_line<T: DeserializeOwned>(line: &[u8], number: u64) -> Result<T> {
    serde_json::from_slice(line).map_err(|error| {
        let column = error.column();
        let near = excerpt(line, error.line(), column);
        // The crate names the place in the line alone, as if it were the first.
        let (said, place) =
            (error.to_string(), format!(" at line {} column {column}", error.line()));
        let reason = said.strip_suffix(&place).unwrap_or(&said);
        let detail = format!("JSON near {near:?}: {reason} at line {number} column {column}");
        Error::new(Kind::Decode, Phase::Decode).detail(detail).in_line(number)
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

    #[test]
    fn the_error_of_a_line_names_its_number_in_the_text() {
        let error = parse_line::<serde_json::Value>(b"<html>", 17).unwrap_err();
        let expected = "JSON near \"<html>\": expected value at line 17 column 1";
        assert!(error.to_string().ends_with(expected), "{error}");
        assert_eq!(error.line_number(), Some(17));
    }
}
