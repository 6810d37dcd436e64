//! What a side of the ring keeps to itself: how far it may advance without rereading the other
//! side's index, and where its lap began. No other thread touches a cursor, so its cache line stays
//! with its side, and Relaxed loads of it are exact.
//!
//! # Limit
//! A side caches not the other side's index, but a *limit* computed from it: the nearest of what the
//! index allows, the end of the lap, and the beginning of the cache line in which the other side
//! works. So the fast path needs one comparison and no division, and the sides meet in a cache line
//! only if there is nothing else to do. At the limit a *refresh* rereads the index.
//!
//! # Prefetch
//! A side prefetches slots some cache lines ahead of their use, but only slots that it owns. When
//! the ring is nearly full, the producer's next slots are those that the consumer is about to read:
//! a prefetch for writing would take them away.
//!
//! # Slip
//! Two sides that follow each other closely hand over few slots at a time, and contend for the same
//! cache lines. A side that keeps finding few slots pauses, so that the other side gets ahead: the
//! temporal slip of FastForward (Giacomoni, Moseley and Vachharajani 2008). The farther the cores,
//! the fewer slots each refresh finds. So a slip that finds more slots, but still few, doubles the
//! length of the next one, up to eight times the first. The other side may not be at work, for
//! instance because it is on the same thread. Then a slip finds no more slots than before, and each
//! such slip doubles the number of refreshes until the next one, which is short.
//!
//! Decision 007 has the measurements of all three.

use super::slots::Slots;
use crate::payload::Exclusive;
use crate::queue::ahead;
use crate::sync::{AtomicU64, Relaxed, pause_for, site};

/// Nanoseconds. The shortest slip (decision 007).
const SHORT_SLIP: u32 = 190;
/// The longest slip is 2^3 times as long. Not slower than 2^2 and 2^4 on Zen 5, near or far.
const MAX_DOUBLINGS: i64 = 3;
/// After slips that found no more slots, up to 2^4 refreshes pass without one. Not tuned.
const MAX_FAILURES: i64 = 4;

/// The earlier of two positions.
#[inline(always)]
fn earlier(a: u64, b: u64) -> u64 {
    if ahead(a, b) < 0 { a } else { b }
}

/// The later of two positions.
#[inline(always)]
pub(super) fn later(a: u64, b: u64) -> u64 {
    if ahead(a, b) > 0 { a } else { b }
}

/// See the module.
#[repr(C)] // part of the layout of inlined calls
pub(super) struct Cursor {
    /// This side may advance to this position, which is in its lap, without a refresh.
    limit: AtomicU64,
    /// Positions before this one may prefetch: the slot at the prefetch distance is in this lap, and
    /// this side owns it.
    prefetch_until: AtomicU64,
    /// The position whose slot was the first of the current lap.
    lap: AtomicU64,
    /// The number of slots that the last refresh found.
    found: AtomicU64,
    /// Signed. 0 and above: how often the length of the next slip is doubled. Below: how many slips
    /// in a row have not found more slots.
    trend: AtomicU64,
    /// The number of refreshes until the next slip.
    skips: AtomicU64,
}

impl Cursor {
    /// Offsets for `Spsc::published`: limit, prefetch, lap.
    #[cfg(all(test, not(loom)))]
    pub(super) const PUBLISHED: [usize; 3] = {
        use core::mem::offset_of;
        [offset_of!(Self, limit), offset_of!(Self, prefetch_until), offset_of!(Self, lap)]
    };

    pub(super) fn new(origin: u64) -> Self {
        Self {
            limit: AtomicU64::new(origin),
            prefetch_until: AtomicU64::new(origin),
            lap: AtomicU64::new(origin),
            found: AtomicU64::new(0),
            trend: AtomicU64::new(0),
            skips: AtomicU64::new(0),
        }
    }

    /// How far this side may advance without a refresh.
    #[inline(always)]
    pub(super) fn limit(&self) -> u64 {
        self.limit.load(site("spsc.limit.load", Relaxed))
    }

    /// The slot of a position before the limit, and therefore in this lap.
    #[inline(always)]
    pub(super) fn slot_before_limit(&self, position: u64) -> u64 {
        position.wrapping_sub(self.lap.load(site("spsc.lap.fast", Relaxed)))
    }

    /// The slot of a position in this lap or a later one. Begins that lap.
    #[inline(always)]
    pub(super) fn slot<P>(&self, slots: &Slots<P>, position: u64) -> u64 {
        let mut slot = position.wrapping_sub(self.lap.load(site("spsc.lap.load", Relaxed)));
        if slot >= slots.capacity {
            slot %= slots.capacity;
            self.lap.store(position.wrapping_sub(slot), site("spsc.lap.begin", Relaxed));
        }
        slot
    }

    /// Prefetches the slot at the prefetch distance from a position and its slot, if this side owns
    /// it.
    ///
    /// # Safety
    /// The ring has the slot.
    #[inline(always)]
    pub(super) unsafe fn prefetch<P: Exclusive>(
        &self,
        slots: &Slots<P>,
        (position, slot): (u64, u64),
        prefetch_line: impl Fn(*const u8),
    ) {
        let until = self.prefetch_until.load(site("spsc.prefetch.load", Relaxed));
        if ahead(until, position) > 0 {
            // SAFETY: by contract.
            unsafe { slots.prefetch_ahead(slot, prefetch_line) };
        }
    }

    /// Returns how many slots this side owns from `position` on, by `count`, which reads the other
    /// side's index. Begins the lap of `position`.
    #[inline(always)]
    pub(super) fn refresh<P>(
        &self,
        slots: &Slots<P>,
        position: u64,
        count: impl Fn() -> u64,
    ) -> u64 {
        self.slot(slots, position);
        let mut found = count();
        if self.must_slip(found, slots.few) {
            let trend = self.trend.load(site("spsc.trend.load", Relaxed)) as i64;
            pause_for(SHORT_SLIP << trend.max(0));
            let before = found;
            found = count();
            self.judge_slip(trend, found.wrapping_sub(before), found < 2 * slots.few);
        }
        self.found.store(found, site("spsc.found.store", Relaxed));
        found
    }

    /// Whether a refresh that found so many slots pauses. The one after a refresh that found none does
    /// not: a call that waited for these slots gets them at once.
    #[inline(always)]
    fn must_slip(&self, found: u64, few: u64) -> bool {
        let before = self.found.load(site("spsc.found.load", Relaxed));
        if before == 0 || found == 0 || found >= few {
            return false;
        }
        let skips = self.skips.load(site("spsc.skips.load", Relaxed));
        if skips != 0 {
            self.skips.store(skips - 1, site("spsc.skips.store", Relaxed));
        }
        skips == 0
    }

    /// Notes how many more slots a slip has found, and whether too few all the same. One slot for
    /// each [`SHORT_SLIP`] is the least that is worth a slip.
    #[inline(always)]
    fn judge_slip(&self, trend: i64, more: u64, are_few: bool) {
        let doublings = trend.max(0);
        let trend = if more < 1 << doublings {
            (trend.min(0) - 1).max(-MAX_FAILURES)
        } else if are_few {
            (doublings + 1).min(MAX_DOUBLINGS)
        } else {
            (doublings - 1).max(0)
        };
        self.trend.store(trend as u64, site("spsc.trend.store", Relaxed));
        self.skips.store((1 << (-trend).max(0)) - 1, site("spsc.skips.begin", Relaxed));
    }

    /// Caches how far this side may advance once it is at `next`: to `limit` at most, within this
    /// lap, and not into the cache line of `limit`, where the other side works, unless `next` is in
    /// that line. This side owns the slots before `end`.
    #[inline(always)]
    pub(super) fn set_limit<P: Exclusive>(
        &self,
        slots: &Slots<P>,
        next: u64,
        limit: u64,
        end: u64,
    ) {
        let lap = self.lap.load(site("spsc.limit.lap", Relaxed));
        let lap_end = lap.wrapping_add(slots.capacity);
        let line_of =
            |position: u64| position.wrapping_sub(position.wrapping_sub(lap) % slots.per_line);
        let line = line_of(limit);
        let limit = if ahead(line, next) >= 0 { line } else { limit };
        self.limit.store(later(next, earlier(limit, lap_end)), site("spsc.limit.store", Relaxed));
        let until = earlier(line_of(end), lap_end).wrapping_sub(slots.prefetch_distance());
        self.prefetch_until.store(until, site("spsc.prefetch.store", Relaxed));
    }

    /// Ends the limit at `position`, where this side is: it advances only after a refresh.
    #[inline(always)]
    pub(super) fn end_limit(&self, position: u64) {
        self.limit.store(position, site("spsc.limit.forget", Relaxed));
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{Cursor, MAX_DOUBLINGS, MAX_FAILURES, Relaxed, Slots};
    use crate::payload::Pointer;
    use std::cell::Cell;

    /// Refreshes `refreshes` times, each time with `first` slots and after a slip with `more` of them;
    /// returns the number of slips and the trend at the end.
    fn slips(cursor: &Cursor, refreshes: u64, (first, more): (u64, u64)) -> (u64, i64) {
        let slots = Slots::try_new(1024, Pointer::default()).unwrap();
        let loads = Cell::new(0);
        for _ in 0..refreshes {
            let before = loads.get();
            cursor.refresh(&slots, 0, || {
                loads.set(loads.get() + 1);
                first + more * (loads.get() - before - 1)
            });
        }
        (loads.get() - refreshes, cursor.trend.load(Relaxed) as i64)
    }

    #[test]
    fn slips_get_longer_where_they_pay_and_rare_where_they_do_not() {
        let cursor = Cursor::new(0);
        assert_eq!(slips(&cursor, 1, (1, 0)), (0, 0), "nothing was found before");
        assert_eq!(slips(&cursor, 2, (20, 20)), (2, 2), "each is longer");
        assert_eq!(slips(&cursor, 9, (20, 20)), (9, MAX_DOUBLINGS), "but not for ever");
        assert_eq!(slips(&cursor, 3, (20, 400)), (3, 0), "until it finds enough");
        let (count, trend) = slips(&cursor, 1600, (20, 0));
        assert_eq!(trend, -MAX_FAILURES);
        assert!(count <= 105, "{count} of 1600 refreshes paused");
        let (_, trend) = slips(&cursor, 16, (20, 20));
        assert!(trend > 0, "the first one that pays counts");
        slips(&cursor, 1, (20, 7));
        assert_eq!(slips(&cursor, 1, (20, 7)), (1, -1), "too few for so long a slip");
    }
}
