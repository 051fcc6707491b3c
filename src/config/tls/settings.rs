//! Converts the settings of a client to the configuration of rustls.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, KeyLog, RootCertStore, SignatureScheme};

use super::certificate::Certificate;
use super::identity::Identity as ClientCertificate;
use super::provider;
use crate::config::tls::verification::{Judgement, Verification};
use crate::error::{Error, Kind, Phase, Result};
use crate::policy::route::IdentityUse;
use crate::transport::tls::{Tls, TlsError};
use crate::transport::tls_version::{self, Version};

/// The settings, and the rustls configurations that are built from them at the first https request.
#[derive(Debug, Default)]
pub(crate) struct TlsSettings {
    pub(super) trust: RootCertificates,
    pub(super) extra_roots: Vec<Certificate>,
    /// Creates the verifier for added certificates if nothing else needs a custom verifier. A
    /// function pointer, so that programs that add none do not link the code.
    pub(super) rooted: Option<MakeRooted>,
    /// The settings that need a custom verifier.
    pub(super) judgement: Option<Judgement>,
    pub(super) identity: Option<ClientCertificate>,
    pub(super) min: Option<Version>,
    pub(super) max: Option<Version>,
    pub(super) sni: Sni,
    /// The sink for session secrets.
    pub(super) key_log: Option<Arc<dyn KeyLog>>,
    pub(super) extension: Extension,
    /// Replaces all of the above.
    pub(super) whole: Option<Whole>,
    /// The source of the settings: those of the program have to be checked.
    pub(super) origin: SettingsOrigin,
    for_origins: OnceLock<Built>,
    /// For origins to which no client certificate is offered.
    for_foreign_origins: OnceLock<Built>,
    for_proxies: OnceLock<Built>,
}

/// A rustls configuration supplied by the caller.
#[derive(Debug)]
pub(super) struct Whole {
    config: Arc<ClientConfig>,
    /// A function pointer, so that programs that supply none do not link the copying code.
    copy: fn(&ClientConfig) -> Result<ClientConfig, TlsError>,
}

impl Whole {
    pub(super) fn new(config: Arc<ClientConfig>) -> Self {
        Self { config, copy: checked }
    }
}

type Built = Result<Arc<ClientConfig>, TlsError>;

type MakeRooted = fn(
    RootCertStore,
    Vec<CertificateDer<'static>>,
    Arc<CryptoProvider>,
) -> Arc<dyn ServerCertVerifier>;

/// The roots besides the added certificates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum RootCertificates {
    /// The roots of `webpki-roots`.
    #[default]
    Mozilla,
    Nobody,
}

/// The choice to send the host name in the handshake (RFC 6066 §3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Sni {
    #[default]
    Sent,
    Omitted,
}

/// The choice to add the [`TlsInfo`](super::TlsInfo) to the extensions of a response.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Extension {
    #[default]
    Absent,
    Present,
}

/// The source of settings: the defaults or the program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum SettingsOrigin {
    #[default]
    Defaults,
    Program,
}

/// The peer of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    /// An origin that the caller named.
    Origin,
    /// An origin that a redirect of another origin named.
    ForeignOrigin,
    Proxy,
}

impl TlsSettings {
    /// Returns the TLS layer for a new connection to `host`.
    pub(crate) fn stage(&self, host: &str, identity: IdentityUse) -> Result<Tls> {
        let (built, peer) = match identity {
            IdentityUse::Shown => (&self.for_origins, Peer::Origin),
            IdentityUse::Withheld => (&self.for_foreign_origins, Peer::ForeignOrigin),
        };
        stage(built.get_or_init(|| self.config(peer)), host)
    }

    /// Returns whether there is a client certificate, which a server may request.
    pub(crate) fn has_identity(&self) -> bool {
        let of_whole = |whole: &Whole| whole.config.client_auth_cert_resolver.has_certs();
        self.whole.as_ref().map_or(self.identity.is_some(), of_whole)
    }

    /// Returns the TLS layer for a new connection to a proxy.
    pub(crate) fn proxy_stage(&self, host: &str) -> Result<Tls> {
        stage(self.for_proxies.get_or_init(|| self.config(Peer::Proxy)), host)
    }

    /// Reports errors in the settings when the client is built. The defaults have none, and are not
    /// evaluated for a client that may use only plain HTTP.
    pub(crate) fn check(&self) -> Result<()> {
        match self.origin {
            SettingsOrigin::Defaults => Ok(()),
            SettingsOrigin::Program => {
                let built = self.for_origins.get_or_init(|| self.config(Peer::Origin));
                built.as_ref().map(|_| ()).map_err(|error| mistake(error.clone()))
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn trusting_anyone() -> Self {
        let mut settings = Self::default();
        settings.judgement().certificates = crate::config::tls::verification::Verification::None;
        settings
    }

    /// Returns the settings for a custom verifier, mutably.
    pub(super) fn judgement(&mut self) -> &mut Judgement {
        self.judgement.get_or_insert_with(Judgement::new)
    }

    pub(crate) fn extension(&self) -> Extension {
        self.extension
    }

    /// Builds the configuration. It is built once, so that sessions are resumed.
    fn config(&self, peer: Peer) -> Built {
        let mut config = match &self.whole {
            Some(whole) => {
                self.check_nothing_beside()?;
                (whole.copy)(&whole.config)?
            }
            None => self.build(peer)?,
        };
        if peer != Peer::Origin {
            // The client certificate, and the tickets that resume an authenticated session, are
            // withheld from proxies (CVE-2021-22890, curl) and from origins that the caller did not
            // name.
            config.resumption = Resumption::disabled();
            config.client_auth_cert_resolver = Arc::new(Nobody);
        }
        Ok(Arc::new(config))
    }

    /// Refuses settings that a supplied configuration would override. Ignoring them silently would
    /// be worst for those that restrict trust.
    fn check_nothing_beside(&self) -> Result<(), TlsError> {
        let judgement = self.judgement.as_ref();
        let is_set = [
            (judgement.is_some_and(|judgement| !judgement.pins.is_empty()), "tls_pin_spki_sha256"),
            (judgement.is_some_and(|judgement| !judgement.revoked.is_empty()), "add_crl"),
            (judgement.is_some_and(|judgement| judgement.judge.is_some()), "tls_platform_verifier"),
            (
                judgement.is_some_and(|judgement| judgement.certificates == Verification::None),
                "danger_accept_invalid_certs",
            ),
            (
                judgement.is_some_and(|judgement| judgement.names == Verification::None),
                "danger_accept_invalid_hostnames",
            ),
            (self.trust == RootCertificates::Nobody, "tls_certs_only"),
            (!self.extra_roots.is_empty(), "add_root_certificate"),
            (self.identity.is_some(), "identity"),
            (self.min.is_some(), "tls_version_min"),
            (self.max.is_some(), "tls_version_max"),
            (self.sni == Sni::Omitted, "tls_sni"),
            (self.key_log.is_some(), "tls_sslkeylogfile"),
        ];
        match is_set.into_iter().find(|(is_set, _)| *is_set) {
            None => Ok(()),
            Some((_, name)) => Err(TlsError::from(format!(
                "`{name}` has no effect beside `use_preconfigured_tls`: set it in the rustls \
                 configuration"
            ))),
        }
    }

    fn build(&self, peer: Peer) -> Result<ClientConfig, TlsError> {
        let provider = provider::find().ok_or(NO_PROVIDER)?;
        let versions = tls_version::within(self.min, self.max);
        if versions.is_empty() {
            return Err("there is no TLS version from the minimum to the maximum".into());
        }
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions)?;
        let builder = match (&self.judgement, self.rooted) {
            (None, None) => builder.with_root_certificates(self.roots()?),
            (None, Some(make)) => {
                let verifier = make(self.roots()?, self.added_certificates(), provider);
                builder.dangerous().with_custom_certificate_verifier(verifier)
            }
            (Some(judgement), _) => {
                let verifier = judgement.verifier(self, &provider, peer)?;
                builder.dangerous().with_custom_certificate_verifier(verifier)
            }
        };
        let mut config = match &self.identity {
            Some(identity) => identity.present(builder)?,
            None => builder.with_no_client_auth(),
        };
        // Offers HTTP/1.1 by ALPN (RFC 7301), so that a multi-protocol server does not guess.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.enable_sni = self.sni == Sni::Sent;
        if let Some(key_log) = &self.key_log {
            config.key_log = Arc::clone(key_log);
        }
        Ok(config)
    }

    /// Returns the added certificates.
    pub(super) fn added_certificates(&self) -> Vec<CertificateDer<'static>> {
        self.extra_roots.iter().flat_map(|roots| roots.ders.clone()).collect()
    }

    /// Returns the trusted roots.
    pub(super) fn roots(&self) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        if self.trust == RootCertificates::Mozilla {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        for der in self.extra_roots.iter().flat_map(|roots| &roots.ders) {
            roots.add(der.clone())?;
        }
        if roots.is_empty() {
            return Err("no root trust anchors were provided".into());
        }
        Ok(roots)
    }
}

/// Returns a copy of a supplied configuration, if it offers no protocol other than HTTP/1.1.
fn checked(whole: &ClientConfig) -> Result<ClientConfig, TlsError> {
    let speaks = |protocol: &Vec<u8>| protocol.starts_with(b"http/1.");
    if whole.alpn_protocols.iter().all(speaks) {
        let mut config = whole.clone();
        // The copy shares the session store of the original, which other clients may use. rustls
        // resumes a session only with the same resolver instance that created it, so a resolver of
        // its own separates the sessions of this client in any store.
        let resolver = OfOneClient(config.client_auth_cert_resolver);
        config.client_auth_cert_resolver = Arc::new(resolver);
        return Ok(config);
    }
    Err("the rustls configuration offers protocols other than HTTP/1.1 (alpn_protocols)".into())
}

fn stage(built: &Built, host: &str) -> Result<Tls> {
    let config = built.as_ref().map_err(|error| mistake(error.clone()))?;
    Tls::new(Arc::clone(config), host)
        .map_err(|error| Error::new(Kind::Tls, Phase::Handshake).cause(error))
}

fn mistake(error: TlsError) -> Error {
    let hint = error.setting_hint();
    let error = Error::builder("TLS settings").cause(error);
    match hint {
        Some(hint) => error.note(hint),
        None => error,
    }
}

const NO_PROVIDER: &str = "no cryptography: https needs the feature `ring` or `aws-lc-rs` of \
    leanhttp, a provider installed for the process, or `use_preconfigured_tls`";

/// A resolver without a certificate.
#[derive(Debug)]
struct Nobody;

impl ResolvesClientCert for Nobody {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// The certificate resolver of a supplied configuration, wrapped for one client.
#[derive(Debug)]
struct OfOneClient(Arc<dyn ResolvesClientCert>);

impl ResolvesClientCert for OfOneClient {
    fn resolve(
        &self,
        root_hint_subjects: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        self.0.resolve(root_hint_subjects, schemes)
    }

    fn only_raw_public_keys(&self) -> bool {
        self.0.only_raw_public_keys()
    }

    fn has_certs(&self) -> bool {
        self.0.has_certs()
    }
}

#[cfg(test)]
mod tests;
