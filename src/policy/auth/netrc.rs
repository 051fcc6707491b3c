//! The netrc file: logins by host, as introduced by ftp(1) and read by curl and Python. There is no
//! standard; where readers differ, the stricter behavior is chosen.
//!
//! ```text
//! machine a.example login name password secret   # a comment
//! default login anonymous
//! macdef init
//!   skipped up to a blank line
//! ```
//!
//! A file with any error is refused as a whole, because a part of it could select the wrong login. An
//! error names the line and never shows a part of the file. The file is read once, when the client is
//! built, by `config::read_netrc`.
//!
//! The cases in which readers differ:
//!
//! | case | here | why |
//! | --- | --- | --- |
//! | an unknown keyword, a value that is missing | the file is refused | the rest may be misread |
//! | `#` | a comment where a keyword may stand, part of a value elsewhere | passwords begin with it too |
//! | a quoted value | with the escapes of curl | files written for curl |
//! | several entries of a host | the first that fits the user | as in ftp(1) |
//! | `default` | used if no entry fits | as in ftp(1) |
//! | a machine name | compared whole, ignoring case | a suffix match would leak a login |
//!
//! A redirect never looks a login up (`tests/hostile_redirects.rs`,
//! `r09_a_redirect_finds_no_login_in_a_netrc_file`): the target is the server's choice.

use std::fmt;

use http::HeaderValue;

use crate::error::Error;
use crate::policy::auth;
use crate::url::Url;

/// The entries of a netrc file.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Netrc {
    entries: Vec<NetrcEntry>,
}

#[derive(Clone, PartialEq, Eq)]
struct NetrcEntry {
    /// The host; `None` for `default`.
    machine: Option<String>,
    login: NetrcLogin,
}

/// A login. Parts that the entry omits are empty.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct NetrcLogin {
    pub(crate) username: String,
    pub(crate) password: String,
}

impl Netrc {
    /// Parses a file. A file with any syntax error is refused as a whole, because a partial one
    /// could select the wrong login.
    pub(crate) fn parse(text: &str) -> Result<Self, NetrcError> {
        let mut tokens = Tokens { rest: text, line: 1 };
        let mut netrc = Self { entries: Vec::new() };
        while let Some(keyword) = tokens.keyword()? {
            netrc.take(&keyword, &mut tokens)?;
        }
        Ok(netrc)
    }

    /// Returns the first login for this host (an IPv6 address with or without its brackets), and
    /// for this user if one is given; otherwise that of `default`. Hosts are compared whole and
    /// case-insensitively. An entry without login and password is skipped, as in curl. An entry
    /// with a password and no login applies to each user of its host without an entry of their own.
    pub(crate) fn lookup(&self, host: &str, username: Option<&str>) -> Option<&NetrcLogin> {
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let of_host = self.logins(|machine| machine.is_some_and(|m| m.eq_ignore_ascii_case(host)));
        let of_default = self.logins(|machine| machine.is_none());
        wanted(of_host, username).or_else(|| wanted(of_default, username))
    }

    /// Returns Basic credentials for the host of this URL.
    pub(crate) fn authorization(&self, url: &Url) -> Result<Option<HeaderValue>, Error> {
        let login = url.host_str().and_then(|host| self.lookup(host, None));
        let basic =
            |login: &NetrcLogin| auth::basic(login.username.as_bytes(), login.password.as_bytes());
        login.map(basic).transpose()
    }

    /// Returns the password of a user whom the URL names without a password.
    pub(crate) fn password_of(&self, url: &Url, username: &[u8]) -> Option<Vec<u8>> {
        let username = std::str::from_utf8(username).ok()?;
        let login = self.lookup(url.host_str()?, Some(username))?;
        Some(login.password.clone().into_bytes())
    }

    fn logins(
        &self,
        is_for: impl Fn(Option<&str>) -> bool + Clone,
    ) -> impl Iterator<Item = &NetrcLogin> + Clone {
        let entries = self.entries.iter().filter(move |entry| is_for(entry.machine.as_deref()));
        entries.map(|entry| &entry.login)
    }

    fn take(&mut self, keyword: &str, tokens: &mut Tokens<'_>) -> Result<(), NetrcError> {
        match keyword {
            "machine" => {
                let machine = Some(tokens.value()?);
                self.entries.push(NetrcEntry { machine, login: NetrcLogin::default() });
            }
            "default" => {
                self.entries.push(NetrcEntry { machine: None, login: NetrcLogin::default() })
            }
            "login" => self.last(tokens)?.username = tokens.value()?,
            "password" => self.last(tokens)?.password = tokens.value()?,
            "account" => drop(tokens.value()?),
            "macdef" => {
                tokens.value()?;
                tokens.skip_macro();
            }
            _ => return Err(tokens.error("an unknown word")),
        }
        Ok(())
    }

    fn last(&mut self, tokens: &Tokens<'_>) -> Result<&mut NetrcLogin, NetrcError> {
        let last = self.entries.last_mut().map(|entry| &mut entry.login);
        last.ok_or_else(|| tokens.error("a login before any machine"))
    }
}

/// Returns the first of these logins that is not empty, and that is of this user if one is given.
fn wanted<'a>(
    logins: impl Iterator<Item = &'a NetrcLogin> + Clone,
    username: Option<&str>,
) -> Option<&'a NetrcLogin> {
    let mut logins = logins.filter(|login| !login.is_empty());
    let Some(username) = username else { return logins.next() };
    let of_user = logins.clone().find(|login| login.username == username);
    of_user.or_else(|| logins.find(|login| login.username.is_empty()))
}

impl NetrcLogin {
    fn is_empty(&self) -> bool {
        self.username.is_empty() && self.password.is_empty()
    }
}

/// The words of a file, separated by white space or in quotes.
struct Tokens<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Tokens<'a> {
    /// Returns the next word outside of comments. A `#` begins a comment only where a keyword is
    /// allowed: a password may begin with it too.
    fn keyword(&mut self) -> Result<Option<String>, NetrcError> {
        while let Some(token) = self.next()? {
            if !token.starts_with('#') {
                return Ok(Some(token));
            }
            self.take_while(|c| c != '\n');
        }
        Ok(None)
    }

    fn value(&mut self) -> Result<String, NetrcError> {
        self.next()?.ok_or_else(|| self.error("a value is missing"))
    }

    fn next(&mut self) -> Result<Option<String>, NetrcError> {
        self.take_while(char::is_whitespace);
        if self.rest.is_empty() {
            return Ok(None);
        }
        if let Some(quoted) = self.rest.strip_prefix('"') {
            self.rest = quoted;
            return self.quoted().map(Some);
        }
        Ok(Some(self.take_while(|c| !c.is_whitespace()).to_owned()))
    }

    /// Reads up to the closing quote, which must be on the same line.
    fn quoted(&mut self) -> Result<String, NetrcError> {
        let mut text = String::new();
        let mut chars = self.rest.chars();
        loop {
            match chars.next() {
                Some('"') => break,
                Some('\\') => text.extend(chars.next().map(unescaped)),
                None | Some('\n') => return Err(self.error("a quote is not closed")),
                Some(c) => text.push(c),
            }
        }
        self.rest = chars.as_str();
        Ok(text)
    }

    /// Skips up to a blank line or the end.
    fn skip_macro(&mut self) {
        self.take_while(|c| c != '\n');
        while let Some(line) = self.rest.strip_prefix('\n') {
            self.rest = line;
            self.line += 1;
            if self.take_while(|c| c != '\n').trim_ascii().is_empty() {
                return;
            }
        }
    }

    fn take_while(&mut self, is_kind: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !is_kind(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    fn error(&self, what: &'static str) -> NetrcError {
        NetrcError { line: self.line, what }
    }
}

/// Resolves an escape as curl does.
fn unescaped(c: char) -> char {
    match c {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        other => other,
    }
}

/// The reason why a netrc file is refused. It shows no content of the file, which holds passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NetrcError {
    line: usize,
    what: &'static str,
}

impl fmt::Display for NetrcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in line {}", self.what, self.line)
    }
}

impl std::error::Error for NetrcError {}

impl fmt::Debug for Netrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Netrc").field("entries", &self.entries.len()).finish()
    }
}

impl fmt::Debug for NetrcLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NetrcLogin(***)")
    }
}

#[cfg(test)]
mod tests;
