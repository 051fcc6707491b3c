//! Hashes of the bytes of a download, and the digests that they are compared with.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256, Sha512};

use super::content_digest::NamedDigests;

/// The hashes of bytes that come piece by piece.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hashes {
    sha256: Sha256,
    /// `None` unless a server named such a digest before the first byte.
    sha512: Option<Sha512>,
}

impl Hashes {
    /// Returns hashes of nothing yet, which can be compared with these digests.
    pub(crate) fn to_check(digests: Option<NamedDigests>) -> Self {
        let needs_long = digests.is_some_and(|digests| digests.sha512.is_some());
        Self { sha256: Sha256::new(), sha512: needs_long.then(Sha512::new) }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        if let Some(sha512) = &mut self.sha512 {
            sha512.update(bytes);
        }
    }

    /// Returns the SHA-256 of the bytes so far.
    pub(crate) fn sha256(&self) -> [u8; 32] {
        self.sha256.clone().finalize().into()
    }

    /// Compares with the digest that the caller expects.
    pub(crate) fn compare_sha256(&self, expected: &[u8; 32]) -> Result<(), Mismatch> {
        Mismatch::unless_equal("SHA-256", expected, &self.sha256())
    }

    /// Compares with the digests that a server named. One that was not hashed from the first byte on is left out.
    pub(crate) fn compare(&self, named: &NamedDigests) -> Result<(), Mismatch> {
        if let Some(expected) = &named.sha256 {
            self.compare_sha256(expected)?;
        }
        match (&named.sha512, &self.sha512) {
            (Some(expected), Some(sha512)) => {
                Mismatch::unless_equal("SHA-512", expected, &sha512.clone().finalize())
            }
            _ => Ok(()),
        }
    }
}

/// A digest that differs from the expected one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mismatch {
    pub(crate) algorithm: &'static str,
    /// In hexadecimal digits.
    pub(crate) expected: String,
    pub(crate) found: String,
}

impl Mismatch {
    fn unless_equal(algorithm: &'static str, expected: &[u8], found: &[u8]) -> Result<(), Self> {
        if expected == found {
            return Ok(());
        }
        Err(Self { algorithm, expected: hex(expected), found: hex(found) })
    }
}

/// Returns the bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // a `String` takes everything
        text
    })
}

/// Parses a SHA-256 of 64 hexadecimal digits, in upper or lower case.
pub(crate) fn parse_sha256(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks_exact(2);
    let bytes = pairs.map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.last()?)?));
    let bytes: Vec<u8> = bytes.collect::<Option<_>>()?;
    bytes.try_into().ok().filter(|_| text.len() == 64)
}
