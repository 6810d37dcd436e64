//! Bounded queue from one producer thread to one consumer thread: FIFO, linearizable, wait-free.
//!
//! # Idea
//! A flag in every slot says whether it is full, so that neither side ever reads the other's index:
//! the only line that moves between the two is that of the item itself (FastForward: Giacomoni,
//! Moseley and Vachharajani 2008; the flag stands beside the item here, so that a null pointer is
//! an item). The indices are private; counts beside them serve statistics alone.
//!
//! # Invariants
//! - A slot's flag is set by the producer only, when clear, and cleared by the consumer only, when
//!   set.
//! - Exactly capacity slots: all flags set is *full*, none set is *empty*; no slot is wasted.
//!
//! # Linearization
//! Put at the store that sets the flag, get at the one that clears it. Before *full* and *empty*
//! are told there is a full fence and a second look, or two stores still on their way out of their
//! processors could make both sides wrong at once.
//!
//! # Close
//! The put's check of `closed` and its publication are two steps, and an item that slips in between
//! after a get said *closed* would be stranded. So the producer marks its count odd during a put
//! (`ticket`), and a get says *closed* only when the closing is known to all processors, no put is
//! under way and the slot is still empty; with a put under way it says *empty*, which is so.
//!
//! # Progress
//! Every call is wait-free. A producer suspended in mid-put keeps a closed queue from saying
//! *closed* (it says *empty*) until it goes on.
//!
//! # Memory
//! capacity slots of 8 bytes and the cell (16 bytes for a pointer, 16 and the blob for bytes), and
//! 384 bytes around them.

use super::{Counts, Fifo, Peek, Queue};
use crate::error::{Error, Result};
use crate::payload::{Bytes, Cells, Payload};
use crate::sync::{Acquire, AtomicU32, AtomicU64, Fences, Relaxed, Release, fence, site};
use core::fmt;
use crossbeam_utils::CachePadded;

/// Answers of a slot's flag.
const CLEAR: u64 = 0;
const SET: u64 = 1;
/// Taken by `clear`, which is still disposing of the item: no longer full, not yet free.
const LEAVING: u64 = 2;

/// Stages of closing: asked for, then known to every processor, then a get was told so: no put can
/// come any more, though one may still begin and find it closed.
const OPEN: u32 = 0;
const CLOSING: u32 = 1;
const CLOSED: u32 = 2;
const DRAINED: u32 = 3;

/// The bits of a count: a ticket has one more.
const COUNTS: u64 = u64::MAX >> 1;

/// How far one count is ahead of another.
#[inline(always)]
fn ahead(a: u64, b: u64) -> i64 {
    (a.wrapping_sub(b) << 1) as i64 >> 1
}

/// The producer's line. Everything is written by the producer alone, so Relaxed loads are exact for
/// it.
struct Producer {
    index: AtomicU64,
    /// Twice the number of puts, and 1 while one is under way.
    ticket: AtomicU64,
    /// The ticket at which a reservation was made, plus one.
    reserved: AtomicU64,
    /// The count up to which no new peak is possible.
    no_peak_before: AtomicU64,
    peak: AtomicU64,
}

/// The consumer's line.
struct Consumer {
    index: AtomicU64,
    count: AtomicU64,
}

/// See the module.
pub struct Ring<P: Payload> {
    cells: Cells<AtomicU64, P>,
    capacity: u64,
    origin: u64,
    fences: Fences,
    closed: CachePadded<AtomicU32>,
    producer: CachePadded<Producer>,
    consumer: CachePadded<Consumer>,
}

impl<P: Payload> fmt::Debug for Ring<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

impl<P: Payload> Ring<P> {
    /// An empty ring; `origin`, where the counts begin, matters to tests only.
    pub fn try_new(capacity: usize, payload: P, origin: u64) -> Result<Self> {
        if capacity == 0 {
            return Err(Error::Invalid);
        }
        Ok(Self {
            cells: Cells::try_new(payload, capacity, |_| AtomicU64::new(CLEAR))?,
            capacity: capacity as u64,
            origin,
            fences: Fences::prepare(),
            closed: CachePadded::new(AtomicU32::new(OPEN)),
            producer: CachePadded::new(Producer {
                index: AtomicU64::new(0),
                ticket: AtomicU64::new(origin << 1),
                reserved: AtomicU64::new(0),
                no_peak_before: AtomicU64::new(origin),
                peak: AtomicU64::new(0),
            }),
            consumer: CachePadded::new(Consumer {
                index: AtomicU64::new(0),
                count: AtomicU64::new(origin),
            }),
        })
    }

    pub(crate) fn payload(&self) -> &P {
        self.cells.payload()
    }

    #[inline(always)]
    fn next(&self, index: u64) -> u64 {
        if index + 1 == self.capacity { 0 } else { index + 1 }
    }

    #[inline(always)]
    fn flag(&self, index: u64) -> &AtomicU64 {
        // SAFETY: indices stay below the capacity.
        unsafe { self.cells.header(index as usize) }
    }

    #[inline(always)]
    fn own<R>(&self, index: u64, f: impl FnOnce(&P, *mut u8) -> R) -> R {
        // SAFETY: the flag said that the slot is ours: clear is the producer's, set the consumer's.
        unsafe { self.cells.own(index as usize, f) }
    }

    /// The producer's next slot, if it is free.
    #[inline(always)]
    fn vacant(&self) -> Result<u64> {
        let index = self.producer.index.load(site("spsc.put.index", Relaxed));
        // Ordering: Acquire, pairs with the Release in `release`: the consumer is done with the
        // slot.
        if self.flag(index).load(site("spsc.put.flag", Acquire)) != CLEAR {
            self.look_again_for_room(index)?;
        }
        Ok(index)
    }

    #[cold]
    fn look_again_for_room(&self, index: u64) -> Result {
        if self.closed.load(site("spsc.full.closed", Acquire)) != OPEN {
            return Err(Error::Closed);
        }
        // Pairs with the one in `look_again_for_item`.
        fence("spsc.full.fence");
        // Ordering: Acquire, as in `vacant`.
        match self.flag(index).load(site("spsc.full.flag", Acquire)) {
            CLEAR => Ok(()),
            _ => Err(Error::Full),
        }
    }

    /// Begins a put: from here on a get does not say *closed*.
    #[inline(always)]
    fn begin(&self) -> Result<u64> {
        let ticket = self.producer.ticket.load(site("spsc.put.ticket", Relaxed));
        self.producer.ticket.store(ticket | 1, site("spsc.put.begin", Relaxed));
        // Pairs with the heavy fence of closing: either the closer sees the odd ticket, or we see
        // it closed.
        self.fences.light("spsc.put.fence");
        if self.closed.load(site("spsc.put.closed", Acquire)) != OPEN {
            // Ordering: Release, pairs with the Acquire in `look_again_for_item`.
            self.producer.ticket.store(ticket, site("spsc.put.abandon", Release));
            return Err(Error::Closed);
        }
        Ok(ticket)
    }

    /// Publishes the slot and ends the put.
    #[inline(always)]
    fn publish(&self, index: u64, ticket: u64) {
        // Ordering: Release, pairs with the Acquire in `occupied`; publishes the item.
        self.flag(index).store(SET, site("spsc.put.publish", Release));
        self.end_put(self.next(index), ticket.wrapping_add(2));
    }

    /// Ends a put after its last slot was published.
    #[inline(always)]
    fn end_put(&self, next: u64, ticket: u64) {
        // Ordering: Release, pairs with the Acquire in `look_again_for_item`: even means published.
        self.producer.ticket.store(ticket, site("spsc.put.end", Release));
        self.producer.index.store(next, site("spsc.put.advance", Relaxed));
        let bound = self.producer.no_peak_before.load(site("spsc.peak.bound", Relaxed));
        if ahead(ticket >> 1, bound) > 0 {
            self.look_for_peak(ticket >> 1);
        }
    }

    #[cold]
    fn look_for_peak(&self, puts: u64) {
        let gets = self.consumer.count.load(site("spsc.peak.gets", Relaxed));
        // The consumer counts a get before it clears the slot and may be ahead of us.
        let len = ahead(puts, gets).max(0) as u64;
        let peak = self.producer.peak.load(site("spsc.peak.load", Relaxed)).max(len);
        self.producer.peak.store(peak, site("spsc.peak.store", Relaxed));
        let bound = if peak >= self.capacity { i64::MAX as u64 / 2 } else { peak };
        self.producer
            .no_peak_before
            .store(gets.wrapping_add(bound), site("spsc.peak.raise", Relaxed));
    }

    /// The consumer's next slot, if it is full.
    #[inline(always)]
    fn occupied(&self) -> Result<u64> {
        let index = self.consumer.index.load(site("spsc.get.index", Relaxed));
        // Ordering: Acquire, pairs with the Release in `publish`: the item is complete.
        if self.flag(index).load(site("spsc.get.flag", Acquire)) != SET {
            self.look_again_for_item(index)?;
        }
        Ok(index)
    }

    #[cold]
    fn look_again_for_item(&self, index: u64) -> Result {
        // Pairs with the one in `look_again_for_room`.
        fence("spsc.empty.fence");
        // Ordering: Acquire, as in `occupied`.
        if self.flag(index).load(site("spsc.empty.flag", Acquire)) == SET {
            return Ok(());
        }
        if !self.is_known_closed() {
            return Err(Error::Empty);
        }
        // Ordering: Relaxed; consumers write it, one after another.
        if self.closed.load(site("spsc.empty.drained", Relaxed)) == DRAINED {
            return Err(Error::Closed);
        }
        // Ordering: Acquire, pairs with the Releases of `begin` and `publish`.
        if self.producer.ticket.load(site("spsc.empty.ticket", Acquire)) & 1 != 0 {
            return Err(Error::Empty);
        }
        // Ordering: Acquire, as in `occupied`.
        match self.flag(index).load(site("spsc.closed.flag", Acquire)) {
            SET => Ok(()),
            _ => {
                // Ordering: Relaxed, as above.
                self.closed.fetch_max(DRAINED, site("spsc.closed.drained", Relaxed));
                Err(Error::Closed)
            }
        }
    }

    /// Whether it is closed, and every put that has not seen so is visibly under way or over.
    fn is_known_closed(&self) -> bool {
        // Ordering: Acquire, pairs with the Release below.
        match self.closed.load(site("spsc.closed.load", Acquire)) {
            OPEN => false,
            CLOSED | DRAINED => true,
            _ => {
                // Whoever closes may be suspended; anybody can finish it.
                self.fences.heavy("spsc.close.fence");
                // Ordering: Release, pairs with the Acquire above: what the fence made visible.
                self.closed.fetch_max(CLOSED, site("spsc.closed.known", Release));
                true
            }
        }
    }

    /// Ends a get: the slot is the producer's again.
    #[inline(always)]
    fn release(&self, index: u64) {
        self.advance(index);
        // Ordering: Release, pairs with the Acquire in `vacant`; we are done with the item.
        self.flag(index).store(CLEAR, site("spsc.get.clear", Release));
    }

    /// Counts a get and goes on to the next slot.
    #[inline(always)]
    fn advance(&self, index: u64) {
        let count = self.consumer.count.load(site("spsc.get.count", Relaxed));
        self.consumer.count.store(count.wrapping_add(1), site("spsc.get.counted", Relaxed));
        self.consumer.index.store(self.next(index), site("spsc.get.advance", Relaxed));
    }

    fn ends(&self) -> (u64, u64) {
        let gets = || self.consumer.count.load(site("spsc.size.gets", Acquire));
        let puts = || self.producer.ticket.load(site("spsc.size.puts", Acquire)) >> 1;
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

// SAFETY: one producer and one consumer by contract; flags hand every slot over with Release and
// Acquire.
unsafe impl<P: Payload> Queue for Ring<P> {
    fn end(&self) -> u64 {
        self.ends().1
    }
    unsafe fn clear_to(&self, end: u64) -> usize {
        let mut count = 0;
        while ahead(end, self.consumer.count.load(site("spsc.clear.count", Relaxed))) > 0 {
            let Ok(index) = self.occupied() else { break };
            // The item is gone before its callback runs, which may come back to this queue; its
            // slot is free after that.
            self.flag(index).store(LEAVING, site("spsc.clear.leave", Relaxed));
            self.advance(index);
            // SAFETY: the slot is ours, and its item nobody's.
            self.own(index, |payload, at| unsafe { payload.discard(at) });
            // Ordering: Release, as in `release`.
            self.flag(index).store(CLEAR, site("spsc.clear.free", Release));
            count += 1;
        }
        count
    }

    fn close(&self) {
        // A second close finds it done or does the rest. Ordering: Release, pairs with `begin`.
        self.closed.fetch_max(CLOSING, site("spsc.close.ask", Release));
        self.is_known_closed();
    }
    fn is_closed(&self) -> bool {
        self.closed.load(site("spsc.closed.is", Acquire)) != OPEN
    }
    fn capacity(&self) -> usize {
        self.capacity as usize
    }
    fn len(&self) -> usize {
        let (gets, puts) = self.ends();
        ahead(puts, gets).clamp(0, self.capacity as i64) as usize
    }
    /// Asks the slot, not the counts: a get is counted before its slot is free, and a producer
    /// that hears *not full* relies on it.
    fn is_full(&self) -> bool {
        let ticket = self.producer.ticket.load(site("spsc.is_full.ticket", Acquire));
        let puts = (ticket >> 1).wrapping_sub(self.origin) & COUNTS;
        // Ordering: Acquire; if a later put has set the flag, we see its ticket below.
        let flag = self.flag(puts % self.capacity).load(site("spsc.is_full.flag", Acquire));
        let again = self.producer.ticket.load(site("spsc.is_full.again", Relaxed));
        // With a put under way or just done there was room.
        flag != CLEAR && ticket & 1 == 0 && again == ticket
    }
    fn counts(&self) -> Counts {
        let (gets, puts) = self.ends();
        let dequeued = gets.wrapping_sub(self.origin) & COUNTS;
        Counts {
            enqueued: (puts.wrapping_sub(self.origin) & COUNTS).max(dequeued),
            dequeued,
            peak: self.producer.peak.load(site("spsc.peak.read", Relaxed)),
        }
    }
    fn take_panic(&self) -> bool {
        self.payload().take_panic()
    }
}

// SAFETY: as above.
unsafe impl<P: Payload> Fifo for Ring<P> {
    type Item = P::Item;
    type Out = P::Out;

    #[inline(always)]
    unsafe fn try_put(&self, item: &P::Item) -> Result {
        let index = self.vacant()?;
        let ticket = self.begin()?;
        // SAFETY: the slot is ours; the item keeps the payload's rule by contract.
        self.own(index, |payload, at| unsafe { payload.write(at, item) });
        self.publish(index, ticket);
        Ok(())
    }

    #[inline(always)]
    unsafe fn try_get(&self, out: &mut P::Out) -> Result {
        // SAFETY: the same contract.
        let index = unsafe { self.copy_front(out)? };
        self.release(index);
        Ok(())
    }

    /// One put for all: one ticket, one look at closed and peak.
    #[inline(always)]
    unsafe fn try_put_many<'a>(
        &self,
        mut items: impl Iterator<Item = &'a P::Item>,
    ) -> (usize, Result)
    where
        P::Item: 'a,
    {
        let Some(mut item) = items.next() else {
            return (0, Ok(()));
        };
        let begun = self.vacant().and_then(|index| self.begin().map(|ticket| (index, ticket)));
        let (mut index, mut ticket) = match begun {
            Ok(begun) => begun,
            Err(why) => return (0, Err(why)),
        };
        let mut done = 0;
        let result = loop {
            // SAFETY: the slot is ours; the item keeps the payload's rule by contract.
            self.own(index, |payload, at| unsafe { payload.write(at, item) });
            // Ordering: Release, pairs with the Acquire in `occupied`; publishes the item.
            self.flag(index).store(SET, site("spsc.many.publish", Release));
            (index, ticket, done) = (self.next(index), ticket.wrapping_add(2), done + 1);
            // Odd: the put is still under way. Ordering: Relaxed; it only counts.
            self.producer.ticket.store(ticket | 1, site("spsc.many.count", Relaxed));
            item = match items.next() {
                Some(item) => item,
                None => break Ok(()),
            };
            // Ordering: Acquire, as in `vacant`.
            if self.flag(index).load(site("spsc.many.flag", Acquire)) != CLEAR
                && let Err(why) = self.look_again_for_room(index)
            {
                break Err(why);
            }
        };
        self.end_put(index, ticket);
        (done, result)
    }

    #[inline(always)]
    unsafe fn try_get_many<'a>(&self, places: impl Iterator<Item = &'a mut P::Out>) -> usize
    where
        P::Out: 'a,
    {
        let mut index = self.consumer.index.load(site("spsc.many.index", Relaxed));
        let count = self.consumer.count.load(site("spsc.many.gets", Relaxed));
        let mut done = 0;
        for out in places {
            // Ordering: Acquire, as in `occupied`.
            if self.flag(index).load(site("spsc.many.full", Acquire)) != SET {
                break;
            }
            // SAFETY: the slot is ours and full.
            let fits = self.own(index, |payload, at| unsafe {
                payload.fits(at, out).map(|()| payload.read(at, out))
            });
            if fits.is_err() {
                break;
            }
            done += 1;
            // Before the slot is clear, as in `release`.
            let counted = count.wrapping_add(done as u64);
            self.consumer.count.store(counted, site("spsc.many.counted", Relaxed));
            // Ordering: Release, as in `release`.
            self.flag(index).store(CLEAR, site("spsc.many.clear", Release));
            index = self.next(index);
        }
        self.consumer.index.store(index, site("spsc.many.advance", Relaxed));
        done
    }
}

// SAFETY: the consumer owns the slot in front.
unsafe impl<P: Payload> Peek for Ring<P> {
    unsafe fn peek(&self, out: &mut P::Out) -> Result {
        // SAFETY: the same contract.
        unsafe { self.copy_front(out) }.map(|_| ())
    }
}

impl<P: Payload> Ring<P> {
    /// Copies the front item; its slot.
    ///
    /// # Safety
    /// As for `try_get`.
    #[inline(always)]
    unsafe fn copy_front(&self, out: &mut P::Out) -> Result<u64> {
        let index = self.occupied()?;
        self.own(index, |payload, at| {
            // SAFETY: the slot is ours and full.
            unsafe {
                payload.fits(at, out).map_err(|needed| Error::TooSmall { needed })?;
                payload.read(at, out);
            }
            Ok(index)
        })
    }
}

/// Reading and writing in place.
impl Ring<Bytes> {
    /// Room for a blob of the largest size, until [`Ring::commit`] or the producer's next put.
    ///
    /// # Safety
    /// Only the producer may call.
    pub unsafe fn reserve(&self) -> Result<*mut u8> {
        let index = self.vacant()?;
        if self.is_closed() {
            return Err(Error::Closed);
        }
        let ticket = self.producer.ticket.load(site("spsc.reserve.ticket", Relaxed));
        self.producer.reserved.store(ticket.wrapping_add(1), site("spsc.reserve.store", Relaxed));
        // SAFETY: the slot is ours until it is published.
        Ok(self.own(index, |bytes, at| unsafe { bytes.data(at) }))
    }

    /// Puts the first `len` bytes of what was reserved; [`Error::Misuse`] if nothing is.
    ///
    /// # Safety
    /// Only the producer may call.
    pub unsafe fn commit(&self, len: usize) -> Result {
        if len > self.payload().limit() {
            return Err(Error::Invalid);
        }
        let ticket = self.producer.ticket.load(site("spsc.commit.ticket", Relaxed));
        let reserved = self.producer.reserved.load(site("spsc.commit.reserved", Relaxed));
        if reserved != ticket.wrapping_add(1) {
            return Err(Error::Misuse);
        }
        self.producer.reserved.store(0, site("spsc.commit.store", Relaxed));
        let index = self.vacant()?;
        let ticket = self.begin()?;
        // SAFETY: the slot is ours.
        self.own(index, |bytes, at| unsafe { bytes.set_len(at, len) });
        self.publish(index, ticket);
        Ok(())
    }

    /// The front blob where it lies, until [`Ring::consume`] or the consumer's next get.
    ///
    /// # Safety
    /// Only the consumer may call.
    pub unsafe fn front(&self) -> Result<(*const u8, usize)> {
        let index = self.occupied()?;
        // SAFETY: the slot is ours until it is released.
        Ok(self.own(index, |bytes, at| unsafe { (bytes.data(at).cast_const(), bytes.len(at)) }))
    }

    /// Takes the front blob without copying it.
    ///
    /// # Safety
    /// Only the consumer may call.
    pub unsafe fn consume(&self) -> Result {
        let index = self.occupied()?;
        self.release(index);
        Ok(())
    }
}

impl<P: Payload> Drop for Ring<P> {
    fn drop(&mut self) {
        // SAFETY: nobody else is here.
        unsafe { self.clear_to(self.end()) };
    }
}
