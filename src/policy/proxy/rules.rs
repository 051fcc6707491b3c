//! The rules that choose the proxy for a URL.

use std::fmt;
use std::sync::Arc;

use super::no_proxy::NoProxyList;
use crate::error::{Error, Result};
use crate::policy::proxy::server::ProxyServer;
use crate::url::Url;

/// The rules; the first that matches applies. Without a match the connection is direct.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxies {
    rules: Vec<ProxyRule>,
}

/// A set of URLs and the proxy for them.
#[derive(Debug, Clone)]
pub(crate) struct ProxyRule {
    pub(crate) covered: Covered,
    pub(crate) except: NoProxyList,
    pub(crate) choice: ProxyChoice,
}

/// The URLs of a rule, by scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Covered {
    Http,
    Https,
    All,
}

/// The proxy of a rule.
#[derive(Clone)]
pub(crate) enum ProxyChoice {
    Fixed(Arc<ProxyServer>),
    /// The caller's function decides for each URL.
    Program(Arc<Decide>),
    /// An invalid proxy. It is reported when a request would use it: a direct connection instead
    /// would expose traffic that is meant for the proxy only.
    Broken(String),
}

/// Returns the proxy for a URL; `None` if this rule has none for it.
pub(crate) type Decide = dyn Fn(&Url) -> Option<Result<ProxyServer>> + Send + Sync;

impl Proxies {
    pub(crate) fn push(&mut self, rule: ProxyRule) {
        self.rules.push(rule);
    }

    /// Returns the proxy for `url`, or `None` for a direct connection.
    pub(crate) fn choose(&self, url: &Url) -> Result<Option<Arc<ProxyServer>>> {
        self.rules.iter().find_map(|rule| rule.choose(url)).transpose()
    }
}

impl ProxyRule {
    fn choose(&self, url: &Url) -> Option<Result<Arc<ProxyServer>>> {
        if !self.covered.holds(url) || self.except.covers(url) {
            return None;
        }
        match &self.choice {
            ProxyChoice::Fixed(hop) => Some(Ok(Arc::clone(hop))),
            ProxyChoice::Program(decide) => decide(url).map(|hop| hop.map(Arc::new)),
            ProxyChoice::Broken(why) => Some(Err(Error::builder(why.clone()))),
        }
    }
}

impl Covered {
    fn holds(self, url: &Url) -> bool {
        match self {
            Self::Http => url.scheme() == "http",
            Self::Https => url.scheme() == "https",
            Self::All => true,
        }
    }
}

impl fmt::Debug for ProxyChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(hop) => hop.fmt(f),
            Self::Program(_) => f.write_str("as the program decides"),
            Self::Broken(why) => f.write_str(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(covered: Covered, except: &str, proxy: &str) -> ProxyRule {
        let choice = ProxyChoice::Fixed(Arc::new(ProxyServer::named(proxy).unwrap()));
        ProxyRule { covered, except: NoProxyList::parse(except), choice }
    }

    fn chosen(proxies: &Proxies, url: &str) -> String {
        match proxies.choose(&Url::parse(url).unwrap()) {
            Ok(Some(hop)) => hop.to_string(),
            Ok(None) => "direct".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_first_matching_rule_applies() {
        let mut proxies = Proxies::default();
        assert_eq!(chosen(&proxies, "http://a.example/"), "direct");
        proxies.push(rule(Covered::Http, "a.example", "http://one:1"));
        proxies.push(rule(Covered::Https, "", "http://two:2"));
        proxies.push(rule(Covered::All, "b.example", "http://three:3"));
        let cases = [
            ("http://c.example/", "http://one:1"),
            ("http://a.example/", "http://three:3"),
            ("https://a.example/", "http://two:2"),
            ("https://b.example/", "http://two:2"),
            ("http://b.example/", "http://one:1"),
        ];
        for (url, expected) in cases {
            assert_eq!(chosen(&proxies, url), expected, "{url}");
        }
    }

    #[test]
    fn a_custom_rule_may_defer_to_the_next_rule() {
        let mut proxies = Proxies::default();
        let decide: Arc<Decide> = Arc::new(|url: &Url| match url.path() {
            "/proxied" => Some(ProxyServer::named("socks5://p:9")),
            "/broken" => Some(ProxyServer::named("p:99999")),
            _ => None,
        });
        let choice = ProxyChoice::Program(decide);
        proxies.push(ProxyRule { covered: Covered::All, except: NoProxyList::default(), choice });
        proxies.push(rule(Covered::Https, "", "http://q:1"));
        assert_eq!(chosen(&proxies, "http://a/proxied"), "socks5://p:9");
        assert_eq!(chosen(&proxies, "http://a/"), "direct");
        assert_eq!(chosen(&proxies, "https://a/"), "http://q:1");
        assert!(chosen(&proxies, "http://a/broken").starts_with("proxy URL \"p:99999\": "));
    }

    /// For the `Debug` of a client.
    #[test]
    fn a_choice_is_shown_without_secrets() {
        let broken = "the environment variable x is not UTF-8";
        let cases = [
            (
                ProxyChoice::Fixed(Arc::new(ProxyServer::named("http://u:secret@p:1").unwrap())),
                "http://p:1",
            ),
            (ProxyChoice::Program(Arc::new(|_: &Url| None)), "as the program decides"),
            (ProxyChoice::Broken(broken.to_owned()), broken),
        ];
        for (choice, expected) in cases {
            assert_eq!(format!("{choice:?}"), expected);
        }
    }
}
