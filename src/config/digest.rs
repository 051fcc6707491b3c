//! Digest authentication of a client's calls: nonces shared between threads, and the source of
//! randomness. The rules are in [`crate::policy::auth::digest`].

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, HeaderValue};

use crate::error::{Error, Result};
use crate::policy::auth::credentials::Asked;
use crate::policy::auth::digest::{Challenge, NonceLife, Nonces};
use crate::url::Url;

pub(crate) use crate::policy::auth::digest::Login;

/// The login and the nonces of a client.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    login: Option<Login>,
    nonces: Arc<Mutex<Nonces>>,
}

/// Digest authentication of one call, until it leaves its origin.
#[derive(Debug)]
pub(crate) struct Authentication {
    nonces: Arc<Mutex<Nonces>>,
    login: Login,
    answer: Option<HeaderValue>,
    round: Round,
}

/// How often this hop was answered with a 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    /// Not yet. It may have used a nonce from an earlier call.
    First,
    /// Once; the challenge was answered.
    Answered,
    /// Twice, the second time because the nonce was stale.
    Renewed,
}

impl Settings {
    /// Sets the client's own login.
    pub(crate) fn set_login(&mut self, login: Login) {
        self.login = Some(login);
    }

    /// For a call that names this login, or else the client's; none, if there is no login at all.
    pub(crate) fn begin(&self, login: Option<Login>) -> Option<Authentication> {
        let login = login.or_else(|| self.login.clone())?;
        let nonces = Arc::clone(&self.nonces);
        Some(Authentication { nonces, login, answer: None, round: Round::First })
    }
}

impl Authentication {
    /// Makes the answer for the next attempt, which counts as one more use of the nonce.
    pub(crate) fn prepare(&mut self, url: &Url, asked: Asked<'_>) {
        let answer = self.nonces().answer(&url.origin(), &self.login, asked);
        self.answer = answer;
    }

    /// The value of `Authorization`; none before the first challenge.
    pub(crate) fn answer(&self) -> Option<&HeaderValue> {
        self.answer.as_ref()
    }

    /// The next attempt is for another URL of this origin.
    pub(crate) fn move_on(&mut self) {
        self.round = Round::First;
    }

    /// After a 401: whether to try again with what the server asks for.
    pub(crate) fn challenged(&mut self, url: &Url, headers: &HeaderMap, asked: Asked<'_>) -> bool {
        let Some((challenge, round)) = self.next_round(headers, asked) else {
            self.nonces().forget(&url.origin());
            return false;
        };
        let mut random = [0; 16];
        if getrandom::getrandom(&mut random).is_err() {
            return false; // without a nonce of our own there is no answer
        }
        self.nonces().keep(url.origin(), challenge, random);
        self.round = round;
        true
    }

    /// A challenge that we answered already, and whose nonce is not stale, says that the password is
    /// wrong.
    fn next_round(&self, headers: &HeaderMap, asked: Asked<'_>) -> Option<(Challenge, Round)> {
        let challenge = Challenge::choose(headers, asked)?;
        match (self.round, challenge.nonce_life()) {
            (Round::First, _) => Some((challenge, Round::Answered)),
            (Round::Answered, NonceLife::Stale) => Some((challenge, Round::Renewed)),
            _ => None,
        }
    }

    /// The nonces, for as long as an answer takes. A panic elsewhere cannot have left them half done.
    fn nonces(&self) -> MutexGuard<'_, Nonces> {
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks a user name: one with a colon would be read as another one (RFC 7616 §3.4.2).
pub(crate) fn login(username: impl fmt::Display, password: impl fmt::Display) -> Result<Login> {
    let (username, password) = (username.to_string(), password.to_string());
    if username.contains(|c: char| c == ':' || c.is_control()) {
        let detail = "a user name for Digest authentication cannot hold a colon or controls";
        return Err(Error::builder(detail));
    }
    Ok(Login { username, password })
}
