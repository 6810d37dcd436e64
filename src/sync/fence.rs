//! Fences in pairs of unequal price.
//!
//! Who publishes an item with a plain store and then looks whether anybody sleeps needs a full
//! fence between the two, and so does the sleeper between announcing itself and looking again
//! (Dekker's pattern). Items are many and sleeps are few, so the publisher's side is a compiler
//! fence only and the sleeper interrupts all running threads of the process with Linux'
//! `membarrier`, which acts as the fence that they left out. Where the kernel refuses, both sides
//! pay a real fence. (The scheme is that of liburcu and of folly's asymmetric fences.)
//!
//! # When the kernel changes its mind
//! A process that was registered may be refused later: by a sandbox that it enters, or because it was
//! restored from a checkpoint. Then the rare side makes the frequent one pay from now on: it writes
//! that into the word which the frequent side reads behind its free fence anyway. Whoever reads it
//! there fences in full and reads again. What is left is a thread that read the word just before, and
//! whose store has not left its processor yet. No fence of ours reaches it, but time does: a store
//! leaves its processor within a microsecond or so, whatever becomes of its thread, and is out when a
//! thread is taken off its processor. So the rare side looks again after [`STORES_ARE_OUT`] before it
//! relies on what it saw, once for each word.

use super::{Clock, Deadline, Ordering, Parking, SeqCst, imp, site};

/// Whether light fences are full ones, which need no interruption: in models, unless they are of where
/// there is no membarrier.
const MODEL: bool = cfg!(all(any(loom, miri), not(queues_portable)));

/// After so many nanoseconds what a thread has stored can be read by all others: a thousand times as
/// long as a store waits for its cache line.
const STORES_ARE_OUT: u64 = 1_000_000;

/// A fence, or nothing if a mutation run took it away.
#[inline(always)]
pub(crate) fn fence(name: &'static str) {
    match site(name, SeqCst) {
        Ordering::Relaxed => {}
        strength => imp::fence(strength),
    }
}

/// The unequal pair of one object, as it was when that was created.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fences {
    unequal: bool,
}

impl Fences {
    /// Asks the kernel, whenever a queue is created: after the first time that costs next to nothing,
    /// and a child of a fork during the first time is registered itself. Not after a refusal.
    pub(crate) fn prepare() -> Self {
        Self { unequal: !membarrier::is_withdrawn() && membarrier::register() }
    }

    /// Whether light fences began as free ones. Where not, each object says so from its creation on in
    /// the word that is read behind them.
    pub(crate) fn is_asymmetric(self) -> bool {
        self.unequal
    }

    /// The frequent side, while the word that is read next does not ask for more; free, but in a
    /// model, which nothing interrupts, a full fence.
    #[inline(always)]
    pub(crate) fn light(name: &'static str) {
        #[cfg(loom)]
        if withdrawal::is_modelled() {
            return withdrawal::pass_by();
        }
        if MODEL {
            fence(name);
        } else {
            core::sync::atomic::compiler_fence(SeqCst);
        }
    }

    /// The rare side: orders this thread, and every other one at its light fences. False if those
    /// that were free are not covered, from now on for ever: the caller asks for full ones, and what
    /// was stored before that it sees after [`Fences::all_stores_out`].
    #[must_use]
    pub(crate) fn heavy(self, name: &'static str) -> bool {
        fence(name);
        !self.unequal || (!membarrier::is_withdrawn() && membarrier::interrupt())
    }

    /// When everything that others have stored by now can be seen.
    pub(crate) fn all_stores_out() -> Deadline {
        Deadline::at(Clock::now().saturating_add(STORES_ARE_OUT))
    }

    /// Sleeps until everything that others have stored by now can be seen.
    #[cold]
    pub(crate) fn wait_for_stores() {
        let (nobody, end) = (Parking::new(), Self::all_stores_out());
        while !end.has_passed() {
            nobody.sleep(0, end);
        }
    }
}

#[cfg(all(target_os = "linux", not(any(loom, miri, queues_portable))))]
mod membarrier {
    use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

    /// Whether the kernel refused what it had promised. It is not asked again.
    static WITHDRAWN: AtomicBool = AtomicBool::new(false);

    fn call(command: libc::c_int) -> bool {
        // SAFETY: membarrier takes three integers and touches no memory of ours.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }
    pub(super) fn register() -> bool {
        call(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
    }
    pub(super) fn interrupt() -> bool {
        let done = call(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED);
        if !done {
            WITHDRAWN.store(true, Relaxed);
        }
        done
    }
    /// Relaxed: who does not know yet asks, and is refused itself.
    pub(super) fn is_withdrawn() -> bool {
        WITHDRAWN.load(Relaxed)
    }
}

#[cfg(not(all(target_os = "linux", not(any(loom, miri, queues_portable)))))]
mod membarrier {
    pub(super) fn register() -> bool {
        super::MODEL
    }
    pub(super) fn interrupt() -> bool {
        #[cfg(loom)]
        if super::withdrawal::is_modelled() {
            return super::withdrawal::interrupt();
        }
        super::MODEL
    }
    pub(super) fn is_withdrawn() -> bool {
        false
    }
}

/// Models in which membarrier is withdrawn.
///
/// Free fences are nothing in them, so that a look at what another thread stores may miss it, as if
/// the store were on its way out of its processor. Two things are as they are in time and not in C11's
/// memory model: a load behind a free fence reads what was written last ([`AtomicU32::load_after_light_fence`]),
/// since the word that it reads is written by locked instructions; and what was stored before a free
/// fence is seen by who waits long enough after it, and by a membarrier that still works.
///
/// [`AtomicU32::load_after_light_fence`]: super::AtomicU32::load_after_light_fence
#[cfg(loom)]
pub mod withdrawal {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    loom::lazy_static! {
        /// One more than how many calls still succeed; 0: no such model.
        static ref LEFT: AtomicU32 = AtomicU32::new(0);
        static ref TIME: loom::sync::atomic::AtomicU32 = loom::sync::atomic::AtomicU32::new(0);
    }

    /// From now on membarrier succeeds so many times and then never again. For a model's beginning.
    pub fn after(calls: u32) {
        LEFT.store(calls + 1, Relaxed);
    }

    pub(in super::super) fn begin_model() {
        LEFT.store(0, Relaxed);
        TIME.load(Relaxed);
    }

    pub(in super::super) fn is_modelled() -> bool {
        LEFT.load(Relaxed) > 0
    }

    /// At a free fence: what was stored before it can be seen in time.
    pub(super) fn pass_by() {
        super::super::take_turn();
        TIME.fetch_add(0, super::super::Release);
    }

    /// Time passes: what was stored before others' free fences is seen from now on.
    pub(in super::super) fn pass() {
        if is_modelled() {
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
