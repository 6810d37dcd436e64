//! Fences in pairs of unequal price.
//!
//! Who publishes an item with a plain store and then looks whether anybody sleeps needs a full
//! fence between the two, and so does the sleeper between announcing itself and looking again
//! (Dekker's pattern). Items are many and sleeps are few, so the publisher's side is a compiler
//! fence only and the sleeper interrupts all running threads of the process with Linux'
//! `membarrier`, which acts as the fence that they left out. Where the kernel refuses, both sides
//! pay a real fence. (The scheme is that of liburcu and of folly's asymmetric fences.)

use super::{Ordering, SeqCst, imp, site};

/// Whether light fences are full ones, which need no interruption: in models, unless they are of where
/// there is no membarrier.
const MODEL: bool = cfg!(all(any(loom, miri), not(queues_portable)));

/// A fence, or nothing if a mutation run took it away.
#[inline(always)]
pub(crate) fn fence(name: &'static str) {
    match site(name, SeqCst) {
        Ordering::Relaxed => {}
        strength => imp::fence(strength),
    }
}

/// The unequal pair, and the proof that the process is prepared for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fences {
    membarrier: bool,
}

impl Fences {
    /// Asks the kernel, whenever a queue is created: after the first time that costs next to nothing,
    /// and a child of a fork during the first time is registered itself.
    pub(crate) fn prepare() -> Self {
        Self { membarrier: membarrier::register() }
    }

    /// The frequent side: free where [`Fences::heavy`] can interrupt, else a fence.
    #[inline(always)]
    pub(crate) fn light(self, name: &'static str) {
        if self.membarrier {
            Self::free(name);
        } else {
            fence(name);
        }
    }

    /// Whether light fences are free. Where a word that is read anyway tells, it need not be asked.
    pub(crate) fn are_unequal(self) -> bool {
        self.membarrier
    }

    /// The frequent side, where fences are unequal; free then, but in a model, which nothing
    /// interrupts, a full one.
    #[inline(always)]
    pub(crate) fn free(name: &'static str) {
        if MODEL {
            fence(name);
        } else {
            core::sync::atomic::compiler_fence(SeqCst);
        }
    }

    /// The rare side: orders this thread, and every other one at its light fences.
    pub(crate) fn heavy(self, name: &'static str) {
        fence(name);
        if self.membarrier {
            // A registered process is refused only if the kernel changed under it; the light side
            // would then be unprotected, so there is nothing safe left to do.
            assert!(membarrier::interrupt(), "membarrier was withdrawn");
        }
    }
}

#[cfg(all(target_os = "linux", not(any(loom, miri, queues_portable))))]
mod membarrier {
    fn call(command: libc::c_int) -> bool {
        // SAFETY: membarrier takes three integers and touches no memory of ours.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }
    pub(super) fn register() -> bool {
        call(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
    }
    pub(super) fn interrupt() -> bool {
        call(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
    }
}

#[cfg(not(all(target_os = "linux", not(any(loom, miri, queues_portable)))))]
mod membarrier {
    pub(super) fn register() -> bool {
        super::MODEL
    }
    pub(super) fn interrupt() -> bool {
        super::MODEL
    }
}
