//! The lengths of blobs, which lie apart from the cells, so that a cell has the size of its blob.
//!
//! # Idea
//! Where every blob is as long as the item size, nobody reads or writes a length. The producer notes
//! the position of the first blob that is shorter. From that position on each blob has its length in
//! an array, beside the others. So a queue of values of one size moves no lengths between the
//! processors, and needs no option for that.
//!
//! # Memory ordering
//! The producer writes the position and the lengths before it publishes the tail, so the consumer
//! reads them as it reads the blob. It may read a position that the producer noted for a later blob:
//! the blobs before that position are as long as the item size all the same.
//!
//! # Death
//! A process that dies after it has noted the position has not published the blob. The next producer
//! puts its blob at that position, or behind it, and so writes a length.

use super::{RoleOwnership, Spsc};
use crate::error::{Error, Result};
use crate::payload::Exclusive;
use crate::queue::ahead;
use crate::sync::{Relaxed, site};

/// A position that no queue reaches which began at `origin`.
pub(super) const fn never(origin: u64) -> u64 {
    origin.wrapping_add(i64::MAX as u64)
}

impl<P: Exclusive, K: RoleOwnership> Spsc<P, K> {
    /// Writes the length of the blob at the tail.
    #[inline(always)]
    pub(super) fn set_len(&self, (tail, slot): (u64, u64), len: usize) {
        if !P::HAS_LENGTH {
            return;
        }
        // Ordering: Relaxed; only the producer writes it.
        let from = self.state.lengths_from.load(site("spsc.lengths.put", Relaxed));
        if ahead(tail, from) < 0 {
            if len == self.payload().longest() {
                return;
            }
            self.keep_lengths_from(tail);
        }
        self.slots.set_len(slot, len as u64);
    }

    #[cold]
    fn keep_lengths_from(&self, tail: u64) {
        // Ordering: Relaxed; the publication of the tail orders it.
        self.state.lengths_from.store(tail, site("spsc.lengths.begin", Relaxed));
    }

    /// The length of the blob at the front, never above the longest; [`Error::Corrupt`] if another
    /// process wrote such a length.
    #[inline(always)]
    pub(super) fn len_at(&self, (front, slot): (u64, u64)) -> Result<usize> {
        let longest = self.payload().longest();
        if !P::HAS_LENGTH {
            return Ok(longest);
        }
        // Ordering: Relaxed; the load of the tail orders it.
        let from = self.state.lengths_from.load(site("spsc.lengths.get", Relaxed));
        if ahead(front, from) < 0 {
            return Ok(longest);
        }
        // Read once, since another process may change it at any time.
        let len = self.slots.len(slot) as usize;
        if K::IS_SHARED && len > longest {
            return Err(Error::Corrupt);
        }
        Ok(len)
    }
}
