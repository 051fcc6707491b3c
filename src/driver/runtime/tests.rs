use std::collections::HashSet;

use super::*;
use crate::blocking::Blocking;

#[test]
fn random_numbers_are_distinct_and_cover_both_halves() {
    let blocking = Blocking::default();
    let numbers: Vec<u64> = (0..1000).map(|_| Runtime::random(&blocking)).collect();
    assert_eq!(numbers.iter().collect::<HashSet<_>>().len(), numbers.len());
    let upper_half = numbers.iter().filter(|number| **number > u64::MAX / 2).count();
    assert!((350..650).contains(&upper_half), "{upper_half}");
}
