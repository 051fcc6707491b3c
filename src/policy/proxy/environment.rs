//! The proxies from environment variables, with curl's rules.
//!
//! | URL | the first non-empty one of these |
//! | --- | --- |
//! | `http` | `http_proxy`, `HTTP_PROXY`, `all_proxy`, `ALL_PROXY` |
//! | `https` | `https_proxy`, `HTTPS_PROXY`, `all_proxy`, `ALL_PROXY` |
//! | exceptions | `no_proxy`, `NO_PROXY` |
//!
//! If this program runs as a CGI script (`REQUEST_METHOD` is set), the web server copies the
//! `Proxy` field of its client's request into `HTTP_PROXY` (CVE-2016-5386 and others), so the
//! variable is ignored there. curl never reads it; Go and reqwest follow the same rule as this
//! file.

use std::ffi::OsString;
use std::sync::Arc;

use super::no_proxy::NoProxyList;
use crate::policy::proxy::rules::{Covered, Proxies, ProxyChoice, ProxyRule};
use crate::policy::proxy::server::ProxyServer;

/// On Windows, variable names are case-insensitive.
const ONE_CASE: bool = cfg!(windows);

const HTTP: [&str; 4] = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
const HTTPS: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/// Returns the proxies. An invalid value is an error of each request that would have used it.
pub(crate) fn proxies(variable: impl Fn(&str) -> Option<OsString>) -> Proxies {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let is_cgi = variable("REQUEST_METHOD").is_some();
    let counts = |name: &str| {
        !is_cgi || name != "HTTP_PROXY" && !(ONE_CASE && name.eq_ignore_ascii_case("HTTP_PROXY"))
    };
    let except = no_proxy(&variable).unwrap_or_default();
    let mut proxies = Proxies::default();
    for (covered, names) in [(Covered::Http, HTTP), (Covered::Https, HTTPS)] {
        let mut named = names.into_iter().filter(|name| counts(name));
        if let Some((name, value)) = named.find_map(|name| Some((name, set(name)?))) {
            let choice = choice(name, value);
            proxies.push(ProxyRule { covered, except: except.clone(), choice });
        }
    }
    proxies
}

/// Returns the hosts that are reached without a proxy, or `None` if no variable is set.
pub(crate) fn no_proxy(variable: impl Fn(&str) -> Option<OsString>) -> Option<NoProxyList> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let list = set("no_proxy").or_else(|| set("NO_PROXY"))?;
    Some(NoProxyList::parse(&list.to_string_lossy()))
}

fn choice(name: &str, value: OsString) -> ProxyChoice {
    let Ok(value) = value.into_string() else {
        return ProxyChoice::Broken(format!("the environment variable {name} is not UTF-8"));
    };
    match ProxyServer::named(&value) {
        Ok(hop) => ProxyChoice::Fixed(Arc::new(hop)),
        Err(error) => ProxyChoice::Broken(format!("the environment variable {name}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::url::Url;

    type Variables<'a> = &'a [(&'a str, &'a str)];

    fn read(variables: Variables<'_>) -> Proxies {
        proxies(|name| {
            let found = variables.iter().find(|(own, _)| *own == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    fn chosen(variables: Variables<'_>, url: &str) -> Result<String, Error> {
        let hop = read(variables).choose(&Url::parse(url).unwrap())?;
        Ok(hop.map_or("direct".to_owned(), |hop| hop.to_string()))
    }

    #[test]
    fn variables_take_precedence_in_order() {
        let cases: [(Variables<'_>, &str, &str); 12] = [
            (&[], "direct", "direct"),
            (&[("http_proxy", "l:1")], "http://l:1", "direct"),
            (&[("https_proxy", "l:1")], "direct", "http://l:1"),
            (&[("HTTP_PROXY", "u:1")], "http://u:1", "direct"),
            (&[("HTTPS_PROXY", "https://u:1")], "direct", "https://u:1"),
            (&[("all_proxy", "socks5h://l")], "socks5h://l:1080", "socks5h://l:1080"),
            (&[("ALL_PROXY", "u:1")], "http://u:1", "http://u:1"),
            (&[("http_proxy", "l:1"), ("HTTP_PROXY", "u:1")], "http://l:1", "direct"),
            (&[("https_proxy", "l:1"), ("HTTPS_PROXY", "u:1")], "direct", "http://l:1"),
            (&[("http_proxy", "l:1"), ("ALL_PROXY", "u:1")], "http://l:1", "http://u:1"),
            (&[("all_proxy", "l:1"), ("ALL_PROXY", "u:1")], "http://l:1", "http://l:1"),
            (&[("http_proxy", ""), ("ALL_PROXY", "u:1")], "http://u:1", "http://u:1"),
        ];
        for (variables, http, https) in cases {
            assert_eq!(chosen(variables, "http://a.example/").unwrap(), http, "{variables:?}");
            assert_eq!(chosen(variables, "https://a.example/").unwrap(), https, "{variables:?}");
        }
    }

    /// CVE-2016-5386 and related: the client of a CGI script controls `HTTP_PROXY`.
    #[test]
    fn r16_http_proxy_is_ignored_in_cgi() {
        let cgi = ("REQUEST_METHOD", "GET");
        let cases: [(Variables<'_>, &str); 4] = [
            (&[cgi, ("HTTP_PROXY", "evil:1")], "direct"),
            (&[cgi, ("HTTP_PROXY", "evil:1"), ("ALL_PROXY", "u:1")], "http://u:1"),
            (&[cgi, ("HTTP_PROXY", "evil:1"), ("http_proxy", "l:1")], "http://l:1"),
            (&[("REQUEST_METHOD", ""), ("HTTP_PROXY", "evil:1")], "direct"),
        ];
        for (variables, expected) in cases.into_iter().filter(|_| !ONE_CASE) {
            assert_eq!(chosen(variables, "http://a.example/").unwrap(), expected, "{variables:?}");
        }
        let https = [cgi, ("HTTPS_PROXY", "u:1")];
        assert_eq!(chosen(&https, "https://a.example/").unwrap(), "http://u:1");
    }

    #[test]
    fn no_proxy_is_read() {
        let all = ("all_proxy", "p:1");
        let cases: [(Variables<'_>, &str); 5] = [
            (&[all], "http://p:1"),
            (&[all, ("no_proxy", "a.example")], "direct"),
            (&[all, ("NO_PROXY", "a.example")], "direct"),
            (&[all, ("no_proxy", "b.example"), ("NO_PROXY", "a.example")], "http://p:1"),
            (&[all, ("no_proxy", ""), ("NO_PROXY", "a.example")], "direct"),
        ];
        for (variables, expected) in cases {
            assert_eq!(chosen(variables, "http://a.example/").unwrap(), expected, "{variables:?}");
        }
    }

    #[test]
    fn an_invalid_value_fails_only_the_requests_that_need_it() {
        let variables = [("HTTPS_PROXY", "ftp://p"), ("NO_PROXY", "b.example")];
        let error = chosen(&variables, "https://a.example/").unwrap_err();
        assert!(error.is_builder());
        let line = error.to_string();
        assert!(
            line.starts_with("the environment variable HTTPS_PROXY: proxy URL \"ftp"),
            "{line}"
        );
        assert_eq!(chosen(&variables, "http://a.example/").unwrap(), "direct");
        assert_eq!(chosen(&variables, "https://b.example/").unwrap(), "direct");
        let secret = [("https_proxy", "http://u:pass word@p:x")];
        let line = chosen(&secret, "https://a.example/").unwrap_err().to_string();
        assert_eq!(line, "the environment variable https_proxy: proxy URL: it is not valid");
    }

    #[cfg(unix)]
    #[test]
    fn a_non_unicode_value_is_invalid_too() {
        use std::os::unix::ffi::OsStringExt as _;
        let variable = |name: &str| {
            (name == "http_proxy").then(|| OsString::from_vec(b"http://p\xff:1".to_vec()))
        };
        let error = proxies(variable).choose(&Url::parse("http://a/").unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "the environment variable http_proxy is not UTF-8");
    }
}
