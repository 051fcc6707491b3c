//! The retry budget of each host, which keeps a client from multiplying the load of an overloaded
//! server.

use crate::url::{Origin, Url};

/// The number of responses that earn one retry. In the long run there is at most one retry for ten
/// responses: 10 % more load, where Finagle and reqwest allow 20 %.
const COST: u32 = 10;

/// The most hosts that are tracked. A host with a full budget needs no entry.
const MAX_DEBTORS: usize = 256;

/// The retries that all calls of a client have spent, by origin: a token bucket for each, stored as
/// the number of missing tokens.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// The most recent debtor is last.
    debts: Vec<(Origin, u32)>,
}

/// The result of [`Ledger::pay`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Payment {
    Made,
    Refused,
}

impl Ledger {
    /// Pays for one retry at the origin of `url`, whose budget is `retries`.
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

    /// Earns back a part of a retry for a response from the origin of `url`.
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

    /// Adds an entry. If the table is full, the smallest debt is dropped, the oldest of equal ones.
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
    fn each_host_has_its_own_budget_and_earns_it_back() {
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
    fn budgets_at_their_extremes() {
        assert_eq!(payments(&mut Ledger::default(), 1, 0), 0);
        assert_eq!(payments(&mut Ledger::default(), 1, u32::MAX), 1000);
        let mut ledger = Ledger { debts: vec![(url(1).origin(), u32::MAX - 3)] };
        assert_eq!(ledger.pay(&url(1), u32::MAX), Payment::Refused);
        ledger.pay_back(&url(2));
        assert_eq!(ledger.debts, [(url(1).origin(), u32::MAX - 3)]);
    }

    #[test]
    fn the_smallest_debt_is_dropped_first() {
        let mut ledger = Ledger::default();
        assert_eq!(payments(&mut ledger, 0, 10), 10);
        for host in 1..2000 {
            assert_eq!(ledger.pay(&url(host), 10), Payment::Made);
        }
        assert_eq!(ledger.debts.len(), MAX_DEBTORS);
        assert_eq!(payments(&mut ledger, 0, 10), 0, "a host without budget stays in the table");
        assert_eq!(payments(&mut ledger, 1999, 10), 9);
    }

    proptest! {
        /// There are never more retries than the initial budget and what was earned since.
        #[test]
        fn retries_never_exceed_the_budget(
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
