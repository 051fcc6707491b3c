//! The order in which the name lookups of a client run.
//!
//! A lookup cannot be interrupted: it occupies a thread until the resolver answers. So the number of
//! concurrent lookups is limited, and the names of one site get only a part of it: an attacker who
//! makes a client look up names with silent name servers must not block the lookups of other names.
//!
//! ```text
//! add ─▶ waits in the queue of its site ─▶ next: sites take turns, each up to its share ─▶ runs ─▶ end
//! ```
//!
//! The queue is a value, without lock and threads: `os/lookups.rs` has both.
//!
//! The share in numbers: of 64 threads one site gets at most 13, because it may start another only
//! while it has less than a quarter as many running as are free. Eight such sites leave 21 free. A
//! fixed quota per site would either waste threads when one site is all that a program uses, or
//! leave none to others.
//!
//! A site is the registrable domain, because the owner of a domain can make any number of names
//! below it. Without the Public Suffix List the last two labels stand for it.

use std::collections::{HashMap, VecDeque};

/// The maximum number of concurrent lookups of a client, each on a thread. A resolver that leaves so
/// many unanswered would not get faster with more of them.
const MAX_RUNNING: usize = 64;

/// A site may start another lookup while it has less than 1/`PART` of the free ones. One site alone
/// gets 13 of 64, eight sites together 43: to use up all of them an attacker needs a domain for
/// each.
const PART: usize = 4;

/// The running and waiting lookups of a client.
#[derive(Debug)]
pub(crate) struct LookupQueue<L> {
    running: usize,
    /// The sites with running or waiting lookups.
    sites: HashMap<Box<str>, SiteLookups<L>>,
    /// The sites with waiting lookups, in the order of their turns.
    turns: VecDeque<Box<str>>,
}

#[derive(Debug)]
struct SiteLookups<L> {
    running: usize,
    waiting: VecDeque<L>,
}

impl<L> Default for LookupQueue<L> {
    fn default() -> Self {
        Self { running: 0, sites: HashMap::new(), turns: VecDeque::new() }
    }
}

impl<L> LookupQueue<L> {
    /// Appends a lookup to the queue of its site.
    pub(crate) fn add(&mut self, host: &str, lookup: L) {
        let name: Box<str> = site_of(host).into();
        let new = || SiteLookups { running: 0, waiting: VecDeque::new() };
        let site = self.sites.entry(name.clone()).or_insert_with(new);
        if site.waiting.is_empty() {
            self.turns.push_back(name);
        }
        site.waiting.push_back(lookup);
    }

    /// Returns the next lookup to run, if one may run now. Lookups that are not wanted any more are
    /// moved to `unwanted` instead.
    ///
    /// A site without a running lookup is never skipped, so this visits only a few.
    pub(crate) fn next(
        &mut self,
        is_wanted: impl Fn(&L) -> bool,
        unwanted: &mut Vec<L>,
    ) -> Option<L> {
        let free = MAX_RUNNING.checked_sub(self.running).filter(|free| *free > 0)?;
        for _ in 0..self.turns.len() {
            let name = self.turns.pop_front()?;
            let Some(site) = self.sites.get_mut(&name) else { continue };
            if site.running >= (free / PART).max(1) {
                self.turns.push_back(name);
                continue;
            }
            while let Some(lookup) = site.waiting.pop_front() {
                if !is_wanted(&lookup) {
                    unwanted.push(lookup);
                    continue;
                }
                site.running += 1;
                self.running += 1;
                if !site.waiting.is_empty() {
                    self.turns.push_back(name);
                }
                return Some(lookup);
            }
            if site.running == 0 {
                self.sites.remove(&name);
            }
        }
        None
    }

    /// Records that a lookup of this host has ended.
    pub(crate) fn end(&mut self, host: &str) {
        self.running = self.running.saturating_sub(1);
        let name = site_of(host);
        let Some(site) = self.sites.get_mut(name) else { return };
        site.running = site.running.saturating_sub(1);
        if site.running == 0 && site.waiting.is_empty() {
            self.sites.remove(name);
        }
    }

    /// Returns the number of running lookups, including those that are not wanted any more.
    pub(crate) fn running(&self) -> usize {
        self.running
    }

    /// Returns the site with the most running lookups, and their number.
    pub(crate) fn busiest_site(&self) -> Option<(&str, usize)> {
        let sites = self.sites.iter().map(|(name, site)| (&**name, site.running));
        sites.max_by_key(|(_, running)| *running)
    }

    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.sites.values().map(|site| site.waiting.len()).sum()
    }
}

/// Returns the site of a host, all names under one registered domain: the registrable domain by the
/// Public Suffix List, or the host itself if it has none.
#[cfg(feature = "public-suffix")]
fn site_of(host: &str) -> &str {
    use psl::Psl;

    let host = host.strip_suffix('.').unwrap_or(host);
    let domain = psl::List.domain(host.as_bytes()).map(|domain| domain.as_bytes().len());
    let start = domain.and_then(|length| host.len().checked_sub(length));
    start.and_then(|start| host.get(start..)).unwrap_or(host)
}

/// Returns the site of a host, its last two labels: without the Public Suffix List unrelated owners
/// may share them.
#[cfg(not(feature = "public-suffix"))]
fn site_of(host: &str) -> &str {
    let host = host.strip_suffix('.').unwrap_or(host);
    let tld = host.rfind('.').unwrap_or(0);
    match host.get(..tld).and_then(|above| above.rfind('.')) {
        Some(dot) => host.get(dot + 1..).unwrap_or(host),
        None => host,
    }
}

#[cfg(test)]
mod tests;
