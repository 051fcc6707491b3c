//! The response of a server: its status, its framing, and its faults.

use std::io::Write as _;
use std::time::Duration;

use flate2::write::GzEncoder;

use super::framing::Framing;
use super::ledger::{Attempt, Cookie, Hop, Response};
use super::origin::Beat;
use super::plan::{Fault, HOSTS, Site};
use super::request::Head;
use super::seed::content;
use super::world::World;

/// A response that is decided and not yet sent.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    fields: String,
    framing: Framing,
    coding: Coding,
    length: usize,
    says_close: bool,
    version: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Identity,
    Gzip,
}

/// The bytes of a response, and the events after them.
pub(super) struct Wire {
    pub(super) bytes: Vec<u8>,
    /// The position of bytes that belong to no response.
    pub(super) stray_at: Option<usize>,
    pub(super) is_cut: bool,
    /// The events after that.
    pub(super) then: Vec<Beat>,
}

const FINAL: [u16; 12] = [200, 200, 200, 200, 200, 201, 204, 304, 404, 408, 500, 503];
const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];

impl Answer {
    pub(super) fn choose(world: &mut World, attempt: usize, head: &Head) -> Self {
        let Attempt { hop: number, is_astray, .. } = world.ledger.attempts[attempt];
        let hop = world.ledger.hops[number].clone();
        let mut fields = set_cookies(world, &hop);
        let circles = world.plan.has(Fault::Circle);
        let redirects = world.seed.one_in(4) && !is_astray && (hop.depth < 5 || circles);
        let status = match redirects {
            true => redirect(world, &hop, &mut fields),
            false => world.seed.pick(&FINAL),
        };
        if status == 503 {
            fields.push_str(&format!("retry-after: {}\r\n", world.seed.within(0..=2)));
        }
        let is_get = matches!(&*head.method, "GET" | "HEAD");
        let status = if status == 304 && !is_get { 200 } else { status };
        let mut answer = Self::with_status(world, status, &head.method);
        if head.field("accept-encoding").is_some_and(|codings| codings.contains("gzip"))
            && world.seed.one_in(3)
            && answer.framing != Framing::Nothing
        {
            answer.coding = Coding::Gzip;
            fields.push_str("content-encoding: gzip\r\n");
        }
        answer.fields = fields;
        answer.says_close |= head.field("connection") == Some("close");
        answer
    }

    /// RFC 9110 §15.5.18.
    pub(super) fn refuse_expectation(world: &mut World) -> Self {
        Self::with_status(world, 417, "POST")
    }

    fn with_status(world: &mut World, status: u16, method: &str) -> Self {
        let old = world.strikes(Fault::Old);
        let seed = &mut world.seed;
        let length = seed.within(0..=500) * seed.pick(&[0, 1, 1, 10, 200]);
        let framing = match seed.within(1..=4) {
            _ if method == "HEAD" || matches!(status, 204 | 304) => Framing::Nothing,
            1 => Framing::UntilClose,
            2 | 3 if !old => Framing::Chunked,
            _ => Framing::Length(length),
        };
        let says_close = framing == Framing::UntilClose || seed.one_in(6);
        let version = if old { "HTTP/1.0" } else { "HTTP/1.1" };
        let (coding, fields) = (Coding::Identity, String::new());
        Self { status, fields, framing, coding, length, says_close, version }
    }

    /// Writes the response, with its faults. `planned` is the position of its first byte.
    pub(super) fn write(
        mut self,
        world: &mut World,
        at: usize,
        attempt: usize,
        planned: usize,
    ) -> Wire {
        let serial = world.ledger.responses.len();
        let content = content(serial as u64, self.length);
        let coded = match self.coding {
            Coding::Identity => content.clone(),
            Coding::Gzip => gzip(&content),
        };
        let mut bytes = interim(world);
        let start = planned + bytes.len();
        let raw = self.frame(world, &coded);
        self.write_head(world, serial, &mut bytes);
        let body_at = planned + bytes.len();
        bytes.extend_from_slice(&raw);
        let mut wire = Wire { bytes, stray_at: None, is_cut: false, then: Vec::new() };
        if let Framing::Length(said) = self.framing {
            wire.stray_at = (said < raw.len()).then_some(body_at + said);
        }
        world.ledger.responses.push(Response {
            hop: Some(world.ledger.attempts[attempt].hop),
            line: at,
            status: self.status,
            start,
            body_at,
            framing: self.framing,
            coded,
            content,
            says_close: self.says_close,
        });
        if self.says_close {
            // A server that closes with unread input may destroy its own response (RFC 9112 §9.6).
            let endings: &[_] = match world.plan.is_calm() {
                true => &[Ending::Fin],
                false => &[Ending::Fin, Ending::Close],
            };
            wire.then.push(world.seed.pick(endings).beat());
        }
        wire.spoil(world, at, planned);
        wire
    }

    /// The body on the wire. The announced length may be wrong.
    fn frame(&mut self, world: &mut World, coded: &[u8]) -> Vec<u8> {
        match &mut self.framing {
            Framing::Nothing => Vec::new(),
            Framing::UntilClose => coded.to_vec(),
            Framing::Chunked => chunked(world, coded),
            Framing::Length(said) => {
                *said = coded.len();
                if world.strikes(Fault::Lie) {
                    let by = world.seed.within(1..=20);
                    *said = if world.seed.one_in(2) { *said + by } else { said.saturating_sub(by) };
                }
                coded.to_vec()
            }
        }
    }

    fn write_head(&self, world: &mut World, serial: usize, out: &mut Vec<u8>) {
        let mut fields = format!("{}x-serial: {serial}\r\n{}", self.fields, self.framing);
        if self.framing == Framing::Nothing && self.status != 204 && world.seed.one_in(2) {
            fields.push_str("content-length: 77\r\n"); // of what a GET would bring
        }
        match self.version {
            "HTTP/1.0" if !self.says_close => fields.push_str("connection: keep-alive\r\n"),
            "HTTP/1.1" if self.says_close && self.framing != Framing::UntilClose => {
                fields.push_str("Connection: Close\r\n");
            }
            _ => {}
        }
        out.extend_from_slice(
            format!("{} {} whatever\r\n{fields}\r\n", self.version, self.status).as_bytes(),
        );
    }
}

impl Wire {
    /// Unsolicited bytes of a server.
    pub(super) fn unasked(world: &mut World, at: usize, planned: usize) -> Vec<u8> {
        match world.seed.within(1..=4) {
            1 => b"\r\n".to_vec(),
            2 => b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(),
            3 => b"SSH-2.0-whatever\r\n".to_vec(),
            _ => {
                let serial = world.ledger.responses.len();
                let content = content(serial as u64, 30);
                let head =
                    format!("HTTP/1.1 200 OK\r\ncontent-length: 30\r\nx-serial: {serial}\r\n\r\n");
                world.ledger.responses.push(Response {
                    hop: None,
                    line: at,
                    status: 200,
                    start: planned,
                    body_at: planned + head.len(),
                    framing: Framing::Length(30),
                    coded: content.clone(),
                    content: content.clone(),
                    says_close: false,
                });
                [head.into_bytes(), content].concat()
            }
        }
    }

    fn spoil(&mut self, world: &mut World, at: usize, planned: usize) {
        if world.strikes(Fault::Garbage) {
            self.corrupt(world);
        }
        if world.strikes(Fault::Leftover) {
            let stray_at = planned + self.bytes.len();
            self.stray_at.get_or_insert(stray_at);
            let stray = Self::unasked(world, at, stray_at);
            self.bytes.extend(stray);
        }
        let cut = world.strikes(Fault::Cut);
        if cut || world.strikes(Fault::Reset) {
            self.bytes.truncate(world.seed.within(0..=self.bytes.len()));
            let endings = match cut {
                true => [Ending::Fin, Ending::Close, Ending::None],
                false => [Ending::Reset; 3],
            };
            self.is_cut = true;
            self.then = vec![world.seed.pick(&endings).beat()];
        }
    }

    /// Inserts an invalid byte, or replaces the whole response.
    fn corrupt(&mut self, world: &mut World) {
        let text: &[&[u8]] = &[
            b"220 mail.example ESMTP\r\n",
            b"HTTP/1.1 99 x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nx\r\n\r\n",
        ];
        let head = self
            .bytes
            .windows(26)
            .position(|w| w.eq_ignore_ascii_case(b"transfer-encoding: chunked"));
        let body = head.and_then(|head| {
            let end = self.bytes[head..].windows(4).position(|four| four == b"\r\n\r\n")?;
            Some(head + end + 4)
        });
        match body {
            Some(body) if world.seed.one_in(2) => {
                let place = world.seed.within(body..=self.bytes.len());
                self.bytes.insert(place, world.seed.pick(b"Z\n"));
            }
            _ => self.bytes = world.seed.pick(text).to_vec(),
        }
    }
}

#[derive(Clone, Copy)]
enum Ending {
    Fin,
    Close,
    Reset,
    None,
}

impl Ending {
    fn beat(self) -> Beat {
        match self {
            Self::Fin => Beat::Fin,
            Self::Close => Beat::Close,
            Self::Reset => Beat::Reset,
            Self::None => Beat::Wait(Duration::ZERO),
        }
    }
}

/// Returns the interim responses before the final one, often none.
fn interim(world: &mut World) -> Vec<u8> {
    let count = world.seed.pick(&[0, 0, 0, 0, 1, 3]);
    b"HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n".repeat(count)
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn chunked(world: &mut World, coded: &[u8]) -> Vec<u8> {
    let seed = &mut world.seed;
    let mut raw = Vec::new();
    let mut rest = coded;
    let most = seed.pick(&[10, 100, 70_000]).max(coded.len() / 20);
    while !rest.is_empty() {
        let (chunk, more) = rest.split_at(seed.within(1..=rest.len().min(most)));
        let extension = seed.pick(&["", "", "", ";e", ";e=\"v\""]);
        raw.extend_from_slice(format!("{:x}{extension}\r\n", chunk.len()).as_bytes());
        raw.extend_from_slice(chunk);
        raw.extend_from_slice(b"\r\n");
        rest = more;
    }
    raw.extend_from_slice(seed.pick(&["0\r\n\r\n", "000;e\r\nx-end: 1\r\n\r\n"]).as_bytes());
    raw
}

/// A redirect: its status, and the hop that it leads to.
fn redirect(world: &mut World, hop: &Hop, fields: &mut String) -> u16 {
    let body = world.ledger.calls[hop.call].plan.body;
    // A reader cannot be sent again, so the call fails.
    let repeats = !world.plan.is_calm() || body.is_bytes() || !hop.has_body;
    let status = if repeats { world.seed.pick(&REDIRECTS) } else { 303 };
    let is_secure = world.plan.is_secure;
    let site = if world.seed.one_in(2) { hop.site } else { Site::any(&mut world.seed, is_secure) };
    let becomes_get = match status {
        301 | 302 => hop.method == "POST",
        303 => !matches!(hop.method, "GET" | "HEAD"),
        _ => false,
    };
    let next = Hop {
        site,
        directory: world.seed.within(0..=1),
        method: if becomes_get { "GET" } else { hop.method },
        has_body: hop.has_body && !becomes_get,
        is_foreign: hop.is_foreign || site != hop.site,
        depth: hop.depth + 1,
        ..*hop
    };
    let number = world.ledger.hops.len();
    let path = format!("/d{}/h{number}", next.directory);
    let near = [path.clone(), format!("..{path}"), format!("h{number}")];
    let location = match site == hop.site {
        true if next.directory == hop.directory => world.seed.pick(&near),
        true => world.seed.pick(&near[..2]),
        false => {
            let scheme = format!("{}:", site.scheme());
            let scheme = match world.seed.within(1..=3) {
                1 if site.is_secure() == hop.site.is_secure() => String::new(),
                2 => scheme.to_ascii_uppercase(),
                _ => scheme,
            };
            format!("{scheme}//{}{path}", site.authority())
        }
    };
    fields.push_str(&format!("Location: {location}\r\n"));
    world.ledger.hops.push(next);
    status
}

fn set_cookies(world: &mut World, hop: &Hop) -> String {
    let mut fields = String::new();
    for _ in 0..world.seed.pick(&[0, 0, 0, 1, 2]) {
        let number = world.ledger.cookies.len();
        let domain =
            world.seed.pick(&[None, None, None, Some(HOSTS[0]), Some(HOSTS[2]), Some("test")]);
        let directory = world.seed.one_in(3).then(|| world.seed.within(0..=1));
        let is_secure = world.seed.one_in(6);
        let mut line = format!("set-cookie: k{}=v{number}.", world.seed.within(0..=2));
        if let Some(domain) = domain {
            line.push_str(&format!("; Domain={domain}"));
        }
        if let Some(directory) = directory {
            line.push_str(&format!("; path=/d{directory}"));
        }
        line.push_str(if is_secure { "; Secure\r\n" } else { "; HttpOnly\r\n" });
        fields.push_str(&line);
        // Without a path, the cookie belongs to the path of the request.
        let directory = Some(directory.unwrap_or(hop.directory));
        world.ledger.cookies.push(Cookie { from: hop.site, domain, directory, is_secure });
    }
    fields
}
