//! Names, addresses and sockets: how a connection is made, and which destinations are denied.
#![cfg(feature = "blocking")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use leanhttp::error::{Fault, Kind, Phase};
use leanhttp::{Client, ClientBuilder, EgressPolicy, Error, IpFamily, Proxy, dns};

use support::net::{self, Unreachable};
use support::proxy::Proxy as Hops;
use support::script::{Script, answer, moved, ok};

type Addresses = io::Result<Vec<SocketAddr>>;
type Lookup = fn(&str) -> Addresses;

fn server() -> Script {
    Script::serve(vec![answer(ok("here"))])
}

fn fetch(client: ClientBuilder, url: &str) -> leanhttp::Result<String> {
    client.build()?.get(url).send()?.text()
}

#[track_caller]
fn assert_told(error: &Error, told: (Kind, Phase), line: &str) {
    assert_eq!((error.kind(), error.phase()), told, "{error}");
    assert_eq!(error.to_string(), line);
}

/// RFC 8305.
mod happy_eyeballs {
    use super::*;

    #[test]
    fn a_silent_address_does_not_hold_up_the_next() {
        let (silent, server) = (Unreachable::start(), server());
        let addresses = [silent.addr(), silent.addr(), server.addr()];
        let client = Client::builder().resolve_to_addrs("h.test", &addresses);
        assert_eq!(fetch(client, "http://h.test/").unwrap(), "here");
    }

    #[test]
    fn a_refusal_starts_the_next_address_immediately() {
        let server = server();
        // With a quarter of a second before each address, there would be no time for the last.
        let mut addresses: Vec<_> = (0..20).map(|_| net::refused()).collect();
        addresses.push(server.addr());
        let client = Client::builder().resolve_to_addrs("h.test", &addresses);
        let client = client.connect_timeout(Duration::from_secs(4));
        assert_eq!(fetch(client, "http://h.test/").unwrap(), "here");
    }

    #[test]
    fn the_first_that_accepts_is_the_only_one_used() {
        let (first, second) = (server(), Script::serve(vec![]));
        let client = Client::builder().resolve_to_addrs("h.test", &[first.addr(), second.addr()]);
        assert_eq!(fetch(client, "http://h.test/").unwrap(), "here");
        assert_eq!(second.accepted(), 0);
    }

    #[test]
    fn the_error_has_a_cause_for_each_address() {
        let (silent, refused) = (Unreachable::start(), net::refused());
        let client = Client::builder().resolve_to_addrs("h.test", &[refused, silent.addr()]);
        let client = client.connect_timeout(Duration::from_millis(100));
        let error = fetch(client, "http://h.test/").unwrap_err();
        let reason = std::net::TcpStream::connect(refused).unwrap_err();
        let line = format!(
            "connecting to 2 addresses for http://h.test/: {refused}: {reason}; {}: timed out: no \
             connection within 100ms (connect timeout)",
            silent.addr()
        );
        assert_told(&error, (Kind::Timeout, Phase::Connect), &line);
    }
}

mod names {
    use super::*;

    #[test]
    fn are_looked_up_by_a_resolver_of_the_callers() {
        let server = server();
        let addr = server.addr();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let resolver = move |name: &str| -> Addresses {
            assert_eq!(name, "xn--bcher-kva.test");
            count.fetch_add(1, Ordering::Relaxed);
            Ok(vec![addr])
        };
        let client = Client::builder().dns_resolver(dns::from_fn(resolver));
        assert_eq!(fetch(client, "http://XN--bcher-kva.test/").unwrap(), "here");
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    /// A resolver may fail in any way.
    #[test]
    fn that_are_not_found_are_resolve_errors() {
        let rows: [(Lookup, &str, Kind); 4] = [
            (|_| Err(io::Error::other("no such office")), "no such office", Kind::Resolve),
            (|_| Ok(vec![]), "the name has no address", Kind::Resolve),
            (|_| panic!("on purpose"), "the lookup ended without an answer", Kind::Resolve),
            (
                |_| {
                    thread::sleep(Duration::from_secs(5));
                    Ok(vec![])
                },
                "timed out: no connection within 200ms (connect timeout)",
                Kind::Timeout,
            ),
        ];
        for (resolver, reason, kind) in rows {
            let client = Client::builder().dns_resolver(dns::from_fn(resolver));
            let limit = if kind == Kind::Timeout { 200 } else { 10_000 };
            let client = client.connect_timeout(Duration::from_millis(limit));
            let error = fetch(client, "http://h.test/").unwrap_err();
            let line = format!("looking up h.test for http://h.test/: {reason}");
            assert_told(&error, (kind, Phase::Resolve), &line);
        }
    }

    #[test]
    fn are_replaced_by_connect_to() {
        let server = server();
        let addr = server.addr();
        let client = Client::builder().connect_to("a.test:80", "nowhere.invalid:1"); // the last one holds
        let client = client.connect_to("a.test:80", &format!("b.test:{}", addr.port()));
        let client = client.resolve("b.test", SocketAddr::new(addr.ip(), 0));
        assert_eq!(fetch(client, "http://a.test/").unwrap(), "here");
        assert!(server.received_text(0).contains("\r\nhost: a.test\r\n"));
        let error = Client::builder().connect_to("a.test", "b.test:1").build().unwrap_err();
        let line = "connect_to: a host and a port are needed, such as example.org:443";
        assert_told(&error, (Kind::Builder, Phase::Build), line);
    }

    #[test]
    fn can_be_limited_to_one_ip_family() {
        let server = server();
        let v6 = "[::1]:9".parse().unwrap();
        let client = || Client::builder().resolve_to_addrs("h.test", &[v6, server.addr()]);
        let text = fetch(client().ip_family(IpFamily::V4), "http://h.test/").unwrap();
        assert_eq!(text, "here");
        let client = Client::builder().resolve("h.test", v6).ip_family(IpFamily::V4);
        let error = fetch(client, "http://h.test/").unwrap_err();
        let line = "looking up h.test for http://h.test/: the name has no address of the \
                    requested IP family";
        assert_told(&error, (Kind::Resolve, Phase::Resolve), line);
    }
}

#[cfg(target_os = "linux")]
mod sockets {
    use super::*;
    use std::net::TcpListener;

    /// Returns the address that a server sees of a client with these settings.
    fn peer(set: impl FnOnce(ClientBuilder) -> ClientBuilder) -> leanhttp::Result<IpAddr> {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        let url = format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port());
        let client = set(Client::builder()).timeout(Duration::from_secs(5)).build()?;
        let accepted = thread::spawn(move || listener.accept().map(|(_, peer)| peer.ip()));
        let error = client.get(url).send().unwrap_err();
        match error.kind() {
            Kind::Connect => Err(error),
            _ => Ok(accepted.join().unwrap().unwrap()),
        }
    }

    #[test]
    fn bind_to_the_local_address() {
        let local = IpAddr::from([127, 0, 0, 2]);
        assert_eq!(peer(|client| client.local_address(local)).unwrap(), local);
        let not_ours = IpAddr::from([192, 0, 2, 1]);
        let error = peer(|client| client.local_address(not_ours)).unwrap_err();
        assert!(
            error.to_string().ends_with(
                ": local address 192.0.2.1: Cannot assign requested address (os error 99)"
            ),
            "{error}"
        );
    }

    #[test]
    fn bind_to_the_interface() {
        assert!(peer(|client| client.interface("lo")).unwrap().is_loopback());
        let error = peer(|client| client.interface("nosuch0")).unwrap_err();
        assert!(
            error.to_string().ends_with(": interface \"nosuch0\": No such device (os error 19)"),
            "{error}"
        );
    }

    #[test]
    fn accept_every_option() {
        let second = Duration::from_secs(1);
        let came = peer(|client| {
            client
                .tcp_nodelay(false)
                .tcp_keepalive(second)
                .tcp_keepalive_interval(second)
                .tcp_keepalive_retries(3)
                .tcp_user_timeout(second)
        });
        assert!(came.unwrap().is_loopback());
    }
}

#[cfg(unix)]
mod unix_sockets {
    use super::*;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixListener;

    #[test]
    fn serve_every_url() {
        let path = std::env::temp_dir().join(format!("leanhttp-{}.sock", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = [0; 4096];
            let mut received = String::new();
            for _ in 0..2 {
                let count = stream.read(&mut head).unwrap();
                received += std::str::from_utf8(&head[..count]).unwrap();
                stream.write_all(&ok("local")).unwrap();
            }
            received
        });
        let client = Client::builder().unix_socket(&path).build().unwrap();
        for _ in 0..2 {
            let response = client.get("http://docker/version").send().unwrap();
            assert_eq!(response.remote_addr(), None);
            assert_eq!(response.text().unwrap(), "local");
        }
        let received = server.join().unwrap();
        assert_eq!(received.matches("GET /version HTTP/1.1\r\nhost: docker\r\n").count(), 2);
        std::fs::remove_file(&path).unwrap();
        let fresh = Client::builder().unix_socket(&path).build().unwrap();
        let error = fresh.get("http://docker/").send().unwrap_err();
        let line = format!(
            "connecting to {} for http://docker/: No such file or directory (os error 2)",
            path.display()
        );
        assert_told(&error, (Kind::Connect, Phase::Connect), &line);
    }
}

/// Names whose servers are silent leave lookups for others.
mod silent_names {
    use super::*;

    /// A resolver that answers for `h.test`, and for no other name until the sender is dropped; and
    /// the number of other names it was asked for.
    fn resolver(
        addr: SocketAddr,
    ) -> (mpsc::Sender<()>, Arc<AtomicUsize>, impl dns::Resolve + 'static) {
        let (hold, held) = mpsc::channel();
        let (held, asked) = (Mutex::new(held), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&asked);
        let resolver = move |name: &str| -> Addresses {
            if name == "h.test" {
                return Ok(vec![addr]);
            }
            count.fetch_add(1, Ordering::SeqCst);
            let _ = held.lock().unwrap().recv();
            Err(io::ErrorKind::TimedOut.into())
        };
        (hold, asked, dns::from_fn(resolver))
    }

    #[test]
    fn s07_names_of_one_site_leave_lookups_for_others() {
        let server = Script::serve(vec![answer(ok("here"))]);
        let (silence, asked, resolver) = resolver(server.addr());
        let client = Client::builder().dns_resolver(resolver).build().unwrap();
        let token = leanhttp::CancelToken::new();
        let calls: Vec<_> = (0..80)
            .map(|n| {
                let url = format!("http://{n}.silent.test/");
                let request = client.get(url).connect_timeout(Duration::from_secs(60));
                let request = request.cancel_token(&token);
                thread::spawn(move || request.send().map(drop))
            })
            .collect();
        while asked.load(Ordering::SeqCst) < 13 {
            thread::yield_now();
        }
        assert_eq!(client.get("http://h.test/").send().unwrap().text().unwrap(), "here");
        assert_eq!(asked.load(Ordering::SeqCst), 13);

        let late =
            client.get("http://late.silent.test/").connect_timeout(Duration::from_millis(50));
        let error = late.send().unwrap_err();
        assert_eq!((error.kind(), error.phase()), (Kind::Timeout, Phase::Resolve), "{error}");
        let why = "the lookup has not started: 13 lookups of other names have no answer yet, \
                   13 of them for silent.test";
        assert!(error.to_string().contains(why), "{error}");
        token.cancel();
        drop(silence);
        for call in calls {
            call.join().unwrap().unwrap_err();
        }
    }

    /// Calls that look up the same name share one lookup.
    #[test]
    fn s07_calls_to_one_host_share_a_lookup() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let (go, told) = mpsc::channel::<()>();
        let told = Mutex::new(told);
        let resolver = move |_: &str| -> Addresses {
            count.fetch_add(1, Ordering::SeqCst);
            let _ = told.lock().unwrap().recv();
            Err(io::Error::other("no such name"))
        };
        let client = Client::builder().dns_resolver(dns::from_fn(resolver)).build().unwrap();
        let calls: Vec<_> = (0..10)
            .map(|_| {
                let request = client.get("http://a.test/").connect_timeout(Duration::from_secs(60));
                thread::spawn(move || request.send().map(drop))
            })
            .collect();
        while client.pool_stats().open < 10 || asked.load(Ordering::SeqCst) < 1 {
            thread::yield_now();
        }
        thread::sleep(Duration::from_millis(50)); // so that all of them have asked
        drop(go);
        for call in calls {
            let error = call.join().unwrap().unwrap_err();
            assert_eq!(error.to_string(), "looking up a.test for http://a.test/: no such name");
        }
        assert!(asked.load(Ordering::SeqCst) < 10, "{asked:?}");
    }
}

/// The policy checks the address that is dialed.
mod egress {
    use super::*;

    #[test]
    fn n07_addresses_that_are_not_public_are_denied() {
        let server = Script::serve(vec![]);
        let port = server.addr().port();
        for host in ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"] {
            let client = Client::builder().egress(EgressPolicy::public_only());
            let error = fetch(client, &format!("http://{host}:{port}/")).unwrap_err();
            assert_eq!((error.kind(), error.fault()), (Kind::Egress, Fault::Policy), "{error}");
            assert!(error.to_string().ends_with("is not allowed by the egress policy"), "{error}");
        }
        assert_eq!(server.accepted(), 0);
    }

    /// The name resolves to one address when it is checked, and to another when it is used (DNS
    /// rebinding).
    #[test]
    fn n07_the_address_that_is_dialed_is_the_one_checked() {
        let server = Script::serve(vec![answer(ok("first"))]);
        let (addr, asked) = (server.addr(), AtomicUsize::new(0));
        let resolver = move |_: &str| -> Addresses {
            match asked.fetch_add(1, Ordering::Relaxed) {
                0 => Ok(vec![addr]),
                _ => Ok(vec!["169.254.169.254:0".parse().unwrap()]),
            }
        };
        let egress = EgressPolicy::public_only().allow_network("127.0.0.0/8".parse().unwrap());
        let client = Client::builder().dns_resolver(dns::from_fn(resolver)).egress(egress);
        let client = client.pool_max_idle(0).build().unwrap();
        assert_eq!(client.get("http://h.test/").send().unwrap().text().unwrap(), "first");
        let error = client.get("http://h.test/").send().unwrap_err();
        let line = "connecting to 169.254.169.254:80 for http://h.test/: 169.254.169.254 is not \
                    allowed by the egress policy";
        assert_told(&error, (Kind::Egress, Phase::Connect), line);
    }

    #[test]
    fn n07_a_redirect_to_a_denied_address_is_denied() {
        let inner = Script::serve(vec![]);
        let server = Script::serve(vec![moved(302, &inner.url("/secret"))]);
        let egress =
            EgressPolicy::allow_all().deny_port_range(inner.addr().port()..=inner.addr().port());
        let error = fetch(Client::builder().egress(egress), &server.url("/")).unwrap_err();
        let port = inner.addr().port();
        let line = format!(
            "connecting to 127.0.0.1:{port} for http://127.0.0.1:{port}/secret: port {port} is not \
             allowed by the egress policy"
        );
        assert_told(&error, (Kind::Egress, Phase::Connect), &line);
        assert_eq!(inner.accepted(), 0);
    }

    /// A connection to a forwarding proxy serves all origins: each is checked, not only the first.
    #[test]
    fn n07_a_proxy_receives_no_denied_destination() {
        for denied in ["http://169.254.169.254/", "http://0x0a.1/", "http://h.test:22/"] {
            let proxy = Script::serve(vec![answer(ok("here"))]);
            let egress = EgressPolicy::public_only().deny_port_range(22..=22).allow_proxied_names();
            let client = Client::builder()
                .proxy(Proxy::all(proxy.url("")).unwrap())
                .egress(egress.allow_network(proxy.addr().ip().into()))
                .build()
                .unwrap();
            let first = client.get("http://h.test/").send().unwrap();
            assert_eq!((first.text().unwrap().as_str(), client.pool_stats().idle), ("here", 1));
            let error = client.get(denied).send().unwrap_err();
            assert_eq!((error.kind(), error.phase()), (Kind::Egress, Phase::Connect), "{error}");
        }
    }

    /// A name that the proxy looks up may lead to any host that the proxy reaches.
    #[test]
    fn s08_names_that_a_proxy_resolves_need_permission() {
        let names = ["localhost", "metadata.google.internal", "h.test", "127.0.0.1.nip.io"];
        for scheme in ["http", "socks4a", "socks5h"] {
            let served = if scheme == "http" { 0 } else { 2 };
            let origin = Script::serve(vec![answer(ok("here")); served]);
            let proxy = match scheme {
                "http" => Hops::http(origin.addr()),
                _ => Hops::socks(origin.addr()),
            };
            let egress = || EgressPolicy::public_only().allow_network(proxy.addr().ip().into());
            let denying = EgressPolicy::allow_all().deny_network("10.0.0.0/8".parse().unwrap());
            let by = || Client::builder().proxy(Proxy::all(proxy.url(scheme)).unwrap());
            for (url, egress) in [
                ("http", egress()),
                ("https", egress()),
                ("http", EgressPolicy::deny_all()),
                ("http", denying),
            ] {
                for name in names {
                    let url = format!("{url}://{name}/");
                    let error = fetch(by().egress(egress.clone()), &url).unwrap_err();
                    assert_eq!((error.kind(), error.fault()), (Kind::Egress, Fault::Policy));
                    let why = "the proxy would look the name up, and the egress policy cannot judge \
                               where it leads (see EgressPolicy::allow_proxied_names)";
                    assert!(error.to_string().ends_with(why), "{error}");
                }
            }
            assert_eq!(proxy.asked(), [""; 0], "{scheme}");
            let denied = fetch(by().egress(egress().allow_proxied_names()), "http://10.0.0.1/");
            assert_eq!(
                denied.unwrap_err().kind(),
                Kind::Egress,
                "an address is judged all the same"
            );
            if scheme == "http" {
                continue; // checked separately below
            }
            for (name, allowing) in [
                ("localhost", egress().allow_proxied_names()),
                ("h.test", EgressPolicy::allow_all().deny_port_range(22..=22)),
            ] {
                let url = format!("http://{name}/");
                assert_eq!(fetch(by().egress(allowing), &url).unwrap(), "here", "{scheme}");
            }
        }
        let proxy = Script::serve(vec![answer(ok("here"))]);
        let egress = EgressPolicy::deny_all().allow_network(proxy.addr().ip().into());
        let client = Client::builder().proxy(Proxy::all(proxy.url("")).unwrap());
        let client = client.egress(egress.allow_proxied_names());
        assert_eq!(fetch(client, "http://localhost/").unwrap(), "here");
    }

    /// A redirect to a name does not bypass the rule.
    #[test]
    fn s08_a_redirect_to_a_proxied_name_needs_permission() {
        let proxy = Script::serve(vec![moved(302, "http://localhost/")]);
        let egress = EgressPolicy::public_only().allow_network("127.0.0.1".parse().unwrap());
        let client = Client::builder().proxy(Proxy::http(proxy.url("")).unwrap()).egress(egress);
        let error = fetch(client, "http://8.8.8.8/").unwrap_err();
        assert_eq!(error.kind(), Kind::Egress, "{error}");
        assert_eq!(proxy.received_text(0).matches("HTTP/1.1").count(), 1);
    }

    /// A proxy that receives addresses receives none that is denied.
    #[test]
    fn s08_addresses_for_a_proxy_are_checked() {
        for scheme in ["socks4", "socks5"] {
            let origin = Script::serve(vec![answer(ok("here"))]);
            let proxy = Hops::socks(origin.addr());
            let resolver = |name: &str| -> Addresses {
                let denied = "169.254.169.254:0".parse().unwrap();
                let public = "8.8.8.8:0".parse().unwrap();
                match name {
                    "mixed.test" => Ok(vec![denied, public]),
                    _ => Ok(vec![denied]),
                }
            };
            let egress = EgressPolicy::public_only().allow_network(proxy.addr().ip().into());
            let client = Client::builder().dns_resolver(dns::from_fn(resolver)).egress(egress);
            let by = Proxy::all(format!("{scheme}://{}", proxy.addr())).unwrap();
            let client = client.proxy(by).build().unwrap();
            let error = client.get("http://inner.test/").send().unwrap_err();
            assert_eq!((error.kind(), error.phase()), (Kind::Egress, Phase::Connect), "{error}");
            assert!(error.to_string().contains("169.254.169.254 is not allowed"), "{error}");
            assert_eq!(proxy.asked(), [""; 0]);
            assert_eq!(client.get("http://mixed.test/").send().unwrap().text().unwrap(), "here");
            let version = scheme.trim_start_matches("socks");
            assert_eq!(proxy.asked(), [format!("{version}  8.8.8.8:80")]);
        }
    }

    /// A socket without an address cannot be allowed by such a policy.
    #[cfg(unix)]
    #[test]
    fn a_unix_socket_needs_a_policy_that_allows_it() {
        for egress in [
            EgressPolicy::public_only(),
            EgressPolicy::deny_all(),
            EgressPolicy::deny_all().allow_ports([80]),
        ] {
            let with = |first: bool| match first {
                true => Client::builder().unix_socket("/run/x.sock").egress(egress.clone()),
                false => Client::builder().egress(egress.clone()).unix_socket("/run/x.sock"),
            };
            for first in [true, false] {
                let error = with(first).build().unwrap_err();
                let line = "unix_socket: the egress policy allows no Unix domain socket";
                assert_eq!((error.kind(), &*error.to_string()), (Kind::Builder, line));
            }
        }
        let http_only = EgressPolicy::allow_all().deny_scheme("https");
        assert!(Client::builder().egress(http_only).unix_socket("/run/x.sock").build().is_ok());
    }

    /// The unspecified address connects to this host.
    #[test]
    fn n07_denying_loopback_denies_the_unspecified_address() {
        let server = Script::serve(vec![]);
        let port = server.addr().port();
        for host in ["127.0.0.1", "0.0.0.0", "0", "[::ffff:0.0.0.0]", "[::ffff:127.0.0.1]", "[::]"]
        {
            let loopback = ["127.0.0.0/8", "::1/128"].map(|network| network.parse().unwrap());
            let egress =
                loopback.into_iter().fold(EgressPolicy::allow_all(), EgressPolicy::deny_network);
            let client = Client::builder().egress(egress);
            let error = fetch(client, &format!("http://{host}:{port}/")).unwrap_err();
            assert_eq!(error.kind(), Kind::Egress, "{host}: {error}");
        }
        assert_eq!(server.accepted(), 0);
    }

    /// A scheme that is not allowed is not followed after a redirect either.
    #[test]
    fn n07_only_allowed_schemes_are_requested() {
        let server = Script::serve(vec![moved(302, "https://127.0.0.1:1/")]);
        let http_only = || Client::builder().egress(EgressPolicy::allow_all().deny_scheme("https"));
        let line = "connecting to 127.0.0.1:1 for https://127.0.0.1:1/: https is not allowed by the \
                    egress policy";
        let error = fetch(http_only(), &server.url("/")).unwrap_err();
        assert_told(&error, (Kind::Egress, Phase::Connect), line);
        let https_only =
            Client::builder().egress(EgressPolicy::allow_all().allow_schemes(["https"]));
        let error = fetch(https_only, &server.url("/")).unwrap_err();
        assert_eq!(error.kind(), Kind::Egress, "{error}");
        assert_eq!(server.accepted(), 1);
    }

    /// A typo in a scheme must not allow what was to be denied.
    #[test]
    fn n07_an_unknown_scheme_in_a_policy_is_an_error() {
        for (egress, name) in [
            (EgressPolicy::allow_all().deny_scheme("http://").deny_scheme("x"), "http://"),
            (EgressPolicy::public_only().allow_schemes(["https", "ftp"]), "ftp"),
        ] {
            let error = Client::builder().egress(egress).build().unwrap_err();
            let line = format!("egress policy: {name:?} is neither http nor https");
            assert_eq!((error.kind(), error.to_string()), (Kind::Builder, line));
        }
    }

    /// The allowed address is used, and the others are not tried.
    #[test]
    fn n07_only_allowed_addresses_are_tried() {
        let (inner, server) = (Script::serve(vec![]), server());
        let egress =
            EgressPolicy::allow_all().deny_port_range(inner.addr().port()..=inner.addr().port());
        let client = Client::builder().egress(egress);
        let client = client.resolve_to_addrs("h.test", &[inner.addr(), server.addr()]);
        assert_eq!(fetch(client, "http://h.test/").unwrap(), "here");
        assert_eq!(inner.accepted(), 0);
    }

    #[test]
    fn the_error_names_failed_and_denied_addresses() {
        let refused = net::refused();
        let client = Client::builder().egress(EgressPolicy::allow_all().deny_port_range(1..=1));
        let denied = "127.0.0.1:1".parse().unwrap();
        let client = client.resolve_to_addrs("h.test", &[denied, refused]);
        let error = fetch(client, "http://h.test/").unwrap_err();
        let reason = std::net::TcpStream::connect(refused).unwrap_err();
        let line = format!(
            "connecting to 2 addresses for http://h.test/: {refused}: {reason}; port 1 is not \
             allowed by the egress policy"
        );
        assert_told(&error, (Kind::Connect, Phase::Connect), &line);
    }
}
