//! Hints to the processor: pauses and prefetches. They change speed, never results.

/// Exponential back-off after a lost race: 32 pauses, doubling to 256.
///
/// A pause is 26 ns on Zen 4. Without it two threads that put and get in turn spend their time
/// moving the line between them; see `docs/decisions/003-mpmc-under-contention.md`.
pub(crate) struct Backoff(u32);

impl Backoff {
    #[inline(always)]
    pub(crate) const fn new() -> Self {
        Self(32)
    }
    #[cold]
    pub(crate) fn pause(&mut self) {
        pause(self.0);
        self.0 = (self.0 * 2).min(256);
    }
}

/// Asks for a cache line, for writing. A hint: no effect on what the program means.
#[inline(always)]
pub(crate) fn prefetch_for_write<T>(_at: *const T) {
    #[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
    // SAFETY: a prefetch touches nothing; where the processor does not know it, it is a no-op.
    unsafe {
        core::arch::asm!("prefetchw [{at}]", at = in(reg) _at, options(readonly, nostack, preserves_flags));
    }
}

/// Asks for a cache line, for reading. A hint: no effect on what the program means.
#[inline(always)]
pub(crate) fn prefetch_for_read<T>(_at: *const T) {
    #[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
    // SAFETY: a prefetch touches nothing.
    unsafe {
        core::arch::asm!("prefetcht0 [{at}]", at = in(reg) _at, options(readonly, nostack, preserves_flags));
    }
}

/// Lets `times` pause instructions pass; a model yields instead, so that others may run.
#[inline(never)]
pub(crate) fn pause(_times: u32) {
    #[cfg(loom)]
    loom::thread::yield_now();
    #[cfg(not(loom))]
    for _ in 0..if cfg!(miri) { 1 } else { _times } {
        core::hint::spin_loop();
    }
}

/// Offers the processor to another thread.
pub(crate) fn yield_now() {
    #[cfg(loom)]
    loom::thread::yield_now();
    #[cfg(not(loom))]
    std::thread::yield_now();
}
