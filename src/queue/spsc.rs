//! Bounded queue from one producer thread to one consumer thread: FIFO, linearizable, wait-free.
//!
//! # Idea
//! A ring with a position for each side (Lamport 1983), of which each side keeps the last that it
//! saw of the other's, and looks again only when by that one it could not go on (as in MCRingBuffer:
//! Lee, Bu and Chandranmenon 2010). So the line of a position moves to the other side once for many
//! items, and many items are handed over by one store.
//!
//! # Invariants
//! - Positions run free and wrap at 2^64; `head <= tail <= head + capacity`. No slot is wasted.
//! - The slots from head to tail are the consumer's, all others the producer's.
//!
//! # Linearization
//! Put at the store of the tail, get at that of the head. A look at the other side's position comes
//! after a full fence, or two stores still on their way out of their processors could make *full*
//! and *empty* wrong at once.
//!
//! # Close
//! A put looks whether the queue is closed and then publishes, in two steps; an item that comes in
//! between after a get said *closed* would be stranded. So a put looks a second time, after it has
//! published, and a get that would say *closed* first says that it is about to (`DRAINING`): with
//! the fences between the steps of each, either the get sees the item or the put sees the get. The
//! put then calls the get off, by a compare-and-swap from `DRAINING`; if the get was faster
//! (`DRAINED`), the put takes back what was not got and answers *closed*. See
//! `docs/decisions/004-closing-spsc.md`. If membarrier is refused there, a put that found the queue
//! open may still be on its way out of its processor, and the get waits until it is out; all others
//! found it closed and fence in full.
//!
//! # Progress
//! Every call is wait-free (a get whose membarrier is refused waits for a millisecond, and for
//! nobody): after a close there is one put at most that may call a get off, and each
//! count of the items (`len`, statistics) that was under way may once. A side that keeps finding
//! only a few items or places pauses once, for about 200 ns, before it goes on: it lets the other
//! get ahead (the temporal slip of FastForward: Giacomoni, Moseley and Vachharajani 2008).
//!
//! # Memory
//! capacity cells (8 bytes for a pointer, 8 and the blob for bytes), and 768 bytes around them.

mod closing;
mod cursor;
mod in_place;

use self::closing::{CLOSED, DRAINED, OPEN, OPEN_FENCED};
use self::cursor::{LINE, NEAR_LINES, NEAR_PART, Side, early, later};
use super::{Counts, Fast, Get, GetMany, Peek, Progress, Put, PutMany, Queue, ahead};
use crate::error::{Error, Result};
use crate::payload::{Cells, Payload, Plain};
use crate::plan::{Described, Description, Plan, described};
use crate::sync::{
    Acquire, AtomicU32, AtomicU64, Fences, Relaxed, Release, fence, prefetch_for_read,
    prefetch_for_write, site,
};
use core::fmt;
use core::mem::offset_of;
use crossbeam_utils::CachePadded;

struct Producer {
    side: Side,
    /// The position at which a reservation was made; one that is past, if none is.
    reserved: AtomicU64,
    peak: AtomicU64,
}

struct Consumer {
    side: Side,
    /// Up to where items are taken while their slots are not free yet: `clear` is calling back. At
    /// the head or before it otherwise.
    held_to: AtomicU64,
    /// Where the consumer stood when it said *closed*.
    drained_at: AtomicU64,
}

/// See the module.
pub struct Spsc<P: Payload> {
    cells: Cells<(), P>,
    capacity: u64,
    origin: u64,
    /// Items in a line, and how many are few.
    line: u64,
    near: u64,
    fences: Fences,
    closed: CachePadded<AtomicU32>,
    tail: CachePadded<AtomicU64>,
    producer: CachePadded<Producer>,
    head: CachePadded<AtomicU64>,
    consumer: CachePadded<Consumer>,
}

impl<P: Payload> fmt::Debug for Spsc<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spsc").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

impl<P: Payload> Described for Spsc<P> {
    fn describe(&self) -> Description {
        let plan = const {
            &Plan::EMPTY
                .within(offset_of!(Self, cells), Cells::<(), P>::PLAN)
                .with("capacity", offset_of!(Self, capacity))
                .with("origin", offset_of!(Self, origin))
                .with("closed", offset_of!(Self, closed))
                .with("head", offset_of!(Self, head))
                .with("tail", offset_of!(Self, tail))
                .with("held", offset_of!(Self, consumer) + offset_of!(Consumer, held_to))
                .with("drained", offset_of!(Self, consumer) + offset_of!(Consumer, drained_at))
        };
        described(self, plan)
    }
}

impl<P: Payload> Spsc<P> {
    /// An empty queue.
    pub fn try_new(capacity: usize, payload: P) -> Result<Self> {
        Self::try_new_at(capacity, payload, 0)
    }

    /// [`Spsc::try_new`] with another first position, for tests.
    #[doc(hidden)]
    pub fn try_new_at(capacity: usize, payload: P, origin: u64) -> Result<Self> {
        if capacity == 0 {
            return Err(Error::Invalid);
        }
        let line = (LINE / payload.cell().size().next_power_of_two()).max(1);
        let fences = Fences::prepare();
        Ok(Self {
            cells: Cells::try_new(payload, capacity, |_| ())?,
            capacity: capacity as u64,
            origin,
            line: line as u64,
            near: (NEAR_LINES * line).min(capacity / NEAR_PART) as u64,
            fences,
            closed: CachePadded::new(AtomicU32::new(if fences.is_asymmetric() {
                OPEN
            } else {
                OPEN_FENCED
            })),
            tail: CachePadded::new(AtomicU64::new(origin)),
            producer: CachePadded::new(Producer {
                side: Side::new(origin),
                reserved: AtomicU64::new(origin.wrapping_sub(1)),
                peak: AtomicU64::new(0),
            }),
            head: CachePadded::new(AtomicU64::new(origin)),
            consumer: CachePadded::new(Consumer {
                side: Side::new(origin),
                held_to: AtomicU64::new(origin),
                drained_at: AtomicU64::new(origin),
            }),
        })
    }

    pub(crate) fn payload(&self) -> &P {
        self.cells.payload()
    }

    #[inline(always)]
    fn own<R>(&self, slot: u64, f: impl FnOnce(&P, *mut u8) -> R) -> R {
        // SAFETY: the positions said that the slot is ours.
        unsafe { self.cells.own(slot as usize, f) }
    }

    /// The tail, and how many of the items that are wanted, one at least, there is room for; they
    /// are put at once, unless it is `later`.
    #[inline(always)]
    fn room(&self, wanted: u64, later: bool) -> Result<(u64, u64)> {
        self.check_open()?;
        let tail = self.tail.load(site("spsc.put.tail", Relaxed));
        let bound = self.producer.side.bound.load(site("spsc.put.bound", Relaxed));
        let room = bound.wrapping_sub(tail);
        let enough = room >= wanted;
        Ok((tail, if enough { wanted } else { self.look_for_room(tail, wanted, later)? }))
    }

    /// Room for so many of the wanted items, by where the consumer is now. Up to the producer's
    /// bound there is room and no new peak; the peak that the wanted items make is remembered here.
    #[cold]
    fn look_for_room(&self, tail: u64, wanted: u64, later: bool) -> Result<u64> {
        // Pairs with the one in `look_for_items`.
        fence("spsc.full.fence");
        let side = &self.producer.side;
        let room = self.look(side, tail, &self.head, self.capacity);
        // Again: the room may have been made after the close.
        self.check_open()?;
        if room == 0 {
            return Err(Error::Full);
        }
        let fitting = room.min(wanted);
        let (len, now) = (self.capacity - room, if later { 0 } else { fitting });
        let peak = self.producer.peak.load(site("spsc.peak.load", Relaxed)).max(len + now);
        self.producer.peak.store(peak, site("spsc.peak.store", Relaxed));
        let (now, bound) = (tail.wrapping_add(now), tail.wrapping_add(peak - len));
        self.bound(side, now, bound, tail.wrapping_add(room));
        Ok(fitting)
    }

    /// Where the next item is, and how many of the wanted ones, one at least, there are.
    #[inline(always)]
    fn items(&self, wanted: u64) -> Result<(u64, u64)> {
        let head = self.taken();
        let bound = self.consumer.side.bound.load(site("spsc.get.bound", Relaxed));
        // Negative, so none, while items are held.
        let enough = ahead(bound, head).max(0) as u64 >= wanted;
        Ok((head, if enough { wanted } else { self.look_for_items(head, wanted)? }))
    }

    /// Up to where items are taken, as the consumer knows it.
    #[inline(always)]
    fn taken(&self) -> u64 {
        let head = self.head.load(site("spsc.get.head", Relaxed));
        later(head, self.consumer.held_to.load(site("spsc.get.held", Relaxed)))
    }

    /// Whether the slots of some of these are not free yet.
    #[inline(always)]
    fn is_holding(&self) -> bool {
        self.taken() != self.head.load(site("spsc.hold.is", Relaxed))
    }

    /// How many of the wanted items there are now.
    #[cold]
    fn look_for_items(&self, head: u64, wanted: u64) -> Result<u64> {
        loop {
            // Pairs with the one in `look_for_room`.
            fence("spsc.empty.fence");
            // Before the tail, where a put that is to be refused may show for a moment. Ordering:
            // Acquire, pairs with the Release in `finish_put`.
            let stage = self.closed.load(site("spsc.empty.closed", Acquire));
            if stage == DRAINED {
                return Err(Error::Closed);
            }
            let there = self.look_at_tail(head, wanted);
            if there > 0 {
                return Ok(there);
            }
            if stage < CLOSED {
                return Err(Error::Empty);
            }
            if let Some(done) = self.drain(head, wanted) {
                return done;
            }
        }
    }

    fn look_at_tail(&self, head: u64, wanted: u64) -> u64 {
        let side = &self.consumer.side;
        let there = self.look(side, head, &self.tail, 0);
        let now = there.min(wanted);
        if !self.is_holding() {
            let end = head.wrapping_add(there);
            self.bound(side, head.wrapping_add(now), end, end);
        }
        now
    }

    /// Ends the gets of all items before `end`: their slots are the producer's again, unless some
    /// are held.
    #[inline(always)]
    fn release(&self, end: u64) {
        if self.is_holding() {
            self.hold(end);
        } else {
            // Ordering: Release, pairs with the Acquire in `look`; we are done with them.
            self.head.store(end, site("spsc.get.release", Release));
        }
    }

    /// Takes the items before `end`, whose slots stay ours.
    #[cold]
    fn hold(&self, end: u64) {
        let head = self.head.load(site("spsc.hold.head", Relaxed));
        self.consumer.held_to.store(end, site("spsc.hold", Relaxed));
        // Nothing is for `get_fast`, which knows of the head alone.
        self.consumer.side.bound.store(head, site("spsc.hold.bound", Relaxed));
    }

    /// Where the first item is that can be got, as any thread knows it.
    fn front_position(&self) -> u64 {
        let head = self.head.load(site("spsc.size.head", Acquire));
        later(head, self.consumer.held_to.load(site("spsc.size.held", Relaxed)))
    }

    /// Head and tail, as they stood together or nearly so.
    fn ends(&self) -> (u64, u64) {
        self.ends_by(|| self.head.load(site("spsc.size.free", Acquire)))
    }

    /// What `gets` tells and the tail, as they stood together or nearly so.
    #[inline(always)]
    fn ends_by(&self, gets: impl Fn() -> u64) -> (u64, u64) {
        let puts = || self.accepted();
        let (mut before, mut tail) = (gets(), puts());
        for _ in 0..4 {
            let after = gets();
            if before == after {
                break;
            }
            (before, tail) = (after, puts());
        }
        (before, tail)
    }
}

// SAFETY: one producer and one consumer by contract; the positions hand every slot over with
// Release and Acquire.
unsafe impl<P: Payload> Queue for Spsc<P> {
    fn end(&self) -> u64 {
        self.ends().1
    }
    unsafe fn clear_to(&self, end: u64, freed: impl Fn(usize)) -> usize {
        let mut count = 0;
        while ahead(end, self.taken()) > 0 {
            let Ok((position, _)) = self.items(1) else { break };
            let slot = self.slot(&self.consumer.side, position);
            // The item is gone before its callback runs, which may come back to this queue; its
            // slot is free after that, and after the callbacks around this one.
            let outermost = !self.is_holding();
            self.hold(position.wrapping_add(1));
            // SAFETY: the slot is ours, and its item nobody's.
            self.own(slot, |payload, at| unsafe { payload.discard(at) });
            if outermost {
                let (head, end) = (self.head.load(site("spsc.clear.head", Relaxed)), self.taken());
                // Ordering: Release, as in `release`.
                self.head.store(end, site("spsc.clear.free", Release));
                self.consumer.side.bound.store(end, site("spsc.clear.bound", Relaxed));
                freed(end.wrapping_sub(head) as usize);
            }
            count += 1;
        }
        count
    }

    fn close(&self) {
        // Ordering: Release, pairs with the Acquires of puts: what we did is seen by who is turned
        // away.
        self.closed.fetch_max(CLOSED, site("spsc.close", Release));
    }
    fn is_closed(&self) -> bool {
        self.closed.load(site("spsc.closed.is", Acquire)) >= CLOSED
    }
    fn capacity(&self) -> usize {
        self.capacity as usize
    }
    /// The slots that are taken: by an item, too, whose callback `clear` is calling, so that a full
    /// queue is as long as its capacity.
    fn len(&self) -> usize {
        let (gets, puts) = self.ends();
        ahead(puts, gets).clamp(0, self.capacity as i64) as usize
    }
    /// Whether there is nothing to get, whatever its length: a consumer that hears *not empty* relies
    /// on it.
    fn is_empty(&self) -> bool {
        let (gets, puts) = self.ends_by(|| self.front_position());
        ahead(puts, gets) <= 0
    }
    /// A producer that hears *not full* relies on it.
    fn is_full(&self) -> bool {
        // First: a tail that is older than the head can only make it less full.
        let tail = self.accepted();
        let head = self.head.load(site("spsc.is_full.head", Acquire));
        tail.wrapping_sub(head) == self.capacity
    }
    fn counts(&self) -> Counts {
        let (gets, puts) = self.ends();
        let dequeued = gets.wrapping_sub(self.origin);
        Counts {
            enqueued: puts.wrapping_sub(self.origin).max(dequeued),
            dequeued,
            peak: self.producer.peak.load(site("spsc.peak.read", Relaxed)),
        }
    }
    fn take_panic(&self) -> bool {
        self.payload().take_panic()
    }
}

// SAFETY: as above.
unsafe impl<P: Payload> Put for Spsc<P> {
    type Item = P::Item;
    type With = ();
    const HAS_FAST_PUT: bool = true;

    #[inline(always)]
    unsafe fn try_put(&self, item: &P::Item, (): ()) -> Result {
        let (tail, _) = self.room(1, false)?;
        let slot = self.slot(&self.producer.side, tail);
        // SAFETY: the slot is ours; the item keeps the payload's rule by contract.
        self.own(slot, |payload, at| unsafe { payload.write_exclusive(at, item) });
        if self.publish(tail.wrapping_add(1)) { Ok(()) } else { self.finish_put() }
    }

    #[inline(always)]
    unsafe fn put_fast(&self, item: &P::Item, (): ()) -> Fast {
        let tail = self.tail.load(site("spsc.put.tail", Relaxed));
        // Ordering: Relaxed, both; whoever finds it not open looks again.
        if tail == self.producer.side.bound.load(site("spsc.put.bound", Relaxed))
            || self.closed.load(site("spsc.put.usual", Relaxed)) != OPEN
        {
            return Fast::Slow;
        }
        let side = &self.producer.side;
        let slot = self.slot_now(side, tail);
        self.prepare(side, tail, slot, prefetch_for_write);
        // SAFETY: the slot is ours; the item keeps the payload's rule by contract.
        self.own(slot, |payload, at| unsafe { payload.write_exclusive(at, item) });
        // Ordering: Release, as in `publish`.
        self.tail.store(tail.wrapping_add(1), site("spsc.put.publish.now", Release));
        // Pairs with the heavy fence in `drain`.
        Fences::light("spsc.put.free");
        // Ordering: Relaxed; `finish_put` looks again.
        match self.closed.load_after_light_fence(site("spsc.put.again.now", Relaxed)) {
            OPEN => Fast::Done,
            _ => Fast::Published,
        }
    }

    fn finish_put(&self) -> Result {
        let end = self.tail.load(site("spsc.finish.tail", Relaxed));
        match self.finish_put_from(end.wrapping_sub(1), end) {
            1 => Ok(()),
            _ => Err(Error::Closed),
        }
    }
}

// SAFETY: as above.
unsafe impl<P: Payload> Get for Spsc<P> {
    type Out = P::Out;
    type With = ();
    const HAS_FAST_GET: bool = true;

    #[inline(always)]
    unsafe fn try_get(&self, out: &mut P::Out) -> Result {
        // SAFETY: the same contract.
        let position = unsafe { self.copy_front(out)? };
        self.release(position.wrapping_add(1));
        Ok(())
    }

    #[inline(always)]
    unsafe fn get_fast(&self, out: &mut P::Out) -> Option<()> {
        let head = self.head.load(site("spsc.get.head", Relaxed));
        if head == self.consumer.side.bound.load(site("spsc.get.bound", Relaxed)) {
            return None;
        }
        let side = &self.consumer.side;
        let slot = self.slot_now(side, head);
        self.prepare(side, head, slot, prefetch_for_read);
        // SAFETY: the slot is ours and full.
        let fits = self.own(slot, |payload, at| unsafe {
            payload.fits(at, out).map(|()| payload.read_exclusive(at, out))
        });
        if fits.is_err() {
            return None;
        }
        // Ordering: Release, as in `release`; nothing is held if the bound is beyond the head.
        self.head.store(head.wrapping_add(1), site("spsc.get.release", Release));
        Some(())
    }
}

// SAFETY: as above.
unsafe impl<P: Plain> PutMany for Spsc<P> {
    #[inline(always)]
    unsafe fn try_put_many(&self, items: *const P::Item, count: usize) -> Progress {
        let mut done = 0;
        // Until a look finds it full: room for less than is left does not show that it was.
        while done < count {
            let (tail, room) = match self.room((count - done) as u64, false) {
                Ok(found) => found,
                Err(why) => return (done, Err(why)),
            };
            let side = &self.producer.side;
            let slot = self.slot(side, tail);
            let run = room.min(self.capacity - slot);
            // In a longer run the stores themselves run ahead.
            let few = if run <= early(self.cells.stride()) as u64 { run } else { 0 };
            for i in (0..few).step_by(self.line as usize) {
                self.prepare(side, tail.wrapping_add(i), slot + i, prefetch_for_write);
            }
            // SAFETY: the slots are ours; the items keep the payload's rule by contract.
            unsafe { self.cells.write_run(slot as usize, items.add(done), run as usize) };
            let end = tail.wrapping_add(run);
            if !self.publish(end) {
                done += self.finish_put_from(tail, end) as usize;
                return (done, if done == count { Ok(()) } else { Err(Error::Closed) });
            }
            done += run as usize;
        }
        (count, Ok(()))
    }
}

// SAFETY: as above.
unsafe impl<P: Plain> GetMany for Spsc<P> {
    #[inline(always)]
    unsafe fn try_get_many(&self, places: *mut P::Out, count: usize) -> Result<usize> {
        let mut done = 0;
        while done < count {
            let (head, there) = match self.items((count - done) as u64) {
                Ok(found) => found,
                Err(why) if done == 0 => return Err(why),
                Err(_) => break,
            };
            let slot = self.slot(&self.consumer.side, head);
            let run = there.min(self.capacity - slot);
            // SAFETY: the slots are ours and full.
            unsafe { self.cells.read_run(slot as usize, places.add(done), run as usize) };
            self.release(head.wrapping_add(run));
            done += run as usize;
        }
        Ok(done)
    }
}

// SAFETY: the consumer owns the slot in front.
unsafe impl<P: Payload> Peek for Spsc<P> {
    unsafe fn peek(&self, out: &mut P::Out) -> Result {
        // SAFETY: the same contract.
        unsafe { self.copy_front(out) }.map(|_| ())
    }
}

impl<P: Payload> Spsc<P> {
    /// Copies the front item; its position.
    ///
    /// # Safety
    /// As for `try_get`.
    #[inline(always)]
    unsafe fn copy_front(&self, out: &mut P::Out) -> Result<u64> {
        let (position, _) = self.items(1)?;
        let slot = self.slot(&self.consumer.side, position);
        self.own(slot, |payload, at| {
            // SAFETY: the slot is ours and full.
            unsafe {
                payload.fits(at, out).map_err(|needed| Error::TooSmall { needed })?;
                payload.read_exclusive(at, out);
            }
            Ok(position)
        })
    }
}

impl<P: Payload> Drop for Spsc<P> {
    fn drop(&mut self) {
        // SAFETY: nobody else is here.
        unsafe { self.clear_to(self.end(), |_| ()) };
    }
}
