//! Setters for the TLS settings. The public methods of the builder document each of them.

use std::sync::Arc;

use rustls::{ClientConfig, KeyLog, KeyLogFile};

use super::environment;
use super::settings::{RootCertificates, SettingsOrigin, Sni, Whole};
use super::verification::{Judgement, Verification};
use super::verifier::Rooted;
use super::{Certificate, CertificateRevocationList, Extension, Identity, TlsSettings};
use super::{SpkiSha256, Version};
use crate::error::Result;

/// Trust.
impl TlsSettings {
    pub(crate) fn add_root_certificates(&mut self, certs: impl IntoIterator<Item = Certificate>) {
        self.origin = SettingsOrigin::Program;
        self.extra_roots.extend(certs);
        self.rooted =
            Some(|roots, trusted, provider| Arc::new(Rooted { roots, trusted, provider }));
    }

    pub(crate) fn trust_only(&mut self, certs: impl IntoIterator<Item = Certificate>) {
        self.trust = RootCertificates::Nobody;
        self.extra_roots.clear();
        self.add_root_certificates(certs);
        if let Some(judgement) = &mut self.judgement {
            judgement.judge = None;
        }
    }

    /// Trusts only the certificates that the environment names, if it names any.
    pub(crate) fn trust_environment(&mut self) -> Result<()> {
        if let Some(certs) = environment::certificates(|name| std::env::var_os(name))? {
            self.trust_only(certs);
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
        self.changed_judgement().certificates = unless(accept);
    }

    pub(crate) fn accept_invalid_hostnames(&mut self, accept: bool) {
        self.changed_judgement().names = unless(accept);
    }

    pub(super) fn changed_judgement(&mut self) -> &mut Judgement {
        self.origin = SettingsOrigin::Program;
        self.judgement()
    }
}

/// Identity and protocol.
impl TlsSettings {
    pub(crate) fn set_identity(&mut self, identity: Identity) {
        self.origin = SettingsOrigin::Program;
        self.identity = Some(identity);
    }

    pub(crate) fn set_min_version(&mut self, version: Version) {
        self.origin = SettingsOrigin::Program;
        self.min = Some(version);
    }

    pub(crate) fn set_max_version(&mut self, version: Version) {
        self.origin = SettingsOrigin::Program;
        self.max = Some(version);
    }

    pub(crate) fn set_sni(&mut self, sent: bool) {
        self.origin = SettingsOrigin::Program;
        self.sni = if sent { Sni::Sent } else { Sni::Omitted };
    }

    /// Sets whether secrets are written to the file that `SSLKEYLOGFILE` names.
    pub(crate) fn set_key_log(&mut self, on: bool) {
        self.origin = SettingsOrigin::Program;
        self.key_log = on.then(|| Arc::new(KeyLogFile::new()) as Arc<dyn KeyLog>);
    }

    /// Sets whether responses have their `TlsInfo` among their extensions.
    pub(crate) fn set_extension(&mut self, present: bool) {
        self.origin = SettingsOrigin::Program;
        self.extension = if present { Extension::Present } else { Extension::Absent };
    }

    /// Sets a rustls configuration, which replaces all settings except the extension.
    pub(crate) fn set_preconfigured(&mut self, config: Arc<ClientConfig>) {
        self.origin = SettingsOrigin::Program;
        self.whole = Some(Whole::new(config));
    }
}

fn unless(accepted: bool) -> Verification {
    if accepted { Verification::None } else { Verification::Full }
}
