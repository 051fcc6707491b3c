//! Saves a jar to a file and loads it. [`crate::cookie::saved`] decides what a line means.

use std::io::{self, BufRead, Read, Write};

use super::Jar;
use crate::cookie::saved::{SavedLine, json, netscape};
use crate::cookie::{CookieRefusal, Limits, LoadReport, SessionCookies, StoredCookie};

impl Jar {
    /// Writes the cookies as [JSON lines](crate::cookie#files), the oldest first, and flushes.
    ///
    /// Cookies are often credentials: restrict access to the file.
    ///
    /// # Errors
    ///
    /// Those of `writer`.
    ///
    /// ```
    /// use leanhttp::cookie::{Jar, SessionCookies};
    /// use leanhttp::url::Url;
    ///
    /// let (jar, again) = (Jar::new(), Jar::new());
    /// let url = Url::parse("https://example.com/")?;
    /// jar.add_cookie_str("a=1; Max-Age=3600", &url);
    /// jar.add_cookie_str("b=2", &url);
    ///
    /// let mut file = Vec::new();
    /// jar.save_json(&mut file, SessionCookies::Forget)?;
    /// let loaded = again.load_json(file.as_slice())?;
    /// assert_eq!((loaded.cookies, loaded.skipped), (1, 0));
    /// assert_eq!(again.to_vec()[0].name(), "a");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn save_json(&self, writer: impl Write, session: SessionCookies) -> io::Result<()> {
        self.save(writer, session, json::write)
    }

    /// Adds the cookies of a file of [JSON lines](crate::cookie#files). They replace cookies with
    /// the same domain, path and name. Expired cookies are left out. Lines that are not a valid
    /// cookie are skipped and counted; so are lines of more than 64 KiB, or of what the jar's
    /// [`Limits`] require if that is more.
    ///
    /// # Errors
    ///
    /// Those of `reader`, and [`InvalidData`](io::ErrorKind::InvalidData) after 10 000 lines, or
    /// three times as many as the jar may hold cookies if that is more. Cookies read before the
    /// error stay in the jar.
    pub fn load_json(&self, reader: impl BufRead) -> io::Result<LoadReport> {
        self.load(reader, json::read)
    }

    /// Writes the cookies as a [Netscape cookie file](crate::cookie#files), the oldest first, and
    /// flushes.
    ///
    /// Cookies are often credentials: restrict access to the file.
    ///
    /// # Errors
    ///
    /// Those of `writer`.
    ///
    /// ```
    /// use leanhttp::cookie::{Jar, SessionCookies};
    /// use leanhttp::url::Url;
    ///
    /// let jar = Jar::new();
    /// jar.add_cookie_str("a=1; Domain=example.com", &Url::parse("https://www.example.com/b/")?);
    ///
    /// let mut file = Vec::new();
    /// jar.save_netscape(&mut file, SessionCookies::Keep)?;
    /// let expected = "# Netscape HTTP Cookie File\n.example.com\tTRUE\t/b\tFALSE\t0\ta\t1\n";
    /// assert_eq!(String::from_utf8(file)?, expected);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn save_netscape(&self, mut writer: impl Write, session: SessionCookies) -> io::Result<()> {
        writer.write_all(netscape::HEADER)?;
        self.save(writer, session, netscape::write)
    }

    /// Adds the cookies of a [Netscape cookie file](crate::cookie#files), by the same rules as
    /// [`load_json`](Self::load_json).
    ///
    /// # Errors
    ///
    /// As for [`load_json`](Self::load_json).
    pub fn load_netscape(&self, reader: impl BufRead) -> io::Result<LoadReport> {
        self.load(reader, netscape::read)
    }

    fn save(
        &self,
        mut writer: impl Write,
        session: SessionCookies,
        write: fn(&StoredCookie, &mut Vec<u8>),
    ) -> io::Result<()> {
        let mut line = Vec::new();
        for cookie in self.to_vec() {
            if cookie.expires().is_none() && session == SessionCookies::Forget {
                continue;
            }
            line.clear();
            write(&cookie, &mut line);
            writer.write_all(&line)?;
        }
        writer.flush()
    }

    /// Reads outside the lock, because the reader is the caller's code and may use the jar.
    fn load(
        &self,
        mut reader: impl BufRead,
        read: fn(&[u8]) -> SavedLine,
    ) -> io::Result<LoadReport> {
        let now = (self.clock)();
        let mut loaded = LoadReport::default();
        let mut line = Vec::new();
        let mut number = 0;
        let (max_lines, max_line) = {
            let store = self.lock();
            (max_lines(store.limits()), max_line(store.limits()))
        };
        while read_line(&mut reader, &mut line, max_line)? {
            number += 1;
            if number > max_lines {
                let too_many = format!("the cookie file has more than {max_lines} lines");
                return Err(io::Error::new(io::ErrorKind::InvalidData, too_many));
            }
            match read(without_end(&line)) {
                SavedLine::Blank => {}
                SavedLine::Malformed => loaded.count(number, Err(CookieRefusal::NotAsWritten)),
                SavedLine::Cookie(record) => {
                    loaded.count(number, self.lock().restore(&record, now))
                }
            }
        }
        Ok(loaded)
    }
}

/// Reads the next line into `line` and returns whether there is one. Only the beginning of a line
/// longer than `most` is kept: such a line cannot be a cookie.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>, most: u64) -> io::Result<bool> {
    line.clear();
    reader.take(most).read_until(b'\n', line)?;
    if line.len() as u64 == most && !line.ends_with(b"\n") {
        reader.skip_until(b'\n')?;
    }
    Ok(!line.is_empty())
}

fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Three times as many lines as the jar holds cookies: later lines would only evict earlier ones,
/// and a file may be endless.
fn max_lines(limits: &Limits) -> usize {
    limits.max_total.saturating_mul(3).max(10_000)
}

/// Twice the length of the longest cookie line, even if every byte is escaped as `\u00xx`.
fn max_line(limits: &Limits) -> u64 {
    let bytes = limits.max_cookie_bytes.saturating_add(limits.max_attribute_bytes);
    bytes.saturating_mul(12).max(64 * 1024) as u64
}

#[cfg(test)]
mod tests;
