//! Connections: the addresses that they lead to, the proxies on the way, the options of their sockets, and
//! the pool that keeps them.

use std::net::{IpAddr, SocketAddr};
#[cfg(unix)]
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::ClientBuilder;
use crate::config::IpFamily;
use crate::config::dns::{IntoResolve, Resolver};
use crate::config::proxy::Proxy;
use crate::driver::runtime::Runtime;
use crate::policy::egress::EgressPolicy;

/// Names and addresses.
impl<F: Runtime, D> ClientBuilder<F, D> {
    /// Connects to this address for `domain` instead of looking it up. Port 0 stands for the port
    /// of the URL. `Host` and the certificate's name stay those of `domain`.
    ///
    /// `domain` is a host as in a URL, without a port: any other text is an error of
    /// [`build`](Self::build). If a proxy looks up the names of origins, as all kinds except
    /// `socks4` and `socks5` do, this has no effect on those origins, but it has on the name of the
    /// proxy.
    ///
    /// ```
    /// let local = "127.0.0.1:0".parse().unwrap();
    /// let client = leanhttp::Client::builder().resolve("example.org", local).build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn resolve(self, domain: &str, addr: SocketAddr) -> Self {
        self.resolve_to_addrs(domain, &[addr])
    }

    /// Connects to one of these addresses for `domain`; see [`resolve`](Self::resolve).
    ///
    /// ```
    /// let local = [([127, 0, 0, 1], 8080).into(), ([127, 0, 0, 2], 8080).into()];
    /// let client = leanhttp::Client::builder().resolve_to_addrs("api.example", &local).build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn resolve_to_addrs(mut self, domain: &str, addrs: &[SocketAddr]) -> Self {
        let added = self.config.dialling.resolve(domain, addrs);
        self.checked(added, |_, ()| {})
    }

    /// Looks names up with this resolver instead of the system's: a [`Resolve`](crate::dns::Resolve), or one
    /// in an `Arc`, also an `Arc<dyn Resolve>`. [`dns::from_fn`](crate::dns::from_fn) makes one of a function.
    pub fn dns_resolver<R: IntoResolve>(mut self, resolver: R) -> Self {
        self.config.dialling.resolver = Resolver(resolver.into_resolve());
        self
    }

    /// Connects to `target` instead of `host`, both given as `host:port`. URL, `Host` field and
    /// certificate stay those of `host`; the name of `target` is looked up.
    ///
    /// A request for `host` that would go through a proxy is an error: the proxy would connect to
    /// `host`. Requests through a [`unix_socket`](Self::unix_socket) are not affected.
    ///
    /// ```
    /// let builder = leanhttp::Client::builder().connect_to("example.org:443", "staging.test:8443");
    /// # builder.build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn connect_to(mut self, host: &str, target: &str) -> Self {
        let added = self.config.dialling.connect_to(host, target);
        self.checked(added, |_, ()| {})
    }

    /// Uses addresses of one family only; by default those of both, tried alternately (RFC 8305).
    pub fn ip_family(mut self, family: IpFamily) -> Self {
        self.config.dialling.family = family;
        self
    }

    /// Sets the addresses that may be connected to; all by default. See [`EgressPolicy`].
    pub fn egress(self, egress: EgressPolicy) -> Self {
        self.checked(egress.understood(), |config, egress| {
            config.dialling.egress = Some(Arc::new(egress));
        })
    }

    /// Sends all requests through this Unix domain socket. The URL's host is used for `Host` and TLS,
    /// and is not looked up.
    ///
    /// With an [`egress`](Self::egress) policy that does not start with
    /// [`EgressPolicy::allow_all`] it is an error of [`build`](Self::build): the socket has no address
    /// that such a policy could allow.
    ///
    /// ```no_run
    /// let client = leanhttp::Client::builder().unix_socket("/run/docker.sock").build()?;
    /// let version = client.get("http://docker/version").send()?.text()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    #[cfg(unix)]
    pub fn unix_socket(mut self, path: impl AsRef<Path>) -> Self {
        self.config.dialling.unix_socket = Some(path.as_ref().to_owned());
        self
    }
}

/// Proxies.
impl<F: Runtime, D> ClientBuilder<F, D> {
    /// Adds a proxy. The first one that covers a URL is used; the proxies of the environment are
    /// ignored. See [`proxy`](crate::config::proxy).
    pub fn proxy(self, proxy: Proxy) -> Self {
        self.checked(proxy.into_rule(), |config, rule| {
            config.proxies.get_or_insert_default().push(rule);
        })
    }

    /// Uses no proxy: neither those of the environment nor those that were set before.
    pub fn no_proxy(mut self) -> Self {
        self.config.proxies = Some(Default::default());
        self
    }
}

/// Socket options.
impl<F: Runtime, D> ClientBuilder<F, D> {
    /// Sets the local address of connections. Only addresses of its family are connected to.
    pub fn local_address<T: Into<Option<IpAddr>>>(mut self, addr: T) -> Self {
        self.config.dialling.socket.local = addr.into();
        self
    }

    /// Sets the network interface of connections (`SO_BINDTODEVICE`), such as `eth0`.
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    pub fn interface(mut self, interface: &str) -> Self {
        self.config.dialling.socket.interface = Some(interface.to_owned());
        self
    }

    /// Sends data without waiting for more (`TCP_NODELAY`); on by default.
    pub fn tcp_nodelay(mut self, enabled: bool) -> Self {
        self.config.dialling.socket.nodelay = enabled;
        self
    }

    /// Sets the idle time after which the system probes the peer (`SO_KEEPALIVE`, `TCP_KEEPIDLE`).
    /// No probes are sent by default.
    pub fn tcp_keepalive<T: Into<Option<Duration>>>(mut self, val: T) -> Self {
        self.config.dialling.socket.keepalive.idle = val.into();
        self
    }

    /// Sets the time between two keepalive probes (`TCP_KEEPINTVL`); the system's by default.
    pub fn tcp_keepalive_interval<T: Into<Option<Duration>>>(mut self, val: T) -> Self {
        self.config.dialling.socket.keepalive.interval = val.into();
        self
    }

    /// Sets the number of unanswered keepalive probes after which the connection is dropped
    /// (`TCP_KEEPCNT`); the system's number by default.
    pub fn tcp_keepalive_retries<C: Into<Option<u32>>>(mut self, retries: C) -> Self {
        self.config.dialling.socket.keepalive.retries = retries.into();
        self
    }

    /// Sets the time that sent data may stay unacknowledged before the system drops the connection
    /// (`TCP_USER_TIMEOUT`, RFC 5482); the system's time by default.
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    pub fn tcp_user_timeout<T: Into<Option<Duration>>>(mut self, val: T) -> Self {
        self.config.dialling.socket.user_timeout = val.into();
        self
    }
}

/// The connection pool.
impl<F: Runtime, D> ClientBuilder<F, D> {
    /// Sets the time for which a connection may be idle and still be reused; 90 seconds by default.
    ///
    /// No thread closes it when that time is over: the client's next call does, to any host, or
    /// [`close_idle_connections`](crate::client::Client::close_idle_connections). On tokio, a task does if you turn on
    /// `pool_reaper`.
    pub fn pool_idle_timeout<T: Into<Option<Duration>>>(mut self, timeout: T) -> Self {
        self.config.pool.idle_timeout = timeout.into();
        self
    }

    /// Sets the maximum number of idle connections to one host; 32 by default, 0 keeps none.
    pub fn pool_max_idle_per_host(mut self, max: usize) -> Self {
        self.config.pool.max_idle_per_host = max;
        self
    }

    /// Sets the maximum number of idle connections in total; 128 by default, 0 keeps none.
    pub fn pool_max_idle(mut self, max: usize) -> Self {
        self.config.pool.max_idle = max;
        self
    }

    /// Sets the maximum number of connections to one host, idle and in use; no limit by default.
    /// Further requests wait in order of arrival, for up to the
    /// [`pool_wait_timeout`](Self::pool_wait_timeout). At least one is always allowed.
    pub fn pool_max_open_per_host(mut self, max: usize) -> Self {
        self.config.pool.max_open_per_host = Some(max);
        self
    }

    /// Sets the time to wait for a free connection, where
    /// [`pool_max_open_per_host`](Self::pool_max_open_per_host) allows no further one. By default as
    /// long as the [`connect_timeout`](Self::connect_timeout), which starts only afterwards. `None`
    /// waits without limit.
    ///
    /// When it passes, the error is a timeout of the phase [`Queue`](crate::error::Phase::Queue).
    /// reqwest has no such limit.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let client = leanhttp::Client::builder()
    ///     .pool_max_open_per_host(4)
    ///     .pool_wait_timeout(Duration::from_secs(60))
    ///     .build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn pool_wait_timeout<T: Into<Option<Duration>>>(mut self, timeout: T) -> Self {
        self.timeouts().pool_wait = Some(timeout.into());
        self
    }

    /// Sets the maximum age of a connection; no limit by default. It is closed after the request
    /// that it serves at that time, so that clients reach new servers behind a name.
    pub fn pool_max_age<T: Into<Option<Duration>>>(mut self, age: T) -> Self {
        self.config.pool.max_age = age.into();
        self
    }
}
