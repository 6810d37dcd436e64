//! Hints to the processor: pauses and prefetches. They change speed, never results.
//!
//! A pause instruction takes from 3 to 45 ns, depending on the processor. So it is measured once
//! in a process, and longer pauses are given in nanoseconds.

use super::{Asked, Clock};

/// Exponential backoff after a lost race: 0.75 µs, doubling to 6 µs.
///
/// Without backoff, two threads that put and get in turn spend their time moving one cache line
/// between them; see `docs/decisions/003-mpmc-under-contention.md`.
pub(crate) struct Backoff {
    nanoseconds: u32,
}

impl Backoff {
    #[inline(always)]
    pub(crate) const fn new() -> Self {
        Self { nanoseconds: 750 }
    }
    #[cold]
    pub(crate) fn pause(&mut self) {
        pause_for(self.nanoseconds);
        self.nanoseconds = (self.nanoseconds * 2).min(6000);
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

/// Pauses for about so many nanoseconds, at most 2^20: with as many pause instructions as take that
/// long, and at least one.
#[inline(never)]
pub(crate) fn pause_for(nanoseconds: u32) {
    pause(pauses_in(nanoseconds, pause_rate()));
}

/// The number of pause instructions that take so many nanoseconds, rounded, and at least 1.
#[inline(always)]
fn pauses_in(nanoseconds: u32, rate: u32) -> u32 {
    debug_assert!(nanoseconds <= 1 << 20);
    ((nanoseconds * rate + 512) / 1024).max(1)
}

/// The number of pause instructions that take 1024 ns.
///
/// The first call measures it, which takes about 3 µs. The creation of a queue makes that call.
#[inline(always)]
pub(crate) fn pause_rate() -> u32 {
    static RATE: Asked = Asked::new();
    RATE.get(|| [measure_pause_rate() as usize, 0])[0] as u32
}

#[cold]
fn measure_pause_rate() -> u32 {
    if cfg!(any(loom, miri)) {
        return rate_of(32, 0); // nothing to measure
    }
    let time = |_| {
        let start = Clock::now();
        pause(32);
        Clock::now().wrapping_sub(start)
    };
    // The shortest: the thread may be preempted, or a clock be read for the first time.
    rate_of(32, (0..4).map(time).min().unwrap_or(0))
}

/// The rate if so many pause instructions took so many nanoseconds: 1 ns each at least, and 256 ns
/// at most, also if the clock is too coarse.
fn rate_of(pauses: u64, nanoseconds: u64) -> u32 {
    (pauses * 1024 / nanoseconds.max(1)).clamp(4, 1024) as u32
}

/// Yields the processor to another thread.
pub(crate) fn yield_now() {
    #[cfg(loom)]
    loom::thread::yield_now();
    #[cfg(not(loom))]
    std::thread::yield_now();
}

#[cfg(all(test, not(any(loom, miri))))]
mod tests {
    use super::*;

    #[test]
    fn the_rate_stays_in_its_bounds() {
        assert_eq!(rate_of(32, 32 * 32), 32);
        assert_eq!(rate_of(32, 0), 1024);
        assert_eq!(rate_of(32, u64::MAX), 4);
    }

    #[test]
    fn the_number_of_pauses_is_rounded_and_never_0() {
        assert_eq!(pauses_in(0, 32), 1);
        assert_eq!(pauses_in(47, 32), 1);
        assert_eq!(pauses_in(48, 32), 2);
        assert_eq!(pauses_in(1 << 20, 1024), 1 << 20);
    }
}
