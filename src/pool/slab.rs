//! Entries that keep their place, and lists that lead through them. Every operation here visits a
//! fixed number of entries, however many there are.
//!
//! A [`Slab`] is a vector whose freed places are used again. A [`List`] is doubly linked: the links
//! are fields of the entries, so an entry can be in several lists, and leaves each of them without
//! a search. The function that is passed along selects the links that belong to the list.
//!
//! ```text
//! slots   [ a ][ free ─▶ 4 ][ c ][ free ─▶ - ][ e ]        free: place 2, then 4 (counted from 1)
//! list    first ─▶ a ⇄ e ⇄ c ◀─ last                       links are fields of a, c and e
//! ```
//!
//! The crates that offer this (`slab`, `slotmap`, intrusive lists) have either no lists or `unsafe`
//! code; the two together are what makes leaving a queue from its middle free of a search. A place
//! is 32 bits and never zero, so `Option<Place>` needs no more room than a place.
//!
//! A place says nothing about which entry is there: it may be used again. Callers that keep a place
//! beyond the life of its entry compare something else as well, as
//! [`Ticket`](super::permits::Ticket) does with its number and the heap of the pool with the time.
//!
//! | operation | visits |
//! | --- | --- |
//! | `insert`, `remove`, `get` | one slot |
//! | `push` | the entry and the last of the list |
//! | `unlink` | the entry and its two neighbors |
//!
//! The tests of the pool and of the permits count these visits, and assert that the number does not
//! depend on how many entries there are: they measure work and not time, so a busy machine cannot
//! make them fail.

use std::num::NonZeroU32;

/// The place of an entry. It is used again once the entry is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(NonZeroU32);

#[derive(Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<Slot<T>>,
    /// The free place that was used last; each names the next.
    free: Option<Place>,
    len: usize,
    /// The number of entries that were looked at.
    #[cfg(test)]
    visits: std::cell::Cell<usize>,
}

#[derive(Debug)]
enum Slot<T> {
    Taken(T),
    Free(Option<Place>),
}

/// The neighbors of an entry in one list.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Links {
    previous: Option<Place>,
    pub(crate) next: Option<Place>,
}

/// A list of entries of one slab.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct List {
    pub(crate) first: Option<Place>,
    pub(crate) last: Option<Place>,
    pub(crate) len: usize,
}

impl Place {
    fn of(index: usize) -> Self {
        // Entries stand for connections and calls, of which no process has 2^32.
        Self(NonZeroU32::MIN.saturating_add(index as u32))
    }

    fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

impl<T> Slab<T> {
    pub(crate) fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: None,
            len: 0,
            #[cfg(test)]
            visits: std::cell::Cell::default(),
        }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn insert(&mut self, entry: T) -> Place {
        self.len += 1;
        if let Some(place) = self.free {
            if let Some(slot) = self.slots.get_mut(place.index()) {
                if let Slot::Free(next) = slot {
                    self.free = *next;
                }
                *slot = Slot::Taken(entry);
                return place;
            }
        }
        self.slots.push(Slot::Taken(entry));
        Place::of(self.slots.len() - 1)
    }

    pub(crate) fn remove(&mut self, place: Place) -> Option<T> {
        let slot = self.slots.get_mut(place.index())?;
        if matches!(slot, Slot::Free(_)) {
            return None;
        }
        let Slot::Taken(entry) = std::mem::replace(slot, Slot::Free(self.free)) else {
            return None;
        };
        self.free = Some(place);
        self.len -= 1;
        Some(entry)
    }

    #[inline]
    pub(crate) fn get(&self, place: Place) -> Option<&T> {
        #[cfg(test)]
        self.visits.set(self.visits.get() + 1);
        match self.slots.get(place.index())? {
            Slot::Taken(entry) => Some(entry),
            Slot::Free(_) => None,
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, place: Place) -> Option<&mut T> {
        #[cfg(test)]
        self.visits.set(self.visits.get() + 1);
        match self.slots.get_mut(place.index())? {
            Slot::Taken(entry) => Some(entry),
            Slot::Free(_) => None,
        }
    }

    #[cfg(test)]
    pub(crate) fn visits(&self) -> usize {
        self.visits.get()
    }
}

impl List {
    /// Appends an entry that is not in the list.
    #[inline]
    pub(crate) fn push<T>(
        &mut self,
        place: Place,
        slab: &mut Slab<T>,
        links: impl Fn(&mut T) -> &mut Links,
    ) {
        if let Some(entry) = slab.get_mut(place) {
            *links(entry) = Links { previous: self.last, next: None };
        }
        match self.last.and_then(|last| slab.get_mut(last)) {
            Some(last) => links(last).next = Some(place),
            None => self.first = Some(place),
        }
        self.last = Some(place);
        self.len += 1;
    }

    /// Takes an entry of the list out of it; the entry stays in the slab.
    #[inline]
    pub(crate) fn unlink<T>(
        &mut self,
        place: Place,
        slab: &mut Slab<T>,
        links: impl Fn(&mut T) -> &mut Links,
    ) {
        let Some(entry) = slab.get_mut(place) else { return };
        let Links { previous, next } = std::mem::take(links(entry));
        match previous.and_then(|previous| slab.get_mut(previous)) {
            Some(previous) => links(previous).next = next,
            None => self.first = next,
        }
        match next.and_then(|next| slab.get_mut(next)) {
            Some(next) => links(next).previous = previous,
            None => self.last = previous,
        }
        self.len -= 1;
    }
}

#[cfg(test)]
mod tests;
