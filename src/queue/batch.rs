//! Queue whose items are taken in batches: when there are enough of them, or when the oldest has
//! waited long enough.
//!
//! # Idea
//! A slot-only ring ([`ring`](super::ring)) of indices of cells, which hold the items with their
//! arrival times and weights. A put claims a free cell (`batch/pool.rs`) and pushes its index.
//! Consumers hold a short lock while they decide what a batch is, so batches are whole and in order,
//! and a batch leaves the ring by plain stores. The time runs from the arrival of the item that is in
//! front *now*: no timer has to be reset when a batch leaves items behind. (Triton Inference Server's
//! dynamic batcher has deadlines of the oldest item; producers of message brokers have limits by
//! count and by weight.)
//!
//! # When a batch is due
//! When `size` items are pending; or items that weigh `weight` together; or the front item is `age`
//! old; or it was put before the last [`Batch::flush`]; or the queue is closed. The batch is then the
//! longest prefix of the queue with at most `size` items and at most `weight`; a single heavier item
//! is a batch of its own. A full queue holds at least `size` items, so it has a batch that is due.
//!
//! # Which put wakes a waiter
//! A put wakes one waiter if `wake_at` names it, and then moves `wake_at` on, so that there is one
//! wake-up for a batch and not one for each item.
//! - While the queue is empty, `wake_at` is the next put: each take sets it, under the lock. If
//!   that put makes no batch due, it moves `wake_at` to the put that does. It then also sets the
//!   timer of the descriptor, if there is one, to the time at which its own item makes a batch due
//!   by its age.
//! - A waiter that finds items which are not due moves it to the put that makes them due, checks
//!   again, and sleeps until their deadline at most. From then on it is responsible for them. When it
//!   leaves, it has taken items, and wakes another waiter if more are left; or it found none.
//! - If that waiter is delayed, a put that comes 1 ms after the deadline wakes another one, which
//!   still needs the lock: no thread can replace one that is delayed while it holds the lock.
//!
//! A waiter moves `wake_at` and then checks again; a put publishes and then loads `wake_at`. All four
//! are SeqCst, so one of the two sees the other.
//!
//! # Time
//! When a batch is due depends on the clock, so this file reads it, and computes until when a waiter
//! may sleep and which put must wake it. It never sleeps.
//!
//! # Linearization
//! Puts as pushes of the ring. A batch is taken when its first item is popped. That is the last step,
//! so that puts find room for all of it at once. The batch has every item that was there when the
//! call began, up to its limits.
//!
//! # Progress
//! Puts are lock-free in the strict sense. A put that is suspended keeps a cell, and a suspended get
//! keeps those of its batch; no other call waits for them, and a put passes each of them in one step.
//! Every other call holds the lock for O(items of a batch) steps, and never during the copy of a blob
//! or a callback.
//!
//! # Memory
//! Let c be the capacity, 64 and two batches. c cells with 16 bytes more each, and 8 bytes for each
//! slot of a ring of c, rounded up to a power of two.

mod destination;
mod pool;

pub use destination::{Blob, Destination, ToBuffer, ToPointers, ToVec};

use self::pool::{AGELESS, Header, Pool};
use super::mpmc::SPARE;
use super::ring::{Packed, SlotRing, is_after, later};
use super::{Counts, Put, Queue, WakeGetter};
use crate::error::{Error, Result};
use crate::payload::Payload;
use crate::plan::{Described, Description, Plan, described};
use crate::sync::{AtomicU64, Clock, Deadline, Mutex, Relaxed, SeqCst, site};
use core::fmt;
use core::ops::ControlFlow::{self, Break, Continue};
use core::time::Duration;
use crossbeam_utils::CachePadded;

/// Nanoseconds after the deadline of the front item after which a put wakes another waiter: 1 ms.
const MAX_LATENESS: u64 = 1_000_000;

/// When a batch is due, and how large it is at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest number of items of a batch; at least 1.
    pub size: usize,
    /// How long an item waits for others; `None`: without a limit.
    pub age: Option<Duration>,
    /// The largest weight of a batch; at least 1. `None`: weights do not count.
    pub weight: Option<u64>,
}

impl Limits {
    pub(crate) const DEFAULT: Self =
        Self { size: 32, age: Some(Duration::from_millis(10)), weight: None };
}

/// Batches of 32 items of any weight, for which an item waits 10 ms.
impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What the lock guards. `head`, `flushed` and `weighed` are positions of the ring of filled cells.
struct Front {
    /// Everything before it was taken.
    head: u64,
    /// Everything before it is due.
    flushed: u64,
    /// The items from `head` to here weigh `weight`.
    weighed: u64,
    weight: u64,
    /// The weight of everything that was taken, modulo 2^64.
    taken: u64,
}

/// The put that must wake a waiter: whichever of these comes first.
struct WakeAt {
    /// The put before this position.
    position: AtomicU64,
    /// The put with which the weights of all puts ever reach this sum, modulo 2^64.
    weight: AtomicU64,
    /// The first put after this moment, in nanoseconds of the monotonic clock.
    time: AtomicU64,
}

/// What a call waits for.
#[derive(Clone, Copy)]
pub(crate) enum WaitFor {
    /// A batch that is due, and the call does not wait for it.
    DueOnly,
    /// A batch that is due; from this moment on, any items.
    AnyAfter(Deadline),
}

/// See the module.
pub struct Batch<P: Payload> {
    /// The cells of the items that are pending.
    filled: SlotRing<Packed>,
    pool: Pool<P>,
    size: u64,
    age: Option<u64>,
    /// An item that weighs more counts as this and one.
    weight: Option<u64>,
    front: CachePadded<Mutex<Front>>,
    wake_at: CachePadded<WakeAt>,
    /// The sum of the weights of all puts, including puts in flight, modulo 2^64.
    put: CachePadded<AtomicU64>,
}

impl<P: Payload> fmt::Debug for Batch<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("filled", &self.filled).finish_non_exhaustive()
    }
}

impl<P: Payload> Described for Batch<P> {
    fn describe(&self) -> Description {
        let plan = const {
            &Plan::EMPTY
                .within(core::mem::offset_of!(Self, filled), SlotRing::<Packed>::PLAN)
                .within(core::mem::offset_of!(Self, pool), Pool::<P>::PLAN)
                .with("batch_size", core::mem::offset_of!(Self, size))
                .with("slot", size_of::<Packed>())
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

    /// The number of items that makes a batch due, and the most items of a batch.
    pub fn batch_size(&self) -> usize {
        self.size as usize
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
        let cells = max_pending.checked_add(spare).ok_or(Error::Invalid)?;
        if let Some(weight) = weight {
            let heaviest = weight.checked_add(1).ok_or(Error::Invalid)?;
            // Half of the range in which sums compare correctly: a put that finds no room adds its
            // weight for a moment, too.
            let all = heaviest.checked_mul(cells as u64).filter(|&all| all <= i64::MAX as u64 / 2);
            all.ok_or(Error::Invalid)?;
        }
        Ok(Self {
            // First, because only here a size can overflow.
            pool: Pool::try_new(payload, cells)?,
            filled: SlotRing::try_new(max_pending, cells, origin)?,
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
            wake_at: CachePadded::new(WakeAt {
                position: AtomicU64::new(origin.wrapping_add(1)),
                weight: AtomicU64::new(weight.unwrap_or(0)),
                time: AtomicU64::new(u64::MAX),
            }),
            put: CachePadded::new(AtomicU64::new(0)),
        })
    }

    /// The largest number of items of a batch.
    pub(crate) fn size(&self) -> usize {
        self.size as usize
    }

    pub(crate) fn payload(&self) -> &P {
        self.pool.payload()
    }

    /// Takes a batch: notes its cells in `to` and breaks with their number. [`Batch::copy_out`] must
    /// follow. `to` has one place at least.
    ///
    /// Breaks with [`Error::TooSmall`] if `to` has too few bytes, with [`Error::Closed`] once closed
    /// and drained, and with [`Error::Empty`] if only a due batch is wanted and what is pending is not
    /// due. Otherwise continues with the moment at which what is pending becomes due by its age;
    /// [`Deadline::NEVER`] if nothing is pending.
    pub(crate) fn take(
        &self,
        wait_for: WaitFor,
        to: &mut impl Destination<P>,
    ) -> ControlFlow<Result<usize>, Deadline> {
        let mut front = self.front.lock();
        let first = match self.filled.at(front.head) {
            Ok(first) => first,
            Err(Error::Closed) => return Break(Err(Error::Closed)),
            Err(_) => return Continue(Deadline::NEVER),
        };
        if !self.is_due(&mut front) {
            let due = self.deadline(first);
            let end = match wait_for {
                WaitFor::DueOnly => due,
                WaitFor::AnyAfter(end) => {
                    self.wake_when_due(&front, due);
                    due.earlier(end)
                }
            };
            if !(self.is_due(&mut front) || end.has_passed()) {
                return match wait_for {
                    WaitFor::DueOnly => Break(Err(Error::Empty)),
                    WaitFor::AnyAfter(_) => Continue(due),
                };
            }
        }

        let limit = self.weight.unwrap_or(u64::MAX);
        let (mut count, mut weight, mut length) = (0, 0, 0);
        let max = self.size.min(to.max_items() as u64);
        while count < max {
            let Ok(cell) = self.filled.at(front.head.wrapping_add(count)) else { break };
            let heavier = weight + self.weight_of(cell);
            if heavier > limit && count > 0 {
                break;
            }
            // SAFETY: the index is the ring's; while we hold the lock no thread takes the cell.
            length += unsafe { to.bytes_of(self.payload(), self.pool.item(cell)) };
            (count, weight) = (count + 1, heavier);
        }
        if length > to.max_bytes() {
            return Break(Err(Error::TooSmall { needed: length }));
        }
        self.pop(&mut front, count, weight, |i, cell| to.note(i, cell));
        Break(Ok(count as usize))
    }

    /// Pops the first `count` items, which weigh `weight`; calls `popped` with the index and the cell of
    /// each.
    fn pop(&self, front: &mut Front, count: u64, weight: u64, popped: impl FnMut(usize, u64)) {
        self.filled.pop_run(front.head, count, popped);
        front.head = front.head.wrapping_add(count);
        front.taken = front.taken.wrapping_add(weight);
        (front.weighed, front.weight) = (front.head, 0);
        self.wake_at.time.store(u64::MAX, site("batch.wake_at.set.never", Relaxed));
        // A consumer that finds no item waits for the next put. SeqCst, as in `wake_when_due`. A
        // swap, because loom lets a store come before a claim that it has overtaken.
        let position = front.head.wrapping_add(1);
        self.wake_at.position.swap(position, site("batch.wake_at.set.next", SeqCst));
        if let Some(limit) = self.weight {
            let weight = front.taken.wrapping_add(limit);
            self.wake_at.weight.store(weight, site("batch.wake_at.set.next.weight", SeqCst));
        }
    }

    /// Moves the items of a batch of `count` that [`Batch::take`] took to where it goes, and frees
    /// their cells.
    pub(crate) fn copy_out(&self, to: &mut impl Destination<P>, count: usize) {
        to.reserve(count);
        for i in 0..count {
            // SAFETY: `take` made this thread the owner of the cell; its item is read once.
            unsafe { self.pool.empty(to.noted(i), |payload, cell| to.read(i, payload, cell)) };
        }
    }

    /// Whether a batch is due for another reason than its age.
    fn is_due(&self, front: &mut Front) -> bool {
        self.filled.was_pushed(front.head.wrapping_add(self.size - 1))
            || is_after(front.flushed, front.head)
            || self.weight.is_some_and(|limit| self.weigh(front, limit) >= limit)
            || self.filled.is_closed()
    }

    /// The weight of the first items; stops once it reaches the limit.
    fn weigh(&self, front: &mut Front, limit: u64) -> u64 {
        while front.weight < limit {
            let Ok(cell) = self.filled.at(front.weighed) else { break };
            front.weight += self.weight_of(cell);
            front.weighed = front.weighed.wrapping_add(1);
        }
        front.weight
    }

    /// The weight of the item in a cell of the queue; 0 if weights do not count. The caller holds the
    /// lock.
    #[inline(always)]
    fn weight_of(&self, cell: u64) -> u64 {
        if self.weight.is_none() {
            return 0;
        }
        // SAFETY: the index is the ring's; while we hold the lock no thread takes the cell.
        let header = unsafe { self.pool.header(cell) };
        header.weight.load(site("batch.weight.load", Relaxed))
    }

    /// When the front item, in this cell, makes a batch due by its age.
    fn deadline(&self, first: u64) -> Deadline {
        let Some(age) = self.age else {
            return Deadline::NEVER;
        };
        // SAFETY: the index is the ring's; while we hold the lock no thread takes the cell.
        let header = unsafe { self.pool.header(first) };
        let arrival = header.arrival.load(site("batch.deadline.arrival", Relaxed));
        Deadline::at(arrival.saturating_add(age))
    }

    /// `Break` if a batch is due or the queue is closed, else when a batch will be due by its age.
    fn look(&self, front: &mut Front) -> ControlFlow<(), Deadline> {
        let due = match self.filled.at(front.head) {
            Ok(_) if self.is_due(front) => return Break(()),
            Ok(first) => self.deadline(first),
            Err(Error::Closed) => return Break(()),
            Err(_) => return Continue(Deadline::NEVER),
        };
        if due.has_passed() { Break(()) } else { Continue(due) }
    }

    /// Sets `wake_at` to the put that makes what is pending due. Until then the caller is
    /// responsible for what is pending. Returns whether `wake_at` stood at another put before.
    fn wake_when_due(&self, front: &Front, due: Deadline) -> bool {
        // Relaxed, here and in `wake_getter`: a put that misses it leaves the wake to a later put.
        let late = due.nanos().saturating_add(MAX_LATENESS);
        self.wake_at.time.store(late, site("batch.wake_at.set.time", Relaxed));
        // SeqCst, as the second check that follows and the two steps of a put: see the module.
        let position = front.head.wrapping_add(self.size);
        let before =
            self.wake_at.position.swap(position, site("batch.wake_at.set.position", SeqCst));
        if let Some(limit) = self.weight {
            let weight = front.taken.wrapping_add(limit);
            self.wake_at.weight.store(weight, site("batch.wake_at.set.weight", SeqCst));
        }
        before != position
    }

    /// A put after its weight was added to the sum of all.
    ///
    /// # Safety
    /// As [`Put::try_put`].
    #[inline(always)]
    unsafe fn put_weighed(&self, item: &P::Item, weight: u64) -> Result {
        let tail = self.filled.check_room()?;
        let arrival = if self.age.is_some() { Clock::now().max(AGELESS) } else { AGELESS };
        let cell = match self.pool.claim(tail, arrival) {
            Some(cell) => cell,
            None => self.search_cell(arrival)?,
        };
        // SAFETY: we own the cell.
        unsafe {
            if self.weight.is_some() {
                self.pool.header(cell).weight.store(weight, site("batch.put.weight", Relaxed));
            }
            self.pool.fill(cell, item);
        }
        match self.filled.push(cell) {
            Ok(position) => {
                self.filled.note_peak(position);
                Ok(())
            }
            Err(refused) => {
                // The item was copied bitwise: the cell forgets the copy, the caller keeps the item.
                // SAFETY: we own the cell.
                unsafe { self.pool.empty(cell, |_, _| ()) };
                Err(refused)
            }
        }
    }

    /// Claims a cell after a search found none. Fails with `Full` if a search found none during which
    /// no put succeeded. Then each cell that it passed had one of the items that were pending when it
    /// began, which are at most the capacity, or was held by a call in flight.
    #[cold]
    fn search_cell(&self, arrival: u64) -> Result<u64> {
        loop {
            let tail = self.filled.tail_position();
            if let Some(cell) = self.pool.claim(tail, arrival) {
                return Ok(cell);
            }
            self.filled.check_room_exactly()?;
            if self.filled.tail_position() == tail {
                return Err(Error::Full);
            }
        }
    }

    /// Makes everything that is pending due.
    pub fn flush(&self) {
        let mut front = self.front.lock();
        front.flushed = later(front.flushed, self.filled.tail_position());
    }
}

// SAFETY: the ring returns every index from one pop, and with it the ownership of the cell; its SeqCst
// accesses order put before take.
unsafe impl<P: Payload> Queue for Batch<P> {
    fn end(&self) -> u64 {
        self.filled.tail_position()
    }
    unsafe fn clear_to(&self, end: u64, freed: impl Fn(usize)) -> usize {
        let mut count = 0;
        loop {
            let mut front = self.front.lock();
            let Some(cell) = self.filled.at(front.head).ok().filter(|_| is_after(end, front.head))
            else {
                return count;
            };
            let weight = self.weight_of(cell);
            self.pop(&mut front, 1, weight, |_, _| ());
            drop(front);
            freed(1); // there is room
            // SAFETY: we own the cell and its item.
            unsafe { self.pool.empty(cell, |payload, at| payload.discard(at)) };
            freed(1); // and a free cell for it
            count += 1;
        }
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
    /// Each time that `wake_at` is reached, returns `Now` or `At` once: to the put that moves
    /// `wake_at` on.
    #[cold]
    fn wake_getter(&self) -> WakeGetter {
        loop {
            let position = self.wake_at.position.load(site("batch.wake_at.position", SeqCst));
            let weight = self.wake_at.weight.load(site("batch.wake_at.weight", SeqCst));
            let is_there = self.filled.was_pushed(position.wrapping_sub(1));
            // At least the weight of everything up to this thread's put: a put adds its weight before it
            // pushes, and a push sees the pushes to the positions before it.
            let put = self.put.load(site("batch.wake_at.put", Relaxed));
            let limit = self.weight.filter(|_| put.wrapping_sub(weight) as i64 >= 0);
            let time = self.wake_at.time.load(site("batch.wake_at.time", Relaxed));
            let mut wake = WakeGetter::Now;
            let claimed = if let Some(limit) = limit {
                let next = weight.wrapping_add(limit);
                self.wake_at.weight.replace(
                    weight,
                    next,
                    site("batch.wake_at.claim.weight", SeqCst),
                )
            } else if is_there {
                let mut next = position.wrapping_add(self.size);
                if self.size > 1 && self.filled.len() == 1 {
                    // The only item is that of this put, or one that was put at the same time.
                    next = next.wrapping_sub(1);
                    let due = |age: u64| Deadline::at(Clock::now().saturating_add(age));
                    let due = self.age.map_or(Deadline::NEVER, due);
                    // If this thread stops before it wakes a waiter, a later put does.
                    let late = due.nanos().saturating_add(MAX_LATENESS);
                    self.wake_at.time.store(late, site("batch.wake_at.set.late", Relaxed));
                    wake = WakeGetter::At(due);
                }
                self.wake_at.position.replace(position, next, site("batch.wake_at.claim", SeqCst))
            } else if time != u64::MAX && Deadline::at(time).has_passed() {
                let next = Clock::now().saturating_add(MAX_LATENESS);
                self.wake_at.time.replace(time, next, site("batch.wake_at.claim.time", Relaxed))
            } else {
                return WakeGetter::No;
            };
            if claimed {
                return wake;
            }
        }
    }
    fn look_for_item(&self) -> ControlFlow<(), Deadline> {
        self.look(&mut self.front.lock())
    }
    fn watch_for_item(&self) -> (ControlFlow<(), Deadline>, bool) {
        let mut front = self.front.lock();
        match self.look(&mut front) {
            Continue(due) if due != Deadline::NEVER || self.filled.at(front.head).is_ok() => {
                let moved = self.wake_when_due(&front, due);
                (self.look(&mut front), moved)
            }
            outcome => (outcome, false),
        }
    }
    fn has_room(&self) -> bool {
        let tail = self.filled.tail_position();
        (self.filled.len() < self.filled.capacity() && self.pool.has_free_cell(tail))
            || self.filled.is_closed()
    }
    const IS_TIMED: bool = true;
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
            // Before the item can be taken, so that the sum is never below the weights in the queue.
            self.put.fetch_add(weight, site("batch.put.weigh", Relaxed));
        }
        // SAFETY: passed on.
        let done = unsafe { self.put_weighed(item, weight) };
        if done.is_err() && self.weight.is_some() {
            self.put.fetch_sub(weight, site("batch.put.unweigh", Relaxed));
        }
        done
    }
}

impl<P: Payload> Drop for Batch<P> {
    fn drop(&mut self) {
        while let Ok((cell, _)) = self.filled.pop_if(|_, _| Ok(())) {
            // SAFETY: no other thread has the queue; the cell came from the ring.
            unsafe { self.pool.empty(cell, |payload, at| payload.discard(at)) };
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::payload::Pointer;

    const LIMITS: Limits = Limits { size: 2, age: None, weight: Some(9) };

    fn put(queue: &Batch<Pointer>, number: usize) -> Result {
        // SAFETY: any thread may put.
        unsafe { queue.try_put(&core::ptr::without_provenance_mut(number), 1) }
    }

    fn take(queue: &Batch<Pointer>) -> Vec<usize> {
        let mut items = [core::ptr::null_mut(); 2];
        // SAFETY: two places.
        let mut to = unsafe { ToPointers::new(items.as_mut_ptr(), 2) };
        let Break(Ok(count)) = queue.take(WaitFor::DueOnly, &mut to) else { return vec![] };
        queue.copy_out(&mut to, count);
        items[..count].iter().map(|item| item.addr()).collect()
    }

    /// Claims cells until none is left, as puts do that are suspended then.
    fn suspend_puts(queue: &Batch<Pointer>) -> Vec<u64> {
        std::iter::from_fn(|| queue.pool.claim(7, AGELESS)).collect()
    }

    fn free(queue: &Batch<Pointer>, cell: u64) {
        // SAFETY: the test claimed the cell, and put no item there.
        unsafe { queue.pool.empty(cell, |_, _| ()) };
    }

    #[test]
    fn full_is_exact_while_calls_hold_all_spare_cells_but_one() {
        let queue = Batch::try_new_at(3, LIMITS, Pointer::default(), u64::MAX - 5).unwrap();
        let mut cells = suspend_puts(&queue);
        assert_eq!(cells.len(), 3 + SPARE + 2 * LIMITS.size);
        cells.drain(..3).for_each(|cell| free(&queue, cell));
        // Each put meets all suspended ones, and passes the wrap of the positions.
        for number in 0..20 {
            let items = [number, number + 1, number + 2];
            assert!(queue.has_room());
            items.iter().for_each(|&item| assert_eq!(put(&queue, item), Ok(())));
            assert_eq!(put(&queue, 9), Err(Error::Full));
            assert!(!queue.has_room());
            assert_eq!(take(&queue), items[..2]);
            queue.flush();
            assert_eq!(take(&queue), items[2..]);
        }
        assert_eq!(queue.counts().peak, 3);
        // The sum of the weights has no put that failed.
        assert_eq!(queue.put.load(Relaxed), 60);
    }

    #[test]
    fn a_put_that_finds_no_free_cell_fails_without_effect_until_one_is_free() {
        let queue = Batch::try_new(3, LIMITS, Pointer::default()).unwrap();
        assert_eq!(put(&queue, 1), Ok(()));
        let cells = suspend_puts(&queue);
        assert_eq!((put(&queue, 2), queue.len(), queue.has_room()), (Err(Error::Full), 1, false));
        free(&queue, *cells.last().unwrap());
        assert!(queue.has_room());
        assert_eq!((put(&queue, 3), queue.len()), (Ok(()), 2));
        assert_eq!(put(&queue, 4), Err(Error::Full));
        queue.close();
        assert_eq!(put(&queue, 5), Err(Error::Closed));
        assert_eq!(take(&queue), [1, 3]);
        assert_eq!(queue.put.load(Relaxed), 2);
    }
}
