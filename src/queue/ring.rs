//! The slot-only ring: a bounded FIFO of small integers, strictly lock-free, linearizable.
//!
//! # Idea
//! Every slot says by itself which position of the endless sequence it stands for and whether that
//! position is free or full, so one compare-and-swap on the slot is the whole operation; `tail` and
//! `head` are mere hints of where to begin looking. Ancestors: Shann, Huang and Chen 2000 (a slot
//! is a value and a counter), as corrected by Colvin and Groves 2005; Tsigas and Zhang 2001 (head
//! and tail may lag).
//!
//! # State
//! With `slots` = the power of two >= capacity, position p lives in slot p mod `slots`. The slot's
//! *sequence* is 2p while p is free and 2p + 1 while p is full; taking p makes the slot free for
//! p + `slots`. The top bit of a sequence, [`CLOSED`], turns pushers away from the slot for ever.
//! Positions are taken modulo 2^62 and compared by their difference.
//!
//! # Invariants
//! - A slot's sequence only grows, so a compare-and-swap that succeeds saw the slot's current
//!   state: no ABA.
//! - A hint is never ahead of the position that it hints at; it may lag or even fall back.
//! - At most one slot carries `CLOSED`: the one at the tail when the ring was closed.
//!
//! # Linearization
//! Push and pop at their successful compare-and-swap; *full* at the load that shows position
//! t - capacity still full, when t is known to be the tail; *empty* at the load that shows the head
//! free; close at its compare-and-swap. The loads and swaps of slots are SeqCst: with acquire and
//! release alone two threads may both push and then both be told *full* (store buffering).
//!
//! # Progress
//! Before its one compare-and-swap an operation has published nothing, and after it only a hint is
//! stale, past which others scan. A lost race means that another operation succeeded.
//!
//! An end that had to turn back and then comes through twice pauses once, for about 0.4 µs, so that
//! the other end gets ahead (`docs/decisions/003-mpmc-under-contention.md`).
//!
//! # Memory
//! 8 or 16 bytes a slot, and three pairs of cache lines.

use crate::error::{Error, Result};
use crate::memory::Array;
use crate::plan::Plan;
#[cfg(any(target_arch = "x86_64", loom, miri))]
use crate::sync::Pair;
use crate::sync::{
    AcqRel, Acquire, AtomicU64, Backoff, Relaxed, Release, SeqCst, pause, prefetch_for_write, site,
};
use core::fmt;
use core::mem::offset_of;
use crossbeam_utils::CachePadded;

/// The bit of a sequence that turns pushers away.
const CLOSED: u64 = 1 << 63;
/// The bits of a position.
const POSITIONS: u64 = (1 << 62) - 1;
/// Few enough that positions compare well; memory runs out long before.
const MOST: usize = 1 << 58;
/// A peak up to this has its oldest item on the same cache lines as its youngest.
const NEAR_PEAK: u64 = 8;
/// How many slots ahead a push asks for; see `docs/decisions/003-mpmc-under-contention.md`.
const LOOK_AHEAD: u64 = 32;
/// How many pauses let the other end get ahead, in rings of more slots than so many.
const SLIP: u32 = 16;
const FEWEST_TO_SLIP: u64 = 32;
/// After so many steps beside the hint, look for the end by galloping.
const PATIENCE: u32 = 8;

/// `a` - `b` of two sequences, [`CLOSED`] left aside.
#[inline(always)]
fn ahead(a: u64, b: u64) -> i64 {
    (a.wrapping_sub(b) << 1) as i64
}

/// Whether position `a` is after position `b`.
#[inline(always)]
pub(super) fn is_after(a: u64, b: u64) -> bool {
    (a.wrapping_sub(b) << 2) as i64 > 0
}

/// A position that nobody is at any more.
fn long_before(position: u64) -> u64 {
    position.wrapping_sub(1 << 60)
}

/// The sequence of a free position.
#[inline(always)]
fn free(position: u64) -> u64 {
    (position << 1) & !CLOSED
}

/// A slot as one load found it.
#[derive(Clone, Copy)]
pub(crate) struct Seen {
    sequence: u64,
    value: u64,
}

impl Seen {
    /// How far the slot is ahead of `position` being free: negative while a lap behind, 0 free, 1
    /// full.
    #[inline(always)]
    fn relative_to(self, position: u64) -> i64 {
        ahead(self.sequence, free(position)) >> 1
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
    /// The sequence once the item is taken: free for the next lap, closed if it was.
    #[inline(always)]
    fn taken(self, mask: u64) -> u64 {
        (self.sequence & CLOSED) | (self.sequence.wrapping_add(2 * mask + 1) & !CLOSED)
    }
}

/// How a sequence and a value share a slot.
pub(crate) trait Slot: Send + Sync + Sized {
    fn new(position: u64, mask: u64) -> Self;
    fn load(&self, position: u64, mask: u64) -> Seen;
    /// Free to full.
    fn publish(&self, seen: Seen, value: u64, mask: u64) -> bool;
    /// Full to free.
    fn take(&self, seen: Seen, mask: u64) -> bool;
    /// Sets [`CLOSED`].
    fn shut(&self, seen: Seen, mask: u64) -> bool;
    /// Whether the slot is as seen, still; then whatever was read of the value's cell meanwhile is
    /// whole.
    fn confirm(&self, seen: Seen, mask: u64) -> bool;
}

/// A sequence and a word of 64 bits, replaced together.
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
    fn publish(&self, seen: Seen, value: u64, _mask: u64) -> bool {
        let (old, new) = ((seen.sequence, seen.value), (seen.sequence + 1, value));
        self.replace(old, new, site("ring.slot.publish", SeqCst))
    }
    #[inline(always)]
    fn take(&self, seen: Seen, mask: u64) -> bool {
        self.replace_first(seen.sequence, seen.taken(mask), site("ring.slot.take", SeqCst))
    }
    fn shut(&self, seen: Seen, _mask: u64) -> bool {
        let shut = seen.sequence | CLOSED;
        self.replace_first(seen.sequence, shut, site("ring.slot.shut", SeqCst))
    }
    fn confirm(&self, seen: Seen, _mask: u64) -> bool {
        self.replace_first(seen.sequence, seen.sequence, site("ring.slot.confirm", AcqRel))
    }
}

/// One word: the sequence, with the slot's number (which the slot knows of itself) replaced by a
/// value below the number of slots.
#[derive(Debug)]
pub(crate) struct Packed(AtomicU64);

impl Packed {
    #[inline(always)]
    fn pack(sequence: u64, value: u64, mask: u64) -> u64 {
        debug_assert!(value <= mask);
        (sequence & !(mask << 1)) | (value << 1)
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
    fn publish(&self, seen: Seen, value: u64, mask: u64) -> bool {
        let old = Self::pack(seen.sequence, seen.value, mask);
        let new = Self::pack(seen.sequence + 1, value, mask);
        self.0.replace(old, new, site("ring.slot.publish", SeqCst))
    }
    #[inline(always)]
    fn take(&self, seen: Seen, mask: u64) -> bool {
        let old = Self::pack(seen.sequence, seen.value, mask);
        let new = Self::pack(seen.taken(mask), 0, mask);
        self.0.replace(old, new, site("ring.slot.take", SeqCst))
    }
    fn shut(&self, seen: Seen, mask: u64) -> bool {
        let old = Self::pack(seen.sequence, seen.value, mask);
        self.0.replace(old, old | CLOSED, site("ring.slot.shut", SeqCst))
    }
    fn confirm(&self, seen: Seen, mask: u64) -> bool {
        let same = Self::pack(seen.sequence, seen.value, mask);
        // Ordering: AcqRel, pairs with the swap of the later take: what we read happened before
        // what the cell's next owner writes. A load, behind whatever fence, would not order
        // the two.
        self.0.replace(same, same, site("ring.slot.confirm", AcqRel))
    }
}

/// Why a pop took nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nothing {
    Empty,
    /// Closed, and drained.
    Closed,
    /// The caller did not accept this value, which is still in front.
    Refused(u64),
}

impl From<Nothing> for Error {
    fn from(nothing: Nothing) -> Self {
        match nothing {
            Nothing::Empty => Error::Empty,
            Nothing::Closed => Error::Closed,
            Nothing::Refused(needed) => Error::TooSmall { needed: needed as usize },
        }
    }
}

/// One end's line: the hint, and at the tail the position up to which no new peak is possible.
struct End {
    hint: AtomicU64,
    /// Where this end last had to turn back: full or empty.
    turned: AtomicU64,
    no_peak_before: AtomicU64,
    peak: AtomicU64,
}

impl End {
    fn new(position: u64) -> CachePadded<Self> {
        CachePadded::new(Self {
            hint: AtomicU64::new(position),
            turned: AtomicU64::new(long_before(position)),
            no_peak_before: AtomicU64::new(position),
            peak: AtomicU64::new(0),
        })
    }
    #[inline(always)]
    fn guess(&self) -> u64 {
        // Ordering: Acquire, pairs with the Release in `raise`: who begins at this position sees
        // every slot before it as far as it had come. Relaxed, a thread might push behind
        // an item that it does not see yet, and then be told *empty*.
        self.hint.load(site("ring.hint.load", Acquire))
    }
    fn turn_back(&self, position: u64) {
        if self.turned.load(site("ring.turn.compare", Relaxed)) != position {
            self.turned.store(position, site("ring.turn", Relaxed));
        }
    }
    /// Whether the other end is so close that this one only just came through.
    #[inline(always)]
    fn is_close(&self, position: u64) -> bool {
        position.wrapping_sub(self.turned.load(site("ring.turn.load", Relaxed))) == 1
    }
    /// A plain store: it may set an older hint over a newer one, and past that others scan.
    #[inline(always)]
    fn raise(&self, position: u64) {
        // Ordering: Relaxed; a comparison that is wrong costs a scan.
        if is_after(position, self.hint.load(site("ring.hint.compare", Relaxed))) {
            // Ordering: Release, pairs with the Acquire in `guess`.
            self.hint.store(position, site("ring.hint.raise", Release));
        }
    }
}

/// See the module.
pub(crate) struct SlotRing<S> {
    slots: Array<S>,
    mask: u64,
    capacity: u64,
    origin: u64,
    tail: CachePadded<End>,
    head: CachePadded<End>,
}

impl<S> fmt::Debug for SlotRing<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlotRing").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

impl<S> SlotRing<S> {
    /// For a debugger. What is padded begins where its padding does.
    pub(crate) const PLAN: Plan = Plan::NOTHING
        .with("slots", offset_of!(Self, slots) + Array::<S>::START)
        .with("mask", offset_of!(Self, mask))
        .with("capacity", offset_of!(Self, capacity))
        .with("head", offset_of!(Self, head) + offset_of!(End, hint))
        .with("tail", offset_of!(Self, tail) + offset_of!(End, hint));
}

impl<S: Slot> SlotRing<S> {
    /// An empty ring whose first position is `origin`; `slots` is at least `capacity`, and values
    /// of packed slots are below it.
    pub(crate) fn try_new(capacity: usize, slots: usize, origin: u64) -> Result<Self> {
        if capacity == 0 || capacity > slots || slots > MOST {
            return Err(Error::Invalid);
        }
        let slots = slots.next_power_of_two();
        let mask = slots as u64 - 1;
        // Slot i stands for the first position at or after the origin that lives in it.
        let first = |i: usize| origin.wrapping_add((i as u64).wrapping_sub(origin) & mask);
        Ok(Self {
            slots: Array::try_new(slots, |i| S::new(first(i), mask))?,
            mask,
            capacity: capacity as u64,
            origin,
            tail: End::new(origin),
            head: End::new(origin),
        })
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
    fn look(&self, position: u64) -> Seen {
        self.slot(position).load(position, self.mask)
    }

    /// Asks for the line of a slot that a push will soon want to write, while it works on others.
    #[inline(always)]
    fn prepare(&self, tail: u64) {
        if self.mask >= 4 * LOOK_AHEAD {
            prefetch_for_write(self.slot(tail.wrapping_add(LOOK_AHEAD)));
        }
    }

    /// Whether the item `capacity` before `tail` is still there.
    #[inline(always)]
    fn is_full_at(&self, tail: u64) -> bool {
        let oldest = tail.wrapping_sub(self.capacity);
        self.capacity != self.mask + 1 && self.look(oldest).relative_to(oldest) == 1
    }

    /// Pauses once for the second push or pop after this end had to turn back: then there are more
    /// to come, and the ends had better not work on the same lines. A single item does not wait.
    #[inline(always)]
    fn slip(&self, end: &End, position: u64) {
        if end.is_close(position) && self.mask >= FEWEST_TO_SLIP {
            end.turn_back(long_before(position));
            pause(SLIP);
        }
    }

    /// Appends a value; returns its position, or `Full` or `Closed`.
    #[inline(always)]
    pub(crate) fn push(&self, value: u64) -> Result<u64> {
        let mut tail = self.tail.guess();
        let mut backoff = Backoff::new();
        let mut steps = 0;
        loop {
            let seen = self.look(tail);
            let relative = seen.relative_to(tail);
            if relative <= 0 {
                if seen.is_closed() {
                    return Err(Error::Closed);
                }
                if relative < 0 || self.is_full_at(tail) {
                    self.tail.turn_back(tail);
                    return Err(Error::Full);
                }
                self.slip(&self.tail, tail);
                if self.slot(tail).publish(seen, value, self.mask) {
                    self.tail.raise(tail.wrapping_add(1));
                    self.prepare(tail);
                    return Ok(tail);
                }
                backoff.pause();
                tail = self.tail.guess();
            } else {
                steps += 1;
                backoff.pause();
                tail = self.further_tail(seen, steps);
            }
        }
    }

    /// [`SlotRing::push`] in the usual case: the hint is right, there is room, the peak is old, nobody is
    /// faster. False if nothing was done.
    #[inline(always)]
    pub(crate) fn push_fast(&self, value: u64) -> bool {
        let tail = self.tail.guess();
        if self.tail.is_close(tail) || self.may_be_peak(tail) {
            return false;
        }
        let seen = self.look(tail);
        if seen.sequence != free(tail)
            || self.is_full_at(tail)
            || !self.slot(tail).publish(seen, value, self.mask)
        {
            return false;
        }
        self.tail.raise(tail.wrapping_add(1));
        self.prepare(tail);
        true
    }

    /// [`SlotRing::pop`] in the usual case.
    #[inline(always)]
    pub(crate) fn pop_fast(&self) -> Option<u64> {
        let head = self.head.guess();
        if self.head.is_close(head) {
            return None;
        }
        let seen = self.look(head);
        if seen.relative_to(head) != 1 || !self.slot(head).take(seen, self.mask) {
            return None;
        }
        self.head.raise(head.wrapping_add(1));
        Some(seen.value)
    }

    /// Takes the front value if `accept` says so of its position and itself; returns it with its
    /// position.
    #[inline(always)]
    pub(crate) fn pop_if(
        &self,
        accept: impl Fn(u64, u64) -> core::result::Result<(), u64>,
    ) -> core::result::Result<(u64, u64), Nothing> {
        let mut head = self.head.guess();
        let mut backoff = Backoff::new();
        let mut steps = 0;
        loop {
            let seen = self.look(head);
            match seen.relative_to(head) {
                1 => {
                    self.slip(&self.head, head);
                    if let Err(why) = accept(head, seen.value) {
                        if self.slot(head).confirm(seen, self.mask) {
                            return Err(Nothing::Refused(why));
                        }
                    } else if self.slot(head).take(seen, self.mask) {
                        self.head.raise(head.wrapping_add(1));
                        return Ok((seen.value, head));
                    } else {
                        backoff.pause();
                        head = self.head.guess();
                    }
                }
                0 if seen.is_closed() => return Err(Nothing::Closed),
                0 => {
                    self.head.turn_back(head);
                    return Err(Nothing::Empty);
                }
                _ => {
                    steps += 1;
                    backoff.pause();
                    head = self.further_head(seen, steps);
                }
            }
        }
    }

    #[inline(always)]
    pub(crate) fn pop(&self) -> core::result::Result<(u64, u64), Nothing> {
        self.pop_if(|_, _| Ok(()))
    }

    /// Looks at the front value without taking it: `copy` runs on it and counts only if the value
    /// was in front all the while.
    pub(crate) fn peek<R>(
        &self,
        mut copy: impl FnMut(u64) -> R,
    ) -> core::result::Result<R, Nothing> {
        let mut head = self.head_position();
        loop {
            let seen = self.look(head);
            match seen.relative_to(head) {
                1 => {
                    let result = copy(seen.value);
                    if self.slot(head).confirm(seen, self.mask) {
                        return Ok(result);
                    }
                }
                0 if seen.is_closed() => return Err(Nothing::Closed),
                0 => return Err(Nothing::Empty),
                _ => head = self.head_position(),
            }
        }
    }

    /// The value at a position that nobody else pops: `Empty` if it was not pushed yet, `Closed` if
    /// it never will be.
    pub(crate) fn at(&self, position: u64) -> core::result::Result<u64, Nothing> {
        let seen = self.look(position);
        match seen.relative_to(position) {
            1 => Ok(seen.value),
            _ if seen.is_closed() => Err(Nothing::Closed),
            _ => Err(Nothing::Empty),
        }
    }

    /// Takes `count` values from `head` on, which are there and which nobody else pops, and tells
    /// each with its place among them; last to first, so that pushes find room for all at once.
    pub(crate) fn take(&self, head: u64, count: u64, mut taken: impl FnMut(usize, u64)) {
        for i in (0..count).rev() {
            let position = head.wrapping_add(i);
            let mut seen = self.look(position);
            // A close may mark the slot meanwhile, if the ring has no more slots than items.
            while !self.slot(position).take(seen, self.mask) {
                seen = self.look(position);
            }
            taken(i as usize, seen.value);
        }
        self.head.raise(head.wrapping_add(count));
    }

    /// Whether a position was pushed; it may have been popped since.
    pub(crate) fn was_pushed(&self, position: u64) -> bool {
        self.look(position).relative_to(position) > 0
    }

    /// Takes everything before position `end`; returns how many.
    pub(crate) fn drain(&self, end: u64, mut taken: impl FnMut(u64)) -> usize {
        let mut count = 0;
        let was_there = |position, _| if is_after(end, position) { Ok(()) } else { Err(0) };
        while let Ok((value, _)) = self.pop_if(was_there) {
            taken(value);
            count += 1;
        }
        count
    }

    /// Whether a push would find room: `Full` or `Closed` if not, with a push's exactness.
    #[inline(always)]
    pub(crate) fn has_room(&self) -> Result {
        let tail = self.tail.guess();
        let seen = self.look(tail);
        match seen.relative_to(tail) {
            ..=0 if seen.is_closed() => Err(Error::Closed),
            ..0 => Err(Error::Full),
            0 if self.is_full_at(tail) => Err(Error::Full),
            // Free; or the hint is old, and the push itself will find out.
            _ => Ok(()),
        }
    }

    /// As [`SlotRing::has_room`], and `Ok` is exact too: there was room at some moment of the call.
    pub(crate) fn had_room(&self) -> Result {
        loop {
            let tail = self.tail_position();
            let seen = self.look(tail);
            match seen.relative_to(tail) {
                ..=0 if seen.is_closed() => return Err(Error::Closed),
                ..0 => return Err(Error::Full),
                0 if self.is_full_at(tail) => return Err(Error::Full),
                0 => return Ok(()),
                // Pushed meanwhile.
                _ => {}
            }
        }
    }

    /// Turns every later push away.
    pub(crate) fn close(&self) {
        loop {
            let tail = self.tail_position();
            let seen = self.look(tail);
            if seen.relative_to(tail) <= 0
                && (seen.is_closed() || self.slot(tail).shut(seen, self.mask))
            {
                return;
            }
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        loop {
            let tail = self.tail_position();
            let seen = self.look(tail);
            if seen.relative_to(tail) <= 0 {
                return seen.is_closed();
            }
        }
    }

    /// A position nearer to the tail, after `seen` was found beyond it.
    #[cold]
    fn further_tail(&self, seen: Seen, steps: u32) -> u64 {
        if steps > PATIENCE {
            return self.tail_position();
        }
        let pushed = if seen.is_full() { seen.position() } else { self.lap_before(seen) };
        later(pushed.wrapping_add(1), self.tail.guess())
    }

    /// A position nearer to the head, after `seen` was found beyond it.
    #[cold]
    fn further_head(&self, seen: Seen, steps: u32) -> u64 {
        if steps > PATIENCE {
            return self.head_position();
        }
        later(self.lap_before(seen).wrapping_add(1), self.head.guess())
    }

    /// The position that was in the slot one lap before what is seen there: it has been taken.
    fn lap_before(&self, seen: Seen) -> u64 {
        seen.position().wrapping_sub(self.mask + 1)
    }

    /// The first position that was not pushed at some moment of the call.
    pub(crate) fn tail_position(&self) -> u64 {
        self.gallop(self.tail.guess(), |position| self.was_pushed(position))
    }

    /// The first position that was not popped at some moment of the call.
    pub(crate) fn head_position(&self) -> u64 {
        self.gallop(self.head.guess(), |position| self.look(position).relative_to(position) > 1)
    }

    /// The end of the positions that are `past`, all before it being so: doubles its steps, then
    /// halves them.
    fn gallop(&self, mut position: u64, past: impl Fn(u64) -> bool) -> u64 {
        while past(position) {
            position = position.wrapping_add(1);
            let mut step = 1;
            while past(position.wrapping_add(step)) {
                position = position.wrapping_add(step).wrapping_add(1);
                step *= 2;
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

    /// Both ends at one moment if the ring holds still long enough, else nearly; `(head, tail)`.
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

    /// Pushed, popped and the peak that [`SlotRing::note_peak`] saw.
    pub(crate) fn counts(&self) -> super::Counts {
        let (head, tail) = self.ends();
        super::Counts {
            enqueued: tail.wrapping_sub(self.origin) & POSITIONS,
            dequeued: head.wrapping_sub(self.origin) & POSITIONS,
            peak: self.tail.peak.load(site("ring.peak.load", Relaxed)),
        }
    }

    /// Remembers the length after a push at `tail`, if it is a new peak.
    ///
    /// It is one if the item `peak` before is still there. Looking at it is cheap while the peak is
    /// low and its slot near; otherwise it is done only when the queue might be longer than
    /// ever, judged by where the head was at the last look, so that a steady queue hardly ever
    /// looks.
    #[inline(always)]
    pub(crate) fn note_peak(&self, tail: u64) {
        if self.may_be_peak(tail) {
            self.look_for_peak(tail.wrapping_add(1));
        }
    }

    /// Whether a push at `tail` has to look for the peak.
    #[inline(always)]
    fn may_be_peak(&self, tail: u64) -> bool {
        let end = tail.wrapping_add(1);
        if !is_after(end, self.tail.no_peak_before.load(site("ring.peak.bound", Relaxed))) {
            return false;
        }
        let peak = self.tail.peak.load(site("ring.peak.compare", Relaxed));
        let oldest = tail.wrapping_sub(peak);
        peak == 0 || peak > NEAR_PEAK || self.look(oldest).relative_to(oldest) == 1
    }

    #[cold]
    fn look_for_peak(&self, end: u64) {
        let mut peak = self.tail.peak.load(site("ring.peak.old", Relaxed));
        let head = self.head_position();
        let len = if is_after(end, head) { end.wrapping_sub(head) & POSITIONS } else { 0 };
        if len > peak {
            peak = self.tail.peak.fetch_max(len, site("ring.peak.raise", Relaxed)).max(len);
        }
        // Both only grow, so that a bound which arrives late is only too careful. Once the peak is
        // the capacity there is nothing left to look for.
        let bound = if peak >= self.capacity { 1 << 60 } else { peak };
        self.tail.no_peak_before.store(head.wrapping_add(bound), site("ring.peak.store", Relaxed));
    }
}

/// The later of two positions.
pub(super) fn later(a: u64, b: u64) -> u64 {
    if is_after(a, b) { a } else { b }
}
