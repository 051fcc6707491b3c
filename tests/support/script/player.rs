//! Plays the script of one connection.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use socket2::SockRef;

use super::super::stream::Stream;
use super::{Shared, Step};

pub struct Player {
    id: usize,
    stream: Stream,
    shared: Arc<Shared>,
    received: Vec<u8>,
    /// Number of received bytes that the steps have consumed.
    taken: usize,
}

/// The reason why a script stops before its last step.
enum Stop {
    /// The client disconnected; a failure only if a later step expects something of it.
    Gone,
    Failed(String),
}

impl Player {
    pub fn new(id: usize, stream: Stream, shared: Arc<Shared>) -> Player {
        Player { id, stream, shared, received: Vec::new(), taken: 0 }
    }

    /// Plays the steps, records deviations, and ends the connection.
    pub fn play(mut self, steps: &[Step]) {
        let result = self.follow(steps);
        if let Err(failure) = &result {
            self.shared.fail(format!("connection {}, {failure}", self.id));
        }
        self.shared.mark_played(self.id);
        match (result, steps.last()) {
            (Err(_), _) => self.stream.end(),
            (Ok(()), last) => self.await_end(last),
        }
        // The connection closes with its last handle.
        self.shared.lock().tracks[self.id].socket = None;
    }

    fn follow(&mut self, steps: &[Step]) -> Result<(), String> {
        for (position, step) in steps.iter().enumerate() {
            let reason = match self.perform(step) {
                Ok(()) => {
                    self.shared.mark_performed(self.id);
                    continue;
                }
                Err(Stop::Failed(reason)) => reason,
                Err(Stop::Gone) if !steps[position..].iter().any(Step::expects) => return Ok(()),
                Err(Stop::Gone) => "the client was gone".to_owned(),
            };
            return Err(format!("step {position} ({}):\n{reason}", step.name()));
        }
        Ok(())
    }

    fn perform(&mut self, step: &Step) -> Result<(), Stop> {
        match step {
            Step::Expect(bytes) => return self.expect(bytes),
            Step::ExpectHead => return self.expect_head().map(|_| ()),
            Step::ExpectRequest => return self.expect_request(),
            Step::ExpectEnd => return self.expect_end(),
            Step::Send(bytes) => return self.send(bytes),
            Step::SendSplit(bytes, size) => {
                return bytes.chunks((*size).max(1)).try_for_each(|piece| self.send(piece));
            }
            Step::Pause(duration) => thread::sleep(*duration),
            Step::Wait(gate) => gate.wait(),
            Step::Close => self.stream.end(),
            Step::Cut => self.stream.cut(),
            Step::Reset => self.prepare_reset(),
            Step::Silent | Step::StopReading => {}
        }
        Ok(())
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.stream.write_all(bytes).and_then(|()| self.stream.flush()).map_err(|_| Stop::Gone)?;
        // Gives a reader on the same core a chance to see the piece by itself.
        thread::yield_now();
        Ok(())
    }

    fn expect(&mut self, expected: &[u8]) -> Result<(), Stop> {
        while expected.len() > self.unread().len() && expected.starts_with(self.unread()) {
            if !self.read_more() {
                break;
            }
        }
        if !self.unread().starts_with(expected) {
            return Err(Stop::Failed(both_sides(expected, self.unread())));
        }
        self.taken += expected.len();
        Ok(())
    }

    fn expect_head(&mut self) -> Result<Vec<u8>, Stop> {
        self.expect_up_to(b"\r\n\r\n", "a request head")
    }

    fn expect_request(&mut self) -> Result<(), Stop> {
        let head = self.expect_head()?.to_ascii_lowercase();
        let head = String::from_utf8_lossy(&head);
        let value = |name| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        if value("transfer-encoding:").is_some_and(|codings| codings.ends_with("chunked")) {
            return self.expect_chunks();
        }
        let length = value("content-length:").and_then(|length| length.parse().ok());
        self.skip(length.unwrap_or(0), "a request body")
    }

    fn expect_chunks(&mut self) -> Result<(), Stop> {
        loop {
            let line = self.expect_up_to(b"\r\n", "a chunk size")?;
            let line = String::from_utf8_lossy(&line);
            let digits = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(digits, 16)
                .map_err(|_| Stop::Failed(both_sides(b"a chunk size", line.as_bytes())))?;
            if size == 0 {
                // The trailer section, up to its blank line.
                while self.expect_up_to(b"\r\n", "a trailer")? != b"\r\n" {}
                return Ok(());
            }
            self.skip(size + 2, "a chunk")?;
        }
    }

    fn expect_end(&mut self) -> Result<(), Stop> {
        while self.read_more() {}
        let is_clean = self.unread().is_empty();
        if is_clean { Ok(()) } else { Err(Stop::Failed(both_sides(b"", self.unread()))) }
    }

    /// Consumes everything up to and including `end`.
    fn expect_up_to(&mut self, end: &[u8], what: &str) -> Result<Vec<u8>, Stop> {
        loop {
            if let Some(start) = find(self.unread(), end) {
                let found = self.unread()[..start + end.len()].to_vec();
                self.taken += found.len();
                return Ok(found);
            }
            if !self.read_more() {
                return Err(Stop::Failed(both_sides(what.as_bytes(), self.unread())));
            }
        }
    }

    fn skip(&mut self, count: usize, what: &str) -> Result<(), Stop> {
        while self.unread().len() < count {
            if !self.read_more() {
                let found = format!("{} of {count} bytes", self.unread().len());
                return Err(Stop::Failed(both_sides(what.as_bytes(), found.as_bytes())));
            }
        }
        self.taken += count;
        Ok(())
    }

    /// Reads once; false at any kind of end.
    fn read_more(&mut self) -> bool {
        let mut space = [0; 16 * 1024];
        let count = loop {
            match self.stream.read(&mut space) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other.unwrap_or(0),
            }
        };
        self.received.extend(&space[..count]);
        let track = &mut self.shared.lock().tracks[self.id];
        track.received.extend(&space[..count]);
        track.is_certified = self.stream.is_certified();
        track.is_resumed = self.stream.is_resumed();
        count > 0
    }

    fn unread(&self) -> &[u8] {
        &self.received[self.taken..]
    }

    /// A socket with SO_LINGER 0 resets the connection when its last handle is dropped, which is
    /// then the player's own.
    fn prepare_reset(&mut self) {
        self.shared.lock().tracks[self.id].socket = None;
        let _ = SockRef::from(self.stream.tcp()).set_linger(Some(Duration::ZERO));
    }

    /// Waits for the end of the connection after the last step.
    fn await_end(&mut self, last: Option<&Step>) {
        match last {
            Some(Step::Reset) => {}
            Some(Step::StopReading) => self.await_join(),
            Some(Step::Close | Step::Cut | Step::Silent) => while self.read_more() {},
            _ => {
                if let Err(Stop::Failed(surplus)) = self.expect_end() {
                    let id = self.id;
                    self.shared.fail(format!("connection {id}, after the last step:\n{surplus}"));
                }
                self.stream.end();
            }
        }
    }

    fn await_join(&self) {
        while !self.shared.lock().stopping {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Both sides escaped, a line each, with the first difference marked.
fn both_sides(expected: &[u8], found: &[u8]) -> String {
    let same = expected.iter().zip(found).take_while(|(a, b)| a == b).count();
    let mut text = String::new();
    let _ = writeln!(text, "expected:\n{}", escaped(expected));
    let _ = writeln!(text, "found:\n{}", escaped(found));
    let _ = write!(text, "they differ from byte {same} on");
    text
}

fn escaped(bytes: &[u8]) -> String {
    let lines = bytes.split_inclusive(|&b| b == b'\n');
    let lines: Vec<String> = lines.map(|line| format!("  |{}|", line.escape_ascii())).collect();
    lines.join("\n")
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
