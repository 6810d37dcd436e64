//! Work-stealing deque: its owner pushes and pops at one end, last in first out; any number of
//! thieves steal at the other, first in first out.
//!
//! # Idea
//! Items lie at positions `top..bottom` of a ring buffer. The owner alone moves `bottom`, by plain
//! stores; `top` only ever grows, by compare-and-swap. Owner and thieves meet at the last item
//! alone, and there the owner takes it as a thief would (Chase and Lev 2005; orderings after the
//! proof of Lê, Pop, Cohen and Zappa Nardelli 2013, with the sequentially consistent accesses that
//! they begin from: a swap is cheaper than their store and fence).
//!
//! # Invariants
//! - The owner writes a cell only when `top` has passed its former item for certain: it read `top`
//!   with acquire, and whoever moved it had copied its item before.
//! - A thief copies the cell of position `top` *before* it swaps, and only the swap says that the
//!   copy is whole and its own. Cells are atomic words ([`Atomic`]); a copy that lost is thrown
//!   away.
//! - A buffer that was outgrown is kept, untouched, until the deque is dropped: a thief may still
//!   read it. Sizes double, so all of them together are below twice the largest.
//!
//! # Linearization
//! Push at its store of `bottom`. Steal at its swap of `top`; so is a pop that finds one item left.
//! Any other pop hides an item by its swap of `bottom`, and has taken it then; but if thieves came
//! near meanwhile and it was the last, whoever wins the race for it is taken to have it just before
//! the first of the others is told *empty*, which is within the winner's call: only a call that
//! overlaps can take what is hidden. Before *full* and a thief's *empty* are told there is a full
//! fence and a second look, since a push publishes by a store that may still be on its way out of
//! its processor.
//!
//! # Progress
//! Push and pop are wait-free, but for a push that has to grow the buffer (allocation, and a copy
//! of all items). Steal never loops: a lost race is [`Error::Retry`], and somebody else won it.
//! Statistics are lock-free.
//!
//! # Memory
//! Capacity rounded up to a power of two cells (8 bytes for a pointer; 8 and the blob for bytes),
//! and 512 bytes around them.

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
struct Buffer {
    cells: Memory,
    stride: usize,
    mask: u64,
    /// The one before it, which thieves may still read.
    outgrown: *mut Buffer,
    /// The position that each cell was last written for: loom watches its own types only, and has
    /// to see what a thief may still read there.
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
            outgrown: core::ptr::null_mut(),
            #[cfg(loom)]
            written: crate::memory::Array::try_new(count, |_| AtomicU64::new(u64::MAX))?,
        })
    }

    #[inline(always)]
    fn cell(&self, position: u64) -> *mut u8 {
        // SAFETY: the mask keeps it below the count.
        unsafe { self.cells.start().add((position & self.mask) as usize * self.stride) }
    }

    /// Tells a model that the owner writes the cell of this position.
    #[inline(always)]
    fn note_write(&self, _position: u64) {
        #[cfg(loom)]
        // SAFETY: the mask keeps it below the count.
        unsafe { self.written.get((_position & self.mask) as usize) }.store(_position, Relaxed);
    }

    /// What [`Buffer::note_write`] last said of this cell.
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
        if !self.outgrown.is_null() {
            // SAFETY: made by `Box::into_raw`; owned by this one, which replaced it.
            drop(unsafe { Box::from_raw(self.outgrown) });
        }
    }
}

/// Everything is written by the owner alone, so Relaxed loads are exact for it.
struct Owner {
    /// On a line of its own: thieves read it.
    bottom: CachePadded<AtomicU64>,
    /// Pushes below this position neither fill the deque nor set a new peak.
    unremarkable_below: AtomicU64,
    /// How many items fit now.
    capacity: AtomicU64,
    peak: AtomicU64,
    pushed: AtomicU64,
    /// Items popped at the bottom.
    popped: AtomicU64,
    /// Items popped at the top: each the last of the deque.
    last: AtomicU64,
    failed_push: AtomicU64,
    failed_pop: AtomicU64,
}

/// What thieves count when they found nothing, and the most thefts ever told.
struct Thieves {
    failed: AtomicU64,
    told: AtomicU64,
}

/// See the module.
pub struct Deque<P: Atomic> {
    payload: P,
    growable: bool,
    origin: u64,
    /// Owned; the ones it outgrew hang on it.
    buffer: AtomicPtr<Buffer>,
    owner: CachePadded<Owner>,
    top: CachePadded<AtomicU64>,
    thieves: CachePadded<Thieves>,
}

// SAFETY: the buffers are owned, and shared as the module says.
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
            &Plan::NOTHING
                .with("buffer", offset_of!(Self, buffer))
                .with("growable", offset_of!(Self, growable))
                .with("limit", offset_of!(Self, payload) + Bytes::LIMIT)
                .with("bottom", offset_of!(Self, owner) + offset_of!(Owner, bottom))
                .with("capacity", offset_of!(Self, owner) + offset_of!(Owner, capacity))
                .with("top", offset_of!(Self, top))
                .with("of_cells", offset_of!(Buffer, cells) + Memory::START)
                .with("of_stride", offset_of!(Buffer, stride))
                .with("of_mask", offset_of!(Buffer, mask))
        };
        described(self, plan)
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
                bottom: CachePadded::new(AtomicU64::new(origin)),
                unremarkable_below: AtomicU64::new(origin),
                capacity: AtomicU64::new(capacity as u64),
                peak: AtomicU64::new(0),
                pushed: AtomicU64::new(0),
                popped: AtomicU64::new(0),
                last: AtomicU64::new(0),
                failed_push: AtomicU64::new(0),
                failed_pop: AtomicU64::new(0),
            }),
            top: CachePadded::new(AtomicU64::new(origin)),
            thieves: CachePadded::new(Thieves {
                failed: AtomicU64::new(0),
                told: AtomicU64::new(0),
            }),
        })
    }

    /// What the items are.
    pub(crate) fn payload(&self) -> &P {
        &self.payload
    }

    /// The owner's buffer.
    ///
    /// # Safety
    /// A call of the owner.
    #[inline(always)]
    unsafe fn own_buffer(&self) -> &Buffer {
        // SAFETY: buffers live as long as the deque. Ordering: Relaxed; the owner wrote it.
        unsafe { &*self.buffer.load(site("deque.own.buffer", Relaxed)) }
    }

    /// Adds one to a counter that the owner alone writes.
    #[inline(always)]
    fn count(counter: &AtomicU64) {
        let count = counter.load(site("deque.count.load", Relaxed));
        counter.store(count + 1, site("deque.count.store", Relaxed));
    }

    /// Pushes a bitwise copy of the item; [`Error::Full`], and [`Error::NoMemory`] if it cannot
    /// grow, leave it the caller's.
    ///
    /// # Safety
    /// After `Ok` the caller must forget `item`, which satisfies the payload's own rule. One thread
    /// at a time pushes and pops.
    #[inline(always)]
    pub unsafe fn push(&self, item: &P::Item) -> Result {
        let bottom = self.owner.bottom.load(site("deque.push.bottom", Relaxed));
        let bound = self.owner.unremarkable_below.load(site("deque.push.bound", Relaxed));
        // SAFETY: the same contract; below the bound there is room.
        unsafe {
            if ahead(bottom, bound) >= 0 {
                return self.push_remarkably(bottom, item);
            }
            self.append(bottom, item);
        }
        Ok(())
    }

    /// A push that may fill the deque or set a new peak; apart, so that others save no registers.
    ///
    /// # Safety
    /// As for `push`.
    #[cold]
    #[inline(never)]
    unsafe fn push_remarkably(&self, bottom: u64, item: &P::Item) -> Result {
        // SAFETY: the same contract.
        unsafe {
            self.look_for_room(bottom)?;
            self.append(bottom, item);
        }
        self.look_for_peak(bottom.wrapping_add(1));
        Ok(())
    }

    /// # Safety
    /// As for `push`; and there is room.
    #[inline(always)]
    unsafe fn append(&self, bottom: u64, item: &P::Item) {
        // SAFETY: we are the owner; the cell's former item has left, and been copied by whoever
        // took it.
        unsafe {
            let buffer = self.own_buffer();
            buffer.note_write(bottom);
            self.payload.write(buffer.cell(bottom), item);
        }
        Self::count(&self.owner.pushed);
        // Ordering: Release, pairs with the loads in `steal`; publishes the item.
        self.owner.bottom.store(bottom.wrapping_add(1), site("deque.push.publish", Release));
    }

    /// # Safety
    /// A call of the owner.
    #[cold]
    unsafe fn look_for_room(&self, bottom: u64) -> Result {
        let capacity = self.owner.capacity.load(site("deque.room.capacity", Relaxed));
        // Ordering: Acquire, pairs with the swaps of `top`: what was taken had been copied.
        let top = self.top.load(site("deque.room.top", Acquire));
        if ahead(bottom, top) < capacity as i64 {
            return Ok(());
        }
        // Pairs with the sequentially consistent accesses of thieves: what they took before they
        // found another deque empty, to which we had pushed before, is seen.
        fence("deque.full.fence");
        // Ordering: as above.
        let top = self.top.load(site("deque.full.top", SeqCst));
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

    /// # Safety
    /// A call of the owner.
    unsafe fn grow(&self, top: u64, bottom: u64, capacity: u64) -> Result {
        let capacity = (capacity as usize).checked_mul(2).ok_or(Error::NoMemory)?;
        // SAFETY: we are the owner.
        let old = unsafe { self.own_buffer() };
        // A size that overflows is one that cannot be had.
        let larger = Buffer::try_new(self.payload.cell(), capacity)
            .and_then(memory::try_box)
            .map_err(|_| Error::NoMemory);
        let mut larger = larger.inspect_err(|_| Self::count(&self.owner.failed_push))?;
        for i in 0..ahead(bottom, top) as u64 {
            let position = top.wrapping_add(i);
            larger.note_write(position);
            // SAFETY: a cell of ours, which nobody writes, and one that nobody knows yet. What a
            // thief takes meanwhile is copied in vain, and never looked at.
            unsafe {
                larger.cell(position).copy_from_nonoverlapping(old.cell(position), old.stride)
            };
        }
        larger.outgrown = self.buffer.load(site("deque.grow.outgrown", Relaxed));
        // Ordering: Release, pairs with the Acquire in `steal`: the cells are there.
        self.buffer.store(Box::into_raw(larger), site("deque.grow.publish", Release));
        self.owner.capacity.store(capacity as u64, site("deque.grow.capacity", Relaxed));
        Ok(())
    }

    /// After a push that may have set a new peak: `bottom` is where it left the deque.
    #[cold]
    fn look_for_peak(&self, bottom: u64) {
        // Ordering: Acquire, as in `look_for_room`, whose answer the bound below stands for.
        let top = self.top.load(site("deque.peak.top", Acquire));
        let len = ahead(bottom, top).max(0) as u64;
        let peak = self.owner.peak.load(site("deque.peak.load", Relaxed)).max(len);
        self.owner.peak.store(peak, site("deque.peak.store", Relaxed));
        // The peak is never above the capacity, so this is the room's bound too.
        let bound = top.wrapping_add(peak);
        self.owner.unremarkable_below.store(bound, site("deque.peak.raise", Relaxed));
    }

    /// Pops the item that was pushed last; [`Error::Empty`] or [`Error::TooSmall`], which leaves it.
    ///
    /// # Safety
    /// One thread at a time pushes and pops.
    #[inline(always)]
    pub unsafe fn pop(&self, out: &mut P::Out) -> Result {
        let bottom = self.owner.bottom.load(site("deque.pop.bottom", Relaxed));
        let position = bottom.wrapping_sub(1);
        // SAFETY: we are the owner.
        let buffer = unsafe { self.own_buffer() };
        let cell = buffer.cell(position);
        // SAFETY: nobody writes a cell but us.
        if let Err(needed) = unsafe { self.payload.fits(cell, out) } {
            return self.refuse(bottom, needed);
        }
        // The top may be further, which the swap in `pop_last` would tell. Ordering: Relaxed.
        let top = self.top.load(site("deque.pop.near", Relaxed));
        if ahead(position, top) <= 0 {
            // SAFETY: the same contract.
            return unsafe { self.pop_last(position, top, out) };
        }
        // A swap, so that the load below comes after it for everybody.
        self.owner.bottom.swap(position, site("deque.pop.claim", SeqCst));
        let top = self.top.load(site("deque.pop.top", SeqCst));
        // SAFETY: the item is ours, or comes to be; its cell nobody writes but us.
        unsafe {
            if ahead(position, top) <= 0 {
                return self.pop_hidden(position, top, out);
            }
            Self::count(&self.owner.popped);
            self.payload.read(cell, out);
        }
        Ok(())
    }

    /// Races the thieves, as one of them, for the last item; there is none beyond `top`.
    ///
    /// # Safety
    /// As for `pop`.
    #[inline(never)]
    unsafe fn pop_last(&self, position: u64, top: u64, out: &mut P::Out) -> Result {
        let end = position.wrapping_add(1);
        let won = position == top && {
            // First, so that no snapshot of the statistics takes it for a theft.
            let last = self.owner.last.load(site("deque.last.load", Relaxed));
            self.owner.last.store(last + 1, site("deque.last.count", Relaxed));
            let won = self.top.replace(top, end, site("deque.pop.last", SeqCst));
            if !won {
                self.owner.last.store(last, site("deque.last.uncount", Relaxed));
            }
            won
        };
        if !won {
            Self::count(&self.owner.failed_pop);
            return Err(Error::Empty);
        }
        // The next push knows the top by this, and need not look.
        let peak = self.owner.peak.load(site("deque.last.peak", Relaxed));
        let bound = end.wrapping_add(peak);
        self.owner.unremarkable_below.store(bound, site("deque.last.raise", Relaxed));
        // SAFETY: the item is ours, and its cell nobody writes but us.
        unsafe { self.payload.read(self.own_buffer().cell(position), out) };
        Ok(())
    }

    /// [`Deque::pop_last`], after thieves came near while the item was hidden from others already.
    /// Shown again it could be taken later than another thief was told *empty*.
    ///
    /// # Safety
    /// As for `pop`.
    #[cold]
    #[inline(never)]
    unsafe fn pop_hidden(&self, position: u64, top: u64, out: &mut P::Out) -> Result {
        // SAFETY: the same contract.
        let done = unsafe { self.pop_last(position, top, out) };
        // Ordering: Release, as in `push`: a thief may find the items before it by this store.
        let bottom = position.wrapping_add(1);
        self.owner.bottom.store(bottom, site("deque.pop.restore", Release));
        done
    }

    /// Answers a pop whose item does not fit: if it is still there.
    #[cold]
    fn refuse(&self, bottom: u64, needed: usize) -> Result {
        fence("deque.refuse.fence");
        let top = self.top.load(site("deque.refuse.top", SeqCst));
        if ahead(bottom, top) > 0 {
            return Err(Error::TooSmall { needed });
        }
        Self::count(&self.owner.failed_pop);
        Err(Error::Empty)
    }

    /// Steals the item that was pushed first; [`Error::Empty`], [`Error::Retry`] if another took it
    /// meanwhile, or [`Error::TooSmall`], which leaves it there.
    ///
    /// # Safety
    /// After an error, what was written to `out` is thrown away.
    #[inline(always)]
    pub unsafe fn steal(&self, out: &mut P::Out) -> Result {
        // SAFETY: the same contract.
        unsafe { self.take_first(out) }.inspect_err(|why| self.count_failed_steal(why))
    }

    #[cold]
    fn count_failed_steal(&self, why: &Error) {
        if *why == Error::Empty {
            self.thieves.failed.fetch_add(1, site("stats.failed.steal", Relaxed));
        }
    }

    /// # Safety
    /// As for [`Deque::steal`].
    #[inline(always)]
    unsafe fn take_first(&self, out: &mut P::Out) -> Result {
        let mut top = self.top.load(site("deque.steal.top", SeqCst));
        let bottom = self.owner.bottom.load(site("deque.steal.bottom", SeqCst));
        if ahead(bottom, top) <= 0 {
            top = self.look_again_for_item()?;
        }
        // Ordering: Acquire, pairs with the Release in `grow`.
        // SAFETY: buffers live as long as the deque.
        let buffer = unsafe { &*self.buffer.load(site("deque.steal.buffer", Acquire)) };
        let cell = buffer.cell(top);
        let _written = buffer.written(top);
        // SAFETY: the payload bears being read while it is written; the swap tells whether it was.
        let fits = unsafe { self.payload.fits(cell, out).map(|()| self.payload.read(cell, out)) };
        let next = if fits.is_ok() { top.wrapping_add(1) } else { top };
        // Comes after the copy for whoever moves `top` next, and so for the owner that reuses the
        // cell. A swap of the same value, if nothing is taken, because a load would not order it.
        if !self.top.replace(top, next, site("deque.steal.take", SeqCst)) {
            return Err(Error::Retry);
        }
        #[cfg(loom)]
        assert_eq!(_written, top, "a thief took what was not there");
        fits.map_err(|needed| Error::TooSmall { needed })
    }

    /// The top, if there is an item after all.
    #[cold]
    fn look_again_for_item(&self) -> Result<u64> {
        // Pairs with itself and with `deque.full.fence`: what this thread stored before is out, so
        // that of two threads that push to one deque and find the other's empty, one sees more.
        fence("deque.empty.fence");
        let top = self.top.load(site("deque.empty.top", SeqCst));
        let bottom = self.owner.bottom.load(site("deque.empty.bottom", SeqCst));
        if ahead(bottom, top) > 0 {
            return Ok(top);
        }
        Err(Error::Empty)
    }

    /// How many items fit before it is full, or before it grows.
    pub fn capacity(&self) -> usize {
        self.owner.capacity.load(site("deque.capacity.load", Relaxed)) as usize
    }

    /// How many are in it; a snapshot, never above the capacity.
    pub fn len(&self) -> usize {
        // Ordering: Acquire, so that the second look at `top` comes after the one at `bottom`.
        let top = || self.top.load(site("deque.size.top", Acquire));
        let bottom = || self.owner.bottom.load(site("deque.size.bottom", Acquire));
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

    /// Whether the snapshot is zero.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A snapshot of the statistics. Counts never go back; a theft that is only just done may not
    /// be among them.
    pub fn stats(&self) -> Stats {
        // The top first and then what the owner counts before it moves the top: so this is never
        // more than the truth. Ordering: Acquire, so that they are read in this order.
        let left = self.top.load(site("stats.deque.top", Acquire)).wrapping_sub(self.origin);
        let last = self.owner.last.load(site("stats.deque.last", Relaxed));
        let stolen = left.saturating_sub(last);
        let told = self.thieves.told.fetch_max(stolen, site("stats.deque.told", Relaxed));
        let dequeued = self.owner.popped.load(site("stats.deque.popped", Relaxed)) + left;
        let pushed = self.owner.pushed.load(site("stats.deque.pushed", Relaxed));
        Stats {
            // What was taken had been pushed, whichever of the two loads is older.
            enqueued: pushed.max(dequeued),
            dequeued,
            failed_enqueue: self.owner.failed_push.load(site("stats.deque.push", Relaxed)),
            failed_dequeue: self.owner.failed_pop.load(site("stats.deque.pop", Relaxed))
                + self.thieves.failed.load(site("stats.deque.steal", Relaxed)),
            peak_size: self.owner.peak.load(site("stats.deque.peak", Relaxed)),
            current_size: self.len() as u64,
            capacity: self.capacity() as u64,
            stolen: stolen.max(told),
        }
    }
}

impl<T, P: Atomic<Out = *mut T>> Deque<P> {
    /// Steals up to `most` pointers, one after the other, until there is none or a race is lost, and
    /// hands each to `keep`: how many, and why none.
    pub fn steal_many(&self, most: usize, mut keep: impl FnMut(*mut T)) -> (usize, Result) {
        for count in 0..most {
            let mut item = core::ptr::null_mut();
            // SAFETY: after an error the item is not used.
            match unsafe { self.take_first(&mut item) } {
                Ok(()) => keep(item),
                Err(_) if count > 0 => return (count, Ok(())),
                Err(why) => {
                    self.count_failed_steal(&why);
                    return (0, Err(why));
                }
            }
        }
        (most, Ok(()))
    }
}

impl<P: Atomic> Drop for Deque<P> {
    fn drop(&mut self) {
        let top = self.top.load(site("deque.drop.top", Relaxed));
        let bottom = self.owner.bottom.load(site("deque.drop.bottom", Relaxed));
        // SAFETY: made by `Box::into_raw`, and nobody else is here. Those it outgrew follow.
        let buffer = unsafe { Box::from_raw(self.buffer.load(site("deque.drop.buffer", Relaxed))) };
        for i in 0..ahead(bottom, top).max(0) as u64 {
            // SAFETY: between top and bottom every cell holds an item.
            unsafe { self.payload.discard(buffer.cell(top.wrapping_add(i))) };
        }
    }
}
