//! TLS settings of a build without the feature `tls`: there are none.

use crate::error::{Error, Result};
use crate::wire::tls::Tls;

/// Nothing to set.
#[derive(Debug, Default)]
pub(crate) struct Settings {}

impl Settings {
    pub(crate) fn stage(&self, _host: &str) -> Result<Tls> {
        Err(Error::builder("https needs the feature `tls` of leanhttp"))
    }

    pub(crate) fn proxy_stage(&self, host: &str) -> Result<Tls> {
        self.stage(host)
    }
}
