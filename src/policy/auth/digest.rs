//! Digest access authentication (RFC 7616): selects a challenge and computes the answer.
//!
//! ```text
//! 401 ─▶ challenged: DigestChallenge::choose ─▶ Nonces::keep ─▶ the request is sent again
//! next attempt ─▶ prepare: Nonces::answer, counts a use of the nonce ─▶ Authorization
//! ```
//!
//! [`Authentication`] belongs to a call and ends when the call leaves its origin. [`Nonces`] belongs to
//! the client: the next call to the same origin is answered without a challenge (RFC 7616 §3.6). At
//! most two challenges of a hop are answered, the second only if it says that the nonce was stale:
//! anything else means that the password is wrong.
//!
//! The strongest hash wins, `auth` is preferred to `auth-int`. Values of the server are hashed and sent
//! back byte for byte. The test vectors are those of RFC 7616 §3.9.
//!
//! # A challenge and its answer
//!
//! ```text
//! server ─▶ 401  WWW-Authenticate: Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256
//! client ─▶ GET  Authorization: Digest username="u", realm="r", nonce="n", uri="/x", algorithm=SHA-256,
//!                               response="H(A1:n:nc:cnonce:qop:A2)", qop=auth, nc=00000001, cnonce="c"
//!
//! A1   user:realm:password                    -sess: H(user:realm:password):nonce:cnonce
//! A2   method:target                          auth-int: method:target:H(body)
//! ```
//!
//! The target is the one that is sent, so an answer is valid for one request target; it is computed
//! anew for each attempt, and `nc` counts the uses of a nonce. The client nonce is kept with the
//! challenge, because `-sess` hashes it into the secret.
//!
//! # What a hostile server gets
//!
//! - Of several challenges the strongest is answered, so a server in between can add a weak one but
//!   not remove the strong one without being the server
//!   (`the_strongest_supported_challenge_is_answered`).
//! - A nonce is kept for the origin that gave it (`tests/hostile_redirects.rs`,
//!   `r10_a_nonce_is_used_for_its_origin_only`), and the number of origins is bounded
//!   (`the_number_of_stored_origins_is_limited`).
//! - Two challenges per hop are answered at most, so a server cannot make the client loop.
//! - The password is never sent, and `Debug` shows no login (`debug_shows_no_login`). MD5, which
//!   most servers still use, protects it badly if the connection is not encrypted.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use http::{HeaderMap, HeaderValue, header};
use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};

use super::{Asked, sensitive};
use crate::error::{Error, Result};
use crate::fields::challenge;
use crate::url::{Origin, Url};

/// A user name and password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct DigestLogin {
    pub(crate) username: String,
    pub(crate) password: String,
}

/// The Digest authentication of one call, until it leaves its origin.
#[derive(Debug)]
pub(crate) struct Authentication {
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

impl Authentication {
    pub(crate) fn new(login: DigestLogin) -> Self {
        Self { login, answer: None, round: Round::First }
    }

    /// Computes the answer for the next attempt, which counts as one more use of the nonce.
    pub(crate) fn prepare(&mut self, nonces: &mut Nonces, url: &Url, asked: Asked<'_>) {
        self.answer = nonces.answer(&url.origin(), &self.login, asked);
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
    /// challenge. A second challenge for an answered nonce that is not stale means that the
    /// password is wrong.
    pub(crate) fn challenged(
        &mut self,
        nonces: &mut Nonces,
        url: &Url,
        headers: &HeaderMap,
        asked: Asked<'_>,
    ) -> bool {
        let next = DigestChallenge::choose(headers, asked).and_then(|challenge| {
            match (self.round, challenge.is_stale) {
                (Round::First, _) => Some((challenge, Round::Answered)),
                (Round::Answered, true) => Some((challenge, Round::Renewed)),
                _ => None,
            }
        });
        let Some((challenge, round)) = next else {
            nonces.forget(&url.origin());
            return false;
        };
        let mut random = [0; 16];
        if getrandom::getrandom(&mut random).is_err() {
            return false; // an answer needs a client nonce
        }
        nonces.keep(url.origin(), challenge, random);
        self.round = round;
        true
    }
}

/// A supported challenge. Its values are sent back to the server and hashed byte for byte, in any
/// encoding (RFC 7616 §3.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DigestChallenge {
    realm: Vec<u8>,
    nonce: Vec<u8>,
    opaque: Option<Vec<u8>>,
    algorithm: Algorithm,
    protection: Protection,
    /// The user name is sent as a hash (`userhash`).
    hashes_username: bool,
    /// The refused request used a nonce that has expired: its password may be correct.
    is_stale: bool,
}

/// In ascending order of strength.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hash {
    Md5,
    Sha256,
    Sha512_256,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Algorithm {
    hash: Hash,
    /// The session variant (`-sess`), which hashes the secret with the nonces once.
    is_session: bool,
    /// The algorithm name as the server wrote it, if present.
    name: Option<String>,
}

/// The quality of protection (`qop`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protection {
    /// No `qop`, as in RFC 2069: no nonce count and no client nonce.
    Legacy,
    Auth,
    /// Includes the body.
    AuthInt,
}

impl DigestLogin {
    /// Checks a user name: a colon in it would end the name early (RFC 7616 §3.4.2).
    pub(crate) fn new(username: impl fmt::Display, password: impl fmt::Display) -> Result<Self> {
        let (username, password) = (username.to_string(), password.to_string());
        if username.contains(|c: char| c == ':' || c.is_control()) {
            let detail = "a user name for Digest authentication cannot hold a colon or controls";
            return Err(Error::builder(detail));
        }
        Ok(Self { username, password })
    }
}

impl DigestChallenge {
    /// Returns the supported challenge with the strongest hash, the first of several. Unsupported
    /// are unknown hashes, a missing nonce, and `auth-int` for a body that is streamed.
    pub(crate) fn choose(headers: &HeaderMap, asked: Asked<'_>) -> Option<Self> {
        let lines = headers.get_all(header::WWW_AUTHENTICATE).into_iter();
        let offered = lines.flat_map(|line| challenge::parse(line.as_bytes()));
        let usable = offered.filter_map(|offer| Self::read(&offer, asked));
        usable.reduce(
            |best, next| if next.algorithm.hash > best.algorithm.hash { next } else { best },
        )
    }

    fn read(offer: &challenge::Challenge, asked: Asked<'_>) -> Option<Self> {
        if offer.scheme != "digest" {
            return None;
        }
        let sent = |name| offer.parameter(name).map(<[u8]>::to_vec);
        let says = |name| offer.parameter(name).is_some_and(|it| it.eq_ignore_ascii_case(b"true"));
        let algorithm = Algorithm::read(offer.parameter("algorithm"))?;
        let protection = Protection::read(offer.parameter("qop"), asked)?;
        if protection == Protection::Legacy && algorithm.is_session {
            return None; // `-sess` needs a client nonce
        }
        Some(Self {
            realm: sent("realm")?,
            nonce: sent("nonce")?,
            opaque: sent("opaque"),
            algorithm,
            protection,
            hashes_username: says("userhash"),
            is_stale: says("stale"),
        })
    }

    /// Returns the value of `Authorization` for the `count`th request with this nonce, or `None` if
    /// it cannot be computed for this request.
    fn answer(
        &self,
        login: &DigestLogin,
        asked: Asked<'_>,
        cnonce: &str,
        count: u32,
    ) -> Option<HeaderValue> {
        let count = format!("{count:08x}");
        let response = self.response(login, asked, cnonce, &count)?;
        let mut value = b"Digest ".to_vec();
        self.push_username(&mut value, login);
        push_quoted(&mut value, "realm", &self.realm);
        push_quoted(&mut value, "nonce", &self.nonce);
        push_quoted(&mut value, "uri", asked.target.as_bytes());
        if let Some(name) = &self.algorithm.name {
            push(&mut value, "algorithm", name.as_bytes());
        }
        if let Some(qop) = self.protection.name() {
            push(&mut value, "qop", qop.as_bytes());
            push(&mut value, "nc", count.as_bytes());
            push_quoted(&mut value, "cnonce", cnonce.as_bytes());
        }
        push_quoted(&mut value, "response", &response);
        if let Some(opaque) = &self.opaque {
            push_quoted(&mut value, "opaque", opaque);
        }
        if self.hashes_username {
            push(&mut value, "userhash", b"true");
        }
        sensitive(&value).ok()
    }

    /// Computes the response (RFC 7616 §3.4.1 to §3.4.3).
    fn response(
        &self,
        login: &DigestLogin,
        asked: Asked<'_>,
        cnonce: &str,
        count: &str,
    ) -> Option<Vec<u8>> {
        let hash = |parts: &[&[u8]]| self.algorithm.hash.of(parts).into_bytes();
        let mut secret = hash(&[login.username.as_bytes(), &self.realm, login.password.as_bytes()]);
        if self.algorithm.is_session {
            secret = hash(&[&secret, &self.nonce, cnonce.as_bytes()]);
        }
        let (method, target) = (asked.method.as_str().as_bytes(), asked.target.as_bytes());
        let asked = match self.protection {
            Protection::AuthInt => hash(&[method, target, &hash(&[asked.body?])]),
            Protection::Legacy | Protection::Auth => hash(&[method, target]),
        };
        let (count, cnonce) = (count.as_bytes(), cnonce.as_bytes());
        Some(match self.protection.name() {
            Some(qop) => hash(&[&secret, &self.nonce, count, cnonce, qop.as_bytes(), &asked]),
            None => hash(&[&secret, &self.nonce, &asked]),
        })
    }

    /// Appends the user name (RFC 7616 §3.4.4); a non-ASCII name is encoded by RFC 8187.
    fn push_username(&self, value: &mut Vec<u8>, login: &DigestLogin) {
        let name = &login.username;
        if self.hashes_username {
            let hashed = self.algorithm.hash.of(&[name.as_bytes(), &self.realm]);
            push_quoted(value, "username", hashed.as_bytes());
        } else if name.is_ascii() {
            push_quoted(value, "username", name.as_bytes());
        } else {
            let coded =
                percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
            push(value, "username*", format!("UTF-8''{coded}").as_bytes());
        }
    }
}

impl Algorithm {
    /// Parses the algorithm; MD5 if the server names none (RFC 7616 §3.3).
    fn read(name: Option<&[u8]>) -> Option<Self> {
        let Some(name) = name else {
            return Some(Self { hash: Hash::Md5, is_session: false, name: None });
        };
        let name = std::str::from_utf8(name).ok()?;
        let upper = name.to_ascii_uppercase();
        let (hash, is_session) = match upper.strip_suffix("-SESS") {
            Some(hash) => (hash, true),
            None => (upper.as_str(), false),
        };
        let hash = match hash {
            "MD5" => Hash::Md5,
            "SHA-256" => Hash::Sha256,
            "SHA-512-256" => Hash::Sha512_256,
            _ => return None,
        };
        Some(Self { hash, is_session, name: Some(name.to_owned()) })
    }
}

impl Hash {
    /// Hashes the parts joined by colons, and returns hexadecimal digits.
    fn of(self, parts: &[&[u8]]) -> String {
        let bytes = parts.join(&b':');
        match self {
            Self::Md5 => hexadecimal(&Md5::digest(bytes)),
            Self::Sha256 => hexadecimal(&Sha256::digest(bytes)),
            Self::Sha512_256 => hexadecimal(&Sha512_256::digest(bytes)),
        }
    }
}

impl Protection {
    /// Prefers `auth` to `auth-int`, which few servers verify and which hashes the body.
    fn read(offered: Option<&[u8]>, asked: Asked<'_>) -> Option<Self> {
        let Some(offered) = offered else { return Some(Self::Legacy) };
        let offers = |qop: &[u8]| {
            let mut list = offered.split(|byte| *byte == b',');
            list.any(|own| own.trim_ascii().eq_ignore_ascii_case(qop))
        };
        if offers(b"auth") {
            return Some(Self::Auth);
        }
        (offers(b"auth-int") && asked.body.is_some()).then_some(Self::AuthInt)
    }

    fn name(self) -> Option<&'static str> {
        match self {
            Self::Legacy => None,
            Self::Auth => Some("auth"),
            Self::AuthInt => Some("auth-int"),
        }
    }
}

/// The nonces received from servers, so that the next request can be authenticated without a
/// challenge (RFC 7616 §3.6).
#[derive(Debug, Default)]
pub(crate) struct Nonces {
    of_origins: BTreeMap<Origin, Counted>,
}

/// A challenge and the number of requests that have answered it.
#[derive(Debug)]
struct Counted {
    challenge: DigestChallenge,
    /// The client nonce; the same for all answers, since `-sess` hashes it into the secret.
    cnonce: String,
    count: u32,
}

impl Nonces {
    /// Stores a challenge, replacing an older one of the origin. `random` must be unpredictable.
    pub(crate) fn keep(&mut self, origin: Origin, challenge: DigestChallenge, random: [u8; 16]) {
        if self.of_origins.len() >= MAX_ORIGINS && !self.of_origins.contains_key(&origin) {
            self.of_origins.pop_first(); // any of them: its next request is challenged again
        }
        let counted = Counted { challenge, cnonce: hexadecimal(&random), count: 0 };
        self.of_origins.insert(origin, counted);
    }

    pub(crate) fn forget(&mut self, origin: &Origin) {
        self.of_origins.remove(origin);
    }

    /// Returns the value of `Authorization` for the next request to this origin, if a nonce of it
    /// is stored.
    pub(crate) fn answer(
        &mut self,
        origin: &Origin,
        login: &DigestLogin,
        asked: Asked<'_>,
    ) -> Option<HeaderValue> {
        let counted = self.of_origins.get_mut(origin)?;
        counted.count = counted.count.checked_add(1)?;
        counted.challenge.answer(login, asked, &counted.cnonce, counted.count)
    }
}

fn push_quoted(value: &mut Vec<u8>, name: &str, text: &[u8]) {
    let mut quoted = vec![b'"'];
    for byte in text {
        if matches!(byte, b'"' | b'\\') {
            quoted.push(b'\\');
        }
        quoted.push(*byte);
    }
    quoted.push(b'"');
    push(value, name, &quoted);
}

fn push(value: &mut Vec<u8>, name: &str, text: &[u8]) {
    let comma: &[u8] = if value.ends_with(b" ") { b"" } else { b", " };
    for part in [comma, name.as_bytes(), b"=", text] {
        value.extend_from_slice(part);
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}"); // writing to a string cannot fail
        digits
    })
}

impl fmt::Debug for DigestLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestLogin(***)")
    }
}

/// The most origins whose nonces are stored.
const MAX_ORIGINS: usize = 256;

#[cfg(test)]
pub(crate) mod tests;
