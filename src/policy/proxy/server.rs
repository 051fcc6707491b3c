//! A proxy server and its settings.

use std::fmt;
use std::hash::{Hash, Hasher};

use http::HeaderMap;
use http::header::{self, HeaderName};

use crate::error::{Error, Result};
use crate::fields::singleton;
use crate::policy::auth::credentials;
use crate::policy::route::Security;
use crate::url::{ParseError, Url, Userinfo, shown};

/// A proxy, with all settings that distinguish connections to it.
///
/// It is a part of the [`Route`](crate::policy::route::Route), and so of the pool's key: proxies
/// with different credentials are different.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ProxyServer {
    /// The host as in a URL: an IPv6 address in brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) protocol: Protocol,
}

/// Hashes what usually differs: a program may have one proxy with many user names.
impl Hash for ProxyServer {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.host, self.port).hash(state);
        match &self.protocol {
            Protocol::Http { security, fields } => {
                fields.get(header::PROXY_AUTHORIZATION).hash(state);
                state.write_u8(*security as u8);
            }
            Protocol::Socks { version, names, login } => {
                login.as_ref().map(|login| &login.username).hash(state);
                state.write_u8(2 + 2 * *version as u8 + *names as u8);
            }
        }
    }
}

/// The proxy protocol.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP (RFC 9110 §7.6, §9.3.6), optionally over TLS.
    Http {
        security: Security,
        /// The fields for the proxy, including credentials.
        fields: HeaderMap,
    },
    Socks {
        version: SocksVersion,
        names: NameResolution,
        login: Option<Userinfo>,
    },
}

/// The SOCKS version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SocksVersion {
    Four,
    Five,
}

/// The side that resolves host names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameResolution {
    Local,
    /// The proxy: the client never resolves them.
    Remote,
}

/// The reason why a text is not a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ProxyServerError {
    UnknownScheme,
    NoHost,
    /// A host name that cannot be resolved (RFC 1035 §2.3.4).
    UnresolvableHost,
    UnescapedLogin,
    Url(ParseError),
}

impl ProxyServer {
    /// Parses a proxy URL, including its user name and password.
    pub(crate) fn named(text: &str) -> Result<Self> {
        let (mut hop, login) = Self::parse(text).map_err(|error| {
            let detail = shown("proxy URL", text);
            match error {
                // The error shows the presumed host, which may be a part of the password.
                ProxyServerError::Url(_) if text.contains('@') => {
                    Error::builder(format!("{detail}: it is not valid"))
                }
                error => Error::builder(detail).cause(error),
            }
        })?;
        login.map_or(Ok(()), |login| hop.log_in(&login))?;
        Ok(hop)
    }

    /// Parses a proxy URL, and returns the user name and password separately.
    ///
    /// The default scheme is HTTP; the default port is that of the scheme: 80, 443 or, for SOCKS,
    /// 1080. A path is ignored.
    fn parse(text: &str) -> Result<(Self, Option<Userinfo>), ProxyServerError> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let (protocol, default_port) =
            Protocol::of_scheme(scheme).ok_or(ProxyServerError::UnknownScheme)?;
        if rest.starts_with(['/', '\\']) {
            return Err(ProxyServerError::NoHost); // the rest is a path, not a host
        }
        let mut url = Url::parse(&format!("http://{rest}")).map_err(ProxyServerError::Url)?;
        // A URL omits the default port of its scheme, which differs from the proxy's.
        let shown = || Url::parse(&format!("https://{rest}")).ok()?.port();
        let port = url.port().or_else(shown).unwrap_or(default_port);
        if !url.host().is_resolvable() {
            return Err(ProxyServerError::UnresolvableHost);
        }
        let login = url.take_userinfo();
        if url.as_str().contains('@') {
            return Err(ProxyServerError::UnescapedLogin); // part of it was parsed as the host
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        Ok((Self { host, port, protocol }, login))
    }

    /// Sets the credentials, replacing earlier ones.
    pub(crate) fn log_in(&mut self, given: &Userinfo) -> Result<()> {
        let password = given.password.as_deref().unwrap_or_default();
        match &mut self.protocol {
            Protocol::Http { fields, .. } => {
                let basic = credentials::basic(&given.username, password)?;
                let name = header::PROXY_AUTHORIZATION;
                fields.try_insert(name, basic).map_err(Error::too_many_fields)?;
            }
            Protocol::Socks { version: SocksVersion::Four, .. } if !password.is_empty() => {
                return Err(Error::builder("SOCKS4 knows a user name only, and no password"));
            }
            Protocol::Socks { login, .. } => *login = Some(given.clone()),
        }
        Ok(())
    }

    /// Adds fields for the proxy, replacing earlier fields with the same names.
    pub(crate) fn add_fields(&mut self, new: &HeaderMap) -> Result<()> {
        let fields = match &mut self.protocol {
            _ if new.is_empty() => return Ok(()),
            Protocol::Http { fields, .. } => fields,
            Protocol::Socks { .. } => {
                return Err(Error::builder("a SOCKS proxy takes no header fields"));
            }
        };
        if let Some(name) = OURS.iter().find(|name| new.contains_key(*name)) {
            return Err(Error::builder(format!("{name} cannot be set for a proxy")));
        }
        for name in new.keys() {
            fields.remove(name);
        }
        for (name, value) in new {
            singleton::add(fields, name.clone(), value.clone())?;
        }
        if let Some(credentials) = fields.get_mut(header::PROXY_AUTHORIZATION) {
            credentials.set_sensitive(true);
        }
        Ok(())
    }

    /// Returns whether the proxy receives the names of origins and not their addresses.
    pub(crate) fn looks_names_up(&self) -> bool {
        !matches!(self.protocol, Protocol::Socks { names: NameResolution::Local, .. })
    }

    pub(crate) fn speaks_http(&self) -> bool {
        matches!(self.protocol, Protocol::Http { .. })
    }

    /// Returns `host:port`.
    pub(crate) fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// The fields that the client writes itself.
const OURS: [HeaderName; 3] = [header::HOST, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];

impl Protocol {
    /// Returns the protocol of a scheme and its default port.
    fn of_scheme(scheme: &str) -> Option<(Self, u16)> {
        let http = |security| Self::Http { security, fields: HeaderMap::new() };
        let socks = |version, names| Self::Socks { version, names, login: None };
        Some(match &*scheme.to_ascii_lowercase() {
            "http" => (http(Security::Plain), 80),
            "https" => (http(Security::Tls), 443),
            "socks4" => (socks(SocksVersion::Four, NameResolution::Local), 1080),
            "socks4a" => (socks(SocksVersion::Four, NameResolution::Remote), 1080),
            "socks5" => (socks(SocksVersion::Five, NameResolution::Local), 1080),
            "socks5h" => (socks(SocksVersion::Five, NameResolution::Remote), 1080),
            _ => return None,
        })
    }

    fn scheme(&self) -> &'static str {
        match self {
            Self::Http { security: Security::Plain, .. } => "http",
            Self::Http { security: Security::Tls, .. } => "https",
            Self::Socks { version: SocksVersion::Four, names: NameResolution::Local, .. } => {
                "socks4"
            }
            Self::Socks { version: SocksVersion::Four, names: NameResolution::Remote, .. } => {
                "socks4a"
            }
            Self::Socks { version: SocksVersion::Five, names: NameResolution::Local, .. } => {
                "socks5"
            }
            Self::Socks { version: SocksVersion::Five, names: NameResolution::Remote, .. } => {
                "socks5h"
            }
        }
    }
}

/// For messages: without credentials.
impl fmt::Display for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.protocol.scheme(), self.host, self.port)
    }
}

impl fmt::Debug for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ProxyServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownScheme => {
                f.write_str("a proxy is http, https, socks4, socks4a, socks5 or socks5h")
            }
            Self::NoHost => f.write_str("the URL has no host"),
            Self::UnresolvableHost => f.write_str("the host name is not valid in the DNS"),
            Self::UnescapedLogin => {
                f.write_str("`/`, `?` and `#` in the user name or password must be percent-encoded")
            }
            Self::Url(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ProxyServerError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(username: &str, password: Option<&str>) -> Userinfo {
        let bytes = |text: &str| text.as_bytes().to_vec();
        Userinfo { username: bytes(username), password: password.map(bytes) }
    }

    #[test]
    fn proxy_urls_are_parsed() {
        let cases = [
            ("http://p.example:3128", "http://p.example:3128"),
            (" HTTP://P.example/ ", "http://p.example:80"),
            ("https://p.example/path?q#f", "https://p.example:443"),
            ("https://p.example:80", "https://p.example:80"),
            ("p.example", "http://p.example:80"),
            ("p.example:443", "http://p.example:443"),
            ("127.1:8080/", "http://127.0.0.1:8080"),
            ("[::1]:3128", "http://[::1]:3128"),
            ("socks4://p", "socks4://p:1080"),
            ("socks4a://p", "socks4a://p:1080"),
            ("SOCKS5://p:80", "socks5://p:80"),
            ("socks5h://p:443", "socks5h://p:443"),
            ("u:p@p.example:1", "http://p.example:1"),
        ];
        for (text, expected) in cases {
            assert_eq!(ProxyServer::parse(text).unwrap().0.to_string(), expected, "{text}");
        }
    }

    #[test]
    fn invalid_proxy_urls_are_refused() {
        let cases = [
            "",
            " ",
            "ftp://p",
            "socks://p",
            "socks5:///run/socket",
            "http:///p",
            "http://\\p",
            "http://p:99999",
            "http://p:x",
            "http://:3128",
            "http://[::1%25lo]:1",
            "http://a..b",
            "direct://",
        ];
        for text in cases {
            let outcome = ProxyServer::parse(text);
            assert!(outcome.is_err(), "{text:?}: {outcome:?}");
        }
        for (text, reason) in [
            ("http:///p", "the URL has no host"),
            ("http://a..b", "the host name is not valid in the DNS"),
            ("socks://p", "a proxy is http, https, socks4, socks4a, socks5 or socks5h"),
        ] {
            assert_eq!(ProxyServer::parse(text).unwrap_err().to_string(), reason, "{text}");
        }
        let long = "h".repeat(64);
        assert_eq!(ProxyServer::parse(&long).unwrap_err(), ProxyServerError::UnresolvableHost);
    }

    /// The user name and password are percent-decoded once.
    #[test]
    fn logins_come_from_the_url() {
        let cases = [
            ("http://p", None),
            ("http://u@p", Some(login("u", None))),
            ("http://u:@p", Some(login("u", None))),
            ("socks5://u%40x:a%253Ab@p", Some(login("u@x", Some("a%3Ab")))),
            ("u:p@p:1", Some(login("u", Some("p")))),
        ];
        for (text, expected) in cases {
            assert_eq!(ProxyServer::parse(text).unwrap().1, expected, "{text}");
        }
    }

    #[test]
    fn logins_are_checked_and_hidden() {
        let hop = |text: &str| ProxyServer::parse(text).unwrap().0;
        let mut http = hop("http://p");
        http.log_in(&login("Aladdin", Some("open sesame"))).unwrap();
        let Protocol::Http { fields, .. } = &http.protocol else { panic!() };
        assert_eq!(fields["proxy-authorization"], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        let mut socks = hop("socks5://p");
        socks.log_in(&login("Aladdin", Some("open sesame"))).unwrap();
        for hop in [http, socks] {
            let shown = format!("{hop:?} {hop}");
            assert_eq!(format!("{hop:?}"), hop.to_string());
            assert!(!shown.contains("Aladdin") && !shown.contains("QWxh"), "{shown}");
            assert!(!shown.contains("sesame"), "{shown}");
        }
        assert!(hop("http://p").log_in(&login("a:b", None)).unwrap_err().is_builder());
        assert!(hop("http://p").log_in(&login("a", Some("\r\n"))).unwrap_err().is_builder());
        assert!(hop("socks4a://p").log_in(&login("u", Some("p"))).unwrap_err().is_builder());
        assert!(hop("socks4a://p").log_in(&login("u", None)).is_ok());
    }

    #[test]
    fn fields_are_for_http_proxies_and_exclude_framing() {
        let fields = |name: &'static str| {
            HeaderMap::from_iter([(HeaderName::from_static(name), "x".parse().unwrap())])
        };
        let hop = |text: &str| ProxyServer::parse(text).unwrap().0;
        assert!(hop("socks5://p").add_fields(&fields("x-a")).unwrap_err().is_builder());
        for name in ["host", "content-length", "transfer-encoding"] {
            assert!(hop("http://p").add_fields(&fields(name)).unwrap_err().is_builder(), "{name}");
        }
        assert!(hop("socks5://p").add_fields(&HeaderMap::new()).is_ok(), "none is not too many");
        let mut twice = hop("http://p");
        twice.add_fields(&fields("x-a")).unwrap();
        twice.add_fields(&fields("x-a")).unwrap();
        let Protocol::Http { fields, .. } = &twice.protocol else { panic!() };
        assert_eq!(fields.len(), 1);
    }

    #[test]
    fn a_text_that_may_contain_a_password_is_not_shown() {
        let texts =
            ["u:s3c/ret@p", "u:s3cret@p:x", "s3c/ret@p", "http://s3c?@p", "u:1#s3c@p", "s3c|/@p"];
        for text in texts {
            let line = ProxyServer::named(text).unwrap_err().to_string();
            assert!(line.starts_with("proxy URL: ") && !line.contains("s3c"), "{line}");
        }
        let error = ProxyServer::named("ftp://p").unwrap_err().to_string();
        assert!(error.starts_with("proxy URL \"ftp://p\": a proxy is http, https,"), "{error}");
        let error = ProxyServer::named("p:x").unwrap_err().to_string();
        assert!(error.starts_with("proxy URL: ") && error.contains("port"), "{error}");
        let error = ProxyServer::named("p:99999").unwrap_err().to_string();
        let cause = error.strip_prefix("proxy URL \"p:99999\": ").unwrap();
        assert!(
            cause.contains("port"),
            "a URL without a login is shown, and why it is none: {error}"
        );
        let error = ProxyServer::named("http://a%3Ab:secret@p").unwrap_err();
        assert!(error.is_builder() && !error.to_string().contains("secret"), "{error}");
    }

    /// CVE-2026-3784 (curl): a connection set up with one login must not serve another.
    #[test]
    fn r14_proxies_with_different_settings_are_distinct() {
        let texts = [
            "http://p:1",
            "https://p:1",
            "http://p:2",
            "http://q:1",
            "http://u@p:1",
            "http://u:x@p:1",
            "http://v:x@p:1",
            "socks4://p:1",
            "socks4a://p:1",
            "socks5://p:1",
            "socks5h://p:1",
            "socks5h://u@p:1",
            "socks5h://u:x@p:1",
        ];
        let hops = texts.map(|text| ProxyServer::named(text).unwrap());
        for (i, one) in hops.iter().enumerate() {
            for (j, two) in hops.iter().enumerate() {
                assert_eq!(one == two, i == j, "{one:?} {two:?}");
            }
        }
    }
}
