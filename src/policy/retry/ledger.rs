//! How many retries each host still gets: what keeps a client from tripling the load of a server
//! that cannot bear the load it has.

use crate::url::{Origin, Url};

/// A retry costs as much as this many responses pay back. So in the long run there is one retry for
/// ten responses at most: 10 % more load, where Finagle and reqwest let it be 20 %.
const COST: u32 = 10;

/// Hosts of which something is remembered. Who owes nothing needs no place here.
const MAX_DEBTORS: usize = 256;

/// What the retries of all calls of a client have cost, by origin: a token bucket for each, written
/// down as what is missing from it.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// The latest to get into debt is the last.
    debts: Vec<(Origin, u32)>,
}

/// Whether a retry could be paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Payment {
    Made,
    Refused,
}

impl Ledger {
    /// Pays for one retry at the origin of `url`, where `retries` is how many may be owed.
    pub(crate) fn pay(&mut self, url: &Url, retries: u32) -> Payment {
        let origin = url.origin();
        let most = retries.saturating_mul(COST);
        let debt = self.debts.iter_mut().find(|(debtor, _)| *debtor == origin);
        let owed = debt.as_ref().map_or(0, |(_, owed)| *owed);
        let Some(owes) = owed.checked_add(COST).filter(|owes| *owes <= most) else {
            return Payment::Refused;
        };
        match debt {
            Some((_, debt)) => *debt = owes,
            None => self.begin(origin, owes),
        }
        Payment::Made
    }

    /// A response came from the origin of `url`: a part of what it owes is paid back.
    pub(crate) fn pay_back(&mut self, url: &Url) {
        if self.debts.is_empty() {
            return;
        }
        let origin = url.origin();
        let Some(at) = self.debts.iter().position(|(debtor, _)| *debtor == origin) else { return };
        match self.debts.get_mut(at) {
            Some((_, debt)) if *debt > 1 => *debt -= 1,
            _ => drop(self.debts.remove(at)),
        }
    }

    /// Where there is no place left, the smallest debt is forgotten, of equal ones the oldest.
    fn begin(&mut self, origin: Origin, owes: u32) {
        if self.debts.len() >= MAX_DEBTORS {
            let debts = self.debts.iter().enumerate();
            let smallest = debts.min_by_key(|(_, (_, debt))| *debt).map(|(at, _)| at);
            if let Some(at) = smallest {
                self.debts.remove(at);
            }
        }
        self.debts.push((origin, owes));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn url(host: usize) -> Url {
        Url::parse(&format!("http://h{host}.example/")).unwrap()
    }

    fn payments(ledger: &mut Ledger, host: usize, retries: u32) -> usize {
        (0..1000).take_while(|_| ledger.pay(&url(host), retries) == Payment::Made).count()
    }

    #[test]
    fn each_host_has_its_own_retries_and_earns_new_ones() {
        let mut ledger = Ledger::default();
        assert_eq!((payments(&mut ledger, 1, 10), payments(&mut ledger, 2, 3)), (10, 3));
        for (responses, more) in [(9, 0), (1, 1), (25, 2), (4, 0), (1, 1), (5000, 10)] {
            (0..responses).for_each(|_| ledger.pay_back(&url(1)));
            assert_eq!(payments(&mut ledger, 1, 10), more, "after {responses} responses");
        }
        assert_eq!(payments(&mut ledger, 2, 3), 0, "that was another host");
        assert_eq!(payments(&mut ledger, 2, 4), 1, "a call may be allowed more than others");
    }

    #[test]
    fn the_numbers_at_the_ends() {
        assert_eq!(payments(&mut Ledger::default(), 1, 0), 0);
        assert_eq!(payments(&mut Ledger::default(), 1, u32::MAX), 1000);
        let mut ledger = Ledger { debts: vec![(url(1).origin(), u32::MAX - 3)] };
        assert_eq!(ledger.pay(&url(1), u32::MAX), Payment::Refused);
        ledger.pay_back(&url(2));
        assert_eq!(ledger.debts, [(url(1).origin(), u32::MAX - 3)]);
    }

    #[test]
    fn who_owes_little_is_forgotten_first() {
        let mut ledger = Ledger::default();
        assert_eq!(payments(&mut ledger, 0, 10), 10);
        for host in 1..2000 {
            assert_eq!(ledger.pay(&url(host), 10), Payment::Made);
        }
        assert_eq!(ledger.debts.len(), MAX_DEBTORS);
        assert_eq!(payments(&mut ledger, 0, 10), 0, "what is dead stays known");
        assert_eq!(payments(&mut ledger, 1999, 10), 9);
    }

    proptest! {
        /// Never more retries than were in hand at first and were earned since.
        #[test]
        fn no_more_than_was_earned(
            steps in prop::collection::vec((0..3_usize, any::<bool>()), 0..400),
            retries in 0..5_u32,
        ) {
            let mut ledger = Ledger::default();
            let mut seen: HashMap<usize, (u32, u32)> = HashMap::new();
            for (host, is_response) in steps {
                let (made, responses) = seen.entry(host).or_default();
                match is_response {
                    true => { ledger.pay_back(&url(host)); *responses += 1; }
                    false if ledger.pay(&url(host), retries) == Payment::Made => *made += 1,
                    false => {}
                }
                prop_assert!(*made * COST <= retries * COST + *responses);
                prop_assert!(ledger.debts.iter().all(|(_, debt)| (1..=retries * COST).contains(debt)));
            }
        }
    }
}
