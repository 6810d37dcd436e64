//! Queue whose items are taken in batches: when there are enough of them, or when the first has
//! waited long enough.
//!
//! # Idea
//! A FIFO of cells ([`Indirect`]) whose headers tell when each item came and how much it weighs.
//! Puts are those of the FIFO. Who takes holds a short lock, so that batches are whole, in order,
//! and nobody else moves the front while it is judged. The time counts from the arrival of the item
//! that is in front *now*: nothing has to be reset when a batch leaves others behind. (Deadlines
//! of the oldest item as in Triton Inference Server's dynamic batcher, bounds by count and by weight
//! as producers of message brokers have them.)
//!
//! # When a batch is due
//! `size` items are there; or items that together weigh `weight`; or the front item is `age` old;
//! or it was put before the last [`Batch::flush`]; or the queue is closed. A batch is then the
//! longest beginning of the queue with at most `size` items, and at most `weight` unless it is one
//! item. A full queue holds `size` items at least, so it has a batch that is due.
//!
//! # Who is woken
//! A put wakes one sleeper if it is the one that `awaited` names, and moves `awaited` on, so that
//! one wake-up is on its way and not one for each item.
//! - While the queue is empty, `awaited` is the next put: taking, under the lock, sets it so.
//! - A sleeper that found items which are not due raises it to the put that makes them due, looks
//!   again, and sleeps no longer than their deadline; from then on it is the one who sees to them.
//!   When it leaves it has either taken items, and wakes another if more are left, or found none.
//! - If it is held up itself, a put that comes a millisecond after the deadline wakes another, which
//!   still needs the lock: nobody takes over from a thread that is held up while it holds that.
//!
//! A sleeper's raising and second look and a put's publication and look at `awaited` are SeqCst:
//! one of the two sees the other.
//!
//! # Linearization
//! Puts as those of the ring. A batch is taken when its first item is, which comes last, so that
//! puts find room for all of it at once; it has everything that was there when the call began, as
//! far as its limits go.
//!
//! # Progress
//! Puts are lock-free in the strict sense, as in [`mpmc`](super::mpmc). Everything else holds the
//! lock for as many steps as a batch has items, and never across the copy of a blob or a callback.
//!
//! # Memory
//! That of an `Indirect` queue with 64 and two batches of cells to spare, and 16 bytes an item.

use super::mpmc::{Indirect, SPARE};
use super::ring::{Nothing, is_after, later};
use super::{Counts, Put, Queue};
use crate::error::{Error, Result};
use crate::payload::Payload;
use crate::plan::{Described, Description, Plan, described};
use crate::sync::{AtomicU64, Clock, Deadline, Mutex, Relaxed, SeqCst, site};
use core::fmt;
use core::ops::ControlFlow::{self, Break, Continue};
use core::time::Duration;
use crossbeam_utils::CachePadded;

/// How late a sleeper may be, in nanoseconds, before another is woken in its stead.
const GRACE: u64 = 1_000_000;

/// When a batch is due, and what it holds at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Items of a batch; at least 1.
    pub size: usize,
    /// How long an item waits for others; `None`: for ever.
    pub age: Option<Duration>,
    /// What a batch weighs at most; at least 1. `None`: weights do not count.
    pub weight: Option<u64>,
}

/// Batches of 32, for which an item waits 10 ms, whatever they weigh.
impl Default for Limits {
    fn default() -> Self {
        Self { size: 32, age: Some(Duration::from_millis(10)), weight: None }
    }
}

/// What a cell's owner writes, and who holds the lock reads once the cell is in the queue.
struct Header {
    /// In nanoseconds of the monotonic clock; 0 if age does not count.
    arrival: AtomicU64,
    weight: AtomicU64,
}

/// What the lock guards. Positions of the ring of filled cells.
struct Front {
    /// Everything before it was taken.
    head: u64,
    /// Everything before it is due.
    flushed: u64,
    /// The items from `head` to here were weighed.
    weighed: u64,
    weight: u64,
    /// The weight of everything that was taken, modulo 2^64.
    taken: u64,
}

/// What a sleeper waits for.
struct Awaited {
    /// The put before this position.
    position: AtomicU64,
    /// The put with which all weights ever put come to this, modulo 2^64.
    weight: AtomicU64,
    /// Any put from this moment on, in nanoseconds of the monotonic clock.
    time: AtomicU64,
}

/// Which batches a call takes.
#[derive(Clone, Copy)]
pub(crate) enum Patience {
    /// One that is due, or none.
    None,
    /// One that is due; from this moment on whatever there is.
    Until(Deadline),
}

/// See the module.
pub struct Batch<P: Payload> {
    items: Indirect<P, Header>,
    size: u64,
    age: Option<u64>,
    /// Items that weigh more count as one more than this.
    weight: Option<u64>,
    front: CachePadded<Mutex<Front>>,
    awaited: CachePadded<Awaited>,
    /// The weights of all puts, those under way too, modulo 2^64.
    put: CachePadded<AtomicU64>,
}

impl<P: Payload> fmt::Debug for Batch<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("items", &self.items).finish_non_exhaustive()
    }
}

impl<P: Payload> Described for Batch<P> {
    fn describe(&self) -> Description {
        let plan = const {
            &Plan::NOTHING
                .within(core::mem::offset_of!(Self, items), Indirect::<P, Header>::PLAN)
                .with("batch_size", core::mem::offset_of!(Self, size))
                .with("slot", size_of::<super::ring::Packed>())
                .with("header", size_of::<Header>())
        };
        described(self, plan)
    }
}

impl<P: Payload> Batch<P> {
    /// An empty queue for up to `max_pending` items. [`Error::Invalid`] if a batch does not fit, or if
    /// sums of weights could overflow.
    pub fn try_new(max_pending: usize, limits: Limits, payload: P) -> Result<Self> {
        Self::try_new_at(max_pending, limits, payload, 0)
    }

    /// [`Batch::try_new`] with another first position, for tests.
    #[doc(hidden)]
    pub fn try_new_at(max_pending: usize, limits: Limits, payload: P, origin: u64) -> Result<Self> {
        let Limits { size, age, weight } = limits;
        if size == 0 || size > max_pending || weight == Some(0) {
            return Err(Error::Invalid);
        }
        let batches = size.checked_mul(2).ok_or(Error::Invalid)?;
        let spare =
            if cfg!(loom) { 2 } else { SPARE }.checked_add(batches).ok_or(Error::Invalid)?;
        if let Some(weight) = weight {
            let heaviest = weight.checked_add(1).ok_or(Error::Invalid)?;
            let cells = max_pending.checked_add(spare).ok_or(Error::Invalid)? as u64;
            // Half of what sums are compared by: puts that find no room weigh too, for a moment.
            let all = heaviest.checked_mul(cells).filter(|&all| all <= i64::MAX as u64 / 2);
            all.ok_or(Error::Invalid)?;
        }
        let header = |_| Header { arrival: AtomicU64::new(0), weight: AtomicU64::new(0) };
        Ok(Self {
            items: Indirect::with_headers(max_pending, spare, payload, origin, header)?,
            size: size as u64,
            age: age.map(|age| u64::try_from(age.as_nanos()).unwrap_or(u64::MAX)),
            weight,
            front: CachePadded::new(Mutex::new(Front {
                head: origin,
                flushed: origin,
                weighed: origin,
                weight: 0,
                taken: 0,
            })),
            awaited: CachePadded::new(Awaited {
                position: AtomicU64::new(origin.wrapping_add(1)),
                weight: AtomicU64::new(weight.unwrap_or(0)),
                time: AtomicU64::new(u64::MAX),
            }),
            put: CachePadded::new(AtomicU64::new(0)),
        })
    }

    /// The most items of a batch.
    pub(crate) fn size(&self) -> usize {
        self.size as usize
    }

    /// What the items are.
    pub(crate) fn payload(&self) -> &P {
        self.items.payload()
    }

    /// Takes a batch of at most `most` items: tells `keep` their places in it and their cells'
    /// numbers, and breaks with how many; each is then to be [finished](Batch::finish).
    ///
    /// Breaks with [`Error::TooSmall`] if `measure` of the items comes to more than `room`, and with
    /// [`Error::Closed`] once closed and drained. If what is there is not due, continues with the
    /// moment when its age makes it so, or breaks with [`Error::Empty`] without patience; continues if
    /// nothing is there at all. `most` is not 0.
    pub(crate) fn take(
        &self,
        patience: Patience,
        most: usize,
        room: usize,
        measure: impl Fn(&P, *const u8) -> usize,
        keep: impl FnMut(usize, u64),
    ) -> ControlFlow<Result<usize>, Deadline> {
        let mut front = self.front.lock();
        let first = match self.items.filled.at(front.head) {
            Ok(first) => first,
            Err(Nothing::Closed) => return Break(Err(Error::Closed)),
            Err(_) => return Continue(Deadline::NEVER),
        };
        if !self.is_due(&mut front) {
            let due = self.deadline(first);
            let end = match patience {
                Patience::None => due,
                Patience::Until(end) => {
                    self.await_more(&front, due);
                    due.earlier(end)
                }
            };
            if !(self.is_due(&mut front) || end.has_passed()) {
                return match patience {
                    Patience::None => Break(Err(Error::Empty)),
                    Patience::Until(_) => Continue(due),
                };
            }
        }

        let limit = self.weight.unwrap_or(u64::MAX);
        let (mut count, mut weight, mut length) = (0, 0, 0);
        while count < self.size.min(most as u64)
            && let Ok(cell) = self.items.filled.at(front.head.wrapping_add(count))
        {
            let heavier = weight + self.weight_of(cell);
            if heavier > limit && count > 0 {
                break;
            }
            // SAFETY: the number is the ring's; while we hold the lock nobody takes the cell.
            length += measure(self.payload(), unsafe { self.items.look_at(cell) }.1);
            (count, weight) = (count + 1, heavier);
        }
        if length > room {
            return Break(Err(Error::TooSmall { needed: length }));
        }
        self.pop(&mut front, count, weight, keep);
        Break(Ok(count as usize))
    }

    /// Takes so many items of so much weight, which are there.
    fn pop(&self, front: &mut Front, count: u64, weight: u64, keep: impl FnMut(usize, u64)) {
        self.items.filled.take(front.head, count, keep);
        front.head = front.head.wrapping_add(count);
        front.taken = front.taken.wrapping_add(weight);
        (front.weighed, front.weight) = (front.head, 0);
        self.awaited.time.store(u64::MAX, site("batch.await.none", Relaxed));
        // Whoever finds none left sleeps for the next put. SeqCst, as in `await_more`.
        let position = front.head.wrapping_add(1);
        self.awaited.position.store(position, site("batch.await.next", SeqCst));
    }

    /// Ends a cell that [`Batch::take`] has given out: `read` moves its item to the caller.
    ///
    /// # Safety
    /// The cell is this thread's own, and not used afterwards; `read` reads the item.
    #[inline(always)]
    pub(crate) unsafe fn finish(&self, cell: u64, read: impl FnOnce(&P, *mut u8)) {
        // SAFETY: passed on.
        unsafe { self.items.finish(cell, read) };
    }

    /// Whether the front item need not wait for others, whatever its age.
    fn is_due(&self, front: &mut Front) -> bool {
        self.items.filled.was_pushed(front.head.wrapping_add(self.size - 1))
            || is_after(front.flushed, front.head)
            || self.weight.is_some_and(|limit| self.weigh(front, limit) >= limit)
            || self.items.filled.is_closed()
    }

    /// What the first items weigh: as many as it takes to reach the limit.
    fn weigh(&self, front: &mut Front, limit: u64) -> u64 {
        while front.weight < limit
            && let Ok(cell) = self.items.filled.at(front.weighed)
        {
            front.weight += self.weight_of(cell);
            front.weighed = front.weighed.wrapping_add(1);
        }
        front.weight
    }

    /// What the item in a cell of the queue weighs; the lock is held.
    #[inline(always)]
    fn weight_of(&self, cell: u64) -> u64 {
        // SAFETY: the number is the ring's; while we hold the lock nobody takes the cell.
        let header = unsafe { self.items.look_at(cell) }.0;
        header.weight.load(site("batch.weight.load", Relaxed))
    }

    /// When the front item, in this cell, is old enough.
    fn deadline(&self, first: u64) -> Deadline {
        let Some(age) = self.age else {
            return Deadline::NEVER;
        };
        // SAFETY: the number is the ring's; while we hold the lock nobody takes the cell.
        let header = unsafe { self.items.look_at(first) }.0;
        let arrival = header.arrival.load(site("batch.deadline.arrival", Relaxed));
        Deadline::at(arrival.saturating_add(age))
    }

    /// The caller sees to the items that are there, until others make them due.
    fn await_more(&self, front: &Front, due: Deadline) {
        // Relaxed, here and in `must_wake_getter`: a help for the worst case, after which comes another.
        let late = due.nanos().saturating_add(GRACE);
        self.awaited.time.store(late, site("batch.await.time", Relaxed));
        // SeqCst, with the second look that follows and a put's two steps: see the module.
        let position = front.head.wrapping_add(self.size);
        self.awaited.position.store(position, site("batch.await.position", SeqCst));
        if let Some(limit) = self.weight {
            let weight = front.taken.wrapping_add(limit);
            self.awaited.weight.store(weight, site("batch.await.weight", SeqCst));
        }
    }

    /// Makes everything that is there due.
    pub fn flush(&self) {
        let mut front = self.front.lock();
        front.flushed = later(front.flushed, self.items.filled.tail_position());
    }
}

// SAFETY: the rings hand every number on once, and with it its cell; their SeqCst swaps order put
// before take.
unsafe impl<P: Payload> Queue for Batch<P> {
    fn end(&self) -> u64 {
        self.items.filled.tail_position()
    }
    unsafe fn clear_to(&self, end: u64, freed: impl Fn(usize)) -> usize {
        let mut count = 0;
        loop {
            let mut front = self.front.lock();
            let Some(cell) =
                self.items.filled.at(front.head).ok().filter(|_| is_after(end, front.head))
            else {
                return count;
            };
            let weight = self.weight_of(cell);
            self.pop(&mut front, 1, weight, |_, _| ());
            drop(front);
            // SAFETY: we own the cell, and its item is nobody's.
            unsafe { self.items.discard(cell, &freed) };
            count += 1;
        }
    }
    fn close(&self) {
        self.items.filled.close();
    }
    fn is_closed(&self) -> bool {
        self.items.filled.is_closed()
    }
    fn capacity(&self) -> usize {
        self.items.filled.capacity()
    }
    fn len(&self) -> usize {
        self.items.filled.len()
    }
    fn counts(&self) -> Counts {
        self.items.filled.counts()
    }
    fn take_panic(&self) -> bool {
        self.payload().take_panic()
    }
    /// True once for each put that somebody waits for: who changes `awaited` wakes.
    #[cold]
    fn must_wake_getter(&self) -> bool {
        loop {
            let position = self.awaited.position.load(site("batch.awaited.position", SeqCst));
            let weight = self.awaited.weight.load(site("batch.awaited.weight", SeqCst));
            let next = position.wrapping_add(self.size);
            let is_there = self.items.filled.was_pushed(position.wrapping_sub(1));
            // Not less than the weight of everything up to this thread's put: whoever pushed to a
            // position had its weight added before, and is seen by who pushes to the next.
            let put = self.put.load(site("batch.awaited.put", Relaxed));
            let limit = self.weight.filter(|_| put.wrapping_sub(weight) as i64 >= 0);
            let time = self.awaited.time.load(site("batch.awaited.time", Relaxed));
            let claimed = if is_there {
                self.awaited.position.replace(position, next, site("batch.claim", SeqCst))
            } else if let Some(limit) = limit {
                let next = weight.wrapping_add(limit);
                self.awaited.weight.replace(weight, next, site("batch.claim.weight", SeqCst))
            } else if time != u64::MAX && Deadline::at(time).has_passed() {
                let next = Clock::now().saturating_add(GRACE);
                self.awaited.time.replace(time, next, site("batch.claim.time", Relaxed))
            } else {
                return false;
            };
            if claimed {
                return true;
            }
        }
    }
}

// SAFETY: as above.
unsafe impl<P: Payload> Put for Batch<P> {
    type Item = P::Item;
    /// The weight. It counts if the batches have a limit of weight.
    type With = u64;

    #[inline(always)]
    unsafe fn try_put(&self, item: &P::Item, weight: u64) -> Result {
        let weight = self.weight.map_or(0, |limit| weight.min(limit + 1));
        if self.weight.is_some() {
            // Before the item can be taken, so that the sum is never too small.
            self.put.fetch_add(weight, site("batch.put.weigh", Relaxed));
        }
        let sign = |header: &Header| {
            let arrival = if self.age.is_some() { Clock::now() } else { 0 };
            header.arrival.store(arrival, site("batch.put.arrival", Relaxed));
            header.weight.store(weight, site("batch.put.weight", Relaxed));
        };
        // SAFETY: passed on.
        let done = unsafe { self.items.put_signed(item, sign) };
        if done.is_err() && self.weight.is_some() {
            self.put.fetch_sub(weight, site("batch.put.unweigh", Relaxed));
        }
        done
    }
}
