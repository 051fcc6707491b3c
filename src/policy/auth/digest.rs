//! Digest access authentication (RFC 7616): which challenge is answered, and how.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use http::{HeaderMap, HeaderValue, header};
use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};

use super::credentials::{Asked, sensitive};
use crate::fields::challenge;
use crate::url::Origin;

/// Who somebody is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) username: String,
    pub(crate) password: String,
}

/// A challenge that can be answered. What the server sent goes back to it, and into the hash, byte for
/// byte, in whatever encoding it is (RFC 7616 §3.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    realm: Vec<u8>,
    nonce: Vec<u8>,
    opaque: Option<Vec<u8>>,
    algorithm: Algorithm,
    protection: Protection,
    username: Username,
    nonce_life: NonceLife,
}

/// Weak ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hash {
    Md5,
    Sha256,
    Sha512_256,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Algorithm {
    hash: Hash,
    session: Session,
    /// As the server wrote it, if it did.
    name: Option<String>,
}

/// Whether the secret is mixed with the nonces once (`-sess`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Session {
    Plain,
    Mixed,
}

/// The quality of protection (`qop`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protection {
    /// None at all, as in RFC 2069: there is no count and no nonce of the client.
    Legacy,
    Auth,
    /// With the body.
    AuthInt,
}

/// How the user is named (`userhash`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Username {
    Plain,
    Hashed,
}

/// What became of the nonce of the request that is answered by this challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NonceLife {
    /// It was too old; the password may be right.
    Stale,
    Other,
}

impl Challenge {
    /// The challenge with the strongest hash among those that can be answered, and of these the
    /// first. Others are left out: unknown hashes, no nonce, `auth-int` for a body that is read as
    /// it is sent.
    pub(crate) fn choose(headers: &HeaderMap, asked: Asked<'_>) -> Option<Self> {
        let lines = headers.get_all(header::WWW_AUTHENTICATE).into_iter();
        let offered = lines.flat_map(|line| challenge::parse(line.as_bytes()));
        let usable = offered.filter_map(|offer| Self::read(&offer, asked));
        usable.reduce(|best, next| match next.algorithm.hash > best.algorithm.hash {
            true => next,
            false => best,
        })
    }

    fn read(offer: &challenge::Challenge, asked: Asked<'_>) -> Option<Self> {
        if offer.scheme != "digest" {
            return None;
        }
        let sent = |name| offer.parameter(name).map(<[u8]>::to_vec);
        let says = |name| offer.parameter(name).is_some_and(|it| it.eq_ignore_ascii_case(b"true"));
        let algorithm = Algorithm::read(offer.parameter("algorithm"))?;
        let protection = Protection::read(offer.parameter("qop"), asked)?;
        if protection == Protection::Legacy && algorithm.session == Session::Mixed {
            return None; // there is no nonce of the client to mix
        }
        Some(Self {
            realm: sent("realm")?,
            nonce: sent("nonce")?,
            opaque: sent("opaque"),
            algorithm,
            protection,
            username: if says("userhash") { Username::Hashed } else { Username::Plain },
            nonce_life: if says("stale") { NonceLife::Stale } else { NonceLife::Other },
        })
    }

    pub(crate) fn nonce_life(&self) -> NonceLife {
        self.nonce_life
    }

    /// The value of `Authorization` for the `count`th request with this nonce; none, if it cannot be
    /// made for this one.
    fn answer(
        &self,
        login: &Login,
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
        if self.username == Username::Hashed {
            push(&mut value, "userhash", b"true");
        }
        sensitive(&value).ok()
    }

    /// RFC 7616 §3.4.1 to §3.4.3.
    fn response(
        &self,
        login: &Login,
        asked: Asked<'_>,
        cnonce: &str,
        count: &str,
    ) -> Option<Vec<u8>> {
        let hash = |parts: &[&[u8]]| self.algorithm.hash.of(parts).into_bytes();
        let mut secret = hash(&[login.username.as_bytes(), &self.realm, login.password.as_bytes()]);
        if self.algorithm.session == Session::Mixed {
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

    /// RFC 7616 §3.4.4; a name that is not ASCII is written as RFC 8187 says.
    fn push_username(&self, value: &mut Vec<u8>, login: &Login) {
        let name = &login.username;
        match self.username {
            Username::Hashed => {
                let hashed = self.algorithm.hash.of(&[name.as_bytes(), &self.realm]);
                push_quoted(value, "username", hashed.as_bytes());
            }
            Username::Plain if name.is_ascii() => push_quoted(value, "username", name.as_bytes()),
            Username::Plain => {
                let coded =
                    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
                push(value, "username*", format!("UTF-8''{coded}").as_bytes());
            }
        }
    }
}

impl Algorithm {
    /// MD5, if the server says nothing (RFC 7616 §3.3).
    fn read(name: Option<&[u8]>) -> Option<Self> {
        let Some(name) = name else {
            return Some(Self { hash: Hash::Md5, session: Session::Plain, name: None });
        };
        let name = std::str::from_utf8(name).ok()?;
        let upper = name.to_ascii_uppercase();
        let (hash, session) = match upper.strip_suffix("-SESS") {
            Some(hash) => (hash, Session::Mixed),
            None => (upper.as_str(), Session::Plain),
        };
        let hash = match hash {
            "MD5" => Hash::Md5,
            "SHA-256" => Hash::Sha256,
            "SHA-512-256" => Hash::Sha512_256,
            _ => return None,
        };
        Some(Self { hash, session, name: Some(name.to_owned()) })
    }
}

impl Hash {
    /// Of parts with colons between them, in hexadecimal digits.
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
    /// `auth` before `auth-int`, which few servers check and which hashes the body.
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

/// The nonces that servers gave, so that the next request need not be refused first (RFC 7616 §3.6).
#[derive(Debug, Default)]
pub(crate) struct Nonces {
    of_origins: BTreeMap<Origin, Counted>,
}

/// A challenge, and how many requests have answered it.
#[derive(Debug)]
struct Counted {
    challenge: Challenge,
    /// Ours; one for all answers, since `-sess` mixes it into the secret.
    cnonce: String,
    count: u32,
}

impl Nonces {
    /// Keeps a challenge in the place of an older one. `random` is not to be foretold.
    pub(crate) fn keep(&mut self, origin: Origin, challenge: Challenge, random: [u8; 16]) {
        if self.of_origins.len() >= MAX_ORIGINS && !self.of_origins.contains_key(&origin) {
            self.of_origins.pop_first(); // whichever it is, it will be challenged again
        }
        let counted = Counted { challenge, cnonce: hexadecimal(&random), count: 0 };
        self.of_origins.insert(origin, counted);
    }

    pub(crate) fn forget(&mut self, origin: &Origin) {
        self.of_origins.remove(origin);
    }

    /// The value of `Authorization` for the next request to this origin, if it has given a nonce.
    pub(crate) fn answer(
        &mut self,
        origin: &Origin,
        login: &Login,
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
        let _ = write!(digits, "{byte:02x}"); // a string takes everything
        digits
    })
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login(***)")
    }
}

/// How many origins a client remembers.
const MAX_ORIGINS: usize = 256;

#[cfg(test)]
pub(crate) mod tests;
