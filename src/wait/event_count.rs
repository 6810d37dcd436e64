//! The event count: how a thread sleeps until *something happened*, with no lock around what
//! happens.
//!
//! A waiter announces itself (`waiters`), notes the epoch, and looks again for what it waits for;
//! only then it sleeps, and only while the epoch is the one it noted. Who makes something happen
//! does so first, and then looks at `waiters`: 0 is the usual case and one load, where the kernel
//! has membarrier; otherwise it starts a new epoch and wakes. Either the waker sees the waiter or
//! the waiter sees what happened: between the two steps of each stands a fence (Dekker), a free one
//! on the waker's side where the kernel has membarrier. The scheme is known from Dmitry Vyukov's
//! event count (2008) and folly's EventCount.
//!
//! If the kernel refuses membarrier later, the waiter has wakers fence in full from then on
//! (`FENCE_NEEDED`), and sleeps only for a moment until nobody can be left who did not know (`SETTLED`);
//! `sync/fence.rs` says why that is enough.
//!
//! A waiter that was woken and is stopped before it looks has the wake-up: nobody else wakes for
//! what it was woken for until the next call makes something happen. Why that is so, and said in the
//! header, is in `docs/decisions/012-a-waiter-that-is-stopped.md`.
//!
//! A waiter that dies in its sleep leaves `waiters` too high, which costs the others a system call
//! now and then and nothing else.

use crate::sync::{
    Acquire, AtomicU32, Deadline, Fences, Parking, Relaxed, Release, fence, has_many_processors,
    pause, site, yield_now,
};
use core::ops::ControlFlow::{self, Break, Continue};
use crossbeam_utils::CachePadded;

/// The most looks before sleeping: the first ones with a pause after each, which a quick answer
/// needs, the others with longer pauses, which disturb less. About 8 µs.
const SPINS: u32 = 90;
const EAGER: u32 = 20;
const LONG_PAUSE: u32 = 4;
/// Then looks after offering the processor.
const YIELDS: u32 = 2;
/// Every so many waits try all the spins again, however useless they were lately.
const PROBE: u32 = 16;

/// In the waiters' word: a waker needs a full fence before it looks. From the beginning where light
/// fences are not free, else from the first sleep whose heavy fence was refused.
const FENCE_NEEDED: u32 = 1 << 31;
/// And what was stored before that can be seen by now: whoever looks in vain may sleep for long.
const SETTLED: u32 = 1 << 30;

/// See the module.
#[derive(Debug)]
pub struct EventCount {
    fences: Fences,
    /// Their number, and `FENCE_NEEDED` and `SETTLED`.
    waiters: AtomicU32,
    parking: Parking,
    // On a line of its own: waiters write it, and wakers read the others for every item.
    habits: CachePadded<Habits>,
}

/// How many spins are worth while, by what came of them lately; and a count of waits.
#[derive(Debug)]
struct Habits {
    patience: AtomicU32,
    waits: AtomicU32,
}

impl Default for EventCount {
    fn default() -> Self {
        Self::new()
    }
}

impl EventCount {
    /// Nobody waits.
    pub fn new() -> Self {
        let fences = Fences::prepare();
        has_many_processors(); // asked now, so that no wait opens a file
        Self {
            fences,
            waiters: AtomicU32::new(if fences.is_asymmetric() {
                0
            } else {
                FENCE_NEEDED | SETTLED
            }),
            parking: Parking::new(),
            habits: CachePadded::new(Habits {
                patience: AtomicU32::new(SPINS),
                waits: AtomicU32::new(0),
            }),
        }
    }

    /// For a debugger.
    pub(super) fn address_of_waiters(&self) -> *const u8 {
        (&raw const self.waiters).cast()
    }

    /// Wakes up to `count` waiters, after what they wait for has been made visible.
    #[inline(always)]
    pub fn notify(&self, count: usize) {
        if self.may_have_waiters() && self.has_waiters() {
            self.wake(count);
        }
    }

    /// Whether [`EventCount::has_waiters`] is to be asked.
    #[inline(always)]
    pub(crate) fn may_have_waiters(&self) -> bool {
        // Pairs with the heavy fence in `wait`.
        Fences::light("event.notify.free");
        // Ordering: Relaxed; the fences order it.
        self.waiters.load_after_light_fence(site("event.notify.may", Relaxed)) != 0
    }

    /// Whether anybody may miss what this thread has just made visible.
    #[cold]
    pub(crate) fn has_waiters(&self) -> bool {
        // Ordering: Relaxed; the fence in `may_have_waiters` orders it.
        let waiters = self.waiters.load_after_light_fence(site("event.notify.unsure", Relaxed));
        if waiters & FENCE_NEEDED == 0 {
            return waiters != 0;
        }
        // Pairs with the heavy fence in `wait`.
        fence("event.notify.fence");
        // Ordering: Relaxed; the fences order it.
        self.waiters.load(site("event.notify.waiters", Relaxed)) & !(FENCE_NEEDED | SETTLED) != 0
    }

    /// [`EventCount::notify`], where there are waiters.
    #[cold]
    pub(crate) fn wake(&self, count: usize) {
        // Ordering: Release, pairs with the Acquire in `wait`: who sees the new epoch sees what
        // happened.
        self.parking.advance(site("event.wake.advance", Release));
        self.parking.wake(count);
    }

    /// Repeats `attempt` until it breaks with an answer or until the end: then `None`. It continues
    /// with the moment when to look again, whoever wakes.
    ///
    /// `attempt` runs at least once after the end, so that a wake-up that came with it is not lost.
    pub(crate) fn wait<R>(
        &self,
        end: Deadline,
        mut attempt: impl FnMut() -> ControlFlow<R, Deadline>,
    ) -> Option<R> {
        if let Some(answer) = self.spin(&mut attempt) {
            return Some(answer);
        }
        let mut settled = None;
        loop {
            // Ordering: Relaxed; the fence below orders it.
            let before = self.waiters.fetch_add(1, site("event.wait.announce", Relaxed));
            let epoch = self.parking.epoch(site("event.wait.epoch", Acquire));
            // Pairs with the fences in `may_have_waiters` and `has_waiters`.
            let covered = self.fences.heavy("event.wait.fence") || before & SETTLED != 0;
            let nap = if covered {
                Deadline::NEVER
            } else {
                *settled.get_or_insert_with(|| self.ask_for_fences())
            };
            let mut outcome = attempt();
            if let Continue(again) = outcome {
                self.parking.sleep(epoch, again.earlier(end).earlier(nap));
                outcome = attempt();
                if nap.has_passed() {
                    // Ordering: Release, pairs with the fence above: who finds it settled has seen
                    // no less than who settled it.
                    self.waiters.fetch_or(SETTLED, site("event.wait.settle", Release));
                }
            }
            self.waiters.fetch_sub(1, site("event.wait.leave", Relaxed));
            match outcome {
                Break(answer) => return Some(answer),
                Continue(_) if end.has_passed() => return attempt().break_value(),
                Continue(_) => {}
            }
        }
    }

    /// Has all wakers fence in full from now on. Returns when what was stored before that is visible.
    #[cold]
    fn ask_for_fences(&self) -> Deadline {
        // Ordering: Relaxed; who reads it fences and reads again.
        self.waiters.fetch_or(FENCE_NEEDED, site("event.wait.unsure", Relaxed));
        Fences::all_stores_out()
    }

    /// Looks for a few microseconds before anything is paid for sleep.
    ///
    /// Spinning pays if the other side runs on another processor and is quick; where it does not,
    /// as with both on one, it soon costs next to nothing.
    fn spin<R>(&self, attempt: &mut impl FnMut() -> ControlFlow<R, Deadline>) -> Option<R> {
        if !has_many_processors() {
            return attempt().break_value();
        }
        // Ordering: Relaxed, all of them; a lost update costs a few pauses.
        let lately = self.habits.patience.load(site("event.spin.patience", Relaxed));
        let waits = self.habits.waits.load(site("event.spin.waits", Relaxed));
        self.habits.waits.store(waits.wrapping_add(1), site("event.spin.count", Relaxed));
        let spins = if waits.is_multiple_of(PROBE) { SPINS } else { lately };
        for look in 0..spins {
            match attempt() {
                Break(answer) => {
                    let more = (lately + SPINS / 4).min(SPINS);
                    self.habits.patience.store(more, site("event.spin.more", Relaxed));
                    return Some(answer);
                }
                // If it is a matter of time, or of many items, a moment does not count.
                Continue(again) if look >= EAGER || again != Deadline::NEVER => pause(LONG_PAUSE),
                Continue(_) => pause(1),
            }
        }
        self.habits.patience.store(lately / 2, site("event.spin.less", Relaxed));
        for _ in 0..YIELDS {
            if let Break(answer) = attempt() {
                return Some(answer);
            }
            yield_now();
        }
        None
    }
}
