//! Sleeping on a 32-bit word until it changes, a thread wakes the sleeper, or a deadline passes.
//!
//! Linux: futex. Elsewhere, and in the portable build:
//! parking_lot_core. Under loom: condition variables of the model.

use super::{AtomicU32, Ordering};

/// The monotonic clock.
pub(crate) struct Clock;

#[cfg(not(loom))]
impl Clock {
    /// Nanoseconds of CLOCK_MONOTONIC.
    pub(crate) fn now() -> u64 {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` is a valid output; this clock exists everywhere.
        unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
        time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
    }
}

#[cfg(loom)]
loom::lazy_static! {
    static ref NOW: super::AtomicU64 = super::AtomicU64::new(1);
}

/// The time of a model. It stands still until a thread would sleep until a deadline, then jumps there.
#[cfg(loom)]
impl Clock {
    pub(crate) fn now() -> u64 {
        NOW.load(super::Relaxed)
    }
    pub(super) fn advance(to: u64) {
        NOW.fetch_max(to, super::Relaxed);
    }
}

/// A time of the monotonic clock in nanoseconds; `None`: no deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(Option<u64>);

impl Deadline {
    /// For calls that do not wait.
    pub(crate) const PASSED: Self = Self(Some(0));
    pub(crate) const NEVER: Self = Self(None);

    /// A time beyond the range of the kernel's signed times never comes.
    pub(crate) fn at(nanos: u64) -> Self {
        Self(Some(nanos).filter(|&at| at <= i64::MAX as u64))
    }

    /// The time; `u64::MAX` if there is no deadline.
    pub(crate) fn nanos(self) -> u64 {
        self.0.unwrap_or(u64::MAX)
    }

    pub(crate) fn has_passed(self) -> bool {
        self.0.is_some_and(|at| at == 0 || Clock::now() >= at)
    }

    /// The time in the form of the kernel; `None` if there is no deadline.
    #[cfg(all(target_os = "linux", not(loom)))]
    pub(super) fn timespec(self) -> Option<libc::timespec> {
        self.0.map(|at| libc::timespec {
            tv_sec: (at / 1_000_000_000) as _,
            tv_nsec: (at % 1_000_000_000) as _,
        })
    }

    pub(crate) fn earlier(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(a), Some(b)) => Self(Some(a.min(b))),
            (a, b) => Self(a.or(b)),
        }
    }
}

/// A word on which threads sleep.
#[derive(Debug)]
#[cfg_attr(not(loom), repr(transparent))]
pub(crate) struct Parking {
    word: AtomicU32,
    /// Threads that sleep on several words, and the condition variable of those that sleep on this
    /// word.
    #[cfg(loom)]
    pub(super) sleepers: (loom::sync::Mutex<Vec<std::sync::Arc<Sleeper>>>, loom::sync::Condvar),
}

/// A thread of a model that sleeps on several words: whether it was woken, and its condition
/// variable.
#[cfg(loom)]
type Sleeper = (loom::sync::Mutex<bool>, loom::sync::Condvar);

impl Parking {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        Self { word: AtomicU32::new(0) }
    }
    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        let sleepers = (loom::sync::Mutex::new(Vec::new()), loom::sync::Condvar::new());
        Self { word: AtomicU32::new(0), sleepers }
    }
    /// The word itself, for the lock, whose states it holds.
    #[inline(always)]
    pub(super) fn word(&self) -> &AtomicU32 {
        &self.word
    }
    pub(crate) fn epoch(&self, at: Ordering) -> u32 {
        self.word.load(at)
    }
    /// Starts a new epoch: a thread that read an older one does not fall asleep.
    pub(crate) fn advance(&self, at: Ordering) {
        self.word.fetch_add(1, at);
    }
}

#[cfg(all(target_os = "linux", not(any(loom, queues_portable))))]
impl Parking {
    pub(super) fn address(&self) -> *mut u32 {
        core::ptr::from_ref(&self.word).cast::<u32>().cast_mut()
    }

    /// Sleeps while the epoch is `seen`, until woken or until the deadline. May return early; the
    /// caller checks its condition again.
    pub(crate) fn sleep(&self, seen: u32, deadline: Deadline) {
        self.sleep_by(libc::FUTEX_PRIVATE_FLAG, seen, deadline);
    }

    /// [`Parking::sleep`] on a word of shared memory, on which other processes wake.
    #[cfg(queues_shared)]
    pub(crate) fn sleep_among_processes(&self, seen: u32, deadline: Deadline) {
        self.sleep_by(0, seen, deadline);
    }

    fn sleep_by(&self, flags: libc::c_int, seen: u32, deadline: Deadline) {
        let _disabled = super::disable_cancellation();
        let limit = deadline.timespec();
        let limit = limit.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
        // SAFETY: the word outlives the call; `limit` is null or a valid absolute time, which
        // FUTEX_WAIT_BITSET measures on CLOCK_MONOTONIC.
        unsafe {
            libc::syscall(
                libc::SYS_futex,
                self.address(),
                libc::FUTEX_WAIT_BITSET | flags,
                seen,
                limit,
                core::ptr::null_mut::<u32>(),
                libc::FUTEX_BITSET_MATCH_ANY as u32,
            );
        }
    }

    /// Wakes up to `count` sleepers. Uses only the address of the word, which may be freed already.
    pub(crate) fn wake(&self, count: usize) {
        self.wake_by(libc::FUTEX_PRIVATE_FLAG, count);
    }

    /// [`Parking::wake`] on a word of shared memory, on which other processes sleep.
    #[cfg(queues_shared)]
    pub(crate) fn wake_among_processes(&self, count: usize) {
        self.wake_by(0, count);
    }

    fn wake_by(&self, flags: libc::c_int, count: usize) {
        let count = count.min(libc::c_int::MAX as usize) as libc::c_int;
        // SAFETY: FUTEX_WAKE does not access the word.
        unsafe {
            libc::syscall(libc::SYS_futex, self.address(), libc::FUTEX_WAKE | flags, count);
        }
    }
}

/// The word of the process, on which pollers sleep that cannot sleep on the words of their queues.
#[derive(Debug)]
pub(crate) struct ProcessParking {
    /// The number of these pollers. Too high in a child that was forked while pollers slept.
    pub(crate) sleepers: AtomicU32,
    pub(crate) parking: Parking,
}

#[cfg(not(loom))]
static PROCESS: ProcessParking =
    ProcessParking { sleepers: AtomicU32::new(0), parking: Parking::new() };

#[cfg(loom)]
loom::lazy_static! {
    static ref PROCESS: ProcessParking =
        ProcessParking { sleepers: AtomicU32::new(0), parking: Parking::new() };
}

/// The word of this process.
pub(crate) fn process_parking() -> &'static ProcessParking {
    &PROCESS
}

#[cfg(all(any(not(target_os = "linux"), queues_portable), not(loom)))]
impl Parking {
    fn key(&self) -> usize {
        core::ptr::from_ref(&self.word).addr()
    }

    /// Sleeps while the epoch is `seen`, until woken or until the deadline. May return early; the
    /// caller checks its condition again.
    pub(crate) fn sleep(&self, seen: u32, deadline: Deadline) {
        use parking_lot_core::{DEFAULT_PARK_TOKEN, park};
        use std::time::{Duration, Instant};
        let _disabled = super::disable_cancellation();
        let limit = deadline.0.and_then(|at| {
            Instant::now().checked_add(Duration::from_nanos(at.saturating_sub(Clock::now())))
        });
        // SAFETY: the closures neither park nor panic; the key is an address of our own memory.
        unsafe {
            park(
                self.key(),
                || self.epoch(super::site("park.validate", super::Relaxed)) == seen,
                || {},
                |_, _| {},
                DEFAULT_PARK_TOKEN,
                limit,
            );
        }
    }

    /// Wakes up to `count` sleepers. Uses only the address of the word, which may be freed already.
    pub(crate) fn wake(&self, mut count: usize) {
        use parking_lot_core::{DEFAULT_UNPARK_TOKEN, FilterOp, unpark_filter};
        // The locks of parking_lot_core may sleep, too.
        let _disabled = super::disable_cancellation();
        let next = |_| {
            let op = if count > 0 { FilterOp::Unpark } else { FilterOp::Stop };
            count = count.saturating_sub(1);
            op
        };
        // SAFETY: the closures neither park nor panic; the key is an address of our own memory.
        unsafe { unpark_filter(self.key(), next, |_| DEFAULT_UNPARK_TOKEN) };
    }
}

#[cfg(loom)]
impl Parking {
    /// Without a deadline: sleeps until woken, so that a lost wake-up is a deadlock that loom reports.
    /// With one: does not sleep, but sets the [`Clock`] to the deadline. Where membarrier is withdrawn,
    /// the stores of other threads are visible by then.
    pub(crate) fn sleep(&self, seen: u32, deadline: Deadline) {
        if pass_to(deadline) {
            return;
        }
        let (lock, sleepers) = &self.sleepers;
        let guard = lock.lock().unwrap();
        if self.epoch(super::Relaxed) == seen {
            drop(sleepers.wait(guard).unwrap());
        }
    }

    /// Wakes up to `count` sleepers, first those that sleep on several words.
    pub(crate) fn wake(&self, count: usize) {
        let (lock, sleepers) = &self.sleepers;
        let mut on_several = lock.lock().unwrap();
        let woken = count.min(on_several.len());
        for sleeper in on_several.drain(..woken) {
            *sleeper.0.lock().unwrap() = true;
            sleeper.1.notify_one();
        }
        drop(on_several);
        match count - woken {
            0 => {}
            1 => sleepers.notify_one(),
            _ => sleepers.notify_all(),
        }
    }
}

/// Ends a sleep at once, as if its deadline had come. Returns false without a deadline.
#[cfg(loom)]
pub(super) fn pass_to(deadline: Deadline) -> bool {
    if let Some(at) = deadline.0 {
        super::fence::withdrawal::pass();
        Clock::advance(at);
    }
    deadline.0.is_some()
}
