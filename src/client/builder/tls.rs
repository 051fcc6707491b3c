//! TLS: trust, identity, protocol.

use super::ClientBuilder;
use crate::config::tls::{
    Certificate, CertificateRevocationList, Identity, Preconfigured, Roots, SpkiSha256,
    TlsSettings, Version,
};
use crate::driver::runtime::Runtime;

/// Trust: which server certificates are accepted.
impl<F: Runtime, D> ClientBuilder<F, D> {
    /// Sets which root certificates are trusted, beside those that are added: by default those that
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR` name, or else those of the operating system (with the feature
    /// `platform-verifier`), or else the Mozilla ones that this crate brings; see [`Roots`](crate::tls::Roots).
    ///
    /// The variables are read at the first request over TLS, or by [`build`](Self::build) if another TLS setting is
    /// made. What they name and cannot be used is an error, and no other roots take its place.
    /// [`TlsInfo::roots`](crate::tls::TlsInfo::roots) returns which were used, and the error of a certificate with an
    /// unknown issuer names them.
    ///
    /// Anyone who can set the variables of your program can add a root. Use
    /// [`Roots::Bundled`](crate::tls::Roots::Bundled) if that must not be. Of this method,
    /// [`tls_certs_only`](Self::tls_certs_only), [`tls_certs_from_env`](Self::tls_certs_from_env) and
    /// `tls_platform_verifier`, the last call counts.
    ///
    /// ```
    /// use leanhttp::tls::Roots;
    ///
    /// let client = leanhttp::Client::builder().tls_roots(Roots::Bundled).build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn tls_roots(self, roots: Roots) -> Self {
        self.set_tls(|tls| tls.set_roots(roots))
    }

    /// Trusts this root certificate too, or all of them if the value holds several.
    ///
    /// A server that presents this very certificate as its own is trusted as well, if name and dates are
    /// valid: the self-signed one of `openssl req -x509` is the certificate of an authority and of a
    /// server at the same time.
    pub fn add_root_certificate(self, certificate: Certificate) -> Self {
        self.tls_certs_merge([certificate])
    }

    /// Trusts these root certificates too.
    pub fn tls_certs_merge(self, certs: impl IntoIterator<Item = Certificate>) -> Self {
        self.set_tls(|tls| tls.add_root_certificates(certs))
    }

    /// Trusts these root certificates and no others.
    pub fn tls_certs_only(self, certs: impl IntoIterator<Item = Certificate>) -> Self {
        self.set_tls(|tls| tls.trust_only(certs))
    }

    /// Trusts the root certificates of the file that `SSL_CERT_FILE` names and of the folders that
    /// `SSL_CERT_DIR` names, and no others; they are read immediately. Without these variables
    /// nothing changes. By default they are read at the first request over TLS, see [`tls_roots`](Self::tls_roots).
    ///
    /// A file or folder that cannot be read or has no certificate is an error of
    /// [`build`](Self::build); damaged certificates beside good ones are skipped.
    ///
    /// ```
    /// let client = leanhttp::Client::builder().tls_certs_from_env();
    /// # let _ = client;
    /// ```
    pub fn tls_certs_from_env(mut self) -> Self {
        let trusted = self.config.tls.trust_environment();
        self.checked(trusted, |_, ()| {})
    }

    /// Lets the operating system verify certificates, as its administrator has configured it:
    /// Windows and macOS with their own verifiers, other systems with the root certificates they are
    /// installed with. The Mozilla roots are not used then; certificates that are added are. It is
    /// [`tls_roots`](Self::tls_roots) with [`Roots::Platform`](crate::tls::Roots::Platform), for which a system
    /// without roots is an error.
    ///
    /// With the feature `platform-verifier`. It cannot be combined with revocation lists. On Android it
    /// cannot be combined with added certificates either, and the program has to initialize the crate
    /// `rustls-platform-verifier` first.
    ///
    /// ```
    /// let client = leanhttp::Client::builder().tls_platform_verifier();
    /// # let _ = client;
    /// ```
    #[cfg(feature = "platform-verifier")]
    pub fn tls_platform_verifier(self) -> Self {
        self.tls_roots(Roots::Platform)
    }

    /// Refuses the certificates of this list; see [`add_crls`](Self::add_crls).
    pub fn add_crl(self, crl: CertificateRevocationList) -> Self {
        self.add_crls([crl])
    }

    /// Refuses the certificates of these lists.
    ///
    /// Once there is a list, every certificate of a chain but the root needs the list of its
    /// issuer, or is refused: add the lists of every authority that the client is to trust. A list
    /// counts even after its `nextUpdate`. Lists are never downloaded.
    pub fn add_crls(self, crls: impl IntoIterator<Item = CertificateRevocationList>) -> Self {
        self.set_tls(|tls| tls.add_revocation_lists(crls))
    }

    /// Refuses the certificates of these lists, which replace those that were added before.
    pub fn tls_crls_only(self, crls: impl IntoIterator<Item = CertificateRevocationList>) -> Self {
        self.set_tls(|tls| tls.set_revocation_lists(crls))
    }

    /// Requires the server's own certificate to have one of these public keys, in addition to all
    /// other verification. Pins apply to origins, not to proxies. They add up: a match with any one of
    /// them is enough.
    ///
    /// Pin a second key that is kept elsewhere: if the only one is lost, so are the clients.
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
        self.set_tls(|tls| tls.add_pins(pins))
    }

    /// Accepts any certificate of any server, proxies included, so that anyone on the path can read and
    /// change everything. For tests only. A pinned key is still required.
    ///
    /// This includes certificates that RFC 5280 does not allow: those of X.509 version 1, with unknown
    /// critical extensions, with small keys. The server still has to prove that it has the
    /// certificate's key, unless the cryptography provider cannot verify signatures of its kind (ring:
    /// RSA of fewer than 2048 bits, P-521, Ed448), which is refused only if there are pins.
    pub fn danger_accept_invalid_certs(self, accept_invalid_certs: bool) -> Self {
        self.set_tls(|tls| tls.accept_invalid_certs(accept_invalid_certs))
    }

    /// Accepts a valid certificate for any name, proxies included, so that anyone who has one for
    /// their own name can read and change everything. Use it only with
    /// [`tls_certs_only`](Self::tls_certs_only) or a pinned key.
    pub fn danger_accept_invalid_hostnames(self, accept_invalid_hostname: bool) -> Self {
        self.set_tls(|tls| tls.accept_invalid_hostnames(accept_invalid_hostname))
    }
}

/// Identity and protocol.
impl<F: Runtime, D> ClientBuilder<F, D> {
    /// Presents this certificate to servers that ask for one.
    ///
    /// It stays with the origin that a request names, as other credentials do: after a redirect to
    /// another origin it is not presented there, nor on any later hop. It is not presented to
    /// proxies either.
    pub fn identity(self, identity: Identity) -> Self {
        self.set_tls(|tls| tls.set_identity(identity))
    }

    /// Sets the lowest TLS version; 1.2 by default.
    pub fn tls_version_min(self, version: Version) -> Self {
        self.set_tls(|tls| tls.set_min_version(version))
    }

    /// Sets the highest TLS version; 1.3 by default.
    pub fn tls_version_max(self, version: Version) -> Self {
        self.set_tls(|tls| tls.set_max_version(version))
    }

    /// Sends the host's name in the clear in the handshake (SNI, RFC 6066 §3); on by default. Without
    /// it a server of several hosts presents the wrong certificate.
    pub fn tls_sni(self, tls_sni: bool) -> Self {
        self.set_tls(|tls| tls.set_sni(tls_sni))
    }

    /// Writes the session secrets to the file that the environment variable `SSLKEYLOGFILE` names, if
    /// it is set, with which Wireshark and other tools decrypt a capture; off by default.
    pub fn tls_sslkeylogfile(self, on: bool) -> Self {
        self.set_tls(|tls| tls.set_key_log(on))
    }

    /// Adds the [`TlsInfo`](crate::tls::TlsInfo) of a response to its
    /// [`extensions`](crate::client::response::Response::extensions) too; off by default.
    /// [`Response::tls`](crate::client::response::Response::tls) always has it.
    pub fn tls_info(self, tls_info: bool) -> Self {
        self.set_tls(|tls| tls.set_extension(tls_info))
    }

    /// Uses this configuration of rustls ([`rustls_0_23`](crate::tls::rustls_0_23)) as it is: roots, client certificates, versions, all of it.
    /// No other TLS setting can be made then, except [`tls_info`](Self::tls_info).
    ///
    /// Client certificates stay with the origin that a request names, as with
    /// [`identity`](Self::identity). Clients with the same configuration share the session store in
    /// it, but none resumes a session of another.
    ///
    /// [`build`](Self::build) fails if another TLS setting was made, which would have no effect, or if
    /// the configuration's `alpn_protocols` name another protocol than HTTP/1.1.
    pub fn use_preconfigured_tls(self, tls: impl Into<Preconfigured>) -> Self {
        self.set_tls(|settings| settings.set_preconfigured(tls.into().0))
    }

    pub(super) fn set_tls(mut self, set: impl FnOnce(&mut TlsSettings)) -> Self {
        set(&mut self.config.tls);
        self
    }
}
