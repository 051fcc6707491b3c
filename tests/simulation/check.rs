//! The rules of a run. The numbers are those of the list of invariants in the design.

use std::time::Duration;

use http::Method;

use super::framing::Extent;
use super::ledger::Attempt;
use super::plan::{BodyPlan, Secret, Site};
use super::request::Head;
use super::seed::content;
use super::world::{Owner, World, note};
use crate::error::{Error, Kind, Phase};
use crate::http1::close::CloseReason;
use crate::url::Url;

/// Number of times an idempotent request may be sent: once, and once more on a fresh connection.
const ATTEMPTS: usize = 2;

/// Longest time before the caller sees what a server has sent.
const PROMPT: Duration = Duration::from_millis(50);

impl World {
    /// Checks the start of a request on a connection.
    pub(super) fn begin(&mut self, at: usize, method: &Method, url: &Url) {
        note!(self, "line {at}: begins {method} {}", url.redacted());
        let port = url.port_or_known_default().unwrap_or_default();
        let site = url.host_str().and_then(|host| Site::of(host, port));
        let call = self.ledger.call().map_or(0, |call| call.plan.number);
        let own = |hop: &usize| site.is_some() && self.ledger.hops[*hop].call == call;
        let known = self.ledger.hop_of(url.path()).filter(own);
        if known.is_none() && !self.is_poisoned(call) {
            self.violated(format!("call {call} requests {url}, which it must not"));
        }
        let repeats = known.map_or(Ok(()), |hop| self.check_repetition(hop, method));
        if let Err(rule) = self.check_reuse(at).and(repeats) {
            self.violated(format!("line {at}: {rule}"));
        }
        self.check_count(at, site);
        let attempt = self.ledger.attempts.len();
        let (hop, is_astray) = (known.unwrap_or(call), known.is_none());
        self.ledger.attempts.push(Attempt {
            hop,
            call,
            is_astray,
            is_sent: false,
            answered: None,
            began: self.agenda.now(),
        });
        self.lines[at].attempts.push(attempt);
    }

    /// 7: a connection is reused only if it is known to be clean.
    fn check_reuse(&self, at: usize) -> Result<(), String> {
        let line = &self.lines[at];
        if line.attempts.is_empty() || line.is_poisoned {
            return Ok(());
        }
        if line.unread() > 0 || line.is_over() {
            return Err("used again with bytes unread, or after its end".to_owned());
        }
        if !line.is_between_records() {
            return Err("used again in the middle of a record".to_owned());
        }
        let mut served = 0;
        for response in self.ledger.responses.iter().filter(|response| response.line == at) {
            if response.start >= line.log.len() {
                break;
            }
            if response.start < served {
                continue; // a wrong length has consumed its beginning
            }
            let (_, extent) = response.judge(&line.log, line.close());
            let Extent::Complete(length) = extent else {
                return Err(format!("used again behind a response that is {extent:?}"));
            };
            if response.hop.is_none() || response.says_close {
                return Err("used again behind a response that forbids it".to_owned());
            }
            served = response.body_at + length;
        }
        match line.log.len() {
            all if all == served => Ok(()),
            all => Err(format!("used again with {all} bytes of which {served} are responses")),
        }
    }

    /// 4: a request that is not idempotent is not sent twice.
    fn check_repetition(&self, hop: usize, method: &Method) -> Result<(), String> {
        let of_hop = |attempt: &&Attempt| attempt.hop == hop && !attempt.is_astray;
        let of_hop = self.ledger.attempts.iter().filter(of_hop);
        let refused = |answered: Option<u16>| answered == Some(417);
        let count = of_hop.filter(|one| one.is_sent && !refused(one.answered)).count();
        let retries = self.plan.client.attempts.map_or(0, |attempts| attempts as usize - 1);
        let allowed = if method.is_idempotent() { ATTEMPTS * (1 + retries) } else { 1 };
        match count < allowed {
            true => Ok(()),
            false => Err(format!("{method} of hop {hop} is sent {} times", count + 1)),
        }
    }

    /// The connection limit of a host holds.
    fn check_count(&mut self, at: usize, site: Option<Site>) {
        let line = &mut self.lines[at];
        line.server.begin(site);
        let stop = (line.site, site.filter(|_| line.server.is_tunnel()));
        self.lines[at].stop = Some(stop);
        self.ledger.reached(stop);
        if self.lines[at].is_set_up() {
            if let Some(task) = self.ledger.task() {
                task.connecting = None;
            }
        }
        let same = |line: &&super::line::Line| line.is_open && line.stop == Some(stop);
        let open = self.lines.iter().filter(same).count();
        if self.plan.client.max_open.is_some_and(|max| open > max) {
            self.violated(format!("{open} connections to {stop:?}"));
        }
    }

    /// 7: no connection is closed without a reason, and the reason "given up" needs a caller that
    /// gave it up.
    pub(super) fn closing(&mut self, at: usize, reason: CloseReason) {
        note!(self, "line {at}: is closed: {reason}");
        let line = &mut self.lines[at];
        line.reason = Some(reason);
        let is_cancelled = self.ledger.call().is_none_or(|call| call.cancelled);
        let is_given_up = self.ledger.task().is_none_or(|task| task.is_given_up) || is_cancelled;
        let is_well = match reason {
            CloseReason::Abandoned | CloseReason::LetGo => is_given_up,
            _ => true,
        };
        if !is_well {
            self.violated(format!("line {at}: {reason}, but no caller did that"));
        }
    }

    // Rules about what servers receive.

    /// A proxy receives the destination of its tunnel, and nothing that only the origin may see.
    pub(super) fn check_connect(&self, attempt: usize, head: &Head) -> Result<(), String> {
        let attempt = &self.ledger.attempts[attempt];
        let is_right = self.tunnel_of(head) == Some(self.ledger.hops[attempt.hop].site);
        if head.method != "CONNECT" || (!is_right && !attempt.is_astray) {
            return Err(format!("{} {} instead of a tunnel", head.method, head.target));
        }
        if head.field("host") != Some(&*head.target) {
            return Err(format!("a tunnel to {}, or to {:?}", head.target, head.field("host")));
        }
        for (secret, owner) in &self.secrets {
            if head.says(secret) != (*owner == Owner::Proxy) {
                return Err(format!("{owner:?}'s secret, in CONNECT"));
            }
        }
        Ok(())
    }

    /// The destination of a tunnel.
    pub(super) fn tunnel_of(&self, head: &Head) -> Option<Site> {
        let (host, port) = head.target.rsplit_once(':')?;
        Site::of(host, port.parse().ok()?)
    }

    /// Checks that this is the expected request for that server, and contains only secrets that the
    /// server may see. A forwarding proxy stands for every origin.
    pub(super) fn check_head(
        &mut self,
        at: Option<Site>,
        attempt: usize,
        head: &Head,
    ) -> Result<(), String> {
        let Attempt { hop: number, is_astray, .. } = self.ledger.attempts[attempt];
        let hop = self.ledger.hops[number].clone();
        if is_astray {
            return Ok(());
        }
        let authority = hop.site.authority();
        let path = match at {
            Some(_) => Some(&*head.target),
            None => head.target.strip_prefix("http://").and_then(|t| t.strip_prefix(&*authority)),
        };
        if path.and_then(|path| self.ledger.hop_of(path)) != Some(number) {
            return Err(format!("asked for {} instead of hop {number}", head.target));
        }
        if at.is_some_and(|at| at != hop.site) || head.field("host") != Some(&*authority) {
            return Err(format!("hop {number} is for {authority}, asked at {at:?}"));
        }
        if head.method != hop.method {
            return Err(format!("{} instead of {}", head.method, hop.method));
        }
        self.check_secrets(at.is_none(), number, head)?;
        self.check_cookies(number, head)
    }

    /// 5: a secret is for one origin, or for the proxy.
    fn check_secrets(&self, is_proxy: bool, hop: usize, head: &Head) -> Result<(), String> {
        let hop = &self.ledger.hops[hop];
        for (secret, owner) in &self.secrets {
            let may = match owner {
                Owner::Proxy => is_proxy,
                Owner::Client => !hop.is_foreign,
                Owner::Call(call) => hop.call == *call && !hop.is_foreign,
            };
            let must = may && *owner == Owner::Call(hop.call);
            match head.says(secret) {
                true if !may => return Err(format!("{owner:?}'s secret is told to {hop:?}")),
                false if must => return Err(format!("{owner:?}'s secret is not told to {hop:?}")),
                _ => {}
            }
        }
        Ok(())
    }

    fn check_cookies(&self, hop: usize, head: &Head) -> Result<(), String> {
        let hop = &self.ledger.hops[hop];
        for pair in head.all("cookie").flat_map(|line| line.split("; ")) {
            let number = pair.split_once("=v").and_then(|(_, value)| value.strip_suffix('.'));
            let Some(number) = number.and_then(|number| number.parse::<usize>().ok()) else {
                continue; // the caller's
            };
            let cookie = &self.ledger.cookies[number];
            // A response to another request may have set it.
            let is_sure = !self.lines.iter().any(|line| line.is_poisoned);
            if is_sure && !cookie.is_for(hop.site, hop.directory) {
                return Err(format!("{cookie:?} is sent to {hop:?}"));
            }
        }
        Ok(())
    }

    /// A server that has read a request to its end has received the caller's body.
    pub(super) fn check_body(&self, attempt: usize, body: &[u8]) -> Result<(), String> {
        let Attempt { hop, call, is_astray, .. } = self.ledger.attempts[attempt];
        let hop = &self.ledger.hops[hop];
        if is_astray {
            return Ok(());
        }
        let plan = self.ledger.calls[call].plan.body;
        let expected = if hop.has_body { plan.length() } else { Some(0) };
        match expected {
            None => Err(format!("{plan:?} looks complete")),
            Some(length) if body == request_body(hop.call, length) => Ok(()),
            Some(length) => Err(format!("{} bytes of a body of {length}, or others", body.len())),
        }
    }

    // Rules about what callers receive.

    /// 2: the body that a caller received, and whether it was reported as complete.
    pub(super) fn check_response(&self, given: &Given) -> Result<(), String> {
        let Some(response) = self.ledger.responses.get(given.serial) else {
            return match self.is_poisoned(given.call) {
                true => Ok(()), // assembled from several
                false => Err("a response that no server sent".to_owned()),
            };
        };
        let line = &self.lines[response.line];
        if line.is_poisoned || self.is_poisoned(given.call) {
            return Ok(()); // the result is undefined
        }
        let call = response.hop.map(|hop| self.ledger.hops[hop].call);
        if call != Some(given.call) {
            return Err(format!("call {} is given the response to {call:?}", given.call));
        }
        if given.status != response.status {
            return Err(format!("{} was {}", given.status, response.status));
        }
        let (raw, extent) = response.judge(&line.log, line.close());
        let is_decoded = response.coded != response.content && !raw.is_empty();
        let content = if is_decoded { &response.content } else { &raw };
        // A modified encoded body may decode to anything, but must end in an error.
        let is_genuine = !is_decoded || response.coded.starts_with(&raw);
        if is_genuine && !content.starts_with(&given.body) {
            return Err(format!("other bytes than response {} has", given.serial));
        }
        let is_whole = matches!(extent, Extent::Complete(_))
            && given.body.len() == content.len()
            && (!is_decoded || raw == response.coded);
        match given.is_complete && !is_whole {
            true => Err(format!(
                "{} bytes are given as complete of response {}, which is {extent:?}",
                given.body.len(),
                given.serial,
            )),
            false => Ok(()),
        }
    }

    /// Returns whether a connection of this call had unsolicited bytes.
    fn is_poisoned(&self, call: usize) -> bool {
        let of_call = |attempt: &usize| self.ledger.attempts[*attempt].call == call;
        self.lines.iter().any(|line| line.is_poisoned && line.attempts.iter().any(of_call))
    }

    /// The time at which the head of a response had arrived, unless it is unknown which response
    /// that is.
    pub(super) fn head_came(&self, serial: usize) -> Option<Duration> {
        let response = self.ledger.responses.get(serial)?;
        let line = &self.lines[response.line];
        if line.is_poisoned {
            return None;
        }
        line.came_at(response.body_at)
    }

    /// The time at which the connection of that error was lost.
    pub(super) fn loss_came(&self, call: usize, error: &Error) -> Option<Duration> {
        if error.kind() != Kind::Io || !matches!(error.phase(), Phase::Send | Phase::Head) {
            return None;
        }
        let last = self.ledger.attempts.iter().rposition(|attempt| attempt.call == call)?;
        let line = self.lines.iter().find(|line| line.attempts.last() == Some(&last))?;
        Some(line.ended_at()?.max(self.ledger.attempts[last].began))
    }

    /// The data or the end that a server sends is seen immediately, whatever the caller waits for.
    pub(super) fn check_prompt(&mut self, heard: Option<Duration>) {
        let Some(heard) = heard else { return };
        if self.agenda.now() > heard + PROMPT {
            self.violated(format!(
                "noticed at {:?}, although it arrived at {heard:?}",
                self.agenda.now()
            ));
        }
    }

    /// 6: no call outlives its deadline.
    pub(super) fn check_deadline(&mut self, began: std::time::Duration) {
        let Some(deadline) = self.ledger.call().and_then(|call| call.deadline) else { return };
        if self.agenda.now() > deadline.max(began) {
            self.violated(format!(
                "ended at {:?}, although the deadline was {deadline:?}",
                self.agenda.now()
            ));
        }
    }

    /// Rules for the end of a run, when only the client and its pool are left.
    pub(super) fn check_rest(&mut self, stats: [usize; 3]) {
        let [idle, open, waiting] = stats;
        let lines = self.lines.iter().filter(|line| line.is_open).count();
        if (open, waiting) != (idle, 0) || lines != idle {
            self.violated(format!(
                "{idle} idle, {open} open, {waiting} waiting; {lines} connections"
            ));
        }
        if let Some((first, second)) = self.ledger.overtaken() {
            self.violated(format!("waiter {second} was served before waiter {first}"));
        }
    }

    /// The servers that may see each secret.
    pub(super) fn know_secrets(&mut self) {
        let plan = std::sync::Arc::clone(&self.plan);
        let client = &plan.client;
        if let Some(password) = &client.credentials {
            self.secrets.push((basic("client", password), Owner::Client));
        }
        self.secrets.extend(client.default_secret.iter().map(|key| (key.clone(), Owner::Client)));
        if let Some(proxy) = &client.proxy {
            self.secrets.push((basic(super::proxy::USER, &proxy.password), Owner::Proxy));
        }
        for call in plan.calls() {
            let text = call.secret_text();
            let secret = call.secret.map(|secret| match secret {
                Secret::Url => basic("user", &text),
                _ => text,
            });
            self.secrets.extend(secret.map(|secret| (secret, Owner::Call(call.number))));
        }
    }
}

/// The body that a caller received.
pub(super) struct Given {
    pub(super) call: usize,
    pub(super) serial: usize,
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    /// True if the caller was told that the body is complete.
    pub(super) is_complete: bool,
}

/// Generates the body of a call's request.
pub(super) fn request_body(call: usize, length: usize) -> Vec<u8> {
    content(0x7000_0000 + call as u64, length)
}

/// The value of `Basic` credentials (RFC 7617).
fn basic(user: &str, password: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"))
}

impl BodyPlan {
    /// Returns whether a call with it must fail, unless the response arrives before.
    pub(super) fn is_bad(self) -> bool {
        self.length().is_none()
    }
}
