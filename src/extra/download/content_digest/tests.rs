use http::HeaderValue;

use super::*;

const NOTHING: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

fn parsed(lines: &[&str]) -> Option<NamedDigests> {
    let line = |value: &&str| (REPR_DIGEST, HeaderValue::from_str(value).unwrap());
    NamedDigests::of(&lines.iter().map(line).collect::<Vec<_>>(), &REPR_DIGEST)
}

#[test]
fn secure_hashes_are_read() {
    let first =
        |lines: &[&str]| parsed(lines).and_then(|digests| digests.sha256).map(|hash| hash[0]);
    for line in ["sha-256=:H:", "md5=:AAAA:, sha-256=:H:", "sha-256=:H:;q=1, unixsum=:AA==:"] {
        assert_eq!(first(&[&line.replace('H', NOTHING)]), Some(0xe3), "{line}");
    }
    assert_eq!(first(&["md5=:AAAA:", &format!("sha-256=:{NOTHING}:")]), Some(0xe3));
    let long = format!("sha-512=:{}==:", "A".repeat(86));
    assert_eq!(parsed(&[&long]).and_then(|digests| digests.sha512), Some([0; 64]));
}

#[test]
fn other_and_malformed_hashes_are_ignored() {
    for line in [
        "",
        "md5=:AAAAAAAAAAAAAAAAAAAAAA==:",
        "sha-256=H",
        "sha-256=:H",
        "SHA-256=:H:",
        "sha-256=:H:x",
        "sha-256=:AAAA:",
        "sha-256=:!!!:",
        "sha-256",
        "sha-512=:H:",
    ] {
        assert_eq!(parsed(&[&line.replace('H', NOTHING)]), None, "{line}");
    }
}
