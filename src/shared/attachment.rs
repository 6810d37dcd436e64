//! An attachment: the entry of a handle in the file, and a lock that is held while its process
//! lives.
//!
//! # Life and death
//! A record is free, live or dead, and has a generation. An attachment locks its byte of the file
//! before it makes its record live, and makes the record free before it drops the lock. So a live
//! record whose lock is not held belongs to a dead process, and any thread that notices makes it
//! dead. An owner is *gone* when the generation that it names is not live. What it owned can be
//! recovered. A dead record becomes free after a complete sweep. Before that, a new attachment may
//! take it over, with a new generation; then the attachment owes the sweep.
//!
//! # Seats
//! Every call that moves a cell takes a seat of its attachment, and announces there the cell that
//! it is about to move (`queue/mpmc/recovery.rs`). The first threads that call get a seat for good,
//! and take it by plain stores. The other seats are for any thread, by a compare-and-swap.

use super::event::{ENDS, Event};
use super::file::Mapping;
use super::layout::{Opened, Part};
use crate::error::{Error, Result};
use crate::memory::Array;
use crate::plan::Plan;
use crate::sync::{
    AcqRel, Acquire, AtomicU32, AtomicU64, Clock, Fences, Relaxed, Release, disable_cancellation,
    site, yield_now,
};
use core::mem::offset_of;
use core::ptr::NonNull;
use crossbeam_utils::CachePadded;

/// The seats of an attachment. A thread that finds none yields. Not tuned.
pub(crate) const SEATS: usize = 32;

/// Of the seats those that belong to one thread each. Not tuned.
const OWNED_SEATS: usize = 16;

/// Owned seats that a thread tries before it takes one of the others. Not tuned.
const OWN_ATTEMPTS: usize = 4;

/// Attempts to make a record live. Only a sweep changes it meanwhile, once.
const ATTEMPTS: u32 = 64;

/// The states of a record, below its generation.
pub(super) const FREE: u64 = 0;
pub(super) const LIVE: u64 = 1;
const DEAD: u64 = 2;
pub(super) const STATES: u64 = 3;
pub(super) const GENERATION: u32 = 2;

/// The state of a queue that does not depend on its kind.
#[repr(C)]
pub(crate) struct Common {
    /// The two ends: see [`super::event`].
    pub(super) events: [Event; ENDS],
    /// Calls that failed at each end.
    pub(super) failures: [CachePadded<AtomicU64>; ENDS],
    /// Cells that dead processes had held.
    recovered: AtomicU64,
}

/// The entry of one attachment.
#[repr(C, align(128))]
pub(crate) struct Record {
    /// The generation, and `FREE`, `LIVE` or `DEAD`.
    pub(super) state: AtomicU64,
    /// The process number, for display only: numbers differ between containers and are used again.
    pub(super) process: AtomicU64,
    /// Threads that wait at each end, by kind.
    pub(super) waiting: [[AtomicU32; 2]; ENDS],
}

/// The announcement of one call, on a cache line of its own.
#[repr(C, align(64))]
pub(crate) struct SeatLine {
    pub(crate) announcement: AtomicU64,
}

/// Who uses a seat, as far as it matters in this process.
#[derive(Debug)]
struct Taker {
    /// The thread to which the seat belongs; 0 if it belongs to none. A thread that ends leaves the
    /// seat to the next with its number.
    owner: AtomicU64,
    /// Whether a call has it.
    is_taken: AtomicU32,
}

impl Taker {
    fn new() -> Self {
        Self { owner: AtomicU64::new(0), is_taken: AtomicU32::new(0) }
    }

    /// Takes the seat for a call if it belongs to `thread`, the calling one. False, too, if an earlier
    /// call of the thread was left before its end: it has the seat for good.
    #[inline(always)]
    fn take_own(&self, thread: u64) -> bool {
        // Ordering: Relaxed, all: only the owner uses the words after it has written `owner`.
        let is_own = self.owner.load(site("shared.seat.owner", Relaxed)) == thread
            && self.is_taken.load(site("shared.seat.is_taken", Relaxed)) == 0;
        if is_own {
            self.is_taken.store(1, site("shared.seat.take", Relaxed));
        }
        is_own
    }
}

/// The parts of every shared file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CommonParts {
    pub(super) common: Part,
    pub(super) records: Part,
    seats: Part,
}

impl CommonParts {
    pub(crate) fn add_to(layout: &mut super::Layout, attachments: usize) -> Result<Self> {
        let seats = attachments.checked_mul(SEATS).ok_or(Error::Invalid)?;
        Ok(Self {
            common: layout.add(size_of::<Common>(), 1)?,
            records: layout.add(size_of::<Record>(), attachments)?,
            seats: layout.add(size_of::<SeatLine>(), seats)?,
        })
    }
}

/// Names an attachment: the index of its record, and the low bits of the record's generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OwnerId(u64);

/// Bits of the index in an [`OwnerId`].
const INDEX_BITS: u32 = 12;

impl OwnerId {
    /// Bits of an id: 12 for the index and 18 for the generation. A record has the same id again
    /// after 262,144 generations.
    pub(crate) const BITS: u32 = 30;

    /// The id of no attachment.
    pub(crate) const NOBODY: Self = Self(0);

    pub(super) fn new(index: usize, generation: u64) -> Self {
        Self(((generation << INDEX_BITS) | index as u64) & ((1 << Self::BITS) - 1))
    }
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }
    pub(crate) fn from_bits(bits: u64) -> Self {
        Self(bits & ((1 << Self::BITS) - 1))
    }
    fn index(self) -> usize {
        (self.0 & ((1 << INDEX_BITS) - 1)) as usize
    }
}

/// See the module.
#[derive(Debug)]
pub struct Attachment {
    opened: Opened,
    fences: Fences,
    common: NonNull<Common>,
    records: NonNull<Record>,
    seats: NonNull<SeatLine>,
    /// The number of records.
    count: usize,
    index: usize,
    id: OwnerId,
    /// Who uses the seats.
    takers: Array<CachePadded<Taker>>,
    /// Whether this attachment took over a dead record, and no sweep was complete since.
    owes_sweep: AtomicU32,
    /// When a waiting thread last looked for dead processes, in ns of the monotonic clock.
    pub(super) looked_at: AtomicU64,
}

// SAFETY: the parts lie in the mapping, which lives as long; they consist of atomics.
unsafe impl Send for Attachment {}
// SAFETY: the same.
unsafe impl Sync for Attachment {}

/// Records that were dead when a sweep began.
pub(crate) struct Dead {
    /// Their indices and states. Records beyond 32 are for the next sweep.
    seen: [(usize, u64); 32],
    len: usize,
}

impl Attachment {
    /// For a debugger: the array of records and its length; the size of a record; and the offset of
    /// its counts of waiters. Its state is the first word.
    pub(crate) const PLAN: Plan = Plan::EMPTY
        .with("records", offset_of!(Self, records))
        .with("attachments", offset_of!(Self, count));
    pub(crate) const RECORD: usize = size_of::<Record>();
    pub(crate) const OF_WAITS: usize = offset_of!(Record, waiting);

    /// Attaches to an open file. Fails with [`Error::NoMemory`] if all records belong to processes
    /// that are alive.
    pub(crate) fn new(opened: Opened, parts: &CommonParts) -> Result<Self> {
        let at = |part: Part| opened.mapping.at(part.offset);
        let mut attachment = Self {
            common: at(parts.common).cast(),
            records: at(parts.records).cast(),
            seats: at(parts.seats).cast(),
            count: parts.records.count,
            index: 0,
            id: OwnerId::NOBODY,
            takers: Array::try_new(SEATS, |_| CachePadded::new(Taker::new()))?,
            owes_sweep: AtomicU32::new(0),
            looked_at: AtomicU64::new(Clock::now()),
            fences: Fences::prepare_among_processes(),
            opened,
        };
        if !attachment.fences.is_asymmetric() {
            // Heavy fences of other processes do not reach this one, nor its own those of others.
            (0..ENDS).for_each(|end| attachment.make_wakers_fence(end));
        }
        // Free records first; then those of dead processes.
        for takes_over in [false, true] {
            for index in 0..attachment.count {
                if attachment.is_free(index) == takes_over
                    || !attachment.opened.file.lock(lock_of(index), false)?
                {
                    continue;
                }
                let owes_sweep = u32::from(!attachment.is_free(index));
                attachment.owes_sweep.store(owes_sweep, site("shared.owes", Relaxed));
                attachment.index = index;
                attachment.begin()?;
                return Ok(attachment);
            }
        }
        Err(Error::NoMemory)
    }

    fn is_free(&self, index: usize) -> bool {
        self.record(index).state.load(site("shared.is_free", Acquire)) & STATES == FREE
    }

    /// Makes the record live, with a new generation. The caller holds its lock. Fails with
    /// [`Error::Corrupt`] if another process keeps changing the record.
    fn begin(&mut self) -> Result {
        let record = self.record(self.index);
        // SAFETY: no memory is passed.
        let process = unsafe { libc::getpid() };
        for _ in 0..ATTEMPTS {
            let state = record.state.load(site("shared.begin.load", Relaxed));
            let generation = next_generation(state);
            if state & STATES == LIVE {
                // It belongs to a dead process. First make it dead: no thread reads the seats and
                // waiters of a dead record, so they can be reset.
                let dead = state & !STATES | DEAD;
                record.state.replace(state, dead, site("shared.begin.dead", AcqRel));
                continue;
            }
            record.process.store(process as u64, site("shared.process", Relaxed));
            for waiting in record.waiting.as_flattened() {
                waiting.store(0, site("shared.waiting.reset", Relaxed));
            }
            for seat in self.seats_of(self.index) {
                seat.announcement.store(0, site("shared.seat.reset", Relaxed));
            }
            // Ordering: AcqRel, pairs with the Acquires of the threads that read records and seats.
            // It fails if a sweep makes the record free meanwhile.
            let live = generation << GENERATION | LIVE;
            if record.state.replace(state, live, site("shared.begin", AcqRel)) {
                self.id = OwnerId::new(self.index, generation);
                return Ok(());
            }
        }
        Err(Error::Corrupt)
    }

    pub(crate) fn common(&self) -> &Common {
        // SAFETY: mapped, made of atomics.
        unsafe { self.common.as_ref() }
    }

    pub(super) fn record(&self, index: usize) -> &Record {
        assert!(index < self.count);
        // SAFETY: as above; the index is checked.
        unsafe { self.records.add(index).as_ref() }
    }

    /// The record of this attachment.
    pub(super) fn own_record(&self) -> &Record {
        self.record(self.index)
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &Record> {
        (0..self.count).map(|index| self.record(index))
    }

    fn seats_of(&self, index: usize) -> &[SeatLine] {
        assert!(index < self.count);
        // SAFETY: as above; there are `SEATS` seats for each record.
        unsafe { core::slice::from_raw_parts(self.seats.add(index * SEATS).as_ptr(), SEATS) }
    }

    /// The fences between the threads of all attached processes.
    pub(crate) fn fences(&self) -> Fences {
        self.fences
    }

    pub(crate) fn id(&self) -> OwnerId {
        self.id
    }

    pub(crate) fn mapping(&self) -> &Mapping {
        &self.opened.mapping
    }

    pub(crate) fn sizes(&self) -> &super::Sizes {
        &self.opened.sizes
    }

    /// Whether this process is a forked child that inherited the handle, and may not use it.
    #[inline(always)]
    pub(crate) fn is_inherited(&self) -> bool {
        self.opened.file.is_inherited()
    }

    /// Takes a seat for a call.
    #[inline(always)]
    pub(crate) fn take_seat(&self) -> Seat<'_> {
        // SAFETY: no memory is passed.
        let thread = unsafe { libc::pthread_self() } as u64;
        // Thread numbers are addresses; a multiple of the golden ratio spreads them.
        let spread = ((thread >> 6) as u32).wrapping_mul(0x9e37_79b9);
        let index = (spread >> (u32::BITS - OWNED_SEATS.ilog2())) as usize;
        let taker = self.taker(index);
        if taker.take_own(thread) {
            return Seat { attachment: self, index };
        }
        self.find_seat(thread, index)
    }

    #[inline(always)]
    fn taker(&self, index: usize) -> &Taker {
        debug_assert!(index < SEATS);
        // SAFETY: below `SEATS`.
        unsafe { self.takers.get(index) }
    }

    #[cold]
    fn find_seat(&self, thread: u64, first: usize) -> Seat<'_> {
        for other in 0..OWN_ATTEMPTS {
            let index = first ^ other;
            let taker = self.taker(index);
            // Ordering: Relaxed: nobody used the seat before.
            if taker.take_own(thread)
                || taker.owner.replace(0, thread, site("shared.seat.own", Relaxed))
                    && taker.take_own(thread)
            {
                return Seat { attachment: self, index };
            }
        }
        for attempt in first.. {
            let index = OWNED_SEATS + attempt % (SEATS - OWNED_SEATS);
            // Ordering: Acquire, pairs with the Release in the drop of a seat.
            if self.taker(index).is_taken.replace(0, 1, site("shared.seat.take.any", Acquire)) {
                return Seat { attachment: self, index };
            }
            if (attempt - first) % SEATS == SEATS - 1 {
                yield_now();
            }
        }
        unreachable!()
    }

    /// Makes the record dead if its process is dead. Returns its state if it is dead then. A system
    /// call if the record is live.
    fn check_alive(&self, index: usize) -> Option<u64> {
        let record = self.record(index);
        let state = record.state.load(site("shared.look", Acquire));
        let dead_state = state & !STATES | DEAD;
        let is_dead = match state & STATES {
            LIVE if index != self.index && !self.opened.file.is_locked(lock_of(index)) => {
                // It fails if the process has left meanwhile.
                record.state.replace(state, dead_state, site("shared.dead", AcqRel))
            }
            state => state == DEAD,
        };
        is_dead.then_some(dead_state)
    }

    /// Whether an owner is gone, as of now: a death that no thread has noticed is noticed. A system
    /// call.
    pub(crate) fn is_gone_by_now(&self, owner: OwnerId) -> bool {
        let _disabled = disable_cancellation();
        if !self.is_gone(owner) {
            self.check_alive(owner.index());
        }
        self.is_gone(owner)
    }

    /// Makes the records of dead processes dead, by a system call for each live attachment. Returns
    /// all dead records if a sweep is needed.
    pub(crate) fn find_dead(&self) -> Option<Dead> {
        let _disabled = disable_cancellation();
        let mut dead = Dead { seen: [(0, 0); 32], len: 0 };
        for index in 0..self.count {
            let Some(state) = self.check_alive(index) else { continue };
            if let Some(place) = dead.seen.get_mut(dead.len) {
                *place = (index, state);
                dead.len += 1;
            }
        }
        let owes_sweep = self.owes_sweep.load(site("shared.owes.load", Relaxed)) != 0;
        (dead.len > 0 || owes_sweep).then_some(dead)
    }

    /// Ends a complete sweep. Makes the records of the dead processes free.
    pub(crate) fn free_dead(&self, dead: &Dead) {
        for &(index, state) in &dead.seen[..dead.len] {
            let free = state & !STATES | FREE;
            // It fails if the record was taken over.
            self.record(index).state.replace(state, free, site("shared.dead.free", AcqRel));
        }
        self.owes_sweep.store(0, site("shared.owes.clear", Relaxed));
        for end in [super::PUT, super::GET] {
            self.forget_waiters(end);
        }
    }

    /// Whether an owner is gone: its process has died, or its handle was released.
    pub(crate) fn is_gone(&self, owner: OwnerId) -> bool {
        let index = owner.index();
        // No attachment has this id: a peer wrote it.
        index >= self.count || {
            let state = self.record(index).state.load(site("shared.owner", Acquire));
            state & STATES != LIVE || OwnerId::new(index, state >> GENERATION) != owner
        }
    }

    /// The announcements of all calls in flight in live attachments.
    pub(crate) fn announcements(&self) -> impl Iterator<Item = u64> {
        let live = (0..self.count).filter(|&index| {
            let state = self.record(index).state.load(site("shared.announcer", Acquire));
            state & STATES == LIVE
        });
        live.flat_map(|index| self.seats_of(index)).map(|seat| {
            // Ordering: Acquire, pairs with the Releases in `announce` and in the drop of a seat.
            seat.announcement.load(site("shared.announcement", Acquire))
        })
    }

    /// The number of records that are live.
    pub(crate) fn count_live(&self) -> u64 {
        self.live_records().count() as u64
    }

    pub(super) fn live_records(&self) -> impl Iterator<Item = &Record> {
        self.records()
            .filter(|record| record.state.load(site("shared.is_live", Acquire)) & STATES == LIVE)
    }

    /// Counts a recovered cell.
    pub(crate) fn count_recovered(&self) {
        self.common().recovered.fetch_add(1, site("shared.recovered", Relaxed));
    }

    pub(crate) fn recovered(&self) -> u64 {
        self.common().recovered()
    }

    /// Detaches. If this attachment still owns cells, other processes recover them, as those of a
    /// dead process.
    pub(crate) fn leave(&self, is_empty_handed: bool) {
        let record = self.own_record();
        let state = record.state.load(site("shared.leave.load", Relaxed));
        // If this attachment owes a sweep, the record stays dead, so that another one sweeps.
        let owes_sweep = self.owes_sweep.load(site("shared.owes.leave", Relaxed)) != 0;
        let left = if is_empty_handed && !owes_sweep { FREE } else { DEAD };
        record.state.replace(state, state & !STATES | left, site("shared.leave", AcqRel));
    }
}

/// The next generation of a record. It skips those whose bits in an [`OwnerId`] are 0, with which
/// the first record would have the id of no attachment.
fn next_generation(state: u64) -> u64 {
    let next = (state >> GENERATION).wrapping_add(1);
    if OwnerId::new(0, next) == OwnerId::NOBODY { next.wrapping_add(1) } else { next }
}

/// The byte of the file that the attachment with this index locks.
pub(super) fn lock_of(index: usize) -> u64 {
    index as u64 + 1
}

/// Where a call announces the cell that it moves. No other call uses it meanwhile.
pub(crate) struct Seat<'a> {
    attachment: &'a Attachment,
    index: usize,
}

impl Seat<'_> {
    #[inline(always)]
    fn line(&self) -> &AtomicU64 {
        let attachment = self.attachment;
        // SAFETY: mapped, one of the seats of this attachment.
        unsafe {
            &attachment.seats.add(attachment.index * SEATS + self.index).as_ref().announcement
        }
    }

    /// Ordering: Release, pairs with the Acquire in `announcements`. A sweep that sees a later
    /// store of the call sees this announcement, too, or a later one.
    #[inline(always)]
    pub(crate) fn announce(&self, what: u64) {
        self.line().store(what, site("shared.announce", Release));
    }
}

impl Drop for Seat<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.announce(0);
        let taker = self.attachment.taker(self.index);
        // Ordering: Release, pairs with the Acquire in `find_seat`.
        taker.is_taken.store(0, site("shared.seat.release", Release));
    }
}

impl Common {
    /// Calls that failed at an end.
    pub(super) fn failures_of(&self, end: usize) -> u64 {
        self.failures[end].load(site("shared.failure.load", Relaxed))
    }
    pub(crate) fn recovered(&self) -> u64 {
        self.recovered.load(site("shared.recovered.load", Relaxed))
    }
}
