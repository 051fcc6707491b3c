//! The plan that a seed determines before a run: the client's settings, its calls, and the possible
//! faults.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::seed::Seed;

/// The whole plan. Later decisions use the world's own seed.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) faults: Vec<Fault>,
    /// The inverse probability of each fault.
    pub(super) rarity: usize,
    /// True if every future is pending once before it is ready.
    pub(super) stutters: bool,
    /// True if some of the origins speak TLS.
    pub(super) is_secure: bool,
    /// The default destination of calls, if most go to one.
    crowd: Option<Site>,
    pub(super) client: ClientPlan,
    pub(super) tasks: Vec<TaskPlan>,
}

/// A possible fault. Each run has some of these: all in one run would hide each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    // Faults of the network.
    Refusal,
    BlackHole,
    SlowConnect,
    NoName,
    SilentResolver,
    Interruption,
    NarrowPipe,
    // Faults of the server.
    Cut,
    Reset,
    Stall,
    Drip,
    Lie,
    Leftover,
    Garbage,
    IdleClose,
    IdleTalk,
    Deaf,
    Circle,
    Old,
    NoTunnel,
    // Faults in TLS.
    /// An end without `close_notify`.
    NoGoodbye,
    BadRecord,
    Alert,
    // Faults of the caller.
    Cancel,
    Token,
    Hurry,
    BadBody,
    Denied,
}

const FAULTS: [Fault; 28] = [
    Fault::Refusal,
    Fault::BlackHole,
    Fault::SlowConnect,
    Fault::NoName,
    Fault::SilentResolver,
    Fault::Interruption,
    Fault::NarrowPipe,
    Fault::Cut,
    Fault::Reset,
    Fault::Stall,
    Fault::Drip,
    Fault::Lie,
    Fault::Leftover,
    Fault::Garbage,
    Fault::IdleClose,
    Fault::IdleTalk,
    Fault::Deaf,
    Fault::Circle,
    Fault::Old,
    Fault::NoTunnel,
    Fault::NoGoodbye,
    Fault::BadRecord,
    Fault::Alert,
    Fault::Cancel,
    Fault::Token,
    Fault::Hurry,
    Fault::BadBody,
    Fault::Denied,
];

/// The client's settings.
#[derive(Debug, Clone, Default)]
pub(super) struct ClientPlan {
    pub(super) max_open: Option<usize>,
    pub(super) max_idle: usize,
    pub(super) idle_timeout: Duration,
    pub(super) max_age: Option<Duration>,
    pub(super) redirects: usize,
    /// Number of attempts for a call, where the caller sets it.
    pub(super) attempts: Option<u32>,
    pub(super) cookies: bool,
    pub(super) credentials: Option<String>,
    pub(super) default_secret: Option<String>,
    pub(super) proxy: Option<ProxyPlan>,
    /// A host that is denied.
    pub(super) denied: Option<usize>,
    pub(super) limits: Limits,
}

/// The timeouts. Each wait has a limit.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Limits {
    pub(super) connect: Duration,
    pub(super) read: Duration,
    pub(super) write: Duration,
    pub(super) first_byte: Option<Duration>,
    pub(super) total: Option<Duration>,
}

#[derive(Debug, Clone)]
pub(super) struct ProxyPlan {
    pub(super) scheme: &'static str,
    pub(super) password: String,
}

impl ClientPlan {
    /// Returns whether the proxy is reached over TLS.
    pub(super) fn has_secure_proxy(&self) -> bool {
        self.proxy.as_ref().is_some_and(|proxy| proxy.scheme == "https")
    }
}

impl ProxyPlan {
    /// Returns whether it is an HTTP proxy.
    pub(super) fn is_http(&self) -> bool {
        matches!(self.scheme, "http" | "https")
    }
}

/// A task that makes one call after another.
#[derive(Debug, Clone)]
pub(super) struct TaskPlan {
    pub(super) calls: Vec<CallPlan>,
    /// The task is dropped after so many polls.
    pub(super) cancelled_at: Option<usize>,
}

#[derive(Debug, Clone)]
pub(super) struct CallPlan {
    /// The number among all calls.
    pub(super) number: usize,
    pub(super) pause: Duration,
    pub(super) method: &'static str,
    pub(super) site: Site,
    pub(super) body: BodyPlan,
    pub(super) expects: bool,
    pub(super) secret: Option<Secret>,
    pub(super) limits: Limits,
    pub(super) reading: Reading,
    /// The time of a cancellation from outside.
    pub(super) cancelled_after: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyPlan {
    None,
    Bytes(usize),
    Sized(usize),
    Unsized(usize),
    /// Fails after so many bytes.
    Failing(usize),
    /// Returns so many bytes, and then stays pending.
    Stalling(usize),
    /// Has one byte more than announced.
    Longer(usize),
    /// Has `has` bytes, which are fewer than announced.
    Lying {
        announced: usize,
        has: usize,
    },
}

/// The place in a request of a value that only its origin may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secret {
    Bearer,
    Sensitive,
    Cookie,
    Url,
}

/// The amount of a response that the caller reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Whole,
    Pieces(usize),
    Part(usize),
    Nothing,
}

/// An origin: a host, by its number, and a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Site {
    pub(super) host: usize,
    pub(super) port: u16,
}

/// The hosts. The last one is the proxy's.
pub(super) const HOSTS: [&str; 5] = ["a.test", "sub.a.test", "b.test", "10.0.3.1", "proxy.test"];
pub(super) const PROXY: Site = Site { host: 4, port: 3128 };

impl Site {
    pub(super) fn name(self) -> &'static str {
        HOSTS[self.host]
    }

    pub(super) fn any(seed: &mut Seed, is_secure: bool) -> Self {
        let plain = [80, 80, 8080];
        let ports: &[_] = if is_secure { &[443, 443, 443, 8443, 80] } else { &plain };
        Self { host: seed.within(0..=PROXY.host - 1), port: seed.pick(ports) }
    }

    /// Returns whether it speaks TLS.
    pub(super) fn is_secure(self) -> bool {
        matches!(self.port, 443 | 8443)
    }

    pub(super) fn scheme(self) -> &'static str {
        if self.is_secure() { "https" } else { "http" }
    }

    pub(super) fn of(host: &str, port: u16) -> Option<Self> {
        HOSTS.iter().position(|name| *name == host).map(|host| Self { host, port })
    }

    pub(super) fn at(ip: IpAddr, port: u16) -> Self {
        let host = match ip {
            IpAddr::V4(ip) => ip.octets()[2],
            IpAddr::V6(ip) => ip.octets()[13],
        };
        Self { host: host.into(), port }
    }

    pub(super) fn authority(self) -> String {
        match self.port {
            80 | 443 => self.name().to_owned(),
            port => format!("{}:{port}", self.name()),
        }
    }
}

/// The addresses of a host.
pub(super) fn addresses(host: usize) -> [IpAddr; 2] {
    let number = u8::try_from(host).unwrap();
    let v6 = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, number.into(), 1);
    [Ipv4Addr::new(10, 0, number, 1).into(), v6.into()]
}

impl Plan {
    pub(super) fn of(number: u64) -> (Self, Seed) {
        let mut seed = Seed::new(number);
        let weather = &mut seed.fork();
        let faults = match weather.one_in(4) {
            true => Vec::new(),
            false => FAULTS.into_iter().filter(|_| weather.one_in(4)).collect(),
        };
        let is_secure = weather.one_in(4);
        let mut plan = Self {
            is_secure,
            faults,
            rarity: weather.pick(&[1, 3, 6, 12]),
            stutters: weather.one_in(3),
            crowd: weather.one_in(3).then(|| Site::any(weather, is_secure)),
            ..Self::default()
        };
        plan.client = plan.a_client(&mut seed.fork());
        plan.tasks = plan.all_tasks(&mut seed.fork());
        (plan, seed)
    }

    /// Returns whether this run has no faults.
    pub(super) fn is_calm(&self) -> bool {
        self.faults.is_empty()
    }

    pub(super) fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    pub(super) fn calls(&self) -> impl Iterator<Item = &CallPlan> {
        self.tasks.iter().flat_map(|task| &task.calls)
    }

    fn a_client(&self, seed: &mut Seed) -> ClientPlan {
        let plain = [None, None, None, Some("http"), Some("socks5"), Some("socks5h")];
        let secure = [None, None, Some("http"), Some("https"), Some("https"), Some("socks5h")];
        let proxy = seed.pick(if self.is_secure { &secure } else { &plain });
        ClientPlan {
            max_open: seed.pick(&[None, Some(1), Some(2), Some(3)]),
            max_idle: seed.pick(&[0, 1, 32, 32]),
            idle_timeout: seed.pick(&[1, 90, 90]) * SECOND,
            max_age: seed.one_in(4).then(|| SECOND * 2),
            redirects: seed.pick(&[0, 10, 10, 10]),
            attempts: seed.pick(&[None, None, Some(2), Some(5)]),
            cookies: !seed.one_in(3),
            credentials: seed.one_in(3).then(|| "client-password".to_owned()),
            default_secret: seed.one_in(3).then(|| "client-key".to_owned()),
            proxy: proxy.map(|scheme| ProxyPlan { scheme, password: "proxy-password".to_owned() }),
            denied: self.has(Fault::Denied).then(|| seed.within(0..=2)),
            limits: self.limits(seed),
        }
    }

    /// Long enough for everything, or not.
    fn limits(&self, seed: &mut Seed) -> Limits {
        if !self.has(Fault::Hurry) {
            let total = seed.one_in(3).then_some(MUCH * 4);
            let (read, write) = (SECOND * 30, SECOND * 30);
            return Limits { connect: MUCH, read, write, first_byte: None, total };
        }
        let mut any = || seed.ms(1..=60) * seed.pick(&[1, 1, 10, 100]);
        let [connect, read, write, first_byte, total] = [(); 5].map(|()| any());
        let first_byte = Some(first_byte).filter(|_| seed.one_in(3));
        Limits { connect, read, write, first_byte, total: Some(total).filter(|_| seed.one_in(2)) }
    }

    fn all_tasks(&self, seed: &mut Seed) -> Vec<TaskPlan> {
        let mut number = 0;
        let few = if self.crowd.is_some() { 4 } else { 1 };
        let tasks = 0..seed.pick(&[few, 2, 3, 8]);
        let mut task = |_| TaskPlan {
            calls: (0..seed.within(1..=4))
                .map(|_| {
                    number += 1;
                    self.call(seed, number - 1)
                })
                .collect(),
            cancelled_at: (self.has(Fault::Cancel) && seed.one_in(2)).then(|| seed.within(1..=80)),
        };
        tasks.map(&mut task).collect()
    }

    fn call(&self, seed: &mut Seed, number: usize) -> CallPlan {
        let method = seed.pick(&["GET", "GET", "GET", "HEAD", "POST", "POST", "PUT", "DELETE"]);
        let body = match method {
            "GET" | "HEAD" => BodyPlan::None,
            _ => self.body(seed),
        };
        let size = seed.pick(&[1, 2, 7, 100, 4096, 70_000]);
        let mut limits = if seed.one_in(2) { self.client.limits } else { self.limits(seed) };
        if matches!(body, BodyPlan::Stalling(_)) {
            limits.total = Some(seed.ms(1..=60) * 100); // nothing else is sure to end it
        }
        CallPlan {
            number,
            pause: seed.ms(0..=30) * seed.pick(&[0, 1, 1, 20, 100]),
            method,
            site: self.site(seed),
            body,
            expects: seed.one_in(4),
            secret: seed.pick(&[
                None,
                Some(Secret::Bearer),
                Some(Secret::Sensitive),
                Some(Secret::Cookie),
                Some(Secret::Url),
            ]),
            limits,
            reading: seed.pick(&[
                Reading::Whole,
                Reading::Pieces(size),
                Reading::Pieces(size),
                Reading::Part(size),
                Reading::Nothing,
            ]),
            cancelled_after: (self.has(Fault::Token) && seed.one_in(3))
                .then(|| seed.ms(0..=40) * seed.pick(&[1, 1, 5, 100])),
        }
    }

    fn site(&self, seed: &mut Seed) -> Site {
        let any = Site::any(seed, self.is_secure);
        self.crowd.filter(|_| !seed.one_in(5)).unwrap_or(any)
    }

    fn body(&self, seed: &mut Seed) -> BodyPlan {
        let length = seed.within(0..=300) * seed.pick(&[0, 1, 1, 10, 300]);
        let bad = self.has(Fault::BadBody) && seed.one_in(2);
        match seed.within(1..=5) {
            1 => BodyPlan::None,
            2 if bad => BodyPlan::Failing(length),
            3 if bad => BodyPlan::Longer(length),
            4 if bad => BodyPlan::Lying { announced: length + 3, has: length },
            5 if bad => BodyPlan::Stalling(length),
            2 => BodyPlan::Sized(length),
            3 => BodyPlan::Unsized(length),
            _ => BodyPlan::Bytes(length),
        }
    }
}

impl BodyPlan {
    /// The length for a server that reads all of it; `None` if it must not receive all.
    pub(super) fn length(self) -> Option<usize> {
        match self {
            Self::None => Some(0),
            Self::Bytes(length)
            | Self::Sized(length)
            | Self::Unsized(length)
            | Self::Longer(length) => Some(length),
            Self::Failing(_) | Self::Stalling(_) | Self::Lying { .. } => None,
        }
    }

    /// Returns whether it can be sent twice.
    pub(super) fn is_bytes(self) -> bool {
        matches!(self, Self::None | Self::Bytes(_))
    }
}

impl CallPlan {
    /// A text that no other call's secret contains.
    pub(super) fn secret_text(&self) -> String {
        format!("call-{:03}-secret", self.number)
    }
}

pub(super) const SECOND: Duration = Duration::from_secs(1);
/// Longer than anything that does not hang.
const MUCH: Duration = Duration::from_secs(1000);
