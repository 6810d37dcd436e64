//! Hints to the processor: pauses and prefetches. They change speed, never results.

/// Exponential backoff after a lost race: 32 pause instructions, doubling to 256.
///
/// A pause instruction takes 26 ns on Zen 4. Without backoff, two threads that put and get in turn
/// spend their time moving one cache line between them; see
/// `docs/decisions/003-mpmc-under-contention.md`.
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

/// Prefetches a cache line for writing.
#[inline(always)]
pub(crate) fn prefetch_for_write<T>(_at: *const T) {
    #[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
    // SAFETY: a prefetch accesses no memory; processors that do not know it take it as a no-op.
    unsafe {
        core::arch::asm!("prefetchw [{at}]", at = in(reg) _at, options(readonly, nostack, preserves_flags));
    }
}

/// Prefetches a cache line for reading.
#[inline(always)]
pub(crate) fn prefetch_for_read<T>(_at: *const T) {
    #[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
    // SAFETY: a prefetch accesses no memory.
    unsafe {
        core::arch::asm!("prefetcht0 [{at}]", at = in(reg) _at, options(readonly, nostack, preserves_flags));
    }
}

/// Executes `times` pause instructions. A model yields instead, so that other threads run.
#[inline(never)]
pub(crate) fn pause(_times: u32) {
    #[cfg(loom)]
    loom::thread::yield_now();
    #[cfg(not(loom))]
    for _ in 0..if cfg!(miri) { 1 } else { _times } {
        core::hint::spin_loop();
    }
}

/// Yields the processor to another thread.
pub(crate) fn yield_now() {
    #[cfg(loom)]
    loom::thread::yield_now();
    #[cfg(not(loom))]
    std::thread::yield_now();
}
