//! Bounded queue from one producer thread to one consumer thread: FIFO, linearizable, wait-free.
//!
//! # Idea
//! A ring with a head and a tail (Lamport 1983). Each side caches how far it may advance, and
//! rereads the other side's index only when it gets there (as in MCRingBuffer: Lee, Bu and
//! Chandranmenon 2010). So the cache line of an index moves to the other side once for many items.
//!
//! In files of their own: `slots` (the memory), `lengths` (of blobs), `cursor` (what each side
//! caches), `closing`, `clear` (slots become free after drop callbacks) and `in_place` (blobs that
//! are not copied).
//!
//! # Invariants
//! - Head and tail are positions: they count up and wrap at 2^64, and
//!   `head <= tail <= head + capacity`. No slot is wasted.
//! - The consumer owns the slots from head to tail, the producer all others.
//!
//! # Linearization
//! Put at the store of the tail, get at the store of the head. A side executes a full fence before it
//! loads the other side's index. Otherwise the last stores of both sides could still be in their
//! store buffers, and *full* and *empty* both be wrong.
//!
//! # Progress
//! Every call is wait-free. Two of them take time on purpose: a refresh that finds few slots may
//! pause for 0.2 to 1.6 µs (`cursor`), and a get whose membarrier is refused waits for a millisecond
//! before it reports *closed* (`closing`).
//!
//! # Memory
//! capacity cells (8 bytes for a pointer, the blob for bytes), and 768 bytes around them. Blobs that
//! are shorter than the item size take 8 bytes each besides (`lengths`).

#![allow(private_bounds)] // nobody else implements `RoleOwnership`

mod clear;
mod closing;
mod cursor;
mod in_place;
mod lengths;
mod ownership;
mod slots;
#[cfg(queues_shared)]
mod takeover;

use self::closing::{CLOSED, DRAINED};
use self::cursor::{Cursor, later};
pub(crate) use self::ownership::RoleOwnership;
use self::ownership::{Alone, GetEnd, Inline, PutEnd, Side, State};
use self::slots::Slots;
#[cfg(queues_shared)]
pub use self::takeover::Shared;
#[cfg(queues_shared)]
pub(crate) use self::takeover::inspect;
#[cfg(not(queues_shared))]
use super::SharedOptions;
use super::{Counts, Fast, Get, GetMany, Peek, Progress, Put, PutMany, Queue, ahead};
use crate::error::{Error, Result};
#[cfg(not(queues_shared))]
use crate::payload::Dense;
use crate::payload::{Exclusive, Plain};
use crate::plan::{Described, Description, Plan, described};
use crate::sync::{
    Acquire, AtomicU64, Fences, Relaxed, Release, fence, prefetch_for_read, prefetch_for_write,
    site,
};
use core::fmt;
use core::mem::offset_of;
use crossbeam_utils::CachePadded;

/// See the module. `K` states whether only this process uses the memory ([`Alone`]).
#[repr(C)] // part of the layout of inlined calls
pub struct Spsc<P: Exclusive, K: RoleOwnership = Alone> {
    slots: Slots<P>,
    /// The first position.
    origin: u64,
    fences: Fences,
    state: K::Room,
    producer: CachePadded<Producer<K::Role>>,
    consumer: CachePadded<Consumer<K::Role>>,
    ownership: K,
}

#[cfg(all(target_arch = "x86_64", not(loom)))]
const _: () = assert!(size_of::<Spsc<crate::payload::Pointer>>() == 768);

/// What the producer keeps to itself.
#[repr(C)] // part of the layout of inlined calls
struct Producer<R> {
    cursor: Cursor,
    /// The position that was reserved; before the tail if there is no reservation.
    reserved: AtomicU64,
    role: R,
}

/// What the consumer keeps to itself.
#[repr(C)] // part of the layout of inlined calls
struct Consumer<R> {
    cursor: Cursor,
    /// Where the held slots end (`clear`); at the head or before it if there are none.
    held_to: AtomicU64,
    role: R,
}

impl<P: Exclusive> Spsc<P> {
    /// An empty queue.
    pub fn try_new(capacity: usize, payload: P) -> Result<Self> {
        Self::try_new_at(capacity, payload, 0)
    }

    /// [`Spsc::try_new`] with another first position, for tests.
    #[doc(hidden)]
    pub fn try_new_at(capacity: usize, payload: P, origin: u64) -> Result<Self> {
        let fences = Fences::prepare();
        let state = Inline(State::new(origin, closing::open(fences)));
        Ok(Self::of(Slots::try_new(capacity, payload)?, origin, fences, state, Alone))
    }
}

impl<P: Exclusive, K: RoleOwnership> Spsc<P, K> {
    /// A queue whose state lies there already.
    fn of(slots: Slots<P>, origin: u64, fences: Fences, state: K::Room, ownership: K) -> Self {
        Self {
            slots,
            origin,
            fences,
            state,
            producer: CachePadded::new(Producer {
                cursor: Cursor::new(origin),
                reserved: AtomicU64::new(origin.wrapping_sub(1)),
                role: K::Role::default(),
            }),
            consumer: CachePadded::new(Consumer {
                cursor: Cursor::new(origin),
                held_to: AtomicU64::new(origin),
                role: K::Role::default(),
            }),
            ownership,
        }
    }

    /// A count of slots, computed from positions. Fails with `Corrupt` if there are not so many: only
    /// another process can have written such a position.
    #[inline(always)]
    fn checked(&self, count: u64) -> Result<u64> {
        if K::IS_SHARED && count > self.slots.capacity {
            return Err(Error::Corrupt);
        }
        Ok(count)
    }

    pub(crate) fn payload(&self) -> &P {
        self.slots.cells.payload()
    }
}

/// The producer's side.
impl<P: Exclusive, K: RoleOwnership> Spsc<P, K> {
    /// Makes sure that this handle is the producer's.
    #[inline(always)]
    fn check_producer(&self) -> Result {
        if K::has(&self.producer.role) { Ok(()) } else { self.become_producer() }
    }

    /// Goes on where an earlier producer stopped: what it published is there, and nothing else.
    #[cold]
    fn become_producer(&self) -> Result {
        self.ownership.take(Side::Producer)?;
        let tail = self.state.put.tail.load(site("spsc.takeover.tail", Acquire));
        self.producer.cursor.end_limit(tail);
        self.producer.reserved.store(tail.wrapping_sub(1), site("spsc.takeover.reserved", Relaxed));
        K::note(&self.producer.role);
        Ok(())
    }

    /// Returns the tail, and how many of the `wanted` slots are free from there on: at least 1. The
    /// caller fills them.
    #[inline(always)]
    fn room(&self, wanted: u64) -> Result<(u64, u64)> {
        self.check_producer()?;
        self.check_open()?;
        let tail = self.state.put.tail.load(site("spsc.put.tail", Relaxed));
        let cached = self.producer.cursor.limit().wrapping_sub(tail);
        let room = if cached >= wanted { wanted } else { self.refresh_room(tail, wanted, wanted)? };
        Ok((tail, room))
    }

    /// Rereads the head, and returns how many of the `wanted` slots are free: at least 1. The caller
    /// fills up to `putting` of them.
    #[cold]
    fn refresh_room(&self, tail: u64, wanted: u64, putting: u64) -> Result<u64> {
        let (cursor, capacity) = (&self.producer.cursor, self.slots.capacity);
        // Pairs with the one in `refresh_items`.
        fence("spsc.full.fence");
        let free = cursor.refresh(&self.slots, tail, || {
            // Ordering: Acquire, pairs with the Releases in `release` and `release_held`: the
            // consumer is done with the slots.
            let head = self.state.get.head.load(site("spsc.full.head", Acquire));
            head.wrapping_add(capacity).wrapping_sub(tail)
        });
        let free = self.checked(free)?;
        // Again, because the room may have been made after the close.
        self.check_open()?;
        if free == 0 {
            return Err(Error::Full);
        }
        let (len, putting) = (capacity - free, free.min(putting));
        // The limit ends at the peak, too, so that only a refresh can raise the peak.
        let peak = self.raise_peak(len + putting);
        let at = |count: u64| tail.wrapping_add(count);
        cursor.set_limit(&self.slots, at(putting), at(peak - len), at(free));
        Ok(free.min(wanted))
    }

    /// Returns the largest length so far, this one included.
    fn raise_peak(&self, len: u64) -> u64 {
        let peak = &self.state.put.peak;
        let before = peak.load(site("spsc.peak.load", Relaxed));
        // A peer wrote a higher one.
        let before = if K::IS_SHARED { before.min(self.slots.capacity) } else { before };
        peak.store(before.max(len), site("spsc.peak.store", Relaxed));
        before.max(len)
    }

    /// Publishes the items before `end`. False if the queue was closed meanwhile: then
    /// [`Spsc::finish_puts`] must decide.
    #[inline(always)]
    fn publish(&self, end: u64) -> bool {
        // Ordering: Release, pairs with the Acquire in `count_items`: the items are complete.
        self.state.put.tail.store(end, site("spsc.put.publish", Release));
        self.is_still_open()
    }

    /// Writes an item.
    ///
    /// # Safety
    /// As for `try_put`, and the producer owns the slot.
    #[inline(always)]
    unsafe fn write(&self, (tail, slot): (u64, u64), item: &P::Item) {
        // The length first: the copy may be a call, across which fewer registers are in use then.
        self.set_len((tail, slot), P::len_of(item));
        // SAFETY: by contract.
        self.slots.own(slot, |payload, cell| unsafe { payload.write_exclusive(cell, item) });
    }
}

// SAFETY: there is one producer and one consumer by contract; head and tail hand over every slot
// with Release and Acquire.
unsafe impl<P: Exclusive, K: RoleOwnership> Put for Spsc<P, K> {
    type Item = P::Item;
    type With = ();
    const HAS_FAST_PUT: bool = true;

    #[inline(always)]
    unsafe fn try_put(&self, item: &P::Item, (): ()) -> Result {
        let (tail, _) = self.room(1)?;
        let slot = self.producer.cursor.slot(&self.slots, tail);
        // SAFETY: the same contract; the slot is free.
        unsafe { self.write((tail, slot), item) };
        if self.publish(tail.wrapping_add(1)) { Ok(()) } else { self.finish_put() }
    }

    #[inline(always)]
    unsafe fn put_fast(&self, item: &P::Item, (): ()) -> Fast {
        let cursor = &self.producer.cursor;
        let tail = self.state.put.tail.load(site("spsc.put.tail", Relaxed));
        if tail == cursor.limit() || !self.is_open_fast() || !K::has(&self.producer.role) {
            return Fast::Slow;
        }
        let slot = cursor.slot_before_limit(tail);
        // A peer wrote such a tail.
        if K::IS_SHARED && slot >= self.slots.capacity {
            return Fast::Slow;
        }
        // SAFETY: before the limit, and below the capacity.
        unsafe { cursor.prefetch(&self.slots, (tail, slot), prefetch_for_write) };
        // SAFETY: the same contract; the slot is free.
        unsafe { self.write((tail, slot), item) };
        // Ordering: Release, as in `publish`.
        self.state.put.tail.store(tail.wrapping_add(1), site("spsc.put.publish.fast", Release));
        if self.is_still_open_fast() { Fast::Done } else { Fast::Published }
    }

    fn finish_put(&self) -> Result {
        let end = self.state.put.tail.load(site("spsc.finish.tail", Relaxed));
        match self.finish_puts(end.wrapping_sub(1), end) {
            1 => Ok(()),
            _ => Err(Error::Closed),
        }
    }
}

// SAFETY: as for `Put`.
unsafe impl<P: Plain> PutMany for Spsc<P> {
    #[inline(always)]
    unsafe fn try_put_many(&self, items: *const P::Item, count: usize) -> Progress {
        let mut done = 0;
        // It fails only if a refresh finds no room: less room than wanted does not show that the
        // queue was full.
        while done < count {
            let (tail, room) = match self.room((count - done) as u64) {
                Ok(found) => found,
                Err(error) => return (done, Err(error)),
            };
            // SAFETY: the same contract; the slots are free.
            let end = unsafe { self.write_run(tail, room, items.add(done)) };
            if !self.publish(end) {
                done += self.finish_puts(tail, end) as usize;
                return (done, if done == count { Ok(()) } else { Err(Error::Closed) });
            }
            done += end.wrapping_sub(tail) as usize;
        }
        (count, Ok(()))
    }
}

impl<P: Plain> Spsc<P> {
    /// Writes `room` items, or those that fit in this lap; returns where they end.
    ///
    /// # Safety
    /// As for `try_put_many`, and the producer owns `room` slots from `tail` on.
    #[inline(always)]
    unsafe fn write_run(&self, tail: u64, room: u64, items: *const P::Item) -> u64 {
        let (cursor, slots) = (&self.producer.cursor, &self.slots);
        let slot = cursor.slot(slots, tail);
        let run = room.min(slots.capacity - slot);
        // Longer runs are faster without (decision 007).
        if run <= slots.prefetch_distance() {
            let mut i = 0;
            while i < run {
                let at = (tail.wrapping_add(i), slot + i);
                // SAFETY: the run is in the ring.
                unsafe { cursor.prefetch(slots, at, prefetch_for_write) };
                i += slots.per_line;
            }
        }
        // SAFETY: by contract.
        unsafe { slots.cells.write_run(slot as usize, items, run as usize) };
        tail.wrapping_add(run)
    }
}

/// The consumer's side.
impl<P: Exclusive, K: RoleOwnership> Spsc<P, K> {
    /// Makes sure that this handle is the consumer's.
    #[inline(always)]
    fn check_consumer(&self) -> Result {
        if K::has(&self.consumer.role) { Ok(()) } else { self.become_consumer() }
    }

    /// Goes on where an earlier consumer stopped: what that one had not removed is still in front.
    #[cold]
    fn become_consumer(&self) -> Result {
        self.ownership.take(Side::Consumer)?;
        let head = self.state.get.head.load(site("spsc.takeover.head", Acquire));
        self.consumer.cursor.end_limit(head);
        K::note(&self.consumer.role);
        Ok(())
    }

    /// Returns the position of the next item, and how many of the `wanted` items are there: at least
    /// 1.
    #[inline(always)]
    fn items(&self, wanted: u64) -> Result<(u64, u64)> {
        self.check_consumer()?;
        let front = self.front_position();
        // While slots are held, the limit is behind the front.
        let cached = ahead(self.consumer.cursor.limit(), front).max(0) as u64;
        let items = if cached >= wanted { wanted } else { self.refresh_items(front, wanted)? };
        Ok((front, items))
    }

    /// The slow path of `items`: there are some, or the queue is empty or closed.
    #[cold]
    fn refresh_items(&self, front: u64, wanted: u64) -> Result<u64> {
        let mut attempts = 0;
        while Self::may_try(&mut attempts) {
            // Pairs with the one in `refresh_room`.
            fence("spsc.empty.fence");
            // The stage first: once it is `DRAINED`, the tail may include items that a put is about
            // to take back. Ordering: Acquire, pairs with the Releases in `close` and `cancel_drain`.
            let stage = self.state.stage.load(site("spsc.empty.stage", Acquire));
            if stage == DRAINED {
                return Err(Error::Closed);
            }
            if K::IS_SHARED && stage > DRAINED {
                return Err(Error::Corrupt);
            }
            let items = self.count_items(front, wanted)?;
            if items > 0 {
                return Ok(items);
            }
            if stage < CLOSED {
                return Err(Error::Empty);
            }
            if let Some(result) = self.drain(front, wanted) {
                return result;
            }
        }
        Err(Error::Corrupt)
    }

    /// Rereads the tail, and returns how many of the `wanted` items are there.
    fn count_items(&self, front: u64, wanted: u64) -> Result<u64> {
        let cursor = &self.consumer.cursor;
        let there = cursor.refresh(&self.slots, front, || {
            // Ordering: Acquire, pairs with the Releases in `publish` and `put_fast`: the items are
            // complete.
            self.state.put.tail.load(site("spsc.empty.tail", Acquire)).wrapping_sub(front)
        });
        let there = self.checked(there)?;
        let items = there.min(wanted);
        if !self.is_holding() {
            let end = front.wrapping_add(there);
            cursor.set_limit(&self.slots, front.wrapping_add(items), end, end);
        }
        Ok(items)
    }

    /// Copies the front item and leaves it there; returns its position.
    ///
    /// # Safety
    /// As for `try_get`.
    #[inline(always)]
    unsafe fn copy_front(&self, out: &mut P::Out) -> Result<u64> {
        let (front, _) = self.items(1)?;
        let slot = self.consumer.cursor.slot(&self.slots, front);
        // SAFETY: the same contract; the slot is full.
        unsafe { self.read((front, slot), out)? };
        Ok(front)
    }

    /// Copies the item at a position and its slot.
    ///
    /// # Safety
    /// As for `try_get`, and the consumer owns the slot.
    #[inline(always)]
    unsafe fn read(&self, (front, slot): (u64, u64), out: &mut P::Out) -> Result {
        let len = self.len_at((front, slot))?;
        // SAFETY: by contract.
        self.slots
            .own(slot, |payload, cell| unsafe { payload.read_exclusive(cell, len, out) })
            .map_err(|needed| Error::TooSmall { needed })
    }
}

// SAFETY: as for `Put`.
unsafe impl<P: Exclusive, K: RoleOwnership> Get for Spsc<P, K> {
    type Out = P::Out;
    type With = ();
    const HAS_FAST_GET: bool = true;

    #[inline(always)]
    unsafe fn try_get(&self, out: &mut P::Out) -> Result {
        // SAFETY: the same contract.
        let front = unsafe { self.copy_front(out)? };
        self.release(front.wrapping_add(1));
        Ok(())
    }

    #[inline(always)]
    unsafe fn get_fast(&self, out: &mut P::Out) -> Option<()> {
        let cursor = &self.consumer.cursor;
        let head = self.state.get.head.load(site("spsc.get.head", Relaxed));
        if head == cursor.limit() || !K::has(&self.consumer.role) {
            return None;
        }
        let slot = cursor.slot_before_limit(head);
        // A peer wrote such a head.
        if K::IS_SHARED && slot >= self.slots.capacity {
            return None;
        }
        // SAFETY: before the limit, and below the capacity.
        unsafe { cursor.prefetch(&self.slots, (head, slot), prefetch_for_read) };
        // SAFETY: the same contract; the slot is full.
        unsafe { self.read((head, slot), out) }.ok()?;
        // Ordering: Release, as in `release`; no slot is held if the limit is beyond the head.
        self.state.get.head.store(head.wrapping_add(1), site("spsc.get.release.fast", Release));
        Some(())
    }
}

// SAFETY: as for `Put`.
unsafe impl<P: Plain> GetMany for Spsc<P> {
    #[inline(always)]
    unsafe fn try_get_many(&self, places: *mut P::Out, count: usize) -> Result<usize> {
        let mut done = 0;
        while done < count {
            let (front, items) = match self.items((count - done) as u64) {
                Ok(found) => found,
                Err(error) if done == 0 => return Err(error),
                Err(_) => break,
            };
            // SAFETY: the same contract; the slots are full.
            let end = unsafe { self.read_run(front, items, places.add(done)) };
            self.release(end);
            done += end.wrapping_sub(front) as usize;
        }
        Ok(done)
    }
}

impl<P: Plain> Spsc<P> {
    /// Reads `items` items, or those that are in this lap; returns where they end.
    ///
    /// # Safety
    /// As for `try_get_many`, and the consumer owns `items` slots from `front` on.
    #[inline(always)]
    unsafe fn read_run(&self, front: u64, items: u64, places: *mut P::Out) -> u64 {
        let slot = self.consumer.cursor.slot(&self.slots, front);
        let run = items.min(self.slots.capacity - slot);
        // SAFETY: by contract.
        unsafe { self.slots.cells.read_run(slot as usize, places, run as usize) };
        front.wrapping_add(run)
    }
}

// SAFETY: the consumer owns the front slot.
unsafe impl<P: Exclusive, K: RoleOwnership> Peek for Spsc<P, K> {
    unsafe fn peek(&self, out: &mut P::Out) -> Result {
        // SAFETY: the same contract.
        unsafe { self.copy_front(out) }.map(|_| ())
    }
}

// SAFETY: as for `Put`.
unsafe impl<P: Exclusive, K: RoleOwnership> Queue for Spsc<P, K> {
    fn end(&self) -> u64 {
        self.head_and_tail().1
    }
    unsafe fn clear_to(&self, end: u64, freed: impl Fn(usize)) -> usize {
        self.clear_before(end, freed)
    }

    fn close(&self) {
        // Ordering: Release, pairs with the Acquires of puts and gets: a caller that finds the queue
        // closed sees what the closing thread did before.
        self.state.stage.fetch_max(CLOSED, site("spsc.close", Release));
        if K::IS_SHARED {
            // Before the load of the waiters. Pairs with `spsc.empty.fence` and `spsc.full.fence`.
            fence("spsc.close.fence");
        }
    }
    fn is_closed(&self) -> bool {
        self.state.stage.load(site("spsc.is_closed", Acquire)) >= CLOSED
    }
    fn capacity(&self) -> usize {
        self.slots.capacity as usize
    }
    /// Counts held slots too, so that the length of a full queue is its capacity.
    fn len(&self) -> usize {
        let (head, tail) = self.head_and_tail();
        ahead(tail, head).clamp(0, self.slots.capacity as i64) as usize
    }
    /// Whether there is nothing to get: held slots do not count. A consumer may rely on false.
    fn is_empty(&self) -> bool {
        let (front, tail) = self.snapshot(|| {
            let head = self.state.get.head.load(site("spsc.is_empty.head", Acquire));
            if K::IS_SHARED {
                return head;
            }
            later(head, self.consumer.held_to.load(site("spsc.is_empty.held_to", Relaxed)))
        });
        ahead(tail, front) <= 0
    }
    /// A producer may rely on false.
    fn is_full(&self) -> bool {
        // The tail first: if it is older than the head, the queue only looks less full.
        let tail = self.accepted_tail();
        let head = self.state.get.head.load(site("spsc.is_full.head", Acquire));
        tail.wrapping_sub(head) == self.slots.capacity
    }
    fn counts(&self) -> Counts {
        let (head, tail) = self.head_and_tail();
        let dequeued = head.wrapping_sub(self.origin);
        Counts {
            enqueued: tail.wrapping_sub(self.origin).max(dequeued),
            dequeued,
            peak: self.state.put.peak.load(site("spsc.peak.read", Relaxed)),
        }
    }
    fn take_panic(&self) -> bool {
        self.payload().take_panic()
    }
    fn check_getter(&self) -> Result {
        self.check_consumer()
    }
    #[cfg(queues_shared)]
    #[inline(always)]
    fn attachment(&self) -> Option<&crate::shared::Attachment> {
        self.ownership.attachment()
    }
    fn recover(&self) {
        self.ownership.recover();
    }
}

/// For observers, which may be on any thread.
impl<P: Exclusive, K: RoleOwnership> Spsc<P, K> {
    fn head_and_tail(&self) -> (u64, u64) {
        self.snapshot(|| self.state.get.head.load(site("spsc.len.head", Acquire)))
    }

    /// Returns what `head` returns, and the tail, both as of one moment if possible: repeats up to 4
    /// times while `head` changes.
    #[inline(always)]
    fn snapshot(&self, head: impl Fn() -> u64) -> (u64, u64) {
        let (mut before, mut tail) = (head(), self.accepted_tail());
        for _ in 0..4 {
            let after = head();
            if before == after {
                break;
            }
            (before, tail) = (after, self.accepted_tail());
        }
        (before, tail)
    }
}

#[cfg(not(queues_shared))]
impl Spsc<Dense> {
    /// This system has no shared queues: [`Error::Invalid`].
    pub(crate) fn open(_fd: core::ffi::c_int, _options: &SharedOptions) -> Result<Self> {
        Err(Error::Invalid)
    }
}

impl<P: Exclusive> Described for Spsc<P> {
    fn describe(&self) -> Description {
        let plan = const {
            let state = offset_of!(Self, state) + offset_of!(Inline, 0);
            let (put, get) = (state + offset_of!(State, put), state + offset_of!(State, get));
            &Plan::EMPTY
                .within(offset_of!(Self, slots), Slots::<P>::PLAN)
                .with("origin", offset_of!(Self, origin))
                .with("closed", state + offset_of!(State, stage))
                .with("lengths", state + offset_of!(State, lengths_from))
                .with("head", get + offset_of!(GetEnd, head))
                .with("tail", put + offset_of!(PutEnd, tail))
                .with("held", offset_of!(Self, consumer) + offset_of!(Consumer<()>, held_to))
                .with("drained", get + offset_of!(GetEnd, drained_at))
        };
        described(self, plan)
    }
}

#[cfg(all(test, not(loom)))]
impl<P: Exclusive> Spsc<P> {
    /// The distance of prefetches, as `include/queues_inline.h` states it.
    pub(crate) const AHEAD: usize = slots::PREFETCH_AHEAD;

    /// The offsets that `include/queues_inline.h` states, by their names there.
    pub(crate) fn published() -> Vec<(&'static str, usize)> {
        let state = offset_of!(Self, state) + offset_of!(Inline, 0);
        let (put, get) = (offset_of!(Self, producer), offset_of!(Self, consumer));
        let [limit, prefetch, lap] = Cursor::PUBLISHED;
        let (of_put, of_get) =
            (put + offset_of!(Producer<()>, cursor), get + offset_of!(Consumer<()>, cursor));
        vec![
            ("CELLS", offset_of!(Self, slots) + Slots::<P>::CELLS),
            ("ITEM_SIZE", offset_of!(Self, slots) + Slots::<P>::ITEM_SIZE),
            ("STAGE", state + offset_of!(State, stage)),
            ("LENGTHS_FROM", state + offset_of!(State, lengths_from)),
            ("TAIL", state + offset_of!(State, put) + offset_of!(PutEnd, tail)),
            ("HEAD", state + offset_of!(State, get) + offset_of!(GetEnd, head)),
            ("PUT_LIMIT", of_put + limit),
            ("PUT_PREFETCH", of_put + prefetch),
            ("PUT_LAP", of_put + lap),
            ("RESERVED", put + offset_of!(Producer<()>, reserved)),
            ("GET_LIMIT", of_get + limit),
            ("GET_PREFETCH", of_get + prefetch),
            ("GET_LAP", of_get + lap),
        ]
    }
}

impl<P: Exclusive, K: RoleOwnership> fmt::Debug for Spsc<P, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spsc").field("capacity", &self.slots.capacity).finish_non_exhaustive()
    }
}

impl<P: Exclusive, K: RoleOwnership> Drop for Spsc<P, K> {
    fn drop(&mut self) {
        if K::IS_SHARED {
            // What is left stays in the file.
            return self.ownership.leave();
        }
        // SAFETY: no other thread uses the queue any more.
        unsafe { self.clear_to(self.end(), |_| ()) };
    }
}
