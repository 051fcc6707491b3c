//! TLS: whom a client trusts, who it is, and what a response tells of its connection.
//!
//! The default trusts the Mozilla root certificates that the crate `webpki-roots` carries, speaks
//! TLS 1.3 and 1.2, and verifies names and dates. [`ClientBuilder`] changes all of that:
//!
//! | setting | |
//! | --- | --- |
//! | `add_root_certificate`, `tls_certs_merge` | more root certificates |
//! | `tls_certs_only` | other root certificates |
//! | `tls_certs_from_env` | those of `SSL_CERT_FILE` and `SSL_CERT_DIR` |
//! | `tls_platform_verifier` | the operating system's judgement (feature `platform-verifier`) |
//! | `add_crl`, `tls_crls_only` | certificates that are revoked |
//! | `tls_pin_spki_sha256` | public keys, one of which the server must have |
//! | `identity` | the certificate of the client |
//! | `tls_version_min`, `tls_version_max`, `tls_sni` | how it is spoken |
//! | `tls_sslkeylogfile`, `tls_info` | to look into it |
//! | `danger_accept_invalid_certs`, `danger_accept_invalid_hostnames` | no verification |
//! | `use_preconfigured_tls` | a whole `rustls::ClientConfig` |
//!
//! ```
//! use leanhttp::{Client, tls::Version};
//!
//! let client = Client::builder().https_only(true).tls_version_min(Version::TLS_1_3).build()?;
//! # Ok::<(), leanhttp::Error>(())
//! ```
//!
//! Sessions are resumed within one client: it keeps the tickets of 32 hosts, and when there is
//! another, those of the first go. A resumed session is not verified again, which is why clients,
//! whose settings may differ, share none, and why a client's settings cannot change.
//!
//! The cryptography is that of ring (feature `ring`, a default), of AWS-LC (feature `aws-lc-rs`,
//! which is preferred where both are there), or of the provider that the program has installed for
//! the whole process, which comes first.

mod certificate;
mod der;
mod environment;
mod identity;
mod pem;
mod pin;
#[cfg(feature = "platform-verifier")]
mod platform;
mod provider;
mod settings;
mod verification;
mod verifier;

use std::sync::Arc;

use rustls::{ClientConfig, KeyLog, KeyLogFile};

pub use self::certificate::{Certificate, CertificateRevocationList};
pub use self::identity::Identity;
pub use self::pin::SpkiSha256;
pub(crate) use self::settings::{Extension, Settings};
use self::settings::{Origin, Sni, Trust, Whole};
use crate::client::response::Response;
use crate::config::ClientBuilder;
use crate::config::tls::verification::{Judgement, Verification};
use crate::driver::runtime::Front;
pub use crate::transport::tls_info::TlsInfo;
pub use crate::transport::tls_version::Version;

/// Whom the client trusts.
impl<F: Front> ClientBuilder<F> {
    /// Trusts this root certificate too, or all of them if the value holds several.
    ///
    /// A server that shows this very certificate as its own is trusted as well, if name and time are
    /// right: the self-signed one of `openssl req -x509` is that of an authority and of a server at
    /// once.
    pub fn add_root_certificate(self, certificate: Certificate) -> Self {
        self.tls_certs_merge([certificate])
    }

    /// Trusts these root certificates too.
    pub fn tls_certs_merge(self, certs: impl IntoIterator<Item = Certificate>) -> Self {
        self.set_tls(|tls| tls.add_roots(certs))
    }

    /// Trusts these root certificates and no others.
    pub fn tls_certs_only(self, certs: impl IntoIterator<Item = Certificate>) -> Self {
        self.set_tls(|tls| {
            tls.trust = Trust::Nobody;
            tls.extra_roots.clear();
            tls.add_roots(certs);
            if let Some(judgement) = &mut tls.judgement {
                judgement.judge = None;
            }
        })
    }

    /// Trusts the root certificates of the file that `SSL_CERT_FILE` names and of the folders that
    /// `SSL_CERT_DIR` names, and no others; they are read here and now. Without these variables
    /// nothing changes. By default they are not looked at: whoever can set them could add a root.
    ///
    /// A file or folder that cannot be read or has no certificate is an error of
    /// [`build`](Self::build); damaged certificates beside good ones are passed over.
    ///
    /// ```
    /// let client = leanhttp::Client::builder().tls_certs_from_env();
    /// # let _ = client;
    /// ```
    pub fn tls_certs_from_env(self) -> Self {
        let found = environment::certificates(|name| std::env::var_os(name));
        match found.transpose() {
            None => self,
            Some(Ok(certificates)) => self.tls_certs_only(certificates),
            Some(error) => self.checked(error, |_, _| {}),
        }
    }

    /// Refuses the certificates of this list; see [`add_crls`](Self::add_crls).
    pub fn add_crl(self, crl: CertificateRevocationList) -> Self {
        self.add_crls([crl])
    }

    /// Refuses the certificates of these lists.
    ///
    /// Once there is a list, every certificate of a chain but the root needs the list of its
    /// issuer, or is refused: give those of every authority that the client is to trust. A list
    /// counts even when its time is over. Lists are never downloaded.
    pub fn add_crls(self, crls: impl IntoIterator<Item = CertificateRevocationList>) -> Self {
        self.judge(|judgement| judgement.revoked.extend(crls))
    }

    /// Refuses the certificates of these lists, which replace those that were added before.
    pub fn tls_crls_only(self, crls: impl IntoIterator<Item = CertificateRevocationList>) -> Self {
        self.judge(|judgement| judgement.revoked = crls.into_iter().collect())
    }

    /// Wants the server's own certificate to have one of these public keys, in addition to all that
    /// is verified otherwise. They count for origins, not for proxies. Pins add up: any one of all
    /// that are given is enough.
    ///
    /// Pin a second key that is kept elsewhere: when the only one is lost, so are the clients.
    ///
    /// ```
    /// use leanhttp::tls::SpkiSha256;
    ///
    /// let in_use: SpkiSha256 = "sha256//r8udi/Mxd6pLO7y7hZyUMWq8YnFnIWXCqeHsTDRqy8Q=".parse()?;
    /// let spare = SpkiSha256::from([0x5a; 32]);
    /// let client = leanhttp::Client::builder().tls_pin_spki_sha256([in_use, spare]).build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn tls_pin_spki_sha256(self, pins: impl IntoIterator<Item = SpkiSha256>) -> Self {
        self.judge(|judgement| judgement.pins.extend(pins))
    }

    /// Accepts any certificate of anyone, proxies included, so that anyone on the way can read and
    /// change everything. For tests only. A pinned key is still asked for.
    ///
    /// That includes what is no longer a certificate in the sense of RFC 5280: those of X.509 version 1,
    /// with unknown critical extensions, with small keys. The server still has to prove that it has the
    /// certificate's key, unless the cryptography provider cannot verify signatures of its kind (ring:
    /// RSA of fewer than 2048 bits, P-521, Ed448), which is refused only if there are pins.
    pub fn danger_accept_invalid_certs(self, accept_invalid_certs: bool) -> Self {
        self.judge(|judgement| judgement.certificates = unless(accept_invalid_certs))
    }

    /// The same as [`danger_accept_invalid_certs`](Self::danger_accept_invalid_certs).
    pub fn tls_danger_accept_invalid_certs(self, accept_invalid_certs: bool) -> Self {
        self.danger_accept_invalid_certs(accept_invalid_certs)
    }

    /// Accepts a valid certificate for any name, proxies included, so that whoever has one for a
    /// name of their own can read and change everything. Of use with
    /// [`tls_certs_only`](Self::tls_certs_only) or a pinned key, if at all.
    pub fn danger_accept_invalid_hostnames(self, accept_invalid_hostname: bool) -> Self {
        self.judge(|judgement| judgement.names = unless(accept_invalid_hostname))
    }

    /// The same as [`danger_accept_invalid_hostnames`](Self::danger_accept_invalid_hostnames).
    pub fn tls_danger_accept_invalid_hostnames(self, accept_invalid_hostname: bool) -> Self {
        self.danger_accept_invalid_hostnames(accept_invalid_hostname)
    }
}

/// How TLS is spoken.
impl<F: Front> ClientBuilder<F> {
    /// Shows this certificate to servers that ask for one.
    ///
    /// It stays with the origin that a request names, as other credentials do: where a redirect leads
    /// to another origin, it is not shown there, nor on any later hop. Proxies are not shown it either.
    pub fn identity(self, identity: Identity) -> Self {
        self.set_tls(|tls| tls.identity = Some(identity))
    }

    /// The lowest version of TLS to speak; 1.2 by default.
    pub fn tls_version_min(self, version: Version) -> Self {
        self.set_tls(|tls| tls.min = Some(version))
    }

    /// The same as [`tls_version_min`](Self::tls_version_min).
    pub fn min_tls_version(self, version: Version) -> Self {
        self.tls_version_min(version)
    }

    /// The highest version of TLS to speak; 1.3 by default.
    pub fn tls_version_max(self, version: Version) -> Self {
        self.set_tls(|tls| tls.max = Some(version))
    }

    /// The same as [`tls_version_max`](Self::tls_version_max).
    pub fn max_tls_version(self, version: Version) -> Self {
        self.tls_version_max(version)
    }

    /// Whether the server is told in the clear which host is meant (RFC 6066 §3); on by default. A
    /// server of many hosts shows the wrong certificate without.
    pub fn tls_sni(self, tls_sni: bool) -> Self {
        self.set_tls(|tls| tls.sni = if tls_sni { Sni::Sent } else { Sni::Omitted })
    }

    /// Whether secrets are written to the file that the environment variable `SSLKEYLOGFILE` names,
    /// if it is set, with which Wireshark and others decrypt what was captured; off by default.
    pub fn tls_sslkeylogfile(self, on: bool) -> Self {
        let file = on.then(|| Arc::new(KeyLogFile::new()) as Arc<dyn KeyLog>);
        self.set_tls(|tls| tls.key_log = file)
    }

    /// Whether responses have their [`TlsInfo`] among their
    /// [`extensions`](Response::extensions) too; off by default. [`Response::tls`] always has it.
    pub fn tls_info(self, tls_info: bool) -> Self {
        let extension = if tls_info { Extension::Present } else { Extension::Absent };
        self.set_tls(|tls| tls.extension = extension)
    }

    /// Uses this configuration of rustls as it is: roots, client certificates, versions, all of it.
    /// Nothing else about TLS can be set then, but for [`tls_info`](Self::tls_info).
    ///
    /// Client certificates stay with the origin that a request names, as with
    /// [`identity`](Self::identity). Clients that are given the same configuration use the session
    /// store in it together, but none resumes a session of another.
    ///
    /// [`build`](Self::build) fails if another TLS setting was made, which would have no effect, or if
    /// the configuration's `alpn_protocols` name another protocol than HTTP/1.1.
    pub fn use_preconfigured_tls(self, tls: impl Into<Arc<ClientConfig>>) -> Self {
        self.set_tls(|settings| settings.whole = Some(Whole::new(tls.into())))
    }

    /// The same as [`use_preconfigured_tls`](Self::use_preconfigured_tls).
    pub fn tls_backend_preconfigured(self, tls: impl Into<Arc<ClientConfig>>) -> Self {
        self.use_preconfigured_tls(tls)
    }

    /// Uses rustls, which is the only one there is.
    pub fn use_rustls_tls(self) -> Self {
        self
    }

    /// Uses rustls, which is the only one there is.
    pub fn tls_backend_rustls(self) -> Self {
        self
    }

    fn set_tls(mut self, set: impl FnOnce(&mut Settings)) -> Self {
        self.config.tls.origin = Origin::Program;
        set(&mut self.config.tls);
        self
    }

    fn judge(self, set: impl FnOnce(&mut Judgement)) -> Self {
        self.set_tls(|tls| set(tls.judgement()))
    }
}

fn unless(accepted: bool) -> Verification {
    if accepted { Verification::None } else { Verification::Full }
}

impl<B> Response<B> {
    /// What is known of the TLS connection to the server; none for `http`.
    ///
    /// ```no_run
    /// let response = leanhttp::get("https://example.org/")?;
    /// if let Some(tls) = response.tls() {
    ///     println!("{:?} {:?}", tls.version(), tls.cipher_suite());
    /// }
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn tls(&self) -> Option<&TlsInfo> {
        self.head.tls.as_ref()
    }
}
