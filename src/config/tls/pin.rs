//! Pinned public keys.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::{Error, Result};

/// The SHA-256 of a public key in the form of a certificate's `SubjectPublicKeyInfo` (RFC 5280
/// §4.1).
///
/// Its text format is that of `curl --pinnedpubkey`: `sha256//` and 44 characters of base64. The
/// prefix is optional.
///
/// ```
/// use leanhttp::tls::SpkiSha256;
///
/// let pin: SpkiSha256 = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".parse()?;
/// assert_eq!(pin, SpkiSha256::from([0; 32]));
/// # Ok::<(), leanhttp::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpkiSha256([u8; 32]);

impl From<[u8; 32]> for SpkiSha256 {
    fn from(hash: [u8; 32]) -> Self {
        Self(hash)
    }
}

/// # Errors
///
/// Returns an error if the text is not base64 of 32 bytes.
impl FromStr for SpkiSha256 {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let base64 = text.strip_prefix("sha256//").unwrap_or(text);
        let hash = STANDARD.decode(base64).ok().and_then(|hash| hash.try_into().ok());
        hash.map(Self)
            .ok_or_else(|| Error::builder("a pinned key is sha256// and base64 of 32 bytes"))
    }
}

impl fmt::Display for SpkiSha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256//{}", STANDARD.encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_parsed_and_shown_as_text() {
        let zeros = format!("{}=", "A".repeat(43));
        assert_eq!(zeros.parse::<SpkiSha256>().unwrap(), SpkiSha256([0; 32]));
        assert_eq!(SpkiSha256([0; 32]).to_string(), format!("sha256//{zeros}"));
        let wrong = [
            "",
            "sha256//",
            "sha1//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "AAAA",
            &"A".repeat(43),
            &format!("{}=", "A".repeat(47)),
            &format!("{zeros};{zeros}"),
        ];
        for text in wrong {
            assert!(text.parse::<SpkiSha256>().unwrap_err().is_builder(), "{text}");
        }
    }
}
