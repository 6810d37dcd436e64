//! What one side of the ring keeps for itself: how far it may advance without rereading the other
//! side's index, and in which slot its lap began. No other thread touches a cursor, so its cache
//! line stays with its side, and its Relaxed loads are exact.
//!
//! # Limit
//! A side caches not the other side's index but a *limit* computed from it: the nearest of what the
//! index allows, the end of the lap, and the beginning of the cache line in which the other side
//! works. So one comparison is the whole check of the fast path, which needs no division, and the
//! sides do not meet in a cache line unless there is no other work.
//!
//! # Prefetch
//! A side prefetches slots some lines ahead of their use, but only slots that it owns already. The
//! next slots of a producer in a nearly full ring are those that the consumer reads next: prefetched
//! for writing, they would be taken away from it.
//!
//! # Slip
//! Two sides that follow each other closely hand over few slots at a time and contend for the same
//! cache lines. A side whose refreshes keep finding few slots pauses, so that the other side gets
//! ahead: the temporal slip of FastForward (Giacomoni, Moseley and Vachharajani 2008).
//!
//! Decision 007 has the measurements.

use super::slots::Slots;
use crate::payload::Payload;
use crate::queue::ahead;
use crate::sync::{AtomicU64, Relaxed, pause, site};

/// Pause instructions of one slip, about 200 ns. 4, 12 and 16 were slower on Zen 5 (decision 007).
const SLIP_PAUSES: u32 = 8;

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

/// The fields that one side alone reads and writes.
pub(super) struct Cursor {
    /// The side may advance to this position, in its lap, without rereading the other's index.
    limit: AtomicU64,
    /// Positions before this one may prefetch: in their lap, the slot at the prefetch distance
    /// belongs to this side.
    prefetch_until: AtomicU64,
    /// The position whose slot was the first of the current lap.
    lap: AtomicU64,
    /// The number of slots that the last refresh found.
    found: AtomicU64,
}

impl Cursor {
    pub(super) fn new(origin: u64) -> Self {
        Self {
            limit: AtomicU64::new(origin),
            prefetch_until: AtomicU64::new(origin),
            lap: AtomicU64::new(origin),
            found: AtomicU64::new(0),
        }
    }

    /// The position up to which this side may advance without a refresh.
    #[inline(always)]
    pub(super) fn limit(&self) -> u64 {
        self.limit.load(site("spsc.limit.load", Relaxed))
    }

    /// The slot of a position below the limit. The limit ends with the lap, so no lap begins.
    #[inline(always)]
    pub(super) fn slot_below_limit(&self, position: u64) -> u64 {
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

    /// Prefetches ahead of a position and its slot, if this side owns what lies there.
    #[inline(always)]
    pub(super) fn prefetch<P: Payload>(
        &self,
        slots: &Slots<P>,
        (position, slot): (u64, u64),
        prefetch_line: impl Fn(*const u8),
    ) {
        let until = self.prefetch_until.load(site("spsc.prefetch.load", Relaxed));
        if ahead(until, position) > 0 {
            // SAFETY: `set_limit` saw that so many slots follow in this lap.
            unsafe { slots.prefetch_ahead(slot, prefetch_line) };
        }
    }

    /// Counts the slots that this side owns from `position` on; `count` reads the other side's
    /// index. Begins the lap of `position`.
    #[inline(always)]
    pub(super) fn refresh<P>(
        &self,
        slots: &Slots<P>,
        position: u64,
        count: impl Fn() -> u64,
    ) -> u64 {
        self.slot(slots, position);
        let found = count();
        if self.slip(found, slots.few) { count() } else { found }
    }

    /// Pauses if a refresh found few slots, and returns whether it did.
    ///
    /// Not if it found none, for the caller may have other work; nor if the refresh before found
    /// none: after a wait the first slot is worth more than speed.
    #[inline(always)]
    fn slip(&self, found: u64, few: u64) -> bool {
        let before = self.found.load(site("spsc.found.load", Relaxed));
        self.found.store(found, site("spsc.found.store", Relaxed));
        let must_slip = before != 0 && found != 0 && found < few;
        if must_slip {
            pause(SLIP_PAUSES);
        }
        must_slip
    }

    /// Caches how far this side may advance from `next`, where it goes now: at most to `limit`,
    /// within this lap, and not into the cache line that the other side is using, unless `next` is in
    /// it. This side owns the slots before `end`.
    #[inline(always)]
    pub(super) fn set_limit<P: Payload>(&self, slots: &Slots<P>, next: u64, limit: u64, end: u64) {
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

    /// Forgets the limit: with its index at `position`, this side refreshes before it advances.
    #[inline(always)]
    pub(super) fn forget_limit(&self, position: u64) {
        self.limit.store(position, site("spsc.limit.forget", Relaxed));
    }
}
