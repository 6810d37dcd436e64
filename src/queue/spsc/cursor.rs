use super::Spsc;
use crate::payload::Payload;
use crate::queue::ahead;
use crate::sync::{Acquire, AtomicU64, Relaxed, pause, site};

/// Bytes of a cache line.
pub(super) const LINE: usize = 64;
/// Fewer items than in so many lines are few; in small queues fewer than this part of the capacity.
pub(super) const NEAR_LINES: usize = 16;
pub(super) const NEAR_PART: usize = 8;
/// How many bytes ahead of its use a side asks for a line.
pub(super) const EARLY: usize = 6 * LINE;
/// How many pauses let the other side get ahead.
pub(super) const SLIP: u32 = 8;

/// The earlier of two positions, and the later one.
#[inline(always)]
pub(super) fn earlier(a: u64, b: u64) -> u64 {
    if ahead(a, b) < 0 { a } else { b }
}
#[inline(always)]
pub(super) fn later(a: u64, b: u64) -> u64 {
    if ahead(a, b) > 0 { a } else { b }
}

/// How many slots before its use a line is asked for.
#[inline(always)]
pub(super) const fn early(stride: usize) -> usize {
    match EARLY.checked_div(stride) {
        None | Some(0) => 1,
        Some(slots) => slots,
    }
}

/// What one side alone writes, so that its own Relaxed loads are exact.
pub(super) struct Side {
    /// Up to where it may go without a look at the other side, in this lap.
    pub(super) bound: AtomicU64,
    /// Before this position, what lies `EARLY` ahead is this side's own already, in this lap.
    pub(super) early: AtomicU64,
    /// The position whose slot is the first one, in this lap.
    pub(super) lap: AtomicU64,
    /// What the last look found.
    pub(super) found: AtomicU64,
}

impl Side {
    pub(super) fn new(origin: u64) -> Self {
        Self {
            bound: AtomicU64::new(origin),
            early: AtomicU64::new(origin),
            lap: AtomicU64::new(origin),
            found: AtomicU64::new(0),
        }
    }
}

impl<P: Payload> Spsc<P> {
    /// The slot of a position before the bound of its side, which lies in this lap.
    #[inline(always)]
    pub(super) fn slot_now(&self, side: &Side, position: u64) -> u64 {
        let slot = position.wrapping_sub(side.lap.load(site("spsc.lap.now", Relaxed)));
        debug_assert!(slot < self.capacity);
        slot
    }

    /// The slot of a position in this lap or a later one, which begins then.
    #[inline(always)]
    pub(super) fn slot(&self, side: &Side, position: u64) -> u64 {
        let mut slot = position.wrapping_sub(side.lap.load(site("spsc.lap.load", Relaxed)));
        if slot >= self.capacity {
            slot %= self.capacity;
            side.lap.store(position.wrapping_sub(slot), site("spsc.lap.begin", Relaxed));
        }
        slot
    }

    /// Asks for the lines of a slot that this side will soon use, while it works on others. Never
    /// for what the other side may still use: it would lose them.
    #[inline(always)]
    pub(super) fn prepare(&self, side: &Side, position: u64, slot: u64, ask: impl Fn(*const u8)) {
        if ahead(side.early.load(site("spsc.early.load", Relaxed)), position) > 0 {
            let stride = self.cells.stride();
            // SAFETY: before that position so many slots come in this lap.
            let cell = unsafe { self.cells.cell(slot as usize).add(early(stride) * stride) };
            // Of large cells the first lines; the rest may never be used.
            for offset in (0..stride.min(EARLY)).step_by(LINE) {
                ask(cell.wrapping_add(offset));
            }
        }
    }

    /// How far the other side is ahead, and so much more. Begins the lap of the position.
    #[inline(always)]
    pub(super) fn look(&self, side: &Side, position: u64, other: &AtomicU64, more: u64) -> u64 {
        self.slot(side, position);
        // Ordering: Acquire, pairs with the Releases in `publish` and `release`: the items are
        // complete, or the consumer is done with the slots.
        let look =
            || other.load(site("spsc.look", Acquire)).wrapping_sub(position).wrapping_add(more);
        let there = look();
        let before = side.found.load(site("spsc.look.before", Relaxed));
        side.found.store(there, site("spsc.look.found", Relaxed));
        if before == 0 || there == 0 || there >= self.near {
            return there;
        }
        pause(SLIP);
        look()
    }

    /// Sets how far a side may go from `now`, if the other is at `end`: to `bound`, but not into the
    /// line that the other may be at, unless it goes there now, nor beyond this lap.
    #[inline(always)]
    pub(super) fn bound(&self, side: &Side, now: u64, bound: u64, end: u64) {
        let lap = side.lap.load(site("spsc.bound.lap", Relaxed));
        let line = |position: u64| position.wrapping_sub(position.wrapping_sub(lap) % self.line);
        let lap_end = lap.wrapping_add(self.capacity);
        let bound = if ahead(line(bound), now) >= 0 { line(bound) } else { bound };
        side.bound.store(later(now, earlier(bound, lap_end)), site("spsc.bound.store", Relaxed));
        let early = early(self.cells.stride()) as u64;
        let early = earlier(line(end), lap_end).wrapping_sub(early);
        side.early.store(early, site("spsc.early.store", Relaxed));
    }
}
