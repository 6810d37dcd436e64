//! The slot-only ring: a bounded FIFO of small integers, strictly lock-free, linearizable.
//!
//! # Idea
//! Each slot holds a sequence that names the position it stands for and whether that position is
//! free or full, so one compare-and-swap on a slot is a whole operation. `tail` and `head` are only
//! hints where to start the search. Ancestors: Shann, Huang and Chen 2000 (a slot is a value and a
//! counter), as corrected by Colvin and Groves 2005; Tsigas and Zhang 2001 (head and tail may lag).
//!
//! # State
//! With `slots` = the power of two >= capacity, position p lives in slot p mod `slots`. The slot's
//! *sequence* is 2p while p is free and 2p + 1 while p is full; a pop of p makes the slot free for
//! p + `slots`. The top bit of a sequence, [`CLOSED`], makes pushes to the slot fail from then on.
//! Positions are counted modulo 2^62 and compared by their difference.
//!
//! # Invariants
//! - The sequence of a slot only grows, so a compare-and-swap that succeeds has seen the current
//!   state of the slot: there is no ABA problem.
//! - A hint is never ahead of the true position. It may lag, and may even move back.
//! - At most one slot has `CLOSED` set: the slot at the tail when the ring was closed.
//!
//! # Linearization
//! Push, pop and close at their successful compare-and-swap. *Full* at the load that finds position
//! t - capacity still full, where t is known to be the tail. *Empty* at the load that finds the head
//! free. Loads and swaps of slots are SeqCst: with acquire and release alone, two threads could both
//! push and then both find the ring full (store buffering).
//!
//! # Progress
//! Before its compare-and-swap an operation has published nothing. After it only the hint is stale,
//! and other threads scan past that. A lost race means that another operation succeeded.
//!
//! After finding the ring full or empty, an end pauses once, for 0.1 to 6 µs, before its second
//! success, so that both ends stop contending for the same lines: a temporal slip
//! (`docs/decisions/003-mpmc-under-contention.md`).
//!
//! # Memory
//! 8 or 16 bytes a slot, and three pairs of cache lines.

use crate::error::{Error, Result};
use crate::memory::Array;
use crate::plan::Plan;
#[cfg(any(target_arch = "x86_64", loom, miri))]
use crate::sync::Pair;
use crate::sync::{
    AcqRel, Acquire, AtomicU64, Backoff, Relaxed, Release, SeqCst, pause_for, prefetch_for_write,
    site,
};
use core::fmt;
use core::mem::offset_of;
use crossbeam_utils::CachePadded;

/// The bit of a sequence with which a push fails.
const CLOSED: u64 = 1 << 63;
/// The bits of a position.
const POSITIONS: u64 = (1 << 62) - 1;
/// The largest number of slots: 2^58, with which positions still compare correctly, and which no
/// memory holds; 2^26 where addresses have 32 bits.
const MAX_SLOTS: usize = 1 << (usize::BITS - 6);
/// Items. The bound below which no push checks the peak is raised by more than so many at a time, and
/// not at all up to this peak: then the oldest item lies on the cache lines of the newest, so that
/// a load of its slot costs little.
const SMALL_PEAK: u64 = 8;
/// Slots. A push prefetches the slot this far ahead, in rings of more than four times as many slots;
/// measured in `docs/decisions/003-mpmc-under-contention.md`.
const PREFETCH_AHEAD: u64 = 32;
/// Nanoseconds of a temporal slip of the tail, and of the first one of the head; measured in the same
/// record.
const SHORT_SLIP: u64 = 400;
/// Nanoseconds. No slip takes longer.
const LONGEST_SLIP: u64 = 6000;
/// Nanoseconds for each item of the capacity. No slip takes longer: the other end needs somewhat more
/// to fill or drain the ring, and then it would wait.
const SLIP_PER_ITEM: u64 = 4;
/// Nanoseconds. If an item has come at least as often during a slip of the head, the items are a
/// stream, and the next slip is twice as long.
const STREAM: u64 = 128;
/// Slots. Rings of no more slots do not slip: the other end could not get far ahead in them.
const MAX_SLOTS_WITHOUT_SLIP: u64 = 32;
/// Steps from a stale hint, one slot each, before an operation gallops to the end.
const MAX_STEPS: u32 = 8;

/// The difference `a` - `b` of two sequences, without [`CLOSED`].
#[inline(always)]
fn ahead(a: u64, b: u64) -> i64 {
    (a.wrapping_sub(b) << 1) as i64
}

/// Whether position `a` is after position `b`.
#[inline(always)]
pub(super) fn is_after(a: u64, b: u64) -> bool {
    (a.wrapping_sub(b) << 2) as i64 > 0
}

/// A position that every thread has passed.
fn long_before(position: u64) -> u64 {
    position.wrapping_sub(1 << 60)
}

/// The sequence of a free position.
#[inline(always)]
fn free(position: u64) -> u64 {
    (position << 1) & !CLOSED
}

/// What a slot's sequence says about a position: see [`Seen::relative_to`].
#[inline(always)]
fn relative(sequence: u64, position: u64) -> i64 {
    ahead(sequence, free(position)) >> 1
}

/// The state of a slot. A wide slot takes two loads, so the value may be newer than the sequence; then
/// a compare-and-swap from this state fails.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    sequence: u64,
    value: u64,
}

impl Seen {
    /// The state of `position`: 0 if it is free, 1 if it is full, negative if the slot still holds an
    /// item of an earlier lap, above 1 if the position was popped.
    #[inline(always)]
    fn relative_to(self, position: u64) -> i64 {
        relative(self.sequence, position)
    }
    /// Whether a position with these low bits is full, and holds `value`.
    #[cfg(queues_shared)]
    pub(crate) fn holds(self, position: u32, value: u64) -> bool {
        self.is_full() && self.position() as u32 == position && self.value == value
    }
    #[inline(always)]
    fn is_closed(self) -> bool {
        self.sequence & CLOSED != 0
    }
    fn is_full(self) -> bool {
        self.sequence & 1 != 0
    }
    fn position(self) -> u64 {
        (self.sequence & !CLOSED) >> 1
    }
    /// The sequence after a pop: free for the next lap. `CLOSED` stays.
    #[inline(always)]
    fn after_pop(self, mask: u64) -> u64 {
        (self.sequence & CLOSED) | (self.sequence.wrapping_add(2 * mask + 1) & !CLOSED)
    }
}

/// A slot: how a sequence and a value share it.
pub(crate) trait Slot: Send + Sync + Sized {
    fn new(position: u64, mask: u64) -> Self;
    fn load(&self, position: u64, mask: u64) -> Seen;
    /// The sequence only.
    fn sequence(&self, position: u64, mask: u64) -> u64;
    /// Free to full.
    fn publish(&self, seen: Seen, value: u64, mask: u64) -> bool;
    /// Full to free.
    fn take(&self, seen: Seen, mask: u64) -> bool;
    /// Sets [`CLOSED`].
    fn close(&self, seen: Seen, mask: u64) -> bool;
    /// Whether the slot is unchanged. Then what was read from the cell of the value since is whole.
    fn confirm(&self, seen: Seen, mask: u64) -> bool;
}

/// A slot of 16 bytes: a sequence and a 64-bit value, replaced together.
#[cfg(any(target_arch = "x86_64", loom, miri))]
pub(crate) type Wide = Pair;

#[cfg(any(target_arch = "x86_64", loom, miri))]
impl Slot for Wide {
    fn new(position: u64, _mask: u64) -> Self {
        Pair::new(free(position), 0)
    }
    #[inline(always)]
    fn load(&self, _position: u64, _mask: u64) -> Seen {
        let (sequence, value) = Pair::load(self, site("ring.slot.load", SeqCst));
        Seen { sequence, value }
    }
    #[inline(always)]
    fn sequence(&self, _position: u64, _mask: u64) -> u64 {
        self.load_first(site("ring.slot.load", SeqCst))
    }
    #[inline(always)]
    fn publish(&self, seen: Seen, value: u64, _mask: u64) -> bool {
        let (old, new) = ((seen.sequence, seen.value), (seen.sequence + 1, value));
        self.replace(old, new, site("ring.slot.publish", SeqCst))
    }
    #[inline(always)]
    fn take(&self, seen: Seen, mask: u64) -> bool {
        self.replace_first(seen.sequence, seen.after_pop(mask), site("ring.slot.take", SeqCst))
    }
    fn close(&self, seen: Seen, _mask: u64) -> bool {
        let closed = seen.sequence | CLOSED;
        self.replace_first(seen.sequence, closed, site("ring.slot.close", SeqCst))
    }
    fn confirm(&self, seen: Seen, _mask: u64) -> bool {
        self.replace_first(seen.sequence, seen.sequence, site("ring.slot.confirm", AcqRel))
    }
}

/// A slot of 8 bytes: the sequence, whose low bits hold a value below the number of slots instead of
/// the index of the slot, which the reader knows.
#[derive(Debug)]
pub(crate) struct Packed(AtomicU64);

impl Packed {
    #[inline(always)]
    fn pack(sequence: u64, value: u64, mask: u64) -> u64 {
        debug_assert!(value <= mask);
        (sequence & !(mask << 1)) | (value << 1)
    }
    /// [`Slot::take`] of a slot that no other thread changes meanwhile. Takes effect for others with
    /// the next SeqCst swap of this thread.
    #[inline(always)]
    fn clear(&self, seen: Seen, mask: u64) {
        let new = Self::pack(seen.after_pop(mask), 0, mask);
        // Ordering: Relaxed. No other thread needs this slot before it sees that swap.
        self.0.store(new, site("ring.slot.clear", Relaxed));
    }
}

impl Slot for Packed {
    fn new(position: u64, mask: u64) -> Self {
        Self(AtomicU64::new(Self::pack(free(position), 0, mask)))
    }
    #[inline(always)]
    fn load(&self, position: u64, mask: u64) -> Seen {
        let word = self.0.load(site("ring.slot.load", SeqCst));
        let field = mask << 1;
        Seen { sequence: (word & !field) | ((position << 1) & field), value: (word & field) >> 1 }
    }
    #[inline(always)]
    fn sequence(&self, position: u64, mask: u64) -> u64 {
        self.load(position, mask).sequence
    }
    #[inline(always)]
    fn publish(&self, seen: Seen, value: u64, mask: u64) -> bool {
        let old = Self::pack(seen.sequence, seen.value, mask);
        let new = Self::pack(seen.sequence + 1, value, mask);
        self.0.replace(old, new, site("ring.slot.publish", SeqCst))
    }
    #[inline(always)]
    fn take(&self, seen: Seen, mask: u64) -> bool {
        let old = Self::pack(seen.sequence, seen.value, mask);
        let new = Self::pack(seen.after_pop(mask), 0, mask);
        self.0.replace(old, new, site("ring.slot.take", SeqCst))
    }
    fn close(&self, seen: Seen, mask: u64) -> bool {
        let old = Self::pack(seen.sequence, seen.value, mask);
        self.0.replace(old, old | CLOSED, site("ring.slot.close", SeqCst))
    }
    fn confirm(&self, seen: Seen, mask: u64) -> bool {
        let same = Self::pack(seen.sequence, seen.value, mask);
        // Ordering: AcqRel, pairs with the swap of a later pop: our reads happen before the writes
        // of the next owner of the cell. No load orders the two, with any fence.
        self.0.replace(same, same, site("ring.slot.confirm", AcqRel))
    }
}

/// What both ends have, on cache lines of its own. Only the tail uses the fields of the peak, only the
/// head the last one.
#[repr(C)]
pub struct End {
    hint: AtomicU64,
    /// The position at which an operation of this end last found the ring full or empty.
    failed_at: AtomicU64,
    /// No push below this position makes a new peak.
    no_peak_before: AtomicU64,
    peak: AtomicU64,
    /// Nanoseconds of the next slip; limits apply.
    slip: AtomicU64,
}

impl End {
    pub(crate) fn new(position: u64) -> CachePadded<Self> {
        CachePadded::new(Self {
            hint: AtomicU64::new(position),
            failed_at: AtomicU64::new(long_before(position)),
            no_peak_before: AtomicU64::new(position),
            peak: AtomicU64::new(0),
            slip: AtomicU64::new(0),
        })
    }
    #[inline(always)]
    fn hint(&self) -> u64 {
        // Ordering: Acquire, pairs with the Release in `raise`: a thread that starts at this position
        // sees each slot before it as it was then, or later. With Relaxed a thread could push behind
        // an item that it does not see yet, and then find the ring empty.
        self.hint.load(site("ring.hint.load", Acquire))
    }
    fn note_failure(&self, position: u64) {
        if self.failed_at.load(site("ring.failed.compare", Relaxed)) != position {
            self.failed_at.store(position, site("ring.failed", Relaxed));
        }
    }
    /// Whether this end has had only one success since it found the ring full or empty.
    #[inline(always)]
    fn just_failed(&self, position: u64) -> bool {
        position.wrapping_sub(self.failed_at.load(site("ring.failed.load", Relaxed))) == 1
    }
    /// Moves the hint. A plain store: it may replace a newer hint, past which other threads scan.
    #[inline(always)]
    fn raise(&self, position: u64) {
        // Ordering: Relaxed; a wrong comparison costs a scan.
        if is_after(position, self.hint.load(site("ring.hint.compare", Relaxed))) {
            // Ordering: Release, pairs with the Acquire in `hint`.
            self.hint.store(position, site("ring.hint.raise", Release));
        }
    }
}

/// The ends of a ring: the tail and the head.
#[repr(C)]
pub struct Ends {
    tail: CachePadded<End>,
    head: CachePadded<End>,
}

impl Ends {
    /// For a debugger: where the positions lie. A padded field begins where its padding begins.
    pub(crate) const HEAD: usize = offset_of!(Self, head) + offset_of!(End, hint);
    pub(crate) const TAIL: usize = offset_of!(Self, tail) + offset_of!(End, hint);

    pub(crate) fn new(position: u64) -> Self {
        Self { tail: End::new(position), head: End::new(position) }
    }
}

/// Where the ends of a ring lie: in the ring itself, or in memory that processes share.
pub(crate) trait Room: core::ops::Deref<Target = Ends> + Send + Sync {
    /// Whether other processes can write any words there. Then every loop ends: after [`PATIENCE`]
    /// steps a call fails with [`Error::Corrupt`].
    const IS_SHARED: bool;
    /// For a debugger.
    const PLAN: Plan;
}

/// In the ring itself.
pub(crate) struct Inline(Ends);

impl core::ops::Deref for Inline {
    type Target = Ends;
    #[inline(always)]
    fn deref(&self) -> &Ends {
        &self.0
    }
}

impl Room for Inline {
    const IS_SHARED: bool = false;
    const PLAN: Plan = Plan::EMPTY.with("head", Ends::HEAD).with("tail", Ends::TAIL);
}

/// Lost races and stale hints of one call, in memory that processes share. A call that meets more
/// does not see a ring: another process writes other words there. With a pause of up to 6 µs after
/// each, a call fails after about 0.1 s.
const PATIENCE: u32 = 1 << 14;
/// The same for one search of an end, which takes some 100 steps in a ring.
const PATIENCE_OF_SEARCH: u32 = 1 << 12;

/// Ends the loops of a call on shared memory.
struct Patience<R> {
    left: u32,
    room: core::marker::PhantomData<R>,
}

impl<R: Room> Patience<R> {
    #[inline(always)]
    fn new() -> Self {
        Self::of(PATIENCE)
    }
    #[inline(always)]
    fn of(steps: u32) -> Self {
        Self { left: steps, room: core::marker::PhantomData }
    }
    /// Counts a step. Once it is over it stays so: nested loops share one.
    #[inline(always)]
    fn is_over(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        R::IS_SHARED && self.left == 0
    }
}

/// See the module.
pub(crate) struct SlotRing<S, R = Inline> {
    slots: Array<S>,
    mask: u64,
    capacity: u64,
    origin: u64,
    ends: R,
}

impl<S, R> fmt::Debug for SlotRing<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlotRing").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

impl<S, R: Room> SlotRing<S, R> {
    /// For a debugger.
    pub(crate) const PLAN: Plan = Plan::EMPTY
        .with("slots", offset_of!(Self, slots) + Array::<S>::START)
        .with("mask", offset_of!(Self, mask))
        .with("capacity", offset_of!(Self, capacity))
        .within(offset_of!(Self, ends), R::PLAN);
}

impl<S: Slot> SlotRing<S> {
    /// An empty ring whose first position is `origin`. `slots` is at least `capacity`; the values of
    /// packed slots are below `slots`.
    pub(crate) fn try_new(capacity: usize, slots: usize, origin: u64) -> Result<Self> {
        let slots = slots_for(capacity, slots)?;
        let mask = slots as u64 - 1;
        // Slot i stands for the first position from the origin on that lives in it.
        let first = |i: usize| origin.wrapping_add((i as u64).wrapping_sub(origin) & mask);
        Ok(Self {
            slots: Array::try_new(slots, |i| S::new(first(i), mask))?,
            mask,
            capacity: capacity as u64,
            origin,
            ends: Inline(Ends::new(origin)),
        })
    }
}

/// The number of slots of a ring: a power of two. Fails with [`Error::Invalid`] if there is no such
/// ring.
pub(crate) fn slots_for(capacity: usize, slots: usize) -> Result<usize> {
    if capacity == 0 || capacity > slots || slots > MAX_SLOTS {
        return Err(Error::Invalid);
    }
    Ok(slots.next_power_of_two())
}

impl<S: Slot, R: Room> SlotRing<S, R> {
    /// A ring whose first position is 0, in memory of another owner: slots, a power of two of them,
    /// and ends.
    #[cfg(queues_shared)]
    pub(crate) fn of(capacity: usize, slots: Array<S>, ends: R) -> Self {
        let mask = slots.len() as u64 - 1;
        Self { slots, mask, capacity: capacity as u64, origin: 0, ends }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity as usize
    }

    #[inline(always)]
    fn slot(&self, position: u64) -> &S {
        // SAFETY: the mask is the length less one.
        unsafe { self.slots.get((position & self.mask) as usize) }
    }

    #[inline(always)]
    fn load(&self, position: u64) -> Seen {
        self.slot(position).load(position, self.mask)
    }

    /// The state of a position: see [`Seen::relative_to`].
    #[inline(always)]
    fn look(&self, position: u64) -> i64 {
        relative(self.slot(position).sequence(position, self.mask), position)
    }

    /// The state of the slot in which positions with these low bits live. There are fewer slots.
    #[cfg(queues_shared)]
    pub(crate) fn state_at(&self, position: u32) -> Seen {
        self.load(position.into())
    }

    /// Prefetches the line of a slot that a later push will write.
    #[inline(always)]
    fn prefetch(&self, tail: u64) {
        if self.mask >= 4 * PREFETCH_AHEAD {
            prefetch_for_write(self.slot(tail.wrapping_add(PREFETCH_AHEAD)));
        }
    }

    /// Whether the item `capacity` positions before `tail` is still in the ring.
    #[inline(always)]
    fn is_full_at(&self, tail: u64) -> bool {
        let oldest = tail.wrapping_sub(self.capacity);
        self.capacity != self.mask + 1 && self.look(oldest) == 1
    }

    /// Whether an end must slip before a success at this position: pause before its second success since
    /// it found the ring full or empty. Then more are likely to follow, and the ends should work on
    /// different lines. A single item does not wait.
    #[inline(always)]
    fn must_slip(&self, end: &End, position: u64) -> bool {
        end.just_failed(position) && self.mask >= MAX_SLOTS_WITHOUT_SLIP
    }

    #[cold]
    fn slip_tail(&self, tail: u64) {
        self.ends.tail.note_failure(long_before(tail));
        pause_for(SHORT_SLIP.min(SLIP_PER_ITEM * self.capacity) as u32);
    }

    /// Pauses longer each time, as long as items come in a stream.
    #[cold]
    fn slip_head(&self, head: u64) {
        let end = &self.ends.head;
        end.note_failure(long_before(head));
        let longest = LONGEST_SLIP.min(SLIP_PER_ITEM * self.capacity);
        let planned = end.slip.load(site("ring.slip.load", Relaxed));
        let slip = planned.max(SHORT_SLIP).min(longest);
        pause_for(slip as u32);
        let next = if self.was_pushed(head.wrapping_add(slip / STREAM)) { 2 * slip } else { 0 };
        if next != planned {
            end.slip.store(next, site("ring.slip.store", Relaxed));
        }
    }

    /// Appends a value; returns its position. Fails with `Full` or `Closed`.
    #[inline(always)]
    pub(crate) fn push(&self, value: u64) -> Result<u64> {
        self.push_after(value, |_| ())
    }

    /// [`SlotRing::push`] that calls `before` with each position at which it is about to push.
    #[inline(always)]
    pub(crate) fn push_after(&self, value: u64, before: impl Fn(u64)) -> Result<u64> {
        let mut tail = self.ends.tail.hint();
        let mut backoff = Backoff::new();
        let mut steps = 0;
        let mut patience = Patience::<R>::new();
        loop {
            if patience.is_over() {
                return Err(Error::Corrupt);
            }
            let seen = self.load(tail);
            let relative = seen.relative_to(tail);
            if relative <= 0 {
                if seen.is_closed() {
                    return Err(Error::Closed);
                }
                if relative < 0 || self.is_full_at(tail) {
                    self.ends.tail.note_failure(tail);
                    return Err(Error::Full);
                }
                if self.must_slip(&self.ends.tail, tail) {
                    self.slip_tail(tail);
                }
                before(tail);
                if self.slot(tail).publish(seen, value, self.mask) {
                    self.ends.tail.raise(tail.wrapping_add(1));
                    self.prefetch(tail);
                    return Ok(tail);
                }
                backoff.pause();
                tail = self.ends.tail.hint();
            } else {
                steps += 1;
                backoff.pause();
                tail = self.next_tail(seen, steps);
            }
        }
    }

    /// Fast path of [`SlotRing::push`]: the hint is right, there is room, the peak cannot change, and
    /// no race is lost. Returns false, without effect, when the slow path is needed.
    #[cfg(any(target_arch = "x86_64", loom, miri))]
    #[inline(always)]
    pub(crate) fn push_fast(&self, value: u64) -> bool {
        let tail = self.ends.tail.hint();
        if self.ends.tail.just_failed(tail) || self.may_be_peak(tail) {
            return false;
        }
        let seen = self.load(tail);
        if seen.sequence != free(tail)
            || self.is_full_at(tail)
            || !self.slot(tail).publish(seen, value, self.mask)
        {
            return false;
        }
        self.ends.tail.raise(tail.wrapping_add(1));
        self.prefetch(tail);
        true
    }

    /// Fast path of [`SlotRing::pop`]. Returns `None`, without effect, when the slow path is needed.
    #[cfg(any(target_arch = "x86_64", loom, miri))]
    #[inline(always)]
    pub(crate) fn pop_fast(&self) -> Option<u64> {
        let head = self.ends.head.hint();
        if self.ends.head.just_failed(head) {
            return None;
        }
        let seen = self.load(head);
        if seen.relative_to(head) != 1 || !self.slot(head).take(seen, self.mask) {
            return None;
        }
        self.ends.head.raise(head.wrapping_add(1));
        Some(seen.value)
    }

    /// Removes the front value if `accept`, called with its position and the value, returns `Ok`;
    /// returns the value and its position. Fails with `Empty`, `Closed`, or the error of `accept`.
    #[inline(always)]
    pub(crate) fn pop_if(&self, accept: impl Fn(u64, u64) -> Result) -> Result<(u64, u64)> {
        let mut head = self.ends.head.hint();
        let mut backoff = Backoff::new();
        let mut steps = 0;
        let mut patience = Patience::<R>::new();
        loop {
            if patience.is_over() {
                return Err(Error::Corrupt);
            }
            let seen = self.load(head);
            match seen.relative_to(head) {
                1 => {
                    if self.must_slip(&self.ends.head, head) {
                        self.slip_head(head);
                    }
                    if let Err(refused) = accept(head, seen.value) {
                        if self.slot(head).confirm(seen, self.mask) {
                            return Err(refused);
                        }
                    } else if self.slot(head).take(seen, self.mask) {
                        self.ends.head.raise(head.wrapping_add(1));
                        return Ok((seen.value, head));
                    } else {
                        backoff.pause();
                        head = self.ends.head.hint();
                    }
                }
                0 if seen.is_closed() => return Err(Error::Closed),
                0 => {
                    self.ends.head.note_failure(head);
                    return Err(Error::Empty);
                }
                _ => {
                    steps += 1;
                    backoff.pause();
                    head = self.next_head(seen, steps);
                }
            }
        }
    }

    #[cfg(any(target_arch = "x86_64", loom, miri))]
    #[inline(always)]
    pub(crate) fn pop(&self) -> Result<(u64, u64)> {
        self.pop_if(|_, _| Ok(()))
    }

    /// Runs `copy` on the front value and leaves the value there; returns the result of a run during
    /// which the value stayed in front. Fails with `Empty` or `Closed`.
    pub(crate) fn peek<T>(&self, mut copy: impl FnMut(u64) -> T) -> Result<T> {
        let mut head = self.head_position();
        let mut patience = Patience::<R>::new();
        loop {
            if patience.is_over() {
                return Err(Error::Corrupt);
            }
            let seen = self.load(head);
            match seen.relative_to(head) {
                1 => {
                    let result = copy(seen.value);
                    if self.slot(head).confirm(seen, self.mask) {
                        return Ok(result);
                    }
                }
                0 if seen.is_closed() => return Err(Error::Closed),
                0 => return Err(Error::Empty),
                _ => head = self.head_position(),
            }
        }
    }

    /// The value at a position that no other thread pops. Fails with `Empty` if it is not pushed yet,
    /// with `Closed` if it never will be.
    pub(crate) fn at(&self, position: u64) -> Result<u64> {
        let seen = self.load(position);
        match seen.relative_to(position) {
            1 => Ok(seen.value),
            _ if seen.is_closed() => Err(Error::Closed),
            _ => Err(Error::Empty),
        }
    }

    /// Whether a position was pushed. It may have been popped since.
    pub(crate) fn was_pushed(&self, position: u64) -> bool {
        self.look(position) > 0
    }

    /// Pops everything before position `end` and calls `popped` with each value; returns their number.
    #[cfg(any(target_arch = "x86_64", loom, miri))]
    pub(crate) fn drain(&self, end: u64, mut popped: impl FnMut(u64)) -> usize {
        let mut count = 0;
        let is_before_end =
            |position, _| if is_after(end, position) { Ok(()) } else { Err(Error::Empty) };
        while let Ok((value, _)) = self.pop_if(is_before_end) {
            popped(value);
            count += 1;
        }
        count
    }

    /// Fails with `Full` or `Closed` if a push would, and as exactly. `Ok` promises nothing; it has the
    /// position at which a push is going to try first.
    #[inline(always)]
    pub(crate) fn check_room(&self) -> Result<u64> {
        let tail = self.ends.tail.hint();
        let seen = self.load(tail);
        match seen.relative_to(tail) {
            ..=0 if seen.is_closed() => Err(Error::Closed),
            ..0 => Err(Error::Full),
            0 if self.is_full_at(tail) => Err(Error::Full),
            // Free; or the hint is stale, and the push itself finds the tail.
            _ => Ok(tail),
        }
    }

    /// [`SlotRing::check_room`] whose `Ok` is exact too: there was room at some moment of the call.
    pub(crate) fn check_room_exactly(&self) -> Result {
        let mut patience = Patience::<R>::new();
        loop {
            if patience.is_over() {
                return Err(Error::Corrupt);
            }
            let tail = self.tail_position();
            let seen = self.load(tail);
            match seen.relative_to(tail) {
                ..=0 if seen.is_closed() => return Err(Error::Closed),
                ..0 => return Err(Error::Full),
                0 if self.is_full_at(tail) => return Err(Error::Full),
                0 => return Ok(()),
                // Pushed since `tail_position` returned.
                _ => {}
            }
        }
    }

    /// Makes every later push fail.
    pub(crate) fn close(&self) {
        let mut patience = Patience::<R>::new();
        while !patience.is_over() {
            let tail = self.tail_position();
            let seen = self.load(tail);
            if seen.relative_to(tail) <= 0
                && (seen.is_closed() || self.slot(tail).close(seen, self.mask))
            {
                return;
            }
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        let mut patience = Patience::<R>::new();
        while !patience.is_over() {
            let tail = self.tail_position();
            let seen = self.load(tail);
            if seen.relative_to(tail) <= 0 {
                return seen.is_closed();
            }
        }
        false
    }

    /// The next position to try for the tail, after a slot that is already pushed.
    #[cold]
    fn next_tail(&self, seen: Seen, steps: u32) -> u64 {
        if steps > MAX_STEPS {
            return self.tail_position();
        }
        let pushed = if seen.is_full() { seen.position() } else { self.lap_before(seen) };
        later(pushed.wrapping_add(1), self.ends.tail.hint())
    }

    /// The next position to try for the head, after a slot that is already popped.
    #[cold]
    fn next_head(&self, seen: Seen, steps: u32) -> u64 {
        if steps > MAX_STEPS {
            return self.head_position();
        }
        later(self.lap_before(seen).wrapping_add(1), self.ends.head.hint())
    }

    /// The position that the slot stood for one lap earlier, and which was popped.
    fn lap_before(&self, seen: Seen) -> u64 {
        seen.position().wrapping_sub(self.mask + 1)
    }

    /// The first position that was not pushed at some moment of the call.
    pub(crate) fn tail_position(&self) -> u64 {
        self.gallop(self.ends.tail.hint(), |position| self.was_pushed(position))
    }

    /// The first position that was not popped at some moment of the call.
    pub(crate) fn head_position(&self) -> u64 {
        self.gallop(self.ends.head.hint(), |position| self.look(position) > 1)
    }

    /// The first position from `position` on that is not `past`, where all positions before it are.
    /// Doubles its steps, then halves them: O(log n).
    fn gallop(&self, mut position: u64, past: impl Fn(u64) -> bool) -> u64 {
        let mut patience = Patience::<R>::of(PATIENCE_OF_SEARCH);
        while past(position) && !patience.is_over() {
            position = position.wrapping_add(1);
            let mut step = 1_u64;
            while past(position.wrapping_add(step)) && !patience.is_over() {
                position = position.wrapping_add(step).wrapping_add(1);
                // Wraps only if another process changes the slots meanwhile.
                step = step.wrapping_mul(2);
            }
            while step > 1 {
                step /= 2;
                if past(position.wrapping_add(step)) {
                    position = position.wrapping_add(step).wrapping_add(1);
                }
            }
        }
        position
    }

    /// `(head, tail)`: as they were at one moment if four tries find one, else nearly so.
    fn ends(&self) -> (u64, u64) {
        let mut head = self.head_position();
        for _ in 0..4 {
            let tail = self.tail_position();
            let again = self.head_position();
            if head == again {
                return (head, tail);
            }
            head = again;
        }
        (head, self.tail_position())
    }

    pub(crate) fn len(&self) -> usize {
        let (head, tail) = self.ends();
        let len = if is_after(tail, head) { tail.wrapping_sub(head) & POSITIONS } else { 0 };
        len.min(self.capacity) as usize
    }

    /// The numbers of pushes and pops, and the peak that [`SlotRing::note_peak`] noted.
    pub(crate) fn counts(&self) -> super::Counts {
        let (head, tail) = self.ends();
        super::Counts {
            enqueued: tail.wrapping_sub(self.origin) & POSITIONS,
            dequeued: head.wrapping_sub(self.origin) & POSITIONS,
            peak: self.ends.tail.peak.load(site("ring.peak.load", Relaxed)),
        }
    }

    /// Notes the length after a push at `tail` if it is a new peak.
    ///
    /// It is one if the item `peak` positions before is still in the ring. That is checked only from
    /// `no_peak_before` on, a bound that the last check derived from the head, so that a queue of
    /// steady length hardly ever checks. The bound is not raised for a few items: while the peak is
    /// small, and while the length is just below the peak, each push loads that item's slot instead.
    #[inline(always)]
    pub(crate) fn note_peak(&self, tail: u64) {
        if self.may_be_peak(tail) {
            self.check_peak(tail.wrapping_add(1));
        }
    }

    /// Whether a push at `tail` could make a new peak.
    #[inline(always)]
    fn may_be_peak(&self, tail: u64) -> bool {
        let end = tail.wrapping_add(1);
        if !is_after(end, self.ends.tail.no_peak_before.load(site("ring.peak.bound", Relaxed))) {
            return false;
        }
        let peak = self.ends.tail.peak.load(site("ring.peak.compare", Relaxed));
        let oldest = tail.wrapping_sub(peak);
        peak == 0
            || self.look(oldest) == 1
            || (peak > SMALL_PEAK && self.look(oldest.wrapping_add(SMALL_PEAK)) > 1)
    }

    #[cold]
    fn check_peak(&self, end: u64) {
        let mut peak = self.ends.tail.peak.load(site("ring.peak.old", Relaxed));
        let head = self.head_position();
        let len = if is_after(end, head) { end.wrapping_sub(head) & POSITIONS } else { 0 };
        if len > peak {
            peak = self.ends.tail.peak.fetch_max(len, site("ring.peak.raise", Relaxed)).max(len);
        }
        // Head and peak only grow, so a bound that is stored late is lower than it could be. Once the
        // peak is the capacity there is no new one.
        let bound = if peak >= self.capacity { 1 << 60 } else { peak };
        self.ends
            .tail
            .no_peak_before
            .store(head.wrapping_add(bound), site("ring.peak.store", Relaxed));
    }
}

impl SlotRing<Packed> {
    /// Pops the `count` values from `head` on, which are full; calls `popped` with the index of each
    /// and the value. No other thread pops meanwhile, so `head` is the hint, too. The ring has more
    /// slots than its capacity, so no close sets its bit in a slot that is full.
    ///
    /// Pops the first value last, by the only compare-and-swap: that is the linearization point. A
    /// push needs the slot of a later value only after a push that saw the first one popped, and
    /// thereby all others. So pushes find room for all of them at once.
    pub(crate) fn pop_run(&self, head: u64, count: u64, mut popped: impl FnMut(usize, u64)) {
        debug_assert!(self.mask >= self.capacity);
        for i in (0..count).rev() {
            let position = head.wrapping_add(i);
            let seen = self.load(position);
            if i > 0 {
                self.slot(position).clear(seen, self.mask);
            } else {
                let taken = self.slot(position).take(seen, self.mask);
                debug_assert!(taken, "only the caller changes a full slot");
            }
            popped(i as usize, seen.value);
        }
        self.ends.head.raise(head.wrapping_add(count));
    }
}

/// The later of two positions.
pub(super) fn later(a: u64, b: u64) -> u64 {
    if is_after(a, b) { a } else { b }
}

#[cfg(all(test, queues_shared))]
mod tests {
    use super::*;

    #[test]
    fn a_search_that_has_run_out_of_patience_stays_so() {
        let mut patience = Patience::<crate::shared::Mapped<Ends>>::of(2);
        assert_eq!([(); 4].map(|()| patience.is_over()), [false, true, true, true]);
    }
}
