//! How an origin is reached; the key of the pool.

use crate::url::Url;

/// Everything that decides which connections may serve a request.
///
/// | request | route |
/// | --- | --- |
/// | `http://a.example/x` | plain, `a.example`, 80 |
/// | `http://a.example:8080/` | plain, `a.example`, 8080 |
/// | `https://a.example/` | TLS, `a.example`, 443 |
/// | `https://a.example.:443/` | TLS, `a.example.`, 443 (another host: the dot counts) |
/// | `http://[::1]:80/` | plain, `[::1]`, 80 |
///
/// Compared whole, never as a hash: a connection of one route never serves another. TLS settings
/// are those of the client, and each client has its own pool.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Route {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) security: Security,
}

/// Whether the bytes are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Security {
    Plain,
    Tls,
}

impl Security {
    pub(crate) fn of(url: &Url) -> Self {
        if url.scheme() == "https" { Self::Tls } else { Self::Plain }
    }
}

impl Route {
    pub(crate) fn of(url: &Url) -> Self {
        Self {
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port_or_known_default().unwrap_or_default(),
            security: Security::of(url),
        }
    }

    /// Whether this is the route to `url`; allocates nothing.
    pub(crate) fn leads_to(&self, url: &Url) -> bool {
        Some(self.port) == url.port_or_known_default()
            && Some(self.host.as_str()) == url.host_str()
            && self.security == Security::of(url)
    }

    /// `host:port`, for messages.
    pub(crate) fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_the_whole_origin() {
        let urls = [
            "http://a.example/x",
            "http://a.example:8080/x",
            "https://a.example/x",
            "https://a.example.:443/x",
            "https://b.example/x",
            "http://[::1]/",
            "http://127.0.0.1/",
        ];
        for (i, one) in urls.iter().enumerate() {
            let one = Url::parse(one).unwrap();
            let route = Route::of(&one);
            for (j, other) in urls.iter().enumerate() {
                let other = Url::parse(other).unwrap();
                assert_eq!(route == Route::of(&other), i == j, "{one} {other}");
                assert_eq!(route.leads_to(&other), i == j, "{one} {other}");
            }
        }
    }

    #[test]
    fn https_alone_is_encrypted() {
        for (url, security) in [
            ("http://a.example:443/", Security::Plain),
            ("https://a.example:80/", Security::Tls),
            ("HTTPS://a.example/", Security::Tls),
        ] {
            assert_eq!(Route::of(&Url::parse(url).unwrap()).security, security, "{url}");
        }
    }

    #[test]
    fn what_is_no_part_of_the_origin_is_no_part_of_the_route() {
        let route = Route::of(&Url::parse("http://A.example:80/p?q#f").unwrap());
        assert_eq!(route.authority(), "a.example:80");
        assert!(route.leads_to(&Url::parse("http://user:pass@a.example/other").unwrap()));
    }
}
