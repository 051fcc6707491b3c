//! The record of a run for the checks: calls, their hops and attempts, responses, cookies, and the
//! queue for connections.

use std::time::Duration;

use super::framing::{Close, Extent, Framing};
use super::plan::{CallPlan, Plan, Site};

#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) calls: Vec<Call>,
    pub(super) hops: Vec<Hop>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) responses: Vec<Response>,
    pub(super) cookies: Vec<Cookie>,
    pub(super) tasks: Vec<Task>,
    queue: Vec<Queued>,
    turns: usize,
    /// The task that is being polled.
    pub(super) running: Option<usize>,
}

/// A call, in progress or done.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) plan: CallPlan,
    /// The time at which it must have ended.
    pub(super) deadline: Option<Duration>,
    pub(super) cancelled: bool,
}

/// The request behind a URL of a run: the path holds its number.
#[derive(Debug, Clone)]
pub(super) struct Hop {
    pub(super) call: usize,
    pub(super) site: Site,
    pub(super) directory: usize,
    pub(super) method: &'static str,
    pub(super) has_body: bool,
    /// True if another origin was contacted before.
    pub(super) is_foreign: bool,
    /// Number of hops before this one.
    pub(super) depth: usize,
}

/// A request that was begun on a connection.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) hop: usize,
    pub(super) call: usize,
    /// True if it is for another hop, or for none: a server has redirected the caller there.
    pub(super) is_astray: bool,
    /// True if a byte of it may have been sent.
    pub(super) is_sent: bool,
    pub(super) answered: Option<u16>,
    pub(super) began: Duration,
}

/// A response that a server sent, or meant to send.
#[derive(Debug)]
pub(super) struct Response {
    /// None for an unsolicited response.
    pub(super) hop: Option<usize>,
    pub(super) line: usize,
    pub(super) status: u16,
    /// The positions of its head and its body among all bytes of the connection.
    pub(super) start: usize,
    pub(super) body_at: usize,
    pub(super) framing: Framing,
    /// The body as encoded, and as decoded.
    pub(super) coded: Vec<u8>,
    pub(super) content: Vec<u8>,
    pub(super) says_close: bool,
}

/// A cookie that a server has set, or tried to set.
#[derive(Debug)]
pub(super) struct Cookie {
    pub(super) from: Site,
    /// The `Domain`, with which it is sent to subdomains too.
    pub(super) domain: Option<&'static str>,
    pub(super) directory: Option<usize>,
    pub(super) is_secure: bool,
}

/// A connection that a task is opening.
#[derive(Debug, Clone, Copy)]
pub(super) struct Connecting {
    pub(super) since: Duration,
    /// Number of times its socket was checked after its limit had passed.
    pub(super) looks: u32,
}

/// The state of a task.
#[derive(Debug, Default, Clone)]
pub(super) struct Task {
    pub(super) call: Option<usize>,
    pub(super) connecting: Option<Connecting>,
    /// The next event that it waits for, if any.
    awaited: Awaited,
    queued: Option<usize>,
    /// True if the task is dropped before its end.
    pub(super) is_given_up: bool,
}

/// The meaning of an event.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaited {
    #[default]
    Turn,
    Name,
    /// The pause before a retry.
    Pause,
}

impl Task {
    pub(super) fn begin(&mut self, call: usize) {
        *self = Self { call: Some(call), ..Self::default() };
    }

    pub(super) fn awaits(&mut self) -> Awaited {
        std::mem::take(&mut self.awaited)
    }
}

/// A task in the queue for a connection.
#[derive(Debug)]
struct Queued {
    turn: Option<usize>,
    /// The destination of the connection that it got.
    stop: Option<(Site, Option<Site>)>,
}

impl Ledger {
    pub(super) fn new(plan: &Plan) -> Self {
        let call = |plan: &CallPlan| Call { plan: plan.clone(), deadline: None, cancelled: false };
        let hop = |call: &CallPlan| Hop {
            call: call.number,
            site: call.site,
            directory: 0,
            method: call.method,
            has_body: true,
            is_foreign: false,
            depth: 0,
        };
        Self {
            calls: plan.calls().map(call).collect(),
            hops: plan.calls().map(hop).collect(),
            tasks: vec![Task::default(); plan.tasks.len()],
            ..Self::default()
        }
    }

    /// The running task; events are attributed to it.
    pub(super) fn task(&mut self) -> Option<&mut Task> {
        self.tasks.get_mut(self.running?)
    }

    /// The running call.
    pub(super) fn call(&self) -> Option<&Call> {
        self.calls.get(self.tasks.get(self.running?)?.call?)
    }

    /// The hop of a URL.
    pub(super) fn hop_of(&self, path: &str) -> Option<usize> {
        let (directory, number) = path.strip_prefix("/d")?.split_once("/h")?;
        let number: usize = number.parse().ok()?;
        let hop = self.hops.get(number)?;
        (directory == hop.directory.to_string()).then_some(number)
    }

    // The queue for connections.

    pub(super) fn looks_up(&mut self) {
        if let Some(task) = self.task() {
            task.awaited = Awaited::Name;
        }
    }

    /// Records that a retry begins, after a pause.
    pub(super) fn pauses(&mut self) {
        if let Some(task) = self.task() {
            task.awaited = Awaited::Pause;
            task.connecting = None;
        }
    }

    /// Adds a task to the queue.
    pub(super) fn queues(&mut self) -> usize {
        let place = self.queue.len();
        self.queue.push(Queued { turn: None, stop: None });
        if let Some(task) = self.task() {
            task.queued = Some(place);
        }
        place
    }

    pub(super) fn turn_came(&mut self, place: usize) {
        self.turns += 1;
        self.queue[place].turn = Some(self.turns);
    }

    /// Records that a queued task has got a connection.
    pub(super) fn reached(&mut self, stop: (Site, Option<Site>)) {
        let Some(place) = self.task().and_then(|task| task.queued.take()) else { return };
        self.queue[place].stop = Some(stop);
    }

    /// A task that was served before one that had come earlier.
    pub(super) fn overtaken(&self) -> Option<(usize, usize)> {
        let served = || {
            self.queue
                .iter()
                .enumerate()
                .filter(|(_, one)| one.stop.is_some() && one.turn.is_some())
        };
        served().find_map(|(at, first)| {
            let later = served().skip_while(move |(other, _)| *other <= at);
            let mut same = later.filter(|(_, other)| other.stop == first.stop);
            same.find(|(_, other)| other.turn < first.turn).map(|(other, _)| (at, other))
        })
    }
}

impl Response {
    /// The body and its extent, given all bytes of the connection.
    pub(super) fn judge(&self, log: &[u8], close: Close) -> (Vec<u8>, Extent) {
        match log.get(self.body_at..) {
            None => (Vec::new(), Extent::Partial),
            Some(body) => self.framing.judge(body, close),
        }
    }
}

impl Cookie {
    /// Returns whether it may be sent there (RFC 6265bis §5.7, §5.8.3). A `Secure` cookie was set over TLS
    /// and is sent over TLS.
    pub(super) fn is_for(&self, site: Site, directory: usize) -> bool {
        let by_host = match self.domain {
            None => site.host == self.from.host,
            Some("test") => false, // all of a public suffix
            Some(domain) => is_below(site, domain) && is_below(self.from, domain),
        };
        let by_scheme = !self.is_secure || (self.from.is_secure() && site.is_secure());
        by_host && by_scheme && self.directory.is_none_or(|only| only == directory)
    }
}

fn is_below(site: Site, domain: &str) -> bool {
    let rest = site.name().strip_suffix(domain);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}
