//! Deterministic TLS: the same handshake has the same bytes each time, so that a recorded one can
//! be replayed. It protects nothing.
//!
//! Records and signatures are ring's. Random numbers are constants, and the key exchange is a stub.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, PKCS_ED25519, SerialNumber};
use rustls::client::Resumption;
use rustls::crypto::{
    ActiveKeyExchange, CryptoProvider, GetRandomFailed, SecureRandom, SharedSecret,
    SupportedKxGroup, ring,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::server::NoServerSessionStorage;
use rustls::{ClientConfig, Error, NamedGroup, ServerConfig, SupportedProtocolVersion};

#[path = "trusting.rs"]
mod trusting;

/// The crypto provider of clients and servers.
pub fn provider() -> Arc<CryptoProvider> {
    let usual = ring::default_provider();
    Arc::new(CryptoProvider {
        secure_random: &Constant,
        kx_groups: vec![&Constant],
        cipher_suites: usual
            .cipher_suites
            .into_iter()
            .filter(|suite| format!("{:?}", suite.suite()).contains("AES_256_GCM"))
            .collect(),
        ..usual
    })
}

/// A server that resumes no session.
pub fn server(version: &'static SupportedProtocolVersion) -> ServerConfig {
    server_of(provider(), version)
}

/// The same, with this crypto provider.
pub fn server_of(
    provider: Arc<CryptoProvider>,
    version: &'static SupportedProtocolVersion,
) -> ServerConfig {
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap(); // its signatures are deterministic
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.serial_number = Some(SerialNumber::from(1)); // or its length would vary
    let certificate = params.self_signed(&key).unwrap();
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config
}

/// A client that trusts any server, and resumes no session.
pub fn client() -> Arc<ClientConfig> {
    Arc::new(client_of(provider()))
}

/// The same, with this crypto provider.
pub fn client_of(provider: Arc<CryptoProvider>) -> ClientConfig {
    let mut config = trusting::client(provider, || ());
    config.resumption = Resumption::disabled();
    config
}

#[derive(Debug)]
struct Constant;

impl SecureRandom for Constant {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        bytes.fill(7);
        Ok(())
    }
}

impl SupportedKxGroup for Constant {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        Ok(Box::new(Constant))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

impl ActiveKeyExchange for Constant {
    fn complete(self: Box<Self>, _: &[u8]) -> Result<SharedSecret, Error> {
        Ok(SharedSecret::from(&[7; 32][..]))
    }

    fn pub_key(&self) -> &[u8] {
        &[7; 32]
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}
