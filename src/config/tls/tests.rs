use std::io::Write as _;

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{HandshakeKind, RootCertStore, ServerConfig, ServerConnection};

use super::*;

fn identity(name: &str) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let identity = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(identity.signing_key.serialize_der().into());
    (identity.cert.der().clone(), key)
}

/// A client with a certificate, and a server that requests it.
fn both() -> (TlsSettings, Arc<ServerConfig>) {
    let provider = Arc::new(ring::default_provider());
    let ((client, client_key), (server, server_key)) = (identity("client"), identity("localhost"));
    let roots = |certificate: &CertificateDer<'static>| {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        roots
    };
    let whole = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots(&server))
        .with_client_auth_cert(vec![client.clone()], client_key)
        .unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(
        Arc::new(roots(&client)),
        Arc::clone(&provider),
    )
    .allow_unauthenticated()
    .build()
    .unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![server], server_key)
        .unwrap();
    (TlsSettings { whole: Some(Arc::new(whole)), ..TlsSettings::default() }, Arc::new(config))
}

/// Runs the whole handshake, including what the server sends right after it, such as tickets.
fn handshake(mut client: Tls, config: &Arc<ServerConfig>) -> ServerConnection {
    let mut server = ServerConnection::new(Arc::clone(config)).unwrap();
    loop {
        client.receive(|_| {}).unwrap();
        let mut sent = client.output();
        let count = sent.len();
        while !sent.is_empty() {
            server.read_tls(&mut sent).unwrap();
            server.process_new_packets().unwrap();
        }
        client.wrote(count);
        let mut answer = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut answer).unwrap();
        }
        if count == 0 && answer.is_empty() {
            return server;
        }
        let mut rest = &*answer;
        while !rest.is_empty() {
            let count = client.read_space().write(rest).unwrap();
            client.read(count);
            rest = &rest[count..];
        }
    }
}

/// CVE-2021-22890 (curl): neither the client certificate nor tickets for origins are used with a
/// proxy or a foreign origin of the same name.
#[test]
fn n09_certificate_and_tickets_are_withheld_from_others() {
    let (settings, server) = both();
    let seen = |client: Result<Tls>| {
        let server = handshake(client.unwrap(), &server);
        (server.handshake_kind().unwrap(), server.peer_certificates().is_some())
    };
    let origin = || seen(settings.stage("localhost", IdentityUse::Shown));
    let foreign = || seen(settings.stage("localhost", IdentityUse::Withheld));
    let proxy = || seen(settings.proxy_stage("localhost"));
    assert_eq!(origin(), (HandshakeKind::Full, true));
    assert_eq!(origin(), (HandshakeKind::Resumed, true));
    assert_eq!(proxy(), (HandshakeKind::Full, false));
    assert_eq!(proxy(), (HandshakeKind::Full, false));
    assert_eq!(foreign(), (HandshakeKind::Full, false));
    assert_eq!(foreign(), (HandshakeKind::Full, false));
    assert_eq!(origin(), (HandshakeKind::Resumed, true));
}

/// With and without a custom verifier.
#[test]
fn an_empty_root_store_is_an_error() {
    let nobody = || TlsSettings {
        only_added: Some(RootSource::Program),
        is_changed: true,
        ..TlsSettings::default()
    };
    let mut with_judgement = nobody();
    with_judgement.judgement();
    for settings in [nobody(), with_judgement] {
        let error = settings.check().unwrap_err().to_string();
        assert!(error.ends_with("no root trust anchors were provided"), "{error}");
    }
    let mut anyone = nobody();
    anyone.judgement().accepts_any_certificate = true;
    assert!(anyone.check().is_ok());
}
