//! How threads of several processes wait at an end of a shared queue, and are woken.
//!
//! # Idea
//! A waiter counts itself in the record of its attachment, sets a flag, tries once more, and sleeps
//! on a futex. A waker publishes its change and loads the flag. Usually the flag is not set, and
//! that load is the whole cost. The last waiter that leaves clears the flag. For that it reads the
//! counts of all live records; a version shows whether another waiter came meanwhile. So the
//! waiters of a dead process cost wakers a system call until a sweep has made its record free, and
//! no longer.
//!
//! # Sleepers and lookouts
//! A *sleeper* waits for one item, or for room for one. A *lookout* takes nothing: it wakes the
//! pollers and descriptors of its own process (`wait/lookout.rs`). A waker wakes as many sleepers as
//! there are items, and all lookouts.
//!
//! # Death
//! A sleeper that was woken and then killed has used up the wake-up. So every sleep ends after
//! [`SLICE`], and the sleeper tries again.
//!
//! # Orderings
//! As in the event count of one process (`wait/event_count.rs`): between its change and its load of
//! the flag a waker executes a light fence, and a waiter a heavy one between its flag and its try.
//! The heavy fence interrupts the threads of all attached processes. So the waker sees the flag, or
//! the waiter sees the change.
//!
//! A process that cannot register for that, or is refused later, makes all wakers fence in full
//! (`FENCE_NEEDED`), and waits until every store that was made before is visible
//! (`STORES_VISIBLE`); `sync/fence.rs` says why that is enough.

use super::attachment::Attachment;
use crate::sync::{
    AcqRel, Acquire, AtomicU32, AtomicU64, Clock, Deadline, Fences, Parking, Relaxed, Release,
    SeqCst, fence, site,
};
use core::ops::ControlFlow::{self, Break, Continue};

/// The longest sleep, in ns. A shorter one costs more wake-ups of idle waiters, a longer one delays
/// recovery and lost wake-ups. Not tuned.
const SLICE: u64 = 200_000_000;

/// Attempts to clear flags. A waiter that comes meanwhile makes one fail, and clears the flags when
/// it leaves.
const ATTEMPTS: u32 = 8;

/// The ends of a queue: where puts wait for room, and where gets wait for an item.
pub(crate) const PUT: usize = 0;
pub(crate) const GET: usize = 1;
pub(super) const ENDS: usize = 2;

/// The kinds of waiters: the index of the flag's bit, and of the count in a record.
const SLEEPER: usize = 0;
const LOOKOUT: usize = 1;
const FLAGS: u64 = 3;
/// One version.
const VERSION: u64 = 4;
/// See the module.
const STORES_VISIBLE: u64 = 1 << 62;
/// See the module. A waker must execute a full fence before it reads the flags.
const FENCE_NEEDED: u64 = 1 << 63;

/// The waiters at an end.
#[repr(C, align(128))]
pub(crate) struct Event {
    /// A flag for each kind of waiters, a version, and two bits about fences.
    state: AtomicU64,
    /// Where each kind sleeps.
    parking: [Parking; 2],
}

impl Attachment {
    fn event(&self, end: usize) -> &Event {
        &self.common().events[end]
    }

    /// Whether a thread of any process may wait at an end. The caller has published what it waits
    /// for.
    #[inline(always)]
    pub(crate) fn may_have_waiters(&self, end: usize) -> bool {
        // Pairs with the heavy fence in `begin_wait`.
        Fences::light("shared.notify.light");
        // Ordering: Relaxed; the fences order it.
        self.event(end).state.load(site("shared.notify", Relaxed)) & (FLAGS | FENCE_NEEDED) != 0
    }

    /// Wakes up to `count` sleepers and all lookouts. The caller has published what they wait for.
    #[cold]
    pub(crate) fn notify(&self, end: usize, count: usize) {
        // Pairs with the heavy fence in `begin_wait`, where wakers must fence in full.
        fence("shared.notify.fence");
        // Ordering: Relaxed; the fences order it.
        let flags = self.event(end).state.load(site("shared.notify.flags", Relaxed)) & FLAGS;
        for (kind, count) in [(SLEEPER, count), (LOOKOUT, usize::MAX)] {
            if flags >> kind & 1 != 0 {
                let parking = &self.event(end).parking[kind];
                // Ordering: Release, pairs with the Acquire in `begin_wait`.
                parking.advance(site("shared.wake", Release));
                parking.wake_among_processes(count);
            }
        }
    }

    /// Announces a waiter; returns the epoch in which it may sleep if it then finds nothing.
    fn begin_wait(&self, end: usize, kind: usize) -> u32 {
        let event = self.event(end);
        self.waiting(end, kind).fetch_add(1, site("shared.wait.count", AcqRel));
        // The version first: see `forget_waiters`.
        event.state.fetch_add(VERSION, site("shared.wait.version", SeqCst));
        let before = event.state.fetch_or(1 << kind, site("shared.wait.flag", SeqCst));
        // Pairs with the fences in `may_have_waiters` and `notify`.
        if before & STORES_VISIBLE != 0 {
            fence("shared.wait.full");
        } else if !self.fences().heavy("shared.wait.fence") {
            self.make_wakers_fence(end);
        }
        event.parking[kind].epoch(site("shared.wait.epoch", Acquire))
    }

    /// Makes the wakers at an end fence in full from now on, and waits until every store that they
    /// made before is visible.
    #[cold]
    pub(super) fn make_wakers_fence(&self, end: usize) {
        let state = &self.event(end).state;
        // Ordering: Relaxed; a waker that reads the bit fences and reads again.
        state.fetch_or(FENCE_NEEDED, site("shared.fence.ask", Relaxed));
        Fences::wait_for_stores();
        // Ordering: Release, pairs with the fences of waiters that read the bit.
        state.fetch_or(STORES_VISIBLE, site("shared.fence.visible", Release));
    }

    fn end_wait(&self, end: usize, kind: usize) {
        if self.waiting(end, kind).fetch_sub(1, site("shared.wait.leave", AcqRel)) == 1 {
            self.forget_waiters(end);
        }
    }

    fn waiting(&self, end: usize, kind: usize) -> &AtomicU32 {
        &self.own_record().waiting[end][kind]
    }

    /// Clears the flags of the kinds of waiters that no live attachment has.
    pub(super) fn forget_waiters(&self, end: usize) {
        let state = &self.event(end).state;
        for _ in 0..ATTEMPTS {
            // Ordering: Acquire, before the counts. A waiter that comes later changes the version,
            // so that the replacement fails, or sets the flag after it.
            let before = state.load(site("shared.forget.load", Acquire));
            let flags = [SLEEPER, LOOKOUT].into_iter().filter(|&kind| {
                let counts =
                    |waiting: &AtomicU32| waiting.load(site("shared.forget.count", Acquire)) > 0;
                self.live_records().any(|record| counts(&record.waiting[end][kind]))
            });
            let flags = flags.fold(0, |flags, kind| flags | 1 << kind);
            let after = before & !FLAGS | before & flags;
            // It may fail because a waiter that left before clears only another flag.
            if after == before || state.replace(before, after, site("shared.forget", SeqCst)) {
                break;
            }
        }
    }

    /// Calls `attempt` until it returns `Break`; returns `None` at `end_of_wait`. Calls `recover`
    /// once in each slice.
    pub(crate) fn wait<R>(
        &self,
        end: usize,
        end_of_wait: Deadline,
        mut attempt: impl FnMut() -> ControlFlow<R, Deadline>,
        recover: impl Fn(),
    ) -> Option<R> {
        loop {
            let epoch = self.begin_wait(end, SLEEPER);
            let mut outcome = attempt();
            if let Continue(again) = outcome {
                let slice = Deadline::at(Clock::now().saturating_add(SLICE));
                let parking = &self.event(end).parking[SLEEPER];
                parking.sleep_among_processes(epoch, again.earlier(end_of_wait).earlier(slice));
                if self.look_is_due() {
                    recover();
                }
                outcome = attempt();
            }
            self.end_wait(end, SLEEPER);
            match outcome {
                Break(result) => return Some(result),
                Continue(_) if end_of_wait.has_passed() => return attempt().break_value(),
                Continue(_) if self.is_inherited() => return None,
                Continue(_) => {}
            }
        }
    }

    /// Whether a slice has passed since the last look for dead processes. The time is kept between
    /// waits, so that a series of short waits looks, too.
    fn look_is_due(&self) -> bool {
        let now = Clock::now();
        let last = self.looked_at.load(site("shared.looked.load", Relaxed));
        let is_due = now.saturating_sub(last) >= SLICE;
        if is_due {
            self.looked_at.store(now, site("shared.looked", Relaxed));
        }
        is_due
    }

    /// Sleeps as a lookout until the end of the queue may have changed, for a slice at most. Does
    /// not sleep if `look` returns true. Calls `recover` once in each slice.
    pub(crate) fn look_out(&self, end: usize, look: impl FnOnce() -> bool, recover: impl Fn()) {
        let epoch = self.begin_wait(end, LOOKOUT);
        if !look() {
            let slice = Deadline::at(Clock::now().saturating_add(SLICE));
            self.event(end).parking[LOOKOUT].sleep_among_processes(epoch, slice);
        }
        self.end_wait(end, LOOKOUT);
        if self.look_is_due() {
            recover();
        }
    }

    /// Wakes the lookouts of all processes.
    pub(crate) fn wake_lookouts(&self, end: usize) {
        let parking = &self.event(end).parking[LOOKOUT];
        parking.advance(site("shared.lookouts", Release));
        parking.wake_among_processes(usize::MAX);
    }

    /// Counts a call that failed at an end.
    pub(crate) fn count_failure(&self, end: usize) {
        self.common().failures[end].fetch_add(1, site("shared.failure", Relaxed));
    }

    pub(crate) fn failures(&self, end: usize) -> u64 {
        self.common().failures_of(end)
    }
}
