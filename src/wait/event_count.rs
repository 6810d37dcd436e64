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
//! # Waiters and wakers
//! - A *sleeper* waits in one call for one item. A waker, the thread that ends a sleep, wakes as
//!   many sleepers as there are items.
//! - A *poller* ([`poll`](super::poll)) waits on several event counts and takes nothing. A waker
//!   wakes all of them.
//! - A *descriptor* is armed by a call that found nothing: `ARMED`. The waker that clears the bit
//!   makes the descriptor readable. It stays readable until the next call finds nothing, so an item
//!   costs no system call while its consumer is awake.
//! - A *future* adds its `Waker`, Rust's callback, to a list in `wait/wakers.rs`: `WAKERS`. A waker
//!   wakes as many futures as there are items, beside the sleepers.
//!
//! A thread that arms the descriptor counts as a poller meanwhile: it resets the descriptor before
//! it sets `ARMED`, and must not miss a waker between the two. Then it checks again as a sleeper
//! does. So the signal that its reset discarded was for an item that this check finds, or that
//! another thread has taken.
//!
//! A waker that clears `ARMED` may stop before it signals. It counts as a *signaler* meanwhile, and
//! the wakers that follow signal, too.
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

use super::wakers::Wakers;
use crate::error::{Error, Result};
use crate::memory;
use crate::sync::{
    AcqRel, Acquire, AtomicPtr, AtomicU32, AtomicU64, Deadline, Descriptor, Fences, Parking,
    Relaxed, Release, fence, has_many_processors, pause, pause_for, pause_rate, site, yield_now,
};
use core::ops::ControlFlow::{self, Break, Continue};
use crossbeam_utils::CachePadded;

/// The largest number of checks before a sleep, about 8 µs together (Zen 5; decision 002).
const MAX_SPINS: u32 = 90;
/// Checks with one pause instruction after each: they find a fast reply soon. Later checks pause
/// longer and so disturb the other thread less.
const SHORT_SPINS: u32 = 20;
/// Nanoseconds of pause after a later check.
const LONG_PAUSE: u32 = 92;
/// Nanoseconds of pause after a check that found items which become due at a known time: such a check
/// takes the line that the producers write, and needs no fast reply (decision 023).
const TIMED_PAUSE: u32 = 8 * LONG_PAUSE;
/// Checks after the spins, with a yield of the processor after each.
const YIELDS: u32 = 2;
/// Each PROBE-th wait spins `MAX_SPINS` times even if the budget is lower, to see whether it pays.
const PROBE: u32 = 16;

/// The bits of the word `waiters` that count sleepers: as many as Linux can have threads.
/// `debug/queues-gdb.py` repeats the number.
const SLEEPERS: u64 = (1 << 22) - 1;
/// One poller in the word `waiters`.
const POLLER: u64 = 1 << 22;
/// The bits that count pollers and threads that arm the descriptor. A poll counts once for each of
/// its entries of the queue.
const POLLERS: u64 = ((1 << 26) - 1) << 22;
/// One signaler in the word `waiters`: a waker that clears `ARMED` and has not signaled yet.
const SIGNALER: u64 = 1 << 48;
/// The bits that count signalers.
const SIGNALERS: u64 = ((1 << 12) - 1) << 48;
/// The list of futures that wait is not empty.
pub(super) const WAKERS: u64 = 1 << 60;
/// The descriptor is not readable: a waker must signal it.
const ARMED: u64 = 1 << 61;
/// Every store that was made before `FENCE_NEEDED` was set is visible, so that a waiter whose check
/// fails may sleep without a limit.
const STORES_VISIBLE: u64 = 1 << 62;
/// A waker must fence in full before it reads the other bits. Set from the start where light fences
/// are full ones, else from the first sleep whose heavy fence was refused, and from the first
/// descriptor or the first future that waits.
const FENCE_NEEDED: u64 = 1 << 63;

/// See the module.
#[derive(Debug)]
#[repr(C)] // part of the layout of inlined calls
pub struct EventCount {
    /// See `SLEEPERS` to `FENCE_NEEDED`.
    waiters: AtomicU64,
    fences: Fences,
    /// Where sleepers sleep.
    parking: Parking,
    /// Where pollers sleep.
    polls: Parking,
    /// Made on request; null before.
    descriptor: AtomicPtr<Descriptor>,
    /// Futures that wait.
    wakers: Wakers,
    // On a line of its own: waiters write it, and wakers read the other fields for every item.
    spinning: CachePadded<Spinning>,
}

/// What a waker read in the word `waiters`: the kinds of waiters that it has to wake.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiters(u64);

/// Whether a poll may rely on its check: see [`EventCount::cover_poll`].
pub(super) struct Cover {
    /// What the heavy fence of this check returned, which covers all event counts.
    fenced: Option<bool>,
    /// When the stores are visible that were made before the first check.
    stores_visible_at: Option<Deadline>,
    /// Until when the poll may sleep.
    nap: Deadline,
}

impl Cover {
    pub(super) fn new() -> Self {
        Self { fenced: None, stores_visible_at: None, nap: Deadline::NEVER }
    }

    /// Returns until when the poll may sleep after its check, and begins the next check.
    pub(super) fn nap(&mut self) -> Deadline {
        let nap = core::mem::replace(&mut self.nap, Deadline::NEVER);
        if self.stores_visible_at.is_none() && nap != Deadline::NEVER {
            self.stores_visible_at = Some(nap);
        }
        self.fenced = None;
        nap
    }
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
    /// Offset of the word that wakers read.
    #[cfg(all(test, not(loom)))]
    pub(super) const WAITERS: usize = core::mem::offset_of!(Self, waiters);

    /// An event count without waiters.
    pub fn new() -> Self {
        let fences = Fences::prepare();
        has_many_processors(); // its first call reads a file, which no wait should do
        pause_rate(); // its first call measures for 3 µs
        Self {
            waiters: AtomicU64::new(if fences.is_asymmetric() {
                0
            } else {
                FENCE_NEEDED | STORES_VISIBLE
            }),
            fences,
            parking: Parking::new(),
            polls: Parking::new(),
            descriptor: AtomicPtr::new(core::ptr::null_mut()),
            wakers: Wakers::new(),
            spinning: CachePadded::new(Spinning {
                budget: AtomicU32::new(MAX_SPINS),
                waits: AtomicU32::new(0),
            }),
        }
    }

    /// The 4 bytes that count sleepers, for a debugger.
    pub(super) fn address_of_sleepers(&self) -> *const u8 {
        let low = if cfg!(target_endian = "little") { 0 } else { 4 };
        (&raw const self.waiters).cast::<u8>().wrapping_add(low)
    }

    /// Wakes up to `count` sleepers, up to `count` futures and all pollers, and signals the
    /// descriptor. The caller has published what they wait for.
    #[inline(always)]
    pub fn notify(&self, count: usize) {
        if self.may_have_waiters() {
            self.notify_slow(count);
        }
    }

    #[cold]
    fn notify_slow(&self, count: usize) {
        if let Some(waiters) = self.waiters() {
            self.wake(waiters, count);
        }
    }

    /// False if no waiter can miss what this thread published. Otherwise [`EventCount::waiters`]
    /// decides.
    #[inline(always)]
    pub(crate) fn may_have_waiters(&self) -> bool {
        // Pairs with the heavy fences in `wait`, `arm` and `poll`.
        Fences::light("event.notify.light");
        // Ordering: Relaxed; the fences order it.
        self.waiters.load_after_light_fence(site("event.notify.may", Relaxed)) != 0
    }

    /// The waiters that may miss what this thread published. Follows `may_have_waiters`.
    #[cold]
    pub(crate) fn waiters(&self) -> Option<Waiters> {
        // Ordering: Relaxed; the fence in `may_have_waiters` orders it.
        let mut waiters = self.waiters.load_after_light_fence(site("event.notify.again", Relaxed));
        if waiters & FENCE_NEEDED != 0 {
            // Pairs with the heavy fences in `wait`, `arm` and `poll`.
            fence("event.notify.fence");
            // Ordering: Relaxed; the fences order it.
            waiters = self.waiters.load(site("event.notify.waiters", Relaxed));
        }
        let found = waiters & (SLEEPERS | POLLERS | SIGNALERS | ARMED | WAKERS);
        (found != 0).then_some(Waiters(found))
    }

    /// [`EventCount::notify`], where there are waiters.
    #[cold]
    pub(crate) fn wake(&self, waiters: Waiters, count: usize) {
        self.wake_threads(waiters, count);
        if waiters.0 & (POLLERS | SIGNALERS | ARMED) != 0 {
            self.signal(waiters);
        }
        self.wake_futures(waiters, count);
    }

    /// Wakes up to `count` sleepers and all pollers.
    fn wake_threads(&self, Waiters(waiters): Waiters, count: usize) {
        // Ordering: Release, pairs with the Acquires in `wait` and `poll`: a waiter that reads the
        // new epoch sees the change that it stands for.
        if waiters & SLEEPERS != 0 {
            self.parking.advance(site("event.wake.advance", Release));
            self.parking.wake(count);
        }
        if waiters & POLLERS != 0 {
            // Ordering: Acquire, pairs with the Release in `begin_poll`, for `wake_other_pollers`.
            self.waiters.fetch_add(0, site("event.wake.pollers", Acquire));
            self.polls.advance(site("event.wake.polls", Release));
            self.polls.wake(usize::MAX);
            super::poll::wake_other_pollers();
        }
    }

    /// Wakes up to `count` futures. Threads come before futures, because a `Waker` is code of the
    /// program.
    fn wake_futures(&self, Waiters(waiters): Waiters, count: usize) {
        if waiters & WAKERS != 0 {
            self.wakers.notify(&self.waiters, count);
        }
    }

    /// Wakes the waiters for what becomes ready at time `at`: threads and futures now, which then
    /// compute how long they wait, and the descriptor at that time.
    #[cold]
    pub(crate) fn wake_at(&self, waiters: Waiters, count: usize, at: Deadline) {
        self.wake_threads(waiters, count);
        // Ordering: AcqRel, as in `signal`: what a reset discards is for an item that its thread
        // sees.
        self.waiters.fetch_add(0, site("event.wake.at", AcqRel));
        // The descriptor stays armed. A thread that is arming it checks again, and then sets the
        // timer itself.
        if let Some(descriptor) = self.descriptor() {
            descriptor.set_timer(at);
        }
        self.wake_futures(waiters, count);
    }

    /// Whether a poller or a descriptor waits.
    #[cfg(queues_shared)]
    pub(super) fn has_waiters(&self) -> bool {
        // Ordering: SeqCst. A waiter announces itself and then calls the lookout, which reads the call
        // before this.
        self.waiters.load(site("event.has_waiters", crate::sync::SeqCst)) & (POLLERS | ARMED) != 0
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
            // Pairs with the fences in `may_have_waiters` and `waiters`.
            let covered = if before & STORES_VISIBLE != 0 {
                fence("event.wait.full");
                true
            } else {
                self.fences.heavy("event.wait.fence")
            };
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
                    self.note_stores_visible();
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

    /// Sets `STORES_VISIBLE`: the time that [`EventCount::make_wakers_fence`] returned has passed.
    #[cold]
    fn note_stores_visible(&self) {
        // Ordering: Release, pairs with the heavy fences of waiters: a waiter that reads the bit
        // sees at least what this thread saw.
        self.waiters.fetch_or(STORES_VISIBLE, site("event.wait.visible", Release));
    }

    /// Begins to poll: from now on wakers wake this thread at `polls`. Returns that word and its
    /// epoch. The caller calls [`EventCount::cover_poll`] next, and then checks.
    pub(super) fn begin_poll(&self) -> (&Parking, u32) {
        // Ordering: Release, pairs with the Acquire in `wake_threads`. The fence in `cover_poll`
        // orders it before the check.
        self.waiters.fetch_add(POLLER, site("event.poll.announce", Release));
        (&self.polls, self.polls.epoch(site("event.poll.epoch", Acquire)))
    }

    /// Makes sure that the next check of the caller, a poller, finds what wakers published before
    /// they could see the poller. Where that cannot be, notes in `cover` until when the poller may
    /// sleep.
    pub(super) fn cover_poll(&self, cover: &mut Cover) {
        // Ordering: Acquire, pairs with the Release in `note_stores_visible`.
        let waiters = self.waiters.load(site("event.poll.covered", Acquire));
        let covered = if waiters & STORES_VISIBLE != 0 {
            fence("event.poll.full");
            true
        } else {
            *cover.fenced.get_or_insert_with(|| self.fences.heavy("event.poll.fence"))
        };
        if covered {
            return;
        }
        match cover.stores_visible_at {
            Some(at) if at.has_passed() => self.note_stores_visible(),
            _ => cover.nap = self.make_wakers_fence(),
        }
    }

    /// Ends what `begin_poll` began.
    pub(super) fn end_poll(&self) {
        self.waiters.fetch_sub(POLLER, site("event.poll.leave", Relaxed));
    }

    /// The word of the waiters, and the futures among them.
    pub(super) fn wakers(&self) -> (&AtomicU64, &Wakers) {
        (&self.waiters, &self.wakers)
    }

    /// Makes sure that the next check of the caller finds what wakers published that did not see
    /// `WAKERS`. The caller has added a `Waker` and executed a full fence.
    pub(super) fn cover_wakers(&self) {
        // Ordering: Acquire, pairs with the Release in `note_stores_visible`.
        if self.waiters.load(site("event.wakers.covered", Acquire)) & STORES_VISIBLE == 0 {
            self.fence_for_good();
        }
    }

    /// The descriptor, if one was requested.
    #[inline]
    pub(super) fn descriptor(&self) -> Option<&Descriptor> {
        // Ordering: Acquire, pairs with the AcqRel in `make_descriptor`.
        let descriptor = self.descriptor.load(site("event.descriptor.load", Acquire));
        // SAFETY: null, or made by `Box::into_raw`, and freed when this event count is.
        unsafe { descriptor.as_ref() }
    }

    /// Returns the descriptor, and whether this call made it. A new descriptor is signaled. Fails
    /// with [`Error::NoMemory`], and with [`Error::Invalid`] if it is to be `timed` on a system
    /// without timers.
    pub(super) fn make_descriptor(&self, timed: bool) -> Result<(&Descriptor, bool)> {
        if let Some(descriptor) = self.descriptor() {
            return Ok((descriptor, false));
        }
        if timed && !Descriptor::HAS_TIMERS {
            return Err(Error::Invalid);
        }
        let descriptor = Descriptor::try_new(timed).ok_or(Error::NoMemory)?;
        let descriptor = memory::try_box(descriptor)?;
        descriptor.signal();
        let new = Box::into_raw(descriptor);
        // Ordering: AcqRel, pairs with the Acquire in `descriptor`.
        let null = core::ptr::null_mut();
        let is_first = self.descriptor.replace(null, new, site("event.descriptor.make", AcqRel));
        if !is_first {
            // SAFETY: no other thread has seen it.
            drop(unsafe { Box::from_raw(new) });
        }
        Ok((self.descriptor().expect("made above or by another thread"), is_first))
    }

    /// The heavy fence of a thread that arms a descriptor or adds the `Waker` of a future. From the
    /// first on, wakers fence in full. That costs a waker some nanoseconds for an item (decisions
    /// 018 and 020). A heavy fence interrupts every thread of the process, and event loops arm
    /// often.
    #[cold]
    fn fence_for_good(&self) {
        self.make_wakers_fence();
        if !self.fences.heavy("event.arm.fence") {
            Fences::wait_for_stores();
        }
        self.note_stores_visible();
    }

    /// Counts this thread as a signaler. Returns false, uncounted, if half of the numbers in
    /// `SIGNALERS` are in use: the waker then leaves `ARMED` set, so that the wakers that follow
    /// signal as well.
    fn begin_signal(&self) -> bool {
        let before = self.waiters.fetch_add(SIGNALER, site("event.signal.announce", Relaxed));
        // The other half is for threads between the addition and the subtraction.
        let has_room = before & SIGNALERS < SIGNALERS / 2;
        if !has_room {
            self.waiters.fetch_sub(SIGNALER, site("event.signal.retreat", Relaxed));
        }
        has_room
    }

    /// Signals if another waker was about to signal and may have stopped. For a waker that has no
    /// other waiter to wake.
    #[cold]
    pub(crate) fn join_signal(&self, waiters: Waiters) {
        if waiters.0 & SIGNALERS != 0 {
            self.signal(Waiters(SIGNALERS));
        }
    }

    /// Makes the descriptor readable.
    #[cold]
    fn signal(&self, Waiters(waiters): Waiters) {
        let disarms = waiters & ARMED != 0 && self.begin_signal();
        // Ordering: AcqRel, both, pairs with the AcqRel in `arm`: a thread that arms the descriptor
        // again sees what this thread published, or this thread signals after the reset.
        if disarms {
            self.waiters.fetch_and(!ARMED, site("event.signal.disarm", AcqRel));
        } else {
            self.waiters.fetch_add(0, site("event.signal.join", AcqRel));
        }
        if let Some(descriptor) = self.descriptor() {
            descriptor.signal();
        }
        if disarms {
            self.waiters.fetch_sub(SIGNALER, site("event.signal.leave", Relaxed));
        }
    }

    /// [`EventCount::arm_descriptor`], if a descriptor was requested.
    #[inline]
    pub(super) fn arm<R>(&self, attempt: impl FnOnce() -> ControlFlow<R, Deadline>) -> Option<R> {
        self.arm_descriptor(self.descriptor()?, attempt)
    }

    /// Arms the descriptor: makes it unreadable until the next change. Then calls `attempt`. After
    /// `Break` makes the descriptor readable again and returns the result. After `Continue(t)`
    /// returns `None`, and the descriptor becomes readable by itself at time `t`.
    #[cold]
    pub(super) fn arm_descriptor<R>(
        &self,
        descriptor: &Descriptor,
        attempt: impl FnOnce() -> ControlFlow<R, Deadline>,
    ) -> Option<R> {
        // From here on wakers signal, so what `reset` discards is for something that `attempt`
        // finds.
        // Ordering: Release, pairs with the AcqRel in `signal`: a waker sees the descriptor.
        let before = self.waiters.fetch_add(POLLER, site("event.arm.announce", Release));
        descriptor.reset();
        // Ordering: AcqRel, as in `signal`.
        self.waiters.fetch_or(ARMED, site("event.arm.set", AcqRel));
        // Pairs with the fences in `may_have_waiters` and `waiters`.
        if before & STORES_VISIBLE != 0 {
            fence("event.arm.full");
        } else {
            self.fence_for_good();
        }
        let outcome = attempt();
        self.waiters.fetch_sub(POLLER, site("event.arm.leave", Relaxed));
        match outcome {
            Continue(at) => {
                descriptor.set_timer(at);
                None
            }
            Break(result) => {
                self.signal(Waiters(ARMED));
                Some(result)
            }
        }
    }

    /// Checks for up to `MAX_SPINS` times before the waiter sleeps, as a sleep and a wake cost more.
    ///
    /// Spinning pays if the other thread runs on another processor and is fast. Where it does not pay,
    /// as with both threads on one processor, the budget soon falls to nearly nothing.
    pub(super) fn spin<R>(
        &self,
        attempt: &mut impl FnMut() -> ControlFlow<R, Deadline>,
    ) -> Option<R> {
        if !has_many_processors() {
            return attempt().break_value();
        }
        // Ordering: Relaxed, all of them; a lost update costs a few pauses.
        let budget = self.spinning.budget.load(site("event.spin.budget", Relaxed));
        let waits = self.spinning.waits.load(site("event.spin.waits", Relaxed));
        self.spinning.waits.store(waits.wrapping_add(1), site("event.spin.count", Relaxed));
        let spins = if waits % PROBE == 0 { MAX_SPINS } else { budget };
        let mut spun = 0;
        while spun < spins {
            spun += 1;
            match attempt() {
                Break(result) => {
                    let more = (budget + MAX_SPINS / 4).min(MAX_SPINS);
                    self.spinning.budget.store(more, site("event.spin.more", Relaxed));
                    return Some(result);
                }
                Continue(again) if again != Deadline::NEVER => {
                    pause_for(TIMED_PAUSE);
                    // It counts as the checks that take as long.
                    spun += TIMED_PAUSE / LONG_PAUSE - 1;
                }
                Continue(_) if spun > SHORT_SPINS => pause_for(LONG_PAUSE),
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

impl Drop for EventCount {
    fn drop(&mut self) {
        let descriptor = self.descriptor.load(site("event.drop.descriptor", Relaxed));
        if !descriptor.is_null() {
            // SAFETY: made by `Box::into_raw`; no thread uses the event count any more.
            drop(unsafe { Box::from_raw(descriptor) });
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn is_readable(descriptor: &Descriptor) -> bool {
        let mut entry = libc::pollfd { fd: descriptor.fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one entry, which is written during the call.
        unsafe { libc::poll(&mut entry, 1, 0) == 1 }
    }

    #[test]
    fn more_signalers_than_the_word_can_count_lose_no_signal() {
        let event_count = EventCount::new();
        let (descriptor, _) = event_count.make_descriptor(false).unwrap();
        let arm = || event_count.arm_descriptor(descriptor, || Continue::<(), _>(Deadline::NEVER));
        let stopped = SIGNALERS / 2 / SIGNALER + 1;
        event_count.waiters.fetch_add(stopped * SIGNALER, Relaxed);
        for _ in 0..2 * stopped {
            assert!(arm().is_none() && !is_readable(descriptor));
            event_count.notify(1);
            assert!(is_readable(descriptor));
        }
        let waiters = event_count.waiters.fetch_sub(stopped * SIGNALER, Relaxed);
        assert_eq!(waiters & (SIGNALERS | WAKERS), stopped * SIGNALER);
        arm();
        event_count.notify(1);
        assert!(is_readable(descriptor));
        assert_eq!(event_count.waiters.load(Relaxed) & (SIGNALERS | WAKERS | ARMED), 0);
    }
}
