//! One thread of random requests.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use leanhttp::blocking::multipart::{Form, Part};
use leanhttp::blocking::{Body, Client, RequestBuilder, Response};
use leanhttp::error::Kind;
use leanhttp::{Error, Method};

use super::content::Content;
use super::dice::Dice;
use super::tally::Tally;

/// The largest body.
const MOST: u64 = 4 << 20;
/// The largest body that is expensive: compressed, or read into memory.
const MOST_SLOW: u64 = 256 << 10;

/// A server's URL and the path to it.
#[derive(Clone, Debug)]
pub struct Site {
    pub url: String,
    pub way: Way,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// No fault may occur.
    Direct,
    /// Any fault may occur, but each call must end in time.
    Spoilt,
}

impl Way {
    fn deadline(self) -> Duration {
        Duration::from_secs(if self == Way::Direct { 120 } else { 2 })
    }
}

/// Tolerance for a deadline on a busy machine.
const SLACK: Duration = Duration::from_secs(10);

pub struct Worker<'a> {
    pub number: u64,
    pub client: &'a Client,
    pub sites: &'a [Site],
    pub dice: Dice,
    pub tally: Tally,
    /// The number of requests so far.
    pub count: u64,
}

/// The reason why a request failed.
enum Trouble {
    Failed(Error),
    /// The response arrived, but it was wrong.
    Wrong(String),
}

type Outcome = Result<(), Trouble>;

impl From<Error> for Trouble {
    fn from(error: Error) -> Trouble {
        Trouble::Failed(error)
    }
}

/// Errors of the client pass through `Read` unchanged.
impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        match error.downcast::<Error>() {
            Ok(error) => Trouble::Failed(error),
            Err(error) => Trouble::Wrong(error.to_string()),
        }
    }
}

impl Worker<'_> {
    pub fn work_until(mut self, end: Instant) -> Tally {
        while Instant::now() < end {
            self.count += 1;
            let site = &self.sites[self.dice.below(self.sites.len() as u64) as usize];
            let began = Instant::now();
            let outcome = self.ask(site);
            let took = began.elapsed();
            self.tally.took(took);
            self.judge(site, outcome, took);
        }
        self.tally
    }

    fn judge(&mut self, site: &Site, outcome: Outcome, took: Duration) {
        // A lost connection, a cut body, an expired deadline; a connection that is cut in the
        // handshake is a TLS error. No peer breaks a rule here, and no byte is altered.
        const HONEST: [Kind; 5] =
            [Kind::Io, Kind::Truncated, Kind::Timeout, Kind::Tls, Kind::Connect];
        match outcome {
            Err(Trouble::Wrong(what)) => self.tally.is_wrong(format!("{site:?}: {what}")),
            Err(Trouble::Failed(error)) => {
                self.tally.failed(&error);
                if site.way == Way::Direct || !HONEST.contains(&error.kind()) {
                    self.tally.is_wrong(format!("{site:?}: {error:?}"));
                }
            }
            Ok(()) => {}
        }
        if took > site.way.deadline() + SLACK {
            self.tally.is_wrong(format!("{site:?}: it took {took:?}"));
        }
    }

    fn ask(&mut self, site: &Site) -> Outcome {
        match self.dice.below(100) {
            0..30 => {
                // Without TLS, a relay that ends a connection also ends the body: the two cannot be
                // told apart.
                let is_safe = site.way == Way::Direct || site.url.starts_with("https");
                let framings = ["length", "chunked", "close"];
                let framing = self.dice.below(if is_safe { 3 } else { 2 });
                self.get(site, framings[framing as usize], MOST)
            }
            30..38 => self.get(site, "gzip", MOST_SLOW),
            38..44 => self.head(site),
            44..70 => self.send(site),
            70..76 => self.form(site),
            76..84 => self.redirected(site),
            84..90 => self.cookie(site),
            _ => self.half(site),
        }
    }

    fn request(&self, site: &Site, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", site.url);
        self.client.request(method, url).timeout(site.way.deadline())
    }

    fn get(&mut self, site: &Site, framing: &str, most: u64) -> Outcome {
        let content = Content::any(&mut self.dice, most);
        let path = format!("/content/{}/{}/{framing}", content.start, content.length);
        let response = self.request(site, Method::GET, &path).send()?;
        self.read(response, content)
    }

    fn redirected(&mut self, site: &Site) -> Outcome {
        let content = Content::any(&mut self.dice, MOST_SLOW);
        let hops = 1 + self.dice.below(5);
        let path = format!("/redirect/{hops}/{}/{}/length", content.start, content.length);
        let response = self.request(site, Method::GET, &path).send()?;
        self.read(response, content)
    }

    /// Reads every other body into memory, the others in pieces.
    fn read(&mut self, mut response: Response, content: Content) -> Outcome {
        expect_200(&response)?;
        let mut checker = content.checker();
        if self.dice.below(2) == 0 {
            checker.write_all(&response.bytes()?)?;
        } else {
            io::copy(&mut response, &mut checker)?;
        }
        checker.finish()?;
        self.tally.bytes += content.length as u64;
        Ok(())
    }

    fn head(&mut self, site: &Site) -> Outcome {
        let content = Content::any(&mut self.dice, MOST);
        let path = format!("/content/{}/{}/length", content.start, content.length);
        let response = self.request(site, Method::HEAD, &path).send()?;
        expect_200(&response)?;
        if response.content_length() == Some(content.length as u64) {
            return Ok(());
        }
        Err(Trouble::Wrong(format!("{:?} of {content:?}", response.content_length())))
    }

    fn send(&mut self, site: &Site) -> Outcome {
        let content = Content::any(&mut self.dice, MOST);
        let body = match self.dice.below(3) {
            0 => Body::from(content.bytes()),
            1 => Body::sized(content.reader(), content.length as u64),
            _ => Body::new(content.reader()),
        };
        let method = [Method::PUT, Method::POST][self.dice.below(2) as usize].clone();
        let request = self.request(site, method, &self.upload("content", content));
        let expects = self.dice.below(20) == 0;
        self.accepted(request.body(body).expect_continue(expects), content)
    }

    fn form(&mut self, site: &Site) -> Outcome {
        let content = Content::any(&mut self.dice, MOST_SLOW);
        let part = match self.dice.below(2) {
            0 => Part::bytes(content.bytes()),
            _ => Part::reader(content.reader()),
        };
        let request = self.request(site, Method::POST, &self.upload("form", content));
        self.accepted(request.multipart(Form::new().part("file", part)), content)
    }

    fn upload(&self, kind: &str, content: Content) -> String {
        let Content { start, length } = content;
        format!("/{kind}/{start}/{length}/{}-{}", self.number, self.count)
    }

    fn accepted(&mut self, request: RequestBuilder, content: Content) -> Outcome {
        expect_200(&request.send()?)?;
        self.tally.bytes += content.length as u64;
        Ok(())
    }

    /// A cookie of this worker is sent back, among those of all others.
    fn cookie(&mut self, site: &Site) -> Outcome {
        let cookie = format!("worker{}={}", self.number, self.count);
        let path = format!("/cookie/{}", cookie.replace('=', "/"));
        self.request(site, Method::GET, &path).send()?.bytes()?;
        let cookies = self.request(site, Method::GET, "/cookies").send()?.text()?;
        if cookies.split("; ").any(|found| found == cookie) {
            return Ok(());
        }
        Err(Trouble::Wrong(format!("{cookie} is not in {cookies:?}")))
    }

    /// Reads half of a response.
    fn half(&mut self, site: &Site) -> Outcome {
        let content = Content::any(&mut self.dice, MOST);
        let framing = ["length", "chunked"][self.dice.below(2) as usize];
        let path = format!("/content/{}/{}/{framing}", content.start, content.length);
        let mut response = self.request(site, Method::GET, &path).send()?;
        expect_200(&response)?;
        let half = self.dice.size(content.length.max(1) as u64);
        io::copy(&mut response.by_ref().take(half), &mut content.checker())?;
        self.tally.dropped += 1;
        Ok(())
    }
}

fn expect_200(response: &Response) -> Outcome {
    if response.status() == 200 {
        return Ok(());
    }
    Err(Trouble::Wrong(format!("{} for {}", response.status(), response.url())))
}
