//! TLS settings: trust, client certificates, protocol; and the TLS information of a response.
//!
//! The default trusts the root certificates that the environment names ([`Roots::Auto`]), or else those of the
//! operating system (with the feature `platform-verifier`), or else the Mozilla ones in the crate
//! `webpki-roots`; supports TLS 1.3 and 1.2; and verifies names and validity periods.
//! [`ClientBuilder`](crate::client::ClientBuilder) has methods to change this:
//!
//! | setting | |
//! | --- | --- |
//! | `tls_roots` | which root certificates are trusted, see [`Roots`] |
//! | `add_root_certificate`, `tls_certs_merge` | more root certificates |
//! | `tls_certs_only` | other root certificates |
//! | `tls_certs_from_env` | those of `SSL_CERT_FILE` and `SSL_CERT_DIR` |
//! | `tls_platform_verifier` | the operating system's verifier (feature `platform-verifier`) |
//! | `add_crl`, `tls_crls_only` | revoked certificates |
//! | `tls_pin_spki_sha256` | public keys, one of which the server must have |
//! | `identity` | the client certificate |
//! | `tls_version_min`, `tls_version_max`, `tls_sni` | the protocol |
//! | `tls_sslkeylogfile`, `tls_info` | diagnostics |
//! | `danger_accept_invalid_certs`, `danger_accept_invalid_hostnames` | no verification |
//! | `use_preconfigured_tls` | a whole configuration of rustls, see [`rustls_0_23`] |
//!
//! ```
//! use leanhttp::Client;
//! use leanhttp::tls::Version;
//!
//! let client = Client::builder().https_only(true).tls_version_min(Version::TLS_1_3).build()?;
//! # Ok::<(), leanhttp::Error>(())
//! ```
//!
//! Sessions are resumed within one client: it keeps the tickets of 32 hosts, and drops those of the
//! oldest host for a new one. A resumed session is not verified again. Therefore clients, whose
//! settings may differ, share no sessions, and a client's settings cannot change.
//!
//! The cryptography provider is the one that the program has installed for the whole process, or
//! else AWS-LC (feature `aws-lc-rs`), or else ring (feature `ring`, a default).

// Read `TlsSettings` first: settings, setters, and the rustls configuration that they become. Then
// `Judgement`: the settings that need a verifier of `transport::tls_verifier`. `roots.rs` decides which roots
// are trusted.
//
// A rustls configuration is made at the first request that needs it, once for each kind of peer,
// and kept: it is also where rustls stores its sessions, so a new one would resume nothing.
//
// | kind | client certificate | sessions are resumed | pins |
// | --- | --- | --- | --- |
// | an origin that the caller named | offered | yes | checked |
// | an origin that a redirect named | withheld | no | checked |
// | a proxy | withheld | no | not checked: they are keys of origins |
//
// Resumption without the certificate would undo the withholding: a ticket of an authenticated
// session authenticates the client as the certificate did
// (`n09_certificate_and_tickets_are_withheld_from_others`).
//
// Building needs the roots to be parsed, so a client that only speaks plain HTTP does not pay for
// it; but if the program has changed a setting, `check` builds the first kind when the client is
// built, and a mistake is an error there.
//
// `use_preconfigured_tls` replaces everything. A setting beside it that restricts trust would
// silently have no effect, so it is an error (`tests/tls.rs`,
// `settings_beside_a_preconfigured_configuration_are_errors`).
mod certificate;
mod roots;
pub mod rustls_0_23;

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, KeyLog, KeyLogFile, SignatureScheme};

use crate::error::{Error, Kind, Phase, Result};
use crate::policy::route::IdentityUse;
use crate::transport::tls::{Tls, TlsError};
use crate::transport::tls_verifier::{Adjusted, Pins, Rooted, TrustAnyone};
use crate::transport::tls_version;

use roots::Trusted;

pub use self::certificate::{Certificate, CertificateRevocationList, Identity};
pub use self::roots::Roots;
pub use crate::transport::tls_info::{RootSource, TlsInfo};
pub use crate::transport::tls_verifier::SpkiSha256;
pub use crate::transport::tls_version::Version;

/// A whole TLS configuration, for
/// [`use_preconfigured_tls`](crate::client::ClientBuilder::use_preconfigured_tls): made [from one of
/// rustls](rustls_0_23).
#[derive(Clone)]
pub struct Preconfigured(pub(crate) Arc<ClientConfig>);

/// Shows nothing of the configuration, which may hold keys.
impl fmt::Debug for Preconfigured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Preconfigured").finish_non_exhaustive()
    }
}

/// The settings, and the rustls configurations that are built from them at the first https request.
#[derive(Debug, Default)]
pub(crate) struct TlsSettings {
    /// The roots that are trusted beside the added ones, unless only those are.
    roots: Roots,
    /// Only the added roots are trusted, which are from here.
    only_added: Option<RootSource>,
    added_roots: Vec<Certificate>,
    /// The settings that need a custom verifier.
    judgement: Option<Judgement>,
    /// Makes the verifier for the added roots, or for the judgement. A function pointer, so that programs
    /// link no verifier that they do not set: one that adds a root has 63 kB of 2.98 MB less, 2.1 % (x86-64
    /// Linux, default features).
    make_verifier: Option<MakeVerifier>,
    identity: Option<Identity>,
    min: Option<Version>,
    max: Option<Version>,
    /// The host name is not sent in the handshake (RFC 6066 §3).
    omits_sni: bool,
    /// The sink for session secrets.
    key_log: Option<Arc<dyn KeyLog>>,
    /// The extensions of a response have their [`TlsInfo`].
    adds_info: bool,
    /// The caller's rustls configuration, which replaces all of the above except `adds_info`.
    whole: Option<Arc<ClientConfig>>,
    /// The program has changed the settings, so they have to be checked.
    is_changed: bool,
    for_origins: OnceLock<Built>,
    /// For origins to which no client certificate is offered.
    for_foreign_origins: OnceLock<Built>,
    for_proxies: OnceLock<Built>,
}

type Built = Result<(Arc<ClientConfig>, RootSource), TlsError>;

/// The peer of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peer {
    /// An origin that the caller named.
    Origin,
    /// An origin that a redirect of another origin named.
    ForeignOrigin,
    Proxy,
}

/// Trust.
impl TlsSettings {
    pub(crate) fn add_root_certificates(&mut self, certs: impl IntoIterator<Item = Certificate>) {
        self.is_changed = true;
        self.added_roots.extend(certs);
        self.make_verifier.get_or_insert(rooted);
    }

    pub(crate) fn trust_only(&mut self, certs: impl IntoIterator<Item = Certificate>) {
        self.only_added = Some(RootSource::Program);
        self.added_roots.clear();
        self.add_root_certificates(certs);
    }

    /// Sets which roots are trusted beside the added ones.
    pub(crate) fn set_roots(&mut self, roots: Roots) {
        self.is_changed = true;
        (self.roots, self.only_added) = (roots, None);
    }

    /// Sets whether the operating system verifies certificates. If not, the default is the bundled roots.
    pub(crate) fn trust_platform(&mut self, trusted: bool) {
        self.is_changed = true;
        match (trusted, self.roots) {
            (true, _) => self.set_roots(Roots::Platform),
            (false, Roots::Auto | Roots::Platform) => self.roots = Roots::Bundled,
            (false, Roots::Environment | Roots::Bundled) => {}
        }
    }

    /// Sets whether other roots than the added ones are trusted.
    pub(crate) fn trust_built_in(&mut self, trusted: bool) {
        self.is_changed = true;
        self.only_added = (!trusted).then_some(RootSource::Program);
    }

    /// Trusts only the certificates that the environment names, if it names any.
    pub(crate) fn trust_environment(&mut self) -> Result<()> {
        if let Some(certs) =
            certificate::certificates_of_environment(|name| std::env::var_os(name))?
        {
            self.trust_only(certs);
            self.only_added = Some(RootSource::Environment);
        }
        Ok(())
    }

    pub(crate) fn add_revocation_lists(
        &mut self,
        lists: impl IntoIterator<Item = CertificateRevocationList>,
    ) {
        self.changed_judgement().revoked.extend(lists);
    }

    pub(crate) fn set_revocation_lists(
        &mut self,
        lists: impl IntoIterator<Item = CertificateRevocationList>,
    ) {
        self.changed_judgement().revoked = lists.into_iter().collect();
    }

    pub(crate) fn add_pins(&mut self, pins: impl IntoIterator<Item = SpkiSha256>) {
        self.changed_judgement().pins.extend(pins);
    }

    pub(crate) fn accept_invalid_certs(&mut self, accept: bool) {
        self.changed_judgement().accepts_any_certificate = accept;
    }

    pub(crate) fn accept_invalid_hostnames(&mut self, accept: bool) {
        self.changed_judgement().accepts_any_name = accept;
    }

    fn changed_judgement(&mut self) -> &mut Judgement {
        self.is_changed = true;
        self.judgement()
    }
}

/// Identity and protocol.
impl TlsSettings {
    pub(crate) fn set_identity(&mut self, identity: Identity) {
        self.is_changed = true;
        self.identity = Some(identity);
    }

    pub(crate) fn set_min_version(&mut self, version: Version) {
        self.is_changed = true;
        self.min = Some(version);
    }

    pub(crate) fn set_max_version(&mut self, version: Version) {
        self.is_changed = true;
        self.max = Some(version);
    }

    pub(crate) fn set_sni(&mut self, sent: bool) {
        self.is_changed = true;
        self.omits_sni = !sent;
    }

    /// Sets whether secrets are written to the file that `SSLKEYLOGFILE` names.
    pub(crate) fn set_key_log(&mut self, on: bool) {
        self.is_changed = true;
        self.key_log = on.then(|| Arc::new(KeyLogFile::new()) as Arc<dyn KeyLog>);
    }

    /// Sets whether responses have their `TlsInfo` among their extensions.
    pub(crate) fn set_extension(&mut self, present: bool) {
        self.is_changed = true;
        self.adds_info = present;
    }

    /// Sets a rustls configuration, which replaces all settings except the extension.
    pub(crate) fn set_preconfigured(&mut self, config: Arc<ClientConfig>) {
        self.is_changed = true;
        self.whole = Some(config);
    }
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
        match &self.whole {
            Some(whole) => whole.client_auth_cert_resolver.has_certs(),
            None => self.identity.is_some(),
        }
    }

    /// Returns what the certificates of origins are verified by, in words.
    #[cfg(feature = "export")]
    pub(crate) fn roots_in_use(&self) -> String {
        let source = match self.for_origins.get_or_init(|| self.config(Peer::Origin)) {
            Ok((_, source)) => *source,
            Err(error) => return format!("none: {error}"),
        };
        let built_in = match source {
            RootSource::Environment => "those of SSL_CERT_FILE and SSL_CERT_DIR",
            RootSource::Platform => "those of the operating system",
            RootSource::Bundled => "Mozilla's (webpki-roots)",
            RootSource::Program => return "only those that the program added".to_owned(),
            RootSource::Preconfigured => return "those of the rustls configuration".to_owned(),
            RootSource::Unverified => return "none: certificates are not verified".to_owned(),
        };
        match self.added_roots.is_empty() {
            true => built_in.to_owned(),
            false => format!("{built_in}, and those that the program added"),
        }
    }

    /// Returns the TLS layer for a new connection to a proxy.
    pub(crate) fn proxy_stage(&self, host: &str) -> Result<Tls> {
        stage(self.for_proxies.get_or_init(|| self.config(Peer::Proxy)), host)
    }

    /// Reports errors in the settings when the client is built. The defaults have none, and are not
    /// evaluated for a client that may use only plain HTTP.
    pub(crate) fn check(&self) -> Result<()> {
        if !self.is_changed {
            return Ok(());
        }
        let built = self.for_origins.get_or_init(|| self.config(Peer::Origin));
        built.as_ref().map(|_| ()).map_err(|error| mistake(error.clone()))
    }

    #[cfg(test)]
    pub(crate) fn trusting_anyone() -> Self {
        let mut settings = Self::default();
        settings.judgement().accepts_any_certificate = true;
        settings
    }

    /// Returns the settings for a custom verifier, mutably.
    fn judgement(&mut self) -> &mut Judgement {
        self.make_verifier = Some(judged);
        self.judgement.get_or_insert_default()
    }

    /// Returns whether the extensions of a response have their [`TlsInfo`].
    pub(crate) fn adds_info(&self) -> bool {
        self.adds_info
    }

    /// Builds the configuration. It is built once, so that sessions are resumed.
    fn config(&self, peer: Peer) -> Built {
        let (mut config, roots) = match &self.whole {
            Some(whole) => {
                self.check_nothing_beside()?;
                (checked(whole)?, RootSource::Preconfigured)
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
        Ok((Arc::new(config), roots))
    }

    /// Refuses settings that a supplied configuration would override. Ignoring them silently would
    /// be worst for those that restrict trust.
    fn check_nothing_beside(&self) -> Result<(), TlsError> {
        let judgement = self.judgement.as_ref();
        let is_set = [
            (judgement.is_some_and(|judgement| !judgement.pins.is_empty()), "tls_pin_spki_sha256"),
            (judgement.is_some_and(|judgement| !judgement.revoked.is_empty()), "add_crl"),
            (self.roots == Roots::Platform, "tls_platform_verifier"),
            (self.roots != Roots::Auto, "tls_roots"),
            (
                judgement.is_some_and(|judgement| judgement.accepts_any_certificate),
                "danger_accept_invalid_certs",
            ),
            (
                judgement.is_some_and(|judgement| judgement.accepts_any_name),
                "danger_accept_invalid_hostnames",
            ),
            (self.only_added.is_some(), "tls_certs_only"),
            (!self.added_roots.is_empty(), "add_root_certificate"),
            (self.identity.is_some(), "identity"),
            (self.min.is_some(), "tls_version_min"),
            (self.max.is_some(), "tls_version_max"),
            (self.omits_sni, "tls_sni"),
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

    fn build(&self, peer: Peer) -> Result<(ClientConfig, RootSource), TlsError> {
        let provider = provider().ok_or(NO_PROVIDER)?;
        let trusted = self.trusted(&provider)?;
        let versions = tls_version::within(self.min, self.max);
        if versions.is_empty() {
            return Err("there is no TLS version from the minimum to the maximum".into());
        }
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions)?;
        let verifier = match self.make_verifier {
            Some(make) => Some(make(self, &provider, peer, &trusted)?),
            None => trusted.platform.clone(),
        };
        let builder = match verifier {
            Some(verifier) => builder.dangerous().with_custom_certificate_verifier(verifier),
            None => builder.with_root_certificates(self.store(&trusted)?),
        };
        let mut config = match &self.identity {
            Some(identity) => identity.present(builder)?,
            None => builder.with_no_client_auth(),
        };
        // Offers HTTP/1.1 by ALPN (RFC 7301), so that a multi-protocol server does not guess.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.enable_sni = !self.omits_sni;
        if let Some(key_log) = &self.key_log {
            config.key_log = Arc::clone(key_log);
        }
        Ok((config, trusted.source))
    }
}

/// The settings that rustls' default verifier does not support.
#[derive(Debug, Default)]
struct Judgement {
    revoked: Vec<CertificateRevocationList>,
    pins: Vec<SpkiSha256>,
    accepts_any_certificate: bool,
    accepts_any_name: bool,
}

type Verifier = Result<Arc<dyn ServerCertVerifier>, TlsError>;

type MakeVerifier = fn(&TlsSettings, &Arc<CryptoProvider>, Peer, &Trusted) -> Verifier;

/// Makes the verifier for added roots alone.
fn rooted(
    settings: &TlsSettings,
    provider: &Arc<CryptoProvider>,
    _: Peer,
    trusted: &Trusted,
) -> Verifier {
    let itself = settings.added_certificates();
    let Some(platform) = &trusted.platform else {
        let roots = settings.store(trusted)?;
        return Ok(Arc::new(Rooted { roots, trusted: itself, provider: Arc::clone(provider) }));
    };
    Ok(Arc::new(Adjusted {
        inner: Arc::clone(platform),
        trusted: itself,
        accepts_any_name: false,
        pins: None,
    }))
}

/// Makes the verifier for a judgement, and for added roots beside it.
fn judged(
    settings: &TlsSettings,
    provider: &Arc<CryptoProvider>,
    peer: Peer,
    trusted: &Trusted,
) -> Verifier {
    match &settings.judgement {
        Some(judgement) => judgement.verifier(settings, provider, peer, trusted),
        None => rooted(settings, provider, peer, trusted),
    }
}

impl Judgement {
    fn verifier(
        &self,
        settings: &TlsSettings,
        provider: &Arc<CryptoProvider>,
        peer: Peer,
        roots: &Trusted,
    ) -> Verifier {
        let pins = match (peer, self.pins.as_slice()) {
            // Pins are for origins: they add nothing for a proxy, which sees no more than any host
            // on the path.
            (Peer::Proxy, _) | (_, []) => None,
            (Peer::Origin | Peer::ForeignOrigin, pins) => {
                Some(Pins::new(pins, provider).ok_or(NO_SHA256)?)
            }
        };
        let inner = self.plain(settings, provider, pins.is_some(), roots)?;
        let trusted = settings.added_certificates();
        if pins.is_none() && !self.accepts_any_name && trusted.is_empty() {
            return Ok(inner);
        }
        Ok(Arc::new(Adjusted { inner, trusted, accepts_any_name: self.accepts_any_name, pins }))
    }

    /// Returns the verifier without changes to names and pins.
    fn plain(
        &self,
        settings: &TlsSettings,
        provider: &Arc<CryptoProvider>,
        has_pins: bool,
        trusted: &Trusted,
    ) -> Verifier {
        let provider = Arc::clone(provider);
        if self.accepts_any_certificate {
            return Ok(Arc::new(TrustAnyone { provider, has_pins }));
        }
        if let Some(platform) = &trusted.platform {
            return Ok(Arc::clone(platform));
        }
        let lists = self.revoked.iter().flat_map(|lists| lists.ders.clone());
        let roots = Arc::new(settings.store(trusted)?);
        WebPkiServerVerifier::builder_with_provider(roots, provider)
            .with_crls(lists)
            .build()
            .map(|verifier| verifier as Arc<dyn ServerCertVerifier>)
            .map_err(|error| error.to_string().into())
    }
}

const NO_SHA256: &str = "the cryptography provider has no SHA-256 for pinned keys";
/// Returns the provider of cryptography that is installed for the whole process, or else the
/// built-in one. AWS-LC is preferred to ring if both are enabled: ring is a default feature, AWS-LC
/// an explicit choice.
fn provider() -> Option<Arc<CryptoProvider>> {
    if let Some(installed) = CryptoProvider::get_default() {
        return Some(Arc::clone(installed));
    }
    #[cfg(feature = "aws-lc-rs")]
    return Some(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    #[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
    return Some(Arc::new(rustls::crypto::ring::default_provider()));
    #[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
    None
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
    let (config, roots) = built.as_ref().map_err(|error| mistake(error.clone()))?;
    Tls::new(Arc::clone(config), host, *roots)
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
