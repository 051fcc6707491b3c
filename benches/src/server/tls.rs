//! The server's certificate, made at start.

use std::net::Ipv4Addr;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::NoServerSessionStorage;

use crate::Outcome;

pub struct Identity {
    /// The certificate that the clients trust, in PEM.
    pub certificate: String,
    pub config: Arc<ServerConfig>,
    /// Issues no tickets and stores no session.
    pub without_resumption: Arc<ServerConfig>,
}

impl Identity {
    pub fn new() -> Outcome<Self> {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed([Ipv4Addr::LOCALHOST.to_string()])?;
        let key = PrivateKeyDer::try_from(signing_key.serialize_der())?;
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)?;
        let mut forgetful = config.clone();
        forgetful.send_tls13_tickets = 0;
        forgetful.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Self {
            certificate: cert.pem(),
            config: Arc::new(config),
            without_resumption: Arc::new(forgetful),
        })
    }
}
