//! The event count: lets a thread sleep until a condition holds, without a lock around the condition.
//! A waiter announces itself and checks the condition again before it sleeps; a waker makes the
//! condition true and then checks for waiters.
//!
//! # Idea
//! A waiter increments `waiters`, notes the epoch, and checks the condition once more. Only then does
//! it sleep, and only while the epoch is the one it noted. A waker publishes its change, then loads
//! `waiters`. Usually it is 0, and that load is the whole cost. Otherwise it starts a new epoch and
//! wakes. A fence stands between the two steps of each (Dekker's pattern), so either the waker sees
//! the waiter or the waiter sees the change. Where the kernel has membarrier the waker's fence is a
//! light one, which costs nothing. The scheme is that of Dmitry Vyukov's event count (2008) and of
//! folly's EventCount.
//!
//! # When membarrier is refused later
//! The waiter then makes wakers fence in full (`FENCE_NEEDED`). It sleeps for short times only, until
//! every store that was made before is visible (`STORES_VISIBLE`); `sync/fence.rs` says why that is
//! enough.
//!
//! # Waiters that stop or die
//! A waiter that was woken and is suspended before its check keeps the wake-up: no other waiter is
//! woken for the same change until the next call makes one (decision
//! `docs/decisions/012-a-waiter-that-is-stopped.md`; the header documents it, too). A waiter that dies in
//! its sleep leaves `waiters` too high, which costs wakers a system call now and then.

use crate::sync::{
    Acquire, AtomicU32, Deadline, Fences, Parking, Relaxed, Release, fence, has_many_processors,
    pause, site, yield_now,
};
use core::ops::ControlFlow::{self, Break, Continue};
use crossbeam_utils::CachePadded;

/// The largest number of checks before a sleep, about 8 µs together (Zen 5; decision 002).
const MAX_SPINS: u32 = 90;
/// Checks with one pause instruction after each: they find a fast reply soon. Later checks pause
/// longer and so disturb the other thread less.
const SHORT_SPINS: u32 = 20;
/// Pause instructions after a later check.
const LONG_PAUSE: u32 = 4;
/// Checks after the spins, with a yield of the processor after each.
const YIELDS: u32 = 2;
/// Each PROBE-th wait spins `MAX_SPINS` times even if the budget is lower, to see whether it pays.
const PROBE: u32 = 16;

/// Bit of the word `waiters`: a waker must fence in full before it reads the number. Set from the start
/// where light fences are full ones, else from the first sleep whose heavy fence was refused.
const FENCE_NEEDED: u32 = 1 << 31;
/// Bit of the word `waiters`: every store that was made before `FENCE_NEEDED` was set is visible, so
/// that a waiter whose check fails may sleep without a limit.
const STORES_VISIBLE: u32 = 1 << 30;

/// See the module.
#[derive(Debug)]
pub struct EventCount {
    fences: Fences,
    /// The number of waiters, and the bits `FENCE_NEEDED` and `STORES_VISIBLE`.
    waiters: AtomicU32,
    parking: Parking,
    // On a line of its own: waiters write it, and wakers read the other fields for every item.
    spinning: CachePadded<Spinning>,
}

/// How long waiters spin before they sleep.
#[derive(Debug)]
struct Spinning {
    /// Spins of the next wait: more after spins that found the condition true, fewer after others.
    budget: AtomicU32,
    /// The number of waits.
    waits: AtomicU32,
}

impl Default for EventCount {
    fn default() -> Self {
        Self::new()
    }
}

impl EventCount {
    /// An event count without waiters.
    pub fn new() -> Self {
        let fences = Fences::prepare();
        has_many_processors(); // its first call reads a file, which no wait should do
        Self {
            fences,
            waiters: AtomicU32::new(if fences.is_asymmetric() {
                0
            } else {
                FENCE_NEEDED | STORES_VISIBLE
            }),
            parking: Parking::new(),
            spinning: CachePadded::new(Spinning {
                budget: AtomicU32::new(MAX_SPINS),
                waits: AtomicU32::new(0),
            }),
        }
    }

    /// For a debugger.
    pub(super) fn address_of_waiters(&self) -> *const u8 {
        (&raw const self.waiters).cast()
    }

    /// Wakes up to `count` waiters. The caller has published what they wait for.
    #[inline(always)]
    pub fn notify(&self, count: usize) {
        if self.may_have_waiters() && self.has_waiters() {
            self.wake(count);
        }
    }

    /// False if no waiter can miss what this thread published. Otherwise
    /// [`EventCount::has_waiters`] decides.
    #[inline(always)]
    pub(crate) fn may_have_waiters(&self) -> bool {
        // Pairs with the heavy fence in `wait`.
        Fences::light("event.notify.light");
        // Ordering: Relaxed; the fences order it.
        self.waiters.load_after_light_fence(site("event.notify.may", Relaxed)) != 0
    }

    /// Whether a waiter may miss what this thread published. Follows `may_have_waiters`.
    #[cold]
    pub(crate) fn has_waiters(&self) -> bool {
        // Ordering: Relaxed; the fence in `may_have_waiters` orders it.
        let waiters = self.waiters.load_after_light_fence(site("event.notify.again", Relaxed));
        if waiters & FENCE_NEEDED == 0 {
            return waiters != 0;
        }
        // Pairs with the heavy fence in `wait`.
        fence("event.notify.fence");
        // Ordering: Relaxed; the fences order it.
        self.waiters.load(site("event.notify.waiters", Relaxed)) & !(FENCE_NEEDED | STORES_VISIBLE)
            != 0
    }

    /// [`EventCount::notify`], where there are waiters.
    #[cold]
    pub(crate) fn wake(&self, count: usize) {
        // Ordering: Release, pairs with the Acquire in `wait`: a waiter that reads the new epoch sees
        // the change that it stands for.
        self.parking.advance(site("event.wake.advance", Release));
        self.parking.wake(count);
    }

    /// Calls `attempt` until it returns `Break`; returns `None` at `end`. `Continue(t)`: retry by time `t`
    /// even without a wake-up.
    ///
    /// `attempt` runs at least once after `end`, so that a wake-up at that moment is not lost.
    pub(crate) fn wait<R>(
        &self,
        end: Deadline,
        mut attempt: impl FnMut() -> ControlFlow<R, Deadline>,
    ) -> Option<R> {
        if let Some(result) = self.spin(&mut attempt) {
            return Some(result);
        }
        let mut stores_visible_at = None;
        loop {
            // Ordering: Relaxed; the fence below orders it.
            let before = self.waiters.fetch_add(1, site("event.wait.announce", Relaxed));
            let epoch = self.parking.epoch(site("event.wait.epoch", Acquire));
            // Pairs with the fences in `may_have_waiters` and `has_waiters`.
            let covered = self.fences.heavy("event.wait.fence") || before & STORES_VISIBLE != 0;
            let nap = if covered {
                Deadline::NEVER
            } else {
                *stores_visible_at.get_or_insert_with(|| self.make_wakers_fence())
            };
            let mut outcome = attempt();
            if let Continue(again) = outcome {
                self.parking.sleep(epoch, again.earlier(end).earlier(nap));
                outcome = attempt();
                if nap.has_passed() {
                    // Ordering: Release, pairs with the fence above: a waiter that reads the bit sees at
                    // least what this one saw.
                    self.waiters.fetch_or(STORES_VISIBLE, site("event.wait.visible", Release));
                }
            }
            self.waiters.fetch_sub(1, site("event.wait.leave", Relaxed));
            match outcome {
                Break(result) => return Some(result),
                Continue(_) if end.has_passed() => return attempt().break_value(),
                Continue(_) => {}
            }
        }
    }

    /// Makes all wakers fence in full from now on. Returns the time at which every store made before
    /// is visible.
    #[cold]
    fn make_wakers_fence(&self) -> Deadline {
        // Ordering: Relaxed; a waker that reads the bit fences and reads again.
        self.waiters.fetch_or(FENCE_NEEDED, site("event.wait.ask", Relaxed));
        Fences::stores_visible_at()
    }

    /// Checks for up to `MAX_SPINS` times before the waiter sleeps, as a sleep and a wake cost more.
    ///
    /// Spinning pays if the other thread runs on another processor and is fast. Where it does not pay,
    /// as with both threads on one processor, the budget soon falls to nearly nothing.
    fn spin<R>(&self, attempt: &mut impl FnMut() -> ControlFlow<R, Deadline>) -> Option<R> {
        if !has_many_processors() {
            return attempt().break_value();
        }
        // Ordering: Relaxed, all of them; a lost update costs a few pauses.
        let budget = self.spinning.budget.load(site("event.spin.budget", Relaxed));
        let waits = self.spinning.waits.load(site("event.spin.waits", Relaxed));
        self.spinning.waits.store(waits.wrapping_add(1), site("event.spin.count", Relaxed));
        let spins = if waits % PROBE == 0 { MAX_SPINS } else { budget };
        for check in 0..spins {
            match attempt() {
                Break(result) => {
                    let more = (budget + MAX_SPINS / 4).min(MAX_SPINS);
                    self.spinning.budget.store(more, site("event.spin.more", Relaxed));
                    return Some(result);
                }
                // A condition that becomes true at a known time needs no fast reply.
                Continue(again) if check >= SHORT_SPINS || again != Deadline::NEVER => {
                    pause(LONG_PAUSE)
                }
                Continue(_) => pause(1),
            }
        }
        self.spinning.budget.store(budget / 2, site("event.spin.less", Relaxed));
        for _ in 0..YIELDS {
            if let Break(result) = attempt() {
                return Some(result);
            }
            yield_now();
        }
        None
    }
}
