//! Digest authentication in a build without the feature `digest`: an uninhabited stand-in.

use http::{HeaderMap, HeaderValue};

use crate::policy::auth::credentials::Asked;
use crate::url::Url;

/// Cannot be constructed.
#[derive(Debug, Clone)]
pub(crate) enum DigestLogin {}

/// No settings.
#[derive(Debug, Default)]
pub(crate) struct DigestSettings {}

impl DigestSettings {
    pub(crate) fn begin(&self, _login: Option<DigestLogin>) -> Option<Authentication> {
        None
    }
}

/// Cannot be constructed.
#[derive(Debug)]
pub(crate) enum Authentication {}

impl Authentication {
    pub(crate) fn prepare(&mut self, _url: &Url, _asked: Asked<'_>) {
        match *self {}
    }

    pub(crate) fn answer(&self) -> Option<&HeaderValue> {
        match *self {}
    }

    pub(crate) fn move_on(&mut self) {
        match *self {}
    }

    pub(crate) fn challenged(
        &mut self,
        _url: &Url,
        _headers: &HeaderMap,
        _asked: Asked<'_>,
    ) -> bool {
        match *self {}
    }
}
