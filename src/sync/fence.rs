//! Asymmetric fences: a light one for the frequent side of a Dekker pattern, a heavy one for the rare
//! side.
//!
//! # Idea
//! A thread that publishes an item by a plain store and then loads the number of waiters needs a full
//! fence between the two. So does a waiter between its announcement and its last check. Items are
//! frequent and sleeps are rare. So the publisher executes a light fence, which only the compiler sees,
//! and the waiter a heavy one: Linux' `membarrier` interrupts all running threads of the process, which
//! has the effect of a full fence in each. Where the kernel refuses membarrier, both sides execute a full
//! fence. (liburcu and folly have the same scheme.)
//!
//! # Among processes
//! Another command of membarrier interrupts the threads of all processes that have registered for it.
//! A process that could not register makes all of them execute full fences (`shared/event.rs`,
//! `queue/spsc/closing.rs`). The command succeeds even if another process has lost its registration,
//! as a process may that was restored from a checkpoint.
//!
//! # When membarrier is refused later
//! The kernel may refuse a process that it has registered: in a sandbox that the process enters, or after
//! a restore from a checkpoint. Then the rare side makes the frequent side pay from now on. It sets a bit
//! in the word that the frequent side loads after its light fence; a thread that reads the bit fences in
//! full and loads again. One case is left: a thread loaded the word just before, and its store is still in
//! the store buffer. No fence of another thread reaches it, but a store leaves the buffer within about a
//! microsecond, and at the latest when its thread is descheduled. So the rare side checks again after
//! [`STORE_VISIBLE_AFTER`] before it relies on what it saw, once for each word.

use super::{Clock, Deadline, Ordering, Parking, SeqCst, imp, site};

/// Whether light fences are full fences, so that nothing needs interrupting: under loom and Miri, except
/// in the portable build.
const MODEL: bool = cfg!(all(any(loom, miri), not(queues_portable)));

/// Nanoseconds after which all threads can read what a thread has stored: 1 ms, a thousand times as long
/// as a store waits for its cache line.
const STORE_VISIBLE_AFTER: u64 = 1_000_000;

/// A full fence; nothing if the mutation run removes this one.
#[inline(always)]
pub(crate) fn fence(name: &'static str) {
    match site(name, SeqCst) {
        Ordering::Relaxed => {}
        strength => imp::fence(strength),
    }
}

/// The fences of one object, as the kernel allowed them when it was created.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fences {
    is_asymmetric: bool,
    reach: Reach,
}

/// The threads whose light fences a heavy fence reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Those of this process.
    Process,
    /// Those of all processes that have registered.
    #[cfg(queues_shared)]
    Processes,
}

impl Fences {
    /// Registers the process for membarrier, at each creation of a queue: only the first call costs
    /// anything, and a child that was forked during it registers itself. Not after a refusal.
    pub(crate) fn prepare() -> Self {
        Self::reaching(Reach::Process)
    }

    /// [`Fences::prepare`] for an object that other processes use, too.
    #[cfg(queues_shared)]
    pub(crate) fn prepare_among_processes() -> Self {
        Self::reaching(Reach::Processes)
    }

    fn reaching(reach: Reach) -> Self {
        let is_asymmetric = !membarrier::is_withdrawn(reach) && membarrier::register(reach);
        Self { is_asymmetric, reach }
    }

    /// Whether light fences cost nothing at the creation of the object. Where not, the object sets the
    /// bit that makes them full ones from the start.
    pub(crate) fn is_asymmetric(self) -> bool {
        self.is_asymmetric
    }

    /// The fence of the frequent side. The caller then loads the word whose bit may ask for a full one.
    /// A compiler fence; in a model a full fence, as nothing interrupts its threads.
    #[inline(always)]
    pub(crate) fn light(name: &'static str) {
        #[cfg(loom)]
        if withdrawal::is_modeled() {
            return withdrawal::pass_by();
        }
        if MODEL {
            fence(name);
        } else {
            core::sync::atomic::compiler_fence(SeqCst);
        }
    }

    /// The fence of the rare side: a full fence in this thread, and in every other thread at its light
    /// fences. Returns false if the kernel refuses, and always from then on: the caller must request full
    /// fences, and sees all stores made before that request at [`Fences::stores_visible_at`].
    #[must_use]
    pub(crate) fn heavy(self, name: &'static str) -> bool {
        fence(name);
        !self.is_asymmetric
            || (!membarrier::is_withdrawn(self.reach) && membarrier::interrupt(self.reach))
    }

    /// The time at which all stores made by now are visible.
    pub(crate) fn stores_visible_at() -> Deadline {
        Deadline::at(Clock::now().saturating_add(STORE_VISIBLE_AFTER))
    }

    /// Sleeps until all stores made by now are visible.
    #[cold]
    pub(crate) fn wait_for_stores() {
        let (parking, end) = (Parking::new(), Self::stores_visible_at());
        loop {
            // In a model another thread may have moved the clock, but only a sleep shows its
            // stores.
            parking.sleep(0, end);
            if end.has_passed() {
                break;
            }
        }
    }
}

#[cfg(all(target_os = "linux", not(any(loom, miri, queues_portable))))]
mod membarrier {
    use super::Reach;
    use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

    /// For each reach, whether the kernel refused after the registration. It is not asked again.
    static WITHDRAWN: [AtomicBool; 2] = [const { AtomicBool::new(false) }; 2];

    fn call(command: libc::c_int) -> bool {
        // SAFETY: membarrier takes three integers and accesses no memory of ours.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }
    pub(super) fn register(reach: Reach) -> bool {
        call(match reach {
            Reach::Process => libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED,
            #[cfg(queues_shared)]
            Reach::Processes => libc::MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED,
        })
    }
    pub(super) fn interrupt(reach: Reach) -> bool {
        let done = call(match reach {
            Reach::Process => libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED,
            #[cfg(queues_shared)]
            Reach::Processes => libc::MEMBARRIER_CMD_GLOBAL_EXPEDITED,
        });
        if !done {
            WITHDRAWN[reach as usize].store(true, Relaxed);
        }
        done
    }
    /// Relaxed: a thread that reads an old value asks the kernel, and is refused itself.
    pub(super) fn is_withdrawn(reach: Reach) -> bool {
        WITHDRAWN[reach as usize].load(Relaxed)
    }
}

#[cfg(not(all(target_os = "linux", not(any(loom, miri, queues_portable)))))]
mod membarrier {
    use super::Reach;

    pub(super) fn register(_: Reach) -> bool {
        super::MODEL
    }
    pub(super) fn interrupt(_: Reach) -> bool {
        #[cfg(loom)]
        if super::withdrawal::is_modeled() {
            return super::withdrawal::interrupt();
        }
        super::MODEL
    }
    pub(super) fn is_withdrawn(_: Reach) -> bool {
        false
    }
}

/// Models in which membarrier is withdrawn.
///
/// A light fence does nothing in them, so a load may miss the store of another thread, as if the store
/// were still in a store buffer. Two rules come from hardware and not from the C11 memory model. A load
/// after a light fence reads what was written last ([`AtomicU32::load_after_light_fence`]), since locked
/// instructions write the word that it reads. And a store before a light fence is visible to a thread that
/// waits long enough, and to one whose membarrier still works.
///
/// [`AtomicU32::load_after_light_fence`]: super::AtomicU32::load_after_light_fence
#[cfg(loom)]
pub mod withdrawal {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    loom::lazy_static! {
        /// One more than the number of calls that still succeed; 0: no such model.
        static ref LEFT: AtomicU32 = AtomicU32::new(0);
        static ref TIME: loom::sync::atomic::AtomicU32 = loom::sync::atomic::AtomicU32::new(0);
    }

    /// From now on membarrier succeeds `calls` times and then never again. For the start of a model.
    pub fn after(calls: u32) {
        LEFT.store(calls + 1, Relaxed);
    }

    pub(in super::super) fn begin_model() {
        LEFT.store(0, Relaxed);
        TIME.load(Relaxed);
    }

    pub(in super::super) fn is_modeled() -> bool {
        LEFT.load(Relaxed) > 0
    }

    /// At a light fence: stores before it become visible in time.
    pub(super) fn pass_by() {
        super::super::take_turn();
        TIME.fetch_add(0, super::super::Release);
    }

    /// Time passes: stores before the light fences of other threads are visible from now on.
    pub(in super::super) fn pass() {
        if is_modeled() {
            super::super::take_turn();
            TIME.fetch_add(0, super::super::Acquire);
        }
    }

    pub(super) fn interrupt() -> bool {
        let left = LEFT.load(Relaxed);
        if left > 1 {
            LEFT.store(left - 1, Relaxed);
            pass();
        }
        left > 1
    }
}
