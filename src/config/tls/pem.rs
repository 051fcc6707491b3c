//! PEM texts (RFC 7468) as found in practice: with byte order marks, or in another format.

use std::borrow::Cow;

use rustls::pki_types::pem::PemObject;

use crate::error::{Error, Result};

/// The UTF-8 byte order mark. In concatenated files it can be in the middle, too.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Returns the text without byte order marks: after one, the first line of an item is not
/// recognized.
pub(super) fn text(pem: &[u8]) -> Cow<'_, [u8]> {
    let mark = BYTE_ORDER_MARK;
    if !pem.windows(mark.len()).any(|window| window == mark) {
        return Cow::Borrowed(pem);
    }
    let (mut text, mut rest) = (Vec::with_capacity(pem.len()), pem);
    while let Some((first, after)) = rest.split_first() {
        match rest.strip_prefix(mark) {
            Some(after) => rest = after,
            None => {
                text.push(*first);
                rest = after;
            }
        }
    }
    Cow::Owned(text)
}

/// Returns all items of one kind in a PEM text.
pub(super) fn items<T: PemObject>(pem: &[u8]) -> Result<Vec<T>> {
    let items = T::pem_slice_iter(&text(pem)).collect::<Result<Vec<_>, _>>();
    items.map_err(|error| explained(Error::builder("malformed PEM text").cause(error), pem))
}

/// Adds to the error the actual format of the bytes and how to convert it, if that is known.
pub(super) fn explained(error: Error, bytes: &[u8]) -> Error {
    match instead(bytes) {
        Some(hint) => error.note(hint),
        None => error,
    }
}

/// Detects the actual format of bytes that are not the expected PEM.
fn instead(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        // A PFX (RFC 7292 §4): a sequence that begins with version 3.
        [0x30, 0x80..=0x84, ..] if is_pkcs12(bytes) => return Some(PKCS12),
        [0x30, 0x81..=0x84, ..] => return Some(DER),
        [0xfe, 0xed, 0xfe, 0xed, ..] => return Some(JAVA),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Some(UTF16),
        _ => {}
    }
    let has = |label: &str| has_line(bytes, label);
    let labels = [
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----", ENCRYPTED),
        ("Proc-Type: 4,ENCRYPTED", ENCRYPTED),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", OPENSSH),
        ("-----BEGIN PKCS7-----", PKCS7),
        ("-----BEGIN TRUSTED CERTIFICATE-----", TRUSTED),
        ("-----BEGIN CERTIFICATE REQUEST-----", REQUEST),
        ("-----BEGIN PUBLIC KEY-----", PUBLIC),
    ];
    let known = labels.into_iter().find(|(label, _)| has(label)).map(|(_, hint)| hint);
    known.or_else(|| {
        let has_key = KEYS.iter().any(|label| has(label));
        match (has_key, has("-----BEGIN CERTIFICATE-----")) {
            (true, false) => Some(ONLY_KEY),
            (false, true) => Some(ONLY_CERTIFICATE),
            _ => None,
        }
    })
}

const KEYS: [&str; 3] = [
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----",
    "-----BEGIN EC PRIVATE KEY-----",
];

pub(super) fn is_pkcs12(bytes: &[u8]) -> bool {
    const VERSION_3: &[u8] = &[0x02, 0x01, 0x03];
    let length = match bytes.get(1) {
        Some(long @ 0x81..=0x84) => usize::from(*long - 0x80),
        _ => 0,
    };
    bytes.get(2 + length..).is_some_and(|contents| contents.starts_with(VERSION_3))
}

/// Returns whether a line of the text begins with `start`.
fn has_line(text: &[u8], start: &str) -> bool {
    let marked = |line: &[u8]| line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line).to_vec();
    text.split(|byte| matches!(byte, b'\n' | b'\r'))
        .any(|line| marked(line.trim_ascii_start()).starts_with(start.as_bytes()))
}

const PKCS12: &str = "this is PKCS#12: `openssl pkcs12 -in FILE -out identity.pem -nodes` makes PEM \
    of it";
const DER: &str = "this is DER and not PEM";
const JAVA: &str = "this is a Java keystore: `keytool -importkeystore` with `-deststoretype PKCS12`, \
    then `openssl pkcs12 -nodes` make PEM of it";
const UTF16: &str = "this is UTF-16: save it as UTF-8 or ASCII";
const ENCRYPTED: &str =
    "the private key is encrypted: `openssl pkey -in FILE -out key.pem` decrypts it";
const OPENSSH: &str = "the private key is in the format of OpenSSH: `ssh-keygen -p -m PEM -f FILE` \
    converts it";
const PKCS7: &str = "this is PKCS#7: `openssl pkcs7 -in FILE -print_certs` gives the certificates";
const TRUSTED: &str = "this is OpenSSL's own format: `openssl x509 -in FILE` gives the certificate";
const REQUEST: &str = "this is a certificate request, which an authority has yet to sign";
const PUBLIC: &str = "this is a public key";
const ONLY_KEY: &str = "there is a private key and no certificate: are the files swapped?";
const ONLY_CERTIFICATE: &str =
    "there are certificates and no private key: append the text of the key";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_order_marks_are_removed_everywhere() {
        for (given, expected) in [
            ("a", "a"),
            ("\u{feff}a", "a"),
            ("a\n\u{feff}b", "a\nb"),
            ("\u{feff}\u{feff}", ""),
            ("\u{ff}\u{fe}", "\u{ff}\u{fe}"),
        ] {
            assert_eq!(text(given.as_bytes()), expected.as_bytes(), "{given:?}");
        }
        assert_eq!(&*text(b"\xef\xbb"), b"\xef\xbb");
    }

    #[test]
    fn other_formats_are_detected() {
        let rows: [(&[u8], Option<&str>); 16] = [
            (&[0x30, 0x82, 0x0a, 0x20, 2, 1, 3, 0x30], Some(PKCS12)),
            (&[0x30, 0x80, 2, 1, 3], Some(PKCS12)),
            (&[0x30, 0x82, 3, 1, 0x30, 0x82, 2, 1], Some(DER)),
            (&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2], Some(JAVA)),
            (b"\xff\xfe-\0-\0", Some(UTF16)),
            (b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nx", Some(ENCRYPTED)),
            (b"-----BEGIN RSA PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED\r\n", Some(ENCRYPTED)),
            (b"\xef\xbb\xbf-----BEGIN OPENSSH PRIVATE KEY-----\n", Some(OPENSSH)),
            (b"-----BEGIN PKCS7-----\n", Some(PKCS7)),
            (b"-----BEGIN TRUSTED CERTIFICATE-----", Some(TRUSTED)),
            (b"text\n-----BEGIN CERTIFICATE REQUEST-----", Some(REQUEST)),
            (b"-----BEGIN EC PRIVATE KEY-----", Some(ONLY_KEY)),
            (b"-----BEGIN CERTIFICATE-----", Some(ONLY_CERTIFICATE)),
            (b"-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----", None),
            (b"", None),
            (&[0x30, 0x82], Some(DER)),
        ];
        for (bytes, expected) in rows {
            assert_eq!(instead(bytes), expected, "{}", bytes.escape_ascii());
        }
    }
}
