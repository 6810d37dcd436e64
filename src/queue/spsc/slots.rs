//! The memory of the ring, a cell for each slot, and the numbers of slots that depend on their size.

use crate::error::{Error, Result};
use crate::payload::{Cells, Exclusive};
use crate::plan::Plan;
use crate::sync::{Relaxed, unmodeled::AtomicU64};
use core::mem::offset_of;

/// Bytes of a cache line.
const LINE: usize = 64;
/// In cache lines: a refresh that finds fewer slots than fill these finds *few*, and lets the other
/// side get ahead. 4, 8 and 32 were slower on Zen 5, one item a call (decision 007).
const FEW_LINES: usize = 16;
/// In small rings *few* is less than this fraction of the capacity: 8 stands for an eighth.
const FEW_FRACTION: usize = 8;
/// In bytes: how far ahead of its use a slot is prefetched. 2, 4 and 8 lines were slower on Zen 5,
/// one item a call (decision 007).
pub(super) const PREFETCH_AHEAD: usize = 6 * LINE;

/// In this order the address of the cells and the longest length of a blob, which a fast path loads,
/// are in one cache line of [`Spsc`](super::Spsc).
#[repr(C)]
pub(super) struct Slots<P> {
    pub(super) capacity: u64,
    /// The number of slots in a cache line; 1 if a slot fills more than one.
    pub(super) per_line: u64,
    /// [`Slots::prefetch_distance`] in bytes, where the size of a slot is known at run time only: a
    /// division for each item cost 5 % with blobs of 64 bytes on Zen 5.
    distance_in_bytes: usize,
    pub(super) cells: Cells<(), P>,
    /// Fewer slots than this are *few*.
    pub(super) few: u64,
}

/// [`PREFETCH_AHEAD`] in slots of `stride` bytes, at least 1.
#[inline(always)]
const fn distance(stride: usize) -> usize {
    match PREFETCH_AHEAD.checked_div(stride) {
        None | Some(0) => 1,
        Some(slots) => slots,
    }
}

impl<P: Exclusive> Slots<P> {
    /// For a debugger.
    pub(super) const PLAN: Plan = Plan::EMPTY
        .within(offset_of!(Self, cells), Cells::<(), P>::PLAN)
        .with("capacity", offset_of!(Self, capacity));

    /// Offsets for `Spsc::published`.
    #[cfg(all(test, not(loom)))]
    pub(super) const CELLS: usize = offset_of!(Self, cells) + Cells::<(), P>::START;
    #[cfg(all(test, not(loom)))]
    pub(super) const ITEM_SIZE: usize = offset_of!(Self, cells) + Cells::<(), P>::LIMIT;

    pub(super) fn try_new(capacity: usize, payload: P) -> Result<Self> {
        if capacity == 0 {
            return Err(Error::Invalid);
        }
        let cells = Self::cells(&payload, capacity)?;
        Ok(Self::of(capacity, Cells::try_new(payload, cells, |_| ())?))
    }

    /// The number of cells: one for each slot. Then come those in whose memory the lengths lie, a word
    /// for each slot, if the payload has lengths. [`Error::Invalid`] if it overflows.
    pub(super) fn cells(payload: &P, capacity: usize) -> Result<usize> {
        if !P::HAS_LENGTH {
            return Ok(capacity);
        }
        let bytes = capacity.checked_mul(size_of::<u64>()).ok_or(Error::Invalid)?;
        let more = bytes.div_ceil(payload.cell().size());
        capacity.checked_add(more).ok_or(Error::Invalid)
    }

    /// The length of the blob in a slot that the calling side owns, as somebody wrote it.
    #[inline(always)]
    pub(super) fn len(&self, slot: u64) -> u64 {
        self.own(slot, |_, _| self.len_word(slot).load(Relaxed))
    }

    /// Writes the length of the blob in a slot that the calling side owns.
    #[inline(always)]
    pub(super) fn set_len(&self, slot: u64, len: u64) {
        self.own(slot, |_, _| self.len_word(slot).store(len, Relaxed));
    }

    #[inline(always)]
    fn len_word(&self, slot: u64) -> &AtomicU64 {
        debug_assert!(P::HAS_LENGTH && slot < self.capacity);
        // SAFETY: in the memory behind the cells of the slots, which is aligned to words, and only
        // accessed atomically.
        unsafe {
            let lengths = self.cells.cell(self.capacity as usize).cast::<u64>();
            AtomicU64::from_ptr(lengths.add(slot as usize))
        }
    }

    /// The slots of these cells, `capacity` of them.
    pub(super) fn of(capacity: usize, cells: Cells<(), P>) -> Self {
        let per_line = (LINE / cells.payload().cell().size().next_power_of_two()).max(1);
        let stride = cells.stride();
        Self {
            distance_in_bytes: distance(stride) * stride,
            cells,
            capacity: capacity as u64,
            per_line: per_line as u64,
            few: (FEW_LINES * per_line).min(capacity / FEW_FRACTION) as u64,
        }
    }

    /// [`PREFETCH_AHEAD`] in slots, at least 1.
    #[inline(always)]
    pub(super) fn prefetch_distance(&self) -> u64 {
        distance(self.cells.stride()) as u64
    }

    /// Calls `prefetch_line` for the lines of the slot that lies [`Slots::prefetch_distance`] ahead
    /// of `slot`; of a large slot only for the first lines, since a short blob uses no more.
    ///
    /// # Safety
    /// The ring has `slot`.
    #[inline(always)]
    pub(super) unsafe fn prefetch_ahead(&self, slot: u64, prefetch_line: impl Fn(*const u8)) {
        let stride = self.cells.stride();
        let distance =
            if P::HAS_LENGTH { self.distance_in_bytes } else { distance(stride) * stride };
        // SAFETY: by contract.
        let cell = unsafe { self.cells.cell(slot as usize) }.wrapping_add(distance);
        for offset in (0..stride.min(PREFETCH_AHEAD)).step_by(LINE) {
            prefetch_line(cell.wrapping_add(offset));
        }
    }

    /// Runs `f` on the payload and the cell of a slot that the calling side owns.
    #[inline(always)]
    pub(super) fn own<R>(&self, slot: u64, f: impl FnOnce(&P, *mut u8) -> R) -> R {
        debug_assert!(slot < self.capacity);
        // SAFETY: head and tail have shown that the slot is this side's.
        unsafe { self.cells.own(slot as usize, f) }
    }
}
