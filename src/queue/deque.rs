//! Work-stealing deque: the owner pushes and pops at the bottom, last in, first out; any number of
//! thieves steal at the top, first in, first out.
//!
//! # Idea
//! Items lie at positions `top..bottom` of a ring buffer. Only the owner moves `bottom`, by plain
//! stores; `top` only grows, by compare-and-swap. Owner and thieves compete for the last item only,
//! and for it the owner swaps `top` as a thief does (Chase and Lev 2005; orderings after the proof of
//! Lê, Pop, Cohen and Zappa Nardelli 2013, with their store and fence in a pop, and for thieves the
//! sequentially consistent accesses from which they start).
//!
//! # Invariants
//! - The owner writes a cell only after it has read, with Acquire, a `top` beyond the former item of
//!   the cell. The thread that moved `top` there had copied that item before.
//! - A thief copies the cell at `top` *before* its swap. Only a successful swap makes the copy whole
//!   and the thief its owner. Cells are atomic words ([`Atomic`]); a copy without a swap is discarded.
//! - A replaced buffer is kept, unchanged, until the deque is dropped: a thief may still read it. Sizes
//!   double, so all buffers together are below twice the largest.
//!
//! # Linearization
//! - Push at its store of `bottom`. Steal at its swap of `top`, and so a pop that finds one item left.
//! - Any other pop at its fence behind its store of `bottom`, which hides the item from thieves. There is one exception:
//!   thieves take the other items meanwhile, and owner and thieves compete for the hidden one. Then the
//!   winner takes it just before the first loser finds the deque empty. That moment lies within the
//!   winner's call, since only a call that overlaps with the pop can take a hidden item.
//! - *Full*, and *empty* for a thief, at a second load after a full fence: a push publishes by a store
//!   that may still be in the store buffer of its processor.
//!
//! # Progress
//! Push and pop are wait-free, except for a push that grows the buffer (an allocation, and a copy of
//! all items). Steal never loops: after a lost race it returns [`Error::Retry`], and another call has
//! succeeded. Statistics are lock-free.
//!
//! # Memory
//! The capacity, rounded up to a power of two, in cells (8 bytes for a pointer; 8 and the blob for
//! bytes), and 512 bytes more.

use super::ahead;
use crate::error::{Error, Result};
use crate::memory::{self, Memory};
use crate::payload::Atomic;
use crate::payload::Bytes;
use crate::plan::{Described, Description, Plan, described};
use crate::stats::Stats;
use crate::sync::{Acquire, AtomicPtr, AtomicU64, Relaxed, Release, SeqCst, fence, site};
use core::alloc::Layout;
use core::fmt;
use core::mem::offset_of;
use crossbeam_utils::CachePadded;

/// A ring of cells.
#[repr(C)] // part of the layout of inlined calls
struct Buffer {
    cells: Memory,
    stride: usize,
    mask: u64,
    /// The buffer that this one replaced. Thieves may still read it.
    replaced: *mut Buffer,
    /// The position for which each cell was written last. loom sees accesses to its own types only,
    /// and must see which writes a thief may read.
    #[cfg(loom)]
    written: crate::memory::Array<AtomicU64>,
}

impl Buffer {
    fn try_new(cell: Layout, capacity: usize) -> Result<Self> {
        let count = capacity.checked_next_power_of_two().ok_or(Error::Invalid)?;
        let cell = cell.pad_to_align();
        Ok(Self {
            cells: Memory::try_new(cell, count)?,
            stride: cell.size(),
            mask: count as u64 - 1,
            replaced: core::ptr::null_mut(),
            #[cfg(loom)]
            written: crate::memory::Array::try_new(count, |_| AtomicU64::new(u64::MAX))?,
        })
    }

    #[inline(always)]
    fn cell(&self, position: u64) -> *mut u8 {
        // SAFETY: the mask keeps it below the count.
        unsafe { self.cells.start().add((position & self.mask) as usize * self.stride) }
    }

    /// Records for a model that the owner writes the cell of this position.
    #[inline(always)]
    fn note_write(&self, _position: u64) {
        #[cfg(loom)]
        // SAFETY: the mask keeps it below the count.
        unsafe { self.written.get((_position & self.mask) as usize) }.store(_position, Relaxed);
    }

    /// The position that [`Buffer::note_write`] recorded for this cell.
    #[inline(always)]
    fn written(&self, position: u64) -> u64 {
        #[cfg(loom)]
        // SAFETY: the mask keeps it below the count.
        return unsafe { self.written.get((position & self.mask) as usize) }.load(Relaxed);
        #[cfg(not(loom))]
        position
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if !self.replaced.is_null() {
            // SAFETY: made by `Box::into_raw`, and owned by this buffer.
            drop(unsafe { Box::from_raw(self.replaced) });
        }
    }
}

/// The positions at both ends, in one cache line: a steal reads both, and so does a pop. On far cores
/// each line that moves between them costs more than the call (decision 008).
#[repr(C)] // part of the layout of inlined calls
struct Ends {
    top: AtomicU64,
    /// Only the owner writes it; its own Relaxed loads are exact.
    bottom: AtomicU64,
}

/// What only the owner writes. Its own Relaxed loads are exact.
#[repr(C)] // part of the layout of inlined calls
struct Owner {
    /// A push below this position finds room, and makes no new peak.
    limit: AtomicU64,
    /// The number of items that fit now.
    capacity: AtomicU64,
    peak: AtomicU64,
    /// Pops by a store of `bottom`.
    popped: AtomicU64,
    /// Pops by a swap of `top`: each of the last item of the deque.
    last: AtomicU64,
    failed_push: AtomicU64,
    failed_pop: AtomicU64,
}

/// What thieves and readers of statistics write.
struct Thieves {
    /// Steals that found the deque empty.
    failed: AtomicU64,
    /// The largest numbers of pushes and of steals that statistics have reported.
    reported_pushed: AtomicU64,
    reported_stolen: AtomicU64,
}

/// See the module.
#[repr(C)] // part of the layout of inlined calls
pub struct Deque<P: Atomic> {
    /// Owned, with the buffers that it replaced.
    buffer: AtomicPtr<Buffer>,
    payload: P,
    growable: bool,
    origin: u64,
    owner: CachePadded<Owner>,
    ends: CachePadded<Ends>,
    thieves: CachePadded<Thieves>,
}

// SAFETY: the deque owns the buffers; the module text explains how threads share them.
unsafe impl<P: Atomic> Send for Deque<P> {}
// SAFETY: as above.
unsafe impl<P: Atomic> Sync for Deque<P> {}

impl<P: Atomic> fmt::Debug for Deque<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deque").field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}

impl<P: Atomic> Described for Deque<P> {
    fn describe(&self) -> Description {
        let plan = const {
            &Plan::EMPTY
                .with("buffer", offset_of!(Self, buffer))
                .with("growable", offset_of!(Self, growable))
                .with("limit", offset_of!(Self, payload) + Bytes::LIMIT)
                .with("bottom", offset_of!(Self, ends) + offset_of!(Ends, bottom))
                .with("capacity", offset_of!(Self, owner) + offset_of!(Owner, capacity))
                .with("top", offset_of!(Self, ends) + offset_of!(Ends, top))
                .with("of_cells", offset_of!(Buffer, cells) + Memory::START)
                .with("of_stride", offset_of!(Buffer, stride))
                .with("of_mask", offset_of!(Buffer, mask))
        };
        described(self, plan)
    }
}

#[cfg(all(test, not(loom)))]
impl<P: Atomic> Deque<P> {
    /// The offsets that `include/queues_inline.h` states, by their names there; those of the buffer
    /// are from its beginning.
    pub(crate) fn published() -> Vec<(&'static str, usize)> {
        let owner = offset_of!(Self, owner);
        vec![
            ("BUFFER", offset_of!(Self, buffer)),
            ("BOTTOM", offset_of!(Self, ends) + offset_of!(Ends, bottom)),
            ("LIMIT", owner + offset_of!(Owner, limit)),
            ("POPPED", owner + offset_of!(Owner, popped)),
            ("TOP", offset_of!(Self, ends) + offset_of!(Ends, top)),
            ("BUFFER_CELLS", offset_of!(Buffer, cells) + Memory::START),
            ("BUFFER_MASK", offset_of!(Buffer, mask)),
        ]
    }
}

impl<P: Atomic> Deque<P> {
    /// An empty deque. A growable one doubles its capacity when it is full.
    pub fn try_new(capacity: usize, growable: bool, payload: P) -> Result<Self> {
        Self::try_new_at(capacity, growable, payload, 0)
    }

    /// [`Deque::try_new`] with another first position, for tests.
    #[doc(hidden)]
    pub fn try_new_at(capacity: usize, growable: bool, payload: P, origin: u64) -> Result<Self> {
        if capacity == 0 {
            return Err(Error::Invalid);
        }
        let buffer = memory::try_box(Buffer::try_new(payload.cell(), capacity)?)?;
        Ok(Self {
            payload,
            growable,
            origin,
            buffer: AtomicPtr::new(Box::into_raw(buffer)),
            owner: CachePadded::new(Owner {
                limit: AtomicU64::new(origin),
                capacity: AtomicU64::new(capacity as u64),
                peak: AtomicU64::new(0),
                popped: AtomicU64::new(0),
                last: AtomicU64::new(0),
                failed_push: AtomicU64::new(0),
                failed_pop: AtomicU64::new(0),
            }),
            ends: CachePadded::new(Ends {
                top: AtomicU64::new(origin),
                bottom: AtomicU64::new(origin),
            }),
            thieves: CachePadded::new(Thieves {
                failed: AtomicU64::new(0),
                reported_pushed: AtomicU64::new(0),
                reported_stolen: AtomicU64::new(0),
            }),
        })
    }

    pub(crate) fn payload(&self) -> &P {
        &self.payload
    }

    /// The buffer, as the owner sees it.
    ///
    /// # Safety
    /// Only the owner may call.
    #[inline(always)]
    unsafe fn own_buffer(&self) -> &Buffer {
        // SAFETY: buffers live as long as the deque. Ordering: Relaxed; the owner itself wrote it.
        unsafe { &*self.buffer.load(site("deque.own.buffer", Relaxed)) }
    }

    /// Increments a counter that only the owner writes.
    #[inline(always)]
    fn count(counter: &AtomicU64) {
        let count = counter.load(site("deque.count.load", Relaxed));
        counter.store(count + 1, site("deque.count.store", Relaxed));
    }

    /// Pushes a bitwise copy of the item. After [`Error::Full`], and [`Error::NoMemory`] if the deque
    /// cannot grow, the caller still owns it.
    ///
    /// # Safety
    /// After `Ok` the caller must forget `item`, which satisfies the rule of the payload. Only the owner
    /// may call.
    #[inline(always)]
    pub unsafe fn push(&self, item: &P::Item) -> Result {
        // SAFETY: the same contract.
        unsafe { if self.push_fast(item) { Ok(()) } else { self.push_slow(item) } }
    }

    /// Fast path of `push`. Returns false, without effect, if the slow path is needed.
    ///
    /// # Safety
    /// As for `push`.
    #[inline(always)]
    pub(crate) unsafe fn push_fast(&self, item: &P::Item) -> bool {
        let bottom = self.ends.bottom.load(site("deque.push.bottom", Relaxed));
        let limit = self.owner.limit.load(site("deque.push.limit", Relaxed));
        let is_below = ahead(bottom, limit) < 0;
        if is_below {
            // SAFETY: the same contract; below the limit there is room.
            unsafe { self.append(bottom, item) };
        }
        is_below
    }

    /// Slow path of `push`: it may find the deque full, grow it, or make a new peak.
    ///
    /// # Safety
    /// As for `push`.
    #[inline(always)]
    pub(crate) unsafe fn push_slow(&self, item: &P::Item) -> Result {
        let bottom = self.ends.bottom.load(site("deque.push.bottom.slow", Relaxed));
        // SAFETY: the same contract.
        unsafe {
            self.check_room(bottom)?;
            self.append(bottom, item);
        }
        self.note_peak(bottom.wrapping_add(1));
        Ok(())
    }

    /// Writes the item and publishes it.
    ///
    /// # Safety
    /// As for `push`; and there is room.
    #[inline(always)]
    unsafe fn append(&self, bottom: u64, item: &P::Item) {
        // SAFETY: we are the owner; the thread that took the former item of the cell has copied it.
        unsafe {
            let buffer = self.own_buffer();
            buffer.note_write(bottom);
            self.payload.write(buffer.cell(bottom), item);
        }
        // Ordering: Release, pairs with the loads in `steal`; publishes the item.
        self.ends.bottom.store(bottom.wrapping_add(1), site("deque.push.publish", Release));
    }

    /// Makes sure that there is room for a push at `bottom`; grows a growable deque.
    ///
    /// # Safety
    /// Only the owner may call.
    #[cold]
    unsafe fn check_room(&self, bottom: u64) -> Result {
        let capacity = self.owner.capacity.load(site("deque.room.capacity", Relaxed));
        // Ordering: Acquire, pairs with the swaps of `top`: the items before it were copied.
        let top = self.ends.top.load(site("deque.room.top", Acquire));
        if ahead(bottom, top) < capacity as i64 {
            return Ok(());
        }
        // Pairs with the sequentially consistent accesses of thieves: if a thief took items here, and
        // then found another deque empty to which we had pushed before, we see that it took them.
        fence("deque.full.fence");
        // Ordering: as above.
        let top = self.ends.top.load(site("deque.full.top", SeqCst));
        if ahead(bottom, top) < capacity as i64 {
            return Ok(());
        }
        if !self.growable {
            Self::count(&self.owner.failed_push);
            return Err(Error::Full);
        }
        // SAFETY: we are the owner.
        unsafe { self.grow(top, bottom, capacity) }
    }

    /// Replaces the buffer by one of twice the capacity.
    ///
    /// # Safety
    /// Only the owner may call.
    unsafe fn grow(&self, top: u64, bottom: u64, capacity: u64) -> Result {
        let capacity = (capacity as usize).checked_mul(2).ok_or(Error::NoMemory)?;
        // SAFETY: we are the owner.
        let old = unsafe { self.own_buffer() };
        // A size that overflows is one that no allocator can provide.
        let larger = Buffer::try_new(self.payload.cell(), capacity)
            .and_then(memory::try_box)
            .map_err(|_| Error::NoMemory);
        let mut larger = larger.inspect_err(|_| Self::count(&self.owner.failed_push))?;
        for i in 0..ahead(bottom, top) as u64 {
            let position = top.wrapping_add(i);
            larger.note_write(position);
            // SAFETY: a cell of ours, which no thread writes, and one that no other thread knows yet. The
            // copy of an item that a thief takes meanwhile is never read.
            unsafe {
                larger.cell(position).copy_from_nonoverlapping(old.cell(position), old.stride)
            };
        }
        larger.replaced = self.buffer.load(site("deque.grow.replaced", Relaxed));
        // Ordering: Release, pairs with the Acquire in `steal`: a thief sees the cells.
        self.buffer.store(Box::into_raw(larger), site("deque.grow.publish", Release));
        self.owner.capacity.store(capacity as u64, site("deque.grow.capacity", Relaxed));
        Ok(())
    }

    /// Notes the length if it is a new peak, and sets the limit; `bottom` is the position behind the
    /// push.
    #[cold]
    fn note_peak(&self, bottom: u64) {
        // Ordering: Acquire, as in `check_room`: below the limit a push does not call that.
        let top = self.ends.top.load(site("deque.peak.top", Acquire));
        let len = ahead(bottom, top).max(0) as u64;
        let peak = self.owner.peak.load(site("deque.peak.load", Relaxed)).max(len);
        self.owner.peak.store(peak, site("deque.peak.store", Relaxed));
        // The peak is never above the capacity, so there is room below this limit.
        let limit = top.wrapping_add(peak);
        self.owner.limit.store(limit, site("deque.peak.limit", Relaxed));
    }

    /// Pops the item that was pushed last. Fails with [`Error::Empty`], or with [`Error::TooSmall`], which
    /// leaves the item in the deque.
    ///
    /// # Safety
    /// Only the owner may call.
    #[inline(always)]
    pub unsafe fn pop(&self, out: &mut P::Out) -> Result {
        let bottom = self.ends.bottom.load(site("deque.pop.bottom", Relaxed));
        let position = bottom.wrapping_sub(1);
        // SAFETY: we are the owner.
        let buffer = unsafe { self.own_buffer() };
        let cell = buffer.cell(position);
        // SAFETY: only we write cells.
        if let Err(needed) = unsafe { self.payload.fits(cell, out) } {
            return self.refuse_pop(bottom, needed);
        }
        // Ordering: Relaxed; an old `top` makes the swap in `pop_last` fail.
        let top = self.ends.top.load(site("deque.pop.compare", Relaxed));
        if ahead(position, top) <= 0 {
            // SAFETY: the same contract.
            return unsafe { self.pop_last(position, top, out) };
        }
        // Ordering: Release, as in `push`: a thief may read the items before it after this store.
        self.ends.bottom.store(position, site("deque.pop.claim", Release));
        // Pairs with the loads of a thief, `top` and then `bottom`: the thief sees our store, or we see
        // how far thieves have come. A store and a fence, since a swap first waits for the line of a
        // thief's last steal.
        fence("deque.pop.fence");
        // Ordering: Relaxed; the fence orders it behind the store.
        let top = self.ends.top.load(site("deque.pop.top", Relaxed));
        // SAFETY: the item is ours, or `pop_hidden` decides that; only we write its cell.
        unsafe {
            if ahead(position, top) <= 0 {
                return self.pop_hidden(position, top, out);
            }
            let popped = self.owner.popped.load(site("deque.pop.popped", Relaxed));
            // Ordering: Release, pairs with the Acquire in `stats`.
            self.owner.popped.store(popped + 1, site("deque.pop.count", Release));
            self.payload.read(cell, out);
        }
        Ok(())
    }

    /// Competes with thieves for the item at `position`, the last one; none is left if `top` is beyond
    /// it.
    ///
    /// # Safety
    /// As for `pop`.
    #[inline(never)]
    unsafe fn pop_last(&self, position: u64, top: u64, out: &mut P::Out) -> Result {
        let end = position.wrapping_add(1);
        let won = position == top && {
            // Counted first, so that no snapshot of the statistics counts it as stolen.
            let last = self.owner.last.load(site("deque.last.load", Relaxed));
            self.owner.last.store(last + 1, site("deque.last.count", Relaxed));
            let won = self.ends.top.replace(top, end, site("deque.pop.last", SeqCst));
            if !won {
                self.owner.last.store(last, site("deque.last.uncount", Relaxed));
            }
            won
        };
        if !won {
            Self::count(&self.owner.failed_pop);
            return Err(Error::Empty);
        }
        // The deque is empty, so its `top` is known: the next pushes need no slow path.
        let peak = self.owner.peak.load(site("deque.last.peak", Relaxed));
        let limit = end.wrapping_add(peak);
        self.owner.limit.store(limit, site("deque.last.limit", Relaxed));
        // SAFETY: the item is ours, and only we write its cell.
        unsafe { self.payload.read(self.own_buffer().cell(position), out) };
        Ok(())
    }

    /// Ends an inlined pop that has moved `bottom` and then found that thieves took the items before
    /// the hidden one.
    ///
    /// # Safety
    /// As for `pop`.
    #[cold]
    pub(crate) unsafe fn finish_pop(&self, out: &mut P::Out) -> Result {
        let position = self.ends.bottom.load(site("deque.finish.bottom", Relaxed));
        // Ordering: Relaxed, as in `pop`; the caller has fenced.
        let top = self.ends.top.load(site("deque.finish.top", Relaxed));
        // SAFETY: the same contract.
        unsafe { self.pop_hidden(position, top, out) }
    }

    /// [`Deque::pop_last`] for an item that `pop` has hidden already, when thieves have taken all items
    /// before it. `bottom` is restored only after the race: earlier, a thief could steal the item after
    /// another thief found the deque empty.
    ///
    /// # Safety
    /// As for `pop`.
    #[cold]
    #[inline(never)]
    unsafe fn pop_hidden(&self, position: u64, top: u64, out: &mut P::Out) -> Result {
        // SAFETY: the same contract.
        let done = unsafe { self.pop_last(position, top, out) };
        // Ordering: Release, as in `push`: a thief may read the items before it after this store.
        let bottom = position.wrapping_add(1);
        self.ends.bottom.store(bottom, site("deque.pop.restore", Release));
        done
    }

    /// Fails a pop whose item does not fit: with `TooSmall` if the item is still there, else with `Empty`.
    #[cold]
    fn refuse_pop(&self, bottom: u64, needed: usize) -> Result {
        fence("deque.refuse.fence");
        let top = self.ends.top.load(site("deque.refuse.top", SeqCst));
        if ahead(bottom, top) > 0 {
            return Err(Error::TooSmall { needed });
        }
        Self::count(&self.owner.failed_pop);
        Err(Error::Empty)
    }

    /// Steals the item that was pushed first. Fails with [`Error::Empty`], with [`Error::Retry`] if
    /// another call took the item meanwhile, or with [`Error::TooSmall`], which leaves the item.
    ///
    /// # Safety
    /// After an error the caller must not use what was written to `out`.
    #[inline(always)]
    pub unsafe fn steal(&self, out: &mut P::Out) -> Result {
        // SAFETY: the same contract.
        unsafe { self.try_steal(out) }.inspect_err(|why| self.count_failed_steal(why))
    }

    #[cold]
    fn count_failed_steal(&self, why: &Error) {
        if *why == Error::Empty {
            self.thieves.failed.fetch_add(1, site("stats.failed.steal", Relaxed));
        }
    }

    /// [`Deque::steal`] that does not count failures.
    ///
    /// # Safety
    /// As for [`Deque::steal`].
    #[inline(always)]
    unsafe fn try_steal(&self, out: &mut P::Out) -> Result {
        let mut top = self.ends.top.load(site("deque.steal.top", SeqCst));
        let bottom = self.ends.bottom.load(site("deque.steal.bottom", SeqCst));
        if ahead(bottom, top) <= 0 {
            top = self.check_item()?;
        }
        // Ordering: Acquire, pairs with the Release in `grow`.
        // SAFETY: buffers live as long as the deque.
        let buffer = unsafe { &*self.buffer.load(site("deque.steal.buffer", Acquire)) };
        let cell = buffer.cell(top);
        let _written = buffer.written(top);
        // SAFETY: the payload allows reads while the cell is written; the swap decides whether it was.
        let fits = unsafe { self.payload.fits(cell, out).map(|()| self.payload.read(cell, out)) };
        let next = if fits.is_ok() { top.wrapping_add(1) } else { top };
        // The thread that moves `top` next sees our copy done, and so does the owner that reuses the
        // cell. If we take nothing, a swap of the same value: a load would not order the two.
        if !self.ends.top.replace(top, next, site("deque.steal.take", SeqCst)) {
            return Err(Error::Retry);
        }
        #[cfg(loom)]
        assert_eq!(_written, top, "a thief read a cell that was written again");
        fits.map_err(|needed| Error::TooSmall { needed })
    }

    /// The second check, after a full fence, before a thief reports *empty*; returns `top` if there is an
    /// item.
    #[cold]
    fn check_item(&self) -> Result<u64> {
        // Pairs with itself and with `deque.full.fence`: this thread's earlier stores are visible, so if
        // two owners push, and then each steals from the other's deque, one of them finds an item.
        fence("deque.empty.fence");
        let top = self.ends.top.load(site("deque.empty.top", SeqCst));
        let bottom = self.ends.bottom.load(site("deque.empty.bottom", SeqCst));
        if ahead(bottom, top) > 0 {
            return Ok(top);
        }
        Err(Error::Empty)
    }

    /// The number of items that fit before the deque is full or grows.
    pub fn capacity(&self) -> usize {
        self.owner.capacity.load(site("deque.capacity.load", Relaxed)) as usize
    }

    /// The number of items; a snapshot, never above the capacity.
    pub fn len(&self) -> usize {
        // Ordering: Acquire, so that the second load of `top` comes after that of `bottom`.
        let top = || self.ends.top.load(site("deque.size.top", Acquire));
        let bottom = || self.ends.bottom.load(site("deque.size.bottom", Acquire));
        let (mut before, mut end) = (top(), bottom());
        for _ in 0..4 {
            let after = top();
            if before == after {
                break;
            }
            (before, end) = (after, bottom());
        }
        (ahead(end, before).max(0) as usize).min(self.capacity())
    }

    /// Whether the deque has no items; a snapshot.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A snapshot of the statistics. Counts never decrease. A steal that just returned may be missing.
    pub fn stats(&self) -> Stats {
        // First `top`, then the counter that the owner increments before it moves `top`: so `stolen` is
        // never too large. Ordering: Acquire, so that they are read in this order.
        let left = self.ends.top.load(site("stats.deque.top", Acquire)).wrapping_sub(self.origin);
        let last = self.owner.last.load(site("stats.deque.last", Relaxed));
        let stolen = left.saturating_sub(last);
        let reported =
            self.thieves.reported_stolen.fetch_max(stolen, site("stats.deque.reported", Relaxed));
        // A pop moves `bottom` back and then counts itself. These two loads come in the opposite
        // order, so `pushed` may lack one for each pop in between, and is never too large.
        // Ordering: Acquire, pairs with the Release in `pop`.
        let popped = self.owner.popped.load(site("stats.deque.popped", Acquire));
        let bottom = self.ends.bottom.load(site("stats.deque.bottom", Acquire));
        let pushed = popped.wrapping_add(bottom.wrapping_sub(self.origin));
        let before =
            self.thieves.reported_pushed.fetch_max(pushed, site("stats.deque.pushed", Relaxed));
        let pushed = pushed.max(before);
        let dequeued = popped + left;
        Stats {
            // An item that was taken had been pushed, whichever of the two loads was first.
            enqueued: pushed.max(dequeued),
            dequeued,
            failed_enqueue: self.owner.failed_push.load(site("stats.deque.push", Relaxed)),
            failed_dequeue: self.owner.failed_pop.load(site("stats.deque.pop", Relaxed))
                + self.thieves.failed.load(site("stats.deque.steal", Relaxed)),
            peak_size: self.owner.peak.load(site("stats.deque.peak", Relaxed)),
            current_size: self.len() as u64,
            capacity: self.capacity() as u64,
            stolen: stolen.max(reported),
            ..Stats::default()
        }
    }
}

impl<T, P: Atomic<Out = *mut T>> Deque<P> {
    /// Steals up to `max` pointers one by one, until there is none left or a race is lost; calls `keep`
    /// with each. Returns their number, and an error if it is 0.
    pub fn steal_many(&self, max: usize, mut keep: impl FnMut(*mut T)) -> (usize, Result) {
        for count in 0..max {
            let mut item = core::ptr::null_mut();
            // SAFETY: after an error the item is not used.
            match unsafe { self.try_steal(&mut item) } {
                Ok(()) => keep(item),
                Err(_) if count > 0 => return (count, Ok(())),
                Err(why) => {
                    self.count_failed_steal(&why);
                    return (0, Err(why));
                }
            }
        }
        (max, Ok(()))
    }
}

impl<P: Atomic> Drop for Deque<P> {
    fn drop(&mut self) {
        let top = self.ends.top.load(site("deque.drop.top", Relaxed));
        let bottom = self.ends.bottom.load(site("deque.drop.bottom", Relaxed));
        // SAFETY: made by `Box::into_raw`; no other thread has the deque. Replaced buffers follow.
        let buffer = unsafe { Box::from_raw(self.buffer.load(site("deque.drop.buffer", Relaxed))) };
        for i in 0..ahead(bottom, top).max(0) as u64 {
            // SAFETY: between top and bottom every cell holds an item.
            unsafe { self.payload.discard(buffer.cell(top.wrapping_add(i))) };
        }
    }
}
