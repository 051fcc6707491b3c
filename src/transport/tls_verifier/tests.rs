use proptest::prelude::*;

use super::*;

fn certificate() -> CertificateDer<'static> {
    rcgen::generate_simple_self_signed(["a.test".to_owned()]).unwrap().cert.der().clone()
}

#[test]
fn the_key_is_the_same_as_in_rustls() {
    let certificate = certificate();
    let parsed = ParsedCertificate::try_from(&certificate).unwrap();
    let info = public_key_info_of_any(&certificate).unwrap();
    assert_eq!(info, parsed.subject_public_key_info().as_ref());
    let key = PublicKey::of(info).unwrap();
    assert_eq!((key.bits.len(), key.is_rsa_of_unusual_size()), (65, false));
}

#[test]
fn a_truncated_certificate_is_refused() {
    let certificate = certificate();
    for end in 0..certificate.len() {
        assert_eq!(public_key_info_of_any(&certificate[..end]), None, "{end}");
    }
}

#[test]
fn unusual_rsa_sizes_are_detected() {
    for (bytes, expected) in
        [(64, true), (128, true), (255, true), (256, false), (1024, false), (1025, true)]
    {
        for zero in [&[][..], &[0]] {
            let modulus = [zero, &vec![0x80; bytes]].concat();
            let long = |tag: u8, contents: &[u8]| {
                let length = u16::try_from(contents.len()).unwrap().to_be_bytes();
                [&[tag, 0x82][..], &length, contents].concat()
            };
            let bits = long(SEQUENCE, &[long(INTEGER, &modulus), vec![2, 1, 3]].concat());
            let algorithm = [RSA, &[5, 0]].concat();
            let key = PublicKey { algorithm: &algorithm, bits: &bits };
            assert_eq!(key.is_rsa_of_unusual_size(), expected, "{bytes}");
        }
    }
    assert!(PublicKey { algorithm: RSA, bits: b"" }.is_rsa_of_unusual_size());
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = public_key_info_of_any(&bytes);
        let _ = PublicKey::of(&bytes).map(|key| key.is_rsa_of_unusual_size());
    }
}

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
