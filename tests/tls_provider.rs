//! TLS in a build without a built-in crypto provider.
#![cfg(all(
    feature = "blocking",
    feature = "tls",
    not(any(feature = "ring", feature = "aws-lc-rs"))
))]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;

use leanhttp::{Certificate, Client};
use rustls::crypto::{CryptoProvider, ring};

use support::httpbin::Httpbin;
use support::pki::Pki;

/// One test, because a provider is installed for the whole process.
#[test]
fn an_installed_crypto_provider_is_used() {
    let pki = Pki::new();
    let server = Httpbin::start_tls(&pki);
    let root = Certificate::from_der(&pki.ca_der()).unwrap();
    let line = "TLS settings: no cryptography: https needs the feature `ring` or `aws-lc-rs` of \
                leanhttp, a provider installed for the process, or `use_preconfigured_tls`";

    let error = Client::new().get(server.url("/get")).send().unwrap_err();
    assert!(error.is_builder() && error.to_string() == line, "{error}");
    let error = Client::builder().add_root_certificate(root.clone()).build().unwrap_err();
    assert!(error.is_builder() && error.to_string() == line, "{error}");
    assert_eq!(server.connections_opened(), 0);
    let plain = Httpbin::start();
    assert_eq!(Client::new().get(plain.url("/get")).send().unwrap().status(), 200);

    let mut roots = rustls::RootCertStore::empty();
    roots.add(pki.ca_der().into()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = Client::builder().use_preconfigured_tls(config).build().unwrap();
    assert_eq!(client.get(server.url("/get")).send().unwrap().status(), 200);

    CryptoProvider::install_default(ring::default_provider()).unwrap();
    let client = Client::builder().tls_certs_only([root]).build().unwrap();
    assert_eq!(client.get(server.url("/get")).send().unwrap().status(), 200);
}
