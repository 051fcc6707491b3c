//! Downloads by the real client from a server that has several versions of a file, over a network that cuts, resets
//! and stalls: the file is one that the server had, or there is none.
//!
//! The seed decides what the server is like. Some ignore `Range` or `If-Range`, name wrong ranges, or change the file
//! between two requests. What nobody could find out is left out: a strong validator that is the same for two versions
//! comes only with a digest, and a body without any end mark is not cut in silence.
//!
//! Nothing takes time here, so this runs on the runtime of the fuzzers and not on the world's clock.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use http::Method;
use sha2::{Digest as _, Sha256};

use super::seed::{Seed, content};
use super::{SEEDS, number};
use crate::client::download::Downloaded;
use crate::driver::runtime::run;
use crate::error::{Error, Kind, Phase, Result};
use crate::extra::download::hashes::{Hashes, hex};
use crate::extra::download::kept::Facts;
use crate::extra::download::target::{Beginning, DownloadTarget, Kept};
use crate::fuzzing::call::{Client, Network, Patience, Pending, client};
use crate::url::Url;

/// More requests than any download makes that ends: each either makes progress or counts.
const MOST_REQUESTS: usize = 400;

#[test]
fn a_downloaded_file_is_one_that_the_server_had() {
    if let Some(seed) = number("LEANHTTP_SIMULATION_SEED") {
        println!("{:?}", play(seed));
        return;
    }
    let count = number("LEANHTTP_SIMULATION_SEEDS").unwrap_or(SEEDS);
    let first = number("LEANHTTP_SIMULATION_FIRST").unwrap_or(0);
    let (mut complete, mut resumed) = (0, 0);
    for seed in first..first + count {
        match play(seed) {
            Ok(is_complete) => {
                complete += u64::from(is_complete.is_some());
                resumed += u64::from(is_complete == Some(true));
            }
            Err(rule) => panic!("LEANHTTP_SIMULATION_SEED={seed}: {rule}"),
        }
    }
    println!("{count} downloads, {complete} complete, {resumed} of them in parts");
    assert!(count < 100 || (complete > count / 4 && resumed > count / 20), "{complete} {resumed}");
}

/// Returns whether the file was complete, and whether it came in parts.
fn play(number: u64) -> std::result::Result<Option<bool>, String> {
    let mut seed = Seed::new(number);
    let server = Server::new(&mut seed);
    let mut target = Memory { fails: seed.one_in(30), ..Memory::default() };
    let (versions, current) = (server.versions.clone(), server.current);
    // A part of an earlier run, of the version that there is or of another one.
    if seed.one_in(4) {
        let version = if seed.one_in(2) { current } else { 0 };
        target.keep(&versions[version], &server, version, &mut seed);
    }
    let digest = (server.lies_about_versions || seed.one_in(3)).then_some(current);
    let retries = seed.within(0..=6);
    let max_size = seed.one_in(10).then(|| seed.within(0..=6000) as u64);
    let network = Arc::new(Mutex::new(World { server, seed, ..World::default() }));
    let builder = Client::builder().no_proxy();
    let client = client(builder, Arc::clone(&network) as Arc<Mutex<dyn Network>>).unwrap();
    let mut download = client.get("http://a.example/f").download().retries(retries as u32);
    if let Some(version) = digest {
        download = download.sha256(hex(&Sha256::digest(&versions[version])));
    }
    if let Some(max_size) = max_size {
        download = download.max_size(max_size);
    }
    let written = Arc::clone(&target.written);
    let outcome = run(|| download.fetch(target));
    let world = network.lock().unwrap();
    let written = written.lock().unwrap();
    check(&outcome, &written, &world, digest, max_size)
}

fn check(
    outcome: &Result<Downloaded>,
    written: &Written,
    world: &World,
    digest: Option<usize>,
    max_size: Option<u64>,
) -> std::result::Result<Option<bool>, String> {
    if let Some(rule) = &world.violation {
        return Err(rule.clone());
    }
    if world.requests > MOST_REQUESTS {
        return Err(format!("{} requests", world.requests));
    }
    if let Some(offset) = written.gap {
        return Err(format!("written at {offset}, behind a gap"));
    }
    let Ok(done) = outcome else {
        return if written.is_finished { Err("an error, and a file".to_owned()) } else { Ok(None) };
    };
    let versions = &world.server.versions;
    let found = versions.iter().position(|version| *version == written.bytes);
    match (found, digest) {
        _ if !written.is_finished => return Err("no file, and no error".to_owned()),
        (None, _) => {
            return Err(format!("a file of {} bytes that nobody had", written.bytes.len()));
        }
        (Some(found), Some(digest)) if versions[found] != versions[digest] => {
            return Err("another digest".to_owned());
        }
        _ => {}
    }
    let size = written.bytes.len() as u64;
    if done.size() != size || done.sha256() != hex(&Sha256::digest(&written.bytes)) {
        return Err("size or digest are not those of the file".to_owned());
    }
    if max_size.is_some_and(|max| size > max) {
        return Err(format!("{size} bytes are too many"));
    }
    Ok(Some(done.resumed()))
}

/// A file in memory.
#[derive(Default)]
struct Memory {
    written: Arc<Mutex<Written>>,
    kept: Option<Facts>,
    /// The disk is full some time.
    fails: bool,
}

#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    is_finished: bool,
    /// The position at which something was written that had nothing in front of it.
    gap: Option<u64>,
}

impl Memory {
    fn keep(&mut self, file: &[u8], server: &Server, version: usize, seed: &mut Seed) {
        let length = seed.within(0..=file.len());
        self.written.lock().unwrap().bytes = file[..length].to_vec();
        let key = crate::extra::download::kept::key(&Url::parse("http://a.example/f").unwrap());
        let tag = server.tag(version).filter(|tag| tag.starts_with('"'));
        let is_known = server.is_length_known && seed.one_in(2);
        let total = is_known.then_some(file.len() as u64);
        self.kept = Some(Facts { key, total, if_range: tag.map(|tag| tag.parse().unwrap()) });
    }
}

impl DownloadTarget for Memory {
    async fn kept(&mut self, key: &str) -> Result<Option<Kept>> {
        let Some(facts) = self.kept.take() else { return Ok(None) };
        assert_eq!(facts.key, key);
        let mut hashes = Hashes::default();
        let written = self.written.lock().unwrap();
        hashes.update(&written.bytes);
        Ok(Some(Kept { length: written.bytes.len() as u64, hashes, facts }))
    }

    async fn begin(&mut self, beginning: Beginning) -> Result<()> {
        let mut written = self.written.lock().unwrap();
        if beginning.length > written.bytes.len() as u64 {
            written.gap = Some(beginning.length);
        }
        written.bytes.truncate(usize::try_from(beginning.length).unwrap());
        Ok(())
    }

    async fn write(&mut self, piece: Vec<u8>, count: usize) -> Result<Vec<u8>> {
        let mut written = self.written.lock().unwrap();
        if self.fails && written.bytes.len() > 1000 {
            let full = io::Error::from(io::ErrorKind::StorageFull);
            return Err(Error::new(Kind::File, Phase::File).cause(full));
        }
        written.bytes.extend_from_slice(&piece[..count]);
        drop(written);
        Ok(piece)
    }

    async fn finish(&mut self) -> Result<Option<PathBuf>> {
        self.written.lock().unwrap().is_finished = true;
        Ok(None)
    }

    fn discard(&mut self) {}
}

/// The validator of a file that a server sends.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Naming {
    #[default]
    Strong,
    Weak,
    Date,
    Nothing,
}

/// A server and its file, of which it has several versions.
#[derive(Default)]
struct Server {
    versions: Vec<Vec<u8>>,
    current: usize,
    naming: Naming,
    ignores_range: bool,
    ignores_if_range: bool,
    /// Wrong ranges, totals and lengths, sometimes.
    errs: bool,
    /// All versions have one name.
    lies_about_versions: bool,
    names_digest: bool,
    is_length_known: bool,
    /// The most bytes in one part.
    cap: Option<usize>,
    changes: bool,
}

impl Server {
    fn new(seed: &mut Seed) -> Self {
        let count = seed.within(1..=3);
        let first = seed.next() >> 16;
        let is_same_length = seed.one_in(2);
        let length = seed.pick(&[0, 1, 20, 900, 1024, 3000, 6000]);
        let versions: Vec<_> = (0..count as u64)
            .map(|at| {
                let other = if is_same_length || at == 0 { length } else { seed.within(0..=6000) };
                content(first + at, other)
            })
            .collect();
        Self {
            current: seed.within(0..=count - 1),
            versions,
            naming: seed.pick(&[
                Naming::Strong,
                Naming::Strong,
                Naming::Strong,
                Naming::Weak,
                Naming::Date,
                Naming::Nothing,
            ]),
            ignores_range: seed.one_in(6),
            ignores_if_range: seed.one_in(4),
            errs: seed.one_in(4),
            lies_about_versions: seed.one_in(6),
            names_digest: seed.one_in(4),
            is_length_known: !seed.one_in(3),
            cap: seed.one_in(5).then(|| seed.within(1..=2500)),
            changes: seed.one_in(2),
        }
    }

    /// The value of `ETag` or `Last-Modified`.
    fn tag(&self, version: usize) -> Option<String> {
        let name = if self.lies_about_versions { 0 } else { version };
        match self.naming {
            Naming::Strong => Some(format!("\"v{name}\"")),
            Naming::Weak => Some(format!("W/\"v{name}\"")),
            Naming::Date => Some(format!("Wed, 31 Dec 2025 00:00:{name:02} GMT")),
            Naming::Nothing => None,
        }
    }

    fn answer(&mut self, seed: &mut Seed, asked: &Asked) -> Vec<u8> {
        if self.changes && seed.one_in(3) {
            self.current = seed.within(0..=self.versions.len() - 1);
        }
        if seed.one_in(12) {
            let status = seed.pick(&[403, 404, 408, 412, 416, 429, 500, 503, 503]);
            return format!(
                "HTTP/1.1 {status} X\r\nContent-Length: 4\r\nConnection: close\r\n\r\noops"
            )
            .into();
        }
        let file = self.versions[self.current].clone();
        let tag = self.tag(self.current);
        let is_ours = asked.if_range.is_none() || asked.if_range == tag || self.ignores_if_range;
        let wrong = if self.errs && seed.one_in(3) { seed.within(0..=2) } else { 0 };
        match asked.range.filter(|_| is_ours && !self.ignores_range) {
            Some(first) if first >= file.len() => format!(
                "HTTP/1.1 416 X\r\nContent-Range: bytes */{}\r\nContent-Length: 0\r\n\r\n",
                file.len() + wrong
            )
            .into(),
            Some(first) => {
                let first = first.saturating_sub(wrong);
                let end = self.cap.map_or(file.len(), |cap| file.len().min(first + cap));
                let total = if seed.one_in(5) && end == file.len() {
                    "*".to_owned()
                } else {
                    file.len().to_string()
                };
                let range = format!("Content-Range: bytes {first}-{}/{total}\r\n", end - 1);
                let range = if wrong == 2 && seed.one_in(2) { String::new() } else { range };
                self.write(seed, "206 Partial Content", &range, tag, &file[first..end])
            }
            None => self.write(seed, "200 OK", "", tag, &file),
        }
    }

    fn write(
        &self,
        seed: &mut Seed,
        status: &str,
        range: &str,
        tag: Option<String>,
        body: &[u8],
    ) -> Vec<u8> {
        let mut head =
            format!("HTTP/1.1 {status}\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n{range}");
        if let Some(tag) = tag {
            let name = if self.naming == Naming::Date { "Last-Modified" } else { "ETag" };
            let _ = write!(head, "{name}: {tag}\r\n");
        }
        if self.names_digest {
            use base64::Engine as _;
            let digest = Sha256::digest(&self.versions[self.current]);
            let digest = base64::prelude::BASE64_STANDARD.encode(digest);
            let _ = write!(head, "Repr-Digest: sha-256=:{digest}:\r\n");
        }
        if self.is_length_known {
            let _ = write!(head, "Content-Length: {}\r\n\r\n", body.len());
            return [head.as_bytes(), body].concat();
        }
        let mut raw = head.into_bytes();
        raw.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
        for chunk in body.chunks(seed.within(1..=2000)) {
            raw.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            raw.extend_from_slice(chunk);
            raw.extend_from_slice(b"\r\n");
        }
        raw.extend_from_slice(b"0\r\n\r\n");
        raw
    }
}

/// The range that a request asks for.
struct Asked {
    range: Option<usize>,
    if_range: Option<String>,
}

/// The network: connections to the server.
#[derive(Default)]
struct World {
    server: Server,
    seed: Seed,
    lines: Vec<Line>,
    requests: usize,
    violation: Option<String>,
}

#[derive(Default)]
struct Line {
    heard: Vec<u8>,
    /// The bytes on their way to the client.
    says: Vec<u8>,
    end: Option<LineEnd>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    Fin,
    Reset,
    Silence,
}

impl World {
    fn request(&mut self, at: usize, text: &str) {
        self.requests += 1;
        let value = |name: &str| {
            let lines = text.lines().filter_map(|line| line.split_once(": "));
            let values = lines.filter(|(own, _)| own.eq_ignore_ascii_case(name));
            values.map(|(_, value)| value.to_owned()).collect::<Vec<_>>()
        };
        let (ranges, if_ranges) = (value("range"), value("if-range"));
        let is_identity = value("accept-encoding") == ["identity"];
        if ranges.len() > 1 || if_ranges.len() > ranges.len() || !is_identity {
            self.violation = Some(format!("no request of a download: {text}"));
        }
        let first = |range: &String| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok();
        let asked =
            Asked { range: ranges.first().and_then(first), if_range: if_ranges.into_iter().next() };
        let Self { server, seed, .. } = self;
        let mut says = server.answer(seed, &asked);
        let end = if seed.one_in(3) {
            says.truncate(seed.within(0..=says.len()));
            Some(seed.pick(&[LineEnd::Fin, LineEnd::Reset, LineEnd::Silence]))
        } else if says.windows(6).any(|window| window == b"close\r") {
            Some(LineEnd::Fin)
        } else {
            None
        };
        let line = &mut self.lines[at];
        line.says.extend(says);
        line.end = line.end.or(end);
    }
}

impl Network for World {
    fn dial(&mut self, _: (&str, u16)) -> Option<usize> {
        if self.seed.one_in(8) {
            return None;
        }
        self.lines.push(Line::default());
        Some(self.lines.len() - 1)
    }

    fn begin(&mut self, _: usize, _: &Method, _: &Url) {}

    fn write(&mut self, at: usize, bytes: &[u8]) -> io::Result<usize> {
        let line = &mut self.lines[at];
        if line.end.is_some() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        line.heard.extend_from_slice(bytes);
        if line.heard.ends_with(b"\r\n\r\n") {
            let text = String::from_utf8(std::mem::take(&mut line.heard)).unwrap();
            self.request(at, &text);
        }
        Ok(bytes.len())
    }

    fn read(&mut self, at: usize, into: &mut [u8], _: Patience) -> io::Result<usize> {
        let most = into.len().min(self.lines[at].says.len());
        if most == 0 {
            return match self.lines[at].end {
                Some(LineEnd::Fin) => Ok(0),
                Some(LineEnd::Reset) => Err(io::ErrorKind::ConnectionReset.into()),
                Some(LineEnd::Silence) | None => Err(io::ErrorKind::WouldBlock.into()),
            };
        }
        let count = if self.seed.one_in(2) { most } else { self.seed.within(1..=most) };
        into[..count].copy_from_slice(&self.lines[at].says[..count]);
        self.lines[at].says.drain(..count);
        Ok(count)
    }

    fn pending(&self, at: usize) -> Pending {
        let line = &self.lines[at];
        match line.end {
            _ if !line.says.is_empty() => Pending::Bytes,
            Some(LineEnd::Fin | LineEnd::Reset) => Pending::End,
            _ => Pending::Nothing,
        }
    }

    fn keep(&mut self, _: usize) {}
}
