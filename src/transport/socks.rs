//! The handshake with a SOCKS proxy: version 5 (RFC 1928, RFC 1929), version 4 and its extension 4A.
//!
//! ```text
//! 5   Greeting ──no login──────────────────▶ Request ──granted──▶ Open
//!            └──user and password──▶ Login ──▶┘
//! 4                                          Request ──granted──▶ Open
//! ```
//!
//! Input that these protocols cannot represent is an error before anything is sent: a name that is too long
//! is neither truncated nor resolved locally instead (CVE-2023-38545, curl).
//!
//! # The messages
//!
//! Version 5 begins with a choice of the authentication method (RFC 1928 §3), which may add a
//! message (RFC 1929), and ends with the request and its reply (§4, §6):
//!
//! ```text
//! greeting   05 | count | methods...             00 none, 02 user name and password
//!   answer   05 | method                         ff: none of them
//! login      01 | length | user | length | password
//!   answer   01 | status                         00: accepted
//! request    05 | 01 connect | 00 | address | port, big-endian
//!   answer   05 | status | 00 | address | port   00: granted
//! address    01 | 4 bytes    03 | length | name    04 | 16 bytes
//! ```
//!
//! Version 4 has one message and one answer; 4A puts a name behind it, announced by an address that
//! cannot exist:
//!
//! ```text
//! request    04 | 01 connect | port | 4 bytes of address | user | 00
//! 4A         04 | 01 connect | port | 00 00 00 01        | user | 00 | name | 00
//!   answer   00 | status | port | address        5a (90): granted
//! ```
//!
//! # Rules
//!
//! - A message is sent only after the answer to the one before it. Bytes that arrive earlier cannot
//!   answer it and wait in the input (`an_early_answer_does_not_skip_a_message`).
//! - An answer is consumed to its last byte and no further: the byte after it belongs to the origin
//!   (`n04_answers_are_consumed_exactly_at_every_split`, `tests/socks.rs`,
//!   `n04_replies_are_read_exactly`).
//! - A wrong answer is reported at its first wrong byte, so a peer that speaks another protocol and
//!   then waits does not hold the call up until its deadline.
//! - The method "none" is offered beside a login, because a proxy that needs none may refuse a
//!   greeting that insists. A method that was not offered is an error.
//! - Who resolves the origin's name is not decided here: [`Destination`] is an address or a name,
//!   as `policy::route::Route::looked_up_here` has decided by the scheme (`socks5` or `socks5h`).
//!
//! # Errors
//!
//! | error | found | the caller can |
//! | --- | --- | --- |
//! | `NameTooLong`, `LoginTooLong`, `NulInLogin`, `NotIpv4` | before a byte is sent | change a setting, or use version 5 |
//! | `NotSocks`, `UnknownAddressType` | in an answer | check host and port: it is no SOCKS proxy |
//! | `NoMethod`, `LoginRefused` | in an answer | give a login, or another one |
//! | `UnofferedMethod` | in an answer | nothing: the proxy breaks the protocol |
//! | `Refused5`, `Refused4` | in an answer, with the proxy's reason | depends on the reason |
//! | `Closed` | at the end of the connection | try again |
//!
//! All of them are `Kind::Proxy`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use super::tunnel::{Need, Tunnel, TunnelError};
use crate::base::buffer::Buffer;
use crate::http1::exchange::Ending;
use crate::url::Userinfo;

/// The handshake, until the proxy has granted or refused the connection.
pub(crate) struct Socks {
    state: SocksState,
    /// The request, until it is sent.
    request: Vec<u8>,
    /// The authentication message, if there are credentials.
    login: Option<Vec<u8>>,
    output: Buffer,
    input: Buffer,
    has_ended: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SocksState {
    Greeting,
    Login,
    Request5,
    Request4,
    Open,
}

/// The origin, as sent to the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    Address(IpAddr),
    Name(String),
}

/// The reason why there is no connection through a SOCKS proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SocksError {
    // Before anything is sent.
    NameTooLong,
    LoginTooLong,
    NulInLogin,
    /// SOCKS4 supports only IPv4.
    NotIpv4,

    // In an answer of the proxy.
    NotSocks {
        version: u8,
    },
    NoMethod,
    UnofferedMethod(u8),
    LoginRefused,
    Refused5(u8),
    Refused4(u8),
    UnknownAddressType(u8),
    Closed,
}

const VERSION_4: u8 = 4;
const VERSION_5: u8 = 5;
const CONNECT: u8 = 1;
const RESERVED: u8 = 0;

// RFC 1928 §3.
const NO_LOGIN: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const NONE_ACCEPTABLE: u8 = 0xff;

// RFC 1928 §5.
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// RFC 1929 §2.
const LOGIN_VERSION: u8 = 1;

const GRANTED_5: u8 = 0;
const GRANTED_4: u8 = 90;
const REPLY_4_LENGTH: usize = 8;

/// The address that tells a SOCKS 4A proxy that a name follows.
const NAME_FOLLOWS: Ipv4Addr = Ipv4Addr::new(0, 0, 0, 1);

impl Socks {
    /// Begins a handshake of version 5.
    pub(crate) fn five(
        login: Option<&Userinfo>,
        destination: &Destination,
        port: u16,
    ) -> Result<Self, SocksError> {
        let request = request_5(destination, port)?;
        let login = login.map(login_5).transpose()?;
        let mut output = Buffer::default();
        match &login {
            None => output.push(&[VERSION_5, 1, NO_LOGIN]),
            // Offers no authentication too, so that a proxy without authentication can choose it.
            Some(_) => output.push(&[VERSION_5, 2, NO_LOGIN, USER_AND_PASSWORD]),
        }
        Ok(Self { request, login, ..Self::begin(SocksState::Greeting, output) })
    }

    /// Begins a handshake of version 4, or of 4A if the destination is a name.
    pub(crate) fn four(
        login: Option<&Userinfo>,
        destination: &Destination,
        port: u16,
    ) -> Result<Self, SocksError> {
        let user = login.map(|login| &*login.username).unwrap_or_default();
        let mut output = Buffer::default();
        output.push(&request_4(user, destination, port)?);
        Ok(Self::begin(SocksState::Request4, output))
    }

    fn begin(state: SocksState, output: Buffer) -> Self {
        let (request, input) = (Vec::new(), Buffer::default());
        Self { state, request, login: None, output, input, has_ended: false }
    }

    /// The loop handles answers that arrive together. The input is taken out of `self` while one
    /// answer is processed, because processing appends to the output and changes the state.
    fn step(&mut self) -> Result<Need, SocksError> {
        loop {
            if !self.output.is_empty() && !self.has_ended {
                return Ok(Need::More); // bytes received before the question was sent cannot answer it
            }
            let input = std::mem::take(&mut self.input);
            let taken = self.take(input.data());
            self.input = input;
            match taken? {
                Some(taken) => self.input.consume(taken),
                None if self.has_ended => return Err(SocksError::Closed),
                None => return Ok(Need::More),
            }
            if self.state == SocksState::Open {
                return Ok(Need::Nothing);
            }
        }
    }

    /// Processes the next answer, and returns its length in the input.
    fn take(&mut self, input: &[u8]) -> Result<Option<usize>, SocksError> {
        match self.state {
            SocksState::Greeting => self.method_chosen(input),
            SocksState::Login => self.login_answered(input),
            SocksState::Request5 => self.request_5_answered(input),
            SocksState::Request4 => self.request_4_answered(input),
            SocksState::Open => Ok(Some(0)),
        }
    }

    // Each of these processes one whole answer and returns its length, or `None` if it is incomplete. An
    // invalid answer is reported at its first wrong byte.

    /// A proxy may choose "no login" although a login was offered. Choosing a login that was not
    /// offered is an error, since there is nothing to send.
    fn method_chosen(&mut self, input: &[u8]) -> Result<Option<usize>, SocksError> {
        let Some(method) = second(input, VERSION_5)? else { return Ok(None) };
        self.state = match (method, self.login.take()) {
            (NO_LOGIN, _) => {
                self.output.push(&self.request);
                SocksState::Request5
            }
            (USER_AND_PASSWORD, Some(login)) => {
                self.output.push(&login);
                SocksState::Login
            }
            (NONE_ACCEPTABLE, _) => return Err(SocksError::NoMethod),
            (method, _) => return Err(SocksError::UnofferedMethod(method)),
        };
        Ok(Some(2))
    }

    fn login_answered(&mut self, input: &[u8]) -> Result<Option<usize>, SocksError> {
        match second(input, LOGIN_VERSION)? {
            None => Ok(None),
            Some(0) => {
                self.output.push(&self.request);
                self.state = SocksState::Request5;
                Ok(Some(2))
            }
            Some(_) => Err(SocksError::LoginRefused),
        }
    }

    /// The length of the answer depends on the type of the address in it, so the type is read
    /// before the rest is there.
    fn request_5_answered(&mut self, input: &[u8]) -> Result<Option<usize>, SocksError> {
        match second(input, VERSION_5)? {
            None => return Ok(None),
            Some(GRANTED_5) => {}
            Some(code) => return Err(SocksError::Refused5(code)),
        }
        // The address from which the proxy connects is not used, but its length must be known.
        // Layout from byte 3 on: type, address, port. A name has its length in the byte after the type.
        let address = match input.get(3..).unwrap_or_default() {
            [] | [NAME] => return Ok(None),
            [NAME, length, ..] => 1 + usize::from(*length),
            [IPV4, ..] => 4,
            [IPV6, ..] => 16,
            [other, ..] => return Err(SocksError::UnknownAddressType(*other)),
        };
        Ok(self.granted(input, 4 + address + 2))
    }

    fn request_4_answered(&mut self, input: &[u8]) -> Result<Option<usize>, SocksError> {
        match second(input, 0)? {
            None => Ok(None),
            Some(GRANTED_4) => Ok(self.granted(input, REPLY_4_LENGTH)),
            Some(code) => Err(SocksError::Refused4(code)),
        }
    }

    fn granted(&mut self, input: &[u8], length: usize) -> Option<usize> {
        let is_whole = input.len() >= length;
        if is_whole {
            self.state = SocksState::Open;
        }
        is_whole.then_some(length)
    }
}

impl Tunnel for Socks {
    fn advance(&mut self) -> Result<Need, TunnelError> {
        Ok(self.step()?)
    }

    /// A refusal is a single byte, so there is never an incomplete one.
    fn refusal(&self) -> Option<TunnelError> {
        None
    }

    fn leftover(&self) -> &[u8] {
        self.input.data()
    }

    fn output(&self) -> &[u8] {
        self.output.data()
    }

    fn wrote(&mut self, count: usize) {
        self.output.consume(count);
    }

    fn discard_output(&mut self) {
        self.output.clear();
    }

    fn read_space(&mut self) -> &mut [u8] {
        self.input.space(READ_SIZE)
    }

    fn read(&mut self, count: usize) {
        self.input.filled(count);
    }

    fn received(&mut self, bytes: &[u8]) {
        self.input.push(bytes);
    }

    fn read_eof(&mut self, _: Ending) {
        self.has_ended = true;
    }
}

/// The size of a read, which is more than the longest answer.
const READ_SIZE: usize = 512;

/// Returns the second byte of an answer whose first byte is a version.
fn second(input: &[u8], version: u8) -> Result<Option<u8>, SocksError> {
    match *input {
        [first, ..] if first != version => Err(SocksError::NotSocks { version: first }),
        [_, second, ..] => Ok(Some(second)),
        _ => Ok(None),
    }
}

fn request_5(destination: &Destination, port: u16) -> Result<Vec<u8>, SocksError> {
    let mut request = vec![VERSION_5, CONNECT, RESERVED];
    match destination {
        Destination::Address(IpAddr::V4(address)) => {
            request.push(IPV4);
            request.extend(address.octets());
        }
        Destination::Address(IpAddr::V6(address)) => {
            request.push(IPV6);
            request.extend(address.octets());
        }
        Destination::Name(name) => {
            request.push(NAME);
            push_counted(&mut request, name.as_bytes()).ok_or(SocksError::NameTooLong)?;
        }
    }
    request.extend(port.to_be_bytes());
    Ok(request)
}

fn login_5(login: &Userinfo) -> Result<Vec<u8>, SocksError> {
    let mut message = vec![LOGIN_VERSION];
    let password = login.password.as_deref().unwrap_or_default();
    for part in [&*login.username, password] {
        push_counted(&mut message, part).ok_or(SocksError::LoginTooLong)?;
    }
    Ok(message)
}

/// Appends a text after its length, which is one byte.
fn push_counted(out: &mut Vec<u8>, text: &[u8]) -> Option<()> {
    out.push(u8::try_from(text.len()).ok()?);
    out.extend(text);
    Some(())
}

/// Both texts end with a NUL, so neither may contain one: a user is checked here, and a host from a
/// URL never does.
fn request_4(user: &[u8], destination: &Destination, port: u16) -> Result<Vec<u8>, SocksError> {
    if user.len() > LONGEST {
        return Err(SocksError::LoginTooLong);
    }
    if user.contains(&0) {
        return Err(SocksError::NulInLogin);
    }
    let (address, name) = match destination {
        Destination::Address(IpAddr::V4(address)) => (*address, None),
        Destination::Address(IpAddr::V6(_)) => return Err(SocksError::NotIpv4),
        Destination::Name(name) if name.len() > LONGEST => return Err(SocksError::NameTooLong),
        Destination::Name(name) => (NAME_FOLLOWS, Some(name)),
    };
    let mut request = vec![VERSION_4, CONNECT];
    request.extend(port.to_be_bytes());
    request.extend(address.octets());
    request.extend(user);
    request.push(0);
    if let Some(name) = name {
        request.extend(name.bytes());
        request.push(0);
    }
    Ok(request)
}

/// The maximum length of a text in version 5, applied to version 4 too.
const LONGEST: usize = u8::MAX as usize;

/// Hides the messages: they may contain a password.
impl fmt::Debug for Socks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socks").field("state", &self.state).finish_non_exhaustive()
    }
}

impl fmt::Display for SocksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameTooLong => f.write_str("the host is too long for SOCKS (255 bytes)"),
            Self::LoginTooLong => {
                f.write_str("the user name or the password is too long for SOCKS (255 bytes)")
            }
            Self::NulInLogin => f.write_str("a user name for SOCKS4 cannot hold NUL"),
            Self::NotIpv4 => f.write_str("SOCKS4 supports only IPv4 addresses"),
            Self::NotSocks { version } => {
                write!(f, "not an answer of this version of SOCKS (it begins with {version:#04x})")
            }
            Self::NoMethod => {
                f.write_str("the proxy accepts none of the offered authentication methods")
            }
            Self::UnofferedMethod(method) => {
                write!(
                    f,
                    "the proxy chose an authentication method that was not offered ({method:#04x})"
                )
            }
            Self::LoginRefused => f.write_str("the proxy refused the user name or the password"),
            Self::Refused5(code) => write!(f, "the proxy refused: {}", reason_5(*code)),
            Self::Refused4(code) => write!(f, "the proxy refused: {}", reason_4(*code)),
            Self::Closed => f.write_str("the proxy closed the connection"),
            Self::UnknownAddressType(kind) => {
                write!(f, "unknown type of address {kind:#04x} in the proxy's answer")
            }
        }
    }
}

impl std::error::Error for SocksError {}

/// RFC 1928 §6.
fn reason_5(code: u8) -> &'static str {
    match code {
        1 => "general failure",
        2 => "not allowed by its rules",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "TTL expired",
        7 => "command not supported",
        8 => "type of address not supported",
        _ => "unknown reason",
    }
}

fn reason_4(code: u8) -> &'static str {
    match code {
        91 => "rejected or failed",
        92 => "it found no identd on this host",
        93 => "identd names another user",
        _ => "unknown reason",
    }
}

#[cfg(test)]
mod tests;
