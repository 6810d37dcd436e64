//! Bounded queues for any number of threads at both ends: FIFO, linearizable, lock-free.
//!
//! All of them use the slot-only ring (`ring.rs`), whose module text explains why it is correct.
//! - [`Direct`]: pointers in the slots themselves. An operation is one 16-byte compare-and-swap.
//! - [`Indirect`]: items in cells. One ring holds the indices of the free cells, another those of the
//!   filled cells; both need an 8-byte compare-and-swap only. The thread that pops the index of a
//!   cell owns the cell until it pushes the index, so the copy of an item is a plain copy (a pair of
//!   index rings as in SCQ: Nikolaev 2019, on our ring). Blobs can also be written and read in their
//!   cells (`mpmc/leases.rs`).
//! - [`Pointers`]: `Direct` where the processor supports it, else `Indirect`.
//!
//! # Progress
//! try_put, try_get, peek, clear, close and len are lock-free in the strict sense. In an `Indirect`
//! queue a thread that is suspended inside a call keeps the cell it owns. There are more cells than
//! the capacity, by [`SPARE`] or the creator's number, and *full* stays exact until suspended calls,
//! reservations and leases together hold that many.
//!
//! # Memory
//! Let s be the capacity (Indirect: capacity + spare) rounded up to a power of two. `Direct` takes
//! 16 s bytes, `Indirect` 16 s bytes and capacity + spare cells, and both at most 1 KiB more.

#![allow(private_bounds)] // nobody else implements `CellOwnership`

mod leases;
mod ownership;
#[cfg(queues_shared)]
mod recovery;

pub(crate) use self::ownership::CellOwnership;
use self::ownership::{Alone, Ring};
#[cfg(not(queues_shared))]
use super::SharedOptions;
use super::ring::{Packed, SlotRing, is_after};
use super::{Counts, Fast, Get, GetMany, Peek, Put, PutMany, Queue};
use crate::error::{Error, Result};
#[cfg(not(queues_shared))]
use crate::payload::Bytes;
use crate::payload::{Atomic, Cells, Payload, Plain, Pointer, Stored};
use crate::plan::{Described, Description, Plan, described};
use core::ffi::c_void;
use core::fmt;

/// Cells beyond the capacity, unless the creator chooses: for calls in flight, reservations and
/// leases.
pub const SPARE: usize = 64;

#[cfg(any(target_arch = "x86_64", loom, miri))]
pub use direct::Direct;

#[cfg(any(target_arch = "x86_64", loom, miri))]
mod direct {
    use super::super::ring::Wide;
    use super::*;

    /// Pointers in the slots of one ring.
    #[derive(Debug)]
    pub struct Direct {
        ring: SlotRing<Wide>,
        payload: Pointer,
    }

    #[inline(always)]
    fn pointer(word: u64) -> *mut c_void {
        core::ptr::with_exposed_provenance_mut(word as usize)
    }

    impl Direct {
        /// Whether the processor has a 16-byte compare-and-swap.
        pub fn is_supported() -> bool {
            crate::sync::Pair::is_supported()
        }

        /// An empty queue.
        pub fn try_new(capacity: usize, payload: Pointer) -> Result<Self> {
            Self::try_new_at(capacity, payload, 0)
        }

        /// [`Direct::try_new`] with another first position, for tests.
        #[doc(hidden)]
        pub fn try_new_at(capacity: usize, payload: Pointer, origin: u64) -> Result<Self> {
            assert!(Self::is_supported());
            Ok(Self { ring: SlotRing::try_new(capacity, capacity, origin)?, payload })
        }
    }

    impl Described for Direct {
        fn describe(&self) -> Description {
            const PLAN: &Plan = &Plan::EMPTY
                .within(core::mem::offset_of!(Direct, ring), SlotRing::<Wide>::PLAN)
                .with("slot", size_of::<Wide>());
            described(self, PLAN)
        }
    }

    // SAFETY: the ring returns every word from one pop; its SeqCst swaps order put before get.
    unsafe impl Queue for Direct {
        fn end(&self) -> u64 {
            self.ring.tail_position()
        }
        unsafe fn clear_to(&self, end: u64, freed: impl Fn(usize)) -> usize {
            self.ring.drain(end, |word| {
                freed(1);
                self.payload.0.dispose(pointer(word), 0);
            })
        }
        fn close(&self) {
            self.ring.close();
        }
        fn is_closed(&self) -> bool {
            self.ring.is_closed()
        }
        fn capacity(&self) -> usize {
            self.ring.capacity()
        }
        fn len(&self) -> usize {
            self.ring.len()
        }
        fn counts(&self) -> Counts {
            self.ring.counts()
        }
        fn take_panic(&self) -> bool {
            self.payload.take_panic()
        }
    }

    // SAFETY: as above.
    unsafe impl Put for Direct {
        type Item = *mut c_void;
        type With = ();
        const HAS_FAST_PUT: bool = true;

        #[inline(always)]
        unsafe fn try_put(&self, item: &*mut c_void, (): ()) -> Result {
            let position = self.ring.push(item.expose_provenance() as u64)?;
            self.ring.note_peak(position);
            Ok(())
        }
        #[inline(always)]
        unsafe fn put_fast(&self, item: &*mut c_void, (): ()) -> Fast {
            if self.ring.push_fast(item.expose_provenance() as u64) {
                Fast::Done
            } else {
                Fast::Slow
            }
        }
    }

    // SAFETY: as above.
    unsafe impl Get for Direct {
        type Out = *mut c_void;
        type With = ();
        const HAS_FAST_GET: bool = true;

        #[inline(always)]
        unsafe fn try_get(&self, out: &mut *mut c_void) -> Result {
            let (word, _) = self.ring.pop()?;
            *out = pointer(word);
            Ok(())
        }
        #[inline(always)]
        unsafe fn get_fast(&self, out: &mut *mut c_void) -> Option<()> {
            *out = pointer(self.ring.pop_fast()?);
            Some(())
        }
    }

    // SAFETY: as above.
    unsafe impl PutMany for Direct {}

    // SAFETY: as above.
    unsafe impl GetMany for Direct {}

    // SAFETY: the word and its sequence are confirmed by one compare-and-swap.
    unsafe impl Peek for Direct {
        unsafe fn peek(&self, out: &mut *mut c_void) -> Result {
            *out = pointer(self.ring.peek(|word| word)?);
            Ok(())
        }
    }

    impl Drop for Direct {
        fn drop(&mut self) {
            // SAFETY: no other thread has the queue.
            unsafe { self.clear_to(self.end(), |_| ()) };
        }
    }
}

#[cfg(not(queues_shared))]
impl Indirect<Bytes> {
    /// This system has no shared queues: [`Error::Invalid`].
    pub(crate) fn open(_fd: core::ffi::c_int, _options: &SharedOptions) -> Result<Self> {
        Err(Error::Invalid)
    }
}

#[cfg(queues_shared)]
pub use recovery::Shared;
#[cfg(queues_shared)]
pub(crate) use recovery::inspect;

/// Items in cells, whose indices move through two rings. `K` states whether only this process uses
/// the memory ([`Alone`]).
pub struct Indirect<P: Payload, K: CellOwnership = Alone> {
    filled: SlotRing<Packed, K::Room>,
    free: SlotRing<Packed, K::Room>,
    cells: Cells<K::Mark, P>,
    ownership: K,
    /// loom's own atomics, in place of the length words of the cells.
    #[cfg(loom)]
    words: crate::memory::Array<crate::sync::AtomicU64>,
}

impl<P: Payload, K: CellOwnership> fmt::Debug for Indirect<P, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Indirect").field("filled", &self.filled).finish_non_exhaustive()
    }
}

impl<P: Payload> Indirect<P> {
    /// An empty queue with [`SPARE`] cells beyond the capacity.
    pub fn try_new(capacity: usize, payload: P) -> Result<Self> {
        Self::try_new_at(capacity, payload, 0)
    }

    /// [`Indirect::try_new`] with another first position, for tests.
    #[doc(hidden)]
    pub fn try_new_at(capacity: usize, payload: P, origin: u64) -> Result<Self> {
        // A model has few threads and pays for every slot.
        let spare = if cfg!(loom) { 3 } else { SPARE };
        Self::with_spare_at(capacity, spare, payload, origin)
    }

    /// An empty queue with `spare` cells beyond the capacity.
    pub fn with_spare(capacity: usize, spare: usize, payload: P) -> Result<Self> {
        Self::with_spare_at(capacity, spare, payload, 0)
    }

    fn with_spare_at(capacity: usize, spare: usize, payload: P, origin: u64) -> Result<Self> {
        let count = capacity.checked_add(spare).ok_or(Error::Invalid)?;
        let queue = Self {
            // First, because only here a size can overflow.
            cells: Cells::try_new(payload, count, |_| ())?,
            filled: SlotRing::try_new(capacity, count, origin)?,
            free: SlotRing::try_new(count, count, origin)?,
            ownership: Alone,
            #[cfg(loom)]
            words: crate::memory::Array::try_new(count, |_| crate::sync::AtomicU64::new(0))?,
        };
        for cell in 0..count {
            queue.free.push(cell as u64)?;
        }
        Ok(queue)
    }
}

impl<P: Payload, K: CellOwnership> Indirect<P, K> {
    /// For a debugger.
    const PLAN: Plan = Plan::EMPTY
        .within(core::mem::offset_of!(Self, filled), SlotRing::<Packed, K::Room>::PLAN)
        .within(core::mem::offset_of!(Self, cells), Cells::<K::Mark, P>::PLAN);
}

impl<P: Payload> Described for Indirect<P> {
    fn describe(&self) -> Description {
        described(self, const { &Self::PLAN.with("slot", size_of::<Packed>()) })
    }
}

impl<P: Payload, K: CellOwnership> Indirect<P, K> {
    pub(crate) fn payload(&self) -> &P {
        self.cells.payload()
    }

    /// The address of the item of a cell.
    ///
    /// # Safety
    /// The index came from one of the rings, and [`Indirect::checked`] returned it.
    #[inline(always)]
    unsafe fn item(&self, cell: u64) -> *const u8 {
        // SAFETY: indices in the rings are below the count.
        unsafe { self.cells.cell(cell as usize) }
    }

    /// The mark of a cell.
    ///
    /// # Safety
    /// As for [`Indirect::item`].
    #[inline(always)]
    unsafe fn mark_of(&self, cell: u64) -> &K::Mark {
        // SAFETY: by contract.
        unsafe { self.cells.header(cell as usize) }
    }

    /// The index of a cell, as read from a ring. Fails with `Corrupt` if there is no such cell: only
    /// another process can have written it.
    #[inline(always)]
    fn checked(&self, cell: u64) -> Result<u64> {
        if K::IS_SHARED && cell >= self.free.capacity() as u64 {
            return Err(Error::Corrupt);
        }
        Ok(cell)
    }

    fn ring(&self, ring: Ring) -> &SlotRing<Packed, K::Room> {
        match ring {
            Ring::Filled => &self.filled,
            Ring::Free => &self.free,
        }
    }

    /// Pops a cell, which the caller then owns. `accept` decides about each cell in front, given its
    /// position and index; another thread may pop it first.
    #[inline(always)]
    fn pop_cell(
        &self,
        seat: &K::Seat<'_>,
        ring: Ring,
        accept: impl Fn(u64, u64) -> Result,
    ) -> Result<u64> {
        let (cell, _) = self.ring(ring).pop_if(|position, cell| {
            accept(position, self.checked(cell)?)?;
            K::announce(seat, cell);
            Ok(())
        })?;
        Ok(cell)
    }

    /// Pushes a cell that the caller owns; returns its position. After a failure the caller still owns
    /// the cell.
    #[inline(always)]
    fn push_cell(&self, seat: &K::Seat<'_>, ring: Ring, cell: u64) -> Result<u64> {
        // SAFETY: the caller owns the cell.
        let mark = unsafe { self.mark_of(cell) };
        K::announce(seat, cell);
        self.ring(ring).push_after(cell, |position| self.ownership.note_push(mark, ring, position))
    }

    /// Pops a free cell. Fails with `Full` if there is none.
    #[inline(always)]
    fn take_free_cell(&self, seat: &K::Seat<'_>) -> Result<u64> {
        match self.pop_cell(seat, Ring::Free, |_, _| Ok(())) {
            Err(Error::Empty) => self.recover_free_cell(seat),
            done => done,
        }
    }

    #[cold]
    fn recover_free_cell(&self, seat: &K::Seat<'_>) -> Result<u64> {
        if !K::IS_SHARED || !K::recover(self, seat) {
            return Err(Error::Full);
        }
        self.pop_cell(seat, Ring::Free, |_, _| Ok(()))
            .map_err(|why| if why == Error::Empty { Error::Full } else { why })
    }

    #[inline(always)]
    fn free_cell(&self, seat: &K::Seat<'_>, cell: u64) {
        let pushed = self.push_cell(seat, Ring::Free, cell);
        debug_assert!(
            K::IS_SHARED || pushed.is_ok(),
            "a ring with a slot for each cell is never full"
        );
    }

    /// Runs `take` on the item of a cell that was popped from `filled`, then frees the cell.
    ///
    /// # Safety
    /// The caller owns the cell; `take` reads or discards the item.
    #[inline(always)]
    unsafe fn take_from(&self, seat: &K::Seat<'_>, cell: u64, take: impl FnOnce(&P, *mut u8)) {
        // SAFETY: the caller owns the cell.
        unsafe { self.cells.own(cell as usize, take) };
        self.free_cell(seat, cell);
    }

    /// Whether a put would not fail with `Full`: there is room and a free cell, or the queue is
    /// closed.
    pub(super) fn has_room(&self) -> bool {
        (self.filled.len() < self.filled.capacity() && self.free.len() > 0)
            || self.filled.is_closed()
    }

    fn discard_to(&self, end: u64, freed: impl Fn(usize)) -> usize {
        let is_before_end =
            |position, _| if is_after(end, position) { Ok(()) } else { Err(Error::Empty) };
        let mut count = 0;
        while count < self.filled.capacity() {
            let seat = &self.ownership.take_seat();
            let Ok(cell) = self.pop_cell(seat, Ring::Filled, is_before_end) else { break };
            // SAFETY: we own the cell that we popped, and its item.
            unsafe { self.discard(seat, cell, &freed) };
            count += 1;
        }
        count
    }

    /// Disposes of the item of a cell that was popped from `filled`. Calls `freed` once when there is
    /// room for an item, and again when there is a free cell for it.
    ///
    /// # Safety
    /// The caller owns the cell.
    unsafe fn discard(&self, seat: &K::Seat<'_>, cell: u64, freed: impl Fn(usize)) {
        freed(1);
        // SAFETY: by contract.
        unsafe { self.take_from(seat, cell, |payload, at| payload.discard(at)) };
        freed(1);
    }
}

// SAFETY: the rings return every index from one pop, and with it the ownership of the cell; their
// SeqCst swaps order put before get.
unsafe impl<P: Payload, K: CellOwnership> Queue for Indirect<P, K> {
    fn end(&self) -> u64 {
        self.filled.tail_position()
    }
    unsafe fn clear_to(&self, end: u64, freed: impl Fn(usize)) -> usize {
        self.discard_to(end, freed)
    }
    fn close(&self) {
        self.filled.close();
    }
    fn is_closed(&self) -> bool {
        self.filled.is_closed()
    }
    fn capacity(&self) -> usize {
        self.filled.capacity()
    }
    fn len(&self) -> usize {
        self.filled.len()
    }
    fn counts(&self) -> Counts {
        self.filled.counts()
    }
    fn take_panic(&self) -> bool {
        self.payload().take_panic()
    }
    fn has_room(&self) -> bool {
        self.has_room()
    }
    #[cfg(queues_shared)]
    fn attachment(&self) -> Option<&crate::shared::Attachment> {
        self.ownership.attachment()
    }
    fn recover(&self) {
        K::recover(self, &self.ownership.take_seat());
    }
}

// SAFETY: as above.
unsafe impl<P: Payload, K: CellOwnership> Put for Indirect<P, K> {
    type Item = P::Item;
    type With = ();

    #[inline(always)]
    unsafe fn try_put(&self, item: &P::Item, (): ()) -> Result {
        self.filled.check_room()?;
        let seat = &self.ownership.take_seat();
        let cell = self.take_free_cell(seat)?;
        // SAFETY: we own the cell: its index is in neither ring.
        unsafe { self.cells.own(cell as usize, |payload, at| payload.write(at, item)) };
        match self.push_cell(seat, Ring::Filled, cell) {
            Ok(position) => {
                self.filled.note_peak(position);
                Ok(())
            }
            Err(refused) => {
                // The item was copied bitwise: the cell forgets the copy, the caller keeps the item.
                self.free_cell(seat, cell);
                Err(refused)
            }
        }
    }
}

// SAFETY: as above.
unsafe impl<P: Payload, K: CellOwnership> Get for Indirect<P, K> {
    type Out = P::Out;
    type With = ();

    #[inline(always)]
    unsafe fn try_get(&self, out: &mut P::Out) -> Result {
        let seat = &self.ownership.take_seat();
        let fits = |_, cell| {
            // SAFETY: a cell of this payload; the result counts only if the cell is still in front.
            unsafe { self.payload().fits(self.item(cell), out) }
                .map_err(|needed| self.payload().too_small(needed, K::IS_SHARED))
        };
        let cell = self.pop_cell(seat, Ring::Filled, fits)?;
        // SAFETY: we own the cell.
        unsafe { self.take_from(seat, cell, |payload, at| payload.read(at, out)) };
        Ok(())
    }
}

// SAFETY: as above.
unsafe impl<P: Plain, K: CellOwnership> PutMany for Indirect<P, K> {}

// SAFETY: as above.
unsafe impl<P: Plain, K: CellOwnership> GetMany for Indirect<P, K> {}

// SAFETY: cells are read atomically, and the copy counts only if the ring confirms it.
unsafe impl<P: Atomic, K: CellOwnership> Peek for Indirect<P, K> {
    unsafe fn peek(&self, out: &mut P::Out) -> Result {
        let payload = self.payload();
        self.filled.peek(|cell| {
            let cell = self.checked(cell)?;
            // SAFETY: a cell of this payload; the copy counts only if the cell stayed in front, and
            // then it is whole.
            unsafe {
                let at = self.item(cell);
                payload
                    .fits(at, out)
                    .map_err(|needed| self.payload().too_small(needed, K::IS_SHARED))?;
                payload.read(at, out);
            }
            Ok(())
        })?
    }
}

impl<P: Payload, K: CellOwnership> Drop for Indirect<P, K> {
    fn drop(&mut self) {
        if K::IS_SHARED {
            return K::leave(self);
        }
        self.discard_leased();
        self.discard_to(self.filled.tail_position(), |_| ());
    }
}

/// Whether [`Pointers`] may be direct.
const HAS_DIRECT: bool = cfg!(all(target_arch = "x86_64", not(queues_portable)));

/// Calls the variant that was chosen at creation.
macro_rules! either {
    ($self:ident, $queue:ident => $call:expr) => {
        match $self {
            #[cfg(all(target_arch = "x86_64", not(queues_portable)))]
            Self::Direct($queue) => $call,
            Self::Indirect($queue) => $call,
        }
    };
}

/// A queue of pointers, in the form that the processor supports.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // a box would cost every call an indirection
pub enum Pointers {
    /// One 16-byte compare-and-swap an operation.
    #[cfg(all(target_arch = "x86_64", not(queues_portable)))]
    Direct(Direct),
    /// 8-byte compare-and-swap only.
    Indirect(Indirect<Pointer>),
}

impl Pointers {
    /// An empty queue.
    pub fn try_new(capacity: usize, payload: Pointer) -> Result<Self> {
        #[cfg(all(target_arch = "x86_64", not(any(queues_portable, loom, miri))))]
        if Direct::is_supported() {
            return Direct::try_new(capacity, payload).map(Self::Direct);
        }
        Indirect::try_new(capacity, payload).map(Self::Indirect)
    }
}

impl Described for Pointers {
    fn describe(&self) -> Description {
        either!(self, queue => queue.describe())
    }
}

// SAFETY: passed on to the chosen variant, with the same contracts.
unsafe impl Queue for Pointers {
    fn end(&self) -> u64 {
        either!(self, queue => queue.end())
    }
    unsafe fn clear_to(&self, end: u64, freed: impl Fn(usize)) -> usize {
        // SAFETY: passed on.
        either!(self, queue => unsafe { queue.clear_to(end, freed) })
    }
    fn close(&self) {
        either!(self, queue => queue.close())
    }
    fn is_closed(&self) -> bool {
        either!(self, queue => queue.is_closed())
    }
    fn capacity(&self) -> usize {
        either!(self, queue => queue.capacity())
    }
    fn len(&self) -> usize {
        either!(self, queue => queue.len())
    }
    fn counts(&self) -> Counts {
        either!(self, queue => queue.counts())
    }
    fn take_panic(&self) -> bool {
        either!(self, queue => queue.take_panic())
    }
    fn has_room(&self) -> bool {
        either!(self, queue => queue.has_room())
    }
}

// SAFETY: passed on.
unsafe impl Put for Pointers {
    type Item = *mut c_void;
    type With = ();
    const HAS_FAST_PUT: bool = HAS_DIRECT;

    #[inline(always)]
    unsafe fn try_put(&self, item: &*mut c_void, (): ()) -> Result {
        // SAFETY: passed on.
        either!(self, queue => unsafe { queue.try_put(item, ()) })
    }
    #[inline(always)]
    unsafe fn put_fast(&self, item: &*mut c_void, (): ()) -> Fast {
        // SAFETY: passed on.
        either!(self, queue => unsafe { queue.put_fast(item, ()) })
    }
}

// SAFETY: passed on.
unsafe impl Get for Pointers {
    type Out = *mut c_void;
    type With = ();
    const HAS_FAST_GET: bool = HAS_DIRECT;

    #[inline(always)]
    unsafe fn try_get(&self, out: &mut *mut c_void) -> Result {
        // SAFETY: passed on.
        either!(self, queue => unsafe { queue.try_get(out) })
    }
    #[inline(always)]
    unsafe fn get_fast(&self, out: &mut *mut c_void) -> Option<()> {
        // SAFETY: passed on.
        either!(self, queue => unsafe { queue.get_fast(out) })
    }
}

// SAFETY: passed on.
unsafe impl PutMany for Pointers {}

// SAFETY: passed on.
unsafe impl GetMany for Pointers {}

// SAFETY: passed on.
unsafe impl Peek for Pointers {
    unsafe fn peek(&self, out: &mut *mut c_void) -> Result {
        // SAFETY: passed on.
        either!(self, queue => unsafe { queue.peek(out) })
    }
}
