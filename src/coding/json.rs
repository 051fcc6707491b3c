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
mod tests;
