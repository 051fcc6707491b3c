//! Credentials that are not set on the request itself: from a netrc file, or as answers to Digest
//! challenges (RFC 7616).

use http::Method;
use http::header;

use super::{Call, Resends};
use crate::body::Body;
use crate::body::Source;
use crate::error::Result;
use crate::http1::header_section::HeaderSection;
use crate::policy::auth::credentials::Asked;
use crate::policy::retry::Replay;

impl<S: Source> Call<'_, S> {
    /// Takes the login from the netrc file unless the program set credentials.
    pub(super) fn look_up_login(&mut self) -> Result<()> {
        if self.digest.is_some() || self.config.credentials.is_some() {
            return Ok(());
        }
        let Some(netrc) = &self.config.netrc else { return Ok(()) };
        let login = netrc.authorization(&self.request.url);
        let added = login.and_then(|basic| match basic {
            Some(basic) => self.request.set_header(header::AUTHORIZATION, basic),
            None => Ok(()),
        });
        added.map_err(|error| error.for_url(&self.request.url))
    }

    /// Prepares the Digest credentials of the next attempt; they are valid for one attempt only.
    pub(super) fn authenticate(&mut self) {
        if let Some(digest) = &mut self.digest {
            let target =
                self.request.target.as_deref().unwrap_or(self.request.url.request_target());
            let asked = asked(&self.request.method, target, self.request.body.as_ref());
            digest.prepare(&self.request.url, asked);
        }
    }

    /// Returns whether a 401 is answered with the credentials that it asks for (RFC 7616 §3.3).
    pub(super) fn answers_challenge(&mut self, headers: &HeaderSection) -> bool {
        if self.digest.is_none() || self.replays() == Replay::Impossible {
            return false;
        }
        self.restore_body();
        let target = self.request.target.as_deref().unwrap_or(self.request.url.request_target());
        let asked = asked(&self.request.method, target, self.request.body.as_ref());
        let again = match &mut self.digest {
            Some(digest) => digest.challenged(&self.request.url, headers.map(), asked),
            None => false,
        };
        if again {
            self.resends = Resends::OneLeft;
            self.authenticate();
        }
        again
    }
}

fn asked<'a, S: Source>(
    method: &'a Method,
    target: &'a str,
    body: Option<&'a Body<S>>,
) -> Asked<'a> {
    let body = body.map_or(Some(&[][..]), Body::as_bytes);
    Asked { method, target, body }
}
