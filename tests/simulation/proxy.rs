//! A SOCKS5 proxy (RFC 1928, RFC 1929) until the tunnel is open, and the reply to `CONNECT`. A
//! forwarding proxy is a server like any other: see [`origin`](super::origin).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::origin::Beat;
use super::plan::{Fault, Site};
use super::world::{World, note};

/// The handshake before the tunnel.
#[derive(Debug)]
pub(super) struct Socks {
    stage: Stage,
    heard: Vec<u8>,
    password: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Greeting,
    Login,
    Request,
    Reached(Site),
    Refused,
}

/// The user name at all proxies.
pub(super) const USER: &str = "proxy-user";

impl Socks {
    pub(super) fn new(password: &str) -> Self {
        Self { stage: Stage::Greeting, heard: Vec::new(), password: password.to_owned() }
    }

    pub(super) fn reached(&self) -> Option<Site> {
        match self.stage {
            Stage::Reached(site) => Some(site),
            _ => None,
        }
    }

    /// The reply to these bytes.
    pub(super) fn talk(&mut self, world: &mut World, bytes: &[u8]) -> Vec<Beat> {
        self.heard.extend_from_slice(bytes);
        let said = match self.stage {
            Stage::Greeting => self.greeting(),
            Stage::Login => self.login(world),
            Stage::Request => self.request(world),
            Stage::Reached(_) | Stage::Refused => None,
        };
        let Some(said) = said else { return Vec::new() };
        self.heard.clear();
        let pause = Beat::Wait(world.seed.ms(0..=30));
        match world.strikes(Fault::NoTunnel) {
            false => vec![pause, Beat::Say(said)],
            true => self.refuse(world, said),
        }
    }

    fn greeting(&mut self) -> Option<Vec<u8>> {
        let [5, count, methods @ ..] = &self.heard[..] else { return None };
        let methods = methods.get(..usize::from(*count))?;
        self.stage = if methods.contains(&2) { Stage::Login } else { Stage::Request };
        Some(vec![5, if methods.contains(&2) { 2 } else { 0 }])
    }

    fn login(&mut self, world: &mut World) -> Option<Vec<u8>> {
        let length = 3 + USER.len() + self.password.len();
        let login = self.heard.get(..length)?;
        let user = u8::try_from(USER.len()).ok()?;
        let password = u8::try_from(self.password.len()).ok()?;
        let expected =
            [&[1, user], USER.as_bytes(), &[password], self.password.as_bytes()].concat();
        if login != expected {
            world.violated("a login that is not the proxy's");
        }
        self.stage = Stage::Request;
        Some(vec![1, 0])
    }

    fn request(&mut self, world: &mut World) -> Option<Vec<u8>> {
        let [5, 1, 0, kind, rest @ ..] = &self.heard[..] else { return None };
        let (site, length) = match kind {
            1 => {
                let ip: [u8; 4] = rest.get(..4)?.try_into().ok()?;
                (Some(Site::at(IpAddr::from(Ipv4Addr::from(ip)), port(rest.get(4..6)?))), 6)
            }
            4 => {
                let ip: [u8; 16] = rest.get(..16)?.try_into().ok()?;
                (Some(Site::at(IpAddr::from(Ipv6Addr::from(ip)), port(rest.get(16..18)?))), 18)
            }
            _ => {
                let length = usize::from(*rest.first()?);
                let name = String::from_utf8(rest.get(1..=length)?.to_vec()).ok()?;
                let port = port(rest.get(1 + length..3 + length)?);
                (Site::of(&name, port), 3 + length)
            }
        };
        if rest.len() != length {
            world.violated("a SOCKS proxy receives more than the request");
        }
        match site {
            Some(site) => self.stage = Stage::Reached(site),
            None => world.violated("an unknown host is requested of a SOCKS proxy"),
        }
        note!(world, "tunnel to {site:?}");
        Some(vec![5, 0, 0, 1, 0, 0, 0, 0, 0, 0])
    }

    fn refuse(&mut self, world: &mut World, said: Vec<u8>) -> Vec<Beat> {
        self.stage = Stage::Refused;
        let half = said[..said.len() / 2].to_vec();
        match world.seed.within(1..=4) {
            1 => Vec::new(),
            2 => vec![Beat::Say(half), Beat::Reset],
            3 => vec![Beat::Say(vec![5, 0xff]), Beat::Close],
            _ => vec![Beat::Say(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()), Beat::Fin],
        }
    }
}

fn port(bytes: &[u8]) -> u16 {
    u16::from_be_bytes(bytes.try_into().unwrap())
}

/// The reply to `CONNECT`, and whether it opens the tunnel.
pub(super) fn answer_connect(world: &mut World) -> (Vec<Beat>, bool) {
    let pause = Beat::Wait(world.seed.ms(0..=30));
    if !world.strikes(Fault::NoTunnel) {
        let said = world.seed.pick(&[
            "HTTP/1.1 200 Connection established\r\n\r\n",
            "HTTP/1.0 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", // which is ignored
        ]);
        return (vec![pause, Beat::Say(said.into())], true);
    }
    let refused = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 9\r\n\r\nno way in";
    let words = match world.seed.within(1..=5) {
        1 => Vec::new(),
        2 => vec![pause, Beat::Say(refused[..20].to_vec()), Beat::Reset],
        3 => vec![pause, Beat::Say(refused[..refused.len() - 2].to_vec())],
        4 => vec![pause, Beat::Say(b"SSH-2.0-whatever\r\n".to_vec()), Beat::Fin],
        _ => vec![pause, Beat::Say(refused.to_vec()), Beat::Close],
    };
    (words, false)
}
