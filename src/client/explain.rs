//! The dry run of a request: its explanation, without sending it (feature `export`).

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use http::{Method, header};

use crate::call::{Call, RequestParts};
use crate::client::Client;
use crate::config::Config;
use crate::driver::connect;
use crate::driver::runtime::Runtime;
use crate::error::Result;
use crate::extra::redact;
use crate::policy::deadline::{Silence, Timeouts};

/// The explanation of a request, from `Client::explain` or `RequestBuilder::explain`: the proxy and the rule that
/// chose it, the addresses and what the egress policy says of each, the roots that certificates are verified by, idle
/// connections, time limits, cookies.
///
/// It shows no secrets: of cookies and fields the names, and the URL as
/// [`to_curl`](crate::client::request::RequestBuilder::to_curl) shows it. `Display` is a table of at most 80 columns:
///
/// ```text
/// GET https://example.org/
/// proxy       none: no proxy is set
/// address     93.184.215.14:443
/// connection  a new one: none is idle
/// TLS roots   Mozilla's (webpki-roots)
/// timeouts    connect 10s, first byte 30s, read 30s, write 30s
/// limits      redirects Policy::limited(10), attempts 1, body in memory 268435456
///             bytes, response head 65536 bytes
/// fields      host, user-agent, accept, accept-encoding
/// cookies     none
/// ```
#[derive(Debug, Clone)]
pub struct Explanation {
    method: Method,
    url: String,
    proxy: Option<String>,
    proxy_rule: String,
    addresses: Vec<ExplainedAddress>,
    obstacle: Option<String>,
    unix_socket: Option<String>,
    idle: usize,
    roots: Option<String>,
    timeouts: Vec<(&'static str, Duration)>,
    limits: Vec<(&'static str, String)>,
    fields: Vec<String>,
    cookies: Vec<String>,
}

/// An address that a request could be sent to.
#[derive(Debug, Clone)]
pub struct ExplainedAddress {
    address: SocketAddr,
    denied: Option<String>,
}

impl ExplainedAddress {
    /// Returns the address and port that would be connected to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the reason why the egress policy denies it, if it does.
    pub fn denied(&self) -> Option<&str> {
        self.denied.as_deref()
    }
}

impl Explanation {
    /// Returns the method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Returns the URL, without its secrets.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the proxy, without its login; `None` for a direct connection.
    pub fn proxy(&self) -> Option<&str> {
        self.proxy.as_deref()
    }

    /// Returns the rule that chose the proxy, or the reason why there is none.
    pub fn proxy_rule(&self) -> &str {
        &self.proxy_rule
    }

    /// Returns the addresses of the host, or of the proxy, in the order of the lookup; none if the lookup failed, or
    /// if connections go to a Unix domain socket.
    pub fn addresses(&self) -> &[ExplainedAddress] {
        &self.addresses
    }

    /// Returns the error that the request would end with, if that is known already: the lookup failed, or the egress
    /// policy denies the URL.
    pub fn obstacle(&self) -> Option<&str> {
        self.obstacle.as_deref()
    }

    /// Returns the number of idle connections that could be used. Whether they are alive is seen when one is used.
    pub fn idle_connections(&self) -> usize {
        self.idle
    }

    /// Returns the roots that the certificate of the host is verified by; `None` for a URL without TLS.
    pub fn tls_roots(&self) -> Option<&str> {
        self.roots.as_deref()
    }

    /// Returns the time limits that hold, by name; a limit that is not here does not exist.
    pub fn timeouts(&self) -> impl Iterator<Item = (&str, Duration)> {
        self.timeouts.iter().copied()
    }

    /// Returns the other limits that hold, by name.
    pub fn limits(&self) -> impl Iterator<Item = (&str, &str)> {
        self.limits.iter().map(|(name, limit)| (*name, limit.as_str()))
    }

    /// Returns the names of the fields that would be sent, in their order.
    pub fn header_names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(String::as_str)
    }

    /// Returns the names of the cookies that would be sent.
    pub fn cookie_names(&self) -> impl Iterator<Item = &str> {
        self.cookies.iter().map(String::as_str)
    }
}

/// Explains a request: looks its host up, and sends nothing.
pub(crate) async fn explain<F: Runtime>(
    client: &Client<F>,
    request: Box<RequestParts<F::Source>>,
) -> Result<Explanation> {
    let shared = client.shared();
    let config = &*shared.config;
    let mut call = Call::new(config, &shared.calls, request, shared.runtime.now());
    call.begin()?;
    let found = connect::candidates(&shared.runtime, &mut call).await;
    let obstacle = found.as_ref().err().map(|error| redact::text(&error.to_string()));
    let address = |(address, denied): (SocketAddr, Option<_>)| ExplainedAddress {
        address,
        denied: denied.map(|why: crate::policy::egress::Denied| why.to_string()),
    };
    let sent = call.sent();
    let cookies = sent.fields().filter(|(_, name, _)| *name == header::COOKIE);
    let cookies = cookies.flat_map(|(_, _, value)| cookie_names(value.as_bytes()));
    let is_tls = call.url().scheme() == "https";
    let idle = shared.idle().pool.idle_to(call.url(), call.proxy(), call.identity());
    Ok(Explanation {
        method: call.method().clone(),
        url: redact::url(call.url()),
        proxy: call.proxy().map(ToString::to_string),
        proxy_rule: config.explain_proxy(call.url()),
        addresses: found.unwrap_or_default().into_iter().map(address).collect(),
        obstacle,
        unix_socket: config.dialling.unix_socket.as_ref().map(|path| path.display().to_string()),
        idle,
        roots: is_tls.then(|| config.tls.roots_in_use()),
        timeouts: limits_of_time(call.budget.timeouts()),
        limits: other_limits(config, call.max_attempts()),
        fields: sent.fields().map(|(_, name, _)| name.to_string()).collect(),
        cookies: cookies.collect(),
    })
}

fn cookie_names(value: &[u8]) -> Vec<String> {
    let pairs = value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let names = pairs.map(|pair| pair.split(|byte| *byte == b'=').next().unwrap_or_default());
    names.map(|name| String::from_utf8_lossy(name).into_owned()).collect()
}

fn limits_of_time(timeouts: &Timeouts) -> Vec<(&'static str, Duration)> {
    let first_byte = match timeouts.silence {
        Silence::Default(_) => timeouts.default_first_byte(),
        Silence::FirstByte => timeouts.first_byte,
        Silence::Read => [timeouts.first_byte, timeouts.read].into_iter().flatten().min(),
    };
    let limits = [
        ("total", timeouts.total),
        ("connect", timeouts.connect),
        ("lookup", timeouts.resolve),
        ("handshake", timeouts.handshake),
        ("first byte", first_byte),
        ("read", timeouts.read),
        ("write", timeouts.write),
    ];
    limits.into_iter().filter_map(|(name, limit)| Some((name, limit?))).collect()
}

fn other_limits(config: &Config, attempts: u32) -> Vec<(&'static str, String)> {
    let mut limits = vec![
        ("redirects", format!("{:?}", config.redirect)),
        ("attempts", attempts.to_string()),
        ("body in memory", format!("{} bytes", config.limits.max_body_bytes)),
        ("response head", format!("{} bytes", config.limits.max_head_bytes)),
    ];
    if let Some(most) = config.pool.max_open_per_host {
        limits.push(("open connections to the host", most.to_string()));
    }
    limits
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |items: &mut dyn Iterator<Item = String>| {
            let items = items.collect::<Vec<_>>();
            if items.is_empty() { "none".to_owned() } else { items.join(", ") }
        };
        write!(f, "{}", wrapped("", &format!("{} {}", self.method, self.url)))?;
        let proxy = self.proxy.as_deref().unwrap_or("none");
        let mut rows = vec![("proxy", format!("{proxy}: {}", self.proxy_rule))];
        if let Some(path) = &self.unix_socket {
            rows.push(("socket", path.clone()));
        }
        rows.extend(self.addresses.iter().map(|ExplainedAddress { address, denied }| {
            let denied = denied.as_ref().map_or_else(String::new, |why| format!(" denied: {why}"));
            ("address", format!("{address}{denied}"))
        }));
        rows.extend(self.obstacle.as_ref().map(|error| ("error", error.clone())));
        rows.push((
            "connection",
            match self.idle {
                0 => "a new one: none is idle".to_owned(),
                idle => format!("an idle one, of {idle}"),
            },
        ));
        rows.extend(self.roots.as_ref().map(|roots| ("TLS roots", roots.clone())));
        let timeouts = &mut self.timeouts.iter().map(|(name, limit)| format!("{name} {limit:?}"));
        rows.push(("timeouts", list(timeouts)));
        let limits = &mut self.limits.iter().map(|(name, limit)| format!("{name} {limit}"));
        rows.push(("limits", list(limits)));
        rows.push(("fields", list(&mut self.fields.iter().cloned())));
        rows.push(("cookies", list(&mut self.cookies.iter().cloned())));
        rows.iter().try_for_each(|(label, value)| write!(f, "\n{}", wrapped(label, value)))
    }
}

/// The width of a terminal.
const COLUMNS: usize = 80;

/// The width of the labels of the table.
const LABEL: usize = 12;

/// Returns a row of the table, whose lines are broken at spaces, or within a word that is too long for one.
fn wrapped(label: &str, value: &str) -> String {
    let indent = if label.is_empty() { 0 } else { LABEL };
    let mut out = format!("{label:<indent$}");
    let mut column = indent;
    for (at, word) in value.split_whitespace().enumerate() {
        let length = word.chars().count();
        if at > 0 && column + 1 + length > COLUMNS {
            out.push_str(&format!("\n{:indent$}", ""));
            column = indent;
        } else if at > 0 {
            out.push(' ');
            column += 1;
        }
        for c in word.chars() {
            if column == COLUMNS {
                out.push_str(&format!("\n{:indent$}", ""));
                column = indent;
            }
            out.push(c);
            column += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests;
