//! A binary heap of entity indices: the smallest key on top, ties by index, removal of any member.
//!
//! Keys are points in wrapping 64-bit time and compared by signed difference, so all keys in a heap must lie
//! within 2^63 of each other. Storage is fixed at construction; every operation is O(log n).

use alloc::vec::Vec;

use crate::{Error, Result};

/// Marks an index that is not in the heap.
const ABSENT: u32 = u32::MAX;

/// Whether `a` comes before `b` in wrapping time.
pub(super) const fn before(a: u64, b: u64) -> bool {
    (a.wrapping_sub(b) as i64) < 0
}

/// The later of two points in wrapping time.
pub(super) const fn later(a: u64, b: u64) -> u64 {
    if before(a, b) { b } else { a }
}

/// A vector of `length` copies of `value`, or the error that memory ran out.
pub(super) fn filled<T: Clone>(length: usize, value: T) -> Result<Vec<T>> {
    let mut vector = Vec::new();
    vector.try_reserve_exact(length).map_err(|_| Error::NoResources)?;
    vector.resize(length, value);
    Ok(vector)
}

/// A member: its key and its index.
type Member = (u64, u32);

fn less(a: Member, b: Member) -> bool {
    before(a.0, b.0) || (a.0 == b.0 && a.1 < b.1)
}

/// The heap.
#[derive(Debug)]
pub(super) struct Heap {
    members: Vec<Member>,
    length: usize,
    /// Where each index sits in `members`, or `ABSENT`.
    place: Vec<u32>,
}

impl Heap {
    /// An empty heap for indices below `capacity`.
    pub(super) fn new(capacity: usize) -> Result<Self> {
        Ok(Self { members: filled(capacity, (0, 0))?, length: 0, place: filled(capacity, ABSENT)? })
    }

    /// The smallest key and its index.
    pub(super) fn peek(&self) -> Option<Member> {
        self.members[..self.length].first().copied()
    }

    /// Whether `index` is a member.
    pub(super) fn contains(&self, index: usize) -> bool {
        self.place[index] != ABSENT
    }

    /// Takes the smallest out.
    pub(super) fn pop(&mut self) -> Option<Member> {
        let top = self.peek()?;
        self.remove(top.1 as usize);
        Some(top)
    }

    /// Puts `index` in under `key`, or moves it there.
    pub(super) fn set(&mut self, index: usize, key: u64) {
        let place = if self.contains(index) {
            self.place[index] as usize
        } else {
            self.length += 1;
            self.length - 1
        };
        self.sift(place, (key, index as u32));
    }

    /// Takes `index` out; nothing happens if it is not in.
    pub(super) fn remove(&mut self, index: usize) {
        if !self.contains(index) {
            return;
        }
        let hole = self.place[index] as usize;
        self.place[index] = ABSENT;
        self.length -= 1;
        if hole < self.length {
            self.sift(hole, self.members[self.length]);
        }
    }

    /// Settles `member` at `hole` or above or below it.
    fn sift(&mut self, mut hole: usize, member: Member) {
        let members = &mut self.members[..self.length];
        while hole > 0 {
            let parent = (hole - 1) / 2;
            if !less(member, members[parent]) {
                break;
            }
            members[hole] = members[parent];
            self.place[members[hole].1 as usize] = hole as u32;
            hole = parent;
        }
        loop {
            let mut child = 2 * hole + 1;
            if child >= members.len() {
                break;
            }
            if child + 1 < members.len() && less(members[child + 1], members[child]) {
                child += 1;
            }
            if !less(members[child], member) {
                break;
            }
            members[hole] = members[child];
            self.place[members[hole].1 as usize] = hole as u32;
            hole = child;
        }
        members[hole] = member;
        self.place[member.1 as usize] = hole as u32;
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn orders_across_the_wrap_and_ties_by_index() {
        let mut heap = Heap::new(4).unwrap();
        heap.set(0, 5);
        heap.set(1, u64::MAX - 5);
        heap.set(3, 5);
        heap.set(2, 5);
        heap.set(2, 6);
        let order: Vec<u32> = core::iter::from_fn(|| heap.pop()).map(|member| member.1).collect();
        assert_eq!(order, [1, 0, 3, 2]);
        heap.remove(1);
        assert_eq!(heap.peek(), None);
    }

    proptest! {
        #[test]
        fn agrees_with_a_sorted_set(steps in prop::collection::vec((0usize..32, 0u64..50, 0u8..4), 1..300)) {
            let mut heap = Heap::new(32).unwrap();
            let mut model: BTreeSet<(u64, u32)> = BTreeSet::new();
            for (index, key, step) in steps {
                match step {
                    0 | 1 => {
                        model.retain(|member| member.1 != index as u32);
                        model.insert((key, index as u32));
                        heap.set(index, key);
                    }
                    2 => {
                        model.retain(|member| member.1 != index as u32);
                        heap.remove(index);
                    }
                    _ => prop_assert_eq!(heap.pop(), model.pop_first()),
                }
                prop_assert_eq!(heap.peek(), model.first().copied());
                prop_assert_eq!(heap.contains(index), model.iter().any(|member| member.1 == index as u32));
            }
        }
    }
}
