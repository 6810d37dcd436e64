//! Fences in pairs of unequal price.
//!
//! Who publishes an item with a plain store and then looks whether anybody sleeps needs a full
//! fence between the two, and so does the sleeper between announcing itself and looking again
//! (Dekker's pattern). Items are many and sleeps are few, so the publisher's side is a compiler fence
//! only and the sleeper interrupts all running threads of the process with Linux' `membarrier`, which acts as
//! the fence that they left out. Where the kernel refuses, both sides pay a real fence. (The scheme is that of
//! liburcu and of folly's asymmetric fences.)

use super::{Ordering, SeqCst, imp, site};

/// A fence, or nothing if a mutation run took it away.
#[inline(always)]
pub(crate) fn fence(name: &'static str) {
    match site(name, SeqCst) {
        Ordering::Relaxed => {}
        strength => imp::fence(strength),
    }
}

#[cfg(all(target_os = "linux", not(any(loom, miri, queues_portable))))]
mod membarrier {
    use core::sync::atomic::{AtomicU8, Ordering::Relaxed, compiler_fence};

    const UNKNOWN: u8 = 0;
    const REGISTERED: u8 = 1;
    const REFUSED: u8 = 2;
    static STATE: AtomicU8 = AtomicU8::new(UNKNOWN);

    fn call(command: libc::c_int) -> bool {
        // SAFETY: membarrier takes three integers and touches no memory of ours.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }

    /// Registers the process with the kernel, once, before the first queue is used.
    pub(crate) fn prepare() {
        if STATE.load(Relaxed) == UNKNOWN {
            let registered = call(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
            STATE.store(if registered { REGISTERED } else { REFUSED }, Relaxed);
        }
    }

    #[inline(always)]
    pub(crate) fn light(full: impl FnOnce()) {
        if STATE.load(Relaxed) == REGISTERED {
            compiler_fence(super::SeqCst);
        } else {
            full();
        }
    }

    pub(crate) fn heavy() {
        if STATE.load(Relaxed) == REGISTERED {
            // A registered process is refused only if the kernel changed under it; the light side
            // would then be unprotected, so there is nothing safe left to do.
            assert!(
                call(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED),
                "membarrier was withdrawn"
            );
        }
    }
}

#[cfg(not(all(target_os = "linux", not(any(loom, miri, queues_portable)))))]
mod membarrier {
    pub(crate) fn prepare() {}
    #[inline(always)]
    pub(crate) fn light(full: impl FnOnce()) {
        full();
    }
    pub(crate) fn heavy() {}
}

/// Must run before the first fence of a queue's life.
pub(crate) fn prepare_fences() {
    membarrier::prepare();
}

/// The frequent side of an unequal pair: free where [`heavy_fence`] can interrupt, else a fence.
#[inline(always)]
pub(crate) fn light_fence(name: &'static str) {
    membarrier::light(|| fence(name));
}

/// The rare side of an unequal pair: orders this thread, and every other one at its light fences.
pub(crate) fn heavy_fence(name: &'static str) {
    fence(name);
    membarrier::heavy();
}
