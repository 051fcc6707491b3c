//! A certificate authority made at start, and leaves for loopback: a good one and ones to refuse.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// The names that a good leaf is made for.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

pub struct Pki {
    trusted: Authority,
    other: Authority,
}

/// Which certificate a server shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// For `localhost`, 127.0.0.1 and ::1, from the CA of [`Pki::ca_pem`].
    Good,
    /// Like `Good`, from a CA that nobody trusts.
    UnknownIssuer,
    /// Like `Good`, but it ended in 2020.
    Expired,
    /// Good in all but the name, `other.example`.
    WrongName,
}

impl Pki {
    pub fn new() -> Pki {
        Pki { trusted: Authority::new("leanhttp test CA"), other: Authority::new("another CA") }
    }

    /// The certificate to trust, as PEM.
    pub fn ca_pem(&self) -> String {
        self.trusted.pem.clone()
    }

    /// The certificate to trust, as DER.
    pub fn ca_der(&self) -> Vec<u8> {
        self.trusted.der.to_vec()
    }

    /// What a TLS server that shows `leaf` is configured with; it speaks TLS 1.2 and 1.3 and knows
    /// the ALPN name `http/1.1` only.
    pub fn server_config(&self, leaf: Leaf) -> Arc<ServerConfig> {
        let authority = if leaf == Leaf::UnknownIssuer { &self.other } else { &self.trusted };
        let (chain, key) = authority.issue(leaf);
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Arc::new(config)
    }
}

impl Default for Pki {
    fn default() -> Pki {
        Pki::new()
    }
}

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    der: CertificateDer<'static>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Authority {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Authority {
            der: certificate.der().clone(),
            pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        }
    }

    fn issue(&self, leaf: Leaf) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let names = match leaf {
            Leaf::WrongName => vec!["other.example".to_owned()],
            _ => NAMES.map(str::to_owned).to_vec(),
        };
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, "leanhttp test server");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        if leaf == Leaf::Expired {
            params.not_before = date_time_ymd(2019, 1, 1);
            params.not_after = date_time_ymd(2020, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        (vec![certificate.der().clone()], key.into())
    }
}
