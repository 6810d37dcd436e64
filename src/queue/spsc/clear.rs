//! How the consumer gives slots back, and `clear`, whose drop callbacks may call this queue again.
//!
//! `clear` removes an item before its drop callback runs, so that a get within the callback returns
//! the next one. The item's slot becomes free after the callback, since the callback reads it, and
//! after all callbacks around it, since slots become free in order. Until then the slots from the
//! head to `held_to` are *held*: their items are removed, but they still count in the length. A queue
//! between processes has no callbacks, and holds no slots.

use super::cursor::later;
use super::{RoleOwnership, Spsc};
use crate::payload::Exclusive;
use crate::queue::ahead;
use crate::sync::{Relaxed, Release, site};

impl<P: Exclusive, K: RoleOwnership> Spsc<P, K> {
    /// The position of the next item to get.
    #[inline(always)]
    pub(super) fn front_position(&self) -> u64 {
        let head = self.state.get.head.load(site("spsc.get.head", Relaxed));
        if K::IS_SHARED {
            return head;
        }
        later(head, self.consumer.held_to.load(site("spsc.get.held_to", Relaxed)))
    }

    /// Whether some slots are held.
    #[inline(always)]
    pub(super) fn is_holding(&self) -> bool {
        !K::IS_SHARED
            && self.front_position() != self.state.get.head.load(site("spsc.hold.is", Relaxed))
    }

    /// Removes the items before `end` and gives their slots back to the producer; only removes them
    /// while slots before them are held.
    #[inline(always)]
    pub(super) fn release(&self, end: u64) {
        if self.is_holding() {
            self.hold(end);
        } else {
            // Ordering: Release, pairs with the Acquire in `refresh_room`; the items were read.
            self.state.get.head.store(end, site("spsc.get.release", Release));
        }
    }

    /// Removes the items before `end`, and holds their slots.
    #[cold]
    fn hold(&self, end: u64) {
        let head = self.state.get.head.load(site("spsc.hold.head", Relaxed));
        self.consumer.held_to.store(end, site("spsc.hold", Relaxed));
        // Keeps `get_fast` away, which knows only the head.
        self.consumer.cursor.end_limit(head);
    }

    /// See [`Queue::clear_to`](crate::queue::Queue::clear_to).
    pub(super) fn clear_before(&self, end: u64, freed: impl Fn(usize)) -> usize {
        let mut count = 0;
        while ahead(end, self.front_position()) > 0 {
            let Ok((position, _)) = self.items(1) else { break };
            if K::IS_SHARED {
                // There are no callbacks, and never more items than this.
                if count as u64 == self.slots.capacity {
                    break;
                }
                self.release(position.wrapping_add(1));
                freed(1);
                count += 1;
                continue;
            }
            let slot = self.consumer.cursor.slot(&self.slots, position);
            let Ok(len) = self.len_at((position, slot)) else { break };
            let is_outermost = !self.is_holding();
            self.hold(position.wrapping_add(1));
            // SAFETY: the consumer owns the slot, and its item is removed.
            self.slots.own(slot, |payload, cell| unsafe { payload.discard_exclusive(cell, len) });
            if is_outermost {
                freed(self.release_held());
            }
            count += 1;
        }
        count
    }

    /// Gives the held slots back to the producer; returns how many.
    fn release_held(&self) -> usize {
        let head = self.state.get.head.load(site("spsc.clear.head", Relaxed));
        let end = self.front_position();
        // Ordering: Release, as in `release`.
        self.state.get.head.store(end, site("spsc.clear.release", Release));
        self.consumer.cursor.end_limit(end);
        end.wrapping_sub(head) as usize
    }
}
