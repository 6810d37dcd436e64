//! Bounded priority queue for any number of threads: the lowest priority first, and first in, first
//! out among equal ones.
//!
//! # Idea
//! A heap with four children per node (d-ary heap: Johnson 1975) behind a short lock: with up to eight
//! threads no lock-free queue with a strict order is faster (`docs/decisions/005-priority-behind-a-lock.md`).
//! The size of an entry decides the speed, so an entry is one 128-bit integer,
//!
//! ```text
//! | key of the priority: 64 | ticket: 64 - b | cell: b |      b bits for the index of a cell
//! ```
//!
//! whose order is the order of the queue: first the key, then the ticket, which the put draws under
//! the lock. The root lies at index 3, so that four siblings share a cache line. A get moves the
//! hole down to a leaf and then the last entry up from there (bottom-up: Wegener 1993): the last
//! entry comes from the bottom and hardly ever rises.
//!
//! # Invariants
//! - The index of a cell is in the heap, in the list of free cells, or held by the one call that owns
//!   the cell.
//! - Tickets of equal keys are in the order of their puts. When the tickets run out, all are
//!   renumbered in the order of the heap.
//!
//! # Linearization
//! Each call has one critical section that decides its result; it takes effect there.
//!
//! # Progress
//! Not lock-free: a thread that is suspended while it holds the lock delays all others. The lock is
//! held for O(log n) steps (clear, and one put in at least 2^32: O(n log n)). It is never held during
//! a callback or a wake, nor, except in [`Priority::peek_locked`], during the copy of an item whose
//! cell is larger than 72 bytes (`SMALL`). Such items are copied into and out of cells that the call
//! owns, of which there are [`SPARE`] more than the capacity.
//!
//! # Memory
//! (capacity + 64) times (20 bytes and a cell), taken at creation.

use super::{Counts, Get, Peek, Put, Queue};
use crate::error::{Error, Result};
use crate::memory::Array;
use crate::payload::{Atomic, Cells, Payload};
use crate::plan::{Described, Description, Plan, described};
use crate::sync::Mutex;
use core::fmt;
use core::mem::offset_of;
use crossbeam_utils::CachePadded;

pub use super::mpmc::SPARE;

/// Bytes. Cells up to this size are copied under the lock, which costs less than a second lock.
const SMALL: usize = 72;
/// The index of the root in the array of the heap.
const ROOT: usize = 3;
/// The end of the list of free cells.
const NONE: u32 = u32::MAX;

/// Maps a priority to an integer so that integers compare as the priorities do; `None` for NaN.
fn key(priority: f64) -> Option<u64> {
    // -0.0 equals 0.0.
    let bits = (priority + 0.0).to_bits();
    let order = if bits >> 63 == 0 { bits | 1 << 63 } else { !bits };
    (!priority.is_nan()).then_some(order)
}

/// The inverse of [`key`].
fn priority(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

/// What the lock guards.
struct State {
    heap: Array<u128>,
    len: usize,
    /// Items that `clear` removed and whose callbacks have not returned. Their places are not free.
    leaving: usize,
    /// For each free cell, the next free one.
    next: Array<u32>,
    /// The first free cell.
    free: u32,
    cell_bits: u32,
    ticket: u64,
    /// How often tickets were renumbered.
    era: u64,
    closed: bool,
    counts: Counts,
}

impl State {
    fn entries(&mut self) -> &mut [u128] {
        &mut self.heap.slice_mut()[ROOT..]
    }

    fn cell_of(&self, entry: u128) -> usize {
        (entry as u64 & ((1 << self.cell_bits) - 1)) as usize
    }

    fn ticket_of(&self, entry: u128) -> u64 {
        entry as u64 >> self.cell_bits
    }

    fn top(&mut self) -> Result<u128> {
        match self.len {
            0 if self.closed => Err(Error::Closed),
            0 => Err(Error::Empty),
            _ => Ok(self.entries()[0]),
        }
    }

    /// The number of places that are not free.
    fn size(&self) -> usize {
        self.len + self.leaving
    }

    fn check_room(&self, capacity: usize) -> Result {
        match () {
            () if self.closed => Err(Error::Closed),
            () if self.size() == capacity => Err(Error::Full),
            () => Ok(()),
        }
    }

    /// Removes a cell from the free list, for the caller to own. [`Error::Full`] if calls in flight
    /// hold all spare cells.
    fn take_cell(&mut self) -> Result<usize> {
        let cell = self.free;
        if cell == NONE {
            return Err(Error::Full);
        }
        self.free = self.next.slice_mut()[cell as usize];
        Ok(cell as usize)
    }

    fn free_cell(&mut self, cell: usize) {
        self.next.slice_mut()[cell] = self.free;
        self.free = cell as u32;
    }

    fn insert(&mut self, key: u64, cell: usize) {
        if self.ticket > u64::MAX >> self.cell_bits {
            self.renumber();
        }
        let entry = u128::from(key) << 64 | u128::from(self.ticket << self.cell_bits | cell as u64);
        self.ticket += 1;
        self.len += 1;
        self.rise(self.len - 1, entry);
        self.counts.enqueued += 1;
        self.counts.peak = self.counts.peak.max(self.size() as u64);
    }

    /// Moves the hole at `i` toward the root until `entry` fits, and writes it there.
    fn rise(&mut self, mut i: usize, entry: u128) {
        let entries = self.entries();
        while i > 0 {
            let parent = (i - 1) / 4;
            if entries[parent] < entry {
                break;
            }
            entries[i] = entries[parent];
            i = parent;
        }
        entries[i] = entry;
    }

    /// Removes the top entry; the heap is not empty.
    fn remove(&mut self) {
        self.len -= 1;
        self.counts.dequeued += 1;
        let len = self.len;
        let entries = self.entries();
        let last = entries[len];
        let mut hole = 0;
        loop {
            let first = 4 * hole + 1;
            let least = match len.saturating_sub(first) {
                0 => break,
                // In pairs: the first two comparisons do not depend on each other.
                4.. => {
                    let children = &entries[first..first + 4];
                    let left = usize::from(children[1] < children[0]);
                    let right = 2 + usize::from(children[3] < children[2]);
                    first + if children[right] < children[left] { right } else { left }
                }
                count => (first..first + count).min_by_key(|&i| entries[i]).unwrap_or(first),
            };
            entries[hole] = entries[least];
            hole = least;
        }
        if len > 0 {
            self.rise(hole, last);
        }
    }

    /// Renumbers the tickets from 0. A sorted array is a heap.
    #[cold]
    fn renumber(&mut self) {
        let (len, cell_bits) = (self.len, self.cell_bits);
        let cell = (1 << cell_bits) - 1;
        let entries = &mut self.entries()[..len];
        entries.sort_unstable();
        for (ticket, entry) in entries.iter_mut().enumerate() {
            *entry = (*entry >> 64 << 64) | (ticket as u128) << cell_bits | (*entry & cell);
        }
        self.ticket = len as u64;
        self.era += 1;
    }

    /// Removes the entries with tickets below `end`; returns the list of their cells in the order of the
    /// queue, and their number. The rest is sorted, and so a heap.
    fn remove_below(&mut self, end: u64) -> (u32, usize) {
        let len = self.len;
        self.entries()[..len].sort_unstable();
        let (mut list, mut last, mut kept) = (NONE, NONE, 0);
        for i in 0..len {
            let entry = self.entries()[i];
            if self.ticket_of(entry) >= end {
                self.entries()[kept] = entry;
                kept += 1;
                continue;
            }
            let cell = self.cell_of(entry) as u32;
            self.next.slice_mut()[cell as usize] = NONE;
            match last {
                NONE => list = cell,
                _ => self.next.slice_mut()[last as usize] = cell,
            }
            last = cell;
        }
        self.len = kept;
        self.leaving += len - kept;
        (list, len - kept)
    }
}

/// See the module.
pub struct Priority<P: Payload> {
    state: CachePadded<Mutex<State>>,
    cells: Cells<(), P>,
    capacity: usize,
}

impl<P: Payload> fmt::Debug for Priority<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Priority").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

impl<P: Payload> Described for Priority<P> {
    fn describe(&self) -> Description {
        const STATE: Plan = Plan::EMPTY
            .with("heap", offset_of!(State, heap) + Array::<u128>::START)
            .with("len", offset_of!(State, len))
            .with("leaving", offset_of!(State, leaving))
            .with("cell_bits", offset_of!(State, cell_bits))
            .with("closed", offset_of!(State, closed));
        let plan = const {
            &Plan::EMPTY
                .within(offset_of!(Self, state) + Mutex::<State>::VALUE, STATE)
                .with("lock", offset_of!(Self, state) + Mutex::<State>::WORD)
                .within(offset_of!(Self, cells), Cells::<(), P>::PLAN)
                .with("capacity", offset_of!(Self, capacity))
                .with("root", ROOT * size_of::<u128>())
        };
        described(self, plan)
    }
}

impl<P: Payload> Priority<P> {
    /// An empty queue.
    pub fn try_new(capacity: usize, payload: P) -> Result<Self> {
        Self::with_tickets(capacity, payload, u64::MAX)
    }

    /// [`Priority::try_new`] with `tickets` tickets left before they are renumbered, for tests.
    #[doc(hidden)]
    pub fn with_tickets(capacity: usize, payload: P, tickets: u64) -> Result<Self> {
        if capacity == 0 {
            return Err(Error::Invalid);
        }
        let spare = if cfg!(loom) { 2 } else { SPARE };
        let count = capacity.checked_add(spare).ok_or(Error::Invalid)?;
        // First, because only here a size can overflow.
        let cells = Cells::try_new(payload, count, |_| ())?;
        if count >= NONE as usize {
            return Err(Error::Invalid);
        }
        let cell_bits = usize::BITS - (count - 1).leading_zeros();
        let state = State {
            heap: Array::try_new(ROOT + capacity, |_| 0)?,
            len: 0,
            leaving: 0,
            next: Array::try_new(count, |i| if i + 1 == count { NONE } else { i as u32 + 1 })?,
            free: 0,
            cell_bits,
            ticket: (u64::MAX >> cell_bits).saturating_sub(tickets),
            era: 0,
            closed: false,
            counts: Counts { enqueued: 0, dequeued: 0, peak: 0 },
        };
        Ok(Self { state: CachePadded::new(Mutex::new(state)), cells, capacity })
    }

    pub(crate) fn payload(&self) -> &P {
        self.cells.payload()
    }

    #[inline(always)]
    fn is_small(&self) -> bool {
        self.cells.payload().cell().size() <= SMALL
    }

    /// Whether the item of a cell fits `out`. The caller holds the lock, and the cell is in the heap.
    #[inline(always)]
    fn check_fits(&self, cell: usize, out: &P::Out) -> Result {
        // SAFETY: no thread takes the cell while we hold the lock.
        let fits = unsafe { self.cells.own(cell, |payload, at| payload.fits(at, out)) };
        fits.map_err(|needed| Error::TooSmall { needed })
    }

    /// Returns the priority of the front item. Fails with [`Error::Empty`] or [`Error::Closed`] (and
    /// drained).
    pub fn front_priority(&self) -> Result<f64> {
        Ok(priority((self.state.lock().top()? >> 64) as u64))
    }

    /// [`Peek::peek`] for any payload: copies items of every size under the lock.
    ///
    /// # Safety
    /// As for `peek`.
    pub unsafe fn peek_locked(&self, out: &mut P::Out) -> Result<f64> {
        let mut state = self.state.lock();
        let top = state.top()?;
        let cell = state.cell_of(top);
        self.check_fits(cell, out)?;
        // SAFETY: no thread takes or changes the cell while we hold the lock.
        unsafe { self.cells.own(cell, |payload, at| payload.read(at, out)) };
        Ok(priority((top >> 64) as u64))
    }
}

// SAFETY: under the lock the index of a cell goes to one call, and with it the cell.
unsafe impl<P: Payload> Queue for Priority<P> {
    fn end(&self) -> u64 {
        self.state.lock().ticket
    }
    unsafe fn clear_to(&self, end: u64, freed: impl Fn(usize)) -> usize {
        let (mut cell, count) = self.state.lock().remove_below(end);
        while cell != NONE {
            // SAFETY: we own the cells of the list and their items.
            unsafe { self.cells.own(cell as usize, |payload, at| payload.discard(at)) };
            let mut state = self.state.lock();
            let next = state.next.slice_mut()[cell as usize];
            state.free_cell(cell as usize);
            state.leaving -= 1;
            state.counts.dequeued += 1;
            drop(state);
            freed(1);
            cell = next;
        }
        count
    }
    fn close(&self) {
        self.state.lock().closed = true;
    }
    fn is_closed(&self) -> bool {
        self.state.lock().closed
    }
    fn capacity(&self) -> usize {
        self.capacity
    }
    fn len(&self) -> usize {
        self.state.lock().size()
    }
    fn is_empty(&self) -> bool {
        self.state.lock().len == 0
    }
    fn counts(&self) -> Counts {
        self.state.lock().counts
    }
    fn has_room(&self) -> bool {
        let state = self.state.lock();
        state.closed || (state.size() < self.capacity && state.free != NONE)
    }
    fn take_panic(&self) -> bool {
        self.cells.payload().take_panic()
    }
}

// SAFETY: as above.
unsafe impl<P: Payload> Put for Priority<P> {
    type Item = P::Item;
    /// The priority: lower ones are got first. NaN is [`Error::Invalid`].
    type With = f64;

    #[inline(always)]
    unsafe fn try_put(&self, item: &P::Item, priority: f64) -> Result {
        let key = key(priority).ok_or(Error::Invalid)?;
        let mut state = self.state.lock();
        state.check_room(self.capacity)?;
        let cell = state.take_cell()?;
        // SAFETY: we own the cell; the item keeps the payload's rule by contract.
        let write = || unsafe { self.cells.own(cell, |payload, at| payload.write(at, item)) };
        if self.is_small() {
            write();
        } else {
            drop(state);
            write();
            state = self.state.lock();
            if let Err(refused) = state.check_room(self.capacity) {
                // The item was copied bitwise: the cell forgets the copy, the caller keeps the item.
                state.free_cell(cell);
                return Err(refused);
            }
        }
        state.insert(key, cell);
        Ok(())
    }
}

// SAFETY: as above.
unsafe impl<P: Payload> Get for Priority<P> {
    type Out = P::Out;
    /// The priority with which the item was put.
    type With = f64;

    #[inline(always)]
    unsafe fn try_get(&self, out: &mut P::Out) -> Result<f64> {
        let mut state = self.state.lock();
        let top = state.top()?;
        let cell = state.cell_of(top);
        self.check_fits(cell, out)?;
        state.remove();
        // SAFETY: we own the cell: its index is nowhere else.
        let mut read = || unsafe { self.cells.own(cell, |payload, at| payload.read(at, out)) };
        if self.is_small() {
            read();
        } else {
            drop(state);
            read();
            state = self.state.lock();
        }
        state.free_cell(cell);
        Ok(priority((top >> 64) as u64))
    }
}

// SAFETY: a copy counts only if its entry stayed in front.
unsafe impl<P: Atomic> Peek for Priority<P> {
    unsafe fn peek(&self, out: &mut P::Out) -> Result<f64> {
        loop {
            let mut state = self.state.lock();
            let (top, era) = (state.top()?, state.era);
            let cell = state.cell_of(top);
            self.check_fits(cell, out)?;
            let payload = self.cells.payload();
            if self.is_small() {
                // SAFETY: no thread takes the cell while we hold the lock.
                unsafe { payload.read(self.cells.cell(cell), out) };
                return Ok(priority((top >> 64) as u64));
            }
            drop(state);
            // SAFETY: other threads may take the cell meanwhile. Its words are atomic, and the copy
            // counts only if the entry stayed in front: then the thread that takes the cell later locks
            // after us.
            unsafe { payload.read(self.cells.cell(cell), out) };
            let mut state = self.state.lock();
            if state.top() == Ok(top) && state.era == era {
                return Ok(priority((top >> 64) as u64));
            }
        }
    }
}

impl<P: Payload> Drop for Priority<P> {
    fn drop(&mut self) {
        // SAFETY: no other thread has the queue.
        unsafe { self.clear_to(u64::MAX, |_| ()) };
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::payload::{Disposer, Pointer, Typed};
    use core::mem::MaybeUninit;

    fn queue(capacity: usize, tickets: u64) -> Priority<Typed<Box<u64>>> {
        Priority::with_tickets(capacity, Typed::new(), tickets).unwrap()
    }

    fn put(queue: &Priority<Typed<Box<u64>>>, item: u64, priority: f64) -> Result {
        let item = core::mem::ManuallyDrop::new(Box::new(item));
        // SAFETY: forgotten if it was put.
        let done = unsafe { queue.try_put(&item, priority) };
        if done.is_err() {
            drop(core::mem::ManuallyDrop::into_inner(item));
        }
        done
    }

    fn get(queue: &Priority<Typed<Box<u64>>>) -> Result<(u64, f64)> {
        let mut out = MaybeUninit::uninit();
        // SAFETY: filled if Ok.
        unsafe {
            let priority = queue.try_get(&mut out)?;
            Ok((*out.assume_init(), priority))
        }
    }

    #[test]
    fn keys_are_in_the_order_of_the_numbers() {
        let numbers = [
            f64::NEG_INFINITY,
            f64::MIN,
            -1.0,
            -f64::MIN_POSITIVE,
            -5e-324,
            0.0,
            5e-324,
            f64::MIN_POSITIVE,
            1.0,
            f64::MAX,
            f64::INFINITY,
        ];
        for pair in numbers.windows(2) {
            assert!(key(pair[0]) < key(pair[1]), "{pair:?}");
        }
        for number in numbers {
            assert_eq!(priority(key(number).unwrap()).to_bits(), number.to_bits());
        }
        assert_eq!(key(-0.0), key(0.0));
        assert_eq!((key(f64::NAN), key(-f64::NAN)), (None, None));
    }

    /// A sorted list of (priority, ticket, item) is the model.
    #[test]
    fn is_a_sorted_list_whatever_its_size_and_when_tickets_run_out() {
        for capacity in [1, 2, 3, 4, 5, 6, 20, 21, 22, 85, 86, 300] {
            for tickets in [0, 1, 7, u64::MAX] {
                let queue = queue(capacity, tickets);
                let mut model: Vec<(i64, u64)> = Vec::new();
                let mut seed = capacity as u64 + 1;
                for step in 0..2000 {
                    seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    let random = seed >> 33;
                    // Phases of growth and of decline.
                    if random % 5 < 2 + 2 * (step / 400 % 2) {
                        let priority = (random / 5 % 7) as i64 - 3;
                        let done = put(&queue, step, priority as f64);
                        if model.len() == capacity {
                            assert_eq!(done, Err(Error::Full));
                        } else {
                            assert_eq!(done, Ok(()));
                            let at = model.partition_point(|&(other, _)| other <= priority);
                            model.insert(at, (priority, step));
                        }
                    } else if model.is_empty() {
                        assert_eq!(get(&queue), Err(Error::Empty));
                    } else {
                        let (priority, item) = model.remove(0);
                        assert_eq!(get(&queue), Ok((item, priority as f64)));
                    }
                    assert_eq!(queue.len(), model.len());
                }
            }
        }
    }

    #[test]
    fn clear_takes_what_was_there() {
        let queue = queue(200, u64::MAX);
        for i in 0..100 {
            put(&queue, i, (i % 10) as f64).unwrap();
        }
        let end = queue.end();
        for i in 100..200 {
            put(&queue, i, (i % 7) as f64).unwrap();
        }
        // SAFETY: any thread may.
        assert_eq!(unsafe { queue.clear_to(end, |_| ()) }, 100);
        let mut last = (0.0, 0);
        for _ in 0..100 {
            let (item, priority) = get(&queue).unwrap();
            assert!(item >= 100 && last < (priority, item));
            last = (priority, item);
        }
        assert_eq!(get(&queue), Err(Error::Empty));
        assert_eq!(queue.counts(), Counts { enqueued: 200, dequeued: 200, peak: 200 });
    }

    /// Between being taken by `clear` and the end of its callback.
    #[test]
    fn an_item_that_leaves_keeps_its_place_and_cannot_be_got() {
        let queue = Priority::try_new(2, Pointer::new(Disposer::default())).unwrap();
        let mut out = core::ptr::null_mut();
        // SAFETY: plain numbers.
        unsafe {
            (0..2).for_each(|_| queue.try_put(&out, 1.0).unwrap());
            let end = queue.end();
            assert_eq!(queue.state.lock().remove_below(end).1, 2);
            assert_eq!((queue.len(), queue.is_empty()), (2, true));
            assert_eq!(queue.counts(), Counts { enqueued: 2, dequeued: 0, peak: 2 });
            assert_eq!(queue.try_put(&out, 0.0), Err(Error::Full));
            assert_eq!(queue.try_get(&mut out), Err(Error::Empty));
        }
    }

    #[test]
    fn close_drains() {
        let queue = queue(2, u64::MAX);
        put(&queue, 1, 2.0).unwrap();
        put(&queue, 2, 1.0).unwrap();
        queue.close();
        assert_eq!(put(&queue, 3, 0.0), Err(Error::Closed));
        assert_eq!(put(&queue, 3, f64::NAN), Err(Error::Invalid));
        assert_eq!((get(&queue), get(&queue)), (Ok((2, 1.0)), Ok((1, 2.0))));
        assert_eq!(get(&queue), Err(Error::Closed));
    }

    #[test]
    fn peek_leaves_the_item() {
        let queue = Priority::try_new(3, Pointer::new(Disposer::default())).unwrap();
        let (one, two) = (core::ptr::without_provenance_mut(1), core::ptr::null_mut());
        let mut out = core::ptr::null_mut();
        // SAFETY: plain numbers.
        unsafe {
            assert_eq!(queue.peek(&mut out), Err(Error::Empty));
            queue.try_put(&two, f64::INFINITY).unwrap();
            queue.try_put(&one, -0.0).unwrap();
            assert_eq!((queue.peek(&mut out), out), (Ok(0.0), one));
            assert_eq!((queue.try_get(&mut out), out), (Ok(0.0), one));
            assert_eq!((queue.peek(&mut out), out), (Ok(f64::INFINITY), two));
        }
    }
}
