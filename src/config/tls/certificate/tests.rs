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
        assert_eq!(pem_text(given.as_bytes()), expected.as_bytes(), "{given:?}");
    }
    assert_eq!(&*pem_text(b"\xef\xbb"), b"\xef\xbb");
}

#[test]
fn other_formats_are_detected() {
    let rows: [(&[u8], Option<&str>); 16] = [
        (&[0x30, 0x82, 0x0a, 0x20, 2, 1, 3, 0x30], Some(PKCS12)),
        (&[0x30, 0x80, 2, 1, 3], Some(PKCS12)),
        (&[0x30, 0x82, 3, 1, 0x30, 0x82, 2, 1], Some(DER)),
        (&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2], Some(JAVA)),
        (b"\xff\xfe-\0-\0", Some(UTF16)),
        (b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nx", Some(ENCRYPTED_PKCS8)),
        (b"-----BEGIN RSA PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED\r\n", Some(ENCRYPTED_PEM)),
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
