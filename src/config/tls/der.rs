//! The part of DER (X.690) that is needed to find the public key of a certificate of any version
//! and with any extensions.

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;
/// `[0]`, constructed: the version of a certificate.
const VERSION: u8 = 0xa0;

/// `rsaEncryption` (RFC 8017), without parameters.
const RSA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// Returns the complete `SubjectPublicKeyInfo` of a certificate (RFC 5280 §4.1).
pub(super) fn public_key_info(certificate: &[u8]) -> Option<&[u8]> {
    let certificate = Element::of(certificate, SEQUENCE)?;
    let mut fields = Element::of(certificate.contents, SEQUENCE)?.contents;
    if let Some(version) = Element::of(fields, VERSION) {
        fields = version.rest;
    }
    // Serial number, signature algorithm, issuer, validity, subject.
    for tag in [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE] {
        fields = Element::of(fields, tag)?.rest;
    }
    Some(Element::of(fields, SEQUENCE)?.whole)
}

/// A public key in the form that rustls' algorithms take.
pub(super) struct PublicKey<'a> {
    /// The contents of its `AlgorithmIdentifier`.
    pub(super) algorithm: &'a [u8],
    pub(super) bits: &'a [u8],
}

impl<'a> PublicKey<'a> {
    /// Parses a `SubjectPublicKeyInfo`.
    pub(super) fn of(info: &'a [u8]) -> Option<Self> {
        let info = Element::of(info, SEQUENCE)?;
        let algorithm = Element::of(info.contents, SEQUENCE)?;
        let key = Element::of(algorithm.rest, BIT_STRING)?;
        let bits = key.contents.strip_prefix(&[0])?; // whole bytes
        Some(Self { algorithm: algorithm.contents, bits })
    }

    /// Returns whether it is an RSA key of a size that rustls' providers do not support: they
    /// support 2048 to 8192 bits.
    pub(super) fn is_rsa_of_unusual_size(&self) -> bool {
        let modulus = || {
            let key = Element::of(self.bits, SEQUENCE)?;
            let modulus = Element::of(key.contents, INTEGER)?.contents;
            Some(modulus.strip_prefix(&[0]).unwrap_or(modulus))
        };
        self.algorithm.starts_with(RSA)
            && !modulus().is_some_and(|modulus| (256..=1024).contains(&modulus.len()))
    }
}

/// A value with its tag and length, and what follows it.
struct Element<'a> {
    whole: &'a [u8],
    contents: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Element<'a> {
    /// Parses the element with the given tag that `bytes` begin with.
    fn of(bytes: &'a [u8], tag: u8) -> Option<Self> {
        let after_tag = bytes.strip_prefix(&[tag])?;
        let (first, after) = after_tag.split_first()?;
        let (length, after) = match usize::from(*first) {
            short @ 0..=0x7f => (short, after),
            // Certificates in TLS are smaller than 16 MiB.
            long @ 0x81..=0x83 => {
                let (length, after) = after.split_at_checked(long - 0x80)?;
                let add = |sum: usize, byte: &u8| sum << 8 | usize::from(*byte);
                (length.iter().fold(0, add), after)
            }
            _ => return None,
        };
        let (contents, rest) = after.split_at_checked(length)?;
        let (whole, _) = bytes.split_at_checked(bytes.len() - rest.len())?;
        Some(Self { whole, contents, rest })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rustls::pki_types::CertificateDer;
    use rustls::server::ParsedCertificate;

    use super::*;

    fn certificate() -> CertificateDer<'static> {
        rcgen::generate_simple_self_signed(["a.test".to_owned()]).unwrap().cert.der().clone()
    }

    #[test]
    fn the_key_is_the_same_as_in_rustls() {
        let certificate = certificate();
        let parsed = ParsedCertificate::try_from(&certificate).unwrap();
        let info = public_key_info(&certificate).unwrap();
        assert_eq!(info, parsed.subject_public_key_info().as_ref());
        let key = PublicKey::of(info).unwrap();
        assert_eq!((key.bits.len(), key.is_rsa_of_unusual_size()), (65, false));
    }

    #[test]
    fn a_truncated_certificate_is_refused() {
        let certificate = certificate();
        for end in 0..certificate.len() {
            assert_eq!(public_key_info(&certificate[..end]), None, "{end}");
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
            let _ = public_key_info(&bytes);
            let _ = PublicKey::of(&bytes).map(|key| key.is_rsa_of_unusual_size());
        }
    }
}
