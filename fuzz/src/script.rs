//! The actions of servers, in a form that a fuzzer can write: bytes, and marks that start with a
//! dollar sign.
//!
//! | mark | meaning |
//! | --- | --- |
//! | `$;` | the next connection |
//! | `$w` | the server waits until the client does |
//! | `$!n` | the connection accepts only some more bytes, eight for each step from `0` |
//! | `$r` `$q` | the connection ends with a reset, or with silence; without a mark with FIN |
//! | others | words of HTTP, see [`word`] |

/// The actions of the server on one connection.
#[derive(Debug, Default)]
pub struct Script {
    /// All bytes that it sends.
    pub stream: Vec<u8>,
    /// The positions at which it waits.
    pub waits: Vec<usize>,
    /// The number of waits after which it accepts only so many more bytes.
    pub deaf: Option<(usize, usize)>,
    pub ending: Ending,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    #[default]
    Fin,
    Reset,
    Silence,
}

/// The actions on each connection in turn.
pub fn read(text: &[u8]) -> Vec<Script> {
    let mut scripts = vec![Script::default()];
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        let script = scripts.last_mut().unwrap();
        let mark = if byte == b'$' { bytes.next() } else { None };
        match mark {
            Some(b';') => scripts.push(Script::default()),
            Some(b'w') => script.waits.push(script.stream.len()),
            Some(b'!') => {
                let count = usize::from(bytes.next().unwrap_or_default().wrapping_sub(b'0')) * 8;
                script.deaf.get_or_insert((script.waits.len(), count));
            }
            Some(b'r') => script.ending = Ending::Reset,
            Some(b'q') => script.ending = Ending::Silence,
            Some(mark) => match word(mark) {
                Some(word) => script.stream.extend_from_slice(word.as_bytes()),
                None => script.stream.extend_from_slice(&[byte, mark]),
            },
            None => script.stream.push(byte),
        }
    }
    scripts
}

/// Short, so that a mutation of one byte can make a redirect.
fn word(mark: u8) -> Option<&'static str> {
    Some(match mark {
        b'k' => "HTTP/1.1 200 OK\r\n",
        b'0' => "HTTP/1.0 200 OK\r\n",
        b'1' => "HTTP/1.1 301 Moved Permanently\r\n",
        b'2' => "HTTP/1.1 302 Found\r\n",
        b'3' => "HTTP/1.1 303 See Other\r\n",
        b'7' => "HTTP/1.1 307 Temporary Redirect\r\n",
        b'8' => "HTTP/1.1 308 Permanent Redirect\r\n",
        b'4' => "HTTP/1.1 401 Unauthorized\r\n",
        b'u' => "HTTP/1.1 503 Service Unavailable\r\n",
        b'e' => "HTTP/1.1 417 Expectation Failed\r\n",
        b'c' => "HTTP/1.1 100 Continue\r\n\r\n",
        b'L' => "Location: ",
        b'C' => "Set-Cookie: ",
        b'l' => "Content-Length: ",
        b'T' => "Transfer-Encoding: chunked\r\n",
        b'x' => "Connection: close\r\n",
        b'z' => "Content-Length: 0\r\n\r\n",
        b'n' => "\r\n",
        b'a' => "http://a.example/",
        b'A' => "https://a.example/",
        b'b' => "http://b.example/",
        b'B' => "https://b.example/",
        b's' => "http://sub.a.example/",
        b'p' => "http://a.example:8080/",
        _ => return None,
    })
}
