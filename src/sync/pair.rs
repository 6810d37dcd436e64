//! Two adjacent words, aligned to 16 bytes, that one compare-and-swap can replace.
//!
//! On x86-64 only inline assembly accesses the words: in Rust's memory model a 64-bit atomic access
//! that races with a 128-bit one is undefined, but on x86-64 the instructions are defined (loads
//! acquire, locked instructions are full barriers). loom and Miri cannot see assembly; for them both
//! halves are packed into one 64-bit word, and values are limited to 32 bits. ThreadSanitizer cannot
//! see assembly either; its annotations state what each instruction orders.

#[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
mod imp {
    use super::super::Ordering;
    use core::arch::asm;
    use core::cell::UnsafeCell;

    /// See the module.
    #[repr(C, align(16))]
    pub(crate) struct Pair {
        first: UnsafeCell<u64>,
        second: UnsafeCell<u64>,
    }

    // SAFETY: every access after `new` is one atomic x86-64 instruction.
    unsafe impl Sync for Pair {}

    #[inline(always)]
    fn load(word: &UnsafeCell<u64>) -> u64 {
        let value;
        // SAFETY: the word is alive and aligned; an aligned 8-byte mov is atomic.
        unsafe {
            asm!("mov {value}, [{word}]", word = in(reg) word.get(), value = out(reg) value,
                 options(nostack, preserves_flags));
        }
        value
    }

    #[cfg(queues_tsan)]
    unsafe extern "C" {
        fn __tsan_acquire(address: *const Pair);
        fn __tsan_release(address: *const Pair);
    }

    impl Pair {
        pub(crate) fn new(first: u64, second: u64) -> Self {
            Self { first: UnsafeCell::new(first), second: UnsafeCell::new(second) }
        }

        /// States that this instruction acquires.
        #[inline(always)]
        fn acquired(&self) {
            #[cfg(queues_tsan)]
            // SAFETY: the address is a name; it is not accessed.
            unsafe {
                __tsan_acquire(self);
            }
        }

        /// States that the next instruction releases.
        #[inline(always)]
        fn releasing(&self) {
            #[cfg(queues_tsan)]
            // SAFETY: the address is a name; it is not accessed.
            unsafe {
                __tsan_release(self);
            }
        }

        /// Whether the processor has cmpxchg16b; every x86-64 processor since 2006 has.
        pub(crate) fn is_supported() -> bool {
            std::arch::is_x86_feature_detected!("cmpxchg16b")
        }

        /// Loads the first word, then the second, which may belong to a later first word.
        #[inline(always)]
        pub(crate) fn load(&self, _at: Ordering) -> (u64, u64) {
            let both = (load(&self.first), load(&self.second));
            self.acquired();
            both
        }

        /// Loads the first word only.
        #[inline(always)]
        pub(crate) fn load_first(&self, _at: Ordering) -> u64 {
            let first = load(&self.first);
            self.acquired();
            first
        }

        #[inline(always)]
        pub(crate) fn replace(&self, old: (u64, u64), new: (u64, u64), _at: Ordering) -> bool {
            let done: u8;
            self.releasing();
            // SAFETY: `self` is alive and aligned to 16 bytes; rbx, which LLVM reserves, is restored;
            // the caller has checked `is_supported`.
            unsafe {
                asm!(
                    "xchg rsi, rbx",
                    "lock cmpxchg16b [rdi]",
                    "sete r8b",
                    "mov rbx, rsi",
                    in("rdi") self, inout("rsi") new.0 => _, in("rcx") new.1,
                    inout("rax") old.0 => _, inout("rdx") old.1 => _, out("r8b") done,
                    options(nostack),
                );
            }
            self.acquired();
            done != 0
        }

        /// Compare-and-swap of the first word only.
        #[inline(always)]
        pub(crate) fn replace_first(&self, old: u64, new: u64, _at: Ordering) -> bool {
            let done: u8;
            self.releasing();
            // SAFETY: the word is alive and aligned.
            unsafe {
                asm!(
                    "lock cmpxchg [{word}], {new}",
                    "sete {done}",
                    word = in(reg) self.first.get(), new = in(reg) new, done = out(reg_byte) done,
                    inout("rax") old => _,
                    options(nostack),
                );
            }
            self.acquired();
            done != 0
        }
    }
}

#[cfg(any(loom, miri))]
mod imp {
    use super::super::{AtomicU64, Ordering};

    /// See the module.
    pub(crate) struct Pair(AtomicU64);

    // The top bit of the first word becomes the top bit of the 32-bit one.
    const FLAG: u64 = 1 << 63;
    const SHORT_FLAG: u64 = 1 << 31;

    fn pack(first: u64, second: u64) -> u64 {
        let short = first & !FLAG;
        assert!(short < SHORT_FLAG && second >> 32 == 0, "too large for a packed pair");
        (short | if first & FLAG != 0 { SHORT_FLAG } else { 0 }) << 32 | second
    }

    fn unpack(both: u64) -> (u64, u64) {
        let short = both >> 32;
        let flag = if short & SHORT_FLAG != 0 { FLAG } else { 0 };
        (short & !SHORT_FLAG | flag, both & 0xFFFF_FFFF)
    }

    impl Pair {
        pub(crate) fn new(first: u64, second: u64) -> Self {
            Self(AtomicU64::new(pack(first, second)))
        }
        #[allow(dead_code)] // models construct the ring themselves
        pub(crate) fn is_supported() -> bool {
            true
        }
        pub(crate) fn load(&self, at: Ordering) -> (u64, u64) {
            unpack(self.0.load(at))
        }
        pub(crate) fn load_first(&self, at: Ordering) -> u64 {
            self.load(at).0
        }
        pub(crate) fn replace(&self, old: (u64, u64), new: (u64, u64), at: Ordering) -> bool {
            self.0.replace(pack(old.0, old.1), pack(new.0, new.1), at)
        }
        pub(crate) fn replace_first(&self, old: u64, new: u64, at: Ordering) -> bool {
            // While the first word is the same, so is the second: see the invariants of the ring.
            let (first, second) = unpack(self.0.load(super::super::Relaxed));
            first == old && self.replace((old, second), (new, second), at)
        }
    }
}

#[cfg(any(target_arch = "x86_64", loom, miri))]
pub(crate) use imp::Pair;
