//! Every feature name of reqwest exists, and README.md says what becomes of it.
#![allow(missing_docs)]

const MANIFEST: &str = include_str!("../Cargo.toml");
const README: &str = include_str!("../README.md");

/// The features of reqwest 0.12.28 and 0.13.5.
const NAMES: &str = "
    blocking brotli charset cookies default default-tls deflate form gzip hickory-dns http2 http3 json
    macos-system-configuration multipart native-tls native-tls-alpn native-tls-no-alpn native-tls-vendored
    native-tls-vendored-no-alpn query rustls rustls-no-provider rustls-tls rustls-tls-manual-roots
    rustls-tls-manual-roots-no-provider rustls-tls-native-roots rustls-tls-native-roots-no-provider
    rustls-tls-no-provider rustls-tls-webpki-roots rustls-tls-webpki-roots-no-provider socks stream
    system-proxy trust-dns zstd
";

#[test]
fn every_feature_of_reqwest_exists() {
    for name in NAMES.split_whitespace() {
        assert!(MANIFEST.contains(&format!("\n{name} = [")), "no feature {name}");
    }
}

#[test]
fn every_feature_is_in_the_readme() {
    for name in NAMES.split_whitespace() {
        assert!(README.contains(&format!("`{name}`")), "README.md does not name {name}");
    }
}
