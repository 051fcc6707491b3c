//! The origin of a URL.

use super::{Part, Scheme, Url};

/// The scheme, host and port of a URL (WHATWG URL §4.7). URLs with equal origins may share credentials.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    scheme: Scheme,
    host: Box<str>,
    port: u16,
}

impl Origin {
    pub(super) fn of(url: &Url) -> Self {
        Self {
            scheme: url.scheme_kind(),
            host: url.part(Part::Host).into(),
            port: url.effective_port(),
        }
    }

    /// Returns `http` or `https`.
    pub fn scheme(&self) -> &str {
        self.scheme.as_str()
    }

    /// Returns the host as in the URL, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port, which may be the scheme's default.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns `scheme://host`, and `:port` unless it is the default: the value of an `Origin` field.
    ///
    /// ```
    /// let url = leanhttp::url::Url::parse("http://u:p@[::1]:81/a?b")?;
    /// assert_eq!(url.origin().ascii_serialization(), "http://[::1]:81");
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn ascii_serialization(&self) -> String {
        let Self { scheme, host, port } = self;
        let mut serialization = [scheme.prefix(), host].concat();
        super::parse::push_port(&mut serialization, *port, *scheme);
        serialization
    }
}

#[cfg(test)]
mod tests {
    use crate::url::tests::url;

    #[test]
    fn origins() {
        let table = [
            ("http://h/", "http://u:p@H:80/a?b#c", true),
            ("https://h:443/", "https://h/", true),
            ("http://127.1/", "http://127.0.0.1/", true),
            ("http://h/", "https://h/", false),
            ("http://h:443/", "https://h/", false),
            ("http://h/", "http://h:81/", false),
            ("http://h/", "http://h./", false),
            ("http://h/", "http://g.h/", false),
        ];
        for (a, b, same) in table {
            assert_eq!(url(a).origin() == url(b).origin(), same, "{a} {b}");
        }
        let origin = url("https://u:p@[::1]:80/a").origin();
        assert_eq!((origin.scheme(), origin.host(), origin.port()), ("https", "[::1]", 80));
        assert_eq!(origin.ascii_serialization(), "https://[::1]:80");
        assert_eq!(url("https://h:443/").origin().ascii_serialization(), "https://h");
    }
}
