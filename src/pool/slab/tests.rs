use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

struct Entry {
    number: usize,
    links: Links,
}

fn numbers(list: &List, slab: &Slab<Entry>) -> Vec<usize> {
    let next = |place: &Place| slab.get(*place).unwrap().links.next;
    let places = std::iter::successors(list.first, next);
    places.map(|place| slab.get(place).unwrap().number).collect()
}

proptest! {
    /// A list has the order of its pushes, whatever leaves it, and freed places are used again.
    #[test]
    fn a_list_is_a_queue_that_can_be_left_anywhere(
        steps in prop::collection::vec(prop::option::of(0..20_usize), 0..200),
    ) {
        let (mut slab, mut list) = (Slab::new(), List::default());
        let mut twin = VecDeque::new();
        let mut most = 0;
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Some(at) if at < twin.len() => {
                    let (place, number) = twin.remove(at).unwrap();
                    list.unlink(place, &mut slab, |entry: &mut Entry| &mut entry.links);
                    prop_assert_eq!(slab.remove(place).unwrap().number, number);
                    prop_assert!(slab.get(place).is_none() && slab.remove(place).is_none());
                }
                _ => {
                    let place = slab.insert(Entry { number, links: Links::default() });
                    list.push(place, &mut slab, |entry| &mut entry.links);
                    twin.push_back((place, number));
                }
            }
            most = most.max(twin.len());
            prop_assert_eq!((list.len, slab.len()), (twin.len(), twin.len()));
            prop_assert_eq!(list.last, twin.back().map(|(place, _)| *place));
            prop_assert_eq!(slab.slots.len(), most);
            let expected: Vec<_> = twin.iter().map(|(_, number)| *number).collect();
            prop_assert_eq!(numbers(&list, &slab), expected);
        }
    }
}
