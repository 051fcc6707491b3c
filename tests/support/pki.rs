//! A certificate authority made at start, and leaves for loopback: valid and invalid ones;
//! certificates for clients, and a revocation list.

use std::sync::{Arc, Mutex};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData,
    RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{ALL_VERSIONS, RootCertStore, ServerConfig, SupportedProtocolVersion};

/// The names of a valid leaf.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The serial number of [`Leaf::Revoked`].
const REVOKED: u64 = 1313;

pub struct Pki {
    trusted: Authority,
    other: Authority,
    /// The key of every leaf.
    key: KeyPair,
}

/// The certificate of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// For `localhost`, 127.0.0.1 and ::1, from the CA of [`Pki::ca_pem`].
    Good,
    /// Like `Good`, from a CA that is not trusted.
    UnknownIssuer,
    /// Like `Good`, but expired in 2020.
    Expired,
    /// Valid except for the name, `other.example`.
    WrongName,
    /// Valid except for the name, which is this one.
    Named(&'static str),
    /// 127.0.0.1 as its common name, and no other name.
    AddressInCommonName,
    /// Like `Good`, but self-signed.
    SelfSigned,
    /// Like `Good`, but [`Pki::crl_pem`] revokes it.
    Revoked,
}

/// The clients that a server accepts, by their certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clients {
    Anyone,
    /// Clients need a certificate from the CA of [`Pki::ca_pem`].
    Certified,
    /// A certificate is requested, and clients without one are served too.
    Asked,
}

impl Pki {
    pub fn new() -> Pki {
        Pki {
            trusted: Authority::new("leanhttp test CA"),
            other: Authority::new("another CA"),
            key: KeyPair::generate().unwrap(),
        }
    }

    /// The certificate to trust, as PEM.
    pub fn ca_pem(&self) -> String {
        self.trusted.pem.clone()
    }

    /// The certificate of the CA that is not trusted, as PEM.
    pub fn other_ca_pem(&self) -> String {
        self.other.pem.clone()
    }

    /// The certificate to trust, as DER.
    pub fn ca_der(&self) -> Vec<u8> {
        self.trusted.der.to_vec()
    }

    /// The configuration of a TLS server that presents `leaf`; it speaks TLS 1.2 and 1.3 and knows
    /// the ALPN name `http/1.1` only.
    pub fn server_config(&self, leaf: Leaf) -> Arc<ServerConfig> {
        self.server_config_for(leaf, ALL_VERSIONS, Clients::Anyone)
    }

    /// The same for other versions of TLS, or with client certificates.
    pub fn server_config_for(
        &self,
        leaf: Leaf,
        versions: &[&'static SupportedProtocolVersion],
        clients: Clients,
    ) -> Arc<ServerConfig> {
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap();
        let builder = match clients {
            Clients::Anyone => builder.with_no_client_auth(),
            Clients::Certified => builder.with_client_cert_verifier(self.client_verifier(false)),
            Clients::Asked => builder.with_client_cert_verifier(self.client_verifier(true)),
        };
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der());
        let mut config = builder.with_single_cert(vec![self.issue(leaf)], key.into()).unwrap();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Arc::new(config)
    }

    /// Like [`Pki::server_config`] for the valid leaf, but the server sends the root too.
    pub fn server_config_with_root(&self) -> Arc<ServerConfig> {
        let chain = vec![self.issue(Leaf::Good), self.trusted.der.clone()];
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der());
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(ALL_VERSIONS)
            .unwrap();
        Arc::new(builder.with_no_client_auth().with_single_cert(chain, key.into()).unwrap())
    }

    /// The public key of the CA of [`Pki::ca_pem`].
    pub fn ca_key(&self) -> Vec<u8> {
        self.trusted.issuer.key().subject_public_key_info()
    }

    /// The public key of every leaf, as encoded in its certificate.
    pub fn server_key(&self) -> Vec<u8> {
        self.key.subject_public_key_info()
    }

    /// A revocation list with [`Leaf::Revoked`], as PEM.
    pub fn crl_pem(&self) -> String {
        Pki::crl_of(&self.trusted)
    }

    /// A revocation list of the CA that is not trusted, as PEM.
    pub fn unrelated_crl_pem(&self) -> String {
        Pki::crl_of(&self.other)
    }

    fn crl_of(authority: &Authority) -> String {
        let revoked = RevokedCertParams {
            serial_number: SerialNumber::from(REVOKED),
            revocation_time: date_time_ymd(2024, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2024, 1, 1),
            next_update: date_time_ymd(2124, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&authority.issuer).unwrap().pem().unwrap()
    }

    /// Certificate and key of a client that [`Clients::Certified`] accepts, as PEM.
    pub fn client_pem(&self) -> String {
        Pki::client_of(&self.trusted)
    }

    /// Certificate and key of a client that it does not accept, as PEM.
    pub fn strangers_pem(&self) -> String {
        Pki::client_of(&self.other)
    }

    /// The same as DER.
    pub fn client_der(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let pem = self.client_pem();
        let chain = CertificateDer::pem_slice_iter(pem.as_bytes()).map(Result::unwrap).collect();
        (chain, PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap())
    }

    fn client_of(authority: &Authority) -> String {
        let mut params = CertificateParams::new(vec!["client.example".to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &authority.issuer).unwrap();
        [certificate.pem(), key.serialize_pem()].concat()
    }

    fn client_verifier(
        &self,
        is_optional: bool,
    ) -> Arc<dyn rustls::server::danger::ClientCertVerifier> {
        let mut roots = RootCertStore::empty();
        roots.add(self.trusted.der.clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let builder = if is_optional { builder.allow_unauthenticated() } else { builder };
        builder.build().unwrap()
    }

    fn issue(&self, leaf: Leaf) -> CertificateDer<'static> {
        let params = leaf.params();
        let certificate = match leaf {
            Leaf::SelfSigned => params.self_signed(&self.key),
            Leaf::UnknownIssuer => params.signed_by(&self.key, &self.other.issuer),
            _ => params.signed_by(&self.key, &self.trusted.issuer),
        };
        certificate.unwrap().der().clone()
    }
}

impl Leaf {
    fn params(self) -> CertificateParams {
        let mut params = CertificateParams::new(NAMES.map(str::to_owned).to_vec()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "leanhttp test server");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        match self {
            Leaf::WrongName => params.subject_alt_names = dns_names("other.example"),
            Leaf::Named(name) => params.subject_alt_names = dns_names(name),
            Leaf::AddressInCommonName => {
                params.subject_alt_names.clear();
                params.distinguished_name.push(DnType::CommonName, "127.0.0.1");
            }
            Leaf::Expired => {
                params.not_before = date_time_ymd(2019, 1, 1);
                params.not_after = date_time_ymd(2020, 1, 1);
            }
            Leaf::Revoked => params.serial_number = Some(SerialNumber::from(REVOKED)),
            Leaf::Good | Leaf::UnknownIssuer | Leaf::SelfSigned => {}
        }
        params
    }
}

fn dns_names(name: &str) -> Vec<SanType> {
    vec![SanType::DnsName(name.try_into().unwrap())]
}

impl Default for Pki {
    fn default() -> Pki {
        Pki::new()
    }
}

/// The server names (SNI) that clients sent.
pub type Asked = Arc<Mutex<Vec<Option<String>>>>;

/// The same server, which records those names.
pub fn recording_names(config: &ServerConfig) -> (Asked, Arc<ServerConfig>) {
    let mut config = config.clone();
    let asked = Asked::default();
    let certificates = config.cert_resolver;
    config.cert_resolver = Arc::new(Recorder { asked: Arc::clone(&asked), certificates });
    (asked, Arc::new(config))
}

#[derive(Debug)]
struct Recorder {
    asked: Asked,
    certificates: Arc<dyn ResolvesServerCert>,
}

impl ResolvesServerCert for Recorder {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.asked.lock().unwrap().push(hello.server_name().map(str::to_owned));
        self.certificates.resolve(hello)
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
}
