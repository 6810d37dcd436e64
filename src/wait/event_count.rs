//! The event count: how a thread sleeps until *something happened*, with no lock around what happens.
//!
//! A waiter announces itself (`waiters`), notes the epoch, and looks again for what it waits for; only then it sleeps, and only
//! while the epoch is the one it noted. Who makes something happen does so first, and then looks at `waiters`: 0 is the
//! usual case and one load; otherwise it starts a new epoch and wakes. Either the waker sees the
//! waiter or the waiter sees what happened: between the two steps of each stands a fence (Dekker), a free one
//! on the waker's side where the kernel has membarrier. The scheme is known from Dmitry Vyukov's event
//! count (2008) and folly's EventCount.
//!
//! A waiter that dies in its sleep leaves `waiters` too high, which costs the others a system call now and then and
//! nothing else.

use super::Deadline;
use crate::sync::{
    Acquire, AtomicU32, Fences, Parking, Relaxed, Release, pause, site, worth_spinning, yield_now,
};

/// Looks before sleeping, each after a pause twice as long as the last up to the cap.
const SPINS: u32 = 40;
const LONGEST_PAUSE: u32 = 4;
/// Then looks after offering the processor.
const YIELDS: u32 = 4;

/// See the module.
#[derive(Debug)]
pub struct EventCount {
    fences: Fences,
    waiters: AtomicU32,
    parking: Parking,
}

impl Default for EventCount {
    fn default() -> Self {
        Self::new()
    }
}

impl EventCount {
    /// Nobody waits.
    pub fn new() -> Self {
        Self { fences: Fences::prepare(), waiters: AtomicU32::new(0), parking: Parking::new() }
    }

    /// Wakes up to `count` waiters, after what they wait for has been made visible.
    #[inline(always)]
    pub fn notify(&self, count: usize) {
        // Pairs with the heavy fence in `wait`.
        self.fences.light("event.notify.fence");
        // Ordering: Relaxed; the fences order it.
        if self.waiters.load(site("event.notify.waiters", Relaxed)) != 0 {
            self.wake(count);
        }
    }

    #[cold]
    fn wake(&self, count: usize) {
        // Ordering: Release, pairs with the Acquire in `wait`: who sees the new epoch sees what happened.
        self.parking.advance(site("event.wake.advance", Release));
        self.parking.wake(count);
    }

    /// Repeats `attempt` until it answers something, or until the deadline passed: then `None`.
    ///
    /// `attempt` answers `None` while there is nothing to do yet. It runs at least once after a passed
    /// deadline, so that a wake-up that came with the deadline is not lost.
    pub(crate) fn wait<R>(
        &self,
        deadline: Deadline,
        mut attempt: impl FnMut() -> Option<R>,
    ) -> Option<R> {
        if let Some(answer) = spin(&mut attempt) {
            return Some(answer);
        }
        loop {
            // Ordering: Relaxed; the fence below orders it.
            self.waiters.fetch_add(1, site("event.wait.announce", Relaxed));
            let epoch = self.parking.epoch(site("event.wait.epoch", Acquire));
            // Pairs with the light fence in `notify`.
            self.fences.heavy("event.wait.fence");
            let mut answer = attempt();
            if answer.is_none() {
                self.parking.sleep(epoch, deadline.0);
                answer = attempt();
            }
            self.waiters.fetch_sub(1, site("event.wait.leave", Relaxed));
            if answer.is_some() || deadline.has_passed() {
                return answer.or_else(attempt);
            }
        }
    }
}

/// Looks for a few microseconds before anything is paid for sleep.
fn spin<R>(attempt: &mut impl FnMut() -> Option<R>) -> Option<R> {
    if !worth_spinning() {
        return attempt();
    }
    let mut pauses = 1;
    for _ in 0..SPINS {
        if let Some(answer) = attempt() {
            return Some(answer);
        }
        pause(pauses);
        pauses = (pauses * 2).min(LONGEST_PAUSE);
    }
    for _ in 0..YIELDS {
        if let Some(answer) = attempt() {
            return Some(answer);
        }
        yield_now();
    }
    None
}
