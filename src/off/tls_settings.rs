//! TLS settings in a build without the feature `tls`: there are none.

use crate::error::{Error, Result};
use crate::policy::route::IdentityUse;
use crate::transport::tls::Tls;

/// No settings.
#[derive(Debug, Default)]
pub(crate) struct TlsSettings {}

/// Stands in for the setting of TLS details among a response's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extension {
    Absent,
    Present,
}

impl TlsSettings {
    pub(crate) fn check(&self) -> Result<()> {
        Ok(())
    }

    pub(crate) fn extension(&self) -> Extension {
        Extension::Absent
    }

    pub(crate) fn has_identity(&self) -> bool {
        false
    }

    pub(crate) fn stage(&self, _host: &str, _identity: IdentityUse) -> Result<Tls> {
        Err(Error::builder("https needs the feature `tls` of leanhttp"))
    }

    pub(crate) fn proxy_stage(&self, host: &str) -> Result<Tls> {
        self.stage(host, IdentityUse::Withheld)
    }
}
