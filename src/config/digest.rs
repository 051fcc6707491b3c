//! The Digest authentication of a client's calls: nonces shared between threads, and the source of
//! randomness. The protocol is in [`crate::policy::auth::digest`].

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, HeaderValue};

use crate::error::{Error, Result};
use crate::policy::auth::credentials::Asked;
use crate::policy::auth::digest::{DigestChallenge, NonceLife, Nonces};
use crate::url::Url;

pub(crate) use crate::policy::auth::digest::DigestLogin;

/// The credentials and the nonces of a client.
#[derive(Debug, Default)]
pub(crate) struct DigestSettings {
    login: Option<DigestLogin>,
    nonces: Arc<Mutex<Nonces>>,
}

/// The Digest authentication of one call, until it leaves its origin.
#[derive(Debug)]
pub(crate) struct Authentication {
    nonces: Arc<Mutex<Nonces>>,
    login: DigestLogin,
    answer: Option<HeaderValue>,
    round: Round,
}

/// The number of 401 responses to this hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    /// None yet. The request may have used a nonce from an earlier call.
    First,
    /// One, and the challenge was answered.
    Answered,
    /// Two, the second because the nonce was stale.
    Renewed,
}

impl DigestSettings {
    /// Sets the client's own credentials.
    pub(crate) fn set_login(&mut self, login: DigestLogin) {
        self.login = Some(login);
    }

    /// Begins authentication with the call's credentials, or else the client's; returns `None` if
    /// there are neither.
    pub(crate) fn begin(&self, login: Option<DigestLogin>) -> Option<Authentication> {
        let login = login.or_else(|| self.login.clone())?;
        let nonces = Arc::clone(&self.nonces);
        Some(Authentication { nonces, login, answer: None, round: Round::First })
    }
}

impl Authentication {
    /// Computes the answer for the next attempt, which counts as one more use of the nonce.
    pub(crate) fn prepare(&mut self, url: &Url, asked: Asked<'_>) {
        let answer = self.nonces().answer(&url.origin(), &self.login, asked);
        self.answer = answer;
    }

    /// Returns the value of `Authorization`; `None` before the first challenge.
    pub(crate) fn answer(&self) -> Option<&HeaderValue> {
        self.answer.as_ref()
    }

    /// Records that the next attempt is for another URL of this origin.
    pub(crate) fn move_on(&mut self) {
        self.round = Round::First;
    }

    /// Handles a 401, and returns whether to send the request again with an answer to the
    /// challenge.
    pub(crate) fn challenged(&mut self, url: &Url, headers: &HeaderMap, asked: Asked<'_>) -> bool {
        let Some((challenge, round)) = self.next_round(headers, asked) else {
            self.nonces().forget(&url.origin());
            return false;
        };
        let mut random = [0; 16];
        if getrandom::getrandom(&mut random).is_err() {
            return false; // an answer needs a client nonce
        }
        self.nonces().keep(url.origin(), challenge, random);
        self.round = round;
        true
    }

    /// A second challenge for an answered nonce that is not stale means that the password is wrong.
    fn next_round(
        &self,
        headers: &HeaderMap,
        asked: Asked<'_>,
    ) -> Option<(DigestChallenge, Round)> {
        let challenge = DigestChallenge::choose(headers, asked)?;
        match (self.round, challenge.nonce_life()) {
            (Round::First, _) => Some((challenge, Round::Answered)),
            (Round::Answered, NonceLife::Stale) => Some((challenge, Round::Renewed)),
            _ => None,
        }
    }

    /// Locks the nonces. A panic elsewhere cannot leave them in an inconsistent state.
    fn nonces(&self) -> MutexGuard<'_, Nonces> {
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks a user name: a colon in it would end the name early (RFC 7616 §3.4.2).
pub(crate) fn login(
    username: impl fmt::Display,
    password: impl fmt::Display,
) -> Result<DigestLogin> {
    let (username, password) = (username.to_string(), password.to_string());
    if username.contains(|c: char| c == ':' || c.is_control()) {
        let detail = "a user name for Digest authentication cannot hold a colon or controls";
        return Err(Error::builder(detail));
    }
    Ok(DigestLogin { username, password })
}
