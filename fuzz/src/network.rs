//! A network whose servers follow scripts, and which records what the client sends.

use std::io;

use leanhttp::fuzzing::call::{self, Patience, Pending};
use leanhttp::fuzzing::{self, Head};
use leanhttp::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use leanhttp::{Method, Url, Version};

use crate::script::{Ending, Script};
use crate::{Cycle, Sizes, request, response};

/// One attempt to send one hop.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub connection: usize,
    /// Host and port of the connection.
    pub stop: String,
    pub method: Method,
    pub url: Url,
    /// True if it is not the first one on its connection.
    pub reused: bool,
    /// The bytes that the server received of it.
    pub sent: Vec<u8>,
    /// The position of the response in the server's bytes.
    began: usize,
}

pub struct Network {
    scripts: std::vec::IntoIter<Script>,
    connections: Vec<Connection>,
    pub attempts: Vec<Attempt>,
    sizes: Cycle,
    calls: usize,
}

#[derive(Default)]
struct Connection {
    script: Script,
    /// Host and port.
    stop: String,
    /// Number of waits that are over.
    waited: usize,
    /// Number of bytes read from the stream.
    taken: usize,
    /// Number of further bytes that it accepts, if limited.
    room: Option<usize>,
    /// True if the client noticed the break while writing.
    broken: bool,
    /// True if the client noticed the break or the end.
    dead: bool,
    used: bool,
}

impl Connection {
    /// Number of bytes of the stream that have arrived.
    fn arrived(&self) -> usize {
        self.script.waits.get(self.waited).copied().unwrap_or(self.script.stream.len())
    }

    fn waits(&self) -> bool {
        self.waited < self.script.waits.len()
    }

    fn go_on(&mut self) {
        self.waited += 1;
        self.fall_deaf();
    }

    fn fall_deaf(&mut self) {
        if let Some((_, room)) = self.script.deaf.filter(|(waits, _)| *waits <= self.waited) {
            self.room.get_or_insert(room);
        }
    }
}

impl Network {
    pub fn new(scripts: Vec<Script>, sizes: Sizes<'_>) -> Self {
        let scripts = scripts.into_iter();
        let sizes = sizes.cycle();
        Self { scripts, connections: Vec::new(), attempts: Vec::new(), sizes, calls: 0 }
    }

    /// The final head of this attempt, and the bytes that the server sent after it.
    pub fn answer(&self, attempt: &Attempt) -> Option<(Head, &[u8])> {
        let connection = &self.connections[attempt.connection];
        let stream = &connection.script.stream[attempt.began..connection.taken];
        let head = response::final_head(stream)?;
        let end = attempt.began + head.end;
        let parsed = fuzzing::head(&stream[head], Sizes::WHOLE).ok()??;
        Some((parsed, &connection.script.stream[end..]))
    }

    /// Returns whether the client has read all that the server sent, and then its FIN.
    pub fn ended_well(&self, attempt: &Attempt) -> bool {
        let Connection { script, taken, broken, .. } = &self.connections[attempt.connection];
        script.ending == Ending::Fin && *taken == script.stream.len() && !broken
    }

    fn pause(&mut self) -> usize {
        self.calls += 1;
        assert!(self.calls < 1 << 20, "calls without end");
        self.sizes.next().unwrap_or(1)
    }
}

impl call::Network for Network {
    fn dial(&mut self, (host, port): (&str, u16)) -> Option<usize> {
        let (script, stop) = (self.scripts.next()?, format!("{host}:{port}"));
        let mut connection = Connection { script, stop, ..Connection::default() };
        connection.fall_deaf();
        self.connections.push(connection);
        Some(self.connections.len() - 1)
    }

    fn begin(&mut self, number: usize, method: &Method, url: &Url) {
        let connection = &mut self.connections[number];
        assert!(!connection.dead, "a dead connection was used again");
        self.attempts.push(Attempt {
            connection: number,
            stop: connection.stop.clone(),
            method: method.clone(),
            url: url.clone(),
            reused: std::mem::replace(&mut connection.used, true),
            sent: Vec::new(),
            began: connection.taken,
        });
    }

    fn write(&mut self, number: usize, bytes: &[u8]) -> io::Result<usize> {
        assert!(!bytes.is_empty(), "nothing to write");
        let size = self.pause();
        let connection = &mut self.connections[number];
        let room = connection.room.unwrap_or(usize::MAX);
        if room == 0 {
            (connection.broken, connection.dead) = (true, true);
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        // A long body in single bytes would show nothing new.
        let count = size.max(bytes.len() / 64).min(room).min(bytes.len());
        connection.room = connection.room.map(|room| room - count);
        let attempt = self.attempts.last_mut().filter(|attempt| attempt.connection == number);
        attempt.expect("it is the one in use").sent.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn read(&mut self, number: usize, into: &mut [u8], patience: Patience) -> io::Result<usize> {
        assert!(!into.is_empty(), "no room to read");
        let size = self.pause().min(into.len());
        let connection = &mut self.connections[number];
        while connection.arrived() == connection.taken {
            if !connection.waits() {
                connection.dead = true;
                return match connection.script.ending {
                    Ending::Fin => Ok(0),
                    Ending::Reset => Err(io::ErrorKind::ConnectionReset.into()),
                    Ending::Silence => Err(io::ErrorKind::WouldBlock.into()),
                };
            }
            if patience == Patience::Continue {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            connection.go_on();
        }
        let count = size.min(connection.arrived() - connection.taken);
        into[..count].copy_from_slice(&connection.script.stream[connection.taken..][..count]);
        connection.taken += count;
        Ok(count)
    }

    fn pending(&self, number: usize) -> Pending {
        let connection = &self.connections[number];
        match connection.arrived() > connection.taken {
            true => Pending::Bytes,
            false if connection.waits() => Pending::Nothing,
            false if connection.script.ending == Ending::Silence => Pending::Nothing,
            false => Pending::End,
        }
    }

    /// Checks that one request was sent completely, and its response was read to its last byte and no
    /// further.
    fn keep(&mut self, number: usize) {
        let connection = &self.connections[number];
        let last = self.attempts.iter().rfind(|attempt| attempt.connection == number);
        let attempt = last.expect("it was used");
        assert!(!connection.dead, "a dead connection is kept");
        let request = request::parse(&attempt.sent).expect("the request is complete");
        assert_eq!(request.length, attempt.sent.len(), "there is more than one request");
        assert!(!request.values("connection").any(|value| value.eq_ignore_ascii_case(b"close")));

        let (head, rest) = self.answer(attempt).expect("there is a response");
        let (_, length) =
            response::body(&attempt.method, &head, rest).expect("the body is complete");
        let unread = connection.script.stream.len() - connection.taken;
        assert_eq!(rest.len() - length, unread, "the response was not read to its end");
        assert!(!is_until_close(&attempt.method, &head), "only the connection's end ends it");
        let framing = [CONTENT_LENGTH, TRANSFER_ENCODING];
        let doubt = framing.iter().all(|name| head.headers.contains_key(name));
        assert!(
            !doubt || attempt.method == Method::HEAD || head.status == 304 || head.status == 204
        );
        let says = |word: &str| {
            let lines = head.headers.get_all(CONNECTION).into_iter();
            let mut words = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
            words.any(|own| own.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
        };
        assert!(!says("close") && (head.version == Version::HTTP_11 || says("keep-alive")));
    }
}

/// Returns whether only the end of the connection ends the body.
pub fn is_until_close(method: &Method, head: &Head) -> bool {
    let has_body = method != Method::HEAD && ![204, 304].contains(&head.status.as_u16());
    let framing = [CONTENT_LENGTH, TRANSFER_ENCODING];
    has_body && !framing.iter().any(|name| head.headers.contains_key(name))
}
